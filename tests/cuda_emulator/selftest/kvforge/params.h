/* Stands in for the generated umbrella header in the emulator's own test. */
#ifndef KVFORGE_PARAMS_H
#define KVFORGE_PARAMS_H

#include <stdint.h>

/* One struct serves all test kernels; each says what it makes of it. */
typedef struct kvf_test_params {
  void *to;
  const void *from;
  unsigned long long *counter;
  int64_t offset;
  int32_t count;
  int32_t mode;
} kvf_test_params;

#endif
