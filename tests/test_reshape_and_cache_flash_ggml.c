/* reshape_and_cache_flash_ggml: rows, bit for bit. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "flash.h"
#include "ggml.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_reshape_and_cache_flash_ggml)

enum { OF_KEY, OF_VALUE, OF_KEY_CACHE, OF_VALUE_CACHE, OF_SLOTS, OF_STRING };

static const int64_t heads_of[] = {1, 2, 3, 8, 40, 300};
static const int64_t sizes_of[][SIDES] = {{64, 64}, {128, 128}, {192, 128},
                                          {32, 96}, {576, 512}, {1024, 32}};
static const int64_t block_sizes[] = {1, 16, 17};
static const int64_t tokens_of[] = {0, 1, 19, 67};
static const int offsets[] = {0, 4, 8, 2, 1};

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
  ENTRY_,
  EXEC_,
  AXES_
};

typedef struct head_case {
  const kvf_variant *variant;
  int64_t heads;
  int64_t sizes[SIDES];
  int64_t block_size, tokens;
  int layout, source_layout;
  int from, to; /* address of element 0 mod 16, of the sources and of the caches */
  int slots, index, values, entry, exec;
  uint64_t seed;
} head_case;

/* The nearest case that rows have: bytes that lie one behind another. */
static head_case fitted(head_case what) {
  what.layout = what.layout == FLASH_STRIDED ? FLASH_PADDED_ALIGNED : what.layout;
  return what;
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
    flash_lay_out((what->source_layout + side) % FLASH_LAYOUTS, 3, source, stride);
    operand_make(call, OF_KEY + side, dl_dtype(kvf_scalar_of(variant)), 3, source, stride,
                 at_address(what->from, kvf_scalar_of(variant)), 0, seed);
    flash_fill(&call->operands[OF_KEY + side], kvf_scalar_of(variant), what->values, seed + 10);
    const int64_t width = ggml_bytes(kvf_cache_of(variant), what->sizes[side]);
    const int64_t cache[] = {pages, what->block_size, what->heads, width};
    flash_lay_out(what->layout, 4, cache, stride);
    operand_make(call, OF_KEY_CACHE + side, dl_dtype(kvf_cache_of(variant)), 4, cache, stride,
                 what->to, 64, seed + 20);
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

static void expect_head(const op_call *call, const head_case *what, int side, int64_t token,
                        int64_t head, int64_t block, int64_t offset) {
  const int64_t size = what->sizes[side];
  float *elements = malloc((size_t)size * sizeof *elements);
  for (int64_t d = 0; d < size; ++d) {
    elements[d] = flash_element(&call->operands[OF_KEY + side], kvf_scalar_of(what->variant), token,
                                head, d, 0);
  }
  ggml_encode(kvf_cache_of(what->variant),
              operand_at(&call->operands[OF_KEY_CACHE + side], block, offset, head, 0), elements,
              size);
  free(elements);
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
  return kvf_reshape_and_cache_flash_ggml(
      exec, values[OF_KEY].as.tensor, values[OF_VALUE].as.tensor,
      (DLTensor *)values[OF_KEY_CACHE].as.tensor, (DLTensor *)values[OF_VALUE_CACHE].as.tensor,
      values[OF_SLOTS].as.tensor, values[OF_STRING].as.string, NULL);
}

static kvf_reshape_and_cache_flash_ggml_params params_of(const op_call *call,
                                                         const head_case *what) {
  const tensor *slots = &call->operands[OF_SLOTS].view;
  return (kvf_reshape_and_cache_flash_ggml_params){
      .key = operand_view(&call->operands[OF_KEY]),
      .value = operand_view(&call->operands[OF_VALUE]),
      .key_cache = operand_view(&call->operands[OF_KEY_CACHE]),
      .value_cache = operand_view(&call->operands[OF_VALUE_CACHE]),
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
  const kvf_reshape_and_cache_flash_ggml_params params = params_of(call, what);
  return kvf_launch_reshape_and_cache_flash_ggml(call->given_exec, what->variant, &params);
}

static bool run(const head_case *wished, uint64_t faults) {
  const head_case fit = fitted(*wished);
  const head_case *what = &fit;
  char name[260];
  (void)snprintf(name, sizeof name,
                 "%s heads=%d sizes=%d,%d block=%d tokens=%d layouts=%d,%d offsets=%d>%d slots=%d "
                 "index=%d values=%d entry=%d exec=%d seed=%llu",
                 what->variant->symbol, (int)what->heads, (int)what->sizes[0], (int)what->sizes[1],
                 (int)what->block_size, (int)what->tokens, what->source_layout, what->layout,
                 what->from, what->to, what->slots, what->index, what->values, what->entry,
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
                  TEST_COUNT(tokens_of), FLASH_LAYOUTS, FLASH_LAYOUTS, TEST_COUNT(offsets),
                  TEST_COUNT(offsets), FLASH_SLOTS, 3, FLASH_VALUES, ENTRIES, 3},
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
                     .sizes = {64, 32},
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
      what.sizes[0] = what.sizes[1] = 32;
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
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_Q8_0);
  if (variant == NULL) {
    skip_test("f32 with q8_0 is not built");
    return;
  }
  const int64_t far = (INT64_C(1) << 31) + 64;
  region memory[OF_SLOTS];
  region slots;
  bool made = true;
  for (int i = 0; i < OF_SLOTS; ++i) {
    const int64_t bytes = i >= OF_KEY_CACHE ? 1 : 4;
    made = region_make(&memory[i], options.backend,
                       made ? (size_t)((far + 8 * FAR_SIZE) * bytes) : 0) &&
           made;
  }
  made = region_make(&slots, options.backend, 16) && made;
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    const int64_t slot_numbers[2] = {3, 0}; /* token 0 goes to block 1 */
    region_put(&slots, 0, slot_numbers, sizeof slot_numbers);
    uint8_t want[2][34];
    for (int token = 0; token < 2; ++token) {
      float row[FAR_SIZE];
      for (int i = 0; i < FAR_SIZE; ++i) {
        row[i] = (float)((token + 1) * (i - 20));
      }
      ggml_encode(KVF_Q8_0, want[token], row, FAR_SIZE);
      region_put(&memory[OF_KEY], token * far * 4, row, sizeof row);
      region_put(&memory[OF_VALUE], token * far * 4, row, sizeof row);
    }
    kvf_reshape_and_cache_flash_ggml_params params = {
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
    kvf_view *views[] = {&params.key, &params.value, &params.key_cache, &params.value_cache};
    for (int i = 0; i < OF_SLOTS; ++i) {
      const int64_t row = i >= OF_KEY_CACHE ? 34 : FAR_SIZE;
      *views[i] = (kvf_view){.data = memory[i].place, .stride = {far, row, row, 1}};
    }
    params.key.stride[2] = params.value.stride[2] = 1;
    const kvf_status status = kvf_launch_reshape_and_cache_flash_ggml(NULL, variant, &params);
    (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
    for (int side = 0; side < SIDES; ++side) {
      uint8_t got[34];
      region_get(&memory[OF_KEY_CACHE + side], far + 34, got, 34);
      EXPECT(memcmp(got, want[0], 34) == 0, "the row of a far block is wrong");
      region_get(&memory[OF_KEY_CACHE + side], 0, got, 34);
      EXPECT(memcmp(got, want[1], 34) == 0, "the row of a far token is wrong");
    }
    count_case(variant);
  }
  for (int i = 0; i < OF_SLOTS; ++i) {
    region_free(&memory[i]);
  }
  region_free(&slots);
}

/* Known bytes: what llama.cpp stores for (i - 16) / 8. */
static void test_known_bytes(void) {
  static const uint8_t q8_0[] = {0x08, 0x24, 0x81, 0x89, 0x91, 0x99, 0xA1, 0xA9, 0xB1,
                                 0xB9, 0xC0, 0xC8, 0xD0, 0xD8, 0xE0, 0xE8, 0xF0, 0xF8,
                                 0x00, 0x08, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x40,
                                 0x47, 0x4F, 0x57, 0x5F, 0x67, 0x6F, 0x77};
  static const uint8_t q4_0[] = {0x00, 0x34, 0x80, 0x91, 0x91, 0xA2, 0xA2, 0xB3, 0xB3,
                                 0xC4, 0xC4, 0xD5, 0xD5, 0xE6, 0xE6, 0xF7, 0xF7, 0xF8};
  if (!need_backend()) {
    return;
  }
  for (int format = 0; format < 2; ++format) {
    const kvf_dtype cache = format ? KVF_Q4_0 : KVF_Q8_0;
    const uint8_t *bytes = format ? q4_0 : q8_0;
    const size_t size = format ? sizeof q4_0 : sizeof q8_0;
    const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, cache);
    if (variant == NULL) {
      skip_part("f32 with %s is not built", kvf_dtype_name(cache));
      continue;
    }
    head_case what = {.variant = variant,
                      .heads = 1,
                      .sizes = {32, 32},
                      .block_size = 1,
                      .tokens = 1,
                      .slots = FLASH_NEIGHBOURS,
                      .seed = options.seed};
    op_call call;
    int64_t block;
    int64_t offset;
    build(&call, &what);
    (void)flash_slot(&call.operands[OF_SLOTS], 0, 1, &block, &offset);
    for (int side = 0; side < SIDES; ++side) {
      for (int i = 0; i < 32; ++i) {
        oracle_make(KVF_F32, (i - 16) / 8.0, operand_at(&call.operands[OF_KEY + side], 0, 0, i, 0));
      }
    }
    op_call_upload(&call);
    for (int side = 0; side < SIDES; ++side) {
      memcpy(operand_at(&call.operands[OF_KEY_CACHE + side], block, offset, 0, 0), bytes, size);
    }
    (void)expect_done(options.backend, invoke(&call, &what), faults_before(options.backend), 0,
                      "known bytes");
    (void)op_call_verify(&call, "known bytes");
    op_call_free(&call);
    count_case(variant);
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE_ KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no key", ON_BOTH, "key", SPOIL_NULL, 0, 0, NULL, VALUE_, "key", "NULL", "want a tensor"},
  {"no value_cache", ON_BOTH, "value_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "value_cache", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "q8_0"},
  {"unknown kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "q5_0", VALUE_, "kv_cache_dtype", "'q5_0'", "q4_0"},
  {"key of rank 2", ON_BOTH, "key", SPOIL_RANK, 0, 2, NULL, VALUE_, "key", "rank is 2", "want 3"},
  {"too few rows", ON_BOTH, "value", SPOIL_SIZE, 0, 4, NULL, VALUE_, "value", "has 4 rows", "want at least 5"},
  {"heads of value", ON_BOTH, "value", SPOIL_SIZE, 1, 3, NULL, VALUE_, "value", "(num_heads) is 3", "want 2 as in key"},
  {"no whole block", ON_BOTH, "value", SPOIL_SIZE, 2, 31, NULL, VALUE_, "value", "has 31 elements", "want a multiple of 32 (a block of q8_0)"},
  {"bytes of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 64, NULL, VALUE_, "key_cache", "(head_size / 32 * 34) is 64", "want 68 as in key"},
  {"gaps in value_cache", ON_BOTH, "value_cache", SPOIL_STRIDE, 3, 2, NULL, VALUE_, "value_cache", "stride of dimension 3 (head_size / 32 * 34) is 2", "want 1"},
  {"blocks of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 0, 3, NULL, VALUE_, "value_cache", "(num_blocks) is 3", "want 4 as in key_cache"},
  {"key is float64", ON_BOTH, "key", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE_, "key", "dtype is float64", "want float32, float16, bfloat16"},
  {"key_cache is int16", ON_BOTH, "key_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE_, "key_cache", "dtype is int16", "want uint8"},
  {"value_cache elsewhere", ON_CPU, "value_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE_, "value_cache", "on CUDA device 0", "want the CPU"},
  {"value_cache on the CPU", ON_CUDA, "value_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE_, "value_cache", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "key_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "key_cache", "data is NULL", "want an address"},
  {"slot beyond the cache", ON_CPU, "slot_mapping", SPOIL_INDEX, 3, 16, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 3 is 16", "want less than 16"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_Q8_0);
  if (variant == NULL) {
    skip_test("f32 with q8_0 is not built");
    return;
  }
  const head_case what = small_case(variant);
  op_call_test_overlap(build, &what, typed, "key_cache", "key");
  op_call_test_overlap(build, &what, typed, "key_cache", "value");
  op_call_test_overlap(build, &what, typed, "value_cache", "key");
  op_call_test_overlap(build, &what, typed, "value_cache", "value");
  op_call_test_bad(build, &what, typed, bad, TEST_COUNT(bad));
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
  typedef kvf_reshape_and_cache_flash_ggml_params head_params;
  const head_params good = params_of(&call, &what);
  struct {
    head_params params;
    const char *member;
  } rows[] = {{good, "key"},         {good, "value"},           {good, "key_cache"},
              {good, "value_cache"}, {good, "slot_mapping"},    {good, "num_heads"},
              {good, "head_size"},   {good, "value_head_size"}, {good, "value_head_size"},
              {good, "head_size"}};
  rows[0].params.key.data = NULL;
  rows[1].params.value.data = NULL;
  rows[2].params.key_cache.data = NULL;
  rows[3].params.value_cache.data = NULL;
  rows[4].params.slots.mapping = NULL;
  rows[5].params.num_heads = -1;
  rows[6].params.head_size = 0;
  rows[7].params.value_head_size = 0;
  rows[8].params.value_head_size = INT32_MAX / 32 * 32;
  rows[9].params.head_size = 48;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    const kvf_status status =
        kvf_launch_reshape_and_cache_flash_ggml(NULL, what.variant, &rows[i].params);
    EXPECT_STATUS(status, KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
  }
  op_call_free(&call);
}

CU_TestInfo reshape_and_cache_flash_ggml_tests[] = {
    {"every pair of axis values", test_matrix},
    {"known bytes", test_known_bytes},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
