/* What references of requests mean (kvf_references), for C and for CUDA kernels. */
#ifndef KVFORGE_RESIDENCY_H
#define KVFORGE_RESIDENCY_H

#include <stdbool.h>

#include "kvforge/bits.h"
#include "kvforge/cache/hot_rows.h"

/* kvf_divide() and kvf_index_at() of a CUDA kernel, which has them, or of the host. */
#ifndef KVFORGE_CUDA_KERNEL_CUH
#include "kvforge/cpu_kernel.h"
#endif

enum {
  KVF_MOST_SLOTS = 32768,
  /* What stands for a state. */
  KVF_PADDING = -1,  /* the row belongs to nobody */
  KVF_NO_STATE = -2, /* its request or state is out of range: as padding, and a fault */
  /* What stands for the slot of a row in the table of a run's union; others are slots. */
  KVF_NOT_SEEN = 0xFFFF, /* a row that is not in the table */
  KVF_NO_SLOT = 0xFFFE,  /* in the union, and no slot has it */
  KVF_LOST = 0xFFFD,     /* no slot can be had */
  /* Cells of that table on the CPU: an eighth is free when the union is as large as can be. */
  KVF_RESIDENCY_CELLS = KVF_MOST_SLOTS / 8 * 9,
  /* What a thread block has in front of its table. */
  KVF_RESIDENCY_WORDS = 48
};

/* The cell of a table where a row of the pool is looked for first. */
KVF_INLINE int32_t kvf_first_cell(int64_t host, int32_t cells) {
  const uint32_t mixed = (uint32_t)host * 2654435769u; /* 2^32 by the golden ratio */
  return (int32_t)((uint64_t)mixed * (uint32_t)cells >> 32);
}

/* An element of a vector or matrix of int32. */
KVF_INLINE int64_t kvf_element(const kvf_view *of, int64_t i, int64_t j) {
  return kvf_index_at(of->data, 4, i * of->stride[0] + j * of->stride[1]);
}

KVF_INLINE int64_t kvf_request_of(const kvf_references *of, int64_t row) {
  return of->request_ids.data == NULL ? row : kvf_element(&of->request_ids, row, 0);
}

/* The state of a request, or KVF_PADDING, or KVF_NO_STATE. */
KVF_INLINE int64_t kvf_state_of(const kvf_references *of, int64_t request) {
  if (request < 0 || (of->num_requests >= 0 && request >= of->num_requests)) {
    return KVF_PADDING;
  }
  const int64_t state =
      of->num_requests < 0 ? request : kvf_element(&of->request_state_indices, request, 0);
  if (state < 0) {
    return KVF_PADDING;
  }
  return state < of->num_states && request < of->num_hot_tables ? state : (int64_t)KVF_NO_STATE;
}

/* Whether a row is the first one of a run of rows of one request. */
KVF_INLINE bool kvf_begins_run(const kvf_references *of, int64_t row) {
  return row == 0 || kvf_request_of(of, row - 1) != kvf_request_of(of, row);
}

/* The row of the device that slot [0, hot_size) of a request is; -1 where its page is none. */
KVF_INLINE int64_t kvf_place_of(const kvf_references *of, int64_t request, int64_t slot) {
  const int64_t page = kvf_divide(slot, of->by_block_size);
  const int64_t block = kvf_element(&of->hot_block_table, request, page);
  return block >= 0 && block < of->num_blocks
             ? block * of->block_size + slot - page * of->block_size
             : -1;
}

/* What a reference is to. */
typedef struct kvf_reference {
  int64_t host;     /* row of the pool; -1: none */
  int64_t resident; /* row of the device that holds it in any case; -1: none */
} kvf_reference;

/* Whether a slot is needed for it. */
KVF_INLINE bool kvf_needs_slot(kvf_reference to) { return to.host >= 0 && to.resident < 0; }

/* A reference of a request with a state. */
KVF_INLINE kvf_reference kvf_refer(const kvf_references *of, int64_t row, int64_t column,
                                   int64_t request, int64_t state) {
  const int64_t position = kvf_element(&of->global_indices, row, column);
  kvf_reference to = {position, -1};
  if (position < 0) {
    to.host = -1;
    return to;
  }
  if (of->source_block_size > 0) {
    const int64_t page = kvf_divide(position, of->by_source_block_size);
    const int64_t block = request < of->num_sources && page < of->source_width
                              ? kvf_element(&of->source_block_table, request, page)
                              : 0;
    to.host =
        block > 0 ? block * of->source_block_size + position - page * of->source_block_size : -1;
  }
  to.host = to.host < of->num_host_rows ? to.host : -1;
  if (state < of->num_residents) {
    const int64_t page = kvf_divide(position, of->by_block_size);
    const int64_t block =
        page < of->resident_width ? kvf_element(&of->resident_block_table, state, page) : -1;
    if (block >= 0 && block < of->num_blocks && block != of->resident_null_block) {
      to.resident = block * of->block_size + position - page * of->block_size;
    }
  }
  return to;
}

#endif
