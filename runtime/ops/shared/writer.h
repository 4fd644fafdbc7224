/* What the entry points of the K/V cache writers share. */
#ifndef KVFORGE_WRITER_H
#define KVFORGE_WRITER_H

#include "kvforge/cache/op.h"

/* The sources of a K/V write, as its params struct has them; no scales where the op makes them. */
typedef struct kvf_writer {
  kvf_view *key;
  kvf_view *value;
  kvf_view *k_scale;
  kvf_view *v_scale;
  kvf_slots *slots;
  int32_t *num_heads;
  int32_t *head_size;
  int32_t *streaming;
  int32_t *value_head_size; /* NULL: head_size */
  float *k_scale_value;     /* NULL: scales have addresses */
  float *v_scale_value;
} kvf_writer;

#define KVF_WRITER(params)                                                                         \
  .key = &(params)->key, .value = &(params)->value, .k_scale = &(params)->k_scale,                 \
  .v_scale = &(params)->v_scale, .slots = &(params)->slots, .num_heads = &(params)->num_heads,     \
  .head_size = &(params)->head_size, .streaming = &(params)->streaming

#define KVF_WRITER_SCALE_VALUES(params)                                                            \
  .k_scale_value = &(params)->k_scale_value, .v_scale_value = &(params)->v_scale_value

/* The DLPack arguments that every K/V writer has. */
typedef struct kvf_writer_arguments {
  const DLTensor *key;
  const DLTensor *value;
  const DLTensor *slot_mapping;
  const char *kv_cache_dtype;
  const DLTensor *k_scale;
  const DLTensor *v_scale;
  const DLTensor *slot_remap;
} kvf_writer_arguments;

/*
 * Checks the arguments that do not depend on the page layout, fills the writer's members and binds
 * num_heads and the head sizes, which may be one. Returns the variant, or NULL after a failure.
 */
const kvf_variant *kvf_check_writer(kvf_check *check, const kvf_writer_arguments *arguments,
                                    const kvf_writer *writer, kvf_dim *num_heads,
                                    kvf_dim *head_size, kvf_dim *value_head_size);

/*
 * The part of it that is about key, value and slot_mapping, whose heads need not have one size.
 * Returns the dtype of key.
 */
kvf_dtype kvf_check_sources(kvf_check *check, const DLTensor *key, const DLTensor *value,
                            const DLTensor *slot_mapping, const kvf_writer *writer,
                            kvf_dim *num_heads, kvf_dim *key_size, kvf_dim *value_size);

/* Params structs count the elements of a row in 32 bits. */
void kvf_check_row_size(kvf_check *check, const char *argument, const kvf_dim *num_heads,
                        const kvf_dim *head_size);

/*
 * What kvf_check_writer() is for a raw launch: pointers, sizes, slots. False when there is nothing
 * to write.
 */
bool kvf_launch_writer(kvf_check *check, const kvf_variant *variant, const kvf_writer *writer,
                       const kvf_view *key_cache, const kvf_view *value_cache);

/* Runs a CPU variant over the tokens of each of some layers. */
kvf_status kvf_run_writer(const kvf_check *check, const kvf_variant *variant, const void *params,
                          const kvf_writer *writer, int64_t layers);

/*
 * For pages of [block, token, head, element]: a row whose heads lie one behind another in all four
 * tensors is one long head.
 */
void kvf_join_heads(const kvf_writer *writer, const kvf_view *key_cache,
                    const kvf_view *value_cache);

/*
 * The vectors of a token's keys or values, of whichever has more, and in `elements` how long they
 * can be: both ends of keys and of values are moved in the same.
 */
int64_t kvf_writer_vectors(const kvf_variant *variant, const kvf_writer *writer, int64_t layers,
                           const kvf_vector_side keys[2], const kvf_vector_side values[2],
                           int32_t *elements);

/*
 * The grid of their kernels. x of a thread block runs over a token's vectors, y over tokens, so
 * that small rows are packed and large ones split; z of the grid over layers. How many threads
 * there are is tuned.
 */
kvf_grid kvf_writer_grid(const kvf_check *check, int64_t num_tokens, int64_t vectors,
                         int32_t layers);

#endif
