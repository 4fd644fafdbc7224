/*
 * The CPU backend against memcpy: every K/V writer's bytes per second beside a plain memcpy that
 * moves as many bytes, on the same number of threads, in turn, in one run. Sources and caches
 * rotate over more memory than the last-level cache holds. Ends with the host cost of one call.
 *
 * bench_cpu [TOKENS] (default 4096)
 */
#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kvforge/kvforge.h"

enum { HEADS = 8, HEAD_SIZE = 128, BLOCK_SIZE = 16, SETS = 6, ROUNDS = 7 };

typedef enum slot_order { SHUFFLED, CONSECUTIVE } slot_order;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, by_value);
  return values[count / 2];
}

static void *allocate(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == NULL) {
    perror("allocating");
    exit(1);
  }
  memset(memory, 0x3C, bytes); /* touches every page; a valid small number in each dtype */
  return memory;
}

/* ---- one writer's tensors ----------------------------------------------------------------------
 */

typedef struct call {
  const kvf_variant *variant;
  int64_t tokens;
  int64_t source_shape[3];
  int64_t key_shape[5];
  int64_t value_shape[4];
  int64_t slot_shape[1];
  DLTensor key, value, key_cache, value_cache, slots, scale;
  float one;
} call;

static DLDataType dl_dtype(kvf_dtype dtype) {
  switch (dtype) {
  case KVF_F32:
    return (DLDataType){kDLFloat, 32, 1};
  case KVF_F16:
    return (DLDataType){kDLFloat, 16, 1};
  case KVF_BF16:
    return (DLDataType){kDLBfloat, 16, 1};
  default:
    return (DLDataType){kDLUInt, 8, 1};
  }
}

static DLTensor tensor(void *data, DLDataType dtype, int32_t rank, int64_t *shape) {
  return (DLTensor){
      .data = data, .device = {kDLCPU, 0}, .ndim = rank, .dtype = dtype, .shape = shape};
}

static void describe(call *c, const kvf_variant *variant, int64_t tokens) {
  const bool flash = strcmp(variant->op->name, "reshape_and_cache_flash") == 0;
  const int64_t blocks = (tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
  const int64_t x = 128 / kvf_dtype_bits(variant->cache);
  *c = (call){.variant = variant, .tokens = tokens, .one = 1.0f};
  memcpy(c->source_shape, (int64_t[]){tokens, HEADS, HEAD_SIZE}, sizeof c->source_shape);
  if (flash) {
    memcpy(c->key_shape, (int64_t[]){blocks, BLOCK_SIZE, HEADS, HEAD_SIZE}, 4 * sizeof(int64_t));
    memcpy(c->value_shape, c->key_shape, sizeof c->value_shape);
  } else {
    memcpy(c->key_shape, (int64_t[]){blocks, HEADS, HEAD_SIZE / x, BLOCK_SIZE, x},
           sizeof c->key_shape);
    memcpy(c->value_shape, (int64_t[]){blocks, HEADS, HEAD_SIZE, BLOCK_SIZE},
           sizeof c->value_shape);
  }
  c->slot_shape[0] = tokens;
  c->key = tensor(NULL, dl_dtype(variant->scalar), 3, c->source_shape);
  c->value = c->key;
  c->key_cache = tensor(NULL, dl_dtype(variant->cache), flash ? 4 : 5, c->key_shape);
  c->value_cache = tensor(NULL, dl_dtype(variant->cache), 4, c->value_shape);
  c->slots = tensor(NULL, (DLDataType){kDLInt, 64, 1}, 1, c->slot_shape);
  c->scale = tensor(&c->one, (DLDataType){kDLFloat, 32, 1}, 0, NULL);
}

static void run(call *c, const kvf_exec *exec) {
  const char *dtype =
      c->variant->cache == c->variant->scalar ? "auto" : kvf_dtype_name(c->variant->cache);
  const kvf_value arguments[] = {
      {KVF_KIND_TENSOR, {.tensor = &c->key}},       {KVF_KIND_TENSOR, {.tensor = &c->value}},
      {KVF_KIND_TENSOR, {.tensor = &c->key_cache}}, {KVF_KIND_TENSOR, {.tensor = &c->value_cache}},
      {KVF_KIND_TENSOR, {.tensor = &c->slots}},     {KVF_KIND_STRING, {.string = dtype}},
      {KVF_KIND_TENSOR, {.tensor = &c->scale}},     {KVF_KIND_TENSOR, {.tensor = &c->scale}}};
  if (kvf_call(c->variant->op, exec, arguments, 8) != KVF_OK) {
    fprintf(stderr, "%s\n", kvf_last_error());
    exit(1);
  }
}

static int64_t *make_slots(int64_t tokens, slot_order order) {
  int64_t *slots = allocate((size_t)tokens * sizeof *slots);
  for (int64_t i = 0; i < tokens; ++i) {
    slots[i] = i;
  }
  uint64_t state = 42;
  for (int64_t i = tokens - 1; order == SHUFFLED && i > 0; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const int64_t j = (int64_t)((state >> 33) % (uint64_t)(i + 1));
    const int64_t kept = slots[i];
    slots[i] = slots[j];
    slots[j] = kept;
  }
  return slots;
}

/* ---- measuring ---------------------------------------------------------------------------------
 */

static void copy(char *to, const char *from, size_t bytes, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
  for (int i = 0; i < threads; ++i) {
    const size_t each = bytes / (size_t)threads;
    memcpy(to + (size_t)i * each, from + (size_t)i * each, each);
  }
}

/* Prints one row: GB/s of the writer and of memcpy, and their ratio as the median of pairs. */
static void measure(const kvf_variant *variant, int64_t tokens, slot_order order, int threads) {
  call c;
  describe(&c, variant, tokens);
  const size_t elements = (size_t)tokens * HEADS * HEAD_SIZE;
  const size_t pages = (size_t)c.value_shape[0] * BLOCK_SIZE * HEADS * HEAD_SIZE;
  const size_t source_bytes = elements * (size_t)kvf_dtype_bits(variant->scalar) / 8;
  const size_t cache_bytes = pages * (size_t)kvf_dtype_bits(variant->cache) / 8;
  const size_t moved = 2 * (source_bytes + elements * (size_t)kvf_dtype_bits(variant->cache) / 8);
  char *sources = allocate(2 * source_bytes * SETS);
  char *caches = allocate(2 * cache_bytes * SETS);
  char *from = allocate(moved / 2 * SETS);
  char *to = allocate(moved / 2 * SETS);
  int64_t *slots = make_slots(tokens, order);
  c.slots.data = slots;
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = threads};
  double writer[ROUNDS];
  double plain[ROUNDS];
  double ratio[ROUNDS];
  for (int round = -1; round < ROUNDS; ++round) { /* round -1 warms up */
    double times[2] = {0, 0};
    for (int set = 0; set < SETS; ++set) {
      c.key.data = sources + 2 * source_bytes * (size_t)set;
      c.value.data = (char *)c.key.data + source_bytes;
      c.key_cache.data = caches + 2 * cache_bytes * (size_t)set;
      c.value_cache.data = (char *)c.key_cache.data + cache_bytes;
      const double begin = seconds();
      run(&c, &exec);
      const double middle = seconds();
      copy(to + moved / 2 * (size_t)set, from + moved / 2 * (size_t)set, moved / 2, threads);
      times[0] += middle - begin;
      times[1] += seconds() - middle;
    }
    if (round >= 0) {
      writer[round] = (double)moved * SETS / times[0] * 1e-9;
      plain[round] = (double)moved * SETS / times[1] * 1e-9;
      ratio[round] = times[1] / times[0];
    }
  }
  printf("%-24s %-5s %-9s %-11s %7d %9.2f %9.2f %8.0f %%\n", variant->op->name,
         kvf_dtype_name(variant->scalar), kvf_dtype_name(variant->cache),
         order == SHUFFLED ? "shuffled" : "consecutive", threads, median(writer, ROUNDS),
         median(plain, ROUNDS), 100 * median(ratio, ROUNDS));
  fflush(stdout);
  free(sources);
  free(caches);
  free(from);
  free(to);
  free(slots);
}

/* Nanoseconds of one call for one token of 8 heads x 128, argument checks included. */
static void measure_calls(void) {
  enum { CALLS = 200000 };
  const kvf_exec exec = {.backend = KVF_CPU};
  const kvf_variant *variant =
      kvf_select(&kvf_op_reshape_and_cache_flash, KVF_CPU, KVF_BF16, KVF_BF16);
  if (variant == NULL) {
    printf("one call: skipped: %s\n", kvf_last_error());
    return;
  }
  call c;
  describe(&c, variant, 1);
  int64_t slot = 0;
  c.slots.data = &slot;
  c.key.data = allocate(HEADS * HEAD_SIZE * 2);
  c.value.data = allocate(HEADS * HEAD_SIZE * 2);
  c.key_cache.data = allocate(BLOCK_SIZE * HEADS * HEAD_SIZE * 2);
  c.value_cache.data = allocate(BLOCK_SIZE * HEADS * HEAD_SIZE * 2);
  double call_ns[ROUNDS];
  double select_ns[ROUNDS];
  for (int round = 0; round < ROUNDS; ++round) {
    double begin = seconds();
    for (int i = 0; i < CALLS; ++i) {
      if (kvf_reshape_and_cache_flash(&exec, &c.key, &c.value, &c.key_cache, &c.value_cache,
                                      &c.slots, "auto", &c.scale, &c.scale) != KVF_OK) {
        fprintf(stderr, "%s\n", kvf_last_error());
        exit(1);
      }
    }
    call_ns[round] = (seconds() - begin) / CALLS * 1e9;
    begin = seconds();
    volatile const kvf_variant *found = NULL;
    for (int i = 0; i < CALLS; ++i) {
      found = kvf_select(&kvf_op_reshape_and_cache_flash, KVF_CPU, KVF_BF16, KVF_BF16);
    }
    (void)found;
    select_ns[round] = (seconds() - begin) / CALLS * 1e9;
  }
  printf(
      "\none call, 1 token x %d heads x %d, bf16, checks included: %.0f ns; kvf_select: %.1f ns\n",
      HEADS, HEAD_SIZE, median(call_ns, ROUNDS), median(select_ns, ROUNDS));
  free(c.key.data);
  free(c.value.data);
  free(c.key_cache.data);
  free(c.value_cache.data);
}

int main(int argc, char **argv) {
  const int64_t tokens = argc > 1 ? atoll(argv[1]) : 4096;
  if (tokens < 1) {
    fprintf(stderr, "usage: %s [TOKENS >= 1]\n", argv[0]);
    return 2;
  }
  const int team = omp_get_max_threads();
  printf(
      "kvforge %s, isa %s, %d threads at most; %lld tokens x %d heads x %d, pages of %d\n"
      "GB/s count bytes read and written; memcpy moves as many; ratio is the median of pairs\n\n",
      kvf_version(), kvf_isa_name(kvf_cpu_isa()), team, (long long)tokens, HEADS, HEAD_SIZE,
      BLOCK_SIZE);
  printf("%-24s %-5s %-9s %-11s %7s %9s %9s %10s\n", "op", "scalar", "cache", "slots", "threads",
         "GB/s", "memcpy", "ratio");
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int32_t j = 0; j < op->num_variants; ++j) {
      if (op->variants[j].backend != KVF_CPU || !kvf_variant_built(&op->variants[j])) {
        continue;
      }
      for (slot_order order = SHUFFLED; order <= CONSECUTIVE; ++order) {
        measure(&op->variants[j], tokens, order, 1);
        if (team > 1) {
          measure(&op->variants[j], tokens, order, team);
        }
      }
    }
  }
  measure_calls();
  return 0;
}
