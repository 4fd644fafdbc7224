#include "gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "region.h"
#include "writer.h"

static const int64_t block_sizes[] = {1, 3, 16, 64, 1024};

static const DLDataType int32 = {kDLInt, 32, 1};
static const DLDataType int64 = {kDLInt, 64, 1};

/* A dtype of tensors that hold this; formats are bytes. */
static DLDataType stored_dtype(kvf_dtype dtype, bool as_uint8) {
  const bool bytes = as_uint8 || (dtype != KVF_FP8_E4M3 && dtype != KVF_FP8_E5M2);
  return kvf_dtype_bits(dtype) == 8 && bytes ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(dtype);
}

/* ---- plans
 * --------------------------------------------------------------------------------------- */

static int64_t length_of(int kind, int64_t sequence, uint64_t *state) {
  switch (kind) {
  case LENGTHS_ONE:
    return 1;
  case LENGTHS_MANY:
    return random_below(state, 4);
  case LENGTHS_LONG:
    return 150;
  case LENGTHS_DEEP:
    return 600 + random_below(state, 100);
  default:
    return sequence % 3 == 1 ? 0 : random_below(state, 40);
  }
}

/* Positions in pages, of every row that some sequence has. */
static void locate_rows(gather_plan *plan, const gather_case *what, bool workspace) {
  for (int64_t row = 0; row < plan->num_rows; ++row) {
    plan->sequence[row] = -1;
    for (int64_t b = 0; b < plan->num_sequences; ++b) {
      const bool last = b + 1 == plan->num_sequences;
      const int64_t end = workspace && last ? plan->num_rows : plan->starts[b + 1];
      const int64_t place = row - plan->starts[b];
      if (place < 0 || row >= end || (what->limits != LIMITS_NONE && place >= plan->lengths[b])) {
        continue;
      }
      const int64_t position = place + (what->starts != STARTS_NONE ? plan->offsets[b] : 0);
      plan->sequence[row] = b;
      plan->page[row] = position / what->block_size;
      plan->offset[row] = position % what->block_size;
    }
  }
}

void gather_make_plan(gather_plan *plan, const gather_case *what, bool workspace) {
  static const int counts[LENGTHS_KINDS + 1] = {0, 1, 7, 33, 5, 5, 5, 4, 1, 5};
  uint64_t state = what->seed;
  memset(plan, 0, sizeof *plan);
  plan->num_sequences = counts[what->lengths];
  plan->num_blocks = 3 + random_below(&state, 6);
  int64_t row = what->lengths == LENGTHS_LATE ? 3 : 0;
  plan->starts[0] = (int32_t)row;
  for (int64_t b = 0; b < plan->num_sequences; ++b) {
    const int64_t length = length_of(what->lengths, b, &state);
    row += length;
    plan->starts[b + 1] = (int32_t)row;
    plan->offsets[b] =
        (int32_t)(what->starts == STARTS_PAGES ? what->block_size * random_below(&state, 3)
                                               : random_below(&state, 2 * what->block_size + 1));
    plan->lengths[b] =
        (int32_t)(what->limits == LIMITS_SHORTER ? length / 2 : random_below(&state, 45) - 2);
  }
  plan->num_rows = what->lengths == LENGTHS_NONE      ? 5
                   : what->lengths == LENGTHS_TAIL    ? row + 4
                   : what->lengths == LENGTHS_CUT     ? row / 2
                   : what->lengths == LENGTHS_NO_ROWS ? 0
                                                      : row;
  locate_rows(plan, what, workspace);
  /* Entries that no row needs point nowhere; of wide ones the lower half would be a page. */
  for (int64_t b = 0; b < GATHER_SEQUENCES; ++b) {
    for (int64_t page = 0; page < GATHER_WIDTH; ++page) {
      const int64_t beyond = what->wide ? INT64_C(1) << 32 : plan->num_blocks;
      plan->table[b][page] = page % 2 ? -1 - page : beyond + page;
    }
  }
  for (int64_t i = 0; i < plan->num_rows; ++i) {
    if (plan->sequence[i] >= 0) {
      int64_t *entry = &plan->table[plan->sequence[i]][plan->page[i]];
      const bool fresh = *entry < 0 || *entry >= plan->num_blocks;
      *entry = fresh ? random_below(&state, plan->num_blocks) : *entry;
      plan->width = plan->page[i] + 1 > plan->width ? plan->page[i] + 1 : plan->width;
    }
  }
  plan->width += random_below(&state, 2);
}

/* ---- calls
 * --------------------------------------------------------------------------------------- */

static void make_vector(op_call *call, const char *argument, const int32_t *numbers, int64_t count,
                        int64_t extra, uint64_t seed) {
  const int position = op_call_position(call, argument);
  const int64_t size = count + extra;
  operand_make(call, position, int32, 1, &size, (const int64_t[]){1}, 4, 0, seed);
  for (int64_t i = 0; i < count; ++i) {
    operand_put_index(&call->operands[position], i, 0, numbers[i]);
  }
}

void gather_make_tables(op_call *call, const gather_op *op, const gather_case *what,
                        const gather_plan *plan) {
  const int64_t extra = what->longer && op->workspace ? 2 : 0;
  const int64_t more_rows = what->longer ? 3 : 0;
  const int position = op_call_position(call, "block_table");
  const int64_t shape[] = {plan->num_sequences + more_rows, plan->width};
  const int64_t stride[] = {plan->width + (what->seed % 2 ? 3 : 0), 1};
  operand_make(call, position, what->wide ? int64 : int32, 2, shape, stride, 0, 16, what->seed + 1);
  for (int64_t b = 0; b < plan->num_sequences; ++b) {
    for (int64_t page = 0; page < plan->width; ++page) {
      operand_put_index(&call->operands[position], b, page, plan->table[b][page]);
    }
  }
  make_vector(call, op->workspace ? "workspace_starts" : "cu_seq_lens", plan->starts,
              plan->num_sequences + !op->workspace, extra, what->seed + 2);
  if (what->starts != STARTS_NONE) {
    make_vector(call, "seq_starts", plan->offsets, plan->num_sequences, more_rows, what->seed + 3);
  }
  if (what->limits != LIMITS_NONE) {
    make_vector(call, "seq_lens", plan->lengths, plan->num_sequences, extra, what->seed + 4);
  }
}

static void source_strides(const gather_case *what, const int64_t shape[3], int64_t stride[3]) {
  static const char *const orders[SOURCE_KINDS] = {"012", "012", "012", "102", "012"};
  static const int pads[SOURCE_KINDS] = {0, 3, 64, 0, 0};
  lay_out(stride, shape, orders[what->source], 1, pads[what->source]);
  if (what->source == SOURCE_REVERSED) {
    stride[0] = -stride[0];
  }
}

static void build(op_call *call, const gather_op *op, const gather_case *what,
                  const gather_plan *plan) {
  *call = (op_call){.op = op->op, .exec = {.backend = options.backend}};
  if (what->exec != 0) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->exec;
    call->exec.stream = options.backend == KVF_CUDA && what->exec == 1 ? own_stream() : NULL;
  }
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const int64_t elements = op->dst_elements ? op->dst_elements : what->entry_size;
  const int64_t shape[3] = {plan->num_blocks, what->block_size, what->entry_size};
  int64_t stride[3];
  source_strides(what, shape, stride);
  operand_make(call, op_call_position(call, "src_cache"), stored_dtype(cache, what->seed % 2), 3,
               shape, stride, what->source_offset * kvf_dtype_bits(cache) / 8, 32, what->seed + 5);
  const int64_t dst_shape[2] = {plan->num_rows, elements};
  static const int pads[DST_KINDS] = {0, 5, 16, 0};
  int64_t dst_stride[2] = {elements + pads[what->dst], 1};
  dst_stride[0] = what->dst == DST_REVERSED ? -dst_stride[0] : dst_stride[0];
  operand_make(call, op_call_position(call, "dst"), stored_dtype(scalar, true), 2, dst_shape,
               dst_stride, what->dst_offset * kvf_dtype_bits(scalar) / 8, 32, what->seed + 6);
  gather_make_tables(call, op, what, plan);
  op->more(call, what, plan);
}

/* Rows that come from `skipped`, an entry of the table, stay as they are. Returns how many. */
static uint64_t expect_rows(op_call *call, const gather_op *op, const gather_case *what,
                            const gather_plan *plan, const int64_t *skipped) {
  const operand *source = &call->operands[op_call_position(call, "src_cache")];
  const operand *dst = &call->operands[op_call_position(call, "dst")];
  uint64_t count = 0;
  for (int64_t row = 0; row < plan->num_rows; ++row) {
    if (plan->sequence[row] < 0) {
      continue;
    }
    const int64_t *entry = &plan->table[plan->sequence[row]][plan->page[row]];
    if (entry == skipped) {
      ++count;
      continue;
    }
    op->expect(call, what, operand_at(source, *entry, plan->offset[row], 0, 0),
               operand_at(dst, row, 0, 0, 0));
  }
  return count;
}

kvf_block_table gather_raw_table(const op_call *call, const gather_op *op, const gather_case *what,
                                 const gather_plan *plan) {
  const operand *entries = &call->operands[op_call_position(call, "block_table")];
  const char *starts = op->workspace ? "workspace_starts" : "cu_seq_lens";
  kvf_block_table table = {
      .entries = operand_view(entries).data,
      .stride = entries->view.stride[0],
      .index_bytes = entries->view.dtype.bits / 8,
      .starts = operand_view(&call->operands[op_call_position(call, starts)]).data,
      .num_sequences = plan->num_sequences,
      .width = plan->width,
      .num_blocks = plan->num_blocks,
      .block_size = what->block_size,
  };
  if (what->starts != STARTS_NONE) {
    table.offsets = operand_view(&call->operands[op_call_position(call, "seq_starts")]).data;
  }
  if (what->limits != LIMITS_NONE) {
    table.lengths = operand_view(&call->operands[op_call_position(call, "seq_lens")]).data;
  }
  return table;
}

static kvf_status invoke(op_call *call, const gather_op *op, const gather_case *what,
                         const gather_plan *plan) {
  if (what->entry == ENTRY_RAW) {
    const kvf_block_table table = gather_raw_table(call, op, what, plan);
    return op->raw(call, what, &table);
  }
  return op_call_invoke(call, what->entry == ENTRY_TYPED ? op->typed : NULL);
}

static void describe(const gather_case *what, const gather_plan *plan, char text[static 320]) {
  (void)snprintf(
      text, 320,
      "%s rows=%d sequences=%d entry_size=%d block=%d lengths=%d starts=%d limits=%d "
      "layouts=%d,%d offsets=%d,%d entry=%d exec=%d wide=%d variety=%d longer=%d seed=%llu",
      what->variant->symbol, (int)plan->num_rows, (int)plan->num_sequences, (int)what->entry_size,
      (int)what->block_size, what->lengths, what->starts, what->limits, what->source, what->dst,
      what->source_offset, what->dst_offset, what->entry, what->exec, (int)what->wide,
      what->variety, (int)what->longer, (unsigned long long)what->seed);
}

static bool run(const gather_op *op, const gather_case *what) {
  static gather_plan plan;
  char text[320];
  op_call call;
  gather_make_plan(&plan, what, op->workspace);
  describe(what, &plan, text);
  vary_order(what->seed);
  build(&call, op, what, &plan);
  op_call_upload(&call);
  (void)expect_rows(&call, op, what, &plan, NULL);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = invoke(&call, op, what, &plan);
  bool good = expect_done(options.backend, status, before, 0, text);
  good = op_call_verify(&call, text) && good;
  op_call_free(&call);
  count_case(what->variant);
  return good;
}

/* ---- tests
 * --------------------------------------------------------------------------------------- */

const kvf_variant *gather_first_variant(const gather_op *op) {
  for (int i = 0; i < op->op->num_variants; ++i) {
    if (writer_wants(&op->op->variants[i])) {
      return &op->op->variants[i];
    }
  }
  return NULL;
}

enum {
  A_BLOCK_SIZE,
  A_ENTRY_SIZE,
  A_LENGTHS,
  A_STARTS,
  A_LIMITS,
  A_SOURCE,
  A_DST,
  A_SOURCE_OFFSET,
  A_DST_OFFSET,
  A_ENTRY,
  A_EXEC,
  A_WIDE,
  A_VARIETY,
  A_LONGER,
  A_AXES
};

static bool has_argument(const gather_op *op, const char *name) {
  for (int i = 0; i < op->op->num_arguments; ++i) {
    if (strcmp(op->op->arguments[i].name, name) == 0) {
      return true;
    }
  }
  return false;
}

static double cost(const covering_row *row, const void *context) {
  static const int rows[LENGTHS_KINDS] = {5, 1, 60, 50, 60, 60, 60, 0, 150};
  const gather_op *op = context;
  /* Pages have to be made and compared, too. */
  return (double)op->entry_sizes[row->value[A_ENTRY_SIZE]] *
         (double)(rows[row->value[A_LENGTHS]] + 4 * block_sizes[row->value[A_BLOCK_SIZE]]);
}

void gather_test_matrix(const gather_op *op) {
  if (!need_backend()) {
    return;
  }
  covering plan = {
      .num_axes = A_AXES,
      .sizes =
          {
              [A_BLOCK_SIZE] = TEST_COUNT(block_sizes),
              [A_ENTRY_SIZE] = op->num_entry_sizes,
              [A_LENGTHS] = LENGTHS_KINDS,
              [A_STARTS] = has_argument(op, "seq_starts") ? STARTS_KINDS : 1,
              [A_LIMITS] = has_argument(op, "seq_lens") ? LIMITS_KINDS : 1,
              [A_SOURCE] = SOURCE_KINDS,
              [A_DST] = DST_KINDS,
              [A_SOURCE_OFFSET] = 4,
              [A_DST_OFFSET] = 4,
              [A_ENTRY] = ENTRIES,
              [A_EXEC] = 3,
              [A_WIDE] = 2,
              [A_VARIETY] = 8,
              [A_LONGER] = 2,
          },
      .cost = cost,
      .context = op,
      .limit = options.backend == KVF_CPU ? 300e3 : 60e3,
  };
  /* Vectors need both sides aligned: let half of the cases be. */
  static const int offsets[4] = {0, 8, 1, 3};
  const int rounds = options.exhaustive ? 8 : 1;
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    int failures = 0;
    for (int round = 0; writer_wants(variant) && round < 2 * rounds; ++round) {
      int count = 0;
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      const bool aligned = round % 2 == 0;
      plan.sizes[A_SOURCE_OFFSET] = plan.sizes[A_DST_OFFSET] = aligned ? 1 : 4;
      plan.sizes[A_SOURCE] = aligned ? 3 : SOURCE_KINDS;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        const int *value = rows[row].value;
        /* Without odd strides in an aligned round. */
        const int source =
            aligned && value[A_SOURCE] == SOURCE_PADDED ? SOURCE_REVERSED : value[A_SOURCE];
        const int dst = aligned && value[A_DST] == DST_PADDED ? DST_PADDED_ALIGNED : value[A_DST];
        const gather_case what = {
            .variant = variant,
            .block_size = block_sizes[value[A_BLOCK_SIZE]],
            .entry_size = op->entry_sizes[value[A_ENTRY_SIZE]],
            .lengths = value[A_LENGTHS],
            .starts = value[A_STARTS],
            .limits = value[A_LIMITS],
            .source = source,
            .dst = dst,
            .source_offset = offsets[value[A_SOURCE_OFFSET]],
            .dst_offset = offsets[value[A_DST_OFFSET]],
            .entry = value[A_ENTRY],
            .exec = value[A_EXEC],
            .wide = value[A_WIDE],
            .variety = value[A_VARIETY],
            .longer = value[A_LONGER],
            .seed = random_next(&state),
        };
        failures += !run(op, &what);
      }
      free(rows);
    }
  }
}

/* Long rows, past the points where rows are split between thread blocks and the CPU stores past its
 * caches, and rows as in real caches. */
void gather_test_large(const gather_op *op) {
  if (!need_backend()) {
    return;
  }
  const bool emulated = options.backend == KVF_CUDA && cuda.reset != NULL;
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    for (int k = 0; writer_wants(variant) && k < 5; ++k) {
      const int64_t wide = emulated ? 20000 : 70000;
      const bool deep = k >= 3; /* then thread blocks have several rows each */
      const gather_case what = {
          .variant = variant,
          .block_size = k == 1 ? 3 : 16,
          .entry_size = op->dst_elements ? op->entry_sizes[0]
                        : deep           ? 16 + 24 * (k % 2)
                                         : wide + k % 2,
          .lengths = deep       ? LENGTHS_DEEP
                     : emulated ? LENGTHS_ONE
                                : LENGTHS_LONG,
          .starts = STARTS_NONE,
          .source = SOURCE_DENSE,
          .dst = k == 2 ? DST_PADDED : DST_DENSE,
          .exec = k % 3,
          .variety = k,
          .seed = options.seed + (uint64_t)k,
      };
      if (!run(op, &what)) {
        break;
      }
    }
  }
}

/* Pages and rows that lie beyond 2^31 elements. */
void gather_test_far(const gather_op *op) {
  if (!need_backend()) {
    return;
  }
  const int64_t far = (INT64_C(1) << 31) + 64;
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    if (!writer_wants(variant)) {
      continue;
    }
    const gather_case what = {.variant = variant,
                              .block_size = 2,
                              .entry_size = op->entry_sizes[0],
                              .lengths = LENGTHS_ONE,
                              .seed = 3};
    static gather_plan plan;
    memset(&plan, 0, sizeof plan);
    /* Rows 0 to 3 from pages 1, 1, 0, 0. */
    plan = (gather_plan){.num_sequences = 1,
                         .num_rows = 4,
                         .num_blocks = 2,
                         .width = 2,
                         .starts = {0, 4},
                         .table = {{1, 0}}};
    op_call call;
    build(&call, op, &what, &plan);
    region memory[2] = {{.size = 0}};
    const char *const names[2] = {"src_cache", "dst"};
    buffer place[2];
    bool made = true;
    for (int side = 0; side < 2; ++side) {
      operand *each = &call.operands[op_call_position(&call, names[side])];
      const int64_t bytes = each->view.dtype.bits / 8;
      buffer_free(&each->memory);
      const int64_t reach = side == 0 ? far + 2 * what.entry_size : 3 * far + 1024;
      made = made && region_make(&memory[side], options.backend,
                                 (size_t)((reach + what.entry_size + 1024) * bytes));
      place[side] = (buffer){.backend = options.backend, .place = memory[side].place};
      each->view.memory = &place[side];
      each->view.start = 0;
      each->view.stride[0] = far;
    }
    if (!made) {
      skip_test("no room for tensors of 2^31 elements");
    } else {
      const operand *source = &call.operands[op_call_position(&call, "src_cache")];
      const operand *dst = &call.operands[op_call_position(&call, "dst")];
      const size_t row_bytes = (size_t)(what.entry_size * source->view.dtype.bits / 8);
      const size_t dst_bytes = (size_t)(dst->view.shape[1] * dst->view.dtype.bits / 8);
      uint8_t *rows = malloc(4 * row_bytes);
      uint8_t *want = malloc(dst_bytes);
      uint8_t *got = malloc(dst_bytes);
      uint64_t state = 11;
      for (size_t at = 0; at < 4 * row_bytes; ++at) {
        rows[at] = (uint8_t)random_next(&state);
      }
      for (int row = 0; row < 4; ++row) {
        const int64_t at = (row < 2 ? far : 0) + row % 2 * source->view.stride[1];
        region_put(&memory[0], at * source->view.dtype.bits / 8, rows + (size_t)row * row_bytes,
                   row_bytes);
      }
      op_call_upload(&call);
      const kvf_status status = op_call_invoke(&call, op->typed);
      (void)expect_done(options.backend, status, faults_before(options.backend), 0, "far rows");
      for (int row = 0; row < 4; ++row) {
        memset(want, 0, dst_bytes);
        op->expect(&call, &what, rows + (size_t)row * row_bytes, want);
        region_get(&memory[1], row * far * dst->view.dtype.bits / 8, got, dst_bytes);
        EXPECT(memcmp(got, want, dst_bytes) == 0, "%s: far row %d is wrong", variant->symbol, row);
      }
      count_case(variant);
      free(rows);
      free(want);
      free(got);
    }
    for (int side = 0; side < 2; ++side) {
      region_free(&memory[side]);
      call.operands[op_call_position(&call, names[side])].memory = (buffer){.size = 0};
    }
    op_call_free(&call);
  }
}

static const gather_case small_case = {
    .block_size = 4, .lengths = LENGTHS_MIXED, .entry = ENTRY_TYPED, .seed = 5};

/* 3 sequences of 5, 0 and 7 rows. */
void gather_make_small_plan(gather_plan *plan, const gather_case *what, bool workspace) {
  *plan = (gather_plan){.num_sequences = 3,
                        .num_rows = 12,
                        .num_blocks = 6,
                        .width = 3,
                        .starts = {0, 5, 5, 12},
                        .offsets = {0, 0, 2},
                        .lengths = {5, 0, 6},
                        .table = {{5, 1, -1}, {-1, -1, 6}, {0, 2, 4}}};
  locate_rows(plan, what, workspace);
}

gather_context gather_small(const gather_op *op, const kvf_variant *variant) {
  gather_context made = {op, small_case};
  made.what.variant = variant;
  made.what.entry_size = op->entry_sizes[0];
  made.what.starts = has_argument(op, "seq_starts") ? STARTS_ANY : STARTS_NONE;
  made.what.limits = has_argument(op, "seq_lens") ? LIMITS_ANY : LIMITS_NONE;
  return made;
}

void gather_build_small(op_call *call, const void *context) {
  const gather_context *given = context;
  static gather_plan plan;
  gather_make_small_plan(&plan, &given->what, given->op->workspace);
  build(call, given->op, &given->what, &plan);
}

/* An index that points nowhere. */
typedef struct stray {
  const char *argument;
  int64_t i, j;
  int64_t number;
  const char *blamed; /* by the CPU, with these words */
  const char *want;
} stray;

static void run_stray(const gather_op *op, const kvf_variant *variant, const stray *bad,
                      int entry) {
  static gather_plan plan;
  gather_context context = gather_small(op, variant);
  const gather_case *what = &context.what;
  context.what.entry = entry;
  context.what.wide = bad->number != (int32_t)bad->number;
  gather_make_small_plan(&plan, what, op->workspace);
  op_call call;
  build(&call, op, what, &plan);
  operand_put_index(&call.operands[op_call_position(&call, bad->argument)], bad->i, bad->j,
                    bad->number);
  op_call_upload(&call);
  char text[160];
  (void)snprintf(text, sizeof text, "%s: %s[%d, %d] = %lld", variant->symbol, bad->argument,
                 (int)bad->i, (int)bad->j, (long long)bad->number);
  const uint64_t before = faults_before(options.backend);
  uint64_t faults = 0;
  if (options.backend == KVF_CUDA) {
    if (strcmp(bad->argument, "block_table") == 0) {
      faults = expect_rows(&call, op, what, &plan, &plan.table[bad->i][bad->j]);
    } else {
      /* Rows of one sequence move by whole numbers: which of them are in the table still? */
      plan.offsets[bad->i] = (int32_t)bad->number;
      for (int64_t row = 0; row < plan.num_rows; ++row) {
        const int64_t b = plan.sequence[row];
        const int64_t position = b < 0 ? 0 : row - plan.starts[b] + (int64_t)plan.offsets[b];
        const int64_t page = position < 0 ? plan.width : position / what->block_size;
        if (b >= 0 && page >= plan.width) {
          plan.sequence[row] = -1;
          ++faults;
        } else if (b >= 0) {
          plan.page[row] = page;
          plan.offset[row] = position % what->block_size;
        }
      }
      (void)expect_rows(&call, op, what, &plan, NULL);
    }
    EXPECT(faults > 0, "%s: the test is without effect", text);
  }
  const kvf_status status = invoke(&call, op, what, &plan);
  if (options.backend == KVF_CUDA) {
    (void)expect_done(KVF_CUDA, status, before, faults, text);
  } else {
    EXPECT(status == KVF_OUT_OF_RANGE, "%s: %s", text, kvf_status_name(status));
    EXPECT_TEXT(kvf_last_error(), bad->blamed);
    EXPECT_TEXT(kvf_last_error(), bad->want);
  }
  (void)op_call_verify(&call, text);
  op_call_free(&call);
  count_case(variant);
}

void gather_test_out_of_range(const gather_op *op) {
  if (!need_backend()) {
    return;
  }
  static const stray strays[] = {
      {"block_table", 0, 1, -1, "block_table", "element [0, 1] is -1, want 0 to 5"},
      {"block_table", 0, 0, 6, "block_table", "element [0, 0] is 6, want 0 to 5"},
      {"block_table", 2, 1, INT32_MAX, "block_table", "element [2, 1] is 2147483647, want 0 to 5"},
      {"block_table", 2, 0, INT32_MIN, "block_table", "element [2, 0] is -2147483648, want 0 to 5"},
      {"block_table", 0, 1, INT64_C(1) << 32, "block_table", "element [0, 1] is 4294967296, want"},
      {"block_table", 2, 1, INT64_MAX, "block_table", "is 9223372036854775807, want 0 to 5"},
      {"block_table", 2, 0, INT64_MIN + 1, "block_table", "is -9223372036854775807, want 0 to 5"},
  };
  static const stray offsets[] = {
      {"seq_starts", 2, 0, -1, "seq_starts", "element 2 is -1, want 0 or more"},
      {"seq_starts", 2, 0, INT32_MIN, "seq_starts", "element 2 is -2147483648"},
      {"seq_starts", 2, 0, 9, "block_table", "sequence 2 needs 4 pages, has 3"},
      {"seq_starts", 2, 0, INT32_MAX, "block_table", "has 3"},
  };
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    for (int entry = 0; writer_wants(variant) && entry < ENTRIES; ++entry) {
      for (size_t k = 0; k < TEST_COUNT(strays); ++k) {
        run_stray(op, variant, &strays[k], entry);
      }
      for (size_t k = 0; k < TEST_COUNT(offsets) && has_argument(op, "seq_starts"); ++k) {
        run_stray(op, variant, &offsets[k], entry);
      }
    }
  }
}
