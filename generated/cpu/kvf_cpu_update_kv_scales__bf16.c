/*
 * Generated from templates/cpu/update_kv_scales.c.j2 and generator/spec/update_kv_scales.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/update_kv_scales.h"
#include "kvforge/cpu_largest.h"

/* As runtime/ops/update_kv_scales.c divides rows. */
enum { PIECE = 4096 };

/* The largest magnitude of a row, NaNs left out, as the bits of a float. `stride` is the source's,
 * in elements. */
static uint32_t largest_of(const uint16_t *source, int64_t stride, int64_t count) {
  if (stride == 1) {
    return kvf_largest_bf16(source, count);
  }
  uint32_t largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint32_t number = kvf_magnitude(kvf_f32_from_bf16(source[i * stride]));
    largest = number > largest ? number : largest;
  }
  return largest;
}

/* Others may raise it at the same time. Signed integers are in the order of the floats from 0 on.
 */
static void raise(int32_t *scale, uint32_t largest, float divisor) {
  const int32_t bits = (int32_t)kvf_bits(kvf_float(largest) / divisor);
  int32_t held = __atomic_load_n(scale, __ATOMIC_RELAXED);
  while (
      bits > 0 && held < bits &&
      !__atomic_compare_exchange_n(scale, &held, bits, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_update_kv_scales__bf16)(const void *params, int64_t begin, int64_t end);

/* Pieces [begin, end) of all rows, those of keys first. */
void KVF_CPU_SYMBOL(kvf_cpu_update_kv_scales__bf16)(const void *params, int64_t begin,
                                                    int64_t end) {
  const kvf_update_kv_scales_params *p = params;
  const kvf_view *const sources[] = {&p->key, &p->value};
  const int64_t of_keys = p->rows[0] * p->by_units[0].value;
  uint32_t largest[2] = {0, 0};
  for (int64_t unit = begin; unit < end; ++unit) {
    const int32_t side = unit >= of_keys;
    const int64_t piece = unit - (side ? of_keys : 0);
    const kvf_view *source = sources[side];
    const int64_t row = kvf_divide(piece, p->by_units[side]);
    const int64_t token = kvf_divide(row, p->by_heads[side]);
    const int64_t first = (piece - row * p->by_units[side].value) * PIECE;
    const int64_t rest = p->size[side] - first;
    const uint16_t *from = (const uint16_t *)source->data + token * source->stride[0] +
                           (row - token * p->heads[side]) * source->stride[1] +
                           first * source->stride[2];
    const uint32_t found = largest_of(from, source->stride[2], rest < PIECE ? rest : PIECE);
    largest[side] = found > largest[side] ? found : largest[side];
  }
  raise(p->k_scale.data, largest[0], p->divisor);
  raise(p->v_scale.data, largest[1], p->divisor);
}
