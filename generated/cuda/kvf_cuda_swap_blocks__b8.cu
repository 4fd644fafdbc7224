/*
 * Generated from templates/cuda/swap_blocks.cu.j2 and generator/spec/swap_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_pages.cuh"
#include "kvforge/params/swap_blocks.h"

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

/* Where a copy is from (0) or to (1). */
KVF_INLINE uint8_t *page_of(const kvf_page_moves &moves, int32_t i, int32_t side) {
  const uint32_t high = (uint32_t)moves.high[i] >> 4 * side & 15;
  const int64_t page = moves.low[side][i] | (uint32_t)moves.middle[side][i] << 16 | high << 24;
  return static_cast<uint8_t *>(moves.sides[side].data) + page * moves.sides[side].stride;
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

/* All loads of a thread, then what it stores. */
KVF_INLINE void move_x16(const kvf_page_moves &moves) {
  source_x16 moved[KVF_PAGE_UNROLL];
  uint8_t *to[KVF_PAGE_UNROLL];
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    const int32_t i = (int32_t)threadIdx.x + k * KVF_PAGE_THREADS;
    const int32_t move =
        (int32_t)(blockIdx.y << (moves.block_shift - moves.part_shift)) + (i >> moves.part_shift);
    const int64_t vector =
        ((int64_t)blockIdx.x << moves.part_shift) + (i & ((1 << moves.part_shift) - 1));
    const int64_t byte = vector * 16;
    to[k] = nullptr;
    if (i >> moves.block_shift == 0 && move < moves.count && byte < moves.page_bytes) {
      moved[k] = load_x16(page_of(moves, move, 0) + byte);
      to[k] = page_of(moves, move, 1) + byte;
    }
  }
  store_some_x16(moved, to);
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

/* All loads of a thread, then what it stores. */
KVF_INLINE void move_x4(const kvf_page_moves &moves) {
  source_x4 moved[KVF_PAGE_UNROLL];
  uint8_t *to[KVF_PAGE_UNROLL];
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    const int32_t i = (int32_t)threadIdx.x + k * KVF_PAGE_THREADS;
    const int32_t move =
        (int32_t)(blockIdx.y << (moves.block_shift - moves.part_shift)) + (i >> moves.part_shift);
    const int64_t vector =
        ((int64_t)blockIdx.x << moves.part_shift) + (i & ((1 << moves.part_shift) - 1));
    const int64_t byte = vector * 4;
    to[k] = nullptr;
    if (i >> moves.block_shift == 0 && move < moves.count && byte < moves.page_bytes) {
      moved[k] = load_x4(page_of(moves, move, 0) + byte);
      to[k] = page_of(moves, move, 1) + byte;
    }
  }
  store_some_x4(moved, to);
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

/* All loads of a thread, then what it stores. */
KVF_INLINE void move_x1(const kvf_page_moves &moves) {
  source_x1 moved[KVF_PAGE_UNROLL];
  uint8_t *to[KVF_PAGE_UNROLL];
#pragma unroll
  for (int32_t k = 0; k < KVF_PAGE_UNROLL; ++k) {
    const int32_t i = (int32_t)threadIdx.x + k * KVF_PAGE_THREADS;
    const int32_t move =
        (int32_t)(blockIdx.y << (moves.block_shift - moves.part_shift)) + (i >> moves.part_shift);
    const int64_t vector =
        ((int64_t)blockIdx.x << moves.part_shift) + (i & ((1 << moves.part_shift) - 1));
    const int64_t byte = vector * 1;
    to[k] = nullptr;
    if (i >> moves.block_shift == 0 && move < moves.count && byte < moves.page_bytes) {
      moved[k] = load_x1(page_of(moves, move, 0) + byte);
      to[k] = page_of(moves, move, 1) + byte;
    }
  }
  store_some_x1(moved, to);
}

/* No copy reads or writes what another one writes. Grid: x parts of a page, y copies. */
extern "C" __global__ void __launch_bounds__(KVF_PAGE_THREADS)
    kvf_cuda_swap_blocks__b8(const __grid_constant__ kvf_moves_launch p) {
  kvf_begin_kernel(p.beside);
  switch (p.moves.vector_bytes) {
  case 16:
    move_x16(p.moves);
    break;
  case 4:
    move_x4(p.moves);
    break;
  default:
    move_x1(p.moves);
    break;
  }
  kvf_end_kernel(p.beside);
}
