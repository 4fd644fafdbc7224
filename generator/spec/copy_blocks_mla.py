"""copy_blocks_mla: copies pages within the joint caches of all layers, for forked sequences."""

from generator.axes import dtypes
from generator.model import Op
from generator.spec.shared.pages import CACHES, COPY_TUNED, PARAMS

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text="copy_blocks_mla(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()",
    summary="copies pages within the joint caches of all layers, in one launch.",
    doc="""\
For every pair (source, target) = block_mapping[i] and every layer:
  kv_caches[layer][target] = kv_caches[layer][source]
Everything else is as in copy_blocks: pairs take effect in the order of the list, a pair with a
negative block is skipped, and the call can be captured in a CUDA graph.

Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is written; CUDA: that
pair is skipped and counted once, see kvf_cuda_fault_count). KVF_CUDA_ERROR as in
copy_blocks.
Source of the rule: vLLM's op of the same name (until 2025), with the defects of copy_blocks
corrected.""",
    arguments={
        "kv_caches": CACHES,
        "block_mapping": (
            "[num_pairs, 2], int64 or int32, any strides, on the device of the caches; source and "
            "target of each pair"
        ),
    },
    elsewhere={"vLLM to 0.13": "copy_blocks_mla"},
    params=PARAMS,
    tuned=COPY_TUNED,
    axes=(dtypes("width", "b8"),),
)
