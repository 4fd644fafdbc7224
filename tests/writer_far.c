/* Tensors whose elements lie more than 2^31 elements apart: index arithmetic must be 64-bit. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "oracle.h"
#include "writer.h"

/* Zeroed memory of many gigabytes, of which only what is touched exists (on the CPU). */
typedef struct region {
  kvf_backend backend;
  size_t size;
  uint8_t *place;
} region;

static bool region_make(region *made, kvf_backend backend, size_t size) {
  *made = (region){.backend = backend, .size = size};
  if (backend == KVF_CPU) {
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
      return false;
    }
    (void)madvise(mapped, size, MADV_NOHUGEPAGE);
    made->place = mapped;
    return true;
  }
  uint64_t address = 0;
  if (cuda.alloc(&address, size) != 0) {
    return false;
  }
  made->place = (uint8_t *)(uintptr_t)address;
  EXPECT(cuda.set_async(address, 0, size, NULL) == 0, "cuMemsetD8Async failed");
  return true;
}

static void region_free(region *made) {
  if (made->place != NULL && made->backend == KVF_CPU) {
    (void)munmap(made->place, made->size);
  } else if (made->place != NULL) {
    (void)cuda.free((uint64_t)(uintptr_t)made->place);
  }
  made->place = NULL;
}

static void region_put(const region *to, int64_t at, const void *bytes, size_t count) {
  if (to->backend == KVF_CPU) {
    memcpy(to->place + at, bytes, count);
  } else {
    (void)cuda.upload((uint64_t)(uintptr_t)(to->place + at), bytes, count);
  }
}

static void region_get(const region *from, int64_t at, void *bytes, size_t count) {
  if (from->backend == KVF_CPU) {
    memcpy(bytes, from->place + at, count);
  } else {
    (void)cuda.download(bytes, (uint64_t)(uintptr_t)(from->place + at), count);
  }
}

/* CPU: offset of the first byte that is not 0, looking only at pages that exist; -1 if none. */
static int64_t region_first_nonzero(const region *where) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const size_t pages = (where->size + page - 1) / page;
  unsigned char *resident = malloc(pages);
  int64_t found = -1;
  if (resident != NULL && mincore(where->place, where->size, resident) == 0) {
    for (size_t i = 0; i < where->size && found < 0; ++i) {
      if ((resident[i / page] & 1) == 0) {
        i |= page - 1;
      } else if (where->place[i] != 0) {
        found = (int64_t)i;
      }
    }
  }
  free(resident);
  return found;
}

enum { FAR_ROWS, FAR_HEADS, FAR_ELEMENTS, FAR_KINDS };

enum { TOKENS_FAR = 2, HEADS_FAR = 2, SIZE_FAR = 48, BLOCK_FAR = 4 };

/* A stride that takes the last of `count` indices past 2^31. */
static int64_t far_stride(int64_t count) { return (INT64_C(1) << 31) / (count - 1) + 17; }

static void stretch(tensor *view, int dimension) {
  view->stride[dimension] = far_stride(view->shape[dimension]);
}

static size_t span(const tensor *view) {
  int64_t last = 0;
  for (int i = 0; i < view->rank; ++i) {
    last += (view->shape[i] - 1) * view->stride[i];
  }
  return (size_t)(last + 1) * (view->dtype.bits / 8);
}

/* Every element of a cache is what the oracle says; then all of it is set to 0. */
static bool check_and_clear(const writer_call *call, int side, const region *memory) {
  const tensor *source = &call->view[KEY + side];
  const tensor *cache = &call->view[KEY_CACHE + side];
  const size_t bytes = cache->dtype.bits / 8;
  bool same = true;
  for (int64_t token = 0; token < TOKENS_FAR; ++token) {
    const int64_t slot = token == 0 ? 2 * BLOCK_FAR - 1 : 1;
    for (int64_t head = 0; head < HEADS_FAR; ++head) {
      for (int64_t element = 0; element < SIZE_FAR; ++element) {
        const int64_t from =
            token * source->stride[0] + head * source->stride[1] + element * source->stride[2];
        const int64_t to =
            call->op->at(cache, side, slot / BLOCK_FAR, slot % BLOCK_FAR, head, element);
        uint8_t given[4] = {0};
        uint8_t want[4] = {0};
        uint8_t got[4] = {0};
        const uint8_t zero[4] = {0};
        region_get(&memory[KEY + side], from * (source->dtype.bits / 8), given,
                   source->dtype.bits / 8);
        oracle_store(kvf_scalar_of(call->variant), kvf_cache_of(call->variant), given, 1.0f, want);
        region_get(&memory[KEY_CACHE + side], to * (int64_t)bytes, got, bytes);
        same = same && memcmp(got, want, bytes) == 0;
        region_put(&memory[KEY_CACHE + side], to * (int64_t)bytes, zero, bytes);
      }
    }
  }
  return same;
}

static void fill_source(const tensor *source, kvf_dtype scalar, const region *memory) {
  for (int64_t token = 0; token < TOKENS_FAR; ++token) {
    for (int64_t head = 0; head < HEADS_FAR; ++head) {
      for (int64_t element = 0; element < SIZE_FAR; ++element) {
        uint8_t bits[4];
        oracle_make(scalar, 1.0 + (double)(token * 96 + head * 48 + element) / 8.0, bits);
        region_put(
            memory,
            (token * source->stride[0] + head * source->stride[1] + element * source->stride[2]) *
                (source->dtype.bits / 8),
            bits, source->dtype.bits / 8);
      }
    }
  }
}

/* Strides of one kind of case; the dimensions to stretch are those that this kind is about. */
static void place_views(writer_call *call, int kind) {
  const int64_t source_shape[5] = {TOKENS_FAR, HEADS_FAR, SIZE_FAR};
  int64_t cache_shape[SIDES][5] = {{0}};
  call->op->shape(&call->sizes, cache_shape);
  const placement cache = call->op->layout(0, &call->sizes, (const int64_t (*)[5])cache_shape);
  for (int side = 0; side < SIDES; ++side) {
    tensor *source = &call->view[KEY + side];
    *source = (tensor){.dtype = dl_dtype(kvf_scalar_of(call->variant)), .rank = 3};
    memcpy(source->shape, source_shape, sizeof source->shape);
    lay_out(source->stride, source_shape, "012", 1, 0);
    tensor *view = &call->view[KEY_CACHE + side];
    *view = (tensor){.dtype = dl_dtype(kvf_cache_of(call->variant)), .rank = call->op->rank[side]};
    memcpy(view->shape, cache_shape[side], sizeof view->shape);
    memcpy(view->stride, cache.stride[side], sizeof view->stride);
    /* The dimension that moves with the head, or with the element, whatever the layout. */
    const int64_t one = call->op->at(view, side, 0, 0, kind == FAR_HEADS, kind == FAR_ELEMENTS);
    int dimension = 0;
    for (int i = 0; kind != FAR_ROWS && i < view->rank; ++i) {
      dimension = view->stride[i] == one ? i : dimension;
    }
    stretch(source, kind);
    stretch(view, dimension);
    if (kind == FAR_ELEMENTS && call->op->num_x && side == 0) {
      view->stride[2] = far_stride(view->shape[2]) * 2; /* groups, beside elements of a group */
    }
  }
}

static bool run_far(const writer_op *op, const kvf_variant *variant, int kind) {
  static int64_t slots[TOKENS_FAR] = {2 * BLOCK_FAR - 1, 1};
  writer_call call = {.op = op, .variant = variant, .exec = {.backend = variant->backend}};
  call.sizes =
      (writer_sizes){TOKENS_FAR, TOKENS_FAR, HEADS_FAR, SIZE_FAR,
                     SIZE_FAR,   2,          BLOCK_FAR, op->x_divides_pages ? BLOCK_FAR / 2 : 8};
  place_views(&call, kind);
  region memory[TENSORS] = {{.size = 0}};
  bool made = true;
  DLTensor argument[TENSORS];
  for (int i = 0; i < TENSORS; ++i) {
    tensor *view = &call.view[i];
    if (i == SLOT_MAPPING) {
      *view = (tensor){.dtype = {kDLInt, 64, 1}, .rank = 1, .shape = {TOKENS_FAR}, .stride = {1}};
    } else if (i >= K_SCALE) {
      *view = (tensor){.dtype = dl_dtype(KVF_F32), .rank = 1, .shape = {1}, .stride = {1}};
    }
    made = made && region_make(&memory[i], variant->backend, span(view));
    call.memory[i] = (buffer){.backend = variant->backend, .place = memory[i].place};
    view->memory = &call.memory[i];
    argument[i] = *tensor_dl(view);
  }
  if (!made) {
    skip_part("no room for tensors of 2^31 elements");
  } else {
    const float one = 1.0f;
    region_put(&memory[SLOT_MAPPING], 0, slots, sizeof slots);
    region_put(&memory[K_SCALE], 0, &one, sizeof one);
    region_put(&memory[V_SCALE], 0, &one, sizeof one);
    fill_source(&call.view[KEY], kvf_scalar_of(variant), &memory[KEY]);
    fill_source(&call.view[VALUE], kvf_scalar_of(variant), &memory[VALUE]);
    EXPECT_STATUS(op->typed(NULL, &argument[KEY], &argument[VALUE], &argument[KEY_CACHE],
                            &argument[VALUE_CACHE], &argument[SLOT_MAPPING],
                            kvf_dtype_name(kvf_cache_of(variant)), &argument[K_SCALE],
                            &argument[V_SCALE], NULL),
                  KVF_OK);
    const char *wrong = memory_synchronize(variant->backend);
    EXPECT(wrong == NULL, "%s: %s", variant->symbol, wrong);
    for (int side = 0; side < SIDES; ++side) {
      EXPECT(check_and_clear(&call, side, memory), "%s: %s, kind %d: wrong elements",
             variant->symbol, writer_argument_names[KEY_CACHE + side], kind);
      if (variant->backend == KVF_CPU) {
        const int64_t stray = region_first_nonzero(&memory[KEY_CACHE + side]);
        EXPECT(stray < 0, "%s: %s, kind %d: byte %lld was written too", variant->symbol,
               writer_argument_names[KEY_CACHE + side], kind, (long long)stray);
      }
    }
    count_case(variant);
  }
  for (int i = 0; i < TENSORS; ++i) {
    region_free(&memory[i]);
  }
  return made;
}

void writer_test_far(const writer_op *op) {
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CUDA && cuda.reset != NULL) {
    skip_test("the emulated driver's memory is real: 2^31 elements do not fit");
    return;
  }
  for (int i = 0; i < op->op->num_variants; ++i) {
    for (int kind = 0; writer_wants(&op->op->variants[i]) && kind < FAR_KINDS; ++kind) {
      if (!run_far(op, &op->op->variants[i], kind)) {
        return;
      }
    }
  }
}
