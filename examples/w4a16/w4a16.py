"""w4a16: rows of activations times a matrix of int4 weights, nothing of a cache about it."""

from generator.axes import arch, dtypes, flag, integer
from generator.model import Field, Op
from generator.tuned import Tuned

OP = Op(
    namespace="linear",
    schema_text=("w4a16(Tensor x, Tensor codes, Tensor scales, Tensor? zeros, Tensor! y) -> ()"),
    summary="multiplies 1 to 16 rows by a matrix of int4 weights with a scale for each group.",
    doc="""\
With K the length of a row of x, N the number of outputs and G = K / scales.size(1), the group size:
  y[r, n] = sum over k of x[r, k] * w[n, k]
  w[n, k] = scales[n, k div G] * (c[n, k] - z)
c[n, k] is the lower half of byte codes[n, k div 2] for an even k, the upper half for an odd one.
Without zeros the halves are signed, -8 to 7 in two's complement, and z = 0. With zeros they are 0 to
15, and z is the lower half of zeros[n, k div G].
Products of x and c - z are exact, their sums over a group and over the groups are f32, in an order
that the backend chooses; a sum is rounded to the dtype of x once, at its end. Layouts are told by
strides; zero rows or outputs are a successful no-op.

Errors: KVF_INVALID_VALUE for sizes that do not fit together, a group size other than 32, 64 or 128,
and more than 16 rows; KVF_UNSUPPORTED on a CUDA device older than compute capability 8.0.""",
    arguments={
        "x": "[rows, K], f16 or bf16, 0 to 16 rows, any strides",
        "codes": "[N, K / 2], uint8, two weights in a byte, any strides",
        "scales": "[N, K / G], the dtype of x, any strides",
        "zeros": "[N, K / G], uint8, the zero points, any strides; None: the codes are signed",
        "y": "[rows, N], the dtype of x, any strides",
    },
    params=(
        Field("kvf_view", "x", "stride[0..1]: row, element"),
        Field("kvf_view", "codes", "bytes; stride[0..1]: output, byte"),
        Field("kvf_view", "scales", "stride[0..1]: output, group"),
        Field("kvf_view", "zeros", "bytes; as scales; data is NULL when the codes are signed"),
        Field("kvf_view", "y", "stride[0..1]: row, output"),
        Field("int64_t", "num_outputs", "N"),
        Field("int64_t", "num_groups", "K / G"),
        Field("int32_t", "num_rows", "rows of x and y, at most 16"),
        Field("int32_t", "vectors", "CUDA: codes and x can be read in whole words", True),
    ),
    axes=(
        dtypes("scalar", "f16", "bf16"),
        integer("group_size", 32, 64, 128, token="g", meaning="K / scales.size(1)"),
        flag("zero_point", meaning="whether zeros are given"),
        integer("rows", 1, token="r", meaning="rows of x", generic=True),
        arch(80),
    ),
    # Few outputs are few blocks, which must then have many warps to keep the memory busy. One row, with
    # loads under way ahead of their use, needs fewer than several rows do.
    tuned=(
        Tuned("cuda", {"warps": (8, 4, 16, 2), "warps_of_one": (8, 4, 16, 2)}, "N", (4096, 16384)),
    ),
)
