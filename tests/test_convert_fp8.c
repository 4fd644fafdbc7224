/* convert_fp8: tensors of any shape to fp8, from fp8, and between float dtypes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_convert_fp8)

enum { DST, SRC, SCALE_ARGUMENT, KV_CACHE_DTYPE };

static const struct {
  int32_t rank;
  int64_t size[5];
} shapes[] = {
    {0, {0}},
    {1, {1}},
    {1, {1001}},
    {1, {0}},
    {2, {3, 64}},
    {2, {17, 7}},
    {3, {2, 3, 16}},
    {3, {4, 1, 128}},
    {4, {2, 3, 4, 8}},
    {4, {3, 2, 5, 1}},
    {4, {2, 0, 4, 8}},
    {5, {2, 3, 2, 2, 8}},
    {5, {1, 2, 3, 4, 5}},
    {1, {4099}},
    {3, {5, 33, 2}},
};

/* Orders of dimensions from slowest to fastest, the stride of the fastest, elements left out. */
static const struct {
  const char *order;
  int64_t inner, pad;
  bool reversed;
} layouts[] = {{"01234", 1, 0, false},  {"43210", 1, 0, false}, {"10324", 1, 0, false},
               {"01234", 1, 16, false}, {"01234", 1, 3, false}, {"02134", 2, 0, false},
               {"01234", 1, 0, true}};

static const float scales[] = {0.1f, 1.0f, 0.25f, 3e30f, 0x1p-126f, 0x1p-125f, 1e-3f, 3e38f, 0.7f};

enum {
  SHAPE,
  DST_LAYOUT,
  SRC_LAYOUT,
  DST_OFFSET,
  SRC_OFFSET,
  SCALE_AXIS,
  VALUES_AXIS,
  ENTRY_AXIS,
  EXEC_AXIS,
  SPELLING_AXIS,
  AXES_OF_OP
};

typedef struct convert_case {
  const kvf_variant *variant;
  int value[AXES_OF_OP];
  int offset[2]; /* elements */
  uint64_t seed;
} convert_case;

static bool is_fp8(kvf_dtype dtype) { return dtype == KVF_FP8_E4M3 || dtype == KVF_FP8_E5M2; }
static size_t bytes_of(kvf_dtype dtype) { return (size_t)kvf_dtype_bits(dtype) / 8; }

/* Strides of a shape in the first `rank` digits of an order. */
static void strides_of(int layout, int32_t rank, const int64_t *shape, int64_t *stride) {
  char order[6] = {0};
  int kept = 0;
  for (const char *digit = layouts[layout].order; *digit; ++digit) {
    if (*digit - '0' < rank) {
      order[kept++] = *digit;
    }
  }
  lay_out(stride, shape, order, layouts[layout].inner, layouts[layout].pad);
  if (layouts[layout].reversed && rank > 0) {
    stride[0] = -stride[0];
  }
}

static const char *spell(const convert_case *what) {
  static const char *const torch_names[] = {
      [KVF_F32] = "float32", [KVF_F16] = "float16", [KVF_BF16] = "bfloat16"};
  const kvf_variant *variant = what->variant;
  const int spelling = what->value[SPELLING_AXIS];
  if (!is_fp8(kvf_scalar_of(variant)) && !is_fp8(kvf_cache_of(variant))) {
    return spelling == 0   ? "auto"
           : spelling == 1 ? torch_names[kvf_cache_of(variant)]
                           : kvf_dtype_name(kvf_cache_of(variant));
  }
  const kvf_dtype format =
      is_fp8(kvf_scalar_of(variant)) ? kvf_scalar_of(variant) : kvf_cache_of(variant);
  return format == KVF_FP8_E4M3 && spelling == 0 ? "fp8" : kvf_dtype_name(format);
}

static float scale_of(const convert_case *what) {
  const bool floats = !is_fp8(kvf_scalar_of(what->variant)) && !is_fp8(kvf_cache_of(what->variant));
  return floats ? 1.0f : scales[what->value[SCALE_AXIS]];
}

/* Numbers that are at home in both dtypes, every pattern of 16 bits, or whatever the memory holds.
 */
static void fill(op_call *call, const convert_case *what) {
  operand *source = &call->operands[SRC];
  const kvf_dtype dtype = kvf_scalar_of(what->variant);
  const size_t bytes = bytes_of(dtype);
  uint64_t state = what->seed;
  uint32_t pattern = (uint32_t)random_next(&state);
  for (size_t at = (size_t)source->view.start % bytes; at + bytes <= source->memory.size;
       at += bytes) {
    uint8_t *element = source->memory.expected + at;
    const double unit = (double)(random_next(&state) >> 11) * 0x1p-52 - 1;
    if (what->value[VALUES_AXIS] == 0 && !is_fp8(dtype)) {
      oracle_make(dtype, ldexp(unit, (int)random_below(&state, 24) - 12), element);
    } else if (what->value[VALUES_AXIS] == 1) {
      const uint32_t bits = bytes == 4 ? pattern << 16 | 0x8000u : pattern;
      memcpy(element, &bits, bytes);
      ++pattern;
    }
  }
}

static void build(op_call *call, const void *context) {
  const convert_case *what = context;
  const kvf_variant *variant = what->variant;
  const int shape = what->value[SHAPE];
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  if (what->value[EXEC_AXIS] != 0) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->value[EXEC_AXIS];
    call->exec.stream = options.backend == KVF_CUDA ? own_stream() : NULL;
  }
  for (int side = 0; side < 2; ++side) {
    int64_t stride[5] = {0};
    const kvf_dtype dtype = side == DST ? kvf_cache_of(variant) : kvf_scalar_of(variant);
    const bool as_uint8 = is_fp8(dtype) && what->value[SPELLING_AXIS] != 1;
    strides_of(what->value[side == DST ? DST_LAYOUT : SRC_LAYOUT], shapes[shape].rank,
               shapes[shape].size, stride);
    operand_make(call, side, as_uint8 ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(dtype),
                 shapes[shape].rank, shapes[shape].size, stride,
                 what->offset[side] * (int)bytes_of(dtype), 64, what->seed + (uint64_t)side);
  }
  fill(call, what);
  call->values[SCALE_ARGUMENT] =
      (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = (double)scale_of(what)};
  call->values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = spell(what)};
}

/* One element. */
static void convert(const kvf_variant *variant, float scale, const uint8_t *from, uint8_t *to) {
  if (is_fp8(kvf_cache_of(variant))) {
    oracle_store(kvf_scalar_of(variant), kvf_cache_of(variant), from, scale, to);
    return;
  }
  const double value = oracle_value(kvf_scalar_of(variant), from);
  /* A product of two floats is exact in double; it is rounded to f32, and then to the dtype. */
  const double wide =
      is_fp8(kvf_scalar_of(variant)) ? (double)(float)(value * (double)scale) : value;
  oracle_round(kvf_cache_of(variant), wide, to);
}

static void expect_converted(const op_call *call, const convert_case *what) {
  const operand *dst = &call->operands[DST];
  const operand *src = &call->operands[SRC];
  int64_t count = 1;
  for (int32_t i = 0; i < dst->view.rank; ++i) {
    count *= dst->view.shape[i];
  }
  for (int64_t element = 0; element < count; ++element) {
    int64_t at[2] = {0, 0};
    for (int side = 0; side < 2; ++side) {
      const tensor *view = &call->operands[side].view;
      int64_t rest = element;
      for (int32_t i = view->rank - 1; i >= 0; --i) {
        at[side] += rest % view->shape[i] * view->stride[i];
        rest /= view->shape[i];
      }
    }
    convert(what->variant, scale_of(what),
            src->memory.expected + src->view.start +
                at[SRC] * (int64_t)bytes_of(kvf_scalar_of(what->variant)),
            dst->memory.expected + dst->view.start +
                at[DST] * (int64_t)bytes_of(kvf_cache_of(what->variant)));
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_convert_fp8(exec, (DLTensor *)values[DST].as.tensor, values[SRC].as.tensor,
                         values[SCALE_ARGUMENT].as.number, values[KV_CACHE_DTYPE].as.string);
}

static kvf_status raw(const op_call *call, const convert_case *what) {
  kvf_convert_fp8_params params = {
      .dst_cache = operand_view(&call->operands[DST]),
      .src_cache = operand_view(&call->operands[SRC]),
      .size = {1, 1, 1, 1, 1},
      .scale = scale_of(what),
      .rows = -1,
      .vector_elements = -1,
      .streaming = -1,
  };
  for (int32_t i = 0; i < call->operands[DST].view.rank; ++i) {
    params.size[i] = call->operands[DST].view.shape[i];
  }
  return kvf_launch_convert_fp8(call->given_exec, what->variant, &params);
}

static bool run(const convert_case *what) {
  const int *value = what->value;
  char name[240];
  (void)snprintf(name, sizeof name,
                 "%s shape=%d layouts=%d,%d offsets=%d,%d scale=%d values=%d entry=%d exec=%d "
                 "spelling=%d seed=%llu",
                 what->variant->symbol, value[SHAPE], value[DST_LAYOUT], value[SRC_LAYOUT],
                 what->offset[DST], what->offset[SRC], value[SCALE_AXIS], value[VALUES_AXIS],
                 value[ENTRY_AXIS], value[EXEC_AXIS], value[SPELLING_AXIS],
                 (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_converted(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status =
      value[ENTRY_AXIS] == ENTRY_RAW
          ? raw(&call, what)
          : op_call_invoke(&call, value[ENTRY_AXIS] == ENTRY_TYPED ? typed : NULL);
  bool good = expect_done(options.backend, status, before, 0, name);
  good = op_call_verify(&call, name) && good;
  op_call_free(&call);
  count_case(what->variant);
  return good;
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  static const int offsets[] = {0, 1, 4, 11};
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    int failures = 0;
    for (int round = 0; writer_wants(variant) && round < (options.exhaustive ? 16 : 2); ++round) {
      const bool aligned = round % 2 == 0;
      const covering plan = {
          .num_axes = AXES_OF_OP,
          .sizes = {TEST_COUNT(shapes), TEST_COUNT(layouts), TEST_COUNT(layouts),
                    aligned ? 1 : TEST_COUNT(offsets), aligned ? 1 : TEST_COUNT(offsets),
                    TEST_COUNT(scales), 3, ENTRIES, 3, 3},
      };
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      int count = 0;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        convert_case what = {.variant = variant, .seed = random_next(&state)};
        memcpy(what.value, rows[row].value, sizeof what.value);
        what.offset[DST] = offsets[what.value[DST_OFFSET]];
        what.offset[SRC] = offsets[what.value[SRC_OFFSET]];
        failures += !run(&what);
      }
      free(rows);
    }
  }
}

/* A contiguous tensor, `count` elements that the pattern makes. */
static void run_flat(const kvf_variant *variant, int64_t count, float scale, int threads,
                     uint32_t (*pattern)(int64_t i)) {
  op_call call = {.op = OP, .exec = {.backend = options.backend, .num_threads = threads}};
  call.given_exec = &call.exec;
  const int64_t one = 1;
  operand_make(&call, DST, dl_dtype(kvf_cache_of(variant)), 1, &count, &one, 0, 64, 1);
  operand_make(&call, SRC, dl_dtype(kvf_scalar_of(variant)), 1, &count, &one, 0, 64, 2);
  const size_t from_bytes = bytes_of(kvf_scalar_of(variant));
  const size_t to_bytes = bytes_of(kvf_cache_of(variant));
  uint8_t *from = call.operands[SRC].memory.expected + call.operands[SRC].view.start;
  uint8_t *to = call.operands[DST].memory.expected + call.operands[DST].view.start;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t bits = pattern(i);
    memcpy(from + (size_t)i * from_bytes, &bits, from_bytes);
  }
  const bool floats = !is_fp8(kvf_scalar_of(variant)) && !is_fp8(kvf_cache_of(variant));
  const convert_case what = {.variant = variant};
  call.values[SCALE_ARGUMENT] =
      (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = floats ? 1 : (double)scale};
  call.values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = spell(&what)};
  op_call_upload(&call);
  for (int64_t i = 0; i < count; ++i) {
    convert(variant, floats ? 1 : scale, from + (size_t)i * from_bytes, to + (size_t)i * to_bytes);
  }
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = op_call_invoke(&call, typed);
  (void)expect_done(options.backend, status, before, 0, variant->symbol);
  (void)op_call_verify(&call, variant->symbol);
  op_call_free(&call);
  count_case(variant);
}

static uint32_t low_pattern(int64_t i) { return (uint32_t)i; }

/* Binary32 around every number that the other dtypes round to. */
static uint32_t high_pattern(int64_t i) {
  static const uint32_t low[] = {0, 1, 0x0FFF, 0x1000, 0x1001, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  return (uint32_t)i << 16 | low[(i >> 16) % (int64_t)TEST_COUNT(low)];
}

/* Every number of 8 and 16 bits, and those of 32 bits that matter; of 16 bits that is large enough
 * for the CPU to store past its caches, and for CUDA to fill its blocks, when it is done several
 * times over. */
static void test_every_number(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    if (!writer_wants(variant)) {
      continue;
    }
    const int64_t all = kvf_scalar_of(variant) == KVF_F32 ? 9 * 65536
                        : is_fp8(kvf_scalar_of(variant))  ? 256
                                                          : 65536;
    run_flat(variant, all, 1.0f, 1, kvf_scalar_of(variant) == KVF_F32 ? high_pattern : low_pattern);
    run_flat(variant, all, 0.1f, 2, kvf_scalar_of(variant) == KVF_F32 ? high_pattern : low_pattern);
    const bool emulated = options.backend == KVF_CUDA && cuda.reset != NULL;
    const int64_t many = emulated ? 9 << 17 : 3 << 20; /* elements; 6 MiB in a 16-bit dtype */
    run_flat(variant, many + 5, 0.1f, 0,
             kvf_scalar_of(variant) == KVF_F32 ? high_pattern : low_pattern);
  }
}

/* Six and more dimensions that join to five, and some that do not. */
static void test_many_dimensions(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_FP8_E4M3);
  if (!need_backend() || variant == NULL) {
    return;
  }
  /* Strides of the source step over each other, so that nothing can be joined where `gap` is set.
   */
  for (int gap = 0; gap < 2; ++gap) {
    convert_case what = {.variant = variant, .seed = 9};
    what.value[SHAPE] = 11; /* 2, 3, 2, 2, 8: 192 elements */
    what.value[SPELLING_AXIS] = 1;
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    int64_t shape[8] = {2, 1, 3, 2, 2, 2, 1, 4};
    int64_t dst_stride[8] = {96, 5, 32, 16, 8, 4, 7, 1};
    int64_t src_stride[8] = {96, 0, 32, 16, 8, 4, 99, 1};
    if (gap) {
      /* 2 x 3 x 2 x 2 x 2 x 4, the source as 3 x 2 x 2 x 2 x 2 x 4 in another order. */
      const int64_t other[8] = {4, 0, 64, 8, 16, 32, 0, 1};
      memcpy(src_stride, other, sizeof other);
    } else {
      expect_converted(&call, &what); /* both are contiguous: the same elements */
    }
    for (int side = 0; side < 2; ++side) {
      DLTensor *dl = tensor_dl(&call.operands[side].view);
      dl->ndim = 8;
      dl->shape = shape;
      dl->strides = side == DST ? dst_stride : src_stride;
      call.values[side] = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = dl};
    }
    const uint64_t before = faults_before(options.backend);
    const kvf_status status = typed(NULL, call.values);
    if (gap) {
      EXPECT_STATUS(status, KVF_UNSUPPORTED);
      EXPECT_TEXT(kvf_last_error(), "convert_fp8: src_cache: 6 dimensions are left");
    }
    (void)expect_done(options.backend, gap ? KVF_OK : status, before, 0, "many dimensions");
    (void)op_call_verify(&call, "many dimensions");
    op_call_free(&call);
    count_case(variant);
  }
}

/* Equally many elements in other dimensions: the i-th goes to the i-th. */
static void test_other_shapes(void) {
  if (!need_backend()) {
    return;
  }
  static const struct {
    int32_t rank[2]; /* of dst, of src */
    int64_t shape[2][4], stride[2][4];
    bool refused;
  } rows[] = {
      {{1, 3}, {{48}, {2, 3, 8}}, {{1}, {24, 8, 1}}, false},
      {{3, 1}, {{2, 3, 8}, {48}}, {{30, 9, 1}, {1}}, false},
      {{2, 2}, {{4, 6}, {6, 4}}, {{6, 1}, {4, 1}}, false},
      {{2, 2}, {{4, 6}, {6, 4}}, {{7, 1}, {4, 1}}, false},
      {{2, 2}, {{4, 6}, {6, 4}}, {{6, 1}, {1, 6}}, false},
      {{2, 2}, {{4, 6}, {6, 4}}, {{7, 1}, {5, 1}}, true},
      {{3, 4}, {{4, 2, 8}, {2, 2, 4, 4}}, {{20, 9, 1}, {1, 2, 4, 16}}, false},
      {{4, 2}, {{1, 8, 1, 4}, {16, 2}}, {{3, 5, 7, 1}, {-3, 1}}, false},
      {{2, 0}, {{1, 1}, {0}}, {{9, 9}, {0}}, false},
      {{2, 1}, {{3, 0}, {0}}, {{9, 9}, {1}}, false},
  };
  for (int v = 0; v < OP->num_variants; ++v) {
    const kvf_variant *variant = &OP->variants[v];
    for (size_t i = 0; writer_wants(variant) && i < TEST_COUNT(rows); ++i) {
      convert_case what = {.variant = variant, .seed = options.seed + i};
      op_call call = {.op = OP, .exec = {.backend = options.backend}};
      for (int at = 0; at < 2; ++at) {
        const kvf_dtype dtype = at == DST ? kvf_cache_of(variant) : kvf_scalar_of(variant);
        operand_make(&call, at, dl_dtype(dtype), rows[i].rank[at], rows[i].shape[at],
                     rows[i].stride[at], 0, 64, what.seed + (uint64_t)at);
      }
      fill(&call, &what);
      call.values[SCALE_ARGUMENT] =
          (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = (double)scale_of(&what)};
      call.values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = spell(&what)};
      op_call_upload(&call);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = op_call_invoke(&call, i % 2 ? typed : NULL);
      if (rows[i].refused) {
        EXPECT_STATUS(status, KVF_UNSUPPORTED);
        EXPECT_TEXT(kvf_last_error(), "convert_fp8: src_cache: its shape and that of dst_cache");
      } else {
        expect_converted(&call, &what);
      }
      (void)expect_done(options.backend, rows[i].refused ? KVF_OK : status, before, 0,
                        "other shapes");
      (void)op_call_verify(&call, "other shapes");
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* Rows that lie beyond 2^31 elements. */
static void test_far(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, KVF_FP8_E4M3);
  if (!need_backend() || variant == NULL) {
    return;
  }
  enum { WIDTH = 40 };
  const int64_t far[2] = {(INT64_C(1) << 31) + 48, (INT64_C(1) << 32) + 16};
  op_call call = {.op = OP, .exec = {.backend = options.backend}};
  region memory[2] = {{.size = 0}};
  buffer place[2];
  bool made = true;
  for (int side = 0; side < 2; ++side) {
    const int64_t bytes = side == DST ? 1 : 2;
    made = made &&
           region_make(&memory[side], options.backend, (size_t)((2 * far[side] + WIDTH) * bytes));
    place[side] = (buffer){.backend = options.backend, .place = memory[side].place};
    call.operands[side].view = (tensor){.memory = &place[side],
                                        .dtype = dl_dtype(side == DST ? KVF_FP8_E4M3 : KVF_BF16),
                                        .rank = 2,
                                        .shape = {3, WIDTH},
                                        .stride = {far[side], 1}};
  }
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    uint16_t given[WIDTH];
    for (int row = 0; row < 3; ++row) {
      for (int i = 0; i < WIDTH; ++i) {
        given[i] = (uint16_t)(0x3F00 + 16 * i + row);
      }
      region_put(&memory[SRC], 2 * row * far[SRC], given, sizeof given);
    }
    call.values[SCALE_ARGUMENT] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = 0.5};
    call.values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = "fp8"};
    const kvf_status status = op_call_invoke(&call, typed);
    (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
    for (int row = 0; row < 3; ++row) {
      uint8_t got[WIDTH];
      region_get(&memory[DST], row * far[DST], got, sizeof got);
      for (int i = 0; i < WIDTH; ++i) {
        const uint16_t bits = (uint16_t)(0x3F00 + 16 * i + row);
        uint8_t want = 0;
        convert(variant, 0.5f, (const uint8_t *)&bits, &want);
        EXPECT(got[i] == want, "far row %d, element %d: 0x%02X, want 0x%02X", row, i, got[i], want);
      }
    }
    count_case(variant);
  }
  region_free(&memory[DST]);
  region_free(&memory[SRC]);
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
/* Of f32 of [4, 1, 128] to E4M3 as float8. */
static const bad_argument bad[] = {
  {"no dst_cache", ON_BOTH, "dst_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst_cache", "NULL", "want a tensor"},
  {"no src_cache", ON_BOTH, "src_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "src_cache", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "want fp8"},
  {"auto", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "auto", VALUE_, "kv_cache_dtype", "got auto", "want fp8, fp8_e4m3 or fp8_e5m2"},
  {"float32", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "float32", VALUE_, "kv_cache_dtype", "got float32", "want fp8"},
  {"a row format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp8_ds_mla", VALUE_, "kv_cache_dtype", "got fp8_ds_mla", "want fp8"},
  {"the other format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp8_e5m2", TYPE, "dst_cache", "float8_e4m3fn", "want float8_e5m2 or uint8"},
  {"rank", ON_BOTH, "src_cache", SPOIL_RANK, 0, 2, NULL, VALUE_, "dst_cache", "has 512 elements", "want 4 as in src_cache"},
  {"size", ON_BOTH, "src_cache", SPOIL_SIZE, 2, 64, NULL, VALUE_, "dst_cache", "has 512 elements", "want 256 as in src_cache"},
  {"negative size", ON_BOTH, "src_cache", SPOIL_SIZE, 1, -1, NULL, VALUE_, "src_cache", "is -1", "want 0 or more"},
  {"overlapping", ON_BOTH, "dst_cache", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "dst_cache", "a dimension of 4 has stride 0", "do not overlap"},
  {"src_cache is int32", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "src_cache", "dtype is int32", "want float32, float16, bfloat16, float8_e4m3fn"},
  {"dst_cache is int8", ON_BOTH, "dst_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "dst_cache", "dtype is int8", "want float32"},
  {"codes on both sides", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLUInt, 8, NULL, TYPE, "src_cache", "holds codes as dst_cache", "want float32"},
  {"floats on both sides", ON_BOTH, "dst_cache", SPOIL_DTYPE, kDLBfloat, 16, NULL, VALUE_, "kv_cache_dtype", "got fp8_e4m3", "want 'auto' or the dtype of dst_cache, bf16"},
  {"dst_cache on CUDA", ON_CPU, "dst_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "src_cache", "is on the CPU", "want CUDA device 0 (as dst_cache)"},
  {"src_cache on the CPU", ON_CUDA, "src_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "src_cache", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "dst_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "dst_cache", "data is NULL", "want an address"},
  {"odd address", ON_BOTH, "src_cache", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "src_cache", "not a multiple", "4 bytes"},
};
static const bad_argument bad_floats[] = {
  {"fp8", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp8", VALUE_, "kv_cache_dtype", "got fp8", "want 'auto' or the dtype of dst_cache, bf16 (both"},
  {"the source's dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "float32", VALUE_, "kv_cache_dtype", "got float32", "want 'auto' or the dtype of dst_cache, bf16 (both"},
  {"src_cache is bfloat16", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLBfloat, 16, NULL, KVF_UNSUPPORTED, "scalar dtype bf16 with cache dtype bf16 is excluded", "one dtype", "nothing to convert"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_variant *encoding = kvf_select(OP, options.backend, KVF_F32, KVF_FP8_E4M3);
  const kvf_variant *floats = kvf_select(OP, options.backend, KVF_F32, KVF_BF16);
  convert_case what = {.seed = 3};
  what.value[SHAPE] = 7;
  what.value[SPELLING_AXIS] = 1;
  if (encoding != NULL) {
    what.variant = encoding;
    op_call_test_bad(build, &what, typed, bad, TEST_COUNT(bad));
    op_call_test_overlap(build, &what, typed, "dst_cache", "src_cache");
    op_call_test_factor(build, &what, typed, "scale", false);
  }
  if (floats != NULL) {
    what.variant = floats;
    what.value[SPELLING_AXIS] = 0;
    op_call_test_bad(build, &what, typed, bad_floats, TEST_COUNT(bad_floats));
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    call.values[SCALE_ARGUMENT].as.number = 0.5;
    EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), "convert_fp8: scale: got 0.5, want 1");
    (void)op_call_verify(&call, "scale between floats");
    op_call_free(&call);
    count_case(NULL);
  }
}

static void test_bad_params(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_FP8_E4M3);
  if (!need_backend() || variant == NULL) {
    return;
  }
  char address[16];
  const kvf_view view = {.data = address, .stride = {1, 1, 1, 1, 1}};
  const kvf_convert_fp8_params good = {
      .dst_cache = view, .src_cache = view, .size = {1, 1, 1, 1, 1}, .scale = 1};
  struct {
    kvf_convert_fp8_params params;
    const char *member;
  } rows[] = {{good, "dst_cache"}, {good, "src_cache"}, {good, "size"}, {good, "size"}};
  rows[0].params.dst_cache.data = NULL;
  rows[1].params.src_cache.data = NULL;
  rows[2].params.size[2] = -1;
  rows[3].params.size[0] = rows[3].params.size[1] = INT64_C(1) << 40;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_convert_fp8(NULL, variant, &rows[i].params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_convert_fp8(NULL, NULL, &good), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo convert_fp8_tests[] = {
    {"every pair of axis values", test_matrix},
    {"every number", test_every_number},
    {"many dimensions", test_many_dimensions},
    {"other shapes", test_other_shapes},
    {"rows beyond 2^31", test_far},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
