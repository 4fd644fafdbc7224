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

/*
 * A row without gaps that is converted, in place of the view of where it goes, which is as long and
 * stands first: `mark` is its last stride. Of scale and inverse a kernel that decodes reads the
 * scale, one between floats neither.
 */
#define KVF_NARROW_CONVERSION INT64_MIN
typedef struct kvf_narrow_conversion {
  void *to;
  const void *from;
  float scale;
  float inverse;
  uint32_t vectors; /* whole ones */
  uint32_t part;    /* vectors of a thread block */
  uint16_t in_flight;
  uint16_t vector_elements;
  uint32_t rest; /* elements behind the last vector */
  int64_t mark;
} kvf_narrow_conversion;

/*
 * Keys that the indexer's writer quantises, each one group, in place of the views of keys and
 * pages, which are as long and stand first: `mark` is the last stride of the keys.
 */
#define KVF_NARROW_KEYS INT64_MIN
typedef struct kvf_narrow_keys {
  const char *from;    /* row 0 */
  const char *mapping; /* the slot of row 0 */
  uint32_t from_stride;
  uint32_t mapping_stride;
  uint32_t num_rows;
  uint32_t num_slots;
  uint8_t index_bytes; /* of a slot: 8 or 4 */
  uint8_t lane_bits;
  uint8_t vector_elements;
  uint8_t shift;   /* log2 of the tokens of a page */
  uint32_t within; /* a slot's bits within its page */
  int64_t mark;    /* up to here one line with what is in front of all params */
  char *to;        /* page 0 */
  int64_t page_stride;
  unsigned long long *faults;
  uint32_t head_dim;
  uint32_t scales_at; /* bytes of a page in front of its scales */
  uint64_t nothing[2];
} kvf_narrow_keys;

#endif
