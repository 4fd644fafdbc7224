/*
 * Prepared calls: of every op, the bits of a plain call with the same arguments; and what is
 * refused. The calls are those that the benchmarks measure, with few tokens.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call_sets.h"
#include "harness.h"
#include "small_call.h"

enum { MAX_TENSORS = 64 };

/* ---- every op
 * ------------------------------------------------------------------------------------ */

/* A tensor of a call as kvf_run_prepared() wants it. */
typedef struct handed {
  int32_t count;
  void *data[MAX_TENSORS];
  const char *argument[MAX_TENSORS];
} handed;

static void hand(handed *to, const kvf_argument *argument, const DLTensor *given) {
  to->argument[to->count] = argument->name;
  to->data[to->count++] = given != NULL ? given->data : NULL;
}

static handed hand_all(const bench_call *call) {
  handed made = {.count = 0};
  const kvf_op *op = call->variant->op;
  static const kvf_value none = {.kind = KVF_KIND_NONE};
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    const kvf_value *value = i < call->num_arguments ? &call->arguments[i] : &none;
    const bool is_list = value->kind == KVF_KIND_TENSOR_LIST;
    if (op->arguments[i].kind == KVF_KIND_TENSOR) {
      hand(&made, &op->arguments[i], value->kind == KVF_KIND_TENSOR ? value->as.tensor : NULL);
    }
    for (int64_t k = 0; is_list && k < value->as.tensors.size; ++k) {
      hand(&made, &op->arguments[i], value->as.tensors.data[k]);
    }
  }
  return made;
}

/* What an op has for a reason: its work on CUDA is the driver's, or what it reads is the host's. */
static bool may_refuse(const kvf_variant *variant) {
  return variant->backend == KVF_CUDA && strncmp(variant->op->name, "swap_blocks", 11) == 0;
}

/* Scales of a format that has its own are no part of a launch, which cannot take others. */
static bool is_unread(const kvf_variant *variant, const char *name) {
  return strcmp(variant->op->name, "gather_kv_cache") == 0 &&
         strstr(kvf_dtype_name(kvf_cache_of(variant)), "per_token_head") != NULL &&
         (strcmp(name, "k_scale") == 0 || strcmp(name, "v_scale") == 0);
}

static void check_call(bench_call *call) {
  const kvf_op *op = call->variant->op;
  const kvf_exec exec = {.backend = call->variant->backend};
  call_set first = call_set_make(call, 7);
  call_set plain = call_set_make(call, 9);
  call_set prepared = call_set_make(call, 9);
  kvf_prepared *kept = NULL;
  call_set_place(call, &first);
  const handed before = hand_all(call);
  kvf_status status = kvf_prepare_call(op, &exec, call->arguments, call->num_arguments, &kept);
  (void)memory_synchronize(exec.backend);
  EXPECT(call_set_untouched(&first), "%s: the preparation has written", call->variant->symbol);
  if (may_refuse(call->variant)) {
    const char *words = ": kvf_prepare_call: a copy by the driver cannot be prepared";
    const char *told = strstr(kvf_last_error(), words); /* and no more */
    EXPECT(status == KVF_UNSUPPORTED && kept == NULL && told != NULL && told[strlen(words)] == '\0',
           "%s: %s", call->variant->symbol, kvf_last_error());
  } else if (EXPECT(status == KVF_OK, "%s, %s: %s", call->variant->symbol, call->form,
                    kvf_last_error())) {
    call_set_place(call, &plain);
    EXPECT_STATUS(kvf_call(op, &exec, call->arguments, call->num_arguments), KVF_OK);
    call_set_place(call, &prepared);
    handed now = hand_all(call);
    for (int32_t i = 0; i < now.count; ++i) {
      if (is_unread(call->variant, now.argument[i])) {
        now.data[i] = before.data[i];
      }
    }
    status = kvf_run_prepared(kept, NULL, now.data, now.count);
    EXPECT(status == KVF_OK, "%s, %s: %s", call->variant->symbol, call->form, kvf_last_error());
    const char *fault = memory_synchronize(exec.backend);
    EXPECT(fault == NULL, "%s: %s", call->variant->symbol, fault);
    EXPECT(call_sets_same(call, &plain, &prepared), "%s, %s: not what the plain call has written",
           call->variant->symbol, call->form);
    EXPECT(call_set_untouched(&first), "%s, %s: wrote to the memory of the preparation",
           call->variant->symbol, call->form);
  }
  kvf_free_prepared(kept);
  call_set_free(&first);
  call_set_free(&plain);
  call_set_free(&prepared);
}

static void test_every_op(void) {
  if (need_backend()) {
    each_call(3, check_call);
  }
}

/* ---- tensors that are one, or parts of one
 * -------------------------------------------------------- */

static kvf_prepared *prepare_small(small_call *call, const kvf_exec *exec) {
  kvf_value values[SMALL_ARGUMENTS];
  kvf_prepared *kept = NULL;
  small_values(call, values);
  EXPECT_STATUS(kvf_prepare_call(call->variant->op, exec, values, SMALL_ARGUMENTS, &kept), KVF_OK);
  return kept;
}

/* One tensor for key and value, and one for both scales; then four. */
static void test_shared_tensors(void) {
  const kvf_variant *variant = need_backend() ? small_variant(options.backend) : NULL;
  for (int32_t k = 0; variant != NULL && k < variant->op->num_variants; ++k) {
    const kvf_variant *other = &variant->op->variants[k];
    if (other->backend != options.backend || !kvf_variant_built(other)) {
      continue;
    }
    small_call first;
    small_call call;
    void *data[SMALL_DATA];
    small_make(&first, other, 5, 11);
    small_make(&call, other, 5, 23);
    const kvf_exec exec = {.backend = options.backend};
    const buffer *value = first.view[SMALL_VALUE].memory;
    first.view[SMALL_VALUE].memory = first.view[SMALL_KEY].memory;
    kvf_prepared *kept = prepare_small(&first, &exec);
    first.view[SMALL_VALUE].memory = value;
    const int32_t count = small_data(&call, data);
    EXPECT_STATUS(kvf_run_prepared(kept, NULL, data, count), KVF_OK);
    (void)memory_synchronize(options.backend);
    EXPECT(small_check(&call), "%s: not what the oracle says", other->symbol);
    EXPECT(small_untouched(&first), "%s: wrote to the memory of the preparation", other->symbol);
    kvf_free_prepared(kept);
    small_free(&call);
    small_free(&first);
    count_case(NULL);
  }
}

/* ---- what is refused
 * ----------------------------------------------------------------------------- */

static void test_refused(void) {
  const kvf_variant *variant = need_backend() ? small_variant(options.backend) : NULL;
  if (variant == NULL) {
    return;
  }
  small_call call;
  void *data[SMALL_DATA];
  small_make(&call, variant, 5, 3);
  const kvf_exec exec = {.backend = options.backend};
  kvf_prepared *kept = prepare_small(&call, &exec);
  const int32_t count = small_data(&call, data);
#define RUN_REFUSED(part, ...)                                                                     \
  do {                                                                                             \
    EXPECT_STATUS(kvf_run_prepared(__VA_ARGS__), KVF_INVALID_VALUE);                               \
    EXPECT_TEXT(kvf_last_error(), part);                                                           \
    count_case(NULL);                                                                              \
  } while (0)
  RUN_REFUSED("prepared: got NULL", NULL, NULL, data, count);
  RUN_REFUSED("got 7 addresses, want one for each of its 8 tensors", kept, NULL, data, count - 1);
  RUN_REFUSED("got 9 addresses", kept, NULL, data, count + 1);
  RUN_REFUSED("got -1 addresses", kept, NULL, data, -1);
  RUN_REFUSED("8 addresses at NULL", kept, NULL, NULL, count);
  static const char *const names[] = {"key",          "value",   "key_cache", "value_cache",
                                      "slot_mapping", "k_scale", "v_scale"};
  for (int32_t i = 0; i < count - 1; ++i) {
    void *good = data[i];
    data[i] = NULL;
    RUN_REFUSED(names[i], kept, NULL, data, count);
    data[i] = (char *)good + 1;
    RUN_REFUSED("want a multiple of", kept, NULL, data, count);
    data[i] = good;
  }
  kvf_free_prepared(kept);

  kvf_value values[SMALL_ARGUMENTS];
  small_values(&call, values);
  const int64_t wild = INT64_MAX;
  memcpy(call.memory[SMALL_SLOTS].expected + 8, &wild, sizeof wild);
  buffer_upload(&call.memory[SMALL_SLOTS]);
  if (options.backend == KVF_CPU) { /* CUDA's slots are on the device, and skipped there */
    kept = (kvf_prepared *)data;
    EXPECT_STATUS(kvf_prepare_call(variant->op, &exec, values, SMALL_ARGUMENTS, &kept),
                  KVF_OUT_OF_RANGE);
    EXPECT(kept == NULL, "a refused call is prepared");
    count_case(NULL);
  }
  kept = (kvf_prepared *)data;
  EXPECT_STATUS(kvf_prepare_call(variant->op, &exec, values, 2, &kept), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "key_cache is missing");
  EXPECT(kept == NULL, "a refused call is prepared");
  (void)memory_synchronize(options.backend);
  EXPECT(small_untouched(&call), "a refused call has written");
  small_free(&call);
}

/* Slots that come to be out of range behind the preparation write nothing. */
static void test_wild_slots(void) {
  const kvf_variant *variant = need_backend() ? small_variant(options.backend) : NULL;
  if (variant == NULL) {
    return;
  }
  small_call call;
  void *data[SMALL_DATA];
  small_make(&call, variant, 3, 5);
  const kvf_exec exec = {.backend = options.backend};
  kvf_prepared *kept = prepare_small(&call, &exec);
  const int64_t wild[] = {INT64_MAX, 16, -5}; /* there is one page of 16 */
  memcpy(call.memory[SMALL_SLOTS].expected, wild, sizeof wild);
  buffer_upload(&call.memory[SMALL_SLOTS]);
  EXPECT_STATUS(kvf_run_prepared(kept, NULL, data, small_data(&call, data)), KVF_OK);
  (void)memory_synchronize(options.backend);
  EXPECT(small_untouched(&call), "a slot that is out of range was written");
  if (options.backend == KVF_CUDA) {
    uint64_t skipped = 0;
    EXPECT_STATUS(kvf_cuda_clear_faults(0, &skipped), KVF_OK);
    EXPECT(skipped == 2, "%d tokens were skipped, want 2", (int)skipped);
  }
  kvf_free_prepared(kept);
  small_free(&call);
  count_case(NULL);
}

/* No tokens: nothing is launched, wherever the tensors lie. */
static void test_nothing_to_do(void) {
  const kvf_variant *variant = need_backend() ? small_variant(options.backend) : NULL;
  if (variant == NULL) {
    return;
  }
  small_call call;
  void *data[SMALL_DATA] = {NULL};
  small_make(&call, variant, 0, 5);
  const kvf_exec exec = {.backend = options.backend};
  kvf_prepared *kept = prepare_small(&call, &exec);
  EXPECT_STATUS(kvf_run_prepared(kept, NULL, data, 8), KVF_OK);
  (void)memory_synchronize(options.backend);
  EXPECT(small_untouched(&call), "a call of no tokens has written");
  kvf_free_prepared(kept);
  small_free(&call);
  count_case(NULL);
}

/* ---- threads
 * ------------------------------------------------------------------------------------- */

enum { THREADS = 4, RUNS = 200 };

typedef struct runner {
  const kvf_prepared *kept;
  void *data[SMALL_DATA];
  int32_t count;
  kvf_status status;
} runner;

static void *run_often(void *context) {
  runner *own = context;
  for (int i = 0; i < RUNS && own->status == KVF_OK; ++i) {
    own->status = kvf_run_prepared(own->kept, NULL, own->data, own->count);
  }
  return NULL;
}

/* One prepared call, each thread with memory of its own. */
static void test_threads(void) {
  const kvf_variant *variant = small_variant(KVF_CPU);
  if (variant == NULL) {
    return;
  }
  small_call first;
  small_call calls[THREADS];
  runner runners[THREADS];
  pthread_t threads[THREADS];
  small_make(&first, variant, 300, 1);
  kvf_prepared *kept = prepare_small(&first, &(kvf_exec){.backend = KVF_CPU});
  for (int i = 0; i < THREADS; ++i) {
    small_make(&calls[i], variant, 300, (uint64_t)i + 2);
    runners[i] = (runner){.kept = kept};
    runners[i].count = small_data(&calls[i], runners[i].data);
    if (!EXPECT(pthread_create(&threads[i], NULL, run_often, &runners[i]) == 0, "no thread")) {
      abort();
    }
  }
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_join(threads[i], NULL);
    EXPECT_STATUS(runners[i].status, KVF_OK);
    EXPECT(small_check(&calls[i]), "thread %d: not what the oracle says", i);
    small_free(&calls[i]);
    count_case(NULL);
  }
  kvf_free_prepared(kept);
  small_free(&first);
}

CU_TestInfo prepared_tests[] = {
    {"every op", test_every_op},
    {"tensors that are one", test_shared_tensors},
    {"what is refused", test_refused},
    {"slots out of range", test_wild_slots},
    {"nothing to do", test_nothing_to_do},
    {"threads", test_threads},
    CU_TEST_INFO_NULL,
};
