#include "mla.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

static int64_t bytes_of(kvf_dtype dtype) { return kvf_dtype_bits(dtype) / 8; }

/* ---- layouts
 * ------------------------------------------------------------------------------------- */

void mla_cache_strides(int layout, const int64_t shape[3], int64_t stride[3]) {
  const int64_t row = shape[2];
  stride[2] = 1;
  stride[1] = row;
  stride[0] = shape[1] * row;
  switch (layout) {
  case CACHE_PADDED:
    stride[1] = row + 3;
    stride[0] = shape[1] * (row + 3) + 5;
    break;
  case CACHE_PADDED_ALIGNED:
    stride[1] = (row + 31) / 16 * 16;
    stride[0] = shape[1] * stride[1] + 64;
    break;
  case CACHE_TOKENS_FIRST:
    stride[0] = row;
    stride[1] = shape[0] * row;
    break;
  case CACHE_REVERSED:
    stride[0] = -stride[0];
    break;
  case CACHE_STRIDED:
    stride[2] = 2;
    stride[1] = 2 * row + 1;
    stride[0] = shape[1] * stride[1];
    break;
  default:
    break;
  }
}

void mla_make_sources(op_call *call, int kv_c, int k_pe, kvf_dtype scalar, int layout, int64_t rows,
                      int64_t kv_lora_rank, int64_t rope_dim, const int offset[2], int values,
                      uint64_t seed) {
  const int64_t shape[2][2] = {{rows, kv_lora_rank}, {rows, rope_dim}};
  int64_t stride[2][2] = {{kv_lora_rank, 1}, {rope_dim, 1}};
  switch (layout) {
  case SOURCES_FUSED:
    stride[0][0] = stride[1][0] = kv_lora_rank + rope_dim;
    break;
  case SOURCES_PADDED:
    stride[0][0] += 3;
    stride[1][0] += 1;
    break;
  case SOURCES_PADDED_ALIGNED:
    stride[0][0] = (kv_lora_rank + 31) / 16 * 16;
    stride[1][0] = (rope_dim + 63) / 16 * 16;
    break;
  case SOURCES_STRIDED:
    stride[0][1] = 2;
    stride[0][0] *= 2;
    stride[1][1] = 3;
    stride[1][0] = 3 * rope_dim + 2;
    break;
  case SOURCES_BROADCAST:
    stride[0][0] = stride[1][0] = 0;
    break;
  case SOURCES_REVERSED:
    stride[0][0] = -stride[0][0];
    stride[1][1] = -1;
    break;
  default:
    break;
  }
  if (layout == SOURCES_FUSED) {
    const int64_t both[2] = {rows, kv_lora_rank + rope_dim};
    operand_make(call, kv_c, dl_dtype(scalar), 2, both, stride[0], offset[0], 0, seed);
    call->operands[kv_c].view.shape[1] = kv_lora_rank;
    operand_share(call, k_pe, kv_c, kv_lora_rank, 2, shape[1], stride[1]);
  } else {
    operand_make(call, kv_c, dl_dtype(scalar), 2, shape[0], stride[0], offset[0], 0, seed);
    operand_make(call, k_pe, dl_dtype(scalar), 2, shape[1], stride[1], offset[1], 0, seed + 1);
    mla_fill(&call->operands[k_pe], scalar, values, seed + 2);
  }
  mla_fill(&call->operands[kv_c], scalar, values, seed + 3);
}

/* ---- contents
 * ------------------------------------------------------------------------------------ */

static void make_value(kvf_dtype scalar, int kind, uint64_t *state, uint8_t *element) {
  static const double large[] = {448, 464, 447, 2688, 2700, 57344, 61440, 65504, 1e30, 3e38};
  const uint64_t random = random_next(state);
  const double sign = random & 1 ? -1.0 : 1.0;
  const uint32_t bits = (uint32_t)(random >> 32);
  double value = random_normal(state);
  switch (kind) {
  case VALUES_ZEROS:
    value = random & 0xFE ? sign * 0.0 : value;
    break;
  case VALUES_SMALL: /* some runs of a few hundred are very small throughout */
    value = ldexp(value, random & 2 ? -24 : -30 - (int)(random >> 2 & 127));
    break;
  case VALUES_LARGE:
    value = random & 6 ? value * 100 : sign * large[random_below(state, TEST_COUNT(large))];
    break;
  case VALUES_SPECIAL:
    value = (random & 0x1FE) == 0 ? sign * (double)INFINITY : value;
    value = (random & 0x3E00) == 0 ? (double)NAN : value;
    break;
  case VALUES_TIES: /* halves, quarters, eighths: half way between codes when the scale is 1 */
    value = sign * ldexp((double)(random >> 1 & 63), -(int)(random >> 7 & 7));
    break;
  case VALUES_BITS:
    memcpy(element, &bits, (size_t)bytes_of(scalar));
    return;
  default:
    break;
  }
  oracle_make(scalar, value, element);
}

void mla_fill(operand *to, kvf_dtype scalar, int values, uint64_t seed) {
  enum { POOL = 65536 }; /* values of a kind, made once; each fill begins at another one */
  static uint8_t *pools[KVF_DTYPE_COUNT][VALUE_KINDS];
  const size_t bytes = (size_t)bytes_of(scalar);
  uint8_t **pool = &pools[scalar][values];
  if (*pool == NULL) {
    uint64_t state = (uint64_t)(scalar * VALUE_KINDS + values);
    *pool = malloc(POOL * bytes);
    for (size_t i = 0; i < POOL; ++i) {
      make_value(scalar, values, &state, *pool + i * bytes);
    }
  }
  buffer *memory = &to->memory;
  size_t from = (size_t)random_below(&seed, POOL);
  for (size_t at = (size_t)to->view.start % bytes; at + bytes <= memory->size; at += bytes) {
    memcpy(memory->expected + at, *pool + from * bytes, bytes);
    from = (from + 1) % POOL;
  }
}

void mla_make_indices(op_call *call, int position, int kind, int64_t num, uint64_t seed) {
  const bool wide = kind == INDEX_INT64 || kind == INDEX_INT64_STRIDED;
  const int64_t stride = kind == INDEX_INT64_STRIDED ? 3 : kind == INDEX_INT32_STRIDED ? 2 : 1;
  operand_make(call, position, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 1, &num, &stride,
               seed % 2 ? 8 : 0, 0, seed);
}

int64_t *mla_slots(int kind, int64_t num, int64_t capacity, bool wide, uint64_t *state) {
  int64_t *slots = malloc((size_t)(capacity + 1) * sizeof *slots);
  for (int64_t i = 0; i < capacity; ++i) {
    const int64_t j = random_below(state, i + 1);
    slots[i] = slots[j];
    slots[j] = i;
  }
  const int64_t first = random_below(state, capacity - num + 1);
  for (int64_t i = 0; i < num; ++i) {
    const int64_t negative[] = {-1, -1, -7, wide ? INT64_MIN : INT32_MIN};
    const bool padded = kind == SLOTS_WITH_PADDING && random_below(state, 3) == 0;
    if (kind == SLOTS_CONSECUTIVE) {
      slots[i] = first + i;
    } else if (kind == SLOTS_ALL_SKIPPED || padded) {
      slots[i] = negative[random_below(state, 4)];
    } else if (kind == SLOTS_ENDS) {
      slots[i] = i % 2 ? capacity - 1 - i / 2 : i / 2;
    }
  }
  return slots;
}

float mla_scale(int kind) {
  static const float scales[SCALE_KINDS] = {1.0f, 0.1f, 0.25f, 1e-30f, 0x1p-126f, 0x1p127f, 3e3f};
  /* What the CPU refuses is IEEE arithmetic on CUDA. */
  static const float wild[SCALE_KINDS] = {1.0f, 0.1f, 0.25f, 1e-30f, 0.0f, INFINITY, -0.3f};
  return options.backend == KVF_CUDA ? wild[kind] : scales[kind];
}

void mla_make_scale(op_call *call, int position, int kind, int32_t rank) {
  const int64_t one = 1;
  operand_make(call, position, dl_dtype(KVF_F32), rank, &one, &one, 4, 0, 5);
  const float scale = mla_scale(kind);
  memcpy(operand_at(&call->operands[position], 0, 0, 0, 0), &scale, sizeof scale);
}

/* ---- the slow answer
 * ----------------------------------------------------------------------------- */

/* The value of an element as a float, exact. */
static float value_at(kvf_dtype scalar, const uint8_t *from, int64_t i) {
  return (float)oracle_value(scalar, from + i * bytes_of(scalar));
}

/* A quotient or product of floats, rounded once: double has more than twice the bits. */
static float divided(float a, float b) { return (float)((double)a / (double)b); }
static float multiplied(float a, float b) { return (float)((double)a * (double)b); }

static float largest_of(kvf_dtype scalar, const uint8_t *from, int64_t first, int64_t count) {
  float largest = 0;
  for (int64_t i = first; i < first + count; ++i) {
    const float magnitude = fabsf(value_at(scalar, from, i));
    largest = magnitude > largest ? magnitude : largest; /* false for a NaN */
  }
  return largest;
}

/* The smallest power of two that is not below. */
static float power_of_two(float value) {
  int exponent = 0;
  if (isinf(value)) {
    return value;
  }
  const double fraction = frexp((double)value, &exponent); /* in [0.5, 1) */
  return (float)ldexp(1.0, fraction == 0.5 ? exponent - 1 : exponent);
}

static void put_f32(uint8_t *to, float value) { memcpy(to, &value, sizeof value); }

static void fp8_row(kvf_dtype scalar, bool powers, const uint8_t *kv_c, const uint8_t *k_pe,
                    int64_t rope_dim, uint8_t *row) {
  for (int tile = 0; tile < 4; ++tile) {
    const float quotient = divided(largest_of(scalar, kv_c, 128 * tile, 128), 448.0f);
    const float least = powers ? 1e-4f : 0x1p-126f;
    float scale = quotient > least ? quotient : least;
    scale = powers ? power_of_two(scale) : scale;
    for (int i = 128 * tile; i < 128 * (tile + 1); ++i) {
      row[i] = oracle_fp8(KVF_FP8_E4M3, divided(value_at(scalar, kv_c, i), scale));
    }
    put_f32(row + 512 + 4 * tile, scale);
  }
  memset(row + 528, 0, 128);
  memcpy(row + 528, k_pe, 2 * (size_t)rope_dim);
}

/* Nearest magnitude, ties to the even code. */
static uint8_t e2m1(float value) {
  static const double magnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  if (isnan(value)) {
    return 7;
  }
  int best = 0;
  for (int code = 1; code < 8; ++code) {
    const double closer =
        fabs(magnitudes[best] - fabs((double)value)) - fabs(magnitudes[code] - fabs((double)value));
    best = closer > 0 || (closer == 0 && code % 2 == 0) ? code : best;
  }
  best = fabsf(value) > 6 ? 7 : best;
  return (uint8_t)(best | (signbit(value) ? 8 : 0));
}

static void nvfp4_row(kvf_dtype scalar, const uint8_t *kv_c, const uint8_t *k_pe, uint8_t *row) {
  memset(row, 0, 256);
  for (int group = 0; group < 32; ++group) {
    const float quotient = divided(largest_of(scalar, kv_c, 16 * group, 16), 6.0f);
    const float wanted = quotient > 0x1p-9f ? quotient : 0x1p-9f;
    uint8_t code = oracle_fp8(KVF_FP8_E4M3, wanted);
    code = (uint8_t)(code + (oracle_fp8_value(KVF_FP8_E4M3, code) < (double)wanted && code < 0x7E));
    const float inverse = divided(1.0f, (float)oracle_fp8_value(KVF_FP8_E4M3, code));
    for (int i = 16 * group; i < 16 * (group + 1); ++i) {
      const uint8_t nibble = e2m1(multiplied(value_at(scalar, kv_c, i), inverse));
      row[i / 2] = (uint8_t)(row[i / 2] | nibble << (i % 2 ? 4 : 0));
    }
    row[320 + 8 * (group % 4) + group / 4] = code;
  }
  for (int i = 0; i < 64; ++i) {
    row[256 + i] = oracle_fp8(KVF_FP8_E4M3, value_at(scalar, k_pe, i));
  }
}

bool mla_is_format(kvf_dtype cache) {
  return cache == KVF_FP8_DS_MLA || cache == KVF_FP8_DS_MLA_F32 || cache == KVF_NVFP4_DS_MLA;
}

int64_t mla_row_bytes(kvf_dtype cache, int64_t elements) {
  return cache == KVF_NVFP4_DS_MLA ? 352 : mla_is_format(cache) ? 656 : elements * bytes_of(cache);
}

void mla_oracle_row(kvf_dtype scalar, kvf_dtype cache, const uint8_t *kv_c, int64_t kv_lora_rank,
                    const uint8_t *k_pe, int64_t rope_dim, float scale, uint8_t *row) {
  if (cache == KVF_NVFP4_DS_MLA) {
    nvfp4_row(scalar, kv_c, k_pe, row);
    return;
  }
  if (mla_is_format(cache)) {
    fp8_row(scalar, cache == KVF_FP8_DS_MLA, kv_c, k_pe, rope_dim, row);
    return;
  }
  for (int64_t i = 0; i < kv_lora_rank + rope_dim; ++i) {
    const uint8_t *from = i < kv_lora_rank ? kv_c + i * bytes_of(scalar)
                                           : k_pe + (i - kv_lora_rank) * bytes_of(scalar);
    oracle_store(scalar, cache, from, scale, row + i * bytes_of(cache));
  }
}

DLDataType mla_cache_dtype(kvf_dtype cache, bool as_uint8) {
  const bool is_fp8 = cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2;
  return mla_is_format(cache) || (is_fp8 && as_uint8) ? (DLDataType){kDLUInt, 8, 1}
                                                      : dl_dtype(cache);
}

void mla_expect_row(const operand *cache, int64_t slot, int64_t block_size, int64_t bytes,
                    const uint8_t *row) {
  const int64_t element = cache->view.dtype.bits / 8;
  for (int64_t i = 0; i < bytes / element; ++i) {
    memcpy(operand_at(cache, slot / block_size, slot % block_size, i, 0), row + i * element,
           (size_t)element);
  }
}

void mla_gather(const operand *source, int64_t i, int64_t j, int64_t count, uint8_t *packed) {
  const size_t bytes = source->view.dtype.bits / 8;
  const int32_t rank = source->view.rank;
  for (int64_t e = 0; e < count; ++e) {
    const uint8_t *from =
        rank == 2 ? operand_at(source, i, e, 0, 0) : operand_at(source, i, j, e, 0);
    memcpy(packed + (size_t)e * bytes, from, bytes);
  }
}
