/*
 * libkvforge_compat: kvforge's kernels under the names and signatures that engines have in C today,
 * those of mistral.rs (mistralrs-paged-attn) and attention.rs. Linked in place of their object
 * files, with libkvforge beside it.
 *
 * Conventions that hold for every function:
 *   - CUDA only. Pointers are addresses in device memory unless they are said to be the host's;
 *     the device is the one whose memory the first cache lies in.
 *   - `stream` is a CUstream of that device. A call enqueues, and neither allocates nor waits, so
 *     it can be captured in a CUDA graph.
 *   - dtype is 0 for f16, 1 for bf16, 2 for f32; cache_dtype is dtype, or 3 for fp8 e4m3.
 *   - Nothing is returned, and nothing ends the process. A call that cannot be made does nothing:
 *     kvf_compat_status() has the status of the calling thread's latest call of a function below
 *     and kvf_last_error() a sentence for it, which begins with the name of the op that does the
 *     work.
 *   - No signature says how many pages there are. Slots and block tables are bounded by the memory
 *     that the driver has allocated at a cache's address: one beyond it is skipped and counted,
 *     see kvf_cuda_fault_count(). A negative slot skips its token.
 *   - Strides are in elements; 0 tokens are a successful no-op, whatever the pointers are.
 *   - Thread safety: any function may be called from any thread at any time.
 *
 * What is written is what the op of the named line writes (kvforge/ops.h): a cache of dtype holds
 * the bits; fp8 is element / scale, rounded to nearest even, saturated; reading multiplies.
 * Source of the signatures: mistral.rs, mid-2026.
 */
#ifndef KVFORGE_COMPAT_H
#define KVFORGE_COMPAT_H

#include "kvforge/kvforge.h"

#ifdef __cplusplus
extern "C" {
#endif

struct CUstream_st; /* CUstream, equally cudaStream_t, points to one */

/* KVF_OK, or why the calling thread's latest call did nothing; KVF_OK before the first one. */
KVF_API kvf_status kvf_compat_status(void);

/* ---- writing
 * ------------------------------------------------------------------------------------- */

/*
 * kvf_reshape_and_cache(). key and value: [num_tokens, num_heads, head_size], tokens key_stride and
 * value_stride apart. key_cache: [num_blocks, num_heads, ceil(head_size / x), block_size, x],
 * value_cache: [num_blocks, num_heads, head_size, block_size]. k_scale, v_scale: one element each,
 * not read unless the cache is fp8.
 */
KVF_API void reshape_and_cache(void *key, void *value, void *key_cache, void *value_cache,
                               int64_t *slot_mapping, int32_t num_tokens, int32_t num_heads,
                               int32_t head_size, int32_t block_size, int32_t x, int32_t key_stride,
                               int32_t value_stride, struct CUstream_st *stream, uint32_t dtype,
                               uint32_t cache_dtype, float *k_scale, float *v_scale);

/*
 * kvf_reshape_and_cache_flash(). The same for caches of [num_blocks, num_heads, block_size,
 * head_size], as mistral.rs has them, with scales by value. With KVFORGE_COMPAT_PAGES=nhd in the
 * environment (read once) pages have tokens first, [num_blocks, block_size, num_heads, head_size].
 */
KVF_API void reshape_and_cache_flashinfer(void *key, void *value, void *key_cache,
                                          void *value_cache, int64_t *slot_mapping,
                                          int32_t num_tokens, int32_t num_heads, int32_t head_size,
                                          int32_t block_size, int32_t key_stride,
                                          int32_t value_stride, float k_scale, float v_scale,
                                          uint32_t dtype, uint32_t cache_dtype,
                                          struct CUstream_st *stream);

/*
 * kvf_concat_and_cache_mla() with a kpe_cache. ckv: [num_tokens, kv_lora_rank], k_pe: [num_tokens,
 * kpe_head_dim], tokens ckv_stride and kpe_stride apart; ckv_cache: [num_blocks, block_size,
 * kv_lora_rank], kpe_cache: [num_blocks, block_size, kpe_head_dim], both of dtype.
 */
KVF_API void concat_and_cache_mla(void *ckv, void *k_pe, void *ckv_cache, void *kpe_cache,
                                  int64_t *slot_mapping, int32_t num_tokens, int32_t kv_lora_rank,
                                  int32_t kpe_head_dim, int32_t block_size, int32_t ckv_stride,
                                  int32_t kpe_stride, struct CUstream_st *stream, uint32_t dtype);

/*
 * Copies pages: kvf_copy_blocks(), once for keys and once for values. key_cache_ptrs and
 * value_cache_ptrs: num_layers addresses each, in device memory; block_mapping: num_pairs sources
 * and targets. Page b of a cache begins b * numel_per_block elements behind its address. `stream`
 * is a CUstream as a number. Pairs take effect in the order of the list; a pair with a negative
 * block is skipped. Nothing tells how many pages there are: block numbers are the caller's to get
 * right. The suffix is the size of an element: f16 and bf16 2 bytes, f32 4, u8 1.
 */
#define KVF_COMPAT_COPY_BLOCKS(suffix)                                                             \
  KVF_API void copy_blocks_##suffix(void *key_cache_ptrs, void *value_cache_ptrs,                  \
                                    int64_t *block_mapping, int32_t num_layers, int32_t num_pairs, \
                                    int32_t numel_per_block_key, int32_t numel_per_block_value,    \
                                    int64_t stream)
KVF_COMPAT_COPY_BLOCKS(bf16);
KVF_COMPAT_COPY_BLOCKS(f16);
KVF_COMPAT_COPY_BLOCKS(f32);
KVF_COMPAT_COPY_BLOCKS(u8);
#undef KVF_COMPAT_COPY_BLOCKS

/*
 * kvf_update_kv_scales() with its divisor, 240. k, v: `elements` elements of the dtype that the
 * suffix says; k_scales, v_scales: one f32 each, in device memory, which become the largest
 * magnitude of an element / 240 where they are less.
 */
#define KVF_COMPAT_UPDATE_KV_SCALES(suffix)                                                        \
  KVF_API void update_kv_scales_##suffix(void *k, void *v, long elements, float *k_scales,         \
                                         float *v_scales, int64_t stream)
KVF_COMPAT_UPDATE_KV_SCALES(f32);
KVF_COMPAT_UPDATE_KV_SCALES(f16);
KVF_COMPAT_UPDATE_KV_SCALES(bf16);
#undef KVF_COMPAT_UPDATE_KV_SCALES

/* ---- reading
 * ------------------------------------------------------------------------------------- */

/*
 * kvf_gather_kv_cache(). Caches as reshape_and_cache() has them; k_out, v_out: [num_tokens,
 * num_kv_heads, head_size], of out_dtype, which is the caches' unless they are fp8. block_table:
 * [num_seqs, block_table_stride], cu_seq_lens: [num_seqs + 1]. Rows that no sequence has are left
 * as they are. k_scale, v_scale: one element each, not read unless the cache is fp8.
 */
KVF_API void gather_kv_cache(void *key_cache, void *value_cache, void *k_out, void *v_out,
                             float *k_scale, float *v_scale, int32_t *block_table,
                             int32_t *cu_seq_lens, int32_t num_tokens, int32_t num_seqs,
                             int32_t block_size, int32_t block_table_stride, int32_t num_kv_heads,
                             int32_t head_size, int32_t x, struct CUstream_st *stream,
                             uint32_t out_dtype, uint32_t cache_dtype);

/* The same for caches as reshape_and_cache_flashinfer() has them, with scales by value. */
KVF_API void gather_kv_cache_flashinfer(void *key_cache, void *value_cache, void *k_out,
                                        void *v_out, int32_t *block_table, int32_t *cu_seq_lens,
                                        int32_t num_tokens, int32_t num_seqs, int32_t block_size,
                                        int32_t block_table_stride, int32_t num_kv_heads,
                                        int32_t head_size, uint32_t out_dtype, uint32_t cache_dtype,
                                        float k_scale, float v_scale, struct CUstream_st *stream);

/*
 * kvf_gather_and_maybe_dequant_cache(), once for each cache: an error of the driver in the second
 * launch leaves the first on the stream. Caches as concat_and_cache_mla() has
 * them; ckv_out: [num_tokens, kv_lora_rank], kpe_out: [num_tokens, kpe_head_dim]. block_table:
 * [num_seqs, block_table_stride], cu_seq_lens: [num_seqs + 1]; token_to_seq: [num_tokens], the
 * sequence of each row. Nothing tells num_seqs: a row whose token_to_seq is not the sequence that
 * cu_seq_lens gives has any page of the cache, or is skipped.
 */
KVF_API void gather_mla_cache(void *ckv_cache, void *kpe_cache, void *ckv_out, void *kpe_out,
                              int32_t *block_table, int32_t *cu_seq_lens, int32_t *token_to_seq,
                              int32_t num_tokens, int32_t block_size, int32_t block_table_stride,
                              int32_t kv_lora_rank, int32_t kpe_head_dim,
                              struct CUstream_st *stream, uint32_t dtype);

#ifdef __cplusplus
}
#endif

#endif
