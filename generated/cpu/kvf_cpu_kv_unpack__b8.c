/*
 * Generated from templates/cpu/kv_unpack.c.j2 and generator/spec/kv_unpack.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_wire.h"
#include "kvforge/params/kv_unpack.h"

/* Places of tokens from *token on, which moves behind them, and before the end of their wire block.
 */
static int64_t find_places(const kvf_wire_copy *copy, int64_t wire_block, int64_t *token,
                           kvf_place *places) {
  const bool dense = kvf_are_dense(copy->pages, copy->num_planes, copy->slots.block_size);
  const int64_t first = wire_block * copy->block_tokens;
  const int64_t end = first + copy->block_tokens;
  int64_t size = 0;
  for (int64_t count = 0; size < KVF_PLACES && *token < end; *token += count) {
    bool found = false;
    int64_t block = -1;
    int64_t offset = 0;
    count = kvf_find_run(&copy->slots, *token, end, dense, &found, &block, &offset);
    if (found) {
      places[size++] = (kvf_place){count, 0, *token - first, block, offset};
    }
  }
  return size;
}

/* How the tokens of a wire block, of one group of heads of a cell, are copied. */
static kvf_copy copy_of(const kvf_wire_copy *copy, int64_t wire_block, int64_t group,
                        int64_t cell) {
  const int64_t plane = cell / copy->num_layers;
  const kvf_page_plane *page = &copy->pages[plane];
  const kvf_wire_plane *wire = &copy->wires[plane];
  char *const on_wire = (char *)copy->wire + wire_block * copy->block_bytes + wire->first +
                        (cell - plane * copy->num_layers) * wire->layer + group * wire->group;
  char *const in_page = (char *)copy->cells[cell] + group * copy->group_heads * page->head;
  const kvf_paged_rows wires = {{on_wire, wire->token, wire->head, page->element_bytes}, 0};
  const kvf_paged_rows pages = {{in_page, page->token, page->head, page->element}, page->block};
  return (kvf_copy){
      .to = pages,
      .from = wires,
      .rows = kvf_find_rows(page, page->element_bytes, wire->head, copy->group_heads),
      .elements = page->elements,
      .element_bytes = page->element_bytes,
      .streams = copy->streaming ? 0 : INT64_MAX,
      .streaming = copy->streaming,
  };
}

/* The tokens of a wire block, of one group of heads of cells [begin, end). */
static void move_parts(const kvf_wire_copy *copy, int64_t wire_block, int64_t group, int64_t begin,
                       int64_t end) {
  kvf_place places[KVF_PLACES];
  for (int64_t token = wire_block * copy->block_tokens;
       token < (wire_block + 1) * copy->block_tokens;) {
    const int64_t size = find_places(copy, wire_block, &token, places);
    const bool single = kvf_are_single(places, size);
    kvf_copy rows = copy_of(copy, wire_block, group, begin);
    kvf_ask_for_places(&rows, places, size);
    for (int64_t cell = begin; cell < end; ++cell) {
      const kvf_copy next = cell + 1 < end ? copy_of(copy, wire_block, group, cell + 1) : rows;
      kvf_copy_places(&rows, next.from.rows.data, places, size, single);
      rows = next;
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_kv_unpack__b8)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end): the cells of the first group of the first wire block, those of the next one,
 * ... */
void KVF_CPU_SYMBOL(kvf_cpu_kv_unpack__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_unpack_params *p = params;
  const kvf_wire_copy *copy = &p->copy;
  const int64_t cells = (int64_t)copy->num_planes * copy->num_layers;
  const int64_t groups = copy->by_groups.value;
  for (int64_t part = begin, last = begin; part < end; part = last) {
    const int64_t outer = part / cells;
    const int64_t cell = part - outer * cells;
    const int64_t wire_block = outer / groups;
    const int64_t group = outer - wire_block * groups;
    last = (outer + 1) * cells < end ? (outer + 1) * cells : end;
    move_parts(copy, wire_block, group, cell, cell + last - part);
  }
  if (copy->streaming) {
    kvf_stream_fence();
  }
}
