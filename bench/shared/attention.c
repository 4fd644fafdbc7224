/*
 * The reader, and what joins its parts: 32 query heads on 8 KV heads of 128 elements, pages of 16,
 * sequences of 1024; and all tokens in one sequence or in four, which are split or not.
 */
#include "sequences.h"

#include <stdlib.h>

enum { QUERY_HEADS = 32, HEADS = 8, HEAD_SIZE = 128, BLOCK_SIZE = 16 };

/* Thread blocks that a GPU has room for at once; splits of long sequences make as many. */
enum { BLOCKS = 256 };

static bool has_token_scales(kvf_dtype cache) {
  return cache == KVF_INT8_PER_TOKEN_HEAD || cache == KVF_FP8_PER_TOKEN_HEAD ||
         cache == KVF_INT4_PER_TOKEN_HEAD;
}

static void add_scale(bench_call *call, int64_t pages) {
  if (has_token_scales(kvf_cache_of(call->variant))) {
    bench_add_ones(call, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS));
  } else {
    bench_add_ones(call, 0, NULL);
  }
}

/* The arguments that come before the longest query, as usual calls have them; and the longest. */
static void add_usual(bench_call *call, int64_t longest) {
  bench_add_bool(call, true);
  bench_add_int(call, -1);
  bench_add_int(call, -1);
  bench_add_float(call, 0);
  bench_add_none(call);
  bench_add_none(call);
  bench_add_bool(call, false);
  bench_add_int(call, longest);
}

static void add_workspace(bench_call *call, int64_t sequences) {
  bench_add_none(call);
  bench_add(call, BENCH_F32,
            BENCH_SHAPE(sequences, QUERY_HEADS, BLOCKS / HEADS / sequences, HEAD_SIZE + 2));
}

/* Sequences that decode, a token of each; of the form `PREFILL` all tokens of each. */
static bool describe_attention(bench_call *call, int32_t form) {
  enum { NHD, GROUPED, ONE, ONE_SPLIT, FOUR, FOUR_SPLIT, PREFILL };
  const kvf_dtype held = kvf_cache_of(call->variant);
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const DLDataType cache = bench_type(held);
  const bool is_long = form >= ONE && form <= FOUR_SPLIT;
  const int64_t each = !is_long ? BENCH_SEQUENCE : call->tokens / (form >= FOUR ? 4 : 1);
  if (is_long && (each <= BENCH_SEQUENCE || call->tokens % each != 0)) {
    return false;
  }
  const bool packed = held == KVF_NVFP4 || held == KVF_Q8_0 || held == KVF_Q4_0;
  if (form == GROUPED && (packed || has_token_scales(held))) {
    return false;
  }
  const bench_sequences sequences = bench_split(call->tokens, each, BLOCK_SIZE, BENCH_SHUFFLED);
  const int64_t pages = sequences.pages;
  const int64_t x = 128 / cache.bits;
  const int64_t head = held == KVF_NVFP4                 ? HEAD_SIZE / 2 + HEAD_SIZE / 16
                       : held == KVF_INT4_PER_TOKEN_HEAD ? HEAD_SIZE / 2
                       : held == KVF_Q8_0                ? HEAD_SIZE / 32 * 34
                       : held == KVF_Q4_0                ? HEAD_SIZE / 32 * 18
                                                         : HEAD_SIZE;
  const int64_t tokens = form == PREFILL ? call->tokens : sequences.count;
  int64_t *lengths = bench_order(sequences.count, false);
  int64_t *starts = bench_order(sequences.count + 1, false);
  for (int64_t i = 0; i < sequences.count; ++i) {
    lengths[i] = sequences.starts[i + 1] - sequences.starts[i];
    starts[i + 1] = form == PREFILL ? sequences.starts[i + 1] : i + 1;
  }
  free(sequences.starts);
  bench_add(call, scalar, BENCH_SHAPE(tokens, QUERY_HEADS, HEAD_SIZE));
  bench_add(call, scalar, BENCH_SHAPE(tokens, QUERY_HEADS, HEAD_SIZE));
  if (form != GROUPED) {
    bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
    bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
  } else {
    bench_add(call, cache, BENCH_SHAPE(pages, HEADS, HEAD_SIZE / x, BLOCK_SIZE, x));
    bench_add(call, cache, BENCH_SHAPE(pages, HEADS, HEAD_SIZE, BLOCK_SIZE));
  }
  bench_add_integers(call, BENCH_NEAR, 32, starts, BENCH_SHAPE(sequences.count + 1));
  bench_add_integers(call, BENCH_NEAR, 32, lengths, BENCH_SHAPE(sequences.count));
  bench_add_block_table(call, &sequences);
  bench_add_float(call, 0.088);
  bench_add_cache_dtype(call);
  add_scale(call, pages);
  add_scale(call, pages);
  add_usual(call, form == PREFILL ? each : 1);
  if (form == ONE_SPLIT || form == FOUR_SPLIT) {
    add_workspace(call, sequences.count);
  }
  /* What is read of the cache; no aim is set. */
  call->moved = 2 * bench_cache_bytes(call, call->tokens * HEADS * head);
  call->moved += has_token_scales(held) ? (size_t)(2 * call->tokens * HEADS * 4) : 0;
  return true;
}

/* Two parts, or the eight of a split decode, of 32 heads of 128 elements. */
static bool describe_merge(bench_call *call, int32_t form) {
  const int64_t suffixes = form == 0 ? 1 : 7;
  const int64_t tokens = call->tokens;
  const int64_t elements = tokens * QUERY_HEADS * HEAD_SIZE;
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  bench_add(call, bench_type(kvf_cache_of(call->variant)),
            BENCH_SHAPE(tokens, QUERY_HEADS, HEAD_SIZE));
  bench_add(call, BENCH_F32, BENCH_SHAPE(QUERY_HEADS, tokens));
  bench_add(call, scalar, BENCH_SHAPE(tokens, QUERY_HEADS, HEAD_SIZE));
  bench_add_ones(call, BENCH_SHAPE(QUERY_HEADS, tokens));
  if (form == 0) {
    bench_add(call, scalar, BENCH_SHAPE(tokens, QUERY_HEADS, HEAD_SIZE));
    bench_add_ones(call, BENCH_SHAPE(QUERY_HEADS, tokens));
  } else {
    bench_add(call, scalar, BENCH_SHAPE(suffixes, tokens, QUERY_HEADS, HEAD_SIZE));
    bench_add_ones(call, BENCH_SHAPE(suffixes, QUERY_HEADS, tokens));
  }
  bench_add_int(call, -1);
  if (kvf_cache_of(call->variant) != kvf_scalar_of(call->variant)) {
    bench_add_ones(call, 0, NULL);
  }
  bench_moves(call,
              bench_scalar_bytes(call, (suffixes + 1) * elements) +
                  bench_cache_bytes(call, elements) +
                  (size_t)(4 * (suffixes + 2) * tokens * QUERY_HEADS),
              0.85);
  return true;
}

const bench_op bench_attention[] = {
    {"paged_attention",
     {"NHD", "5-D", "one long", "one long, split", "four long", "four long, split", "prefill"},
     describe_attention},
    {"merge_attn_states", {"two parts", "eight parts"}, describe_merge},
    {NULL, {NULL}, NULL},
};
