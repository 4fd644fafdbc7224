#include "ops/shared/narrow.h"

static inline bool fit_side(const kvf_slots *slots, const kvf_narrow_rows *rows, int32_t from_bytes,
                            int32_t to_bytes, kvf_narrow_side *side) {
  int64_t of_slots = 0;
  int64_t gap = 0;
  side->from = rows->from->data;
  side->to = rows->to->data;
  side->scale = rows->scale != NULL ? rows->scale->data : NULL;
  side->vectors = (uint32_t)rows->vectors;
  return (rows->scale == NULL || side->scale != NULL) &&
         !__builtin_mul_overflow(slots->block_size, rows->to->stride[1], &of_slots) &&
         !__builtin_sub_overflow(rows->to->stride[0], of_slots, &gap) &&
         kvf_narrow_stride(rows->from->stride[0], from_bytes, &side->from_stride) &&
         kvf_narrow_stride(rows->to->stride[1], to_bytes, &side->to_stride) &&
         kvf_narrow_stride(gap, to_bytes, &side->page_gap);
}

bool kvf_narrow_fit(const kvf_variant *variant, const kvf_slots *slots,
                    const kvf_narrow_rows rows[2], int32_t from_bytes, int32_t to_bytes,
                    int32_t vector_elements, kvf_narrow_write *write) {
  const bool encodes = rows[0].scale != NULL;
  /* Kernels have this path for the widest vectors, and where they encode for the next ones. */
  const bool has_path =
      vector_elements > 1 && (vector_elements == variant->vectors[0] ||
                              (encodes && vector_elements == variant->vectors[1]));
  const bool fits = has_path && slots->remap == NULL && slots->num_tokens <= INT32_MAX &&
                    slots->num_blocks > 0 && slots->num_blocks * slots->block_size <= INT32_MAX &&
                    kvf_narrow_stride(slots->stride, slots->index_bytes, &write->mapping_stride) &&
                    fit_side(slots, &rows[0], from_bytes, to_bytes, &write->first) &&
                    fit_side(slots, &rows[1], from_bytes, to_bytes, &write->second);
  if (!fits) {
    return false;
  }
  write->mapping = slots->mapping;
  write->num_rows = (uint32_t)slots->num_tokens;
  write->num_slots = (uint32_t)(slots->num_blocks * slots->block_size);
  write->magic = kvf_narrow_magic(&slots->by_block_size);
  write->shift = (uint8_t)slots->by_block_size.shift;
  write->index_bytes = (uint8_t)slots->index_bytes;
  write->vector_elements = (uint8_t)vector_elements;
  return true;
}
