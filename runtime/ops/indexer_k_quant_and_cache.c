#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "core/error.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/indexer.h"
#include "ops/shared/narrow.h"
#include "kvforge/cache/op.h"

#define OP (&kvf_op_indexer_k_quant_and_cache)

/* kv_cache_dtype is the format of the scales here; callers name plain ones by that of the codes. */
static const struct {
  const char *string;
  kvf_dtype cache;
} formats[] = {
    {"auto", KVF_FP8_INDEXER},
    {"fp8", KVF_FP8_INDEXER},
    {"fp8_e4m3", KVF_FP8_INDEXER},
    {"ue8m0", KVF_FP8_INDEXER_UE8M0},
    {"mxfp8", KVF_FP8_INDEXER_MXFP8},
    {"fp8_indexer", KVF_FP8_INDEXER},
    {"fp8_indexer_ue8m0", KVF_FP8_INDEXER_UE8M0},
    {"fp8_indexer_mxfp8", KVF_FP8_INDEXER_MXFP8},
};
enum { NUM_FORMATS = sizeof formats / sizeof *formats };

static kvf_dtype find_format(const char *string) {
  for (size_t i = 0; string != NULL && i < NUM_FORMATS; ++i) {
    if (strcmp(string, formats[i].string) == 0) {
      return formats[i].cache;
    }
  }
  return KVF_DTYPE_NONE;
}

static const kvf_variant *check_variant(kvf_check *check, const char *kv_cache_dtype,
                                        kvf_dtype scalar) {
  const kvf_dtype cache = find_format(kv_cache_dtype);
  if (check->status == KVF_OK && cache == KVF_DTYPE_NONE) {
    kvf_text wanted = {.length = 0};
    for (size_t i = 0; i < NUM_FORMATS; ++i) {
      kvf_text_add(&wanted, formats[i].string);
    }
    kvf_check_fail(check, KVF_INVALID_VALUE, "kv_cache_dtype", "got %s%.200s%s, want one of %s",
                   kv_cache_dtype ? "'" : "", kv_cache_dtype ? kv_cache_dtype : "NULL",
                   kv_cache_dtype ? "'" : "", wanted.data);
  }
  if (check->status != KVF_OK) {
    return NULL;
  }
  const kvf_variant *variant = kvf_select(OP, check->exec.backend, scalar, cache);
  if (variant == NULL) {
    check->status = kvf_select_status(OP, check->exec.backend, scalar, cache);
  }
  return variant;
}

static void check_group(kvf_check *check, const char *argument, int64_t group, int64_t head_dim) {
  if (check->status == KVF_OK &&
      (group < 1 || (group & (group - 1)) != 0 || head_dim % group != 0)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "got %" PRId64 ", want a power of two that divides %" PRId64 " (head_dim)",
                   group, head_dim);
  }
}

kvf_status kvf_indexer_k_quant_and_cache(const kvf_exec *exec, const DLTensor *k,
                                         DLTensor *kv_cache, const DLTensor *slot_mapping,
                                         int64_t quant_block_size, const char *kv_cache_dtype,
                                         const DLTensor *slot_remap) {
  kvf_indexer_k_quant_and_cache_params params = {.head_dim = 0};
  kvf_dim rows = KVF_DIM("num_rows");
  kvf_dim head_dim = KVF_DIM("head_dim");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_dtype scalar = kvf_check_dtype(&check, "k", k, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "k", k, KVF_ACCEPT(scalar), 2, (kvf_dim *const[]){&rows, &head_dim},
                   &params.k);
  kvf_check_slots(&check, "slot_mapping", slot_mapping, &params.slots);
  kvf_check_remap(&check, slot_remap, &params.slots);
  kvf_check_rows(&check, "k", &rows, "slot_mapping", &params.slots);
  if (check.status == KVF_OK && head_dim.value > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "k",
                   "a row has %" PRId64 " elements, want less than 2^31", head_dim.value);
  }
  check_group(&check, "quant_block_size", quant_block_size, head_dim.value);
  const kvf_variant *variant = check_variant(&check, kv_cache_dtype, scalar);
  if (variant == NULL) {
    return check.status;
  }
  kvf_check_indexer_pages(&check, kv_cache, head_dim.value, head_dim.value / quant_block_size,
                          &num_blocks, &block_size, &params.kv_cache);
  kvf_check_apart(&check, (const kvf_named[]){{"kv_cache", kv_cache}}, 1,
                  (const kvf_named[]){{"k", k}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.slots.num_blocks = num_blocks.value;
  params.slots.block_size = block_size.value;
  params.head_dim = (int32_t)head_dim.value;
  params.group_size = (int32_t)quant_block_size;
  return kvf_launch_indexer_k_quant_and_cache(&check.exec, variant, &params);
}

enum { WARP = 32 };

/* Whether a token is one group of the launch, of small numbers: a kernel has its short way for it,
 * and reads of the params what this puts in place of the views. */
static void fit_narrow(kvf_indexer_k_quant_and_cache_params *p, int32_t scalar) {
  typedef kvf_indexer_k_quant_and_cache_params params;
  _Static_assert(offsetof(params, k) == 0 && sizeof(kvf_narrow_keys) == 2 * sizeof(kvf_view) &&
                     offsetof(params, kv_cache) == sizeof(kvf_view),
                 "in their place");
  const kvf_slots *slots = &p->slots;
  const int64_t block_size = slots->block_size;
  kvf_narrow_keys keys;
  const bool fits = p->group_size == p->head_dim && p->vector_elements > 1 &&
                    p->vector_elements << p->lane_bits == p->group_size &&
                    (p->vector_elements > 4 || 1 << p->lane_bits == WARP) && slots->remap == NULL &&
                    p->scales_aligned && (block_size & (block_size - 1)) == 0 &&
                    block_size <= INT32_MAX / (p->head_dim + 4) &&
                    slots->num_tokens <= INT32_MAX >> p->lane_bits && slots->num_blocks > 0 &&
                    slots->num_blocks * block_size <= INT32_MAX &&
                    kvf_narrow_stride(p->k.stride[0], scalar, &keys.from_stride) &&
                    kvf_narrow_stride(slots->stride, slots->index_bytes, &keys.mapping_stride);
  if (!fits) {
    p->k.stride[KVF_MAX_RANK - 1] = 0; /* no mark, whatever the caller has there */
    return;
  }
  keys.from = p->k.data;
  keys.mapping = slots->mapping;
  keys.num_rows = (uint32_t)slots->num_tokens;
  keys.num_slots = (uint32_t)(slots->num_blocks * block_size);
  keys.index_bytes = (uint8_t)slots->index_bytes;
  keys.lane_bits = (uint8_t)p->lane_bits;
  keys.vector_elements = (uint8_t)p->vector_elements;
  keys.shift = (uint8_t)slots->by_block_size.shift;
  keys.within = (uint32_t)block_size - 1;
  keys.mark = KVF_NARROW_KEYS;
  keys.to = p->kv_cache.data;
  keys.page_stride = p->kv_cache.stride[0];
  keys.faults = slots->faults;
  keys.head_dim = (uint32_t)p->head_dim;
  keys.scales_at = (uint32_t)(block_size * p->head_dim);
  keys.nothing[0] = keys.nothing[1] = 0;
  memcpy(&p->k, &keys, sizeof keys);
}

kvf_status kvf_launch_indexer_k_quant_and_cache(const kvf_exec *exec, const kvf_variant *variant,
                                                const kvf_indexer_k_quant_and_cache_params *given) {
  kvf_indexer_k_quant_and_cache_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "head_dim", params.head_dim, 0);
  check_group(&check, "group_size", params.group_size, params.head_dim);
  kvf_launch_slots(&check, "slot_mapping", &params.slots);
  if (check.status != KVF_OK || params.slots.num_tokens == 0 || params.head_dim == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "k", params.k.data);
  if (params.slots.num_blocks > 0) {
    kvf_launch_pointer(&check, "kv_cache", params.kv_cache.data);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t groups = params.head_dim / params.group_size;
  const int32_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  params.by_groups = kvf_make_divider(groups);
  if (check.exec.backend == KVF_CPU) {
    params.rows_ahead = *kvf_tuned_values(&check, params.slots.num_tokens);
    return kvf_cpu_run(&check, variant, &params, params.slots.num_tokens,
                       (int64_t)params.head_dim * (scalar + 1) + 4 * groups);
  }
  const kvf_view row = kvf_indexer_page_row(&params.kv_cache);
  const kvf_vector_side sides[] = {{&params.k, scalar, 1, 2}, {&row, 1, 1, 2}};
  enum { THREADS, WIDE_FROM }; /* positions of tuned constants */
  const int32_t *tuned = kvf_tuned_values(&check, params.slots.num_tokens);
  const int64_t all = params.slots.num_tokens * groups;
  /* Few threads wait for a result most of the time, so each is given less to make. */
  const bool few = all * (params.group_size / *variant->vectors) < tuned[WIDE_FROM];
  params.vector_elements = kvf_vector_elements(variant->vectors + few, params.group_size, sides, 2);
  while (params.vector_elements << params.lane_bits < params.group_size &&
         1 << params.lane_bits < WARP) {
    ++params.lane_bits;
  }
  params.scales_aligned =
      kvf_indexer_scales_aligned(&params.kv_cache, params.slots.block_size, params.head_dim);
  fit_narrow(&params, scalar);
  const int64_t threads = all << params.lane_bits;
  const kvf_grid grid = {
      .grid = {(uint32_t)((threads + tuned[THREADS] - 1) / tuned[THREADS]), 1, 1},
      .block = {(uint32_t)tuned[THREADS], 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
