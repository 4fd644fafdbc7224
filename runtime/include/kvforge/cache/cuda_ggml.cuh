/* Rows of ggml's formats on CUDA; kvforge/cache/ggml.h says what they are. */
#ifndef KVFORGE_CUDA_GGML_CUH
#define KVFORGE_CUDA_GGML_CUH

#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/ggml.h"

/* Bytes at an address, which is even if `whole`. */
KVF_INLINE uint32_t kvf_two_bytes(const uint8_t *from, bool whole) {
  return whole ? *reinterpret_cast<const uint16_t *>(from)
               : (uint32_t)from[0] | (uint32_t)from[1] << 8;
}
KVF_INLINE uint32_t kvf_four_bytes(const uint8_t *from, bool whole) {
  return kvf_two_bytes(from, whole) | kvf_two_bytes(from + 2, whole) << 16;
}

/* The bits of the scale of an element of a row. */
KVF_INLINE uint32_t kvf_fetch_q8_0_scale(const uint8_t *row, int32_t element, bool whole) {
  return kvf_two_bytes(row + element / KVF_GGML_BLOCK * KVF_Q8_0_BYTES, whole);
}
KVF_INLINE uint32_t kvf_fetch_q4_0_scale(const uint8_t *row, int32_t element, bool whole) {
  return kvf_two_bytes(row + element / KVF_GGML_BLOCK * KVF_Q4_0_BYTES, whole);
}

/* The codes of four neighbours from `element` on, a multiple of 4, in a byte each. */
KVF_INLINE uint32_t kvf_fetch_q8_0(const uint8_t *row, int32_t element, bool whole) {
  return kvf_four_bytes(
      row + element / KVF_GGML_BLOCK * KVF_Q8_0_BYTES + 2 + element % KVF_GGML_BLOCK, whole);
}
KVF_INLINE uint32_t kvf_fetch_q4_0(const uint8_t *row, int32_t element, bool whole) {
  const int32_t place = element % KVF_GGML_BLOCK;
  const uint8_t *block = row + element / KVF_GGML_BLOCK * KVF_Q4_0_BYTES;
  const uint32_t pairs = kvf_four_bytes(block + 2 + place % (KVF_GGML_BLOCK / 2), whole);
  return pairs >> (place < KVF_GGML_BLOCK / 2 ? 0 : 4) & 0x0F0F0F0Fu;
}

/* The code of one element. */
KVF_INLINE uint32_t kvf_fetch_q8_0_code(const uint8_t *row, int32_t element) {
  return row[element / KVF_GGML_BLOCK * KVF_Q8_0_BYTES + 2 + element % KVF_GGML_BLOCK];
}
KVF_INLINE uint32_t kvf_fetch_q4_0_code(const uint8_t *row, int32_t element) {
  const int32_t place = element % KVF_GGML_BLOCK;
  const uint8_t *block = row + element / KVF_GGML_BLOCK * KVF_Q4_0_BYTES;
  return block[2 + place % (KVF_GGML_BLOCK / 2)] >> (place < KVF_GGML_BLOCK / 2 ? 0 : 4) & 15u;
}

/* Two codes, the first in the low byte. */
KVF_INLINE float2 kvf_f32x2_from_q8_0(uint32_t codes) { return kvf_f32x2_from_int8(codes); }
KVF_INLINE float2 kvf_f32x2_from_q4_0(uint32_t codes) {
  return make_float2((float)(int32_t)(codes & 0xFFu) - 8.0f,
                     (float)(int32_t)(codes >> 8 & 0xFFu) - 8.0f);
}

#endif
