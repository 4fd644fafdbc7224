#define _GNU_SOURCE /* open_memstream */
#include "bound.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tvm/ffi/extra/c_env_api.h>

#include "torch_tensors.h"

enum { MAX_DIM = 8, FEW = 64 };

/* A tensor of the call: what was given for it, and what every other in its place has to be. */
typedef struct place {
  const kvf_argument *argument;
  TVMFFIAny given; /* torch's handle or a tensor, which is kept; None: absent */
  DLDataType dtype;
  DLDevice device;
  int32_t ndim;
  int64_t shape[MAX_DIM];
  int64_t strides[MAX_DIM];
} place;

typedef struct bound {
  const kvf_op *op;
  kvf_prepared *prepared;
  bool on_cuda;
  int32_t device;
  bool torchs; /* there are CUDA tensors of torch, whose stream it is */
  int32_t count;
  place places[];
} bound;

/* ---- one tensor --------------------------------------------------------------------------------
 */

/* By which an index is multiplied; tensors without strides are packed. */
static int64_t stride_of(const DLTensor *view, int32_t axis) {
  int64_t packed = 1;
  for (int32_t i = view->ndim - 1; view->strides == NULL && i > axis; --i) {
    packed *= view->shape[i];
  }
  return view->strides != NULL ? view->strides[axis] : packed;
}

static void describe(const DLTensor *view, place *of) {
  of->dtype = view->dtype;
  of->device = view->device;
  of->ndim = view->ndim;
  for (int32_t i = 0; i < view->ndim; ++i) {
    of->shape[i] = view->shape[i];
    of->strides[i] = stride_of(view, i);
  }
}

static bool same_dtype(const DLTensor *view, const place *want) {
  return view->dtype.code == want->dtype.code && view->dtype.bits == want->dtype.bits &&
         view->dtype.lanes == want->dtype.lanes;
}

static bool same_device(const DLTensor *view, const place *want) {
  return view->device.device_type == want->device.device_type &&
         view->device.device_id == want->device.device_id;
}

static bool same_shape(const DLTensor *view, const place *want) {
  bool same = view->ndim == want->ndim;
  for (int32_t i = 0; same && i < want->ndim; ++i) {
    same = view->shape[i] == want->shape[i];
  }
  return same;
}

/* Of the same shape; a stride by which nothing is multiplied may be any. */
static bool same_strides(const DLTensor *view, const place *want) {
  bool same = true;
  for (int32_t i = 0; same && i < want->ndim; ++i) {
    same = want->shape[i] <= 1 || stride_of(view, i) == want->strides[i];
  }
  return same;
}

/* ---- errors ------------------------------------------------------------------------------------
 */

static void print_dtype(FILE *to, DLDataType dtype) {
  TVMFFIAny text = {.type_index = kTVMFFINone};
  if (TVMFFIDataTypeToString(&dtype, &text) != 0) {
    return;
  }
  if (text.type_index == kTVMFFISmallStr) {
    (void)fprintf(to, "%.*s", (int)text.small_str_len, text.v_bytes);
    return;
  }
  const TVMFFIByteArray *bytes =
      (const TVMFFIByteArray *)(const void *)((const char *)text.v_ptr + sizeof(TVMFFIObject));
  (void)fprintf(to, "%.*s", (int)bytes->size, bytes->data);
  (void)TVMFFIObjectDecRef(text.v_obj);
}

static void print_device(FILE *to, DLDevice device) {
  if (device.device_type == kDLCUDA) {
    (void)fprintf(to, "cuda:%d", device.device_id);
  } else {
    (void)fputs(device.device_type == kDLCPU ? "cpu" : "another device", to);
  }
}

static void print_numbers(FILE *to, const char *what, const int64_t *numbers, int32_t count) {
  (void)fprintf(to, "%s[", what);
  for (int32_t i = 0; i < count; ++i) {
    (void)fprintf(to, "%s%lld", i > 0 ? ", " : "", (long long)numbers[i]);
  }
  (void)fputc(']', to);
}

/* Says of a tensor what is not as it was prepared; the kind of the error. */
static const char *print_difference(FILE *to, const place *got, const place *want,
                                    const DLTensor *view) {
  const char *kind = "TypeError";
  (void)fputs("got ", to);
  if (!same_dtype(view, want)) {
    print_dtype(to, got->dtype);
    (void)fputs(", want ", to);
    print_dtype(to, want->dtype);
  } else if (!same_device(view, want)) {
    print_device(to, got->device);
    (void)fputs(", want ", to);
    print_device(to, want->device);
  } else {
    const bool shapes = !same_shape(view, want);
    const char *what = shapes ? "shape " : "strides ";
    print_numbers(to, what, shapes ? got->shape : got->strides, got->ndim);
    (void)fputs(", want ", to);
    print_numbers(to, "", shapes ? want->shape : want->strides, want->ndim);
    kind = "ValueError";
  }
  (void)fputs(" as it was prepared with", to);
  return kind;
}

static int raise_difference(const bound *of, const place *want, const DLTensor *view) {
  char *text = NULL;
  size_t size = 0;
  FILE *to = open_memstream(&text, &size);
  if (to == NULL) {
    kvf_raise("MemoryError", of->op->name);
    return -1;
  }
  (void)fprintf(to, "%s: %s: ", of->op->name, want->argument->name);
  const char *kind = "ValueError";
  if (view->ndim > MAX_DIM) {
    (void)fprintf(to, "got %d dimensions, want %d as it was prepared with", view->ndim, want->ndim);
  } else {
    place got = {.argument = want->argument};
    describe(view, &got);
    kind = print_difference(to, &got, want, view);
  }
  const bool whole = fclose(to) == 0;
  kvf_raise(whole ? kind : "MemoryError", whole ? text : of->op->name);
  free(text);
  return -1;
}

/* ---- the call ----------------------------------------------------------------------------------
 */

/* Where the tensor that is given for a place lies now. 1: torch has something against it; -1: it is
 * not what it has to be, and an error has been raised. */
static int look(const bound *of, int32_t i, const TVMFFIAny *given, void **address) {
  const place *want = &of->places[i];
  DLTensor view;
  *address = NULL;
  if (given->type_index == kTVMFFINone) {
    return 0;
  }
  if (!kvf_see(given, want->argument->mutated, &view)) {
    return 1;
  }
  if (!same_dtype(&view, want) || !same_device(&view, want) || !same_shape(&view, want) ||
      !same_strides(&view, want)) {
    return raise_difference(of, want, &view);
  }
  *address = (char *)view.data + view.byte_offset;
  return 0;
}

static int stream_of(const bound *of, void **stream) {
  if (of->on_cuda && of->torchs) {
    return kvf_torch_stream(of->device, stream) ? 0 : 1;
  }
  *stream = of->on_cuda ? TVMFFIEnvGetStream(kDLCUDA, of->device) : NULL;
  return 0;
}

static int launch(const bound *of, const TVMFFIAny **given, void **data) {
  void *stream = NULL;
  int looked = stream_of(of, &stream);
  for (int32_t i = 0; looked == 0 && i < of->count; ++i) {
    looked = look(of, i, given[i], &data[i]);
  }
  if (looked != 0) {
    return looked;
  }
  for (int32_t i = 0; i < of->count; ++i) {
    if (of->places[i].argument->mutated && given[i]->type_index == kTVMFFIInt) {
      kvf_torch_written((const void *)(intptr_t)given[i]->v_int64);
    }
  }
  return kvf_report(kvf_run_prepared(of->prepared, stream, data, of->count));
}

static int run(void *self, const TVMFFIAny *arguments, int32_t count, TVMFFIAny *result) {
  const bound *of = self;
  const TVMFFIAny *few[FEW];
  void *few_data[FEW];
  const TVMFFIAny **given = few;
  void **data = few_data;
  if (of->count > FEW) {
    given = malloc((size_t)of->count * (sizeof(TVMFFIAny *) + sizeof(void *)));
    if (given == NULL) {
      kvf_raise("MemoryError", of->op->name);
      return -1;
    }
    data = (void **)(given + of->count);
  }
  for (int32_t i = 0; i < of->count; ++i) {
    given[i] = &of->places[i].given;
  }
  for (int32_t k = 0; k + 1 < count; k += 2) {
    given[arguments[k].v_int64] = &arguments[k + 1];
  }
  const int status = launch(of, given, data);
  if (given != few) {
    free(given);
  }
  if (status > 0) {
    result->type_index = kTVMFFIBool;
    result->v_int64 = 1;
  }
  return status < 0 ? -1 : 0;
}

/* ---- binding -----------------------------------------------------------------------------------
 */

static bool is_kept(const TVMFFIAny *given) { return given->type_index == kTVMFFITensor; }

static void end(void *self) {
  bound *of = self;
  for (int32_t i = 0; i < of->count; ++i) {
    if (is_kept(&of->places[i].given)) {
      (void)TVMFFIObjectDecRef(of->places[i].given.v_obj);
    }
  }
  kvf_free_prepared(of->prepared);
  free(of);
}

/* How many tensors an argument has, of which an absent one that is no list counts. */
static int64_t tensors_of(const kvf_argument *argument, const kvf_value *value) {
  return argument->kind == KVF_KIND_TENSOR        ? 1
         : argument->kind != KVF_KIND_TENSOR_LIST ? 0
         : value->kind == KVF_KIND_TENSOR_LIST    ? value->as.tensors.size
                                                  : 0;
}

static void keep(bound *of, const kvf_argument *argument, const TVMFFIAny *given,
                 const DLTensor *view) {
  place *next = &of->places[of->count++];
  next->argument = argument;
  next->given.type_index = kTVMFFINone;
  if (view == NULL) {
    return;
  }
  describe(view, next);
  next->given = *given;
  if (is_kept(given)) {
    (void)TVMFFIObjectIncRef(given->v_obj);
  }
  of->torchs |= given->type_index == kTVMFFIInt && view->device.device_type == kDLCUDA;
}

int kvf_bind(const kvf_op *op, const kvf_exec *exec, const kvf_value *values,
             const TVMFFIAny *arguments, int32_t count, kvf_prepared *prepared, TVMFFIAny *result) {
  int64_t total = 0;
  for (int32_t i = 0; i < count; ++i) {
    total += tensors_of(&op->arguments[i], &values[i]);
  }
  bound *made = calloc(1, sizeof *made + (size_t)total * sizeof *made->places);
  if (made == NULL) {
    kvf_free_prepared(prepared);
    kvf_raise("MemoryError", op->name);
    return -1;
  }
  made->op = op;
  made->prepared = prepared;
  made->on_cuda = exec->backend == KVF_CUDA;
  made->device = exec->device;
  for (int32_t i = 0; i < count; ++i) {
    const kvf_value *value = &values[i];
    int64_t size = 0;
    const TVMFFIAny *items = kvf_items_of(&arguments[i], &size);
    const int64_t own = tensors_of(&op->arguments[i], value);
    for (int64_t k = 0; k < own; ++k) {
      keep(made, &op->arguments[i], &items[k],
           value->kind == KVF_KIND_TENSOR        ? value->as.tensor
           : value->kind == KVF_KIND_TENSOR_LIST ? value->as.tensors.data[k]
                                                 : NULL);
    }
  }
  return kvf_return_function(made, run, end, result);
}
