/*
 * Generated from templates/cpu/kv_checksum.c.j2 and generator/spec/kv_checksum.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/kv_checksum.h"

#include "kvforge/cache/cpu_xxh3.h"

static uint64_t digest(const char *from, int64_t bytes) {
  const char *secret = (const char *)kvf_xxh3_secret;
  const char *last = from + bytes - KVF_XXH3_BLOCK;
  uint64_t words[KVF_XXH3_LANES];
  for (int i = 0; i < KVF_XXH3_LANES; ++i) {
    words[i] = kvf_xxh3_start(i);
  }
  kvf_xxh3_sums sums;
  memcpy(&sums, words, sizeof sums);
  for (; from < last; from += KVF_XXH3_BLOCK) {
    for (int s = 0; s < KVF_XXH3_STRIPES; ++s) {
      kvf_xxh3_add(&sums, from + 64 * s, secret + 8 * s);
    }
    kvf_xxh3_scramble_all(&sums, secret + KVF_XXH3_SCRAMBLE_SECRET);
  }
  for (int s = 0; s < KVF_XXH3_STRIPES - 1; ++s) {
    kvf_xxh3_add(&sums, last + 64 * s, secret + 8 * s);
  }
  kvf_xxh3_add(&sums, last + KVF_XXH3_BLOCK - 64, secret + KVF_XXH3_LAST_SECRET);
  memcpy(words, &sums, sizeof sums);
  uint64_t merged = 0;
  for (int pair = 0; pair < KVF_XXH3_LANES / 2; ++pair) {
    merged += kvf_xxh3_merge(pair, words[2 * pair], words[2 * pair + 1]);
  }
  return kvf_xxh3_end(merged, bytes);
}

void KVF_CPU_SYMBOL(kvf_cpu_kv_checksum__b8)(const void *params, int64_t begin, int64_t end);

/* Units [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_kv_checksum__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_checksum_params *p = params;
  int32_t mismatches = 0;
  for (int64_t unit = begin; unit < end; ++unit) {
    const int64_t first = unit * p->unit_bytes;
    const int64_t rest = p->num_bytes - first;
    const uint64_t sum =
        digest((const char *)p->wire.data + first, rest < p->unit_bytes ? rest : p->unit_bytes);
    ((uint64_t *)p->sums.data)[unit * p->sums.stride[0]] = sum;
    if (p->expected.data != NULL) {
      mismatches += ((const uint64_t *)p->expected.data)[unit * p->expected.stride[0]] != sum;
    }
  }
  if (mismatches > 0) { /* other threads may find some at the same time */
    __atomic_fetch_add((int32_t *)p->mismatches.data, mismatches, __ATOMIC_RELAXED);
  }
}
