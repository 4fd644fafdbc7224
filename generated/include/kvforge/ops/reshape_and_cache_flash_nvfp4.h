/*
 * Generated from templates/table/op.h.j2 and generator/spec/reshape_and_cache_flash_nvfp4.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_NVFP4_H
#define KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_NVFP4_H

#include "kvforge/kvforge.h"
#include "kvforge/params/reshape_and_cache_flash_nvfp4.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::reshape_and_cache_flash_nvfp4: scatters keys and values into pages of nvfp4: E2M1
 * codes and E4M3 block scales.
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size, and D = head_size,
 * or value_head_size for values, each side of a page holds the codes of all its tokens and heads
 * first and their block scales behind:
 *   NHD  codes at (offset * num_heads + h) * D / 2,  scales at the same * 1 / 8, behind the codes
 *   HND  codes at (h * block_size + offset) * D / 2,  scales likewise
 * Which of the two it is, strides 1 and 2 of the cache tell, whose last dimension counts bytes
 * only. A packed page [K codes | K scales | V codes | V scales] is two views with the same block
 * stride. With k_block_scales and v_block_scales, which FlashInfer's pages have, block scales go
 * there, in the same order of groups, and the caches hold codes alone.
 *
 * For every 16 neighbouring elements v of a head, with g = 1 / k_scale and amax = max |v|:
 *   block scale S = E4M3(g * (amax / 6)), code = E2M1(v * m), m = 1 / (S / g), or 0 if S is 0
 * and the same for values. A reader multiplies: v = code * S * k_scale. Two codes share a byte, the
 * even element in the low half. Both formats round to nearest even and saturate.
 *
 * With 'nvfp4_4over6' every group is encoded a second time, with amax / 4 in place of amax / 6, and
 * what is stored is the one of the two with the smaller sum of (v - code * (S / g))^2, the first if
 * they are equal. Squares are added in pairs of neighbours, those sums in pairs, and so on. Readers
 * need not know which it was.
 *
 * All arithmetic is f32 with IEEE quotients, so bytes are the same on every backend; kernels with
 * the approximate reciprocals of the hardware differ in a code now and then, at ties. NaNs do not
 * count for amax, their code is 6.
 *
 * swizzle_v_scales stores the block scales of values as the attention kernels for sm_100 want them:
 * with S = D / 16, the scale of group i of the token at `offset` lies where that of group
 * 4 * (i mod (S / 4)) + offset mod 4 of the token at 4 * (offset div 4) + i div (S / 4) would.
 * Scales of keys are always in order. Readers take the same default; FlashInfer's want none
 * swizzled.
 *
 * Tokens with a negative slot are skipped. The number of tokens is the length of slot_mapping; key
 * and value may have more rows (graph padding), which are not read. Zero tokens are a successful
 * no-op. Two tokens with one slot race.
 *
 * Errors: KVF_INVALID_VALUE for heads whose size is no multiple of 16, and with swizzle_v_scales
 * for heads of value whose size is no multiple of 64 or a block_size that is no multiple of 4;
 * KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is written;
 * CUDA: that token is skipped and counted, see kvf_cuda_fault_count).
 * Source of the rule: vLLM's reshape_and_cache_flash with an nvfp4 cache, on any architecture, and
 * with the layout taken from strides that are checked.
 * Elsewhere: vLLM reshape_and_cache_flash; FlashInfer
 * nvfp4_quantize_append_paged_kv_cache_with_slot_mapping.
 *
 * Arguments:
 *   key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
 *   value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
 *   key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size / 2 + head_size / 16],
 *       uint8; the last three dimensions without gaps, as NHD or HND, any block stride; with block
 *       scales elsewhere [num_blocks, block_size, num_heads, head_size / 2], any strides, that of
 *       the last dimension 1
 *   value_cache (Tensor!): as key_cache of value_head_size, with a block stride and an order of its
 *       own
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'nvfp4' or 'nvfp4_4over6'
 *   k_scale (Tensor): f32, one element or [num_heads]; amax / 2688 of the whole tensor uses the
 *       range of both formats, engines take amax / 448 or 1
 *   v_scale (Tensor): as k_scale, for value
 *   swizzle_v_scales (bool): whether block scales of values are stored for sm_100
 *   k_block_scales (Tensor!?): [num_blocks, block_size, num_heads, head_size / 16], uint8 or
 *       float8_e4m3fn, any strides, that of the last dimension 1; None: behind the codes of a page
 *   v_block_scales (Tensor!?): as k_block_scales, and given if that is
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_reshape_and_cache_flash_nvfp4(
    const kvf_exec *exec, const DLTensor *key, const DLTensor *value, DLTensor *key_cache,
    DLTensor *value_cache, const DLTensor *slot_mapping, const char *kv_cache_dtype,
    const DLTensor *k_scale, const DLTensor *v_scale, bool swizzle_v_scales,
    DLTensor *k_block_scales, DLTensor *v_block_scales, const DLTensor *slot_remap);
KVF_API kvf_status
kvf_launch_reshape_and_cache_flash_nvfp4(const kvf_exec *exec, const kvf_variant *variant,
                                         const kvf_reshape_and_cache_flash_nvfp4_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_reshape_and_cache_flash_nvfp4;

#ifdef __cplusplus
}
#endif

#endif
