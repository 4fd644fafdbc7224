/* The shape that the reference text of an argument gives, with numbers in place of the names. */
#ifndef KVF_TESTS_FUZZ_SHAPE_H
#define KVF_TESTS_FUZZ_SHAPE_H

#include <stdint.h>

enum { MAX_NAMES = 32, MAX_RANK = 8 };

/* What the names of sizes mean in one call. */
typedef struct sizes {
  char names[MAX_NAMES][32];
  int64_t values[MAX_NAMES];
  int count;
  uint64_t seed; /* decides the sizes whose names are new */
} sizes;

/* The size of this name, the same each time. */
int64_t size_named(sizes *known, const char *name);

/*
 * The dimensions of the first "[...]" of `doc`: "[num_blocks, block_size, 4 * n]". Returns the
 * rank, or -1 when there is none to be read.
 */
int shape_of(sizes *known, const char *doc, int64_t shape[static MAX_RANK]);

#endif
