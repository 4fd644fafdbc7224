/*
 * Generated from templates/cuda/kv_pack.cu.j2 and generator/spec/kv_pack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_pack.h"

enum { THREADS = 256, IN_FLIGHT = 4 };

/* Where a row is on both sides; page is NULL where its token has no slot. */
struct row {
  uint8_t *wire;
  uint8_t *page;
};

/*
 * Row `number` of a cell, in the order in which the wire has them, but for planes: threads that are
 * neighbours have rows that are. Of those that share a row the one with `leads` counts a slot out
 * of range, in the first cell and for the first head.
 */
KVF_INLINE row find_row(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t number,
                        bool leads) {
  const kvf_page_plane &pages = copy.pages[plane];
  const kvf_wire_plane &wire = copy.wires[plane];
  const int64_t outer = kvf_divide(number, copy.by_inside);
  const int64_t inside = number - outer * copy.by_inside.value;
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
  const int64_t layer = cell - plane * copy.num_layers;
  uint8_t *const block_at = static_cast<uint8_t *>(copy.wire) + wire_block * copy.block_bytes;
  row found = {};
  found.wire = block_at + wire.first + layer * wire.layer + group * wire.group +
               in_block * wire.token + head * wire.head;
  const int64_t token = wire_block * copy.block_tokens + in_block;
  const bool counts = leads && cell == 0 && !copy.later && head == 0 && group == 0;
  int64_t block = 0;
  int64_t offset = 0;
  if (token < copy.slots.num_tokens && kvf_locate(copy.slots, token, counts, &block, &offset)) {
    found.page = static_cast<uint8_t *>(copy.cells[cell]) + block * pages.block +
                 offset * pages.token + (group * copy.group_heads + head) * pages.head;
  }
  return found;
}

/* The rows of this thread, in pieces of 16 bytes, several of them at once. */
KVF_INLINE void move_x16(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.wire == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.page + (int64_t)part * 16;
      uint8_t *to = found.wire + (int64_t)part * 16;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint4 held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          held[k] = {};
          if (i < pieces.count && found.page != nullptr) {
            held[k] = *reinterpret_cast<const uint4 *>(from + i * pieces.from_step);
          }
        }
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i >= pieces.count) {
            break;
          }
          *reinterpret_cast<uint4 *>(to + i * pieces.to_step) = held[k];
        }
      }
    }
  }
}

/* The rows of this thread, in pieces of 8 bytes, several of them at once. */
KVF_INLINE void move_x8(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.wire == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.page + (int64_t)part * 8;
      uint8_t *to = found.wire + (int64_t)part * 8;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint2 held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          held[k] = {};
          if (i < pieces.count && found.page != nullptr) {
            held[k] = *reinterpret_cast<const uint2 *>(from + i * pieces.from_step);
          }
        }
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i >= pieces.count) {
            break;
          }
          *reinterpret_cast<uint2 *>(to + i * pieces.to_step) = held[k];
        }
      }
    }
  }
}

/* The rows of this thread, in pieces of 4 bytes, several of them at once. */
KVF_INLINE void move_x4(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.wire == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.page + (int64_t)part * 4;
      uint8_t *to = found.wire + (int64_t)part * 4;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint32_t held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          held[k] = {};
          if (i < pieces.count && found.page != nullptr) {
            held[k] = *reinterpret_cast<const uint32_t *>(from + i * pieces.from_step);
          }
        }
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i >= pieces.count) {
            break;
          }
          *reinterpret_cast<uint32_t *>(to + i * pieces.to_step) = held[k];
        }
      }
    }
  }
}

/* The rows of this thread, in pieces of 2 bytes, several of them at once. */
KVF_INLINE void move_x2(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.wire == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.page + (int64_t)part * 2;
      uint8_t *to = found.wire + (int64_t)part * 2;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint16_t held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          held[k] = {};
          if (i < pieces.count && found.page != nullptr) {
            held[k] = *reinterpret_cast<const uint16_t *>(from + i * pieces.from_step);
          }
        }
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i >= pieces.count) {
            break;
          }
          *reinterpret_cast<uint16_t *>(to + i * pieces.to_step) = held[k];
        }
      }
    }
  }
}

/* The rows of this thread, in pieces of 1 byte, several of them at once. */
KVF_INLINE void move_x1(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.wire == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.page + (int64_t)part * 1;
      uint8_t *to = found.wire + (int64_t)part * 1;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint8_t held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          held[k] = {};
          if (i < pieces.count && found.page != nullptr) {
            held[k] = *reinterpret_cast<const uint8_t *>(from + i * pieces.from_step);
          }
        }
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i >= pieces.count) {
            break;
          }
          *reinterpret_cast<uint8_t *>(to + i * pieces.to_step) = held[k];
        }
      }
    }
  }
}

/* What is behind the rows of each wire block, and behind the last one up to the end of the wire. */
KVF_INLINE void clear_rest(const kvf_wire_copy &copy) {
  const int64_t first = (int64_t)blockIdx.x * THREADS + threadIdx.x;
  const int64_t step = (int64_t)gridDim.x * THREADS;
  uint8_t *wire = static_cast<uint8_t *>(copy.wire);
  for (int64_t block = first; block < copy.num_wire_blocks; block += step) {
    for (int64_t i = copy.used_bytes; i < copy.block_bytes; ++i) {
      wire[block * copy.block_bytes + i] = 0;
    }
  }
  for (int64_t i = copy.num_wire_blocks * copy.block_bytes + first; i < copy.wire_bytes;
       i += step) {
    wire[i] = 0;
  }
}

/* Grid: x parts of a cell, y cells, and one more for what is behind rows. */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_kv_pack__b8(const __grid_constant__ kvf_kv_pack_params p) {
  kvf_begin_kernel();
  const kvf_wire_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  if (cell == copy.num_planes * copy.num_layers) {
    clear_rest(copy);
    return;
  }
  const int32_t plane = cell / copy.num_layers;
  switch (copy.pieces[plane].vector) {
  case 16:
    move_x16(copy, cell, plane, copy.rows);
    break;
  case 8:
    move_x8(copy, cell, plane, copy.rows);
    break;
  case 4:
    move_x4(copy, cell, plane, copy.rows);
    break;
  case 2:
    move_x2(copy, cell, plane, copy.rows);
    break;
  default:
    move_x1(copy, cell, plane, copy.rows);
    break;
  }
}
