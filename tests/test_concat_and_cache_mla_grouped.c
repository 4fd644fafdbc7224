/* concat_and_cache_mla_grouped: several layers at once, caches known by address. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "mla.h"

enum {
  KV_C,
  K_PE,
  KV_CACHE_PTRS,
  SLOT_MAPPING,
  BLOCK_SIZE,
  BLOCK_STRIDE,
  ENTRY_STRIDE,
  KV_SCALES,
  KV_CACHE_DTYPE,
  NUM_BLOCKS,
  SLOT_REMAP,
  ARGUMENTS,
  CACHES = ARGUMENTS /* the memory of all layers; no argument */
};

/* The axes that cases vary. */
enum {
  SIZES,
  LAYERS,
  PAGES, /* block_size */
  TOKENS,
  SOURCES,
  LAYERS_INSIDE, /* kv_c is [token, layer, element] in memory */
  KV_C_OFFSET,
  K_PE_OFFSET,
  CACHE,
  CACHE_OFFSET,
  LAYER_GAP, /* between the caches, in elements */
  SLOTS,
  INDEX,
  SHARED_SLOTS,
  ROWS,
  VALUES,
  ENTRY,
  UNCHECKED, /* num_blocks is -1 */
  AXES
};

enum { ENTRY_TYPED, ENTRY_BOXED, ENTRY_RAW, ENTRIES };

static const int64_t sizes_of[][2] = {{512, 64}, {128, 32}, {0, 64}, {512, 0},
                                      {0, 0},    {33, 7},   {576, 4}};
static const int64_t layers_of[] = {0, 1, 3, 7};
static const int64_t block_size_of[] = {1, 16, 48};
static const int64_t tokens_of[] = {0, 1, 5, 42};
static const int64_t gap_of[] = {0, 16, 2, 3};

typedef struct grouped_case {
  const kvf_variant *variant;
  int value[AXES];
  int64_t kv_lora_rank;
  int64_t rope_dim;
  int64_t layers;
  int64_t tokens;
  int64_t block_size;
  int64_t num_blocks;
  uint64_t seed;
} grouped_case;

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  const DLTensor *scales =
      values[KV_SCALES].kind == KVF_KIND_TENSOR ? values[KV_SCALES].as.tensor : NULL;
  return kvf_concat_and_cache_mla_grouped(
      exec, values[KV_C].as.tensor, values[K_PE].as.tensor, values[KV_CACHE_PTRS].as.tensor,
      values[SLOT_MAPPING].as.tensor, values[BLOCK_SIZE].as.integer,
      values[BLOCK_STRIDE].as.integer, values[ENTRY_STRIDE].as.integer, scales,
      values[KV_CACHE_DTYPE].as.string, values[NUM_BLOCKS].as.integer, NULL);
}

static kvf_concat_and_cache_mla_grouped_params params_of(const op_call *call,
                                                         const grouped_case *what) {
  const operand *slots = &call->operands[SLOT_MAPPING];
  return (kvf_concat_and_cache_mla_grouped_params){
      .kv_c = operand_view(&call->operands[KV_C]),
      .k_pe = operand_view(&call->operands[K_PE]),
      .kv_cache_ptrs = operand_view(&call->operands[KV_CACHE_PTRS]),
      .kv_scales = kvf_scalar_of(what->variant) == kvf_cache_of(what->variant)
                       ? (kvf_view){.data = NULL}
                       : operand_view(&call->operands[KV_SCALES]),
      .num_layers = what->layers,
      .slots_layer_stride = slots->view.stride[0],
      .block_stride = call->values[BLOCK_STRIDE].as.integer,
      .entry_stride = call->values[ENTRY_STRIDE].as.integer,
      .slots = {.mapping = operand_view(slots).data,
                .stride = slots->view.stride[1],
                .index_bytes = slots->view.dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = what->num_blocks,
                .block_size = what->block_size},
      .kv_lora_rank = (int32_t)what->kv_lora_rank,
      .rope_dim = (int32_t)what->rope_dim,
      .vector_elements = -1,
      .streaming = -1,
  };
}

/* [layers * rows, size] becomes [layers, rows, size]. */
static void split_layers(operand *source, int64_t layers, int64_t rows, bool layers_inside) {
  tensor *view = &source->view;
  view->rank = 3;
  view->shape[2] = view->shape[1];
  view->stride[2] = view->stride[1];
  view->shape[0] = layers;
  view->shape[1] = rows;
  view->stride[1] = layers_inside ? view->stride[0] * layers : view->stride[0];
  view->stride[0] = layers_inside ? view->stride[0] : view->stride[0] * rows;
}

static float scale_of(int64_t layer) {
  static const float scales[] = {0.1f, 1.0f, 0.25f, 3.0f, 1e-30f, 0.7f, 0x1p-126f, -2.0f};
  const int64_t count = (int64_t)TEST_COUNT(scales) - (options.backend == KVF_CPU); /* refused */
  return scales[layer % count];
}

/* The layers' caches do not stand in the order of the layers. */
static int64_t place_of(int64_t layer, int64_t layers) { return layers - 1 - layer; }

/* The cache of a layer, as [block, token, element]. */
static operand cache_of(const op_call *call, const grouped_case *what, int64_t layer) {
  operand cache = call->operands[CACHES];
  tensor *view = &cache.view;
  view->start += place_of(layer, what->layers) * view->stride[0] * (view->dtype.bits / 8);
  view->rank = 3;
  for (int i = 0; i < 3; ++i) {
    view->shape[i] = view->shape[i + 1];
    view->stride[i] = view->stride[i + 1];
  }
  return cache;
}

static kvf_value integer(int64_t value) {
  return (kvf_value){.kind = KVF_KIND_INT, .as.integer = value};
}

static void build(op_call *call, const void *context) {
  const grouped_case *what = context;
  const kvf_variant *variant = what->variant;
  const int *value = what->value;
  const int64_t layers = what->layers;
  uint64_t state = what->seed;
  *call = (op_call){.op = &kvf_op_concat_and_cache_mla_grouped,
                    .exec = {.backend = variant->backend, .num_threads = (int32_t)(state % 3)}};
  call->given_exec = state % 2 ? &call->exec : NULL;
  const int64_t rows = what->tokens + (value[ROWS] ? 2 : 0);
  const int offset[2] = {value[KV_C_OFFSET], value[K_PE_OFFSET]};
  mla_make_sources(call, KV_C, K_PE, kvf_scalar_of(variant), value[SOURCES], layers * rows,
                   what->kv_lora_rank, what->rope_dim, offset, value[VALUES], state);
  split_layers(&call->operands[KV_C], layers, rows, value[LAYERS_INSIDE]);
  split_layers(&call->operands[K_PE], layers, rows, value[LAYERS_INSIDE]);

  const int64_t row = what->kv_lora_rank + what->rope_dim;
  int64_t shape[4] = {layers, what->num_blocks, what->block_size, row};
  int64_t stride[4];
  mla_cache_strides(value[CACHE], shape + 1, stride + 1);
  const int64_t page = what->block_size * (row + 32) + 64;
  stride[0] = what->num_blocks * page / 16 * 16 + 16 + gap_of[value[LAYER_GAP]];
  operand_make(call, CACHES, mla_cache_dtype(kvf_cache_of(variant), true), 4, shape, stride,
               value[CACHE_OFFSET], 64, state + 4);
  operand_make(call, KV_CACHE_PTRS, (DLDataType){kDLInt, 64, 1}, 1, &layers,
               &(int64_t){state % 2 ? 2 : 1}, 0, 0, state + 5);
  for (int64_t layer = 0; layer < layers; ++layer) {
    const operand cache = cache_of(call, what, layer);
    operand_put_index(&call->operands[KV_CACHE_PTRS], layer, 0,
                      (int64_t)(uintptr_t)operand_view(&cache).data);
  }

  const bool wide = value[INDEX] == INDEX_INT64 || value[INDEX] == INDEX_INT64_STRIDED;
  const int64_t step = value[INDEX] >= INDEX_INT64_STRIDED ? 2 : 1;
  const int64_t slots_shape[2] = {layers, what->tokens};
  const int64_t slots_stride[2] = {value[SHARED_SLOTS] ? 0 : what->tokens * step + 1, step};
  operand_make(call, SLOT_MAPPING, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 2, slots_shape,
               slots_stride, 8, 0, state + 6);
  for (int64_t layer = 0; layer < layers; ++layer) {
    int64_t *slots =
        mla_slots(value[SLOTS], what->tokens, what->num_blocks * what->block_size, wide, &state);
    for (int64_t i = 0; i < what->tokens; ++i) {
      operand_put_index(&call->operands[SLOT_MAPPING], layer, i, slots[i]);
    }
    free(slots);
  }

  call->values[BLOCK_SIZE] = integer(what->block_size);
  call->values[BLOCK_STRIDE] = integer(stride[1]);
  call->values[ENTRY_STRIDE] = integer(stride[2]);
  call->values[NUM_BLOCKS] = integer(value[UNCHECKED] ? -1 : what->num_blocks);
  if (kvf_cache_of(variant) != kvf_scalar_of(variant)) {
    operand_make(call, KV_SCALES, dl_dtype(KVF_F32), 1, &layers, &(int64_t){state % 2 ? 3 : 1}, 4,
                 0, 5);
    for (int64_t layer = 0; layer < layers; ++layer) {
      const float scale = scale_of(layer);
      memcpy(operand_at(&call->operands[KV_SCALES], layer, 0, 0, 0), &scale, sizeof scale);
    }
  }
  const char *name = kvf_cache_of(variant) == kvf_scalar_of(variant)
                         ? "auto"
                         : kvf_dtype_name(kvf_cache_of(variant));
  call->values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = name};
}

/* Notes what the call should write; returns the number of slots that are out of range. */
static uint64_t expect_rows(const op_call *call, const grouped_case *what) {
  const kvf_variant *variant = what->variant;
  const int64_t elements = what->kv_lora_rank + what->rope_dim;
  const int64_t bytes = mla_row_bytes(kvf_cache_of(variant), elements);
  const int64_t capacity = what->num_blocks * what->block_size;
  uint8_t *kv_c = malloc((size_t)elements * 4 + 4);
  uint8_t *k_pe = malloc((size_t)elements * 4 + 4);
  uint8_t *row = malloc((size_t)(bytes + 4));
  uint64_t beyond = 0;
  for (int64_t i = 0; i < what->layers * what->tokens; ++i) {
    const int64_t layer = i / what->tokens;
    const int64_t token = i % what->tokens;
    const int64_t slot = operand_get_index(&call->operands[SLOT_MAPPING], layer, token);
    const operand cache = cache_of(call, what, layer);
    beyond += slot >= capacity;
    if (slot < 0 || slot >= capacity) {
      continue;
    }
    mla_gather(&call->operands[KV_C], layer, token, what->kv_lora_rank, kv_c);
    mla_gather(&call->operands[K_PE], layer, token, what->rope_dim, k_pe);
    mla_oracle_row(kvf_scalar_of(variant), kvf_cache_of(variant), kv_c, what->kv_lora_rank, k_pe,
                   what->rope_dim, scale_of(layer), row);
    mla_expect_row(&cache, slot, what->block_size, bytes, row);
  }
  free(kv_c);
  free(k_pe);
  free(row);
  return elements > 0 ? beyond : 0;
}

static bool run_case(const grouped_case *what) {
  char text[300];
  int length = snprintf(text, sizeof text, "%s seed=%llu:", what->variant->symbol,
                        (unsigned long long)what->seed);
  for (int i = 0; i < AXES; ++i) {
    length += snprintf(text + length, sizeof text - (size_t)length, " %d", what->value[i]);
  }
  op_call call;
  build(&call, what);
  op_call_upload(&call);
  vary_order(what->seed);
  const uint64_t before = faults_before(what->variant->backend);
  const kvf_concat_and_cache_mla_grouped_params params = params_of(&call, what);
  const int entry = what->value[ENTRY];
  const kvf_status status =
      entry == ENTRY_RAW ? kvf_launch_concat_and_cache_mla_grouped(NULL, what->variant, &params)
                         : op_call_invoke(&call, entry == ENTRY_TYPED ? typed : NULL);
  const uint64_t faults = expect_rows(&call, what);
  bool good = expect_done(what->variant->backend, status, before, faults, text);
  good = good && op_call_verify(&call, text);
  op_call_free(&call);
  count_case(what->variant);
  return good;
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static grouped_case case_of(const kvf_variant *variant, const int value[AXES], bool aligned,
                            uint64_t seed) {
  const int scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  grouped_case what = {.variant = variant,
                       .kv_lora_rank = sizes_of[value[SIZES]][0],
                       .rope_dim = sizes_of[value[SIZES]][1],
                       .layers = layers_of[value[LAYERS]],
                       .tokens = tokens_of[value[TOKENS]],
                       .block_size = block_size_of[value[PAGES]],
                       .seed = seed};
  what.num_blocks = (what.tokens + what.block_size - 1) / what.block_size + 2;
  memcpy(what.value, value, sizeof what.value);
  what.value[KV_C_OFFSET] *= aligned ? 16 : scalar;
  what.value[K_PE_OFFSET] *= aligned ? 16 : scalar;
  what.value[CACHE_OFFSET] *= aligned ? 16 : cache;
  return what;
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const int rounds = options.exhaustive ? 16 : 2;
  for (int i = 0; i < kvf_op_concat_and_cache_mla_grouped.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_grouped.variants[i];
    int failures = 0;
    for (int round = 0; wanted(variant) && round < rounds; ++round) {
      const bool aligned = round % 2 == 0;
      const int source_offsets = aligned ? 1 : 16 / (kvf_dtype_bits(kvf_scalar_of(variant)) / 8);
      const covering plan = {
          .num_axes = AXES,
          .sizes = {[SIZES] = TEST_COUNT(sizes_of),
                    [LAYERS] = TEST_COUNT(layers_of),
                    [PAGES] = TEST_COUNT(block_size_of),
                    [TOKENS] = TEST_COUNT(tokens_of),
                    [SOURCES] = SOURCE_LAYOUTS,
                    [LAYERS_INSIDE] = 2,
                    [KV_C_OFFSET] = source_offsets,
                    [K_PE_OFFSET] = source_offsets,
                    [CACHE] = CACHE_UNIT_LAYOUTS,
                    [CACHE_OFFSET] = aligned ? 1 : 16 / (kvf_dtype_bits(kvf_cache_of(variant)) / 8),
                    [LAYER_GAP] = TEST_COUNT(gap_of),
                    [SLOTS] = SLOT_KINDS,
                    [INDEX] = INDEX_KINDS,
                    [SHARED_SLOTS] = 2,
                    [ROWS] = 2,
                    [VALUES] = VALUE_KINDS,
                    [ENTRY] = ENTRIES,
                    [UNCHECKED] = 2},
      };
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      int count = 0;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        const grouped_case what = case_of(variant, rows[row].value, aligned, random_next(&state));
        failures += !run_case(&what);
      }
      free(rows);
    }
  }
}

/* Three layers of five tokens in pages of four. */
static grouped_case small_case(const kvf_variant *variant) {
  const int value[AXES] = {[LAYERS] = 2};
  grouped_case what = case_of(variant, value, true, 2);
  what.kv_lora_rank = 48;
  what.rope_dim = 16;
  what.tokens = 5;
  what.block_size = 4;
  what.num_blocks = 4;
  return what;
}

/* Rows that end inside a vector, while every address and stride is a multiple of one. */
static void test_padded(void) {
  static const int64_t sizes[][2] = {{46, 30}, {20, 12}, {48, 20}, {7, 5}};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_grouped.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_grouped.variants[i];
    for (size_t k = 0; wanted(variant) && k < TEST_COUNT(sizes); ++k) {
      grouped_case what = small_case(variant);
      what.kv_lora_rank = sizes[k][0];
      what.rope_dim = sizes[k][1];
      what.value[SOURCES] = SOURCES_PADDED_ALIGNED;
      what.value[CACHE] = CACHE_PADDED_ALIGNED;
      (void)run_case(&what);
    }
  }
}

/* More than the 4 MiB at which copies bypass the caches; more layers than a grid has in z. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CUDA && cuda.reset && !options.exhaustive) {
    skip_test("the emulated driver would need minutes");
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_grouped.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_grouped.variants[i];
    for (int many = 0; wanted(variant) && many < 2; ++many) {
      grouped_case what = small_case(variant);
      what.layers = many ? 70000 : 3;
      what.tokens = many ? 1 : 2500;
      what.kv_lora_rank = many ? 8 : 512;
      what.rope_dim = many ? 0 : 64;
      what.num_blocks = what.tokens / 4 + 2;
      (void)run_case(&what);
    }
  }
}

/* Slots out of range: refused on the CPU, skipped and counted on CUDA; so are addresses. */
static void test_out_of_range(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_grouped.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_grouped.variants[i];
    const int64_t slots[] = {16, 17, INT64_C(1) << 33, INT64_MAX};
    for (size_t k = 0; wanted(variant) && k < TEST_COUNT(slots); ++k) {
      const grouped_case what = small_case(variant);
      op_call call;
      build(&call, &what);
      operand_put_index(&call.operands[SLOT_MAPPING], 1, 3, slots[k]);
      op_call_upload(&call);
      const uint64_t before = faults_before(variant->backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (variant->backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "slot_mapping: element [1, 3] is ");
        EXPECT_TEXT(kvf_last_error(), "want less than 16");
      } else {
        EXPECT(expect_rows(&call, &what) == 1, "one slot is out of range");
        (void)expect_done(variant->backend, status, before, 1, variant->symbol);
      }
      (void)op_call_verify(&call, variant->symbol);
      op_call_free(&call);
      count_case(variant);
    }
    const bool bytes = kvf_dtype_bits(kvf_cache_of(variant)) == 8;
    for (int odd = 0; wanted(variant) && odd < (bytes ? 1 : 2); ++odd) {
      const grouped_case what = small_case(variant);
      op_call call;
      build(&call, &what);
      const int64_t good = operand_get_index(&call.operands[KV_CACHE_PTRS], 2, 0);
      operand_put_index(&call.operands[KV_CACHE_PTRS], 2, 0, odd ? good + 1 : 0);
      op_call_upload(&call);
      const uint64_t before = faults_before(variant->backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (variant->backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_INVALID_VALUE);
        EXPECT_TEXT(kvf_last_error(), "kv_cache_ptrs: element 2 is ");
      } else {
        uint64_t skipped = 0; /* each token of the layer that has a slot */
        for (int64_t token = 0; token < what.tokens; ++token) {
          skipped += operand_get_index(&call.operands[SLOT_MAPPING], 2, token) >= 0;
          operand_put_index(&call.operands[SLOT_MAPPING], 2, token, -1);
        }
        (void)expect_rows(&call, &what);
        (void)expect_done(variant->backend, status, before, skipped, variant->symbol);
        operand_put_index(&call.operands[SLOT_MAPPING], 2, 0, 0);
        buffer_upload(&call.operands[SLOT_MAPPING].memory); /* that one was changed here only */
      }
      (void)op_call_verify(&call, variant->symbol);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* Rows 2^31 elements and more from the address of their cache, and layers from each other. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  const int64_t far = (INT64_C(1) << 33) + 16;
  enum { FAR_BLOCK, FAR_ENTRY, FAR_LAYER, FAR_TOKEN, FAR_KINDS };
  for (int i = 0; i < kvf_op_concat_and_cache_mla_grouped.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_grouped.variants[i];
    const int64_t bytes = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
    for (int kind = 0; wanted(variant) && kind < FAR_KINDS; ++kind) {
      if (variant->backend == KVF_CUDA && kind >= FAR_LAYER) {
        skip_part("sources: kernels read rows of skipped tokens, which have no memory here");
        continue;
      }
      /* Only token 1 of layer 1 is written, to its cache's first row. */
      grouped_case what = small_case(variant);
      what.layers = 2;
      what.tokens = 2;
      op_call call;
      build(&call, &what);
      operand cache = cache_of(&call, &what, 1);
      int64_t base = (int64_t)(uintptr_t)operand_view(&cache).data;
      int64_t slot = 0;
      call.values[NUM_BLOCKS] = integer(-1);
      if (kind == FAR_BLOCK) {
        slot = 4 * far;
        base -= far * 64 * bytes;
        call.values[BLOCK_STRIDE] = integer(64);
      } else if (kind == FAR_ENTRY) {
        slot = 3;
        base -= 3 * far * bytes;
        call.values[ENTRY_STRIDE] = integer(far);
      } else {
        for (int position = KV_C; position <= K_PE; ++position) {
          tensor *view = &call.operands[position].view;
          const int dimension = kind == FAR_LAYER ? 0 : 1;
          view->start -= far * (view->dtype.bits / 8);
          view->stride[dimension] = far;
          view->stride[1 - dimension] = 0;
        }
      }
      const int64_t numbers[2][2] = {{-1, -1}, {-1, slot}};
      for (int layer = 0; layer < 2; ++layer) {
        for (int token = 0; token < 2; ++token) {
          operand_put_index(&call.operands[SLOT_MAPPING], layer, token, numbers[layer][token]);
        }
      }
      operand_put_index(&call.operands[KV_CACHE_PTRS], 1, 0, base);
      op_call_upload(&call);
      const uint64_t before = faults_before(variant->backend);
      const kvf_status status = op_call_invoke(&call, typed);
      uint8_t kv_c[48 * 4];
      uint8_t k_pe[16 * 4];
      uint8_t row[64 * 4];
      mla_gather(&call.operands[KV_C], 1, 1, 48, kv_c);
      mla_gather(&call.operands[K_PE], 1, 1, 16, k_pe);
      mla_oracle_row(kvf_scalar_of(variant), kvf_cache_of(variant), kv_c, 48, k_pe, 16, scale_of(1),
                     row);
      mla_expect_row(&cache, 0, 4, 64 * bytes, row);
      char text[128];
      (void)snprintf(text, sizeof text, "%s, far kind %d", variant->symbol, kind);
      (void)expect_done(variant->backend, status, before, 0, text);
      (void)op_call_verify(&call, text);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* ---- bad arguments
 * --------------------------------------------------------------------------------- */

/* clang-format off */
#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

static const bad_argument bad_always[] = {
  {"no kv_c", ON_BOTH, "kv_c", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_c", "NULL", "want a tensor"},
  {"no k_pe", ON_BOTH, "k_pe", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_pe", "NULL", "want a tensor"},
  {"no kv_cache_ptrs", ON_BOTH, "kv_cache_ptrs", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_ptrs", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"unknown kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp7", VALUE_, "kv_cache_dtype", "'fp7'", "want one of auto"},
  {"kv_c of rank 2", ON_BOTH, "kv_c", SPOIL_RANK, 0, 2, NULL, VALUE_, "kv_c", "rank is 2", "want 3"},
  {"slot_mapping of rank 1", ON_BOTH, "slot_mapping", SPOIL_RANK, 0, 1, NULL, VALUE_, "slot_mapping", "rank is 1", "want 2"},
  {"layers of k_pe", ON_BOTH, "k_pe", SPOIL_SIZE, 0, 2, NULL, VALUE_, "k_pe", "(num_layers) is 2", "want 3 as in kv_c"},
  {"layers of kv_cache_ptrs", ON_BOTH, "kv_cache_ptrs", SPOIL_SIZE, 0, 4, NULL, VALUE_, "kv_cache_ptrs", "(num_layers) is 4", "want 3 as in kv_c"},
  {"layers of slot_mapping", ON_BOTH, "slot_mapping", SPOIL_SIZE, 0, 1, NULL, VALUE_, "slot_mapping", "(num_layers) is 1", "want 3 as in kv_c"},
  {"fewer rows in kv_c", ON_BOTH, "kv_c", SPOIL_SIZE, 1, 4, NULL, VALUE_, "kv_c", "has 4 rows", "want at least 5"},
  {"fewer rows in k_pe", ON_BOTH, "k_pe", SPOIL_SIZE, 1, 4, NULL, VALUE_, "k_pe", "has 4 rows", "want at least 5"},
  {"kv_c is float64", ON_BOTH, "kv_c", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "kv_c", "dtype is float64", "want float32, float16, bfloat16"},
  {"k_pe is uint8", ON_BOTH, "k_pe", SPOIL_DTYPE, kDLUInt, 8, NULL, TYPE, "k_pe", "dtype is uint8", "want "},
  {"kv_cache_ptrs is int32", ON_BOTH, "kv_cache_ptrs", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "kv_cache_ptrs", "dtype is int32", "want int64"},
  {"slot_mapping is float32", ON_BOTH, "slot_mapping", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "slot_mapping", "dtype is float32", "want int32, int64"},
  {"kv_cache_ptrs on CUDA", ON_CPU, "kv_cache_ptrs", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "kv_cache_ptrs", "on CUDA device 0", "want the CPU"},
  {"kv_cache_ptrs on the CPU", ON_CUDA, "kv_cache_ptrs", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "kv_cache_ptrs", "on the CPU", "want CUDA device 0"},
  {"kv_cache_ptrs has no data", ON_BOTH, "kv_cache_ptrs", SPOIL_DATA, 0, 0, NULL, VALUE_, "kv_cache_ptrs", "data is NULL", "want an address"},
  {"block_size is 0", ON_BOTH, "block_size", SPOIL_INT, 0, 0, NULL, VALUE_, "block_size", "got 0", "want 1 or more"},
  {"pages overlap", ON_BOTH, "block_stride", SPOIL_INT, 0, 63, NULL, VALUE_, "block_stride", "got 63", "want at least 64"},
  {"tokens overlap", ON_BOTH, "entry_stride", SPOIL_INT, 0, -63, NULL, VALUE_, "entry_stride", "got -63", "want at least 64"},
  {"num_blocks is -2", ON_BOTH, "num_blocks", SPOIL_INT, 0, -2, NULL, VALUE_, "num_blocks", "got -2", "want -1 or more"},
  {"too many blocks", ON_BOTH, "num_blocks", SPOIL_INT, 0, INT64_MAX, NULL, VALUE_, "num_blocks", "blocks of 4 tokens", "2^63"},
};

static const bad_argument bad_fp8[] = {
  {"no kv_scales", ON_BOTH, "kv_scales", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_scales", "NULL", "want a tensor"},
  {"layers of kv_scales", ON_BOTH, "kv_scales", SPOIL_SIZE, 0, 1, NULL, VALUE_, "kv_scales", "(num_layers) is 1", "want 3 as in kv_c"},
  {"kv_scales of rank 0", ON_BOTH, "kv_scales", SPOIL_RANK, 0, 0, NULL, VALUE_, "kv_scales", "rank is 0", "want 1"},
  {"kv_scales is float16", ON_BOTH, "kv_scales", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "kv_scales", "dtype is float16", "want float32"},
  {"kv_scales and no fp8", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "auto", VALUE_, "kv_scales", "got a tensor", "want none (the cache holds f32 itself)"},
};

static const bad_argument bad_same[] = {
  {"fp8 and no kv_scales", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp8", VALUE_, "kv_scales", "NULL", "want a tensor"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_op *op = &kvf_op_concat_and_cache_mla_grouped;
  for (int fp8 = 0; fp8 < 2; ++fp8) {
    const kvf_variant *variant =
        kvf_select(op, options.backend, KVF_F32, fp8 ? KVF_FP8_E4M3 : KVF_F32);
    if (variant == NULL) {
      skip_part("%s", kvf_last_error());
      continue;
    }
    const grouped_case what = small_case(variant);
    op_call_test_bad(build, &what, typed, bad_always, TEST_COUNT(bad_always));
    op_call_test_bad(build, &what, typed, fp8 ? bad_fp8 : bad_same,
                     fp8 ? TEST_COUNT(bad_fp8) : TEST_COUNT(bad_same));
    if (fp8) {
      op_call_test_scales(build, &what, typed, "kv_scales", true);
    }
  }
}

#define MEMBER(path)                                                                               \
  offsetof(kvf_concat_and_cache_mla_grouped_params, path),                                         \
      sizeof(((kvf_concat_and_cache_mla_grouped_params *)0)->path)

static void test_bad_params(void) {
  static const struct {
    const char *member;
    size_t at;
    size_t bytes;
    int64_t number;
    const char *got;
    const char *want;
  } rows[] = {
      {"kv_c", MEMBER(kv_c.data), 0, "NULL", "want an address"},
      {"k_pe", MEMBER(k_pe.data), 0, "NULL", "want an address"},
      {"kv_cache_ptrs", MEMBER(kv_cache_ptrs.data), 0, "NULL", "want an address"},
      {"kv_scales", MEMBER(kv_scales.data), 0, "NULL", "want an address"},
      {"slot_mapping", MEMBER(slots.mapping), 0, "NULL", "want an address"},
      {"num_layers", MEMBER(num_layers), -1, "got -1", "want 0 or more"},
      {"num_tokens", MEMBER(slots.num_tokens), -1, "got -1", "want 0 or more"},
      {"kv_lora_rank", MEMBER(kv_lora_rank), -1, "got -1", "want 0 or more"},
      {"rope_dim", MEMBER(rope_dim), INT32_MAX, "48 + 2147483647", "less than 2^31"},
      {"block_stride", MEMBER(block_stride), 0, "got 0", "want at least 64"},
      {"entry_stride", MEMBER(entry_stride), 1, "got 1", "want at least 64"},
      {"index_bytes", MEMBER(slots.index_bytes), 1, "got 1", "want 4 or 8"},
  };
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant =
      kvf_select(&kvf_op_concat_and_cache_mla_grouped, options.backend, KVF_F32, KVF_FP8_E4M3);
  if (variant == NULL) {
    skip_test("%s", kvf_last_error());
    return;
  }
  const grouped_case what = small_case(variant);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    kvf_concat_and_cache_mla_grouped_params params = params_of(&call, &what);
    memcpy((char *)&params + rows[i].at, &rows[i].number, rows[i].bytes);
    EXPECT_STATUS(kvf_launch_concat_and_cache_mla_grouped(NULL, variant, &params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    EXPECT_TEXT(kvf_last_error(), rows[i].got);
    EXPECT_TEXT(kvf_last_error(), rows[i].want);
    (void)op_call_verify(&call, rows[i].member);
    count_case(NULL);
  }
  op_call_free(&call);
}

CU_TestInfo concat_and_cache_mla_grouped_tests[] = {
    {"every pair of axis values", test_matrix},
    {"rows that end inside a vector", test_padded},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"slots and addresses out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
