/* The CUDA backend among contexts, streams, devices and graphs of other libraries. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_emulator/kvf_emulator.h"
#include "graphs.h"
#include "small_call.h"

enum { NON_BLOCKING = 1 };

static const kvf_variant *begin(void) { return need_backend() ? small_variant(KVF_CUDA) : NULL; }

#define EXPECT_CUDA(call) expect_cuda((call), __LINE__, #call)
static bool expect_cuda(int code, int line, const char *what) {
  return expect(code == 0, __FILE__, line, "%s: %s", what, cuda_error(code));
}

static void *current_context(void) {
  void *context = NULL;
  EXPECT_CUDA(cuda.context_current(&context));
  return context;
}

/* After a call: the context is the one from before, and in `home` the bytes are right. */
static void finish(small_call *call, kvf_status status, const void *before, void *home,
                   const char *what) {
  EXPECT(status == KVF_OK, "%s: %s: %s", what, kvf_status_name(status), kvf_last_error());
  EXPECT(current_context() == before, "%s: the current context has changed", what);
  EXPECT_CUDA(cuda.context_set(home));
  const char *wrong = memory_synchronize(KVF_CUDA);
  EXPECT(wrong == NULL, "%s: %s", what, wrong);
  EXPECT(small_check(call), "%s: wrong bytes", what);
  count_case(call->variant);
}

/* ---- streams
 * ------------------------------------------------------------------------------------- */

/* Inputs arrive on the stream before the call and are destroyed on it after the call. */
static void test_stream_order(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  void *stream = NULL;
  void *pinned = NULL;
  small_call call;
  small_make(&call, variant, 40, options.seed);
  const buffer *key = &call.memory[SMALL_KEY];
  const uint64_t address = (uint64_t)(uintptr_t)key->place;
  EXPECT_CUDA(cuda.stream_create(&stream, NON_BLOCKING));
  EXPECT_CUDA(cuda.host_alloc(&pinned, key->size, 0));
  memcpy(pinned, key->expected, key->size);
  const kvf_exec exec = {.backend = KVF_CUDA, .stream = stream};
  call.exec = &exec;

  EXPECT_CUDA(cuda.set_async(address, 0, key->size, stream));
  EXPECT_CUDA(cuda.upload_async(address, pinned, key->size, stream));
  EXPECT_STATUS(small_run(&call), KVF_OK);
  EXPECT_CUDA(cuda.set_async(address, 0x55, key->size, stream));
  EXPECT_CUDA(cuda.stream_synchronize(stream));
  EXPECT_CUDA(cuda.upload(address, key->expected, key->size));
  EXPECT(small_check(&call), "the call did not run in the order of its stream");
  small_free(&call);
  EXPECT_CUDA(cuda.host_free(pinned));
  EXPECT_CUDA(cuda.stream_destroy(stream));
  count_case(variant);
}

/* The default stream waits for nobody to ask: two calls in a row see each other's results. */
static void test_default_stream(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  small_call call;
  small_make(&call, variant, 40, options.seed);
  const kvf_exec exec = {.backend = KVF_CUDA};
  call.exec = &exec;
  EXPECT_STATUS(small_run(&call), KVF_OK);
  finish(&call, small_run(&call), current_context(), current_context(), "default stream");
  small_free(&call);
}

/* ---- contexts
 * ------------------------------------------------------------------------------------ */

static void test_no_context(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  void *home = current_context();
  small_call call;
  small_make(&call, variant, 5, options.seed);
  EXPECT_CUDA(cuda.context_set(NULL));
  finish(&call, small_run(&call), NULL, home, "no context");
  small_free(&call);
}

static void test_own_context(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  void *home = current_context();
  void *own = NULL;
  if (!EXPECT_CUDA(cuda.context_create(&own, 0, 0))) {
    return;
  }
  for (int i = 0; i < 2; ++i) { /* the second call finds everything loaded */
    small_call call;
    small_make(&call, variant, 5, options.seed);
    finish(&call, small_run(&call), own, own, "a context of cuCtxCreate");
    small_free(&call);
  }
  EXPECT_CUDA(cuda.context_destroy(own));
  EXPECT_CUDA(cuda.context_set(home));
  small_call call;
  small_make(&call, variant, 5, options.seed);
  finish(&call, small_run(&call), home, home, "after the context is gone");
  small_free(&call);
}

static void test_two_devices(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  if (cuda.num_devices < 2) {
    skip_test("one device");
    return;
  }
  void *home = current_context();
  void *other = NULL;
  int device = 0;
  EXPECT_CUDA(cuda.device_get(&device, 1));
  EXPECT_CUDA(cuda.primary_retain(&other, device));
  for (int i = 0; i < 4; ++i) {
    /* Device 1 while the context of 0, 1 or none is current. */
    void *const contexts[] = {home, other, NULL, home};
    static const char *const words[] = {"device 1 in context 0", "device 1 in context 1",
                                        "device 1 in no context", "and again"};
    small_call call;
    EXPECT_CUDA(cuda.context_set(other));
    small_make(&call, variant, 20, options.seed);
    call.device = 1;
    const int64_t far = 1 << 20;
    memcpy(call.memory[SMALL_SLOTS].expected + 8 * 19, &far, 8); /* one fault, on device 1 */
    buffer_upload(&call.memory[SMALL_SLOTS]);
    call.tokens = 19; /* the one that small_check() must not look for */
    uint64_t before[2] = {0};
    uint64_t after[2] = {0};
    for (int k = 0; k < 2; ++k) {
      EXPECT_STATUS(kvf_cuda_fault_count(k, &before[k]), KVF_OK);
    }
    EXPECT_CUDA(cuda.context_set(contexts[i]));
    finish(&call, small_run(&call), contexts[i], other, words[i]);
    for (int k = 0; k < 2; ++k) {
      EXPECT_STATUS(kvf_cuda_fault_count(k, &after[k]), KVF_OK);
    }
    EXPECT(after[0] == before[0] && after[1] == before[1] + 1,
           "%s: faults rose by %llu and %llu, want 0 and 1", words[i],
           (unsigned long long)(after[0] - before[0]), (unsigned long long)(after[1] - before[1]));
    small_free(&call);
  }
  EXPECT_STATUS(kvf_cuda_clear_faults(1, NULL), KVF_OK);
  EXPECT_CUDA(cuda.context_set(home));
}

/* ---- fault counts
 * -------------------------------------------------------------------------------- */

enum { CLEARERS = 4 };
static _Atomic(bool) still_counting;

/* Clears for as long as there are calls; the sum of what it got. */
static void *clear_all_along(void *given) {
  uint64_t *const sum = given;
  do {
    uint64_t cleared = 0;
    uint64_t count = 0;
    if (kvf_cuda_fault_count(0, &count) != KVF_OK || count > 1000000 ||
        kvf_cuda_clear_faults(0, &cleared) != KVF_OK) {
      *sum = UINT64_MAX / 2;
      return NULL;
    }
    *sum += cleared;
  } while (atomic_load(&still_counting));
  return NULL;
}

/* Faults are counted by the device and cleared by threads, and none is lost or told twice. */
static void test_clearing_race(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  enum { CALLS = 300, BAD = 2000 };
  pthread_t threads[CLEARERS];
  uint64_t sums[CLEARERS] = {0};
  uint64_t sum = 0;
  const int64_t far = 1 << 20;
  small_call call;
  small_make(&call, variant, BAD, options.seed);
  for (int64_t i = 0; i < BAD; ++i) {
    memcpy(call.memory[SMALL_SLOTS].expected + 8 * i, &far, 8);
  }
  buffer_upload(&call.memory[SMALL_SLOTS]);
  EXPECT_STATUS(kvf_cuda_clear_faults(0, NULL), KVF_OK);
  atomic_store(&still_counting, true);
  for (int i = 0; i < CLEARERS; ++i) {
    EXPECT(pthread_create(&threads[i], NULL, clear_all_along, &sums[i]) == 0, "pthread_create");
  }
  for (int i = 0; i < CALLS; ++i) {
    EXPECT_STATUS(small_run(&call), KVF_OK);
    const char *wrong = memory_synchronize(KVF_CUDA);
    EXPECT(wrong == NULL, "%s", wrong);
  }
  atomic_store(&still_counting, false);
  for (int i = 0; i < CLEARERS; ++i) {
    (void)pthread_join(threads[i], NULL);
    sum += sums[i];
  }
  uint64_t rest = 7;
  EXPECT_STATUS(kvf_cuda_fault_count(0, &rest), KVF_OK);
  EXPECT(sum + rest == CALLS * BAD, "%llu faults were cleared and %llu are left, want %d in all",
         (unsigned long long)sum, (unsigned long long)rest, CALLS * BAD);
  EXPECT_STATUS(kvf_cuda_clear_faults(0, NULL), KVF_OK);
  small_free(&call);
  count_case(variant);
}

/* ---- devices
 * ------------------------------------------------------------------------------------- */

static void test_devices(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  int32_t count = 0;
  uint64_t faults = 7;
  EXPECT_STATUS(kvf_cuda_device_count(&count), KVF_OK);
  EXPECT(count == cuda.num_devices, "%d devices, the driver has %d", count, cuda.num_devices);
  const int32_t wrong[] = {-1, count, 63, 64, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < TEST_COUNT(wrong); ++i) {
    char number[32];
    (void)snprintf(number, sizeof number, "device is %d,", wrong[i]);
    EXPECT_STATUS(kvf_prepare(variant, wrong[i]), KVF_NO_DEVICE);
    EXPECT_TEXT(kvf_last_error(), number);
    EXPECT_STATUS(kvf_cuda_fault_count(wrong[i], &faults), KVF_NO_DEVICE);
    EXPECT_TEXT(kvf_last_error(), number);
    EXPECT_STATUS(kvf_cuda_clear_faults(wrong[i], &faults), KVF_NO_DEVICE);
    EXPECT(faults == 7, "the output of a refused call was written");
    small_call call;
    small_make(&call, variant, 3, options.seed);
    call.device = wrong[i];
    EXPECT_STATUS(small_run(&call), KVF_NO_DEVICE);
    EXPECT_TEXT(kvf_last_error(), number);
    call.device = 0;
    EXPECT(small_untouched(&call), "a refused call wrote something");
    small_free(&call);
    count_case(NULL);
  }
}

static void test_prepare(void) {
  if (begin() == NULL) {
    return;
  }
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int32_t k = 0; k < op->num_variants; ++k) {
      if (op->variants[k].backend == KVF_CUDA && kvf_variant_built(&op->variants[k])) {
        void *before = current_context();
        for (int32_t device = 0; device < cuda.num_devices; ++device) {
          EXPECT_STATUS(kvf_prepare(&op->variants[k], device), KVF_OK);
        }
        EXPECT(current_context() == before, "kvf_prepare: the current context has changed");
        count_case(NULL);
      }
    }
  }
}

/* Pinned host memory is a place that the device can read: small tensors may stay there. */
static void test_pinned_tensors(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  small_call call;
  small_make(&call, variant, 5, options.seed);
  DLTensor given[SMALL_TENSORS];
  for (int i = 0; i < SMALL_TENSORS; ++i) {
    given[i] = *tensor_dl(&call.view[i]);
  }
  void *pinned[SMALL_TENSORS] = {NULL};
  for (int i = SMALL_SLOTS; i <= SMALL_SCALE; ++i) {
    EXPECT_CUDA(cuda.host_alloc(&pinned[i], call.memory[i].size, 0));
    memcpy(pinned[i], call.memory[i].expected, call.memory[i].size);
    given[i].data = pinned[i];
    given[i].device = (DLDevice){kDLCUDAHost, 0};
  }
  const kvf_status status = kvf_reshape_and_cache_flash(
      NULL, &given[0], &given[1], &given[2], &given[3], &given[4],
      kvf_dtype_name(kvf_cache_of(variant)), &given[5], &given[5], NULL);
  finish(&call, status, current_context(), current_context(), "pinned slots and scales");
  for (int i = SMALL_SLOTS; i <= SMALL_SCALE; ++i) {
    EXPECT_CUDA(cuda.host_free(pinned[i]));
  }
  small_free(&call);
}

/* ---- graphs
 * -------------------------------------------------------------------------------------- */

/* The call, prepared with memory of its own. */
static kvf_prepared *prepare_like(const small_call *call) {
  small_call other;
  kvf_value values[SMALL_ARGUMENTS];
  kvf_prepared *prepared = NULL;
  small_make(&other, call->variant, call->tokens, options.seed + 1);
  small_values(&other, values);
  EXPECT_STATUS(kvf_prepare_call(call->variant->op, call->exec, values, SMALL_ARGUMENTS, &prepared),
                KVF_OK);
  small_free(&other);
  return prepared;
}

/* A call is recorded, and runs only when the graph is launched, as often as that is. */
static void capture(bool prepared) {
  const kvf_variant *variant = begin();
  if (variant == NULL || !graphs_there()) {
    return;
  }
  void *stream = NULL;
  captured made;
  small_call call;
  small_make(&call, variant, 40, options.seed);
  EXPECT_CUDA(cuda.stream_create(&stream, NON_BLOCKING));
  const kvf_exec exec = {.backend = KVF_CUDA, .stream = stream};
  call.exec = &exec;
  void *data[SMALL_DATA];
  const int32_t count = small_data(&call, data);
  kvf_prepared *kept = prepared ? prepare_like(&call) : NULL;
  (void)capture_begin(&made, stream);
  EXPECT_STATUS(prepared ? kvf_run_prepared(kept, stream, data, count) : small_run(&call), KVF_OK);
  const bool whole = capture_end(&made);
  EXPECT(small_untouched(&call), "a captured call ran");
  for (int i = 0; whole && i < 2; ++i) {
    buffer_upload(&call.memory[SMALL_KEY_CACHE]);
    (void)capture_launch(&made);
    EXPECT(small_check(&call), "launch %d of the graph: wrong bytes", i);
  }
  capture_free(&made);
  EXPECT_CUDA(cuda.stream_destroy(stream));
  kvf_free_prepared(kept);
  small_free(&call);
  count_case(variant);
}

static void test_capture(void) { capture(false); }

static void test_capture_prepared(void) { capture(true); }

/* ---- programmatic launches
 * ------------------------------------------------------------------------------ */

/* How many there were, if the driver tells; else 0. */
static unsigned long long programmatic_launches(void) {
  static void (*count)(kvf_emulator_counts *);
  kvf_emulator_counts counts = {.programmatic = 0};
  if (cuda.reset != NULL && count == NULL) {
    void *found = dlsym(dlopen(getenv("KVFORGE_LIBCUDA"), RTLD_NOW), "kvf_emulator_count");
    memcpy(&count, &found, sizeof found);
  }
  if (count != NULL) {
    count(&counts);
  }
  return counts.programmatic;
}

/* A call's kernel is launched so when its exec says it, and without one, when that was set. */
static void test_programmatic(void) {
  const kvf_variant *variant = begin();
  if (variant == NULL) {
    return;
  }
  EXPECT(!kvf_programmatic(), "it is on, but nobody has set it");
  for (int i = 0; i < 4; ++i) {
    const kvf_exec exec = {.backend = KVF_CUDA, .programmatic = i == 1};
    small_call call;
    small_make(&call, variant, 40, options.seed);
    call.exec = i < 2 ? &exec : NULL;
    kvf_set_programmatic(i == 3);
    EXPECT(kvf_programmatic() == (i == 3), "kvf_programmatic() is another than was set");
    const unsigned long long before = programmatic_launches();
    void *home = current_context();
    const kvf_status status = small_run(&call);
    if (cuda.reset != NULL && getenv("KVF_EMULATOR_PROGRAMMATIC") == NULL) {
      EXPECT(programmatic_launches() - before == (unsigned long long)(i % 2), "call %d", i);
    }
    finish(&call, status, home, home, "a programmatic call");
    small_free(&call);
  }
  kvf_set_programmatic(false);
}

/* Each of many calls reads what the one in front has written. */
static void test_programmatic_chain(void) {
  enum { PAGES = 200, PAGE = 4096 };
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_find_variant("kvf_cuda_copy_blocks_mla__b8");
  if (variant == NULL || !kvf_variant_built(variant)) {
    skip_test("copy_blocks_mla is not built");
    return;
  }
  buffer pages = buffer_make(KVF_CUDA, (size_t)PAGES * PAGE, options.seed);
  buffer numbers = buffer_make(KVF_CUDA, sizeof(int64_t[PAGES][2]), 1);
  for (int64_t i = 0; i < PAGES; ++i) {
    const int64_t pair[2] = {i, i + 1};
    memcpy(numbers.expected + i * (int64_t)sizeof pair, pair, sizeof pair);
  }
  buffer_upload(&pages);
  buffer_upload(&numbers);
  int64_t shape[2] = {PAGES, PAGE};
  int64_t pairs_shape[2] = {1, 2};
  const DLTensor cache = {.data = pages.place,
                          .device = {kDLCUDA, 0},
                          .ndim = 2,
                          .dtype = dl_dtype(KVF_B8),
                          .shape = shape};
  const DLTensor *const list[] = {&cache};
  const kvf_exec exec = {.backend = KVF_CUDA, .programmatic = true};
  for (int64_t i = 0; i + 1 < PAGES; ++i) {
    const DLTensor pairs = {.data = (char *)numbers.place + i * 2 * (int64_t)sizeof(int64_t),
                            .device = {kDLCUDA, 0},
                            .ndim = 2,
                            .dtype = {kDLInt, 64, 1},
                            .shape = pairs_shape};
    EXPECT_STATUS(kvf_copy_blocks_mla(&exec, list, 1, &pairs), KVF_OK);
    memcpy(pages.expected + (i + 1) * PAGE, pages.expected, PAGE);
  }
  const char *wrong = memory_synchronize(KVF_CUDA);
  EXPECT(wrong == NULL, "%s", wrong);
  EXPECT(memcmp(buffer_contents(&pages), pages.expected, pages.size) == 0,
         "a copy did not wait for the one in front");
  buffer_free(&numbers);
  buffer_free(&pages);
  count_case(variant);
}

static void test_first_capture(void) {
  if (need_backend()) {
    run_alone("first_capture", "KVFORGE_TEST_CHILD", "1");
  }
}

static void test_driver_faults(void) {
  if (!need_backend()) {
    return;
  }
  if (cuda.reset == NULL) {
    skip_test("a real driver does not fail when it is told to");
    return;
  }
  run_alone("driver_faults", "KVFORGE_TEST_CHILD", "1");
}

CU_TestInfo first_capture_tests[] = {
    {"the first call of a process is captured", test_capture},
    CU_TEST_INFO_NULL,
};

CU_TestInfo cuda_tests[] = {
    {"order of the caller's stream", test_stream_order},
    {"default stream", test_default_stream},
    {"no context", test_no_context},
    {"a context of its own", test_own_context},
    {"two devices", test_two_devices},
    {"faults are cleared while they are counted", test_clearing_race},
    {"devices", test_devices},
    {"prepare", test_prepare},
    {"pinned tensors", test_pinned_tensors},
    {"captured calls", test_capture},
    {"captured prepared calls", test_capture_prepared},
    {"first call captured", test_first_capture},
    {"programmatic launches", test_programmatic},
    {"a chain of programmatic launches", test_programmatic_chain},
    {"an entry point fails", test_driver_faults},
    CU_TEST_INFO_NULL,
};
