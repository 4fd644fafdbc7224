/*
 * Generated from templates/cpu/kv_pack.c.j2 and generator/spec/kv_pack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_convert.h"
#include "kvforge/params/kv_pack.h"

/* The scales of a part's rows on the wire, of which those that the call knows lie elsewhere. */
static kvf_rows scales_on_wire(const kvf_wire_copy *copy, int64_t wire_block, int64_t group,
                               int64_t plane, int64_t layer) {
  if (kvf_has_row_scale(copy->wire_dtype)) {
    const kvf_wire_plane *wire = &copy->wires[plane + KVF_SCALES_OF_PLANE];
    return (kvf_rows){(char *)copy->wire + wire_block * copy->block_bytes + wire->first +
                          layer * wire->layer + group * wire->group,
                      wire->token, wire->head, 0};
  }
  return kvf_known_scales(&copy->wire_scales[plane], copy->wire_dtype, layer,
                          group * copy->group_heads);
}

/* The same of those in pages. */
static kvf_rows scales_in_page(const kvf_wire_copy *copy, int64_t plane, int64_t layer,
                               int64_t first_head, int64_t block, int64_t offset) {
  if (kvf_has_row_scale(copy->page_dtype)) {
    const kvf_page_plane *page = &copy->pages[plane + KVF_SCALES_OF_PLANE];
    return (kvf_rows){(char *)copy->cells[KVF_SCALES_OF_CELL + plane * copy->num_layers + layer] +
                          block * page->block + offset * page->token + first_head * page->head,
                      page->token, page->head, 0};
  }
  return kvf_known_scales(&copy->page_scales[plane], copy->page_dtype, layer, first_head);
}

/* Scales of a wire from a token of a part on. */
static kvf_rows behind(kvf_rows scales, int64_t token) {
  if (scales.data != NULL) {
    scales.data += token * scales.token;
  }
  return scales;
}

/* The tokens of a wire block, of one group of heads of a cell. */
static void move_part(const kvf_wire_copy *copy, int64_t wire_block, int64_t group, int64_t cell) {
  const int64_t plane = cell / copy->num_layers;
  const int64_t layer = cell - plane * copy->num_layers;
  const kvf_page_plane *page = &copy->pages[plane];
  const kvf_wire_plane *wire = &copy->wires[plane];
  const int64_t first = wire_block * copy->block_tokens;
  const int64_t end = first + copy->block_tokens;
  char *const wire_data = (char *)copy->wire + wire_block * copy->block_bytes + wire->first +
                          layer * wire->layer + group * wire->group;
  char *const page_data = (char *)copy->cells[cell] + group * copy->group_heads * page->head;
  const kvf_rows wire_scales = scales_on_wire(copy, wire_block, group, plane, layer);
  const int64_t wire_bytes = kvf_convertible_bytes(copy->wire_dtype);
  for (int64_t token = first, count = 0; token < end; token += count) {
    bool found = false;
    int64_t block = 0;
    int64_t offset = 0;
    count = kvf_find_run(&copy->slots, token, end, false, &found, &block, &offset);
    const kvf_rows on_wire = {wire_data + (token - first) * wire->token, wire->token, wire->head,
                              wire_bytes};
    if (token + count < end) {
      kvf_ask_for_token(&copy->slots, token + count, page, page_data, copy->group_heads);
    }
    if (found) {
      const kvf_rows in_page = {page_data + block * page->block + offset * page->token, page->token,
                                page->head, page->element};
      const kvf_scaled_rows wires = {on_wire, behind(wire_scales, token - first), copy->wire_dtype};
      const kvf_scaled_rows pages = {
          in_page, scales_in_page(copy, plane, layer, group * copy->group_heads, block, offset),
          copy->page_dtype};
      kvf_convert_rows(&wires, &pages, count, copy->group_heads, page->elements);
    } else {
      kvf_clear_rows(on_wire, count, copy->group_heads, page->elements * wire_bytes,
                     copy->streaming);
      if (kvf_has_row_scale(copy->wire_dtype)) {
        kvf_clear_rows(behind(wire_scales, token - first), count, copy->group_heads, sizeof(float),
                       copy->streaming);
      }
    }
  }
}

/* What is behind the rows of a wire block, and behind the last one up to the end of the wire. */
static void clear_rest(const kvf_wire_copy *copy, int64_t wire_block) {
  const int64_t from = wire_block * copy->block_bytes + copy->used_bytes;
  const int64_t to = wire_block + 1 < copy->num_wire_blocks ? (wire_block + 1) * copy->block_bytes
                                                            : copy->wire_bytes;
  memset((char *)copy->wire + from, 0, (size_t)(to - from));
}

void KVF_CPU_SYMBOL(kvf_cpu_kv_pack__f32)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end): the cells of the first group of the first wire block, those of the next one,
 * ... */
void KVF_CPU_SYMBOL(kvf_cpu_kv_pack__f32)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_pack_params *p = params;
  const kvf_wire_copy *copy = &p->copy;
  const int64_t cells = (int64_t)copy->num_planes * copy->num_layers;
  const int64_t groups = copy->by_groups.value;
  for (int64_t part = begin, last = begin; part < end; part = last) {
    const int64_t outer = part / cells;
    const int64_t cell = part - outer * cells;
    const int64_t wire_block = outer / groups;
    const int64_t group = outer - wire_block * groups;
    last = part + 1;
    move_part(copy, wire_block, group, cell);
    if (cell == 0 && group == 0 && !copy->later) {
      clear_rest(copy, wire_block);
    }
  }
  if (copy->streaming) {
    kvf_stream_fence();
  }
}
