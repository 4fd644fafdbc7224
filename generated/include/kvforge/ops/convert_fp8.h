/*
 * Generated from templates/table/op.h.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CONVERT_FP8_H
#define KVFORGE_OPS_CONVERT_FP8_H

#include "kvforge/kvforge.h"
#include "kvforge/params/convert_fp8.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::convert_fp8: converts a tensor of any shape to fp8, from fp8, or from one float
 * dtype to another.
 *
 * For every i, with the elements of both tensors numbered from the last dimension on:
 *   floats to fp8:    dst[i] = Q(src[i] / scale)
 *   fp8 to floats:    dst[i] = float(src[i]) * scale
 *   floats to floats: dst[i] = src[i] in the other dtype
 * Q rounds to nearest even and saturates, and every NaN becomes 0x7F. Everything else rounds to
 * nearest even once, from f32, overflows to infinity, and has one NaN per dtype: 0x7FFFFFFF,
 * 0x7FFF. Division and product are those of f32, so the scale is narrowed to f32 first. In the
 * dispatch table the scalar dtype is the source's, the cache dtype the destination's.
 *
 * kv_cache_dtype names the format of the side that holds codes: 'fp8' and 'fp8_e4m3' E4M3,
 * 'fp8_e5m2' E5M2; a side whose dtype is float8 must agree with it. 'auto' names none and is
 * refused. Between float dtypes there are no codes: kv_cache_dtype is 'auto' or names the
 * destination's dtype, and scale must be 1.
 *
 * The shapes may differ, with equally many elements: both are cut into pieces that they have in
 * common, which there always are if one of them has no gaps. Any strides, of up to 5 such pieces
 * that neither are of size 1 nor can be joined with another one, in both tensors alike; permuted
 * tensors are as fast as contiguous ones. Empty tensors are a successful no-op. The tensors must
 * not overlap.
 *
 * Errors: KVF_INVALID_TYPE when neither side holds floats, KVF_UNSUPPORTED for too many pieces, or
 * none in common.
 * Source of the rule: vLLM's op of the same name, with 'auto' refused, E5M2 added, numbers of
 * elements compared and strides honoured.
 * Elsewhere: vLLM convert_fp8.
 *
 * Arguments:
 *   dst_cache (Tensor!): as many elements as src_cache; f32, f16, bf16, or codes as uint8 or
 *       float8; any strides
 *   src_cache (Tensor): any shape; f32, f16, bf16, or codes as uint8 or float8; any strides
 *   scale (float): what codes are multiplied with to become values; positive, finite and normal as
 *       f32 (2^-126 to 3.4e38)
 *   kv_cache_dtype (str): 'fp8', 'fp8_e4m3' or 'fp8_e5m2'; between floats 'auto' or the name of the
 *       dtype of dst_cache
 */
KVF_API kvf_status kvf_convert_fp8(const kvf_exec *exec, DLTensor *dst_cache,
                                   const DLTensor *src_cache, double scale,
                                   const char *kv_cache_dtype);
KVF_API kvf_status kvf_launch_convert_fp8(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_convert_fp8_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_convert_fp8;

#ifdef __cplusplus
}
#endif

#endif
