/* One valid call of reshape_and_cache_flash on memory of its own, for tests of everything else. */
#ifndef KVF_TESTS_SMALL_CALL_H
#define KVF_TESTS_SMALL_CALL_H

#include "harness.h"
#include "memory.h"

enum {
  SMALL_KEY,
  SMALL_VALUE,
  SMALL_KEY_CACHE,
  SMALL_VALUE_CACHE,
  SMALL_SLOTS,
  SMALL_SCALE,
  SMALL_TENSORS
};

/* `tokens` tokens of 2 heads of 64 elements, in slots 0, 1, 2, ... */
typedef struct small_call {
  const kvf_variant *variant;
  const kvf_exec *exec; /* NULL at first */
  int32_t device;       /* of the tensors; 0 at first */
  int64_t tokens;
  buffer memory[SMALL_TENSORS];
  tensor view[SMALL_TENSORS];
} small_call;

/* The first variant of the op that is built for a backend; NULL with a skip if there is none. */
const kvf_variant *small_variant(kvf_backend backend);

/* CUDA memory belongs to the current context. */
void small_make(small_call *call, const kvf_variant *variant, int64_t tokens, uint64_t seed);
void small_free(small_call *call);
kvf_status small_run(small_call *call);

/* The same call for kvf_call(), and its addresses for kvf_run_prepared(). */
enum { SMALL_ARGUMENTS = 8, SMALL_DATA = 8 };
void small_values(small_call *call, kvf_value values[SMALL_ARGUMENTS]);
int32_t small_data(const small_call *call, void *data[SMALL_DATA]);

/* Whether every byte is as it should be after a successful call. Synchronise first. */
bool small_check(small_call *call);

/* Whether every byte is as it was made. */
bool small_untouched(const small_call *call);

#endif
