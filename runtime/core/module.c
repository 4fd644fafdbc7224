/* Modules: shared objects that bring ops, or variants that were left out of this build. */
#include <dlfcn.h>
#include <stdatomic.h>

#include "core/error.h"
#include "kvforge/op.h"
#include "core/registry.h"

kvf_status kvf_load_module(const char *path) {
  if (path == NULL || path[0] == '\0') { /* dlopen("") is the program itself */
    return kvf_error(KVF_INVALID_VALUE, "kvf_load_module: path: got %s, want a file",
                     path == NULL ? "NULL" : "''");
  }
  void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (module == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_load_module: %s", dlerror());
  }
  kvf_status (*init)(void) = NULL;
  *(void **)&init = dlsym(module, "kvf_module"); /* as POSIX has it */
  if (init == NULL) {
    (void)dlclose(module);
    return kvf_error(KVF_INVALID_VALUE, "kvf_load_module: %s: exports no kvf_module()", path);
  }
  return init();
}

static const char *name_of(const kvf_variant *variant) {
  return variant == NULL || variant->symbol == NULL ? "NULL" : variant->symbol;
}

static kvf_status refuse_row(const char *function, const kvf_variant *variant, const char *want) {
  return kvf_error(KVF_INVALID_VALUE, "%s: variant: got %s, want a compiled %s variant of an op",
                   function, name_of(variant), want);
}

static kvf_status refuse_second(const char *function, const kvf_variant *variant) {
  return kvf_error(KVF_INVALID_VALUE, "%s: %s has other code already", function, variant->symbol);
}

kvf_status kvf_install_cpu(const kvf_variant *variant, kvf_isa isa, kvf_cpu_function function) {
  if (variant == NULL || variant->symbol == NULL || variant->op == NULL ||
      variant->backend != KVF_CPU || variant->late == NULL) {
    return refuse_row(__func__, variant, "CPU");
  }
  if (!kvf_cpu_runs(isa) || function == NULL) {
    return kvf_error(KVF_INVALID_VALUE,
                     "kvf_install_cpu: %s: got %s code%s, want code for %s or a lower level",
                     variant->symbol, kvf_isa_name(isa), function == NULL ? " at NULL" : "",
                     kvf_isa_name(kvf_cpu_isa()));
  }
  kvf_cpu_function before = variant->cpu[isa];
  if (before == NULL &&
      atomic_compare_exchange_strong(&variant->late->functions[isa], &before, function)) {
    return KVF_OK;
  }
  return before == function ? KVF_OK : refuse_second(__func__, variant);
}

kvf_status kvf_install_cuda(const kvf_variant *variant, const unsigned char *fatbin) {
  if (variant == NULL || variant->symbol == NULL || variant->op == NULL ||
      variant->backend != KVF_CUDA || variant->image == NULL || variant->image->symbol == NULL) {
    return refuse_row(__func__, variant, "CUDA");
  }
  if (fatbin == NULL || (uintptr_t)fatbin % 16 != 0) {
    return kvf_error(KVF_INVALID_VALUE,
                     "kvf_install_cuda: %s: fatbin: got %p, want a fatbin at a multiple of 16",
                     variant->symbol, (const void *)fatbin);
  }
  const unsigned char *before = NULL;
  if (atomic_compare_exchange_strong(&variant->image->fatbin, &before, fatbin)) {
    return KVF_OK;
  }
  return before == fatbin ? KVF_OK : refuse_second(__func__, variant);
}
