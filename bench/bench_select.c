/*
 * What choosing a variant costs: kvf_select() beside the least that a table with an index for each
 * axis can cost, a lookup of [backend][value][value] and a look at the row's code, in one run and
 * in turns. For a call of two dtypes, as an op's entry point makes it.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "kvforge/op.h"
#include "shared/report.h"

enum { CALLS = 200000, ROUNDS = 100, SIZE = KVF_DTYPE_COUNT };

static const kvf_op *const op = &kvf_op_reshape_and_cache_flash;

/* The table of two axes and no others: row by backend, scalar and cache dtype. */
static int16_t rows[KVF_BACKEND_COUNT][SIZE][SIZE];

__attribute__((noinline)) static const kvf_variant *
two_indices(const kvf_op *of, kvf_backend backend, kvf_dtype scalar, kvf_dtype cache) {
  if ((unsigned)backend >= KVF_BACKEND_COUNT || (unsigned)scalar >= SIZE ||
      (unsigned)cache >= SIZE) {
    return NULL;
  }
  const int16_t row = rows[backend][scalar][cache];
  return row >= 0 && kvf_variant_built(&of->variants[row]) ? &of->variants[row] : NULL;
}

static double nanoseconds(bool by_axes) {
  volatile kvf_dtype scalar = KVF_BF16;
  volatile kvf_dtype cache = KVF_BF16;
  uintptr_t sum = 0;
  const double begin = bench_thread_seconds();
  for (int i = 0; i < CALLS; ++i) {
    sum += (uintptr_t)(by_axes ? kvf_select(op, KVF_CPU, scalar, cache)
                               : two_indices(op, KVF_CPU, scalar, cache));
  }
  const double seconds = bench_thread_seconds() - begin;
  if (sum == 0) {
    (void)fprintf(stderr, "%s\n", kvf_last_error());
    exit(1);
  }
  return seconds / CALLS * 1e9;
}

int main(void) {
  for (int32_t i = 0; i < KVF_BACKEND_COUNT * SIZE * SIZE; ++i) {
    (&rows[0][0][0])[i] = -1;
  }
  for (int32_t i = 0; i < op->num_variants; ++i) {
    const kvf_variant *variant = &op->variants[i];
    rows[variant->backend][kvf_scalar_of(variant)][kvf_cache_of(variant)] = (int16_t)i;
  }
  double axes = INFINITY;
  double indices = INFINITY;
  for (int round = 0; round < ROUNDS; ++round) {
    indices = fmin(indices, nanoseconds(false));
    axes = fmin(axes, nanoseconds(true));
  }
  printf("choosing a variant, best of %d rounds: kvf_select %.1f ns; two indices %.1f ns\n", ROUNDS,
         axes, indices);
  return 0;
}
