"""kv_relayout: chosen tokens of paged caches, to pages of another layout or block size."""

from generator.model import Field, Op
from generator.spec.shared.wire import AXES, CONVERSION, PAGE_SCALES, PAGES

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "kv_relayout(Tensor[] src_pages, Tensor(a!)[] dst_pages, Tensor src_slots, Tensor dst_slots, "
        "str src_dtype, str dst_dtype, Tensor[] src_scales, Tensor(b!)[] dst_scales, "
        "int num_layers=0) -> ()"
    ),
    summary="copies tokens of all layers to pages of another layout or block size, in one launch.",
    doc=f"""\
For every plane p, layer l, token j, head h and element d, with s = src_slots[j], t = dst_slots[j], N and
M the tokens of a block of src_pages and of dst_pages:
  dst_pages[p * num_layers + l][t div M, t mod M, h, d] =
      src_pages[p * num_layers + l][s div N, s mod N, h, d]
A token with a negative slot on either side is skipped; nothing else in dst_pages is written. It is what
kv_pack and kv_unpack do one behind the other, without the buffer between them. No tokens are a successful
no-op. Two tokens with one slot of dst_pages race.

{CONVERSION}
On CUDA the addresses of up to 120 pairs of tensors of up to 8 planes travel in the launch parameters:
nothing is allocated or waited for, and the call can be captured in a graph. More are several launches, and
with a scale per token and head half as many fit into one.

Errors: KVF_OUT_OF_RANGE for a slot beyond its pages (CPU: before anything is written; CUDA: that token is
skipped, and each of its two slots that is out of range counted once, see kvf_cuda_fault_count).
KVF_INVALID_VALUE for tensors that differ in what they share, and for dst_pages in the memory of src_pages:
a block size cannot be changed in place. KVF_CUDA_ERROR when a launch fails; those before it stay on the
stream, and the sentence says so ("enqueued: 120 of 300 tensors").
Source of the rule: new here.""",
    arguments={
        "src_pages": PAGES,
        "dst_pages": (
            "num_planes * num_layers tensors of [dst_num_blocks, dst_block_size, num_heads, elements], "
            "as src_pages, memory of their own, any strides of their own"
        ),
        "src_slots": "[num_tokens], int64 or int32, any stride, on the device of src_pages",
        "dst_slots": "as src_slots, as many, of dst_pages",
        "src_dtype": "what src_pages hold, for example 'auto' or 'fp8'",
        "dst_dtype": "as src_dtype, what dst_pages are to hold",
        "src_scales": PAGE_SCALES,
        "dst_scales": "none, but as src_scales, of dst_pages; those per token and head are written",
        "num_layers": "layers; 0: src_pages are those of one plane",
    },
    params=(Field("kvf_page_copy", "copy", "slots, and where rows are on both sides"),),
    axes=AXES,
)
