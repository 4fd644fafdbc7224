/*
 * Generated from templates/table/params.h.j2 and generator/spec/. Do not edit.
 * Regenerate: python3 -m generator
 */
/* The params structs of all ops. */
#ifndef KVFORGE_PARAMS_H
#define KVFORGE_PARAMS_H

#include "kvforge/params/concat_and_cache_mla.h"
#include "kvforge/params/concat_and_cache_mla_grouped.h"
#include "kvforge/params/concat_and_cache_mla_rope_fused.h"
#include "kvforge/params/concat_mla_q.h"
#include "kvforge/params/convert_fp8.h"
#include "kvforge/params/copy_blocks.h"
#include "kvforge/params/copy_blocks_mla.h"
#include "kvforge/params/cp_gather_and_upconvert_fp8_kv_cache.h"
#include "kvforge/params/cp_gather_and_upconvert_nvfp4_kv_cache.h"
#include "kvforge/params/cp_gather_cache.h"
#include "kvforge/params/cp_gather_indexer_k_quant_cache.h"
#include "kvforge/params/gather_and_maybe_dequant_cache.h"
#include "kvforge/params/gather_kv_cache.h"
#include "kvforge/params/hisparse_gather_compact.h"
#include "kvforge/params/hisparse_gather_plan.h"
#include "kvforge/params/hisparse_invalidate_written_slots.h"
#include "kvforge/params/hisparse_resolve_residency.h"
#include "kvforge/params/indexer_k_quant_and_cache.h"
#include "kvforge/params/kv_checksum.h"
#include "kvforge/params/kv_pack.h"
#include "kvforge/params/kv_relayout.h"
#include "kvforge/params/kv_unpack.h"
#include "kvforge/params/merge_attn_states.h"
#include "kvforge/params/paged_attention.h"
#include "kvforge/params/paged_mla_decode.h"
#include "kvforge/params/reshape_and_cache.h"
#include "kvforge/params/reshape_and_cache_flash.h"
#include "kvforge/params/reshape_and_cache_flash_ggml.h"
#include "kvforge/params/reshape_and_cache_flash_layers.h"
#include "kvforge/params/reshape_and_cache_flash_nvfp4.h"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/params/rope_and_cache_flash.h"
#include "kvforge/params/swap_blocks.h"
#include "kvforge/params/swap_blocks_batch.h"
#include "kvforge/params/update_kv_scales.h"
#include "kvforge/params/zero_blocks.h"

#endif
