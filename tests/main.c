/*
 * kvf_tests: the C test suites.
 *
 *   kvf_tests [--backend cpu|cuda] [--require] [--exhaustive] [--seed N]
 *             [--suite NAME [--try A,B]] [--skip NAME]
 *
 * --skip: all suites but this one, as by who counts lines that others reach, too.
 * --try: the suite's op is launched with these tuned constants, whatever its table says.
 * CPU variants run at the isa level that KVFORGE_ISA names; CUDA needs libcuda, or the library that
 * KVFORGE_LIBCUDA names. Exit status 0: every test passed, and every variant of the backend that
 * the library holds was run.
 */
#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "kvforge/op.h"
#include "memory.h"
#include "report.h"

/*
 * A suite for each op of the registry: <op>_tests of tests/test_<op>.c, found by that name, so that
 * nothing is listed here. One that is not there is NULL, and a failure.
 */
#define KVF_OP(ns, op) __attribute__((weak)) extern CU_TestInfo op##_tests[];
#include "../generated/kvf_ops.inc"
#undef KVF_OP

static const test_suite suites[] = {
    {"covering", NULL, ON_CPU, false, covering_tests},
    {"codec", NULL, ON_BOTH, false, codec_tests},
    {"quotient", NULL, ON_CPU, false, quotient_tests},
    {"dispatch", NULL, ON_BOTH, false, dispatch_tests},
    {"cuda", NULL, ON_CUDA, false, cuda_tests},
    {"public", NULL, ON_BOTH, false, public_tests},
    {"threads", NULL, ON_CPU, false, threads_tests},
    {"tuned", NULL, ON_BOTH, false, tuned_tests},
    {"prepared", NULL, ON_BOTH, false, prepared_tests},
    {"stacks", NULL, ON_CPU, false, stacks_tests},
    {"float_mode", NULL, ON_CPU, false, float_mode_tests},
#define KVF_OP(ns, op) {#op, #op, ON_BOTH, false, op##_tests},
#include "../generated/kvf_ops.inc"
#undef KVF_OP
    {"round_trip", NULL, ON_BOTH, false, round_trip_tests},
    {"indices", NULL, ON_BOTH, false, indices_tests},
    {"compat", NULL, ON_CUDA, false, compat_tests},
    {"first_use", NULL, ON_BOTH, true, first_use_tests},
    {"first_capture", NULL, ON_CUDA, true, first_capture_tests},
    {"driver_faults", NULL, ON_CUDA, true, driver_faults_tests},
    {"missing_driver", NULL, ON_BOTH, true, missing_driver_tests},
    {"unnamed_driver", NULL, ON_BOTH, true, unnamed_driver_tests},
    {"compat_nhd", NULL, ON_CUDA, true, compat_nhd_tests},
    {"module", NULL, ON_BOTH, true, module_tests},
    {"threads_variable", NULL, ON_CPU, true, threads_variable_tests},
};

static void usage(FILE *to) {
  (void)fprintf(to, "usage: kvf_tests [--backend cpu|cuda] [--require] [--exhaustive] [--sample N] "
                    "[--seed N] [--suite NAME [--try A,B]] [--skip NAME]\nsuites:");
  for (size_t i = 0; i < TEST_COUNT(suites); ++i) {
    (void)fprintf(to, " %s", suites[i].name);
  }
  (void)fprintf(to, "\n");
}

/* What --try says; NULL: nothing. */
static const char *tried;

/* Whether the suite's op takes these constants from now on. */
static bool try_constants(void) {
  int32_t values[KVF_MAX_TUNED] = {0};
  const kvf_op *op = options.suite != NULL ? kvf_find_op(options.suite) : NULL;
  const kvf_tuned *tuned = op != NULL ? op->tuned[options.backend] : NULL;
  const char *at = tried;
  for (int32_t i = 0; tuned != NULL && i < tuned->num_constants; ++i) {
    char *end = NULL;
    values[i] = (int32_t)strtol(at, &end, 10);
    if (end == at || *end != (i + 1 < tuned->num_constants ? ',' : '\0')) {
      return false;
    }
    at = end + 1;
  }
  return tuned != NULL && kvf_try_tuned(op, options.backend, values) == KVF_OK;
}

static bool read_options(int count, char **arguments) {
  for (int i = 1; i < count; ++i) {
    const char *name = arguments[i];
    const char *next = i + 1 < count ? arguments[i + 1] : "";
    if (strcmp(name, "--require") == 0) {
      options.require = true;
    } else if (strcmp(name, "--exhaustive") == 0) {
      options.exhaustive = true;
    } else if (strcmp(name, "--backend") == 0 && strcmp(next, "cpu") == 0) {
      options.backend = KVF_CPU;
      ++i;
    } else if (strcmp(name, "--backend") == 0 && strcmp(next, "cuda") == 0) {
      options.backend = KVF_CUDA;
      ++i;
    } else if (strcmp(name, "--sample") == 0 && atoi(next) > 0) {
      options.sample = atoi(next);
      ++i;
    } else if (strcmp(name, "--seed") == 0 && next[0] != '\0') {
      options.seed = strtoull(next, NULL, 0);
      ++i;
    } else if (strcmp(name, "--suite") == 0 && next[0] != '\0') {
      options.suite = next;
      ++i;
    } else if (strcmp(name, "--skip") == 0 && next[0] != '\0') {
      options.skip = next;
      ++i;
    } else if (strcmp(name, "--try") == 0 && next[0] != '\0') {
      tried = next;
      ++i;
    } else {
      return false;
    }
  }
  return true;
}

/* Whether the library holds a variant of the suite's op; a suite of no op in particular has one. */
static bool is_built(const test_suite *suite) {
  bool built = suite->op == NULL;
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int32_t k = 0; suite->op && strcmp(op->name, suite->op) == 0 && k < op->num_variants;
         ++k) {
      const kvf_variant *variant = &op->variants[k];
      built = built || (variant->backend == options.backend && kvf_variant_built(variant));
    }
  }
  return built;
}

/* In place of the tests of an op of which nothing is built. */
static void test_nothing(void) { skip_test("no variant of this op is built"); }
static CU_TestInfo nothing_tests[] = {{"variants", test_nothing}, CU_TEST_INFO_NULL};

static bool chosen(const test_suite *suite) {
  const bool named = options.suite ? strcmp(options.suite, suite->name) == 0 : !suite->hidden;
  const bool skipped = options.skip != NULL && strcmp(options.skip, suite->name) == 0;
  return named && !skipped && suite->tests != NULL && (suite->backends >> options.backend & 1);
}

/* Every op of the registry has a suite. */
static int ops_without_suite(void) {
  int missing = 0;
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    bool found = false;
    for (size_t k = 0; k < TEST_COUNT(suites); ++k) {
      found = found ||
              (suites[k].tests && suites[k].op && strcmp(suites[k].op, kvf_get_op(i)->name) == 0);
    }
    if (!found) {
      (void)printf("op %s has no suite: want %s_tests in tests/test_%s.c\n", kvf_get_op(i)->name,
                   kvf_get_op(i)->name, kvf_get_op(i)->name);
      ++missing;
    }
  }
  return missing;
}

static int variants_not_run(void) {
  if (options.suite == NULL && options.skip == NULL) {
    return report_variants_not_run(NULL);
  }
  int missing = 0;
  for (size_t i = 0; i < TEST_COUNT(suites); ++i) {
    if (chosen(&suites[i]) && suites[i].op) {
      missing += report_variants_not_run(suites[i].op);
    }
  }
  return missing;
}

static bool register_suites(void) {
  int registered = 0;
  for (size_t i = 0; i < TEST_COUNT(suites); ++i) {
    if (!chosen(&suites[i])) {
      continue;
    }
    CU_TestInfo *tests = is_built(&suites[i]) ? suites[i].tests : nothing_tests;
    CU_SuiteInfo info[] = {{suites[i].name, NULL, NULL, NULL, NULL, tests}, CU_SUITE_INFO_NULL};
    if (CU_register_suites(info) != CUE_SUCCESS) {
      (void)fprintf(stderr, "CUnit: %s\n", CU_get_error_msg());
      return false;
    }
    ++registered;
  }
  return registered > 0;
}

int main(int count, char **arguments) {
  if (!read_options(count, arguments) || (tried != NULL && !try_constants()) ||
      CU_initialize_registry() != CUE_SUCCESS || !register_suites()) {
    usage(stderr);
    return 2;
  }
#if !defined(__SANITIZE_ADDRESS__) /* which says more itself */
  catch_signals();
#endif
  (void)setvbuf(stdout, NULL, _IOLBF, 0);
  if (options.suite == NULL || strcmp(options.suite, "first_use") != 0) {
    /* That suite makes the library's first call itself. */
    (void)printf("kvforge %s, backend %s, isa %s, seed %llu%s\n", kvf_version(),
                 options.backend == KVF_CPU ? "cpu" : "cuda", kvf_isa_name(kvf_cpu_isa()),
                 (unsigned long long)options.seed, options.exhaustive ? ", exhaustive" : "");
  }
  CU_basic_set_mode(CU_BRM_NORMAL);
  (void)CU_basic_run_tests();
  (void)printf("\n");
  report_suites(suites, (int)TEST_COUNT(suites));

  int broken = options.suite == NULL ? ops_without_suite() : 0;
  const bool no_device = memory_open(options.backend) != NULL;
  if (no_device && options.require) {
    (void)printf("every case of backend cuda was skipped: %s\n", memory_open(options.backend));
    ++broken;
  } else if (!no_device) {
    broken += variants_not_run();
  }
  const int failed = (int)CU_get_number_of_tests_failed();
  const int skipped = report_skipped_tests();
  (void)printf("%ld cases\n", report_cases());
  (void)printf("%d passed, %d failed, %d skipped\n",
               (int)CU_get_number_of_tests_run() - failed - skipped, failed + broken, skipped);
  CU_cleanup_registry();
  return failed + broken == 0 ? 0 : 1;
}
