/* What the CPU variants share that convert rows from one dtype to another. */
#ifndef KVFORGE_CPU_CONVERT_H
#define KVFORGE_CPU_CONVERT_H

#include "kvforge/cache/convert.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cache/cpu_wire.h"

/* Rows with the scale of each, which lie in bytes from one token and head to the next too. */
typedef struct kvf_scaled_rows {
  kvf_rows rows;
  kvf_rows scales; /* data is NULL where elements are floats */
  int32_t dtype;
} kvf_scaled_rows;

/* Scales that the call knows, from a head of a layer on; nothing for floats. */
KVF_INLINE kvf_rows kvf_known_scales(const kvf_plane_scales *scales, int32_t dtype, int64_t layer,
                                     int64_t head) {
  kvf_rows rows = {NULL, 0, scales->head * (int64_t)sizeof(float), 0};
  if (kvf_has_codes(dtype)) {
    const float *first = scales->data + layer * scales->layer + head * scales->head;
    rows.data = (char *)(uintptr_t)first;
  }
  return rows;
}

enum { KVF_CONVERTED = 512 }; /* elements that are floats at a time */

/* Room for a row whose elements are apart. */
typedef union kvf_row_room {
  uint8_t codes[KVF_CONVERTED];
  uint16_t halves[KVF_CONVERTED];
  float floats[KVF_CONVERTED];
} kvf_row_room;

/* Elements of a row, up to KVF_CONVERTED, as floats. */
KVF_INLINE void kvf_widen_row(float *__restrict wide, const char *from, int64_t step, int32_t dtype,
                              int64_t count) {
  const int64_t bytes = kvf_convertible_bytes(dtype);
  kvf_row_room room;
  const void *row = from;
  if (step != bytes) {
    kvf_copy_elements((char *)&room, bytes, from, step, count, bytes);
    row = &room;
  }
  const uint8_t *codes = (const uint8_t *)row;
  const uint16_t *halves = (const uint16_t *)row;
  const float *floats = (const float *)row;
  switch (dtype) {
  case KVF_F32:
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = floats[i];
    }
    break;
  case KVF_F16:
    kvf_widen_f16(wide, halves, count);
    break;
  case KVF_BF16:
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = kvf_f32_from_bf16(halves[i]);
    }
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    kvf_widen_fp8_e4m3(wide, codes, count);
    break;
  case KVF_FP8_E5M2:
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = kvf_f32_from_fp8_e5m2(codes[i]);
    }
    break;
  default: /* int8, of either kind of scales */
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = kvf_f32_from_int8((int8_t)codes[i]);
    }
  }
}

/* Floats as elements of a row, which begins at `to`. */
KVF_INLINE void kvf_narrow_row(char *to, int64_t step, const float *__restrict wide, int32_t dtype,
                               int64_t count) {
  const int64_t bytes = kvf_convertible_bytes(dtype);
  uint32_t words[KVF_CONVERTED];
  kvf_row_room room;
  void *row = step == bytes ? (void *)to : &room;
  switch (dtype) {
  case KVF_F32:
    kvf_store_results_f32((float *)row, wide, count);
    break;
  case KVF_F16:
    kvf_store_results_f16((uint16_t *)row, wide, count);
    break;
  case KVF_BF16:
    kvf_store_results_bf16((uint16_t *)row, wide, count);
    break;
  case KVF_FP8_E4M3:
  case KVF_FP8_PER_TOKEN_HEAD:
    for (int64_t i = 0; i < count; ++i) {
      words[i] = kvf_fp8_e4m3_word_from_f32(wide[i]);
    }
    break;
  case KVF_FP8_E5M2:
    for (int64_t i = 0; i < count; ++i) {
      words[i] = kvf_fp8_e5m2_word_from_f32(wide[i]);
    }
    break;
  case KVF_INT8_PER_TOKEN_HEAD:
    for (int64_t i = 0; i < count; ++i) {
      words[i] = kvf_int8_away_word_from_f32(wide[i]);
    }
    break;
  default: /* int8, halves rounded to even */
    for (int64_t i = 0; i < count; ++i) {
      words[i] = kvf_int8_word_from_f32(wide[i]);
    }
  }
  if (bytes == 1) {
    uint8_t *codes = (uint8_t *)row;
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = (uint8_t)words[i];
    }
  }
  if (step != bytes) {
    kvf_copy_elements(to, step, (const char *)&room, bytes, count, bytes);
  }
}

/* The largest magnitude of a row of floats, as bits. */
KVF_INLINE uint32_t kvf_largest_of_row(const char *from, int64_t step, int32_t dtype,
                                       int64_t count) {
  int32_t largest = 0;
  for (int64_t first = 0; first < count; first += KVF_CONVERTED) {
    const int64_t length = count - first < KVF_CONVERTED ? count - first : (int64_t)KVF_CONVERTED;
    float wide[KVF_CONVERTED];
    kvf_widen_row(wide, from + first * step, step, dtype, length);
    for (int64_t i = 0; i < length;
         ++i) { /* as integers with a sign, whose largest any level has */
      const int32_t magnitude = (int32_t)(kvf_bits(wide[i]) & 0x7FFFFFFFu);
      const int32_t number = magnitude > 0x7F800000 ? 0 : magnitude;
      largest = number > largest ? number : largest;
    }
  }
  return (uint32_t)largest;
}

/* Values as codes, before they are rounded; each row's own scale multiplies with its inverse. */
KVF_INLINE void kvf_divide_row(float *wide, int64_t count, kvf_divisor by, bool multiplies) {
  if (multiplies || kvf_has_exact_reciprocal(by.scale)) {
    for (int64_t i = 0; i < count; ++i) {
      wide[i] *= by.inverse;
    }
  } else if (KVF_HAS_FMA && by.quick) {
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = kvf_quotient(wide[i], by);
    }
  } else {
    for (int64_t i = 0; i < count; ++i) {
      wide[i] /= by.scale;
    }
  }
}

/* One row of `count` elements. */
KVF_INLINE void kvf_convert_row(char *to, int64_t to_step, int32_t to_dtype, char *to_scale,
                                const char *from, int64_t from_step, int32_t from_dtype,
                                const char *from_scale, int64_t count) {
  float scale = 1.0f;
  kvf_divisor by = {1.0f, 1.0f, true};
  if (from_scale != NULL) {
    memcpy(&scale, from_scale, sizeof scale);
  }
  if (kvf_has_row_scale(to_dtype)) {
    const float made =
        kvf_scale_of_row(to_dtype, kvf_largest_of_row(from, from_step, from_dtype, count));
    memcpy(to_scale, &made, sizeof made);
    by = kvf_divide_by(made);
  } else if (to_scale != NULL) {
    float given;
    memcpy(&given, to_scale, sizeof given);
    by = kvf_divide_by(given);
  }
  for (int64_t first = 0; first < count; first += KVF_CONVERTED) {
    const int64_t length = count - first < KVF_CONVERTED ? count - first : (int64_t)KVF_CONVERTED;
    float wide[KVF_CONVERTED];
    kvf_widen_row(wide, from + first * from_step, from_step, from_dtype, length);
    for (int64_t i = 0; from_scale != NULL && i < length; ++i) {
      wide[i] *= scale;
    }
    if (to_scale != NULL) {
      kvf_divide_row(wide, length, by, kvf_has_row_scale(to_dtype));
    }
    kvf_narrow_row(to + first * to_step, to_step, wide, to_dtype, length);
  }
}

/* The row's scale among all of them, or NULL. */
KVF_INLINE char *kvf_scale_at(const kvf_rows *scales, int64_t token, int64_t head) {
  return scales->data != NULL ? scales->data + token * scales->token + head * scales->head : NULL;
}

/* Converts rows of `elements` elements for every token and head. */
KVF_INLINE void kvf_convert_rows(const kvf_scaled_rows *to, const kvf_scaled_rows *from,
                                 int64_t tokens, int64_t heads, int64_t elements) {
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t head = 0; head < heads; ++head) {
      kvf_convert_row(to->rows.data + token * to->rows.token + head * to->rows.head,
                      to->rows.element, to->dtype, kvf_scale_at(&to->scales, token, head),
                      from->rows.data + token * from->rows.token + head * from->rows.head,
                      from->rows.element, from->dtype, kvf_scale_at(&from->scales, token, head),
                      elements);
    }
  }
}

#endif
