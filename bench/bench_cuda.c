/*
 * The CUDA backend against the device's own copy: every op's time beside a copy by the driver that
 * moves as many bytes, in turn, in one run. Each round is a captured CUDA graph of many calls on
 * rotating tensors, several times the L2 cache in all, replayed and timed with events; so host cost
 * does not count, and the capture shows that every call can be captured. The ops that are copies of
 * the driver are timed as they are called, beside one big copy between the same memories.
 *
 * What a call should take at most: with 1 token an empty kernel and 1.0 us, up to 256 tokens an
 * empty kernel and 1.5 us, up to 4096 tokens 1.25 times the sum of an empty kernel and the bytes at
 * the device's best copy rate, above that the part of the copy's speed that bench/shared/ has.
 *
 * bench_cuda [--ops A,B] [--scalars A,B] [--caches A,B] [--rounds N] [--rotation MIB]
 *            [--try A,B;C,D] [--programmatic] [TOKENS ...]
 * --programmatic: each kernel may be set up while the one in front still runs.
 * Default: everything, 9 rounds, 400 MiB, 1 256 4096 65536 tokens. A driver without graphs (the
 * emulated one) is timed call by call, which shows no more than that all calls work.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/report.h"

enum { CAPTURE_RELAXED = 2, MAX_SETS = 256 };

static bench_options options = {
    .rounds = 9, .rotation = (size_t)400 << 20, .tokens = {1, 256, 4096, 65536}, .num_sizes = 4};

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
  X(host_alloc, cuMemHostAlloc, (void **, size_t, unsigned))                                       \
  X(host_release, cuMemFreeHost, (void *))                                                         \
  X(fill, cuMemsetD8_v2, (uint64_t, unsigned char, size_t))                                        \
  X(upload, cuMemcpyHtoD_v2, (uint64_t, const void *, size_t))                                     \
  X(copy_async, cuMemcpyAsync, (uint64_t, uint64_t, size_t, void *))                               \
  X(stream_create, cuStreamCreate, (void **, unsigned))                                            \
  X(stream_wait, cuStreamSynchronize, (void *))                                                    \
  X(event_create, cuEventCreate, (void **, unsigned))                                              \
  X(event_record, cuEventRecord, (void *, void *))                                                 \
  X(event_elapsed, cuEventElapsedTime, (float *, void *, void *))

/* All of them or none. */
#define GRAPH_FUNCTIONS(X)                                                                         \
  X(capture_begin, cuStreamBeginCapture_v2, (void *, int))                                         \
  X(capture_end, cuStreamEndCapture, (void *, void **))                                            \
  X(graph_make, cuGraphInstantiateWithFlags, (void **, void *, unsigned long long))                \
  X(graph_launch, cuGraphLaunch, (void *, void *))                                                 \
  X(graph_free, cuGraphDestroy, (void *))                                                          \
  X(executable_free, cuGraphExecDestroy, (void *))                                                 \
  X(module_load, cuModuleLoadData, (void **, const void *))                                        \
  X(module_function, cuModuleGetFunction, (void **, void *, const char *))                         \
  X(launch, cuLaunchKernel,                                                                        \
    (void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *,         \
     void **, void **))

static struct {
#define MEMBER(member, symbol, parameters) int(*member) parameters;
  FUNCTIONS(MEMBER)
  GRAPH_FUNCTIONS(MEMBER)
#undef MEMBER
} cuda;

static bool has_graphs = true;
static void *stream;
static void *events[2];
static void *empty_kernel;
static double empty_us;  /* one empty kernel in a graph of many */
static double best_rate; /* bytes read and written by the device's copy, per us */

static void check(int code, const char *what) {
  if (code != 0) {
    fprintf(stderr, "bench_cuda: %s: CUDA error %d\n", what, code);
    exit(1);
  }
}

static bool find(void *library, const char *symbol, void *member, size_t size) {
  void *found = dlsym(library, symbol);
  memcpy(member, &found, size);
  return found != NULL;
}

static bool open_driver(void) {
  const char *path = getenv("KVFORGE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW);
  if (library == NULL) {
    printf("bench_cuda: skipped: %s\n", dlerror());
    return false;
  }
#define NEED(member, symbol, parameters)                                                           \
  if (!find(library, #symbol, &cuda.member, sizeof cuda.member)) {                                 \
    printf("bench_cuda: skipped: the driver has no " #symbol "\n");                                \
    return false;                                                                                  \
  }
#define WANT(member, symbol, parameters)                                                           \
  has_graphs = find(library, #symbol, &cuda.member, sizeof cuda.member) && has_graphs;
  FUNCTIONS(NEED)
  GRAPH_FUNCTIONS(WANT)
#undef NEED
#undef WANT
  int device = 0;
  void *context = NULL;
  char name[128] = "";
  check(cuda.init(0), "cuInit");
  check(cuda.device_get(&device, 0), "cuDeviceGet");
  check(cuda.device_name(name, sizeof name, device), "cuDeviceGetName");
  check(cuda.primary_retain(&context, device), "cuDevicePrimaryCtxRetain");
  check(cuda.context_set(context), "cuCtxSetCurrent");
  check(cuda.stream_create(&stream, 1), "cuStreamCreate");
  check(cuda.event_create(&events[0], 0), "cuEventCreate");
  check(cuda.event_create(&events[1], 0), "cuEventCreate");
  printf("kvforge %s on %s\n", kvf_version(), name);
  return true;
}

/* ---- memory ------------------------------------------------------------------------------------
 */

/* Memory of one place that is kept from call to call. */
typedef struct arena {
  bench_place place;
  char *memory;
  size_t bytes;
} arena;

/* At least so many bytes of 0x3C, which is a valid small number in each dtype. */
static char *take(arena *from, size_t bytes) {
  uint64_t address = (uint64_t)(uintptr_t)from->memory;
  if (bytes > from->bytes) {
    if (from->place == BENCH_HOST) {
      void *memory = NULL;
      if (from->memory != NULL) {
        check(cuda.host_release(from->memory), "cuMemFreeHost");
      }
      check(cuda.host_alloc(&memory, bytes, 0), "cuMemHostAlloc");
      address = (uint64_t)(uintptr_t)memory;
    } else {
      if (from->memory != NULL) {
        check(cuda.release(address), "cuMemFree");
      }
      check(cuda.alloc(&address, bytes), "cuMemAlloc");
    }
    from->memory = (char *)(uintptr_t)address;
    from->bytes = bytes;
  }
  if (from->place == BENCH_HOST) {
    memset(from->memory, 0x3C, bytes);
  } else if (bytes > 0) {
    check(cuda.fill(address, 0x3C, bytes), "cuMemsetD8");
  }
  return from->memory;
}

static void store(bench_place place, void *to, const void *from, size_t bytes) {
  if (place == BENCH_HOST) {
    memcpy(to, from, bytes);
  } else {
    check(cuda.upload((uint64_t)(uintptr_t)to, from, bytes), "cuMemcpyHtoD");
  }
}

/* ---- time --------------------------------------------------------------------------------------
 */

/* Some work on the stream that is timed: everything that one round does. */
typedef struct work {
  void (*enqueue)(void *context);
  void *context;
  int32_t calls;
  bool captured;
} work;

/* Microseconds of each call: the median of the rounds, two more having warmed up. */
static double time_rounds(const work *w) {
  double rounds[BENCH_MAX_ROUNDS];
  void *graph = NULL;
  void *executable = NULL;
  if (w->captured) {
    check(cuda.capture_begin(stream, CAPTURE_RELAXED), "cuStreamBeginCapture");
    w->enqueue(w->context);
    check(cuda.capture_end(stream, &graph), "cuStreamEndCapture");
    check(cuda.graph_make(&executable, graph, 0), "cuGraphInstantiate");
  }
  for (int64_t round = -2; round < options.rounds; ++round) {
    check(cuda.event_record(events[0], stream), "cuEventRecord");
    if (w->captured) {
      check(cuda.graph_launch(executable, stream), "cuGraphLaunch");
    } else {
      w->enqueue(w->context);
    }
    check(cuda.event_record(events[1], stream), "cuEventRecord");
    check(cuda.stream_wait(stream), "waiting for the stream");
    float milliseconds = 0;
    check(cuda.event_elapsed(&milliseconds, events[0], events[1]), "cuEventElapsedTime");
    if (round >= 0) {
      rounds[round] = milliseconds * 1e3 / w->calls;
    }
  }
  if (w->captured) {
    check(cuda.executable_free(executable), "cuGraphExecDestroy");
    check(cuda.graph_free(graph), "cuGraphDestroy");
  }
  return bench_median(rounds, options.rounds);
}

/* ---- what calls are compared with --------------------------------------------------------------
 */

typedef struct copies {
  char *from;
  char *to;
  size_t each;
  int32_t count;
} copies;

static void enqueue_copies(void *context) {
  const copies *c = context;
  for (int32_t i = 0; i < c->count; ++i) {
    const size_t at = c->each * (size_t)i;
    check(cuda.copy_async((uint64_t)(uintptr_t)(c->to + at), (uint64_t)(uintptr_t)(c->from + at),
                          c->each, stream),
          "cuMemcpyAsync");
  }
}

static void enqueue_empty(void *context) {
  const int32_t *count = context;
  for (int32_t i = 0; i < *count; ++i) {
    check(cuda.launch(empty_kernel, 1, 1, 1, 32, 1, 1, 0, stream, NULL, NULL), "cuLaunchKernel");
  }
}

static arena plain[BENCH_PLACES] = {{.place = BENCH_NEAR}, {.place = BENCH_HOST}};

/* Microseconds of a copy of `bytes` bytes between two places. */
static double time_copies(bench_place from, bench_place to, size_t bytes, int32_t count,
                          bool captured) {
  const size_t each = (bytes + 15) / 16 * 16;
  const size_t all = each * (size_t)count;
  copies c = {.each = each, .count = count};
  if (from == to) {
    c.from = take(&plain[from], 2 * all);
    c.to = c.from + all;
  } else {
    c.from = take(&plain[from], all);
    c.to = take(&plain[to], all);
  }
  return time_rounds(&(work){enqueue_copies, &c, count, captured});
}

static void measure_device(void) {
  static const char code[] = ".version 7.0\n.target sm_80\n.address_size 64\n"
                             ".visible .entry empty() { ret; }\n";
  void *module = NULL;
  int32_t count = MAX_SETS;
  const int error = cuda.module_load(&module, code);
  if (error != 0) {
    printf("no empty kernel, since the driver can't compile one: CUDA error %d\n", error);
  } else {
    check(cuda.module_function(&empty_kernel, module, "empty"), "cuModuleGetFunction");
    empty_us = time_rounds(&(work){enqueue_empty, &count, count, true});
  }
  const size_t bytes = (size_t)256 << 20;
  best_rate = 2.0 * (double)bytes / time_copies(BENCH_NEAR, BENCH_NEAR, bytes, 4, true);
  printf("empty kernel in a graph: %.2f us; copy of 256 MiB: %.0f GB/s, read and written\n",
         empty_us, best_rate * 1e-3);
}

/* ---- the calls ---------------------------------------------------------------------------------
 */

typedef struct calls {
  bench_call *call;
  char *memory[BENCH_PLACES]; /* one set behind the other */
  int32_t count;
} calls;

static void select_set(const calls *c, int32_t set, char *memory[BENCH_PLACES]) {
  for (int i = 0; i < BENCH_PLACES; ++i) {
    memory[i] = c->memory[i] + c->call->set_bytes[i] * (size_t)set;
  }
}

static void enqueue_calls(void *context) {
  const calls *c = context;
  const kvf_exec exec = {
      .backend = KVF_CUDA, .stream = stream, .programmatic = options.programmatic};
  for (int32_t i = 0; i < c->count; ++i) {
    char *memory[BENCH_PLACES];
    select_set(c, i, memory);
    bench_place_in(c->call, memory);
    bench_make_call(c->call, &exec);
  }
}

/* Microseconds that a call should take at most, by how long a copy of its bytes takes. */
static double allowed_us(const bench_call *call, double copy_us) {
  if (call->aim == 0 || !has_graphs) {
    return 0;
  }
  if (call->transfer || call->tokens > 4096) {
    return copy_us / call->aim;
  }
  if (empty_us == 0) {
    return 0;
  }
  if (call->tokens <= 256) {
    return empty_us + (call->tokens == 1 ? 1.0 : 1.5);
  }
  return 1.25 * (empty_us + (double)call->moved / best_rate);
}

static double time_calls(void *context) {
  calls *c = context;
  return time_rounds(&(work){enqueue_calls, c, c->count, has_graphs && !c->call->transfer});
}

static void measure(bench_call *call) {
  static arena tensors[BENCH_PLACES] = {{.place = BENCH_NEAR}, {.place = BENCH_HOST}};
  calls c = {.call = call, .count = bench_sets(&options, call, MAX_SETS)};
  for (int i = 0; i < BENCH_PLACES; ++i) {
    c.memory[i] = take(&tensors[i], call->set_bytes[i] * (size_t)c.count);
  }
  for (int32_t set = 0; set < c.count; ++set) {
    char *memory[BENCH_PLACES];
    select_set(&c, set, memory);
    bench_fill(call, memory, store);
  }
  enqueue_calls(&c); /* loads the kernel */
  check(cuda.stream_wait(stream), "the first calls");
  if (bench_try(&options, call, time_calls, &c)) {
    return;
  }
  const double begin = bench_seconds();
  enqueue_calls(&c);
  const double host_us = (bench_seconds() - begin) / c.count * 1e6;
  check(cuda.stream_wait(stream), "the second calls");

  const bool captured = has_graphs && !call->transfer;
  const double us = time_calls(&c);
  const double copy_us = time_copies(call->from, call->to, call->moved / 2, c.count, captured);
  const double allowed = allowed_us(call, copy_us);
  bench_print_call(call);
  printf(" %7lld %9.2f %9.2f %9.0f %7.0f %% %9.2f %9.2f\n", (long long)call->tokens, us, copy_us,
         (double)call->moved / us * 1e-3, 100 * copy_us / us, allowed, host_us);
  fflush(stdout);
  char how[64];
  (void)snprintf(how, sizeof how, "%lld tokens, %.2f us", (long long)call->tokens, us);
  bench_note(call, how, copy_us / us, allowed > 0 ? copy_us / allowed : 0);
}

int main(int argc, char **argv) {
  bench_read_options(&options, argc, argv);
  if (!open_driver()) {
    return 0;
  }
  if (has_graphs) {
    measure_device();
  } else {
    printf("the driver has no graphs: times mean nothing\n");
  }
  printf("us: one call, graph replay, cold L2; copy: the driver's copy of as many bytes; at most: "
         "the aim, 0 for none; host: us of one call on the host\n\n"
         "%-38s %-8s %-19s %-19s %7s %9s %9s %9s %9s %9s %9s\n",
         "op", "scalar", "cache", "form", "tokens", "us", "copy us", "GB/s", "of copy", "at most",
         "host us");
  bench_run(&options, KVF_CUDA, measure);
  bench_print_misses();
  return 0;
}
