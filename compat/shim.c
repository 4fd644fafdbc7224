#include "shim.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

static KVF_PER_THREAD kvf_status latest;

kvf_status kvf_compat_status(void) { return latest; }

void kvf_shim_end(kvf_status status) { latest = status; }

kvf_shim kvf_shim_begin(const kvf_op *op, int64_t num_tokens, struct CUstream_st *stream) {
  const kvf_exec exec = {.backend = KVF_CUDA, .stream = stream};
  return (kvf_shim){kvf_check_begin(op, &exec), num_tokens};
}

/* In the order of their codes. */
static const kvf_dtype dtypes[] = {KVF_F16, KVF_BF16, KVF_F32, KVF_FP8_E4M3};
enum { NUM_SCALARS = 3, FP8 = 3 };

kvf_dtype kvf_shim_dtype(kvf_shim *shim, const char *argument, uint32_t code) {
  if (code < NUM_SCALARS) {
    return dtypes[code];
  }
  kvf_check_fail(&shim->check, KVF_INVALID_TYPE, argument,
                 "got %" PRIu32 ", want 0 (f16), 1 (bf16) or 2 (f32)", code);
  return KVF_DTYPE_NONE;
}

const kvf_variant *kvf_shim_variant(kvf_shim *shim, const char *argument, uint32_t code,
                                    uint32_t cache_code) {
  kvf_check *check = &shim->check;
  const kvf_dtype scalar = kvf_shim_dtype(shim, argument, code);
  if (check->status == KVF_OK && cache_code != code && cache_code != FP8) {
    kvf_check_fail(check, KVF_INVALID_TYPE, "cache_dtype",
                   "got %" PRIu32 ", want %" PRIu32 " (%s, as %s) or %d (fp8_e4m3)", cache_code,
                   code, kvf_dtype_name(scalar), argument, FP8);
  }
  if (check->status != KVF_OK) {
    return NULL;
  }
  const kvf_dtype cache = dtypes[cache_code];
  check->status = kvf_select_status(check->op, KVF_CUDA, scalar, cache);
  return check->status == KVF_OK ? kvf_select(check->op, KVF_CUDA, scalar, cache) : NULL;
}

void kvf_shim_strides(const int64_t *sizes, int32_t count, int64_t *stride) {
  stride[count] = 1;
  for (int32_t i = count - 1; i >= 0; --i) {
    stride[i] = kvf_saturating_product(stride[i + 1], sizes[i] > 0 ? sizes[i] : 0);
  }
}

bool kvf_shim_heads_first(kvf_shim *shim) {
  enum { UNKNOWN, TOKENS, HEADS, NEITHER };
  static const char name[] = "KVFORGE_COMPAT_PAGES";
  static _Atomic(int) known = UNKNOWN;
  int first = atomic_load_explicit(&known, memory_order_relaxed);
  if (first == UNKNOWN) {
    const char *text = getenv(name);
    first = text == NULL || text[0] == '\0' || strcmp(text, "hnd") == 0 ? HEADS
            : strcmp(text, "nhd") == 0                                  ? TOKENS
                                                                        : NEITHER;
    atomic_store_explicit(&known, first, memory_order_relaxed);
  }
  if (first == NEITHER) {
    kvf_check_fail(&shim->check, KVF_INVALID_VALUE, name, "got another word than hnd and nhd");
  }
  return first == HEADS;
}

int64_t kvf_shim_items(kvf_shim *shim, const char *argument, const void *address, int64_t bytes) {
  kvf_check *check = &shim->check;
  int32_t device = 0;
  int64_t there = 0;
  if (check->status != KVF_OK || shim->num_tokens <= 0 || bytes <= 0) {
    return 0;
  }
  check->status = kvf_cuda_find_memory(address, &device, &there);
  if (check->status == KVF_INVALID_VALUE) {
    check->status = KVF_OK;
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "%p is no address in memory that CUDA has allocated", address);
  } else if (check->status == KVF_OK && check->placed_by == NULL) {
    check->placed_by = argument;
    check->exec.device = device;
  } else if (check->status == KVF_OK && check->exec.device != device) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument, "is on cuda:%d, want cuda:%d as %s", device,
                   check->exec.device, check->placed_by);
  }
  if (check->status == KVF_OK && there < bytes) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "memory ends %" PRId64 " bytes behind the address, want %" PRId64
                   " or more (one page or row)",
                   there, bytes);
  }
  return check->status == KVF_OK ? there / bytes : 0;
}

int64_t kvf_shim_pages(kvf_shim *shim, const kvf_variant *variant, const char *const *arguments,
                       const void *const *caches, const int64_t *elements) {
  int64_t least = INT64_MAX;
  for (int i = 0; shim->check.status == KVF_OK && i < 2; ++i) {
    const int64_t bytes = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
    const int64_t pages =
        kvf_shim_items(shim, arguments[i], caches[i], kvf_saturating_product(elements[i], bytes));
    if (elements[i] > 0 && pages < least) {
      least = pages;
    }
  }
  return least < INT64_MAX ? least : 0;
}

void kvf_shim_scales(kvf_shim *shim, const kvf_variant *variant, float k_scale, float v_scale) {
  if (shim->check.status == KVF_OK && shim->num_tokens > 0 &&
      kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    kvf_check_scale_value(&shim->check, "k_scale", (double)k_scale);
    kvf_check_scale_value(&shim->check, "v_scale", (double)v_scale);
  }
}

kvf_slots kvf_shim_slots(const int64_t *slot_mapping, int32_t num_tokens, int32_t block_size) {
  return (kvf_slots){.mapping = slot_mapping,
                     .stride = 1,
                     .index_bytes = sizeof *slot_mapping,
                     .num_tokens = num_tokens,
                     .block_size = block_size};
}

kvf_block_table kvf_shim_table(const int32_t *block_table, int32_t stride,
                               const int32_t *cu_seq_lens, int64_t num_sequences,
                               int32_t block_size) {
  return (kvf_block_table){.entries = block_table,
                           .stride = stride,
                           .starts = cu_seq_lens,
                           .num_sequences = num_sequences,
                           .width = stride,
                           .block_size = block_size,
                           .index_bytes = sizeof *block_table};
}
