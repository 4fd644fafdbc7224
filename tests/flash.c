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

bool flash_slot(const operand *slots, int64_t token, int64_t block_size, int64_t *block,
                int64_t *offset) {
  const int64_t slot = operand_get_index(slots, token, 0);
  *block = slot / block_size;
  *offset = slot % block_size;
  return slot >= 0;
}
