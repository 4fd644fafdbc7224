/*
 * Generated from templates/cuda/kv_checksum.cu.j2 and generator/spec/kv_checksum.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/kv_checksum.h"

#include "kvforge/cache/xxh3.h"

enum {
  WARP = 32,
  HALVES = 2, /* of a block: 16 bytes of each lane */
  AHEAD = 4   /* blocks whose bytes a lane has asked for */
};

/* Two words, which belong to two accumulators that are neighbours. */
struct words {
  uint64_t even, odd;
};

KVF_INLINE words load_words(const uint8_t *from) {
  const uint4 v = *reinterpret_cast<const uint4 *>(from);
  return {(uint64_t)v.y << 32 | v.x, (uint64_t)v.w << 32 | v.z};
}

/* The secret of the stripe that a lane reads, from a byte on. */
KVF_INLINE words secret_of(int32_t byte, int32_t pair) {
  return {kvf_xxh3_secret_at(byte + 16 * pair), kvf_xxh3_secret_at(byte + 16 * pair + 8)};
}

KVF_INLINE void add(words *sums, const words &in, const words &secret) {
  sums->even += in.odd + kvf_xxh3_product(in.even, secret.even);
  sums->odd += in.even + kvf_xxh3_product(in.odd, secret.odd);
}

/* The sum over the lanes that differ in bits [first, WARP). */
KVF_INLINE uint64_t sum_of(uint64_t mine, int32_t first) {
  for (int32_t distance = first; distance < WARP; distance *= 2) {
    const uint32_t low = __shfl_xor_sync(0xFFFFFFFFu, (uint32_t)mine, distance);
    const uint32_t high = __shfl_xor_sync(0xFFFFFFFFu, (uint32_t)(mine >> 32), distance);
    mine += (uint64_t)high << 32 | low;
  }
  return mine;
}

/*
 * A unit's digest, in all lanes. Four lanes have a stripe, two of its eight words each; a warp has
 * a block in two loads. What stripes of a block add is summed over lanes when the block ends.
 */
KVF_INLINE uint64_t digest(const uint8_t *from, int64_t bytes, int32_t lane) {
  const int32_t pair = lane % 4;
  const int64_t blocks = bytes / KVF_XXH3_BLOCK;
  const words scramble = secret_of(KVF_XXH3_SCRAMBLE_SECRET, pair);
  words secrets[HALVES];
  for (int32_t half = 0; half < HALVES; ++half) {
    secrets[half] = secret_of(8 * (lane / 4 + half * WARP / 4), pair);
  }
  words state = {kvf_xxh3_start(2 * pair), kvf_xxh3_start(2 * pair + 1)};
  from += 16 * lane;
  for (int64_t block = 0; block < blocks; block += AHEAD) {
    words in[AHEAD][HALVES];
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
#pragma unroll
      for (int32_t half = 0; half < HALVES; ++half) {
        if (block + k < blocks) {
          in[k][half] =
              load_words(from + (block + k) * KVF_XXH3_BLOCK + half * (KVF_XXH3_BLOCK / HALVES));
        }
      }
    }
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      if (block + k >= blocks) {
        break;
      }
      const bool last = block + k + 1 == blocks;
      words sums = {0, 0};
      add(&sums, in[k][0], secrets[0]);
      add(&sums, in[k][1],
          last && lane >= WARP - 4 ? secret_of(KVF_XXH3_LAST_SECRET, pair) : secrets[1]);
      state.even += sum_of(sums.even, 4);
      state.odd += sum_of(sums.odd, 4);
      if (!last) {
        state.even = kvf_xxh3_scramble(state.even, scramble.even);
        state.odd = kvf_xxh3_scramble(state.odd, scramble.odd);
      }
    }
  }
  /* Lanes 0 to 3 have the four pairs; the others have them once more. */
  uint64_t merged = lane < 4 ? kvf_xxh3_merge(pair, state.even, state.odd) : 0;
  return kvf_xxh3_end(sum_of(merged, 1), bytes);
}

/* Grid: x warps, a unit after another. */
extern "C" __global__ void __launch_bounds__(128)
    kvf_cuda_kv_checksum__b8(const __grid_constant__ kvf_kv_checksum_params p) {
  kvf_begin_kernel();
  const int32_t lane = (int32_t)threadIdx.x % WARP;
  const int64_t warps = (int64_t)gridDim.x * (blockDim.x / WARP);
  const int64_t units = (p.num_bytes - 1) / p.unit_bytes + 1;
  for (int64_t unit = (int64_t)blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP; unit < units;
       unit += warps) {
    const int64_t first = unit * p.unit_bytes;
    const int64_t rest = p.num_bytes - first;
    const uint64_t sum = digest(static_cast<const uint8_t *>(p.wire.data) + first,
                                rest < p.unit_bytes ? rest : p.unit_bytes, lane);
    if (lane > 0) {
      continue;
    }
    static_cast<uint64_t *>(p.sums.data)[unit * p.sums.stride[0]] = sum;
    if (p.expected.data != nullptr &&
        static_cast<const uint64_t *>(p.expected.data)[unit * p.expected.stride[0]] != sum) {
      atomicAdd(static_cast<int32_t *>(p.mismatches.data), 1);
    }
  }
}
