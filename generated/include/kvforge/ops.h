/*
 * Generated from templates/table/ops.h.j2 and generator/spec/. Do not edit.
 * Regenerate: python3 -m generator
 */
/*
 * The typed entry points, one pair per op.
 *
 * kvf_<op>() takes DLPack tensors, checks everything, and runs the variant that fits them.
 * kvf_launch_<op>() takes raw pointers in a params struct, for engines that have tensors of their
 * own; it checks what can be checked without shapes: pointers, sizes, and (on the CPU) indices.
 */
#ifndef KVFORGE_OPS_H
#define KVFORGE_OPS_H

#include "kvforge/ops/concat_and_cache_mla.h"
#include "kvforge/ops/concat_and_cache_mla_grouped.h"
#include "kvforge/ops/concat_and_cache_mla_rope_fused.h"
#include "kvforge/ops/concat_mla_q.h"
#include "kvforge/ops/convert_fp8.h"
#include "kvforge/ops/copy_blocks.h"
#include "kvforge/ops/copy_blocks_mla.h"
#include "kvforge/ops/cp_gather_and_upconvert_fp8_kv_cache.h"
#include "kvforge/ops/cp_gather_and_upconvert_nvfp4_kv_cache.h"
#include "kvforge/ops/cp_gather_cache.h"
#include "kvforge/ops/cp_gather_indexer_k_quant_cache.h"
#include "kvforge/ops/gather_and_maybe_dequant_cache.h"
#include "kvforge/ops/gather_kv_cache.h"
#include "kvforge/ops/hisparse_gather_compact.h"
#include "kvforge/ops/hisparse_gather_plan.h"
#include "kvforge/ops/hisparse_invalidate_written_slots.h"
#include "kvforge/ops/hisparse_resolve_residency.h"
#include "kvforge/ops/indexer_k_quant_and_cache.h"
#include "kvforge/ops/kv_checksum.h"
#include "kvforge/ops/kv_pack.h"
#include "kvforge/ops/kv_relayout.h"
#include "kvforge/ops/kv_unpack.h"
#include "kvforge/ops/merge_attn_states.h"
#include "kvforge/ops/paged_attention.h"
#include "kvforge/ops/paged_mla_decode.h"
#include "kvforge/ops/reshape_and_cache.h"
#include "kvforge/ops/reshape_and_cache_flash.h"
#include "kvforge/ops/reshape_and_cache_flash_ggml.h"
#include "kvforge/ops/reshape_and_cache_flash_layers.h"
#include "kvforge/ops/reshape_and_cache_flash_nvfp4.h"
#include "kvforge/ops/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/ops/rope_and_cache_flash.h"
#include "kvforge/ops/swap_blocks.h"
#include "kvforge/ops/swap_blocks_batch.h"
#include "kvforge/ops/update_kv_scales.h"
#include "kvforge/ops/zero_blocks.h"

#endif
