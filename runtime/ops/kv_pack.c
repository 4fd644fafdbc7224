#include "ops/shared/wire.h"

#define OP (&kvf_op_kv_pack)

_Static_assert(sizeof(kvf_kv_pack_params) == sizeof(kvf_wire_copy), "see kvf_run_wire_copy()");

kvf_status kvf_kv_pack(const kvf_exec *exec, const DLTensor *const *pages, int64_t num_pages,
                       DLTensor *wire, const DLTensor *slot_mapping, const char *wire_layout,
                       int64_t wire_block_size, const char *page_dtype, const char *wire_dtype,
                       const DLTensor *const *page_scales, int64_t num_page_scales,
                       const DLTensor *wire_scales, int64_t num_layers, int64_t heads_per_group) {
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
                                        .heads_per_group = heads_per_group,
                                        .packs = true};
  kvf_wire_cursor cursor = {.plane = 0};
  kvf_kv_pack_params params = {.copy = {.num_planes = 0}};
  kvf_check check = kvf_check_begin(OP, exec);
  const kvf_variant *variant = kvf_check_wire_copy(&check, &arguments, &cursor, &params.copy);
  const kvf_named written = {"wire", wire};
  kvf_check_apart(&check, &written, 1,
                  (const kvf_named[]){{"slot_mapping", slot_mapping}, {"wire_scales", wire_scales}},
                  2);
  for (int64_t i = 0; check.status == KVF_OK && i < num_pages; ++i) {
    kvf_check_apart(&check, &written, 1, &(kvf_named){"pages", pages[i]}, 1);
  }
  for (int64_t i = 0; check.status == KVF_OK && i < num_page_scales; ++i) {
    kvf_check_apart(&check, &written, 1, &(kvf_named){"page_scales", page_scales[i]}, 1);
  }
  while (check.status == KVF_OK && variant != NULL &&
         kvf_next_cells(&cursor, &arguments, &params.copy)) {
    check.status = kvf_launch_kv_pack(&check.exec, variant, &params);
  }
  return kvf_end_cells(&check, &cursor, &arguments);
}

kvf_status kvf_launch_kv_pack(const kvf_exec *exec, const kvf_variant *variant,
                              const kvf_kv_pack_params *given) {
  kvf_kv_pack_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  return kvf_run_wire_copy(&check, variant, &params.copy, true);
}
