#include "torch_tensors.h"

#include <dlfcn.h>
#include <stddef.h>

/* at::Tensor, which is a counted pointer to its state. The stable ABI's handles point at one. */
typedef struct tensor {
  const void *state;
} tensor;

static struct {
  bool (*is_neg)(const tensor *);
  bool (*is_inference)(const tensor *);
  bool (*requires_grad)(const void *);
  bool (*inference_mode)(void);
  bool (*grad_mode)(void);
  void (*bump_version)(const tensor *);
  int32_t (*layout)(const tensor *, int32_t *);
  int32_t (*data)(const tensor *, void **);
  int32_t (*dim)(const tensor *, int64_t *);
  int32_t (*sizes)(const tensor *, int64_t **);
  int32_t (*strides)(const tensor *, int64_t **);
  int32_t (*dtype)(const tensor *, int32_t *);
  int32_t (*device_type)(const tensor *, int32_t *);
  int32_t (*device_index)(const tensor *, int32_t *);
  int32_t (*storage_size)(const tensor *, int64_t *);
  int32_t (*storage_offset)(const tensor *, int64_t *);
} torch;

/* torch's own numbers of what a tensor can be. */
enum { NUM_DTYPES = 128 };
static DLDataType dtypes[NUM_DTYPES]; /* of 0 bits: no op accepts it */
static int32_t strided;
static int32_t cpu;
static int32_t cuda;

static void *symbol(const char *name) {
  static void *library; /* and what it is linked to; it stays open */
  if (library == NULL) {
    library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD);
  }
  return library != NULL ? dlsym(library, name) : NULL;
}

/* A function without arguments that tells a number; false without it. */
static bool ask(const char *name, int32_t *number) {
  int32_t (*function)(void);
  *(void **)&function = symbol(name); /* as POSIX has it */
  if (function != NULL) {
    *number = function();
  }
  return function != NULL;
}

static void meet_dtypes(void) {
  static const struct {
    const char *name;
    DLDataType dtype;
  } known[] = {
      {"aoti_torch_dtype_float32", {kDLFloat, 32, 1}},
      {"aoti_torch_dtype_float16", {kDLFloat, 16, 1}},
      {"aoti_torch_dtype_bfloat16", {kDLBfloat, 16, 1}},
      {"aoti_torch_dtype_float64", {kDLFloat, 64, 1}},
      {"aoti_torch_dtype_float8_e4m3fn", {kDLFloat8_e4m3fn, 8, 1}},
      {"aoti_torch_dtype_float8_e5m2", {kDLFloat8_e5m2, 8, 1}},
      {"aoti_torch_dtype_uint8", {kDLUInt, 8, 1}},
      {"aoti_torch_dtype_int8", {kDLInt, 8, 1}},
      {"aoti_torch_dtype_int16", {kDLInt, 16, 1}},
      {"aoti_torch_dtype_int32", {kDLInt, 32, 1}},
      {"aoti_torch_dtype_int64", {kDLInt, 64, 1}},
      {"aoti_torch_dtype_uint64", {kDLUInt, 64, 1}},
      {"aoti_torch_dtype_bool", {kDLBool, 8, 1}},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; ++i) {
    int32_t number = -1;
    if (ask(known[i].name, &number) && number >= 0 && number < NUM_DTYPES) {
      dtypes[number] = known[i].dtype;
    }
  }
}

bool kvf_torch_meet(void) {
  static const struct {
    void **function;
    const char *name;
  } wanted[] = {
      {(void **)&torch.is_neg, "_ZN2at6native6is_negERKNS_6TensorE"},
      {(void **)&torch.is_inference, "_ZN2at6native12is_inferenceERKNS_6TensorE"},
      {(void **)&torch.requires_grad, "_ZNK3c1010TensorImpl13requires_gradEv"},
      {(void **)&torch.inference_mode, "_ZN3c1013InferenceMode10is_enabledEv"},
      {(void **)&torch.grad_mode, "aoti_torch_grad_mode_is_enabled"},
      {(void **)&torch.bump_version, "_ZN5torch8autograd4impl12bump_versionERKN2at6TensorE"},
      {(void **)&torch.layout, "aoti_torch_get_layout"},
      {(void **)&torch.data, "aoti_torch_get_data_ptr"},
      {(void **)&torch.dim, "aoti_torch_get_dim"},
      {(void **)&torch.sizes, "aoti_torch_get_sizes"},
      {(void **)&torch.strides, "aoti_torch_get_strides"},
      {(void **)&torch.dtype, "aoti_torch_get_dtype"},
      {(void **)&torch.device_type, "aoti_torch_get_device_type"},
      {(void **)&torch.device_index, "aoti_torch_get_device_index"},
      {(void **)&torch.storage_size, "aoti_torch_get_storage_size"},
      {(void **)&torch.storage_offset, "aoti_torch_get_storage_offset"},
  };
  bool all = true;
  for (size_t i = 0; all && i < sizeof wanted / sizeof *wanted; ++i) {
    *wanted[i].function = symbol(wanted[i].name);
    all = *wanted[i].function != NULL;
  }
  meet_dtypes();
  return all && ask("aoti_torch_layout_strided", &strided) &&
         ask("aoti_torch_device_type_cpu", &cpu) && ask("aoti_torch_device_type_cuda", &cuda);
}

/* Bytes from a tensor's data to the end of its last element. */
static int64_t reach(const DLTensor *view) {
  int64_t last = 0;
  for (int32_t i = 0; i < view->ndim; ++i) {
    if (view->shape[i] == 0) {
      return 0;
    }
    last += (view->shape[i] - 1) * view->strides[i];
  }
  return (last + 1) * (view->dtype.bits / 8);
}

/* Whether this is a tensor of a kind that ops know. What else it may be, torch would say on stderr
 * when it is asked for its data. */
static bool is_plain(const tensor *self, DLTensor *view) {
  int32_t layout = 0;
  int32_t type = 0;
  int32_t device = 0;
  const int32_t bad =
      torch.layout(self, &layout) | torch.dtype(self, &type) | torch.device_type(self, &device);
  if (bad != 0 || layout != strided || type < 0 || type >= NUM_DTYPES || dtypes[type].bits == 0 ||
      (device != cpu && device != cuda)) {
    return false;
  }
  view->dtype = dtypes[type];
  view->device = (DLDevice){device == cuda ? kDLCUDA : kDLCPU, 0};
  return device == cpu || torch.device_index(self, &view->device.device_id) == 0;
}

bool kvf_torch_see(const void *handle, bool written, DLTensor *view) {
  const tensor self = {handle};
  int64_t dim = 0;
  int64_t size = 0;
  int64_t offset = 0;
  if (!is_plain(&self, view) || torch.is_neg(&self) ||
      (torch.dim(&self, &dim) | torch.sizes(&self, &view->shape) |
       torch.strides(&self, &view->strides) | torch.data(&self, &view->data) |
       torch.storage_size(&self, &size) | torch.storage_offset(&self, &offset)) != 0) {
    return false;
  }
  view->ndim = (int32_t)dim;
  view->byte_offset = 0;
  if (size - offset * (view->dtype.bits / 8) < reach(view)) {
    return false;
  }
  return !written || (!(torch.requires_grad(handle) && torch.grad_mode()) &&
                      (!torch.is_inference(&self) || torch.inference_mode()));
}

void kvf_torch_written(const void *handle) {
  const tensor self = {handle};
  torch.bump_version(&self);
}

bool kvf_torch_stream(int32_t device, void **stream) {
  static int32_t (*_Atomic current)(int32_t, void **);
  int32_t (*function)(int32_t, void **) = current;
  if (function == NULL) { /* a torch without CUDA lacks it */
    void *library = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD);
    *(void **)&function =
        library != NULL ? dlsym(library, "aoti_torch_get_current_cuda_stream") : NULL;
    current = function;
  }
  return function != NULL && function(device, stream) == 0;
}
