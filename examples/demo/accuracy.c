/*
 * Number formats, error bounds and attention, all in plain double arithmetic: it shares nothing
 * with the conversions of the library, which it is there to judge.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

/* ---- formats -----------------------------------------------------------------------------------
 */

static const format f32 = {{kDLFloat, 32, 1}, 23, 127, 0x1.FFFFFEp127};
static const format f16 = {{kDLFloat, 16, 1}, 10, 15, 65504.0};
static const format bf16 = {{kDLBfloat, 16, 1}, 7, 127, 0x1.FEp127};
static const format e4m3 = {{kDLFloat8_e4m3fn, 8, 1}, 3, 7, 448.0};
static const format e5m2 = {{kDLFloat8_e5m2, 8, 1}, 2, 15, 57344.0};
static const format e2m1 = {{kDLUInt, 4, 1}, 1, 1, 6.0};
static const format int8 = {{kDLInt, 8, 1}, 0, 0, 127.0};

static const storage storages[] = {
    {KVF_F32, &f32, SCALE_STATIC, 0},
    {KVF_F16, &f16, SCALE_STATIC, 0},
    {KVF_BF16, &bf16, SCALE_STATIC, 0},
    {KVF_FP8_E4M3, &e4m3, SCALE_STATIC, 448.0},
    {KVF_FP8_E5M2, &e5m2, SCALE_STATIC, 57344.0},
    {KVF_INT8, &int8, SCALE_STATIC, 127.0},
    {KVF_INT8_PER_TOKEN_HEAD, &int8, SCALE_ROW, 0},
    {KVF_FP8_PER_TOKEN_HEAD, &e4m3, SCALE_ROW, 0},
    {KVF_NVFP4, &e2m1, SCALE_BLOCK, 6.0 * 448.0},
    {KVF_NVFP4_4OVER6, &e2m1, SCALE_BLOCK, 6.0 * 448.0},
};

const storage *storage_find(kvf_dtype dtype) {
  for (size_t i = 0; i < sizeof storages / sizeof *storages; i++) {
    if (storages[i].dtype == dtype) {
      return &storages[i];
    }
  }
  return NULL;
}

int64_t storage_bytes(const storage *kept, int64_t elements) {
  const int64_t codes = elements * kept->code->dlpack.bits / 8;
  switch (kept->scaling) {
  case SCALE_ROW:
    return codes + (int64_t)sizeof(float);
  case SCALE_BLOCK:
    return codes + elements / BLOCK_ELEMENTS;
  default:
    return codes;
  }
}

/* The exponent of the last mantissa bit of a number of this magnitude. */
static int last_bit(const format *form, double magnitude) {
  int exponent = 1 - form->bias; /* of subnormal numbers too */
  if (magnitude >= ldexp(1.0, exponent)) {
    (void)frexp(fmin(magnitude, form->largest), &exponent);
    exponent -= 1; /* frexp gives [0.5, 1) */
  }
  return exponent - form->mantissa_bits;
}

static uint32_t encode(const format *form, float number) {
  const double magnitude = fmin(fabs((double)number), form->largest);
  const int last = last_bit(form, magnitude);
  /* A subnormal has the exponent field 0, where the smallest normal numbers have 1 and a hidden
   * bit; so has a mantissa that rounding carries into the next binade. Adding does what is needed.
   */
  const uint32_t field = (uint32_t)(last + form->mantissa_bits + form->bias - 1);
  const uint32_t mantissa = (uint32_t)rint(ldexp(magnitude, -last));
  const uint32_t code = (field << form->mantissa_bits) + mantissa;
  return signbit(number) ? code | 1u << (form->dlpack.bits - 1) : code;
}

void format_encode(const format *form, const float *numbers, int64_t count, void *codes) {
  const size_t bytes = form->dlpack.bits / 8;
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = encode(form, numbers[i]);
    memcpy((char *)codes + (size_t)i * bytes, &code, bytes);
  }
}

float format_decode(const format *form, uint32_t code) {
  if (form->mantissa_bits == 0) {
    return (float)(int8_t)code;
  }
  const uint32_t sign = code >> (form->dlpack.bits - 1);
  const uint32_t rest = code & ~(sign << (form->dlpack.bits - 1));
  const uint32_t hidden = 1u << form->mantissa_bits;
  const uint32_t field = rest >> form->mantissa_bits;
  const double mantissa = (double)((rest & (hidden - 1)) + (field > 0 ? hidden : 0));
  const int exponent = (int)(field > 0 ? field : 1) - form->bias - form->mantissa_bits;
  const double magnitude = ldexp(mantissa, exponent);
  return magnitude > form->largest ? NAN : (float)(sign ? -magnitude : magnitude);
}

float block_scale(uint32_t code) { return format_decode(&e4m3, code); }

void scales_choose(const storage *kept, const extent *size, const float *numbers, float *scales) {
  const int64_t elements = extent_elements(size) / size->layers;
  for (int64_t layer = 0; layer < size->layers; layer++) {
    float amax = 0.0f;
    for (int64_t i = 0; i < elements; i++) {
      amax = fmaxf(amax, fabsf(numbers[layer * elements + i]));
    }
    scales[layer] = amax > 0.0f && kept->largest > 0.0 ? (float)(amax / kept->largest) : 1.0f;
  }
}

/* ---- errors ------------------------------------------------------------------------------------
 */

static double difference(float got, float want) {
  const double distance = fabs((double)got - (double)want);
  return isnan(distance) ? HUGE_VAL : distance;
}

error error_between(const float *got, const float *want, int64_t count) {
  double max = 0.0;
  double squares = 0.0;
  for (int64_t i = 0; i < count; i++) {
    const double distance = difference(got[i], want[i]);
    max = fmax(max, distance);
    squares += distance * distance;
  }
  return (error){max, sqrt(squares / (double)count)};
}

static double half_ulp(const format *form, double number) {
  if (form == &f32) {
    return 0.0;
  }
  return form->mantissa_bits == 0 ? 0.5 : ldexp(0.5, last_bit(form, fabs(number)));
}

/*
 * What the code of a number may be wrong by, times the scale. A block scale is rounded itself, to
 * E4M3: where that was down, the largest code is short of the block's largest number.
 */
static double code_bound(const storage *cache, double scale, double fixed, double magnitude) {
  const double rounded = scale > 0.0 ? scale * half_ulp(cache->code, magnitude / scale) : 0.0;
  if (cache->scaling != SCALE_BLOCK) {
    return rounded;
  }
  const double beyond = magnitude - scale * cache->code->largest;
  return fmax(rounded, fmin(beyond, cache->code->largest * half_ulp(&e4m3, scale / fixed) * fixed));
}

/*
 * The number is rounded to the scalar dtype; dividing by the scale, and multiplying when read, are
 * f32 and cost 2^-24 of it each (2^-22 leaves room); what is divided is rounded to a code.
 */
static double bound(const storage *scalar, const storage *cache, double scale, double fixed,
                    float number) {
  const double first = half_ulp(scalar->code, number);
  const double magnitude = fabs((double)number);
  if (scalar == cache) {
    return first;
  }
  return first + code_bound(cache, scale, fixed, magnitude + first) + ldexp(magnitude, -22);
}

double error_of_bound(const storage *scalar, const storage *cache, const extent *size,
                      const float *scales, const readings *got, const float *want) {
  const int64_t elements = extent_elements(size) / size->layers;
  double worst = 0.0;
  for (int64_t i = 0; i < elements * size->layers; i++) {
    const double distance = difference(got->numbers[i], want[i]);
    const double fixed = scales[i / elements];
    const double allowed = bound(scalar, cache, got->scales[i], fixed, want[i]);
    if (distance > 0.0) {
      worst = fmax(worst, allowed > 0.0 ? distance / allowed : HUGE_VAL);
    }
  }
  return worst;
}

/* ---- attention ---------------------------------------------------------------------------------
 */

/* One head of one layer; rows of Q, K, V and of the output are `stride` apart. */
static void attend(const extent *size, int64_t stride, const float *query, const float *key,
                   const float *value, double *weights, double *sums, float *output) {
  const double factor = 1.0 / sqrt((double)size->head_size);
  for (int64_t row = 0; row < size->tokens; row++) {
    double largest = -HUGE_VAL;
    double total = 0.0;
    for (int64_t token = 0; token < size->tokens; token++) {
      double score = 0.0;
      for (int64_t d = 0; d < size->head_size; d++) {
        score += (double)query[row * stride + d] * (double)key[token * stride + d];
      }
      weights[token] = factor * score;
      largest = fmax(largest, weights[token]);
    }
    memset(sums, 0, (size_t)size->head_size * sizeof *sums);
    for (int64_t token = 0; token < size->tokens; token++) {
      const double weight = exp(weights[token] - largest);
      total += weight;
      for (int64_t d = 0; d < size->head_size; d++) {
        sums[d] += weight * (double)value[token * stride + d];
      }
    }
    for (int64_t d = 0; d < size->head_size; d++) {
      output[row * stride + d] = (float)(sums[d] / total);
    }
  }
}

void attention(const extent *size, const float *query, const float *key, const float *value,
               float *output) {
  const int64_t stride = size->heads * size->head_size;
  double *const weights = allocate((size_t)size->tokens, sizeof *weights);
  double *const sums = allocate((size_t)size->head_size, sizeof *sums);
  for (int64_t layer = 0; layer < size->layers; layer++) {
    for (int64_t head = 0; head < size->heads; head++) {
      const int64_t at = layer * size->tokens * stride + head * size->head_size;
      attend(size, stride, query + at, key + at, value + at, weights, sums, output + at);
    }
  }
  free(weights);
  free(sums);
}
