#include <float.h>
#include <inttypes.h>
#include <string.h>

#include "core/cuda.h"
#include "kvforge/cache/nvfp4.h"
#include "core/float_mode.h"
#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/index.h"
#include "ops/shared/nvfp4_pages.h"
#include "ops/shared/packed_heads.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_rope_and_cache_flash)

typedef kvf_rope_and_cache_flash_params rope_params;

/* ---- arguments
 * ----------------------------------------------------------------------------------- */

/* The position of a word among those that an argument may be; -1 after a failure. */
static int32_t check_word(kvf_check *check, const char *argument, const char *given,
                          const char *const *words, int32_t count) {
  for (int32_t i = 0; given != NULL && i < count; ++i) {
    if (strcmp(given, words[i]) == 0) {
      return i;
    }
  }
  kvf_check_fail(check, KVF_INVALID_VALUE, argument, "got %s%.200s%s, want '%s'%s%s%s or '%s'",
                 given ? "'" : "", given ? given : "NULL", given ? "'" : "", words[0],
                 count > 2 ? ", '" : "", count > 2 ? words[1] : "", count > 2 ? "'" : "",
                 words[count - 1]);
  return -1;
}

static void check_number(kvf_check *check, const char *argument, double value, double least) {
  if (!(value >= least && value <= (double)FLT_MAX)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "got %g, want a finite number%s", value,
                   least == 0 ? " of 0 or more" : "");
  }
}

/* A tensor of f32 or of the scalar dtype, which may be missing. */
static void check_numbers(kvf_check *check, const char *argument, const DLTensor *tensor,
                          kvf_dtype scalar, int32_t rank, kvf_dim *const *dims, kvf_view *view,
                          int32_t *bytes) {
  *bytes = 4;
  if (tensor == NULL) {
    return;
  }
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(scalar) | KVF_ACCEPT(KVF_F32), rank, dims,
                   view);
  *bytes = tensor->dtype.bits / 8;
}

static void check_rotary_dim(kvf_check *check, const char *argument, int64_t rotary_dim,
                             int64_t head_size) {
  if (check->status == KVF_OK && (rotary_dim % 2 != 0 || rotary_dim > head_size)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "rotary_dim is %" PRId64 ", want an even number up to %" PRId64 " (head_size)",
                   rotary_dim, head_size);
  }
}

/* Work items of a token are counted in 32 bits. */
static void check_token_size(kvf_check *check, const char *argument, int64_t num_q_heads,
                             int64_t num_heads, int64_t head_size, int64_t value_head_size) {
  const int64_t heads = kvf_saturating_sum(num_q_heads, kvf_saturating_product(2, num_heads));
  const int64_t longest = head_size > value_head_size ? head_size : value_head_size;
  if (check->status == KVF_OK &&
      (heads > INT32_MAX || longest > INT32_MAX ||
       kvf_saturating_product(heads, longest > 0 ? longest : 1) > INT32_MAX)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a token has %" PRId64 " + 2 x %" PRId64 " heads of %" PRId64
                   " elements, want less than 2^31 elements",
                   num_q_heads, num_heads, longest);
  }
}

static bool is_fp4(const kvf_variant *variant) {
  return kvf_cache_of(variant) == KVF_NVFP4 || kvf_cache_of(variant) == KVF_NVFP4_4OVER6;
}

static bool is_int4(const kvf_variant *variant) {
  return kvf_cache_of(variant) == KVF_INT4_PER_TOKEN_HEAD;
}

static bool has_row_scales(const kvf_variant *variant) {
  const kvf_dtype cache = kvf_cache_of(variant);
  return is_int4(variant) || cache == KVF_INT8_PER_TOKEN_HEAD ||
         cache == KVF_INT8_PER_TOKEN_HEAD_EVEN || cache == KVF_FP8_PER_TOKEN_HEAD;
}

/* Scales per token and head, where there are such. */
static void check_scale_cache(kvf_check *check, const char *argument, const DLTensor *tensor,
                              const kvf_variant *variant, kvf_dim *const *places, kvf_view *view) {
  if (has_row_scales(variant)) {
    kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_F32), 3, places, view);
  } else if (check->status == KVF_OK && tensor != NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "got a tensor, want None next to a cache of %s",
                   kvf_dtype_name(kvf_cache_of(variant)));
  }
}

/* Groups that share a block scale are whole, and no group has rotated elements beside others. */
static void check_fp4_sizes(kvf_check *check, const rope_params *params, int64_t block_size) {
  kvf_check_nvfp4_sizes(check, "key", params->head_size, 0, false);
  kvf_check_nvfp4_sizes(check, "value", params->value_head_size, block_size,
                        params->swizzle_v_scales);
  if (check->status == KVF_OK && params->rotary_dim % (2 * KVF_NVFP4_GROUP) != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "cos_sin_cache",
                   "rotary_dim is %d, want a multiple of %d (two groups of nvfp4)",
                   params->rotary_dim, 2 * KVF_NVFP4_GROUP);
  }
}

/* Pages of [..., head_size], two elements in a byte for int4. */
static void check_pages(kvf_check *check, const char *argument, const DLTensor *tensor,
                        const kvf_variant *variant, kvf_dim *const *places, kvf_dim *head_size,
                        kvf_view *view) {
  if (is_fp4(variant)) {
    kvf_check_nvfp4_pages(check, argument, tensor, places[0], places[1], places[2], head_size,
                          view);
  } else if (is_int4(variant)) {
    kvf_check_packed_pages(check, argument, tensor, kvf_cache_of(variant), places, head_size, view);
  } else {
    kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(kvf_cache_of(variant)), 4,
                     (kvf_dim *const[]){places[0], places[1], places[2], head_size}, view);
  }
}

static bool has_elements(const DLTensor *tensor) {
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] == 0) {
      return false;
    }
  }
  return true;
}

/* Where queries go, and as what. */
static void check_q_out(kvf_check *check, const DLTensor *q_out, const DLTensor *q_scale,
                        kvf_dtype scalar, kvf_dim *const *shape, rope_params *params) {
  if (q_out == NULL) {
    params->q_out = params->query;
    return;
  }
  const uint32_t accepted =
      KVF_ACCEPT(scalar) | KVF_ACCEPT(KVF_FP8_E4M3) | KVF_ACCEPT(KVF_FP8_E5M2);
  const kvf_dtype dtype = kvf_check_dtype(check, "q_out", q_out, accepted);
  kvf_check_tensor(check, "q_out", q_out, accepted, 3, shape, &params->q_out);
  if (dtype == scalar) {
    return;
  }
  params->q_becomes = dtype == KVF_FP8_E5M2 ? KVF_QUERY_FP8_E5M2 : KVF_QUERY_FP8_E4M3;
  if (q_scale != NULL) {
    kvf_check_scale(check, "q_scale", q_scale, shape[1], &params->q_scale);
  }
}

static void check_k_out(kvf_check *check, const DLTensor *k_out, kvf_dtype scalar,
                        kvf_dim *const *shape, rope_params *params) {
  if (k_out == NULL) {
    params->k_out = params->key;
  } else if (kvf_check_present(check, "k_out", k_out) && has_elements(k_out)) {
    kvf_check_tensor(check, "k_out", k_out, KVF_ACCEPT(scalar), 3, shape, &params->k_out);
  }
}

kvf_status kvf_rope_and_cache_flash(
    const kvf_exec *exec, DLTensor *query, DLTensor *key, const DLTensor *value,
    DLTensor *key_cache, DLTensor *value_cache, const DLTensor *positions,
    const DLTensor *cos_sin_cache, const DLTensor *slot_mapping, const char *kv_cache_dtype,
    const DLTensor *k_scale, const DLTensor *v_scale, bool is_neox, const DLTensor *q_weight,
    const DLTensor *k_weight, double eps, double weight_bias, const char *norm,
    const char *rounding, DLTensor *q_out, const DLTensor *q_scale, DLTensor *k_out,
    DLTensor *k_scale_cache, DLTensor *v_scale_cache, const DLTensor *slot_remap) {
  static const char *const norms[] = {"auto", "on"};
  static const char *const roundings[] = {"unfused", "once", "none"}; /* KVF_ROUND_... */
  rope_params params = {.is_neox = is_neox};
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_dim num_q_heads = KVF_DIM("num_q_heads");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_dim num_positions = KVF_DIM("num_positions");
  kvf_dim rotary_dim = KVF_DIM("rotary_dim");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim *const queries[] = {&num_tokens, &num_q_heads, &head_size};
  kvf_dim *const keys[] = {&num_tokens, &num_heads, &head_size};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "query", query, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "query", query, KVF_ACCEPT(scalar), 3, queries, &params.query);
  kvf_check_tensor(&check, "key", key, KVF_ACCEPT(scalar), 3, keys, &params.key);
  kvf_check_tensor(&check, "value", value, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_tokens, &num_heads, &value_head_size}, &params.value);
  kvf_check_tensor(&check, "positions", positions, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 1,
                   (kvf_dim *const[]){&num_tokens}, &params.positions);
  check_numbers(&check, "cos_sin_cache", cos_sin_cache, scalar, 2,
                (kvf_dim *const[]){&num_positions, &rotary_dim}, &params.cos_sin_cache,
                &params.angle_bytes);
  if (cos_sin_cache != NULL) {
    check_rotary_dim(&check, "cos_sin_cache", rotary_dim.value, head_size.value);
  }
  kvf_check_slots(&check, "slot_mapping", slot_mapping, &params.slots);
  kvf_check_remap(&check, slot_remap, &params.slots);
  kvf_check_scale(&check, "k_scale", k_scale, &num_heads, &params.k_scale);
  kvf_check_scale(&check, "v_scale", v_scale, &num_heads, &params.v_scale);
  check_numbers(&check, "q_weight", q_weight, scalar, 1, (kvf_dim *const[]){&head_size},
                &params.q_weight, &params.q_weight_bytes);
  check_numbers(&check, "k_weight", k_weight, scalar, 1, (kvf_dim *const[]){&head_size},
                &params.k_weight, &params.k_weight_bytes);
  check_number(&check, "eps", eps, 0);
  check_number(&check, "weight_bias", weight_bias, -(double)FLT_MAX);
  const bool normed = check_word(&check, "norm", norm, norms, 2) == 1;
  params.rounding = check_word(&check, "rounding", rounding, roundings, 3);
  check_q_out(&check, q_out, q_scale, scalar, queries, &params);
  check_k_out(&check, k_out, scalar, keys, &params);
  check_token_size(&check, "query", num_q_heads.value, num_heads.value, head_size.value,
                   value_head_size.value);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  params.rotary_dim = cos_sin_cache != NULL ? (int32_t)rotary_dim.value : 0;
  params.num_q_heads = (int32_t)num_q_heads.value;
  params.num_heads = (int32_t)num_heads.value;
  params.head_size = (int32_t)head_size.value;
  params.value_head_size = (int32_t)value_head_size.value;
  if (is_fp4(variant)) {
    params.swizzle_v_scales = 1; /* as reshape_and_cache_flash by that name */
    check_fp4_sizes(&check, &params, 0);
  }
  kvf_dim *const places[] = {&num_blocks, &block_size, &num_heads};
  check_pages(&check, "key_cache", key_cache, variant, places, &head_size, &params.key_cache);
  check_pages(&check, "value_cache", value_cache, variant, places, &value_head_size,
              &params.value_cache);
  check_scale_cache(&check, "k_scale_cache", k_scale_cache, variant, places, &params.k_scale_cache);
  check_scale_cache(&check, "v_scale_cache", v_scale_cache, variant, places, &params.v_scale_cache);
  const kvf_named caches[] = {{"key_cache", key_cache},
                              {"value_cache", value_cache},
                              {"k_scale_cache", k_scale_cache},
                              {"v_scale_cache", v_scale_cache}};
  const kvf_named sources[] = {
      {"value", value},       {"cos_sin_cache", cos_sin_cache}, {"q_weight", q_weight},
      {"k_weight", k_weight}, {"query", q_out ? query : NULL},  {"key", k_out ? key : NULL}};
  const kvf_named queries_out = {q_out ? "q_out" : "query", q_out ? q_out : query};
  const kvf_named keys_out = {k_out ? "k_out" : "key", k_out ? k_out : key};
  const kvf_named outs[] = {queries_out, keys_out};
  kvf_check_apart(&check, outs, 2, sources, 6);
  kvf_check_apart(&check, caches, 4, sources, 6);
  kvf_check_apart(&check, caches, 4, outs, 2);
  kvf_check_apart(&check, &queries_out, 1, &keys_out, 1);
  kvf_check_apart(&check, caches + 2, 2, caches, 2);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.norms_q = normed || q_weight != NULL;
  params.norms_k = normed || k_weight != NULL;
  params.eps = kvf_nearest_float(eps);
  params.weight_bias = kvf_nearest_float(weight_bias);
  params.position_bytes = positions->dtype.bits / 8;
  params.num_positions = cos_sin_cache != NULL ? num_positions.value : 0;
  params.num_tokens = num_tokens.value;
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  return kvf_launch_rope_and_cache_flash(&check.exec, variant, &params);
}

/* ---- launch
 * -------------------------------------------------------------------------------------- */

static void check_choice(kvf_check *check, const char *member, int32_t value, int32_t most) {
  if (value < 0 || value > most) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member, "got %d, want 0 to %d", value, most);
  }
}

/* Numbers of cos_sin_cache and of weights are f32 or of the scalar dtype. */
static void check_number_bytes(kvf_check *check, const char *member, int32_t bytes,
                               int32_t scalar) {
  if (bytes != 4 && bytes != scalar) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member, "got %d, want %s4", bytes,
                   scalar == 2 ? "2 or " : "");
  }
}

static void check_sizes(kvf_check *check, const rope_params *params) {
  kvf_launch_at_least(check, "num_q_heads", params->num_q_heads, 0);
  kvf_launch_at_least(check, "num_heads", params->num_heads, 0);
  kvf_launch_at_least(check, "head_size", params->head_size, 0);
  kvf_launch_at_least(check, "value_head_size", params->value_head_size, 0);
  kvf_launch_at_least(check, "num_positions", params->num_positions, 0);
  kvf_launch_at_least(check, "rotary_dim", params->rotary_dim, 0);
  check_rotary_dim(check, "rotary_dim", params->rotary_dim, params->head_size);
  check_token_size(check, "head_size", params->num_q_heads, params->num_heads, params->head_size,
                   params->value_head_size);
  if (check->status == KVF_OK && params->num_tokens < params->slots.num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "slot_mapping",
                   "has %" PRId64 " elements, want at most %" PRId64 " (the tokens of query)",
                   params->slots.num_tokens, params->num_tokens);
  }
}

static void check_modes(kvf_check *check, const kvf_variant *variant, const rope_params *params) {
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  check_choice(check, "rounding", params->rounding, KVF_ROUND_NONE);
  check_choice(check, "q_becomes", params->q_becomes, KVF_QUERY_FP8_E5M2);
  check_number(check, "eps", (double)params->eps, 0);
  check_number(check, "weight_bias", (double)params->weight_bias, -(double)FLT_MAX);
  if (params->rotary_dim > 0) {
    check_number_bytes(check, "angle_bytes", params->angle_bytes, scalar);
    if (params->position_bytes != 4 && params->position_bytes != 8) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "position_bytes", "got %d, want 4 or 8",
                     params->position_bytes);
    }
  }
  if (params->norms_q && params->q_weight.data != NULL) {
    check_number_bytes(check, "q_weight_bytes", params->q_weight_bytes, scalar);
  }
  if (params->norms_k && params->k_weight.data != NULL) {
    check_number_bytes(check, "k_weight_bytes", params->k_weight_bytes, scalar);
  }
}

static void check_pointers(kvf_check *check, const kvf_variant *variant,
                           const rope_params *params) {
  const bool has_queries = params->num_q_heads > 0 && params->head_size > 0;
  const bool has_keys = params->num_heads > 0 && params->head_size > 0;
  const bool has_values = params->num_heads > 0 && params->value_head_size > 0;
  const bool writes = params->slots.num_tokens > 0 && params->slots.num_blocks > 0;
  if (has_queries) {
    kvf_launch_pointer(check, "query", params->query.data);
    kvf_launch_pointer(check, "q_out", params->q_out.data);
  }
  if (has_keys) {
    kvf_launch_pointer(check, "key", params->key.data);
  }
  if (has_values) {
    kvf_launch_pointer(check, "value", params->value.data);
  }
  if (params->rotary_dim > 0) {
    kvf_launch_pointer(check, "positions", params->positions.data);
    if (params->num_positions > 0) {
      kvf_launch_pointer(check, "cos_sin_cache", params->cos_sin_cache.data);
    }
  }
  if (writes && has_keys) {
    kvf_launch_pointer(check, "key_cache", params->key_cache.data);
  }
  if (writes && has_values) {
    kvf_launch_pointer(check, "value_cache", params->value_cache.data);
  }
  if (has_row_scales(variant) && writes && params->num_heads > 0) {
    /* A head of no elements would have a scale, but no code to hold it for. */
    kvf_launch_at_least(check, "head_size", params->head_size, 1);
    kvf_launch_at_least(check, "value_head_size", params->value_head_size, 1);
    kvf_launch_pointer(check, "k_scale_cache", params->k_scale_cache.data);
    kvf_launch_pointer(check, "v_scale_cache", params->v_scale_cache.data);
  } else if (!has_row_scales(variant) && kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_launch_scales(check, "k_scale", &params->k_scale, params->num_heads);
    kvf_launch_scales(check, "v_scale", &params->v_scale, params->num_heads);
  }
  if (params->q_becomes != KVF_QUERY_SCALAR && params->q_scale.data != NULL) {
    kvf_launch_scales(check, "q_scale", &params->q_scale, params->num_q_heads);
  }
}

/* On the CPU, positions are looked at before anything is written. */
static void check_positions(kvf_check *check, const rope_params *params) {
  const kvf_view *positions = &params->positions;
  for (int64_t token = 0; params->rotary_dim > 0 && token < params->num_tokens; ++token) {
    const int64_t position =
        kvf_read_index(positions->data, params->position_bytes, token * positions->stride[0]);
    if (position < 0 || position >= params->num_positions) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "positions",
                     "element %" PRId64 " is %" PRId64 ", want 0 to %" PRId64
                     " (the rows of cos_sin_cache)",
                     token, position, params->num_positions - 1);
      return;
    }
  }
}

/* Bytes of an element of q_out. */
static int32_t q_out_bytes(const rope_params *params, int32_t scalar) {
  return params->q_becomes == KVF_QUERY_SCALAR ? scalar : 1;
}

static kvf_status run_on_cpu(kvf_check *check, const kvf_variant *variant, rope_params *params) {
  const int64_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int64_t queries = (int64_t)params->num_q_heads * params->head_size;
  const int64_t keys = (int64_t)params->num_heads * params->head_size;
  const int64_t values = (int64_t)params->num_heads * params->value_head_size;
  check_positions(check, params);
  if (check->status != KVF_OK) {
    return check->status;
  }
  const int64_t stored = keys + values;
  const int64_t written = is_fp4(variant)    ? stored / 2 + stored / KVF_NVFP4_GROUP
                          : is_int4(variant) ? stored / 2
                                             : stored * cache;
  params->streaming = scalar == cache && kvf_scalar_of(variant) == kvf_cache_of(variant) &&
                      kvf_cpu_streams(kvf_saturating_product(written, params->slots.num_tokens));
  return kvf_cpu_run(check, variant, params, params->num_tokens,
                     queries * (scalar + q_out_bytes(params, (int32_t)scalar)) +
                         keys * (params->k_out.data != NULL ? 2 : 1) * scalar + values * scalar +
                         written);
}

enum { VECTOR = 8, WARP = 32, LONGEST = 2 * VECTOR * WARP, THREADS = 128, AHEAD = 2 };

/* Whether all of a tensor's rows are aligned to so many elements, up to VECTOR. */
static bool is_aligned(const kvf_view *view, int32_t elements, int32_t bytes, int32_t inner) {
  const int32_t choices[] = {elements, 1};
  return kvf_vector_elements(choices, VECTOR, &(kvf_vector_side){view, bytes, inner, inner + 1},
                             1) == elements;
}

static bool is_wide(const kvf_view *view, int32_t bytes, int32_t inner) {
  return is_aligned(view, VECTOR, bytes, inner);
}

/* Whether every row and every vector that a kernel reads beside it can be moved 8 elements at a
 * time.
 */
static bool moves_wide(const kvf_variant *variant, const rope_params *params) {
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const kvf_view *k_out = params->k_out.data != NULL ? &params->k_out : &params->key;
  const bool writes = params->slots.num_tokens > 0;
  /* A word may lie behind the codes of an int4 head. */
  const int32_t together = is_int4(variant) ? VECTOR / 2 : VECTOR;
  /* Neighbouring lanes have groups that share a block scale together. */
  const int32_t pair = 2 * (is_fp4(variant) ? KVF_NVFP4_GROUP : VECTOR);
  return params->head_size % pair == 0 && params->head_size <= LONGEST &&
         params->value_head_size % pair == 0 && params->value_head_size <= LONGEST &&
         params->rotary_dim % pair == 0 &&
         (params->num_q_heads == 0 || (is_wide(&params->query, scalar, 2) &&
                                       is_wide(&params->q_out, q_out_bytes(params, scalar), 2))) &&
         (params->num_heads == 0 ||
          (is_wide(&params->key, scalar, 2) && is_wide(k_out, scalar, 2) &&
           (!writes || (is_wide(&params->value, scalar, 2) &&
                        is_aligned(&params->key_cache, together, cache, 3) &&
                        is_aligned(&params->value_cache, together, cache, 3))))) &&
         (params->rotary_dim == 0 || is_wide(&params->cos_sin_cache, params->angle_bytes, 1)) &&
         (!params->norms_q || params->q_weight.data == NULL ||
          is_wide(&params->q_weight, params->q_weight_bytes, 0)) &&
         (!params->norms_k || params->k_weight.data == NULL ||
          is_wide(&params->k_weight, params->k_weight_bytes, 0));
}

/* What a kernel keeps in shared memory, as its template has it. */
static int64_t shared_bytes(const kvf_variant *variant, const rope_params *params,
                            uint32_t threads) {
  const int64_t groups = (int64_t)KVF_NVFP4_GROUP * THREADS * (int64_t)sizeof(float);
  if (!params->wide) {
    return is_fp4(variant) || is_int4(variant) ? groups : 0;
  }
  const int64_t chunk = (int64_t)VECTOR * kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t numbers = params->norms_q || params->norms_k ? 2 * (int64_t)params->head_size : 0;
  return numbers * (int64_t)sizeof(float) +
         threads / WARP * (AHEAD * 2 * chunk * WARP + params->rotary_dim * (int64_t)sizeof(float)) +
         (is_int4(variant) ? groups : 0);
}

/*
 * A block has rows of one token. All of a token's blocks stand side by side along y while there are
 * few; where there are more than enough blocks, threads have several rows each, which share the
 * angles.
 */
static kvf_grid grid_of(const kvf_check *check, const kvf_variant *variant,
                        const rope_params *params) {
  const int32_t *tuned = kvf_tuned_values(check, params->num_tokens);
  const uint32_t threads = (uint32_t)tuned[0];
  const int64_t longest =
      params->head_size > params->value_head_size ? params->head_size : params->value_head_size;
  const int64_t rows = (int64_t)params->num_q_heads + 2 * (int64_t)params->num_heads;
  uint32_t lanes = params->wide ? 1 : WARP;
  while (lanes < WARP && (int64_t)lanes * 2 * VECTOR < longest) {
    lanes *= 2;
  }
  uint32_t heads = WARP / lanes;
  while (lanes * heads < threads && (int64_t)heads < rows) {
    heads *= 2;
  }
  const int64_t tokens = params->num_tokens < INT32_MAX ? params->num_tokens : INT32_MAX;
  int64_t parts = kvf_quotient_up(rows, heads);
  while (parts > 1 && (parts + 1) / 2 * tokens >= tuned[1]) {
    parts = (parts + 1) / 2;
  }
  return (kvf_grid){
      .grid = {(uint32_t)tokens, (uint32_t)(parts < 65535 ? parts : 65535), 1},
      .block = {lanes, heads, 1},
      .shared_bytes = (uint32_t)shared_bytes(variant, params, lanes * heads),
  };
}

kvf_status kvf_launch_rope_and_cache_flash(const kvf_exec *exec, const kvf_variant *variant,
                                           const rope_params *given) {
  rope_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  check_sizes(&check, &params);
  if (check.status == KVF_OK) {
    check_modes(&check, variant, &params);
    if (is_fp4(variant)) {
      check_fp4_sizes(&check, &params, params.slots.block_size);
    }
    if (is_int4(variant)) {
      kvf_check_packed_size(&check, "head_size", kvf_cache_of(variant), params.head_size);
      kvf_check_packed_size(&check, "value_head_size", kvf_cache_of(variant),
                            params.value_head_size);
      params.key_cache.stride[3] = params.value_cache.stride[3] = 1;
    }
  }
  kvf_launch_slots(&check, "slot_mapping", &params.slots);
  const int64_t heads = (int64_t)params.num_q_heads + params.num_heads;
  const int64_t sizes = (int64_t)params.head_size + params.value_head_size;
  if (check.status != KVF_OK || params.num_tokens == 0 || heads == 0 || sizes == 0) {
    return check.status;
  }
  check_pointers(&check, variant, &params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (is_fp4(variant)) {
    const int64_t block_size = params.slots.block_size;
    params.k_block_scales =
        kvf_nvfp4_block_scales(&params.key_cache, block_size, params.num_heads, params.head_size);
    params.v_block_scales = kvf_nvfp4_block_scales(&params.value_cache, block_size,
                                                   params.num_heads, params.value_head_size);
  }
  if (check.exec.backend == KVF_CPU) {
    return run_on_cpu(&check, variant, &params);
  }
  /* Positions are counted too, those of tokens without a slot as well. */
  check.status = kvf_cuda_fault_counter(check.exec.device, &params.slots.faults);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.wide = moves_wide(variant, &params);
  const kvf_grid grid = grid_of(&check, variant, &params);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
