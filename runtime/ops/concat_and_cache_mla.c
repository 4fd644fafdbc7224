#include <inttypes.h>

#include "kvforge/cache/ds_mla.h"
#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/cache_dtype.h"
#include "ops/shared/mla.h"
#include "ops/shared/narrow.h"

#define OP (&kvf_op_concat_and_cache_mla)

/* Bytes of a row of a row format; 0 for plain caches. */
static int64_t row_bytes(kvf_dtype cache) {
  switch (cache) {
  case KVF_FP8_DS_MLA:
  case KVF_FP8_DS_MLA_F32:
    return KVF_FP8_DS_MLA_BYTES;
  case KVF_NVFP4_DS_MLA:
    return KVF_NVFP4_DS_MLA_BYTES;
  default:
    return 0;
  }
}

/* The rows of a format hold both parts. */
static void check_joint(kvf_check *check, kvf_dtype cache, bool is_split) {
  if (check->status == KVF_OK && is_split) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "kpe_cache",
                   "got a tensor, want None (a row of %s holds k_pe, too)", kvf_dtype_name(cache));
  }
}

static void check_size(kvf_check *check, kvf_dtype cache, const char *argument, const char *name,
                       int64_t value, int64_t want) {
  if (check->status == KVF_OK && value != want) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "%s is %" PRId64 ", want %" PRId64 " (a row of %s)", name, value, want,
                   kvf_dtype_name(cache));
  }
}

/* Rows of fp8_ds_mla may lack the rope part. */
static void check_rope(kvf_check *check, kvf_dtype cache, const char *argument, const char *name,
                       int64_t value) {
  if (cache == KVF_NVFP4_DS_MLA) {
    check_size(check, cache, argument, name, value, KVF_DS_MLA_ROPE);
  } else if (check->status == KVF_OK && value != 0 && value != KVF_DS_MLA_ROPE) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "%s is %" PRId64 ", want %d or 0 (a row of %s)", name, value, KVF_DS_MLA_ROPE,
                   kvf_dtype_name(cache));
  }
}

kvf_status kvf_concat_and_cache_mla(const kvf_exec *exec, const DLTensor *kv_c,
                                    const DLTensor *k_pe, DLTensor *kv_cache,
                                    const DLTensor *slot_mapping, const char *kv_cache_dtype,
                                    const DLTensor *scale, bool skip_scale, DLTensor *kpe_cache,
                                    const DLTensor *kpe_scale, const DLTensor *slot_remap) {
  kvf_concat_and_cache_mla_params params = {.kv_lora_rank = 0};
  kvf_dim kv_c_rows = KVF_DIM("num_rows");
  kvf_dim k_pe_rows = KVF_DIM("num_rows");
  kvf_dim kv_lora_rank = KVF_DIM("kv_lora_rank");
  kvf_dim rope_dim = KVF_DIM("rope_dim");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "kv_c", kv_c, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "kv_c", kv_c, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&kv_c_rows, &kv_lora_rank}, &params.kv_c);
  kvf_check_tensor(&check, "k_pe", k_pe, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&k_pe_rows, &rope_dim}, &params.k_pe);
  kvf_check_slots(&check, "slot_mapping", slot_mapping, &params.slots);
  kvf_check_remap(&check, slot_remap, &params.slots);
  kvf_check_rows(&check, "kv_c", &kv_c_rows, "slot_mapping", &params.slots);
  kvf_check_rows(&check, "k_pe", &k_pe_rows, "slot_mapping", &params.slots);
  if (!skip_scale) {
    kvf_check_one_scale(&check, "scale", scale, &params.scale);
  }
  if (!skip_scale && kpe_scale != NULL) {
    kvf_check_one_scale(&check, "kpe_scale", kpe_scale, &params.kpe_scale);
  }
  kvf_check_mla_sizes(&check, &kv_lora_rank, &rope_dim, &params.kv_lora_rank, &params.rope_dim);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  const int64_t bytes = row_bytes(kvf_cache_of(variant));
  kvf_dim row = {"kv_lora_rank + rope_dim", kv_lora_rank.value + rope_dim.value, "kv_c and k_pe"};
  if (kpe_cache != NULL) {
    row = kv_lora_rank;
  }
  if (bytes != 0) {
    check_joint(&check, kvf_cache_of(variant), kpe_cache != NULL);
    row = (kvf_dim){"bytes of a row", bytes, kvf_dtype_name(kvf_cache_of(variant))};
    check_size(&check, kvf_cache_of(variant), "kv_c", "size of dimension 1 (kv_lora_rank)",
               kv_lora_rank.value, KVF_DS_MLA_LATENT);
    check_rope(&check, kvf_cache_of(variant), "k_pe", "size of dimension 1 (rope_dim)",
               rope_dim.value);
  }
  kvf_check_tensor(&check, "kv_cache", kv_cache, KVF_ACCEPT(kvf_cache_of(variant)), 3,
                   (kvf_dim *const[]){&num_blocks, &block_size, &row}, &params.kv_cache);
  if (kpe_cache != NULL) {
    kvf_check_tensor(&check, "kpe_cache", kpe_cache, KVF_ACCEPT(kvf_cache_of(variant)), 3,
                     (kvf_dim *const[]){&num_blocks, &block_size, &rope_dim}, &params.kpe_cache);
  }
  kvf_check_apart(&check, (const kvf_named[]){{"kv_cache", kv_cache}, {"kpe_cache", kpe_cache}}, 2,
                  (const kvf_named[]){{"kv_c", kv_c}, {"k_pe", k_pe}}, 2);
  kvf_check_apart(&check, (const kvf_named[]){{"kv_cache", kv_cache}}, 1,
                  (const kvf_named[]){{"kpe_cache", kpe_cache}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.skip_scale = skip_scale;
  return kvf_launch_concat_and_cache_mla(&check.exec, variant, &params);
}

/* Where k_pe goes, and its scale, when they have no place of their own. */
static void fill_joint(kvf_concat_and_cache_mla_params *params, kvf_dtype cache) {
  if (params->kpe_cache.data == NULL) {
    const int64_t behind = kvf_wrapping_product(
        params->kv_lora_rank * (int64_t)(kvf_dtype_bits(cache) / 8), params->kv_cache.stride[2]);
    params->kpe_cache = params->kv_cache;
    /* Of a cache without pages this is an alignment and nothing else. */
    params->kpe_cache.data = (void *)((uintptr_t)params->kv_cache.data + (uintptr_t)behind);
  }
  if (params->kpe_scale.data == NULL) {
    params->kpe_scale = params->scale;
  }
}

/* A warp for each token of a row format; the CUDA template counts on it. */
static kvf_grid format_grid(const kvf_check *check, int64_t tokens) {
  enum { WARP = 32, WARPS = 1 /* position of a tuned constant */ };
  const int32_t warps = kvf_tuned_values(check, tokens)[WARPS];
  return (kvf_grid){
      .grid = {(uint32_t)((tokens + warps - 1) / warps), 1, 1},
      .block = {WARP, (uint32_t)warps, 1},
  };
}

/* Both parts of a row as the sides of a narrow write, if there is such a form. */
static bool fit_narrow(const kvf_variant *variant, kvf_concat_and_cache_mla_params *params,
                       int32_t scalar, int32_t cache) {
  const bool copies = kvf_scalar_of(variant) == kvf_cache_of(variant);
  const int32_t vector = params->vector_elements;
  const kvf_narrow_rows rows[] = {
      {&params->kv_c, &params->kv_cache, copies ? NULL : &params->scale,
       params->kv_lora_rank / vector},
      {&params->k_pe, &params->kpe_cache, copies ? NULL : &params->kpe_scale,
       params->rope_dim / vector},
  };
  return (copies || !params->skip_scale) && params->kv_lora_rank >= params->rope_dim &&
         kvf_narrow_fit(variant, &params->slots, rows, scalar, cache, vector, &params->narrow);
}

static kvf_status run_on_cuda(const kvf_check *check, const kvf_variant *variant,
                              kvf_concat_and_cache_mla_params *params) {
  const int64_t tokens = params->slots.num_tokens;
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const kvf_vector_side sides[] = {{&params->kv_c, scalar, 1, 2},
                                   {&params->k_pe, scalar, 1, 2},
                                   {&params->kv_cache, cache, 2, 3},
                                   {&params->kpe_cache, cache, 2, 3}};
  if (row_bytes(kvf_cache_of(variant)) != 0) {
    params->narrow = (kvf_narrow_write){.num_rows = 0};
    const int32_t choices[] = {16, 1};
    params->vector_elements = kvf_vector_elements(choices, KVF_DS_MLA_LATENT, sides, 3); /* joint */
    const kvf_grid grid = format_grid(check, tokens);
    return kvf_cuda_run(check, variant, params, &grid);
  }
  /* Vectors are powers of two, so one divides both parts if it divides their bitwise or. */
  const int64_t elements = (int64_t)params->kv_lora_rank + params->rope_dim;
  const int32_t *widths = kvf_vector_widths(variant, elements * tokens);
  params->vector_elements =
      kvf_vector_elements(widths, params->kv_lora_rank | params->rope_dim, sides, 4);
  /* A thread for each vector of kv_c, which has the one of k_pe beside it, or for several of both.
   */
  const int64_t vectors = params->kv_lora_rank / params->vector_elements;
  const int64_t bytes = (int64_t)params->kv_lora_rank * scalar;
  const bool each = bytes <= KVF_NARROW_BYTES && tokens <= KVF_NARROW_BYTES &&
                    bytes * tokens <= KVF_NARROW_BYTES &&
                    fit_narrow(variant, params, scalar, cache);
  if (!each) {
    params->narrow = (kvf_narrow_write){.num_rows = 0};
  }
  const int64_t lanes = each ? vectors
                        : widths == variant->vectors
                            ? kvf_lanes(elements, params->vector_elements, scalar)
                            : elements / params->vector_elements;
  const kvf_grid grid = kvf_token_grid(check, lanes, tokens);
  return kvf_cuda_run(check, variant, params, &grid);
}

kvf_status kvf_launch_concat_and_cache_mla(const kvf_exec *exec, const kvf_variant *variant,
                                           const kvf_concat_and_cache_mla_params *given) {
  kvf_concat_and_cache_mla_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_slots(&check, "slot_mapping", &params.slots);
  kvf_launch_mla_sizes(&check, params.slots.num_tokens, params.kv_lora_rank, params.rope_dim);
  const int64_t bytes = check.status == KVF_OK ? row_bytes(kvf_cache_of(variant)) : 0;
  if (bytes != 0) {
    check_joint(&check, kvf_cache_of(variant), params.kpe_cache.data != NULL);
    check_size(&check, kvf_cache_of(variant), "kv_lora_rank", "size", params.kv_lora_rank,
               KVF_DS_MLA_LATENT);
    check_rope(&check, kvf_cache_of(variant), "rope_dim", "size", params.rope_dim);
    check_size(&check, kvf_cache_of(variant), "kv_cache", "stride of dimension 2",
               params.kv_cache.stride[2], 1);
  }
  const int64_t elements = (int64_t)params.kv_lora_rank + params.rope_dim;
  const int64_t tokens = params.slots.num_tokens;
  if (check.status != KVF_OK || tokens == 0 || elements == 0) {
    return check.status;
  }
  kvf_mla_fill_empty(params.kv_lora_rank, &params.kv_c, params.rope_dim, &params.k_pe);
  if (params.kpe_cache.data != NULL) {
    kvf_mla_fill_empty(params.kv_lora_rank, &params.kv_cache, params.rope_dim, &params.kpe_cache);
  }
  kvf_launch_pointer(&check, "kv_c", params.kv_c.data);
  kvf_launch_pointer(&check, "k_pe", params.k_pe.data);
  if (params.slots.num_blocks > 0) {
    kvf_launch_pointer(&check, "kv_cache", params.kv_cache.data);
  }
  if (kvf_scalar_of(variant) != kvf_cache_of(variant) && bytes == 0 && !params.skip_scale) {
    kvf_launch_scales(&check, "scale", &(kvf_view){.data = params.scale.data}, 1);
    if (params.kpe_scale.data != NULL) {
      kvf_launch_scales(&check, "kpe_scale", &(kvf_view){.data = params.kpe_scale.data}, 1);
    }
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  fill_joint(&params, kvf_cache_of(variant));
  if (check.exec.backend == KVF_CUDA) {
    return run_on_cuda(&check, variant, &params);
  }
  const int64_t read = elements * kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t written = bytes != 0 ? bytes : elements * kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  /* Converting is slower than memory, so only copies gain from it. */
  params.streaming =
      kvf_scalar_of(variant) == kvf_cache_of(variant) && kvf_cpu_streams(written * tokens);
  params.rows_ahead = *kvf_tuned_values(&check, tokens);
  return kvf_cpu_run(&check, variant, &params, tokens, read + written);
}
