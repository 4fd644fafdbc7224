#include <inttypes.h>

#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/index.h"
#include "ops/shared/mla.h"

#define OP (&kvf_op_concat_and_cache_mla_rope_fused)

/* Work items of a token are counted in 32 bits. */
static void check_token_size(kvf_check *check, const char *argument, int64_t num_heads,
                             int64_t rope_dim, int64_t kv_lora_rank) {
  int64_t elements = 0;
  if (check->status == KVF_OK && (__builtin_mul_overflow(num_heads, rope_dim, &elements) ||
                                  elements > INT32_MAX - kv_lora_rank - rope_dim)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a token has %" PRId64 " x %" PRId64 " elements, want less than 2^31 with those "
                   "of its key",
                   num_heads, rope_dim);
  }
}

static void check_even(kvf_check *check, const char *argument, int64_t rope_dim) {
  if (check->status == KVF_OK && rope_dim % 2 != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "rope_dim is %" PRId64 ", want an even number", rope_dim);
  }
}

kvf_status kvf_concat_and_cache_mla_rope_fused(const kvf_exec *exec, const DLTensor *positions,
                                               DLTensor *q_pe, DLTensor *k_pe, const DLTensor *kv_c,
                                               const DLTensor *cos_sin_cache, bool is_neox,
                                               const DLTensor *slot_mapping, DLTensor *kv_cache,
                                               const char *kv_cache_dtype,
                                               const DLTensor *kv_cache_scale, bool rotate_skipped,
                                               const DLTensor *slot_remap) {
  kvf_concat_and_cache_mla_rope_fused_params params = {.is_neox = is_neox,
                                                       .rotate_skipped = rotate_skipped};
  kvf_dim num_given = KVF_DIM("num_tokens"); /* of positions */
  kvf_dim num_rows = KVF_DIM("num_rows");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim rope_dim = KVF_DIM("rope_dim");
  kvf_dim kv_lora_rank = KVF_DIM("kv_lora_rank");
  kvf_dim num_positions = KVF_DIM("num_positions");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_tensor(&check, "positions", positions, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 1,
                   (kvf_dim *const[]){&num_given}, &params.positions);
  kvf_dtype scalar = KVF_DTYPE_NONE;
  if (check.status == KVF_OK) {
    scalar = kvf_check_dtype(&check, "q_pe", q_pe, KVF_ACCEPT_FLOATS);
  }
  kvf_check_tensor(&check, "q_pe", q_pe, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_rows, &num_heads, &rope_dim}, &params.q_pe);
  kvf_check_tensor(&check, "k_pe", k_pe, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&num_rows, &rope_dim}, &params.k_pe);
  kvf_check_tensor(&check, "kv_c", kv_c, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&num_rows, &kv_lora_rank}, &params.kv_c);
  kvf_check_tensor(&check, "cos_sin_cache", cos_sin_cache, KVF_ACCEPT(scalar) | KVF_ACCEPT(KVF_F32),
                   2, (kvf_dim *const[]){&num_positions, &rope_dim}, &params.cos_sin_cache);
  kvf_check_slots(&check, "slot_mapping", slot_mapping, &params.slots);
  kvf_check_remap(&check, slot_remap, &params.slots);
  kvf_check_rows(&check, "positions", &num_given, "slot_mapping", &params.slots);
  kvf_check_rows(&check, "q_pe", &num_rows, "slot_mapping", &params.slots);
  kvf_check_one_scale(&check, "kv_cache_scale", kv_cache_scale, &params.kv_cache_scale);
  check_even(&check, "q_pe", rope_dim.value);
  kvf_check_mla_sizes(&check, &kv_lora_rank, &rope_dim, &params.kv_lora_rank, &params.rope_dim);
  check_token_size(&check, "q_pe", num_heads.value, rope_dim.value, kv_lora_rank.value);
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  kvf_dim row = {"kv_lora_rank + rope_dim", kv_lora_rank.value + rope_dim.value, "kv_c and k_pe"};
  kvf_check_tensor(&check, "kv_cache", kv_cache, KVF_ACCEPT(kvf_cache_of(variant)), 3,
                   (kvf_dim *const[]){&num_blocks, &block_size, &row}, &params.kv_cache);
  kvf_check_apart(&check,
                  (const kvf_named[]){{"q_pe", q_pe}, {"k_pe", k_pe}, {"kv_cache", kv_cache}}, 3,
                  (const kvf_named[]){{"kv_c", kv_c}, {"cos_sin_cache", cos_sin_cache}}, 2);
  kvf_check_apart(&check, (const kvf_named[]){{"kv_cache", kv_cache}}, 1,
                  (const kvf_named[]){{"q_pe", q_pe}, {"k_pe", k_pe}}, 2);
  kvf_check_apart(&check, (const kvf_named[]){{"q_pe", q_pe}}, 1,
                  (const kvf_named[]){{"k_pe", k_pe}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.position_bytes = positions->dtype.bits / 8;
  params.num_positions = num_positions.value;
  params.f32_angles = scalar != KVF_F32 && cos_sin_cache->dtype.bits == 32;
  params.num_heads =
      num_heads.value > INT32_MAX ? 0 : (int32_t)num_heads.value; /* of no elements */
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  return kvf_launch_concat_and_cache_mla_rope_fused(&check.exec, variant, &params);
}

/* On the CPU, positions are looked at before anything is written, but for those of skipped tokens.
 */
static void check_positions(kvf_check *check,
                            const kvf_concat_and_cache_mla_rope_fused_params *params) {
  const kvf_view *positions = &params->positions;
  const kvf_slots *slots = &params->slots;
  for (int64_t token = 0; token < slots->num_tokens; ++token) {
    if (!params->rotate_skipped &&
        kvf_read_index(slots->mapping, slots->index_bytes, token * slots->stride) < 0) {
      continue;
    }
    const int64_t position =
        kvf_read_index(positions->data, params->position_bytes, token * positions->stride[0]);
    if (position < 0 || position >= params->num_positions) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "positions",
                     "element %" PRId64 " is %" PRId64 ", want 0 to %" PRId64
                     " (the rows of cos_sin_cache)",
                     token, position, params->num_positions - 1);
      return;
    }
  }
}

static void check_pointers(kvf_check *check, const kvf_variant *variant,
                           const kvf_concat_and_cache_mla_rope_fused_params *params) {
  kvf_launch_pointer(check, "positions", params->positions.data);
  kvf_launch_pointer(check, "kv_c", params->kv_c.data);
  kvf_launch_pointer(check, "k_pe", params->k_pe.data);
  if (params->rope_dim > 0 && params->num_heads > 0) {
    kvf_launch_pointer(check, "q_pe", params->q_pe.data);
  }
  if (params->rope_dim > 0 && params->num_positions > 0) {
    kvf_launch_pointer(check, "cos_sin_cache", params->cos_sin_cache.data);
  }
  if (params->slots.num_blocks > 0) {
    kvf_launch_pointer(check, "kv_cache", params->kv_cache.data);
  }
  if (kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_launch_scales(check, "kv_cache_scale", &(kvf_view){.data = params->kv_cache_scale.data}, 1);
  }
}

static kvf_status run_on_cuda(const kvf_check *check, const kvf_variant *variant,
                              kvf_concat_and_cache_mla_rope_fused_params *params) {
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const kvf_vector_side latent[] = {{&params->kv_c, scalar, 1, 2},
                                    {&params->kv_cache, cache, 2, 3}};
  params->vector_elements = kvf_vector_elements(variant->vectors, params->kv_lora_rank, latent, 2);
  /* Keys go behind kv_c. Of a cache without pages this is an alignment and nothing else. */
  kvf_view keys = params->kv_cache;
  keys.data =
      (void *)((uintptr_t)keys.data + (uintptr_t)kvf_wrapping_product(
                                          params->kv_lora_rank * (int64_t)cache, keys.stride[2]));
  const kvf_vector_side rotated[] = {
      {&params->q_pe, scalar, 2, 3},
      {&params->k_pe, scalar, 1, 2},
      {&params->cos_sin_cache, params->f32_angles ? 4 : scalar, 1, 2},
      {&keys, cache, 2, 3}};
  const int32_t choices[] = {16 / scalar, 1};
  params->vector_pairs = kvf_vector_elements(choices, params->rope_dim / 2, rotated, 4);
  if (kvf_vector_elements(choices, params->kv_lora_rank, latent, 2) == 1) {
    params->vector_pairs = 1; /* all goes in vectors, or pairs go one by one */
  }
  /* A thread moves two vectors, or rotates a pair. */
  const int64_t rotations =
      ((int64_t)params->num_heads + 1) * (params->rope_dim / 2 / params->vector_pairs);
  const int64_t latents = params->vector_pairs > 1
                              ? (params->kv_lora_rank / params->vector_pairs + 1) / 2
                              : params->kv_lora_rank / params->vector_elements;
  /* Where there are enough tokens for all of a GPU, a thread has two of those. */
  const bool has_two = params->vector_pairs > 1 && params->slots.num_tokens > 1024;
  const int64_t lanes = has_two ? (rotations + latents + 1) / 2 : rotations + latents;
  const kvf_grid grid = kvf_token_grid(check, lanes, params->slots.num_tokens);
  return kvf_cuda_run(check, variant, params, &grid);
}

kvf_status kvf_launch_concat_and_cache_mla_rope_fused(
    const kvf_exec *exec, const kvf_variant *variant,
    const kvf_concat_and_cache_mla_rope_fused_params *given) {
  kvf_concat_and_cache_mla_rope_fused_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_slots(&check, "slot_mapping", &params.slots);
  kvf_launch_mla_sizes(&check, params.slots.num_tokens, params.kv_lora_rank, params.rope_dim);
  kvf_launch_at_least(&check, "num_heads", params.num_heads, 0);
  kvf_launch_at_least(&check, "num_positions", params.num_positions, 0);
  check_even(&check, "rope_dim", params.rope_dim);
  check_token_size(&check, "num_heads", params.num_heads, params.rope_dim, params.kv_lora_rank);
  kvf_launch_index_bytes(&check, "position_bytes", params.position_bytes);
  const int64_t elements = (int64_t)params.kv_lora_rank + params.rope_dim;
  const int64_t tokens = params.slots.num_tokens;
  if (check.status != KVF_OK || tokens == 0 || elements == 0) {
    return check.status;
  }
  kvf_mla_fill_empty(params.kv_lora_rank, &params.kv_c, params.rope_dim, &params.k_pe);
  check_pointers(&check, variant, &params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CUDA) {
    return run_on_cuda(&check, variant, &params);
  }
  check_positions(&check, &params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t written = elements * kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int64_t queries = 2 * (int64_t)params.num_heads * params.rope_dim * scalar;
  params.streaming =
      kvf_scalar_of(variant) == kvf_cache_of(variant) && kvf_cpu_streams(written * tokens);
  params.rows_ahead = *kvf_tuned_values(&check, tokens);
  return kvf_cpu_run(&check, variant, &params, tokens,
                     queries + elements * scalar + 2 * params.rope_dim * scalar + written);
}
