/*
 * Generated from templates/cuda/hisparse_resolve_residency.cu.j2 and
 * generator/spec/hisparse_resolve_residency.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/hisparse_resolve_residency.h"
#include "kvforge/cache/residency.h"

enum { WARP = 32, WARPS = 32, NOBODY = -1, CLAIM = KVF_MOST_SLOTS };

/* What a thread block has in shared memory. */
struct block_memory {
  unsigned long long end; /* the row behind the run */
  long long request;
  long long state;
  uint32_t flags[WARPS]; /* of a warp, how many threads have theirs */
};

/* A run of rows of one request, the same in every thread of the block. */
struct run {
  int64_t first;
  int64_t end;
  int64_t request;
  int64_t state;
};

/* The union by open addressing, and the slots: those that can be evicted from the front on, the
 * oldest first; hits from the back on, the oldest last. */
struct table {
  block_memory *memory;
  int32_t *hosts;  /* NOBODY where there is none */
  uint16_t *slots; /* of hosts */
  uint16_t *order;
  int32_t size;      /* of the union */
  int32_t evictable; /* slots */
};

/* An element of an int32 output, which the caller may not want. */
KVF_INLINE void put(const kvf_view *to, int64_t i, int64_t j, int64_t value) {
  if (to->data != NULL) {
    ((int32_t *)to->data)[i * to->stride[0] + j * to->stride[1]] = (int32_t)value;
  }
}

/* Where what a reference is to lies: a row of the device, or -1. */
KVF_INLINE void put_place(const kvf_hisparse_resolve_residency_params *p, int64_t row,
                          int64_t column, int64_t place) {
  const int64_t block = place < 0 ? 0 : kvf_divide(place, p->references.by_block_size);
  put(&p->hot_indices, row, column, place);
  put(&p->attention_indices, row, column,
      place < 0 ? -1
                : block * p->attention_block_stride + place - block * p->references.block_size);
}

/* Entry m of the list of the run that begins with `row`. */
KVF_INLINE void put_entry(const kvf_hisparse_resolve_residency_params *p, int64_t row, int64_t m,
                          int64_t host, int64_t place) {
  const int64_t rows = kvf_divide(m, p->by_num_columns);
  const int64_t column = m - rows * p->references.num_columns;
  if (p->swap_counts.data != NULL) {
    put(&p->swap_host_physical_rows, row + rows, column, host);
    put(&p->swap_device_physical_rows, row + rows, column, place);
  }
}

/* How many entries of a list of `count` are in the row that is `rows` behind the first one. */
KVF_INLINE int64_t entries_of(const kvf_hisparse_resolve_residency_params *p, int64_t rows,
                              int64_t count) {
  const int64_t columns = p->references.num_columns;
  const int64_t rest = count - rows * columns;
  return rest < 0 ? 0 : rest < columns ? rest : columns;
}

/* How many threads before this one have a flag, and in all. Everybody's writes are visible behind
 * it. */
KVF_INLINE int32_t rank(block_memory *memory, bool flag, int32_t *total) {
  const uint32_t lane = threadIdx.x % WARP;
  const uint32_t mine = __ballot_sync(0xFFFFFFFFu, flag);
  if (lane == 0) {
    memory->flags[threadIdx.x / WARP] = (uint32_t)__popc(mine);
  }
  __syncthreads();
  uint32_t before = 0;
  uint32_t all = 0;
  for (uint32_t warp = 0; warp < blockDim.x / WARP; ++warp) {
    before += warp < threadIdx.x / WARP ? memory->flags[warp] : 0;
    all += memory->flags[warp];
  }
  __syncthreads();
  *total = (int32_t)all;
  return (int32_t)before + __popc(mine & ((1u << lane) - 1u));
}

/* A number that many threads lower. */
KVF_INLINE void lower(uint16_t *number, uint16_t to) {
  uint16_t have = *number;
  while (to < have) {
    const uint16_t found = atomicCAS(number, have, to);
    have = found == have ? to : found;
  }
}

/* The cell that has a row of the pool; -1 for none. */
KVF_INLINE int32_t find(const table &of, int32_t cells, int64_t host) {
  for (int32_t cell = kvf_first_cell(host, cells); of.hosts[cell] != NOBODY;
       cell = cell + 1 < cells ? cell + 1 : 0) {
    if (of.hosts[cell] == host) {
      return cell;
    }
  }
  return -1;
}

/* The cell of a row of the pool, which is put there if need be. There is always one that is free.
 */
KVF_INLINE int32_t insert(const table &of, int32_t cells, int64_t host) {
  int32_t cell = kvf_first_cell(host, cells);
  for (;;) {
    const int32_t found = atomicCAS(&of.hosts[cell], NOBODY, (int32_t)host);
    if (found == NOBODY || found == host) {
      return cell;
    }
    cell = cell + 1 < cells ? cell + 1 : 0;
  }
}

/* The run that begins with a row; false if none does. One thread reads what all go by. */
KVF_INLINE bool find_run(const kvf_hisparse_resolve_residency_params &p, block_memory *memory,
                         int64_t row, run *of) {
  const kvf_references *references = &p.references;
  __syncthreads(); /* what was there before is read */
  if (threadIdx.x == 0) {
    const int64_t request = kvf_request_of(references, row);
    memory->end = kvf_begins_run(references, row) ? (unsigned long long)references->num_rows : 0;
    memory->request = request;
    memory->state = kvf_state_of(references, request);
  }
  __syncthreads();
  *of = {row, 0, memory->request, memory->state};
  if (memory->end == 0) {
    return false;
  }
  for (int64_t next = row + 1 + threadIdx.x; next < references->num_rows; next += blockDim.x) {
    if (kvf_request_of(references, next) != of->request) {
      atomicMin(&memory->end, (unsigned long long)next);
      break;
    }
  }
  __syncthreads();
  of->end = (int64_t)memory->end;
  return true;
}

/* Whether an earlier run has used the state. */
KVF_INLINE bool is_used(const kvf_hisparse_resolve_residency_params &p, const run &of) {
  const kvf_references *references = &p.references;
  if (references->request_ids.data == nullptr && references->num_requests < 0) {
    return false; /* a state is a row's own */
  }
  bool same = false;
  for (int64_t row = threadIdx.x; row < of.first; row += blockDim.x) {
    same = same || kvf_state_of(references, kvf_request_of(references, row)) == of.state;
  }
  if (!__syncthreads_or(same)) {
    return false;
  }
  bool used = false;
  for (int64_t row = 0; row < of.first; ++row) {
    const int64_t request = kvf_request_of(references, row);
    if (kvf_state_of(references, request) != of.state) {
      continue;
    }
    for (int64_t column = threadIdx.x; column < references->num_columns && !used;
         column += blockDim.x) {
      used = kvf_needs_slot(kvf_refer(references, row, column, request, of.state));
    }
  }
  return __syncthreads_or(used) != 0;
}

/* All that the rows of padding get. */
KVF_INLINE void put_padding(const kvf_hisparse_resolve_residency_params &p, const run &of) {
  for (int64_t row = of.first; row < of.end; ++row) {
    for (int64_t column = threadIdx.x; column < p.references.num_columns; column += blockDim.x) {
      put_place(&p, row, column, -1);
      put(&p.miss_mask, row, column, 0);
      put(&p.resolved_global_indices, row, column, -1);
    }
    if (threadIdx.x == 0) {
      put(&p.valid_counts, row, 0, 0);
      put(&p.swap_counts, row, 0, 0);
      if (of.state == KVF_NO_STATE) {
        atomicAdd(p.faults, 1ULL);
      }
    }
  }
}

/* A reference of this thread; of a column that there is not, one to nothing. */
KVF_INLINE kvf_reference refer(const kvf_hisparse_resolve_residency_params &p, const run &of,
                               int64_t row, int64_t column) {
  const kvf_reference none = {-1, -1};
  return column < p.references.num_columns
             ? kvf_refer(&p.references, row, column, of.request, of.state)
             : none;
}

/* Collects the union; what depends on the tables alone is written. */
KVF_INLINE void collect(const kvf_hisparse_resolve_residency_params &p, const run &of, bool serves,
                        table *to) {
  for (int32_t cell = (int32_t)threadIdx.x; cell < p.cells; cell += (int32_t)blockDim.x) {
    to->hosts[cell] = NOBODY;
    to->slots[cell] = KVF_NOT_SEEN;
  }
  const int32_t most = serves ? (int32_t)p.max_union_rows : 0;
  const uint16_t claim = (uint16_t)(CLAIM + threadIdx.x);
  to->size = 0;
  for (int64_t row = of.first; row < of.end; ++row) {
    int64_t valid = 0;
    for (int64_t base = 0; base < p.references.num_columns; base += blockDim.x) {
      const int64_t column = base + threadIdx.x;
      const kvf_reference reference = refer(p, of, row, column);
      if (column < p.references.num_columns) {
        put(&p.resolved_global_indices, row, column, reference.host);
      }
      valid += __syncthreads_count(reference.host >= 0 || reference.resident >= 0);
      if (to->size == most) {
        continue;
      }
      /* Of the threads that bring a new row, the first one claims it: rows are counted in order. */
      const int32_t cell = kvf_needs_slot(reference) ? insert(*to, p.cells, reference.host) : -1;
      const bool is_new = cell >= 0 && to->slots[cell] != KVF_NO_SLOT;
      if (is_new) {
        lower(&to->slots[cell], claim);
      }
      __syncthreads();
      const bool is_first = is_new && to->slots[cell] == claim;
      int32_t total;
      const int32_t before = rank(to->memory, is_first, &total);
      if (is_first) {
        to->slots[cell] = to->size + before < most ? KVF_NO_SLOT : KVF_LOST;
      }
      to->size = to->size + total < most ? to->size + total : most;
    }
    if (threadIdx.x == 0) {
      put(&p.valid_counts, row, 0, valid);
    }
  }
  __syncthreads();
}

/* Finds the slots that have rows of the union, and which can be evicted. */
KVF_INLINE void classify(const kvf_hisparse_resolve_residency_params &p, const run &of, table *to) {
  const int32_t size = (int32_t)p.references.hot_size;
  const int16_t *order =
      static_cast<const int16_t *>(p.lru_slots.data) + of.state * p.lru_slots.stride[0];
  to->evictable = 0;
  for (int32_t base = 0; base < size; base += (int32_t)blockDim.x) {
    const int32_t i = base + (int32_t)threadIdx.x;
    const int32_t slot = i < size ? order[i * p.lru_slots.stride[1]] : -1;
    const int64_t host =
        slot >= 0 && slot < size ? kvf_element(&p.device_global_indices, of.state, slot) : -1;
    const int32_t cell = host >= 0 ? find(*to, p.cells, host) : -1;
    const bool is_hit = cell >= 0 && to->slots[cell] != KVF_LOST;
    if (is_hit) {
      lower(&to->slots[cell], (uint16_t)slot);
    }
    int32_t total;
    const int32_t before = to->evictable + rank(to->memory, i < size && !is_hit, &total);
    if (i < size) {
      to->order[is_hit ? size - 1 - (i - before) : before] = (uint16_t)slot;
    }
    to->evictable += total;
  }
  __syncthreads();
}

/* Gives a row of the pool, which is miss m, the slot that is its due. */
KVF_INLINE uint16_t evict(const kvf_hisparse_resolve_residency_params &p, const run &of,
                          const table &from, int64_t host, int32_t m) {
  if (m >= from.evictable) {
    return KVF_LOST;
  }
  const int32_t slot = from.order[m];
  const int64_t place =
      slot < p.references.hot_size ? kvf_place_of(&p.references, of.request, slot) : -1;
  put_entry(&p, of.first, m, host, place);
  if (place < 0) {
    return KVF_LOST;
  }
  put(&p.device_global_indices, of.state, slot, host);
  return (uint16_t)slot;
}

/* Gives every reference its place. The number of misses. */
KVF_INLINE int32_t assign(const kvf_hisparse_resolve_residency_params &p, const run &of,
                          const table &from) {
  const uint16_t claim = (uint16_t)(CLAIM + threadIdx.x);
  unsigned long long hits = 0;
  unsigned long long loads = 0;
  int32_t misses = 0;
  for (int64_t row = of.first; row < of.end; ++row) {
    for (int64_t base = 0; base < p.references.num_columns; base += blockDim.x) {
      const int64_t column = base + threadIdx.x;
      const kvf_reference to = refer(p, of, row, column);
      const bool needs = kvf_needs_slot(to);
      const int32_t cell = needs && from.size > 0 ? find(from, p.cells, to.host) : -1;
      const uint16_t held = cell >= 0 ? from.slots[cell] : (uint16_t)KVF_LOST;
      const bool is_missing = held >= CLAIM && held != KVF_LOST;
      if (is_missing) {
        lower(&from.slots[cell], claim);
      }
      __syncthreads();
      const bool is_first = is_missing && from.slots[cell] == claim;
      int32_t total;
      const int32_t before = rank(from.memory, is_first, &total);
      if (is_first) {
        from.slots[cell] = evict(p, of, from, to.host, misses + before);
      }
      misses = misses + total < from.evictable ? misses + total : from.evictable;
      __syncthreads();
      const int32_t slot = cell >= 0 ? from.slots[cell] : (uint16_t)KVF_LOST;
      const int64_t place = !needs                  ? to.resident
                            : slot < KVF_MOST_SLOTS ? kvf_place_of(&p.references, of.request, slot)
                                                    : -1;
      const bool is_placed = needs && place >= 0;
      if (column < p.references.num_columns) {
        put_place(&p, row, column, place);
        put(&p.miss_mask, row, column, is_first && is_placed);
      }
      if (needs && !is_placed) {
        atomicAdd(p.faults, 1ULL);
      }
      loads += (unsigned long long)__syncthreads_count(is_placed && is_first);
      hits += (unsigned long long)__syncthreads_count(is_placed && !is_first);
    }
  }
  if (p.stats.data != nullptr && threadIdx.x == 0) {
    unsigned long long *stats = static_cast<unsigned long long *>(p.stats.data);
    atomicAdd(stats, hits);
    atomicAdd(stats + p.stats.stride[0], loads);
  }
  return misses;
}

/* The new order: what was not evicted, what was, and the hits. */
KVF_INLINE void reorder(const kvf_hisparse_resolve_residency_params &p, const run &of,
                        const table &from, int32_t misses) {
  const int32_t size = (int32_t)p.references.hot_size;
  int16_t *order = static_cast<int16_t *>(p.lru_slots.data) + of.state * p.lru_slots.stride[0];
  for (int32_t i = (int32_t)threadIdx.x; i < size; i += (int32_t)blockDim.x) {
    const int32_t stay = from.evictable - misses;
    const int32_t at = i < stay             ? misses + i
                       : i < from.evictable ? i - stay
                                            : size - 1 - (i - from.evictable);
    order[i * p.lru_slots.stride[1]] = (int16_t)from.order[at];
  }
}

/* Grid: x rows; the block of a row that begins a run resolves it. Block: x references, or slots. */
extern "C" __global__ void __launch_bounds__(WARP *WARPS) kvf_cuda_hisparse_resolve_residency__b8(
    const __grid_constant__ kvf_hisparse_resolve_residency_params p) {
  kvf_begin_kernel();
  KVF_DYNAMIC_SHARED(unsigned long long, shared);
  static_assert(sizeof(block_memory) <= 4 * KVF_RESIDENCY_WORDS, "what is in front of the table");
  table of_run;
  of_run.memory = reinterpret_cast<block_memory *>(shared);
  of_run.hosts = reinterpret_cast<int32_t *>(shared) + KVF_RESIDENCY_WORDS;
  of_run.slots = reinterpret_cast<uint16_t *>(of_run.hosts + p.cells);
  of_run.order = of_run.slots + p.cells;
  of_run.evictable = 0;
  for (int64_t row = blockIdx.x; row < p.references.num_rows; row += gridDim.x) {
    run of;
    if (!find_run(p, of_run.memory, row, &of)) {
      continue;
    }
    if (of.state < 0) {
      put_padding(p, of);
      continue;
    }
    const bool serves = !is_used(p, of);
    collect(p, of, serves, &of_run);
    of_run.evictable = 0;
    if (of_run.size > 0) {
      classify(p, of, &of_run);
    }
    const int32_t misses = assign(p, of, of_run);
    if (of_run.size > 0) {
      reorder(p, of, of_run, misses);
    }
    for (int64_t entry = of.first + threadIdx.x; entry < of.end; entry += blockDim.x) {
      put(&p.swap_counts, entry, 0, entries_of(&p, entry - of.first, misses));
    }
  }
}
