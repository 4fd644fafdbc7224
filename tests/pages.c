#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "graphs.h"
#include "operands.h"
#include "region.h"
#include "writer.h"

/* ---- tensors
 * ------------------------------------------------------------------------------------- */

enum {
  COMPACT,
  PERMUTED, /* inside a page */
  PADDED,
  PADDED_ALIGNED,
  INTERLEAVED, /* the pages of two tensors take turns */
  REVERSED,
  NO_STRIDES,
  LAYOUTS
};

static const struct {
  int64_t rows, columns;
} shapes[] = {{1, 1}, {3, 5}, {1, 64}, {16, 8}, {16, 128}, {64, 72}, {128, 129}};
static const int elements[] = {1, 2, 4, 8};
static const int offsets[] = {0, 16, 8, 4, 2, 1};

enum { GUARD = 48 };

/* Strides of one tensor; returns the elements that it takes, and where its element 0 is in them. */
static int64_t lay_out_pages(const page_case *what, tensor *view, int64_t *first) {
  const int64_t page = view->shape[1] * view->shape[2];
  const int64_t blocks = view->shape[0] > 0 ? view->shape[0] : 1;
  (void)lay_out(view->stride, view->shape, what->layout == PERMUTED ? "021" : "012", 1, 0);
  *first = 0;
  view->stride[0] = what->layout == PADDED           ? page + 3
                    : what->layout == PADDED_ALIGNED ? (page + 32) / 16 * 16
                    : what->layout == INTERLEAVED    ? 2 * page
                    : what->layout == REVERSED       ? -page
                                                     : page;
  if (what->layout == REVERSED) {
    *first = (blocks - 1) * page;
    return blocks * page;
  }
  return (blocks - 1) * view->stride[0] + page;
}

static void build_caches(page_call *call) {
  const page_case *what = call->what;
  int64_t at = GUARD;
  for (int i = 0; i < call->op->lists * what->layers; ++i) {
    tensor *view = &call->caches[i / what->layers][i % what->layers];
    const int64_t rows = what->uneven && i % 3 == 2 ? what->rows + 1 : what->rows;
    int64_t first = 0;
    *view = (tensor){.memory = &call->memory,
                     .dtype = {kDLUInt, (uint8_t)(8 * what->element), 1},
                     .rank = 3,
                     .shape = {what->num_blocks, rows, what->columns}};
    const int64_t span = lay_out_pages(what, view, &first) * what->element;
    const int64_t page = rows * what->columns * what->element;
    if (what->layout == INTERLEAVED && !what->uneven && i % 2 == 1) {
      const tensor *other = &call->caches[(i - 1) / what->layers][(i - 1) % what->layers];
      view->start = other->start + page;
      at = view->start + span + GUARD;
      continue;
    }
    at = (at + 63) / 64 * 64 + what->offset;
    view->start = at + first * what->element;
    at += span + GUARD + (what->layout == INTERLEAVED ? page : 0);
  }
  call->memory = buffer_make(call->exec.backend, (size_t)at, what->seed);
}

/* ---- block numbers
 * ------------------------------------------------------------------------------- */

enum {
  APART,      /* no target is in two pairs */
  CHAIN_UP,   /* (0, 1), (1, 2), ... */
  CHAIN_DOWN, /* (n - 2, n - 1), (n - 3, n - 2), ... */
  ONE_TARGET,
  ROTATED, /* blocks change places through a spare one */
  CHAOS,   /* anything, with very few blocks */
  ENDS,    /* the last one reads what the first one writes, or writes what it reads */
  SKIPPED, /* with negative numbers */
  TO_ITSELF,
  ORDERS
};

enum { WIDE, NARROW, WIDE_STRIDED, NARROW_TRANSPOSED, INDEX_KINDS };

static const int64_t item_counts[] = {0, 1, 2, 7, 31, 64, 65, 200};

static uint8_t *index_at(const page_call *call, int64_t item, int column) {
  const tensor *view = &call->blocks;
  return call->index_memory.expected + view->start +
         (item * view->stride[0] + column * view->stride[1]) * (view->dtype.bits / 8);
}

static void put_block(const page_call *call, int64_t item, int column, int64_t block) {
  memcpy(index_at(call, item, column), &block, call->blocks.dtype.bits / 8u);
}

static int64_t get_block(const page_call *call, int64_t item, int column) {
  int64_t wide = 0;
  int32_t narrow = 0;
  const bool is_wide = call->blocks.dtype.bits == 64;
  memcpy(is_wide ? (void *)&wide : (void *)&narrow, index_at(call, item, column),
         call->blocks.dtype.bits / 8u);
  return is_wide ? wide : narrow;
}

/* The pair at a position of a list of a kind. */
static void make_pair(const page_case *what, int64_t i, uint64_t *state, int64_t pair[2]) {
  const int64_t blocks = what->num_blocks;
  const int64_t few = blocks < 5 ? blocks : 5;
  pair[0] = random_below(state, blocks);
  pair[1] = random_below(state, blocks);
  switch (what->order) {
  case APART: /* sources from the lower half, which nobody writes */
    pair[0] = random_below(state, (blocks + 1) / 2);
    pair[1] = (blocks + 1) / 2 + i % (blocks / 2 > 0 ? blocks / 2 : 1);
    pair[1] = pair[1] < blocks ? pair[1] : 0;
    break;
  case ENDS:
    pair[0] = i == 0                                        ? 0
              : i == what->items - 1 && what->seed % 2 == 0 ? (blocks + 1) / 2 % blocks
                                                            : random_below(state, (blocks + 1) / 2);
    pair[1] = i == what->items - 1 && what->seed % 2 == 1
                  ? 0
                  : ((blocks + 1) / 2 + i % (blocks / 2 > 0 ? blocks / 2 : 1)) % blocks;
    break;
  case CHAIN_UP:
    pair[0] = i % blocks;
    pair[1] = (i + 1) % blocks;
    break;
  case CHAIN_DOWN:
    pair[1] = (2 * blocks - 1 - i % blocks) % blocks;
    pair[0] = (pair[1] + blocks - 1) % blocks;
    break;
  case ONE_TARGET:
    pair[1] = blocks / 2;
    break;
  case ROTATED: { /* a and b by way of the last block */
    const int64_t a = i / 3 % blocks;
    const int64_t b = (a + 1) % blocks;
    const int64_t step[3][2] = {{a, blocks - 1}, {b, a}, {blocks - 1, b}};
    memcpy(pair, step[i % 3], sizeof step[0]);
    break;
  }
  case CHAOS:
    pair[0] %= few;
    pair[1] %= few;
    break;
  case SKIPPED:
    if (random_below(state, 3) == 0) {
      pair[random_below(state, 2)] = random_below(state, 2) ? -1 : INT32_MIN;
    }
    break;
  case TO_ITSELF:
    pair[1] = random_below(state, 2) ? pair[0] : pair[1];
    break;
  default:
    break;
  }
}

static void build_blocks(page_call *call) {
  const page_case *what = call->what;
  const int columns = call->op->columns;
  const bool wide = what->index == WIDE || what->index == WIDE_STRIDED;
  int64_t strides[2] = {columns, 1};
  if (what->index == WIDE_STRIDED) {
    strides[0] = 3 * columns;
    strides[1] = 2;
  } else if (what->index == NARROW_TRANSPOSED) {
    strides[0] = 1;
    strides[1] = what->items + 1;
  }
  call->index_memory = buffer_make(call->exec.backend,
                                   (size_t)(GUARD * 2 + 8 * (what->items + 2) * 6), what->seed + 1);
  call->blocks = (tensor){.memory = &call->index_memory,
                          .start = GUARD,
                          .dtype = {kDLInt, wide ? 64 : 32, 1},
                          .rank = columns,
                          .shape = {what->items, columns},
                          .stride = {strides[0], strides[1]}};
  uint64_t state = what->seed;
  for (int64_t i = 0; i < what->items; ++i) {
    int64_t pair[2] = {-1, -1};
    if (what->num_blocks > 0) {
      make_pair(what, i, &state, pair);
    }
    for (int column = 0; column < columns; ++column) {
      put_block(call, i, column, pair[columns == 1 ? 1 : column]);
    }
  }
}

/* ---- calls
 * --------------------------------------------------------------------------------------- */

enum { EXEC_NULL, EXEC_DEFAULT, EXEC_ONE_THREAD, EXEC_THREE_THREADS, EXECS };

void page_build(page_call *call, const page_op *op, const page_case *what) {
  *call = (page_call){.op = op, .what = what, .exec = {.backend = options.backend}};
  call->given_exec = what->exec == EXEC_NULL ? NULL : &call->exec;
  call->exec.num_threads = what->exec == EXEC_ONE_THREAD      ? 1
                           : what->exec == EXEC_THREE_THREADS ? 3
                                                              : 0;
  if (what->exec != EXEC_NULL && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  build_caches(call);
  build_blocks(call);
}

void page_free(page_call *call) {
  buffer_free(&call->memory);
  buffer_free(&call->index_memory);
  buffer_free(&call->address_memory);
}

/* Where every tensor begins, as raw launches have it in memory. */
static void make_addresses(page_call *call) {
  const int count = call->op->lists * call->what->layers;
  buffer_free(&call->address_memory);
  call->address_memory =
      buffer_make(call->exec.backend, sizeof(void *) * (size_t)(count + 1), call->what->seed);
  for (int i = 0; i < count; ++i) {
    const tensor *view = &call->caches[i / call->what->layers][i % call->what->layers];
    const void *address = (uint8_t *)call->memory.place + view->start;
    memcpy(call->address_memory.expected + sizeof address * (size_t)i, &address, sizeof address);
  }
  buffer_upload(&call->address_memory);
}

void page_prepare(page_call *call) {
  buffer_upload(&call->memory);
  buffer_upload(&call->index_memory);
  if (call->op->takes_addresses && call->what->entry == ENTRY_RAW && call->what->seed % 2 == 1 &&
      (call->what->layout == COMPACT || call->what->layout == NO_STRIDES)) {
    make_addresses(call);
  }
  for (int list = 0; list < call->op->lists; ++list) {
    call->num_given[list] = call->what->layers;
    for (int i = 0; i < call->what->layers; ++i) {
      DLTensor *dl = tensor_dl(&call->caches[list][i]);
      dl->strides = call->what->layout == NO_STRIDES ? NULL : dl->strides;
      call->given[list][i] = dl;
    }
  }
  call->given_blocks = tensor_dl(&call->blocks);
}

/* The params of the one launch that all tensors fit into. */
static kvf_page_list raw_pages(const page_call *call) {
  const page_case *what = call->what;
  kvf_page_list pages = {
      .blocks = {.data = (uint8_t *)call->index_memory.place + call->blocks.start,
                 .stride = {call->blocks.stride[0], call->blocks.stride[1]},
                 .size = what->items,
                 .index_bytes = call->blocks.dtype.bits / 8},
      .num_blocks = what->num_blocks,
      .page_bytes = what->rows * what->columns * what->element,
      .vector_bytes = -1,
      .part_shift = -1,
      .streaming = -1,
  };
  for (int i = 0; i < call->op->lists * what->layers; ++i) {
    const tensor *view = &call->caches[i / what->layers][i % what->layers];
    pages.caches[pages.num_caches++] = (kvf_pages){
        .data = (uint8_t *)call->memory.place + view->start,
        .stride = view->stride[0] * what->element,
    };
  }
  if (call->address_memory.size > 0) {
    pages.addresses = call->address_memory.place;
    memset(pages.caches, 0xFF, sizeof pages.caches); /* not looked at */
  }
  return pages;
}

kvf_status page_invoke(page_call *call, int entry) {
  const page_op *op = call->op;
  if (entry == ENTRY_TYPED) {
    return op->typed(call->given_exec, call);
  }
  if (entry == ENTRY_RAW) {
    const kvf_page_list pages = raw_pages(call);
    return op->raw(call->given_exec, kvf_select(op->op, options.backend, KVF_B8), &pages);
  }
  kvf_value values[PAGE_LISTS + 1];
  for (int list = 0; list < op->lists; ++list) {
    values[list] = (kvf_value){.kind = KVF_KIND_TENSOR_LIST,
                               .as.tensors = {call->given[list], call->num_given[list]}};
  }
  values[op->lists] = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = call->given_blocks};
  return kvf_call(op->op, call->given_exec, values, op->lists + 1);
}

bool page_verify(const page_call *call, const char *what) {
  bool same = true;
  for (int i = 0; i < 2; ++i) {
    const buffer *memory = i == 0 ? &call->memory : &call->index_memory;
    uint8_t got = 0;
    const int64_t at = buffer_difference(memory, &got);
    same = EXPECT(at < 0, "%s: byte %lld of %s is 0x%02X, want 0x%02X", what, (long long)at,
                  i == 0 ? "the tensors" : call->op->blocks_name, got,
                  at < 0 ? 0 : memory->expected[at]) &&
           same;
  }
  return same;
}

static uint8_t *element_at(const page_call *call, const tensor *view, int64_t block, int64_t row,
                           int64_t column) {
  return call->memory.expected + view->start +
         (block * view->stride[0] + row * view->stride[1] + column * view->stride[2]) *
             call->what->element;
}

/* The definition: item by item, element by element. */
static void note_expected(page_call *call) {
  for (int64_t i = 0; i < call->what->items; ++i) {
    const int64_t first = get_block(call, i, 0);
    const int64_t last = get_block(call, i, call->op->columns - 1);
    if (first < 0 || last < 0 || first >= call->what->num_blocks ||
        last >= call->what->num_blocks) {
      continue;
    }
    for (int k = 0; k < call->op->lists * call->what->layers; ++k) {
      const tensor *view = &call->caches[k / call->what->layers][k % call->what->layers];
      for (int64_t e = 0; e < view->shape[1] * view->shape[2]; ++e) {
        uint8_t *to = element_at(call, view, last, e / view->shape[2], e % view->shape[2]);
        if (call->op->columns == 1) {
          memset(to, 0, (size_t)call->what->element);
        } else {
          memmove(to, element_at(call, view, first, e / view->shape[2], e % view->shape[2]),
                  (size_t)call->what->element);
        }
      }
    }
  }
}

static const char *name_of(const page_op *op, const page_case *what) {
  static char name[256];
  (void)snprintf(name, sizeof name,
                 "%s: %d layers, %lld blocks of %lld x %lld x %d bytes, layout %d, offset %d%s, "
                 "%lld items of order %d, index %d, entry %d, exec %d, seed %llu",
                 op->op->name, what->layers, (long long)what->num_blocks, (long long)what->rows,
                 (long long)what->columns, what->element, what->layout, what->offset,
                 what->uneven ? ", uneven" : "", (long long)what->items, what->order, what->index,
                 what->entry, what->exec, (unsigned long long)what->seed);
  return name;
}

static void run(const page_op *op, const page_case *what) {
  static page_call call;
  const char *name = name_of(op, what);
  vary_order(what->seed);
  page_build(&call, op, what);
  page_prepare(&call);
  note_expected(&call);
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, page_invoke(&call, what->entry), before, 0, name);
  (void)page_verify(&call, name);
  page_free(&call);
  count_case(kvf_select(op->op, options.backend, KVF_B8));
}

/* ---- cases
 * --------------------------------------------------------------------------------------- */

enum {
  LAYERS_AXIS,
  SHAPE,
  ELEMENT,
  LAYOUT_,
  OFFSET,
  BLOCKS,
  ORDER,
  ITEMS,
  INDEX_,
  ENTRY_,
  EXEC_,
  UNEVEN,
  PAGE_AXES
};

static const int layer_counts[] = {1, 2, 5};
static const int64_t block_counts[] = {1, 2, 3, 13, 70, 420}; /* the last: no list has conflicts */

static double bytes_moved(const covering_row *row, const void *context) {
  (void)context;
  const int *value = row->value;
  return (double)layer_counts[value[LAYERS_AXIS]] * (double)shapes[value[SHAPE]].rows *
         (double)shapes[value[SHAPE]].columns * (double)elements[value[ELEMENT]] *
         (double)(item_counts[value[ITEMS]] + block_counts[value[BLOCKS]]);
}

void page_test_matrix(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  const covering plan = {
      .num_axes = PAGE_AXES,
      .sizes = {TEST_COUNT(layer_counts), TEST_COUNT(shapes), TEST_COUNT(elements), LAYOUTS,
                TEST_COUNT(offsets), TEST_COUNT(block_counts), ORDERS, TEST_COUNT(item_counts),
                INDEX_KINDS, ENTRIES, EXECS, 2},
      .cost = bytes_moved,
      .limit = options.exhaustive ? 1e9 : 300e3,
  };
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    const int element = elements[value[ELEMENT]];
    const int entry = value[ENTRY_];
    run(op, &(page_case){
                .layers = layer_counts[value[LAYERS_AXIS]],
                .num_blocks = block_counts[value[BLOCKS]],
                .rows = shapes[value[SHAPE]].rows,
                .columns = shapes[value[SHAPE]].columns,
                .element = element,
                .layout = value[LAYOUT_],
                .offset = offsets[value[OFFSET]],
                .uneven = value[UNEVEN] && entry != ENTRY_RAW,
                .order = value[ORDER],
                .items = item_counts[value[ITEMS]],
                .index = value[INDEX_],
                .entry = entry,
                .exec = value[EXEC_],
                .seed = options.seed + (uint64_t)i,
            });
  }
  free(rows);
}

/* More tensors than one launch can hold, no tensors, no blocks, pages of no bytes. */
void page_test_many(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  const page_case small = {.layers = 3,
                           .num_blocks = 4,
                           .rows = 2,
                           .columns = 16,
                           .element = 2,
                           .order = CHAIN_UP,
                           .items = 5,
                           .seed = options.seed};
  static const int layers[] = {0, 80, 120, 121, 239, 240, 241, 260};
  for (size_t i = 0; i < 2 * TEST_COUNT(layers); ++i) {
    page_case what = small;
    what.layers = layers[i / 2];
    what.uneven = i % 2;
    what.entry = i % 2 ? ENTRY_BOXED : ENTRY_TYPED;
    run(op, &what);
  }
  page_case empty = small;
  empty.num_blocks = 0; /* and every number negative */
  run(op, &empty);
  empty = small;
  empty.rows = 0;
  run(op, &empty);
  empty.items = 0;
  empty.num_blocks = 0;
  for (int entry = 0; entry < ENTRIES; ++entry) {
    empty.entry = entry;
    run(op, &empty);
  }
}

/* As many pairs as a thread block has at once, as share one launch, and more; pages of one vector
 * and of a few lines; and more blocks than a kernel has bits for, with as many pairs as then share
 * one, and more. */
static void test_long_lists(const page_op *op) {
  enum { MANY_BLOCKS = KVF_PAGE_BITS + 3 };
  static const int64_t items[] = {
      300, KVF_PAGE_PAIRS - 1, KVF_PAGE_PAIRS, KVF_PAGE_PAIRS + 1, 2100, 700, KVF_PAGE_MOST + 1,
      1300};
  for (int order = 0; order < ORDERS; ++order) {
    for (size_t i = 0; i < TEST_COUNT(items); ++i) {
      if (items[i] > KVF_PAGE_MOST && (order != APART || op->lists > 1)) { /* takes longest */
        continue;
      }
      run(op, &(page_case){.layers = 1,
                           .num_blocks = items[i] == 700 || items[i] == 1300 ? MANY_BLOCKS
                                         : i % 2 == 0                        ? 2 * items[i] + 1
                                                                             : 700,
                           .rows = 1,
                           .columns = order % 2 == 0 ? 16 : 96,
                           .element = 1 + (int)(i % 2),
                           .layout = order % LAYOUTS,
                           .order = order,
                           .items = items[i],
                           .index = (int)i % INDEX_KINDS,
                           .exec = order % EXECS,
                           .seed = options.seed + (uint64_t)order});
    }
  }
}

/* Past the point where the CPU stores past its caches, and with more than one part per page. */
void page_test_large(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  test_long_lists(op);
  const bool on_cpu = options.backend == KVF_CPU;
  for (int order = 0; order < ORDERS; ++order) {
    run(op, &(page_case){.layers = on_cpu ? 3 : 2,
                         .num_blocks = order % 2 ? 40 : 140,
                         .rows = on_cpu ? 64 : 24,
                         .columns = 129,
                         .element = 8,
                         .layout = order % LAYOUTS,
                         .order = order,
                         .items = 65,
                         .exec = order % EXECS,
                         .seed = options.seed + (uint64_t)order});
  }
}

/* The same where there is no room: only the pages that are used exist, behind 2^32 bytes of none.
 */
static void test_far_numbers(const page_op *op) {
  enum { PAGE = 64, NEAR_BLOCKS = 3 };
  const int64_t far = (INT64_C(1) << 32) / PAGE + 5; /* pages */
  const page_case what = {.layers = 1,
                          .num_blocks = NEAR_BLOCKS,
                          .rows = 1,
                          .columns = PAGE,
                          .element = 1,
                          .items = 1,
                          .index = WIDE,
                          .seed = options.seed};
  static page_call call;
  page_build(&call, op, &what);
  put_block(&call, 0, 0, op->columns == 2 ? 0 : 2);
  put_block(&call, 0, op->columns - 1, 2);
  page_prepare(&call);
  note_expected(&call);
  put_block(&call, 0, 0, far + (op->columns == 2 ? 0 : 2));
  put_block(&call, 0, op->columns - 1, far + 2);
  buffer_upload(&call.index_memory);
  for (int list = 0; list < op->lists; ++list) {
    DLTensor *dl = tensor_dl(&call.caches[list][0]);
    dl->data = (uint8_t *)dl->data - far * dl->strides[0];
    dl->shape[0] += far;
  }
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, page_invoke(&call, ENTRY_TYPED), before, 0, "far numbers");
  (void)page_verify(&call, "far numbers");
  page_free(&call);
  count_case(kvf_select(op->op, options.backend, KVF_B8));
}

/* Pages that lie beyond 2^31 bytes. */
void page_test_far(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  test_far_numbers(op);
  enum { PAGE = 64, BLOCKS_FAR = 3 };
  const int64_t far = (INT64_C(1) << 31) + 64;
  region memory;
  static page_call call;
  const page_case what = {.layers = 1,
                          .num_blocks = BLOCKS_FAR,
                          .rows = 1,
                          .columns = PAGE,
                          .element = 1,
                          .items = 1,
                          .seed = options.seed};
  if (!region_make(&memory, options.backend, (size_t)(2 * far + 2 * PAGE))) {
    skip_part("no room for pages 2^31 bytes apart");
    return;
  }
  page_build(&call, op, &what);
  buffer place = {.backend = options.backend, .place = memory.place};
  for (int list = 0; list < op->lists; ++list) {
    call.caches[list][0].memory = &place;
    call.caches[list][0].start = list * PAGE;
    call.caches[list][0].stride[0] = far;
  }
  uint8_t pages[PAGE_LISTS][PAGE];
  memset(pages[0], 0x11, PAGE);
  memset(pages[1], 0x22, PAGE);
  const int64_t from = op->columns == 2 ? far : 2 * far; /* what is cleared is filled first */
  for (int list = 0; list < op->lists; ++list) {
    region_put(&memory, from + list * PAGE, pages[list], PAGE);
  }
  put_block(&call, 0, 0, op->columns == 2 ? 1 : 2);
  put_block(&call, 0, op->columns - 1, 2);
  page_prepare(&call);
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, page_invoke(&call, ENTRY_TYPED), before, 0, "far pages");
  for (int list = 0; list < op->lists; ++list) {
    uint8_t got[PAGE];
    region_get(&memory, 2 * far + list * PAGE, got, PAGE);
    memset(pages[list], op->columns == 2 ? pages[list][0] : 0, PAGE);
    EXPECT(memcmp(got, pages[list], PAGE) == 0, "far page of tensor %d is wrong: 0x%02X", list,
           got[0]);
  }
  page_free(&call);
  region_free(&memory);
  count_case(kvf_select(op->op, options.backend, KVF_B8));
}

/* Refused on the CPU before anything is written; skipped and counted once on CUDA. */
void page_test_out_of_range(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  static const int64_t wrong[] = {6, 7, INT32_MAX, INT64_MAX};
  for (int i = 0; i < (int)TEST_COUNT(wrong) * 2 * 4; ++i) {
    const page_case what = {.layers = i / 8 % 2 ? 130 : 2, /* more than one launch, or one */
                            .num_blocks = 6,
                            .rows = 4,
                            .columns = 40,
                            .element = 1,
                            .uneven = i / 8 % 4 == 2,
                            .items = i % 14 == 3 ? 1500 : 67,
                            .seed = options.seed + (uint64_t)i};
    static page_call call;
    const int column = i % 2 % op->columns;
    page_build(&call, op, &what);
    const int64_t last = what.items - 1;
    const int64_t position = i % 3 == 0 ? 0 : i % 3 == 1 ? last / 2 : last;
    put_block(&call, position, column, wrong[i / 2 % (int)TEST_COUNT(wrong)]);
    /* What the other number of the pair is does not matter: in range, the same, negative. */
    const int other = op->columns == 2 ? i / 2 % 3 : 0;
    if (other > 0) {
      put_block(&call, position, 1 - column,
                other == 1 ? wrong[i / 2 % (int)TEST_COUNT(wrong)] : -1);
    }
    if (i % 5 == 4) {
      put_block(&call, (position + 1) % what.items, column, 6);
    }
    page_prepare(&call);
    const uint64_t before = faults_before(options.backend);
    const kvf_status status = page_invoke(&call, ENTRY_TYPED);
    if (options.backend == KVF_CPU) {
      EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
      EXPECT_TEXT(kvf_last_error(), op->blocks_name);
      EXPECT_TEXT(kvf_last_error(), "want less than 6 (num_blocks)");
      char element[32];
      (void)snprintf(element, sizeof element,
                     op->columns == 2 ? "element [%lld, %d] is " : "element %lld is ",
                     (long long)(i % 5 == 4 && position == last ? 0 : position),
                     other == 1 && !(i % 5 == 4 && position == last) ? 0 : column);
      EXPECT_TEXT(kvf_last_error(), element);
    } else {
      note_expected(&call);
      (void)expect_done(options.backend, status, before, i % 5 == 4 ? 2 : 1, "out of range");
    }
    (void)page_verify(&call, "out of range");
    page_free(&call);
    count_case(kvf_select(op->op, options.backend, KVF_B8));
  }
}

/* ---- what is refused
 * ----------------------------------------------------------------------------- */

enum page_spoil {
  NO_TENSOR,
  NO_ARRAY,
  NEGATIVE_COUNT,
  OTHER_COUNT,
  RANK,
  SIZE,
  STRIDE,
  DTYPE,
  DEVICE,
  NO_DATA
};

typedef struct page_mistake {
  const char *what;
  bool blocks; /* of the block numbers, not of the tensors */
  enum page_spoil spoil;
  int64_t at, number;
  kvf_status status;
  const char *got, *want;
} page_mistake;

#define TYPE KVF_INVALID_TYPE
#define VALUE_ KVF_INVALID_VALUE

/* clang-format off */
static const page_mistake mistakes[] = {
  {"no tensor", false, NO_TENSOR, 0, 0, VALUE_, "got NULL", "want a tensor"},
  {"no array", false, NO_ARRAY, 0, 0, VALUE_, "got NULL of 3 tensors", "want an array of 0 or more"},
  {"negative count", false, NEGATIVE_COUNT, 0, 0, VALUE_, "got an array of -1 tensors", "want an array of 0 or more"},
  {"rank 0", false, RANK, 0, 0, VALUE_, "rank is 0", "want 1 or more"},
  {"negative rank", false, RANK, 0, -2, VALUE_, "rank is -2", "want 1 or more"},
  {"other blocks", false, SIZE, 0, 3, VALUE_, "(num_blocks) is 3", "want 4 as in "},
  {"negative blocks", false, SIZE, 0, -4, VALUE_, "size of dimension 0 is -4", "want 0 or more"},
  {"negative rows", false, SIZE, 1, -1, VALUE_, "size of dimension 1 is -1", "want 0 or more"},
  {"gaps between elements", false, STRIDE, 2, 2, VALUE_, "a page has gaps", "want pages without"},
  {"gaps between rows", false, STRIDE, 1, 9, VALUE_, "a page has gaps", "want pages without"},
  {"repeated rows", false, STRIDE, 1, 0, VALUE_, "a page has gaps", "want pages without"},
  {"reversed rows", false, STRIDE, 1, -8, VALUE_, "a page has gaps", "want pages without"},
  {"pages that overlap", false, STRIDE, 0, 39, VALUE_, "(num_blocks) is 39", "want 40 or more"},
  {"pages that overlap backwards", false, STRIDE, 0, -39, VALUE_, "(num_blocks) is -39", "want 40 or more"},
  {"one page for all", false, STRIDE, 0, 0, VALUE_, "(num_blocks) is 0", "want 40 or more"},
  {"four bits", false, DTYPE, kDLUInt, 4, TYPE, "has 4 bits", "want whole bytes"},
  {"no bits", false, DTYPE, kDLUInt, 0, TYPE, "has 0 bits", "want whole bytes"},
  {"no address", false, NO_DATA, 0, 0, VALUE_, "data is NULL", "want an address"},
  {"an unknown device", false, DEVICE, kDLMetal, 0, TYPE, "DLPack device type is 8", "want CPU or CUDA"},
  {"another device", false, DEVICE, kDLCUDA, 1, TYPE, "is on CUDA device 1", "want "},
  {"no tensor", true, NO_TENSOR, 0, 0, VALUE_, "got NULL", "want a tensor"},
  {"rank 3", true, RANK, 0, 3, VALUE_, "rank is 3", "want "},
  {"rank 0", true, RANK, 0, 0, VALUE_, "rank is 0", "want "},
  {"int16", true, DTYPE, kDLInt, 16, TYPE, "dtype is int16", "want int32, int64"},
  {"float32", true, DTYPE, kDLFloat, 32, TYPE, "dtype is float32", "want int32, int64"},
  {"negative size", true, SIZE, 0, -1, VALUE_, "is -1", "want 0 or more"},
  {"no address", true, NO_DATA, 0, 0, VALUE_, "data is NULL", "want an address"},
  {"another device", true, DEVICE, kDLCUDA, 1, TYPE, "is on CUDA device 1", "want "},
};
/* clang-format on */

/* Changes one thing; `list` is that of the tensor, -1 the block numbers. */
static void make_mistake(page_call *call, const page_mistake *row, int list, DLTensor *copy,
                         int64_t *shape, int64_t *stride) {
  *copy = list < 0 ? *call->given_blocks : *call->given[list][2];
  memcpy(shape, copy->shape, (size_t)copy->ndim * sizeof *shape);
  memcpy(stride, copy->strides, (size_t)copy->ndim * sizeof *stride);
  copy->shape = shape;
  copy->strides = stride;
  switch (row->spoil) {
  case RANK:
    copy->ndim = (int32_t)row->number;
    break;
  case SIZE:
    shape[row->at] = row->number;
    break;
  case STRIDE:
    stride[row->at] = row->number;
    break;
  case DTYPE:
    copy->dtype = (DLDataType){(uint8_t)row->at, (uint8_t)row->number, 1};
    break;
  case DEVICE:
    copy->device = (DLDevice){(DLDeviceType)row->at, (int32_t)row->number};
    break;
  case NO_DATA:
    copy->data = NULL;
    break;
  case NEGATIVE_COUNT:
    call->num_given[list] = -1;
    break;
  default:
    break;
  }
  if (list < 0) {
    call->given_blocks = row->spoil == NO_TENSOR ? NULL : copy;
  } else {
    call->given[list][2] = row->spoil == NO_TENSOR ? NULL : copy;
  }
}

static void expect_refused(page_call *call, kvf_status status, kvf_status want, const char *what,
                           const char *start, const char *got, const char *wanted) {
  const char *message = kvf_last_error();
  EXPECT(status == want, "%s: %s: got %s (%s), want %s", call->op->op->name, what,
         kvf_status_name(status), message, kvf_status_name(want));
  EXPECT(strncmp(message, start, strlen(start)) == 0 && strstr(message, got) != NULL &&
             strstr(message, wanted) != NULL,
         "%s: the message is '%s', want '%s...%s...%s'", what, message, start, got, wanted);
  const char *wrong = memory_synchronize(options.backend);
  EXPECT(wrong == NULL, "%s: %s", what, wrong);
  (void)page_verify(call, what);
  count_case(NULL);
}

static void run_mistake(const page_op *op, const page_mistake *row, int list, int entry) {
  static const page_case what = {
      .layers = 3, .num_blocks = 4, .rows = 5, .columns = 8, .element = 1, .items = 3, .seed = 3};
  static page_call call;
  DLTensor copy;
  int64_t shape[6] = {1, 1, 1, 1, 1, 1};
  int64_t stride[6] = {1, 1, 1, 1, 1, 1};
  page_build(&call, op, &what);
  page_prepare(&call);
  if (row->spoil != NO_ARRAY) {
    make_mistake(&call, row, list, &copy, shape, stride);
  }
  char start[128];
  const bool of_list = row->spoil == NO_ARRAY || row->spoil == NEGATIVE_COUNT;
  (void)snprintf(start, sizeof start, "%s: %s%s: ", op->op->name,
                 list < 0 ? op->blocks_name : op->list_names[list],
                 list < 0 || of_list ? "" : "[2]");
  kvf_status status = KVF_OK;
  if (row->spoil == NO_ARRAY) {
    kvf_value values[PAGE_LISTS + 1];
    for (int i = 0; i < op->lists; ++i) {
      values[i] = (kvf_value){.kind = KVF_KIND_TENSOR_LIST,
                              .as.tensors = {i == list ? NULL : call.given[i], 3}};
    }
    values[op->lists] = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = call.given_blocks};
    status = kvf_call(op->op, NULL, values, op->lists + 1);
  } else {
    status = page_invoke(&call, entry);
  }
  expect_refused(&call, status, row->status, row->what, start, row->got, row->want);
  page_free(&call);
}

void page_test_bad_arguments(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(mistakes); ++i) {
    const int first = mistakes[i].blocks ? -1 : 0;
    const int last = mistakes[i].blocks ? -1 : op->lists - 1;
    for (int list = first; list <= last; ++list) {
      run_mistake(op, &mistakes[i], list, ENTRY_TYPED);
      run_mistake(op, &mistakes[i], list, ENTRY_BOXED);
    }
  }
  static const page_case what = {
      .layers = 3, .num_blocks = 4, .rows = 5, .columns = 8, .element = 1, .items = 3, .seed = 3};
  static page_call call;
  if (op->lists == 2) {
    char start[128];
    page_build(&call, op, &what);
    page_prepare(&call);
    call.num_given[1] = 2;
    (void)snprintf(start, sizeof start, "%s: %s: ", op->op->name, op->list_names[1]);
    expect_refused(&call, page_invoke(&call, ENTRY_TYPED), VALUE_, "fewer tensors", start,
                   "has 2 tensors", "want 3 as in ");
    page_free(&call);
  }
  if (op->columns == 2) {
    char start[128];
    page_build(&call, op, &what);
    page_prepare(&call);
    call.blocks.shape[1] = 3;
    (void)snprintf(start, sizeof start, "%s: %s: ", op->op->name, op->blocks_name);
    expect_refused(&call, page_invoke(&call, ENTRY_TYPED), VALUE_, "triples", start,
                   "(source and target) is 3", "want 2");
    page_free(&call);
  }
}

/* The raw launch refuses what it can see. */
void page_test_bad_params(const page_op *op) {
  if (!need_backend()) {
    return;
  }
  static const page_case what = {
      .layers = 2, .num_blocks = 4, .rows = 5, .columns = 8, .element = 1, .items = 3, .seed = 3};
  static page_call call;
  page_build(&call, op, &what);
  page_prepare(&call);
  const kvf_variant *variant = kvf_select(op->op, options.backend, KVF_B8);
  static const char *const members[] = {"blocks.size", "blocks.index_bytes",
                                        "num_blocks",  "page_bytes",
                                        "num_caches",  "num_caches",
                                        "caches",      "caches",
                                        "caches",      NULL,
                                        "num_caches",  "addresses"};
  for (int i = 0; i < (int)TEST_COUNT(members); ++i) {
    kvf_page_list pages = raw_pages(&call);
    int64_t *const numbers[] = {&pages.blocks.size, NULL, &pages.num_blocks, &pages.page_bytes};
    if (i < 4 && numbers[i] != NULL) {
      *numbers[i] = -1;
    }
    pages.blocks.index_bytes = i == 1 ? 2 : pages.blocks.index_bytes;
    pages.num_caches = i == 4 ? -1 : i == 5 ? KVF_MAX_CACHES + 1 : pages.num_caches;
    pages.caches[1].data = i == 6 ? NULL : pages.caches[1].data;
    pages.caches[1].stride = i == 7 ? 39 : i == 8 ? INT64_MAX / 2 : pages.caches[1].stride;
    pages.blocks.data = i == 9 ? NULL : pages.blocks.data;
    pages.addresses = i >= 10 ? call.memory.place : NULL;
    if (op->takes_addresses && i >= 10) {
      pages.num_caches = i == 10 ? KVF_MAX_ADDRESSES + 1 : pages.num_caches;
      pages.num_blocks = i == 11 ? INT64_MAX / 2 : pages.num_blocks;
    }
    char start[128];
    (void)snprintf(start, sizeof start, "%s: %s: ", op->op->name,
                   i >= 10 && !op->takes_addresses ? "addresses"
                   : members[i]                    ? members[i]
                                                   : op->blocks_name);
    expect_refused(&call, op->raw(NULL, variant, &pages), VALUE_, start, start, "", "want ");
  }
  const kvf_page_list pages = raw_pages(&call);
  EXPECT_STATUS(op->raw(NULL, NULL, &pages), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
  page_free(&call);
}

/* ---- graphs
 * -------------------------------------------------------------------------------------- */

/* A captured call reads its blocks anew at every launch of the graph. */
void page_test_graph(const page_op *op) {
  if (options.backend == KVF_CPU || !need_backend()) {
    return; /* the CPU has no graphs to capture */
  }
  if (!graphs_there()) {
    return;
  }
  static page_call call;
  const page_case what = {.layers = 130,
                          .num_blocks = 9,
                          .rows = 16,
                          .columns = 64,
                          .element = 2,
                          .order = CHAOS,
                          .items = 20,
                          .exec = EXEC_DEFAULT,
                          .seed = options.seed};
  captured made;
  page_build(&call, op, &what);
  page_prepare(&call);
  (void)capture_begin(&made, own_stream());
  EXPECT_STATUS(page_invoke(&call, ENTRY_TYPED), KVF_OK);
  const bool whole = capture_end(&made);
  (void)page_verify(&call, "a captured call ran");
  for (int i = 0; whole && i < 3; ++i) {
    uint64_t state = options.seed + (uint64_t)i;
    for (int64_t item = 0; item < what.items; ++item) {
      for (int column = 0; column < op->columns; ++column) {
        put_block(&call, item, column, random_below(&state, 9 + 3) - 3);
      }
    }
    buffer_upload(&call.index_memory);
    note_expected(&call);
    (void)capture_launch(&made);
    (void)page_verify(&call, "a launch of the graph");
  }
  capture_free(&made);
  page_free(&call);
  count_case(kvf_select(op->op, options.backend, KVF_B8));
}
