/*
 * Generated from templates/cpu/cp_gather_indexer_k_quant_cache.c.j2 and
 * generator/spec/cp_gather_indexer_k_quant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/cp_gather_indexer_k_quant_cache.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cache/indexer.h"

/* Rows that lie one behind another in a page. */
static void copy_rows(const kvf_view *to, int64_t first, int64_t rows, const uint8_t *from,
                      int64_t bytes) {
  uint8_t *out = (uint8_t *)to->data + first * to->stride[0];
  if (to->stride[0] == bytes) {
    memcpy(out, from, (size_t)(rows * bytes));
    return;
  }
  for (int64_t row = 0; row < rows; ++row) {
    memcpy(out + row * to->stride[0], from + row * bytes, (size_t)bytes);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_indexer_k_quant_cache__b8)(const void *params, int64_t begin,
                                                                 int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_cp_gather_indexer_k_quant_cache__b8)(const void *params, int64_t begin,
                                                                 int64_t end) {
  const kvf_cp_gather_indexer_k_quant_cache_params *p = params;
  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0) {
      const uint8_t *page = (const uint8_t *)p->kv_cache.data + block * p->kv_cache.stride[0];
      copy_rows(&p->dst_k, row, rows, page + offset * p->head_dim, p->head_dim);
      copy_rows(&p->dst_scale, row, rows,
                page +
                    kvf_indexer_scales_at(p->table.block_size, p->head_dim, p->num_scales, offset),
                4 * (int64_t)p->num_scales);
    }
    row += rows;
  }
}
