/* hisparse_gather_plan: every byte against a loop over the plan. */
#include <stdio.h>
#include <string.h>

#include "hot_rows.h"
#include "writer.h"

#define OP (&kvf_op_hisparse_gather_plan)

enum { HOST, HOT, GLOBAL, HOT_INDICES, MASK, STATES, ATTENTION, STRIDE };

/* Which of the optional arguments a case has. */
static bool has_states(const hot_case *what) { return what->seed % 3 != 0; }
static bool has_attention(const hot_case *what) { return what->seed % 2 != 0; }
static int64_t stride_of(const hot_case *what) { return (what->flat ? 1 : what->block_size) + 3; }

static void build(op_call *call, const void *context) {
  const hot_case *what = context;
  uint64_t state = what->seed;
  hot_build(call, OP, what);
  hot_make_plan(call, GLOBAL, what);
  hot_make_plan(call, HOT_INDICES, what);
  hot_make_plan(call, MASK, what);
  hot_fill(call, what, GLOBAL, HOT_INDICES);
  for (int64_t r = 0; r < what->requests; ++r) {
    for (int64_t c = 0; c < what->columns; ++c) {
      operand_put_index(&call->operands[MASK], r, c, random_below(&state, 3) - 1);
    }
  }
  if (has_states(what)) {
    hot_make_vector(call, STATES, what, what->requests + 1);
    for (int64_t r = 0; r <= what->requests; ++r) {
      operand_put_index(&call->operands[STATES], r, 0, random_below(&state, 3) - 1);
    }
  }
  if (has_attention(what)) {
    hot_make_plan(call, ATTENTION, what);
  }
  call->values[STRIDE] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = stride_of(what)};
}

static void expect_replayed(const op_call *call, const hot_case *what) {
  const int64_t size = what->flat ? 1 : what->block_size;
  for (int64_t r = 0; r < what->requests; ++r) {
    const bool padding = has_states(what) && operand_get_index(&call->operands[STATES], r, 0) < 0;
    for (int64_t c = 0; c < what->columns; ++c) {
      const int64_t d = operand_get_index(&call->operands[HOT_INDICES], r, c);
      if (!padding && operand_get_index(&call->operands[MASK], r, c) != 0) {
        hot_expect(call, what, operand_get_index(&call->operands[GLOBAL], r, c), d);
      }
      if (has_attention(what)) {
        const bool there = !padding && d >= 0 && d < what->blocks * size;
        operand_put_index(&call->operands[ATTENTION], r, c,
                          there ? d / size * stride_of(what) + d % size : -1);
      }
    }
  }
}

static DLTensor *given(const kvf_value *values, int position) {
  return values[position].kind == KVF_KIND_NONE ? NULL : (DLTensor *)values[position].as.tensor;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_gather_plan(exec, given(values, HOST), given(values, HOT),
                                  given(values, GLOBAL), given(values, HOT_INDICES),
                                  given(values, MASK), given(values, STATES),
                                  given(values, ATTENTION), values[STRIDE].as.integer);
}

static kvf_hisparse_gather_plan_params params_of(const op_call *call, const hot_case *what) {
  kvf_hisparse_gather_plan_params params = {
      .rows = hot_params(call, what),
      .global_indices = operand_view(&call->operands[GLOBAL]),
      .hot_indices = operand_view(&call->operands[HOT_INDICES]),
      .miss_mask = operand_view(&call->operands[MASK]),
      .attention_block_stride = stride_of(what),
      .num_requests = what->requests,
      .num_columns = what->columns,
  };
  if (has_states(what)) {
    params.request_state_indices = operand_view(&call->operands[STATES]);
  }
  if (has_attention(what)) {
    params.attention_indices = operand_view(&call->operands[ATTENTION]);
  }
  return params;
}

static void run(const hot_case *what) {
  char name[160];
  (void)snprintf(name, sizeof name, "%lld rows of %lld, %lld pages of %lld, %lld x %lld, seed %llu",
                 (long long)what->host_rows, (long long)what->width, (long long)what->blocks,
                 (long long)what->block_size, (long long)what->requests, (long long)what->columns,
                 (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_replayed(&call, what);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  const kvf_hisparse_gather_plan_params params = params_of(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = what->entry == ENTRY_RAW
                                ? kvf_launch_hisparse_gather_plan(call.given_exec, variant, &params)
                                : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(variant);
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
  {"no mask", ON_BOTH, "miss_mask", SPOIL_NULL, 0, 0, NULL, VALUE_, "miss_mask", "NULL", "want a tensor"},
  {"no hot rows", ON_BOTH, "hot_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "hot_indices", "NULL", "want a tensor"},
  {"pages of rank 1", ON_BOTH, "hot_cache", SPOIL_RANK, 0, 1, NULL, VALUE_, "hot_cache", "rank is 1", "want at least 2"},
  {"rows of another size", ON_BOTH, "host_cache", SPOIL_SIZE, 1, 15, NULL, VALUE_, "host_cache", "(bytes of a row) is 30", "want 32 as in hot_cache"},
  {"a pool on the device", ON_BOTH, "host_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "host_cache", "DLPack device type 2", "want the CPU: the host reads it"},
  {"rows of the mask", ON_BOTH, "miss_mask", SPOIL_SIZE, 0, 1, NULL, VALUE_, "miss_mask", "(num_requests) is 1", "want 2 as in global_indices"},
  {"too few states", ON_BOTH, "request_state_indices", SPOIL_SIZE, 0, 1, NULL, VALUE_, "request_state_indices", "has 1 elements", "want at least 2 (num_requests)"},
  {"indices of attention are int64", ON_BOTH, "attention_indices", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "attention_indices", "dtype is int64", "want int32"},
  {"pages closer than their rows", ON_BOTH, "attention_block_stride", SPOIL_INT, 0, 3, NULL, VALUE_, "attention_block_stride", "got 3", "want at least 4 (block_size)"},
  {"indices beyond int32", ON_BOTH, "attention_block_stride", SPOIL_INT, 0, INT32_MAX, NULL, VALUE_, "attention_block_stride", "got 2147483647", "3 pages that int32 holds"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (need_backend()) {
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
    op_call_test_overlap(build, &small, typed, "attention_indices", "hot_indices");
    op_call_test_overlap(build, &small, typed, "hot_cache", "miss_mask");
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
  const kvf_hisparse_gather_plan_params good = params_of(&call, &small);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_hisparse_gather_plan_params params;
    const char *member;
  } rows[] = {{good, "global_indices"},
              {good, "hot_indices"},
              {good, "miss_mask"},
              {good, "num_requests"},
              {good, "attention_block_stride"}};
  rows[0].params.global_indices.data = NULL;
  rows[1].params.hot_indices.data = NULL;
  rows[2].params.miss_mask.data = NULL;
  rows[3].params.num_requests = -1;
  rows[4].params.attention_block_stride = 0;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_hisparse_gather_plan(NULL, variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo hisparse_gather_plan_tests[] = {
    {"every pair of axis values", test_matrix},
    {"bad arguments", test_bad_arguments},
    {"a pool that is not pinned", test_pageable},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
