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

/* 8 KV heads of 128 elements, pages of 16 tokens: NHD in page order or not, and
 * reshape_and_cache's, values in groups of tokens or not. */
static bool describe_kv(bench_call *call, int32_t form) {
  enum { HEADS = 8, HEAD_SIZE = 128, TOKENS = 16, GROUPED = 2, INTERLEAVED };
  const kvf_dtype held = kvf_cache_of(call->variant);
  const DLDataType cache = bench_type(held);
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const bool by_row = held == KVF_INT8_PER_TOKEN_HEAD || held == KVF_FP8_PER_TOKEN_HEAD ||
                      held == KVF_INT4_PER_TOKEN_HEAD;
  const int64_t tokens = call->tokens;
  const int64_t head = held == KVF_NVFP4                 ? HEAD_SIZE / 2 + HEAD_SIZE / 16
                       : held == KVF_INT4_PER_TOKEN_HEAD ? HEAD_SIZE / 2
                       : held == KVF_Q8_0                ? HEAD_SIZE / 32 * 34
                       : held == KVF_Q4_0                ? HEAD_SIZE / 32 * 18
                                                         : HEAD_SIZE;
  const int64_t x = 128 / cache.bits;
  const bool grouped = form >= GROUPED;
  if (grouped && (by_row || head != HEAD_SIZE)) {
    return false;
  }
  const bench_sequences sequences = bench_split(tokens, BENCH_SEQUENCE, TOKENS, grouped ? 1 : form);
  if (grouped) {
    bench_add(call, cache, BENCH_SHAPE(sequences.pages, HEADS, HEAD_SIZE / x, TOKENS, x));
    if (form == INTERLEAVED) {
      bench_add(call, cache, BENCH_SHAPE(sequences.pages, HEADS, TOKENS / x, HEAD_SIZE, x));
    } else {
      bench_add(call, cache, BENCH_SHAPE(sequences.pages, HEADS, HEAD_SIZE, TOKENS));
    }
  } else {
    bench_add(call, cache, BENCH_SHAPE(sequences.pages, TOKENS, HEADS, head));
    bench_add(call, cache, BENCH_SHAPE(sequences.pages, TOKENS, HEADS, head));
  }
  bench_add(call, scalar, BENCH_SHAPE(tokens, HEADS, HEAD_SIZE));
  bench_add(call, scalar, BENCH_SHAPE(tokens, HEADS, HEAD_SIZE));
  const int64_t pages = sequences.pages;
  const size_t table = table_bytes(&sequences);
  bench_add_block_table(call, &sequences);
  bench_add_starts(call, &sequences);
  bench_add_cache_dtype(call);
  bench_add_ones(call, 0, NULL);
  bench_add_ones(call, 0, NULL);
  bench_add_none(call);
  bench_add_bool(call, form == INTERLEAVED);
  bench_add_bool(call, false);
  for (int side = 0; side < 2; ++side) {
    if (by_row) {
      bench_add_ones(call, BENCH_SHAPE(pages, TOKENS, HEADS));
    } else {
      bench_add_none(call);
    }
  }
  bench_add_bool(call, true);
  const size_t row = (size_t)(HEADS * (head * cache.bits / 8 + (by_row ? 4 : 0)));
  bench_moves(call,
              2 * ((size_t)tokens * row + bench_scalar_bytes(call, tokens * HEADS * HEAD_SIZE)) +
                  table,
              held == kvf_scalar_of(call->variant) ? 0.85 : 0.75);
  return true;
}

const bench_op bench_gathers[] = {
    {"gather_kv_cache", {"shuffled", "consecutive", "grouped", "interleaved"}, describe_kv},
    {"gather_and_maybe_dequant_cache", BENCH_ORDERS, describe_dequant},
    {"cp_gather_cache", BENCH_ORDERS, describe_bytes},
    {"cp_gather_and_upconvert_fp8_kv_cache", BENCH_ORDERS, describe_upconvert},
    {"cp_gather_and_upconvert_nvfp4_kv_cache", BENCH_ORDERS, describe_upconvert},
    {NULL, {NULL}, NULL},
};
