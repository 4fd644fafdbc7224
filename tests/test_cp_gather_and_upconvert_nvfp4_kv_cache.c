/* cp_gather_and_upconvert_nvfp4_kv_cache: 352-byte rows of pages as floats. */
#include <math.h>
#include <string.h>

#include "gather.h"
#include "oracle.h"

#define OP (&kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache)

enum { LATENT = 512, ROPE = 64, BYTES = 352 };

static const int64_t entry_sizes[] = {BYTES};

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_and_upconvert_nvfp4_kv_cache(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, values[4].as.integer);
}

static kvf_status raw(const op_call *call, const gather_case *what, const kvf_block_table *table) {
  const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params params = {
      .src_cache = operand_view(&call->operands[0]),
      .dst = operand_view(&call->operands[1]),
      .table = *table,
      .num_rows = call->operands[1].view.shape[0],
      .rows_per_tile = -1,
      .tile_vectors = -1,
      .vector_elements = -1,
      .streaming = -1,
  };
  return kvf_launch_cp_gather_and_upconvert_nvfp4_kv_cache(call->given_exec, what->variant,
                                                           &params);
}

static void more(op_call *call, const gather_case *what, const gather_plan *plan) {
  (void)what;
  call->values[4] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = plan->num_sequences};
}

static double e2m1_value(int code) {
  static const double magnitudes[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  return code & 8 ? -magnitudes[code & 7] : magnitudes[code & 7];
}

static void expect_row(const op_call *call, const gather_case *what, const uint8_t *source,
                       uint8_t *dst) {
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const size_t bytes = (size_t)kvf_dtype_bits(scalar) / 8;
  (void)call;
  for (int i = 0; i < LATENT; ++i) {
    const int group = i / 16;
    const double scale = oracle_fp8_value(KVF_FP8_E4M3, source[320 + 8 * (group % 4) + group / 4]);
    const int code = i % 2 ? source[i / 2] >> 4 : source[i / 2] & 15;
    oracle_round(scalar, e2m1_value(code) * scale, dst + (size_t)i * bytes);
  }
  for (int i = 0; i < ROPE; ++i) {
    oracle_round(scalar, oracle_fp8_value(KVF_FP8_E4M3, source[256 + i]),
                 dst + (size_t)(LATENT + i) * bytes);
  }
}

static const gather_op op = {
    .op = OP,
    .typed = typed,
    .raw = raw,
    .workspace = true,
    .entry_sizes = entry_sizes,
    .num_entry_sizes = 1,
    .dst_elements = LATENT + ROPE,
    .more = more,
    .expect = expect_row,
};

static void test_matrix(void) { gather_test_matrix(&op); }
static void test_large(void) { gather_test_large(&op); }
static void test_far(void) { gather_test_far(&op); }
static void test_out_of_range(void) { gather_test_out_of_range(&op); }

/* ---- golden rows
 * ----------------------------------------------------------------------------------- */

#define GOLDEN(name, ...) static const uint8_t name[] = {__VA_ARGS__};
#include "golden/nvfp4_ds_mla.txt"
#include "golden/upconvert_nvfp4_ds_mla.txt"
#undef GOLDEN

/* Rows of one page, gathered in order: those given, as many as there are. */
static void build_rows(op_call *call, const kvf_variant *variant, const uint8_t *rows,
                       int64_t count) {
  gather_context context = gather_small(&op, variant);
  context.what.starts = STARTS_NONE;
  context.what.limits = LIMITS_NONE;
  gather_build_small(call, &context);
  /* The first sequence has the pages 5 and 1, of 4 rows each; the others begin behind it. */
  for (int64_t row = 0; row < count; ++row) {
    memcpy(operand_at(&call->operands[0], row < 4 ? 5 : 1, row % 4, 0, 0), rows + row * BYTES,
           BYTES);
  }
  for (int64_t b = 1; b < 3; ++b) {
    operand_put_index(&call->operands[3], b, 0, count);
  }
  call->operands[1].view.shape[0] = count;
  op_call_upload(call);
}

/* Rows whose floats were derived by other means than this test's oracle. */
static void test_golden(void) {
  static const struct {
    kvf_dtype scalar;
    const uint8_t *floats;
  } files[] = {{KVF_F32, upconvert_nvfp4_ds_mla_f32},
               {KVF_F16, upconvert_nvfp4_ds_mla_f16},
               {KVF_BF16, upconvert_nvfp4_ds_mla_bf16}};
  if (!need_backend()) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(files); ++i) {
    const kvf_variant *variant = kvf_select(OP, options.backend, files[i].scalar, KVF_NVFP4_DS_MLA);
    if (variant == NULL) {
      continue;
    }
    const int64_t count = sizeof upconvert_nvfp4_ds_mla_rows / BYTES;
    op_call call;
    build_rows(&call, variant, upconvert_nvfp4_ds_mla_rows, count);
    const uint64_t before = faults_before(options.backend);
    const kvf_status status = op_call_invoke(&call, typed);
    const size_t bytes = (LATENT + ROPE) * (size_t)kvf_dtype_bits(files[i].scalar) / 8;
    for (int64_t row = 0; row < count; ++row) {
      memcpy(operand_at(&call.operands[1], row, 0, 0, 0), files[i].floats + (size_t)row * bytes,
             bytes);
    }
    (void)expect_done(options.backend, status, before, 0, variant->symbol);
    (void)op_call_verify(&call, variant->symbol);
    op_call_free(&call);
    count_case(variant);
  }
}

/* What the writer's golden rows were made of comes back, to half a unit in the last place. */
static void test_round_trip(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_NVFP4_DS_MLA);
  if (!need_backend() || variant == NULL) {
    return;
  }
  const int64_t count = sizeof nvfp4_ds_mla_bf16_rows / BYTES;
  op_call call;
  build_rows(&call, variant, nvfp4_ds_mla_bf16_rows, count);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = op_call_invoke(&call, typed);
  const gather_case what = {.variant = variant};
  int compared = 0;
  for (int64_t row = 0; row < count; ++row) {
    const uint8_t *written = nvfp4_ds_mla_bf16_rows + row * BYTES;
    uint8_t *floats = operand_at(&call.operands[1], row, 0, 0, 0);
    expect_row(&call, &what, written, floats);
    for (int64_t i = 0; i < LATENT + ROPE; ++i) {
      const double source =
          oracle_value(KVF_BF16, nvfp4_ds_mla_bf16_sources + (row * (LATENT + ROPE) + i) * 2);
      const double got = oracle_value(KVF_F32, floats + 4 * i);
      const int64_t group = i / 16;
      const double scale =
          i < LATENT ? oracle_fp8_value(KVF_FP8_E4M3, written[320 + 8 * (group % 4) + group / 4])
                     : 1;
      /* What saturates is not to come back: 448 x 6 of the latent part, 448 of the rope part. */
      if (!isfinite(source) || fabs(source) > (i < LATENT ? 2688 : 448)) {
        continue;
      }
      /* E2M1 steps by half of a scale up to 2, by one up to 4, then by two; E4M3 by eighths. */
      const double most = i < LATENT ? scale * (fabs(source) <= 2 * scale   ? 0.2501
                                                : fabs(source) <= 4 * scale ? 0.5001
                                                                            : 1.0001)
                                     : fmax(fabs(source) * 0x1p-4, 0x1p-10);
      EXPECT(fabs(got - source) <= most, "row %d, element %d: %g became %g", (int)row, (int)i,
             source, got);
      ++compared;
    }
  }
  EXPECT(compared > 2000, "only %d elements were compared", compared);
  (void)expect_done(options.backend, status, before, 0, "round trip");
  (void)op_call_verify(&call, "round trip");
  op_call_free(&call);
  count_case(variant);
}

/* ---- bad arguments
 * ----------------------------------------------------------------------------------- */

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no src_cache", ON_BOTH, "src_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "src_cache", "NULL", "want a tensor"},
  {"no dst", ON_BOTH, "dst", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_, "block_table", "NULL", "want a tensor"},
  {"no workspace_starts", ON_BOTH, "workspace_starts", SPOIL_NULL, 0, 0, NULL, VALUE_, "workspace_starts", "NULL", "want a tensor"},
  {"src_cache of rank 2", ON_BOTH, "src_cache", SPOIL_RANK, 0, 2, NULL, VALUE_, "src_cache", "rank is 2", "want 3"},
  {"dst of rank 3", ON_BOTH, "dst", SPOIL_RANK, 0, 3, NULL, VALUE_, "dst", "rank is 3", "want 2"},
  {"576 bytes", ON_BOTH, "src_cache", SPOIL_SIZE, 2, 576, NULL, VALUE_, "src_cache", "(bytes of a row) is 576", "want 352"},
  {"512 elements", ON_BOTH, "dst", SPOIL_SIZE, 1, 512, NULL, VALUE_, "dst", "(elements of a row) is 512", "want 576"},
  {"stride of src_cache", ON_BOTH, "src_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "src_cache", "stride of dimension 2", "want 1"},
  {"stride of dst", ON_BOTH, "dst", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "dst", "stride of dimension 1", "want 1"},
  {"overlapping dst", ON_BOTH, "dst", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "dst", "(num_rows) is 0", "do not overlap"},
  {"src_cache is float8_e5m2", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLFloat8_e5m2, 8, NULL, TYPE, "src_cache", "float8_e5m2", "want uint8"},
  {"src_cache is int8", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "src_cache", "int8", "want uint8"},
  {"dst is float64", ON_BOTH, "dst", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "dst", "float64", "want float32, float16, bfloat16"},
  {"block_table is int16", ON_BOTH, "block_table", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "block_table", "int16", "want int32, int64"},
  {"workspace_starts is int64", ON_BOTH, "workspace_starts", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "workspace_starts", "int64", "want int32"},
  {"short workspace_starts", ON_BOTH, "workspace_starts", SPOIL_SIZE, 0, 2, NULL, VALUE_, "workspace_starts", "(num_sequences) is 2", "want 3"},
  {"strided workspace_starts", ON_BOTH, "workspace_starts", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "workspace_starts", "stride is 2", "want 1"},
  {"more sequences", ON_BOTH, "batch_size", SPOIL_INT, 0, 4, NULL, VALUE_, "block_table", "has 3 rows", "want at least 4 (batch_size)"},
  {"negative batch_size", ON_BOTH, "batch_size", SPOIL_INT, 0, -1, NULL, VALUE_, "batch_size", "got -1", "want 0 or more"},
  {"dst on the CPU", ON_CUDA, "dst", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "dst", "on the CPU", "want CUDA device 0"},
  {"dst on CUDA", ON_CPU, "dst", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "dst", "on CUDA device 0", "want the CPU"},
  {"no address", ON_BOTH, "dst", SPOIL_DATA, 0, 0, NULL, VALUE_, "dst", "data is NULL", "want an address"},
  {"descending workspace_starts", ON_CPU, "workspace_starts", SPOIL_INDEX, 2, 4, NULL, VALUE_, "workspace_starts", "are 5 and 4", "ascending"},
  {"negative workspace_starts", ON_CPU, "workspace_starts", SPOIL_INDEX, 0, -1, NULL, VALUE_, "workspace_starts", "are -1 and 5", "from 0 on"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  const kvf_variant *variant = gather_first_variant(&op);
  if (need_backend() && variant != NULL) {
    const gather_context context = gather_small(&op, variant);
    op_call_test_overlap(gather_build_small, &context, typed, "dst", "src_cache");
    op_call_test_bad(gather_build_small, &context, typed, bad, TEST_COUNT(bad));
  }
}

static void test_bad_params(void) {
  const kvf_variant *variant = gather_first_variant(&op);
  if (!need_backend() || variant == NULL) {
    return;
  }
  static int32_t numbers[4];
  char address[16];
  const kvf_view view = {.data = address, .stride = {1024, 1024, 1}};
  const kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params good = {.src_cache = view,
                                                                  .dst = view,
                                                                  .num_rows = 1,
                                                                  .table = {.entries = numbers,
                                                                            .index_bytes = 4,
                                                                            .stride = 1,
                                                                            .starts = numbers,
                                                                            .num_sequences = 1,
                                                                            .width = 1,
                                                                            .num_blocks = 1,
                                                                            .block_size = 1}};
  struct {
    kvf_cp_gather_and_upconvert_nvfp4_kv_cache_params params;
    const char *member;
  } rows[] = {{good, "src_cache"},
              {good, "dst"},
              {good, "num_rows"},
              {good, "block_size"},
              {good, "workspace_starts"}};
  rows[0].params.src_cache.data = NULL;
  rows[1].params.dst.data = NULL;
  rows[2].params.num_rows = -1;
  rows[3].params.table.block_size = 0;
  rows[4].params.table.starts = NULL;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_cp_gather_and_upconvert_nvfp4_kv_cache(NULL, variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_cp_gather_and_upconvert_nvfp4_kv_cache(NULL, NULL, &good),
                KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo cp_gather_and_upconvert_nvfp4_kv_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"pages and rows beyond 2^31", test_far},
    {"indices out of range", test_out_of_range},
    {"golden rows", test_golden},
    {"golden rows of the writer", test_round_trip},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
