#include <float.h>
#include <inttypes.h>

#include "core/cuda.h"
#include "kvforge/cache/cpu_attention_rows.h"
#include "core/float_mode.h"
#include "core/registry.h"
#include "kvforge/cache/op.h"
#include "ops/shared/cache_dtype.h"
#include "ops/shared/nvfp4_pages.h"
#include "ops/shared/packed_heads.h"

#define OP (&kvf_op_paged_attention)

typedef kvf_paged_attention_params params_type;

#include "ops/shared/attention_calls.h"

/* The sizes that the caches have in common with other arguments. */
typedef struct cache_dims {
  kvf_dim num_blocks;
  kvf_dim block_size;
  kvf_dim num_kv_heads;
  kvf_dim *head_size;
  kvf_dim *value_head_size;
} cache_dims;

/* [num_blocks, block_size, num_kv_heads, head_size] or value_head_size */
static void check_flash_caches(kvf_check *check, const DLTensor *key_cache,
                               const DLTensor *value_cache, uint32_t accepted, cache_dims *dims,
                               params_type *params) {
  kvf_dim *const keys[] = {&dims->num_blocks, &dims->block_size, &dims->num_kv_heads,
                           dims->head_size};
  kvf_dim *const values[] = {keys[0], keys[1], keys[2], dims->value_head_size};
  kvf_view *key = &params->key_cache;
  kvf_check_tensor(check, "key_cache", key_cache, accepted, 4, keys, key);
  kvf_check_tensor(check, "value_cache", value_cache, accepted, 4, values, &params->value_cache);
  key->stride[4] = key->stride[3];
  key->stride[3] = 0;
  params->x = (int32_t)dims->head_size->value;
}

/* [num_blocks, num_kv_heads, groups, block_size, x] and [num_blocks, num_kv_heads,
 * value_head_size, block_size] */
static void check_grouped_caches(kvf_check *check, const DLTensor *key_cache,
                                 const DLTensor *value_cache, uint32_t accepted, cache_dims *dims,
                                 params_type *params) {
  kvf_dim groups = KVF_DIM("ceil(head_size / x)");
  kvf_dim x = KVF_DIM("x");
  kvf_view key = {.data = NULL};
  kvf_view value = {.data = NULL};
  kvf_check_tensor(
      check, "key_cache", key_cache, accepted, 5,
      (kvf_dim *const[]){&dims->num_blocks, &dims->num_kv_heads, &groups, &dims->block_size, &x},
      &key);
  kvf_check_tensor(check, "value_cache", value_cache, accepted, 4,
                   (kvf_dim *const[]){&dims->num_blocks, &dims->num_kv_heads, dims->value_head_size,
                                      &dims->block_size},
                   &value);
  if (check->status == KVF_OK && (x.value < 1 || x.value > INT32_MAX)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "key_cache",
                   "x (dimension 4) is %" PRId64 ", want 1 or more", x.value);
  }
  if (check->status == KVF_OK && groups.value != kvf_quotient_up(dims->head_size->value, x.value)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "key_cache",
                   "size of dimension 2 is %" PRId64 ", want %" PRId64 " (head_size %" PRId64
                   " / x %" PRId64 ", rounded up)",
                   groups.value, kvf_quotient_up(dims->head_size->value, x.value),
                   dims->head_size->value, x.value);
  }
  params->key_cache = (kvf_view){
      key.data, {key.stride[0], key.stride[3], key.stride[1], key.stride[2], key.stride[4]}};
  params->value_cache =
      (kvf_view){value.data, {value.stride[0], value.stride[3], value.stride[1], value.stride[2]}};
  params->x = (int32_t)x.value;
}

/* [num_blocks, block_size, num_kv_heads, bytes] */
static void check_nvfp4_caches(kvf_check *check, const DLTensor *key_cache,
                               const DLTensor *value_cache, cache_dims *dims, params_type *params) {
  kvf_view *key = &params->key_cache;
  kvf_check_nvfp4_sizes(check, "query", dims->head_size->value, 0, false);
  kvf_check_nvfp4_sizes(check, "out", dims->value_head_size->value, 0, false);
  kvf_check_nvfp4_pages(check, "key_cache", key_cache, &dims->num_blocks, &dims->block_size,
                        &dims->num_kv_heads, dims->head_size, key);
  kvf_check_nvfp4_pages(check, "value_cache", value_cache, &dims->num_blocks, &dims->block_size,
                        &dims->num_kv_heads, dims->value_head_size, &params->value_cache);
  key->stride[4] = key->stride[3];
  key->stride[3] = 0;
  params->x = (int32_t)dims->head_size->value;
}

/* [num_blocks, block_size, num_kv_heads, bytes of a head] */
static void check_packed_caches(kvf_check *check, const DLTensor *key_cache,
                                const DLTensor *value_cache, kvf_dtype cache, cache_dims *dims,
                                params_type *params) {
  kvf_dim *const places[] = {&dims->num_blocks, &dims->block_size, &dims->num_kv_heads};
  kvf_view *key = &params->key_cache;
  kvf_check_packed_pages(check, "key_cache", key_cache, cache, places, dims->head_size, key);
  kvf_check_packed_pages(check, "value_cache", value_cache, cache, places, dims->value_head_size,
                         &params->value_cache);
  key->stride[4] = 1;
  key->stride[3] = 0;
  params->x = (int32_t)dims->head_size->value;
}

static bool has_row_scales(kvf_dtype cache) {
  return cache == KVF_INT8_PER_TOKEN_HEAD || cache == KVF_FP8_PER_TOKEN_HEAD ||
         cache == KVF_INT4_PER_TOKEN_HEAD;
}

/* One scale, one for each KV head, or one for each of each token. */
static void check_scales(kvf_check *check, const char *argument, const DLTensor *tensor,
                         kvf_dtype cache, cache_dims *dims, kvf_view *view) {
  if (has_row_scales(cache)) {
    kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_F32), 3,
                     (kvf_dim *const[]){&dims->num_blocks, &dims->block_size, &dims->num_kv_heads},
                     view);
  } else {
    kvf_check_scale(check, argument, tensor, &dims->num_kv_heads, view);
  }
}

static void check_softcap(kvf_check *check, double softcap) {
  if (softcap != 0 && !(softcap >= FLT_MIN && softcap <= FLT_MAX)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "softcap",
                   "got %g, want 0 or a number from 2^-126 to the largest float32", softcap);
  }
}

/* What raw launches check too. */
static void check_heads(kvf_check *check, int64_t num_q_heads, int64_t num_kv_heads,
                        int64_t head_size, int64_t value_head_size) {
  const bool keys = head_size > KVF_ATTENTION_HEAD_SIZE;
  if (check->status == KVF_OK && (keys || value_head_size > KVF_ATTENTION_HEAD_SIZE)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, keys ? "head_size" : "value_head_size",
                   "got %" PRId64 ", want %d or less", keys ? head_size : value_head_size,
                   KVF_ATTENTION_HEAD_SIZE);
  }
  if (check->status == KVF_OK && num_q_heads > 0 &&
      (num_kv_heads < 1 || num_q_heads % num_kv_heads != 0)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_q_heads",
                   "got %" PRId64 ", want a multiple of %" PRId64 " (num_kv_heads)", num_q_heads,
                   num_kv_heads);
  }
}

/* Rows of a tile on the tensor cores: its variants have these, or KVF_ATTENTION_MANY_ROWS. */
enum { FEW_ROWS = 8, SOME_ROWS = 16 };

/* Positions up to which tiles of many rows are taken. */
enum { MANY_POSITIONS = 1 << 20 };

/* The head size of a variant for tensor cores, 0 of a generic one. */
static int64_t tile_size(const kvf_variant *variant) {
  const int64_t size = variant->values[2];
  return size == KVF_OTHER ? 0 : size;
}

/* Rows of a tile of a variant. */
static int64_t tile_rows(const kvf_variant *variant) {
  const int64_t rows = variant->values[3];
  return rows == KVF_OTHER ? KVF_ATTENTION_ROWS : rows;
}

/* Whether keys and values lie in shared memory. */
static bool has_many_rows(const kvf_variant *variant) {
  return tile_size(variant) != 0 && tile_rows(variant) > SOME_ROWS;
}

/* Whether four warps multiply as one: of many rows, on compute capability 9.0 alone. */
static bool is_wide(const kvf_variant *variant) { return variant->values[4] == 90; }

/* Whether heads lie element after element, and can be read in the vectors of such a variant; of
 * many rows those of query and out, too. */
static bool has_tiles(const params_type *params, kvf_dtype cache, int64_t size, int64_t rows) {
  const int32_t bytes = kvf_dtype_bits(cache) / 8;
  const int32_t whole = 16 / bytes;
  const int64_t run = cache == KVF_NVFP4 ? size / 2 : size; /* elements, or bytes */
  const int32_t eighth = (int32_t)(run / 8);                /* 8 lanes share a value */
  return params->head_size == size && params->value_head_size == size && params->x == size &&
         eighth > 0 && kvf_has_vectors(&params->key_cache, bytes, 4, 5, run, whole) &&
         kvf_has_vectors(&params->value_cache, bytes, 3, 4, run, whole < eighth ? whole : eighth) &&
         (rows <= SOME_ROWS ||
          (kvf_has_vectors(&params->query, 2, 2, 3, size, 8) &&
           kvf_has_vectors(&params->out, params->out_bytes, 2, 3, size, 16 / params->out_bytes)));
}

/* What multiplies the tiles of a variant of the CPU that has some, where elements of a head lie
 * side by side; codes of 8 bits are bf16 without rounding. */
static int32_t choose_matrix(const params_type *params, const kvf_variant *variant) {
  const kvf_dtype cache = kvf_cache_of(variant);
  const bool tiled =
      kvf_scalar_of(variant) == KVF_BF16 &&
      (cache == KVF_BF16 || cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2 || cache == KVF_INT8);
  const bool fits = params->head_size % 32 == 0 && params->head_size <= KVF_CPU_MATRIX_SIZE &&
                    params->value_head_size == params->head_size &&
                    params->x >= params->head_size && params->key_cache.stride[4] == 1 &&
                    params->value_cache.stride[3] == 1;
  const int32_t matrix = tiled && fits ? kvf_cpu_matrix(variant) : KVF_NO_MATRIX;
  return matrix != KVF_NO_MATRIX && kvf_is_batch_invariant() ? matrix | KVF_MATRIX_ALWAYS : matrix;
}

/* Rows of a unit by a CPU's matrix unit: many, for which keys and values are brought into tiles
 * once, while each thread has some units. A unit that is split is one tile, so that its parts are
 * the same whatever else is in the call. */
static int32_t choose_rows(const kvf_check *check, params_type *params) {
  enum { UNITS_OF_A_THREAD = 8 };
  const int32_t asked = check->exec.num_threads;
  const int64_t threads = asked > 0 ? asked : kvf_num_threads();
  int32_t rows = params->splits > 1 ? KVF_CPU_MATRIX_ROWS : KVF_CPU_MATRIX_MOST_ROWS;
  for (; rows > KVF_CPU_MATRIX_ROWS; rows /= 2) {
    count_units(params, rows);
    if (params->num_units >= UNITS_OF_A_THREAD * threads) {
      break;
    }
  }
  return rows;
}

/* Tokens that a sequence may have. */
static int64_t longest_of(const params_type *params) {
  return params->max_query_len > 0 ? params->max_query_len : params->num_tokens;
}

static int64_t group_of(const params_type *params) {
  return params->num_kv_heads > 0 ? params->num_q_heads / params->num_kv_heads : 0;
}

/* The variant for tensor cores that is built, or can be now, if it fits. */
static const kvf_variant *variant_of_rows(const kvf_check *check, const kvf_variant *generic,
                                          const params_type *params, int64_t rows) {
  if (!has_tiles(params, kvf_cache_of(generic), params->head_size, rows)) {
    return NULL;
  }
  const kvf_variant *found = kvf_select(OP, KVF_CUDA, generic->values[0], generic->values[1],
                                        params->head_size, rows, kvf_check_arch(check));
  return found != NULL && tile_size(found) != 0 ? found : NULL;
}

/* The variant for the device, the head size and the places of heads, if there is one. Its tiles
 * have as many rows as a sequence and KV head, or the most that there are. */
static const kvf_variant *best_variant(const kvf_check *check, const kvf_variant *generic,
                                       const params_type *params) {
  if (check->exec.backend != KVF_CUDA) {
    return generic;
  }
  const int64_t wanted = kvf_saturating_product(group_of(params), longest_of(params));
  /* Two tiles of 16 are faster than one that is mostly empty. Over many positions the sums of a
   * tile of many rows, which stay in registers, lose too much. */
  const bool far = kvf_saturating_product(params->width, params->block_size) > MANY_POSITIONS;
  const int64_t many = KVF_ATTENTION_MANY_ROWS(params->head_size);
  const int64_t choices[3][3] = {{FEW_ROWS, SOME_ROWS, many},
                                 {SOME_ROWS, far ? FEW_ROWS : many, far ? many : FEW_ROWS},
                                 {many, SOME_ROWS, FEW_ROWS}};
  const int64_t *rows = choices[(wanted > FEW_ROWS) + (wanted > 2 * SOME_ROWS && !far)];
  for (int32_t i = 0; i < 3; ++i) { /* the first that is built and fits */
    const kvf_variant *found = variant_of_rows(check, generic, params, rows[i]);
    if (found != NULL) {
      return found;
    }
  }
  return generic;
}

/* What a launch of its own does: the sequences of at most so many tokens. */
typedef struct few_tokens {
  const kvf_variant *variant;
  int64_t tokens; /* 0: there is no such launch */
} few_tokens;

/*
 * Where tiles have many rows, and not every sequence can: those that decode would fill few of them,
 * and not be split. What a sequence's tiles are must not depend on others where its bits are to be
 * the same in any batch.
 */
static few_tokens choose_few(const kvf_check *check, const kvf_variant *variant,
                             const params_type *params) {
  const few_tokens none = {NULL, 0};
  if (!has_many_rows(variant)) {
    return none;
  }
  const int64_t group = group_of(params);
  if (group < 1 || group > 2 * SOME_ROWS) {
    return none;
  }
  const int64_t rows = group <= FEW_ROWS ? FEW_ROWS : SOME_ROWS;
  const few_tokens found = {variant_of_rows(check, variant, params, rows),
                            group <= FEW_ROWS ? FEW_ROWS / group : 1};
  const bool all = kvf_is_batch_invariant() || params->workspace.data != NULL;
  const int64_t longest = longest_of(params);
  const int64_t others = kvf_saturating_product(params->num_seqs - 1, longest);
  const bool may = params->num_tokens <= kvf_saturating_sum(others, found.tokens);
  const bool wanted = all || (may && params->num_seqs > 1);
  return wanted && found.variant != NULL && longest > found.tokens ? found : none;
}

static kvf_status launch(const kvf_exec *exec, const kvf_variant *variant, few_tokens few,
                         const params_type *given);

kvf_status kvf_paged_attention(const kvf_exec *exec, DLTensor *out, const DLTensor *query,
                               const DLTensor *key_cache, const DLTensor *value_cache,
                               const DLTensor *query_start_loc, const DLTensor *seq_lens,
                               const DLTensor *block_table, double scale,
                               const char *kv_cache_dtype, const DLTensor *k_scale,
                               const DLTensor *v_scale, bool causal, int64_t window_left,
                               int64_t window_right, double softcap, const DLTensor *alibi_slopes,
                               const DLTensor *sinks, bool swizzle_v_scales, int64_t max_query_len,
                               DLTensor *lse, DLTensor *workspace) {
  params_type params = {.window_left = window_left,
                        .window_right = causal ? 0 : window_right,
                        .max_query_len = max_query_len,
                        .swizzle_v_scales = swizzle_v_scales};
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_dim num_seqs = KVF_DIM("num_seqs");
  kvf_dim num_starts = KVF_DIM("num_seqs + 1");
  kvf_dim num_q_heads = KVF_DIM("num_q_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_dim width = KVF_DIM("width");
  cache_dims dims = {KVF_DIM("num_blocks"), KVF_DIM("block_size"), KVF_DIM("num_kv_heads"),
                     &head_size, &value_head_size};
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_factor(&check, scale);
  check_softcap(&check, softcap);
  const kvf_dtype scalar = kvf_check_dtype(&check, "query", query, KVF_ACCEPT_FLOATS);
  kvf_dim *const heads[] = {&num_tokens, &num_q_heads, &head_size};
  kvf_dim *const results[] = {&num_tokens, &num_q_heads, &value_head_size};
  kvf_check_tensor(&check, "query", query, KVF_ACCEPT(scalar), 3, heads, &params.query);
  kvf_check_either(&check, "out", out, scalar, 3, results, &params.out, &params.out_bytes);
  const kvf_variant *variant = kvf_check_variant(&check, kvf_name_to_read(kv_cache_dtype), scalar);
  if (variant == NULL) {
    return check.status;
  }
  if (kvf_cache_of(variant) == KVF_NVFP4) {
    check_nvfp4_caches(&check, key_cache, value_cache, &dims, &params);
  } else if (kvf_packs_heads(kvf_cache_of(variant))) {
    check_packed_caches(&check, key_cache, value_cache, kvf_cache_of(variant), &dims, &params);
  } else {
    const bool grouped = key_cache != NULL && key_cache->ndim == 5;
    (grouped ? check_grouped_caches : check_flash_caches)(
        &check, key_cache, value_cache, KVF_ACCEPT(kvf_cache_of(variant)), &dims, &params);
  }
  check_heads(&check, num_q_heads.value, dims.num_kv_heads.value, head_size.value,
              value_head_size.value);
  kvf_check_tensor(&check, "seq_lens", seq_lens, KVF_ACCEPT_INT32, 1, (kvf_dim *const[]){&num_seqs},
                   &params.seq_lens);
  if (check.status == KVF_OK) {
    num_starts = (kvf_dim){"num_seqs + 1", kvf_saturating_sum(num_seqs.value, 1), NULL};
  }
  kvf_check_tensor(&check, "query_start_loc", query_start_loc, KVF_ACCEPT_INT32, 1,
                   (kvf_dim *const[]){&num_starts}, &params.query_start_loc);
  kvf_check_tensor(&check, "block_table", block_table, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 2,
                   (kvf_dim *const[]){&num_seqs, &width}, &params.block_table);
  check_scales(&check, "k_scale", k_scale, kvf_cache_of(variant), &dims, &params.k_scale);
  check_scales(&check, "v_scale", v_scale, kvf_cache_of(variant), &dims, &params.v_scale);
  if (alibi_slopes != NULL) {
    kvf_check_tensor(&check, "alibi_slopes", alibi_slopes, KVF_ACCEPT(KVF_F32), 1,
                     (kvf_dim *const[]){&num_q_heads}, &params.alibi_slopes);
  }
  if (sinks != NULL) {
    kvf_check_either(&check, "sinks", sinks, scalar, 1, (kvf_dim *const[]){&num_q_heads},
                     &params.sinks, &params.sink_bytes);
  }
  if (lse != NULL) {
    kvf_check_tensor(&check, "lse", lse, KVF_ACCEPT(KVF_F32), 2,
                     (kvf_dim *const[]){&num_q_heads, &num_tokens}, &params.lse);
  }
  if (workspace != NULL) {
    kvf_dim row = {"value_head_size + 2",
                   kvf_saturating_sum(value_head_size.value, KVF_SPLIT_EXTRA), NULL};
    kvf_check_split_room(&check, workspace, &num_q_heads, &row, &params.workspace, &params.splits,
                         &params.split_tokens);
  }
  if (check.status == KVF_OK && num_q_heads.value > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "query", "has %" PRId64 " heads, want less than 2^31",
                   num_q_heads.value);
  }
  const kvf_named written[] = {{"out", out}, {"lse", lse}, {"workspace", workspace}};
  kvf_check_apart(
      &check, written, 3,
      (const kvf_named[]){{"query", query}, {"key_cache", key_cache}, {"value_cache", value_cache}},
      3);
  kvf_check_apart(&check, &written[1], 2, &written[0], 1);
  kvf_check_apart(&check, &written[2], 1, &written[1], 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.scale = kvf_nearest_float(scale);
  params.softcap = kvf_nearest_float(softcap);
  params.index_bytes = block_table->dtype.bits / 8;
  params.num_tokens = num_tokens.value;
  params.num_seqs = num_seqs.value;
  params.width = width.value;
  params.num_blocks = dims.num_blocks.value;
  params.block_size = dims.block_size.value;
  params.num_q_heads = (int32_t)num_q_heads.value;
  params.num_kv_heads = (int32_t)dims.num_kv_heads.value;
  params.head_size = (int32_t)head_size.value;
  params.value_head_size = (int32_t)value_head_size.value;
  variant = best_variant(&check, variant, &params);
  return launch(&check.exec, variant, choose_few(&check, variant, &params), &params);
}

/* As templates/shared/attention_rows_cuda.j2 has them. */
enum { THREADS = 256, KEY_VECTOR = KVF_TOKEN_VECTOR, VALUE_VECTOR = 4 };

static void choose_vectors(params_type *params, kvf_dtype cache) {
  const int32_t bytes = kvf_dtype_bits(cache) / 8;
  if (kvf_packs_ggml(cache)) { /* words of 2 bytes */
    params->whole_keys = kvf_has_vectors(&params->key_cache, 1, 4, 5, params->head_size, 2);
    params->whole_values =
        kvf_has_vectors(&params->value_cache, 1, 3, 4, params->value_head_size, 2)
            ? KVF_VALUES_BY_ELEMENT
            : KVF_VALUES_SINGLY;
    return;
  }
  if (cache == KVF_NVFP4 || cache == KVF_INT4_PER_TOKEN_HEAD) { /* two elements in a byte */
    params->whole_keys =
        kvf_has_vectors(&params->key_cache, 1, 4, 5, params->head_size / 2, KEY_VECTOR / 2);
    params->whole_values = kvf_has_vectors(&params->value_cache, 1, 3, 4,
                                           params->value_head_size / 2, VALUE_VECTOR / 2)
                               ? KVF_VALUES_BY_ELEMENT
                               : KVF_VALUES_SINGLY;
    return;
  }
  /* A vector of keys is one access of 16 bytes, or two, that must not cross the end of a group. */
  const int32_t access = bytes == 4 ? 4 : KEY_VECTOR;
  params->whole_keys = params->x % access == 0 && kvf_has_vectors(&params->key_cache, bytes, 4, 5,
                                                                  params->head_size, KEY_VECTOR);
  const kvf_view *value = &params->value_cache;
  params->whole_values = KVF_VALUES_SINGLY;
  if (kvf_has_vectors(value, bytes, 3, 4, params->value_head_size, VALUE_VECTOR)) {
    params->whole_values = KVF_VALUES_BY_ELEMENT;
  } else if (params->value_head_size <= THREADS && /* a thread has one element then */
             kvf_has_vectors(value, bytes, 1, 4, params->block_size, KEY_VECTOR)) {
    params->whole_values = KVF_VALUES_BY_TOKEN;
  }
}

/* Thread blocks that a multiprocessor runs at once, about: of 4 or 8 warps, by their registers. */
static int64_t blocks_at_once(const kvf_variant *variant) {
  if (is_wide(variant)) {
    return 1;
  }
  const kvf_dtype cache = kvf_cache_of(variant);
  const bool light = kvf_dtype_bits(cache) == 8 && !has_row_scales(cache);
  if (tile_size(variant) == 0 || tile_size(variant) > 128 || has_many_rows(variant)) {
    return 2;
  }
  return tile_size(variant) < 128 ? 4 : (tile_rows(variant) == FEW_ROWS ? 3 : 2) + light;
}

/* Those of rows are part of the cache. */
static void launch_scales(kvf_check *check, const char *member, const kvf_view *scales,
                          kvf_dtype cache, int64_t num_kv_heads) {
  if (has_row_scales(cache)) {
    kvf_launch_pointer(check, member, scales->data);
  } else {
    kvf_launch_scales(check, member, scales, num_kv_heads);
  }
}

static kvf_status run_tiles(kvf_check *check, const kvf_variant *variant, params_type *params) {
  const int64_t row = params->value_head_size + KVF_SPLIT_EXTRA;
  const int64_t few = params->few > 0 ? kvf_saturating_product(params->num_seqs, params->few) : 0;
  if (params->workspace.data == NULL && !kvf_is_batch_invariant()) {
    const kvf_status status =
        split_by_own(check, params, row, tile_rows(variant), blocks_at_once(variant),
                     few > 0 ? few : params->num_tokens);
    if (status != KVF_OK) {
      return status;
    }
    if (few > 0 && params->split_tokens == few) { /* by sequence, wherever its tokens are */
      params->split_tokens = INT64_MAX;
    } else if (few > 0) {
      params->splits = 1;
    }
  }
  count_units(params, tile_rows(variant));
  choose_vectors(params, kvf_cache_of(variant));
  const bool tiled = tile_size(variant) != 0;
  const uint32_t threads = is_wide(variant) ? KVF_ATTENTION_WIDE_THREADS
                           : tiled          ? KVF_ATTENTION_TILE_THREADS
                                            : THREADS;
  const int64_t shared =
      is_wide(variant) ? KVF_ATTENTION_WIDE_BYTES
                       : KVF_ATTENTION_SHARED_BYTES(tile_size(variant),
                                                    kvf_dtype_bits(kvf_cache_of(variant)) / 8);
  const kvf_grid of_one = {.grid = {1, 1, 1},
                           .block = {threads, 1, 1},
                           .shared_bytes = has_many_rows(variant) ? (uint32_t)shared : 0};
  const int64_t rows = (few > 0 ? few : params->split_tokens) * params->num_q_heads;
  const bool by_warps = tiled && tile_size(variant) <= 128 && !has_many_rows(variant);
  const uint32_t all = threads / 32;
  const uint32_t warps =
      by_warps ? (uint32_t)kvf_adding_warps(rows, (int32_t)tile_size(variant)) : all;
  return run_cuda(check, variant, params, &of_one, &of_one,
                  kvf_quotient_up(kvf_saturating_product(rows, warps), all), true);
}

/* Apart from its caller, whose stack is that of calls on the CPU, too. */
static __attribute__((noinline)) kvf_status run_apart(kvf_check *check, few_tokens few,
                                                      const kvf_variant *variant,
                                                      const params_type *params) {
  params_type part = *params;
  part.max_query_len = few.tokens;
  part.few = (int32_t)few.tokens;
  kvf_status status = run_tiles(check, few.variant, &part);
  if (status != KVF_OK) {
    return status;
  }
  part = *params;
  part.few = (int32_t)-few.tokens;
  status = run_tiles(check, variant, &part);
  return status == KVF_OK ? status : kvf_error_add(status, "; enqueued: sequences of few tokens");
}

kvf_status kvf_launch_paged_attention(const kvf_exec *exec, const kvf_variant *variant,
                                      const params_type *given) {
  return launch(exec, variant, (few_tokens){NULL, 0}, given);
}

static kvf_status launch(const kvf_exec *exec, const kvf_variant *variant, few_tokens few,
                         const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  kvf_launch_at_least(&check, "num_seqs", params.num_seqs, 0);
  kvf_launch_at_least(&check, "num_q_heads", params.num_q_heads, 0);
  kvf_launch_at_least(&check, "num_kv_heads", params.num_kv_heads, 0);
  kvf_launch_at_least(&check, "head_size", params.head_size, 0);
  kvf_launch_at_least(&check, "value_head_size", params.value_head_size, 0);
  kvf_launch_at_least(&check, "width", params.width, 0);
  kvf_launch_at_least(&check, "num_blocks", params.num_blocks, 0);
  kvf_launch_at_least(&check, "block_size", params.block_size, 1);
  kvf_launch_index_bytes(&check, "index_bytes", params.index_bytes);
  kvf_check_factor(&check, (double)params.scale);
  check_softcap(&check, (double)params.softcap);
  check_heads(&check, params.num_q_heads, params.num_kv_heads, params.head_size,
              params.value_head_size);
  if (variant != NULL && kvf_cache_of(variant) == KVF_NVFP4) {
    kvf_check_nvfp4_sizes(&check, "head_size", params.head_size, params.block_size, false);
    kvf_check_nvfp4_sizes(&check, "value_head_size", params.value_head_size, params.block_size,
                          params.swizzle_v_scales);
  }
  if (variant != NULL && kvf_packs_heads(kvf_cache_of(variant))) {
    kvf_check_packed_size(&check, "head_size", kvf_cache_of(variant), params.head_size);
    kvf_check_packed_size(&check, "value_head_size", kvf_cache_of(variant), params.value_head_size);
  }
  if (params.workspace.data == NULL) {
    params.splits = 1;
    params.split_tokens = 0;
  }
  kvf_launch_at_least(&check, "split_tokens", params.split_tokens, 0);
  kvf_launch_at_least(&check, "splits", params.splits, 1);
  if (params.splits > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "splits", "got %" PRId64 ", want less than 2^31",
                   params.splits);
  }
  if (check.status != KVF_OK || params.num_tokens == 0 || params.num_seqs == 0 ||
      params.num_q_heads == 0 || params.head_size == 0 || params.value_head_size == 0) {
    return check.status;
  }
  kvf_launch_at_least(&check, "x", params.x, 1);
  kvf_launch_pointer(&check, "out", params.out.data);
  kvf_launch_pointer(&check, "query", params.query.data);
  kvf_launch_element_bytes(&check, "out_bytes", variant, params.out_bytes);
  if (params.sinks.data != NULL) {
    kvf_launch_element_bytes(&check, "sink_bytes", variant, params.sink_bytes);
  }
  kvf_launch_pointer(&check, "query_start_loc", params.query_start_loc.data);
  kvf_launch_pointer(&check, "seq_lens", params.seq_lens.data);
  if (params.width > 0) {
    kvf_launch_pointer(&check, "block_table", params.block_table.data);
  }
  if (params.num_blocks > 0) {
    kvf_launch_pointer(&check, "key_cache", params.key_cache.data);
    kvf_launch_pointer(&check, "value_cache", params.value_cache.data);
  }
  if (variant != NULL && kvf_scalar_of(variant) != kvf_cache_of(variant) &&
      !kvf_packs_ggml(kvf_cache_of(variant))) {
    launch_scales(&check, "k_scale", &params.k_scale, kvf_cache_of(variant), params.num_kv_heads);
    launch_scales(&check, "v_scale", &params.v_scale, kvf_cache_of(variant), params.num_kv_heads);
  }
  if (check.status == KVF_OK && tile_size(variant) != 0 &&
      !has_tiles(&params, kvf_cache_of(variant), tile_size(variant), tile_rows(variant))) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "variant",
                   "got %s, which wants head_size, value_head_size and x %" PRId64
                   ", and heads whose elements lie side by side in vectors of 16 bytes%s",
                   variant->symbol, tile_size(variant),
                   has_many_rows(variant) ? ", of query and out, too" : "");
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (params.num_blocks == 0) { /* strides of no pages may be anything */
    params.key_cache = params.value_cache = (kvf_view){.data = NULL};
  }
  /* Lengths are int32: no window is longer, and none below 0 is another than -1. */
  params.window_left = params.window_left < INT32_MAX ? params.window_left : INT32_MAX;
  params.window_right = params.window_right < INT32_MAX ? params.window_right : INT32_MAX;
  if (params.split_tokens > params.num_tokens) {
    params.split_tokens = params.num_tokens;
  }
  params.splits = params.split_tokens > 0 ? params.splits : 1;
  params.group = params.num_q_heads / params.num_kv_heads;
  params.by_block_size = kvf_make_divider(params.block_size);
  params.by_group = kvf_make_divider(params.group);
  params.adjusts = params.softcap != 0 || params.alibi_slopes.data != NULL;
  params.combines = 0;
  params.faults = NULL;
  params.whole_keys = 0;
  params.whole_values = KVF_VALUES_SINGLY;
  params.few = 0;
  if (check.exec.backend == KVF_CPU) {
    const bool keys = params.head_size > params.value_head_size;
    int32_t rows = kvf_cpu_attention_rows(keys ? params.head_size : params.value_head_size);
    params.whole_keys = choose_matrix(&params, variant);
    if (params.whole_keys != KVF_NO_MATRIX) {
      rows = choose_rows(&check, &params);
      params.whole_keys |= KVF_MATRIX_OF_ROWS(rows);
    }
    return run_cpu(&check, variant, &params, (params.head_size + params.value_head_size) / 2,
                   params.value_head_size + KVF_SPLIT_EXTRA, rows);
  }
  check.status = kvf_cuda_fault_counter(check.exec.device, &params.faults);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (few.tokens == 0) {
    return run_tiles(&check, variant, &params);
  }
  return run_apart(&check, few, variant, &params);
}
