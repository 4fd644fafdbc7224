/* The CUDA backend's calls that other parts of the runtime make. */
#ifndef KVFORGE_CUDA_H
#define KVFORGE_CUDA_H

#include "kvforge/kvforge.h"

/* The address of a device's fault counter, in pinned host memory that the device can write. */
kvf_status kvf_cuda_fault_counter(int32_t device, unsigned long long **counter);

#endif
