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

/* How many tokens from `token` on, `most` at most, are in neighbouring slots, `slot` the first. */
KVF_INLINE int64_t kvf_count_run(const kvf_slots *slots, int64_t token, int64_t slot,
                                 int64_t most) {
  int64_t count = 1;
  if (slots->index_bytes == 8 && slots->stride == 1) {
    while (count < most && kvf_index_at(slots->mapping, 8, token + count) == slot + count) {
      ++count;
    }
    return count;
  }
  while (count < most && kvf_index_at(slots->mapping, slots->index_bytes,
                                      (token + count) * slots->stride) == slot + count) {
    ++count;
  }
  return count;
}

/*
 * How many tokens from `token` on, before `end`, lie one behind another in a page, or with `dense`
 * in pages that have no gaps between them, and where the first of them does; or without `found`,
 * for how many in turn there is nothing in any page.
 */
KVF_INLINE int64_t kvf_find_run(const kvf_slots *slots, int64_t token, int64_t end, bool dense,
                                bool *found, int64_t *block, int64_t *offset) {
  const int64_t stop = end < slots->num_tokens ? end : slots->num_tokens;
  *found = token < stop && kvf_locate(slots, token, block, offset);
  if (token >= stop) {
    return end - token;
  }
  if (!*found) {
    return 1;
  }
  const int64_t room = (dense ? slots->num_blocks - *block : 1) * slots->block_size - *offset;
  return kvf_count_run(slots, token, *block * slots->block_size + *offset,
                       room < stop - token ? room : stop - token);
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

/* Copies some bytes, a few without a call: past the caches if they are lines of 64 bytes. */
KVF_INLINE void kvf_copy_run(char *to, const char *from, int64_t bytes, bool streaming) {
  enum { LINE = 64, CALL = 1024 };
  const bool lines = ((uintptr_t)to | (uint64_t)bytes) % LINE == 0;
  if (bytes > CALL || (streaming && lines)) {
    kvf_store_row(to, from, bytes, streaming);
  } else if (bytes >= LINE) {
    for (int64_t i = 0; i + LINE <= bytes; i += LINE) {
      memcpy(to + i, from + i, LINE);
    }
    memcpy(to + bytes - LINE, from + bytes - LINE, LINE);
  } else if (bytes >= 32) {
    memcpy(to, from, 32);
    memcpy(to + bytes - 32, from + bytes - 32, 32);
  } else if (bytes >= 16) {
    memcpy(to, from, 16);
    memcpy(to + bytes - 16, from + bytes - 16, 16);
  } else if (bytes >= 8) {
    memcpy(to, from, 8);
    memcpy(to + bytes - 8, from + bytes - 8, 8);
  } else if (bytes >= 4) {
    memcpy(to, from, 4);
    memcpy(to + bytes - 4, from + bytes - 4, 4);
  } else {
    for (int64_t i = 0; i < bytes; ++i) {
      to[i] = from[i];
    }
  }
}

/* Rows of a token: its heads, or one for all of them. */
typedef struct kvf_whole_rows {
  int64_t heads, bytes; /* 0 bytes: elements are apart */
} kvf_whole_rows;

/* Heads that lie one behind another on both sides are one row. */
KVF_INLINE kvf_whole_rows kvf_find_rows(const kvf_page_plane *page, int64_t other_element,
                                        int64_t other_head, int64_t heads) {
  const int64_t bytes = page->element_bytes;
  const bool dense = page->elements == 1 || (page->element == bytes && other_element == bytes);
  const int64_t row = dense ? page->elements * page->element_bytes : 0;
  if (page->head == row && other_head == row) {
    return (kvf_whole_rows){1, row * heads};
  }
  return (kvf_whole_rows){heads, row};
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

/* Copies rows whose elements are apart, on one side at least, for every token and head. */
KVF_INLINE void kvf_copy_apart(kvf_rows to, kvf_rows from, int64_t tokens, int64_t heads,
                               int64_t elements, int64_t bytes) {
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t head = 0; head < heads; ++head) {
      kvf_copy_elements(to.data + token * to.token + head * to.head, to.element,
                        from.data + token * from.token + head * from.head, from.element, elements,
                        bytes);
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

/* Rows in pages; what lies on a wire is one page. */
typedef struct kvf_paged_rows {
  kvf_rows rows;
  int64_t block; /* bytes from one page to the next */
} kvf_paged_rows;

/* Where tokens are that follow each other on both sides. */
typedef struct kvf_place {
  int64_t count;
  int64_t from_block, from_offset; /* a block of -1: in no page, zeros take their place */
  int64_t to_block, to_offset;
} kvf_place;

/* Places are found for so many runs of tokens at a time, and serve all cells. */
enum { KVF_PLACES = 64 };

/* Bytes of a run that are asked for, and copied, at a time. */
enum { KVF_PIECE = 512 };

/* Whether pages follow each other, for each token of each plane, as tokens do within them. */
KVF_INLINE bool kvf_are_dense(const kvf_page_plane *planes, int32_t count, int64_t block_size) {
  for (int32_t i = 0; i < count; ++i) {
    if ((uint64_t)planes[i].block != (uint64_t)block_size * (uint64_t)planes[i].token) {
      return false;
    }
  }
  return true;
}

/* Asks for rows of some tokens of which only the slots know where they lie. */
KVF_INLINE void kvf_ask_for_rows(const char *first, const kvf_rows *rows, int64_t tokens,
                                 kvf_whole_rows of) {
  enum { ASK = 2048, LINE = 64 };
  const bool inside = rows->head < rows->token; /* heads are within tokens */
  const int64_t bytes = inside ? (tokens - 1) * rows->token + (of.heads - 1) * rows->head + of.bytes
                               : tokens * of.bytes;
  for (int64_t head = 0; head < (inside ? 1 : of.heads); ++head) {
    for (int64_t i = 0; i < bytes && i < ASK; i += LINE) {
      __builtin_prefetch((const char *)((uintptr_t)first + (uint64_t)(head * rows->head + i)));
    }
  }
}

/* How rows of a cell are copied. */
typedef struct kvf_copy {
  kvf_paged_rows to, from;
  kvf_whole_rows rows;
  int64_t elements, element_bytes; /* of a row whose elements are apart */
  int64_t streams;                 /* rows of so many bytes are stored past the caches */
  int32_t streaming;
} kvf_copy;

KVF_INLINE char *kvf_target_at(const kvf_copy *copy, const kvf_place *at) {
  return copy->to.rows.data + at->to_block * copy->to.block + at->to_offset * copy->to.rows.token;
}

KVF_INLINE char *kvf_source_at(const kvf_copy *copy, const kvf_place *at) {
  return copy->from.rows.data + at->from_block * copy->from.block +
         at->from_offset * copy->from.rows.token;
}

/* Asks for the rows of a cell that is copied next. */
KVF_INLINE void kvf_ask_for_places(const kvf_copy *copy, const kvf_place *places, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    if (places[i].from_block >= 0) {
      kvf_ask_for_rows(kvf_source_at(copy, &places[i]), &copy->from.rows, places[i].count,
                       copy->rows);
    }
  }
}

/*
 * Copies a run, and asks for what is `ahead` of it, a piece of both in turn: reads of the one are
 * on their way while the other is stored.
 */
KVF_INLINE void kvf_copy_run_asking(char *to, const char *from, int64_t bytes, uint64_t ahead,
                                    bool streaming) {
  enum { LINE = 64 };
  int64_t piece = KVF_PIECE - (int64_t)((uintptr_t)to % LINE); /* pieces end where lines do */
  for (int64_t i = 0; i < bytes; i += piece, piece = KVF_PIECE) {
    piece = piece < bytes - i ? piece : bytes - i;
    for (int64_t j = 0; j < piece; j += LINE) {
      __builtin_prefetch((const char *)((uintptr_t)from + ahead + (uint64_t)(i + j)));
    }
    kvf_copy_run(to + i, from + i, piece, streaming);
  }
}

/* A place whose rows are `row` bytes each: a small number that a compiler knows takes no calls. */
KVF_INLINE void kvf_copy_place(const kvf_copy *copy, const kvf_place *at, char *out, const char *in,
                               int64_t row) {
  enum { SMALL = 32 };
  const kvf_rows to = copy->to.rows;
  const kvf_rows from = copy->from.rows;
  const int64_t heads = copy->rows.heads;
  if (row > SMALL) {
    for (int64_t token = 0; token < at->count; ++token) {
      for (int64_t head = 0; head < heads; ++head) {
        kvf_copy_run(out + token * to.token + head * to.head,
                     in + token * from.token + head * from.head, row, row >= copy->streams);
      }
    }
  } else if (at->count == 1) {
    for (int64_t head = 0; head < heads; ++head) {
      memcpy(out + head * to.head, in + head * from.head, (size_t)row);
    }
  } else {
    for (int64_t head = 0; head < heads; ++head) {
      for (int64_t token = 0; token < at->count; ++token) {
        memcpy(out + token * to.token + head * to.head, in + token * from.token + head * from.head,
               (size_t)row);
      }
    }
  }
}

/* Whether each place is that of one token, which is in a page. */
KVF_INLINE bool kvf_are_single(const kvf_place *places, int64_t size) {
  bool single = true;
  for (int64_t i = 0; i < size; ++i) {
    single = single && places[i].count == 1 && places[i].from_block >= 0;
  }
  return single;
}

/* Copies the rows of some places, and asks for those that lie as they do from `next` on. */
KVF_INLINE void kvf_copy_rows(const kvf_copy *copy, const char *next, const kvf_place *places,
                              int64_t size, bool single, int64_t row) {
  enum { ASKED = 16 }; /* bytes of a token: many of fewer share a line */
  const kvf_rows to = copy->to.rows;
  const kvf_rows from = copy->from.rows;
  const int64_t heads = copy->rows.heads;
  const uint64_t ahead = (uintptr_t)next - (uintptr_t)from.data;
  const bool joins = to.token == row && from.token == row;
  const bool asks = ahead != 0 && row * heads >= ASKED;
  if (row < ASKED && heads == 1 && single) {
    for (int64_t i = 0; i < size; ++i) {
      memcpy(kvf_target_at(copy, &places[i]), kvf_source_at(copy, &places[i]), (size_t)row);
    }
    return;
  }
  for (int64_t i = 0; i < size; ++i) {
    const kvf_place *at = &places[i];
    const int64_t run = row * at->count;
    char *const out = kvf_target_at(copy, at);
    if (at->from_block < 0) {
      kvf_clear_rows((kvf_rows){out, to.token, to.head, 0}, at->count, heads, row, copy->streaming);
      continue;
    }
    const char *const in = kvf_source_at(copy, at);
    if (joins && at->count > 1 && asks && run > KVF_PIECE) {
      for (int64_t head = 0; head < heads; ++head) {
        kvf_copy_run_asking(out + head * to.head, in + head * from.head, run, ahead,
                            run >= copy->streams);
      }
      continue;
    }
    if (asks) {
      kvf_ask_for_rows((const char *)((uintptr_t)in + ahead), &from, at->count, copy->rows);
    }
    if (joins && at->count > 1) {
      for (int64_t head = 0; head < heads; ++head) {
        kvf_copy_run(out + head * to.head, in + head * from.head, run, run >= copy->streams);
      }
    } else {
      kvf_copy_place(copy, at, out, in, row);
    }
  }
}

/* Copies rows whose elements are apart. */
KVF_INLINE void kvf_copy_rows_apart(const kvf_copy *copy, const kvf_place *places, int64_t size) {
  for (int64_t i = 0; i < size; ++i) {
    const kvf_place *at = &places[i];
    kvf_rows to = copy->to.rows;
    kvf_rows from = copy->from.rows;
    to.data = kvf_target_at(copy, at);
    if (at->from_block < 0) {
      kvf_clear_rows(to, at->count, copy->rows.heads, copy->elements * copy->element_bytes,
                     copy->streaming);
    } else {
      from.data = kvf_source_at(copy, at);
      kvf_copy_apart(to, from, at->count, copy->rows.heads, copy->elements, copy->element_bytes);
    }
  }
}

/*
 * Copies tokens of a cell, or clears them. While one is copied the next cell's rows, which begin at
 * `next`, are on their way.
 */
KVF_INLINE void kvf_copy_places(const kvf_copy *copy, const char *next, const kvf_place *places,
                                int64_t size, bool single) {
  switch (copy->rows.bytes) {
  case 0:
    kvf_copy_rows_apart(copy, places, size);
    break;
  case 2:
    kvf_copy_rows(copy, next, places, size, single, 2);
    break;
  case 4:
    kvf_copy_rows(copy, next, places, size, single, 4);
    break;
  case 8:
    kvf_copy_rows(copy, next, places, size, single, 8);
    break;
  case 16:
    kvf_copy_rows(copy, next, places, size, single, 16);
    break;
  case 32:
    kvf_copy_rows(copy, next, places, size, single, 32);
    break;
  default:
    kvf_copy_rows(copy, next, places, size, single, copy->rows.bytes);
  }
}

#endif
