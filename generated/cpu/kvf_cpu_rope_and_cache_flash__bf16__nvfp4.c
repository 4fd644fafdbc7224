/*
 * Generated from templates/cpu/rope_and_cache_flash.c.j2 and
 * generator/spec/rope_and_cache_flash.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/rope_and_cache_flash.h"
#include "kvforge/cpu_fp4.h"
#include "kvforge/cache/cpu_norm.h"
#include "kvforge/cache/nvfp4.h"
#include "kvforge/cache/rope.h"
#include "kvforge/cpu_numbers.h"

#include <float.h>

/* Elements that are worked on at a time. */
enum { GROUP = KVF_NVFP4_GROUP, GROUPS = 32, SPAN = GROUPS * GROUP };

/* Where the block scales of a token and a head are. Strides in bytes. */
typedef struct scale_place {
  uint8_t *head; /* those of the page's first token */
  int64_t token_stride;
  int64_t offset;    /* of the token in its page */
  uint32_t swizzled; /* that many of a head together; 0: none */
} scale_place;

/* Block scales of `count` groups of a token, from group `first` on. Heads may have been joined. */
static inline void put_scales(const scale_place *place, int64_t first, const uint32_t *block_scales,
                              int64_t count) {
  if (place->swizzled == 0) {
    uint8_t *scales = place->head + place->offset * place->token_stride + first;
    for (int64_t i = 0; i < GROUPS && i < count; ++i) { /* no more, which compilers do not see */
      scales[i] = (uint8_t)block_scales[i];
    }
    return;
  }
  const uint32_t quarter = place->swizzled / 4;
  const int64_t in_four = place->offset % 4;
  uint32_t group = (uint32_t)first % place->swizzled;
  int64_t before = first - group;
  uint32_t part = group / quarter; /* as kvf_nvfp4_swizzle() has it, without a division for each */
  group -= part * quarter;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t token = place->offset - in_four + part;
    place->head[token * place->token_stride + before + 4 * group + in_four] =
        (uint8_t)block_scales[i];
    group = group + 1 < quarter ? group + 1 : 0;
    part += group == 0;
    before += part == 4 ? place->swizzled : 0;
    part %= 4;
  }
}

/*
 * `count` groups, whose largest elements become `top`.
 * Inline, like the functions around it, for a count that a compiler knows.
 */
KVF_INLINE void encode_part(const float *wide, const uint32_t *largest, float top, uint8_t *codes,
                            uint32_t *block_scales, float inverse, int64_t count) {
  float multipliers[GROUPS];
  KVF_VECTORISE
  for (int64_t group = 0; group < count; ++group) {
    block_scales[group] = kvf_nvfp4_block_scale(largest[group], top, inverse);
  }
  KVF_VECTORISE
  for (int64_t group = 0; group < count; ++group) {
    multipliers[group] = kvf_nvfp4_multiplier(block_scales[group], inverse);
  }
  kvf_narrow_e2m1(codes, wide, multipliers, count);
}

KVF_INLINE void write_part(const float *wide, uint8_t *codes, uint32_t *block_scales, float inverse,
                           int64_t count) {
  uint32_t largest[GROUPS];
  kvf_largest_of_16(largest, wide, count);
  encode_part(wide, largest, 6.0f, codes, block_scales, inverse, count);
}

/*
 * Elements [first, first + length) of a head, whole groups and no more than SPAN, to its codes and
 * block scales. `wide` has room for SPAN, and what is behind `length` afterwards is not defined.
 */
static void write_groups(float *wide, int64_t first, int64_t length, uint8_t *restrict codes,
                         const scale_place *place, float scale) {
  const float inverse = 1.0f / scale;
  uint32_t block_scales[GROUPS] = {0}; /* of the groups that there are */
  uint8_t bytes[SPAN / 2];
  if (length == SPAN) {
    write_part(wide, codes + first / 2, block_scales, inverse, GROUPS);
  } else if (length == SPAN / 4) { /* the usual head */
    write_part(wide, codes + first / 2, block_scales, inverse, GROUPS / 4);
  } else { /* only the beginning is written out */
    memset(wide + length, 0, (size_t)(SPAN - length) * sizeof *wide);
    if (length > SPAN / 2) {
      write_part(wide, bytes, block_scales, inverse, GROUPS);
    } else if (length > SPAN / 4) {
      write_part(wide, bytes, block_scales, inverse, GROUPS / 2);
    } else if (length > SPAN / 8) {
      write_part(wide, bytes, block_scales, inverse, GROUPS / 4);
    } else {
      write_part(wide, bytes, block_scales, inverse, GROUPS / 8);
    }
    memcpy(codes + first / 2, bytes, (size_t)length / 2);
  }
  put_scales(place, first / GROUP, block_scales, length / GROUP);
}

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert_to_fp8_e4m3(const float *restrict source, int64_t stride,
                                uint8_t *restrict codes, int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e4m3_from_f32(kvf_f32_from_f32(source[i * stride]) / scale);
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
    kvf_store_codes_f32(codes + first, kvf_fp8_e4m3_words(x[0]), kvf_fp8_e4m3_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(kvf_f32_from_f32(source[first + i]) * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] =
            kvf_fp8_e4m3_word_from_f32(kvf_quotient(kvf_f32_from_f32(source[first + i]), by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(kvf_f32_from_f32(source[first + i]) / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (uint8_t)words[i];
    }
  }
}

/* Floats of a head as codes. Strides in elements. */
static void write_fp8_e4m3(const float *source, int64_t source_stride, uint8_t *cache,
                           int64_t cache_stride, int64_t count, float scale) {
  if (cache_stride == 1) {
    convert_to_fp8_e4m3(source, source_stride, cache, count, scale);
    return;
  }
  enum { CHUNK = 256 };
  for (int64_t first = 0; first < count; first += CHUNK) {
    uint8_t codes[CHUNK];
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    convert_to_fp8_e4m3(source + first * source_stride, source_stride, codes, length, scale);
    for (int64_t i = 0; i < length; ++i) {
      cache[(first + i) * cache_stride] = codes[i];
    }
  }
}

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert_to_fp8_e5m2(const float *restrict source, int64_t stride,
                                uint8_t *restrict codes, int64_t count, float scale) {
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

/* Floats of a head as codes. Strides in elements. */
static void write_fp8_e5m2(const float *source, int64_t source_stride, uint8_t *cache,
                           int64_t cache_stride, int64_t count, float scale) {
  if (cache_stride == 1) {
    convert_to_fp8_e5m2(source, source_stride, cache, count, scale);
    return;
  }
  enum { CHUNK = 256 };
  for (int64_t first = 0; first < count; first += CHUNK) {
    uint8_t codes[CHUNK];
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    convert_to_fp8_e5m2(source + first * source_stride, source_stride, codes, length, scale);
    for (int64_t i = 0; i < length; ++i) {
      cache[(first + i) * cache_stride] = codes[i];
    }
  }
}

/* Pairs that are rotated together, and heads that are looked at together. */
enum { PAIRS = 64, HEADS = 32 };

/* `count` elements of a row as floats. `stride` in elements. */
KVF_INLINE void widen(float *restrict to, const uint16_t *restrict from, int64_t stride,
                      int64_t count) {
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      to[i] = kvf_f32_from_bf16(from[i * stride]);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    to[i] = kvf_f32_from_bf16(from[i]);
  }
}

/* Floats as `count` elements of a row. */
KVF_INLINE void narrow(uint16_t *restrict to, int64_t stride, const float *restrict from,
                       int64_t count) {
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      to[i * stride] = kvf_bf16_from_f32(from[i]);
    }
    return;
  }
  kvf_narrow_bf16(to, from, count);
}

/* `count` floats to what bf16 can hold. */
KVF_INLINE void round_row(float *row, int64_t count) { kvf_round_row_bf16(row, count); }

/* Elements [first, first + count) of a row, zeros behind its end. */
KVF_INLINE void load_half(float *restrict to, const uint16_t *row, int64_t stride, int64_t size,
                          int64_t first, int64_t count) {
  int64_t there = size - first < count ? size - first : count;
  there = there > 0 ? there : 0;
  widen(to, row + first * stride, stride, there);
  for (int64_t i = there; i < count; ++i) {
    to[i] = 0;
  }
}

/* The sum of the squares of a row. */
static float sum_of_squares(const uint16_t *row, int64_t stride, int32_t size) {
  const int64_t half = kvf_lower_half(size);
  float low[KVF_SUM_HALF];
  float high[KVF_SUM_HALF];
  float sum = 0;
  for (int64_t first = 0; first < half; first += KVF_SUM_HALF) {
    const int64_t count = half - first < KVF_SUM_HALF ? half - first : KVF_SUM_HALF;
    load_half(low, row, stride, size, first, count);
    load_half(high, row, stride, size, half + first, count);
    sum += kvf_sum_group(low, high, count);
  }
  return sum;
}

/* Those of rows that are `pitch` apart, at most HEADS; sums behind theirs are not defined. */
static void sums_of_squares(float sums[HEADS], const uint16_t *rows, int64_t pitch, int64_t count,
                            int64_t stride, int32_t size) {
  enum { USUAL = 64, TOGETHER = KVF_SUMS_TOGETHER };
  if (size != 2 * USUAL || stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      sums[i] = sum_of_squares(rows + i * pitch, stride, size);
    }
    return;
  }
  for (int64_t first = 0; first < count; first += TOGETHER) {
    kvf_floats squares[TOGETHER][USUAL / KVF_WIDTH];
    for (int64_t i = 0; i < TOGETHER; ++i) {
      const uint16_t *row = rows + (first + i < count ? first + i : count - 1) * pitch;
      for (int part = 0; part < USUAL / KVF_SPAN; ++part) {
        kvf_floats x[KVF_SPAN_PARTS];
        kvf_floats y[KVF_SPAN_PARTS];
        kvf_take_span_bf16(x, row + part * KVF_SPAN);
        kvf_take_span_bf16(y, row + USUAL + part * KVF_SPAN);
        for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
          squares[i][part * KVF_SPAN_PARTS + k] = x[k] * x[k] + y[k] * y[k];
        }
      }
    }
    kvf_sum_64_apart(sums + first, (const kvf_floats(*)[USUAL / KVF_WIDTH]) squares);
  }
}

/* Elements of every head: one or two runs of `length`, from `first` and from first + `apart` on. */
typedef struct part {
  int64_t first;
  int64_t length;
  int64_t apart; /* of two runs */
  int64_t runs;
  int64_t pairs; /* that are rotated, 0 for none */
  bool spans;    /* make_spans() serves */
  bool plain;    /* heads are normed, and angles are numbers that cannot make others overflow */
  _Alignas(64) float cosines[PAIRS];
  _Alignas(64) float sines[PAIRS];
} part;

/* What the elements of a part are multiplied by: of a run each, or of the two elements of pairs in
 * spans. */
typedef struct part_weights {
  int64_t first; /* of the part; no other token has others */
  bool plain;    /* as of angles */
  _Alignas(64) float of[2][2 * PAIRS];
} part_weights;

/* Whether no magnitude is above a limit, or is that of a NaN. */
KVF_INLINE bool are_below(const float *numbers, int64_t count, float limit) {
  uint32_t most = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t magnitude = kvf_bits(numbers[i]) & 0x7FFFFFFFu;
    most = magnitude > most ? magnitude : most;
  }
  return most <= kvf_bits(limit);
}

/* Element i of a vector of floats or of bf16. */
KVF_INLINE float number_at(const void *vector, int32_t bytes, int64_t i) {
  return bytes == 4 ? ((const float *)vector)[i] : kvf_f32_from_bf16(((const uint16_t *)vector)[i]);
}

/* Numbers [first, first + count) of such a vector. */
static void load_numbers(float *to, const void *vector, int32_t bytes, int64_t stride,
                         int64_t first, int64_t count) {
  if (stride == 1 && bytes == 4) {
    memcpy(to, (const float *)vector + first, (size_t)count * sizeof *to);
    return;
  }
  if (stride == 1) {
    widen(to, (const uint16_t *)vector + first, 1, count);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    to[i] = number_at(vector, bytes, (first + i) * stride);
  }
}

/*
 * The part of a token's heads that begins with pair `first`, or behind all pairs; the next one's
 * begin. `stride`: of the elements of heads.
 */
static int64_t find_part(const kvf_rope_and_cache_flash_params *p, int64_t position, int64_t first,
                         int64_t stride, part *found) {
  const int64_t pairs = p->rotary_dim / 2;
  if (first >= pairs) {
    const int64_t element = p->rotary_dim + (first - pairs);
    const int64_t rest = p->head_size - element;
    found->first = element;
    found->length = rest < 2 * PAIRS ? rest : 2 * PAIRS;
    found->runs = 1;
    found->pairs = 0;
    found->spans = false;
    found->plain = false;
    return first + found->length;
  }
  const int64_t count = pairs - first < PAIRS ? pairs - first : PAIRS;
  found->first = p->is_neox ? first : 2 * first;
  found->length = p->is_neox ? count : 2 * count;
  found->apart = pairs;
  found->runs = p->is_neox ? 2 : 1;
  found->pairs = count;
  found->spans = count % KVF_SPAN == 0 && stride == 1;
  const char *angles =
      (const char *)p->cos_sin_cache.data + position * p->cos_sin_cache.stride[0] * p->angle_bytes;
  load_numbers(found->cosines, angles, p->angle_bytes, p->cos_sin_cache.stride[1], first, count);
  load_numbers(found->sines, angles, p->angle_bytes, p->cos_sin_cache.stride[1], pairs + first,
               count);
  found->plain = (p->norms_q || p->norms_k) && are_below(found->cosines, count, 0x1p20f) &&
                 are_below(found->sines, count, 0x1p20f);
  for (int64_t i = 0; i < count && found->spans && found->runs == 2; i += KVF_SPAN) {
    kvf_order_span_bf16(found->cosines + i);
    kvf_order_span_bf16(found->sines + i);
  }
  return first + count;
}

/* Asks for a part of what is `distance` bytes behind a head: the next token's, as memory is not
 * read that far ahead. */
KVF_INLINE void prefetch_part(const part *which, const uint16_t *head, uint64_t distance) {
  for (int64_t run = 0; run < which->runs; ++run) {
    const int64_t first = which->first + (run > 0 ? which->apart : 0);
    kvf_prefetch_behind(head + first, distance, which->length * (int64_t)sizeof *head);
  }
}

/* Asks for where the codes of the next token's query go. */
KVF_INLINE void prefetch_codes(const kvf_rope_and_cache_flash_params *p, const part *which,
                               int64_t token, int64_t head) {
  const uint8_t *codes =
      (const uint8_t *)p->q_out.data + token * p->q_out.stride[0] + head * p->q_out.stride[1];
  for (int64_t run = 0; run < which->runs; ++run) {
    const int64_t first = which->first + (run > 0 ? which->apart : 0);
    kvf_prefetch_behind(codes + first, (uint64_t)p->q_out.stride[0], which->length);
  }
}

/* The weights that go with a part, for queries or keys. */
static void load_weights(const kvf_rope_and_cache_flash_params *p, const part *which,
                         const kvf_view *weight, int32_t bytes, part_weights *held) {
  if (held->first == which->first) {
    return;
  }
  held->first = which->first;
  held->plain = true;
  const bool zipped = which->spans && which->runs == 1;
  for (int64_t run = 0; run < which->runs; ++run) {
    float *weights = held->of[run];
    for (int64_t i = 0; i < which->length; ++i) {
      weights[i] = 1.0f;
    }
    if (weight->data != NULL) {
      load_numbers(weights, weight->data, bytes, weight->stride[0],
                   which->first + (run > 0 ? which->apart : 0), which->length);
    }
    for (int64_t i = 0; i < which->length; ++i) {
      weights[i] += p->weight_bias;
    }
    held->plain = held->plain && are_below(weights, which->length, 0x1p30f);
    for (int64_t i = 0; i < which->length && which->spans && which->runs == 2; i += KVF_SPAN) {
      kvf_order_span_bf16(weights + i);
    }
  }
  for (int64_t i = 0; i < which->pairs && zipped; ++i) {
    held->of[1][i] = held->of[0][2 * i + 1];
    held->of[0][i] = held->of[0][2 * i];
  }
}

/*
 * Whether what becomes of a head with this factor is made of numbers, none of them above 2^70: its
 * squares have a sum, and no element is above the root of all of it, 2^16 times their mean's.
 */
KVF_INLINE bool are_numbers(const part *which, const part_weights *weights, const float *factor) {
  return factor != NULL && which->plain && weights->plain && *factor > 0 && *factor <= FLT_MAX;
}

/* A run of a head, normed. */
KVF_INLINE void norm(float *restrict run, const float *restrict weights, float factor,
                     int64_t count, bool rounds) {
  for (int64_t i = 0; i < count; ++i) {
    run[i] = run[i] * factor * weights[i];
  }
  if (rounds) {
    round_row(run, count);
  }
}

/* Pairs whose elements are in runs of their own. */
KVF_INLINE void rotate_halves(float *restrict x, float *restrict y, const float *restrict cosines,
                              const float *restrict sines, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float a = x[i];
    const float b = y[i];
    x[i] = a * cosines[i] - b * sines[i];
    y[i] = b * cosines[i] + a * sines[i];
  }
}

/* Pairs of neighbours. */
KVF_INLINE void rotate_neighbours(float *restrict run, const float *restrict cosines,
                                  const float *restrict sines, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    const float a = run[2 * i];
    const float b = run[2 * i + 1];
    run[2 * i] = a * cosines[i] - b * sines[i];
    run[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}

/*
 * A part of a head as floats. `factor`: NULL without a norm. `rounds`: to what bf16 can hold; else
 * that is done as it is stored. Always inlined, so that the usual length is a number that a
 * compiler knows.
 */
KVF_INLINE void make_runs(const kvf_rope_and_cache_flash_params *p, const part *which,
                          const uint16_t *head, int64_t stride, const float *factor,
                          const part_weights *weights, bool rounds, float runs[2][2 * PAIRS],
                          int64_t length) {
  for (int64_t run = 0; run < which->runs; ++run) {
    widen(runs[run], head + (which->first + (run > 0 ? which->apart : 0)) * stride, stride, length);
    if (factor != NULL) {
      norm(runs[run], weights->of[run], *factor, length, p->rounding == KVF_ROUND_UNFUSED);
    }
  }
  if (which->pairs > 0 && which->runs == 2) {
    rotate_halves(runs[0], runs[1], which->cosines, which->sines, length);
  } else if (which->pairs > 0) {
    rotate_neighbours(runs[0], which->cosines, which->sines, length / 2);
  }
  if (rounds) {
    for (int64_t run = 0; run < which->runs; ++run) {
      round_row(runs[run], length);
    }
  }
}

/* Spans that registers have room for, so that few constants are loaded for many elements. */
#if defined(__AVX512F__)
enum { TOGETHER = 2 };
#else
enum { TOGETHER = 1 };
#endif

/* Whether a part is so many spans, or several times as many. */
KVF_INLINE bool are_together(const part *which) {
  return which->pairs % (TOGETHER * KVF_SPAN) == 0;
}

/* `count` spans to what bf16 can hold. */
KVF_INLINE void round_spans(kvf_floats *x, kvf_floats *y, int count, bool numbers) {
  for (int k = 0; k < count * KVF_SPAN_PARTS; k += KVF_SPAN_PARTS) {
    if (numbers) {
      kvf_round_numbers_bf16(x + k);
      kvf_round_numbers_bf16(y + k);
    } else {
      kvf_round_span_bf16(x + k);
      kvf_round_span_bf16(y + k);
    }
  }
}

/*
 * Elements of `count` times KVF_SPAN pairs from `i` on, the first ones in x: the same without a way
 * through memory between the steps. Pairs have halves of their own, or are neighbours. `numbers`:
 * as are_numbers() says.
 */
KVF_INLINE void make_spans(const kvf_rope_and_cache_flash_params *p, const part *which,
                           const uint16_t *head, const float *factor, const part_weights *weights,
                           bool rounds, bool numbers, int64_t i, int count, kvf_floats *x,
                           kvf_floats *y) {
  if (which->runs == 2) {
    for (int k = 0; k < count; ++k) {
      kvf_take_span_bf16(x + k * KVF_SPAN_PARTS, head + which->first + i + k * KVF_SPAN);
      kvf_take_span_bf16(y + k * KVF_SPAN_PARTS,
                         head + which->first + which->apart + i + k * KVF_SPAN);
    }
  } else {
    for (int k = 0; k < count; ++k) {
      kvf_unzip_span_bf16(x + k * KVF_SPAN_PARTS, y + k * KVF_SPAN_PARTS,
                          head + which->first + 2 * (i + k * KVF_SPAN));
    }
  }
  if (factor != NULL) {
    for (int k = 0; k < count * KVF_SPAN_PARTS; ++k) {
      x[k] = x[k] * *factor * kvf_load_floats(weights->of[0] + i + k * KVF_WIDTH);
      y[k] = y[k] * *factor * kvf_load_floats(weights->of[1] + i + k * KVF_WIDTH);
    }
    if (p->rounding == KVF_ROUND_UNFUSED) {
      round_spans(x, y, count, numbers);
    }
  }
  for (int k = 0; k < count * KVF_SPAN_PARTS; ++k) {
    const kvf_floats cosines = kvf_load_floats(which->cosines + i + k * KVF_WIDTH);
    const kvf_floats sines = kvf_load_floats(which->sines + i + k * KVF_WIDTH);
    const kvf_floats a = x[k];
    x[k] = a * cosines - y[k] * sines;
    y[k] = y[k] * cosines + a * sines;
  }
  if (rounds) {
    round_spans(x, y, count, numbers);
  }
}

/* Even and odd elements as neighbours. */
KVF_INLINE void narrow_zipped(uint16_t *to, const kvf_floats *even, const kvf_floats *odd,
                              bool numbers) {
  if (numbers) {
    kvf_narrow_zipped_numbers_bf16(to, even, odd);
    return;
  }
  kvf_narrow_zipped_bf16(to, even, odd);
}

/* Spans to where they belong among the elements of a head. */
KVF_INLINE void narrow_spans(uint16_t *to, const part *which, int64_t i, const kvf_floats *x,
                             const kvf_floats *y, bool numbers) {
  if (which->runs == 2) {
    narrow_zipped(to + which->first + i, x, x + KVF_HALF_PARTS, numbers);
    narrow_zipped(to + which->first + which->apart + i, y, y + KVF_HALF_PARTS, numbers);
    return;
  }
  uint16_t *pairs = to + which->first + 2 * i;
  narrow_zipped(pairs, x, y, numbers);
  narrow_zipped(pairs + KVF_SPAN, x + KVF_HALF_PARTS, y + KVF_HALF_PARTS, numbers);
}

/* A part with spans as floats. */
KVF_INLINE void make_span_runs(const kvf_rope_and_cache_flash_params *p, const part *which,
                               const uint16_t *head, const float *factor,
                               const part_weights *weights, bool rounds, bool numbers,
                               float runs[2][2 * PAIRS]) {
  for (int64_t i = 0; i < which->pairs; i += KVF_SPAN) {
    kvf_floats x[KVF_SPAN_PARTS];
    kvf_floats y[KVF_SPAN_PARTS];
    make_spans(p, which, head, factor, weights, rounds, numbers, i, 1, x, y);
    if (which->runs == 2) {
      kvf_store_zipped(runs[0] + i, x, x + KVF_HALF_PARTS);
      kvf_store_zipped(runs[1] + i, y, y + KVF_HALF_PARTS);
    } else {
      kvf_store_zipped(runs[0] + 2 * i, x, y);
      kvf_store_zipped(runs[0] + 2 * i + KVF_SPAN, x + KVF_HALF_PARTS, y + KVF_HALF_PARTS);
    }
  }
}

static void make_part(const kvf_rope_and_cache_flash_params *p, const part *which,
                      const uint16_t *head, int64_t stride, const float *factor,
                      const part_weights *weights, bool rounds, float runs[2][2 * PAIRS]) {
  if (which->spans && are_numbers(which, weights, factor)) {
    make_span_runs(p, which, head, factor, weights, rounds, true, runs);
  } else if (which->spans) {
    make_span_runs(p, which, head, factor, weights, rounds, false, runs);
  } else if (which->length == 2 * PAIRS && stride == 1) {
    make_runs(p, which, head, 1, factor, weights, rounds, runs, 2 * PAIRS);
  } else {
    make_runs(p, which, head, stride, factor, weights, rounds, runs, which->length);
  }
}

/* A part of a head, as it is stored without codes; it has spans, `count` of them together. */
KVF_INLINE void turn_spans(const kvf_rope_and_cache_flash_params *p, const part *which,
                           const uint16_t *head, const float *factor, const part_weights *weights,
                           bool numbers, int count, uint16_t *to) {
  for (int64_t i = 0; i < which->pairs; i += count * KVF_SPAN) {
    kvf_floats x[TOGETHER * KVF_SPAN_PARTS];
    kvf_floats y[TOGETHER * KVF_SPAN_PARTS];
    make_spans(p, which, head, factor, weights, false, numbers, i, count, x, y);
    for (int k = 0; k < count; ++k) {
      narrow_spans(to, which, i + k * KVF_SPAN, x + k * KVF_SPAN_PARTS, y + k * KVF_SPAN_PARTS,
                   numbers);
    }
  }
}

static void turn_part(const kvf_rope_and_cache_flash_params *p, const part *which,
                      const uint16_t *head, const float *factor, const part_weights *weights,
                      uint16_t *to) {
  if (are_together(which) && are_numbers(which, weights, factor)) {
    turn_spans(p, which, head, factor, weights, true, TOGETHER, to);
  } else {
    turn_spans(p, which, head, factor, weights, false, 1, to);
  }
}

#if defined(KVF_PAIR)
/* Spans to where they belong among the codes of a head. The divisor is exact, or quick. */
KVF_INLINE void put_fp8_e4m3_spans(void *codes, const part *which, int64_t i, const kvf_floats *x,
                                   const kvf_floats *y, kvf_divisor by, bool exact) {
  uint8_t *to = (uint8_t *)codes + which->first;
  kvf_words first[KVF_SPAN_PARTS];
  kvf_words second[KVF_SPAN_PARTS];
  for (int k = 0; k < KVF_SPAN_PARTS && exact; ++k) {
    first[k] = kvf_fp8_e4m3_words(kvf_products(x[k], by.inverse));
    second[k] = kvf_fp8_e4m3_words(kvf_products(y[k], by.inverse));
  }
  for (int k = 0; k < KVF_SPAN_PARTS && !exact; ++k) {
    first[k] = kvf_fp8_e4m3_words(kvf_quotients(x[k], by));
    second[k] = kvf_fp8_e4m3_words(kvf_quotients(y[k], by));
  }
  if (which->runs == 2) {
    for (int k = 0; k < KVF_HALF_PARTS; ++k) {
      kvf_store_codes_bf16(to + i + 2 * k * KVF_WIDTH, first[k], first[KVF_HALF_PARTS + k]);
      kvf_store_codes_bf16(to + which->apart + i + 2 * k * KVF_WIDTH, second[k],
                           second[KVF_HALF_PARTS + k]);
    }
    return;
  }
  for (int k = 0; k < KVF_SPAN_PARTS;
       ++k) { /* as of bf16, of which neighbours are loaded as pairs */
    kvf_store_codes_bf16(to + 2 * (i + k * KVF_WIDTH), first[k], second[k]);
  }
}

/* Spans to where they belong among the codes of a head. The divisor is exact, or quick. */
KVF_INLINE void put_fp8_e5m2_spans(void *codes, const part *which, int64_t i, const kvf_floats *x,
                                   const kvf_floats *y, kvf_divisor by, bool exact) {
  uint8_t *to = (uint8_t *)codes + which->first;
  kvf_words first[KVF_SPAN_PARTS];
  kvf_words second[KVF_SPAN_PARTS];
  for (int k = 0; k < KVF_SPAN_PARTS && exact; ++k) {
    first[k] = kvf_fp8_e5m2_words(kvf_products(x[k], by.inverse));
    second[k] = kvf_fp8_e5m2_words(kvf_products(y[k], by.inverse));
  }
  for (int k = 0; k < KVF_SPAN_PARTS && !exact; ++k) {
    first[k] = kvf_fp8_e5m2_words(kvf_quotients(x[k], by));
    second[k] = kvf_fp8_e5m2_words(kvf_quotients(y[k], by));
  }
  if (which->runs == 2) {
    for (int k = 0; k < KVF_HALF_PARTS; ++k) {
      kvf_store_codes_bf16(to + i + 2 * k * KVF_WIDTH, first[k], first[KVF_HALF_PARTS + k]);
      kvf_store_codes_bf16(to + which->apart + i + 2 * k * KVF_WIDTH, second[k],
                           second[KVF_HALF_PARTS + k]);
    }
    return;
  }
  for (int k = 0; k < KVF_SPAN_PARTS;
       ++k) { /* as of bf16, of which neighbours are loaded as pairs */
    kvf_store_codes_bf16(to + 2 * (i + k * KVF_WIDTH), first[k], second[k]);
  }
}

/* What numbers are divided by: nothing, as an encoding has that in it; or multiplied. */
enum { EXACT, QUOTIENTS, PRODUCTS };

/* Spans of numbers to codes of fp8. `rounds`: they are yet to be rounded. */
KVF_INLINE void put_numbers(uint8_t *codes, const part *which, int64_t i, kvf_floats *x,
                            kvf_floats *y, kvf_divisor by, kvf_fp8_encoding as, int how,
                            bool rounds) {
  const bool as_encoded = rounds && how == EXACT;
  if (rounds && !as_encoded) {
    round_spans(x, y, 1, true);
  }
  kvf_words first[KVF_SPAN_PARTS];
  kvf_words second[KVF_SPAN_PARTS];
  for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
    const kvf_floats a = how == EXACT       ? x[k]
                         : how == QUOTIENTS ? kvf_near_quotients(x[k], by)
                                            : kvf_products(x[k], by.inverse);
    const kvf_floats b = how == EXACT       ? y[k]
                         : how == QUOTIENTS ? kvf_near_quotients(y[k], by)
                                            : kvf_products(y[k], by.inverse);
    first[k] = kvf_fp8_halves(a, as, as_encoded);
    second[k] = kvf_fp8_halves(b, as, as_encoded);
  }
  uint8_t *to = codes + which->first;
  if (which->runs == 2) {
    kvf_store_zipped_fp8(to + i, to + which->apart + i, first, first + KVF_HALF_PARTS, second,
                         second + KVF_HALF_PARTS, as);
  } else {
    kvf_store_zipped_fp8(to + 2 * i, to + 2 * i + KVF_SPAN, first, second, first + KVF_HALF_PARTS,
                         second + KVF_HALF_PARTS, as);
  }
}

/* A part of a head of numbers with spans, to what of both is not NULL. */
KVF_INLINE void turn_numbers_as(const kvf_rope_and_cache_flash_params *p, const part *which,
                                const uint16_t *head, const float *factor,
                                const part_weights *weights, uint16_t *out, uint8_t *codes,
                                kvf_divisor by, kvf_fp8_encoding as, int how, bool rounds) {
  for (int64_t i = 0; i < which->pairs; i += TOGETHER * KVF_SPAN) {
    kvf_floats x[TOGETHER * KVF_SPAN_PARTS];
    kvf_floats y[TOGETHER * KVF_SPAN_PARTS];
    make_spans(p, which, head, factor, weights, false, true, i, TOGETHER, x, y);
    for (int k = 0; k < TOGETHER && out != NULL; ++k) {
      narrow_spans(out, which, i + k * KVF_SPAN, x + k * KVF_SPAN_PARTS, y + k * KVF_SPAN_PARTS,
                   true);
    }
    for (int k = 0; k < TOGETHER && codes != NULL; ++k) {
      put_numbers(codes, which, i + k * KVF_SPAN, x + k * KVF_SPAN_PARTS, y + k * KVF_SPAN_PARTS,
                  by, as, how, rounds);
    }
  }
}

/* The same for a scale; false: one that it is not made for. */
static bool turn_numbers(const kvf_rope_and_cache_flash_params *p, const part *which,
                         const uint16_t *head, const float *factor, const part_weights *weights,
                         uint16_t *out, uint8_t *codes, bool e4m3, float scale, bool rounds) {
  if (!kvf_fp8_encoding_serves(scale) || !are_together(which)) {
    return false;
  }
  const bool exact = kvf_has_exact_reciprocal(scale);
  const kvf_divisor by = kvf_divide_by(scale);
  const kvf_fp8_encoding as = kvf_make_fp8_encoding(e4m3, exact ? scale : 1.0f);
  if (exact && rounds) {
    turn_numbers_as(p, which, head, factor, weights, out, codes, by, as, EXACT, true);
  } else if (exact) {
    turn_numbers_as(p, which, head, factor, weights, out, codes, by, as, EXACT, false);
  } else {
    turn_numbers_as(p, which, head, factor, weights, out, codes, by, as, QUOTIENTS, rounds);
  }
  return true;
}
#endif

/* A run of a query, to element `first` of its head. */
static void put_query(const kvf_rope_and_cache_flash_params *p, int64_t token, int64_t head,
                      int64_t first, const float *run, int64_t count) {
  const int64_t stride = p->q_out.stride[2];
  const int64_t at = token * p->q_out.stride[0] + head * p->q_out.stride[1] + first * stride;
  if (p->q_becomes == KVF_QUERY_SCALAR) {
    narrow((uint16_t *)p->q_out.data + at, stride, run, count);
    return;
  }
  uint8_t *to = (uint8_t *)p->q_out.data + at;
  const float *scales = p->q_scale.data;
  const float scale = scales != NULL ? scales[head * p->q_scale.stride[0]] : 1.0f;
  if (p->q_becomes == KVF_QUERY_FP8_E4M3) {
    write_fp8_e4m3(run, 1, to, stride, count, scale);
  } else {
    write_fp8_e5m2(run, 1, to, stride, count, scale);
  }
}

/* A part of a query with spans, whose elements go side by side; false: with a divisor that spans
 * are not made for. */
static bool turn_query_spans(const kvf_rope_and_cache_flash_params *p, const part *which,
                             const uint16_t *from, const float *factor, const part_weights *weights,
                             bool rounds, int64_t token, int64_t head) {
  const int64_t at = token * p->q_out.stride[0] + head * p->q_out.stride[1];
  if (p->q_becomes == KVF_QUERY_SCALAR) {
    turn_part(p, which, from, factor, weights, (uint16_t *)p->q_out.data + at);
    return true;
  }
#if defined(KVF_PAIR)
  const float *scales = p->q_scale.data;
  const float scale = scales != NULL ? scales[head * p->q_scale.stride[0]] : 1.0f;
  uint8_t *codes = (uint8_t *)p->q_out.data + at;
  if (are_numbers(which, weights, factor) &&
      turn_numbers(p, which, from, factor, weights, NULL, codes, p->q_becomes == KVF_QUERY_FP8_E4M3,
                   scale, rounds)) {
    return true;
  }
  const kvf_divisor by = kvf_divide_by(scale);
  const bool exact = kvf_has_exact_reciprocal(scale);
  for (int64_t i = 0; i < which->pairs && (exact || by.quick); i += KVF_SPAN) {
    kvf_floats x[KVF_SPAN_PARTS];
    kvf_floats y[KVF_SPAN_PARTS];
    make_spans(p, which, from, factor, weights, rounds, false, i, 1, x, y);
    if (p->q_becomes == KVF_QUERY_FP8_E4M3) {
      put_fp8_e4m3_spans(codes, which, i, x, y, by, exact);
    } else {
      put_fp8_e5m2_spans(codes, which, i, x, y, by, exact);
    }
  }
  return exact || by.quick;
#else
  (void)rounds;
  return false;
#endif
}

/* Where a token goes in the caches. */
typedef struct place {
  bool writes; /* else nowhere */
  int64_t block;
  int64_t offset;
} place;

/* A run of a key, to element `first` of its head in k_out and in the cache. */
static void put_key(const kvf_rope_and_cache_flash_params *p, int64_t token, int64_t head,
                    int64_t first, const float *run, int64_t count, const place *to) {
  if (p->k_out.data != NULL) {
    const int64_t stride = p->k_out.stride[2];
    uint16_t *out = (uint16_t *)p->k_out.data + token * p->k_out.stride[0] +
                    head * p->k_out.stride[1] + first * stride;
    narrow(out, stride, run, count);
  }
  if (!to->writes) {
    return;
  }
  const int64_t block = to->block;
  const int64_t offset = to->offset;
  float wide[SPAN];
  const scale_place scales = {
      .head = (uint8_t *)p->k_block_scales.data + block * p->k_block_scales.stride[0] +
              head * p->k_block_scales.stride[2],
      .token_stride = p->k_block_scales.stride[1],
      .offset = offset,
      .swizzled = 0,
  };
  memcpy(wide, run, (size_t)count * sizeof *wide);
  write_groups(wide, first, count,
               (uint8_t *)p->key_cache.data + block * p->key_cache.stride[0] +
                   offset * p->key_cache.stride[1] + head * p->key_cache.stride[2],
               &scales, ((const float *)p->k_scale.data)[head * p->k_scale.stride[0]]);
}

/* A head of a value, to the cache. */
static void put_value(const kvf_rope_and_cache_flash_params *p, int64_t token, int64_t head,
                      const place *to) {
  const int64_t block = to->block;
  const int64_t offset = to->offset;
  const uint16_t *from =
      (const uint16_t *)p->value.data + token * p->value.stride[0] + head * p->value.stride[1];
  kvf_prefetch_behind(from, (uint64_t)p->value.stride[0] * sizeof *from,
                      p->value_head_size * (int64_t)sizeof *from);
  float wide[SPAN];
  const scale_place scales = {
      .head = (uint8_t *)p->v_block_scales.data + block * p->v_block_scales.stride[0] +
              head * p->v_block_scales.stride[2],
      .token_stride = p->v_block_scales.stride[1],
      .offset = offset,
      .swizzled = (uint32_t)(p->swizzle_v_scales ? p->value_head_size / GROUP : 0),
  };
  for (int64_t first = 0; first < p->value_head_size; first += SPAN) {
    const int64_t rest = p->value_head_size - first;
    const int64_t length = rest < SPAN ? rest : SPAN;
    widen(wide, from + first * p->value.stride[2], p->value.stride[2], length);
    write_groups(wide, first, length,
                 (uint8_t *)p->value_cache.data + block * p->value_cache.stride[0] +
                     offset * p->value_cache.stride[1] + head * p->value_cache.stride[2],
                 &scales, ((const float *)p->v_scale.data)[head * p->v_scale.stride[0]]);
  }
}

/* The queries of a token. */
static void turn_query(const kvf_rope_and_cache_flash_params *p, int64_t token, int64_t position,
                       part_weights *weights) {
  const uint16_t *rows = (const uint16_t *)p->query.data + token * p->query.stride[0];
  const int64_t stride = p->query.stride[2];
  const bool rounds = p->rounding != KVF_ROUND_NONE && p->q_becomes != KVF_QUERY_SCALAR;
  const bool plain = p->q_out.stride[2] == 1;
  for (int64_t begin = 0; begin < p->num_q_heads; begin += HEADS) {
    const int64_t end = p->num_q_heads - begin < HEADS ? p->num_q_heads : begin + HEADS;
    float factors[HEADS] = {0};
    if (p->norms_q) {
      sums_of_squares(factors, rows + begin * p->query.stride[1], p->query.stride[1], end - begin,
                      stride, p->head_size);
      kvf_norm_factors(factors, HEADS, p->head_size, p->eps);
    }
    const int64_t parts =
        (int64_t)p->head_size - p->rotary_dim / 2; /* pairs and elements behind them */
    for (int64_t first = 0; first < parts;) {
      part which;
      first = find_part(p, position, first, stride, &which);
      if (p->norms_q) {
        load_weights(p, &which, &p->q_weight, p->q_weight_bytes, weights);
      }
      for (int64_t head = begin; head < end; ++head) {
        const uint16_t *source = rows + head * p->query.stride[1];
        const float *factor = p->norms_q ? &factors[head - begin] : NULL;
        prefetch_part(&which, source, (uint64_t)p->query.stride[0] * sizeof *source);
        if (plain && p->q_becomes != KVF_QUERY_SCALAR) {
          prefetch_codes(p, &which, token, head);
        }
        if (plain && which.spans &&
            turn_query_spans(p, &which, source, factor, weights, rounds, token, head)) {
          continue;
        }
        float runs[2][2 * PAIRS];
        make_part(p, &which, source, stride, factor, weights, rounds, runs);
        for (int64_t run = 0; run < which.runs; ++run) {
          put_query(p, token, head, which.first + (run > 0 ? which.apart : 0), runs[run],
                    which.length);
        }
      }
    }
  }
}

/* The keys of a token. */
static void turn_key(const kvf_rope_and_cache_flash_params *p, int64_t token, int64_t position,
                     part_weights *weights, const place *to) {
  const uint16_t *rows = (const uint16_t *)p->key.data + token * p->key.stride[0];
  const int64_t stride = p->key.stride[2];
  const bool rounds = p->rounding != KVF_ROUND_NONE;
  for (int64_t begin = 0; begin < p->num_heads; begin += HEADS) {
    const int64_t end = p->num_heads - begin < HEADS ? p->num_heads : begin + HEADS;
    float factors[HEADS] = {0};
    if (p->norms_k) {
      sums_of_squares(factors, rows + begin * p->key.stride[1], p->key.stride[1], end - begin,
                      stride, p->head_size);
      kvf_norm_factors(factors, HEADS, p->head_size, p->eps);
    }
    const int64_t parts =
        (int64_t)p->head_size - p->rotary_dim / 2; /* pairs and elements behind them */
    for (int64_t first = 0; first < parts;) {
      part which;
      first = find_part(p, position, first, stride, &which);
      if (p->norms_k) {
        load_weights(p, &which, &p->k_weight, p->k_weight_bytes, weights);
      }
      for (int64_t head = begin; head < end; ++head) {
        const uint16_t *source = rows + head * p->key.stride[1];
        const float *factor = p->norms_k ? &factors[head - begin] : NULL;
        prefetch_part(&which, source, (uint64_t)p->key.stride[0] * sizeof *source);
        float runs[2][2 * PAIRS];
        make_part(p, &which, source, stride, factor, weights, rounds, runs);
        /* Runs that are neighbours are one: few groups take as long as many. */
        const bool joined = which.runs == 2 && which.apart == which.length;
        const int64_t length = joined ? 2 * which.length : which.length;
        if (joined) {
          memcpy(runs[0] + which.length, runs[1], (size_t)which.length * sizeof *runs[1]);
        }
        for (int64_t run = 0; run < (joined ? 1 : which.runs); ++run) {
          put_key(p, token, head, which.first + (run > 0 ? which.apart : 0), runs[run], length, to);
        }
      }
    }
  }
}

/* Asks for the rows of the caches that a token goes to: queries take long enough for them to come.
 */
KVF_INLINE void prefetch_rows(const kvf_rope_and_cache_flash_params *p, const place *to) {
  for (int64_t head = 0; head < p->num_heads; ++head) {
    kvf_prefetch_row((uint8_t *)p->key_cache.data + to->block * p->key_cache.stride[0] +
                         to->offset * p->key_cache.stride[1] + head * p->key_cache.stride[2],
                     p->head_size / 2);
    kvf_prefetch_row((uint8_t *)p->value_cache.data + to->block * p->value_cache.stride[0] +
                         to->offset * p->value_cache.stride[1] + head * p->value_cache.stride[2],
                     p->value_head_size / 2);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_rope_and_cache_flash__bf16__nvfp4)(const void *params, int64_t begin,
                                                               int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_rope_and_cache_flash__bf16__nvfp4)(const void *params, int64_t begin,
                                                               int64_t end) {
  const kvf_rope_and_cache_flash_params *p = params;
  part_weights q_weights;
  part_weights k_weights;
  q_weights.first = -1;
  k_weights.first = -1;
  for (int64_t token = begin; token < end; ++token) {
    int64_t position = 0;
    if (p->rotary_dim > 0) {
      position = kvf_index_at(p->positions.data, p->position_bytes, token * p->positions.stride[0]);
      if (position < 0 || position >= p->num_positions) {
        continue;
      }
    }
    place to = {.writes = false};
    to.writes = token < p->slots.num_tokens && kvf_locate(&p->slots, token, &to.block, &to.offset);
    if (to.writes) {
      prefetch_rows(p, &to);
    }
    turn_query(p, token, position, &q_weights);
    turn_key(p, token, position, &k_weights, &to);
    for (int64_t head = 0; to.writes && head < p->num_heads; ++head) {
      put_value(p, token, head, &to);
    }
  }
}
