#include <inttypes.h>

#include "kvforge/cache/attention.h"
#include "kvforge/cache/op.h"
#include "kvforge/cache/rotation.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/cache_dtype.h"
#include "ops/shared/gather.h"
#include "ops/shared/nvfp4_pages.h"
#include "ops/shared/packed_heads.h"

#define OP (&kvf_op_gather_kv_cache)

typedef kvf_gather_kv_cache_params params_type;

/* The sizes that several arguments share. */
typedef struct gather_dims {
  kvf_dim num_rows;
  kvf_dim num_blocks;
  kvf_dim block_size;
  kvf_dim num_heads;
  kvf_dim head_size;
  kvf_dim value_head_size;
} gather_dims;

static bool has_row_scales(kvf_dtype cache) {
  return cache == KVF_INT8_PER_TOKEN_HEAD || cache == KVF_FP8_PER_TOKEN_HEAD ||
         cache == KVF_INT4_PER_TOKEN_HEAD;
}

static bool has_own_scales(kvf_dtype cache) {
  return cache == KVF_NVFP4 || kvf_packs_ggml(cache) || has_row_scales(cache);
}

/* The view of a flash cache has no groups of elements. */
static void flatten_key(kvf_view *key) {
  key->stride[4] = key->stride[3];
  key->stride[3] = 0;
}

/* [num_blocks, block_size, num_heads, elements or bytes] */
static void check_flash_caches(kvf_check *check, const DLTensor *key_cache,
                               const DLTensor *value_cache, kvf_dtype cache, gather_dims *dims,
                               params_type *params) {
  kvf_dim *const places[] = {&dims->num_blocks, &dims->block_size, &dims->num_heads};
  const struct {
    const char *argument;
    const DLTensor *tensor;
    kvf_dim *size;
    kvf_view *view;
  } sides[] = {{"key_cache", key_cache, &dims->head_size, &params->key_cache},
               {"value_cache", value_cache, &dims->value_head_size, &params->value_cache}};
  for (int i = 0; i < 2; ++i) {
    const char *argument = sides[i].argument;
    if (cache == KVF_NVFP4) {
      kvf_check_nvfp4_sizes(check, sides[i].size->bound_by, sides[i].size->value, 0, false);
      kvf_check_nvfp4_pages(check, argument, sides[i].tensor, places[0], places[1], places[2],
                            sides[i].size, sides[i].view);
    } else if (kvf_packs_heads(cache)) {
      kvf_check_packed_pages(check, argument, sides[i].tensor, cache, places, sides[i].size,
                             sides[i].view);
    } else {
      kvf_check_tensor(check, argument, sides[i].tensor, KVF_ACCEPT(cache), 4,
                       (kvf_dim *const[]){places[0], places[1], places[2], sides[i].size},
                       sides[i].view);
    }
  }
  flatten_key(&params->key_cache);
  params->x = (int32_t)dims->head_size.value;
}

/* [num_blocks, num_heads, groups, block_size, x] */
static void check_grouped_keys(kvf_check *check, const DLTensor *key_cache, kvf_dtype cache,
                               kvf_dim *x, gather_dims *dims, params_type *params) {
  kvf_dim groups = KVF_DIM("ceil(head_size / x)");
  kvf_view key = {.data = NULL};
  kvf_check_tensor(
      check, "key_cache", key_cache, KVF_ACCEPT(cache), 5,
      (kvf_dim *const[]){&dims->num_blocks, &dims->num_heads, &groups, &dims->block_size, x}, &key);
  if (check->status == KVF_OK && (x->value < 1 || x->value > INT32_MAX)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "key_cache",
                   "x (dimension 4) is %" PRId64 ", want 1 or more", x->value);
  }
  if (check->status == KVF_OK && groups.value != kvf_quotient_up(dims->head_size.value, x->value)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "key_cache",
                   "size of dimension 2 is %" PRId64 ", want %" PRId64 " (head_size %" PRId64
                   " / x %" PRId64 ", rounded up)",
                   groups.value, kvf_quotient_up(dims->head_size.value, x->value),
                   dims->head_size.value, x->value);
  }
  params->key_cache = (kvf_view){
      key.data, {key.stride[0], key.stride[3], key.stride[1], key.stride[2], key.stride[4]}};
  params->x = (int32_t)x->value;
}

/* [num_blocks, num_heads, value_head_size, block_size], or in groups of x tokens. */
static void check_grouped_values(kvf_check *check, const DLTensor *value_cache, kvf_dtype cache,
                                 bool interleaved, kvf_dim *x, gather_dims *dims,
                                 params_type *params) {
  kvf_view value = {.data = NULL};
  if (!interleaved) {
    kvf_check_tensor(check, "value_cache", value_cache, KVF_ACCEPT(cache), 4,
                     (kvf_dim *const[]){&dims->num_blocks, &dims->num_heads, &dims->value_head_size,
                                        &dims->block_size},
                     &value);
    params->value_cache = (kvf_view){
        value.data, {value.stride[0], value.stride[3], value.stride[1], value.stride[2]}};
    return;
  }
  if (check->status == KVF_OK && dims->block_size.value % x->value != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "interleaved_v",
                   "block_size is %" PRId64 ", want a multiple of x, %" PRId64,
                   dims->block_size.value, x->value);
    return;
  }
  kvf_dim groups = {"block_size / x",
                    check->status == KVF_OK ? dims->block_size.value / x->value : 0, "key_cache"};
  kvf_check_tensor(
      check, "value_cache", value_cache, KVF_ACCEPT(cache), 5,
      (kvf_dim *const[]){&dims->num_blocks, &dims->num_heads, &groups, &dims->value_head_size, x},
      &value);
  params->value_cache =
      (kvf_view){value.data, {value.stride[0], value.stride[4], value.stride[1], value.stride[3]}};
  params->value_tokens = x->value;
  params->value_tokens_stride = value.stride[2];
}

/* One scale, one for each head, or one for each of each token. */
static void check_scales(kvf_check *check, const char *argument, const DLTensor *scale,
                         const char *cache_argument, const DLTensor *scale_cache, kvf_dtype cache,
                         gather_dims *dims, kvf_view *view) {
  kvf_check_scale(check, argument, scale, &dims->num_heads, view);
  if (has_row_scales(cache)) {
    kvf_check_tensor(check, cache_argument, scale_cache, KVF_ACCEPT(KVF_F32), 3,
                     (kvf_dim *const[]){&dims->num_blocks, &dims->block_size, &dims->num_heads},
                     view);
  } else if (check->status == KVF_OK && scale_cache != NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, cache_argument,
                   "got a tensor, want None next to a cache of %s", kvf_dtype_name(cache));
  }
}

/* What raw launches check too. */
static void check_head_size(kvf_check *check, const char *member, kvf_dtype cache,
                            int64_t head_size) {
  if (kvf_packs_heads(cache)) {
    kvf_check_packed_size(check, member, cache, head_size);
  }
  if (has_own_scales(cache) && head_size > KVF_ATTENTION_HEAD_SIZE) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "got %" PRId64 ", want %d or less next to a cache of %s", head_size,
                   KVF_ATTENTION_HEAD_SIZE, kvf_dtype_name(cache));
  }
}

static void check_out(kvf_check *check, const char *argument, const DLTensor *out, kvf_dtype scalar,
                      kvf_dim *size, gather_dims *dims, kvf_view *view) {
  kvf_check_tensor(check, argument, out, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&dims->num_rows, &dims->num_heads, size}, view);
  kvf_check_unit_stride(check, argument, view, 2, size);
  if (check->status == KVF_OK && dims->num_heads.value > 0 &&
      size->value > INT32_MAX / dims->num_heads.value) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a row has %" PRId64 " x %" PRId64 " elements, want less than 2^31",
                   dims->num_heads.value, size->value);
  }
}

kvf_status kvf_gather_kv_cache(const kvf_exec *exec, const DLTensor *key_cache,
                               const DLTensor *value_cache, DLTensor *key_out, DLTensor *value_out,
                               const DLTensor *block_table, const DLTensor *cu_seq_lens,
                               const char *kv_cache_dtype, const DLTensor *k_scale,
                               const DLTensor *v_scale, const DLTensor *seq_starts,
                               bool interleaved_v, bool swizzle_v_scales,
                               const DLTensor *k_scale_cache, const DLTensor *v_scale_cache,
                               bool inverse_rht) {
  params_type params = {.swizzle_v_scales = swizzle_v_scales, .inverse_rht = inverse_rht};
  gather_dims dims = {KVF_DIM("num_rows"),  KVF_DIM("num_blocks"), KVF_DIM("block_size"),
                      KVF_DIM("num_heads"), KVF_DIM("head_size"),  KVF_DIM("value_head_size")};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "key_out", key_out, KVF_ACCEPT_FLOATS);
  check_out(&check, "key_out", key_out, scalar, &dims.head_size, &dims, &params.key_out);
  check_out(&check, "value_out", value_out, scalar, &dims.value_head_size, &dims,
            &params.value_out);
  const kvf_variant *variant = kvf_check_variant(&check, kvf_name_to_read(kv_cache_dtype), scalar);
  if (variant == NULL) {
    return check.status;
  }
  const kvf_dtype cache = kvf_cache_of(variant);
  const bool grouped = !has_own_scales(cache) && key_cache != NULL && key_cache->ndim == 5;
  if (interleaved_v && !grouped && check.status == KVF_OK) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "interleaved_v",
                   "got True, want False unless key_cache has 5 dimensions");
  }
  check_head_size(&check, "key_out", cache, dims.head_size.value);
  check_head_size(&check, "value_out", cache, dims.value_head_size.value);
  if (grouped) {
    kvf_dim x = KVF_DIM("x");
    check_grouped_keys(&check, key_cache, cache, &x, &dims, &params);
    check_grouped_values(&check, value_cache, cache, interleaved_v, &x, &dims, &params);
  } else {
    check_flash_caches(&check, key_cache, value_cache, cache, &dims, &params);
  }
  kvf_check_block_table(&check, block_table, cu_seq_lens, seq_starts, &params.table);
  check_scales(&check, "k_scale", k_scale, "k_scale_cache", k_scale_cache, cache, &dims,
               &params.k_scale);
  check_scales(&check, "v_scale", v_scale, "v_scale_cache", v_scale_cache, cache, &dims,
               &params.v_scale);
  const kvf_named written[] = {{"key_out", key_out}, {"value_out", value_out}};
  kvf_check_apart(&check, written, 2,
                  (const kvf_named[]){{"key_cache", key_cache},
                                      {"value_cache", value_cache},
                                      {"k_scale_cache", k_scale_cache},
                                      {"v_scale_cache", v_scale_cache}},
                  4);
  kvf_check_apart(&check, written + 1, 1, written, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.num_rows = dims.num_rows.value;
  params.num_kv_heads = (int32_t)dims.num_heads.value;
  params.head_size = (int32_t)dims.head_size.value;
  params.value_head_size = (int32_t)dims.value_head_size.value;
  params.table.num_blocks = dims.num_blocks.value;
  params.table.block_size = dims.block_size.value;
  return kvf_launch_gather_kv_cache(&check.exec, variant, &params);
}

/* Heads that follow each other on both sides and share a scale are one long head. */
static int32_t join_heads(const kvf_view *cache, int32_t inner, const kvf_view *out,
                          const kvf_view *scale, bool scaled, int32_t heads, int32_t *size) {
  const int64_t dense = *size;
  if ((!scaled || scale->stride[0] == 0) && (dense <= 1 || cache->stride[inner] == 1) &&
      (heads <= 1 || (cache->stride[2] == dense && out->stride[1] == dense))) {
    *size *= heads;
    return 1;
  }
  return heads;
}

/* The vectors in which a side can be moved: along elements, at both ends. */
static int32_t vectors_of(const kvf_variant *variant, const kvf_view *cache, int32_t inner,
                          const kvf_view *out, int64_t size, int64_t x) {
  const kvf_dtype held = kvf_cache_of(variant);
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t choices[] = {16 / scalar, 4 / scalar, 1};
  kvf_view to = *out;
  to.stride[2] = 1;
  const kvf_vector_side target = {&to, scalar, 2, 3};
  if (held == KVF_NVFP4) { /* two elements in a byte, 16 with a scale */
    enum { GROUP = 16 };
    static const int32_t bytes[] = {GROUP / 2, 1};
    const kvf_vector_side source = {cache, 1, inner, inner + 1};
    const bool whole = kvf_vector_elements(choices, size, &target, 1) == choices[0] &&
                       kvf_vector_elements(bytes, size / 2, &source, 1) == bytes[0];
    return whole ? GROUP : 1;
  }
  if (kvf_packs_ggml(held)) { /* words of 2 bytes */
    static const int32_t bytes[] = {2, 1};
    const kvf_vector_side source = {cache, 1, inner, inner + 1};
    const bool whole = kvf_vector_elements(choices, size, &target, 1) == choices[0] &&
                       kvf_vector_elements(bytes, size, &source, 1) == 2;
    return whole ? choices[0] : 1;
  }
  const kvf_vector_side sides[] = {{cache, kvf_dtype_bits(held) / 8, inner, inner + 1}, target};
  return kvf_vector_elements(choices, x < size ? (x % choices[0] ? 1 : x) : size, sides, 2);
}

/*
 * The tokens of a patch, 8 bytes of them, or 0 where there are none: tokens of value_cache are
 * neighbours and elements are not, and all else can be moved in the widest vectors.
 */
static int32_t patch_of(const kvf_variant *variant, const params_type *params) {
  const kvf_dtype held = kvf_cache_of(variant);
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t bytes = kvf_dtype_bits(held) / 8;
  if (has_own_scales(held) || params->head_size == 0 || params->key_vector != 16 / scalar ||
      params->value_cache.stride[3] == 1) {
    return 0;
  }
  const int32_t along_tokens[] = {8 / bytes, 1};
  const int32_t along_elements[] = {16 / scalar, 1};
  const kvf_view *from = &params->value_cache;
  const kvf_view values = {from->data,
                           {from->stride[0], from->stride[2], from->stride[3],
                            params->value_tokens_stride, from->stride[1]}};
  kvf_view out = params->value_out;
  out.stride[2] = 1;
  const kvf_vector_side source = {&values, bytes, 4, 5};
  const kvf_vector_side target = {&out, scalar, 2, 3};
  const int64_t tokens = params->value_tokens > 0 ? params->value_tokens : params->table.block_size;
  const bool whole = params->table.block_size % along_tokens[0] == 0 &&
                     kvf_vector_elements(along_tokens, tokens, &source, 1) > 1 &&
                     kvf_vector_elements(along_elements, params->value_head_size, &target, 1) > 1;
  return whole ? along_tokens[0] : 0;
}

static bool whole_groups(const kvf_view *cache, const kvf_view *out, int32_t scalar, int32_t size) {
  const int32_t elements[] = {16 / scalar, 1};
  const int32_t codes[] = {4, 1};
  kvf_view to = *out;
  to.stride[2] = 1;
  const kvf_vector_side target = {&to, scalar, 2, 3};
  const kvf_vector_side source = {cache, 1, 3, 4};
  return size % KVF_ROTATION_GROUP == 0 && kvf_vector_elements(elements, size, &target, 1) > 1 &&
         kvf_vector_elements(codes, size / 2, &source, 1) > 1;
}

/* Whether all heads have blocks of one size, or none. */
static bool shares_blocks(const params_type *params) {
  const int32_t key = kvf_rotation_block(params->head_size);
  const int32_t value = kvf_rotation_block(params->value_head_size);
  return key == value || key == 0 || value == 0;
}

/* As many lanes share a block as it has groups of 16. */
static uint32_t lanes_of_block(const params_type *params) {
  return (uint32_t)kvf_rotation_block(params->head_size | params->value_head_size) /
         KVF_ROTATION_GROUP;
}

/* As many lanes share a head as it has groups of 16, up to a warp. */
static uint32_t lanes_of(int64_t longest) {
  enum { WARP = 32 };
  uint32_t lanes = 1;
  while (lanes < WARP && (int64_t)lanes * KVF_ROTATION_GROUP < longest) {
    lanes *= 2;
  }
  return lanes;
}

static kvf_status run_cuda(kvf_check *check, const kvf_variant *variant, params_type *params) {
  const kvf_dtype cache = kvf_cache_of(variant);
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  kvf_gather gather = {.num_rows = &params->num_rows,
                       .rows_per_tile = &params->rows_per_tile,
                       .tile_vectors = &params->tile_vectors};
  if (cache == KVF_INT4_PER_TOKEN_HEAD) {
    kvf_view key = params->key_cache;
    key.stride[3] = 1;
    params->key_vector = whole_groups(&key, &params->key_out, scalar, params->head_size);
    params->value_vector =
        whole_groups(&params->value_cache, &params->value_out, scalar, params->value_head_size);
    const int64_t longest =
        params->head_size > params->value_head_size ? params->head_size : params->value_head_size;
    const bool whole = params->key_vector && params->value_vector && shares_blocks(params);
    params->key_vector = params->value_vector = whole;
    const uint32_t lanes = whole ? lanes_of_block(params) : lanes_of(longest);
    const int64_t of_head = whole ? longest / KVF_ROTATION_GROUP : lanes;
    kvf_grid grid = kvf_gather_grid(check, &gather, params->num_kv_heads * of_head);
    grid.grid[2] = 2;
    grid.block[1] = grid.block[0] / lanes;
    grid.block[0] = lanes;
    return kvf_cuda_run(check, variant, params, &grid);
  }
  params->key_vector =
      vectors_of(variant, &params->key_cache, 4, &params->key_out, params->head_size, params->x);
  params->value_vector = vectors_of(variant, &params->value_cache, 3, &params->value_out,
                                    params->value_head_size, params->value_head_size);
  const int32_t patch = patch_of(variant, params);
  params->patches = patch > 0;
  if (patch > 0) {
    params->value_vector = params->key_vector;
  }
  const int64_t of_key = (int64_t)params->key_heads * params->head_size / params->key_vector;
  const int64_t of_value =
      (int64_t)params->value_heads * params->value_head_size / params->value_vector;
  gather.patch = patch;
  kvf_grid grid = kvf_gather_grid(check, &gather, of_key > of_value ? of_key : of_value);
  grid.grid[2] = 2;
  return kvf_cuda_run(check, variant, params, &grid);
}

kvf_status kvf_launch_gather_kv_cache(const kvf_exec *exec, const kvf_variant *variant,
                                      const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_rows", params.num_rows, 0);
  kvf_launch_at_least(&check, "num_kv_heads", params.num_kv_heads, 0);
  kvf_launch_at_least(&check, "head_size", params.head_size, 0);
  kvf_launch_at_least(&check, "value_head_size", params.value_head_size, 0);
  kvf_launch_at_least(&check, "value_tokens", params.value_tokens, 0);
  if (check.status != KVF_OK || params.num_rows == 0 || params.num_kv_heads == 0 ||
      (params.head_size == 0 && params.value_head_size == 0)) {
    return check.status;
  }
  const kvf_dtype cache = kvf_cache_of(variant);
  const kvf_dtype scalar = kvf_scalar_of(variant);
  const bool copies = scalar == cache;
  const int32_t longest =
      params.head_size > params.value_head_size ? params.head_size : params.value_head_size;
  if (params.num_rows > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "num_rows", "got %" PRId64 ", want less than 2^31",
                   params.num_rows);
  }
  if (longest > INT32_MAX / params.num_kv_heads) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "head_size",
                   "a row has %d x %d elements, want less than 2^31", params.num_kv_heads, longest);
  }
  check_head_size(&check, "head_size", cache, params.head_size);
  check_head_size(&check, "value_head_size", cache, params.value_head_size);
  if (cache == KVF_NVFP4) {
    kvf_check_nvfp4_sizes(&check, "head_size", params.head_size, 0, false);
    kvf_check_nvfp4_sizes(&check, "value_head_size", params.value_head_size,
                          params.table.block_size, params.swizzle_v_scales);
  }
  if (params.head_size > 0) {
    kvf_launch_at_least(&check, "x", params.x, 1);
    kvf_launch_pointer(&check, "key_out", params.key_out.data);
  }
  if (params.value_head_size > 0) {
    kvf_launch_pointer(&check, "value_out", params.value_out.data);
  }
  if (params.table.num_blocks > 0) {
    if (params.head_size > 0) {
      kvf_launch_pointer(&check, "key_cache", params.key_cache.data);
    }
    if (params.value_head_size > 0) {
      kvf_launch_pointer(&check, "value_cache", params.value_cache.data);
    }
  }
  if (has_row_scales(cache)) {
    if (params.table.num_blocks > 0) {
      kvf_launch_pointer(&check, "k_scale_cache", params.k_scale.data);
      kvf_launch_pointer(&check, "v_scale_cache", params.v_scale.data);
    }
  } else if (!copies && !kvf_packs_ggml(cache)) {
    kvf_launch_scales_or_value(&check, "k_scale", &params.k_scale, &params.k_scale_value,
                               params.num_kv_heads);
    kvf_launch_scales_or_value(&check, "v_scale", &params.v_scale, &params.v_scale_value,
                               params.num_kv_heads);
  }
  kvf_launch_block_table(&check, &params.table, params.num_rows);
  if (check.status != KVF_OK || params.table.num_sequences == 0) {
    return check.status;
  }
  const int64_t elements =
      (int64_t)params.num_kv_heads * ((int64_t)params.head_size + params.value_head_size);
  params.key_heads = params.value_heads = params.num_kv_heads;
  if (!has_own_scales(cache)) {
    if (params.x >= params.head_size) {
      params.key_heads = join_heads(&params.key_cache, 4, &params.key_out, &params.k_scale, !copies,
                                    params.num_kv_heads, &params.head_size);
      params.x = params.key_heads == 1 ? params.head_size : params.x;
    }
    params.value_heads = join_heads(&params.value_cache, 3, &params.value_out, &params.v_scale,
                                    !copies, params.num_kv_heads, &params.value_head_size);
  }
  if (check.exec.backend == KVF_CPU) {
    const int64_t bytes = kvf_dtype_bits(scalar) / 8;
    params.streaming = kvf_cpu_streams(params.num_rows * elements * bytes);
    return kvf_cpu_run(&check, variant, &params, params.num_rows,
                       elements * (bytes + kvf_dtype_bits(cache) / 8));
  }
  return run_cuda(&check, variant, &params);
}
