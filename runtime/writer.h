/* What the entry points of the K/V cache writers share. */
#ifndef KVFORGE_WRITER_H
#define KVFORGE_WRITER_H

#include "kvforge/op.h"

/* The sources of a K/V write, as its params struct has them. */
typedef struct kvf_writer {
  kvf_view *key;
  kvf_view *value;
  kvf_view *k_scale;
  kvf_view *v_scale;
  kvf_slots *slots;
  int32_t *num_heads;
  int32_t *head_size;
  int32_t *streaming;
} kvf_writer;

#define KVF_WRITER(params)                                                                         \
  {&(params)->key,       &(params)->value,     &(params)->k_scale,  &(params)->v_scale,            \
   &(params)->slots,     &(params)->num_heads, &(params)->head_size, &(params)->streaming}

/* The DLPack arguments that every K/V writer has. */
typedef struct kvf_writer_arguments {
  const DLTensor *key;
  const DLTensor *value;
  const DLTensor *slot_mapping;
  const char *kv_cache_dtype;
  const DLTensor *k_scale;
  const DLTensor *v_scale;
} kvf_writer_arguments;

/*
 * Checks the arguments that do not depend on the page layout, fills the writer's members and binds
 * num_heads and head_size. Returns the variant, or NULL after a failure.
 */
const kvf_variant *kvf_check_writer(kvf_check *check, const kvf_writer_arguments *arguments,
                                    const kvf_writer *writer, kvf_dim *num_heads,
                                    kvf_dim *head_size);

/* The same for a raw launch: pointers, sizes, slots. False when there is nothing to write. */
bool kvf_launch_writer(kvf_check *check, const kvf_variant *variant, const kvf_writer *writer,
                       const kvf_view *key_cache, const kvf_view *value_cache);

/* Runs a CPU variant over the tokens. */
kvf_status kvf_run_writer(const kvf_check *check, const kvf_variant *variant, const void *params,
                          const kvf_writer *writer);

#endif
