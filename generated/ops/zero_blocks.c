/*
 * Generated from templates/table/op.c.j2 and generator/spec/zero_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves its slot NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_zero_blocks__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_zero_blocks__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_zero_blocks, KVF_B8, KVF_B8, kvf_cpu_zero_blocks__b8),
    KVF_CUDA_ROW(kvf_op_zero_blocks, KVF_B8, KVF_B8, kvf_cuda_zero_blocks__b8, 16, 4, 1),
};

/* [backend][scalar][cache] -> row. */
static const int16_t rows[KVF_BACKEND_COUNT][KVF_DTYPE_COUNT][KVF_DTYPE_COUNT] = {
    {
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* f32 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* f16 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* bf16 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_e4m3 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_e5m2 */
        {-1, -1, -1, -1, -1, -1, 0, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},  /* b8 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* int8 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* nvfp4 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_ds_mla */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_ds_mla_ue8m0 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* nvfp4_ds_mla */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_indexer */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
         -1}, /* fp8_indexer_ue8m0 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
         -1}, /* int8_per_token_head */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
         -1}, /* fp8_per_token_head */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* nvfp4_4over6 */
    },                                                                        /* cpu */
    {
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* f32 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* f16 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* bf16 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_e4m3 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_e5m2 */
        {-1, -1, -1, -1, -1, -1, 1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1},  /* b8 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* int8 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* nvfp4 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_ds_mla */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_ds_mla_ue8m0 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* nvfp4_ds_mla */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* fp8_indexer */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
         -1}, /* fp8_indexer_ue8m0 */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
         -1}, /* int8_per_token_head */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
         -1}, /* fp8_per_token_head */
        {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1}, /* nvfp4_4over6 */
    },                                                                        /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "caches",
     .type = "Tensor(a!)[]",
     .doc = "one per layer, [num_blocks, ...] each, any dtype of whole bytes; num_blocks is the "
            "same in all; a page has no gaps, but its dimensions may be in any order and pages any "
            "distance apart; no page of a tensor overlaps one of another",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "block_ids",
     .type = "Tensor",
     .doc = "[num_ids], int64 or int32, any stride, on the device of the caches",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_zero_blocks(exec, values[0].as.tensors.data, values[0].as.tensors.size,
                         values[1].as.tensor);
}

const kvf_op kvf_op_zero_blocks = {
    .name = "zero_blocks",
    .ns = "_C_cache_ops",
    .schema = "zero_blocks(Tensor(a!)[] caches, Tensor block_ids) -> ()",
    .doc = "clears the given pages of all layers, in one launch.\n"
           "\n"
           "For every block = block_ids[i] and every tensor: all bytes of caches[layer][block] "
           "become 0.\n"
           "A negative block is skipped; a block may occur more than once. No blocks or no tensors "
           "are a\n"
           "successful no-op.\n"
           "\n"
           "Fresh memory may hold NaN, and 0 * NaN is NaN: an attention kernel that masks the "
           "unused tail of a\n"
           "page by multiplying needs pages that were cleared once.\n"
           "\n"
           "On CUDA the addresses of up to 240 tensors travel in the launch parameters: nothing is "
           "allocated or\n"
           "waited for, block_ids is read on the device, and the call can be captured in a CUDA "
           "graph. More\n"
           "tensors, or pages of several sizes, are several launches.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is "
           "written; CUDA: that\n"
           "block is skipped and counted once, see kvf_cuda_fault_count).\n"
           "KVF_CUDA_ERROR: tensors of launches before the one that failed are done, the others "
           "untouched.\n"
           "Source of the rule: new here.",
    .arguments = arguments,
    .num_arguments = 2,
    .variants = variants,
    .num_variants = 2,
    .index = &rows[0][0][0],
    .call = call,
};
