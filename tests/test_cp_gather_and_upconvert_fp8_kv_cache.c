/* cp_gather_and_upconvert_fp8_kv_cache: 656-byte rows of pages as floats. */
#include <math.h>
#include <string.h>

#include "gather.h"
#include "oracle.h"
#include "writer.h"

#define OP (&kvf_op_cp_gather_and_upconvert_fp8_kv_cache)

enum { LATENT = 512, ROPE = 64, BYTES = 656 };

enum {
  SRC_CACHE,
  DST,
  BLOCK_TABLE,
  WORKSPACE_STARTS,
  BATCH_SIZE,
  SEQ_STARTS,
  HOST_CACHE,
  HOST_ROW_IDS,
  DEVICE_ROW_IDS,
  SEQ_LENS
};

static const int64_t entry_sizes[] = {BYTES};

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_cp_gather_and_upconvert_fp8_kv_cache(
      exec, values[SRC_CACHE].as.tensor, (DLTensor *)values[DST].as.tensor,
      values[BLOCK_TABLE].as.tensor, values[WORKSPACE_STARTS].as.tensor,
      values[BATCH_SIZE].as.integer, values[SEQ_STARTS].as.tensor, values[HOST_CACHE].as.tensor,
      values[HOST_ROW_IDS].as.tensor, values[DEVICE_ROW_IDS].as.tensor, values[SEQ_LENS].as.tensor);
}

static kvf_status raw(const op_call *call, const gather_case *what, const kvf_block_table *table) {
  const kvf_cp_gather_and_upconvert_fp8_kv_cache_params params = {
      .src_cache = operand_view(&call->operands[0]),
      .dst = operand_view(&call->operands[1]),
      .table = *table,
      .num_rows = call->operands[1].view.shape[0],
      .rows_per_tile = -1,
      .tile_vectors = -1,
      .vector_elements = -1,
      .streaming = -1,
  };
  return kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(call->given_exec, what->variant, &params);
}

/* Half of the varieties have scales as a writer makes them, the others any bits at all. */
static void more(op_call *call, const gather_case *what, const gather_plan *plan) {
  static const float scales[] = {0.0078125f, 0.1f, 1.0f, 0x1p-126f, 3e-5f, 700.0f};
  uint64_t state = what->seed;
  operand *source = &call->operands[0];
  for (int64_t block = 0; what->variety % 2 && block < plan->num_blocks; ++block) {
    for (int64_t row = 0; row < what->block_size; ++row) {
      for (int64_t tile = 0; tile < 4; ++tile) {
        const float scale = scales[random_below(&state, TEST_COUNT(scales))];
        memcpy(operand_at(source, block, row, LATENT + 4 * tile, 0), &scale, sizeof scale);
      }
    }
  }
  if (what->variety % 4 == 3) {
    source->view.dtype = dl_dtype(KVF_FP8_E4M3);
  }
  call->values[4] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = plan->num_sequences};
}

static void expect_row(const op_call *call, const gather_case *what, const uint8_t *source,
                       uint8_t *dst) {
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const size_t bytes = (size_t)kvf_dtype_bits(scalar) / 8;
  (void)call;
  for (size_t i = 0; i < LATENT; ++i) {
    float scale;
    memcpy(&scale, source + LATENT + i / 128 * 4, sizeof scale);
    /* A product of two floats is exact in double; it is rounded to f32, and then to the dtype. */
    const double product = oracle_fp8_value(KVF_FP8_E4M3, source[i]) * (double)scale;
    oracle_round(scalar, (double)(float)product, dst + i * bytes);
  }
  for (size_t i = 0; i < ROPE; ++i) {
    uint8_t element[4] = {0, 0, source[528 + 2 * i], source[529 + 2 * i]};
    memcpy(dst + (LATENT + i) * bytes, element + 4 - bytes, bytes);
  }
}

static const gather_op op = {
    .op = OP,
    .typed = typed,
    .raw = raw,
    .workspace = true,
    .entry_sizes = entry_sizes,
    .num_entry_sizes = 1,
    .dst_elements = LATENT + ROPE,
    .more = more,
    .expect = expect_row,
};

static void test_matrix(void) { gather_test_matrix(&op); }
static void test_large(void) { gather_test_large(&op); }
static void test_far(void) { gather_test_far(&op); }
static void test_out_of_range(void) { gather_test_out_of_range(&op); }

/* ---- golden rows
 * ----------------------------------------------------------------------------------- */

#define GOLDEN(name, ...) static const uint8_t name[] = {__VA_ARGS__};
#include "golden/fp8_ds_mla_f32.txt"
#include "golden/upconvert_fp8_ds_mla.txt"
#undef GOLDEN

/* Rows of one page, gathered in order: those given, as many as there are. */
static void build_rows(op_call *call, const kvf_variant *variant, const uint8_t *rows,
                       int64_t count) {
  gather_context context = gather_small(&op, variant);
  context.what.starts = STARTS_NONE;
  context.what.limits = LIMITS_NONE;
  gather_build_small(call, &context);
  /* The first sequence has the pages 5 and 1, of 4 rows each; the others begin behind it. */
  for (int64_t row = 0; row < count; ++row) {
    memcpy(operand_at(&call->operands[0], row < 4 ? 5 : 1, row % 4, 0, 0), rows + row * BYTES,
           BYTES);
  }
  for (int64_t b = 1; b < 3; ++b) {
    operand_put_index(&call->operands[3], b, 0, count);
  }
  call->operands[1].view.shape[0] = count;
  op_call_upload(call);
}

/* Rows whose floats were derived by other means than this test's oracle. */
static void test_golden(void) {
  static const struct {
    kvf_dtype scalar;
    const uint8_t *floats;
  } files[] = {{KVF_F32, upconvert_fp8_ds_mla_f32},
               {KVF_F16, upconvert_fp8_ds_mla_f16},
               {KVF_BF16, upconvert_fp8_ds_mla_bf16}};
  if (!need_backend()) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(files); ++i) {
    const kvf_variant *variant = kvf_select(OP, options.backend, files[i].scalar, KVF_FP8_DS_MLA);
    if (variant == NULL) {
      continue;
    }
    const int64_t count = sizeof upconvert_fp8_ds_mla_rows / BYTES;
    op_call call;
    build_rows(&call, variant, upconvert_fp8_ds_mla_rows, count);
    const uint64_t before = faults_before(options.backend);
    const kvf_status status = op_call_invoke(&call, typed);
    const size_t bytes = (LATENT + ROPE) * (size_t)kvf_dtype_bits(files[i].scalar) / 8;
    for (int64_t row = 0; row < count; ++row) {
      memcpy(operand_at(&call.operands[1], row, 0, 0, 0), files[i].floats + (size_t)row * bytes,
             bytes);
    }
    (void)expect_done(options.backend, status, before, 0, variant->symbol);
    (void)op_call_verify(&call, variant->symbol);
    op_call_free(&call);
    count_case(variant);
  }
}

/* What the writer's golden rows were made of comes back, to half a unit in the last place of E4M3.
 */
static void test_round_trip(void) {
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_F32, KVF_FP8_DS_MLA);
  if (!need_backend() || variant == NULL) {
    return;
  }
  const int64_t count = sizeof fp8_ds_mla_f32_bf16_rows / BYTES;
  op_call call;
  build_rows(&call, variant, fp8_ds_mla_f32_bf16_rows, count);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = op_call_invoke(&call, typed);
  const gather_case what = {.variant = variant};
  int compared = 0;
  for (int64_t row = 0; row < count; ++row) {
    uint8_t *floats = operand_at(&call.operands[1], row, 0, 0, 0);
    expect_row(&call, &what, fp8_ds_mla_f32_bf16_rows + row * BYTES, floats);
    for (int64_t i = 0; i < LATENT + ROPE; ++i) {
      const double source =
          oracle_value(KVF_BF16, fp8_ds_mla_f32_bf16_sources + (row * (LATENT + ROPE) + i) * 2);
      const double got = oracle_value(KVF_F32, floats + 4 * i);
      float scale = 0;
      memcpy(&scale, fp8_ds_mla_f32_bf16_rows + row * BYTES + LATENT + i % LATENT / 128 * 4, 4);
      if (!isfinite(source) || !isfinite(scale)) {
        continue;
      }
      /* 3 mantissa bits, and subnormals that are 2^-9 apart; the quotient was rounded, too. */
      const double most = fmax(fabs(source) * 0x1.00001p-4, (double)scale * 0x1.00001p-10);
      EXPECT(i < LATENT ? fabs(got - source) <= most : got == source,
             "row %d, element %d: %g became %g", (int)row, (int)i, source, got);
      ++compared;
    }
  }
  EXPECT(compared > 2000, "only %d elements were compared", compared);
  (void)expect_done(options.backend, status, before, 0, "round trip");
  (void)op_call_verify(&call, "round trip");
  op_call_free(&call);
  count_case(variant);
}

/* ---- rows of the host
 * -------------------------------------------------------------------------------------- */

enum { PAGES = 3, VIRTUAL_PAGES = 9, HOST_ROWS = 11, DST_ROWS = 13, SEQUENCES = 2 };

static const int64_t starts[] = {1, 6};  /* row 0 is nobody's */
static const int64_t offsets[] = {0, 2}; /* seq_starts */

typedef struct mapped_case {
  const kvf_variant *variant;
  int64_t block_size;
  int64_t pad;            /* bytes between rows, of all kinds */
  int src_offset, offset; /* bytes from a multiple of 16, of src_cache and of the host's */
  int entry;
  bool wide;  /* the block table is int64 */
  bool plane; /* the maps are of rank 2 */
  bool late;  /* with seq_starts */
  uint64_t seed;
} mapped_case;

/* The last page, and of small pages more, is not in the maps as a whole. */
static int64_t virtual_rows(const mapped_case *what) {
  return VIRTUAL_PAGES * what->block_size - 2;
}

/* An element of a map. */
static int64_t map_at(const op_call *call, int which, int64_t number) {
  const operand *map = &call->operands[which];
  const int64_t columns = map->view.rank == 2 ? map->view.shape[1] : 1;
  return operand_get_index(map, number / columns, number % columns);
}

static void put_map(op_call *call, int which, int64_t number, int64_t value) {
  operand *map = &call->operands[which];
  const int64_t columns = map->view.rank == 2 ? map->view.shape[1] : 1;
  operand_put_index(map, number / columns, number % columns, value);
}

static void build_mapped(op_call *call, const void *context) {
  const mapped_case *what = context;
  const int64_t block_size = what->block_size;
  const int64_t row = BYTES + what->pad;
  const int64_t width = (DST_ROWS + 2) / block_size + 1;
  const int64_t numbers = virtual_rows(what);
  const DLDataType byte = {kDLUInt, 8, 1};
  const DLDataType index = {kDLInt, 32, 1};
  uint64_t state = what->seed;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  operand_make(call, SRC_CACHE, byte, 3, (int64_t[]){PAGES, block_size, BYTES},
               (int64_t[]){block_size * row, row, 1}, what->src_offset, 32, what->seed);
  operand_make(call, DST, dl_dtype(kvf_scalar_of(what->variant)), 2,
               (int64_t[]){DST_ROWS, LATENT + ROPE}, (int64_t[]){LATENT + ROPE + what->pad, 1}, 0,
               32, what->seed + 1);
  operand_make_on_host(call, HOST_CACHE, what->seed % 2 ? byte : dl_dtype(KVF_FP8_E4M3), 2,
                       (int64_t[]){HOST_ROWS, BYTES}, (int64_t[]){row, 1}, what->offset, 32,
                       what->seed + 2);
  operand_make(call, BLOCK_TABLE, what->wide ? (DLDataType){kDLInt, 64, 1} : index, 2,
               (int64_t[]){SEQUENCES, width}, (int64_t[]){width, 1}, 0, 16, what->seed + 3);
  operand_make(call, WORKSPACE_STARTS, index, 1, (int64_t[]){SEQUENCES}, (int64_t[]){1}, 4, 0, 0);
  if (what->late) {
    operand_make(call, SEQ_STARTS, index, 1, (int64_t[]){SEQUENCES}, (int64_t[]){1}, 4, 0, 0);
  }
  const int64_t planes = numbers % 2 == 0 ? 2 : 1;
  for (int which = HOST_ROW_IDS; which <= DEVICE_ROW_IDS; ++which) {
    const int64_t flat[] = {numbers};
    const int64_t plane[] = {planes, numbers / planes};
    operand_make(call, which, index, what->plane ? 2 : 1, what->plane ? plane : flat,
                 what->plane ? (int64_t[]){plane[1], 1} : (int64_t[]){1, 0}, 4, 0, 0);
  }
  for (int64_t b = 0; b < SEQUENCES; ++b) {
    operand_put_index(&call->operands[WORKSPACE_STARTS], b, 0, starts[b]);
    if (what->late) {
      operand_put_index(&call->operands[SEQ_STARTS], b, 0, offsets[b]);
    }
    for (int64_t page = 0; page < width; ++page) {
      operand_put_index(&call->operands[BLOCK_TABLE], b, page,
                        random_below(&state, numbers / block_size));
    }
  }
  for (int64_t number = 0; number < numbers; ++number) {
    const bool on_device = random_below(&state, 2);
    put_map(call, DEVICE_ROW_IDS, number,
            on_device ? random_below(&state, PAGES * block_size) : -1 - number);
    put_map(call, HOST_ROW_IDS, number,
            on_device ? INT32_MAX - number : random_below(&state, HOST_ROWS));
  }
  call->values[BATCH_SIZE] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = SEQUENCES};
}

/* The source of a virtual row, by the maps; NULL if there is none. */
static const uint8_t *source_of(const op_call *call, const mapped_case *what, int64_t number) {
  if (number < 0 || number >= virtual_rows(what)) {
    return NULL;
  }
  const int64_t row = map_at(call, DEVICE_ROW_IDS, number);
  if (row >= 0) {
    return row < PAGES * what->block_size
               ? operand_at(&call->operands[SRC_CACHE], row / what->block_size,
                            row % what->block_size, 0, 0)
               : NULL;
  }
  const int64_t other = map_at(call, HOST_ROW_IDS, number);
  return other >= 0 && other < HOST_ROWS ? operand_at(&call->operands[HOST_CACHE], other, 0, 0, 0)
                                         : NULL;
}

/* Notes what the call should write; returns the rows without a source, which become zeros. */
static uint64_t expect_mapped(const op_call *call, const mapped_case *what) {
  const gather_case gathered = {.variant = what->variant};
  const size_t bytes = (LATENT + ROPE) * (size_t)kvf_dtype_bits(kvf_scalar_of(what->variant)) / 8;
  uint64_t missing = 0;
  for (int64_t row = starts[0]; row < DST_ROWS; ++row) {
    const int64_t b = row >= starts[1];
    const int64_t position = row - starts[b] + (what->late ? offsets[b] : 0);
    const int64_t page =
        operand_get_index(&call->operands[BLOCK_TABLE], b, position / what->block_size);
    const bool known = page >= 0 && page < VIRTUAL_PAGES;
    const uint8_t *source =
        source_of(call, what, known ? page * what->block_size + position % what->block_size : -1);
    uint8_t *dst = operand_at(&call->operands[DST], row, 0, 0, 0);
    if (source != NULL) {
      expect_row(call, &gathered, source, dst);
    } else {
      memset(dst, 0, bytes);
      ++missing;
    }
  }
  return missing;
}

static kvf_status invoke_mapped(op_call *call, const mapped_case *what) {
  if (what->entry != ENTRY_RAW) {
    return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
  }
  const operand *table = &call->operands[BLOCK_TABLE];
  const kvf_cp_gather_and_upconvert_fp8_kv_cache_params params = {
      .src_cache = operand_view(&call->operands[SRC_CACHE]),
      .dst = operand_view(&call->operands[DST]),
      .table = {.entries = operand_view(table).data,
                .index_bytes = table->view.dtype.bits / 8,
                .stride = table->view.stride[0],
                .starts = operand_view(&call->operands[WORKSPACE_STARTS]).data,
                .offsets = what->late ? operand_view(&call->operands[SEQ_STARTS]).data : NULL,
                .num_sequences = SEQUENCES,
                .width = table->view.shape[1],
                .num_blocks = PAGES,
                .block_size = what->block_size},
      .num_rows = DST_ROWS,
      .rows_per_tile = -1,
      .vector_elements = -1,
      .streaming = -1,
      .host_cache = operand_view(&call->operands[HOST_CACHE]),
      .host_row_ids = operand_view(&call->operands[HOST_ROW_IDS]).data,
      .device_row_ids = operand_view(&call->operands[DEVICE_ROW_IDS]).data,
      .num_virtual_rows = virtual_rows(what),
      .num_host_rows = HOST_ROWS,
      .mapped = 1,
      .num_pages = -1,
  };
  return kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(call->given_exec, what->variant, &params);
}

static mapped_case mapped_of(const kvf_variant *variant, uint64_t i) {
  static const int64_t sizes[] = {4, 1, 16, 3};
  return (mapped_case){.variant = variant,
                       .block_size = sizes[i % TEST_COUNT(sizes)],
                       .pad = i / 2 % 3 * 8,
                       .src_offset = i % 5 == 3 ? 4 : 0,
                       .offset = i % 7 == 5 ? 1 : 0,
                       .entry = (int)(i % ENTRIES),
                       .wide = i / 3 % 2,
                       .plane = i / 2 % 2,
                       .late = i / 4 % 2,
                       .seed = options.seed * 100 + i};
}

static void test_host_rows(void) {
  for (int v = 0; need_backend() && v < OP->num_variants; ++v) {
    for (uint64_t i = 0; writer_wants(&OP->variants[v]) && i < 36; ++i) {
      const mapped_case what = mapped_of(&OP->variants[v], i);
      op_call call;
      build_mapped(&call, &what);
      op_call_upload(&call);
      vary_order(what.seed);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = invoke_mapped(&call, &what);
      EXPECT(expect_mapped(&call, &what) == 0, "every row has a source");
      (void)expect_done(options.backend, status, before, 0, what.variant->symbol);
      (void)op_call_verify(&call, what.variant->symbol);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* Numbers that lead nowhere: refused on the CPU; on CUDA rows of zeros, counted. */
static void test_host_rows_out_of_range(void) {
  static const struct {
    int which; /* BLOCK_TABLE: of the first page of the second sequence; else of its first row */
    bool wide;
    int64_t number;
    const char *blamed;
  } bad_numbers[] = {
      {BLOCK_TABLE, false, VIRTUAL_PAGES, "block_table: element [1, 0] is 9, want 0 to 8"},
      {BLOCK_TABLE, false, -1, "block_table: element [1, 0] is -1, want 0 to 8"},
      {BLOCK_TABLE, true, INT64_C(1) << 32, "block_table: element [1, 0] is 4294967296, want 0 to"},
      {BLOCK_TABLE, false, VIRTUAL_PAGES - 1, "block_table: a row is number 34, want less than 34"},
      {DEVICE_ROW_IDS, false, 4 * PAGES, "is 12, want less than 3 blocks of 4 rows"},
      {DEVICE_ROW_IDS, false, INT32_MAX, "is 2147483647, want less than 3 blocks"},
      {HOST_ROW_IDS, false, HOST_ROWS, "is 11, want 0 to 10"},
      {HOST_ROW_IDS, false, -1, "is -1, want 0 to 10"},
      {HOST_ROW_IDS, false, INT32_MIN, "is -2147483648, want 0 to 10"},
  };
  for (int v = 0; need_backend() && v < OP->num_variants; ++v) {
    for (size_t i = 0; writer_wants(&OP->variants[v]) && i < ENTRIES * TEST_COUNT(bad_numbers);
         ++i) {
      const size_t k = i / ENTRIES;
      const mapped_case what = {.variant = &OP->variants[v],
                                .block_size = 4,
                                .entry = (int)(i % ENTRIES),
                                .wide = bad_numbers[k].wide,
                                .seed = options.seed + i};
      op_call call;
      build_mapped(&call, &what);
      const int64_t first = 4 * operand_get_index(&call.operands[BLOCK_TABLE], 1, 0);
      if (bad_numbers[k].which == BLOCK_TABLE) {
        operand_put_index(&call.operands[BLOCK_TABLE], 1, 0, bad_numbers[k].number);
      } else {
        put_map(&call, DEVICE_ROW_IDS, first, -1);
        put_map(&call, bad_numbers[k].which, first, bad_numbers[k].number);
      }
      op_call_upload(&call);
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = invoke_mapped(&call, &what);
      if (options.backend == KVF_CUDA) {
        const uint64_t missing = expect_mapped(&call, &what);
        EXPECT(missing > 0, "%s: the test is without effect", bad_numbers[k].blamed);
        (void)expect_done(KVF_CUDA, status, before, missing, bad_numbers[k].blamed);
      } else {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), bad_numbers[k].blamed);
      }
      (void)op_call_verify(&call, bad_numbers[k].blamed);
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* Without pages all rows are the host's; without rows nothing is looked at. */
static void test_host_alone(void) {
  for (int v = 0; need_backend() && v < OP->num_variants; ++v) {
    for (int i = 0; writer_wants(&OP->variants[v]) && i < 2; ++i) {
      const mapped_case what = {.variant = &OP->variants[v], .block_size = 4, .seed = 5};
      op_call call;
      build_mapped(&call, &what);
      for (int64_t number = 0; i == 0 && number < virtual_rows(&what); ++number) {
        put_map(&call, DEVICE_ROW_IDS, number, -1);
        put_map(&call, HOST_ROW_IDS, number, number % HOST_ROWS);
      }
      op_call_upload(&call);
      const buffer nowhere = {.backend = options.backend};
      tensor *without = &call.operands[i == 0 ? SRC_CACHE : DST].view;
      without->shape[0] = 0;
      without->memory = &nowhere;
      without->start = 0;
      const uint64_t before = faults_before(options.backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (i == 0) {
        (void)expect_mapped(&call, &what);
      }
      (void)expect_done(options.backend, status, before, 0, i == 0 ? "no pages" : "no rows");
      (void)op_call_verify(&call, i == 0 ? "no pages" : "no rows");
      op_call_free(&call);
      count_case(what.variant);
    }
  }
}

/* A kernel cannot read what is not pinned. */
static void test_not_pinned(void) {
  const kvf_variant *variant = need_backend() ? gather_first_variant(&op) : NULL;
  if (variant == NULL || options.backend == KVF_CPU) {
    return;
  }
  const mapped_case what = {.variant = variant, .block_size = 4, .seed = 6};
  op_call call;
  build_mapped(&call, &what);
  buffer other = buffer_make(KVF_CPU, call.operands[HOST_CACHE].memory.size, 7);
  call.operands[HOST_CACHE].view.memory = &other;
  op_call_upload(&call);
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "host_cache: ");
  EXPECT_TEXT(kvf_last_error(), "want pinned memory");
  (void)op_call_verify(&call, "memory that is not pinned");
  op_call_free(&call);
  buffer_free(&other);
  count_case(variant);
}

/* ---- bad arguments
 * ----------------------------------------------------------------------------------- */

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no src_cache", ON_BOTH, "src_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "src_cache", "NULL", "want a tensor"},
  {"no dst", ON_BOTH, "dst", SPOIL_NULL, 0, 0, NULL, VALUE_, "dst", "NULL", "want a tensor"},
  {"no block_table", ON_BOTH, "block_table", SPOIL_NULL, 0, 0, NULL, VALUE_, "block_table", "NULL", "want a tensor"},
  {"no workspace_starts", ON_BOTH, "workspace_starts", SPOIL_NULL, 0, 0, NULL, VALUE_, "workspace_starts", "NULL", "want a tensor"},
  {"src_cache of rank 2", ON_BOTH, "src_cache", SPOIL_RANK, 0, 2, NULL, VALUE_, "src_cache", "rank is 2", "want 3"},
  {"dst of rank 3", ON_BOTH, "dst", SPOIL_RANK, 0, 3, NULL, VALUE_, "dst", "rank is 3", "want 2"},
  {"576 bytes", ON_BOTH, "src_cache", SPOIL_SIZE, 2, 576, NULL, VALUE_, "src_cache", "(bytes of a row) is 576", "want 656"},
  {"512 elements", ON_BOTH, "dst", SPOIL_SIZE, 1, 512, NULL, VALUE_, "dst", "(elements of a row) is 512", "want 576"},
  {"stride of src_cache", ON_BOTH, "src_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "src_cache", "stride of dimension 2", "want 1"},
  {"stride of dst", ON_BOTH, "dst", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "dst", "stride of dimension 1", "want 1"},
  {"overlapping dst", ON_BOTH, "dst", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "dst", "(num_rows) is 0", "do not overlap"},
  {"src_cache is float8_e5m2", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLFloat8_e5m2, 8, NULL, TYPE, "src_cache", "float8_e5m2", "want float8_e4m3fn or uint8"},
  {"src_cache is int8", ON_BOTH, "src_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "src_cache", "int8", "want float8_e4m3fn or uint8"},
  {"dst is float64", ON_BOTH, "dst", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "dst", "float64", "want float32, float16, bfloat16"},
  {"block_table is int16", ON_BOTH, "block_table", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "block_table", "int16", "want int32, int64"},
  {"workspace_starts is int64", ON_BOTH, "workspace_starts", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "workspace_starts", "int64", "want int32"},
  {"short workspace_starts", ON_BOTH, "workspace_starts", SPOIL_SIZE, 0, 2, NULL, VALUE_, "workspace_starts", "(num_sequences) is 2", "want 3"},
  {"strided workspace_starts", ON_BOTH, "workspace_starts", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "workspace_starts", "stride is 2", "want 1"},
  {"short seq_starts", ON_BOTH, "seq_starts", SPOIL_SIZE, 0, 2, NULL, VALUE_, "seq_starts", "(num_sequences) is 2", "want 3"},
  {"short seq_lens", ON_BOTH, "seq_lens", SPOIL_SIZE, 0, 2, NULL, VALUE_, "seq_lens", "(num_sequences) is 2", "want 3"},
  {"seq_lens is float32", ON_BOTH, "seq_lens", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "seq_lens", "float32", "want int32"},
  {"more sequences", ON_BOTH, "batch_size", SPOIL_INT, 0, 4, NULL, VALUE_, "block_table", "has 3 rows", "want at least 4 (batch_size)"},
  {"negative batch_size", ON_BOTH, "batch_size", SPOIL_INT, 0, -1, NULL, VALUE_, "batch_size", "got -1", "want 0 or more"},
  {"dst on the CPU", ON_CUDA, "dst", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "dst", "on the CPU", "want CUDA device 0"},
  {"dst on CUDA", ON_CPU, "dst", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "dst", "on CUDA device 0", "want the CPU"},
  {"no address", ON_BOTH, "dst", SPOIL_DATA, 0, 0, NULL, VALUE_, "dst", "data is NULL", "want an address"},
  {"descending workspace_starts", ON_CPU, "workspace_starts", SPOIL_INDEX, 2, 4, NULL, VALUE_, "workspace_starts", "are 5 and 4", "ascending"},
  {"negative workspace_starts", ON_CPU, "workspace_starts", SPOIL_INDEX, 0, -1, NULL, VALUE_, "workspace_starts", "are -1 and 5", "from 0 on"},
};

static const bad_argument bad_mapped[] = {
  {"no host_cache", ON_BOTH, "host_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "host_cache", "got None", "go together"},
  {"no host_row_ids", ON_BOTH, "host_row_ids", SPOIL_NULL, 0, 0, NULL, VALUE_, "host_row_ids", "got None", "go together"},
  {"no device_row_ids", ON_BOTH, "device_row_ids", SPOIL_NULL, 0, 0, NULL, VALUE_, "device_row_ids", "got None", "go together"},
  {"host_cache of rank 3", ON_BOTH, "host_cache", SPOIL_RANK, 0, 3, NULL, VALUE_, "host_cache", "rank is 3", "want 2"},
  {"655 bytes", ON_BOTH, "host_cache", SPOIL_SIZE, 1, 655, NULL, VALUE_, "host_cache", "(bytes of a row) is 655", "want 656"},
  {"stride of host_cache", ON_BOTH, "host_cache", SPOIL_STRIDE, 1, 2, NULL, VALUE_, "host_cache", "stride of dimension 1", "want 1"},
  {"host_cache is int16", ON_BOTH, "host_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "host_cache", "int16", "want float8_e4m3fn or uint8"},
  {"host_cache on CUDA", ON_CUDA, "host_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "host_cache", "device type 2", "want the CPU"},
  {"host_cache has no data", ON_BOTH, "host_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "host_cache", "data is NULL", "want an address"},
  {"host_row_ids of rank 3", ON_BOTH, "host_row_ids", SPOIL_RANK, 0, 3, NULL, VALUE_, "host_row_ids", "rank is 3", "want 1"},
  {"host_row_ids is int64", ON_BOTH, "host_row_ids", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "host_row_ids", "int64", "want int32"},
  {"strided device_row_ids", ON_BOTH, "device_row_ids", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "device_row_ids", "is 2", "want 1"},
  {"fewer device_row_ids", ON_BOTH, "device_row_ids", SPOIL_SIZE, 0, 33, NULL, VALUE_, "device_row_ids", "has 33 elements", "want 34 as in host_row_ids"},
  {"device_row_ids on the CPU", ON_CUDA, "device_row_ids", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "device_row_ids", "on the CPU", "want CUDA device 0"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  const kvf_variant *variant = gather_first_variant(&op);
  if (need_backend() && variant != NULL) {
    const gather_context context = gather_small(&op, variant);
    op_call_test_overlap(gather_build_small, &context, typed, "dst", "src_cache");
    op_call_test_bad(gather_build_small, &context, typed, bad, TEST_COUNT(bad));
    const mapped_case mapped = {.variant = variant, .block_size = 4, .seed = 8};
    op_call_test_overlap(build_mapped, &mapped, typed, "dst", "host_cache");
    op_call_test_bad(build_mapped, &mapped, typed, bad_mapped, TEST_COUNT(bad_mapped));
  }
}

static void test_bad_params(void) {
  const kvf_variant *variant = gather_first_variant(&op);
  if (!need_backend() || variant == NULL) {
    return;
  }
  static int32_t numbers[4];
  char address[16];
  const kvf_view view = {.data = address, .stride = {1024, 1024, 1}};
  const kvf_cp_gather_and_upconvert_fp8_kv_cache_params good = {.src_cache = view,
                                                                .dst = view,
                                                                .num_rows = 1,
                                                                .table = {.entries = numbers,
                                                                          .index_bytes = 4,
                                                                          .stride = 1,
                                                                          .starts = numbers,
                                                                          .num_sequences = 1,
                                                                          .width = 1,
                                                                          .num_blocks = 1,
                                                                          .block_size = 1}};
  struct {
    kvf_cp_gather_and_upconvert_fp8_kv_cache_params params;
    const char *member;
  } rows[] = {{good, "src_cache"},        {good, "dst"},
              {good, "num_rows"},         {good, "block_size"},
              {good, "workspace_starts"}, {good, "num_virtual_rows"},
              {good, "num_host_rows"},    {good, "device_row_ids"},
              {good, "host_cache"}};
  rows[0].params.src_cache.data = NULL;
  rows[1].params.dst.data = NULL;
  rows[2].params.num_rows = -1;
  rows[3].params.table.block_size = 0;
  rows[4].params.table.starts = NULL;
  for (size_t i = 5; i < TEST_COUNT(rows); ++i) {
    rows[i].params.mapped = 1;
    rows[i].params.num_virtual_rows = rows[i].params.num_host_rows = 1;
    rows[i].params.host_row_ids = rows[i].params.device_row_ids = numbers;
  }
  rows[5].params.num_virtual_rows = -1;
  rows[6].params.num_host_rows = -1;
  rows[7].params.device_row_ids = NULL;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(NULL, variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  EXPECT_STATUS(kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(NULL, NULL, &good),
                KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "variant");
}

CU_TestInfo cp_gather_and_upconvert_fp8_kv_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"pages and rows beyond 2^31", test_far},
    {"indices out of range", test_out_of_range},
    {"golden rows", test_golden},
    {"golden rows of the writer", test_round_trip},
    {"rows of the host", test_host_rows},
    {"rows of the host out of range", test_host_rows_out_of_range},
    {"no pages, no rows", test_host_alone},
    {"host memory that is not pinned", test_not_pinned},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
