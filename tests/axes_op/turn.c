#include "kvforge/ops/turn.h"

#include <string.h>

#include "kvforge/op.h"

#define OP (&kvf_op_turn)

kvf_status kvf_turn(const kvf_exec *exec, const DLTensor *x, DLTensor *y, DLTensor *ran,
                    int64_t tile, int64_t step, const char *order, bool negate) {
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_view views[3];
  kvf_dim length = KVF_DIM("n * step");
  kvf_dim count = KVF_DIM("n");
  kvf_dim five = {"5", 5, "ran"};
  kvf_check_tensor(&check, "x", x, KVF_ACCEPT(KVF_F32), 1, (kvf_dim *const[]){&length}, &views[0]);
  kvf_check_tensor(&check, "y", y, KVF_ACCEPT(KVF_F32), 1, (kvf_dim *const[]){&count}, &views[1]);
  kvf_check_tensor(&check, "ran", ran, KVF_ACCEPT_INT32, 1, (kvf_dim *const[]){&five}, &views[2]);
  const bool reversed = order != NULL && strcmp(order, "reversed") == 0;
  if (!reversed && (order == NULL || strcmp(order, "forward") != 0)) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "order", "got '%s', want 'forward' or 'reversed'",
                   order != NULL ? order : "NULL");
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  const int64_t word = reversed ? KVF_TURN_ORDER_REVERSED : KVF_TURN_ORDER_FORWARD;
  const int64_t arch = kvf_check_arch(&check);
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, tile, step, word, negate, arch);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, tile, step, word, negate, arch);
  }
  const kvf_turn_params params = {.x = views[0].data,
                                  .y = views[1].data,
                                  .ran = views[2].data,
                                  .count = count.value,
                                  .step = step,
                                  .negate = negate};
  return kvf_launch_turn(&check.exec, variant, &params);
}

kvf_status kvf_launch_turn(const kvf_exec *exec, const kvf_variant *variant,
                           const kvf_turn_params *given) {
  kvf_turn_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (check.exec.backend == KVF_CPU) {
    return kvf_cpu_run(&check, variant, &params, params.count, 8);
  }
  const kvf_grid grid = {.grid = {1, 1, 1}, .block = {32, 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
