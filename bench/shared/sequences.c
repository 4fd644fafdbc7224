#include "sequences.h"

#include <stdlib.h>

bench_sequences bench_split(int64_t rows, int64_t each, int64_t block_size, int32_t form) {
  bench_sequences split = {.count = bench_pieces(rows, each)};
  split.width = bench_pieces(rows < each ? rows : each, block_size);
  split.table = bench_order(split.count * split.width, form == BENCH_SHUFFLED);
  split.pages = split.count * split.width;
  split.starts = bench_order(split.count + 1, false);
  for (int64_t i = 0; i <= split.count; ++i) {
    split.starts[i] = i < split.count ? i * each : rows;
  }
  return split;
}

void bench_add_block_table(bench_call *call, const bench_sequences *sequences) {
  bench_add_integers(call, BENCH_NEAR, 32, sequences->table,
                     BENCH_SHAPE(sequences->count, sequences->width));
}

void bench_add_starts(bench_call *call, const bench_sequences *sequences) {
  bench_add_integers(call, BENCH_NEAR, 32, sequences->starts, BENCH_SHAPE(sequences->count + 1));
}
