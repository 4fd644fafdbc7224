"""What the specs of kv_pack and kv_unpack share: pages, the wire, and where everything is in it."""

from __future__ import annotations

from generator.axes import dtypes
from generator.model import Field

LAYOUT = """\
The wire is made of blocks of W = wire_block_size tokens: wire block w holds tokens [w * W, (w + 1) * W)
of slot_mapping. Within a block the axes lie without gaps in the order of wire_layout, outermost first,
of layer L, plane K, token N, head H, element C and, in 'GLKNHC', group G of heads_per_group heads:
  'LKNHC' layer by layer; any range of layers is one run
  'KLNHC' what LMCache's objects have, [2, layers, tokens, heads * elements]
  'LKHNC' pages with their heads outside
  'HLKNC' head by head: a part of the heads is one run, whatever number of ranks reads it
  'GLKNHC' the same for groups of heads: SGLang's page_unified
Planes may differ in the size of a row; each has its rows together. Where wire_dtype has a scale per token
and head, each plane is followed by one of its scales, of rows of one f32. A block takes as many bytes as its
rows, rounded up to a multiple of 64; the wire of T tokens ceil(T / W) blocks, rounded up to one of
1024. """

CONVERSION = """\
What becomes of elements is said by the words of the two sides:
  same dtype              bits are copied; elements may have any size, planes may differ in it
  float to float          rounded to nearest even, overflow to infinity
  float to codes          code = Q(x / scale), with scales that the call is given
  codes to float          x = code * scale
  float to codes of rows  S = max(amax / QMAX, 1e-6), code = Q(x * (1 / S)), with S beside them
  codes of rows to float  x = code * S
  fp8 to fp8              code = Q(code * scale / scale of the other side)
Floats are float32, float16 and bfloat16, codes fp8 (fp8_e4m3), fp8_e5m2 and int8, codes of rows, with a
scale per token and head, fp8_per_token_head, int8_per_token_head and int8_per_token_head_even.
'auto' is the dtype of pages of floats. All arithmetic is f32; Q saturates and rounds as the op does that
writes caches of these words, and the only NaN of a float is 0x7FFFFFFF or 0x7FFF. So codes are those that
the writers would have made of the same values, and floats those that gather_kv_cache reads, on every
backend. Where both words are one with a scale per token and head, int4_per_token_head too, and scales are
given, these are copied along with the codes; without scales the codes are copied alone. Any other pair is
KVF_UNSUPPORTED.

"""

PAGE_SCALES = (
    "none, but of codes that become floats or were such: for scales that the call knows one tensor for each "
    "plane, f32, one element, [num_layers] or [num_layers, num_heads]; with a scale per token and head as "
    "many as pages, [num_blocks, block_size, num_heads], f32, any strides, the same for all layers of a plane"
)
WIRE_SCALES = (
    "none, but of fp8 or int8 codes on the wire that become floats or were such: f32, [num_planes], "
    "[num_planes, num_layers] or [num_planes, num_layers, num_heads], on the device of pages"
)
SLOTS = (
    "[num_tokens], int64 or int32, any stride, on the device of pages: token j lies in block "
    "slot_mapping[j] div block_size, at slot_mapping[j] mod block_size; a negative one is of no token"
)
PAGES = (
    "num_planes * num_layers tensors of [num_blocks, block_size, num_heads, elements], any dtype of "
    "whole bytes, any strides, the same for all layers of a plane; those of plane 0 first. Sizes of "
    "elements may differ between planes"
)
WIRE = "[wire_bytes] or more, uint8, stride 1, its address a multiple of 16"
WORDS = {
    "wire_layout": "'LKNHC', 'KLNHC', 'LKHNC', 'HLKNC' or 'GLKNHC'",
    "wire_block_size": "tokens of a wire block, 1 or more",
    "num_layers": "layers; 0: pages are those of one plane",
    "heads_per_group": "of 'GLKNHC', which alone reads it: heads of a group; divides num_heads; 0: all",
}
PARAMS = (Field("kvf_wire_copy", "copy", "slots, wire, pages and where rows are in both"),)
AXES = (
    dtypes(
        "width",
        "b8",
        "f32",
        meaning="b8 where bits are copied, f32 where elements become those of another dtype",
    ),
)
