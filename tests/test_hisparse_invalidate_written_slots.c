/* hisparse_invalidate_written_slots: every byte against a loop over tokens. */
#include <stdio.h>
#include <stdlib.h>

#include "covering.h"
#include "operands.h"
#include "writer.h"

#define OP (&kvf_op_hisparse_invalidate_written_slots)

enum { HELD, STATES, REQUESTS, WRITTEN };

typedef struct case_of {
  int64_t states, hot_size, requests, tokens;
  int64_t step; /* between elements */
  int entry;
  bool with_exec;
  uint64_t seed;
} case_of;

static void build(op_call *call, const void *context) {
  const case_of *what = context;
  uint64_t state = what->seed;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  const DLDataType i32 = {kDLInt, 32, 1};
  const DLDataType i64 = {kDLInt, 64, 1};
  const int64_t shape[2] = {what->states, what->hot_size};
  int64_t stride[2];
  lay_out(stride, shape, what->step == 1 ? "01" : "10", what->step, 3);
  operand_make(call, HELD, i32, 2, shape, stride, 0, 64, what->seed);
  operand_make(call, STATES, i32, 1, &what->requests, &what->step, 0, 64, what->seed + 1);
  operand_make(call, REQUESTS, i32, 1, &what->tokens, &what->step, 0, 64, what->seed + 2);
  operand_make(call, WRITTEN, i64, 1, &what->tokens, &what->step, 0, 64, what->seed + 3);
  for (int64_t s = 0; s < what->states; ++s) {
    for (int64_t i = 0; i < what->hot_size; ++i) {
      operand_put_index(&call->operands[HELD], s, i, random_below(&state, 40) - 1);
    }
  }
  for (int64_t q = 0; q < what->requests; ++q) {
    operand_put_index(&call->operands[STATES], q, 0, random_below(&state, what->states + 2) - 1);
  }
  for (int64_t t = 0; t < what->tokens; ++t) {
    operand_put_index(&call->operands[REQUESTS], t, 0,
                      random_below(&state, what->requests + 2) - 1);
    const int64_t written = random_below(&state, 42) - 2;
    /* What is 2^32 more is another row. */
    operand_put_index(&call->operands[WRITTEN], t, 0,
                      written + (t % 5 == 4 ? INT64_C(1) << 32 : 0));
  }
}

static void expect_forgotten(const op_call *call, const case_of *what) {
  for (int64_t t = 0; t < what->tokens; ++t) {
    const int64_t q = operand_get_index(&call->operands[REQUESTS], t, 0);
    const int64_t written = operand_get_index(&call->operands[WRITTEN], t, 0);
    const int64_t s =
        q >= 0 && q < what->requests ? operand_get_index(&call->operands[STATES], q, 0) : -1;
    for (int64_t i = 0; s >= 0 && s < what->states && written >= 0 && i < what->hot_size; ++i) {
      if (operand_get_index(&call->operands[HELD], s, i) == written) {
        operand_put_index(&call->operands[HELD], s, i, -1);
      }
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_invalidate_written_slots(exec, (DLTensor *)values[HELD].as.tensor,
                                               values[STATES].as.tensor, values[REQUESTS].as.tensor,
                                               values[WRITTEN].as.tensor);
}

static kvf_hisparse_invalidate_written_slots_params params_of(const op_call *call,
                                                              const case_of *what) {
  return (kvf_hisparse_invalidate_written_slots_params){
      .device_global_indices = operand_view(&call->operands[HELD]),
      .request_state_indices = operand_view(&call->operands[STATES]),
      .req_id_per_token = operand_view(&call->operands[REQUESTS]),
      .written_slots = operand_view(&call->operands[WRITTEN]),
      .num_states = what->states,
      .hot_size = what->hot_size,
      .num_requests = what->requests,
      .num_tokens = what->tokens,
  };
}

static void run(const case_of *what) {
  char name[120];
  (void)snprintf(name, sizeof name, "%lld states of %lld, %lld requests, %lld tokens, seed %llu",
                 (long long)what->states, (long long)what->hot_size, (long long)what->requests,
                 (long long)what->tokens, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_forgotten(&call, what);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  const kvf_hisparse_invalidate_written_slots_params params = params_of(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status =
      what->entry == ENTRY_RAW
          ? kvf_launch_hisparse_invalidate_written_slots(call.given_exec, variant, &params)
          : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(variant);
}

static void test_matrix(void) {
  static const int64_t states[] = {0, 1, 6};
  static const int64_t sizes[] = {0, 1, 63, 700};
  static const int64_t requests[] = {0, 1, 9};
  static const int64_t tokens[] = {0, 1, 40};
  if (!need_backend()) {
    return;
  }
  const covering plan = {.num_axes = 7,
                         .sizes = {TEST_COUNT(states), TEST_COUNT(sizes), TEST_COUNT(requests),
                                   TEST_COUNT(tokens), 2, ENTRIES, 2}};
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    run(&(case_of){.states = states[value[0]],
                   .hot_size = sizes[value[1]],
                   .requests = requests[value[2]],
                   .tokens = tokens[value[3]],
                   .step = 1 + value[4],
                   .entry = value[5],
                   .with_exec = value[6],
                   .seed = options.seed + (uint64_t)i});
  }
  free(rows);
}

static const case_of small = {
    .states = 2, .hot_size = 5, .requests = 2, .tokens = 3, .step = 1, .seed = 7};

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no states", ON_BOTH, "device_global_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "device_global_indices", "NULL", "want a tensor"},
  {"no requests", ON_BOTH, "request_state_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "request_state_indices", "NULL", "want a tensor"},
  {"no tokens", ON_BOTH, "req_id_per_token", SPOIL_NULL, 0, 0, NULL, VALUE_, "req_id_per_token", "NULL", "want a tensor"},
  {"no rows", ON_BOTH, "written_slots", SPOIL_NULL, 0, 0, NULL, VALUE_, "written_slots", "NULL", "want a tensor"},
  {"states of rank 1", ON_BOTH, "device_global_indices", SPOIL_RANK, 0, 1, NULL, VALUE_, "device_global_indices", "rank is 1", "want 2"},
  {"states that overlap", ON_BOTH, "device_global_indices", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "device_global_indices", "stride of dimension 0 (num_states) is 0", "do not overlap"},
  {"int32 rows", ON_BOTH, "written_slots", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "written_slots", "dtype is int32", "want int64"},
  {"int64 requests", ON_BOTH, "req_id_per_token", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "req_id_per_token", "dtype is int64", "want int32"},
  {"rows of other tokens", ON_BOTH, "written_slots", SPOIL_SIZE, 0, 2, NULL, VALUE_, "written_slots", "(num_tokens) is 2", "want 3 as in req_id_per_token"},
  {"rows on CUDA", ON_CPU, "written_slots", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "written_slots", "on CUDA device 0", "want the CPU"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (need_backend()) {
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
    op_call_test_overlap(build, &small, typed, "device_global_indices", "req_id_per_token");
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
  const kvf_hisparse_invalidate_written_slots_params good = params_of(&call, &small);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_hisparse_invalidate_written_slots_params params;
    const char *member;
  } rows[] = {{good, "device_global_indices"},
              {good, "request_state_indices"},
              {good, "req_id_per_token"},
              {good, "written_slots"},
              {good, "num_states"},
              {good, "hot_size"},
              {good, "num_requests"},
              {good, "num_tokens"}};
  rows[0].params.device_global_indices.data = NULL;
  rows[1].params.request_state_indices.data = NULL;
  rows[2].params.req_id_per_token.data = NULL;
  rows[3].params.written_slots.data = NULL;
  rows[4].params.num_states = -1;
  rows[5].params.hot_size = -1;
  rows[6].params.num_requests = -1;
  rows[7].params.num_tokens = -1;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_hisparse_invalidate_written_slots(NULL, variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo hisparse_invalidate_written_slots_tests[] = {
    {"every pair of axis values", test_matrix},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
