/* Rows of int4_per_token_head on the CPU. */
#ifndef KVFORGE_CPU_INT4_H
#define KVFORGE_CPU_INT4_H

#include "kvforge/cache/cpu_rotation.h"
#include "kvforge/cache/int4.h"

/* Widens a row of codes and takes the code of 0 from each; `count` is even. */
KVF_INLINE void kvf_widen_int4(float *__restrict to, const uint8_t *__restrict codes, float zero,
                               int64_t count) {
  enum { WORDS = 256 };
  for (int64_t first = 0; first < count; first += 2 * WORDS) {
    uint32_t words[WORDS]; /* both codes of a byte side by side */
    uint16_t halves[2 * WORDS];
    const int64_t length = (count - first) / 2 < WORDS ? (count - first) / 2 : (int64_t)WORDS;
    for (int64_t i = 0; i < length; ++i) {
      const uint32_t pair = codes[first / 2 + i];
      words[i] = (pair | pair << 12) & 0x000F000Fu;
    }
    memcpy(halves, words, (size_t)length * sizeof *words); /* little-endian, as DLPack is */
    for (int64_t i = 0; i < 2 * length; ++i) {
      to[first + i] = (float)halves[i] - zero;
    }
  }
}

#endif
