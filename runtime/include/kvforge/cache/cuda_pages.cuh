/* What the CUDA kernels that move or clear whole pages share. */
#ifndef KVFORGE_CUDA_PAGES_CUH
#define KVFORGE_CUDA_PAGES_CUH

#include "kvforge/cache/cuda_kernel.cuh"
#include "kvforge/cache/pages.h"

/*
 * Whether a block number names a page. A negative one skips its item; one beyond the pages does
 * too, and the one thread with `counts` adds it to the fault counter.
 */
KVF_INLINE bool kvf_has_block(const kvf_page_list &pages, int64_t block, bool counts) {
  if (block >= pages.num_blocks && counts && pages.faults != nullptr) {
    atomicAdd(pages.faults, 1ULL);
  }
  return block >= 0 && block < pages.num_blocks;
}

/* A number that block numbers which are near each other, or far apart by any step, do not share. */
KVF_INLINE uint32_t kvf_scatter(int64_t block) {
  return (uint32_t)((uint64_t)block * 0x9E3779B97F4A7C15u >> 40);
}

#endif
