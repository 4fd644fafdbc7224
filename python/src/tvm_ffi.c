/*
 * The Python binding: every op of the registry as a TVM-FFI function, in a shared object of its own
 * over the C API, so that the core library needs neither Python nor TVM-FFI.
 *
 * Function <namespace>__<op> takes the arguments of the op's schema in order, without defaults (the
 * Python wrappers fill them in). Tensors are used where they lie; a CUDA call goes to the stream
 * that TVM-FFI says is the caller's. An op whose tensors are all the host's takes the ordinal of a
 * CUDA device behind its arguments, to run there. Other ops may get torch's own tensors by their
 * handles, the attribute _cdata, and True behind the arguments: then torch is asked about them and
 * told what is written, and the stream is torch's. If one cannot be used as it lies, nothing is
 * done and the result is True instead of None. TVM-FFI releases the GIL around calls.
 *
 * kvforge__prepare makes a function of a call in place of making it: see bound.h.
 */
#define _GNU_SOURCE /* open_memstream */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tvm/ffi/c_api.h>
#include <tvm/ffi/extra/c_env_api.h>

#include "bound.h"
#include "torch_tensors.h"

enum { MAX_ARGUMENTS = 32, MAX_STRING = 128 };

/* Storage of one decoded argument. */
typedef struct decoded {
  const DLTensor **tensors; /* of a list; NULL otherwise */
  union {
    DLTensor view; /* of a tensor given by its handle */
    char string[MAX_STRING];
  } as;
} decoded;

/* ---- reading TVMFFIAny -------------------------------------------------------------------------
 */

static const DLTensor *as_tensor(const TVMFFIAny *any) {
  if (any->type_index == kTVMFFIDLTensorPtr) {
    return (const DLTensor *)any->v_ptr;
  }
  if (any->type_index == kTVMFFITensor) {
    return (const DLTensor *)(const void *)((const char *)any->v_ptr + sizeof(TVMFFIObject));
  }
  return NULL;
}

/*
 * The text of a string argument, copied, since it need not end with a NUL, and cut at `room` bytes;
 * NULL when it is none.
 */
static const char *as_string(const TVMFFIAny *any, char *storage, size_t room) {
  const char *data = NULL;
  size_t size = 0;
  if (any->type_index == kTVMFFISmallStr) {
    data = any->v_bytes;
    size = any->small_str_len;
  } else if (any->type_index == kTVMFFIStr) {
    const TVMFFIByteArray *bytes =
        (const TVMFFIByteArray *)(const void *)((const char *)any->v_ptr + sizeof(TVMFFIObject));
    data = bytes->data;
    size = bytes->size;
  } else if (any->type_index == kTVMFFIRawStr) {
    data = any->v_c_str;
    size = strlen(data);
  } else {
    return NULL;
  }
  size = size < room ? size : room - 1;
  memcpy(storage, data, size);
  storage[size] = '\0';
  return storage;
}

/* A list of tensors; false when an element is none or memory ran out. */
static bool as_tensors(const TVMFFIAny *any, decoded *storage, kvf_value *value) {
  const TVMFFISeqCell *cell =
      (const TVMFFISeqCell *)(const void *)((const char *)any->v_ptr + sizeof(TVMFFIObject));
  const TVMFFIAny *elements = (const TVMFFIAny *)cell->data;
  storage->tensors = malloc((size_t)(cell->size > 0 ? cell->size : 1) * sizeof *storage->tensors);
  if (storage->tensors == NULL) {
    value->kind = KVF_KIND_TENSOR_LIST; /* it is one: memory ran out */
    return false;
  }
  for (int64_t i = 0; i < cell->size; ++i) {
    storage->tensors[i] = as_tensor(&elements[i]);
    if (storage->tensors[i] == NULL) {
      return false;
    }
  }
  value->kind = KVF_KIND_TENSOR_LIST;
  value->as.tensors.data = storage->tensors;
  value->as.tensors.size = cell->size;
  return true;
}

static bool decode(const TVMFFIAny *any, decoded *storage, kvf_value *value) {
  switch (any->type_index) {
  case kTVMFFINone:
    *value = (kvf_value){.kind = KVF_KIND_NONE};
    return true;
  case kTVMFFIInt:
    *value = (kvf_value){.kind = KVF_KIND_INT, .as.integer = any->v_int64};
    return true;
  case kTVMFFIBool:
    *value = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = any->v_int64 != 0};
    return true;
  case kTVMFFIFloat:
    *value = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = any->v_float64};
    return true;
  case kTVMFFIDLTensorPtr:
  case kTVMFFITensor:
    *value = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = as_tensor(any)};
    return true;
  case kTVMFFIArray:
  case kTVMFFIList:
    return as_tensors(any, storage, value);
  default:
    /* A string longer than any name stays recognisable in an error. */
    *value =
        (kvf_value){.kind = KVF_KIND_STRING,
                    .as.string = as_string(any, storage->as.string, sizeof storage->as.string)};
    return value->as.string != NULL;
  }
}

/* ---- errors ------------------------------------------------------------------------------------
 */

/*
 * What the call raises in Python. There is no backtrace of C in it: TVM-FFI's own would be made by
 * reading the debug information of all that the process has loaded, which with torch is more than a
 * second of the first error, and would name functions of this file alone.
 */
void kvf_raise(const char *kind, const char *message) {
  const TVMFFIByteArray words[3] = {{kind, strlen(kind)}, {message, strlen(message)}, {"", 0}};
  TVMFFIObjectHandle error = NULL;
  if (TVMFFIErrorCreate(&words[0], &words[1], &words[2], &error) == 0) {
    TVMFFIErrorSetRaised(error);
    (void)TVMFFIObjectDecRef(error);
  }
}

/* ---- the call ----------------------------------------------------------------------------------
 */

static const char *error_kind(kvf_status status) {
  switch (status) {
  case KVF_INVALID_TYPE:
    return "TypeError";
  case KVF_INVALID_VALUE:
    return "ValueError";
  case KVF_OUT_OF_RANGE:
    return "IndexError";
  case KVF_UNSUPPORTED:
  case KVF_NOT_BUILT:
    return "NotImplementedError"; /* the Python package teaches TVM-FFI this kind */
  case KVF_OUT_OF_MEMORY:
    return "MemoryError";
  default:
    return "RuntimeError";
  }
}

/* Success, or the error of a refused call. */
int kvf_report(kvf_status status) {
  if (status != KVF_OK) {
    kvf_raise(error_kind(status), kvf_last_error());
    return -1;
  }
  return 0;
}

/* A device and its stream: torch's, if the tensors are; false if torch does not tell it. */
static bool on_cuda(int32_t device, bool torchs, kvf_exec *exec) {
  *exec = (kvf_exec){.backend = KVF_CUDA, .device = device, .programmatic = kvf_programmatic()};
  if (torchs) {
    return kvf_torch_stream(device, &exec->stream);
  }
  exec->stream = TVMFFIEnvGetStream(kDLCUDA, device);
  return true;
}

/* The place that the first tensor on a device gives; the CPU when there is none. */
static bool place_of(const kvf_value *values, int32_t count, bool torchs, kvf_exec *exec) {
  for (int32_t i = 0; i < count; ++i) {
    const DLTensor *tensor =
        values[i].kind == KVF_KIND_TENSOR ? values[i].as.tensor
        : values[i].kind == KVF_KIND_TENSOR_LIST && values[i].as.tensors.size > 0
            ? values[i].as.tensors.data[0]
            : NULL;
    if (tensor != NULL && tensor->device.device_type == kDLCUDA) {
      return on_cuda(tensor->device.device_id, torchs, exec);
    }
  }
  *exec = (kvf_exec){.backend = KVF_CPU};
  return true;
}

static bool has_tensors(const kvf_argument *argument) {
  return argument->kind == KVF_KIND_TENSOR || argument->kind == KVF_KIND_TENSOR_LIST;
}

/* What a schema's argument is in the words of Python: its arrays are of any library. */
static const char *wanted(const kvf_argument *argument) {
  return argument->kind == KVF_KIND_TENSOR        ? "an array"
         : argument->kind == KVF_KIND_TENSOR_LIST ? "a list of arrays"
                                                  : argument->type;
}

/*
 * Whether a refused call has something else where the schema has arrays; then it says so, in place
 * of kvf_call(), which says it in the words of the schema.
 */
static bool lacks_arrays(const kvf_op *op, const kvf_value *values, int32_t count, char *message,
                         size_t room) {
  static const char *const names[] = {"None", "an array", "a list of arrays", "int", "float",
                                      "bool", "str"};
  for (int32_t i = 0; i < count; ++i) {
    const kvf_argument *argument = &op->arguments[i];
    const bool left_out = values[i].kind == KVF_KIND_NONE && argument->optional;
    if (has_tensors(argument) && !left_out && values[i].kind != argument->kind) {
      (void)snprintf(message, room, "%s: %s: got %s, want %s", op->name, argument->name,
                     names[values[i].kind], wanted(argument));
      return true;
    }
  }
  return false;
}

static void free_lists(const decoded *storage, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    free(storage[i].tensors);
  }
}

/* Whether a string argument has a NUL in it, behind which C would not read. */
static bool has_nul(const TVMFFIAny *any) {
  if (any->type_index == kTVMFFISmallStr) {
    return memchr(any->v_bytes, 0, any->small_str_len) != NULL;
  }
  const TVMFFIByteArray *bytes =
      (const TVMFFIByteArray *)(const void *)((const char *)any->v_ptr + sizeof(TVMFFIObject));
  return any->type_index == kTVMFFIStr && memchr(bytes->data, 0, bytes->size) != NULL;
}

/* ---- torch's tensors, by their handles
 * ---------------------------------------------------------- */

bool kvf_see(const TVMFFIAny *any, bool written, DLTensor *view) {
  const DLTensor *tensor = as_tensor(any);
  if (tensor != NULL) {
    *view = *tensor;
  }
  return tensor != NULL || (any->type_index == kTVMFFIInt &&
                            kvf_torch_see((const void *)(intptr_t)any->v_int64, written, view));
}

const TVMFFIAny *kvf_items_of(const TVMFFIAny *any, int64_t *count) {
  *count = 1;
  if (any->type_index != kTVMFFIArray && any->type_index != kTVMFFIList) {
    return any;
  }
  const TVMFFISeqCell *cell =
      (const TVMFFISeqCell *)(const void *)((const char *)any->v_ptr + sizeof(TVMFFIObject));
  *count = cell->size;
  return (const TVMFFIAny *)cell->data;
}

/* A list of tensors: the addresses of views, which stand behind them in one piece of memory. */
static bool see_list(const TVMFFIAny *any, bool written, decoded *storage, kvf_value *value) {
  int64_t size = 0;
  const TVMFFIAny *handles = kvf_items_of(any, &size);
  if (handles == any) {
    return false;
  }
  const size_t each = sizeof *storage->tensors + sizeof(DLTensor);
  storage->tensors = malloc((size_t)(size > 0 ? size : 1) * each);
  if (storage->tensors == NULL) {
    return false; /* Python will say so */
  }
  DLTensor *views = (DLTensor *)(void *)(storage->tensors + size);
  for (int64_t i = 0; i < size; ++i) {
    storage->tensors[i] = &views[i];
    if (!kvf_see(&handles[i], written, &views[i])) {
      return false;
    }
  }
  *value = (kvf_value){.kind = KVF_KIND_TENSOR_LIST,
                       .as.tensors = {.data = storage->tensors, .size = size}};
  return true;
}

/* An argument in place of whose tensors there are handles; whether they can be used as they lie. */
static bool decode_handles(const kvf_argument *argument, const TVMFFIAny *any, decoded *storage,
                           kvf_value *value) {
  if (any->type_index == kTVMFFINone) {
    *value = (kvf_value){.kind = KVF_KIND_NONE};
    return argument->optional;
  }
  if (argument->kind == KVF_KIND_TENSOR_LIST) {
    return see_list(any, argument->mutated, storage, value);
  }
  *value = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = &storage->as.view};
  return kvf_see(any, argument->mutated, &storage->as.view);
}

/* Tells autograd of all that an op is going to write. */
static void tell_written(const kvf_op *op, const TVMFFIAny *arguments, int32_t count) {
  for (int32_t i = 0; i < count; ++i) {
    int64_t size = 0;
    const TVMFFIAny *handles = kvf_items_of(&arguments[i], &size);
    for (int64_t k = 0; op->arguments[i].mutated && k < size; ++k) {
      if (handles[k].type_index == kTVMFFIInt) {
        kvf_torch_written((const void *)(intptr_t)handles[k].v_int64);
      }
    }
  }
}

/* Makes a call, or prepares it: then `prepared` is an address. */
static kvf_status make(const kvf_op *op, const kvf_exec *exec, const kvf_value *values,
                       int32_t count, kvf_prepared **prepared) {
  return prepared != NULL ? kvf_prepare_call(op, exec, values, count, prepared)
                          : kvf_call(op, exec, values, count);
}

/* What an op does with its arguments: whether a device is `placed` behind them, and whether there
 * may be handles in place of tensors. To `bind` is to make a function of the call as the result. */
typedef struct manner {
  bool placed;
  bool torchs;
  bool bind;
} manner;

static int carry_out(const kvf_op *op, manner how, const TVMFFIAny *arguments, int32_t count,
                     TVMFFIAny *result) {
  kvf_value values[MAX_ARGUMENTS] = {{.kind = KVF_KIND_NONE}};
  decoded storage[MAX_ARGUMENTS];
  char message[256];
  if (count > MAX_ARGUMENTS || count > op->num_arguments) {
    (void)snprintf(message, sizeof message, "%s: got %d arguments, want at most %d", op->name,
                   count, op->num_arguments);
    kvf_raise("TypeError", message);
    return -1;
  }
  int32_t read = 0;
  bool good = true;
  bool as_they_lie = true;
  for (; good && as_they_lie && read < count; ++read) {
    storage[read].tensors = NULL;
    const bool absent = how.bind && arguments[read].type_index == kTVMFFINone;
    if (how.torchs && !absent && has_tensors(&op->arguments[read])) {
      as_they_lie =
          decode_handles(&op->arguments[read], &arguments[read], &storage[read], &values[read]);
    } else {
      good = decode(&arguments[read], &storage[read], &values[read]);
    }
  }
  for (int32_t i = 0; good && i < read; ++i) {
    if (values[i].kind == KVF_KIND_STRING && has_nul(&arguments[i])) {
      (void)snprintf(message, sizeof message,
                     "%s: %s: got a string with a NUL in it, want one without", op->name,
                     op->arguments[i].name);
      kvf_raise("ValueError", message);
      free_lists(storage, read);
      return -1;
    }
  }
  kvf_status status = KVF_INVALID_TYPE;
  bool raised = false;
  kvf_exec exec;
  if (good && as_they_lie) {
    as_they_lie = how.placed ? on_cuda((int32_t)arguments[count].v_int64, false, &exec)
                             : place_of(values, count, how.torchs && !how.bind, &exec);
  }
  if (good && !as_they_lie) {
    result->type_index = kTVMFFIBool;
    result->v_int64 = 1;
    status = KVF_OK;
  } else if (good) {
    if (how.torchs && !how.bind) {
      tell_written(op, arguments, count);
    }
    kvf_prepared *prepared = NULL;
    kvf_prepared **kept = how.bind ? &prepared : NULL;
    status = make(op, &exec, values, count, kept);
    if (prepared != NULL) {
      raised = kvf_bind(op, &exec, values, arguments, count, prepared, result) != 0;
    }
  }
  free_lists(storage, read);
  if (!good) {
    const bool no_memory = values[read - 1].kind == KVF_KIND_TENSOR_LIST;
    (void)snprintf(message, sizeof message, "%s: %s: %s %s", op->name, op->arguments[read - 1].name,
                   no_memory ? "no memory for" : "cannot be read as",
                   wanted(&op->arguments[read - 1]));
    kvf_raise(no_memory ? "MemoryError" : "TypeError", message);
    return -1;
  }
  if (status == KVF_INVALID_TYPE && lacks_arrays(op, values, count, message, sizeof message)) {
    kvf_raise("TypeError", message);
    return -1;
  }
  if (raised) {
    return -1;
  }
  return kvf_report(status);
}

static int call(const kvf_op *op, const TVMFFIAny *arguments, int32_t count, TVMFFIAny *result) {
  const bool more = count == op->num_arguments + 1;
  const bool placed = more && op->host_arguments;
  const bool torchs = more && !placed && arguments[count - 1].type_index == kTVMFFIBool;
  return carry_out(op, (manner){.placed = placed, .torchs = torchs}, arguments,
                   count - (placed || torchs), result);
}

#define KVF_OP(ns, name)                                                                           \
  TVM_FFI_DLL_EXPORT int __tvm_ffi_##ns##__##name(void *handle, const TVMFFIAny *arguments,        \
                                                  int32_t count, TVMFFIAny *result);               \
  int __tvm_ffi_##ns##__##name(void *handle, const TVMFFIAny *arguments, int32_t count,            \
                               TVMFFIAny *result) {                                                \
    (void)handle;                                                                                  \
    return call(&kvf_op_##name, arguments, count, result);                                         \
  }
#include "kvf_ops.inc"
#undef KVF_OP

/* Calls the op that the function was made of. */
static int call_op(void *handle, const TVMFFIAny *arguments, int32_t count, TVMFFIAny *result) {
  return call(handle, arguments, count, result);
}

/* ---- what the package needs besides ops --------------------------------------------------------
 */

/* A text as the result; one line per item. */
static int return_text(const char *text, TVMFFIAny *result) {
  const TVMFFIByteArray bytes = {text, strlen(text)};
  return TVMFFIStringFromByteArray(&bytes, result);
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__variants(void *handle, const TVMFFIAny *arguments,
                                                   int32_t count, TVMFFIAny *result);

/* The dispatch table: "namespace op backend symbol built axis=value ..." per line. */
int __tvm_ffi_kvforge__variants(void *handle, const TVMFFIAny *arguments, int32_t count,
                                TVMFFIAny *result) {
  (void)handle;
  (void)arguments;
  (void)count;
  char *text = NULL;
  size_t size = 0;
  FILE *stream = open_memstream(&text, &size);
  if (stream == NULL) {
    kvf_raise("MemoryError", "kvforge.variants");
    return -1;
  }
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int32_t j = 0; j < op->num_variants; ++j) {
      const kvf_variant *variant = &op->variants[j];
      fprintf(stream, "%s %s %s %s %d", op->ns, op->name,
              variant->backend == KVF_CPU ? "cpu" : "cuda", variant->symbol,
              kvf_variant_built(variant));
      for (int32_t k = 0; k < op->num_axes; ++k) {
        char value[64];
        fprintf(stream, " %s=%s", op->axes[k].name,
                kvf_axis_text(&op->axes[k], variant->values[k], value, sizeof value));
      }
      fputc('\n', stream);
    }
  }
  (void)fclose(stream);
  const int code = return_text(text, result);
  free(text);
  return code;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__explain(void *handle, const TVMFFIAny *arguments,
                                                  int32_t count, TVMFFIAny *result);

/* Of a variant, by its symbol: its op's schema, a line, then why it cannot run, or nothing. */
int __tvm_ffi_kvforge__explain(void *handle, const TVMFFIAny *arguments, int32_t count,
                               TVMFFIAny *result) {
  (void)handle;
  char storage[256];
  const char *symbol = count == 1 ? as_string(&arguments[0], storage, sizeof storage) : NULL;
  const kvf_variant *variant = symbol != NULL ? kvf_find_variant(symbol) : NULL;
  char text[2048];
  if (variant == NULL) {
    (void)snprintf(text, sizeof text, "%s: no op has this variant", symbol ? symbol : "?");
    kvf_raise("ValueError", text);
    return -1;
  }
  const bool runs = kvf_variant_built(variant) || kvf_prepare(variant, 0) == KVF_OK;
  (void)snprintf(text, sizeof text, "%s\n%s", variant->op->schema, runs ? "" : kvf_last_error());
  return return_text(text, result);
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__library(void *handle, const TVMFFIAny *arguments,
                                                  int32_t count, TVMFFIAny *result);

/* "version isa". Asks nothing of CUDA, which a process that is to fork must not have begun. */
int __tvm_ffi_kvforge__library(void *handle, const TVMFFIAny *arguments, int32_t count,
                               TVMFFIAny *result) {
  (void)handle;
  (void)arguments;
  (void)count;
  char text[64];
  (void)snprintf(text, sizeof text, "%s %s", kvf_version(), kvf_isa_name(kvf_cpu_isa()));
  return return_text(text, result);
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__cuda(void *handle, const TVMFFIAny *arguments,
                                               int32_t count, TVMFFIAny *result);

/* "number-of-devices reason": the reason why there is no device, or nothing. */
int __tvm_ffi_kvforge__cuda(void *handle, const TVMFFIAny *arguments, int32_t count,
                            TVMFFIAny *result) {
  (void)handle;
  (void)arguments;
  (void)count;
  int32_t devices = 0;
  const bool none = kvf_cuda_device_count(&devices) != KVF_OK;
  char text[1280];
  (void)snprintf(text, sizeof text, "%d %s", devices, none ? kvf_last_error() : "");
  return return_text(text, result);
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__faults(void *handle, const TVMFFIAny *arguments,
                                                 int32_t count, TVMFFIAny *result);

/* The fault count of a CUDA device; a true second argument clears it, and gets what is cleared. */
int __tvm_ffi_kvforge__faults(void *handle, const TVMFFIAny *arguments, int32_t count,
                              TVMFFIAny *result) {
  (void)handle;
  uint64_t faults = 0;
  const int32_t device = count > 0 ? (int32_t)arguments[0].v_int64 : 0;
  const bool clear = count > 1 && arguments[1].v_int64 != 0;
  const kvf_status status =
      clear ? kvf_cuda_clear_faults(device, &faults) : kvf_cuda_fault_count(device, &faults);
  result->type_index = kTVMFFIInt;
  result->v_int64 = (int64_t)faults;
  return kvf_report(status);
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__free_workspaces(void *handle, const TVMFFIAny *arguments,
                                                          int32_t count, TVMFFIAny *result);

/* kvf_cuda_free_workspaces() of the device that the first argument names. */
int __tvm_ffi_kvforge__free_workspaces(void *handle, const TVMFFIAny *arguments, int32_t count,
                                       TVMFFIAny *result) {
  (void)handle;
  result->type_index = kTVMFFINone;
  return kvf_report(kvf_cuda_free_workspaces(count > 0 ? (int32_t)arguments[0].v_int64 : 0));
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__num_threads(void *handle, const TVMFFIAny *arguments,
                                                      int32_t count, TVMFFIAny *result);

/* kvf_num_threads(); an argument, a number, is handed to kvf_set_num_threads() before. */
int __tvm_ffi_kvforge__num_threads(void *handle, const TVMFFIAny *arguments, int32_t count,
                                   TVMFFIAny *result) {
  (void)handle;
  if (count > 0) {
    const int64_t wanted = arguments[0].v_int64;
    kvf_set_num_threads(wanted < INT32_MAX ? (int32_t)wanted : INT32_MAX);
  }
  result->type_index = kTVMFFIInt;
  result->v_int64 = kvf_num_threads();
  return 0;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__programmatic(void *handle, const TVMFFIAny *arguments,
                                                       int32_t count, TVMFFIAny *result);

/* kvf_programmatic(); an argument is handed to kvf_set_programmatic() before. */
int __tvm_ffi_kvforge__programmatic(void *handle, const TVMFFIAny *arguments, int32_t count,
                                    TVMFFIAny *result) {
  (void)handle;
  if (count > 0) {
    kvf_set_programmatic(arguments[0].v_int64 != 0);
  }
  result->type_index = kTVMFFIBool;
  result->v_int64 = kvf_programmatic();
  return 0;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__retag(void *handle, const TVMFFIAny *arguments,
                                                int32_t count, TVMFFIAny *result);

/*
 * Gives a tensor another dtype of the same size: (tensor, DLPack type code). For arrays of dtypes
 * that their library cannot export, viewed as unsigned integers. Only the package calls it, on
 * tensor objects that it has just made.
 */
int __tvm_ffi_kvforge__retag(void *handle, const TVMFFIAny *arguments, int32_t count,
                             TVMFFIAny *result) {
  (void)handle;
  (void)result;
  const DLTensor *tensor = count == 2 ? as_tensor(&arguments[0]) : NULL;
  if (tensor == NULL) {
    kvf_raise("TypeError", "kvforge.retag: want a tensor and a type code");
    return -1;
  }
  ((DLTensor *)(uintptr_t)tensor)->dtype.code = (uint8_t)arguments[1].v_int64;
  return 0;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__torch(void *handle, const TVMFFIAny *arguments,
                                                int32_t count, TVMFFIAny *result);

/* Whether the torch that has been imported can be asked about its tensors; see torch_tensors.h. */
int __tvm_ffi_kvforge__torch(void *handle, const TVMFFIAny *arguments, int32_t count,
                             TVMFFIAny *result) {
  (void)handle;
  (void)arguments;
  (void)count;
  result->type_index = kTVMFFIBool;
  result->v_int64 = kvf_torch_meet();
  return 0;
}

int kvf_return_function(void *self, TVMFFISafeCallType body, void (*end)(void *),
                        TVMFFIAny *result) {
  TVMFFIObjectHandle function = NULL;
  const int code = TVMFFIFunctionCreate(self, body, end, &function);
  if (code == 0) {
    result->type_index = kTVMFFIFunction;
    result->v_obj = function;
  } else if (end != NULL) {
    end(self);
  }
  return code;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__op(void *handle, const TVMFFIAny *arguments,
                                             int32_t count, TVMFFIAny *result);

/* The op that an argument names, <namespace>__<op>, those of modules included; else NULL, and an
 * error has been raised. */
static const kvf_op *named_op(const TVMFFIAny *argument) {
  char wanted[256];
  char name[256];
  if (as_string(argument, wanted, sizeof wanted) == NULL) {
    kvf_raise("TypeError", "kvforge.op: want a name");
    return NULL;
  }
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    (void)snprintf(name, sizeof name, "%s__%s", op->ns, op->name);
    if (strcmp(name, wanted) == 0) {
      return op;
    }
  }
  (void)snprintf(name, sizeof name, "kvforge.op: no op %.200s", wanted);
  kvf_raise("AttributeError", name);
  return NULL;
}

/* The function of any op of the registry, by its name. */
int __tvm_ffi_kvforge__op(void *handle, const TVMFFIAny *arguments, int32_t count,
                          TVMFFIAny *result) {
  (void)handle;
  (void)count;
  const kvf_op *op = named_op(&arguments[0]);
  return op != NULL ? kvf_return_function((void *)(uintptr_t)op, call_op, NULL, result) : -1;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__arguments(void *handle, const TVMFFIAny *arguments,
                                                    int32_t count, TVMFFIAny *result);

/* The arguments of an op, by its name: "type name" per line, in the schema's words and order. */
int __tvm_ffi_kvforge__arguments(void *handle, const TVMFFIAny *arguments, int32_t count,
                                 TVMFFIAny *result) {
  (void)handle;
  (void)count;
  char text[4096] = "";
  size_t used = 0;
  const kvf_op *op = named_op(&arguments[0]);
  for (int32_t i = 0; op != NULL && i < op->num_arguments && used < sizeof text; ++i) {
    used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %s", i > 0 ? "\n" : "",
                             op->arguments[i].type, op->arguments[i].name);
  }
  return op != NULL ? return_text(text, result) : -1;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__prepare(void *handle, const TVMFFIAny *arguments,
                                                  int32_t count, TVMFFIAny *result);

/*
 * A function that makes a call of an op again and again: (name of the op, arguments), and a CUDA
 * device behind these if the op's tensors are all the host's. A tensor is one of TVM-FFI, which is
 * kept, or torch's handle, whose tensor the caller keeps. True in place of the function: what is
 * torch's cannot be used as it lies.
 */
int __tvm_ffi_kvforge__prepare(void *handle, const TVMFFIAny *arguments, int32_t count,
                               TVMFFIAny *result) {
  (void)handle;
  const kvf_op *op = named_op(&arguments[0]);
  if (op == NULL) {
    return -1;
  }
  const bool placed = op->host_arguments && count - 1 == op->num_arguments + 1;
  const manner how = {.placed = placed, .torchs = true, .bind = true};
  return carry_out(op, how, arguments + 1, count - 1 - placed, result);
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__load_module(void *handle, const TVMFFIAny *arguments,
                                                      int32_t count, TVMFFIAny *result);

/* kvf_load_module(). */
int __tvm_ffi_kvforge__load_module(void *handle, const TVMFFIAny *arguments, int32_t count,
                                   TVMFFIAny *result) {
  (void)handle;
  (void)result;
  char path[4096];
  if (count != 1 || as_string(&arguments[0], path, sizeof path) == NULL) {
    kvf_raise("TypeError", "kvforge.load_module: want a path");
    return -1;
  }
  return kvf_report(kvf_load_module(path));
}

/* Whether a function of the Python package has brought a variant in. */
static bool build(void *function, const char *symbol) {
  TVMFFIAny argument = {.type_index = kTVMFFIRawStr, .v_c_str = symbol};
  TVMFFIAny result = {.type_index = kTVMFFINone};
  TVMFFIObjectHandle raised = NULL;
  if (TVMFFIFunctionCall(function, &argument, 1, &result) == 0) {
    return result.type_index == kTVMFFIBool && result.v_int64 != 0;
  }
  TVMFFIErrorMoveFromRaised(&raised); /* by KeyboardInterrupt, say */
  (void)TVMFFIObjectDecRef(raised);
  return false;
}

TVM_FFI_DLL_EXPORT int __tvm_ffi_kvforge__set_builder(void *handle, const TVMFFIAny *arguments,
                                                      int32_t count, TVMFFIAny *result);

/* Sets the function that builds missing variants, for the life of the process. */
int __tvm_ffi_kvforge__set_builder(void *handle, const TVMFFIAny *arguments, int32_t count,
                                   TVMFFIAny *result) {
  static kvf_builder builder = {.build = build};
  (void)handle;
  (void)result;
  if (count != 1 || arguments[0].type_index != kTVMFFIFunction) {
    kvf_raise("TypeError", "kvforge.set_builder: want a function");
    return -1;
  }
  if (TVMFFIObjectIncRef(arguments[0].v_obj) != 0) {
    return -1;
  }
  builder.context = arguments[0].v_obj;
  kvf_set_builder(&builder);
  return 0;
}
