/* What the attention kernels of both backends and their launch function agree on. */
#ifndef KVFORGE_ATTENTION_H
#define KVFORGE_ATTENTION_H

#include "kvforge/bits.h"

enum {
  KVF_ATTENTION_HEAD_SIZE = 576, /* elements of a head at most */
  KVF_ATTENTION_ROWS = 8         /* query heads of query tokens that are done together at most */
};

/* Threads of a block of the variants for tensor cores. */
enum { KVF_ATTENTION_TILE_THREADS = 128 };

/* Rows of the tiles for which keys and values lie in shared memory, and positions that do at a
 * time: of heads of more than 128 elements half as many. */
#define KVF_ATTENTION_MANY_ROWS(size) ((size) > 128 ? 64 : 128)
#define KVF_ATTENTION_CHUNK(size) ((size) > 128 ? 32 : 64)

/* Shared memory of a block for them: rows of 16 bits, padded, codes of `bytes`, and the rest. */
#define KVF_ATTENTION_SHARED_BYTES(size, bytes)                                                    \
  ((KVF_ATTENTION_MANY_ROWS(size) + 2 * KVF_ATTENTION_CHUNK(size)) * ((size) * 2 + 16) +           \
   ((bytes) == 1 ? KVF_ATTENTION_CHUNK(size) * (size) : 0) + 14336)

/* Of the variants of many rows for sm_90a: threads and shared memory of a block. */
enum { KVF_ATTENTION_WIDE_THREADS = 384, KVF_ATTENTION_WIDE_BYTES = 188 * 1024 };

/* A split of a sequence has a multiple of this many positions: whole tiles. */
enum { KVF_SPLIT_POSITIONS = 128 };

/* What a row of the workspace has behind the sums of a head. */
enum { KVF_SPLIT_LARGEST = 0, KVF_SPLIT_TOTAL = 1, KVF_SPLIT_EXTRA = 2 };

/* How values can be read. */
enum { KVF_VALUES_SINGLY = 0, KVF_VALUES_BY_ELEMENT = 1, KVF_VALUES_BY_TOKEN = 2 };

/* Tokens of a vector of KVF_VALUES_BY_TOKEN. */
enum { KVF_TOKEN_VECTOR = 8 };

/* The score of a position that does not count, and the largest of no scores. */
#define KVF_NO_SCORE kvf_float(0xFF800000u) /* -infinity */

/* What scores are measured from: the largest, unless there is none. */
KVF_INLINE float kvf_score_base(float largest) {
  return kvf_bits(largest) == 0xFF800000u ? 0.0f : largest;
}

/* Positions in each split of `count`; the last may have fewer. */
KVF_INLINE int64_t kvf_split_positions(int64_t count, int64_t splits) {
  const int64_t share = (count + splits - 1) / splits;
  return (share + KVF_SPLIT_POSITIONS - 1) / KVF_SPLIT_POSITIONS * KVF_SPLIT_POSITIONS;
}

/*
 * Warps that add up the splits of a row, of tiles of few rows: one, but where there are no more
 * rows than a device has multiprocessors, about, as many as give each lane one element.
 */
#define KVF_ADDING_WARPS(head_size) ((head_size) / 32)
enum { KVF_FEW_ADDED_ROWS = 128 };

KVF_INLINE int32_t kvf_adding_warps(int64_t rows, int32_t head_size) {
  return rows <= KVF_FEW_ADDED_ROWS ? KVF_ADDING_WARPS(head_size) : 1;
}

/* tanh(x), of e = e^(-2 |x|). Near 0, where 1 - e has few digits, by the first terms of its series.
 */
KVF_INLINE float kvf_tanh(float x, float e) {
  const float size = kvf_float(kvf_bits(x) & 0x7FFFFFFFu);
  const float square = x * x;
  const float near = size - size * square * (0.333333343f - 0.133333340f * square);
  const float result = size < 0.1f ? near : (1.0f - e) / (1.0f + e);
  return kvf_float(kvf_bits(result) | (kvf_bits(x) & 0x80000000u));
}

/*
 * The end of a row: a sink is one score more, of a value of 0. Sums are to be multiplied by
 * `factor` and divided by `total`; scores are measured from `base`. Powers are those of the unit of
 * the scores: of 2 on CUDA, of e on the CPU.
 */
typedef struct kvf_row_end {
  float base;
  float factor;
  float total;
} kvf_row_end;

/* An output element; without any position it is 0. */
KVF_INLINE float kvf_attention_result(float sum, float scale, kvf_row_end end) {
  return end.total == 0.0f ? 0.0f : sum * end.factor * scale / end.total;
}

#endif
