/*
 * The matrix unit of a CPU (AMX), and the same in C, for tests on machines without one. It has 8
 * tiles of 16 rows of 64 bytes: 16 floats, or 16 pairs of bf16.
 *
 * Names of tiles are single digits: they are part of the instruction. `host` is NULL for the unit
 * itself, which kvf_tiles_begin() has made ready for this thread.
 */
#ifndef KVFORGE_CPU_TILES_H
#define KVFORGE_CPU_TILES_H

#include "kvforge/cpu_kernel.h"
#include "kvforge/cpu_matrix.h"

enum { KVF_TILE_ROWS = 16, KVF_TILE_WORDS = 16, KVF_TILE_BYTES = 64 /* of a row */ };

typedef struct kvf_tiles {
  uint32_t words[8][KVF_TILE_ROWS][KVF_TILE_WORDS];
} kvf_tiles;

/* Numbers without a normal form are 0 to the unit. */
KVF_INLINE float kvf_tile_flush(float x) {
  return (kvf_bits(x) & 0x7F800000u) == 0 ? kvf_float(kvf_bits(x) & 0x80000000u) : x;
}

KVF_INLINE void kvf_tile_load_host(kvf_tiles *host, int tile, const void *from, int64_t stride) {
  for (int64_t row = 0; row < KVF_TILE_ROWS; ++row) {
    memcpy(host->words[tile][row], (const char *)from + row * stride, KVF_TILE_BYTES);
  }
}

KVF_INLINE void kvf_tile_store_host(const kvf_tiles *host, int tile, void *to, int64_t stride) {
  for (int64_t row = 0; row < KVF_TILE_ROWS; ++row) {
    memcpy((char *)to + row * stride, host->words[tile][row], KVF_TILE_BYTES);
  }
}

/* As Intel's manual has TDPBF16PS: first and second numbers of pairs are summed up apart. */
static inline void kvf_tile_multiply_host(kvf_tiles *host, int sum, int a, int b) {
  for (int row = 0; row < KVF_TILE_ROWS; ++row) {
    float parts[2][KVF_TILE_WORDS] = {{0}};
    for (int k = 0; k < KVF_TILE_WORDS; ++k) {
      const uint32_t pair = host->words[a][row][k];
      const float first = kvf_tile_flush(kvf_float(pair << 16));
      const float second = kvf_tile_flush(kvf_float(pair & 0xFFFF0000u));
      const uint32_t *pairs = host->words[b][k];
      for (int i = 0; i < KVF_TILE_WORDS; ++i) {
        parts[0][i] = kvf_tile_flush(
            __builtin_fmaf(first, kvf_tile_flush(kvf_float(pairs[i] << 16)), parts[0][i]));
        parts[1][i] = kvf_tile_flush(
            __builtin_fmaf(second, kvf_tile_flush(kvf_float(pairs[i] & 0xFFFF0000u)), parts[1][i]));
      }
    }
    uint32_t *sums = host->words[sum][row];
    for (int i = 0; i < KVF_TILE_WORDS; ++i) {
      sums[i] =
          kvf_bits(kvf_tile_flush(kvf_float(sums[i]) + kvf_tile_flush(parts[0][i] + parts[1][i])));
    }
  }
}

/* All tiles are whole. */
KVF_INLINE void kvf_tiles_begin(void) {
  enum { PALETTE = 0, ROW_BYTES = 16 /* of 16 bits each */, ROWS = 48 };
  uint8_t shape[64] = {0};
  shape[PALETTE] = 1;
  for (int i = 0; i < 8; ++i) {
    shape[ROW_BYTES + 2 * i] = KVF_TILE_BYTES;
    shape[ROWS + i] = KVF_TILE_ROWS;
  }
  __asm__ volatile("ldtilecfg %0" ::"m"(shape));
}

/* What the unit holds is kept for the thread no longer. */
KVF_INLINE void kvf_tiles_end(void) { __asm__ volatile("tilerelease"); }

#define KVF_TILE_ZERO(host, tile)                                                                  \
  do {                                                                                             \
    if ((host) != NULL) {                                                                          \
      memset((host)->words[tile], 0, sizeof(host)->words[tile]);                                   \
    } else {                                                                                       \
      __asm__ volatile("tilezero %%tmm" #tile ::);                                                 \
    }                                                                                              \
  } while (0)

/* Rows are `stride` bytes apart. */
#define KVF_TILE_LOAD(host, tile, from, stride)                                                    \
  do {                                                                                             \
    if ((host) != NULL) {                                                                          \
      kvf_tile_load_host(host, tile, from, stride);                                                \
    } else {                                                                                       \
      __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile ::"r"(from), "r"((int64_t)(stride))      \
                       : "memory");                                                                \
    }                                                                                              \
  } while (0)

#define KVF_TILE_STORE(host, tile, to, stride)                                                     \
  do {                                                                                             \
    if ((host) != NULL) {                                                                          \
      kvf_tile_store_host(host, tile, to, stride);                                                 \
    } else {                                                                                       \
      __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" ::"r"(to), "r"((int64_t)(stride))    \
                       : "memory");                                                                \
    }                                                                                              \
  } while (0)

/* sum[i][j] += the products of the pairs of a[i] and b[.][j]: b has a pair of rows in each row. */
#define KVF_TILE_MULTIPLY(host, sum, a, b)                                                         \
  do {                                                                                             \
    if ((host) != NULL) {                                                                          \
      kvf_tile_multiply_host(host, sum, a, b);                                                     \
    } else {                                                                                       \
      __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #sum ::);                       \
    }                                                                                              \
  } while (0)

#endif
