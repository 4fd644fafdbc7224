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

/*
 * Tokens of pages, or of a wire, whose rows lie one behind another from `data` on. The slots are a
 * copy of their own, which no store of a row can change.
 */
typedef struct kvf_tokens {
  bool paged;
  kvf_slots slots;
  char *data;
  int64_t block, token; /* bytes from one to the next */
} kvf_tokens;

/*
 * Where a token is; NULL if it is in no page. `slot` is what stands in the mapping, and `room` how
 * many tokens in slots from there on would lie one behind another.
 */
KVF_INLINE char *kvf_token_at(const kvf_tokens *tokens, int64_t token, int64_t first, int64_t *slot,
                              int64_t *room) {
  if (!tokens->paged) {
    return tokens->data + (token - first) * tokens->token;
  }
  int64_t block = 0;
  int64_t offset = 0;
  if (!kvf_locate(&tokens->slots, token, &block, &offset)) {
    return NULL;
  }
  const bool dense =
      (uint64_t)tokens->block == (uint64_t)tokens->slots.block_size * (uint64_t)tokens->token;
  *slot = block * tokens->slots.block_size + offset;
  *room = (dense ? tokens->slots.num_blocks - block : 1) * tokens->slots.block_size - offset;
  return tokens->data + block * tokens->block + offset * tokens->token;
}

/* How many tokens from `token` on, `most` at most, are in neighbouring slots. */
KVF_INLINE int64_t kvf_count_run(const kvf_tokens *tokens, int64_t token, int64_t slot,
                                 int64_t most) {
  const kvf_slots *slots = &tokens->slots;
  int64_t count = 1;
  if (!tokens->paged) {
    return most;
  }
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

/* Rows that lie one behind another on both sides; without `in` they become zeros. */
typedef struct kvf_run {
  char *out;
  const char *in;
  int64_t bytes;
} kvf_run;

/*
 * Copies tokens [first, end), which have one row of `row` bytes each; `clears`: those that the
 * source does not have become zeros. Where some of them lie is found first, and asked for: rows
 * that are read at once do not wait for each other, and few things are between their stores.
 */
KVF_INLINE void kvf_copy_tokens(kvf_tokens to, kvf_tokens from, int64_t first, int64_t end,
                                int64_t row, bool clears, int32_t streaming) {
  enum { RUNS = 32, ASK = 1024, STREAM = 128, LINE = 64 };
  const bool joins = to.token == row && from.token == row;
  kvf_run runs[RUNS];
  for (int64_t token = first; token < end;) {
    int64_t size = 0;
    for (int64_t count = 1; size < RUNS && token < end; token += count) {
      int64_t slots[2] = {0, 0};
      int64_t rooms[2] = {end - token, end - token};
      char *const in = kvf_token_at(&from, token, first, &slots[0], &rooms[0]);
      char *const out = kvf_token_at(&to, token, first, &slots[1], &rooms[1]);
      count = 1;
      if (out == NULL || (in == NULL && !clears)) {
        continue;
      }
      if (joins && in != NULL) {
        int64_t most = rooms[0] < rooms[1] ? rooms[0] : rooms[1];
        most = most < end - token ? most : end - token;
        most = kvf_count_run(&from, token, slots[0], most);
        count = kvf_count_run(&to, token, slots[1], most);
      }
      if (from.paged && in != NULL) {
        for (int64_t i = 0; i < row * count && i < ASK; i += LINE) {
          __builtin_prefetch(in + i);
        }
      }
      runs[size++] = (kvf_run){out, in, row * count};
    }
    for (int64_t i = 0; i < size; ++i) {
      if (runs[i].in == NULL) {
        kvf_clear_row(runs[i].out, runs[i].bytes, streaming);
      } else {
        const bool stream = streaming && (!from.paged || runs[i].bytes >= STREAM);
        kvf_copy_run(runs[i].out, runs[i].in, runs[i].bytes, stream);
      }
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

#endif
