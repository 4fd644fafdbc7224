/*
 * The CPU backend against memcpy: every op's bytes per second beside a plain memcpy that moves as
 * many bytes, on the same number of threads, in turn, in one run. Tensors rotate over more memory
 * than the last-level cache holds. Ends with the host cost of one call, and with the calls that are
 * slower than they should be: 80 % of memcpy when bits are copied, 50 % when they are converted.
 *
 * bench_cpu [--ops A,B] [--scalars A,B] [--caches A,B] [--rounds N] [--rotation MIB]
 *           [--json FILE] [--try A,B;C,D [--engine TABLE]] [TOKENS ...]
 * Default: everything, 5 rounds, 160 MiB, 4096 tokens.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvforge/op.h"
#include "shared/report.h"

static bench_options options = {
    .rounds = 5, .rotation = (size_t)160 << 20, .tokens = {4096}, .num_sizes = 1};

enum { VALID = 0x3C }; /* bytes of a small number in each dtype */

/* Memory that is kept from call to call, since fresh pages cost more than what is measured. */
typedef struct arena {
  char *memory;
  size_t bytes;
} arena;

/* At least so many bytes. */
static char *take(arena *from, size_t bytes) {
  enum { LINE = 64 };
  if (bytes > from->bytes) {
    free(from->memory);
    from->bytes = (bytes + LINE - 1) / LINE * LINE;
    from->memory = aligned_alloc(LINE, from->bytes);
    if (from->memory == NULL) {
      perror("allocating");
      exit(1);
    }
    memset(from->memory, VALID, bytes);
  }
  return from->memory;
}

static void store(bench_place place, void *to, const void *from, size_t bytes) {
  (void)place;
  memcpy(to, from, bytes);
}

typedef struct copy_params {
  char *to;
  const char *from;
} copy_params;

static void copy_bytes(const void *params, int64_t begin, int64_t end) {
  const copy_params *p = params;
  memcpy(p->to + begin, p->from + begin, (size_t)(end - begin));
}

static void copy(char *to, const char *from, size_t bytes, int threads) {
  kvf_parallel_for(copy_bytes, &(copy_params){to, from}, (int64_t)bytes, 2, threads);
}

/* The tensors of set `index`, in memory that holds one set behind the other. */
static void place(bench_call *call, char *memory, int32_t index) {
  char *set = memory + (call->set_bytes[BENCH_NEAR] + call->set_bytes[BENCH_HOST]) * (size_t)index;
  bench_place_in(call, (char *[]){set, set + call->set_bytes[BENCH_NEAR]});
}

/* A walk over the sets of a call, which goes on where it was left. */
typedef struct rotation {
  bench_call *call;
  char *memory;
  char *plain;
  int32_t sets;
  int32_t next;
  int threads;
} rotation;

/* Of calls and of copies in turns, as many as a round takes: seconds of both, and how many. */
typedef struct turns {
  double ours;
  double theirs;
  int32_t count;
} turns;

/* One thread's own time, where there is one: others may use the machine too. */
static double now(const rotation *of) {
  return of->threads == 1 ? bench_thread_seconds() : bench_seconds();
}

static turns take_turns(rotation *of) {
  const double seconds = 0.03;
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = of->threads};
  const size_t half = of->call->moved / 2;
  turns taken = {0, 0, 0};
  while (taken.count < of->sets && taken.ours < seconds) {
    place(of->call, of->memory, of->next);
    char *from = of->plain + 2 * half * (size_t)of->next;
    const double begin = now(of);
    bench_make_call(of->call, &exec);
    const double middle = now(of);
    copy(from + half, from, half, of->threads);
    taken.ours += middle - begin;
    taken.theirs += now(of) - middle;
    ++taken.count;
    of->next = (of->next + 1) % of->sets;
  }
  return taken;
}

/* Prints one row: GB/s of the op and of memcpy, and their ratio as the median of pairs. */
static void measure_with(bench_call *call, char *memory, char *plain, int32_t sets, int threads) {
  rotation of = {call, memory, plain, sets, 0, threads};
  double ours[BENCH_MAX_ROUNDS];
  double theirs[BENCH_MAX_ROUNDS];
  double ratio[BENCH_MAX_ROUNDS];
  (void)take_turns(&of); /* warms up */
  for (int64_t round = 0; round < options.rounds; ++round) {
    const turns taken = take_turns(&of);
    const double bytes = (double)call->moved * taken.count;
    ours[round] = bytes / taken.ours;
    theirs[round] = bytes / taken.theirs;
    ratio[round] = taken.theirs / taken.ours;
  }
  const bench_row row = {threads, bench_median(ours, options.rounds),
                         bench_median(theirs, options.rounds), bench_median(ratio, options.rounds)};
  bench_print_call(call);
  printf(" %7lld %7d %9.2f %9.2f %7.0f %%\n", (long long)call->tokens, threads, 1e-9 * row.rate,
         1e-9 * row.memcpy, 100 * row.ratio);
  fflush(stdout);
  char how[64];
  (void)snprintf(how, sizeof how, "%lld tokens, %d threads", (long long)call->tokens, threads);
  bench_note(call, how, row.ratio, call->aim);
  bench_keep(&options, call, &row);
}

/* A call and the memory of its sets. */
typedef struct calls {
  bench_call *call;
  char *memory;
  int32_t sets;
} calls;

/* Microseconds of a call, on one thread unless it is threads that are tuned: the median of the
 * rounds. */
static double time_calls(void *context) {
  const calls *c = context;
  const bool all = options.engine != NULL && strcmp(options.engine, "threads") == 0;
  const kvf_exec exec = {.backend = KVF_CPU, .num_threads = all ? 0 : 1};
  double rounds[BENCH_MAX_ROUNDS];
  for (int64_t round = -1; round < options.rounds; ++round) { /* round -1 warms up */
    double seconds = 0;
    for (int32_t set = 0; set < c->sets; ++set) {
      place(c->call, c->memory, set);
      const double begin = bench_seconds();
      bench_make_call(c->call, &exec);
      seconds += bench_seconds() - begin;
    }
    if (round >= 0) {
      rounds[round] = seconds / c->sets * 1e6;
    }
  }
  return bench_median(rounds, options.rounds);
}

static void measure(bench_call *call) {
  static arena tensors;
  static arena copies;
  const int32_t sets = bench_sets(&options, call, 1 << 16);
  const size_t set_bytes = call->set_bytes[BENCH_NEAR] + call->set_bytes[BENCH_HOST];
  char *memory = take(&tensors, set_bytes * (size_t)sets);
  char *plain = take(&copies, call->moved * (size_t)sets);
  memset(memory, VALID, set_bytes * (size_t)sets);
  for (int32_t set = 0; set < sets; ++set) {
    char *at = memory + set_bytes * (size_t)set;
    bench_fill(call, (char *[]){at, at + call->set_bytes[BENCH_NEAR]}, store);
  }
  if (bench_try(&options, call, time_calls, &(calls){call, memory, sets})) {
    return;
  }
  measure_with(call, memory, plain, sets, 1);
  if (kvf_num_threads() > 1) {
    measure_with(call, memory, plain, sets, kvf_num_threads());
  }
}

/*
 * Nanoseconds of one call for one token, argument checks included, and of a table lookup: the
 * median of many short batches, which fit into a slice of a core that others use too.
 */
static void measure_calls(void) {
  enum { CALLS = 1000, BATCHES = 1001 };
  const kvf_op *op = &kvf_op_reshape_and_cache_flash;
  const kvf_variant *variant = kvf_select(op, KVF_CPU, KVF_BF16, KVF_BF16);
  if (variant == NULL) {
    printf("\none call: skipped: %s\n", kvf_last_error());
    return;
  }
  const kvf_exec exec = {.backend = KVF_CPU};
  static arena tensors;
  bench_call call;
  bench_describe(&call, variant, bench_find(op), BENCH_SHUFFLED, 1);
  char *memory = take(&tensors, call.set_bytes[BENCH_NEAR]);
  bench_fill(&call, (char *[]){memory, memory}, store);
  place(&call, memory, 0);
  static double call_ns[BATCHES];
  static double select_ns[BATCHES];
  for (int64_t round = 0; round < BATCHES; ++round) {
    double begin = bench_seconds();
    for (int i = 0; i < CALLS; ++i) {
      bench_make_call(&call, &exec);
    }
    call_ns[round] = (bench_seconds() - begin) / CALLS * 1e9;
    begin = bench_seconds();
    volatile const kvf_variant *found = NULL;
    for (int i = 0; i < CALLS; ++i) {
      found = kvf_select(op, KVF_CPU, KVF_BF16, KVF_BF16);
    }
    (void)found;
    select_ns[round] = (bench_seconds() - begin) / CALLS * 1e9;
  }
  printf("\none call of %s, 1 token, bf16, checks included: %.0f ns; kvf_select: %.1f ns\n",
         op->name, bench_median(call_ns, BATCHES), bench_median(select_ns, BATCHES));
  bench_release(&call);
  free(tensors.memory);
}

int main(int argc, char **argv) {
  bench_read_options(&options, argc, argv);
  printf("kvforge %s, isa %s, %d threads at most\n"
         "GB/s count bytes read and written; memcpy moves as many; ratio is the median of pairs\n\n"
         "%-38s %-8s %-19s %-19s %7s %7s %9s %9s %9s\n",
         kvf_version(), kvf_isa_name(kvf_cpu_isa()), kvf_num_threads(), "op", "scalar", "cache",
         "form", "tokens", "threads", "GB/s", "memcpy", "ratio");
  bench_run(&options, KVF_CPU, measure);
  measure_calls();
  bench_print_misses();
  return 0;
}
