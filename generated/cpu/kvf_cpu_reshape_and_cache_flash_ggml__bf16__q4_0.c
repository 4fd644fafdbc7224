/*
 * Generated from templates/cpu/reshape_and_cache_flash_ggml.c.j2 and
 * generator/spec/reshape_and_cache_flash_ggml.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache_flash_ggml.h"
#include "kvforge/cache/cpu_ggml.h"

/* `count` elements of a row. `stride` is the source's, in elements. */
static void widen(float *restrict wide, const uint16_t *restrict source, int64_t stride,
                  int64_t count) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = kvf_f32_from_bf16(source[i]);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    wide[i] = kvf_f32_from_bf16(source[i * stride]);
  }
}

/* One head of one token. `stride` is the source's, in elements. */
static void write_head(const uint16_t *source, int64_t stride, uint8_t *row, int64_t size) {
  for (int64_t i = 0; i < size; i += KVF_GGML_BLOCK, row += KVF_Q4_0_BYTES) {
    float wide[KVF_GGML_BLOCK];
    widen(wide, source + i * stride, stride, KVF_GGML_BLOCK);
    kvf_encode_q4_0(row, wide);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_ggml__bf16__q4_0)(const void *params,
                                                                      int64_t begin, int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_ggml__bf16__q4_0)(const void *params,
                                                                      int64_t begin, int64_t end) {
  const kvf_reshape_and_cache_flash_ggml_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const uint16_t *key = (const uint16_t *)p->key.data + token * p->key.stride[0];
    uint8_t *key_cache = (uint8_t *)p->key_cache.data + block * p->key_cache.stride[0] +
                         offset * p->key_cache.stride[1];
    const uint16_t *value = (const uint16_t *)p->value.data + token * p->value.stride[0];
    uint8_t *value_cache = (uint8_t *)p->value_cache.data + block * p->value_cache.stride[0] +
                           offset * p->value_cache.stride[1];

    int64_t next_block = block;
    int64_t next_offset = offset;
    const bool follows =
        token + 1 < end && kvf_locate(&p->slots, token + 1, &next_block, &next_offset);
    const uint64_t key_ahead = follows ? (uint64_t)((next_block - block) * p->key_cache.stride[0] +
                                                    (next_offset - offset) * p->key_cache.stride[1])
                                       : 0;
    const uint64_t value_ahead = follows
                                     ? (uint64_t)((next_block - block) * p->value_cache.stride[0] +
                                                  (next_offset - offset) * p->value_cache.stride[1])
                                     : 0;

    for (int64_t head = 0; head < p->num_heads; ++head) {
      kvf_prefetch_behind(key_cache + head * p->key_cache.stride[2], key_ahead,
                          p->head_size / KVF_GGML_BLOCK * KVF_Q4_0_BYTES);
      kvf_prefetch_behind(key + head * p->key.stride[1], (uint64_t)p->key.stride[0] * sizeof *key,
                          p->head_size * (int64_t)sizeof *key);
      write_head(key + head * p->key.stride[1], p->key.stride[2],
                 key_cache + head * p->key_cache.stride[2], p->head_size);
      kvf_prefetch_behind(value_cache + head * p->value_cache.stride[2], value_ahead,
                          p->value_head_size / KVF_GGML_BLOCK * KVF_Q4_0_BYTES);
      kvf_prefetch_behind(value + head * p->value.stride[1],
                          (uint64_t)p->value.stride[0] * sizeof *value,
                          p->value_head_size * (int64_t)sizeof *value);
      write_head(value + head * p->value.stride[1], p->value.stride[2],
                 value_cache + head * p->value_cache.stride[2], p->value_head_size);
    }
  }
}
