/* reshape_and_cache_flash_layers: every byte of the caches of all layers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "flash.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_layers)

enum {
  OF_KEYS,
  OF_VALUES,
  OF_KEY_CACHES,
  OF_VALUE_CACHES,
  OF_SLOTS,
  OF_STRING,
  OF_K_SCALES,
  OF_V_SCALES
};

enum { MANY = 2 * KVF_MAX_LAYERS + 5 };

static const int64_t layers_of[] = {0, 1, 2, 5, KVF_MAX_LAYERS, MANY};
static const int64_t heads_of[] = {1, 3, 8};
static const int64_t sizes_of[][SIDES] = {{16, 16},   {64, 64}, {128, 128}, {30, 30}, {7, 7},
                                          {192, 128}, {16, 64}, {30, 7},    {8, 0}};
static const int64_t block_sizes[] = {1, 16, 17};
static const int64_t tokens_of[] = {0, 1, 19};
static const int offsets[] = {0, 8, 4, 2};

enum {
  ONE_SCALE,
  A_SCALE,
  LAYER_SCALES,
  HEAD_SCALES,
  COLUMN_OF_SCALES,
  TURNED_SCALES,
  SCALE_SHAPES
};

enum {
  LAYERS_,
  HEADS_,
  SIZES_,
  BLOCK_,
  TOKENS_,
  CACHE_,
  SOURCE_,
  FROM_,
  TO_,
  ODD_,
  SLOTS_,
  INDEX_,
  VALUES_,
  SCALES_,
  ENTRY_,
  EXEC_,
  AXES_
};

typedef struct layers_case {
  const kvf_variant *variant;
  int64_t layers, heads, sizes[SIDES], block_size, tokens;
  int layout, source_layout;
  int from, to; /* address of element 0 mod 16, of the sources and of the caches */
  bool odd;     /* the last layer's caches lie an element further on */
  int gap;      /* 1 to 4: heads of keys, values, key or value caches do not touch, all others do */
  bool aligned; /* all four are padded to multiples of 16 elements */
  int slots, index, values, scales, entry, exec;
  uint64_t seed;
} layers_case;

/* The caches of all layers of a side are pieces of one memory. */
static DLTensor caches[SIDES][MANY];
static const DLTensor *lists[SIDES][MANY];
static int64_t starts[SIDES][MANY]; /* bytes, from the start of the memory */
static int64_t cache_shape[SIDES][4];
static int64_t cache_stride[SIDES][4];

static int bytes_of(kvf_dtype dtype) { return kvf_dtype_bits(dtype) / 8; }

static int64_t cache_offset(int side, int layer, int64_t block, int64_t offset, int64_t head,
                            int64_t element, int bytes) {
  const int64_t *stride = cache_stride[side];
  return starts[side][layer] +
         (block * stride[0] + offset * stride[1] + head * stride[2] + element * stride[3]) * bytes;
}

/* `which` counts keys, values, key caches, value caches from 1 on. */
static int layout_of(const layers_case *what, int layout, int side, int which) {
  if (what->aligned) {
    return FLASH_PADDED_ALIGNED;
  }
  if (what->gap > 0) {
    return what->gap == which ? FLASH_PADDED : FLASH_CONTIGUOUS;
  }
  return (layout + side) % FLASH_LAYOUTS;
}

static void build_caches(op_call *call, const layers_case *what, int side) {
  const int bytes = bytes_of(kvf_cache_of(what->variant));
  const int64_t pages = (what->tokens + what->block_size - 1) / what->block_size + 2;
  const int64_t shape[4] = {pages, what->block_size, what->heads, what->sizes[side]};
  memcpy(cache_shape[side], shape, sizeof shape);
  flash_lay_out(layout_of(what, what->layout, side, 3 + side), 4, shape, cache_stride[side]);
  int64_t first = 0;
  int64_t last = 0;
  for (int i = 0; i < 4; ++i) {
    const int64_t reach = (shape[i] - 1) * cache_stride[side][i] * bytes;
    *(reach < 0 ? &first : &last) += reach;
  }
  const int64_t apart = (last - first + bytes + 63) / 32 * 32;
  const int64_t total = 64 + what->layers * apart + 64;
  const int64_t unit = 1;
  operand_make(call, OF_KEY_CACHES + side, (DLDataType){kDLUInt, 8, 1}, 1, &total, &unit, 0, 0,
               what->seed + 50 + (uint64_t)side);
  const buffer *memory = &call->operands[OF_KEY_CACHES + side].memory;
  for (int layer = 0; layer < what->layers; ++layer) {
    /* Layers lie in any order: 7 divides no number of them. */
    const int64_t place = (layer * 7 + 3) % what->layers * apart;
    const bool last_layer = layer == what->layers - 1;
    starts[side][layer] = call->operands[OF_KEY_CACHES + side].view.start + 32 + place -
                          first / 16 * 16 + (what->to / bytes + (what->odd && last_layer)) * bytes;
    caches[side][layer] = (DLTensor){
        .data = memory->place,
        .device = {memory->backend == KVF_CPU ? kDLCPU : kDLCUDA, 0},
        .ndim = 4,
        .dtype = dl_dtype(kvf_cache_of(what->variant)),
        .shape = cache_shape[side],
        .strides = cache_stride[side],
        .byte_offset = (uint64_t)starts[side][layer],
    };
    lists[side][layer] = &caches[side][layer];
  }
  call->values[OF_KEY_CACHES + side] =
      (kvf_value){.kind = KVF_KIND_TENSOR_LIST, .as.tensors = {lists[side], what->layers}};
}

static float scale_of(const layers_case *what, int side, int64_t layer, int64_t head) {
  static const float scales[] = {1.0f, 0.1f, 0.25f, 3e-3f, 7.0f};
  const int shape = (what->scales + side) % SCALE_SHAPES;
  const int64_t which = shape < LAYER_SCALES                                 ? 0
                        : shape == LAYER_SCALES || shape == COLUMN_OF_SCALES ? layer
                                                                             : layer * 3 + head;
  return scales[which % (int64_t)TEST_COUNT(scales)] * (side ? 1.5f : 1.0f);
}

static void build_scales(op_call *call, const layers_case *what, int side) {
  const int kind = (what->scales + side) % SCALE_SHAPES;
  const int64_t rows = kind < LAYER_SCALES ? 1 : what->layers;
  const int64_t columns = kind == HEAD_SCALES || kind == TURNED_SCALES ? what->heads : 1;
  const int32_t rank = kind == ONE_SCALE ? 0 : kind < HEAD_SCALES ? 1 : 2;
  const int64_t shape[] = {rows, columns};
  const int64_t stride[] = {kind == TURNED_SCALES ? 1
                            : rank == 2           ? columns + 1
                                                  : 2,
                            kind == TURNED_SCALES ? rows : 1};
  operand_make(call, OF_K_SCALES + side, dl_dtype(KVF_F32), rank, shape, stride, 4, 0, what->seed);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      const float scale = scale_of(what, side, row, column);
      memcpy(operand_at(&call->operands[OF_K_SCALES + side], row, column, 0, 0), &scale, 4);
    }
  }
}

static void build(op_call *call, const void *context) {
  const layers_case *what = context;
  const kvf_variant *variant = what->variant;
  *call = (op_call){.op = OP, .exec = {.backend = variant->backend}};
  if (what->exec > 0) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->exec;
    call->exec.stream = variant->backend == KVF_CUDA ? own_stream() : NULL;
  }
  int64_t stride[4];
  for (int side = 0; side < SIDES; ++side) {
    const int64_t source[] = {what->layers, what->tokens + 2, what->heads, what->sizes[side]};
    flash_lay_out(layout_of(what, what->source_layout, side, 1 + side), 4, source, stride);
    const int bytes = bytes_of(kvf_scalar_of(variant));
    operand_make(call, OF_KEYS + side, dl_dtype(kvf_scalar_of(variant)), 4, source, stride,
                 what->from / bytes * bytes, 0, what->seed + 10 + (uint64_t)side);
    flash_fill(&call->operands[OF_KEYS + side], kvf_scalar_of(variant), what->values,
               what->seed + 20);
    build_caches(call, what, side);
    build_scales(call, what, side);
  }
  const bool wide = what->index != 1;
  const int64_t step[] = {what->index == 2 ? 3 : 1};
  operand_make(call, OF_SLOTS, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 1, &what->tokens, step, 8,
               0, what->seed + 40);
  flash_fill_slots(&call->operands[OF_SLOTS], what->slots, cache_shape[0][0] * what->block_size,
                   what->seed + 41);
  call->values[OF_STRING] = (kvf_value){.kind = KVF_KIND_STRING,
                                        .as.string = kvf_cache_of(variant) == kvf_scalar_of(variant)
                                                         ? "auto"
                                                         : kvf_dtype_name(kvf_cache_of(variant))};
}

static void expect_tokens(const op_call *call, const layers_case *what) {
  const kvf_variant *variant = what->variant;
  for (int side = 0; side < SIDES; ++side) {
    uint8_t *image = call->operands[OF_KEY_CACHES + side].memory.expected;
    for (int64_t token = 0; token < what->tokens; ++token) {
      int64_t block;
      int64_t offset;
      if (!flash_slot(&call->operands[OF_SLOTS], token, what->block_size, &block, &offset) ||
          block >= cache_shape[0][0]) {
        continue;
      }
      for (int layer = 0; layer < what->layers; ++layer) {
        for (int64_t head = 0; head < what->heads; ++head) {
          const float scale = scale_of(what, side, layer, head);
          for (int64_t d = 0; d < what->sizes[side]; ++d) {
            oracle_store(kvf_scalar_of(variant), kvf_cache_of(variant),
                         operand_at(&call->operands[OF_KEYS + side], layer, token, head, d), scale,
                         image + cache_offset(side, layer, block, offset, head, d,
                                              bytes_of(kvf_cache_of(variant))));
          }
        }
      }
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_reshape_and_cache_flash_layers(
      exec, values[OF_KEYS].as.tensor, values[OF_VALUES].as.tensor,
      values[OF_KEY_CACHES].as.tensors.data, values[OF_KEY_CACHES].as.tensors.size,
      values[OF_VALUE_CACHES].as.tensors.data, values[OF_VALUE_CACHES].as.tensors.size,
      values[OF_SLOTS].as.tensor, values[OF_STRING].as.string, values[OF_K_SCALES].as.tensor,
      values[OF_V_SCALES].as.tensor, NULL);
}

typedef kvf_reshape_and_cache_flash_layers_params layers_params;

/* Only for so many layers as one launch has. */
static layers_params params_of(const op_call *call, const layers_case *what) {
  const tensor *slots = &call->operands[OF_SLOTS].view;
  layers_params params = {
      .slots = {.mapping = operand_view(&call->operands[OF_SLOTS]).data,
                .stride = slots->stride[0],
                .index_bytes = slots->dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = cache_shape[0][0],
                .block_size = what->block_size},
      .num_heads = (int32_t)what->heads,
      .head_size = (int32_t)what->sizes[0],
      .value_head_size = (int32_t)what->sizes[1],
      .num_layers = (int32_t)what->layers,
      .vector_elements = -1,
      .streaming = -1,
  };
  kvf_view *sources[] = {&params.key, &params.value};
  kvf_view *scales[] = {&params.k_scale, &params.v_scale};
  kvf_view *pages[] = {&params.key_cache, &params.value_cache};
  int64_t *steps[] = {&params.key_layer_stride, &params.value_layer_stride};
  int64_t *scale_steps[] = {&params.k_scale_layer_stride, &params.v_scale_layer_stride};
  for (int side = 0; side < SIDES; ++side) {
    const kvf_view source = operand_view(&call->operands[OF_KEYS + side]);
    *sources[side] = (kvf_view){.data = source.data,
                                .stride = {source.stride[1], source.stride[2], source.stride[3]}};
    *steps[side] = source.stride[0];
    memcpy(pages[side]->stride, cache_stride[side], sizeof cache_stride[side]);
    const kvf_view scale = operand_view(&call->operands[OF_K_SCALES + side]);
    const int kind = (what->scales + side) % SCALE_SHAPES;
    const bool per_head = kind == HEAD_SCALES || kind == TURNED_SCALES;
    *scales[side] = (kvf_view){.data = scale.data, .stride = {per_head ? scale.stride[1] : 0}};
    *scale_steps[side] = kind < LAYER_SCALES ? 0 : scale.stride[0];
    for (int layer = 0; layer < what->layers; ++layer) {
      void *data = (uint8_t *)caches[side][layer].data + starts[side][layer];
      *(side ? &params.value_caches[layer] : &params.key_caches[layer]) = data;
    }
  }
  return params;
}

static kvf_status invoke(op_call *call, const layers_case *what) {
  if (what->entry != ENTRY_RAW || what->layers > KVF_MAX_LAYERS) {
    return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
  }
  const layers_params params = params_of(call, what);
  return kvf_launch_reshape_and_cache_flash_layers(call->given_exec, what->variant, &params);
}

static bool run(const layers_case *what, uint64_t faults) {
  char name[280];
  (void)snprintf(
      name, sizeof name,
      "%s layers=%d heads=%d sizes=%d,%d block=%d tokens=%d layouts=%d,%d offsets=%d>%d odd=%d "
      "slots=%d index=%d values=%d scales=%d entry=%d exec=%d seed=%llu",
      what->variant->symbol, (int)what->layers, (int)what->heads, (int)what->sizes[0],
      (int)what->sizes[1], (int)what->block_size, (int)what->tokens, what->source_layout,
      what->layout, what->from, what->to, what->odd, what->slots, what->index, what->values,
      what->scales, what->entry, what->exec, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  if (faults > 0) {
    operand_put_index(&call.operands[OF_SLOTS], 0, 0, cache_shape[0][0] * what->block_size);
  }
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = invoke(&call, what);
  bool good = true;
  if (faults > 0 && options.backend == KVF_CPU) {
    good = EXPECT_STATUS(status, KVF_OUT_OF_RANGE) && EXPECT_TEXT(kvf_last_error(), "slot_mapping");
  } else {
    good = expect_done(options.backend, status, before, faults, name);
    expect_tokens(&call, what);
  }
  good = op_call_verify(&call, name) && good;
  op_call_free(&call);
  count_case(what->variant);
  return good;
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static double elements(const covering_row *row, const void *context) {
  (void)context;
  const int *value = row->value;
  return (double)(layers_of[value[LAYERS_]] * heads_of[value[HEADS_]] * tokens_of[value[TOKENS_]] *
                  (sizes_of[value[SIZES_]][0] + sizes_of[value[SIZES_]][1]) / 2);
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const bool emulated = options.backend == KVF_CUDA && cuda.reset;
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    covering plan = {
        .num_axes = AXES_,
        .sizes = {TEST_COUNT(layers_of), TEST_COUNT(heads_of), TEST_COUNT(sizes_of),
                  TEST_COUNT(block_sizes), TEST_COUNT(tokens_of), FLASH_LAYOUTS, FLASH_LAYOUTS,
                  TEST_COUNT(offsets), TEST_COUNT(offsets), 2, FLASH_SLOTS, 3, FLASH_VALUES,
                  SCALE_SHAPES, ENTRIES, 3},
        .cost = elements,
        .limit = (emulated ? 20e3 : 200e3) * (options.exhaustive ? 8 : 1),
    };
    uint64_t state = options.seed + (uint64_t)i;
    int count = 0;
    covering_row *rows = wanted(variant) ? covering_make(&plan, state, &count) : NULL;
    for (int row = 0, failures = 0; row < count && failures < 5; ++row) {
      const int *value = rows[row].value;
      failures +=
          !run(&(layers_case){.variant = variant,
                              .layers = layers_of[value[LAYERS_]],
                              .heads = heads_of[value[HEADS_]],
                              .sizes = {sizes_of[value[SIZES_]][0], sizes_of[value[SIZES_]][1]},
                              .block_size = block_sizes[value[BLOCK_]],
                              .tokens = tokens_of[value[TOKENS_]],
                              .layout = value[CACHE_],
                              .source_layout = value[SOURCE_],
                              .from = offsets[value[FROM_]],
                              .to = offsets[value[TO_]],
                              .odd = value[ODD_],
                              .slots = value[SLOTS_],
                              .index = value[INDEX_],
                              .values = value[VALUES_],
                              .scales = value[SCALES_],
                              .entry = value[ENTRY_],
                              .exec = value[EXEC_],
                              .seed = random_next(&state)},
               0);
    }
    free(rows);
  }
}

static layers_case small_case(const kvf_variant *variant) {
  return (layers_case){.variant = variant,
                       .layers = 3,
                       .heads = 2,
                       .sizes = {16, 16},
                       .block_size = 4,
                       .tokens = 5,
                       .slots = FLASH_NEIGHBOURS,
                       .scales = HEAD_SCALES,
                       .seed = options.seed};
}

/* Enough to store past the caches and for several threads, which begin in the middle of layers. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    if (wanted(&OP->variants[i])) {
      layers_case what = small_case(&OP->variants[i]);
      what.layers = 5;
      what.tokens = options.backend == KVF_CPU ? 1025 : 33;
      what.sizes[0] = what.sizes[1] = 256;
      (void)run(&what, 0);
    }
  }
}

/* Heads are one long head where they touch in all four tensors, and in no other case. */
static void test_gaps(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    for (int gap = 1; wanted(&OP->variants[i]) && gap <= 4; ++gap) {
      layers_case what = small_case(&OP->variants[i]);
      what.gap = gap;
      what.scales = LAYER_SCALES - 1; /* of keys; values have one for each layer */
      (void)run(&what, 0);
      what.scales = ONE_SCALE;
      (void)run(&what, 0);
    }
  }
}

/* Heads that end inside a vector, while every address and stride is a multiple of one. */
static void test_padded(void) {
  static const int64_t sizes[] = {46, 20, 7};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    for (size_t k = 0; wanted(&OP->variants[i]) && k < TEST_COUNT(sizes); ++k) {
      layers_case what = small_case(&OP->variants[i]);
      what.aligned = true;
      what.sizes[0] = what.sizes[1] = sizes[k];
      (void)run(&what, 0);
    }
  }
}

/* One fault for the slot, however many layers and launches there are. */
static void test_out_of_range(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    if (wanted(&OP->variants[i])) {
      layers_case what = small_case(&OP->variants[i]);
      (void)run(&what, 1);
      what.layers = MANY;
      (void)run(&what, 1);
    }
  }
}

/* Layers of the sources that lie beyond 2^31 elements. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, KVF_BF16);
  if (variant == NULL) {
    skip_test("bf16 with bf16 is not built");
    return;
  }
  enum { FAR_SIZE = 16 };
  const int64_t far = (INT64_C(1) << 31) + 64;
  region memory[3];
  bool made = true;
  for (int i = 0; i < 3; ++i) {
    made = region_make(&memory[i], options.backend, made ? (size_t)(4 * far) : 0) && made;
  }
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    uint16_t row[FAR_SIZE];
    for (int layer = 0; layer < 2; ++layer) {
      for (int i = 0; i < FAR_SIZE; ++i) {
        row[i] = (uint16_t)(1 + layer * 100 + i);
      }
      region_put(&memory[0], layer * far * 2, row, sizeof row);
    }
    /* Keys and values are one memory, and so are the caches, block 1 of layer 1 farthest. */
    const int64_t slot = 1;
    region_put(&memory[2], 0, &slot, sizeof slot);
    const kvf_view source = {.data = memory[0].place, .stride = {FAR_SIZE, FAR_SIZE, 1}};
    layers_params params = {
        .key = source,
        .value = source,
        .key_cache = {.stride = {far, FAR_SIZE, FAR_SIZE, 1}},
        .value_cache = {.stride = {far, FAR_SIZE, FAR_SIZE, 1}},
        .key_layer_stride = far,
        .value_layer_stride = far,
        .slots = {.mapping = memory[2].place,
                  .stride = 1,
                  .index_bytes = 8,
                  .num_tokens = 1,
                  .num_blocks = 2,
                  .block_size = 1},
        .num_heads = 1,
        .head_size = FAR_SIZE,
        .value_head_size = FAR_SIZE,
        .num_layers = 2,
    };
    for (int layer = 0; layer < 2; ++layer) {
      params.key_caches[layer] = memory[1].place + (2 * layer + 0) * FAR_SIZE * 2;
      params.value_caches[layer] = memory[1].place + (2 * layer + 1) * FAR_SIZE * 2;
    }
    const kvf_status status = kvf_launch_reshape_and_cache_flash_layers(NULL, variant, &params);
    (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far layers");
    for (int i = 0; i < 4; ++i) {
      uint16_t got[FAR_SIZE];
      region_get(&memory[1], 2 * (far + i * FAR_SIZE), got, sizeof got);
      EXPECT(got[0] == 1 + i / 2 * 100 && got[FAR_SIZE - 1] == FAR_SIZE + i / 2 * 100,
             "far row %d begins with %d", i, got[0]);
    }
    count_case(variant);
  }
  for (int i = 0; i < 3; ++i) {
    region_free(&memory[i]);
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE_ KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no keys", ON_BOTH, "keys", SPOIL_NULL, 0, 0, NULL, VALUE_, "keys", "NULL", "want a tensor"},
  {"no values", ON_BOTH, "values", SPOIL_NULL, 0, 0, NULL, VALUE_, "values", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"no v_scales", ON_BOTH, "v_scales", SPOIL_NULL, 0, 0, NULL, VALUE_, "v_scales", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "want one of auto"},
  {"no array of key_caches", ON_BOTH, "key_caches", SPOIL_NULL, 0, 0, NULL, VALUE_, "key_caches", "has 0 tensors", "want 3 (num_layers) as in keys"},
  {"keys of rank 3", ON_BOTH, "keys", SPOIL_RANK, 0, 3, NULL, VALUE_, "keys", "rank is 3", "want 4"},
  {"layers of values", ON_BOTH, "values", SPOIL_SIZE, 0, 2, NULL, VALUE_, "values", "(num_layers) is 2", "want 3 as in keys"},
  {"too few rows", ON_BOTH, "values", SPOIL_SIZE, 1, 4, NULL, VALUE_, "values", "has 4 rows", "want at least 5"},
  {"heads of values", ON_BOTH, "values", SPOIL_SIZE, 2, 1, NULL, VALUE_, "values", "(num_heads) is 1", "want 2 as in keys"},
  {"more layers than caches", ON_BOTH, "keys", SPOIL_SIZE, 0, 4, NULL, VALUE_, "values", "(num_layers) is 3", "want 4 as in keys"},
  {"keys are int32", ON_BOTH, "keys", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE_, "keys", "dtype is int32", "want float32, float16, bfloat16"},
  {"values are float64", ON_BOTH, "values", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE_, "values", "dtype is float64", "want float32"},
  {"k_scales are float16", ON_BOTH, "k_scales", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE_, "k_scales", "dtype is float16", "want float32"},
  {"k_scales of rank 3", ON_BOTH, "k_scales", SPOIL_RANK, 0, 3, NULL, VALUE_, "k_scales", "rank is 3", "want 0, 1 or 2"},
  {"k_scales of two layers", ON_BOTH, "k_scales", SPOIL_SIZE, 0, 2, NULL, VALUE_, "k_scales", "has 2 x 2 elements", "want 1, 3 (num_layers) or 3 x 2"},
  {"k_scales of three heads", ON_BOTH, "k_scales", SPOIL_SIZE, 1, 3, NULL, VALUE_, "k_scales", "has 3 x 3 elements", "want 1, 3 (num_layers) or 3 x 2"},
  {"values elsewhere", ON_CPU, "values", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE_, "values", "on CUDA device 0", "want the CPU"},
  {"values on the CPU", ON_CUDA, "values", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE_, "values", "on the CPU", "want CUDA device 0"},
  {"odd address", ON_BOTH, "keys", SPOIL_SHIFT, 0, 2, NULL, VALUE_, "keys", "not a multiple", "4 bytes"},
  {"slot beyond the cache", ON_CPU, "slot_mapping", SPOIL_INDEX, 3, 16, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 3 is 16", "want less than 16"},
};
/* clang-format on */

/* What may be wrong with the lists. */
static const struct {
  const char *what;
  int which; /* the tensor; -1: the list */
  kvf_status status;
  const char *blamed, *got, *want;
} bad_lists[] = {
    {"a cache is missing", 1, VALUE_, "value_caches[1]", "NULL", "want a tensor"},
    {"another rank", 2, VALUE_, "value_caches[2]", "rank is 3", "want 4"},
    {"other strides", 1, VALUE_, "value_caches[1]", "stride of dimension 1 (block_size) is 48",
     "want 32 as in the first layer"},
    {"another size", 1, VALUE_, "value_caches[1]", "(num_blocks) is 3", "want 4 as in key_caches"},
    {"another dtype", 0, TYPE_, "value_caches[0]", "dtype is bfloat16", "want float32"},
    {"blocks overlap", 0, VALUE_, "value_caches[0]", "stride of dimension 0 (num_blocks) is 0",
     "do not overlap"},
    {"no address", 2, VALUE_, "value_caches[2]", "data is NULL", "want an address"},
    {"too many", -1, VALUE_, "value_caches", "has 4 tensors", "want 3 (num_layers) as in keys"},
    {"no array", -1, VALUE_, "value_caches", "NULL", "want an array of tensors"},
};

static void test_bad_lists(const layers_case *what) {
  for (int i = 0; i < (int)TEST_COUNT(bad_lists); ++i) {
    op_call call;
    build(&call, what);
    op_call_upload(&call);
    int64_t shape[4];
    int64_t stride[4];
    memcpy(shape, cache_shape[1], sizeof shape);
    memcpy(stride, cache_stride[1], sizeof stride);
    DLTensor *spoilt = bad_lists[i].which >= 0 ? &caches[1][bad_lists[i].which] : NULL;
    if (spoilt != NULL) {
      spoilt->shape = shape;
      spoilt->strides = stride;
    }
    kvf_value *list = &call.values[OF_VALUE_CACHES];
    switch (i) {
    case 0:
      lists[1][1] = NULL;
      break;
    case 1:
      spoilt->ndim = 3;
      break;
    case 2:
      stride[1] = 48;
      break;
    case 3:
      shape[0] = 3;
      break;
    case 4:
      spoilt->dtype = dl_dtype(KVF_BF16);
      break;
    case 5:
      stride[0] = 0;
      break;
    case 6:
      spoilt->data = NULL;
      break;
    case 7:
      list->as.tensors.size = 4;
      break;
    default:
      list->as.tensors.data = NULL;
      break;
    }
    EXPECT_STATUS(op_call_invoke(&call, i % 2 ? typed : NULL), bad_lists[i].status);
    EXPECT_TEXT(kvf_last_error(), bad_lists[i].blamed);
    EXPECT_TEXT(kvf_last_error(), bad_lists[i].got);
    EXPECT_TEXT(kvf_last_error(), bad_lists[i].want);
    (void)expect_done(options.backend, KVF_OK, faults_before(options.backend), 0,
                      bad_lists[i].what);
    (void)op_call_verify(&call, bad_lists[i].what);
    op_call_free(&call);
  }
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_F32);
  if (variant == NULL) {
    skip_test("f32 with f32 is not built");
    return;
  }
  const layers_case what = small_case(variant);
  op_call_test_bad(build, &what, typed, bad, TEST_COUNT(bad));
  layers_case lists_case = what;
  lists_case.layout = FLASH_LAYOUTS - 1; /* so that values are laid out as NHD */
  test_bad_lists(&lists_case);
}

/* Those of all launches are looked at before the first one. */
static void test_scales(void) {
  static const kvf_dtype formats[] = {KVF_F32, KVF_FP8_E4M3, KVF_INT8};
  for (size_t i = 0; need_backend() && i < TEST_COUNT(formats); ++i) {
    const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, formats[i]);
    if (variant == NULL) {
      skip_part("%s", kvf_last_error());
      continue;
    }
    layers_case what = small_case(variant);
    op_call_test_scales(build, &what, typed, "k_scales", formats[i] != KVF_F32);
    op_call_test_scales(build, &what, typed, "v_scales", formats[i] != KVF_F32);
    what.layers = KVF_MAX_LAYERS + 2;
    op_call_test_scales(build, &what, typed, "k_scales", formats[i] != KVF_F32);
    op_call_test_scales(build, &what, typed, "v_scales", formats[i] != KVF_F32);
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F16, KVF_FP8_E4M3);
  if (variant == NULL) {
    skip_test("f16 with fp8_e4m3 is not built");
    return;
  }
  const layers_case what = small_case(variant);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  const layers_params good = params_of(&call, &what);
  static const char *const members[] = {"key",        "value",        "key_cache", "value_cache",
                                        "key_caches", "value_caches", "k_scale",   "v_scale",
                                        "num_layers", "num_layers",   "num_heads", "slot_mapping"};
  for (int i = 0; i < (int)TEST_COUNT(members); ++i) {
    layers_params params = good;
    void **const pointers[] = {&params.key.data,      &params.value.data,
                               &params.key_caches[0], &params.value_caches[0],
                               &params.key_caches[2], &params.value_caches[2],
                               &params.k_scale.data,  &params.v_scale.data};
    if (i < (int)TEST_COUNT(pointers)) {
      *pointers[i] = NULL;
    }
    params.num_layers = i == 8 ? -1 : i == 9 ? KVF_MAX_LAYERS + 1 : params.num_layers;
    params.num_heads = i == 10 ? -1 : params.num_heads;
    params.slots.mapping = i == 11 ? NULL : params.slots.mapping;
    EXPECT_STATUS(kvf_launch_reshape_and_cache_flash_layers(NULL, variant, &params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), members[i]);
  }
  op_call_free(&call);
}

CU_TestInfo reshape_and_cache_flash_layers_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"heads that touch in all tensors but one", test_gaps},
    {"heads that end inside a vector", test_padded},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"scales", test_scales},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
