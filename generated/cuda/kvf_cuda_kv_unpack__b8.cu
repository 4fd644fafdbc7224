/*
 * Generated from templates/cuda/kv_unpack.cu.j2 and generator/spec/kv_unpack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_unpack.h"

enum { THREADS = 256, IN_FLIGHT = 4 };

/* A piece of a row: where it is on both sides; page is NULL where its token has no slot. */
struct piece {
  uint8_t *wire;
  uint8_t *page;
};

/*
 * Piece i of a cell, in the order in which the wire has them, but for planes: threads that are
 * neighbours have pieces that are. The first pieces of the first cell count the slots out of range.
 */
KVF_INLINE piece find_piece(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t i) {
  const kvf_page_plane &pages = copy.pages[plane];
  const kvf_wire_plane &wire = copy.wires[plane];
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int64_t row = kvf_divide(i, pieces.by_pieces);
  const int64_t in_row = i - row * pieces.by_pieces.value;
  const int64_t outer = kvf_divide(row, copy.by_inside);
  const int64_t inside = row - outer * copy.by_inside.value;
  int64_t wire_block = kvf_divide(outer, copy.by_middle);
  const int64_t middle = outer - wire_block * copy.by_middle.value;
  int64_t group = 0;
  if (copy.by_groups.value > 1) {
    const int64_t both = wire_block;
    wire_block = kvf_divide(both, copy.by_groups);
    group = both - wire_block * copy.by_groups.value;
  }
  const int64_t in_block = copy.tokens_inside ? inside : middle;
  const int64_t head = copy.tokens_inside ? middle : inside;
  piece found;
  found.wire = static_cast<uint8_t *>(copy.wire) + wire_block * copy.block_bytes + wire.first +
               (cell - plane * copy.num_layers) * wire.layer + group * wire.group +
               in_block * wire.token + head * wire.head + in_row * pieces.vector_bytes;
  found.page = nullptr;
  const int64_t token = wire_block * copy.block_tokens + in_block;
  const bool counts = cell == 0 && !copy.later && in_row == 0 && head == 0 && group == 0;
  int64_t block = 0;
  int64_t offset = 0;
  if (token < copy.slots.num_tokens && kvf_locate(copy.slots, token, counts, &block, &offset)) {
    int64_t at = in_row * pieces.vector_bytes;
    if (pieces.by_unbroken.value != pieces.by_pieces.value) {
      const int64_t element = kvf_divide(in_row, pieces.by_unbroken);
      at = element * pages.element +
           (in_row - element * pieces.by_unbroken.value) * pieces.vector_bytes;
    }
    found.page = static_cast<uint8_t *>(copy.cells[cell]) + block * pages.block +
                 offset * pages.token + (group * copy.group_heads + head) * pages.head + at;
  }
  return found;
}

/* The pieces of this thread, 16 bytes each, several of them at once. */
KVF_INLINE void move_x16(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t count) {
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
      if (found[k].page != nullptr) {
        held[k] = *reinterpret_cast<const uint4 *>(found[k].wire);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].page != nullptr) {
        *reinterpret_cast<uint4 *>(found[k].page) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 8 bytes each, several of them at once. */
KVF_INLINE void move_x8(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t count) {
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
      if (found[k].page != nullptr) {
        held[k] = *reinterpret_cast<const uint2 *>(found[k].wire);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].page != nullptr) {
        *reinterpret_cast<uint2 *>(found[k].page) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 4 bytes each, several of them at once. */
KVF_INLINE void move_x4(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t count) {
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
      if (found[k].page != nullptr) {
        held[k] = *reinterpret_cast<const uint32_t *>(found[k].wire);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].page != nullptr) {
        *reinterpret_cast<uint32_t *>(found[k].page) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 2 bytes each, several of them at once. */
KVF_INLINE void move_x2(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t count) {
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
      if (found[k].page != nullptr) {
        held[k] = *reinterpret_cast<const uint16_t *>(found[k].wire);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].page != nullptr) {
        *reinterpret_cast<uint16_t *>(found[k].page) = held[k];
      }
    }
  }
}

/* The pieces of this thread, 1 byte each, several of them at once. */
KVF_INLINE void move_x1(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t count) {
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
      if (found[k].page != nullptr) {
        held[k] = *reinterpret_cast<const uint8_t *>(found[k].wire);
      }
    }
#pragma unroll
    for (int32_t k = 0; k < IN_FLIGHT; ++k) {
      if (found[k].page != nullptr) {
        *reinterpret_cast<uint8_t *>(found[k].page) = held[k];
      }
    }
  }
}

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_kv_unpack__b8(const __grid_constant__ kvf_kv_unpack_params p) {
  kvf_begin_kernel();
  const kvf_wire_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  if (copy.gate != nullptr && *copy.gate != 0) {
    return;
  }
  const int32_t plane = cell / copy.num_layers;
  const int64_t count = copy.rows * copy.pieces[plane].by_pieces.value;
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
