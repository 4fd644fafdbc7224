/* concat_and_cache_mla_rope_fused: rotates queries and keys, writes the keys behind kv_c. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "mla.h"
#include "oracle.h"
#include "region.h"

enum {
  POSITIONS,
  Q_PE,
  K_PE,
  KV_C,
  COS_SIN_CACHE,
  IS_NEOX,
  SLOT_MAPPING,
  KV_CACHE,
  KV_CACHE_DTYPE,
  KV_CACHE_SCALE,
  ROTATE_SKIPPED,
  ARGUMENTS
};

/* The axes that cases vary. */
enum {
  SIZES, /* kv_lora_rank, rope_dim */
  HEADS,
  PAGES, /* block_size */
  TOKENS,
  STYLE, /* is_neox */
  SOURCES,
  QUERIES, /* layout of q_pe */
  ANGLES,  /* layout of cos_sin_cache */
  F32_ANGLES,
  SKIPPED, /* rotate_skipped */
  ROWS,    /* more of them than tokens */
  KV_C_OFFSET,
  K_PE_OFFSET,
  Q_PE_OFFSET,
  CACHE,
  CACHE_OFFSET,
  SLOTS,
  INDEX,
  POSITION_INDEX,
  SCALES,
  VALUES,
  ENTRY,
  AXES
};

enum { ENTRY_TYPED, ENTRY_BOXED, ENTRY_RAW, ENTRIES };
enum {
  QUERIES_CONTIGUOUS,
  QUERIES_SLICED,
  QUERIES_HEADS_FIRST,
  QUERIES_PADDED,
  QUERIES_PADDED_ALIGNED, /* to multiples of 16 elements */
  QUERIES_STRIDED,
  QUERY_LAYOUTS
};
enum { ANGLES_CONTIGUOUS, ANGLES_PADDED, ANGLES_PADDED_ALIGNED, ANGLES_STRIDED, ANGLE_LAYOUTS };

static const int64_t sizes_of[][2] = {{512, 64}, {128, 32}, {0, 64},  {512, 0},  {0, 0},
                                      {33, 6},   {1, 2},    {40, 24}, {512, 192}};
static const int64_t heads_of[] = {0, 1, 3, 16};
static const int64_t block_size_of[] = {1, 16, 48};
static const int64_t tokens_of[] = {0, 1, 5, 23};
enum { NUM_POSITIONS = 40 };

typedef struct rope_case {
  const kvf_variant *variant;
  int value[AXES];
  int64_t kv_lora_rank;
  int64_t rope_dim;
  int64_t heads;
  int64_t tokens;
  int64_t block_size;
  int64_t num_blocks;
  uint64_t seed;
} rope_case;

static kvf_dtype angle_dtype(const rope_case *what) {
  return what->value[F32_ANGLES] ? KVF_F32 : kvf_scalar_of(what->variant);
}

/* Rows of q_pe, k_pe and kv_c. */
static int64_t rows_of(const rope_case *what) { return what->tokens + 3 * what->value[ROWS]; }

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_concat_and_cache_mla_rope_fused(
      exec, values[POSITIONS].as.tensor, (DLTensor *)values[Q_PE].as.tensor,
      (DLTensor *)values[K_PE].as.tensor, values[KV_C].as.tensor, values[COS_SIN_CACHE].as.tensor,
      values[IS_NEOX].as.boolean, values[SLOT_MAPPING].as.tensor,
      (DLTensor *)values[KV_CACHE].as.tensor, values[KV_CACHE_DTYPE].as.string,
      values[KV_CACHE_SCALE].as.tensor, values[ROTATE_SKIPPED].as.boolean, NULL);
}

static kvf_concat_and_cache_mla_rope_fused_params params_of(const op_call *call,
                                                            const rope_case *what) {
  const operand *slots = &call->operands[SLOT_MAPPING];
  return (kvf_concat_and_cache_mla_rope_fused_params){
      .positions = operand_view(&call->operands[POSITIONS]),
      .q_pe = operand_view(&call->operands[Q_PE]),
      .k_pe = operand_view(&call->operands[K_PE]),
      .kv_c = operand_view(&call->operands[KV_C]),
      .cos_sin_cache = operand_view(&call->operands[COS_SIN_CACHE]),
      .kv_cache = operand_view(&call->operands[KV_CACHE]),
      .kv_cache_scale = {.data = kvf_scalar_of(what->variant) == kvf_cache_of(what->variant)
                                     ? NULL
                                     : operand_view(&call->operands[KV_CACHE_SCALE]).data},
      .num_positions = NUM_POSITIONS,
      .position_bytes = call->operands[POSITIONS].view.dtype.bits / 8,
      .num_heads = (int32_t)what->heads,
      .is_neox = what->value[STYLE],
      .f32_angles = angle_dtype(what) != kvf_scalar_of(what->variant),
      .rotate_skipped = what->value[SKIPPED],
      .slots = {.mapping = operand_view(slots).data,
                .stride = slots->view.stride[0],
                .index_bytes = slots->view.dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = what->num_blocks,
                .block_size = what->block_size},
      .kv_lora_rank = (int32_t)what->kv_lora_rank,
      .rope_dim = (int32_t)what->rope_dim,
      .vector_elements = -1,
      .streaming = -1,
      .vector_pairs = -1,
  };
}

static void make_queries(op_call *call, const rope_case *what) {
  const int64_t rope = what->rope_dim;
  const int64_t heads = what->heads;
  const int64_t shape[3] = {rows_of(what), heads, rope};
  int64_t stride[3] = {heads * rope, rope, 1};
  switch (what->value[QUERIES]) {
  case QUERIES_SLICED: /* the last part of [token, head, 128 + rope_dim] */
    stride[1] = 128 + rope;
    stride[0] = heads * stride[1];
    break;
  case QUERIES_HEADS_FIRST:
    stride[0] = rope;
    stride[1] = rows_of(what) * rope;
    break;
  case QUERIES_PADDED:
    stride[1] = rope + 3;
    stride[0] = -(heads * stride[1] + 1);
    break;
  case QUERIES_PADDED_ALIGNED:
    stride[1] = (rope + 31) / 16 * 16;
    stride[0] = heads * stride[1];
    break;
  case QUERIES_STRIDED:
    stride[2] = 2;
    stride[1] = 2 * rope;
    stride[0] = heads * stride[1];
    break;
  default:
    break;
  }
  operand_make(call, Q_PE, dl_dtype(kvf_scalar_of(what->variant)), 3, shape, stride,
               what->value[Q_PE_OFFSET], 32, what->seed + 7);
  mla_fill(&call->operands[Q_PE], kvf_scalar_of(what->variant), what->value[VALUES],
           what->seed + 8);
}

/* Cosines and sines, and where the values are strange anything at all. */
static void make_angles(op_call *call, const rope_case *what) {
  const int layout = what->value[ANGLES];
  const int64_t shape[2] = {NUM_POSITIONS, what->rope_dim};
  const int64_t step = layout == ANGLES_STRIDED ? 2 : 1;
  const int64_t row = layout == ANGLES_PADDED_ALIGNED ? (what->rope_dim + 31) / 16 * 16
                      : layout == ANGLES_PADDED       ? what->rope_dim + 1
                                                      : step * what->rope_dim;
  const int64_t stride[2] = {row, step};
  operand_make(call, COS_SIN_CACHE, dl_dtype(angle_dtype(what)), 2, shape, stride, 0, 0,
               what->seed + 9);
  operand *angles = &call->operands[COS_SIN_CACHE];
  if (what->value[VALUES] >= VALUES_SPECIAL) {
    mla_fill(angles, angle_dtype(what), what->value[VALUES], what->seed + 10);
    return;
  }
  for (int64_t position = 0; position < NUM_POSITIONS; ++position) {
    for (int64_t i = 0; i < what->rope_dim; ++i) {
      const int64_t pair = i % (what->rope_dim / 2);
      const double angle =
          (double)position * pow(10000.0, -2.0 * (double)pair / (double)what->rope_dim);
      oracle_make(angle_dtype(what), i < what->rope_dim / 2 ? cos(angle) : sin(angle),
                  operand_at(angles, position, i, 0, 0));
    }
  }
}

static void build(op_call *call, const void *context) {
  const rope_case *what = context;
  const kvf_variant *variant = what->variant;
  const int *value = what->value;
  uint64_t state = what->seed;
  *call = (op_call){.op = &kvf_op_concat_and_cache_mla_rope_fused,
                    .exec = {.backend = variant->backend, .num_threads = (int32_t)(state % 3)}};
  call->given_exec = state % 2 ? &call->exec : NULL;
  const int offset[2] = {value[KV_C_OFFSET], value[K_PE_OFFSET]};
  mla_make_sources(call, KV_C, K_PE, kvf_scalar_of(variant), value[SOURCES], rows_of(what),
                   what->kv_lora_rank, what->rope_dim, offset, value[VALUES], state);
  make_queries(call, what);
  make_angles(call, what);

  const int64_t shape[3] = {what->num_blocks, what->block_size,
                            what->kv_lora_rank + what->rope_dim};
  int64_t stride[3];
  mla_cache_strides(value[CACHE], shape, stride);
  operand_make(call, KV_CACHE, mla_cache_dtype(kvf_cache_of(variant), value[ENTRY] == ENTRY_BOXED),
               3, shape, stride, value[CACHE_OFFSET], 64, state + 4);

  mla_make_indices(call, SLOT_MAPPING, value[INDEX], what->tokens, state + 5);
  mla_make_indices(call, POSITIONS, value[POSITION_INDEX], what->tokens + (int64_t)(state % 3),
                   state + 6);
  const bool wide = call->operands[SLOT_MAPPING].view.dtype.bits == 64;
  int64_t *slots =
      mla_slots(value[SLOTS], what->tokens, what->num_blocks * what->block_size, wide, &state);
  for (int64_t i = 0; i < what->tokens; ++i) {
    operand_put_index(&call->operands[SLOT_MAPPING], i, 0, slots[i]);
    operand_put_index(&call->operands[POSITIONS], i, 0, random_below(&state, NUM_POSITIONS));
  }
  free(slots);
  mla_make_scale(call, KV_CACHE_SCALE, value[SCALES], (int32_t)(what->seed % 2));
  const char *name = kvf_cache_of(variant) == kvf_scalar_of(variant)
                         ? "auto"
                         : kvf_dtype_name(kvf_cache_of(variant));
  call->values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = name};
  call->values[IS_NEOX] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = value[STYLE]};
  call->values[ROTATE_SKIPPED] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = value[SKIPPED]};
}

/* ---- the slow answer
 * ----------------------------------------------------------------------------- */

/* The nearest value of a scalar dtype, ties to even. */
static double rounded(kvf_dtype scalar, double value) {
  const int mantissa = scalar == KVF_F32 ? 23 : scalar == KVF_F16 ? 10 : 7;
  const int least = scalar == KVF_F16 ? -14 : -126;
  const double largest = scalar == KVF_F16 ? 65504 : ldexp(2 - ldexp(1, -mantissa), 127);
  int exponent = 0;
  if (isnan(value) || isinf(value) || value == 0) {
    return value;
  }
  (void)frexp(value, &exponent);
  exponent = exponent - 1 < least ? least : exponent - 1;
  const double unit = ldexp(1, exponent - mantissa);
  const double nearest = rint(value / unit) * unit;
  return fabs(nearest) > largest ? copysign((double)INFINITY, value) : nearest;
}

/* The result of one operation: in f32, then in the scalar dtype. */
static double result(kvf_dtype scalar, double exact) {
  return rounded(scalar, rounded(KVF_F32, exact));
}

static void put(kvf_dtype scalar, double value, uint8_t *element) {
  const uint32_t nan_bits = scalar == KVF_F32 ? 0x7FFFFFFFu : 0x7FFFu;
  if (isnan(value)) {
    memcpy(element, &nan_bits, (size_t)kvf_dtype_bits(scalar) / 8);
  } else {
    oracle_make(scalar, value, element);
  }
}

/* Rotates a row of the expected image of q_pe or k_pe. */
static void rotate_row(const op_call *call, const rope_case *what, int which, int64_t token,
                       int64_t head) {
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const kvf_dtype within = angle_dtype(what); /* what products are rounded to */
  const int64_t position = operand_get_index(&call->operands[POSITIONS], token, 0);
  const int64_t half = what->rope_dim / 2;
  const operand *rows = &call->operands[which];
  const operand *angles = &call->operands[COS_SIN_CACHE];
  for (int64_t i = 0; i < half; ++i) {
    const int64_t first = what->value[STYLE] ? i : 2 * i;
    const int64_t second = what->value[STYLE] ? i + half : 2 * i + 1;
    const bool query = which == Q_PE;
    uint8_t *x_at =
        query ? operand_at(rows, token, head, first, 0) : operand_at(rows, token, first, 0, 0);
    uint8_t *y_at =
        query ? operand_at(rows, token, head, second, 0) : operand_at(rows, token, second, 0, 0);
    const double x = oracle_value(scalar, x_at);
    const double y = oracle_value(scalar, y_at);
    const double cosine = oracle_value(within, operand_at(angles, position, i, 0, 0));
    const double sine = oracle_value(within, operand_at(angles, position, half + i, 0, 0));
    put(scalar, result(scalar, result(within, x * cosine) - result(within, y * sine)), x_at);
    put(scalar, result(scalar, result(within, y * cosine) + result(within, x * sine)), y_at);
  }
}

/* Notes what the call should write; returns the number of faults. */
static uint64_t expect_all(const op_call *call, const rope_case *what) {
  const kvf_variant *variant = what->variant;
  const int64_t elements = what->kv_lora_rank + what->rope_dim;
  const int64_t bytes = mla_row_bytes(kvf_cache_of(variant), elements);
  const int64_t capacity = what->num_blocks * what->block_size;
  uint8_t *kv_c = malloc((size_t)elements * 4 + 4);
  uint8_t *k_pe = malloc((size_t)elements * 4 + 4);
  uint8_t *row = malloc((size_t)(bytes + 4));
  uint64_t faults = 0;
  for (int64_t token = 0; token < what->tokens && elements > 0; ++token) {
    const int64_t slot = operand_get_index(&call->operands[SLOT_MAPPING], token, 0);
    const int64_t position = operand_get_index(&call->operands[POSITIONS], token, 0);
    const bool skipped = slot < 0 || slot >= capacity;
    faults += slot >= capacity;
    if (skipped && !what->value[SKIPPED]) {
      continue;
    }
    if (position < 0 || position >= NUM_POSITIONS) {
      ++faults;
      continue;
    }
    for (int64_t head = 0; head < what->heads; ++head) {
      rotate_row(call, what, Q_PE, token, head);
    }
    if (skipped) {
      continue;
    }
    rotate_row(call, what, K_PE, token, 0);
    mla_gather(&call->operands[KV_C], token, 0, what->kv_lora_rank, kv_c);
    mla_gather(&call->operands[K_PE], token, 0, what->rope_dim, k_pe);
    mla_oracle_row(kvf_scalar_of(variant), kvf_cache_of(variant), kv_c, what->kv_lora_rank, k_pe,
                   what->rope_dim, mla_scale(what->value[SCALES]), row);
    mla_expect_row(&call->operands[KV_CACHE], slot, what->block_size, bytes, row);
  }
  free(kv_c);
  free(k_pe);
  free(row);
  return faults;
}

/* ---- cases
 * --------------------------------------------------------------------------------------- */

static bool run_built(op_call *call, const rope_case *what, const char *text) {
  op_call_upload(call);
  vary_order(what->seed);
  const uint64_t before = faults_before(what->variant->backend);
  const kvf_concat_and_cache_mla_rope_fused_params params = params_of(call, what);
  const int entry = what->value[ENTRY];
  const kvf_status status =
      entry == ENTRY_RAW ? kvf_launch_concat_and_cache_mla_rope_fused(NULL, what->variant, &params)
                         : op_call_invoke(call, entry == ENTRY_TYPED ? typed : NULL);
  const uint64_t faults = expect_all(call, what);
  bool good = expect_done(what->variant->backend, status, before, faults, text);
  good = good && op_call_verify(call, text);
  op_call_free(call);
  count_case(what->variant);
  return good;
}

static bool run_case(const rope_case *what) {
  char text[300];
  int length =
      snprintf(text, sizeof text, "%s L=%d R=%d heads=%d seed=%llu:", what->variant->symbol,
               (int)what->kv_lora_rank, (int)what->rope_dim, (int)what->heads,
               (unsigned long long)what->seed);
  for (int i = 0; i < AXES; ++i) {
    length += snprintf(text + length, sizeof text - (size_t)length, " %d", what->value[i]);
  }
  op_call call;
  build(&call, what);
  return run_built(&call, what, text);
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static rope_case case_of(const kvf_variant *variant, const int value[AXES], bool aligned,
                         uint64_t seed) {
  const int scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  rope_case what = {.variant = variant,
                    .kv_lora_rank = sizes_of[value[SIZES]][0],
                    .rope_dim = sizes_of[value[SIZES]][1],
                    .heads = heads_of[value[HEADS]],
                    .tokens = tokens_of[value[TOKENS]],
                    .block_size = block_size_of[value[PAGES]],
                    .seed = seed};
  what.num_blocks = (what.tokens + what.block_size - 1) / what.block_size + 2;
  memcpy(what.value, value, sizeof what.value);
  what.value[KV_C_OFFSET] *= aligned ? 16 : scalar;
  what.value[K_PE_OFFSET] *= aligned ? 16 : scalar;
  what.value[Q_PE_OFFSET] *= aligned ? 16 : scalar;
  what.value[CACHE_OFFSET] *= aligned ? 16 : cache;
  if (value[SOURCES] == SOURCES_BROADCAST) { /* k_pe is written to */
    what.value[SOURCES] = SOURCES_CONTIGUOUS;
  }
  return what;
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const int rounds = options.exhaustive ? 16 : 2;
  for (int i = 0; i < kvf_op_concat_and_cache_mla_rope_fused.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_rope_fused.variants[i];
    int failures = 0;
    for (int round = 0; wanted(variant) && round < rounds; ++round) {
      const bool aligned = round % 2 == 0;
      const int source_offsets = aligned ? 1 : 16 / (kvf_dtype_bits(kvf_scalar_of(variant)) / 8);
      const covering plan = {
          .num_axes = AXES,
          .sizes = {[SIZES] = TEST_COUNT(sizes_of),
                    [HEADS] = TEST_COUNT(heads_of),
                    [PAGES] = TEST_COUNT(block_size_of),
                    [TOKENS] = TEST_COUNT(tokens_of),
                    [STYLE] = 2,
                    [SOURCES] = SOURCE_LAYOUTS,
                    [QUERIES] = QUERY_LAYOUTS,
                    [ANGLES] = ANGLE_LAYOUTS,
                    [F32_ANGLES] = kvf_scalar_of(variant) == KVF_F32 ? 1 : 2,
                    [SKIPPED] = 2,
                    [ROWS] = 2,
                    [KV_C_OFFSET] = source_offsets,
                    [K_PE_OFFSET] = source_offsets,
                    [Q_PE_OFFSET] = source_offsets,
                    [CACHE] = CACHE_LAYOUTS,
                    [CACHE_OFFSET] = aligned ? 1 : 16 / (kvf_dtype_bits(kvf_cache_of(variant)) / 8),
                    [SLOTS] = SLOT_KINDS,
                    [INDEX] = INDEX_KINDS,
                    [POSITION_INDEX] = INDEX_KINDS,
                    [SCALES] = SCALE_KINDS,
                    [VALUES] = VALUE_KINDS,
                    [ENTRY] = ENTRIES},
      };
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      int count = 0;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        const rope_case what = case_of(variant, rows[row].value, aligned, random_next(&state));
        failures += !run_case(&what);
      }
      free(rows);
    }
  }
}

/* The shapes of DeepSeek-V3; past the 4 MiB at which copies bypass the caches. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CUDA && cuda.reset && !options.exhaustive) {
    skip_test("the emulated driver would need minutes");
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_rope_fused.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_rope_fused.variants[i];
    for (int many = 0; wanted(variant) && many < 2; ++many) {
      const int value[AXES] = {[PAGES] = 1, [STYLE] = many, [SCALES] = 1, [ENTRY] = many};
      rope_case what = case_of(variant, value, true, options.seed + (uint64_t)i);
      what.heads = many ? 2 : 128;
      what.tokens = many ? 4000 : 100;
      what.num_blocks = what.tokens / what.block_size + 2;
      if (!run_case(&what)) {
        break;
      }
    }
  }
}

/* Five tokens in pages of four. */
static rope_case small_case(const kvf_variant *variant) {
  const int value[AXES] = {[SIZES] = 0};
  rope_case what = case_of(variant, value, true, 3);
  what.kv_lora_rank = 48;
  what.rope_dim = 16;
  what.heads = 2;
  what.tokens = 5;
  what.block_size = 4;
  what.num_blocks = 4;
  return what;
}

/* Rows that end inside a vector, while every address and stride is a multiple of one: kv_c, and the
 * rotated part, behind 48 elements of kv_c. */
static void test_padded(void) {
  static const int64_t sizes[][2] = {{46, 32}, {20, 12}, {48, 28}, {48, 6}, {7, 2}};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_rope_fused.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_rope_fused.variants[i];
    for (size_t k = 0; wanted(variant) && k < 2 * TEST_COUNT(sizes); ++k) {
      rope_case what = small_case(variant);
      what.kv_lora_rank = sizes[k / 2][0];
      what.rope_dim = sizes[k / 2][1];
      what.value[STYLE] = k % 2;
      what.value[SOURCES] = SOURCES_PADDED_ALIGNED;
      what.value[QUERIES] = QUERIES_PADDED_ALIGNED;
      what.value[ANGLES] = ANGLES_PADDED_ALIGNED;
      what.value[CACHE] = CACHE_PADDED_ALIGNED;
      (void)run_case(&what);
    }
  }
}

/* Slots and positions out of range: refused on the CPU, left out and counted on CUDA. */
static void test_out_of_range(void) {
  static const struct {
    int which;
    int64_t number;
    const char *message;
  } bad[] = {
      {SLOT_MAPPING, 16, "slot_mapping: element 3 is 16, want less than 16"},
      {SLOT_MAPPING, INT64_MAX, "slot_mapping: element 3 is 9223372036854775807"},
      {POSITIONS, -1, "positions: element 3 is -1, want 0 to 39 (the rows of cos_sin_cache)"},
      {POSITIONS, NUM_POSITIONS, "positions: element 3 is 40, want 0 to 39"},
      {POSITIONS, INT64_C(1) << 32, "positions: element 3 is 4294967296, want 0 to 39"},
      {POSITIONS, INT64_MIN, "positions: element 3 is -9223372036854775808, want 0 to 39"},
  };
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_rope_fused.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_rope_fused.variants[i];
    for (size_t k = 0; wanted(variant) && k < 2 * TEST_COUNT(bad); ++k) {
      rope_case what = small_case(variant);
      what.value[STYLE] = k % 2;
      op_call call;
      build(&call, &what);
      operand_put_index(&call.operands[bad[k / 2].which], 3, 0, bad[k / 2].number);
      if (variant->backend == KVF_CUDA) {
        (void)run_built(&call, &what, bad[k / 2].message);
        continue;
      }
      /* With rotate_skipped it makes no difference whether its token is written. */
      if (bad[k / 2].which == POSITIONS && k % 2) {
        operand_put_index(&call.operands[SLOT_MAPPING], 3, 0, -1);
        call.values[ROTATE_SKIPPED].as.boolean = true;
      }
      op_call_upload(&call);
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OUT_OF_RANGE);
      EXPECT_TEXT(kvf_last_error(), bad[k / 2].message);
      (void)op_call_verify(&call, bad[k / 2].message);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* The position of a token that is skipped may be anything. */
static void test_positions_of_skipped(void) {
  static const int64_t numbers[] = {-1, NUM_POSITIONS, INT64_MAX, INT64_MIN};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_rope_fused.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_rope_fused.variants[i];
    for (size_t k = 0; wanted(variant) && k < TEST_COUNT(numbers); ++k) {
      const rope_case what = small_case(variant);
      op_call call;
      build(&call, &what);
      operand_put_index(&call.operands[SLOT_MAPPING], 3, 0, -1);
      operand_put_index(&call.operands[POSITIONS], 3, 0, numbers[k]);
      (void)run_built(&call, &what, variant->symbol);
    }
  }
}

/* ---- strides beyond 2^31
 * --------------------------------------------------------------------------- */

static const int64_t far = (INT64_C(1) << 33) + 16;

/* Two tokens, of which only the second is written; every index that matters is 1, or slot 4. */
static rope_case far_case(op_call *call, const kvf_variant *variant, bool is_neox, int64_t slot) {
  rope_case what = small_case(variant);
  what.tokens = 2;
  what.value[STYLE] = is_neox;
  what.value[SKIPPED] = 1;
  build(call, &what);
  operand_put_index(&call->operands[SLOT_MAPPING], 0, 0, -1);
  operand_put_index(&call->operands[SLOT_MAPPING], 1, 0, slot);
  operand_put_index(&call->operands[POSITIONS], 0, 0, 1);
  operand_put_index(&call->operands[POSITIONS], 1, 0, 1);
  return what;
}

/* The row of index 1 becomes the one that has the memory; the row of index 0 lies far outside. */
static void move_far(op_call *call, int which, int dimension) {
  tensor *view = &call->operands[which].view;
  view->start -= far * (view->dtype.bits / 8);
  view->stride[dimension] = far;
}

/* Where rows of both tokens are touched, or read at least, memory must reach from one to the other.
 */
static void test_far_rows(const kvf_variant *variant, int which, bool is_neox) {
  op_call call;
  const rope_case what = far_case(&call, variant, is_neox, 4);
  tensor *view = &call.operands[which].view;
  const int64_t bytes = view->dtype.bits / 8;
  const size_t row = (size_t)(view->stride[0] * bytes);
  uint8_t *place = (uint8_t *)view->memory->expected + view->start;
  region memory;
  if (!region_make(&memory, variant->backend, (size_t)(far * bytes) + row)) {
    skip_part("no memory that reaches beyond 2^31 elements");
    op_call_free(&call);
    return;
  }
  op_call_upload(&call);
  region_put(&memory, 0, place, row);
  region_put(&memory, far * bytes, place + row, row);
  kvf_concat_and_cache_mla_rope_fused_params params = params_of(&call, &what);
  kvf_view *moved = which == Q_PE ? &params.q_pe : which == K_PE ? &params.k_pe : &params.kv_c;
  moved->data = memory.place;
  moved->stride[0] = far;
  const uint64_t before = faults_before(variant->backend);
  const kvf_status status = kvf_launch_concat_and_cache_mla_rope_fused(NULL, variant, &params);
  (void)expect_all(&call, &what);
  uint8_t found[2][4096];
  EXPECT(row <= sizeof found[0], "a row has %zu bytes", row);
  (void)expect_done(variant->backend, status, before, 0, variant->symbol);
  region_get(&memory, 0, found[0], row);
  region_get(&memory, far * bytes, found[1], row);
  EXPECT(memcmp(found[0], place, row) == 0 && memcmp(found[1], place + row, row) == 0,
         "%s: rows of tensor %d are wrong", variant->symbol, which);
  buffer_upload(view->memory); /* its rows were in the region */
  (void)op_call_verify(&call, variant->symbol);
  region_free(&memory);
  op_call_free(&call);
  count_case(variant);
}

static void test_far(void) {
  static const int which[] = {COS_SIN_CACHE, KV_CACHE, KV_CACHE};
  static const int dimension[] = {0, 0, 1};
  static const int rows[] = {Q_PE, K_PE, KV_C};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla_rope_fused.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla_rope_fused.variants[i];
    for (size_t k = 0; wanted(variant) && k < 2 * TEST_COUNT(which); ++k) {
      op_call call;
      const int64_t slot = dimension[k / 2] == 1 ? 1 : 4;
      const rope_case what = far_case(&call, variant, k % 2, slot);
      move_far(&call, which[k / 2], dimension[k / 2]);
      (void)run_built(&call, &what, variant->symbol);
    }
    for (size_t k = 0; wanted(variant) && k < 2 * TEST_COUNT(rows); ++k) {
      test_far_rows(variant, rows[k / 2], k % 2);
    }
  }
}

/* ---- bad arguments
 * --------------------------------------------------------------------------------- */

/* clang-format off */
#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

static const bad_argument bad_arguments[] = {
  {"no positions", ON_BOTH, "positions", SPOIL_NULL, 0, 0, NULL, VALUE_, "positions", "NULL", "want a tensor"},
  {"no q_pe", ON_BOTH, "q_pe", SPOIL_NULL, 0, 0, NULL, VALUE_, "q_pe", "NULL", "want a tensor"},
  {"no k_pe", ON_BOTH, "k_pe", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_pe", "NULL", "want a tensor"},
  {"no kv_c", ON_BOTH, "kv_c", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_c", "NULL", "want a tensor"},
  {"no cos_sin_cache", ON_BOTH, "cos_sin_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "cos_sin_cache", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"no kv_cache", ON_BOTH, "kv_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache", "NULL", "want a tensor"},
  {"no kv_cache_scale", ON_BOTH, "kv_cache_scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_scale", "NULL", "want a tensor"},
  {"unknown kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp7", VALUE_, "kv_cache_dtype", "'fp7'", "want one of auto"},
  {"positions of rank 2", ON_BOTH, "positions", SPOIL_RANK, 0, 2, NULL, VALUE_, "positions", "rank is 2", "want 1"},
  {"q_pe of rank 2", ON_BOTH, "q_pe", SPOIL_RANK, 0, 2, NULL, VALUE_, "q_pe", "rank is 2", "want 3"},
  {"cos_sin_cache of rank 1", ON_BOTH, "cos_sin_cache", SPOIL_RANK, 0, 1, NULL, VALUE_, "cos_sin_cache", "rank is 1", "want 2"},
  {"kv_cache_scale of rank 3", ON_BOTH, "kv_cache_scale", SPOIL_RANK, 0, 3, NULL, VALUE_, "kv_cache_scale", "rank is 3", "want 1"},
  {"fewer positions", ON_BOTH, "positions", SPOIL_SIZE, 0, 4, NULL, VALUE_, "positions", "has 4 rows", "want at least 5 (the length of slot_mapping)"},
  {"more slots", ON_BOTH, "slot_mapping", SPOIL_SIZE, 0, 6, NULL, VALUE_, "positions", "has 5 rows", "want at least 6 (the length of slot_mapping)"},
  {"more tokens in k_pe", ON_BOTH, "k_pe", SPOIL_SIZE, 0, 6, NULL, VALUE_, "k_pe", "(num_rows) is 6", "want 5 as in q_pe"},
  {"fewer tokens in kv_c", ON_BOTH, "kv_c", SPOIL_SIZE, 0, 4, NULL, VALUE_, "kv_c", "(num_rows) is 4", "want 5 as in q_pe"},
  {"other rope_dim in k_pe", ON_BOTH, "k_pe", SPOIL_SIZE, 1, 14, NULL, VALUE_, "k_pe", "(rope_dim) is 14", "want 16 as in q_pe"},
  {"other rope_dim in cos_sin_cache", ON_BOTH, "cos_sin_cache", SPOIL_SIZE, 1, 8, NULL, VALUE_, "cos_sin_cache", "(rope_dim) is 8", "want 16 as in q_pe"},
  {"heads are negative", ON_BOTH, "q_pe", SPOIL_SIZE, 1, -2, NULL, VALUE_, "q_pe", "(num_heads) is -2", "want 0 or more"},
  {"too many heads", ON_BOTH, "q_pe", SPOIL_SIZE, 1, INT64_C(1) << 27, NULL, VALUE_, "q_pe", "134217728 x 16 elements", "want less than 2^31"},
  {"kv_c too long", ON_BOTH, "kv_c", SPOIL_SIZE, 1, INT32_MAX - 3, NULL, VALUE_, "kv_c", "2147483644 + 16", "want less than 2^31"},
  {"cache rows too short", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 63, NULL, VALUE_, "kv_cache", "(kv_lora_rank + rope_dim) is 63", "want 64 as in kv_c and k_pe"},
  {"two scales", ON_BOTH, "kv_cache_scale", SPOIL_SIZE, 0, 2, NULL, VALUE_, "kv_cache_scale", "(scales) is 2", "want 1"},
  {"positions are float32", ON_BOTH, "positions", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "positions", "dtype is float32", "want int32, int64"},
  {"q_pe is float64", ON_BOTH, "q_pe", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "q_pe", "dtype is float64", "want float32, float16, bfloat16"},
  {"k_pe is float16", ON_BOTH, "k_pe", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "k_pe", "dtype is float16", "want float32"},
  {"cos_sin_cache is bfloat16", ON_BOTH, "cos_sin_cache", SPOIL_DTYPE, kDLBfloat, 16, NULL, TYPE, "cos_sin_cache", "dtype is bfloat16", "want float32"},
  {"kv_cache is int8", ON_BOTH, "kv_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "kv_cache", "dtype is int8", "want "},
  {"kv_cache_scale is float64", ON_BOTH, "kv_cache_scale", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "kv_cache_scale", "dtype is float64", "want float32"},
  {"q_pe on CUDA", ON_CPU, "q_pe", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "q_pe", "on CUDA device 0", "want the CPU"},
  {"cos_sin_cache on the CPU", ON_CUDA, "cos_sin_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "cos_sin_cache", "on the CPU", "want CUDA device 0"},
  {"cos_sin_cache has no data", ON_BOTH, "cos_sin_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "cos_sin_cache", "data is NULL", "want an address"},
  {"q_pe is misaligned", ON_BOTH, "q_pe", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "q_pe", "address ", "multiple of the element size"},
  {"heads overlap", ON_BOTH, "q_pe", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "q_pe", "stride of dimension 1 (num_heads) is 0", "do not overlap"},
  {"keys overlap", ON_BOTH, "k_pe", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "k_pe", "stride of dimension 0 (num_rows) is 0", "do not overlap"},
  {"blocks overlap", ON_BOTH, "kv_cache", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "kv_cache", "stride of dimension 0 (num_blocks) is 0", "do not overlap"},
};
/* clang-format on */

static const kvf_variant *find(kvf_dtype cache) {
  const kvf_variant *variant =
      kvf_select(&kvf_op_concat_and_cache_mla_rope_fused, options.backend, KVF_F32, cache);
  if (variant == NULL) {
    skip_part("%s", kvf_last_error());
  }
  return variant;
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  for (int fp8 = 0; fp8 < 2; ++fp8) {
    const kvf_variant *variant = find(fp8 ? KVF_FP8_E4M3 : KVF_F32);
    if (variant != NULL) {
      const rope_case what = small_case(variant);
      op_call_test_bad(build, &what, typed, bad_arguments, TEST_COUNT(bad_arguments));
      op_call_test_overlap(build, &what, typed, "kv_cache", "kv_c");
      op_call_test_overlap(build, &what, typed, "kv_cache", "q_pe");
      op_call_test_overlap(build, &what, typed, "q_pe", "kv_c");
      op_call_test_overlap(build, &what, typed, "q_pe", "cos_sin_cache");
      op_call_test_overlap(build, &what, typed, "k_pe", "cos_sin_cache");
      op_call_test_overlap(build, &what, typed, "q_pe", "k_pe");
      op_call_test_scales(build, &what, typed, "kv_cache_scale", fp8);
    }
  }
}

/* An odd row has an element without a partner. */
static void test_odd(void) {
  const kvf_variant *variant = need_backend() ? find(KVF_F32) : NULL;
  if (variant == NULL) {
    return;
  }
  rope_case what = small_case(variant);
  what.rope_dim = 15;
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "q_pe: rope_dim is 15, want an even number");
  (void)op_call_verify(&call, "odd rope_dim");
  op_call_free(&call);
  count_case(NULL);
}

#define MEMBER(path)                                                                               \
  offsetof(kvf_concat_and_cache_mla_rope_fused_params, path),                                      \
      sizeof(((kvf_concat_and_cache_mla_rope_fused_params *)0)->path)

static void test_bad_params(void) {
  static const struct {
    const char *member;
    size_t at;
    size_t bytes;
    int64_t number;
    const char *got;
    const char *want;
  } rows[] = {
      {"positions", MEMBER(positions.data), 0, "NULL", "want an address"},
      {"q_pe", MEMBER(q_pe.data), 0, "NULL", "want an address"},
      {"k_pe", MEMBER(k_pe.data), 0, "NULL", "want an address"},
      {"kv_c", MEMBER(kv_c.data), 0, "NULL", "want an address"},
      {"cos_sin_cache", MEMBER(cos_sin_cache.data), 0, "NULL", "want an address"},
      {"kv_cache", MEMBER(kv_cache.data), 0, "NULL", "want an address"},
      {"kv_cache_scale", MEMBER(kv_cache_scale.data), 0, "NULL", "want an address"},
      {"slot_mapping", MEMBER(slots.mapping), 0, "NULL", "want an address"},
      {"num_heads", MEMBER(num_heads), -1, "got -1", "want 0 or more"},
      {"num_heads", MEMBER(num_heads), INT32_MAX, "2147483647 x 16", "less than 2^31"},
      {"num_positions", MEMBER(num_positions), -1, "got -1", "want 0 or more"},
      {"position_bytes", MEMBER(position_bytes), 2, "got 2", "want 4 or 8"},
      {"rope_dim", MEMBER(rope_dim), 15, "rope_dim is 15", "want an even number"},
      {"kv_lora_rank", MEMBER(kv_lora_rank), -1, "got -1", "want 0 or more"},
      {"num_tokens", MEMBER(slots.num_tokens), -1, "got -1", "want 0 or more"},
  };
  const kvf_variant *variant = need_backend() ? find(KVF_FP8_E4M3) : NULL;
  if (variant == NULL) {
    return;
  }
  const rope_case what = small_case(variant);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    kvf_concat_and_cache_mla_rope_fused_params params = params_of(&call, &what);
    memcpy((char *)&params + rows[i].at, &rows[i].number, rows[i].bytes);
    EXPECT_STATUS(kvf_launch_concat_and_cache_mla_rope_fused(NULL, variant, &params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    EXPECT_TEXT(kvf_last_error(), rows[i].got);
    EXPECT_TEXT(kvf_last_error(), rows[i].want);
    (void)op_call_verify(&call, rows[i].member);
    count_case(NULL);
  }
  op_call_free(&call);
}

CU_TestInfo concat_and_cache_mla_rope_fused_tests[] = {
    {"every pair of axis values", test_matrix},
    {"rows that end inside a vector", test_padded},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"slots and positions out of range", test_out_of_range},
    {"positions of skipped tokens", test_positions_of_skipped},
    {"bad arguments", test_bad_arguments},
    {"odd rows", test_odd},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
