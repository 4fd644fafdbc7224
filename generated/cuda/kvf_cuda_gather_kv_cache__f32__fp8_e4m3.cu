/*
 * Generated from templates/cuda/gather_kv_cache.cu.j2 and generator/spec/gather_kv_cache.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/cache/cuda_decode.cuh"

/* Keys or values. */
struct side {
  const kvf_view &cache;
  const kvf_view &out;
  const kvf_view &scale;
  float scale_value; /* where it has no address */
  uint32_t heads;
  uint32_t size;        /* of a head */
  uint32_t x;           /* elements of a group */
  int64_t group_stride; /* of these */
  int64_t element_stride;
  int64_t tokens;        /* of a group of tokens; 0: there are none */
  int64_t tokens_stride; /* of these */
  bool along_tokens;     /* tokens are neighbours */
  int32_t vector;
  int32_t tile_vectors;
};

KVF_INLINE side find_side(const kvf_gather_kv_cache_params &p) {
  const bool keys = blockIdx.z == 0;
  return {keys ? p.key_cache : p.value_cache,
          keys ? p.key_out : p.value_out,
          keys ? p.k_scale : p.v_scale,
          keys ? p.k_scale_value : p.v_scale_value,
          (uint32_t)(keys ? p.key_heads : p.value_heads),
          (uint32_t)(keys ? p.head_size : p.value_head_size),
          (uint32_t)(keys ? p.x : p.value_head_size),
          keys ? p.key_cache.stride[3] : 0,
          keys ? p.key_cache.stride[4] : p.value_cache.stride[3],
          keys ? 0 : p.value_tokens,
          p.value_tokens_stride,
          !keys,
          keys ? p.key_vector : p.value_vector,
          p.tile_vectors};
}

/* What a launch has at most; what it has is chosen in runtime/ops/shared/gather.c. */
constexpr uint32_t MAX_THREADS = 256, MAX_TILE_ROWS = 128;

/* Vectors of a thread, all loaded before the first is stored. */
constexpr int32_t IN_FLIGHT = 4;

/* The place of a row that is skipped. */
#define NOWHERE INT64_MIN

/* The place of a row whose page is out of range. */
#define ZEROS (INT64_MIN + 1)

/* 4 elements. */
struct source_x4 {
  uint32_t v[1];
};

KVF_INLINE source_x4 load_x4(const uint8_t *from) {
  source_x4 source;
  source.v[0] = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, float *to, float scale) {
  const float2 low = kvf_scaled_x2(kvf_f32x2_from_fp8_e4m3(source.v[0]), scale);
  const float2 high = kvf_scaled_x2(kvf_f32x2_from_fp8_e4m3(source.v[0] >> 16), scale);
  *reinterpret_cast<float4 *>(to) = make_float4(kvf_f32_result(low.x), kvf_f32_result(low.y),
                                                kvf_f32_result(high.x), kvf_f32_result(high.y));
}

/* 1 element. */
struct source_x1 {
  uint32_t v[1];
};

KVF_INLINE source_x1 load_x1(const uint8_t *from) {
  source_x1 source;
  source.v[0] = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, float *to, float scale) {
  *to = kvf_f32_result(__fmul_rn(kvf_f32_from_fp8_e4m3((uint8_t)source.v[0]), scale));
}

/* Where an element of a row is, seen from its first. */
KVF_INLINE int64_t cache_at(const side &s, uint32_t element) {
  const uint32_t head = element / s.size;
  const uint32_t rest = element - head * s.size;
  const uint32_t group = s.x < s.size ? rest / s.x : 0;
  return head * s.cache.stride[2] + group * s.group_stride +
         (rest - group * s.x) * s.element_stride;
}

KVF_INLINE int64_t out_at(const side &s, uint32_t element) {
  const uint32_t head = element / s.size;
  return head * s.out.stride[1] + (element - head * s.size);
}

KVF_INLINE float scale_of(const side &s, uint32_t element) {
  return kvf_scale_of(s.scale, s.scale_value, element / s.size);
}

/* A tile of rows, 4 elements at a time. */
KVF_INLINE void gather_x4(const side &s, const int64_t *places, int64_t first_row, uint32_t rows) {
  const uint8_t *pages = static_cast<const uint8_t *>(s.cache.data);
  float *to = static_cast<float *>(s.out.data) + first_row * s.out.stride[0];
  const uint32_t vectors = s.heads * s.size / 4;
  const uint32_t tile = (uint32_t)s.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < vectors; first += gridDim.y * tile) {
    const uint32_t count = vectors - first < tile ? vectors - first : tile;
    const uint32_t row_step = blockDim.x / count;
    const uint32_t column_step = blockDim.x % count;
    uint32_t at_row = threadIdx.x / count;
    uint32_t at_column = threadIdx.x % count;
    while (at_row < rows) {
      source_x4 vector[IN_FLIGHT];
      uint32_t row_of[IN_FLIGHT];
      uint32_t column_of[IN_FLIGHT];
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        const int64_t place = at_row < rows ? places[at_row] : NOWHERE;
        const uint32_t column = first + at_column;
        row_of[i] = place != NOWHERE ? at_row : MAX_TILE_ROWS;
        column_of[i] = column;
        if (place != NOWHERE) {
          const uint8_t *row = pages + place;
          vector[i] = load_x4(row + cache_at(s, column * 4));
        }
        at_row += row_step;
        at_column += column_step;
        if (at_column >= count) {
          at_column -= count;
          ++at_row;
        }
      }
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        if (row_of[i] < MAX_TILE_ROWS) {
          const source_x4 &loaded = vector[i];
          const uint32_t column = column_of[i];
          float *row = to + (int64_t)row_of[i] * s.out.stride[0];
          store_x4(loaded, row + out_at(s, column * 4), scale_of(s, column * 4));
        }
      }
    }
  }
}

/* A tile of rows, 1 element at a time. */
KVF_INLINE void gather_x1(const side &s, const int64_t *places, int64_t first_row, uint32_t rows) {
  const uint8_t *pages = static_cast<const uint8_t *>(s.cache.data);
  float *to = static_cast<float *>(s.out.data) + first_row * s.out.stride[0];
  const uint32_t vectors = s.heads * s.size;
  const uint32_t tile = (uint32_t)s.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < vectors; first += gridDim.y * tile) {
    const uint32_t count = vectors - first < tile ? vectors - first : tile;
    const uint32_t row_step = blockDim.x / count;
    const uint32_t column_step = blockDim.x % count;
    uint32_t at_row = threadIdx.x / count;
    uint32_t at_column = threadIdx.x % count;
    while (at_row < rows) {
      source_x1 vector[IN_FLIGHT];
      uint32_t row_of[IN_FLIGHT];
      uint32_t column_of[IN_FLIGHT];
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        const int64_t place = at_row < rows ? places[at_row] : NOWHERE;
        const uint32_t column = first + at_column;
        row_of[i] = place != NOWHERE ? at_row : MAX_TILE_ROWS;
        column_of[i] = column;
        if (place != NOWHERE) {
          const uint8_t *row = pages + place;
          vector[i] = load_x1(row + cache_at(s, column));
        }
        at_row += row_step;
        at_column += column_step;
        if (at_column >= count) {
          at_column -= count;
          ++at_row;
        }
      }
#pragma unroll
      for (int32_t i = 0; i < IN_FLIGHT; ++i) {
        if (row_of[i] < MAX_TILE_ROWS) {
          const source_x1 &loaded = vector[i];
          const uint32_t column = column_of[i];
          float *row = to + (int64_t)row_of[i] * s.out.stride[0];
          store_x1(loaded, row + out_at(s, column), scale_of(s, column));
        }
      }
    }
  }
}

/* 4 elements of 8 tokens that are neighbours; `stride`: from an element to the next. */
KVF_INLINE void load_turned(const uint8_t *from, int64_t stride, source_x4 (&patch)[8]) {
  uint32_t elements[4][2];
#pragma unroll
  for (int32_t j = 0; j < 4; ++j) {
    const uint2 words = *reinterpret_cast<const uint2 *>(from);
    elements[j][0] = words.x;
    elements[j][1] = words.y;
    from = j + 1 < 4 ? from + stride : from;
  }
#pragma unroll
  for (int32_t j = 0; j < 4; j += 4) {
#pragma unroll
    for (int32_t i = 0; i < 8; i += 2) {
      const uint32_t pairs = i % 4 == 0 ? 0x5140 : 0x7362; /* two tokens of two elements */
      const uint32_t a = __byte_perm(elements[j][i / 4], elements[j + 1][i / 4], pairs);
      const uint32_t b = __byte_perm(elements[j + 2][i / 4], elements[j + 3][i / 4], pairs);
      patch[i].v[j / 4] = __byte_perm(a, b, 0x5410);
      patch[i + 1].v[j / 4] = __byte_perm(a, b, 0x7632);
    }
  }
}

/* The same from tokens whose elements are neighbours; `stride`: from a token to the next. */
KVF_INLINE void load_patch(const uint8_t *from, int64_t stride, source_x4 (&patch)[8]) {
#pragma unroll
  for (int32_t i = 0; i < 8; ++i) {
    patch[i] = load_x4(from);
    from = i + 1 < 8 ? from + stride : from;
  }
}

/* The patches of a tile; one may have fewer tokens than 8, at its begin and its end. */
struct patches {
  uint32_t count;
  uint32_t of_warp[MAX_TILE_ROWS / 32];
  uint8_t rows[MAX_TILE_ROWS + 1]; /* the first of each; one more is the end of the last */
  uint8_t skipped[MAX_TILE_ROWS];  /* tokens of a patch in front of the first that is wanted */
};

/*
 * `token`, that of the thread's row in its page, and `stride`, from one to the next: a patch begins
 * where tokens do not follow each other, too.
 */
KVF_INLINE void find_patches(patches &found, const int64_t *places, uint32_t rows, int64_t token,
                             int64_t stride) {
  const uint32_t row = threadIdx.x;
  const uint32_t skipped = (uint32_t)token % 8;
  const bool begins =
      row < rows && (row == 0 || skipped == 0 ||
                     (uint64_t)places[row] - (uint64_t)places[row - 1] != (uint64_t)stride);
  const uint32_t begin = __ballot_sync(0xFFFFFFFFu, begins);
  if (row < MAX_TILE_ROWS && row % 32 == 0) {
    found.of_warp[row / 32] = (uint32_t)__popc(begin);
  }
  __syncthreads();
  uint32_t before = (uint32_t)__popc(begin & ((1u << row % 32) - 1));
  for (uint32_t warp = 0; warp < row / 32 && warp < MAX_TILE_ROWS / 32; ++warp) {
    before += found.of_warp[warp];
  }
  if (begins) {
    found.rows[before] = (uint8_t)row;
    found.skipped[before] = (uint8_t)skipped;
  }
  if (row + 1 == rows) {
    found.count = before + begins;
    found.rows[before + begins] = (uint8_t)rows;
  }
  __syncthreads();
}

/*
 * A tile, patch by patch. All of a patch is read, since all is in the page. Four lanes have patches
 * behind each other, which are whole sectors of a page where tokens are neighbours; the others of a
 * warp have further elements of the same tokens, and so rows are written side by side.
 */
KVF_INLINE void gather_patches(const side &s, const int64_t *places, int64_t first_row,
                               const patches &found) {
  const uint8_t *pages = static_cast<const uint8_t *>(s.cache.data);
  float *to = static_cast<float *>(s.out.data) + first_row * s.out.stride[0];
  const uint32_t columns = s.heads * s.size / 4;
  const uint32_t tile = (uint32_t)s.tile_vectors;
  for (uint32_t first = blockIdx.y * tile; first < columns; first += gridDim.y * tile) {
    const uint32_t count = (columns - first < tile ? columns - first : tile) * 4;
#pragma unroll 1
    for (uint32_t i = threadIdx.x; i < (found.count + 3) / 4 * count; i += blockDim.x) {
      const uint32_t four = i / count;
      const uint32_t number = 4 * four + i % 4;
      if (number >= found.count || places[found.rows[number]] == NOWHERE) {
        continue;
      }
      const uint32_t element = (first + (i - four * count) / 4) * 4;
      const int32_t row = found.rows[number];
      const int32_t skipped = found.skipped[number];
      const int32_t end = found.rows[number + 1] - row + skipped;
      const uint8_t *from =
          pages + places[row] - skipped * s.cache.stride[1] + cache_at(s, element);
      source_x4 patch[8];
      if (s.along_tokens) {
        load_turned(from, s.element_stride, patch);
      } else {
        load_patch(from, s.cache.stride[1], patch);
      }
      const float scale = scale_of(s, element);
      float *next = to + row * s.out.stride[0] + out_at(s, element);
#pragma unroll
      for (int32_t j = 0; j < 8; ++j) {
        if (j < skipped || j >= end) {
          continue;
        }
        store_x4(patch[j], next, scale);
        next += j + 1 < end ? s.out.stride[0] : 0;
      }
    }
  }
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

/* Grid: x tiles of rows, y parts of long rows, z keys and values. */
extern "C" __global__ void __launch_bounds__(MAX_THREADS, 6)
    kvf_cuda_gather_kv_cache__f32__fp8_e4m3(const __grid_constant__ kvf_gather_kv_cache_params p) {
  kvf_begin_kernel();
  __shared__ int64_t places[MAX_TILE_ROWS];
  __shared__ patches found;
  __shared__ int32_t missing;
  const side s = find_side(p);
  const uint32_t thread = threadIdx.x;
  const int64_t first_row = (int64_t)blockIdx.x * p.rows_per_tile;
  const int64_t rest = p.num_rows - first_row;
  const uint32_t rows = (uint32_t)(rest < p.rows_per_tile ? rest : p.rows_per_tile);
  if (thread == 0) {
    missing = 0;
  }
  __syncthreads();
  int64_t token = 0;
  if (thread < rows) {
    const int64_t row = first_row + thread;
    const int64_t sequence = kvf_find_sequence(p.table, row);
    int64_t place = NOWHERE;
    if (kvf_has_row(p.table, sequence, row)) {
      int64_t block;
      int64_t offset;
      if (kvf_locate_row_of(p.table, sequence, row, blockIdx.y == 0 && blockIdx.z == 0, &block,
                            &offset)) {
        const int64_t group = s.tokens == 0 ? 0 : offset / s.tokens;
        place = block * s.cache.stride[0] + group * s.tokens_stride +
                (offset - group * s.tokens) * s.cache.stride[1];
        token = offset;
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
  if (p.patches) {
    find_patches(found, places, rows, token, s.cache.stride[1]);
    gather_patches(s, places, first_row, found);
    return;
  }
  switch (s.vector) {
  case 4:
    gather_x4(s, places, first_row, rows);
    break;
  default:
    gather_x1(s, places, first_row, rows);
    break;
  }
}
