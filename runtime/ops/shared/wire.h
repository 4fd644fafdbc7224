/* What the entry points of the ops share that move caches between machines. */
#ifndef KVFORGE_WIRE_RUNTIME_H
#define KVFORGE_WIRE_RUNTIME_H

#include "kvforge/cache/op.h"

/* wire: uint8, one dimension of stride 1, its address a multiple of 16; may be empty. */
void kvf_check_wire(kvf_check *check, const DLTensor *tensor, kvf_view *view, int64_t *num_bytes);

/* The address alone, of a raw launch. */
void kvf_launch_wire(kvf_check *check, const void *address);

/* The arguments that kv_pack and kv_unpack have in common. */
typedef struct kvf_wire_arguments {
  const DLTensor *const *pages;
  int64_t num_pages;
  const DLTensor *wire;
  const DLTensor *slot_mapping;
  const char *wire_layout;
  int64_t wire_block_size;
  const char *page_dtype;
  const char *wire_dtype;
  int64_t num_page_scales;
  const DLTensor *wire_scales;
  int64_t num_layers;
  int64_t heads_per_group;
} kvf_wire_arguments;

/* A call in launches: which cells have had theirs. */
typedef struct kvf_wire_cursor {
  int64_t num_planes; /* of the call, as num_layers */
  int64_t num_layers;
  int64_t plane; /* the first of the next launch */
  int64_t layer;
  int64_t before;    /* cells of the launches before this one */
  bool planes_first; /* of the wire: planes are outside layers */
} kvf_wire_cursor;

/*
 * Checks the arguments and fills the members of `copy` that all launches share. Returns the
 * variant; NULL after a failure, and where there is nothing to do.
 */
const kvf_variant *kvf_check_wire_copy(kvf_check *check, const kvf_wire_arguments *arguments,
                                       kvf_wire_cursor *cursor, kvf_wire_copy *copy);

/* Fills `copy` with the cells of the next launch; false when all have had theirs. */
bool kvf_next_cells(kvf_wire_cursor *cursor, const kvf_wire_arguments *arguments,
                    kvf_wire_copy *copy);

/* The status behind the last launch; an error says how many cells have had theirs before. */
kvf_status kvf_end_cells(const kvf_check *check, const kvf_wire_cursor *cursor,
                         const kvf_wire_arguments *arguments);

/* Checks what a raw launch can see, and runs the variant. */
kvf_status kvf_run_wire_copy(kvf_check *check, const kvf_variant *variant, kvf_wire_copy *copy,
                             bool packs);

#endif
