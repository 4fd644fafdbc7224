/*
 * The torch binding: any op that kvf_find_op() finds as an operator of torch's dispatcher, over the
 * C API, in a shared object of its own. torch_stable.h reads torch's arguments through libtorch's
 * stable ABI (torch 2.10 on; one build serves every later torch), torch_library.h through the C++
 * interface that older ones have; this file is the rest.
 *
 * Nothing is registered when the object is loaded. kvforge/torch.py calls the functions at the end.
 */
#include <algorithm>
#include <cstring>
#include <list>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <dlfcn.h>

#include "kvforge/kvforge.h"

namespace at {
class Tensor;
}

namespace {

/* As many as kvf_call() takes, and more operators than anyone registers. */
constexpr int max_arguments = 32;
constexpr int max_slots = 256;
/* Longer than any name; what is longer still is cut, and stays recognisable in an error. */
constexpr size_t max_string = 127;

/* One operator of torch: an op under a namespace, with a schema whose order may be its own. */
struct Slot {
  const kvf_op *op;
  std::string ns;
  uint32_t flags; /* those of the op's own arguments, by position, that are set in every call */
  int count;      /* arguments of the registered schema */
  struct {
    int8_t position; /* in the op's own schema */
    bool optional;   /* in the registered schema, which tells how torch passes it */
  } arguments[max_arguments];
};

/* Slots are filled once and stay as they are, since a call may be in any of them. */
Slot slots[max_slots];
int used_slots = 0;

void call(const Slot &slot, class Reader &reader);

/* A tensor among the arguments: torch's own, and as DLPack sees it, pointing into torch's. */
struct Seen {
  const at::Tensor *own;
  DLTensor view;
  int64_t room; /* bytes from the view's data to the end of its storage */
};

} // namespace

#ifdef KVF_TORCH_STABLE
#include "torch_stable.h"
#else
#include "torch_library.h"
#endif

namespace {

/* ---- the call ----------------------------------------------------------------------------------
 */

using StreamOf = int32_t (*)(int32_t device, void **stream);

/* What tells torch's current stream of a device; NULL in a torch without CUDA, which lacks it: it
 * is looked up, so that one build serves both. */
StreamOf stream_of() {
  static const StreamOf function = [] {
    void *library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
    return library == nullptr
               ? nullptr
               : reinterpret_cast<StreamOf>(dlsym(library, "aoti_torch_get_current_cuda_stream"));
  }();
  return function;
}

/* Where a call runs: on the device of its tensors, if one is on a device. The tensors of some ops
 * are always the host's: those run on torch's current device, if it has one. */
kvf_exec place(const kvf_op &op, int32_t device) {
  kvf_exec exec{};
  int32_t devices = 0;
  if (device < 0 && op.host_arguments && stream_of() != nullptr &&
      kvf_cuda_device_count(&devices) == KVF_OK && devices > 0) {
    device = current_device();
  }
  if (device >= 0) {
    exec.backend = KVF_CUDA;
    exec.device = device;
    exec.programmatic = kvf_programmatic();
    if (stream_of() == nullptr || stream_of()(device, &exec.stream) != 0) {
      throw std::runtime_error(std::string(op.name) + ": torch tells no current CUDA stream");
    }
  } else {
    exec.backend = KVF_CPU;
    exec.num_threads = num_threads();
  }
  return exec;
}

/* std::bad_alloc with a sentence. */
struct OutOfMemory : std::bad_alloc {
  explicit OutOfMemory(std::string reason) : reason_(std::move(reason)) {}
  const char *what() const noexcept override { return reason_.c_str(); }

private:
  std::string reason_;
};

/* Throws what Python gets as the exception that kvforge.ops raises. torch turns these standard
 * exceptions into Python's; the two that have no such form are the adapter's, which may have to be
 * content with RuntimeError. */
[[noreturn]] void raise(kvf_status status, const std::string &reason) {
  switch (status) {
  case KVF_OUT_OF_RANGE:
    throw std::out_of_range(reason);
  case KVF_INVALID_VALUE:
    throw std::invalid_argument(reason);
  case KVF_OUT_OF_MEMORY:
    throw OutOfMemory(reason);
  case KVF_INVALID_TYPE:
    raise_type_error(reason);
  case KVF_UNSUPPORTED:
  case KVF_NOT_BUILT:
    raise_not_implemented(reason);
  default:
    throw std::runtime_error(reason);
  }
}

void run(const kvf_op &op, const kvf_exec &exec, const kvf_value *values) {
  const kvf_status status = kvf_call(&op, &exec, values, op.num_arguments);
  if (status != KVF_OK) {
    raise(status, kvf_last_error());
  }
}

std::string named(const kvf_op &op, int position, const std::string &rest) {
  return std::string(op.name) + ": " + op.arguments[position].name + ": " + rest;
}

/* Refuses a tensor that reaches beyond its storage, as one whose storage was made smaller does. */
void check_storage(const kvf_op &op, int position, const Seen &seen) {
  int64_t last = 0; /* the position of the last element */
  for (int32_t i = 0; i < seen.view.ndim; ++i) {
    if (seen.view.shape[i] == 0) {
      return;
    }
    last += (seen.view.shape[i] - 1) * seen.view.strides[i];
  }
  const int64_t want = (last + 1) * (seen.view.dtype.bits / 8);
  if (want > seen.room) {
    raise(KVF_INVALID_VALUE,
          named(op, position,
                "got a torch tensor whose storage has " + std::to_string(seen.room) +
                    " bytes for it, want " + std::to_string(want) + " for its shape and strides"));
  }
}

/* Refuses a tensor that the op would write to behind autograd's back, as torch refuses it in its
 * own in-place operations. */
void check_writable(const kvf_op &op, int position, const at::Tensor &tensor) {
  if (grad_mode() && requires_grad(tensor)) {
    throw std::runtime_error(named(op, position,
                                   "got a torch tensor that requires grad, want one that does not: "
                                   "the op writes in place and has no gradient; torch.no_grad() "
                                   "allows it"));
  }
  if (!inference_mode() && of_inference(tensor)) {
    throw std::runtime_error(named(op, position,
                                   "got a torch tensor that was made in inference mode, want a "
                                   "clone of it, or a call in inference mode"));
  }
}

/* Tells autograd of all that the op is going to write. */
void tell_written(const Slot &slot, const kvf_value *values, const Seen *tensors,
                  const std::vector<std::unique_ptr<Seen[]>> &lists) {
  auto list = lists.begin();
  for (int i = 0; i < slot.count; ++i) {
    const int position = slot.arguments[i].position;
    const kvf_value &value = values[position];
    const bool is_list = value.kind == KVF_KIND_TENSOR_LIST;
    const Seen *seen = is_list ? (list++)->get() : &tensors[i];
    const int64_t size = is_list ? value.as.tensors.size : value.kind == KVF_KIND_TENSOR;
    for (int64_t k = 0; slot.op->arguments[position].mutated && k < size; ++k) {
      torch::autograd::impl::bump_version(*seen[k].own);
    }
  }
}

void call(const Slot &slot, Reader &reader) {
  const kvf_op &op = *slot.op;
  kvf_value values[max_arguments];
  Seen tensors[max_arguments];
  std::vector<std::unique_ptr<Seen[]>> lists;
  std::vector<std::unique_ptr<const DLTensor *[]>> pointers;
  std::list<std::string> cut;
  int32_t device = -1;
  const auto see = [&](int position, const Seen &seen) {
    if (seen.view.device.device_type == kDLCUDA) {
      device = seen.view.device.device_id;
    }
    check_storage(op, position, seen);
    if (op.arguments[position].mutated) {
      check_writable(op, position, *seen.own);
    }
  };
  for (int i = 0; i < op.num_arguments; ++i) {
    values[i] = op.arguments[i].default_value; /* none where there is no default */
    if (slot.flags >> i & 1) {
      values[i].as.boolean = true;
    }
  }
  for (int i = 0; i < slot.count; ++i) {
    const int position = slot.arguments[i].position;
    kvf_value &value = values[position];
    if (slot.arguments[i].optional && !reader.has(i)) {
      continue; /* None is the op's own default, of a number too */
    }
    value.kind = op.arguments[position].kind;
    switch (value.kind) {
    case KVF_KIND_TENSOR:
      tensors[i] = reader.tensor(i);
      value.as.tensor = &tensors[i].view;
      see(position, tensors[i]);
      break;
    case KVF_KIND_TENSOR_LIST: {
      const size_t size = reader.list_size(i);
      lists.push_back(std::make_unique<Seen[]>(size));
      pointers.push_back(std::make_unique<const DLTensor *[]>(size));
      reader.list(i, lists.back().get());
      for (size_t j = 0; j < size; ++j) {
        pointers.back()[j] = &lists.back()[j].view;
        see(position, lists.back()[j]);
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
    default: {
      const std::string_view text = reader.string(i);
      if (text.find('\0') != text.npos) {
        raise(KVF_INVALID_VALUE,
              named(op, position, "got a string with a NUL in it, want one without"));
      }
      value.as.string = text.data();
      if (text.size() > max_string) {
        cut.emplace_back(text.substr(0, max_string));
        value.as.string = cut.back().c_str();
      }
    }
    }
  }
  tell_written(slot, values, tensors, lists);
  run(op, place(op, device), values);
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
 * question mark behind those that may be None; and of flags that the schema lacks and every call
 * sets, with an exclamation mark. */
void fill(Slot &slot, const kvf_op &op, const char *ns, const std::string &names) {
  slot.op = &op;
  slot.ns = ns;
  slot.flags = 0;
  slot.count = 0;
  bool given[max_arguments] = {};
  for (size_t begin = 0; begin < names.size();) {
    const size_t end = std::min(names.find(',', begin), names.size());
    std::string name = names.substr(begin, end - begin);
    const bool optional = name.back() == '?';
    const bool flag = name.back() == '!';
    if (optional || flag) {
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
    begin = end + 1;
    if (!flag) {
      slot.arguments[slot.count++] = {static_cast<int8_t>(position), optional};
    } else if (op.arguments[position].has_default &&
               op.arguments[position].default_value.kind == KVF_KIND_BOOL) {
      slot.flags |= 1u << position;
    } else {
      refuse(std::string(op.name) + ": '" + name + "' is no flag with a default");
    }
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

/* Whether this torch has all that the binding needs; else it is to be built for this torch alone.
 */
extern "C" KVF_API bool kvforge_torch_complete() { return complete(); }

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
