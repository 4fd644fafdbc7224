#include "ops/shared/moves.h"

#include <inttypes.h>

#include "core/error.h"
#include "ops/shared/pages.h"

enum {
  LARGEST = 1 << 30,   /* bytes of a page */
  LARGE_PARAMS = 12010 /* the version of CUDA since which kernels have 32 KB of parameters */
};
_Static_assert(sizeof(kvf_moves_launch) <= 32764, "as many bytes as parameters can have");

kvf_status kvf_can_move(const kvf_check *check, const kvf_pages sides[2], int64_t pages,
                        int64_t page_bytes, bool *can) {
  int version = 0;
  kvf_status status = KVF_OK;
  *can = pages <= KVF_MOVED_PAGES && page_bytes <= LARGEST;
  for (int i = 0; i < 2 && *can && status == KVF_OK; ++i) {
    status = kvf_cuda_is_near(check, (uint64_t)(uintptr_t)sides[i].data, can);
  }
  if (*can && status == KVF_OK) {
    status = kvf_cuda_version(check, &version);
  }
  *can = *can && version >= LARGE_PARAMS;
  return status;
}

void kvf_moves_begin(kvf_moves *moves, const kvf_check *check, const kvf_variant *variant,
                     const char *argument, const kvf_pages sides[2], int64_t page_bytes) {
  const uint64_t bits = (uint64_t)page_bytes | (uintptr_t)sides[0].data | (uintptr_t)sides[1].data |
                        (uint64_t)sides[0].stride | (uint64_t)sides[1].stride;
  const int32_t *width = variant->vectors;
  while (bits % (uint64_t)*width != 0) {
    ++width;
  }
  moves->check = check;
  moves->variant = variant;
  moves->argument = argument;
  moves->first = 0;
  moves->launch.moves.sides[0] = sides[0];
  moves->launch.moves.sides[1] = sides[1];
  moves->launch.moves.page_bytes = page_bytes;
  moves->launch.moves.vector_bytes = *width;
  moves->launch.moves.count = 0;
  moves->launch.beside = 0;
}

/* A thread block has a vector of each thread until there are blocks for a large device, then up to
 * KVF_PAGE_UNROLL of each. Returns how many blocks share the moves. */
static int64_t share_out(kvf_page_moves *launch, int64_t vectors) {
  enum { BLOCKS = 512, FEWEST = 8 /* log2 of KVF_PAGE_THREADS */, MOST = 10 };
  _Static_assert(1 << FEWEST == KVF_PAGE_THREADS, "a vector of each");
  _Static_assert(1 << MOST == KVF_PAGE_THREADS * KVF_PAGE_UNROLL, "all that a thread can have");
  launch->block_shift = FEWEST;
  while (launch->block_shift < MOST && (vectors * launch->count) >> launch->block_shift > BLOCKS) {
    ++launch->block_shift;
  }
  launch->part_shift = kvf_page_part_shift(vectors, INT64_C(1) << launch->block_shift);
  return ((launch->count - 1) >> (launch->block_shift - launch->part_shift)) + 1;
}

static kvf_status launch_all(kvf_moves *moves) {
  kvf_page_moves *launch = &moves->launch.moves;
  const int64_t vectors = launch->page_bytes / launch->vector_bytes;
  const int64_t shares = share_out(launch, vectors);
  const kvf_grid grid = {
      .grid = {(uint32_t)((vectors - 1) >> launch->part_shift) + 1, (uint32_t)shares, 1},
      .block = {KVF_PAGE_THREADS, 1, 1}};
  kvf_check check = *moves->check;
  int version = 0;
  kvf_status status = moves->launch.beside ? kvf_cuda_version(&check, &version) : KVF_OK;
  moves->launch.beside = version >= KVF_CUDA_EARLY_CAPTURED;
  check.exec.programmatic = check.exec.programmatic || moves->launch.beside;
  return status == KVF_OK ? kvf_cuda_run(&check, moves->variant, &moves->launch, &grid) : status;
}

static kvf_status copy_one(kvf_moves *moves) {
  uint64_t ends[2];
  size_t bytes = (size_t)moves->launch.moves.page_bytes;
  for (int side = 0; side < 2; ++side) {
    const kvf_pages *pages = &moves->launch.moves.sides[side];
    ends[side] = (uintptr_t)pages->data + (uint64_t)(moves->last[side] * pages->stride);
  }
  kvf_cuda_copies copy = {.to = &ends[1], .from = &ends[0], .bytes = &bytes, .count = 1};
  const kvf_status status = kvf_cuda_copy(moves->check, &copy);
  moves->first += (int64_t)copy.enqueued;
  return status;
}

static kvf_status submit(kvf_moves *moves) {
  kvf_page_moves *launch = &moves->launch.moves;
  if (launch->count == 0) {
    return KVF_OK;
  }
  const kvf_status status = launch->count == 1 ? copy_one(moves) : launch_all(moves);
  launch->count = 0;
  return status == KVF_OK    ? status
         : moves->first == 0 ? kvf_error_add(status, "; enqueued: nothing of %s", moves->argument)
                             : kvf_error_add(status, "; enqueued: elements 0 to %" PRId64 " of %s",
                                             moves->first - 1, moves->argument);
}

kvf_status kvf_moves_submit(kvf_moves *moves) {
  const kvf_status status = submit(moves);
  moves->launch.beside = 0;
  return status;
}

kvf_status kvf_moves_add(kvf_moves *moves, int64_t element, int64_t source, int64_t target) {
  kvf_page_moves *launch = &moves->launch.moves;
  kvf_status status = KVF_OK;
  if (launch->count == KVF_MAX_MOVES) {
    status = submit(moves);
    moves->launch.beside = 1;
  }
  const int64_t pages[] = {source, target};
  const int32_t i = launch->count++;
  moves->first = i == 0 ? element : moves->first;
  for (int side = 0; side < 2; ++side) {
    moves->last[side] = pages[side];
    launch->low[side][i] = (uint16_t)pages[side];
    launch->middle[side][i] = (uint8_t)(pages[side] >> 16);
  }
  launch->high[i] = (uint8_t)(source >> 24 | target >> 24 << 4);
  return status;
}
