// The kernel table, expanded from the index that the generator writes: one row per CUDA variant
// that was compiled. C++, because kernels take their params struct by value and a captureless
// lambda is the shortest way to write the adapter.
#include "kernels.h"

#include <cstring>

#include "kvforge/params.h"

// What an op's kernels take by value: its params struct, unless its header declares another type.
template <typename Params> Params kvf_taken_by_kernel(const Params *);
#define KVF_TAKEN(op) decltype(kvf_taken_by_kernel(static_cast<const kvf_##op##_params *>(nullptr)))

// Weak: a build may select fewer variants than the index lists; those stay null. The section bounds
// are the linker's, and null as well for a kernel without __shared__ arrays (see device.h).
#define KVF_DECLARE_cpu(op, symbol)
#define KVF_DECLARE_cuda(op, symbol)                                                               \
  extern "C" __attribute__((weak)) void symbol(const KVF_TAKEN(op));                               \
  extern "C" __attribute__((weak, visibility("hidden"))) char __start_kvf_shared_##symbol[];       \
  extern "C" __attribute__((weak, visibility("hidden"))) char __stop_kvf_shared_##symbol[];
#define KVF_VARIANT(backend, op, values, symbol) KVF_DECLARE_##backend(op, symbol)
#include "kvf_kernels.inc"
#undef KVF_VARIANT

namespace {

struct linked_row {
  kernel_row row;
  const void *kernel;
};

#define KVF_ROW_cpu(op, symbol)
#define KVF_ROW_cuda(op, symbol)                                                                   \
  {{#symbol, sizeof(KVF_TAKEN(op)),                                                                \
    [](const void *params) { symbol(*static_cast<const KVF_TAKEN(op) *>(params)); },               \
    __start_kvf_shared_##symbol, __stop_kvf_shared_##symbol},                                      \
   reinterpret_cast<const void *>(symbol)},
#define KVF_VARIANT(backend, op, values, symbol) KVF_ROW_##backend(op, symbol)

const linked_row rows[] = {
#include "kvf_kernels.inc"
    {{nullptr, 0, nullptr, nullptr, nullptr}, nullptr}, // an index without CUDA variants is legal
};

} // namespace

extern "C" const kernel_row *kernel_find(const char *name) {
  for (const linked_row &entry : rows)
    if (entry.kernel != nullptr && std::strcmp(entry.row.name, name) == 0)
      return &entry.row;
  return nullptr;
}
