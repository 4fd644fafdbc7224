/*
 * Covering arrays: few rows in which every pair of values of every two axes occurs, where the full
 * product would have millions.
 */
#ifndef KVF_TESTS_COVERING_H
#define KVF_TESTS_COVERING_H

#include <stdbool.h>
#include <stdint.h>

enum { COVERING_AXES = 24, COVERING_VALUES = 16 };

typedef struct covering_row {
  int value[COVERING_AXES];
} covering_row;

typedef struct covering {
  int num_axes;
  int sizes[COVERING_AXES]; /* values of an axis: 0 to size - 1 */
  /* Rows that cost more than `limit` are used only for pairs that no cheaper row can hold, and the
   * cheapest of a few is taken then. May be NULL. */
  double (*cost)(const covering_row *row, const void *context);
  const void *context;
  double limit;
  double ceiling; /* pairs that only costlier rows can hold are left out; 0: none */
} covering;

/* The rows, to be freed; the same ones for the same arguments. */
covering_row *covering_all(const covering *plan, uint64_t seed, int *num_rows);

/* Those of them that the run asks for: one of every options.sample. */
covering_row *covering_make(const covering *plan, uint64_t seed, int *num_rows);

/*
 * Whether variant `v` takes form `i` of `forms` that are costly and alike: of a run that samples
 * each takes one of them, another one with another variant or seed.
 */
bool covering_takes(int v, int i, int forms);

#endif
