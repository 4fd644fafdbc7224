/*
 * What a program may do to a library that has threads. Opens libkvforge.so by its path, so that it
 * can be closed, and is linked to nothing itself.
 *
 *   threads LIBRARY no-threads | no-memory | small-space | no-processes | close | exit | ends
 *
 * Exit status 0: all went as it should. tests/test_standalone.py builds and runs it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

typedef void (*part_function)(const void *params, int64_t begin, int64_t end);
typedef void (*parallel_for)(part_function function, const void *params, int64_t units,
                             int64_t bytes_per_unit, int32_t num_threads);

/* ---- what fails on demand: these stand before libc's -------------------------------------------
 */

static _Atomic bool memory_fails;
static _Atomic int threads_left = 1 << 20;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

/* Whether there is none; libc trusts in errno then. */
static bool no_memory(void) {
  errno = memory_fails ? ENOMEM : errno;
  return memory_fails;
}

void *malloc(size_t bytes) { return no_memory() ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) {
  return no_memory() ? NULL : __libc_calloc(count, bytes);
}
void *realloc(void *old, size_t bytes) { return no_memory() ? NULL : __libc_realloc(old, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes) {
  return no_memory() ? NULL : __libc_memalign(alignment, bytes);
}

static int (*next_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *),
                   void *argument) {
  if (atomic_fetch_sub(&threads_left, 1) <= 0) {
    return EAGAIN;
  }
  return next_create(thread, how, start, argument);
}

/* ---- what is done ------------------------------------------------------------------------------
 */

static const char *path;
static void *library;

static parallel_for open_library(void) {
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  parallel_for found = NULL;
  if (library != NULL) {
    *(void **)&found = dlsym(library, "kvf_parallel_for");
  }
  if (found == NULL) {
    (void)fprintf(stderr, "%s\n", dlerror());
    exit(2);
  }
  return found;
}

enum { UNITS = 2000, BYTES = 1 << 16 };

static void add(const void *params, int64_t begin, int64_t end) {
  _Atomic unsigned char *units = *(_Atomic unsigned char *const *)params;
  for (int64_t i = begin; i < end; ++i) {
    units[i]++;
  }
}

static bool compute(parallel_for run, int32_t num_threads) {
  _Atomic unsigned char units[UNITS] = {0};
  run(add, &(_Atomic unsigned char *){units}, UNITS, BYTES, num_threads);
  bool good = true;
  for (int64_t i = 0; i < UNITS; ++i) {
    good = units[i] == 1 && good;
  }
  return good;
}

static bool compute_often(parallel_for run) {
  bool good = true;
  for (int i = 0; i < 50; ++i) {
    good = compute(run, i % 2 ? 0 : INT32_MAX) && good;
  }
  return good;
}

/* No thread can be had, or one, and then some. */
static bool without_threads(void) {
  const parallel_for run = open_library();
  bool good = true;
  for (int some = 0; some < 3; ++some) {
    threads_left = some;
    good = compute_often(run) && good;
  }
  threads_left = 1 << 20;
  return compute_often(run) && good;
}

static bool without_memory(void) {
  const parallel_for run = open_library();
  memory_fails = true;
  const bool good = compute_often(run);
  memory_fails = false;
  return compute_often(run) && good;
}

/* Address space for no thread's stack. */
static bool in_small_space(void) {
  const parallel_for run = open_library();
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file == NULL || fscanf(file, "%ld", &pages) != 1) {
    return false;
  }
  (void)fclose(file);
  const rlim_t bytes = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (256 << 10);
  const struct rlimit limit = {bytes, RLIM_INFINITY};
  return setrlimit(RLIMIT_AS, &limit) == 0 && compute_often(run);
}

static bool without_processes(void) {
  const parallel_for run = open_library();
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_NPROC, &none) != 0 || (getuid() == 0 && setuid(65534) != 0)) {
    return false;
  }
  return compute_often(run);
}

static bool close_at_once(void) {
  bool good = true;
  for (int i = 0; i < 200; ++i) {
    const parallel_for run = open_library();
    good = compute(run, 0) && good;
    good = dlclose(library) == 0 && good;
    if (i % 20 == 0) {
      (void)usleep(1000); /* the threads go to sleep */
    }
  }
  (void)usleep(10000);
  return good;
}

static void *call_for_ever(void *argument) {
  parallel_for run;
  memcpy(&run, argument, sizeof run);
  for (;;) {
    (void)compute(run, 0);
  }
  return NULL;
}

/* The process ends while other threads are in calls, and closes the library before. */
static bool exit_in_calls(void) {
  static parallel_for run;
  run = open_library();
  for (int i = 0; i < 4; ++i) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, call_for_ever, &run) != 0) {
      return false;
    }
  }
  (void)usleep(20000);
  return dlclose(library) == 0;
}

static void *call_once(void *argument) {
  parallel_for run;
  memcpy(&run, argument, sizeof run);
  return compute(run, 0) ? argument : NULL;
}

/* Callers that end right after their call. */
static bool callers_end(void) {
  parallel_for run = open_library();
  bool good = true;
  for (int i = 0; i < 300; ++i) {
    pthread_t thread;
    void *result = NULL;
    good = pthread_create(&thread, NULL, call_once, &run) == 0 &&
           pthread_join(thread, &result) == 0 && result != NULL && good;
  }
  return good;
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    bool (*good)(void);
  } tests[] = {
      {"no-threads", without_threads}, {"no-memory", without_memory},
      {"small-space", in_small_space}, {"no-processes", without_processes},
      {"close", close_at_once},        {"exit", exit_in_calls},
      {"ends", callers_end},
  };
  *(void **)&next_create = dlsym(RTLD_NEXT, "pthread_create");
  path = count == 3 ? arguments[1] : "";
  for (size_t i = 0; i < sizeof tests / sizeof *tests; ++i) {
    if (count == 3 && strcmp(arguments[2], tests[i].name) == 0) {
      return tests[i].good() ? 0 : 1;
    }
  }
  (void)fprintf(stderr, "usage: threads LIBRARY TEST\n");
  return 2;
}
