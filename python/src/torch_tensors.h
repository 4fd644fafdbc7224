/*
 * torch's own tensors, by the handle that their attribute _cdata tells: as DLPack would export
 * them, at a fraction of the cost, and with what DLPack tells nothing of. torch is not linked: its
 * functions are looked up in the libtorch that the process has loaded, and without them arrays go
 * through DLPack, and Python asks for the rest.
 */
#ifndef KVFORGE_TORCH_TENSORS_H
#define KVFORGE_TORCH_TENSORS_H

#include <stdbool.h>

#include "kvforge/kvforge.h"

/* Looks the functions up; whether all are there. For one thread at a time. */
bool kvf_torch_meet(void);

/*
 * Fills `view`, which points into the tensor, if an op can use the tensor as it lies and torch has
 * nothing against its being written, where it is; else Python has to see to it. The handle is that
 * of a torch.Tensor, and of no class derived from it.
 */
bool kvf_torch_see(const void *handle, bool written, DLTensor *view);

/* Tells autograd that a tensor, of which the above is true, has other contents than before. */
void kvf_torch_written(const void *handle);

/* torch's current stream of a CUDA device; false if it does not tell. */
bool kvf_torch_stream(int32_t device, void **stream);

#endif
