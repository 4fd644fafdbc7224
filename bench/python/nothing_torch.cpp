/*
 * What bench_python.py compares the torch binding with: an operator with the same schema that drops
 * its arguments and does nothing, through the same stable ABI. This is torch's own share of a call.
 */
#include <cstring>

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>

namespace {

/* Positions in the schema of concat_and_cache_mla_rope_fused. */
constexpr int tensors[] = {0, 1, 2, 3, 4, 6, 7, 9};
constexpr int text = 8;

template <typename T> T as(StableIValue value) {
  T result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}

void nothing(StableIValue *stack, uint64_t, uint64_t) {
  for (int i : tensors) {
    aoti_torch_delete_tensor_object(as<AtenTensorHandle>(stack[i]));
  }
  torch_delete_string(as<StringHandle>(stack[text]));
}

} // namespace

/* Defines kvforge_bench::nothing with a signature, which begins behind the name; 0, or an error. */
extern "C" __attribute__((visibility("default"))) int define_nothing(const char *schema) {
  TorchLibraryHandle defined = nullptr, implemented = nullptr;
  return aoti_torch_library_init_fragment("kvforge_bench", __FILE__, __LINE__, &defined) ||
         aoti_torch_library_def(defined, schema) ||
         aoti_torch_library_init_impl("kvforge_bench", "CPU", __FILE__, __LINE__, &implemented) ||
         torch_library_impl(implemented, "nothing", nothing, TORCH_ABI_VERSION);
}
