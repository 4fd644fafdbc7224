#include "ops/shared/wire.h"

#define OP (&kvf_op_kv_unpack)

_Static_assert(sizeof(kvf_kv_unpack_params) == sizeof(kvf_wire_copy), "see kvf_run_wire_copy()");

static void check_gate(kvf_check *check, const DLTensor *gate, kvf_wire_copy *copy) {
  kvf_dim one = {"gate", 1, NULL};
  kvf_view view = {.data = NULL};
  if (gate != NULL) {
    kvf_check_tensor(check, "gate", gate, KVF_ACCEPT_INT32, 1, (kvf_dim *const[]){&one}, &view);
    copy->gate = view.data;
  }
}

kvf_status kvf_kv_unpack(const kvf_exec *exec, const DLTensor *wire, const DLTensor *const *pages,
                         int64_t num_pages, const DLTensor *slot_mapping, const char *wire_layout,
                         int64_t wire_block_size, const char *wire_dtype, const char *page_dtype,
                         const DLTensor *wire_scales, const DLTensor *const *page_scales,
                         int64_t num_page_scales, const DLTensor *gate, int64_t num_layers,
                         int64_t heads_per_group) {
  const kvf_wire_arguments arguments = {.pages = pages,
                                        .num_pages = num_pages,
                                        .wire = wire,
                                        .slot_mapping = slot_mapping,
                                        .wire_layout = wire_layout,
                                        .wire_block_size = wire_block_size,
                                        .page_dtype = page_dtype,
                                        .wire_dtype = wire_dtype,
                                        .page_scales = page_scales,
                                        .num_page_scales = num_page_scales,
                                        .wire_scales = wire_scales,
                                        .num_layers = num_layers,
                                        .heads_per_group = heads_per_group};
  kvf_wire_cursor cursor = {.plane = 0};
  kvf_kv_unpack_params params = {.copy = {.num_planes = 0}};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_wire_copy(&check, &arguments, &cursor, &params.copy);
  check_gate(&check, gate, &params.copy);
  const bool rows = cursor.conversion.rows[KVF_TO]; /* then scales are written too */
  const kvf_named read[] = {
      {"wire", wire}, {"slot_mapping", slot_mapping}, {"gate", gate}, {"wire_scales", wire_scales}};
  for (int64_t i = 0; check.status == KVF_OK && i < num_pages; ++i) {
    kvf_check_apart(&check, &(kvf_named){"pages", pages[i]}, 1, read, 4);
    for (int64_t k = 0; k < num_page_scales; ++k) {
      kvf_check_apart(&check, &(kvf_named){"pages", pages[i]}, 1,
                      &(kvf_named){"page_scales", page_scales[k]}, 1);
    }
  }
  for (int64_t i = 0; check.status == KVF_OK && rows && i < num_page_scales; ++i) {
    kvf_check_apart(&check, &(kvf_named){"page_scales", page_scales[i]}, 1, read, 4);
  }
  while (check.status == KVF_OK && variant != NULL &&
         kvf_next_cells(&cursor, &arguments, &params.copy)) {
    check.status = kvf_launch_kv_unpack(&check.exec, variant, &params);
  }
  return kvf_end_cells(&check, &cursor, &arguments);
}

kvf_status kvf_launch_kv_unpack(const kvf_exec *exec, const kvf_variant *variant,
                                const kvf_kv_unpack_params *given) {
  kvf_kv_unpack_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  return kvf_run_wire_copy(&check, variant, &params.copy, false);
}
