/* What the functions of the drop-in share: codes, sizes and bounds that signatures leave out. */
#ifndef KVFORGE_COMPAT_SHIM_H
#define KVFORGE_COMPAT_SHIM_H

#include "kvforge/cache/op.h"
#include "kvforge/compat.h"
#include "ops/shared/arithmetic.h"

/* Whether an address is looked up: what a call without tokens hands over need not be one. */
typedef struct kvf_shim {
  kvf_check check;
  int64_t num_tokens;
} kvf_shim;

/* Begins a call of an op on CUDA. The device is found with the first address. */
kvf_shim kvf_shim_begin(const kvf_op *op, int64_t num_tokens, struct CUstream_st *stream);

/* The dtype of a code; KVF_DTYPE_NONE after a failure. */
kvf_dtype kvf_shim_dtype(kvf_shim *shim, const char *argument, uint32_t code);

/* The op's variant for a dtype and the code of its cache; NULL after a failure. */
const kvf_variant *kvf_shim_variant(kvf_shim *shim, const char *argument, uint32_t code,
                                    uint32_t cache_code);

/*
 * Fills stride[0..count] with the elements that an index of each dimension skips, stride[0] being
 * those of a whole page and stride[count] 1.
 */
void kvf_shim_strides(const int64_t *sizes, int32_t count, int64_t *stride);

/* What KVFORGE_COMPAT_PAGES says, which is read once: hnd, the default, or nhd. */
bool kvf_shim_heads_first(kvf_shim *shim);

/*
 * How many items of so many bytes memory holds from an address on, at least one. The first address
 * fixes the device of the call; others must be on it.
 */
int64_t kvf_shim_items(kvf_shim *shim, const char *argument, const void *address, int64_t bytes);

/* Pages of `elements` that both of two caches have; one without elements has any number. */
int64_t kvf_shim_pages(kvf_shim *shim, const kvf_variant *variant, const char *const *arguments,
                       const void *const *caches, const int64_t *elements);

/* Scales by value are what scales in memory have to be; of a cache of codes alone. */
void kvf_shim_scales(kvf_shim *shim, const kvf_variant *variant, float k_scale, float v_scale);

/* Where num_tokens tokens go, in pages that are yet to be counted. */
kvf_slots kvf_shim_slots(const int64_t *slot_mapping, int32_t num_tokens, int32_t block_size);

/* Which pages sequences have, likewise. */
kvf_block_table kvf_shim_table(const int32_t *block_table, int32_t stride,
                               const int32_t *cu_seq_lens, int64_t num_sequences,
                               int32_t block_size);

/* The status of a call, for kvf_compat_status(). */
void kvf_shim_end(kvf_status status);

#endif
