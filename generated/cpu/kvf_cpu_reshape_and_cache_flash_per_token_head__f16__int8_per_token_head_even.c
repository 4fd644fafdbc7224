/*
 * Generated from templates/cpu/reshape_and_cache_flash_per_token_head.c.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/cpu_codes.h"
#include "kvforge/cpu_largest.h"
#include "kvforge/cache/per_token_head.h"

/* The largest magnitude of a row, NaNs left out, as the bits of a float. `stride` is the source's,
 * in elements. */
static uint32_t largest_of(const uint16_t *source, int64_t stride, int64_t count) {
  if (stride == 1) {
    return kvf_largest_f16(source, count);
  }
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t number = kvf_magnitude(kvf_f32_from_f16(source[i * stride]));
    largest = number > largest ? number : largest;
  }
  return largest;
}

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, int8_t *restrict codes,
                    int64_t count, float inverse) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_int8_from_f32(kvf_f32_from_f16(source[i * stride]) * inverse);
    }
    return;
  }
  int64_t first = 0;
#if defined(KVF_PAIR)
  for (; first + KVF_PAIR <= count; first += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_f16(x, source + first);
    for (int i = 0; i < 2; ++i) {
      x[i] = kvf_products(x[i], inverse);
    }
    kvf_store_codes_f16(codes + first, kvf_int8_words(x[0]), kvf_int8_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    float wide[PART];
    kvf_widen_f16(wide, source + first, length);
    for (int64_t i = 0; i < length; ++i) {
      words[i] = kvf_int8_word_from_f32(wide[i] * inverse);
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (int8_t)words[i];
    }
  }
}

/* One head of one token. Strides in elements. */
static void write_head(const uint16_t *source, int64_t source_stride, int8_t *cache,
                       int64_t cache_stride, int64_t count, float inverse) {
  if (cache_stride == 1) {
    convert(source, source_stride, cache, count, inverse);
    return;
  }
  enum { CHUNK = 256 };
  for (int64_t first = 0; first < count; first += CHUNK) {
    int8_t codes[CHUNK];
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    convert(source + first * source_stride, source_stride, codes, length, inverse);
    for (int64_t i = 0; i < length; ++i) {
      cache[(first + i) * cache_stride] = codes[i];
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head_even)(
    const void *params, int64_t begin, int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_per_token_head__f16__int8_per_token_head_even)(
    const void *params, int64_t begin, int64_t end) {
  const kvf_reshape_and_cache_flash_per_token_head_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const uint16_t *key = (const uint16_t *)p->key.data + token * p->key.stride[0];
    int8_t *key_cache = (int8_t *)p->key_cache.data + block * p->key_cache.stride[0] +
                        offset * p->key_cache.stride[1];
    const uint16_t *value = (const uint16_t *)p->value.data + token * p->value.stride[0];
    int8_t *value_cache = (int8_t *)p->value_cache.data + block * p->value_cache.stride[0] +
                          offset * p->value_cache.stride[1];

    float *k_scale_cache = (float *)p->k_scale_cache.data + block * p->k_scale_cache.stride[0] +
                           offset * p->k_scale_cache.stride[1];
    float *v_scale_cache = (float *)p->v_scale_cache.data + block * p->v_scale_cache.stride[0] +
                           offset * p->v_scale_cache.stride[1];
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

    kvf_prefetch_behind(k_scale_cache,
                        follows ? (uint64_t)((next_block - block) * p->k_scale_cache.stride[0] +
                                             (next_offset - offset) * p->k_scale_cache.stride[1]) *
                                      4
                                : 0,
                        p->num_heads * (int64_t)sizeof *k_scale_cache);
    kvf_prefetch_behind(v_scale_cache,
                        follows ? (uint64_t)((next_block - block) * p->v_scale_cache.stride[0] +
                                             (next_offset - offset) * p->v_scale_cache.stride[1]) *
                                      4
                                : 0,
                        p->num_heads * (int64_t)sizeof *v_scale_cache);
    /*
     * Scales of all heads first: one is a chain of steps that wait for each other, and those of
     * several heads overlap.
     */
    for (int64_t head = 0; head < p->num_heads; ++head) {
      const uint32_t largest =
          largest_of(key + head * p->key.stride[1], p->key.stride[2], p->head_size);
      k_scale_cache[head * p->k_scale_cache.stride[2]] =
          kvf_int8_per_token_head_even_scale(largest);
    }
    for (int64_t head = 0; head < p->num_heads; ++head) {
      kvf_prefetch_behind(key_cache + head * p->key_cache.stride[2], key_ahead, p->head_size);
      write_head(key + head * p->key.stride[1], p->key.stride[2],
                 key_cache + head * p->key_cache.stride[2], p->key_cache.stride[3], p->head_size,
                 1.0f / k_scale_cache[head * p->k_scale_cache.stride[2]]);
    }
    for (int64_t head = 0; head < p->num_heads; ++head) {
      const uint32_t largest =
          largest_of(value + head * p->value.stride[1], p->value.stride[2], p->value_head_size);
      v_scale_cache[head * p->v_scale_cache.stride[2]] =
          kvf_int8_per_token_head_even_scale(largest);
    }
    for (int64_t head = 0; head < p->num_heads; ++head) {
      kvf_prefetch_behind(value_cache + head * p->value_cache.stride[2], value_ahead,
                          p->value_head_size);
      write_head(value + head * p->value.stride[1], p->value.stride[2],
                 value_cache + head * p->value_cache.stride[2], p->value_cache.stride[3],
                 p->value_head_size, 1.0f / v_scale_cache[head * p->v_scale_cache.stride[2]]);
    }
  }
}
