/*
 * Generated from templates/table/op.c.j2 and generator/spec/swap_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/ops/swap_blocks.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves its slot NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_swap_blocks__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_swap_blocks, KVF_AXES(KVF_B8), kvf_cpu_swap_blocks__b8),
    KVF_DRIVER_ROW(kvf_op_swap_blocks, KVF_AXES(KVF_B8), kvf_cuda_swap_blocks__b8),
};

/* the width dtype: value - KVF_B8 -> position. */
static const int8_t width_positions[] = {0};
static const int64_t width_values[] = {KVF_B8};

static const kvf_axis axes[] = {
    {.first = KVF_B8,
     .span = 1,
     .positions = width_positions,
     .below = -1,
     .above = -1,
     .num_positions = 1,
     .name = "width",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the width dtype",
     .values = width_values,
     .num_values = 1},
};

/* The rows that serve a call, the most special first; -1 behind the last one. */
static const int16_t chains[] = {
    0, -1, /* 0: kvf_cpu_swap_blocks__b8 */
    1, -1, /* 2: kvf_cuda_swap_blocks__b8 */
};

/* [backend][width] -> where the chain begins; -1: nothing serves the call. */
static const int16_t cells[] = {
    0, /* cpu */
    2, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "src",
     .type = "Tensor",
     .doc = "any shape and dtype, no negative strides",
     .kind = KVF_KIND_TENSOR},
    {.name = "dst",
     .type = "Tensor!",
     .doc = "the same; on the device of src, or one of the two on the host",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "block_size_in_bytes",
     .type = "int",
     .doc = "bytes of a page, 1 or more; the distance between pages where they have gaps",
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
           "  bytes [d * block_size_in_bytes, (d + 1) * block_size_in_bytes) of dst\n"
           "    = bytes [s * block_size_in_bytes, (s + 1) * block_size_in_bytes) of src\n"
           "Both caches are flat memory from their first element on; strides say where that memory "
           "ends and\n"
           "nothing else. src and dst may be the same memory: a pair then reads what pairs before "
           "it have\n"
           "written. Otherwise they must not overlap. No pairs are a successful no-op.\n"
           "\n"
           "The call runs on CUDA when src or dst is in device memory or exec says so, else on the "
           "CPU. On CUDA\n"
           "the driver copies on exec's stream: from host to device, back, or within a device. "
           "Pages that follow\n"
           "each other in both caches are one copy; copies that have nothing to do with each other "
           "go to the\n"
           "driver as one batch where it has that (CUDA 12.8) and the stream is neither the legacy "
           "default\n"
           "stream nor captured, else one by one. Host memory must stay as it is until the stream "
           "has come past\n"
           "the call, and should be pinned; copies of pageable memory may wait. block_mapping is "
           "no longer\n"
           "needed when the call returns.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE, on both backends before anything is copied, for a block that "
           "is negative\n"
           "or does not lie in its tensor from end to end. KVF_CUDA_ERROR when the driver refuses "
           "a copy: what it\n"
           "took before, of pairs before in the list, takes place; of a batch that fails any part "
           "may; no pair\n"
           "after it does.\n"
           "Source of the rule: vLLM's op of the same name, with CPU to CPU added, and with its "
           "unchecked\n"
           "indices and return codes corrected.",
    .arguments = arguments,
    .num_arguments = 4,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .chains = chains,
    .call = call,
};
