/* reshape_and_cache_flash: pages of [block, token, head, element]. */
#include <stdio.h>
#include <string.h>

#include "flash.h"
#include "oracle.h"
#include "writer.h"

enum {
  NHD,
  HND,
  PACKED_PAGES, /* K and V in one allocation, page beside page */
  PACKED_HEADS, /* head beside head, as [block, token, head, 2, element] */
  PADDED,
  PADDED_ALIGNED,
  NHD_AND_HND,
  PADDED_AND_COMPACT,
  STRIDED, /* no unit stride at all */
  REVERSED,
  LAYOUTS
};

static void shape(const writer_sizes *sizes, int64_t shapes[SIDES][5]) {
  for (int side = 0; side < SIDES; ++side) {
    const int64_t made[5] = {sizes->num_blocks, sizes->block_size, sizes->num_heads,
                             sizes->head_size};
    memcpy(shapes[side], made, sizeof made);
  }
}

static placement layout(int kind, const writer_sizes *sizes, const int64_t shapes[SIDES][5]) {
  placement place = {.shared = kind == PACKED_PAGES || kind == PACKED_HEADS};
  int64_t *key = place.stride[0];
  int64_t *value = place.stride[1];
  const int64_t *shape_of = shapes[0];
  const int64_t span = lay_out(key, shape_of, "0123", 1, 0);
  lay_out(value, shape_of, "0123", 1, 0);
  switch (kind) {
  case HND:
    lay_out(key, shape_of, "0213", 1, 0);
    lay_out(value, shape_of, "0213", 1, 0);
    break;
  case PACKED_PAGES:
    place.value_start = span / sizes->num_blocks;
    key[0] = value[0] = 2 * place.value_start;
    break;
  case PACKED_HEADS:
    place.value_start = sizes->head_size;
    for (int dimension = 0; dimension < 3; ++dimension) {
      key[dimension] *= 2;
      value[dimension] *= 2;
    }
    break;
  case PADDED:
    lay_out(key, shape_of, "0123", 1, 3);
    lay_out(value, shape_of, "0123", 1, 5);
    break;
  case PADDED_ALIGNED:
    lay_out_aligned(key, shape_of, "0123", 64);
    lay_out_aligned(value, shape_of, "0123", 32);
    break;
  case NHD_AND_HND:
    lay_out(value, shape_of, "0213", 1, 0);
    break;
  case PADDED_AND_COMPACT:
    key[0] += 256;
    break;
  case STRIDED:
    lay_out(key, shape_of, "0123", 2, 0);
    lay_out(value, shape_of, "0213", 3, 1);
    break;
  case REVERSED:
    key[0] = -key[0];
    value[2] = -value[2];
    break;
  default:
    break;
  }
  return place;
}

static int64_t at(const tensor *cache, int side, int64_t block, int64_t offset, int64_t head,
                  int64_t element) {
  (void)side;
  return block * cache->stride[0] + offset * cache->stride[1] + head * cache->stride[2] +
         element * cache->stride[3];
}

static kvf_status raw(const kvf_exec *exec, const kvf_variant *variant, const writer_call *call) {
  const kvf_reshape_and_cache_flash_params params = {
      WRITER_PARAMS(call), .value_head_size = (int32_t)call->sizes.head_size,
      .vector_elements = -1};
  return kvf_launch_reshape_and_cache_flash(exec, variant, &params);
}

static const writer_op op = {
    .op = &kvf_op_reshape_and_cache_flash,
    .typed = kvf_reshape_and_cache_flash,
    .raw = raw,
    .num_layouts = LAYOUTS,
    .rank = {4, 4},
    .shape = shape,
    .layout = layout,
    .at = at,
};

/* ---- heads of values of another size than those of keys
 * ------------------------------------------ */

enum { STRING = K_SCALE, OF_K_SCALE, OF_V_SCALE }; /* places of the schema */
enum { ONE_TENSOR, APART, HEADS_APART, GAPS, DIFFERENT_LAYOUTS };

typedef struct different_case {
  const kvf_variant *variant;
  int64_t heads, sizes[SIDES];
  int layout, offset;
  bool per_head;
  bool by_value; /* one scale, of raw launches in the params struct */
  int entry;
} different_case;

static kvf_status typed_of(const kvf_exec *exec, const kvf_value *values) {
  return kvf_reshape_and_cache_flash(
      exec, values[KEY].as.tensor, values[VALUE].as.tensor, (DLTensor *)values[KEY_CACHE].as.tensor,
      (DLTensor *)values[VALUE_CACHE].as.tensor, values[SLOT_MAPPING].as.tensor,
      values[STRING].as.string, values[OF_K_SCALE].as.tensor, values[OF_V_SCALE].as.tensor, NULL);
}

/* Keys and values of [page, token, head, element]: a head of values behind that of keys, or each in
 * a tensor of its own. */
static void make_caches(op_call *call, const different_case *what, int64_t pages) {
  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[] = {
      [APART] = {"0123", 1, 0}, [HEADS_APART] = {"0213", 1, 16}, [GAPS] = {"0123", 2, 1}};
  const DLDataType dtype = dl_dtype(kvf_cache_of(what->variant));
  const int offset = what->offset * dtype.bits / 8;
  int64_t shape[4] = {pages, 4, what->heads, what->sizes[0] + what->sizes[1]};
  int64_t stride[4];
  if (what->layout == ONE_TENSOR) {
    lay_out(stride, shape, "0123", 1, 0);
    operand_make(call, KEY_CACHE, dtype, 4, shape, stride, offset, 64, 11);
    call->operands[KEY_CACHE].view.shape[3] = what->sizes[0];
    shape[3] = what->sizes[1];
    operand_share(call, VALUE_CACHE, KEY_CACHE, what->sizes[0], 4, shape, stride);
    return;
  }
  for (int side = 0; side < SIDES; ++side) {
    shape[3] = what->sizes[side];
    lay_out(stride, shape, layouts[what->layout].order, layouts[what->layout].inner,
            layouts[what->layout].pad);
    operand_make(call, KEY_CACHE + side, dtype, 4, shape, stride, offset, 64, 12 + (uint64_t)side);
  }
}

static kvf_status launch_raw(const op_call *call, const different_case *what, int64_t tokens) {
  const int64_t step = what->per_head && what->heads > 1 ? 1 : 0;
  kvf_reshape_and_cache_flash_params params = {
      .key = operand_view(&call->operands[KEY]),
      .value = operand_view(&call->operands[VALUE]),
      .key_cache = operand_view(&call->operands[KEY_CACHE]),
      .value_cache = operand_view(&call->operands[VALUE_CACHE]),
      .k_scale = operand_view(&call->operands[OF_K_SCALE]),
      .v_scale = operand_view(&call->operands[OF_V_SCALE]),
      .slots = {.mapping = operand_view(&call->operands[SLOT_MAPPING]).data,
                .stride = 1,
                .index_bytes = 8,
                .num_tokens = tokens,
                .num_blocks = call->operands[KEY_CACHE].view.shape[0],
                .block_size = 4},
      .num_heads = (int32_t)what->heads,
      .head_size = (int32_t)what->sizes[0],
      .value_head_size = (int32_t)what->sizes[1],
  };
  params.k_scale.stride[0] = params.v_scale.stride[0] = step;
  if (what->by_value) {
    params.k_scale = params.v_scale = (kvf_view){.data = NULL};
    memcpy(&params.k_scale_value, operand_at(&call->operands[OF_K_SCALE], 0, 0, 0, 0), 4);
    memcpy(&params.v_scale_value, operand_at(&call->operands[OF_V_SCALE], 0, 0, 0, 0), 4);
  }
  return kvf_launch_reshape_and_cache_flash(NULL, what->variant, &params);
}

static void run_different(const different_case *what) {
  enum { TOKENS_ = 13 };
  const int64_t tokens = TOKENS_;
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const int64_t scales = what->per_head ? what->heads : 1;
  char text[160];
  (void)snprintf(text, sizeof text, "%s, %d heads of %d and %d, layout %d, offset %d, entry %d",
                 what->variant->symbol, (int)what->heads, (int)what->sizes[0], (int)what->sizes[1],
                 what->layout, what->offset, what->entry);
  op_call call = {.op = &kvf_op_reshape_and_cache_flash, .exec = {.backend = options.backend}};
  make_caches(&call, what, 5);
  for (int side = 0; side < SIDES; ++side) {
    const int64_t shape_of[3] = {tokens, what->heads, what->sizes[side]};
    int64_t stride[3];
    lay_out(stride, shape_of, "012", 1, 0);
    operand_make(&call, KEY + side, dl_dtype(scalar), 3, shape_of, stride, 0, 0,
                 21 + (uint64_t)side);
    flash_fill(&call.operands[KEY + side], scalar, FLASH_NORMAL, 31 + (uint64_t)side);
    operand_make(&call, OF_K_SCALE + side, dl_dtype(KVF_F32), 1, &scales, (int64_t[]){1}, 0, 0, 1);
    for (int64_t h = 0; h < scales; ++h) {
      const float scale = 0.125f * (float)(1 + h) + 0.01f * (float)side;
      memcpy(operand_at(&call.operands[OF_K_SCALE + side], h, 0, 0, 0), &scale, sizeof scale);
    }
  }
  operand_make(&call, SLOT_MAPPING, (DLDataType){kDLInt, 64, 1}, 1, &tokens, (int64_t[]){1}, 0, 0,
               2);
  flash_fill_slots(&call.operands[SLOT_MAPPING], FLASH_SKIPPED_SLOTS, 20, options.seed);
  call.values[STRING] = (kvf_value){.kind = KVF_KIND_STRING,
                                    .as.string = cache == scalar ? "auto" : kvf_dtype_name(cache)};
  op_call_upload(&call);
  for (int64_t token = 0; token < tokens; ++token) {
    int64_t block;
    int64_t offset;
    if (!flash_slot(&call.operands[SLOT_MAPPING], token, 4, &block, &offset)) {
      continue;
    }
    for (int side = 0; side < SIDES; ++side) {
      for (int64_t i = 0; i < what->heads * what->sizes[side]; ++i) {
        const int64_t head = i / what->sizes[side];
        const int64_t element = i % what->sizes[side];
        float scale;
        memcpy(&scale,
               operand_at(&call.operands[OF_K_SCALE + side], what->per_head ? head : 0, 0, 0, 0),
               sizeof scale);
        oracle_store(scalar, cache, operand_at(&call.operands[KEY + side], token, head, element, 0),
                     scale,
                     operand_at(&call.operands[KEY_CACHE + side], block, offset, head, element));
      }
    }
  }
  const uint64_t before = faults_before(options.backend);
  const kvf_status status =
      what->entry == ENTRY_RAW
          ? launch_raw(&call, what, tokens)
          : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed_of : NULL);
  (void)expect_done(options.backend, status, before, 0, text);
  (void)op_call_verify(&call, text);
  op_call_free(&call);
  count_case(what->variant);
}

static void test_different_sizes(void) {
  static const int64_t sizes[][SIDES] = {{192, 128}, {128, 192}, {576, 512}, {7, 64},
                                         {80, 48},   {16, 1},    {64, 0},    {0, 32}};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < op.op->num_variants; ++i) {
    for (int k = 0; writer_wants(&op.op->variants[i]) && k < (int)TEST_COUNT(sizes) * 4; ++k) {
      run_different(&(different_case){.variant = &op.op->variants[i],
                                      .heads = (const int64_t[]){1, 3, 8}[k % 3],
                                      .sizes = {sizes[k / 4][0], sizes[k / 4][1]},
                                      .layout = k % DIFFERENT_LAYOUTS,
                                      .offset = k / 4 % 3 == 2 ? 1 : 0,
                                      .per_head = k / 2 % 2,
                                      .by_value = k / 2 % 2 == 0 && k / 4 % 2,
                                      .entry = (k + k / 4) % ENTRIES});
    }
  }
}

static void test_matrix(void) { writer_test_matrix(&op); }
static void test_padded(void) { writer_test_padded(&op, PADDED_ALIGNED); }
static void test_large(void) { writer_test_large(&op); }
/* 65,535 blocks of 256 threads are the most. */
static void test_long_rows(void) { writer_test_long_rows(&op, (65535 + 2) * INT64_C(256)); }
static void test_far(void) { writer_test_far(&op); }
static void test_out_of_range(void) { writer_test_out_of_range(&op); }
static void test_bad_arguments(void) { writer_test_bad_arguments(&op); }
static void test_bad_params(void) { writer_test_bad_params(&op); }

CU_TestInfo reshape_and_cache_flash_tests[] = {
    {"every pair of axis values", test_matrix},
    {"heads that end inside a vector", test_padded},
    {"heads of different sizes", test_different_sizes},
    {"large calls", test_large},
    {"long rows", test_long_rows},
    {"strides beyond 2^31", test_far},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
