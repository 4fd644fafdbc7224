/*
 * Generated from templates/cpu/kv_relayout.c.j2 and generator/spec/kv_relayout.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_convert.h"
#include "kvforge/params/kv_relayout.h"

/* As runtime/ops/kv_relayout.c divides tokens. */
enum { PART_TOKENS = 64 };

/* Where a token's rows are. */
KVF_INLINE kvf_rows rows_at(const kvf_page_plane *page, void *cell, int64_t block, int64_t offset) {
  return (kvf_rows){(char *)cell + block * page->block + offset * page->token, page->token,
                    page->head, page->element};
}

/* The scales of a token's rows: some that the call knows, or the rows of a plane of their own. */
static kvf_rows scales_at(int32_t dtype, const kvf_plane_scales *scales, int64_t layer,
                          const kvf_page_plane *pages, int64_t plane, void *const *cells,
                          int64_t cell, int64_t block, int64_t offset) {
  if (kvf_has_row_scale(dtype)) {
    return rows_at(&pages[plane + KVF_SCALES_OF_PLANE], cells[KVF_SCALES_OF_PAIR + cell], block,
                   offset);
  }
  return kvf_known_scales(&scales[plane], dtype, layer, 0);
}

/* Tokens [token, end) of a cell. */
static void move_part(const kvf_page_copy *copy, int64_t cell, int64_t token, int64_t end) {
  const int64_t plane = cell / copy->num_layers;
  const int64_t layer = cell - plane * copy->num_layers;
  const kvf_page_plane *from = &copy->from_pages[plane];
  const kvf_page_plane *to = &copy->to_pages[plane];
  for (int64_t count = 0; token < end; token += count) {
    bool found[2];
    int64_t block[2] = {0, 0};
    int64_t offset[2] = {0, 0};
    count = kvf_find_run(&copy->from, token, end, false, &found[0], &block[0], &offset[0]);
    count = kvf_find_run(&copy->to, token, token + count, false, &found[1], &block[1], &offset[1]);
    if (token + count < end) {
      kvf_ask_for_token(&copy->from, token + count, from, copy->from_cells[cell], copy->num_heads);
      kvf_ask_for_token(&copy->to, token + count, to, copy->to_cells[cell], copy->num_heads);
    }
    if (found[0] && found[1]) {
      const kvf_scaled_rows source = {rows_at(from, copy->from_cells[cell], block[0], offset[0]),
                                      scales_at(copy->from_dtype, copy->from_scales, layer,
                                                copy->from_pages, plane, copy->from_cells, cell,
                                                block[0], offset[0]),
                                      copy->from_dtype};
      const kvf_scaled_rows target = {rows_at(to, copy->to_cells[cell], block[1], offset[1]),
                                      scales_at(copy->to_dtype, copy->to_scales, layer,
                                                copy->to_pages, plane, copy->to_cells, cell,
                                                block[1], offset[1]),
                                      copy->to_dtype};
      kvf_convert_rows(&target, &source, count, copy->num_heads, from->elements);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_kv_relayout__f32)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end): all cells of the first tokens, those of the next ones, ... */
void KVF_CPU_SYMBOL(kvf_cpu_kv_relayout__f32)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_relayout_params *p = params;
  const kvf_page_copy *copy = &p->copy;
  const int64_t cells = (int64_t)copy->num_planes * copy->num_layers;
  for (int64_t part = begin, last = begin; part < end; part = last) {
    const int64_t tokens = part / cells;
    const int64_t cell = part - tokens * cells;
    const int64_t first = tokens * PART_TOKENS;
    const int64_t stop =
        first + PART_TOKENS < copy->from.num_tokens ? first + PART_TOKENS : copy->from.num_tokens;
    last = part + 1;
    move_part(copy, cell, first, stop);
  }
  if (copy->streaming) {
    kvf_stream_fence();
  }
}
