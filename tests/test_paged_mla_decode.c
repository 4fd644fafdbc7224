/*
 * paged_mla_decode: against attention in double precision, within a bound that follows from f32
 * arithmetic and the rounding of the output; exactly where the result is exact. Rows are those that
 * concat_and_cache_mla writes. Whatever is not to be read, in the cache and in block tables, is
 * random and mostly NaN or out of range.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "graphs.h"
#include "mla.h"
#include "oracle.h"
#include "region.h"
#include "stack.h"
#include "writer.h"

#define OP (&kvf_op_paged_mla_decode)

enum {
  OUT,
  QUERY,
  CACHE,
  STARTS,
  LENGTHS,
  TABLES,
  SCALE_,
  FORMAT,
  CACHE_SCALE,
  LONGEST_,
  LSE,
  WORKSPACE
};

enum { LATENT = 512, ROPE = 64, ROW = LATENT + ROPE };

enum {
  HEADS_AXIS,
  BLOCK,
  LAYOUT_AXIS,
  LENGTH_AXIS,
  QUERY_AXIS,
  ENTRY_AXIS,
  EXEC_AXIS,
  SPLITS_AXIS,
  TABLE_AXIS,
  QUERIES_AXIS,
  OUT_AXIS,
  AXES_OF_OP
};

static const int64_t heads[] = {1, 3, 16, 20, 128};
static const int64_t blocks[] = {1, 16, 24, 64};
static const int64_t lengths[][5] = {{1, -1},      {0, -1},      {2, 0, 1, -1},    {17, 5, 33, -1},
                                     {64, 40, -1}, {300, 3, -1}, {129, 0, 128, -1}};
static const int64_t splits[] = {0, 1, 2, 3, 40}; /* 0: no workspace */
/* Tokens of the sequences: one, four whatever their length, all, or any of these and none. */
enum { ONE, FOUR, ALL, MIXED, PATTERNS };
enum { OUT_OWN = 0, OUT_F32 = 1, NO_LSE = 2, OUT_KINDS = 4 };
enum { QUERY_DENSE, QUERY_PADDED, QUERY_STRIDED, QUERY_HEADS_FIRST, QUERY_LAYOUTS };

typedef struct mla_case {
  const kvf_variant *variant;
  int64_t heads, block_size, splits;
  const int64_t *lengths;
  int pattern, layout, query, entry, out;
  bool with_exec;
  bool wide;    /* block tables of int64 */
  bool large;   /* queries, so that weights underflow */
  bool chosen;  /* by the op is the variant, whatever `variant` is */
  bool aligned; /* rows of the cache, to 16 bytes */
  uint64_t seed;
} mla_case;

static int64_t count_of(const int64_t *list) {
  int64_t count = 0;
  while (list[count] >= 0) {
    ++count;
  }
  return count;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Tokens that a sequence has in the call. */
static int64_t queries_of(const mla_case *what, int64_t s) {
  const int64_t length = what->lengths[s];
  const int64_t choices[] = {1, 4, smaller(length, 8), 0};
  return what->pattern == MIXED ? choices[(what->seed + (uint64_t)s) % 4] : choices[what->pattern];
}

/* Tokens of no sequence in front of the first, and behind the last. */
static int64_t lead_of(const mla_case *what) {
  return what->pattern == ONE ? 0 : (int64_t)(what->seed % 3);
}

static int64_t tokens_of(const mla_case *what) {
  int64_t tokens = lead_of(what) + (int64_t)(what->seed / 2 % 2);
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    tokens += queries_of(what, s);
  }
  return tokens;
}

static int64_t longest_of(const mla_case *what) {
  int64_t longest = 0;
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    longest = queries_of(what, s) > longest ? queries_of(what, s) : longest;
  }
  return longest;
}

/* Tokens whose sequences may be split: all, or those of the first sequence. */
static int64_t split_tokens_of(const mla_case *what) {
  return what->seed % 4 == 3 ? lead_of(what) + queries_of(what, 0) : tokens_of(what) + 1;
}

/* Positions [0, end) are what token i of a sequence sees. */
static int64_t end_of(const mla_case *what, int64_t s, int64_t i) {
  const int64_t end = what->lengths[s] - queries_of(what, s) + i + 1;
  return end < 0 ? 0 : end;
}

/* Rows of a tile of a variant for tensor cores, or 0. */
static int64_t rows_of(const kvf_variant *variant) {
  return variant->values[2] == KVF_OTHER ? 0 : variant->values[2];
}

/* Rows of a tile: on the CPU two have room on the stack. */
static int64_t tile_of(const mla_case *what) {
  const int64_t rows = rows_of(what->variant);
  return rows != 0 ? rows : options.backend == KVF_CPU ? 2 : 8;
}

/* Whether a variant has products of four warps, which a device of 9.0 runs and no other. */
static bool is_wide(const kvf_variant *variant) { return variant->values[3] == 90; }

/* Whether the op takes such a one, where rows of the cache are whole vectors. */
static bool takes_wide(const mla_case *what) {
  const kvf_variant *found = kvf_select(OP, KVF_CUDA, kvf_scalar_of(what->variant),
                                        kvf_cache_of(what->variant), 64, cuda.arch);
  return found != NULL && is_wide(found);
}

/* The case as a variant for tensor cores takes it: rows of the cache are whole vectors. */
static mla_case fitted(mla_case what) {
  if (rows_of(what.variant) != 0) {
    const int64_t tokens = what.seed % 3 == 1 ? tokens_of(&what) : longest_of(&what);
    const bool many = what.heads * tokens > 32;
    const bool wide = takes_wide(&what);
    what.layout = what.layout % 2 ? CACHE_PADDED_ALIGNED : CACHE_CONTIGUOUS;
    what.aligned = true;
    const bool best = wide ? is_wide(what.variant) : many == (rows_of(what.variant) == 64);
    what.entry = best ? what.entry : ENTRY_RAW;
  } else if (options.backend == KVF_CUDA && kvf_scalar_of(what.variant) != KVF_F32) {
    what.entry = ENTRY_RAW; /* the op would take another variant */
  }
  return what;
}

/* Splits that the tile of a row has, of those that the workspace has room for. */
static int64_t splits_of(const mla_case *what, int64_t s, int64_t start, int64_t i, int64_t head) {
  const int64_t tile = tile_of(what);
  const int64_t rows = queries_of(what, s) * what->heads;
  const int64_t first = (i * what->heads + head) / tile * tile;
  const int64_t positions = end_of(what, s, (smaller(first + tile, rows) - 1) / what->heads);
  if (start + queries_of(what, s) > split_tokens_of(what) || positions == 0) {
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

static bool is_fp8(const mla_case *what) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  return cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2;
}

/* The dtype of the rope part of fp8_ds_mla, and of what is written to the cache. */
static kvf_dtype source_of(const mla_case *what) {
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  return kvf_cache_of(what->variant) == KVF_FP8_DS_MLA && scalar == KVF_F32 ? KVF_BF16 : scalar;
}

/* fp8_ds_mla has two names, by the way in which scales are chosen. */
static kvf_dtype named(const mla_case *what) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  return cache == KVF_FP8_DS_MLA && what->seed % 2 ? KVF_FP8_DS_MLA_F32 : cache;
}

/* What the cache holds at a position. */
static void row_of(const op_call *call, const mla_case *what, int64_t block, int64_t offset,
                   double row[ROW]) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const uint8_t *bytes = element_at(call, CACHE, (int64_t[]){block, offset, 0});
  const double scale =
      is_fp8(what) ? oracle_value(KVF_F32, element_at(call, CACHE_SCALE, &(int64_t){0})) : 1;
  for (int64_t e = 0; e < ROW; ++e) {
    if (!mla_is_format(cache)) {
      row[e] = scale * oracle_value(cache, element_at(call, CACHE, (int64_t[]){block, offset, e}));
    } else if (cache == KVF_FP8_DS_MLA) {
      const double tile = e < LATENT ? oracle_value(KVF_F32, bytes + 512 + e / 128 * 4) : 1;
      row[e] = e < LATENT ? tile * oracle_fp8_value(KVF_FP8_E4M3, bytes[e])
                          : oracle_value(source_of(what), bytes + 528 + 2 * (e - LATENT));
    } else {
      const int64_t group = e / 16;
      row[e] = e >= LATENT
                   ? oracle_fp8_value(KVF_FP8_E4M3, bytes[256 + e - LATENT])
                   : oracle_e2m1_value((uint8_t)(bytes[e / 2] >> (e % 2 * 4) & 15)) *
                         oracle_fp8_value(KVF_FP8_E4M3, bytes[320 + 8 * (group % 4) + group / 4]);
    }
  }
}

/* Puts a row of random elements there, as the writer does. */
static void put_row(const op_call *call, const mla_case *what, int64_t block, int64_t offset,
                    uint64_t *state) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const kvf_dtype source = source_of(what);
  const int64_t bytes = kvf_dtype_bits(source) / 8;
  const int64_t stored = kvf_dtype_bits(cache) / 8;
  uint8_t elements[ROW * 4];
  uint8_t row[ROW * 4];
  for (int64_t e = 0; e < ROW; ++e) {
    oracle_make(source, random_normal(state), elements + e * bytes);
  }
  float scale = 1;
  memcpy(&scale, element_at(call, CACHE_SCALE, &(int64_t){0}), sizeof scale);
  mla_oracle_row(source, named(what), elements, LATENT, elements + LATENT * bytes, ROPE, scale,
                 row);
  for (int64_t e = 0; e < call->operands[CACHE].view.shape[2]; ++e) {
    memcpy(element_at(call, CACHE, (int64_t[]){block, offset, e}), row + e * stored,
           (size_t)stored);
  }
}

/* ---- building a call
 * --------------------------------------------------------------------------------- */

static void make_cache(op_call *call, const mla_case *what, int64_t pages) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const int64_t shape[3] = {pages, what->block_size,
                            mla_is_format(cache) ? mla_row_bytes(cache, ROW) : (int64_t)ROW};
  int64_t stride[3];
  mla_cache_strides(mla_is_format(cache) ? what->layout % CACHE_UNIT_LAYOUTS : what->layout, shape,
                    stride);
  const int offset = what->seed % 3 || what->aligned ? 0 : kvf_dtype_bits(cache) / 8;
  operand_make(call, CACHE, mla_cache_dtype(cache, what->seed % 2), 3, shape, stride, offset, 64,
               what->seed + 1);
  const bool one = what->seed % 2 != 0;
  operand_make(call, CACHE_SCALE, dl_dtype(KVF_F32), one, &(int64_t){1}, &(int64_t){1}, 4, 0,
               what->seed + 2);
  const float scale = 0.1f;
  memcpy(element_at(call, CACHE_SCALE, &(int64_t){0}), &scale, sizeof scale);
}

/* NaN, or anything. */
static void make_workspace(op_call *call, const mla_case *what) {
  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[] = {{"0123", 1, 0}, {"0123", 1, 3}, {"2013", 2, 1}, {"0312", 1, 0}};
  const int64_t shape[4] = {split_tokens_of(what), what->heads, what->splits, LATENT + 2};
  const int layout = (int)(what->seed % TEST_COUNT(layouts));
  int64_t stride[4];
  lay_out(stride, shape, layouts[layout].order, layouts[layout].inner, layouts[layout].pad);
  operand_make(call, WORKSPACE, dl_dtype(KVF_F32), 4, shape, stride, 4, 64, what->seed + 9);
  const buffer *memory = &call->operands[WORKSPACE].memory;
  if (what->seed % 3 != 0) {
    memset(memory->expected, 0xFF, memory->size);
  }
}

static void make_queries(op_call *call, const mla_case *what, uint64_t *state) {
  static const struct {
    const char *order;
    int64_t inner, pad;
  } layouts[] = {{"012", 1, 0}, {"012", 1, 3}, {"012", 2, 1}, {"102", 1, 0}};
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const int64_t tokens = tokens_of(what);
  for (int which = OUT; which <= QUERY; ++which) {
    const int64_t shape[3] = {tokens, what->heads, which == OUT ? LATENT : ROW};
    int64_t stride[3];
    const int layout = which == OUT ? (what->query + 1) % QUERY_LAYOUTS : what->query;
    lay_out(stride, shape, layouts[layout].order, layouts[layout].inner, layouts[layout].pad);
    operand_make(call, which, dl_dtype(which == OUT && what->out % 2 ? KVF_F32 : scalar), 3, shape,
                 stride, what->seed % 4 == 1 ? 4 : 0, 64, what->seed + 3 + (uint64_t)which);
  }
  for (int64_t i = 0; i < tokens * what->heads * ROW; ++i) {
    const int64_t index[] = {i / ROW / what->heads, i / ROW % what->heads, i % ROW};
    oracle_make(scalar, random_normal(state) * (what->large ? 40 : 1),
                element_at(call, QUERY, index));
  }
}

static void make_indices(op_call *call, const mla_case *what, int64_t width) {
  const DLDataType int32 = {kDLInt, 32, 1};
  const DLDataType int64 = {kDLInt, 64, 1};
  const int64_t sequences = count_of(what->lengths);
  operand_make(call, TABLES, what->wide ? int64 : int32, 2, (int64_t[]){sequences, width + 1},
               what->seed % 2 ? (int64_t[]){width + 3, 1} : (int64_t[]){1, sequences},
               what->wide ? 8 : 4, 0, what->seed + 6);
  operand_make(call, LENGTHS, int32, 1, &sequences, (int64_t[]){1 + (int64_t)(what->seed % 2)}, 0,
               0, what->seed + 7);
  operand_make(call, STARTS, int32, 1, (int64_t[]){sequences + 1},
               (int64_t[]){1 + (int64_t)(what->seed / 2 % 2)}, 0, 0, what->seed + 12);
  operand_put_index(&call->operands[STARTS], 0, 0, lead_of(what));
  for (int64_t s = 0; s < sequences; ++s) {
    operand_put_index(&call->operands[LENGTHS], s, 0, what->lengths[s]);
    operand_put_index(&call->operands[STARTS], s + 1, 0,
                      operand_get_index(&call->operands[STARTS], s, 0) + queries_of(what, s));
  }
}

/* Pages in random order; what no position needs is out of range, of int64 not in its lower half. */
static void fill_pages(op_call *call, const mla_case *what, int64_t pages, int64_t width,
                       uint64_t *state) {
  int64_t *order = malloc((size_t)pages * sizeof *order);
  for (int64_t i = 0; i < pages; ++i) {
    const int64_t j = random_below(state, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  for (int64_t s = 0, used = 0; what->lengths[s] >= 0; ++s) {
    const int64_t length = queries_of(what, s) > 0 ? what->lengths[s] : 0;
    for (int64_t page = 0; page <= width; ++page) {
      operand_put_index(&call->operands[TABLES], s, page,
                        page * what->block_size < length ? order[used++]
                        : page % 2                       ? -1 - page
                                   : (what->wide ? INT64_C(1) << 32 : INT32_MAX - 2 * page) + page);
    }
    for (int64_t p = 0; p < length; ++p) {
      put_row(call, what, operand_get_index(&call->operands[TABLES], s, p / what->block_size),
              p % what->block_size, state);
    }
  }
  free(order);
}

static void build(op_call *call, const void *context) {
  const mla_case *what = context;
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  uint64_t state = what->seed;
  int64_t width = 1;
  int64_t pages = 1;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  for (int64_t s = 0; what->lengths[s] >= 0; ++s) {
    const int64_t needs = (what->lengths[s] + what->block_size - 1) / what->block_size;
    pages += needs;
    width = needs > width ? needs : width;
  }
  make_queries(call, what, &state);
  make_cache(call, what, pages);
  make_indices(call, what, width);
  if ((what->out & NO_LSE) == 0) {
    const int64_t tokens = tokens_of(what);
    operand_make(call, LSE, dl_dtype(KVF_F32), 2, (int64_t[]){what->heads, tokens},
                 what->seed % 2 ? (int64_t[]){tokens + 3, 1} : (int64_t[]){1, what->heads}, 4, 0,
                 what->seed + 11);
  }
  if (what->splits > 0) {
    make_workspace(call, what);
  }
  fill_pages(call, what, pages, width, &state);
  call->values[SCALE_] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = 1 / sqrt(192)};
  const kvf_dtype held = named(what);
  call->values[FORMAT] = (kvf_value){.kind = KVF_KIND_STRING,
                                     .as.string = held == scalar ? "auto" : kvf_dtype_name(held)};
  call->values[LONGEST_] =
      (kvf_value){.kind = KVF_KIND_INT, .as.integer = what->seed % 3 == 1 ? 0 : longest_of(what)};
}

/* ---- calling it
 * ---------------------------------------------------------------------------------------- */

static const DLTensor *tensor_or_null(const kvf_value *value) {
  return value->kind == KVF_KIND_NONE ? NULL : value->as.tensor;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_paged_mla_decode(
      exec, (DLTensor *)values[OUT].as.tensor, values[QUERY].as.tensor, values[CACHE].as.tensor,
      values[STARTS].as.tensor, values[LENGTHS].as.tensor, values[TABLES].as.tensor,
      values[SCALE_].as.number, values[FORMAT].as.string, values[CACHE_SCALE].as.tensor,
      values[LONGEST_].as.integer, (DLTensor *)tensor_or_null(&values[LSE]),
      (DLTensor *)tensor_or_null(&values[WORKSPACE]));
}

static kvf_paged_mla_decode_params params_of(const op_call *call, const mla_case *what) {
  const operand *given = call->operands;
  kvf_paged_mla_decode_params params = {
      .out = operand_view(&given[OUT]),
      .query = operand_view(&given[QUERY]),
      .kv_cache = operand_view(&given[CACHE]),
      .kv_scale = operand_view(&given[CACHE_SCALE]),
      .query_start_loc = operand_view(&given[STARTS]),
      .seq_lens = operand_view(&given[LENGTHS]),
      .block_table = operand_view(&given[TABLES]),
      .num_tokens = given[QUERY].view.shape[0],
      .num_seqs = given[LENGTHS].view.shape[0],
      .width = given[TABLES].view.shape[1],
      .index_bytes = given[TABLES].view.dtype.bits / 8,
      .num_blocks = given[CACHE].view.shape[0],
      .block_size = what->block_size,
      .max_query_len = call->values[LONGEST_].as.integer,
      .num_q_heads = (int32_t)what->heads,
      .out_bytes = given[OUT].view.dtype.bits / 8,
      .scale = (float)call->values[SCALE_].as.number,
      .tiles_each = -1,
      .num_tiles = -1,
      .num_units = -1,
      .window_left = 1,
      .window_right = -1,
      .group = -1,
      .num_kv_heads = -1,
      .combines = -1,
      .whole_values = -1,
  };
  if ((what->out & NO_LSE) == 0) {
    params.lse = operand_view(&given[LSE]);
  }
  if (what->splits > 0) {
    params.workspace = operand_view(&given[WORKSPACE]);
    params.splits = what->splits;
    params.split_tokens = given[WORKSPACE].view.shape[0];
  }
  return params;
}

static kvf_status invoke(op_call *call, const mla_case *what) {
  if (what->entry == ENTRY_RAW) {
    const kvf_paged_mla_decode_params params = params_of(call, what);
    return kvf_launch_paged_mla_decode(call->given_exec, what->variant, &params);
  }
  return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
}

/* ---- the slow answer
 * ------------------------------------------------------------------------------------- */

/*
 * What a row of the output is, and how far off each element may be; and its lse, the last of each.
 * `rows`: what the cache holds of the sequence.
 */
static void attend(const op_call *call, const mla_case *what, const double *rows, int64_t end,
                   int64_t token, int64_t head, double out[LATENT + 1], double bound[LATENT + 1]) {
  const double scale = call->values[SCALE_].as.number;
  double *scores = malloc((size_t)(end + 1) * sizeof *scores);
  double query[ROW];
  double largest = -HUGE_VAL;
  double size_of_scores = 0;
  double total = 0;
  for (int64_t e = 0; e < ROW; ++e) {
    query[e] = oracle_value(kvf_scalar_of(what->variant),
                            element_at(call, QUERY, (int64_t[]){token, head, e}));
  }
  for (int64_t p = 0; p < end; ++p) {
    double sum = 0;
    double magnitude = 0;
    for (int64_t e = 0; e < ROW; ++e) {
      const double term = query[e] * rows[p * ROW + e];
      sum += term;
      magnitude += fabs(term);
    }
    scores[p] = sum * scale;
    largest = scores[p] > largest ? scores[p] : largest;
    size_of_scores = magnitude * scale > size_of_scores ? magnitude * scale : size_of_scores;
  }
  memset(out, 0, (LATENT + 1) * sizeof *out);
  memset(bound, 0, (LATENT + 1) * sizeof *bound); /* the largest value at first */
  for (int64_t p = 0; p < end; ++p) {
    const double weight = exp(scores[p] - largest);
    total += weight;
    for (int64_t e = 0; e < LATENT; ++e) {
      const double value = rows[p * ROW + e];
      out[e] += weight * value;
      bound[e] = fabs(value) > bound[e] ? fabs(value) : bound[e];
    }
  }
  static const double half_unit[] = {[KVF_F32] = 0x1p-24, [KVF_F16] = 0x1p-11, [KVF_BF16] = 0x1p-8};
  /* On the tensor cores weights are rounded, and elements whose scale is no power of two. */
  const bool tiled = rows_of(what->variant) != 0 || what->chosen;
  const double rounded = half_unit[kvf_scalar_of(what->variant)];
  const double weights = tiled ? rounded : 0;
  const double elements = tiled && named(what) == KVF_FP8_DS_MLA_F32 ? rounded : 0;
  /* An error of a score is an error of its weight; sums of f32 add a little. */
  const double relative = 8 * size_of_scores * ((double)FLT_EPSILON + elements / 4) +
                          32 * (double)FLT_EPSILON + elements + weights;
  const kvf_dtype stored = what->out % 2 ? KVF_F32 : kvf_scalar_of(what->variant);
  for (int64_t e = 0; e < LATENT; ++e) {
    out[e] = total > 0 ? out[e] / total : 0;
    bound[e] = bound[e] * relative + fabs(out[e]) * half_unit[stored] * 1.01 +
               (stored == KVF_F16 ? 0x1p-25 : 0);
  }
  out[LATENT] = total > 0 ? largest + log(total) : -HUGE_VAL;
  bound[LATENT] = relative + (total > 0 ? 4 * fabs(out[LATENT]) * (double)FLT_EPSILON : 0);
  free(scores);
}

/* Takes what the splits of a row came to into the expected image. */
static void check_splits(const op_call *call, const uint8_t *now, int64_t token, int64_t head,
                         int64_t count, const char *name) {
  const buffer *memory = &call->operands[WORKSPACE].memory;
  for (int64_t i = 0; count > 1 && i < count * (LATENT + 2); ++i) {
    const int64_t index[] = {token, head, i / (LATENT + 2), i % (LATENT + 2)};
    uint8_t *to = element_at(call, WORKSPACE, index);
    memcpy(to, now + (to - memory->expected), 4);
    EXPECT(!isnan(oracle_value(KVF_F32, to)), "%s: token %lld, head %lld, split %lld is NaN", name,
           (long long)token, (long long)head, (long long)index[2]);
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
  const bool right = got == want || fabs(got - want) <= limit;
  if (right || EXPECT(right, "%s: argument %d, [%lld, %lld, %lld] is %.9g, want %.9g within %.3g",
                      name, which, (long long)index[0], (long long)index[1], (long long)index[2],
                      got, want, limit)) {
    memcpy(expected, element, (size_t)kvf_dtype_bits(dtype) / 8);
  }
}

/* Checks every result of sequences [first, end), and takes those that are right into the expected
 * images. Lengths are those that the call has now. */
static void check_output_of(const op_call *call, const mla_case *what, int64_t first, int64_t end,
                            const char *name) {
  const bool has_lse = (what->out & NO_LSE) == 0;
  uint8_t *now = contents_of(call, OUT, true);
  uint8_t *lse = contents_of(call, LSE, has_lse);
  uint8_t *parts = contents_of(call, WORKSPACE, what->splits > 0);
  double want[LATENT + 1];
  double bound[LATENT + 1];
  for (int64_t s = first; s < end; ++s) {
    const int64_t start = operand_get_index(&call->operands[STARTS], s, 0);
    const int64_t length =
        queries_of(what, s) > 0 ? operand_get_index(&call->operands[LENGTHS], s, 0) : 0;
    double *rows = malloc((size_t)(length + 1) * ROW * sizeof *rows);
    for (int64_t p = 0; p < length; ++p) {
      row_of(call, what, operand_get_index(&call->operands[TABLES], s, p / what->block_size),
             p % what->block_size, rows + p * ROW);
    }
    for (int64_t row = 0; row < queries_of(what, s) * what->heads; ++row) {
      const int64_t i = row / what->heads;
      const int64_t h = row % what->heads;
      attend(call, what, rows, smaller(end_of(what, s, i), length), start + i, h, want, bound);
      for (int64_t e = 0; e < LATENT; ++e) {
        check_number(call, OUT, (int64_t[]){start + i, h, e},
                     what->out % 2 ? KVF_F32 : kvf_scalar_of(what->variant), now, want[e], bound[e],
                     name);
      }
      if (has_lse) {
        check_number(call, LSE, (int64_t[]){h, start + i, 0}, KVF_F32, lse, want[LATENT],
                     bound[LATENT], name);
      }
      if (what->splits > 0) {
        check_splits(call, parts, start + i, h, splits_of(what, s, start, i, h), name);
      }
    }
    free(rows);
  }
  free(parts);
  free(lse);
  free(now);
}

static void check_output(const op_call *call, const mla_case *what, const char *name) {
  check_output_of(call, what, 0, count_of(what->lengths), name);
}

/* Emulated, some variants are enough where no element is looked at. */
static int32_t variant_step(void) { return cuda.last_fault != NULL && !options.exhaustive ? 5 : 1; }

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant) &&
         (!is_wide(variant) || cuda.arch == 90);
}

static void run(const mla_case *wished) {
  const mla_case fit = fitted(*wished);
  const mla_case *what = &fit;
  char name[280];
  (void)snprintf(name, sizeof name,
                 "%s, %lld sequences, %lld heads, pages of %lld, %lld splits, layout %d, query %d, "
                 "pattern %d, out %d, seed %llu",
                 what->variant->symbol, (long long)count_of(what->lengths), (long long)what->heads,
                 (long long)what->block_size, (long long)what->splits, what->layout, what->query,
                 what->pattern, what->out, (unsigned long long)what->seed);
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

static double work(const covering_row *row, const void *context) {
  const mla_case what = {.variant = context,
                         .lengths = lengths[row->value[LENGTH_AXIS]],
                         .pattern = row->value[QUERIES_AXIS]};
  double positions = 1;
  for (int64_t s = 0; what.lengths[s] >= 0; ++s) {
    positions += (double)what.lengths[s] * (double)(1 + queries_of(&what, s));
  }
  return positions * (double)heads[row->value[HEADS_AXIS]];
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const bool emulated = cuda.last_fault != NULL && !options.exhaustive;
  covering plan = {
      .num_axes = AXES_OF_OP,
      .sizes = {TEST_COUNT(heads), TEST_COUNT(blocks), CACHE_LAYOUTS, TEST_COUNT(lengths),
                QUERY_LAYOUTS, ENTRIES, 2, TEST_COUNT(splits), 2, PATTERNS, OUT_KINDS},
      .cost = work,
      .limit = options.exhaustive ? 1e9
               : emulated         ? 150
                                  : 400,
      .ceiling = options.exhaustive ? 0
                 : emulated         ? 1000
                                    : 6000,
  };
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    int count = 0;
    plan.context = &OP->variants[v];
    covering_row *rows = covering_make(&plan, options.seed + (uint64_t)v, &count);
    /* What an element is made of differs between variants, the walk does not. */
    const int step = !emulated ? 1 : rows_of(&OP->variants[v]) != 0 ? 24 : 8;
    for (int i = v % step; wanted(&OP->variants[v]) && i < count; i += step) {
      const int *value = rows[i].value;
      run(&(mla_case){.variant = &OP->variants[v],
                      .heads = heads[value[HEADS_AXIS]],
                      .block_size = blocks[value[BLOCK]],
                      .lengths = lengths[value[LENGTH_AXIS]],
                      .layout = value[LAYOUT_AXIS],
                      .query = value[QUERY_AXIS],
                      .entry = value[ENTRY_AXIS],
                      .with_exec = value[EXEC_AXIS],
                      .splits = splits[value[SPLITS_AXIS]],
                      .wide = value[TABLE_AXIS],
                      .pattern = value[QUERIES_AXIS],
                      .out = value[OUT_AXIS],
                      .seed = options.seed * 1000 + (uint64_t)i});
    }
    free(rows);
  }
}

/* One position: the output is its value, decoded and rounded, bit for bit. */
static void test_one_position(void) {
  static const int64_t ones[] = {1, 1, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int layout = 0; wanted(&OP->variants[v]) && layout < 2; ++layout) {
      const mla_case what = fitted((mla_case){.variant = &OP->variants[v],
                                              .heads = 3,
                                              .block_size = 8,
                                              .lengths = ones,
                                              .layout = layout,
                                              .splits = layout,
                                              .out = NO_LSE,
                                              .seed = options.seed + (uint64_t)layout});
      op_call call;
      build(&call, &what);
      op_call_upload(&call);
      for (int64_t s = 0; s < 2; ++s) {
        double row[ROW];
        row_of(&call, &what, operand_get_index(&call.operands[TABLES], s, 0), 0, row);
        for (int64_t i = 0; i < what.heads * LATENT; ++i) {
          const double value = (double)(float)row[i % LATENT];
          oracle_round(kvf_scalar_of(what.variant), value == 0 ? 0.0 : value,
                       element_at(&call, OUT, (int64_t[]){s, i / LATENT, i % LATENT}));
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

/* Scores so far apart that weights underflow, and the base moves from step to step. */
static void test_extreme_scores(void) {
  static const int64_t some[] = {70, 150, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; v += variant_step()) {
    if (wanted(&OP->variants[v])) {
      run(&(mla_case){.variant = &OP->variants[v],
                      .heads = 2,
                      .block_size = 16,
                      .lengths = some,
                      .splits = v % 2 * 2,
                      .large = true,
                      .seed = options.seed + 6});
    }
  }
}

/* ---- what results do not depend on, and what calls take
 * ------------------------------------------------------------ */

/* A sequence alone, by tensors that are parts of the batch's; the contents of out, to be freed. */
static uint8_t *alone(const op_call *call, int64_t s) {
  kvf_value values[MAX_OPERANDS];
  memcpy(values, call->values, sizeof values);
  DLTensor table = *call->values[TABLES].as.tensor;
  DLTensor length = *call->values[LENGTHS].as.tensor;
  DLTensor starts = *call->values[STARTS].as.tensor;
  int64_t one = 1;
  int64_t two = 2;
  int64_t table_shape[] = {1, table.shape[1]};
  table.byte_offset += (uint64_t)(s * table.strides[0] * table.dtype.bits / 8);
  table.shape = table_shape;
  length.byte_offset += (uint64_t)(s * length.strides[0] * 4);
  length.shape = &one;
  starts.byte_offset += (uint64_t)(s * starts.strides[0] * 4);
  starts.shape = &two;
  values[TABLES].as.tensor = &table;
  values[LENGTHS].as.tensor = &length;
  values[STARTS].as.tensor = &starts;
  buffer_upload(&call->operands[OUT].memory);
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, typed(&call->exec, values), before, 0, "one sequence");
  return buffer_contents(&call->operands[OUT].memory);
}

/* A sequence has the same bits alone and in a batch, on any number of threads. */
static void test_same_bits(void) {
  static const int64_t some[] = {140, 1, 33, -1};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; v += variant_step()) {
    if (!wanted(&OP->variants[v])) {
      continue;
    }
    const mla_case what =
        fitted((mla_case){.variant = &OP->variants[v],
                          .heads = 3,
                          .block_size = 16,
                          .lengths = some,
                          .pattern = FOUR,
                          .splits = options.backend == KVF_CUDA ? 2 : 0, /* by the caller alone */
                          .seed = 8});
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
      uint8_t *single = alone(&call, s);
      const int64_t first = operand_get_index(&call.operands[STARTS], s, 0);
      for (int64_t i = 0; i < queries_of(&what, s) * what.heads * LATENT; ++i) {
        const int64_t index[] = {first + i / LATENT / what.heads, i / LATENT % what.heads,
                                 i % LATENT};
        const int64_t at = element_at(&call, OUT, index) - call.operands[OUT].memory.expected;
        EXPECT(memcmp(single + at, batch + at, 2) == 0,
               "%s: token %lld, element %lld is not what it is in the batch", what.variant->symbol,
               (long long)index[0], (long long)index[2]);
      }
      free(single);
    }
    free(batch);
    op_call_free(&call);
    count_case(what.variant);
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
  static const int64_t long_one[] = {1100, -1};
  static const kvf_pool pool = {.run = leave_to_caller, .num_threads = 6};
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const mla_case what = fitted((mla_case){.variant = &OP->variants[v],
                                            .heads = 2,
                                            .block_size = 16,
                                            .lengths = long_one,
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
    for (int i = 0; i < 3; ++i) { /* one thread; six; six in any batch */
      if (i == 2) {
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
    }
    (void)unsetenv("KVFORGE_BATCH_INVARIANT");
    EXPECT(memcmp(results[0], results[1], bytes) != 0, "%s: not split", what.variant->symbol);
    EXPECT(memcmp(results[0], results[2], bytes) == 0, "%s: split", what.variant->symbol);
    for (int i = 0; i < 3; ++i) {
      free(results[i]);
    }
    op_call_free(&call);
    count_case(what.variant);
  }
}

/* Without a workspace the library's own is used, which a graph keeps; what is launched does not
 * depend on lengths. */
static void test_captured(void) {
  static const int64_t some[] = {300, 40, -1};
  static const int64_t fewer[] = {130, 7, -1};
  if (!need_backend() || options.backend != KVF_CUDA || !graphs_there()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    mla_case what = fitted((mla_case){.variant = &OP->variants[v],
                                      .heads = 16,
                                      .block_size = 16,
                                      .lengths = some,
                                      .with_exec = true,
                                      .chosen = true,
                                      .seed = 8});
    if (!wanted(what.variant)) {
      continue;
    }
    op_call call;
    captured graph;
    build(&call, &what);
    op_call_upload(&call);
    EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OK); /* loads the kernel */
    if (capture_begin(&graph, call.exec.stream)) {
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OK);
    }
    if (capture_end(&graph)) {
      for (int64_t s = 0; s < 2; ++s) {
        operand_put_index(&call.operands[LENGTHS], s, 0, fewer[s]);
      }
      what.lengths = fewer;
      op_call_upload(&call);
      if (capture_launch(&graph)) {
        check_output(&call, &what, "a captured call");
        (void)op_call_verify(&call, "a captured call");
      }
      capture_free(&graph);
    }
    op_call_free(&call);
    count_case(what.variant);
  }
}

typedef struct stack_call {
  op_call *call;
  kvf_status status;
} stack_call;

static void call_on_stack(void *argument) {
  stack_call *what = argument;
  what->status = typed(&what->call->exec, what->call->values);
}

static void test_small_stack(void) {
  static const int64_t some[] = {100, 65, -1};
  if (!need_backend() || options.backend != KVF_CPU) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    for (int i = 0; wanted(&OP->variants[v]) && i < 2; ++i) {
      const mla_case what = fitted((mla_case){.variant = &OP->variants[v],
                                              .heads = 16,
                                              .block_size = 16,
                                              .layout = i ? CACHE_STRIDED : CACHE_CONTIGUOUS,
                                              .lengths = some,
                                              .pattern = i ? FOUR : ONE,
                                              .splits = i ? 0 : 2,
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
      EXPECT(used <= 32 * 1024, "%s: %lld bytes of stack, want 32768 or less", what.variant->symbol,
             (long long)used);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* ---- indices
 * -----------------------------------------------------------------------------------------------
 */

static void test_out_of_range(void) {
  static const int64_t some[] = {140, 136, 9, -1};
  enum { PAGE = 24, BAD = 4 };
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; v += variant_step()) {
    for (int i = 0; wanted(&OP->variants[v]) && i < 2; ++i) {
      const mla_case what = fitted((mla_case){.variant = &OP->variants[v],
                                              .heads = 3,
                                              .block_size = PAGE,
                                              .splits = i * 2,
                                              .lengths = some,
                                              .wide = i,
                                              .seed = 10});
      op_call call;
      build(&call, &what);
      const int64_t pages = call.operands[CACHE].view.shape[0];
      /* The last two pages of the second sequence. */
      operand_put_index(&call.operands[TABLES], 1, BAD, what.wide ? INT64_C(1) << 32 : pages);
      operand_put_index(&call.operands[TABLES], 1, BAD + 1, -1);
      op_call_upload(&call);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = invoke(&call, &what);
      if (options.backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "block_table: element [1, 4] is");
      } else { /* what is left is a shorter sequence */
        (void)expect_done(options.backend, status, before, 2, what.variant->symbol);
        operand_put_index(&call.operands[LENGTHS], 1, 0, BAD * PAGE);
        check_output(&call, &what, "a page out of range");
        operand_put_index(&call.operands[LENGTHS], 1, 0, 136);
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
        operand_put_index(&call.operands[LENGTHS], 0, 0, 0);
        op_call_upload(&call);
        EXPECT_STATUS(invoke(&call, &what), KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "seq_lens: element 2 is 2147483647, want at most");
        (void)op_call_verify(&call, "lengths out of range");
      } else { /* two lengths, and the pages of the third that are none */
        const uint64_t missing = (uint64_t)call.operands[TABLES].view.shape[1] - 1;
        (void)expect_done(options.backend, wrong, again, 2 + missing, what.variant->symbol);
      }
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* Tokens of sequences that descend, leave query, or are more than was promised. */
static void test_starts_out_of_range(void) {
  static const int64_t some[] = {40, 20, 9, -1};
  static const struct {
    int64_t at, start, right, end; /* sequences [right, end) are as they should be */
    uint64_t faults;
    const char *sentence;
  } wrongs[] = {{0, -1, 1, 3, 1, "query_start_loc: element 0 is -1, want 0 or more"},
                {1, 99, 2, 3, 2, "query_start_loc: element 1 is 99, want 0 (the one before) to"},
                {3, INT32_MAX, 0, 2, 1, "query_start_loc: element 3 is 2147483647, want 2"},
                {2, 3, 0, 1, 1, "query_start_loc: element 2 is 3, which is 2 tokens after"}};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; v += variant_step()) {
    for (size_t i = 0; wanted(&OP->variants[v]) && i < TEST_COUNT(wrongs); ++i) {
      const mla_case what = {.variant = &OP->variants[v],
                             .heads = 3,
                             .block_size = 16,
                             .lengths = some,
                             .chosen = true,
                             .seed = 11};
      op_call call;
      build(&call, &what);
      call.values[LONGEST_].as.integer = 1;
      operand_put_index(&call.operands[STARTS], wrongs[i].at, 0, wrongs[i].start);
      op_call_upload(&call);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (options.backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), wrongs[i].sentence);
      } else {
        (void)expect_done(options.backend, status, before, wrongs[i].faults, wrongs[i].sentence);
        check_output_of(&call, &what, wrongs[i].right, wrongs[i].end, wrongs[i].sentence);
      }
      (void)op_call_verify(&call, wrongs[i].sentence);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* Pages, query rows and results that lie beyond 2^31 elements. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { FAR_BLOCK = 4, FAR_WIDTH = 64, FAR_LENGTH = FAR_WIDTH * FAR_BLOCK };
  const int64_t far = (INT64_C(1) << 31) + 64;
  const kvf_variant *variant =
      kvf_select(OP, options.backend, KVF_BF16, KVF_BF16, KVF_OTHER, KVF_OTHER);
  if (variant == NULL) {
    skip_test("no bf16 variant is built");
    return;
  }
  const struct {
    int which, rank;
    int64_t shape[4], stride[4];
  } tensors[] = {
      {OUT, 3, {2, 2, LATENT}, {far, LATENT, 1}},
      {QUERY, 3, {2, 2, ROW}, {ROW, far, 1}},
      {CACHE, 3, {2, FAR_BLOCK, ROW}, {far, ROW, 1}},
      {TABLES, 2, {2, FAR_WIDTH}, {FAR_WIDTH, 1}},
      {LENGTHS, 1, {2}, {1}},
      {CACHE_SCALE, 1, {1}, {1}},
      {WORKSPACE, 4, {2, 2, 2, LATENT + 2}, {1088, 544, far, 1}},
      {STARTS, 1, {3}, {1}},
      {LSE, 2, {2, 2}, {far, 1}},
  };
  op_call call = {.op = OP, .exec = {.backend = options.backend}};
  region memory[TEST_COUNT(tensors)] = {{.size = 0}};
  buffer place[TEST_COUNT(tensors)];
  bool made = true;
  for (size_t i = 0; i < TEST_COUNT(tensors); ++i) {
    const int which = tensors[i].which;
    const DLDataType dtype = which <= CACHE                       ? dl_dtype(KVF_BF16)
                             : which >= STARTS && which <= TABLES ? (DLDataType){kDLInt, 32, 1}
                                                                  : dl_dtype(KVF_F32);
    const bool is_far = which <= CACHE || which == WORKSPACE || which == LSE;
    made = made && region_make(&memory[i], options.backend,
                               is_far ? (size_t)(far + 8192) * dtype.bits / 8 : 1024);
    place[i] = (buffer){.backend = options.backend, .place = memory[i].place};
    tensor *view = &call.operands[which].view;
    *view = (tensor){.memory = &place[i], .dtype = dtype, .rank = tensors[i].rank};
    memcpy(view->shape, tensors[i].shape, sizeof tensors[i].shape);
    memcpy(view->stride, tensors[i].stride, sizeof tensors[i].stride);
  }
  call.values[SCALE_] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = 0.25};
  call.values[FORMAT] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = "auto"};
  call.values[LONGEST_] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = 1};
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    /* Queries are 0, so that outputs are averages: of 1 to 8 in one sequence, which has two splits,
     * of 1 to 4 in the other. */
    int32_t table[2 * FAR_WIDTH] = {0};
    for (int i = 0; i < FAR_WIDTH; ++i) {
      table[i] = i % 2;
    }
    region_put(&memory[3], 0, table, sizeof table);
    region_put(&memory[4], 0, (const int32_t[]){FAR_LENGTH, FAR_BLOCK}, 2 * sizeof(int32_t));
    region_put(&memory[7], 0, (const int32_t[]){0, 1, 2}, 3 * sizeof(int32_t));
    for (int p = 0; p < 2 * FAR_BLOCK; ++p) {
      for (int i = 0; i < ROW; ++i) {
        uint8_t bits[4];
        oracle_make(KVF_BF16, (p + 1) * (i % 2 ? 1 : -2), bits);
        region_put(&memory[2], 2 * (p / FAR_BLOCK * far + p % FAR_BLOCK * ROW + i), bits, 2);
      }
    }
    (void)expect_done(options.backend, op_call_invoke(&call, typed), faults_before(options.backend),
                      0, "far pages");
    for (int i = 0; i < 4 * LATENT; ++i) {
      uint8_t got[4];
      const int sequence = i / LATENT / 2;
      const double want = (sequence ? 2.5 : 4.5) * (i % 2 ? 1 : -2);
      region_get(&memory[0], 2 * (sequence * far + i % (2 * LATENT)), got, 2);
      EXPECT(oracle_value(KVF_BF16, got) == want, "far output %d is %g, want %g", i,
             oracle_value(KVF_BF16, got), want);
    }
    for (int i = 0; i < 4; ++i) {
      float got;
      region_get(&memory[8], 4 * (i / 2 * far + i % 2), &got, 4);
      const double want = log(i % 2 ? FAR_BLOCK : FAR_LENGTH);
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
  {"no kv_cache", ON_BOTH, "kv_cache", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "kv_cache", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "block_table", "NULL", "want a tensor"},
  {"no query_start_loc", ON_BOTH, "query_start_loc", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "query_start_loc", "NULL", "want a tensor"},
  {"no seq_lens", ON_BOTH, "seq_lens", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "seq_lens", "NULL", "want a tensor"},
  {"no kv_scale", ON_BOTH, "kv_scale", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "kv_scale", "NULL", "want a tensor"},
  {"no format", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_ERROR, "kv_cache_dtype", "NULL", "want one of"},
  {"query of rank 2", ON_BOTH, "query", SPOIL_RANK, 0, 2, NULL, VALUE_ERROR, "query", "rank is 2", "want 3"},
  {"kv_cache of rank 4", ON_BOTH, "kv_cache", SPOIL_RANK, 0, 4, NULL, VALUE_ERROR, "kv_cache", "rank is 4", "want 3"},
  {"query without its rope part", ON_BOTH, "query", SPOIL_SIZE, 2, 512, NULL, VALUE_ERROR, "query", "(latent and rope elements) is 512", "want 576"},
  {"out with a rope part", ON_BOTH, "out", SPOIL_SIZE, 2, 576, NULL, VALUE_ERROR, "out", "(latent elements) is 576", "want 512"},
  {"out of fewer heads", ON_BOTH, "out", SPOIL_SIZE, 1, 2, NULL, VALUE_ERROR, "out", "(num_heads) is 2", "want 3 as in query"},
  {"rows of another size", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 512, NULL, VALUE_ERROR, "kv_cache", "(latent and rope elements) is 512", "want 576"},
  {"fewer starts", ON_BOTH, "query_start_loc", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "query_start_loc", "(num_seqs + 1) is 2", "want 3"},
  {"tables of fewer sequences", ON_BOTH, "block_table", SPOIL_SIZE, 0, 1, NULL, VALUE_ERROR, "block_table", "(num_seqs) is 1", "want 2 as in seq_lens"},
  {"two scales", ON_BOTH, "kv_scale", SPOIL_SIZE, 0, 2, NULL, VALUE_ERROR, "kv_scale", "2", "want 1"},
  {"lse of fewer tokens", ON_BOTH, "lse", SPOIL_SIZE, 1, 1, NULL, VALUE_ERROR, "lse", "(num_tokens) is 1", "want 3 as in query"},
  {"overlapping lse", ON_BOTH, "lse", SPOIL_STRIDE, 0, 0, NULL, VALUE_ERROR, "lse", "stride of dimension 0 (num_heads) is 0", "do not overlap"},
  {"overlapping out", ON_BOTH, "out", SPOIL_STRIDE, 1, 0, NULL, VALUE_ERROR, "out", "stride of dimension 1 (num_heads) is 0", "do not overlap"},
  {"query is int32", ON_BOTH, "query", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "query", "dtype is int32", "want float32, float16, bfloat16"},
  {"out is float64", ON_BOTH, "out", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "out", "dtype is float64", "want "},
  {"kv_cache is int16", ON_BOTH, "kv_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "kv_cache", "dtype is int16", "want "},
  {"block_table is uint32", ON_BOTH, "block_table", SPOIL_DTYPE, kDLUInt, 32, NULL, TYPE, "block_table", "dtype is uint32", "want int32, int64"},
  {"seq_lens is int64", ON_BOTH, "seq_lens", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "seq_lens", "dtype is int64", "want int32"},
  {"unknown format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp6", VALUE_ERROR, "kv_cache_dtype", "got 'fp6'", "want one of"},
  {"seq_lens on CUDA", ON_CPU, "seq_lens", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "seq_lens", "on CUDA device 0", "want the CPU"},
  {"block_table on the CPU", ON_CUDA, "block_table", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "block_table", "on the CPU", "want CUDA device 0"},
  {"workspace of no splits", ON_BOTH, "workspace", SPOIL_SIZE, 2, 0, NULL, VALUE_ERROR, "workspace", "(splits) is 0", "want 1 or more"},
  {"workspace of short rows", ON_BOTH, "workspace", SPOIL_SIZE, 3, 512, NULL, VALUE_ERROR, "workspace", "(512 + 2) is 512", "want 514"},
  {"no address", ON_BOTH, "kv_cache", SPOIL_DATA, 0, 0, NULL, VALUE_ERROR, "kv_cache", "data is NULL", "want an address"},
  {"page out of range", ON_CPU, "block_table", SPOIL_INDEX, 1, 99, NULL, KVF_OUT_OF_RANGE, "block_table", "element [1, 0] is 99", "want 0 to"},
  {"negative length", ON_CPU, "seq_lens", SPOIL_INDEX, 1, -1, NULL, KVF_OUT_OF_RANGE, "seq_lens", "element 1 is -1", "want 0 or more"},
};

static const bad_argument bad_format[] = {
  {"rows of other bytes", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 576, NULL, VALUE_ERROR, "kv_cache", "(bytes of a row) is 576", "want 656 as in fp8_ds_mla"},
  {"rows with gaps", ON_BOTH, "kv_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_ERROR, "kv_cache", "stride of dimension 2 is 2", "want 1 (a row of fp8_ds_mla)"},
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

static const kvf_variant *plain_variant(void) {
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (wanted(&OP->variants[v]) && !mla_is_format(kvf_cache_of(&OP->variants[v]))) {
      return &OP->variants[v];
    }
  }
  skip_test("no plain variant of %s is built", OP->name);
  return NULL;
}

static const int64_t two[] = {20, 3, -1};

static mla_case small_case(void) {
  return (mla_case){.variant = plain_variant(),
                    .heads = 3,
                    .block_size = 8,
                    .lengths = two,
                    .splits = 1,
                    .seed = 11}; /* a workspace that is smaller than out */
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  mla_case small = small_case();
  if (small.variant == NULL) {
    return;
  }
  op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
  static const char *const written[] = {"out", "workspace", "lse"};
  for (size_t i = 0; i < TEST_COUNT(written); ++i) {
    op_call_test_overlap(build, &small, typed, written[i], "query");
    op_call_test_overlap(build, &small, typed, written[i], "kv_cache");
  }
  op_call_test_overlap(build, &small, typed, "workspace", "out");
  op_call_test_overlap(build, &small, typed, "workspace", "lse");
  op_call_test_overlap(build, &small, typed, "lse", "out");
  op_call_test_factor(build, &small, typed, "scale", true);
  static const kvf_dtype caches[] = {KVF_F32, KVF_BF16, KVF_FP8_E4M3, KVF_FP8_DS_MLA};
  for (size_t i = 0; i < TEST_COUNT(caches); ++i) {
    small.variant = variant_with(caches[i]);
    if (small.variant != NULL) {
      op_call_test_scales(build, &small, typed, "kv_scale", caches[i] == KVF_FP8_E4M3);
    }
  }
  small.variant = variant_with(KVF_FP8_DS_MLA);
  if (small.variant != NULL) {
    op_call_test_bad(build, &small, typed, bad_format, TEST_COUNT(bad_format));
  }
}

static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  const mla_case small = small_case();
  if (small.variant == NULL) {
    return;
  }
  op_call call;
  build(&call, &small);
  op_call_upload(&call);
  struct {
    kvf_paged_mla_decode_params params;
    const char *sentence;
  } rows[16];
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    rows[i].params = params_of(&call, &small);
  }
  rows[0].params.out.data = NULL;
  rows[0].sentence = "out: got NULL";
  rows[1].params.query.data = NULL;
  rows[1].sentence = "query: got NULL";
  rows[2].params.kv_cache.data = NULL;
  rows[2].sentence = "kv_cache: got NULL";
  rows[3].params.block_table.data = NULL;
  rows[3].sentence = "block_table: got NULL";
  rows[4].params.seq_lens.data = NULL;
  rows[4].sentence = "seq_lens: got NULL";
  rows[5].params.num_seqs = -1;
  rows[5].sentence = "num_seqs: got -1";
  rows[6].params.num_q_heads = -1;
  rows[6].sentence = "num_q_heads: got -1";
  rows[7].params.block_size = 0;
  rows[7].sentence = "block_size: got 0";
  rows[8].params.width = -1;
  rows[8].sentence = "width: got -1";
  rows[9].params.num_blocks = -1;
  rows[9].sentence = "num_blocks: got -1";
  rows[10].params.splits = 0;
  rows[10].sentence = "splits: got 0";
  rows[11].params.index_bytes = 2;
  rows[11].sentence = "index_bytes: got 2, want 4 or 8";
  rows[12].params.query_start_loc.data = NULL;
  rows[12].sentence = "query_start_loc: got NULL";
  rows[13].params.num_tokens = -1;
  rows[13].sentence = "num_tokens: got -1";
  rows[14].params.out_bytes = 8;
  rows[14].sentence = "out_bytes: got 8, want 4 or ";
  rows[15].params.split_tokens = -1;
  rows[15].sentence = "split_tokens: got -1";
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_paged_mla_decode(NULL, small.variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].sentence);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo paged_mla_decode_tests[] = {
    {"every pair of axis values", test_matrix},
    {"one position, exactly", test_one_position},
    {"extreme scores", test_extreme_scores},
    {"the same bits in any batch", test_same_bits},
    {"threads that would be idle", test_idle_threads},
    {"a captured call", test_captured},
    {"a small stack", test_small_stack},
    {"strides beyond 2^31", test_far},
    {"indices out of range", test_out_of_range},
    {"tokens out of range", test_starts_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
