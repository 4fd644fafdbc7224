/*
 * Types that the params structs of cache ops are made of, beside those of every op. Included by
 * host C, by the CPU variants and by the CUDA kernels, so the three agree byte for byte.
 */
#ifndef KVFORGE_CACHE_KERNEL_TYPES_H
#define KVFORGE_CACHE_KERNEL_TYPES_H

#include "kvforge/cache/hot_rows.h"
#include "kvforge/cache/narrow.h"
#include "kvforge/cache/pages.h"
#include "kvforge/cache/slots.h"
#include "kvforge/cache/wire.h"
#include "kvforge/kernel_types.h"

/* Layers whose addresses travel in the parameters of one launch, of which there are 4 KB. */
#define KVF_MAX_LAYERS 128

/* Vectors of so many bytes that a CUDA thread of the MLA writers asks for before it waits for one
 * of them. Kernels are right with any number of threads for a row, and quick if each has so many.
 */
#define KVF_VECTORS_AHEAD(bytes) ((bytes) >= 64 ? 1 : (bytes) >= 32 ? 2 : 4)

/* Where rope_and_cache_flash rounds to the scalar dtype; its doc has what that means. */
enum { KVF_ROUND_UNFUSED, KVF_ROUND_ONCE, KVF_ROUND_NONE };

/* What it makes of queries. */
enum { KVF_QUERY_SCALAR, KVF_QUERY_FP8_E4M3, KVF_QUERY_FP8_E5M2 };

/*
 * Which page holds each part of each sequence. Rows of all sequences are numbered one behind
 * another: sequence b has rows [starts[b], starts[b + 1]), and its row r is position r - starts[b]
 * + offset of the sequence, offset = offsets[b] or 0. That position lies in page entries[b * stride
 * + position div block_size], at position mod block_size.
 *
 * With `lengths` a sequence has at most lengths[b] rows, and those up to the next one belong to
 * nobody. With `open_ended` starts has no last element: the last sequence goes on to the last row.
 */
typedef struct kvf_block_table {
  const void *entries;    /* [num_sequences, width] int64 or int32 */
  int64_t stride;         /* of a sequence in entries, in elements */
  const int32_t *starts;  /* [num_sequences + 1], ascending (cu_seq_lens) */
  const int32_t *offsets; /* [num_sequences], tokens; may be NULL (seq_starts) */
  int64_t num_sequences;
  int64_t width;          /* pages that a sequence has at most */
  int64_t num_blocks;     /* pages in the cache */
  int64_t block_size;     /* tokens in a page */
  const int32_t *lengths; /* [num_sequences], rows; may be NULL (seq_lens) */
  int32_t open_ended;     /* 0 or 1 */
  int32_t index_bytes;    /* of one element of entries: 8 or 4 */
  /* Derived by the launch functions; callers leave these alone. */
  kvf_divider by_block_size;
  unsigned long long *faults; /* CUDA: counts rows whose page is out of range */
} kvf_block_table;

#endif
