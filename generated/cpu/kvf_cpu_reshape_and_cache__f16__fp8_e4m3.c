/*
 * Generated from templates/cpu/reshape_and_cache.c.j2 and generator/spec/reshape_and_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache.h"
#include "kvforge/cpu_codes.h"

/*
 * Tokens that lie side by side in a page are written together: the page has one element of all its
 * tokens in a row, so a tile of tokens x elements is converted row by row and written column by
 * column.
 */
enum { TILE_TOKENS = 16, TILE_ELEMENTS = 128, LANES = 16 };

/* Tokens x elements, as the cache holds them. */
typedef uint8_t tile[TILE_TOKENS][TILE_ELEMENTS];

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e4m3_from_f32(kvf_f32_from_f16(source[i * stride]) / scale);
    }
    return;
  }
  const bool exact = kvf_has_exact_reciprocal(scale);
  const kvf_divisor by = kvf_divide_by(scale);
  int64_t first = 0;
#if defined(KVF_PAIR)
  for (; first + KVF_PAIR <= count && (exact || by.quick); first += KVF_PAIR) {
    kvf_floats x[2];
    kvf_load_pair_f16(x, source + first);
    for (int i = 0; i < 2; ++i) {
      x[i] = exact ? kvf_products(x[i], by.inverse) : kvf_quotients(x[i], by);
    }
    kvf_store_codes_f16(codes + first, kvf_fp8_e4m3_words(x[0]), kvf_fp8_e4m3_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    float wide[PART];
    kvf_widen_f16(wide, source + first, length);
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(wide[i] * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(kvf_quotient(wide[i], by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e4m3_word_from_f32(wide[i] / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (uint8_t)words[i];
    }
  }
}

/* Keys of one tile, one element after another: any x, any strides. */
static void write_keys_singly(tile rows, uint8_t *cache, const kvf_view *view, int64_t x,
                              int64_t tokens, int64_t first, int64_t count) {
  for (int64_t token = 0; token < tokens; ++token) {
    for (int64_t i = 0; i < count; ++i) {
      const int64_t group = (first + i) / x;
      const int64_t inner = first + i - group * x;
      cache[token * view->stride[3] + group * view->stride[2] + inner * view->stride[4]] =
          rows[token][i];
    }
  }
}

/* Keys of one tile. Groups of 16 bytes that follow each other in the page go in one piece. */
static void write_keys(tile rows, uint8_t *cache, const kvf_view *view, int64_t x, int64_t tokens,
                       int64_t first, int64_t count, int32_t streaming) {
  if (x != LANES || count % LANES != 0 || view->stride[4] != 1 || view->stride[3] != LANES) {
    write_keys_singly(rows, cache, view, x, tokens, first, count);
    return;
  }
  uint8_t groups[TILE_TOKENS * TILE_ELEMENTS];
  const int64_t bytes = tokens * 16;
  for (int64_t group = 0; group < count / LANES; ++group) {
    for (int64_t token = 0; token < tokens; ++token) {
      memcpy(groups + (group * tokens + token) * LANES, rows[token] + group * LANES, 16);
    }
  }
  cache += first / LANES * view->stride[2];
  if (view->stride[2] == tokens * LANES) {
    kvf_store_row(cache, groups, bytes * (count / LANES), streaming);
    return;
  }
  for (int64_t group = 0; group < count / LANES; ++group) {
    kvf_store_row(cache + group * view->stride[2], groups + group * tokens * LANES, bytes,
                  streaming);
  }
}

typedef uint8_t vector __attribute__((vector_size(16)));

/*
 * Interleaving row i with row i + n/2 turns an n x n square into its transpose after log2(n)
 * rounds.
 */
static inline void transpose_square(vector square[16]) {
  for (int round = 1; round < 16; round *= 2) {
    vector mixed[16];
    for (int64_t i = 0; i < 8; ++i) {
      mixed[2 * i] = __builtin_shufflevector(square[i], square[i + 8], 0, 16, 1, 17, 2, 18, 3, 19,
                                             4, 20, 5, 21, 6, 22, 7, 23);
      mixed[2 * i + 1] = __builtin_shufflevector(square[i], square[i + 8], 8, 24, 9, 25, 10, 26, 11,
                                                 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
    memcpy(square, mixed, sizeof mixed);
  }
}

/* Columns of a tile of this many tokens, which are whole vectors. */
static inline void transpose(tile rows, uint8_t *columns, int64_t tokens) {
  for (int64_t row = 0; row < tokens; row += LANES) {
    for (int64_t column = 0; column < TILE_ELEMENTS; column += LANES) {
      vector square[LANES];
      for (int64_t i = 0; i < LANES; ++i) {
        memcpy(&square[i], &rows[row + i][column], 16);
      }
      transpose_square(square);
      for (int64_t i = 0; i < LANES; ++i) {
        memcpy(columns + (column + i) * tokens + row, &square[i], 16);
      }
    }
  }
}

/* Values of one tile, of one group of tokens: an element's tokens are neighbours in the page. */
static void write_group(tile rows, uint8_t *cache, const kvf_view *view, int64_t tokens,
                        int64_t count, int32_t streaming) {
  if (tokens % LANES != 0 || view->stride[3] != 1) {
    for (int64_t i = 0; i < count; ++i) {
      for (int64_t token = 0; token < tokens; ++token) {
        cache[i * view->stride[2] + token * view->stride[3]] = rows[token][i];
      }
    }
    return;
  }
  uint8_t columns[TILE_ELEMENTS * TILE_TOKENS];
  const int64_t bytes = tokens * (int64_t)sizeof *columns;
  transpose(rows, columns, tokens);
  if (view->stride[2] == tokens) {
    kvf_store_row(cache, columns, count * bytes, streaming);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    memcpy(cache + i * view->stride[2], columns + i * tokens, (size_t)bytes);
  }
}

/* Values of one tile, whose first token has place `offset` in the page. */
static void write_values(tile rows, uint8_t *cache, const kvf_reshape_and_cache_params *p,
                         int64_t offset, int64_t tokens, int64_t count) {
  const int64_t group_tokens = p->by_value_group.value;
  const int64_t *stride = p->value_cache.stride;
  for (int64_t token = 0; token < tokens;) {
    const int64_t group = kvf_divide(offset + token, p->by_value_group);
    const int64_t inner = offset + token - group * group_tokens;
    const int64_t length =
        group_tokens - inner < tokens - token ? group_tokens - inner : tokens - token;
    write_group(rows + token, cache + group * stride[4] + inner * stride[3], &p->value_cache,
                length, count, p->streaming);
    token += length;
  }
}

/* How many tokens from `token` on, at most a tile, lie side by side in its page. */
static int64_t run_length(const kvf_slots *slots, int64_t token, int64_t end, int64_t block,
                          int64_t offset) {
  int64_t length = 1;
  while (length < TILE_TOKENS && token + length < end) {
    int64_t next_block;
    int64_t next_offset;
    if (!kvf_locate(slots, token + length, &next_block, &next_offset) || next_block != block ||
        next_offset != offset + length) {
      break;
    }
    ++length;
  }
  return length;
}

/* `tokens` tokens from `token` on, which lie side by side in a page from `offset` on. */
static void write_run(const kvf_reshape_and_cache_params *p, int64_t token, int64_t tokens,
                      int64_t block, int64_t offset) {
  const uint16_t *key = (const uint16_t *)p->key.data + token * p->key.stride[0];
  uint8_t *key_cache = (uint8_t *)p->key_cache.data + block * p->key_cache.stride[0];
  const uint16_t *value = (const uint16_t *)p->value.data + token * p->value.stride[0];
  uint8_t *value_cache = (uint8_t *)p->value_cache.data + block * p->value_cache.stride[0];
  for (int64_t head = 0; head < p->num_heads; ++head) {
    tile rows;
    for (int64_t first = 0; first < p->head_size; first += TILE_ELEMENTS) {
      const int64_t count =
          p->head_size - first < TILE_ELEMENTS ? p->head_size - first : TILE_ELEMENTS;
      for (int64_t i = 0; i < tokens; ++i) {
        const uint16_t *from =
            key + i * p->key.stride[0] + head * p->key.stride[1] + first * p->key.stride[2];
        kvf_prefetch_behind(from, TILE_ELEMENTS * (uint64_t)p->key.stride[2] * sizeof *from,
                            TILE_ELEMENTS * (int64_t)sizeof *from);
        convert(from, p->key.stride[2], rows[i], count,
                ((const float *)p->k_scale.data)[head * p->k_scale.stride[0]]);
      }
      write_keys(rows, key_cache + head * p->key_cache.stride[1] + offset * p->key_cache.stride[3],
                 &p->key_cache, p->x, tokens, first, count, p->streaming);
    }
    for (int64_t first = 0; first < p->value_head_size; first += TILE_ELEMENTS) {
      const int64_t count =
          p->value_head_size - first < TILE_ELEMENTS ? p->value_head_size - first : TILE_ELEMENTS;
      for (int64_t i = 0; i < tokens; ++i) {
        const uint16_t *from =
            value + i * p->value.stride[0] + head * p->value.stride[1] + first * p->value.stride[2];
        kvf_prefetch_behind(from, TILE_ELEMENTS * (uint64_t)p->value.stride[2] * sizeof *from,
                            TILE_ELEMENTS * (int64_t)sizeof *from);
        convert(from, p->value.stride[2], rows[i], count,
                ((const float *)p->v_scale.data)[head * p->v_scale.stride[0]]);
      }
      write_values(rows,
                   value_cache + head * p->value_cache.stride[1] + first * p->value_cache.stride[2],
                   p, offset, tokens, count);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache__f16__fp8_e4m3)(const void *params, int64_t begin,
                                                              int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache__f16__fp8_e4m3)(const void *params, int64_t begin,
                                                              int64_t end) {
  const kvf_reshape_and_cache_params *p = params;
  for (int64_t token = begin; token < end;) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      ++token;
      continue;
    }
    const int64_t tokens = run_length(&p->slots, token, end, block, offset);
    write_run(p, token, tokens, block, offset);
    token += tokens;
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
