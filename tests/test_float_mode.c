/*
 * Threads whose floating point works otherwise: engines flush subnormal numbers to zero, and a mode
 * of rounding may be anything. Calls have the same bits, and leave the thread its mode.
 */
#include <fenv.h>
#include <float.h>
#include <string.h>

#include "call_sets.h"
#include "harness.h"

/* Subnormals are zeros, as operands and as results, and everything is rounded up. */
static uint64_t set_other_mode(void) {
#if defined(__x86_64__)
  enum { FLUSH = 0x8000, ZEROS = 0x0040, UP = 0x4000 };
  const uint64_t before = __builtin_ia32_stmxcsr();
  __builtin_ia32_ldmxcsr((unsigned)before | FLUSH | ZEROS | UP);
#elif defined(__aarch64__)
  enum { FLUSH = 1 << 24, UP = 1 << 22 };
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" : : "r"(before | FLUSH | UP));
#endif
  return before;
}

/* Back to what it was; whether the other mode was still set. */
static bool unset_mode(uint64_t before) {
#if defined(__x86_64__)
  enum { BITS = 0xFFC0 };
  const bool kept = (__builtin_ia32_stmxcsr() & BITS) == ((before | 0xC040) & BITS);
  __builtin_ia32_ldmxcsr((unsigned)before);
#elif defined(__aarch64__)
  uint64_t now;
  __asm__ volatile("mrs %0, fpcr" : "=r"(now));
  const bool kept = now == (before | 1 << 24 | 1 << 22);
  __asm__ volatile("msr fpcr, %0" : : "r"(before));
#endif
  return kept;
}

static int32_t threads;
static bool tiny; /* scales are the smallest that there are, so that products are subnormal */

static void make_tiny(bench_call *call) {
  for (int32_t i = 0; i < call->num_tensors; ++i) {
    const bench_tensor *held = &call->tensors[i];
    for (size_t k = 0; held->content != NULL && held->tensor.dtype.code == kDLFloat &&
                       held->tensor.dtype.bits == 32 && k < held->bytes / sizeof(float);
         ++k) {
      float *const number = (float *)held->content + k;
      *number = *number == 1.0f ? FLT_MIN : *number;
    }
  }
}

static void check_call(bench_call *call) {
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = threads};
  if (tiny) {
    make_tiny(call);
  }
  call_set other = call_set_make(call, 3);
  call_set plain = call_set_make(call, 3);
  call_set_place(call, &other);
  const uint64_t before = set_other_mode(); /* first: threads that are started now inherit it */
  const kvf_status status =
      kvf_call(call->variant->op, &exec, call->arguments, call->num_arguments);
  EXPECT(unset_mode(before), "%s: the mode is another one", call->variant->symbol);
  EXPECT(status == KVF_OK, "%s: %s", call->variant->symbol, kvf_last_error());
  call_set_place(call, &plain);
  EXPECT_STATUS(kvf_call(call->variant->op, &exec, call->arguments, call->num_arguments), KVF_OK);
  EXPECT(call_sets_same(call, &plain, &other), "%s, %s: other bits in another mode",
         call->variant->symbol, call->form);
  call_set_free(&other);
  call_set_free(&plain);
}

static void test_one_thread(void) {
  threads = 1;
  tiny = false;
  each_call(3, check_call);
  tiny = true;
  each_call(3, check_call);
}

static void test_many_threads(void) {
  threads = 4;
  tiny = true;
  each_call(300, check_call);
}

CU_TestInfo float_mode_tests[] = {
    {"many threads", test_many_threads},
    {"one thread", test_one_thread},
    CU_TEST_INFO_NULL,
};
