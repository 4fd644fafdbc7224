/*
 * Generated from templates/cuda/kv_relayout.cu.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_relayout.h"

enum { THREADS = 256, IN_FLIGHT = 4 };

/* Where a row is on both sides; NULL where its token is on one of them in no slot. */
struct row {
  uint8_t *from;
  uint8_t *to;
};

/* Where a row is in its cell. */
KVF_INLINE int64_t offset_of(const kvf_page_plane &page, int64_t block, int64_t offset,
                             int64_t head) {
  return block * page.block + offset * page.token + head * page.head;
}

/* Row `number` of a cell. Of the threads that share one in the first cell the one with `leads`
 * counts slots out of range. */
KVF_INLINE row find_row(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t number,
                        bool leads) {
  const int64_t outer = kvf_divide(number, copy.by_inside);
  const int64_t inside = number - outer * copy.by_inside.value;
  const int64_t token = copy.tokens_inside ? inside : outer;
  const int64_t head = copy.tokens_inside ? outer : inside;
  const bool counts = leads && cell == 0 && !copy.later && head == 0;
  row found = {};
  bool there = true;
  const int64_t from_slot = kvf_slot_of(copy.from, token);
  const int64_t to_slot = kvf_slot_of(copy.to, token);
#pragma unroll
  for (int32_t side = 0; side < 2; ++side) {
    const bool reads = side == 0;
    int64_t block;
    int64_t offset;
    if (!kvf_place(reads ? copy.from : copy.to, reads ? from_slot : to_slot, counts, &block,
                   &offset)) {
      there = false;
      continue;
    }
    const kvf_page_plane *pages = reads ? copy.from_pages : copy.to_pages;
    void *const *cells = reads ? copy.from_cells : copy.to_cells;
    uint8_t *const at =
        static_cast<uint8_t *>(cells[cell]) + offset_of(pages[plane], block, offset, head);
    (reads ? found.from : found.to) = at;
  }
  return there ? found : row{};
}

/* The rows of this thread, in pieces of 16 bytes, several of them at once. */
KVF_INLINE void move_x16(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.to == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.from + (int64_t)part * 16;
      uint8_t *to = found.to + (int64_t)part * 16;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint4 held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i < pieces.count) {
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
KVF_INLINE void move_x8(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.to == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.from + (int64_t)part * 8;
      uint8_t *to = found.to + (int64_t)part * 8;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint2 held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i < pieces.count) {
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
KVF_INLINE void move_x4(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.to == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.from + (int64_t)part * 4;
      uint8_t *to = found.to + (int64_t)part * 4;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint32_t held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i < pieces.count) {
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
KVF_INLINE void move_x2(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.to == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.from + (int64_t)part * 2;
      uint8_t *to = found.to + (int64_t)part * 2;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint16_t held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i < pieces.count) {
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
KVF_INLINE void move_x1(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t number = blockIdx.x * at_once + (threadIdx.x >> pieces.lane_bits); number < rows;
       number += gridDim.x * at_once) {
    const row found = find_row(copy, cell, plane, number, lane == 0);
    if (found.to == nullptr) {
      continue;
    }
    for (int32_t part = 0; part < pieces.parts; ++part) {
      const uint8_t *from = found.from + (int64_t)part * 1;
      uint8_t *to = found.to + (int64_t)part * 1;
      for (int32_t first = lane; first < pieces.count; first += lanes * IN_FLIGHT) {
        uint8_t held[IN_FLIGHT];
#pragma unroll
        for (int32_t k = 0; k < IN_FLIGHT; ++k) {
          const int32_t i = first + k * lanes;
          if (i < pieces.count) {
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

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_kv_relayout__b8(const __grid_constant__ kvf_kv_relayout_params p) {
  kvf_begin_kernel();
  const kvf_page_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  const int32_t plane = cell / copy.num_layers;
  switch (copy.pieces[plane].vector) {
  case 16:
    move_x16(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 8:
    move_x8(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 4:
    move_x4(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 2:
    move_x2(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  default:
    move_x1(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  }
}
