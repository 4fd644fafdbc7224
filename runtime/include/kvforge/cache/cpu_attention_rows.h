/* How many rows a unit of attention has on the CPU. */
#ifndef KVFORGE_CPU_ATTENTION_ROWS_H
#define KVFORGE_CPU_ATTENTION_ROWS_H

#include "kvforge/cache/attention.h"

/*
 * On the CPU a unit of work has all that it keeps on the stack of its thread, which may be the
 * caller's and small: of each row the query, the sums and what they are too large by, and the
 * scores of a step of positions. Rows of long heads are fewer.
 */
enum { KVF_CPU_ATTENTION_FLOATS = 3520, KVF_CPU_ATTENTION_STEP = 32, KVF_CPU_ATTENTION_PAD = 16 };

/* By the matrix unit, rows of a tile, of a unit of work at most, and elements of a head at most. */
enum { KVF_CPU_MATRIX_ROWS = 16, KVF_CPU_MATRIX_MOST_ROWS = 256, KVF_CPU_MATRIX_SIZE = 128 };

KVF_INLINE int32_t kvf_cpu_attention_rows(int64_t head_size) {
  const int64_t padded =
      (head_size + KVF_CPU_ATTENTION_PAD - 1) / KVF_CPU_ATTENTION_PAD * KVF_CPU_ATTENTION_PAD;
  const int64_t rows = KVF_CPU_ATTENTION_FLOATS / (3 * padded + KVF_CPU_ATTENTION_STEP);
  return (int32_t)(rows < KVF_ATTENTION_ROWS ? rows : (int64_t)KVF_ATTENTION_ROWS);
}

#endif
