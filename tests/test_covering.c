/* The covering arrays that the other suites rely on. */
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "harness.h"

static bool holds(const covering_row *rows, int count, const int pair[4]) {
  for (int i = 0; i < count; ++i) {
    if (rows[i].value[pair[0]] == pair[1] && rows[i].value[pair[2]] == pair[3]) {
      return true;
    }
  }
  return false;
}

static void check(const covering *plan, uint64_t seed) {
  int count = 0;
  int again = 0;
  int most = 0;
  covering_row *rows = covering_all(plan, seed, &count);
  covering_row *same = covering_all(plan, seed, &again);
  EXPECT(count == again && memcmp(rows, same, (size_t)count * sizeof *rows) == 0,
         "two covering arrays of one seed differ");
  for (int a = 0; a < plan->num_axes; ++a) {
    for (int b = a + 1; b < plan->num_axes; ++b) {
      const int product = plan->sizes[a] * plan->sizes[b];
      most = product > most ? product : most;
      for (int cell = 0; cell < product; ++cell) {
        const int pair[4] = {a, cell / plan->sizes[b], b, cell % plan->sizes[b]};
        EXPECT(holds(rows, count, pair), "axes %d, %d: values %d, %d never meet", a, b, pair[1],
               pair[3]);
      }
    }
  }
  EXPECT(count <= 3 * most, "%d rows where %d are the least", count, most);
  free(rows);
  free(same);
  count_case(NULL);
}

static void test_every_pair_occurs(void) {
  check(&(covering){.num_axes = 2, .sizes = {1, 1}}, 1);
  check(&(covering){.num_axes = 3, .sizes = {2, 2, 2}}, 2);
  check(&(covering){.num_axes = 12, .sizes = {5, 6, 5, 9, 7, 8, 16, 4, 6, 4, 2, 10}}, options.seed);
}

static double product_of_first_two(const covering_row *row, const void *context) {
  (void)context;
  return (row->value[0] + 1) * (row->value[1] + 1);
}

static void test_expensive_rows_are_few(void) {
  const covering plan = {
      .num_axes = 4, .sizes = {4, 4, 8, 8}, .cost = product_of_first_two, .limit = 6};
  int count = 0;
  int expensive = 0;
  covering_row *rows = covering_all(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    expensive += product_of_first_two(&rows[i], NULL) > plan.limit;
  }
  /* 3x3, 3x4, 4x2 and so on: six cells of the first two axes cost more than six. */
  EXPECT(expensive == 6, "%d expensive rows, want one for each of 6 pairs", expensive);
  free(rows);
  check(&plan, options.seed);

  covering bounded = plan;
  bounded.ceiling = plan.limit;
  rows = covering_all(&bounded, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    EXPECT(product_of_first_two(&rows[i], NULL) <= bounded.ceiling, "a row above the ceiling");
  }
  free(rows);
}

CU_TestInfo covering_tests[] = {
    {"every pair occurs", test_every_pair_occurs},
    {"expensive rows are few", test_expensive_rows_are_few},
    CU_TEST_INFO_NULL,
};
