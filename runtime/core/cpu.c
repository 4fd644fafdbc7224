/* The CPU backend: which instruction-set level runs here, and running a variant. */
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "kvforge/op.h"
#include "core/prepared.h"
#include "core/registry.h"
#include "core/tuned.h"

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

#if defined(__x86_64__)
/* clang has this name for __builtin_cpu_supports() since version 16 only. */
static bool has_f16c(void) {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

static bool machine_runs(kvf_isa isa) {
  switch (isa) {
  case KVF_ISA_BASELINE:
    return true;
#if defined(__x86_64__)
  case KVF_ISA_AVX2:
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has_f16c();
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
 * Modules follow: the level that this library chose is the highest that is used of theirs. */
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

_Atomic(int32_t) kvf_chosen_isa = -1;

static void choose_isa(void) {
  const char *wanted = getenv("KVFORGE_ISA");
  int32_t best = KVF_ISA_BASELINE;
  for (int isa = 0; isa < KVF_ISA_COUNT; ++isa) {
    if (!machine_runs((kvf_isa)isa) || !library_has((kvf_isa)isa)) {
      continue;
    }
    best = isa; /* levels are in ascending order */
    if (wanted != NULL && strcmp(wanted, isa_names[isa]) == 0) {
      break;
    }
  }
  atomic_store_explicit(&kvf_chosen_isa, best, memory_order_relaxed);
}

kvf_isa kvf_cpu_isa(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, choose_isa);
  return (kvf_isa)atomic_load_explicit(&kvf_chosen_isa, memory_order_relaxed);
}

#if defined(__x86_64__)
/* Linux gives the unit to processes that ask for it: their threads save its 8 KiB, too. */
static bool has_matrix_unit(void) {
  enum { TILES = 1 << 24, TILES_OF_BF16 = 1 << 22, REQUEST = 0x1023, STATE = 18 };
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & TILES) != 0 &&
         (d & TILES_OF_BF16) != 0 && syscall(SYS_arch_prctl, REQUEST, STATE) == 0;
}
#else
static bool has_matrix_unit(void) { return false; }
#endif

static _Atomic(int32_t) matrix;

/* The unit belongs to no level: one that was asked for by its name leaves it out. */
static void choose_matrix(void) {
  const char *wanted = getenv("KVFORGE_ISA");
  int32_t chosen = KVF_NO_MATRIX;
  if (kvf_cpu_isa() != KVF_ISA_AVX512 || (wanted != NULL && strcmp(wanted, "avx512") == 0)) {
    chosen = KVF_NO_MATRIX;
  } else if (wanted != NULL && strcmp(wanted, "amx_in_c") == 0) {
    chosen = KVF_MATRIX_IN_C;
  } else if (has_matrix_unit()) {
    chosen = KVF_MATRIX;
  }
  atomic_store_explicit(&matrix, chosen, memory_order_relaxed);
}

int32_t kvf_cpu_matrix(const kvf_variant *variant) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, choose_matrix);
  return variant->cpu[KVF_ISA_AVX512] != NULL ? atomic_load_explicit(&matrix, memory_order_relaxed)
                                              : KVF_NO_MATRIX;
}

/* A variant's code for one level, built with its row or installed; NULL for none. */
static kvf_cpu_function code_for(const kvf_variant *variant, int isa) {
  if (variant->cpu[isa] != NULL || variant->late == NULL) {
    return variant->cpu[isa];
  }
  return atomic_load_explicit(&variant->late->functions[isa], memory_order_acquire);
}

kvf_cpu_function kvf_cpu_lower_code(const kvf_variant *variant) {
  kvf_cpu_function code = NULL;
  for (int isa = (int)kvf_cpu_isa(); code == NULL && isa >= 0; --isa) {
    code = code_for(variant, isa);
  }
  return code;
}

bool kvf_cpu_runs(kvf_isa isa) { return isa <= kvf_cpu_isa() && machine_runs(isa); }

void kvf_cpu_lack(const kvf_variant *variant, char *text, size_t room) {
  kvf_text there = {.length = 0};
  for (int isa = 0; isa < KVF_ISA_COUNT; ++isa) {
    if (code_for(variant, isa) != NULL) {
      kvf_text_add(&there, isa_names[isa]);
    }
  }
  (void)snprintf(text, room, " for CPU level %s or a lower one%s%.64s", isa_names[kvf_cpu_isa()],
                 there.length ? ", but for " : "", there.data);
}

/*
 * Not by what a virtual machine says of its caches, which is often wrong: well above a core's share
 * of a last-level cache, well below a prefill that attention reads back much later.
 */
int32_t kvf_cpu_streams(int64_t bytes_written) {
  const int64_t kib = kvf_engine_values(&kvf_streaming_tuned, bytes_written)[KVF_STREAM_KIB];
  return bytes_written >= kib * 1024;
}

kvf_status kvf_cpu_run(const kvf_check *check, const kvf_variant *variant, const void *params,
                       int64_t units, int64_t bytes_per_unit) {
  if (kvf_preparing != NULL) {
    return kvf_note_cpu(check, variant, params, units, bytes_per_unit);
  }
  kvf_parallel_for(kvf_cpu_code(variant), params, units, bytes_per_unit, check->exec.num_threads);
  return KVF_OK;
}
