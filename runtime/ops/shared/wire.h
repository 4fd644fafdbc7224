/* What the entry points of the ops share that move caches between machines. */
#ifndef KVFORGE_WIRE_RUNTIME_H
#define KVFORGE_WIRE_RUNTIME_H

#include "kvforge/cache/op.h"

/* wire: uint8, one dimension of stride 1, its address a multiple of 16; may be empty. */
void kvf_check_wire(kvf_check *check, const DLTensor *tensor, kvf_view *view, int64_t *num_bytes);

/* The address alone, of a raw launch. */
void kvf_launch_wire(kvf_check *check, const void *address);

#endif
