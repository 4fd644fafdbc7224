/*
 * Generated from templates/cpu/concat_and_cache_mla_rope_fused.c.j2 and
 * generator/spec/concat_and_cache_mla_rope_fused.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"
#include "kvforge/cpu_codes.h"
#include "kvforge/cache/rope.h"

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const float *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e5m2_from_f32(kvf_f32_from_f32(source[i * stride]) / scale);
    }
    return;
  }
  const bool exact = kvf_has_exact_reciprocal(scale);
  const kvf_divisor by = kvf_divide_by(scale);
  int64_t first = 0;
#if defined(KVF_PAIR)
  for (; first + KVF_PAIR <= count && (exact || by.quick); first += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_f32(x, source + first);
    for (int i = 0; i < 2; ++i) {
      x[i] = exact ? kvf_products(x[i], by.inverse) : kvf_quotients(x[i], by);
    }
    kvf_store_codes_f32(codes + first, kvf_fp8_e5m2_words(x[0]), kvf_fp8_e5m2_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(kvf_f32_from_f32(source[first + i]) * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] =
            kvf_fp8_e5m2_word_from_f32(kvf_quotient(kvf_f32_from_f32(source[first + i]), by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(kvf_f32_from_f32(source[first + i]) / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (uint8_t)words[i];
    }
  }
}

/* A run of elements. Strides in elements. */
static void write_run(const float *source, int64_t source_stride, uint8_t *cache,
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

/* Pairs that are rotated together. */
enum { PART = 64 };

/*
 * `count` pairs in place, x and y being rows of their own. Always inlined, so that
 * the usual count is a number that a compiler knows.
 */
KVF_INLINE void rotate_rows(float *restrict x, float *restrict y, const float *restrict cosines,
                            const float *restrict sines, int64_t count) {
  float before[2][PART];
  float after[2][PART];
  for (int64_t i = 0; i < count; ++i) {
    before[0][i] = kvf_f32_from_f32(x[i]);
    before[1][i] = kvf_f32_from_f32(y[i]);
  }
  for (int64_t i = 0; i < count; ++i) {
    const float x_cos = before[0][i] * cosines[i];
    const float y_sin = before[1][i] * sines[i];
    const float y_cos = before[1][i] * cosines[i];
    const float x_sin = before[0][i] * sines[i];
    after[0][i] = kvf_rotated_f32(x_cos - y_sin);
    after[1][i] = kvf_rotated_f32(y_cos + x_sin);
  }
  for (int64_t i = 0; i < count; ++i) {
    x[i] = after[0][i];
    y[i] = after[1][i];
  }
}

static void rotate(float *x, float *y, const float *cosines, const float *sines, int64_t count) {
  enum { USUAL = 32 }; /* rope_dim is 64 in all models so far */
  if (count == USUAL) {
    rotate_rows(x, y, cosines, sines, USUAL);
  } else {
    rotate_rows(x, y, cosines, sines, count);
  }
}

/* Pairs [first, first + count) of a row. `stride` in elements. */
static void rotate_part(const kvf_concat_and_cache_mla_rope_fused_params *p, float *row,
                        int64_t stride, int64_t first, int64_t count, const float *cosines,
                        const float *sines) {
  const int64_t step = p->is_neox ? stride : 2 * stride; /* from one pair to the next */
  float *x = row + first * step;
  float *y = x + (p->is_neox ? p->rope_dim / 2 * stride : stride);
  if (step == 1) {
    rotate(x, y, cosines, sines, count);
    return;
  }
  float apart[2][PART];
  if (step == 2 && y == x + 1) {
    for (int64_t i = 0; i < count; ++i) {
      apart[0][i] = x[2 * i];
      apart[1][i] = x[2 * i + 1];
    }
    rotate(apart[0], apart[1], cosines, sines, count);
    for (int64_t i = 0; i < count; ++i) {
      x[2 * i] = apart[0][i];
      x[2 * i + 1] = apart[1][i];
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    apart[0][i] = x[i * step];
    apart[1][i] = y[i * step];
  }
  rotate(apart[0], apart[1], cosines, sines, count);
  for (int64_t i = 0; i < count; ++i) {
    x[i * step] = apart[0][i];
    y[i * step] = apart[1][i];
  }
}

/* The queries of a token at a position, and its key unless that is NULL. */
static void rotate_token(const kvf_concat_and_cache_mla_rope_fused_params *p, int64_t token,
                         int64_t position, float *k_pe) {
  const float *angles =
      (const float *)p->cos_sin_cache.data + position * p->cos_sin_cache.stride[0];
  const int64_t pairs = p->rope_dim / 2;
  const int64_t step = p->cos_sin_cache.stride[1];
  for (int64_t first = 0; first < pairs; first += PART) {
    const int64_t count = pairs - first < PART ? pairs - first : PART;
    float cosines[PART];
    float sines[PART];
    for (int64_t i = 0; i < count; ++i) {
      cosines[i] = angles[(first + i) * step];
      sines[i] = angles[(pairs + first + i) * step];
    }
    for (int64_t head = 0; head < p->num_heads; ++head) {
      float *q_pe = (float *)p->q_pe.data + token * p->q_pe.stride[0] + head * p->q_pe.stride[1];
      rotate_part(p, q_pe, p->q_pe.stride[2], first, count, cosines, sines);
    }
    if (k_pe != NULL) {
      rotate_part(p, k_pe, p->k_pe.stride[1], first, count, cosines, sines);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla_rope_fused__f32__fp8_e5m2)(const void *params,
                                                                            int64_t begin,
                                                                            int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_concat_and_cache_mla_rope_fused__f32__fp8_e5m2)(const void *params,
                                                                            int64_t begin,
                                                                            int64_t end) {
  const kvf_concat_and_cache_mla_rope_fused_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    const int64_t position =
        kvf_index_at(p->positions.data, p->position_bytes, token * p->positions.stride[0]);
    if (position < 0 || position >= p->num_positions) {
      continue;
    }
    int64_t block;
    int64_t offset;
    const bool writes = kvf_locate(&p->slots, token, &block, &offset);
    if (!writes && !p->rotate_skipped) {
      continue;
    }
    int64_t ahead_block;
    int64_t ahead_offset;
    if (token + p->rows_ahead < end &&
        kvf_locate(&p->slots, token + p->rows_ahead, &ahead_block, &ahead_offset)) {
      kvf_prefetch_row((uint8_t *)p->kv_cache.data + ahead_block * p->kv_cache.stride[0] +
                           ahead_offset * p->kv_cache.stride[1],
                       (int64_t)p->kv_lora_rank + p->rope_dim);
    }
    float *k_pe = writes ? (float *)p->k_pe.data + token * p->k_pe.stride[0] : NULL;
    if (p->rope_dim > 0) {
      rotate_token(p, token, position, k_pe);
    }
    if (!writes) {
      continue;
    }
    const float *kv_c = (const float *)p->kv_c.data + token * p->kv_c.stride[0];
    uint8_t *row = (uint8_t *)p->kv_cache.data + block * p->kv_cache.stride[0] +
                   offset * p->kv_cache.stride[1];
    const float scale = *(const float *)p->kv_cache_scale.data;
    write_run(kv_c, p->kv_c.stride[1], row, p->kv_cache.stride[2], p->kv_lora_rank, scale);
    write_run(k_pe, p->k_pe.stride[1], row + p->kv_lora_rank * p->kv_cache.stride[2],
              p->kv_cache.stride[2], p->rope_dim, scale);
  }
}
