/* Copying pages, of layers whose addresses lie in device memory. */
#include "shim.h"

static struct CUstream_st *stream_of(int64_t number) {
  return (struct CUstream_st *)(uintptr_t)number; /* NOLINT: as callers have it */
}

static void copy(void *const addresses[2], const int64_t *block_mapping, int32_t num_layers,
                 int32_t num_pairs, const int64_t bytes[2], int64_t stream) {
  static const char *const names[] = {"key_cache_ptrs", "value_cache_ptrs"};
  const int64_t work = num_layers > 0 && num_pairs > 0;
  kvf_shim shim = kvf_shim_begin(&kvf_op_copy_blocks, work, stream_of(stream));
  kvf_check *check = &shim.check;
  kvf_launch_at_least(check, "num_layers", num_layers, 0);
  kvf_launch_at_least(check, "num_pairs", num_pairs, 0);
  kvf_launch_at_least(check, "numel_per_block_key", bytes[0], 0);
  kvf_launch_at_least(check, "numel_per_block_value", bytes[1], 0);
  for (int i = 0; i < 2; ++i) {
    const int64_t size = num_layers * (int64_t)sizeof(void *);
    (void)kvf_shim_items(&shim, names[i], addresses[i], bytes[i] > 0 ? size : 0);
  }
  const kvf_variant *variant = NULL;
  if (check->status == KVF_OK) {
    variant = kvf_select(check->op, KVF_CUDA, KVF_B8);
    check->status = kvf_select_status(check->op, KVF_CUDA, KVF_B8);
  }
  for (int i = 0; check->status == KVF_OK && i < 2; ++i) {
    const kvf_copy_blocks_params params = {
        .pages = {.blocks = {.data = block_mapping,
                             .stride = {2, 1},
                             .size = num_pairs,
                             .index_bytes = sizeof *block_mapping},
                  /* As many as there are addresses: nothing else is known. */
                  .num_blocks = bytes[i] > 0 ? (INT64_C(1) << 47) / bytes[i] : 0,
                  .page_bytes = bytes[i],
                  .num_caches = num_layers,
                  .counted = i,
                  .addresses = addresses[i]},
    };
    if (bytes[i] > 0 && work > 0) {
      check->status = kvf_launch_copy_blocks(&check->exec, variant, &params);
    }
  }
  kvf_shim_end(check->status);
}

#define COPY_BLOCKS(suffix, bytes)                                                                 \
  void copy_blocks_##suffix(void *key_cache_ptrs, void *value_cache_ptrs, int64_t *block_mapping,  \
                            int32_t num_layers, int32_t num_pairs, int32_t numel_per_block_key,    \
                            int32_t numel_per_block_value, int64_t stream) {                       \
    copy((void *const[]){key_cache_ptrs, value_cache_ptrs}, block_mapping, num_layers, num_pairs,  \
         (const int64_t[]){(int64_t)numel_per_block_key * (bytes),                                 \
                           (int64_t)numel_per_block_value * (bytes)},                              \
         stream);                                                                                  \
  }

COPY_BLOCKS(bf16, 2)
COPY_BLOCKS(f16, 2)
COPY_BLOCKS(f32, 4)
COPY_BLOCKS(u8, 1)
