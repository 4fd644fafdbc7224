/* Modules: shared objects that bring ops, or variants that were left out of this build. */
#include <dlfcn.h>
#include <stdatomic.h>

#include "core/error.h"
#include "kvforge/op.h"
#include "core/registry.h"

kvf_status kvf_load_module(const char *path) {
  if (path == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_load_module: path: got NULL, want a file");
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

static kvf_status refuse_row(const char *function, const kvf_variant *variant, const char *want) {
  return kvf_error(KVF_INVALID_VALUE, "%s: variant: got %s, want a compiled %s variant", function,
                   variant != NULL ? variant->symbol : "NULL", want);
}

static kvf_status refuse_second(const char *function, const kvf_variant *variant) {
  return kvf_error(KVF_INVALID_VALUE, "%s: %s has other code already", function, variant->symbol);
}

kvf_status kvf_install_cpu(const kvf_variant *variant, kvf_isa isa, kvf_cpu_function function) {
  if (variant == NULL || variant->backend != KVF_CPU) {
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
  if (variant == NULL || variant->backend != KVF_CUDA || variant->image == NULL) {
    return refuse_row(__func__, variant, "CUDA");
  }
  if (fatbin == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_install_cuda: %s: got NULL, want a fatbin",
                     variant->symbol);
  }
  const unsigned char *before = NULL;
  if (atomic_compare_exchange_strong(&variant->image->fatbin, &before, fatbin)) {
    return KVF_OK;
  }
  return before == fatbin ? KVF_OK : refuse_second(__func__, variant);
}
