/* Conversion of whole tensors: rows of 8 heads of 128 elements. */
#include "call.h"

static bool describe_convert(bench_call *call, int32_t form) {
  enum { HEADS = 8, HEAD_SIZE = 128 };
  (void)form;
  const kvf_variant *variant = call->variant; /* scalar: the source, cache: the destination */
  const int64_t elements = call->tokens * HEADS * HEAD_SIZE;
  bench_add(call, bench_type(kvf_cache_of(variant)), BENCH_SHAPE(call->tokens, HEADS, HEAD_SIZE));
  bench_add(call, bench_type(kvf_scalar_of(variant)), BENCH_SHAPE(call->tokens, HEADS, HEAD_SIZE));
  bench_add_float(call, 1.0);
  if (kvf_dtype_bits(kvf_scalar_of(variant)) == 8) {
    bench_add_string(call, kvf_dtype_name(kvf_scalar_of(variant)));
  } else if (kvf_dtype_bits(kvf_cache_of(variant)) == 8) {
    bench_add_string(call, kvf_dtype_name(kvf_cache_of(variant)));
  } else {
    bench_add_string(call, "auto");
  }
  bench_moves(call, bench_scalar_bytes(call, elements) + bench_cache_bytes(call, elements), 0.90);
  return true;
}

const bench_op bench_convert[] = {
    {"convert_fp8", {"contiguous"}, describe_convert},
    {NULL, {NULL}, NULL},
};
