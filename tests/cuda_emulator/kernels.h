/* The kernels linked into the emulator: what a driver finds in an image, in the form of a table. */
#ifndef KVF_EMULATOR_KERNELS_H
#define KVF_EMULATOR_KERNELS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kernel_row {
  const char *name;
  size_t params_size;
  void (*call)(const void *params); /* runs one thread, to its end */
  char *shared_begin;               /* its __shared__ arrays; both NULL if it has none */
  char *shared_end;
} kernel_row;

/* The row of `name`, or NULL if no such kernel was linked in. Rows are constant. */
const kernel_row *kernel_find(const char *name);

#ifdef __cplusplus
}
#endif

#endif
