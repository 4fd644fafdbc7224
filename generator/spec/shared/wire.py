"""What the specs of kv_pack and kv_unpack share: pages, the wire, and where everything is in it."""

from __future__ import annotations

from generator.axes import dtypes
from generator.model import Field

LAYOUT = """\
Bit copies: page_dtype and wire_dtype are the same word, whichever it is, and there are no scales; the
planes may have elements of any size, so that codes and their scales go along as two planes. Other pairs
of words are KVF_UNSUPPORTED.

The wire is made of blocks of W = wire_block_size tokens: wire block w holds tokens [w * W, (w + 1) * W)
of slot_mapping. Within a block the axes lie without gaps in the order of wire_layout, outermost first,
of layer L, plane K, token N, head H, element C and, in 'GLKNHC', group G of heads_per_group heads:
  'LKNHC' layer by layer; any range of layers is one run
  'KLNHC' what LMCache's objects have, [2, layers, tokens, heads * elements]
  'LKHNC' pages with their heads outside
  'HLKNC' head by head: a part of the heads is one run, whatever number of ranks reads it
  'GLKNHC' the same for groups of heads: SGLang's page_unified
Planes may differ in the size of a row; each has its rows together. A block takes as many bytes as its
rows, rounded up to a multiple of 64; the wire of T tokens ceil(T / W) blocks, rounded up to one of
1024. """

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
AXES = (dtypes("width", "b8"),)
