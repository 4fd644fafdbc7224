/* kv_pack: tokens of pages to a wire buffer, every byte of both. */
#include "conversions.h"
#include "wire.h"

static void test_matrix(void) { wire_test_matrix(true); }
static void test_many(void) { wire_test_many(true); }
static void test_graph(void) { wire_test_graph(true); }
static void test_pairs(void) { conversions_test_pairs(CONVERT_PACK); }
static void test_converted_params(void) { conversions_test_bad_params(CONVERT_PACK); }
static void test_bad(void) { wire_test_bad(true); }
static void test_bad_params(void) { wire_test_bad_params(true); }

CU_TestInfo kv_pack_tests[] = {
    {"every pair of axis values", test_matrix},
    {"many layers, planes and tokens", test_many},
    {"every pair of dtypes", test_pairs},
    {"captured calls", test_graph},
    {"bad arguments", test_bad},
    {"bad params", test_bad_params},
    {"bad params of conversions", test_converted_params},
    CU_TEST_INFO_NULL,
};
