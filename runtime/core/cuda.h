/* The CUDA backend's calls that other parts of the runtime make. */
#ifndef KVFORGE_CUDA_H
#define KVFORGE_CUDA_H

#include <stddef.h>

#include "kvforge/op.h"

/* The address of a device's fault counter, in pinned host memory that the device can write. */
kvf_status kvf_cuda_fault_counter(int32_t device, unsigned long long **counter);

/*
 * Host memory that a kernel reads, for a launch on CUDA: puts the address under which exec's device
 * sees it in place of the host's. KVF_INVALID_VALUE for memory that is not pinned, by
 * cuMemHostAlloc, cuMemHostRegister or torch's pin_memory(). Nothing else is done on the CPU.
 */
void kvf_launch_host_memory(kvf_check *check, const char *member, void **data);

enum { KVF_CUDA_WORKSPACE = 32 << 20 }; /* bytes */

/*
 * Memory of exec's device for what launches of this call leave for each other: KVF_CUDA_WORKSPACE
 * bytes that no call on another stream has. *memory is NULL where there are none: a call has to do
 * without.
 */
kvf_status kvf_cuda_workspace(const kvf_check *check, void **memory);

/* How many multiprocessors exec's device has. */
kvf_status kvf_cuda_multiprocessors(const kvf_check *check, int *count);

/* The bytes of shared memory that a thread block of exec's device can have. */
kvf_status kvf_cuda_shared_limit(const kvf_check *check, int *bytes);

/* Whether an address is of memory of exec's device. */
kvf_status kvf_cuda_is_near(const kvf_check *check, uint64_t address, bool *near);

/* The same, and where the allocation that it belongs to begins and ends. */
typedef struct kvf_cuda_range {
  uint64_t begin;
  uint64_t end;
} kvf_cuda_range;
kvf_status kvf_cuda_find_near(const kvf_check *check, uint64_t address, kvf_cuda_range *range,
                              bool *near);

/* The driver's version, as CUDA_VERSION: 12010 is CUDA 12.1. Since KVF_CUDA_EARLY_CAPTURED a graph
 * has launches that begin early. */
enum { KVF_CUDA_EARLY_CAPTURED = 12030 };
kvf_status kvf_cuda_version(const kvf_check *check, int *version);

/* Copies of one call that may be made in any order. Device or host addresses, none of size 0. */
typedef struct kvf_cuda_copies {
  uint64_t *to;
  uint64_t *from;
  size_t *bytes;
  size_t count;
  bool any_order;  /* sources may be read as soon as the call returns, whatever the stream does */
  size_t enqueued; /* set: the first so many are on the stream, also after an error */
  size_t in_doubt; /* set: of so many after them the driver does not say whether they are */
} kvf_cuda_copies;

/* Enqueues copies on exec's stream: as one batch where the driver can, else one by one. */
kvf_status kvf_cuda_copy(const kvf_check *check, kvf_cuda_copies *copies);

#endif
