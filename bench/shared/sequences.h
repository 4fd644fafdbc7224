/* Sequences of rows in pages: what the ops that read through a block table are called with. */
#ifndef BENCH_SEQUENCES_H
#define BENCH_SEQUENCES_H

#include "call.h"

enum { BENCH_SEQUENCE = 1024 }; /* rows of a sequence, as a rule */

typedef struct bench_sequences {
  int64_t count;   /* sequences */
  int64_t width;   /* pages of a sequence at most */
  int64_t pages;   /* of all */
  int64_t *table;  /* [count, width]: the page of each part; owned */
  int64_t *starts; /* [count + 1]: the first row of each; owned */
} bench_sequences;

/* Splits `rows` rows into sequences of up to `each`, with pages of `block_size` rows in the order
 * of the form. */
bench_sequences bench_split(int64_t rows, int64_t each, int64_t block_size, int32_t form);

/* The next arguments: block_table, then the first row of each sequence and of what would follow.
 * They take both arrays over. */
void bench_add_block_table(bench_call *call, const bench_sequences *sequences);
void bench_add_starts(bench_call *call, const bench_sequences *sequences);

#endif
