/*
 * Types of the ops that move chosen tokens between pages and wire buffers. Included by host C, by
 * the CPU variants and by the CUDA kernels.
 *
 * A plane is what all layers have of one kind (keys, values, codes, scales); a cell is one plane of
 * one layer: a tensor [num_blocks, block_size, num_heads, elements]. Everything here is in bytes.
 */
#ifndef KVFORGE_WIRE_H
#define KVFORGE_WIRE_H

#include "kvforge/cache/slots.h"

/* Cells and planes of one launch: as many as fit into the 4 KB of a kernel's parameters. */
#define KVF_MAX_CELLS 240
#define KVF_MAX_PLANES 8
/* Cells where a launch has two of each. */
#define KVF_MAX_CELL_PAIRS 120

/*
 * Variant b8 copies bits. Variant f32 converts elements of one dtype to those of another, by way of
 * f32; both are enumerators of kvf_dtype. Codes have scales: those of KVF_FP8_E4M3, KVF_FP8_E5M2
 * and KVF_INT8 are a kvf_plane_scales of their plane; in the formats with a scale per token and
 * head these are the rows of a plane of their own, of one f32, whose number is KVF_SCALES_OF_PLANE
 * greater than that of the codes, and whose cells follow from KVF_SCALES_OF_CELL on, or
 * KVF_SCALES_OF_PAIR where a launch has pairs. num_planes does not count it.
 */
#define KVF_SCALES_OF_PLANE (KVF_MAX_PLANES / 2)
#define KVF_SCALES_OF_CELL (KVF_MAX_CELLS / 2)
#define KVF_SCALES_OF_PAIR (KVF_MAX_CELL_PAIRS / 2)

/* f32 scales that a call knows. */
typedef struct kvf_plane_scales {
  const float *data;   /* of layer 0 and head 0 */
  int64_t layer, head; /* from one to the next, in elements; 0 where they share one */
} kvf_plane_scales;

/* Where the rows of a plane are in its cells; a row is what one token has of one head. */
typedef struct kvf_page_plane {
  int64_t block, token, head, element; /* from one to the next */
  int64_t elements;                    /* of a row */
  int64_t element_bytes;
} kvf_page_plane;

/* Where they are in a wire block, in which a row has no gaps. */
typedef struct kvf_wire_plane {
  int64_t first;                     /* to the row of layer, token and head 0 */
  int64_t group, layer, token, head; /* from one to the next; of heads within a group */
} kvf_wire_plane;

/*
 * CUDA: how the threads of a launch share out the rows of a plane, in pieces. Piece i of a row is
 * `step` bytes times i from its beginning; where elements are apart it is one of their parts, which
 * follow each other.
 */
typedef struct kvf_row_pieces {
  int64_t from_step, to_step; /* of the side that is read, and of the one that is written */
  int32_t count;              /* of a row */
  int32_t parts;              /* of an element, where elements are apart; else 1 */
  int32_t vector;             /* of a piece: bytes; f32: elements */
  int32_t lane_bits;          /* a power of two: that many threads share a row */
} kvf_row_pieces;

/*
 * Wire block w holds tokens [w * block_tokens, (w + 1) * block_tokens); token j lies in the slot
 * that slots.mapping has for it. Tokens behind the last one have rows of zeros.
 */
typedef struct kvf_wire_copy {
  kvf_slots slots;
  void *wire;           /* a multiple of 16 */
  const int32_t *gate;  /* kv_unpack: unless this is 0 nothing is written; NULL: it is */
  int64_t wire_bytes;   /* kv_pack: up to here the wire is written */
  int64_t block_bytes;  /* from a wire block to the next */
  int64_t used_bytes;   /* of a wire block; what is behind is zeros */
  int64_t block_tokens; /* tokens of a wire block */
  int64_t num_heads;    /* of a cell */
  int64_t group_heads;  /* heads that lie in a group; divides num_heads */
  int32_t num_planes;
  int32_t num_layers;
  int32_t
      tokens_inside; /* 1: in a wire block tokens are within heads; 0: heads are within tokens */
  int32_t later; /* 1: an earlier launch of the call counted the slots out of range and wrote what
                    is behind rows */
  kvf_page_plane pages[KVF_MAX_PLANES];
  kvf_wire_plane wires[KVF_MAX_PLANES];
  void *cells[KVF_MAX_CELLS];     /* [num_planes, num_layers]: element 0 of each */
  int32_t page_dtype, wire_dtype; /* f32: of elements; else nobody reads these, nor the scales */
  kvf_plane_scales page_scales[KVF_MAX_PLANES];
  kvf_plane_scales wire_scales[KVF_MAX_PLANES];
  /* Derived by the launch functions; callers leave these alone. */
  int64_t num_wire_blocks;
  int64_t rows;          /* of a cell: one of each head, of each token that the wire blocks have */
  kvf_divider by_inside; /* heads of a group, or with tokens_inside the tokens of a block */
  kvf_divider by_middle; /* the other of the two */
  kvf_divider by_groups;
  int32_t streaming; /* CPU: store past the caches */
  kvf_row_pieces pieces[KVF_MAX_PLANES];
} kvf_wire_copy;

/* Token j lies in slot j of `from` and goes to slot j of `to`. */
typedef struct kvf_page_copy {
  kvf_slots from;
  kvf_slots to;
  int64_t num_heads;
  int32_t num_planes;
  int32_t num_layers;
  int32_t later; /* CUDA: 1 if an earlier launch of the call counted the slots out of range */
  kvf_page_plane from_pages[KVF_MAX_PLANES];
  kvf_page_plane to_pages[KVF_MAX_PLANES];
  void *from_cells[KVF_MAX_CELL_PAIRS]; /* [num_planes, num_layers]: element 0 of each */
  void *to_cells[KVF_MAX_CELL_PAIRS];
  int32_t from_dtype, to_dtype; /* as in kvf_wire_copy */
  kvf_plane_scales from_scales[KVF_MAX_PLANES];
  kvf_plane_scales to_scales[KVF_MAX_PLANES];
  /* Derived by the launch functions; callers leave these alone. */
  int32_t
      tokens_inside;   /* CUDA: rows are numbered with tokens within heads, else heads in tokens */
  int32_t streaming;   /* CPU: store past the caches */
  int64_t token_parts; /* CPU */
  kvf_divider by_inside;
  kvf_row_pieces pieces[KVF_MAX_PLANES];
} kvf_page_copy;

#endif
