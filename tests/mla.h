/* What the suites of the MLA cache writers share: layouts, contents, and the slow answer. */
#ifndef KVF_TESTS_MLA_H
#define KVF_TESTS_MLA_H

#include "operands.h"

/* The layouts of kv_c and k_pe. */
enum {
  SOURCES_CONTIGUOUS,
  SOURCES_FUSED, /* both are slices of one tensor of [rows, kv_lora_rank + rope_dim] */
  SOURCES_PADDED,
  SOURCES_PADDED_ALIGNED, /* to multiples of 16 elements, and so are those of the cache */
  SOURCES_STRIDED,
  SOURCES_BROADCAST, /* every row is the same */
  SOURCES_REVERSED,
  SOURCE_LAYOUTS
};

/* The layouts of a cache of [block, token, element]. */
enum {
  CACHE_CONTIGUOUS,
  CACHE_PADDED, /* to odd strides */
  CACHE_PADDED_ALIGNED,
  CACHE_TOKENS_FIRST, /* in memory [token, block, element] */
  CACHE_REVERSED,
  CACHE_UNIT_LAYOUTS,
  CACHE_STRIDED = CACHE_UNIT_LAYOUTS, /* elements are 2 apart */
  CACHE_LAYOUTS
};

enum {
  VALUES_NORMAL,
  VALUES_ZEROS,
  VALUES_SMALL, /* subnormals, and groups whose scale is the least */
  VALUES_LARGE,
  VALUES_SPECIAL, /* infinities, NaNs */
  VALUES_TIES,
  VALUES_BITS,
  VALUE_KINDS
};

enum {
  SLOTS_RANDOM,
  SLOTS_WITH_PADDING,
  SLOTS_CONSECUTIVE,
  SLOTS_ALL_SKIPPED,
  SLOTS_ENDS, /* the first and the last of the cache */
  SLOT_KINDS
};

enum { INDEX_INT64, INDEX_INT32, INDEX_INT64_STRIDED, INDEX_INT32_STRIDED, INDEX_KINDS };

/* Strides of a cache. */
void mla_cache_strides(int layout, const int64_t shape[3], int64_t stride[3]);

/* Makes kv_c and k_pe of [rows, size] at two positions of a call. `offset` in bytes, mod 16. */
void mla_make_sources(op_call *call, int kv_c, int k_pe, kvf_dtype scalar, int layout, int64_t rows,
                      int64_t kv_lora_rank, int64_t rope_dim, const int offset[2], int values,
                      uint64_t seed);

/* Fills every element of an operand's memory with numbers of a kind. */
void mla_fill(operand *to, kvf_dtype scalar, int values, uint64_t seed);

/* Makes an operand of num indices with a stride, kind INDEX_... */
void mla_make_indices(op_call *call, int position, int kind, int64_t num, uint64_t seed);

/* `num` slots of a cache, none twice, to be freed. `wide`: negative ones may be 64-bit. */
int64_t *mla_slots(int kind, int64_t num, int64_t capacity, bool wide, uint64_t *state);

/* A scale for fp8. */
enum { SCALE_KINDS = 7 };
float mla_scale(int kind);

/* Makes a scale of one element, rank 0 or 1. */
void mla_make_scale(op_call *call, int position, int kind, int32_t rank);

/*
 * What a row of the cache holds. Elements of the sources lie one behind another; so do those of the
 * row: kv_lora_rank + rope_dim elements, or the bytes of a row format.
 */
void mla_oracle_row(kvf_dtype scalar, kvf_dtype cache, const uint8_t *kv_c, int64_t kv_lora_rank,
                    const uint8_t *k_pe, int64_t rope_dim, float scale, uint8_t *row);

/* Bytes of such a row. */
int64_t mla_row_bytes(kvf_dtype cache, int64_t elements);
bool mla_is_format(kvf_dtype cache);

DLDataType mla_cache_dtype(kvf_dtype cache, bool as_uint8);

/* Expects a token's row in the image of a cache of [block, token, element]. */
void mla_expect_row(const operand *cache, int64_t slot, int64_t block_size, int64_t bytes,
                    const uint8_t *row);

/* Copies `count` elements of a source row of the expected images, wherever they lie, to `packed`.
 */
void mla_gather(const operand *source, int64_t i, int64_t j, int64_t count, uint8_t *packed);

#endif
