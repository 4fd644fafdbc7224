"""swap_blocks_batch: many copies between addresses, for KV offload connectors."""

from generator.axes import dtypes
from generator.model import Field, Op
from generator.spec.shared.generations import generations

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "swap_blocks_batch(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes, "
        "bool is_src_access_order_any=False) -> ()"
    ),
    summary="copies ranges of bytes between addresses, on devices or the host.",
    doc="""\
For every i: copies sizes[i] bytes from address src_ptrs[i] to address dst_ptrs[i]. The copies may
be made in any order, so what one writes must not be read or written by another. A size of 0 is
skipped. No copies are a successful no-op.

The tensors are on the CPU, so exec says where the call runs: without it on the CPU, where every
address is the host's. On CUDA the driver copies on exec's stream and finds out itself what memory
an address belongs to. It gets up to 2048 copies at a time as one batch where it has that (CUDA
12.8) and the stream is neither the legacy default stream nor captured, else one by one. Where all
copies are of one size and lie in memory of exec's device, as the driver knows its allocations, the
kernel of swap_blocks makes them if it is built in, up to 4,096 in a launch. Host memory must stay
as it is until the stream has come past the call, and should be pinned; copies of pageable memory
may wait. The three vectors are no longer needed when the call returns.

is_src_access_order_any lets a batch read its sources ahead of work that is on the stream already;
only for sources that no such work writes.

Errors: KVF_INVALID_VALUE for a negative size or an address of 0, before anything is copied. No
other mistake in an address can be found but by the driver. KVF_CUDA_ERROR when that refuses a copy:
those before it may be on the stream already, and the sentence says which ("enqueued: elements 0 to
41 of src_ptrs"). Those are made, none after them is, but for a batch that fails as a whole, of
which the driver does not say what it has taken; the sentence then names its elements too.
Source of the rule: vLLM's op of the same name, with its unchecked sizes and return codes
corrected.""",
    arguments={
        "src_ptrs": "[num_copies], int64, on the CPU, any stride; addresses",
        "dst_ptrs": "as src_ptrs",
        "sizes": "as src_ptrs; bytes, 0 or more",
        "is_src_access_order_any": "whether sources may be read before the stream gets to the call",
    },
    elsewhere={"vLLM": "swap_blocks_batch"},
    params=(
        Field("kvf_view", "src_ptrs", "int64 addresses, in host memory on both backends"),
        Field("kvf_view", "dst_ptrs", "as src_ptrs"),
        Field("kvf_view", "sizes", "as src_ptrs; bytes"),
        Field("int64_t", "num_copies", "elements of each"),
        Field("int32_t", "is_src_access_order_any", "0 or 1; CUDA"),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    axes=(dtypes("width", "b8"),),
    copies_by_driver=True,
    upstream_schemas=dict.fromkeys(
        generations(before="vllm-0.21"),
        "swap_blocks_batch(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes) -> ()",
    ),
    host_arguments=True,
)
