/*
 * Generated from templates/cpu/reshape_and_cache.c.j2 and generator/spec/reshape_and_cache.py. Do
 * not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache.h"

/*
 * Tokens that follow each other in a page are written together: a page has the values of one
 * element side by side, so a tile of tokens x elements is converted row by row and written column
 * by column.
 */
enum { TILE_TOKENS = 16, TILE_ELEMENTS = 64 };

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e5m2_from_f32(kvf_f32_from_f16(source[i]) / scale);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    codes[i] = kvf_fp8_e5m2_from_f32(kvf_f32_from_f16(source[i * stride]) / scale);
  }
}

/* `count` key elements of one token, the first of them element `first` of the head. */
static void write_keys(const uint8_t *codes, uint8_t *cache, const kvf_view *view, int64_t x,
                       int64_t first, int64_t count) {
  int64_t group = first / x;
  int64_t inner = first - group * x;
  for (int64_t i = 0; i < count;) {
    const int64_t room = x - inner;
    const int64_t run = room < count - i ? room : count - i;
    uint8_t *to = cache + group * view->stride[2] + inner * view->stride[4];
    if (view->stride[4] == 1 && run * (int64_t)sizeof *to == 16) {
      memcpy(to, codes + i, 16);
    } else {
      for (int64_t j = 0; j < run; ++j) {
        to[j * view->stride[4]] = codes[i + j];
      }
    }
    i += run;
    inner = 0;
    ++group;
  }
}

/* A tile of values: element `i` of the tile's tokens goes to `tokens` neighbouring places. */
static void write_values(uint8_t (*tile)[TILE_ELEMENTS], uint8_t *cache, const kvf_view *view,
                         int64_t tokens, int64_t count) {
  if (view->stride[3] == 1 && tokens == TILE_TOKENS) {
    for (int64_t i = 0; i < count; ++i) {
      uint8_t column[TILE_TOKENS];
      for (int64_t token = 0; token < TILE_TOKENS; ++token) {
        column[token] = tile[token][i];
      }
      memcpy(cache + i * view->stride[2], column, sizeof column);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t token = 0; token < tokens; ++token) {
      cache[i * view->stride[2] + token * view->stride[3]] = tile[token][i];
    }
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
  const uint16_t *value = (const uint16_t *)p->value.data + token * p->value.stride[0];
  uint8_t *key_cache = (uint8_t *)p->key_cache.data + block * p->key_cache.stride[0] +
                       offset * p->key_cache.stride[3];
  uint8_t *value_cache = (uint8_t *)p->value_cache.data + block * p->value_cache.stride[0] +
                         offset * p->value_cache.stride[3];
  for (int64_t head = 0; head < p->num_heads; ++head) {
    for (int64_t first = 0; first < p->head_size; first += TILE_ELEMENTS) {
      const int64_t count =
          p->head_size - first < TILE_ELEMENTS ? p->head_size - first : TILE_ELEMENTS;
      uint8_t tile[TILE_TOKENS][TILE_ELEMENTS];
      for (int64_t i = 0; i < tokens; ++i) {
        convert(key + i * p->key.stride[0] + head * p->key.stride[1] + first * p->key.stride[2],
                p->key.stride[2], tile[i], count,
                ((const float *)p->k_scale.data)[head * p->k_scale.stride[0]]);
        write_keys(tile[i], key_cache + i * p->key_cache.stride[3] + head * p->key_cache.stride[1],
                   &p->key_cache, p->x, first, count);
      }
      for (int64_t i = 0; i < tokens; ++i) {
        convert(value + i * p->value.stride[0] + head * p->value.stride[1] +
                    first * p->value.stride[2],
                p->value.stride[2], tile[i], count,
                ((const float *)p->v_scale.data)[head * p->v_scale.stride[0]]);
      }
      write_values(tile,
                   value_cache + head * p->value_cache.stride[1] + first * p->value_cache.stride[2],
                   &p->value_cache, tokens, count);
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache__f16__fp8_e5m2)(const void *params, int64_t begin,
                                                              int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache__f16__fp8_e5m2)(const void *params, int64_t begin,
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
}
