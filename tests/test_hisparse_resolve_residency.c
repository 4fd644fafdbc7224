/*
 * hisparse_resolve_residency: every byte against the rule as it is written down, with a list for
 * every word of it and one that has a place for every row of the pool.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "hot_rows.h"
#include "writer.h"

#define OP (&kvf_op_hisparse_resolve_residency)

enum {
  HOST,
  HOT,
  PAGES,
  GLOBAL,
  INDICES,
  HELD,
  ORDER,
  STATES,
  REGION,
  UNION,
  MASK,
  STATS,
  ATTENTION,
  STRIDE,
  REQUESTS,
  SOURCES,
  SOURCE_SIZE,
  RESOLVED,
  VALID,
  LIST_HOST,
  LIST_DEVICE,
  LIST_COUNT,
  RESIDENTS,
  RESIDENT_SIZE,
  NULL_BLOCK
};

enum { PLAIN, FROM_TABLE, WITH_RESIDENTS, SOURCE_KINDS };
enum { SOURCE_WIDTH = 5, SOURCE_ROWS = 3, RESIDENT_WIDTH = 3, NO_PAGE = 1, CALLS = 3 };

/* What is wrong in the memory of a call. The CPU refuses all but the first two. */
enum { NOTHING, BAD_SLOTS, BAD_PAGES, USED_TWICE, BAD_STATES, BAD_REQUESTS, WRONGS };

typedef struct case_of {
  hot_case base; /* requests: rows of the plan */
  int64_t hot_size;
  int64_t most; /* max_union_rows */
  int sources;
  bool mapped; /* there are request_state_indices */
  int outputs; /* bits: which optional ones */
  int wrong;
  bool repeats; /* references are to a few rows of the pool */
} case_of;

static int64_t num_requests(const case_of *what) { return what->base.requests + 2; }
static int64_t num_states(const case_of *what) { return what->base.requests + 3; }
static int64_t stride_of(const case_of *what) { return what->base.block_size + 3; }

static int64_t get(const op_call *call, int position, int64_t i, int64_t j) {
  return operand_get_index(&call->operands[position], i, j);
}
static bool is_there(const op_call *call, int position) {
  return call->operands[position].view.rank != 0;
}
static void put(const op_call *call, int position, int64_t i, int64_t j, int64_t value) {
  if (is_there(call, position)) {
    operand_put_index(&call->operands[position], i, j, value);
  }
}

/* ---- a call
 * -------------------------------------------------------------------------------------- */

static void make_matrix(op_call *call, const case_of *what, int position, int bits, int64_t rows,
                        int64_t columns) {
  const int64_t shape[2] = {rows, columns};
  int64_t stride[2];
  lay_out(stride, shape, what->base.layout == 0 ? "01" : "10", 1, what->base.layout == 0 ? 0 : 5);
  operand_make(call, position, (DLDataType){kDLInt, (uint8_t)bits, 1}, 2, shape, stride, 0, 64,
               what->base.seed + (uint64_t)position);
}

static void set_int(op_call *call, int position, int64_t value) {
  call->values[position] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = value};
}

static void make_outputs(op_call *call, const case_of *what) {
  static const int plans[] = {MASK, ATTENTION, RESOLVED, LIST_HOST, LIST_DEVICE};
  static const int bits[] = {1, 2, 4, 8, 8};
  hot_make_plan(call, INDICES, &what->base);
  for (size_t i = 0; i < TEST_COUNT(plans); ++i) {
    if ((what->outputs & bits[i]) != 0) {
      hot_make_plan(call, plans[i], &what->base);
    }
  }
  if ((what->outputs & 8) != 0) {
    hot_make_vector(call, LIST_COUNT, &what->base, what->base.requests + 1);
  }
  if ((what->outputs & 16) != 0) {
    hot_make_vector(call, VALID, &what->base, what->base.requests);
  }
  if ((what->outputs & 32) != 0) {
    const int64_t two = 2;
    const int64_t stride = 1 + what->base.layout;
    operand_make(call, STATS, (DLDataType){kDLUInt, 64, 1}, 1, &two, &stride, 0, 64, 5);
  }
}

/* Slots in any order, of which some have a row of the pool, each another one. */
static void fill_states(op_call *call, const case_of *what, uint64_t *random) {
  const int64_t size = what->hot_size;
  for (int64_t s = 0; s < num_states(what); ++s) {
    for (int64_t k = 0; k < size; ++k) {
      const int64_t other = random_below(random, k + 1);
      put(call, ORDER, s, k, k == other ? k : get(call, ORDER, s, other));
      put(call, ORDER, s, other, k);
      const int64_t host = (k * 7 + s) % 11 + k / 11 * 11;
      const bool has = host < what->base.host_rows && random_below(random, 3) > 0;
      put(call, HELD, s, k, has ? host : -1);
    }
    if (what->wrong == BAD_SLOTS) {
      static const int64_t none[] = {-1, INT16_MIN, INT16_MAX};
      put(call, ORDER, s, 0, none[random_below(random, 3)]); /* the first to be evicted */
      put(call, ORDER, s, random_below(random, size), size < INT16_MAX ? size : -7);
      put(call, HELD, s, random_below(random, size), INT32_MIN);
    }
  }
}

static void fill_tables(op_call *call, const case_of *what, uint64_t *random) {
  const int64_t blocks = what->base.blocks;
  const operand *pages = &call->operands[PAGES];
  for (int64_t q = 0; q < pages->view.shape[0]; ++q) {
    for (int64_t k = 0; k < pages->view.shape[1]; ++k) {
      put(call, PAGES, q, k, random_below(random, blocks));
    }
    if (what->wrong == BAD_PAGES) {
      put(call, PAGES, q, 0, random_below(random, 2) == 0 ? blocks : INT32_MIN);
    }
  }
  for (int64_t q = 0; is_there(call, SOURCES) && q < num_requests(what) - 1; ++q) {
    for (int64_t k = 0; k < SOURCE_WIDTH; ++k) { /* beyond the pool, too, and no page */
      const int64_t page = random_below(random, what->base.host_rows / SOURCE_ROWS + 3);
      put(call, SOURCES, q, k, random_below(random, 9) == 0 ? INT32_MAX : page - 1);
    }
  }
  for (int64_t s = 0; is_there(call, RESIDENTS) && s < num_states(what) - 1; ++s) {
    for (int64_t k = 0; k < RESIDENT_WIDTH; ++k) {
      put(call, RESIDENTS, s, k, random_below(random, blocks + 2) - 1);
    }
  }
}

/* Rows of one request lie together. Some rows and some requests are nobody's. */
static void fill_requests(op_call *call, const case_of *what, uint64_t *random) {
  const int64_t requests = num_requests(what);
  int64_t request = requests - 1;
  for (int64_t row = 0; is_there(call, REQUESTS) && row < what->base.requests; ++row) {
    const bool is_padding = random_below(random, 7) == 0;
    request -= is_padding || random_below(random, 2) == 0; /* no request on both sides of padding */
    put(call, REQUESTS, row, 0, is_padding ? -1 - row : request);
    if (what->wrong == USED_TWICE && row > 1) {
      put(call, REQUESTS, row, 0, requests - 1 - row % 2);
    } else if (what->wrong == BAD_REQUESTS && row > 0) {
      put(call, REQUESTS, row, 0, requests + random_below(random, 3));
    }
  }
  for (int64_t q = 0; is_there(call, STATES) && q < requests; ++q) {
    const int64_t state = num_states(what) - 1 - q;
    put(call, STATES, q, 0, random_below(random, 7) == 0 ? -5 : state);
    if (what->wrong == USED_TWICE && q % 2 == 1) {
      put(call, STATES, q, 0, get(call, STATES, q - 1, 0));
    } else if (what->wrong == BAD_STATES && q % 2 == 1) {
      put(call, STATES, q, 0, num_states(what) + q);
    }
  }
}

static void fill_references(const op_call *call, const case_of *what, uint64_t *random) {
  const int64_t end = what->sources != PLAIN ? SOURCE_WIDTH * SOURCE_ROWS : what->base.host_rows;
  const int64_t range = what->repeats && end > 3 ? 3 : end;
  for (int64_t r = 0; r < what->base.requests; ++r) {
    const int64_t kind = random_below(random, 6); /* rows without any reference, too */
    for (int64_t c = 0; c < what->base.columns; ++c) {
      const int64_t other = random_below(random, 9);
      put(call, GLOBAL, r, c,
          other == 0 || kind == 0 ? -1 - c
          : other == 1            ? end + random_below(random, 3)
          : other == 2            ? INT32_MAX
                                  : random_below(random, range));
    }
  }
}

static void build(op_call *call, const void *context) {
  const case_of *what = context;
  const hot_case *base = &what->base;
  uint64_t random = base->seed;
  hot_build(call, OP, base);
  hot_make_plan(call, GLOBAL, base);
  make_outputs(call, what);
  const int64_t pages = (what->hot_size + base->block_size - 1) / base->block_size;
  make_matrix(call, what, PAGES, 32, num_requests(what), pages + base->layout);
  make_matrix(call, what, HELD, 32, num_states(what), what->hot_size);
  make_matrix(call, what, ORDER, 16, num_states(what), what->hot_size);
  if (what->mapped) {
    hot_make_vector(call, STATES, base, num_requests(what));
  }
  if (what->sources != PLAIN) {
    hot_make_vector(call, REQUESTS, base, base->requests + 1);
    make_matrix(call, what, SOURCES, 32, num_requests(what) - 1, SOURCE_WIDTH);
  }
  if (what->sources == WITH_RESIDENTS) {
    make_matrix(call, what, RESIDENTS, 32, num_states(what) - 1, RESIDENT_WIDTH);
  }
  set_int(call, REGION, what->hot_size);
  set_int(call, UNION, what->most);
  set_int(call, STRIDE, stride_of(what));
  set_int(call, SOURCE_SIZE, what->sources != PLAIN ? SOURCE_ROWS : 0);
  set_int(call, RESIDENT_SIZE, what->sources == WITH_RESIDENTS ? base->block_size : 0);
  set_int(call, NULL_BLOCK, NO_PAGE);
  fill_states(call, what, &random);
  fill_tables(call, what, &random);
  fill_requests(call, what, &random);
  fill_references(call, what, &random);
}

/* ---- the rule
 * -------------------------------------------------------------------------------------- */

/* Rows of one request. */
typedef struct rows_of {
  int64_t first, end, request, state;
} rows_of;

typedef struct reference {
  int64_t row, column;
  int64_t host;     /* -1: none */
  int64_t resident; /* -1: none */
} reference;

/* A row of the pool. */
typedef struct member {
  bool is_needed; /* in the union */
  int64_t slot;   /* -1: none yet */
  bool lost;      /* there is none to be had */
} member;

static int64_t request_of(const op_call *call, int64_t row) {
  return is_there(call, REQUESTS) ? get(call, REQUESTS, row, 0) : row;
}

/* -1: padding, -2: what should not be. */
static int64_t state_of(const op_call *call, const case_of *what, int64_t request) {
  if (request < 0 || (what->mapped && request >= num_requests(what))) {
    return -1;
  }
  const int64_t state = what->mapped ? get(call, STATES, request, 0) : request;
  if (state < 0) {
    return -1;
  }
  return state >= num_states(what) || request >= num_requests(what) ? -2 : state;
}

static reference translate(const op_call *call, const case_of *what, const rows_of *of, int64_t row,
                           int64_t column) {
  const int64_t p = get(call, GLOBAL, row, column);
  const int64_t size = what->base.block_size;
  reference to = {row, column, -1, -1};
  if (p < 0) {
    return to;
  }
  to.host = p;
  if (is_there(call, SOURCES)) {
    const bool listed = of->request < num_requests(what) - 1 && p / SOURCE_ROWS < SOURCE_WIDTH;
    const int64_t page = listed ? get(call, SOURCES, of->request, p / SOURCE_ROWS) : -1;
    to.host = page > 0 ? page * SOURCE_ROWS + p % SOURCE_ROWS : -1;
  }
  if (to.host >= what->base.host_rows) {
    to.host = -1;
  }
  if (is_there(call, RESIDENTS) && of->state < num_states(what) - 1 && p / size < RESIDENT_WIDTH) {
    const int64_t page = get(call, RESIDENTS, of->state, p / size);
    if (page >= 0 && page < what->base.blocks && page != NO_PAGE) {
      to.resident = page * size + p % size;
    }
  }
  return to;
}

/* All references of some rows, in order. */
static reference *translate_all(const op_call *call, const case_of *what, const rows_of *of,
                                int64_t *count) {
  *count = (of->end - of->first) * what->base.columns;
  reference *all = calloc((size_t)*count + 1, sizeof *all);
  for (int64_t i = 0; i < *count; ++i) {
    all[i] = translate(call, what, of, of->first + i / what->base.columns, i % what->base.columns);
  }
  return all;
}

static int64_t place_of(const op_call *call, const case_of *what, int64_t request, int64_t slot) {
  const int64_t page = get(call, PAGES, request, slot / what->base.block_size);
  return page >= 0 && page < what->base.blocks
             ? page * what->base.block_size + slot % what->base.block_size
             : -1;
}

static void put_place(const op_call *call, const case_of *what, const reference *of,
                      int64_t place) {
  const int64_t size = what->base.block_size;
  put(call, INDICES, of->row, of->column, place);
  put(call, ATTENTION, of->row, of->column,
      place < 0 ? -1 : place / size * stride_of(what) + place % size);
}

static void expect_padding(const op_call *call, const case_of *what, const rows_of *of,
                           uint64_t *faults) {
  for (int64_t row = of->first; row < of->end; ++row) {
    for (int64_t column = 0; column < what->base.columns; ++column) {
      put_place(call, what, &(reference){.row = row, .column = column}, -1);
      put(call, MASK, row, column, 0);
      put(call, RESOLVED, row, column, -1);
    }
    put(call, VALID, row, 0, 0);
    put(call, LIST_COUNT, row, 0, 0);
    *faults += of->state == -2;
  }
}

static void add_stats(const op_call *call, int64_t which, int64_t number) {
  if (is_there(call, STATS)) { /* as it wraps */
    put(call, STATS, which, 0, (int64_t)((uint64_t)get(call, STATS, which, 0) + (uint64_t)number));
  }
}

/* The rows of the pool, of which at most so many are in the union. */
static member *unite(const case_of *what, const reference *all, int64_t count, int64_t most,
                     int64_t *size) {
  member *members = calloc((size_t)what->base.host_rows + 1, sizeof *members);
  *size = 0;
  for (int64_t i = 0; i < count; ++i) {
    if (all[i].host >= 0 && all[i].resident < 0 && *size < most &&
        !members[all[i].host].is_needed) {
      members[all[i].host] = (member){true, -1, false};
      ++*size;
    }
  }
  return members;
}

/* What is still to be had, from the oldest on; the slots that are in use, in the same order. */
typedef struct queue {
  int64_t *slots;
  int64_t count;
} queue;

static void expect_run(const op_call *call, const case_of *what, const rows_of *of, int64_t most,
                       uint64_t *faults) {
  const int64_t hot_size = what->hot_size;
  const int64_t columns = what->base.columns;
  int64_t count = 0;
  int64_t size = 0;
  reference *all = translate_all(call, what, of, &count);
  member *members = unite(what, all, count, most, &size);
  queue free_slots = {calloc((size_t)hot_size, sizeof(int64_t)), 0};
  queue hits = {calloc((size_t)hot_size, sizeof(int64_t)), 0};
  for (int64_t i = 0; i < hot_size; ++i) {
    const int64_t slot = get(call, ORDER, of->state, i);
    const bool is_slot = slot >= 0 && slot < hot_size;
    const int64_t held = is_slot ? get(call, HELD, of->state, slot) : -1;
    member *hit = held >= 0 && held < what->base.host_rows ? &members[held] : NULL;
    if (hit != NULL && hit->is_needed) {
      hit->slot = hit->slot < 0 || slot < hit->slot ? slot : hit->slot;
      hits.slots[hits.count++] = slot;
    } else {
      free_slots.slots[free_slots.count++] = slot;
    }
  }
  int64_t misses = 0;
  for (int64_t i = 0; i < count; ++i) {
    const bool needs = all[i].resident < 0 && all[i].host >= 0;
    member *needed = needs && members[all[i].host].is_needed ? &members[all[i].host] : NULL;
    int64_t place = all[i].resident;
    bool is_miss = false;
    if (needed != NULL && needed->slot < 0 && !needed->lost) {
      needed->lost = true;
      if (misses < free_slots.count) {
        const int64_t slot = free_slots.slots[misses];
        const bool is_slot = slot >= 0 && slot < hot_size;
        place = is_slot ? place_of(call, what, of->request, slot) : -1;
        put(call, LIST_HOST, of->first + misses / columns, misses % columns, all[i].host);
        put(call, LIST_DEVICE, of->first + misses / columns, misses % columns, place);
        ++misses;
        is_miss = place >= 0;
      }
      if (is_miss) {
        needed->lost = false;
        needed->slot = free_slots.slots[misses - 1];
        put(call, HELD, of->state, needed->slot, all[i].host);
      }
    }
    if (needed != NULL && needed->slot >= 0) {
      place = place_of(call, what, of->request, needed->slot);
    }
    put_place(call, what, &all[i], place);
    put(call, MASK, all[i].row, all[i].column, is_miss);
    put(call, RESOLVED, all[i].row, all[i].column, all[i].host);
    if (needs) {
      add_stats(call, is_miss, place >= 0);
      *faults += place < 0;
    }
  }
  for (int64_t row = of->first; row < of->end; ++row) {
    int64_t valid = 0;
    for (int64_t i = 0; i < count; ++i) {
      valid += all[i].row == row && (all[i].host >= 0 || all[i].resident >= 0);
    }
    const int64_t rest = misses - (row - of->first) * columns;
    put(call, VALID, row, 0, valid);
    put(call, LIST_COUNT, row, 0, rest < 0 ? 0 : rest < columns ? rest : columns);
  }
  for (int64_t i = 0; size > 0 && i < hot_size; ++i) {
    const int64_t stay = free_slots.count - misses;
    put(call, ORDER, of->state, i,
        i < stay               ? free_slots.slots[misses + i]
        : i < free_slots.count ? free_slots.slots[i - stay]
                               : hits.slots[i - free_slots.count]);
  }
  free(hits.slots);
  free(free_slots.slots);
  free(members);
  free(all);
}

/* Whether rows in front of these have used their state. */
static bool is_used(const op_call *call, const case_of *what, const rows_of *of) {
  bool used = false;
  for (int64_t row = 0; row < of->first && !used; ++row) {
    const int64_t request = request_of(call, row);
    const rows_of one = {row, row + 1, request, state_of(call, what, request)};
    if (one.state != of->state) {
      continue;
    }
    int64_t count = 0;
    reference *all = translate_all(call, what, &one, &count);
    for (int64_t i = 0; i < count; ++i) {
      used = used || (all[i].host >= 0 && all[i].resident < 0);
    }
    free(all);
  }
  return used;
}

static uint64_t expect_resolved(const op_call *call, const case_of *what) {
  uint64_t faults = 0;
  rows_of of = {.end = 0};
  for (int64_t row = 0; row < what->base.requests; row = of.end) {
    const int64_t request = request_of(call, row);
    of = (rows_of){row, row + 1, request, state_of(call, what, request)};
    while (of.end < what->base.requests && request_of(call, of.end) == request) {
      ++of.end;
    }
    if (of.state < 0) {
      expect_padding(call, what, &of, &faults);
    } else {
      expect_run(call, what, &of, is_used(call, what, &of) ? 0 : what->most, &faults);
    }
  }
  return faults;
}

/* What holds whatever the rule: the order has every slot once, and no row is in two. */
static void check_states(const op_call *call, const case_of *what, const char *name) {
  for (int64_t s = 0; s < num_states(what); ++s) {
    bool *slots = calloc((size_t)what->hot_size, 1);
    bool *hosts = calloc((size_t)what->base.host_rows + 1, 1);
    bool good = true;
    for (int64_t i = 0; i < what->hot_size && good; ++i) {
      const int64_t slot = get(call, ORDER, s, i);
      const int64_t host = get(call, HELD, s, i);
      good = slot >= 0 && slot < what->hot_size && !slots[slot] && host >= -1 &&
             host < what->base.host_rows && (host < 0 || !hosts[host]);
      slots[good ? slot : 0] = true;
      hosts[good && host >= 0 ? host : what->base.host_rows] = true;
    }
    EXPECT(good, "%s: state %lld has a slot or a row twice, or what is none", name, (long long)s);
    free(slots);
    free(hosts);
  }
}

/* ---- calls
 * -------------------------------------------------------------------------------------- */

static DLTensor *given(const kvf_value *values, int position) {
  return values[position].kind == KVF_KIND_NONE ? NULL : (DLTensor *)values[position].as.tensor;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_resolve_residency(
      exec, given(values, HOST), given(values, HOT), given(values, PAGES), given(values, GLOBAL),
      given(values, INDICES), given(values, HELD), given(values, ORDER), given(values, STATES),
      values[REGION].as.integer, values[UNION].as.integer, given(values, MASK),
      given(values, STATS), given(values, ATTENTION), values[STRIDE].as.integer,
      given(values, REQUESTS), given(values, SOURCES), values[SOURCE_SIZE].as.integer,
      given(values, RESOLVED), given(values, VALID), given(values, LIST_HOST),
      given(values, LIST_DEVICE), given(values, LIST_COUNT), given(values, RESIDENTS),
      values[RESIDENT_SIZE].as.integer, values[NULL_BLOCK].as.integer);
}

static kvf_view view_of(const op_call *call, int position) {
  return is_there(call, position) ? operand_view(&call->operands[position])
                                  : (kvf_view){.data = NULL};
}

static kvf_hisparse_resolve_residency_params params_of(const op_call *call, const case_of *what) {
  const bool sources = what->sources != PLAIN;
  const bool residents = what->sources == WITH_RESIDENTS;
  const tensor *pages = &call->operands[PAGES].view;
  return (kvf_hisparse_resolve_residency_params){
      .references = {.global_indices = view_of(call, GLOBAL),
                     .request_ids = view_of(call, REQUESTS),
                     .request_state_indices = view_of(call, STATES),
                     .hot_block_table = view_of(call, PAGES),
                     .source_block_table = view_of(call, SOURCES),
                     .resident_block_table = view_of(call, RESIDENTS),
                     .num_rows = what->base.requests,
                     .num_columns = what->base.columns,
                     .num_requests = what->mapped ? num_requests(what) : -1,
                     .num_states = num_states(what),
                     .hot_size = what->hot_size,
                     .num_host_rows = what->base.host_rows,
                     .num_blocks = what->base.blocks,
                     .block_size = what->base.block_size,
                     .num_hot_tables = pages->shape[0],
                     .hot_width = pages->shape[1],
                     .num_sources = sources ? num_requests(what) - 1 : 0,
                     .source_width = sources ? SOURCE_WIDTH : 0,
                     .source_block_size = sources ? SOURCE_ROWS : 0,
                     .num_residents = residents ? num_states(what) - 1 : 0,
                     .resident_width = residents ? RESIDENT_WIDTH : 0,
                     .resident_null_block = NO_PAGE},
      .hot_indices = view_of(call, INDICES),
      .device_global_indices = view_of(call, HELD),
      .lru_slots = view_of(call, ORDER),
      .miss_mask = view_of(call, MASK),
      .stats = view_of(call, STATS),
      .attention_indices = view_of(call, ATTENTION),
      .resolved_global_indices = view_of(call, RESOLVED),
      .valid_counts = view_of(call, VALID),
      .swap_host_physical_rows = view_of(call, LIST_HOST),
      .swap_device_physical_rows = view_of(call, LIST_DEVICE),
      .swap_counts = view_of(call, LIST_COUNT),
      .attention_block_stride = stride_of(what),
      .max_union_rows = what->most,
      .cells = -1,
  };
}

/* One call on what the calls before have left. */
static void invoke(op_call *call, const case_of *what, const char *name) {
  op_call_upload(call);
  const uint64_t faults = expect_resolved(call, what);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  const kvf_hisparse_resolve_residency_params params = params_of(call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status =
      what->base.entry == ENTRY_RAW
          ? kvf_launch_hisparse_resolve_residency(call->given_exec, variant, &params)
          : op_call_invoke(call, what->base.entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, options.backend == KVF_CUDA ? faults : 0,
                    name);
  (void)op_call_verify(call, name);
  count_case(variant);
}

static void run(const case_of *what) {
  char name[200];
  op_call call;
  uint64_t random = what->base.seed + 77;
  vary_order(what->base.seed);
  build(&call, what);
  for (int i = 0; i < CALLS; ++i) { /* the last one once more */
    (void)snprintf(name, sizeof name,
                   "%lld x %lld of %lld rows in %lld of %lld slots, sources %d, wrong %d, seed "
                   "%llu, call %d",
                   (long long)what->base.requests, (long long)what->base.columns,
                   (long long)what->base.host_rows, (long long)what->most,
                   (long long)what->hot_size, what->sources, what->wrong,
                   (unsigned long long)what->base.seed, i);
    if (i == 1) {
      fill_references(&call, what, &random);
    }
    invoke(&call, what, name);
    if (what->wrong != BAD_SLOTS) {
      check_states(&call, what, name);
    }
  }
  op_call_free(&call);
}

static void test_matrix(void) {
  static const int64_t host_rows[] = {1, 20, 300};
  static const int64_t blocks[] = {1, 2, 9};
  static const int64_t sizes[] = {1, 4, 64};
  static const int64_t requests[] = {0, 1, 2, 7};
  static const int64_t columns[] = {0, 1, 3, 40};
  static const int64_t hot_sizes[] = {1, 4, 40, 130};
  if (!need_backend()) {
    return;
  }
  const covering plan = {.num_axes = 14,
                         .sizes = {TEST_COUNT(host_rows), TEST_COUNT(blocks), TEST_COUNT(sizes),
                                   TEST_COUNT(requests), TEST_COUNT(columns), TEST_COUNT(hot_sizes),
                                   3, SOURCE_KINDS, 2, 4, WRONGS, ENTRIES, 4, 2}};
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    static const int outputs[] = {63, 0, 1 | 8, 2 | 4 | 16};
    const int64_t hot_size = hot_sizes[value[5]];
    const int64_t wanted = columns[value[4]];
    case_of what = {.base = {.host_rows = host_rows[value[0]],
                             .blocks = blocks[value[1]],
                             .block_size = sizes[value[2]],
                             .width = 3,
                             .requests = requests[value[3]],
                             .columns = wanted < hot_size ? wanted : hot_size,
                             .dtype = KVF_BF16,
                             .layout = value[12] / 2,
                             .entry = value[11],
                             .with_exec = value[12] % 2,
                             .seed = options.seed + (uint64_t)i},
                    .hot_size = hot_size,
                    .most = value[6] == 0   ? hot_size
                            : value[6] == 1 ? 1
                                            : (hot_size + 1) / 2,
                    .sources = value[7],
                    .mapped = value[8],
                    .outputs = outputs[value[9]],
                    .wrong = value[10],
                    .repeats = value[13]};
    if (options.backend == KVF_CPU && what.wrong > BAD_SLOTS) {
      what.wrong = NOTHING;
    }
    run(&what);
  }
  free(rows);
}

/* What is wrong is met with, whatever the pairs of the matrix are. */
static void test_wrong(void) {
  for (int i = 0; need_backend() && i < 8 * WRONGS * SOURCE_KINDS; ++i) {
    const int wrong = i % WRONGS;
    if (options.backend == KVF_CPU && wrong > BAD_SLOTS) {
      continue;
    }
    run(&(case_of){.base = {.host_rows = 300,
                            .blocks = 3,
                            .block_size = 4,
                            .width = 1,
                            .requests = 7,
                            .columns = 9,
                            .dtype = KVF_B8,
                            .entry = i % ENTRIES,
                            .seed = options.seed + (uint64_t)i},
                   .hot_size = 20,
                   .most = 15,
                   .sources = i / WRONGS % SOURCE_KINDS,
                   .mapped = true,
                   .outputs = 63,
                   .wrong = wrong});
  }
}

/* More references and slots than a thread block has threads, up to as many as there can be. */
static void test_large(void) {
  static const struct {
    int64_t hot_size, columns, most;
  } sizes[] = {{1500, 1100, 1500}, {8192, 8192, 8192}, {16384, 16384, 16384}, {32768, 3000, 16384}};
  for (size_t i = 0; need_backend() && i < TEST_COUNT(sizes); ++i) {
    const int64_t hot_size = sizes[i].hot_size;
    run(&(case_of){.base = {.host_rows = 2 * hot_size,
                            .blocks = hot_size / 64 + 1,
                            .block_size = 64,
                            .width = 1,
                            .requests = 2,
                            .columns = sizes[i].columns,
                            .dtype = KVF_B8,
                            .seed = options.seed + i},
                   .hot_size = hot_size,
                   .most = sizes[i].most,
                   .mapped = true,
                   .outputs = 63});
  }
}

/* A union that the CPU's table is made for, and no device has the memory for. */
static void test_largest(void) {
  const case_of what = {.base = {.host_rows = 70000,
                                 .blocks = 513,
                                 .block_size = 64,
                                 .width = 1,
                                 .requests = 1,
                                 .columns = 32768,
                                 .dtype = KVF_B8,
                                 .seed = options.seed + 3},
                        .hot_size = 32768,
                        .most = 32768,
                        .outputs = 63};
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CPU) {
    run(&what);
    return;
  }
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  EXPECT_STATUS(op_call_invoke(&call, typed), KVF_UNSUPPORTED);
  EXPECT_TEXT(kvf_last_error(), "hisparse_resolve_residency: max_union_rows: needs 366");
  EXPECT_TEXT(kvf_last_error(), "bytes of shared memory in a thread block, want at most 2");
  (void)op_call_verify(&call, "a union that is too large");
  op_call_free(&call);
  count_case(NULL);
}

/* What is the state's and the request's 2^31 elements and more away from the first one's. */
static void test_far(void) {
  static const int moved[] = {HELD, ORDER, PAGES, SOURCES, RESIDENTS};
  const int64_t far = (INT64_C(1) << 33) + 16;
  for (int sign = 1; need_backend() && sign >= -1; sign -= 2) {
    const case_of what = {.base = {.host_rows = 12,
                                   .blocks = 4,
                                   .block_size = 4,
                                   .width = 2,
                                   .requests = 2,
                                   .columns = 5,
                                   .dtype = KVF_BF16,
                                   .seed = options.seed},
                          .hot_size = 9,
                          .most = 9,
                          .sources = WITH_RESIDENTS,
                          .mapped = true,
                          .outputs = 63};
    op_call call;
    build(&call, &what);
    for (int64_t i = 0; i < 2; ++i) {
      put(&call, REQUESTS, i, 0, 1);
      put(&call, STATES, 1, 0, 1);
    }
    for (size_t i = 0; i < TEST_COUNT(moved); ++i) { /* row 1 stays where it is */
      tensor *view = &call.operands[moved[i]].view;
      view->start += (view->stride[0] - sign * far) * (view->dtype.bits / 8);
      view->stride[0] = sign * far;
    }
    invoke(&call, &what, sign > 0 ? "far" : "far in front");
    op_call_free(&call);
  }
}

static const case_of small = {.base = {.host_rows = 20,
                                       .blocks = 3,
                                       .block_size = 4,
                                       .width = 16,
                                       .requests = 3,
                                       .columns = 4,
                                       .dtype = KVF_BF16,
                                       .seed = 12},
                              .hot_size = 6,
                              .most = 6,
                              .sources = WITH_RESIDENTS,
                              .mapped = true,
                              .outputs = 63};

/* Every row is of a request of its own, with a state. */
static void build_good(op_call *call, const void *context) {
  const case_of *what = context;
  build(call, what);
  for (int64_t row = 0; row < what->base.requests; ++row) {
    put(call, REQUESTS, row, 0, row);
    put(call, STATES, row, 0, row);
    put(call, GLOBAL, row, 0, 0);
    put(call, SOURCES, row, 0, 1);
    put(call, RESIDENTS, row, 0, NO_PAGE);
  }
}

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE
#define RANGE KVF_OUT_OF_RANGE

/* clang-format off */
static const bad_argument bad[] = {
  {"no pool", ON_BOTH, "host_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "host_cache", "NULL", "want a tensor"},
  {"no pages", ON_BOTH, "hot_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "hot_cache", "NULL", "want a tensor"},
  {"no table of slots", ON_BOTH, "hot_block_table", SPOIL_NULL, 0, 0, NULL, VALUE_, "hot_block_table", "NULL", "want a tensor"},
  {"no references", ON_BOTH, "global_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "global_indices", "NULL", "want a tensor"},
  {"no hot rows", ON_BOTH, "hot_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "hot_indices", "NULL", "want a tensor"},
  {"no state", ON_BOTH, "device_global_indices", SPOIL_NULL, 0, 0, NULL, VALUE_, "device_global_indices", "NULL", "want a tensor"},
  {"no order", ON_BOTH, "lru_slots", SPOIL_NULL, 0, 0, NULL, VALUE_, "lru_slots", "NULL", "want a tensor"},
  {"a pool on the device", ON_BOTH, "host_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "host_cache", "DLPack device type 2", "want the CPU: the host reads it"},
  {"rows of another size", ON_BOTH, "host_cache", SPOIL_SIZE, 1, 15, NULL, VALUE_, "host_cache", "(bytes of a row) is 30", "want 32 as in hot_cache"},
  {"an order of int32", ON_BOTH, "lru_slots", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "lru_slots", "dtype is int32", "want int16"},
  {"an order of bytes of int16", ON_BOTH, "lru_slots", SPOIL_DTYPE, kDLUInt, 16, NULL, TYPE, "lru_slots", "dtype is uint16", "want int16"},
  {"stats of int64", ON_BOTH, "stats", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "stats", "dtype is int64", "want uint64"},
  {"three stats", ON_BOTH, "stats", SPOIL_SIZE, 0, 3, NULL, VALUE_, "stats", "(hits and misses) is 3", "want 2"},
  {"int64 references", ON_BOTH, "global_indices", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "global_indices", "dtype is int64", "want int32"},
  {"slots of the order", ON_BOTH, "lru_slots", SPOIL_SIZE, 1, 5, NULL, VALUE_, "lru_slots", "(hot_size) is 5", "want 6 as in device_global_indices"},
  {"states that overlap", ON_BOTH, "device_global_indices", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "device_global_indices", "stride of dimension 0 (num_states) is 0", "do not overlap"},
  {"columns of the mask", ON_BOTH, "miss_mask", SPOIL_SIZE, 1, 3, NULL, VALUE_, "miss_mask", "(num_columns) is 3", "want 4 as in global_indices"},
  {"an order of rank 1", ON_BOTH, "lru_slots", SPOIL_RANK, 0, 1, NULL, VALUE_, "lru_slots", "rank is 1", "want 2"},
  {"too few pages of slots", ON_BOTH, "hot_block_table", SPOIL_SIZE, 1, 1, NULL, VALUE_, "hot_block_table", "has 1 columns", "want at least 2"},
  {"too few requests of rows", ON_BOTH, "request_ids", SPOIL_SIZE, 0, 2, NULL, VALUE_, "request_ids", "has 2 elements", "want at least 3 (num_rows)"},
  {"request_ids alone", ON_BOTH, "source_block_table", SPOIL_NULL, 0, 0, NULL, VALUE_, "source_block_table", "got None", "goes with request_ids"},
  {"sources alone", ON_BOTH, "request_ids", SPOIL_NULL, 0, 0, NULL, VALUE_, "request_ids", "got None", "goes with source_block_table"},
  {"a list without places", ON_BOTH, "swap_device_physical_rows", SPOIL_NULL, 0, 0, NULL, VALUE_, "swap_device_physical_rows", "got None", "goes with swap_host_physical_rows"},
  {"a list without rows", ON_BOTH, "swap_host_physical_rows", SPOIL_NULL, 0, 0, NULL, VALUE_, "swap_host_physical_rows", "got None", "goes with swap_device_physical_rows"},
  {"a list without counts", ON_BOTH, "swap_counts", SPOIL_NULL, 0, 0, NULL, VALUE_, "swap_counts", "got None", "goes with swap_host_physical_rows"},
  {"too few counts", ON_BOTH, "swap_counts", SPOIL_SIZE, 0, 2, NULL, VALUE_, "swap_counts", "has 2 elements", "want at least 3 (num_rows)"},
  {"another region", ON_BOTH, "region_stride", SPOIL_INT, 0, 7, NULL, VALUE_, "region_stride", "got 7", "want 6 (hot_size)"},
  {"no union", ON_BOTH, "max_union_rows", SPOIL_INT, 0, 0, NULL, VALUE_, "max_union_rows", "got 0", "want 1 to 6"},
  {"a union beyond the slots", ON_BOTH, "max_union_rows", SPOIL_INT, 0, 7, NULL, VALUE_, "max_union_rows", "got 7", "want 1 to 6"},
  {"pages closer than their rows", ON_BOTH, "attention_block_stride", SPOIL_INT, 0, 3, NULL, VALUE_, "attention_block_stride", "got 3", "want at least 4 (block_size)"},
  {"indices beyond int32", ON_BOTH, "attention_block_stride", SPOIL_INT, 0, INT32_MAX, NULL, VALUE_, "attention_block_stride", "got 2147483647", "3 pages that int32 holds"},
  {"pages of the pool without rows", ON_BOTH, "source_block_size", SPOIL_INT, 0, 0, NULL, VALUE_, "source_block_size", "got 0", "want at least 1"},
  {"pages of the pool beyond int32", ON_BOTH, "source_block_size", SPOIL_INT, 0, INT64_MAX, NULL, VALUE_, "source_block_size", "got 9223372036854775807", "want 0 to 2147483647"},
  {"resident pages of another size", ON_BOTH, "resident_block_size", SPOIL_INT, 0, 8, NULL, VALUE_, "resident_block_size", "got 8", "want 4 (block_size)"},
  {"a negative page for none", ON_BOTH, "resident_null_block", SPOIL_INT, 0, -1, NULL, VALUE_, "resident_null_block", "got -1", "want 0 or more"},
  {"a page of slots beyond", ON_CPU, "hot_block_table", SPOIL_INDEX, 1, 3, NULL, RANGE, "hot_block_table", "page 0 of request 1 is 3", "want 0 to 2"},
  {"a negative page of slots", ON_CPU, "hot_block_table", SPOIL_INDEX, 2, -1, NULL, RANGE, "hot_block_table", "page 0 of request 2 is -1", "want 0 to 2"},
  {"a state beyond", ON_CPU, "request_state_indices", SPOIL_INDEX, 2, 6, NULL, RANGE, "request_state_indices", "element 2", "want less than 6"},
  {"a state for two requests", ON_CPU, "request_state_indices", SPOIL_INDEX, 2, 0, NULL, VALUE_, "request_ids", "row 2 is of request 2 and state 0", "one behind another"},
  {"a request in two runs", ON_CPU, "request_ids", SPOIL_INDEX, 2, 0, NULL, VALUE_, "request_ids", "row 2 is of request 0 and state 0", "one behind another"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  static const char *const written[] = {"hot_indices", "device_global_indices", "miss_mask",
                                        "swap_counts"};
  static const char *const read[] = {"global_indices", "hot_block_table", "valid_counts",
                                     "request_ids"};
  if (!need_backend()) {
    return;
  }
  op_call_test_bad(build_good, &small, typed, bad, TEST_COUNT(bad));
  for (size_t i = 0; i < TEST_COUNT(written); ++i) {
    op_call_test_overlap(build_good, &small, typed, written[i], read[i]);
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  typedef kvf_hisparse_resolve_residency_params params_type;
  if (!need_backend()) {
    return;
  }
  op_call call;
  build_good(&call, &small);
  op_call_upload(&call);
  const params_type good = params_of(&call, &small);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
#define NUMBER(member_, value_) {offsetof(params_type, member_), value_, #member_}
#define REFERENCES(member_, value_)                                                                \
  {                                                                                                \
    offsetof(params_type, references.member_), value_, #member_                                    \
  }
  static const struct {
    size_t at;
    int64_t value;
    const char *member;
  } rows[] = {
      REFERENCES(num_rows, -1),
      REFERENCES(num_columns, -1),
      REFERENCES(num_columns, 7),
      REFERENCES(num_requests, -2),
      REFERENCES(num_states, -1),
      REFERENCES(hot_size, 0),
      REFERENCES(hot_size, 32769),
      REFERENCES(num_host_rows, -1),
      REFERENCES(num_host_rows, (INT64_C(1) << 31) + 1),
      REFERENCES(num_blocks, -1),
      REFERENCES(block_size, -1),
      REFERENCES(num_hot_tables, -1),
      REFERENCES(num_sources, -1),
      REFERENCES(source_width, -1),
      REFERENCES(source_block_size, -1),
      REFERENCES(num_residents, -1),
      REFERENCES(resident_width, -1),
      REFERENCES(global_indices, 0),
      REFERENCES(hot_block_table, 0),
      REFERENCES(source_block_table, 0),
      REFERENCES(resident_block_table, 0),
      REFERENCES(request_state_indices, 0),
      NUMBER(max_union_rows, -1),
      NUMBER(hot_indices, 0),
      NUMBER(device_global_indices, 0),
      NUMBER(lru_slots, 0),
      NUMBER(swap_host_physical_rows, 0),
      NUMBER(swap_device_physical_rows, 0),
      NUMBER(attention_block_stride, 1),
  };
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    params_type params = good;
    memcpy((char *)&params + rows[i].at, &rows[i].value, sizeof rows[i].value);
    EXPECT_STATUS(kvf_launch_hisparse_resolve_residency(NULL, variant, &params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  params_type wide = good;
  wide.references.num_blocks = INT32_MAX;
  EXPECT_STATUS(kvf_launch_hisparse_resolve_residency(NULL, variant, &wide), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "hot_cache: has 2147483647 pages of 4 rows");
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo hisparse_resolve_residency_tests[] = {
    {"every pair of axis values", test_matrix},
    {"what is wrong in memory", test_wrong},
    {"large calls", test_large},
    {"the largest union", test_largest},
    {"strides beyond 2^31", test_far},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
