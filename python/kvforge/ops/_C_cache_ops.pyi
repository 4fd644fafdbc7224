# Generated from templates/python/namespace.pyi.j2 and generator/spec/. Do not edit.
# Regenerate: python3 -m generator
from collections.abc import Sequence
from typing import Any

__all__: list[str]

# Any array with __dlpack__: torch.Tensor, numpy.ndarray, cupy.ndarray, jax.Array, tvm_ffi.Tensor.
Tensor = Any

def concat_and_cache_mla(
    kv_c: Tensor,
    k_pe: Tensor,
    kv_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    scale: Tensor,
    skip_scale: bool = False,
    kpe_cache: Tensor | None = None,
    kpe_scale: Tensor | None = None,
    slot_remap: Tensor | None = None,
) -> None: ...

def concat_and_cache_mla_grouped(
    kv_c: Tensor,
    k_pe: Tensor,
    kv_cache_ptrs: Tensor,
    slot_mapping: Tensor,
    block_size: int,
    block_stride: int,
    entry_stride: int,
    kv_scales: Tensor | None = None,
    kv_cache_dtype: str = 'auto',
    num_blocks: int = -1,
    slot_remap: Tensor | None = None,
) -> None: ...

def concat_and_cache_mla_rope_fused(
    positions: Tensor,
    q_pe: Tensor,
    k_pe: Tensor,
    kv_c: Tensor,
    cos_sin_cache: Tensor,
    is_neox: bool,
    slot_mapping: Tensor,
    kv_cache: Tensor,
    kv_cache_dtype: str,
    kv_cache_scale: Tensor,
    rotate_skipped: bool = False,
    slot_remap: Tensor | None = None,
) -> None: ...

def concat_mla_q(
    ql_nope: Tensor,
    q_pe: Tensor,
    q_out: Tensor,
) -> None: ...

def convert_fp8(
    dst_cache: Tensor,
    src_cache: Tensor,
    scale: float = 1.0,
    kv_cache_dtype: str = 'fp8',
) -> None: ...

def copy_blocks(
    key_caches: Sequence[Tensor],
    value_caches: Sequence[Tensor],
    block_mapping: Tensor,
) -> None: ...

def copy_blocks_mla(
    kv_caches: Sequence[Tensor],
    block_mapping: Tensor,
) -> None: ...

def cp_gather_and_upconvert_fp8_kv_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    workspace_starts: Tensor,
    batch_size: int,
    seq_starts: Tensor | None = None,
    host_cache: Tensor | None = None,
    host_row_ids: Tensor | None = None,
    device_row_ids: Tensor | None = None,
    seq_lens: Tensor | None = None,
) -> None: ...

def cp_gather_and_upconvert_nvfp4_kv_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    workspace_starts: Tensor,
    batch_size: int,
) -> None: ...

def cp_gather_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
    batch_size: int,
    seq_starts: Tensor | None = None,
) -> None: ...

def cp_gather_indexer_k_quant_cache(
    kv_cache: Tensor,
    dst_k: Tensor,
    dst_scale: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
) -> None: ...

def gather_and_maybe_dequant_cache(
    src_cache: Tensor,
    dst: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
    token_to_seq: Tensor,
    num_tokens: int,
    kv_cache_dtype: str,
    scale: Tensor,
    seq_starts: Tensor | None = None,
) -> None: ...

def gather_kv_cache(
    key_cache: Tensor,
    value_cache: Tensor,
    key_out: Tensor,
    value_out: Tensor,
    block_table: Tensor,
    cu_seq_lens: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    seq_starts: Tensor | None = None,
    interleaved_v: bool = False,
    swizzle_v_scales: bool = True,
    k_scale_cache: Tensor | None = None,
    v_scale_cache: Tensor | None = None,
    inverse_rht: bool = True,
) -> None: ...

def hisparse_gather_compact(
    host_cache: Tensor,
    hot_cache: Tensor,
    miss_global_indices: Tensor,
    miss_hot_indices: Tensor,
    miss_counts: Tensor,
) -> None: ...

def hisparse_gather_plan(
    host_cache: Tensor,
    hot_cache: Tensor,
    global_indices: Tensor,
    hot_indices: Tensor,
    miss_mask: Tensor,
    request_state_indices: Tensor | None,
    attention_indices: Tensor | None = None,
    attention_block_stride: int = 0,
) -> None: ...

def hisparse_invalidate_written_slots(
    device_global_indices: Tensor,
    request_state_indices: Tensor,
    req_id_per_token: Tensor,
    written_slots: Tensor,
) -> None: ...

def hisparse_resolve_residency(
    host_cache: Tensor,
    hot_cache: Tensor,
    hot_block_table: Tensor,
    global_indices: Tensor,
    hot_indices: Tensor,
    device_global_indices: Tensor,
    lru_slots: Tensor,
    request_state_indices: Tensor | None,
    region_stride: int,
    max_union_rows: int,
    miss_mask: Tensor | None = None,
    stats: Tensor | None = None,
    attention_indices: Tensor | None = None,
    attention_block_stride: int = 0,
    request_ids: Tensor | None = None,
    source_block_table: Tensor | None = None,
    source_block_size: int = 0,
    resolved_global_indices: Tensor | None = None,
    valid_counts: Tensor | None = None,
    swap_host_physical_rows: Tensor | None = None,
    swap_device_physical_rows: Tensor | None = None,
    swap_counts: Tensor | None = None,
    resident_block_table: Tensor | None = None,
    resident_block_size: int = 0,
    resident_null_block: int = 0,
) -> None: ...

def indexer_k_quant_and_cache(
    k: Tensor,
    kv_cache: Tensor,
    slot_mapping: Tensor,
    quant_block_size: int,
    kv_cache_dtype: str,
    slot_remap: Tensor | None = None,
) -> None: ...

def kv_checksum(
    wire: Tensor,
    unit_bytes: int,
    sums: Tensor,
    expected: Tensor | None = None,
    mismatches: Tensor | None = None,
) -> None: ...

def kv_pack(
    pages: Sequence[Tensor],
    wire: Tensor,
    slot_mapping: Tensor,
    wire_layout: str,
    wire_block_size: int,
    page_dtype: str,
    wire_dtype: str,
    page_scales: Sequence[Tensor],
    wire_scales: Tensor | None = None,
    num_layers: int = 0,
    heads_per_group: int = 0,
) -> None: ...

def kv_relayout(
    src_pages: Sequence[Tensor],
    dst_pages: Sequence[Tensor],
    src_slots: Tensor,
    dst_slots: Tensor,
    src_dtype: str,
    dst_dtype: str,
    src_scales: Sequence[Tensor],
    dst_scales: Sequence[Tensor],
    num_layers: int = 0,
) -> None: ...

def kv_unpack(
    wire: Tensor,
    pages: Sequence[Tensor],
    slot_mapping: Tensor,
    wire_layout: str,
    wire_block_size: int,
    wire_dtype: str,
    page_dtype: str,
    wire_scales: Tensor | None,
    page_scales: Sequence[Tensor],
    gate: Tensor | None = None,
    num_layers: int = 0,
    heads_per_group: int = 0,
) -> None: ...

def paged_attention(
    out: Tensor,
    query: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    query_start_loc: Tensor,
    seq_lens: Tensor,
    block_table: Tensor,
    scale: float,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    causal: bool = True,
    window_left: int = -1,
    window_right: int = -1,
    softcap: float = 0.0,
    alibi_slopes: Tensor | None = None,
    sinks: Tensor | None = None,
    swizzle_v_scales: bool = True,
    max_query_len: int = 0,
    lse: Tensor | None = None,
    workspace: Tensor | None = None,
) -> None: ...

def paged_mla_decode(
    out: Tensor,
    query: Tensor,
    kv_cache: Tensor,
    query_start_loc: Tensor,
    seq_lens: Tensor,
    block_table: Tensor,
    scale: float,
    kv_cache_dtype: str,
    kv_scale: Tensor,
    max_query_len: int = 0,
    lse: Tensor | None = None,
    workspace: Tensor | None = None,
) -> None: ...

def reshape_and_cache(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    interleaved_v: bool = False,
    slot_remap: Tensor | None = None,
) -> None: ...

def reshape_and_cache_flash(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    slot_remap: Tensor | None = None,
) -> None: ...

def reshape_and_cache_flash_ggml(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    slot_remap: Tensor | None = None,
) -> None: ...

def reshape_and_cache_flash_layers(
    keys: Tensor,
    values: Tensor,
    key_caches: Sequence[Tensor],
    value_caches: Sequence[Tensor],
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scales: Tensor,
    v_scales: Tensor,
    slot_remap: Tensor | None = None,
) -> None: ...

def reshape_and_cache_flash_nvfp4(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    swizzle_v_scales: bool = True,
    k_block_scales: Tensor | None = None,
    v_block_scales: Tensor | None = None,
    slot_remap: Tensor | None = None,
) -> None: ...

def reshape_and_cache_flash_per_token_head(
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    k_scale_cache: Tensor,
    v_scale_cache: Tensor,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    slot_remap: Tensor | None = None,
) -> None: ...

def rope_and_cache_flash(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    key_cache: Tensor,
    value_cache: Tensor,
    positions: Tensor,
    cos_sin_cache: Tensor | None,
    slot_mapping: Tensor,
    kv_cache_dtype: str,
    k_scale: Tensor,
    v_scale: Tensor,
    is_neox: bool = True,
    q_weight: Tensor | None = None,
    k_weight: Tensor | None = None,
    eps: float = 1e-6,
    weight_bias: float = 0.0,
    norm: str = 'auto',
    rounding: str = 'unfused',
    q_out: Tensor | None = None,
    q_scale: Tensor | None = None,
    k_out: Tensor | None = None,
    k_scale_cache: Tensor | None = None,
    v_scale_cache: Tensor | None = None,
    slot_remap: Tensor | None = None,
) -> None: ...

def swap_blocks(
    src: Tensor,
    dst: Tensor,
    block_size_in_bytes: int,
    block_mapping: Tensor,
) -> None: ...

def swap_blocks_batch(
    src_ptrs: Tensor,
    dst_ptrs: Tensor,
    sizes: Tensor,
    is_src_access_order_any: bool = False,
    *,
    device: int | None = None,
) -> None: ...

def update_kv_scales(
    key: Tensor,
    value: Tensor,
    k_scale: Tensor,
    v_scale: Tensor,
    divisor: float = 240.0,
) -> None: ...

def zero_blocks(
    caches: Sequence[Tensor],
    block_ids: Tensor,
) -> None: ...
