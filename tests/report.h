/* What ran: cases, variants and skips of each suite, against the table of variants. */
#ifndef KVF_TESTS_REPORT_H
#define KVF_TESTS_REPORT_H

#include "harness.h"

void report_skip(bool whole_test, const char *reason);
void report_case(const kvf_variant *variant);

/* Prints one block for each suite that ran. */
void report_suites(const test_suite *suites, int count);

/* Tests that only skipped. */
int report_skipped_tests(void);
long report_cases(void);

/* Prints every variant of the index, of the backend under test, built, that no case ran; of one op,
 * or of all for NULL. Returns their number. */
int report_variants_not_run(const char *op);

#endif
