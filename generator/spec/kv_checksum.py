"""kv_checksum: digests of a wire buffer, unit by unit, and how many are not as they should be."""

from generator.axes import dtypes
from generator.model import Field, Op

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "kv_checksum(Tensor wire, int unit_bytes, Tensor! sums, Tensor? expected=None, "
        "Tensor!? mismatches=None) -> ()"
    ),
    summary="makes the XXH3 digests of a wire buffer, and compares them with those expected.",
    doc="""\
Unit u is bytes [u * unit_bytes, (u + 1) * unit_bytes) of wire, the last one what is left:
  sums[u] = XXH3_64bits(unit u), with seed 0 and the default secret, as the 64 bits of an int64
With expected and mismatches, mismatches[0] grows by the number of units with sums[u] != expected[u],
so the caller sets it to 0 before: what it then counts is not what its sender made. An empty wire is a
successful no-op.

On CUDA nothing is allocated or waited for, and the call can be captured in a graph.

Errors: KVF_INVALID_VALUE for sizes that are no multiple of 1024, for a wire whose address is not one
of 16 or whose bytes do not lie one behind another, and for expected without mismatches or the other
way round.
Source of the rule: XXH3 of xxHash, whose output is fixed since its version 0.8.0; of its paths the one
for more than 240 bytes, since a unit is a multiple of 1024.""",
    arguments={
        "wire": "[1024 * num_kibibytes], uint8, stride 1, its address a multiple of 16",
        "unit_bytes": "bytes of a unit, a multiple of 1024; 16384 is usual: 8 bytes for 16 KiB",
        "sums": "[ceil(1024 * num_kibibytes / unit_bytes)], int64, any stride",
        "expected": "as sums, not the same memory",
        "mismatches": "[1], int32; goes with expected",
    },
    elsewhere={"xxHash": "XXH3_64bits"},
    params=(
        Field("kvf_view", "wire", "uint8, of stride 1"),
        Field("kvf_view", "sums", "int64; stride[0]: unit"),
        Field("kvf_view", "expected", "as sums; data is NULL where nothing is compared"),
        Field("kvf_view", "mismatches", "int32, one element; data may be NULL without expected"),
        Field("int64_t", "num_bytes", "bytes of the wire, a multiple of 1024"),
        Field("int64_t", "unit_bytes", "bytes of a unit, a multiple of 1024"),
    ),
    axes=(dtypes("width", "b8"),),
)
