/*
 * Generated from templates/cuda/concat_mla_q.cu.j2 and generator/spec/concat_mla_q.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/params/concat_mla_q.h"

/* 16 elements. */
struct source_x16 {
  uint4 v;
};

KVF_INLINE source_x16 load_x16(const uint8_t *from) {
  source_x16 source;
  source.v = *reinterpret_cast<const uint4 *>(from);
  return source;
}

KVF_INLINE void store_x16(const source_x16 &source, uint8_t *to) {
  *reinterpret_cast<uint4 *>(to) = source.v;
}

/* 4 elements. */
struct source_x4 {
  uint32_t v;
};

KVF_INLINE source_x4 load_x4(const uint8_t *from) {
  source_x4 source;
  source.v = *reinterpret_cast<const uint32_t *>(from);
  return source;
}

KVF_INLINE void store_x4(const source_x4 &source, uint8_t *to) {
  *reinterpret_cast<uint32_t *>(to) = source.v;
}

/* 1 element. */
struct source_x1 {
  uint8_t v;
};

KVF_INLINE source_x1 load_x1(const uint8_t *from) {
  source_x1 source;
  source.v = *from;
  return source;
}

KVF_INLINE void store_x1(const source_x1 &source, uint8_t *to) { *to = source.v; }

/* One row, 16 bytes at a time. A thread asks for several vectors before it waits for one. */
KVF_INLINE void join_x16(const uint8_t *ql_nope, const uint8_t *q_pe, uint8_t *q_out,
                         int64_t nope_bytes, int64_t bytes) {
  enum { AHEAD = KVF_VECTORS_AHEAD(16) };
  const int64_t step = (int64_t)blockDim.x * 16;
  for (int64_t first = (int64_t)threadIdx.x * 16; first < bytes; first += AHEAD * step) {
    source_x16 ahead[AHEAD];
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      const int64_t at = first + k * step;
      if (at < bytes) {
        ahead[k] = load_x16(at < nope_bytes ? ql_nope + at : q_pe + (at - nope_bytes));
      }
    }
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      const int64_t at = first + k * step;
      if (at < bytes) {
        store_x16(ahead[k], q_out + at);
      }
    }
  }
}

/* One row, 4 bytes at a time. A thread asks for several vectors before it waits for one. */
KVF_INLINE void join_x4(const uint8_t *ql_nope, const uint8_t *q_pe, uint8_t *q_out,
                        int64_t nope_bytes, int64_t bytes) {
  enum { AHEAD = KVF_VECTORS_AHEAD(4) };
  const int64_t step = (int64_t)blockDim.x * 4;
  for (int64_t first = (int64_t)threadIdx.x * 4; first < bytes; first += AHEAD * step) {
    source_x4 ahead[AHEAD];
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      const int64_t at = first + k * step;
      if (at < bytes) {
        ahead[k] = load_x4(at < nope_bytes ? ql_nope + at : q_pe + (at - nope_bytes));
      }
    }
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      const int64_t at = first + k * step;
      if (at < bytes) {
        store_x4(ahead[k], q_out + at);
      }
    }
  }
}

/* One row, 1 byte at a time. A thread asks for several vectors before it waits for one. */
KVF_INLINE void join_x1(const uint8_t *ql_nope, const uint8_t *q_pe, uint8_t *q_out,
                        int64_t nope_bytes, int64_t bytes) {
  enum { AHEAD = KVF_VECTORS_AHEAD(1) };
  const int64_t step = (int64_t)blockDim.x * 1;
  for (int64_t first = (int64_t)threadIdx.x * 1; first < bytes; first += AHEAD * step) {
    source_x1 ahead[AHEAD];
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      const int64_t at = first + k * step;
      if (at < bytes) {
        ahead[k] = load_x1(at < nope_bytes ? ql_nope + at : q_pe + (at - nope_bytes));
      }
    }
#pragma unroll
    for (int32_t k = 0; k < AHEAD; ++k) {
      const int64_t at = first + k * step;
      if (at < bytes) {
        store_x1(ahead[k], q_out + at);
      }
    }
  }
}

/* The vectors of this number of both parts of a row; the second has no more of them than the first.
 */
KVF_INLINE void join_narrow(const kvf_narrow_join &p, uint32_t row) {
  const uint32_t token = kvf_narrow_divide(row, p.magic, p.shift);
  const uint32_t head = row - token * p.num_heads;
  const uint64_t at = (uint64_t)threadIdx.x * 16;
  const bool both = threadIdx.x < p.vectors[1];
  char *to = p.to + (uint64_t)token * p.to_token + (uint64_t)head * p.to_head + at;
  const char *first_from =
      p.from[0] + (uint64_t)token * p.from_token[0] + (uint64_t)head * p.from_head[0] + at;
  const char *second_from =
      p.from[1] + (uint64_t)token * p.from_token[1] + (uint64_t)head * p.from_head[1] + at;
  const source_x16 first = load_x16(reinterpret_cast<const uint8_t *>(first_from));
  source_x16 second = {};
  if (both) {
    second = load_x16(reinterpret_cast<const uint8_t *>(second_from));
  }
  kvf_loads_are_made();
  store_x16(first, reinterpret_cast<uint8_t *>(to));
  if (both) {
    store_x16(second, reinterpret_cast<uint8_t *>(to + (uint64_t)p.vectors[0] * 16));
  }
}

/* Grid: x rows. Block: x vectors of a row, y rows. */
extern "C" __global__ void __launch_bounds__(256)
    kvf_cuda_concat_mla_q__b8(const __grid_constant__ kvf_concat_mla_q_params p) {
  const uint32_t narrow_row = blockIdx.x * blockDim.y + threadIdx.y;
  if (__builtin_expect(narrow_row < p.narrow.num_rows, 1)) {
    kvf_begin_kernel();
    join_narrow(p.narrow, narrow_row);
    return;
  }
  kvf_begin_kernel();
  const int64_t row = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  const int64_t token = kvf_divide(row, p.by_num_heads);
  const int64_t head = row - token * p.num_heads;
  if (token >= p.num_tokens) {
    return;
  }
  const uint8_t *ql_nope = static_cast<const uint8_t *>(p.ql_nope.data) +
                           token * p.ql_nope.stride[0] + head * p.ql_nope.stride[1];
  const uint8_t *q_pe = static_cast<const uint8_t *>(p.q_pe.data) + token * p.q_pe.stride[0] +
                        head * p.q_pe.stride[1];
  uint8_t *q_out =
      static_cast<uint8_t *>(p.q_out.data) + token * p.q_out.stride[0] + head * p.q_out.stride[1];
  const int64_t bytes = p.nope_bytes + p.rope_bytes;
  switch (p.vector_elements) {
  case 16:
    join_x16(ql_nope, q_pe, q_out, p.nope_bytes, bytes);
    break;
  case 4:
    join_x4(ql_nope, q_pe, q_out, p.nope_bytes, bytes);
    break;
  default:
    join_x1(ql_nope, q_pe, q_out, p.nope_bytes, bytes);
    break;
  }
}
