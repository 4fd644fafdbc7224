/*
 * Round trips through two ops: what a writer of MLA rows or of indexer pages wrote is gathered and
 * turned back, and what is converted is converted back. Bits are the same where bits are copied,
 * else every element is within one unit in the last place of the cache's format, scales included,
 * taken at the larger of the two numbers, since what is read has been rounded once more. (The
 * writers of K and V are read back in test_paged_attention.c.)
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "operands.h"
#include "oracle.h"

enum { TOKENS = 61, BLOCK_SIZE = 16, PAGES = 7, LATENT = 512, ROPE = 64, ENTRY = LATENT + ROPE };

/* Operands of a pair of calls. */
enum { FIRST, SECOND, CACHE, SLOTS, TABLE, STARTS, SEQUENCES, SCALE, DST, DST_SCALE, ROPE_CACHE };

static kvf_value tensor_at(op_call *call, int which) {
  return (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = tensor_dl(&call->operands[which].view)};
}
static kvf_value string(const char *text) {
  return (kvf_value){.kind = KVF_KIND_STRING, .as.string = text};
}
static kvf_value integer(int64_t value) {
  return (kvf_value){.kind = KVF_KIND_INT, .as.integer = value};
}

static void run(const kvf_op *op, const kvf_value *arguments, int32_t count) {
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, kvf_call(op, NULL, arguments, count), before, 0, op->name);
}

static void make(op_call *call, int which, DLDataType dtype, int32_t rank, const int64_t *shape) {
  int64_t stride[5];
  int64_t next = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    stride[i] = next;
    next *= shape[i];
  }
  operand_make(call, which, dtype, rank, shape, stride, 0, 0, options.seed + (uint64_t)which);
}

/* Numbers of several sizes: the formats with scales of their own find one for each. */
static void fill(const op_call *call, int which, kvf_dtype scalar, int64_t rows, int64_t count,
                 uint64_t seed) {
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < count; ++i) {
      const double size = exp2((double)(row % 7) - 4);
      oracle_make(scalar, random_normal(&seed) * size,
                  operand_at(&call->operands[which], row, i, 0, 0));
    }
  }
}

/* Two sequences in pages of any order: slots, block table, starts, and the sequence of each row. */
static void make_pages(op_call *call) {
  static const int64_t pages[2][4] = {{5, 0, 3, 1}, {6, 2, 4, 4}};
  enum { LENGTH = 37 }; /* of the first; the second has the rest */
  const DLDataType int32 = {kDLInt, 32, 1};
  make(call, SLOTS, (DLDataType){kDLInt, 64, 1}, 1, (int64_t[]){TOKENS});
  make(call, TABLE, int32, 2, (int64_t[]){2, 4});
  make(call, STARTS, int32, 1, (int64_t[]){3});
  make(call, SEQUENCES, int32, 1, (int64_t[]){TOKENS});
  for (int64_t i = 0; i < 8; ++i) {
    operand_put_index(&call->operands[TABLE], i / 4, i % 4, pages[i / 4][i % 4]);
  }
  for (int64_t t = 0; t < TOKENS; ++t) {
    const int64_t sequence = t >= LENGTH;
    const int64_t position = t - sequence * LENGTH;
    operand_put_index(&call->operands[SEQUENCES], t, 0, sequence);
    operand_put_index(&call->operands[SLOTS], t, 0,
                      pages[sequence][position / BLOCK_SIZE] * BLOCK_SIZE + position % BLOCK_SIZE);
  }
  operand_put_index(&call->operands[STARTS], 0, 0, 0);
  operand_put_index(&call->operands[STARTS], 1, 0, LENGTH);
  operand_put_index(&call->operands[STARTS], 2, 0, TOKENS);
}

static void expect_near(const kvf_variant *variant, int64_t row, int64_t i, double got, double want,
                        double unit) {
  (void)EXPECT(fabs(got - want) <= unit,
               "%s: row %lld, element %lld: %.9g became %.9g, a unit "
               "in the last place being %.3g",
               variant->symbol, (long long)row, (long long)i, want, got, unit);
}

/* ---- MLA rows ----------------------------------------------------------------------------------
 */

static const kvf_op *reader_of(kvf_dtype cache) {
  return cache == KVF_NVFP4_DS_MLA ? &kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache
         : cache == KVF_FP8_DS_MLA || cache == KVF_FP8_DS_MLA_F32
             ? &kvf_op_cp_gather_and_upconvert_fp8_kv_cache
             : &kvf_op_gather_and_maybe_dequant_cache;
}

/* The unit of element i of a row at a value, given the row's bytes. */
static double unit_of(kvf_dtype cache, const uint8_t *row, int64_t i, double held, double scale) {
  switch (cache) {
  case KVF_FP8_DS_MLA:
  case KVF_FP8_DS_MLA_F32: {
    float of_tile = 0;
    memcpy(&of_tile, row + LATENT + i % LATENT / 128 * 4, sizeof of_tile);
    return i < LATENT ? oracle_unit(cache, held, (double)of_tile) : 0;
  }
  case KVF_NVFP4_DS_MLA: {
    const int64_t group = i % LATENT / 16;
    const uint8_t code = row[LATENT / 2 + ROPE + 8 * (group % 4) + group / 4];
    return i < LATENT ? oracle_unit(cache, held, oracle_fp8_value(KVF_FP8_E4M3, code))
                      : oracle_unit(KVF_FP8_E4M3, held, 1);
  }
  default:
    return oracle_unit(cache, held, scale);
  }
}

/* Columns [first, first + count) of the last dimension. */
static void slice(op_call *call, int position, int from, int64_t first, int64_t count) {
  const tensor whole = call->operands[from].view;
  int64_t shape[5];
  memcpy(shape, whole.shape, sizeof shape);
  shape[whole.rank - 1] = count;
  operand_share(call, position, from, first, whole.rank, shape, whole.stride);
}

/* Rows of a plain cache, gathered into columns [first, first + count) of DST. */
static void gather_plain(op_call *call, const kvf_op *reader, int cache, int64_t first,
                         int64_t count, const char *format) {
  enum { PART = ROPE_CACHE + 1 };
  slice(call, PART, DST, first, count);
  run(reader,
      (kvf_value[]){tensor_at(call, cache), tensor_at(call, PART), tensor_at(call, TABLE),
                    tensor_at(call, STARTS), tensor_at(call, SEQUENCES), integer(TOKENS),
                    string(format), tensor_at(call, SCALE)},
      8);
}

/* `split`: the cache is two slices of one tensor. */
static void run_mla(const kvf_variant *variant, bool split) {
  const kvf_op *reader = reader_of(kvf_cache_of(variant));
  const bool plain = reader == &kvf_op_gather_and_maybe_dequant_cache;
  /* Both scale contracts of 656-byte rows have one reader. */
  const kvf_dtype read_as =
      kvf_cache_of(variant) == KVF_FP8_DS_MLA_F32 ? KVF_FP8_DS_MLA : kvf_cache_of(variant);
  if (kvf_select(reader, options.backend, kvf_scalar_of(variant), read_as) == NULL) {
    skip_part("no reader for %s is built", variant->symbol);
    return;
  }
  const float scale = 0.0625f;
  const int64_t bytes = kvf_cache_of(variant) == KVF_NVFP4_DS_MLA ? 352 : plain ? ENTRY : 656;
  op_call call = {.op = variant->op, .exec = {.backend = options.backend}};
  make(&call, FIRST, dl_dtype(kvf_scalar_of(variant)), 2, (int64_t[]){TOKENS, LATENT});
  make(&call, SECOND, dl_dtype(kvf_scalar_of(variant)), 2, (int64_t[]){TOKENS, ROPE});
  make(&call, CACHE, plain ? dl_dtype(kvf_cache_of(variant)) : (DLDataType){kDLUInt, 8, 1}, 3,
       (int64_t[]){PAGES, BLOCK_SIZE, bytes});
  make(&call, DST, dl_dtype(kvf_scalar_of(variant)), 2, (int64_t[]){TOKENS, ENTRY});
  make(&call, SCALE, dl_dtype(KVF_F32), 1, (int64_t[]){1});
  memcpy(operand_at(&call.operands[SCALE], 0, 0, 0, 0), &scale, sizeof scale);
  fill(&call, FIRST, kvf_scalar_of(variant), TOKENS, LATENT, options.seed);
  fill(&call, SECOND, kvf_scalar_of(variant), TOKENS, ROPE, options.seed + 1);
  make_pages(&call);
  op_call_upload(&call);
  const char *format = kvf_cache_of(variant) == kvf_scalar_of(variant)
                           ? "auto"
                           : kvf_dtype_name(kvf_cache_of(variant));
  if (split) {
    slice(&call, ROPE_CACHE, CACHE, LATENT, ROPE);
    call.operands[CACHE].view.shape[2] = LATENT;
  }
  run(variant->op,
      (kvf_value[]){tensor_at(&call, FIRST), tensor_at(&call, SECOND), tensor_at(&call, CACHE),
                    tensor_at(&call, SLOTS), string(format), tensor_at(&call, SCALE),
                    (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = false},
                    split ? tensor_at(&call, ROPE_CACHE) : (kvf_value){.kind = KVF_KIND_NONE}},
      8);
  if (split) {
    gather_plain(&call, reader, CACHE, 0, LATENT, format);
    gather_plain(&call, reader, ROPE_CACHE, LATENT, ROPE, format);
  } else if (plain) {
    gather_plain(&call, reader, CACHE, 0, ENTRY, format);
  } else {
    call.operands[STARTS].view.shape[0] = 2; /* workspace_starts: the last sequence is open */
    run(reader,
        (kvf_value[]){tensor_at(&call, CACHE), tensor_at(&call, DST), tensor_at(&call, TABLE),
                      tensor_at(&call, STARTS), integer(2)},
        5);
  }
  buffer_take(&call.operands[CACHE].memory);
  buffer_take(&call.operands[DST].memory);
  for (int64_t t = 0; t < TOKENS; ++t) {
    const int64_t slot = operand_get_index(&call.operands[SLOTS], t, 0);
    const uint8_t *row =
        operand_at(&call.operands[CACHE], slot / BLOCK_SIZE, slot % BLOCK_SIZE, 0, 0);
    for (int64_t i = 0; i < ENTRY; ++i) {
      const double want =
          oracle_value(kvf_scalar_of(variant),
                       i < LATENT ? operand_at(&call.operands[FIRST], t, i, 0, 0)
                                  : operand_at(&call.operands[SECOND], t, i - LATENT, 0, 0));
      const double got =
          oracle_value(kvf_scalar_of(variant), operand_at(&call.operands[DST], t, i, 0, 0));
      /* A bf16 rope part is what 656-byte rows have, whatever is read. */
      expect_near(variant, t, i, got, want,
                  unit_of(kvf_cache_of(variant), row, i, fmax(fabs(got), fabs(want)), scale));
    }
  }
  op_call_free(&call);
  count_case(NULL);
}

static void test_mla(void) {
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < kvf_op_concat_and_cache_mla.num_variants; ++v) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[v];
    if (variant->backend == options.backend && kvf_variant_built(variant)) {
      run_mla(variant, false);
      if (reader_of(kvf_cache_of(variant)) == &kvf_op_gather_and_maybe_dequant_cache) {
        run_mla(variant, true);
      }
    }
  }
}

/* ---- indexer pages ------------------------------------------------------------------------------
 */

/* The scale of a group, of which a page holds 4 bytes. */
static double indexer_scale(kvf_dtype cache, const uint8_t *stored) {
  if (cache == KVF_FP8_INDEXER_MXFP8) {
    return ldexp(1.0, stored[0] - 127);
  }
  float scale = 0;
  memcpy(&scale, stored, sizeof scale);
  return (double)scale;
}

static void run_indexer(const kvf_variant *variant, int64_t group) {
  enum { SIZE = 256 };
  const int64_t groups = SIZE / group;
  const DLDataType byte = {kDLUInt, 8, 1};
  op_call call = {.op = variant->op, .exec = {.backend = options.backend}};
  make(&call, FIRST, dl_dtype(kvf_scalar_of(variant)), 2, (int64_t[]){TOKENS, SIZE});
  make(&call, CACHE, byte, 3, (int64_t[]){PAGES, BLOCK_SIZE, SIZE + 4 * groups});
  make(&call, DST, byte, 2, (int64_t[]){TOKENS, SIZE});
  make(&call, DST_SCALE, byte, 2, (int64_t[]){TOKENS, 4 * groups});
  fill(&call, FIRST, kvf_scalar_of(variant), TOKENS, SIZE, options.seed);
  make_pages(&call);
  op_call_upload(&call);
  const char *format = kvf_dtype_name(kvf_cache_of(variant));
  run(variant->op,
      (kvf_value[]){tensor_at(&call, FIRST), tensor_at(&call, CACHE), tensor_at(&call, SLOTS),
                    integer(group), string(format)},
      5);
  run(&kvf_op_cp_gather_indexer_k_quant_cache,
      (kvf_value[]){tensor_at(&call, CACHE), tensor_at(&call, DST), tensor_at(&call, DST_SCALE),
                    tensor_at(&call, TABLE), tensor_at(&call, STARTS)},
      5);
  buffer_take(&call.operands[DST].memory);
  buffer_take(&call.operands[DST_SCALE].memory);
  for (int64_t t = 0; t < TOKENS; ++t) {
    for (int64_t i = 0; i < SIZE; ++i) {
      const double scale = indexer_scale(
          kvf_cache_of(variant), operand_at(&call.operands[DST_SCALE], t, i / group * 4, 0, 0));
      const double want =
          oracle_value(kvf_scalar_of(variant), operand_at(&call.operands[FIRST], t, i, 0, 0));
      const double got =
          scale * oracle_fp8_value(KVF_FP8_E4M3, *operand_at(&call.operands[DST], t, i, 0, 0));
      expect_near(variant, t, i, got, want,
                  oracle_unit(KVF_FP8_E4M3, fmax(fabs(got), fabs(want)), scale));
    }
  }
  op_call_free(&call);
  count_case(NULL);
}

static void test_indexer(void) {
  if (!need_backend()) {
    return;
  }
  if (kvf_select(&kvf_op_cp_gather_indexer_k_quant_cache, options.backend, KVF_B8) == NULL) {
    skip_test("the gather of indexer pages is not built");
    return;
  }
  for (int32_t v = 0; v < kvf_op_indexer_k_quant_and_cache.num_variants; ++v) {
    const kvf_variant *variant = &kvf_op_indexer_k_quant_and_cache.variants[v];
    for (int64_t group = 32; group <= 128; group *= 2) {
      if (variant->backend == options.backend && kvf_variant_built(variant)) {
        run_indexer(variant, group);
      }
    }
  }
}

/* ---- conversions --------------------------------------------------------------------------------
 */

/* From a dtype to another and back: a unit is one of the coarser dtype of the two. */
static void run_convert(const kvf_variant *there) {
  enum { ROWS = 9, COUNT = 300 };
  const kvf_op *op = &kvf_op_convert_fp8;
  if (kvf_select(op, options.backend, kvf_cache_of(there), kvf_scalar_of(there)) == NULL) {
    skip_part("nothing that turns %s back is built", there->symbol);
    return;
  }
  const double scale = 0.0625;
  const bool fp8 = kvf_cache_of(there) == KVF_FP8_E4M3 || kvf_cache_of(there) == KVF_FP8_E5M2;
  op_call call = {.op = op, .exec = {.backend = options.backend}};
  make(&call, FIRST, dl_dtype(kvf_scalar_of(there)), 2, (int64_t[]){ROWS, COUNT});
  make(&call, CACHE, dl_dtype(kvf_cache_of(there)), 2, (int64_t[]){ROWS, COUNT});
  make(&call, DST, dl_dtype(kvf_scalar_of(there)), 2, (int64_t[]){ROWS, COUNT});
  fill(&call, FIRST, kvf_scalar_of(there), ROWS, COUNT, options.seed);
  op_call_upload(&call);
  const kvf_value factor = {.kind = KVF_KIND_FLOAT, .as.number = fp8 ? scale : 1};
  const char *format = fp8 ? kvf_dtype_name(kvf_cache_of(there)) : "auto";
  run(op, (kvf_value[]){tensor_at(&call, CACHE), tensor_at(&call, FIRST), factor, string(format)},
      4);
  run(op, (kvf_value[]){tensor_at(&call, DST), tensor_at(&call, CACHE), factor, string(format)}, 4);
  buffer_take(&call.operands[DST].memory);
  for (int64_t i = 0; i < ROWS * COUNT; ++i) {
    const double want = oracle_value(kvf_scalar_of(there),
                                     operand_at(&call.operands[FIRST], i / COUNT, i % COUNT, 0, 0));
    const double got = oracle_value(kvf_scalar_of(there),
                                    operand_at(&call.operands[DST], i / COUNT, i % COUNT, 0, 0));
    const int mantissa = kvf_cache_of(there) == KVF_F16    ? 10
                         : kvf_cache_of(there) == KVF_BF16 ? 7
                                                           : 23;
    const double unit = fp8 ? oracle_unit(kvf_cache_of(there), fmax(fabs(got), fabs(want)), scale)
                            : exp2(floor(log2(fmax(fabs(got), 0x1p-14))) - mantissa);
    const bool wider = kvf_cache_of(there) == KVF_F32;
    expect_near(there, i / COUNT, i % COUNT, got, want, wider ? 0 : unit);
  }
  op_call_free(&call);
  count_case(NULL);
}

static void test_convert(void) {
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < kvf_op_convert_fp8.num_variants; ++v) {
    const kvf_variant *variant = &kvf_op_convert_fp8.variants[v];
    const bool from_float = kvf_scalar_of(variant) == KVF_F32 ||
                            kvf_scalar_of(variant) == KVF_F16 || kvf_scalar_of(variant) == KVF_BF16;
    if (variant->backend == options.backend && from_float && kvf_variant_built(variant)) {
      run_convert(variant);
    }
  }
}

CU_TestInfo round_trip_tests[] = {
    {"MLA rows", test_mla},
    {"indexer pages", test_indexer},
    {"conversions", test_convert},
    CU_TEST_INFO_NULL,
};
