/* What is measured, by the command line, and what of it is slower than it should be. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "call.h"

enum { BENCH_MAX_SIZES = 16, BENCH_MAX_ROUNDS = 99, BENCH_MAX_TRIES = 64 };

typedef struct bench_options {
  const char *ops; /* names with commas between them; NULL: all */
  const char *scalars;
  const char *caches;
  int64_t rounds;
  size_t rotation; /* bytes that the sets of a call are at least, together */
  int64_t tokens[BENCH_MAX_SIZES];
  int32_t num_sizes;
  int32_t tries[BENCH_MAX_TRIES][KVF_MAX_TUNED]; /* tuned constants to compare; see bench_try() */
  int32_t num_tries;
  int32_t num_constants; /* of each of them */
  const char *engine;    /* they are those of this table of the engine; NULL: of the op */
  const char *json;      /* file for the rows, a line of JSON each; NULL: none */
  bool programmatic;     /* kvf_exec.programmatic of CUDA calls */
} bench_options;

/*
 * Reads [--ops A,B] [--scalars A,B] [--caches A,B] [--rounds N] [--rotation MIB] [--json FILE]
 * [--try A,B;C,D [--engine TABLE]] [--programmatic] [TOKENS ...] over what `options` holds. Ends
 * the program with a sentence if it can't.
 */
void bench_read_options(bench_options *options, int argc, char **argv);

/*
 * Measures every call that the options leave: all built variants of all ops, in all forms. Says
 * which ops nobody has described.
 */
void bench_run(const bench_options *options, kvf_backend backend, void (*measure)(bench_call *));

/* How many sets of a call make a rotation, `limit` at most. */
int32_t bench_sets(const bench_options *options, const bench_call *call, int32_t limit);

/*
 * Of a call of an op that has tuned constants, or of any op if the engine's are tried: takes the
 * time with each of those that are to be compared, in microseconds, and prints it as a line of JSON
 * for bench/tune.py. False when none are.
 */
bool bench_try(const bench_options *options, const bench_call *call, double (*time)(void *context),
               void *context);

/* Calls the op; ends the program with its sentence if it is refused. */
void bench_make_call(const bench_call *call, const kvf_exec *exec);

/* Sorts; the middle one. */
double bench_median(double *values, int64_t count);

double bench_seconds(void);

/* Of this thread's own time, since others may want its core. */
double bench_thread_seconds(void);

/* Prints "op scalar cache form", in columns. */
void bench_print_call(const bench_call *call);

/* Notes that a call reached this part of a copy's speed, and which part is wanted (0: none). */
void bench_note(const bench_call *call, const char *how, double reached, double wanted);

/* A row for --json, for bench/compare.py and bench/roofline.py. */
typedef struct bench_row {
  int threads;
  double rate;   /* bytes per second */
  double memcpy; /* of a memcpy of as many bytes, in turns */
  double ratio;  /* the median of pairs */
} bench_row;
void bench_keep(const bench_options *options, const bench_call *call, const bench_row *row);

/* Prints which calls missed their aim. */
void bench_print_misses(void);

#endif
