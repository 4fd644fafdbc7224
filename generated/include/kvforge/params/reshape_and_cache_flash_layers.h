/*
 * Generated from templates/table/params_op.h.j2 and
 * generator/spec/reshape_and_cache_flash_layers.py. Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_LAYERS_H
#define KVFORGE_PARAMS_RESHAPE_AND_CACHE_FLASH_LAYERS_H

#include "kvforge/cache/kernel_types.h"

/*
 * scatters the keys and values of all layers into their paged caches, in one launch.
 * One launch, as the CPU variants and the CUDA kernels see it. Device pointers on CUDA.
 */
typedef struct kvf_reshape_and_cache_flash_layers_params {
  kvf_view key;         /* of the first layer; stride[0..2]: token, head, element */
  kvf_view value;       /* as key */
  kvf_view key_cache;   /* what all layers share, stride[0..3]: block, token, head, element; data is
                           not read */
  kvf_view value_cache; /* as key_cache */
  kvf_view k_scale; /* f32, of the first layer; stride[0]: head, 0 for one scale; data may be NULL
                       when bits are copied */
  kvf_view v_scale; /* as k_scale */
  int64_t key_layer_stride;     /* elements from a layer's key to the next one's */
  int64_t value_layer_stride;   /* as key_layer_stride */
  int64_t k_scale_layer_stride; /* the same for scales; 0 for one scale */
  int64_t v_scale_layer_stride; /* as k_scale_layer_stride */
  kvf_slots slots;              /* tokens, pages and where each token goes */
  int32_t num_heads;            /* KV heads */
  int32_t head_size;            /* elements of a head of keys */
  int32_t value_head_size;      /* elements of a head of values */
  int32_t num_layers;           /* layers, at most KVF_MAX_LAYERS */
  int32_t counted; /* CUDA: 1 if a launch before counted the slots that are out of range */
  void *key_caches[KVF_MAX_LAYERS];   /* element 0 of each layer's cache */
  void *value_caches[KVF_MAX_LAYERS]; /* as key_caches */

  /* Derived by kvf_launch_reshape_and_cache_flash_layers(); callers leave these alone. */
  int32_t vector_elements; /* elements that one CUDA thread moves at a time */
  int32_t streaming;       /* CPU: store past the caches */
} kvf_reshape_and_cache_flash_layers_params;

#endif
