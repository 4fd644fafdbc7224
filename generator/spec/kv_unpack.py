"""kv_unpack: the tokens of a wire buffer, to pages of whatever layout."""

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
        "kv_unpack(Tensor wire, Tensor(a!)[] pages, Tensor slot_mapping, str wire_layout, "
        "int wire_block_size, str wire_dtype, str page_dtype, Tensor? wire_scales, "
        "Tensor(b!)[] page_scales, Tensor? gate=None, int num_layers=0, int heads_per_group=0) -> ()"
    ),
    summary="scatters the tokens of a wire buffer into the pages of all layers, in one launch.",
    doc=f"""\
For every plane p, layer l, token j, head h and element d, with s = slot_mapping[j]:
  pages[p * num_layers + l][s div block_size, s mod block_size, h, d] = wire(l, p, j, h, d)
as it is or converted. A token with a negative slot is skipped; nothing else in pages is written. Block
size, layout and, by views of fewer heads, number of ranks need not be those of the sender: wire_layout
and wire_block_size are what the two agree on. With a gate that is not 0 nothing is written: on the
device of pages, it may be the mismatches of kv_checksum, so that a buffer is checked and unpacked
without the host looking on. No tokens are a successful no-op. Two tokens with one slot race.

{CONVERSION}{LAYOUT}

On CUDA the addresses of up to 240 tensors of up to 8 planes travel in the launch parameters: nothing is
allocated or waited for, and the call can be captured in a graph. More tensors are several launches, and
with a scale per token and head half as many fit into one.
gate is read by the kernel there, on the CPU by the call.

Errors: KVF_OUT_OF_RANGE for a slot beyond num_blocks * block_size (CPU: before anything is
written; CUDA: that token is skipped and counted once, see kvf_cuda_fault_count; a gate that is shut
counts none). KVF_INVALID_VALUE for tensors that differ in what they share, a wire that is too small, or
one in the memory of pages. KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and
the sentence says so ("enqueued: 240 of 300 tensors").
Source of the rule: new here; the layouts are those of the systems named.""",
    arguments={
        "wire": WIRE,
        "pages": PAGES,
        "slot_mapping": SLOTS,
        "wire_layout": WORDS["wire_layout"],
        "wire_block_size": WORDS["wire_block_size"],
        "wire_dtype": "what the wire holds, for example 'auto' or 'fp8'",
        "page_dtype": "as wire_dtype, what pages are to hold",
        "wire_scales": WIRE_SCALES,
        "page_scales": PAGE_SCALES + "; those per token and head are written",
        "gate": "[1], int32, on the device of pages: not 0 keeps pages as they are",
        "num_layers": WORDS["num_layers"],
        "heads_per_group": WORDS["heads_per_group"],
    },
    elsewhere={
        "LMCache": "multi_layer_kv_transfer (H2D)",
        "dynamo": "block_from_universal",
    },
    params=PARAMS,
    axes=AXES,
)
