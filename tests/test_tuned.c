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

/* The engine's tables are tried by name; what a call stores past the caches tells that they are. */
static void test_tables_of_the_engine(void) {
  if (options.backend != KVF_CPU) {
    return;
  }
  const int32_t small[KVF_MAX_TUNED] = {1};
  const int32_t large[KVF_MAX_TUNED] = {INT32_MAX};
  EXPECT(kvf_cpu_streams(INT64_MAX) == 1 && kvf_cpu_streams(0) == 0, "without a row");
  EXPECT_STATUS(kvf_try_engine("streaming", small), KVF_OK);
  EXPECT(kvf_cpu_streams(1024) == 1 && kvf_cpu_streams(1023) == 0, "1 KiB");
  EXPECT_STATUS(kvf_try_engine("streaming", large), KVF_OK);
  EXPECT(kvf_cpu_streams((int64_t)1 << 40) == 0, "2 TiB");
  EXPECT_STATUS(kvf_try_engine("threads", small), KVF_OK);
  EXPECT(kvf_cpu_streams(INT64_MAX) == 1 && kvf_cpu_streams(1024) == 0, "one table at a time");
  EXPECT_STATUS(kvf_try_engine("nothing", small), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "kvf_try_engine: no table nothing, want one of threads, streaming");
  EXPECT_STATUS(kvf_try_engine(NULL, NULL), KVF_OK);
}

/* The parts that a tried table divides work into, which are those of its constants. */
typedef struct parts {
  _Atomic int64_t calls;
  _Atomic int64_t units;
} parts;

static void count_part(const void *params, int64_t begin, int64_t end) {
  parts *counted = *(parts *const *)params;
  counted->calls += 1;
  counted->units += end - begin;
}

/* The caller is to do all parts: the team, where it rests, would have it do all in one. */
static void leave_all(void *context, int32_t threads, void (*work)(void *job), void *job) {
  (void)context, (void)threads, (void)work, (void)job;
}

static void expect_parts(const int32_t *tuned, int64_t units, int64_t bytes, int64_t calls) {
  parts counted = {0};
  const parts *at = &counted;
  EXPECT_STATUS(kvf_try_engine("threads", tuned), KVF_OK);
  static const kvf_pool pool = {.run = leave_all, .num_threads = 2};
  kvf_set_pool(&pool);
  kvf_parallel_for(count_part, &at, units, bytes, 2);
  kvf_set_pool(NULL);
  EXPECT(counted.units == units, "%lld units", (long long)counted.units);
  EXPECT(counted.calls == calls, "%lld calls, want %lld", (long long)counted.calls,
         (long long)calls);
  EXPECT_STATUS(kvf_try_engine(NULL, NULL), KVF_OK);
  count_case(NULL);
}

static void test_threads_go_by_their_table(void) {
  if (options.backend != KVF_CPU) {
    return;
  }
  enum { UNITS = 1024 };
  const int64_t kib = 1024;
  expect_parts((int32_t[KVF_MAX_TUNED]){1024, 1, 8}, UNITS, kib, 1); /* not worth a thread */
  expect_parts((int32_t[KVF_MAX_TUNED]){1, 1024, 8}, UNITS, kib, 2); /* one chunk each */
  expect_parts((int32_t[KVF_MAX_TUNED]){1, 128, 8}, UNITS, kib, 8);  /* 128 KiB each */
  expect_parts((int32_t[KVF_MAX_TUNED]){1, 1, 16}, UNITS, kib, 32);  /* 16 of a thread */
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
                             {"tables of the engine", test_tables_of_the_engine},
                             {"threads go by their table", test_threads_go_by_their_table},
                             {"tables are sorted", test_tables_are_sorted},
                             CU_TEST_INFO_NULL};
