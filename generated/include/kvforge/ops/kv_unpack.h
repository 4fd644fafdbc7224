/*
 * Generated from templates/table/op.h.j2 and generator/spec/kv_unpack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_KV_UNPACK_H
#define KVFORGE_OPS_KV_UNPACK_H

#include "kvforge/kvforge.h"
#include "kvforge/params/kv_unpack.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::kv_unpack: scatters the tokens of a wire buffer into the pages of all layers, in
 * one launch.
 *
 * For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:
 *   pages[p * num_layers + l][s div block_size, s mod block_size, h, d] = wire(l, p, j, h, d)
 * as it is or converted. A token with a negative slot is skipped; nothing else in pages is written.
 * Block size, layout and, by views of fewer heads, number of ranks need not be those of the sender:
 * wire_layout and wire_block_size are what the two agree on. With a gate that is not 0 nothing is
 * written: on the device of pages, it may be the mismatches of kv_checksum, so that a buffer is
 * checked and unpacked without the host looking on. No tokens are a successful no-op. Two tokens
 * with one slot race.
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
 * The wire is made of blocks of W = wire_block_size tokens: wire block w holds tokens [w * W, (w +
 * 1) * W) of slot_mapping. Within a block the axes lie without gaps in the order of wire_layout,
 * outermost first, of layer L, plane K, token N, head H, element C and, in 'GLKNHC', group G of
 * heads_per_group heads:
 *   'LKNHC' layer by layer; any range of layers is one run
 *   'KLNHC' what LMCache's objects have, [2, layers, tokens, heads * elements]
 *   'LKHNC' pages with their heads outside
 *   'HLKNC' head by head: a part of the heads is one run, whatever number of ranks reads it
 *   'GLKNHC' the same for groups of heads: SGLang's page_unified
 * Planes may differ in the size of a row; each has its rows together. Where wire_dtype has a scale
 * per token and head, each plane is followed by one of its scales, of rows of one f32. A block
 * takes as many bytes as its rows, rounded up to a multiple of 64; the wire of T tokens ceil(T / W)
 * blocks, rounded up to one of 1024.
 *
 * On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch parameters:
 * nothing is allocated or waited for, and the call can be captured in a graph. More tensors are
 * several launches, and with a scale per token and head half as many fit into one.
 * gate is read by the kernel there, on the CPU by the call.
 *
 * Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
 * written; CUDA: that token is skipped and counted once, see kvf_cuda_fault_count; a gate that is
 * shut counts none). KVF_INVALID_VALUE for tensors that differ in what they share, a wire that is
 * too small, or one in the memory of pages. KVF_CUDA_ERROR when a launch fails; those before it
 * stay on the stream, and the sentence says so ("enqueued: 240 of 300 tensors").
 * Source of the rule: new here; the layouts are those of the systems named.
 * Elsewhere: LMCache multi_layer_kv_transfer (H2D); dynamo block_from_universal.
 *
 * Arguments:
 *   wire (Tensor): [wire_bytes] or more, uint8, stride 1, its address a multiple of 16
 *   pages (Tensor(a!)[]): num_planes * num_layers tensors of [num_blocks, block_size, num_heads,
 *       elements], any dtype of whole bytes, any strides, the same for all layers of a plane; those
 *       of plane 0 first. Sizes of elements may differ between planes
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride, on the device of pages: token
 *       j lies in block slot_mapping[j] div block_size, at slot_mapping[j] mod block_size; a
 *       negative one is of no token
 *   wire_layout (str): 'LKNHC', 'KLNHC', 'LKHNC', 'HLKNC' or 'GLKNHC'
 *   wire_block_size (int): tokens of a wire block, 1 or more
 *   wire_dtype (str): what the wire holds, for example 'auto' or 'fp8'
 *   page_dtype (str): as wire_dtype, what pages are to hold
 *   wire_scales (Tensor?): none, but of fp8 or int8 codes on the wire that become floats or were
 *       such: f32, [num_planes], [num_planes, num_layers] or [num_planes, num_layers, num_heads],
 *       on the device of pages
 *   page_scales (Tensor(b!)[]): none, but of codes that become floats or were such: for scales that
 *       the call knows one tensor for each plane, f32, one element, [num_layers] or [num_layers,
 *       num_heads]; with a scale per token and head as many as pages, [num_blocks, block_size,
 *       num_heads], f32, any strides, the same for all layers of a plane; those per token and head
 *       are written
 *   gate (Tensor?): [1], int32, on the device of pages: not 0 keeps pages as they are
 *   num_layers (int): layers; 0: pages are those of one plane
 *   heads_per_group (int): of 'GLKNHC', which alone reads it: heads of a group; divides num_heads;
 *       0: all
 */
KVF_API kvf_status kvf_kv_unpack(const kvf_exec *exec, const DLTensor *wire,
                                 const DLTensor *const *pages, int64_t num_pages,
                                 const DLTensor *slot_mapping, const char *wire_layout,
                                 int64_t wire_block_size, const char *wire_dtype,
                                 const char *page_dtype, const DLTensor *wire_scales,
                                 const DLTensor *const *page_scales, int64_t num_page_scales,
                                 const DLTensor *gate, int64_t num_layers, int64_t heads_per_group);
KVF_API kvf_status kvf_launch_kv_unpack(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_kv_unpack_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_kv_unpack;

#ifdef __cplusplus
}
#endif

#endif
