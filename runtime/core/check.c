/* The argument checks of the typed entry points, on DLPack tensors. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "kvforge/op.h"

kvf_check kvf_check_begin(const kvf_op *op, const kvf_exec *exec) {
  kvf_check check = {.op = op};
  if (exec != NULL) {
    check.exec = *exec;
    check.placed = true;
    if (exec->backend != KVF_CPU && exec->backend != KVF_CUDA) {
      kvf_check_fail(&check, KVF_INVALID_VALUE, "exec", "backend is %d, want KVF_CPU or KVF_CUDA",
                     (int)exec->backend);
    }
  }
  return check;
}

kvf_status kvf_check_fail(kvf_check *check, kvf_status status, const char *argument,
                          const char *format, ...) {
  if (check->status == KVF_OK) {
    char prefix[160];
    (void)snprintf(prefix, sizeof prefix, "%s: %s: ", check->op->name, argument);
    va_list arguments;
    va_start(arguments, format);
    check->status = kvf_error_v(status, prefix, format, arguments);
    va_end(arguments);
  }
  return check->status;
}

/* ---- dtypes
 * -------------------------------------------------------------------------------------- */

#define ROW(enumerator, name, bits, code) [enumerator] = {name, code, bits},
static const struct {
  const char *name;
  uint8_t code;
  uint8_t bits;
} dl_dtypes[KVF_DTYPE_COUNT] = {KVF_DTYPES(ROW)};
#undef ROW

static bool is_code(DLDataType dtype, unsigned code, unsigned bits) {
  return dtype.code == code && dtype.bits == bits && dtype.lanes == 1;
}

/* Long enough for a dtype in words. */
enum { DTYPE_TEXT = 72 };

static void describe_dtype(DLDataType dtype, char text[static DTYPE_TEXT]) {
  static const char *const codes[] = {[kDLInt] = "int",
                                      [kDLUInt] = "uint",
                                      [kDLFloat] = "float",
                                      [kDLBfloat] = "bfloat",
                                      [kDLBool] = "bool",
                                      [kDLFloat8_e4m3fn] = "float8_e4m3fn",
                                      [kDLFloat8_e5m2] = "float8_e5m2"};
  const char *name = dtype.code < sizeof codes / sizeof *codes ? codes[dtype.code] : NULL;
  char lanes[32] = "";
  if (dtype.lanes != 1) {
    (void)snprintf(lanes, sizeof lanes, " with %d lanes", dtype.lanes);
  }
  if (name == NULL || (dtype.code >= kDLFloat8_e4m3fn && dtype.bits != 8)) {
    (void)snprintf(text, DTYPE_TEXT, "DLPack dtype code %d of %d bits%s", dtype.code, dtype.bits,
                   lanes);
  } else if (dtype.code >= kDLFloat8_e4m3fn) {
    (void)snprintf(text, DTYPE_TEXT, "%s%s", name, lanes);
  } else {
    (void)snprintf(text, DTYPE_TEXT, "%s%d%s", name, dtype.bits, lanes);
  }
}

/* The words for one dtype of a set: what DLPack calls its elements, and bytes where they pass. */
static const char *accepted_word(int dtype) {
  switch (dl_dtypes[dtype].code) {
  case kDLInt:
    return "int8 or uint8";
  case kDLUInt:
    return "uint8";
  case kDLFloat:
    return dl_dtypes[dtype].bits == 32 ? "float32" : "float16";
  case kDLBfloat:
    return "bfloat16";
  case kDLFloat8_e4m3fn:
    return "float8_e4m3fn or uint8";
  case kDLFloat8_e5m2:
    return "float8_e5m2 or uint8";
  default:
    return dl_dtypes[dtype].name;
  }
}

static void describe_accepted(uint32_t accepted, kvf_text *text) {
  for (int dtype = KVF_DTYPE_NONE + 1; dtype < KVF_DTYPE_COUNT; ++dtype) {
    if (accepted & KVF_ACCEPT(dtype)) {
      kvf_text_add(text, accepted_word(dtype));
    }
  }
  if (accepted & KVF_ACCEPT_INT32) {
    kvf_text_add(text, "int32");
  }
  if (accepted & KVF_ACCEPT_INT64) {
    kvf_text_add(text, "int64");
  }
}

/* The dtypes of a set without integers. */
static uint32_t dtypes_of(uint32_t accepted) {
  return accepted & (KVF_ACCEPT(KVF_DTYPE_COUNT) - 1) & ~KVF_ACCEPT(KVF_DTYPE_NONE);
}

static bool dtype_accepted(DLDataType have, uint32_t accepted) {
  for (uint32_t rest = dtypes_of(accepted); rest != 0; rest &= rest - 1) {
    const int dtype = __builtin_ctz(rest);
    const bool fp8 = dl_dtypes[dtype].bits == 8;
    if (is_code(have, dl_dtypes[dtype].code, dl_dtypes[dtype].bits) ||
        (fp8 && is_code(have, kDLUInt, 8))) {
      return true;
    }
  }
  return ((accepted & KVF_ACCEPT_INT32) && is_code(have, kDLInt, 32)) ||
         ((accepted & KVF_ACCEPT_INT64) && is_code(have, kDLInt, 64));
}

static bool check_dtype(kvf_check *check, const char *argument, const DLTensor *tensor,
                        uint32_t accepted) {
  if (dtype_accepted(tensor->dtype, accepted)) {
    return true;
  }
  char got[DTYPE_TEXT];
  kvf_text want = {.length = 0};
  describe_dtype(tensor->dtype, got);
  describe_accepted(accepted, &want);
  kvf_check_fail(check, KVF_INVALID_TYPE, argument, "dtype is %s, want %s", got, want.data);
  return false;
}

bool kvf_check_present(kvf_check *check, const char *argument, const DLTensor *tensor) {
  if (tensor == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "got NULL, want a tensor");
  } else if (tensor->ndim > 0 && tensor->shape == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "shape is NULL, want %d sizes",
                   tensor->ndim);
  }
  return check->status == KVF_OK;
}

kvf_dtype kvf_check_dtype(kvf_check *check, const char *argument, const DLTensor *tensor,
                          uint32_t accepted) {
  if (!kvf_check_present(check, argument, tensor) ||
      !check_dtype(check, argument, tensor, accepted)) {
    return KVF_DTYPE_NONE;
  }
  for (uint32_t rest = dtypes_of(accepted); rest != 0; rest &= rest - 1) {
    const int dtype = __builtin_ctz(rest);
    if (is_code(tensor->dtype, dl_dtypes[dtype].code, dl_dtypes[dtype].bits)) {
      return (kvf_dtype)dtype;
    }
  }
  return KVF_DTYPE_NONE;
}

/* ---- place
 * --------------------------------------------------------------------------------------- */

static void describe_place(kvf_backend backend, int32_t device, char text[static 32]) {
  if (backend == KVF_CPU) {
    (void)snprintf(text, 32, "the CPU");
  } else {
    (void)snprintf(text, 32, "CUDA device %d", device);
  }
}

/* Which backends can read memory of this device type. */
static bool place_of(DLDevice device, kvf_backend *backend, bool *both) {
  *both = device.device_type == kDLCUDAManaged || device.device_type == kDLCUDAHost;
  *backend = device.device_type == kDLCPU || device.device_type == kDLCUDAHost ? KVF_CPU : KVF_CUDA;
  return *both || device.device_type == kDLCPU || device.device_type == kDLCUDA;
}

void kvf_check_place(kvf_check *check, const char *argument, const DLTensor *tensor) {
  kvf_backend backend;
  bool both;
  if (!place_of(tensor->device, &backend, &both)) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument, "DLPack device type is %d, want CPU or CUDA",
                   (int)tensor->device.device_type);
    return;
  }
  const int32_t device = backend == KVF_CUDA ? tensor->device.device_id : 0;
  if (!check->placed) {
    check->exec.backend = backend;
    check->exec.device = device;
    check->placed = true;
    check->placed_by = argument;
    return;
  }
  if (both || (backend == check->exec.backend && device == check->exec.device) ||
      (backend == KVF_CPU && check->exec.backend == KVF_CPU)) {
    return;
  }
  char got[32];
  char want[32];
  describe_place(backend, device, got);
  describe_place(check->exec.backend, check->exec.device, want);
  kvf_check_fail(check, KVF_INVALID_TYPE, argument, "is on %s, want %s (as %s)", got, want,
                 check->placed_by ? check->placed_by : "exec");
}

/* ---- shape and strides
 * --------------------------------------------------------------------------- */

static void check_shape(kvf_check *check, const char *argument, const DLTensor *tensor,
                        kvf_dim *const *dims) {
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] < 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "size of dimension %d (%s) is %" PRId64 ", want 0 or more", i, dims[i]->name,
                     tensor->shape[i]);
    } else if (dims[i]->value < 0) {
      dims[i]->value = tensor->shape[i];
      dims[i]->bound_by = argument;
    } else if (dims[i]->value != tensor->shape[i]) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "size of dimension %d (%s) is %" PRId64 ", want %" PRId64 "%s%s", i,
                     dims[i]->name, tensor->shape[i], dims[i]->value,
                     dims[i]->bound_by ? " as in " : "",
                     dims[i]->bound_by ? dims[i]->bound_by : "");
    }
  }
}

/*
 * NULL strides mean compact row-major (DLPack before 1.2). Returns whether there are no elements,
 * which the product of the sizes does not tell: it may overflow.
 */
static bool fill_view(const DLTensor *tensor, kvf_view *view) {
  *view = (kvf_view){.data = tensor->data ? (char *)tensor->data + tensor->byte_offset : NULL};
  bool empty = false;
  uint64_t compact = 1;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    view->stride[i] = tensor->strides ? tensor->strides[i] : (int64_t)compact;
    compact *= (uint64_t)tensor->shape[i];
    empty |= tensor->shape[i] == 0;
  }
  return empty;
}

/* Whether the op writes to an argument; an element of a list is called <argument>[<position>]. */
static bool is_mutated(const kvf_op *op, const char *argument) {
  const size_t length = strcspn(argument, "[");
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    const char *name = op->arguments[i].name;
    if (strncmp(name, argument, length) == 0 && name[length] == '\0') {
      return op->arguments[i].mutated;
    }
  }
  return false;
}

void kvf_check_tensor(kvf_check *check, const char *argument, const DLTensor *tensor,
                      uint32_t accepted, int32_t rank, kvf_dim *const *dims, kvf_view *view) {
  if (!kvf_check_present(check, argument, tensor) ||
      !check_dtype(check, argument, tensor, accepted)) {
    return;
  }
  if (tensor->ndim != rank) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want %d", tensor->ndim, rank);
    return;
  }
  check_shape(check, argument, tensor, dims);
  kvf_check_place(check, argument, tensor);
  if (check->status != KVF_OK) {
    return;
  }
  if (fill_view(tensor, view)) {
    return;
  }
  if (view->data == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "data is NULL, want an address");
  }
  const uintptr_t bytes = tensor->dtype.bits / 8u;
  if (((uintptr_t)view->data & (bytes - 1)) != 0) { /* sizes are powers of two; `%` divides */
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "address %p is not a multiple of the element size, %d bytes", view->data,
                   (int)bytes);
  }
  for (int32_t i = 0; i < rank; ++i) {
    if (view->stride[i] == 0 && tensor->shape[i] > 1 && is_mutated(check->op, argument)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "stride of dimension %d (%s) is 0, want elements that do not overlap", i,
                     dims[i]->name);
    }
  }
}

/* ---- overlap
 * ------------------------------------------------------------------------------------- */

/* The memory of a tensor: from the first byte of any element to behind the last one. */
typedef struct span {
  const DLTensor *tensor; /* NULL: no elements */
  uint64_t begin;
  uint64_t end;
} span;

static uint64_t element_bytes(const DLTensor *tensor) {
  return ((uint64_t)tensor->dtype.bits * tensor->dtype.lanes + 7) / 8;
}

/* Bytes between neighbours of a dimension, whichever way it runs; 0 when there are none. */
static uint64_t distance_of(const DLTensor *tensor, int32_t dimension) {
  if (tensor->shape[dimension] <= 1) {
    return 0;
  }
  uint64_t elements = 1;
  if (tensor->strides != NULL) {
    const int64_t stride = tensor->strides[dimension];
    elements = stride < 0 ? -(uint64_t)stride : (uint64_t)stride;
  } else {
    for (int32_t i = dimension + 1; i < tensor->ndim; ++i) {
      elements *= (uint64_t)tensor->shape[i];
    }
  }
  return elements * element_bytes(tensor);
}

static span span_of(const DLTensor *tensor) {
  if (tensor == NULL || tensor->data == NULL) {
    return (span){.tensor = NULL};
  }
  const uint64_t bytes = element_bytes(tensor);
  uint64_t compact = bytes;
  span all = {tensor, (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset, 0};
  all.end = all.begin + bytes;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    const uint64_t size = (uint64_t)tensor->shape[i];
    if (size == 0) {
      return (span){.tensor = NULL};
    }
    /* Unsigned: what does not fit in memory wraps around. */
    if (tensor->strides != NULL && tensor->strides[i] < 0) {
      all.begin += (size - 1) * (uint64_t)tensor->strides[i] * bytes;
    } else {
      all.end +=
          (size - 1) * (tensor->strides != NULL ? (uint64_t)tensor->strides[i] * bytes : compact);
    }
    compact *= size;
  }
  return all;
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    const uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* What both repeat: adds the distances of a tensor's dimensions from `least` on. */
static uint64_t period_of(const DLTensor *tensor, uint64_t least, uint64_t period) {
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const uint64_t distance = distance_of(tensor, i);
    period = distance >= least ? common_divisor(period, distance) : period;
  }
  return period;
}

/* The bytes from end to end of what is repeated: the dimensions with distances below `limit`. */
static uint64_t length_of(const DLTensor *tensor, uint64_t limit) {
  uint64_t length = element_bytes(tensor);
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const uint64_t distance = distance_of(tensor, i);
    length += distance < limit && distance > 0 ? ((uint64_t)tensor->shape[i] - 1) * distance : 0;
  }
  return length;
}

/*
 * Whether the elements alternate: there is a distance from which on all dimensions of both step by
 * multiples of one period, in which what they repeat has places of its own.
 */
static bool alternate_from(const span *a, const span *b, uint64_t least) {
  const uint64_t period = period_of(b->tensor, least, period_of(a->tensor, least, 0));
  const uint64_t length_a = length_of(a->tensor, least);
  const uint64_t length_b = length_of(b->tensor, least);
  if (period == 0 || length_a > period || length_b > period) {
    return false;
  }
  const uint64_t between = b->begin >= a->begin
                               ? (b->begin - a->begin) % period
                               : (period - (a->begin - b->begin) % period) % period;
  return between >= length_a && between <= period - length_b;
}

static bool overlap(const span *a, const span *b) {
  if (a->tensor == NULL || b->tensor == NULL || a->end <= b->begin || b->end <= a->begin) {
    return false;
  }
  const DLTensor *tensors[] = {a->tensor, b->tensor};
  for (int side = 0; side < 2; ++side) {
    for (int32_t i = 0; i < tensors[side]->ndim; ++i) {
      const uint64_t distance = distance_of(tensors[side], i);
      if (distance > 0 && alternate_from(a, b, distance)) {
        return false;
      }
    }
  }
  return true;
}

void kvf_check_apart(kvf_check *check, const kvf_named *written, int32_t num_written,
                     const kvf_named *read, int32_t num_read) {
  if (check->status != KVF_OK) {
    return;
  }
  span inputs[KVF_MAX_APART];
  for (int32_t k = 0; k < num_read; ++k) {
    inputs[k] = span_of(read[k].tensor);
  }
  for (int32_t i = 0; i < num_written; ++i) {
    const span output = span_of(written[i].tensor);
    for (int32_t k = 0; k < num_read; ++k) {
      if (overlap(&output, &inputs[k])) {
        kvf_check_fail(check, KVF_INVALID_VALUE, written[i].argument,
                       "shares memory with %s, want memory of its own", read[k].argument);
        return;
      }
    }
  }
}
