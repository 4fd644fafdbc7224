/* Caches on their way to another machine: pages, wire buffers and their digests. */
#include "call.h"

/*
 * Tokens of 4 layers of keys, 8 heads of 128 elements of 2 bytes: pages of 16 tokens, wire blocks
 * of 64, in which tokens are within heads or, as in pages, heads within tokens.
 */
enum { HEADS = 8, HEAD_SIZE = 128, BLOCK = 16, WIRE_BLOCK = 64, UNIT = 16384 };
enum { ROW_BYTES = BENCH_LAYERS * HEADS * HEAD_SIZE * 2 };
enum { HEADS_OUTSIDE = 2 }; /* a form, behind the orders of slots */
static const double CUDA_AIM = 0.85;

static void add_pages(bench_call *call) {
  bench_add_list(call, bench_type(KVF_F16),
                 BENCH_SHAPE(bench_pieces(call->tokens, BLOCK), BLOCK, HEADS, HEAD_SIZE));
}

static void add_wire(bench_call *call) {
  bench_add(call, BENCH_BYTE,
            BENCH_SHAPE(bench_pieces(call->tokens, WIRE_BLOCK) * WIRE_BLOCK * ROW_BYTES));
}

static void add_layout(bench_call *call, int32_t form) {
  bench_add_slots(call, call->tokens, form == HEADS_OUTSIDE ? BENCH_SHUFFLED : form);
  bench_add_string(call, form == HEADS_OUTSIDE ? "LKHNC" : "LKNHC");
  bench_add_int(call, WIRE_BLOCK);
  bench_add_string(call, "auto");
  bench_add_string(call, "auto");
}

static void add_rest(bench_call *call) {
  bench_add_int(call, 0);
  bench_add_int(call, 0);
  bench_moves(call, (size_t)(call->tokens * (2 * ROW_BYTES + 8)), CUDA_AIM);
}

static bool describe_pack(bench_call *call, int32_t form) {
  add_pages(call);
  add_wire(call);
  add_layout(call, form);
  bench_add_empty_list(call);
  bench_add_none(call);
  add_rest(call);
  return true;
}

static bool describe_unpack(bench_call *call, int32_t form) {
  add_wire(call);
  add_pages(call);
  add_layout(call, form);
  bench_add_none(call);
  bench_add_empty_list(call);
  bench_add_none(call);
  add_rest(call);
  return true;
}

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

/* Pages of 16 tokens to pages of 48. */
static bool describe_relayout(bench_call *call, int32_t form) {
  enum { TO_BLOCK = 48 };
  add_pages(call);
  const int64_t blocks = bench_pieces(call->tokens, TO_BLOCK);
  bench_add_list(call, bench_type(KVF_F16), BENCH_SHAPE(blocks, TO_BLOCK, HEADS, HEAD_SIZE));
  bench_add_slots(call, call->tokens, form);
  bench_add_slots(call, call->tokens, BENCH_CONSECUTIVE);
  bench_add_string(call, "auto");
  bench_add_string(call, "auto");
  bench_add_empty_list(call);
  bench_add_empty_list(call);
  bench_add_int(call, 0);
  bench_moves(call, (size_t)(call->tokens * (2 * ROW_BYTES + 16)), CUDA_AIM);
  return true;
}

const bench_op bench_transfer[] = {
    {"kv_checksum", {"contiguous"}, describe_checksum},
    {"kv_pack", {"shuffled", "consecutive", "heads outside"}, describe_pack},
    {"kv_relayout", BENCH_ORDERS, describe_relayout},
    {"kv_unpack", {"shuffled", "consecutive", "heads outside"}, describe_unpack},
    {NULL, {NULL}, NULL},
};
