/*
 * paged_attention: against attention in double precision, within a bound that follows from
 * f32 arithmetic and the rounding of the output; exactly where the result is exact. Whatever is not
 * to be read, in caches and block tables, is random and mostly NaN or out of range.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "ggml.h"
#include "int4.h"
#include "operands.h"
#include "oracle.h"
#include "region.h"
#include "stack.h"
#include "writer.h"

#define OP (&kvf_op_paged_attention)

enum {
  OUT,
  QUERY,
  KEYS,
  VALUES_,
  STARTS,
  LENGTHS,
  TABLES,
  SCALE_,
  FORMAT,
  KEY_SCALE,
  VALUE_SCALE,
  CAUSAL_,
  LEFT_,
  RIGHT_,
  CAP_,
  SLOPES,
  SINKS,
  SWIZZLE_,
  LONGEST_,
  LSE,
  WORKSPACE
};

enum {
  HEADS_AXIS,
  SIZE_AXIS,
  BLOCK,
  LAYOUT_AXIS,
  LENGTH_AXIS,
  WINDOW_AXIS,
  ALIBI_AXIS,
  SCALE_AXIS,
  QUERY_AXIS,
  ENTRY_AXIS,
  EXEC_AXIS,
  SPLITS_AXIS,
  TABLE_AXIS,
  QUERIES_AXIS,
  CAP_AXIS,
  SINKS_AXIS,
  OUT_AXIS,
  AXES_OF_OP
};

static const struct {
  int64_t kv_heads, group;
} heads[] = {{1, 1}, {2, 1}, {1, 4}, {2, 3}, {1, 8}, {1, 19}, {4, 2}, {1, 16}};
static const int64_t sizes[] = {1, 7, 8, 16, 40, 64, 100, 128, 256, 320, 576};
static const int64_t blocks[] = {1, 4, 8, 16, 24, 64};
static const int64_t lengths[][6] = {{1, -1},         {0, -1},          {2, 0, 1, -1},
                                     {17, 5, 33, -1}, {127, 129, -1},   {300, 3, -1},
                                     {64, 128, -1},   {700, 0, 256, -1}};
static const struct {
  bool causal;
  int64_t left, right;
} windows[] = {{true, -1, -1},
               {true, 0, -1},
               {true, 3, 3},
               {true, 99, 0},
               {true, 269, -1},
               {false, -1, -1},
               {false, -1, 2},
               {false, 20, 0},
               {false, 3, 30},
               {true, 1000, -7},
               {false, INT64_MAX, INT64_MAX}};
static const int64_t splits[] = {0, 1, 2, 3, 7, 40}; /* 0: no workspace */
/* How many tokens sequences have: one, all, four whatever their length, or any of these and none.
 */
enum { DECODE, PREFILL, FOUR, MIXED, PATTERNS };
static const double caps[] = {0, 50, 0.75};
enum { SINKS_NONE, SINKS_F32, SINKS_OWN, SINKS_KINDS };
enum { OUT_OWN = 0, OUT_F32 = 1, NO_LSE = 2, OUT_KINDS = 4 };
enum { ALIBI_NONE, ALIBI_DENSE, ALIBI_STRIDED, ALIBI_KINDS };
enum { SCALE_ONE, SCALE_TENTH, SCALE_PER_HEAD, SCALE_RANK_0, SCALE_CHOICES };
enum { QUERY_DENSE, QUERY_PADDED, QUERY_STRIDED, QUERY_HEADS_FIRST, QUERY_LAYOUTS };
enum {
  NHD,
  HND,
  PADDED,
  PADDED_ALIGNED,
  STRIDED,
  PACKED,
  FLASH_LAYOUTS,
  GROUPED = FLASH_LAYOUTS,
  GROUPED_PADDED,
  GROUPED_BY_3,
  GROUPED_WHOLE,
  GROUPED_STRIDED,
  CACHE_LAYOUTS
};

typedef struct decode_case {
  const kvf_variant *variant;
  int64_t kv_heads, group, size, block_size, splits;
  int64_t value_size; /* 0: as size */
  const int64_t *lengths;
  int window, pattern; /* window: that of the list */
  double cap;
  int layout, alibi, scale, query, entry, sinks, out;
  bool with_exec;
  bool swizzle;
  bool wide;    /* block tables of int64 */
  bool uniform; /* keys are 0 and values small integers, so that averages are exact */
  uint64_t seed;
} decode_case;

/* Elements of a head of keys or of values. */
static int64_t size_of(const decode_case *what, int which) {
  return which == KEYS || what->value_size == 0 ? what->size : what->value_size;
}

static int64_t values_of(const decode_case *what) { return size_of(what, VALUES_); }

static int64_t count_of(const int64_t *list) {
  int64_t count = 0;
  while (list[count] >= 0) {
    ++count;
  }
  return count;
}

/* Tokens that a sequence has in the call. */
static int64_t queries_of(const decode_case *what, int64_t s) {
  const int64_t length = what->lengths[s];
  const int64_t choices[] = {1, length, 4, 0, length < 21 ? length : 21};
  switch (what->pattern) {
  case DECODE:
    return 1;
  case PREFILL:
    return length;
  case FOUR:
    return 4;
  default:
    return choices[(what->seed + (uint64_t)s) % TEST_COUNT(choices)];
  }
}

/* Tokens of no sequence in front of the first, and behind the last. */
static int64_t lead_of(const decode_case *what) {
  return what->pattern == DECODE ? 0 : (int64_t)(what->seed % 3);
}

static int64_t tokens_of(const decode_case *what) {
  int64_t tokens = lead_of(what) + (int64_t)(what->seed / 2 % 2);
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    tokens += queries_of(what, s);
  }
  return tokens;
}

static int64_t longest_of(const decode_case *what) {
  int64_t longest = 0;
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    longest = queries_of(what, s) > longest ? queries_of(what, s) : longest;
  }
  return longest;
}

/* Tokens whose sequences may be split: all, or those of the first sequence. */
static int64_t split_tokens_of(const decode_case *what) {
  return what->seed % 4 == 3 ? lead_of(what) + queries_of(what, 0) : tokens_of(what) + 1;
}

/* Positions [from, to) are what token i of a sequence sees. */
static int64_t from_of(const decode_case *what, int64_t s, int64_t i) {
  const int64_t left = windows[what->window].left;
  const int64_t position = what->lengths[s] - queries_of(what, s) + i;
  return left < 0 || position <= left ? 0 : position - left;
}

static int64_t to_of(const decode_case *what, int64_t s, int64_t i) {
  const int64_t right = windows[what->window].right;
  const int64_t position = what->lengths[s] - queries_of(what, s) + i;
  int64_t to = what->lengths[s];
  if (windows[what->window].causal && position + 1 < to) {
    to = position + 1;
  }
  if (right >= 0 && right < 1000 && position + right + 1 < to) {
    to = position + right + 1;
  }
  return to < 0 ? 0 : to;
}

/* Positions that any token of a sequence sees are those from here to the end. */
static int64_t first_position(const decode_case *what, int64_t s) {
  return queries_of(what, s) == 0 ? what->lengths[s] : from_of(what, s, 0);
}

/* Rows of a tile on the CPU: as many as 3,520 floats hold, of each three rows of the padded size
 * and 32 scores. */
static int64_t cpu_tile(int64_t size) {
  const int64_t rows = 3520 / (3 * ((size + 15) / 16 * 16) + 32);
  return rows < 8 ? rows : 8;
}

static int64_t longer_of(const decode_case *what) {
  return what->size > values_of(what) ? what->size : values_of(what);
}

/* A variant for tensor cores. */
static bool is_tiled(const decode_case *what) { return what->variant->values[2] != KVF_OTHER; }
/* Tiles of many rows want query and out in whole vectors, too. */
static bool reads_vectors(const decode_case *what) {
  return is_tiled(what) && what->variant->values[3] > 16;
}

/* Products of four warps, on compute capability 9.0 alone. */
static bool is_wide(const kvf_variant *variant) { return variant->values[4] == 90; }

/* Rows of the tiles of the variant that the op takes for the case. */
static int64_t rows_taken(const decode_case *what) {
  const int64_t longest = what->seed % 3 == 1 ? tokens_of(what) : longest_of(what);
  const int64_t many = what->size > 128 ? 64 : 128;
  return what->group * longest <= 8                         ? 8
         : what->group * longest <= 32 && what->size <= 128 ? 16
                                                            : many;
}

/* Whether a call that chooses tiles of many rows does a sequence by those of few, in a launch of
 * its own. */
static bool is_apart(const decode_case *what, int64_t s) {
  const int64_t rows = what->group <= 8 ? 8 : 16;
  const kvf_variant *few =
      kvf_select(OP, KVF_CUDA, what->variant->values[0], what->variant->values[1], what->size, rows,
                 what->variant->values[4]);
  return reads_vectors(what) && what->entry != ENTRY_RAW && few != NULL && few->values[3] == rows &&
         what->group <= 32 &&
         queries_of(what, s) * what->group <= (what->group <= 8 ? 8 : what->group);
}

/* Splits that the tile of a row has, of those that the workspace has room for. */
static int64_t splits_of(const decode_case *what, int64_t s, int64_t start, int64_t i,
                         int64_t head) {
  const int64_t tile = is_apart(what, s)            ? (what->group <= 8 ? 8 : 16)
                       : is_tiled(what)             ? what->variant->values[3]
                       : options.backend == KVF_CPU ? cpu_tile(longer_of(what))
                                                    : 8;
  const int64_t rows = queries_of(what, s) * what->group;
  const int64_t first = (i * what->group + head % what->group) / tile * tile;
  const int64_t last = first + tile < rows ? first + tile - 1 : rows - 1;
  const int64_t begin = from_of(what, s, first / what->group);
  const int64_t positions = to_of(what, s, last / what->group) - begin;
  if (start + queries_of(what, s) > split_tokens_of(what) || positions <= 0) {
    return 1;
  }
  int64_t each = 128;
  while (each * what->splits < positions) {
    each += 128;
  }
  return (positions + each - 1) / each;
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

/* An element of a key or value, wherever the layout has it. */
static uint8_t *cached(const op_call *call, int which, int64_t block, int64_t offset, int64_t head,
                       int64_t element) {
  if (call->operands[KEYS].view.rank == 4) {
    return element_at(call, which, (int64_t[]){block, offset, head, element});
  }
  if (which == VALUES_) {
    return element_at(call, which, (int64_t[]){block, head, element, offset});
  }
  const int64_t x = call->operands[KEYS].view.shape[4];
  return element_at(call, which, (int64_t[]){block, head, element / x, offset, element % x});
}

static bool has_row_scales(const decode_case *what) {
  return kvf_cache_of(what->variant) == KVF_INT8_PER_TOKEN_HEAD ||
         kvf_cache_of(what->variant) == KVF_FP8_PER_TOKEN_HEAD ||
         kvf_cache_of(what->variant) == KVF_INT4_PER_TOKEN_HEAD;
}

static bool is_int4(const decode_case *what) {
  return kvf_cache_of(what->variant) == KVF_INT4_PER_TOKEN_HEAD;
}

static bool has_block_scales(const decode_case *what) {
  return kvf_cache_of(what->variant) == KVF_NVFP4;
}

static bool is_ggml(const decode_case *what) {
  return kvf_cache_of(what->variant) == KVF_Q8_0 || kvf_cache_of(what->variant) == KVF_Q4_0;
}

/* What codes of a head of a token are multiplied by, block scales aside. */
static double scale_of(const op_call *call, const decode_case *what, int which, int64_t block,
                       int64_t offset, int64_t kv_head) {
  if (kvf_scalar_of(what->variant) == kvf_cache_of(what->variant) || is_ggml(what)) {
    return 1;
  }
  const tensor *view = &call->operands[which].view;
  const int64_t one = view->rank == 0 || view->shape[0] == 1 ? 0 : kv_head;
  const int64_t *at = has_row_scales(what) ? (int64_t[]){block, offset, kv_head} : &one;
  if (is_int4(what)) {
    uint32_t word;
    memcpy(&word, element_at(call, which, at), sizeof word);
    return (double)int4_decode((uint8_t)(word % 16 + 1), word);
  }
  return oracle_value(KVF_F32, element_at(call, which, at));
}

/*
 * Where the block scale of an element of nvfp4 is, and its code, of which the byte has two. A page
 * has the codes of all heads of all tokens in the order of the strides, then their scales.
 */
static uint8_t *block_scale_of(const op_call *call, const decode_case *what, int which,
                               int64_t block, int64_t offset, int64_t head, int64_t element,
                               uint8_t **code) {
  const int64_t *stride = call->operands[which].view.stride;
  const int64_t size = size_of(what, which);
  const int64_t groups = size / 16;
  const bool heads_first = what->kv_heads > 1 && what->block_size > 1 && stride[2] > stride[1];
  uint8_t *page = element_at(call, which, (int64_t[]){block, 0, 0, 0});
  const int64_t row =
      heads_first ? head * what->block_size + offset : offset * what->kv_heads + head;
  *code = page + row * (size / 2) + element / 2;
  int64_t token = offset;
  int64_t group = element / 16;
  if (what->swizzle && which == VALUES_) {
    token = offset / 4 * 4 + group / (groups / 4);
    group = group % (groups / 4) * 4 + offset % 4;
  }
  const int64_t place =
      heads_first ? head * what->block_size + token : token * what->kv_heads + head;
  return page + what->block_size * what->kv_heads * (size / 2) + place * groups + group;
}

/* The head that value_of() was asked for last, since an element needs all of it. */
static struct {
  const uint8_t *codes; /* NULL: none */
  float elements[576];
} last_head;

/* An element of a head that is stored rotated. */
static double int4_value(const op_call *call, const decode_case *what, int which, int64_t block,
                         int64_t offset, int64_t head, int64_t element) {
  const uint8_t *codes = element_at(call, which, (int64_t[]){block, offset, head, 0});
  if (codes != last_head.codes) {
    uint32_t word;
    memcpy(
        &word,
        element_at(call, which == KEYS ? KEY_SCALE : VALUE_SCALE, (int64_t[]){block, offset, head}),
        sizeof word);
    for (int64_t i = 0; i < size_of(what, which); ++i) {
      last_head.elements[i] = int4_decode(int4_code(codes, i), word);
    }
    int4_rotate_back(last_head.elements, size_of(what, which));
    last_head.codes = codes;
  }
  return (double)last_head.elements[element];
}

/* What the cache holds for an element: the number, its scales included. */
static double value_of(const op_call *call, const decode_case *what, int which, int64_t block,
                       int64_t offset, int64_t head, int64_t element) {
  if (is_int4(what)) {
    return int4_value(call, what, which, block, offset, head, element);
  }
  if (is_ggml(what)) {
    return ggml_value(kvf_cache_of(what->variant),
                      element_at(call, which, (int64_t[]){block, offset, head, 0}), element);
  }
  const double scale =
      scale_of(call, what, which == KEYS ? KEY_SCALE : VALUE_SCALE, block, offset, head);
  if (has_block_scales(what)) {
    uint8_t *code;
    const uint8_t *block_scale =
        block_scale_of(call, what, which, block, offset, head, element, &code);
    const double e2m1 = oracle_e2m1_value((uint8_t)(*code >> (element % 2 ? 4 : 0) & 15));
    return e2m1 * oracle_fp8_value(KVF_FP8_E4M3, *block_scale) * scale;
  }
  return scale * oracle_value(kvf_cache_of(what->variant),
                              cached(call, which, block, offset, head, element));
}

/*
 * Puts a code there, of a rotated head: as far from 0 as `value` says. Where averages are to be
 * exact a block has one element that is not 0.
 */
static void put_int4(const op_call *call, const decode_case *what, int which, int64_t block,
                     int64_t offset, int64_t head, int64_t element, double value) {
  uint32_t word;
  memcpy(
      &word,
      element_at(call, which == KEYS ? KEY_SCALE : VALUE_SCALE, (int64_t[]){block, offset, head}),
      sizeof word);
  const int zero = (int)(word % 16);
  const bool counts = !what->uniform || element % int4_block(size_of(what, which)) == 0;
  const int code = zero + (counts ? (int)lrint(value) : 0);
  int4_put_code(element_at(call, which, (int64_t[]){block, offset, head, 0}), element,
                (uint8_t)(code < 0    ? 0
                          : code > 15 ? 15
                                      : code));
  last_head.codes = NULL;
}

/* Puts a number there, as near as the format has it. */
static void put_value(const op_call *call, const decode_case *what, int which, int64_t block,
                      int64_t offset, int64_t head, int64_t element, double value) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  if (is_int4(what)) {
    put_int4(call, what, which, block, offset, head, element, value);
    return;
  }
  if (is_ggml(what)) {
    uint8_t *row = element_at(call, which, (int64_t[]){block, offset, head, 0});
    const int largest = cache == KVF_Q8_0 ? 127 : 7;
    const int code = (int)lrint(value / ggml_scale(cache, row, element));
    const int limited = code < -largest ? -largest : code > largest ? largest : code;
    ggml_put_code(cache, row, element, limited + (cache == KVF_Q4_0 ? 8 : 0));
    return;
  }
  if (has_block_scales(what)) {
    uint8_t *code;
    const uint8_t *block_scale =
        block_scale_of(call, what, which, block, offset, head, element, &code);
    const double scale = oracle_fp8_value(KVF_FP8_E4M3, *block_scale);
    const int shift = element % 2 ? 4 : 0;
    *code = (uint8_t)((*code & (0xF0 >> shift)) | oracle_e2m1((float)(value / scale)) << shift);
    return;
  }
  uint8_t *to = cached(call, which, block, offset, head, element);
  if (cache == kvf_scalar_of(what->variant)) {
    oracle_make(cache, value, to);
  } else if (cache == KVF_INT8 || cache == KVF_INT8_PER_TOKEN_HEAD) {
    *to = (uint8_t)oracle_int8((float)value);
  } else {
    *to = oracle_fp8(cache == KVF_FP8_PER_TOKEN_HEAD ? KVF_FP8_E4M3 : cache, (float)value);
  }
}

/* ---- building a call
 * --------------------------------------------------------------------------------- */

/* Elements of the last dimension of pages, or bytes. */
static int64_t width_of(const decode_case *what, int64_t size) {
  return has_block_scales(what) ? size / 2 + size / 16
         : is_int4(what)        ? size / 2
         : is_ggml(what)        ? ggml_bytes(kvf_cache_of(what->variant), size)
                                : size;
}

static void make_caches(op_call *call, const decode_case *what, int64_t pages) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const bool fp8 = cache != kvf_scalar_of(what->variant);
  const DLDataType dtype = fp8 && what->seed % 2 ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(cache);
  const int64_t vector = 16 / (kvf_dtype_bits(cache) / 8);
  const int64_t width = width_of(what, what->size);
  const int64_t value_width = width_of(what, values_of(what));
  int64_t key[5] = {pages, what->block_size, what->kv_heads, width};
  int64_t value[4] = {pages, what->block_size, what->kv_heads, value_width};
  int64_t key_stride[5];
  int64_t value_stride[5];
  if (what->layout >= GROUPED) {
    const int64_t x = what->layout == GROUPED_BY_3    ? 3
                      : what->layout == GROUPED_WHOLE ? what->size
                                                      : vector;
    const int64_t grouped[5] = {pages, what->kv_heads, (what->size + x - 1) / x, what->block_size,
                                x};
    const int64_t by_token[4] = {pages, what->kv_heads, values_of(what), what->block_size};
    const int64_t pad = what->layout == GROUPED_PADDED ? vector : 0;
    const int64_t inner = what->layout == GROUPED_STRIDED ? 2 : 1;
    memcpy(key, grouped, sizeof grouped);
    memcpy(value, by_token, sizeof by_token);
    lay_out(key_stride, key, "01234", inner, pad);
    lay_out(value_stride, value, "0123", inner, pad);
    operand_make(call, KEYS, dtype, 5, key, key_stride, 0, 64, what->seed + 1);
    operand_make(call, VALUES_, dtype, 4, value, value_stride, 0, 64, what->seed + 2);
    return;
  }
  static const struct {
    const char *order;
    int64_t inner, key_pad, value_pad;
  } layouts[] = {[NHD] = {"0123", 1, 0, 0},     [HND] = {"0213", 1, 0, 0},
                 [PADDED] = {"0123", 1, 3, 1},  [PADDED_ALIGNED] = {"0213", 1, 64, 32},
                 [STRIDED] = {"0123", 2, 0, 3}, [PACKED] = {"0123", 1, 0, 0}};
  const int64_t span = lay_out(key_stride, key, layouts[what->layout].order,
                               layouts[what->layout].inner, layouts[what->layout].key_pad);
  lay_out(value_stride, value, layouts[what->layout].order, layouts[what->layout].inner,
          layouts[what->layout].value_pad);
  if (what->layout == PACKED && width != value_width) { /* [page, token, head, both elements] */
    const int64_t both[4] = {pages, what->block_size, what->kv_heads, width + value_width};
    lay_out(key_stride, both, "0123", 1, 0);
    operand_make(call, KEYS, dtype, 4, both, key_stride, 0, 64, what->seed + 1);
    call->operands[KEYS].view.shape[3] = width;
    operand_share(call, VALUES_, KEYS, width, 4, value, key_stride);
    return;
  }
  if (what->layout == PACKED) { /* [page, 2, token, head, element] */
    const int64_t page = span / pages;
    key[0] = 2 * pages; /* room for both */
    operand_make(call, KEYS, dtype, 4, key, key_stride, 0, 64, what->seed + 1);
    call->operands[KEYS].view.shape[0] = pages;
    call->operands[KEYS].view.stride[0] = value_stride[0] = 2 * page;
    operand_share(call, VALUES_, KEYS, page, 4, value, value_stride);
    return;
  }
  const int offset = what->seed % 3 ? 0 : kvf_dtype_bits(cache) / 8;
  operand_make(call, KEYS, dtype, 4, key, key_stride, offset, 64, what->seed + 1);
  operand_make(call, VALUES_, dtype, 4, value, value_stride, what->seed % 5 ? 0 : offset, 64,
               what->seed + 2);
}

/* Every scale of every token, in an order of its own; those of tokens in use are set later. */
static void make_row_scales(op_call *call, const decode_case *what, int which, int64_t pages) {
  const int64_t shape[3] = {pages, what->block_size, what->kv_heads};
  int64_t stride[3];
  lay_out(stride, shape, what->seed % 2 ? "012" : "021", 1 + (int64_t)(what->seed % 3 == 0), 1);
  operand_make(call, which, dl_dtype(KVF_F32), 3, shape, stride, 4, 0,
               what->seed + (uint64_t)which);
}

static void make_scale(op_call *call, const decode_case *what, int which) {
  const int64_t num = what->scale == SCALE_PER_HEAD ? what->kv_heads : 1;
  const int64_t stride = 2;
  operand_make(call, which, dl_dtype(KVF_F32), what->scale == SCALE_RANK_0 ? 0 : 1, &num, &stride,
               4, 0, what->seed + (uint64_t)which);
  for (int64_t h = 0; h < num; ++h) {
    static const float scales[] = {1.0f, 0.1f, 0.25f, 0.5f};
    const float scale = scales[what->scale] * (float)(1 + h) * (which == KEY_SCALE ? 1.0f : 0.75f);
    memcpy(element_at(call, which, &h), &scale, sizeof scale);
  }
}

/* The scale of a head of a token, or the block scales of its elements. */
static void fill_scales(const op_call *call, const decode_case *what, int which, int64_t block,
                        int64_t offset, int64_t head, uint64_t *state) {
  if (has_row_scales(what)) {
    const double choice = what->uniform ? 0.5 : 0.05 + 0.01 * (double)random_below(state, 7);
    const float scale = (float)choice;
    uint32_t word;
    memcpy(&word, &scale, sizeof word);
    if (is_int4(what)) { /* its last bits are the code of 0 */
      word = word / 16 * 16 + (uint32_t)(what->uniform ? 8 : random_below(state, 16));
    }
    memcpy(
        element_at(call, which == KEYS ? KEY_SCALE : VALUE_SCALE, (int64_t[]){block, offset, head}),
        &word, sizeof word);
  }
  const int64_t size = size_of(what, which);
  for (int64_t e = 0; is_ggml(what) && e < size; e += 32) {
    ggml_put_scale(kvf_cache_of(what->variant),
                   element_at(call, which, (int64_t[]){block, offset, head, 0}), e,
                   what->uniform ? 1 : 0.05 + 0.01 * (double)random_below(state, 30));
  }
  for (int64_t e = 0; has_block_scales(what) && e < size; e += 16) {
    uint8_t *code;
    *block_scale_of(call, what, which, block, offset, head, e, &code) =
        (uint8_t)(what->uniform ? 0x38 : 0x2C + random_below(state, 16)); /* 1, or near it */
  }
}

/* The tokens of one sequence that are attended to. */
static void fill_sequence(const op_call *call, const decode_case *what, int64_t s,
                          uint64_t *state) {
  const int64_t length = operand_get_index(&call->operands[LENGTHS], s, 0);
  for (int64_t p = first_position(what, s); p < length; ++p) {
    const int64_t block = operand_get_index(&call->operands[TABLES], s, p / what->block_size);
    const int64_t offset = p % what->block_size;
    for (int64_t head = 0; head < what->kv_heads; ++head) {
      for (int which = KEYS; which <= VALUES_; ++which) {
        fill_scales(call, what, which, block, offset, head, state);
        const double scale =
            scale_of(call, what, which == KEYS ? KEY_SCALE : VALUE_SCALE, block, offset, head);
        for (int64_t e = 0; e < size_of(what, which); ++e) {
          const double value = !what->uniform  ? random_normal(state) / scale
                               : which == KEYS ? 0
                                               : (double)random_below(state, 9) - 4;
          put_value(call, what, which, block, offset, head, e, value);
        }
      }
    }
  }
}

/* NaN, or anything. */
static void make_workspace(op_call *call, const decode_case *what) {
  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[] = {{"0123", 1, 0}, {"0123", 1, 3}, {"2013", 2, 1}, {"0312", 1, 0}};
  const int64_t shape[4] = {split_tokens_of(what), what->kv_heads * what->group, what->splits,
                            values_of(what) + 2};
  const int layout = (int)(what->seed % TEST_COUNT(layouts));
  int64_t stride[4];
  lay_out(stride, shape, layouts[layout].order, layouts[layout].inner, layouts[layout].pad);
  operand_make(call, WORKSPACE, dl_dtype(KVF_F32), 4, shape, stride, 4, 64, what->seed + 9);
  const buffer *memory = &call->operands[WORKSPACE].memory;
  if (what->seed % 3 != 0) {
    memset(memory->expected, 0xFF, memory->size);
  }
}

/* Some pages have two names, by the way in which a writer chooses scales or rounds codes: one of
 * them. */
static kvf_dtype named(const decode_case *what) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  return what->seed / 2 % 2 == 0            ? cache
         : cache == KVF_NVFP4               ? KVF_NVFP4_4OVER6
         : cache == KVF_INT8_PER_TOKEN_HEAD ? KVF_INT8_PER_TOKEN_HEAD_EVEN
                                            : cache;
}

static void build(op_call *call, const void *context) {
  const decode_case *what = context;
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const int64_t sequences = count_of(what->lengths);
  const int64_t q_heads = what->kv_heads * what->group;
  const DLDataType int32 = {kDLInt, 32, 1};
  const DLDataType int64 = {kDLInt, 64, 1};
  uint64_t state = what->seed;
  last_head.codes = NULL;
  int64_t width = 1;
  int64_t pages = 1;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  for (int64_t s = 0; s < sequences; ++s) {
    const int64_t needs = (what->lengths[s] + what->block_size - 1) / what->block_size;
    pages += needs;
    width = needs > width ? needs : width;
  }

  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[2][QUERY_LAYOUTS] = {
      {{"012", 1, 0}, {"012", 1, 3}, {"012", 2, 1}, {"102", 1, 0}},
      {{"012", 1, 0}, {"012", 1, 8}, {"102", 1, 8}, {"102", 1, 0}},
  };
  const int vectors = reads_vectors(what) ? 1 : 0;
  const int64_t tokens = tokens_of(what);
  for (int which = OUT; which <= QUERY; ++which) {
    const int64_t shape[3] = {tokens, q_heads, which == OUT ? values_of(what) : what->size};
    int64_t stride[3];
    const int layout = which == OUT ? (what->query + 1) % QUERY_LAYOUTS : what->query;
    lay_out(stride, shape, layouts[vectors][layout].order, layouts[vectors][layout].inner,
            layouts[vectors][layout].pad);
    operand_make(call, which, dl_dtype(which == OUT && what->out % 2 ? KVF_F32 : scalar), 3, shape,
                 stride, what->seed % 2 ? (vectors ? 16 : 4) : 0, 64,
                 what->seed + 3 + (uint64_t)which);
  }
  for (int64_t i = 0; i < tokens * q_heads * what->size; ++i) {
    oracle_make(scalar, random_normal(&state),
                element_at(call, QUERY,
                           (int64_t[]){i / what->size / q_heads, i / what->size % q_heads,
                                       i % what->size}));
  }
  make_caches(call, what, pages);
  operand_make(call, TABLES, what->wide ? int64 : int32, 2, (int64_t[]){sequences, width + 1},
               what->seed % 2 ? (int64_t[]){width + 3, 1} : (int64_t[]){1, sequences},
               what->wide ? 8 : 4, 0, what->seed + 6);
  operand_make(call, LENGTHS, int32, 1, &sequences, (int64_t[]){1 + (int64_t)(what->seed % 2)}, 0,
               0, what->seed + 7);
  operand_make(call, STARTS, int32, 1, (int64_t[]){sequences + 1},
               (int64_t[]){1 + (int64_t)(what->seed / 2 % 2)}, 0, 0, what->seed + 12);
  operand_put_index(&call->operands[STARTS], 0, 0, lead_of(what));
  for (int which = KEY_SCALE; which <= VALUE_SCALE; ++which) {
    if (has_row_scales(what)) {
      make_row_scales(call, what, which, pages);
    } else {
      make_scale(call, what, which);
    }
  }
  if (what->alibi != ALIBI_NONE) {
    operand_make(call, SLOPES, dl_dtype(KVF_F32), 1, &q_heads,
                 (int64_t[]){what->alibi == ALIBI_STRIDED ? 3 : 1}, 8, 0, what->seed + 8);
    for (int64_t h = 0; h < q_heads; ++h) {
      const float slope = 0.3f / (float)(1 + h);
      memcpy(element_at(call, SLOPES, &h), &slope, sizeof slope);
    }
  }

  if (what->sinks != SINKS_NONE) {
    operand_make(call, SINKS, dl_dtype(what->sinks == SINKS_F32 ? KVF_F32 : scalar), 1, &q_heads,
                 (int64_t[]){1 + (int64_t)(what->seed % 3)}, 0, 0, what->seed + 10);
    for (int64_t h = 0; h < q_heads; ++h) {
      oracle_make(what->sinks == SINKS_F32 ? KVF_F32 : scalar, 2 - (double)h,
                  element_at(call, SINKS, &h));
    }
  }
  if ((what->out & NO_LSE) == 0) {
    operand_make(call, LSE, dl_dtype(KVF_F32), 2, (int64_t[]){q_heads, tokens},
                 what->seed % 2 ? (int64_t[]){tokens + 3, 1} : (int64_t[]){1, q_heads}, 4, 0,
                 what->seed + 11);
  }
  if (what->splits > 0) {
    make_workspace(call, what);
  }

  /* Pages in random order; what no position needs is out of range, of int64 not in its lower half.
   */
  int64_t *order = malloc((size_t)pages * sizeof *order);
  for (int64_t i = 0; i < pages; ++i) {
    const int64_t j = random_below(&state, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  for (int64_t s = 0, used = 0; s < sequences; ++s) {
    operand_put_index(&call->operands[LENGTHS], s, 0, what->lengths[s]);
    operand_put_index(&call->operands[STARTS], s + 1, 0,
                      operand_get_index(&call->operands[STARTS], s, 0) + queries_of(what, s));
    for (int64_t page = 0; page <= width; ++page) {
      const bool needed = page * what->block_size < what->lengths[s] &&
                          (page + 1) * what->block_size > first_position(what, s);
      operand_put_index(&call->operands[TABLES], s, page,
                        needed     ? order[used++]
                        : page % 2 ? -1 - page
                                   : (what->wide ? INT64_C(1) << 32 : INT32_MAX - 2 * page) + page);
    }
    fill_sequence(call, what, s, &state);
  }
  free(order);
  call->values[SCALE_] =
      (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = 1 / sqrt((double)what->size)};
  const kvf_dtype held = named(what);
  call->values[FORMAT] = (kvf_value){.kind = KVF_KIND_STRING,
                                     .as.string = held == scalar ? "auto" : kvf_dtype_name(held)};
  call->values[CAUSAL_] =
      (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = windows[what->window].causal};
  call->values[LEFT_] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = windows[what->window].left};
  call->values[RIGHT_] =
      (kvf_value){.kind = KVF_KIND_INT, .as.integer = windows[what->window].right};
  call->values[CAP_] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = what->cap};
  call->values[LONGEST_] =
      (kvf_value){.kind = KVF_KIND_INT, .as.integer = what->seed % 3 == 1 ? 0 : longest_of(what)};
  call->values[SWIZZLE_] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = what->swizzle};
}

/* ---- calling it
 * ---------------------------------------------------------------------------------------- */

static const DLTensor *tensor_or_null(const kvf_value *value) {
  return value->kind == KVF_KIND_NONE ? NULL : value->as.tensor;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_paged_attention(
      exec, (DLTensor *)values[OUT].as.tensor, values[QUERY].as.tensor, values[KEYS].as.tensor,
      values[VALUES_].as.tensor, values[STARTS].as.tensor, values[LENGTHS].as.tensor,
      values[TABLES].as.tensor, values[SCALE_].as.number, values[FORMAT].as.string,
      values[KEY_SCALE].as.tensor, values[VALUE_SCALE].as.tensor, values[CAUSAL_].as.boolean,
      values[LEFT_].as.integer, values[RIGHT_].as.integer, values[CAP_].as.number,
      tensor_or_null(&values[SLOPES]), tensor_or_null(&values[SINKS]), values[SWIZZLE_].as.boolean,
      values[LONGEST_].as.integer, (DLTensor *)tensor_or_null(&values[LSE]),
      (DLTensor *)tensor_or_null(&values[WORKSPACE]));
}

static kvf_paged_attention_params params_of(const op_call *call, const decode_case *what) {
  const operand *given = call->operands;
  kvf_paged_attention_params params = {
      .out = operand_view(&given[OUT]),
      .query = operand_view(&given[QUERY]),
      .key_cache = operand_view(&given[KEYS]),
      .value_cache = operand_view(&given[VALUES_]),
      .k_scale = operand_view(&given[KEY_SCALE]),
      .v_scale = operand_view(&given[VALUE_SCALE]),
      .query_start_loc = operand_view(&given[STARTS]),
      .seq_lens = operand_view(&given[LENGTHS]),
      .block_table = operand_view(&given[TABLES]),
      .num_tokens = given[QUERY].view.shape[0],
      .num_seqs = given[LENGTHS].view.shape[0],
      .width = given[TABLES].view.shape[1],
      .index_bytes = given[TABLES].view.dtype.bits / 8,
      .num_blocks = given[KEYS].view.shape[0],
      .block_size = what->block_size,
      .max_query_len = call->values[LONGEST_].as.integer,
      .window_left = windows[what->window].left,
      .window_right = windows[what->window].causal ? 0 : windows[what->window].right,
      .swizzle_v_scales = what->swizzle,
      .num_q_heads = (int32_t)(what->kv_heads * what->group),
      .num_kv_heads = (int32_t)what->kv_heads,
      .head_size = (int32_t)what->size,
      .value_head_size = (int32_t)values_of(what),
      .x = (int32_t)what->size,
      .out_bytes = given[OUT].view.dtype.bits / 8,
      .scale = (float)call->values[SCALE_].as.number,
      .softcap = (float)what->cap,
      .tiles_each = -1,
      .num_tiles = -1,
      .num_units = -1,
      .group = -1,
      .adjusts = -1,
      .combines = -1,
      .whole_keys = -1,
      .whole_values = -1,
  };
  if (what->alibi != ALIBI_NONE) {
    params.alibi_slopes = operand_view(&given[SLOPES]);
  }
  if (what->sinks != SINKS_NONE) {
    params.sinks = operand_view(&given[SINKS]);
    params.sink_bytes = given[SINKS].view.dtype.bits / 8;
  }
  if ((what->out & NO_LSE) == 0) {
    params.lse = operand_view(&given[LSE]);
  }
  if (what->splits > 0) {
    params.workspace = operand_view(&given[WORKSPACE]);
    params.splits = what->splits;
    params.split_tokens = given[WORKSPACE].view.shape[0];
  }
  if (!has_row_scales(what) && (what->scale != SCALE_PER_HEAD || what->kv_heads == 1)) {
    params.k_scale.stride[0] = params.v_scale.stride[0] = 0;
  }
  const kvf_view key = params.key_cache;
  const kvf_view value = params.value_cache;
  if (what->layout >= GROUPED) {
    params.key_cache = (kvf_view){
        key.data, {key.stride[0], key.stride[3], key.stride[1], key.stride[2], key.stride[4]}};
    params.value_cache = (kvf_view){
        value.data, {value.stride[0], value.stride[3], value.stride[1], value.stride[2]}};
    params.x = (int32_t)given[KEYS].view.shape[4];
  } else {
    params.key_cache =
        (kvf_view){key.data, {key.stride[0], key.stride[1], key.stride[2], 0, key.stride[3]}};
  }
  for (int i = 1; has_block_scales(what) && i <= 2; ++i) { /* of codes, which are 8 bytes in 9 */
    params.key_cache.stride[i] = params.key_cache.stride[i] / 9 * 8;
    params.value_cache.stride[i] = params.value_cache.stride[i] / 9 * 8;
  }
  return params;
}

static kvf_status invoke(op_call *call, const decode_case *what) {
  if (what->entry == ENTRY_RAW) {
    const kvf_paged_attention_params params = params_of(call, what);
    return kvf_launch_paged_attention(call->given_exec, what->variant, &params);
  }
  return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
}

/* ---- the slow answer
 * ------------------------------------------------------------------------------------- */

/* Whether a matrix unit of the CPU may do the case, or the same in C. */
static bool may_take_matrix(const decode_case *what) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const char *isa = getenv("KVFORGE_ISA");
  return options.backend == KVF_CPU && (isa == NULL || strcmp(isa, "amx_in_c") == 0) &&
         kvf_scalar_of(what->variant) == KVF_BF16 &&
         (cache == KVF_BF16 || cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2 ||
          cache == KVF_INT8) &&
         what->size % 32 == 0 && what->size <= 128 && values_of(what) == what->size;
}

/* Half a unit in the last place of 1, of a weight; 0: weights lose nothing to speak of. */
static double unit_of_weights(const decode_case *what) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  if (may_take_matrix(what) && what->out % 2 == OUT_OWN) {
    return 0x1p-8;
  }
  /* A call that is to be done by the generic variant may go by such tiles, where heads lie so. */
  const bool may = what->variant->backend == KVF_CUDA && !is_tiled(what) &&
                   what->entry != ENTRY_RAW && rows_taken(what) > 16 &&
                   (what->size == 64 || what->size == 128 || what->size == 256) &&
                   values_of(what) == what->size;
  const bool one = (reads_vectors(what) || may) && !has_row_scales(what);
  return !one ? 0 : cache == KVF_BF16 ? 0x1p-8 : 0x1p-11;
}

/* The keys and values of a sequence, [position, KV head, element], those that its tokens see. */
typedef struct held_values {
  double *sides[2];
} held_values;

static held_values held_by(const op_call *call, const decode_case *what, int64_t s) {
  const int64_t length = operand_get_index(&call->operands[LENGTHS], s, 0);
  held_values held;
  for (int side = 0; side < 2; ++side) {
    const int64_t size = size_of(what, KEYS + side);
    const int64_t each = what->kv_heads * size;
    held.sides[side] = calloc((size_t)((length > 0 ? length : 0) * each + 1), sizeof(double));
    for (int64_t p = first_position(what, s); p < length; ++p) {
      const int64_t block = operand_get_index(&call->operands[TABLES], s, p / what->block_size);
      for (int64_t e = 0; e < each; ++e) {
        held.sides[side][p * each + e] =
            value_of(call, what, KEYS + side, block, p % what->block_size, e / size, e % size);
      }
    }
  }
  return held;
}

/* What a row of the output is, and how far off each element may be; and its lse, the last of each.
 */
static void attend(const op_call *call, const decode_case *what, const held_values *held, int64_t s,
                   int64_t i, int64_t q_head, double *out, double *bound) {
  const int64_t token = operand_get_index(&call->operands[STARTS], s, 0) + i;
  const int64_t length = operand_get_index(&call->operands[LENGTHS], s, 0);
  const int64_t first = from_of(what, s, i);
  const int64_t end = to_of(what, s, i) < length ? to_of(what, s, i) : length;
  const int64_t kv_head = q_head / what->group;
  double *scores = malloc((size_t)(length + 1) * sizeof *scores);
  const int64_t size = values_of(what);
  double *sizes_added = calloc((size_t)size, sizeof *sizes_added); /* |weights * values| */
  double sink = -HUGE_VAL;
  if (what->sinks != SINKS_NONE) {
    sink = oracle_value(what->sinks == SINKS_F32 ? KVF_F32 : kvf_scalar_of(what->variant),
                        element_at(call, SINKS, &q_head));
  }
  const int64_t each = what->kv_heads * what->size;
  const double *keys = held->sides[0] + kv_head * what->size;
  const double *values = held->sides[1] + kv_head * size;
  double *query = malloc((size_t)what->size * sizeof *query);
  for (int64_t e = 0; e < what->size; ++e) {
    query[e] = oracle_value(kvf_scalar_of(what->variant),
                            element_at(call, QUERY, (int64_t[]){token, q_head, e}));
  }
  double largest = sink;
  double size_of_scores = what->sinks == SINKS_NONE ? 0 : fabs(sink);
  double total = 0;
  for (int64_t p = first; p < end; ++p) {
    double sum = 0;
    double magnitude = 0;
    for (int64_t e = 0; e < what->size; ++e) {
      const double term = query[e] * keys[p * each + e];
      sum += term;
      magnitude += fabs(term);
    }
    scores[p] = sum * call->values[SCALE_].as.number;
    magnitude *= call->values[SCALE_].as.number;
    if (what->cap != 0) {
      scores[p] = what->cap * tanh(scores[p] / what->cap);
      magnitude += what->cap;
    }
    if (what->alibi != ALIBI_NONE) {
      const double bias = oracle_value(KVF_F32, element_at(call, SLOPES, &q_head)) *
                          (double)(p - (what->lengths[s] - queries_of(what, s) + i));
      scores[p] += bias;
      magnitude += fabs(bias);
    }
    largest = scores[p] > largest ? scores[p] : largest;
    size_of_scores = magnitude > size_of_scores ? magnitude : size_of_scores;
  }
  memset(out, 0, (size_t)size * sizeof *out);
  for (int64_t e = 0; e < size; ++e) {
    bound[e] = 0; /* the largest value at first */
  }
  for (int64_t p = first; p < end; ++p) {
    const double weight = exp(scores[p] - largest);
    total += weight;
    for (int64_t e = 0; e < size; ++e) {
      const double value = values[p * what->kv_heads * size + e];
      out[e] += weight * value;
      bound[e] = fabs(value) > bound[e] ? fabs(value) : bound[e];
      sizes_added[e] += (weight + 0x1p-14) * fabs(value); /* what is subnormal, too */
    }
  }
  total += what->sinks == SINKS_NONE ? 0 : exp(sink - largest);
  /* An error of a score is an error of its weight; sums of f32 add a little. */
  const double relative = 8 * size_of_scores * (double)FLT_EPSILON + 32 * (double)FLT_EPSILON;
  static const double half_unit[] = {[KVF_F32] = 0x1p-24, [KVF_F16] = 0x1p-11, [KVF_BF16] = 0x1p-8};
  const kvf_dtype stored = what->out % 2 ? KVF_F32 : kvf_scalar_of(what->variant);
  double largest_value = 0;
  for (int64_t e = 0; e < size; ++e) {
    largest_value = bound[e] > largest_value ? bound[e] : largest_value;
  }
  for (int64_t e = 0; e < size; ++e) {
    bound[e] = is_int4(what) ? largest_value : bound[e]; /* a rotation spreads what is off */
    out[e] = total > 0 ? out[e] / total : 0;
    bound[e] = bound[e] * relative + fabs(out[e]) * half_unit[stored] * 1.01 +
               (total > 0 ? sizes_added[e] / total * unit_of_weights(what) * 1.01 : 0) +
               (stored == KVF_F16 ? 0x1p-25 : 0);
  }
  out[size] = total > 0 ? largest + log(total) : -HUGE_VAL;
  bound[size] = relative + (total > 0 ? 4 * fabs(out[size]) * (double)FLT_EPSILON : 0);
  free(query);
  free(sizes_added);
  free(scores);
}

/* Takes what the splits of a row came to into the expected image. */
static void check_splits(const op_call *call, const decode_case *what, const uint8_t *now,
                         int64_t token, int64_t head, int64_t count, const char *name) {
  const buffer *memory = &call->operands[WORKSPACE].memory;
  for (int64_t i = 0; count > 1 && i < count * (values_of(what) + 2); ++i) {
    const int64_t index[] = {token, head, i / (values_of(what) + 2), i % (values_of(what) + 2)};
    uint8_t *to = element_at(call, WORKSPACE, index);
    memcpy(to, now + (to - memory->expected), 4);
    EXPECT(!isnan(oracle_value(KVF_F32, to)),
           "%s: token %lld, head %lld, split %lld, element %lld is %g", name, (long long)token,
           (long long)head, (long long)index[2], (long long)index[3], oracle_value(KVF_F32, to));
  }
}

static uint8_t *contents_of(const op_call *call, int which, bool is) {
  return is ? buffer_contents(&call->operands[which].memory) : NULL;
}

/* Takes a number that is right into the expected image. */
static void check_number(const op_call *call, int which, const int64_t *index, kvf_dtype dtype,
                         const uint8_t *now, double want, double limit, const char *name) {
  uint8_t *expected = element_at(call, which, index);
  const uint8_t *element = now + (expected - call->operands[which].memory.expected);
  const double got = oracle_value(dtype, element);
  if (EXPECT(got == want || fabs(got - want) <= limit,
             "%s: argument %d, [%lld, %lld, %lld] is %.9g, want %.9g within %.3g", name, which,
             (long long)index[0], (long long)index[1], (long long)index[2], got, want, limit)) {
    memcpy(expected, element, (size_t)kvf_dtype_bits(dtype) / 8);
  }
}

/*
 * Checks every element of the results of sequences [first, end), and takes those that are right
 * into the expected images.
 */
static void check_output_of(const op_call *call, const decode_case *what, int64_t first,
                            int64_t end, const char *name) {
  const bool has_lse = (what->out & NO_LSE) == 0;
  uint8_t *now = contents_of(call, OUT, true);
  uint8_t *lse = contents_of(call, LSE, has_lse);
  uint8_t *parts = contents_of(call, WORKSPACE, what->splits > 0);
  double *want = malloc((size_t)(values_of(what) + 1) * sizeof *want);
  double *bound = malloc((size_t)(values_of(what) + 1) * sizeof *bound);
  for (int64_t s = first; s < end; ++s) {
    const int64_t start = operand_get_index(&call->operands[STARTS], s, 0);
    const held_values held = held_by(call, what, s);
    for (int64_t row = 0; row < queries_of(what, s) * what->kv_heads * what->group; ++row) {
      const int64_t i = row / (what->kv_heads * what->group);
      const int64_t h = row % (what->kv_heads * what->group);
      attend(call, what, &held, s, i, h, want, bound);
      for (int64_t e = 0; e < values_of(what); ++e) {
        check_number(call, OUT, (int64_t[]){start + i, h, e},
                     what->out % 2 ? KVF_F32 : kvf_scalar_of(what->variant), now, want[e],
                     what->uniform ? 0 : bound[e], name);
      }
      if (has_lse) {
        check_number(call, LSE, (int64_t[]){h, start + i, 0}, KVF_F32, lse, want[values_of(what)],
                     bound[values_of(what)], name);
      }
      if (what->splits > 0) {
        check_splits(call, what, parts, start + i, h, splits_of(what, s, start, i, h), name);
      }
    }
    free(held.sides[0]);
    free(held.sides[1]);
  }
  free(want);
  free(bound);
  free(parts);
  free(lse);
  free(now);
}

static void check_output(const op_call *call, const decode_case *what, const char *name) {
  check_output_of(call, what, 0, count_of(what->lengths), name);
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant) &&
         (!is_wide(variant) || cuda.arch == 90);
}

/* The nearest case that the variant has: nvfp4 whole groups, and pages without gaps. */
static decode_case fitted(decode_case what) {
  static const int layouts[] = {NHD, HND, PACKED};
  if (is_tiled(&what)) { /* its head size, and heads that lie in whole vectors */
    static const int aligned[] = {NHD, HND, PADDED_ALIGNED, PACKED};
    what.size = what.variant->values[2];
    what.value_size = 0;
    what.layout = aligned[what.layout % 4];
    what.seed += what.seed % 3 == 0;
    what.entry = rows_taken(&what) == what.variant->values[3] ? what.entry : ENTRY_RAW;
  }
  if (has_block_scales(&what)) {
    what.size = (what.size + 15) / 16 * 16;
    what.value_size = (what.value_size + 15) / 16 * 16;
    what.layout = layouts[what.layout % (what.value_size > 0 ? 2 : 3)];
    what.block_size += is_tiled(&what) ? what.block_size % 2 : 0; /* pages of whole vectors */
    what.swizzle = what.seed % 2 && values_of(&what) % 64 == 0 && what.block_size % 4 == 0;
  }
  if (is_int4(&what) || is_ggml(&what)) { /* pairs or blocks, which lie one behind another */
    static const int dense[] = {NHD, HND, PADDED, PADDED_ALIGNED, PACKED};
    what.size += is_int4(&what) ? what.size % 2 : (32 - what.size % 32) % 32;
    what.value_size += is_int4(&what) ? what.value_size % 2 : (32 - what.value_size % 32) % 32;
    what.layout = dense[what.layout % 5];
  }
  return what;
}

static void run(const decode_case *wished) {
  const decode_case fit = fitted(*wished);
  const decode_case *what = &fit;
  char name[280];
  (void)snprintf(
      name, sizeof name,
      "%s, %lld sequences, %lld x %lld heads of %lld and %lld, pages of %lld, window %d, %lld "
      "splits, "
      "layout %d, alibi %d, scale %d, query %d, pattern %d, cap %g, sinks %d, out %d, seed %llu",
      what->variant->symbol, (long long)count_of(what->lengths), (long long)what->kv_heads,
      (long long)what->group, (long long)what->size, (long long)values_of(what),
      (long long)what->block_size, what->window, (long long)what->splits, what->layout, what->alibi,
      what->scale, what->query, what->pattern, what->cap, what->sinks, what->out,
      (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  if (expect_done(options.backend, invoke(&call, what), before, 0, name)) {
    check_output(&call, what, name);
    (void)op_call_verify(&call, name);
  }
  op_call_free(&call);
  count_case(what->variant);
}

/* ---- cases
 * -----------------------------------------------------------------------------------------------
 */

/* Emulated kernels take their time: variants of the same code share cases, unless all are wanted.
 */
static bool shares_cases(void) { return cuda.last_fault != NULL && !options.exhaustive; }

/*
 * Whether variant v takes case i: all do, but where they share, one of so many, of the tensor
 * cores' by their number among those of as many rows, of the generic ones by their scalar dtype.
 */
static bool takes(int32_t v, int i, int tiled, int generic) {
  const kvf_variant *variant = &OP->variants[v];
  if (!wanted(variant) || !shares_cases()) {
    return wanted(variant);
  }
  int number = 0;
  for (int32_t other = 0; other < v; ++other) {
    number += OP->variants[other].values[3] == variant->values[3];
  }
  return is_tiled(&(decode_case){.variant = variant})
             ? i % tiled == number % tiled
             : i % generic == (int)kvf_scalar_of(variant) % generic;
}

/* Of a case of the variant `context`. */
static double work(const covering_row *row, const void *context) {
  const decode_case what = fitted((decode_case){.variant = context,
                                                .block_size = 8,
                                                .lengths = lengths[row->value[LENGTH_AXIS]],
                                                .pattern = row->value[QUERIES_AXIS],
                                                .size = sizes[row->value[SIZE_AXIS]]});
  double positions = 1;
  for (int64_t s = 0; what.lengths[s] >= 0; ++s) {
    positions += (double)what.lengths[s] * (double)(1 + queries_of(&what, s));
  }
  return positions * (double)(heads[row->value[HEADS_AXIS]].kv_heads *
                              heads[row->value[HEADS_AXIS]].group * what.size);
}

/* Where cases share, variants whose cases are alike have one plan: those of a cache dtype or a head
 * size. */
enum { MOST_PLANS = KVF_DTYPE_COUNT + 576 / 64 + 1 };

static int plan_of(const kvf_variant *variant) {
  const kvf_dtype cache = kvf_cache_of(variant);
  return is_tiled(&(decode_case){.variant = variant})
             ? KVF_DTYPE_COUNT + (int)variant->values[2] / 64
         : cache == kvf_scalar_of(variant) ? KVF_F32
                                           : (int)cache;
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  covering plan = {
      .num_axes = AXES_OF_OP,
      .sizes = {TEST_COUNT(heads), TEST_COUNT(sizes), TEST_COUNT(blocks), CACHE_LAYOUTS,
                TEST_COUNT(lengths), TEST_COUNT(windows), ALIBI_KINDS, SCALE_CHOICES, QUERY_LAYOUTS,
                ENTRIES, 2, TEST_COUNT(splits), 2, PATTERNS, TEST_COUNT(caps), SINKS_KINDS,
                OUT_KINDS},
      .cost = work,
      .limit = options.exhaustive ? 1e9
               : shares_cases()   ? 6e3
                                  : 20e3,
  };
  covering_row *plans[MOST_PLANS] = {NULL};
  int counts[MOST_PLANS];
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (!wanted(&OP->variants[v])) {
      continue;
    }
    const int which = plan_of(&OP->variants[v]);
    if (!shares_cases()) {
      free(plans[which]);
      plans[which] = NULL;
    }
    plan.context = &OP->variants[v];
    if (plans[which] == NULL) {
      plans[which] = covering_make(&plan, options.seed + (uint64_t)v, &counts[which]);
    }
    for (int i = 0; i < counts[which]; ++i) {
      const int *value = plans[which][i].value;
      if (!takes(v, i, 24, 3)) {
        continue;
      }
      run(&(decode_case){.variant = &OP->variants[v],
                         .kv_heads = heads[value[HEADS_AXIS]].kv_heads,
                         .group = heads[value[HEADS_AXIS]].group,
                         .size = sizes[value[SIZE_AXIS]],
                         .block_size = blocks[value[BLOCK]],
                         .window = value[WINDOW_AXIS],
                         .pattern = value[QUERIES_AXIS],
                         .cap = caps[value[CAP_AXIS]],
                         .sinks = value[SINKS_AXIS],
                         .out = value[OUT_AXIS],
                         .lengths = lengths[value[LENGTH_AXIS]],
                         .layout = value[LAYOUT_AXIS],
                         .alibi = value[ALIBI_AXIS],
                         .scale = value[SCALE_AXIS],
                         .query = value[QUERY_AXIS],
                         .entry = value[ENTRY_AXIS],
                         .with_exec = value[EXEC_AXIS],
                         .splits = splits[value[SPLITS_AXIS]],
                         .wide = value[TABLE_AXIS],
                         .seed = options.seed * 1000 + (uint64_t)i});
    }
  }
  for (int i = 0; i < MOST_PLANS; ++i) {
    free(plans[i]);
  }
}

/* One position: the output is its value, decoded and rounded, bit for bit. */
static void test_one_position(void) {
  static const int64_t ones[] = {1, 1, 1, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int layout = 0; layout < CACHE_LAYOUTS; ++layout) {
      if (!takes(v, layout, CACHE_LAYOUTS, 1)) {
        continue;
      }
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .kv_heads = 2,
                                                    .group = 3,
                                                    .size = 72,
                                                    .block_size = 8,
                                                    .lengths = ones,
                                                    .layout = layout,
                                                    .splits = layout % 3,
                                                    .scale = SCALE_PER_HEAD,
                                                    .out = NO_LSE,
                                                    .seed = options.seed + (uint64_t)layout});
      const kvf_dtype scalar = kvf_scalar_of(what.variant);
      op_call call;
      build(&call, &what);
      op_call_upload(&call);
      for (int64_t i = 0; i < 3 * 6 * what.size; ++i) {
        const int64_t index[] = {i / what.size / 6, i / what.size % 6, i % what.size};
        const int64_t block = operand_get_index(&call.operands[TABLES], index[0], 0);
        const int64_t kv_head = index[1] / what.group;
        const float value = (float)value_of(&call, &what, VALUES_, block, 0, kv_head, index[2]);
        uint8_t *to = element_at(&call, OUT, index);
        /* oracle_make() rounds towards zero; the nearer of two neighbours is the rounded one. */
        uint8_t near[4] = {0};
        uint8_t next[4] = {0};
        oracle_make(scalar, (double)value, near);
        memcpy(next, near, 4);
        uint32_t bits;
        memcpy(&bits, next, 4);
        ++bits;
        memcpy(next, &bits, 4);
        const double below = fabs((double)value) - fabs(oracle_value(scalar, near));
        const double above = fabs(oracle_value(scalar, next)) - fabs((double)value);
        const bool up = below > 0 && (above < below || (above == below && near[0] % 2 != 0));
        memcpy(to, up ? next : near, (size_t)kvf_dtype_bits(scalar) / 8);
        if (value == 0) { /* of either sign */
          memset(to, 0, (size_t)kvf_dtype_bits(scalar) / 8);
        }
      }
      (void)expect_done(options.backend, invoke(&call, &what), faults_before(options.backend), 0,
                        "one position");
      (void)op_call_verify(&call, "one position");
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/*
 * Values whose heads have another size than keys': every layout and format, both the shorter and
 * the longer, split and whole, those of MLA before its latent rows (192 and 128) among them, and
 * the sizes of latent rows. Tiles and matrix units do not take them.
 */
static void test_values_of_another_size(void) {
  static const int64_t pairs[][2] = {{192, 128}, {128, 192}, {64, 128}, {576, 512},
                                     {7, 100},   {100, 7},   {128, 64}, {16, 576}};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (is_tiled(&(decode_case){.variant = &OP->variants[v]})) {
      continue;
    }
    for (int i = 0; i < 3 * CACHE_LAYOUTS; ++i) {
      if (!takes(v, i, 1, 3)) {
        continue;
      }
      const int pair = (i + 3 * (int)v) % (int)TEST_COUNT(pairs);
      const uint64_t seed = options.seed * 1000 + (uint64_t)(i + 7 * v);
      run(&(decode_case){.variant = &OP->variants[v],
                         .kv_heads = 1 + i % 2,
                         .group = 1 + i % 4,
                         .size = pairs[pair][0],
                         .value_size = pairs[pair][1],
                         .block_size = 8,
                         .window = i % (int)TEST_COUNT(windows),
                         .pattern = i % PATTERNS,
                         .lengths = lengths[2 + (i + v) % 3],
                         .layout = i % CACHE_LAYOUTS,
                         .alibi = i % ALIBI_KINDS,
                         .scale = i % SCALE_CHOICES,
                         .query = i / 2 % QUERY_LAYOUTS,
                         .entry = i % ENTRIES,
                         .splits = i % 3,
                         .sinks = i % SINKS_KINDS,
                         .out = i % OUT_KINDS,
                         .seed = seed});
    }
  }
}

/* Keys of 0 and small integers: every weight is 1, and averages of 2^n positions are exact. */
static void test_averages(void) {
  static const int64_t powers[] = {4, 64, 1024, 256, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int layout = 0; layout < CACHE_LAYOUTS; layout += 3) {
      if (!takes(v, layout / 3, 4, 1)) {
        continue;
      }
      run(&(decode_case){.variant = &OP->variants[v],
                         .kv_heads = 1,
                         .group = 2,
                         .size = 24,
                         .block_size = 16,
                         .lengths = powers,
                         .layout = layout,
                         .uniform = true,
                         .window = kvf_scalar_of(&OP->variants[v]) == KVF_F32
                                       ? 0
                                       : 2, /* averages that 16 bits hold */
                         .splits = layout,
                         .scale = SCALE_RANK_0,
                         .seed = options.seed + (uint64_t)layout});
    }
  }
}

/* Several threads, and many tiles. */
static void test_large(void) {
  static const int64_t long_ones[] = {3000, 1111, 0, 2500, 700, -1};
  static const int64_t short_ones[] = {700, 0, 300, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int layout = NHD; layout <= GROUPED; layout += GROUPED) {
      const bool taken = options.backend == KVF_CUDA || covering_takes(v, layout / GROUPED, 2);
      if (!taken || !takes(v, layout, 2 * GROUPED, 2 * GROUPED)) {
        continue;
      }
      run(&(decode_case){.variant = &OP->variants[v],
                         .kv_heads = 2,
                         .group = 4,
                         .size = 128,
                         .block_size = 16,
                         .layout = layout,
                         .splits = layout == NHD ? 5 : 0,
                         .scale = SCALE_TENTH,
                         .lengths = options.backend == KVF_CPU ? long_ones : short_ones,
                         .seed = options.seed + 5});
    }
  }
}

/*
 * Sequences of many splits, few and one beside each other: of windows that begin anywhere, with
 * groups of several units, in every kind of layout. Fewer splits than there is room for, too.
 */
static void test_splits(void) {
  static const int64_t mixed[] = {700, 0, 129, 128, 1, -1};
  static const int layouts[] = {NHD, GROUPED, HND, GROUPED_PADDED, STRIDED};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (size_t i = 0; i < TEST_COUNT(layouts); ++i) {
      if (!takes(v, (int)i, 2 * TEST_COUNT(layouts), 3)) {
        continue;
      }
      run(&(decode_case){.variant = &OP->variants[v],
                         .kv_heads = 1 + (int64_t)i % 2,
                         .group = i % 2 ? 2 : 10,
                         .size = 16,
                         .block_size = 8,
                         .window = (int)i * 2,
                         .pattern = (int)i % PATTERNS,
                         .splits = (int64_t[]){2, 7, 3, 40, 1}[i],
                         .lengths = mixed,
                         .layout = layouts[i],
                         .alibi = (int)i % ALIBI_KINDS,
                         .scale = SCALE_PER_HEAD,
                         .entry = (int)i % ENTRIES,
                         .seed = options.seed + i});
    }
    /* Of more rows than KVF_FEW_ADDED_ROWS. */
    if (takes(v, TEST_COUNT(layouts), 2 * TEST_COUNT(layouts), 3)) {
      run(&(decode_case){.variant = &OP->variants[v],
                         .kv_heads = 5,
                         .group = 8,
                         .size = 16,
                         .block_size = 8,
                         .pattern = DECODE,
                         .splits = 3,
                         .lengths = mixed,
                         .scale = SCALE_PER_HEAD});
    }
  }
}

/* Scores so large that weights underflow, and so far apart that the base moves from tile to tile.
 */
static void test_extreme_scores(void) {
  static const int64_t some[] = {400, 150, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int i = 0; i < 4; ++i) {
      if (!takes(v, i, 4, 2)) {
        continue;
      }
      const int sign = i % 2 ? 1 : -1;
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .splits = i / 2 * 3,
                                                    .kv_heads = 1,
                                                    .group = 2,
                                                    .size = 64,
                                                    .block_size = 16,
                                                    .lengths = some,
                                                    .alibi = ALIBI_DENSE,
                                                    .scale = SCALE_ONE,
                                                    .seed = options.seed + 6});
      op_call call;
      build(&call, &what);
      for (int64_t h = 0; h < 2; ++h) {
        const float slope = (float)sign * (h ? 50.0f : 0.9f);
        memcpy(element_at(&call, SLOPES, &h), &slope, sizeof slope);
      }
      op_call_upload(&call);
      (void)expect_done(options.backend, invoke(&call, &what), faults_before(options.backend), 0,
                        "extreme scores");
      check_output(&call, &what, "extreme scores");
      (void)op_call_verify(&call, "extreme scores");
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* ---- what results do not depend on, and how far off they are
 * ------------------------------------------------------------ */

/* Whether a row of out of two calls is the same, bit for bit. */
static void expect_same_row(const op_call *call, const decode_case *what, const uint8_t *one,
                            const uint8_t *other, int64_t token, const char *name) {
  const kvf_dtype stored = what->out % 2 ? KVF_F32 : kvf_scalar_of(what->variant);
  for (int64_t h = 0; h < what->kv_heads * what->group; ++h) {
    for (int64_t e = 0; e < what->size; ++e) {
      const int64_t index[] = {token, h, e};
      const int64_t at = element_at(call, OUT, index) - call->operands[OUT].memory.expected;
      EXPECT(memcmp(one + at, other + at, (size_t)kvf_dtype_bits(stored) / 8) == 0,
             "%s, %s: token %lld, head %lld, element %lld is %.9g, and %.9g in the batch", name,
             what->variant->symbol, (long long)token, (long long)h, (long long)e,
             oracle_value(stored, other + at), oracle_value(stored, one + at));
    }
  }
}

/* The call again, for tokens [first, end) of one sequence alone; the contents of out, to be freed.
 */
static uint8_t *alone(const op_call *call, int64_t s, int64_t first, int64_t end) {
  kvf_value values[MAX_OPERANDS];
  memcpy(values, call->values, sizeof values);
  DLTensor table = *call->values[TABLES].as.tensor;
  DLTensor length = *call->values[LENGTHS].as.tensor;
  int64_t one = 1;
  int64_t table_shape[] = {1, table.shape[1]};
  table.byte_offset += (uint64_t)(s * table.strides[0] * table.dtype.bits / 8);
  table.shape = table_shape;
  length.byte_offset += (uint64_t)(s * length.strides[0] * 4);
  length.shape = &one;
  values[TABLES].as.tensor = &table;
  values[LENGTHS].as.tensor = &length;
  op_call starts = {.op = OP, .exec = call->exec};
  operand_make(&starts, 0, (DLDataType){kDLInt, 32, 1}, 1, (int64_t[]){2}, (int64_t[]){1}, 0, 0, 1);
  operand_put_index(&starts.operands[0], 0, 0, first);
  operand_put_index(&starts.operands[0], 1, 0, end);
  op_call_upload(&starts);
  values[STARTS].as.tensor = tensor_dl(&starts.operands[0].view);
  buffer_upload(&call->operands[OUT].memory);
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, typed(&call->exec, values), before, 0, "one sequence");
  op_call_free(&starts);
  return buffer_contents(&call->operands[OUT].memory);
}

/*
 * A sequence has the same bits alone and in a batch, on any number of threads: with no workspace,
 * or with one of as many splits that has room for all tokens. On the CPU and not split so has a
 * token alone, which is at the end of a sequence; by a matrix unit if it is told to.
 */
static void test_same_bits(void) {
  static const int64_t some[] = {170, 1, 333, 260, -1};
  static const int windows_tried[] = {0, 3, 7, 0};
  if (!need_backend()) {
    return;
  }
  const bool split = options.backend == KVF_CUDA;       /* by the caller alone */
  const int32_t step = cuda.last_fault != NULL ? 8 : 1; /* emulated: some variants are enough */
  for (int32_t v = 0; v < OP->num_variants; v += step) {
    for (int i = split ? 1 : 0; wanted(&OP->variants[v]) && i < (split ? 2 : 4); ++i) {
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .kv_heads = 2,
                                                    .group = 3,
                                                    .size = (int64_t[]){64, 40, 160, 64}[i],
                                                    .block_size = 16,
                                                    .lengths = some,
                                                    .window = windows_tried[i],
                                                    .pattern = i == 0 ? DECODE : MIXED,
                                                    .splits = i == 1 ? 3 : 0,
                                                    .layout = i == 2 ? GROUPED : NHD,
                                                    .scale = SCALE_TENTH,
                                                    .out = i % 2,
                                                    .seed = 4 * options.seed + (uint64_t)i});
      if (i == 3) {
        (void)setenv("KVFORGE_BATCH_INVARIANT", "1", 1);
      }
      op_call call;
      build(&call, &what);
      op_call_upload(&call);
      call.given_exec = &call.exec;
      call.exec.num_threads = 4;
      const uint64_t before = faults_before(options.backend);
      (void)expect_done(options.backend, op_call_invoke(&call, typed), before, 0, "a batch");
      uint8_t *batch = buffer_contents(&call.operands[OUT].memory);
      call.exec.num_threads = 1;
      for (int64_t s = 0; s < count_of(some); ++s) {
        const int64_t first = operand_get_index(&call.operands[STARTS], s, 0);
        const int64_t end = first + queries_of(&what, s);
        uint8_t *single = alone(&call, s, first, end);
        for (int64_t token = first; token < end; ++token) {
          expect_same_row(&call, &what, batch, single, token, "a sequence alone");
        }
        free(single);
        if (options.backend == KVF_CPU && what.splits == 0 && end > first) {
          single = alone(&call, s, end - 1, end);
          expect_same_row(&call, &what, batch, single, end - 1, "a token alone");
          free(single);
        }
      }
      free(batch);
      op_call_free(&call);
      count_case(what.variant);
      (void)unsetenv("KVFORGE_BATCH_INVARIANT");
    }
  }
}

/*
 * Sequences of few tokens next to longer ones go by tiles of few rows, in a launch of their own:
 * they have the bits of these, whose weights lose nothing. Without a workspace they are split, too.
 */
static void test_few(void) {
  static const int64_t some[] = {40, 170, 333, 50, -1};
  if (!need_backend() || options.backend != KVF_CUDA) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    decode_case what = {.variant = &OP->variants[v],
                        .kv_heads = 2,
                        .group = 3,
                        .size = OP->variants[v].values[2],
                        .block_size = 16,
                        .lengths = some,
                        .pattern = MIXED,
                        .splits = 3,
                        .layout = NHD,
                        .scale = SCALE_TENTH,
                        .entry = ENTRY_TYPED,
                        .seed = 8}; /* of which 0, 21, 1 and 50 tokens */
    const kvf_variant *few =
        kvf_select(OP, KVF_CUDA, what.variant->values[0], what.variant->values[1], what.size, 8,
                   what.variant->values[4]);
    const bool same = kvf_cache_of(what.variant) == kvf_scalar_of(what.variant);
    if (!wanted(what.variant) || !reads_vectors(&what) || few == NULL || few->values[3] != 8 ||
        (shares_cases() && !same)) {
      continue;
    }
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    const uint64_t before = faults_before(options.backend);
    (void)expect_done(options.backend, op_call_invoke(&call, typed), before, 0, "a batch");
    uint8_t *batch = buffer_contents(&call.operands[OUT].memory);
    const kvf_paged_attention_params params = params_of(&call, &what);
    (void)expect_done(options.backend, kvf_launch_paged_attention(&call.exec, few, &params), before,
                      0, "tiles of few rows");
    uint8_t *single = buffer_contents(&call.operands[OUT].memory);
    for (int64_t s = 0; s < count_of(some); ++s) {
      const int64_t token = operand_get_index(&call.operands[STARTS], s, 0);
      if (queries_of(&what, s) == 1) {
        expect_same_row(&call, &what, batch, single, token, "few tokens");
      }
    }
    free(single);
    free(batch);
    op_call_free(&call);
    what.splits = 0;
    run(&what);
  }
}

/* On compute capability 9.0, and on no other, a prompt goes by products of four warps: a call has
 * the bits of a launch of that variant, and not of the one for any device. */
static void test_wide(void) {
  static const int64_t some[] = {40, 70, -1};
  if (!need_backend() || options.backend != KVF_CUDA) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const kvf_variant *wide = &OP->variants[v];
    if (!wanted(wide) || !is_wide(wide)) {
      continue;
    }
    const int64_t *values = wide->values;
    const kvf_variant *other =
        kvf_select(OP, KVF_CUDA, values[0], values[1], values[2], values[3], 100);
    CU_ASSERT(kvf_select(OP, KVF_CUDA, values[0], values[1], values[2], values[3], 90) == wide);
    CU_ASSERT(other == NULL || !is_wide(other));
    const decode_case what = {.variant = wide,
                              .kv_heads = 2,
                              .group = 4,
                              .size = values[2],
                              .block_size = 16,
                              .lengths = some,
                              .pattern = PREFILL,
                              .splits = 1,
                              .layout = NHD,
                              .scale = SCALE_TENTH,
                              .entry = ENTRY_TYPED,
                              .seed = 8};
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    const uint64_t before = faults_before(options.backend);
    (void)expect_done(options.backend, op_call_invoke(&call, typed), before, 0, "a call");
    uint8_t *chosen = buffer_contents(&call.operands[OUT].memory);
    const kvf_paged_attention_params params = params_of(&call, &what);
    (void)expect_done(options.backend, kvf_launch_paged_attention(&call.exec, wide, &params),
                      before, 0, "products of four warps");
    uint8_t *launched = buffer_contents(&call.operands[OUT].memory);
    for (int64_t token = 0; token < tokens_of(&what); ++token) {
      expect_same_row(&call, &what, chosen, launched, token, "products of four warps");
    }
    free(launched);
    free(chosen);
    op_call_free(&call);
  }
}

/* A pool whose threads are the caller. */
static void leave_to_caller(void *context, int32_t threads, void (*done)(void *), void *job) {
  (void)context;
  (void)threads;
  (void)done;
  (void)job;
}

/*
 * A long sequence is split where threads would be idle: results are as near, and have other bits.
 * Not so where they are to be the same in any batch.
 */
static void test_idle_threads(void) {
  static const int64_t long_one[] = {3000, -1};
  static const kvf_pool pool = {.run = leave_to_caller, .num_threads = 6};
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                  .kv_heads = 1,
                                                  .group = 2,
                                                  .size = 64,
                                                  .block_size = 16,
                                                  .lengths = long_one,
                                                  .window = 5,
                                                  .scale = SCALE_TENTH,
                                                  .out = OUT_F32,
                                                  .seed = 8});
    if (!wanted(what.variant)) {
      continue;
    }
    uint8_t *results[3];
    op_call call;
    build(&call, &what);
    op_call_upload(&call);
    const size_t bytes = call.operands[OUT].memory.size;
    for (int i = 0; i < 3; ++i) { /* one thread in any batch; six; six in any batch */
      if (i != 1) {
        (void)setenv("KVFORGE_BATCH_INVARIANT", "1", 1);
      }
      kvf_set_pool(i == 0 ? NULL : &pool);
      call.exec.num_threads = i == 0;
      call.given_exec = &call.exec;
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OK);
      results[i] = buffer_contents(&call.operands[OUT].memory);
      kvf_set_pool(NULL);
      if (i == 1) {
        check_output(&call, &what, "split for idle threads");
      }
      (void)unsetenv("KVFORGE_BATCH_INVARIANT");
    }
    EXPECT(memcmp(results[0], results[1], bytes) != 0, "%s: not split", what.variant->symbol);
    EXPECT(memcmp(results[0], results[2], bytes) == 0, "%s: split", what.variant->symbol);
    for (int i = 0; i < 3; ++i) {
      free(results[i]);
    }
    op_call_free(&call);
    count_case(what.variant);
  }
}

/*
 * Equal weights over very many positions of 0.1, or near it: the error of sums does not grow with
 * their length. A page is attended to again and again.
 */
static void test_long_sums(void) {
  static const int64_t page[] = {64, -1};
  static const int64_t counts[] = {131072, 1048576, 10485760};
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const kvf_dtype cache = kvf_cache_of(&OP->variants[v]);
    for (int i = 0; wanted(&OP->variants[v]) && i < (cache == KVF_F32 ? 3 : 2); ++i) {
      const bool many = cache != KVF_F32 && i == 1; /* for a matrix unit */
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .kv_heads = 1,
                                                    .group = many ? 16 : 1,
                                                    .size = many ? 32 : 16,
                                                    .block_size = 64,
                                                    .lengths = page,
                                                    .window = 0,
                                                    .pattern = DECODE,
                                                    .scale = SCALE_RANK_0,
                                                    .uniform = true,
                                                    .out = OUT_F32,
                                                    .seed = 8});
      if (many && !may_take_matrix(&what)) {
        continue;
      }
      op_call call;
      build(&call, &what);
      const int64_t block = operand_get_index(&call.operands[TABLES], 0, 0);
      double want[576] = {0};
      double largest = 0;
      for (int64_t at = 0; at < 64 * what.size; ++at) {
        put_value(&call, &what, VALUES_, block, at / what.size, 0, at % what.size, 0.1);
      }
      for (int64_t at = 0; at < 64 * what.size; ++at) {
        const double value =
            value_of(&call, &what, VALUES_, block, at / what.size, 0, at % what.size);
        want[at % what.size] += value / 64;
        largest = fabs(value) > largest ? fabs(value) : largest;
      }
      op_call_upload(&call);
      (void)op_call_invoke(&call, typed); /* fills the values */
      int64_t shape[] = {1, counts[i] / 64};
      int64_t strides[] = {0, 0}; /* one page for all positions */
      int32_t length = (int32_t)counts[i];
      DLTensor table = *call.values[TABLES].as.tensor;
      DLTensor lengths_now = *call.values[LENGTHS].as.tensor;
      table.shape = shape;
      table.strides = strides;
      lengths_now.data = &length;
      lengths_now.byte_offset = 0;
      call.values[TABLES].as.tensor = &table;
      call.values[LENGTHS].as.tensor = &lengths_now;
      const kvf_exec exec = {.backend = KVF_CPU, .num_threads = 1}; /* no splits */
      EXPECT_STATUS(typed(&exec, call.values), KVF_OK);
      uint8_t *now = buffer_contents(&call.operands[OUT].memory);
      for (int64_t e = 0; e < what.size; ++e) {
        uint8_t *expected = element_at(&call, OUT, (int64_t[]){0, 0, e});
        const double got =
            oracle_value(KVF_F32, now + (expected - call.operands[OUT].memory.expected));
        EXPECT(fabs(got - want[e]) <= 1e-6 * largest,
               "%s, %lld positions: element %lld is %.9g, want %.9g", what.variant->symbol,
               (long long)counts[i], (long long)e, got, want[e]);
      }
      free(now);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

#if !defined(__SANITIZE_ADDRESS__)
static bool has_no_memory;

/* In place of libc's, for the library, too. */
void *aligned_alloc(size_t alignment, size_t size) {
  void *memory = NULL;
  return has_no_memory || posix_memalign(&memory, alignment, size) != 0 ? NULL : memory;
}

/* A call with so many threads; returns out. */
static uint8_t *with_threads(op_call *call, const decode_case *what, int32_t threads) {
  call->exec.num_threads = threads;
  EXPECT_STATUS(op_call_invoke(call, typed), KVF_OK);
  check_output_of(call, what, 0, count_of(what->lengths), what->variant->symbol);
  return buffer_contents(&call->operands[OUT].memory);
}

/*
 * By the matrix unit, units have as many rows as leave some for each thread, which changes no bit;
 * where its memory cannot be had they go by vectors.
 */
static void test_units(void) {
  static const int64_t some[] = {40, 170, 333, -1};
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int i = 0; i < 4; ++i) {
      const decode_case what = {.variant = &OP->variants[v],
                                .kv_heads = 2,
                                .group = i % 2 ? 3 : 4,
                                .size = 32 * (i + 1),
                                .block_size = 16,
                                .lengths = some,
                                .window = i / 2 * 7,
                                .pattern = PREFILL,
                                .layout = NHD,
                                .scale = SCALE_TENTH,
                                .cap = i == 3 ? 50 : 0,
                                .out = i % 2,
                                .entry = ENTRY_TYPED,
                                .seed = 9};
      if (!wanted(what.variant) || !may_take_matrix(&what)) {
        continue;
      }
      op_call call;
      build(&call, &what);
      op_call_upload(&call);
      call.given_exec = &call.exec;
      uint8_t *large = with_threads(&call, &what, 1);
      uint8_t *small = with_threads(&call, &what, 64);
      EXPECT(memcmp(large, small, (size_t)call.operands[OUT].memory.size) == 0,
             "%s: units of few rows have other bits", what.variant->symbol);
      has_no_memory = true;
      free(with_threads(&call, &what, 1));
      has_no_memory = false;
      free(small);
      free(large);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}
#endif

/* One value of 2^24 and more among 32,767 of 1: what comes after it is lost where it is added to
 * the same f32. It is the last before sums are put aside. */
static void test_far_larger(void) {
  static const int64_t all[] = {32768, -1};
  static const struct {
    int64_t size, group;
    int64_t axis, tile; /* of the variant */
    double large;
  } rows[] = {
      {16, 1, KVF_OTHER, KVF_OTHER, 0x1p24}, {64, 1, 64, 8, 0x1p28}, {64, 16, 64, 16, 0x1p28}};
  if (!need_backend() || options.backend != KVF_CUDA) {
    return;
  }
  for (size_t r = 0; r < TEST_COUNT(rows); ++r) {
    const kvf_variant *variant = NULL;
    for (int32_t v = 0; v < OP->num_variants; ++v) {
      const int64_t *values = OP->variants[v].values;
      if (values[0] == KVF_BF16 && values[1] == KVF_BF16 && values[2] == rows[r].axis &&
          values[3] == rows[r].tile && wanted(&OP->variants[v])) {
        variant = &OP->variants[v];
      }
    }
    if (variant == NULL) {
      skip_part("no bf16 variant of %d rows is built", (int)rows[r].tile);
      continue;
    }
    const decode_case what = {.variant = variant,
                              .kv_heads = 1,
                              .group = rows[r].group,
                              .size = rows[r].size,
                              .block_size = 64,
                              .lengths = all,
                              .window = 0,
                              .pattern = DECODE,
                              .splits = 1,
                              .scale = SCALE_RANK_0,
                              .uniform = true,
                              .out = OUT_F32,
                              .seed = 8};
    op_call call;
    build(&call, &what);
    for (int64_t at = 0; at < all[0]; ++at) {
      const int64_t block = operand_get_index(&call.operands[TABLES], 0, at / 64);
      for (int64_t e = 0; e < what.size; ++e) {
        put_value(&call, &what, VALUES_, block, at % 64, 0, e, at == 16383 ? rows[r].large : 1.0);
      }
    }
    op_call_upload(&call);
    EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OK);
    const double want = (rows[r].large + 32767) / 32768;
    uint8_t *now = buffer_contents(&call.operands[OUT].memory);
    for (int64_t i = 0; i < what.group * what.size; ++i) {
      uint8_t *expected = element_at(&call, OUT, (int64_t[]){0, i / what.size, i % what.size});
      const double got =
          oracle_value(KVF_F32, now + (expected - call.operands[OUT].memory.expected));
      EXPECT(fabs(got - want) <= 1.5e-6 * want, "%s: element %lld is %.9g, want %.9g",
             variant->symbol, (long long)i, got, want);
    }
    free(now);
    op_call_free(&call);
    count_case(variant);
  }
}

/* ---- stacks
 * ------------------------------------------------------------------------------------------------
 */

typedef struct stack_call {
  op_call *call;
  kvf_status status;
} stack_call;

static void call_on_stack(void *argument) {
  stack_call *what = argument;
  what->status = typed(&what->call->exec, what->call->values);
}

/* Suite stacks has every op; here are all layouts, head sizes and what bends scores. */
static void test_small_stack(void) {
  static const int64_t some[] = {100, 65, -1};
  const char *isa = getenv("KVFORGE_ISA");
  const bool in_c = isa != NULL && strcmp(isa, "amx_in_c") == 0; /* tiles are on the stack, too */
  const int64_t limit = (in_c ? 40 : 32) * 1024;
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int i = 0; wanted(&OP->variants[v]) && i < 6; ++i) {
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .kv_heads = 2,
                                                    .group = 8,
                                                    .size = (int64_t[]){128, 576, 100}[i % 3],
                                                    .block_size = 16,
                                                    .layout = i < 3 ? NHD : GROUPED,
                                                    .lengths = some,
                                                    .pattern = i % 2 ? PREFILL : DECODE,
                                                    .splits = i % 2 ? 0 : 2,
                                                    .cap = i % 2 ? 50 : 0,
                                                    .alibi = ALIBI_DENSE,
                                                    .sinks = SINKS_OWN,
                                                    .scale = SCALE_TENTH,
                                                    .seed = 8});
      op_call call;
      build(&call, &what);
      op_call_upload(&call);
      call.exec.num_threads = 2;
      call.given_exec = &call.exec;
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OK);
      stack_call on = {.call = &call};
      const int64_t used = stack_used(call_on_stack, &on);
      EXPECT_STATUS(on.status, KVF_OK);
      EXPECT(used <= limit, "%s, size %lld: %lld bytes of stack, want %lld or less",
             what.variant->symbol, (long long)what.size, (long long)used, (long long)limit);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* ---- what a writer wrote can be read
 * ------------------------------------------------------------------------ */

/* The op that writes a layout and format. */
static const kvf_op *writer_of(const decode_case *what) {
  return is_ggml(what)             ? &kvf_op_reshape_and_cache_flash_ggml
         : has_row_scales(what)    ? &kvf_op_reshape_and_cache_flash_per_token_head
         : has_block_scales(what)  ? &kvf_op_reshape_and_cache_flash_nvfp4
         : what->layout >= GROUPED ? &kvf_op_reshape_and_cache
                                   : &kvf_op_reshape_and_cache_flash;
}

static kvf_status write_cache(op_call *call, const decode_case *what, op_call *sources) {
  const char *format = call->values[FORMAT].as.string;
  const DLTensor *key = tensor_dl(&sources->operands[0].view);
  const DLTensor *value = tensor_dl(&sources->operands[1].view);
  const DLTensor *slots = tensor_dl(&sources->operands[2].view);
  DLTensor *keys = tensor_dl(&call->operands[KEYS].view);
  DLTensor *values = tensor_dl(&call->operands[VALUES_].view);
  DLTensor *k_scale = tensor_dl(&call->operands[KEY_SCALE].view);
  DLTensor *v_scale = tensor_dl(&call->operands[VALUE_SCALE].view);
  if (is_ggml(what)) {
    return kvf_reshape_and_cache_flash_ggml(NULL, key, value, keys, values, slots, format, NULL);
  }
  if (has_row_scales(what)) {
    return kvf_reshape_and_cache_flash_per_token_head(NULL, key, value, keys, values, k_scale,
                                                      v_scale, slots, format, NULL);
  }
  if (has_block_scales(what) && !what->swizzle) {
    return kvf_reshape_and_cache_flash_nvfp4(NULL, key, value, keys, values, slots, format, k_scale,
                                             v_scale, false, NULL, NULL, NULL);
  }
  if (what->layout >= GROUPED) {
    return kvf_reshape_and_cache(NULL, key, value, keys, values, slots, format, k_scale, v_scale,
                                 false, NULL);
  }
  /* Knows nvfp4 by upstream's name, with scales for sm_100. */
  return kvf_reshape_and_cache_flash(NULL, key, value, keys, values, slots, format, k_scale,
                                     v_scale, NULL);
}

/* One unit in the last place of what the cache holds for an element, its scales included. */
static double unit_of(const op_call *call, const decode_case *what, int which, int64_t block,
                      int64_t offset, int64_t head, int64_t element) {
  double scale = scale_of(call, what, which == KEYS ? KEY_SCALE : VALUE_SCALE, block, offset, head);
  if (is_ggml(what)) { /* of q4_0 it has a sign, and it was rounded after the codes were made */
    scale = 1.01 *
            fabs(ggml_scale(kvf_cache_of(what->variant),
                            element_at(call, which, (int64_t[]){block, offset, head, 0}), element));
  }
  if (has_block_scales(what)) {
    uint8_t *code;
    scale *= oracle_fp8_value(
        KVF_FP8_E4M3, *block_scale_of(call, what, which, block, offset, head, element, &code));
  }
  return oracle_unit(kvf_cache_of(what->variant),
                     value_of(call, what, which, block, offset, head, element), scale);
}

/*
 * Round trip: the op that writes the layout fills the caches, and what they hold then is within one
 * unit in the last place of the source; and what is read is attention over what they hold.
 */
static void run_written(const decode_case *what) {
  const kvf_op *writer = writer_of(what);
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const kvf_dtype written = named(what);
  if (kvf_select(writer, options.backend, scalar, written) == NULL) {
    skip_part("the writer of %s/%s is not built", kvf_dtype_name(scalar), kvf_dtype_name(written));
    return;
  }
  op_call call;
  op_call sources = {.op = writer, .exec = {.backend = options.backend}};
  build(&call, what);
  int64_t tokens = 0;
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    tokens += what->lengths[s];
  }
  const int64_t shape[3] = {tokens, what->kv_heads, what->size};
  const int64_t stride[3] = {what->kv_heads * what->size, what->size, 1};
  for (int side = 0; side < 2; ++side) {
    operand_make(&sources, side, dl_dtype(scalar), 3, shape, stride, 0, 0, 1);
  }
  operand_make(&sources, 2, (DLDataType){kDLInt, 64, 1}, 1, &tokens, (int64_t[]){1}, 0, 0, 2);
  uint64_t state = what->seed;
  int64_t token = 0;
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    for (int64_t p = 0; p < what->lengths[s]; ++p, ++token) {
      const int64_t block = operand_get_index(&call.operands[TABLES], s, p / what->block_size);
      operand_put_index(&sources.operands[2], token, 0,
                        block * what->block_size + p % what->block_size);
      for (int64_t e = 0; e < what->kv_heads * what->size; ++e) {
        for (int side = 0; side < 2; ++side) {
          oracle_make(
              scalar, random_normal(&state),
              operand_at(&sources.operands[side], token, e / what->size, e % what->size, 0));
        }
      }
    }
  }
  op_call_upload(&sources);
  op_call_upload(&call);
  for (int side = 0; side < 2; ++side) { /* wiped, so that the writer has to do it */
    for (int which = KEYS + side; which <= KEY_SCALE + side; which += KEY_SCALE - KEYS) {
      buffer blank = call.operands[which].memory;
      if ((which >= KEY_SCALE && !has_row_scales(what)) || blank.size == 0) {
        continue;
      }
      blank.expected = malloc(blank.size);
      memset(blank.expected, 0xFF, blank.size);
      buffer_upload(&blank);
      free(blank.expected);
    }
  }
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, write_cache(&call, what, &sources), before, 0, "writing");
  for (int which = KEYS; which <= VALUE_SCALE;
       ++which) { /* its bytes are right: its suite says so */
    buffer_take(&call.operands[which].memory);
  }
  last_head.codes = NULL;
  for (int64_t t = 0; t < tokens; ++t) {
    const int64_t slot = operand_get_index(&sources.operands[2], t, 0);
    const int64_t block = slot / what->block_size;
    const int64_t offset = slot % what->block_size;
    for (int64_t e = 0; e < what->kv_heads * what->size; ++e) {
      for (int side = 0; side < 2; ++side) {
        const int64_t head = e / what->size;
        const double source =
            oracle_value(scalar, operand_at(&sources.operands[side], t, head, e % what->size, 0));
        const double held = value_of(&call, what, KEYS + side, block, offset, head, e % what->size);
        const double unit = unit_of(&call, what, KEYS + side, block, offset, head, e % what->size);
        (void)EXPECT(fabs(held - source) <= unit * 1.000001,
                     "%s: token %lld, element %lld of %s is %.9g in the cache, %.9g before, a unit "
                     "in the last place being %.3g",
                     what->variant->symbol, (long long)t, (long long)e, side ? "value" : "key",
                     held, source, unit);
      }
    }
  }
  (void)expect_done(options.backend, invoke(&call, what), before, 0, "what a writer wrote");
  check_output(&call, what, "what a writer wrote");
  (void)op_call_verify(&call, "what a writer wrote");
  op_call_free(&call);
  op_call_free(&sources);
  count_case(what->variant);
}

static void test_written(void) {
  static const int64_t some[] = {37, 90, 5, -1};
  /* As many as nvfp4 has forms: of two names, each swizzled or not, one form for each seed. */
  static const int layouts[] = {NHD, HND, PACKED, GROUPED};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (size_t i = 0; i < TEST_COUNT(layouts); ++i) {
      if (!takes(v, (int)i, TEST_COUNT(layouts), 1)) {
        continue;
      }
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .kv_heads = 2,
                                                    .group = 2,
                                                    .size = 64,
                                                    .block_size = 16,
                                                    .lengths = some,
                                                    .layout = layouts[i],
                                                    .scale = SCALE_TENTH,
                                                    .seed = options.seed + 7 + (uint64_t)i});
      if (!has_row_scales(&what) || what.layout < GROUPED) {
        run_written(&what);
      }
    }
  }
}

/* ---- indices
 * -----------------------------------------------------------------------------------------------
 */

static void test_out_of_range(void) {
  static const int64_t some[] = {280, 270, 9, -1};
  enum { PAGE = 24, BAD = 10 }; /* in which a split ends, at 256 */
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int i = 0; i < 4; ++i) {
      if (!takes(v, i, 8, 4)) {
        continue;
      }
      decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                              .kv_heads = 2,
                                              .group = 3,
                                              .size = 64,
                                              .block_size = PAGE,
                                              .splits = i / 2 * 2,
                                              .lengths = some,
                                              .layout = i % 2 ? GROUPED : NHD,
                                              .wide = i % 2,
                                              .seed = 10});
      op_call call;
      build(&call, &what);
      const int64_t pages = call.operands[KEYS].view.shape[0];
      /* The last two pages of the second sequence. */
      operand_put_index(&call.operands[TABLES], 1, BAD, what.wide ? INT64_C(1) << 32 : pages);
      operand_put_index(&call.operands[TABLES], 1, BAD + 1, -1);
      op_call_upload(&call);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = invoke(&call, &what);
      if (options.backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "block_table: element [1, 10] is");
      } else {
        /* What is left is a shorter sequence, without a bias. */
        (void)expect_done(options.backend, status, before, 2, what.variant->symbol);
        operand_put_index(&call.operands[LENGTHS], 1, 0, BAD * PAGE);
        check_output(&call, &what, "a page out of range");
        operand_put_index(&call.operands[LENGTHS], 1, 0, 270);
      }
      (void)op_call_verify(&call, "a page out of range");
      op_call_free(&call);

      /* The first length is negative, the third longer than the table. */
      build(&call, &what);
      operand_put_index(&call.operands[LENGTHS], 0, 0, -40);
      operand_put_index(&call.operands[LENGTHS], 2, 0, INT32_MAX);
      for (int64_t page = 1; page < call.operands[TABLES].view.shape[1]; ++page) {
        operand_put_index(&call.operands[TABLES], 2, page, -1);
      }
      op_call_upload(&call);
      const uint64_t again = faults_before(options.backend);
      const kvf_status wrong = invoke(&call, &what);
      if (options.backend == KVF_CPU) {
        EXPECT_STATUS(wrong, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "seq_lens: element 0 is -40, want 0 or more");
        (void)op_call_verify(&call, "lengths out of range");
        operand_put_index(&call.operands[LENGTHS], 0, 0, 0);
        op_call_upload(&call);
        EXPECT_STATUS(invoke(&call, &what), KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "seq_lens: element 2 is 2147483647, want at most");
        (void)op_call_verify(&call, "lengths out of range");
        /* The first that needs a page more than the table has; the last that does not. */
        const int64_t width = call.operands[TABLES].view.shape[1];
        operand_put_index(&call.operands[LENGTHS], 2, 0, width * PAGE + 1);
        op_call_upload(&call);
        EXPECT_STATUS(invoke(&call, &what), KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "seq_lens: element 2 is ");
        (void)op_call_verify(&call, "a page more than the table has");
        operand_put_index(&call.operands[LENGTHS], 2, 0, width * PAGE);
        op_call_upload(&call);
        EXPECT_STATUS(invoke(&call, &what), KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "block_table: element [2, 1] is -1");
        (void)op_call_verify(&call, "as many pages as the table has");
      } else {
        /* Two lengths, and the pages of the third that are none. The window is what is there. */
        const uint64_t missing = (uint64_t)call.operands[TABLES].view.shape[1] - 1;
        (void)expect_done(options.backend, wrong, again, 2 + missing, what.variant->symbol);
      }
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/*
 * Tokens of sequences that descend, leave query, or are more than was promised. Without a promise a
 * tile finds its sequence by the others' numbers too, so that more than one may be left out.
 */
static void test_starts_out_of_range(void) {
  static const int64_t some[] = {140, 50, 9, -1};
  static const struct {
    int64_t at, start, right, end; /* sequences [right, end) are as they should be */
    uint64_t faults;
    bool promised; /* wrong because of max_query_len alone */
    const char *sentence;
  } wrongs[] = {
      {0, -1, 1, 3, 1, false, "query_start_loc: element 0 is -1, want 0 or more"},
      {1, 99, 2, 3, 2, false, "query_start_loc: element 1 is 99, want 0 (the one before) to 4"},
      {1, -5, 2, 3, 2, false, "query_start_loc: element 1 is -5, want 0 (the one before) to 4"},
      {1, INT32_MIN, 2, 3, 2, false, "query_start_loc: element 1 is -2147483648, want 0"},
      {3, INT32_MAX, 0, 2, 1, false, "query_start_loc: element 3 is 2147483647, want 2"},
      {2, 3, 0, 1, 1, true, "query_start_loc: element 2 is 3, which is 2 tokens after the one"}};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (size_t i = 0; i < 2 * TEST_COUNT(wrongs); ++i) {
      if (!takes(v, (int)i, 2 * TEST_COUNT(wrongs), 3)) {
        continue;
      }
      const decode_case what = fitted((decode_case){.variant = &OP->variants[v],
                                                    .kv_heads = 2,
                                                    .group = 3,
                                                    .size = 64,
                                                    .block_size = 16,
                                                    .lengths = some,
                                                    .splits = 2,
                                                    .seed = 11 - i % 2}); /* 10: no promise */
      if (wrongs[i / 2].promised && i % 2) {
        continue;
      }
      op_call call;
      build(&call, &what);
      call.values[LONGEST_].as.integer = i % 2 ? 0 : 1;
      operand_put_index(&call.operands[STARTS], wrongs[i / 2].at, 0, wrongs[i / 2].start);
      op_call_upload(&call);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (options.backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), wrongs[i / 2].sentence);
      } else {
        (void)expect_done(options.backend, status, before, wrongs[i / 2].faults,
                          wrongs[i / 2].sentence);
        if (i % 2) {
          buffer_take(&call.operands[OUT].memory);
          buffer_take(&call.operands[LSE].memory);
          buffer_take(&call.operands[WORKSPACE].memory);
        } else {
          check_output_of(&call, &what, wrongs[i / 2].right, wrongs[i / 2].end,
                          wrongs[i / 2].sentence);
        }
      }
      (void)op_call_verify(&call, wrongs[i / 2].sentence);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* Pages and query rows that lie beyond 2^31 elements. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { FAR_SIZE = 32, FAR_BLOCK = 4, FAR_WIDTH = 64, FAR_LENGTH = FAR_WIDTH * FAR_BLOCK };
  const int64_t far = (INT64_C(1) << 31) + 64;
  const kvf_variant *variant =
      kvf_select(OP, options.backend, KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER, KVF_OTHER);
  if (variant == NULL) {
    skip_test("no bf16 variant is built");
    return;
  }
  const int64_t row = 2 * FAR_SIZE;
  const struct {
    int which, rank;
    int64_t shape[4], stride[4];
  } tensors[] = {
      {OUT, 3, {2, 2, FAR_SIZE}, {far, FAR_SIZE, 1}},
      {QUERY, 3, {2, 2, FAR_SIZE}, {FAR_SIZE, far, 1}},
      {KEYS, 4, {2, FAR_BLOCK, 2, FAR_SIZE}, {far, row, FAR_SIZE, 1}},
      {VALUES_, 4, {2, FAR_BLOCK, 2, FAR_SIZE}, {FAR_BLOCK * FAR_SIZE, FAR_SIZE, far, 1}},
      {TABLES, 2, {2, FAR_WIDTH}, {FAR_WIDTH, 1}},
      {LENGTHS, 1, {2}, {1}},
      {KEY_SCALE, 1, {1}, {1}},
      {VALUE_SCALE, 1, {1}, {1}},
      {WORKSPACE, 4, {2, 2, 2, FAR_SIZE + 2}, {64, 128, far, 1}},
      {STARTS, 1, {3}, {1}},
      {LSE, 2, {2, 2}, {far, 1}},
  };
  op_call call = {.op = OP, .exec = {.backend = options.backend}};
  region memory[TEST_COUNT(tensors)] = {{.size = 0}};
  buffer place[TEST_COUNT(tensors)];
  bool made = true;
  for (size_t i = 0; i < TEST_COUNT(tensors); ++i) {
    const int which = tensors[i].which;
    const DLDataType dtype = which <= VALUES_  ? dl_dtype(KVF_BF16)
                             : which <= TABLES ? (DLDataType){kDLInt, 32, 1}
                                               : dl_dtype(KVF_F32);
    const bool is_far = which <= VALUES_ || which == WORKSPACE || which == LSE;
    made = made && region_make(&memory[i], options.backend,
                               is_far ? (size_t)(far + 4096) * dtype.bits / 8 : 1024);
    place[i] = (buffer){.backend = options.backend, .place = memory[i].place};
    tensor *view = &call.operands[which].view;
    *view = (tensor){.memory = &place[i], .dtype = dtype, .rank = tensors[i].rank};
    memcpy(view->shape, tensors[i].shape, sizeof tensors[i].shape);
    memcpy(view->stride, tensors[i].stride, sizeof tensors[i].stride);
  }
  call.values[SCALE_] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = 0.25};
  call.values[FORMAT] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = "auto"};
  call.values[LEFT_] = call.values[RIGHT_] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = -1};
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    /* Keys are 0, so that outputs are averages: of 1 to 8 in one sequence, which has two splits, of
     * 1 to 4 in the other. */
    int32_t table[2 * FAR_WIDTH] = {0};
    for (int i = 0; i < FAR_WIDTH; ++i) {
      table[i] = i % 2;
    }
    const int32_t length[] = {FAR_LENGTH, FAR_BLOCK};
    region_put(&memory[4], 0, table, sizeof table);
    region_put(&memory[5], 0, length, sizeof length);
    region_put(&memory[9], 0, (const int32_t[]){0, 1, 2}, 3 * sizeof(int32_t));
    for (int p = 0; p < 2 * FAR_BLOCK; ++p) {
      for (int i = 0; i < 2 * FAR_SIZE; ++i) {
        uint8_t bits[4];
        oracle_make(KVF_BF16, (p + 1) * (i < FAR_SIZE ? 1 : -2), bits);
        region_put(&memory[3], 2 * (p * FAR_SIZE + i / FAR_SIZE * far + i % FAR_SIZE), bits, 2);
      }
    }
    (void)expect_done(options.backend, op_call_invoke(&call, typed), faults_before(options.backend),
                      0, "far pages");
    for (int i = 0; i < 4 * FAR_SIZE; ++i) {
      uint8_t got[4];
      const int head = i / FAR_SIZE % 2;
      const int sequence = i / FAR_SIZE / 2;
      const double want = (sequence ? 2.5 : 4.5) * (head ? -2 : 1);
      region_get(&memory[0], 2 * (sequence * far + head * FAR_SIZE + i % FAR_SIZE), got, 2);
      EXPECT(oracle_value(KVF_BF16, got) == want, "far output %d is %g, want %g", i,
             oracle_value(KVF_BF16, got), want);
    }
    for (int i = 0; i < 4; ++i) {
      float got;
      region_get(&memory[10], 4 * (i / 2 * far + i % 2), &got, 4);
      const double want = log(length[i % 2]);
      EXPECT(fabs((double)got - want) < 1e-5, "far lse %d is %g, want %g", i, (double)got, want);
    }
    count_case(variant);
  }
  for (size_t i = 0; i < TEST_COUNT(tensors); ++i) {
    region_free(&memory[i]);
  }
}

/* ---- bad arguments
 * ------------------------------------------------------------------------------------------ */

#define VALUE_ERROR KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no out", ON_BOTH, "out", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "out", "NULL", "want a tensor"},
  {"no query", ON_BOTH, "query", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "query", "NULL", "want a tensor"},
  {"no key_cache", ON_BOTH, "key_cache", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "key_cache", "NULL", "want a tensor"},
  {"no value_cache", ON_BOTH, "value_cache", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "value_cache", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "block_table", "NULL", "want a tensor"},
  {"no query_start_loc", ON_BOTH, "query_start_loc", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "query_start_loc", "NULL", "want a tensor"},
  {"no seq_lens", ON_BOTH, "seq_lens", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "seq_lens", "NULL", "want a tensor"},
  {"no k_scale", ON_BOTH, "k_scale", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "k_scale", "NULL", "want a tensor"},
  {"no v_scale", ON_BOTH, "v_scale", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "v_scale", "NULL", "want a tensor"},
  {"no format", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "kv_cache_dtype", "NULL", "want one of"},
  {"query of rank 2", ON_BOTH, "query", SPOIL_RANK, 0, 2, NULL, VALUE_ERROR, "query", "rank is 2", "want 3"},
  {"out of rank 4", ON_BOTH, "out", SPOIL_RANK, 0, 4, NULL, VALUE_ERROR, "out", "rank is 4", "want 3"},
  {"key_cache of rank 3", ON_BOTH, "key_cache", SPOIL_RANK, 0, 3, NULL, VALUE_ERROR, "key_cache", "rank is 3", "want 4"},
  {"value_cache of rank 5", ON_BOTH, "value_cache", SPOIL_RANK, 0, 5, NULL, VALUE_ERROR, "value_cache", "rank is 5", "want 4"},
  {"block_table of rank 1", ON_BOTH, "block_table", SPOIL_RANK, 0, 1, NULL, VALUE_ERROR, "block_table", "rank is 1", "want 2"},
  {"seq_lens of rank 2", ON_BOTH, "seq_lens", SPOIL_RANK, 0, 2, NULL, VALUE_ERROR, "seq_lens", "rank is 2", "want 1"},
  {"query_start_loc of rank 2", ON_BOTH, "query_start_loc", SPOIL_RANK, 0, 2, NULL, VALUE_ERROR, "query_start_loc", "rank is 2", "want 1"},
  {"fewer tokens in out", ON_BOTH, "out", SPOIL_SIZE, 0, 1, NULL, VALUE_ERROR, "out", "(num_tokens) is 1", "want 2 as in query"},
  {"other heads in out", ON_BOTH, "out", SPOIL_SIZE, 1, 5, NULL, VALUE_ERROR, "out", "(num_q_heads) is 5", "want 6 as in query"},
  {"other heads in query", ON_BOTH, "query", SPOIL_SIZE, 1, 4, NULL, VALUE_ERROR, "out", "(num_q_heads) is 6", "want 4"},
  {"other size in key_cache", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 16, NULL, VALUE_ERROR, "key_cache", "(head_size) is 16", "want 24 as in query"},
  {"other size in value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 3, 16, NULL, VALUE_ERROR, "value_cache", "(value_head_size) is 16", "want 24 as in out"},
  {"other size in out", ON_BOTH, "out", SPOIL_SIZE, 2, 16, NULL, VALUE_ERROR, "value_cache", "(value_head_size) is 24", "want 16 as in out"},
  {"other heads in value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 2, 1, NULL, VALUE_ERROR, "value_cache", "(num_kv_heads) is 1", "want 2 as in key_cache"},
  {"other pages in value_cache", ON_BOTH, "value_cache", SPOIL_SIZE, 0, 3, NULL, VALUE_ERROR, "value_cache", "(num_blocks) is 3", "as in key_cache"},
  {"fewer tables", ON_BOTH, "block_table", SPOIL_SIZE, 0, 1, NULL, VALUE_ERROR, "block_table", "(num_seqs) is 1", "want 2 as in seq_lens"},
  {"more lengths", ON_BOTH, "seq_lens", SPOIL_SIZE, 0, 3, NULL, VALUE_ERROR, "query_start_loc", "(num_seqs + 1) is 3", "want 4"},
  {"starts without an end", ON_BOTH, "query_start_loc", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "query_start_loc", "(num_seqs + 1) is 2", "want 3"},
  {"fewer sinks", ON_BOTH, "sinks", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "sinks", "(num_q_heads) is 2", "want 6 as in query"},
  {"sinks of rank 2", ON_BOTH, "sinks", SPOIL_RANK, 0, 2, NULL, VALUE_ERROR, "sinks", "rank is 2", "want 1"},
  {"sinks are int32", ON_BOTH, "sinks", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "sinks", "dtype is int32", "want "},
  {"lse of other heads", ON_BOTH, "lse", SPOIL_SIZE, 0, 5, NULL, VALUE_ERROR, "lse", "(num_q_heads) is 5", "want 6 as in query"},
  {"lse of fewer tokens", ON_BOTH, "lse", SPOIL_SIZE, 1, 1, NULL, VALUE_ERROR, "lse", "(num_tokens) is 1", "want 2 as in query"},
  {"lse of rank 3", ON_BOTH, "lse", SPOIL_RANK, 0, 3, NULL, VALUE_ERROR, "lse", "rank is 3", "want 2"},
  {"lse is float16", ON_BOTH, "lse", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "lse", "dtype is float16", "want float32"},
  {"overlapping lse", ON_BOTH, "lse", SPOIL_STRIDE, 0, 0, NULL, VALUE_ERROR, "lse", "stride of dimension 0 (num_q_heads) is 0", "do not overlap"},
  {"query_start_loc is int64", ON_BOTH, "query_start_loc", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "query_start_loc", "dtype is int64", "want int32"},
  {"three k_scales", ON_BOTH, "k_scale", SPOIL_SIZE, 0, 3, NULL, VALUE_ERROR, "k_scale", "has 3 elements", "want 1 or 2"},
  {"fewer slopes", ON_BOTH, "alibi_slopes", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "alibi_slopes", "(num_q_heads) is 2", "want 6 as in query"},
  {"slopes of rank 0", ON_BOTH, "alibi_slopes", SPOIL_RANK, 0, 0, NULL, VALUE_ERROR, "alibi_slopes", "rank is 0", "want 1"},
  {"overlapping out", ON_BOTH, "out", SPOIL_STRIDE, 1, 0, NULL, VALUE_ERROR, "out", "stride of dimension 1 (num_q_heads) is 0", "do not overlap"},
  {"query is int32", ON_BOTH, "query", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "query", "dtype is int32", "want float32, float16, bfloat16"},
  {"out is float64", ON_BOTH, "out", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "out", "dtype is float64", "want "},
  {"key_cache is int16", ON_BOTH, "key_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "key_cache", "dtype is int16", "want "},
  {"block_table is uint32", ON_BOTH, "block_table", SPOIL_DTYPE, kDLUInt, 32, NULL, TYPE, "block_table", "dtype is uint32", "want int32, int64"},
  {"seq_lens is int64", ON_BOTH, "seq_lens", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "seq_lens", "dtype is int64", "want int32"},
  {"v_scale is float16", ON_BOTH, "v_scale", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "v_scale", "dtype is float16", "want float32"},
  {"slopes are float16", ON_BOTH, "alibi_slopes", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "alibi_slopes", "dtype is float16", "want float32"},
  {"unknown format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp6", VALUE_ERROR, "kv_cache_dtype", "got 'fp6'", "want one of"},
  {"seq_lens on CUDA", ON_CPU, "seq_lens", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "seq_lens", "on CUDA device 0", "want the CPU"},
  {"block_table on the CPU", ON_CUDA, "block_table", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "block_table", "on the CPU", "want CUDA device 0"},
  {"workspace of rank 3", ON_BOTH, "workspace", SPOIL_RANK, 0, 3, NULL, VALUE_ERROR, "workspace", "rank is 3", "want 4"},
  {"workspace of other heads", ON_BOTH, "workspace", SPOIL_SIZE, 1, 2, NULL, VALUE_ERROR, "workspace", "(num_q_heads) is 2", "want 6 as in query"},
  {"workspace of no splits", ON_BOTH, "workspace", SPOIL_SIZE, 2, 0, NULL, VALUE_ERROR, "workspace", "(splits) is 0", "want 1 or more"},
  {"workspace of short rows", ON_BOTH, "workspace", SPOIL_SIZE, 3, 24, NULL, VALUE_ERROR, "workspace", "(value_head_size + 2) is 24", "want 26"},
  {"overlapping workspace", ON_BOTH, "workspace", SPOIL_STRIDE, 2, 0, NULL, VALUE_ERROR, "workspace", "stride of dimension 2 (splits) is 0", "do not overlap"},
  {"workspace is float16", ON_BOTH, "workspace", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "workspace", "dtype is float16", "want float32"},
  {"workspace on CUDA", ON_CPU, "workspace", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "workspace", "on CUDA device 0", "want the CPU"},
  {"workspace on the CPU", ON_CUDA, "workspace", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "workspace", "on the CPU", "want CUDA device 0"},
  {"no address of workspace", ON_BOTH, "workspace", SPOIL_DATA, 0, 0, NULL, VALUE_ERROR, "workspace", "data is NULL", "want an address"},
  {"no address", ON_BOTH, "value_cache", SPOIL_DATA, 0, 0, NULL, VALUE_ERROR, "value_cache", "data is NULL", "want an address"},
  {"page out of range", ON_CPU, "block_table", SPOIL_INDEX, 1, 99, NULL, KVF_OUT_OF_RANGE, "block_table", "element [1, 0] is 99", "want 0 to"},
  {"negative length", ON_CPU, "seq_lens", SPOIL_INDEX, 1, -1, NULL, KVF_OUT_OF_RANGE, "seq_lens", "element 1 is -1", "want 0 or more"},
  {"long sequence", ON_CPU, "seq_lens", SPOIL_INDEX, 0, 1000, NULL, KVF_OUT_OF_RANGE, "seq_lens", "element 0 is 1000", "want at most"},
};

static const bad_argument bad_grouped[] = {
  {"other groups", ON_BOTH, "key_cache", SPOIL_SIZE, 2, 99, NULL, VALUE_ERROR, "key_cache", "dimension 2 is 99", "(head_size 24 / x"},
  {"x of 0", ON_BOTH, "key_cache", SPOIL_SIZE, 4, 0, NULL, VALUE_ERROR, "key_cache", "x (dimension 4) is 0", "want 1 or more"},
  {"other tokens", ON_BOTH, "value_cache", SPOIL_SIZE, 3, 4, NULL, VALUE_ERROR, "value_cache", "(block_size) is 4", "want 8 as in key_cache"},
  {"other size", ON_BOTH, "value_cache", SPOIL_SIZE, 2, 16, NULL, VALUE_ERROR, "value_cache", "(value_head_size) is 16", "want 24 as in out"},
};
/* clang-format on */

/* clang-format off */
static const bad_argument bad_nvfp4[] = {
  {"pages of 5 dimensions", ON_BOTH, "key_cache", SPOIL_RANK, 0, 5, NULL, VALUE_ERROR, "key_cache", "rank is 5", "want 4"},
  {"pages of other bytes", ON_BOTH, "key_cache", SPOIL_SIZE, 3, 32, NULL, VALUE_ERROR, "key_cache", "(head_size / 2 + head_size / 16) is 32", "want 36"},
  {"pages with gaps", ON_BOTH, "value_cache", SPOIL_STRIDE, 1, 1000, NULL, VALUE_ERROR, "value_cache", "strides of dimensions 1 to 3", "without gaps"},
};

static const bad_argument bad_row_scales[] = {
  {"one k_scale", ON_BOTH, "k_scale", SPOIL_RANK, 0, 1, NULL, VALUE_ERROR, "k_scale", "rank is 1", "want 3"},
  {"scales of other pages", ON_BOTH, "v_scale", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "v_scale", "(num_blocks) is 2", "as in key_cache"},
  {"scales of f16", ON_BOTH, "v_scale", SPOIL_DTYPE, kDLFloat, 16, NULL, TYPE, "v_scale", "dtype is float16", "want float32"},
};
/* clang-format on */

static const kvf_variant *variant_with(kvf_dtype cache) {
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (wanted(&OP->variants[v]) && kvf_cache_of(&OP->variants[v]) == cache) {
      return &OP->variants[v];
    }
  }
  skip_part("no variant of cache dtype %s is built", kvf_dtype_name(cache));
  return NULL;
}

/* One whose pages hold an element in each place and no scales: what the calls below are made for.
 */
static const kvf_variant *plain_variant(void) {
  static const kvf_dtype plain[] = {KVF_F32,      KVF_F16,      KVF_BF16,
                                    KVF_FP8_E4M3, KVF_FP8_E5M2, KVF_INT8};
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (size_t i = 0; i < TEST_COUNT(plain); ++i) {
      if (wanted(&OP->variants[v]) && kvf_cache_of(&OP->variants[v]) == plain[i]) {
        return &OP->variants[v];
      }
    }
  }
  skip_test("no variant of %s with plain pages is built", OP->name);
  return NULL;
}

static const int64_t two[] = {20, 3, -1};

static decode_case small_case(void) {
  return (decode_case){.variant = plain_variant(),
                       .kv_heads = 2,
                       .group = 3,
                       .size = 24,
                       .block_size = 8,
                       .lengths = two,
                       .alibi = ALIBI_DENSE,
                       .sinks = SINKS_F32,
                       .scale = SCALE_PER_HEAD,
                       .splits = 2,
                       .seed = 8};
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  decode_case small = small_case();
  if (small.variant == NULL) {
    return;
  }
  op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
  small.layout = GROUPED;
  op_call_test_bad(build, &small, typed, bad_grouped, TEST_COUNT(bad_grouped));
  op_call_test_overlap(build, &small, typed, "out", "query");
  op_call_test_overlap(build, &small, typed, "out", "key_cache");
  op_call_test_overlap(build, &small, typed, "out", "value_cache");
  op_call_test_overlap(build, &small, typed, "workspace", "query");
  op_call_test_overlap(build, &small, typed, "workspace", "key_cache");
  op_call_test_overlap(build, &small, typed, "workspace", "value_cache");
  op_call_test_overlap(build, &small, typed, "workspace", "out");
  op_call_test_overlap(build, &small, typed, "workspace", "lse");
  op_call_test_overlap(build, &small, typed, "lse", "out");
  op_call_test_overlap(build, &small, typed, "lse", "query");
  op_call_test_overlap(build, &small, typed, "lse", "value_cache");
  static const double caps_refused[] = {NAN, INFINITY, -INFINITY, -1, -1e-50, 1e-50, 1e300};
  for (size_t i = 0; i < 2 * TEST_COUNT(caps_refused); ++i) {
    op_call call;
    build(&call, &small);
    call.values[CAP_].as.number = caps_refused[i / 2];
    op_call_upload(&call);
    EXPECT_STATUS(op_call_invoke(&call, i % 2 ? typed : NULL), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), "paged_attention: softcap: got ");
    EXPECT_TEXT(kvf_last_error(), "want 0 or a number from 2^-126 to the largest float32");
    (void)op_call_verify(&call, "softcap");
    op_call_free(&call);
    count_case(NULL);
  }
  op_call_test_factor(build, &small, typed, "scale", true);
  for (int side = 0; side < 2; ++side) {
    decode_case scaled = small_case();
    const char *name = side == 0 ? "k_scale" : "v_scale";
    static const kvf_dtype caches[] = {KVF_F32, KVF_BF16, KVF_FP8_E4M3, KVF_INT8, KVF_NVFP4};
    for (size_t i = 0; i < TEST_COUNT(caches); ++i) {
      scaled.variant = variant_with(caches[i]);
      scaled.size = caches[i] == KVF_NVFP4 ? 64 : 24;
      if (scaled.variant != NULL) {
        op_call_test_scales(build, &scaled, typed, name,
                            kvf_scalar_of(scaled.variant) != kvf_cache_of(scaled.variant));
      }
    }
  }

  decode_case format = {
      .kv_heads = 2, .group = 3, .size = 64, .block_size = 8, .lengths = two, .seed = 8};
  format.variant = variant_with(KVF_NVFP4);
  if (format.variant != NULL) {
    op_call_test_bad(build, &format, typed, bad_nvfp4, TEST_COUNT(bad_nvfp4));
    /* Sizes that cannot be swizzled. */
    op_call call;
    format.size = 48;
    build(&call, &format);
    call.values[SWIZZLE_].as.boolean = true;
    op_call_upload(&call);
    EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), "head_size is 48, want a multiple of 64");
    (void)op_call_verify(&call, "sizes that cannot be swizzled");
    op_call_free(&call);
    count_case(NULL);
    format.size = 64;
  }
  format.variant = variant_with(KVF_INT8_PER_TOKEN_HEAD);
  if (format.variant != NULL) {
    op_call_test_bad(build, &format, typed, bad_row_scales, TEST_COUNT(bad_row_scales));
  }

  /* Sizes that no single argument is to blame for. */
  static const int64_t shapes[][4] = {{6, 4, 24}, {4, 4, 577}, {4, 4, 24, 577}, {4, 0, 24}};
  static const char *const sentences[] = {"num_q_heads: got 6, want a multiple of 4 (num_kv_heads)",
                                          "head_size: got 577, want 576 or less",
                                          "value_head_size: got 577, want 576 or less",
                                          "num_q_heads: got 4, want a multiple of 0"};
  for (size_t i = 0; i < TEST_COUNT(shapes); ++i) {
    const decode_case odd = {.variant = small.variant,
                             .kv_heads = shapes[i][1],
                             .group = 1,
                             .size = shapes[i][2],
                             .value_size = shapes[i][3],
                             .block_size = 8,
                             .lengths = two,
                             .seed = 8};
    op_call call;
    build(&call, &odd);
    call.operands[OUT].view.shape[1] = call.operands[QUERY].view.shape[1] = shapes[i][0];
    op_call_upload(&call);
    EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), sentences[i]);
    (void)op_call_verify(&call, sentences[i]);
    op_call_free(&call);
    count_case(NULL);
  }
}

static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  const decode_case small = small_case();
  if (small.variant == NULL) {
    return;
  }
  op_call call;
  build(&call, &small);
  op_call_upload(&call);
  struct {
    kvf_paged_attention_params params;
    const char *sentence;
  } rows[25];
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    rows[i].params = params_of(&call, &small);
  }
  rows[0].params.out.data = NULL;
  rows[0].sentence = "out: got NULL";
  rows[1].params.query.data = NULL;
  rows[1].sentence = "query: got NULL";
  rows[2].params.key_cache.data = NULL;
  rows[2].sentence = "key_cache: got NULL";
  rows[3].params.value_cache.data = NULL;
  rows[3].sentence = "value_cache: got NULL";
  rows[4].params.block_table.data = NULL;
  rows[4].sentence = "block_table: got NULL";
  rows[5].params.seq_lens.data = NULL;
  rows[5].sentence = "seq_lens: got NULL";
  rows[6].params.num_seqs = -1;
  rows[6].sentence = "num_seqs: got -1";
  rows[7].params.num_q_heads = -1;
  rows[7].sentence = "num_q_heads: got -1";
  rows[8].params.num_kv_heads = 4;
  rows[8].sentence = "num_q_heads: got 6, want a multiple of 4";
  rows[9].params.head_size = 577;
  rows[9].sentence = "head_size: got 577, want 576 or less";
  rows[10].params.block_size = 0;
  rows[10].sentence = "block_size: got 0";
  rows[11].params.width = -1;
  rows[11].sentence = "width: got -1";
  rows[12].params.num_blocks = -1;
  rows[12].sentence = "num_blocks: got -1";
  rows[13].params.x = 0;
  rows[13].sentence = "x: got 0";
  rows[14].params.head_size = -1;
  rows[14].sentence = "head_size: got -1";
  rows[23].params.value_head_size = 577;
  rows[23].sentence = "value_head_size: got 577, want 576 or less";
  rows[24].params.value_head_size = -1;
  rows[24].sentence = "value_head_size: got -1";
  rows[15].params.splits = 0;
  rows[15].sentence = "splits: got 0";
  rows[16].params.index_bytes = 2;
  rows[16].sentence = "index_bytes: got 2, want 4 or 8";
  rows[17].params.query_start_loc.data = NULL;
  rows[17].sentence = "query_start_loc: got NULL";
  rows[18].params.num_tokens = -1;
  rows[18].sentence = "num_tokens: got -1";
  rows[19].params.out_bytes = 8;
  rows[19].sentence = "out_bytes: got 8, want 4 or ";
  rows[20].params.sink_bytes = 1;
  rows[20].sentence = "sink_bytes: got 1, want 4 or ";
  rows[21].params.softcap = -1;
  rows[21].sentence = "softcap: got -1, want 0 or";
  rows[22].params.split_tokens = -1;
  rows[22].sentence = "split_tokens: got -1";
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_paged_attention(NULL, small.variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].sentence);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);

  /* A query that is not read in vectors: tiles of many rows do not take it, and are not chosen. */
  static const int64_t one[] = {160, -1};
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    decode_case many = {.variant = &OP->variants[v],
                        .kv_heads = 1,
                        .group = 1,
                        .block_size = 16,
                        .lengths = one,
                        .pattern = PREFILL,
                        .scale = SCALE_RANK_0,
                        .seed = 11};
    if (!wanted(many.variant) || !reads_vectors(&many)) {
      continue;
    }
    many = fitted(many);
    build(&call, &many);
    op_call_upload(&call);
    kvf_paged_attention_params params = params_of(&call, &many);
    params.query.stride[2] = 2;
    EXPECT_STATUS(kvf_launch_paged_attention(NULL, many.variant, &params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), "in vectors of 16 bytes, of query and out, too");
    (void)op_call_verify(&call, "bad params");
    op_call_free(&call);
    count_case(many.variant);
    break;
  }
}

CU_TestInfo paged_attention_tests[] = {
    {"every pair of axis values", test_matrix},
    {"one position, exactly", test_one_position},
    {"averages, exactly", test_averages},
    {"values of another size", test_values_of_another_size},
    {"large calls", test_large},
    {"long sequences in splits", test_splits},
    {"extreme scores", test_extreme_scores},
    {"the same bits in any batch", test_same_bits},
    {"few tokens next to many", test_few},
    {"products of four warps where there are some", test_wide},
    {"threads that would be idle", test_idle_threads},
    {"sums over a million positions", test_long_sums},
#if !defined(__SANITIZE_ADDRESS__)
    {"units of any size", test_units},
#endif
    {"values that are far larger", test_far_larger},
    {"a small stack", test_small_stack},
    {"what a writer wrote", test_written},
    {"strides beyond 2^31", test_far},
    {"indices out of range", test_out_of_range},
    {"tokens out of range", test_starts_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
