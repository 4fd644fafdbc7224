/*
 * The keys and values of a real transformer through every K/V writer of the library: written to a
 * paged cache as an engine does (a prefill, then decoding token by token, in blocks scattered over
 * a larger pool), read back, and compared with the f32 originals, as are the attention outputs they
 * give.
 *
 * It is a check too: it fails unless f32 caches are exact and all others keep what their format
 * promises.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, isatty */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

static const char FIXTURE_NAME[] = "all-MiniLM-L6-v2 reading On the Origin of Species";

enum {
  DECODED = 32,         /* tokens written one at a time; the others are the prefill */
  PROMPT = 4096,        /* tokens of the call that is timed */
  BATCHES = 5,          /* of that call, of which the fastest counts */
  MAX_REPEATS = 100000, /* of that call in one batch */
  MAX_ROWS = 256        /* of the table */
};

static const double BATCH_SECONDS = 0.01;

typedef struct options {
  const char *fixture;
  const char *csv;
  kvf_backend backend;
} options;

/* One variant in one layout. */
typedef struct row {
  const kvf_variant *variant;
  const layout *shown;
  const storage *scalar;
  const storage *cache;
  int64_t token_bytes; /* of K and V in the cache, in one layer, with the scales that lie there */
  double rate;         /* bytes read and written per second */
  error key;
  error value;
  error output;
  double of_bound; /* the worst of K and V */
  bool passed;
} row;

/* What all rows are made from and compared with. */
typedef struct inputs {
  fixture data;
  float *output; /* attention on the f32 originals */
  extent prompt_size;
  float *prompt_key; /* the fixture's rows, repeated */
  float *prompt_value;
} inputs;

_Noreturn void fail(const char *message, ...) {
  va_list arguments;
  (void)fflush(stdout);
  (void)fprintf(stderr, "%sdemo: ", isatty(STDERR_FILENO) ? "\r\033[K" : "");
  va_start(arguments, message);
  (void)vfprintf(stderr, message, arguments);
  va_end(arguments);
  (void)fputc('\n', stderr);
  exit(1);
}

void *allocate(size_t count, size_t bytes) {
  void *const memory = calloc(count, bytes);
  if (memory == NULL) {
    fail("cannot allocate %zu times %zu bytes", count, bytes);
  }
  return memory;
}

/* ---- the command line
 * ---------------------------------------------------------------------------- */

static kvf_backend default_backend(void) {
  int32_t devices = 0;
  return kvf_cuda_device_count(&devices) == KVF_OK && devices > 0 ? KVF_CUDA : KVF_CPU;
}

static options parse(int argc, char **argv) {
  options given = {.backend = default_backend()};
  bool valid = argc == 3 || (argc == 5 && strcmp(argv[3], "--backend") == 0);
  if (valid && argc == 5) {
    valid = strcmp(argv[4], "cpu") == 0 || strcmp(argv[4], "cuda") == 0;
    given.backend = strcmp(argv[4], "cuda") == 0 ? KVF_CUDA : KVF_CPU;
  }
  if (!valid) {
    fail("usage: demo FIXTURE_DIR OUTPUT_CSV [--backend cpu|cuda]");
  }
  int32_t devices = 0;
  if (given.backend == KVF_CUDA && kvf_cuda_device_count(&devices) != KVF_OK) {
    fail("%s", kvf_last_error());
  }
  given.fixture = argv[1];
  given.csv = argv[2];
  return given;
}

/* ---- the walk over the dispatch table
 * -------------------------------------------------------------- */

/* What the demo leaves out. */
typedef struct left_out {
  const char *format; /* that it cannot read; NULL: it reads all */
  int variants;       /* that it could show, but that this library does not have */
  int ops;            /* that do not write the keys and values of tokens, one layer at a time */
} left_out;

static int find_rows_of(const kvf_variant *variant, row *rows, int count) {
  const layout *shown = NULL;
  for (int i = 0; (shown = layout_find(variant->op, i)) != NULL; i++) {
    if (count == MAX_ROWS) {
      fail("the library has more variants than the demo has room for (%d)", MAX_ROWS);
    }
    rows[count++] = (row){.variant = variant,
                          .shown = shown,
                          .scalar = storage_find(kvf_scalar_of(variant)),
                          .cache = storage_find(kvf_cache_of(variant))};
  }
  return count;
}

/* Fills `rows`, and `without` with what is not among them; the number of rows. */
static int find_rows(kvf_backend backend, row *rows, int *variants, left_out *without) {
  int count = 0;
  for (int32_t i = 0; i < kvf_num_ops(); i++) {
    const kvf_op *const op = kvf_get_op(i);
    if (layout_find(op, 0) == NULL) {
      without->ops += 1;
      continue;
    }
    for (int32_t j = 0; j < op->num_variants; j++) {
      const kvf_variant *const variant = &op->variants[j];
      if (variant->backend != backend) {
        continue;
      }
      if (storage_find(kvf_cache_of(variant)) == NULL) {
        without->format = kvf_dtype_name(kvf_cache_of(variant));
      } else if (!kvf_variant_built(variant)) {
        without->variants += 1;
      } else {
        count = find_rows_of(variant, rows, count);
        *variants += 1;
      }
    }
  }
  return count;
}

/* ---- one row
 * ---------------------------------------------------------------------------------------- */

static double seconds(void) {
  struct timespec now;
  (void)clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double time_writes(paged_cache *pages, const source *rows, int repeats) {
  const double start = seconds();
  for (int i = 0; i < repeats; i++) {
    cache_write(pages, rows, 0, 0, rows->size.tokens);
  }
  memory_wait();
  return seconds() - start;
}

/*
 * Writes a long prompt again and again: batches of 10 ms, of which the fastest counts, since
 * whatever else the machine does only ever adds time. Where one write takes longer than all batches
 * should (in an emulator), that is the measurement.
 */
static double measure_rate(const row *shown, const inputs *given, const float *scales) {
  const extent *const size = &given->prompt_size;
  source rows = source_make(shown->scalar, size, given->prompt_key, given->prompt_value);
  paged_cache pages = cache_make(shown->shown, shown->cache, size, scales);
  int repeats = 1;
  double best = time_writes(&pages, &rows, repeats);
  while (best < BATCH_SECONDS && repeats < MAX_REPEATS) {
    const double wanted = 1.2 * repeats * BATCH_SECONDS / fmax(best, 1e-9) + 1.0;
    repeats = (int)fmin(fmin(wanted, 50.0 * repeats), MAX_REPEATS);
    best = time_writes(&pages, &rows, repeats);
  }
  for (int i = 1; i < BATCHES && best < BATCHES * BATCH_SECONDS; i++) {
    best = fmin(best, time_writes(&pages, &rows, repeats));
  }
  const int64_t rows_written = 2 * size->tokens * size->heads;
  const int64_t bytes = rows_written * (storage_bytes(shown->scalar, size->head_size) +
                                        storage_bytes(shown->cache, size->head_size));
  cache_free(&pages);
  source_free(&rows);
  return repeats * (double)bytes / best;
}

static int64_t prefill_tokens(const extent *size) {
  return size->tokens > DECODED ? size->tokens - DECODED : size->tokens;
}

/* As an engine does: the prompt in one call for each layer, then token by token through the layers.
 */
static void write_sequence(paged_cache *pages, const source *rows) {
  const extent *const size = &rows->size;
  const int64_t prefill = prefill_tokens(size);
  for (int64_t layer = 0; layer < size->layers; layer++) {
    cache_write(pages, rows, layer, 0, prefill);
  }
  for (int64_t token = prefill; token < size->tokens; token++) {
    for (int64_t layer = 0; layer < size->layers; layer++) {
      cache_write(pages, rows, layer, token, 1);
    }
  }
  memory_wait();
}

static void compare(row *shown, const inputs *given, const float *scales, const readings *key,
                    const readings *value) {
  const fixture *const data = &given->data;
  const extent *const size = &data->size;
  const int64_t count = extent_elements(size);
  float *const output = allocate((size_t)count, sizeof *output);
  attention(size, data->query, key->numbers, value->numbers, output);
  shown->key = error_between(key->numbers, data->key, count);
  shown->value = error_between(value->numbers, data->value, count);
  shown->output = error_between(output, given->output, count);
  shown->of_bound = fmax(
      error_of_bound(shown->scalar, shown->cache, size, scales, key, data->key),
      error_of_bound(shown->scalar, shown->cache, size, scales + size->layers, value, data->value));
  shown->passed = shown->of_bound <= 1.0;
  if (shown->scalar->dtype == KVF_F32 && shown->cache == shown->scalar) {
    shown->passed = shown->passed && shown->output.max == 0.0;
  }
  free(output);
}

static readings readings_make(int64_t count) {
  return (readings){allocate((size_t)count, sizeof(float)), allocate((size_t)count, sizeof(float))};
}

static void readings_free(readings *read) {
  free(read->numbers);
  free(read->scales);
}

static void run_row(row *shown, const inputs *given) {
  const fixture *const data = &given->data;
  const extent *const size = &data->size;
  const int64_t count = extent_elements(size);
  float *const scales = allocate(2 * (size_t)size->layers, sizeof *scales);
  readings key = readings_make(count);
  readings value = readings_make(count);
  for (int64_t i = 0; i < 2 * size->layers; i++) {
    scales[i] = 1.0f;
  }
  if (shown->scalar != shown->cache) {
    scales_choose(shown->cache, size, data->key, scales);
    scales_choose(shown->cache, size, data->value, scales + size->layers);
  }
  source rows = source_make(shown->scalar, size, data->key, data->value);
  paged_cache pages = cache_make(shown->shown, shown->cache, size, scales);
  write_sequence(&pages, &rows);
  cache_read(&pages, scales, &key, &value);
  compare(shown, given, scales, &key, &value);
  shown->token_bytes = 2 * size->heads * storage_bytes(shown->cache, size->head_size);
  const float prompt_scales[2] = {scales[0], scales[size->layers]};
  shown->rate = measure_rate(shown, given, prompt_scales);
  cache_free(&pages);
  source_free(&rows);
  readings_free(&value);
  readings_free(&key);
  free(scales);
}

/* ---- inputs
 * -------------------------------------------------------------------------------------------- */

static float *repeat_rows(const float *rows, int64_t count, int64_t wanted) {
  float *const repeated = allocate((size_t)wanted, sizeof *repeated);
  for (int64_t i = 0; i < wanted; i++) {
    repeated[i] = rows[i % count];
  }
  return repeated;
}

static inputs load_inputs(const char *folder) {
  inputs given = {.data = fixture_load(folder)};
  const extent *const size = &given.data.size;
  const int64_t count = extent_elements(size);
  given.output = allocate((size_t)count, sizeof *given.output);
  attention(size, given.data.query, given.data.key, given.data.value, given.output);
  given.prompt_size = (extent){1, PROMPT, size->heads, size->head_size};
  const int64_t wanted = extent_elements(&given.prompt_size);
  given.prompt_key = repeat_rows(given.data.key, count, wanted);
  given.prompt_value = repeat_rows(given.data.value, count, wanted);
  return given;
}

static void free_inputs(inputs *given) {
  fixture_free(&given->data);
  free(given->output);
  free(given->prompt_key);
  free(given->prompt_value);
}

/* ---- the report
 * ---------------------------------------------------------------------------------------- */

static const char *place(kvf_backend backend) {
  return backend == KVF_CPU ? kvf_isa_name(kvf_cpu_isa()) : memory_device();
}

static void print_setting(kvf_backend backend, const extent *size) {
  const int64_t used = (size->tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
  const int64_t prefill = prefill_tokens(size);
  if (backend == KVF_CPU) {
    printf("kvforge %s, backend cpu, isa %s, on %s\n", kvf_version(), place(backend),
           memory_device());
  } else {
    printf("kvforge %s, backend cuda, on device 0, %s\n", kvf_version(), memory_device());
  }
  printf("data    %s:\n"
         "        %" PRId64 " layers x %" PRId64 " tokens x %" PRId64 " heads x %" PRId64
         " channels of Q, K and V in f32\n",
         FIXTURE_NAME, size->layers, size->tokens, size->heads, size->head_size);
  printf("pages   %" PRId64 " blocks of %d tokens, picked at random from a pool of %" PRId64 ";\n"
         "        %" PRId64 " tokens prefilled, then %" PRId64 " decoded one by one\n",
         used, BLOCK_SIZE, POOL * used, prefill, size->tokens - prefill);
  printf("scales  static ones are of K and of V of each layer, as in calibrated checkpoints: amax "
         "/ 448 for\n"
         "        fp8_e4m3, / 57344 for fp8_e5m2, / 127 for int8, and / 2688 for nvfp4, which has "
         "one in e4m3\n"
         "        for every 16 elements, too; per_token_head has f32 scales of its own beside the "
         "codes\n");
  printf(
      "errors  against the f32 originals; attention is softmax(Q K^T / sqrt(%" PRId64
      ")) V of every layer and head;\n"
      "        of bound: the worst K or V error as a part of what rounding may cost (half an ulp "
      "of each format);\n"
      "        scales are bytes of a token, too, but the static ones\n",
      size->head_size);
  printf("GB/s    of K and V read and written, for one layer of a prompt of %d tokens (the data, "
         "repeated),\n"
         "        which may fit a last-level cache; `ninja bench` measures memory\n",
         PROMPT);
}

/* What is not among the rows, in a line. */
static void print_left_out(const left_out *without) {
  printf("shown   are the writers of one layer's keys and values; not the other %d ops",
         without->ops);
  if (without->format != NULL) {
    printf(", nor %s", without->format);
  }
  if (without->variants > 0) {
    printf(", nor %d variants that were left out of this build", without->variants);
  }
  printf("\n");
}

static void print_heading(void) {
  printf("\n");
  printf("%-9s %-6s %-19s %7s %6s  %-17s  %-17s  %-17s %6s\n", "", "", "", "bytes/", "", "K error",
         "V error", "attention error", "of");
  printf("%-9s %-6s %-19s %7s %6s", "layout", "scalar", "cache", "token", "GB/s");
  for (int i = 0; i < 3; i++) {
    printf("  %-8s %-8s", "max", "rms");
  }
  printf(" %6s\n", "bound");
}

static void print_error(const error *shown) {
  if (shown->max == 0.0) {
    printf("  %-8s %-8s", "0", "0");
  } else {
    printf("  %8.2e %8.2e", shown->max, shown->rms);
  }
}

static void print_row(const row *shown, const row *before) {
  const kvf_op *const op = shown->variant->op;
  if (before == NULL || before->variant->op != op) {
    printf("%s\n", op->name);
  }
  printf("  %-7s %-6s %-19s %7" PRId64 " %6.2f", layout_name(shown->shown),
         kvf_dtype_name(shown->scalar->dtype), kvf_dtype_name(shown->cache->dtype),
         shown->token_bytes, 1e-9 * shown->rate);
  print_error(&shown->key);
  print_error(&shown->value);
  print_error(&shown->output);
  printf(" %5.0f%%%s\n", 100.0 * shown->of_bound, shown->passed ? "" : "  FAILED");
  (void)fflush(stdout);
}

/* On a terminal only, where the next row takes its place. */
static void print_progress(const row *shown, int done, int count) {
  if (isatty(STDERR_FILENO)) {
    (void)fprintf(stderr, "\r\033[K[%d/%d] %s, %s", done, count, shown->variant->symbol,
                  layout_name(shown->shown));
  }
}

static void clear_progress(void) {
  if (isatty(STDERR_FILENO)) {
    (void)fputs("\r\033[K", stderr);
  }
}

static void write_csv(const options *given, const row *rows, int count) {
  FILE *const file = fopen(given->csv, "w");
  if (file == NULL) {
    fail("%s: %s", given->csv, strerror(errno));
  }
  (void)fputs("fixture,backend,ran_on,op,layout,scalar,cache,bytes_per_token,bytes_per_second,"
              "key_max,key_rms,value_max,value_rms,attention_max,attention_rms,of_bound\n",
              file);
  for (int i = 0; i < count; i++) {
    const row *const shown = &rows[i];
    (void)fprintf(file, "\"%s\",%s,\"%s\",%s,%s,%s,%s,%" PRId64 ",%.6g", FIXTURE_NAME,
                  given->backend == KVF_CPU ? "cpu" : "cuda", place(given->backend),
                  shown->variant->op->name, layout_name(shown->shown),
                  kvf_dtype_name(shown->scalar->dtype), kvf_dtype_name(shown->cache->dtype),
                  shown->token_bytes, shown->rate);
    const error *const errors[] = {&shown->key, &shown->value, &shown->output};
    for (int j = 0; j < 3; j++) {
      (void)fprintf(file, ",%.6g,%.6g", errors[j]->max, errors[j]->rms);
    }
    (void)fprintf(file, ",%.6g\n", shown->of_bound);
  }
  const bool written = ferror(file) == 0;
  if (fclose(file) != 0 || !written) {
    fail("%s: cannot be written", given->csv);
  }
}

int main(int argc, char **argv) {
  const options given = parse(argc, argv);
  memory_open(given.backend);
  inputs loaded = load_inputs(given.fixture);
  print_setting(given.backend, &loaded.data.size);

  row rows[MAX_ROWS];
  int variants = 0;
  int failed = 0;
  left_out without = {0};
  const int count = find_rows(given.backend, rows, &variants, &without);
  const char *const backend = given.backend == KVF_CPU ? "cpu" : "cuda";
  if (count == 0) {
    fail("this library has no variant for backend %s that the demo can show", backend);
  }
  print_left_out(&without);
  print_heading();
  for (int i = 0; i < count; i++) {
    print_progress(&rows[i], i + 1, count);
    run_row(&rows[i], &loaded);
    clear_progress();
    print_row(&rows[i], i > 0 ? &rows[i - 1] : NULL);
    failed += rows[i].passed ? 0 : 1;
  }
  free_inputs(&loaded);
  write_csv(&given, rows, count);
  if (failed > 0) {
    fail("%d of %d rows on %s (%s) exceed the bounds of their formats", failed, count, backend,
         place(given.backend));
  }
  printf("\ndemo: %d variants on %s (%s), all within the bounds of their formats\n", variants,
         backend, place(given.backend));
  return 0;
}
