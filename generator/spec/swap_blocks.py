"""swap_blocks: copies pages between two caches, for offloading and preemption."""

from generator.axes import dtypes
from generator.model import Field, Op

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "swap_blocks(Tensor src, Tensor! dst, int block_size_in_bytes, Tensor block_mapping) -> ()"
    ),
    summary="copies pages between two caches, on devices or the host.",
    doc="""\
For every pair (s, d) = block_mapping[i], in the order of the list:
  page d of dst = page s of src
A tensor without gaps is flat memory, of which page i has the bytes from i * block_size_in_bytes on.
Where there are gaps between the indices of dimension 0, as in a layer's slice of a pool of all
layers, pool[:, layer], each index is a page: it lies where its stride says, and only its own bytes are
copied. src and dst may be the same memory: a pair then reads what pairs before it have written.
Otherwise their pages must not overlap; those of two layers of a pool do not. No pairs are a successful
no-op.

The call runs on CUDA when src or dst is in device memory or exec says so, else on the CPU. On CUDA
the driver copies on exec's stream: from host to device, back, or within a device. Pages that follow
each other in both caches are one copy; copies that have nothing to do with each other go to the
driver as one batch where it has that (CUDA 12.8) and the stream is neither the legacy default
stream nor captured, else one by one. Within a device a kernel makes the copies, up to 4,096 pages in
a launch, where the driver has CUDA 12.1 and neither side has more than 2^28 pages; pages that all
follow each other are one copy of the driver. Host memory must stay as it is until the stream has
come past the call, and should be pinned; copies of pageable memory may wait. block_mapping is no
longer needed when the call returns.

Errors: KVF_OUT_OF_RANGE, on both backends before anything is copied, for a block that is negative
or does not lie in its tensor from end to end. KVF_CUDA_ERROR when the driver refuses a copy: the
pairs before it may be on the stream already, and the sentence says which ("enqueued: elements 0 to
41 of block_mapping"). Those are copied, none after them is, but for a batch that fails as a whole,
of which the driver does not say what it has taken; the sentence then names its elements too.
Source of the rule: vLLM's op of the same name, with CPU to CPU added, and with its unchecked
indices and return codes and its ignored strides corrected.""",
    arguments={
        "src": (
            "any dtype, no negative strides; any shape without gaps, or with gaps between the indices "
            "of dimension 0 alone"
        ),
        "dst": "the same; on the device of src, or one of the two on the host",
        "block_size_in_bytes": (
            "bytes of a page, 1 or more; where there are gaps, those from one page to the next will do"
        ),
        "block_mapping": (
            "[num_pairs, 2], int64 or int32, on the CPU, any strides; a page of src and one of dst"
        ),
    },
    elsewhere={"vLLM": "swap_blocks"},
    params=(
        Field(
            "kvf_pages", "src", "stride: bytes from one page to the next, those of a page or more"
        ),
        Field("kvf_pages", "dst", "as src"),
        Field("int64_t", "num_src_blocks", "pages in src"),
        Field("int64_t", "num_dst_blocks", "pages in dst"),
        Field("int64_t", "block_size_in_bytes", "bytes of a page"),
        Field("kvf_block_list", "block_mapping", "pairs, in host memory on both backends"),
        Field("int32_t", "streaming", "CPU: store past the caches", True),
    ),
    axes=(dtypes("width", "b8"),),
    kernel_params="kvf_moves_launch",
)
