#include <inttypes.h>
#include <stdio.h>

#include "core/error.h"
#include "core/extent.h"
#include "kvforge/cache/convert.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/wire.h"

#define OP (&kvf_op_kv_relayout)

_Static_assert(sizeof(kvf_kv_relayout_params) <= 4096, "a kernel has 4 KB of parameters");

/* ---- typed calls
 * --------------------------------------------------------------------------------- */

/*
 * Whether planes are the same on both sides: as many, of rows of as many elements, which are copied
 * or converted.
 */
static void check_planes(kvf_check *check, const kvf_cache_list *from, int64_t num_layers,
                         const kvf_cache_list *to, bool converts) {
  if (check->status == KVF_OK && from->size != to->size) {
    kvf_check_fail(check, KVF_INVALID_VALUE, to->argument,
                   "has %" PRId64 " tensors, want %" PRId64 " as in %s", to->size, from->size,
                   from->argument);
  }
  for (int64_t i = 0; check->status == KVF_OK && i < from->size; i += num_layers) {
    const kvf_page_plane a = kvf_page_plane_of(from->tensors[i]);
    const kvf_page_plane b = kvf_page_plane_of(to->tensors[i]);
    if (a.elements != b.elements || (!converts && a.element_bytes != b.element_bytes)) {
      char name[64];
      (void)snprintf(name, sizeof name, "%s[%" PRId64 "]", to->argument, i);
      kvf_check_fail(check, KVF_INVALID_VALUE, name,
                     "a row has %" PRId64 " elements of %" PRId64 " bytes, want %" PRId64
                     " of %" PRId64 " as in %s",
                     b.elements, b.element_bytes, a.elements, a.element_bytes, from->argument);
    }
  }
}

/* Whether what is written, one of a list, is apart from the slots and from all that is read. */
static void check_written(kvf_check *check, const char *argument, const DLTensor *tensor,
                          const kvf_elements sides[KVF_SIDES], const kvf_named slots[2]) {
  const kvf_named written = {argument, tensor};
  const kvf_elements *from = &sides[KVF_FROM];
  kvf_check_apart(check, &written, 1, slots, 2);
  for (int64_t i = 0; check->status == KVF_OK && i < from->pages->size; ++i) {
    kvf_check_apart(check, &written, 1,
                    &(kvf_named){from->pages->argument, from->pages->tensors[i]}, 1);
  }
  for (int64_t i = 0; check->status == KVF_OK && i < from->num_scales; ++i) {
    kvf_check_apart(check, &written, 1, &(kvf_named){from->scales_argument, from->scales[i]}, 1);
  }
}

static void check_apart(kvf_check *check, const kvf_elements sides[KVF_SIDES],
                        const kvf_conversion *conversion, const DLTensor *src_slots,
                        const DLTensor *dst_slots) {
  const kvf_named slots[] = {{"src_slots", src_slots}, {"dst_slots", dst_slots}};
  const kvf_elements *to = &sides[KVF_TO];
  for (int64_t i = 0; check->status == KVF_OK && i < to->pages->size; ++i) {
    const kvf_named written = {to->pages->argument, to->pages->tensors[i]};
    check_written(check, written.argument, written.tensor, sides, slots);
    for (int64_t k = 0; check->status == KVF_OK && k < to->num_scales; ++k) {
      kvf_check_apart(check, &written, 1, &(kvf_named){to->scales_argument, to->scales[k]}, 1);
    }
  }
  for (int64_t i = 0; check->status == KVF_OK && conversion->rows[KVF_TO] && i < to->num_scales;
       ++i) {
    check_written(check, to->scales_argument, to->scales[i], sides, slots);
  }
}

/* A call in launches. */
typedef struct relayout_call {
  const kvf_elements *sides;
  const kvf_conversion *conversion;
  int64_t num_planes;
  int64_t num_layers;
} relayout_call;

/* Adds a plane of pages or scales of both sides, from a layer on; a side may have none. */
static void add_cells(kvf_page_copy *copy, const DLTensor *const *from, const DLTensor *const *to,
                      int32_t plane, int32_t cell) {
  if (from != NULL) {
    copy->from_pages[plane] = kvf_page_plane_of(from[0]);
  }
  if (to != NULL) {
    copy->to_pages[plane] = kvf_page_plane_of(to[0]);
  }
  for (int32_t layer = 0; layer < copy->num_layers; ++layer) {
    if (from != NULL) {
      copy->from_cells[cell + layer] = kvf_first_element(from[layer]);
    }
    if (to != NULL) {
      copy->to_cells[cell + layer] = kvf_first_element(to[layer]);
    }
  }
}

/* Adds a plane's cells of layers [layer, layer + copy->num_layers), with its scales. */
static void add_plane(const relayout_call *call, kvf_page_copy *copy, int64_t plane,
                      int64_t layer) {
  const kvf_elements *sides = call->sides;
  const bool *rows = call->conversion->rows;
  const int64_t first = plane * call->num_layers + layer;
  const DLTensor *const *scales[KVF_SIDES];
  for (int i = 0; i < KVF_SIDES; ++i) {
    scales[i] = rows[i] ? sides[i].scales + first : NULL;
  }
  const int32_t added = copy->num_planes++;
  add_cells(copy, sides[KVF_FROM].pages->tensors + first, sides[KVF_TO].pages->tensors + first,
            added, added * copy->num_layers);
  if (!kvf_converts(call->conversion)) {
    if (rows[KVF_FROM]) { /* copied too */
      add_cells(copy, scales[KVF_FROM], scales[KVF_TO], copy->num_planes,
                copy->num_planes * copy->num_layers);
      ++copy->num_planes;
    }
    return;
  }
  if (rows[KVF_FROM] || rows[KVF_TO]) {
    add_cells(copy, scales[KVF_FROM], scales[KVF_TO], KVF_SCALES_OF_PLANE + added,
              KVF_SCALES_OF_PAIR + added * copy->num_layers);
  }
  for (int i = 0; i < KVF_SIDES; ++i) {
    if (!rows[i] && sides[i].num_scales > 0) {
      *(i == KVF_FROM ? &copy->from_scales[added] : &copy->to_scales[added]) =
          kvf_scales_of(&sides[i], plane, layer);
    }
  }
}

/* Launches all cells, as many at a time as their addresses have room. */
static kvf_status launch_all(const kvf_check *check, const kvf_variant *variant,
                             const relayout_call *call, kvf_kv_relayout_params *params) {
  kvf_page_copy *copy = &params->copy;
  const bool *rows = call->conversion->rows;
  const int32_t share = rows[KVF_FROM] || rows[KVF_TO] ? 2 : 1;    /* scales take as much room */
  const int32_t each = kvf_converts(call->conversion) ? 1 : share; /* planes that one adds */
  const int32_t room = KVF_MAX_CELL_PAIRS / share * each;
  const kvf_cache_list *from = call->sides[KVF_FROM].pages;
  kvf_status status = KVF_OK;
  int64_t launched = 0;
  for (int64_t layer = 0; layer < call->num_layers; layer += room / each) {
    const int64_t rest = call->num_layers - layer;
    copy->num_layers = (int32_t)(rest < room / each ? rest : room / each);
    for (int64_t plane = 0; status == KVF_OK && plane < call->num_planes; ++plane) {
      if (from->tensors[plane * call->num_layers + layer]->shape[3] > 0) {
        add_plane(call, copy, plane, layer);
      }
      const bool full = copy->num_planes == KVF_MAX_PLANES / share * each ||
                        (copy->num_planes + each) * copy->num_layers > room;
      if (copy->num_planes > 0 && (full || plane + 1 == call->num_planes)) {
        status = kvf_launch_kv_relayout(&check->exec, variant, params);
        if (status != KVF_OK && launched > 0) {
          status = kvf_error_add(status, "; enqueued: %" PRId64 " of %" PRId64 " tensors", launched,
                                 from->size * each);
        }
        launched += (int64_t)copy->num_planes * copy->num_layers;
        copy->num_planes = 0;
        copy->later = 1;
      }
    }
  }
  return status;
}

kvf_status kvf_kv_relayout(const kvf_exec *exec, const DLTensor *const *src_pages,
                           int64_t num_src_pages, const DLTensor *const *dst_pages,
                           int64_t num_dst_pages, const DLTensor *src_slots,
                           const DLTensor *dst_slots, const char *src_dtype, const char *dst_dtype,
                           const DLTensor *const *src_scales, int64_t num_src_scales,
                           const DLTensor *const *dst_scales, int64_t num_dst_scales,
                           int64_t num_layers) {
  const kvf_cache_list from = {"src_pages", src_pages, num_src_pages};
  const kvf_cache_list to = {"dst_pages", dst_pages, num_dst_pages};
  const kvf_elements sides[KVF_SIDES] = {
      {"src_dtype", src_dtype, "src_scales", src_scales, num_src_scales, &from},
      {"dst_dtype", dst_dtype, "dst_scales", dst_scales, num_dst_scales, &to}};
  kvf_conversion conversion;
  kvf_kv_relayout_params params = {.copy = {.num_planes = 0}};
  kvf_page_copy *copy = &params.copy;
  kvf_cell_dims dims[2] = {
      {.num_blocks = KVF_DIM("num_blocks"),
       .block_size = KVF_DIM("block_size"),
       .num_heads = KVF_DIM("num_heads")},
      {.num_blocks = KVF_DIM("num_blocks"), .block_size = KVF_DIM("block_size")}};
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_cells(&check, &from, num_layers, &dims[0]);
  dims[1].num_heads = dims[0].num_heads;
  if (check.status == KVF_OK) {
    kvf_check_cells(&check, &to, num_layers, &dims[1]);
  }
  kvf_check_slots(&check, "src_slots", src_slots, &copy->from);
  kvf_check_slots(&check, "dst_slots", dst_slots, &copy->to);
  if (check.status == KVF_OK && copy->to.num_tokens != copy->from.num_tokens) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "dst_slots",
                   "size of dimension 0 (num_tokens) is %" PRId64 ", want %" PRId64
                   " as in src_slots",
                   copy->to.num_tokens, copy->from.num_tokens);
  }
  kvf_check_conversion(&check, sides, dims[0].num_planes, dims[0].num_layers, &conversion);
  check_planes(&check, &from, dims[0].num_layers, &to, kvf_converts(&conversion));
  for (int i = 0; i < KVF_SIDES; ++i) {
    const kvf_dim sizes[] = {dims[i].num_blocks, dims[i].block_size, dims[i].num_heads};
    kvf_check_elements(&check, &sides[i], conversion.dtype[i], conversion.rows[i],
                       dims[0].num_planes, dims[0].num_layers, sizes);
  }
  if (check.status == KVF_OK) {
    check_apart(&check, sides, &conversion, src_slots, dst_slots);
  }
  const kvf_variant *variant = kvf_check_conversion_variant(&check, &conversion);
  if (variant == NULL) {
    return check.status;
  }
  copy->from_dtype = conversion.dtype[KVF_FROM];
  copy->to_dtype = conversion.dtype[KVF_TO];
  copy->num_heads = dims[0].num_heads.value;
  copy->from.num_blocks = dims[0].num_blocks.value;
  copy->from.block_size = dims[0].block_size.value;
  copy->to.num_blocks = dims[1].num_blocks.value;
  copy->to.block_size = dims[1].block_size.value;
  const relayout_call call = {sides, &conversion, dims[0].num_planes, dims[0].num_layers};
  return launch_all(&check, variant, &call, &params);
}

/* ---- launches
 * ------------------------------------------------------------------------------------ */

static void check_counts(kvf_check *check, const kvf_page_copy *copy) {
  kvf_launch_at_least(check, "num_planes", copy->num_planes, 0);
  kvf_launch_at_least(check, "num_layers", copy->num_layers, 0);
  kvf_launch_at_least(check, "num_heads", copy->num_heads, 0);
  if (check->status == KVF_OK &&
      (copy->num_planes > KVF_MAX_PLANES ||
       (int64_t)copy->num_planes * copy->num_layers > KVF_MAX_CELL_PAIRS)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_planes",
                   "got %d planes of %d layers, want at most %d planes and %d of both",
                   copy->num_planes, copy->num_layers, KVF_MAX_PLANES, KVF_MAX_CELL_PAIRS);
  }
  if (copy->from.remap != NULL || copy->to.remap != NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, copy->from.remap != NULL ? "from.remap" : "to.remap",
                   "got an address, want NULL: slots are those of the pages");
  }
  if (copy->from.num_tokens != copy->to.num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "to.num_tokens", "got %" PRId64 ", want %" PRId64,
                   copy->to.num_tokens, copy->from.num_tokens);
  }
}

static void check_planes_of_launch(kvf_check *check, const kvf_page_copy *copy, bool converts) {
  const int64_t rows = kvf_saturating_product(copy->from.num_tokens, copy->num_heads);
  for (int32_t plane = 0; check->status == KVF_OK && plane < copy->num_planes; ++plane) {
    const kvf_page_plane *from = &copy->from_pages[plane];
    const kvf_page_plane *to = &copy->to_pages[plane];
    kvf_launch_at_least(check, "elements", from->elements, 1);
    kvf_launch_at_least(check, "element_bytes", from->element_bytes, 1);
    if (check->status != KVF_OK) {
      return;
    }
    if (from->elements != to->elements || (!converts && from->element_bytes != to->element_bytes)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "to_pages",
                     "a row has %" PRId64 " elements of %" PRId64 " bytes, want %" PRId64
                     " of %" PRId64,
                     to->elements, to->element_bytes, from->elements, from->element_bytes);
    } else if (kvf_saturating_product(kvf_saturating_product(rows, from->elements),
                                      from->element_bytes) >= KVF_TOO_LARGE) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "elements",
                     "%" PRId64 " rows of %" PRId64 " elements of %" PRId64
                     " bytes, want less than 2^62 bytes",
                     rows, from->elements, from->element_bytes);
    }
  }
  const int32_t cells = copy->num_planes * copy->num_layers;
  for (int32_t i = 0; check->status == KVF_OK && i < cells; ++i) {
    if (copy->from.num_blocks > 0) {
      kvf_launch_pointer(check, "src_pages", copy->from_cells[i]);
    }
    if (copy->to.num_blocks > 0) {
      kvf_launch_pointer(check, "dst_pages", copy->to_cells[i]);
    }
  }
}

/* What a launch that converts needs besides. */
static void check_converted(kvf_check *check, const kvf_page_copy *copy) {
  const bool rows[] = {kvf_has_row_scale(copy->from_dtype), kvf_has_row_scale(copy->to_dtype)};
  kvf_launch_conversion(check, "from_dtype", copy->from_dtype, "to_dtype", copy->to_dtype);
  if ((rows[0] || rows[1]) && check->status == KVF_OK &&
      (copy->num_planes > KVF_SCALES_OF_PLANE ||
       copy->num_planes * copy->num_layers > KVF_SCALES_OF_PAIR)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_planes",
                   "got %d planes of %d layers with scales, want at most %d planes and %d of both",
                   copy->num_planes, copy->num_layers, KVF_SCALES_OF_PLANE, KVF_SCALES_OF_PAIR);
  }
  for (int32_t plane = 0; check->status == KVF_OK && plane < copy->num_planes; ++plane) {
    kvf_launch_elements(check, copy->from_dtype, copy->from_pages[plane].element_bytes,
                        "from_scales", &copy->from_scales[plane], copy->num_layers,
                        copy->num_heads);
    kvf_launch_elements(check, copy->to_dtype, copy->to_pages[plane].element_bytes, "to_scales",
                        &copy->to_scales[plane], copy->num_layers, copy->num_heads);
  }
  for (int32_t i = 0; check->status == KVF_OK && i < copy->num_planes * copy->num_layers; ++i) {
    if (rows[0] && copy->from.num_blocks > 0) {
      kvf_launch_pointer(check, "src_scales", copy->from_cells[KVF_SCALES_OF_PAIR + i]);
    }
    if (rows[1] && copy->to.num_blocks > 0) {
      kvf_launch_pointer(check, "dst_scales", copy->to_cells[KVF_SCALES_OF_PAIR + i]);
    }
  }
}

enum { PART_TOKENS = 64 }; /* as the CPU template has it */

static kvf_status run_on_cpu(const kvf_check *check, const kvf_variant *variant,
                             kvf_page_copy *copy) {
  int64_t row = 0;
  for (int32_t plane = 0; plane < copy->num_planes; ++plane) {
    const int64_t bytes = copy->from_pages[plane].elements * copy->from_pages[plane].element_bytes;
    row = bytes > row ? bytes : row;
  }
  const int32_t cells = copy->num_planes * copy->num_layers;
  const int64_t tokens = copy->from.num_tokens < PART_TOKENS ? copy->from.num_tokens : PART_TOKENS;
  const int64_t part = tokens * copy->num_heads * row;
  copy->token_parts = kvf_quotient_up(copy->from.num_tokens, PART_TOKENS);
  copy->streaming = kvf_scalar_of(variant) == KVF_B8 &&
                    kvf_cpu_streams(kvf_saturating_product(copy->token_parts * cells, part));
  return kvf_cpu_run(check, variant, copy, copy->token_parts * cells, 2 * part);
}

static kvf_status run_on_cuda(kvf_check *check, const kvf_variant *variant, kvf_page_copy *copy) {
  const bool converts = kvf_scalar_of(variant) != KVF_B8;
  const int32_t layers = copy->num_layers;
  int64_t most = 1;
  /* Neighbours in the target are those of threads. */
  copy->tokens_inside = copy->num_heads == 1 || copy->to_pages[0].token < copy->to_pages[0].head;
  copy->by_inside = kvf_make_divider(copy->tokens_inside ? copy->from.num_tokens : copy->num_heads);
  for (int32_t plane = 0; plane < copy->num_planes; ++plane) {
    const kvf_row_side from =
        kvf_row_side_of(&copy->from_pages[plane], copy->from_cells + plane * layers, layers);
    const kvf_row_side to =
        kvf_row_side_of(&copy->to_pages[plane], copy->to_cells + plane * layers, layers);
    copy->pieces[plane] = kvf_share_out(check, &from, &to, copy->from_pages[plane].elements,
                                        converts, copy->from.num_tokens * copy->num_heads, &most);
  }
  if (check->status != KVF_OK) {
    return check->status;
  }
  const kvf_grid grid = kvf_grid_of_rows(most, copy->num_planes * layers, converts);
  return kvf_cuda_run(check, variant, copy, &grid);
}

kvf_status kvf_launch_kv_relayout(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_kv_relayout_params *given) {
  kvf_kv_relayout_params params;
  kvf_page_copy *copy = &params.copy;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  check_counts(&check, copy);
  if (check.status != KVF_OK || copy->num_heads == 0 || copy->num_planes == 0 ||
      copy->num_layers == 0) {
    return check.status;
  }
  kvf_launch_slots(&check, "src_slots", &copy->from);
  kvf_launch_slots(&check, "dst_slots", &copy->to);
  if (check.status != KVF_OK || copy->from.num_tokens == 0) {
    return check.status;
  }
  const bool converts = variant != NULL && kvf_scalar_of(variant) != KVF_B8;
  check_planes_of_launch(&check, copy, converts);
  if (converts) {
    check_converted(&check, copy);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  return check.exec.backend == KVF_CPU ? run_on_cpu(&check, variant, copy)
                                       : run_on_cuda(&check, variant, copy);
}
