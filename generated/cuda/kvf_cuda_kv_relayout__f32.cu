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
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
enum { BLOCKS = 7 };
#else
enum { BLOCKS = 6 };
#endif

/* Where a row is on both sides; NULL where its token is on one of them in no slot. */
struct row {
  uint8_t *from;
  uint8_t *to;
  uint8_t *from_scale; /* of codes */
  uint8_t *to_scale;
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
    const int32_t dtype = reads ? copy.from_dtype : copy.to_dtype;
    uint8_t *scale = nullptr;
    if (kvf_has_row_scale(dtype)) {
      scale = static_cast<uint8_t *>(cells[KVF_SCALES_OF_PAIR + cell]) +
              offset_of(pages[KVF_SCALES_OF_PLANE + plane], block, offset, head);
    } else if (kvf_has_codes(dtype)) {
      scale = kvf_known_scale((reads ? copy.from_scales : copy.to_scales)[plane],
                              cell - plane * copy.num_layers, head);
    }
    (reads ? found.from_scale : found.to_scale) = scale;
  }
  return there ? found : row{};
}

/* What is known of a row before it is read. */
struct conversion {
  const uint8_t *from; /* NULL: it is not read */
  uint8_t *to;         /* NULL: it is not written */
  uint8_t *scale_to;   /* where the scale of the row goes, if it has one */
  float scale;         /* of codes that are read */
  float divisor;       /* of codes that are written */
};

/* Row `number` of `rows` that lanes of a warp find, one each. */
KVF_INLINE conversion find_conversion(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                                      int64_t number, int64_t rows) {
  conversion found = {nullptr, nullptr, nullptr, 1.0f, 1.0f};
  if (number >= rows) {
    return found;
  }
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

/* How many of `count` pieces a thread has that has piece `first`. */
KVF_INLINE int32_t parts_of(int32_t count, int32_t first, const kvf_row_pieces &pieces) {
  return (count - first + (1 << pieces.lane_bits) - 1) >> pieces.lane_bits;
}

/*
 * Rows, 8 elements at a time, of 4 and 2 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b4_b2(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 4;
  const int64_t to_step = 8 * 2;
  const int32_t step = lanes * KVF_AT_ONCE_b4; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b4 held[KVF_AT_ONCE_b4];
      kvf_hold_some_b4(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane) {
          kvf_hold_some_b4(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b4; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b4(held[k], from_dtype, v);
            kvf_store_b2(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 4 and 1 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b4_b1(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const bool scales_rows = kvf_has_row_scale(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 4;
  const int64_t to_step = 8 * 1;
  const int32_t step = lanes * KVF_AT_ONCE_b4; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b4 held[KVF_AT_ONCE_b4];
      kvf_hold_some_b4(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      float divisor = __shfl_sync(0xFFFFFFFFu, mine.divisor, owner);
      if (scales_rows) {
        uint8_t *const scale_to = address_of_lane(mine.scale_to, owner);
        float largest = 0.0f;
        for (int32_t first = lane; first < to_read; first += step) {
          if (first != lane) {
            kvf_hold_some_b4(from + first * from_step, lanes * from_step,
                             parts_of(to_read, first, pieces), from_dtype, held);
          }
#pragma unroll
          for (int32_t k = 0; k < KVF_AT_ONCE_b4; ++k) {
            float v[8];
            kvf_widen_b4(held[k], from_dtype, v);
            largest = fmaxf(largest, kvf_largest_of(v, 8));
          }
        }
        for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
        }
        divisor = kvf_scale_of_row(to_dtype, kvf_bits(largest));
        if (lane == 0 && to != nullptr) {
          kvf_store_scale(scale_to, divisor);
        }
      }
      const kvf_any_divisor by = kvf_divide_by_any(divisor, to_dtype);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane || (scales_rows && lane + step < to_read)) {
          kvf_hold_some_b4(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b4; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b4(held[k], from_dtype, v);
            kvf_divide_all(v, 8, by);
            kvf_store_b1(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 2 and 4 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b2_b4(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 2;
  const int64_t to_step = 8 * 4;
  const int32_t step = lanes * KVF_AT_ONCE_b2; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b2 held[KVF_AT_ONCE_b2];
      kvf_hold_some_b2(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane) {
          kvf_hold_some_b2(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b2; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b2(held[k], from_dtype, v);
            kvf_store_b4(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 2 and 2 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b2_b2(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 2;
  const int64_t to_step = 8 * 2;
  const int32_t step = lanes * KVF_AT_ONCE_b2; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b2 held[KVF_AT_ONCE_b2];
      kvf_hold_some_b2(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane) {
          kvf_hold_some_b2(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b2; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b2(held[k], from_dtype, v);
            kvf_store_b2(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 2 and 1 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b2_b1(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const bool scales_rows = kvf_has_row_scale(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 2;
  const int64_t to_step = 8 * 1;
  const int32_t step = lanes * KVF_AT_ONCE_b2; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b2 held[KVF_AT_ONCE_b2];
      kvf_hold_some_b2(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      float divisor = __shfl_sync(0xFFFFFFFFu, mine.divisor, owner);
      if (scales_rows) {
        uint8_t *const scale_to = address_of_lane(mine.scale_to, owner);
        float largest = 0.0f;
        for (int32_t first = lane; first < to_read; first += step) {
          if (first != lane) {
            kvf_hold_some_b2(from + first * from_step, lanes * from_step,
                             parts_of(to_read, first, pieces), from_dtype, held);
          }
#pragma unroll
          for (int32_t k = 0; k < KVF_AT_ONCE_b2; ++k) {
            float v[8];
            kvf_widen_b2(held[k], from_dtype, v);
            largest = fmaxf(largest, kvf_largest_of(v, 8));
          }
        }
        for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
        }
        divisor = kvf_scale_of_row(to_dtype, kvf_bits(largest));
        if (lane == 0 && to != nullptr) {
          kvf_store_scale(scale_to, divisor);
        }
      }
      const kvf_any_divisor by = kvf_divide_by_any(divisor, to_dtype);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane || (scales_rows && lane + step < to_read)) {
          kvf_hold_some_b2(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b2; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b2(held[k], from_dtype, v);
            kvf_divide_all(v, 8, by);
            kvf_store_b1(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 1 and 4 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b1_b4(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 1;
  const int64_t to_step = 8 * 4;
  const int32_t step = lanes * KVF_AT_ONCE_b1; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b1 held[KVF_AT_ONCE_b1];
      kvf_hold_some_b1(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      const float scale = __shfl_sync(0xFFFFFFFFu, mine.scale, owner);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane) {
          kvf_hold_some_b1(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b1; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b1(held[k], from_dtype, v);
            kvf_multiply_all(v, 8, scale);
            kvf_store_b4(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 1 and 2 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b1_b2(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 1;
  const int64_t to_step = 8 * 2;
  const int32_t step = lanes * KVF_AT_ONCE_b1; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b1 held[KVF_AT_ONCE_b1];
      kvf_hold_some_b1(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      const float scale = __shfl_sync(0xFFFFFFFFu, mine.scale, owner);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane) {
          kvf_hold_some_b1(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b1; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b1(held[k], from_dtype, v);
            kvf_multiply_all(v, 8, scale);
            kvf_store_b2(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 8 elements at a time, of 1 and 1 bytes. A warp finds the places of many of them at once,
 * one for each lane, and then a few threads share each.
 */
KVF_INLINE void convert_b1_b1(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const bool scales_rows = kvf_has_row_scale(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = 8 * 1;
  const int64_t to_step = 8 * 1;
  const int32_t step = lanes * KVF_AT_ONCE_b1; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_b1 held[KVF_AT_ONCE_b1];
      kvf_hold_some_b1(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      const float scale = __shfl_sync(0xFFFFFFFFu, mine.scale, owner);
      float divisor = __shfl_sync(0xFFFFFFFFu, mine.divisor, owner);
      if (scales_rows) {
        uint8_t *const scale_to = address_of_lane(mine.scale_to, owner);
        float largest = 0.0f;
        for (int32_t first = lane; first < to_read; first += step) {
          if (first != lane) {
            kvf_hold_some_b1(from + first * from_step, lanes * from_step,
                             parts_of(to_read, first, pieces), from_dtype, held);
          }
#pragma unroll
          for (int32_t k = 0; k < KVF_AT_ONCE_b1; ++k) {
            float v[8];
            kvf_widen_b1(held[k], from_dtype, v);
            largest = fmaxf(largest, kvf_largest_of(v, 8));
          }
        }
        for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
        }
        divisor = kvf_scale_of_row(to_dtype, kvf_bits(largest));
        if (lane == 0 && to != nullptr) {
          kvf_store_scale(scale_to, divisor);
        }
      }
      const kvf_any_divisor by = kvf_divide_by_any(divisor, to_dtype);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane || (scales_rows && lane + step < to_read)) {
          kvf_hold_some_b1(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_b1; ++k) {
          if (k < parts) {
            float v[8];
            kvf_widen_b1(held[k], from_dtype, v);
            kvf_multiply_all(v, 8, scale);
            kvf_divide_all(v, 8, by);
            kvf_store_b1(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/*
 * Rows, 1 element at a time. A warp finds the places of many of them at once, one for
 * each lane, and then a few threads share each.
 */
KVF_INLINE void convert_x1_x1(const kvf_page_copy &copy, int32_t cell, int32_t plane,
                              int64_t rows) {
  const kvf_row_pieces &pieces = copy.pieces[plane];
  const int32_t from_dtype = copy.from_dtype;
  const int32_t to_dtype = copy.to_dtype;
  const bool scales_rows = kvf_has_row_scale(to_dtype);
  const int32_t lanes = 1 << pieces.lane_bits;
  const int64_t from_step = pieces.from_step;
  const int64_t to_step = pieces.to_step;
  const int32_t step = lanes * KVF_AT_ONCE_x1; /* vectors that threads of a row have together */
  const int32_t thread = (int32_t)threadIdx.x % WARP;
  const int32_t lane = thread & (lanes - 1);
  const int32_t shared = WARP >> pieces.lane_bits; /* rows that a warp has in work */
  const int64_t warps = (int64_t)gridDim.x * (THREADS / WARP);
  const int32_t found = rows > warps * shared ? WARP : shared;
  int64_t first_row = ((int64_t)blockIdx.x * (THREADS / WARP) + threadIdx.x / WARP) * found;
  while (first_row < rows) {
    const conversion mine =
        find_conversion(copy, cell, plane, thread < found ? first_row + thread : rows, rows);
    for (int32_t next = 0; next < found && first_row + next < rows; next += shared) {
      const int32_t owner = next + (thread >> pieces.lane_bits);
      const uint8_t *from = address_of_lane(mine.from, owner);
      uint8_t *to = address_of_lane(mine.to, owner);
      const int32_t count = to != nullptr ? pieces.count : 0;
      const int32_t to_read = from != nullptr ? count : 0;
      kvf_held_x1 held[KVF_AT_ONCE_x1];
      kvf_hold_some_x1(from + lane * from_step, lanes * from_step, parts_of(to_read, lane, pieces),
                       from_dtype, held);
      const float scale = __shfl_sync(0xFFFFFFFFu, mine.scale, owner);
      float divisor = __shfl_sync(0xFFFFFFFFu, mine.divisor, owner);
      if (scales_rows) {
        uint8_t *const scale_to = address_of_lane(mine.scale_to, owner);
        float largest = 0.0f;
        for (int32_t first = lane; first < to_read; first += step) {
          if (first != lane) {
            kvf_hold_some_x1(from + first * from_step, lanes * from_step,
                             parts_of(to_read, first, pieces), from_dtype, held);
          }
#pragma unroll
          for (int32_t k = 0; k < KVF_AT_ONCE_x1; ++k) {
            float v[1];
            kvf_widen_x1(held[k], from_dtype, v);
            largest = fmaxf(largest, kvf_largest_of(v, 1));
          }
        }
        for (int32_t distance = lanes / 2; distance > 0; distance /= 2) {
          largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFu, largest, distance));
        }
        divisor = kvf_scale_of_row(to_dtype, kvf_bits(largest));
        if (lane == 0 && to != nullptr) {
          kvf_store_scale(scale_to, divisor);
        }
      }
      const kvf_any_divisor by = kvf_divide_by_any(divisor, to_dtype);
      for (int32_t first = lane; first < count; first += step) {
        if (first != lane || (scales_rows && lane + step < to_read)) {
          kvf_hold_some_x1(from + first * from_step, lanes * from_step,
                           parts_of(to_read, first, pieces), from_dtype, held);
        }
        const int32_t parts = parts_of(count, first, pieces);
#pragma unroll
        for (int32_t k = 0; k < KVF_AT_ONCE_x1; ++k) {
          if (k < parts) {
            float v[1];
            kvf_widen_x1(held[k], from_dtype, v);
            kvf_multiply_all(v, 1, scale);
            kvf_divide_all(v, 1, by);
            kvf_store_x1(v, to + (first + k * lanes) * to_step, to_dtype);
          }
        }
      }
    }
    first_row += warps * found;
  }
}

/* Grid: x parts of a cell, y cells. */
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS)
    kvf_cuda_kv_relayout__f32(const __grid_constant__ kvf_kv_relayout_params p) {
  kvf_begin_kernel();
  const kvf_page_copy &copy = p.copy;
  const int32_t cell = (int32_t)blockIdx.y;
  const int32_t plane = cell / copy.num_layers;
  if (copy.pieces[plane].vector == 1) {
    convert_x1_x1(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    return;
  }
  switch (kvf_convertible_bytes(copy.from_dtype) << 4 | kvf_convertible_bytes(copy.to_dtype)) {
  case 0x42:
    convert_b4_b2(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 0x41:
    convert_b4_b1(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 0x24:
    convert_b2_b4(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 0x22:
    convert_b2_b2(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 0x21:
    convert_b2_b1(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 0x14:
    convert_b1_b4(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  case 0x12:
    convert_b1_b2(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  default:
    convert_b1_b1(copy, cell, plane, copy.from.num_tokens * copy.num_heads);
    break;
  }
}
