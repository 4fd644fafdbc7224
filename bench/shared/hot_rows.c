/* The ops of hisparse: rows of 656 bytes of a pool in host memory, 64 at most for a request. */
#include "call.h"

#include <stdlib.h>

enum { ROW = 656, PAGE = 64, COLUMNS = 64, STATES = 256, HOT = 2048 };
static const double CUDA_AIM = 0.85;

/* Pairs of a call in rows of a plan: [requests, columns]. */
typedef struct bench_plan {
  int64_t requests;
  int64_t columns;
} bench_plan;

static bench_plan plan_of(int64_t tokens) {
  const int64_t columns = tokens < COLUMNS ? tokens : COLUMNS;
  return (bench_plan){tokens / columns, columns};
}

static int64_t *filled(int64_t count, int64_t value) {
  int64_t *numbers = bench_order(count, false);
  for (int64_t i = 0; i < count; ++i) {
    numbers[i] = value;
  }
  return numbers;
}

/* The pool, which a GPU reads across the link, the pages, and a plan that loads every row. */
static void add_rows(bench_call *call, bench_plan plan, int32_t form) {
  const int64_t rows = plan.requests * plan.columns;
  const bench_place place = call->variant->backend == KVF_CUDA ? BENCH_HOST : BENCH_NEAR;
  call->from = place;
  bench_add_tensor(call, bench_memory(call, place, BENCH_BYTE, BENCH_SHAPE(rows, ROW)));
  bench_add(call, BENCH_BYTE, BENCH_SHAPE(bench_pieces(rows, PAGE), PAGE, ROW));
  bench_add_integers(call, BENCH_NEAR, 32, bench_order(rows, form == BENCH_SHUFFLED),
                     BENCH_SHAPE(plan.requests, plan.columns));
  bench_add_integers(call, BENCH_NEAR, 32, bench_order(rows, false),
                     BENCH_SHAPE(plan.requests, plan.columns));
}

static bool describe_compact(bench_call *call, int32_t form) {
  const bench_plan plan = plan_of(call->tokens);
  const int64_t rows = plan.requests * plan.columns;
  add_rows(call, plan, form);
  bench_add_integers(call, BENCH_NEAR, 32, filled(plan.requests, plan.columns),
                     BENCH_SHAPE(plan.requests));
  bench_moves(call, (size_t)(rows * (2 * ROW + 8) + 4 * plan.requests), CUDA_AIM);
  return true;
}

static bool describe_plan(bench_call *call, int32_t form) {
  const bench_plan plan = plan_of(call->tokens);
  const int64_t rows = plan.requests * plan.columns;
  add_rows(call, plan, form);
  bench_add_integers(call, BENCH_NEAR, 32, filled(rows, 1),
                     BENCH_SHAPE(plan.requests, plan.columns));
  bench_add_none(call);
  bench_add_none(call);
  bench_add_int(call, 0);
  bench_moves(call, (size_t)(rows * (2 * ROW + 12)), CUDA_AIM);
  return true;
}

/* Every token looks through all slots of its state, 2048; those of a state are read once at least.
 */
static bool describe_invalidate(bench_call *call, int32_t form) {
  const int64_t states = call->tokens < STATES ? call->tokens : STATES;
  int64_t *owners = bench_order(call->tokens, false);
  for (int64_t i = 0; i < call->tokens; ++i) {
    owners[i] %= states;
  }
  bench_add_integers(call, BENCH_NEAR, 32, bench_order(states * HOT, form == BENCH_SHUFFLED),
                     BENCH_SHAPE(states, HOT));
  bench_add_integers(call, BENCH_NEAR, 32, bench_order(states, false), BENCH_SHAPE(states));
  bench_add_integers(call, BENCH_NEAR, 32, owners, BENCH_SHAPE(call->tokens));
  bench_add_integers(call, BENCH_NEAR, 64, filled(call->tokens, states * HOT),
                     BENCH_SHAPE(call->tokens));
  bench_moves(call, (size_t)(states * (HOT + 1) * 4 + call->tokens * 12), 0);
  call->aim = 0; /* it searches, which no copy does */
  return true;
}

/* What the steps of a call share. */
typedef struct residency {
  int64_t requests;
  int64_t columns;
  bench_tensor *pool, *pages, *table, *places, *held, *order, *mask, *attention;
} residency;

static void add_step(bench_call *call, const residency *of, const bench_tensor *references) {
  bench_begin_step(call, &kvf_op_hisparse_resolve_residency);
  bench_add_tensor(call, of->pool);
  bench_add_tensor(call, of->pages);
  bench_add_tensor(call, of->table);
  bench_add_tensor(call, references);
  bench_add_tensor(call, of->places);
  bench_add_tensor(call, of->held);
  bench_add_tensor(call, of->order);
  bench_add_none(call);
  bench_add_int(call, of->columns);
  bench_add_int(call, of->columns);
  bench_add_tensor(call, of->mask);
  bench_add_none(call);
  bench_add_tensor(call, of->attention);
  bench_add_int(call, PAGE);
  for (int i = 0; i < 2; ++i) {
    bench_add_none(call);
  }
  bench_add_int(call, 0);
  for (int i = 0; i < 6; ++i) {
    bench_add_none(call);
  }
  bench_add_int(call, 0);
  bench_add_int(call, 0);
}

/* `offset` and the numbers behind it, for each request in an order of its own. */
static bench_tensor *references_from(bench_call *call, const residency *of, int64_t offset) {
  int64_t *rows = bench_order(of->requests * of->columns, false);
  int64_t *order = bench_order(of->columns, true);
  for (int64_t i = 0; i < of->requests * of->columns; ++i) {
    rows[i] = order[(i % of->columns + i / of->columns) % of->columns] + offset;
  }
  free(order);
  return bench_integers(call, BENCH_NEAR, 32, rows, BENCH_SHAPE(of->requests, of->columns));
}

static int64_t *make_slots(const residency *of) {
  int64_t *slots = bench_order(of->requests * of->columns, false);
  for (int64_t i = 0; i < of->requests * of->columns; ++i) {
    slots[i] %= of->columns;
  }
  return slots;
}

/*
 * A token is a reference, and a request has as many slots as references, 2048 at most: the second
 * step finds none of the rows that it wants, nor does the first one of the next call. With one
 * step, calls behind the first find all of them.
 */
static bool describe_resolve(bench_call *call, int32_t form) {
  const int64_t columns = call->tokens < HOT ? call->tokens : HOT;
  residency of = {.requests = bench_pieces(call->tokens, columns), .columns = columns};
  const int64_t blocks = bench_pieces(columns, PAGE);
  const DLDataType number = {kDLInt, 32, 1};
  const int64_t plan[] = {of.requests, of.columns};
  of.pool = bench_memory(call, BENCH_HOST, BENCH_BYTE, BENCH_SHAPE(2 * of.columns, 1));
  of.pages = bench_memory(call, BENCH_NEAR, BENCH_BYTE, BENCH_SHAPE(of.requests * blocks, PAGE, 1));
  of.table = bench_integers(call, BENCH_NEAR, 32, bench_order(of.requests * blocks, true),
                            BENCH_SHAPE(of.requests, blocks));
  of.places = bench_memory(call, BENCH_NEAR, number, 2, plan);
  of.held = bench_integers(call, BENCH_NEAR, 32, filled(of.requests * columns, -1), 2, plan);
  of.order = bench_integers(call, BENCH_NEAR, 16, make_slots(&of), 2, plan);
  of.mask = bench_memory(call, BENCH_NEAR, number, 2, plan);
  of.attention = bench_memory(call, BENCH_NEAR, number, 2, plan);
  for (int step = 0; step <= form; ++step) {
    add_step(call, &of, references_from(call, &of, step * of.columns));
  }
  /* A reference, three numbers for it; of a slot, its row and twice its place in the order. */
  bench_moves(call, (size_t)((form + 1) * of.requests * columns) * (4 + 12 + 4 + 4), 0);
  call->aim = 0;
  return true;
}

const bench_op bench_hot_rows[] = {
    {"hisparse_gather_compact", BENCH_ORDERS, describe_compact},
    {"hisparse_gather_plan", BENCH_ORDERS, describe_plan},
    {"hisparse_invalidate_written_slots", BENCH_ORDERS, describe_invalidate},
    {"hisparse_resolve_residency", {"hits", "misses, two calls"}, describe_resolve},
    {NULL, {NULL}, NULL},
};
