#include "memory.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAVE_ASAN 1
#else
#define HAVE_ASAN 0
#endif

cuda_functions cuda;

const char *cuda_error(int code) {
  const char *name = NULL;
  if (code == 0) {
    return "CUDA_SUCCESS";
  }
  (void)cuda.error_name(code, &name);
  return name ? name : "unknown error";
}

/* Of the driver. */
enum { CAPABILITY_MAJOR = 75, CAPABILITY_MINOR = 76 };

static const char *open_cuda(void) {
  static char why[256];
  const char *path = getenv("KVFORGE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) {
    return "no CUDA driver";
  }
#define FIND(member, symbol, parameters)                                                           \
  {                                                                                                \
    void *found = dlsym(library, #symbol);                                                         \
    if (found == NULL) {                                                                           \
      return "the CUDA driver has no " #symbol;                                                    \
    }                                                                                              \
    memcpy(&cuda.member, &found, sizeof found);                                                    \
  }
  CUDA_FUNCTIONS(FIND)
#undef FIND
  void *extra = dlsym(library, "kvf_emulator_last_fault");
  memcpy(&cuda.last_fault, &extra, sizeof extra);
  extra = dlsym(library, "kvf_emulator_reset");
  memcpy(&cuda.reset, &extra, sizeof extra);

  int code = cuda.init(0);
  code = code ? code : cuda.device_count(&cuda.num_devices);
  int device = 0;
  void *context = NULL;
  code = code ? code : cuda.device_get(&device, 0);
  int major = 0;
  int minor = 0;
  code = code ? code : cuda.device_attribute(&major, CAPABILITY_MAJOR, device);
  code = code ? code : cuda.device_attribute(&minor, CAPABILITY_MINOR, device);
  cuda.arch = 10 * major + minor;
  code = code ? code : cuda.primary_retain(&context, device);
  code = code ? code : cuda.context_set(context);
  if (code) {
    (void)snprintf(why, sizeof why, "no CUDA device: %s", cuda_error(code));
    return why;
  }
  return NULL;
}

const char *memory_open(kvf_backend backend) {
  static bool tried;
  static const char *why;
  if (backend == KVF_CPU) {
    return NULL;
  }
  if (!tried) {
    tried = true;
    why = open_cuda();
  }
  return why;
}

const char *memory_synchronize(kvf_backend backend) {
  static char what[1024];
  if (backend == KVF_CPU) {
    return NULL;
  }
  const int code = cuda.synchronize();
  if (code == 0) {
    return NULL;
  }
  const char *fault = cuda.last_fault ? cuda.last_fault() : "";
  (void)snprintf(what, sizeof what, "%s: %s", cuda_error(code), fault);
  if (cuda.reset) {
    cuda.reset();
  }
  return what;
}

/* ---- host memory that ends at a fence -----------------------------------------------------------
 */

/* Arenas are kept, since mapping fresh pages costs more than most cases. */
typedef struct arena {
  uint8_t *start;
  size_t size; /* without the fence */
  bool used;
} arena;

enum { ARENAS = 64 };
static arena arenas[ARENAS];

static void *arena_take(size_t size, void **place) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  arena *best = NULL;
  arena *spare = NULL; /* too small, or not mapped yet */
  for (arena *at = arenas; at < arenas + ARENAS; ++at) {
    if (!at->used && at->size < size) {
      spare = spare ? spare : at;
    } else if (!at->used && (best == NULL || at->size < best->size)) {
      best = at;
    }
  }
  if (best == NULL && spare != NULL) {
    best = spare;
    if (best->start != NULL) {
      (void)munmap(best->start, best->size + page);
    }
    best->size = (2 * size + page) / page * page;
    void *mapped =
        mmap(NULL, best->size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED || mprotect((char *)mapped + best->size, page, PROT_NONE) != 0) {
      perror("mmap");
      exit(2);
    }
    best->start = mapped;
  }
  if (best == NULL) {
    (void)fprintf(stderr, "out of arenas\n");
    exit(2);
  }
  best->used = true;
  *place = best->start + best->size - size;
  return best;
}

static void *host_take(buffer *memory, size_t size) {
  if (!HAVE_ASAN) {
    memory->arena = arena_take((size + 63) / 64 * 64, &memory->place);
    return memory->place;
  }
  if (posix_memalign(&memory->place, 64, size) != 0) {
    exit(2);
  }
  return memory->place;
}

static void host_give(buffer *memory) {
  if (HAVE_ASAN) {
    free(memory->place);
  } else {
    ((arena *)memory->arena)->used = false;
  }
}

/* ---- buffers
 * ------------------------------------------------------------------------------------- */

/* A buffer without memory, its image filled. */
static buffer image_make(kvf_backend backend, size_t size, uint64_t seed) {
  size = size ? size : 1;
  buffer memory = {.backend = backend, .size = size, .expected = malloc(size + 8)};
  if (memory.expected == NULL) {
    exit(2);
  }
  uint64_t word = random_next(&seed);
  for (size_t i = 0; i < size; i += 8) {
    word = word * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    memcpy(memory.expected + i, &word, 8);
  }
  return memory;
}

static void need_cuda(int code, const char *what) {
  if (code != 0) {
    (void)fprintf(stderr, "%s: %s\n", what, cuda_error(code));
    exit(2);
  }
}

buffer buffer_make_pinned(size_t size, uint64_t seed) {
  buffer memory = image_make(KVF_CPU, size, seed);
  memory.pinned = true;
  need_cuda(cuda.host_alloc(&memory.place, memory.size, 0), "cuMemHostAlloc");
  return memory;
}

buffer buffer_make(kvf_backend backend, size_t size, uint64_t seed) {
  buffer memory = image_make(backend, size, seed);
  size = memory.size;
  if (backend == KVF_CPU) {
    (void)host_take(&memory, size);
    return memory;
  }
  uint64_t address = 0;
  const int code = cuda.alloc(&address, size);
  if (!EXPECT(code == 0, "allocating %zu bytes: %s", size, cuda_error(code))) {
    exit(2);
  }
  memory.place = (void *)(uintptr_t)address;
  return memory;
}

void buffer_free(buffer *memory) {
  if (memory->expected == NULL) {
    return;
  }
  if (memory->pinned) {
    (void)cuda.host_free(memory->place);
  } else if (memory->backend == KVF_CPU) {
    host_give(memory);
  } else {
    (void)cuda.free((uint64_t)(uintptr_t)memory->place);
  }
  free(memory->expected);
  *memory = (buffer){.size = 0};
}

void buffer_upload(const buffer *memory) {
  if (memory->backend == KVF_CPU) {
    memcpy(memory->place, memory->expected, memory->size);
    return;
  }
  int code = cuda.upload((uint64_t)(uintptr_t)memory->place, memory->expected, memory->size);
  if (code ==
      0) { /* the driver returns when it has the bytes; streams of a test's own do not wait */
    code = cuda.stream_synchronize(NULL);
  }
  EXPECT(code == 0, "uploading: %s", cuda_error(code));
}

uint8_t *buffer_contents(const buffer *memory) {
  uint8_t *copy = malloc(memory->size + 1); /* never NULL for an empty one */
  if (copy == NULL) {
    exit(2);
  }
  if (memory->backend == KVF_CPU) {
    memcpy(copy, memory->place, memory->size);
  } else if (memory->size > 0) {
    const int code = cuda.download(copy, (uint64_t)(uintptr_t)memory->place, memory->size);
    EXPECT(code == 0, "downloading: %s", cuda_error(code));
  }
  return copy;
}

void buffer_take(const buffer *memory) {
  if (memory->size > 0) { /* else it is a view of another one */
    uint8_t *now = buffer_contents(memory);
    memcpy(memory->expected, now, memory->size);
    free(now);
  }
}

int64_t buffer_difference(const buffer *memory, uint8_t *got) {
  uint8_t *copy = NULL;
  const uint8_t *now = memory->place;
  if (memory->backend != KVF_CPU) {
    copy = buffer_contents(memory);
    now = copy;
  }
  int64_t at = -1;
  if (memcmp(now, memory->expected, memory->size) != 0) {
    for (at = 0; now[at] == memory->expected[at];) {
      ++at;
    }
    *got = now[at];
  }
  free(copy);
  return at;
}

/* ---- tensors
 * ------------------------------------------------------------------------------------- */

DLTensor *tensor_dl(tensor *view) {
  const bool on_cpu = view->memory->backend == KVF_CPU;
  view->dl = (DLTensor){
      .data = view->memory->place,
      .device = {on_cpu ? kDLCPU : kDLCUDA, 0},
      .ndim = view->rank,
      .dtype = view->dtype,
      .shape = view->shape,
      .strides = view->stride,
      .byte_offset = (uint64_t)view->start,
  };
  return &view->dl;
}

DLDataType dl_dtype(kvf_dtype dtype) {
#define CODE(enumerator, name, bits, code) [enumerator] = {code, bits, 1},
  static const DLDataType types[KVF_DTYPE_COUNT] = {KVF_DTYPES(CODE)};
#undef CODE
  return types[dtype];
}
