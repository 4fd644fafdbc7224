/*
 * Generated from templates/cpu/reshape_and_cache_flash_layers.c.j2 and
 * generator/spec/reshape_and_cache_flash_layers.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache_flash_layers.h"

/* One head of one token. Strides in elements. */
static void write_head(const uint16_t *source, int64_t source_stride, uint16_t *cache,
                       int64_t cache_stride, int64_t count, int32_t streaming) {
  if (cache_stride == 1 && source_stride == 1) {
    kvf_store_row(cache, source, count * (int64_t)sizeof *cache, streaming);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    cache[i * cache_stride] = source[i * source_stride];
  }
}

/* Tokens [begin, end) of one layer. */
static void write_layer(const kvf_reshape_and_cache_flash_layers_params *p, int64_t layer,
                        int64_t begin, int64_t end) {
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const uint16_t *key =
        (const uint16_t *)p->key.data + layer * p->key_layer_stride + token * p->key.stride[0];
    uint16_t *key_cache = (uint16_t *)p->key_caches[layer] + block * p->key_cache.stride[0] +
                          offset * p->key_cache.stride[1];
    const uint16_t *value = (const uint16_t *)p->value.data + layer * p->value_layer_stride +
                            token * p->value.stride[0];
    uint16_t *value_cache = (uint16_t *)p->value_caches[layer] + block * p->value_cache.stride[0] +
                            offset * p->value_cache.stride[1];
    for (int64_t head = 0; head < p->num_heads; ++head) {
      write_head(key + head * p->key.stride[1], p->key.stride[2],
                 key_cache + head * p->key_cache.stride[2], p->key_cache.stride[3], p->head_size,
                 p->streaming);
      write_head(value + head * p->value.stride[1], p->value.stride[2],
                 value_cache + head * p->value_cache.stride[2], p->value_cache.stride[3],
                 p->value_head_size, p->streaming);
    }
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_layers__bf16__bf16)(const void *params,
                                                                        int64_t begin, int64_t end);

/* Units [begin, end): the tokens of the first layer, and behind them those of the next ones. */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_layers__bf16__bf16)(const void *params,
                                                                        int64_t begin,
                                                                        int64_t end) {
  const kvf_reshape_and_cache_flash_layers_params *p = params;
  const int64_t tokens = p->slots.num_tokens;
  while (begin < end) {
    const int64_t layer = begin / tokens;
    const int64_t behind = (layer + 1) * tokens;
    const int64_t stop = behind < end ? behind : end;
    write_layer(p, layer, begin - layer * tokens, stop - layer * tokens);
    begin = stop;
  }
}
