/* In a process where libcuda cannot be used: only CUDA calls say so. Started by the dispatch suite.
 */
#include <string.h>

#include "small_call.h"

static void expect_no_device(kvf_status status) {
  EXPECT_STATUS(status, KVF_NO_DEVICE);
  EXPECT_TEXT(kvf_last_error(), "cuda: ");
  EXPECT_TEXT(kvf_last_error(), "CUDA driver");
  count_case(NULL);
}

static void test_cuda_says_why(void) {
  int32_t count = -7;
  uint64_t faults = 7;
  expect_no_device(kvf_cuda_device_count(&count));
  expect_no_device(kvf_cuda_fault_count(0, &faults));
  expect_no_device(kvf_cuda_clear_faults(0, &faults));
  EXPECT(count == -7 && faults == 7, "outputs of refused calls were written");
  const kvf_variant *variant = small_variant(KVF_CUDA);
  if (variant == NULL) {
    return;
  }
  expect_no_device(kvf_prepare(variant, 0));
  small_call call;
  small_make(&call, small_variant(KVF_CPU), 3, options.seed);
  DLTensor given[SMALL_TENSORS];
  for (int i = 0; i < SMALL_TENSORS; ++i) {
    given[i] = *tensor_dl(&call.view[i]);
    given[i].device = (DLDevice){kDLCUDA, 0};
  }
  expect_no_device(kvf_reshape_and_cache_flash(
      NULL, &given[0], &given[1], &given[2], &given[3], &given[4],
      kvf_dtype_name(kvf_cache_of(call.variant)), &given[5], &given[5], NULL));
  EXPECT(small_untouched(&call), "a refused call wrote something");
  small_free(&call);
}

static void test_cpu_works(void) {
  const kvf_variant *variant = small_variant(KVF_CPU);
  if (variant == NULL) {
    return;
  }
  small_call call;
  small_make(&call, variant, 3, options.seed);
  EXPECT_STATUS(kvf_prepare(variant, 0), KVF_OK);
  EXPECT_STATUS(small_run(&call), KVF_OK);
  EXPECT(small_check(&call), "wrong bytes");
  small_free(&call);
  count_case(variant);
}

CU_TestInfo missing_driver_tests[] = {
    {"cuda says why", test_cuda_says_why},
    {"cpu works", test_cpu_works},
    CU_TEST_INFO_NULL,
};

/* KVFORGE_LIBCUDA is there and empty: as if it were not. */
static void test_unnamed(void) {
  int32_t count = 0;
  const kvf_status status = kvf_cuda_device_count(&count);
  EXPECT(status == KVF_OK ||
             (status == KVF_NO_DEVICE && (strstr(kvf_last_error(), "libcuda.so.1") != NULL ||
                                          strstr(kvf_last_error(), "finds no device") != NULL)),
         "%s: %s", kvf_status_name(status), kvf_last_error());
  count_case(NULL);
}

CU_TestInfo unnamed_driver_tests[] = {
    {"an empty name is none", test_unnamed},
    CU_TEST_INFO_NULL,
};
