/* Part of torch.cpp: torch's arguments and registrations through the C functions of libtorch's
 * stable ABI. They are called as they are, since its C++ classes allocate for every tensor. */
#include <array>
#include <utility>

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>

/*
 * What the stable ABI lacks of autograd, by its names in libtorch since long before 2.10. They take
 * what a handle points at. Weak: complete() says whether this torch has them.
 */
namespace torch::autograd::impl {
__attribute__((weak)) void bump_version(const at::Tensor &tensor);
}
namespace at::native {
__attribute__((weak)) bool is_inference(const at::Tensor &tensor);
}
extern "C" __attribute__((weak)) bool
kvf_torch_inference_mode() __asm__("_ZN3c1013InferenceMode10is_enabledEv");
extern "C" __attribute__((weak)) bool
kvf_torch_requires_grad(const void *tensor_impl) __asm__("_ZNK3c1010TensorImpl13requires_gradEv");

namespace {

bool complete() {
  return torch::autograd::impl::bump_version != nullptr && at::native::is_inference != nullptr &&
         kvf_torch_inference_mode != nullptr && kvf_torch_requires_grad != nullptr;
}

bool inference_mode() { return kvf_torch_inference_mode(); }

bool of_inference(const at::Tensor &tensor) { return at::native::is_inference(tensor); }

bool grad_mode() { return aoti_torch_grad_mode_is_enabled(); }

/* A tensor is a pointer to what holds its state. */
bool requires_grad(const at::Tensor &tensor) {
  return kvf_torch_requires_grad(*reinterpret_cast<const void *const *>(&tensor));
}

/* Exceptions that Python gets as TypeError or NotImplementedError are not of the ABI. */
[[noreturn]] void raise_type_error(const std::string &reason) { throw std::runtime_error(reason); }
[[noreturn]] void raise_not_implemented(const std::string &reason) {
  throw std::runtime_error(reason);
}

/* Throws torch's own reason for a failure, where torch (2.13 on) tells it. */
void check(AOTITorchError code, const char *what) {
  if (code != 0) {
    using Function = const char *(*)();
    const auto why = reinterpret_cast<Function>(
        dlsym(RTLD_DEFAULT, "torch_exception_get_what_without_backtrace"));
    throw std::runtime_error(std::string(what) + (why != nullptr ? std::string(": ") + why() : ""));
  }
}

/* torch's number of a dtype -> DLPack's. No op accepts what is not here, and each says what it
 * wants.
 */
struct Dtypes {
  std::array<DLDataType, 128> table;

  Dtypes() {
    table.fill({kDLOpaqueHandle, 0, 1});
    set(aoti_torch_dtype_float32(), {kDLFloat, 32, 1});
    set(aoti_torch_dtype_float16(), {kDLFloat, 16, 1});
    set(aoti_torch_dtype_bfloat16(), {kDLBfloat, 16, 1});
    set(aoti_torch_dtype_float64(), {kDLFloat, 64, 1});
    set(aoti_torch_dtype_float8_e4m3fn(), {kDLFloat8_e4m3fn, 8, 1});
    set(aoti_torch_dtype_float8_e5m2(), {kDLFloat8_e5m2, 8, 1});
    set(aoti_torch_dtype_uint8(), {kDLUInt, 8, 1});
    set(aoti_torch_dtype_int8(), {kDLInt, 8, 1});
    set(aoti_torch_dtype_int16(), {kDLInt, 16, 1});
    set(aoti_torch_dtype_int32(), {kDLInt, 32, 1});
    set(aoti_torch_dtype_int64(), {kDLInt, 64, 1});
    set(aoti_torch_dtype_bool(), {kDLBool, 8, 1});
    set(aoti_torch_dtype_float8_e4m3fnuz(), {kDLFloat8_e4m3fnuz, 8, 1});
    set(aoti_torch_dtype_float8_e5m2fnuz(), {kDLFloat8_e5m2fnuz, 8, 1});
    set(aoti_torch_dtype_uint16(), {kDLUInt, 16, 1});
    set(aoti_torch_dtype_uint32(), {kDLUInt, 32, 1});
    set(aoti_torch_dtype_uint64(), {kDLUInt, 64, 1});
    set(aoti_torch_dtype_complex32(), {kDLComplex, 32, 1});
    set(aoti_torch_dtype_complex64(), {kDLComplex, 64, 1});
    set(aoti_torch_dtype_complex128(), {kDLComplex, 128, 1});
  }

  void set(int32_t type, DLDataType dtype) {
    if (static_cast<size_t>(type) < table.size()) {
      table[static_cast<size_t>(type)] = dtype;
    }
  }
};

/* The arguments of one call. torch hands them over: they are dropped when the call is done. */
class Reader {
public:
  explicit Reader(StableIValue *stack) : stack_(stack) {}
  Reader(const Reader &) = delete;
  Reader &operator=(const Reader &) = delete;
  ~Reader() {
    for (int i = 0; i < tensor_count_; ++i) {
      aoti_torch_delete_tensor_object(tensors_[i]);
    }
    for (AtenTensorHandle tensor : listed_) {
      aoti_torch_delete_tensor_object(tensor);
    }
    for (int i = 0; i < string_count_; ++i) {
      torch_delete_string(strings_[i]);
    }
  }

  /* Whether an optional argument is there. Its value takes the place of torch's pointer to it, and
   * is read as others are. Once for each. */
  bool has(int i) {
    auto *boxed = as<StableIValue *>(stack_[i]);
    if (boxed == nullptr) {
      return false;
    }
    stack_[i] = *boxed;
    delete boxed;
    return true;
  }

  Seen tensor(int i) { return look(tensors_[tensor_count_++] = as<AtenTensorHandle>(stack_[i])); }

  size_t list_size(int i) {
    size_t size = 0;
    check(torch_list_size(as<StableListHandle>(stack_[i]), &size), "torch_list_size");
    return size;
  }

  void list(int i, Seen *seen) {
    const auto handle = as<StableListHandle>(stack_[i]);
    const size_t size = list_size(i);
    for (size_t j = 0; j < size; ++j) {
      StableIValue element = 0;
      check(torch_list_get_item(handle, j, &element), "torch_list_get_item");
      listed_.push_back(as<AtenTensorHandle>(element));
      seen[j] = look(listed_.back());
    }
    torch_delete_list(handle);
  }

  int64_t integer(int i) { return as<int64_t>(stack_[i]); }
  double number(int i) { return as<double>(stack_[i]); }
  bool boolean(int i) { return as<bool>(stack_[i]); }

  std::string_view string(int i) {
    const StringHandle handle = strings_[string_count_++] = as<StringHandle>(stack_[i]);
    const char *text = nullptr;
    size_t length = 0;
    check(torch_string_c_str(handle, &text), "torch_string_c_str");
    check(torch_string_length(handle, &length), "torch_string_length");
    return {text, length};
  }

private:
  template <typename T> static T as(StableIValue value) {
    T result;
    std::memcpy(&result, &value, sizeof result); /* little-endian, as every machine it builds for */
    return result;
  }

  static Seen look(AtenTensorHandle tensor) {
    static const Dtypes dtypes;
    static const int32_t cpu = aoti_torch_device_type_cpu(), cuda = aoti_torch_device_type_cuda();
    int64_t ndim = 0, offset = 0;
    int32_t device = 0, type = 0;
    Seen seen{reinterpret_cast<const at::Tensor *>(tensor), {}, 0};
    DLTensor &view = seen.view;
    int bad = aoti_torch_get_data_ptr(tensor, &view.data);
    bad |= aoti_torch_get_dim(tensor, &ndim);
    bad |= aoti_torch_get_sizes(tensor, &view.shape);
    bad |= aoti_torch_get_strides(tensor, &view.strides);
    bad |= aoti_torch_get_dtype(tensor, &type);
    bad |= aoti_torch_get_device_type(tensor, &device);
    bad |= aoti_torch_get_storage_size(tensor, &seen.room);
    bad |= aoti_torch_get_storage_offset(tensor, &offset);
    view.ndim = static_cast<int32_t>(ndim);
    view.dtype = dtypes.table[static_cast<size_t>(type) % dtypes.table.size()];
    view.device.device_type = device == cuda ? kDLCUDA : device == cpu ? kDLCPU : kDLExtDev;
    if (device == cuda) {
      bad |= aoti_torch_get_device_index(tensor, &view.device.device_id);
    }
    check(bad, "a tensor without sizes, strides or data");
    seen.room -= offset * (view.dtype.bits / 8);
    return seen;
  }

  StableIValue *stack_;
  AtenTensorHandle tensors_[max_arguments];
  int tensor_count_ = 0;
  StringHandle strings_[max_arguments];
  int string_count_ = 0;
  std::vector<AtenTensorHandle> listed_;
};

int32_t current_device() {
  int32_t device = 0;
  check(aoti_torch_get_current_device_index(&device), "no current device");
  return device;
}

int32_t num_threads() {
  uint32_t threads = 0;
  check(torch_get_num_threads(&threads), "torch_get_num_threads");
  return static_cast<int32_t>(threads);
}

/* ---- registration: the ABI's kernels are plain functions, so there is one for each slot -------
 */

using Boxed = void (*)(StableIValue *, uint64_t, uint64_t);

template <size_t slot> void boxed(StableIValue *stack, uint64_t, uint64_t) {
  Reader reader(stack);
  call(slots[slot], reader);
}

template <size_t... slot>
constexpr std::array<Boxed, max_slots> pool(std::index_sequence<slot...>) {
  return {boxed<slot>...};
}

constexpr std::array<Boxed, max_slots> kernels = pool(std::make_index_sequence<max_slots>());

/* What is registered stays for as long as the process does: the library object is kept, not freed.
 */
void define(const char *ns, const char *schema) {
  TorchLibraryHandle library = nullptr;
  check(aoti_torch_library_init_fragment(ns, __FILE__, __LINE__, &library), ns);
  check(aoti_torch_library_def(library, schema), schema);
}

void implement(const char *ns, const char *name, const char *key, int slot) {
  TorchLibraryHandle library = nullptr;
  check(aoti_torch_library_init_impl(ns, key, __FILE__, __LINE__, &library), key);
  check(torch_library_impl(library, name, kernels[static_cast<size_t>(slot)], TORCH_ABI_VERSION),
        name);
}

} // namespace
