/* concat_mla_q: every byte against a loop over elements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_concat_mla_q)

enum { QL_NOPE, Q_PE, Q_OUT, TENSORS_OF_OP };

enum {
  SCALAR,
  TOKENS_AXIS,
  HEADS_AXIS,
  MORE_HEADS,
  NOPE,
  ROPE,
  LAYOUT_AXIS,
  OUT_LAYOUT,
  OFFSET,
  ENTRY_AXIS,
  EXEC_AXIS,
  AXES_OF_OP
};

static const kvf_dtype scalars[] = {KVF_F32, KVF_F16, KVF_BF16};
static const int64_t tokens[] = {0, 1, 3, 17, 65};
static const int64_t heads[] = {0, 1, 2, 5, 40};
static const int64_t more_heads[] = {0, 1, 24}; /* of q_out */
static const int64_t nopes[] = {0, 1, 7, 64, 128, 512, 1024};
static const int64_t ropes[] = {0, 1, 6, 64, 128};
/* Dimensions from slowest to fastest, and the elements left out behind each. */
static const struct {
  const char *order;
  int64_t pad;
} layouts[] = {{"012", 0}, {"102", 0}, {"012", 3}, {"102", 128}, {"012", 64}};
static const int offsets[] = {0, 4, 8, 2};

/* What the test calls, each with the sizes of one case. */
typedef struct concat_case {
  kvf_dtype scalar;
  int64_t tokens, heads, more_heads, nope, rope;
  int layout[TENSORS_OF_OP];
  int offset[TENSORS_OF_OP];
  int entry;
  bool with_exec;
  uint64_t seed;
} concat_case;

static int64_t width_of(const concat_case *what, int which) {
  return which == QL_NOPE ? what->nope : which == Q_PE ? what->rope : what->nope + what->rope;
}

static void build(op_call *call, const void *context) {
  const concat_case *what = context;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  for (int i = 0; i < TENSORS_OF_OP; ++i) {
    const int64_t num_heads = what->heads + (i == Q_OUT ? what->more_heads : 0);
    const int64_t shape[3] = {what->tokens, num_heads, width_of(what, i)};
    int64_t stride[3];
    const int bytes = kvf_dtype_bits(what->scalar) / 8;
    lay_out(stride, shape, layouts[what->layout[i]].order, 1, layouts[what->layout[i]].pad);
    operand_make(call, i, dl_dtype(what->scalar), 3, shape, stride, what->offset[i] / bytes * bytes,
                 64, what->seed + (uint64_t)i);
  }
}

static void expect_joined(const op_call *call, const concat_case *what) {
  const size_t bytes = (size_t)kvf_dtype_bits(what->scalar) / 8;
  for (int64_t t = 0; t < what->tokens; ++t) {
    for (int64_t h = 0; h < what->heads; ++h) {
      for (int64_t d = 0; d < what->nope + what->rope; ++d) {
        const bool nope = d < what->nope;
        memcpy(
            operand_at(&call->operands[Q_OUT], t, h, d, 0),
            operand_at(&call->operands[nope ? QL_NOPE : Q_PE], t, h, nope ? d : d - what->nope, 0),
            bytes);
      }
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_concat_mla_q(exec, values[QL_NOPE].as.tensor, values[Q_PE].as.tensor,
                          (DLTensor *)values[Q_OUT].as.tensor);
}

static kvf_view in_bytes(const operand *from) {
  kvf_view view = operand_view(from);
  for (int i = 0; i < 2; ++i) {
    view.stride[i] *= from->view.dtype.bits / 8;
  }
  return view;
}

static kvf_status raw(const op_call *call, const concat_case *what) {
  const int64_t bytes = kvf_dtype_bits(what->scalar) / 8;
  const kvf_concat_mla_q_params params = {
      .ql_nope = in_bytes(&call->operands[QL_NOPE]),
      .q_pe = in_bytes(&call->operands[Q_PE]),
      .q_out = in_bytes(&call->operands[Q_OUT]),
      .num_tokens = what->tokens,
      .num_heads = what->heads,
      .nope_bytes = what->nope * bytes,
      .rope_bytes = what->rope * bytes,
      .vector_elements = -1,
      .streaming = -1,
  };
  return kvf_launch_concat_mla_q(call->given_exec, kvf_select(OP, options.backend, KVF_B8),
                                 &params);
}

static void run(const concat_case *what) {
  char name[160];
  (void)snprintf(
      name, sizeof name,
      "%s, %lld tokens, %lld heads of %lld, %lld + %lld elements, layouts %d %d %d, seed %llu",
      kvf_dtype_name(what->scalar), (long long)what->tokens, (long long)what->heads,
      (long long)(what->heads + what->more_heads), (long long)what->nope, (long long)what->rope,
      what->layout[0], what->layout[1], what->layout[2], (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_joined(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = what->entry == ENTRY_RAW
                                ? raw(&call, what)
                                : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(kvf_select(OP, options.backend, KVF_B8));
}

static double elements(const covering_row *row, const void *context) {
  (void)context;
  return (double)(tokens[row->value[TOKENS_AXIS]] * heads[row->value[HEADS_AXIS]] *
                  (nopes[row->value[NOPE]] + ropes[row->value[ROPE]]));
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const covering plan = {
      .num_axes = AXES_OF_OP,
      .sizes = {TEST_COUNT(scalars), TEST_COUNT(tokens), TEST_COUNT(heads), TEST_COUNT(more_heads),
                TEST_COUNT(nopes), TEST_COUNT(ropes), TEST_COUNT(layouts), TEST_COUNT(layouts),
                TEST_COUNT(offsets), ENTRIES, 2},
      .cost = elements,
      .limit = options.exhaustive ? 1e9 : 200e3,
  };
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    const int offset = offsets[value[OFFSET]];
    run(&(concat_case){
        .scalar = scalars[value[SCALAR]],
        .tokens = tokens[value[TOKENS_AXIS]],
        .heads = heads[value[HEADS_AXIS]],
        .more_heads = more_heads[value[MORE_HEADS]],
        .nope = nopes[value[NOPE]],
        .rope = ropes[value[ROPE]],
        .layout = {value[LAYOUT_AXIS], (value[LAYOUT_AXIS] + i) % (int)TEST_COUNT(layouts),
                   value[OUT_LAYOUT]},
        /* Only one of the three is off, in turn, so that each matters by itself. */
        .offset = {i % 3 == 0 ? offset : 0, i % 3 == 1 ? offset : 0, i % 3 == 2 ? offset : 0},
        .entry = value[ENTRY_AXIS],
        .with_exec = value[EXEC_AXIS],
        .seed = options.seed + (uint64_t)i,
    });
  }
  free(rows);
}

/* Past the point where the CPU stores past its caches and takes more than one thread. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  const int64_t many = options.backend == KVF_CPU ? 48 : 6;
  for (int i = 0; i < 3; ++i) {
    run(&(concat_case){.scalar = scalars[i],
                       .tokens = many,
                       .heads = 128,
                       .nope = 512,
                       .rope = 64,
                       .layout = {i, 2, 0},
                       .seed = options.seed + (uint64_t)i});
  }
}

/* Rows that lie beyond 2^31 bytes. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { FAR_NOPE = 48, FAR_ROPE = 16 };
  const int64_t far = (INT64_C(1) << 31) + 48;
  for (int dimension = 0; dimension < 2; ++dimension) {
    op_call call = {.op = OP, .exec = {.backend = options.backend}};
    region memory[TENSORS_OF_OP] = {{.size = 0}};
    buffer place[TENSORS_OF_OP];
    bool made = true;
    for (int i = 0; i < TENSORS_OF_OP; ++i) {
      const int64_t width = i == QL_NOPE ? FAR_NOPE : i == Q_PE ? FAR_ROPE : FAR_NOPE + FAR_ROPE;
      made = made && region_make(&memory[i], options.backend, (size_t)(2 * (far + 4 * width)));
      place[i] = (buffer){.backend = options.backend, .place = memory[i].place};
      tensor *view = &call.operands[i].view;
      *view = (tensor){.memory = &place[i], .dtype = dl_dtype(KVF_BF16), .rank = 3};
      const int64_t shape[3] = {2, 2, width};
      const int64_t stride[3] = {dimension == 0 ? far : 2 * width, dimension == 1 ? far : width, 1};
      memcpy(view->shape, shape, sizeof shape);
      memcpy(view->stride, stride, sizeof stride);
    }
    if (!made) {
      skip_test("no room for tensors of 2^31 elements");
    } else {
      uint16_t given[2][2][FAR_NOPE + FAR_ROPE];
      for (int row = 0; row < 4; ++row) {
        for (int d = 0; d < FAR_NOPE + FAR_ROPE; ++d) {
          given[row / 2][row % 2][d] = (uint16_t)(1 + row * 1000 + d);
        }
        for (int i = 0; i < 2; ++i) {
          const tensor *view = &call.operands[i].view;
          region_put(&memory[i], 2 * (row / 2 * view->stride[0] + row % 2 * view->stride[1]),
                     given[row / 2][row % 2] + (i ? FAR_NOPE : 0), 2 * (size_t)view->shape[2]);
        }
      }
      const kvf_status status = op_call_invoke(&call, typed);
      (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
      for (int row = 0; row < 4; ++row) {
        const tensor *view = &call.operands[Q_OUT].view;
        uint16_t got[FAR_NOPE + FAR_ROPE];
        const int64_t at = 2 * (row / 2 * view->stride[0] + row % 2 * view->stride[1]);
        region_get(&memory[Q_OUT], at, got, sizeof got);
        EXPECT(memcmp(got, given[row / 2][row % 2], sizeof got) == 0, "far row %d is wrong", row);
      }
      count_case(kvf_select(OP, options.backend, KVF_B8));
    }
    for (int i = 0; i < TENSORS_OF_OP; ++i) {
      region_free(&memory[i]);
    }
  }
}

static const concat_case small = {
    .scalar = KVF_BF16, .tokens = 3, .heads = 2, .nope = 24, .rope = 8, .seed = 7};

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no ql_nope", ON_BOTH, "ql_nope", SPOIL_NULL, 0, 0, NULL, VALUE_, "ql_nope", "NULL", "want a tensor"},
  {"no q_pe", ON_BOTH, "q_pe", SPOIL_NULL, 0, 0, NULL, VALUE_, "q_pe", "NULL", "want a tensor"},
  {"no q_out", ON_BOTH, "q_out", SPOIL_NULL, 0, 0, NULL, VALUE_, "q_out", "NULL", "want a tensor"},
  {"ql_nope of rank 2", ON_BOTH, "ql_nope", SPOIL_RANK, 0, 2, NULL, VALUE_, "ql_nope", "rank is 2", "want 3"},
  {"q_out of rank 4", ON_BOTH, "q_out", SPOIL_RANK, 0, 4, NULL, VALUE_, "q_out", "rank is 4", "want 3"},
  {"tokens of q_pe", ON_BOTH, "q_pe", SPOIL_SIZE, 0, 2, NULL, VALUE_, "q_pe", "(num_tokens) is 2", "want 3 as in ql_nope"},
  {"heads of q_out", ON_BOTH, "q_out", SPOIL_SIZE, 1, 1, NULL, VALUE_, "q_out", "has 1 heads", "want at least 2 (the heads of ql_nope)"},
  {"heads of q_pe", ON_BOTH, "q_pe", SPOIL_SIZE, 1, 3, NULL, VALUE_, "q_pe", "(num_heads) is 3", "want 2 as in ql_nope"},
  {"width of q_out", ON_BOTH, "q_out", SPOIL_SIZE, 2, 31, NULL, VALUE_, "q_out", "(nope_dim + rope_dim) is 31", "want 32 as in ql_nope and q_pe"},
  {"negative width", ON_BOTH, "q_pe", SPOIL_SIZE, 2, -8, NULL, VALUE_, "q_pe", "is -8", "want 0 or more"},
  {"stride of ql_nope", ON_BOTH, "ql_nope", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "ql_nope", "stride of dimension 2 (nope_dim) is 2", "want 1"},
  {"stride of q_pe", ON_BOTH, "q_pe", SPOIL_STRIDE, 2, 0, NULL, VALUE_, "q_pe", "stride of dimension 2 (rope_dim) is 0", "want 1"},
  {"stride of q_out", ON_BOTH, "q_out", SPOIL_STRIDE, 2, -1, NULL, VALUE_, "q_out", "is -1", "want 1"},
  {"overlapping q_out", ON_BOTH, "q_out", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "q_out", "stride of dimension 1 (num_heads) is 0", "do not overlap"},
  {"ql_nope is int16", ON_BOTH, "ql_nope", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "ql_nope", "dtype is int16", "want float32, float16, bfloat16"},
  {"q_pe is float16", ON_BOTH, "q_pe", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "q_pe", "dtype is float16", "want bfloat16"},
  {"q_out is float32", ON_BOTH, "q_out", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "q_out", "dtype is float32", "want bfloat16"},
  {"q_pe on CUDA", ON_CPU, "q_pe", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "q_pe", "on CUDA device 0", "want the CPU"},
  {"q_out on the CPU", ON_CUDA, "q_out", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "q_out", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "q_out", SPOIL_DATA, 0, 0, NULL, VALUE_, "q_out", "data is NULL", "want an address"},
  {"odd address", ON_BOTH, "ql_nope", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "ql_nope", "not a multiple", "2 bytes"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (need_backend()) {
    op_call_test_overlap(build, &small, typed, "q_out", "ql_nope");
    op_call_test_overlap(build, &small, typed, "q_out", "q_pe");
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  char address[64];
  const kvf_view view = {.data = address, .stride = {32, 16, 1}};
  const kvf_concat_mla_q_params good = {.ql_nope = view,
                                        .q_pe = view,
                                        .q_out = view,
                                        .num_tokens = 1,
                                        .num_heads = 1,
                                        .nope_bytes = 16,
                                        .rope_bytes = 16};
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_concat_mla_q_params params;
    const char *member;
  } rows[] = {{good, "ql_nope"},   {good, "q_pe"},       {good, "q_out"},     {good, "num_tokens"},
              {good, "num_heads"}, {good, "nope_bytes"}, {good, "rope_bytes"}};
  rows[0].params.ql_nope.data = NULL;
  rows[1].params.q_pe.data = NULL;
  rows[2].params.q_out.data = NULL;
  rows[3].params.num_tokens = -1;
  rows[4].params.num_heads = -1;
  rows[5].params.nope_bytes = -1;
  rows[6].params.rope_bytes = -1;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_concat_mla_q(NULL, variant, &rows[i].params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_concat_mla_q(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo concat_mla_q_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"rows beyond 2^31", test_far},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
