#include "conversions.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "kvforge/params/kv_pack.h"
#include "kvforge/params/kv_relayout.h"
#include "kvforge/params/kv_unpack.h"
#include "operands.h"
#include "oracle.h"

/* ---- cases
 * --------------------------------------------------------------------------------------- */

/* 5 x 7 codes are in front of scales, which are at no multiple of 4 then. */
enum { PLANES = 2, BLOCKS = 3, WIRE_BLOCK = 5, MOST_LAYERS = 2 };
enum { HEADS_INSIDE, TOKENS_INSIDE, ELEMENTS_APART, ORDERS };

typedef struct conversion_case {
  int op;
  kvf_dtype dtype[2]; /* of what is read, of what is written */
  int64_t layers, heads, size, tokens;
  int order; /* of pages that are read; those that are written have the next one */
  int offset;
  const char *layout;
  bool beyond; /* a slot is out of range; CUDA */
  bool boxed;
  uint64_t seed;
} conversion_case;

static bool is_float(kvf_dtype dtype) { return dtype <= KVF_BF16; }
static bool has_rows(kvf_dtype dtype) {
  return dtype == KVF_FP8_PER_TOKEN_HEAD || dtype == KVF_INT8_PER_TOKEN_HEAD ||
         dtype == KVF_INT8_PER_TOKEN_HEAD_EVEN;
}
static int64_t bytes_of(kvf_dtype dtype) { return kvf_dtype_bits(dtype) / 8; }

/* Pages of one side, and their scales. */
typedef struct conversion_side {
  const conversion_case *what;
  kvf_dtype dtype;
  int64_t block;     /* tokens of one */
  int64_t stride[6]; /* layer, plane, block, token, head, element; bytes */
  const operand *pages, *scales;
  DLTensor cells[PLANES * MOST_LAYERS], scale_cells[PLANES * MOST_LAYERS];
  const DLTensor *list[PLANES * MOST_LAYERS], *scale_list[PLANES * MOST_LAYERS];
  int64_t shape[4], strides[4], scale_shape[3];
} conversion_side;

static const kvf_op *op_of(int op) {
  return op == CONVERT_PACK     ? &kvf_op_kv_pack
         : op == CONVERT_UNPACK ? &kvf_op_kv_unpack
                                : &kvf_op_kv_relayout;
}

static uint8_t *element_at(const conversion_side *side, int64_t layer, int64_t plane, int64_t slot,
                           int64_t head, int64_t element) {
  const int64_t *stride = side->stride;
  return side->pages->memory.expected + side->pages->view.start + layer * stride[0] +
         plane * stride[1] + slot / side->block * stride[2] + slot % side->block * stride[3] +
         head * stride[4] + element * stride[5];
}

/* The scale of a row of codes. */
static float *scale_at(const conversion_side *side, int64_t layer, int64_t plane, int64_t slot,
                       int64_t head) {
  const conversion_case *what = side->what;
  float *first = (float *)(void *)(side->scales->memory.expected + side->scales->view.start);
  const int64_t cell = plane * what->layers + layer;
  return has_rows(side->dtype) ? first + (cell * BLOCKS * side->block + slot) * what->heads + head
                               : first + cell * what->heads + head;
}

/* ---- one call
 * ------------------------------------------------------------------------------------ */

static DLTensor cell_of(const operand *memory, kvf_dtype dtype, int64_t at, int32_t rank,
                        int64_t *shape, int64_t *strides) {
  return (DLTensor){.data = memory->memory.place,
                    .device = {options.backend == KVF_CPU ? kDLCPU : kDLCUDA, 0},
                    .ndim = rank,
                    .dtype = dl_dtype(dtype),
                    .shape = shape,
                    .strides = strides,
                    .byte_offset = (uint64_t)(memory->view.start + at)};
}

/* Floats that are not far from 1, but for some rows of any bits. */
static void fill(const conversion_side *side) {
  const conversion_case *what = side->what;
  uint64_t state = what->seed + 5;
  for (int64_t cell = 0; cell < PLANES * what->layers; ++cell) {
    for (int64_t row = 0; row < BLOCKS * side->block * what->heads; ++row) {
      for (int64_t i = 0; i < what->size && row % 13 != 4; ++i) {
        oracle_make(side->dtype, random_normal(&state),
                    element_at(side, cell % what->layers, cell / what->layers, row / what->heads,
                               row % what->heads, i));
      }
    }
  }
}

static void make_scales(op_call *call, conversion_side *side, int position) {
  const conversion_case *what = side->what;
  const bool rows = has_rows(side->dtype);
  const int64_t one = 1;
  const int64_t of_cell = rows ? BLOCKS * side->block * what->heads : what->heads;
  const int64_t count = PLANES * what->layers * of_cell;
  uint64_t state = what->seed + 9;
  operand_make(call, position, dl_dtype(KVF_F32), 1, &count, &one, 0, 64, what->seed + 8);
  side->scales = &call->operands[position];
  for (int64_t i = 0; i < count; ++i) {
    const float scale = (float)(0.01 + fabs(random_normal(&state)));
    memcpy(operand_at(side->scales, i, 0, 0, 0), &scale, sizeof scale);
  }
  const int64_t shape[] = {rows ? BLOCKS : what->layers, rows ? side->block : what->heads,
                           what->heads};
  memcpy(side->scale_shape, shape, sizeof shape);
  const int64_t tensors = rows ? PLANES * what->layers : PLANES;
  for (int64_t i = 0; i < tensors; ++i) {
    side->scale_cells[i] = cell_of(side->scales, KVF_F32, i * count / tensors * 4, rows ? 3 : 2,
                                   side->scale_shape, NULL);
    side->scale_list[i] = &side->scale_cells[i];
  }
  call->values[position].as.tensors.data = side->scale_list;
  call->values[position].as.tensors.size = tensors;
}

static void make_side(op_call *call, const conversion_case *what, conversion_side *side, int which,
                      int64_t block, const char *pages, const char *scales) {
  const int64_t bytes = bytes_of(what->dtype[which]);
  const int order = (what->order + which) % ORDERS;
  const int64_t one = 1;
  *side = (conversion_side){.what = what, .dtype = what->dtype[which], .block = block};
  int64_t *stride = side->stride;
  int64_t run = bytes;
  if (order != ELEMENTS_APART) {
    stride[5] = bytes;
    run *= what->size;
  }
  for (int i = 0; i < 2; ++i) {
    const bool heads = (order == HEADS_INSIDE) == (i == 0);
    stride[heads ? 4 : 3] = run;
    run *= heads ? what->heads : block;
    if (order == ELEMENTS_APART && i == 0) { /* tokens are inside */
      stride[5] = run;
      run *= what->size;
    }
  }
  stride[2] = run;
  stride[0] = stride[2] * BLOCKS;
  stride[1] = stride[0] * what->layers;
  const int64_t total = stride[1] * PLANES;
  const int position = op_call_position(call, pages);
  operand_make(call, position, (DLDataType){kDLUInt, 8, 1}, 1, &total, &one,
               (int)(what->offset / bytes * bytes), 64, what->seed + 20 + (uint64_t)which);
  side->pages = &call->operands[position];
  const int64_t shape[] = {BLOCKS, block, what->heads, what->size};
  memcpy(side->shape, shape, sizeof shape);
  for (int i = 0; i < 4; ++i) {
    side->strides[i] = stride[2 + i] / bytes;
  }
  for (int64_t i = 0; i < PLANES * what->layers; ++i) {
    side->cells[i] = cell_of(side->pages, side->dtype,
                             i % what->layers * stride[0] + i / what->layers * stride[1], 4,
                             side->shape, side->strides);
    side->list[i] = &side->cells[i];
  }
  call->values[position] =
      (kvf_value){.kind = KVF_KIND_TENSOR_LIST, .as.tensors = {side->list, PLANES * what->layers}};
  const int scales_at = op_call_position(call, scales);
  call->values[scales_at] = (kvf_value){.kind = KVF_KIND_TENSOR_LIST};
  if (is_float(side->dtype)) {
    fill(side);
  } else {
    make_scales(call, side, scales_at);
  }
}

/* A wire block, whose planes are codes and, if rows have scales, these. */
static int64_t wire_planes(kvf_dtype dtype) { return has_rows(dtype) ? 2 * PLANES : PLANES; }
static int64_t wire_row(const conversion_case *what, kvf_dtype dtype, int64_t plane) {
  return has_rows(dtype) && plane % 2 ? 4 : what->size * bytes_of(dtype);
}

/* Where a row is in its wire block, by counting those in front; of none: the bytes of a block. */
static int64_t in_wire_block(const conversion_case *what, kvf_dtype dtype, int64_t layer,
                             int64_t plane, int64_t token, int64_t head) {
  const int64_t planes = wire_planes(dtype);
  const int64_t rows = what->layers * planes * WIRE_BLOCK * what->heads;
  int64_t at = 0;
  for (int64_t number = 0; number < rows; ++number) {
    int64_t rest = number;
    int64_t found[128] = {0};
    for (int i = 3; i >= 0; --i) {
      const char axis = what->layout[i];
      const int64_t size = axis == 'L'   ? what->layers
                           : axis == 'K' ? planes
                           : axis == 'N' ? WIRE_BLOCK
                                         : what->heads;
      found[(int)axis] = rest % size;
      rest /= size;
    }
    if (found['L'] == layer && found['K'] == plane && found['N'] == token && found['H'] == head) {
      return at;
    }
    at += wire_row(what, dtype, found['K']);
  }
  return (at + 63) / 64 * 64;
}

typedef struct conversion_call {
  const conversion_case *what;
  op_call call;
  conversion_side side[2];
  const operand *wire, *wire_scales;
  int64_t wire_bytes;
} conversion_call;

static const char *word_of(kvf_dtype dtype, uint64_t seed) {
  return dtype == KVF_F32        ? "float32"
         : dtype == KVF_F16      ? "float16"
         : dtype == KVF_BF16     ? "bfloat16"
         : dtype == KVF_FP8_E4M3 ? (seed % 2 ? "fp8" : "fp8_e4m3")
                                 : kvf_dtype_name(dtype);
}

static void set_word(op_call *call, const char *argument, const char *word) {
  call->values[op_call_position(call, argument)] =
      (kvf_value){.kind = KVF_KIND_STRING, .as.string = word};
}
static void set_int(op_call *call, const char *argument, int64_t value) {
  call->values[op_call_position(call, argument)] =
      (kvf_value){.kind = KVF_KIND_INT, .as.integer = value};
}

static void make_wire(conversion_call *made, kvf_dtype dtype) {
  const conversion_case *what = made->what;
  op_call *call = &made->call;
  const int64_t one = 1;
  const int64_t block = in_wire_block(what, dtype, -1, 0, 0, 0);
  made->wire_bytes = ((what->tokens + WIRE_BLOCK - 1) / WIRE_BLOCK * block + 1023) / 1024 * 1024;
  const int position = op_call_position(call, "wire");
  operand_make(call, position, (DLDataType){kDLUInt, 8, 1}, 1, &made->wire_bytes, &one, 0, 64,
               what->seed + 1);
  made->wire = &call->operands[position];
  const int scales = op_call_position(call, "wire_scales");
  call->values[scales] = (kvf_value){.kind = KVF_KIND_NONE};
  if (!is_float(dtype) && !has_rows(dtype)) {
    const int64_t shape[] = {PLANES, what->layers, what->heads};
    const int64_t stride[] = {what->layers * what->heads, what->heads, 1};
    uint64_t state = what->seed + 31;
    operand_make(call, scales, dl_dtype(KVF_F32), 3, shape, stride, 0, 64, what->seed + 30);
    made->wire_scales = &call->operands[scales];
    for (int64_t i = 0; i < PLANES * what->layers * what->heads; ++i) {
      const float scale = (float)(0.01 + fabs(random_normal(&state)));
      memcpy(made->wire_scales->memory.expected + made->wire_scales->view.start + 4 * i, &scale,
             sizeof scale);
    }
  }
  set_word(call, "wire_layout", what->layout);
  set_int(call, "wire_block_size", WIRE_BLOCK);
  set_word(call, "wire_dtype", word_of(dtype, what->seed));
  set_int(call, "heads_per_group", 0);
}

static void make_slots(const conversion_call *made, const char *argument, const int64_t block,
                       uint64_t seed) {
  const conversion_case *what = made->what;
  op_call *call = (op_call *)(uintptr_t)&made->call;
  const int64_t one = 1;
  const int position = op_call_position(call, argument);
  operand_make(call, position, (DLDataType){kDLInt, 64, 1}, 1, &what->tokens, &one, 0, 64,
               what->seed + 3);
  uint64_t state = seed;
  const int64_t shift = random_below(&state, BLOCKS * block);
  for (int64_t i = 0; i < what->tokens; ++i) { /* 5 is prime to the slots that there are */
    const int64_t slot = (shift + 5 * i) % (BLOCKS * block);
    operand_put_index(&call->operands[position], i, 0,
                      i == 3                   ? -1
                      : i == 5 && what->beyond ? BLOCKS * block
                                               : slot);
  }
}

static void build(conversion_call *made, const conversion_case *what) {
  *made = (conversion_call){.what = what,
                            .call = {.op = op_of(what->op), .exec = {.backend = options.backend}}};
  op_call *call = &made->call;
  set_int(call, "num_layers", what->layers);
  if (what->op == CONVERT_RELAYOUT) {
    make_side(call, what, &made->side[0], 0, 8, "src_pages", "src_scales");
    make_side(call, what, &made->side[1], 1, 16, "dst_pages", "dst_scales");
    make_slots(made, "src_slots", 8, what->seed);
    make_slots(made, "dst_slots", 16, what->seed + 1);
    set_word(call, "src_dtype", word_of(what->dtype[0], what->seed));
    set_word(call, "dst_dtype", word_of(what->dtype[1], what->seed));
    return;
  }
  const int which = what->op == CONVERT_PACK ? 0 : 1;
  make_side(call, what, &made->side[which], which, 8, "pages", "page_scales");
  make_slots(made, "slot_mapping", 8, what->seed);
  make_wire(made, what->dtype[1 - which]);
  set_word(call, "page_dtype",
           is_float(what->dtype[which]) && what->seed % 3 == 0
               ? "auto"
               : word_of(what->dtype[which], what->seed));
  if (what->op == CONVERT_UNPACK) {
    call->values[op_call_position(call, "gate")] = (kvf_value){.kind = KVF_KIND_NONE};
  }
}

/* ---- what it must write
 * -------------------------------------------------------------------------- */

/* One side of a row: its elements, from one to the next, and its scale. */
typedef struct conversion_row {
  kvf_dtype dtype;
  uint8_t *first;
  int64_t step;
  uint8_t *scale;
} conversion_row;

static conversion_row row_of(const conversion_call *made, int which, int64_t layer, int64_t plane,
                             int64_t token, int64_t slot, int64_t head) {
  const conversion_case *what = made->what;
  const conversion_side *side = &made->side[which];
  if (side->pages != NULL) {
    return (conversion_row){
        side->dtype, element_at(side, layer, plane, slot, head, 0), side->stride[5],
        side->scales != NULL ? (uint8_t *)scale_at(side, layer, plane, slot, head) : NULL};
  }
  const kvf_dtype dtype = what->dtype[which];
  const int64_t share = has_rows(dtype) ? 2 : 1;
  uint8_t *block = made->wire->memory.expected + made->wire->view.start +
                   token / WIRE_BLOCK * in_wire_block(what, dtype, -1, 0, 0, 0);
  uint8_t *scale = NULL;
  if (has_rows(dtype)) {
    scale = block + in_wire_block(what, dtype, layer, 2 * plane + 1, token % WIRE_BLOCK, head);
  } else if (made->wire_scales != NULL) {
    scale = made->wire_scales->memory.expected + made->wire_scales->view.start +
            4 * ((plane * what->layers + layer) * what->heads + head);
  }
  return (conversion_row){
      dtype, block + in_wire_block(what, dtype, layer, share * plane, token % WIRE_BLOCK, head),
      bytes_of(dtype), scale};
}

static float value_of(const conversion_row *row, int64_t i) {
  const kvf_dtype dtype = row->dtype == KVF_INT8_PER_TOKEN_HEAD_EVEN ? KVF_INT8 : row->dtype;
  const double held = oracle_value(dtype, row->first + i * row->step);
  float scale = 1.0f;
  if (row->scale != NULL) {
    memcpy(&scale, row->scale, sizeof scale);
  }
  return (float)(held * (double)scale); /* of two floats: rounded once */
}

static void expect_row(const conversion_row *to, const conversion_row *from, int64_t size) {
  float scale = 1.0f;
  if (has_rows(to->dtype)) {
    float largest = 0.0f;
    for (int64_t i = 0; i < size; ++i) {
      const float magnitude = fabsf(value_of(from, i));
      largest = magnitude > largest ? magnitude : largest;
    }
    scale = largest / (to->dtype == KVF_FP8_PER_TOKEN_HEAD ? 448.0f : 127.0f);
    scale = scale > 1e-6f ? scale : 1e-6f;
    memcpy(to->scale, &scale, sizeof scale);
  } else if (to->scale != NULL) {
    memcpy(&scale, to->scale, sizeof scale);
  }
  for (int64_t i = 0; i < size; ++i) {
    const float value = value_of(from, i);
    const float product = value * (1.0f / scale);
    uint8_t *stored = to->first + i * to->step;
    switch (to->dtype) {
    case KVF_FP8_PER_TOKEN_HEAD:
      *stored = oracle_fp8(KVF_FP8_E4M3, product);
      break;
    case KVF_INT8_PER_TOKEN_HEAD:
      *stored = (uint8_t)oracle_int8_away(product);
      break;
    case KVF_INT8_PER_TOKEN_HEAD_EVEN:
      *stored = (uint8_t)oracle_int8(product);
      break;
    default:
      if (is_float(to->dtype)) {
        oracle_round(to->dtype, (double)value, stored);
      } else {
        oracle_store(KVF_F32, to->dtype, &value, scale, stored);
      }
    }
  }
}

static void expect_converted(const conversion_call *made) {
  const conversion_case *what = made->what;
  const bool relays = what->op == CONVERT_RELAYOUT;
  const op_call *call = &made->call;
  const operand *slots[2] = {
      &call->operands[op_call_position(call, relays ? "src_slots" : "slot_mapping")],
      &call->operands[op_call_position(call, relays ? "dst_slots" : "slot_mapping")]};
  if (what->op == CONVERT_PACK) {
    memset(made->wire->memory.expected + made->wire->view.start, 0, (size_t)made->wire_bytes);
  }
  for (int64_t token = 0; token < what->tokens; ++token) {
    const int64_t from = operand_get_index(slots[0], token, 0);
    const int64_t to = operand_get_index(slots[1], token, 0);
    if (from < 0 || to < 0 || (token == 5 && what->beyond)) {
      continue;
    }
    for (int64_t cell = 0; cell < PLANES * what->layers; ++cell) {
      for (int64_t head = 0; head < what->heads; ++head) {
        const int64_t layer = cell % what->layers;
        const int64_t plane = cell / what->layers;
        const conversion_row source = row_of(made, 0, layer, plane, token, from, head);
        const conversion_row target = row_of(made, 1, layer, plane, token, to, head);
        expect_row(&target, &source, what->size);
      }
    }
  }
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
static kvf_status typed_relayout(const kvf_exec *exec, const kvf_value *v) {
  return kvf_kv_relayout(exec, v[0].as.tensors.data, v[0].as.tensors.size, v[1].as.tensors.data,
                         v[1].as.tensors.size, v[2].as.tensor, v[3].as.tensor, v[4].as.string,
                         v[5].as.string, v[6].as.tensors.data, v[6].as.tensors.size,
                         v[7].as.tensors.data, v[7].as.tensors.size, v[8].as.integer);
}
static typed_call typed_of(int op) {
  return op == CONVERT_PACK ? typed : op == CONVERT_UNPACK ? typed_unpack : typed_relayout;
}

static void run(const conversion_case *what) {
  static conversion_call made;
  char name[160];
  (void)snprintf(
      name, sizeof name,
      "%s: %s to %s, %lld heads of %lld, %lld tokens, order %d, offset %d, %s, seed %llu",
      op_of(what->op)->name, kvf_dtype_name(what->dtype[0]), kvf_dtype_name(what->dtype[1]),
      (long long)what->heads, (long long)what->size, (long long)what->tokens, what->order,
      what->offset, what->layout, (unsigned long long)what->seed);
  vary_order(what->seed);
  build(&made, what);
  op_call_upload(&made.call);
  expect_converted(&made);
  const uint64_t before = faults_before(options.backend);
  const uint64_t faults = !what->beyond ? 0 : what->op == CONVERT_RELAYOUT ? 2 : 1;
  const kvf_status status = op_call_invoke(&made.call, what->boxed ? NULL : typed_of(what->op));
  (void)expect_done(options.backend, status, before, faults, name);
  (void)op_call_verify(&made.call, name);
  op_call_free(&made.call);
  count_case(kvf_select(op_of(what->op), options.backend, KVF_F32));
}

static const kvf_dtype dtypes[] = {KVF_F32,
                                   KVF_F16,
                                   KVF_BF16,
                                   KVF_FP8_E4M3,
                                   KVF_FP8_E5M2,
                                   KVF_INT8,
                                   KVF_FP8_PER_TOKEN_HEAD,
                                   KVF_INT8_PER_TOKEN_HEAD,
                                   KVF_INT8_PER_TOKEN_HEAD_EVEN};

static bool is_pair(kvf_dtype from, kvf_dtype to) {
  const bool both_fp8 =
      (from == KVF_FP8_E4M3 || from == KVF_FP8_E5M2) && (to == KVF_FP8_E4M3 || to == KVF_FP8_E5M2);
  return both_fp8 || (from != to && (is_float(from) || is_float(to)));
}

void conversions_test_pairs(int op) {
  static const int64_t sizes[] = {8, 64, 7, 576, 1, 40, 264};
  static const char *const layouts[] = {"LKNHC", "KLNHC", "LKHNC", "HLKNC"};
  static const int64_t tokens[] = {11, 1, 16, 0};
  if (!need_backend()) {
    return;
  }
  int number = 0;
  for (int i = 0; i < (int)(TEST_COUNT(dtypes) * TEST_COUNT(dtypes)); ++i) {
    const kvf_dtype from = dtypes[i / (int)TEST_COUNT(dtypes)];
    const kvf_dtype to = dtypes[i % (int)TEST_COUNT(dtypes)];
    for (int k = 0; is_pair(from, to) && k < 7; ++k, ++number) {
      run(&(conversion_case){.op = op,
                             .dtype = {from, to},
                             .layers = 1 + number % MOST_LAYERS,
                             .heads = 1 + k % 3,
                             .size = sizes[k],
                             .tokens = tokens[number % 9 / 3],
                             .order = number % ORDERS,
                             .offset = k % 3 == 2 ? 4 : 0,
                             .layout = layouts[number % 4],
                             .beyond = options.backend == KVF_CUDA && number % 9 / 3 == 0,
                             .boxed = k % 2 == 1,
                             .seed = options.seed + (uint64_t)number});
    }
  }
}

/* So many rows that warps of CUDA have them one after another. */
void conversions_test_many_rows(void) {
  if (!need_backend()) {
    return;
  }
  run(&(conversion_case){.op = CONVERT_RELAYOUT,
                         .dtype = {KVF_F16, KVF_FP8_E4M3},
                         .layers = MOST_LAYERS,
                         .heads = 64,
                         .size = 1,
                         .tokens = 16384 / MOST_LAYERS + 1,
                         .layout = "LKNHC",
                         .seed = options.seed});
}

/* ---- raw launches
 * -------------------------------------------------------------------------------- */

void conversions_test_bad_params(int op) {
  if (!need_backend()) {
    return;
  }
  static const float scale = 0.5f;
  static int64_t slot;
  static float memory[64];
  const kvf_slots slots = {
      .mapping = &slot, .index_bytes = 8, .num_tokens = 1, .num_blocks = 1, .block_size = 1};
  const kvf_page_plane floats = {32, 32, 32, 4, 8, 4};
  const kvf_page_plane codes = {8, 8, 8, 1, 8, 1};
  const kvf_plane_scales known = {&scale, 0, 0};
  kvf_wire_copy wire = {.slots = slots,
                        .wire = memory,
                        .wire_bytes = 64,
                        .block_bytes = 64,
                        .used_bytes = 32,
                        .block_tokens = 1,
                        .num_heads = 1,
                        .group_heads = 1,
                        .num_planes = 1,
                        .num_layers = 1,
                        .pages = {floats},
                        .cells = {memory},
                        .page_dtype = KVF_F32,
                        .wire_dtype = KVF_FP8_E4M3,
                        .wire_scales = {known}};
  kvf_page_copy pages = {.from = slots,
                         .to = slots,
                         .num_heads = 1,
                         .num_planes = 1,
                         .num_layers = 1,
                         .from_pages = {floats},
                         .to_pages = {codes},
                         .from_cells = {memory},
                         .to_cells = {memory},
                         .from_dtype = KVF_F32,
                         .to_dtype = KVF_FP8_E4M3,
                         .to_scales = {known}};
  if (op == CONVERT_UNPACK) { /* codes become floats */
    wire.pages[0] = floats;
  }
  enum { NO_PAIR, NO_SCALE, OTHER_BYTES, NO_ROW_SCALES, TOO_MANY, BAD };
  static const char *const want[BAD] = {
      "want a pair that is converted", "_scales: ", "element_bytes: got 2, want 4",
      "_scales: ", "5 planes of 1 layers with scales, want at most 4"};
  for (int i = 0; i < BAD; ++i) {
    kvf_wire_copy w = wire;
    kvf_page_copy p = pages;
    if (i == NO_PAIR) {
      w.wire_dtype = p.to_dtype = KVF_NVFP4;
    } else if (i == NO_SCALE) {
      w.wire_scales[0].data = p.to_scales[0].data = NULL;
    } else if (i == OTHER_BYTES) {
      w.pages[0].element_bytes = p.from_pages[0].element_bytes = 2;
    } else if (i == NO_ROW_SCALES) {
      w.page_dtype = KVF_INT8_PER_TOKEN_HEAD;
      w.wire_dtype = KVF_F32;
      w.pages[0] = codes;
      p.to_dtype = KVF_INT8_PER_TOKEN_HEAD;
    } else {
      w.num_planes = p.num_planes = 5;
      w.wire_dtype = p.to_dtype = KVF_INT8_PER_TOKEN_HEAD;
      for (int k = 0; k < 5; ++k) {
        w.pages[k] = p.from_pages[k] = floats;
        p.to_pages[k] = codes;
        w.cells[k] = p.from_cells[k] = p.to_cells[k] = memory;
      }
    }
    const kvf_variant *variant = kvf_select(op_of(op), options.backend, KVF_F32);
    const kvf_kv_pack_params of_pack = {.copy = w};
    const kvf_kv_unpack_params of_unpack = {.copy = w};
    const kvf_kv_relayout_params of_relayout = {.copy = p};
    EXPECT_STATUS(op == CONVERT_PACK     ? kvf_launch_kv_pack(NULL, variant, &of_pack)
                  : op == CONVERT_UNPACK ? kvf_launch_kv_unpack(NULL, variant, &of_unpack)
                                         : kvf_launch_kv_relayout(NULL, variant, &of_relayout),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), want[i]);
    count_case(NULL);
  }
}
