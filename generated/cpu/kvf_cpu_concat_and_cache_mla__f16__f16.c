/*
 * Generated from templates/cpu/concat_and_cache_mla.c.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla.h"

/* A run of elements. Strides in elements. */
static void write_run(const uint16_t *source, int64_t source_stride, uint16_t *cache,
                      int64_t cache_stride, int64_t count, int32_t streaming) {
  if (cache_stride == 1 && source_stride == 1) {
    kvf_store_row(cache, source, count * (int64_t)sizeof *cache, streaming);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    cache[i * cache_stride] = source[i * source_stride];
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__f16__f16)(const void *params, int64_t begin,
                                                            int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__f16__f16)(const void *params, int64_t begin,
                                                            int64_t end) {
  const kvf_concat_and_cache_mla_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const uint16_t *kv_c = (const uint16_t *)p->kv_c.data + token * p->kv_c.stride[0];
    const uint16_t *k_pe = (const uint16_t *)p->k_pe.data + token * p->k_pe.stride[0];
    uint16_t *row = (uint16_t *)p->kv_cache.data + block * p->kv_cache.stride[0] +
                    offset * p->kv_cache.stride[1];
    uint16_t *kpe_row = (uint16_t *)p->kpe_cache.data + block * p->kpe_cache.stride[0] +
                        offset * p->kpe_cache.stride[1];
    write_run(kv_c, p->kv_c.stride[1], row, p->kv_cache.stride[2], p->kv_lora_rank, p->streaming);
    write_run(k_pe, p->k_pe.stride[1], kpe_row, p->kpe_cache.stride[2], p->rope_dim, p->streaming);
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
