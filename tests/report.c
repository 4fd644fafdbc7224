#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"

/* The index of variants, as it is checked in: another list than the one in the library. */
#define KVF_VARIANT(backend_, op_, values_, symbol_) {#symbol_, #op_, #backend_},
static const struct {
  const char *symbol;
  const char *op;
  const char *backend;
} known[] = {
#include "../generated/kvf_kernels.inc"
};
#undef KVF_VARIANT

enum { MAX_SUITES = 64, MAX_SKIPS = 16 };

typedef struct suite_record {
  const char *name;
  long cases;
  clock_t time; /* of the processor, from the case before to the last one */
  bool ran[TEST_COUNT(known)];
  int skips;
  struct {
    char text[320];
    int times;
  } skip[MAX_SKIPS];
} suite_record;

static suite_record records[MAX_SUITES];
static clock_t last_case;
static CU_pTest last_skipped;
static int skipped_tests;

static suite_record *record(void) {
  const CU_pSuite suite = CU_get_current_suite();
  const char *name = suite ? suite->pName : "";
  suite_record *at = records;
  while (at->name != NULL && strcmp(at->name, name) != 0 && at < records + MAX_SUITES - 1) {
    ++at;
  }
  at->name = name;
  return at;
}

void report_skip(bool whole_test, const char *reason) {
  suite_record *suite = record();
  const CU_pTest test = CU_get_current_test();
  char text[320];
  (void)snprintf(text, sizeof text, "%s: %s", test ? test->pName : "", reason);
  if (whole_test && test != last_skipped) {
    last_skipped = test;
    ++skipped_tests;
  }
  for (int i = 0; i < suite->skips; ++i) {
    if (strcmp(suite->skip[i].text, text) == 0) {
      ++suite->skip[i].times;
      return;
    }
  }
  if (suite->skips < MAX_SKIPS) {
    memcpy(suite->skip[suite->skips].text, text, sizeof text);
    suite->skip[suite->skips++].times = 1;
  }
}

void report_case(const kvf_variant *variant) {
  suite_record *suite = record();
  ++suite->cases;
  const clock_t now = clock();
  suite->time += now - last_case;
  last_case = now;
  for (size_t i = 0; variant != NULL && i < TEST_COUNT(known); ++i) {
    if (strcmp(known[i].symbol, variant->symbol) == 0) {
      suite->ran[i] = true;
    }
  }
}

void report_suites(const test_suite *suites, int count) {
  for (int i = 0; i < count; ++i) {
    for (const suite_record *at = records; at < records + MAX_SUITES && at->name; ++at) {
      if (strcmp(at->name, suites[i].name) != 0) {
        continue;
      }
      int variants = 0;
      for (size_t k = 0; k < TEST_COUNT(known); ++k) {
        variants += at->ran[k];
      }
      (void)printf("%-40s %6ld cases, %2d variants covered, %6.1f s of CPU time\n", at->name,
                   at->cases, variants, (double)at->time / CLOCKS_PER_SEC);
      for (int k = 0; k < at->skips; ++k) {
        (void)printf("    skipped: %s", at->skip[k].text);
        if (at->skip[k].times > 1) {
          (void)printf(" (%d times)", at->skip[k].times);
        }
        (void)printf("\n");
      }
    }
  }
}

int report_skipped_tests(void) { return skipped_tests; }

long report_cases(void) {
  long cases = 0;
  for (const suite_record *at = records; at < records + MAX_SUITES; ++at) {
    cases += at->cases;
  }
  return cases;
}

/* Whether a body is made for one arch ("__sm90a"), and the device is of another. */
static bool is_for_another(const char *symbol) {
  const char *arch = strstr(symbol, "__sm");
  return arch != NULL && arch[strlen(arch) - 1] == 'a' && atoi(arch + strlen("__sm")) != cuda.arch;
}

int report_variants_not_run(const char *op) {
  const char *backend = options.backend == KVF_CPU ? "cpu" : "cuda";
  int missing = 0;
  for (size_t i = 0; i < TEST_COUNT(known); ++i) {
    if (strcmp(known[i].backend, backend) != 0 || (op != NULL && strcmp(known[i].op, op) != 0) ||
        !kvf_variant_built(kvf_find_variant(known[i].symbol)) || is_for_another(known[i].symbol)) {
      continue;
    }
    bool ran = false;
    for (const suite_record *at = records; at < records + MAX_SUITES; ++at) {
      ran = ran || at->ran[i];
    }
    if (!ran) {
      (void)printf("no test ran %s\n", known[i].symbol);
      ++missing;
    }
  }
  return missing;
}
