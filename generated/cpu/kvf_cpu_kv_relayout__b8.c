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

/* Tokens [token, end) of a cell. */
static void move_part(const kvf_page_copy *copy, int64_t cell, int64_t token, int64_t end) {
  const int64_t plane = cell / copy->num_layers;
  const kvf_page_plane *from = &copy->from_pages[plane];
  const kvf_page_plane *to = &copy->to_pages[plane];
  const kvf_whole_rows rows = kvf_find_rows(from, to->element, to->head, copy->num_heads);
  if (rows.bytes > 0) {
    for (int64_t head = 0; head < rows.heads; ++head) {
      const kvf_tokens in = {true, copy->from, (char *)copy->from_cells[cell] + head * from->head,
                             from->block, from->token};
      const kvf_tokens out = {true, copy->to, (char *)copy->to_cells[cell] + head * to->head,
                              to->block, to->token};
      kvf_copy_tokens(out, in, token, end, rows.bytes, false, copy->streaming);
    }
    return;
  }
  for (int64_t count = 0; token < end; token += count) {
    bool found[2];
    int64_t block[2] = {0, 0};
    int64_t offset[2] = {0, 0};
    count = kvf_find_run(&copy->from, token, end, &found[0], &block[0], &offset[0]);
    count = kvf_find_run(&copy->to, token, token + count, &found[1], &block[1], &offset[1]);
    if (token + count < end) {
      kvf_ask_for_token(&copy->from, token + count, from, copy->from_cells[cell], copy->num_heads);
    }
    if (found[0] && found[1]) {
      const kvf_rows in = rows_at(from, copy->from_cells[cell], block[0], offset[0]);
      const kvf_rows out = rows_at(to, copy->to_cells[cell], block[1], offset[1]);
      kvf_copy_apart(out, in, count, copy->num_heads, from->elements, from->element_bytes);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_kv_relayout__b8)(const void *params, int64_t begin, int64_t end);

/* Parts [begin, end): those of all tokens of the first cell, those of the next one, ... */
void KVF_CPU_SYMBOL(kvf_cpu_kv_relayout__b8)(const void *params, int64_t begin, int64_t end) {
  const kvf_kv_relayout_params *p = params;
  const kvf_page_copy *copy = &p->copy;
  for (int64_t part = begin; part < end; ++part) {
    const int64_t cell = part / copy->token_parts;
    const int64_t first = (part - cell * copy->token_parts) * PART_TOKENS;
    const int64_t last = first + PART_TOKENS;
    move_part(copy, cell, first, last < copy->from.num_tokens ? last : copy->from.num_tokens);
  }
  if (copy->streaming) {
    kvf_stream_fence();
  }
}
