/*
 * Generated from templates/table/op.c.j2 and generator/spec/copy_blocks_mla.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves its slot NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_copy_blocks_mla__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_copy_blocks_mla__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_copy_blocks_mla, KVF_B8, KVF_B8, kvf_cpu_copy_blocks_mla__b8),
    KVF_CUDA_ROW(kvf_op_copy_blocks_mla, KVF_B8, KVF_B8, kvf_cuda_copy_blocks_mla__b8, 16, 4, 1),
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
    {.name = "kv_caches",
     .type = "Tensor(a!)[]",
     .doc = "one per layer, [num_blocks, ...] each, any dtype of whole bytes; num_blocks is the "
            "same in all; a page has no gaps, but its dimensions may be in any order and pages any "
            "distance apart; no page of a tensor overlaps one of another",
     .kind = KVF_KIND_TENSOR_LIST,
     .mutated = true},
    {.name = "block_mapping",
     .type = "Tensor",
     .doc = "[num_pairs, 2], int64 or int32, any strides, on the device of the caches; source and "
            "target of each pair",
     .kind = KVF_KIND_TENSOR},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_copy_blocks_mla(exec, values[0].as.tensors.data, values[0].as.tensors.size,
                             values[1].as.tensor);
}

const kvf_op kvf_op_copy_blocks_mla = {
    .name = "copy_blocks_mla",
    .ns = "_C_cache_ops",
    .schema = "copy_blocks_mla(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()",
    .doc = "copies pages within the joint caches of all layers, in one launch.\n"
           "\n"
           "For every pair (source, target) = block_mapping[i] and every layer:\n"
           "  kv_caches[layer][target] = kv_caches[layer][source]\n"
           "Everything else is as in copy_blocks: pairs take effect in the order of the list, a "
           "pair with a\n"
           "negative block is skipped, and the call can be captured in a CUDA graph.\n"
           "\n"
           "Errors: KVF_OUT_OF_RANGE for a block beyond num_blocks (CPU: before anything is "
           "written; CUDA: that\n"
           "pair is skipped and counted once, see kvf_cuda_fault_count).\n"
           "KVF_CUDA_ERROR: tensors of launches before the one that failed are done, the others "
           "untouched.\n"
           "Source of the rule: vLLM's op of the same name (until 2025), with the defects of "
           "copy_blocks\n"
           "corrected.",
    .arguments = arguments,
    .num_arguments = 2,
    .variants = variants,
    .num_variants = 2,
    .index = &rows[0][0][0],
    .call = call,
};
