/*
 * Generated from templates/cuda/merge_attn_states.cu.j2 and generator/spec/merge_attn_states.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/merge_attn_states.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/merge.h"

/* The log-sum-exp of a part; the first is the prefix. */
KVF_INLINE float part_lse(const kvf_merge_attn_states_params *p, int64_t part, int64_t token,
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
KVF_INLINE double weight_of(float lse, float largest, double unit) {
  return lse == largest ? 1.0 : kvf_weight_exp(((double)lse - (double)largest) * unit);
}

/* Fills the weight of every part, -1 for an empty one; returns the log-sum-exp of all. */
KVF_INLINE float weigh(const kvf_merge_attn_states_params *p, int64_t token, int64_t head,
                       float *weights) {
  const double unit = p->lse_base2 ? KVF_LN_2 : 1.0;
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
  for (int64_t part = 0; part <= p->num_suffixes; ++part) {
    const float lse = part_lse(p, part, token, head);
    weights[part] = kvf_is_empty(lse) ? -1.0f : (float)(weight_of(lse, largest, unit) / total);
  }
  return total == 0.0 ? KVF_NO_LSE : (float)((double)largest + kvf_weight_log(total) / unit);
}

/* 8 elements. */
struct source_x8 {
  uint32_t v[4];
};

KVF_INLINE source_x8 load_x8(const uint16_t *from) {
  source_x8 source;
  const uint4 part0 = reinterpret_cast<const uint4 *>(from)[0];
  source.v[0] = part0.x;
  source.v[1] = part0.y;
  source.v[2] = part0.z;
  source.v[3] = part0.w;
  return source;
}

/* A vector of a part, widened. */
KVF_INLINE void widen_x8(const source_x8 &source, float *to) {
  const float2 pair0 = kvf_f32x2_from_bf16(source.v[0]);
  to[0] = pair0.x;
  to[1] = pair0.y;
  const float2 pair1 = kvf_f32x2_from_bf16(source.v[1]);
  to[2] = pair1.x;
  to[3] = pair1.y;
  const float2 pair2 = kvf_f32x2_from_bf16(source.v[2]);
  to[4] = pair2.x;
  to[5] = pair2.y;
  const float2 pair3 = kvf_f32x2_from_bf16(source.v[3]);
  to[6] = pair3.x;
  to[7] = pair3.y;
}

/* Sums as the output holds them. */
KVF_INLINE void store_x8(const float *sums, uint16_t *to) {
  *reinterpret_cast<uint4 *>(to) = make_uint4(kvf_bf16x2_result(make_float2(sums[0], sums[1])),
                                              kvf_bf16x2_result(make_float2(sums[2], sums[3])),
                                              kvf_bf16x2_result(make_float2(sums[4], sums[5])),
                                              kvf_bf16x2_result(make_float2(sums[6], sums[7])));
}

/* A row, 8 elements at a time. */
KVF_INLINE void merge_x8(const kvf_merge_attn_states_params &p, int64_t token, int64_t head,
                         const float *weights) {
  const uint16_t *prefix = static_cast<const uint16_t *>(p.prefix_output.data) +
                           token * p.prefix_output.stride[0] + head * p.prefix_output.stride[1];
  const uint16_t *suffix = static_cast<const uint16_t *>(p.suffix_output.data) +
                           token * p.suffix_output.stride[1] + head * p.suffix_output.stride[2];
  uint16_t *to = static_cast<uint16_t *>(p.output.data) + token * p.output.stride[0] +
                 head * p.output.stride[1];
  for (int64_t at = (int64_t)threadIdx.x * 8; at < p.head_size; at += (int64_t)blockDim.x * 8) {
    float sums[8] = {};
    bool any = false;
    for (int64_t part = 0; part <= p.num_suffixes; ++part) {
      const float weight = weights[part];
      if (weight < 0.0f) {
        continue;
      }
      float wide[8];
      widen_x8(load_x8(part == 0 ? prefix + at * p.prefix_output.stride[2]
                                 : suffix + (part - 1) * p.suffix_output.stride[0] +
                                       at * p.suffix_output.stride[3]),
               wide);
      /* The first is not added to 0, which would lose the sign of -0. */
#pragma unroll
      for (int32_t i = 0; i < 8; ++i) {
        sums[i] = any ? sums[i] + weight * wide[i] : weight * wide[i];
      }
      any = true;
    }
    store_x8(sums, to + at * p.output.stride[2]);
  }
}

/* 1 element. */
struct source_x1 {
  uint32_t v[1];
};

KVF_INLINE source_x1 load_x1(const uint16_t *from) {
  source_x1 source;
  source.v[0] = *from;
  return source;
}

/* An element of a part, widened. */
KVF_INLINE void widen_x1(const source_x1 &source, float *to) {
  *to = kvf_f32_from_bf16((uint16_t)source.v[0]);
}

/* Sums as the output holds them. */
KVF_INLINE void store_x1(const float *sums, uint16_t *to) { *to = kvf_bf16_result(*sums); }

/* A row, 1 element at a time. */
KVF_INLINE void merge_x1(const kvf_merge_attn_states_params &p, int64_t token, int64_t head,
                         const float *weights) {
  const uint16_t *prefix = static_cast<const uint16_t *>(p.prefix_output.data) +
                           token * p.prefix_output.stride[0] + head * p.prefix_output.stride[1];
  const uint16_t *suffix = static_cast<const uint16_t *>(p.suffix_output.data) +
                           token * p.suffix_output.stride[1] + head * p.suffix_output.stride[2];
  uint16_t *to = static_cast<uint16_t *>(p.output.data) + token * p.output.stride[0] +
                 head * p.output.stride[1];
  for (int64_t at = (int64_t)threadIdx.x * 1; at < p.head_size; at += (int64_t)blockDim.x * 1) {
    float sums[1] = {};
    bool any = false;
    for (int64_t part = 0; part <= p.num_suffixes; ++part) {
      const float weight = weights[part];
      if (weight < 0.0f) {
        continue;
      }
      float wide[1];
      widen_x1(load_x1(part == 0 ? prefix + at * p.prefix_output.stride[2]
                                 : suffix + (part - 1) * p.suffix_output.stride[0] +
                                       at * p.suffix_output.stride[3]),
               wide);
      /* The first is not added to 0, which would lose the sign of -0. */
#pragma unroll
      for (int32_t i = 0; i < 1; ++i) {
        sums[i] = any ? sums[i] + weight * wide[i] : weight * wide[i];
      }
      any = true;
    }
    store_x1(sums, to + at * p.output.stride[2]);
  }
}

/* Grid: x rows. Block: x vectors of a row, y rows, whose weights have room in shared memory. */
extern "C" __global__ void __launch_bounds__(256)
    kvf_cuda_merge_attn_states__bf16__bf16(const __grid_constant__ kvf_merge_attn_states_params p) {
  __shared__ float weights[KVF_MERGE_WEIGHTS];
  const int64_t parts = p.num_suffixes + 1;
  const int64_t rows = p.num_tokens * p.num_heads;
  const int64_t first = (int64_t)blockIdx.x * blockDim.y;
  const uint32_t thread = threadIdx.y * blockDim.x + threadIdx.x;
  if (thread < blockDim.y && first + thread < rows) {
    const int64_t token = kvf_divide(first + thread, p.by_num_heads);
    const int64_t head = first + thread - token * p.num_heads;
    const float lse = weigh(&p, token, head, weights + thread * parts);
    if (p.output_lse.data != nullptr) {
      static_cast<float *>(
          p.output_lse.data)[head * p.output_lse.stride[0] + token * p.output_lse.stride[1]] =
          kvf_f32_result(lse);
    }
  }
  __syncthreads();
  const int64_t row = first + threadIdx.y;
  if (row >= rows) {
    return;
  }
  const int64_t token = kvf_divide(row, p.by_num_heads);
  const int64_t head = row - token * p.num_heads;
  switch (p.vector_elements) {
  case 8:
    merge_x8(p, token, head, weights + threadIdx.y * parts);
    break;
  default:
    merge_x1(p, token, head, weights + threadIdx.y * parts);
    break;
  }
}
