/*
 * kvf_hostile_cuda CALLS [SEED]: hostile boxed calls against the emulated CUDA driver, which faults
 * on every access outside an allocation, every misaligned one and every signed overflow. The same
 * seed makes the same calls.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

enum { MAX_OPS = 256 };

#define FUNCTIONS(X)                                                                               \
  X(init, cuInit, (unsigned))                                                                      \
  X(retain, cuDevicePrimaryCtxRetain, (void **, int))                                              \
  X(set, cuCtxSetCurrent, (void *))                                                                \
  X(synchronize, cuCtxSynchronize, (void))                                                         \
  X(alloc, cuMemAlloc_v2, (uint64_t *, size_t))                                                    \
  X(free, cuMemFree_v2, (uint64_t))                                                                \
  X(alloc_host, cuMemHostAlloc, (void **, size_t, unsigned))                                       \
  X(free_host, cuMemFreeHost, (void *))                                                            \
  X(upload, cuMemcpyHtoD_v2, (uint64_t, const void *, size_t))                                     \
  X(download, cuMemcpyDtoH_v2, (void *, uint64_t, size_t))

static struct {
#define MEMBER(member, symbol, parameters) int(*member) parameters;
  FUNCTIONS(MEMBER)
#undef MEMBER
  const char *(*last_fault)(void);
} cuda;

static struct {
  uint64_t address; /* of device memory */
  uint8_t *host;    /* pinned: some ops want that, and to the others it is as good as any */
} places[MAX_OPERANDS];

static bool find(void *library, const char *symbol, void *pointer) {
  void *const found = dlsym(library, symbol);
  memcpy(pointer, &found, sizeof found);
  return found != NULL;
}

static bool open_driver(const char *path) {
  void *library = path != NULL ? dlopen(path, RTLD_NOW) : NULL;
  bool whole = library != NULL && find(library, "kvf_emulator_last_fault", &cuda.last_fault);
#define FIND(member, symbol, parameters) whole = whole && find(library, #symbol, &cuda.member);
  FUNCTIONS(FIND)
#undef FIND
  void *context = NULL;
  return whole && cuda.init(0) == 0 && cuda.retain(&context, 0) == 0 && cuda.set(context) == 0;
}

static uint8_t *take(int place, const uint8_t *contents, size_t size, bool on_host) {
  uint64_t address = 0;
  if (on_host) {
    void *host = NULL;
    if (cuda.alloc_host(&host, size, 0) != 0) {
      (void)fprintf(stderr, "no pinned memory for %zu bytes\n", size);
      abort();
    }
    places[place].host = memcpy(host, contents, size);
    return places[place].host;
  }
  if (cuda.alloc(&address, size) != 0 || cuda.upload(address, contents, size) != 0) {
    (void)fprintf(stderr, "no memory for %zu bytes\n", size);
    abort();
  }
  places[place].address = address;
  return (uint8_t *)(uintptr_t)address;
}

static void read_back(int place, uint8_t *contents, size_t size) {
  if (places[place].host != NULL) {
    memcpy(contents, places[place].host, size);
  } else if (cuda.download(contents, places[place].address, size) != 0) {
    abort();
  }
}

static const char *synchronize(void) { return cuda.synchronize() != 0 ? cuda.last_fault() : NULL; }

static void free_places(void) {
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    if (places[i].host != NULL) {
      (void)cuda.free_host(places[i].host);
    }
    if (places[i].address != 0) {
      (void)cuda.free(places[i].address);
    }
    places[i].host = NULL;
    places[i].address = 0;
  }
}

int main(int count, char **arguments) {
  const long calls = count > 1 ? strtol(arguments[1], NULL, 10) : 0;
  uint64_t seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
  if (calls <= 0 || !open_driver(getenv("KVFORGE_LIBCUDA"))) {
    (void)fprintf(stderr, "usage: KVFORGE_LIBCUDA=libkvf_cuda_emulator.so %s CALLS [SEED]\n",
                  arguments[0]);
    return 2;
  }
  hostile_memory memory = {
      .backend = KVF_CUDA, .take = take, .synchronize = synchronize, .read = read_back};
  long accepted[MAX_OPS] = {0};
  for (long i = 0; i < calls; ++i) {
    uint8_t data[512];
    memory.seed = seed + (uint64_t)i;
    uint64_t state = memory.seed;
    for (size_t k = 0; k < sizeof data; ++k) { /* splitmix64 */
      uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
      z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
      data[k] = (uint8_t)(z >> 56);
    }
    choices given = {.data = data, .size = sizeof data};
    const int32_t op = given.data[0] % kvf_num_ops();
    accepted[op] += hostile_call(&given, &memory) == KVF_OK;
    free_places();
  }
  long sum = 0;
  int refused = 0; /* ops that no call got through to: what makes calls has not followed a change */
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    (void)printf("%6ld accepted by %s\n", accepted[i], kvf_get_op(i)->name);
    sum += accepted[i];
    refused += accepted[i] == 0;
  }
  (void)printf("%ld hostile calls, %ld of them accepted, from seed %llu\n", calls, sum,
               (unsigned long long)seed);
  return calls >= 20000 && refused > 0;
}
