/* Contexts and capture modes, for the parts of the CUDA backend. */
#ifndef KVFORGE_CUDA_CONTEXT_H
#define KVFORGE_CUDA_CONTEXT_H

#include "core/cuda_driver.h"

/* The driver, if it has this device. */
kvf_status kvf_cuda_open_device(int32_t device, const kvf_cuda_driver **driver);

/* Makes a context of the device current, unless one is; *pushed tells whether kvf_cuda_leave() must
 * pop. */
kvf_status kvf_cuda_enter(const kvf_cuda_driver *driver, int32_t device, bool *pushed);

/*
 * Undoes kvf_cuda_enter() and goes on with the status of what came between. The caller's context is
 * worth a second try; without it, only an error can tell that another one stays current.
 */
kvf_status kvf_cuda_leave(const kvf_cuda_driver *driver, bool pushed, kvf_status status);

/* Loading and allocating are forbidden to a thread that captures a stream, unless it relaxes. */
kvf_status kvf_cuda_relax(const kvf_cuda_driver *driver, int *found);

/* Undoes kvf_cuda_relax(), as kvf_cuda_leave() does kvf_cuda_enter(). */
kvf_status kvf_cuda_restore(const kvf_cuda_driver *driver, int found, kvf_status status);

#endif
