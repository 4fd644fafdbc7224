/* reshape_and_cache_flash_nvfp4: codes and block scales, bit for bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "flash.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_nvfp4)

enum {
  OF_KEY,
  OF_VALUE,
  OF_KEY_CACHE,
  OF_VALUE_CACHE,
  OF_SLOTS,
  OF_STRING,
  OF_K_SCALE,
  OF_V_SCALE,
  OF_SWIZZLE,
  OF_K_BLOCKS,
  OF_V_BLOCKS
};

static const int64_t heads_of[] = {1, 2, 3, 8, 40};
/* Of a key and of a value. */
static const int64_t sizes_of[][SIDES] = {{64, 64},   {128, 128}, {256, 256}, {16, 16},   {80, 80},
                                          {576, 576}, {192, 128}, {16, 64},   {144, 320}, {48, 16}};
static const int64_t block_sizes[] = {16, 4, 1, 17};
static const int64_t tokens_of[] = {0, 1, 19, 67};
static const int offsets[] = {0, 8, 4, 2, 1};

/* K and V in pages of their own, packed as upstream packs them, with a gap behind, last page first;
 * and with the block scales in tensors of their own. */
enum {
  NHD,
  HND,
  PACKED_NHD,
  PACKED_HND,
  GAP_NHD,
  GAP_HND,
  LAST_FIRST,
  NHD_AND_HND,
  SEPARATE_NHD,
  SEPARATE_HND,
  SEPARATE_PADDED,
  PAGE_LAYOUTS
};

enum { ONE_SCALE, A_SCALE, HEAD_SCALES, STRANGE_SCALES, SCALES };

enum {
  HEADS_,
  SIZES_,
  BLOCK_,
  TOKENS_,
  CACHE_,
  SOURCE_,
  FROM_,
  TO_,
  SLOTS_,
  INDEX_,
  VALUES_,
  SCALES_,
  SWIZZLE_,
  ENTRY_,
  EXEC_,
  AXES_
};

typedef struct page_case {
  const kvf_variant *variant;
  int64_t heads, block_size, tokens;
  int64_t sizes[SIDES];
  int layout, source_layout;
  int from, to; /* address of element 0 mod 16, of the sources and of the caches */
  int slots, index, values, scales, entry, exec;
  bool swizzle;
  uint64_t seed;
} page_case;

static bool heads_first(const page_case *what, int side) {
  return what->layout == HND || what->layout == PACKED_HND || what->layout == GAP_HND ||
         what->layout == SEPARATE_HND || (what->layout == NHD_AND_HND && side == 1);
}

static bool is_separate(const page_case *what) { return what->layout >= SEPARATE_NHD; }

static int64_t width_of(const page_case *what, int side) {
  return what->sizes[side] / 2 + (is_separate(what) ? 0 : what->sizes[side] / 16);
}

static int64_t side_bytes(const page_case *what, int side) {
  return what->block_size * what->heads * width_of(what, side);
}

/* Strides of a side's codes or block scales in a tensor of their own, of rows of this many bytes.
 */
static void separate_strides(const page_case *what, int side, int64_t width, int64_t stride[4]) {
  const int64_t pad = what->layout == SEPARATE_PADDED ? 3 + side : 0;
  const bool hnd = heads_first(what, side);
  const int64_t row = width + pad;
  stride[3] = 1;
  stride[2] = hnd ? what->block_size * row + pad : row;
  stride[1] = hnd ? row : what->heads * row + pad;
  stride[0] = (hnd ? what->heads * stride[2] : what->block_size * stride[1]) + pad;
}

static float scale_of(const page_case *what, int side, int64_t head) {
  static const float scales[] = {0.0625f, 0.1f, 1.0f, 3e-3f, 7.0f};
  static const float extreme[] = {0x1p-126f, 2.5e-4f, 3e38f, 1e-30f, 3e2f, 1e30f};
  /* What the CPU refuses is IEEE arithmetic on CUDA. */
  static const float strange[] = {0.0f, -0.25f, INFINITY, 1e-30f, NAN, 1e30f};
  switch ((what->scales + side) % SCALES) {
  case ONE_SCALE:
    return 1.0f;
  case A_SCALE:
    return side ? 0.1f : 0.03f;
  case HEAD_SCALES:
    return scales[head % 5];
  default:
    return options.backend == KVF_CUDA ? strange[head % 6] : extreme[head % 6];
  }
}

static void build(op_call *call, const void *context) {
  const page_case *what = context;
  const kvf_variant *variant = what->variant;
  *call = (op_call){.op = OP, .exec = {.backend = variant->backend}};
  if (what->exec > 0) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->exec;
    call->exec.stream = variant->backend == KVF_CUDA ? own_stream() : NULL;
  }
  const int64_t pages = (what->tokens + what->block_size - 1) / what->block_size + 2;
  const bool packed = what->layout == PACKED_NHD || what->layout == PACKED_HND;
  const bool gap = what->layout == GAP_NHD || what->layout == GAP_HND;
  const int bytes = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  for (int side = 0; side < SIDES; ++side) {
    int64_t stride[4];
    const int64_t width = width_of(what, side);
    const int64_t source[] = {what->tokens + 2, what->heads, what->sizes[side]};
    flash_lay_out((what->source_layout + side) % FLASH_LAYOUTS, 3, source, stride);
    operand_make(call, OF_KEY + side, dl_dtype(kvf_scalar_of(variant)), 3, source, stride,
                 what->from / bytes * bytes, 0, what->seed + (uint64_t)side);
    flash_fill(&call->operands[OF_KEY + side], kvf_scalar_of(variant), what->values,
               what->seed + 10);
    const int64_t cache[] = {pages, what->block_size, what->heads, width};
    const bool hnd = heads_first(what, side);
    const int64_t other = packed ? side_bytes(what, 1 - side) : 0;
    const int64_t pitch = side_bytes(what, side) + other + (gap ? 8 + 3 * side : 0);
    const int64_t page_stride[] = {what->layout == LAST_FIRST ? -pitch : pitch,
                                   hnd ? width : what->heads * width,
                                   hnd ? what->block_size * width : width, 1};
    if (is_separate(what)) {
      int64_t own[4];
      separate_strides(what, side, width, own);
      operand_make(call, OF_KEY_CACHE + side, (DLDataType){kDLUInt, 8, 1}, 4, cache, own, what->to,
                   64, what->seed + 20 + (uint64_t)side);
      const int64_t blocks[] = {pages, what->block_size, what->heads, what->sizes[side] / 16};
      separate_strides(what, side, blocks[3], own);
      operand_make(call, OF_K_BLOCKS + side,
                   what->exec == 1 ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(KVF_FP8_E4M3), 4,
                   blocks, own, side, 64, what->seed + 30 + (uint64_t)side);
    } else if (packed && side == 1) {
      operand_share(call, OF_VALUE_CACHE, OF_KEY_CACHE, side_bytes(what, 0), 4, cache, page_stride);
    } else {
      /* A packed page is one of K that is longer; the guard of the last has room for its V. */
      operand_make(call, OF_KEY_CACHE + side, (DLDataType){kDLUInt, 8, 1}, 4, cache, page_stride,
                   what->to, 64 + other, what->seed + 20 + (uint64_t)side);
    }
    const bool per_head = (what->scales + side) % SCALES >= HEAD_SCALES;
    const int64_t count = per_head ? what->heads : 1;
    const int64_t step = 2;
    operand_make(call, OF_K_SCALE + side, dl_dtype(KVF_F32), 1, &count, &step, 4, 0, what->seed);
    for (int64_t head = 0; head < count; ++head) {
      const float scale = scale_of(what, side, head);
      memcpy(operand_at(&call->operands[OF_K_SCALE + side], head, 0, 0, 0), &scale, 4);
    }
  }
  const bool wide = what->index != 1;
  const int64_t step[] = {what->index == 2 ? 3 : 1};
  operand_make(call, OF_SLOTS, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 1, &what->tokens, step, 8,
               0, what->seed + 40);
  flash_fill_slots(&call->operands[OF_SLOTS], what->slots, pages * what->block_size,
                   what->seed + 41);
  call->values[OF_STRING] =
      (kvf_value){.kind = KVF_KIND_STRING, .as.string = kvf_dtype_name(kvf_cache_of(variant))};
  call->values[OF_SWIZZLE] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = what->swizzle};
}

static void expect_group(const op_call *call, const page_case *what, int side, int64_t token,
                         int64_t head, int64_t group, int64_t block, int64_t offset) {
  const operand *block_scales = &call->operands[OF_K_BLOCKS + side];
  const flash_nvfp4 pages = {.cache = &call->operands[OF_KEY_CACHE + side],
                             .block_scales = is_separate(what) ? block_scales : NULL,
                             .format = kvf_cache_of(what->variant),
                             .heads_first = heads_first(what, side),
                             .swizzled = what->swizzle && side == 1,
                             .heads = what->heads,
                             .head_size = what->sizes[side],
                             .block_size = what->block_size};
  float v[16];
  for (int i = 0; i < 16; ++i) {
    v[i] = flash_element(&call->operands[OF_KEY + side], kvf_scalar_of(what->variant), token, head,
                         16 * group + i, 0);
  }
  flash_put_nvfp4(&pages, v, scale_of(what, side, head), block, offset, head, group);
}

static void expect_tokens(const op_call *call, const page_case *what) {
  for (int64_t token = 0; token < what->tokens; ++token) {
    int64_t block;
    int64_t offset;
    if (!flash_slot(&call->operands[OF_SLOTS], token, what->block_size, &block, &offset) ||
        block >= call->operands[OF_KEY_CACHE].view.shape[0]) {
      continue;
    }
    for (int side = 0; side < SIDES; ++side) {
      for (int64_t head = 0; head < what->heads; ++head) {
        for (int64_t group = 0; group < what->sizes[side] / 16; ++group) {
          expect_group(call, what, side, token, head, group, block, offset);
        }
      }
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_reshape_and_cache_flash_nvfp4(
      exec, values[OF_KEY].as.tensor, values[OF_VALUE].as.tensor,
      (DLTensor *)values[OF_KEY_CACHE].as.tensor, (DLTensor *)values[OF_VALUE_CACHE].as.tensor,
      values[OF_SLOTS].as.tensor, values[OF_STRING].as.string, values[OF_K_SCALE].as.tensor,
      values[OF_V_SCALE].as.tensor, values[OF_SWIZZLE].as.boolean,
      (DLTensor *)values[OF_K_BLOCKS].as.tensor, (DLTensor *)values[OF_V_BLOCKS].as.tensor, NULL);
}

typedef kvf_reshape_and_cache_flash_nvfp4_params page_params;

static page_params params_of(const op_call *call, const page_case *what) {
  const tensor *slots = &call->operands[OF_SLOTS].view;
  page_params params = {
      .key = operand_view(&call->operands[OF_KEY]),
      .value = operand_view(&call->operands[OF_VALUE]),
      .key_cache = operand_view(&call->operands[OF_KEY_CACHE]),
      .value_cache = operand_view(&call->operands[OF_VALUE_CACHE]),
      .k_scale = operand_view(&call->operands[OF_K_SCALE]),
      .v_scale = operand_view(&call->operands[OF_V_SCALE]),
      .slots = {.mapping = operand_view(&call->operands[OF_SLOTS]).data,
                .stride = slots->stride[0],
                .index_bytes = slots->dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = call->operands[OF_KEY_CACHE].view.shape[0],
                .block_size = what->block_size},
      .num_heads = (int32_t)what->heads,
      .head_size = (int32_t)what->sizes[0],
      .value_head_size = (int32_t)what->sizes[1],
      .swizzle_v_scales = what->swizzle,
      .vector_elements = -1,
  };
  kvf_view *pages[] = {&params.key_cache, &params.value_cache};
  kvf_view *scales[] = {&params.k_scale, &params.v_scale};
  kvf_view *blocks[] = {&params.k_block_scales, &params.v_block_scales};
  for (int side = 0; side < SIDES; ++side) {
    const int64_t row = what->sizes[side] / 2;
    const bool hnd = heads_first(what, side);
    if (is_separate(what)) {
      *blocks[side] = operand_view(&call->operands[OF_K_BLOCKS + side]);
    } else {
      pages[side]->stride[1] = hnd ? row : what->heads * row;
      pages[side]->stride[2] = hnd ? what->block_size * row : row;
      *blocks[side] = *pages[side];
      blocks[side]->data = (char *)pages[side]->data + what->block_size * what->heads * row;
      blocks[side]->stride[1] /= 8;
      blocks[side]->stride[2] /= 8;
    }
    if ((what->scales + side) % SCALES < HEAD_SCALES) {
      scales[side]->stride[0] = 0;
    }
  }
  return params;
}

static kvf_status invoke(op_call *call, const page_case *what) {
  if (what->entry != ENTRY_RAW) {
    return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
  }
  const page_params params = params_of(call, what);
  return kvf_launch_reshape_and_cache_flash_nvfp4(call->given_exec, what->variant, &params);
}

static bool run(const page_case *what, uint64_t faults) {
  char name[280];
  (void)snprintf(
      name, sizeof name,
      "%s heads=%d sizes=%d,%d block=%d tokens=%d layouts=%d,%d offsets=%d>%d slots=%d index=%d "
      "values=%d scales=%d swizzle=%d entry=%d exec=%d seed=%llu",
      what->variant->symbol, (int)what->heads, (int)what->sizes[0], (int)what->sizes[1],
      (int)what->block_size, (int)what->tokens, what->source_layout, what->layout, what->from,
      what->to, what->slots, what->index, what->values, what->scales, what->swizzle, what->entry,
      what->exec, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  if (faults > 0) {
    operand_put_index(&call.operands[OF_SLOTS], 0, 0,
                      call.operands[OF_KEY_CACHE].view.shape[0] * what->block_size);
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
  return (double)(heads_of[value[HEADS_]] * tokens_of[value[TOKENS_]] * sizes_of[value[SIZES_]][1]);
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
        .sizes = {TEST_COUNT(heads_of), TEST_COUNT(sizes_of), TEST_COUNT(block_sizes),
                  TEST_COUNT(tokens_of), PAGE_LAYOUTS, FLASH_LAYOUTS, TEST_COUNT(offsets),
                  TEST_COUNT(offsets), FLASH_SLOTS, 3, FLASH_VALUES, SCALES, 2, ENTRIES, 3},
        .cost = elements,
        .limit = (emulated ? 20e3 : 200e3) * (options.exhaustive ? 8 : 1),
    };
    uint64_t state = options.seed + (uint64_t)i;
    int count = 0;
    covering_row *rows = wanted(variant) ? covering_make(&plan, state, &count) : NULL;
    for (int row = 0, failures = 0; row < count && failures < 5; ++row) {
      const int *value = rows[row].value;
      const int64_t *sizes = sizes_of[value[SIZES_]];
      const int64_t block_size = block_sizes[value[BLOCK_]];
      failures +=
          !run(&(page_case){.variant = variant,
                            .heads = heads_of[value[HEADS_]],
                            .sizes = {sizes[0], sizes[1]},
                            .block_size = block_size,
                            .tokens = tokens_of[value[TOKENS_]],
                            .layout = value[CACHE_],
                            .source_layout = value[SOURCE_],
                            .from = offsets[value[FROM_]],
                            .to = offsets[value[TO_]],
                            .slots = value[SLOTS_],
                            .index = value[INDEX_],
                            .values = value[VALUES_],
                            .scales = value[SCALES_],
                            .swizzle = value[SWIZZLE_] && sizes[1] % 64 == 0 && block_size % 4 == 0,
                            .entry = value[ENTRY_],
                            .exec = value[EXEC_],
                            .seed = random_next(&state)},
               0);
    }
    free(rows);
  }
}

static page_case small_case(const kvf_variant *variant) {
  return (page_case){.variant = variant,
                     .heads = 2,
                     .sizes = {64, 64},
                     .block_size = 4,
                     .tokens = 5,
                     .slots = FLASH_NEIGHBOURS,
                     .scales = A_SCALE,
                     .seed = options.seed};
}

static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    if (wanted(&OP->variants[i])) {
      page_case what = small_case(&OP->variants[i]);
      what.tokens = options.backend == KVF_CPU ? 2049 : 65;
      what.heads = 8;
      what.sizes[0] = what.sizes[1] = 128;
      what.block_size = 16;
      what.swizzle = true;
      (void)run(&what, 0);
    }
  }
}

static void test_out_of_range(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    if (wanted(&OP->variants[i])) {
      page_case what = small_case(&OP->variants[i]);
      what.heads = 80;
      (void)run(&what, 1);
    }
  }
}

/* ---- golden pages
 * ---------------------------------------------------------------------------------- */

#define GOLDEN(name, ...) static const uint8_t golden_##name[] = {__VA_ARGS__};
#include "golden/nvfp4_page.txt"
#undef GOLDEN

static void run_golden(const kvf_variant *variant, int layout, bool swizzle, const uint8_t *page) {
  static const int64_t slots[] = {6, 4, 7, 5};
  const page_case what = {.variant = variant,
                          .heads = 2,
                          .sizes = {64, 64},
                          .block_size = 4,
                          .tokens = 4,
                          .layout = layout,
                          .swizzle = swizzle};
  op_call call;
  build(&call, &what);
  const float scales[SIDES] = {0.0625f, 0.1f};
  const uint8_t *sources[SIDES] = {golden_key, golden_value};
  for (int side = 0; side < SIDES; ++side) {
    memcpy(operand_at(&call.operands[OF_K_SCALE + side], 0, 0, 0, 0), &scales[side], 4);
    for (int i = 0; i < 4 * 2 * 64; ++i) {
      memcpy(operand_at(&call.operands[OF_KEY + side], i / 128, i / 64 % 2, i % 64, 0),
             sources[side] + 2 * i, 2);
    }
    call.values[OF_SWIZZLE].as.boolean = swizzle;
  }
  for (int token = 0; token < 4; ++token) {
    operand_put_index(&call.operands[OF_SLOTS], token, 0, slots[token]);
  }
  /* A per-head shape would take scales of its own; one scale each, as in the file. */
  for (int side = 0; side < SIDES; ++side) {
    call.operands[OF_K_SCALE + side].view.shape[0] = 1;
  }
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = op_call_invoke(&call, typed);
  (void)expect_done(options.backend, status, before, 0, "golden page");
  memcpy(operand_at(&call.operands[OF_KEY_CACHE], 1, 0, 0, 0), page, sizeof golden_nhd_linear);
  (void)op_call_verify(&call, swizzle ? "golden page, swizzled" : "golden page");
  op_call_free(&call);
  count_case(variant);
}

static void test_golden(void) {
  if (!need_backend()) {
    return;
  }
  static const struct {
    kvf_dtype cache;
    int layout;
    bool swizzle;
    const uint8_t *page;
  } pages[] = {{KVF_NVFP4, PACKED_NHD, false, golden_nhd_linear},
               {KVF_NVFP4, PACKED_NHD, true, golden_nhd_swizzled},
               {KVF_NVFP4, PACKED_HND, false, golden_hnd_linear},
               {KVF_NVFP4, PACKED_HND, true, golden_hnd_swizzled},
               {KVF_NVFP4_4OVER6, PACKED_NHD, false, golden_nhd_linear_4over6},
               {KVF_NVFP4_4OVER6, PACKED_NHD, true, golden_nhd_swizzled_4over6},
               {KVF_NVFP4_4OVER6, PACKED_HND, false, golden_hnd_linear_4over6},
               {KVF_NVFP4_4OVER6, PACKED_HND, true, golden_hnd_swizzled_4over6}};
  for (int i = 0; i < (int)TEST_COUNT(pages); ++i) {
    const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, pages[i].cache);
    if (variant == NULL) {
      skip_part("bf16 with %s is not built", kvf_dtype_name(pages[i].cache));
    } else {
      run_golden(variant, pages[i].layout, pages[i].swizzle, pages[i].page);
    }
  }
}

/* Pages that lie beyond 2^31 bytes. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_NVFP4);
  if (variant == NULL) {
    skip_test("f32 with nvfp4 is not built");
    return;
  }
  const int64_t far = (INT64_C(1) << 31) + 64;
  enum { FAR_KEY, FAR_CACHE, FAR_OTHERS, FAR_REGIONS };
  region memory[FAR_REGIONS];
  bool made = true;
  for (int i = 0; i < FAR_REGIONS; ++i) {
    made = region_make(&memory[i], options.backend, made ? (size_t)(5 * far) : 0) && made;
  }
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    const struct {
      int64_t slots[2];
      float scale;
    } others = {{1, 0}, 1.0f};
    region_put(&memory[FAR_OTHERS], 0, &others, sizeof others);
    const float row[16] = {6, -6, 3, 0.5f};
    region_put(&memory[FAR_KEY], 4 * far, row, sizeof row);
    const kvf_view source = {.data = memory[FAR_KEY].place, .stride = {far, 16, 1}};
    const kvf_view scale = {.data = memory[FAR_OTHERS].place + sizeof others.slots};
    const page_params params = {
        .key = source,
        .value = source,
        .key_cache = {.data = memory[FAR_CACHE].place + far, .stride = {far, 8, 8}},
        .value_cache = {.data = memory[FAR_CACHE].place + far + 16, .stride = {far, 8, 8}},
        .k_block_scales = {.data = memory[FAR_CACHE].place + far + 8, .stride = {far, 1, 1}},
        .v_block_scales = {.data = memory[FAR_CACHE].place + far + 24, .stride = {far, 1, 1}},
        .k_scale = scale,
        .v_scale = scale,
        .slots = {.mapping = memory[FAR_OTHERS].place,
                  .stride = 1,
                  .index_bytes = 8,
                  .num_tokens = 2,
                  .num_blocks = 2,
                  .block_size = 1},
        .num_heads = 1,
        .head_size = 16,
        .value_head_size = 16,
    };
    const kvf_status status = kvf_launch_reshape_and_cache_flash_nvfp4(NULL, variant, &params);
    (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far pages");
    for (int side = 0; side < SIDES; ++side) {
      static const uint8_t want[] = {0xF7, 0x15, 0, 0, 0, 0, 0, 0, 0x38};
      uint8_t got[sizeof want];
      region_get(&memory[FAR_CACHE], far + 16 * side, got, sizeof got);
      EXPECT(memcmp(got, want, sizeof want) == 0, "far page: %02X %02X, scale %02X", got[0], got[1],
             got[8]);
    }
    count_case(variant);
  }
  for (int i = 0; i < FAR_REGIONS; ++i) {
    region_free(&memory[i]);
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE_ KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no key", ON_BOTH, "key", SPOIL_NULL, 0, 0, NULL, VALUE_, "key", "NULL", "want a tensor"},
  {"no v_scale", ON_BOTH, "v_scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "v_scale", "NULL", "want a tensor"},
  {"no value_cache", ON_BOTH, "value_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "value_cache", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "nvfp4"},
  {"key_cache of rank 5", ON_BOTH, "key_cache", SPOIL_RANK, 0, 5, NULL, VALUE_, "key_cache", "rank is 5", "want 4"},
  {"too few rows", ON_BOTH, "key", SPOIL_SIZE, 0, 4, NULL, VALUE_, "key", "has 4 rows", "want at least 5"},
  {"heads of value", ON_BOTH, "value", SPOIL_SIZE, 1, 3, NULL, VALUE_, "value", "(num_heads) is 3", "want 2 as in key"},
  {"width of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 32, NULL, VALUE_, "key_cache", "(head_size / 2 + head_size / 16) is 32", "want 36 as in key"},
  {"width of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 3, 72, NULL, VALUE_, "value_cache", "(head_size / 2 + head_size / 16) is 72", "want 36 as in value"},
  {"heads of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 2, 1, NULL, VALUE_, "value_cache", "(num_heads) is 1", "want 2"},
  {"tokens of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 1, 8, NULL, VALUE_, "value_cache", "(block_size) is 8", "want 4 as in key_cache"},
  {"key_cache is int8", ON_BOTH, "key_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE_, "key_cache", "dtype is int8", "want uint8"},
  {"k_scale is float64", ON_BOTH, "k_scale", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE_, "k_scale", "dtype is float64", "want float32"},
  {"a gap behind a head", ON_BOTH, "key_cache", SPOIL_STRIDE, 2, 40, NULL, VALUE_, "key_cache", "are 72, 40, 1", "want 72, 36, 1 (NHD) or 36, 144, 1 (HND)"},
  {"a gap behind a token", ON_BOTH, "value_cache", SPOIL_STRIDE, 1, 80, NULL, VALUE_, "value_cache", "are 80, 36, 1", "pages without gaps"},
  {"bytes with a stride", ON_BOTH, "key_cache", SPOIL_STRIDE, 3, 2, NULL, VALUE_, "key_cache", "are 72, 36, 2", "pages without gaps"},
  {"pages overlap", ON_BOTH, "key_cache", SPOIL_STRIDE, 0, 287, NULL, VALUE_, "key_cache", "(num_blocks) is 287", "want 288 or more"},
  {"value_cache elsewhere", ON_CPU, "value_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE_, "value_cache", "on CUDA device 0", "want the CPU"},
  {"value_cache on the CPU", ON_CUDA, "value_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE_, "value_cache", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "key_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "key_cache", "data is NULL", "want an address"},
  {"slot beyond the cache", ON_CPU, "slot_mapping", SPOIL_INDEX, 3, 16, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 3 is 16", "want less than 16"},
};

static const bad_argument bad_separate[] = {
  {"no v_block_scales", ON_BOTH, "v_block_scales", SPOIL_NULL, 0, 0, NULL, VALUE_, "v_block_scales", "NULL", "want a tensor"},
  {"no k_block_scales", ON_BOTH, "k_block_scales", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_block_scales", "NULL", "want a tensor"},
  {"width of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 36, NULL, VALUE_, "key_cache", "(head_size / 2) is 36", "want 32 as in key"},
  {"groups", ON_BOTH, "v_block_scales", SPOIL_SIZE, 3, 8, NULL, VALUE_, "v_block_scales", "(head_size / 16) is 8", "want 4 as in value"},
  {"tokens", ON_BOTH, "k_block_scales", SPOIL_SIZE, 1, 8, NULL, VALUE_, "k_block_scales", "(block_size) is 8", "want 4 as in key_cache"},
  {"codes with a stride", ON_BOTH, "value_cache", SPOIL_STRIDE, 3, 2, NULL, VALUE_, "value_cache", "(head_size / 2) is 2", "want 1"},
  {"scales with a stride", ON_BOTH, "k_block_scales", SPOIL_STRIDE, 3, 2, NULL, VALUE_, "k_block_scales", "(head_size / 16) is 2", "want 1"},
  {"scales are float32", ON_BOTH, "k_block_scales", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE_, "k_block_scales", "dtype is float32", "want float8_e4m3fn or uint8"},
};
/* clang-format on */

/* A call that differs from the small one in its sizes, and is refused. */
static void expect_sizes_refused(const page_case *what, const char *part, const char *other) {
  op_call call;
  build(&call, what);
  op_call_upload(&call);
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), part);
  EXPECT_TEXT(kvf_last_error(), other);
  const page_params params = params_of(&call, what);
  EXPECT_STATUS(kvf_launch_reshape_and_cache_flash_nvfp4(NULL, what->variant, &params),
                KVF_INVALID_VALUE);
  (void)op_call_verify(&call, part);
  op_call_free(&call);
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_NVFP4);
  if (variant == NULL) {
    skip_test("f32 with nvfp4 is not built");
    return;
  }
  const page_case small = small_case(variant);
  op_call_test_overlap(build, &small, typed, "key_cache", "key");
  op_call_test_overlap(build, &small, typed, "key_cache", "value");
  op_call_test_overlap(build, &small, typed, "value_cache", "key");
  op_call_test_overlap(build, &small, typed, "value_cache", "value");
  op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
  page_case separate = small;
  separate.layout = SEPARATE_NHD;
  op_call_test_bad(build, &separate, typed, bad_separate, TEST_COUNT(bad_separate));
  op_call_test_overlap(build, &separate, typed, "k_block_scales", "key_cache");
  op_call_test_overlap(build, &separate, typed, "v_block_scales", "value");
  op_call_test_scales(build, &small, typed, "k_scale", true);
  op_call_test_scales(build, &small, typed, "v_scale", true);
  page_case what = small;
  what.sizes[0] = 72;
  expect_sizes_refused(&what, "key: head_size is 72", "want a multiple of 16");
  what.sizes[0] = 80;
  what.sizes[1] = 72;
  expect_sizes_refused(&what, "value: head_size is 72", "want a multiple of 16");
  what.sizes[1] = 80;
  what.swizzle = true;
  expect_sizes_refused(&what, "swizzle_v_scales: head_size is 80", "want a multiple of 64");
  what.sizes[1] = 64;
  what.block_size = 6;
  expect_sizes_refused(&what, "swizzle_v_scales: block_size is 6", "want a multiple of 4");
  op_call call;
  build(&call, &small);
  call.values[OF_STRING].as.string = "auto";
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_UNSUPPORTED);
  EXPECT_TEXT(kvf_last_error(), "no variant for scalar dtype f32 with cache dtype f32");
  op_call_free(&call);
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, KVF_NVFP4);
  if (variant == NULL) {
    skip_test("bf16 with nvfp4 is not built");
    return;
  }
  const page_case what = small_case(variant);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  const page_params good = params_of(&call, &what);
  static const char *const members[] = {
      "key",     "value",          "key_cache",      "value_cache",  "k_scale",
      "v_scale", "k_block_scales", "v_block_scales", "slot_mapping", "num_heads"};
  for (int i = 0; i < (int)TEST_COUNT(members); ++i) {
    page_params params = good;
    void **const pointers[] = {&params.key.data,
                               &params.value.data,
                               &params.key_cache.data,
                               &params.value_cache.data,
                               &params.k_scale.data,
                               &params.v_scale.data,
                               &params.k_block_scales.data,
                               &params.v_block_scales.data};
    if (i < (int)TEST_COUNT(pointers)) {
      *pointers[i] = NULL;
    }
    params.slots.mapping = i == 8 ? NULL : params.slots.mapping;
    params.num_heads = i == 9 ? -1 : params.num_heads;
    EXPECT_STATUS(kvf_launch_reshape_and_cache_flash_nvfp4(NULL, variant, &params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), members[i]);
  }
  op_call_free(&call);
}

CU_TestInfo reshape_and_cache_flash_nvfp4_tests[] = {
    {"every pair of axis values", test_matrix},
    {"golden pages", test_golden},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
