#include "ops/shared/copies.h"

kvf_status kvf_copies_submit(kvf_copies *copies) {
  if (copies->count == 0) {
    return KVF_OK;
  }
  const kvf_cuda_copies work = {copies->to, copies->from, copies->bytes, copies->count,
                                copies->any_order};
  copies->count = 0;
  return kvf_cuda_copy(copies->check, &work);
}

kvf_status kvf_copies_add(kvf_copies *copies, uint64_t to, uint64_t from, size_t bytes) {
  const kvf_status status =
      copies->count == KVF_COPIES_AT_ONCE ? kvf_copies_submit(copies) : KVF_OK;
  copies->to[copies->count] = to;
  copies->from[copies->count] = from;
  copies->bytes[copies->count] = bytes;
  ++copies->count;
  return status;
}

kvf_status kvf_copies_add_adjacent(kvf_copies *copies, uint64_t to, uint64_t from, size_t bytes) {
  if (copies->count > 0) {
    const size_t last = copies->count - 1;
    if (copies->to[last] + copies->bytes[last] == to &&
        copies->from[last] + copies->bytes[last] == from) {
      copies->bytes[last] += bytes;
      return KVF_OK;
    }
  }
  return kvf_copies_add(copies, to, from, bytes);
}

bool kvf_is_on_host(const DLTensor *tensor) {
  return tensor->device.device_type == kDLCPU || tensor->device.device_type == kDLCUDAHost;
}

kvf_check kvf_check_begin_host(kvf_check *check, const char *argument, const DLTensor *tensor) {
  if (tensor != NULL && !kvf_is_on_host(tensor)) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument,
                   "is on DLPack device type %d, want the CPU: the host reads it",
                   (int)tensor->device.device_type);
  }
  kvf_check host = kvf_check_begin(check->op, &(kvf_exec){.backend = KVF_CPU});
  host.status = check->status;
  return host;
}

void kvf_check_end_host(kvf_check *check, const kvf_check *host) { check->status = host->status; }

const kvf_variant *kvf_check_bytes_variant(kvf_check *check) {
  if (check->status != KVF_OK) {
    return NULL;
  }
  const kvf_variant *variant = kvf_select(check->op, check->exec.backend, KVF_B8);
  if (variant == NULL) {
    check->status = kvf_select_status(check->op, check->exec.backend, KVF_B8);
  }
  return variant;
}
