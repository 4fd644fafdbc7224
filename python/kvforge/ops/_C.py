# Generated from templates/python/namespace.py.j2 and generator/spec/. Do not edit.
# Regenerate: python3 -m generator
"""The ops of namespace _C."""

from __future__ import annotations

from typing import Any

from kvforge import _arrays
from kvforge._library import function

__all__ = [
    "merge_attn_states",
]

# Any array with __dlpack__: torch.Tensor, numpy.ndarray, cupy.ndarray, jax.Array, tvm_ffi.Tensor.
Tensor = Any

_merge_attn_states = function("_C__merge_attn_states")


def merge_attn_states(
    output: Tensor,
    output_lse: Tensor | None,
    prefix_output: Tensor,
    prefix_lse: Tensor,
    suffix_output: Tensor,
    suffix_lse: Tensor,
    prefill_tokens_with_context: int = -1,
    output_scale: Tensor | None = None,
    lse_base2: bool = False,
) -> None:
    """Joins attention over disjoint sets of keys, by the log-sum-exp of each.

    For every token t and head h, over the parts i (the prefix, then the suffix or suffixes):
      m                = the largest lse[i]
      w[i]             = e^(lse[i] - m), or 2^(lse[i] - m) with lse_base2
      output[t, h, :]  = sum of w[i] * part[i][t, h, :] / sum of w[i]
      output_lse[h, t] = m + log(sum of w[i]), to the same base
    A suffix of rank 4 is several parts, which are joined at once: the splits of a decode, say. A
    part whose lse is -inf or +inf is empty: it adds nothing, whatever it holds, NaN included. The
    prefix is empty for tokens from prefill_tokens_with_context on. Where all parts are empty,
    output is +0 and output_lse -inf; where one is not, output is that part, bit for bit but for
    NaN. A NaN among the lse makes output and output_lse NaN.

    Weights are computed in double and rounded to f32 once, products and their sum are f32, in the
    order of the parts: off by at most 2 ulp of the sum of |w[i] * part[i]| / sum of w[i] for two
    parts. Then
    one rounding, to nearest even, to the dtype of output; NaN is 0x7FFFFFFF or 0x7FFF. With an
    output_scale output holds fp8 codes Q(result / output_scale), from the f32 result: a saturating
    division, and every NaN becomes 0x7F.

    output may be prefix_output, or suffix_output of rank 3, itself (the same elements at the same
    strides), and output_lse the lse of either; other overlaps are refused. Zero tokens are a
    successful no-op.

    Errors: ValueError for more than 1024 parts, or for prefill_tokens_with_context beyond
    num_tokens.
    Source of the rule: vLLM's op of the same name, with strides honoured, several suffixes, both
    bases, NaN kept by fp8, and empty parts that may hold anything.
    Elsewhere: vLLM merge_attn_states; FlashInfer merge_state and merge_states; SGLang
    merge_state_v2.

    Args:
        output (Tensor!): [num_tokens, num_heads, head_size], the dtype of prefix_output; with
            output_scale float8, or uint8 for E4M3; any strides
        output_lse (Tensor!?): [num_heads, num_tokens], f32, any strides; None: not wanted
        prefix_output (Tensor): [num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
        prefix_lse (Tensor): [num_heads, num_tokens], f32, any strides; a [num_tokens, num_heads]
            tensor transposed needs no copy
        suffix_output (Tensor): [num_tokens, num_heads, head_size], or [num_suffixes, num_tokens,
            num_heads, head_size]; the dtype of prefix_output, any strides
        suffix_lse (Tensor): as prefix_lse, or [num_suffixes, num_heads, num_tokens]; any strides
        prefill_tokens_with_context (int): tokens that have a prefix, the first; negative: all have
            one
        output_scale (Tensor?): f32, one element: codes * output_scale are values; None: no codes
        lse_base2 (bool): whether the log-sum-exps are to base 2, as FlashInfer's are, and not to
            base e

    Schema:
        _C::merge_attn_states(Tensor! output, Tensor!? output_lse, Tensor prefix_output, Tensor
            prefix_lse, Tensor suffix_output, Tensor suffix_lse, int
            prefill_tokens_with_context=-1, Tensor? output_scale=None, bool lse_base2=False) -> ()
    """
    if (
        type(output) is type(prefix_output) is type(prefix_lse) is type(suffix_output) is
        type(suffix_lse) is _arrays.TENSOR and (output_lse is None or type(output_lse) is
        _arrays.TENSOR) and (output_scale is None or type(output_scale) is _arrays.TENSOR)
    ) and _merge_attn_states(
        output._cdata, None if output_lse is None else output_lse._cdata, prefix_output._cdata,
        prefix_lse._cdata, suffix_output._cdata, suffix_lse._cdata, prefill_tokens_with_context,
        None if output_scale is None else output_scale._cdata, lse_base2, True,
    ) is None:
        return
    _arrays.adapt(
        merge_attn_states,
        _merge_attn_states,
        ("output", "output_lse"),
        ("output", "output_lse"),
        (
            output, output_lse, prefix_output, prefix_lse, suffix_output, suffix_lse,
            prefill_tokens_with_context, output_scale, lse_base2,
        ),
    )
