/* What the kernels of MLA and their launch function agree on. */
#ifndef KVFORGE_LATENT_H
#define KVFORGE_LATENT_H

#include "kvforge/bits.h"

/*
 * Warps that add up the splits of a row, and threads of a block of them: where splits are few, rows
 * are many, and a warp has more of one; where they are many, a warp asks for as many as it can.
 */
enum {
  KVF_LATENT_ROW_WARPS = 2,
  KVF_LATENT_MANY_ROW_WARPS = 8,
  KVF_LATENT_FEW_SPLITS = 8,
  KVF_LATENT_ADD_THREADS = 128
};

KVF_INLINE int32_t kvf_latent_row_warps(int64_t splits) {
  return splits > KVF_LATENT_FEW_SPLITS ? KVF_LATENT_MANY_ROW_WARPS : KVF_LATENT_ROW_WARPS;
}

/*
 * Rows of a tile of a variant for tensor cores, the threads of its blocks, and their shared memory,
 * in bytes.
 */
enum {
  KVF_LATENT_FEW_ROWS = 16,
  KVF_LATENT_FEW_THREADS = 160,
  KVF_LATENT_FEW_BYTES = 81 * 1024,
  KVF_LATENT_MANY_ROWS = 64,
  KVF_LATENT_MANY_THREADS = 384,
  KVF_LATENT_MANY_BYTES = 162 * 1024,
  KVF_LATENT_WIDE_BYTES = 227 * 1024, /* of the one for sm_90a, with as many rows and threads */
};

#endif
