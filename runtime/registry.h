/* The list that generated/registry.c defines: every op of this library, by name. */
#ifndef KVFORGE_REGISTRY_H
#define KVFORGE_REGISTRY_H

#include "kvforge/kvforge.h"

extern const kvf_op *const kvf_ops[];
extern const int32_t kvf_ops_count;

#endif
