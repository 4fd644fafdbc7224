/* What the kernels of MLA and their launch function agree on. */
#ifndef KVFORGE_LATENT_H
#define KVFORGE_LATENT_H

/* Warps that add up the splits of a row, of the kernels for any strides and of those of few rows.
 */
enum { KVF_LATENT_ROW_WARPS = 4 };

/*
 * Rows of a tile of a variant for tensor cores, the threads of its blocks, and their shared memory,
 * in bytes. Of the one of many rows, which leaves a multiprocessor one block, a warp adds up a row.
 */
enum {
  KVF_LATENT_FEW_ROWS = 16,
  KVF_LATENT_FEW_THREADS = 160,
  KVF_LATENT_FEW_BYTES = 81 * 1024,
  KVF_LATENT_MANY_ROWS = 64,
  KVF_LATENT_MANY_THREADS = 384,
  KVF_LATENT_MANY_BYTES = 162 * 1024,
  KVF_LATENT_WIDE_BYTES = 227 * 1024, /* of the one for sm_90a, with as many rows and threads */
  KVF_LATENT_MANY_ROW_WARPS = 1
};

#endif
