/*
 * kv_pack, kv_unpack and kv_relayout on the CPU beside memcpy of the same rows, token by token in
 * the order of the slots: one thread's own time, in turns, medians. 8 cells (4 layers, keys and
 * values), pages of 16 tokens and wire blocks of 64, sets of tensors that rotate through more
 * memory than the last-level cache has.
 *
 * bench_rows [ROWS]     rows of 1 and 8 heads; ROWS: bytes of a head, in place of all
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvforge/ops/kv_pack.h"
#include "kvforge/ops/kv_relayout.h"
#include "kvforge/ops/kv_unpack.h"
#include "shared/report.h"

enum { LAYERS = 4, PLANES = 2, CELLS = LAYERS * PLANES, BLOCK = 16, WIRE_BLOCK = 64 };
enum { SETS = 3, ROUNDS = 9, SET_BYTES = 24 << 20, MOST_TOKENS = 65536 };
enum { PACK, UNPACK, RELAYOUT, PACK_HEADS, WAYS };

static const char *const names[WAYS] = {"kv_pack", "kv_unpack", "kv_relayout", "kv_pack, LKHNC"};

/* Tokens of one size, and the tensors of one set. */
typedef struct tokens {
  int64_t heads, row, count, blocks, cell; /* row and cell in bytes */
  int64_t *slots, *in_order;
  char *pages, *others, *wire;
} tokens;

static char *memory(int64_t bytes) {
  char *found = aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64);
  if (found == NULL) {
    perror("allocating");
    exit(1);
  }
  memset(found, 1, (size_t)bytes);
  return found;
}

static int64_t wire_bytes(const tokens *of) {
  return (of->count * of->heads * of->row * CELLS + 1023) / 1024 * 1024;
}

static void call(const tokens *of, int way) {
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = 1};
  const DLDevice cpu = {kDLCPU, 0};
  const DLDataType byte = {kDLUInt, 8, 1};
  const DLDataType index = {kDLInt, 64, 1};
  int64_t shape[4] = {of->blocks, BLOCK, of->heads, of->row};
  int64_t count = of->count;
  int64_t bytes = wire_bytes(of);
  DLTensor cells[2][CELLS];
  const DLTensor *list[2][CELLS];
  for (int i = 0; i < CELLS; ++i) {
    cells[0][i] = (DLTensor){of->pages + i * of->cell, cpu, 4, byte, shape, NULL, 0};
    cells[1][i] = (DLTensor){of->others + i * of->cell, cpu, 4, byte, shape, NULL, 0};
    list[0][i] = &cells[0][i];
    list[1][i] = &cells[1][i];
  }
  DLTensor wire = {of->wire, cpu, 1, byte, &bytes, NULL, 0};
  const DLTensor slots = {of->slots, cpu, 1, index, &count, NULL, 0};
  const DLTensor in_order = {of->in_order, cpu, 1, index, &count, NULL, 0};
  const char *layout = way == PACK_HEADS ? "LKHNC" : "LKNHC";
  kvf_status status = KVF_OK;
  if (way == RELAYOUT) {
    status = kvf_kv_relayout(&exec, list[0], CELLS, list[1], CELLS, &slots, &in_order, "any", "any",
                             NULL, 0, NULL, 0, LAYERS);
  } else if (way == UNPACK) {
    status = kvf_kv_unpack(&exec, &wire, list[0], CELLS, &slots, layout, WIRE_BLOCK, "any", "any",
                           NULL, NULL, 0, NULL, LAYERS, 0);
  } else {
    status = kvf_kv_pack(&exec, list[0], CELLS, &wire, &slots, layout, WIRE_BLOCK, "any", "any",
                         NULL, 0, NULL, LAYERS, 0);
  }
  if (status != KVF_OK) {
    (void)fprintf(stderr, "%s\n", kvf_last_error());
    exit(1);
  }
}

/* The same rows, those of a token's heads at once where they lie one behind another on both sides.
 */
static void copy(const tokens *of, int way) {
  const int64_t token = of->heads * of->row;
  for (int64_t first = 0; first < of->count; first += WIRE_BLOCK) {
    for (int i = 0; i < CELLS; ++i) {
      const int64_t cell = (int64_t)(i % PLANES) * LAYERS + i / PLANES; /* pages: plane by plane */
      char *part = of->wire + first * token * CELLS + i * token * WIRE_BLOCK;
      for (int64_t t = 0; t < WIRE_BLOCK; ++t) {
        char *page = of->pages + cell * of->cell + of->slots[first + t] * token;
        if (way == PACK_HEADS) {
          for (int64_t h = 0; h < of->heads; ++h) {
            memcpy(part + (h * WIRE_BLOCK + t) * of->row, page + h * of->row, (size_t)of->row);
          }
        } else if (way == UNPACK) {
          memcpy(page, part + t * token, (size_t)token);
        } else if (way == PACK) {
          memcpy(part + t * token, page, (size_t)token);
        } else {
          memcpy(of->others + cell * of->cell + (first + t) * token, page, (size_t)token);
        }
      }
    }
  }
}

static void measure(tokens *sets, int way, const char *order) {
  double ours[ROUNDS];
  double theirs[ROUNDS];
  double ratio[ROUNDS];
  for (int round = -2; round < ROUNDS; ++round) { /* two to warm up */
    const double begin = bench_thread_seconds();
    call(&sets[(round + 2) % SETS], way);
    const double middle = bench_thread_seconds();
    copy(&sets[(round + 3) % SETS], way);
    const double end = bench_thread_seconds();
    if (round >= 0) {
      ours[round] = middle - begin;
      theirs[round] = end - middle;
      ratio[round] = theirs[round] / ours[round];
    }
  }
  const double moved = 2e-9 * (double)(sets->count * sets->heads * sets->row * CELLS);
  printf("%-14s %6lld %6lld %-12s %8.2f %8.2f %6.0f %%\n", names[way], (long long)sets->heads,
         (long long)sets->row, order, moved / bench_median(ours, ROUNDS),
         moved / bench_median(theirs, ROUNDS), 100 * bench_median(ratio, ROUNDS));
  fflush(stdout);
}

static void measure_rows(int64_t heads, int64_t row) {
  tokens of = {.heads = heads, .row = row};
  of.count = SET_BYTES / (heads * row * CELLS) / WIRE_BLOCK * WIRE_BLOCK;
  of.count = of.count < WIRE_BLOCK ? WIRE_BLOCK : of.count > MOST_TOKENS ? MOST_TOKENS : of.count;
  of.blocks = of.count / BLOCK + 4;
  of.cell = of.blocks * BLOCK * heads * row;
  tokens sets[SETS];
  for (int i = 0; i < SETS; ++i) {
    sets[i] = of;
    sets[i].pages = memory(CELLS * of.cell);
    sets[i].others = memory(CELLS * of.cell);
    sets[i].wire = memory(wire_bytes(&of));
  }
  int64_t *in_order = bench_order(of.blocks * BLOCK, false);
  int64_t *shuffled = bench_order(of.blocks * BLOCK, true);
  for (int order = 0; order < 2; ++order) {
    for (int i = 0; i < SETS; ++i) {
      sets[i].in_order = in_order;
      sets[i].slots = order ? shuffled : in_order;
    }
    for (int way = 0; way < WAYS; ++way) {
      if (way != PACK_HEADS || heads > 1) {
        measure(sets, way, order ? "shuffled" : "consecutive");
      }
    }
  }
  for (int i = 0; i < SETS; ++i) {
    free(sets[i].pages);
    free(sets[i].others);
    free(sets[i].wire);
  }
  free(in_order);
  free(shuffled);
}

int main(int argc, char **argv) {
  static const int64_t rows[] = {2, 32, 64, 128, 192, 256, 512, 656, 1152};
  printf("%-14s %6s %6s %-12s %8s %8s %8s\n", "op", "heads", "row", "slots", "GB/s", "memcpy",
         "ratio");
  for (int64_t heads = 1; heads <= 8; heads += 7) {
    if (argc > 1) {
      measure_rows(heads, strtoll(argv[1], NULL, 10));
    }
    for (size_t i = 0; argc <= 1 && i < sizeof rows / sizeof *rows; ++i) {
      measure_rows(heads, rows[i]);
    }
  }
  return 0;
}
