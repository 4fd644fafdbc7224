/* What the entry points of the ops share that move caches between machines. */
#ifndef KVFORGE_WIRE_RUNTIME_H
#define KVFORGE_WIRE_RUNTIME_H

#include "kvforge/cache/op.h"
#include "ops/shared/conversion.h"

/* wire: uint8, one dimension of stride 1, its address a multiple of 16; may be empty. */
void kvf_check_wire(kvf_check *check, const DLTensor *tensor, kvf_view *view, int64_t *num_bytes);

/* The address alone, of a raw launch. */
void kvf_launch_wire(kvf_check *check, const void *address);

/* What all cells of a list share, and what those of a plane do: of the last plane, behind the
 * checks. */
typedef struct kvf_cell_dims {
  kvf_dim num_blocks, block_size, num_heads, elements;
  kvf_view view; /* in elements */
  int bits;      /* of an element */
  int64_t num_planes, num_layers;
} kvf_cell_dims;

/*
 * Checks a list of num_planes * num_layers tensors [num_blocks, block_size, num_heads, elements],
 * of any dtype of whole bytes; num_layers 0: it is one plane. Binds the first three dims, and fills
 * the rest.
 */
void kvf_check_cells(kvf_check *check, const kvf_cache_list *list, int64_t num_layers,
                     kvf_cell_dims *dims);

/* Of a tensor of such a list. */
kvf_page_plane kvf_page_plane_of(const DLTensor *tensor);

/* One side of the rows of a plane, as CUDA's threads see it. */
typedef struct kvf_row_side {
  uint64_t bits;         /* of all distances and addresses, or'ed */
  int64_t element;       /* from one to the next */
  int64_t element_bytes; /* of one */
} kvf_row_side;

kvf_row_side kvf_row_side_of(const kvf_page_plane *page, void *const *cells, int32_t num_cells);

/*
 * Shares out `rows` rows of `elements` elements, which are converted or copied, and notes in *most
 * how many threads the plane that needs most of them has. IN_FLIGHT: pieces that a thread has at
 * once.
 */
kvf_row_pieces kvf_share_out(kvf_check *check, const kvf_row_side *from, const kvf_row_side *to,
                             int64_t elements, bool converts, int64_t rows, int64_t *most);

/*
 * Their grid: x parts of a cell, y cells. Where rows are converted and there are more than enough
 * blocks, warps have rows one after another, whose places they find together.
 */
kvf_grid kvf_grid_of_rows(int64_t most, int32_t cells, bool converts);

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
  const DLTensor *const *page_scales;
  int64_t num_page_scales;
  const DLTensor *wire_scales;
  int64_t num_layers;
  int64_t heads_per_group;
  bool packs;
} kvf_wire_arguments;

/* A call in launches: which cells have had theirs. */
typedef struct kvf_wire_cursor {
  int64_t num_planes; /* of the call, as num_layers */
  int64_t num_layers;
  int64_t plane; /* the first of the next launch */
  int64_t layer;
  int64_t before;    /* cells of the launches before this one */
  bool planes_first; /* of the wire: planes are outside layers */
  kvf_conversion conversion;
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
