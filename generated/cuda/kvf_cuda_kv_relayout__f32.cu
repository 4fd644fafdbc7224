/*
 * Generated from templates/cuda/kv_relayout.cu.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_relayout.h"
#include "kvforge/cache/cuda_convert.cuh"

enum { THREADS = 256, IN_FLIGHT = 2 };

/* Where a row is on both sides; NULL where its token is on one of them in no slot. */
struct row {
  const uint8_t *from;
  uint8_t *to;
  const uint8_t *from_scale; /* of codes */
  uint8_t *to_scale;
};

/* Where a row is in its cell. */
KVF_INLINE int64_t offset_of(const kvf_page_plane &page, int64_t block, int64_t offset,
                             int64_t head) {
  return block * page.block + offset * page.token + head * page.head;
}

/* The scale of a row of codes, which is one of `scales` or lies as the rows of a plane of their own
 * do. */
KVF_INLINE uint8_t *scale_at(int32_t dtype, const kvf_plane_scales &scales, int64_t layer,
                             const kvf_page_plane *pages, int32_t plane, void *const *cells,
                             int32_t cell, int64_t block, int64_t offset, int64_t head) {
  if (kvf_has_row_scale(dtype)) {
    return static_cast<uint8_t *>(cells[KVF_SCALES_OF_PAIR + cell]) +
           offset_of(pages[KVF_SCALES_OF_PLANE + plane], block, offset, head);
  }
  return kvf_has_codes(dtype) ? kvf_known_scale(scales, layer, head) : nullptr;
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
  int64_t block[2];
  int64_t offset[2];
  const bool is_from = kvf_locate(copy.from, token, counts, &block[0], &offset[0]);
  const bool is_to = kvf_locate(copy.to, token, counts, &block[1], &offset[1]);
  row found = {};
  if (is_from && is_to) {
    found.from = static_cast<uint8_t *>(copy.from_cells[cell]) +
                 offset_of(copy.from_pages[plane], block[0], offset[0], head);
    found.to = static_cast<uint8_t *>(copy.to_cells[cell]) +
               offset_of(copy.to_pages[plane], block[1], offset[1], head);
    const int64_t layer = cell - plane * copy.num_layers;
    found.from_scale = scale_at(copy.from_dtype, copy.from_scales[plane], layer, copy.from_pages,
                                plane, copy.from_cells, cell, block[0], offset[0], head);
    found.to_scale = scale_at(copy.to_dtype, copy.to_scales[plane], layer, copy.to_pages, plane,
                              copy.to_cells, cell, block[1], offset[1], head);
  }
  return found;
}

/*
 * The rows of this thread, 8 elements at a time. All threads of a warp come here for every row that
 * one of them has, since those of a row find its largest magnitude together.
 */
KVF_INLINE void convert_x8(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
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
    const int32_t count = found.to != nullptr ? pieces.count : 0;
    const bool reads = found.from != nullptr;
    float scale = 1.0f;   /* of codes that are read */
    float divisor = 1.0f; /* of codes that are written */
    if (reads && count > 0) {
      scale = kvf_has_codes(from_dtype) ? kvf_load_scale(found.from_scale) : 1.0f;
      divisor = kvf_has_codes(to_dtype) && !kvf_has_row_scale(to_dtype)
                    ? kvf_load_scale(found.to_scale)
                    : 1.0f;
    }
    if (kvf_has_row_scale(to_dtype)) {
      uint32_t largest = 0;
      for (int32_t i = lane; i < count && reads; i += lanes) {
        largest = kvf_largest_x8(
            largest, kvf_load_x8(found.from + i * pieces.from_step, from_bytes), from_dtype);
      }
      for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
        largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
      }
      divisor = kvf_scale_of_row(to_dtype, largest);
      if (lane == 0 && count > 0) {
        kvf_store_scale(found.to_scale, divisor);
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
          held[k] = kvf_load_x8(found.from + i * pieces.from_step, from_bytes);
        }
      }
#pragma unroll
      for (int32_t k = 0; k < IN_FLIGHT; ++k) {
        const int32_t i = first + k * lanes;
        if (i < count) {
          const kvf_raw made = kvf_convert_x8(held[k], from_dtype, to_dtype, scale, by);
          kvf_store_x8(made, found.to + i * pieces.to_step, to_bytes);
        }
      }
    }
  }
}

/*
 * The rows of this thread, 1 element at a time. All threads of a warp come here for every row that
 * one of them has, since those of a row find its largest magnitude together.
 */
KVF_INLINE void convert_x1(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
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
    const int32_t count = found.to != nullptr ? pieces.count : 0;
    const bool reads = found.from != nullptr;
    float scale = 1.0f;   /* of codes that are read */
    float divisor = 1.0f; /* of codes that are written */
    if (reads && count > 0) {
      scale = kvf_has_codes(from_dtype) ? kvf_load_scale(found.from_scale) : 1.0f;
      divisor = kvf_has_codes(to_dtype) && !kvf_has_row_scale(to_dtype)
                    ? kvf_load_scale(found.to_scale)
                    : 1.0f;
    }
    if (kvf_has_row_scale(to_dtype)) {
      uint32_t largest = 0;
      for (int32_t i = lane; i < count && reads; i += lanes) {
        largest = kvf_largest_x8(
            largest, kvf_load_x1(found.from + i * pieces.from_step, from_bytes), from_dtype);
      }
      for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
        largest = max(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
      }
      divisor = kvf_scale_of_row(to_dtype, largest);
      if (lane == 0 && count > 0) {
        kvf_store_scale(found.to_scale, divisor);
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
          held[k] = kvf_load_x1(found.from + i * pieces.from_step, from_bytes);
        }
      }
#pragma unroll
      for (int32_t k = 0; k < IN_FLIGHT; ++k) {
        const int32_t i = first + k * lanes;
        if (i < count) {
          const kvf_raw made = kvf_convert_x8(held[k], from_dtype, to_dtype, scale, by);
          kvf_store_x1(made, found.to + i * pieces.to_step, to_bytes);
        }
      }
    }
  }
}

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS)
    kvf_cuda_kv_relayout__f32(const __grid_constant__ kvf_kv_relayout_params p) {
  kvf_begin_kernel();
  const kvf_page_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  const int32_t plane = cell / copy.num_layers;
  switch (copy.pieces[plane].vector) {
  case 8:
    convert_x8(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  default:
    convert_x1(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  }
}
