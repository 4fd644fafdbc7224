/* Caches on their way to another machine: pages, wire buffers and their digests. */
#include "call.h"

/* A wire of 2 planes of rows of 8 heads of 128 elements of 2 bytes for each token. */
enum { ROW_BYTES = 2 * 8 * 128 * 2, UNIT = 16384 };

static bool describe_checksum(bench_call *call, int32_t form) {
  (void)form;
  const int64_t bytes = call->tokens * ROW_BYTES;
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(bytes));
  bench_add_int(call, UNIT);
  bench_add(call, (DLDataType){kDLInt, 64, 1}, BENCH_SHAPE(bench_pieces(bytes, UNIT)));
  bench_add_none(call);
  bench_add_none(call);
  bench_moves(call, (size_t)bytes, 0.80);
  return true;
}

const bench_op bench_transfer[] = {
    {"kv_checksum", {"contiguous"}, describe_checksum},
    {NULL, {NULL}, NULL},
};
