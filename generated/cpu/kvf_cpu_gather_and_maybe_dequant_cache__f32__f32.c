/*
 * Generated from templates/cpu/gather_and_maybe_dequant_cache.c.j2 and
 * generator/spec/gather_and_maybe_dequant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_and_maybe_dequant_cache.h"
#include "kvforge/cache/cpu_decode.h"

/* `rows` rows of one page. */
static void gather_rows(const kvf_gather_and_maybe_dequant_cache_params *p, const float *from,
                        float *to, int64_t rows) {
  const int64_t bytes = p->entry_size * (int64_t)sizeof *to;
  if (p->src_cache.stride[1] == p->entry_size && p->dst.stride[0] == p->entry_size) {
    kvf_store_row(to, from, rows * bytes, p->streaming);
    return;
  }
  for (int64_t i = 0; i < rows; ++i) {
    kvf_store_row(to + i * p->dst.stride[0], from + i * p->src_cache.stride[1], bytes,
                  p->streaming);
  }
}
void KVF_CPU_SYMBOL(kvf_cpu_gather_and_maybe_dequant_cache__f32__f32)(const void *params,
                                                                      int64_t begin, int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_and_maybe_dequant_cache__f32__f32)(const void *params,
                                                                      int64_t begin, int64_t end) {
  const kvf_gather_and_maybe_dequant_cache_params *p = params;

  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0) {
      const float *from = (const float *)p->src_cache.data + block * p->src_cache.stride[0] +
                          offset * p->src_cache.stride[1];
      float *to = (float *)p->dst.data + row * p->dst.stride[0];
      gather_rows(p, from, to, rows);
    }
    row += rows;
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
