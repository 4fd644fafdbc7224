/*
 * Generated from templates/cpu/concat_and_cache_mla_grouped.c.j2 and
 * generator/spec/concat_and_cache_mla_grouped.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla_grouped.h"

/* A run of elements. Strides in elements. */
static void write_run(const float *source, int64_t source_stride, float *cache,
                      int64_t cache_stride, int64_t count, int32_t streaming) {
  if (cache_stride == 1 && source_stride == 1) {
    kvf_store_row(cache, source, count * (int64_t)sizeof *cache, streaming);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    cache[i * cache_stride] = source[i * source_stride];
  }
}

/* Where a token of a layer goes; NULL when it is to be skipped. */
static float *find_row(const kvf_concat_and_cache_mla_grouped_params *p, int64_t layer,
                       int64_t token) {
  kvf_slots slots = p->slots;
  int64_t block;
  int64_t offset;
  slots.mapping = (const char *)slots.mapping + layer * p->slots_layer_stride * slots.index_bytes;
  if (!kvf_locate(&slots, token, &block, &offset)) {
    return NULL;
  }
  const int64_t base = kvf_index_at(p->kv_cache_ptrs.data, 8, layer * p->kv_cache_ptrs.stride[0]);
  if (base == 0 || base % 4 != 0) {
    return NULL;
  }
  return (float *)(uintptr_t)base + block * p->block_stride + offset * p->entry_stride;
}

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla_grouped__f32__f32)(const void *params,
                                                                    int64_t begin, int64_t end);

/* Tokens [begin, end), those of a layer behind those of the layer before it. */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla_grouped__f32__f32)(const void *params,
                                                                    int64_t begin, int64_t end) {
  const kvf_concat_and_cache_mla_grouped_params *p = params;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t layer = i / p->slots.num_tokens;
    const int64_t token = i % p->slots.num_tokens;
    float *row = find_row(p, layer, token);
    if (row == NULL) {
      continue;
    }
    const float *kv_c =
        (const float *)p->kv_c.data + layer * p->kv_c.stride[0] + token * p->kv_c.stride[1];
    const float *k_pe =
        (const float *)p->k_pe.data + layer * p->k_pe.stride[0] + token * p->k_pe.stride[1];
    write_run(kv_c, p->kv_c.stride[2], row, 1, p->kv_lora_rank, p->streaming);
    write_run(k_pe, p->k_pe.stride[2], row + p->kv_lora_rank, 1, p->rope_dim, p->streaming);
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
