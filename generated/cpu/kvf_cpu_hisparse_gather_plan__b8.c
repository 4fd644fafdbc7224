/*
 * Generated from templates/cpu/hisparse_gather_plan.c.j2 and
 * generator/spec/hisparse_gather_plan.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/hisparse_gather_plan.h"

/* Hot row d becomes host row g, or zeros where the pool has no such row. */
static void load_row(const kvf_hot_rows *rows, int64_t g, int64_t d) {
  if (g < 0 || d < 0) {
    return;
  }
  const int64_t block = kvf_divide(d, rows->by_block_size);
  if (block >= rows->num_blocks) {
    return;
  }
  char *to = (char *)rows->hot.data + block * rows->hot.stride[0] +
             (d - block * rows->block_size) * rows->hot.stride[1];
  if (g < rows->num_host_rows) {
    memcpy(to, (const char *)rows->host.data + g * rows->host.stride[0], (size_t)rows->row_bytes);
  } else {
    memset(to, 0, (size_t)rows->row_bytes);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_hisparse_gather_plan__b8)(const void *params, int64_t begin,
                                                      int64_t end);

/* Entries [begin, end) of the plan. */
void KVF_CPU_SYMBOL(kvf_cpu_hisparse_gather_plan__b8)(const void *params, int64_t begin,
                                                      int64_t end) {
  const kvf_hisparse_gather_plan_params *p = params;
  for (int64_t entry = begin; entry < end; ++entry) {
    const int64_t row = kvf_divide(entry, p->by_num_columns);
    const int64_t column = entry - row * p->num_columns;
    const bool padding = p->request_state_indices.data != NULL &&
                         kvf_index_at(p->request_state_indices.data, 4,
                                      row * p->request_state_indices.stride[0]) < 0;
    const int64_t *stride = p->hot_indices.stride;
    const int64_t d = kvf_index_at(p->hot_indices.data, 4, row * stride[0] + column * stride[1]);
    stride = p->miss_mask.stride;
    if (!padding && kvf_index_at(p->miss_mask.data, 4, row * stride[0] + column * stride[1]) != 0) {
      stride = p->global_indices.stride;
      load_row(&p->rows,
               kvf_index_at(p->global_indices.data, 4, row * stride[0] + column * stride[1]), d);
    }
    if (p->attention_indices.data != NULL) {
      const int64_t block = d < 0 ? 0 : kvf_divide(d, p->rows.by_block_size);
      const bool is_there = !padding && d >= 0 && block < p->rows.num_blocks;
      stride = p->attention_indices.stride;
      ((int32_t *)p->attention_indices.data)[row * stride[0] + column * stride[1]] =
          is_there ? (int32_t)(block * p->attention_block_stride + d - block * p->rows.block_size)
                   : -1;
    }
  }
}
