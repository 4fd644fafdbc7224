/* copy_blocks: pages of keys and values. */
#include "pages.h"

static kvf_status typed(const kvf_exec *exec, page_call *call) {
  return kvf_copy_blocks(exec, call->given[0], call->num_given[0], call->given[1],
                         call->num_given[1], call->given_blocks);
}

static kvf_status raw(const kvf_exec *exec, const kvf_variant *variant,
                      const kvf_page_list *pages) {
  const kvf_copy_blocks_params params = {.pages = *pages};
  return kvf_launch_copy_blocks(exec, variant, &params);
}

static const page_op op = {
    .op = &kvf_op_copy_blocks,
    .lists = 2,
    .columns = 2,
    .list_names = {"key_caches", "value_caches"},
    .blocks_name = "block_mapping",
    .typed = typed,
    .raw = raw,
    .takes_addresses = true,
};

static void test_matrix(void) { page_test_matrix(&op); }
static void test_many(void) { page_test_many(&op); }
static void test_large(void) { page_test_large(&op); }
static void test_far(void) { page_test_far(&op); }
static void test_out_of_range(void) { page_test_out_of_range(&op); }
static void test_bad_arguments(void) { page_test_bad_arguments(&op); }
static void test_bad_params(void) { page_test_bad_params(&op); }
static void test_graph(void) { page_test_graph(&op); }

CU_TestInfo copy_blocks_tests[] = {
    {"every pair of axis values", test_matrix},
    {"many tensors, and none", test_many},
    {"large calls", test_large},
    {"pages beyond 2^31", test_far},
    {"blocks out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    {"captured calls", test_graph},
    CU_TEST_INFO_NULL,
};
