/*
 * Generated from templates/cpu/hisparse_gather_compact.c.j2 and
 * generator/spec/hisparse_gather_compact.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/hisparse_gather_compact.h"

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

void KVF_CPU_SYMBOL(kvf_cpu_hisparse_gather_compact__b8)(const void *params, int64_t begin,
                                                         int64_t end);

/* Entries [begin, end) of the lists of all requests. */
void KVF_CPU_SYMBOL(kvf_cpu_hisparse_gather_compact__b8)(const void *params, int64_t begin,
                                                         int64_t end) {
  const kvf_hisparse_gather_compact_params *p = params;
  for (int64_t entry = begin; entry < end; ++entry) {
    const int64_t row = kvf_divide(entry, p->by_num_columns);
    const int64_t column = entry - row * p->num_columns;
    if (column < kvf_index_at(p->miss_counts.data, 4, row * p->miss_counts.stride[0])) {
      const int64_t *global = p->miss_global_indices.stride;
      const int64_t *hot = p->miss_hot_indices.stride;
      load_row(&p->rows,
               kvf_index_at(p->miss_global_indices.data, 4, row * global[0] + column * global[1]),
               kvf_index_at(p->miss_hot_indices.data, 4, row * hot[0] + column * hot[1]));
    }
  }
}
