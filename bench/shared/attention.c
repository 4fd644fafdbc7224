/* The reader: 32 query heads on 8 KV heads of 128 elements, pages of 16, sequences of 1024. */
#include "sequences.h"

#include <stdlib.h>

enum { QUERY_HEADS = 32, HEADS = 8, HEAD_SIZE = 128, BLOCK_SIZE = 16 };

static bool has_token_scales(kvf_dtype cache) {
  return cache == KVF_INT8_PER_TOKEN_HEAD || cache == KVF_FP8_PER_TOKEN_HEAD;
}

static void add_scale(bench_call *call, int64_t pages) {
  if (has_token_scales(call->variant->cache)) {
    bench_add_ones(call, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS));
  } else {
    bench_add_ones(call, 0, NULL);
  }
}

static bool describe_decode(bench_call *call, int32_t form) {
  enum { NHD };
  const kvf_dtype held = call->variant->cache;
  const DLDataType scalar = bench_type(call->variant->scalar);
  const DLDataType cache = bench_type(held);
  if (form != NHD && (held == KVF_NVFP4 || has_token_scales(held))) {
    return false;
  }
  const bench_sequences sequences = bench_split(call->tokens, BLOCK_SIZE, BENCH_SHUFFLED);
  const int64_t pages = sequences.pages;
  const int64_t x = 128 / cache.bits;
  const int64_t head = held == KVF_NVFP4 ? HEAD_SIZE / 2 + HEAD_SIZE / 16 : HEAD_SIZE;
  int64_t *lengths = bench_order(sequences.count, false);
  for (int64_t i = 0; i < sequences.count; ++i) {
    lengths[i] = sequences.starts[i + 1] - sequences.starts[i];
  }
  free(sequences.starts);
  bench_add(call, scalar, BENCH_SHAPE(sequences.count, QUERY_HEADS, HEAD_SIZE));
  bench_add(call, scalar, BENCH_SHAPE(sequences.count, QUERY_HEADS, HEAD_SIZE));
  if (form == NHD) {
    bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
    bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
  } else {
    bench_add(call, cache, BENCH_SHAPE(pages, HEADS, HEAD_SIZE / x, BLOCK_SIZE, x));
    bench_add(call, cache, BENCH_SHAPE(pages, HEADS, HEAD_SIZE, BLOCK_SIZE));
  }
  bench_add_block_table(call, &sequences);
  bench_add_integers(call, BENCH_NEAR, 32, lengths, BENCH_SHAPE(sequences.count));
  bench_add_float(call, 0.088);
  bench_add_cache_dtype(call);
  add_scale(call, pages);
  add_scale(call, pages);
  /* What is read of the cache; no aim is set. */
  call->moved = 2 * bench_cache_bytes(call, call->tokens * HEADS * head);
  call->moved += has_token_scales(held) ? (size_t)(2 * call->tokens * HEADS * 4) : 0;
  return true;
}

const bench_op bench_attention[] = {
    {"paged_attention_decode", {"NHD", "5-D"}, describe_decode},
    {NULL, {NULL}, NULL},
};
