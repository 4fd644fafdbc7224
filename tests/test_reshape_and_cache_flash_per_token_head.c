/* reshape_and_cache_flash_per_token_head: scales and codes, bit for bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "flash.h"
#include "int4.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_per_token_head)

enum {
  OF_KEY,
  OF_VALUE,
  OF_KEY_CACHE,
  OF_VALUE_CACHE,
  OF_K_SCALES,
  OF_V_SCALES,
  OF_SLOTS,
  OF_STRING
};

static const int64_t heads_of[] = {1, 2, 3, 8, 40, 300};
static const int64_t sizes_of[][SIDES] = {{64, 64}, {128, 128}, {192, 128}, {80, 80},
                                          {46, 30}, {1, 1},     {7, 256},   {576, 512},
                                          {48, 16}, {1040, 24}, {32, 1536}};
static const int64_t block_sizes[] = {1, 16, 17};
static const int64_t tokens_of[] = {0, 1, 19, 67};
static const int offsets[] = {0, 4, 8, 2, 1};

enum {
  HEADS_,
  SIZES_,
  BLOCK_,
  TOKENS_,
  CACHE_,
  SCALES_,
  SOURCE_,
  FROM_,
  TO_,
  SLOTS_,
  INDEX_,
  VALUES_,
  ENTRY_,
  EXEC_,
  AXES_
};

typedef struct head_case {
  const kvf_variant *variant;
  int64_t heads;
  int64_t sizes[SIDES];
  int64_t block_size, tokens;
  int layout, scale_layout, source_layout;
  bool aligned; /* the sources are padded to multiples of 16 elements, in place of source_layout */
  int from, to; /* address of element 0 mod 16, of the sources and of the caches */
  int slots, index, values, entry, exec;
  uint64_t seed;
} head_case;

static bool is_int4(const head_case *what) {
  return kvf_cache_of(what->variant) == KVF_INT4_PER_TOKEN_HEAD;
}

/* The nearest case that int4 has: pairs, and bytes that lie one behind another. */
static head_case fitted(head_case what) {
  if (is_int4(&what)) {
    for (int side = 0; side < SIDES; ++side) {
      what.sizes[side] += what.sizes[side] % 2;
    }
    what.layout = what.layout == FLASH_STRIDED ? FLASH_PADDED_ALIGNED : what.layout;
  }
  return what;
}

/* Whether scales lie behind the codes of their heads, in one tensor, which must suit both. */
static bool lies_inline(const head_case *what, int side) {
  return is_int4(what) && what->scale_layout == FLASH_STRIDED && what->to % 4 == 0 &&
         what->sizes[side] % 8 == 0;
}

/* [page, token, head, codes and the word]: of these bytes two views. */
static void build_inline(op_call *call, const head_case *what, int side, int64_t pages) {
  const int64_t codes = what->sizes[side] / 2;
  const int64_t room[] = {pages, what->block_size, what->heads, codes + 4};
  int64_t stride[4];
  lay_out(stride, room, what->layout == FLASH_HEADS_FIRST ? "0213" : "0123", 1, 0);
  operand_make(call, OF_KEY_CACHE + side, dl_dtype(KVF_INT4_PER_TOKEN_HEAD), 4, room, stride,
               what->to, 64, what->seed * 100 + (uint64_t)side + 20);
  call->operands[OF_KEY_CACHE + side].view.shape[3] = codes;
  for (int i = 0; i < 3; ++i) {
    stride[i] /= 4;
  }
  operand_share(call, OF_K_SCALES + side, OF_KEY_CACHE + side, codes, 3, room, stride);
  call->operands[OF_K_SCALES + side].view.dtype = dl_dtype(KVF_F32);
}

static int at_address(int offset, kvf_dtype dtype) {
  const int bytes = kvf_dtype_bits(dtype) / 8;
  return offset / bytes * bytes;
}

static void build(op_call *call, const void *context) {
  const head_case *what = context;
  const kvf_variant *variant = what->variant;
  *call = (op_call){.op = OP, .exec = {.backend = variant->backend}};
  if (what->exec > 0) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->exec;
    call->exec.stream = variant->backend == KVF_CUDA ? own_stream() : NULL;
  }
  const int64_t pages = (what->tokens + what->block_size - 1) / what->block_size + 2;
  int64_t stride[4];
  for (int side = 0; side < SIDES; ++side) {
    const uint64_t seed = what->seed * 100 + (uint64_t)side;
    const int64_t source[] = {what->tokens + 2, what->heads, what->sizes[side]};
    flash_lay_out(what->aligned ? FLASH_PADDED_ALIGNED
                                : (what->source_layout + side) % FLASH_LAYOUTS,
                  3, source, stride);
    operand_make(call, OF_KEY + side, dl_dtype(kvf_scalar_of(variant)), 3, source, stride,
                 at_address(what->from, kvf_scalar_of(variant)), 0, seed);
    flash_fill(&call->operands[OF_KEY + side], kvf_scalar_of(variant), what->values, seed + 10);
    if (lies_inline(what, side)) {
      build_inline(call, what, side, pages);
      continue;
    }
    const int64_t width = what->sizes[side] / (is_int4(what) ? 2 : 1);
    const int64_t cache[] = {pages, what->block_size, what->heads, width};
    flash_lay_out(what->layout, 4, cache, stride);
    const DLDataType codes =
        what->exec == 1 ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(kvf_cache_of(variant));
    operand_make(call, OF_KEY_CACHE + side, codes, 4, cache, stride, what->to, 64, seed + 20);
    flash_lay_out(what->scale_layout, 3, cache, stride);
    operand_make(call, OF_K_SCALES + side, dl_dtype(KVF_F32), 3, cache, stride, 4 * side, 32,
                 seed + 30);
  }
  const bool wide = what->index != 1;
  const int64_t step[] = {what->index == 2 ? 3 : 1};
  operand_make(call, OF_SLOTS, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 1, &what->tokens, step, 8,
               0, what->seed + 40);
  flash_fill_slots(&call->operands[OF_SLOTS], what->slots, pages * what->block_size,
                   what->seed + 41);
  call->values[OF_STRING] =
      (kvf_value){.kind = KVF_KIND_STRING, .as.string = kvf_dtype_name(kvf_cache_of(variant))};
}

static void expect_int4_head(const op_call *call, const head_case *what, int side, int64_t token,
                             int64_t head, int64_t block, int64_t offset) {
  const int64_t size = what->sizes[side];
  float *stored = malloc((size_t)size * sizeof *stored);
  uint8_t *codes = malloc((size_t)size);
  for (int64_t d = 0; d < size; ++d) {
    stored[d] = flash_element(&call->operands[OF_KEY + side], kvf_scalar_of(what->variant), token,
                              head, d, 0);
  }
  int4_rotate(stored, size, kvf_scalar_of(what->variant));
  const uint32_t word = int4_encode(codes, stored, size);
  memcpy(operand_at(&call->operands[OF_K_SCALES + side], block, offset, head, 0), &word, 4);
  uint8_t *to = operand_at(&call->operands[OF_KEY_CACHE + side], block, offset, head, 0);
  for (int64_t d = 0; d < size; ++d) {
    int4_put_code(to, d, codes[d]);
  }
  free(stored);
  free(codes);
}

static bool is_int8(const kvf_variant *variant) {
  return kvf_cache_of(variant) == KVF_INT8_PER_TOKEN_HEAD ||
         kvf_cache_of(variant) == KVF_INT8_PER_TOKEN_HEAD_EVEN;
}

static uint8_t code_of(const kvf_variant *variant, float value) {
  switch (kvf_cache_of(variant)) {
  case KVF_INT8_PER_TOKEN_HEAD:
    return (uint8_t)oracle_int8_away(value);
  case KVF_INT8_PER_TOKEN_HEAD_EVEN:
    return (uint8_t)oracle_int8(value);
  default:
    return oracle_fp8(KVF_FP8_E4M3, value);
  }
}

/* The formula, one f32 operation after another: each exact in double, then rounded once. */
static void expect_head(const op_call *call, const head_case *what, int side, int64_t token,
                        int64_t head, int64_t block, int64_t offset) {
  if (is_int4(what)) {
    expect_int4_head(call, what, side, token, head, block, offset);
    return;
  }
  const bool int8 = is_int8(what->variant);
  const operand *source = &call->operands[OF_KEY + side];
  float largest = 0;
  for (int64_t d = 0; d < what->sizes[side]; ++d) {
    const float v = flash_element(source, kvf_scalar_of(what->variant), token, head, d, 0);
    largest = fabsf(v) > largest ? fabsf(v) : largest;
  }
  const float quotient = (float)((double)largest / (int8 ? 127.0 : 448.0));
  const float scale = quotient > 1e-6f ? quotient : 1e-6f;
  const float inverse = (float)(1.0 / (double)scale);
  memcpy(operand_at(&call->operands[OF_K_SCALES + side], block, offset, head, 0), &scale, 4);
  for (int64_t d = 0; d < what->sizes[side]; ++d) {
    const float v = flash_element(source, kvf_scalar_of(what->variant), token, head, d, 0);
    const float product = (float)((double)v * (double)inverse);
    *operand_at(&call->operands[OF_KEY_CACHE + side], block, offset, head, d) =
        code_of(what->variant, product);
  }
}

static void expect_tokens(const op_call *call, const head_case *what) {
  for (int64_t token = 0; token < what->tokens; ++token) {
    int64_t block;
    int64_t offset;
    if (!flash_slot(&call->operands[OF_SLOTS], token, what->block_size, &block, &offset) ||
        block >= call->operands[OF_KEY_CACHE].view.shape[0]) {
      continue;
    }
    for (int side = 0; side < SIDES; ++side) {
      for (int64_t head = 0; head < what->heads; ++head) {
        expect_head(call, what, side, token, head, block, offset);
      }
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_reshape_and_cache_flash_per_token_head(
      exec, values[OF_KEY].as.tensor, values[OF_VALUE].as.tensor,
      (DLTensor *)values[OF_KEY_CACHE].as.tensor, (DLTensor *)values[OF_VALUE_CACHE].as.tensor,
      (DLTensor *)values[OF_K_SCALES].as.tensor, (DLTensor *)values[OF_V_SCALES].as.tensor,
      values[OF_SLOTS].as.tensor, values[OF_STRING].as.string, NULL);
}

static kvf_reshape_and_cache_flash_per_token_head_params params_of(const op_call *call,
                                                                   const head_case *what) {
  const tensor *slots = &call->operands[OF_SLOTS].view;
  return (kvf_reshape_and_cache_flash_per_token_head_params){
      .key = operand_view(&call->operands[OF_KEY]),
      .value = operand_view(&call->operands[OF_VALUE]),
      .key_cache = operand_view(&call->operands[OF_KEY_CACHE]),
      .value_cache = operand_view(&call->operands[OF_VALUE_CACHE]),
      .k_scale_cache = operand_view(&call->operands[OF_K_SCALES]),
      .v_scale_cache = operand_view(&call->operands[OF_V_SCALES]),
      .slots = {.mapping = operand_view(&call->operands[OF_SLOTS]).data,
                .stride = slots->stride[0],
                .index_bytes = slots->dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = call->operands[OF_KEY_CACHE].view.shape[0],
                .block_size = what->block_size},
      .num_heads = (int32_t)what->heads,
      .head_size = (int32_t)what->sizes[0],
      .value_head_size = (int32_t)what->sizes[1],
      .vector_elements = -1,
  };
}

static kvf_status invoke(op_call *call, const head_case *what) {
  if (what->entry != ENTRY_RAW) {
    return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
  }
  const kvf_reshape_and_cache_flash_per_token_head_params params = params_of(call, what);
  return kvf_launch_reshape_and_cache_flash_per_token_head(call->given_exec, what->variant,
                                                           &params);
}

static bool run(const head_case *wished, uint64_t faults) {
  const head_case fit = fitted(*wished);
  const head_case *what = &fit;
  char name[260];
  (void)snprintf(
      name, sizeof name,
      "%s heads=%d sizes=%d,%d block=%d tokens=%d layouts=%d,%d,%d offsets=%d>%d slots=%d "
      "index=%d values=%d entry=%d exec=%d seed=%llu",
      what->variant->symbol, (int)what->heads, (int)what->sizes[0], (int)what->sizes[1],
      (int)what->block_size, (int)what->tokens, what->source_layout, what->layout,
      what->scale_layout, what->from, what->to, what->slots, what->index, what->values, what->entry,
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
  return (double)(heads_of[value[HEADS_]] * tokens_of[value[TOKENS_]] *
                  (sizes_of[value[SIZES_]][0] + sizes_of[value[SIZES_]][1]));
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
                  TEST_COUNT(tokens_of), FLASH_LAYOUTS, FLASH_LAYOUTS, FLASH_LAYOUTS,
                  TEST_COUNT(offsets), TEST_COUNT(offsets), FLASH_SLOTS, 3, FLASH_VALUES, ENTRIES,
                  3},
        .cost = elements,
        .limit = (emulated ? 20e3 : 200e3) * (options.exhaustive ? 8 : 1),
    };
    uint64_t state = options.seed + (uint64_t)i;
    int count = 0;
    covering_row *rows = wanted(variant) ? covering_make(&plan, state, &count) : NULL;
    for (int row = 0, failures = 0; row < count && failures < 5; ++row) {
      const int *value = rows[row].value;
      const int64_t *sizes = sizes_of[value[SIZES_]];
      failures += !run(&(head_case){.variant = variant,
                                    .heads = heads_of[value[HEADS_]],
                                    .sizes = {sizes[0], sizes[1]},
                                    .block_size = block_sizes[value[BLOCK_]],
                                    .tokens = tokens_of[value[TOKENS_]],
                                    .layout = value[CACHE_],
                                    .scale_layout = value[SCALES_],
                                    .source_layout = value[SOURCE_],
                                    .from = offsets[value[FROM_]],
                                    .to = offsets[value[TO_]],
                                    .slots = value[SLOTS_],
                                    .index = value[INDEX_],
                                    .values = value[VALUES_],
                                    .entry = value[ENTRY_],
                                    .exec = value[EXEC_],
                                    .seed = random_next(&state)},
                       0);
    }
    free(rows);
  }
}

static head_case small_case(const kvf_variant *variant) {
  return (head_case){.variant = variant,
                     .heads = 2,
                     .sizes = {32, 16},
                     .block_size = 4,
                     .tokens = 5,
                     .slots = FLASH_NEIGHBOURS,
                     .seed = options.seed};
}

static const kvf_variant *any_variant(void) {
  for (int i = 0; i < OP->num_variants; ++i) {
    if (wanted(&OP->variants[i])) {
      return &OP->variants[i];
    }
  }
  return NULL;
}

/* More tokens than one thread takes, and more heads than the grid has columns for them. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    if (wanted(&OP->variants[i])) {
      head_case what = small_case(&OP->variants[i]);
      what.tokens = options.backend == KVF_CPU ? 2049 : 65;
      what.sizes[0] = what.sizes[1] = 128;
      (void)run(&what, 0);
      what = small_case(&OP->variants[i]);
      what.tokens = 1;
      what.heads = 70001;
      what.sizes[0] = what.sizes[1] = i % 2 ? 1 : 4;
      (void)run(&what, 0);
    }
  }
}

/* Codes of halves, and of what lies beside them, with a scale of 1. */
static void test_halves(void) {
  if (!need_backend()) {
    return;
  }
  enum { ELEMENTS = 12 };
  static const float key[ELEMENTS] = {127.0f, 0.5f,           1.5f,   2.5f,  -0.5f, -1.5f,
                                      -2.5f,  0x1.fffffep-2f, 126.5f, -0.0f, NAN,   -126.5f};
  static const int8_t away[ELEMENTS] = {127, 1, 2, 3, -1, -2, -3, 1, 127, 0, 0, -127};
  static const int8_t even[ELEMENTS] = {127, 0, 2, 2, 0, -2, -2, 0, 126, 0, 0, -126};
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    if (!wanted(variant) || !is_int8(variant) || kvf_scalar_of(variant) != KVF_F32) {
      continue;
    }
    head_case what = small_case(variant);
    what.heads = what.tokens = 1;
    what.sizes[0] = what.sizes[1] = ELEMENTS;
    op_call call;
    build(&call, &what);
    for (int side = 0; side < SIDES; ++side) {
      memcpy(operand_at(&call.operands[OF_KEY + side], 0, 0, 0, 0), key, sizeof key);
    }
    op_call_upload(&call);
    const uint64_t before = faults_before(options.backend);
    (void)expect_done(options.backend, invoke(&call, &what), before, 0, "halves");
    expect_tokens(&call, &what);
    (void)op_call_verify(&call, "halves");
    int64_t block;
    int64_t offset;
    (void)flash_slot(&call.operands[OF_SLOTS], 0, what.block_size, &block, &offset);
    EXPECT(memcmp(operand_at(&call.operands[OF_KEY_CACHE], block, offset, 0, 0),
                  kvf_cache_of(variant) == KVF_INT8_PER_TOKEN_HEAD ? away : even, ELEMENTS) == 0,
           "%s: the oracle has other codes", variant->symbol);
    op_call_free(&call);
    count_case(variant);
  }
}

/*
 * Pages as vLLM has them, [K codes | K scale | V codes | V scale] for each head of each token:
 * views of one memory, heads before tokens. Codes and scales are those of caches of their own.
 */
static void test_scales_inline(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    if (!wanted(variant)) {
      continue;
    }
    head_case what = small_case(variant);
    what.heads = 3;
    what.tokens = 67;
    what.block_size = 16;
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    expect_tokens(&call, &what);
    const int64_t pages = call.operands[OF_KEY_CACHE].view.shape[0];
    const int64_t row =
        call.operands[OF_KEY_CACHE].view.shape[3] + call.operands[OF_VALUE_CACHE].view.shape[3] + 8;
    const int64_t head = what.block_size * row;
    const int64_t page = what.heads * head;
    buffer pool = buffer_make(options.backend, (size_t)(pages * page), what.seed);
    buffer_upload(&pool);
    tensor views[2 * SIDES];
    int64_t start = 0;
    for (int side = 0; side < SIDES; ++side) {
      const operand *codes = &call.operands[OF_KEY_CACHE + side];
      views[side] = (tensor){.memory = &pool,
                             .start = start,
                             .dtype = codes->view.dtype,
                             .rank = 4,
                             .shape = {pages, what.block_size, what.heads, codes->view.shape[3]},
                             .stride = {page, row, head, 1}};
      start += codes->view.shape[3];
      views[SIDES + side] = (tensor){.memory = &pool,
                                     .start = start,
                                     .dtype = dl_dtype(KVF_F32),
                                     .rank = 3,
                                     .shape = {pages, what.block_size, what.heads},
                                     .stride = {page / 4, row / 4, head / 4}};
      start += 4;
    }
    for (int64_t token = 0; token < what.tokens; ++token) {
      int64_t block;
      int64_t offset;
      if (!flash_slot(&call.operands[OF_SLOTS], token, what.block_size, &block, &offset)) {
        continue;
      }
      for (int64_t h = 0; h < what.heads; ++h) {
        uint8_t *to = pool.expected + block * page + h * head + offset * row;
        for (int side = 0; side < SIDES; ++side) {
          const operand *codes = &call.operands[OF_KEY_CACHE + side];
          for (int64_t d = 0; d < codes->view.shape[3]; ++d) {
            *to++ = *operand_at(codes, block, offset, h, d);
          }
          memcpy(to, operand_at(&call.operands[OF_K_SCALES + side], block, offset, h, 0), 4);
          to += 4;
        }
      }
    }
    for (int side = 0; side < SIDES; ++side) {
      call.values[OF_KEY + side].as.tensor = tensor_dl(&call.operands[OF_KEY + side].view);
      call.values[OF_KEY_CACHE + side].as.tensor = tensor_dl(&views[side]);
      call.values[OF_K_SCALES + side].as.tensor = tensor_dl(&views[SIDES + side]);
    }
    call.values[OF_SLOTS].as.tensor = tensor_dl(&call.operands[OF_SLOTS].view);
    const uint64_t before = faults_before(options.backend);
    (void)expect_done(options.backend, typed(NULL, call.values), before, 0, "scales inline");
    uint8_t got = 0;
    const int64_t at = buffer_difference(&pool, &got);
    EXPECT(at < 0, "%s: scales inline: byte %lld is 0x%02X", variant->symbol, (long long)at, got);
    buffer_free(&pool);
    op_call_free(&call);
    count_case(variant);
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
      head_case what = small_case(&OP->variants[i]);
      what.layout = FLASH_PADDED_ALIGNED;
      what.aligned = true;
      what.sizes[0] = what.sizes[1] = sizes[k];
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
      head_case what = small_case(&OP->variants[i]);
      what.heads = 40;
      (void)run(&what, 1);
    }
  }
}

/* Blocks and rows that lie beyond 2^31 elements. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { FAR_SIZE = 32, FAR_BLOCK = 2 };
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_INT8_PER_TOKEN_HEAD);
  if (variant == NULL) {
    skip_test("f32 with int8_per_token_head is not built");
    return;
  }
  const int64_t far = (INT64_C(1) << 31) + 64;
  region memory[OF_SLOTS];
  bool made = true;
  for (int i = 0; i < OF_SLOTS; ++i) {
    const int64_t bytes = i >= OF_KEY_CACHE && i <= OF_VALUE_CACHE ? 1 : 4;
    made = region_make(&memory[i], options.backend,
                       made ? (size_t)((far + 4 * FAR_SIZE) * bytes) : 0) &&
           made;
  }
  region slots;
  made = region_make(&slots, options.backend, 16) && made;
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    const int64_t slot_numbers[2] = {3, 0}; /* token 0 goes to block 1 */
    region_put(&slots, 0, slot_numbers, sizeof slot_numbers);
    float row[FAR_SIZE];
    for (int token = 0; token < 2; ++token) {
      for (int i = 0; i < FAR_SIZE; ++i) {
        row[i] = (float)((token + 1) * (i - 127 + 95 * (i == 0)));
      }
      row[1] = (float)(-127 * (token + 1));
      region_put(&memory[OF_KEY], token * far * 4, row, sizeof row);
      region_put(&memory[OF_VALUE], token * far * 4, row, sizeof row);
    }
    kvf_reshape_and_cache_flash_per_token_head_params params = {
        .slots = {.mapping = slots.place,
                  .stride = 1,
                  .index_bytes = 8,
                  .num_tokens = 2,
                  .num_blocks = 2,
                  .block_size = FAR_BLOCK},
        .num_heads = 1,
        .head_size = FAR_SIZE,
        .value_head_size = FAR_SIZE,
    };
    kvf_view *views[] = {&params.key,         &params.value,         &params.key_cache,
                         &params.value_cache, &params.k_scale_cache, &params.v_scale_cache};
    for (int i = 0; i < OF_SLOTS; ++i) {
      *views[i] = (kvf_view){.data = memory[i].place, .stride = {far, FAR_SIZE, FAR_SIZE, 1}};
    }
    params.key.stride[2] = params.value.stride[2] = 1;
    const kvf_status status =
        kvf_launch_reshape_and_cache_flash_per_token_head(NULL, variant, &params);
    (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
    for (int side = 0; side < SIDES; ++side) {
      float scale = 0;
      int8_t code = 0;
      region_get(&memory[OF_K_SCALES + side], (far + FAR_SIZE) * 4, &scale, 4);
      region_get(&memory[OF_KEY_CACHE + side], far + FAR_SIZE + 1, &code, 1);
      EXPECT(scale == 1.0f && code == -127, "far block: scale %g, code %d", (double)scale, code);
      region_get(&memory[OF_K_SCALES + side], 0, &scale, 4);
      region_get(&memory[OF_KEY_CACHE + side], 1, &code, 1);
      EXPECT(scale == 2.0f && code == -127, "far row: scale %g, code %d", (double)scale, code);
    }
    count_case(variant);
  }
  for (int i = 0; i < OF_SLOTS; ++i) {
    region_free(&memory[i]);
  }
  region_free(&slots);
}

/* Known bytes: what other implementations store for 0, 1/8, ..., 15/8, and without a rotation. */
static void test_known_bytes(void) {
  static const float plain[] = {-1, -0.5f, 0, 0.25f, 0.5f, 1, 2, 2};
  static const uint8_t plain_codes[] = {0x30, 0x65, 0xA8, 0xFF};
  static const uint8_t rotated_codes[] = {0xF5, 0xD7, 0x0C, 0xE6, 0x26, 0x48, 0xFB, 0x37};
  uint8_t codes[8];
  EXPECT(int4_encode(codes, plain, 8) == 0x3E4CCCC5, "the word is 0x%08X",
         int4_encode(codes, plain, 8));
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT(codes[i] == int4_code(plain_codes, i), "code %d is %d", (int)i, codes[i]);
  }
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_INT4_PER_TOKEN_HEAD);
  if (variant == NULL) {
    skip_test("f32 with int4_per_token_head is not built");
    return;
  }
  const head_case what = {.variant = variant,
                          .heads = 1,
                          .sizes = {16, 16},
                          .block_size = 1,
                          .tokens = 1,
                          .slots = FLASH_NEIGHBOURS,
                          .seed = options.seed};
  op_call call;
  build(&call, &what);
  int64_t block;
  int64_t offset;
  (void)flash_slot(&call.operands[OF_SLOTS], 0, 1, &block, &offset);
  for (int side = 0; side < SIDES; ++side) {
    for (int i = 0; i < 16; ++i) {
      oracle_make(KVF_F32, i / 8.0, operand_at(&call.operands[OF_KEY + side], 0, 0, i, 0));
    }
    memset(operand_at(&call.operands[OF_KEY_CACHE + side], block, offset, 0, 0), 0xA5, 8);
  }
  op_call_upload(&call);
  for (int side = 0; side < SIDES; ++side) {
    const uint32_t word = 0x3F777778;
    memcpy(operand_at(&call.operands[OF_KEY_CACHE + side], block, offset, 0, 0), rotated_codes, 8);
    memcpy(operand_at(&call.operands[OF_K_SCALES + side], block, offset, 0, 0), &word, 4);
  }
  (void)expect_done(options.backend, invoke(&call, &what), faults_before(options.backend), 0,
                    "known bytes");
  (void)op_call_verify(&call, "known bytes");
  op_call_free(&call);
  count_case(variant);
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE_ KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no key", ON_BOTH, "key", SPOIL_NULL, 0, 0, NULL, VALUE_, "key", "NULL", "want a tensor"},
  {"no value", ON_BOTH, "value", SPOIL_NULL, 0, 0, NULL, VALUE_, "value", "NULL", "want a tensor"},
  {"no k_scale_cache", ON_BOTH, "k_scale_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_scale_cache", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "int8_per_token_head"},
  {"unknown kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "int8_per_token", VALUE_, "kv_cache_dtype", "'int8_per_token'", "fp8_per_token_head"},
  {"key of rank 2", ON_BOTH, "key", SPOIL_RANK, 0, 2, NULL, VALUE_, "key", "rank is 2", "want 3"},
  {"v_scale_cache of rank 4", ON_BOTH, "v_scale_cache", SPOIL_RANK, 0, 4, NULL, VALUE_, "v_scale_cache", "rank is 4", "want 3"},
  {"too few rows", ON_BOTH, "value", SPOIL_SIZE, 0, 4, NULL, VALUE_, "value", "has 4 rows", "want at least 5"},
  {"heads of value", ON_BOTH, "value", SPOIL_SIZE, 1, 3, NULL, VALUE_, "value", "(num_heads) is 3", "want 2 as in key"},
  {"elements of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 16, NULL, VALUE_, "key_cache", "(head_size) is 16", "want 32 as in key"},
  {"elements of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 3, 32, NULL, VALUE_, "value_cache", "(value_head_size) is 32", "want 16 as in value"},
  {"blocks of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 0, 3, NULL, VALUE_, "value_cache", "(num_blocks) is 3", "want 4 as in key_cache"},
  {"blocks of k_scale_cache", ON_BOTH, "k_scale_cache", SPOIL_SIZE, 0, 9, NULL, VALUE_, "k_scale_cache", "(num_blocks) is 9", "want 4 as in key_cache"},
  {"tokens of v_scale_cache", ON_BOTH, "v_scale_cache", SPOIL_SIZE, 1, 3, NULL, VALUE_, "v_scale_cache", "(block_size) is 3", "want 4 as in key_cache"},
  {"heads of v_scale_cache", ON_BOTH, "v_scale_cache", SPOIL_SIZE, 2, 1, NULL, VALUE_, "v_scale_cache", "(num_heads) is 1", "want 2 as in key"},
  {"key is float64", ON_BOTH, "key", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE_, "key", "dtype is float64", "want float32, float16, bfloat16"},
  {"value is another float", ON_BOTH, "value", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE_, "value", "dtype is float16", "want float32"},
  {"key_cache is int16", ON_BOTH, "key_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE_, "key_cache", "dtype is int16", "want int8 or uint8"},
  {"value_cache is fp8", ON_BOTH, "value_cache", SPOIL_DTYPE, kDLFloat8_e4m3fn, 8, NULL, TYPE_, "value_cache", "dtype is float8_e4m3fn", "want int8 or uint8"},
  {"k_scale_cache is float16", ON_BOTH, "k_scale_cache", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE_, "k_scale_cache", "dtype is float16", "want float32"},
  {"k_scale_cache overlaps", ON_BOTH, "k_scale_cache", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "k_scale_cache", "stride of dimension 1 (block_size) is 0", "do not overlap"},
  {"value_cache overlaps", ON_BOTH, "value_cache", SPOIL_STRIDE, 3, 0, NULL, VALUE_, "value_cache", "stride of dimension 3 (value_head_size) is 0", "do not overlap"},
  {"v_scale_cache elsewhere", ON_CPU, "v_scale_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE_, "v_scale_cache", "on CUDA device 0", "want the CPU"},
  {"v_scale_cache on the CPU", ON_CUDA, "v_scale_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE_, "v_scale_cache", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "k_scale_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "k_scale_cache", "data is NULL", "want an address"},
  {"odd address", ON_BOTH, "v_scale_cache", SPOIL_SHIFT, 0, 2, NULL, VALUE_, "v_scale_cache", "not a multiple", "4 bytes"},
  {"slot beyond the cache", ON_CPU, "slot_mapping", SPOIL_INDEX, 3, 16, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 3 is 16", "want less than 16"},
};
static const bad_argument bad_int4[] = {
  {"bytes of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 32, NULL, VALUE_, "key_cache", "(head_size / 2) is 32", "want 16 as in key"},
  {"gaps in value_cache", ON_BOTH, "value_cache", SPOIL_STRIDE, 3, 2, NULL, VALUE_, "value_cache", "stride of dimension 3 (head_size / 2) is 2", "want 1"},
  {"value_cache is int8", ON_BOTH, "value_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE_, "value_cache", "dtype is int8", "want uint8"},
  {"odd heads", ON_BOTH, "value", SPOIL_SIZE, 2, 15, NULL, VALUE_, "value", "has 15 elements", "want an even number"},
  {"long blocks", ON_BOTH, "key", SPOIL_SIZE, 2, 3072, NULL, VALUE_, "key", "has 3072 elements", "want no multiple of 1024"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_INT8_PER_TOKEN_HEAD);
  if (variant == NULL) {
    skip_test("f32 with int8_per_token_head is not built");
    return;
  }
  const head_case what = small_case(variant);
  op_call_test_overlap(build, &what, typed, "key_cache", "key");
  op_call_test_overlap(build, &what, typed, "key_cache", "value");
  op_call_test_overlap(build, &what, typed, "value_cache", "key");
  op_call_test_overlap(build, &what, typed, "value_cache", "value");
  op_call_test_overlap(build, &what, typed, "k_scale_cache", "key");
  op_call_test_overlap(build, &what, typed, "k_scale_cache", "value");
  op_call_test_overlap(build, &what, typed, "v_scale_cache", "key");
  op_call_test_overlap(build, &what, typed, "v_scale_cache", "value");
  op_call_test_overlap(build, &what, typed, "k_scale_cache", "key_cache");
  op_call_test_overlap(build, &what, typed, "v_scale_cache", "value_cache");
  op_call_test_overlap(build, &what, typed, "v_scale_cache", "key_cache");
  op_call_test_bad(build, &what, typed, bad, TEST_COUNT(bad));
  const head_case packed =
      small_case(kvf_select(OP, options.backend, KVF_F32, KVF_INT4_PER_TOKEN_HEAD));
  if (packed.variant != NULL) {
    op_call_test_bad(build, &packed, typed, bad_int4, TEST_COUNT(bad_int4));
  } else {
    skip_part("f32 with int4_per_token_head is not built");
  }
  op_call call;
  build(&call, &what);
  call.values[OF_STRING].as.string = "fp8";
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_UNSUPPORTED);
  EXPECT_TEXT(kvf_last_error(), "no variant for scalar dtype f32 with cache dtype fp8_e4m3");
  op_call_free(&call);
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend() || any_variant() == NULL) {
    return;
  }
  const head_case what = small_case(any_variant());
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  typedef kvf_reshape_and_cache_flash_per_token_head_params head_params;
  const head_params good = params_of(&call, &what);
  struct {
    head_params params;
    const char *member;
  } rows[] = {{good, "key"},
              {good, "value"},
              {good, "key_cache"},
              {good, "value_cache"},
              {good, "k_scale_cache"},
              {good, "v_scale_cache"},
              {good, "slot_mapping"},
              {good, "num_heads"},
              {good, "head_size"},
              {good, "value_head_size"},
              {good, "value_head_size"},
              {good, "head_size"}};
  rows[0].params.key.data = NULL;
  rows[1].params.value.data = NULL;
  rows[2].params.key_cache.data = NULL;
  rows[3].params.value_cache.data = NULL;
  rows[4].params.k_scale_cache.data = NULL;
  rows[5].params.v_scale_cache.data = NULL;
  rows[6].params.slots.mapping = NULL;
  rows[7].params.num_heads = -1;
  rows[8].params.head_size = 0;
  rows[9].params.value_head_size = 0;
  rows[10].params.value_head_size = INT32_MAX;
  rows[11].params.head_size = INT32_MAX;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    const kvf_status status =
        kvf_launch_reshape_and_cache_flash_per_token_head(NULL, what.variant, &rows[i].params);
    EXPECT_STATUS(status, KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
  }
  op_call_free(&call);
}

CU_TestInfo reshape_and_cache_flash_per_token_head_tests[] = {
    {"every pair of axis values", test_matrix},
    {"known bytes", test_known_bytes},
    {"codes of halves", test_halves},
    {"scales inline", test_scales_inline},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"heads that end inside a vector", test_padded},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
