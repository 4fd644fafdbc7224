/* The gathers of MLA rows: 576 elements, pages of 64 tokens, sequences of 1024. */
#include "sequences.h"

enum { ROW = 576, BLOCK_SIZE = 64 };
static const double CUDA_AIM = 0.85;

static size_t table_bytes(const bench_sequences *sequences) {
  return 4 * (size_t)(sequences->pages + sequences->count + 1);
}

static bool describe_dequant(bench_call *call, int32_t form) {
  const int64_t tokens = call->tokens;
  const bench_sequences sequences = bench_split(tokens, BENCH_SEQUENCE, BLOCK_SIZE, form);
  int64_t *owners = bench_order(tokens, false);
  for (int64_t b = 0; b < sequences.count; ++b) {
    for (int64_t row = sequences.starts[b]; row < sequences.starts[b + 1]; ++row) {
      owners[row] = b;
    }
  }
  bench_add(call, bench_type(kvf_cache_of(call->variant)),
            BENCH_SHAPE(sequences.pages, BLOCK_SIZE, ROW));
  bench_add(call, bench_type(kvf_scalar_of(call->variant)), BENCH_SHAPE(tokens, ROW));
  bench_add_block_table(call, &sequences);
  bench_add_starts(call, &sequences);
  bench_add_integers(call, BENCH_NEAR, 32, owners, BENCH_SHAPE(tokens));
  bench_add_int(call, tokens);
  bench_add_cache_dtype(call);
  bench_add_ones(call, 0, NULL);
  bench_moves(call,
              bench_cache_bytes(call, tokens * ROW) + bench_scalar_bytes(call, tokens * ROW) +
                  table_bytes(&sequences),
              CUDA_AIM);
  return true;
}

static bool describe_bytes(bench_call *call, int32_t form) {
  const int64_t tokens = call->tokens;
  const bench_sequences sequences = bench_split(tokens, BENCH_SEQUENCE, BLOCK_SIZE, form);
  const DLDataType type = bench_type(KVF_BF16);
  bench_add(call, type, BENCH_SHAPE(sequences.pages, BLOCK_SIZE, ROW));
  bench_add(call, type, BENCH_SHAPE(tokens, ROW));
  bench_add_block_table(call, &sequences);
  bench_add_starts(call, &sequences);
  bench_add_int(call, sequences.count);
  bench_moves(call, (size_t)(2 * tokens * ROW * 2) + table_bytes(&sequences), CUDA_AIM);
  return true;
}

static bool describe_upconvert(bench_call *call, int32_t form) {
  const int64_t tokens = call->tokens;
  const int64_t row = kvf_cache_of(call->variant) == KVF_NVFP4_DS_MLA ? 352 : 656;
  const bench_sequences sequences = bench_split(tokens, BENCH_SEQUENCE, BLOCK_SIZE, form);
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(sequences.pages, BLOCK_SIZE, row));
  bench_add(call, bench_type(kvf_scalar_of(call->variant)), BENCH_SHAPE(tokens, ROW));
  bench_add_block_table(call, &sequences);
  bench_add_starts(call, &sequences);
  bench_add_int(call, sequences.count);
  bench_moves(call,
              (size_t)(tokens * row) + bench_scalar_bytes(call, tokens * ROW) +
                  table_bytes(&sequences),
              CUDA_AIM);
  return true;
}

const bench_op bench_gathers[] = {
    {"gather_and_maybe_dequant_cache", BENCH_ORDERS, describe_dequant},
    {"cp_gather_cache", BENCH_ORDERS, describe_bytes},
    {"cp_gather_and_upconvert_fp8_kv_cache", BENCH_ORDERS, describe_upconvert},
    {"cp_gather_and_upconvert_nvfp4_kv_cache", BENCH_ORDERS, describe_upconvert},
    {NULL, {NULL}, NULL},
};
