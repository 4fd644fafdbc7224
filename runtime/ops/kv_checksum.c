#include <inttypes.h>

#include "kvforge/cache/xxh3.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/wire.h"

#define OP (&kvf_op_kv_checksum)

typedef kvf_kv_checksum_params params_type;

static void check_sizes(kvf_check *check, int64_t num_bytes, int64_t unit_bytes) {
  if (num_bytes < 0 || num_bytes % KVF_XXH3_BLOCK != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire", "has %" PRId64 " bytes, want a multiple of %d",
                   num_bytes, KVF_XXH3_BLOCK);
  }
  if (unit_bytes <= 0 || unit_bytes % KVF_XXH3_BLOCK != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "unit_bytes",
                   "got %" PRId64 ", want a multiple of %d from there on", unit_bytes,
                   KVF_XXH3_BLOCK);
  }
}

kvf_status kvf_kv_checksum(const kvf_exec *exec, const DLTensor *wire, int64_t unit_bytes,
                           DLTensor *sums, const DLTensor *expected, DLTensor *mismatches) {
  params_type params = {.unit_bytes = unit_bytes};
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_wire(&check, wire, &params.wire, &params.num_bytes);
  if (check.status == KVF_OK) {
    check_sizes(&check, params.num_bytes, unit_bytes);
  }
  kvf_dim units = KVF_DIM("units of the wire");
  if (check.status == KVF_OK) {
    units.value = kvf_quotient_up(params.num_bytes, unit_bytes);
  }
  kvf_check_tensor(&check, "sums", sums, KVF_ACCEPT_INT64, 1, (kvf_dim *const[]){&units},
                   &params.sums);
  if ((expected == NULL) != (mismatches == NULL)) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, expected == NULL ? "expected" : "mismatches",
                   "got NULL, want a tensor, as the other of the two is one");
  }
  if (expected != NULL) {
    kvf_dim one = {"mismatches", 1, NULL};
    kvf_check_tensor(&check, "expected", expected, KVF_ACCEPT_INT64, 1, (kvf_dim *const[]){&units},
                     &params.expected);
    kvf_check_tensor(&check, "mismatches", mismatches, KVF_ACCEPT_INT32, 1,
                     (kvf_dim *const[]){&one}, &params.mismatches);
  }
  const kvf_named written[] = {{"sums", sums}, {"mismatches", mismatches}};
  kvf_check_apart(&check, written, 2, (const kvf_named[]){{"wire", wire}, {"expected", expected}},
                  2);
  kvf_check_apart(&check, written + 1, 1, written, 1);
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  return variant == NULL ? check.status : kvf_launch_kv_checksum(&check.exec, variant, &params);
}

enum { WARPS = 4, MOST_BLOCKS = 1 << 16 };

kvf_status kvf_launch_kv_checksum(const kvf_exec *exec, const kvf_variant *variant,
                                  const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (check.status == KVF_OK) {
    check_sizes(&check, params.num_bytes, params.unit_bytes);
  }
  if (check.status != KVF_OK || params.num_bytes == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "wire", params.wire.data);
  kvf_launch_wire(&check, params.wire.data);
  kvf_launch_pointer(&check, "sums", params.sums.data);
  if (params.expected.data != NULL) {
    kvf_launch_pointer(&check, "mismatches", params.mismatches.data);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t units = kvf_quotient_up(params.num_bytes, params.unit_bytes);
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, units,
                       params.unit_bytes < params.num_bytes ? params.unit_bytes : params.num_bytes);
  }
  const int64_t blocks = kvf_quotient_up(units, WARPS);
  const kvf_grid grid = {.grid = {(uint32_t)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS), 1, 1},
                         .block = {32 * WARPS, 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
