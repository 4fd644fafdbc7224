#include <inttypes.h>

#include "core/cuda.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cache/ds_mla.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/index.h"
#include "ops/shared/upconvert.h"

#define OP (&kvf_op_cp_gather_and_upconvert_fp8_kv_cache)

typedef kvf_cp_gather_and_upconvert_fp8_kv_cache_params params_type;

/* ---- rows of the host
 * -------------------------------------------------------------------------------------- */

/* A dense int32 tensor of rank 1 or 2; binds the number of its elements. */
static const int32_t *check_ids(kvf_check *check, const char *argument, const DLTensor *tensor,
                                int64_t *count) {
  kvf_dim size[2] = {KVF_DIM("num_virtual_rows"), KVF_DIM("num_virtual_rows")};
  kvf_view view = {.data = NULL};
  const int32_t rank = tensor != NULL && tensor->ndim == 2 ? 2 : 1;
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT_INT32, rank,
                   (kvf_dim *const[]){&size[0], &size[1]}, &view);
  if (check->status != KVF_OK) {
    return NULL;
  }
  const int64_t columns = rank == 2 ? size[1].value : 1;
  const int64_t elements = kvf_saturating_product(size[0].value, columns);
  kvf_check_unit_stride(check, argument, &view, rank - 1, &size[rank - 1]);
  if (check->status == KVF_OK && rank == 2 && size[0].value > 1 && view.stride[0] != columns) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "stride of dimension 0 is %" PRId64 ", want %" PRId64 " (no gaps)",
                   view.stride[0], columns);
  }
  if (*count >= 0 && *count != elements) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                   "has %" PRId64 " elements, want %" PRId64 " as in host_row_ids", elements,
                   *count);
  }
  *count = elements;
  return view.data;
}

/* All three, or none. */
static void check_host_rows(kvf_check *check, const DLTensor *host_cache,
                            const DLTensor *host_row_ids, const DLTensor *device_row_ids,
                            params_type *params) {
  const kvf_named given[] = {{"host_cache", host_cache},
                             {"host_row_ids", host_row_ids},
                             {"device_row_ids", device_row_ids}};
  const int count = (host_cache != NULL) + (host_row_ids != NULL) + (device_row_ids != NULL);
  if (count == 0) {
    return;
  }
  for (int i = 0; count < 3 && i < 3; ++i) {
    if (given[i].tensor == NULL) {
      kvf_check_fail(check, KVF_INVALID_VALUE, given[i].argument,
                     "got None, want a tensor (host_cache, host_row_ids and device_row_ids go "
                     "together)");
    }
  }
  kvf_dim num_host_rows = KVF_DIM("num_host_rows");
  kvf_dim bytes = {"bytes of a row", KVF_FP8_DS_MLA_BYTES, NULL};
  kvf_check host = kvf_check_begin_host(check, "host_cache", host_cache);
  kvf_check_tensor(&host, "host_cache", host_cache, KVF_ACCEPT(KVF_FP8_E4M3), 2,
                   (kvf_dim *const[]){&num_host_rows, &bytes}, &params->host_cache);
  kvf_check_unit_stride(&host, "host_cache", &params->host_cache, 1, &bytes);
  kvf_check_end_host(check, &host);
  params->num_virtual_rows = -1;
  params->host_row_ids = check_ids(check, "host_row_ids", host_row_ids, &params->num_virtual_rows);
  params->device_row_ids =
      check_ids(check, "device_row_ids", device_row_ids, &params->num_virtual_rows);
  params->num_host_rows = num_host_rows.value;
  params->mapped = 1;
}

/* The same for a raw launch; pages of the table are virtual from here on. */
static void launch_maps(kvf_check *check, params_type *params) {
  params->num_pages = params->table.num_blocks;
  if (!params->mapped) {
    params->host_cache = (kvf_view){.data = NULL};
    return;
  }
  kvf_launch_at_least(check, "num_virtual_rows", params->num_virtual_rows, 0);
  kvf_launch_at_least(check, "num_host_rows", params->num_host_rows, 0);
  kvf_launch_at_least(check, "num_blocks", params->num_pages, 0);
  kvf_launch_at_least(check, "block_size", params->table.block_size, 1);
  if (check->status != KVF_OK) {
    return;
  }
  params->table.num_blocks = kvf_quotient_up(params->num_virtual_rows, params->table.block_size);
  if (params->num_pages == 0) { /* any address will do to tell the host's from */
    params->src_cache = (kvf_view){.data = params->dst.data};
  }
}

/* What is looked at when there are rows. */
static void launch_host_rows(kvf_check *check, params_type *params) {
  if (params->num_virtual_rows > 0) {
    kvf_launch_pointer(check, "device_row_ids", params->device_row_ids);
    kvf_launch_pointer(check, "host_row_ids", params->host_row_ids);
  }
  if (params->num_host_rows > 0) {
    kvf_launch_pointer(check, "host_cache", params->host_cache.data);
    kvf_launch_host_memory(check, "host_cache", &params->host_cache.data);
  }
}

static void check_map(kvf_check *check, const params_type *params, int64_t number) {
  if (number >= params->num_virtual_rows) {
    kvf_check_fail(check, KVF_OUT_OF_RANGE, "block_table",
                   "a row is number %" PRId64 ", want less than %" PRId64
                   " (the elements of host_row_ids)",
                   number, params->num_virtual_rows);
    return;
  }
  const int64_t row = kvf_read_index(params->device_row_ids, 4, number);
  if (row >= 0) {
    if (row / params->table.block_size >= params->num_pages) {
      kvf_check_fail(check, KVF_OUT_OF_RANGE, "device_row_ids",
                     "element %" PRId64 " is %" PRId64 ", want less than %" PRId64
                     " blocks of %" PRId64 " rows",
                     number, row, params->num_pages, params->table.block_size);
    }
    return;
  }
  const int64_t other = kvf_read_index(params->host_row_ids, 4, number);
  if (other < 0 || other >= params->num_host_rows) {
    kvf_check_fail(check, KVF_OUT_OF_RANGE, "host_row_ids",
                   "element %" PRId64 " is %" PRId64 ", want 0 to %" PRId64, number, other,
                   params->num_host_rows - 1);
  }
}

/* On the CPU every row is looked for before anything is written. */
static void check_maps(kvf_check *check, const params_type *params) {
  for (int64_t row = 0; row < params->num_rows && check->status == KVF_OK;) {
    int64_t block = 0;
    int64_t offset = 0;
    const int64_t rows = kvf_locate_run(&params->table, row, params->num_rows, &block, &offset);
    for (int64_t i = 0; block >= 0 && i < rows && check->status == KVF_OK; ++i) {
      check_map(check, params, block * params->table.block_size + offset + i);
    }
    row += rows;
  }
}

/* ---- calls
 * -------------------------------------------------------------------------------------- */

kvf_status kvf_cp_gather_and_upconvert_fp8_kv_cache(
    const kvf_exec *exec, const DLTensor *src_cache, DLTensor *dst, const DLTensor *block_table,
    const DLTensor *workspace_starts, int64_t batch_size, const DLTensor *seq_starts,
    const DLTensor *host_cache, const DLTensor *host_row_ids, const DLTensor *device_row_ids,
    const DLTensor *seq_lens) {
  params_type params = {.num_rows = 0};
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_check_begin(OP, exec);
  /* Not E5M2: the codes are E4M3, whatever dtype a tensor of them has. */
  const kvf_variant *variant =
      kvf_check_upconvert(&check,
                          &(kvf_upconvert_arguments){src_cache, dst, block_table, workspace_starts,
                                                     batch_size, seq_starts, seq_lens},
                          KVF_FP8_DS_MLA, KVF_ACCEPT(KVF_FP8_E4M3), KVF_FP8_DS_MLA_BYTES, &gather);
  check_host_rows(&check, host_cache, host_row_ids, device_row_ids, &params);
  kvf_check_apart(&check, (const kvf_named[]){{"dst", dst}}, 1,
                  (const kvf_named[]){{"host_cache", host_cache}}, 1);
  if (variant == NULL || check.status != KVF_OK) {
    return check.status;
  }
  return kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(&check.exec, variant, &params);
}

kvf_status kvf_launch_cp_gather_and_upconvert_fp8_kv_cache(const kvf_exec *exec,
                                                           const kvf_variant *variant,
                                                           const params_type *given) {
  params_type params;
  const kvf_gather gather = KVF_GATHER(&params);
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  launch_maps(&check, &params);
  if (!kvf_launch_upconvert(&check, &gather)) {
    return check.status;
  }
  if (params.mapped) {
    launch_host_rows(&check, &params);
  }
  if (check.exec.backend == KVF_CPU && params.mapped) {
    check_maps(&check, &params);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  return kvf_run_upconvert(&check, variant, &params, &gather, KVF_FP8_DS_MLA_BYTES,
                           &params.host_cache);
}
