/* Tuned tables: which row a call gets. The ops here are made up; the device is the backend's own.
 */
#include "harness.h"
#include "kvforge/op.h"

/* Sorted as the generator writes them: by arch, then by size. */
static const kvf_tuned_row cpu_rows[] = {
    {0, 16, {1, 10}}, {0, 256, {2, 20}}, {0, INT64_MAX, {3, 30}}, {1, INT64_MAX, {9, 90}}};
static const kvf_tuned_row cuda_rows[] = {{80, 16, {1, 10}},
                                          {80, INT64_MAX, {2, 20}},
                                          {90, 16, {3, 30}},
                                          {90, INT64_MAX, {4, 40}},
                                          {1000, INT64_MAX, {9, 90}}};
static const kvf_tuned cpu_tuned = {.num_constants = 2,
                                    .names = {"a", "b"},
                                    .defaults = {7, 70},
                                    .rows = cpu_rows,
                                    .num_rows = TEST_COUNT(cpu_rows)};
static const kvf_tuned cuda_tuned = {.num_constants = 2,
                                     .names = {"a", "b"},
                                     .defaults = {7, 70},
                                     .rows = cuda_rows,
                                     .num_rows = TEST_COUNT(cuda_rows)};
static const kvf_tuned unmeasured = {.num_constants = 1, .names = {"a"}, .defaults = {5}};

static void expect_row(const kvf_op *op, int64_t size, int32_t a, int32_t b) {
  const kvf_exec exec = {.backend = options.backend};
  const kvf_check check = kvf_check_begin(op, &exec);
  const int32_t *values = kvf_tuned_values(&check, size);
  EXPECT(values[0] == a && values[1] == b, "size %lld: got %d, %d, want %d, %d", (long long)size,
         values[0], values[1], a, b);
  count_case(NULL);
}

static void test_row_of_a_size(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_op op = {.name = "made_up", .tuned = {&cpu_tuned, &cuda_tuned}};
  if (options.backend == KVF_CPU) { /* whose arch is 0 */
    expect_row(&op, 0, 1, 10);
    expect_row(&op, 16, 1, 10);
    expect_row(&op, 17, 2, 20);
    expect_row(&op, 256, 2, 20);
    expect_row(&op, 257, 3, 30);
    expect_row(&op, INT64_MAX, 3, 30);
    return;
  }
  const kvf_exec exec = {.backend = KVF_CUDA};
  const kvf_check check = kvf_check_begin(&op, &exec);
  const bool newer = kvf_check_arch(&check) >= 90;
  expect_row(&op, 16, newer ? 3 : 1, newer ? 30 : 10);
  expect_row(&op, 17, newer ? 4 : 2, newer ? 40 : 20);
}

static void test_no_row(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_op op = {.name = "made_up", .tuned = {&unmeasured, &unmeasured}};
  expect_row(&op, 1, 5, 0);
  const kvf_op none = {.name = "made_up"};
  expect_row(&none, 1, 0, 0);
}

static void test_constants_are_tried(void) {
  if (!need_backend()) {
    return;
  }
  const kvf_op op = {.name = "made_up", .tuned = {&cpu_tuned, &cuda_tuned}};
  const kvf_op other = {.name = "other", .tuned = {&unmeasured, &unmeasured}};
  const kvf_op none = {.name = "none"};
  const int32_t tried[KVF_MAX_TUNED] = {42, 43};
  EXPECT_STATUS(kvf_try_tuned(&op, options.backend, tried), KVF_OK);
  expect_row(&op, 1, 42, 43);
  expect_row(&other, 1, 5, 0);
  EXPECT_STATUS(kvf_try_tuned(&none, options.backend, tried), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "kvf_try_tuned: none has no tuned constants on this backend");
  EXPECT_STATUS(kvf_try_tuned(&op, (kvf_backend)7, tried), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_try_tuned(&op, options.backend, NULL), KVF_OK);
  expect_row(&other, 1, 5, 0);
  EXPECT_STATUS(kvf_try_tuned(NULL, options.backend, NULL), KVF_OK);
}

/* Every candidate that a table could hold, and every op's own table, is one that its kernels take:
 * rows are sorted, and each has a constant that is not 0. */
static void test_tables_are_sorted(void) {
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    const kvf_tuned *tuned = op->tuned[options.backend];
    for (int32_t j = 0; tuned != NULL && j < tuned->num_rows; ++j) {
      const kvf_tuned_row *row = &tuned->rows[j];
      EXPECT(row->values[0] != 0, "%s: row %d", op->name, j);
      EXPECT(j == 0 || row[-1].arch < row->arch ||
                 (row[-1].arch == row->arch && row[-1].up_to < row->up_to),
             "%s: row %d", op->name, j);
      count_case(NULL);
    }
  }
}

CU_TestInfo tuned_tests[] = {{"row of a size", test_row_of_a_size},
                             {"no row", test_no_row},
                             {"constants are tried", test_constants_are_tried},
                             {"tables are sorted", test_tables_are_sorted},
                             CU_TEST_INFO_NULL};
