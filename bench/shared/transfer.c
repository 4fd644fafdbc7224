/* Caches on their way to another machine: pages, wire buffers and their digests. */
#include "call.h"

/*
 * Tokens of 4 layers of keys, 8 heads of 128 elements of f16: pages of 16 tokens, wire blocks of
 * 64, in which tokens are within heads or, as in pages, heads within tokens. The variant that
 * converts has fp8 on the wire, with one scale or, in a form of its own, one for each token and
 * head.
 */
enum { HEADS = 8, HEAD_SIZE = 128, BLOCK = 16, WIRE_BLOCK = 64, UNIT = 16384 };
enum { ROWS = BENCH_LAYERS * HEADS, ROW_BYTES = ROWS * HEAD_SIZE * 2 }; /* of a token */
enum { HEADS_OUTSIDE = 2, ROW_SCALES }; /* forms, behind the orders of slots */
#define FORMS {"shuffled", "consecutive", "heads outside", "scales of rows"}

static bool converts(const bench_call *call) { return kvf_scalar_of(call->variant) != KVF_B8; }

/* Bytes of a token on the wire. */
static int64_t wire_row(const bench_call *call, int32_t form) {
  return !converts(call) ? ROW_BYTES : ROW_BYTES / 2 + (form == ROW_SCALES ? 4 * ROWS : 0);
}

/* Reads and writes `bytes` of a token. Of a copy's speed 85 % on the device and 90 % on the CPU. */
static void moves(bench_call *call, int64_t bytes) {
  bench_moves(call, (size_t)(call->tokens * bytes), converts(call) ? 0.75 : 0.85);
  if (call->variant->backend == KVF_CPU) {
    call->aim = converts(call) ? 0.50 : 0.90;
  }
}

static void add_pages(bench_call *call) {
  bench_add_list(call, bench_type(KVF_F16),
                 BENCH_SHAPE(bench_pieces(call->tokens, BLOCK), BLOCK, HEADS, HEAD_SIZE));
}

static void add_wire(bench_call *call, int32_t form) {
  bench_add(
      call, BENCH_BYTE,
      BENCH_SHAPE(bench_pieces(call->tokens, WIRE_BLOCK) * WIRE_BLOCK * wire_row(call, form)));
}

static void add_slots(bench_call *call, int32_t form) {
  bench_add_slots(call, call->tokens, form >= HEADS_OUTSIDE ? BENCH_SHUFFLED : form);
  bench_add_string(call, form == HEADS_OUTSIDE ? "LKHNC" : "LKNHC");
  bench_add_int(call, WIRE_BLOCK);
}

static const char *wire_word(const bench_call *call, int32_t form) {
  return !converts(call) ? "auto" : form == ROW_SCALES ? "fp8_per_token_head" : "fp8";
}

static void add_wire_scales(bench_call *call, int32_t form) {
  if (converts(call) && form != ROW_SCALES) {
    bench_add_ones(call, BENCH_SHAPE(1));
  } else {
    bench_add_none(call);
  }
}

static bool describe_pack(bench_call *call, int32_t form) {
  add_pages(call);
  add_wire(call, form);
  add_slots(call, form);
  bench_add_string(call, "auto");
  bench_add_string(call, wire_word(call, form));
  bench_add_empty_list(call);
  add_wire_scales(call, form);
  bench_add_int(call, 0);
  bench_add_int(call, 0);
  moves(call, ROW_BYTES + wire_row(call, form) + 8);
  return converts(call) || form != ROW_SCALES;
}

static bool describe_unpack(bench_call *call, int32_t form) {
  add_wire(call, form);
  add_pages(call);
  add_slots(call, form);
  bench_add_string(call, wire_word(call, form));
  bench_add_string(call, "auto");
  add_wire_scales(call, form);
  bench_add_empty_list(call);
  bench_add_none(call);
  bench_add_int(call, 0);
  bench_add_int(call, 0);
  moves(call, ROW_BYTES + wire_row(call, form) + 8);
  return converts(call) || form != ROW_SCALES;
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

/* Pages of 16 tokens to pages of 48; those of fp8 have a scale for each token and head. */
static bool describe_relayout(bench_call *call, int32_t form) {
  enum { TO_BLOCK = 48 };
  const int64_t blocks = bench_pieces(call->tokens, TO_BLOCK);
  add_pages(call);
  bench_add_list(call, converts(call) ? BENCH_BYTE : bench_type(KVF_F16),
                 BENCH_SHAPE(blocks, TO_BLOCK, HEADS, HEAD_SIZE));
  bench_add_slots(call, call->tokens, form);
  bench_add_slots(call, call->tokens, BENCH_CONSECUTIVE);
  bench_add_string(call, "auto");
  bench_add_string(call, wire_word(call, ROW_SCALES));
  bench_add_empty_list(call);
  if (converts(call)) {
    bench_add_list(call, BENCH_F32, BENCH_SHAPE(blocks, TO_BLOCK, HEADS));
  } else {
    bench_add_empty_list(call);
  }
  bench_add_int(call, 0);
  moves(call, ROW_BYTES + wire_row(call, ROW_SCALES) + 16);
  return true;
}

const bench_op bench_transfer[] = {
    {"kv_checksum", {"contiguous"}, describe_checksum},
    {"kv_pack", FORMS, describe_pack},
    {"kv_relayout", BENCH_ORDERS, describe_relayout},
    {"kv_unpack", FORMS, describe_unpack},
    {NULL, {NULL}, NULL},
};
