/*
 * Generated from templates/cpu/hisparse_resolve_residency.c.j2 and
 * generator/spec/hisparse_resolve_residency.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/hisparse_resolve_residency.h"
#include "kvforge/cache/residency.h"

/* A run of rows of one request. */
typedef struct run {
  int64_t first;
  int64_t end;
  int64_t request;
  int64_t state;
} run;

/* The union of a run, by open addressing; slots of the state, in the order of their use, when that
 * is done. */
typedef struct scratch {
  union {
    int32_t hosts[KVF_RESIDENCY_CELLS];
    int16_t order[KVF_MOST_SLOTS];
  };
  uint16_t slots[KVF_RESIDENCY_CELLS]; /* of hosts; KVF_NOT_SEEN where there is none */
  uint64_t hits[KVF_MOST_SLOTS / 64];  /* a bit for a place in the order */
  int64_t size;                        /* of the union */
} scratch;

/* An element of an int32 output, which the caller may not want. */
static void put(const kvf_view *to, int64_t i, int64_t j, int64_t value) {
  if (to->data != NULL) {
    ((int32_t *)to->data)[i * to->stride[0] + j * to->stride[1]] = (int32_t)value;
  }
}

/* Where what a reference is to lies: a row of the device, or -1. */
static void put_place(const kvf_hisparse_resolve_residency_params *p, int64_t row, int64_t column,
                      int64_t place) {
  const int64_t block = place < 0 ? 0 : kvf_divide(place, p->references.by_block_size);
  put(&p->hot_indices, row, column, place);
  put(&p->attention_indices, row, column,
      place < 0 ? -1
                : block * p->attention_block_stride + place - block * p->references.block_size);
}

/* Entry m of the list of the run that begins with `row`. */
static void put_entry(const kvf_hisparse_resolve_residency_params *p, int64_t row, int64_t m,
                      int64_t host, int64_t place) {
  const int64_t rows = kvf_divide(m, p->by_num_columns);
  const int64_t column = m - rows * p->references.num_columns;
  if (p->swap_counts.data != NULL) {
    put(&p->swap_host_physical_rows, row + rows, column, host);
    put(&p->swap_device_physical_rows, row + rows, column, place);
  }
}

/* How many entries of a list of `count` are in the row that is `rows` behind the first one. */
static int64_t entries_of(const kvf_hisparse_resolve_residency_params *p, int64_t rows,
                          int64_t count) {
  const int64_t columns = p->references.num_columns;
  const int64_t rest = count - rows * columns;
  return rest < 0 ? 0 : rest < columns ? rest : columns;
}

/* The cell that has a row of the pool, or that it would be put into. */
static int32_t find(const scratch *of, int32_t cells, int64_t host) {
  int32_t cell = kvf_first_cell(host, cells);
  while (of->slots[cell] != KVF_NOT_SEEN && of->hosts[cell] != host) {
    cell = cell + 1 < cells ? cell + 1 : 0;
  }
  return cell;
}

/* All that a row of padding gets. */
static void put_padding(const kvf_hisparse_resolve_residency_params *p, int64_t row) {
  for (int64_t column = 0; column < p->references.num_columns; ++column) {
    put_place(p, row, column, -1);
    put(&p->miss_mask, row, column, 0);
    put(&p->resolved_global_indices, row, column, -1);
  }
  put(&p->valid_counts, row, 0, 0);
  put(&p->swap_counts, row, 0, 0);
}

/* Collects the union; what depends on the tables alone is written. */
static void collect(const kvf_hisparse_resolve_residency_params *p, const run *of, scratch *table) {
  table->size = 0;
  memset(table->slots, 0xFF, (size_t)p->cells * sizeof *table->slots);
  for (int64_t row = of->first; row < of->end; ++row) {
    int64_t valid = 0;
    for (int64_t column = 0; column < p->references.num_columns; ++column) {
      const kvf_reference to = kvf_refer(&p->references, row, column, of->request, of->state);
      put(&p->resolved_global_indices, row, column, to.host);
      valid += to.host >= 0 || to.resident >= 0;
      if (kvf_needs_slot(to) && table->size < p->max_union_rows) {
        const int32_t cell = find(table, p->cells, to.host);
        table->size += table->slots[cell] == KVF_NOT_SEEN;
        table->hosts[cell] = (int32_t)to.host;
        table->slots[cell] = KVF_NO_SLOT;
      }
    }
    put(&p->valid_counts, row, 0, valid);
  }
}

/* Slot `i` of the state's order, from the oldest on; -1 for a number that is no slot. */
static int64_t slot_at(const kvf_hisparse_resolve_residency_params *p, const run *of, int64_t i) {
  const int16_t *order = (const int16_t *)p->lru_slots.data + of->state * p->lru_slots.stride[0];
  const int64_t slot = __atomic_load_n(order + i * p->lru_slots.stride[1], __ATOMIC_RELAXED);
  return slot < p->references.hot_size ? slot : -1;
}

static bool is_hit(const scratch *of, int64_t i) { return (of->hits[i / 64] >> i % 64 & 1) != 0; }

/* Finds the slots that have rows of the union. */
static void classify(const kvf_hisparse_resolve_residency_params *p, const run *of,
                     scratch *table) {
  memset(table->hits, 0, sizeof table->hits);
  for (int64_t i = 0; i < p->references.hot_size; ++i) {
    const int64_t slot = slot_at(p, of, i);
    const int64_t host = slot < 0 ? -1 : kvf_element(&p->device_global_indices, of->state, slot);
    uint16_t *held = &table->slots[find(table, p->cells, host)];
    if (host >= 0 && *held != KVF_NOT_SEEN) {
      table->hits[i / 64] |= UINT64_C(1) << i % 64;
      *held = slot < *held ? (uint16_t)slot : *held;
    }
  }
}

/* Gives a row of the pool the oldest slot from place *next of the order on that can be evicted. */
static uint16_t evict(const kvf_hisparse_resolve_residency_params *p, const run *of,
                      const scratch *table, int64_t host, int64_t *next, int64_t *misses) {
  while (*next < p->references.hot_size && is_hit(table, *next)) {
    ++*next;
  }
  if (*next >= p->references.hot_size) {
    return KVF_LOST;
  }
  const int64_t slot = slot_at(p, of, (*next)++);
  const int64_t place = slot < 0 ? -1 : kvf_place_of(&p->references, of->request, slot);
  put_entry(p, of->first, (*misses)++, host, place);
  if (place < 0) {
    return KVF_LOST;
  }
  put(&p->device_global_indices, of->state, slot, host);
  return (uint16_t)slot;
}

static void count(const kvf_hisparse_resolve_residency_params *p, int64_t which, uint64_t number) {
  if (p->stats.data != NULL && number > 0) {
    __atomic_fetch_add((uint64_t *)p->stats.data + which * p->stats.stride[0], number,
                       __ATOMIC_RELAXED);
  }
}

/* Gives every reference its place; *next is where in the order eviction has come to. The number of
 * misses. */
static int64_t assign(const kvf_hisparse_resolve_residency_params *p, const run *of, scratch *table,
                      int64_t *next) {
  int64_t misses = 0;
  uint64_t counts[2] = {0, 0};
  for (int64_t row = of->first; row < of->end; ++row) {
    for (int64_t column = 0; column < p->references.num_columns; ++column) {
      const kvf_reference to = kvf_refer(&p->references, row, column, of->request, of->state);
      int64_t place = to.resident;
      bool is_miss = false;
      if (kvf_needs_slot(to)) {
        uint16_t *held = &table->slots[find(table, p->cells, to.host)];
        is_miss = *held == KVF_NO_SLOT;
        if (is_miss) {
          *held = evict(p, of, table, to.host, next, &misses);
        }
        place = *held < KVF_MOST_SLOTS ? kvf_place_of(&p->references, of->request, *held) : -1;
        counts[is_miss] += place >= 0;
      }
      put_place(p, row, column, place);
      put(&p->miss_mask, row, column, is_miss && place >= 0);
    }
  }
  count(p, 0, counts[0]);
  count(p, 1, counts[1]);
  return misses;
}

/* The new order: what was not evicted, what was, up to place `next` of the old one, and the hits.
 */
static void reorder(const kvf_hisparse_resolve_residency_params *p, const run *of, scratch *table,
                    int64_t next) {
  const int64_t size = p->references.hot_size;
  const int64_t stride = p->lru_slots.stride[1];
  int16_t *order = (int16_t *)p->lru_slots.data + of->state * p->lru_slots.stride[0];
  int64_t to = 0;
  for (int part = 0; part < 3; ++part) {
    for (int64_t i = part == 0 ? next : 0; i < (part == 1 ? next : size); ++i) {
      if (is_hit(table, i) == (part == 2)) {
        table->order[to++] = __atomic_load_n(order + i * stride, __ATOMIC_RELAXED);
      }
    }
  }
  for (int64_t i = 0; i < size; ++i) {
    __atomic_store_n(order + i * stride, table->order[i], __ATOMIC_RELAXED);
  }
}

static void resolve(const kvf_hisparse_resolve_residency_params *p, const run *of, scratch *table) {
  int64_t next = 0;
  collect(p, of, table);
  if (table->size > 0) {
    classify(p, of, table);
  }
  const int64_t misses = assign(p, of, table, &next);
  if (table->size > 0) {
    reorder(p, of, table, next);
  }
  for (int64_t row = of->first; row < of->end; ++row) {
    put(&p->swap_counts, row, 0, entries_of(p, row - of->first, misses));
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_hisparse_resolve_residency__b8)(const void *params, int64_t begin,
                                                            int64_t end);

/* Rows [begin, end): a run is resolved where it begins. */
void KVF_CPU_SYMBOL(kvf_cpu_hisparse_resolve_residency__b8)(const void *params, int64_t begin,
                                                            int64_t end) {
  const kvf_hisparse_resolve_residency_params *p = params;
  scratch table;
  for (int64_t row = begin; row < end; ++row) {
    if (!kvf_begins_run(&p->references, row)) {
      continue;
    }
    run of = {.first = row, .end = row + 1, .request = kvf_request_of(&p->references, row)};
    of.state = kvf_state_of(&p->references, of.request);
    while (of.end < p->references.num_rows && !kvf_begins_run(&p->references, of.end)) {
      ++of.end;
    }
    if (of.state >= 0) {
      resolve(p, &of, &table);
      continue;
    }
    for (int64_t padding = of.first; padding < of.end; ++padding) {
      put_padding(p, padding);
    }
  }
}
