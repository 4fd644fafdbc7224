/*
 * Generated from templates/table/registry.c.j2 and generator/spec/. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/kvforge.h"
#include "core/registry.h"
#include "core/tuned.h"

const kvf_op *const kvf_ops[] = {
    &kvf_op_concat_and_cache_mla,
    &kvf_op_concat_and_cache_mla_grouped,
    &kvf_op_concat_and_cache_mla_rope_fused,
    &kvf_op_concat_mla_q,
    &kvf_op_convert_fp8,
    &kvf_op_copy_blocks,
    &kvf_op_copy_blocks_mla,
    &kvf_op_cp_gather_and_upconvert_fp8_kv_cache,
    &kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache,
    &kvf_op_cp_gather_cache,
    &kvf_op_cp_gather_indexer_k_quant_cache,
    &kvf_op_gather_and_maybe_dequant_cache,
    &kvf_op_gather_kv_cache,
    &kvf_op_hisparse_gather_compact,
    &kvf_op_hisparse_gather_plan,
    &kvf_op_hisparse_invalidate_written_slots,
    &kvf_op_hisparse_resolve_residency,
    &kvf_op_indexer_k_quant_and_cache,
    &kvf_op_kv_checksum,
    &kvf_op_kv_pack,
    &kvf_op_kv_relayout,
    &kvf_op_kv_unpack,
    &kvf_op_merge_attn_states,
    &kvf_op_paged_attention,
    &kvf_op_paged_mla_decode,
    &kvf_op_reshape_and_cache,
    &kvf_op_reshape_and_cache_flash,
    &kvf_op_reshape_and_cache_flash_ggml,
    &kvf_op_reshape_and_cache_flash_layers,
    &kvf_op_reshape_and_cache_flash_nvfp4,
    &kvf_op_reshape_and_cache_flash_per_token_head,
    &kvf_op_rope_and_cache_flash,
    &kvf_op_swap_blocks,
    &kvf_op_swap_blocks_batch,
    &kvf_op_update_kv_scales,
    &kvf_op_zero_blocks,
};

const int32_t kvf_ops_count = 36;

const kvf_tuned kvf_threads_tuned = {
    .num_constants = 3,
    .names = {"thread_kib", "chunk_kib", "chunks"},
    .defaults = {64, 256, 8},
};

const kvf_tuned kvf_streaming_tuned = {
    .num_constants = 1,
    .names = {"stream_kib"},
    .defaults = {4096},
};

const kvf_engine_table kvf_engine_tables[] = {
    {"threads", &kvf_threads_tuned},
    {"streaming", &kvf_streaming_tuned},
};

const int32_t kvf_engine_tables_count = 2;
