"""The schemas of vLLM's ops by generation, spelt out once more."""

from __future__ import annotations

WRITER = (
    "(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, "
    "str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
)
SINCE_0_16 = {
    "swap_blocks": "(Tensor src, Tensor! dst, int block_size_in_bytes, Tensor block_mapping) -> ()",
    "reshape_and_cache": WRITER,
    "reshape_and_cache_flash": WRITER,
    "concat_and_cache_mla": (
        "(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, "
        "Tensor scale) -> ()"
    ),
    "concat_and_cache_mla_rope_fused": (
        "(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, "
        "bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, "
        "Tensor kv_cache_scale) -> ()"
    ),
    "convert_fp8": ("(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"),
    "gather_and_maybe_dequant_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, "
        "Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, "
        "Tensor? seq_starts) -> ()"
    ),
    "cp_gather_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, "
        "Tensor? seq_starts) -> ()"
    ),
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor seq_lens, "
        "Tensor workspace_starts, int batch_size) -> ()"
    ),
    "indexer_k_quant_and_cache": (
        "(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, "
        "str kv_cache_dtype) -> ()"
    ),
    "cp_gather_indexer_k_quant_cache": (
        "(Tensor kv_cache, Tensor! dst_k, Tensor! dst_scale, Tensor block_table, "
        "Tensor cu_seq_lens) -> ()"
    ),
    # From 0.18 and 0.20.
    "concat_mla_q": "(Tensor ql_nope, Tensor q_pe, Tensor! q_out) -> ()",
    "swap_blocks_batch": "(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes) -> ()",
}
SINCE_0_21 = {
    **SINCE_0_16,
    "swap_blocks_batch": (
        "(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes, bool is_src_access_order_any=False) -> ()"
    ),
}
SINCE_0_26 = {
    **SINCE_0_21,
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size, Tensor? seq_starts) -> ()"
    ),
    # From 0.27.
    "concat_and_cache_mla_grouped": (
        "(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, "
        "int block_stride, int entry_stride) -> ()"
    ),
}
SINCE_0_31 = {
    **SINCE_0_26,
    "concat_and_cache_mla_grouped": (
        "(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, "
        "int block_stride, int entry_stride, Tensor? kv_scales=None, str kv_cache_dtype='auto') "
        "-> ()"
    ),
    "cp_gather_and_upconvert_fp8_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size, Tensor? seq_starts, Tensor? host_cache=None, Tensor? host_row_ids=None, "
        "Tensor? device_row_ids=None) -> ()"
    ),
    "cp_gather_and_upconvert_nvfp4_kv_cache": (
        "(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, "
        "int batch_size) -> ()"
    ),
    "hisparse_resolve_residency": (
        "(Tensor host_cache, Tensor! hot_cache, Tensor hot_block_table, Tensor global_indices, "
        "Tensor! hot_indices, Tensor! device_global_indices, Tensor! lru_slots, "
        "Tensor? request_state_indices, int region_stride, int max_union_rows, "
        "Tensor(a!)? miss_mask=None, Tensor(b!)? stats=None, Tensor(c!)? attention_indices=None, "
        "int attention_block_stride=0, Tensor? request_ids=None, Tensor? source_block_table=None, "
        "int source_block_size=0, Tensor(d!)? resolved_global_indices=None, "
        "Tensor(e!)? valid_counts=None, Tensor(f!)? swap_host_physical_rows=None, "
        "Tensor(g!)? swap_device_physical_rows=None, Tensor(h!)? swap_counts=None, "
        "Tensor? resident_block_table=None, int resident_block_size=0, "
        "int resident_null_block=0) -> ()"
    ),
    "hisparse_invalidate_written_slots": (
        "(Tensor! device_global_indices, Tensor request_state_indices, Tensor req_id_per_token, "
        "Tensor written_slots) -> ()"
    ),
    "hisparse_gather_plan": (
        "(Tensor host_cache, Tensor! hot_cache, Tensor global_indices, Tensor hot_indices, "
        "Tensor miss_mask, Tensor? request_state_indices, Tensor(a!)? attention_indices=None, "
        "int attention_block_stride=0) -> ()"
    ),
    "hisparse_gather_compact": (
        "(Tensor host_cache, Tensor! hot_cache, Tensor miss_global_indices, "
        "Tensor miss_hot_indices, Tensor miss_counts) -> ()"
    ),
}
SINCE_0_33 = {
    **SINCE_0_31,
    "reshape_and_cache": WRITER.replace(") ->", ", bool interleaved_v=False) ->"),
    "concat_and_cache_mla": (
        "(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, "
        "Tensor scale, bool skip_scale=False) -> ()"
    ),
}
UPSTREAM = {
    "vllm-0.16": SINCE_0_16,
    "vllm-0.21": SINCE_0_21,
    "vllm-0.26": SINCE_0_26,
    "vllm-0.31": SINCE_0_31,
    "vllm-0.33": SINCE_0_33,
}
# Upstream removed these before late 2025; kvforge's schema is the last that they had.
HISTORIC = {
    "copy_blocks": (
        "(Tensor(a!)[] key_caches, Tensor[](b!) value_caches, Tensor block_mapping) -> ()"
    ),
    "copy_blocks_mla": "(Tensor(a!)[] kv_caches, Tensor block_mapping) -> ()",
}
