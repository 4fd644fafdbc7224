/* The writers of K/V pages: 8 KV heads of 128 elements, pages of 16 tokens. */
#include "call.h"

enum { HEADS = 8, HEAD_SIZE = 128, BLOCK_SIZE = 16, ROW = HEADS * HEAD_SIZE };

static int64_t pages_of(int64_t tokens) { return bench_pieces(tokens, BLOCK_SIZE); }

/* Bytes of slots, keys and values that `tokens` tokens move. */
static size_t moved(const bench_call *call, int64_t tokens) {
  return 2 * (bench_scalar_bytes(call, tokens * ROW) + bench_cache_bytes(call, tokens * ROW)) +
         8 * (size_t)tokens;
}

static double cuda_aim(const bench_call *call) {
  return kvf_scalar_of(call->variant) == kvf_cache_of(call->variant) ? 0.95 : 0.90;
}

static void add_sources(bench_call *call) {
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  bench_add(call, scalar, BENCH_SHAPE(call->tokens, HEADS, HEAD_SIZE));
  bench_add(call, scalar, BENCH_SHAPE(call->tokens, HEADS, HEAD_SIZE));
}

static void add_slots_and_scales(bench_call *call, int32_t form) {
  bench_add_slots(call, call->tokens, form);
  bench_add_cache_dtype(call);
  bench_add_ones(call, 0, NULL);
  bench_add_ones(call, 0, NULL);
}

static bool describe_flash(bench_call *call, int32_t form) {
  const DLDataType cache = bench_type(kvf_cache_of(call->variant));
  const int64_t pages = pages_of(call->tokens);
  add_sources(call);
  bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, HEAD_SIZE));
  bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, HEAD_SIZE));
  add_slots_and_scales(call, form);
  bench_moves(call, moved(call, call->tokens), cuda_aim(call));
  return true;
}

static bool describe_5d(bench_call *call, int32_t form) {
  enum { INTERLEAVED = 2 };
  const DLDataType cache = bench_type(kvf_cache_of(call->variant));
  const int64_t pages = pages_of(call->tokens);
  const int64_t x = 128 / cache.bits;
  add_sources(call);
  bench_add(call, cache, BENCH_SHAPE(pages, HEADS, HEAD_SIZE / x, BLOCK_SIZE, x));
  bench_add(call, cache, BENCH_SHAPE(pages, HEADS, HEAD_SIZE, BLOCK_SIZE));
  add_slots_and_scales(call, form == INTERLEAVED ? BENCH_CONSECUTIVE : form);
  bench_add_bool(call, form == INTERLEAVED);
  /* CUDA: a shuffled value touches one element of each memory line, so no part of a copy is wanted.
   */
  bench_moves(call, moved(call, call->tokens), form == BENCH_SHUFFLED ? 0 : 0.75);
  return true;
}

static bool describe_layers(bench_call *call, int32_t form) {
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const DLDataType cache = bench_type(kvf_cache_of(call->variant));
  const int64_t tokens = bench_pieces(call->tokens, BENCH_LAYERS);
  const int64_t pages = pages_of(tokens);
  bench_add(call, scalar, BENCH_SHAPE(BENCH_LAYERS, tokens, HEADS, HEAD_SIZE));
  bench_add(call, scalar, BENCH_SHAPE(BENCH_LAYERS, tokens, HEADS, HEAD_SIZE));
  bench_add_list(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, HEAD_SIZE));
  bench_add_list(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, HEAD_SIZE));
  bench_add_slots(call, tokens, form);
  bench_add_cache_dtype(call);
  bench_add_ones(call, BENCH_SHAPE(BENCH_LAYERS));
  bench_add_ones(call, BENCH_SHAPE(BENCH_LAYERS));
  bench_moves(call, moved(call, tokens * BENCH_LAYERS), cuda_aim(call));
  return true;
}

static bool describe_nvfp4(bench_call *call, int32_t form) {
  enum { HEAD_BYTES = HEAD_SIZE / 2 + HEAD_SIZE / 16, SWIZZLED = 2 };
  const int64_t pages = pages_of(call->tokens);
  add_sources(call);
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, HEAD_BYTES));
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, HEAD_BYTES));
  add_slots_and_scales(call, form == SWIZZLED ? BENCH_SHUFFLED : form);
  bench_add_bool(call, form == SWIZZLED);
  bench_add_none(call);
  bench_add_none(call);
  bench_moves(call,
              2 * bench_scalar_bytes(call, call->tokens * ROW) +
                  (size_t)call->tokens * (2 * HEADS * HEAD_BYTES + 8),
              0.90);
  return true;
}

static bool describe_per_token_head(bench_call *call, int32_t form) {
  const DLDataType cache = bench_type(kvf_cache_of(call->variant));
  const bool packed = kvf_cache_of(call->variant) == KVF_INT4_PER_TOKEN_HEAD;
  const int64_t head = HEAD_SIZE / (packed ? 2 : 1);
  const int64_t pages = pages_of(call->tokens);
  add_sources(call);
  bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
  bench_add(call, cache, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
  bench_add(call, BENCH_F32, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS));
  bench_add(call, BENCH_F32, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS));
  bench_add_slots(call, call->tokens, form);
  bench_add_cache_dtype(call);
  bench_moves(call,
              2 * bench_scalar_bytes(call, call->tokens * ROW) +
                  (size_t)call->tokens * 2 * (size_t)(HEADS * (head + 4) + 4),
              packed ? 0.60 : 0.90);
  return true;
}

static bool describe_ggml(bench_call *call, int32_t form) {
  const int64_t head = HEAD_SIZE / 32 * (kvf_cache_of(call->variant) == KVF_Q8_0 ? 34 : 18);
  const int64_t pages = pages_of(call->tokens);
  add_sources(call);
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(pages, BLOCK_SIZE, HEADS, head));
  bench_add_slots(call, call->tokens, form);
  bench_add_cache_dtype(call);
  bench_moves(call,
              2 * bench_scalar_bytes(call, call->tokens * ROW) +
                  (size_t)call->tokens * 2 * (size_t)(HEADS * head + 4),
              0.60);
  return true;
}

const bench_op bench_writers[] = {
    {"reshape_and_cache_flash_ggml", BENCH_ORDERS, describe_ggml},
    {"reshape_and_cache", {"shuffled", "consecutive", "interleaved"}, describe_5d},
    {"reshape_and_cache_flash", BENCH_ORDERS, describe_flash},
    {"reshape_and_cache_flash_layers", BENCH_ORDERS, describe_layers},
    {"reshape_and_cache_flash_nvfp4", {"shuffled", "consecutive", "swizzled"}, describe_nvfp4},
    {"reshape_and_cache_flash_per_token_head", BENCH_ORDERS, describe_per_token_head},
    {NULL, {NULL}, NULL},
};
