/*
 * The torch binding: every op of the registry as an operator of torch's dispatcher, over the C API
 * and libtorch's stable ABI, in a shared object of its own. One generic function reads the boxed
 * arguments by the op's schema; one two-line trampoline per op tells it which op.
 *
 * Nothing is registered when the object is loaded. kvforge/torch.py calls kvforge_torch_define()
 * and kvforge_torch_implement() for each op and namespace that the user asked for.
 */
#include <string>
#include <vector>

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/csrc/stable/library.h>
#include <torch/csrc/stable/tensor.h>

#include "kvforge/kvforge.h"

namespace {

using torch::headeronly::ScalarType;
using torch::stable::Tensor;

DLDataType dl_dtype(ScalarType type) {
  switch (type) {
  case ScalarType::Float:
    return {kDLFloat, 32, 1};
  case ScalarType::Half:
    return {kDLFloat, 16, 1};
  case ScalarType::BFloat16:
    return {kDLBfloat, 16, 1};
  case ScalarType::Double:
    return {kDLFloat, 64, 1};
  case ScalarType::Float8_e4m3fn:
    return {kDLFloat8_e4m3fn, 8, 1};
  case ScalarType::Float8_e5m2:
    return {kDLFloat8_e5m2, 8, 1};
  case ScalarType::Byte:
    return {kDLUInt, 8, 1};
  case ScalarType::Char:
    return {kDLInt, 8, 1};
  case ScalarType::Short:
    return {kDLInt, 16, 1};
  case ScalarType::Int:
    return {kDLInt, 32, 1};
  case ScalarType::Long:
    return {kDLInt, 64, 1};
  case ScalarType::Bool:
    return {kDLBool, 8, 1};
  default:
    return {kDLOpaqueHandle, 0, 1}; /* no op accepts it, and each says what it wants */
  }
}

/* A DLPack view of a tensor. It points into the tensor, which must outlive it. */
DLTensor view(const Tensor &tensor) {
  DLTensor dl{};
  dl.data = tensor.data_ptr();
  dl.device.device_type = tensor.is_cuda() ? kDLCUDA : tensor.is_cpu() ? kDLCPU : kDLExtDev;
  dl.device.device_id = tensor.is_cuda() ? tensor.get_device_index() : 0;
  dl.ndim = static_cast<int32_t>(tensor.dim());
  dl.dtype = dl_dtype(tensor.scalar_type());
  dl.shape = const_cast<int64_t *>(tensor.sizes().data());
  dl.strides = const_cast<int64_t *>(tensor.strides().data());
  return dl;
}

/* What the values of one call point to. */
struct Arguments {
  std::vector<kvf_value> values;
  std::vector<Tensor> tensors; /* owns what the stack gave */
  std::vector<DLTensor> views;
  std::vector<std::vector<const DLTensor *>> lists;
  std::vector<std::string> strings;
};

/* Takes every argument off the stack; all of them, since the stack's references are ours to drop.
 */
void take(const kvf_op &op, StableIValue *stack, Arguments &arguments) {
  using torch::stable::detail::to;
  struct Span {
    size_t first;
    size_t count;
  };
  const auto count = static_cast<size_t>(op.num_arguments);
  std::vector<Span> spans(count);
  arguments.values.assign(count, kvf_value{});
  arguments.strings.resize(count);
  for (size_t i = 0; i < count; ++i) {
    const kvf_argument &argument = op.arguments[i];
    kvf_value &value = arguments.values[i];
    value.kind = argument.kind;
    spans[i] = {arguments.tensors.size(), 0};
    switch (argument.kind) {
    case KVF_KIND_TENSOR:
      if (argument.optional) {
        auto tensor = to<std::optional<Tensor>>(stack[i]);
        if (!tensor.has_value()) {
          value.kind = KVF_KIND_NONE;
          break;
        }
        arguments.tensors.push_back(*tensor);
      } else {
        arguments.tensors.push_back(to<Tensor>(stack[i]));
      }
      break;
    case KVF_KIND_TENSOR_LIST:
      for (const Tensor &tensor : to<std::vector<Tensor>>(stack[i])) {
        arguments.tensors.push_back(tensor);
      }
      break;
    case KVF_KIND_INT:
      value.as.integer = to<int64_t>(stack[i]);
      break;
    case KVF_KIND_FLOAT:
      value.as.number = to<double>(stack[i]);
      break;
    case KVF_KIND_BOOL:
      value.as.boolean = to<bool>(stack[i]);
      break;
    default:
      arguments.strings[i] = to<std::string>(stack[i]);
      value.as.string = arguments.strings[i].c_str();
    }
    spans[i].count = arguments.tensors.size() - spans[i].first;
  }
  for (const Tensor &tensor : arguments.tensors) {
    arguments.views.push_back(view(tensor));
  }
  for (size_t i = 0; i < count; ++i) {
    kvf_value &value = arguments.values[i];
    if (value.kind == KVF_KIND_TENSOR) {
      value.as.tensor = &arguments.views[spans[i].first];
    } else if (value.kind == KVF_KIND_TENSOR_LIST) {
      std::vector<const DLTensor *> list;
      for (size_t j = 0; j < spans[i].count; ++j) {
        list.push_back(&arguments.views[spans[i].first + j]);
      }
      arguments.lists.push_back(std::move(list));
      value.as.tensors.data = arguments.lists.back().data();
      value.as.tensors.size = static_cast<int64_t>(spans[i].count);
    }
  }
}

kvf_exec place_of(const Arguments &arguments) {
  kvf_exec exec{};
  exec.backend = KVF_CPU;
  for (const DLTensor &tensor : arguments.views) {
    if (tensor.device.device_type == kDLCUDA) {
      exec.backend = KVF_CUDA;
      exec.device = tensor.device.device_id;
#ifdef USE_CUDA
      TORCH_ERROR_CODE_CHECK(aoti_torch_get_current_cuda_stream(exec.device, &exec.stream));
#endif
      break;
    }
  }
  return exec;
}

void call(const kvf_op &op, StableIValue *stack) {
  Arguments arguments;
  take(op, stack, arguments);
  const kvf_exec exec = place_of(arguments);
  const kvf_status status = kvf_call(&op, &exec, arguments.values.data(), op.num_arguments);
  STD_TORCH_CHECK(status == KVF_OK, kvf_last_error());
}

/* One boxed kernel per op, by the registry's order. */
#define KVF_OP(ns, name)                                                                           \
  void boxed_##name(StableIValue *stack, uint64_t, uint64_t) { call(kvf_op_##name, stack); }
#include "kvf_ops.inc"
#undef KVF_OP

struct Entry {
  const kvf_op *op;
  void (*boxed)(StableIValue *, uint64_t, uint64_t);
};

#define KVF_OP(ns, name) {&kvf_op_##name, boxed_##name},
const Entry entries[] = {
#include "kvf_ops.inc"
};
#undef KVF_OP

using torch::stable::detail::StableLibrary;

/* Registrations live as long as the process. */
std::vector<StableLibrary *> libraries;

int guarded(void (*action)(const Entry &, const char *, const char *), const char *name,
            const char *ns, const char *key) {
  for (const Entry &entry : entries) {
    if (std::string(entry.op->name) == name) {
      try {
        action(entry, ns, key);
        return 0;
      } catch (...) { /* torch has said why on its own */
        return -1;
      }
    }
  }
  return -1;
}

} // namespace

/* Defines an op's schema in a namespace; 0, or -1. Not thread-safe. */
extern "C" KVF_API int kvforge_torch_define(const char *name, const char *ns) {
  return guarded(
      [](const Entry &entry, const char *space, const char *) {
        libraries.push_back(
            new StableLibrary(StableLibrary::Kind::FRAGMENT, space, nullptr, __FILE__, __LINE__));
        libraries.back()->def(entry.op->schema);
      },
      name, ns, nullptr);
}

/* Registers the op's kernel in a namespace for a dispatch key; 0, or -1. Not thread-safe. */
extern "C" KVF_API int kvforge_torch_implement(const char *name, const char *ns, const char *key) {
  return guarded(
      [](const Entry &entry, const char *space, const char *dispatch) {
        libraries.push_back(
            new StableLibrary(StableLibrary::Kind::IMPL, space, dispatch, __FILE__, __LINE__));
        libraries.back()->impl(entry.op->name, entry.boxed);
      },
      name, ns, key);
}
