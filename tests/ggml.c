#include "ggml.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "oracle.h"

enum { BLOCK = 32 };

static bool wide(kvf_dtype cache) { return cache == KVF_Q8_0; }

static int64_t block_bytes(kvf_dtype cache) { return wide(cache) ? 34 : 18; }

int64_t ggml_bytes(kvf_dtype cache, int64_t elements) {
  return elements / BLOCK * block_bytes(cache);
}

/* The code of a number; of what is none that of 0. */
static int code_of(kvf_dtype cache, float number) {
  if (wide(cache)) {
    return isnan(number) ? 0 : (int)fmin(fmax(round((double)number), -127), 127);
  }
  const float sum = (float)((double)number + 8.5);
  return isnan(number) ? 8 : sum >= 15 ? 15 : sum <= 0 ? 0 : (int)sum;
}

static void encode_block(kvf_dtype cache, uint8_t *block, const float *elements) {
  float largest = 0;
  for (int i = 0; i < BLOCK; ++i) {
    largest = fabsf(elements[i]) > fabsf(largest) ? elements[i] : largest; /* false for NaNs */
  }
  const float scale = (float)(wide(cache) ? fabs((double)largest) / 127.0 : (double)largest / -8.0);
  const float inverse = scale != 0 ? (float)(1.0 / (double)scale) : 0;
  oracle_round(KVF_F16, (double)scale, block);
  for (int i = 0; i < BLOCK; ++i) {
    const float product = (float)((double)elements[i] * (double)inverse);
    ggml_put_code(cache, block, i, code_of(cache, product));
  }
}

void ggml_encode(kvf_dtype cache, uint8_t *row, const float *elements, int64_t count) {
  for (int64_t i = 0; i < count; i += BLOCK) {
    encode_block(cache, row + ggml_bytes(cache, i), elements + i);
  }
}

double ggml_scale(kvf_dtype cache, const uint8_t *row, int64_t element) {
  return oracle_value(KVF_F16, row + element / BLOCK * block_bytes(cache));
}

double ggml_value(kvf_dtype cache, const uint8_t *row, int64_t element) {
  const uint8_t *codes = row + element / BLOCK * block_bytes(cache) + 2;
  const int64_t i = element % BLOCK;
  const int code = wide(cache) ? (int8_t)codes[i]
                   : i < 16    ? (codes[i] & 15) - 8
                               : (codes[i - 16] >> 4) - 8;
  return code * ggml_scale(cache, row, element);
}

void ggml_put_scale(kvf_dtype cache, uint8_t *row, int64_t element, double scale) {
  oracle_round(KVF_F16, scale, row + element / BLOCK * block_bytes(cache));
}

void ggml_put_code(kvf_dtype cache, uint8_t *row, int64_t element, int code) {
  uint8_t *codes = row + element / BLOCK * block_bytes(cache) + 2;
  const int64_t i = element % BLOCK;
  if (wide(cache)) {
    codes[i] = (uint8_t)code;
  } else if (i < 16) {
    codes[i] = (uint8_t)((codes[i] & 0xF0) | code);
  } else {
    codes[i - 16] = (uint8_t)((codes[i - 16] & 0x0F) | code << 4);
  }
}
