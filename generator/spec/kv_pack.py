"""kv_pack: chosen tokens of paged caches, in whatever layout, as one buffer to be sent or kept."""

from generator.model import Op
from generator.spec.shared.wire import (
    AXES,
    CONVERSION,
    LAYOUT,
    PAGE_SCALES,
    PAGES,
    PARAMS,
    SLOTS,
    WIRE,
    WIRE_SCALES,
    WORDS,
)

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "kv_pack(Tensor[] pages, Tensor! wire, Tensor slot_mapping, str wire_layout, "
        "int wire_block_size, str page_dtype, str wire_dtype, Tensor[] page_scales, "
        "Tensor? wire_scales=None, int num_layers=0, int heads_per_group=0) -> ()"
    ),
    summary="gathers tokens of all layers from their pages into a wire buffer, in one launch.",
    doc=f"""\
For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:
  wire(l, p, j, h, d) = pages[p * num_layers + l][s div block_size, s mod block_size, h, d]
as it is or converted. A token with a negative slot is zeros, and so is what a wire has of no token: the
rest of the last block, and what is behind rows. So the bytes, and their digests (kv_checksum), are
functions of the tokens alone. What the tensor has behind the wire's bytes stays. No tokens are a
successful no-op, which leaves the wire as it is.

{CONVERSION}{LAYOUT}

Layouts of pages are told by strides: [block, head, token, element] in memory is a permuted view, a part
of the heads a slice, keys and values in one row two slices, layers within blocks views with the stride
of a block.

On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch parameters: nothing is
allocated or waited for, and the call can be captured in a graph. More tensors are several launches, and
with a scale per token and head half as many fit into one.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is zeros and counted once, see kvf_cuda_fault_count). KVF_INVALID_VALUE for
tensors that differ in what they share, a wire that is too small, or one in the memory of pages.
KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the sentence says so
("enqueued: 240 of 300 tensors").
Source of the rule: new here; the layouts are those of the systems named.""",
    arguments={
        "pages": PAGES,
        "wire": WIRE,
        "slot_mapping": SLOTS,
        "wire_layout": WORDS["wire_layout"],
        "wire_block_size": WORDS["wire_block_size"],
        "page_dtype": "what pages hold, for example 'auto' or 'fp8'",
        "wire_dtype": "as page_dtype, what the wire is to hold",
        "page_scales": PAGE_SCALES,
        "wire_scales": WIRE_SCALES,
        "num_layers": WORDS["num_layers"],
        "heads_per_group": WORDS["heads_per_group"],
    },
    elsewhere={
        "LMCache": "multi_layer_kv_transfer (D2H)",
        "dynamo": "universal_from_block",
    },
    params=PARAMS,
    axes=AXES,
)
