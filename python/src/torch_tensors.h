/*
 * What kvforge.ops asks torch about a tensor beside its memory. DLPack tells nothing of it, and
 * asking in Python costs more than the op. torch is not linked: its functions are looked up in the
 * libtorch that the process has loaded, and without them Python asks.
 */
#ifndef KVFORGE_TORCH_TENSORS_H
#define KVFORGE_TORCH_TENSORS_H

#include <stdbool.h>

#include "kvforge/kvforge.h"

/* Looks the functions up; whether all are there. For one thread at a time. */
bool kvf_torch_meet(void);

/*
 * Whether an op can use a tensor as it lies, and torch has nothing against its being written; else
 * Python has to see to it. `state` is torch's tensor, as its attribute _cdata tells it.
 */
bool kvf_torch_as_it_lies(const void *state, const DLTensor *view, bool written);

/* Tells autograd that a tensor, of which the above is true, has other contents than before. */
void kvf_torch_written(const void *state);

#endif
