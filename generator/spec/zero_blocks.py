"""zero_blocks: clears pages of all layers before they are used."""

from generator.axes import dtypes
from generator.model import Op
from generator.spec.shared.pages import CACHES, PARAMS
from generator.tuned import Tuned

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text="zero_blocks(Tensor(a!)[] caches, Tensor block_ids) -> ()",
    summary="clears the given pages of all layers, in one launch.",
    doc="""\
For every block = block_ids[i] and every tensor: all bytes of caches[layer][block] become 0.
A negative block is skipped; a block may occur more than once. No blocks or no tensors are a
successful no-op.

Fresh memory may hold NaN, and 0 * NaN is NaN: an attention kernel that masks the unused tail of a
page by multiplying needs pages that were cleared once.

On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is allocated or
waited for, block_ids is read on the device, and the call can be captured in a CUDA graph. More
tensors, or pages of several sizes, are several launches.

Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is written; CUDA: that
block is skipped and counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR when a
launch fails; those before it stay on the stream, and the sentence says so ("enqueued: 240 of 300
tensors").
Source of the rule: new here.""",
    arguments={
        "caches": CACHES,
        "block_ids": "[num_ids], int64 or int32, any stride, on the device of the caches",
    },
    elsewhere={"vLLM": "_zero_kv_blocks_kernel"},
    params=PARAMS,
    # The threads of a block, and the vectors that each of them clears.
    tuned=(Tuned("cuda", {"threads": (256, 128), "vectors": (4, 2, 8)}, "num_ids", ()),),
    axes=(dtypes("width", "b8"),),
)
