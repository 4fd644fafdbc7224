/*
 * Generated from templates/table/op.h.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_KV_RELAYOUT_H
#define KVFORGE_OPS_KV_RELAYOUT_H

#include "kvforge/kvforge.h"
#include "kvforge/params/kv_relayout.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::kv_relayout: copies tokens of all layers to pages of another layout or block size,
 * in one launch.
 *
 * For every plane p, layer l, token j, head h and element d, with s = src_slots[j], t =
 * dst_slots[j], N and M the tokens of a block of src_pages and of dst_pages:
 *   dst_pages[p * num_layers + l][t div M, t mod M, h, d] =
 *       src_pages[p * num_layers + l][s div N, s mod N, h, d]
 * A token with a negative slot on either side is skipped; nothing else in dst_pages is written. It
 * is what kv_pack and kv_unpack do one behind the other, without the buffer between them. No tokens
 * are a successful no-op. Two tokens with one slot of dst_pages race.
 *
 * What becomes of elements is said by the words of the two sides:
 *   same dtype              bits are copied; elements may have any size, planes may differ in it
 *   float to float          rounded to nearest even, overflow to infinity
 *   float to codes          code = Q(x / scale), with scales that the call is given
 *   codes to float          x = code * scale
 *   float to codes of rows  S = max(amax / QMAX, 1e-6), code = Q(x * (1 / S)), with S beside them
 *   codes of rows to float  x = code * S
 *   fp8 to fp8              code = Q(code * scale / scale of the other side)
 * Floats are float32, float16 and bfloat16, codes fp8 (fp8_e4m3), fp8_e5m2 and int8, codes of rows,
 * with a scale per token and head, fp8_per_token_head, int8_per_token_head and
 * int8_per_token_head_even. 'auto' is the dtype of pages of floats. All arithmetic is f32; Q
 * saturates and rounds as the op does that writes caches of these words, and the only NaN of a
 * float is 0x7FFFFFFF or 0x7FFF. So codes are those that the writers would have made of the same
 * values, and floats those that gather_kv_cache reads, on every backend. Where both words are one
 * with a scale per token and head, int4_per_token_head too, and scales are given, these are copied
 * along with the codes; without scales the codes are copied alone. Any other pair is
 * KVF_UNSUPPORTED.
 *
 *
 * On CUDA the addresses of up to 120 pairs of tensors of up to 8 planes travel in the launch
 * parameters: nothing is allocated or waited for, and the call can be captured in a graph. More are
 * several launches, and with a scale per token and head half as many fit into one.
 *
 * Errors: KVF_OUT_OF_RANGE for a slot beyond its pages (CPU: before anything is written; CUDA: that
 * token is skipped, and each of its two slots that is out of range counted once, see
 * kvf_cuda_fault_count). KVF_INVALID_VALUE for tensors that differ in what they share, and for
 * dst_pages in the memory of src_pages: a block size cannot be changed in place. KVF_CUDA_ERROR
 * when a launch fails; those before it stay on the stream, and the sentence says so ("enqueued: 120
 * of 300 tensors").
 * Source of the rule: new here.
 *
 * Arguments:
 *   src_pages (Tensor[]): num_planes * num_layers tensors of [num_blocks, block_size, num_heads,
 *       elements], any dtype of whole bytes, any strides, the same for all layers of a plane; those
 *       of plane 0 first. Sizes of elements may differ between planes
 *   dst_pages (Tensor(a!)[]): num_planes * num_layers tensors of [dst_num_blocks, dst_block_size,
 *       num_heads, elements], as src_pages, memory of their own, any strides of their own
 *   src_slots (Tensor): [num_tokens], int64 or int32, any stride, on the device of src_pages
 *   dst_slots (Tensor): as src_slots, as many, of dst_pages
 *   src_dtype (str): what src_pages hold, for example 'auto' or 'fp8'
 *   dst_dtype (str): as src_dtype, what dst_pages are to hold
 *   src_scales (Tensor[]): none, but of codes that become floats or were such: for scales that the
 *       call knows one tensor for each plane, f32, one element, [num_layers] or [num_layers,
 *       num_heads]; with a scale per token and head as many as pages, [num_blocks, block_size,
 *       num_heads], f32, any strides, the same for all layers of a plane
 *   dst_scales (Tensor(b!)[]): none, but as src_scales, of dst_pages; those per token and head are
 *       written
 *   num_layers (int): layers; 0: src_pages are those of one plane
 */
KVF_API kvf_status kvf_kv_relayout(const kvf_exec *exec, const DLTensor *const *src_pages,
                                   int64_t num_src_pages, const DLTensor *const *dst_pages,
                                   int64_t num_dst_pages, const DLTensor *src_slots,
                                   const DLTensor *dst_slots, const char *src_dtype,
                                   const char *dst_dtype, const DLTensor *const *src_scales,
                                   int64_t num_src_scales, const DLTensor *const *dst_scales,
                                   int64_t num_dst_scales, int64_t num_layers);
KVF_API kvf_status kvf_launch_kv_relayout(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_kv_relayout_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_kv_relayout;

#ifdef __cplusplus
}
#endif

#endif
