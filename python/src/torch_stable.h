/* Part of torch.cpp: torch's arguments and registrations through the C functions of libtorch's
 * stable ABI. They are called as they are, since its C++ classes allocate for every tensor. */
#include <array>
#include <utility>

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/c/shim.h>

namespace {

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

  /* A tensor as DLPack sees it, pointing into torch's; false for None. */
  bool tensor(int i, bool optional, DLTensor &view) {
    StableIValue value = stack_[i];
    if (optional) {
      auto *boxed = as<StableIValue *>(value);
      if (boxed == nullptr) {
        return false;
      }
      value = *boxed;
      delete boxed;
    }
    fill(tensors_[tensor_count_++] = as<AtenTensorHandle>(value), view);
    return true;
  }

  size_t list_size(int i) {
    size_t size = 0;
    check(torch_list_size(as<StableListHandle>(stack_[i]), &size), "torch_list_size");
    return size;
  }

  void list(int i, DLTensor *views) {
    const auto handle = as<StableListHandle>(stack_[i]);
    const size_t size = list_size(i);
    for (size_t j = 0; j < size; ++j) {
      StableIValue element = 0;
      check(torch_list_get_item(handle, j, &element), "torch_list_get_item");
      listed_.push_back(as<AtenTensorHandle>(element));
      fill(listed_.back(), views[j]);
    }
    torch_delete_list(handle);
  }

  int64_t integer(int i) { return as<int64_t>(stack_[i]); }
  double number(int i) { return as<double>(stack_[i]); }
  bool boolean(int i) { return as<bool>(stack_[i]); }

  const char *string(int i) {
    const char *text = nullptr;
    check(torch_string_c_str(strings_[string_count_++] = as<StringHandle>(stack_[i]), &text),
          "torch_string_c_str");
    return text;
  }

private:
  template <typename T> static T as(StableIValue value) {
    T result;
    std::memcpy(&result, &value, sizeof result); /* little-endian, as every machine it builds for */
    return result;
  }

  static void fill(AtenTensorHandle tensor, DLTensor &view) {
    static const Dtypes dtypes;
    static const int32_t cpu = aoti_torch_device_type_cpu(), cuda = aoti_torch_device_type_cuda();
    int64_t ndim = 0;
    int32_t device = 0, type = 0;
    view = DLTensor{};
    int bad = aoti_torch_get_data_ptr(tensor, &view.data);
    bad |= aoti_torch_get_dim(tensor, &ndim);
    bad |= aoti_torch_get_sizes(tensor, &view.shape);
    bad |= aoti_torch_get_strides(tensor, &view.strides);
    bad |= aoti_torch_get_dtype(tensor, &type);
    bad |= aoti_torch_get_device_type(tensor, &device);
    view.ndim = static_cast<int32_t>(ndim);
    view.dtype = dtypes.table[static_cast<size_t>(type) % dtypes.table.size()];
    view.device.device_type = device == cuda ? kDLCUDA : device == cpu ? kDLCPU : kDLExtDev;
    if (device == cuda) {
      bad |= aoti_torch_get_device_index(tensor, &view.device.device_id);
    }
    check(bad, "a tensor without sizes, strides or data");
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
