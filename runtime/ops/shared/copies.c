#include "ops/shared/copies.h"

#include <inttypes.h>

#include "core/error.h"

/* What the stream has got in spite of an error. */
static kvf_status add_progress(const kvf_copies *copies, const kvf_cuda_copies *work,
                               kvf_status status) {
  const size_t rest = work->enqueued + work->in_doubt;
  const int64_t enqueued =
      work->enqueued < work->count ? copies->element[work->enqueued] : copies->next;
  const int64_t known = rest < work->count ? copies->element[rest] : copies->next;
  status = enqueued == 0 ? kvf_error_add(status, "; enqueued: nothing of %s", copies->argument)
                         : kvf_error_add(status, "; enqueued: elements 0 to %" PRId64 " of %s",
                                         enqueued - 1, copies->argument);
  return work->in_doubt == 0 ? status
                             : kvf_error_add(status, " and perhaps some of %" PRId64 " to %" PRId64,
                                             enqueued, known - 1);
}

kvf_status kvf_copies_submit(kvf_copies *copies) {
  if (copies->count == 0) {
    return KVF_OK;
  }
  kvf_cuda_copies work = {.to = copies->to,
                          .from = copies->from,
                          .bytes = copies->bytes,
                          .count = copies->count,
                          .any_order = copies->any_order};
  copies->count = 0;
  const kvf_status status = kvf_cuda_copy(copies->check, &work);
  return status == KVF_OK ? status : add_progress(copies, &work, status);
}

kvf_status kvf_copies_add(kvf_copies *copies, int64_t element, uint64_t to, uint64_t from,
                          size_t bytes) {
  const kvf_status status =
      copies->count == KVF_COPIES_AT_ONCE ? kvf_copies_submit(copies) : KVF_OK;
  copies->element[copies->count] = element;
  copies->to[copies->count] = to;
  copies->from[copies->count] = from;
  copies->bytes[copies->count] = bytes;
  ++copies->count;
  copies->next = element + 1;
  return status;
}

kvf_status kvf_copies_add_adjacent(kvf_copies *copies, int64_t element, uint64_t to, uint64_t from,
                                   size_t bytes) {
  if (copies->count > 0) {
    const size_t last = copies->count - 1;
    if (copies->to[last] + copies->bytes[last] == to &&
        copies->from[last] + copies->bytes[last] == from) {
      copies->bytes[last] += bytes;
      copies->next = element + 1;
      return KVF_OK;
    }
  }
  return kvf_copies_add(copies, element, to, from, bytes);
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
