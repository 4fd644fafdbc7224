/* Reading keys and values. */
#include "layout.h"
#include "shim.h"

static const char *const caches[] = {"key_cache", "value_cache"};

void gather_kv_cache(void *key_cache, void *value_cache, void *k_out, void *v_out, float *k_scale,
                     float *v_scale, int32_t *block_table, int32_t *cu_seq_lens, int32_t num_tokens,
                     int32_t num_seqs, int32_t block_size, int32_t block_table_stride,
                     int32_t num_kv_heads, int32_t head_size, int32_t x, struct CUstream_st *stream,
                     uint32_t out_dtype, uint32_t cache_dtype) {
  kvf_shim shim = kvf_shim_begin(&kvf_op_gather_kv_cache, num_tokens, stream);
  const kvf_variant *variant = kvf_shim_variant(&shim, "out_dtype", out_dtype, cache_dtype);
  const kvf_shim_grouped at = kvf_shim_group(num_kv_heads, head_size, block_size, x);
  const int64_t row = (int64_t)num_kv_heads * head_size;
  kvf_gather_kv_cache_params params = {
      .key_cache = {key_cache, {at.key[0], at.key[3], at.key[1], at.key[2], at.key[4]}},
      .value_cache = {value_cache, {at.value[0], at.value[3], at.value[1], at.value[2]}},
      .key_out = {k_out, {row, head_size}},
      .value_out = {v_out, {row, head_size}},
      .k_scale = {.data = k_scale},
      .v_scale = {.data = v_scale},
      .table = kvf_shim_table(block_table, block_table_stride, cu_seq_lens, num_seqs, block_size),
      .num_rows = num_tokens,
      .num_kv_heads = num_kv_heads,
      .head_size = head_size,
      .value_head_size = head_size,
      .x = x,
  };
  params.table.num_blocks =
      kvf_shim_pages(&shim, variant, caches, (const void *[]){key_cache, value_cache},
                     (const int64_t[]){at.key[0], at.value[0]});
  kvf_shim_end(shim.check.status == KVF_OK
                   ? kvf_launch_gather_kv_cache(&shim.check.exec, variant, &params)
                   : shim.check.status);
}

void gather_kv_cache_flashinfer(void *key_cache, void *value_cache, void *k_out, void *v_out,
                                int32_t *block_table, int32_t *cu_seq_lens, int32_t num_tokens,
                                int32_t num_seqs, int32_t block_size, int32_t block_table_stride,
                                int32_t num_kv_heads, int32_t head_size, uint32_t out_dtype,
                                uint32_t cache_dtype, float k_scale, float v_scale,
                                struct CUstream_st *stream) {
  kvf_shim shim = kvf_shim_begin(&kvf_op_gather_kv_cache, num_tokens, stream);
  const kvf_variant *variant = kvf_shim_variant(&shim, "out_dtype", out_dtype, cache_dtype);
  const kvf_shim_flat at = kvf_shim_flatten(&shim, num_kv_heads, head_size, block_size);
  const int64_t row = (int64_t)num_kv_heads * head_size;
  kvf_gather_kv_cache_params params = {
      .key_cache = {key_cache, {at.page, at.token, at.head, 0, 1}},
      .value_cache = {value_cache, {at.page, at.token, at.head, 1}},
      .key_out = {k_out, {row, head_size}},
      .value_out = {v_out, {row, head_size}},
      .k_scale_value = k_scale,
      .v_scale_value = v_scale,
      .table = kvf_shim_table(block_table, block_table_stride, cu_seq_lens, num_seqs, block_size),
      .num_rows = num_tokens,
      .num_kv_heads = num_kv_heads,
      .head_size = head_size,
      .value_head_size = head_size,
      .x = head_size,
  };
  kvf_shim_scales(&shim, variant, k_scale, v_scale);
  params.table.num_blocks =
      kvf_shim_pages(&shim, variant, caches, (const void *[]){key_cache, value_cache},
                     (const int64_t[]){at.page, at.page});
  kvf_shim_end(shim.check.status == KVF_OK
                   ? kvf_launch_gather_kv_cache(&shim.check.exec, variant, &params)
                   : shim.check.status);
}
