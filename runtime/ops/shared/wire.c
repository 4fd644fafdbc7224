#include "ops/shared/wire.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/extent.h"
#include "kvforge/cache/convert.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"

/* See kvf_run_wire_copy(). */
_Static_assert(sizeof(kvf_wire_copy) <= 4096, "a kernel has 4 KB of parameters");

enum { ALIGNMENT = 16 };

void kvf_check_wire(kvf_check *check, const DLTensor *tensor, kvf_view *view, int64_t *num_bytes) {
  kvf_dim bytes = KVF_DIM("bytes");
  kvf_check_tensor(check, "wire", tensor, KVF_ACCEPT(KVF_B8), 1, (kvf_dim *const[]){&bytes}, view);
  if (check->status != KVF_OK) {
    return;
  }
  *num_bytes = bytes.value;
  if (bytes.value > 1 && view->stride[0] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire",
                   "stride of dimension 0 (bytes) is %" PRId64 ", want 1", view->stride[0]);
  }
  if (bytes.value > 0) {
    kvf_launch_wire(check, view->data);
  }
}

void kvf_launch_wire(kvf_check *check, const void *address) {
  if ((uintptr_t)address % ALIGNMENT != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire", "address %p is not a multiple of %d", address,
                   ALIGNMENT);
  }
}

/* ---- layouts
 * ------------------------------------------------------------------------------------- */

enum { BLOCK_UNIT = 64, WIRE_UNIT = 1024 };

/* How the axes of a wire block lie: all differ in groups of heads alone, and in these two things.
 */
static const struct {
  const char *name;
  bool planes_first;  /* planes are outside layers */
  bool tokens_inside; /* tokens are within heads */
  int32_t group;      /* heads of a group: 0 all, 1 one, -1 heads_per_group */
} layouts[] = {{"LKNHC", false, false, 0},
               {"KLNHC", true, false, 0},
               {"LKHNC", false, true, 0},
               {"HLKNC", false, false, 1},
               {"GLKNHC", false, false, -1}};
enum { NUM_LAYOUTS = sizeof layouts / sizeof *layouts };

static void check_layout(kvf_check *check, const kvf_wire_arguments *arguments,
                         kvf_wire_cursor *cursor, kvf_wire_copy *copy) {
  const char *name = arguments->wire_layout;
  int i = 0;
  while (i < NUM_LAYOUTS && (name == NULL || strcmp(layouts[i].name, name) != 0)) {
    ++i;
  }
  if (i == NUM_LAYOUTS) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire_layout",
                   "got %s%.100s%s, want one of LKNHC, KLNHC, LKHNC, HLKNC, GLKNHC",
                   name ? "'" : "", name ? name : "NULL", name ? "'" : "");
    return;
  }
  cursor->planes_first = layouts[i].planes_first;
  copy->tokens_inside = layouts[i].tokens_inside;
  copy->group_heads = layouts[i].group == 1 && copy->num_heads > 0 ? 1 : copy->num_heads;
  if (layouts[i].group == -1 && arguments->heads_per_group != 0) {
    copy->group_heads = arguments->heads_per_group;
    if (copy->group_heads < 0 || copy->num_heads % copy->group_heads != 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "heads_per_group",
                     "got %" PRId64 ", want a divisor of %" PRId64 " (num_heads)",
                     arguments->heads_per_group, copy->num_heads);
    }
  }
  if (arguments->wire_block_size < 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire_block_size", "got %" PRId64 ", want 1 or more",
                   arguments->wire_block_size);
  }
  copy->block_tokens = arguments->wire_block_size;
}

/* ---- pages
 * --------------------------------------------------------------------------------------- */

/* Bytes are moved, whatever they mean: the checks of a tensor are made of one of uint8. */
static void check_page(kvf_check *check, const char *argument, const DLTensor *tensor,
                       bool is_first, kvf_cell_dims *dims) {
  if (!kvf_check_present(check, argument, tensor)) {
    return;
  }
  const int bits = tensor->dtype.bits * tensor->dtype.lanes;
  if (bits == 0 || bits % 8 != 0) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument, "an element has %d bits, want whole bytes",
                   bits);
    return;
  }
  kvf_dim *const shape[] = {&dims->num_blocks, &dims->block_size, &dims->num_heads,
                            &dims->elements};
  DLTensor bytes = *tensor;
  bytes.dtype = (DLDataType){kDLUInt, 8, 1};
  kvf_view view = {.data = NULL};
  kvf_check_tensor(check, argument, &bytes, KVF_ACCEPT(KVF_B8), 4, shape, &view);
  if (check->status != KVF_OK) {
    return;
  }
  if (is_first) {
    dims->view = view;
    dims->bits = bits;
    return;
  }
  if (bits != dims->bits) {
    kvf_check_fail(check, KVF_INVALID_TYPE, argument,
                   "an element has %d bits, want %d as in the first layer", bits, dims->bits);
  }
  for (int32_t i = 0; i < 4; ++i) {
    if (shape[i]->value > 1 && view.stride[i] != dims->view.stride[i]) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "stride of dimension %d (%s) is %" PRId64 ", want %" PRId64
                     " as in the first layer",
                     i, shape[i]->name, view.stride[i], dims->view.stride[i]);
    }
  }
}

static int64_t element_bytes(const DLTensor *tensor) {
  return tensor->dtype.bits * tensor->dtype.lanes / 8;
}

void kvf_check_cells(kvf_check *check, const kvf_cache_list *list, int64_t num_layers,
                     kvf_cell_dims *dims) {
  if (list->size < 1 || list->tensors == NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, list->argument,
                   "got %s of %" PRId64 " tensors, want an array of 1 or more",
                   list->tensors ? "an array" : "NULL", list->size);
    return;
  }
  if (num_layers < 0 || (num_layers > 0 && list->size % num_layers != 0)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_layers",
                   "got %" PRId64 ", want 0 or a divisor of %" PRId64 ", the number of %s",
                   num_layers, list->size, list->argument);
    return;
  }
  dims->num_layers = num_layers > 0 ? num_layers : list->size;
  dims->num_planes = list->size / dims->num_layers;
  for (int64_t i = 0; check->status == KVF_OK && i < list->size; ++i) {
    const bool is_first = i % dims->num_layers == 0;
    if (is_first) {
      dims->elements = (kvf_dim)KVF_DIM("elements");
    }
    check_page(check, list->argument, list->tensors[i], is_first, dims);
    if (check->status != KVF_OK) {
      /* Once more, for a sentence that names the tensor: naming all of them in time would be slow.
       */
      char name[64];
      (void)snprintf(name, sizeof name, "%s[%" PRId64 "]", list->argument, i);
      check->status = KVF_OK;
      check_page(check, name, list->tensors[i], is_first, dims);
    }
  }
}

/* ---- the call
 * ------------------------------------------------------------------------------------ */

/* Sides of the call: of kv_pack pages are read, of kv_unpack the wire. */
static int side_of_pages(const kvf_wire_arguments *arguments) {
  return arguments->packs ? KVF_FROM : KVF_TO;
}
static int side_of_wire(const kvf_wire_arguments *arguments) {
  return KVF_SIDES - 1 - side_of_pages(arguments);
}

static kvf_elements elements_of_pages(const kvf_wire_arguments *arguments,
                                      const kvf_cache_list *pages) {
  return (kvf_elements){"page_dtype",           arguments->page_dtype,      "page_scales",
                        arguments->page_scales, arguments->num_page_scales, pages};
}

static kvf_elements elements_of_wire(const kvf_wire_arguments *arguments) {
  return (kvf_elements){"wire_dtype",
                        arguments->wire_dtype,
                        "wire_scales",
                        &arguments->wire_scales,
                        arguments->wire_scales != NULL,
                        NULL};
}

static void check_conversion(kvf_check *check, const kvf_wire_arguments *arguments,
                             const kvf_cache_list *pages, const kvf_cell_dims *dims,
                             kvf_wire_cursor *cursor) {
  kvf_elements sides[KVF_SIDES];
  sides[side_of_pages(arguments)] = elements_of_pages(arguments, pages);
  sides[side_of_wire(arguments)] = elements_of_wire(arguments);
  const kvf_dim sizes[] = {dims->num_blocks, dims->block_size, dims->num_heads};
  kvf_conversion *made = &cursor->conversion;
  kvf_check_conversion(check, sides, cursor->num_planes, cursor->num_layers, made);
  for (int i = 0; i < KVF_SIDES; ++i) {
    kvf_check_elements(check, &sides[i], made->dtype[i], made->rows[i], cursor->num_planes,
                       cursor->num_layers, sizes);
  }
}

/* Of a plane on the wire: the bytes of a row, and of its scale. */
static int64_t wire_row(const kvf_wire_arguments *arguments, const kvf_wire_cursor *cursor,
                        int64_t plane) {
  const DLTensor *tensor = arguments->pages[plane * cursor->num_layers];
  const kvf_dtype dtype = cursor->conversion.dtype[side_of_wire(arguments)];
  return kvf_saturating_product(tensor->shape[3], dtype != KVF_DTYPE_NONE
                                                      ? kvf_convertible_bytes(dtype)
                                                      : element_bytes(tensor));
}

static int64_t wire_scale(const kvf_wire_arguments *arguments, const kvf_wire_cursor *cursor,
                          int64_t plane) {
  const bool has_one = cursor->conversion.rows[side_of_wire(arguments)] &&
                       arguments->pages[plane * cursor->num_layers]->shape[3] > 0;
  return has_one ? (int64_t)sizeof(float) : 0;
}

/* The bytes of a token's rows in some of the planes. */
static int64_t bytes_of_planes(const kvf_wire_arguments *arguments, const kvf_wire_cursor *cursor,
                               int64_t count) {
  int64_t sum = 0;
  for (int64_t plane = 0; plane < count; ++plane) {
    const int64_t row = wire_row(arguments, cursor, plane) + wire_scale(arguments, cursor, plane);
    sum = sum > KVF_TOO_LARGE - row ? KVF_TOO_LARGE : sum + row;
  }
  return sum;
}

static int64_t round_up(int64_t value, int64_t unit) {
  return value > KVF_TOO_LARGE - unit ? KVF_TOO_LARGE : kvf_quotient_up(value, unit) * unit;
}

static void check_size(kvf_check *check, const kvf_wire_arguments *arguments,
                       const kvf_wire_cursor *cursor, int64_t num_bytes, kvf_wire_copy *copy) {
  int64_t used = bytes_of_planes(arguments, cursor, cursor->num_planes);
  used = kvf_saturating_product(used, copy->num_heads);
  used = kvf_saturating_product(used, cursor->num_layers);
  used = kvf_saturating_product(used, copy->block_tokens);
  copy->used_bytes = used;
  copy->block_bytes = round_up(used, BLOCK_UNIT);
  const int64_t blocks = kvf_quotient_up(copy->slots.num_tokens, copy->block_tokens);
  copy->wire_bytes = round_up(kvf_saturating_product(copy->block_bytes, blocks), WIRE_UNIT);
  if (num_bytes < copy->wire_bytes || copy->wire_bytes >= KVF_TOO_LARGE) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "wire",
                   "has %" PRId64 " bytes, want %s%" PRId64 " (%" PRId64 " blocks of %" PRId64
                   " tokens)",
                   num_bytes, copy->wire_bytes >= KVF_TOO_LARGE ? "more than " : "",
                   copy->wire_bytes, blocks, copy->block_tokens);
  }
}

const kvf_variant *kvf_check_wire_copy(kvf_check *check, const kvf_wire_arguments *arguments,
                                       kvf_wire_cursor *cursor, kvf_wire_copy *copy) {
  kvf_cell_dims dims = {.num_blocks = KVF_DIM("num_blocks"),
                        .block_size = KVF_DIM("block_size"),
                        .num_heads = KVF_DIM("num_heads")};
  const kvf_cache_list pages = {"pages", arguments->pages, arguments->num_pages};
  kvf_view wire = {.data = NULL};
  int64_t num_bytes = 0;
  kvf_check_cells(check, &pages, arguments->num_layers, &dims);
  cursor->num_layers = dims.num_layers;
  cursor->num_planes = dims.num_planes;
  kvf_check_wire(check, arguments->wire, &wire, &num_bytes);
  kvf_check_slots(check, "slot_mapping", arguments->slot_mapping, &copy->slots);
  if (check->status == KVF_OK) {
    copy->wire = wire.data;
    copy->num_heads = dims.num_heads.value;
    copy->slots.num_blocks = dims.num_blocks.value;
    copy->slots.block_size = dims.block_size.value;
    check_layout(check, arguments, cursor, copy);
    check_conversion(check, arguments, &pages, &dims, cursor);
  }
  if (check->status == KVF_OK) {
    check_size(check, arguments, cursor, num_bytes, copy);
  }
  const kvf_variant *variant = kvf_check_conversion_variant(check, &cursor->conversion);
  return copy->slots.num_tokens > 0 && copy->used_bytes > 0 ? variant : NULL;
}

kvf_page_plane kvf_page_plane_of(const DLTensor *tensor) {
  enum { PLACES = 3 }; /* block, token, head: the tensors of scales have no more */
  int64_t stride[PLACES + 1] = {0};
  int64_t compact = element_bytes(tensor);
  stride[PLACES] = compact;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    stride[i] =
        tensor->strides ? kvf_wrapping_product(tensor->strides[i], element_bytes(tensor)) : compact;
    compact = kvf_wrapping_product(compact, tensor->shape[i]);
  }
  return (kvf_page_plane){.block = stride[0],
                          .token = stride[1],
                          .head = stride[2],
                          .element = stride[PLACES],
                          .elements = tensor->ndim > PLACES ? tensor->shape[PLACES] : 1,
                          .element_bytes = element_bytes(tensor)};
}

/* A plane of rows of `row` bytes, `before` bytes of a token's rows behind those of other planes. */
static kvf_wire_plane wire_plane(const kvf_wire_arguments *arguments, const kvf_wire_cursor *cursor,
                                 const kvf_wire_copy *copy, int64_t before, int64_t row) {
  const int64_t rows = copy->block_tokens * copy->group_heads; /* that a plane has together */
  const int64_t all = bytes_of_planes(arguments, cursor, cursor->num_planes) * rows;
  const int64_t layer = cursor->planes_first ? row * rows : all;
  before *= rows;
  return (kvf_wire_plane){.first = (cursor->planes_first ? before * cursor->num_layers : before) +
                                   cursor->layer * layer,
                          .group = all * cursor->num_layers,
                          .layer = layer,
                          .token = copy->tokens_inside ? row : row * copy->group_heads,
                          .head = copy->tokens_inside ? row * copy->block_tokens : row};
}

/* The cells of one plane of pages or scales, and where its rows lie in them. */
static void add_cells(kvf_wire_copy *copy, const DLTensor *const *tensors, int32_t plane,
                      int32_t first_cell) {
  copy->pages[plane] = kvf_page_plane_of(tensors[0]);
  for (int32_t layer = 0; layer < copy->num_layers; ++layer) {
    copy->cells[first_cell + layer] = kvf_first_element(tensors[layer]);
  }
}

/* The scales of the plane that was added last, whose elements are converted. */
static void add_scales(const kvf_wire_cursor *cursor, const kvf_wire_arguments *arguments,
                       kvf_wire_copy *copy, int64_t before) {
  const int32_t plane = copy->num_planes - 1;
  const kvf_conversion *conversion = &cursor->conversion;
  const int64_t row = wire_row(arguments, cursor, cursor->plane);
  const kvf_cache_list pages = {"pages", arguments->pages, arguments->num_pages};
  const kvf_elements in_pages = elements_of_pages(arguments, &pages);
  const kvf_elements on_wire = elements_of_wire(arguments);
  if (conversion->rows[side_of_pages(arguments)]) {
    add_cells(copy, arguments->page_scales + cursor->plane * cursor->num_layers + cursor->layer,
              KVF_SCALES_OF_PLANE + plane, KVF_SCALES_OF_CELL + plane * copy->num_layers);
  } else if (arguments->num_page_scales > 0) {
    copy->page_scales[plane] = kvf_scales_of(&in_pages, cursor->plane, cursor->layer);
  }
  if (conversion->rows[side_of_wire(arguments)]) {
    copy->wires[KVF_SCALES_OF_PLANE + plane] =
        wire_plane(arguments, cursor, copy, before + row, sizeof(float));
  } else if (arguments->wire_scales != NULL) {
    copy->wire_scales[plane] = kvf_scales_of(&on_wire, cursor->plane, cursor->layer);
  }
}

/*
 * What each plane takes of a launch's room. Scales of rows take as much as codes: they are copied
 * as a plane of their own, or are where a conversion looks for them.
 */
static int32_t room_of(const kvf_conversion *conversion, int32_t room) {
  return conversion->rows[KVF_FROM] || conversion->rows[KVF_TO] ? room / 2 : room;
}

/* The next planes of the layers that are being launched, as many as there is room for. */
static void add_planes(kvf_wire_cursor *cursor, const kvf_wire_arguments *arguments,
                       kvf_wire_copy *copy) {
  const kvf_conversion *conversion = &cursor->conversion;
  const int32_t layers = copy->num_layers;
  const bool rides = !kvf_converts(conversion) && conversion->rows[KVF_FROM];
  const int32_t cells = room_of(conversion, KVF_MAX_CELLS);
  int32_t added = 0;
  for (; cursor->plane < cursor->num_planes && added < room_of(conversion, KVF_MAX_PLANES) &&
         (added + 1) * layers <= cells;
       ++cursor->plane) {
    const int64_t row = wire_row(arguments, cursor, cursor->plane);
    const int64_t before = bytes_of_planes(arguments, cursor, cursor->plane);
    const int64_t first = cursor->plane * cursor->num_layers + cursor->layer;
    if (row == 0) {
      continue;
    }
    ++added;
    copy->wires[copy->num_planes] = wire_plane(arguments, cursor, copy, before, row);
    add_cells(copy, arguments->pages + first, copy->num_planes, copy->num_planes * layers);
    ++copy->num_planes;
    if (rides) {
      copy->wires[copy->num_planes] =
          wire_plane(arguments, cursor, copy, before + row, sizeof(float));
      add_cells(copy, arguments->page_scales + first, copy->num_planes, copy->num_planes * layers);
      ++copy->num_planes;
    } else if (kvf_converts(conversion)) {
      add_scales(cursor, arguments, copy, before);
    }
  }
}

bool kvf_next_cells(kvf_wire_cursor *cursor, const kvf_wire_arguments *arguments,
                    kvf_wire_copy *copy) {
  cursor->before += (int64_t)copy->num_planes * copy->num_layers;
  copy->later = copy->num_planes > 0;
  copy->num_planes = 0;
  copy->page_dtype = cursor->conversion.dtype[side_of_pages(arguments)];
  copy->wire_dtype = cursor->conversion.dtype[side_of_wire(arguments)];
  const int32_t cells = room_of(&cursor->conversion, KVF_MAX_CELLS);
  while (copy->num_planes == 0 && cursor->layer < cursor->num_layers) {
    const int64_t rest = cursor->num_layers - cursor->layer;
    copy->num_layers = (int32_t)(rest < cells ? rest : cells);
    add_planes(cursor, arguments, copy);
    if (cursor->plane == cursor->num_planes) {
      cursor->plane = 0;
      cursor->layer += copy->num_layers;
    }
  }
  return copy->num_planes > 0;
}

kvf_status kvf_end_cells(const kvf_check *check, const kvf_wire_cursor *cursor,
                         const kvf_wire_arguments *arguments) {
  if (check->status == KVF_OK || cursor->before <= 0) {
    return check->status;
  }
  return kvf_error_add(check->status, "; enqueued: %" PRId64 " of %" PRId64 " tensors",
                       cursor->before,
                       arguments->num_pages + (cursor->conversion.rows[side_of_pages(arguments)] &&
                                                       !kvf_converts(&cursor->conversion)
                                                   ? arguments->num_page_scales
                                                   : 0));
}

/* ---- launches
 * ------------------------------------------------------------------------------------ */

/* Whether the members that say how many there are of something make sense. */
static void check_counts(kvf_check *check, const kvf_wire_copy *copy) {
  kvf_launch_at_least(check, "num_planes", copy->num_planes, 0);
  kvf_launch_at_least(check, "num_layers", copy->num_layers, 0);
  kvf_launch_at_least(check, "num_heads", copy->num_heads, 0);
  kvf_launch_at_least(check, "group_heads", copy->group_heads, copy->num_heads > 0);
  kvf_launch_at_least(check, "block_tokens", copy->block_tokens, 1);
  kvf_launch_at_least(check, "used_bytes", copy->used_bytes, 0);
  kvf_launch_at_least(check, "block_bytes", copy->block_bytes, copy->used_bytes);
  if (copy->slots.remap != NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "slots.remap",
                   "got an address, want NULL: slots are those of the pages");
  }
  if (check->status != KVF_OK) {
    return;
  }
  if (copy->num_planes > KVF_MAX_PLANES ||
      (int64_t)copy->num_planes * copy->num_layers > KVF_MAX_CELLS) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_planes",
                   "got %d planes of %d layers, want at most %d planes and %d of both",
                   copy->num_planes, copy->num_layers, KVF_MAX_PLANES, KVF_MAX_CELLS);
  }
  if (copy->num_heads > 0 && copy->num_heads % copy->group_heads != 0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "group_heads",
                   "got %" PRId64 ", want a divisor of %" PRId64 " (num_heads)", copy->group_heads,
                   copy->num_heads);
  }
}

/* What a launch that converts needs besides. */
static void check_converted(kvf_check *check, const kvf_wire_copy *copy, bool packs) {
  const bool rows = kvf_has_row_scale(copy->page_dtype) || kvf_has_row_scale(copy->wire_dtype);
  kvf_launch_conversion(
      check, packs ? "page_dtype" : "wire_dtype", packs ? copy->page_dtype : copy->wire_dtype,
      packs ? "wire_dtype" : "page_dtype", packs ? copy->wire_dtype : copy->page_dtype);
  if (rows && check->status == KVF_OK &&
      (copy->num_planes > KVF_SCALES_OF_PLANE ||
       copy->num_planes * copy->num_layers > KVF_SCALES_OF_CELL)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_planes",
                   "got %d planes of %d layers with scales, want at most %d planes and %d of both",
                   copy->num_planes, copy->num_layers, KVF_SCALES_OF_PLANE, KVF_SCALES_OF_CELL);
  }
  for (int32_t plane = 0; check->status == KVF_OK && plane < copy->num_planes; ++plane) {
    kvf_launch_elements(check, copy->page_dtype, copy->pages[plane].element_bytes, "page_scales",
                        &copy->page_scales[plane], copy->num_layers, copy->num_heads);
    kvf_launch_elements(check, copy->wire_dtype, kvf_convertible_bytes(copy->wire_dtype),
                        "wire_scales", &copy->wire_scales[plane], copy->num_layers,
                        copy->num_heads);
  }
  const int32_t cells = copy->num_planes * copy->num_layers;
  for (int32_t i = 0; check->status == KVF_OK && kvf_has_row_scale(copy->page_dtype) &&
                      copy->slots.num_blocks > 0 && i < cells;
       ++i) {
    kvf_launch_pointer(check, "page_scales", copy->cells[KVF_SCALES_OF_CELL + i]);
  }
}

/* Whether each plane's rows of all wire blocks, and these themselves, are less than 2^62 bytes. */
static void check_sizes(kvf_check *check, const kvf_wire_copy *copy) {
  int64_t blocks = kvf_quotient_up(copy->slots.num_tokens, copy->block_tokens);
  const int64_t bytes = kvf_saturating_product(blocks, copy->block_bytes);
  if (bytes >= KVF_TOO_LARGE) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "block_bytes",
                   "%" PRId64 " blocks of %" PRId64 " bytes, want less than 2^62", blocks,
                   copy->block_bytes);
  }
  int64_t rows = kvf_saturating_product(blocks, copy->block_tokens);
  rows = kvf_saturating_product(rows, copy->num_heads);
  for (int32_t plane = 0; check->status == KVF_OK && plane < copy->num_planes; ++plane) {
    const kvf_page_plane *page = &copy->pages[plane];
    kvf_launch_at_least(check, "elements", page->elements, 1);
    kvf_launch_at_least(check, "element_bytes", page->element_bytes, 1);
    if (check->status == KVF_OK &&
        kvf_saturating_product(kvf_saturating_product(rows, page->elements), page->element_bytes) >=
            KVF_TOO_LARGE) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "elements",
                     "%" PRId64 " rows of %" PRId64 " elements of %" PRId64
                     " bytes, want less than 2^62 bytes",
                     rows, page->elements, page->element_bytes);
    }
  }
}

static void check_cells(kvf_check *check, const kvf_wire_copy *copy, bool packs) {
  kvf_launch_pointer(check, "wire", copy->wire);
  kvf_launch_wire(check, copy->wire);
  const int32_t cells = copy->num_planes * copy->num_layers;
  for (int32_t i = 0; check->status == KVF_OK && copy->slots.num_blocks > 0 && i < cells; ++i) {
    kvf_launch_pointer(check, "pages", copy->cells[i]);
  }
  const int64_t blocks = kvf_quotient_up(copy->slots.num_tokens, copy->block_tokens);
  if (packs && check->status == KVF_OK) {
    kvf_launch_at_least(check, "wire_bytes", copy->wire_bytes, blocks * copy->block_bytes);
  }
}

/* The largest power of two up to 16 that all are multiples of whose bits these are. */
static int32_t piece_bytes(uint64_t bits) {
  int32_t width = 16;
  while (bits % (uint64_t)width != 0) {
    width /= 2;
  }
  return width;
}

kvf_row_side kvf_row_side_of(const kvf_page_plane *page, void *const *cells, int32_t num_cells) {
  kvf_row_side side = {(uint64_t)page->block | (uint64_t)page->token | (uint64_t)page->head,
                       page->elements == 1 ? page->element_bytes : page->element,
                       page->element_bytes};
  for (int32_t i = 0; i < num_cells; ++i) {
    side.bits |= (uintptr_t)cells[i];
  }
  return side;
}

enum { THREADS = 256, IN_FLIGHT = 4, MOST_BLOCKS = 1 << 20 }; /* as the CUDA templates have them */

/* Elements of a piece that is converted: 8 where they are unbroken and aligned on both sides. */
static int32_t converted_at_once(const kvf_row_side *from, const kvf_row_side *to,
                                 int64_t elements) {
  enum { AT_ONCE = 8 };
  const kvf_row_side *const sides[] = {from, to};
  bool whole = elements % AT_ONCE == 0;
  for (int i = 0; i < 2; ++i) {
    const int64_t bytes = AT_ONCE * sides[i]->element_bytes;
    whole = whole && sides[i]->element == sides[i]->element_bytes &&
            sides[i]->bits % (uint64_t)(bytes < 16 ? bytes : 16) == 0;
  }
  return whole ? AT_ONCE : 1;
}

/* As many threads as leave each IN_FLIGHT pieces of a row, but those that make a run of bytes
 * together. */
static int32_t lane_bits_of(int64_t count, int64_t bytes, bool converts) {
  enum { WARP_BITS = 5, RUN = 64, CONVERTED_RUN = 32, CONVERTED = 4 };
  const int32_t in_flight = converts ? CONVERTED : IN_FLIGHT;
  const int64_t run = converts ? CONVERTED_RUN : RUN;
  int32_t bits = 0;
  while (bits < WARP_BITS && INT64_C(1) << bits < count &&
         (in_flight << bits < count || bytes << bits < run)) {
    ++bits;
  }
  return bits;
}

kvf_row_pieces kvf_share_out(kvf_check *check, const kvf_row_side *from, const kvf_row_side *to,
                             int64_t elements, bool converts, int64_t rows, int64_t *most) {
  kvf_row_pieces pieces = {.parts = 1};
  int64_t count = elements;
  int64_t bytes = from->element_bytes < to->element_bytes ? from->element_bytes : to->element_bytes;
  if (converts) {
    pieces.vector = converted_at_once(from, to, elements);
    count /= pieces.vector;
    bytes *= pieces.vector;
    pieces.from_step = from->element * pieces.vector;
    pieces.to_step = to->element * pieces.vector;
  } else {
    const bool dense = from->element == bytes && to->element == bytes;
    const int64_t unbroken = dense ? elements * bytes : bytes;
    pieces.vector = piece_bytes(from->bits | to->bits | (uint64_t)unbroken |
                                (dense ? 0 : (uint64_t)from->element | (uint64_t)to->element));
    count = dense ? unbroken / pieces.vector : elements;
    pieces.parts = dense ? 1 : (int32_t)(bytes / pieces.vector);
    pieces.from_step = dense ? pieces.vector : from->element;
    pieces.to_step = dense ? pieces.vector : to->element;
    bytes = pieces.vector;
  }
  if (count > INT32_MAX - THREADS) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "elements",
                   "a row has %" PRId64 " pieces of %" PRId64 " bytes, want less than 2^31", count,
                   bytes);
    return pieces;
  }
  pieces.count = (int32_t)count;
  pieces.lane_bits = lane_bits_of(count, bytes, converts);
  const int64_t threads = rows << pieces.lane_bits;
  *most = threads > *most ? threads : *most;
  return pieces;
}

kvf_grid kvf_grid_of_rows(int64_t most, int32_t cells, bool converts) {
  enum { CONVERTING = 128, ENOUGH = 8192, AT_A_TIME = 4 };
  const uint32_t threads = converts ? CONVERTING : THREADS;
  int64_t blocks = kvf_quotient_up(most, threads);
  if (converts && blocks * cells >= ENOUGH) {
    blocks = kvf_quotient_up(blocks, AT_A_TIME);
  }
  return (kvf_grid){
      .grid = {(uint32_t)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS), (uint32_t)cells, 1},
      .block = {threads, 1, 1}};
}

/* A plane's rows on the wire. */
static kvf_row_side wire_side_of(const kvf_wire_copy *copy, int32_t plane, int64_t element) {
  const kvf_wire_plane *wire = &copy->wires[plane];
  return (kvf_row_side){(uintptr_t)copy->wire | (uint64_t)wire->first | (uint64_t)wire->group |
                            (uint64_t)wire->layer | (uint64_t)wire->token | (uint64_t)wire->head |
                            (uint64_t)copy->block_bytes,
                        element, element};
}

static kvf_status run_on_cuda(kvf_check *check, const kvf_variant *variant, kvf_wire_copy *copy,
                              bool packs) {
  const bool converts = kvf_scalar_of(variant) != KVF_B8;
  int64_t most = 1;
  for (int32_t plane = 0; plane < copy->num_planes; ++plane) {
    const kvf_page_plane *page = &copy->pages[plane];
    const kvf_row_side in_pages =
        kvf_row_side_of(page, copy->cells + plane * copy->num_layers, copy->num_layers);
    const kvf_row_side on_wire = wire_side_of(
        copy, plane, converts ? kvf_convertible_bytes(copy->wire_dtype) : page->element_bytes);
    copy->pieces[plane] =
        kvf_share_out(check, packs ? &in_pages : &on_wire, packs ? &on_wire : &in_pages,
                      page->elements, converts, copy->rows, &most);
  }
  if (check->status != KVF_OK) {
    return check->status;
  }
  const bool rest = packs && !copy->later;
  const kvf_grid grid =
      kvf_grid_of_rows(most, copy->num_planes * copy->num_layers + rest, converts);
  return kvf_cuda_run(check, variant, copy, &grid);
}

static kvf_status run_on_cpu(const kvf_check *check, const kvf_variant *variant,
                             kvf_wire_copy *copy, bool packs) {
  if (!packs && copy->gate != NULL && __atomic_load_n(copy->gate, __ATOMIC_RELAXED) != 0) {
    return KVF_OK;
  }
  const int64_t cells = (int64_t)copy->num_planes * copy->num_layers;
  int64_t row = 0;
  for (int32_t plane = 0; plane < copy->num_planes; ++plane) {
    row += copy->pages[plane].elements * copy->pages[plane].element_bytes;
  }
  const int64_t part = copy->block_tokens * copy->group_heads * (row / copy->num_planes + 1);
  const int64_t parts = copy->num_wire_blocks * copy->by_groups.value * cells;
  copy->streaming = kvf_cpu_streams(kvf_saturating_product(parts, part));
  return kvf_cpu_run(check, variant, copy, parts, 2 * part);
}

kvf_status kvf_run_wire_copy(kvf_check *check, const kvf_variant *variant, kvf_wire_copy *copy,
                             bool packs) {
  check_counts(check, copy);
  if (check->status != KVF_OK || copy->num_heads == 0 || copy->num_planes == 0 ||
      copy->num_layers == 0) {
    return check->status;
  }
  kvf_launch_slots(check, "slot_mapping", &copy->slots);
  if (check->status != KVF_OK || copy->slots.num_tokens == 0) {
    return check->status;
  }
  check_sizes(check, copy);
  check_cells(check, copy, packs);
  if (variant != NULL && kvf_scalar_of(variant) != KVF_B8) {
    check_converted(check, copy, packs);
  }
  if (check->status != KVF_OK) {
    return check->status;
  }
  copy->num_wire_blocks = kvf_quotient_up(copy->slots.num_tokens, copy->block_tokens);
  copy->rows = copy->num_wire_blocks * copy->block_tokens * copy->num_heads;
  copy->by_inside = kvf_make_divider(copy->tokens_inside ? copy->block_tokens : copy->group_heads);
  copy->by_middle = kvf_make_divider(copy->tokens_inside ? copy->group_heads : copy->block_tokens);
  copy->by_groups = kvf_make_divider(copy->num_heads / copy->group_heads);
  return check->exec.backend == KVF_CPU ? run_on_cpu(check, variant, copy, packs)
                                        : run_on_cuda(check, variant, copy, packs);
}
