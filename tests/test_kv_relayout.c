/* kv_relayout: tokens of pages in every order of axes to pages in every other, every byte of both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conversions.h"
#include "covering.h"
#include "graphs.h"
#include "kvforge/params/kv_relayout.h"
#include "wire.h"
#include "writer.h"

#define OP (&kvf_op_kv_relayout)

enum { SRC, DST, SRC_SLOTS, DST_SLOTS, SRC_WORD, DST_WORD, SRC_SCALES, DST_SCALES, NUM_LAYERS };

/* Both sides have the same layers, heads, sizes and tokens; the entry and the rest are the
 * source's. */
typedef struct relayout_case {
  wire_case from, to;
} relayout_case;

static DLTensor *cells[WIRE_SIDES];

static void build(op_call *call, const void *context) {
  const relayout_case *what = context;
  const wire_case *sides[] = {&what->from, &what->to};
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->from.with_exec ? &call->exec : NULL;
  if (what->from.with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  for (int side = 0; side < WIRE_SIDES; ++side) {
    const wire_case *one = sides[side];
    const char *slots = OP->arguments[SRC_SLOTS + side].name;
    cells[side] = wire_make_pages(call, one, OP->arguments[SRC + side].name, side);
    operand_make(call, SRC_SLOTS + side, (DLDataType){kDLInt, one->narrow ? 32 : 64, 1}, 1,
                 &one->tokens, &one->step, 0, 64, one->seed + 2);
    wire_make_slots(call, one, slots);
    call->values[SRC_WORD + side] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = "nvfp4"};
    call->values[SRC_SCALES + side] = (kvf_value){.kind = KVF_KIND_TENSOR_LIST};
  }
  const bool left_out = wire_planes(&what->from) == 1 && what->from.seed % 2;
  call->values[NUM_LAYERS] =
      (kvf_value){.kind = KVF_KIND_INT, .as.integer = left_out ? 0 : what->from.layers};
}

/* Notes what the call must write; returns how many slots are out of range. */
static uint64_t expect_moved(const op_call *call, const relayout_case *what) {
  const wire_pages from = wire_lay_pages(&what->from);
  const wire_pages to = wire_lay_pages(&what->to);
  uint64_t beyond = 0;
  for (int64_t token = 0; token < what->from.tokens; ++token) {
    const int64_t source = operand_get_index(&call->operands[SRC_SLOTS], token, 0);
    const int64_t target = operand_get_index(&call->operands[DST_SLOTS], token, 0);
    const bool no_source = source >= from.num_blocks * what->from.block_size;
    const bool no_target = target >= to.num_blocks * what->to.block_size;
    beyond += (uint64_t)no_source + no_target;
    if (source < 0 || target < 0 || no_source || no_target) {
      continue;
    }
    for (int64_t plane = 0; plane < wire_planes(&what->from); ++plane) {
      for (int64_t layer = 0; layer < what->from.layers; ++layer) {
        const int64_t cell[2] = {layer, plane};
        for (int64_t i = 0; i < what->from.heads * wire_elements(&what->from, plane); ++i) {
          const int64_t head = i % what->from.heads;
          const int64_t element = i / what->from.heads;
          memcpy(
              wire_page_at(&call->operands[DST], &what->to, &to, cell, target, head, element),
              wire_page_at(&call->operands[SRC], &what->from, &from, cell, source, head, element),
              (size_t)wire_element_bytes(&what->from, plane));
        }
      }
    }
  }
  return what->from.heads > 0 ? beyond : 0;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *v) {
  return kvf_kv_relayout(
      exec, v[SRC].as.tensors.data, v[SRC].as.tensors.size, v[DST].as.tensors.data,
      v[DST].as.tensors.size, v[SRC_SLOTS].as.tensor, v[DST_SLOTS].as.tensor, v[SRC_WORD].as.string,
      v[DST_WORD].as.string, v[SRC_SCALES].as.tensors.data, v[SRC_SCALES].as.tensors.size,
      v[DST_SCALES].as.tensors.data, v[DST_SCALES].as.tensors.size, v[NUM_LAYERS].as.integer);
}

static kvf_slots slots_of(const op_call *call, int argument, const wire_case *what) {
  return (kvf_slots){.mapping = operand_view(&call->operands[argument]).data,
                     .stride = what->step,
                     .index_bytes = what->narrow ? 4 : 8,
                     .num_tokens = what->tokens,
                     .num_blocks = wire_lay_pages(what).num_blocks,
                     .block_size = what->block_size};
}

static kvf_page_plane plane_of(const wire_case *what, int64_t plane) {
  const wire_pages pages = wire_lay_pages(what);
  return (kvf_page_plane){.block = pages.of['B'],
                          .token = pages.of['N'],
                          .head = pages.of['H'],
                          .element = pages.dense ? wire_element_bytes(what, plane) : pages.of['C'],
                          .elements = wire_elements(what, plane),
                          .element_bytes = wire_element_bytes(what, plane)};
}

static kvf_kv_relayout_params params_of(const op_call *call, const relayout_case *what) {
  kvf_kv_relayout_params params = {.copy = {.from = slots_of(call, SRC_SLOTS, &what->from),
                                            .to = slots_of(call, DST_SLOTS, &what->to),
                                            .num_heads = what->from.heads,
                                            .num_layers = (int32_t)what->from.layers}};
  kvf_page_copy *copy = &params.copy;
  for (int64_t plane = 0; plane < wire_planes(&what->from); ++plane) {
    if (wire_elements(&what->from, plane) == 0) {
      continue;
    }
    const int32_t k = copy->num_planes++;
    copy->from_pages[k] = plane_of(&what->from, plane);
    copy->to_pages[k] = plane_of(&what->to, plane);
    for (int64_t layer = 0; layer < what->from.layers; ++layer) {
      const int64_t cell = plane * what->from.layers + layer;
      copy->from_cells[k * what->from.layers + layer] =
          (char *)cells[0][cell].data + cells[0][cell].byte_offset;
      copy->to_cells[k * what->from.layers + layer] =
          (char *)cells[1][cell].data + cells[1][cell].byte_offset;
    }
  }
  return params;
}

static void run(const relayout_case *what) {
  char name[200];
  (void)snprintf(
      name, sizeof name,
      "%lld layers, %lld heads, %lld tokens, sizes %d, order %d to %d, blocks of %lld to "
      "%lld, slots %d to %d, entry %d, seed %llu",
      (long long)what->from.layers, (long long)what->from.heads, (long long)what->from.tokens,
      what->from.sizes, what->from.order, what->to.order, (long long)what->from.block_size,
      (long long)what->to.block_size, what->from.slots, what->to.slots, what->from.entry,
      (unsigned long long)what->from.seed);
  op_call call;
  vary_order(what->from.seed);
  build(&call, what);
  op_call_upload(&call);
  const bool refused = options.backend == KVF_CPU && what->from.tokens > 0 &&
                       what->from.heads > 0 &&
                       (what->from.slots == SLOTS_BEYOND || what->to.slots == SLOTS_BEYOND);
  const uint64_t faults = refused ? 0 : expect_moved(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  kvf_status status = KVF_OK;
  if (what->from.entry == ENTRY_RAW && wire_planes(&what->from) <= KVF_MAX_PLANES &&
      wire_planes(&what->from) * what->from.layers <= KVF_MAX_CELL_PAIRS) {
    const kvf_kv_relayout_params params = params_of(&call, what);
    status = kvf_launch_kv_relayout(call.given_exec, variant, &params);
  } else {
    status = op_call_invoke(&call, what->from.entry == ENTRY_TYPED ? typed : NULL);
  }
  if (refused) {
    EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
    EXPECT_TEXT(kvf_last_error(),
                what->from.slots == SLOTS_BEYOND ? "src_slots: element " : "dst_slots: element ");
    status = KVF_OK;
  }
  (void)expect_done(options.backend, status, before, faults, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(variant);
}

static relayout_case small_case(void) {
  relayout_case what = {
      .from = {.layers = 2, .heads = 2, .block_size = 4, .tokens = 5, .step = 1, .seed = 3}};
  what.to = what.from;
  what.to.block_size = 3;
  what.to.order = 1;
  what.to.seed = 8;
  return what;
}

static void test_matrix(void) {
  static const int64_t layers_of[] = {1, 2, 5};
  static const int64_t heads_of[] = {1, 2, 6, 0};
  static const int64_t block_sizes[] = {1, 7, 16, 48, 64};
  static const int64_t tokens_of[] = {0, 1, 15, 64, 65, 150};
  static const int64_t pads[] = {0, 1, 16};
  static const int offsets[] = {0, 8, 4, 2, 1};
  if (!need_backend()) {
    return;
  }
  const covering plan = {
      .num_axes = 17,
      .sizes = {TEST_COUNT(layers_of), TEST_COUNT(heads_of), TEST_COUNT(tokens_of),
                wire_num_sizes(), wire_num_orders(), wire_num_orders(), TEST_COUNT(block_sizes),
                TEST_COUNT(block_sizes), TEST_COUNT(pads), TEST_COUNT(pads), TEST_COUNT(offsets),
                SLOTS_KINDS, SLOTS_KINDS, 2, 2, ENTRIES, 2}};
  for (uint64_t round = 0; round < 4; ++round) {
    int count = 0;
    covering_row *rows = covering_make(&plan, options.seed + round, &count);
    for (int i = 0; i < count; ++i) {
      const int *v = rows[i].value;
      relayout_case what = {.from = {.layers = layers_of[v[0]],
                                     .heads = heads_of[v[1]],
                                     .tokens = tokens_of[v[2]],
                                     .sizes = v[3],
                                     .order = v[4],
                                     .block_size = block_sizes[v[6]],
                                     .pad = pads[v[8]],
                                     .slots = v[11],
                                     .narrow = v[13] != 0,
                                     .step = 1 + v[14],
                                     .entry = v[15],
                                     .with_exec = v[16] != 0,
                                     .seed = options.seed + 1000 * round + (uint64_t)i}};
      const int64_t unit = wire_lay_pages(&what.from).unit;
      what.from.offset = (int)(offsets[v[10]] / unit * unit);
      what.to = what.from;
      what.to.order = v[5];
      what.to.block_size = block_sizes[v[7]];
      what.to.pad = pads[v[9]];
      what.to.slots = v[12];
      what.to.narrow = v[14] != 0;
      what.to.step = 1 + v[13];
      what.to.seed += 100000;
      run(&what);
    }
    free(rows);
  }
}

/* More cells and planes than a launch has room for, and more tokens than a part of a grid. */
static void test_many(void) {
  static const int64_t layers[] = {60, 61, 120, 121, 250};
  for (int i = 0; need_backend() && i < 3 * (int)TEST_COUNT(layers); ++i) {
    relayout_case what = small_case();
    what.from.layers = what.to.layers = i % 3 == 2 ? 1 + i : layers[i / 3];
    what.from.sizes = what.to.sizes = i % 3 == 2 ? 7 : 3 * (i % 3);
    what.from.entry = i % 2;
    what.from.slots = i % SLOTS_KINDS;
    what.from.seed += (uint64_t)i;
    run(&what);
    what = small_case();
    what.from.tokens = what.to.tokens = options.backend == KVF_CPU ? 4097 : 1025;
    what.from.block_size = 16;
    what.to.block_size = i % 2 ? 48 : 64;
    what.from.order = i % wire_num_orders();
    what.to.order = (i + 3) % wire_num_orders();
    what.from.slots = i % 2;
    what.to.slots = i / 2 % 2;
    run(&what);
  }
}

static void test_graph(void) {
  if (options.backend == KVF_CPU || !need_backend() || !graphs_there()) {
    return; /* the CPU has no graphs to capture */
  }
  relayout_case what = small_case();
  what.from.layers = what.to.layers = 70; /* of two planes: two launches */
  what.from.tokens = what.to.tokens = 33;
  what.from.with_exec = true;
  op_call call;
  captured made;
  build(&call, &what);
  op_call_upload(&call);
  (void)capture_begin(&made, call.exec.stream);
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OK);
  const bool whole = capture_end(&made);
  (void)op_call_verify(&call, "a captured call ran");
  for (int i = 0; whole && i < SLOTS_KINDS * SLOTS_KINDS; ++i) {
    what.from.slots = i % SLOTS_KINDS;
    what.to.slots = i / SLOTS_KINDS;
    what.from.seed = options.seed + (uint64_t)i;
    what.to.seed = what.from.seed + 100;
    wire_refill(&call, "src_pages", what.from.seed);
    wire_refill(&call, "dst_pages", what.to.seed);
    wire_make_slots(&call, &what.from, "src_slots");
    wire_make_slots(&call, &what.to, "dst_slots");
    op_call_upload(&call);
    const uint64_t faults = expect_moved(&call, &what);
    const uint64_t before = faults_before(options.backend);
    (void)capture_launch(&made);
    (void)expect_done(options.backend, KVF_OK, before, faults, "a launch of the graph");
    (void)op_call_verify(&call, "a launch of the graph");
  }
  capture_free(&made);
  op_call_free(&call);
  count_case(kvf_select(OP, options.backend, KVF_B8));
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no src_slots", ON_BOTH, "src_slots", SPOIL_NULL, 0, 0, NULL, VALUE_, "src_slots", "NULL", "want a tensor"},
  {"no dst_slots", ON_BOTH, "dst_slots", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst_slots", "NULL", "want a tensor"},
  {"slots of f32", ON_BOTH, "dst_slots", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "dst_slots", "dtype is float32", "want int32, int64"},
  {"fewer slots", ON_BOTH, "dst_slots", SPOIL_SIZE, 0, 4, NULL, VALUE_, "dst_slots", "is 4", "want 5 as in src_slots"},
  {"a source behind the last", ON_CPU, "src_slots", SPOIL_INDEX, 4, 16, NULL, KVF_OUT_OF_RANGE, "src_slots", "element 4 is 16", "want less than 16 (4 blocks of 4 tokens)"},
  {"a target behind the last", ON_CPU, "dst_slots", SPOIL_INDEX, 0, 12, NULL, KVF_OUT_OF_RANGE, "dst_slots", "element 0 is 12", "want less than 12 (4 blocks of 3 tokens)"},
  {"slots on CUDA", ON_CPU, "src_slots", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "src_slots", "on CUDA device 0", "want the CPU"},
  {"no src_dtype", ON_BOTH, "src_dtype", SPOIL_TEXT, 0, 0, NULL, VALUE_, "src_dtype", "NULL", "want a word"},
  {"no dst_dtype", ON_BOTH, "dst_dtype", SPOIL_TEXT, 0, 0, NULL, VALUE_, "dst_dtype", "NULL", "want a word"},
  {"other words", ON_BOTH, "dst_dtype", SPOIL_TEXT, 0, 0, "fp8", KVF_UNSUPPORTED, "dst_dtype", "'fp8'", "want 'nvfp4' as src_dtype"},
  {"layers that do not divide", ON_BOTH, "num_layers", SPOIL_INT, 0, 3, NULL, VALUE_, "num_layers", "got 3", "want 0 or a divisor of 4"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  const relayout_case what = small_case();
  if (need_backend()) {
    op_call_test_bad(build, &what, typed, bad, TEST_COUNT(bad));
  }
  enum { FEWER, OTHER_HEADS, OTHER_SIZE, OTHER_BITS, SAME_MEMORY, A_SCALE, BAD };
  static const char *const want[] = {
      "dst_pages: has 2 tensors, want 4 as in src_pages",
      "dst_pages[1]: size of dimension 2 (num_heads) is 1, want 2",
      "dst_pages[1]: size of dimension 3 (elements) is 100, want 128",
      "dst_pages[2]: a row has 128 elements of 1 bytes, want 128 of 2",
      "dst_pages: shares memory with src_pages",
      "dst_scales: has 1 tensors, want none"};
  for (int i = 0; need_backend() && i < 2 * BAD; ++i) {
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    int64_t shape[4];
    memcpy(shape, cells[1][1].shape, sizeof shape);
    if (i / 2 == FEWER) {
      call.values[DST].as.tensors.size = call.values[NUM_LAYERS].as.integer = 2;
    } else if (i / 2 == OTHER_HEADS || i / 2 == OTHER_SIZE) {
      shape[i / 2 == OTHER_HEADS ? 2 : 3] = i / 2 == OTHER_HEADS ? 1 : 100;
      cells[1][1].shape = shape;
    } else if (i / 2 == OTHER_BITS) {
      cells[1][2].dtype.bits = cells[1][3].dtype.bits = 8;
    } else if (i / 2 == SAME_MEMORY) {
      cells[1][3].data = cells[0][0].data;
      cells[1][3].byte_offset = cells[0][0].byte_offset;
    } else {
      call.values[DST_SCALES] = call.values[DST];
      call.values[DST_SCALES].as.tensors.size = 1;
    }
    EXPECT_STATUS(op_call_invoke(&call, i % 2 ? typed : NULL), VALUE_);
    EXPECT_TEXT(kvf_last_error(), want[i / 2]);
    (void)op_call_verify(&call, want[i / 2]);
    op_call_free(&call);
    count_case(NULL);
  }
}

static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  const relayout_case what = small_case();
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  const kvf_kv_relayout_params good = params_of(&call, &what);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_kv_relayout_params params;
    const char *text;
  } rows[] = {{good, "num_planes: got -1"},
              {good, "num_planes: got 9 planes"},
              {good, "num_planes: got 2 planes of 61 layers"},
              {good, "num_layers: got -1"},
              {good, "num_heads: got -1"},
              {good, "from.remap: "},
              {good, "to.remap: "},
              {good, "to.num_tokens: got 4"},
              {good, "src_slots: "},
              {good, "dst_slots: "},
              {good, "src_pages: "},
              {good, "dst_pages: "},
              {good, "elements: got 0"},
              {good, "element_bytes: got 0"},
              {good, "to_pages: a row has 5 elements"},
              {good, "want less than 2^62"}};
  rows[0].params.copy.num_planes = -1;
  rows[1].params.copy.num_planes = 9;
  rows[2].params.copy.num_layers = 61;
  rows[3].params.copy.num_layers = -1;
  rows[4].params.copy.num_heads = -1;
  rows[5].params.copy.from.remap = good.copy.from.mapping;
  rows[6].params.copy.to.remap = good.copy.from.mapping;
  rows[7].params.copy.to.num_tokens = 4;
  rows[8].params.copy.from.mapping = NULL;
  rows[9].params.copy.to.mapping = NULL;
  rows[10].params.copy.from_cells[3] = NULL;
  rows[11].params.copy.to_cells[3] = NULL;
  rows[12].params.copy.from_pages[1].elements = 0;
  rows[13].params.copy.from_pages[1].element_bytes = 0;
  rows[14].params.copy.to_pages[1].elements = 5;
  rows[15].params.copy.num_heads = INT64_MAX / 4;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_kv_relayout(NULL, variant, &rows[i].params), VALUE_);
    EXPECT_TEXT(kvf_last_error(), rows[i].text);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

static void test_pairs(void) { conversions_test_pairs(CONVERT_RELAYOUT); }
static void test_converted_params(void) { conversions_test_bad_params(CONVERT_RELAYOUT); }

CU_TestInfo kv_relayout_tests[] = {
    {"every pair of axis values", test_matrix},
    {"many layers, planes and tokens", test_many},
    {"every pair of dtypes", test_pairs},
    {"conversion of many rows", conversions_test_many_rows},
    {"captured calls", test_graph},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    {"bad params of conversions", test_converted_params},
    CU_TEST_INFO_NULL,
};
