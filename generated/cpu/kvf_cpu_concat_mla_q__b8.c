/*
 * Generated from templates/cpu/concat_mla_q.c.j2 and generator/spec/concat_mla_q.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/concat_mla_q.h"

void KVF_CPU_SYMBOL(kvf_cpu_concat_mla_q__b8)(const void *params, int64_t begin, int64_t end);

/* Rows [begin, end); a row is one head of one token. */
void KVF_CPU_SYMBOL(kvf_cpu_concat_mla_q__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_concat_mla_q_params *p = params;
  int64_t token = begin / p->num_heads;
  int64_t head = begin - token * p->num_heads;
  for (int64_t row = begin; row < end; ++row) {
    const uint8_t *ql_nope = (const uint8_t *)p->ql_nope.data + token * p->ql_nope.stride[0] +
                             head * p->ql_nope.stride[1];
    const uint8_t *q_pe =
        (const uint8_t *)p->q_pe.data + token * p->q_pe.stride[0] + head * p->q_pe.stride[1];
    uint8_t *q_out =
        (uint8_t *)p->q_out.data + token * p->q_out.stride[0] + head * p->q_out.stride[1];
    kvf_store_row(q_out, ql_nope, p->nope_bytes, p->streaming);
    kvf_store_row(q_out + p->nope_bytes, q_pe, p->rope_bytes, p->streaming);
    if (++head == p->num_heads) {
      head = 0;
      ++token;
    }
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
