#include <inttypes.h>
#include <stdlib.h>

#include "kvforge/cache/op.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/index.h"
#include "ops/shared/mla.h"

#define OP (&kvf_op_concat_and_cache_mla_grouped)

/* [num_layers, num_tokens] */
static void check_slots(kvf_check *check, const DLTensor *tensor, kvf_dim *num_layers,
                        kvf_concat_and_cache_mla_grouped_params *params) {
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_view view;
  kvf_check_tensor(check, "slot_mapping", tensor, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 2,
                   (kvf_dim *const[]){num_layers, &num_tokens}, &view);
  if (check->status == KVF_OK) {
    params->slots.mapping = view.data;
    params->slots.stride = view.stride[1];
    params->slots.index_bytes = tensor->dtype.bits / 8;
    params->slots.num_tokens = num_tokens.value;
    params->slots_layer_stride = view.stride[0];
  }
}

/* Scales go with fp8 caches, and with nothing else. */
static void check_scales(kvf_check *check, const DLTensor *tensor, const kvf_variant *variant,
                         kvf_dim *num_layers, kvf_view *view) {
  if (kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_check_tensor(check, "kv_scales", tensor, KVF_ACCEPT(KVF_F32), 1,
                     (kvf_dim *const[]){num_layers}, view);
  } else if (tensor != NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "kv_scales",
                   "got a tensor, want none (the cache holds %s itself)",
                   kvf_dtype_name(kvf_scalar_of(variant)));
  }
}

/* As many pages as slots and addresses can name, those of elements of 4 bytes too. */
static int64_t most_blocks(int64_t block_size, int64_t block_stride) {
  const int64_t by_slot = INT64_MAX / (block_size > 0 ? block_size : 1);
  if (block_stride == 0 || block_stride == INT64_MIN) {
    return by_slot; /* which is refused */
  }
  const int64_t by_address = INT64_MAX / 4 / llabs(block_stride) + 1;
  return by_slot < by_address ? by_slot : by_address;
}

kvf_status kvf_concat_and_cache_mla_grouped(const kvf_exec *exec, const DLTensor *kv_c,
                                            const DLTensor *k_pe, const DLTensor *kv_cache_ptrs,
                                            const DLTensor *slot_mapping, int64_t block_size,
                                            int64_t block_stride, int64_t entry_stride,
                                            const DLTensor *kv_scales, const char *kv_cache_dtype,
                                            int64_t num_blocks, const DLTensor *slot_remap) {
  kvf_concat_and_cache_mla_grouped_params params = {
      .block_stride = block_stride,
      .entry_stride = entry_stride,
      .slots = {.block_size = block_size},
  };
  kvf_dim num_layers = KVF_DIM("num_layers");
  kvf_dim kv_c_rows = KVF_DIM("num_rows");
  kvf_dim k_pe_rows = KVF_DIM("num_rows");
  kvf_dim kv_lora_rank = KVF_DIM("kv_lora_rank");
  kvf_dim rope_dim = KVF_DIM("rope_dim");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "kv_c", kv_c, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "kv_c", kv_c, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_layers, &kv_c_rows, &kv_lora_rank}, &params.kv_c);
  kvf_check_tensor(&check, "k_pe", k_pe, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_layers, &k_pe_rows, &rope_dim}, &params.k_pe);
  kvf_check_tensor(&check, "kv_cache_ptrs", kv_cache_ptrs, KVF_ACCEPT_INT64, 1,
                   (kvf_dim *const[]){&num_layers}, &params.kv_cache_ptrs);
  check_slots(&check, slot_mapping, &num_layers, &params);
  kvf_check_remap(&check, slot_remap, &params.slots);
  kvf_check_rows(&check, "kv_c", &kv_c_rows, "slot_mapping", &params.slots);
  kvf_check_rows(&check, "k_pe", &k_pe_rows, "slot_mapping", &params.slots);
  kvf_check_mla_sizes(&check, &kv_lora_rank, &rope_dim, &params.kv_lora_rank, &params.rope_dim);
  if (check.status == KVF_OK && num_blocks < -1) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "num_blocks", "got %" PRId64 ", want -1 or more",
                   num_blocks);
  }
  const kvf_variant *variant = kvf_check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  check_scales(&check, kv_scales, variant, &num_layers, &params.kv_scales);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.num_layers = num_layers.value;
  params.slots.num_blocks = num_blocks >= 0 ? num_blocks : most_blocks(block_size, block_stride);
  return kvf_launch_concat_and_cache_mla_grouped(&check.exec, variant, &params);
}

/* On the CPU, slots and addresses are looked at before anything is written. */
static void check_indices(kvf_check *check, const kvf_variant *variant,
                          const kvf_concat_and_cache_mla_grouped_params *params) {
  const kvf_slots *slots = &params->slots;
  const int32_t bytes = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  for (int64_t layer = 0; layer < params->num_layers && check->status == KVF_OK; ++layer) {
    const int64_t base =
        kvf_read_index(params->kv_cache_ptrs.data, 8, layer * params->kv_cache_ptrs.stride[0]);
    if (base == 0 || base % bytes != 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "kv_cache_ptrs",
                     "element %" PRId64 " is %" PRId64
                     ", want an address other than 0, a multiple of %d",
                     layer, base, bytes);
      return;
    }
    for (int64_t token = 0; token < slots->num_tokens && check->status == KVF_OK; ++token) {
      const int64_t at = layer * params->slots_layer_stride + token * slots->stride;
      const int64_t slot = kvf_read_index(slots->mapping, slots->index_bytes, at);
      kvf_launch_slot(check, "slot_mapping", slots, layer, token, slot);
    }
  }
}

static void launch_slots(kvf_check *check, kvf_concat_and_cache_mla_grouped_params *params) {
  kvf_slots *slots = &params->slots;
  const int64_t tokens = slots->num_tokens;
  kvf_launch_at_least(check, "num_tokens", tokens, 0);
  if (tokens > 0) {
    kvf_launch_pointer(check, "slot_mapping", slots->mapping);
  }
  if (check->exec.backend == KVF_CPU) {
    slots->num_tokens = 0; /* check_indices() looks at those of all layers */
  }
  kvf_launch_slots(check, "slot_mapping", slots);
  slots->num_tokens = tokens;
}

/* `count` things so many elements apart. */
static void check_stride(kvf_check *check, const char *member, int64_t stride, int64_t least,
                         int64_t count) {
  int64_t span = 0;
  if (stride < least && stride > -least) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "got %" PRId64 ", want at least %" PRId64 " (kv_lora_rank + rope_dim)", stride,
                   least);
  } else if (count > 1 && __builtin_mul_overflow(stride, count - 1, &span)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "got %" PRId64 " for %" PRId64 " of them, want a product below 2^63", stride,
                   count);
  }
}

static kvf_status run_on_cuda(const kvf_check *check, const kvf_variant *variant,
                              kvf_concat_and_cache_mla_grouped_params *params) {
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  /* The kernel looks at the addresses of the caches. */
  const kvf_view pages = {.stride = {params->block_stride, params->entry_stride, 1}};
  const kvf_vector_side sides[] = {
      {&params->kv_c, scalar, 2, 3}, {&params->k_pe, scalar, 2, 3}, {&pages, cache, 2, 3}};
  /* Vectors are powers of two, so one divides both parts if it divides their bitwise or. */
  params->vector_elements =
      kvf_vector_elements(variant->vectors, params->kv_lora_rank | params->rope_dim, sides, 3);
  const int64_t elements = (int64_t)params->kv_lora_rank + params->rope_dim;
  kvf_grid grid = kvf_token_grid(check, kvf_lanes(elements, params->vector_elements, scalar),
                                 params->slots.num_tokens);
  grid.grid[2] = (uint32_t)(params->num_layers < 65535 ? params->num_layers : 65535);
  return kvf_cuda_run(check, variant, params, &grid);
}

kvf_status
kvf_launch_concat_and_cache_mla_grouped(const kvf_exec *exec, const kvf_variant *variant,
                                        const kvf_concat_and_cache_mla_grouped_params *given) {
  kvf_concat_and_cache_mla_grouped_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  launch_slots(&check, &params);
  kvf_launch_mla_sizes(&check, params.slots.num_tokens, params.kv_lora_rank, params.rope_dim);
  kvf_launch_at_least(&check, "num_layers", params.num_layers, 0);
  const int64_t elements = (int64_t)params.kv_lora_rank + params.rope_dim;
  const int64_t tokens = params.slots.num_tokens;
  check_stride(&check, "block_stride", params.block_stride, elements, params.slots.num_blocks);
  check_stride(&check, "entry_stride", params.entry_stride, elements, params.slots.block_size);
  if (check.status != KVF_OK || tokens == 0 || elements == 0 || params.num_layers == 0) {
    return check.status;
  }
  kvf_mla_fill_empty(params.kv_lora_rank, &params.kv_c, params.rope_dim, &params.k_pe);
  kvf_launch_pointer(&check, "kv_c", params.kv_c.data);
  kvf_launch_pointer(&check, "k_pe", params.k_pe.data);
  kvf_launch_pointer(&check, "kv_cache_ptrs", params.kv_cache_ptrs.data);
  if (kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_launch_scales(&check, "kv_scales", &params.kv_scales, params.num_layers);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CUDA) {
    return run_on_cuda(&check, variant, &params);
  }
  check_indices(&check, variant, &params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t read = elements * kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t written = elements * kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int64_t units = params.num_layers * tokens;
  /* Converting is slower than memory, so only copies gain from it. */
  params.streaming =
      kvf_scalar_of(variant) == kvf_cache_of(variant) && kvf_cpu_streams(written * units);
  params.rows_ahead = *kvf_tuned_values(&check, tokens);
  return kvf_cpu_run(&check, variant, &params, units, read + written);
}
