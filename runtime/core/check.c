/* The argument checks of the typed entry points, on DLPack tensors. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/extent.h"
#include "core/plain.h"
#include "kvforge/op.h"

static __attribute__((noinline)) kvf_check refuse_backend(kvf_check check) {
  kvf_check_fail(&check, KVF_INVALID_VALUE, "exec", "backend is %d, want KVF_CPU or KVF_CUDA",
                 (int)check.exec.backend);
  return check;
}

/* Made where the caller wants it: a variable whose address is taken would be copied there. */
kvf_check kvf_check_begin(const kvf_op *op, const kvf_exec *exec) {
  if (exec == NULL) {
    return (kvf_check){.op = op, .exec.programmatic = kvf_programmatic()};
  }
  if (exec->backend == KVF_CPU || exec->backend == KVF_CUDA) {
    return (kvf_check){.op = op, .exec = *exec, .placed = true};
  }
  return refuse_backend((kvf_check){.op = op, .exec = *exec, .placed = true});
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

#define ROW(enumerator, name, bits, code) [enumerator] = {code, bits, 1},
/* What DLPack calls that which each bit of a set accepts. */
static const DLDataType dl_dtypes[32] = {
    KVF_DTYPES(ROW)[__builtin_ctz(KVF_ACCEPT_INT16)] = {kDLInt, 16, 1},
    [__builtin_ctz(KVF_ACCEPT_UINT64)] = {kDLUInt, 64, 1},
    [__builtin_ctz(KVF_ACCEPT_INT32)] = {kDLInt, 32, 1},
    [__builtin_ctz(KVF_ACCEPT_INT64)] = {kDLInt, 64, 1},
};
#undef ROW
static const DLDataType dl_bytes = {kDLUInt, 8, 1};

static bool same_dtype(DLDataType a, DLDataType b) {
  return memcmp(&a, &b, sizeof a) == 0; /* one word, compared at once */
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
    return kvf_dtype_name((kvf_dtype)dtype);
  }
}

static void describe_accepted(uint32_t accepted, kvf_text *text) {
  for (int dtype = KVF_DTYPE_NONE + 1; dtype < KVF_DTYPE_COUNT; ++dtype) {
    if (accepted & KVF_ACCEPT(dtype)) {
      kvf_text_add(text, accepted_word(dtype));
    }
  }
  if (accepted & KVF_ACCEPT_INT16) {
    kvf_text_add(text, "int16");
  }
  if (accepted & KVF_ACCEPT_INT32) {
    kvf_text_add(text, "int32");
  }
  if (accepted & KVF_ACCEPT_INT64) {
    kvf_text_add(text, "int64");
  }
  if (accepted & KVF_ACCEPT_UINT64) {
    kvf_text_add(text, "uint64");
  }
}

static __attribute__((noinline)) bool is_among(DLDataType have, uint32_t accepted) {
  for (uint32_t rest = accepted & ~KVF_ACCEPT(KVF_DTYPE_NONE); rest != 0; rest &= rest - 1) {
    const int dtype = __builtin_ctz(rest);
    const bool fp8 = dl_dtypes[dtype].bits == 8;
    if (same_dtype(have, dl_dtypes[dtype]) || (fp8 && same_dtype(have, dl_bytes))) {
      return true;
    }
  }
  return false;
}

/* The last of a set that is not empty, which most tensors are of: bf16, int64, or the only one. */
static inline int last_of(uint32_t accepted) { return 31 - __builtin_clz(accepted); }

static inline bool dtype_accepted(DLDataType have, uint32_t accepted) {
  return (accepted > KVF_ACCEPT(KVF_DTYPE_NONE) &&
          same_dtype(have, dl_dtypes[last_of(accepted)])) ||
         is_among(have, accepted);
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

static inline bool check_present(kvf_check *check, const char *argument, const DLTensor *tensor) {
  if (tensor == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "got NULL, want a tensor");
  } else if (tensor->ndim > 0 && tensor->shape == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "shape is NULL, want %d sizes",
                   tensor->ndim);
  }
  return check->status == KVF_OK;
}

bool kvf_check_present(kvf_check *check, const char *argument, const DLTensor *tensor) {
  return check_present(check, argument, tensor);
}

kvf_dtype kvf_check_dtype(kvf_check *check, const char *argument, const DLTensor *tensor,
                          uint32_t accepted) {
  if (!check_present(check, argument, tensor)) {
    return KVF_DTYPE_NONE;
  }
  const uint32_t dtypes = KVF_ACCEPT(KVF_DTYPE_COUNT) - 1 - KVF_ACCEPT(KVF_DTYPE_NONE);
  for (uint32_t rest = accepted & dtypes; rest != 0; rest &= rest - 1) {
    const int dtype = __builtin_ctz(rest);
    if (same_dtype(tensor->dtype, dl_dtypes[dtype])) {
      return (kvf_dtype)dtype;
    }
  }
  (void)check_dtype(check, argument, tensor, accepted);
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

/* Nearly always, and all that has to be asked then: it is plainly where the call runs. */
static inline bool is_here(const kvf_check *check, DLDevice device) {
  return check->placed &&
         (check->exec.backend == KVF_CPU
              ? device.device_type == kDLCPU
              : device.device_type == kDLCUDA && device.device_id == check->exec.device);
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

void *kvf_first_element(const DLTensor *tensor) {
  static _Alignas(64) char nothing[64]; /* as aligned as what a kernel may take at once */
  return tensor->data != NULL ? (char *)tensor->data + tensor->byte_offset : nothing;
}

/*
 * NULL strides mean compact row-major (DLPack before 1.2). A dimension of size 1 has no step that
 * anyone takes, and callers write what they like there: the view has a compact one, so that a
 * kernel may step behind the only element. Returns whether there are no elements, which the product
 * of the sizes does not tell: it may overflow; and whether elements lie on one another.
 */
static bool fill_view(const DLTensor *tensor, kvf_view *view, bool *repeats) {
  *view = (kvf_view){.data = kvf_first_element(tensor)};
  bool empty = false;
  bool repeated = false;
  uint64_t compact = 1;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    const int64_t size = tensor->shape[i];
    view->stride[i] = tensor->strides && size != 1 ? tensor->strides[i] : (int64_t)compact;
    compact *= (uint64_t)size;
    empty |= size == 0;
    repeated |= view->stride[i] == 0 && size > 1;
  }
  *repeats = repeated;
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

/* Strides, as fill_view() has them, and sizes of a tensor into the view and the dims. False where a
 * size is below 1 or another than it should be, or elements lie on one another. */
static inline __attribute__((always_inline)) bool bind_sizes(const char *argument,
                                                             const int64_t *shape,
                                                             const int64_t *strides, int32_t rank,
                                                             kvf_dim *const *dims, kvf_view *view) {
  uint64_t compact = 1;
  int64_t signs = 0;
  for (intptr_t i = rank - 1; i >= 0; --i) {
    const int64_t size = shape[i];
    kvf_dim *const dim = dims[i];
    view->stride[i] = strides != NULL && size != 1 ? strides[i] : (int64_t)compact;
    compact *= (uint64_t)size;
    signs |= size;
    if (strides != NULL && strides[i] == 0 && size != 1) {
      return false;
    }
    if (dim->value != size) {
      if (dim->value >= 0) {
        return false;
      }
      dim->value = size;
      dim->bound_by = argument;
    }
  }
  if (compact == 0 || signs < 0) { /* 0: of a size, or the product has overflowed */
    return false;
  }
  return true;
}

/*
 * Nearly always: a tensor of the right dtype and rank, sizes that fit, elements of their own, and
 * an aligned address. If not, the checks say why, of sizes that may have been bound by then.
 */
static inline bool is_plain(const char *argument, const DLTensor *tensor, uint32_t accepted,
                            int32_t rank, kvf_dim *const *dims, kvf_view *view) {
  if (tensor == NULL || tensor->data == NULL || tensor->ndim != rank ||
      (rank > 0 && tensor->shape == NULL) || !dtype_accepted(tensor->dtype, accepted)) {
    return false;
  }
  const uintptr_t bytes = tensor->dtype.bits / 8u;
  if ((((uintptr_t)tensor->data + tensor->byte_offset) & (bytes - 1)) != 0) {
    return false;
  }
  *view = (kvf_view){.data = (char *)tensor->data + tensor->byte_offset};
  return tensor->strides == NULL
             ? bind_sizes(argument, tensor->shape, NULL, rank, dims, view)
             : bind_sizes(argument, tensor->shape, tensor->strides, rank, dims, view);
}

static void check_closely(kvf_check *check, const char *argument, const DLTensor *tensor,
                          uint32_t accepted, int32_t rank, kvf_dim *const *dims, kvf_view *view);

void *kvf_plain_element(const kvf_check *check, const DLTensor *tensor, kvf_dtype dtype) {
  if (check->status != KVF_OK || tensor == NULL || tensor->data == NULL ||
      !same_dtype(tensor->dtype, dl_dtypes[dtype]) || !is_here(check, tensor->device) ||
      (tensor->ndim != 0 &&
       (tensor->ndim != 1 || tensor->shape == NULL || tensor->shape[0] != 1))) {
    return NULL;
  }
  const uintptr_t address = (uintptr_t)tensor->data + tensor->byte_offset;
  return (address & (tensor->dtype.bits / 8u - 1)) == 0 ? (void *)address : NULL;
}

void kvf_check_tensor(kvf_check *check, const char *argument, const DLTensor *tensor,
                      uint32_t accepted, int32_t rank, kvf_dim *const *dims, kvf_view *view) {
  if (check->status != KVF_OK || !is_plain(argument, tensor, accepted, rank, dims, view)) {
    check_closely(check, argument, tensor, accepted, rank, dims, view);
  } else if (!is_here(check, tensor->device)) {
    kvf_check_place(check, argument, tensor);
  }
}

/* What a tensor that is not plain lacks, if anything. */
static __attribute__((noinline)) void check_closely(kvf_check *check, const char *argument,
                                                    const DLTensor *tensor, uint32_t accepted,
                                                    int32_t rank, kvf_dim *const *dims,
                                                    kvf_view *view) {
  if (!check_present(check, argument, tensor) || !check_dtype(check, argument, tensor, accepted)) {
    return;
  }
  if (tensor->ndim != rank) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want %d", tensor->ndim, rank);
    return;
  }
  check_shape(check, argument, tensor, dims);
  if (!is_here(check, tensor->device)) {
    kvf_check_place(check, argument, tensor);
  }
  if (check->status != KVF_OK) {
    return;
  }
  bool repeats = false;
  if (fill_view(tensor, view, &repeats)) {
    return;
  }
  if (tensor->data == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "data is NULL, want an address");
  }
  const uintptr_t bytes = tensor->dtype.bits / 8u;
  if (((uintptr_t)view->data & (bytes - 1)) != 0) { /* sizes are powers of two; `%` divides */
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "address %p is not a multiple of the element size, %d bytes", view->data,
                   (int)bytes);
  }
  for (int32_t i = 0; repeats && i < rank; ++i) {
    if (view->stride[i] == 0 && tensor->shape[i] > 1 && is_mutated(check->op, argument)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "stride of dimension %d (%s) is 0, want elements that do not overlap", i,
                     dims[i]->name);
    }
  }
}

/* ---- overlap
 * ------------------------------------------------------------------------------------- */

enum { MAX_STEPS = 8, MAX_SPLITS = 64 };

/*
 * Where the elements of a tensor are: runs of bytes, repeated with distances above 0, the largest
 * first. More dimensions than there is room for become one run. Unsigned, since what does not fit
 * in memory may wrap around.
 */
typedef struct region {
  uint64_t begin;
  uint64_t bytes;
  int32_t rank;
  uint64_t size[MAX_STEPS];
  uint64_t distance[MAX_STEPS];
} region;

static void add_step(region *to, uint64_t size, uint64_t distance) {
  int32_t at = to->rank;
  while (at > 0 && to->distance[at - 1] < distance) {
    --at;
  }
  if (to->rank == MAX_STEPS) { /* the smallest one goes */
    const bool last = at == MAX_STEPS;
    to->bytes += ((last ? size : to->size[MAX_STEPS - 1]) - 1) *
                 (last ? distance : to->distance[MAX_STEPS - 1]);
    if (last) {
      return;
    }
    --to->rank;
  }
  for (int32_t i = to->rank++; i > at; --i) {
    to->size[i] = to->size[i - 1];
    to->distance[i] = to->distance[i - 1];
  }
  to->size[at] = size;
  to->distance[at] = distance;
}

static uint64_t element_bytes(const DLTensor *tensor) {
  return ((uint64_t)tensor->dtype.bits * tensor->dtype.lanes + 7) / 8;
}

/* Of a tensor that has elements. */
static void describe_region(const DLTensor *tensor, region *to) {
  to->rank = 0;
  to->begin = (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset;
  const uint64_t bytes = element_bytes(tensor);
  uint64_t compact = bytes;
  to->bytes = bytes;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    const uint64_t size = (uint64_t)tensor->shape[i];
    const bool backwards = tensor->strides != NULL && tensor->strides[i] < 0;
    uint64_t distance = tensor->strides != NULL ? (uint64_t)tensor->strides[i] * bytes : compact;
    compact *= size;
    if (size > 1 && distance != 0) {
      to->begin += backwards ? (size - 1) * distance : 0;
      distance = backwards ? -distance : distance;
      add_step(to, size, distance);
    }
  }
}

/* The bytes from end to end of what the dimensions from `first` on make up. */
static uint64_t length_from(const region *of, int32_t first) {
  uint64_t length = of->bytes;
  for (int32_t i = first; i < of->rank; ++i) {
    length += (of->size[i] - 1) * of->distance[i];
  }
  return length;
}

/* Of the outermost dimension keeps `size` from `first` on. */
static void keep(region *of, uint64_t first, uint64_t size) {
  of->begin += first * of->distance[0];
  of->size[0] = size;
  if (size > 1) {
    return;
  }
  --of->rank;
  for (int32_t i = 0; i < of->rank; ++i) {
    of->size[i] = of->size[i + 1];
    of->distance[i] = of->distance[i + 1];
  }
}

/* Drops what lies before or behind another region; whether that is anything. */
static bool clip(region *of, const region *other) {
  const uint64_t end = other->begin + length_from(other, 0);
  const uint64_t behind = of->begin + length_from(of, 1);
  if (of->rank == 0 || of->begin >= end) {
    return false;
  }
  const uint64_t size = of->size[0];
  const uint64_t first = other->begin >= behind ? (other->begin - behind) / of->distance[0] + 1 : 0;
  const uint64_t most = (end - 1 - of->begin) / of->distance[0] + 1;
  const uint64_t stop = most < size ? most : size;
  if (first >= stop || stop - first == size) {
    return false;
  }
  keep(of, first, stop - first);
  return true;
}

static bool ranges_meet(const region *a, const region *b) {
  return a->begin < b->begin + length_from(b, 0) && b->begin < a->begin + length_from(a, 0);
}

static uint64_t common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    const uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/*
 * Whether the elements alternate: all dimensions of both with distances of `least` and more step by
 * multiples of one period, in which what they repeat has places of its own.
 */
static bool alternate_from(const region *a, const region *b, uint64_t least) {
  uint64_t period = 0;
  int32_t inner[2] = {0, 0};
  const region *both[2] = {a, b};
  for (int side = 0; side < 2; ++side) {
    for (; inner[side] < both[side]->rank && both[side]->distance[inner[side]] >= least;
         ++inner[side]) {
      period = common_divisor(period, both[side]->distance[inner[side]]);
    }
  }
  const uint64_t length_a = length_from(a, inner[0]);
  const uint64_t length_b = length_from(b, inner[1]);
  if (length_a > period || length_b > period) {
    return false;
  }
  const uint64_t between = b->begin >= a->begin
                               ? (b->begin - a->begin) % period
                               : (period - (a->begin - b->begin) % period) % period;
  return between >= length_a && between <= period - length_b;
}

static bool alternate(const region *a, const region *b) {
  for (int32_t i = 0; i < a->rank; ++i) {
    if (alternate_from(a, b, a->distance[i])) {
      return true;
    }
  }
  for (int32_t i = 0; i < b->rank; ++i) {
    if (alternate_from(a, b, b->distance[i])) {
      return true;
    }
  }
  return false;
}

/*
 * Whether two regions share a byte. What is not known after a number of splits is taken for shared.
 */
static bool meet(region a, region b, int *splits) {
  while (ranges_meet(&a, &b) && (clip(&a, &b) || clip(&b, &a))) {
  }
  if (!ranges_meet(&a, &b) || alternate(&a, &b)) {
    return false;
  }
  if ((a.rank == 0 && b.rank == 0) || --*splits < 0) {
    return true;
  }
  const bool of_a = b.rank == 0 || (a.rank > 0 && a.distance[0] >= b.distance[0]);
  region low = of_a ? a : b;
  region high = low;
  const uint64_t half = low.size[0] / 2;
  keep(&low, 0, half);
  keep(&high, half, high.size[0] - half);
  return meet(low, of_a ? b : a, splits) || meet(high, of_a ? b : a, splits);
}

/* All that most calls need to know, at a fraction of what a region costs. Unsigned, as there. */
kvf_extent kvf_extent_of(const DLTensor *tensor) {
  if (tensor == NULL || tensor->data == NULL) {
    return (kvf_extent){0, 0};
  }
  const uint64_t bytes = element_bytes(tensor);
  kvf_extent of = {.begin = (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset};
  of.end = of.begin + bytes;
  uint64_t compact = bytes;
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const uint64_t size = (uint64_t)tensor->shape[i];
    if (size == 0) {
      return (kvf_extent){0, 0};
    }
    compact *= size;
    if (tensor->strides == NULL) {
      continue;
    }
    const uint64_t length = (size - 1) * ((uint64_t)tensor->strides[i] * bytes);
    if (tensor->strides[i] < 0) {
      of.begin += length;
    } else {
      of.end += length;
    }
  }
  of.end = tensor->strides == NULL ? of.begin + compact : of.end;
  return of;
}

/* The same for what nearly all tensors are: compact, and not empty. */
static inline kvf_extent extent_of(const DLTensor *tensor) {
  if (tensor == NULL || tensor->strides != NULL || tensor->data == NULL) {
    return kvf_extent_of(tensor);
  }
  const int64_t *const shape = tensor->shape;
  uint64_t bytes = element_bytes(tensor);
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    bytes *= (uint64_t)shape[i];
  }
  const uint64_t begin = (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset;
  return bytes != 0 ? (kvf_extent){begin, begin + bytes} : kvf_extent_of(tensor);
}

static bool share_bytes(const DLTensor *a, const DLTensor *b) {
  region regions[2];
  int splits = MAX_SPLITS;
  describe_region(a, &regions[0]);
  describe_region(b, &regions[1]);
  return meet(regions[0], regions[1], &splits);
}

void kvf_check_apart(kvf_check *check, const kvf_named *written, int32_t num_written,
                     const kvf_named *read, int32_t num_read) {
  if (check->status != KVF_OK) {
    return;
  }
  kvf_extent inputs[KVF_MAX_APART]; /* only the first ones are filled */
  for (int32_t k = 0; k < num_read; ++k) {
    inputs[k] = extent_of(read[k].tensor);
  }
  for (int32_t i = 0; i < num_written; ++i) {
    const kvf_extent output = extent_of(written[i].tensor);
    for (int32_t k = 0; k < num_read; ++k) {
      if (output.begin < inputs[k].end && inputs[k].begin < output.end &&
          share_bytes(written[i].tensor, read[k].tensor)) {
        kvf_check_fail(check, KVF_INVALID_VALUE, written[i].argument,
                       "shares memory with %s, want memory of its own", read[k].argument);
        return;
      }
    }
  }
}
