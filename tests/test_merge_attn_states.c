/* merge_attn_states: every element against double arithmetic, and every byte of memory. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_merge_attn_states)

enum {
  OUTPUT,
  OUTPUT_LSE,
  PREFIX,
  PREFIX_LSE,
  SUFFIX,
  SUFFIX_LSE,
  PREFILL,
  OUTPUT_SCALE,
  BASE2,
  ARGUMENTS_OF_OP
};

enum {
  TOKENS_AXIS,
  HEADS_AXIS,
  SIZE_AXIS,
  SUFFIXES_AXIS,
  LAYOUT_AXIS,
  LSE_LAYOUT,
  OFFSET,
  PREFILL_AXIS,
  BASE_AXIS,
  ALIAS_AXIS,
  WITH_LSE,
  LEVELS,
  ENTRY_AXIS,
  EXEC_AXIS,
  AXES_OF_OP
};

static const int64_t tokens[] = {0, 1, 2, 17, 64};
static const int64_t heads[] = {0, 1, 3, 8};
static const int64_t head_sizes[] = {0, 1, 8, 20, 64, 128, 300, 576};
/* 0 stands for one suffix of rank 3. */
static const int64_t suffixes[] = {0, 1, 2, 7, 40};
static const int64_t prefills[] = {-1, 0, 1, 1000}; /* at most the tokens */
/* Token, head, element from slowest to fastest, and the elements left out behind each. */
static const struct {
  const char *order;
  int64_t inner;
  int64_t pad;
} layouts[] = {{"012", 1, 0}, {"102", 1, 0}, {"012", 1, 3}, {"120", 1, 0}, {"012", 2, 8}};
static const int offsets[] = {0, 4, 8, 2};

enum { APART, IN_PREFIX, IN_SUFFIX, ALIASES };
/* Log-sum-exps: near each other, far apart, or anything, infinities and NaN included. */
enum { NEAR, FAR, ANY, LEVEL_KINDS };

typedef struct merge_case {
  const kvf_variant *variant;
  int64_t tokens, heads, size, suffixes, prefill;
  int layout, lse_layout, offset, alias, levels, entry;
  bool base2, with_lse, with_exec;
  uint64_t seed;
} merge_case;

static kvf_dtype scalar_of(const merge_case *what) { return (kvf_dtype)what->variant->values[0]; }
static kvf_dtype out_of(const merge_case *what) { return (kvf_dtype)what->variant->values[1]; }
static bool holds_codes(const merge_case *what) { return out_of(what) != scalar_of(what); }
static int64_t count_of(const merge_case *what) { return what->suffixes ? what->suffixes : 1; }
static int64_t prefill_of(const merge_case *what) {
  return what->prefill > what->tokens ? what->tokens : what->prefill;
}
/* Where an output can be: codes are no elements of the parts, and several suffixes no output. */
static int alias_of(const merge_case *what) {
  return holds_codes(what) || (what->alias == IN_SUFFIX && what->suffixes > 0) ? APART
                                                                               : what->alias;
}

static float level(int kind, uint64_t *state) {
  static const float special[] = {-INFINITY, INFINITY, -INFINITY, NAN, 0.0f, -3e38f, 3e38f, 88.0f};
  const float normal = (float)random_normal(state);
  if (kind == ANY && random_below(state, 2)) {
    return special[random_below(state, TEST_COUNT(special))];
  }
  return kind == FAR ? 40 * normal : normal;
}

/* Values of a part, and its lse; what an empty part holds is NaN. */
static void fill_part(op_call *call, const merge_case *what, int which, int64_t part,
                      uint64_t *state) {
  static const uint8_t nan[4] = {0xFF, 0xFF, 0xFF, 0x7F};
  static const uint8_t nan16[2] = {0xFF, 0x7F};
  const bool several = which == SUFFIX && what->suffixes > 0;
  for (int64_t t = 0; t < what->tokens; ++t) {
    for (int64_t h = 0; h < what->heads; ++h) {
      const operand *lses = &call->operands[which + 1];
      const float lse = level(what->levels, state);
      memcpy(several ? operand_at(lses, part, h, t, 0) : operand_at(lses, h, t, 0, 0), &lse, 4);
      for (int64_t d = 0; d < what->size; ++d) {
        const operand *parts = &call->operands[which];
        uint8_t *to = several ? operand_at(parts, part, t, h, d) : operand_at(parts, t, h, d, 0);
        oracle_make(scalar_of(what), random_normal(state), to);
        if (isinf(lse)) {
          memcpy(to, scalar_of(what) == KVF_F32 ? nan : nan16,
                 (size_t)kvf_dtype_bits(scalar_of(what)) / 8);
        }
      }
    }
  }
}

static void make_lse(op_call *call, const merge_case *what, int position, int64_t count) {
  static const char *const orders[] = {"01", "10", "012", "021"};
  const int64_t shape[3] = {count, what->heads, what->tokens};
  int64_t stride[3];
  const int32_t rank = count > 0 ? 3 : 2;
  lay_out(stride, shape + 3 - rank, orders[what->lse_layout % 2 + (rank == 3 ? 2 : 0)], 1,
          what->lse_layout / 2 * 3);
  operand_make(call, position, dl_dtype(KVF_F32), rank, shape + 3 - rank, stride, 0, 64,
               what->seed + (uint64_t)position);
}

static void make_part(op_call *call, const merge_case *what, int position, kvf_dtype dtype,
                      int64_t count) {
  static const char *const with_suffix[] = {"0123", "0213", "1023", "0231", "0123"};
  const int64_t shape[4] = {count, what->tokens, what->heads, what->size};
  int64_t stride[4];
  const int32_t rank = count > 0 ? 4 : 3;
  const int bytes = kvf_dtype_bits(dtype) / 8;
  lay_out(stride, shape + 4 - rank,
          rank == 4 ? with_suffix[what->layout] : layouts[what->layout].order,
          layouts[what->layout].inner, layouts[what->layout].pad);
  operand_make(call, position, dl_dtype(dtype), rank, shape + 4 - rank, stride,
               offsets[what->offset] / bytes * bytes, 64, what->seed + (uint64_t)position);
}

static void build(op_call *call, const void *context) {
  const merge_case *what = context;
  uint64_t state = what->seed;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  make_part(call, what, PREFIX, scalar_of(what), 0);
  make_lse(call, what, PREFIX_LSE, 0);
  make_part(call, what, SUFFIX, scalar_of(what), what->suffixes);
  make_lse(call, what, SUFFIX_LSE, what->suffixes);
  const int alias = alias_of(what);
  if (alias == APART) {
    make_part(call, what, OUTPUT, out_of(what), 0);
  } else {
    const int from = alias == IN_PREFIX ? PREFIX : SUFFIX;
    const tensor *view = &call->operands[from].view;
    operand_share(call, OUTPUT, from, 0, 3, view->shape, view->stride);
  }
  if (what->with_lse && alias == APART) {
    make_lse(call, what, OUTPUT_LSE, 0);
  } else if (what->with_lse) {
    const int from = alias == IN_PREFIX ? PREFIX_LSE : SUFFIX_LSE;
    const tensor *view = &call->operands[from].view;
    operand_share(call, OUTPUT_LSE, from, 0, 2, view->shape, view->stride);
  }
  fill_part(call, what, PREFIX, 0, &state);
  for (int64_t part = 0; part < count_of(what); ++part) {
    fill_part(call, what, SUFFIX, part, &state);
  }
  if (holds_codes(what)) {
    const float scale = 0.02f;
    operand_make(call, OUTPUT_SCALE, dl_dtype(KVF_F32), 0, NULL, NULL, 0, 64, what->seed);
    memcpy(operand_at(&call->operands[OUTPUT_SCALE], 0, 0, 0, 0), &scale, 4);
  }
  call->values[PREFILL] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = prefill_of(what)};
  call->values[BASE2] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = what->base2};
}

/* What a head of a token comes to. */
typedef struct merged {
  double weights[64];
  int parts, filled, last; /* all, those that are not empty, one of these */
  double lse;
} merged;

static double lse_at(const op_call *call, const merge_case *what, int part, int64_t t, int64_t h) {
  const int64_t prefill = prefill_of(what);
  if (part == 0 && prefill >= 0 && t >= prefill) {
    return -INFINITY;
  }
  const operand *lses = &call->operands[part == 0 ? PREFIX_LSE : SUFFIX_LSE];
  const double lse =
      oracle_value(KVF_F32, part > 0 && what->suffixes > 0 ? operand_at(lses, part - 1, h, t, 0)
                                                           : operand_at(lses, h, t, 0, 0));
  return lse == INFINITY ? -INFINITY : lse;
}

static void weigh(const op_call *call, const merge_case *what, int64_t t, int64_t h, merged *to) {
  double largest = -INFINITY;
  double total = 0;
  *to = (merged){.parts = (int)count_of(what) + 1};
  for (int part = 0; part < to->parts; ++part) {
    largest = fmax(largest, lse_at(call, what, part, t, h)); /* NaN is no number */
  }
  for (int part = 0; part < to->parts; ++part) {
    const double lse = lse_at(call, what, part, t, h);
    if (lse == -INFINITY) {
      continue;
    }
    ++to->filled;
    to->last = part;
    to->weights[part] = what->base2 ? exp2(lse - largest) : exp(lse - largest);
    total += to->weights[part];
  }
  for (int part = 0; part < to->parts && total != 0; ++part) {
    to->weights[part] /= total;
  }
  to->lse = total == 0 ? -INFINITY : largest + (what->base2 ? log2(total) : log(total));
}

static const uint8_t *part_at(const op_call *call, const merge_case *what, int part, int64_t t,
                              int64_t h, int64_t d) {
  const operand *parts = &call->operands[part == 0 ? PREFIX : SUFFIX];
  return part > 0 && what->suffixes > 0 ? operand_at(parts, part - 1, t, h, d)
                                        : operand_at(parts, t, h, d, 0);
}

/* A result as the output holds it. */
static void store(const merge_case *what, double value, uint8_t *element) {
  if (holds_codes(what)) {
    *element = oracle_fp8(out_of(what), (float)value / 0.02f);
  } else {
    oracle_round(out_of(what), value, element);
  }
}

/* Whether an element is one that a value within `bound` of `want` is stored as. */
static bool is_near(const merge_case *what, const uint8_t *got, double want, double bound) {
  uint8_t low[4] = {0};
  uint8_t high[4] = {0};
  store(what, want - bound, low);
  store(what, want + bound, high);
  const double value = oracle_value(out_of(what), got);
  if (isnan(want)) {
    return memcmp(got, low, (size_t)kvf_dtype_bits(out_of(what)) / 8) == 0;
  }
  return oracle_value(out_of(what), low) <= value && value <= oracle_value(out_of(what), high);
}

/* Checks a row, and takes what is right into the expected image. */
static void check_row(const op_call *call, const merge_case *what, const char *name, int64_t t,
                      int64_t h, const uint8_t *now, const uint8_t *lses) {
  const size_t bytes = (size_t)kvf_dtype_bits(out_of(what)) / 8;
  const operand *output = &call->operands[OUTPUT];
  merged row;
  weigh(call, what, t, h, &row);
  for (int64_t d = 0; d < what->size; ++d) {
    double want = 0;
    double magnitude = 0;
    for (int part = 0; part < row.parts; ++part) {
      if (lse_at(call, what, part, t, h) != -INFINITY) {
        const double term =
            row.weights[part] * oracle_value(scalar_of(what), part_at(call, what, part, t, h, d));
        want += term;
        magnitude += fabs(term);
      }
    }
    uint8_t *expected = operand_at(output, t, h, d, 0);
    const uint8_t *got = now + (expected - output->view.memory->expected);
    const int steps = row.parts > 2 ? row.parts : 2;
    const double bound = row.filled < 2 ? 0 : steps * (magnitude * 0x1p-23 + 0x1p-149);
    if (EXPECT(is_near(what, got, want, bound),
               "%s: token %lld, head %lld, element %lld is %.9g, want %.9g within %.3g", name,
               (long long)t, (long long)h, (long long)d, oracle_value(out_of(what), got), want,
               bound)) {
      memcpy(expected, got, bytes);
    }
  }
  if (what->with_lse) {
    uint8_t *expected = operand_at(&call->operands[OUTPUT_LSE], h, t, 0, 0);
    const uint8_t *got = lses + (expected - call->operands[OUTPUT_LSE].view.memory->expected);
    const merge_case plain = {.variant = &OP->variants[0]}; /* f32 */
    if (EXPECT(is_near(&plain, got, row.lse, isinf(row.lse) ? 0 : 1e-9 * (1 + fabs(row.lse))),
               "%s: lse of token %lld, head %lld is %.9g, want %.9g", name, (long long)t,
               (long long)h, oracle_value(KVF_F32, got), row.lse)) {
      memcpy(expected, got, 4);
    }
  }
}

static void check_all(const op_call *call, const merge_case *what, const char *name) {
  uint8_t *now = buffer_contents(call->operands[OUTPUT].view.memory);
  uint8_t *lses = what->with_lse ? buffer_contents(call->operands[OUTPUT_LSE].view.memory) : NULL;
  for (int64_t t = 0; t < what->tokens; ++t) {
    for (int64_t h = 0; h < what->heads; ++h) {
      check_row(call, what, name, t, h, now, lses);
    }
  }
  free(now);
  free(lses);
}

static const DLTensor *given(const kvf_value *values, int position) {
  return values[position].kind == KVF_KIND_NONE ? NULL : values[position].as.tensor;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_merge_attn_states(exec, (DLTensor *)given(values, OUTPUT),
                               (DLTensor *)given(values, OUTPUT_LSE), given(values, PREFIX),
                               given(values, PREFIX_LSE), given(values, SUFFIX),
                               given(values, SUFFIX_LSE), values[PREFILL].as.integer,
                               given(values, OUTPUT_SCALE), values[BASE2].as.boolean);
}

/* As one suffix is a view of several. */
static kvf_view in_several(const operand *from, bool several) {
  const kvf_view view = operand_view(from);
  return several ? view
                 : (kvf_view){view.data, {0, view.stride[0], view.stride[1], view.stride[2]}};
}

static kvf_status raw(const op_call *call, const merge_case *what) {
  const int64_t prefill = prefill_of(what);
  kvf_merge_attn_states_params params = {
      .output = operand_view(&call->operands[OUTPUT]),
      .prefix_output = operand_view(&call->operands[PREFIX]),
      .prefix_lse = operand_view(&call->operands[PREFIX_LSE]),
      .suffix_output = in_several(&call->operands[SUFFIX], what->suffixes > 0),
      .suffix_lse = in_several(&call->operands[SUFFIX_LSE], what->suffixes > 0),
      .num_suffixes = count_of(what),
      .num_tokens = what->tokens,
      .num_heads = what->heads,
      .head_size = what->size,
      .prefill_tokens = prefill < 0 ? what->tokens : prefill,
      .lse_base2 = what->base2,
      .vector_elements = -1,
      .streaming = -1,
  };
  if (what->with_lse) {
    params.output_lse = operand_view(&call->operands[OUTPUT_LSE]);
  }
  if (holds_codes(what)) {
    params.output_scale = operand_view(&call->operands[OUTPUT_SCALE]);
  }
  return kvf_launch_merge_attn_states(call->given_exec, what->variant, &params);
}

static void run(const merge_case *what) {
  char name[200];
  (void)snprintf(name, sizeof name,
                 "%s, %lld tokens, %lld heads of %lld, %lld suffixes, %lld with a prefix, layout "
                 "%d, alias %d, levels %d, seed %llu",
                 what->variant->symbol, (long long)what->tokens, (long long)what->heads,
                 (long long)what->size, (long long)what->suffixes, (long long)prefill_of(what),
                 what->layout, alias_of(what), what->levels, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = what->entry == ENTRY_RAW
                                ? raw(&call, what)
                                : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  if (expect_done(options.backend, status, before, 0, name)) {
    check_all(&call, what, name);
    (void)op_call_verify(&call, name);
  }
  op_call_free(&call);
  count_case(what->variant);
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static double elements(const covering_row *row, const void *context) {
  (void)context;
  return (double)((suffixes[row->value[SUFFIXES_AXIS]] + 2) * tokens[row->value[TOKENS_AXIS]] *
                  heads[row->value[HEADS_AXIS]] * (head_sizes[row->value[SIZE_AXIS]] + 1));
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const covering plan = {
      .num_axes = AXES_OF_OP,
      .sizes = {TEST_COUNT(tokens), TEST_COUNT(heads), TEST_COUNT(head_sizes), TEST_COUNT(suffixes),
                TEST_COUNT(layouts), 4, TEST_COUNT(offsets), TEST_COUNT(prefills), 2, ALIASES, 2,
                LEVEL_KINDS, ENTRIES, 2},
      .cost = elements,
      .limit = options.exhaustive ? 1e9 : 60e3,
  };
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    int count = 0;
    covering_row *rows = covering_make(&plan, options.seed + (uint64_t)v, &count);
    for (int i = 0; wanted(&OP->variants[v]) && i < count; ++i) {
      const int *value = rows[i].value;
      run(&(merge_case){.variant = &OP->variants[v],
                        .tokens = tokens[value[TOKENS_AXIS]],
                        .heads = heads[value[HEADS_AXIS]],
                        .size = head_sizes[value[SIZE_AXIS]],
                        .suffixes = suffixes[value[SUFFIXES_AXIS]],
                        .prefill = prefills[value[PREFILL_AXIS]],
                        .layout = value[LAYOUT_AXIS],
                        .lse_layout = value[LSE_LAYOUT],
                        .offset = value[OFFSET],
                        .alias = value[ALIAS_AXIS],
                        .levels = value[LEVELS],
                        .entry = value[ENTRY_AXIS],
                        .base2 = value[BASE_AXIS],
                        .with_lse = value[WITH_LSE],
                        .with_exec = value[EXEC_AXIS],
                        .seed = options.seed + (uint64_t)i});
    }
    free(rows);
  }
}

/* Past the point where the CPU stores past its caches and takes more than one thread. */
static void test_large(void) {
  for (int32_t v = 0; need_backend() && v < OP->num_variants; ++v) {
    if (wanted(&OP->variants[v])) {
      run(&(merge_case){.variant = &OP->variants[v],
                        .tokens = options.backend == KVF_CPU ? 700 : 40,
                        .heads = 16,
                        .size = 128,
                        .prefill = -1,
                        .with_lse = true,
                        .seed = options.seed});
    }
  }
}

/* As many parts as there may be, in a block of threads that has room for few rows of weights. */
static void test_many_parts(void) {
  enum { SUFFIXES = 1023, SIZE = 8 };
  if (!need_backend()) {
    return;
  }
  if (!kvf_variant_built(kvf_find_variant(options.backend == KVF_CUDA
                                              ? "kvf_cuda_merge_attn_states__f32__f32"
                                              : "kvf_cpu_merge_attn_states__f32__f32"))) {
    skip_test("f32 to f32 is not built");
    return;
  }
  op_call call = {.op = OP, .exec = {.backend = options.backend}};
  const int64_t part[4] = {SUFFIXES, 1, 2, SIZE};
  const int64_t lse[3] = {SUFFIXES, 2, 1};
  const int64_t part_stride[4] = {2 * SIZE, 2 * SIZE, SIZE, 1};
  const int64_t lse_stride[3] = {2, 1, 1};
  const DLDataType f32 = dl_dtype(KVF_F32);
  operand_make(&call, OUTPUT, f32, 3, part + 1, part_stride + 1, 0, 64, 1);
  operand_make(&call, OUTPUT_LSE, f32, 2, lse + 1, lse_stride + 1, 0, 64, 2);
  operand_make(&call, PREFIX, f32, 3, part + 1, part_stride + 1, 0, 64, 3);
  operand_make(&call, PREFIX_LSE, f32, 2, lse + 1, lse_stride + 1, 0, 64, 4);
  operand_make(&call, SUFFIX, f32, 4, part, part_stride, 0, 64, 5);
  operand_make(&call, SUFFIX_LSE, f32, 3, lse, lse_stride, 0, 64, 6);
  call.values[PREFILL] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = -1};
  call.values[BASE2] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = true};
  /* All weigh the same, and each is 1: so is their mean, exactly, and the lse grows by 10. */
  const float one = 1.0f;
  const float start = 5.0f;
  const float end = 15.0f;
  for (int64_t h = 0; h < 2; ++h) {
    for (int64_t i = 0; i <= SUFFIXES; ++i) {
      const operand *to = &call.operands[i ? SUFFIX_LSE : PREFIX_LSE];
      memcpy(i ? operand_at(to, i - 1, h, 0, 0) : operand_at(to, h, 0, 0, 0), &start, 4);
      for (int64_t d = 0; d < SIZE; ++d) {
        const operand *values = &call.operands[i ? SUFFIX : PREFIX];
        memcpy(i ? operand_at(values, i - 1, 0, h, d) : operand_at(values, 0, h, d, 0), &one, 4);
      }
    }
  }
  op_call_upload(&call);
  for (int64_t h = 0; h < 2; ++h) {
    memcpy(operand_at(&call.operands[OUTPUT_LSE], h, 0, 0, 0), &end, 4);
    for (int64_t d = 0; d < SIZE; ++d) {
      memcpy(operand_at(&call.operands[OUTPUT], 0, h, d, 0), &one, 4);
    }
  }
  const kvf_status status = op_call_invoke(&call, typed);
  (void)expect_done(options.backend, status, faults_before(options.backend), 0, "1024 parts");
  (void)op_call_verify(&call, "1024 parts");
  op_call_free(&call);
  count_case(NULL);
}

/* Rows that lie beyond 2^31 bytes. */
static void test_far(void) {
  enum { SIZE = 16, USED = 3 };
  static const int used[USED] = {OUTPUT, PREFIX, SUFFIX};
  if (!need_backend()) {
    return;
  }
  const int64_t far = (INT64_C(1) << 31) + 64;
  op_call call = {.op = OP, .exec = {.backend = options.backend}};
  region memory[USED] = {{.size = 0}};
  buffer place[USED];
  bool made = true;
  for (int i = 0; i < USED; ++i) {
    made = made && region_make(&memory[i], options.backend, (size_t)(2 * (far + 4 * SIZE)));
    place[i] = (buffer){.backend = options.backend, .place = memory[i].place};
    call.operands[used[i]].view = (tensor){.memory = &place[i],
                                           .dtype = dl_dtype(KVF_BF16),
                                           .rank = 3,
                                           .shape = {2, 1, SIZE},
                                           .stride = {far, SIZE, 1}};
  }
  const int64_t shape[2] = {1, 2};
  const int64_t stride[2] = {2, 1};
  operand_make(&call, PREFIX_LSE, dl_dtype(KVF_F32), 2, shape, stride, 0, 64, 1);
  operand_make(&call, SUFFIX_LSE, dl_dtype(KVF_F32), 2, shape, stride, 0, 64, 2);
  const float lses[2][2] = {{0.0f, -INFINITY}, {-INFINITY, 0.0f}};
  for (int64_t t = 0; t < 2; ++t) {
    memcpy(operand_at(&call.operands[PREFIX_LSE], 0, t, 0, 0), &lses[0][t], 4);
    memcpy(operand_at(&call.operands[SUFFIX_LSE], 0, t, 0, 0), &lses[1][t], 4);
  }
  call.values[PREFILL] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = -1};
  call.values[BASE2] = (kvf_value){.kind = KVF_KIND_BOOL};
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    buffer_upload(&call.operands[PREFIX_LSE].memory);
    buffer_upload(&call.operands[SUFFIX_LSE].memory);
    uint16_t values[2][SIZE];
    for (int t = 0; t < 2; ++t) {
      for (int d = 0; d < SIZE; ++d) {
        values[t][d] = (uint16_t)(0x3F80 + 100 * t + d);
      }
      region_put(&memory[t ? 2 : 1], 2 * t * far, values[t], sizeof values[t]);
    }
    const kvf_status status = op_call_invoke(&call, typed);
    (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
    for (int t = 0; t < 2; ++t) {
      uint16_t got[SIZE];
      region_get(&memory[0], 2 * t * far, got, sizeof got);
      EXPECT(memcmp(got, values[t], sizeof got) == 0, "far row %d is wrong", t);
    }
    count_case(NULL);
  }
  for (int i = 0; i < USED; ++i) {
    region_free(&memory[i]);
    call.operands[used[i]].view.memory = NULL;
  }
  op_call_free(&call);
}

static const kvf_variant *variant_of(kvf_dtype scalar, kvf_dtype out) {
  return kvf_select(OP, options.backend, scalar, out);
}

static merge_case small(kvf_dtype out) {
  return (merge_case){.variant = variant_of(KVF_BF16, out),
                      .tokens = 3,
                      .heads = 2,
                      .size = 16,
                      .suffixes = 2,
                      .prefill = -1,
                      .with_lse = true,
                      .seed = 7};
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no output", ON_BOTH, "output", SPOIL_NULL, 0, 0, NULL, VALUE_, "output", "NULL", "want a tensor"},
  {"no prefix", ON_BOTH, "prefix_output", SPOIL_NULL, 0, 0, NULL, VALUE_, "prefix_output", "NULL", "want a tensor"},
  {"no lse of the prefix", ON_BOTH, "prefix_lse", SPOIL_NULL, 0, 0, NULL, VALUE_, "prefix_lse", "NULL", "want a tensor"},
  {"no suffix", ON_BOTH, "suffix_output", SPOIL_NULL, 0, 0, NULL, VALUE_, "suffix_output", "NULL", "want a tensor"},
  {"no lse of the suffixes", ON_BOTH, "suffix_lse", SPOIL_NULL, 0, 0, NULL, VALUE_, "suffix_lse", "NULL", "want a tensor"},
  {"output of rank 2", ON_BOTH, "output", SPOIL_RANK, 0, 2, NULL, VALUE_, "output", "rank is 2", "want 3"},
  {"prefix of rank 4", ON_BOTH, "prefix_output", SPOIL_RANK, 0, 4, NULL, VALUE_, "prefix_output", "rank is 4", "want 3"},
  {"suffix of rank 2", ON_BOTH, "suffix_output", SPOIL_RANK, 0, 2, NULL, VALUE_, "suffix_output", "rank is 2", "want 3"},
  {"lse of one suffix", ON_BOTH, "suffix_lse", SPOIL_RANK, 0, 2, NULL, VALUE_, "suffix_lse", "rank is 2", "want 3"},
  {"tokens of the suffixes", ON_BOTH, "suffix_output", SPOIL_SIZE, 1, 2, NULL, VALUE_, "suffix_output", "(num_tokens) is 2", "want 3 as in prefix_output"},
  {"heads of the lse", ON_BOTH, "prefix_lse", SPOIL_SIZE, 0, 1, NULL, VALUE_, "prefix_lse", "(num_heads) is 1", "want 2 as in prefix_output"},
  {"suffixes of the lse", ON_BOTH, "suffix_lse", SPOIL_SIZE, 0, 1, NULL, VALUE_, "suffix_lse", "(num_suffixes) is 1", "want 2 as in suffix_output"},
  {"head size of output", ON_BOTH, "output", SPOIL_SIZE, 2, 8, NULL, VALUE_, "output", "(head_size) is 8", "want 16 as in prefix_output"},
  {"tokens of output_lse", ON_BOTH, "output_lse", SPOIL_SIZE, 1, 2, NULL, VALUE_, "output_lse", "(num_tokens) is 2", "want 3 as in prefix_output"},
  {"prefix is int16", ON_BOTH, "prefix_output", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "prefix_output", "dtype is int16", "want float32, float16, bfloat16"},
  {"suffix is float16", ON_BOTH, "suffix_output", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "suffix_output", "dtype is float16", "want bfloat16"},
  {"lse is float16", ON_BOTH, "suffix_lse", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "suffix_lse", "dtype is float16", "want float32"},
  {"output is float32", ON_BOTH, "output", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "output", "dtype is float32", "want bfloat16"},
  {"output_lse is int32", ON_BOTH, "output_lse", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "output_lse", "dtype is int32", "want float32"},
  {"tokens of output overlap", ON_BOTH, "output", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "output", "stride of dimension 0 (num_tokens) is 0", "do not overlap"},
  {"more prefixes than tokens", ON_BOTH, "prefill_tokens_with_context", SPOIL_INT, 0, 4, NULL, VALUE_, "prefill_tokens_with_context", "got 4", "want at most 3"},
  {"suffix on CUDA", ON_CPU, "suffix_output", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "suffix_output", "on CUDA device 0", "want the CPU"},
  {"output on the CPU", ON_CUDA, "output", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "output", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "output", SPOIL_DATA, 0, 0, NULL, VALUE_, "output", "data is NULL", "want an address"},
  {"odd address", ON_BOTH, "prefix_lse", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "prefix_lse", "not a multiple", "4 bytes"},
};
static const bad_argument bad_codes[] = {
  {"codes without a scale", ON_BOTH, "output_scale", SPOIL_NULL, 0, 0, NULL, TYPE, "output", "float8_e4m3fn", "want bfloat16"},
  {"a scale for floats", ON_BOTH, "output", SPOIL_DTYPE, kDLBfloat, 16, NULL, TYPE, "output", "dtype is bfloat16", "want float8_e4m3fn or uint8"},
  {"two scales", ON_BOTH, "output_scale", SPOIL_RANK, 0, 2, NULL, VALUE_, "output_scale", "rank is 2", "want 0 or 1"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const merge_case plain = small(KVF_BF16);
  const merge_case codes = small(KVF_FP8_E4M3);
  static const char *const read[] = {"prefix_output", "prefix_lse", "suffix_output", "suffix_lse"};
  if (plain.variant == NULL || codes.variant == NULL) {
    skip_test("not built for bf16");
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(read); ++i) {
    if (i != 0) { /* the same elements are no overlap */
      op_call_test_overlap(build, &plain, typed, "output", read[i]);
    }
    if (i != 1) {
      op_call_test_overlap(build, &plain, typed, "output_lse", read[i]);
    }
  }
  op_call_test_overlap(build, &plain, typed, "output", "output_lse");
  op_call_test_bad(build, &plain, typed, bad, TEST_COUNT(bad));
  op_call_test_bad(build, &codes, typed, bad_codes, TEST_COUNT(bad_codes));
  op_call_test_scales(build, &codes, typed, "output_scale", true);
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  char address[64] = {0};
  const kvf_view view = {.data = address};
  const kvf_merge_attn_states_params good = {.output = view,
                                             .prefix_output = view,
                                             .prefix_lse = view,
                                             .suffix_output = view,
                                             .suffix_lse = view,
                                             .num_suffixes = 1,
                                             .num_tokens = 1,
                                             .num_heads = 1,
                                             .head_size = 1,
                                             .prefill_tokens = 1};
  const kvf_variant *variant = variant_of(KVF_F32, KVF_F32);
  struct {
    kvf_merge_attn_states_params params;
    const char *member;
  } rows[12];
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    rows[i].params = good;
  }
  rows[0].params.output.data = NULL, rows[0].member = "output";
  rows[1].params.prefix_output.data = NULL, rows[1].member = "prefix_output";
  rows[2].params.prefix_lse.data = NULL, rows[2].member = "prefix_lse";
  rows[3].params.suffix_output.data = NULL, rows[3].member = "suffix_output";
  rows[4].params.suffix_lse.data = NULL, rows[4].member = "suffix_lse";
  rows[5].params.num_suffixes = -1, rows[5].member = "num_suffixes";
  rows[6].params.num_suffixes = 1024, rows[6].member = "want at most 1023";
  rows[7].params.num_tokens = -1, rows[7].member = "num_tokens";
  rows[8].params.num_heads = -1, rows[8].member = "num_heads";
  rows[9].params.head_size = -1, rows[9].member = "head_size";
  rows[10].params.prefill_tokens = -1, rows[10].member = "prefill_tokens";
  rows[11].params.prefill_tokens = 2, rows[11].member = "prefill_tokens_with_context";
  if (variant == NULL || !kvf_variant_built(variant)) {
    skip_test("not built for f32");
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_merge_attn_states(NULL, variant, &rows[i].params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_merge_attn_states(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo merge_attn_states_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"as many parts as there may be", test_many_parts},
    {"rows beyond 2^31", test_far},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
