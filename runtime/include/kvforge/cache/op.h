/*
 * For authors of cache ops: the checks and launch steps that their entry points share, beside those
 * of every op.
 */
#ifndef KVFORGE_CACHE_OP_H
#define KVFORGE_CACHE_OP_H

#include "kvforge/cache/kernel_types.h"
#include "kvforge/op.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- argument checks
 * ------------------------------------------------------------------------------ */

/* Resolves kv_cache_dtype next to tensors of a scalar dtype and selects the op's variant: of an op
 * with more axes the one that is generic in those. */
KVF_API const kvf_variant *kvf_check_variant(kvf_check *check, const char *kv_cache_dtype,
                                             kvf_dtype scalar);

/* slot_mapping: [num_tokens] int64 or int32; fills mapping, stride, index_bytes and num_tokens. */
KVF_API void kvf_check_slots(kvf_check *check, const char *argument, const DLTensor *tensor,
                             kvf_slots *slots);

/* slot_remap: [size] int64 or int32, or NULL for none; fills the members of `slots` that it is
 * about.
 */
KVF_API void kvf_check_remap(kvf_check *check, const DLTensor *tensor, kvf_slots *slots);

/* A source has a row for every token of `slots_argument`; the rows behind are not read. */
KVF_API void kvf_check_rows(kvf_check *check, const char *argument, const kvf_dim *rows,
                            const char *slots_argument, const kvf_slots *slots);

/* block_table [num_sequences, width], int32 or int64; cu_seq_lens [num_sequences + 1] and
 * seq_starts [num_sequences] or NULL, int32; binds num_sequences. */
KVF_API void kvf_check_block_table(kvf_check *check, const DLTensor *block_table,
                                   const DLTensor *cu_seq_lens, const DLTensor *seq_starts,
                                   kvf_block_table *table);

/* The same where rows begin at workspace_starts [num_sequences] and the last sequence is
 * open-ended; seq_lens [num_sequences] or NULL. */
KVF_API void kvf_check_workspace(kvf_check *check, const DLTensor *block_table,
                                 const DLTensor *workspace_starts, const DLTensor *seq_starts,
                                 const DLTensor *seq_lens, kvf_block_table *table);

/* A scale: f32, one element or one per head; stride[0] becomes 0 for a single one. */
KVF_API void kvf_check_scale(kvf_check *check, const char *argument, const DLTensor *tensor,
                             const kvf_dim *num_heads, kvf_view *view);

/*
 * The value of a scale that a cache is written or read with: positive, finite and normal, so from
 * 2^-126 to the largest f32. Threads that flush subnormal numbers would take smaller ones for 0.
 */
KVF_API void kvf_check_scale_value(kvf_check *check, const char *argument, double value);

/* ---- launch
 * --------------------------------------------------------------------------------------- */

/*
 * `count` scales, 1 with a stride of 0. On the CPU the value of each is checked; on CUDA the host
 * cannot read them, and a kernel calculates with whatever they are.
 *
 * Kernels read them again: where another thread writes to a scale during a call, each element is
 * converted with one of the values that its memory had meanwhile, which may be one that this
 * refuses. No address is made of a scale.
 */
KVF_API void kvf_launch_scales(kvf_check *check, const char *member, const kvf_view *scales,
                               int64_t count);

/*
 * The same where *value, unless it is 0, is the scale if `scales` have no address. On the CPU they
 * get its address.
 */
KVF_API void kvf_launch_scales_or_value(kvf_check *check, const char *member, kvf_view *scales,
                                        float *value, int64_t count);

/*
 * Fills the derived members; `argument` is what sentences call the slots. On the CPU every slot is
 * compared with the cache's size; on CUDA the kernel does that and counts in the device's fault
 * counter.
 */
KVF_API void kvf_launch_slots(kvf_check *check, const char *argument, kvf_slots *slots);

/*
 * Refuses a slot of the mapping that is in no page, by way of the remap if there is one. On the
 * CPU, of whose memory both are. `layer` is -1 where a mapping has tokens alone.
 */
KVF_API void kvf_launch_slot(kvf_check *check, const char *argument, const kvf_slots *slots,
                             int64_t layer, int64_t token, int64_t slot);

/*
 * The same for a block table, for rows [0, num_rows). On the CPU every entry that a row uses is
 * compared with the number of pages.
 */
KVF_API void kvf_launch_block_table(kvf_check *check, kvf_block_table *table, int64_t num_rows);

#ifdef __cplusplus
}
#endif

#endif
