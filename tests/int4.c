#include "int4.h"

#include <math.h>
#include <string.h>

#include "oracle.h"

enum { SIGNS = 512, STATE = 624, SHIFT = 397 };

static float signs[SIGNS];

/* The first outputs of a Mersenne twister, as its publication has it; before main, so that threads
 * only read. */
__attribute__((constructor)) static void draw_signs(void) {
  uint32_t state[STATE] = {0x9E3779B9};
  for (uint32_t i = 1; i < STATE; ++i) {
    state[i] = 1812433253u * (state[i - 1] ^ state[i - 1] >> 30) + i;
  }
  for (int i = 0; i < SIGNS; ++i) { /* each is the next word of the state, tempered */
    const uint32_t joined = (state[i] & 0x80000000u) | (state[(i + 1) % STATE] & 0x7FFFFFFFu);
    state[i] = state[(i + SHIFT) % STATE] ^ joined >> 1 ^ (joined & 1 ? 0x9908B0DFu : 0);
    uint32_t word = state[i];
    word ^= word >> 11;
    word ^= word << 7 & 0x9D2C5680u;
    word ^= word << 15 & 0xEFC60000u;
    word ^= word >> 18;
    signs[i] = (word & 0xFFFFFF) * 0x1p-24 < 0.5 ? 1.0f : -1.0f;
  }
}

float int4_sign(int64_t i) { return signs[i]; }

int64_t int4_block(int64_t head_size) {
  int64_t block = 1;
  while (head_size % (2 * block) == 0) {
    block *= 2;
  }
  return block;
}

/* Sums of floats, exact in double, rounded once. */
void int4_hadamard(float *head, int64_t size) {
  for (int64_t distance = 1; distance < int4_block(size); distance *= 2) {
    for (int64_t i = 0; i < size; ++i) {
      if (i / distance % 2 == 0) {
        const double a = (double)head[i];
        const double b = (double)head[i + distance];
        head[i] = (float)(a + b);
        head[i + distance] = (float)(a - b);
      }
    }
  }
}

static void put_signs(float *head, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    head[i] *= signs[i % int4_block(size)];
  }
}

void int4_rotate(float *head, int64_t size, kvf_dtype scalar) {
  put_signs(head, size);
  int4_hadamard(head, size);
  for (int64_t i = 0; i < size; ++i) {
    uint8_t held[4];
    oracle_round(scalar, (double)head[i], held);
    head[i] = (float)oracle_value(scalar, held);
  }
}

void int4_rotate_back(float *head, int64_t size) {
  int4_hadamard(head, size);
  for (int64_t i = 0; i < size; ++i) {
    head[i] = (float)((double)head[i] / (double)int4_block(size));
  }
  put_signs(head, size);
  for (int64_t i = 0; i < size; ++i) {
    head[i] = head[i] == 0 ? 0 : head[i]; /* of no sign */
  }
}

/* Halves up, cut to a code; 0 for what is no number. */
static uint8_t round_code(float x) {
  if (isnan(x) || x < 0) {
    return 0;
  }
  const float sum = (float)((double)x + 0.5);
  return (uint8_t)(sum >= 15 ? 15 : (int)sum);
}

uint32_t int4_encode(uint8_t *codes, const float *stored, int64_t size) {
  float low = 0;
  float high = 0;
  for (int64_t i = 0; i < size; ++i) {
    low = stored[i] < low ? stored[i] : low; /* false for NaNs */
    high = stored[i] > high ? stored[i] : high;
  }
  const float width = (float)((double)high - (double)low);
  const float part = (float)((double)width / 15.0);
  const float scale = part > 1e-6f ? part : 1e-6f;
  const uint8_t zero = round_code((float)(-(double)low / (double)scale));
  const float inverse = (float)(1.0 / (double)scale);
  for (int64_t i = 0; i < size; ++i) {
    const float product = (float)((double)stored[i] * (double)inverse);
    codes[i] = isnan(stored[i]) ? zero : round_code((float)((double)product + zero));
  }
  uint32_t word;
  memcpy(&word, &scale, sizeof word);
  return word / 16 * 16 + zero;
}

float int4_decode(uint8_t code, uint32_t word) {
  const int zero = (int)(word % 16);
  float scale;
  word -= (uint32_t)zero;
  memcpy(&scale, &word, sizeof scale);
  return (float)(((double)code - zero) * (double)scale);
}

uint8_t int4_code(const uint8_t *head, int64_t i) { return head[i / 2] >> (i % 2 ? 4 : 0) & 15; }

void int4_put_code(uint8_t *head, int64_t i, uint8_t code) {
  head[i / 2] = (uint8_t)(i % 2 ? (head[i / 2] & 0x0F) | code << 4 : (head[i / 2] & 0xF0) | code);
}
