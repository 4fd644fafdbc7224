/*
 * Generated from templates/cpu/swap_blocks_batch.c.j2 and generator/spec/swap_blocks_batch.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_pages.h"
#include "kvforge/params/swap_blocks_batch.h"

/* An element of a vector of addresses or sizes. */
static int64_t at(const kvf_view *vector, int64_t i) {
  return kvf_index_at(vector->data, 8, i * vector->stride[0]);
}

void KVF_CPU_SYMBOL(kvf_cpu_swap_blocks_batch__b8)(const void *params, int64_t begin, int64_t end);

/* Copies [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_swap_blocks_batch__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_swap_blocks_batch_params *p = params;
  for (int64_t i = begin; i < end; ++i) {
    void *to = (void *)(uintptr_t)at(&p->dst_ptrs, i);
    const void *from = (const void *)(uintptr_t)at(&p->src_ptrs, i);
    const int64_t bytes = at(&p->sizes, i);
    if (bytes > 0 && from != NULL && to != NULL && from != to) {
      kvf_store_row(to, from, bytes, p->streaming);
    }
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
