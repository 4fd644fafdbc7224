/* The writer and the gather of indexer keys: 128 elements with one scale, pages of 64 tokens. */
#include "sequences.h"

enum { SIZE = 128, GROUP = 128, SCALES = SIZE / GROUP, BLOCK_SIZE = 64 };
static const double CUDA_AIM = 0.85;

static void add_pages(bench_call *call, int64_t pages) {
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(pages, BLOCK_SIZE, SIZE + 4 * SCALES));
}

static bool describe_writer(bench_call *call, int32_t form) {
  const int64_t tokens = call->tokens;
  bench_add(call, bench_type(kvf_scalar_of(call->variant)), BENCH_SHAPE(tokens, SIZE));
  add_pages(call, bench_pieces(tokens, BLOCK_SIZE));
  bench_add_slots(call, tokens, form);
  bench_add_int(call, GROUP);
  bench_add_cache_dtype(call);
  bench_moves(call,
              bench_scalar_bytes(call, tokens * SIZE) + (size_t)tokens * (SIZE + 4 * SCALES + 8),
              CUDA_AIM);
  return true;
}

static bool describe_gather(bench_call *call, int32_t form) {
  const int64_t tokens = call->tokens;
  const bench_sequences sequences = bench_split(tokens, BENCH_SEQUENCE, BLOCK_SIZE, form);
  add_pages(call, sequences.pages);
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(tokens, SIZE));
  bench_add(call, BENCH_F32, BENCH_SHAPE(tokens, SCALES));
  bench_add_block_table(call, &sequences);
  bench_add_starts(call, &sequences);
  bench_moves(call, (size_t)(2 * tokens * (SIZE + 4 * SCALES)), CUDA_AIM);
  return true;
}

const bench_op bench_indexer[] = {
    {"indexer_k_quant_and_cache", BENCH_ORDERS, describe_writer},
    {"cp_gather_indexer_k_quant_cache", BENCH_ORDERS, describe_gather},
    {NULL, {NULL}, NULL},
};
