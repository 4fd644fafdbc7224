/*
 * Generated from templates/cuda/kv_relayout.cu.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_relayout.h"

enum { THREADS = 256, IN_FLIGHT = 4 };

/* A piece of a row on both sides; NULL where its token is on one of them in no slot. */
struct piece {
  const uint8_t *from;
  uint8_t *to;
};

/* A piece of a row of a cell, from the row's block and place in it. */
KVF_INLINE uint8_t *piece_at(const kvf_page_plane &page, void *cell, const kvf_pair_pieces &pieces,
                             const kvf_divider &by_unbroken, int64_t block, int64_t offset,
                             int64_t head, int64_t in_row) {
  int64_t at = in_row * pieces.vector_bytes;
  if (by_unbroken.value != pieces.by_pieces.value) {
    const int64_t element = kvf_divide(in_row, by_unbroken);
    at = element * page.element + (in_row - element * by_unbroken.value) * pieces.vector_bytes;
  }
  return static_cast<uint8_t *>(cell) + block * page.block + offset * page.token +
         head * page.head + at;
}

/* Piece i of a cell. The threads of the first cell's first pieces count slots out of range. */
KVF_INLINE piece find_piece(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t i) {
  const kvf_pair_pieces &pieces = copy.pieces[plane];
  const int64_t row = kvf_divide(i, pieces.by_pieces);
  const int64_t in_row = i - row * pieces.by_pieces.value;
  const int64_t outer = kvf_divide(row, copy.by_inside);
  const int64_t inside = row - outer * copy.by_inside.value;
  const int64_t token = copy.tokens_inside ? inside : outer;
  const int64_t head = copy.tokens_inside ? outer : inside;
  const bool counts = cell == 0 && !copy.later && head == 0 && in_row == 0;
  int64_t block[2];
  int64_t offset[2];
  const bool is_from = kvf_locate(copy.from, token, counts, &block[0], &offset[0]);
  const bool is_to = kvf_locate(copy.to, token, counts, &block[1], &offset[1]);
  if (!is_from || !is_to) {
    return {nullptr, nullptr};
  }
  return {piece_at(copy.from_pages[plane], copy.from_cells[cell], pieces, pieces.by_unbroken[0],
                   block[0], offset[0], head, in_row),
          piece_at(copy.to_pages[plane], copy.to_cells[cell], pieces, pieces.by_unbroken[1],
                   block[1], offset[1], head, in_row)};
}

/* The pieces of this thread, 16 bytes each, several of them at once. */
KVF_INLINE void move_x16(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t count) {
  for (int64_t i = (int64_t)blockIdx.x * (THREADS * IN_FLIGHT) + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * (THREADS * IN_FLIGHT)) {
    piece found[IN_FLIGHT];
    uint4 held[IN_FLIGHT];
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      found[k] = {nullptr, nullptr};
      if (i + k * THREADS < count) {
        found[k] = find_piece(copy, cell, plane, i + k * THREADS);
      }
      if (found[k].from != nullptr) {
        held[k] = *reinterpret_cast<const uint4 *>(found[k].from);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].to != nullptr) {
        *reinterpret_cast<uint4 *>(found[k].to) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 8 bytes each, several of them at once. */
KVF_INLINE void move_x8(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t count) {
  for (int64_t i = (int64_t)blockIdx.x * (THREADS * IN_FLIGHT) + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * (THREADS * IN_FLIGHT)) {
    piece found[IN_FLIGHT];
    uint2 held[IN_FLIGHT];
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      found[k] = {nullptr, nullptr};
      if (i + k * THREADS < count) {
        found[k] = find_piece(copy, cell, plane, i + k * THREADS);
      }
      if (found[k].from != nullptr) {
        held[k] = *reinterpret_cast<const uint2 *>(found[k].from);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].to != nullptr) {
        *reinterpret_cast<uint2 *>(found[k].to) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 4 bytes each, several of them at once. */
KVF_INLINE void move_x4(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t count) {
  for (int64_t i = (int64_t)blockIdx.x * (THREADS * IN_FLIGHT) + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * (THREADS * IN_FLIGHT)) {
    piece found[IN_FLIGHT];
    uint32_t held[IN_FLIGHT];
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      found[k] = {nullptr, nullptr};
      if (i + k * THREADS < count) {
        found[k] = find_piece(copy, cell, plane, i + k * THREADS);
      }
      if (found[k].from != nullptr) {
        held[k] = *reinterpret_cast<const uint32_t *>(found[k].from);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].to != nullptr) {
        *reinterpret_cast<uint32_t *>(found[k].to) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 2 bytes each, several of them at once. */
KVF_INLINE void move_x2(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t count) {
  for (int64_t i = (int64_t)blockIdx.x * (THREADS * IN_FLIGHT) + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * (THREADS * IN_FLIGHT)) {
    piece found[IN_FLIGHT];
    uint16_t held[IN_FLIGHT];
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      found[k] = {nullptr, nullptr};
      if (i + k * THREADS < count) {
        found[k] = find_piece(copy, cell, plane, i + k * THREADS);
      }
      if (found[k].from != nullptr) {
        held[k] = *reinterpret_cast<const uint16_t *>(found[k].from);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].to != nullptr) {
        *reinterpret_cast<uint16_t *>(found[k].to) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 1 byte each, several of them at once. */
KVF_INLINE void move_x1(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t count) {
  for (int64_t i = (int64_t)blockIdx.x * (THREADS * IN_FLIGHT) + threadIdx.x; i < count;
       i += (int64_t)gridDim.x * (THREADS * IN_FLIGHT)) {
    piece found[IN_FLIGHT];
    uint8_t held[IN_FLIGHT];
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      found[k] = {nullptr, nullptr};
      if (i + k * THREADS < count) {
        found[k] = find_piece(copy, cell, plane, i + k * THREADS);
      }
      if (found[k].from != nullptr) {
        held[k] = *reinterpret_cast<const uint8_t *>(found[k].from);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].to != nullptr) {
        *reinterpret_cast<uint8_t *>(found[k].to) = held[k];
      }
    }
  }
}

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_kv_relayout__b8(const __grid_constant__ kvf_kv_relayout_params p) {
  kvf_begin_kernel();
  const kvf_page_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  const int32_t plane = cell / copy.num_layers;
  const int64_t count = copy.from.num_tokens * copy.num_heads * copy.pieces[plane].by_pieces.value;
  switch (copy.pieces[plane].vector_bytes) {
  case 16:
    move_x16(copy, cell, plane, count);
    break;
  case 8:
    move_x8(copy, cell, plane, count);
    break;
  case 4:
    move_x4(copy, cell, plane, count);
    break;
  case 2:
    move_x2(copy, cell, plane, count);
    break;
  default:
    move_x1(copy, cell, plane, count);
    break;
  }
}
