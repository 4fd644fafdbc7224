/*
 * The op from C, out of a module: reads a call from stdin, writes y to stdout.
 *
 *     example MODULE cpu|cuda < call > y
 *
 * A call is seven int64: the DLPack code of x's dtype (2: f16, 4: bf16), rows, K, N, K / G, 1 if
 * zeros follow, and 0; then x, codes, scales and zeros, row-major. On CUDA the driver's own
 * functions make the memory; test_w4a16.py runs it on the emulated driver, too.
 */
#include <dlfcn.h>
#include <kvforge/kvforge.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CODE, ROWS, K, N, GROUPS, HAS_ZEROS, RESERVED, HEADER };

static void stop(const char *what, const char *why) {
  (void)fprintf(stderr, "example: %s: %s\n", what, why);
  exit(1);
}

/* ---- the part of the CUDA driver that moves memory
 * ----------------------------------------------- */

static struct {
  int (*alloc)(uint64_t *, size_t);
  int (*upload)(uint64_t, const void *, size_t);
  int (*download)(void *, uint64_t, size_t);
} cuda;

static void open_cuda(void) {
  const char *path = getenv("KVFORGE_LIBCUDA");
  void *driver = dlopen(path != NULL ? path : "libcuda.so.1", RTLD_NOW);
  if (driver == NULL) {
    stop("cuda", dlerror());
  }
  int (*init)(unsigned) = (int (*)(unsigned))dlsym(driver, "cuInit");
  int (*retain)(void **, int) = (int (*)(void **, int))dlsym(driver, "cuDevicePrimaryCtxRetain");
  int (*make_current)(void *) = (int (*)(void *))dlsym(driver, "cuCtxSetCurrent");
  cuda.alloc = (int (*)(uint64_t *, size_t))dlsym(driver, "cuMemAlloc_v2");
  cuda.upload = (int (*)(uint64_t, const void *, size_t))dlsym(driver, "cuMemcpyHtoD_v2");
  cuda.download = (int (*)(void *, uint64_t, size_t))dlsym(driver, "cuMemcpyDtoH_v2");
  void *context = NULL;
  if (init(0) != 0 || retain(&context, 0) != 0 || make_current(context) != 0) {
    stop("cuda", "no context on device 0");
  }
}

/* ---- tensors
 * ------------------------------------------------------------------------------------- */

static void *memory(size_t bytes) {
  void *place = calloc(1, bytes > 0 ? bytes : 1);
  if (place == NULL) {
    stop("memory", "none left");
  }
  return place;
}

/* A row-major matrix, read from stdin if `given`. */
static DLTensor matrix(bool on_cuda, bool given, uint8_t code, uint8_t bits, int64_t shape[2]) {
  const size_t bytes = (size_t)(shape[0] * shape[1]) * bits / 8;
  void *data = memory(bytes);
  if (given && fread(data, 1, bytes, stdin) != bytes) {
    stop("stdin", "ended early");
  }
  if (on_cuda) {
    uint64_t address = 0;
    if (cuda.alloc(&address, bytes > 0 ? bytes : 1) != 0 ||
        (bytes > 0 && cuda.upload(address, data, bytes) != 0)) {
      stop("cuda", "no memory");
    }
    free(data);
    data = (void *)(uintptr_t)address;
  }
  return (DLTensor){.data = data,
                    .device = {on_cuda ? kDLCUDA : kDLCPU, 0},
                    .ndim = 2,
                    .dtype = {code, bits, 1},
                    .shape = shape};
}

int main(int argc, char **argv) {
  int64_t header[HEADER];
  if (argc != 3 || (strcmp(argv[2], "cpu") != 0 && strcmp(argv[2], "cuda") != 0)) {
    stop("usage", "example MODULE cpu|cuda < call > y");
  }
  const bool on_cuda = strcmp(argv[2], "cuda") == 0;
  if (fread(header, sizeof *header, HEADER, stdin) != HEADER) {
    stop("stdin", "ended early");
  }
  if (kvf_load_module(argv[1]) != KVF_OK) {
    stop(argv[1], kvf_last_error());
  }
  if (on_cuda) {
    open_cuda();
  }
  int64_t of_x[] = {header[ROWS], header[K]};
  int64_t of_codes[] = {header[N], header[K] / 2};
  int64_t of_groups[] = {header[N], header[GROUPS]};
  int64_t of_y[] = {header[ROWS], header[N]};
  const uint8_t code = (uint8_t)header[CODE];
  const DLTensor x = matrix(on_cuda, true, code, 16, of_x);
  const DLTensor codes = matrix(on_cuda, true, kDLUInt, 8, of_codes);
  const DLTensor scales = matrix(on_cuda, true, code, 16, of_groups);
  const DLTensor zeros = matrix(on_cuda, header[HAS_ZEROS] != 0, kDLUInt, 8, of_groups);
  const DLTensor y = matrix(on_cuda, false, code, 16, of_y);
  const kvf_value arguments[] = {
      {.kind = KVF_KIND_TENSOR, .as.tensor = &x},
      {.kind = KVF_KIND_TENSOR, .as.tensor = &codes},
      {.kind = KVF_KIND_TENSOR, .as.tensor = &scales},
      {.kind = header[HAS_ZEROS] ? KVF_KIND_TENSOR : KVF_KIND_NONE, .as.tensor = &zeros},
      {.kind = KVF_KIND_TENSOR, .as.tensor = &y},
  };
  if (kvf_call(kvf_find_op("linear::w4a16"), NULL, arguments, 5) != KVF_OK) {
    stop("w4a16", kvf_last_error());
  }
  const size_t bytes = (size_t)(header[ROWS] * header[N]) * 2;
  void *result = y.data;
  if (on_cuda) {
    result = memory(bytes);
    const int code_of_driver = cuda.download(result, (uint64_t)(uintptr_t)y.data, bytes);
    if (code_of_driver != 0) {
      stop("cuda", "the kernel failed");
    }
  }
  return fwrite(result, 1, bytes, stdout) == bytes ? 0 : 1;
}
