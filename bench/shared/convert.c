/* What is done to whole tensors, of rows of 8 heads of 128 elements: conversion, scales. */
#include "call.h"

enum { HEADS = 8, HEAD_SIZE = 128 };

static bool describe_convert(bench_call *call, int32_t form) {
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

static bool describe_scales(bench_call *call, int32_t form) {
  (void)form;
  const DLDataType type = bench_type(kvf_scalar_of(call->variant));
  for (int side = 0; side < 2; ++side) {
    bench_add(call, type, BENCH_SHAPE(call->tokens, HEADS, HEAD_SIZE));
  }
  for (int side = 0; side < 2; ++side) {
    bench_add(call, bench_type(KVF_F32), BENCH_SHAPE(1));
  }
  bench_add_float(call, 240.0);
  bench_moves(call, 2 * bench_scalar_bytes(call, call->tokens * HEADS * HEAD_SIZE), 0.90);
  return true;
}

const bench_op bench_convert[] = {
    {"convert_fp8", {"contiguous"}, describe_convert},
    {"update_kv_scales", {"contiguous"}, describe_scales},
    {NULL, {NULL}, NULL},
};
