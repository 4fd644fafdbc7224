/*
 * What the CPU variants share. A variant's file is compiled once per isa level, with KVF_ISA set to
 * the level's name, and defines one function, KVF_CPU_SYMBOL(symbol).
 */
#ifndef KVFORGE_CPU_KERNEL_H
#define KVFORGE_CPU_KERNEL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "kvforge/cpu_float16.h"
#include "kvforge/cpu_intrinsics.h"
#include "kvforge/fp8.h"
#include "kvforge/int8.h"
#include "kvforge/kernel_types.h"
#include "kvforge/quotient.h"

#ifndef KVF_ISA
#define KVF_ISA baseline
#endif

#define KVF_PASTE(symbol, isa) symbol##__##isa
#define KVF_PASTE_EXPANDED(symbol, isa) KVF_PASTE(symbol, isa)
#define KVF_CPU_SYMBOL(symbol) KVF_PASTE_EXPANDED(symbol, KVF_ISA)

/*
 * In front of a short loop whose length is a number: left to themselves, compilers write such a
 * loop out, element by element, before they try to make vector code of it.
 */
#define KVF_VECTORISE _Pragma("omp simd")

/*
 * Whether multiplying by 1 / x gives the bits that dividing by x gives: x is a power of two whose
 * reciprocal is a normal number. Scales of 1 are the most common of all.
 */
KVF_INLINE bool kvf_has_exact_reciprocal(float x) {
  const uint32_t exponent = kvf_bits(x) >> 23 & 0xFFu;
  return (kvf_bits(x) & 0x007FFFFFu) == 0 && exponent > 1 && exponent < 253;
}

/*
 * Asks for a row ahead of its use. Rows are too short for the hardware to run ahead of by itself,
 * and where a row follows another only an index array knows. Never faults, whatever the address.
 */
KVF_INLINE void kvf_prefetch_row(const void *row, int64_t bytes) {
  for (int64_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch((const char *)row + i, 1);
  }
}

/* The same for what is `distance` bytes further on, which need not be a place in any tensor. */
KVF_INLINE void kvf_prefetch_behind(const void *row, uint64_t distance, int64_t bytes) {
  kvf_prefetch_row((const void *)((uintptr_t)row + distance), bytes);
}

/* Whole 64-byte lines, of which `to` begins one, past the caches. */
KVF_INLINE void kvf_stream_lines(void *to, const void *from, int64_t bytes) {
  char *out = (char *)to;
  const char *in = (const char *)from;
  int64_t i = 0;
#if defined(__AVX512F__)
  for (; i < bytes; i += 64) {
    _mm512_stream_si512((__m512i *)(void *)(out + i), _mm512_loadu_si512(in + i));
  }
#elif defined(__AVX__)
  for (; i < bytes; i += 32) {
    _mm256_stream_si256((__m256i *)(void *)(out + i),
                        _mm256_loadu_si256((const __m256i *)(const void *)(in + i)));
  }
#elif defined(__SSE2__)
  for (; i < bytes; i += 16) {
    _mm_stream_si128((__m128i *)(void *)(out + i),
                     _mm_loadu_si128((const __m128i *)(const void *)(in + i)));
  }
#else
  memcpy(out, in, (size_t)bytes);
#endif
}

KVF_INLINE bool kvf_begins_line(const void *place) { return (uintptr_t)place % 64 == 0; }

/*
 * Copies a row past the caches, whole 64-byte lines at a time: for writes so large that they would
 * only push other data out. kvf_stream_fence() orders them before the call returns.
 */
KVF_INLINE void kvf_stream_row(void *to, const void *from, int64_t bytes) {
  char *out = (char *)to;
  const char *in = (const char *)from;
  int64_t head = (int64_t)(-(uintptr_t)out & 63u);
  head = head < bytes ? head : bytes;
  if (head > 0) { /* a call, where nothing is known of its size */
    memcpy(out, in, (size_t)head);
  }
  const int64_t whole = (bytes - head) / 64 * 64;
  kvf_stream_lines(out + head, in + head, whole);
  if (head + whole < bytes) {
    memcpy(out + head + whole, in + head + whole, (size_t)(bytes - head - whole));
  }
}

KVF_INLINE void kvf_stream_fence(void) {
#if defined(__SSE2__)
  _mm_sfence();
#endif
}

/* Copies a row, past the caches if the launch asks for it. */
KVF_INLINE void kvf_store_row(void *to, const void *from, int64_t bytes, int32_t streaming) {
  if (streaming) {
    kvf_stream_row(to, from, bytes);
  } else {
    memcpy(to, from, (size_t)bytes);
  }
}

/*
 * Stores what is in registers still: whole lines of which `to` begins one, where they go past the
 * caches.
 */
KVF_INLINE void kvf_store_lines(void *to, const void *from, int64_t bytes, bool streaming) {
  if (streaming) {
    kvf_stream_lines(to, from, bytes);
  } else {
    memcpy(to, from, (size_t)bytes);
  }
}

/* n / divider.value, for n in [0, 2^63). */
KVF_INLINE int64_t kvf_divide(int64_t n, kvf_divider divider) {
  const unsigned __int128 product = (unsigned __int128)((uint64_t)n << 1) * divider.magic;
  return (int64_t)((uint64_t)(product >> 64) >> divider.shift);
}

/*
 * Element i of an index array of 4- or 8-byte integers. Another thread may write to the array
 * meanwhile, whatever a launch function has checked: the element is read once, and what a kernel
 * bounds is what it then uses. A plain read would let a compiler read again behind the bound.
 */
KVF_INLINE int64_t kvf_index_at(const void *array, int32_t index_bytes, int64_t i) {
  return index_bytes == 8 ? __atomic_load_n((const int64_t *)array + i, __ATOMIC_RELAXED)
                          : __atomic_load_n((const int32_t *)array + i, __ATOMIC_RELAXED);
}

#endif
