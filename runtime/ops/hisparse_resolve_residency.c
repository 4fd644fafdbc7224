#include <inttypes.h>
#include <string.h>

#include "core/cuda.h"
#include "kvforge/cache/residency.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/hot_rows.h"

#define OP (&kvf_op_hisparse_resolve_residency)

typedef kvf_hisparse_resolve_residency_params params_type;

/* ---- arguments
 * -------------------------------------------------------------------------------------- */

/* An optional output of the shape of the plan, or a vector of its rows. */
static void check_plan(kvf_check *check, const char *argument, const DLTensor *tensor,
                       kvf_dim *num_rows, kvf_dim *num_columns, kvf_view *view) {
  if (tensor != NULL) {
    kvf_check_plan(check, argument, tensor, num_rows, num_columns, view);
  }
}

static void check_vector(kvf_check *check, const char *argument, const DLTensor *tensor,
                         uint32_t accepted, kvf_dim *size, kvf_view *view) {
  if (tensor != NULL) {
    kvf_check_tensor(check, argument, tensor, accepted, 1, (kvf_dim *const[]){size}, view);
  }
}

static void check_same(kvf_check *check, const char *argument, int64_t got, int64_t want,
                       const char *name) {
  if (got != want) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "got %" PRId64 ", want %" PRId64 " (%s)",
                   got, want, name);
  }
}

static void check_rows(kvf_check *check, const char *argument, int64_t got, int64_t want) {
  if (check->status == KVF_OK && got < want) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " rows, want at least %" PRId64
                   " (num_rows: a row is its own request)",
                   got, want);
  }
}

/* Refuses one tensor without the other. */
static void check_together(kvf_check *check, kvf_named a, kvf_named b) {
  if ((a.tensor != NULL) != (b.tensor != NULL)) {
    const kvf_named missing = a.tensor == NULL ? a : b;
    const kvf_named given = a.tensor == NULL ? b : a;
    kvf_check_fail(check, KVF_INVALID_VALUE, missing.argument,
                   "got None, want a tensor, which goes with %s", given.argument);
  }
}

enum { OUTPUTS = 11 };

/* Every output is apart from the inputs, and from the other outputs. */
static void check_apart(kvf_check *check, const kvf_named written[OUTPUTS], const kvf_named *read,
                        int32_t num_read) {
  for (int32_t i = 0; i < OUTPUTS; ++i) {
    kvf_check_apart(check, &written[i], 1, read, num_read);
    for (int32_t k = i + 1; k < OUTPUTS; k += KVF_MAX_APART) {
      const int32_t rest = OUTPUTS - k;
      kvf_check_apart(check, &written[i], 1, &written[k],
                      rest < KVF_MAX_APART ? rest : KVF_MAX_APART);
    }
  }
}

kvf_status kvf_hisparse_resolve_residency(
    const kvf_exec *exec, const DLTensor *host_cache, DLTensor *hot_cache,
    const DLTensor *hot_block_table, const DLTensor *global_indices, DLTensor *hot_indices,
    DLTensor *device_global_indices, DLTensor *lru_slots, const DLTensor *request_state_indices,
    int64_t region_stride, int64_t max_union_rows, DLTensor *miss_mask, DLTensor *stats,
    DLTensor *attention_indices, int64_t attention_block_stride, const DLTensor *request_ids,
    const DLTensor *source_block_table, int64_t source_block_size,
    DLTensor *resolved_global_indices, DLTensor *valid_counts, DLTensor *swap_host_physical_rows,
    DLTensor *swap_device_physical_rows, DLTensor *swap_counts,
    const DLTensor *resident_block_table, int64_t resident_block_size,
    int64_t resident_null_block) {
  params_type params = {.attention_block_stride = attention_block_stride,
                        .max_union_rows = max_union_rows};
  kvf_references *of = &params.references;
  kvf_hot_rows rows = {.num_blocks = 0};
  kvf_dim num_rows = KVF_DIM("num_rows");
  kvf_dim num_columns = KVF_DIM("num_columns");
  kvf_dim num_states = KVF_DIM("num_states");
  kvf_dim hot_size = KVF_DIM("hot_size");
  kvf_dim tables[2] = {KVF_DIM("requests"), KVF_DIM("pages of slots")};
  kvf_dim sources[2] = {KVF_DIM("num_requests"), KVF_DIM("width")};
  kvf_dim residents[2] = {KVF_DIM("num_resident_states"), KVF_DIM("width")};
  kvf_dim num_requests = KVF_DIM("num_requests");
  kvf_dim two = {"hits and misses", 2, NULL};
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_hot_rows(&check, host_cache, hot_cache, false, &rows);
  kvf_check_plan(&check, "global_indices", global_indices, &num_rows, &num_columns,
                 &of->global_indices);
  kvf_check_plan(&check, "hot_indices", hot_indices, &num_rows, &num_columns, &params.hot_indices);
  kvf_check_plan(&check, "device_global_indices", device_global_indices, &num_states, &hot_size,
                 &params.device_global_indices);
  kvf_check_tensor(&check, "lru_slots", lru_slots, KVF_ACCEPT_INT16, 2,
                   (kvf_dim *const[]){&num_states, &hot_size}, &params.lru_slots);
  kvf_check_plan(&check, "hot_block_table", hot_block_table, &tables[0], &tables[1],
                 &of->hot_block_table);
  check_vector(&check, "request_state_indices", request_state_indices, KVF_ACCEPT_INT32,
               &num_requests, &of->request_state_indices);
  check_plan(&check, "miss_mask", miss_mask, &num_rows, &num_columns, &params.miss_mask);
  check_vector(&check, "stats", stats, KVF_ACCEPT_UINT64, &two, &params.stats);
  check_plan(&check, "attention_indices", attention_indices, &num_rows, &num_columns,
             &params.attention_indices);
  check_together(&check, (kvf_named){"request_ids", request_ids},
                 (kvf_named){"source_block_table", source_block_table});
  if (request_ids != NULL) {
    kvf_check_first(&check, "request_ids", request_ids, &num_rows, &of->request_ids);
  }
  check_plan(&check, "source_block_table", source_block_table, &sources[0], &sources[1],
             &of->source_block_table);
  check_plan(&check, "resolved_global_indices", resolved_global_indices, &num_rows, &num_columns,
             &params.resolved_global_indices);
  check_vector(&check, "valid_counts", valid_counts, KVF_ACCEPT_INT32, &num_rows,
               &params.valid_counts);
  check_together(&check, (kvf_named){"swap_host_physical_rows", swap_host_physical_rows},
                 (kvf_named){"swap_device_physical_rows", swap_device_physical_rows});
  check_together(&check, (kvf_named){"swap_host_physical_rows", swap_host_physical_rows},
                 (kvf_named){"swap_counts", swap_counts});
  check_plan(&check, "swap_host_physical_rows", swap_host_physical_rows, &num_rows, &num_columns,
             &params.swap_host_physical_rows);
  check_plan(&check, "swap_device_physical_rows", swap_device_physical_rows, &num_rows,
             &num_columns, &params.swap_device_physical_rows);
  if (swap_counts != NULL) {
    kvf_check_first(&check, "swap_counts", swap_counts, &num_rows, &params.swap_counts);
  }
  check_plan(&check, "resident_block_table", resident_block_table, &residents[0], &residents[1],
             &of->resident_block_table);
  if (check.status == KVF_OK) {
    check_same(&check, "region_stride", region_stride, hot_size.value, "hot_size");
  }
  if (resident_block_table != NULL && check.status == KVF_OK) {
    check_same(&check, "resident_block_size", resident_block_size, rows.block_size, "block_size");
    if (source_block_table == NULL) {
      kvf_check_fail(&check, KVF_INVALID_VALUE, "source_block_table",
                     "got None, want a tensor, since there is a resident_block_table");
    }
  }
  if (source_block_table != NULL && source_block_size < 1) { /* 0 is what stands for no table */
    kvf_check_fail(&check, KVF_INVALID_VALUE, "source_block_size",
                   "got %" PRId64 ", want at least 1", source_block_size);
  }
  check_apart(&check,
              (const kvf_named[OUTPUTS]){{"hot_indices", hot_indices},
                                         {"device_global_indices", device_global_indices},
                                         {"lru_slots", lru_slots},
                                         {"miss_mask", miss_mask},
                                         {"stats", stats},
                                         {"attention_indices", attention_indices},
                                         {"resolved_global_indices", resolved_global_indices},
                                         {"valid_counts", valid_counts},
                                         {"swap_host_physical_rows", swap_host_physical_rows},
                                         {"swap_device_physical_rows", swap_device_physical_rows},
                                         {"swap_counts", swap_counts}},
              (const kvf_named[]){{"hot_block_table", hot_block_table},
                                  {"global_indices", global_indices},
                                  {"request_state_indices", request_state_indices},
                                  {"request_ids", request_ids},
                                  {"source_block_table", source_block_table},
                                  {"resident_block_table", resident_block_table}},
              6);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  if (variant == NULL) {
    return check.status;
  }
  of->num_rows = num_rows.value;
  of->num_columns = num_columns.value;
  of->num_requests = request_state_indices != NULL ? num_requests.value : -1;
  of->num_states = num_states.value;
  of->hot_size = hot_size.value;
  of->num_host_rows = rows.num_host_rows;
  of->num_blocks = rows.num_blocks;
  of->block_size = rows.block_size;
  of->num_hot_tables = tables[0].value;
  of->hot_width = tables[1].value;
  of->num_sources = source_block_table != NULL ? sources[0].value : 0;
  of->source_width = source_block_table != NULL ? sources[1].value : 0;
  of->source_block_size = source_block_table != NULL ? source_block_size : 0;
  of->num_residents = resident_block_table != NULL ? residents[0].value : 0;
  of->resident_width = resident_block_table != NULL ? residents[1].value : 0;
  of->resident_null_block = resident_null_block;
  return kvf_launch_hisparse_resolve_residency(&check.exec, variant, &params);
}

/* ---- launch
 * -------------------------------------------------------------------------------------- */

static void launch_within(kvf_check *check, const char *member, int64_t value, int64_t least,
                          int64_t most) {
  if (value < least || value > most) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "got %" PRId64 ", want %" PRId64 " to %" PRId64, value, least, most);
  }
}

/* The numbers, before there is anything to be looked at. */
static void launch_sizes(kvf_check *check, params_type *params) {
  kvf_references *of = &params->references;
  kvf_launch_at_least(check, "num_rows", of->num_rows, 0);
  kvf_launch_at_least(check, "num_columns", of->num_columns, 0);
  kvf_launch_at_least(check, "num_requests", of->num_requests, -1);
  kvf_launch_at_least(check, "num_states", of->num_states, 0);
  kvf_launch_at_least(check, "num_blocks", of->num_blocks, 0);
  kvf_launch_at_least(check, "block_size", of->block_size, 0);
  kvf_launch_at_least(check, "num_hot_tables", of->num_hot_tables, 0);
  kvf_launch_at_least(check, "num_sources", of->num_sources, 0);
  kvf_launch_at_least(check, "source_width", of->source_width, 0);
  kvf_launch_at_least(check, "num_residents", of->num_residents, 0);
  kvf_launch_at_least(check, "resident_width", of->resident_width, 0);
  launch_within(check, "num_host_rows", of->num_host_rows, 0, INT64_C(1) << 31);
  launch_within(check, "source_block_size", of->source_block_size, 0, INT32_MAX);
  launch_within(check, "hot_size", of->hot_size, 1, KVF_MOST_SLOTS);
  launch_within(check, "max_union_rows", params->max_union_rows, 1, of->hot_size);
  launch_within(check, "num_columns", of->num_columns, 0, of->hot_size);
  if (check->status != KVF_OK) {
    return;
  }
  if (of->block_size == 0) { /* pages without rows hold nothing */
    of->num_blocks = 0;
    of->block_size = 1;
  }
  if (kvf_saturating_product(of->num_blocks, of->block_size) > INT32_MAX) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "hot_cache",
                   "has %" PRId64 " pages of %" PRId64 " rows, want rows that int32 holds",
                   of->num_blocks, of->block_size);
  }
  if (of->num_residents > 0) {
    kvf_launch_at_least(check, "resident_null_block", of->resident_null_block, 0);
  }
  kvf_check_attention(check, &params->attention_indices, params->attention_block_stride,
                      of->num_blocks, of->block_size);
  if (params->attention_indices.data == NULL) { /* may be any number then, which is no product's */
    params->attention_block_stride = 0;
  }
}

/* What is written and read, of a call with rows. */
static void launch_memory(kvf_check *check, const params_type *params) {
  const kvf_references *of = &params->references;
  const int64_t pages = kvf_quotient_up(of->hot_size, of->block_size);
  if (of->num_requests < 0) {
    check_rows(check, "device_global_indices", of->num_states, of->num_rows);
  }
  if (of->request_ids.data == NULL) {
    check_rows(check, "hot_block_table", of->num_hot_tables, of->num_rows);
  }
  if (check->status == KVF_OK && of->num_hot_tables > 0 && of->hot_width < pages) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "hot_block_table",
                   "has %" PRId64 " columns, want at least %" PRId64 " (hot_size / block_size)",
                   of->hot_width, pages);
  }
  if (of->num_columns > 0) {
    kvf_launch_pointer(check, "global_indices", of->global_indices.data);
    kvf_launch_pointer(check, "hot_indices", params->hot_indices.data);
    if (params->swap_counts.data != NULL) {
      kvf_launch_pointer(check, "swap_host_physical_rows", params->swap_host_physical_rows.data);
      kvf_launch_pointer(check, "swap_device_physical_rows",
                         params->swap_device_physical_rows.data);
    }
  }
  if (of->num_states > 0) {
    kvf_launch_pointer(check, "device_global_indices", params->device_global_indices.data);
    kvf_launch_pointer(check, "lru_slots", params->lru_slots.data);
  }
  if (of->num_requests > 0) {
    kvf_launch_pointer(check, "request_state_indices", of->request_state_indices.data);
  }
  if (of->num_hot_tables > 0) {
    kvf_launch_pointer(check, "hot_block_table", of->hot_block_table.data);
  }
  if (of->num_sources > 0 && of->source_width > 0) {
    kvf_launch_pointer(check, "source_block_table", of->source_block_table.data);
  }
  if (of->num_residents > 0 && of->resident_width > 0) {
    kvf_launch_pointer(check, "resident_block_table", of->resident_block_table.data);
  }
}

/* ---- what the CPU refuses
 * -------------------------------------------------------------------------------------- */

static void check_pages(kvf_check *check, const kvf_references *of, int64_t request) {
  const int64_t pages = kvf_quotient_up(of->hot_size, of->block_size);
  for (int64_t page = 0; page < pages; ++page) {
    const int64_t block = kvf_element(&of->hot_block_table, request, page);
    if (block < 0 || block >= of->num_blocks) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "hot_block_table",
                     "page %" PRId64 " of request %" PRId64 " is %" PRId64 ", want 0 to %" PRId64,
                     page, request, block, of->num_blocks - 1);
      return;
    }
  }
}

/* The row behind the run that begins here. */
static int64_t end_of_run(const kvf_references *of, int64_t row) {
  for (++row; row < of->num_rows && !kvf_begins_run(of, row); ++row) {
  }
  return row;
}

static void check_run(kvf_check *check, const kvf_references *of, int64_t row) {
  const int64_t request = kvf_request_of(of, row);
  const int64_t state = kvf_state_of(of, request);
  if (state >= 0) {
    check_pages(check, of, request);
  } else if (state == KVF_NO_STATE && of->num_requests >= 0 && request < of->num_hot_tables) {
    kvf_check_fail(check, KVF_OUT_OF_RANGE, "request_state_indices",
                   "element %" PRId64 " is beyond the states, want less than %" PRId64, request,
                   of->num_states);
  } else if (state == KVF_NO_STATE) {
    kvf_check_fail(check, KVF_OUT_OF_RANGE, "request_ids",
                   "element %" PRId64 " is %" PRId64 ", want less than %" PRId64
                   " (rows of hot_block_table) and %" PRId64 " (states)",
                   row, request, of->num_hot_tables, of->num_states);
  }
}

static bool uses_state(const kvf_references *of, int64_t row, int64_t end, int64_t request,
                       int64_t state) {
  for (; row < end; ++row) {
    for (int64_t column = 0; column < of->num_columns; ++column) {
      if (kvf_needs_slot(kvf_refer(of, row, column, request, state))) {
        return true;
      }
    }
  }
  return false;
}

/* States that are looked at in one pass over the rows. */
enum { WINDOW = 1 << 16 };

/* No state is used by two runs: of so many states from `first` on. */
static void check_window(kvf_check *check, const kvf_references *of, int64_t first) {
  uint64_t used[WINDOW / 64] = {0};
  for (int64_t row = 0, end = 0; row < of->num_rows && check->status == KVF_OK; row = end) {
    const int64_t request = kvf_request_of(of, row);
    const int64_t state = kvf_state_of(of, request);
    end = end_of_run(of, row);
    if (state < first || state >= first + WINDOW || !uses_state(of, row, end, request, state)) {
      continue;
    }
    uint64_t *word = &used[(state - first) / 64];
    const uint64_t bit = UINT64_C(1) << (state - first) % 64;
    if ((*word & bit) != 0) {
      kvf_check_fail(
          check, KVF_INVALID_VALUE,
          of->request_ids.data != NULL ? "request_ids" : "request_state_indices",
          "row %" PRId64 " is of request %" PRId64 " and state %" PRId64
          ", which rows before it have used, want the rows of a state one behind another",
          row, request, state);
    }
    *word |= bit;
  }
}

static void check_indices(kvf_check *check, const kvf_references *of) {
  for (int64_t row = 0; row < of->num_rows && check->status == KVF_OK; row = end_of_run(of, row)) {
    check_run(check, of, row);
  }
  if (of->request_ids.data == NULL && of->num_requests < 0) {
    return; /* every row has a state of its own */
  }
  for (int64_t first = 0; first < of->num_states && check->status == KVF_OK; first += WINDOW) {
    check_window(check, of, first);
  }
}

/* ---- running it
 * -------------------------------------------------------------------------------------- */

enum { WARP = 32, MOST_THREADS = 1024 };

/* As the kernel divides its shared memory. */
static int64_t shared_bytes(const params_type *params) {
  return KVF_RESIDENCY_WORDS * 4 + params->cells * INT64_C(6) + params->references.hot_size * 2;
}

static kvf_status run_cuda(kvf_check *check, const kvf_variant *variant, params_type *params) {
  const kvf_references *of = &params->references;
  const int64_t widest = of->num_columns > of->hot_size ? of->num_columns : of->hot_size;
  const int64_t threads =
      widest < MOST_THREADS ? kvf_quotient_up(widest, WARP) * WARP : MOST_THREADS;
  /* A third is free, and threads that find the table full do so at the same time. */
  params->cells = (int32_t)(params->max_union_rows + params->max_union_rows / 2 + threads + 1);
  params->cells += params->cells % 2;
  kvf_launch_shared_bytes(check, "max_union_rows", shared_bytes(params));
  if (check->status == KVF_OK) {
    check->status = kvf_cuda_fault_counter(check->exec.device, &params->faults);
  }
  if (check->status != KVF_OK) {
    return check->status;
  }
  const int64_t rows = of->num_rows;
  const kvf_grid grid = {.grid = {(uint32_t)(rows < INT32_MAX ? rows : INT32_MAX), 1, 1},
                         .block = {(uint32_t)threads, 1, 1},
                         .shared_bytes = (uint32_t)shared_bytes(params)};
  return kvf_cuda_run(check, variant, params, &grid);
}

kvf_status kvf_launch_hisparse_resolve_residency(const kvf_exec *exec, const kvf_variant *variant,
                                                 const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_references *of = &params.references;
  launch_sizes(&check, &params);
  if (check.status != KVF_OK || of->num_rows == 0) {
    return check.status;
  }
  launch_memory(&check, &params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  of->by_block_size = kvf_make_divider(of->block_size);
  of->by_source_block_size =
      kvf_make_divider(of->source_block_size > 0 ? of->source_block_size : 1);
  params.by_num_columns = kvf_make_divider(of->num_columns > 0 ? of->num_columns : 1);
  params.faults = NULL;
  if (check.exec.backend == KVF_CUDA) {
    return run_cuda(&check, variant, &params);
  }
  check_indices(&check, of);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t most = 2 * params.max_union_rows;
  params.cells = (int32_t)(most < KVF_RESIDENCY_CELLS ? most : KVF_RESIDENCY_CELLS);
  return kvf_cpu_run(&check, variant, &params, of->num_rows, 8 * (of->hot_size + of->num_columns));
}
