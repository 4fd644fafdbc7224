/*
 * Generated from templates/table/op.h.j2 and generator/spec/reshape_and_cache_flash_ggml.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_GGML_H
#define KVFORGE_OPS_RESHAPE_AND_CACHE_FLASH_GGML_H

#include "kvforge/kvforge.h"
#include "kvforge/params/reshape_and_cache_flash_ggml.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::reshape_and_cache_flash_ggml: scatters keys and values into pages of ggml's q8_0 or
 * q4_0 rows.
 *
 * With s = slot_mapping[t], block = s div block_size, offset = s mod block_size,
 *   key_cache[block, offset, h, :] = row(key[t, h, :])
 * and the same for values. A row has a block for every 32 elements: a scale d of f16, and codes.
 * With amax = max |v| and m the first v of that magnitude, all arithmetic f32, id = 1 / df, or 0 if
 * df is 0:
 *   q8_0  df = amax / 127, code = v * id rounded, halves away from 0; 32 bytes of codes
 *   q4_0  df = m / -8, code = min(15, floor(v * id + 8.5)); byte i is code[i] | code[i + 16] << 4
 * Codes are made with df, d is df rounded to f16, infinite where f16 has no such number. A reader
 * takes code * d, or (code - 8) * d. NaNs do not count for amax and m; their code is that of 0.
 *
 * Where the heads of a token lie one behind another, a token is a row of ggml's K cache, and of its
 * V cache with flash attention. Tokens with a negative slot are skipped. The number of tokens is
 * the length of slot_mapping; key and value may have more rows (graph padding), which are not read.
 * Zero tokens are a successful no-op. Two tokens with one slot race.
 *
 * Errors: KVF_INVALID_VALUE for a head size that is no multiple of 32; KVF_OUT_OF_RANGE for a slot
 * beyond num_blocks * block_size (CPU: before anything is written; CUDA: that token is skipped and
 * counted, see kvf_cuda_fault_count).
 * Source of the rule: quantize_row_q8_0_ref and quantize_row_q4_0_ref of llama.cpp. Its vector code
 * rounds halves of q8_0 to even.
 * Elsewhere: llama.cpp quantize_row_q8_0 and quantize_row_q4_0.
 *
 * Arguments:
 *   key (Tensor): [num_rows >= num_tokens, num_heads, head_size], f32, f16 or bf16, any strides
 *   value (Tensor): [num_rows >= num_tokens, num_heads, value_head_size], as key otherwise
 *   key_cache (Tensor!): [num_blocks, block_size, num_heads, head_size / 32 * 34] for q8_0, * 18
 *       for q4_0, uint8, any strides but 1 in the last dimension
 *   value_cache (Tensor!): [num_blocks, block_size, num_heads, value_head_size / 32 * 34] for q8_0,
 *       * 18 for q4_0, uint8, any strides but 1 in the last dimension
 *   slot_mapping (Tensor): [num_tokens], int64 or int32, any stride; a negative slot skips its
 *       token
 *   kv_cache_dtype (str): 'q8_0' or 'q4_0'
 *   slot_remap (Tensor?): [size], int64 or int32, any stride; a slot s of slot_mapping is one of
 *       another pool, of `size` slots, and the page slot is slot_remap[s], a negative one of which
 *       writes nothing either; one from `size` on is out of range; None: slots are page slots
 */
KVF_API kvf_status kvf_reshape_and_cache_flash_ggml(const kvf_exec *exec, const DLTensor *key,
                                                    const DLTensor *value, DLTensor *key_cache,
                                                    DLTensor *value_cache,
                                                    const DLTensor *slot_mapping,
                                                    const char *kv_cache_dtype,
                                                    const DLTensor *slot_remap);
KVF_API kvf_status
kvf_launch_reshape_and_cache_flash_ggml(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_reshape_and_cache_flash_ggml_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_reshape_and_cache_flash_ggml;

#ifdef __cplusplus
}
#endif

#endif
