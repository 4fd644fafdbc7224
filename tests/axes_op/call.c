/*
 * Calls turn with every combination of values and prints which body ran, or why none did:
 *
 *     call BACKEND MODULE [SYMBOL]
 *
 * With SYMBOL, which is linked into this program, the variant is given its code before the last
 * round of calls, after a round without it. Built and read by tests/python/test_axes.py.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvforge/kvforge.h"

enum { COUNT = 8, MAX_STEP = 3 };

#define CHECK(call)                                                                                \
  do {                                                                                             \
    if ((call) != 0) {                                                                             \
      (void)fprintf(stderr, "%s: %s\n", #call, kvf_last_error());                                  \
      exit(1);                                                                                     \
    }                                                                                              \
  } while (0)

/* Memory that the backend can write and this program can read: the emulator's is the host's. */
static void *make(kvf_backend backend, size_t bytes) {
  if (backend == KVF_CPU) {
    return aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  static void *driver;
  static int (*alloc)(uint64_t *, size_t);
  if (driver == NULL) {
    driver = dlopen(getenv("KVFORGE_LIBCUDA"), RTLD_NOW);
    void *context = NULL;
    CHECK(((int (*)(unsigned))dlsym(driver, "cuInit"))(0));
    CHECK(((int (*)(void **, int))dlsym(driver, "cuDevicePrimaryCtxRetain"))(&context, 0));
    CHECK(((int (*)(void *))dlsym(driver, "cuCtxSetCurrent"))(context));
    alloc = (int (*)(uint64_t *, size_t))dlsym(driver, "cuMemAlloc_v2");
  }
  uint64_t address = 0;
  CHECK(alloc(&address, bytes));
  return (void *)(uintptr_t)address;
}

static DLTensor tensor(kvf_backend backend, void *data, int64_t *size, uint8_t code) {
  return (DLTensor){.data = data,
                    .device = {backend == KVF_CPU ? kDLCPU : kDLCUDA, 0},
                    .ndim = 1,
                    .dtype = {code, 32, 1},
                    .shape = size};
}

static void call(const kvf_op *op, kvf_backend backend, int64_t tile, int64_t step,
                 const char *order, bool negate) {
  static float *x;
  static float *y;
  static int32_t *ran;
  if (x == NULL) {
    x = make(backend, COUNT * MAX_STEP * sizeof *x);
    y = make(backend, COUNT * sizeof *y);
    ran = make(backend, 5 * sizeof *ran);
    for (int i = 0; i < COUNT * MAX_STEP; ++i) {
      x[i] = (float)(i + 1);
    }
  }
  int64_t sizes[] = {COUNT * step, COUNT, 5};
  const DLTensor from = tensor(backend, x, &sizes[0], kDLFloat);
  const DLTensor to = tensor(backend, y, &sizes[1], kDLFloat);
  const DLTensor told = tensor(backend, ran, &sizes[2], kDLInt);
  const kvf_value values[] = {
      {.kind = KVF_KIND_TENSOR, .as.tensor = &from}, {.kind = KVF_KIND_TENSOR, .as.tensor = &to},
      {.kind = KVF_KIND_TENSOR, .as.tensor = &told}, {.kind = KVF_KIND_INT, .as.integer = tile},
      {.kind = KVF_KIND_INT, .as.integer = step},    {.kind = KVF_KIND_STRING, .as.string = order},
      {.kind = KVF_KIND_BOOL, .as.boolean = negate},
  };
  memset(y, 0, COUNT * sizeof *y);
  const kvf_status status = kvf_call(op, NULL, values, 7);
  printf("%d %d %s %d: ", (int)tile, (int)step, order, negate);
  if (status != KVF_OK) {
    printf("%s: %s\n", kvf_status_name(status), kvf_last_error());
    return;
  }
  if (backend == KVF_CUDA) {
    CHECK(
        ((int (*)(void))dlsym(dlopen(getenv("KVFORGE_LIBCUDA"), RTLD_NOW), "cuCtxSynchronize"))());
  }
  for (int64_t i = 0; i < COUNT; ++i) {
    const int64_t at = strcmp(order, "reversed") == 0 ? COUNT - 1 - i : i;
    const float want = (float)(at * step + 1);
    if (y[i] != (negate ? -want : want)) {
      printf("y[%d] is %g\n", (int)i, (double)y[i]);
      return;
    }
  }
  printf("%d %d %d %d %d\n", ran[0], ran[1], ran[2], ran[3], ran[4]);
}

static void round_of_calls(const kvf_op *op, kvf_backend backend) {
  for (int64_t tile = 2; tile <= 9; ++tile) {
    for (int64_t step = 0; step <= MAX_STEP; ++step) {
      for (int k = 0; k < 4; ++k) {
        call(op, backend, tile, step, k < 2 ? "forward" : "reversed", k % 2);
      }
    }
  }
}

int main(int argc, char **argv) {
  if (argc == 1) {
    printf("%s\n", kvf_isa_name(kvf_cpu_isa()));
    return 0;
  }
  const kvf_backend backend = strcmp(argv[1], "cuda") == 0 ? KVF_CUDA : KVF_CPU;
  CHECK(kvf_load_module(argv[2]));
  const kvf_op *op = kvf_find_op("axes_test::turn");
  CHECK(op == NULL);
  round_of_calls(op, backend);
  if (argc > 3) {
    char function[256];
    (void)snprintf(function, sizeof function, "%s__%s", argv[3], kvf_isa_name(kvf_cpu_isa()));
    const kvf_variant *variant = kvf_find_variant(argv[3]);
    void *code = dlsym(RTLD_DEFAULT, backend == KVF_CPU ? function : argv[3]);
    CHECK(variant == NULL || code == NULL);
    CHECK(backend == KVF_CPU ? kvf_install_cpu(variant, kvf_cpu_isa(), (kvf_cpu_function)code)
                             : kvf_install_cuda(variant, code));
    puts("installed");
    round_of_calls(op, backend);
  }
  return 0;
}
