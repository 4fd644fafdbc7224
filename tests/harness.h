/* What every suite is written with: options, expectations, skips, and a record of what ran. */
#ifndef KVF_TESTS_HARNESS_H
#define KVF_TESTS_HARNESS_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdint.h>

#include "kvforge/kvforge.h"

typedef struct test_options {
  kvf_backend backend;
  bool require;    /* a backend without a device is a failure, not a skip */
  bool exhaustive; /* minutes instead of seconds */
  int sample;      /* one row of so many of a matrix; 1: all. The first of them goes by the seed */
  uint64_t seed;
  const char *suite; /* NULL: all that are not hidden */
  const char *skip;  /* NULL: none */
} test_options;

extern test_options options;

enum { ON_CPU = 1 << KVF_CPU, ON_CUDA = 1 << KVF_CUDA, ON_BOTH = ON_CPU | ON_CUDA };

typedef struct test_suite {
  const char *name;
  const char *op; /* whose variants it runs; NULL: none in particular */
  int backends;   /* ON_... */
  bool hidden;    /* runs only when it is named: for suites that need a process of their own */
  CU_TestInfo *tests;
} test_suite;

/* tests/test_<op>.c defines <op>_tests; main.c finds it by that name. */
extern CU_TestInfo codec_tests[];
extern CU_TestInfo compat_tests[];
extern CU_TestInfo compat_nhd_tests[];
extern CU_TestInfo quotient_tests[];
extern CU_TestInfo dispatch_tests[];
extern CU_TestInfo first_use_tests[];
extern CU_TestInfo cuda_tests[];
extern CU_TestInfo first_capture_tests[];
extern CU_TestInfo driver_faults_tests[];
extern CU_TestInfo missing_driver_tests[];
extern CU_TestInfo unnamed_driver_tests[];
extern CU_TestInfo module_tests[];
extern CU_TestInfo covering_tests[];
extern CU_TestInfo round_trip_tests[];
extern CU_TestInfo indices_tests[];
extern CU_TestInfo float_mode_tests[];
extern CU_TestInfo prepared_tests[];
extern CU_TestInfo stacks_tests[];
extern CU_TestInfo public_tests[];
extern CU_TestInfo threads_tests[];
extern CU_TestInfo threads_variable_tests[];
extern CU_TestInfo tuned_tests[];

/* Records a failure with a sentence of its own unless `condition` holds. Main thread only. */
#define EXPECT(condition, ...) expect((condition), __FILE__, __LINE__, __VA_ARGS__)
__attribute__((format(printf, 4, 5))) bool expect(bool condition, const char *file, int line,
                                                  const char *format, ...);

/* The status is `want`; the message says what came instead. */
#define EXPECT_STATUS(got, want) expect_status((got), (want), __FILE__, __LINE__, #got)
bool expect_status(kvf_status got, kvf_status want, const char *file, int line, const char *what);

/* `text` contains `part`. */
#define EXPECT_TEXT(text, part) expect_text((text), (part), __FILE__, __LINE__)
bool expect_text(const char *text, const char *part, const char *file, int line);

/* The running test, or part of it, cannot run here. A test that only skips counts as skipped. */
__attribute__((format(printf, 1, 2))) void skip_test(const char *format, ...);
__attribute__((format(printf, 1, 2))) void skip_part(const char *format, ...);

/* One more case of the running suite; it ran `variant`, unless that is NULL. */
void count_case(const kvf_variant *variant);

/* What is being run, for the message if the process dies of a signal in it. */
void note_running(const char *what);

/* Makes a deadly signal say what was running. */
void catch_signals(void);

/* Opens the memory of the backend under test, or skips the running test with the reason. */
bool need_backend(void);

/*
 * Runs this program again for one suite, with one environment variable set, and expects success:
 * for what a process does only once.
 */
void run_alone(const char *suite, const char *variable, const char *value);

/* Deterministic numbers (splitmix64). */
uint64_t random_next(uint64_t *state);
static inline int64_t random_below(uint64_t *state, int64_t limit) {
  return (int64_t)(random_next(state) % (uint64_t)limit);
}

/* Of a normal distribution, nearly: no more than 6 from 0. */
double random_normal(uint64_t *state);

#define TEST_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
