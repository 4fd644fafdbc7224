/*
 * The MLA writers, concat_mla_q and the reader: rows of 512 latent and 64 rope elements, pages of
 * 64 tokens, 16 query heads (128 shared by 8 GPUs), or all.
 */
#include "sequences.h"

#include <stdlib.h>

enum { LATENT = 512, ROPE = 64, ROW = LATENT + ROPE, BLOCK_SIZE = 64, HEADS = 16 };

static int64_t pages_of(int64_t tokens) { return bench_pieces(tokens, BLOCK_SIZE); }

/* Elements of a row of the cache; bytes of a row format. */
static int64_t cache_row(kvf_dtype cache) {
  switch (cache) {
  case KVF_FP8_DS_MLA:
  case KVF_FP8_DS_MLA_F32:
    return 656;
  case KVF_NVFP4_DS_MLA:
    return 352;
  default:
    return ROW;
  }
}

static bool describe_plain(bench_call *call, int32_t form) {
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const int64_t tokens = call->tokens;
  const int64_t row = cache_row(kvf_cache_of(call->variant));
  bench_add(call, scalar, BENCH_SHAPE(tokens, LATENT));
  bench_add(call, scalar, BENCH_SHAPE(tokens, ROPE));
  bench_add(call, bench_type(kvf_cache_of(call->variant)),
            BENCH_SHAPE(pages_of(tokens), BLOCK_SIZE, row));
  bench_add_slots(call, tokens, form);
  bench_add_cache_dtype(call);
  bench_add_ones(call, 0, NULL);
  bench_moves(call,
              bench_scalar_bytes(call, tokens * ROW) + bench_cache_bytes(call, tokens * row) +
                  8 * (size_t)tokens,
              0.90);
  return true;
}

static bool describe_grouped(bench_call *call, int32_t form) {
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const int64_t tokens = bench_pieces(call->tokens, BENCH_LAYERS);
  const int64_t pages = pages_of(tokens);
  const bench_tensor *caches =
      bench_memory(call, BENCH_NEAR, bench_type(kvf_cache_of(call->variant)),
                   BENCH_SHAPE(BENCH_LAYERS, pages, BLOCK_SIZE, ROW));
  int64_t *addresses = bench_order(BENCH_LAYERS, false);
  int64_t *slots = bench_order(BENCH_LAYERS * tokens, false);
  int64_t *order = bench_order(tokens, form == BENCH_SHUFFLED);
  for (int64_t layer = 0; layer < BENCH_LAYERS; ++layer) {
    addresses[layer] = layer * (int64_t)(caches->bytes / BENCH_LAYERS);
    for (int64_t token = 0; token < tokens; ++token) {
      slots[layer * tokens + token] = order[token];
    }
  }
  free(order);
  bench_add(call, scalar, BENCH_SHAPE(BENCH_LAYERS, tokens, LATENT));
  bench_add(call, scalar, BENCH_SHAPE(BENCH_LAYERS, tokens, ROPE));
  bench_add_integers(call, BENCH_NEAR, 64, addresses, BENCH_SHAPE(BENCH_LAYERS))->target = caches;
  bench_add_integers(call, BENCH_NEAR, 64, slots, BENCH_SHAPE(BENCH_LAYERS, tokens));
  bench_add_int(call, BLOCK_SIZE);
  bench_add_int(call, BLOCK_SIZE * ROW);
  bench_add_int(call, ROW);
  if (kvf_scalar_of(call->variant) == kvf_cache_of(call->variant)) {
    bench_add_none(call);
  } else {
    bench_add_ones(call, BENCH_SHAPE(BENCH_LAYERS));
  }
  bench_add_cache_dtype(call);
  bench_add_int(call, pages);
  const int64_t rows = BENCH_LAYERS * tokens;
  bench_moves(call,
              bench_scalar_bytes(call, rows * ROW) + bench_cache_bytes(call, rows * ROW) +
                  8 * (size_t)rows + BENCH_LAYERS * (8 + 4),
              0.90);
  return true;
}

static bool describe_rope_fused(bench_call *call, int32_t form) {
  enum { POSITIONS = 1024, NEOX_CONSECUTIVE = 1, GPTJ = 2 };
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const int64_t tokens = call->tokens;
  int64_t *positions = bench_order(tokens, true);
  for (int64_t i = 0; i < tokens; ++i) {
    positions[i] %= POSITIONS;
  }
  bench_add_integers(call, BENCH_NEAR, 64, positions, BENCH_SHAPE(tokens));
  bench_add(call, scalar, BENCH_SHAPE(tokens, HEADS, ROPE));
  bench_add(call, scalar, BENCH_SHAPE(tokens, ROPE));
  bench_add(call, scalar, BENCH_SHAPE(tokens, LATENT));
  bench_add_tensor(call, bench_cos_sin(call, POSITIONS, ROPE / 2));
  bench_add_bool(call, form != GPTJ);
  bench_add_slots(call, tokens, form == NEOX_CONSECUTIVE ? BENCH_CONSECUTIVE : BENCH_SHUFFLED);
  bench_add(call, bench_type(kvf_cache_of(call->variant)),
            BENCH_SHAPE(pages_of(tokens), BLOCK_SIZE, ROW));
  bench_add_cache_dtype(call);
  bench_add_ones(call, 0, NULL);
  /* Queries and keys are read and written, a row of cosines and sines and the latent are read. */
  bench_moves(call,
              bench_scalar_bytes(call, tokens * (2 * HEADS * ROPE + 2 * ROPE + ROPE + LATENT)) +
                  bench_cache_bytes(call, tokens * ROW) + 16 * (size_t)tokens,
              0.90);
  return true;
}

/* As many rows of heads as there are tokens elsewhere. */
static bool describe_concat_q(bench_call *call, int32_t form) {
  (void)form;
  const DLDataType type = bench_type(KVF_BF16);
  const int64_t tokens = bench_pieces(call->tokens, HEADS);
  bench_add(call, type, BENCH_SHAPE(tokens, HEADS, LATENT));
  bench_add(call, type, BENCH_SHAPE(tokens, HEADS, ROPE));
  bench_add(call, type, BENCH_SHAPE(tokens, HEADS, ROW));
  bench_moves(call, (size_t)(2 * tokens * HEADS * ROW * 2), 0.90);
  return true;
}

/* Sequences of up to 8,192 positions that decode, of one token each or of four. */
static bool describe_decode(bench_call *call, int32_t form) {
  enum { FEW, ALL, SEVERAL, SEQUENCE = 8192 };
  const kvf_dtype held = kvf_cache_of(call->variant);
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const int64_t row = cache_row(held);
  const int64_t heads = form == ALL ? 128 : HEADS;
  const int64_t queries = form == SEVERAL ? 4 : 1;
  const bench_sequences sequences = bench_split(call->tokens, SEQUENCE, BLOCK_SIZE, BENCH_SHUFFLED);
  const int64_t tokens = sequences.count * queries;
  int64_t *lengths = bench_order(sequences.count, false);
  int64_t *starts = bench_order(sequences.count + 1, false);
  for (int64_t i = 0; i < sequences.count; ++i) {
    lengths[i] = sequences.starts[i + 1] - sequences.starts[i];
    starts[i + 1] = (i + 1) * queries;
  }
  free(sequences.starts);
  bench_add(call, scalar, BENCH_SHAPE(tokens, heads, LATENT));
  bench_add(call, scalar, BENCH_SHAPE(tokens, heads, ROW));
  bench_add(call, bench_type(held), BENCH_SHAPE(sequences.pages, BLOCK_SIZE, row));
  bench_add_integers(call, BENCH_NEAR, 32, starts, BENCH_SHAPE(sequences.count + 1));
  bench_add_integers(call, BENCH_NEAR, 32, lengths, BENCH_SHAPE(sequences.count));
  bench_add_block_table(call, &sequences);
  bench_add_float(call, 0.072);
  bench_add_cache_dtype(call);
  bench_add_ones(call, 0, NULL);
  bench_add_int(call, queries);
  /* What is read of the cache; no aim is set. */
  call->moved = bench_cache_bytes(call, call->tokens * row);
  return true;
}

const bench_op bench_mla[] = {
    {"concat_and_cache_mla", BENCH_ORDERS, describe_plain},
    {"concat_and_cache_mla_grouped", BENCH_ORDERS, describe_grouped},
    {"concat_and_cache_mla_rope_fused",
     {"neox shuffled", "neox consecutive", "gptj shuffled"},
     describe_rope_fused},
    {"concat_mla_q", {"contiguous"}, describe_concat_q},
    {"paged_mla_decode", {"16 heads", "128 heads", "16 heads, 4 tokens"}, describe_decode},
    {NULL, {NULL}, NULL},
};
