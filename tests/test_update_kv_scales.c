/* update_kv_scales: both scales against a loop over elements. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operands.h"
#include "oracle.h"
#include "writer.h"

#define OP (&kvf_op_update_kv_scales)

enum { OF_KEY, OF_VALUE, OF_K, OF_V, OF_DIVISOR };
enum { DENSE, ALIGNED_GAPS, GAPS, HEADS_FIRST, EVERY_OTHER, LAYOUTS_OF_OP };

typedef struct scales_case {
  const kvf_variant *variant;
  int64_t tokens, heads, sizes[2];
  int layout;
  float held[2]; /* before */
  float wild;    /* an element of both, in the middle; 0: none */
  double divisor;
  int entry;
  bool with_exec;
  uint64_t seed;
} scales_case;

static void build(op_call *call, const void *context) {
  const scales_case *what = context;
  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[] = {{"012", 1, 0}, {"012", 1, 16}, {"012", 1, 3}, {"102", 1, 0}, {"012", 2, 1}};
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  for (int side = 0; side < 2; ++side) {
    const int64_t shape[3] = {what->tokens, what->heads, what->sizes[side]};
    int64_t stride[3];
    lay_out(stride, shape, layouts[what->layout].order, layouts[what->layout].inner,
            layouts[what->layout].pad);
    operand_make(call, OF_KEY + side, dl_dtype(scalar), 3, shape, stride, 0, 64,
                 what->seed + (uint64_t)side);
    operand *source = &call->operands[OF_KEY + side];
    uint64_t state = what->seed + 7 + (uint64_t)side;
    for (int64_t i = 0; i < what->tokens * what->heads * what->sizes[side]; ++i) {
      const int64_t size = what->sizes[side];
      const bool is_wild =
          i == what->tokens * what->heads * size / 2 && (what->wild != 0.0f || isnan(what->wild));
      oracle_make(scalar, is_wild ? (double)what->wild : random_normal(&state),
                  operand_at(source, i / size / what->heads, i / size % what->heads, i % size, 0));
    }
    operand_make(call, OF_K + side, dl_dtype(KVF_F32), side, (int64_t[]){1}, (int64_t[]){1}, 4, 16,
                 what->seed + 3);
    memcpy(operand_at(&call->operands[OF_K + side], 0, 0, 0, 0), &what->held[side], 4);
  }
  call->values[OF_DIVISOR] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = what->divisor};
}

static void expect_raised(const op_call *call, const scales_case *what) {
  for (int side = 0; side < 2; ++side) {
    double largest = 0.0;
    for (int64_t i = 0; i < what->tokens * what->heads * what->sizes[side]; ++i) {
      const int64_t size = what->sizes[side];
      const double element =
          oracle_value(kvf_scalar_of(what->variant),
                       operand_at(&call->operands[OF_KEY + side], i / size / what->heads,
                                  i / size % what->heads, i % size, 0));
      largest = fabs(element) > largest ? fabs(element) : largest;
    }
    uint8_t *scale = operand_at(&call->operands[OF_K + side], 0, 0, 0, 0);
    const float raised = (float)largest / (float)what->divisor;
    float held;
    memcpy(&held, scale, sizeof held);
    if (raised > 0.0f && held < raised) { /* false of a NaN */
      memcpy(scale, &raised, sizeof raised);
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_update_kv_scales(exec, values[OF_KEY].as.tensor, values[OF_VALUE].as.tensor,
                              (DLTensor *)values[OF_K].as.tensor,
                              (DLTensor *)values[OF_V].as.tensor, values[OF_DIVISOR].as.number);
}

static kvf_update_kv_scales_params params_of(const op_call *call, const scales_case *what) {
  return (kvf_update_kv_scales_params){
      .key = operand_view(&call->operands[OF_KEY]),
      .value = operand_view(&call->operands[OF_VALUE]),
      .k_scale = operand_view(&call->operands[OF_K]),
      .v_scale = operand_view(&call->operands[OF_V]),
      .num_tokens = what->tokens,
      .num_heads = what->heads,
      .head_size = what->sizes[0],
      .value_head_size = what->sizes[1],
      .divisor = (float)what->divisor,
      .vector_elements = -1,
  };
}

static void run(const scales_case *what) {
  char name[160];
  (void)snprintf(name, sizeof name, "%s, %d tokens, %d heads of %d and %d, layout %d, entry %d",
                 what->variant->symbol, (int)what->tokens, (int)what->heads, (int)what->sizes[0],
                 (int)what->sizes[1], what->layout, what->entry);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_raised(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_update_kv_scales_params params = params_of(&call, what);
  const kvf_status status =
      what->entry == ENTRY_RAW
          ? kvf_launch_update_kv_scales(call.given_exec, what->variant, &params)
          : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(what->variant);
}

static const scales_case small = {.tokens = 3,
                                  .heads = 2,
                                  .sizes = {16, 8},
                                  .held = {0.0f, 0.0f},
                                  .divisor = 240.0,
                                  .with_exec = true,
                                  .seed = 5};

static void test_matrix(void) {
  static const int64_t tokens[] = {1, 5, 0, 33};
  static const int64_t heads[] = {2, 1, 3, 8};
  static const int64_t sizes[][2] = {{64, 64}, {128, 48}, {7, 30}, {1, 1}, {0, 16}, {16, 0}};
  static const float held[][2] = {{0.0f, 0.0f}, {1e-30f, 4.0f},    {-1.0f, 0x1p-126f},
                                  {NAN, 1e-3f}, {0.02f, INFINITY}, {-0.0f, 0.01f}};
  static const float wild[] = {0.0f, NAN, 700.0f, -900.0f, INFINITY, -INFINITY, 0.0f};
  static const double divisors[] = {240.0, 448.0, 1.0, 0x1p-126, 3e38};
  for (int i = 0; need_backend() && i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    for (int k = 0; writer_wants(variant) && k < 420; ++k) {
      run(&(scales_case){.variant = variant,
                         .tokens = tokens[k % 4],
                         .heads = heads[k / 4 % 4],
                         .sizes = {sizes[k % 6][0], sizes[k % 6][1]},
                         .layout = k % LAYOUTS_OF_OP,
                         .held = {held[k / 3 % 6][0], held[k / 3 % 6][1]},
                         .wild = wild[k % 7],
                         .divisor = divisors[k / 7 % 5],
                         .entry = k / 2 % ENTRIES,
                         .with_exec = k / 5 % 2,
                         .seed = options.seed + (uint64_t)k});
    }
  }
}

/* Many threads or blocks raise one scale. */
static void test_large(void) {
  for (int i = 0; need_backend() && i < OP->num_variants; ++i) {
    for (int layout = 0; writer_wants(&OP->variants[i]) && layout < LAYOUTS_OF_OP; ++layout) {
      scales_case what = small;
      what.variant = &OP->variants[i];
      what.layout = layout;
      what.tokens = options.backend == KVF_CPU ? 3000 : 300;
      what.sizes[0] = what.sizes[1] = 128;
      run(&what);
    }
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE
/* clang-format off */
static const bad_argument bad[] = {
  {"no key", ON_BOTH, "key", SPOIL_NULL, 0, 0, NULL, VALUE_, "key", "NULL", "want a tensor"},
  {"other tokens", ON_BOTH, "value", SPOIL_SIZE, 0, 2, NULL, VALUE_, "value", "(num_tokens) is 2", "want 3 as in key"},
  {"other heads", ON_BOTH, "value", SPOIL_SIZE, 1, 1, NULL, VALUE_, "value", "(num_heads) is 1", "want 2 as in key"},
  {"key of integers", ON_BOTH, "key", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "key", "dtype is int32", "want "},
  {"no k_scale", ON_BOTH, "k_scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_scale", "NULL", "want a tensor"},
  {"v_scale is float16", ON_BOTH, "v_scale", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "v_scale", "dtype is float16", "want float32"},
  {"two v_scales", ON_BOTH, "v_scale", SPOIL_SIZE, 0, 2, NULL, VALUE_, "v_scale", "2", "want "},
  {"value on the CPU", ON_CUDA, "value", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "value", "on the CPU", "want CUDA device 0"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  for (int i = 0; need_backend() && i < OP->num_variants; ++i) {
    if (writer_wants(&OP->variants[i])) {
      scales_case what = small;
      what.variant = &OP->variants[i];
      op_call_test_bad(build, &what, typed, bad, TEST_COUNT(bad));
      op_call_test_factor(build, &what, typed, "divisor", false);
      op_call_test_overlap(build, &what, typed, "k_scale", "key");
      op_call_test_overlap(build, &what, typed, "v_scale", "value");
    }
  }
}

static void test_bad_params(void) {
  for (int i = 0; need_backend() && i < OP->num_variants; ++i) {
    if (!writer_wants(&OP->variants[i])) {
      continue;
    }
    scales_case what = small;
    what.variant = &OP->variants[i];
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    static const char *const members[] = {"num_tokens", "num_heads", "head_size", "value_head_size",
                                          "divisor",    "key",       "value",     "k_scale",
                                          "v_scale",    "num_tokens"};
    for (int k = 0; k < (int)TEST_COUNT(members); ++k) {
      kvf_update_kv_scales_params params = params_of(&call, &what);
      int64_t *const sizes[] = {&params.num_tokens, &params.num_heads, &params.head_size,
                                &params.value_head_size};
      kvf_view *const views[] = {&params.key, &params.value, &params.k_scale, &params.v_scale};
      if (k < 4) {
        *sizes[k] = -1;
      } else if (k == 4) {
        params.divisor = 0.0f;
      } else if (k < 9) {
        views[k - 5]->data = NULL;
      } else {
        params.num_tokens = params.num_heads = params.head_size = INT64_C(1) << 40;
      }
      char part[64];
      (void)snprintf(part, sizeof part, "update_kv_scales: %s: ", members[k]);
      EXPECT_STATUS(kvf_launch_update_kv_scales(NULL, what.variant, &params), VALUE_);
      EXPECT_TEXT(kvf_last_error(), part);
      (void)op_call_verify(&call, part);
      count_case(NULL);
    }
    op_call_free(&call);
  }
}

CU_TestInfo update_kv_scales_tests[] = {
    {"every dtype, layout and scale", test_matrix},
    {"large calls", test_large},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
