/*
 * Memory, or threads, that cannot be had: fails the n-th request in a process's first calls of the
 * library, for every n, once and for good. Opens libkvforge.so by its path, in a new process for
 * each case; linked to nothing itself.
 *
 *   allocations LIBRARY refused | small | large | prepared | cuda
 *
 * Exit status 0: no case ended the process, each call was answered with success or a lack of
 * memory, and the next call went well. tests/test_allocations.py builds and runs it.
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
#include <sys/wait.h>
#include <unistd.h>

#include "kvforge/cache.h"

/* ---- what fails on demand: these stand before libc's -------------------------------------------
 */

enum { NEVER = INT32_MAX };

static _Atomic int passes = NEVER; /* requests that are still granted; below 0: past the failing */
static _Atomic bool for_good;

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *old, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

/* Whether this request is to fail; libc trusts in errno then. */
static bool fails(void) {
  if (atomic_load(&passes) == NEVER) {
    return false;
  }
  const int before = atomic_fetch_sub(&passes, 1);
  if (before > 0 || (before < 0 && !for_good)) {
    return false;
  }
  errno = ENOMEM;
  return true;
}

void *malloc(size_t bytes) { return fails() ? NULL : __libc_malloc(bytes); }
void *calloc(size_t count, size_t bytes) { return fails() ? NULL : __libc_calloc(count, bytes); }
void *realloc(void *old, size_t bytes) { return fails() ? NULL : __libc_realloc(old, bytes); }
void *memalign(size_t alignment, size_t bytes) {
  return fails() ? NULL : __libc_memalign(alignment, bytes);
}
void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }
int posix_memalign(void **place, size_t alignment, size_t bytes) {
  *place = memalign(alignment, bytes);
  return *place == NULL ? ENOMEM : 0;
}

static int (*next_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*start)(void *),
                   void *argument) {
  return fails() ? EAGAIN : next_create(thread, how, start, argument);
}

/* ---- the calls ---------------------------------------------------------------------------------
 */

static struct {
  __typeof__(kvf_last_error) *last_error;
  __typeof__(kvf_swap_blocks_batch) *swap_blocks_batch;
  __typeof__(kvf_cuda_device_count) *device_count;
  __typeof__(kvf_cuda_fault_count) *fault_count;
  __typeof__(kvf_num_ops) *num_ops;
  __typeof__(kvf_get_op) *get_op;
  __typeof__(kvf_variant_built) *variant_built;
  __typeof__(kvf_prepare) *prepare;
  __typeof__(kvf_find_op) *find_op;
  __typeof__(kvf_prepare_call) *prepare_call;
  __typeof__(kvf_run_prepared) *run_prepared;
  __typeof__(kvf_free_prepared) *free_prepared;
} kvf;

static bool open_library(const char *path) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
#define FIND(member, symbol)                                                                       \
  *(void **)&kvf.member = library != NULL ? dlsym(library, #symbol) : NULL;                        \
  if (kvf.member == NULL) {                                                                        \
    (void)fprintf(stderr, "%s\n", dlerror());                                                      \
    return false;                                                                                  \
  }
  FIND(last_error, kvf_last_error)
  FIND(swap_blocks_batch, kvf_swap_blocks_batch)
  FIND(device_count, kvf_cuda_device_count)
  FIND(fault_count, kvf_cuda_fault_count)
  FIND(num_ops, kvf_num_ops)
  FIND(get_op, kvf_get_op)
  FIND(variant_built, kvf_variant_built)
  FIND(prepare, kvf_prepare)
  FIND(find_op, kvf_find_op)
  FIND(prepare_call, kvf_prepare_call)
  FIND(run_prepared, kvf_run_prepared)
  FIND(free_prepared, kvf_free_prepared)
#undef FIND
  return true;
}

enum { COPIES = 64, LARGE = 1 << 20 };

static char source[COPIES * LARGE];
static char target[COPIES * LARGE];

/* Copies on the CPU, with as many threads as their size is worth. */
static kvf_status copy(int64_t bytes) {
  static int64_t vectors[3][COPIES];
  static int64_t shape[1] = {COPIES};
  DLTensor given[3];
  for (int64_t i = 0; i < COPIES; ++i) {
    source[i * bytes] = (char)(i + 1);
    target[i * bytes] = 0;
    vectors[0][i] = (int64_t)(uintptr_t)(source + i * bytes);
    vectors[1][i] = (int64_t)(uintptr_t)(target + i * bytes);
    vectors[2][i] = bytes;
  }
  for (int i = 0; i < 3; ++i) {
    given[i] = (DLTensor){.data = vectors[i],
                          .device = {kDLCPU, 0},
                          .ndim = 1,
                          .dtype = {kDLInt, 64, 1},
                          .shape = shape};
  }
  const kvf_status status = kvf.swap_blocks_batch(NULL, &given[0], &given[1], &given[2], false);
  for (int64_t i = 0; i < COPIES; ++i) {
    const char wanted = status == KVF_OK ? (char)(i + 1) : 0;
    if (target[i * bytes] != wanted) {
      (void)fprintf(stderr, "status %d: copy %d is wrong\n", (int)status, (int)i);
      quick_exit(1);
    }
  }
  return status;
}

/* A mistake is told as such; without its sentence when there is no memory for that. */
static kvf_status refuse(void) {
  static int64_t shape[1] = {1};
  const DLTensor wrong = {
      .device = {kDLCPU, 0}, .ndim = 1, .dtype = {kDLInt, 64, 1}, .shape = shape};
  const kvf_status status = kvf.swap_blocks_batch(NULL, &wrong, &wrong, &wrong, false);
  const char *sentence = kvf.last_error();
  const bool told = strstr(sentence, "src_ptrs: ") != NULL || strstr(sentence, "no memory") != NULL;
  return status == KVF_INVALID_VALUE && told ? KVF_OK : KVF_INVALID_TYPE;
}

static kvf_status copy_small(void) { return copy(8); }
static kvf_status copy_large(void) { return copy(LARGE); }

/* A call with one tensor for two arguments, of which copies are made. */
static kvf_status prepare(void) {
  enum { TENSORS = 8 };
  static int64_t shape[4] = {1, 1, 1, 4};
  static int64_t slot;
  static float scale = 1.0f;
  static float row[4] = {1, 2, 3, 4};
  static float pages[2][4];
  const DLDataType f32 = {kDLFloat, 32, 1};
  const DLDevice cpu = {kDLCPU, 0};
  const DLTensor key = {row, cpu, 3, f32, shape + 1, NULL, 0};
  const DLTensor caches[2] = {{pages[0], cpu, 4, f32, shape, NULL, 0},
                              {pages[1], cpu, 4, f32, shape, NULL, 0}};
  const DLTensor slots = {&slot, cpu, 1, {kDLInt, 64, 1}, shape, NULL, 0};
  const DLTensor one = {&scale, cpu, 0, f32, NULL, NULL, 0};
  const DLTensor *const given[TENSORS] = {&key,   &key, &caches[0], &caches[1],
                                          &slots, NULL, &one,       &one};
  kvf_value values[TENSORS];
  void *data[TENSORS] = {row, row, pages[0], pages[1], &slot, &scale, &scale, NULL};
  for (int i = 0; i < TENSORS; ++i) {
    values[i] = given[i] != NULL ? (kvf_value){KVF_KIND_TENSOR, {.tensor = given[i]}}
                                 : (kvf_value){KVF_KIND_STRING, {.string = "auto"}};
  }
  memset(pages, 0, sizeof pages);
  kvf_prepared *prepared = (kvf_prepared *)pages;
  const kvf_op *op = kvf.find_op("reshape_and_cache_flash");
  kvf_status status = kvf.prepare_call(op, NULL, values, TENSORS, &prepared);
  if ((status == KVF_OK) != (prepared != NULL)) {
    (void)fprintf(stderr, "status %d: prepared is %p\n", (int)status, (void *)prepared);
    quick_exit(1);
  }
  if (status == KVF_OK) {
    status = kvf.run_prepared(prepared, NULL, data, TENSORS);
    kvf.free_prepared(prepared);
  }
  if (status == KVF_OK &&
      (memcmp(pages[0], row, sizeof row) || memcmp(pages[1], row, sizeof row))) {
    (void)fprintf(stderr, "the prepared call wrote something else\n");
    quick_exit(1);
  }
  return status;
}

/* All that is made at the first use of CUDA. */
static kvf_status use_cuda(void) {
  int32_t devices = 0;
  uint64_t faults = 0;
  kvf_status status = kvf.device_count(&devices);
  status = status == KVF_OK ? kvf.fault_count(0, &faults) : status;
  for (int32_t i = 0; i < kvf.num_ops(); ++i) {
    const kvf_op *op = kvf.get_op(i);
    for (int32_t k = 0; status == KVF_OK && k < op->num_variants; ++k) {
      const kvf_variant *variant = &op->variants[k];
      if (variant->backend == KVF_CUDA && kvf.variant_built(variant)) {
        status = kvf.prepare(variant, 0);
        break; /* one of each op */
      }
    }
  }
  return status;
}

/* ---- every request -----------------------------------------------------------------------------
 */

enum { GOOD = 0, BAD = 1, NOT_REACHED = 3 };

/* A lack of memory in the library or in the driver. */
static bool is_lack(kvf_status status) {
  const char *sentence = kvf.last_error();
  return status == KVF_OUT_OF_MEMORY || ((status == KVF_CUDA_ERROR || status == KVF_NO_DEVICE) &&
                                         (strstr(sentence, "CUDA_ERROR_OUT_OF_MEMORY") != NULL ||
                                          strstr(sentence, "no memory for the sentence") != NULL));
}

/* In a child: its exit status. */
static int run(const char *path, kvf_status (*call)(void), int request) {
  if (!open_library(path)) {
    return BAD;
  }
  atomic_store(&passes, request);
  const kvf_status status = call();
  const bool reached = atomic_exchange(&passes, NEVER) < 0;
  if (status != KVF_OK && !is_lack(status)) {
    (void)fprintf(stderr, "status %d: %s\n", (int)status, kvf.last_error());
    return BAD;
  }
  if (call() != KVF_OK) {
    (void)fprintf(stderr, "the next call: %s\n", kvf.last_error());
    return BAD;
  }
  return reached ? GOOD : NOT_REACHED;
}

/* The number of requests, or -1 after a failure. */
static int run_all(const char *path, kvf_status (*call)(void)) {
  for (int request = 0;; ++request) {
    const pid_t child = fork();
    if (child == 0) {
      quick_exit(run(path, call, request));
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child) {
      return -1;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_REACHED) {
      return request;
    }
    if (status != 0) {
      (void)fprintf(stderr, "request %d fails %s: wait status 0x%X\n", request,
                    for_good ? "for good" : "once", (unsigned)status);
      return -1;
    }
  }
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    kvf_status (*call)(void);
  } calls[] = {{"refused", refuse},
               {"small", copy_small},
               {"large", copy_large},
               {"prepared", prepare},
               {"cuda", use_cuda}};
  *(void **)&next_create = dlsym(RTLD_NEXT, "pthread_create");
  for (size_t i = 0; count == 3 && i < sizeof calls / sizeof *calls; ++i) {
    if (strcmp(arguments[2], calls[i].name) == 0) {
      const int once = run_all(arguments[1], calls[i].call);
      for_good = true;
      const int good = once < 0 ? -1 : run_all(arguments[1], calls[i].call);
      (void)printf("%d requests\n", once);
      return good < 0 ? 1 : 0;
    }
  }
  (void)fprintf(stderr, "usage: allocations LIBRARY refused|small|large|prepared|cuda\n");
  return 2;
}
