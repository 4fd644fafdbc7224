/*
 * Rows whose strides and counts are below 2^31, as most are: what a CUDA kernel reads before its
 * first load, side by side and in units of bytes, since little else takes time where rows are few.
 * All zeros: something does not fit. Included by host C and by the CUDA kernels.
 */
#ifndef KVFORGE_CACHE_NARROW_H
#define KVFORGE_CACHE_NARROW_H

#include <stdint.h>

/* Rows that go to slots. */
typedef struct kvf_narrow_side {
  const char *from;     /* row 0 */
  char *to;             /* slot 0 */
  const float *scale;   /* the one scale; not read when bits are copied */
  uint32_t from_stride; /* from a row to the next */
  uint32_t to_stride;   /* from a slot to the next of its page */
  uint32_t page_gap;    /* what a page takes beyond its slots */
  uint32_t vectors;     /* of a row; of the second side no more than of the first */
} kvf_narrow_side;

typedef struct kvf_narrow_write {
  kvf_narrow_side first;
  uint32_t num_rows; /* in one line of 64 bytes with the first side: others need no more of this */
  uint32_t mapping_stride;
  kvf_narrow_side second;
  const char *mapping; /* the slot of row 0 */
  uint32_t num_slots;
  uint32_t magic; /* of slot div tokens of a page: kvf_divider in half of the bits */
  uint8_t shift;
  uint8_t index_bytes; /* of a slot: 8 or 4 */
  uint8_t vector_elements;
} kvf_narrow_write;

/* Rows of two parts that are joined, those of all heads of a token one behind another. */
typedef struct kvf_narrow_join {
  const char *from[2]; /* the parts of row 0 */
  char *to;
  uint32_t from_token[2]; /* strides */
  uint32_t from_head[2];
  uint32_t to_token;
  uint32_t to_head;
  uint32_t vectors[2]; /* of each part, of the first no fewer than of the second */
  uint32_t num_rows;
  uint32_t num_heads;
  uint32_t magic; /* of row div num_heads */
  uint8_t shift;
} kvf_narrow_join;

#endif
