/*
 * Types and sizes of the ops that move or clear whole pages, as bytes. Included by host C, by the
 * CPU variants and by the CUDA kernels.
 */
#ifndef KVFORGE_PAGES_H
#define KVFORGE_PAGES_H

#include <stdint.h>

/* Tensors that one launch can work on: as many as fit into the 4 KB of a kernel's parameters. */
#define KVF_MAX_CACHES 240

/* The same where their addresses lie in memory: a dimension of a grid. */
#define KVF_MAX_ADDRESSES 65535

/* Copies of a page that one launch of swap_blocks makes, and how many pages it can tell apart. */
#define KVF_MAX_MOVES 4096
#define KVF_MOVED_PAGES (1 << 28)

/* CPU: the bytes of a page that a thread is given at least. */
#define KVF_PAGE_PART 4096

/* CUDA: threads of a block at most, and for many pairs, vectors that one of them has in flight,
 * pairs that a block has at once, pairs of a launch where the table has a bit of each page, pairs
 * that are put in order at once, words of the table in which pairs that meet are found (twice the
 * pairs of a block at least), pages that can have a bit in it, log2 of the vectors of a line of
 * memory. */
#define KVF_PAGE_THREADS 256
#define KVF_PAGE_MANY_THREADS 768
#define KVF_PAGE_UNROLL 4
#define KVF_PAGE_PAIRS 1024
#define KVF_PAGE_MOST 16384
#define KVF_PAGE_WINDOW 64
#define KVF_PAGE_TABLE 4096
#define KVF_PAGE_BITS (32 * KVF_PAGE_TABLE)
#define KVF_PAGE_LINE_SHIFT 3

/* The parts that threads share a page out in. */
static inline int64_t kvf_page_parts(int64_t page_bytes) {
  return page_bytes / KVF_PAGE_PART + (page_bytes % KVF_PAGE_PART != 0);
}

/* Where the pages of a tensor are: page b is at data + b * stride. Stride in bytes. */
typedef struct kvf_pages {
  void *data;
  int64_t stride;
} kvf_pages;

/* Block numbers: [size], or [size, 2] for pairs of source and destination. */
typedef struct kvf_block_list {
  const void *data;    /* int64 or int32 */
  int64_t stride[2];   /* in elements */
  int64_t size;        /* blocks or pairs */
  int32_t index_bytes; /* of one number: 8 or 4 */
} kvf_block_list;

/* Blocks, and the tensors (layers, keys and values) whose pages of these numbers are meant. */
typedef struct kvf_page_list {
  kvf_block_list blocks;
  int64_t num_blocks; /* pages of each tensor */
  int64_t page_bytes; /* of one page, without a gap */
  int32_t num_caches;
  int32_t counted; /* CUDA: 1 if an earlier launch for these blocks counted those out of range */
  /* Derived by the launch functions; callers leave these alone. */
  int32_t streaming;          /* CPU: store past the caches */
  int32_t vector_bytes;       /* CUDA: bytes that a thread moves at a time */
  int32_t part_shift;         /* CUDA: log2 of the vectors of a page that a thread block copies */
  unsigned long long *faults; /* CUDA: counts blocks out of range; NULL when they are counted */
  /* Copies: num_caches addresses, on CUDA in device memory, of tensors whose pages lie one behind
     another, at most KVF_MAX_ADDRESSES; NULL: `caches` has them. */
  void *const *addresses;
  kvf_pages caches[KVF_MAX_CACHES];
} kvf_page_list;

/* A launch of swap_blocks' kernel: the page of each side that a copy is from and to, in 28 bits,
 * so that as many as a power of two fit into the parameters. */
typedef struct kvf_page_moves {
  kvf_pages sides[2]; /* source and target */
  int64_t page_bytes;
  int32_t vector_bytes;             /* bytes that a thread moves at a time */
  int32_t part_shift;               /* log2 of the vectors of a page that a thread block copies */
  int32_t block_shift;              /* log2 of all vectors that a thread block copies */
  int32_t count;                    /* copies */
  uint16_t low[2][KVF_MAX_MOVES];   /* bits 0 to 15 of the pages */
  uint8_t middle[2][KVF_MAX_MOVES]; /* 16 to 23 */
  uint8_t high[KVF_MAX_MOVES];      /* 24 to 27, those of the target from bit 4 on */
} kvf_page_moves;

/* What the kernel takes. What all threads read stands in front: the parameters are read by lines.
 */
typedef struct kvf_moves_launch {
  int32_t beside; /* 1: has nothing to do with the launch in front of it, of the same call */
  kvf_page_moves moves;
} kvf_moves_launch;

#endif
