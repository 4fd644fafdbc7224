/* gather_kv_cache: keys and values of sequences, from pages of every layout and format. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "gather.h"
#include "ggml.h"
#include "int4.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_gather_kv_cache)

enum {
  KEYS,
  VALUES_,
  KEY_OUT,
  VALUE_OUT,
  TABLE_,
  STARTS_,
  FORMAT,
  K_SCALE_,
  V_SCALE_,
  OFFSETS_,
  INTERLEAVED_,
  SWIZZLE_,
  K_SCALES,
  V_SCALES,
  BACK_
};

enum {
  NHD,
  HND,
  PADDED,
  STRIDED,
  ONE_TENSOR, /* a head of keys, and behind it one of values */
  REVERSED,
  FLASH_KINDS,
  GROUPED = FLASH_KINDS,
  GROUPED_BY_3,
  GROUPED_STRIDED,
  GROUPED_WHOLE,
  INTERLEAVED,
  INTERLEAVED_PADDED,
  LAYOUTS
};
enum { OUT_DENSE, OUT_PADDED, OUT_HEADS_FIRST, OUT_ALIGNED, OUT_KINDS };
enum { SCALE_ONE, SCALE_RANK_0, SCALE_PER_HEAD, SCALE_BY_VALUE, SCALE_KINDS }; /* raw */

enum {
  HEADS_AXIS,
  SIZES_AXIS,
  BLOCK_AXIS,
  LENGTHS_AXIS,
  STARTS_AXIS,
  LAYOUT_AXIS,
  OUT_AXIS,
  OFFSET_AXIS,
  SCALE_AXIS,
  FLAGS_AXIS,
  ENTRY_AXIS,
  EXEC_AXIS,
  AXES_OF_OP
};

static const int64_t heads_of[] = {1, 2, 3, 8, 20};
static const int64_t sizes_of[][2] = {{64, 64}, {128, 128}, {192, 128}, {80, 48},
                                      {7, 30},  {1, 1},     {576, 512}, {100, 36}};
static const int64_t blocks_of[] = {1, 3, 16, 64};

typedef struct kv_case {
  gather_case rows; /* which there are; source and dst are not looked at */
  int64_t heads, sizes[2];
  int layout, out, scale;
  bool swizzle, back;
} kv_case;

static const gather_op tables = {.op = OP};

static kvf_dtype cache_of(const kv_case *what) { return kvf_cache_of(what->rows.variant); }
static kvf_dtype scalar_of(const kv_case *what) { return kvf_scalar_of(what->rows.variant); }
static bool is_int4(const kv_case *what) { return cache_of(what) == KVF_INT4_PER_TOKEN_HEAD; }
static bool is_nvfp4(const kv_case *what) { return cache_of(what) == KVF_NVFP4; }
static bool is_ggml(const kv_case *what) {
  return cache_of(what) == KVF_Q8_0 || cache_of(what) == KVF_Q4_0;
}
static bool copies(const kv_case *what) { return cache_of(what) == scalar_of(what); }

static bool has_row_scales(const kv_case *what) {
  return cache_of(what) == KVF_INT8_PER_TOKEN_HEAD || cache_of(what) == KVF_FP8_PER_TOKEN_HEAD ||
         is_int4(what);
}

/* The nearest case that a format has. */
static kv_case fitted(kv_case what) {
  const int64_t whole = is_ggml(&what) ? 32 : is_nvfp4(&what) ? 16 : is_int4(&what) ? 2 : 1;
  for (int side = 0; side < 2; ++side) {
    what.sizes[side] = (what.sizes[side] + whole - 1) / whole * whole;
  }
  if (is_nvfp4(&what)) {
    static const int dense[] = {NHD, HND};
    what.layout = dense[what.layout % 2];
    what.swizzle = what.swizzle && what.sizes[1] % 64 == 0 && what.rows.block_size % 4 == 0;
  } else if (is_int4(&what) || is_ggml(&what)) {
    static const int dense[] = {NHD, HND, PADDED, ONE_TENSOR, REVERSED};
    what.layout = dense[what.layout % 5];
  } else if (has_row_scales(&what)) {
    what.layout %= FLASH_KINDS;
  }
  if (what.layout >= INTERLEAVED &&
      what.rows.block_size % (16 / (kvf_dtype_bits(cache_of(&what)) / 8)) != 0) {
    what.layout = GROUPED;
  }
  what.swizzle = what.swizzle && is_nvfp4(&what);
  return what;
}

/* ---- elements
 * -------------------------------------------------------------------------------------- */

static uint8_t *element_at(const op_call *call, int which, const int64_t *index) {
  const tensor *view = &call->operands[which].view;
  int64_t at = 0;
  for (int32_t i = 0; i < view->rank; ++i) {
    at += index[i] * view->stride[i];
  }
  return view->memory->expected + view->start + at * (view->dtype.bits / 8);
}

/* An element of a plain format, or the first byte of a head. */
static const uint8_t *cached(const op_call *call, const kv_case *what, int which, int64_t block,
                             int64_t offset, int64_t head, int64_t element) {
  if (what->layout < FLASH_KINDS) {
    return element_at(call, which, (int64_t[]){block, offset, head, element});
  }
  if (which == KEYS) {
    const int64_t x = call->operands[KEYS].view.shape[4];
    return element_at(call, which, (int64_t[]){block, head, element / x, offset, element % x});
  }
  if (what->layout < INTERLEAVED) {
    return element_at(call, which, (int64_t[]){block, head, element, offset});
  }
  const int64_t x = call->operands[VALUES_].view.shape[4];
  return element_at(call, which, (int64_t[]){block, head, offset / x, element, offset % x});
}

static float scale_of(const op_call *call, const kv_case *what, int side, int64_t block,
                      int64_t offset, int64_t head) {
  const int which = (has_row_scales(what) ? K_SCALES : K_SCALE_) + side;
  const tensor *view = &call->operands[which].view;
  const int64_t one = view->rank == 0 || view->shape[0] == 1 ? 0 : head;
  float scale;
  memcpy(&scale,
         element_at(call, which, has_row_scales(what) ? (int64_t[]){block, offset, head} : &one),
         sizeof scale);
  return scale;
}

/* The code and the block scale of an element of nvfp4, multiplied: exact in f32. */
static float nvfp4_value(const op_call *call, const kv_case *what, int side, int64_t block,
                         int64_t offset, int64_t head, int64_t element) {
  const int64_t size = what->sizes[side];
  const int64_t groups = size / 16;
  const bool heads_first = what->layout == HND;
  const uint8_t *page = element_at(call, KEYS + side, (int64_t[]){block, 0, 0, 0});
  int64_t token = offset;
  int64_t group = element / 16;
  if (what->swizzle && side == 1) {
    token = offset / 4 * 4 + group / (groups / 4);
    group = group % (groups / 4) * 4 + offset % 4;
  }
  const int64_t tokens = what->rows.block_size;
  const int64_t row = heads_first ? head * tokens + offset : offset * what->heads + head;
  const int64_t scale_row = heads_first ? head * tokens + token : token * what->heads + head;
  const uint8_t code = page[row * (size / 2) + element / 2] >> (element % 2 ? 4 : 0) & 15;
  const uint8_t scale = page[tokens * what->heads * (size / 2) + scale_row * groups + group];
  return (float)(oracle_e2m1_value(code) * oracle_fp8_value(KVF_FP8_E4M3, scale));
}

/* What a head of a token is: numbers before the last rounding. */
static void decode_head(const op_call *call, const kv_case *what, int side, int64_t block,
                        int64_t offset, int64_t head, float *out) {
  const float scale = scale_of(call, what, side, block, offset, head);
  for (int64_t e = 0; e < what->sizes[side]; ++e) {
    double code;
    if (is_int4(what)) {
      uint32_t word;
      memcpy(&word, &scale, sizeof word);
      out[e] =
          int4_decode(int4_code(cached(call, what, KEYS + side, block, offset, head, 0), e), word);
      continue;
    }
    if (is_ggml(what)) {
      out[e] = (float)ggml_value(cache_of(what),
                                 cached(call, what, KEYS + side, block, offset, head, 0), e);
      continue;
    }
    if (is_nvfp4(what)) {
      code = (double)nvfp4_value(call, what, side, block, offset, head, e);
    } else {
      code = oracle_value(cache_of(what), cached(call, what, KEYS + side, block, offset, head, e));
    }
    out[e] = (float)(code * (double)scale); /* exact in double */
  }
  if (is_int4(what) && what->back) {
    int4_rotate_back(out, what->sizes[side]);
  }
}

/* Row `row` of both outputs, from a place in a page; `block` < 0: zeros. */
static void expect_row(const op_call *call, const kv_case *what, int64_t row, int64_t block,
                       int64_t offset) {
  const size_t bytes = (size_t)kvf_dtype_bits(scalar_of(what)) / 8;
  float *wide = malloc((size_t)(what->sizes[0] + what->sizes[1] + 1) * sizeof *wide);
  for (int side = 0; side < 2; ++side) {
    for (int64_t head = 0; head < what->heads; ++head) {
      if (block >= 0 && !copies(what)) {
        decode_head(call, what, side, block, offset, head, wide);
      }
      for (int64_t e = 0; e < what->sizes[side]; ++e) {
        uint8_t *to = element_at(call, KEY_OUT + side, (int64_t[]){row, head, e});
        if (block < 0) {
          memset(to, 0, bytes);
        } else if (copies(what)) {
          memcpy(to, cached(call, what, KEYS + side, block, offset, head, e), bytes);
        } else {
          oracle_round(scalar_of(what), (double)wide[e], to);
        }
      }
    }
  }
  free(wide);
}

/* ---- building a call
 * --------------------------------------------------------------------------------- */

static DLDataType held_dtype(const kv_case *what) {
  return !copies(what) && what->rows.seed % 2 ? (DLDataType){kDLUInt, 8, 1}
                                              : dl_dtype(cache_of(what));
}

static int64_t width_of(const kv_case *what, int side) {
  const int64_t size = what->sizes[side];
  return is_nvfp4(what)  ? size / 2 + size / 16
         : is_int4(what) ? size / 2
         : is_ggml(what) ? ggml_bytes(cache_of(what), size)
                         : size;
}

static void make_flash(op_call *call, const kv_case *what, int64_t pages) {
  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[] = {
      [NHD] = {"0123", 1, 0},     [HND] = {"0213", 1, 0},        [PADDED] = {"0123", 1, 3},
      [STRIDED] = {"0213", 2, 1}, [ONE_TENSOR] = {"0123", 1, 0}, [REVERSED] = {"1023", 1, 16}};
  const uint64_t seed = what->rows.seed;
  const int offset = what->rows.source_offset * kvf_dtype_bits(cache_of(what)) / 8;
  int64_t stride[4];
  if (what->layout == ONE_TENSOR) {
    const int64_t width = width_of(what, 0) + width_of(what, 1);
    int64_t shape[4] = {pages, what->rows.block_size, what->heads, width};
    lay_out(stride, shape, "0123", 1, 0);
    operand_make(call, KEYS, held_dtype(what), 4, shape, stride, offset, 64, seed + 20);
    call->operands[KEYS].view.shape[3] = width_of(what, 0);
    shape[3] = width_of(what, 1);
    operand_share(call, VALUES_, KEYS, width_of(what, 0), 4, shape, stride);
    return;
  }
  for (int side = 0; side < 2; ++side) {
    const int64_t shape[4] = {pages, what->rows.block_size, what->heads, width_of(what, side)};
    lay_out(stride, shape, layouts[what->layout].order, layouts[what->layout].inner,
            layouts[what->layout].pad);
    if (what->layout == REVERSED) {
      stride[0] = -stride[0];
      stride[2] = -stride[2];
    }
    operand_make(call, KEYS + side, held_dtype(what), 4, shape, stride, offset, 64,
                 seed + 20 + (uint64_t)side);
  }
}

/* Block scales of every other page are above 0, and no NaN: a reader may decode several groups of
 * these at once, but for those with a scale below the least normal number. */
static void make_usual_block_scales(op_call *call, const kv_case *what, int64_t pages) {
  const int64_t rows = what->rows.block_size * what->heads;
  uint64_t state = what->rows.seed + 6;
  for (int side = 0; side < 2; ++side) {
    const int64_t size = what->sizes[side];
    for (int64_t page = 0; page < pages; page += 2) {
      uint8_t *scales =
          (uint8_t *)element_at(call, KEYS + side, (int64_t[]){page, 0, 0, 0}) + rows * (size / 2);
      for (int64_t i = 0; i < rows * (size / 16); ++i) {
        scales[i] = (uint8_t)(1 + random_below(&state, 0x7E));
      }
    }
  }
}

static void make_grouped(op_call *call, const kv_case *what, int64_t pages) {
  const int64_t vector = 16 / (kvf_dtype_bits(cache_of(what)) / 8);
  const int64_t x = what->layout == GROUPED_BY_3    ? 3
                    : what->layout == GROUPED_WHOLE ? what->sizes[0]
                                                    : vector;
  const int64_t tokens = what->rows.block_size;
  const int64_t inner = what->layout == GROUPED_STRIDED ? 2 : 1;
  const int64_t pad = what->layout == INTERLEAVED_PADDED ? vector : 0;
  const int64_t key[5] = {pages, what->heads, (what->sizes[0] + x - 1) / x, tokens, x};
  const bool interleaved = what->layout >= INTERLEAVED;
  const int64_t value[5] = {pages, what->heads, interleaved ? tokens / x : what->sizes[1],
                            interleaved ? what->sizes[1] : tokens, x};
  const int32_t rank = interleaved ? 5 : 4;
  const int offset = what->rows.source_offset * kvf_dtype_bits(cache_of(what)) / 8;
  int64_t stride[5];
  lay_out(stride, key, "01234", inner, pad);
  operand_make(call, KEYS, held_dtype(what), 5, key, stride, offset, 64, what->rows.seed + 20);
  lay_out(stride, value, rank == 5 ? "01234" : "0123", inner, pad);
  operand_make(call, VALUES_, held_dtype(what), rank, value, stride, offset, 64,
               what->rows.seed + 21);
}

static void make_scales(op_call *call, const kv_case *what, int64_t pages) {
  static const float some[] = {1.0f, 0.1f, 0.25f, 7e30f, 0x1p-126f, 3.0f};
  uint64_t state = what->rows.seed + 5;
  for (int side = 0; side < 2; ++side) {
    const int64_t count = what->scale == SCALE_PER_HEAD ? what->heads : 1;
    operand_make(call, K_SCALE_ + side, dl_dtype(KVF_F32), what->scale == SCALE_RANK_0 ? 0 : 1,
                 &count, (const int64_t[]){2}, 4, 0, what->rows.seed + 30);
    for (int64_t h = 0; h < count; ++h) {
      const float scale = some[random_below(&state, TEST_COUNT(some))];
      memcpy(element_at(call, K_SCALE_ + side, &h), &scale, sizeof scale);
    }
    if (!has_row_scales(what)) {
      continue;
    }
    /* Numbers of any kind, every other one of a usual size. */
    const int64_t shape[3] = {pages, what->rows.block_size, what->heads};
    int64_t stride[3];
    lay_out(stride, shape, what->rows.seed % 2 ? "012" : "021", 1 + (int64_t)(what->rows.seed % 3),
            1);
    operand_make(call, K_SCALES + side, dl_dtype(KVF_F32), 3, shape, stride, 4, 0,
                 what->rows.seed + 32 + (uint64_t)side);
    for (int64_t i = 0; i < pages * what->rows.block_size * what->heads; i += 2) {
      const float scale = 0.001f * (float)(1 + random_below(&state, 3000));
      memcpy(element_at(call, K_SCALES + side,
                        (int64_t[]){i / what->heads / what->rows.block_size,
                                    i / what->heads % what->rows.block_size, i % what->heads}),
             &scale, sizeof scale);
    }
  }
}

static void build(op_call *call, const kv_case *what, const gather_plan *plan) {
  static const char *const names[] = {
      [KVF_F32] = "float32", [KVF_F16] = "float16", [KVF_BF16] = "bfloat16"};
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  if (what->rows.exec != 0) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->rows.exec;
    call->exec.stream = options.backend == KVF_CUDA && what->rows.exec == 1 ? own_stream() : NULL;
  }
  (what->layout < FLASH_KINDS ? make_flash : make_grouped)(call, what, plan->num_blocks);
  if (is_nvfp4(what)) {
    make_usual_block_scales(call, what, plan->num_blocks);
  }
  static const struct {
    const char *order;
    int64_t pad;
  } outs[] = {[OUT_DENSE] = {"012", 0},
              [OUT_PADDED] = {"012", 3},
              [OUT_HEADS_FIRST] = {"102", 0},
              [OUT_ALIGNED] = {"012", 16}};
  for (int side = 0; side < 2; ++side) {
    const int64_t shape[3] = {plan->num_rows, what->heads, what->sizes[side]};
    int64_t stride[3];
    lay_out(stride, shape, outs[what->out].order, 1, outs[what->out].pad);
    operand_make(call, KEY_OUT + side, dl_dtype(scalar_of(what)), 3, shape, stride,
                 what->rows.dst_offset * kvf_dtype_bits(scalar_of(what)) / 8, 64,
                 what->rows.seed + 10 + (uint64_t)side);
  }
  gather_make_tables(call, &tables, &what->rows, plan);
  make_scales(call, what, plan->num_blocks);
  const bool other = what->rows.seed / 2 % 2; /* of two names */
  const char *format = copies(what)              ? (other ? "auto" : names[scalar_of(what)])
                       : other && is_nvfp4(what) ? "nvfp4_4over6"
                       : other && cache_of(what) == KVF_FP8_E4M3 ? "fp8"
                                                                 : kvf_dtype_name(cache_of(what));
  call->values[FORMAT] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = format};
  call->values[INTERLEAVED_] =
      (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = what->layout >= INTERLEAVED};
  call->values[SWIZZLE_] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = what->swizzle};
  call->values[BACK_] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = what->back};
}

/* ---- calling it
 * ---------------------------------------------------------------------------------------- */

static const DLTensor *tensor_or_null(const kvf_value *value) {
  return value->kind == KVF_KIND_NONE ? NULL : value->as.tensor;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_gather_kv_cache(exec, values[KEYS].as.tensor, values[VALUES_].as.tensor,
                             (DLTensor *)values[KEY_OUT].as.tensor,
                             (DLTensor *)values[VALUE_OUT].as.tensor, values[TABLE_].as.tensor,
                             values[STARTS_].as.tensor, values[FORMAT].as.string,
                             values[K_SCALE_].as.tensor, values[V_SCALE_].as.tensor,
                             tensor_or_null(&values[OFFSETS_]), values[INTERLEAVED_].as.boolean,
                             values[SWIZZLE_].as.boolean, tensor_or_null(&values[K_SCALES]),
                             tensor_or_null(&values[V_SCALES]), values[BACK_].as.boolean);
}

static kvf_gather_kv_cache_params params_of(const op_call *call, const kv_case *what,
                                            const gather_plan *plan) {
  const operand *given = call->operands;
  const int scales = has_row_scales(what) ? K_SCALES : K_SCALE_;
  kvf_gather_kv_cache_params params = {
      .key_cache = operand_view(&given[KEYS]),
      .value_cache = operand_view(&given[VALUES_]),
      .key_out = operand_view(&given[KEY_OUT]),
      .value_out = operand_view(&given[VALUE_OUT]),
      .k_scale = operand_view(&given[scales]),
      .v_scale = operand_view(&given[scales + 1]),
      .table = gather_raw_table(call, &tables, &what->rows, plan),
      .num_rows = plan->num_rows,
      .num_kv_heads = (int32_t)what->heads,
      .head_size = (int32_t)what->sizes[0],
      .value_head_size = (int32_t)what->sizes[1],
      .x = (int32_t)what->sizes[0],
      .swizzle_v_scales = what->swizzle,
      .inverse_rht = what->back,
      .key_heads = -1,
      .value_heads = -1,
      .rows_per_tile = -1,
      .tile_vectors = -1,
      .key_vector = -1,
      .value_vector = -1,
      .streaming = -1,
  };
  if (!has_row_scales(what) && (what->scale != SCALE_PER_HEAD || what->heads == 1)) {
    params.k_scale.stride[0] = params.v_scale.stride[0] = 0;
  }
  if (!has_row_scales(what) && what->scale == SCALE_BY_VALUE) {
    params.k_scale = params.v_scale = (kvf_view){.data = NULL};
    params.k_scale_value = scale_of(call, what, 0, 0, 0, 0);
    params.v_scale_value = scale_of(call, what, 1, 0, 0, 0);
  }
  const kvf_view key = params.key_cache;
  const kvf_view value = params.value_cache;
  if (what->layout < FLASH_KINDS) {
    params.key_cache.stride[4] = key.stride[3];
    params.key_cache.stride[3] = 0;
    for (int i = 1; is_nvfp4(what) && i <= 2; ++i) { /* of codes, which are 8 bytes in 9 */
      params.key_cache.stride[i] = key.stride[i] / 9 * 8;
      params.value_cache.stride[i] = value.stride[i] / 9 * 8;
    }
    return params;
  }
  params.x = (int32_t)given[KEYS].view.shape[4];
  params.key_cache = (kvf_view){
      key.data, {key.stride[0], key.stride[3], key.stride[1], key.stride[2], key.stride[4]}};
  params.value_cache =
      (kvf_view){value.data, {value.stride[0], value.stride[3], value.stride[1], value.stride[2]}};
  if (what->layout >= INTERLEAVED) {
    params.value_cache = (kvf_view){
        value.data, {value.stride[0], value.stride[4], value.stride[1], value.stride[3]}};
    params.value_tokens = given[VALUES_].view.shape[4];
    params.value_tokens_stride = value.stride[2];
  }
  return params;
}

static kvf_status invoke(op_call *call, const kv_case *what, const gather_plan *plan) {
  if (what->rows.entry == ENTRY_RAW) {
    const kvf_gather_kv_cache_params params = params_of(call, what, plan);
    return kvf_launch_gather_kv_cache(call->given_exec, what->rows.variant, &params);
  }
  return op_call_invoke(call, what->rows.entry == ENTRY_TYPED ? typed : NULL);
}

static void describe(const kv_case *what, const gather_plan *plan, char text[static 320]) {
  (void)snprintf(text, 320,
                 "%s, %lld rows of %lld sequences, %lld heads of %lld and %lld, pages of %lld, "
                 "layout %d, out %d, offsets %d>%d, scale %d, swizzle %d, back %d, entry %d, exec "
                 "%d, seed %llu",
                 what->rows.variant->symbol, (long long)plan->num_rows,
                 (long long)plan->num_sequences, (long long)what->heads, (long long)what->sizes[0],
                 (long long)what->sizes[1], (long long)what->rows.block_size, what->layout,
                 what->out, what->rows.source_offset, what->rows.dst_offset, what->scale,
                 what->swizzle, what->back, what->rows.entry, what->rows.exec,
                 (unsigned long long)what->rows.seed);
}

static bool run(const kv_case *wished) {
  static gather_plan plan;
  const kv_case fit = fitted(*wished);
  const kv_case *what = &fit;
  char text[320];
  op_call call;
  vary_order(what->rows.seed);
  gather_make_plan(&plan, &what->rows, false);
  describe(what, &plan, text);
  build(&call, what, &plan);
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = invoke(&call, what, &plan);
  bool good = expect_done(options.backend, status, before, 0, text);
  for (int64_t row = 0; row < plan.num_rows; ++row) {
    if (plan.sequence[row] >= 0) {
      expect_row(&call, what, row, plan.table[plan.sequence[row]][plan.page[row]],
                 plan.offset[row]);
    }
  }
  good = op_call_verify(&call, text) && good;
  op_call_free(&call);
  count_case(what->rows.variant);
  return good;
}

/* ---- cases
 * -----------------------------------------------------------------------------------------------
 */

static double cost(const covering_row *row, const void *context) {
  static const double rows[LENGTHS_KINDS] = {1, 1, 80, 50, 60, 60, 60, 1, 150};
  (void)context;
  const int *value = row->value;
  return rows[value[LENGTHS_AXIS]] *
         (double)(heads_of[value[HEADS_AXIS]] *
                  (sizes_of[value[SIZES_AXIS]][0] + sizes_of[value[SIZES_AXIS]][1]));
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  static const int offsets[] = {0, 0, 4, 1};
  const covering plan = {
      .num_axes = AXES_OF_OP,
      .sizes = {TEST_COUNT(heads_of), TEST_COUNT(sizes_of), TEST_COUNT(blocks_of), LENGTHS_KINDS,
                STARTS_KINDS, LAYOUTS, OUT_KINDS, TEST_COUNT(offsets), SCALE_KINDS, 4, ENTRIES, 3},
      .cost = cost,
      .limit = options.exhaustive ? 1.6e6 : 60e3,
  };
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    uint64_t state = options.seed + (uint64_t)i;
    int count = 0;
    covering_row *rows = writer_wants(variant) ? covering_make(&plan, state, &count) : NULL;
    for (int row = 0, failures = 0; row < count && failures < 5; ++row) {
      const int *value = rows[row].value;
      const int64_t *sizes = sizes_of[value[SIZES_AXIS]];
      failures += !run(&(kv_case){.rows = {.variant = variant,
                                           .block_size = blocks_of[value[BLOCK_AXIS]],
                                           .lengths = value[LENGTHS_AXIS],
                                           .starts = value[STARTS_AXIS],
                                           .source_offset = offsets[value[OFFSET_AXIS]],
                                           .dst_offset = offsets[(value[OFFSET_AXIS] * 3) % 4],
                                           .entry = value[ENTRY_AXIS],
                                           .exec = value[EXEC_AXIS],
                                           .wide = row % 2,
                                           .seed = random_next(&state)},
                                  .heads = heads_of[value[HEADS_AXIS]],
                                  .sizes = {sizes[0], sizes[1]},
                                  .layout = value[LAYOUT_AXIS],
                                  .out = value[OUT_AXIS],
                                  .scale = value[SCALE_AXIS],
                                  .swizzle = value[FLAGS_AXIS] % 2,
                                  .back = value[FLAGS_AXIS] / 2});
    }
    free(rows);
  }
}

static kv_case small_case(const kvf_variant *variant, int layout) {
  return fitted((kv_case){.rows = {.variant = variant,
                                   .block_size = 4,
                                   .lengths = LENGTHS_MIXED,
                                   .starts = STARTS_ANY,
                                   .entry = ENTRY_TYPED,
                                   .seed = 8},
                          .heads = 2,
                          .sizes = {64, 32},
                          .layout = layout,
                          .back = true});
}

/* Rows as in real caches, past the points where threads share them and the CPU stores past its
 * caches; and heads beyond what a format with scales of its own has. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  const bool emulated = options.backend == KVF_CUDA && cuda.reset != NULL;
  for (int i = 0; i < OP->num_variants; ++i) {
    for (int k = 0; writer_wants(&OP->variants[i]) && k < 4; ++k) {
      if (!covering_takes(i, k, 4)) {
        continue;
      }
      kv_case what = small_case(&OP->variants[i], (const int[]){NHD, HND, GROUPED, STRIDED}[k]);
      what.rows.block_size = 16;
      what.rows.lengths = emulated ? LENGTHS_LONG : LENGTHS_DEEP;
      what.heads = 8;
      what.sizes[0] = what.sizes[1] = emulated && k % 2 ? 64 : 128;
      (void)run(&what);
      const bool plain = !has_row_scales(&what) && !is_nvfp4(&what) && !is_ggml(&what);
      what.rows.lengths = LENGTHS_MIXED;
      what.heads = 1;
      what.sizes[0] = plain ? 5000 : 576;
      what.sizes[1] = plain ? 1001 : 320;
      (void)run(&what);
    }
  }
}

/* Pages that are not there: the CPU refuses, on CUDA their rows become 0 and are counted. */
static void test_out_of_range(void) {
  static const struct {
    int64_t i, j;
    int32_t number;
  } strays[] = {{0, 1, -1}, {0, 0, 6}, {2, 1, INT32_MAX}, {2, 0, INT32_MIN}};
  static gather_plan plan;
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    for (size_t k = 0; writer_wants(&OP->variants[i]) && k < TEST_COUNT(strays); ++k) {
      kv_case what = small_case(&OP->variants[i], k % 2 ? GROUPED : NHD);
      what.rows.entry = (int)k % ENTRIES;
      gather_make_small_plan(&plan, &what.rows, false);
      op_call call;
      build(&call, &what, &plan);
      operand_put_index(&call.operands[TABLE_], strays[k].i, strays[k].j, strays[k].number);
      op_call_upload(&call);
      uint64_t faults = 0;
      for (int64_t row = 0; options.backend == KVF_CUDA && row < plan.num_rows; ++row) {
        const bool stray = plan.sequence[row] == strays[k].i && plan.page[row] == strays[k].j;
        faults += stray;
        if (plan.sequence[row] >= 0) {
          expect_row(&call, &what, row, stray ? -1 : plan.table[plan.sequence[row]][plan.page[row]],
                     plan.offset[row]);
        }
      }
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = invoke(&call, &what, &plan);
      if (options.backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "block_table: element [");
      } else {
        EXPECT(faults > 0, "the test is without effect");
        (void)expect_done(options.backend, status, before, faults, what.rows.variant->symbol);
      }
      (void)op_call_verify(&call, what.rows.variant->symbol);
      op_call_free(&call);
      count_case(what.rows.variant);
    }
  }
}

/* Pages and rows that lie beyond 2^31 elements. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { FAR_SIZE = 32, FAR_BLOCK = 2 };
  const int64_t far = (INT64_C(1) << 31) + 64;
  static const kvf_dtype held[] = {KVF_BF16, KVF_FP8_E4M3, KVF_INT8_PER_TOKEN_HEAD};
  for (size_t f = 0; f < TEST_COUNT(held); ++f) {
    const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, held[f]);
    if (variant == NULL) {
      skip_part("bf16 with %s is not built", kvf_dtype_name(held[f]));
      continue;
    }
    const int64_t bytes = kvf_dtype_bits(held[f]) / 8;
    region pages;
    region out;
    region small;
    const bool has_pages = region_make(&pages, options.backend, (size_t)((far + 4096) * bytes));
    const bool has_out = region_make(&out, options.backend, (size_t)((far + 4096) * 2));
    const bool has_small = region_make(&small, options.backend, 4096);
    if (!has_pages || !has_out || !has_small) {
      skip_test("no room for tensors of 2^31 elements");
    } else {
      /* Two rows: token 1 of page 1, then token 0 of page 0; values behind keys. */
      const int32_t table[] = {1, 0};
      const int32_t starts[] = {0, 2};
      const int32_t first[] = {1};
      float scales[16];
      uint8_t row[FAR_SIZE * 4];
      for (int i = 0; i < 16; ++i) {
        scales[i] = 1;
      }
      region_put(&small, 0, table, sizeof table);
      region_put(&small, 64, starts, sizeof starts);
      region_put(&small, 128, first, sizeof first);
      region_put(&small, 192, scales, sizeof scales);
      for (int64_t i = 0; i < 2 * FAR_SIZE * bytes; ++i) {
        row[i] = (uint8_t)(i % 64);
      }
      region_put(&pages, (far + 2 * FAR_SIZE) * bytes, row, (size_t)(2 * FAR_SIZE * bytes));
      region_put(&pages, 0, row, (size_t)(2 * FAR_SIZE * bytes));
      char *at = (char *)small.place;
      const bool by_row = held[f] == KVF_INT8_PER_TOKEN_HEAD;
      const kvf_view scale = {.data = at + 192, .stride = {0, by_row ? 1 : 0, 0}};
      kvf_gather_kv_cache_params params = {
          .key_cache = {.data = pages.place, .stride = {far, 2 * FAR_SIZE, FAR_SIZE, 0, 1}},
          .value_cache = {.data = (char *)pages.place + FAR_SIZE * bytes,
                          .stride = {far, 2 * FAR_SIZE, FAR_SIZE, 1}},
          .key_out = {.data = out.place, .stride = {far, FAR_SIZE, 1}},
          .value_out = {.data = (char *)out.place + 2 * FAR_SIZE, .stride = {far, FAR_SIZE, 1}},
          .k_scale = scale,
          .v_scale = scale,
          .table = {.entries = at,
                    .index_bytes = 4,
                    .stride = 2,
                    .starts = (int32_t *)(void *)(at + 64),
                    .offsets = (int32_t *)(void *)(at + 128),
                    .num_sequences = 1,
                    .width = 2,
                    .num_blocks = 2,
                    .block_size = FAR_BLOCK},
          .num_rows = 2,
          .num_kv_heads = 1,
          .head_size = FAR_SIZE,
          .value_head_size = FAR_SIZE,
          .x = FAR_SIZE,
      };
      const kvf_status status = kvf_launch_gather_kv_cache(NULL, variant, &params);
      (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
      for (int64_t i = 0; i < 4 * FAR_SIZE; ++i) {
        uint8_t want[4];
        uint8_t got[4];
        const int64_t element = i % (2 * FAR_SIZE);
        oracle_round(KVF_BF16, oracle_value(held[f], row + element * bytes), want);
        if (held[f] == KVF_BF16) {
          memcpy(want, row + element * bytes, 2);
        }
        region_get(&out, (i / (2 * FAR_SIZE) * far + element) * 2, got, 2);
        EXPECT(memcmp(got, want, 2) == 0, "%s: far element %d is wrong", variant->symbol, (int)i);
      }
      count_case(variant);
    }
    region_free(&pages);
    region_free(&out);
    region_free(&small);
  }
}

/* ---- every code
 * ------------------------------------------------------------------------------------------ */

enum { CODES_SIZE = 128, CODES_ROWS = (256 + 256 * 32) / CODES_SIZE };

/* Codes one after another, then each 32 times: it is not always with others that a level takes
 * together. */
static uint8_t code_at(int i) { return (uint8_t)(i < 256 ? i : (i - 256) / 32); }

static void expect_codes(const kvf_variant *variant, float scale, int32_t streaming) {
  static uint8_t codes[CODES_ROWS * CODES_SIZE];
  _Alignas(64) static uint8_t out[2][CODES_ROWS * CODES_SIZE * 4];
  static const int32_t table[] = {0};
  static const int32_t starts[] = {0, CODES_ROWS};
  const int bytes = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  for (int i = 0; i < CODES_ROWS * CODES_SIZE; ++i) {
    codes[i] = code_at(i);
  }
  const kvf_view cache = {.data = codes, .stride = {sizeof codes, CODES_SIZE, CODES_SIZE, 0, 1}};
  kvf_gather_kv_cache_params params = {
      .key_cache = cache,
      .value_cache = {.data = codes, .stride = {sizeof codes, CODES_SIZE, CODES_SIZE, 1}},
      .key_out = {.data = out[0], .stride = {CODES_SIZE, CODES_SIZE, 1}},
      .value_out = {.data = out[1], .stride = {CODES_SIZE, CODES_SIZE, 1}},
      .k_scale = {.data = &scale},
      .v_scale = {.data = &scale},
      .table = {.entries = table,
                .index_bytes = 4,
                .stride = 1,
                .starts = starts,
                .num_sequences = 1,
                .width = 1,
                .num_blocks = 1,
                .block_size = CODES_ROWS},
      .num_rows = CODES_ROWS,
      .num_kv_heads = 1,
      .head_size = CODES_SIZE,
      .value_head_size = CODES_SIZE,
      .x = CODES_SIZE,
      .streaming = streaming,
  };
  const kvf_status status = kvf_launch_gather_kv_cache(NULL, variant, &params);
  EXPECT(status == KVF_OK, "%s: %s", variant->symbol, kvf_last_error());
  int wrong = 0;
  for (int i = 0; i < 2 * CODES_ROWS * CODES_SIZE; ++i) {
    const int element = i % (CODES_ROWS * CODES_SIZE);
    uint8_t want[4];
    const double code = oracle_value(kvf_cache_of(variant), &codes[element]);
    oracle_round(kvf_scalar_of(variant), (double)(float)(code * (double)scale), want);
    const uint8_t *got = out[i / (CODES_ROWS * CODES_SIZE)] + (size_t)element * (size_t)bytes;
    wrong += memcmp(got, want, (size_t)bytes) != 0;
  }
  EXPECT(wrong == 0, "%s: %d products of codes and %a are wrong (streaming %d)", variant->symbol,
         wrong, (double)scale, streaming);
  count_case(variant);
}

/* All codes of one scale, with scales of which products or what they are made of are no usual
 * numbers. A launch takes those of 2^-126 or more, and finite ones only. */
static void test_every_code(void) {
  static const float scales[] = {1.0f,    0.1f,       3.0f,      0x1p-126f, 0x1.9p-126f, 0x1p-120f,
                                 1e-7f,   0x1.8p118f, 0x1p119f,  0x1p120f,  7e30f,       3e38f,
                                 FLT_MAX, 146.3f,     0x1.01p0f, 0x1.03p0f};
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    const kvf_dtype cache = kvf_cache_of(variant);
    const bool coded = cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2 || cache == KVF_INT8;
    for (size_t k = 0; writer_wants(variant) && coded && k < TEST_COUNT(scales); ++k) {
      expect_codes(variant, scales[k], 0);
      expect_codes(variant, scales[k], 1);
    }
  }
}

/* ---- bad arguments
 * ------------------------------------------------------------------------------------------ */

static void build_small(op_call *call, const void *context) {
  static gather_plan plan;
  const kv_case *what = context;
  gather_make_small_plan(&plan, &what->rows, false);
  build(call, what, &plan);
}

#define VALUE_ERROR KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no key_cache", ON_BOTH, "key_cache", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "key_cache", "NULL", "want a tensor"},
  {"no value_cache", ON_BOTH, "value_cache", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "value_cache", "NULL", "want a tensor"},
  {"no key_out", ON_BOTH, "key_out", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "key_out", "NULL", "want a tensor"},
  {"no value_out", ON_BOTH, "value_out", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "value_out", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "block_table", "NULL", "want a tensor"},
  {"no cu_seq_lens", ON_BOTH, "cu_seq_lens", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "cu_seq_lens", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "kv_cache_dtype", "NULL", "want one of"},
  {"unknown format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp6", VALUE_ERROR, "kv_cache_dtype", "got 'fp6'", "want one of"},
  {"no k_scale", ON_BOTH, "k_scale", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "k_scale", "NULL", "want a tensor"},
  {"key_cache of rank 3", ON_BOTH, "key_cache", SPOIL_RANK, 0, 3, NULL, VALUE_ERROR, "key_cache", "rank is 3", "want 4"},
  {"key_out of rank 2", ON_BOTH, "key_out", SPOIL_RANK, 0, 2, NULL, VALUE_ERROR, "key_out", "rank is 2", "want 3"},
  {"rows of value_out", ON_BOTH, "value_out", SPOIL_SIZE, 0, 11, NULL, VALUE_ERROR, "value_out", "(num_rows) is 11", "want 12 as in key_out"},
  {"heads of value_out", ON_BOTH, "value_out", SPOIL_SIZE, 1, 1, NULL, VALUE_ERROR, "value_out", "(num_heads) is 1", "want 2 as in key_out"},
  {"elements of key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 32, NULL, VALUE_ERROR, "key_cache", "(head_size) is 32", "want 64 as in key_out"},
  {"elements of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 3, 16, NULL, VALUE_ERROR, "value_cache", "(value_head_size) is 16", "want 32 as in value_out"},
  {"pages of value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 0, 5, NULL, VALUE_ERROR, "value_cache", "(num_blocks) is 5", "want 6 as in key_cache"},
  {"stride of key_out", ON_BOTH, "key_out", SPOIL_STRIDE, 2, 2, NULL, VALUE_ERROR, "key_out", "(head_size) is 2", "want 1"},
  {"value_out overlaps", ON_BOTH, "value_out", SPOIL_STRIDE, 0, 0, NULL, VALUE_ERROR, "value_out", "(num_rows) is 0", "do not overlap"},
  {"short cu_seq_lens", ON_BOTH, "block_table", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "cu_seq_lens", "(num_sequences + 1) is 4", "want 3"},
  {"key_out is uint8", ON_BOTH, "key_out", SPOIL_DTYPE, kDLUInt, 8, NULL, TYPE, "key_out", "uint8", "want float32, float16, bfloat16"},
  {"key_cache is int16", ON_BOTH, "key_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "key_cache", "dtype is int16", "want "},
  {"two k_scales too many", ON_BOTH, "k_scale", SPOIL_SIZE, 0, 4, NULL, VALUE_ERROR, "k_scale", "has 4 elements", "want 1 or 2"},
  {"value_out elsewhere", ON_CPU, "value_out", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "value_out", "on CUDA device 0", "want the CPU"},
  {"value_out on the CPU", ON_CUDA, "value_out", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "value_out", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "key_out", SPOIL_DATA, 0, 0, NULL, VALUE_ERROR, "key_out", "data is NULL", "want an address"},
  {"descending cu_seq_lens", ON_CPU, "cu_seq_lens", SPOIL_INDEX, 2, 4, NULL, VALUE_ERROR, "cu_seq_lens", "are 5 and 4", "ascending"},
};
static const bad_argument bad_rows[] = {
  {"no k_scale_cache", ON_BOTH, "k_scale_cache", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "k_scale_cache", "NULL", "want a tensor"},
  {"tokens of v_scale_cache", ON_BOTH, "v_scale_cache", SPOIL_SIZE, 1, 3, NULL, VALUE_ERROR, "v_scale_cache", "(block_size) is 3", "want 4 as in key_cache"},
  {"k_scale_cache is float16", ON_BOTH, "k_scale_cache", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "k_scale_cache", "dtype is float16", "want float32"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < OP->num_variants; ++i) {
    const kvf_variant *variant = &OP->variants[i];
    if (!writer_wants(variant)) {
      continue;
    }
    const kv_case what = small_case(variant, NHD);
    op_call_test_overlap(build_small, &what, typed, "key_out", "key_cache");
    op_call_test_overlap(build_small, &what, typed, "key_out", "value_cache");
    op_call_test_overlap(build_small, &what, typed, "value_out", "key_cache");
    op_call_test_overlap(build_small, &what, typed, "value_out", "value_cache");
    if (kvf_cache_of(variant) == KVF_FP8_E4M3) {
      op_call_test_bad(build_small, &what, typed, bad, TEST_COUNT(bad));
      op_call_test_scales(build_small, &what, typed, "k_scale", true);
      op_call_test_scales(build_small, &what, typed, "v_scale", true);
      op_call call;
      build_small(&call, &what);
      call.values[INTERLEAVED_].as.boolean = true;
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
      EXPECT_TEXT(kvf_last_error(), "interleaved_v: got True, want False unless key_cache has 5");
      op_call_free(&call);
      const kv_case grouped = small_case(variant, GROUPED); /* x is 16, pages have 4 tokens */
      build_small(&call, &grouped);
      call.values[INTERLEAVED_].as.boolean = true;
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
      EXPECT_TEXT(kvf_last_error(), "interleaved_v: block_size is 4, want a multiple of x, 16");
      op_call_free(&call);
    }
    if (has_row_scales(&what)) {
      op_call_test_bad(build_small, &what, typed, bad_rows, TEST_COUNT(bad_rows));
    }
    if (has_row_scales(&what) || is_nvfp4(&what) || is_ggml(&what)) {
      op_call call;
      kv_case wide = what;
      wide.sizes[1] = 608;
      build_small(&call, &wide);
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
      EXPECT_TEXT(kvf_last_error(), "value_out: got 608, want 576 or less");
      op_call_free(&call);
    }
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_BF16, KVF_FP8_E4M3);
  if (!need_backend() || variant == NULL) {
    return;
  }
  static gather_plan plan;
  const kv_case what = small_case(variant, NHD);
  gather_make_small_plan(&plan, &what.rows, false);
  op_call call;
  build(&call, &what, &plan);
  op_call_upload(&call);
  const kvf_gather_kv_cache_params good = params_of(&call, &what, &plan);
  struct {
    kvf_gather_kv_cache_params params;
    const char *member;
  } rows[] = {{good, "key_cache"}, {good, "value_cache"}, {good, "key_out"},
              {good, "value_out"}, {good, "num_rows"},    {good, "num_kv_heads"},
              {good, "head_size"}, {good, "x"},           {good, "cu_seq_lens"},
              {good, "k_scale"},   {good, "num_rows"},    {good, "head_size"}};
  rows[0].params.key_cache.data = NULL;
  rows[1].params.value_cache.data = NULL;
  rows[2].params.key_out.data = NULL;
  rows[3].params.value_out.data = NULL;
  rows[4].params.num_rows = -1;
  rows[5].params.num_kv_heads = -1;
  rows[6].params.head_size = -1;
  rows[7].params.x = 0;
  rows[8].params.table.starts = NULL;
  rows[9].params.k_scale.data = NULL;
  rows[10].params.num_rows = INT64_C(1) << 31;
  rows[11].params.head_size = INT32_MAX;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    const kvf_status status = kvf_launch_gather_kv_cache(NULL, variant, &rows[i].params);
    EXPECT_STATUS(status, KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
  }
  op_call_free(&call);
}

CU_TestInfo gather_kv_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"every code", test_every_code},
    {"pages out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
