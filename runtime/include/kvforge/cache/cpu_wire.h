/* What the CPU variants that move tokens between pages and wire buffers share. */
#ifndef KVFORGE_CPU_WIRE_H
#define KVFORGE_CPU_WIRE_H

#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/cache/cpu_pages.h"

/* Rows of some tokens and heads, in bytes from one to the next. */
typedef struct kvf_rows {
  char *data;
  int64_t token, head, element;
} kvf_rows;

/*
 * How many tokens from `token` on, before `end`, lie one behind another in a page, and where the
 * first of them does; or without `found`, for how many in turn there is nothing in any page.
 */
KVF_INLINE int64_t kvf_find_run(const kvf_slots *slots, int64_t token, int64_t end, bool *found,
                                int64_t *block, int64_t *offset) {
  const int64_t stop = end < slots->num_tokens ? end : slots->num_tokens;
  if (token >= stop) {
    *found = false;
    return end - token;
  }
  *found = kvf_locate(slots, token, block, offset);
  int64_t count = 1;
  if (*found) {
    const int64_t first = *block * slots->block_size + *offset;
    const int64_t room = slots->block_size - *offset;
    while (count < room && token + count < stop &&
           kvf_index_at(slots->mapping, slots->index_bytes, (token + count) * slots->stride) ==
               first + count) {
      ++count;
    }
  }
  return count;
}

/*
 * Asks for a token's rows before their turn, as only the slots know where they lie: of heads that
 * lie one behind another all at once.
 */
KVF_INLINE void kvf_ask_for_token(const kvf_slots *slots, int64_t token, const kvf_page_plane *page,
                                  const char *cell, int64_t heads) {
  int64_t block = 0;
  int64_t offset = 0;
  if (token >= slots->num_tokens || !kvf_locate(slots, token, &block, &offset)) {
    return;
  }
  const char *rows = cell + block * page->block + offset * page->token;
  int64_t row = page->elements * page->element_bytes;
  if (page->head == row) {
    row *= heads;
    heads = 1;
  }
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t i = 0; i < row; i += 64) {
      __builtin_prefetch(rows + head * page->head + i);
    }
  }
}

/* Elements that are apart on one side at least. */
KVF_INLINE void kvf_copy_elements(char *to, int64_t to_step, const char *from, int64_t from_step,
                                  int64_t count, int64_t bytes) {
  switch (bytes) {
  case 1:
    for (int64_t i = 0; i < count; ++i) {
      to[i * to_step] = from[i * from_step];
    }
    break;
  case 2:
    for (int64_t i = 0; i < count; ++i) {
      memcpy(to + i * to_step, from + i * from_step, 2);
    }
    break;
  case 4:
    for (int64_t i = 0; i < count; ++i) {
      memcpy(to + i * to_step, from + i * from_step, 4);
    }
    break;
  default:
    for (int64_t i = 0; i < count; ++i) {
      memcpy(to + i * to_step, from + i * from_step, (size_t)bytes);
    }
  }
}

/*
 * Copies rows of `elements` elements of `bytes` bytes for every token and head. Rows that lie one
 * behind another on both sides are one, be they those of a token's heads or of a head's tokens.
 */
KVF_INLINE void kvf_copy_rows(kvf_rows to, kvf_rows from, int64_t tokens, int64_t heads,
                              int64_t elements, int64_t bytes, int32_t streaming) {
  const bool dense = elements == 1 || (to.element == bytes && from.element == bytes);
  int64_t row = elements * bytes;
  if (dense && (heads == 1 || (to.head == row && from.head == row))) {
    row *= heads;
    heads = 1;
    if (tokens == 1 || (to.token == row && from.token == row)) {
      row *= tokens;
      tokens = 1;
    }
  } else if (dense && (tokens == 1 || (to.token == row && from.token == row))) {
    row *= tokens;
    tokens = 1;
    if (to.head == row && from.head == row) {
      row *= heads;
      heads = 1;
    }
  }
  const bool heads_inside = heads == 1 || to.head < to.token;
  const int64_t outer = heads_inside ? tokens : heads;
  const int64_t inner = heads_inside ? heads : tokens;
  for (int64_t i = 0; i < outer; ++i) {
    for (int64_t k = 0; k < inner; ++k) {
      const int64_t token = heads_inside ? i : k;
      const int64_t head = heads_inside ? k : i;
      char *out = to.data + token * to.token + head * to.head;
      const char *in = from.data + token * from.token + head * from.head;
      if (dense) {
        kvf_store_row(out, in, row, streaming);
      } else {
        kvf_copy_elements(out, to.element, in, from.element, elements, bytes);
      }
    }
  }
}

/* Clears rows of `row` bytes without gaps in them. */
KVF_INLINE void kvf_clear_rows(kvf_rows at, int64_t tokens, int64_t heads, int64_t row,
                               int32_t streaming) {
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t head = 0; head < heads; ++head) {
      kvf_clear_row(at.data + token * at.token + head * at.head, row, streaming);
    }
  }
}

#endif
