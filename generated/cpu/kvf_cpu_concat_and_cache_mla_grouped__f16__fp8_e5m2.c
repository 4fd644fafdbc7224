/*
 * Generated from templates/cpu/concat_and_cache_mla_grouped.c.j2 and
 * generator/spec/concat_and_cache_mla_grouped.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla_grouped.h"
#include "kvforge/cpu_codes.h"

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e5m2_from_f32(kvf_f32_from_f16(source[i * stride]) / scale);
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
    kvf_store_codes_f16(codes + first, kvf_fp8_e5m2_words(x[0]), kvf_fp8_e5m2_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    float wide[PART];
    kvf_widen_f16(wide, source + first, length);
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(wide[i] * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(kvf_quotient(wide[i], by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(wide[i] / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (uint8_t)words[i];
    }
  }
}

/* A run of elements. Strides in elements. */
static void write_run(const uint16_t *source, int64_t source_stride, uint8_t *cache,
                      int64_t cache_stride, int64_t count, float scale) {
  if (cache_stride == 1) {
    convert(source, source_stride, cache, count, scale);
    return;
  }
  enum { CHUNK = 256 };
  for (int64_t first = 0; first < count; first += CHUNK) {
    uint8_t codes[CHUNK];
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    convert(source + first * source_stride, source_stride, codes, length, scale);
    for (int64_t i = 0; i < length; ++i) {
      cache[(first + i) * cache_stride] = codes[i];
    }
  }
}

/* Where a token of a layer goes; NULL when it is to be skipped. */
static uint8_t *find_row(const kvf_concat_and_cache_mla_grouped_params *p, int64_t layer,
                         int64_t token) {
  kvf_slots slots = p->slots;
  int64_t block;
  int64_t offset;
  slots.mapping = (const char *)slots.mapping + layer * p->slots_layer_stride * slots.index_bytes;
  if (!kvf_locate(&slots, token, &block, &offset)) {
    return NULL;
  }
  const int64_t base = kvf_index_at(p->kv_cache_ptrs.data, 8, layer * p->kv_cache_ptrs.stride[0]);
  if (base == 0) {
    return NULL;
  }
  return (uint8_t *)(uintptr_t)base + block * p->block_stride + offset * p->entry_stride;
}

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla_grouped__f16__fp8_e5m2)(const void *params,
                                                                         int64_t begin,
                                                                         int64_t end);

/* Tokens [begin, end), those of a layer behind those of the layer before it. */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla_grouped__f16__fp8_e5m2)(const void *params,
                                                                         int64_t begin,
                                                                         int64_t end) {
  const kvf_concat_and_cache_mla_grouped_params *p = params;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t layer = i / p->slots.num_tokens;
    const int64_t token = i % p->slots.num_tokens;
    const int64_t later = i + p->rows_ahead;
    const uint8_t *ahead =
        later < end ? find_row(p, later / p->slots.num_tokens, later % p->slots.num_tokens) : NULL;
    if (ahead != NULL) {
      kvf_prefetch_row(ahead, (int64_t)p->kv_lora_rank + p->rope_dim);
    }
    uint8_t *row = find_row(p, layer, token);
    if (row == NULL) {
      continue;
    }
    const uint16_t *kv_c =
        (const uint16_t *)p->kv_c.data + layer * p->kv_c.stride[0] + token * p->kv_c.stride[1];
    const uint16_t *k_pe =
        (const uint16_t *)p->k_pe.data + layer * p->k_pe.stride[0] + token * p->k_pe.stride[1];
    const float scale = ((const float *)p->kv_scales.data)[layer * p->kv_scales.stride[0]];
    write_run(kv_c, p->kv_c.stride[2], row, 1, p->kv_lora_rank, scale);
    write_run(k_pe, p->k_pe.stride[2], row + p->kv_lora_rank, 1, p->rope_dim, scale);
  }
}
