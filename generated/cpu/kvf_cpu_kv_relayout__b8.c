/*
 * Generated from templates/cpu/kv_relayout.c.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_wire.h"
#include "kvforge/params/kv_relayout.h"

/* As runtime/ops/kv_relayout.c divides tokens. */
enum { PART_TOKENS = 64 };

/* Where a token's rows are. */
KVF_INLINE kvf_rows rows_at(const kvf_page_plane *page, void *cell, int64_t block, int64_t offset) {
  return (kvf_rows){(char *)cell + block * page->block + offset * page->token, page->token,
                    page->head, page->element};
}

/* Places of tokens from *token on, which moves behind them, and before `end`. */
static int64_t find_places(const kvf_page_copy *copy, int64_t *token, int64_t end,
                           kvf_place *places) {
  const bool from_dense = kvf_are_dense(copy->from_pages, copy->num_planes, copy->from.block_size);
  const bool to_dense = kvf_are_dense(copy->to_pages, copy->num_planes, copy->to.block_size);
  int64_t size = 0;
  for (int64_t count = 0; size < KVF_PLACES && *token < end; *token += count) {
    bool found[2];
    int64_t block[2] = {0, 0};
    int64_t offset[2] = {0, 0};
    count = kvf_find_run(&copy->from, *token, end, from_dense, &found[0], &block[0], &offset[0]);
    count =
        kvf_find_run(&copy->to, *token, *token + count, to_dense, &found[1], &block[1], &offset[1]);
    if (found[0] && found[1]) {
      places[size++] = (kvf_place){count, block[0], offset[0], block[1], offset[1]};
    }
  }
  return size;
}

/* How tokens of a cell are copied. */
static kvf_copy copy_of(const kvf_page_copy *copy, int64_t cell) {
  const int64_t plane = cell / copy->num_layers;
  const kvf_page_plane *from = &copy->from_pages[plane];
  const kvf_page_plane *to = &copy->to_pages[plane];
  return (kvf_copy){
      .to = {rows_at(to, copy->to_cells[cell], 0, 0), to->block},
      .from = {rows_at(from, copy->from_cells[cell], 0, 0), from->block},
      .rows = kvf_find_rows(from, to->element, to->head, copy->num_heads),
      .elements = from->elements,
      .element_bytes = from->element_bytes,
      .streams = copy->streaming ? 128 : INT64_MAX,
      .streaming = copy->streaming,
  };
}

/* Tokens [token, end) of cells [first, last). */
static void move_parts(const kvf_page_copy *copy, int64_t first, int64_t last, int64_t token,
                       int64_t end) {
  kvf_place places[KVF_PLACES];
  while (token < end) {
    const int64_t size = find_places(copy, &token, end, places);
    const bool single = kvf_are_single(places, size);
    kvf_copy rows = copy_of(copy, first);
    kvf_ask_for_places(&rows, places, size);
    for (int64_t cell = first; cell < last; ++cell) {
      const kvf_copy next = cell + 1 < last ? copy_of(copy, cell + 1) : rows;
      kvf_copy_places(&rows, next.from.rows.data, places, size, single);
      rows = next;
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_kv_relayout__b8)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end): all cells of the first tokens, those of the next ones, ... */
void KVF_CPU_SYMBOL(kvf_cpu_kv_relayout__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_relayout_params *p = params;
  const kvf_page_copy *copy = &p->copy;
  const int64_t cells = (int64_t)copy->num_planes * copy->num_layers;
  for (int64_t part = begin, last = begin; part < end; part = last) {
    const int64_t tokens = part / cells;
    const int64_t cell = part - tokens * cells;
    const int64_t first = tokens * PART_TOKENS;
    const int64_t stop =
        first + PART_TOKENS < copy->from.num_tokens ? first + PART_TOKENS : copy->from.num_tokens;
    last = (tokens + 1) * cells < end ? (tokens + 1) * cells : end;
    move_parts(copy, cell, cell + last - part, first, stop);
  }
  if (copy->streaming) {
    kvf_stream_fence();
  }
}
