/* gather_and_maybe_dequant_cache: rows of pages, decoded if they are fp8. */
#include <math.h>
#include <string.h>

#include "gather.h"
#include "oracle.h"

#define OP (&kvf_op_gather_and_maybe_dequant_cache)

enum { TOKEN_TO_SEQ = 4, NUM_TOKENS, KV_CACHE_DTYPE, SCALE };

static const int64_t entry_sizes[] = {576, 1, 7, 40, 64, 92, 320, 512};

static const float scales[] = {0.1f, 1.0f, 0.25f, 7e30f, 0x1p-126f, 3e38f, 1e-3f, 0.3f};
/* What the CPU refuses is IEEE arithmetic on CUDA. */
static const float wild[] = {0.1f, 1.0f, 0.25f, 7e30f, 0x1p-140f, 0.0f, -0.3f, INFINITY};

static bool copies(const kvf_variant *variant) {
  return kvf_scalar_of(variant) == kvf_cache_of(variant);
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_gather_and_maybe_dequant_cache(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[TOKEN_TO_SEQ].as.tensor, values[NUM_TOKENS].as.integer,
      values[KV_CACHE_DTYPE].as.string, values[SCALE].as.tensor, values[8].as.tensor);
}

static kvf_status raw(const op_call *call, const gather_case *what, const kvf_block_table *table) {
  const kvf_gather_and_maybe_dequant_cache_params params = {
      .src_cache = operand_view(&call->operands[0]),
      .dst = operand_view(&call->operands[1]),
      .table = *table,
      .num_rows = call->values[NUM_TOKENS].as.integer,
      .entry_size = (int32_t)what->entry_size,
      .scale =
          copies(what->variant) ? (kvf_view){.data = NULL} : operand_view(&call->operands[SCALE]),
      .token_to_seq = what->variety % 2 ? NULL : operand_view(&call->operands[TOKEN_TO_SEQ]).data,
      .rows_per_tile = -1,
      .tile_vectors = -1,
      .vector_elements = -1,
      .streaming = -1,
  };
  return kvf_launch_gather_and_maybe_dequant_cache(call->given_exec, what->variant, &params);
}

/* Hints are right, or partly or all wrong: what is gathered does not depend on them. */
static void make_hints(op_call *call, const gather_case *what, const gather_plan *plan) {
  const DLDataType int32 = {kDLInt, 32, 1};
  const int64_t size = plan->num_rows + (what->longer ? 2 : 0);
  operand_make(call, TOKEN_TO_SEQ, int32, 1, &size, (const int64_t[]){1}, 4, 0, what->seed + 7);
  for (int64_t row = 0; row < plan->num_rows; ++row) {
    const bool right = what->variety < 4 || (what->variety < 6 && row % 2);
    if (right) {
      operand_put_index(&call->operands[TOKEN_TO_SEQ], row, 0, plan->sequence[row]);
    } else if (what->variety == 7) {
      operand_put_index(&call->operands[TOKEN_TO_SEQ], row, 0, row % (plan->num_sequences + 1));
    }
  }
}

static void more(op_call *call, const gather_case *what, const gather_plan *plan) {
  static const char *const same[] = {
      [KVF_F32] = "float32", [KVF_F16] = "float16", [KVF_BF16] = "bfloat16"};
  const kvf_dtype cache = kvf_cache_of(what->variant);
  make_hints(call, what, plan);
  const int64_t one = 1;
  operand_make(call, SCALE, dl_dtype(KVF_F32), what->variety % 2, &one, (const int64_t[]){5}, 4, 0,
               1);
  const int choice = what->variety % (int)TEST_COUNT(scales);
  const float scale = options.backend == KVF_CUDA ? wild[choice] : scales[choice];
  memcpy(operand_at(&call->operands[SCALE], 0, 0, 0, 0), &scale, sizeof scale);
  const char *name = copies(what->variant) ? (what->variety % 2 ? "auto" : same[cache])
                     : cache == KVF_FP8_E4M3 && what->variety % 2 ? "fp8"
                                                                  : kvf_dtype_name(cache);
  call->values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = name};
  call->values[NUM_TOKENS] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = plan->num_rows};
}

static void expect_row(const op_call *call, const gather_case *what, const uint8_t *source,
                       uint8_t *dst) {
  const size_t bytes = (size_t)kvf_dtype_bits(kvf_scalar_of(what->variant)) / 8;
  if (copies(what->variant)) {
    memcpy(dst, source, (size_t)what->entry_size * bytes);
    return;
  }
  float scale;
  memcpy(&scale, operand_at(&call->operands[SCALE], 0, 0, 0, 0), sizeof scale);
  uint8_t result[256][4];
  for (int code = 0; code < 256; ++code) {
    /* A product of two floats is exact in double; it is rounded to f32, and then to the dtype. */
    const double product =
        oracle_fp8_value(kvf_cache_of(what->variant), (uint8_t)code) * (double)scale;
    oracle_round(kvf_scalar_of(what->variant), (double)(float)product, result[code]);
  }
  for (int64_t i = 0; i < what->entry_size; ++i) {
    memcpy(dst + (size_t)i * bytes, result[source[i]], bytes);
  }
}

static const gather_op op = {
    .op = OP,
    .typed = typed,
    .raw = raw,
    .entry_sizes = entry_sizes,
    .num_entry_sizes = TEST_COUNT(entry_sizes),
    .more = more,
    .expect = expect_row,
};

static void test_matrix(void) { gather_test_matrix(&op); }
static void test_large(void) { gather_test_large(&op); }
static void test_far(void) { gather_test_far(&op); }
static void test_out_of_range(void) { gather_test_out_of_range(&op); }

/* Fewer tokens than dst has rows: the rest stays as it is. */
static void test_fewer_tokens(void) {
  const kvf_variant *variant = gather_first_variant(&op);
  if (!need_backend() || variant == NULL) {
    return;
  }
  for (int64_t tokens = 0; tokens <= 12; tokens += 4) {
    gather_context context = gather_small(&op, variant);
    context.what.starts = STARTS_NONE;
    op_call call;
    gather_build_small(&call, &context);
    call.values[NUM_TOKENS].as.integer = tokens;
    op_call_upload(&call);
    for (int64_t row = 0; row < tokens; ++row) {
      static const int table[] = {5, 1, 0, 2};
      const int64_t position = row < 5 ? row : row - 5;
      const int page = table[(row < 5 ? 0 : 2) + position / 4];
      expect_row(&call, &context.what, operand_at(&call.operands[0], page, position % 4, 0, 0),
                 operand_at(&call.operands[1], row, 0, 0, 0));
    }
    const uint64_t before = faults_before(options.backend);
    const kvf_status status = op_call_invoke(&call, typed);
    (void)expect_done(options.backend, status, before, 0, "fewer tokens");
    (void)op_call_verify(&call, "fewer tokens");
    op_call_free(&call);
    count_case(variant);
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no src_cache", ON_BOTH, "src_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "src_cache", "NULL", "want a tensor"},
  {"no dst", ON_BOTH, "dst", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_, "block_table", "NULL", "want a tensor"},
  {"no cu_seq_lens", ON_BOTH, "cu_seq_lens", SPOIL_NULL, 0, 0, NULL, VALUE_, "cu_seq_lens", "NULL", "want a tensor"},
  {"no token_to_seq", ON_BOTH, "token_to_seq", SPOIL_NULL, 0, 0, NULL, VALUE_, "token_to_seq", "NULL", "want a tensor"},
  {"no scale", ON_BOTH, "scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "scale", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "want one of"},
  {"int4", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "int4", VALUE_, "kv_cache_dtype", "'int4'", "want one of"},
  {"src_cache of rank 4", ON_BOTH, "src_cache", SPOIL_RANK, 0, 4, NULL, VALUE_, "src_cache", "rank is 4", "want 3"},
  {"dst of rank 1", ON_BOTH, "dst", SPOIL_RANK, 0, 1, NULL, VALUE_, "dst", "rank is 1", "want 2"},
  {"size of src_cache", ON_BOTH, "src_cache", SPOIL_SIZE, 2, 575, NULL, VALUE_, "src_cache", "(entry_size) is 575", "want 576 as in dst"},
  {"stride of src_cache", ON_BOTH, "src_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "src_cache", "stride of dimension 2 (entry_size) is 2", "want 1"},
  {"stride of dst", ON_BOTH, "dst", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "dst", "stride of dimension 1 (entry_size) is 2", "want 1"},
  {"overlapping dst", ON_BOTH, "dst", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "dst", "(num_rows) is 0", "do not overlap"},
  {"dst is uint8", ON_BOTH, "dst", SPOIL_DTYPE, kDLUInt, 8, NULL, TYPE, "dst", "uint8", "want float32, float16, bfloat16"},
  {"src_cache is int8", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "src_cache", "dtype is int8", "want"},
  {"token_to_seq is int64", ON_BOTH, "token_to_seq", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "token_to_seq", "int64", "want int32"},
  {"strided token_to_seq", ON_BOTH, "token_to_seq", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "token_to_seq", "is 2", "want 1"},
  {"short token_to_seq", ON_BOTH, "token_to_seq", SPOIL_SIZE, 0, 11, NULL, VALUE_, "token_to_seq", "has 11 rows", "at least 12 (num_tokens)"},
  {"more tokens than rows", ON_BOTH, "num_tokens", SPOIL_INT, 0, 13, NULL, VALUE_, "dst", "has 12 rows", "at least 13 (num_tokens)"},
  {"negative num_tokens", ON_BOTH, "num_tokens", SPOIL_INT, 0, -1, NULL, VALUE_, "num_tokens", "got -1", "want 0"},
  {"too many tokens", ON_BOTH, "num_tokens", SPOIL_INT, 0, INT64_C(1) << 31, NULL, VALUE_, "num_tokens", "got 2147483648", "want 0 to"},
  {"scale is f64", ON_BOTH, "scale", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "scale", "float64", "want float32"},
  {"short cu_seq_lens", ON_BOTH, "block_table", SPOIL_SIZE, 0, 2, NULL, VALUE_, "cu_seq_lens", "(num_sequences + 1) is 4", "want 3"},
  {"short seq_starts", ON_BOTH, "seq_starts", SPOIL_SIZE, 0, 2, NULL, VALUE_, "seq_starts", "(num_sequences) is 2", "want 3"},
  {"empty cu_seq_lens", ON_BOTH, "cu_seq_lens", SPOIL_SIZE, 0, 0, NULL, VALUE_, "cu_seq_lens", "is 0", "want 4"},
  {"dst on the CPU", ON_CUDA, "dst", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "src_cache", "is on CUDA device 0", "want the CPU (as dst)"},
  {"src_cache on CUDA", ON_CPU, "src_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "src_cache", "on CUDA device 0", "want the CPU"},
  {"no address", ON_BOTH, "dst", SPOIL_DATA, 0, 0, NULL, VALUE_, "dst", "data is NULL", "want an address"},
  {"descending cu_seq_lens", ON_CPU, "cu_seq_lens", SPOIL_INDEX, 2, 4, NULL, VALUE_, "cu_seq_lens", "are 5 and 4", "ascending"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    if (variant->backend != options.backend || !kvf_variant_built(variant)) {
      continue;
    }
    const gather_context context = gather_small(&op, variant);
    op_call_test_overlap(gather_build_small, &context, typed, "dst", "src_cache");
    op_call_test_scales(gather_build_small, &context, typed, "scale", !copies(variant));
    if (kvf_cache_of(variant) == KVF_FP8_E4M3) {
      op_call_test_bad(gather_build_small, &context, typed, bad, TEST_COUNT(bad));
    }
  }
}

static void test_bad_params(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, KVF_FP8_E4M3);
  if (!need_backend() || variant == NULL) {
    return;
  }
  static int32_t numbers[4];
  char address[16];
  const kvf_view view = {.data = address, .stride = {16, 16, 1}};
  const kvf_gather_and_maybe_dequant_cache_params good = {.src_cache = view,
                                                          .dst = view,
                                                          .scale = view,
                                                          .num_rows = 1,
                                                          .entry_size = 16,
                                                          .table = {.entries = numbers,
                                                                    .index_bytes = 4,
                                                                    .stride = 1,
                                                                    .starts = numbers,
                                                                    .num_sequences = 1,
                                                                    .width = 1,
                                                                    .num_blocks = 1,
                                                                    .block_size = 1}};
  struct {
    kvf_gather_and_maybe_dequant_cache_params params;
    const char *member;
  } rows[] = {{good, "src_cache"},  {good, "dst"},        {good, "num_rows"},
              {good, "entry_size"}, {good, "block_size"}, {good, "scale"}};
  rows[0].params.src_cache.data = NULL;
  rows[1].params.dst.data = NULL;
  rows[2].params.num_rows = -1;
  rows[3].params.entry_size = -1;
  rows[4].params.table.block_size = 0;
  rows[5].params.scale.data = NULL;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_gather_and_maybe_dequant_cache(NULL, variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_gather_and_maybe_dequant_cache(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo gather_and_maybe_dequant_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"pages and rows beyond 2^31", test_far},
    {"indices out of range", test_out_of_range},
    {"fewer tokens than rows", test_fewer_tokens},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
