/*
 * XXH3 of 64 bits with seed 0 and the default secret, over multiples of 1024 bytes: what the CPU
 * variants and the CUDA kernels of kv_checksum share.
 *
 * Eight accumulators go over blocks of 1024 bytes, 16 stripes of 64. What the stripes of a block
 * add commutes; behind each block but the last the accumulators are scrambled.
 */
#ifndef KVFORGE_XXH3_H
#define KVFORGE_XXH3_H

#include "kvforge/bits.h"

enum {
  KVF_XXH3_BLOCK = 1024,
  KVF_XXH3_STRIPES = 16, /* of a block */
  /* Where in the secret, in bytes: stripe s reads from 8 * s on, the last one of all from here, */
  KVF_XXH3_LAST_SECRET = 121,
  KVF_XXH3_SCRAMBLE_SECRET = 128,
  KVF_XXH3_MERGE_SECRET = 11
};

#define KVF_XXH3_PRIME32_1 UINT64_C(0x9E3779B1)
#define KVF_XXH3_PRIME64_1 UINT64_C(0x9E3779B185EBCA87)

/* The secret as little-endian words. */
#ifdef __CUDACC__
__constant__
#endif
    static const uint64_t kvf_xxh3_secret[24] = {
        UINT64_C(0xBE4BA423396CFEB8), UINT64_C(0x1CAD21F72C81017C), UINT64_C(0xDB979083E96DD4DE),
        UINT64_C(0x1F67B3B7A4A44072), UINT64_C(0x78E5C0CC4EE679CB), UINT64_C(0x2172FFCC7DD05A82),
        UINT64_C(0x8E2443F7744608B8), UINT64_C(0x4C263A81E69035E0), UINT64_C(0xCB00C391BB52283C),
        UINT64_C(0xA32E531B8B65D088), UINT64_C(0x4EF90DA297486471), UINT64_C(0xD8ACDEA946EF1938),
        UINT64_C(0x3F349CE33F76FAA8), UINT64_C(0x1D4F0BC7C7BBDCF9), UINT64_C(0x3159B4CD4BE0518A),
        UINT64_C(0x647378D9C97E9FC8), UINT64_C(0xC3EBD33483ACC5EA), UINT64_C(0xEB6313FAFFA081C5),
        UINT64_C(0x49DAF0B751DD0D17), UINT64_C(0x9E68D429265516D3), UINT64_C(0xFCA1477D58BE162B),
        UINT64_C(0xCE31D07AD1B8F88F), UINT64_C(0x280416958F3ACB45), UINT64_C(0x7E404BBBCAFBD7AF)};

/* Eight bytes of the secret from any byte on. */
KVF_INLINE uint64_t kvf_xxh3_secret_at(int32_t byte) {
  const int32_t shift = byte % 8 * 8;
  const uint64_t low = kvf_xxh3_secret[byte / 8] >> shift;
  return shift == 0 ? low : low | kvf_xxh3_secret[byte / 8 + 1] << (64 - shift);
}

/* What accumulator i starts as. */
KVF_INLINE uint64_t kvf_xxh3_start(int32_t i) {
  switch (i) {
  case 0:
    return UINT64_C(0xC2B2AE3D);
  case 1:
    return KVF_XXH3_PRIME64_1;
  case 2:
    return UINT64_C(0xC2B2AE3D27D4EB4F);
  case 3:
    return UINT64_C(0x165667B19E3779F9);
  case 4:
    return UINT64_C(0x85EBCA77C2B2AE63);
  case 5:
    return UINT64_C(0x85EBCA77);
  case 6:
    return UINT64_C(0x27D4EB2F165667C5);
  default:
    return KVF_XXH3_PRIME32_1;
  }
}

/* What a word adds to its own accumulator; the word itself goes to the neighbour's. */
KVF_INLINE uint64_t kvf_xxh3_product(uint64_t word, uint64_t secret) {
  const uint64_t mixed = word ^ secret;
  return (mixed & 0xFFFFFFFFu) * (mixed >> 32);
}

KVF_INLINE uint64_t kvf_xxh3_scramble(uint64_t accumulator, uint64_t secret) {
  return (accumulator ^ accumulator >> 47 ^ secret) * KVF_XXH3_PRIME32_1;
}

/* The product of 128 bits, folded. */
KVF_INLINE uint64_t kvf_xxh3_fold(uint64_t a, uint64_t b) {
#ifdef __CUDACC__
  return a * b ^ __umul64hi(a, b);
#else
  const unsigned __int128 product = (unsigned __int128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
#endif
}

/* What accumulators 2 * pair and 2 * pair + 1 add to the digest. */
KVF_INLINE uint64_t kvf_xxh3_merge(int32_t pair, uint64_t even, uint64_t odd) {
  const int32_t at = KVF_XXH3_MERGE_SECRET + 16 * pair;
  return kvf_xxh3_fold(even ^ kvf_xxh3_secret_at(at), odd ^ kvf_xxh3_secret_at(at + 8));
}

/* The digest, from the sum of what the pairs add. */
KVF_INLINE uint64_t kvf_xxh3_end(uint64_t sum, int64_t bytes) {
  uint64_t digest = sum + (uint64_t)bytes * KVF_XXH3_PRIME64_1;
  digest ^= digest >> 37;
  digest *= UINT64_C(0x165667919E3779F9);
  return digest ^ digest >> 32;
}

#endif
