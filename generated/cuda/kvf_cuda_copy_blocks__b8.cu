/*
 * Generated from templates/cuda/copy_blocks.cu.j2 and generator/spec/copy_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_pages.cuh"
#include "kvforge/params/copy_blocks.h"

/* A pair that is skipped, in place of its block numbers. */
#define NOWHERE INT64_C(-1)

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

/* What a thread block owns: a part of every page of a tensor, 2^shift vectors of `width` bytes. */
struct part {
  kvf_pages cache;
  int32_t width;
  int32_t shift;
};

/* An address that the host has not seen may be less aligned than page_bytes: the part is then of
 * more, and narrower, vectors. */
KVF_INLINE part find_part(const kvf_page_list &pages) {
  if (pages.addresses == nullptr) {
    return {pages.caches[blockIdx.y], pages.vector_bytes, pages.part_shift};
  }
  part found = {
      {pages.addresses[blockIdx.y], pages.page_bytes}, pages.vector_bytes, pages.part_shift};
  if (found.width == 16 && reinterpret_cast<uintptr_t>(found.cache.data) % 16 != 0) {
    found.width = 4;
    found.shift += 2;
  }
  if (found.width == 4 && reinterpret_cast<uintptr_t>(found.cache.data) % 4 != 0) {
    found.width = 1;
    found.shift += 2;
  }
  return found;
}

/* The pair and the byte in the page of vector i of a run; false if there is nothing to copy. */
KVF_INLINE bool find_vector(const kvf_page_list &pages, const part &own, const int64_t *sources,
                            int32_t i, int32_t vectors, int32_t width, int32_t *pair,
                            int64_t *byte) {
  const int32_t in_part = i & ((1 << own.shift) - 1);
  *pair = i >> own.shift;
  *byte = (((int64_t)blockIdx.x << own.shift) + in_part) * width;
  return i < vectors && *byte < pages.page_bytes && sources[*pair] != NOWHERE;
}

/* The block's part of a run of pairs, 16 bytes at a time, several loads of a thread in flight. */
KVF_INLINE void copy_run_x16(const kvf_page_list &pages, const part &own, const int64_t *sources,
                             const int64_t *targets, int32_t count) {
  const kvf_pages &cache = own.cache;
  const int32_t vectors = count << own.shift;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
    source_x16 moved[KVF_PAGE_UNROLL];
    int32_t pair;
    int64_t byte;
#pragma unroll
    for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
      if (find_vector(pages, own, sources, i + k * (int32_t)blockDim.x, vectors, 16, &pair,
                      &byte)) {
        moved[k] =
            load_x16(static_cast<uint8_t *>(cache.data) + sources[pair] * cache.stride + byte);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
      if (find_vector(pages, own, sources, i + k * (int32_t)blockDim.x, vectors, 16, &pair,
                      &byte)) {
        store_x16(moved[k],
                  static_cast<uint8_t *>(cache.data) + targets[pair] * cache.stride + byte);
      }
    }
  }
}

/* The block's part of a run of pairs, 4 bytes at a time, several loads of a thread in flight. */
KVF_INLINE void copy_run_x4(const kvf_page_list &pages, const part &own, const int64_t *sources,
                            const int64_t *targets, int32_t count) {
  const kvf_pages &cache = own.cache;
  const int32_t vectors = count << own.shift;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
    source_x4 moved[KVF_PAGE_UNROLL];
    int32_t pair;
    int64_t byte;
#pragma unroll
    for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
      if (find_vector(pages, own, sources, i + k * (int32_t)blockDim.x, vectors, 4, &pair, &byte)) {
        moved[k] =
            load_x4(static_cast<uint8_t *>(cache.data) + sources[pair] * cache.stride + byte);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
      if (find_vector(pages, own, sources, i + k * (int32_t)blockDim.x, vectors, 4, &pair, &byte)) {
        store_x4(moved[k],
                 static_cast<uint8_t *>(cache.data) + targets[pair] * cache.stride + byte);
      }
    }
  }
}

/* The block's part of a run of pairs, 1 byte at a time, several loads of a thread in flight. */
KVF_INLINE void copy_run_x1(const kvf_page_list &pages, const part &own, const int64_t *sources,
                            const int64_t *targets, int32_t count) {
  const kvf_pages &cache = own.cache;
  const int32_t vectors = count << own.shift;
  for (int32_t i = (int32_t)threadIdx.x; i < vectors; i += KVF_PAGE_UNROLL * (int32_t)blockDim.x) {
    source_x1 moved[KVF_PAGE_UNROLL];
    int32_t pair;
    int64_t byte;
#pragma unroll
    for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
      if (find_vector(pages, own, sources, i + k * (int32_t)blockDim.x, vectors, 1, &pair, &byte)) {
        moved[k] =
            load_x1(static_cast<uint8_t *>(cache.data) + sources[pair] * cache.stride + byte);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
      if (find_vector(pages, own, sources, i + k * (int32_t)blockDim.x, vectors, 1, &pair, &byte)) {
        store_x1(moved[k],
                 static_cast<uint8_t *>(cache.data) + targets[pair] * cache.stride + byte);
      }
    }
  }
}

/* A run of pairs of which none writes what another one reads or writes, all at once. */
KVF_INLINE void copy_run(const kvf_page_list &pages, const part &own, const int64_t *sources,
                         const int64_t *targets, int32_t count) {
  switch (own.width) {
  case 16:
    copy_run_x16(pages, own, sources, targets, count);
    break;
  case 4:
    copy_run_x4(pages, own, sources, targets, count);
    break;
  default:
    copy_run_x1(pages, own, sources, targets, count);
    break;
  }
}

/*
 * The nearest pair before `pair` in the window that must not change places with it; -1: none.
 * Looks at one in blockDim.x / KVF_PAGE_WINDOW pairs, from `first` on.
 */
KVF_INLINE int32_t find_conflict(const int64_t *sources, const int64_t *targets, int32_t pair,
                                 int32_t first) {
  const int64_t source = sources[pair];
  const int64_t target = targets[pair];
  int32_t nearest = -1;
  for (int32_t i = first; i < pair; i += (int32_t)blockDim.x / KVF_PAGE_WINDOW) {
    if (targets[i] == source || targets[i] == target || sources[i] == target) {
      nearest = i;
    }
  }
  return source == NOWHERE ? -1 : nearest;
}

/*
 * Grid: x parts of a page, y tensors. A thread block owns one part of every page of one tensor, so
 * that whatever the pairs of the list have to do with each other stays within the block: it copies
 * a window of pairs at a time, all of them at once where it can, and a pair after the pairs before
 * it where one reads or writes what the other writes.
 */
extern "C" __global__ void __launch_bounds__(KVF_PAGE_THREADS, 1)
    kvf_cuda_copy_blocks__b8(const __grid_constant__ kvf_copy_blocks_params p) {
  __shared__ int64_t sources[KVF_PAGE_WINDOW];
  __shared__ int64_t targets[KVF_PAGE_WINDOW];
  __shared__ int32_t conflicts[KVF_PAGE_WINDOW];
  const kvf_page_list &pages = p.pages;
  const kvf_block_list &blocks = pages.blocks;
  const int32_t thread = (int32_t)threadIdx.x;
  const bool counts = blockIdx.x == 0 && blockIdx.y == 0;
  const part own = find_part(pages);
  for (int64_t start = 0; start < blocks.size; start += KVF_PAGE_WINDOW) {
    const int32_t count =
        blocks.size - start < KVF_PAGE_WINDOW ? (int32_t)(blocks.size - start) : KVF_PAGE_WINDOW;
    __syncthreads(); /* the window before this one is copied */
    if (thread < count) {
      const int64_t at = (start + thread) * blocks.stride[0];
      const int64_t source = kvf_index_at(blocks.data, blocks.index_bytes, at);
      const int64_t target = kvf_index_at(blocks.data, blocks.index_bytes, at + blocks.stride[1]);
      const bool exists = kvf_has_block(pages, source > target ? source : target, counts);
      const bool copied = exists && source >= 0 && target >= 0 && source != target;
      sources[thread] = copied ? source : NOWHERE;
      targets[thread] = copied ? target : NOWHERE;
      conflicts[thread] = -1;
    }
    __syncthreads();
    const int32_t pair = thread % KVF_PAGE_WINDOW;
    const int32_t conflict =
        pair < count ? find_conflict(sources, targets, pair, thread / KVF_PAGE_WINDOW) : -1;
    if (!__syncthreads_or(conflict >= 0)) {
      copy_run(pages, own, sources, targets, count);
      continue;
    }
    if (conflict >= 0) {
      atomicMax(&conflicts[pair], conflict);
    }
    for (int32_t begin = 0, end = 0; begin < count; begin = end) {
      __syncthreads(); /* what these pairs read is written */
      for (end = begin + 1; end < count && conflicts[end] < begin; ++end) {
      }
      copy_run(pages, own, sources + begin, targets + begin, end - begin);
    }
  }
}
