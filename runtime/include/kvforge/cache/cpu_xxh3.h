/*
 * The accumulators of XXH3 on the CPU, in vectors of the level that is compiled for. Compilers left
 * to themselves multiply all 64 bits of what are 32-bit factors.
 */
#ifndef KVFORGE_CPU_XXH3_H
#define KVFORGE_CPU_XXH3_H

#include "kvforge/cache/xxh3.h"
#include "kvforge/cpu_kernel.h"

enum { KVF_XXH3_LANES = 8 };

#if defined(__AVX512F__)
#define KVF_WORDS(name) _mm512_##name
#define KVF_WORDS_OF(name) _mm512_##name##_si512
#define KVF_SWAP_PAIRS(v) _mm512_shuffle_epi32(v, (_MM_PERM_ENUM)0x4E)
typedef __m512i kvf_words;
#elif defined(__AVX2__)
#define KVF_WORDS(name) _mm256_##name
#define KVF_WORDS_OF(name) _mm256_##name##_si256
#define KVF_SWAP_PAIRS(v) _mm256_shuffle_epi32(v, 0x4E)
typedef __m256i kvf_words;
#elif defined(__SSE2__)
#define KVF_WORDS(name) _mm_##name
#define KVF_WORDS_OF(name) _mm_##name##_si128
#define KVF_SWAP_PAIRS(v) _mm_shuffle_epi32(v, 0x4E)
typedef __m128i kvf_words;
#endif

#ifdef KVF_WORDS
enum { KVF_XXH3_VECTORS = 64 / sizeof(kvf_words) };

typedef struct kvf_xxh3_sums {
  kvf_words of[KVF_XXH3_VECTORS];
} kvf_xxh3_sums;

/* The low halves of words, times the high ones. */
KVF_INLINE kvf_words kvf_xxh3_products(kvf_words words) {
  return KVF_WORDS(mul_epu32)(words, KVF_WORDS(srli_epi64)(words, 32));
}

/* Adds a stripe. */
KVF_INLINE void kvf_xxh3_add(kvf_xxh3_sums *sums, const char *stripe, const char *secret) {
  for (int i = 0; i < KVF_XXH3_VECTORS; ++i) {
    const int at = i * (int)sizeof(kvf_words);
    const kvf_words words = KVF_WORDS_OF(loadu)((const kvf_words *)(const void *)(stripe + at));
    const kvf_words keys = KVF_WORDS_OF(loadu)((const kvf_words *)(const void *)(secret + at));
    const kvf_words products = kvf_xxh3_products(KVF_WORDS_OF(xor)(words, keys));
    sums->of[i] =
        KVF_WORDS(add_epi64)(sums->of[i], KVF_WORDS(add_epi64)(products, KVF_SWAP_PAIRS(words)));
  }
}

KVF_INLINE void kvf_xxh3_scramble_all(kvf_xxh3_sums *sums, const char *secret) {
  const kvf_words prime = KVF_WORDS(set1_epi32)((int)KVF_XXH3_PRIME32_1);
  for (int i = 0; i < KVF_XXH3_VECTORS; ++i) {
    const kvf_words keys =
        KVF_WORDS_OF(loadu)((const kvf_words *)(const void *)(secret + i * (int)sizeof(kvf_words)));
    const kvf_words mixed = KVF_WORDS_OF(xor)(
        KVF_WORDS_OF(xor)(sums->of[i], KVF_WORDS(srli_epi64)(sums->of[i], 47)), keys);
    const kvf_words high = KVF_WORDS(mul_epu32)(KVF_WORDS(srli_epi64)(mixed, 32), prime);
    sums->of[i] =
        KVF_WORDS(add_epi64)(KVF_WORDS(mul_epu32)(mixed, prime), KVF_WORDS(slli_epi64)(high, 32));
  }
}
#else
typedef struct kvf_xxh3_sums {
  uint64_t of[KVF_XXH3_LANES];
} kvf_xxh3_sums;

KVF_INLINE void kvf_xxh3_add(kvf_xxh3_sums *sums, const char *stripe, const char *secret) {
  uint64_t words[KVF_XXH3_LANES];
  uint64_t keys[KVF_XXH3_LANES];
  memcpy(words, stripe, sizeof words);
  memcpy(keys, secret, sizeof keys);
  for (int i = 0; i < KVF_XXH3_LANES; ++i) {
    sums->of[i] += kvf_xxh3_product(words[i], keys[i]) + words[i ^ 1];
  }
}

KVF_INLINE void kvf_xxh3_scramble_all(kvf_xxh3_sums *sums, const char *secret) {
  uint64_t keys[KVF_XXH3_LANES];
  memcpy(keys, secret, sizeof keys);
  for (int i = 0; i < KVF_XXH3_LANES; ++i) {
    sums->of[i] = kvf_xxh3_scramble(sums->of[i], keys[i]);
  }
}
#endif

#endif
