"""concat_mla_q: joins the two halves of MLA queries into rows."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.tuned import Tuned

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text="concat_mla_q(Tensor ql_nope, Tensor q_pe, Tensor! q_out) -> ()",
    summary="joins the latent and the rope half of MLA queries, head by head.",
    doc="""\
For every token t and head h, with N = nope_dim and R = rope_dim:
  q_out[t, h, 0 .. N - 1]     = ql_nope[t, h, :]
  q_out[t, h, N .. N + R - 1] = q_pe[t, h, :]
Bits are copied, NaN payloads too. Any N and R, either of which may be 0, and any token and head
strides, each tensor with its own (a transposed ql_nope, or a q_pe that is cut out of longer rows,
needs no copy). q_out may have more heads than the other two, as attention kernels want that are
built for a number of heads; those behind are left as they are. q_out must not overlap
the others. Zero tokens are a successful no-op.

Errors: KVF_INVALID_VALUE for elements of a head that are not neighbours.
Source of the rule: vLLM's op of the same name, without its limits on N and R (and the wrong
result for N = 1024), on the dtype and on alignment.""",
    arguments={
        "ql_nope": "[num_tokens, num_heads, nope_dim], f32, f16 or bf16; stride of dimension 2 is 1",
        "q_pe": "[num_tokens, num_heads, rope_dim], the dtype of ql_nope; stride of dimension 2 is 1",
        "q_out": (
            "[num_tokens, >= num_heads, nope_dim + rope_dim], the dtype of ql_nope; stride of "
            "dimension 2 is 1"
        ),
    },
    elsewhere={"vLLM": "concat_mla_q"},
    params=(
        Field("kvf_narrow_join", "narrow", "the same in 32 bits, where it fits", True, True),
        Field("kvf_view", "ql_nope", "bytes; stride[0..2]: token, head, byte, the last of them 1"),
        Field("kvf_view", "q_pe", "as ql_nope"),
        Field("kvf_view", "q_out", "as ql_nope"),
        Field("int64_t", "num_tokens", "tokens"),
        Field("int64_t", "num_heads", "query heads"),
        Field("int64_t", "nope_bytes", "bytes of a head in ql_nope"),
        Field("int64_t", "rope_bytes", "bytes of a head in q_pe"),
        Field("kvf_divider", "by_num_heads", "splits a row number into token and head", True),
        Field("int32_t", "vector_elements", "bytes that one CUDA thread moves at a time", True),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    # The threads of a block.
    tuned=(Tuned("cuda", {"threads": (256, 128, 64, 32)}, "num_tokens", (16, 256, 4096)),),
    axes=(dtypes("width", "b8"),),
    moved="f32, f16, bf16",
)
