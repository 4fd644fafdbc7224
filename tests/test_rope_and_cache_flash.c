/* rope_and_cache_flash: norms, rotates, quantises, and writes to pages, bit for bit. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "flash.h"
#include "int4.h"
#include "oracle.h"
#include "region.h"

#define OP (&kvf_op_rope_and_cache_flash)

enum {
  QUERY,
  KEY,
  VALUE,
  KEY_CACHE,
  VALUE_CACHE,
  POSITIONS,
  COS_SIN_CACHE,
  SLOT_MAPPING,
  KV_CACHE_DTYPE,
  K_SCALE,
  V_SCALE,
  IS_NEOX,
  Q_WEIGHT,
  K_WEIGHT,
  EPS,
  WEIGHT_BIAS,
  NORM,
  ROUNDING,
  Q_OUT,
  Q_SCALE,
  K_OUT,
  K_SCALE_CACHE,
  V_SCALE_CACHE,
  SLOT_REMAP,
  ARGUMENTS
};

/* The axes that cases vary. */
enum {
  SIZES_, /* head_size, value_head_size, rotary_dim */
  HEADS_, /* of queries, of keys */
  PAGES_,
  TOKENS_,
  SHORT_, /* slots that are missing */
  STYLE_, /* is_neox */
  SOURCES_,
  CACHES_,
  OUTS_, /* layout of q_out and k_out */
  FROM_, /* address of element 0 mod 16 */
  TO_,
  SLOTS_,
  INDEX_, /* of slots and positions */
  TABLE_, /* layout of cos_sin_cache */
  ANGLES_,
  WEIGHTS_,
  NORM_,
  BIAS_,
  ROUNDING_,
  Q_OUT_,
  K_OUT_,
  SCALES_,
  VALUES_,
  ENTRY_,
  AXES_
};

enum { ENTRY_TYPED, ENTRY_BOXED, ENTRY_RAW, ENTRIES };
enum { PACKED_QKV = FLASH_LAYOUTS, SOURCE_LAYOUTS };
enum { PACKED_KV = FLASH_LAYOUTS, CACHE_LAYOUTS }; /* values behind keys, whatever their sizes */
enum { TABLE_CONTIGUOUS, TABLE_PADDED, TABLE_STRIDED, TABLE_LAYOUTS };
enum { ANGLES_SCALAR, ANGLES_F32, ANGLES_NONE, ANGLE_KINDS };
enum {
  WEIGHTS_NONE,
  WEIGHTS_SCALAR,
  WEIGHTS_F32,
  WEIGHTS_MIXED,
  WEIGHTS_Q,
  WEIGHTS_K,
  WEIGHT_KINDS
};
enum { ROUND_UNFUSED, ROUND_ONCE, ROUND_NONE, ROUNDINGS };
enum { Q_IN_PLACE, Q_APART, Q_E4M3, Q_E5M2, Q_BYTES, Q_KINDS };
enum { K_IN_PLACE, K_APART, K_NOWHERE, K_KINDS };
enum { SCALE_ONE, SCALE_HALF, SCALE_PER_HEAD, SCALE_KINDS };

static const int64_t sizes_of[][3] = {{128, 128, 128}, {64, 64, 32}, {80, 80, 80}, {192, 128, 64},
                                      {256, 256, 256}, {46, 30, 6},  {16, 48, 16}, {576, 512, 64},
                                      {1, 1, 0},       {17, 3, 16},  {96, 96, 96}, {512, 16, 16},
                                      {1090, 8, 130},  {112, 0, 48}};
/* Of nvfp4: whole groups, of values four of them, and two of what is rotated. */
static const int64_t fp4_sizes_of[][3] = {{128, 128, 128}, {64, 64, 32},   {80, 64, 64},
                                          {96, 128, 96},   {192, 128, 64}, {256, 64, 256},
                                          {576, 512, 64},  {48, 64, 32},   {1088, 64, 128}};
static const int64_t heads_of[][2] = {{5, 2}, {1, 1}, {0, 3}, {7, 0}, {40, 8}};
static const int64_t block_size_of[] = {1, 16, 7};
static const int64_t fp4_block_size_of[] = {4, 16, 8};
static const int64_t tokens_of[] = {0, 1, 5, 23};
static const char *const rounding_names[] = {"unfused", "once", "none"};
enum { NUM_POSITIONS = 40 };
static const float eps = 1e-5f;

typedef struct rope_case {
  const kvf_variant *variant;
  int value[AXES_];
  int64_t head_size, value_head_size, rotary_dim;
  int64_t q_heads, heads;
  int64_t tokens, slots;
  int64_t block_size, num_blocks;
  uint64_t seed;
} rope_case;

static kvf_dtype scalar_of(const rope_case *what) { return kvf_scalar_of(what->variant); }
static kvf_dtype cache_of(const rope_case *what) { return kvf_cache_of(what->variant); }
static int bytes_of(kvf_dtype dtype) { return kvf_dtype_bits(dtype) / 8; }

static bool is_fp4(const kvf_variant *variant) {
  return kvf_cache_of(variant) == KVF_NVFP4 || kvf_cache_of(variant) == KVF_NVFP4_4OVER6;
}

static bool is_int4(const kvf_variant *variant) {
  return kvf_cache_of(variant) == KVF_INT4_PER_TOKEN_HEAD;
}

static bool has_row_scales(const kvf_variant *variant) {
  return is_int4(variant) || kvf_cache_of(variant) == KVF_INT8_PER_TOKEN_HEAD ||
         kvf_cache_of(variant) == KVF_INT8_PER_TOKEN_HEAD_EVEN ||
         kvf_cache_of(variant) == KVF_FP8_PER_TOKEN_HEAD;
}

static bool has_table(const rope_case *what) { return what->value[ANGLES_] != ANGLES_NONE; }

static bool has_weight(const rope_case *what, bool query) {
  const int kind = what->value[WEIGHTS_];
  return kind != WEIGHTS_NONE && kind != (query ? WEIGHTS_K : WEIGHTS_Q);
}

static bool is_normed(const rope_case *what, bool query) {
  return what->value[NORM_] == 1 || has_weight(what, query);
}

static kvf_dtype weight_dtype(const rope_case *what, bool query) {
  const int kind = what->value[WEIGHTS_];
  const bool single = kind == WEIGHTS_F32 || kind == WEIGHTS_K || (kind == WEIGHTS_MIXED && query);
  return single ? KVF_F32 : scalar_of(what);
}

static float bias_of(const rope_case *what) { return what->value[BIAS_] ? 1.0f : 0.0f; }

/* ---- calls
 * --------------------------------------------------------------------------------------- */

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
#define TENSOR(i) ((DLTensor *)values[i].as.tensor)
  return kvf_rope_and_cache_flash(
      exec, TENSOR(QUERY), TENSOR(KEY), TENSOR(VALUE), TENSOR(KEY_CACHE), TENSOR(VALUE_CACHE),
      TENSOR(POSITIONS), TENSOR(COS_SIN_CACHE), TENSOR(SLOT_MAPPING),
      values[KV_CACHE_DTYPE].as.string, TENSOR(K_SCALE), TENSOR(V_SCALE),
      values[IS_NEOX].as.boolean, TENSOR(Q_WEIGHT), TENSOR(K_WEIGHT), values[EPS].as.number,
      values[WEIGHT_BIAS].as.number, values[NORM].as.string, values[ROUNDING].as.string,
      TENSOR(Q_OUT), TENSOR(Q_SCALE), TENSOR(K_OUT), TENSOR(K_SCALE_CACHE), TENSOR(V_SCALE_CACHE),
      TENSOR(SLOT_REMAP));
#undef TENSOR
}

/* The view of an operand, or nothing. */
static kvf_view view_of(const op_call *call, int which) {
  const operand *from = &call->operands[which];
  return from->view.memory != NULL ? operand_view(from) : (kvf_view){.data = NULL};
}

/* A scale: one, or as many as there are heads. */
static kvf_view scale_view(const op_call *call, int which) {
  kvf_view view = view_of(call, which);
  const tensor *from = &call->operands[which].view;
  if (view.data != NULL && (from->rank == 0 || from->shape[0] == 1)) {
    view.stride[0] = 0;
  }
  return view;
}

/* The pages of nvfp4 of a side are HND. */
static bool heads_first(const rope_case *what, int side) {
  return (what->value[CACHES_] + side) % 2 == 1;
}

static kvf_view cache_view(const op_call *call, const rope_case *what, int side) {
  kvf_view view = view_of(call, KEY_CACHE + side);
  if (is_fp4(what->variant)) { /* strides of codes */
    const int64_t row = (side ? what->value_head_size : what->head_size) / 2;
    view.stride[1] = heads_first(what, side) ? row : what->heads * row;
    view.stride[2] = heads_first(what, side) ? what->block_size * row : row;
  }
  return view;
}

static kvf_rope_and_cache_flash_params params_of(const op_call *call, const rope_case *what) {
  const operand *slots = &call->operands[SLOT_MAPPING];
  const int q_out = what->value[Q_OUT_];
  return (kvf_rope_and_cache_flash_params){
      .key = view_of(call, KEY),
      .value = view_of(call, VALUE),
      .key_cache = cache_view(call, what, 0),
      .value_cache = cache_view(call, what, 1),
      .k_scale = scale_view(call, K_SCALE),
      .v_scale = scale_view(call, V_SCALE),
      .slots = {.mapping = operand_view(slots).data,
                .stride = slots->view.stride[0],
                .index_bytes = slots->view.dtype.bits / 8,
                .num_tokens = what->slots,
                .num_blocks = what->num_blocks,
                .block_size = what->block_size},
      .num_heads = (int32_t)what->heads,
      .head_size = (int32_t)what->head_size,
      .streaming = -1,
      .value_head_size = (int32_t)what->value_head_size,
      .num_q_heads = (int32_t)what->q_heads,
      .num_tokens = what->tokens,
      .query = view_of(call, QUERY),
      .q_out = view_of(call, q_out == Q_IN_PLACE ? QUERY : Q_OUT),
      .k_out = what->value[K_OUT_] == K_NOWHERE
                   ? (kvf_view){.data = NULL}
                   : view_of(call, what->value[K_OUT_] == K_IN_PLACE ? KEY : K_OUT),
      .q_scale = scale_view(call, Q_SCALE),
      .positions = view_of(call, POSITIONS),
      .cos_sin_cache = view_of(call, COS_SIN_CACHE),
      .q_weight = view_of(call, Q_WEIGHT),
      .k_weight = view_of(call, K_WEIGHT),
      .num_positions = NUM_POSITIONS,
      .rotary_dim = has_table(what) ? (int32_t)what->rotary_dim : 0,
      .position_bytes = call->operands[POSITIONS].view.dtype.bits / 8,
      .angle_bytes = call->operands[COS_SIN_CACHE].view.dtype.bits / 8,
      .q_weight_bytes = call->operands[Q_WEIGHT].view.dtype.bits / 8,
      .k_weight_bytes = call->operands[K_WEIGHT].view.dtype.bits / 8,
      .norms_q = is_normed(what, true),
      .norms_k = is_normed(what, false),
      .eps = eps,
      .weight_bias = bias_of(what),
      .is_neox = what->value[STYLE_],
      .rounding = what->value[ROUNDING_],
      .q_becomes = q_out == Q_E5M2 ? 2 : q_out >= Q_E4M3,
      .swizzle_v_scales = is_fp4(what->variant),
      .k_scale_cache = view_of(call, K_SCALE_CACHE),
      .v_scale_cache = view_of(call, V_SCALE_CACHE),
      .wide = -1,
  };
}

/* query, key and value: tensors of their own, or slices of one. */
static void make_sources(op_call *call, const rope_case *what) {
  const int64_t shapes[3][3] = {{what->tokens, what->q_heads, what->head_size},
                                {what->tokens, what->heads, what->head_size},
                                {what->tokens, what->heads, what->value_head_size}};
  const DLDataType dtype = dl_dtype(scalar_of(what));
  int64_t stride[3];
  if (what->value[SOURCES_] != PACKED_QKV) {
    for (int which = QUERY; which <= VALUE; ++which) {
      flash_lay_out(what->value[SOURCES_], 3, shapes[which], stride);
      operand_make(call, which, dtype, 3, shapes[which], stride, what->value[FROM_], 32,
                   what->seed + 10 + (uint64_t)which);
      flash_fill(&call->operands[which], scalar_of(what), what->value[VALUES_],
                 what->seed + 20 + (uint64_t)which);
    }
    return;
  }
  int64_t row = 0;
  for (int which = QUERY; which <= VALUE; ++which) {
    row += shapes[which][1] * shapes[which][2];
  }
  /* Behind the op's arguments, so that each of them is a view of another's memory. */
  const int64_t all[2] = {what->tokens, row};
  operand_make(call, ARGUMENTS, dtype, 2, all, (const int64_t[]){row, 1}, what->value[FROM_], 32,
               what->seed + 10);
  flash_fill(&call->operands[ARGUMENTS], scalar_of(what), what->value[VALUES_], what->seed + 20);
  int64_t start = 0;
  for (int which = QUERY; which <= VALUE; ++which) {
    const int64_t packed[3] = {row, shapes[which][2], 1};
    operand_share(call, which, ARGUMENTS, start, 3, shapes[which], packed);
    start += shapes[which][1] * shapes[which][2];
  }
}

/* Codes and block scales of a page of each, a gap behind it now and then. */
static void make_fp4_caches(op_call *call, const rope_case *what) {
  for (int side = 0; side < 2; ++side) {
    const int64_t size = side ? what->value_head_size : what->head_size;
    const int64_t width = size / 2 + size / 16;
    const int64_t shape[4] = {what->num_blocks, what->block_size, what->heads, width};
    const bool hnd = heads_first(what, side);
    const int64_t gap = what->value[CACHES_] % 3 * 8;
    const int64_t stride[4] = {what->block_size * what->heads * width + gap,
                               hnd ? width : what->heads * width,
                               hnd ? what->block_size * width : width, 1};
    operand_make(call, KEY_CACHE + side, (DLDataType){kDLUInt, 8, 1}, 4, shape, stride,
                 what->value[TO_], 64, what->seed + 1 + (uint64_t)side);
  }
}

/* [page, token, head, codes and word of the key, codes and word of the value]: four views. */
static void make_inline_caches(op_call *call, const rope_case *what) {
  const int64_t codes[2] = {what->head_size / 2, what->value_head_size / 2};
  const int64_t all[4] = {what->num_blocks, what->block_size, what->heads,
                          codes[0] + 4 + codes[1] + 4};
  int64_t stride[4];
  flash_lay_out(what->seed % 2 ? FLASH_CONTIGUOUS : FLASH_HEADS_FIRST, 4, all, stride);
  operand_make(call, ARGUMENTS + 1, (DLDataType){kDLUInt, 8, 1}, 4, all, stride, what->value[TO_],
               64, what->seed + 1);
  for (int side = 0; side < 2; ++side) {
    const int64_t start = side ? codes[0] + 4 : 0;
    const int64_t shape[4] = {all[0], all[1], all[2], codes[side]};
    const int64_t words[3] = {stride[0] / 4, stride[1] / 4, stride[2] / 4};
    operand_share(call, KEY_CACHE + side, ARGUMENTS + 1, start, 4, shape, stride);
    operand_share(call, K_SCALE_CACHE + side, ARGUMENTS + 1, start + codes[side], 3, shape, words);
    call->operands[K_SCALE_CACHE + side].view.dtype = dl_dtype(KVF_F32);
  }
}

static void make_scale_caches(op_call *call, const rope_case *what) {
  for (int side = 0; side < 2; ++side) {
    const int64_t shape[3] = {what->num_blocks, what->block_size, what->heads};
    int64_t stride[3];
    flash_lay_out((what->value[OUTS_] + side) % FLASH_LAYOUTS, 3, shape, stride);
    operand_make(call, K_SCALE_CACHE + side, dl_dtype(KVF_F32), 3, shape, stride, 4 * side, 32,
                 what->seed + 7 + (uint64_t)side);
  }
}

static void make_caches(op_call *call, const rope_case *what) {
  if (is_fp4(what->variant)) {
    make_fp4_caches(call, what);
    return;
  }
  const bool packed = is_int4(what->variant);
  if (packed && what->value[CACHES_] == PACKED_KV && what->value[TO_] % 4 == 0 &&
      what->head_size % 8 == 0 && what->value_head_size % 8 == 0) {
    make_inline_caches(call, what);
    return;
  }
  if (has_row_scales(what->variant)) {
    make_scale_caches(call, what);
  }
  const int64_t sizes[2] = {packed ? what->head_size / 2 : what->head_size,
                            packed ? what->value_head_size / 2 : what->value_head_size};
  const bool as_bytes = what->seed % 3 == 0 && cache_of(what) != scalar_of(what);
  const DLDataType dtype = as_bytes ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(cache_of(what));
  int64_t stride[4];
  if (what->value[CACHES_] == PACKED_KV) {
    const int64_t content = sizes[0] + sizes[1];
    const int64_t all[4] = {what->num_blocks, what->block_size, what->heads, content};
    flash_lay_out(what->seed % 2 ? FLASH_CONTIGUOUS : FLASH_HEADS_FIRST, 4, all, stride);
    operand_make(call, ARGUMENTS + 1, dtype, 4, all, stride, what->value[TO_], 64, what->seed + 1);
    for (int side = 0; side < 2; ++side) {
      const int64_t shape[4] = {all[0], all[1], all[2], sizes[side]};
      operand_share(call, KEY_CACHE + side, ARGUMENTS + 1, side ? sizes[0] : 0, 4, shape, stride);
    }
    return;
  }
  for (int side = 0; side < 2; ++side) {
    const int64_t shape[4] = {what->num_blocks, what->block_size, what->heads, sizes[side]};
    const int layout = (what->value[CACHES_] + side) % FLASH_LAYOUTS;
    flash_lay_out(packed && layout == FLASH_STRIDED ? FLASH_PADDED_ALIGNED : layout, 4, shape,
                  stride);
    operand_make(call, KEY_CACHE + side, dtype, 4, shape, stride, what->value[TO_], 64,
                 what->seed + 1 + (uint64_t)side);
  }
}

static void make_outs(op_call *call, const rope_case *what) {
  static const kvf_dtype codes[] = {[Q_E4M3] = KVF_FP8_E4M3, [Q_E5M2] = KVF_FP8_E5M2};
  const int kind = what->value[Q_OUT_];
  int64_t stride[3];
  if (kind != Q_IN_PLACE) {
    const int64_t shape[3] = {what->tokens, what->q_heads, what->head_size};
    const DLDataType dtype = kind == Q_BYTES   ? (DLDataType){kDLUInt, 8, 1}
                             : kind == Q_APART ? dl_dtype(scalar_of(what))
                                               : dl_dtype(codes[kind]);
    flash_lay_out(what->value[OUTS_], 3, shape, stride);
    operand_make(call, Q_OUT, dtype, 3, shape, stride, what->value[TO_], 32, what->seed + 5);
  }
  if (what->value[K_OUT_] == K_APART) {
    const int64_t shape[3] = {what->tokens, what->heads, what->head_size};
    flash_lay_out(what->value[OUTS_], 3, shape, stride);
    operand_make(call, K_OUT, dl_dtype(scalar_of(what)), 3, shape, stride, what->value[FROM_], 32,
                 what->seed + 6);
  } else if (what->value[K_OUT_] == K_NOWHERE) {
    operand_make(call, K_OUT, dl_dtype(scalar_of(what)), 1, (const int64_t[]){0},
                 (const int64_t[]){1}, 0, 16, what->seed + 6);
  }
}

/* Cosines and sines, and where values are strange anything at all. */
static void make_table(op_call *call, const rope_case *what) {
  if (!has_table(what)) {
    return;
  }
  const kvf_dtype dtype = what->value[ANGLES_] == ANGLES_F32 ? KVF_F32 : scalar_of(what);
  const int layout = what->value[TABLE_];
  const int64_t shape[2] = {NUM_POSITIONS, what->rotary_dim};
  const int64_t step = layout == TABLE_STRIDED ? 2 : 1;
  const int64_t stride[2] = {step * what->rotary_dim + (layout == TABLE_PADDED ? 3 : 0), step};
  operand_make(call, COS_SIN_CACHE, dl_dtype(dtype), 2, shape, stride, 0, 0, what->seed + 30);
  const operand *table = &call->operands[COS_SIN_CACHE];
  if (what->value[VALUES_] >= FLASH_SPECIAL) {
    flash_fill(table, dtype, what->value[VALUES_], what->seed + 31);
    return;
  }
  for (int64_t position = 0; position < NUM_POSITIONS; ++position) {
    for (int64_t i = 0; i < what->rotary_dim; ++i) {
      const int64_t half = what->rotary_dim / 2;
      const double angle =
          (double)position * pow(10000.0, -2.0 * (double)(i % half) / (double)what->rotary_dim);
      oracle_make(dtype, i < half ? cos(angle) : sin(angle), operand_at(table, position, i, 0, 0));
    }
  }
}

static void make_weights(op_call *call, const rope_case *what) {
  for (int query = 0; query < 2; ++query) {
    if (has_weight(what, query)) {
      const int which = query ? Q_WEIGHT : K_WEIGHT;
      const kvf_dtype dtype = weight_dtype(what, query);
      const int64_t step[1] = {what->seed % 5 == 4 ? 2 : 1};
      operand_make(call, which, dl_dtype(dtype), 1, &what->head_size, step, 0, 0,
                   what->seed + 32 + (uint64_t)query);
      flash_fill(&call->operands[which], dtype,
                 what->value[VALUES_] == FLASH_BITS ? FLASH_BITS : FLASH_NORMAL,
                 what->seed + 34 + (uint64_t)query);
    }
  }
}

static void make_scale(op_call *call, int which, int kind, int64_t heads, uint64_t seed) {
  const int64_t count = kind == SCALE_PER_HEAD ? heads : 1;
  const int64_t step[1] = {seed % 2 ? 1 : 3};
  operand_make(call, which, dl_dtype(KVF_F32), kind == SCALE_PER_HEAD ? 1 : (int32_t)(seed % 2),
               &count, step, 0, 0, seed);
  for (int64_t head = 0; head < count; ++head) {
    const float value = kind == SCALE_ONE    ? 1.0f
                        : kind == SCALE_HALF ? 0.5f
                                             : 0.3f + 0.11f * (float)head;
    memcpy(operand_at(&call->operands[which], head, 0, 0, 0), &value, sizeof value);
  }
}

static void make_indices(op_call *call, const rope_case *what) {
  const int kind = what->value[INDEX_];
  for (int slots = 0; slots < 2; ++slots) {
    const bool wide = (kind + slots) % 2 == 0;
    const int64_t count[1] = {slots ? what->slots : what->tokens};
    const int64_t step[1] = {kind / 2 % 2 ? 3 : 1};
    operand_make(call, slots ? SLOT_MAPPING : POSITIONS, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 1,
                 count, step, 0, 0, what->seed + 40 + (uint64_t)slots);
  }
  uint64_t state = what->seed;
  for (int64_t i = 0; i < what->tokens; ++i) {
    /* Without a table, positions are not looked at. */
    operand_put_index(&call->operands[POSITIONS], i, 0,
                      has_table(what) && what->rotary_dim > 0 ? random_below(&state, NUM_POSITIONS)
                                                              : -5);
  }
  flash_fill_slots(&call->operands[SLOT_MAPPING], what->value[SLOTS_],
                   what->num_blocks * what->block_size, what->seed + 42);
}

static void build(op_call *call, const void *context) {
  const rope_case *what = context;
  const kvf_variant *variant = what->variant;
  *call = (op_call){
      .op = OP, .exec = {.backend = variant->backend, .num_threads = (int32_t)(what->seed % 3)}};
  call->given_exec = what->seed % 2 ? &call->exec : NULL;
  make_sources(call, what);
  make_caches(call, what);
  make_outs(call, what);
  make_table(call, what);
  make_weights(call, what);
  make_indices(call, what);
  make_scale(call, K_SCALE, what->value[SCALES_], what->heads, what->seed + 50);
  make_scale(call, V_SCALE, (what->value[SCALES_] + 1) % SCALE_KINDS, what->heads, what->seed + 51);
  if (what->value[Q_OUT_] != Q_IN_PLACE && what->seed % 4 != 0) {
    make_scale(call, Q_SCALE, (int)(what->seed % SCALE_KINDS), what->q_heads, what->seed + 52);
  }
  const kvf_value numbers[] = {
      {.kind = KVF_KIND_STRING,
       .as.string = cache_of(what) == scalar_of(what) ? "auto" : kvf_dtype_name(cache_of(what))},
      {.kind = KVF_KIND_BOOL, .as.boolean = what->value[STYLE_]},
      {.kind = KVF_KIND_FLOAT, .as.number = (double)eps},
      {.kind = KVF_KIND_FLOAT, .as.number = (double)bias_of(what)},
      {.kind = KVF_KIND_STRING, .as.string = what->value[NORM_] ? "on" : "auto"},
      {.kind = KVF_KIND_STRING, .as.string = rounding_names[what->value[ROUNDING_]]},
  };
  static const int places[] = {KV_CACHE_DTYPE, IS_NEOX, EPS, WEIGHT_BIAS, NORM, ROUNDING};
  for (size_t i = 0; i < TEST_COUNT(places); ++i) {
    call->values[places[i]] = numbers[i];
  }
}

/* ---- the slow answer
 * ----------------------------------------------------------------------------- */

/* The result of one f32 operation on floats, which double holds exactly or rounds harmlessly. */
static float single(double exact) { return (float)exact; }

/* A value in the scalar dtype. */
static float held(kvf_dtype scalar, float value) {
  uint8_t element[4] = {0};
  oracle_round(scalar, (double)value, element);
  return (float)oracle_value(scalar, element);
}

/* Sums of `count` numbers, a power of two, the upper half onto the lower one. */
static float fold(const float *numbers, int64_t count) {
  float halves[32];
  if (count == 1) {
    return numbers[0];
  }
  for (int64_t i = 0; i < count / 2; ++i) {
    halves[i] = single((double)numbers[i] + (double)numbers[i + count / 2]);
  }
  return fold(halves, count / 2);
}

/* The squares of a head, added in the order that the header of norms defines. */
static float sum_of_squares(const float *x, int64_t size) {
  const int64_t half = (size + 15) / 16 * 8;
  float sum = 0;
  for (int64_t group = 0; group < half; group += 256) {
    float parts[32] = {0};
    for (int64_t part = 0; part < 32 && group + 8 * part < half; ++part) {
      float squares[8];
      for (int64_t k = 0; k < 8; ++k) {
        const int64_t at = group + 8 * part + k;
        const double a = at < size ? (double)x[at] : 0;
        const double b = half + at < size ? (double)x[half + at] : 0;
        squares[k] = single((double)single(a * a) + (double)single(b * b));
      }
      parts[part] = fold(squares, 8);
    }
    sum = single((double)sum + (double)fold(parts, 32));
  }
  return sum;
}

static int64_t partner(const rope_case *what, int64_t i, bool second) {
  const int64_t half = what->rotary_dim / 2;
  return what->value[STYLE_] ? i + (second ? half : 0) : 2 * i + second;
}

/* A head of a query or key, as it is before it is stored; every operation rounded by itself. */
static void turn(const op_call *call, const rope_case *what, bool query, int64_t token,
                 int64_t head, float *out) {
  const kvf_dtype scalar = scalar_of(what);
  const operand *weights = &call->operands[query ? Q_WEIGHT : K_WEIGHT];
  for (int64_t d = 0; d < what->head_size; ++d) {
    out[d] = flash_element(&call->operands[query ? QUERY : KEY], scalar, token, head, d, 0);
  }
  if (is_normed(what, query)) {
    const float mean =
        single((double)sum_of_squares(out, what->head_size) / (double)what->head_size);
    const float root = single(sqrt((double)single((double)mean + (double)eps)));
    const float factor = single(1.0 / (double)root);
    for (int64_t d = 0; d < what->head_size; ++d) {
      const double weight = has_weight(what, query) ? oracle_value(weight_dtype(what, query),
                                                                   operand_at(weights, d, 0, 0, 0))
                                                    : 1.0;
      const float scaled = single((double)out[d] * (double)factor);
      out[d] = single((double)scaled * (double)single(weight + (double)bias_of(what)));
      out[d] = what->value[ROUNDING_] == ROUND_UNFUSED ? held(scalar, out[d]) : out[d];
    }
  }
  const kvf_dtype dtype = what->value[ANGLES_] == ANGLES_F32 ? KVF_F32 : scalar;
  const int64_t half = has_table(what) ? what->rotary_dim / 2 : 0;
  for (int64_t i = 0; i < half; ++i) {
    const int64_t position = operand_get_index(&call->operands[POSITIONS], token, 0);
    const operand *table = &call->operands[COS_SIN_CACHE];
    const double c = oracle_value(dtype, operand_at(table, position, i, 0, 0));
    const double s = oracle_value(dtype, operand_at(table, position, half + i, 0, 0));
    float *a = &out[partner(what, i, false)];
    float *b = &out[partner(what, i, true)];
    const double x = (double)*a;
    const double y = (double)*b;
    *a = single((double)single(x * c) - (double)single(y * s));
    *b = single((double)single(y * c) + (double)single(x * s));
  }
  for (int64_t d = 0; d < what->head_size && what->value[ROUNDING_] != ROUND_NONE; ++d) {
    out[d] = held(scalar, out[d]);
  }
}

/* The same in real numbers, and how far from it a result may be. */
static bool near(const op_call *call, const rope_case *what, bool query, int64_t token,
                 int64_t head, const float *got) {
  const kvf_dtype scalar = scalar_of(what);
  double *x = malloc((size_t)what->head_size * 2 * sizeof *x);
  double *size = x + what->head_size; /* of the terms that a result is the sum of */
  double squares = 0;
  const operand *weights = &call->operands[query ? Q_WEIGHT : K_WEIGHT];
  for (int64_t d = 0; d < what->head_size; ++d) {
    x[d] = (double)flash_element(&call->operands[query ? QUERY : KEY], scalar, token, head, d, 0);
    squares += x[d] * x[d];
  }
  for (int64_t d = 0; d < what->head_size; ++d) {
    if (is_normed(what, query)) {
      const double weight = has_weight(what, query) ? oracle_value(weight_dtype(what, query),
                                                                   operand_at(weights, d, 0, 0, 0))
                                                    : 1.0;
      x[d] *=
          (weight + (double)bias_of(what)) / sqrt(squares / (double)what->head_size + (double)eps);
    }
    size[d] = fabs(x[d]);
  }
  const kvf_dtype dtype = what->value[ANGLES_] == ANGLES_F32 ? KVF_F32 : scalar;
  const int64_t half = has_table(what) ? what->rotary_dim / 2 : 0;
  for (int64_t i = 0; i < half; ++i) {
    const int64_t position = operand_get_index(&call->operands[POSITIONS], token, 0);
    const operand *table = &call->operands[COS_SIN_CACHE];
    const double c = oracle_value(dtype, operand_at(table, position, i, 0, 0));
    const double s = oracle_value(dtype, operand_at(table, position, half + i, 0, 0));
    const int64_t a = partner(what, i, false);
    const int64_t b = partner(what, i, true);
    const double turned[2] = {x[a] * c - x[b] * s, x[b] * c + x[a] * s};
    size[a] = size[b] = fabs(x[a]) + fabs(x[b]);
    x[a] = turned[0];
    x[b] = turned[1];
  }
  /* Half a unit of what was rounded: everything once, and the terms of 'unfused' before. */
  const double unit = scalar == KVF_F32 ? 0x1p-24 : scalar == KVF_F16 ? 0x1p-11 : 0x1p-8;
  bool good = true;
  for (int64_t d = 0; d < what->head_size && good; ++d) {
    const int rounding = what->value[ROUNDING_];
    const double allowed = (rounding == ROUND_UNFUSED ? unit * size[d] : 0) +
                           (rounding != ROUND_NONE ? unit * fabs(x[d]) : 0) + 0x1p-20 * size[d] +
                           1e-7;
    good = EXPECT(fabs(x[d] - (double)got[d]) <= allowed, "element %d is %g, want %g", (int)d,
                  (double)got[d], x[d]);
  }
  free(x);
  return good;
}

static float scale_at(const operand *scale, int64_t head) {
  float value = 1.0f;
  if (scale->view.memory != NULL) {
    const bool many = scale->view.rank == 1 && scale->view.shape[0] > 1;
    memcpy(&value, operand_at(scale, many ? head : 0, 0, 0, 0), sizeof value);
  }
  return value;
}

/* A float as what a tensor of a dtype holds. */
static void put(kvf_dtype dtype, float value, float scale, uint8_t *element) {
  if (dtype == KVF_F32 || dtype == KVF_F16 || dtype == KVF_BF16) {
    oracle_round(dtype, (double)value, element);
  } else if (dtype == KVF_INT8) {
    *element = (uint8_t)oracle_int8(single((double)value / (double)scale));
  } else {
    *element = oracle_fp8(dtype, single((double)value / (double)scale));
  }
}

static uint8_t row_code(kvf_dtype cache, float value) {
  return cache == KVF_FP8_PER_TOKEN_HEAD    ? oracle_fp8(KVF_FP8_E4M3, value)
         : cache == KVF_INT8_PER_TOKEN_HEAD ? (uint8_t)oracle_int8_away(value)
                                            : (uint8_t)oracle_int8(value);
}

/* A head and its scale: the formula, one f32 operation after another, each exact in double. */
static void expect_scaled(const op_call *call, const rope_case *what, int side, const float *row,
                          int64_t block, int64_t offset, int64_t head) {
  const int64_t size = side ? what->value_head_size : what->head_size;
  float largest = 0;
  for (int64_t d = 0; d < size; ++d) {
    largest = fabsf(row[d]) > largest ? fabsf(row[d]) : largest;
  }
  const double most = cache_of(what) == KVF_FP8_PER_TOKEN_HEAD ? 448.0 : 127.0;
  const float quotient = (float)((double)largest / most);
  const float scale = quotient > 1e-6f ? quotient : 1e-6f;
  const float inverse = (float)(1.0 / (double)scale);
  memcpy(operand_at(&call->operands[K_SCALE_CACHE + side], block, offset, head, 0), &scale, 4);
  for (int64_t d = 0; d < size; ++d) {
    *operand_at(&call->operands[KEY_CACHE + side], block, offset, head, d) =
        row_code(cache_of(what), (float)((double)row[d] * (double)inverse));
  }
}

/* A head of int4 and its word. Keys that nothing is to be rounded of are rotated in f32. */
static void expect_rotated(const op_call *call, const rope_case *what, int side, float *row,
                           int64_t block, int64_t offset, int64_t head) {
  const int64_t size = side ? what->value_head_size : what->head_size;
  uint8_t *codes = malloc((size_t)size);
  int4_rotate(row, size,
              side == 0 && what->value[ROUNDING_] == ROUND_NONE ? KVF_F32 : scalar_of(what));
  const uint32_t word = int4_encode(codes, row, size);
  memcpy(operand_at(&call->operands[K_SCALE_CACHE + side], block, offset, head, 0), &word, 4);
  uint8_t *to = operand_at(&call->operands[KEY_CACHE + side], block, offset, head, 0);
  for (int64_t d = 0; d < size; ++d) {
    int4_put_code(to, d, codes[d]);
  }
  free(codes);
}

/* A head of a key or value in the cache; what is in `row` afterwards is not defined. */
static void expect_cached(const op_call *call, const rope_case *what, int side, float *row,
                          int64_t block, int64_t offset, int64_t head) {
  if (is_int4(what->variant)) {
    expect_rotated(call, what, side, row, block, offset, head);
    return;
  }
  if (has_row_scales(what->variant)) {
    expect_scaled(call, what, side, row, block, offset, head);
    return;
  }
  const operand *cache = &call->operands[KEY_CACHE + side];
  const float scale = scale_at(&call->operands[K_SCALE + side], head);
  const int64_t size = side ? what->value_head_size : what->head_size;
  const flash_nvfp4 pages = {.cache = cache,
                             .format = cache_of(what),
                             .heads_first = heads_first(what, side),
                             .swizzled = side == 1,
                             .heads = what->heads,
                             .head_size = size,
                             .block_size = what->block_size};
  for (int64_t d = 0; d < size; d += 16) {
    for (int64_t i = d; !is_fp4(what->variant) && i < size && i < d + 16; ++i) {
      put(cache_of(what), row[i], scale, operand_at(cache, block, offset, head, i));
    }
    if (is_fp4(what->variant)) {
      flash_put_nvfp4(&pages, row + d, scale, block, offset, head, d / 16);
    }
  }
}

/* What a token should leave. */
static void expect_token(const op_call *call, const rope_case *what, int64_t token, bool writes,
                         int64_t block, int64_t offset, float *row) {
  static const kvf_dtype codes[] = {
      [Q_E4M3] = KVF_FP8_E4M3, [Q_E5M2] = KVF_FP8_E5M2, [Q_BYTES] = KVF_FP8_E4M3};
  const int q_out = what->value[Q_OUT_];
  const int k_out = what->value[K_OUT_];
  const bool plain = what->value[VALUES_] == FLASH_NORMAL || what->value[VALUES_] == FLASH_ZEROS;
  for (int64_t head = 0; head < what->q_heads; ++head) {
    turn(call, what, true, token, head, row);
    (void)(plain && near(call, what, true, token, head, row));
    const kvf_dtype dtype = q_out >= Q_E4M3 ? codes[q_out] : scalar_of(what);
    for (int64_t d = 0; d < what->head_size; ++d) {
      put(dtype, row[d], scale_at(&call->operands[Q_SCALE], head),
          operand_at(&call->operands[q_out == Q_IN_PLACE ? QUERY : Q_OUT], token, head, d, 0));
    }
  }
  for (int64_t head = 0; head < what->heads; ++head) {
    turn(call, what, false, token, head, row);
    (void)(plain && near(call, what, false, token, head, row));
    for (int64_t d = 0; d < what->head_size; ++d) {
      if (k_out != K_NOWHERE) {
        put(scalar_of(what), row[d], 1,
            operand_at(&call->operands[k_out == K_IN_PLACE ? KEY : K_OUT], token, head, d, 0));
      }
    }
    if (writes) {
      expect_cached(call, what, 0, row, block, offset, head);
    }
    const bool whole = is_fp4(what->variant) || has_row_scales(what->variant);
    if (writes && whole) {
      for (int64_t d = 0; d < what->value_head_size; ++d) {
        row[d] = flash_element(&call->operands[VALUE], scalar_of(what), token, head, d, 0);
      }
      expect_cached(call, what, 1, row, block, offset, head);
    }
    for (int64_t d = 0; d < what->value_head_size && writes && !whole; ++d) {
      oracle_store(scalar_of(what), cache_of(what),
                   operand_at(&call->operands[VALUE], token, head, d, 0),
                   scale_at(&call->operands[V_SCALE], head),
                   operand_at(&call->operands[VALUE_CACHE], block, offset, head, d));
    }
  }
}

/* Notes what the call should write; returns the number of faults. */
static uint64_t expect_all(const op_call *call, const rope_case *what) {
  const int64_t size =
      what->head_size > what->value_head_size ? what->head_size : what->value_head_size;
  float *row = malloc(((size_t)size + 1) * sizeof *row);
  uint64_t faults = 0;
  for (int64_t token = 0; token < what->tokens; ++token) {
    const int64_t position = operand_get_index(&call->operands[POSITIONS], token, 0);
    if (has_table(what) && what->rotary_dim > 0 && (position < 0 || position >= NUM_POSITIONS)) {
      ++faults;
      continue;
    }
    int64_t block = 0;
    int64_t offset = 0;
    bool writes = token < what->slots && flash_slot(&call->operands[SLOT_MAPPING], token,
                                                    what->block_size, &block, &offset);
    if (writes && block >= what->num_blocks) {
      ++faults;
      writes = false;
    }
    expect_token(call, what, token, writes, block, offset, row);
  }
  free(row);
  return faults;
}

/* ---- cases
 * --------------------------------------------------------------------------------------- */

static bool run_built(op_call *call, const rope_case *what, const char *text) {
  op_call_upload(call);
  vary_order(what->seed);
  const uint64_t before = faults_before(what->variant->backend);
  const kvf_rope_and_cache_flash_params params = params_of(call, what);
  const int entry = what->value[ENTRY_];
  const kvf_status status = entry == ENTRY_RAW
                                ? kvf_launch_rope_and_cache_flash(NULL, what->variant, &params)
                                : op_call_invoke(call, entry == ENTRY_TYPED ? typed : NULL);
  const uint64_t faults = expect_all(call, what);
  bool good = expect_done(what->variant->backend, status, before, faults, text);
  good = op_call_verify(call, text) && good;
  op_call_free(call);
  count_case(what->variant);
  return good;
}

static bool run_case(const rope_case *what) {
  char text[300];
  int length = snprintf(text, sizeof text,
                        "%s D=%d Dv=%d R=%d heads=%d/%d seed=%llu:", what->variant->symbol,
                        (int)what->head_size, (int)what->value_head_size, (int)what->rotary_dim,
                        (int)what->q_heads, (int)what->heads, (unsigned long long)what->seed);
  for (int i = 0; i < AXES_; ++i) {
    length += snprintf(text + length, sizeof text - (size_t)length, " %d", what->value[i]);
  }
  op_call call;
  note_running(text);
  build(&call, what);
  return run_built(&call, what, text);
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static rope_case case_of(const kvf_variant *variant, const int value[AXES_], bool aligned,
                         uint64_t seed) {
  const int64_t *sizes = is_fp4(variant) ? fp4_sizes_of[value[SIZES_]] : sizes_of[value[SIZES_]];
  rope_case what = {.variant = variant,
                    .head_size = sizes[0],
                    .value_head_size = sizes[1],
                    .rotary_dim = sizes[2],
                    .q_heads = heads_of[value[HEADS_]][0],
                    .heads = heads_of[value[HEADS_]][1],
                    .tokens = tokens_of[value[TOKENS_]],
                    .block_size = is_fp4(variant) ? fp4_block_size_of[value[PAGES_]]
                                                  : block_size_of[value[PAGES_]],
                    .seed = seed};
  memcpy(what.value, value, sizeof what.value);
  if (has_row_scales(variant) && what.value_head_size == 0) {
    what.value_head_size = 5; /* heads that have scales are not empty */
  }
  if (is_int4(variant)) { /* two codes in a byte */
    what.head_size += what.head_size % 2;
    what.value_head_size += what.value_head_size % 2;
  }
  what.slots = what.tokens > value[SHORT_] ? what.tokens - value[SHORT_] : 0;
  what.num_blocks = (what.tokens + what.block_size - 1) / what.block_size + 2;
  what.value[FROM_] *= aligned ? 16 : bytes_of(kvf_scalar_of(variant));
  what.value[TO_] *= aligned ? 16 : bytes_of(kvf_scalar_of(variant)); /* a cache's are not larger */
  return what;
}

static int num_sizes(const kvf_variant *variant) {
  return is_fp4(variant) ? (int)TEST_COUNT(fp4_sizes_of) : (int)TEST_COUNT(sizes_of);
}

static double cost_of(const covering_row *row, const void *context) {
  (void)context;
  const int64_t *heads = heads_of[row->value[HEADS_]];
  return (double)(tokens_of[row->value[TOKENS_]] * (heads[0] + heads[1]) *
                  sizes_of[row->value[SIZES_]][0]);
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const int rounds = options.exhaustive ? 12 : 2;
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    int failures = 0;
    for (int round = 0; wanted(variant) && round < rounds; ++round) {
      const bool aligned = round % 2 == 0;
      const int offsets = aligned ? 1 : 16 / bytes_of(kvf_scalar_of(variant));
      const covering plan = {
          .num_axes = AXES_,
          .sizes = {[SIZES_] = num_sizes(variant),
                    [HEADS_] = TEST_COUNT(heads_of),
                    [PAGES_] = TEST_COUNT(block_size_of),
                    [TOKENS_] = TEST_COUNT(tokens_of),
                    [SHORT_] = 3,
                    [STYLE_] = 2,
                    [SOURCES_] = SOURCE_LAYOUTS,
                    [CACHES_] = CACHE_LAYOUTS,
                    [OUTS_] = FLASH_LAYOUTS,
                    [FROM_] = offsets,
                    [TO_] = offsets,
                    [SLOTS_] = FLASH_SLOTS,
                    [INDEX_] = 4,
                    [TABLE_] = TABLE_LAYOUTS,
                    [ANGLES_] = ANGLE_KINDS,
                    [WEIGHTS_] = WEIGHT_KINDS,
                    [NORM_] = 2,
                    [BIAS_] = 2,
                    [ROUNDING_] = ROUNDINGS,
                    [Q_OUT_] = Q_KINDS,
                    [K_OUT_] = K_KINDS,
                    [SCALES_] = SCALE_KINDS,
                    [VALUES_] = FLASH_VALUES,
                    [ENTRY_] = ENTRIES},
          .cost = cost_of,
          .limit = 4000,
          .ceiling = options.exhaustive ? 0 : 40000,
      };
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      int count = 0;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        const rope_case what = case_of(variant, rows[row].value, aligned, random_next(&state) >> 8);
        failures += !run_case(&what);
      }
      free(rows);
    }
  }
}

/* Everything aligned, so that CUDA's wide form runs: every size, style, rounding and norm. */
static void test_wide(void) {
  if (!need_backend()) {
    return;
  }
  uint64_t state = options.seed;
  for (int i = 0; i < OP->num_variants; ++i) {
    for (int k = 0; wanted(&OP->variants[i]) && k < 12 * num_sizes(&OP->variants[i]); ++k) {
      const int value[AXES_] = {[SIZES_] = k / 12,
                                [TOKENS_] = 2,
                                [PAGES_] = 1,
                                [STYLE_] = k % 2,
                                [ROUNDING_] = k / 2 % 3,
                                [NORM_] = k / 6 % 2,
                                [ANGLES_] = k % 5 == 0,
                                [WEIGHTS_] = k % WEIGHT_KINDS,
                                [Q_OUT_] = k % Q_KINDS,
                                [K_OUT_] = k % K_KINDS,
                                [BIAS_] = k / 3 % 2,
                                [SCALES_] = SCALE_PER_HEAD};
      const rope_case what = case_of(&OP->variants[i], value, true, random_next(&state) >> 8);
      if (!run_case(&what)) {
        return;
      }
    }
  }
}

/* A layer of a model with many tokens: past where copies bypass the caches. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CUDA && cuda.reset && !options.exhaustive) {
    skip_test("the emulated driver would need minutes");
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    for (int neox = 0; wanted(&OP->variants[i]) && neox < 2; ++neox) {
      const int value[AXES_] = {
          [PAGES_] = 1, [STYLE_] = neox, [WEIGHTS_] = WEIGHTS_SCALAR, [ROUNDING_] = neox};
      if (!covering_takes(i, neox, 2)) {
        continue;
      }
      rope_case what = case_of(&OP->variants[i], value, true, options.seed + (uint64_t)i);
      what.q_heads = 2;
      what.heads = 8;
      what.tokens = 1500;
      what.slots = 1490;
      what.num_blocks = what.tokens / what.block_size + 2;
      if (!run_case(&what)) {
        return;
      }
    }
  }
}

/* Makes what a head becomes its weights: squares with a root that is a power of two, and no angle.
 */
static void make_weights_alone(op_call *call, const rope_case *what, uint32_t first, uint32_t low) {
  for (int which = QUERY; which <= KEY; ++which) {
    for (int64_t i = 0; i < (which == QUERY ? what->q_heads : what->heads); ++i) {
      for (int64_t d = 0; d < what->head_size; ++d) {
        const double strange = low == 1 ? (double)NAN : (double)INFINITY;
        oracle_make(scalar_of(what), (low & 3) == 1 && d == 7 ? strange : 256,
                    operand_at(&call->operands[which], 0, i, d, 0));
      }
    }
  }
  for (int64_t position = 0; position < NUM_POSITIONS; ++position) {
    for (int64_t i = 0; i < what->rotary_dim; ++i) {
      oracle_make(KVF_F32, i < what->rotary_dim / 2,
                  operand_at(&call->operands[COS_SIN_CACHE], position, i, 0, 0));
    }
  }
  for (int64_t d = 0; d < what->head_size; ++d) {
    const uint32_t sign = (uint32_t)(d % 3 == 1) << 31;
    const uint32_t bits = ((first + (uint32_t)d) << 16 | low) ^ sign;
    memcpy(operand_at(&call->operands[Q_WEIGHT], d, 0, 0, 0), &bits, sizeof bits);
    memcpy(operand_at(&call->operands[K_WEIGHT], d, 0, 0, 0), &bits, sizeof bits);
  }
}

/*
 * Every bf16 of an exponent that codes may have, and floats beside it and beside the middles of
 * neighbours, as what a head becomes; every bf16 that there is if everything is asked for.
 */
static void test_boundaries(void) {
  static const uint32_t low[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CUDA && !options.exhaustive) {
    skip_test("only if everything is asked for");
    return;
  }
  const uint32_t begin = options.exhaustive ? 0 : 0x3600;
  const uint32_t end = options.exhaustive ? 0x8000 : 0x4880;
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_dtype cache = kvf_cache_of(&OP->variants[i]);
    const bool codes =
        cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2 || cache == KVF_FP8_PER_TOKEN_HEAD;
    int k = 0;
    for (uint32_t first = begin; wanted(&OP->variants[i]) && codes && first < end; first += 128) {
      for (int round = 0; round < (int)TEST_COUNT(low) * ROUNDINGS; ++round, ++k) {
        const int value[AXES_] = {[HEADS_] = 1,
                                  [TOKENS_] = 1,
                                  [PAGES_] = 1,
                                  [STYLE_] = (k + k / 2) % 2,
                                  [ANGLES_] = ANGLES_F32,
                                  [WEIGHTS_] = WEIGHTS_F32,
                                  [ROUNDING_] = round % ROUNDINGS,
                                  [Q_OUT_] = k % 2 ? Q_E4M3 : Q_E5M2,
                                  [K_OUT_] = K_APART,
                                  [SCALES_] = (k + k / 7) % SCALE_KINDS,
                                  [VALUES_] = FLASH_SPECIAL};
        rope_case what = case_of(&OP->variants[i], value, true, (uint64_t)k * 5 + 3);
        op_call call;
        build(&call, &what);
        make_weights_alone(&call, &what, first, low[round / ROUNDINGS]);
        char text[100];
        (void)snprintf(text, sizeof text, "%s, from %04x%04x on, call %d", what.variant->symbol,
                       first, low[round / ROUNDINGS], k);
        if (!run_built(&call, &what, text)) {
          return;
        }
      }
    }
  }
}

/* Five tokens in pages of four. */
static rope_case small_case(const kvf_variant *variant) {
  const int value[AXES_] = {[WEIGHTS_] = WEIGHTS_F32};
  rope_case what = case_of(variant, value, true, 3);
  what.head_size = 48;
  what.value_head_size = is_fp4(variant) ? 64 : 32;
  what.rotary_dim = is_fp4(variant) ? 32 : 16;
  what.q_heads = 3;
  what.heads = 2;
  what.tokens = what.slots = 5;
  what.block_size = 4;
  what.num_blocks = 4;
  return what;
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
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    for (size_t k = 0; wanted(variant) && k < 4 * TEST_COUNT(bad); ++k) {
      rope_case what = small_case(variant);
      what.value[STYLE_] = k % 2;
      what.value[INDEX_] = bad[k / 4].which == SLOT_MAPPING ? 1 : 0;
      /* Both of a token are bad: one fault. No slots at all: faults of positions none the less. */
      const bool both = k % 4 == 2;
      what.slots = k % 4 == 3 && bad[k / 4].which == POSITIONS ? 0 : what.slots;
      op_call call;
      build(&call, &what);
      operand_put_index(&call.operands[bad[k / 4].which], 3, 0, bad[k / 4].number);
      if (both && bad[k / 4].which == POSITIONS) {
        operand_put_index(&call.operands[SLOT_MAPPING], 3, 0, 1000);
      }
      if (variant->backend == KVF_CUDA) {
        (void)run_built(&call, &what, bad[k / 4].message);
        continue;
      }
      if (bad[k / 4].which == POSITIONS && what.slots > 0) { /* whether it is written or not */
        operand_put_index(&call.operands[SLOT_MAPPING], 3, 0, -1);
      }
      op_call_upload(&call);
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OUT_OF_RANGE);
      EXPECT_TEXT(kvf_last_error(), bad[k / 4].message);
      (void)op_call_verify(&call, bad[k / 4].message);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* ---- strides beyond 2^31
 * --------------------------------------------------------------------------- */

static const int64_t far = (INT64_C(1) << 33) + 16;

/* Two tokens, of which only the second is written; every index that matters is 1, or slot 4. */
static rope_case far_case(op_call *call, const kvf_variant *variant, bool is_neox, int64_t slot,
                          bool aligned) {
  rope_case what = small_case(variant);
  what.value[FROM_] = aligned ? 0 : bytes_of(kvf_scalar_of(variant));
  what.tokens = what.slots = 2;
  what.value[STYLE_] = is_neox;
  what.value[ENTRY_] = is_neox ? ENTRY_TYPED : ENTRY_RAW;
  what.value[Q_OUT_] = Q_APART;
  what.value[K_OUT_] = K_APART;
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

/* Both tokens of a tensor are touched, so memory must reach from one to the other. */
static void test_far_tokens(const kvf_variant *variant, int which) {
  op_call call;
  const rope_case what = far_case(&call, variant, which % 2, 4, true);
  const tensor *view = &call.operands[which].view;
  const int64_t bytes = view->dtype.bits / 8;
  const size_t row = (size_t)(view->stride[0] * bytes);
  uint8_t *place = (uint8_t *)view->memory->place + view->start;
  region memory;
  if (!region_make(&memory, variant->backend, (size_t)(far * bytes) + row)) {
    skip_part("no memory that reaches beyond 2^31 elements");
    op_call_free(&call);
    return;
  }
  op_call_upload(&call);
  region_put(&memory, 0, place, row);
  region_put(&memory, far * bytes, place + row, row);
  kvf_rope_and_cache_flash_params params = params_of(&call, &what);
  kvf_view *moved = which == QUERY   ? &params.query
                    : which == KEY   ? &params.key
                    : which == VALUE ? &params.value
                    : which == Q_OUT ? &params.q_out
                                     : &params.k_out;
  moved->data = memory.place;
  moved->stride[0] = far;
  const uint64_t before = faults_before(variant->backend);
  const kvf_status status = kvf_launch_rope_and_cache_flash(NULL, variant, &params);
  (void)expect_all(&call, &what);
  region_get(&memory, 0, place, row);
  region_get(&memory, far * bytes, place + row, row);
  (void)expect_done(variant->backend, status, before, 0, variant->symbol);
  (void)op_call_verify(&call, variant->symbol);
  region_free(&memory);
  op_call_free(&call);
  count_case(variant);
}

static void test_far(void) {
  static const int which[] = {COS_SIN_CACHE, KEY_CACHE, KEY_CACHE, VALUE_CACHE, VALUE_CACHE};
  static const int dimension[] = {0, 0, 1, 0, 1};
  static const int touched[] = {QUERY, KEY, VALUE, Q_OUT, K_OUT};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    for (size_t k = 0; wanted(variant) && k < 2 * TEST_COUNT(which); ++k) {
      if (dimension[k / 2] == 1 && is_fp4(variant)) {
        continue; /* pages without gaps */
      }
      op_call call;
      const rope_case what = far_case(&call, variant, k % 2, dimension[k / 2] == 1 ? 1 : 4, true);
      move_far(&call, which[k / 2], dimension[k / 2]);
      (void)run_built(&call, &what, variant->symbol);
    }
    for (size_t k = 0; wanted(variant) && k < TEST_COUNT(touched); ++k) {
      test_far_tokens(variant, touched[k]);
      if (variant->backend == KVF_CUDA) {
        /* A token without a position is left alone, and nothing of it is read in the narrow form.
         */
        op_call call;
        const rope_case what = far_case(&call, variant, k % 2, 4, touched[k] > VALUE);
        operand_put_index(&call.operands[POSITIONS], 0, 0, -1);
        move_far(&call, touched[k], 0);
        (void)run_built(&call, &what, variant->symbol);
      }
    }
  }
}

/* ---- bad arguments
 * --------------------------------------------------------------------------------- */

/* clang-format off */
#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

static const bad_argument bad_arguments[] = {
  {"no query", ON_BOTH, "query", SPOIL_NULL, 0, 0, NULL, VALUE_, "query", "NULL", "want a tensor"},
  {"no key", ON_BOTH, "key", SPOIL_NULL, 0, 0, NULL, VALUE_, "key", "NULL", "want a tensor"},
  {"no value", ON_BOTH, "value", SPOIL_NULL, 0, 0, NULL, VALUE_, "value", "NULL", "want a tensor"},
  {"no key_cache", ON_BOTH, "key_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "key_cache", "NULL", "want a tensor"},
  {"no value_cache", ON_BOTH, "value_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "value_cache", "NULL", "want a tensor"},
  {"no positions", ON_BOTH, "positions", SPOIL_NULL, 0, 0, NULL, VALUE_, "positions", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"no k_scale", ON_BOTH, "k_scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_scale", "NULL", "want a tensor"},
  {"no v_scale", ON_BOTH, "v_scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "v_scale", "NULL", "want a tensor"},
  {"unknown kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp7", VALUE_, "kv_cache_dtype", "'fp7'", "want one of auto"},
  {"unknown rounding", ON_BOTH, "rounding", SPOIL_TEXT, 0, 0, "twice", VALUE_, "rounding", "got 'twice'", "want 'unfused', 'once' or 'none'"},
  {"no rounding", ON_BOTH, "rounding", SPOIL_TEXT, 0, 0, NULL, VALUE_, "rounding", "got NULL", "want 'unfused', 'once' or 'none'"},
  {"unknown norm", ON_BOTH, "norm", SPOIL_TEXT, 0, 0, "off", VALUE_, "norm", "got 'off'", "want 'auto' or 'on'"},
  {"query of rank 2", ON_BOTH, "query", SPOIL_RANK, 0, 2, NULL, VALUE_, "query", "rank is 2", "want 3"},
  {"positions of rank 2", ON_BOTH, "positions", SPOIL_RANK, 0, 2, NULL, VALUE_, "positions", "rank is 2", "want 1"},
  {"cos_sin_cache of rank 1", ON_BOTH, "cos_sin_cache", SPOIL_RANK, 0, 1, NULL, VALUE_, "cos_sin_cache", "rank is 1", "want 2"},
  {"q_weight of rank 2", ON_BOTH, "q_weight", SPOIL_RANK, 0, 2, NULL, VALUE_, "q_weight", "rank is 2", "want 1"},
  {"q_scale of rank 2", ON_BOTH, "q_scale", SPOIL_RANK, 0, 2, NULL, VALUE_, "q_scale", "rank is 2", "want 0 or 1"},
  {"fewer positions", ON_BOTH, "positions", SPOIL_SIZE, 0, 4, NULL, VALUE_, "positions", "(num_tokens) is 4", "want 5 as in query"},
  {"more slots", ON_BOTH, "slot_mapping", SPOIL_SIZE, 0, 6, NULL, VALUE_, "slot_mapping", "has 6 elements", "want at most 5 (the tokens of query)"},
  {"more tokens in key", ON_BOTH, "key", SPOIL_SIZE, 0, 6, NULL, VALUE_, "key", "(num_tokens) is 6", "want 5 as in query"},
  {"fewer tokens in value", ON_BOTH, "value", SPOIL_SIZE, 0, 4, NULL, VALUE_, "value", "(num_tokens) is 4", "want 5 as in query"},
  {"other heads in value", ON_BOTH, "value", SPOIL_SIZE, 1, 1, NULL, VALUE_, "value", "(num_heads) is 1", "want 2 as in key"},
  {"other head_size in key", ON_BOTH, "key", SPOIL_SIZE, 2, 46, NULL, VALUE_, "key", "(head_size) is 46", "want 48 as in query"},
  {"odd rotary_dim", ON_BOTH, "cos_sin_cache", SPOIL_SIZE, 1, 15, NULL, VALUE_, "cos_sin_cache", "rotary_dim is 15", "want an even number up to 48"},
  {"rotary_dim too large", ON_BOTH, "cos_sin_cache", SPOIL_SIZE, 1, 50, NULL, VALUE_, "cos_sin_cache", "rotary_dim is 50", "want an even number up to 48"},
  {"other size of q_weight", ON_BOTH, "q_weight", SPOIL_SIZE, 0, 16, NULL, VALUE_, "q_weight", "(head_size) is 16", "want 48 as in query"},
  {"other size of k_weight", ON_BOTH, "k_weight", SPOIL_SIZE, 0, 16, NULL, VALUE_, "k_weight", "(head_size) is 16", "want 48 as in query"},
  {"too many scales of keys", ON_BOTH, "k_scale", SPOIL_SIZE, 0, 3, NULL, VALUE_, "k_scale", "has 3 elements", "want 1 or 2 (num_heads)"},
  {"too few scales of queries", ON_BOTH, "q_scale", SPOIL_SIZE, 0, 2, NULL, VALUE_, "q_scale", "has 2 elements", "want 1 or 3 (num_q_heads)"},
  {"other heads in key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 2, 1, NULL, VALUE_, "key_cache", "(num_heads) is 1", "want 2 as in key"},
  {"other pages in value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 0, 3, NULL, VALUE_, "value_cache", "(num_blocks) is 3", "want 4 as in key_cache"},
  {"other size in value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 3, 48, NULL, VALUE_, "value_cache", "(value_head_size) is 48", "want 32 as in value"},
  {"other heads in q_out", ON_BOTH, "q_out", SPOIL_SIZE, 1, 2, NULL, VALUE_, "q_out", "(num_q_heads) is 2", "want 3 as in query"},
  {"other heads in k_out", ON_BOTH, "k_out", SPOIL_SIZE, 1, 3, NULL, VALUE_, "k_out", "(num_heads) is 3", "want 2 as in key"},
  {"heads are negative", ON_BOTH, "query", SPOIL_SIZE, 1, -2, NULL, VALUE_, "query", "(num_q_heads) is -2", "want 0 or more"},
  {"positions are float32", ON_BOTH, "positions", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "positions", "dtype is float32", "want int32, int64"},
  {"query is float64", ON_BOTH, "query", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "query", "dtype is float64", "want float32, float16, bfloat16"},
  {"key is float16", ON_BOTH, "key", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "key", "dtype is float16", "want float32"},
  {"cos_sin_cache is bfloat16", ON_BOTH, "cos_sin_cache", SPOIL_DTYPE, kDLBfloat, 16, NULL, TYPE, "cos_sin_cache", "dtype is bfloat16", "want float32"},
  {"q_weight is float16", ON_BOTH, "q_weight", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "q_weight", "dtype is float16", "want float32"},
  {"q_out is int8", ON_BOTH, "q_out", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "q_out", "dtype is int8", "want float32, float8_e4m3fn"},
  {"k_out is int8", ON_BOTH, "k_out", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "k_out", "dtype is int8", "want float32"},
  {"key_cache is int16", ON_BOTH, "key_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "key_cache", "dtype is int16", "want "},
  {"k_scale is float64", ON_BOTH, "k_scale", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "k_scale", "dtype is float64", "want float32"},
  {"key on CUDA", ON_CPU, "key", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "key", "on CUDA device 0", "want the CPU"},
  {"cos_sin_cache on the CPU", ON_CUDA, "cos_sin_cache", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "cos_sin_cache", "on the CPU", "want CUDA device 0"},
  {"cos_sin_cache has no data", ON_BOTH, "cos_sin_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "cos_sin_cache", "data is NULL", "want an address"},
  {"query is misaligned", ON_BOTH, "query", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "query", "address ", "multiple of the element size"},
  {"query heads overlap", ON_BOTH, "query", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "query", "stride of dimension 1 (num_q_heads) is 0", "do not overlap"},
  {"outputs overlap", ON_BOTH, "q_out", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "q_out", "stride of dimension 0 (num_tokens) is 0", "do not overlap"},
  {"blocks overlap", ON_BOTH, "key_cache", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "key_cache", "stride of dimension 0 (num_blocks) is 0", "do not overlap"},
};
/* clang-format on */

static const kvf_variant *find(kvf_dtype cache) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, cache);
  if (variant == NULL) {
    skip_part("%s", kvf_last_error());
  }
  return variant;
}

/* A call that has every argument. */
static rope_case full_case(const kvf_variant *variant) {
  rope_case what = small_case(variant);
  what.value[SCALES_] = SCALE_PER_HEAD;
  what.value[Q_OUT_] = Q_E4M3;
  what.value[K_OUT_] = K_APART;
  what.seed = 5; /* with a scale of each query head, and none of them through bytes */
  return what;
}

/* Scales per token and head. */
static void test_bad_rows(void) {
  /* clang-format off */
  static const bad_argument rows[] = {
    {"no k_scale_cache", ON_BOTH, "k_scale_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_scale_cache", "NULL", "want a tensor"},
    {"no v_scale_cache", ON_BOTH, "v_scale_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "v_scale_cache", "NULL", "want a tensor"},
    {"tokens of v_scale_cache", ON_BOTH, "v_scale_cache", SPOIL_SIZE, 1, 3, NULL, VALUE_, "v_scale_cache", "(block_size) is 3", "want "},
    {"k_scale_cache is bfloat16", ON_BOTH, "k_scale_cache", SPOIL_DTYPE, kDLBfloat, 16, NULL, TYPE, "k_scale_cache", "dtype is bfloat16", "want float32"},
  };
  /* clang-format on */
  const kvf_variant *variant = need_backend() ? find(KVF_FP8_PER_TOKEN_HEAD) : NULL;
  if (variant == NULL || find(KVF_FP8_E4M3) == NULL) {
    return;
  }
  const rope_case what = full_case(variant);
  op_call_test_bad(build, &what, typed, rows, TEST_COUNT(rows));
  op_call_test_overlap(build, &what, typed, "k_scale_cache", "key_cache");
  op_call_test_overlap(build, &what, typed, "v_scale_cache", "value");
  op_call_test_overlap(build, &what, typed, "v_scale_cache", "q_out");
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  kvf_rope_and_cache_flash_params params = params_of(&call, &what);
  params.v_scale_cache.data = NULL;
  EXPECT_STATUS(kvf_launch_rope_and_cache_flash(NULL, variant, &params), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "v_scale_cache: got NULL");
  params = params_of(&call, &what);
  params.value_head_size = 0;
  EXPECT_STATUS(kvf_launch_rope_and_cache_flash(NULL, variant, &params), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "value_head_size: got 0, want 1 or more");
  /* Beside codes that have no such scales there is no place for them. */
  call.values[KV_CACHE_DTYPE].as.string = "fp8";
  for (int i = 0; i < 2; ++i) {
    EXPECT_STATUS(op_call_invoke(&call, i ? typed : NULL), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(),
                "k_scale_cache: got a tensor, want None next to a cache of fp8_e4m3");
  }
  (void)op_call_verify(&call, "scales per token and head");
  op_call_free(&call);
  count_case(NULL);
}

/* What int4 wants of sizes and pages. */
static void test_bad_int4(void) {
  static const struct {
    int64_t sizes[2];
    const char *message;
  } rows[] = {
      {{47, 32}, "a head has 47 elements, want an even number (two codes in a byte)"},
      {{48, 33}, "a head has 33 elements, want an even number (two codes in a byte)"},
      {{1024, 32}, "a head has 1024 elements, want no multiple of 1024 (of rotated blocks)"},
  };
  /* clang-format off */
  static const bad_argument pages[] = {
    {"bytes of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 48, NULL, VALUE_, "key_cache", "(head_size / 2) is 48", "want 24 as in query"},
    {"bytes apart", ON_BOTH, "value_cache", SPOIL_STRIDE, 3, 2, NULL, VALUE_, "value_cache", "stride of dimension 3 (head_size / 2) is 2", "want 1"},
    {"no words", ON_BOTH, "v_scale_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "v_scale_cache", "NULL", "want a tensor"},
  };
  /* clang-format on */
  const kvf_variant *variant = need_backend() ? find(KVF_INT4_PER_TOKEN_HEAD) : NULL;
  for (size_t i = 0; variant != NULL && i < 3 * TEST_COUNT(rows); ++i) {
    rope_case what = small_case(variant);
    what.head_size = rows[i / 3].sizes[0];
    what.value_head_size = rows[i / 3].sizes[1];
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    const kvf_rope_and_cache_flash_params params = params_of(&call, &what);
    EXPECT_STATUS(i % 3 == 2 ? kvf_launch_rope_and_cache_flash(NULL, variant, &params)
                             : op_call_invoke(&call, i % 3 ? typed : NULL),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i / 3].message);
    (void)op_call_verify(&call, rows[i / 3].message);
    op_call_free(&call);
    count_case(NULL);
  }
  if (variant != NULL) {
    const rope_case what = full_case(variant);
    op_call_test_bad(build, &what, typed, pages, TEST_COUNT(pages));
  }
}

/* What nvfp4 wants of sizes. */
static void test_bad_fp4(void) {
  static const struct {
    int64_t sizes[3];
    int64_t block_size;
    const char *message;
  } rows[] = {
      {{40, 64, 32}, 4, "key: head_size is 40, want a multiple of 16"},
      {{48, 72, 32}, 4, "value: head_size is 72, want a multiple of 16"},
      {{48, 48, 32}, 4, "head_size is 48, want a multiple of 64"},
      {{48, 64, 32}, 6, "block_size is 6, want a multiple of 4"},
      {{48, 64, 16}, 4, "cos_sin_cache: rotary_dim is 16, want a multiple of 32"},
  };
  const kvf_variant *variant = need_backend() ? find(KVF_NVFP4) : NULL;
  for (size_t i = 0; variant != NULL && i < 3 * TEST_COUNT(rows); ++i) {
    rope_case what = small_case(variant);
    what.head_size = rows[i / 3].sizes[0];
    what.value_head_size = rows[i / 3].sizes[1];
    what.rotary_dim = rows[i / 3].sizes[2];
    what.block_size = rows[i / 3].block_size;
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    const kvf_rope_and_cache_flash_params params = params_of(&call, &what);
    EXPECT_STATUS(i % 3 == 2 ? kvf_launch_rope_and_cache_flash(NULL, variant, &params)
                             : op_call_invoke(&call, i % 3 ? typed : NULL),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i / 3].message);
    (void)op_call_verify(&call, rows[i / 3].message);
    op_call_free(&call);
    count_case(NULL);
  }
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  static const char *const overlaps[][2] = {
      {"key_cache", "value"}, {"value_cache", "query"}, {"q_out", "query"},
      {"k_out", "key"},       {"q_out", "value"},       {"k_out", "q_weight"},
      {"key_cache", "q_out"}, {"q_out", "k_out"},       {"q_out", "cos_sin_cache"}};
  for (int fp8 = 0; fp8 < 2; ++fp8) {
    const kvf_variant *variant = find(fp8 ? KVF_FP8_E4M3 : KVF_F32);
    if (variant != NULL) {
      const rope_case what = full_case(variant);
      op_call_test_bad(build, &what, typed, bad_arguments, TEST_COUNT(bad_arguments));
      for (size_t i = 0; i < TEST_COUNT(overlaps); ++i) {
        op_call_test_overlap(build, &what, typed, overlaps[i][0], overlaps[i][1]);
      }
      rope_case in_place = what;
      in_place.value[Q_OUT_] = Q_IN_PLACE;
      in_place.value[K_OUT_] = K_IN_PLACE;
      op_call_test_overlap(build, &in_place, typed, "query", "key");
      op_call_test_overlap(build, &in_place, typed, "key", "value");
      op_call_test_overlap(build, &in_place, typed, "key_cache", "key");
      op_call_test_scales(build, &what, typed, "k_scale", fp8);
      op_call_test_scales(build, &what, typed, "v_scale", fp8);
      op_call_test_scales(build, &what, typed, "q_scale", true);
    }
  }
}

/* Numbers that are none. */
static void test_bad_numbers(void) {
  static const struct {
    int which;
    double number;
    const char *message;
  } rows[] = {
      {EPS, -1e-6, "eps: got -1e-06, want a finite number of 0 or more"},
      {EPS, (double)NAN, "eps: got nan, want a finite number of 0 or more"},
      {EPS, (double)INFINITY, "eps: got inf, want a finite number of 0 or more"},
      {EPS, 1e300, "eps: got 1e+300, want a finite number of 0 or more"},
      {WEIGHT_BIAS, (double)NAN, "weight_bias: got nan, want a finite number"},
      {WEIGHT_BIAS, -(double)INFINITY, "weight_bias: got -inf, want a finite number"},
      {WEIGHT_BIAS, -1e300, "weight_bias: got -1e+300, want a finite number"},
  };
  const kvf_variant *variant = need_backend() ? find(KVF_F32) : NULL;
  for (size_t i = 0; variant != NULL && i < 2 * TEST_COUNT(rows); ++i) {
    const rope_case what = full_case(variant);
    op_call call;
    build(&call, &what);
    call.values[rows[i / 2].which].as.number = rows[i / 2].number;
    op_call_upload(&call);
    EXPECT_STATUS(op_call_invoke(&call, i % 2 ? typed : NULL), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i / 2].message);
    (void)op_call_verify(&call, rows[i / 2].message);
    op_call_free(&call);
    count_case(NULL);
  }
}

#define MEMBER(path)                                                                               \
  offsetof(kvf_rope_and_cache_flash_params, path),                                                 \
      sizeof(((kvf_rope_and_cache_flash_params *)0)->path)

static void test_bad_params(void) {
  static const struct {
    const char *member;
    size_t at;
    size_t bytes;
    int64_t number;
    const char *got;
    const char *want;
  } rows[] = {
      {"query", MEMBER(query.data), 0, "NULL", "want an address"},
      {"key", MEMBER(key.data), 0, "NULL", "want an address"},
      {"value", MEMBER(value.data), 0, "NULL", "want an address"},
      {"q_out", MEMBER(q_out.data), 0, "NULL", "want an address"},
      {"key_cache", MEMBER(key_cache.data), 0, "NULL", "want an address"},
      {"value_cache", MEMBER(value_cache.data), 0, "NULL", "want an address"},
      {"positions", MEMBER(positions.data), 0, "NULL", "want an address"},
      {"cos_sin_cache", MEMBER(cos_sin_cache.data), 0, "NULL", "want an address"},
      {"k_scale", MEMBER(k_scale.data), 0, "NULL", "want an address"},
      {"v_scale", MEMBER(v_scale.data), 0, "NULL", "want an address"},
      {"slot_mapping", MEMBER(slots.mapping), 0, "NULL", "want an address"},
      {"slot_mapping", MEMBER(slots.num_tokens), 6, "has 6 elements", "want at most 5"},
      {"num_tokens", MEMBER(num_tokens), -1, "got -1", "want 0 or more"},
      {"num_tokens", MEMBER(slots.num_tokens), -1, "got -1", "want 0 or more"},
      {"num_q_heads", MEMBER(num_q_heads), -1, "got -1", "want 0 or more"},
      {"num_heads", MEMBER(num_heads), -1, "got -1", "want 0 or more"},
      {"head_size", MEMBER(head_size), -1, "got -1", "want 0 or more"},
      {"head_size", MEMBER(head_size), INT32_MAX, "of 2147483647 elements", "less than 2^31"},
      {"value_head_size", MEMBER(value_head_size), -1, "got -1", "want 0 or more"},
      {"num_positions", MEMBER(num_positions), -1, "got -1", "want 0 or more"},
      {"rotary_dim", MEMBER(rotary_dim), 15, "rotary_dim is 15", "want an even number up to 48"},
      {"rotary_dim", MEMBER(rotary_dim), 50, "rotary_dim is 50", "want an even number up to 48"},
      {"rotary_dim", MEMBER(rotary_dim), -2, "got -2", "want 0 or more"},
      {"position_bytes", MEMBER(position_bytes), 2, "got 2", "want 4 or 8"},
      {"angle_bytes", MEMBER(angle_bytes), 2, "got 2", "want 4"},
      {"q_weight_bytes", MEMBER(q_weight_bytes), 8, "got 8", "want 4"},
      {"k_weight_bytes", MEMBER(k_weight_bytes), 0, "got 0", "want 4"},
      {"rounding", MEMBER(rounding), 3, "got 3", "want 0 to 2"},
      {"rounding", MEMBER(rounding), -1, "got -1", "want 0 to 2"},
      {"q_becomes", MEMBER(q_becomes), 3, "got 3", "want 0 to 2"},
      {"eps", MEMBER(eps), 0x7F800000, "got inf", "want a finite number of 0 or more"},
      {"weight_bias", MEMBER(weight_bias), 0x7FC00000, "got nan", "want a finite number"},
      {"block_size", MEMBER(slots.block_size), 0, "got 0", "want 1 or more"},
  };
  const kvf_variant *variant = need_backend() ? find(KVF_FP8_E4M3) : NULL;
  if (variant == NULL) {
    return;
  }
  const rope_case what = full_case(variant);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    kvf_rope_and_cache_flash_params params = params_of(&call, &what);
    memcpy((char *)&params + rows[i].at, &rows[i].number, rows[i].bytes);
    EXPECT_STATUS(kvf_launch_rope_and_cache_flash(NULL, variant, &params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    EXPECT_TEXT(kvf_last_error(), rows[i].got);
    EXPECT_TEXT(kvf_last_error(), rows[i].want);
    (void)op_call_verify(&call, rows[i].member);
    count_case(NULL);
  }
  op_call_free(&call);
}

CU_TestInfo rope_and_cache_flash_tests[] = {
    {"every pair of axis values", test_matrix},
    {"aligned calls", test_wide},
    {"large calls", test_large},
    {"numbers at the boundaries of codes", test_boundaries},
    {"strides beyond 2^31", test_far},
    {"slots and positions out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad scales per token and head", test_bad_rows},
    {"bad sizes of nvfp4", test_bad_fp4},
    {"bad heads of int4", test_bad_int4},
    {"bad numbers", test_bad_numbers},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
