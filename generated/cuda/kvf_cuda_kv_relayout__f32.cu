/*
 * Generated from templates/cuda/kv_relayout.cu.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_relayout.h"
#include "kvforge/cache/cuda_convert.cuh"

enum { THREADS = 128, WARP = 32 };

/* Blocks that share a multiprocessor at least: asked for more, compilers spill. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 1000
enum { BLOCKS = 3 };
#else
enum { BLOCKS = 4 };
#endif

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

/* What is known of a row before it is read. */
struct conversion {
  const uint8_t *from; /* NULL: it is not read */
  uint8_t *to;         /* NULL: it is not written */
  uint8_t *scale_to;   /* where the scale of the row goes, if it has one */
  float scale;         /* of codes that are read */
  float divisor;       /* of codes that are written */
};

KVF_INLINE conversion find_conversion(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                                      int64_t number) {
  conversion found = {nullptr, nullptr, nullptr, 1.0f, 1.0f};
  const row places = find_row(copy, cell, plane, number, true);
  if (places.to == nullptr) {
    return found;
  }
  found.to = places.to;
  found.scale_to = places.to_scale;
  if (places.from == nullptr) {
    return found;
  }
  found.from = places.from;
  if (kvf_has_codes(copy.from_dtype)) {
    found.scale = kvf_load_scale(places.from_scale);
  }
  if (kvf_has_codes(copy.to_dtype) && !kvf_has_row_scale(copy.to_dtype)) {
    found.divisor = kvf_load_scale(places.to_scale);
  }
  return found;
}

/* An address that another lane has. */
KVF_INLINE uint8_t *address_of_lane(const uint8_t *mine, int32_t lane) {
  return reinterpret_cast<uint8_t *>(
      __shfl_sync(0xFFFFFFFFu, reinterpret_cast<uintptr_t>(mine), lane));
}

/* What another lane has found. All lanes of the warp come here. */
KVF_INLINE conversion of_lane(const conversion &mine, int32_t lane, bool scales_rows) {
  conversion found = {};
  found.from = address_of_lane(mine.from, lane);
  found.to = address_of_lane(mine.to, lane);
  if (scales_rows) {
    found.scale_to = address_of_lane(mine.scale_to, lane);
  }
  found.scale = __shfl_sync(0xFFFFFFFFu, mine.scale, lane);
  found.divisor = __shfl_sync(0xFFFFFFFFu, mine.divisor, lane);
  return found;
}

/* How many of `count` pieces a thread has that has piece `first`. */
KVF_INLINE int32_t parts_of(int32_t count, int32_t first, const kvf_row_pieces &pieces) {
  return (count - first + (1 << pieces.lane_bits) - 1) >> pieces.lane_bits;
}

/* The row of each lane, of those from `first` on that a warp finds at a time; it is asked for. */
KVF_INLINE conversion find_x8(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t first,
                              int32_t found, int64_t rows) {
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  if (lane >= found || first + lane >= rows) {
    return {nullptr, nullptr, nullptr, 1.0f, 1.0f};
  }
  const conversion mine = find_conversion(copy, cell, plane, first + lane);
  if (found == WARP && mine.from != nullptr) {
    kvf_prefetch(mine.from, copy.pieces[plane].count * copy.pieces[plane].from_step);
  }
  return mine;
}

/*
 * Rows, 8 elements at a time. A warp finds the places of many of them at once, one for each lane,
 * and then a few threads share each.
 */
KVF_INLINE void convert_x8(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const bool scales_rows = kvf_has_row_scale(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_apart = lanes * pieces.from_step;
  const int64_t to_apart = lanes * pieces.to_step;
  const int32_t step = lanes * KVF_AT_ONCE; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  for (int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
       first_row < rows; first_row += warps * found) {
    const conversion mine = find_x8(copy, cell, plane, first_row, found, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const conversion at = of_lane(mine, next + (thread >> pieces.lane_bits), scales_rows);
      const int32_t count = at.to != nullptr ? pieces.count : 0;
      const int32_t to_read = at.from != nullptr ? count : 0;
      kvf_floats_x8 v;
      kvf_read_x8(at.from, lane * pieces.from_step, from_apart, parts_of(to_read, lane, pieces),
                  from_dtype, v);
      float divisor = at.divisor;
      if (scales_rows) {
        float largest = kvf_largest_of(v, 8 * KVF_AT_ONCE);
        for (int32_t first = lane + step; first < to_read; first += step) {
          kvf_read_x8(at.from, first * pieces.from_step, from_apart,
                      parts_of(to_read, first, pieces), from_dtype, v);
          largest = fmaxf(largest, kvf_largest_of(v, 8 * KVF_AT_ONCE));
        }
        for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
        }
        divisor = kvf_scale_of_row(to_dtype, kvf_bits(largest));
        if (lane == 0 && at.to != nullptr) {
          kvf_store_scale(at.scale_to, divisor);
        }
      }
      const kvf_any_divisor by = kvf_divide_by_any(divisor);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane || (scales_rows && lane + step < to_read)) {
          kvf_read_x8(at.from, first * pieces.from_step, from_apart,
                      parts_of(to_read, first, pieces), from_dtype, v);
        }
        kvf_rescale(v, 8 * KVF_AT_ONCE, from_dtype, to_dtype, at.scale, by);
        kvf_write_x8(v, at.to, first * pieces.to_step, to_apart, parts_of(count, first, pieces),
                     to_dtype);
      }
    }
  }
}

/* The row of each lane, of those from `first` on that a warp finds at a time; it is asked for. */
KVF_INLINE conversion find_x1(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t first,
                              int32_t found, int64_t rows) {
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  if (lane >= found || first + lane >= rows) {
    return {nullptr, nullptr, nullptr, 1.0f, 1.0f};
  }
  const conversion mine = find_conversion(copy, cell, plane, first + lane);
  return mine;
}

/*
 * Rows, 1 element at a time. A warp finds the places of many of them at once, one for each lane,
 * and then a few threads share each.
 */
KVF_INLINE void convert_x1(const kvf_page_copy &copy, int32_t cell, int32_t plane, int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const bool scales_rows = kvf_has_row_scale(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_apart = lanes * pieces.from_step;
  const int64_t to_apart = lanes * pieces.to_step;
  const int32_t step = lanes * KVF_AT_ONCE; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  for (int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
       first_row < rows; first_row += warps * found) {
    const conversion mine = find_x1(copy, cell, plane, first_row, found, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const conversion at = of_lane(mine, next + (thread >> pieces.lane_bits), scales_rows);
      const int32_t count = at.to != nullptr ? pieces.count : 0;
      const int32_t to_read = at.from != nullptr ? count : 0;
      kvf_floats_x1 v;
      kvf_read_x1(at.from, lane * pieces.from_step, from_apart, parts_of(to_read, lane, pieces),
                  from_dtype, v);
      float divisor = at.divisor;
      if (scales_rows) {
        float largest = kvf_largest_of(v, 1 * KVF_AT_ONCE);
        for (int32_t first = lane + step; first < to_read; first += step) {
          kvf_read_x1(at.from, first * pieces.from_step, from_apart,
                      parts_of(to_read, first, pieces), from_dtype, v);
          largest = fmaxf(largest, kvf_largest_of(v, 1 * KVF_AT_ONCE));
        }
        for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
        }
        divisor = kvf_scale_of_row(to_dtype, kvf_bits(largest));
        if (lane == 0 && at.to != nullptr) {
          kvf_store_scale(at.scale_to, divisor);
        }
      }
      const kvf_any_divisor by = kvf_divide_by_any(divisor);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane || (scales_rows && lane + step < to_read)) {
          kvf_read_x1(at.from, first * pieces.from_step, from_apart,
                      parts_of(to_read, first, pieces), from_dtype, v);
        }
        kvf_rescale(v, 1 * KVF_AT_ONCE, from_dtype, to_dtype, at.scale, by);
        kvf_write_x1(v, at.to, first * pieces.to_step, to_apart, parts_of(count, first, pieces),
                     to_dtype);
      }
    }
  }
}

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
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
