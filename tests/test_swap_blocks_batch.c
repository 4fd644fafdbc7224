/* swap_blocks_batch: ranges of bytes between addresses of any kind. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "transfer.h"
#include "writer.h"

#define OP (&kvf_op_swap_blocks_batch)

enum { TO, FROM, BUFFERS };
enum { SRC_PTRS, DST_PTRS, SIZES, VECTORS };

/* Bytes of each copy. */
enum { EIGHT, PAGE, MIXED, NOTHING, ONE_LARGE, SIZE_KINDS };

static const int64_t counts[] = {0, 1, 2, 100, 511, 512, 513, 5000};

typedef struct batch_case {
  int direction; /* kind of source times TRANSFER_KINDS, and kind of target */
  int64_t copies;
  int size;
  int stride; /* of the vectors */
  bool any_order;
  int entry, stream;
  uint64_t seed;
} batch_case;

typedef struct batch_call {
  const batch_case *what;
  transfer_buffer buffers[BUFFERS];
  int64_t *vectors[VECTORS];
  DLTensor tensors[VECTORS];
  int64_t shape, stride;
  kvf_exec exec;
} batch_call;

static int64_t size_of(const batch_case *what, int64_t i, uint64_t *state) {
  switch (what->size) {
  case EIGHT:
    return 8;
  case PAGE:
    return 4096;
  case MIXED:
    return random_below(state, 4) == 0 ? 0 : random_below(state, 300);
  case NOTHING:
    return 0;
  default:
    return i == what->copies / 2 ? 3 << 20 : 1;
  }
}

/* Every range in both buffers lies behind the one before it, with a gap now and then; the order of
 * the ranges in the target is reversed. */
static void build(batch_call *call, const batch_case *what) {
  *call = (batch_call){.what = what, .shape = what->copies, .stride = what->stride};
  uint64_t state = what->seed;
  int64_t at = 5;
  for (int i = 0; i < VECTORS; ++i) {
    call->vectors[i] = malloc(8 * (size_t)(what->copies * what->stride + 1));
    memset(call->vectors[i], 0x81, 8 * (size_t)(what->copies * what->stride + 1));
  }
  for (int64_t i = 0; i < what->copies; ++i) {
    const int64_t bytes = size_of(what, i, &state);
    call->vectors[SRC_PTRS][i * what->stride] = at;
    call->vectors[SIZES][i * what->stride] = bytes;
    at += bytes + (random_below(&state, 3) == 0 ? random_below(&state, 20) : 0);
  }
  for (int i = 0; i < BUFFERS; ++i) {
    call->buffers[i] =
        transfer_make((enum transfer_kind)(i == TO ? what->direction % TRANSFER_KINDS
                                                   : what->direction / TRANSFER_KINDS),
                      (size_t)at + 64, what->seed + (uint64_t)i);
    buffer_upload(&call->buffers[i].memory);
  }
  for (int64_t i = 0; i < what->copies; ++i) {
    int64_t *from = &call->vectors[SRC_PTRS][i * what->stride];
    int64_t *to = &call->vectors[DST_PTRS][i * what->stride];
    const int64_t bytes = call->vectors[SIZES][i * what->stride];
    *to = at + 40 - *from - bytes;
    memcpy(call->buffers[TO].memory.expected + *to, call->buffers[FROM].memory.expected + *from,
           (size_t)bytes);
    *from += (int64_t)(uintptr_t)call->buffers[FROM].memory.place;
    *to += (int64_t)(uintptr_t)call->buffers[TO].memory.place;
    if (bytes == 0 && i % 2) { /* never looked at */
      *from = 0;
      *to = 17;
    }
  }
  for (int i = 0; i < VECTORS; ++i) {
    call->tensors[i] = (DLTensor){.data = call->vectors[i],
                                  .device = {kDLCPU, 0},
                                  .ndim = 1,
                                  .dtype = {kDLInt, 64, 1},
                                  .shape = &call->shape,
                                  .strides = &call->stride};
  }
  call->exec = (kvf_exec){.backend = options.backend, .stream = transfer_stream(what->stream)};
}

static kvf_status invoke(batch_call *call) {
  const batch_case *what = call->what;
  const kvf_exec *exec = options.backend == KVF_CPU && what->stream ? NULL : &call->exec;
  if (what->entry == ENTRY_TYPED) {
    return kvf_swap_blocks_batch(exec, &call->tensors[0], &call->tensors[1], &call->tensors[2],
                                 what->any_order);
  }
  if (what->entry == ENTRY_BOXED) {
    const kvf_value values[] = {{.kind = KVF_KIND_TENSOR, .as.tensor = &call->tensors[0]},
                                {.kind = KVF_KIND_TENSOR, .as.tensor = &call->tensors[1]},
                                {.kind = KVF_KIND_TENSOR, .as.tensor = &call->tensors[2]},
                                {.kind = KVF_KIND_BOOL, .as.boolean = what->any_order}};
    return kvf_call(OP, exec, values, what->any_order ? 4 : 3);
  }
  const kvf_swap_blocks_batch_params params = {
      .src_ptrs = {.data = call->vectors[SRC_PTRS], .stride = {what->stride}},
      .dst_ptrs = {.data = call->vectors[DST_PTRS], .stride = {what->stride}},
      .sizes = {.data = call->vectors[SIZES], .stride = {what->stride}},
      .num_copies = what->copies,
      .is_src_access_order_any = what->any_order,
      .streaming = -1,
  };
  return kvf_launch_swap_blocks_batch(exec, kvf_select(OP, options.backend, KVF_B8), &params);
}

static void finish(batch_call *call, const char *name) {
  transfer_verify(call->buffers, BUFFERS, name);
  for (int i = 0; i < BUFFERS; ++i) {
    transfer_free(&call->buffers[i]);
  }
  for (int i = 0; i < VECTORS; ++i) {
    free(call->vectors[i]);
  }
}

static void run(const batch_case *what) {
  char name[192];
  (void)snprintf(name, sizeof name,
                 "direction %d, %lld copies of kind %d, stride %d, %s order, entry %d, stream %d, "
                 "seed %llu",
                 what->direction, (long long)what->copies, what->size, what->stride,
                 what->any_order ? "any" : "stream", what->entry, what->stream,
                 (unsigned long long)what->seed);
  batch_call call;
  vary_order(what->seed);
  build(&call, what);
  EXPECT_STATUS(invoke(&call), KVF_OK);
  /* The vectors are the caller's again. */
  for (int i = 0; i < VECTORS; ++i) {
    memset(call.vectors[i], 0x77, 8 * (size_t)(what->copies * what->stride + 1));
  }
  finish(&call, name);
  count_case(kvf_select(OP, options.backend, KVF_B8));
}

enum { DIRECTION, COPIES, SIZE_, STRIDE_, ANY_ORDER, ENTRY_, STREAM, BATCH_AXES };

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const bool on_cpu = options.backend == KVF_CPU;
  const covering plan = {.num_axes = BATCH_AXES,
                         .sizes = {on_cpu ? 1 : TRANSFER_KINDS * TRANSFER_KINDS, TEST_COUNT(counts),
                                   SIZE_KINDS, 2, 2, ENTRIES, TRANSFER_STREAMS}};
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    run(&(batch_case){.direction = value[DIRECTION],
                      .copies =
                          value[SIZE_] == PAGE ? counts[value[COPIES]] / 4 : counts[value[COPIES]],
                      .size = value[SIZE_],
                      .stride = 1 + 2 * value[STRIDE_],
                      .any_order = value[ANY_ORDER],
                      .entry = value[ENTRY_],
                      .stream = value[STREAM],
                      .seed = options.seed + (uint64_t)i});
  }
  free(rows);
}

/* As many copies as an offload connector submits at once. */
static void test_many(void) {
  if (!need_backend()) {
    return;
  }
  for (int stream = 0; stream < TRANSFER_STREAMS; ++stream) {
    for (int i = 0; i < (options.backend == KVF_CPU ? 1 : 4); ++i) {
      static const int directions[] = {
          ON_HOST * TRANSFER_KINDS + ON_HOST, PINNED * TRANSFER_KINDS + ON_DEVICE,
          ON_DEVICE * TRANSFER_KINDS + PINNED, ON_DEVICE * TRANSFER_KINDS + ON_DEVICE};
      run(&(batch_case){.direction = directions[i],
                        .copies = 60000,
                        .size = i % 2 ? MIXED : EIGHT,
                        .stride = 1,
                        .any_order = i % 2,
                        .stream = stream,
                        .seed = options.seed});
    }
  }
}

/* Has the emulated driver refuse the next copy, or none. */
static void refuse_copies(bool next) {
  static void (*fail)(const char *function, unsigned skip, unsigned count, int code);
  if (cuda.reset == NULL) {
    return;
  }
  void *found = dlsym(dlopen(getenv("KVFORGE_LIBCUDA"), RTLD_NOW), "kvf_emulator_fail");
  memcpy(&fail, &found, sizeof fail);
  fail(NULL, 0, 0, 0);
  if (next) {
    fail("cuMemcpyBatchAsync_v2", 0, 1, 1);
    fail("cuMemcpyAsync", 0, 1, 1);
  }
}

/* Pages between allocations, every other one of each; the last of all is on the host or not. A
 * kernel makes such copies: none is the driver's while all lie on the device. */
static void test_allocations(void) {
  enum { PAGES = 700, BYTES = 48, LAST = 3 };
  if (options.backend == KVF_CPU || !need_backend()) {
    return;
  }
  for (int on_host = 0; on_host < 2; ++on_host) {
    transfer_buffer buffers[LAST + 1]; /* two to copy to, two to copy from */
    int64_t vectors[VECTORS][PAGES];
    DLTensor tensors[VECTORS];
    int64_t shape = PAGES;
    for (int i = 0; i <= LAST; ++i) {
      buffers[i] = transfer_make(i == LAST && on_host ? PINNED : ON_DEVICE, PAGES * BYTES,
                                 options.seed + (uint64_t)i);
      buffer_upload(&buffers[i].memory);
    }
    for (int64_t i = 0; i < PAGES; ++i) {
      buffer *from = &buffers[i < PAGES - 1 ? 2 : LAST].memory;
      buffer *to = &buffers[i % 2].memory;
      const int64_t source = i * 13 % PAGES / 2 * BYTES; /* of two pages each */
      memcpy(to->expected + i * BYTES, from->expected + source, BYTES);
      vectors[SRC_PTRS][i] = (int64_t)(uintptr_t)from->place + source;
      vectors[DST_PTRS][i] = (int64_t)(uintptr_t)to->place + i * BYTES;
      vectors[SIZES][i] = BYTES;
    }
    for (int i = 0; i < VECTORS; ++i) {
      tensors[i] = (DLTensor){.data = vectors[i],
                              .device = {kDLCPU, 0},
                              .ndim = 1,
                              .dtype = {kDLInt, 64, 1},
                              .shape = &shape};
    }
    const kvf_exec exec = {.backend = KVF_CUDA, .stream = own_stream()};
    refuse_copies(!on_host);
    EXPECT_STATUS(kvf_swap_blocks_batch(&exec, &tensors[0], &tensors[1], &tensors[2], false),
                  KVF_OK);
    refuse_copies(false);
    transfer_verify(buffers, LAST + 1, on_host ? "one page on the host" : "all on the device");
    for (int i = 0; i <= LAST; ++i) {
      transfer_free(&buffers[i]);
    }
    count_case(kvf_select(OP, options.backend, KVF_B8));
  }
}

/* ---- what is refused
 * ----------------------------------------------------------------------------- */

enum spoil_batch { NO_TENSOR, RANK_OF, SIZE_OF, DTYPE_OF, DEVICE_OF, NO_DATA, ELEMENT, OVERLAP };

#define TYPE KVF_INVALID_TYPE
#define VALUE_ KVF_INVALID_VALUE

/* clang-format off */
static const struct {
  const char *what;
  int which;
  enum spoil_batch spoil;
  int64_t at, number;
  kvf_status status;
  const char *start, *part, *other;
} mistakes[] = {
  {"no src_ptrs", SRC_PTRS, NO_TENSOR, 0, 0, VALUE_, "swap_blocks_batch: src_ptrs: ", "got NULL", "want a tensor"},
  {"no dst_ptrs", DST_PTRS, NO_TENSOR, 0, 0, VALUE_, "swap_blocks_batch: dst_ptrs: ", "got NULL", "want a tensor"},
  {"no sizes", SIZES, NO_TENSOR, 0, 0, VALUE_, "swap_blocks_batch: sizes: ", "got NULL", "want a tensor"},
  {"rank", SRC_PTRS, RANK_OF, 0, 2, VALUE_, "swap_blocks_batch: src_ptrs: ", "rank is 2", "want 1"},
  {"fewer", DST_PTRS, SIZE_OF, 0, 6, VALUE_, "swap_blocks_batch: dst_ptrs: ", "(num_copies) is 6", "want 7 as in src_ptrs"},
  {"more", SIZES, SIZE_OF, 0, 8, VALUE_, "swap_blocks_batch: sizes: ", "(num_copies) is 8", "want 7 as in src_ptrs"},
  {"negative", SRC_PTRS, SIZE_OF, 0, -7, VALUE_, "swap_blocks_batch: src_ptrs: ", "is -7", "want 0 or more"},
  {"uint64", SRC_PTRS, DTYPE_OF, kDLUInt, 64, TYPE, "swap_blocks_batch: src_ptrs: ", "dtype is uint64", "want int64"},
  {"int32", SIZES, DTYPE_OF, kDLInt, 32, TYPE, "swap_blocks_batch: sizes: ", "dtype is int32", "want int64"},
  {"on a device", DST_PTRS, DEVICE_OF, kDLCUDA, 0, TYPE, "swap_blocks_batch: dst_ptrs: ", "device type 2", "want the CPU"},
  {"no address", SIZES, NO_DATA, 0, 0, VALUE_, "swap_blocks_batch: sizes: ", "data is NULL", "want an address"},
  {"negative size", SIZES, ELEMENT, 6, -1, VALUE_, "swap_blocks_batch: sizes: ", "element 6 is -1", "want 0 or more"},
  {"source NULL", SRC_PTRS, ELEMENT, 6, 0, VALUE_, "swap_blocks_batch: src_ptrs: ", "element 6 is 0", "want an address"},
  {"reaches into itself", DST_PTRS, OVERLAP, 3, 7, VALUE_, "swap_blocks_batch: dst_ptrs: ", "element 3 lies 7 bytes", "want the same address or 8 (its size)"},
  {"reaches back into itself", DST_PTRS, OVERLAP, 4, -1, VALUE_, "swap_blocks_batch: dst_ptrs: ", "element 4 lies -1 bytes", "or 8 (its size) or more"},
  {"target NULL", DST_PTRS, ELEMENT, 5, 0, VALUE_, "swap_blocks_batch: dst_ptrs: ", "element 5 is 0", "want an address"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  static const batch_case what = {.copies = 7, .size = EIGHT, .stride = 1, .seed = 3};
  for (size_t i = 0; i < TEST_COUNT(mistakes); ++i) {
    batch_call call;
    build(&call, &what);
    /* Nothing is copied, so the images are those from before. */
    for (int side = 0; side < BUFFERS; ++side) {
      memcpy(call.buffers[side].memory.expected, call.buffers[side].memory.place,
             call.buffers[side].memory.size);
    }
    DLTensor *given[] = {&call.tensors[0], &call.tensors[1], &call.tensors[2]};
    DLTensor *spoiled = given[mistakes[i].which];
    int64_t shape = mistakes[i].number;
    switch (mistakes[i].spoil) {
    case NO_TENSOR:
      given[mistakes[i].which] = NULL;
      break;
    case RANK_OF:
      spoiled->ndim = (int32_t)mistakes[i].number;
      break;
    case SIZE_OF:
      spoiled->shape = &shape;
      break;
    case DTYPE_OF:
      spoiled->dtype = (DLDataType){(uint8_t)mistakes[i].at, (uint8_t)mistakes[i].number, 1};
      break;
    case DEVICE_OF:
      spoiled->device = (DLDevice){(DLDeviceType)mistakes[i].at, 0};
      break;
    case NO_DATA:
      spoiled->data = NULL;
      break;
    case OVERLAP:
      call.vectors[DST_PTRS][mistakes[i].at] =
          call.vectors[SRC_PTRS][mistakes[i].at] + mistakes[i].number;
      break;
    case ELEMENT:
      call.vectors[mistakes[i].which][mistakes[i].at] = mistakes[i].number;
      break;
    }
    const kvf_status status =
        kvf_swap_blocks_batch(&call.exec, given[0], given[1], given[2], false);
    transfer_refused(call.buffers, BUFFERS, status, mistakes[i].status, mistakes[i].what,
                     mistakes[i].start, mistakes[i].part, mistakes[i].other);
    finish(&call, mistakes[i].what);
  }
}

/* Copies that the driver took before the one it refused are done, those behind it are not. */
static void expect_part(const batch_call *call, const uint8_t *before, int64_t done,
                        int64_t refused) {
  uint8_t *after = buffer_contents(&call->buffers[TO].memory);
  uint8_t *from = buffer_contents(&call->buffers[FROM].memory);
  int64_t wrong = 0;
  for (int64_t i = 0; i < 3000; ++i) {
    const int64_t target =
        call->vectors[DST_PTRS][i] - (int64_t)(uintptr_t)call->buffers[TO].memory.place;
    const int64_t source =
        call->vectors[SRC_PTRS][i] - (int64_t)(uintptr_t)call->buffers[FROM].memory.place;
    const size_t bytes = (size_t)call->vectors[SIZES][i];
    if (i < done) {
      wrong += memcmp(after + target, from + source, bytes) != 0;
    } else if (i > refused) {
      wrong += memcmp(after + target, before + target, bytes) != 0;
    }
  }
  EXPECT(wrong == 0, "%lld copies are not as the header says", (long long)wrong);
  free(after);
  free(from);
}

/* What the driver refuses is told with its words, also in the middle of a long list. */
static void test_driver_refuses(void) {
  if (options.backend == KVF_CPU || !need_backend()) {
    return; /* addresses of the host cannot be checked */
  }
  if (cuda.last_fault == NULL) {
    skip_test("a real driver may not survive a bad address");
    return;
  }
  for (int stream = 0; stream < TRANSFER_STREAMS; ++stream) {
    const batch_case what = {.direction = ON_DEVICE * TRANSFER_KINDS + ON_DEVICE,
                             .copies = 3000,
                             .size = EIGHT,
                             .stride = 1,
                             .stream = stream,
                             .seed = 3};
    batch_call call;
    build(&call, &what);
    call.vectors[DST_PTRS][2500] =
        (int64_t)((uintptr_t)call.buffers[TO].memory.place + call.buffers[TO].memory.size);
    uint8_t *before = buffer_contents(&call.buffers[TO].memory);
    EXPECT_STATUS(invoke(&call), KVF_CUDA_ERROR);
    EXPECT_TEXT(kvf_last_error(), stream == OWN_STREAM
                                      ? "elements 0 to 2047 of src_ptrs and perhaps some of 2048 "
                                        "to 2559"
                                      : "enqueued: elements 0 to 2499 of src_ptrs");
    EXPECT_TEXT(kvf_last_error(), "CUDA_ERROR_INVALID_VALUE");
    (void)memory_synchronize(KVF_CUDA);
    expect_part(&call, before, 2048, 2500);
    free(before);
    for (int side = 0; side < BUFFERS; ++side) { /* part of it may be copied */
      (void)cuda.download(call.buffers[side].memory.expected,
                          (uint64_t)(uintptr_t)call.buffers[side].memory.place,
                          call.buffers[side].memory.size);
    }
    finish(&call, "refused by the driver");
    count_case(NULL);
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  static int64_t numbers[1] = {1};
  const kvf_view view = {.data = numbers, .stride = {1}};
  const kvf_swap_blocks_batch_params good = {
      .src_ptrs = view, .dst_ptrs = view, .sizes = view, .num_copies = 1};
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_swap_blocks_batch_params params;
    const char *member;
  } rows[] = {{good, "src_ptrs"}, {good, "dst_ptrs"}, {good, "sizes"}, {good, "num_copies"}};
  rows[0].params.src_ptrs.data = NULL;
  rows[1].params.dst_ptrs.data = NULL;
  rows[2].params.sizes.data = NULL;
  rows[3].params.num_copies = -1;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    char start[96];
    (void)snprintf(start, sizeof start, "swap_blocks_batch: %s: ", rows[i].member);
    transfer_refused(NULL, 0, kvf_launch_swap_blocks_batch(NULL, variant, &rows[i].params), VALUE_,
                     rows[i].member, start, "", "want ");
  }
  EXPECT_STATUS(kvf_launch_swap_blocks_batch(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo swap_blocks_batch_tests[] = {
    {"every pair of axis values", test_matrix},
    {"60000 copies", test_many},
    {"pages of several allocations", test_allocations},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    {"what the driver refuses", test_driver_refuses},
    CU_TEST_INFO_NULL,
};
