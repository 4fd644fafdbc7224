/* What the kernels of MLA for tensor cores and their launch function agree on. */
#ifndef KVFORGE_LATENT_H
#define KVFORGE_LATENT_H

/* Rows of a tile of a variant, the threads of its blocks, and their shared memory, in bytes. */
enum {
  KVF_LATENT_FEW_ROWS = 16,
  KVF_LATENT_FEW_THREADS = 128,
  KVF_LATENT_FEW_BYTES = 70 * 1024,
  KVF_LATENT_MANY_ROWS = 64,
  KVF_LATENT_MANY_THREADS = 256,
  KVF_LATENT_MANY_BYTES = 132 * 1024
};

#endif
