/* The ops on whole pages: 32 KiB each, 16 tokens of 8 heads of 128 elements of 16 bits. */
#include "call.h"

#include <stdlib.h>

enum { PAGE_TOKENS = 16, PAGE = PAGE_TOKENS * 8 * 128 * 2 };

/* Pairs of a page below `pages` and one from `pages` on; rows of [pages, 2]. */
static int64_t *make_pairs(int64_t pages, int64_t offset, int32_t form) {
  int64_t *pairs = bench_order(2 * pages, false);
  int64_t *order = bench_order(pages, form == BENCH_SHUFFLED);
  for (int64_t i = 0; i < pages; ++i) {
    pairs[2 * i] = i;
    pairs[2 * i + 1] = offset + order[i];
  }
  free(order);
  return pairs;
}

static bool describe_copy(bench_call *call, int32_t form) {
  const bool joint = call->variant->op == &kvf_op_copy_blocks_mla;
  const int64_t pages = bench_pieces(call->tokens, (int64_t)PAGE_TOKENS * BENCH_LAYERS);
  for (int i = 0; i < (joint ? 1 : 2); ++i) {
    bench_add_list(call, BENCH_BYTE, BENCH_SHAPE(2 * pages, PAGE));
  }
  bench_add_integers(call, BENCH_NEAR, 64, make_pairs(pages, pages, form), BENCH_SHAPE(pages, 2));
  bench_moves(call, (size_t)(pages * BENCH_LAYERS * (joint ? 2 : 4)) * PAGE, 0.95);
  return true;
}

static bool describe_zero(bench_call *call, int32_t form) {
  const int64_t pages = bench_pieces(call->tokens, (int64_t)PAGE_TOKENS * BENCH_LAYERS);
  bench_add_list(call, BENCH_BYTE, BENCH_SHAPE(pages, PAGE));
  bench_add_integers(call, BENCH_NEAR, 64, bench_order(pages, form == BENCH_SHUFFLED),
                     BENCH_SHAPE(pages));
  bench_moves(call, (size_t)(pages * BENCH_LAYERS) * PAGE, 0.95);
  return true;
}

/* ---- copies between memories -------------------------------------------------------------------
 */

#define SWAPS                                                                                      \
  {"shuffled", "consecutive", "to device", "to device, in order", "to host", "to host, in order"}

/* Between which places; false for what only a device has. */
static bool set_direction(bench_call *call, int32_t form) {
  call->transfer = true;
  call->from = form / 2 == 1 ? BENCH_HOST : BENCH_NEAR;
  call->to = form / 2 == 2 ? BENCH_HOST : BENCH_NEAR;
  return call->variant->backend == KVF_CUDA || form / 2 == 0;
}

static double transfer_aim(const bench_call *call) {
  return call->from == BENCH_NEAR && call->to == BENCH_NEAR ? 0.95 : 0.85;
}

static bool describe_swap(bench_call *call, int32_t form) {
  const int64_t pages = bench_pieces(call->tokens, PAGE_TOKENS);
  if (!set_direction(call, form)) {
    return false;
  }
  for (int i = 0; i < 2; ++i) {
    const bench_tensor *cache =
        bench_memory(call, i == 0 ? call->from : call->to, BENCH_BYTE, BENCH_SHAPE(pages, PAGE));
    bench_add_tensor(call, cache);
  }
  bench_add_int(call, PAGE);
  bench_add_integers(call, BENCH_HOST, 64, make_pairs(pages, 0, form % 2), BENCH_SHAPE(pages, 2));
  bench_moves(call, (size_t)(2 * pages) * PAGE, transfer_aim(call));
  return true;
}

static bool describe_swap_batch(bench_call *call, int32_t form) {
  const int64_t pages = bench_pieces(call->tokens, PAGE_TOKENS);
  if (!set_direction(call, form)) {
    return false;
  }
  for (int i = 0; i < 2; ++i) {
    const bench_tensor *cache =
        bench_memory(call, i == 0 ? call->from : call->to, BENCH_BYTE, BENCH_SHAPE(pages, PAGE));
    int64_t *offsets = bench_order(pages, i == 1 && form % 2 == BENCH_SHUFFLED);
    for (int64_t j = 0; j < pages; ++j) {
      offsets[j] *= PAGE;
    }
    bench_add_integers(call, BENCH_HOST, 64, offsets, BENCH_SHAPE(pages))->target = cache;
  }
  int64_t *sizes = bench_order(pages, false);
  for (int64_t i = 0; i < pages; ++i) {
    sizes[i] = PAGE;
  }
  bench_add_integers(call, BENCH_HOST, 64, sizes, BENCH_SHAPE(pages));
  bench_moves(call, (size_t)(2 * pages) * PAGE, transfer_aim(call));
  return true;
}

const bench_op bench_pages[] = {
    {"copy_blocks", BENCH_ORDERS, describe_copy},
    {"copy_blocks_mla", BENCH_ORDERS, describe_copy},
    {"zero_blocks", BENCH_ORDERS, describe_zero},
    {"swap_blocks", SWAPS, describe_swap},
    {"swap_blocks_batch", SWAPS, describe_swap_batch},
    {NULL, {NULL}, NULL},
};
