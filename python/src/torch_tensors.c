#include "torch_tensors.h"

#include <dlfcn.h>
#include <stddef.h>

/* at::Tensor, which is a counted pointer to its state. */
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
  int32_t (*storage_size)(const tensor *, int64_t *);
  int32_t (*storage_offset)(const tensor *, int64_t *);
} torch;

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
      {(void **)&torch.storage_size, "aoti_torch_get_storage_size"},
      {(void **)&torch.storage_offset, "aoti_torch_get_storage_offset"},
  };
  void *library = dlopen("libtorch_cpu.so", RTLD_LAZY | RTLD_NOLOAD); /* and what it is linked to */
  bool all = library != NULL;
  for (size_t i = 0; all && i < sizeof wanted / sizeof *wanted; ++i) {
    *wanted[i].function = dlsym(library, wanted[i].name); /* as POSIX has it */
    all = *wanted[i].function != NULL;
  }
  return all; /* the library stays open */
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
  return (last + 1) * (view->dtype.bits * view->dtype.lanes / 8);
}

bool kvf_torch_as_it_lies(const void *state, const DLTensor *view, bool written) {
  const tensor self = {state};
  int64_t size = 0;
  int64_t offset = 0;
  if (torch.is_neg(&self) || torch.storage_size(&self, &size) != 0 ||
      torch.storage_offset(&self, &offset) != 0 || view->strides == NULL ||
      size - offset * (view->dtype.bits * view->dtype.lanes / 8) < reach(view)) {
    return false;
  }
  return !written || (!(torch.requires_grad(state) && torch.grad_mode()) &&
                      (!torch.is_inference(&self) || torch.inference_mode()));
}

void kvf_torch_written(const void *state) {
  const tensor self = {state};
  torch.bump_version(&self);
}
