/* The ops of hisparse: rows of 656 bytes of a pool in host memory, 64 at most for a request. */
#include "call.h"

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

const bench_op bench_hot_rows[] = {
    {"hisparse_gather_compact", BENCH_ORDERS, describe_compact},
    {"hisparse_gather_plan", BENCH_ORDERS, describe_plan},
    {"hisparse_invalidate_written_slots", BENCH_ORDERS, describe_invalidate},
    {NULL, {NULL}, NULL},
};
