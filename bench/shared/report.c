#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kvforge/op.h"

/* ---- the command line --------------------------------------------------------------------------
 */

static int64_t read_number(const char *word, int64_t least, int64_t most) {
  char *end = NULL;
  const long long number = strtoll(word, &end, 10);
  if (end == word || *end != '\0' || number < least || number > most) {
    fprintf(stderr, "bench: %s: want a number from %lld to %lld\n", word, (long long)least,
            (long long)most);
    exit(2);
  }
  return number;
}

/* Whether a list of names, or NULL, has this one. */
static bool has(const char *list, const char *name) {
  const size_t length = strlen(name);
  for (const char *at = list; at != NULL; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '\0')) {
      return true;
    }
  }
  return list == NULL;
}

static void check_ops(const char *list) {
  char name[128];
  for (const char *at = list; at != NULL; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
    if (kvf_find_op(name) == NULL) {
      fprintf(stderr, "bench: %s\n", kvf_last_error());
      exit(2);
    }
  }
}

/* "128,4;256,2": constants of one candidate with commas, candidates with semicolons between them.
 */
static void read_tries(bench_options *options, const char *text) {
  int32_t constant = 0;
  options->num_tries = 1;
  for (const char *at = text; *at != '\0';) {
    const size_t length = strcspn(at, ",;");
    char number[16];
    (void)snprintf(number, sizeof number, "%.*s", (int)length, at);
    if (constant == KVF_MAX_TUNED || options->num_tries > BENCH_MAX_TRIES) {
      fprintf(stderr, "bench: --try %s: want at most %d candidates of %d constants\n", text,
              BENCH_MAX_TRIES, KVF_MAX_TUNED);
      exit(2);
    }
    options->tries[options->num_tries - 1][constant++] =
        (int32_t)read_number(number, INT32_MIN, INT32_MAX);
    options->num_constants = constant > options->num_constants ? constant : options->num_constants;
    at += length;
    if (*at == ';') {
      ++options->num_tries;
      constant = 0;
    }
    at += *at != '\0';
  }
}

void bench_read_options(bench_options *options, int argc, char **argv) {
  bool given = false;
  for (int i = 1; i < argc; ++i) {
    const struct {
      const char *flag;
      const char **list;
    } lists[] = {{"--ops", &options->ops},
                 {"--scalars", &options->scalars},
                 {"--caches", &options->caches},
                 {"--engine", &options->engine},
                 {"--json", &options->json}};
    bool taken = false;
    for (size_t j = 0; !taken && j < sizeof lists / sizeof *lists; ++j) {
      if (strcmp(argv[i], lists[j].flag) == 0 && i + 1 < argc) {
        *lists[j].list = argv[++i];
        taken = true;
      }
    }
    if (taken) {
      continue;
    }
    if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc) {
      options->rounds = read_number(argv[++i], 1, BENCH_MAX_ROUNDS);
    } else if (strcmp(argv[i], "--rotation") == 0 && i + 1 < argc) {
      options->rotation = (size_t)read_number(argv[++i], 0, 1 << 20) << 20;
    } else if (strcmp(argv[i], "--try") == 0 && i + 1 < argc) {
      read_tries(options, argv[++i]);
    } else if (strcmp(argv[i], "--programmatic") == 0) {
      options->programmatic = true;
    } else if (argv[i][0] == '-') {
      fprintf(stderr,
              "usage: %s [--ops A,B] [--scalars A,B] [--caches A,B] [--rounds N] "
              "[--rotation MIB] [--json FILE] [--try A,B;C,D [--engine TABLE]] [--programmatic] "
              "[TOKENS ...]\n",
              argv[0]);
      exit(2);
    } else {
      if (!given) {
        options->num_sizes = 0;
        given = true;
      }
      if (options->num_sizes == BENCH_MAX_SIZES) {
        fprintf(stderr, "bench: more than %d numbers of tokens\n", BENCH_MAX_SIZES);
        exit(2);
      }
      options->tokens[options->num_sizes++] = read_number(argv[i], 1, 1 << 24);
    }
  }
  check_ops(options->ops);
}

/* ---- all calls ---------------------------------------------------------------------------------
 */

/* Calls are told apart by dtypes; which of the variants of two runs one is for the library to say.
 */
static bool stands_for_all(const kvf_variant *variant) {
  for (int32_t i = 2; i < variant->op->num_axes; ++i) {
    if (variant->values[i] != KVF_OTHER) {
      return false;
    }
  }
  return true;
}

static bool is_wanted(const bench_options *options, const kvf_variant *variant,
                      kvf_backend backend) {
  return variant->backend == backend && kvf_variant_built(variant) && stands_for_all(variant) &&
         has(options->scalars, kvf_dtype_name(kvf_scalar_of(variant))) &&
         has(options->caches, kvf_dtype_name(kvf_cache_of(variant)));
}

/* How far a walk over all calls is. */
typedef struct walk {
  void (*measure)(bench_call *); /* NULL: they are counted */
  int32_t total;
  int32_t done;
  double start;
} walk;

/* How long it all takes, on stderr, told from the first calls: the table is on stdout. */
static void tell_duration(const walk *at) {
  enum { FIRST = 10 };
  if (at->done == FIRST && at->total > 2 * FIRST) {
    const double seconds = (bench_seconds() - at->start) / FIRST * at->total;
    fprintf(stderr, "bench: about %.0f %s in all, by the first %d of %d calls\n",
            seconds < 120 ? seconds : seconds / 60, seconds < 120 ? "seconds" : "minutes", FIRST,
            (int)at->total);
  }
}

static void walk_variant(const bench_options *options, const kvf_variant *variant,
                         const bench_op *op, walk *at) {
  for (int32_t i = 0; i < options->num_sizes; ++i) {
    for (int32_t form = 0; op->forms[form] != NULL; ++form) {
      bench_call call;
      if (bench_describe(&call, variant, op, form, options->tokens[i])) {
        ++at->done;
        if (at->measure != NULL) {
          at->measure(&call);
          tell_duration(at);
        }
      }
      bench_release(&call);
    }
  }
}

static void walk_all(const bench_options *options, kvf_backend backend, walk *at) {
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    if (bench_find(op) == NULL) {
      if (at->measure == NULL) {
        printf("%s: passed over, since bench/shared/ does not describe its calls\n", op->name);
      }
      continue;
    }
    for (int32_t j = 0; has(options->ops, op->name) && j < op->num_variants; ++j) {
      if (is_wanted(options, &op->variants[j], backend)) {
        walk_variant(options, &op->variants[j], bench_find(op), at);
      }
    }
  }
}

void bench_run(const bench_options *options, kvf_backend backend, void (*measure)(bench_call *)) {
  walk counted = {.measure = NULL};
  walk_all(options, backend, &counted);
  walk measured = {.measure = measure, .total = counted.done, .start = bench_seconds()};
  walk_all(options, backend, &measured);
}

int32_t bench_sets(const bench_options *options, const bench_call *call, int32_t limit) {
  const size_t bytes = call->set_bytes[BENCH_NEAR] + call->set_bytes[BENCH_HOST];
  const size_t sets = options->rotation / bytes + 1;
  return sets < (size_t)limit ? (int32_t)sets : limit;
}

static void make_step(const kvf_op *op, const kvf_exec *exec, const kvf_value *arguments,
                      int32_t count) {
  if (kvf_call(op, exec, arguments, count) != KVF_OK) {
    fprintf(stderr, "bench: %s\n", kvf_last_error());
    exit(1);
  }
}

void bench_make_call(const bench_call *call, const kvf_exec *exec) {
  for (int32_t i = 0; i < call->num_steps; ++i) {
    const int32_t first = call->steps[i].first;
    const int32_t end = i + 1 < call->num_steps ? call->steps[i + 1].first : call->num_arguments;
    make_step(call->steps[i].op, exec, call->arguments + first, end - first);
  }
  if (call->num_steps == 0) {
    make_step(call->variant->op, exec, call->arguments, call->num_arguments);
  }
}

bool bench_try(const bench_options *options, const bench_call *call, double (*time)(void *context),
               void *context) {
  const kvf_op *op = call->variant->op;
  const kvf_backend backend = call->variant->backend;
  if (options->num_tries == 0 || (options->engine == NULL && op->tuned[backend] == NULL)) {
    return false;
  }
  const kvf_exec exec = {.backend = backend};
  const kvf_check check = kvf_check_begin(op, &exec);
  for (int32_t i = 0; i < options->num_tries; ++i) {
    const kvf_status status = options->engine != NULL
                                  ? kvf_try_engine(options->engine, options->tries[i])
                                  : kvf_try_tuned(op, backend, options->tries[i]);
    if (status != KVF_OK) {
      fprintf(stderr, "bench: %s\n", kvf_last_error());
      exit(2);
    }
    const double us = time(context);
    /* An op's table goes by its number of tokens; the engine's are for the cases of all ops. */
    const bool engine = options->engine != NULL;
    printf("{\"table\": \"%s\", \"backend\": \"%s\", \"arch\": %d, \"size\": %lld, "
           "\"case\": \"%s %s %s %s\", \"values\": [",
           engine ? options->engine : op->name, backend == KVF_CPU ? "cpu" : "cuda",
           engine ? 0 : (int)kvf_check_arch(&check),
           engine ? (long long)call->moved : (long long)call->tokens, op->name,
           kvf_dtype_name(kvf_scalar_of(call->variant)),
           kvf_dtype_name(kvf_cache_of(call->variant)), call->form);
    for (int32_t j = 0; j < options->num_constants; ++j) {
      printf("%s%d", j > 0 ? ", " : "", options->tries[i][j]);
    }
    printf("], \"us\": %.3f}\n", us);
  }
  (void)kvf_try_tuned(NULL, backend, NULL);
  fflush(stdout);
  return true;
}

/* ---- numbers -----------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

double bench_median(double *values, int64_t count) {
  qsort(values, (size_t)count, sizeof *values, by_value);
  return values[count / 2];
}

double bench_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_thread_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void bench_print_call(const bench_call *call) {
  printf("%-38s %-8s %-19s %-19s", call->variant->op->name,
         kvf_dtype_name(kvf_scalar_of(call->variant)), kvf_dtype_name(kvf_cache_of(call->variant)),
         call->form);
}

void bench_keep(const bench_options *options, const bench_call *call, const bench_row *row) {
  static FILE *file; /* for the life of the process */
  if (options->json == NULL) {
    return;
  }
  if (file == NULL && (file = fopen(options->json, "w")) == NULL) {
    perror(options->json);
    exit(1);
  }
  fprintf(file,
          "{\"op\": \"%s\", \"scalar\": \"%s\", \"cache\": \"%s\", \"form\": \"%s\", "
          "\"tokens\": %lld, \"threads\": %d, \"isa\": \"%s\", \"gb_per_s\": %.3f, "
          "\"memcpy_gb_per_s\": %.3f, \"ratio\": %.4f, \"aim\": %.2f}\n",
          call->variant->op->name, kvf_dtype_name(kvf_scalar_of(call->variant)),
          kvf_dtype_name(kvf_cache_of(call->variant)), call->form, (long long)call->tokens,
          row->threads, kvf_isa_name(kvf_cpu_isa()), 1e-9 * row->rate, 1e-9 * row->memcpy,
          row->ratio, call->aim);
  fflush(file);
}

/* ---- what misses its aim -----------------------------------------------------------------------
 */

static struct {
  char **lines;
  size_t count;
  size_t aims;
} misses;

void bench_note(const bench_call *call, const char *how, double reached, double wanted) {
  if (wanted == 0) {
    return;
  }
  ++misses.aims;
  if (reached >= wanted) {
    return;
  }
  char line[256];
  (void)snprintf(line, sizeof line, "  %s %s %s, %s, %s: %.0f %% of %.0f %%",
                 call->variant->op->name, kvf_dtype_name(kvf_scalar_of(call->variant)),
                 kvf_dtype_name(kvf_cache_of(call->variant)), call->form, how, 100 * reached,
                 100 * wanted);
  misses.lines = realloc(misses.lines, (misses.count + 1) * sizeof *misses.lines);
  if (misses.lines == NULL || (misses.lines[misses.count++] = strdup(line)) == NULL) {
    perror("allocating");
    exit(1);
  }
}

void bench_print_misses(void) {
  printf("\n%zu of %zu calls reach their aim%s\n", misses.aims - misses.count, misses.aims,
         misses.count > 0 ? "; these do not:" : "");
  for (size_t i = 0; i < misses.count; ++i) {
    puts(misses.lines[i]);
    free(misses.lines[i]);
  }
  free(misses.lines);
}
