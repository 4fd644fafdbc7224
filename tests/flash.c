#include "flash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "writer.h"

void flash_lay_out(int layout, int32_t rank, const int64_t *shape, int64_t *stride) {
  const char *order = rank == 3 ? "012" : "0123";
  const char *heads_first = rank == 3 ? "102" : "0213";
  switch (layout) {
  case FLASH_HEADS_FIRST:
    lay_out(stride, shape, heads_first, 1, 0);
    break;
  case FLASH_PADDED:
    lay_out(stride, shape, order, 1, 3);
    break;
  case FLASH_PADDED_ALIGNED:
    lay_out_aligned(stride, shape, order, 16);
    break;
  case FLASH_STRIDED:
    lay_out(stride, shape, heads_first, 2, 1);
    break;
  case FLASH_REVERSED:
    lay_out(stride, shape, order, 1, 0);
    stride[0] = -stride[0];
    stride[rank - 2] = -stride[rank - 2];
    break;
  default:
    lay_out(stride, shape, order, 1, 0);
    break;
  }
}

static double make_value(int values, int64_t i, uint64_t *state) {
  const uint64_t random = random_next(state);
  const double sign = random & 1 ? -1.0 : 1.0;
  const double value = random_normal(state);
  switch (values) {
  case FLASH_ZEROS:
    return random & 2 ? sign * 0.0 : i / 300 % 2 ? sign * 0.0 : value;
  case FLASH_SMALL:
    return ldexp(value, -(int)(i / 200 % 5) * (random & 2 ? 7 : 34));
  case FLASH_LARGE:
    return ldexp(value, random & 6 ? 4 : 14);
  case FLASH_SPECIAL:
    return i / 100 % 2   ? value
           : random & 24 ? value
           : random & 2  ? (double)NAN
                         : sign * (double)INFINITY;
  case FLASH_TIES:
    return sign * (double)(random >> 8 & 255) * 0.5;
  default:
    return value;
  }
}

void flash_fill(const operand *to, kvf_dtype scalar, int values, uint64_t seed) {
  const size_t bytes = (size_t)kvf_dtype_bits(scalar) / 8;
  if (values == FLASH_BITS || to->memory.expected == NULL) {
    return; /* as it was made */
  }
  size_t at = (size_t)to->view.start % bytes;
  for (int64_t i = 0; at + bytes <= to->memory.size; at += bytes, ++i) {
    oracle_make(scalar, make_value(values, i, &seed), to->memory.expected + at);
  }
}

void flash_fill_slots(const operand *to, int kind, int64_t capacity, uint64_t seed) {
  const int64_t tokens = to->view.shape[0];
  int64_t *order = malloc((size_t)(capacity + 1) * sizeof *order);
  for (int64_t i = 0; i < capacity; ++i) {
    const int64_t j = random_below(&seed, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  const int64_t first = random_below(&seed, capacity - tokens + 1);
  for (int64_t i = 0; i < tokens; ++i) {
    int64_t slot = kind == FLASH_NEIGHBOURS ? first + i : order[i];
    if (kind == FLASH_NO_SLOTS || (kind == FLASH_SKIPPED_SLOTS && random_below(&seed, 3) == 0)) {
      slot = random_below(&seed, 2) ? -1 : -7;
    }
    operand_put_index(to, i, 0, slot);
  }
  free(order);
}

float flash_element(const operand *from, kvf_dtype scalar, int64_t i, int64_t j, int64_t k,
                    int64_t l) {
  return (float)oracle_value(scalar, operand_at(from, i, j, k, l));
}

/* ---- nvfp4
 * -------------------------------------------------------------------------------------- */

static float product(float a, float b) { return (float)((double)a * (double)b); }
static float quotient(float a, float b) { return (float)((double)a / (double)b); }
static float sum(float a, float b) { return (float)((double)a + (double)b); }

typedef struct encoded_group {
  uint8_t codes[16];
  uint8_t block_scale;
  float step; /* what a code of 1 stands for */
} encoded_group;

/* The formula, one f32 operation after another: each exact in double, or with bits to spare. */
static encoded_group encode(const float v[16], float largest, float top, float scale) {
  encoded_group group;
  const float g = quotient(1, scale);
  group.block_scale = oracle_fp8(KVF_FP8_E4M3, product(g, quotient(largest, top)));
  const float decoded = (float)oracle_fp8_value(KVF_FP8_E4M3, group.block_scale);
  group.step = quotient(decoded, g);
  const float m = decoded == 0 ? 0.0f : quotient(1, group.step);
  for (int i = 0; i < 16; ++i) {
    group.codes[i] = oracle_e2m1(product(v[i], m));
  }
  return group;
}

/* The error of elements [first, first + count): that of the left half and that of the right one. */
static float error_of(const float v[16], const encoded_group *group, int first, int count) {
  static const float values[] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  if (count > 1) {
    return sum(error_of(v, group, first, count / 2),
               error_of(v, group, first + count / 2, count / 2));
  }
  const uint8_t code = group->codes[first];
  const float value = code & 8 ? -values[code & 7] : values[code & 7];
  const float difference = sum(v[first], -product(value, group->step));
  return product(difference, difference);
}

static void put_codes(uint8_t *to, const encoded_group *group) {
  for (int i = 0; i < 16; i += 2) {
    to[i / 2] = (uint8_t)(group->codes[i] | group->codes[i + 1] << 4);
  }
}

void flash_put_nvfp4(const flash_nvfp4 *pages, const float v[16], float scale, int64_t block,
                     int64_t offset, int64_t head, int64_t group) {
  const int64_t groups = pages->head_size / 16;
  float largest = 0;
  for (int i = 0; i < 16; ++i) {
    largest = fabsf(v[i]) > largest ? fabsf(v[i]) : largest;
  }
  encoded_group chosen = encode(v, largest, 6, scale);
  if (pages->format == KVF_NVFP4_4OVER6) {
    const encoded_group four = encode(v, largest, 4, scale);
    chosen = error_of(v, &four, 0, 16) < error_of(v, &chosen, 0, 16) ? four : chosen;
  }
  int64_t token_place = offset;
  int64_t group_place = group;
  if (pages->swizzled) {
    token_place = 4 * (offset / 4) + group / (groups / 4);
    group_place = 4 * (group % (groups / 4)) + offset % 4;
  }
  if (pages->block_scales != NULL) {
    put_codes(operand_at(pages->cache, block, offset, head, group * 8), &chosen);
    *operand_at(pages->block_scales, block, token_place, head, group_place) = chosen.block_scale;
    return;
  }
  uint8_t *page = operand_at(pages->cache, block, 0, 0, 0);
  const bool hnd = pages->heads_first;
  const int64_t row = hnd ? head * pages->block_size + offset : offset * pages->heads + head;
  put_codes(page + row * pages->head_size / 2 + group * 8, &chosen);
  const int64_t scale_row =
      hnd ? head * pages->block_size + token_place : token_place * pages->heads + head;
  page[pages->block_size * pages->heads * pages->head_size / 2 + scale_row * groups + group_place] =
      chosen.block_scale;
}

bool flash_slot(const operand *slots, int64_t token, int64_t block_size, int64_t *block,
                int64_t *offset) {
  const int64_t slot = operand_get_index(slots, token, 0);
  *block = slot / block_size;
  *offset = slot % block_size;
  return slot >= 0;
}
