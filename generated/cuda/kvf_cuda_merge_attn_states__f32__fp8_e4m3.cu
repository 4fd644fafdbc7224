/*
 * Generated from templates/cuda/merge_attn_states.cu.j2 and generator/spec/merge_attn_states.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/merge_attn_states.h"
#include "kvforge/cache/cuda_decode.cuh"
#include "kvforge/cache/merge.h"

/* Parts whose first vectors a thread asks for at once. */
enum { AHEAD = 2 };

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

KVF_INLINE double lse_unit(const kvf_merge_attn_states_params *p) {
  return p->lse_base2 ? KVF_LN_2 : 1.0;
}

/* The parts of all rows of a thread block, row by row. */
struct all_parts {
  float lse[KVF_MERGE_WEIGHTS];
  double weight[KVF_MERGE_WEIGHTS]; /* next to the largest; -1 for an empty part */
};

KVF_INLINE float largest_of(const float *lse, int32_t parts) {
  float largest = KVF_NO_LSE;
  for (int32_t part = 0; part < parts; ++part) {
    largest = lse[part] > largest ? lse[part] : largest;
  }
  return largest;
}

/* All threads of the block come here. */
KVF_INLINE void weigh(const kvf_merge_attn_states_params &p, all_parts &all) {
  const int32_t parts = (int32_t)p.num_suffixes + 1;
  const int64_t first_row = (int64_t)blockIdx.x * blockDim.y;
  const int32_t first = (int32_t)(threadIdx.y * blockDim.x + threadIdx.x);
  const int32_t step = (int32_t)(blockDim.x * blockDim.y);
  for (int32_t i = first; i < (int32_t)blockDim.y * parts; i += step) {
    const int64_t row = first_row + i / parts;
    const int64_t token = kvf_divide(row, p.by_num_heads);
    if (token < p.num_tokens) {
      all.lse[i] = part_lse(&p, i % parts, token, row - token * p.num_heads);
    }
  }
  __syncthreads();
  for (int32_t i = first; i < (int32_t)blockDim.y * parts; i += step) {
    if (kvf_divide(first_row + i / parts, p.by_num_heads) < p.num_tokens) {
      const float lse = all.lse[i];
      all.weight[i] =
          kvf_is_empty(lse)
              ? -1.0
              : weight_of(lse, largest_of(all.lse + i / parts * parts, parts), lse_unit(&p));
    }
  }
  __syncthreads();
}

KVF_INLINE double total_of(const double *weight, int32_t parts) {
  double total = 0.0;
  for (int32_t part = 0; part < parts; ++part) {
    total += weight[part] < 0.0 ? 0.0 : weight[part];
  }
  return total;
}

/* Where a thread's row begins in each tensor. */
struct row_of_parts {
  const float *prefix;
  const float *suffix;
  uint8_t *to;
  int64_t token;
  int64_t head;
  bool exists;
  bool has_prefix;
};

KVF_INLINE row_of_parts find_row(const kvf_merge_attn_states_params &p) {
  const int64_t row = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  const int64_t token = kvf_divide(row, p.by_num_heads);
  const int64_t head = row - token * p.num_heads;
  return {static_cast<const float *>(p.prefix_output.data) + token * p.prefix_output.stride[0] +
              head * p.prefix_output.stride[1],
          static_cast<const float *>(p.suffix_output.data) + token * p.suffix_output.stride[1] +
              head * p.suffix_output.stride[2],
          static_cast<uint8_t *>(p.output.data) + token * p.output.stride[0] +
              head * p.output.stride[1],
          token,
          head,
          token < p.num_tokens,
          token < p.prefill_tokens};
}

/* Four quotients as codes; the first in the lowest byte. */
KVF_INLINE uint32_t divide_x4(const float *x, const kvf_divisor &by) {
  if (!by.quick) {
    return kvf_fp8_e4m3x4_from_f32(x[0] / by.scale, x[1] / by.scale, x[2] / by.scale,
                                   x[3] / by.scale);
  }
  return kvf_fp8_e4m3x4_from_f32(kvf_quotient(x[0], by), kvf_quotient(x[1], by),
                                 kvf_quotient(x[2], by), kvf_quotient(x[3], by));
}

/* 4 elements. */
struct source_x4 {
  uint32_t v[4];
};

KVF_INLINE source_x4 load_x4(const float *from) {
  source_x4 source;
  const uint4 part0 = reinterpret_cast<const uint4 *>(from)[0];
  source.v[0] = part0.x;
  source.v[1] = part0.y;
  source.v[2] = part0.z;
  source.v[3] = part0.w;
  return source;
}

/* A vector of a part, widened. */
KVF_INLINE void widen_x4(const source_x4 &source, float *to) {
  const float2 pair0 = make_float2(kvf_float(source.v[0]), kvf_float(source.v[1]));
  to[0] = pair0.x;
  to[1] = pair0.y;
  const float2 pair1 = make_float2(kvf_float(source.v[2]), kvf_float(source.v[3]));
  to[2] = pair1.x;
  to[3] = pair1.y;
}

/* Sums as the output holds them. */
KVF_INLINE void store_x4(const float *sums, uint8_t *to, const kvf_divisor &by) {
  *reinterpret_cast<uint32_t *>(to) = divide_x4(sums, by);
}

/* The vector of part `part` at element `at`. */
KVF_INLINE source_x4 load_part_x4(const row_of_parts &row, const kvf_merge_attn_states_params &p,
                                  int64_t part, int64_t at) {
  return load_x4(part == 0 ? row.prefix + at * p.prefix_output.stride[2]
                           : row.suffix + (part - 1) * p.suffix_output.stride[0] +
                                 at * p.suffix_output.stride[3]);
}

/*
 * The rows of a thread block, 4 elements at a time. Each thread asks for its first vectors of the
 * first parts before the weights are there, which take as long to make.
 */
KVF_INLINE void merge_x4(const kvf_merge_attn_states_params &p, const row_of_parts &row,
                         all_parts &all, float scale) {
  const int64_t start = (int64_t)threadIdx.x * 4;
  source_x4 ahead[AHEAD] = {};
#pragma unroll
  for (int32_t i = 0; i < AHEAD; ++i) {
    if (row.exists && start < p.head_size && i <= p.num_suffixes && (i > 0 || row.has_prefix)) {
      ahead[i] = load_part_x4(row, p, i, start);
    }
  }
  weigh(p, all);
  if (!row.exists) {
    return;
  }
  const int32_t parts = (int32_t)p.num_suffixes + 1;
  const double *own = all.weight + (int32_t)threadIdx.y * parts;
  const double total = total_of(own, parts);
  const double inverse = 1.0 / total;
  const kvf_divisor by = kvf_divide_by(scale);
  for (int64_t at = start; at < p.head_size; at += (int64_t)blockDim.x * 4) {
    float sums[4] = {};
    bool any = false;
    const auto add = [&](int32_t part, const source_x4 &source) {
      const float weight = (float)(own[part] * inverse);
      float wide[4];
      widen_x4(source, wide);
      /* The first is not added to 0, which would lose the sign of -0. */
#pragma unroll
      for (int32_t i = 0; i < 4; ++i) {
        sums[i] = any ? sums[i] + weight * wide[i] : weight * wide[i];
      }
      any = true;
    };
#pragma unroll
    for (int32_t part = 0; part < AHEAD; ++part) {
      if (part < parts && !(own[part] < 0.0)) {
        add(part, at == start ? ahead[part] : load_part_x4(row, p, part, at));
      }
    }
#pragma unroll 4
    for (int32_t part = AHEAD; part < parts; ++part) {
      const source_x4 source = load_part_x4(row, p, part, at);
      if (!(own[part] < 0.0)) {
        add(part, source);
      }
    }
    store_x4(sums, row.to + at * p.output.stride[2], by);
  }
  if (threadIdx.x == 0 && p.output_lse.data != nullptr) { /* last: nobody waits for it */
    const kvf_merged merged = {largest_of(all.lse + (int32_t)threadIdx.y * parts, parts), total};
    static_cast<float *>(
        p.output_lse.data)[row.head * p.output_lse.stride[0] + row.token * p.output_lse.stride[1]] =
        kvf_f32_result(kvf_merged_lse(merged, lse_unit(&p)));
  }
}

/* 1 element. */
struct source_x1 {
  uint32_t v[1];
};

KVF_INLINE source_x1 load_x1(const float *from) {
  source_x1 source;
  source.v[0] = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

/* An element of a part, widened. */
KVF_INLINE void widen_x1(const source_x1 &source, float *to) { *to = kvf_float(source.v[0]); }

/* Sums as the output holds them. */
KVF_INLINE void store_x1(const float *sums, uint8_t *to, const kvf_divisor &by) {
  *to = kvf_fp8_e4m3_from_f32(*sums / by.scale);
}

/* The vector of part `part` at element `at`. */
KVF_INLINE source_x1 load_part_x1(const row_of_parts &row, const kvf_merge_attn_states_params &p,
                                  int64_t part, int64_t at) {
  return load_x1(part == 0 ? row.prefix + at * p.prefix_output.stride[2]
                           : row.suffix + (part - 1) * p.suffix_output.stride[0] +
                                 at * p.suffix_output.stride[3]);
}

/*
 * The rows of a thread block, 1 element at a time. Each thread asks for its first vectors of the
 * first parts before the weights are there, which take as long to make.
 */
KVF_INLINE void merge_x1(const kvf_merge_attn_states_params &p, const row_of_parts &row,
                         all_parts &all, float scale) {
  const int64_t start = (int64_t)threadIdx.x * 1;
  source_x1 ahead[AHEAD] = {};
#pragma unroll
  for (int32_t i = 0; i < AHEAD; ++i) {
    if (row.exists && start < p.head_size && i <= p.num_suffixes && (i > 0 || row.has_prefix)) {
      ahead[i] = load_part_x1(row, p, i, start);
    }
  }
  weigh(p, all);
  if (!row.exists) {
    return;
  }
  const int32_t parts = (int32_t)p.num_suffixes + 1;
  const double *own = all.weight + (int32_t)threadIdx.y * parts;
  const double total = total_of(own, parts);
  const double inverse = 1.0 / total;
  const kvf_divisor by = kvf_divide_by(scale);
  for (int64_t at = start; at < p.head_size; at += (int64_t)blockDim.x * 1) {
    float sums[1] = {};
    bool any = false;
    const auto add = [&](int32_t part, const source_x1 &source) {
      const float weight = (float)(own[part] * inverse);
      float wide[1];
      widen_x1(source, wide);
      /* The first is not added to 0, which would lose the sign of -0. */
#pragma unroll
      for (int32_t i = 0; i < 1; ++i) {
        sums[i] = any ? sums[i] + weight * wide[i] : weight * wide[i];
      }
      any = true;
    };
#pragma unroll
    for (int32_t part = 0; part < AHEAD; ++part) {
      if (part < parts && !(own[part] < 0.0)) {
        add(part, at == start ? ahead[part] : load_part_x1(row, p, part, at));
      }
    }
#pragma unroll 4
    for (int32_t part = AHEAD; part < parts; ++part) {
      const source_x1 source = load_part_x1(row, p, part, at);
      if (!(own[part] < 0.0)) {
        add(part, source);
      }
    }
    store_x1(sums, row.to + at * p.output.stride[2], by);
  }
  if (threadIdx.x == 0 && p.output_lse.data != nullptr) { /* last: nobody waits for it */
    const kvf_merged merged = {largest_of(all.lse + (int32_t)threadIdx.y * parts, parts), total};
    static_cast<float *>(
        p.output_lse.data)[row.head * p.output_lse.stride[0] + row.token * p.output_lse.stride[1]] =
        kvf_f32_result(kvf_merged_lse(merged, lse_unit(&p)));
  }
}

/* Grid: x rows. Block: x vectors of a row, y rows, whose weights have room in shared memory. */
extern "C" __global__ void __launch_bounds__(256, 4) kvf_cuda_merge_attn_states__f32__fp8_e4m3(
    const __grid_constant__ kvf_merge_attn_states_params p) {
  kvf_begin_kernel();
  __shared__ all_parts all;
  const row_of_parts row = find_row(p);
  const float scale = *static_cast<const float *>(p.output_scale.data);
  switch (p.vector_elements) {
  case 4:
    merge_x4(p, row, all, scale);
    break;
  default:
    merge_x1(p, row, all, scale);
    break;
  }
}
