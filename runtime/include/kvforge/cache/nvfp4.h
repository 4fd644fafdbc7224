/*
 * Pages of nvfp4, shared by the CPU variants and the CUDA kernels: E2M1 codes, two in a byte, the
 * even element in the low half, and for every 16 of them an E4M3 scale, beside one f32 scale for
 * all.
 *
 *   element = code * block scale * scale
 *
 * A page has the codes of all its tokens and heads first, then the scales of all of them, in the
 * same order: head_size / 2 bytes of codes and head_size / 16 bytes of scales for a head of a
 * token. Reciprocals and quotients are IEEE where other implementations take the hardware's
 * approximations, so a code at a tie may differ from theirs.
 *
 * nvfp4_4over6 is the same page, with a choice for every group: its largest element becomes 6, or 4
 * where that leaves less of an error. (6 is a long way from 4, its neighbour.)
 */
#ifndef KVFORGE_NVFP4_H
#define KVFORGE_NVFP4_H

#include "kvforge/fp4.h"
#include "kvforge/fp8.h"

enum { KVF_NVFP4_GROUP = 16 /* elements of a block scale */ };

/* The block scale brings the largest element, of which these are the bits, to `top`: 6, the largest
 * E2M1, or 4. `inverse` is 1 / scale. */
KVF_INLINE uint32_t kvf_nvfp4_block_scale(uint32_t largest, float top, float inverse) {
  return kvf_fp8_e4m3_word_from_f32(inverse * (kvf_float(largest) / top)) & 0xFFu;
}

/* What a code of 1 stands for. */
KVF_INLINE float kvf_nvfp4_step(uint32_t block_scale, float inverse) {
  return kvf_f32_from_fp8_e4m3_word(block_scale) / inverse;
}

/* What the elements of a group are multiplied with before they are encoded: 0 if its scale is.
 * A mask, since of a choice compilers make a division for each way to it. */
KVF_INLINE float kvf_nvfp4_multiplier(uint32_t block_scale, float inverse) {
  const float multiplier = 1.0f / kvf_nvfp4_step(block_scale, inverse);
  const uint32_t keep = ((block_scale & 0x7Fu) + 0x7Fu) >> 7; /* 0 or 1 */
  return kvf_float(kvf_bits(multiplier) & (0u - keep));
}

/*
 * Where the scales of values are for the attention kernels of sm_100: 4 tokens x `groups` scales
 * are transposed in quarters. Changes the place of the token in its page and that of the group in
 * its head.
 */
KVF_INLINE void kvf_nvfp4_swizzle(int64_t *token, int64_t *group, int64_t groups) {
  const int64_t quarter = groups / 4;
  const int64_t part = (uint32_t)*group / (uint32_t)quarter; /* 64-bit divisions are slow */
  const int64_t place = *group - part * quarter;
  *group = 4 * place + *token % 4;
  *token = *token / 4 * 4 + part;
}

#endif
