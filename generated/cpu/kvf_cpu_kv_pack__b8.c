/*
 * Generated from templates/cpu/kv_pack.c.j2 and generator/spec/kv_pack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_wire.h"
#include "kvforge/params/kv_pack.h"

/* The tokens of a wire block, of one group of heads of a cell. */
static void move_part(const kvf_wire_copy *copy, int64_t wire_block, int64_t group, int64_t cell) {
  const int64_t plane = cell / copy->num_layers;
  const kvf_page_plane *page = &copy->pages[plane];
  const kvf_wire_plane *wire = &copy->wires[plane];
  const int64_t first = wire_block * copy->block_tokens;
  const int64_t end = first + copy->block_tokens;
  char *const wire_data = (char *)copy->wire + wire_block * copy->block_bytes + wire->first +
                          (cell - plane * copy->num_layers) * wire->layer + group * wire->group;
  char *const page_data = (char *)copy->cells[cell] + group * copy->group_heads * page->head;
  const int64_t wire_bytes = page->element_bytes;
  const kvf_whole_rows rows = kvf_find_rows(page, wire_bytes, wire->head, copy->group_heads);
  if (rows.bytes > 0) {
    const int64_t stop = end < copy->slots.num_tokens ? end : copy->slots.num_tokens;
    for (int64_t head = 0; head < rows.heads; ++head) {
      const kvf_tokens on_wire = {.data = wire_data + head * wire->head, .token = wire->token};
      const kvf_tokens in_page = {true, copy->slots, page_data + head * page->head, page->block,
                                  page->token};
      kvf_copy_tokens(on_wire, in_page, first, stop, rows.bytes, true, copy->streaming);
      for (int64_t token = stop > first ? stop : first; token < end; ++token) {
        kvf_clear_row(on_wire.data + (token - first) * wire->token, rows.bytes, copy->streaming);
      }
    }
    return;
  }
  for (int64_t token = first, count = 0; token < end; token += count) {
    bool found = false;
    int64_t block = 0;
    int64_t offset = 0;
    count = kvf_find_run(&copy->slots, token, end, &found, &block, &offset);
    const kvf_rows on_wire = {wire_data + (token - first) * wire->token, wire->token, wire->head,
                              wire_bytes};
    if (token + count < end) {
      kvf_ask_for_token(&copy->slots, token + count, page, page_data, copy->group_heads);
    }
    if (found) {
      const kvf_rows in_page = {page_data + block * page->block + offset * page->token, page->token,
                                page->head, page->element};
      kvf_copy_apart(on_wire, in_page, count, copy->group_heads, page->elements,
                     page->element_bytes);
    } else {
      kvf_clear_rows(on_wire, count, copy->group_heads, page->elements * wire_bytes,
                     copy->streaming);
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

void KVF_CPU_SYMBOL(kvf_cpu_kv_pack__b8)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end): the cells of the first group of the first wire block, those of the next one,
 * ... */
void KVF_CPU_SYMBOL(kvf_cpu_kv_pack__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_pack_params *p = params;
  const kvf_wire_copy *copy = &p->copy;
  const int64_t cells = (int64_t)copy->num_planes * copy->num_layers;
  const int64_t groups = copy->by_groups.value;
  for (int64_t part = begin; part < end; ++part) {
    const int64_t outer = part / cells;
    const int64_t cell = part - outer * cells;
    const int64_t wire_block = outer / groups;
    const int64_t group = outer - wire_block * groups;
    move_part(copy, wire_block, group, cell);
    if (cell == 0 && group == 0 && !copy->later) {
      clear_rest(copy, wire_block);
    }
  }
  if (copy->streaming) {
    kvf_stream_fence();
  }
}
