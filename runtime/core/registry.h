/* What finds ops and code. */
#ifndef KVFORGE_REGISTRY_H
#define KVFORGE_REGISTRY_H

#include "kvforge/kvforge.h"

/* The list that generated/registry.c defines: every op of this library itself, by name. */
extern const kvf_op *const kvf_ops[];
extern const int32_t kvf_ops_count;

/* Whether code for a level can run here: the machine has it and it is not above the level in use.
 */
bool kvf_cpu_runs(kvf_isa isa);

/* The function of a CPU variant for the level in use, else for the next lower one that it has; NULL
 * for none. */
kvf_cpu_function kvf_cpu_code(const kvf_variant *variant);

/* " for CPU level ...": which levels would do for a variant without such code, and which it has. */
void kvf_cpu_lack(const kvf_variant *variant, char *text, size_t room);

/* Says that the variant is not built, and remembers it for kvf_missing_variant(). */
kvf_status kvf_not_built(const kvf_variant *variant);

#endif
