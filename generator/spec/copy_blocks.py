"""copy_blocks: copies pages within the key and value caches of all layers, for forked sequences."""

from generator.axes import dtypes
from generator.model import Op
from generator.spec.shared.pages import CACHES, COPY_TUNED, PARAMS

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "copy_blocks(Tensor(a!)[] key_caches, Tensor[](b!) value_caches, Tensor block_mapping) "
        "-> ()"
    ),
    summary="copies pages within the key and value caches of all layers, in one launch.",
    doc="""\
For every pair (source, target) = block_mapping[i] and every layer:
  key_caches[layer][target]   = key_caches[layer][source]
  value_caches[layer][target] = value_caches[layer][source]
Pairs take effect in the order of the list, on both backends: with (0, 1), (1, 2) block 2 gets what
block 0 held, with (1, 2), (0, 1) what block 1 held, and of two pairs with one target the last one
wins. Pairs that have nothing to do with each other are copied side by side. A pair with a negative
block is skipped, so that a captured list can be padded. No pairs or no layers are a successful
no-op.

On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is allocated or
waited for, block_mapping is read on the device, and the call can be captured in a CUDA graph. More
tensors, pages of several sizes, or more than 16,384 pairs are several launches: 1,024 pairs where
there are more than 131,072 blocks, or an address, stride or page is no multiple of 16 bytes.

Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is written; CUDA: that
pair is skipped and counted once, see kvf_cuda_fault_count), whatever the pair's other block is.
KVF_CUDA_ERROR when a launch fails; those before it stay on the stream, and the sentence says so
("enqueued: 240 of 300 tensors").
Source of the rule: vLLM's op of the same name (until 2025), with its host synchronisation, its
race between chained pairs, its 32-bit sizes and its missing bounds checks corrected.""",
    arguments={
        "key_caches": CACHES,
        "value_caches": "as key_caches, as many; pages may have another size than those of keys",
        "block_mapping": (
            "[num_pairs, 2], int64 or int32, any strides, on the device of the caches; source and "
            "target of each pair"
        ),
    },
    elsewhere={"vLLM to 0.13": "copy_blocks", "mistral.rs": "copy_blocks_bf16 to copy_blocks_u8"},
    params=PARAMS,
    tuned=COPY_TUNED,
    axes=(dtypes("width", "b8"),),
)
