#include <inttypes.h>
#include <stdio.h>

#include "core/error.h"
#include "core/extent.h"
#include "kvforge/cache/op.h"
#include "ops/shared/writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_layers)

typedef kvf_reshape_and_cache_flash_layers_params layers_params;

/* [num_layers, num_rows, num_heads, head_size]: a view of the first layer, and the way to the next.
 */
static void check_source(kvf_check *check, const char *argument, const DLTensor *tensor,
                         uint32_t accepted, const kvf_slots *slots, kvf_dim *num_layers,
                         kvf_dim *num_heads, kvf_dim *head_size, kvf_view *view,
                         int64_t *layer_stride) {
  kvf_dim rows = KVF_DIM("num_rows");
  kvf_view all = {.data = NULL};
  kvf_check_tensor(check, argument, tensor, accepted, 4,
                   (kvf_dim *const[]){num_layers, &rows, num_heads, head_size}, &all);
  kvf_check_rows(check, argument, &rows, "slot_mapping", slots);
  *view = (kvf_view){.data = all.data, .stride = {all.stride[1], all.stride[2], all.stride[3]}};
  *layer_stride = all.stride[0];
}

/* One scale, one for each layer, or one for each head of each layer. */
static void check_scales(kvf_check *check, const char *argument, const DLTensor *tensor,
                         const kvf_dim *num_layers, const kvf_dim *num_heads, kvf_view *view,
                         int64_t *layer_stride) {
  const int32_t rank = tensor != NULL ? tensor->ndim : 0;
  kvf_dim layers = KVF_DIM("num_layers");
  kvf_dim heads = KVF_DIM("num_heads");
  kvf_view all = {.data = NULL};
  if (rank < 0 || rank > 2) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want 0, 1 or 2", rank);
    return;
  }
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(KVF_F32), rank,
                   (kvf_dim *const[]){&layers, &heads}, &all);
  if (check->status != KVF_OK) {
    return;
  }
  const int64_t rows = rank > 0 ? layers.value : 1;
  const int64_t columns = rank > 1 ? heads.value : 1;
  if ((rows != num_layers->value && (rows != 1 || columns != 1)) ||
      (columns != 1 && columns != num_heads->value)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " x %" PRId64 " elements, want 1, %" PRId64
                   " (num_layers) or %" PRId64 " x %" PRId64 " (num_layers x num_heads)",
                   rows, columns, num_layers->value, num_layers->value, num_heads->value);
    return;
  }
  *view = (kvf_view){.data = all.data, .stride = {columns > 1 ? all.stride[1] : 0}};
  *layer_stride = rows > 1 ? all.stride[0] : 0;
}

/* The cache of a layer has the sizes in `shape` and, unless it is the first, the strides of `view`.
 */
static void check_cache(kvf_check *check, const char *name, const DLTensor *cache, bool first,
                        uint32_t accepted, kvf_dim *const shape[4], kvf_view *view) {
  kvf_view each = {.data = NULL};
  kvf_check_tensor(check, name, cache, accepted, 4, shape, &each);
  for (int32_t i = 0; check->status == KVF_OK && i < 4; ++i) {
    if (!first && shape[i]->value > 1 && each.stride[i] != view->stride[i]) {
      kvf_check_fail(check, KVF_INVALID_VALUE, name,
                     "stride of dimension %d (%s) is %" PRId64 ", want %" PRId64
                     " as in the first layer",
                     i, shape[i]->name, each.stride[i], view->stride[i]);
    }
  }
  if (first) {
    *view = each;
  }
}

static void check_caches(kvf_check *check, const char *argument, const DLTensor *const *caches,
                         int64_t count, uint32_t accepted, const kvf_dim *num_layers,
                         kvf_dim *const shape[4], kvf_view *view) {
  if (check->status == KVF_OK && count != num_layers->value) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " tensors, want %" PRId64 " (num_layers) as in keys", count,
                   num_layers->value);
  }
  if (check->status == KVF_OK && count > 0 && caches == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "got NULL, want an array of tensors");
  }
  for (int64_t layer = 0; check->status == KVF_OK && layer < count; ++layer) {
    check_cache(check, argument, caches[layer], layer == 0, accepted, shape, view);
    if (check->status != KVF_OK) {
      /* Once more, for a sentence that names the layer: naming all of them in time would be slow.
       */
      char name[64];
      (void)snprintf(name, sizeof name, "%s[%" PRId64 "]", argument, layer);
      check->status = KVF_OK;
      check_cache(check, name, caches[layer], layer == 0, accepted, shape, view);
    }
  }
}

/* The scales of layers [first, num_layers), where they are read. */
static void launch_scales(kvf_check *check, const kvf_variant *variant, const layers_params *params,
                          int64_t first, int64_t num_layers) {
  const struct {
    const char *member;
    const kvf_view *view;
    int64_t layer_stride;
  } sides[] = {{"k_scales", &params->k_scale, params->k_scale_layer_stride},
               {"v_scales", &params->v_scale, params->v_scale_layer_stride}};
  const bool reads = kvf_scalar_of(variant) != kvf_cache_of(variant) &&
                     params->slots.num_tokens > 0 && params->num_heads > 0 &&
                     (params->head_size > 0 || params->value_head_size > 0);
  for (int i = 0; reads && i < 2; ++i) {
    kvf_view layer = *sides[i].view;
    kvf_launch_pointer(check, sides[i].member, layer.data);
    for (int64_t k = first; check->status == KVF_OK && k < num_layers; ++k) {
      layer.data = (float *)sides[i].view->data + k * sides[i].layer_stride;
      kvf_launch_scales(check, sides[i].member, &layer, params->num_heads);
    }
  }
}

static void check_apart(kvf_check *check, const DLTensor *keys, const DLTensor *values,
                        const DLTensor *const *key_caches, const DLTensor *const *value_caches,
                        int64_t num_layers) {
  const kvf_named sources[] = {{"keys", keys}, {"values", values}};
  for (int64_t layer = 0; check->status == KVF_OK && layer < num_layers; ++layer) {
    const kvf_named caches[] = {{"key_caches", key_caches[layer]},
                                {"value_caches", value_caches[layer]}};
    kvf_check_apart(check, caches, 2, sources, 2);
  }
}

static void advance(kvf_view *view, int64_t bytes, int64_t layers) {
  if (view->data != NULL) {
    view->data = (char *)view->data + bytes * layers;
  }
}

/* Launches the layers, as many at a time as their addresses have room. */
static kvf_status launch_all(const kvf_check *check, const kvf_variant *variant,
                             layers_params *params, const DLTensor *const *key_caches,
                             const DLTensor *const *value_caches, int64_t num_layers) {
  const int64_t bytes = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  kvf_status status = KVF_OK;
  for (int64_t first = 0; status == KVF_OK && first < num_layers; first += KVF_MAX_LAYERS) {
    const int64_t rest = num_layers - first;
    if (first > 0) {
      advance(&params->key, params->key_layer_stride * bytes, KVF_MAX_LAYERS);
      advance(&params->value, params->value_layer_stride * bytes, KVF_MAX_LAYERS);
      advance(&params->k_scale, params->k_scale_layer_stride * 4, KVF_MAX_LAYERS);
      advance(&params->v_scale, params->v_scale_layer_stride * 4, KVF_MAX_LAYERS);
    }
    params->num_layers = (int32_t)(rest < KVF_MAX_LAYERS ? rest : KVF_MAX_LAYERS);
    params->counted = first > 0;
    for (int32_t layer = 0; layer < params->num_layers; ++layer) {
      params->key_caches[layer] = kvf_first_element(key_caches[first + layer]);
      params->value_caches[layer] = kvf_first_element(value_caches[first + layer]);
    }
    status = kvf_launch_reshape_and_cache_flash_layers(&check->exec, variant, params);
    if (status != KVF_OK && first > 0) {
      status =
          kvf_error_add(status, "; enqueued: %" PRId64 " of %" PRId64 " layers", first, num_layers);
    }
  }
  return status;
}

kvf_status kvf_reshape_and_cache_flash_layers(
    const kvf_exec *exec, const DLTensor *keys, const DLTensor *values,
    const DLTensor *const *key_caches, int64_t num_key_caches, const DLTensor *const *value_caches,
    int64_t num_value_caches, const DLTensor *slot_mapping, const char *kv_cache_dtype,
    const DLTensor *k_scales, const DLTensor *v_scales, const DLTensor *slot_remap) {
  layers_params params = {.num_heads = 0};
  kvf_dim num_layers = KVF_DIM("num_layers");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim head_size = KVF_DIM("head_size");
  kvf_dim value_head_size = KVF_DIM("value_head_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "keys", keys, KVF_ACCEPT_FLOATS);
  kvf_check_slots(&check, "slot_mapping", slot_mapping, &params.slots);
  kvf_check_remap(&check, slot_remap, &params.slots);
  check_source(&check, "keys", keys, KVF_ACCEPT(scalar), &params.slots, &num_layers, &num_heads,
               &head_size, &params.key, &params.key_layer_stride);
  check_source(&check, "values", values, KVF_ACCEPT(scalar), &params.slots, &num_layers, &num_heads,
               &value_head_size, &params.value, &params.value_layer_stride);
  check_scales(&check, "k_scales", k_scales, &num_layers, &num_heads, &params.k_scale,
               &params.k_scale_layer_stride);
  check_scales(&check, "v_scales", v_scales, &num_layers, &num_heads, &params.v_scale,
               &params.v_scale_layer_stride);
  kvf_check_row_size(&check, "keys", &num_heads, &head_size);
  kvf_check_row_size(&check, "values", &num_heads, &value_head_size);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  kvf_dim *const key_shape[] = {&num_blocks, &block_size, &num_heads, &head_size};
  kvf_dim *const value_shape[] = {&num_blocks, &block_size, &num_heads, &value_head_size};
  check_caches(&check, "key_caches", key_caches, num_key_caches, KVF_ACCEPT(kvf_cache_of(variant)),
               &num_layers, key_shape, &params.key_cache);
  check_caches(&check, "value_caches", value_caches, num_value_caches,
               KVF_ACCEPT(kvf_cache_of(variant)), &num_layers, value_shape, &params.value_cache);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.num_heads = (int32_t)num_heads.value;
  params.head_size = (int32_t)head_size.value;
  params.value_head_size = (int32_t)value_head_size.value;
  check_apart(&check, keys, values, key_caches, value_caches, num_layers.value);
  /* Those of the first launch are checked there, those of later ones before it writes. */
  launch_scales(&check, variant, &params, KVF_MAX_LAYERS, num_layers.value);
  if (check.status != KVF_OK) {
    return check.status;
  }
  return launch_all(&check, variant, &params, key_caches, value_caches, num_layers.value);
}

/* A source with its layers as the first dimension. */
static kvf_view with_layers(const kvf_view *view, int64_t layer_stride) {
  return (kvf_view){.data = view->data,
                    .stride = {layer_stride, view->stride[0], view->stride[1], view->stride[2]}};
}

/* A cache that is as badly aligned as any layer's. */
static kvf_view all_layers(const kvf_view *view, void *const *caches, int32_t num_layers) {
  uintptr_t bits = 0;
  for (int32_t layer = 0; layer < num_layers; ++layer) {
    bits |= (uintptr_t)caches[layer];
  }
  kvf_view all = *view;
  all.data = (void *)bits;
  return all;
}

kvf_status kvf_launch_reshape_and_cache_flash_layers(const kvf_exec *exec,
                                                     const kvf_variant *variant,
                                                     const layers_params *given) {
  layers_params params;
  const kvf_writer writer = {KVF_WRITER(&params), .value_head_size = &params.value_head_size};
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_layers", params.num_layers, 0);
  if (params.num_layers > KVF_MAX_LAYERS) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "num_layers", "got %d, want %d or less",
                   params.num_layers, KVF_MAX_LAYERS);
  }
  if (check.status != KVF_OK || params.num_layers == 0) {
    return check.status;
  }
  const kvf_view key_cache = {.data = params.key_caches[0]};
  const kvf_view value_cache = {.data = params.value_caches[0]};
  if (!kvf_launch_writer(&check, variant, &writer, &key_cache, &value_cache)) {
    return check.status;
  }
  launch_scales(&check, variant, &params, 1, params.num_layers);
  for (int32_t layer = 1; params.slots.num_blocks > 0 && layer < params.num_layers; ++layer) {
    if (params.head_size > 0) {
      kvf_launch_pointer(&check, "key_caches", params.key_caches[layer]);
    }
    if (params.value_head_size > 0) {
      kvf_launch_pointer(&check, "value_caches", params.value_caches[layer]);
    }
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  kvf_join_heads(&writer, &params.key_cache, &params.value_cache);
  if (check.exec.backend == KVF_CPU) {
    return kvf_run_writer(&check, variant, &params, &writer, params.num_layers);
  }
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const kvf_view keys = with_layers(&params.key, params.key_layer_stride);
  const kvf_view values = with_layers(&params.value, params.value_layer_stride);
  const kvf_view key_caches = all_layers(&params.key_cache, params.key_caches, params.num_layers);
  const kvf_view value_caches =
      all_layers(&params.value_cache, params.value_caches, params.num_layers);
  const kvf_vector_side of_keys[] = {{&keys, scalar, 3, 4}, {&key_caches, cache, 3, 4}};
  const kvf_vector_side of_values[] = {{&values, scalar, 3, 4}, {&value_caches, cache, 3, 4}};
  const int64_t vectors = kvf_writer_vectors(variant, &writer, params.num_layers, of_keys,
                                             of_values, &params.vector_elements);
  const kvf_grid grid =
      kvf_writer_grid(&check, params.slots.num_tokens, vectors, params.num_layers);
  return kvf_cuda_run(&check, variant, &params, &grid);
}
