#include "kvforge/ops/w4a16.h"

#include <inttypes.h>

#include "kvforge/op.h"

#define OP (&kvf_op_w4a16)

enum { MAX_ROWS = 16 };

/* The group size: what K and the number of groups make it, 0 for no groups. */
static int64_t group_size(kvf_check *check, int64_t size, int64_t groups) {
  if (check->status != KVF_OK) {
    return 0;
  }
  if (groups == 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "scales", "has no groups, want K / 32, 64 or 128");
    return 0;
  }
  const int64_t group = size / groups;
  if (size % groups != 0 || (group != 32 && group != 64 && group != 128)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "scales",
                   "has %" PRId64 " groups for %" PRId64 " elements, %.4g to a group; want groups "
                   "of 32, 64 or 128",
                   groups, size, (double)size / (double)groups);
  }
  return group;
}

kvf_status kvf_w4a16(const kvf_exec *exec, const DLTensor *x, const DLTensor *codes,
                     const DLTensor *scales, const DLTensor *zeros, DLTensor *y) {
  kvf_w4a16_params params = {.vectors = 0};
  kvf_dim num_rows = KVF_DIM("rows");
  kvf_dim size = KVF_DIM("K");
  kvf_dim num_outputs = KVF_DIM("N");
  kvf_dim num_groups = KVF_DIM("K / G");
  kvf_check check = kvf_check_begin(OP, exec);
  const uint32_t floats = KVF_ACCEPT(KVF_F16) | KVF_ACCEPT(KVF_BF16);
  const kvf_dtype scalar = kvf_check_dtype(&check, "x", x, floats);
  kvf_check_tensor(&check, "x", x, KVF_ACCEPT(scalar), 2, (kvf_dim *const[]){&num_rows, &size},
                   &params.x);
  if (check.status == KVF_OK && num_rows.value > MAX_ROWS) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "x", "has %" PRId64 " rows, want 0 to %d",
                   num_rows.value, MAX_ROWS);
  }
  kvf_dim half = {"K / 2", size.value / 2, "x"};
  kvf_check_tensor(&check, "codes", codes, KVF_ACCEPT(KVF_B8), 2,
                   (kvf_dim *const[]){&num_outputs, &half}, &params.codes);
  kvf_dim *const groups[] = {&num_outputs, &num_groups};
  kvf_check_tensor(&check, "scales", scales, KVF_ACCEPT(scalar), 2, groups, &params.scales);
  if (zeros != NULL) {
    kvf_check_tensor(&check, "zeros", zeros, KVF_ACCEPT(KVF_B8), 2, groups, &params.zeros);
  }
  kvf_check_tensor(&check, "y", y, KVF_ACCEPT(scalar), 2,
                   (kvf_dim *const[]){&num_rows, &num_outputs}, &params.y);
  const int64_t group = group_size(&check, size.value, num_groups.value);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.num_outputs = num_outputs.value;
  params.num_groups = num_groups.value;
  params.num_rows = (int32_t)num_rows.value;
  const int64_t values[] = {scalar, group, zeros != NULL, num_rows.value, kvf_check_arch(&check)};
  const int32_t axes = sizeof values / sizeof *values;
  const kvf_variant *variant = kvf_select_values(OP, check.exec.backend, values, axes);
  if (variant == NULL) {
    return kvf_select_values_status(OP, check.exec.backend, values, axes);
  }
  return kvf_launch_w4a16(&check.exec, variant, &params);
}

/* Whether a lane's codes and eight elements of x are one vector each, wherever it reads them. */
static bool has_vectors(const kvf_w4a16_params *params, int64_t group) {
  const int32_t codes[] = {(int32_t)group / 8, 1};
  const int32_t elements[] = {8, 1};
  const kvf_vector_side code_side = {&params->codes, 1, 1, 2};
  const kvf_vector_side x_side = {&params->x, 2, 1, 2};
  return kvf_vector_elements(codes, group / 2, &code_side, 1) > 1 &&
         kvf_vector_elements(elements, group, &x_side, 1) > 1;
}

kvf_status kvf_launch_w4a16(const kvf_exec *exec, const kvf_variant *variant,
                            const kvf_w4a16_params *given) {
  enum {
    OUTPUTS = 16,
    WARP = 32,
    GROUP_SIZE = 1,
    ZERO_POINT = 2,
    ROWS = 3
  }; /* positions of axes */
  kvf_w4a16_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  const bool zero_point = variant->values[ZERO_POINT] != 0;
  const int64_t group = variant->values[GROUP_SIZE];
  kvf_launch_at_least(&check, "num_outputs", params.num_outputs, 0);
  kvf_launch_at_least(&check, "num_groups", params.num_groups, 0);
  kvf_launch_at_least(&check, "num_rows", params.num_rows, 0);
  if (params.num_rows > MAX_ROWS) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "num_rows", "got %d, want 0 to %d", params.num_rows,
                   MAX_ROWS);
  }
  if (check.status != KVF_OK || params.num_rows == 0 || params.num_outputs == 0) {
    return check.status;
  }
  if (params.num_groups > 0) {
    kvf_launch_pointer(&check, "x", params.x.data);
    kvf_launch_pointer(&check, "codes", params.codes.data);
    kvf_launch_pointer(&check, "scales", params.scales.data);
    if (zero_point) {
      kvf_launch_pointer(&check, "zeros", params.zeros.data);
    }
  }
  kvf_launch_pointer(&check, "y", params.y.data);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, params.num_outputs, params.num_groups * group / 2);
  }
  params.vectors = has_vectors(&params, group);
  const int32_t warps = kvf_tuned_values(&check, params.num_outputs)[variant->values[ROWS] == 1];
  const kvf_grid grid = {
      .grid = {(uint32_t)((params.num_outputs + OUTPUTS - 1) / OUTPUTS), 1, 1},
      .block = {WARP, (uint32_t)warps, 1},
  };
  return kvf_cuda_run(&check, variant, &params, &grid);
}
