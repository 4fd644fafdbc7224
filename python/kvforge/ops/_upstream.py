# Generated from templates/python/upstream.py.j2 and generator/spec/. Do not edit.
# Regenerate: python3 -m generator
"""Upstream's schemas, by generation, of the ops whose own schema reads differently."""

from __future__ import annotations

SCHEMAS: dict[str, dict[str, str]] = {
    "vllm-0.16": {
        "_C_cache_ops::concat_and_cache_mla": (
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor scale) -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_rope_fused": (
            "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, Tensor kv_cache_scale) -> ()"
        ),
        "_C_cache_ops::convert_fp8": (
            "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache": (
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor seq_lens, Tensor workspace_starts, int batch_size) -> ()"
        ),
        "_C_cache_ops::cp_gather_cache": (
            "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::gather_and_maybe_dequant_cache": (
            "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::indexer_k_quant_and_cache": (
            "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache": (
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache_flash": (
            "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
        "_C_cache_ops::swap_blocks_batch": (
            "swap_blocks_batch(Tensor src_ptrs, Tensor dst_ptrs, Tensor sizes) -> ()"
        ),
    },
    "vllm-0.21": {
        "_C_cache_ops::concat_and_cache_mla": (
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor scale) -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_rope_fused": (
            "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, Tensor kv_cache_scale) -> ()"
        ),
        "_C_cache_ops::convert_fp8": (
            "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache": (
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor seq_lens, Tensor workspace_starts, int batch_size) -> ()"
        ),
        "_C_cache_ops::cp_gather_cache": (
            "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::gather_and_maybe_dequant_cache": (
            "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::indexer_k_quant_and_cache": (
            "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache": (
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache_flash": (
            "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
    },
    "vllm-0.26": {
        "_C_cache_ops::concat_and_cache_mla": (
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor scale) -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_grouped": (
            "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, int block_stride, int entry_stride) -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_rope_fused": (
            "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, Tensor kv_cache_scale) -> ()"
        ),
        "_C_cache_ops::convert_fp8": (
            "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache": (
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::cp_gather_cache": (
            "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::gather_and_maybe_dequant_cache": (
            "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::indexer_k_quant_and_cache": (
            "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache": (
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache_flash": (
            "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
    },
    "vllm-0.31": {
        "_C_cache_ops::concat_and_cache_mla": (
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor scale) -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_grouped": (
            "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, int block_stride, int entry_stride, Tensor? kv_scales=None, str kv_cache_dtype='auto') -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_rope_fused": (
            "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, Tensor kv_cache_scale) -> ()"
        ),
        "_C_cache_ops::convert_fp8": (
            "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache": (
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts, Tensor? host_cache=None, Tensor? host_row_ids=None, Tensor? device_row_ids=None) -> ()"
        ),
        "_C_cache_ops::cp_gather_cache": (
            "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::gather_and_maybe_dequant_cache": (
            "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::indexer_k_quant_and_cache": (
            "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache": (
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache_flash": (
            "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
    },
    "vllm-0.33": {
        "_C_cache_ops::concat_and_cache_mla": (
            "concat_and_cache_mla(Tensor kv_c, Tensor k_pe, Tensor! kv_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor scale, bool skip_scale=False) -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_grouped": (
            "concat_and_cache_mla_grouped(Tensor kv_c, Tensor k_pe, Tensor kv_cache_ptrs, Tensor slot_mapping, int block_size, int block_stride, int entry_stride, Tensor? kv_scales=None, str kv_cache_dtype='auto') -> ()"
        ),
        "_C_cache_ops::concat_and_cache_mla_rope_fused": (
            "concat_and_cache_mla_rope_fused(Tensor positions, Tensor! q_pe, Tensor! k_pe, Tensor kv_c, Tensor cos_sin_cache, bool is_neox, Tensor slot_mapping, Tensor! kv_cache, str kv_cache_dtype, Tensor kv_cache_scale) -> ()"
        ),
        "_C_cache_ops::convert_fp8": (
            "convert_fp8(Tensor! dst_cache, Tensor src_cache, float scale, str kv_cache_dtype) -> ()"
        ),
        "_C_cache_ops::cp_gather_and_upconvert_fp8_kv_cache": (
            "cp_gather_and_upconvert_fp8_kv_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor workspace_starts, int batch_size, Tensor? seq_starts, Tensor? host_cache=None, Tensor? host_row_ids=None, Tensor? device_row_ids=None) -> ()"
        ),
        "_C_cache_ops::cp_gather_cache": (
            "cp_gather_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, int batch_size, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::gather_and_maybe_dequant_cache": (
            "gather_and_maybe_dequant_cache(Tensor src_cache, Tensor! dst, Tensor block_table, Tensor cu_seq_lens, Tensor token_to_seq, int num_tokens, str kv_cache_dtype, Tensor scale, Tensor? seq_starts) -> ()"
        ),
        "_C_cache_ops::indexer_k_quant_and_cache": (
            "indexer_k_quant_and_cache(Tensor k, Tensor! kv_cache, Tensor slot_mapping, int quant_block_size, str kv_cache_dtype) -> ()"
        ),
        "_C::merge_attn_states": (
            "merge_attn_states(Tensor! output, Tensor!? output_lse, Tensor prefix_output, Tensor prefix_lse, Tensor suffix_output, Tensor suffix_lse, int!? prefill_tokens_with_context, Tensor? output_scale=None) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache": (
            "reshape_and_cache(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale, bool interleaved_v=False) -> ()"
        ),
        "_C_cache_ops::reshape_and_cache_flash": (
            "reshape_and_cache_flash(Tensor key, Tensor value, Tensor! key_cache, Tensor! value_cache, Tensor slot_mapping, str kv_cache_dtype, Tensor k_scale, Tensor v_scale) -> ()"
        ),
    },
}

# (generation, op): the flags that make it do what upstream's did, though its schema lacks them.
FLAGS: dict[tuple[str, str], tuple[str, ...]] = {
    ("vllm-0.16", "_C_cache_ops::concat_and_cache_mla_rope_fused"): ("rotate_skipped",),
    ("vllm-0.21", "_C_cache_ops::concat_and_cache_mla_rope_fused"): ("rotate_skipped",),
    ("vllm-0.26", "_C_cache_ops::concat_and_cache_mla_rope_fused"): ("rotate_skipped",),
    ("vllm-0.31", "_C_cache_ops::concat_and_cache_mla_rope_fused"): ("rotate_skipped",),
}
