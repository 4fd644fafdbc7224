/* What finds ops and code. */
#ifndef KVFORGE_REGISTRY_H
#define KVFORGE_REGISTRY_H

#include "kvforge/kvforge.h"

/* The list that generated/registry.c defines: every op of this library itself, by name. */
extern const kvf_op *const kvf_ops[];
extern const int32_t kvf_ops_count;

/* Arguments that a schema can have: those of a boxed call are on the stack. */
enum { KVF_MAX_ARGUMENTS = 24 };

/* The function of a CPU variant for the level in use, or NULL. */
kvf_cpu_function kvf_cpu_code(const kvf_variant *variant);

/* Says that the variant is not built, and remembers it for kvf_missing_variant(). */
kvf_status kvf_not_built(const kvf_variant *variant);

#endif
