/* The calls that the benchmarks measure, of every op, and memory for their tensors. */
#ifndef KVF_TESTS_CALL_SETS_H
#define KVF_TESTS_CALL_SETS_H

#include "../bench/shared/call.h"
#include "memory.h"

/* The memory of one call's tensors, of either place. */
typedef struct call_set {
  buffer memory[BENCH_PLACES];
} call_set;

/* Random bytes where a call may have any; sets of one seed hold the same, up to addresses. */
call_set call_set_make(const bench_call *call, uint64_t seed);
void call_set_free(call_set *of);

/* Places the call's tensors there. */
void call_set_place(bench_call *call, const call_set *of);

/* Whether two sets hold the same, tensors of addresses aside; whether one is as it was made. */
bool call_sets_same(const bench_call *call, const call_set *a, const call_set *b);
bool call_set_untouched(const call_set *of);

/* Every call of so many tokens, of all variants of the backend under test that are built. */
void each_call(int64_t tokens, void (*check)(bench_call *call));

#endif
