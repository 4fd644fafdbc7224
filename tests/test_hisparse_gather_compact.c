/* hisparse_gather_compact: every byte against a loop over pairs. */
#include <stdio.h>
#include <string.h>

#include "hot_rows.h"
#include "writer.h"

#define OP (&kvf_op_hisparse_gather_compact)

enum { HOST, HOT, GLOBAL, HOT_INDICES, COUNTS };

static void build(op_call *call, const void *context) {
  const hot_case *what = context;
  uint64_t state = what->seed;
  hot_build(call, OP, what);
  hot_make_plan(call, GLOBAL, what);
  hot_make_plan(call, HOT_INDICES, what);
  hot_make_vector(call, COUNTS, what, what->requests + 2);
  hot_fill(call, what, GLOBAL, HOT_INDICES);
  for (int64_t r = 0; r < what->requests + 2; ++r) {
    /* Fewer than none and more than there are, too. */
    operand_put_index(&call->operands[COUNTS], r, 0, random_below(&state, what->columns + 4) - 1);
  }
}

static void expect_loaded(const op_call *call, const hot_case *what) {
  for (int64_t r = 0; r < what->requests; ++r) {
    const int64_t count = operand_get_index(&call->operands[COUNTS], r, 0);
    for (int64_t c = 0; c < what->columns && c < count; ++c) {
      hot_expect(call, what, operand_get_index(&call->operands[GLOBAL], r, c),
                 operand_get_index(&call->operands[HOT_INDICES], r, c));
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_gather_compact(exec, values[HOST].as.tensor,
                                     (DLTensor *)values[HOT].as.tensor, values[GLOBAL].as.tensor,
                                     values[HOT_INDICES].as.tensor, values[COUNTS].as.tensor);
}

static kvf_status raw(const op_call *call, const hot_case *what) {
  const kvf_hisparse_gather_compact_params params = {
      .rows = hot_params(call, what),
      .miss_global_indices = operand_view(&call->operands[GLOBAL]),
      .miss_hot_indices = operand_view(&call->operands[HOT_INDICES]),
      .miss_counts = operand_view(&call->operands[COUNTS]),
      .num_requests = what->requests,
      .num_columns = what->columns,
  };
  return kvf_launch_hisparse_gather_compact(call->given_exec,
                                            kvf_select(OP, options.backend, KVF_B8), &params);
}

static void run(const hot_case *given) {
  hot_case fit = *given;
  const hot_case *what = &fit;
  fit.flat = false;
  char name[160];
  (void)snprintf(name, sizeof name, "%lld rows of %lld, %lld pages of %lld, %lld x %lld, seed %llu",
                 (long long)what->host_rows, (long long)what->width, (long long)what->blocks,
                 (long long)what->block_size, (long long)what->requests, (long long)what->columns,
                 (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_loaded(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = what->entry == ENTRY_RAW
                                ? raw(&call, what)
                                : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(kvf_select(OP, options.backend, KVF_B8));
}

static void test_matrix(void) {
  if (need_backend()) {
    hot_test_matrix(run);
  }
}

static const hot_case small = {.host_rows = 5,
                               .blocks = 3,
                               .block_size = 4,
                               .width = 16,
                               .requests = 2,
                               .columns = 3,
                               .dtype = KVF_BF16,
                               .seed = 7};

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no pool", ON_BOTH, "host_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "host_cache", "NULL", "want a tensor"},
  {"no pages", ON_BOTH, "hot_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "hot_cache", "NULL", "want a tensor"},
  {"no rows of the pool", ON_BOTH, "miss_global_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "miss_global_indices", "NULL", "want a tensor"},
  {"no hot rows", ON_BOTH, "miss_hot_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "miss_hot_indices", "NULL", "want a tensor"},
  {"no counts", ON_BOTH, "miss_counts", SPOIL_NULL, 0, 0, NULL, VALUE_, "miss_counts", "NULL", "want a tensor"},
  {"pages of rank 1", ON_BOTH, "hot_cache", SPOIL_RANK, 0, 1, NULL, VALUE_, "hot_cache", "rank is 1", "want at least 2"},
  {"rows of another size", ON_BOTH, "host_cache", SPOIL_SIZE, 1, 15, NULL, VALUE_, "host_cache", "(bytes of a row) is 30", "want 32 as in hot_cache"},
  {"rows of another dtype", ON_BOTH, "host_cache", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "host_cache", "DLPack code 2 of 16 bits", "want code 4 of 16 bits"},
  {"rows with gaps", ON_BOTH, "hot_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "hot_cache", "stride of dimension 2 is 2", "want 1"},
  {"pages that overlap", ON_BOTH, "hot_cache", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "hot_cache", "stride of dimension 0 (num_blocks) is 0", "do not overlap"},
  {"a pool on the device", ON_BOTH, "host_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "host_cache", "DLPack device type 2", "want the CPU: the host reads it"},
  {"pages on the host", ON_CUDA, "hot_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "miss_global_indices", "on CUDA device 0", "want the CPU"},
  {"columns of the hot rows", ON_BOTH, "miss_hot_indices", SPOIL_SIZE, 1, 2, NULL, VALUE_, "miss_hot_indices", "(num_columns) is 2", "want 3 as in miss_global_indices"},
  {"too few counts", ON_BOTH, "miss_counts", SPOIL_SIZE, 0, 1, NULL, VALUE_, "miss_counts", "has 1 elements", "want at least 2 (num_requests)"},
  {"int64 rows", ON_BOTH, "miss_global_indices", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "miss_global_indices", "dtype is int64", "want int32"},
  {"no address", ON_BOTH, "hot_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "hot_cache", "data is NULL", "want an address"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (need_backend()) {
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
    op_call_test_overlap(build, &small, typed, "hot_cache", "miss_hot_indices");
  }
}

static void test_pageable(void) {
  if (need_backend()) {
    hot_test_pageable(build, &small);
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  op_call call;
  build(&call, &small);
  op_call_upload(&call);
  const kvf_view view = operand_view(&call.operands[GLOBAL]);
  const kvf_hisparse_gather_compact_params good = {.rows = hot_params(&call, &small),
                                                   .miss_global_indices = view,
                                                   .miss_hot_indices = view,
                                                   .miss_counts = view,
                                                   .num_requests = 1,
                                                   .num_columns = 1};
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_hisparse_gather_compact_params params;
    const char *member;
  } rows[] = {{good, "rows.num_host_rows"},  {good, "rows.num_blocks"},  {good, "rows.block_size"},
              {good, "rows.row_bytes"},      {good, "rows.hot"},         {good, "rows.host"},
              {good, "miss_global_indices"}, {good, "miss_hot_indices"}, {good, "miss_counts"},
              {good, "num_requests"},        {good, "num_columns"}};
  rows[0].params.rows.num_host_rows = -1;
  rows[1].params.rows.num_blocks = -1;
  rows[2].params.rows.block_size = -1;
  rows[3].params.rows.row_bytes = -1;
  rows[4].params.rows.hot.data = NULL;
  rows[5].params.rows.host.data = NULL;
  rows[6].params.miss_global_indices.data = NULL;
  rows[7].params.miss_hot_indices.data = NULL;
  rows[8].params.miss_counts.data = NULL;
  rows[9].params.num_requests = -1;
  rows[10].params.num_columns = -1;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_hisparse_gather_compact(NULL, variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo hisparse_gather_compact_tests[] = {
    {"every pair of axis values", test_matrix},
    {"bad arguments", test_bad_arguments},
    {"a pool that is not pinned", test_pageable},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
