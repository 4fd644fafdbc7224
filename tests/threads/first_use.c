/*
 * Thirty-two threads make the first use of everything at once, under ThreadSanitizer: the registry,
 * the isa level, the thread team, the CUDA driver, kernels, fault counters, errors, ops and code
 * that modules bring. A process has one first use, so the program starts itself once for each order
 * of the steps, and some more for jobs of a large team.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvforge/op.h"

enum { THREADS = 32, RACES = 12, ROUNDS = 15, PAGE_BYTES = 1 << 18 };

static pthread_barrier_t start;
static atomic_int mistakes;

static void expect(bool condition, const char *what) {
  if (!condition) {
    (void)fprintf(stderr, "not so: %s: %s\n", what, kvf_last_error());
    atomic_fetch_add(&mistakes, 1);
  }
}

/* ---- the steps
 * -----------------------------------------------------------------------------------
 */

static void use_registry(int member) {
  const kvf_op *op = kvf_find_op("_C_cache_ops::copy_blocks");
  expect(op != NULL && kvf_get_op(0) != NULL && kvf_num_ops() > 1, "the registry has ops");
  expect(kvf_find_op(member % 2 ? "no_such_op" : "nor_this") == NULL, "an op that is not there");
  expect(strstr(kvf_last_error(), member % 2 ? "no_such_op" : "nor_this") != NULL,
         "the error is this thread's");
}

static void use_isa(int member) {
  (void)member;
  expect(strcmp(kvf_isa_name(kvf_cpu_isa()), "?") != 0, "an isa level");
}

/* A call that is large enough for a team of threads. */
static void use_team(int member) {
  const kvf_op *op = kvf_find_op("copy_blocks_mla");
  if (op == NULL || !kvf_variant_built(kvf_find_variant("kvf_cpu_copy_blocks_mla__b8"))) {
    return;
  }
  int64_t shape[] = {4, PAGE_BYTES};
  int64_t pairs_shape[] = {2, 2};
  int64_t pairs[] = {0, 1, 2, 3};
  char *const pages = malloc((size_t)(4 * PAGE_BYTES));
  expect(pages != NULL, "memory");
  if (pages == NULL) {
    return;
  }
  memset(pages, member, (size_t)(4 * PAGE_BYTES));
  memset(pages + PAGE_BYTES, member + 1, PAGE_BYTES);
  const DLDevice cpu = {kDLCPU, 0};
  const DLTensor cache = {pages, cpu, 2, {kDLUInt, 8, 1}, shape, NULL, 0};
  const DLTensor mapping = {pairs, cpu, 2, {kDLInt, 64, 1}, pairs_shape, NULL, 0};
  const DLTensor *const list[] = {&cache};
  const kvf_value values[] = {
      {.kind = KVF_KIND_TENSOR_LIST, .as.tensors = {list, 1}},
      {.kind = KVF_KIND_TENSOR, .as.tensor = &mapping},
  };
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = member % 3 == 0 ? 4 : 0};
  expect(kvf_call(op, &exec, values, 2) == KVF_OK, "a large call");
  expect(memcmp(pages, pages + PAGE_BYTES, PAGE_BYTES) == 0, "a page is copied");
  free(pages);
}

static bool has_driver(void) {
  int32_t devices = 0;
  return getenv("KVFORGE_LIBCUDA") != NULL && kvf_cuda_device_count(&devices) == KVF_OK;
}

static void use_driver(int member) {
  int32_t devices = 0;
  const kvf_status status = kvf_cuda_device_count(&devices);
  expect(status == KVF_OK || status == KVF_NO_DEVICE, "the driver is opened or is not there");
  if (status == KVF_OK) {
    expect(devices > 0, "a device");
    uint64_t faults = 0;
    expect(kvf_cuda_fault_count(member % devices, &faults) == KVF_OK, "faults are counted");
    expect(kvf_cuda_clear_faults(member % devices, NULL) == KVF_OK, "faults are cleared");
  }
}

static void use_kernels(int member) {
  if (!has_driver()) {
    return;
  }
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op((i + member) % kvf_num_ops());
    for (int32_t k = 0; k < op->num_variants; ++k) {
      const kvf_variant *variant = &op->variants[k];
      if (variant->backend == KVF_CUDA && kvf_variant_built(variant)) {
        expect(kvf_prepare(variant, 0) == KVF_OK, "a kernel is loaded");
        break;
      }
    }
  }
}

static void late_code(const void *params, int64_t begin, int64_t end) {
  (void)params;
  (void)begin;
  (void)end;
}

static kvf_status late_call(const kvf_exec *exec, const kvf_value *arguments) {
  (void)exec;
  (void)arguments;
  return KVF_OK;
}

static const int16_t no_cells[KVF_BACKEND_COUNT] = {-1, -1};
static kvf_op late_ops[THREADS];
static char late_names[THREADS][16];

/* Each thread brings an op of its own, and all of them the same code for a variant that has none.
 */
static void use_modules(int member) {
  kvf_op *op = &late_ops[member];
  if (op->name == NULL) {
    (void)snprintf(late_names[member], sizeof late_names[member], "late_%d", member);
    *op = *kvf_get_op(0);
    op->ns = "late";
    op->doc = op->schema = op->name = late_names[member];
    op->arguments = NULL;
    op->variants = NULL;
    op->axes = NULL;
    op->exclusions = NULL;
    op->rest = op->chains = NULL;
    op->cells = no_cells; /* of an op without axes there is one for each backend */
    op->num_cells = 1;
    op->num_arguments = op->num_axes = op->num_variants = op->num_exclusions = 0;
    op->call = late_call;
  }
  const kvf_op *const ops[] = {op};
  expect(kvf_register_ops(ops, 1, KVF_ABI_VERSION) == KVF_OK, "an op joins");
  expect(kvf_find_op(op->name) == op, "and is found");
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    for (int32_t k = 0; k < kvf_get_op(i)->num_variants; ++k) {
      const kvf_variant *variant = &kvf_get_op(i)->variants[k];
      if (variant->backend == KVF_CPU && variant->cpu[kvf_cpu_isa()] == NULL) {
        expect(kvf_install_cpu(variant, kvf_cpu_isa(), late_code) == KVF_OK, "code joins");
        expect(kvf_variant_built(variant), "and is there");
        return;
      }
    }
  }
}

static void (*const steps[])(int member) = {use_registry, use_isa,     use_team,
                                            use_driver,   use_kernels, use_modules};
enum { STEPS = sizeof steps / sizeof *steps };

static int first_step;

static void *work(void *argument) {
  const int member = (int)(intptr_t)argument;
  (void)pthread_barrier_wait(&start);
  for (int i = 0; i < STEPS; ++i) { /* a quarter of the threads in another order */
    steps[(first_step + (member % 4 == 0 ? STEPS - i : i)) % STEPS](member);
  }
  return NULL;
}

/* Each unit of many jobs is run once, by threads that tell each other of a job. */
static void count_units(const void *params, int64_t begin, int64_t end) {
  atomic_int *const *units = params;
  for (int64_t i = begin; i < end; ++i) {
    atomic_fetch_add(&(*units)[i], 1);
  }
}

static void use_large_team(void) {
  enum { JOBS = 400, UNITS = 64, UNIT_BYTES = 1 << 16 };
  for (int job = 0; job < JOBS; ++job) {
    atomic_int units[UNITS] = {0};
    kvf_parallel_for(count_units, &(atomic_int *){units}, UNITS, UNIT_BYTES, 0);
    for (int i = 0; i < UNITS; ++i) {
      expect(atomic_load(&units[i]) == 1, "each unit of a job is run once");
    }
  }
}

static int race(void) {
  pthread_t threads[THREADS];
  if (pthread_barrier_init(&start, NULL, THREADS) != 0) {
    return 1;
  }
  for (int i = 0; i < THREADS; ++i) {
    if (pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i) != 0) {
      return 1;
    }
  }
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_join(threads[i], NULL);
  }
  return atomic_load(&mistakes) != 0;
}

int main(int count, char **arguments) {
  if (count > 1) {
    first_step = (int)strtol(arguments[1], NULL, 10);
    if (first_step < STEPS) {
      return race();
    }
    use_large_team();
    return atomic_load(&mistakes) != 0;
  }
  int failed = 0;
  for (int i = 0; i < ROUNDS; ++i) { /* the last ones of the team alone, which is rested then */
    char step[8];
    (void)snprintf(step, sizeof step, "%d", i < RACES ? i % STEPS : STEPS);
    const pid_t child = fork();
    if (child == 0) {
      (void)execl("/proc/self/exe", "first_use", step, (char *)NULL);
      _exit(127);
    }
    int status = -1;
    failed += child < 0 || waitpid(child, &status, 0) != child || status != 0;
  }
  (void)printf("%d passed, %d failed\n", ROUNDS - failed, failed);
  return failed != 0;
}
