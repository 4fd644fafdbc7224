/*
 * Generated from templates/cuda/copy_blocks.cu.j2 and generator/spec/copy_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_pages.cuh"
#include "kvforge/params/copy_blocks.h"

/* A pair that is skipped, in place of its block numbers. */
#define NOWHERE INT64_C(-1)

/* A place of the table that no pair has. */
enum { EMPTY = -1 };

/* 16 elements. */
struct source_x16 {
  uint4 v;
};

KVF_INLINE source_x16 load_x16(const uint8_t *from) {
  source_x16 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
}

/* 4 elements. */
struct source_x4 {
  uint32_t v;
};

KVF_INLINE source_x4 load_x4(const uint8_t *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to) {
  *reinterpret_cast<uint32_t *>(to) = source.v;
}

/* 1 element. */
struct source_x1 {
  uint8_t v;
};

KVF_INLINE source_x1 load_x1(const uint8_t *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to) { *to = source.v; }

/* Pairs in shared memory: of few all of the launch, of many those that the thread block copies. */
struct pair_list {
  int64_t *sources;
  int64_t *targets;
  /* A bit of each block where there are so many, else mask + 1 places, twice as many as pairs at
   * least: pairs by their targets. */
  int32_t *table;
  bool has_bits;
  uint32_t mask;
  int32_t count;
};

/* What a thread block owns of every page of a tensor: 2^shift vectors of `width` bytes from `first`
 * on. */
struct part {
  kvf_pages cache;
  int32_t width;
  int32_t shift;
  int64_t first;
};

/* An address that the host has not seen may be less aligned than page_bytes: the part is then of
 * more, and narrower, vectors. */
KVF_INLINE part find_part(const kvf_page_list &pages) {
  const kvf_pages cache = pages.addresses == nullptr
                              ? pages.caches[blockIdx.y]
                              : kvf_pages{pages.addresses[blockIdx.y], pages.page_bytes};
  part found = {cache, pages.vector_bytes, pages.part_shift, 0};
  if (found.width == 16 && reinterpret_cast<uintptr_t>(cache.data) % 16 != 0) {
    found.width = 4;
    found.shift += 2;
  }
  if (found.width == 4 && reinterpret_cast<uintptr_t>(cache.data) % 4 != 0) {
    found.width = 1;
    found.shift += 2;
  }
  found.first = (int64_t)blockIdx.x << found.shift;
  return found;
}

/* The pair and the byte in the page of vector i of the pairs from `begin` on; false if there is
 * nothing to copy. */
KVF_INLINE bool find_vector(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                            int32_t begin, int32_t i, int32_t vectors, int32_t width, int32_t *pair,
                            int64_t *byte) {
  const int32_t in_part = i & ((1 << own.shift) - 1);
  *pair = begin + (i >> own.shift);
  *byte = (own.first + in_part) * width;
  return i < vectors && *byte < pages.page_bytes && pairs.sources[*pair] != NOWHERE;
}

/* Pair i of the launch, NOWHERE twice if it is skipped. `counts`: block numbers that are too large.
 */
KVF_INLINE void read_pair(const kvf_page_list &pages, int32_t i, bool counts, int64_t *source,
                          int64_t *target) {
  const kvf_block_list &blocks = pages.blocks;
  const int64_t at = i * blocks.stride[0];
  const int64_t from = kvf_index_at(blocks.data, blocks.index_bytes, at);
  const int64_t to = kvf_index_at(blocks.data, blocks.index_bytes, at + blocks.stride[1]);
  const bool exists = kvf_has_block(pages, from > to ? from : to, counts);
  const bool copied = exists && from >= 0 && to >= 0 && from != to;
  *source = copied ? from : NOWHERE;
  *target = copied ? to : NOWHERE;
}

/* So many pairs of the launch from `first` on are put into the list. */
KVF_INLINE void read_pairs(const kvf_page_list &pages, const pair_list &pairs, int32_t first,
                           int32_t count, bool counts) {
  for (int32_t i = (int32_t)threadIdx.x; i < count; i += (int32_t)blockDim.x) {
    read_pair(pages, first + i, counts, &pairs.sources[i], &pairs.targets[i]);
  }
}

/* Sets the bit of a block. Whether it was set. */
KVF_INLINE bool set_bit(int32_t *bits, int64_t block) {
  const int32_t bit = (int32_t)(1u << block % 32);
  return (atomicOr(&bits[block / 32], bit) & bit) != 0;
}

KVF_INLINE bool has_bit(const int32_t *bits, int64_t block) {
  return ((uint32_t)bits[block / 32] >> block % 32 & 1) != 0;
}

/*
 * What are_apart() says of all pairs of a launch, of which the list has a share. Every thread block
 * reads all of them, several of a thread at once: targets set their bits, then sources look for
 * theirs, which the cache still has.
 */
template <typename index> KVF_INLINE bool are_all_apart(const kvf_page_list &pages, int32_t *bits) {
  const kvf_block_list &blocks = pages.blocks;
  const index *data = static_cast<const index *>(blocks.data);
  const uint64_t num_blocks = (uint64_t)pages.num_blocks;
  const int32_t count = (int32_t)blocks.size;
  bool meet = false;
  for (int32_t turn = 0; turn < 2; ++turn) {
    for (int32_t i = (int32_t)threadIdx.x; i < count; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
      index source[KVF_PAGE_UNROLL];
      index target[KVF_PAGE_UNROLL];
#pragma unroll
      for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
        const int32_t wanted = i + k * (int32_t)blockDim.x;
        const index *pair = data + (wanted < count ? wanted : i) * blocks.stride[0];
        source[k] = *pair;
        target[k] = wanted < count ? pair[blocks.stride[1]] : -1;
      }
#pragma unroll
      for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) { /* negative ones are large, too */
        if ((uint64_t)source[k] < num_blocks && (uint64_t)target[k] < num_blocks &&
            source[k] != target[k]) {
          meet = (turn == 0 ? set_bit(bits, target[k]) : has_bit(bits, source[k])) || meet;
        }
      }
    }
    __syncthreads();
  }
  return !__syncthreads_or(meet);
}

/* What are_apart() says, where the table has a bit of each block: the targets' are set. */
KVF_INLINE bool are_apart_by_bits(const pair_list &pairs) {
  bool meet = false;
  for (int32_t i = (int32_t)threadIdx.x; i < pairs.count; i += (int32_t)blockDim.x) {
    const int64_t target = pairs.targets[i];
    if (target != NOWHERE) {
      meet = meet || set_bit(pairs.table, target);
    }
  }
  __syncthreads();
  for (int32_t i = (int32_t)threadIdx.x; i < pairs.count; i += (int32_t)blockDim.x) {
    const int64_t source = pairs.sources[i];
    meet = meet || (source != NOWHERE && has_bit(pairs.table, source));
  }
  return !__syncthreads_or(meet);
}

/*
 * Whether no pair writes what another one reads or writes, so that all can be copied at once. Every
 * target is put into the table, and every source looked for; all threads of the block come here.
 */
KVF_INLINE bool are_apart(const kvf_page_list &pages, const pair_list &pairs, bool many) {
  bool meet = false;
  if (__builtin_expect(many, 0)) {
    return pages.blocks.index_bytes == 8 ? are_all_apart<int64_t>(pages, pairs.table)
                                         : are_all_apart<int32_t>(pages, pairs.table);
  }
  if (pairs.count == 1) {
    return true;
  }
  if (pairs.has_bits) {
    return are_apart_by_bits(pairs);
  }
  for (int32_t i = (int32_t)threadIdx.x; i < pairs.count; i += (int32_t)blockDim.x) {
    const int64_t target = pairs.targets[i];
    if (target == NOWHERE) {
      continue;
    }
    uint32_t place = kvf_scatter(target) & pairs.mask;
    int32_t other = atomicCAS(&pairs.table[place], EMPTY, i);
    while (other != EMPTY && pairs.targets[other] != target) {
      place = (place + 1) & pairs.mask;
      other = atomicCAS(&pairs.table[place], EMPTY, i);
    }
    meet = meet || other != EMPTY;
  }
  __syncthreads();
  for (int32_t i = (int32_t)threadIdx.x; i < pairs.count; i += (int32_t)blockDim.x) {
    const int64_t source = pairs.sources[i];
    uint32_t place = kvf_scatter(source) & pairs.mask;
    while (source != NOWHERE && pairs.table[place] != EMPTY) {
      meet = meet || pairs.targets[pairs.table[place]] == source;
      place = (place + 1) & pairs.mask;
    }
  }
  return !__syncthreads_or(meet);
}

/* Several vectors of a thread, from vector i of the pairs from `begin` on, 16 bytes each, and where
 * they go; NULL: there is none. */
KVF_INLINE void load_some_x16(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                              int32_t begin, int32_t i, int32_t vectors,
                              source_x16 (&moved)[KVF_PAGE_UNROLL],
                              uint8_t *(&to)[KVF_PAGE_UNROLL]) {
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    int32_t pair;
    int64_t byte;
    to[k] = nullptr;
    if (find_vector(pages, own, pairs, begin, i + k * (int32_t)blockDim.x, vectors, 16, &pair,
                    &byte)) {
      uint8_t *cache = static_cast<uint8_t *>(own.cache.data) + byte;
      moved[k] = load_x16(cache + pairs.sources[pair] * own.cache.stride);
      to[k] = cache + pairs.targets[pair] * own.cache.stride;
    }
  }
}

KVF_INLINE void store_some_x16(const source_x16 (&moved)[KVF_PAGE_UNROLL],
                               uint8_t *(&to)[KVF_PAGE_UNROLL]) {
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    if (to[k] != nullptr) {
      store_x16(moved[k], to[k]);
    }
  }
}

/* The block's part of pairs of which none writes what another one reads or writes, all at once. */
KVF_INLINE void copy_run_x16(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                             int32_t begin, int32_t count) {
  const int32_t vectors = count << own.shift;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
    source_x16 moved[KVF_PAGE_UNROLL];
    uint8_t *to[KVF_PAGE_UNROLL];
    load_some_x16(pages, own, pairs, begin, i, vectors, moved, to);
    store_some_x16(moved, to);
  }
}

/* The block's part of its share of the pairs, if no pair of the launch has to do with another one;
 * else false, and nothing is written. That is found out while the first loads are on their way. */
KVF_INLINE bool copy_share_x16(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                               int32_t begin, int32_t count, bool many) {
  const int32_t vectors = count << own.shift;
  const int32_t step = KVF_PAGE_UNROLL * (int32_t)blockDim.x;
  source_x16 moved[KVF_PAGE_UNROLL];
  uint8_t *to[KVF_PAGE_UNROLL];
  load_some_x16(pages, own, pairs, begin, (int32_t)threadIdx.x, vectors, moved, to);
  if (!are_apart(pages, pairs, many)) {
    return false;
  }
  store_some_x16(moved, to);
  for (int32_t i = (int32_t)threadIdx.x + step; i < vectors; i += step) {
    load_some_x16(pages, own, pairs, begin, i, vectors, moved, to);
    store_some_x16(moved, to);
  }
  return true;
}

/* Several vectors of a thread, from vector i of the pairs from `begin` on, 4 bytes each, and where
 * they go; NULL: there is none. */
KVF_INLINE void load_some_x4(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                             int32_t begin, int32_t i, int32_t vectors,
                             source_x4 (&moved)[KVF_PAGE_UNROLL], uint8_t *(&to)[KVF_PAGE_UNROLL]) {
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    int32_t pair;
    int64_t byte;
    to[k] = nullptr;
    if (find_vector(pages, own, pairs, begin, i + k * (int32_t)blockDim.x, vectors, 4, &pair,
                    &byte)) {
      uint8_t *cache = static_cast<uint8_t *>(own.cache.data) + byte;
      moved[k] = load_x4(cache + pairs.sources[pair] * own.cache.stride);
      to[k] = cache + pairs.targets[pair] * own.cache.stride;
    }
  }
}

KVF_INLINE void store_some_x4(const source_x4 (&moved)[KVF_PAGE_UNROLL],
                              uint8_t *(&to)[KVF_PAGE_UNROLL]) {
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    if (to[k] != nullptr) {
      store_x4(moved[k], to[k]);
    }
  }
}

/* The block's part of pairs of which none writes what another one reads or writes, all at once. */
KVF_INLINE void copy_run_x4(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                            int32_t begin, int32_t count) {
  const int32_t vectors = count << own.shift;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
    source_x4 moved[KVF_PAGE_UNROLL];
    uint8_t *to[KVF_PAGE_UNROLL];
    load_some_x4(pages, own, pairs, begin, i, vectors, moved, to);
    store_some_x4(moved, to);
  }
}

/* The block's part of its share of the pairs, if no pair of the launch has to do with another one;
 * else false, and nothing is written. That is found out while the first loads are on their way. */
KVF_INLINE bool copy_share_x4(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                              int32_t begin, int32_t count, bool many) {
  const int32_t vectors = count << own.shift;
  const int32_t step = KVF_PAGE_UNROLL * (int32_t)blockDim.x;
  source_x4 moved[KVF_PAGE_UNROLL];
  uint8_t *to[KVF_PAGE_UNROLL];
  load_some_x4(pages, own, pairs, begin, (int32_t)threadIdx.x, vectors, moved, to);
  if (!are_apart(pages, pairs, many)) {
    return false;
  }
  store_some_x4(moved, to);
  for (int32_t i = (int32_t)threadIdx.x + step; i < vectors; i += step) {
    load_some_x4(pages, own, pairs, begin, i, vectors, moved, to);
    store_some_x4(moved, to);
  }
  return true;
}

/* Several vectors of a thread, from vector i of the pairs from `begin` on, 1 byte each, and where
 * they go; NULL: there is none. */
KVF_INLINE void load_some_x1(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                             int32_t begin, int32_t i, int32_t vectors,
                             source_x1 (&moved)[KVF_PAGE_UNROLL], uint8_t *(&to)[KVF_PAGE_UNROLL]) {
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    int32_t pair;
    int64_t byte;
    to[k] = nullptr;
    if (find_vector(pages, own, pairs, begin, i + k * (int32_t)blockDim.x, vectors, 1, &pair,
                    &byte)) {
      uint8_t *cache = static_cast<uint8_t *>(own.cache.data) + byte;
      moved[k] = load_x1(cache + pairs.sources[pair] * own.cache.stride);
      to[k] = cache + pairs.targets[pair] * own.cache.stride;
    }
  }
}

KVF_INLINE void store_some_x1(const source_x1 (&moved)[KVF_PAGE_UNROLL],
                              uint8_t *(&to)[KVF_PAGE_UNROLL]) {
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    if (to[k] != nullptr) {
      store_x1(moved[k], to[k]);
    }
  }
}

/* The block's part of pairs of which none writes what another one reads or writes, all at once. */
KVF_INLINE void copy_run_x1(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                            int32_t begin, int32_t count) {
  const int32_t vectors = count << own.shift;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
    source_x1 moved[KVF_PAGE_UNROLL];
    uint8_t *to[KVF_PAGE_UNROLL];
    load_some_x1(pages, own, pairs, begin, i, vectors, moved, to);
    store_some_x1(moved, to);
  }
}

/* The block's part of its share of the pairs, if no pair of the launch has to do with another one;
 * else false, and nothing is written. That is found out while the first loads are on their way. */
KVF_INLINE bool copy_share_x1(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                              int32_t begin, int32_t count, bool many) {
  const int32_t vectors = count << own.shift;
  const int32_t step = KVF_PAGE_UNROLL * (int32_t)blockDim.x;
  source_x1 moved[KVF_PAGE_UNROLL];
  uint8_t *to[KVF_PAGE_UNROLL];
  load_some_x1(pages, own, pairs, begin, (int32_t)threadIdx.x, vectors, moved, to);
  if (!are_apart(pages, pairs, many)) {
    return false;
  }
  store_some_x1(moved, to);
  for (int32_t i = (int32_t)threadIdx.x + step; i < vectors; i += step) {
    load_some_x1(pages, own, pairs, begin, i, vectors, moved, to);
    store_some_x1(moved, to);
  }
  return true;
}

KVF_INLINE void copy_run(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                         int32_t begin, int32_t count) {
  switch (own.width) {
  case 16:
    copy_run_x16(pages, own, pairs, begin, count);
    break;
  case 4:
    copy_run_x4(pages, own, pairs, begin, count);
    break;
  default:
    copy_run_x1(pages, own, pairs, begin, count);
    break;
  }
}

KVF_INLINE bool copy_share(const kvf_page_list &pages, const part &own, const pair_list &pairs,
                           int32_t begin, int32_t count, bool many) {
  bool copied = false;
  switch (own.width) {
  case 16:
    copied = copy_share_x16(pages, own, pairs, begin, count, many);
    break;
  case 4:
    copied = copy_share_x4(pages, own, pairs, begin, count, many);
    break;
  default:
    copied = copy_share_x1(pages, own, pairs, begin, count, many);
    break;
  }
  return copied;
}

/*
 * The nearest pair before `pair` in its window, which begins at `window`, that must not change
 * places with it; -1: none. Looks at one in blockDim.x / KVF_PAGE_WINDOW pairs, from `first` on.
 */
KVF_INLINE int32_t find_conflict(const pair_list &pairs, int32_t pair, int32_t first) {
  const int64_t source = pairs.sources[pair];
  const int64_t target = pairs.targets[pair];
  int32_t nearest = -1;
  for (int32_t i = first; i < pair; i += (int32_t)blockDim.x / KVF_PAGE_WINDOW) {
    if (pairs.targets[i] == source || pairs.targets[i] == target || pairs.sources[i] == target) {
      nearest = i;
    }
  }
  return source == NOWHERE ? -1 : nearest;
}

/*
 * All pairs in an order in which each finds what those before it have left. The thread blocks that
 * shared the pairs share the part of the pages instead, so that whatever the pairs have to do with
 * each other stays within a block: it copies a window of pairs at a time, all of them at once where
 * it can, and a pair after the pairs before it where one reads or writes what the other writes.
 */
KVF_INLINE void copy_in_order(const kvf_page_list &pages, part own, const pair_list &pairs,
                              int32_t (&conflicts)[KVF_PAGE_WINDOW]) {
  const int32_t line = own.shift < KVF_PAGE_LINE_SHIFT ? own.shift : KVF_PAGE_LINE_SHIFT;
  const int32_t finer = own.shift - (31 - __clz((int32_t)gridDim.z));
  const int32_t whole = 1 << own.shift;
  own.shift = finer > line ? finer : line;
  const int32_t skipped = (int32_t)blockIdx.z << own.shift;
  if (skipped >= whole) {
    return;
  }
  own.first += skipped;
  for (int32_t start = 0; start < pairs.count; start += KVF_PAGE_WINDOW) {
    const int32_t rest = pairs.count - start;
    const int32_t count = rest < KVF_PAGE_WINDOW ? rest : KVF_PAGE_WINDOW;
    const int32_t place = (int32_t)threadIdx.x % KVF_PAGE_WINDOW;
    const int32_t first = start + (int32_t)threadIdx.x / KVF_PAGE_WINDOW;
    const int32_t conflict = place < count ? find_conflict(pairs, start + place, first) : -1;
    const bool meet =
        __syncthreads_or(conflict >= 0); /* and the window before this one is copied */
    if (meet) {
      if (threadIdx.x < KVF_PAGE_WINDOW) {
        conflicts[place] = -1;
      }
      __syncthreads();
      if (conflict >= 0) {
        atomicMax(&conflicts[place], conflict);
      }
    }
    for (int32_t begin = 0, end = count; begin < count; begin = end) {
      if (meet) {
        __syncthreads(); /* what these pairs read is written */
        for (end = begin + 1; end < count && conflicts[end] < start + begin; ++end) {
        }
      }
      copy_run(pages, own, pairs, start + begin, end - begin);
    }
  }
}

/*
 * More pairs, of up to KVF_PAGE_BITS blocks and in vectors of 16 bytes: the list has those that the
 * thread block copies, and a multiprocessor has one large block in place of several, so that it
 * looks at all of them once. Its code lies behind that of fewer pairs, which would take up to 0.2
 * us longer with any of it in between.
 */
KVF_INLINE bool copy_many(const kvf_page_list &pages, pair_list pairs) {
  const uint32_t all = (uint32_t)pages.blocks.size;
  const int32_t begin = (int32_t)(blockIdx.z * all / gridDim.z);
  const int32_t count = (int32_t)((blockIdx.z + 1) * all / gridDim.z) - begin;
  pairs.has_bits = true;
  pairs.count = count;
  read_pairs(pages, pairs, begin, count, blockIdx.x == 0 && blockIdx.y == 0);
  for (int32_t i = (int32_t)threadIdx.x; i < KVF_PAGE_TABLE; i += (int32_t)blockDim.x) {
    pairs.table[i] = 0;
  }
  __syncthreads();
  return copy_share_x16(pages, find_part(pages), pairs, 0, count, true);
}

/* Up to KVF_PAGE_PAIRS pairs, all of which are in the list. */
KVF_INLINE bool copy_few(const kvf_page_list &pages, pair_list pairs) {
  const int32_t count = (int32_t)pages.blocks.size;
  const bool has_bits = pages.num_blocks <= KVF_PAGE_BITS;
  pairs.has_bits = has_bits;
  pairs.mask = 0xFFFFFFFFu >> __clz(2 * count - 1);
  pairs.count = count;
  read_pairs(pages, pairs, 0, count, blockIdx.x == 0 && blockIdx.y == 0 && blockIdx.z == 0);
  const uint32_t places = has_bits ? (uint32_t)(pages.num_blocks + 31) / 32 : pairs.mask + 1;
  for (uint32_t i = threadIdx.x; i < places; i += blockDim.x) {
    pairs.table[i] = has_bits ? 0 : EMPTY;
  }
  __syncthreads();
  const part own = find_part(pages);
  const int32_t share = (count - 1) / (int32_t)gridDim.z + 1;
  const int32_t begin = (int32_t)blockIdx.z * share;
  const int32_t rest = count > begin ? count - begin : 0;
  return copy_share(pages, own, pairs, begin, rest < share ? rest : share, false);
}

/*
 * Grid: x parts of a page, y tensors, z shares of the pairs. Pairs that have nothing to do with
 * each other, as those of a list do most of the time, are copied by all thread blocks at once;
 * every block looks at all of them and comes to the same conclusion. How many threads it has tells
 * if they are many.
 */
extern "C" __global__ void __launch_bounds__(KVF_PAGE_MANY_THREADS, 1)
    kvf_cuda_copy_blocks__b8(const __grid_constant__ kvf_copy_blocks_params p) {
  kvf_begin_kernel();
  __shared__ int64_t sources[KVF_PAGE_PAIRS];
  __shared__ int64_t targets[KVF_PAGE_PAIRS];
  __shared__ int32_t table[KVF_PAGE_TABLE];
  __shared__ int32_t conflicts[KVF_PAGE_WINDOW];
  const kvf_page_list &pages = p.pages;
  pair_list pairs = {sources, targets, table, true, 0, 0};
  if (__builtin_expect(blockDim.x > KVF_PAGE_THREADS, 0) ? copy_many(pages, pairs)
                                                         : copy_few(pages, pairs)) {
    return;
  }
  const part own = find_part(pages);
  for (int32_t start = 0; start < (int32_t)pages.blocks.size; start += KVF_PAGE_PAIRS) {
    const int32_t rest = (int32_t)pages.blocks.size - start;
    pairs.count = rest < KVF_PAGE_PAIRS ? rest : KVF_PAGE_PAIRS;
    if (blockDim.x > KVF_PAGE_THREADS) {
      __syncthreads(); /* nobody reads the list any more */
      read_pairs(pages, pairs, start, pairs.count, false);
      __syncthreads();
    }
    copy_in_order(pages, own, pairs, conflicts);
  }
}
