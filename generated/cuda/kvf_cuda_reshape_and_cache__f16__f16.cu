/*
 * Generated from templates/cuda/reshape_and_cache.cu.j2 and generator/spec/reshape_and_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/reshape_and_cache.h"

/* Of threads, tokens and elements a launch has so many at most; runtime/ops/reshape_and_cache.c
 * chooses powers of two, 8 tokens or more. */
enum { MAX_THREADS = 256, WARP = 32, MAX_TILE_TOKENS = 32, MAX_TILE_ELEMENTS = 128 };

/* Rows stay 16-byte aligned, and 8 lanes that read 16 bytes each of a column meet no bank twice. */
enum { ROW = MAX_TILE_ELEMENTS + 8 };

/* The place of a token that is skipped. */
#define NOWHERE INT64_MIN

/* 8 elements. */
struct source_x8 {
  uint4 v;
};

KVF_INLINE source_x8 load_x8(const uint16_t *from) {
  source_x8 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x8(const source_x8 &source, uint16_t *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
}

/* 2 elements. */
struct source_x2 {
  uint32_t v;
};

KVF_INLINE source_x2 load_x2(const uint16_t *from) {
  source_x2 source;
  source.v = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x2(const source_x2 &source, uint16_t *to) {
  *reinterpret_cast<uint32_t *>(to) = source.v;
}

/* 1 element. */
struct source_x1 {
  uint16_t v;
};

KVF_INLINE source_x1 load_x1(const uint16_t *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint16_t *to) { *to = source.v; }

/* Fills the tile, 8 elements at a time. `from` has the first one of the first token. */
KVF_INLINE void load_tile_x8(uint16_t *tile, const uint16_t *from, const kvf_view &source,
                             int32_t tokens, int32_t count, int32_t tile_shift) {
#pragma unroll 2 /* more would cost registers, and with them thread blocks */
  for (int32_t i = (int32_t)threadIdx.x * 8; i < tokens << tile_shift;
       i += (int32_t)blockDim.x * 8) {
    const int32_t token = i >> tile_shift;
    const int32_t element = i & ((1 << tile_shift) - 1);
    if (element < count) {
      store_x8(load_x8(from + token * source.stride[0] + element), tile + token * ROW + element);
    }
  }
}

/* Fills the tile, 2 elements at a time. `from` has the first one of the first token. */
KVF_INLINE void load_tile_x2(uint16_t *tile, const uint16_t *from, const kvf_view &source,
                             int32_t tokens, int32_t count, int32_t tile_shift) {
#pragma unroll 2 /* more would cost registers, and with them thread blocks */
  for (int32_t i = (int32_t)threadIdx.x * 2; i < tokens << tile_shift;
       i += (int32_t)blockDim.x * 2) {
    const int32_t token = i >> tile_shift;
    const int32_t element = i & ((1 << tile_shift) - 1);
    if (element < count) {
      store_x2(load_x2(from + token * source.stride[0] + element), tile + token * ROW + element);
    }
  }
}

/* Fills the tile, 1 element at a time. `from` has the first one of the first token. */
KVF_INLINE void load_tile_x1(uint16_t *tile, const uint16_t *from, const kvf_view &source,
                             int32_t tokens, int32_t count, int32_t tile_shift) {
#pragma unroll 2 /* more would cost registers, and with them thread blocks */
  for (int32_t i = (int32_t)threadIdx.x; i < tokens << tile_shift; i += (int32_t)blockDim.x) {
    const int32_t token = i >> tile_shift;
    const int32_t element = i & ((1 << tile_shift) - 1);
    if (element < count) {
      store_x1(load_x1(from + token * source.stride[0] + element * source.stride[2]),
               tile + token * ROW + element);
    }
  }
}

/*
 * Writes the tile's keys, whole 16-byte vectors where the page allows, else single elements.
 * Neighbouring lanes are tokens.
 */
KVF_INLINE void store_keys(const uint16_t *tile, const int64_t *places,
                           const kvf_reshape_and_cache_params &p, int64_t head, int32_t first,
                           int32_t count) {
  const int32_t token = (int32_t)threadIdx.x & ((1 << p.token_shift) - 1);
  const int64_t place = places[token];
  if (place == NOWHERE) {
    return;
  }
  uint16_t *to = static_cast<uint16_t *>(p.key_cache.data) + place + head * p.key_cache.stride[1];
  const uint16_t *from = tile + token * ROW;
  const int32_t step = p.key_vector_elements;
  for (int32_t i = ((int32_t)threadIdx.x >> p.token_shift) * step; i < count;
       i += ((int32_t)blockDim.x >> p.token_shift) * step) {
    const int32_t group = (first + i) / p.x;
    const int64_t inner = first + i - group * p.x;
    uint16_t *at = to + group * p.key_cache.stride[2] + inner * p.key_cache.stride[4];
    if (step == 8) {
      *reinterpret_cast<uint4 *>(at) = *reinterpret_cast<const uint4 *>(from + i);
    } else {
      *at = from[i];
    }
  }
}

/* Writes the tile's values one by one: neighbouring lanes are tokens. */
KVF_INLINE void store_values_by_token(const uint16_t *tile, const int64_t *places,
                                      const kvf_reshape_and_cache_params &p, int64_t head,
                                      int32_t first, int32_t count) {
  const int32_t token = (int32_t)threadIdx.x & ((1 << p.token_shift) - 1);
  const int64_t place = places[token];
  if (place == NOWHERE) {
    return;
  }
  uint16_t *to =
      static_cast<uint16_t *>(p.value_cache.data) + place + head * p.value_cache.stride[1];
#pragma unroll 2
  for (int32_t i = (int32_t)threadIdx.x >> p.token_shift; i < count;
       i += (int32_t)blockDim.x >> p.token_shift) {
    to[(int64_t)(first + i) * p.value_cache.stride[2]] = tile[token * ROW + i];
  }
}

/*
 * The same where tokens lie apart: the lanes of a warp are elements, so that what it stores at a
 * time is in sectors side by side, a request for each four of them and not for each one.
 */
KVF_INLINE void store_values_by_element(const uint16_t *tile, const int64_t *places,
                                        const kvf_reshape_and_cache_params &p, int64_t head,
                                        int32_t first, int32_t count) {
  for (int32_t i = (int32_t)threadIdx.x % WARP; i < count; i += WARP) {
    uint16_t *to = static_cast<uint16_t *>(p.value_cache.data) + head * p.value_cache.stride[1] +
                   (int64_t)(first + i) * p.value_cache.stride[2];
#pragma unroll 4
    for (int32_t token = (int32_t)threadIdx.x / WARP; token < 1 << p.token_shift;
         token += (int32_t)blockDim.x / WARP) {
      if (places[token] != NOWHERE) {
        to[places[token]] = tile[token * ROW + i];
      }
    }
  }
}

/*
 * Writes the tile's values: 8 tokens that lie side by side in their page as one 16-byte vector,
 * neighbouring lanes having neighbouring vectors of the page.
 */
KVF_INLINE void store_values(const uint16_t *tile, const int64_t *places,
                             const kvf_reshape_and_cache_params &p, int64_t head, int32_t first,
                             int32_t count) {
  const int32_t shift = p.token_shift - 3; /* groups of 8 tokens */
  uint16_t *to = static_cast<uint16_t *>(p.value_cache.data) + head * p.value_cache.stride[1];
#pragma unroll 2
  for (int32_t i = (int32_t)threadIdx.x; i < count << shift; i += (int32_t)blockDim.x) {
    const int32_t element = i >> shift;
    const int32_t token = (i & ((1 << shift) - 1)) * 8;
    uint16_t *at = to + places[token] + (int64_t)(first + element) * p.value_cache.stride[2];
    const uint16_t *column = tile + token * ROW + element;
    uint32_t words[4];
#pragma unroll
    for (int32_t j = 0; j < 4; ++j) {
      words[j] = (uint32_t)column[2 * j * ROW] | (uint32_t)column[(2 * j + 1) * ROW] << 16;
    }
    *reinterpret_cast<uint4 *>(at) = make_uint4(words[0], words[1], words[2], words[3]);
  }
}

/* The place of a token in its page, with that of its page; NOWHERE for one that is to be skipped.
 */
KVF_INLINE int64_t place_of(const kvf_reshape_and_cache_params &p, const kvf_view &cache, bool keys,
                            int64_t token) {
  int64_t block;
  int64_t offset;
  if (!kvf_locate(p.slots, token, keys && blockIdx.y == 0, &block, &offset)) {
    return NOWHERE;
  }
  /* Stride 3 is that of tokens on both sides; those of values are in groups. */
  const int64_t group = keys ? 0 : kvf_divide(offset, p.by_value_group);
  return block * cache.stride[0] + (offset - group * p.by_value_group.value) * cache.stride[3] +
         group * cache.stride[4];
}

/* Whether every vector of the tile's tokens lies side by side in a page, aligned at both ends. */
KVF_INLINE bool tokens_are_vectors(const int64_t *places, int32_t token, const kvf_view &cache) {
  const int64_t first = places[token / 8 * 8];
  return cache.stride[3] == 1 && first != NOWHERE && places[token] == first + token % 8 &&
         first % 8 == 0;
}

/* Writes the tile's values, by all threads of a warp in one way. */
KVF_INLINE void store_any_values(const uint16_t *tile, const int64_t *places,
                                 const kvf_reshape_and_cache_params &p, int64_t head, int32_t first,
                                 int32_t count) {
  const int32_t token = (int32_t)threadIdx.x & ((1 << p.token_shift) - 1);
  if (p.value_vectors != 0 &&
      __all_sync(0xFFFFFFFFu, tokens_are_vectors(places, token, p.value_cache))) {
    store_values(tile, places, p, head, first, count);
    return;
  }
  /* Half of the tokens beside the one before. */
  const bool beside =
      token > 0 && p.value_cache.stride[3] == 1 && places[token] == places[token - 1] + 1;
  if (__popc(__ballot_sync(0xFFFFFFFFu, beside)) >= WARP / 2) {
    store_values_by_token(tile, places, p, head, first, count);
  } else {
    store_values_by_element(tile, places, p, head, first, count);
  }
}

/* Grid: x tiles of tokens, y tiles of heads and elements, z keys and values. */
/* Blocks that share a multiprocessor at least: as many as it has threads for. */
#if defined(__CUDA_ARCH__) &&                                                                      \
    (__CUDA_ARCH__ >= 1100 || (__CUDA_ARCH__ > 800 && __CUDA_ARCH__ < 900))
enum { BLOCKS = 6 };
#else
enum { BLOCKS = 8 };
#endif

extern "C" __global__ void __launch_bounds__(MAX_THREADS, BLOCKS)
    kvf_cuda_reshape_and_cache__f16__f16(const __grid_constant__ kvf_reshape_and_cache_params p) {
  kvf_begin_kernel();
  __shared__ __align__(16) uint16_t tile[MAX_TILE_TOKENS * ROW];
  __shared__ int64_t places[MAX_TILE_TOKENS];
  const bool keys = blockIdx.z == 0;
  const kvf_view &source = keys ? p.key : p.value;
  const kvf_view &cache = keys ? p.key_cache : p.value_cache;
  const int64_t first_token = (int64_t)blockIdx.x << p.token_shift;
  const int64_t left = p.slots.num_tokens - first_token;
  const int32_t tile_tokens = 1 << p.token_shift;
  const int32_t tokens = left < tile_tokens ? (int32_t)left : tile_tokens;

  /* The last threads find the places, since of few tokens the others have something to read. */
  const int32_t own = (int32_t)threadIdx.x - ((int32_t)blockDim.x - tile_tokens);
  if (own >= 0) {
    places[own] = own < tokens ? place_of(p, cache, keys, first_token + own) : NOWHERE;
  }

  const int32_t head_size = keys ? p.head_size : p.value_head_size;
  const int32_t tile_elements = 1 << p.tile_shift;
  const uint32_t tiles_per_head =
      ((uint32_t)head_size + (uint32_t)tile_elements - 1) >> p.tile_shift;
  const uint32_t tiles = (uint32_t)p.num_heads * tiles_per_head;
  for (uint32_t i = blockIdx.y; i < tiles; i += gridDim.y) {
    const int64_t head = i / tiles_per_head;
    const int32_t first = (int32_t)(i - (uint32_t)head * tiles_per_head) << p.tile_shift;
    const int32_t count = head_size - first < tile_elements ? head_size - first : tile_elements;
    const uint16_t *from = static_cast<const uint16_t *>(source.data) +
                           first_token * source.stride[0] + head * source.stride[1] +
                           first * source.stride[2];
    switch (p.vector_elements) {
    case 8:
      load_tile_x8(tile, from, source, tokens, count, p.tile_shift);
      break;
    case 2:
      load_tile_x2(tile, from, source, tokens, count, p.tile_shift);
      break;
    default:
      load_tile_x1(tile, from, source, tokens, count, p.tile_shift);
      break;
    }
    __syncthreads();
    if (keys) {
      store_keys(tile, places, p, head, first, count);
    } else {
      store_any_values(tile, places, p, head, first, count);
    }
    if (i + gridDim.y < tiles) {
      __syncthreads(); /* the tile is written out */
    }
  }
}
