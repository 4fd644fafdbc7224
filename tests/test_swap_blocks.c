/* swap_blocks: pages between host and devices, pair after pair. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "region.h"
#include "transfer.h"
#include "writer.h"

#define OP (&kvf_op_swap_blocks)

enum { SRC, DST, MAPPING, BUFFERS };

/* From where to where; the last is one tensor as both. */
enum {
  DIRECTIONS = TRANSFER_KINDS * TRANSFER_KINDS,
  SAME_HOST = DIRECTIONS,
  SAME_DEVICE,
  ALL_DIRECTIONS
};

enum {
  SHUFFLED, /* no page is in two pairs */
  RUNS,     /* a few pages in a row on both sides, then a jump */
  ONE_TARGET,
  SHIFTED, /* (0, 1), (1, 2), ... */
  SHIFTED_BACK,
  FOLDED, /* pages 65536 apart and more */
  CHAOS,
  ORDERS,
  APART = ORDERS /* pages up to 2^25 */
};

enum { WIDE, NARROW, WIDE_STRIDED, INDEX_KINDS };

/* Between pages of src and dst, in bytes, and whether block_size_in_bytes counts them. */
static const struct {
  int64_t between[2];
  bool counted;
} gaps[] = {
    {{0, 0}, false}, {{32, 0}, false}, {{0, 6}, false}, {{2, 54}, false}, {{4096, 4096}, true}};

static const int64_t sizes[] = {1, 7, 64, 100, 4096, 5000, 9000};
static const int64_t item_counts[] = {0, 1, 2, 33, 700, 5000};
static const int offsets[] = {0, 1, 16};

typedef struct swap_case {
  int direction;
  int64_t block_size, items;
  int order, index, offset, entry, stream;
  bool typed_words; /* the tensors have elements of two bytes */
  int gaps;
  bool with_exec;
  uint64_t seed;
} swap_case;

typedef struct swap_call {
  const swap_case *what;
  bool same;
  kvf_exec exec;
  const kvf_exec *given_exec;
  int64_t blocks;   /* of src and of dst */
  int64_t apart[2]; /* bytes from one page to the next */
  transfer_buffer buffers[BUFFERS];
  int64_t start[2];
  int64_t mapping_stride[2];
  int index_bytes;
  int64_t shapes[BUFFERS][2], strides[BUFFERS][2];
  DLTensor tensors[BUFFERS];
} swap_call;

static enum transfer_kind kind_of(const swap_case *what, int which) {
  if (what->direction >= DIRECTIONS) {
    return what->direction == SAME_HOST ? ON_HOST : ON_DEVICE;
  }
  return (enum transfer_kind)(which == SRC ? what->direction / TRANSFER_KINDS
                                           : what->direction % TRANSFER_KINDS);
}

static void make_pair(const swap_call *call, int64_t i, uint64_t *state, int64_t pair[2]) {
  const int64_t blocks = call->blocks;
  pair[0] = random_below(state, blocks);
  pair[1] = random_below(state, blocks);
  switch (call->what->order) {
  case SHUFFLED: /* a step that has no factor in common with a prime number of blocks */
    pair[0] = i * 7 % blocks;
    pair[1] = i * 11 % blocks;
    break;
  case RUNS:
    pair[0] = (i + i / 5 * 3) % blocks;
    pair[1] = (i + i / 5 * 8) % blocks;
    break;
  case ONE_TARGET:
    pair[1] = blocks / 2;
    break;
  case SHIFTED:
    pair[0] = i % (blocks - 1);
    pair[1] = pair[0] + 1;
    break;
  case SHIFTED_BACK:
    pair[1] = i % (blocks - 1);
    pair[0] = pair[1] + 1;
    break;
  case FOLDED:
    pair[0] = i % 2 ? blocks - 1 - i % 97 : i % 97;
    pair[1] = i % 3 ? blocks - 1 - i % 89 : i % 89;
    break;
  case APART:
    pair[0] = blocks - 1 - i * 60013;
    pair[1] = i * 90001;
    break;
  default: /* CHAOS */
    pair[0] %= 5;
    pair[1] %= 5;
    break;
  }
}

static void put_block(const swap_call *call, int64_t item, int column, int64_t block) {
  const int64_t at = item * call->mapping_stride[0] + column * call->mapping_stride[1];
  memcpy(call->buffers[MAPPING].memory.expected + at * call->index_bytes, &block,
         (size_t)call->index_bytes);
}

static void build(swap_call *call, const swap_case *what) {
  *call = (swap_call){.what = what, .same = what->direction >= DIRECTIONS};
  const int64_t widest = what->block_size < 16 && what->order == FOLDED ? 140009 : 6007;
  call->blocks = what->order == APART ? (1 << 25) + 77 : what->block_size > 1000 ? 211 : widest;
  for (int i = SRC; i <= DST; ++i) {
    /* One tensor as both has one distance. */
    call->apart[i] = what->block_size + gaps[what->gaps].between[call->same ? SRC : i];
  }
  for (int i = SRC; i <= (call->same ? SRC : DST); ++i) {
    const int64_t span = call->blocks * call->apart[i];
    call->start[i] = 64 + what->offset;
    call->buffers[i] = transfer_make(kind_of(what, i), (size_t)(span + call->start[i] + 48),
                                     what->seed + (uint64_t)i);
  }
  if (call->same) {
    call->buffers[DST] = call->buffers[SRC];
    call->start[DST] = call->start[SRC];
  }
  const bool strided = what->index == WIDE_STRIDED;
  call->index_bytes = what->index == NARROW ? 4 : 8;
  call->mapping_stride[0] = strided ? 5 : 2;
  call->mapping_stride[1] = strided ? 3 : 1;
  call->buffers[MAPPING] =
      transfer_make(ON_HOST, (size_t)(8 * (5 * what->items + 5)), what->seed + 7);
  uint64_t state = what->seed;
  for (int64_t i = 0; i < what->items; ++i) {
    int64_t pair[2];
    make_pair(call, i, &state, pair);
    put_block(call, i, 0, pair[0]);
    put_block(call, i, 1, pair[1]);
  }
  call->exec.backend = options.backend;
  call->exec.stream = transfer_stream(what->stream);
  call->given_exec = what->with_exec ? &call->exec : NULL;
}

static void prepare(swap_call *call) {
  const swap_case *what = call->what;
  for (int i = 0; i < BUFFERS; ++i) {
    if (!(call->same && i == DST)) {
      buffer_upload(&call->buffers[i].memory);
    }
    call->tensors[i] = (DLTensor){.data = call->buffers[i].memory.place,
                                  .device = transfer_device(call->buffers[i].kind),
                                  .ndim = i == MAPPING ? 2 : 1,
                                  .dtype = {kDLUInt, 8, 1},
                                  .shape = call->shapes[i],
                                  .strides = call->strides[i]};
    if (i == MAPPING) {
      break;
    }
    call->tensors[i].byte_offset = (uint64_t)call->start[i];
    call->shapes[i][0] = call->blocks * what->block_size;
    call->strides[i][0] = 1;
    const bool words = what->typed_words && what->block_size % 2 == 0 && what->offset % 2 == 0;
    if (words || call->apart[i] != what->block_size) {
      const int64_t item = words ? 2 : 1;
      call->tensors[i].dtype = words ? (DLDataType){kDLBfloat, 16, 1} : (DLDataType){kDLUInt, 8, 1};
      call->tensors[i].ndim = 2;
      call->shapes[i][0] = call->blocks;
      call->shapes[i][1] = what->block_size / item;
      call->strides[i][0] = call->apart[i] / item;
      call->strides[i][1] = 1;
    }
  }
  call->tensors[MAPPING].dtype = (DLDataType){kDLInt, (uint8_t)(8 * call->index_bytes), 1};
  call->shapes[MAPPING][0] = what->items;
  call->shapes[MAPPING][1] = 2;
  memcpy(call->strides[MAPPING], call->mapping_stride, sizeof call->mapping_stride);
}

static void note_expected(swap_call *call) {
  const int64_t bytes = call->what->block_size;
  for (int64_t i = 0; i < call->what->items; ++i) {
    int64_t pair[2] = {0, 0};
    for (int column = 0; column < 2; ++column) {
      const int64_t at = i * call->mapping_stride[0] + column * call->mapping_stride[1];
      memcpy(&pair[column], call->buffers[MAPPING].memory.expected + at * call->index_bytes,
             (size_t)call->index_bytes);
    }
    for (int64_t b = 0; b < bytes; ++b) {
      call->buffers[DST].memory.expected[call->start[DST] + pair[1] * call->apart[DST] + b] =
          call->buffers[SRC].memory.expected[call->start[SRC] + pair[0] * call->apart[SRC] + b];
    }
  }
}

static kvf_status invoke(swap_call *call) {
  const swap_case *what = call->what;
  const int64_t block_size = gaps[what->gaps].counted ? call->apart[SRC] : what->block_size;
  DLTensor *const *given = (DLTensor *const[]){
      &call->tensors[SRC], &call->tensors[call->same ? SRC : DST], &call->tensors[MAPPING]};
  if (what->entry == ENTRY_TYPED) {
    return kvf_swap_blocks(call->given_exec, given[0], given[1], block_size, given[2]);
  }
  if (what->entry == ENTRY_BOXED) {
    const kvf_value values[] = {{.kind = KVF_KIND_TENSOR, .as.tensor = given[0]},
                                {.kind = KVF_KIND_TENSOR, .as.tensor = given[1]},
                                {.kind = KVF_KIND_INT, .as.integer = block_size},
                                {.kind = KVF_KIND_TENSOR, .as.tensor = given[2]}};
    return kvf_call(OP, call->given_exec, values, 4);
  }
  const kvf_swap_blocks_params params = {
      .src = {(uint8_t *)call->buffers[SRC].memory.place + call->start[SRC], call->apart[SRC]},
      .dst = {(uint8_t *)call->buffers[DST].memory.place + call->start[DST], call->apart[DST]},
      .num_src_blocks = call->blocks,
      .num_dst_blocks = call->blocks,
      .block_size_in_bytes = what->block_size,
      .block_mapping = {.data = call->buffers[MAPPING].memory.place,
                        .stride = {call->mapping_stride[0], call->mapping_stride[1]},
                        .size = what->items,
                        .index_bytes = call->index_bytes},
      .streaming = -1,
  };
  const bool on_cuda = options.backend == KVF_CUDA;
  return kvf_launch_swap_blocks(on_cuda ? &call->exec : call->given_exec,
                                kvf_select(OP, options.backend, KVF_B8), &params);
}

static void finish(swap_call *call, const char *name) {
  const transfer_buffer checked[] = {call->buffers[SRC], call->buffers[MAPPING],
                                     call->buffers[DST]};
  transfer_verify(checked, call->same ? 2 : 3, name);
  transfer_free(&call->buffers[SRC]);
  transfer_free(&call->buffers[MAPPING]);
  if (!call->same) {
    transfer_free(&call->buffers[DST]);
  }
}

static void run(const swap_case *what) {
  char name[256];
  (void)snprintf(
      name, sizeof name,
      "direction %d, %lld items of order %d, %lld bytes each, index %d, offset %d, entry "
      "%d, stream %d, gaps %d, seed %llu",
      what->direction, (long long)what->items, what->order, (long long)what->block_size,
      what->index, what->offset, what->entry, what->stream, what->gaps,
      (unsigned long long)what->seed);
  swap_call call;
  vary_order(what->seed);
  build(&call, what);
  prepare(&call);
  note_expected(&call);
  EXPECT_STATUS(invoke(&call), KVF_OK);
  finish(&call, name);
  count_case(kvf_select(OP, options.backend, KVF_B8));
}

static bool on_backend(int direction) {
  return options.backend == KVF_CUDA || direction == ON_HOST * TRANSFER_KINDS + ON_HOST ||
         direction == SAME_HOST;
}

/* Between two places of the host nothing says CUDA but exec. */
static bool needs_exec(int direction) {
  const swap_case what = {.direction = direction};
  return kind_of(&what, SRC) != ON_DEVICE && kind_of(&what, DST) != ON_DEVICE;
}

enum {
  DIRECTION,
  SIZE_,
  ORDER,
  ITEMS,
  INDEX_,
  OFFSET,
  ENTRY_,
  STREAM,
  WORDS,
  GAPS,
  EXEC_,
  SWAP_AXES
};

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const covering plan = {.num_axes = SWAP_AXES,
                         .sizes = {ALL_DIRECTIONS, TEST_COUNT(sizes), ORDERS,
                                   TEST_COUNT(item_counts), INDEX_KINDS, TEST_COUNT(offsets),
                                   ENTRIES, TRANSFER_STREAMS, 2, TEST_COUNT(gaps), 2}};
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    int direction = value[DIRECTION];
    if (!on_backend(direction)) {
      direction = direction % 2 ? SAME_HOST : ON_HOST * TRANSFER_KINDS + ON_HOST;
    }
    run(&(swap_case){.direction = direction,
                     .block_size = sizes[value[SIZE_]],
                     .items = item_counts[value[ITEMS]],
                     .order = value[ORDER],
                     .index = value[INDEX_],
                     .offset = offsets[value[OFFSET]],
                     .entry = value[ENTRY_],
                     .stream = value[STREAM],
                     .typed_words = value[WORDS],
                     .gaps = value[GAPS],
                     .with_exec =
                         value[EXEC_] || (options.backend == KVF_CUDA && needs_exec(direction)),
                     .seed = options.seed + (uint64_t)i});
  }
  free(rows);
}

/* One tensor as both: a pair reads what those before it have written, also where the driver is free
 * to make the copies of a batch in any order. */
static void test_same_tensor(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < ORDERS * 3 * 2; ++i) {
    run(&(swap_case){.direction = options.backend == KVF_CUDA ? SAME_DEVICE : SAME_HOST,
                     .block_size = i % 2 ? 64 : 5000,
                     .items = item_counts[2 + i / 2 % 3],
                     .order = i / 6,
                     .with_exec = true,
                     .seed = options.seed * 3 + 1}); /* not forward in the emulated driver */
  }
}

/* A launch names pages in 28 bits. */
static void test_many_pages(void) {
  if (options.backend == KVF_CPU || !need_backend()) {
    return; /* the CPU copies by addresses */
  }
  run(&(swap_case){.direction = ON_DEVICE * TRANSFER_KINDS + ON_DEVICE,
                   .block_size = 1,
                   .items = 300,
                   .order = APART,
                   .with_exec = true,
                   .seed = options.seed});
}

/* The copies are made when the stream comes to them, and what was before it has been done by then.
 */
static void test_stream_order(void) {
  if (options.backend == KVF_CPU || !need_backend()) {
    return; /* the CPU has no streams */
  }
  for (int i = 0; i < 4; ++i) {
    const swap_case what = {.direction = i < 2 ? ON_DEVICE * TRANSFER_KINDS + ON_DEVICE
                                               : ON_DEVICE * TRANSFER_KINDS + PINNED,
                            .block_size = 64,
                            .items = 300,
                            .with_exec = true,
                            .seed = options.seed};
    swap_call call;
    build(&call, &what);
    prepare(&call);
    void *const stream = call.exec.stream = i % 2 ? own_stream() : NULL;
    const buffer *src = &call.buffers[SRC].memory;
    const uint64_t address = (uint64_t)(uintptr_t)src->place;
    memset(src->expected, 0x33, src->size);
    EXPECT(cuda.set_async(address, 0x33, src->size, stream) == 0, "cuMemsetD8Async failed");
    note_expected(&call);
    EXPECT_STATUS(invoke(&call), KVF_OK);
    memset(call.buffers[MAPPING].memory.place, 0xFF, call.buffers[MAPPING].memory.size);
    memset(call.buffers[MAPPING].memory.expected, 0xFF, call.buffers[MAPPING].memory.size);
    memset(src->expected, 0x44, src->size);
    EXPECT(cuda.set_async(address, 0x44, src->size, stream) == 0, "cuMemsetD8Async failed");
    finish(&call, "stream order");
    count_case(kvf_select(OP, options.backend, KVF_B8));
  }
}

/* ---- what is refused
 * ----------------------------------------------------------------------------- */

static const swap_case small = {.block_size = 64, .items = 5, .with_exec = true, .seed = 5};

static void test_out_of_range(void) {
  if (!need_backend()) {
    return;
  }
  static const int64_t wrong[] = {-1, 6007, 6008, INT32_MAX, INT64_MIN, INT64_MAX};
  for (int i = 0; i < 2 * (int)TEST_COUNT(wrong); ++i) {
    swap_case what = small;
    what.direction = options.backend == KVF_CUDA ? ON_HOST * TRANSFER_KINDS + ON_DEVICE : 0;
    swap_call call;
    build(&call, &what);
    put_block(&call, 4, i % 2, wrong[i / 2]); /* the last pair: those before it are not copied */
    prepare(&call);
    char part[96];
    (void)snprintf(part, sizeof part, "[4, %d] is %lld, want 0 to 6006", i % 2,
                   (long long)wrong[i / 2]);
    transfer_refused(call.buffers, BUFFERS, invoke(&call), KVF_OUT_OF_RANGE, "out of range",
                     "swap_blocks: block_mapping: element ", part,
                     i % 2 ? "64 bytes in dst" : "64 bytes in src");
    finish(&call, "out of range");
  }
}

enum spoil_swap {
  NO_TENSOR,
  SIZE_OF,
  STRIDE_OF,
  RANK_OF,
  DTYPE_OF,
  DEVICE_OF,
  NO_DATA,
  OVERLAP,
  BYTES_OF_PAGE
};

#define TYPE KVF_INVALID_TYPE
#define VALUE_ KVF_INVALID_VALUE

/* clang-format off */
static const struct {
  const char *what;
  int which;
  enum spoil_swap spoil;
  int64_t at, number;
  kvf_status status;
  const char *start, *part, *other;
} mistakes[] = {
  {"no src", SRC, NO_TENSOR, 0, 0, VALUE_, "swap_blocks: src: ", "got NULL", "want a tensor"},
  {"no dst", DST, NO_TENSOR, 0, 0, VALUE_, "swap_blocks: dst: ", "got NULL", "want a tensor"},
  {"no mapping", MAPPING, NO_TENSOR, 0, 0, VALUE_, "swap_blocks: block_mapping: ", "got NULL", "want a tensor"},
  {"no address", SRC, NO_DATA, 0, 0, VALUE_, "swap_blocks: src: ", "data is NULL", "want an address"},
  {"no address", DST, NO_DATA, 0, 0, VALUE_, "swap_blocks: dst: ", "data is NULL", "want an address"},
  {"no address", MAPPING, NO_DATA, 0, 0, VALUE_, "swap_blocks: block_mapping: ", "data is NULL", "want an address"},
  {"bits", SRC, DTYPE_OF, kDLUInt, 4, TYPE, "swap_blocks: src: ", "has 4 bits", "want whole bytes"},
  {"bits", DST, DTYPE_OF, kDLUInt, 0, TYPE, "swap_blocks: dst: ", "has 0 bits", "want whole bytes"},
  {"negative size", SRC, SIZE_OF, 0, -1, VALUE_, "swap_blocks: src: ", "size -1", "want 0 or more"},
  {"negative stride", DST, STRIDE_OF, 0, -1, VALUE_, "swap_blocks: dst: ", "stride -1", "want 0 or more"},
  {"too small", SRC, SIZE_OF, 0, 63, KVF_OUT_OF_RANGE, "swap_blocks: block_mapping: ", "want 0 to -1", "in src"},
  {"empty", DST, SIZE_OF, 0, 0, KVF_OUT_OF_RANGE, "swap_blocks: block_mapping: ", "want 0 to -1", "in dst"},
  {"triples", MAPPING, SIZE_OF, 1, 3, VALUE_, "swap_blocks: block_mapping: ", "(source and target) is 3", "want 2"},
  {"a vector", MAPPING, RANK_OF, 0, 1, VALUE_, "swap_blocks: block_mapping: ", "rank is 1", "want 2"},
  {"int16", MAPPING, DTYPE_OF, kDLInt, 16, TYPE, "swap_blocks: block_mapping: ", "dtype is int16", "want int32, int64"},
  {"on a device", MAPPING, DEVICE_OF, kDLCUDA, 0, TYPE, "swap_blocks: block_mapping: ", "device type 2", "want the CPU"},
  {"an unknown device", SRC, DEVICE_OF, kDLMetal, 0, TYPE, "swap_blocks: src: ", "device type is 8", "want CPU or CUDA"},
  {"another device", DST, DEVICE_OF, kDLCUDA, 1, TYPE, "swap_blocks: dst: ", "is on CUDA device 1", "want "},
  {"overlapping", DST, OVERLAP, 0, 64, VALUE_, "swap_blocks: dst: ", "overlap those of src, which begin -64 bytes", "want the same"},
  {"overlapping", DST, OVERLAP, 0, -1, VALUE_, "swap_blocks: dst: ", "which begin 1 bytes", "want the same"},
  {"no bytes", SRC, BYTES_OF_PAGE, 0, 0, VALUE_, "swap_blocks: block_size_in_bytes: ", "got 0", "want 1 or more"},
  {"negative bytes", SRC, BYTES_OF_PAGE, 0, -64, VALUE_, "swap_blocks: block_size_in_bytes: ", "got -64", "want 1 or more"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(mistakes); ++i) {
    swap_case what = small;
    what.direction = options.backend == KVF_CUDA ? ON_HOST * TRANSFER_KINDS + ON_DEVICE : 0;
    swap_call call;
    build(&call, &what);
    prepare(&call);
    const int64_t number = mistakes[i].number;
    int64_t block_size = what.block_size;
    DLTensor *given[] = {&call.tensors[SRC], &call.tensors[DST], &call.tensors[MAPPING]};
    DLTensor *spoiled = given[mistakes[i].which];
    switch (mistakes[i].spoil) {
    case NO_TENSOR:
      given[mistakes[i].which] = NULL;
      break;
    case SIZE_OF:
      spoiled->shape[mistakes[i].at] = number;
      break;
    case STRIDE_OF:
      spoiled->strides[mistakes[i].at] = number;
      break;
    case RANK_OF:
      spoiled->ndim = (int32_t)number;
      break;
    case DTYPE_OF:
      spoiled->dtype = (DLDataType){(uint8_t)mistakes[i].at, (uint8_t)number, 1};
      break;
    case DEVICE_OF:
      spoiled->device = (DLDevice){(DLDeviceType)mistakes[i].at, (int32_t)number};
      break;
    case NO_DATA:
      spoiled->data = NULL;
      break;
    case OVERLAP:
      *given[DST] = *given[SRC];
      given[DST]->byte_offset += (uint64_t)number;
      given[DST]->device = given[SRC]->device;
      break;
    case BYTES_OF_PAGE:
      block_size = number;
      break;
    }
    const kvf_status status =
        kvf_swap_blocks(call.given_exec, given[SRC], given[DST], block_size, given[MAPPING]);
    transfer_refused(call.buffers, BUFFERS, status, mistakes[i].status, mistakes[i].what,
                     mistakes[i].start, mistakes[i].part, mistakes[i].other);
    finish(&call, mistakes[i].what);
  }
}

/*
 * A pool of pages of four layers: a layer's pages go to another one's, and nowhere else. Both ways
 * of saying how large a page is mean the same; what has its gaps elsewhere, or other pages, is
 * refused.
 */
static void test_layers_of_a_pool(void) {
  if (!need_backend()) {
    return;
  }
  enum { PAGES = 6, LAYERS = 4, PAGE = 48, BYTES = PAGES * LAYERS * PAGE };
  static int64_t pairs[][2] = {{0, 5}, {4, 1}, {5, 0}};
  int64_t shape_of_pairs[] = {3, 2};
  const DLTensor mapping = {.data = pairs,
                            .device = {kDLCPU, 0},
                            .ndim = 2,
                            .dtype = {kDLInt, 64, 1},
                            .shape = shape_of_pairs};
  static const struct {
    int from, to; /* layers */
    int64_t block_size;
    int64_t shape[3], stride[3]; /* in place of those of a layer, where there are any */
    const char *refusal;
  } rows[] = {
      {1, 2, PAGE, {0}, {0}, NULL},
      {3, 0, LAYERS * PAGE, {0}, {0}, NULL},
      {2, 2, PAGE, {0}, {0}, NULL},
      {1,
       2,
       2 * PAGE,
       {0},
       {0},
       "swap_blocks: block_size_in_bytes: got 96, want 48, the bytes of a"},
      {0, 1, PAGE, {PAGES, 3, 8}, {LAYERS * PAGE, 16, 1}, "swap_blocks: src: what an index of dim"},
      {0,
       1,
       PAGE,
       {PAGES, 3, 16},
       {PAGE / 2, 16, 1},
       "swap_blocks: src: stride of dimension 0 is 24"},
      {0,
       1,
       PAGE,
       {PAGES, 2, 16},
       {LAYERS * PAGE, 16, 1},
       "swap_blocks: block_size_in_bytes: got 48"},
      {0,
       1,
       LAYERS * PAGE,
       {PAGES, 2, 16},
       {LAYERS * PAGE, 16, 1},
       "has pages of 48 bytes, want 32"},
      {0,
       1,
       PAGE,
       {PAGES, 5, 16},
       {LAYERS * PAGE, 16, 1},
       "swap_blocks: block_size_in_bytes: got 48"},
      {0, 1, LAYERS * PAGE, {PAGES, 6, 16}, {LAYERS * PAGE, 16, 1}, "swap_blocks: dst: "},
  };
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    transfer_buffer pool =
        transfer_make(options.backend == KVF_CPU ? ON_HOST : ON_DEVICE, BYTES, i);
    buffer_upload(&pool.memory);
    int64_t shape[2][3] = {{PAGES, 3, 16}, {PAGES, 3, 16}};
    int64_t stride[2][3] = {{LAYERS * PAGE, 16, 1}, {LAYERS * PAGE, 16, 1}};
    if (rows[i].shape[0] > 0) {
      memcpy(shape[0], rows[i].shape, sizeof shape[0]);
      memcpy(stride[0], rows[i].stride, sizeof stride[0]);
    }
    DLTensor layer[2];
    for (int side = 0; side < 2; ++side) {
      layer[side] =
          (DLTensor){.data = pool.memory.place,
                     .device = transfer_device(pool.kind),
                     .ndim = 3,
                     .dtype = {kDLUInt, 8, 1},
                     .shape = shape[side],
                     .strides = stride[side],
                     .byte_offset = (uint64_t)((side ? rows[i].to : rows[i].from) * PAGE)};
    }
    const uint64_t before = faults_before(options.backend);
    const kvf_status status =
        kvf_swap_blocks(NULL, &layer[0], &layer[1], rows[i].block_size, &mapping);
    if (rows[i].refusal != NULL) {
      transfer_refused(&pool, 1, status, KVF_INVALID_VALUE, rows[i].refusal,
                       "swap_blocks: ", rows[i].refusal, "want ");
    } else {
      (void)expect_done(options.backend, status, before, 0, "layers of a pool");
      for (int pair = 0; pair < 3; ++pair) {
        uint8_t *bytes = pool.memory.expected;
        memcpy(bytes + (pairs[pair][1] * LAYERS + rows[i].to) * PAGE,
               bytes + (pairs[pair][0] * LAYERS + rows[i].from) * PAGE, PAGE);
      }
      transfer_verify(&pool, 1, "layers of a pool");
    }
    transfer_free(&pool);
    count_case(kvf_select(OP, options.backend, KVF_B8));
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  static int64_t pair[2];
  static char memory[64];
  const kvf_swap_blocks_params good = {
      .src = {memory, 64},
      .dst = {memory, 64},
      .num_src_blocks = 1,
      .num_dst_blocks = 1,
      .block_size_in_bytes = 64,
      .block_mapping = {.data = pair, .size = 1, .index_bytes = 8}};
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_swap_blocks_params params;
    const char *member;
  } rows[] = {{good, "src"},
              {good, "dst"},
              {good, "num_src_blocks"},
              {good, "num_dst_blocks"},
              {good, "num_dst_blocks"},
              {good, "block_size_in_bytes"},
              {good, "src.stride"},
              {good, "dst.stride"},
              {good, "block_mapping"},
              {good, "block_mapping.size"},
              {good, "block_mapping.index_bytes"}};
  rows[0].params.src.data = NULL;
  rows[1].params.dst.data = NULL;
  rows[2].params.num_src_blocks = -1;
  rows[3].params.num_dst_blocks = -1;
  rows[4].params.num_dst_blocks = INT64_MAX / 32;
  rows[5].params.block_size_in_bytes = 0;
  rows[6].params.src.stride = 63;
  rows[7].params.dst.stride = -64;
  rows[8].params.block_mapping.data = NULL;
  rows[9].params.block_mapping.size = -1;
  rows[10].params.block_mapping.index_bytes = 2;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    char start[96];
    (void)snprintf(start, sizeof start, "swap_blocks: %s: ", rows[i].member);
    transfer_refused(NULL, 0, kvf_launch_swap_blocks(NULL, variant, &rows[i].params), VALUE_,
                     rows[i].member, start, "", "want ");
  }
  EXPECT_STATUS(kvf_launch_swap_blocks(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

/* Pages beyond 2^31 and 2^32 bytes, from one to the other and to the front. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { PAGE = 64 };
  const int64_t far[2] = {(INT64_C(1) << 31) + PAGE, (INT64_C(1) << 32) + 3 * PAGE};
  int64_t size = far[1] + PAGE;
  region memory;
  if (!region_make(&memory, options.backend, (size_t)size)) {
    skip_test("no room for pages beyond 2^32 bytes");
    return;
  }
  uint8_t page[PAGE];
  memset(page, 0x5A, PAGE);
  region_put(&memory, far[0], page, PAGE);
  int64_t pairs[2][2] = {{far[0] / PAGE, far[1] / PAGE}, {far[1] / PAGE, 1}};
  int64_t shape[] = {2, 2};
  DLTensor cache = {.data = memory.place,
                    .device = transfer_device(options.backend == KVF_CPU ? ON_HOST : ON_DEVICE),
                    .ndim = 1,
                    .dtype = {kDLUInt, 8, 1},
                    .shape = &size};
  const DLTensor mapping = {
      .data = pairs, .device = {kDLCPU, 0}, .ndim = 2, .dtype = {kDLInt, 64, 1}, .shape = shape};
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, kvf_swap_blocks(NULL, &cache, &cache, PAGE, &mapping), before,
                    0, "far pages");
  const int64_t filled[] = {far[0], far[1], PAGE};
  for (int i = 0; i < 3; ++i) {
    uint8_t got[3 * PAGE] = {0};
    const bool last = filled[i] + 2 * PAGE > size;
    region_get(&memory, filled[i] - PAGE, got, last ? 2 * PAGE : 3 * PAGE);
    EXPECT(memcmp(got + PAGE, page, PAGE) == 0 && got[PAGE - 1] == 0 && got[2 * PAGE] == 0,
           "page at %lld or a neighbour of it is wrong: 0x%02X 0x%02X 0x%02X", (long long)filled[i],
           got[PAGE - 1], got[PAGE], got[2 * PAGE]);
  }
  region_free(&memory);
  count_case(kvf_select(OP, options.backend, KVF_B8));
}

CU_TestInfo swap_blocks_tests[] = {
    {"every pair of axis values", test_matrix},
    {"one tensor as both", test_same_tensor},
    {"many pages", test_many_pages},
    {"layers of a pool", test_layers_of_a_pool},
    {"the order of a stream", test_stream_order},
    {"pages beyond 2^31", test_far},
    {"blocks out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
