/* What the entry points of the ops that turn gathered MLA rows into floats share. */
#ifndef KVFORGE_UPCONVERT_RUNTIME_H
#define KVFORGE_UPCONVERT_RUNTIME_H

#include "ops/shared/gather.h"

/* The DLPack arguments; those that an op does not have are NULL. */
typedef struct kvf_upconvert_arguments {
  const DLTensor *src_cache;
  DLTensor *dst;
  const DLTensor *block_table;
  const DLTensor *workspace_starts;
  int64_t batch_size;
  const DLTensor *seq_starts;
  const DLTensor *seq_lens;
} kvf_upconvert_arguments;

/*
 * Checks the arguments and fills the members of the params struct. `accepted` are the dtypes of
 * src_cache, whose rows have this many bytes. Returns the variant, or NULL after a failure.
 */
const kvf_variant *kvf_check_upconvert(kvf_check *check, const kvf_upconvert_arguments *arguments,
                                       kvf_dtype format, uint32_t accepted, int64_t row_bytes,
                                       const kvf_gather *gather);

/* The checks of a raw launch; false when there is nothing to gather, or after a failure. */
bool kvf_launch_upconvert(kvf_check *check, const kvf_gather *gather);

/* The launch; `params` is what `gather` points into. Rows may come from `host`, too, unless its
 * data is NULL: stride[0] is its rows'. */
kvf_status kvf_run_upconvert(const kvf_check *check, const kvf_variant *variant, const void *params,
                             const kvf_gather *gather, int64_t row_bytes, const kvf_view *host);

#endif
