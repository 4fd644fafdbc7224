/*
 * Generated from templates/cuda/zero_blocks.cu.j2 and generator/spec/zero_blocks.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cuda_pages.cuh"
#include "kvforge/params/zero_blocks.h"

/* Clears one page, 16 bytes at a time. */
KVF_INLINE void clear_page_x16(uint8_t *page, int64_t page_bytes) {
  const int64_t step = (int64_t)gridDim.y * blockDim.x * 16;
  for (int64_t i = ((int64_t)blockIdx.y * blockDim.x + threadIdx.x) * 16; i < page_bytes;
       i += step) {
    *reinterpret_cast<uint4 *>(page + i) = make_uint4(0, 0, 0, 0);
  }
}

/* Clears one page, 4 bytes at a time. */
KVF_INLINE void clear_page_x4(uint8_t *page, int64_t page_bytes) {
  const int64_t step = (int64_t)gridDim.y * blockDim.x * 4;
  for (int64_t i = ((int64_t)blockIdx.y * blockDim.x + threadIdx.x) * 4; i < page_bytes;
       i += step) {
    *reinterpret_cast<uint32_t *>(page + i) = 0;
  }
}

/* Clears one page, 1 byte at a time. */
KVF_INLINE void clear_page_x1(uint8_t *page, int64_t page_bytes) {
  const int64_t step = (int64_t)gridDim.y * blockDim.x;
  for (int64_t i = (int64_t)blockIdx.y * blockDim.x + threadIdx.x; i < page_bytes; i += step) {
    page[i] = 0;
  }
}

/* Grid: x blocks, y parts of a page, z tensors. Block: x vectors of a page, y blocks. */
extern "C" __global__ void __launch_bounds__(KVF_PAGE_THREADS)
    kvf_cuda_zero_blocks__b8(const __grid_constant__ kvf_zero_blocks_params p) {
  kvf_begin_kernel();
  const kvf_page_list &pages = p.pages;
  const int64_t i = (int64_t)blockIdx.x * blockDim.y + threadIdx.y;
  if (i >= pages.blocks.size) {
    return;
  }
  const int64_t block =
      kvf_index_at(pages.blocks.data, pages.blocks.index_bytes, i * pages.blocks.stride[0]);
  const bool counts = threadIdx.x == 0 && blockIdx.y == 0 && blockIdx.z == 0;
  if (!kvf_has_block(pages, block, counts)) {
    return;
  }
  const kvf_pages &cache = pages.caches[blockIdx.z];
  uint8_t *page = static_cast<uint8_t *>(cache.data) + block * cache.stride;
  switch (pages.vector_bytes) {
  case 16:
    clear_page_x16(page, pages.page_bytes);
    break;
  case 4:
    clear_page_x4(page, pages.page_bytes);
    break;
  default:
    clear_page_x1(page, pages.page_bytes);
    break;
  }
}
