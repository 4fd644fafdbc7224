/* Calls on the CPU take little of the stack of their thread, which may be a small one. */
#include <string.h>

#include "call_sets.h"
#include "harness.h"
#include "stack.h"

/* hisparse_resolve_residency keeps the union of a request's rows there: 32,768 slots at most. */
enum { LIMIT = 32 << 10, LIMIT_OF_RESIDENCY = 256 << 10 };

typedef struct call_on_stack {
  bench_call *call;
  kvf_status status;
} call_on_stack;

static void run(void *argument) {
  call_on_stack *what = argument;
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = 2};
  what->status =
      kvf_call(what->call->variant->op, &exec, what->call->arguments, what->call->num_arguments);
}

static void check_call(bench_call *call) {
  call_on_stack what = {.call = call};
  call_set memory = call_set_make(call, 7);
  call_set_place(call, &memory);
  run(&what);
  const int64_t used = stack_used(run, &what);
  const bool residency = strcmp(call->variant->op->name, "hisparse_resolve_residency") == 0;
  const int64_t limit = residency ? LIMIT_OF_RESIDENCY : LIMIT;
  EXPECT(what.status == KVF_OK, "%s, %s: %s", call->variant->symbol, call->form, kvf_last_error());
  EXPECT(used <= limit, "%s, %s: %lld bytes of stack, want at most %lld", call->variant->symbol,
         call->form, (long long)used, (long long)limit);
  call_set_free(&memory);
}

static void test_every_op(void) {
  if (need_backend() && options.backend == KVF_CPU) {
    each_call(64, check_call);
  }
}

CU_TestInfo stacks_tests[] = {
    {"every op", test_every_op},
    CU_TEST_INFO_NULL,
};
