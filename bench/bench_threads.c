/*
 * The library's threads against OpenMP's, and against none: the same kernel function over the same
 * units, by kvf_parallel_for(), by an OpenMP loop as the library had it before, and on the calling
 * thread. Microseconds of a call in the mean and at the 99th percentile, in turn, in one run.
 *
 * bench_threads [--busy] [--gap US] [--rounds N] [--kib N]
 * --busy: another process keeps the last CPU busy; --gap: so much time between calls, asleep;
 * --kib: this size alone, 0: only the write. Default: sizes from 1 KiB to 64 MiB that are copied,
 * and a write of 512 tokens to an fp8 cache.
 */
#define _GNU_SOURCE
#include <omp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kvforge/op.h"
#include "kvforge/params/reshape_and_cache_flash.h"

enum { UNIT = 1024, MOST_BYTES = 64 << 20, MAX_CALLS = 200000 };

typedef struct work {
  kvf_cpu_function function;
  const void *params;
  int64_t units;
  int64_t bytes_per_unit;
} work;

typedef enum way { ALONE, TEAM, OPENMP, WAYS } way;

static int64_t gap_us;
static int64_t rounds = 9;
static bool busy;
static double samples[WAYS][MAX_CALLS];
static int64_t num_samples[WAYS];

static double seconds(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* As libgomp's users divide work: in equal parts, on as many threads as pay. */
static void run_openmp(const work *what) {
  enum { MIN_BYTES_PER_THREAD = 64 * 1024 };
  const int64_t useful = what->units * what->bytes_per_unit / MIN_BYTES_PER_THREAD;
  int64_t threads = omp_get_max_threads();
  threads = threads < what->units ? threads : what->units;
  threads = threads < useful ? threads : useful;
  if (threads <= 1) {
    what->function(what->params, 0, what->units);
    return;
  }
#pragma omp parallel num_threads((int)threads)
  {
    const int64_t team = omp_get_num_threads();
    const int64_t member = omp_get_thread_num();
    what->function(what->params, what->units * member / team, what->units * (member + 1) / team);
  }
}

static void run(const work *what, way how) {
  if (how == OPENMP) {
    run_openmp(what);
  } else {
    kvf_parallel_for(what->function, what->params, what->units, what->bytes_per_unit,
                     how == ALONE ? 1 : 0);
  }
}

static int compare(const void *a, const void *b) {
  const double difference = *(const double *)a - *(const double *)b;
  return difference < 0 ? -1 : difference > 0;
}

/* One way for a while. The sleep lets threads of the way before go to sleep. */
static void measure_block(const work *what, way how) {
  enum { WARM = 5, LEAST = 10 };
  const double length = busy ? 1 : 0.04; /* a team rests for up to a second */
  (void)usleep(20000);
  for (int i = 0; i < WARM; ++i) {
    run(what, how);
  }
  const double start = seconds();
  for (int64_t i = 0; i < LEAST || seconds() - start < length; ++i) {
    if (gap_us > 0) {
      (void)usleep((useconds_t)gap_us);
    }
    const double begin = seconds();
    run(what, how);
    if (num_samples[how] < MAX_CALLS) {
      samples[how][num_samples[how]++] = (seconds() - begin) * 1e6;
    }
  }
}

static void measure(const char *name, const work *what) {
  memset(num_samples, 0, sizeof num_samples);
  for (int64_t round = 0; round < rounds; ++round) {
    for (int i = 0; i < WAYS; ++i) {
      measure_block(what, (way)((round + i) % WAYS));
    }
  }
  printf("%-12s", name);
  double mean[WAYS];
  for (int how = 0; how < WAYS; ++how) {
    const int64_t count = num_samples[how];
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      sum += samples[how][i];
    }
    mean[how] = sum / (double)count;
    qsort(samples[how], (size_t)count, sizeof(double), compare);
    printf(" %9.2f %9.2f %9.2f", mean[how], samples[how][count / 2],
           samples[how][count * 99 / 100]);
  }
  printf(" %8.2f %8.2f\n", mean[TEAM] / mean[OPENMP],
         samples[TEAM][num_samples[TEAM] / 2] / samples[OPENMP][num_samples[OPENMP] / 2]);
  (void)fflush(stdout);
}

typedef struct copy_params {
  char *to;
  const char *from;
} copy_params;

/* Unit by unit, as kernels copy tokens: how memcpy() goes about a long piece depends on its length,
 * and the two ways divide the work into pieces of other lengths. */
static void copy(const void *params, int64_t begin, int64_t end) {
  const copy_params *p = params;
  for (int64_t i = begin; i < end; ++i) {
    memcpy(p->to + i * UNIT, p->from + i * UNIT, UNIT);
  }
}

static char *memory(size_t bytes) {
  char *made = aligned_alloc(4096, bytes);
  if (made == NULL) {
    perror("allocating");
    exit(1);
  }
  memset(made, 0x3C, bytes);
  return made;
}

static void measure_copies(int64_t only) {
  char *at = memory((size_t)2 * MOST_BYTES);
  const copy_params params = {at, at + MOST_BYTES};
  for (int64_t bytes = 1024; bytes <= MOST_BYTES; bytes *= bytes < 64 << 10 ? 4 : 2) {
    const int64_t kib = bytes / 1024;
    if (only >= 0 && kib != only) {
      continue;
    }
    char name[32];
    (void)snprintf(name, sizeof name, kib < 1024 ? "%lld KiB" : "%lld MiB",
                   (long long)(kib < 1024 ? kib : kib / 1024));
    const work what = {copy, &params, bytes / UNIT, 2 * UNIT};
    measure(name, &what);
  }
  free(at);
}

/* 8 heads of 128, pages of 16 tokens, bf16 to fp8_e4m3 by one scale. */
static void measure_write(void) {
  enum { TOKENS = 512, HEADS = 8, SIZE = 128, TOKEN = HEADS * SIZE };
  const kvf_variant *variant =
      kvf_select(&kvf_op_reshape_and_cache_flash, KVF_CPU, KVF_BF16, KVF_FP8_E4M3);
  if (variant == NULL) {
    printf("fp8 write: skipped: %s\n", kvf_last_error());
    return;
  }
  char *source = memory((size_t)TOKENS * TOKEN * 2);
  char *cache = memory((size_t)TOKENS * TOKEN * 2);
  int64_t slots[TOKENS];
  for (int64_t i = 0; i < TOKENS; ++i) {
    slots[i] = i * 37 % TOKENS;
  }
  float scale = 0.3f;
  kvf_reshape_and_cache_flash_params params = {
      .key = {source, {TOKEN, SIZE, 1}},
      .value = {source, {TOKEN, SIZE, 1}},
      .key_cache = {cache, {16 * TOKEN, TOKEN, SIZE, 1}},
      .value_cache = {cache + TOKENS * TOKEN, {16 * TOKEN, TOKEN, SIZE, 1}},
      .k_scale = {&scale, {0}},
      .v_scale = {&scale, {0}},
      .slots = {.mapping = slots,
                .stride = 1,
                .num_tokens = TOKENS,
                .num_blocks = TOKENS / 16,
                .block_size = 16,
                .index_bytes = 8},
      .num_heads = HEADS,
      .head_size = SIZE,
      .value_head_size = SIZE};
  params.slots.by_block_size = kvf_make_divider(16);
  const work what = {variant->cpu[kvf_cpu_isa()], &params, TOKENS, TOKEN * 2 * (2 + 1)};
  measure("fp8 write", &what);
  free(source);
  free(cache);
}

/* A process that computes on the last CPU until this one ends. */
static pid_t start_busy(void) {
  const pid_t child = fork();
  if (child == 0) {
    cpu_set_t last;
    CPU_ZERO(&last);
    CPU_SET((size_t)(sysconf(_SC_NPROCESSORS_ONLN) - 1), &last);
    (void)sched_setaffinity(0, sizeof last, &last);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (volatile unsigned i = 0;; ++i) {
    }
  }
  return child;
}

int main(int argc, char **argv) {
  int64_t only = -1;
  for (int i = 1; i < argc; ++i) {
    const char *next = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--busy") == 0) {
      busy = true;
    } else if (strcmp(argv[i], "--gap") == 0 && atoll(next) > 0) {
      gap_us = atoll(next);
      ++i;
    } else if (strcmp(argv[i], "--rounds") == 0 && atoll(next) > 0) {
      rounds = atoll(next);
      ++i;
    } else if (strcmp(argv[i], "--kib") == 0 && next[0] != '\0') {
      only = atoll(next);
      ++i;
    } else {
      (void)fprintf(stderr, "usage: bench_threads [--busy] [--gap US] [--rounds N] [--kib N]\n");
      return 2;
    }
  }
  const pid_t child = busy ? start_busy() : 0;
  printf(
      "kvforge %s, isa %s: %d threads, OpenMP %d%s; us of a call: mean, median, 99th percentile\n"
      "%-12s %-29s %-29s %-29s %s\n",
      kvf_version(), kvf_isa_name(kvf_cpu_isa()), kvf_num_threads(), omp_get_max_threads(),
      busy ? "; another process is busy" : "", "", " alone", " kvforge", " OpenMP",
      "kvforge / OpenMP: mean, median");
  measure_copies(only);
  if (only <= 0) {
    measure_write();
  }
  if (child > 0) {
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
  }
  return 0;
}
