"""merge_attn_states: joins what attention over disjoint keys has come to."""

from generator.axes import dtypes
from generator.dtypes import DType
from generator.model import Field, Op
from generator.spec.shared.generations import generations

LSE_SHAPE = "[num_heads, num_tokens], f32, any strides"
PART = "[num_tokens, num_heads, head_size], f32, f16 or bf16, any strides"
UPSTREAM = (
    "merge_attn_states(Tensor! output, Tensor!? output_lse, Tensor prefix_output, "
    "Tensor prefix_lse, Tensor suffix_output, Tensor suffix_lse, "
    "int!? prefill_tokens_with_context, Tensor? output_scale=None) -> ()"
)


def excluded(scalar: DType, out: DType) -> str | None:
    """The output has the dtype of the parts, or fp8 codes."""
    if out.is_fp8 or out is scalar:
        return None
    return f"parts of {scalar.token} become {scalar.token} itself or fp8"


OP = Op(
    namespace="_C",
    headers="kvforge/cache",
    schema_text=(
        "merge_attn_states(Tensor! output, Tensor!? output_lse, Tensor prefix_output, "
        "Tensor prefix_lse, Tensor suffix_output, Tensor suffix_lse, "
        "int prefill_tokens_with_context=-1, Tensor? output_scale=None, bool lse_base2=False) -> ()"
    ),
    summary="joins attention over disjoint sets of keys, by the log-sum-exp of each.",
    doc="""\
For every token t and head h, over the parts i (the prefix, then the suffix or suffixes):
  m                = the largest lse[i]
  w[i]             = e^(lse[i] - m), or 2^(lse[i] - m) with lse_base2
  output[t, h, :]  = sum of w[i] * part[i][t, h, :] / sum of w[i]
  output_lse[h, t] = m + log(sum of w[i]), to the same base
A suffix of rank 4 is several parts, which are joined at once: the splits of a decode, say. A part whose
lse is -inf or +inf is empty: it adds nothing, whatever it holds, NaN included. The prefix is empty for
tokens from prefill_tokens_with_context on. Where all parts are empty, output is +0 and output_lse -inf;
where one is not, output is that part, bit for bit but for NaN. A NaN among the lse makes output and
output_lse NaN.

Weights are computed in double and rounded to f32 once, products and their sum are f32, in the order of the
parts: off by at most 2 ulp of the sum of |w[i] * part[i]| / sum of w[i] for two parts. Then
one rounding, to nearest even, to the dtype of output; NaN is 0x7FFFFFFF or 0x7FFF. With an output_scale
output holds fp8 codes Q(result / output_scale), from the f32 result: a saturating division, and every
NaN becomes 0x7F.

output may be prefix_output, or suffix_output of rank 3, itself (the same elements at the same
strides), and output_lse the lse of either; other overlaps are refused. Zero tokens are a successful no-op.

Errors: KVF_INVALID_VALUE for more than 1024 parts, or for prefill_tokens_with_context beyond num_tokens.
Source of the rule: vLLM's op of the same name, with strides honoured, several suffixes, both bases,
NaN kept by fp8, and empty parts that may hold anything.""",
    arguments={
        "output": (
            "[num_tokens, num_heads, head_size], the dtype of prefix_output; with output_scale "
            "float8, or uint8 for E4M3; any strides"
        ),
        "output_lse": f"{LSE_SHAPE}; None: not wanted",
        "prefix_output": PART,
        "prefix_lse": f"{LSE_SHAPE}; a [num_tokens, num_heads] tensor transposed needs no copy",
        "suffix_output": (
            "[num_tokens, num_heads, head_size], or [num_suffixes, num_tokens, num_heads, "
            "head_size]; the dtype of prefix_output, any strides"
        ),
        "suffix_lse": "as prefix_lse, or [num_suffixes, num_heads, num_tokens]; any strides",
        "prefill_tokens_with_context": "tokens that have a prefix, the first; negative: all have one",
        "output_scale": "f32, one element: codes * output_scale are values; None: no codes",
        "lse_base2": "whether the log-sum-exps are to base 2, as FlashInfer's are, and not to base e",
    },
    elsewhere={
        "vLLM": "merge_attn_states",
        "FlashInfer": "merge_state and merge_states",
        "SGLang": "merge_state_v2",
    },
    params=(
        Field("kvf_view", "output", "stride[0..2]: token, head, element"),
        Field("kvf_view", "output_lse", "f32; stride[0..1]: head, token; data NULL for none"),
        Field("kvf_view", "prefix_output", "as output"),
        Field("kvf_view", "prefix_lse", "f32; stride[0..1]: head, token"),
        Field("kvf_view", "suffix_output", "stride[0..3]: suffix, token, head, element"),
        Field("kvf_view", "suffix_lse", "f32; stride[0..2]: suffix, head, token"),
        Field("kvf_view", "output_scale", "f32, one element; data NULL unless output holds codes"),
        Field("int64_t", "num_suffixes", "0 to 1023"),
        Field("int64_t", "num_tokens", "tokens"),
        Field("int64_t", "num_heads", "query heads"),
        Field("int64_t", "head_size", "elements of a head"),
        Field("int64_t", "prefill_tokens", "tokens that have a prefix"),
        Field("int32_t", "lse_base2", "1 or 0"),
        Field("kvf_divider", "by_num_heads", "splits a row number into token and head", True),
        Field("int32_t", "vector_elements", "elements that one CUDA thread has at a time", True),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    axes=(
        dtypes("scalar", "f32", "f16", "bf16"),
        dtypes("out", "f32", "f16", "bf16", "fp8_e4m3", "fp8_e5m2"),
    ),
    excluded=excluded,
    upstream_schemas=dict.fromkeys(generations(since="vllm-0.33"), UPSTREAM),
)
