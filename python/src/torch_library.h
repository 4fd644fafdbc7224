/* Part of torch.cpp: torch's arguments and registrations through TORCH_LIBRARY's C++ classes, for a
 * torch that lacks the stable ABI. Such a build serves the torch alone that it was made for. */
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/library.h>

namespace {

bool complete() { return true; }

bool grad_mode() { return c10::GradMode::is_enabled(); }

bool inference_mode() { return c10::InferenceMode::is_enabled(); }

bool of_inference(const at::Tensor &tensor) { return tensor.is_inference(); }

bool requires_grad(const at::Tensor &tensor) { return tensor.requires_grad(); }

[[noreturn]] void raise_type_error(const std::string &reason) {
  C10_THROW_ERROR(TypeError, reason);
}
[[noreturn]] void raise_not_implemented(const std::string &reason) {
  C10_THROW_ERROR(NotImplementedError, reason);
}

DLDataType dl_dtype(c10::ScalarType type) {
  switch (type) {
  case c10::ScalarType::Float:
    return {kDLFloat, 32, 1};
  case c10::ScalarType::Half:
    return {kDLFloat, 16, 1};
  case c10::ScalarType::BFloat16:
    return {kDLBfloat, 16, 1};
  case c10::ScalarType::Double:
    return {kDLFloat, 64, 1};
  case c10::ScalarType::Float8_e4m3fn:
    return {kDLFloat8_e4m3fn, 8, 1};
  case c10::ScalarType::Float8_e5m2:
    return {kDLFloat8_e5m2, 8, 1};
  case c10::ScalarType::Byte:
    return {kDLUInt, 8, 1};
  case c10::ScalarType::Char:
    return {kDLInt, 8, 1};
  case c10::ScalarType::Short:
    return {kDLInt, 16, 1};
  case c10::ScalarType::Int:
    return {kDLInt, 32, 1};
  case c10::ScalarType::Long:
    return {kDLInt, 64, 1};
  case c10::ScalarType::Bool:
    return {kDLBool, 8, 1};
  case c10::ScalarType::Float8_e4m3fnuz:
    return {kDLFloat8_e4m3fnuz, 8, 1};
  case c10::ScalarType::Float8_e5m2fnuz:
    return {kDLFloat8_e5m2fnuz, 8, 1};
  case c10::ScalarType::UInt16:
    return {kDLUInt, 16, 1};
  case c10::ScalarType::UInt32:
    return {kDLUInt, 32, 1};
  case c10::ScalarType::UInt64:
    return {kDLUInt, 64, 1};
  case c10::ScalarType::ComplexHalf:
    return {kDLComplex, 32, 1};
  case c10::ScalarType::ComplexFloat:
    return {kDLComplex, 64, 1};
  case c10::ScalarType::ComplexDouble:
    return {kDLComplex, 128, 1};
  default:
    return {kDLOpaqueHandle, 0, 1}; /* no op accepts it, and each says what it wants */
  }
}

/* The arguments of one call, which the stack holds until the call is done. */
class Reader {
public:
  explicit Reader(c10::ArrayRef<c10::IValue> arguments) : arguments_(arguments) {}

  bool has(int i) const { return !at(i).isNone(); } /* an optional argument */
  Seen tensor(int i) { return look(at(i).toTensor()); }

  size_t list_size(int i) { return at(i).toListRef().size(); }

  void list(int i, Seen *seen) {
    for (const c10::IValue &element : at(i).toListRef()) {
      *seen++ = look(element.toTensor());
    }
  }

  int64_t integer(int i) { return at(i).toInt(); }
  double number(int i) { return at(i).toDouble(); }
  bool boolean(int i) { return at(i).toBool(); }
  std::string_view string(int i) { return at(i).toStringRef(); }

private:
  const c10::IValue &at(int i) const { return arguments_[static_cast<size_t>(i)]; }

  static Seen look(const at::Tensor &tensor) {
    Seen seen{&tensor, {}, 0};
    DLTensor &view = seen.view;
    view.data = tensor.data_ptr();
    view.device.device_type = tensor.is_cuda() ? kDLCUDA : tensor.is_cpu() ? kDLCPU : kDLExtDev;
    view.device.device_id = tensor.is_cuda() ? tensor.get_device() : 0;
    view.ndim = static_cast<int32_t>(tensor.dim());
    view.dtype = dl_dtype(tensor.scalar_type());
    view.shape = const_cast<int64_t *>(tensor.sizes().data());
    view.strides = const_cast<int64_t *>(tensor.strides().data());
    seen.room = static_cast<int64_t>(tensor.storage().nbytes()) -
                tensor.storage_offset() * (view.dtype.bits / 8);
    return seen;
  }

  c10::ArrayRef<c10::IValue> arguments_;
};

int32_t current_device() {
  const c10::impl::VirtualGuardImpl cuda(c10::DeviceType::CUDA);
  return cuda.getDevice().index();
}

int32_t num_threads() { return at::get_num_threads(); }

struct Kernel final : c10::OperatorKernel {
  explicit Kernel(const Slot &to) : slot(to) {}

  void operator()(const c10::OperatorHandle &, c10::DispatchKeySet, torch::jit::Stack *stack) {
    Reader reader(torch::jit::last(*stack, static_cast<size_t>(slot.count)));
    call(slot, reader);
    torch::jit::drop(*stack, static_cast<size_t>(slot.count));
  }

  const Slot &slot;
};

/* What is registered stays for as long as the process does: the library object is kept, not freed.
 */
void define(const char *ns, const char *schema) {
  auto *library =
      new torch::Library(torch::Library::FRAGMENT, ns, std::nullopt, __FILE__, __LINE__);
  library->def(schema);
}

void implement(const char *ns, const char *name, const char *key, int slot) {
  auto *library =
      new torch::Library(torch::Library::IMPL, ns, c10::parseDispatchKey(key), __FILE__, __LINE__);
  library->impl(name,
                torch::CppFunction::makeFromBoxedFunctor(std::make_unique<Kernel>(slots[slot])));
}

} // namespace
