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

static const format formats[] = {
    {KVF_F32, {kDLFloat, 32, 1}, 23, 127, 0x1.FFFFFEp127},
    {KVF_F16, {kDLFloat, 16, 1}, 10, 15, 65504.0},
    {KVF_BF16, {kDLBfloat, 16, 1}, 7, 127, 0x1.FEp127},
    {KVF_FP8_E4M3, {kDLFloat8_e4m3fn, 8, 1}, 3, 7, 448.0},
    {KVF_FP8_E5M2, {kDLFloat8_e5m2, 8, 1}, 2, 15, 57344.0},
};

const format *format_find(kvf_dtype dtype) {
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
    if (formats[i].dtype == dtype) {
      return &formats[i];
    }
  }
  return NULL;
}

size_t format_bytes(const format *form) { return form->dlpack.bits / 8; }

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
  const size_t bytes = format_bytes(form);
  for (int64_t i = 0; i < count; i++) {
    const uint32_t code = encode(form, numbers[i]);
    memcpy((char *)codes + (size_t)i * bytes, &code, bytes);
  }
}

float format_decode(const format *form, uint32_t code) {
  const uint32_t sign = code >> (form->dlpack.bits - 1);
  const uint32_t rest = code & ~(sign << (form->dlpack.bits - 1));
  const uint32_t hidden = 1u << form->mantissa_bits;
  const uint32_t field = rest >> form->mantissa_bits;
  const double mantissa = (double)((rest & (hidden - 1)) + (field > 0 ? hidden : 0));
  const int exponent = (int)(field > 0 ? field : 1) - form->bias - form->mantissa_bits;
  const double magnitude = ldexp(mantissa, exponent);
  return magnitude > form->largest ? NAN : (float)(sign ? -magnitude : magnitude);
}

void scales_choose(const format *form, const extent *size, const float *numbers, float *scales) {
  const int64_t elements = extent_elements(size) / size->layers;
  for (int64_t layer = 0; layer < size->layers; layer++) {
    float amax = 0.0f;
    for (int64_t i = 0; i < elements; i++) {
      amax = fmaxf(amax, fabsf(numbers[layer * elements + i]));
    }
    scales[layer] = amax > 0.0f ? (float)(amax / form->largest) : 1.0f;
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
  return form->dtype == KVF_F32 ? 0.0 : ldexp(0.5, last_bit(form, fabs(number)));
}

/*
 * The number is rounded to the scalar dtype; dividing by the scale, and multiplying when read, are
 * f32 and cost 2^-24 of it each (2^-22 leaves room); what is divided is rounded to the cache dtype.
 */
static double bound(const format *scalar, const format *cache, double scale, float number) {
  const double first = half_ulp(scalar, number);
  if (scalar == cache) {
    return first;
  }
  const double divided = (fabs((double)number) + first) / scale;
  return first + scale * half_ulp(cache, divided) + ldexp(fabs((double)number), -22);
}

double error_of_bound(const format *scalar, const format *cache, const extent *size,
                      const float *scales, const float *got, const float *want) {
  const int64_t elements = extent_elements(size) / size->layers;
  double worst = 0.0;
  for (int64_t i = 0; i < elements * size->layers; i++) {
    const double distance = difference(got[i], want[i]);
    const double allowed = bound(scalar, cache, scales[i / elements], want[i]);
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
