/* cp_gather_cache: rows of pages, byte for byte. */
#include <string.h>

#include "gather.h"

#define OP (&kvf_op_cp_gather_cache)

static const int64_t entry_sizes[] = {576, 1, 16, 40, 46, 113, 656, 1152};

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_cache(exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor,
                             values[2].as.tensor, values[3].as.tensor, values[4].as.integer,
                             values[5].as.tensor);
}

static kvf_status raw(const op_call *call, const gather_case *what, const kvf_block_table *table) {
  const kvf_cp_gather_cache_params params = {
      .src_cache = operand_view(&call->operands[0]),
      .dst = operand_view(&call->operands[1]),
      .table = *table,
      .num_rows = call->operands[1].view.shape[0],
      .entry_size = (int32_t)what->entry_size,
      .rows_per_tile = -1,
      .tile_vectors = -1,
      .vector_elements = -1,
      .streaming = -1,
  };
  return kvf_launch_cp_gather_cache(call->given_exec, what->variant, &params);
}

static void more(op_call *call, const gather_case *what, const gather_plan *plan) {
  (void)what;
  call->values[4] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = plan->num_sequences};
}

static void expect_row(const op_call *call, const gather_case *what, const uint8_t *source,
                       uint8_t *dst) {
  (void)call;
  memcpy(dst, source, (size_t)what->entry_size);
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

/* Elements of other dtypes and rows of several dimensions are bytes, too. */
static void test_dtypes(void) {
  static const struct {
    DLDataType dtype;
    int64_t heads, size; /* 24 bytes in all */
  } rows[] = {
      {{kDLFloat, 32, 1}, 2, 3}, {{kDLBfloat, 16, 1}, 3, 4},        {{kDLInt, 64, 1}, 1, 3},
      {{kDLFloat, 64, 1}, 3, 1}, {{kDLFloat8_e5m2, 8, 1}, 4, 6},    {{kDLUInt, 8, 1}, 24, 1},
      {{kDLFloat, 16, 4}, 1, 3}, {{kDLFloat4_e2m1fn, 4, 2}, 2, 12}, {{kDLComplex, 64, 1}, 1, 3},
  };
  const kvf_variant *variant = gather_first_variant(&op);
  if (!need_backend() || variant == NULL) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    gather_context context = gather_small(&op, variant);
    context.what.entry_size = 24;
    op_call call;
    gather_build_small(&call, &context);
    op_call_upload(&call);
    const int64_t size = rows[i].dtype.bits * rows[i].dtype.lanes / 8;
    int64_t shape[2][4] = {{6, 4, rows[i].heads, rows[i].size}, {12, rows[i].heads, rows[i].size}};
    for (int t = 0; t < 2; ++t) {
      DLTensor *dl = tensor_dl(&call.operands[t].view);
      dl->dtype = rows[i].dtype;
      dl->ndim = 4 - t;
      dl->shape = shape[t];
      dl->strides = NULL; /* compact */
      call.values[t] = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = dl};
    }
    for (int t = 2; t < 6; ++t) {
      if (t != 4) {
        call.values[t] =
            (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = tensor_dl(&call.operands[t].view)};
      }
    }
    const uint64_t before = faults_before(options.backend);
    const kvf_status status = typed(NULL, call.values);
    for (int64_t row = 0; row < 12; ++row) {
      /* As gather_small() has it: sequences of 5, 0 and 7 rows in pages of 4, the third from 2 on.
       */
      static const int table[] = {5, 1, 0, 2, 4};
      const int64_t position = row < 5 ? row : row - 5 + 2;
      const int page = table[row < 5 ? position / 4 : 2 + position / 4];
      memcpy(operand_at(&call.operands[1], row, 0, 0, 0),
             operand_at(&call.operands[0], page, position % 4, 0, 0), 24);
    }
    (void)expect_done(options.backend, status, before, 0, "dtypes");
    EXPECT(size * rows[i].heads * rows[i].size == 24, "row %zu of the table is wrong", i);
    (void)op_call_verify(&call, "dtypes");
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
  {"src_cache of rank 1", ON_BOTH, "src_cache", SPOIL_RANK, 0, 1, NULL, VALUE_, "src_cache", "rank is 1", "want at least 2"},
  {"dst of rank 0", ON_BOTH, "dst", SPOIL_RANK, 0, 0, NULL, VALUE_, "dst", "rank is 0", "want at least 1"},
  {"size of dst", ON_BOTH, "dst", SPOIL_SIZE, 1, 575, NULL, VALUE_, "dst", "(bytes of a row) is 575", "want 576 as in src_cache"},
  {"stride of src_cache", ON_BOTH, "src_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "src_cache", "stride of dimension 2 is 2", "want 1 (contiguous"},
  {"stride of dst", ON_BOTH, "dst", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "dst", "stride of dimension 1 is 0", "want 1 (contiguous"},
  {"overlapping dst", ON_BOTH, "dst", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "dst", "(num_rows) is 0", "do not overlap"},
  {"negative size", ON_BOTH, "src_cache", SPOIL_SIZE, 2, -1, NULL, VALUE_, "src_cache", "is -1", "want rows of less"},
  {"long rows", ON_BOTH, "src_cache", SPOIL_SIZE, 2, INT64_C(1) << 31, NULL, VALUE_, "src_cache", "is 2147483648", "less than 2^31 bytes"},
  {"dst of another dtype", ON_BOTH, "dst", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "dst", "code 0 of 8 bits", "code 1 of 8 bits"},
  {"half bytes", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLInt, 4, NULL, TYPE, "dst", "code 1 of 8 bits", "code 0 of 4 bits"},
  {"block_table is int16", ON_BOTH, "block_table", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "block_table", "int16", "want int32, int64"},
  {"cu_seq_lens is int64", ON_BOTH, "cu_seq_lens", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "cu_seq_lens", "int64", "want int32"},
  {"seq_starts is uint32", ON_BOTH, "seq_starts", SPOIL_DTYPE, kDLUInt, 32, NULL, TYPE, "seq_starts", "uint32", "want int32"},
  {"short cu_seq_lens", ON_BOTH, "cu_seq_lens", SPOIL_SIZE, 0, 3, NULL, VALUE_, "cu_seq_lens", "(num_sequences + 1) is 3", "want 4"},
  {"short seq_starts", ON_BOTH, "seq_starts", SPOIL_SIZE, 0, 2, NULL, VALUE_, "seq_starts", "(num_sequences) is 2", "want 3"},
  {"strided cu_seq_lens", ON_BOTH, "cu_seq_lens", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "cu_seq_lens", "stride is 2", "want 1"},
  {"strided block_table", ON_BOTH, "block_table", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "block_table", "is 2", "want 1"},
  {"more sequences", ON_BOTH, "batch_size", SPOIL_INT, 0, 4, NULL, VALUE_, "block_table", "has 3 rows", "want at least 4 (batch_size)"},
  {"negative batch_size", ON_BOTH, "batch_size", SPOIL_INT, 0, -1, NULL, VALUE_, "batch_size", "got -1", "want 0 or more"},
  {"dst on CUDA", ON_CPU, "dst", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "dst", "on CUDA device 0", "want the CPU"},
  {"dst on the CPU", ON_CUDA, "dst", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "dst", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "dst", SPOIL_DATA, 0, 0, NULL, VALUE_, "dst", "data is NULL", "want an address"},
  {"descending cu_seq_lens", ON_CPU, "cu_seq_lens", SPOIL_INDEX, 2, 4, NULL, VALUE_, "cu_seq_lens", "are 5 and 4", "ascending"},
  {"negative cu_seq_lens", ON_CPU, "cu_seq_lens", SPOIL_INDEX, 0, -1, NULL, VALUE_, "cu_seq_lens", "are -1 and 5", "from 0 on"},
  {"no block_size", ON_BOTH, "src_cache", SPOIL_SIZE, 1, 0, NULL, VALUE_, "block_size", "got 0", "want 1 or more"},
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
  const kvf_view view = {.data = address, .stride = {16, 16, 1}};
  const kvf_cp_gather_cache_params good = {.src_cache = view,
                                           .dst = view,
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
    kvf_cp_gather_cache_params params;
    const char *member;
  } rows[] = {{good, "src_cache"},  {good, "dst"},           {good, "num_rows"},
              {good, "entry_size"}, {good, "num_sequences"}, {good, "block_size"},
              {good, "num_blocks"}, {good, "cu_seq_lens"},   {good, "block_table"},
              {good, "num_rows"},   {good, "index_bytes"}};
  rows[0].params.src_cache.data = NULL;
  rows[1].params.dst.data = NULL;
  rows[2].params.num_rows = -1;
  rows[3].params.entry_size = -1;
  rows[4].params.table.num_sequences = -1;
  rows[5].params.table.block_size = 0;
  rows[6].params.table.num_blocks = -1;
  rows[7].params.table.starts = NULL;
  rows[8].params.table.entries = NULL;
  rows[9].params.num_rows = INT64_C(1) << 31;
  rows[10].params.table.index_bytes = 0;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_cp_gather_cache(NULL, variant, &rows[i].params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_cp_gather_cache(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo cp_gather_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"pages and rows beyond 2^31", test_far},
    {"indices out of range", test_out_of_range},
    {"dtypes and shapes", test_dtypes},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
