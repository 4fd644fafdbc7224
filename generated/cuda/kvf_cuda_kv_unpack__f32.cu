/*
 * Generated from templates/cuda/kv_unpack.cu.j2 and generator/spec/kv_unpack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_unpack.h"
#include "kvforge/cache/cuda_convert.cuh"

enum { THREADS = 256, IN_FLIGHT = 2 };

/* Where a row is on both sides; page is NULL where its token has no slot. */
struct row {
  uint8_t *wire;
  uint8_t *page;
  uint8_t *wire_scale; /* of codes */
  uint8_t *page_scale;
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
  const int64_t whole_head = group * copy.group_heads + head;
  if (kvf_has_row_scale(copy.wire_dtype)) {
    const kvf_wire_plane &scales = copy.wires[plane + KVF_SCALES_OF_PLANE];
    found.wire_scale = block_at + scales.first + layer * scales.layer + group * scales.group +
                       in_block * scales.token + head * scales.head;
  } else if (kvf_has_codes(copy.wire_dtype)) {
    found.wire_scale = kvf_known_scale(copy.wire_scales[plane], layer, whole_head);
  }
  const int64_t token = wire_block * copy.block_tokens + in_block;
  const bool counts = leads && cell == 0 && !copy.later && head == 0 && group == 0;
  int64_t block = 0;
  int64_t offset = 0;
  if (token < copy.slots.num_tokens && kvf_locate(copy.slots, token, counts, &block, &offset)) {
    found.page = static_cast<uint8_t *>(copy.cells[cell]) + block * pages.block +
                 offset * pages.token + (group * copy.group_heads + head) * pages.head;
    if (kvf_has_row_scale(copy.page_dtype)) {
      const kvf_page_plane &scales = copy.pages[plane + KVF_SCALES_OF_PLANE];
      found.page_scale = static_cast<uint8_t *>(copy.cells[KVF_SCALES_OF_CELL + cell]) +
                         block * scales.block + offset * scales.token + whole_head * scales.head;
    } else if (kvf_has_codes(copy.page_dtype)) {
      found.page_scale = kvf_known_scale(copy.page_scales[plane], layer, whole_head);
    }
  }
  return found;
}

/*
 * The rows of this thread, 8 elements at a time. All threads of a warp come here for every row that
 * one of them has, since those of a row find its largest magnitude together.
 */
KVF_INLINE void convert_x8(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.wire_dtype;
  const int32_t to_dtype = copy.page_dtype;
  const int32_t from_bytes = kvf_convertible_bytes(from_dtype);
  const int32_t to_bytes = kvf_convertible_bytes(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t block = blockIdx.x * at_once; block < rows; block += gridDim.x * at_once) {
    const int64_t number = block + (threadIdx.x >> pieces.lane_bits);
    row found = {};
    if (number < rows) {
      found = find_row(copy, cell, plane, number, lane == 0);
    }
    const int32_t count = found.page != nullptr ? pieces.count : 0;
    const bool reads = found.page != nullptr;
    float scale = 1.0f;   /* of codes that are read */
    float divisor = 1.0f; /* of codes that are written */
    if (reads && count > 0) {
      scale = kvf_has_codes(from_dtype) ? kvf_load_scale(found.wire_scale) : 1.0f;
      divisor = kvf_has_codes(to_dtype) && !kvf_has_row_scale(to_dtype)
                    ? kvf_load_scale(found.page_scale)
                    : 1.0f;
    }
    if (kvf_has_row_scale(to_dtype)) {
      uint32_t largest = 0;
      for (int32_t i = lane; i < count && reads; i += lanes) {
        largest = kvf_largest_x8(
            largest, kvf_load_x8(found.wire + i * pieces.from_step, from_bytes), from_dtype);
      }
      for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
        largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
      }
      divisor = kvf_scale_of_row(to_dtype, largest);
      if (lane == 0 && count > 0) {
        kvf_store_scale(found.page_scale, divisor);
      }
    }
    const kvf_divisor by = kvf_divide_by(divisor);
    for (int32_t first = lane; first < count; first += lanes * IN_FLIGHT) {
      kvf_raw held[IN_FLIGHT];
#pragma unroll
      for (int32_t k = 0; k < IN_FLIGHT; ++k) {
        const int32_t i = first + k * lanes;
        held[k] = {};
        if (i < count) {
          held[k] = kvf_load_x8(found.wire + i * pieces.from_step, from_bytes);
        }
      }
#pragma unroll
      for (int32_t k = 0; k < IN_FLIGHT; ++k) {
        const int32_t i = first + k * lanes;
        if (i < count) {
          const kvf_raw made = kvf_convert_x8(held[k], from_dtype, to_dtype, scale, by);
          kvf_store_x8(made, found.page + i * pieces.to_step, to_bytes);
        }
      }
    }
  }
}

/*
 * The rows of this thread, 1 element at a time. All threads of a warp come here for every row that
 * one of them has, since those of a row find its largest magnitude together.
 */
KVF_INLINE void convert_x1(const kvf_wire_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.wire_dtype;
  const int32_t to_dtype = copy.page_dtype;
  const int32_t from_bytes = kvf_convertible_bytes(from_dtype);
  const int32_t to_bytes = kvf_convertible_bytes(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int32_t lane = (int32_t)threadIdx.x & (lanes - 1);
  const int64_t at_once = THREADS >> pieces.lane_bits;
  for (int64_t block = blockIdx.x * at_once; block < rows; block += gridDim.x * at_once) {
    const int64_t number = block + (threadIdx.x >> pieces.lane_bits);
    row found = {};
    if (number < rows) {
      found = find_row(copy, cell, plane, number, lane == 0);
    }
    const int32_t count = found.page != nullptr ? pieces.count : 0;
    const bool reads = found.page != nullptr;
    float scale = 1.0f;   /* of codes that are read */
    float divisor = 1.0f; /* of codes that are written */
    if (reads && count > 0) {
      scale = kvf_has_codes(from_dtype) ? kvf_load_scale(found.wire_scale) : 1.0f;
      divisor = kvf_has_codes(to_dtype) && !kvf_has_row_scale(to_dtype)
                    ? kvf_load_scale(found.page_scale)
                    : 1.0f;
    }
    if (kvf_has_row_scale(to_dtype)) {
      uint32_t largest = 0;
      for (int32_t i = lane; i < count && reads; i += lanes) {
        largest = kvf_largest_x8(
            largest, kvf_load_x1(found.wire + i * pieces.from_step, from_bytes), from_dtype);
      }
      for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
        largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
      }
      divisor = kvf_scale_of_row(to_dtype, largest);
      if (lane == 0 && count > 0) {
        kvf_store_scale(found.page_scale, divisor);
      }
    }
    const kvf_divisor by = kvf_divide_by(divisor);
    for (int32_t first = lane; first < count; first += lanes * IN_FLIGHT) {
      kvf_raw held[IN_FLIGHT];
#pragma unroll
      for (int32_t k = 0; k < IN_FLIGHT; ++k) {
        const int32_t i = first + k * lanes;
        held[k] = {};
        if (i < count) {
          held[k] = kvf_load_x1(found.wire + i * pieces.from_step, from_bytes);
        }
      }
#pragma unroll
      for (int32_t k = 0; k < IN_FLIGHT; ++k) {
        const int32_t i = first + k * lanes;
        if (i < count) {
          const kvf_raw made = kvf_convert_x8(held[k], from_dtype, to_dtype, scale, by);
          kvf_store_x1(made, found.page + i * pieces.to_step, to_bytes);
        }
      }
    }
  }
}

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_kv_unpack__f32(const __grid_constant__ kvf_kv_unpack_params p) {
  kvf_begin_kernel();
  const kvf_wire_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  if (copy.gate != nullptr && *copy.gate != 0) {
    return;
  }
  const int32_t plane = cell / copy.num_layers;
  switch (copy.pieces[plane].vector) {
  case 8:
    convert_x8(copy, cell, plane, copy.rows);
    break;
  default:
    convert_x1(copy, cell, plane, copy.rows);
    break;
  }
}
