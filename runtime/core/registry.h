/* What finds ops and code. */
#ifndef KVFORGE_REGISTRY_H
#define KVFORGE_REGISTRY_H

#include <stdatomic.h>

#include "kvforge/op.h"

/* The list that generated/registry.c defines: every op of this library itself, by name. */
extern const kvf_op *const kvf_ops[];
extern const int32_t kvf_ops_count;

/* What kvf_cpu_isa() has chosen; -1 before its first call. */
extern _Atomic(int32_t) kvf_chosen_isa;

/* The function of a CPU variant for the level in use, or NULL. */
static inline kvf_cpu_function kvf_cpu_code(const kvf_variant *variant) {
  const int32_t chosen = atomic_load_explicit(&kvf_chosen_isa, memory_order_relaxed);
  const kvf_cpu_function built = variant->cpu[chosen >= 0 ? (kvf_isa)chosen : kvf_cpu_isa()];
  return built != NULL ? built
                       : atomic_load_explicit(&variant->late->function, memory_order_acquire);
}

/* Says that the variant is not built, and remembers it for kvf_missing_variant(). */
kvf_status kvf_not_built(const kvf_variant *variant);

#endif
