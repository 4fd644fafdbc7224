/* The two caches of MLA: writing and reading. */
#include "shim.h"

static const char *const caches[] = {"ckv_cache", "kpe_cache"};

void concat_and_cache_mla(void *ckv, void *k_pe, void *ckv_cache, void *kpe_cache,
                          int64_t *slot_mapping, int32_t num_tokens, int32_t kv_lora_rank,
                          int32_t kpe_head_dim, int32_t block_size, int32_t ckv_stride,
                          int32_t kpe_stride, struct CUstream_st *stream, uint32_t dtype) {
  kvf_shim shim = kvf_shim_begin(&kvf_op_concat_and_cache_mla, num_tokens, stream);
  const kvf_variant *variant = kvf_shim_variant(&shim, "dtype", dtype, dtype);
  const int64_t pages[] = {(int64_t)block_size * kv_lora_rank, (int64_t)block_size * kpe_head_dim};
  kvf_concat_and_cache_mla_params params = {
      .kv_c = {ckv, {ckv_stride, 1}},
      .k_pe = {k_pe, {kpe_stride, 1}},
      .kv_cache = {ckv_cache, {pages[0], kv_lora_rank, 1}},
      .kpe_cache = {kpe_cache, {pages[1], kpe_head_dim, 1}},
      .slots = kvf_shim_slots(slot_mapping, num_tokens, block_size),
      .kv_lora_rank = kv_lora_rank,
      .rope_dim = kpe_head_dim,
  };
  params.slots.num_blocks =
      kvf_shim_pages(&shim, variant, caches, (const void *[]){ckv_cache, kpe_cache}, pages);
  kvf_shim_end(shim.check.status == KVF_OK
                   ? kvf_launch_concat_and_cache_mla(&shim.check.exec, variant, &params)
                   : shim.check.status);
}

/* As many sequences as the memory of both tables holds: nothing else tells. */
static int64_t find_sequences(kvf_shim *shim, const int32_t *block_table, int32_t stride,
                              const int32_t *cu_seq_lens) {
  const int64_t starts = kvf_shim_items(shim, "cu_seq_lens", cu_seq_lens, sizeof *cu_seq_lens) - 1;
  const int64_t rows = kvf_shim_items(shim, "block_table", block_table,
                                      (int64_t)stride * (int64_t)sizeof *block_table);
  return starts < rows ? starts : rows;
}

void gather_mla_cache(void *ckv_cache, void *kpe_cache, void *ckv_out, void *kpe_out,
                      int32_t *block_table, int32_t *cu_seq_lens, int32_t *token_to_seq,
                      int32_t num_tokens, int32_t block_size, int32_t block_table_stride,
                      int32_t kv_lora_rank, int32_t kpe_head_dim, struct CUstream_st *stream,
                      uint32_t dtype) {
  kvf_shim shim = kvf_shim_begin(&kvf_op_gather_and_maybe_dequant_cache, num_tokens, stream);
  const kvf_variant *variant = kvf_shim_variant(&shim, "dtype", dtype, dtype);
  const struct {
    void *cache, *out;
    int32_t size;
  } sides[] = {{ckv_cache, ckv_out, kv_lora_rank}, {kpe_cache, kpe_out, kpe_head_dim}};
  const int64_t pages[] = {(int64_t)block_size * kv_lora_rank, (int64_t)block_size * kpe_head_dim};
  kvf_block_table table =
      kvf_shim_table(block_table, block_table_stride, cu_seq_lens, 0, block_size);
  table.num_blocks =
      kvf_shim_pages(&shim, variant, caches, (const void *[]){ckv_cache, kpe_cache}, pages);
  if (num_tokens > 0) {
    kvf_launch_pointer(&shim.check, "token_to_seq", token_to_seq);
    kvf_launch_at_least(&shim.check, "block_table_stride", block_table_stride, 1);
    table.num_sequences = find_sequences(&shim, block_table, block_table_stride, cu_seq_lens);
  }
  kvf_status status = shim.check.status;
  for (int i = 0; status == KVF_OK && i < 2; ++i) {
    const kvf_gather_and_maybe_dequant_cache_params params = {
        .src_cache = {sides[i].cache, {pages[i], sides[i].size}},
        .dst = {sides[i].out, {sides[i].size}},
        .table = table,
        .num_rows = num_tokens,
        .entry_size = sides[i].size,
        .token_to_seq = token_to_seq,
    };
    status = kvf_launch_gather_and_maybe_dequant_cache(&shim.check.exec, variant, &params);
  }
  kvf_shim_end(status);
}
