/* cp_gather_indexer_k_quant_cache: every byte against a walk along the block table. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_cp_gather_indexer_k_quant_cache)

enum { KV_CACHE, DST_K, DST_SCALE, BLOCK_TABLE, CU_SEQ_LENS, TENSORS_OF_OP };

enum {
  WIDTH,
  SCALES_AXIS,
  LENGTHS,
  BLOCK,
  PAGES,
  ROWS_PAD,
  OFFSETS,
  SCALE_TYPE,
  BEYOND,
  ENTRY_AXIS,
  EXEC_AXIS,
  TABLE_AXIS,
  AXES_OF_OP
};

static const int64_t widths[] = {128, 64, 256, 96, 32, 20};
static const int64_t scale_counts[] = {1, 2, 4, 8};
/* Lengths of sequences, -1 at the end. */
static const int64_t lengths[][7] = {
    {-1}, {0, -1}, {1, -1}, {5, 0, 0, 17, -1}, {64, 63, 1, -1}, {3, 130, 0, 33, 2, 64, -1}};
static const int64_t blocks[] = {1, 4, 16, 64};
static const int64_t page_pads[] = {0, 4, 3, 64};
static const int64_t row_pads[] = {0, 16, 4, 3};
static const struct {
  int cache, k, scale; /* bytes, mod 16 */
} offsets[] = {{0, 0, 0}, {4, 0, 0}, {0, 4, 4}, {1, 0, 0}, {0, 3, 0}, {0, 0, 8}};
static const int64_t beyond[] = {0, 3, 70, -2}; /* rows behind the last sequence, or too few */

typedef struct gather_case {
  int64_t num_pages; /* 0: 7 */
  int64_t head_dim, scales, block_size, page_pad, row_pad, beyond;
  const int64_t *lengths;
  int offset, entry;
  bool float_scales, with_exec, wide; /* a block table of int64 */
  uint64_t seed;
} gather_case;

static int64_t sequences_of(const gather_case *what) {
  int64_t count = 0;
  while (what->lengths[count] >= 0) {
    ++count;
  }
  return count;
}

static void build(op_call *call, const void *context) {
  const gather_case *what = context;
  const int64_t sequences = sequences_of(what);
  int64_t rows = what->beyond;
  int64_t width = 1;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  for (int64_t b = 0; b < sequences; ++b) {
    const int64_t pages = (what->lengths[b] + what->block_size - 1) / what->block_size;
    rows += what->lengths[b];
    width = pages > width ? pages : width;
  }
  rows = rows > 0 ? rows : 0;
  const int64_t bytes = what->head_dim + 4 * what->scales;
  const int64_t pages[3] = {what->num_pages ? what->num_pages : 7, what->block_size, bytes};
  const int64_t page_stride[3] = {what->block_size * bytes + what->page_pad, bytes, 1};
  const DLDataType byte = {kDLUInt, 8, 1};
  operand_make(call, KV_CACHE, what->seed % 2 ? dl_dtype(KVF_FP8_E4M3) : byte, 3, pages,
               page_stride, offsets[what->offset].cache, 64, what->seed);
  operand_make(call, DST_K, what->seed % 3 ? byte : dl_dtype(KVF_FP8_E4M3), 2,
               (int64_t[]){rows, what->head_dim}, (int64_t[]){what->head_dim + what->row_pad, 1},
               offsets[what->offset].k, 64, what->seed + 1);
  const int64_t scale_size = what->float_scales ? what->scales : 4 * what->scales;
  operand_make(call, DST_SCALE, what->float_scales ? dl_dtype(KVF_F32) : byte, 2,
               (int64_t[]){rows, scale_size}, (int64_t[]){scale_size + what->row_pad, 1},
               offsets[what->offset].scale, 64, what->seed + 2);
  operand_make(call, BLOCK_TABLE, (DLDataType){kDLInt, what->wide ? 64 : 32, 1}, 2,
               (int64_t[]){sequences, width}, (int64_t[]){width + what->row_pad, 1},
               what->wide ? 8 : 4, 0, what->seed + 3);
  operand_make(call, CU_SEQ_LENS, (DLDataType){kDLInt, 32, 1}, 1, (int64_t[]){sequences + 1},
               (int64_t[]){1}, 0, 0, what->seed + 4);
  uint64_t state = what->seed + 5;
  int64_t start = 0;
  for (int64_t b = 0; b <= sequences; ++b) {
    operand_put_index(&call->operands[CU_SEQ_LENS], b, 0, start);
    for (int64_t page = 0; b < sequences && page * what->block_size < what->lengths[b]; ++page) {
      operand_put_index(&call->operands[BLOCK_TABLE], b, page, random_below(&state, pages[0]));
    }
    start += b < sequences ? what->lengths[b] : 0;
  }
}

static void expect_rows(const op_call *call, const gather_case *what) {
  const int64_t rows = call->operands[DST_K].view.shape[0];
  int64_t row = 0;
  for (int64_t b = 0; b < sequences_of(what); ++b) {
    for (int64_t p = 0; p < what->lengths[b] && row < rows; ++p, ++row) {
      const operand *table = &call->operands[BLOCK_TABLE];
      const int64_t page_of_sequence = p / what->block_size;
      const int64_t block = page_of_sequence < table->view.shape[1]
                                ? operand_get_index(table, b, page_of_sequence)
                                : -1;
      const int64_t offset = p % what->block_size;
      if (block < 0 || block >= call->operands[KV_CACHE].view.shape[0]) {
        continue;
      }
      const uint8_t *page = operand_at(&call->operands[KV_CACHE], block, 0, 0, 0);
      memcpy(operand_at(&call->operands[DST_K], row, 0, 0, 0), page + offset * what->head_dim,
             (size_t)what->head_dim);
      memcpy(operand_at(&call->operands[DST_SCALE], row, 0, 0, 0),
             page + what->block_size * what->head_dim + 4 * offset * what->scales,
             4 * (size_t)what->scales);
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_indexer_k_quant_cache(
      exec, values[KV_CACHE].as.tensor, (DLTensor *)values[DST_K].as.tensor,
      (DLTensor *)values[DST_SCALE].as.tensor, values[BLOCK_TABLE].as.tensor,
      values[CU_SEQ_LENS].as.tensor);
}

static kvf_cp_gather_indexer_k_quant_cache_params params_of(const op_call *call,
                                                            const gather_case *what) {
  const tensor *table = &call->operands[BLOCK_TABLE].view;
  kvf_cp_gather_indexer_k_quant_cache_params params = {
      .kv_cache = operand_view(&call->operands[KV_CACHE]),
      .dst_k = operand_view(&call->operands[DST_K]),
      .dst_scale = operand_view(&call->operands[DST_SCALE]),
      .table = {.entries = operand_view(&call->operands[BLOCK_TABLE]).data,
                .stride = table->stride[0],
                .index_bytes = table->dtype.bits / 8,
                .starts = operand_view(&call->operands[CU_SEQ_LENS]).data,
                .num_sequences = table->shape[0],
                .width = table->shape[1],
                .num_blocks = call->operands[KV_CACHE].view.shape[0],
                .block_size = what->block_size},
      .num_rows = call->operands[DST_K].view.shape[0],
      .head_dim = (int32_t)what->head_dim,
      .num_scales = (int32_t)what->scales,
      .vector_elements = -1,
      .scales_aligned = -1,
  };
  params.dst_scale.stride[0] *= call->operands[DST_SCALE].view.dtype.bits / 8;
  return params;
}

static const kvf_variant *variant_of_test(void) { return kvf_select(OP, options.backend, KVF_B8); }

static void run(const gather_case *what) {
  char name[200];
  (void)snprintf(name, sizeof name,
                 "%lld sequences of rows of %lld + 4 * %lld, pages of %lld + %lld bytes, rows + "
                 "%lld, offsets %d, seed %llu",
                 (long long)sequences_of(what), (long long)what->head_dim, (long long)what->scales,
                 (long long)what->block_size, (long long)what->page_pad, (long long)what->row_pad,
                 what->offset, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_rows(&call, what);
  const uint64_t before = faults_before(options.backend);
  kvf_status status;
  if (what->entry == ENTRY_RAW) {
    const kvf_cp_gather_indexer_k_quant_cache_params params = params_of(&call, what);
    status =
        kvf_launch_cp_gather_indexer_k_quant_cache(call.given_exec, variant_of_test(), &params);
  } else {
    status = op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  }
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(variant_of_test());
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const covering plan = {.num_axes = AXES_OF_OP,
                         .sizes = {TEST_COUNT(widths), TEST_COUNT(scale_counts),
                                   TEST_COUNT(lengths), TEST_COUNT(blocks), TEST_COUNT(page_pads),
                                   TEST_COUNT(row_pads), TEST_COUNT(offsets), 2, TEST_COUNT(beyond),
                                   ENTRIES, 2, 2}};
  for (int round = 0; round < 4; ++round) {
    int count = 0;
    covering_row *rows = covering_make(&plan, options.seed + (uint64_t)round, &count);
    for (int i = 0; i < count; ++i) {
      const int *value = rows[i].value;
      const int64_t width = widths[value[WIDTH]];
      int64_t scales = scale_counts[value[SCALES_AXIS]];
      while (width % scales != 0) {
        scales /= 2;
      }
      /* Floats have even addresses. */
      const bool floats = value[SCALE_TYPE];
      run(&(gather_case){.head_dim = width,
                         .scales = scales,
                         .block_size = blocks[value[BLOCK]],
                         .page_pad = page_pads[value[PAGES]],
                         .row_pad = row_pads[value[ROWS_PAD]],
                         .beyond = beyond[value[BEYOND]],
                         .lengths = lengths[value[LENGTHS]],
                         .offset = value[OFFSETS],
                         .entry = value[ENTRY_AXIS],
                         .float_scales = floats,
                         .with_exec = value[EXEC_AXIS],
                         .wide = value[TABLE_AXIS],
                         .seed = options.seed * 1000 + (uint64_t)(100 * round + i)});
    }
    free(rows);
  }
}

/* Many rows, as a warp of the kernel looks for together: of more sequences than it has probes, some
 * of no rows; of one; and of none. */
static void test_many_rows(void) {
  enum { SEQUENCES = 300 };
  static int64_t some[SEQUENCES + 1];
  static const int64_t one[] = {33000, -1};
  static const int64_t none[] = {0, -1};
  static const int64_t *const of[] = {some, one, none};
  if (!need_backend()) {
    return;
  }
  for (int b = 0; b < SEQUENCES; ++b) {
    some[b] = b % 5 == 0 || b == SEQUENCES - 1 ? 0 : 37 + 7 * b % 211;
  }
  some[SEQUENCES] = -1;
  for (int i = 0; i < 3; ++i) {
    run(&(gather_case){.head_dim = i == 0 ? 16 : 32,
                       .scales = i == 0 ? 1 : 2,
                       .block_size = 64,
                       .beyond = of[i] == none ? 32769 : 70,
                       .lengths = of[i],
                       .entry = i,
                       .seed = options.seed + (uint64_t)i});
  }
}

static void test_large(void) {
  static const int64_t many[] = {900, 0, 1, 2100, 640, -1};
  static const int64_t few[] = {90, 0, 1, 210, -1};
  if (need_backend()) {
    run(&(gather_case){.head_dim = 128,
                       .scales = 1,
                       .block_size = 64,
                       .lengths = options.backend == KVF_CPU ? many : few,
                       .seed = options.seed});
  }
}

static void test_out_of_range(void) {
  static const int64_t four[] = {5, 20, 3, 9, -1};
  if (!need_backend()) {
    return;
  }
  const gather_case what = {
      .head_dim = 64, .scales = 2, .block_size = 4, .lengths = four, .seed = 9};
  op_call call;
  build(&call, &what);
  operand_put_index(&call.operands[BLOCK_TABLE], 0, 1, 7);  /* one row */
  operand_put_index(&call.operands[BLOCK_TABLE], 1, 2, -1); /* four rows */
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = op_call_invoke(&call, typed);
  if (options.backend == KVF_CPU) {
    EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
    EXPECT_TEXT(kvf_last_error(), "block_table: element [0, 1] is 7, want 0 to 6");
  } else {
    expect_rows(&call, &what);
    (void)expect_done(options.backend, status, before, 5, "pages out of range");
  }
  (void)op_call_verify(&call, "pages out of range");
  op_call_free(&call);

  /* A sequence that is longer than the table is wide. */
  build(&call, &what);
  call.operands[BLOCK_TABLE].view.shape[1] = 4;
  op_call_upload(&call);
  const uint64_t again = faults_before(options.backend);
  const kvf_status wide = op_call_invoke(&call, typed);
  if (options.backend == KVF_CPU) {
    EXPECT_STATUS(wide, KVF_OUT_OF_RANGE);
    EXPECT_TEXT(kvf_last_error(), "sequence 1 needs 5 pages, has 4");
  } else {
    expect_rows(&call, &what);
    (void)expect_done(options.backend, wide, again, 4, "a narrow table");
  }
  (void)op_call_verify(&call, "a narrow table");
  count_case(variant_of_test());
  op_call_free(&call);
}

/* Without rows no index is looked at, on either backend: the host of a CUDA call cannot. */
static void test_no_rows(void) {
  static const int64_t three[] = {5, 0, 7, -1};
  if (!need_backend()) {
    return;
  }
  const gather_case what = {
      .head_dim = 64, .scales = 1, .block_size = 4, .lengths = three, .seed = 4};
  op_call call;
  build(&call, &what);
  operand_put_index(&call.operands[CU_SEQ_LENS], 1, 0, -3);
  operand_put_index(&call.operands[BLOCK_TABLE], 0, 0, INT32_MAX);
  call.operands[DST_K].view.shape[0] = call.operands[DST_SCALE].view.shape[0] = 0;
  op_call_upload(&call);
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, op_call_invoke(&call, typed), before, 0, "no rows");
  (void)op_call_verify(&call, "no rows");
  count_case(variant_of_test());
  op_call_free(&call);
}

/* Pages and rows that lie beyond 2^31 bytes. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { HEAD_DIM = 64, ROW = HEAD_DIM + 4 };
  const int64_t far = (INT64_C(1) << 31) + 64;
  const int64_t shape[][3] = {{2, 4, ROW}, {2, HEAD_DIM}, {2, 4}, {1, 1}, {2}};
  const int64_t stride[][3] = {{far, ROW, 1}, {far, 1}, {far, 1}, {1, 1}, {1}};
  const int rank[] = {3, 2, 2, 2, 1};
  const int32_t table = 1;
  const int32_t starts[] = {0, 2};
  op_call call = {.op = OP, .exec = {.backend = options.backend}};
  region memory[TENSORS_OF_OP] = {{.size = 0}};
  buffer place[TENSORS_OF_OP];
  bool made = true;
  for (int i = 0; i < TENSORS_OF_OP; ++i) {
    made = made && region_make(&memory[i], options.backend, (size_t)(far + 4096));
    place[i] = (buffer){.backend = options.backend, .place = memory[i].place};
    tensor *view = &call.operands[i].view;
    *view = (tensor){.memory = &place[i],
                     .dtype = i < BLOCK_TABLE ? (DLDataType){kDLUInt, 8, 1}
                                              : (DLDataType){kDLInt, 32, 1},
                     .rank = rank[i]};
    memcpy(view->shape, shape[i], sizeof shape[i]);
    memcpy(view->stride, stride[i], sizeof stride[i]);
  }
  if (!made) {
    skip_test("no room for tensors of 2^31 elements");
  } else {
    uint8_t page[4 * ROW];
    for (int i = 0; i < 4 * ROW; ++i) {
      page[i] = (uint8_t)(7 * i + 1);
    }
    region_put(&memory[KV_CACHE], far, page, sizeof page);
    region_put(&memory[BLOCK_TABLE], 0, &table, sizeof table);
    region_put(&memory[CU_SEQ_LENS], 0, starts, sizeof starts);
    (void)expect_done(options.backend, op_call_invoke(&call, typed), faults_before(options.backend),
                      0, "far pages");
    for (int row = 0; row < 2; ++row) {
      uint8_t k[HEAD_DIM];
      uint8_t scale[4];
      region_get(&memory[DST_K], row * far, k, sizeof k);
      region_get(&memory[DST_SCALE], row * far, scale, sizeof scale);
      EXPECT(memcmp(k, page + row * HEAD_DIM, sizeof k) == 0, "far row %d is wrong", row);
      EXPECT(memcmp(scale, page + 4 * HEAD_DIM + 4 * row, 4) == 0, "far scale %d is wrong", row);
    }
    count_case(variant_of_test());
  }
  for (int i = 0; i < TENSORS_OF_OP; ++i) {
    region_free(&memory[i]);
  }
}

/* A row of 2^26 scales' bytes, copied one by one: as many as 64 rows, those of a thread block, may
 * have are 2^32. */
static void test_long_row(void) {
  static const int64_t one[] = {1, -1};
  if (need_backend()) {
    run(&(gather_case){.num_pages = 1,
                       .head_dim = 16,
                       .scales = 1 << 24,
                       .block_size = 1,
                       .lengths = one,
                       .offset = 3,
                       .entry = ENTRY_RAW,
                       .seed = options.seed});
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no kv_cache", ON_BOTH, "kv_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache", "NULL", "want a tensor"},
  {"no dst_k", ON_BOTH, "dst_k", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst_k", "NULL", "want a tensor"},
  {"no dst_scale", ON_BOTH, "dst_scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst_scale", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_, "block_table", "NULL", "want a tensor"},
  {"no cu_seq_lens", ON_BOTH, "cu_seq_lens", SPOIL_NULL, 0, 0, NULL, VALUE_, "cu_seq_lens", "NULL", "want a tensor"},
  {"kv_cache of rank 4", ON_BOTH, "kv_cache", SPOIL_RANK, 0, 4, NULL, VALUE_, "kv_cache", "rank is 4", "want 3"},
  {"dst_k of rank 1", ON_BOTH, "dst_k", SPOIL_RANK, 0, 1, NULL, VALUE_, "dst_k", "rank is 1", "want 2"},
  {"dst_scale of rank 1", ON_BOTH, "dst_scale", SPOIL_RANK, 0, 1, NULL, VALUE_, "dst_scale", "rank is 1", "want 2"},
  {"fewer scales than keys", ON_BOTH, "dst_scale", SPOIL_SIZE, 0, 13, NULL, VALUE_, "dst_scale", "(num_rows) is 13", "want 14 as in dst_k"},
  {"half a scale", ON_BOTH, "dst_scale", SPOIL_SIZE, 1, 6, NULL, VALUE_, "dst_scale", "a row has 6 bytes", "4 for each"},
  {"three scales", ON_BOTH, "dst_scale", SPOIL_SIZE, 1, 12, NULL, VALUE_, "dst_scale", "a row has 12 bytes", "divides 64"},
  {"no scales", ON_BOTH, "dst_scale", SPOIL_SIZE, 1, 0, NULL, VALUE_, "dst_scale", "a row has 0 bytes", "divides 64"},
  {"one scale, page of two", ON_BOTH, "dst_scale", SPOIL_SIZE, 1, 4, NULL, VALUE_, "kv_cache", "is 72", "want 68"},
  {"other width", ON_BOTH, "dst_k", SPOIL_SIZE, 1, 32, NULL, VALUE_, "kv_cache", "is 72", "want 40"},
  {"gaps in dst_k", ON_BOTH, "dst_k", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "dst_k", "stride of dimension 1 is 2", "want 1"},
  {"gaps in dst_scale", ON_BOTH, "dst_scale", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "dst_scale", "stride of dimension 1 is 2", "want 1"},
  {"overlapping rows", ON_BOTH, "dst_k", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "dst_k", "stride of dimension 0 (num_rows) is 0", "do not overlap"},
  {"gaps between tokens", ON_BOTH, "kv_cache", SPOIL_STRIDE, 1, 76, NULL, VALUE_, "kv_cache", "stride of dimension 1 is 76", "want 72"},
  {"table by columns", ON_BOTH, "block_table", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "block_table", "stride of dimension 1 is 2", "want 1"},
  {"fewer starts", ON_BOTH, "cu_seq_lens", SPOIL_SIZE, 0, 2, NULL, VALUE_, "cu_seq_lens", "is 2", "want 3"},
  {"dst_k is float32", ON_BOTH, "dst_k", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "dst_k", "dtype is float32", "or uint8"},
  {"dst_scale is bfloat16", ON_BOTH, "dst_scale", SPOIL_DTYPE, kDLBfloat, 16, NULL, TYPE, "dst_scale", "dtype is bfloat16", "want float32"},
  {"kv_cache is int8", ON_BOTH, "kv_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "kv_cache", "dtype is int8", "or uint8"},
  {"block_table is uint64", ON_BOTH, "block_table", SPOIL_DTYPE, kDLUInt, 64, NULL, TYPE, "block_table", "dtype is uint64", "want int32, int64"},
  {"cu_seq_lens is int64", ON_BOTH, "cu_seq_lens", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "cu_seq_lens", "dtype is int64", "want int32"},
  {"dst_scale on CUDA", ON_CPU, "dst_scale", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "dst_scale", "on CUDA device 0", "want the CPU"},
  {"block_table on the CPU", ON_CUDA, "block_table", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "block_table", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "dst_k", SPOIL_DATA, 0, 0, NULL, VALUE_, "dst_k", "data is NULL", "want an address"},
  {"page out of range", ON_CPU, "block_table", SPOIL_INDEX, 1, 7, NULL, KVF_OUT_OF_RANGE, "block_table", "element [1, 0] is 7", "want 0 to 6"},
  {"starts descend", ON_CPU, "cu_seq_lens", SPOIL_INDEX, 0, 6, NULL, VALUE_, "cu_seq_lens", "are 6 and 5", "ascending"},
};
/* clang-format on */

static const int64_t two[] = {5, 9, -1};
static const gather_case small = {
    .head_dim = 64, .scales = 2, .block_size = 4, .lengths = two, .seed = 12};

static void test_bad_arguments(void) {
  if (need_backend()) {
    op_call_test_overlap(build, &small, typed, "dst_k", "kv_cache");
    op_call_test_overlap(build, &small, typed, "dst_scale", "kv_cache");
    op_call_test_overlap(build, &small, typed, "dst_scale", "dst_k");
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
  }
}

static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  op_call call;
  build(&call, &small);
  op_call_upload(&call);
  struct {
    kvf_cp_gather_indexer_k_quant_cache_params params;
    const char *member;
  } rows[9];
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    rows[i].params = params_of(&call, &small);
  }
  rows[0].params.kv_cache.data = NULL;
  rows[0].member = "kv_cache: got NULL";
  rows[1].params.dst_k.data = NULL;
  rows[1].member = "dst_k: got NULL";
  rows[2].params.dst_scale.data = NULL;
  rows[2].member = "dst_scale: got NULL";
  rows[3].params.num_rows = -1;
  rows[3].member = "num_rows: got -1";
  rows[4].params.head_dim = -1;
  rows[4].member = "head_dim: got -1";
  rows[5].params.num_scales = -1;
  rows[5].member = "num_scales: got -1";
  rows[6].params.table.entries = NULL;
  rows[6].member = "block_table: got NULL";
  rows[7].params.table.block_size = 0;
  rows[7].member = "block_size: got 0";
  rows[8].params.table.index_bytes = 16;
  rows[8].member = "index_bytes: got 16, want 4 or 8";
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(
        kvf_launch_cp_gather_indexer_k_quant_cache(NULL, variant_of_test(), &rows[i].params),
        KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo cp_gather_indexer_k_quant_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"many rows", test_many_rows},
    {"strides beyond 2^31", test_far},
    {"pages out of range", test_out_of_range},
    {"no rows, and indices that are no good", test_no_rows},
    {"a long row", test_long_row},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
