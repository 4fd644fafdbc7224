#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "graphs.h"
#include "kvforge/params/kv_pack.h"
#include "kvforge/params/kv_unpack.h"
#include "writer.h"

/* ---- what there is
 * ------------------------------------------------------------------------------- */

/* Elements of a row, and bytes of one, for each plane. */
typedef struct plane_size {
  int64_t elements, bytes;
} plane_size;

static const plane_size sizes[][WIRE_PLANES] = {
    {{128, 2}, {128, 2}},
    {{64, 1}, {1, 4}, {64, 1}, {1, 4}}, /* codes and scales */
    {{576, 2}},
    {{7, 1}, {3, 1}},
    {{16, 4}, {5, 2}, {0, 2}, {1, 8}},
    {{656, 1}},
    {{1, 2}},
    {{4, 1}, {8, 1}, {12, 1}, {16, 1}, {2, 2}, {3, 2}, {1, 4}, {2, 4}, {1, 1}, {24, 1}},
};

/* Axes of pages, outermost first: layer, plane, block, token, head, element. */
static const char *const orders[] = {"PLBNHC", "LPBNHC", "LBPNHC", "BLPNHC", "LBNHPC", "LBHNPC",
                                     "LHBNPC", "BHLNPC", "PLBHCN", "BLPHNC", "PBLCHN"};

static const char *const layouts[] = {"LKNHC", "KLNHC", "LKHNC", "HLKNC", "GLKNHC"};

int64_t wire_planes(const wire_case *what) {
  int64_t count = 0;
  while (count < WIRE_PLANES && sizes[what->sizes][count].bytes > 0) {
    ++count;
  }
  return count;
}

int64_t wire_elements(const wire_case *what, int64_t plane) {
  return sizes[what->sizes][plane].elements;
}
int64_t wire_element_bytes(const wire_case *what, int64_t plane) {
  return sizes[what->sizes][plane].bytes;
}
int wire_num_sizes(void) { return TEST_COUNT(sizes); }
int wire_num_orders(void) { return TEST_COUNT(orders); }

static int64_t row_of(const wire_case *what, int64_t plane) {
  return sizes[what->sizes][plane].elements * sizes[what->sizes][plane].bytes;
}

static int64_t group_of(const wire_case *what) {
  const char *layout = layouts[what->layout];
  return layout[0] == 'G' ? what->group_heads : layout[0] == 'H' ? 1 : what->heads;
}

/* ---- pages
 * --------------------------------------------------------------------------------------- */

wire_pages wire_lay_pages(const wire_case *what) {
  wire_pages made = {.unit = 1};
  int64_t most = 1;
  int64_t row = 1;
  const int64_t planes = wire_planes(what);
  for (int64_t p = 0; p < planes; ++p) {
    const plane_size size = sizes[what->sizes][p];
    made.unit = size.bytes > made.unit ? size.bytes : made.unit;
    most = size.elements > most ? size.elements : most;
    row = row_of(what, p) > row ? row_of(what, p) : row;
  }
  made.num_blocks = (what->tokens + what->block_size - 1) / what->block_size + 2;
  const char *order = orders[what->order];
  made.dense = order[5] == 'C';
  int64_t run = made.unit;
  for (int i = 5; i >= 0; --i) {
    const char axis = order[i];
    made.of[(int)axis] = run;
    run *= axis == 'L'   ? what->layers
           : axis == 'P' ? planes
           : axis == 'B' ? made.num_blocks
           : axis == 'N' ? what->block_size
           : axis == 'H' ? what->heads
                         : most;
    if (axis == 'C' && made.dense) {
      run = (row + made.unit - 1) / made.unit * made.unit;
    }
    if (axis == 'N' || axis == 'B') {
      run += what->pad * made.unit;
    }
  }
  made.total = run;
  return made;
}

/* ---- one call
 * ------------------------------------------------------------------------------------ */

static const char *name_of(const wire_case *what) { return what->packs ? "kv_pack" : "kv_unpack"; }

static const kvf_op *op_of(const wire_case *what) {
  return what->packs ? &kvf_op_kv_pack : &kvf_op_kv_unpack;
}

static DLTensor cells[WIRE_SIDES][WIRE_CELLS];
static const DLTensor *list[WIRE_SIDES][WIRE_CELLS];
static int64_t shapes[WIRE_SIDES][WIRE_PLANES][4];
static int64_t strides[WIRE_SIDES][WIRE_PLANES][4];

/* What a row of the wire is of. */
typedef struct wire_row {
  int64_t block, layer, plane, in_block, head, at;
} wire_row;

/*
 * The rows of a wire block, one after another as its layout has them: the oracle of where they are,
 * which is nothing but counting.
 */
typedef struct wire_walk {
  const wire_case *what;
  int64_t number; /* of the row in the block */
  int64_t at;     /* bytes from the start of the block */
} wire_walk;

static bool next_row(wire_walk *walk, wire_row *row) {
  const wire_case *what = walk->what;
  const char *layout = layouts[what->layout];
  const int64_t group = group_of(what);
  int64_t rest = walk->number++;
  int64_t in_group = 0;
  int64_t of_group = 0;
  for (int i = (int)strlen(layout) - 2; i >= 0; --i) { /* the innermost is C */
    const char axis = layout[i];
    const bool has_groups = strchr(layout, 'G') != NULL;
    const int64_t size = axis == 'L'   ? what->layers
                         : axis == 'K' ? wire_planes(what)
                         : axis == 'N' ? what->block_tokens
                         : axis == 'G' ? what->heads / group
                         : has_groups  ? group
                                       : what->heads;
    if (size == 0) {
      return false;
    }
    const int64_t index = rest % size;
    rest /= size;
    *(axis == 'L'   ? &row->layer
      : axis == 'K' ? &row->plane
      : axis == 'N' ? &row->in_block
      : axis == 'G' ? &of_group
                    : &in_group) = index;
  }
  row->head = of_group * group + in_group;
  row->at = walk->at;
  if (rest > 0) {
    return false;
  }
  walk->at += row_of(what, row->plane);
  return true;
}

/* The bytes of a wire block, without and with what is behind its rows. */
static int64_t used_bytes(const wire_case *what) {
  wire_walk walk = {.what = what};
  wire_row row = {.block = 0};
  while (next_row(&walk, &row)) {
  }
  return walk.at;
}
static int64_t block_bytes(const wire_case *what) { return (used_bytes(what) + 63) / 64 * 64; }
static int64_t num_wire_blocks(const wire_case *what) {
  return (what->tokens + what->block_tokens - 1) / what->block_tokens;
}
static int64_t wire_bytes(const wire_case *what) {
  return (num_wire_blocks(what) * block_bytes(what) + 1023) / 1024 * 1024;
}

static int at(const op_call *call, const char *argument) {
  return op_call_position(call, argument);
}

void wire_make_slots(const op_call *call, const wire_case *what, const char *argument) {
  const wire_pages pages = wire_lay_pages(what);
  const operand *slots = &call->operands[op_call_position(call, argument)];
  static int64_t order[2 * WIRE_TOKENS];
  const int64_t capacity = pages.num_blocks * what->block_size;
  uint64_t state = what->seed + 77;
  for (int64_t i = 0; i < capacity; ++i) {
    order[i] = i;
  }
  for (int64_t i = capacity - 1; what->slots == SLOTS_SHUFFLED && i > 0; --i) {
    const int64_t other = random_below(&state, i + 1);
    const int64_t kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  const int64_t first = what->slots == SLOTS_SHUFFLED ? 0 : capacity - what->tokens;
  for (int64_t t = 0; t < what->tokens; ++t) {
    int64_t slot = order[first + t];
    if (what->slots == SLOTS_NEGATIVE || (what->slots == SLOTS_WITH_GAPS && t % 7 == 3)) {
      slot = t % 2 ? -1 : -(INT64_C(1) << 30);
    } else if (what->slots == SLOTS_WITH_GAPS && t == 4 && first > 0) {
      slot = 0; /* in front of all others */
    } else if (what->slots == SLOTS_BEYOND && t == what->tokens / 2) {
      slot = capacity;
    }
    operand_put_index(slots, t, 0, slot);
  }
}

static void set_string(op_call *call, const char *argument, const char *string) {
  call->values[at(call, argument)] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = string};
}
static void set_int(op_call *call, const char *argument, int64_t value) {
  call->values[at(call, argument)] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = value};
}

DLTensor *wire_make_pages(op_call *call, const wire_case *what, const char *argument, int side) {
  const wire_pages pages = wire_lay_pages(what);
  const int64_t planes = wire_planes(what);
  const DLDataType bytes = {kDLUInt, 8, 1};
  const int64_t one = 1;
  const int of_pages = op_call_position(call, argument);
  operand_make(call, of_pages, bytes, 1, &pages.total, &one, what->offset, 64, what->seed);
  const operand *arena = &call->operands[of_pages];
  for (int64_t p = 0; p < planes; ++p) {
    const plane_size size = sizes[what->sizes][p];
    const int64_t shape[4] = {pages.num_blocks, what->block_size, what->heads, size.elements};
    const int64_t stride[4] = {pages.of['B'] / size.bytes, pages.of['N'] / size.bytes,
                               pages.of['H'] / size.bytes,
                               pages.dense ? 1 : pages.of['C'] / size.bytes};
    memcpy(shapes[side][p], shape, sizeof shape);
    memcpy(strides[side][p], stride, sizeof stride);
    for (int64_t l = 0; l < what->layers; ++l) {
      cells[side][p * what->layers + l] = (DLTensor){
          .data = arena->memory.place,
          .device = {options.backend == KVF_CPU ? kDLCPU : kDLCUDA, 0},
          .ndim = 4,
          .dtype = {kDLUInt, (uint8_t)(8 * size.bytes), 1},
          .shape = shapes[side][p],
          .strides = strides[side][p],
          .byte_offset = (uint64_t)(arena->view.start + l * pages.of['L'] + p * pages.of['P']),
      };
      list[side][p * what->layers + l] = &cells[side][p * what->layers + l];
    }
  }
  call->values[of_pages] =
      (kvf_value){.kind = KVF_KIND_TENSOR_LIST, .as.tensors = {list[side], planes * what->layers}};
  return cells[side];
}

static void build(op_call *call, const void *context) {
  const wire_case *what = context;
  const DLDataType bytes = {kDLUInt, 8, 1};
  const int64_t one = 1;
  *call = (op_call){.op = op_of(what), .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  wire_make_pages(call, what, "pages", 0);
  const int64_t wire = wire_bytes(what) + what->spare;
  operand_make(call, at(call, "wire"), bytes, 1, &wire, &one, 0, 64, what->seed + 1);
  operand_make(call, at(call, "slot_mapping"), (DLDataType){kDLInt, what->narrow ? 32 : 64, 1}, 1,
               &what->tokens, &what->step, 0, 64, what->seed + 2);
  wire_make_slots(call, what, "slot_mapping");
  set_string(call, "wire_layout", layouts[what->layout]);
  set_int(call, "wire_block_size", what->block_tokens);
  set_string(call, "page_dtype", "any");
  set_string(call, "wire_dtype", "any");
  set_int(call, "num_layers", wire_planes(what) == 1 && what->seed % 2 ? 0 : what->layers);
  set_int(call, "heads_per_group",
          layouts[what->layout][0] != 'G'                      ? 0
          : what->group_heads == what->heads && what->seed % 2 ? 0
                                                               : what->group_heads);
  call->values[at(call, "page_scales")] = (kvf_value){.kind = KVF_KIND_TENSOR_LIST};
  call->values[at(call, "wire_scales")] = (kvf_value){.kind = KVF_KIND_NONE};
  if (!what->packs) {
    call->values[at(call, "gate")] = (kvf_value){.kind = KVF_KIND_NONE};
  }
  if (!what->packs && what->gate != GATE_NONE) {
    operand_make(call, at(call, "gate"), (DLDataType){kDLInt, 32, 1}, 1, &one, &one, 4, 64,
                 what->seed + 3);
    operand_put_index(&call->operands[at(call, "gate")], 0, 0, what->gate == GATE_SHUT ? 3 : 0);
  }
}

uint8_t *wire_page_at(const operand *arena, const wire_case *what, const wire_pages *pages,
                      const int64_t *cell, int64_t slot, int64_t head, int64_t element) {
  const int64_t step = pages->dense ? wire_element_bytes(what, cell[1]) : pages->of['C'];
  return arena->memory.expected + arena->view.start + cell[0] * pages->of['L'] +
         cell[1] * pages->of['P'] + slot / what->block_size * pages->of['B'] +
         slot % what->block_size * pages->of['N'] + head * pages->of['H'] + element * step;
}

/* Notes what the call must write; returns how many slots are out of range. */
static uint64_t expect_moved(const op_call *call, const wire_case *what) {
  const wire_pages pages = wire_lay_pages(what);
  const operand *wire = &call->operands[at(call, "wire")];
  const operand *slots = &call->operands[at(call, "slot_mapping")];
  const operand *arena = &call->operands[at(call, "pages")];
  const int64_t capacity = pages.num_blocks * what->block_size;
  const int64_t apart = block_bytes(what);
  uint8_t *image = wire->memory.expected + wire->view.start;
  if (!what->packs && what->gate == GATE_SHUT) {
    return 0;
  }
  if (what->packs && what->tokens > 0) {
    memset(image, 0, (size_t)wire_bytes(what));
  }
  for (int64_t block = 0; block < num_wire_blocks(what); ++block) {
    wire_walk walk = {.what = what};
    wire_row row = {.block = block};
    while (next_row(&walk, &row)) {
      const plane_size size = sizes[what->sizes][row.plane];
      const int64_t cell[2] = {row.layer, row.plane};
      const int64_t token = block * what->block_tokens + row.in_block;
      const int64_t slot = token < what->tokens ? operand_get_index(slots, token, 0) : -1;
      for (int64_t d = 0; slot >= 0 && slot < capacity && d < size.elements; ++d) {
        uint8_t *in_wire = image + block * apart + row.at + d * size.bytes;
        uint8_t *in_page = wire_page_at(arena, what, &pages, cell, slot, row.head, d);
        memcpy(what->packs ? in_wire : in_page, what->packs ? in_page : in_wire,
               (size_t)size.bytes);
      }
    }
  }
  return what->slots == SLOTS_BEYOND && what->tokens > 0 && what->heads > 0;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *v) {
  return kvf_kv_pack(exec, v[0].as.tensors.data, v[0].as.tensors.size, (DLTensor *)v[1].as.tensor,
                     v[2].as.tensor, v[3].as.string, v[4].as.integer, v[5].as.string,
                     v[6].as.string, v[7].as.tensors.data, v[7].as.tensors.size, v[8].as.tensor,
                     v[9].as.integer, v[10].as.integer);
}
static kvf_status typed_unpack(const kvf_exec *exec, const kvf_value *v) {
  return kvf_kv_unpack(exec, v[0].as.tensor, v[1].as.tensors.data, v[1].as.tensors.size,
                       v[2].as.tensor, v[3].as.string, v[4].as.integer, v[5].as.string,
                       v[6].as.string, v[7].as.tensor, v[8].as.tensors.data, v[8].as.tensors.size,
                       v[9].as.tensor, v[10].as.integer, v[11].as.integer);
}
static typed_call typed_of(const wire_case *what) { return what->packs ? typed : typed_unpack; }

/* The struct of a raw launch: its distances in the wire are those that counting gives. */
static kvf_wire_copy copy_of(const op_call *call, const wire_case *what) {
  const wire_pages pages = wire_lay_pages(what);
  const operand *slots = &call->operands[at(call, "slot_mapping")];
  kvf_wire_copy copy = {
      .slots = {.mapping = operand_view(slots).data,
                .stride = what->step,
                .index_bytes = what->narrow ? 4 : 8,
                .num_tokens = what->tokens,
                .num_blocks = pages.num_blocks,
                .block_size = what->block_size},
      .wire = operand_view(&call->operands[at(call, "wire")]).data,
      .wire_bytes = wire_bytes(what),
      .block_bytes = block_bytes(what),
      .used_bytes = used_bytes(what),
      .block_tokens = what->block_tokens,
      .num_heads = what->heads,
      .group_heads = group_of(what),
      .num_layers = (int32_t)what->layers,
      .tokens_inside = strcmp(layouts[what->layout], "LKHNC") == 0,
  };
  if (!what->packs && what->gate != GATE_NONE) {
    copy.gate = operand_view(&call->operands[at(call, "gate")]).data;
  }
  for (int64_t p = 0; p < wire_planes(what); ++p) {
    if (row_of(what, p) == 0) {
      continue;
    }
    const int32_t k = copy.num_planes++;
    copy.pages[k] = (kvf_page_plane){
        .block = pages.of['B'],
        .token = pages.of['N'],
        .head = pages.of['H'],
        .element = pages.dense ? sizes[what->sizes][p].bytes : pages.of['C'],
        .elements = sizes[what->sizes][p].elements,
        .element_bytes = sizes[what->sizes][p].bytes,
    };
    for (int64_t l = 0; l < what->layers; ++l) {
      const DLTensor *cell = list[0][p * what->layers + l];
      copy.cells[k * what->layers + l] = (char *)cell->data + cell->byte_offset;
    }
    wire_walk walk = {.what = what};
    wire_row row = {.block = 0};
    int64_t first = -1;
    kvf_wire_plane *wire = &copy.wires[k];
    while (next_row(&walk, &row)) {
      const int64_t group = row.head / copy.group_heads;
      const int64_t head = row.head % copy.group_heads;
      if (row.plane != p || row.layer + row.in_block + group + head > 1) {
        continue;
      }
      if (row.layer + row.in_block + group + head == 0) {
        wire->first = first = row.at;
      } else {
        *(row.layer      ? &wire->layer
          : row.in_block ? &wire->token
          : group        ? &wire->group
                         : &wire->head) = row.at - first;
      }
    }
  }
  return copy;
}

static kvf_status launch(const wire_case *what, const kvf_exec *exec, const kvf_wire_copy *copy) {
  const kvf_variant *variant = kvf_select(op_of(what), options.backend, KVF_B8);
  if (what->packs) {
    return kvf_launch_kv_pack(exec, variant, &(kvf_kv_pack_params){.copy = *copy});
  }
  return kvf_launch_kv_unpack(exec, variant, &(kvf_kv_unpack_params){.copy = *copy});
}

static void describe(const wire_case *what, char text[static 240]) {
  (void)snprintf(
      text, 240,
      "%s: %lld layers, %lld heads, %lld tokens of blocks of %lld to those of %lld, "
      "sizes %d, %s, pad %lld, offset %d, %s in %lld, slots %d, gate %d, entry %d, "
      "seed %llu",
      name_of(what), (long long)what->layers, (long long)what->heads, (long long)what->tokens,
      (long long)what->block_size, (long long)what->block_tokens, what->sizes, orders[what->order],
      (long long)what->pad, what->offset, layouts[what->layout], (long long)group_of(what),
      what->slots, what->gate, what->entry, (unsigned long long)what->seed);
}

static void run(const wire_case *what) {
  char name[240];
  describe(what, name);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  const bool refused = options.backend == KVF_CPU && what->slots == SLOTS_BEYOND &&
                       what->tokens > 0 && used_bytes(what) > 0;
  const uint64_t faults = refused ? 0 : expect_moved(&call, what);
  const uint64_t before = faults_before(options.backend);
  kvf_status status = KVF_OK;
  if (what->entry == ENTRY_RAW && wire_planes(what) <= KVF_MAX_PLANES &&
      wire_planes(what) * what->layers <= KVF_MAX_CELLS) {
    const kvf_wire_copy copy = copy_of(&call, what);
    status = launch(what, call.given_exec, &copy);
  } else {
    status = op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed_of(what) : NULL);
  }
  if (refused) {
    EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
    EXPECT_TEXT(kvf_last_error(), "slot_mapping: element ");
    status = KVF_OK;
  }
  (void)expect_done(options.backend, status, before, used_bytes(what) > 0 ? faults : 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(kvf_select(op_of(what), options.backend, KVF_B8));
}

/* ---- cases
 * --------------------------------------------------------------------------------------- */

static const int64_t layers_of[] = {1, 2, 5};
static const int64_t heads_of[] = {1, 2, 6, 0};
static const int64_t block_sizes[] = {1, 7, 16, 48, 64};
static const int64_t tokens_of[] = {0, 1, 15, 16, 17, 70};
static const int64_t block_tokens_of[] = {1, 16, 64, 5};
static const int64_t pads[] = {0, 1, 16};
static const int offsets[] = {0, 8, 4, 2, 1};
static const int64_t spares[] = {0, 40};

void wire_test_matrix(bool packs) {
  enum {
    LAYERS_,
    HEADS_,
    GROUP_,
    BLOCK_,
    TOKENS_,
    WIRE_BLOCK_,
    SIZES_,
    ORDER_,
    PAD_,
    OFFSET_,
    LAYOUT_,
    SPARE_,
    SLOTS_,
    NARROW_,
    STEP_,
    GATE_,
    ENTRY_,
    EXEC_,
    AXES_
  };
  if (!need_backend()) {
    return;
  }
  const covering plan = {.num_axes = AXES_,
                         .sizes = {[LAYERS_] = TEST_COUNT(layers_of),
                                   [HEADS_] = TEST_COUNT(heads_of),
                                   [GROUP_] = 3,
                                   [BLOCK_] = TEST_COUNT(block_sizes),
                                   [TOKENS_] = TEST_COUNT(tokens_of),
                                   [WIRE_BLOCK_] = TEST_COUNT(block_tokens_of),
                                   [SIZES_] = TEST_COUNT(sizes),
                                   [ORDER_] = TEST_COUNT(orders),
                                   [PAD_] = TEST_COUNT(pads),
                                   [OFFSET_] = TEST_COUNT(offsets),
                                   [LAYOUT_] = TEST_COUNT(layouts),
                                   [SPARE_] = TEST_COUNT(spares),
                                   [SLOTS_] = SLOTS_KINDS,
                                   [NARROW_] = 2,
                                   [STEP_] = 2,
                                   [GATE_] = packs ? 1 : GATES,
                                   [ENTRY_] = ENTRIES,
                                   [EXEC_] = 2}};
  for (uint64_t round = 0; round < 4; ++round) {
    int count = 0;
    covering_row *rows = covering_make(&plan, options.seed + round, &count);
    for (int i = 0; i < count; ++i) {
      const int *v = rows[i].value;
      const int64_t heads = heads_of[v[HEADS_]];
      const int64_t groups[] = {heads, 1, heads % 2 ? heads : heads / 2};
      int64_t unit = 1;
      for (int p = 0; p < WIRE_PLANES; ++p) {
        unit = sizes[v[SIZES_]][p].bytes > unit ? sizes[v[SIZES_]][p].bytes : unit;
      }
      run(&(wire_case){.packs = packs,
                       .layers = layers_of[v[LAYERS_]],
                       .heads = heads,
                       .group_heads = groups[v[GROUP_]] > 0 ? groups[v[GROUP_]] : 1,
                       .block_size = block_sizes[v[BLOCK_]],
                       .tokens = tokens_of[v[TOKENS_]],
                       .block_tokens = block_tokens_of[v[WIRE_BLOCK_]],
                       .sizes = v[SIZES_],
                       .order = v[ORDER_],
                       .pad = pads[v[PAD_]],
                       .offset = (int)(offsets[v[OFFSET_]] / unit * unit),
                       .layout = v[LAYOUT_],
                       .spare = spares[v[SPARE_]],
                       .slots = v[SLOTS_],
                       .narrow = v[NARROW_] != 0,
                       .step = 1 + v[STEP_],
                       .gate = v[GATE_],
                       .entry = v[ENTRY_],
                       .with_exec = v[EXEC_] != 0,
                       .seed = options.seed + 1000 * round + (uint64_t)i});
    }
    free(rows);
  }
}

static wire_case small_case(bool packs) {
  return (wire_case){.packs = packs,
                     .layers = 2,
                     .heads = 2,
                     .group_heads = 1,
                     .block_size = 4,
                     .tokens = 5,
                     .block_tokens = 4,
                     .sizes = 0,
                     .layout = 0,
                     .slots = SLOTS_SHUFFLED,
                     .step = 1,
                     .gate = GATE_OPEN,
                     .seed = 3};
}

/* More cells and planes than a launch has room for, and more tokens than a part of a grid. */
void wire_test_many(bool packs) {
  static const int64_t layers[] = {119, 121, 240, 241, 299};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < 3 * (int)TEST_COUNT(layers); ++i) {
    wire_case what = small_case(packs);
    what.layers = layers[i / 3];
    what.sizes = i % 3 == 0 ? 0 : 3;
    what.layout = i % 5;
    what.entry = i % 2;
    what.slots = i % SLOTS_KINDS;
    what.seed += (uint64_t)i;
    run(&what);
  }
  for (int i = 0; i < 10; ++i) {
    wire_case what = small_case(packs);
    what.layers = i % 2 ? 31 : 25; /* of 10 planes: two launches, or three */
    what.sizes = 7;
    what.layout = i % 5;
    what.seed += (uint64_t)i;
    run(&what);
    what = small_case(packs);
    what.tokens = options.backend == KVF_CPU ? 4097 : 1025;
    what.block_size = i % 2 ? 16 : 48;
    what.block_tokens = i % 3 == 0 ? 256 : 64;
    what.layout = i % 5;
    what.order = i;
    what.slots = i % 3;
    what.seed += (uint64_t)i;
    run(&what);
  }
}

void wire_refill(const op_call *call, const char *argument, uint64_t seed) {
  const buffer *memory = &call->operands[at(call, argument)].memory;
  uint64_t state = seed;
  for (size_t i = 0; i < memory->size; ++i) {
    memory->expected[i] = (uint8_t)random_next(&state);
  }
}

void wire_test_graph(bool packs) {
  if (options.backend == KVF_CPU || !need_backend() || !graphs_there()) {
    return; /* the CPU has no graphs to capture */
  }
  wire_case what = small_case(packs);
  what.layers = 130; /* of two planes: two launches */
  what.tokens = 33;
  what.with_exec = true;
  op_call call;
  captured made;
  build(&call, &what);
  op_call_upload(&call);
  (void)capture_begin(&made, call.exec.stream);
  EXPECT_STATUS(op_call_invoke(&call, typed_of(&what)), KVF_OK);
  const bool whole = capture_end(&made);
  (void)op_call_verify(&call, "a captured call ran");
  for (int i = 0; whole && i < 2 * SLOTS_KINDS; ++i) {
    what.slots = i % SLOTS_KINDS;
    what.seed = options.seed + (uint64_t)i;
    what.gate = !packs && i == 2 ? GATE_SHUT : GATE_OPEN;
    wire_refill(&call, "pages", what.seed);
    wire_refill(&call, "wire", what.seed + 100);
    wire_make_slots(&call, &what, "slot_mapping");
    if (!packs) {
      operand_put_index(&call.operands[at(&call, "gate")], 0, 0, what.gate == GATE_SHUT);
    }
    op_call_upload(&call);
    const uint64_t faults = expect_moved(&call, &what);
    const uint64_t before = faults_before(options.backend);
    (void)capture_launch(&made);
    (void)expect_done(options.backend, KVF_OK, before, faults, "a launch of the graph");
    (void)op_call_verify(&call, "a launch of the graph");
  }
  capture_free(&made);
  op_call_free(&call);
  count_case(kvf_select(op_of(&what), options.backend, KVF_B8));
}

/* ---- what is refused
 * -------------------------------------------------------------------------- */

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE
#define UNSUPPORTED KVF_UNSUPPORTED

/* clang-format off */
static const bad_argument bad[] = {
  {"no wire", ON_BOTH, "wire", SPOIL_NULL, 0, 0, NULL, VALUE_, "wire", "NULL", "want a tensor"},
  {"wire of int8", ON_BOTH, "wire", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "wire", "dtype is int8", "want uint8"},
  {"wire of rows", ON_BOTH, "wire", SPOIL_RANK, 0, 2, NULL, VALUE_, "wire", "rank is 2", "want 1"},
  {"wire with gaps", ON_BOTH, "wire", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "wire", "(bytes) is 2", "want 1"},
  {"wire at an odd address", ON_BOTH, "wire", SPOIL_SHIFT, 0, 4, NULL, VALUE_, "wire", "address", "multiple of 16"},
  {"wire too small", ON_BOTH, "wire", SPOIL_SIZE, 0, 16383, NULL, VALUE_, "wire", "16383 bytes", "want 16384 (2 blocks of 4 tokens)"},
  {"no slots", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"slots of f32", ON_BOTH, "slot_mapping", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "slot_mapping", "dtype is float32", "want int32, int64"},
  {"slots of rank 2", ON_BOTH, "slot_mapping", SPOIL_RANK, 0, 2, NULL, VALUE_, "slot_mapping", "rank is 2", "want 1"},
  {"a slot behind the last", ON_CPU, "slot_mapping", SPOIL_INDEX, 4, 16, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 4 is 16", "want less than 16 (4 blocks of 4 tokens)"},
  {"slots on CUDA", ON_CPU, "slot_mapping", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "slot_mapping", "on CUDA device 0", "want the CPU"},
  {"slots on the CPU", ON_CUDA, "slot_mapping", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "slot_mapping", "on the CPU", "want CUDA device 0"},
  {"no layout", ON_BOTH, "wire_layout", SPOIL_TEXT, 0, 0, NULL, VALUE_, "wire_layout", "NULL", "want one of LKNHC, KLNHC, LKHNC, HLKNC, GLKNHC"},
  {"an unknown layout", ON_BOTH, "wire_layout", SPOIL_TEXT, 0, 0, "KLHNC", VALUE_, "wire_layout", "'KLHNC'", "want one of LKNHC, KLNHC, LKHNC, HLKNC, GLKNHC"},
  {"blocks of no token", ON_BOTH, "wire_block_size", SPOIL_INT, 0, 0, NULL, VALUE_, "wire_block_size", "got 0", "want 1 or more"},
  {"blocks of too many tokens", ON_BOTH, "wire_block_size", SPOIL_INT, 0, INT64_MAX, NULL, VALUE_, "wire", "bytes", "want more than"},
  {"no page_dtype", ON_BOTH, "page_dtype", SPOIL_TEXT, 0, 0, NULL, VALUE_, "page_dtype", "NULL", "want a word"},
  {"no wire_dtype", ON_BOTH, "wire_dtype", SPOIL_TEXT, 0, 0, NULL, VALUE_, "wire_dtype", "NULL", "want a word"},
  {"other words", ON_BOTH, "wire_dtype", SPOIL_TEXT, 0, 0, "fp8", UNSUPPORTED, "wire_dtype", "'fp8'", "want 'any' as page_dtype"},
  {"layers that do not divide", ON_BOTH, "num_layers", SPOIL_INT, 0, 3, NULL, VALUE_, "num_layers", "got 3", "want 0 or a divisor of 4"},
  {"fewer than no layers", ON_BOTH, "num_layers", SPOIL_INT, 0, -2, NULL, VALUE_, "num_layers", "got -2", "want 0 or a divisor of 4"},
};
static const bad_argument bad_gate[] = {
  {"gate of int64", ON_BOTH, "gate", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "gate", "dtype is int64", "want int32"},
  {"two gates", ON_BOTH, "gate", SPOIL_SIZE, 0, 2, NULL, VALUE_, "gate", "is 2", "want 1"},
  {"gate on CUDA", ON_CPU, "gate", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "gate", "on CUDA device 0", "want the CPU"},
};
static const bad_argument bad_group[] = {
  {"groups that do not divide", ON_BOTH, "heads_per_group", SPOIL_INT, 0, 3, NULL, VALUE_, "heads_per_group", "got 3", "want a divisor of 2"},
  {"groups of fewer than none", ON_BOTH, "heads_per_group", SPOIL_INT, 0, -1, NULL, VALUE_, "heads_per_group", "got -1", "want a divisor of 2"},
};
/* clang-format on */

/* What is wrong with one of the pages, or with their list. */
static void test_bad_pages(const wire_case *what) {
  enum {
    LIST_NULL,
    LIST_EMPTY,
    NO_PAGE_,
    RANK_,
    SIZE_,
    HEADS_,
    ELEMENTS_,
    STRIDE_,
    BITS_,
    DTYPE_,
    DEVICE_,
    BAD
  };
  static const struct {
    kvf_status status;
    const char *text;
  } want[BAD] = {{VALUE_, "pages: got NULL of 4 tensors"},
                 {VALUE_, "pages: got an array of 0 tensors"},
                 {VALUE_, "pages[1]: got NULL"},
                 {VALUE_, "pages[1]: rank is 3, want 4"},
                 {VALUE_, "pages[2]: size of dimension 0 (num_blocks) is 3, want 4"},
                 {VALUE_, "pages[1]: size of dimension 2 (num_heads) is 1, want 2"},
                 {VALUE_, "pages[1]: size of dimension 3 (elements) is 100, want 128"},
                 {VALUE_, "pages[1]: stride of dimension 1 (block_size) is "},
                 {TYPE, "pages[1]: an element has 12 bits"},
                 {TYPE, "pages[1]: an element has 8 bits, want 16"},
                 {TYPE, "pages[1]: is on "}};
  for (int i = 0; i < 2 * BAD; ++i) {
    op_call call;
    build(&call, what);
    op_call_upload(&call);
    DLTensor *page = &cells[0][i / 2 == SIZE_ ? 2 : 1];
    int64_t shape[4];
    int64_t stride[4];
    memcpy(shape, page->shape, sizeof shape);
    memcpy(stride, page->strides, sizeof stride);
    page->shape = shape;
    page->strides = stride;
    kvf_value *value = &call.values[at(&call, "pages")];
    switch (i / 2) {
    case LIST_NULL:
      value->as.tensors.data = NULL;
      break;
    case LIST_EMPTY:
      value->as.tensors.size = 0;
      break;
    case NO_PAGE_:
      list[0][1] = NULL;
      break;
    case RANK_:
      page->ndim = 3;
      break;
    case SIZE_:
      shape[0] = 3;
      break;
    case HEADS_:
      shape[2] = 1;
      break;
    case ELEMENTS_:
      shape[3] = 100;
      break;
    case STRIDE_:
      stride[1] += 8;
      break;
    case BITS_:
      page->dtype.bits = 12;
      break;
    case DTYPE_:
      page->dtype.bits = 8;
      break;
    default:
      page->device.device_type = options.backend == KVF_CPU ? kDLCUDA : kDLCPU;
    }
    EXPECT_STATUS(op_call_invoke(&call, i % 2 ? typed_of(what) : NULL), want[i / 2].status);
    EXPECT_TEXT(kvf_last_error(), want[i / 2].text);
    (void)op_call_verify(&call, want[i / 2].text);
    op_call_free(&call);
    count_case(NULL);
  }
}

/* Memory that is written and read, and scales where there are none. */
static void test_apart(const wire_case *what) {
  for (int i = 0; i < 6; ++i) {
    op_call call;
    build(&call, what);
    op_call_upload(&call);
    const char *text = "shares memory with";
    DLTensor wire = *tensor_dl(&call.operands[at(&call, "wire")].view);
    if (i / 2 == 0) { /* the last cell lies in the wire */
      cells[0][3].data = wire.data;
      cells[0][3].byte_offset = wire.byte_offset;
    } else if (i / 2 == 1) {
      call.values[at(&call, "page_scales")].as.tensors.size = 1;
      call.values[at(&call, "page_scales")].as.tensors.data = list[0];
      text = "page_scales: has 1 tensors, want none";
    } else {
      call.operands[at(&call, "wire_scales")].view = call.operands[at(&call, "slot_mapping")].view;
      call.values[at(&call, "wire_scales")].kind = KVF_KIND_TENSOR;
      text = "wire_scales: got a tensor, want none";
    }
    EXPECT_STATUS(op_call_invoke(&call, i % 2 ? typed_of(what) : NULL), VALUE_);
    EXPECT_TEXT(kvf_last_error(), text);
    call.operands[at(&call, "wire_scales")].view = (tensor){.memory = NULL};
    (void)op_call_verify(&call, text);
    op_call_free(&call);
    count_case(NULL);
  }
}

void wire_test_bad(bool packs) {
  if (!need_backend()) {
    return;
  }
  wire_case what = small_case(packs);
  op_call_test_bad(build, &what, typed_of(&what), bad, TEST_COUNT(bad));
  if (!packs) {
    op_call_test_bad(build, &what, typed_of(&what), bad_gate, TEST_COUNT(bad_gate));
  } else {
    op_call_test_overlap(build, &what, typed_of(&what), "wire", "slot_mapping");
  }
  test_bad_pages(&what);
  test_apart(&what);
  what.layout = TEST_COUNT(layouts) - 1;
  op_call_test_bad(build, &what, typed_of(&what), bad_group, TEST_COUNT(bad_group));
}

void wire_test_bad_params(bool packs) {
  if (!need_backend()) {
    return;
  }
  const wire_case what = small_case(packs);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  const kvf_wire_copy good = copy_of(&call, &what);
  struct {
    kvf_wire_copy copy;
    const char *text;
  } rows[] = {{good, "num_planes: got -1"},
              {good, "num_planes: got 9 planes"},
              {good, "num_planes: got 2 planes of 121 layers"},
              {good, "num_layers: got -1"},
              {good, "num_heads: got -1"},
              {good, "group_heads: got 0"},
              {good, "group_heads: got 3"},
              {good, "block_tokens: got 0"},
              {good, "used_bytes: got -1"},
              {good, "block_bytes: got "},
              {good, "wire: "},
              {good, "wire: address"},
              {good, "pages: "},
              {good, "slot_mapping: "},
              {good, "num_tokens: got -1"},
              {good, "block_size: got 0"},
              {good, "elements: got 0"},
              {good, "element_bytes: got 0"},
              {good, "want less than 2^62"},
              {good, "want less than 2^62"},
              {good, "slots.remap: got an address"},
              {good, "wire_bytes: got 0"}};
  rows[0].copy.num_planes = -1;
  rows[1].copy.num_planes = 9;
  rows[2].copy.num_layers = 121;
  rows[3].copy.num_layers = -1;
  rows[4].copy.num_heads = -1;
  rows[5].copy.group_heads = 0;
  rows[6].copy.group_heads = 3;
  rows[7].copy.block_tokens = 0;
  rows[8].copy.used_bytes = -1;
  rows[9].copy.block_bytes = 10;
  rows[10].copy.wire = NULL;
  rows[11].copy.wire = (char *)good.wire + 8;
  rows[12].copy.cells[3] = NULL;
  rows[13].copy.slots.mapping = NULL;
  rows[14].copy.slots.num_tokens = -1;
  rows[15].copy.slots.block_size = 0;
  rows[16].copy.pages[1].elements = 0;
  rows[17].copy.pages[1].element_bytes = 0;
  rows[18].copy.pages[1].elements = INT64_MAX / 4;
  rows[19].copy.block_bytes = INT64_MAX / 2;
  rows[20].copy.slots.remap = good.wire;
  rows[21].copy.wire_bytes = 0;
  for (size_t i = 0; i < TEST_COUNT(rows) - !packs; ++i) {
    EXPECT_STATUS(launch(&what, NULL, &rows[i].copy), VALUE_);
    EXPECT_TEXT(kvf_last_error(), rows[i].text);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}
