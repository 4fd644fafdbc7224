/* What the entry points of the ops share that convert elements on their way: words and scales. */
#ifndef KVFORGE_CONVERSION_H
#define KVFORGE_CONVERSION_H

#include "kvforge/cache/op.h"
#include "ops/shared/pages.h"

/* What a call says of the elements of one side. */
typedef struct kvf_elements {
  const char *argument; /* of the word */
  const char *word;
  const char *scales_argument;
  const DLTensor *const *scales; /* of a wire one tensor at most */
  int64_t num_scales;
  const kvf_cache_list *pages; /* NULL: it is a wire */
} kvf_elements;

/* Sides of a call: where elements come from, and where they go. */
enum { KVF_FROM, KVF_TO, KVF_SIDES };

/* What happens to elements. */
typedef struct kvf_conversion {
  kvf_dtype dtype[KVF_SIDES]; /* KVF_DTYPE_NONE: bits are copied */
  bool rows[KVF_SIDES];       /* each row has a scale: of pages in a tensor, on a wire behind it */
} kvf_conversion;

static inline bool kvf_converts(const kvf_conversion *conversion) {
  return conversion->dtype[KVF_FROM] != KVF_DTYPE_NONE;
}

/* Compares the words and the number of scales; behind the checks of pages. */
void kvf_check_conversion(kvf_check *check, const kvf_elements sides[KVF_SIDES], int64_t num_planes,
                          int64_t num_layers, kvf_conversion *made);

/* The tensors of scales of a side, and the dtype of its pages. */
void kvf_check_elements(kvf_check *check, const kvf_elements *side, kvf_dtype dtype, bool rows,
                        int64_t num_planes, int64_t num_layers, const kvf_dim dims[3]);

/* The scales that a side has for codes of a plane, from a layer on; behind the checks. */
kvf_plane_scales kvf_scales_of(const kvf_elements *side, int64_t plane, int64_t layer);

/* The variant that converts or copies, or NULL after a failure. */
const kvf_variant *kvf_check_conversion_variant(kvf_check *check, const kvf_conversion *conversion);

/* ---- launches
 * ------------------------------------------------------------------------------------ */

/* Refuses a pair of dtypes that is not converted. */
void kvf_launch_conversion(kvf_check *check, const char *from_member, int32_t from,
                           const char *to_member, int32_t to);

/* Of a side and a plane: the bytes of an element, and scales that the call knows, if it must. */
void kvf_launch_elements(kvf_check *check, int32_t dtype, int64_t element_bytes, const char *member,
                         const kvf_plane_scales *scales, int64_t num_layers, int64_t num_heads);

#endif
