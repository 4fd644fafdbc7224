/*
 * Generated from templates/cpu/concat_and_cache_mla.c.j2 and
 * generator/spec/concat_and_cache_mla.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/cpu_codes.h"

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e5m2_from_f32(kvf_f32_from_bf16(source[i * stride]) / scale);
    }
    return;
  }
  const bool exact = kvf_has_exact_reciprocal(scale);
  const kvf_divisor by = kvf_divide_by(scale);
  int64_t first = 0;
#if defined(KVF_PAIR)
  for (; first + KVF_PAIR <= count && (exact || by.quick); first += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_bf16(x, source + first);
    for (int i = 0; i < 2; ++i) {
      x[i] = exact ? kvf_products(x[i], by.inverse) : kvf_quotients(x[i], by);
    }
    kvf_store_codes_bf16(codes + first, kvf_fp8_e5m2_words(x[0]), kvf_fp8_e5m2_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(kvf_f32_from_bf16(source[first + i]) * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] =
            kvf_fp8_e5m2_word_from_f32(kvf_quotient(kvf_f32_from_bf16(source[first + i]), by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(kvf_f32_from_bf16(source[first + i]) / scale);
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

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__bf16__fp8_e5m2)(const void *params, int64_t begin,
                                                                  int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla__bf16__fp8_e5m2)(const void *params, int64_t begin,
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
    uint8_t *row = (uint8_t *)p->kv_cache.data + block * p->kv_cache.stride[0] +
                   offset * p->kv_cache.stride[1];
    int64_t ahead_block;
    int64_t ahead_offset;
    if (token + p->rows_ahead < end &&
        kvf_locate(&p->slots, token + p->rows_ahead, &ahead_block, &ahead_offset)) {
      kvf_prefetch_row((uint8_t *)p->kv_cache.data + ahead_block * p->kv_cache.stride[0] +
                           ahead_offset * p->kv_cache.stride[1],
                       (int64_t)p->kv_lora_rank + p->rope_dim);
    }
    const float scale = p->skip_scale ? 1.0f : *(const float *)p->scale.data;
    const float kpe_scale = p->skip_scale ? 1.0f : *(const float *)p->kpe_scale.data;
    uint8_t *kpe_row = (uint8_t *)p->kpe_cache.data + block * p->kpe_cache.stride[0] +
                       offset * p->kpe_cache.stride[1];
    write_run(kv_c, p->kv_c.stride[1], row, p->kv_cache.stride[2], p->kv_lora_rank, scale);
    write_run(k_pe, p->k_pe.stride[1], kpe_row, p->kpe_cache.stride[2], p->rope_dim, kpe_scale);
  }
}
