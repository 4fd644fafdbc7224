/*
 * Generated from templates/cpu/reshape_and_cache_flash_layers.c.j2 and
 * generator/spec/reshape_and_cache_flash_layers.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache_flash_layers.h"
#include "kvforge/cpu_codes.h"

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, int8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_int8_from_f32(kvf_f32_from_f16(source[i * stride]) / scale);
    }
    return;
  }
  const bool exact = kvf_has_exact_reciprocal(scale);
  const kvf_divisor by = kvf_divide_by(scale);
  int64_t first = 0;
#if defined(KVF_PAIR)
  for (; first + KVF_PAIR <= count && (exact || by.quick); first += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_f16(x, source + first);
    for (int i = 0; i < 2; ++i) {
      x[i] = exact ? kvf_products(x[i], by.inverse) : kvf_quotients(x[i], by);
    }
    kvf_store_codes_f16(codes + first, kvf_int8_words(x[0]), kvf_int8_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    float wide[PART];
    kvf_widen_f16(wide, source + first, length);
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_int8_word_from_f32(wide[i] * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_int8_word_from_f32(kvf_quotient(wide[i], by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_int8_word_from_f32(wide[i] / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (int8_t)words[i];
    }
  }
}

/* One head of one token. Strides in elements. */
static void write_head(const uint16_t *source, int64_t source_stride, int8_t *cache,
                       int64_t cache_stride, int64_t count, float scale) {
  if (cache_stride == 1) {
    convert(source, source_stride, cache, count, scale);
    return;
  }
  enum { CHUNK = 256 };
  for (int64_t first = 0; first < count; first += CHUNK) {
    int8_t codes[CHUNK];
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    convert(source + first * source_stride, source_stride, codes, length, scale);
    for (int64_t i = 0; i < length; ++i) {
      cache[(first + i) * cache_stride] = codes[i];
    }
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
    int8_t *key_cache = (int8_t *)p->key_caches[layer] + block * p->key_cache.stride[0] +
                        offset * p->key_cache.stride[1];
    const uint16_t *value = (const uint16_t *)p->value.data + layer * p->value_layer_stride +
                            token * p->value.stride[0];
    int8_t *value_cache = (int8_t *)p->value_caches[layer] + block * p->value_cache.stride[0] +
                          offset * p->value_cache.stride[1];
    int64_t next_block;
    int64_t next_offset;
    if (token + 1 < end && kvf_locate(&p->slots, token + 1, &next_block, &next_offset)) {
      kvf_prefetch_row((int8_t *)p->key_caches[layer] + next_block * p->key_cache.stride[0] +
                           next_offset * p->key_cache.stride[1],
                       p->head_size);
      kvf_prefetch_row((int8_t *)p->value_caches[layer] + next_block * p->value_cache.stride[0] +
                           next_offset * p->value_cache.stride[1],
                       p->value_head_size);
    }
    for (int64_t head = 0; head < p->num_heads; ++head) {
      write_head(key + head * p->key.stride[1], p->key.stride[2],
                 key_cache + head * p->key_cache.stride[2], p->key_cache.stride[3], p->head_size,
                 ((const float *)p->k_scale
                      .data)[layer * p->k_scale_layer_stride + head * p->k_scale.stride[0]]);
      write_head(value + head * p->value.stride[1], p->value.stride[2],
                 value_cache + head * p->value_cache.stride[2], p->value_cache.stride[3],
                 p->value_head_size,
                 ((const float *)p->v_scale
                      .data)[layer * p->v_scale_layer_stride + head * p->v_scale.stride[0]]);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_layers__f16__int8)(const void *params,
                                                                       int64_t begin, int64_t end);

/* Units [begin, end): the tokens of the first layer, and behind them those of the next ones. */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_layers__f16__int8)(const void *params,
                                                                       int64_t begin, int64_t end) {
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
