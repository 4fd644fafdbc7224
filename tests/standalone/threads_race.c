/*
 * The library's threads alone, for ThreadSanitizer and valgrind: many callers at once, calls within
 * calls, small and large ones, and plain writes of one thread that another one reads after the
 * call. tests/test_standalone.py builds it of the sources in runtime/core/ and runs it.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/tuned.h"
#include "kvforge/op.h"

/* What the library takes from its tables. */
const kvf_tuned kvf_threads_tuned = {.num_constants = 3};
const int32_t *kvf_engine_values(const kvf_tuned *table, int64_t bytes) {
  static const int32_t values[] = {[KVF_THREAD_KIB] = 64, [KVF_CHUNK_KIB] = 256, [KVF_CHUNKS] = 8};
  (void)table, (void)bytes;
  return values;
}

enum { CALLERS = 32, UNITS = 500 };

static int calls = 100;

static void fill(const void *params, int64_t begin, int64_t end) {
  int *units = *(int *const *)params;
  for (int64_t i = begin; i < end; ++i) {
    units[i] += (int)i + 1;
  }
}

static void nested(const void *params, int64_t begin, int64_t end) {
  int (*rows)[UNITS] = *(int (*const *)[UNITS])params;
  for (int64_t i = begin; i < end; ++i) {
    kvf_parallel_for(fill, &(int *){rows[i]}, UNITS, 4096, 0);
  }
}

static bool filled(const int *units) {
  bool good = true;
  for (int i = 0; i < UNITS; ++i) {
    good = units[i] == i + 1 && good;
  }
  return good;
}

static void *call(void *argument) {
  int (*rows)[UNITS] = calloc(4, sizeof *rows);
  bool good = rows != NULL;
  for (int i = 0; good && i < calls; ++i) {
    memset(rows, 0, 4 * sizeof *rows);
    if (i % 4 == 0) {
      kvf_parallel_for(nested, &(int (*)[UNITS]){rows}, 4, 1 << 20, 0);
      good = filled(rows[1]) && filled(rows[2]) && filled(rows[3]);
    } else {
      kvf_parallel_for(fill, &(int *){rows[0]}, UNITS, 1 << (4 * i % 20), i % 5);
    }
    good = filled(rows[0]) && good;
    kvf_set_num_threads(i % 3);
  }
  free(rows);
  return good ? argument : NULL;
}

int main(int count, char **arguments) {
  calls = count > 1 ? atoi(arguments[1]) : calls;
  pthread_t threads[CALLERS];
  bool good = true;
  for (int i = 0; i < CALLERS; ++i) {
    good = pthread_create(&threads[i], NULL, call, &calls) == 0 && good;
  }
  for (int i = 0; good && i < CALLERS; ++i) {
    void *result = NULL;
    good = pthread_join(threads[i], &result) == 0 && result != NULL && good;
  }
  (void)printf("%s\n", good ? "good" : "wrong");
  return good ? 0 : 1;
}
