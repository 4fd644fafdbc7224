/*
 * Generated from templates/table/op.c.j2 and generator/spec/swap_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/swap_blocks.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_swap_blocks__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_swap_blocks__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_swap_blocks, KVF_AXES(KVF_B8), kvf_cpu_swap_blocks__b8),
    KVF_CUDA_ROW(kvf_op_swap_blocks, KVF_AXES(KVF_B8), kvf_cuda_swap_blocks__b8, 16, 4, 1),
};

/* the width dtype: value - KVF_B8 -> position * 1. */
static const int16_t width_offsets[] = {0};
static const int64_t width_values[] = {KVF_B8};

static const kvf_axis axes[] = {
    {.first = KVF_B8,
     .span = 1,
     .offsets = width_offsets,
     .below = -1,
     .above = -1,
     .name = "width",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the width dtype",
     .values = width_values,
     .num_values = 1},
};

/* [backend][width] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, /* cpu */
    1, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "src",
     .type = "Tensor",
     .doc = "any dtype, no negative strides; any shape without gaps, or with gaps between the "
            "indices of dimension 0 alone",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst",
     .type = "Tensor!",
     .doc = "the same; on the device of src, or one of the two on the host",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "block_size_in_bytes",
     .type = "int",
     .doc = "bytes of a page, 1 or more; where there are gaps, those from one page to the next "
            "will do",
     .kind = KVF_KIND_INT},
    {.name = "block_mapping",
     .type = "Tensor",
     .doc = "[num_pairs, 2], int64 or int32, on the CPU, any strides; a page of src and one of dst",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_swap_blocks(exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor,
                         values[2].as.integer, values[3].as.tensor);
}

const kvf_op kvf_op_swap_blocks = {
    .name = "swap_blocks",
    .ns = "_C_cache_ops",
    .schema =
        "swap_blocks(Tensor src, Tensor! dst, int block_size_in_bytes, Tensor block_mapping) -> ()",
    .doc = "copies pages between two caches, on devices or the host.\n"
           "\n"
           "For every pair (s, d) = block_mapping[i], in the order of the list:\n"
           "  page d of dst = page s of src\n"
           "A tensor without gaps is flat memory, of which page i has the bytes from i * "
           "block_size_in_bytes on.\n"
           "Where there are gaps between the indices of dimension 0, as in a layer's slice of a "
           "pool of all\n"
           "layers, pool[:, layer], each index is a page: it lies where its stride says, and only "
           "its own bytes are\n"
           "copied. src and dst may be the same memory: a pair then reads what pairs before it "
           "have written.\n"
           "Otherwise their pages must not overlap; those of two layers of a pool do not. No pairs "
           "are a successful\n"
           "no-op.\n"
           "\n"
           "The call runs on CUDA when src or dst is in device memory or exec says so, else on the "
           "CPU. On CUDA\n"
           "the driver copies on exec's stream: from host to device, back, or within a device. "
           "Pages that follow\n"
           "each other in both caches are one copy; copies that have nothing to do with each other "
           "go to the\n"
           "driver as one batch where it has that (CUDA 12.8) and the stream is neither the legacy "
           "default\n"
           "stream nor captured, else one by one. Within a device a kernel makes the copies, up to "
           "4,096 pages in\n"
           "a launch, where the driver has CUDA 12.1 and neither side has more than 2^28 pages; "
           "pages that all\n"
           "follow each other are one copy of the driver. Host memory must stay as it is until the "
           "stream has\n"
           "come past the call, and should be pinned; copies of pageable memory may wait. "
           "block_mapping is no\n"
           "longer needed when the call returns.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE, on both backends before anything is copied, for a block that "
           "is negative\n"
           "or does not lie in its tensor from end to end. KVF_CUDA_ERROR when the driver refuses "
           "a copy: the\n"
           "pairs before it may be on the stream already, and the sentence says which (\"enqueued: "
           "elements 0 to\n"
           "41 of block_mapping\"). Those are copied, none after them is, but for a batch that "
           "fails as a whole,\n"
           "of which the driver does not say what it has taken; the sentence then names its "
           "elements too.\n"
           "Source of the rule: vLLM's op of the same name, with CPU to CPU added, and with its "
           "unchecked\n"
           "indices and return codes and its ignored strides corrected.\n"
           "Elsewhere: vLLM swap_blocks.",
    .arguments = arguments,
    .num_arguments = 4,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
