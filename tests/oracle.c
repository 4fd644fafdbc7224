#include "oracle.h"

#include <math.h>
#include <string.h>

/* sign, exponent with its bias, mantissa; an exponent of 0 is a subnormal. */
static double assemble(bool negative, int exponent, int bias, int mantissa, int mantissa_bits) {
  const double fraction = ldexp(mantissa, -mantissa_bits);
  const double magnitude =
      exponent == 0 ? ldexp(fraction, 1 - bias) : ldexp(1.0 + fraction, exponent - bias);
  return negative ? -magnitude : magnitude;
}

static double ieee_value(uint32_t bits, int exponent_bits, int mantissa_bits) {
  const int top = (1 << exponent_bits) - 1;
  const bool negative = bits >> (exponent_bits + mantissa_bits) & 1;
  const int exponent = (int)(bits >> mantissa_bits) & top;
  const int mantissa = (int)(bits & ((1u << mantissa_bits) - 1));
  if (exponent == top) {
    const double special = mantissa != 0 ? (double)NAN : (double)INFINITY;
    return negative ? -special : special;
  }
  return assemble(negative, exponent, top / 2, mantissa, mantissa_bits);
}

static double fp8_value(kvf_dtype format, uint8_t code) {
  if (format == KVF_FP8_E5M2) {
    return ieee_value(code, 5, 2);
  }
  /* E4M3 "fn" spends its top exponent on numbers, all but the last code. */
  if ((code & 0x7F) == 0x7F) {
    return (double)NAN;
  }
  return assemble(code >> 7, code >> 3 & 15, 7, code & 7, 3);
}

uint8_t oracle_fp8_largest(kvf_dtype format) { return format == KVF_FP8_E4M3 ? 0x7E : 0x7B; }

/* What 16-bit patterns and fp8 codes stand for, made once from the definitions above. */
static double f16_values[65536];
static double bf16_values[65536];
static double fp8_values[2][256]; /* [format][code]: of positive codes, they grow with the code */

/* Before main, so that threads only read. */
__attribute__((constructor)) static void fill_tables(void) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    f16_values[bits] = ieee_value(bits, 5, 10);
    bf16_values[bits] = ieee_value(bits, 8, 7);
  }
  for (int code = 0; code < 256; ++code) {
    fp8_values[0][code] = fp8_value(KVF_FP8_E4M3, (uint8_t)code);
    fp8_values[1][code] = fp8_value(KVF_FP8_E5M2, (uint8_t)code);
  }
}

double oracle_fp8_value(kvf_dtype format, uint8_t code) {
  return fp8_values[format == KVF_FP8_E5M2][code];
}

double oracle_value(kvf_dtype dtype, const void *element) {
  float single;
  uint16_t half;
  uint8_t byte;
  switch (dtype) {
  case KVF_F32:
    memcpy(&single, element, sizeof single);
    return (double)single;
  case KVF_F16:
    memcpy(&half, element, sizeof half);
    return f16_values[half];
  case KVF_BF16:
    memcpy(&half, element, sizeof half);
    return bf16_values[half];
  case KVF_INT8:
  case KVF_INT8_PER_TOKEN_HEAD:
    return *(const int8_t *)element;
  case KVF_FP8_PER_TOKEN_HEAD:
    dtype = KVF_FP8_E4M3;
    /* fall through */
  default:
    memcpy(&byte, element, sizeof byte);
    return oracle_fp8_value(dtype, byte);
  }
}

uint8_t oracle_fp8(kvf_dtype format, float value) {
  if (isnan(value)) {
    return 0x7F;
  }
  const double *table = fp8_values[format == KVF_FP8_E5M2];
  const int largest = oracle_fp8_largest(format);
  const double given = fabs((double)value);
  const double magnitude = given < table[largest] ? given : table[largest];
  /* The largest code that is not above. Beyond the last finite code, comparisons are false. */
  int low = 0;
  for (int step = 64; step > 0; step /= 2) {
    low += table[low + step] <= magnitude ? step : 0;
  }
  /* Its neighbour, if there is one, may be nearer. */
  if (low < largest) {
    const double below = magnitude - table[low];
    const double above = table[low + 1] - magnitude;
    if (above < below || (above == below && low % 2 != 0)) {
      ++low;
    }
  }
  return (uint8_t)(low | (signbit(value) ? 0x80 : 0));
}

static const double e2m1_magnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};

double oracle_e2m1_value(uint8_t code) {
  return code & 8 ? -e2m1_magnitudes[code & 7] : e2m1_magnitudes[code & 7];
}

uint8_t oracle_e2m1(float value) {
  if (isnan(value)) {
    return 7;
  }
  const double magnitude = fmin(fabs((double)value), 6);
  int best = 0;
  for (int code = 1; code < 8; ++code) {
    const double nearer =
        fabs(e2m1_magnitudes[best] - magnitude) - fabs(e2m1_magnitudes[code] - magnitude);
    if (nearer > 0 || (nearer == 0 && code % 2 == 0)) {
      best = code;
    }
  }
  return (uint8_t)(best | (signbit(value) ? 8 : 0));
}

double oracle_unit(kvf_dtype cache, double held, double scale) {
  const double code = scale > 0 ? fabs(held / scale) : 0;
  switch (cache) {
  case KVF_INT8:
  case KVF_INT8_PER_TOKEN_HEAD:
  case KVF_INT4_PER_TOKEN_HEAD:
  case KVF_Q8_0:
  case KVF_Q4_0:
    return scale;
  case KVF_NVFP4:
  case KVF_NVFP4_DS_MLA:
    return scale * (code < 2 ? 0.5 : code < 4 ? 1 : 2);
  case KVF_FP8_E5M2:
    return scale * exp2(floor(log2(fmax(code, 0x1p-14))) - 2);
  case KVF_F32:
  case KVF_F16:
  case KVF_BF16:
    return 0;
  default: /* codes of E4M3 */
    return scale * exp2(floor(log2(fmax(code, 0x1p-6))) - 3);
  }
}

int8_t oracle_int8(float value) {
  if (isnan(value)) {
    return 0;
  }
  return (int8_t)nearbyint(fmin(fmax((double)value, -128), 127)); /* to nearest even */
}

int8_t oracle_int8_away(float value) {
  if (isnan(value)) {
    return 0;
  }
  const float sum = (float)((double)value + (value < 0 ? -0.5 : 0.5));
  return (int8_t)trunc(fmin(fmax((double)sum, -128), 127));
}

void oracle_store(kvf_dtype scalar, kvf_dtype cache, const void *element, float scale,
                  void *stored) {
  if (cache == scalar) {
    memcpy(stored, element, (size_t)kvf_dtype_bits(scalar) / 8);
    return;
  }
  /* A quotient of two floats, rounded to double and then to float, is rounded as if once: double
   * has more than twice the bits. */
  const float quotient = (float)(oracle_value(scalar, element) / (double)scale);
  *(uint8_t *)stored =
      cache == KVF_INT8 ? (uint8_t)oracle_int8(quotient) : oracle_fp8(cache, quotient);
}

/* 2^exponent, of a normal double. */
static double power_of_two(int exponent) {
  const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

/* The e of 2^e <= |value| < 2^(e + 1), -1023 of what is no normal double: smaller than any number
 * of a scalar. */
static int exponent_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (int)(bits >> 52 & 0x7FF) - 1023;
}

void oracle_round(kvf_dtype scalar, double value, void *element) {
  const int exponent_bits = scalar == KVF_F16 ? 5 : 8;
  const int mantissa_bits = scalar == KVF_F32 ? 23 : scalar == KVF_F16 ? 10 : 7;
  const int bits = 1 + exponent_bits + mantissa_bits;
  if (isnan(value)) {
    const uint32_t nan = (UINT32_C(1) << (bits - 1)) - 1;
    memcpy(element, &nan, (size_t)bits / 8);
    return;
  }
  const int least = 2 - (1 << (exponent_bits - 1)); /* exponent of the smallest normal number */
  if (isinf(value)) {
    oracle_make(scalar, value, element);
    return;
  }
  const int exponent = exponent_of(value);
  const int unit = (exponent > least ? exponent : least) - mantissa_bits;
  /* nearbyint() rounds to nearest even; the result has at most one bit more than fits, which
   * carries into the exponent. Products with powers of two are exact: beyond infinity and below the
   * least subnormal number of a scalar there is room in a double. */
  const double rounded = nearbyint(value * power_of_two(-unit)) * power_of_two(unit);
  oracle_make(scalar, rounded, element);
}

void oracle_make(kvf_dtype scalar, double value, void *element) {
  const int exponent_bits = scalar == KVF_F16 ? 5 : 8;
  const int mantissa_bits = scalar == KVF_F32 ? 23 : scalar == KVF_F16 ? 10 : 7;
  const int top = (1 << exponent_bits) - 1;
  const int bias = top / 2;
  uint32_t bits;
  const int exponent = exponent_of(value);
  if (isnan(value)) {
    bits = ((uint32_t)top << mantissa_bits) | 1u << (mantissa_bits - 1);
  } else if (value == 0) {
    bits = 0;
  } else if (isinf(value) || exponent > bias) {
    bits = (uint32_t)top << mantissa_bits;
  } else if (exponent < 1 - bias) {
    bits = (uint32_t)(fabs(value) * power_of_two(mantissa_bits + bias - 1));
  } else {
    const double fraction = fabs(value) * power_of_two(-exponent) - 1;
    bits = ((uint32_t)(exponent + bias) << mantissa_bits) +
           (uint32_t)(fraction * power_of_two(mantissa_bits));
  }
  bits |= (uint32_t)(signbit(value) != 0) << (exponent_bits + mantissa_bits);
  memcpy(element, &bits, (size_t)kvf_dtype_bits(scalar) / 8); /* little-endian, as DLPack is */
}
