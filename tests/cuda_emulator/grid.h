/* Runs the blocks of one kernel launch, thread by thread. All under the driver's lock. */
#ifndef KVF_EMULATOR_GRID_H
#define KVF_EMULATOR_GRID_H

#include <cuda.h>
#include <stdbool.h>
#include <stdint.h>
#include <vector_types.h>

#include "kernels.h"

enum {
  GRID_WARP = 32,
  GRID_BLOCK_MAX = 1024,          /* threads */
  GRID_BARRIERS = 16,             /* of a block; 0 is that of __syncthreads() */
  GRID_SHARED_DEFAULT = 48 << 10, /* bytes per block, without asking for more */
  GRID_SHARED_MAX = 227 << 10,    /* what cuFuncSetAttribute may ask for, as on sm_90 */
};

typedef struct launch {
  const kernel_row *kernel;
  struct dim3 grid, block;
  unsigned dynamic_shared;
  bool programmatic; /* may begin before the grids in front of it have ended */
  int device;
  const void *params; /* the caller's, unchanged until grid_run returns */
} launch;

/* Runs all threads. Not CUDA_SUCCESS if a thread faulted: the rest of the grid does not run then,
 * and grid_last_fault says what happened. */
CUresult grid_run(const launch *what);

/* The first fault since grid_clear_fault, or an empty string. */
const char *grid_last_fault(void);
void grid_clear_fault(void);

/* For the sanitizer hooks, which kernels call: stops the running kernel. */
_Noreturn void grid_fault(CUresult result, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Whether the running kernel may access [address, address + size), which is not on its stacks. */
bool grid_may_access(uintptr_t address, size_t size, bool write);

#endif
