/*
 * Entry points of the CUDA driver that fail: each one, at each place in a call, once and for good.
 * In the emulated driver, and in a process that has not used CUDA itself: every case is a child of
 * its own, since a first use is one only once. Started by the cuda suite.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/cuda_driver.h"
#include "cuda_emulator/kvf_emulator.h"
#include "operands.h"
#include "small_call.h"

enum { CODE = 802, FOR_GOOD = 1000000, NOT_REACHED = 3 };
static const char code_text[] = "CUDA_ERROR_SYSTEM_NOT_READY (802)";

static const char *const entry_points[] = {
#define NAME(member, symbol, parameters) #symbol,
    KVF_CUDA_ENTRY_POINTS(NAME) KVF_CUDA_OPTIONAL_ENTRY_POINTS(NAME)
#undef NAME
};

static struct {
  void (*fail)(const char *function, unsigned skip, unsigned count, int code);
  unsigned (*failures)(void);
  void (*count)(kvf_emulator_counts *counts);
  void (*capture)(void *stream, int captured);
} emulator;

/* Finds the controls; opens no driver. */
static bool find_emulator(void) {
  const char *path = getenv("KVFORGE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  void *found[] = {library ? dlsym(library, "kvf_emulator_fail") : NULL,
                   library ? dlsym(library, "kvf_emulator_failures") : NULL,
                   library ? dlsym(library, "kvf_emulator_count") : NULL,
                   library ? dlsym(library, "kvf_emulator_capture") : NULL};
  memcpy(&emulator, found, sizeof emulator);
  if (emulator.fail == NULL) {
    skip_test("only the emulated driver fails when it is told to");
  }
  return emulator.fail != NULL;
}

/* ---- in a child
 * ---------------------------------------------------------------------------------- */

static char case_name[256];
static bool complained;

/* A child has no test of CUnit: it prints, and fails as a whole. */
static __attribute__((format(printf, 2, 3))) bool want(bool condition, const char *format, ...) {
  if (!condition) {
    char text[3072];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "%s: %s\n", case_name, text);
    complained = true;
  }
  return condition;
}

/* Runs `body` in a child of its own; the child's exit status. */
static int in_child(int (*body)(const void *), const void *argument) {
  (void)fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    const int status = body(argument);
    quick_exit(complained ? 1 : status);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
    return -1;
  }
  return WEXITSTATUS(status);
}

/* ---- the calls
 * ----------------------------------------------------------------------------------- */

enum { COPIES = 2050, TENSORS = 244, LAYERS = 130, PAGE = 16, SWAPS = 6, LENGTH = 384 };

/* What the calls of a child use. */
static struct {
  small_call small;
  buffer memory[2];
  buffer pinned; /* for calls that read the host's memory */
  kvf_exec exec;
  int64_t vectors[3][COPIES];
  int64_t shape[5];
  DLTensor tensors[TENSORS];
  const DLTensor *list[TENSORS];
} own;

static kvf_status run_prepare(void) { return kvf_prepare(own.small.variant, 0); }

static kvf_status run_small(void) {
  own.small.exec = &own.exec;
  return small_run(&own.small);
}

static kvf_status run_early(void) {
  own.exec.programmatic = true;
  return run_small();
}

static kvf_status run_count(void) {
  int32_t count = 0;
  return kvf_cuda_device_count(&count);
}

static kvf_status run_faults(void) {
  uint64_t count = 0;
  const kvf_status status = kvf_cuda_fault_count(0, &count);
  return status == KVF_OK ? kvf_cuda_clear_faults(0, NULL) : status;
}

/* A vector or matrix in host or device memory. */
static DLTensor dense(void *data, DLDeviceType place, DLDataType dtype, int32_t rank,
                      int64_t *shape) {
  return (DLTensor){
      .data = data, .device = {place, 0}, .ndim = rank, .dtype = dtype, .shape = shape};
}

static kvf_status run_batch(void) {
  DLTensor vectors[3];
  own.shape[0] = COPIES;
  for (int i = 0; i < 3; ++i) {
    vectors[i] = dense(own.vectors[i], kDLCPU, dl_dtype(KVF_B8), 1, own.shape);
    vectors[i].dtype = (DLDataType){kDLInt, 64, 1};
  }
  for (int64_t i = 0; i < COPIES; ++i) { /* backwards: no two are one range */
    own.vectors[0][i] = (int64_t)(uintptr_t)own.memory[0].place + PAGE * (COPIES - 1 - i);
    own.vectors[1][i] = (int64_t)(uintptr_t)own.memory[1].place + PAGE * (COPIES - 1 - i);
    own.vectors[2][i] = PAGE - i % 2; /* nor pages that a kernel copies */
  }
  return kvf_swap_blocks_batch(&own.exec, &vectors[0], &vectors[1], &vectors[2], false);
}

/* Within one memory, each pair from what the one before has written: as many submissions. */
static kvf_status run_swaps(void) {
  static int64_t pairs[SWAPS][2];
  int64_t shape[2] = {SWAPS, 2};
  own.shape[0] = COPIES * PAGE;
  for (int64_t i = 0; i < SWAPS; ++i) {
    pairs[i][0] = 2 * i;
    pairs[i][1] = 2 * i + 2;
  }
  DLTensor cache = dense(own.memory[0].place, kDLCUDA, dl_dtype(KVF_B8), 1, own.shape);
  const DLTensor mapping = dense(pairs, kDLCPU, (DLDataType){kDLInt, 64, 1}, 2, shape);
  return kvf_swap_blocks(&own.exec, &cache, &cache, PAGE, &mapping);
}

/* Tensors of 4 pages in the first memory; the second one holds block numbers. */
static void list_tensors(int count) {
  own.shape[0] = 4;
  own.shape[1] = PAGE;
  for (int i = 0; i < count; ++i) {
    own.tensors[i] = dense((char *)own.memory[0].place + (ptrdiff_t)4 * PAGE * i, kDLCUDA,
                           dl_dtype(KVF_B8), 2, own.shape);
    own.list[i] = &own.tensors[i];
  }
}

static kvf_status run_copies_of_pages(void) {
  int64_t shape[2] = {1, 2};
  list_tensors(TENSORS);
  const DLTensor mapping =
      dense(own.memory[1].place, kDLCUDA, (DLDataType){kDLInt, 64, 1}, 2, shape);
  return kvf_copy_blocks_mla(&own.exec, own.list, TENSORS, &mapping);
}

static kvf_status run_zeros(void) {
  int64_t shape[1] = {1};
  list_tensors(TENSORS);
  const DLTensor ids = dense(own.memory[1].place, kDLCUDA, (DLDataType){kDLInt, 64, 1}, 1, shape);
  return kvf_zero_blocks(&own.exec, own.list, TENSORS, &ids);
}

/* One token of one head of 8 elements, and caches of one page of one token. */
static kvf_status run_layers(void) {
  const kvf_dtype scalar = kvf_scalar_of(own.small.variant);
  int64_t one[1] = {1};
  int64_t sources[4] = {LAYERS, 1, 1, 8};
  int64_t shape[4] = {1, 1, 1, 8};
  char *const pages = own.memory[0].place;
  for (int i = 0; i < LAYERS; ++i) {
    own.tensors[i] = dense(pages + (ptrdiff_t)64 * i, kDLCUDA, dl_dtype(scalar), 4, shape);
    own.list[i] = &own.tensors[i];
  }
  const DLTensor key = dense(pages + 16384, kDLCUDA, dl_dtype(scalar), 4, sources);
  const DLTensor slots = dense(own.memory[1].place, kDLCUDA, (DLDataType){kDLInt, 64, 1}, 1, one);
  int64_t scales_shape[1] = {LAYERS};
  const DLTensor scales = dense(pages + 32000, kDLCUDA, dl_dtype(KVF_F32), 1, scales_shape);
  return kvf_reshape_and_cache_flash_layers(&own.exec, &key, &key, own.list, LAYERS, own.list,
                                            LAYERS, &slots, "auto", &scales, &scales, NULL);
}

/* Row 0 of the host's memory becomes page 1 of the first memory; the second one has 0 and 1. */
static kvf_status run_host_rows(void) {
  int64_t pool_shape[2] = {1, PAGE};
  int64_t pages_shape[3] = {4, 1, PAGE};
  int64_t one[2] = {1, 1};
  const DLDataType i32 = {kDLInt, 32, 1};
  char *const numbers = own.memory[1].place;
  const DLTensor pool = dense(own.pinned.place, kDLCPU, dl_dtype(KVF_B8), 2, pool_shape);
  DLTensor pages = dense(own.memory[0].place, kDLCUDA, dl_dtype(KVF_B8), 3, pages_shape);
  const DLTensor global = dense(numbers, kDLCUDA, i32, 2, one);
  const DLTensor hot = dense(numbers + 8, kDLCUDA, i32, 2, one);
  const DLTensor count = dense(numbers + 8, kDLCUDA, i32, 1, one);
  return kvf_hisparse_gather_compact(&own.exec, &pool, &pages, &global, &hot, &count);
}

/* A reference to row 1 of a pool, and so many slots that a thread block needs shared memory which
 * the kernel has to ask for. What rows the slots have is in the first memory: any. */
static kvf_status run_shared(void) {
  enum { SLOTS = 4096, ORDER = 4 * SLOTS, RESULT = ORDER + 2 * SLOTS };
  static uint8_t pool_rows[2][PAGE];
  int64_t pool_shape[2] = {2, PAGE};
  int64_t pages_shape[3] = {1, SLOTS, PAGE};
  int64_t states_shape[2] = {1, SLOTS};
  int64_t one[2] = {1, 1};
  const DLDataType i32 = {kDLInt, 32, 1};
  char *const bytes = own.memory[0].place;
  char *const numbers = own.memory[1].place;
  const DLTensor pool = dense(pool_rows, kDLCPU, dl_dtype(KVF_B8), 2, pool_shape);
  DLTensor pages = dense(bytes, kDLCUDA, dl_dtype(KVF_B8), 3, pages_shape);
  const DLTensor table = dense(numbers, kDLCUDA, i32, 2, one);
  const DLTensor references = dense(numbers + 8, kDLCUDA, i32, 2, one);
  DLTensor held = dense(bytes, kDLCUDA, i32, 2, states_shape);
  DLTensor order = dense(bytes + ORDER, kDLCUDA, (DLDataType){kDLInt, 16, 1}, 2, states_shape);
  DLTensor places = dense(bytes + RESULT, kDLCUDA, i32, 2, one);
  DLTensor resolved = dense(bytes + RESULT + 8, kDLCUDA, i32, 2, one);
  return kvf_hisparse_resolve_residency(
      &own.exec, &pool, &pages, &table, &references, &places, &held, &order, NULL, SLOTS, SLOTS,
      NULL, NULL, NULL, 0, NULL, NULL, 0, &resolved, NULL, NULL, NULL, NULL, NULL, 0, 0);
}

/* One token of a sequence that is long enough for splits, in the library's own workspace. Bytes are
 * any; its length is behind the block numbers. */
static kvf_status run_attention(void) {
  enum { HEAD = 8 };
  const DLDataType scalar = dl_dtype(kvf_scalar_of(own.small.variant));
  const DLDataType i32 = {kDLInt, 32, 1};
  int64_t one[3] = {1, 1, HEAD};
  int64_t caches[4] = {1, LENGTH, 1, HEAD};
  int64_t two[1] = {2};
  int64_t apart[1] = {2}; /* 0 and 1, of 64 bits */
  char *const bytes = own.memory[0].place;
  char *const numbers = own.memory[1].place;
  DLTensor out = dense(bytes, kDLCUDA, scalar, 3, one);
  const DLTensor query = dense(bytes + 256, kDLCUDA, scalar, 3, one);
  const DLTensor pages = dense(bytes + 512, kDLCUDA, scalar, 4, caches);
  DLTensor starts = dense(numbers, kDLCUDA, i32, 1, two);
  starts.strides = apart;
  const DLTensor lengths = dense(numbers + 16, kDLCUDA, i32, 1, one);
  const DLTensor table = dense(numbers, kDLCUDA, (DLDataType){kDLInt, 64, 1}, 2, one);
  const DLTensor scale = dense(bytes, kDLCUDA, dl_dtype(KVF_F32), 1, one);
  return kvf_paged_attention(&own.exec, &out, &query, &pages, &pages, &starts, &lengths, &table, 1,
                             "auto", &scale, &scale, true, -1, -1, 0, NULL, NULL, false, 1, NULL,
                             NULL);
}

enum { ON_DEFAULT, ON_OWN, CAPTURED };

typedef struct work {
  const char *name;
  kvf_status (*run)(void);
  const kvf_op *op; /* NULL: of the small call */
  int stream;
  unsigned long long operations; /* that it enqueues */
  unsigned libraries;            /* that it loads */
} work;

static const work works[] = {
    {"kvf_prepare", run_prepare, NULL, ON_DEFAULT, 0, 1},
    {"kvf_cuda_device_count", run_count, NULL, ON_DEFAULT, 0, 0},
    {"fault count", run_faults, NULL, ON_DEFAULT, 0, 0},
    {"launch", run_small, NULL, ON_OWN, 1, 1},
    {"captured launch", run_small, NULL, CAPTURED, 1, 1},
    {"programmatic launch", run_early, NULL, ON_OWN, 1, 1},
    {"layers", run_layers, &kvf_op_reshape_and_cache_flash_layers, ON_DEFAULT, 2, 1},
    {"copies of pages", run_copies_of_pages, &kvf_op_copy_blocks_mla, ON_DEFAULT, 2, 1},
    {"zeros", run_zeros, &kvf_op_zero_blocks, ON_DEFAULT, 2, 1},
    {"batch", run_batch, &kvf_op_swap_blocks_batch, ON_OWN, COPIES, 0},
    {"single copies", run_batch, &kvf_op_swap_blocks_batch, ON_DEFAULT, COPIES, 0},
    {"captured copies", run_batch, &kvf_op_swap_blocks_batch, CAPTURED, COPIES, 0},
    {"swaps", run_swaps, &kvf_op_swap_blocks, ON_OWN, SWAPS, 0},
    {"host rows", run_host_rows, &kvf_op_hisparse_gather_compact, ON_OWN, 1, 1},
    {"shared memory", run_shared, &kvf_op_hisparse_resolve_residency, ON_OWN, 1, 1},
    {"splits", run_attention, &kvf_op_paged_attention, ON_OWN, 2, 1},
    {"captured splits", run_attention, &kvf_op_paged_attention, CAPTURED, 2, 1},
};

typedef struct fault_case {
  const work *what;
  const char *entry;
  unsigned skip;
  bool for_good;
  bool in_context; /* else the calling thread has none */
  bool warm;       /* not the first call of the process */
} fault_case;

/* What an error says is on the stream. */
static unsigned long long claimed(const work *what, const char *message) {
  const char *elements = strstr(message, "enqueued: elements 0 to ");
  if (elements != NULL) {
    return strtoull(elements + strlen("enqueued: elements 0 to "), NULL, 10) + 1;
  }
  /* The second of two launches has failed, or what came after the only or second one. */
  const unsigned long long before =
      strstr(message, "enqueued: ") != NULL && strstr(message, "enqueued: nothing") == NULL ? 1 : 0;
  return before + (what->operations > 0 && strstr(message, "launched all the same") != NULL);
}

/* The name without the version of the entry point. */
static bool names_entry(const char *message, const char *entry) {
  char name[64];
  (void)snprintf(name, sizeof name, "%s", entry);
  char *const version = strstr(name, "_v");
  if (version != NULL) {
    *version = '\0';
  }
  return strstr(message, name) != NULL && strstr(message, code_text) != NULL;
}

static unsigned long long enqueued(void) {
  kvf_emulator_counts now;
  emulator.count(&now);
  return now.work;
}

static void set_up(const work *what, bool in_context) {
  const char *why = memory_open(KVF_CUDA);
  if (!want(why == NULL, "%s", why)) {
    return;
  }
  void *stream = NULL;
  const kvf_variant *variant = small_variant(KVF_CUDA);
  small_make(&own.small, variant, 5, 1);
  for (int i = 0; i < 2; ++i) {
    own.memory[i] = buffer_make(KVF_CUDA, (size_t)COPIES * PAGE, (uint64_t)i + 1);
  }
  if (what->run == run_host_rows) {
    own.pinned = buffer_make_pinned(PAGE, 3);
    buffer_upload(&own.pinned);
  }
  if (what->stream != ON_DEFAULT) {
    (void)cuda.stream_create(&stream, 1);
  }
  if (what->run != run_batch) { /* block numbers: 0, 1, ... */
    const int64_t numbers[] = {0, 1, LENGTH};
    memcpy(own.memory[1].expected, numbers, sizeof numbers);
    buffer_upload(&own.memory[1]);
  }
  own.exec = (kvf_exec){.backend = KVF_CUDA, .stream = stream};
  (void)memory_synchronize(KVF_CUDA);
  if (what->stream == CAPTURED) {
    emulator.capture(stream, 1);
  }
  if (!in_context) {
    (void)cuda.context_set(NULL);
  }
}

/* The bytes of a call that went well. */
static bool all_right(const work *what) {
  const uint8_t *first = buffer_contents(&own.memory[0]);
  const uint8_t *second = buffer_contents(&own.memory[1]);
  if (what->run == run_batch) {
    return memcmp(first, second, (size_t)COPIES * PAGE) == 0;
  }
  bool right = (what->run != run_small && what->run != run_early) || small_check(&own.small);
  if (what->run == run_host_rows) {
    right = memcmp(first + PAGE, own.pinned.place, PAGE) == 0;
  }
  if (what->run == run_shared) {
    static const int32_t row = 1;
    right = memcmp(first + 6 * 4096 + 8, &row, sizeof row) == 0;
  }
  for (int64_t i = 0; what->run == run_swaps && i < SWAPS; ++i) {
    right = right && memcmp(first, first + (2 * i + 2) * PAGE, PAGE) == 0;
  }
  for (int64_t i = 0; what->run == run_copies_of_pages && i < TENSORS; ++i) {
    right = right && memcmp(first + 4 * PAGE * i, first + (4 * i + 1) * PAGE, PAGE) == 0;
  }
  static const uint8_t zeros[PAGE];
  for (int64_t i = 0; what->run == run_zeros && i < TENSORS; ++i) {
    right = right && memcmp(first + 4 * PAGE * i, zeros, PAGE) == 0;
  }
  for (int64_t i = 0; what->run == run_layers && i < LAYERS; ++i) {
    const int64_t bytes = kvf_dtype_bits(kvf_scalar_of(own.small.variant));
    right = right && memcmp(first + 64 * i, first + 16384 + bytes * i, (size_t)bytes) == 0;
  }
  return right;
}

/* Of an entry point whose failure is no error: memory without which a call is one launch. */
static bool is_spared(const char *entry) { return strcmp(entry, "cuMemAlloc_v2") == 0; }

/* One failing call: its status, its sentence, and what it leaves behind. */
static void run_failing(const fault_case *given, const kvf_emulator_counts *before) {
  const work *what = given->what;
  void *context = NULL;
  void *context_after = NULL;
  (void)cuda.context_current(&context);
  const unsigned long long work_before = enqueued();
  emulator.fail(given->entry, given->skip, given->for_good ? FOR_GOOD : 1, CODE);
  const kvf_status status = what->run();
  const unsigned failures = emulator.failures();
  emulator.fail(NULL, 0, 0, 0);
  const char *message = status == KVF_OK ? "" : kvf_last_error();
  if (failures == 0 && status == KVF_OK) {
    quick_exit(complained ? 1 : NOT_REACHED);
  }
  const bool opening =
      strcmp(given->entry, "cuInit") == 0 || strcmp(given->entry, "cuDeviceGetCount") == 0;
  want(status == KVF_OK || status == (opening ? KVF_NO_DEVICE : KVF_CUDA_ERROR), "%s: %s",
       kvf_status_name(status), message);
  want(status == KVF_OK || names_entry(message, given->entry), "the sentence is '%s'", message);
  const unsigned long long got = enqueued() - work_before;
  const unsigned long long told = status != KVF_OK          ? claimed(what, message)
                                  : is_spared(given->entry) ? 1
                                                            : what->operations;
  want(got == told, "%llu operations are on the stream, told %llu (%s)", got, told, message);

  kvf_emulator_counts after;
  emulator.count(&after);
  const bool pop = given->for_good && strcmp(given->entry, "cuCtxPopCurrent_v2") == 0;
  if (pop && after.depth > before->depth) { /* cannot be otherwise, but it is told */
    want(status == KVF_CUDA_ERROR, "another context stays current, without a word");
    (void)cuda.context_set(NULL);
    --after.depth;
  }
  (void)cuda.context_current(&context_after);
  want(after.depth == before->depth && context_after == context, "the current context is another");
  const bool exchange =
      given->for_good && strcmp(given->entry, "cuThreadExchangeStreamCaptureMode") == 0;
  want(after.capture_mode == before->capture_mode || (exchange && status == KVF_CUDA_ERROR),
       "the capture mode is %d, was %d", after.capture_mode, before->capture_mode);
}

static int run_case(const void *argument) {
  const fault_case *given = argument;
  const work *what = given->what;
  kvf_emulator_counts before;
  kvf_emulator_counts after;
  set_up(what, given->in_context);
  emulator.count(&before);
  if (given->warm) {
    want(what->run() == KVF_OK, "the first call: %s", kvf_last_error());
  }
  for (int i = 0; i < (given->for_good ? 3 : 1); ++i) {
    run_failing(given, &before);
  }
  if (what->stream == CAPTURED) {
    emulator.capture(own.exec.stream, 0);
  }
  if (is_spared(given->entry)) { /* else one of 1,024 calls tries again */
    want(kvf_cuda_free_workspaces(0) == KVF_OK, "%s", kvf_last_error());
  }
  const unsigned long long work_before = enqueued();
  want(what->run() == KVF_OK, "the next call: %s", kvf_last_error());
  want(enqueued() - work_before == what->operations, "the next call: %llu operations, want %llu",
       enqueued() - work_before, what->operations);
  emulator.count(&after);
  want(after.libraries - before.libraries <= what->libraries, "%u libraries stay loaded, want %u",
       after.libraries - before.libraries, what->libraries);
  want(after.retained - before.retained <= 1, "the context is retained %u times",
       after.retained - before.retained);
  want(after.pinned - before.pinned <= 1, "%u pinned allocations", after.pinned - before.pinned);
  if (!given->in_context) {
    void *home = NULL;
    (void)cuda.primary_retain(&home, 0);
    (void)cuda.context_set(home);
  }
  const char *wrong = memory_synchronize(KVF_CUDA);
  want(wrong == NULL, "%s", wrong ? wrong : "");
  want(all_right(what), "wrong bytes");
  return 0;
}

/* ---- every entry point
 * --------------------------------------------------------------------------- */

/* Whether the call has got to the entry point so often. */
static bool run_one(const fault_case *given) {
  (void)snprintf(case_name, sizeof case_name, "%s: %s fails %s after %u, %s context, %s call",
                 given->what->name, given->entry, given->for_good ? "for good" : "once",
                 given->skip, given->in_context ? "in a" : "in no",
                 given->warm ? "later" : "first");
  const int status = in_child(run_case, given);
  if (status == NOT_REACHED) {
    return false;
  }
  EXPECT(status == 0, "%s: exit status %d", case_name, status);
  count_case(NULL);
  return true;
}

static void walk(const work *what, const char *entry) {
  static const unsigned places[] = {0, 1, 2, 3, 4, 5, 6, 7, COPIES - 1};
  for (int kind = 0; kind < 4; ++kind) {
    for (size_t i = 0; i < TEST_COUNT(places); ++i) {
      fault_case given = {.what = what,
                          .entry = entry,
                          .skip = places[i],
                          .in_context = (kind & 1) != 0,
                          .warm = (kind & 2) != 0};
      if (!run_one(&given)) {
        break;
      }
      given.for_good = true;
      (void)run_one(&given);
    }
  }
}

static bool is_built(const work *what) {
  const kvf_op *op = what->op;
  for (int32_t i = 0; op != NULL && i < op->num_variants; ++i) {
    if (op->variants[i].backend == KVF_CUDA && kvf_variant_built(&op->variants[i])) {
      return true;
    }
  }
  return op == NULL;
}

static void test_each_entry_point(void) {
  if (!find_emulator() || small_variant(KVF_CUDA) == NULL) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(works); ++i) {
    if (!is_built(&works[i])) {
      skip_part("%s is not built", works[i].op->name);
      continue;
    }
    for (size_t k = 0; k < TEST_COUNT(entry_points); ++k) {
      walk(&works[i], entry_points[k]);
    }
  }
}

/* ---- several at once
 * ------------------------------------------------------------------------------ */

/* A second entry point fails while an error is dealt with: the first one is told. */
static int run_pair(const void *argument) {
  const char *const *names = argument;
  kvf_emulator_counts before;
  kvf_emulator_counts after;
  set_up(&works[3], true);
  emulator.count(&before);
  for (int i = 0; i < 2; ++i) {
    emulator.fail(names[i], 0, FOR_GOOD, CODE);
  }
  const kvf_status status = run_small();
  emulator.fail(NULL, 0, 0, 0);
  want(status == KVF_CUDA_ERROR && strstr(kvf_last_error(), names[0]) != NULL &&
           strstr(kvf_last_error(), names[2]) != NULL,
       "%s (%s), want %s and %s", kvf_status_name(status), kvf_last_error(), names[0], names[2]);
  want(run_small() == KVF_OK, "the next call: %s", kvf_last_error());
  emulator.count(&after);
  want(after.capture_mode == before.capture_mode && after.depth == before.depth,
       "mode %d, depth %u", after.capture_mode, after.depth);
  return 0;
}

static void test_pairs(void) {
  if (!find_emulator() || small_variant(KVF_CUDA) == NULL) {
    return;
  }
  static const char *const pairs[][3] = {
      {"cuLaunchKernel", "cuGetErrorName", "unknown error (802)"},
      {"cuLibraryGetKernel", "cuLibraryUnload", code_text},
      {"cuMemHostAlloc", "cuGetErrorName", "unknown error (802)"},
  };
  for (size_t i = 0; i < TEST_COUNT(pairs); ++i) {
    (void)snprintf(case_name, sizeof case_name, "%s and %s fail", pairs[i][0], pairs[i][1]);
    EXPECT(in_child(run_pair, pairs[i]) == 0, "%s", case_name);
    count_case(NULL);
  }
}

/* Where the driver has batches but cannot make this one, each copy is one of its own. */
static int run_without_batches(const void *argument) {
  (void)argument;
  const work *what = &works[9];
  set_up(what, true);
  emulator.fail("cuMemcpyBatchAsync_v2", 0, FOR_GOOD, CUDA_NOT_SUPPORTED);
  want(what->run() == KVF_OK && emulator.failures() > 0, "%s", kvf_last_error());
  emulator.fail(NULL, 0, 0, 0);
  want(memory_synchronize(KVF_CUDA) == NULL && all_right(what), "wrong bytes");
  return 0;
}

static void test_without_batches(void) {
  if (find_emulator() && small_variant(KVF_CUDA) != NULL) {
    EXPECT(in_child(run_without_batches, NULL) == 0, "copies where batches are not supported");
    count_case(NULL);
  }
}

/* ---- threads and processes
 * ------------------------------------------------------------------------ */

/* Calls until the driver is there. */
static void *open_at_last(void *given) {
  int32_t count = 0;
  int *const refused = given;
  while (kvf_cuda_device_count(&count) != KVF_OK && *refused < 1000) {
    ++*refused;
  }
  return NULL;
}

/* An error passes while eight threads need the driver: as many calls are refused as fail. */
static int run_race(const void *argument) {
  enum { THREADS = 8, FAILING = 50 };
  pthread_t threads[THREADS];
  int refused[THREADS] = {0};
  int sum = 0;
  emulator.fail(argument, 0, FAILING, CODE);
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_create(&threads[i], NULL, open_at_last, &refused[i]);
  }
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_join(threads[i], NULL);
    sum += refused[i];
  }
  want(sum == FAILING, "%d calls were refused, want %d", sum, FAILING);
  return 0;
}

static void test_opening_race(void) {
  if (!find_emulator()) {
    return;
  }
  static const char *const names[] = {"cuInit", "cuDeviceGetCount"};
  for (size_t i = 0; i < TEST_COUNT(names); ++i) {
    (void)snprintf(case_name, sizeof case_name, "%s fails in eight threads", names[i]);
    EXPECT(in_child(run_race, names[i]) == 0, "%s", case_name);
    count_case(NULL);
  }
}

/* In a child of fork(): every call that needs the driver says why there is none. */
static int run_forked(const void *argument) {
  uint64_t faults = 7;
  int32_t count = 7;
  const char *part = argument;
  const kvf_status status[] = {kvf_cuda_device_count(&count), kvf_cuda_fault_count(0, &faults),
                               kvf_cuda_clear_faults(0, &faults), run_small()};
  for (size_t i = 0; i < TEST_COUNT(status); ++i) {
    want(status[i] == KVF_NO_DEVICE, "call %zu in a forked child: %s", i,
         kvf_status_name(status[i]));
  }
  want(strstr(kvf_last_error(), "forked from one") != NULL &&
           strstr(kvf_last_error(), part) != NULL && count == 7 && faults == 7,
       "in a forked child: %s, want '%s'", kvf_last_error(), part);
  return 0;
}

static int run_forking(const void *argument) {
  const bool used = argument != NULL; /* else only the program has initialised the driver */
  set_up(&works[3], true);
  want(!used || run_small() == KVF_OK, "%s", kvf_last_error());
  want(in_child(run_forked, used ? "opened" : "cuInit") == 0, "the child has failed");
  want(run_small() == KVF_OK && memory_synchronize(KVF_CUDA) == NULL && small_check(&own.small),
       "the parent: %s", kvf_last_error());
  return 0;
}

static void test_fork(void) {
  if (!find_emulator() || small_variant(KVF_CUDA) == NULL) {
    return;
  }
  (void)snprintf(case_name, sizeof case_name, "fork after the first use");
  EXPECT(in_child(run_forking, "used") == 0, "%s", case_name);
  (void)snprintf(case_name, sizeof case_name, "fork after the program's own use");
  EXPECT(in_child(run_forking, NULL) == 0, "%s", case_name);
  count_case(NULL);
}

CU_TestInfo driver_faults_tests[] = {
    {"each entry point", test_each_entry_point},
    {"two entry points", test_pairs},
    {"no batches", test_without_batches},
    {"a passing error while threads open the driver", test_opening_race},
    {"fork", test_fork},
    CU_TEST_INFO_NULL,
};
