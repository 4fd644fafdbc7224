/*
 * Calls of the ops that attend over pages, for params of any of them: the includer has params_type,
 * whose members have the names and meanings of paged_attention's.
 */
#ifndef KVFORGE_ATTENTION_CALLS_H
#define KVFORGE_ATTENTION_CALLS_H

#include <inttypes.h>

#include "core/cuda.h"
#include "core/error.h"
#include "core/prepared.h"
#include "kvforge/cache/attention.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/attention.h"
#include "ops/shared/index.h"

/* Every length and every page that is read; returns how often a query token sees a position. */
static inline int64_t check_pages(kvf_check *check, const params_type *p) {
  int64_t seen = 0;
  int64_t start = p->num_seqs == 0 ? 0 : kvf_read_index(p->query_start_loc.data, 4, 0);
  if (start < 0) {
    kvf_check_fail(check, KVF_OUT_OF_RANGE, "query_start_loc",
                   "element 0 is %" PRId64 ", want 0 or more", start);
  }
  for (int64_t s = 0; check->status == KVF_OK && s < p->num_seqs; ++s) {
    const int64_t next =
        kvf_read_index(p->query_start_loc.data, 4, (s + 1) * p->query_start_loc.stride[0]);
    const int64_t tokens = next - start;
    if (tokens < 0 || next > p->num_tokens) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "query_start_loc",
                     "element %" PRId64 " is %" PRId64 ", want %" PRId64
                     " (the one before) to %" PRId64 " (num_tokens)",
                     s + 1, next, start, p->num_tokens);
      return 0;
    }
    if (p->max_query_len > 0 && tokens > p->max_query_len) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "query_start_loc",
                     "element %" PRId64 " is %" PRId64 ", which is %" PRId64
                     " tokens after the one before, want at most %" PRId64 " (max_query_len)",
                     s + 1, next, tokens, p->max_query_len);
      return 0;
    }
    const int64_t length = kvf_read_index(p->seq_lens.data, 4, s * p->seq_lens.stride[0]);
    if (length < 0) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "seq_lens",
                     "element %" PRId64 " is %" PRId64 ", want 0 or more", s, length);
      return 0;
    }
    if (length > 0 && (length - 1) / p->block_size >= p->width) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "seq_lens",
                     "element %" PRId64 " is %" PRId64 ", want at most what %" PRId64
                     " pages (the width of block_table) of %" PRId64 " tokens hold",
                     s, length, p->width, p->block_size);
      return 0;
    }
    /* The last token sees what is last: it is at the end of the sequence. */
    const int64_t near = length - tokens;
    const int64_t first = p->window_left >= 0 && near > p->window_left ? near - p->window_left : 0;
    const int64_t end = tokens > 0 ? length : 0;
    for (int64_t page = first / p->block_size; page * p->block_size < end; ++page) {
      const int64_t block =
          kvf_read_index(p->block_table.data, p->index_bytes,
                         s * p->block_table.stride[0] + page * p->block_table.stride[1]);
      if (block < 0 || block >= p->num_blocks) {
        kvf_check_fail(check, KVF_OUT_OF_RANGE, "block_table",
                       "element [%" PRId64 ", %" PRId64 "] is %" PRId64 ", want 0 to %" PRId64, s,
                       page, block, p->num_blocks - 1);
        return 0;
      }
    }
    seen += tokens * (length - first + 1);
    start = next;
  }
  return seen;
}

/*
 * Units of work. Each sequence has the tiles of the longest that may be, or where that is fewer,
 * the tokens before it tell which are its own: so many that the device can find them by
 * query_start_loc, which the host does not read.
 */
static inline void count_units(params_type *p, int64_t rows) {
  const bool known = p->max_query_len > 0 && p->max_query_len < p->num_tokens;
  const int64_t longest = known ? p->max_query_len : p->num_tokens;
  const int64_t each = kvf_quotient_up(kvf_saturating_product(longest, p->group), rows);
  const int64_t packed = kvf_saturating_product(p->num_tokens, p->group) / rows + p->num_seqs;
  const int64_t all = kvf_saturating_product(each, p->num_seqs);
  p->tiles_each = all <= packed ? each : 0;
  p->num_tiles = all <= packed ? all : packed;
  const int64_t first = kvf_saturating_product(p->split_tokens, p->group) / rows + p->num_seqs;
  const int64_t split = p->tiles_each == 0 && first < p->num_tiles ? first : p->num_tiles;
  const int64_t others = kvf_saturating_product(split, p->splits - 1);
  p->num_units = kvf_saturating_product(kvf_saturating_sum(p->num_tiles, others), p->num_kv_heads);
}

enum { LEAST_PART = 512 /* positions that pay for a thread */ };

/*
 * Where the caller has no workspace and there are fewer units than threads: splits, in memory of
 * the library's own, which the call is then to give back. `row`: floats of a split; `rows`: of a
 * tile.
 */
static inline bool split_for_threads(const kvf_check *check, params_type *p, int64_t row,
                                     int64_t rows) {
  const int32_t asked = check->exec.num_threads;
  const int64_t threads = asked > 0 ? asked : kvf_num_threads();
  int64_t longest = 0;
  for (int64_t s = 0; p->num_units < threads && s < p->num_seqs; ++s) {
    const int64_t length = kvf_read_index(p->seq_lens.data, 4, s * p->seq_lens.stride[0]);
    longest = length > longest ? length : longest;
  }
  const int64_t room = KVF_OWN_FLOATS / row / p->num_q_heads / p->num_tokens;
  int64_t splits = 2 * threads / (p->num_units > 0 ? p->num_units : 1);
  splits = splits < longest / LEAST_PART ? splits : longest / LEAST_PART;
  splits = splits < room ? splits : room;
  const bool may = splits > 1 && kvf_preparing == NULL && !kvf_is_batch_invariant();
  float *const own = may ? kvf_take_own_floats() : NULL;
  if (own == NULL) {
    return false;
  }
  p->workspace = (kvf_view){own, {p->num_q_heads * splits * row, splits * row, row, 1}};
  p->splits = splits;
  p->split_tokens = p->num_tokens;
  count_units(p, rows);
  return true;
}

/* `size`: elements of a row, those of keys and of values on average. */
static inline kvf_status run_cpu(kvf_check *check, const kvf_variant *variant, params_type *params,
                                 int64_t size, int64_t row, int64_t rows) {
  count_units(params, rows);
  const int64_t seen = check_pages(check, params);
  if (check->status != KVF_OK) {
    return check->status;
  }
  const bool owns = params->workspace.data == NULL && split_for_threads(check, params, row, rows);
  /* Arithmetic outweighs reading when a tile has many rows. */
  const int64_t elements = 2 * seen * params->num_q_heads * size;
  kvf_status status =
      kvf_cpu_run(check, variant, params, params->num_units,
                  elements / params->num_units * kvf_dtype_bits(kvf_cache_of(variant)) / 8);
  if (status == KVF_OK && params->splits > 1) {
    params->combines = 1;
    status = kvf_cpu_run(check, variant, params, params->split_tokens * params->num_q_heads,
                         params->splits * row * (int64_t)sizeof(float));
  }
  if (owns) {
    kvf_give_own_floats();
  }
  return status;
}

/*
 * Where the caller has no workspace: splits of what may be long, by the workspace of the library's
 * own, for as many units as the device runs at once: a few more would run alone behind the others.
 * The host knows how many tiles there can be and how many positions a sequence has at most, not how
 * many it has: parts have at least KVF_SPLIT_POSITIONS, and the tile of a short one stays whole.
 * `at_once`: thread blocks that a multiprocessor runs at once; `wanted`: tokens to have room for.
 */
static inline kvf_status split_by_own(kvf_check *check, params_type *p, int64_t row, int64_t rows,
                                      int64_t at_once, int64_t wanted) {
  int multiprocessors = 0;
  void *memory = NULL;
  count_units(p, rows);
  const int64_t longest = kvf_saturating_product(p->width, p->block_size);
  const kvf_status status = kvf_cuda_multiprocessors(check, &multiprocessors);
  int64_t splits = at_once * multiprocessors / p->num_units;
  const int64_t parts = kvf_quotient_up(longest, KVF_SPLIT_POSITIONS);
  splits = splits < parts ? splits : parts;
  if (status != KVF_OK || splits < 2) {
    return status;
  }
  const int64_t room = KVF_CUDA_WORKSPACE / (int64_t)sizeof(float) / row / p->num_q_heads;
  splits = splits < room ? splits : room; /* of one token at least */
  if (splits > 1 && room / splits < wanted && room / wanted > 1) {
    splits = room / wanted; /* fewer of all rather than more of some */
  }
  const int64_t tokens = splits < 2 ? 0 : room / splits;
  if (tokens == 0) {
    return status;
  }
  const kvf_status made = kvf_cuda_workspace(check, &memory);
  if (memory != NULL) {
    p->workspace = (kvf_view){memory, {p->num_q_heads * splits * row, splits * row, row, 1}};
    p->splits = splits;
    p->split_tokens = tokens < wanted ? tokens : wanted;
  }
  return made;
}

static inline kvf_status launch_units(kvf_check *check, const kvf_variant *variant,
                                      const params_type *params, const kvf_grid *of_one,
                                      int64_t units) {
  kvf_grid grid = *of_one;
  grid.grid[0] = (uint32_t)(units < INT32_MAX ? units : INT32_MAX);
  return kvf_cuda_run(check, variant, params, &grid);
}

/*
 * `of_one`: the grid of one unit; `adding`: that of one of so many `blocks`, which add up splits.
 * `early`: these are set up while the last units still run, whatever the caller wants of kernels
 * that are not of this call, and wait for their end.
 */
static inline kvf_status run_cuda(kvf_check *check, const kvf_variant *variant, params_type *params,
                                  const kvf_grid *of_one, const kvf_grid *adding, int64_t blocks,
                                  bool early) {
  kvf_status status = launch_units(check, variant, params, of_one, params->num_units);
  if (status != KVF_OK || params->splits <= 1) {
    return status;
  }
  int version = 0;
  kvf_check second = *check;
  status = early ? kvf_cuda_version(check, &version) : KVF_OK;
  second.exec.programmatic = second.exec.programmatic || version >= KVF_CUDA_EARLY_CAPTURED;
  params->combines = 1;
  status = status == KVF_OK ? launch_units(&second, variant, params, adding, blocks) : status;
  return status == KVF_OK ? status
                          : kvf_error_add(status, "; enqueued: the launch before this one");
}

#endif
