/* What finds ops and code. */
#ifndef KVFORGE_REGISTRY_H
#define KVFORGE_REGISTRY_H

#include <stdatomic.h>

#include "kvforge/cpu_matrix.h"
#include "kvforge/op.h"

/* The list that generated/registry.c defines: every op of this library itself, by name. */
extern const kvf_op *const kvf_ops[];
extern const int32_t kvf_ops_count;

/* Arguments that a schema can have: those of a boxed call are on the stack. */
enum { KVF_MAX_ARGUMENTS = 32 };

/* What may multiply the tiles of a variant of the CPU; its code for AVX-512 runs then. */
int32_t kvf_cpu_matrix(const kvf_variant *variant);

/* What kvf_cpu_isa() has chosen; -1 before its first call. */
extern _Atomic(int32_t) kvf_chosen_isa;

/* Whether code for a level can run here: the machine has it and it is not above the level in use.
 */
bool kvf_cpu_runs(kvf_isa isa);

/* The function of a CPU variant for the level in use that was installed, else for the next lower
 * one that it has; NULL for none. */
kvf_cpu_function kvf_cpu_lower_code(const kvf_variant *variant);

/* The function of a CPU variant for the level in use, else as kvf_cpu_lower_code(). */
static inline kvf_cpu_function kvf_cpu_code(const kvf_variant *variant) {
  const int32_t chosen = atomic_load_explicit(&kvf_chosen_isa, memory_order_relaxed);
  const kvf_cpu_function built = variant->cpu[chosen >= 0 ? (kvf_isa)chosen : kvf_cpu_isa()];
  return built != NULL ? built : kvf_cpu_lower_code(variant);
}

/* " for CPU level ...": which levels would do for a variant without such code, and which it has. */
void kvf_cpu_lack(const kvf_variant *variant, char *text, size_t room);

/* Says that the variant is not built. */
kvf_status kvf_not_built(const kvf_variant *variant);

#endif
