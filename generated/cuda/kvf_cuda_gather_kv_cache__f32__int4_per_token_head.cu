/*
 * Generated from templates/cuda/gather_kv_cache.cu.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/cuda_rotation.cuh"
#include "kvforge/cache/int4.h"

/* Keys or values. */
struct side {
  const kvf_view &cache;
  const kvf_view &out;
  const kvf_view &scale;
  uint32_t heads;
  uint32_t size; /* of a head */
  int32_t vector;
};

KVF_INLINE side find_side(const kvf_gather_kv_cache_params &p) {
  const bool keys = blockIdx.z == 0;
  return {keys ? p.key_cache : p.value_cache,
          keys ? p.key_out : p.value_out,
          keys ? p.k_scale : p.v_scale,
          (uint32_t)(keys ? p.key_heads : p.value_heads),
          (uint32_t)(keys ? p.head_size : p.value_head_size),
          keys ? p.key_vector : p.value_vector};
}

/* What a launch has at most; what it has is chosen in runtime/ops/shared/gather.c. */
constexpr uint32_t MAX_THREADS = 256, MAX_TILE_ROWS = 128;

/* The place of a row that is skipped. */
#define NOWHERE INT64_MIN

/* The place of a row whose page is out of range. */
#define ZEROS (INT64_MIN + 1)

enum { GROUP = KVF_ROTATION_GROUP };

/* Codes, less that of 0, times the scale. */
KVF_INLINE void decode_x16(const uint32_t (&words)[2], float word, float (&v)[GROUP]) {
  const float scale = kvf_int4_scale(word);
  const float zero = kvf_int4_zero(word);
#pragma unroll
  for (int32_t i = 0; i < GROUP; i += 2) {
    const float2 pair =
        kvf_scaled_x2(kvf_f32x2_from_int4(words[i / 8] >> 4 * (i % 8), zero), scale);
    v[i] = pair.x;
    v[i + 1] = pair.y;
  }
}

/* A group, up to the end of the head. */
KVF_INLINE void load_group(const uint8_t *from, int64_t count, float word, float (&v)[GROUP]) {
  uint32_t words[2] = {};
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; ++i) {
    if (2 * i < count) {
      words[i / 4] |= (uint32_t)from[i] << 8 * (i % 4);
    }
  }
  decode_x16(words, word, v);
}

KVF_INLINE void store_group(const float (&v)[GROUP], float *to, int64_t count) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    if (i < count) {
      to[i] = kvf_f32_result(v[i]);
    }
  }
}

/* Half a group, unbroken. */
KVF_INLINE void store_half(const float *v, float *to) {
#pragma unroll
  for (int32_t i = 0; i < GROUP / 2; i += 4) {
    *reinterpret_cast<float4 *>(to + i) =
        make_float4(kvf_f32_result(v[i]), kvf_f32_result(v[i + 1]), kvf_f32_result(v[i + 2]),
                    kvf_f32_result(v[i + 3]));
  }
}

/* What rotated elements of a lane, from `first` and `second` on, are multiplied by. */
KVF_INLINE void find_undo(float (&undo)[GROUP], uint32_t first, uint32_t second, uint32_t block) {
  const uint32_t signs = (kvf_rotation_signs_x16((int32_t)first, (int32_t)block) & 0xFFu) |
                         kvf_rotation_signs_x16((int32_t)second, (int32_t)block) << 8;
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    undo[i] = 1.0f / (float)block;
  }
  kvf_put_signs_x16(undo, signs);
}

KVF_INLINE void put_undo(float (&v)[GROUP], const float (&undo)[GROUP]) {
#pragma unroll
  for (int32_t i = 0; i < GROUP; ++i) {
    v[i] = __fadd_rn(__fmul_rn(v[i], undo[i]), 0.0f); /* -0 becomes 0 */
  }
}

/* Codes of a lane, eight of each half of a block, and the word of their head. */
struct lane_codes {
  uint32_t words[2];
  float word;
};

/*
 * Blocks of whole groups, by as many lanes as a block has groups: a lane has the same eight
 * elements of either half of a block, and so neighbours write side by side. It has them of several
 * rows.
 */
KVF_INLINE void gather_blocks(const side &s, const int64_t *places, int64_t first_row,
                              uint32_t rows, const int64_t *scale_places, bool rotates) {
  enum { AT_ONCE = 4, HALF = GROUP / 2 };
  const uint32_t block = blockDim.x * GROUP;
  const uint32_t of_head = s.size / block;
  const uint32_t of_row = s.heads * of_head;
  const uint32_t element = threadIdx.x * HALF; /* of a block */
  float undo[GROUP];
  find_undo(undo, element, element + block / 2, block);
  for (uint32_t first = blockIdx.y * blockDim.y; first < of_row; first += gridDim.y * blockDim.y) {
    const uint32_t count =
        of_row - first < blockDim.y ? of_row - first : blockDim.y; /* blocks of a row */
    const uint32_t step = blockDim.y / count;                      /* rows side by side */
    const uint32_t own_row = threadIdx.y / count;
    const uint32_t number = first + threadIdx.y - own_row * count;
    const uint32_t head = number / of_head;
    const uint32_t at = (number - head * of_head) * block + element;
    const uint8_t *codes =
        static_cast<const uint8_t *>(s.cache.data) + head * s.cache.stride[2] + at / 2;
    const float *words = static_cast<const float *>(s.scale.data) + head * s.scale.stride[2];
    float *to = static_cast<float *>(s.out.data) + first_row * s.out.stride[0] +
                head * s.out.stride[1] + at;
    for (uint32_t base = 0; base < rows; base += step * AT_ONCE) {
      lane_codes held[AT_ONCE];
      uint32_t there = 0;
#pragma unroll
      for (int32_t k = 0; k < AT_ONCE; ++k) {
        const uint32_t row = base + k * step + own_row;
        held[k] = {};
        if (own_row < step && row < rows && places[row] != NOWHERE) {
          const uint8_t *from = codes + places[row];
          held[k].words[0] = *reinterpret_cast<const uint32_t *>(from);
          held[k].words[1] = *reinterpret_cast<const uint32_t *>(from + block / 4);
          held[k].word = words[scale_places[row]];
          there |= 1u << k;
        }
      }
#pragma unroll
      for (int32_t k = 0; k < AT_ONCE && base + k * step < rows; ++k) {
        float v[GROUP];
        decode_x16(held[k].words, held[k].word, v);
        if (rotates) {
          kvf_butterfly_x16(v, 1);
          kvf_butterfly_x16(v, 2);
          kvf_butterfly_x16(v, 4);
#pragma unroll 1
          for (int32_t distance = 1; distance < (int32_t)blockDim.x; distance *= 2) {
            kvf_hadamard_across_x16(v, (int32_t)threadIdx.x, distance);
          }
          kvf_butterfly_x16(v, HALF); /* half a block */
          put_undo(v, undo);
        }
        if (there >> k & 1u) {
          float *row = to + (int64_t)(base + k * step + own_row) * s.out.stride[0];
          store_half(v, row);
          store_half(v + HALF, row + block / 2);
        }
      }
    }
  }
}

/* Heads of any size and alignment. Lanes of a block's rows share one; all of a warp come here,
 * since they take part in the exchange. */
KVF_INLINE void gather_heads(const side &s, const int64_t *places, int64_t first_row, uint32_t rows,
                             const int64_t *scale_places, bool rotates) {
  const int32_t block_elements = kvf_rotation_block((int32_t)s.size);
  const int64_t step = (int64_t)blockDim.x * GROUP; /* whole blocks */
  const int64_t lane_first = (int64_t)threadIdx.x * GROUP;
  float undo[GROUP] = {};
  if (s.size > 0) {
    find_undo(undo, (uint32_t)lane_first, (uint32_t)lane_first + GROUP / 2,
              (uint32_t)block_elements);
  }
  const uint32_t units = rows * s.heads;
  for (uint32_t first = blockIdx.y * blockDim.y; first < units; first += gridDim.y * blockDim.y) {
    const uint32_t unit = first + threadIdx.y;
    const uint32_t row = unit / s.heads;
    const uint32_t head = unit - row * s.heads;
    const bool found = row < rows && places[row] != NOWHERE;
    const uint8_t *from = nullptr;
    float word = 0.0f;
    float *to = nullptr;
    if (found) {
      from = static_cast<const uint8_t *>(s.cache.data) + places[row] + head * s.cache.stride[2];
      word = static_cast<const float *>(s.scale.data)[scale_places[row] + head * s.scale.stride[2]];
      to = static_cast<float *>(s.out.data) + (first_row + row) * s.out.stride[0] +
           head * s.out.stride[1];
    }
#pragma unroll 1
    for (int64_t base = 0; base < s.size; base += step) {
      const int64_t at = base + lane_first;
      float v[GROUP] = {};
      if (found && at < s.size) {
        load_group(from + at / 2, s.size - at, word, v);
      }
      if (rotates) {
        kvf_hadamard_x16(v, block_elements, (int32_t)threadIdx.x);
        put_undo(v, undo);
      }
      if (found && at < s.size) {
        store_group(v, to + at, s.size - at);
      }
    }
  }
}

KVF_INLINE int64_t out_at(const side &s, uint32_t element) {
  const uint32_t head = element / s.size;
  return head * s.out.stride[1] + (element - head * s.size);
}

/* Rows whose page is out of range become 0. */
KVF_INLINE void clear_rows(const side &s, const int64_t *places, int64_t first_row, uint32_t rows) {
  for (uint32_t row = 0; row < rows; ++row) {
    float *to = static_cast<float *>(s.out.data) + (first_row + row) * s.out.stride[0];
    for (uint32_t i = threadIdx.x; places[row] == ZEROS && i < s.heads * s.size; i += blockDim.x) {
      to[out_at(s, i)] = 0;
    }
  }
}

/* Grid: x tiles of rows, y parts of long rows, z keys and values. Block: x lanes that share a head,
 * y heads; whole warps. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS, 3)
    kvf_cuda_gather_kv_cache__f32__int4_per_token_head(
        const __grid_constant__ kvf_gather_kv_cache_params p) {
  kvf_begin_kernel();
  __shared__ int64_t places[MAX_TILE_ROWS];
  __shared__ int64_t scale_places[MAX_TILE_ROWS];
  __shared__ int32_t missing;
  const side s = find_side(p);
  const uint32_t thread = threadIdx.y * blockDim.x + threadIdx.x;
  const int64_t first_row = (int64_t)blockIdx.x * p.rows_per_tile;
  const int64_t rest = p.num_rows - first_row;
  const uint32_t rows = (uint32_t)(rest < p.rows_per_tile ? rest : p.rows_per_tile);
  if (thread == 0) {
    missing = 0;
  }
  __syncthreads();
  if (thread < rows) {
    const int64_t row = first_row + thread;
    const int64_t sequence = kvf_find_sequence(p.table, row);
    int64_t place = NOWHERE;
    if (kvf_has_row(p.table, sequence, row)) {
      int64_t block;
      int64_t offset;
      if (kvf_locate_row_of(p.table, sequence, row, blockIdx.y == 0 && blockIdx.z == 0, &block,
                            &offset)) {
        place = block * s.cache.stride[0] + offset * s.cache.stride[1];
        scale_places[thread] = block * s.scale.stride[0] + offset * s.scale.stride[1];
      } else {
        place = ZEROS;
        missing = 1;
      }
    }
    places[thread] = place;
  }
  __syncthreads();
  if (missing) {
    if (blockIdx.y == 0) {
      clear_rows(s, places, first_row, rows);
    }
    __syncthreads();
    if (thread < rows && places[thread] == ZEROS) {
      places[thread] = NOWHERE;
    }
    __syncthreads();
  }
  if (s.vector) {
    gather_blocks(s, places, first_row, rows, scale_places, p.inverse_rht);
  } else {
    gather_heads(s, places, first_row, rows, scale_places, p.inverse_rht);
  }
}
