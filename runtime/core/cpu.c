/* The CPU backend: which instruction-set level runs here, and running a variant. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "kvforge/op.h"
#include "core/registry.h"

static const char *const isa_names[KVF_ISA_COUNT] = {
    [KVF_ISA_BASELINE] = "baseline",
    [KVF_ISA_AVX2] = "avx2",
    [KVF_ISA_AVX512] = "avx512",
    [KVF_ISA_NEON] = "neon",
};

const char *kvf_isa_name(kvf_isa isa) {
  const size_t position = (size_t)isa;
  return position < KVF_ISA_COUNT ? isa_names[position] : "?";
}

static bool machine_runs(kvf_isa isa) {
  switch (isa) {
  case KVF_ISA_BASELINE:
    return true;
#if defined(__x86_64__)
  case KVF_ISA_AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2");
  case KVF_ISA_AVX512:
    return machine_runs(KVF_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
  case KVF_ISA_NEON:
    return true;
#endif
  default:
    return false;
  }
}

/* Every CPU variant is built for the same levels, so the first one that is there speaks for all.
 * Modules follow: they are compiled for the level that this library chose. */
static bool library_has(kvf_isa isa) {
  for (int32_t i = 0; i < kvf_ops_count; ++i) {
    for (int32_t j = 0; j < kvf_ops[i]->num_variants; ++j) {
      if (kvf_ops[i]->variants[j].cpu[isa] != NULL) {
        return true;
      }
    }
  }
  return false;
}

static kvf_isa chosen_isa;

static void choose_isa(void) {
  const char *wanted = getenv("KVFORGE_ISA");
  for (int isa = 0; isa < KVF_ISA_COUNT; ++isa) {
    if (!machine_runs((kvf_isa)isa) || !library_has((kvf_isa)isa)) {
      continue;
    }
    chosen_isa = (kvf_isa)isa; /* levels are in ascending order */
    if (wanted != NULL && strcmp(wanted, isa_names[isa]) == 0) {
      return;
    }
  }
}

kvf_isa kvf_cpu_isa(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, choose_isa);
  return chosen_isa;
}

kvf_cpu_function kvf_cpu_code(const kvf_variant *variant) {
  const kvf_cpu_function built = variant->cpu[kvf_cpu_isa()];
  if (built != NULL || variant->late == NULL) {
    return built;
  }
  return atomic_load_explicit(&variant->late->function, memory_order_acquire);
}

/*
 * A fixed number, since what a virtual machine says of its caches is often wrong: well above a
 * core's share of a last-level cache, well below a prefill that attention reads back much later.
 */
enum { STREAM_BYTES = 4 << 20 };

int32_t kvf_cpu_streams(int64_t bytes_written) { return bytes_written >= STREAM_BYTES; }

kvf_status kvf_cpu_run(const kvf_check *check, const kvf_variant *variant, const void *params,
                       int64_t units, int64_t bytes_per_unit) {
  kvf_parallel_for(kvf_cpu_code(variant), params, units, bytes_per_unit, check->exec.num_threads);
  return KVF_OK;
}
