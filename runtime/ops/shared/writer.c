#include "ops/shared/writer.h"

#include <inttypes.h>

#include "ops/shared/arithmetic.h"
#include "ops/shared/cache_dtype.h"

kvf_dtype kvf_check_sources(kvf_check *check, const DLTensor *key, const DLTensor *value,
                            const DLTensor *slot_mapping, const kvf_writer *writer,
                            kvf_dim *num_heads, kvf_dim *key_size, kvf_dim *value_size) {
  kvf_dim key_rows = KVF_DIM("num_rows");
  kvf_dim value_rows = KVF_DIM("num_rows");
  const kvf_dtype scalar = kvf_check_dtype(check, "key", key, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(check, "key", key, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&key_rows, num_heads, key_size}, writer->key);
  kvf_check_tensor(check, "value", value, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&value_rows, num_heads, value_size}, writer->value);
  kvf_check_slots(check, "slot_mapping", slot_mapping, writer->slots);
  kvf_check_rows(check, "key", &key_rows, "slot_mapping", writer->slots);
  kvf_check_rows(check, "value", &value_rows, "slot_mapping", writer->slots);
  return scalar;
}

void kvf_check_row_size(kvf_check *check, const char *argument, const kvf_dim *num_heads,
                        const kvf_dim *head_size) {
  int32_t elements = 0;
  if (check->status == KVF_OK &&
      __builtin_mul_overflow(num_heads->value, head_size->value, &elements)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "a row has %" PRId64 " x %" PRId64 " elements, want less than 2^31",
                   num_heads->value, head_size->value);
  }
}

static void launch_scales(kvf_check *check, const char *member, const kvf_writer *writer,
                          kvf_view *scales, float *value) {
  if (value != NULL) {
    kvf_launch_scales_or_value(check, member, scales, value, *writer->num_heads);
  } else {
    kvf_launch_scales(check, member, scales, *writer->num_heads);
  }
}

const kvf_variant *kvf_check_writer(kvf_check *check, const kvf_writer_arguments *arguments,
                                    const kvf_writer *writer, kvf_dim *num_heads,
                                    kvf_dim *head_size, kvf_dim *value_head_size) {
  const kvf_dtype scalar =
      kvf_check_sources(check, arguments->key, arguments->value, arguments->slot_mapping, writer,
                        num_heads, head_size, value_head_size);
  kvf_check_remap(check, arguments->slot_remap, writer->slots);
  kvf_check_scale(check, "k_scale", arguments->k_scale, num_heads, writer->k_scale);
  kvf_check_scale(check, "v_scale", arguments->v_scale, num_heads, writer->v_scale);
  kvf_check_row_size(check, "key", num_heads, head_size);
  kvf_check_row_size(check, "value", num_heads, value_head_size);
  if (check->status != KVF_OK) {
    return NULL;
  }
  *writer->num_heads = (int32_t)num_heads->value;
  *writer->head_size = (int32_t)head_size->value;
  if (writer->value_head_size != NULL) {
    *writer->value_head_size = (int32_t)value_head_size->value;
  }
  return kvf_check_variant(check, arguments->kv_cache_dtype, scalar);
}

static int32_t value_size_of(const kvf_writer *writer) {
  return *(writer->value_head_size != NULL ? writer->value_head_size : writer->head_size);
}

static void launch_size(kvf_check *check, const char *member, int32_t size,
                        const kvf_writer *writer) {
  int32_t elements = 0;
  if (__builtin_mul_overflow(size, *writer->num_heads, &elements)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member,
                   "a token has %d x %d elements, want less than 2^31", *writer->num_heads, size);
  }
}

/* A number of the params that is 0 or more. */
static void launch_number(kvf_check *check, const char *member, int32_t number) {
  if (number < 0) {
    kvf_launch_at_least(check, member, number, 0);
  }
}

/* A tensor of which elements are moved has an address. */
static void launch_side(kvf_check *check, const char *member, const kvf_view *view, bool moved) {
  if (moved && view->data == NULL) {
    kvf_launch_pointer(check, member, view->data);
  }
}

bool kvf_launch_writer(kvf_check *check, const kvf_variant *variant, const kvf_writer *writer,
                       const kvf_view *key_cache, const kvf_view *value_cache) {
  kvf_launch_slots(check, "slot_mapping", writer->slots);
  launch_number(check, "num_heads", *writer->num_heads);
  launch_number(check, "head_size", *writer->head_size);
  launch_number(check, "value_head_size", value_size_of(writer));
  if (check->status != KVF_OK || writer->slots->num_tokens == 0 || *writer->num_heads == 0 ||
      (*writer->head_size == 0 && value_size_of(writer) == 0)) {
    return false;
  }
  const int32_t key_size = *writer->head_size;
  const int32_t value_size = value_size_of(writer);
  const bool pages = writer->slots->num_blocks > 0;
  launch_size(check, "head_size", key_size, writer);
  launch_size(check, "value_head_size", value_size, writer);
  launch_side(check, "key", writer->key, key_size > 0);
  launch_side(check, "value", writer->value, value_size > 0);
  launch_side(check, "key_cache", key_cache, key_size > 0 && pages);
  launch_side(check, "value_cache", value_cache, value_size > 0 && pages);
  if (writer->k_scale != NULL && kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    launch_scales(check, "k_scale", writer, writer->k_scale, writer->k_scale_value);
    launch_scales(check, "v_scale", writer, writer->v_scale, writer->v_scale_value);
  }
  return check->status == KVF_OK;
}

kvf_status kvf_run_writer(const kvf_check *check, const kvf_variant *variant, const void *params,
                          const kvf_writer *writer, int64_t layers) {
  const int64_t elements =
      *writer->num_heads * ((int64_t)*writer->head_size + value_size_of(writer));
  const int64_t read = elements * kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t written = elements * kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int64_t tokens = layers * writer->slots->num_tokens;
  /* Converting is slower than memory, so only copies gain from it. */
  *writer->streaming =
      kvf_scalar_of(variant) == kvf_cache_of(variant) && kvf_cpu_streams(written * tokens);
  return kvf_cpu_run(check, variant, params, tokens, read + written);
}

void kvf_join_heads(const kvf_writer *writer, const kvf_view *key_cache,
                    const kvf_view *value_cache) {
  const int64_t size = *writer->head_size;
  const int64_t value_size = value_size_of(writer);
  if (writer->k_scale->stride[0] == 0 && writer->v_scale->stride[0] == 0 &&
      kvf_is_product(writer->key->stride[1], size, writer->key->stride[2]) &&
      kvf_is_product(writer->value->stride[1], value_size, writer->value->stride[2]) &&
      kvf_is_product(key_cache->stride[2], size, key_cache->stride[3]) &&
      kvf_is_product(value_cache->stride[2], value_size, value_cache->stride[3])) {
    *writer->head_size *= *writer->num_heads;
    if (writer->value_head_size != NULL) {
      *writer->value_head_size *= *writer->num_heads;
    }
    *writer->num_heads = 1;
  }
}

/* The logarithm of the least power of two that is not below a number. */
static int32_t log_up(int64_t number) {
  return number > 1 ? 64 - __builtin_clzll((uint64_t)number - 1) : 0;
}

/* Of a number by one that is nearly always a power of two. */
static int64_t divide_up(int64_t a, uint32_t b) {
  return (b & (b - 1)) == 0 ? (a + b - 1) >> __builtin_ctz(b) : (a + b - 1) / b;
}

kvf_grid kvf_writer_grid(const kvf_check *check, int64_t num_tokens, int64_t vectors,
                         int32_t layers) {
  const uint32_t threads = (uint32_t)*kvf_tuned_values(check, num_tokens);
  const int32_t log_x = log_up(vectors < threads ? vectors : threads);
  const uint32_t x = 1u << log_x;
  const uint32_t y = threads >> log_x;
  const int64_t columns = (vectors + x - 1) >> log_x;
  return (kvf_grid){
      .grid = {(uint32_t)divide_up(num_tokens, y), (uint32_t)(columns < 65535 ? columns : 65535),
               (uint32_t)layers},
      .block = {x, y, 1},
  };
}

int64_t kvf_writer_vectors(const kvf_variant *variant, const kvf_writer *writer, int64_t layers,
                           const kvf_vector_side keys[2], const kvf_vector_side values[2],
                           int32_t *elements) {
  const int32_t value_size = value_size_of(writer);
  const int64_t row = *writer->num_heads * ((int64_t)*writer->head_size + value_size);
  const int32_t *widths = kvf_vector_widths(
      variant,
      kvf_saturating_product(layers, kvf_saturating_product(writer->slots->num_tokens, row)));
  const int32_t of_key = kvf_vector_elements(widths, *writer->head_size, keys, 2);
  const int32_t of_value = kvf_vector_elements(widths, value_size, values, 2);
  *elements = of_key < of_value ? of_key : of_value;
  const int32_t longest = *writer->head_size > value_size ? *writer->head_size : value_size;
  return (int64_t)*writer->num_heads * (longest >> __builtin_ctz((unsigned)*elements));
}
