/* Copies of pages within a device that a kernel makes, as many in a launch as its parameters name.
 */
#ifndef KVFORGE_MOVES_H
#define KVFORGE_MOVES_H

#include "core/cuda.h"
#include "kvforge/cache/op.h"

/* Moves on their way to the stream. Large: kvf_moves_begin() sets the head only. */
typedef struct kvf_moves {
  const kvf_check *check;
  const kvf_variant *variant; /* of swap_blocks */
  const char *argument;       /* the list whose elements ask for them */
  int64_t first;              /* element of the first one that is not on the stream */
  int64_t last[2];            /* pages of the last one added, of source and target */
  kvf_moves_launch launch;
} kvf_moves;

/*
 * Whether a kernel can move pages of so many bytes, and numbers below `pages`, from an allocation
 * to another: both have to be memory of exec's device.
 */
kvf_status kvf_can_move(const kvf_check *check, const kvf_pages sides[2], int64_t pages,
                        int64_t page_bytes, bool *can);

void kvf_moves_begin(kvf_moves *moves, const kvf_check *check, const kvf_variant *variant,
                     const char *argument, const kvf_pages sides[2], int64_t page_bytes);

/* Adds a move; launches the ones before it when there is no more room. */
kvf_status kvf_moves_add(kvf_moves *moves, int64_t element, int64_t source, int64_t target);

/*
 * Launches what has been added, or has the driver copy a single page. Moves between two of these
 * calls are made in any order, also those of several launches. An error says which elements the
 * stream has got before it.
 */
kvf_status kvf_moves_submit(kvf_moves *moves);

#endif
