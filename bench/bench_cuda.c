/*
 * The CUDA backend against the device's own copy: every K/V writer's bytes per second beside a
 * device-to-device copy that moves as many bytes, in turn, in one run. Each round is a captured
 * CUDA graph of many calls on rotating tensors, several times the L2 cache in all, replayed and
 * timed with events; so host cost does not count, and the capture shows that every call can be
 * captured.
 *
 * bench_cuda [TOKENS ...] (default 1 256 4096 65536)
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kvforge/kvforge.h"

enum { HEADS = 8, HEAD_SIZE = 128, BLOCK_SIZE = 16, ROUNDS = 9, CAPTURE_RELAXED = 2 };
static const size_t ROTATION_BYTES = (size_t)400 << 20; /* several times any L2 cache of today */

/* ---- the driver --------------------------------------------------------------------------------
 */

#define FUNCTIONS(X)                                                                               \
  X(init, cuInit, (unsigned))                                                                      \
  X(device_get, cuDeviceGet, (int *, int))                                                         \
  X(device_name, cuDeviceGetName, (char *, int, int))                                              \
  X(primary_retain, cuDevicePrimaryCtxRetain, (void **, int))                                      \
  X(context_set, cuCtxSetCurrent, (void *))                                                        \
  X(alloc, cuMemAlloc_v2, (uint64_t *, size_t))                                                    \
  X(release, cuMemFree_v2, (uint64_t))                                                             \
  X(fill, cuMemsetD8_v2, (uint64_t, unsigned char, size_t))                                        \
  X(upload, cuMemcpyHtoD_v2, (uint64_t, const void *, size_t))                                     \
  X(copy_async, cuMemcpyDtoDAsync_v2, (uint64_t, uint64_t, size_t, void *))                        \
  X(stream_create, cuStreamCreate, (void **, unsigned))                                            \
  X(stream_wait, cuStreamSynchronize, (void *))                                                    \
  X(capture_begin, cuStreamBeginCapture_v2, (void *, int))                                         \
  X(capture_end, cuStreamEndCapture, (void *, void **))                                            \
  X(graph_make, cuGraphInstantiateWithFlags, (void **, void *, unsigned long long))                \
  X(graph_launch, cuGraphLaunch, (void *, void *))                                                 \
  X(graph_free, cuGraphExecDestroy, (void *))                                                      \
  X(event_create, cuEventCreate, (void **, unsigned))                                              \
  X(event_record, cuEventRecord, (void *, void *))                                                 \
  X(event_elapsed, cuEventElapsedTime, (float *, void *, void *))

static struct {
#define MEMBER(member, symbol, parameters) int(*member) parameters;
  FUNCTIONS(MEMBER)
#undef MEMBER
} cuda;

static void *stream;

static void check(int code, const char *what) {
  if (code != 0) {
    fprintf(stderr, "bench_cuda: %s: CUDA error %d\n", what, code);
    exit(1);
  }
}

static bool open_driver(void) {
  const char *path = getenv("KVFORGE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW);
  if (library == NULL) {
    printf("bench_cuda: skipped: %s\n", dlerror());
    return false;
  }
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *found = dlsym(library, #symbol);                                                         \
    if (found == NULL) {                                                                           \
      printf("bench_cuda: skipped: the driver has no " #symbol "\n");                              \
      return false;                                                                                \
    }                                                                                              \
    memcpy(&cuda.member, &found, sizeof found);                                                    \
  }
  FUNCTIONS(FIND)
#undef FIND
  int device = 0;
  void *context = NULL;
  char name[128] = "";
  check(cuda.init(0), "cuInit");
  check(cuda.device_get(&device, 0), "cuDeviceGet");
  check(cuda.device_name(name, sizeof name, device), "cuDeviceGetName");
  check(cuda.primary_retain(&context, device), "cuDevicePrimaryCtxRetain");
  check(cuda.context_set(context), "cuCtxSetCurrent");
  check(cuda.stream_create(&stream, 1), "cuStreamCreate");
  printf("kvforge %s on %s; %d heads x %d, pages of %d\n", kvf_version(), name, HEADS, HEAD_SIZE,
         BLOCK_SIZE);
  return true;
}

static uint64_t allocate(size_t bytes) {
  uint64_t memory = 0;
  check(cuda.alloc(&memory, bytes), "cuMemAlloc");
  check(cuda.fill(memory, 0x3C, bytes), "cuMemsetD8");
  return memory;
}

/* Replays a captured graph: microseconds of each round. */
static void time_graph(void *graph, int calls, double *microseconds) {
  void *executable = NULL;
  void *begin = NULL;
  void *end = NULL;
  check(cuda.graph_make(&executable, graph, 0), "cuGraphInstantiate");
  check(cuda.event_create(&begin, 0), "cuEventCreate");
  check(cuda.event_create(&end, 0), "cuEventCreate");
  for (int round = -2; round < ROUNDS; ++round) {
    check(cuda.event_record(begin, stream), "cuEventRecord");
    check(cuda.graph_launch(executable, stream), "cuGraphLaunch");
    check(cuda.event_record(end, stream), "cuEventRecord");
    check(cuda.stream_wait(stream), "running the graph");
    float milliseconds = 0;
    check(cuda.event_elapsed(&milliseconds, begin, end), "cuEventElapsedTime");
    if (round >= 0) {
      microseconds[round] = milliseconds * 1e3 / calls;
    }
  }
  check(cuda.graph_free(executable), "cuGraphExecDestroy");
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values) {
  qsort(values, ROUNDS, sizeof *values, by_value);
  return values[ROUNDS / 2];
}

/* ---- one writer --------------------------------------------------------------------------------
 */

static DLDataType dl_dtype(kvf_dtype dtype) {
  const uint8_t bits = (uint8_t)kvf_dtype_bits(dtype);
  const uint8_t code = bits == 8 ? kDLUInt : dtype == KVF_BF16 ? kDLBfloat : kDLFloat;
  return (DLDataType){code, bits, 1};
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void measure(const kvf_variant *variant, int64_t tokens, bool shuffled) {
  const bool flash = variant->op == &kvf_op_reshape_and_cache_flash;
  const size_t scalar = (size_t)kvf_dtype_bits(variant->scalar) / 8;
  const size_t cache = (size_t)kvf_dtype_bits(variant->cache) / 8;
  const size_t elements = (size_t)tokens * HEADS * HEAD_SIZE;
  const int64_t blocks = (tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
  const size_t page_elements = (size_t)blocks * BLOCK_SIZE * HEADS * HEAD_SIZE;
  const size_t moved = 2 * elements * (scalar + cache);
  const size_t set_bytes = 2 * (elements * scalar + page_elements * cache);
  int sets = (int)(ROTATION_BYTES / set_bytes) + 1;
  sets = sets < 256 ? sets : 256;
  const uint64_t sources = allocate(2 * elements * scalar * (size_t)sets);
  const uint64_t caches = allocate(2 * page_elements * cache * (size_t)sets);
  const uint64_t slots = allocate((size_t)tokens * sizeof(int64_t));
  const uint64_t one = allocate(sizeof(float));
  int64_t *host_slots = malloc((size_t)tokens * sizeof *host_slots);
  for (int64_t i = 0; i < tokens; ++i) {
    host_slots[i] = i;
  }
  uint64_t state = 42;
  for (int64_t i = tokens - 1; shuffled && i > 0; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const int64_t j = (int64_t)((state >> 33) % (uint64_t)(i + 1));
    const int64_t kept = host_slots[i];
    host_slots[i] = host_slots[j];
    host_slots[j] = kept;
  }
  check(cuda.upload(slots, host_slots, (size_t)tokens * sizeof *host_slots), "uploading slots");

  const int64_t x = 16 / (int64_t)cache;
  int64_t source_shape[] = {tokens, HEADS, HEAD_SIZE};
  int64_t flash_shape[] = {blocks, BLOCK_SIZE, HEADS, HEAD_SIZE};
  int64_t key_shape[] = {blocks, HEADS, HEAD_SIZE / x, BLOCK_SIZE, x};
  int64_t value_shape[] = {blocks, HEADS, HEAD_SIZE, BLOCK_SIZE};
  int64_t slot_shape[] = {tokens};
  const DLDevice device = {kDLCUDA, 0};
  DLTensor key = {NULL, device, 3, dl_dtype(variant->scalar), source_shape, NULL, 0};
  DLTensor value = key;
  DLTensor key_cache = {
      NULL, device, flash ? 4 : 5, dl_dtype(variant->cache), flash ? flash_shape : key_shape,
      NULL, 0};
  DLTensor value_cache = {
      NULL, device, 4, dl_dtype(variant->cache), flash ? flash_shape : value_shape, NULL, 0};
  DLTensor slot = {(void *)slots, device, 1, {kDLInt, 64, 1}, slot_shape, NULL, 0};
  DLTensor scale = {(void *)one, device, 0, {kDLFloat, 32, 1}, NULL, NULL, 0};
  const char *dtype = variant->cache == variant->scalar ? "auto" : kvf_dtype_name(variant->cache);
  const kvf_exec exec = {.backend = KVF_CUDA, .stream = stream};

  void *graph = NULL;
  double host = 0;
  for (int pass = 0; pass < 2; ++pass) { /* the first, uncaptured, loads the kernel */
    if (pass == 1) {
      check(cuda.capture_begin(stream, CAPTURE_RELAXED), "cuStreamBeginCapture");
    }
    const double begin = seconds();
    for (int set = 0; set < sets; ++set) {
      key.data = (void *)(sources + 2 * elements * scalar * (size_t)set);
      value.data = (char *)key.data + elements * scalar;
      key_cache.data = (void *)(caches + 2 * page_elements * cache * (size_t)set);
      value_cache.data = (char *)key_cache.data + page_elements * cache;
      const kvf_value arguments[] = {
          {KVF_KIND_TENSOR, {.tensor = &key}},       {KVF_KIND_TENSOR, {.tensor = &value}},
          {KVF_KIND_TENSOR, {.tensor = &key_cache}}, {KVF_KIND_TENSOR, {.tensor = &value_cache}},
          {KVF_KIND_TENSOR, {.tensor = &slot}},      {KVF_KIND_STRING, {.string = dtype}},
          {KVF_KIND_TENSOR, {.tensor = &scale}},     {KVF_KIND_TENSOR, {.tensor = &scale}}};
      if (kvf_call(variant->op, &exec, arguments, 8) != KVF_OK) {
        fprintf(stderr, "bench_cuda: %s\n", kvf_last_error());
        exit(1);
      }
    }
    host = (seconds() - begin) / sets * 1e6;
    if (pass == 0) {
      check(cuda.stream_wait(stream), "the first calls");
    }
  }
  check(cuda.capture_end(stream, &graph), "cuStreamEndCapture");
  double writer[ROUNDS];
  double plain[ROUNDS];
  time_graph(graph, sets, writer);

  const size_t half = (moved / 2 + 15) / 16 * 16;
  const uint64_t from = allocate(half * (size_t)sets);
  const uint64_t to = allocate(half * (size_t)sets);
  check(cuda.capture_begin(stream, CAPTURE_RELAXED), "cuStreamBeginCapture");
  for (int set = 0; set < sets; ++set) {
    check(cuda.copy_async(to + half * (size_t)set, from + half * (size_t)set, half, stream),
          "copy");
  }
  check(cuda.capture_end(stream, &graph), "cuStreamEndCapture");
  time_graph(graph, sets, plain);

  const double mine = median(writer);
  const double copy = median(plain);
  printf("%-24s %-5s %-9s %-11s %7lld %9.2f %9.2f %9.0f %8.0f %% %9.2f\n", variant->op->name,
         kvf_dtype_name(variant->scalar), kvf_dtype_name(variant->cache),
         shuffled ? "shuffled" : "consecutive", (long long)tokens, mine, copy,
         (double)moved / mine * 1e-3, 100 * copy / mine, host);
  fflush(stdout);
  free(host_slots);
  const uint64_t memory[] = {sources, caches, slots, one, from, to};
  for (size_t i = 0; i < sizeof memory / sizeof *memory; ++i) {
    check(cuda.release(memory[i]), "cuMemFree");
  }
}

int main(int argc, char **argv) {
  if (!open_driver()) {
    return 0;
  }
  printf("us: one call, graph replay, cold L2; copy: device-to-device copy of as many bytes; host: "
         "us of "
         "one call on the host\n\n%-24s %-5s %-9s %-11s %7s %9s %9s %9s %10s %9s\n",
         "op", "scalar", "cache", "slots", "tokens", "us", "copy us", "GB/s", "of copy", "host us");
  const int64_t defaults[] = {1, 256, 4096, 65536};
  const int count = argc > 1 ? argc - 1 : 4;
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    if (op != &kvf_op_reshape_and_cache_flash && op != &kvf_op_reshape_and_cache) {
      continue;
    }
    for (int32_t j = 0; j < op->num_variants; ++j) {
      const kvf_variant *variant = &op->variants[j];
      if (variant->backend != KVF_CUDA || !kvf_variant_built(variant)) {
        continue;
      }
      for (int k = 0; k < count; ++k) {
        const int64_t tokens = argc > 1 ? atoll(argv[k + 1]) : defaults[k];
        measure(variant, tokens, true);
        if (tokens > 1) {
          measure(variant, tokens, false);
        }
      }
    }
  }
  return 0;
}
