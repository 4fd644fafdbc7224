/*
 * The torch binding: any op that kvf_find_op() finds as an operator of torch's dispatcher, over the
 * C API, in a shared object of its own. torch_stable.h reads torch's arguments through libtorch's
 * stable ABI (torch 2.10 on; one build serves every later torch), torch_library.h through the C++
 * interface that older ones have; this file is the rest.
 *
 * Nothing is registered when the object is loaded. kvforge/torch.py calls the functions at the end.
 */
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <dlfcn.h>

#include "kvforge/kvforge.h"

namespace {

/* As many as kvf_call() takes, and more operators than anyone registers. */
constexpr int max_arguments = 24;
constexpr int max_slots = 256;

/* One operator of torch: an op under a namespace, with a schema whose order may be its own. */
struct Slot {
  const kvf_op *op;
  std::string ns;
  int count; /* arguments of the registered schema */
  struct {
    int8_t position; /* in the op's own schema */
    bool optional;   /* in the registered schema, which tells how torch passes it */
  } arguments[max_arguments];
};

/* Slots are filled once and stay as they are, since a call may be in any of them. */
Slot slots[max_slots];
int used_slots = 0;

void call(const Slot &slot, class Reader &reader);

} // namespace

#ifdef KVF_TORCH_STABLE
#include "torch_stable.h"
#else
#include "torch_library.h"
#endif

namespace {

/* ---- the call ----------------------------------------------------------------------------------
 */

/* The current stream of a device, as torch's Python sees it. A torch without CUDA lacks the
 * function, so it is looked up: one build serves both. */
bool current_stream(int32_t device, void **stream) {
  using Function = int32_t (*)(int32_t, void **);
  static const Function function = [] {
    void *library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
    return library != nullptr
               ? reinterpret_cast<Function>(dlsym(library, "aoti_torch_get_current_cuda_stream"))
               : nullptr;
  }();
  return function != nullptr && function(device, stream) == 0;
}

/* Where a call runs: on the device of its tensors; without one there on torch's current device if
 * only exec can tell (the tensors of such an op are always the host's). */
kvf_exec place(const kvf_op &op, int32_t device) {
  kvf_exec exec{};
  int32_t devices = 0;
  void *stream = nullptr;
  if (device < 0 && op.host_arguments && kvf_cuda_device_count(&devices) == KVF_OK &&
      current_stream(current_device(), &stream)) {
    device = current_device();
  }
  if (device >= 0) {
    exec.backend = KVF_CUDA;
    exec.device = device;
    if (!current_stream(device, &exec.stream)) {
      throw std::runtime_error(std::string(op.name) + ": torch tells no current CUDA stream");
    }
  } else {
    exec.backend = KVF_CPU;
    exec.num_threads = num_threads();
  }
  return exec;
}

void call(const Slot &slot, Reader &reader) {
  const kvf_op &op = *slot.op;
  kvf_value values[max_arguments];
  DLTensor views[max_arguments];
  std::vector<std::unique_ptr<DLTensor[]>> lists;
  std::vector<std::unique_ptr<const DLTensor *[]>> pointers;
  int32_t device = -1;
  for (int i = 0; i < op.num_arguments; ++i) {
    values[i] = op.arguments[i].default_value; /* none where there is no default */
  }
  for (int i = 0; i < slot.count; ++i) {
    const int position = slot.arguments[i].position;
    kvf_value &value = values[position];
    value.kind = op.arguments[position].kind;
    switch (value.kind) {
    case KVF_KIND_TENSOR:
      if (reader.tensor(i, slot.arguments[i].optional, views[i])) {
        value.as.tensor = &views[i];
        device = views[i].device.device_type == kDLCUDA ? views[i].device.device_id : device;
      } else {
        value.kind = KVF_KIND_NONE;
      }
      break;
    case KVF_KIND_TENSOR_LIST: {
      const size_t size = reader.list_size(i);
      lists.push_back(std::make_unique<DLTensor[]>(size));
      pointers.push_back(std::make_unique<const DLTensor *[]>(size));
      reader.list(i, lists.back().get());
      for (size_t j = 0; j < size; ++j) {
        const DLTensor *tensor = &lists.back()[j];
        pointers.back()[j] = tensor;
        device = tensor->device.device_type == kDLCUDA ? tensor->device.device_id : device;
      }
      value.as.tensors.data = pointers.back().get();
      value.as.tensors.size = static_cast<int64_t>(size);
      break;
    }
    case KVF_KIND_INT:
      value.as.integer = reader.integer(i);
      break;
    case KVF_KIND_FLOAT:
      value.as.number = reader.number(i);
      break;
    case KVF_KIND_BOOL:
      value.as.boolean = reader.boolean(i);
      break;
    default:
      value.as.string = reader.string(i);
    }
  }
  const kvf_exec exec = place(op, device);
  if (kvf_call(&op, &exec, values, op.num_arguments) != KVF_OK) {
    throw std::runtime_error(kvf_last_error());
  }
}

/* ---- registration ------------------------------------------------------------------------------
 */

[[noreturn]] void refuse(const std::string &why) { throw std::runtime_error(why); }

const kvf_op &find(const char *name) {
  const kvf_op *op = kvf_find_op(name);
  if (op == nullptr) {
    refuse(kvf_last_error());
  }
  return *op;
}

/* Fills a slot from the names of the registered schema's arguments, separated by commas, with a
 * question mark behind those that may be None. */
void fill(Slot &slot, const kvf_op &op, const char *ns, const std::string &names) {
  slot.op = &op;
  slot.ns = ns;
  slot.count = 0;
  bool given[max_arguments] = {};
  for (size_t begin = 0; begin < names.size();) {
    const size_t end = std::min(names.find(',', begin), names.size());
    std::string name = names.substr(begin, end - begin);
    const bool optional = name.back() == '?';
    if (optional) {
      name.pop_back();
    }
    int position = 0;
    while (position < op.num_arguments && name != op.arguments[position].name) {
      ++position;
    }
    if (position == op.num_arguments || given[position] || slot.count == max_arguments) {
      refuse(std::string(op.name) + " has no argument '" + name + "'; want " + op.schema);
    }
    given[position] = true;
    slot.arguments[slot.count++] = {static_cast<int8_t>(position), optional};
    begin = end + 1;
  }
  for (int i = 0; i < op.num_arguments; ++i) {
    if (!given[i] && !op.arguments[i].has_default) {
      refuse(std::string(op.name) + ": the schema lacks '" + op.arguments[i].name +
             "', which has no default");
    }
  }
}

/* The slot of an op under a namespace: the one that it has, or a new one. */
int slot_of(const kvf_op &op, const char *ns, const char *names) {
  for (int i = 0; i < used_slots; ++i) {
    if (slots[i].op == &op && slots[i].ns == ns) {
      return i;
    }
  }
  if (used_slots == max_slots) {
    refuse("this process has registered " + std::to_string(max_slots) +
           " ops with torch already, and no more can be");
  }
  fill(slots[used_slots], op, ns, names);
  return used_slots++;
}

/* NULL, or why the action failed: valid until the thread's next call. */
template <typename Action> const char *reason(Action action) {
  static thread_local std::string text;
  try {
    action();
    return nullptr;
  } catch (const std::exception &error) {
    text = error.what();
    return text.c_str();
  }
}

} // namespace

/*
 * The functions below are for one thread at a time, which kvforge/torch.py sees to. They return
 * NULL or the reason of a failure, which is valid until the thread's next call.
 */

/* Gives the schema, without a namespace, of an op ("namespace::name"), which lives on. */
extern "C" KVF_API const char *kvforge_torch_schema(const char *op, const char **schema) {
  return reason([&] { *schema = find(op).schema; });
}

/* Defines a schema, without its namespace, in a namespace. */
extern "C" KVF_API const char *kvforge_torch_define(const char *ns, const char *schema) {
  return reason([&] { define(ns, schema); });
}

/*
 * Registers an op ("namespace::name") as the kernel of the operator of its name in namespace `ns`,
 * for a dispatch key. `arguments` are the names that the operator's schema has, in its order,
 * separated by commas, with a question mark behind an optional one.
 */
extern "C" KVF_API const char *kvforge_torch_implement(const char *op, const char *ns,
                                                       const char *arguments, const char *key) {
  return reason([&] {
    const kvf_op &found = find(op);
    implement(ns, found.name, key, slot_of(found, ns, arguments));
  });
}
