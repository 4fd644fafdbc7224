/*
 * Generated from templates/cpu/merge_attn_states.c.j2 and generator/spec/merge_attn_states.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/merge_attn_states.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cache/merge.h"

/* Elements of a head that are summed at a time. */
enum { CHUNK = 256 };

/* The log-sum-exp of a part; the first is the prefix. */
static float part_lse(const kvf_merge_attn_states_params *p, int64_t part, int64_t token,
                      int64_t head) {
  if (part == 0) {
    const float *lse = (const float *)p->prefix_lse.data;
    return token < p->prefill_tokens
               ? kvf_lse(lse[head * p->prefix_lse.stride[0] + token * p->prefix_lse.stride[1]])
               : KVF_NO_LSE;
  }
  const int64_t *stride = p->suffix_lse.stride;
  return kvf_lse(((const float *)p->suffix_lse
                      .data)[(part - 1) * stride[0] + head * stride[1] + token * stride[2]]);
}

/* The weight of a part next to the largest, whose weight is 1. */
static double weight_of(float lse, float largest, double unit) {
  return lse == largest ? 1.0 : kvf_weight_exp(((double)lse - (double)largest) * unit);
}

static double lse_unit(const kvf_merge_attn_states_params *p) {
  return p->lse_base2 ? KVF_LN_2 : 1.0;
}

/* Fills the weight of every part, -1 for an empty one. */
static kvf_merged weigh(const kvf_merge_attn_states_params *p, int64_t token, int64_t head,
                        float *weights) {
  const double unit = lse_unit(p);
  float largest = KVF_NO_LSE;
  for (int64_t part = 0; part <= p->num_suffixes; ++part) {
    const float lse = part_lse(p, part, token, head);
    largest = lse > largest ? lse : largest;
  }
  double total = 0.0;
  for (int64_t part = 0; part <= p->num_suffixes; ++part) {
    const float lse = part_lse(p, part, token, head);
    if (!kvf_is_empty(lse)) {
      total += weight_of(lse, largest, unit);
    }
  }
  const double inverse = 1.0 / total;
  for (int64_t part = 0; part <= p->num_suffixes; ++part) {
    const float lse = part_lse(p, part, token, head);
    weights[part] = kvf_is_empty(lse) ? -1.0f : (float)(weight_of(lse, largest, unit) * inverse);
  }
  return (kvf_merged){largest, total};
}

/* Up to CHUNK elements of a part, widened. */
static void widen(float *restrict to, const uint16_t *from, int64_t stride, int64_t count) {
  uint16_t row[CHUNK];
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      row[i] = from[i * stride];
    }
    from = row;
  }
  for (int64_t i = 0; i < count; ++i) {
    to[i] = kvf_f32_from_bf16(from[i]);
  }
}

/* The weighted sum of elements [first, first + count) of all parts; 0 when they are empty. */
static void sum_parts(float *restrict sums, const kvf_merge_attn_states_params *p, int64_t token,
                      int64_t head, const float *weights, int64_t first, int64_t count) {
  float wide[CHUNK];
  bool any = false;
  for (int64_t part = 0; part <= p->num_suffixes; ++part) {
    const float weight = weights[part];
    if (weight < 0.0f) {
      continue;
    }
    const kvf_view *view = part == 0 ? &p->prefix_output : &p->suffix_output;
    const int64_t *stride = part == 0 ? view->stride : view->stride + 1;
    const int64_t at = part == 0 ? 0 : (part - 1) * view->stride[0];
    widen(wide,
          (const uint16_t *)view->data + at + token * stride[0] + head * stride[1] +
              first * stride[2],
          stride[2], count);
    if (any) {
      for (int64_t i = 0; i < count; ++i) {
        sums[i] += weight * wide[i];
      }
    } else { /* not added to 0, which would lose the sign of -0 */
      for (int64_t i = 0; i < count; ++i) {
        sums[i] = weight * wide[i];
      }
    }
    any = true;
  }
  if (!any) {
    memset(sums, 0, (size_t)count * sizeof *sums);
  }
}

/* Sums as the output holds them, one behind another. */
static void encode(uint8_t *restrict results, float *restrict sums, int64_t count, float scale) {
  uint32_t words[CHUNK];
  for (int64_t i = 0; i < count; ++i) {
    words[i] = kvf_fp8_e4m3_word_from_f32(sums[i] / scale);
  }
  for (int64_t i = 0; i < count; ++i) {
    results[i] = (uint8_t)words[i];
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_merge_attn_states__bf16__fp8_e4m3)(const void *params, int64_t begin,
                                                               int64_t end);

/* Rows [begin, end); a row is one head of one token. */
void KVF_CPU_SYMBOL(kvf_cpu_merge_attn_states__bf16__fp8_e4m3)(const void *params, int64_t begin,
                                                               int64_t end) {
  const kvf_merge_attn_states_params *p = params;
  const float scale = *(const float *)p->output_scale.data;
  for (int64_t row = begin; row < end; ++row) {
    const int64_t token = row / p->num_heads;
    const int64_t head = row - token * p->num_heads;
    float weights[KVF_MERGE_PARTS];
    const kvf_merged merged = weigh(p, token, head, weights);
    if (p->output_lse.data != NULL) {
      ((float *)
           p->output_lse.data)[head * p->output_lse.stride[0] + token * p->output_lse.stride[1]] =
          kvf_f32_result(kvf_merged_lse(merged, lse_unit(p)));
    }
    uint8_t *to =
        (uint8_t *)p->output.data + token * p->output.stride[0] + head * p->output.stride[1];
    for (int64_t first = 0; first < p->head_size; first += CHUNK) {
      const int64_t count = p->head_size - first < CHUNK ? p->head_size - first : CHUNK;
      float sums[CHUNK];
      uint8_t results[CHUNK];
      sum_parts(sums, p, token, head, weights, first, count);
      encode(results, sums, count, scale);
      if (p->output.stride[2] == 1) {
        kvf_store_row(to + first, results, count * (int64_t)sizeof *results, p->streaming);
        continue;
      }
      for (int64_t i = 0; i < count; ++i) {
        to[(first + i) * p->output.stride[2]] = results[i];
      }
    }
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
