/*
 * Generated from templates/table/op.h.j2 and generator/spec/concat_mla_q.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_CONCAT_MLA_Q_H
#define KVFORGE_OPS_CONCAT_MLA_Q_H

#include "kvforge/kvforge.h"
#include "kvforge/params/concat_mla_q.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::concat_mla_q: joins the latent and the rope half of MLA queries, head by head.
 *
 * For every token t and head h, with N = nope_dim and R = rope_dim:
 *   q_out[t, h, 0 .. N - 1]     = ql_nope[t, h, :]
 *   q_out[t, h, N .. N + R - 1] = q_pe[t, h, :]
 * Bits are copied, NaN payloads too. Any N and R, either of which may be 0, and any token and head
 * strides, each tensor with its own (a transposed ql_nope, or a q_pe that is cut out of longer
 * rows, needs no copy). q_out may have more heads than the other two, as attention kernels want
 * that are built for a number of heads; those behind are left as they are. q_out must not overlap
 * the others. Zero tokens are a successful no-op.
 *
 * Errors: KVF_INVALID_VALUE for elements of a head that are not neighbours.
 * Source of the rule: vLLM's op of the same name, without its limits on N and R (and the wrong
 * result for N = 1024), on the dtype and on alignment.
 * Elsewhere: vLLM concat_mla_q.
 *
 * Arguments:
 *   ql_nope (Tensor): [num_tokens, num_heads, nope_dim], f32, f16 or bf16; stride of dimension 2 is
 *       1
 *   q_pe (Tensor): [num_tokens, num_heads, rope_dim], the dtype of ql_nope; stride of dimension 2
 *       is 1
 *   q_out (Tensor!): [num_tokens, >= num_heads, nope_dim + rope_dim], the dtype of ql_nope; stride
 *       of dimension 2 is 1
 */
KVF_API kvf_status kvf_concat_mla_q(const kvf_exec *exec, const DLTensor *ql_nope,
                                    const DLTensor *q_pe, DLTensor *q_out);
KVF_API kvf_status kvf_launch_concat_mla_q(const kvf_exec *exec, const kvf_variant *variant,
                                           const kvf_concat_mla_q_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_concat_mla_q;

#ifdef __cplusplus
}
#endif

#endif
