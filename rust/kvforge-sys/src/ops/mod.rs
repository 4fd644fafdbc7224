// Generated from templates/rust/ffi.rs.j2 and generator/spec/. Do not edit.
// Regenerate: python3 -m generator
//! The typed entry points: kvforge/ops/*.h describes their arguments.

use crate::{kvf_exec, kvf_status, DLTensor};
use std::ffi::c_char;

extern "C" {
    /// Writes the latent and the rope part of new tokens, one behind the other, to MLA pages.
    pub fn kvf_concat_and_cache_mla(
        exec: *const kvf_exec,
        kv_c: *const DLTensor,
        k_pe: *const DLTensor,
        kv_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        scale: *const DLTensor,
        skip_scale: bool,
        kpe_cache: *mut DLTensor,
        kpe_scale: *const DLTensor,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Writes the latent and the rope part of new tokens to the MLA pages of several layers.
    pub fn kvf_concat_and_cache_mla_grouped(
        exec: *const kvf_exec,
        kv_c: *const DLTensor,
        k_pe: *const DLTensor,
        kv_cache_ptrs: *const DLTensor,
        slot_mapping: *const DLTensor,
        block_size: i64,
        block_stride: i64,
        entry_stride: i64,
        kv_scales: *const DLTensor,
        kv_cache_dtype: *const c_char,
        num_blocks: i64,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Rotates queries and keys by their positions and writes the keys to MLA pages.
    pub fn kvf_concat_and_cache_mla_rope_fused(
        exec: *const kvf_exec,
        positions: *const DLTensor,
        q_pe: *mut DLTensor,
        k_pe: *mut DLTensor,
        kv_c: *const DLTensor,
        cos_sin_cache: *const DLTensor,
        is_neox: bool,
        slot_mapping: *const DLTensor,
        kv_cache: *mut DLTensor,
        kv_cache_dtype: *const c_char,
        kv_cache_scale: *const DLTensor,
        rotate_skipped: bool,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Joins the latent and the rope half of MLA queries, head by head.
    pub fn kvf_concat_mla_q(
        exec: *const kvf_exec,
        ql_nope: *const DLTensor,
        q_pe: *const DLTensor,
        q_out: *mut DLTensor,
    ) -> kvf_status;
    /// Converts a tensor of any shape to fp8, from fp8, or from one float dtype to another.
    pub fn kvf_convert_fp8(
        exec: *const kvf_exec,
        dst_cache: *mut DLTensor,
        src_cache: *const DLTensor,
        scale: f64,
        kv_cache_dtype: *const c_char,
    ) -> kvf_status;
    /// Copies pages within the key and value caches of all layers, in one launch.
    pub fn kvf_copy_blocks(
        exec: *const kvf_exec,
        key_caches: *const *const DLTensor, num_key_caches: i64,
        value_caches: *const *const DLTensor, num_value_caches: i64,
        block_mapping: *const DLTensor,
    ) -> kvf_status;
    /// Copies pages within the joint caches of all layers, in one launch.
    pub fn kvf_copy_blocks_mla(
        exec: *const kvf_exec,
        kv_caches: *const *const DLTensor, num_kv_caches: i64,
        block_mapping: *const DLTensor,
    ) -> kvf_status;
    /// Gathers fp8_ds_mla rows of sequences from pages and turns them into floats.
    pub fn kvf_cp_gather_and_upconvert_fp8_kv_cache(
        exec: *const kvf_exec,
        src_cache: *const DLTensor,
        dst: *mut DLTensor,
        block_table: *const DLTensor,
        workspace_starts: *const DLTensor,
        batch_size: i64,
        seq_starts: *const DLTensor,
        host_cache: *const DLTensor,
        host_row_ids: *const DLTensor,
        device_row_ids: *const DLTensor,
        seq_lens: *const DLTensor,
    ) -> kvf_status;
    /// Gathers nvfp4_ds_mla rows of sequences from pages and turns them into floats.
    pub fn kvf_cp_gather_and_upconvert_nvfp4_kv_cache(
        exec: *const kvf_exec,
        src_cache: *const DLTensor,
        dst: *mut DLTensor,
        block_table: *const DLTensor,
        workspace_starts: *const DLTensor,
        batch_size: i64,
    ) -> kvf_status;
    /// Gathers the rows of sequences from pages, bits as they are.
    pub fn kvf_cp_gather_cache(
        exec: *const kvf_exec,
        src_cache: *const DLTensor,
        dst: *mut DLTensor,
        block_table: *const DLTensor,
        cu_seq_lens: *const DLTensor,
        batch_size: i64,
        seq_starts: *const DLTensor,
    ) -> kvf_status;
    /// Gathers the quantised indexer keys of sequences, and their scales, from pages.
    pub fn kvf_cp_gather_indexer_k_quant_cache(
        exec: *const kvf_exec,
        kv_cache: *const DLTensor,
        dst_k: *mut DLTensor,
        dst_scale: *mut DLTensor,
        block_table: *const DLTensor,
        cu_seq_lens: *const DLTensor,
    ) -> kvf_status;
    /// Gathers the rows of sequences from pages and turns fp8 codes back into floats.
    pub fn kvf_gather_and_maybe_dequant_cache(
        exec: *const kvf_exec,
        src_cache: *const DLTensor,
        dst: *mut DLTensor,
        block_table: *const DLTensor,
        cu_seq_lens: *const DLTensor,
        token_to_seq: *const DLTensor,
        num_tokens: i64,
        kv_cache_dtype: *const c_char,
        scale: *const DLTensor,
        seq_starts: *const DLTensor,
    ) -> kvf_status;
    /// Gathers keys and values of sequences from pages and decodes them.
    pub fn kvf_gather_kv_cache(
        exec: *const kvf_exec,
        key_cache: *const DLTensor,
        value_cache: *const DLTensor,
        key_out: *mut DLTensor,
        value_out: *mut DLTensor,
        block_table: *const DLTensor,
        cu_seq_lens: *const DLTensor,
        kv_cache_dtype: *const c_char,
        k_scale: *const DLTensor,
        v_scale: *const DLTensor,
        seq_starts: *const DLTensor,
        interleaved_v: bool,
        swizzle_v_scales: bool,
        k_scale_cache: *const DLTensor,
        v_scale_cache: *const DLTensor,
        inverse_rht: bool,
    ) -> kvf_status;
    /// Loads rows of a host pool into a device's hot buffer, by a list for each request.
    pub fn kvf_hisparse_gather_compact(
        exec: *const kvf_exec,
        host_cache: *const DLTensor,
        hot_cache: *mut DLTensor,
        miss_global_indices: *const DLTensor,
        miss_hot_indices: *const DLTensor,
        miss_counts: *const DLTensor,
    ) -> kvf_status;
    /// Loads the rows of a host pool that a plan marks as missing, and tells where they lie.
    pub fn kvf_hisparse_gather_plan(
        exec: *const kvf_exec,
        host_cache: *const DLTensor,
        hot_cache: *mut DLTensor,
        global_indices: *const DLTensor,
        hot_indices: *const DLTensor,
        miss_mask: *const DLTensor,
        request_state_indices: *const DLTensor,
        attention_indices: *mut DLTensor,
        attention_block_stride: i64,
    ) -> kvf_status;
    /// Marks hot slots empty whose host row has been written.
    pub fn kvf_hisparse_invalidate_written_slots(
        exec: *const kvf_exec,
        device_global_indices: *mut DLTensor,
        request_state_indices: *const DLTensor,
        req_id_per_token: *const DLTensor,
        written_slots: *const DLTensor,
    ) -> kvf_status;
    /// Finds rows of a host pool among a request's hot slots, and slots for those that are not.
    pub fn kvf_hisparse_resolve_residency(
        exec: *const kvf_exec,
        host_cache: *const DLTensor,
        hot_cache: *mut DLTensor,
        hot_block_table: *const DLTensor,
        global_indices: *const DLTensor,
        hot_indices: *mut DLTensor,
        device_global_indices: *mut DLTensor,
        lru_slots: *mut DLTensor,
        request_state_indices: *const DLTensor,
        region_stride: i64,
        max_union_rows: i64,
        miss_mask: *mut DLTensor,
        stats: *mut DLTensor,
        attention_indices: *mut DLTensor,
        attention_block_stride: i64,
        request_ids: *const DLTensor,
        source_block_table: *const DLTensor,
        source_block_size: i64,
        resolved_global_indices: *mut DLTensor,
        valid_counts: *mut DLTensor,
        swap_host_physical_rows: *mut DLTensor,
        swap_device_physical_rows: *mut DLTensor,
        swap_counts: *mut DLTensor,
        resident_block_table: *const DLTensor,
        resident_block_size: i64,
        resident_null_block: i64,
    ) -> kvf_status;
    /// Quantises the indexer keys of new tokens in groups and scatters them into pages.
    pub fn kvf_indexer_k_quant_and_cache(
        exec: *const kvf_exec,
        k: *const DLTensor,
        kv_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        quant_block_size: i64,
        kv_cache_dtype: *const c_char,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Makes the XXH3 digests of a wire buffer, and compares them with those expected.
    pub fn kvf_kv_checksum(
        exec: *const kvf_exec,
        wire: *const DLTensor,
        unit_bytes: i64,
        sums: *mut DLTensor,
        expected: *const DLTensor,
        mismatches: *mut DLTensor,
    ) -> kvf_status;
    /// Gathers tokens of all layers from their pages into a wire buffer, in one launch.
    pub fn kvf_kv_pack(
        exec: *const kvf_exec,
        pages: *const *const DLTensor, num_pages: i64,
        wire: *mut DLTensor,
        slot_mapping: *const DLTensor,
        wire_layout: *const c_char,
        wire_block_size: i64,
        page_dtype: *const c_char,
        wire_dtype: *const c_char,
        page_scales: *const *const DLTensor, num_page_scales: i64,
        wire_scales: *const DLTensor,
        num_layers: i64,
        heads_per_group: i64,
    ) -> kvf_status;
    /// Copies tokens of all layers to pages of another layout or block size, in one launch.
    pub fn kvf_kv_relayout(
        exec: *const kvf_exec,
        src_pages: *const *const DLTensor, num_src_pages: i64,
        dst_pages: *const *const DLTensor, num_dst_pages: i64,
        src_slots: *const DLTensor,
        dst_slots: *const DLTensor,
        src_dtype: *const c_char,
        dst_dtype: *const c_char,
        src_scales: *const *const DLTensor, num_src_scales: i64,
        dst_scales: *const *const DLTensor, num_dst_scales: i64,
        num_layers: i64,
    ) -> kvf_status;
    /// Scatters the tokens of a wire buffer into the pages of all layers, in one launch.
    pub fn kvf_kv_unpack(
        exec: *const kvf_exec,
        wire: *const DLTensor,
        pages: *const *const DLTensor, num_pages: i64,
        slot_mapping: *const DLTensor,
        wire_layout: *const c_char,
        wire_block_size: i64,
        wire_dtype: *const c_char,
        page_dtype: *const c_char,
        wire_scales: *const DLTensor,
        page_scales: *const *const DLTensor, num_page_scales: i64,
        gate: *const DLTensor,
        num_layers: i64,
        heads_per_group: i64,
    ) -> kvf_status;
    /// Joins attention over disjoint sets of keys, by the log-sum-exp of each.
    pub fn kvf_merge_attn_states(
        exec: *const kvf_exec,
        output: *mut DLTensor,
        output_lse: *mut DLTensor,
        prefix_output: *const DLTensor,
        prefix_lse: *const DLTensor,
        suffix_output: *const DLTensor,
        suffix_lse: *const DLTensor,
        prefill_tokens_with_context: i64,
        output_scale: *const DLTensor,
        lse_base2: bool,
    ) -> kvf_status;
    /// Attends over the pages that the cache writers fill: prefill, decode and what is between.
    pub fn kvf_paged_attention(
        exec: *const kvf_exec,
        out: *mut DLTensor,
        query: *const DLTensor,
        key_cache: *const DLTensor,
        value_cache: *const DLTensor,
        query_start_loc: *const DLTensor,
        seq_lens: *const DLTensor,
        block_table: *const DLTensor,
        scale: f64,
        kv_cache_dtype: *const c_char,
        k_scale: *const DLTensor,
        v_scale: *const DLTensor,
        causal: bool,
        window_left: i64,
        window_right: i64,
        softcap: f64,
        alibi_slopes: *const DLTensor,
        sinks: *const DLTensor,
        swizzle_v_scales: bool,
        max_query_len: i64,
        lse: *mut DLTensor,
        workspace: *mut DLTensor,
    ) -> kvf_status;
    /// Attends over the MLA pages that concat_and_cache_mla fills: all heads share a row.
    pub fn kvf_paged_mla_decode(
        exec: *const kvf_exec,
        out: *mut DLTensor,
        query: *const DLTensor,
        kv_cache: *const DLTensor,
        query_start_loc: *const DLTensor,
        seq_lens: *const DLTensor,
        block_table: *const DLTensor,
        scale: f64,
        kv_cache_dtype: *const c_char,
        kv_scale: *const DLTensor,
        max_query_len: i64,
        lse: *mut DLTensor,
        workspace: *mut DLTensor,
    ) -> kvf_status;
    /// Scatters the keys and values of new tokens into 5-D key pages and 4-D value pages.
    pub fn kvf_reshape_and_cache(
        exec: *const kvf_exec,
        key: *const DLTensor,
        value: *const DLTensor,
        key_cache: *mut DLTensor,
        value_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        k_scale: *const DLTensor,
        v_scale: *const DLTensor,
        interleaved_v: bool,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Scatters keys and values of new tokens into a paged cache of [block, token, head].
    pub fn kvf_reshape_and_cache_flash(
        exec: *const kvf_exec,
        key: *const DLTensor,
        value: *const DLTensor,
        key_cache: *mut DLTensor,
        value_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        k_scale: *const DLTensor,
        v_scale: *const DLTensor,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Scatters keys and values into pages of ggml's q8_0 or q4_0 rows.
    pub fn kvf_reshape_and_cache_flash_ggml(
        exec: *const kvf_exec,
        key: *const DLTensor,
        value: *const DLTensor,
        key_cache: *mut DLTensor,
        value_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Scatters the keys and values of all layers into their paged caches, in one launch.
    pub fn kvf_reshape_and_cache_flash_layers(
        exec: *const kvf_exec,
        keys: *const DLTensor,
        values: *const DLTensor,
        key_caches: *const *const DLTensor, num_key_caches: i64,
        value_caches: *const *const DLTensor, num_value_caches: i64,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        k_scales: *const DLTensor,
        v_scales: *const DLTensor,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Scatters keys and values into pages of nvfp4: E2M1 codes and E4M3 block scales.
    pub fn kvf_reshape_and_cache_flash_nvfp4(
        exec: *const kvf_exec,
        key: *const DLTensor,
        value: *const DLTensor,
        key_cache: *mut DLTensor,
        value_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        k_scale: *const DLTensor,
        v_scale: *const DLTensor,
        swizzle_v_scales: bool,
        k_block_scales: *mut DLTensor,
        v_block_scales: *mut DLTensor,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Scatters keys and values, quantised with a scale for each head of each token.
    pub fn kvf_reshape_and_cache_flash_per_token_head(
        exec: *const kvf_exec,
        key: *const DLTensor,
        value: *const DLTensor,
        key_cache: *mut DLTensor,
        value_cache: *mut DLTensor,
        k_scale_cache: *mut DLTensor,
        v_scale_cache: *mut DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Norms and rotates queries and keys and writes keys and values to pages, in one pass.
    pub fn kvf_rope_and_cache_flash(
        exec: *const kvf_exec,
        query: *mut DLTensor,
        key: *mut DLTensor,
        value: *const DLTensor,
        key_cache: *mut DLTensor,
        value_cache: *mut DLTensor,
        positions: *const DLTensor,
        cos_sin_cache: *const DLTensor,
        slot_mapping: *const DLTensor,
        kv_cache_dtype: *const c_char,
        k_scale: *const DLTensor,
        v_scale: *const DLTensor,
        is_neox: bool,
        q_weight: *const DLTensor,
        k_weight: *const DLTensor,
        eps: f64,
        weight_bias: f64,
        norm: *const c_char,
        rounding: *const c_char,
        q_out: *mut DLTensor,
        q_scale: *const DLTensor,
        k_out: *mut DLTensor,
        k_scale_cache: *mut DLTensor,
        v_scale_cache: *mut DLTensor,
        slot_remap: *const DLTensor,
    ) -> kvf_status;
    /// Copies pages between two caches, on devices or the host.
    pub fn kvf_swap_blocks(
        exec: *const kvf_exec,
        src: *const DLTensor,
        dst: *mut DLTensor,
        block_size_in_bytes: i64,
        block_mapping: *const DLTensor,
    ) -> kvf_status;
    /// Copies ranges of bytes between addresses, on devices or the host.
    pub fn kvf_swap_blocks_batch(
        exec: *const kvf_exec,
        src_ptrs: *const DLTensor,
        dst_ptrs: *const DLTensor,
        sizes: *const DLTensor,
        is_src_access_order_any: bool,
    ) -> kvf_status;
    /// Raises the scales of keys and values to what new ones need.
    pub fn kvf_update_kv_scales(
        exec: *const kvf_exec,
        key: *const DLTensor,
        value: *const DLTensor,
        k_scale: *mut DLTensor,
        v_scale: *mut DLTensor,
        divisor: f64,
    ) -> kvf_status;
    /// Clears the given pages of all layers, in one launch.
    pub fn kvf_zero_blocks(
        exec: *const kvf_exec,
        caches: *const *const DLTensor, num_caches: i64,
        block_ids: *const DLTensor,
    ) -> kvf_status;
}
