/*
 * What the tests of the ops beside reshape_and_cache_flash share: sources of [row, head, element],
 * caches of [block, token, head, element], slots, and numbers that are hard to quantise.
 */
#ifndef KVF_TESTS_FLASH_H
#define KVF_TESTS_FLASH_H

#include "operands.h"

enum {
  FLASH_CONTIGUOUS,
  FLASH_HEADS_FIRST,
  FLASH_PADDED,         /* no stride is a multiple of a vector */
  FLASH_PADDED_ALIGNED, /* all are */
  FLASH_STRIDED,        /* no unit stride at all */
  FLASH_REVERSED,
  FLASH_LAYOUTS
};

/* Strides of a source (rank 3) or of a cache (rank 4: contiguous is NHD, heads first HND). */
void flash_lay_out(int layout, int32_t rank, const int64_t *shape, int64_t *stride);

enum {
  FLASH_NORMAL,
  FLASH_ZEROS,
  FLASH_SMALL, /* long runs whose magnitudes are tiny or subnormal */
  FLASH_LARGE,
  FLASH_SPECIAL, /* infinities, NaNs */
  FLASH_TIES,    /* half way between codes when the scale is a power of two */
  FLASH_BITS,
  FLASH_VALUES
};

/* Every element of an operand's memory, those that no view shows too. */
void flash_fill(const operand *to, kvf_dtype scalar, int values, uint64_t seed);

enum { FLASH_RANDOM_SLOTS, FLASH_SKIPPED_SLOTS, FLASH_NO_SLOTS, FLASH_NEIGHBOURS, FLASH_SLOTS };

/* Different slots below `capacity`, in an order of some kind; some or all may be negative. */
void flash_fill_slots(const operand *to, int kind, int64_t capacity, uint64_t seed);

/* The element at an index of an operand of f32, f16 or bf16, as a float. Exact. */
float flash_element(const operand *from, kvf_dtype scalar, int64_t i, int64_t j, int64_t k,
                    int64_t l);

/* Keys or values in pages of nvfp4. */
typedef struct flash_nvfp4 {
  const operand *cache;        /* bytes; its strides but the first are not looked at, unless */
  const operand *block_scales; /* is not NULL: a tensor of their own */
  kvf_dtype format;
  bool heads_first; /* HND */
  bool swizzled;    /* block scales as sm_100 has them */
  int64_t heads, head_size, block_size;
} flash_nvfp4;

/* Encodes a group of 16 elements in the expected image of the pages. */
void flash_put_nvfp4(const flash_nvfp4 *pages, const float v[16], float scale, int64_t block,
                     int64_t offset, int64_t head, int64_t group);

/* The slot of a token; false when it is skipped. */
bool flash_slot(const operand *slots, int64_t token, int64_t block_size, int64_t *block,
                int64_t *offset);

#endif
