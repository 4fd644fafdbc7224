/* kvf_make_divider(), inline: of what a function returns in memory a copy would have to wait. */
#ifndef KVFORGE_DIVIDER_H
#define KVFORGE_DIVIDER_H

#include "kvforge/kernel_types.h"

static inline kvf_divider kvf_divider_of(int64_t value) {
  /* The least power of two that is not below the value. */
  const int32_t shift = value > 1 ? 64 - __builtin_clzll((uint64_t)value - 1) : 0;
  if ((value & (value - 1)) == 0) { /* most are, and 128-bit divisions are slow */
    return (kvf_divider){.value = value, .magic = UINT64_C(1) << 63, .shift = shift};
  }
  /* ceil(2^(63 + shift) / value), below 2^64 because value > 2^(shift - 1). */
  const unsigned __int128 power = (unsigned __int128)1 << (63 + shift);
  const uint64_t magic = (uint64_t)((power + (uint64_t)value - 1) / (uint64_t)value);
  return (kvf_divider){.value = value, .magic = magic, .shift = shift};
}

#endif
