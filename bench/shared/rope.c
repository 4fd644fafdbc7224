/*
 * rope_and_cache_flash: 32 query heads on 8 KV heads of 128 elements, all of them rotated, pages of
 * 16 tokens; and what it replaces: norm, rotation and write as three calls, one after another.
 */
#include "call.h"

enum { Q_HEADS = 32, HEADS = 8, HEAD_SIZE = 128, BLOCK_SIZE = 16, POSITIONS = 1024 };

/* Tensors that steps share. */
typedef struct rope_tensors {
  const bench_tensor *query, *key, *value, *key_cache, *value_cache, *positions, *table, *slots;
  const bench_tensor *weight, *k_scale, *v_scale, *codes;
  const bench_tensor *k_scale_cache, *v_scale_cache; /* of a scale per token and head, or NULL */
} rope_tensors;

typedef struct rope_form {
  bool is_neox, norms, q_codes, in_steps;
} rope_form;

static void add_optional(bench_call *call, const bench_tensor *tensor) {
  if (tensor == NULL) {
    bench_add_none(call);
  } else {
    bench_add_tensor(call, tensor);
  }
}

/* The arguments of a call; what is NULL is left out. */
static void add_rope(bench_call *call, const rope_tensors *t, const bench_tensor *slots,
                     const bench_tensor *table, const bench_tensor *weight, bool is_neox) {
  bench_add_tensor(call, t->query);
  bench_add_tensor(call, t->key);
  bench_add_tensor(call, t->value);
  bench_add_tensor(call, t->key_cache);
  bench_add_tensor(call, t->value_cache);
  bench_add_tensor(call, t->positions);
  add_optional(call, table);
  bench_add_tensor(call, slots);
  bench_add_cache_dtype(call);
  bench_add_tensor(call, t->k_scale);
  bench_add_tensor(call, t->v_scale);
  bench_add_bool(call, is_neox);
  add_optional(call, weight);
  add_optional(call, weight);
  bench_add_float(call, 1e-6);
  bench_add_float(call, 0);
  bench_add_string(call, "auto");
  bench_add_string(call, "unfused");
  add_optional(call, t->codes);
  bench_add_none(call); /* q_scale */
  bench_add_none(call); /* k_out */
  add_optional(call, t->k_scale_cache);
  add_optional(call, t->v_scale_cache);
}

static bool is_fp4(kvf_dtype held) { return held == KVF_NVFP4 || held == KVF_NVFP4_4OVER6; }

static bool is_by_row(kvf_dtype held) {
  return held == KVF_INT8_PER_TOKEN_HEAD || held == KVF_INT8_PER_TOKEN_HEAD_EVEN ||
         held == KVF_FP8_PER_TOKEN_HEAD || held == KVF_INT4_PER_TOKEN_HEAD;
}

/* Whether the op that writes as the last of three calls is built, which nobody may have wanted. */
static bool has_writer(const kvf_variant *variant) {
  const kvf_dtype held = kvf_cache_of(variant);
  const kvf_op *op = is_fp4(held)      ? &kvf_op_reshape_and_cache_flash_nvfp4
                     : is_by_row(held) ? &kvf_op_reshape_and_cache_flash_per_token_head
                                       : &kvf_op_reshape_and_cache_flash;
  return kvf_select(op, variant->backend, kvf_scalar_of(variant), held) != NULL;
}

/* Norm, rotation, write. */
static void add_steps(bench_call *call, const rope_tensors *t, const bench_tensor *no_slots) {
  bench_begin_step(call, call->variant->op);
  add_rope(call, t, no_slots, NULL, t->weight, true);
  bench_begin_step(call, call->variant->op);
  add_rope(call, t, no_slots, t->table, NULL, true);
  const bool by_row = t->k_scale_cache != NULL;
  bench_begin_step(call, by_row ? &kvf_op_reshape_and_cache_flash_per_token_head
                                : &kvf_op_reshape_and_cache_flash);
  bench_add_tensor(call, t->key);
  bench_add_tensor(call, t->value);
  bench_add_tensor(call, t->key_cache);
  bench_add_tensor(call, t->value_cache);
  if (by_row) {
    bench_add_tensor(call, t->k_scale_cache);
    bench_add_tensor(call, t->v_scale_cache);
  }
  bench_add_tensor(call, t->slots);
  bench_add_cache_dtype(call);
  if (!by_row) {
    bench_add_tensor(call, t->k_scale);
    bench_add_tensor(call, t->v_scale);
  }
}

static const bench_tensor *memory(bench_call *call, DLDataType type, int64_t a, int64_t b,
                                  int64_t c, int64_t d) {
  return d > 0 ? bench_memory(call, BENCH_NEAR, type, BENCH_SHAPE(a, b, c, d))
               : bench_memory(call, BENCH_NEAR, type, BENCH_SHAPE(a, b, c));
}

static bool describe(bench_call *call, int32_t form) {
  static const rope_form forms[] = {{.is_neox = true},
                                    {.is_neox = false},
                                    {.is_neox = true, .norms = true},
                                    {.is_neox = true, .norms = true, .q_codes = true},
                                    {.is_neox = true, .norms = true, .in_steps = true}};
  const rope_form *wanted = &forms[form];
  if (wanted->in_steps && !has_writer(call->variant)) {
    return false;
  }
  const DLDataType scalar = bench_type(kvf_scalar_of(call->variant));
  const kvf_dtype held = kvf_cache_of(call->variant);
  const DLDataType cache = bench_type(held);
  const int64_t tokens = call->tokens;
  const int64_t pages = bench_pieces(tokens, BLOCK_SIZE);
  const bool fp4 = is_fp4(held);
  const bool by_row = is_by_row(held);
  const DLDataType f32 = bench_type(KVF_F32);
  const int64_t width = fp4                               ? HEAD_SIZE / 2 + HEAD_SIZE / 16
                        : held == KVF_INT4_PER_TOKEN_HEAD ? HEAD_SIZE / 2
                                                          : HEAD_SIZE; /* of a head of the cache */
  int64_t *positions = bench_order(tokens, true);
  for (int64_t i = 0; i < tokens; ++i) {
    positions[i] %= POSITIONS;
  }
  const rope_tensors t = {
      .query = memory(call, scalar, tokens, Q_HEADS, HEAD_SIZE, 0),
      .key = memory(call, scalar, tokens, HEADS, HEAD_SIZE, 0),
      .value = memory(call, scalar, tokens, HEADS, HEAD_SIZE, 0),
      .key_cache = memory(call, cache, pages, BLOCK_SIZE, HEADS, width),
      .value_cache = memory(call, cache, pages, BLOCK_SIZE, HEADS, width),
      .positions = bench_integers(call, BENCH_NEAR, 64, positions, BENCH_SHAPE(tokens)),
      .table = bench_cos_sin(call, POSITIONS, HEAD_SIZE / 2),
      .slots = bench_integers(call, BENCH_NEAR, 64, bench_order(tokens, true), BENCH_SHAPE(tokens)),
      .weight = wanted->norms ? bench_ones(call, BENCH_SHAPE(HEAD_SIZE)) : NULL,
      .k_scale = bench_ones(call, 0, NULL),
      .v_scale = bench_ones(call, 0, NULL),
      .codes = wanted->q_codes ? memory(call, BENCH_BYTE, tokens, Q_HEADS, HEAD_SIZE, 0) : NULL,
      .k_scale_cache = by_row ? memory(call, f32, pages, BLOCK_SIZE, HEADS, 0) : NULL,
      .v_scale_cache = by_row ? memory(call, f32, pages, BLOCK_SIZE, HEADS, 0) : NULL,
  };
  if (wanted->in_steps) {
    add_steps(call, &t,
              bench_memory(call, BENCH_NEAR, (DLDataType){kDLInt, 64, 1}, BENCH_SHAPE(0)));
  } else {
    add_rope(call, &t, t.slots, t.table, t.weight, wanted->is_neox);
  }
  /* Queries and keys are read and written, values and a row of cosines and sines are read. */
  const int64_t queries = Q_HEADS * HEAD_SIZE;
  const int64_t keys = HEADS * HEAD_SIZE;
  const size_t q_out =
      wanted->q_codes ? (size_t)(tokens * queries) : bench_scalar_bytes(call, tokens * queries);
  bench_moves(call,
              q_out + bench_scalar_bytes(call, tokens * (queries + 3 * keys + HEAD_SIZE)) +
                  bench_cache_bytes(call, tokens * 2 * HEADS * width) +
                  (by_row ? (size_t)(tokens * 2 * HEADS) * sizeof(float) : 0) + 16 * (size_t)tokens,
              0.85);
  if (wanted->in_steps) {
    call->aim = 0;
  } else if (call->variant->backend == KVF_CPU) {
    call->aim = 0.50;
  }
  return true;
}

const bench_op bench_rope[] = {
    {"rope_and_cache_flash",
     {"neox", "gptj", "norm, neox", "norm, neox, q fp8", "three calls"},
     describe},
    {NULL, {NULL}, NULL},
};
