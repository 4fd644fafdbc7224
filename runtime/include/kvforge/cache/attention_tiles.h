/*
 * What a tile of attention is, for both backends. A row is one query head of one query token. Of a
 * sequence and a KV head the rows are numbered token by token, the heads of its group side by side,
 * and a tile is so many of them, one behind another: they read the same keys and values.
 */
#ifndef KVFORGE_ATTENTION_TILES_H
#define KVFORGE_ATTENTION_TILES_H

#include <stdbool.h>

#include "kvforge/cache/attention.h"
/* The params of an includer that attends otherwise have members of the same names and meanings. */
#ifndef KVF_ATTENTION_PARAMS
#include "kvforge/params/paged_attention.h"
#define KVF_ATTENTION_PARAMS kvf_paged_attention_params
#endif
#ifndef KVFORGE_CUDA_KERNEL_CUH
#include "kvforge/cpu_kernel.h"
#endif

/* A tile and the positions of a split of it. */
typedef struct kvf_attention_tile {
  int64_t sequence;
  int64_t length;      /* of the sequence */
  int64_t first_token; /* of the sequence, a row of query */
  int64_t num_tokens;  /* of the sequence; 0 where query_start_loc is out of range */
  int64_t first_row;   /* of the tile, among those of the sequence and KV head */
  int32_t rows;        /* 0 where there is no such tile */
  bool last;           /* of the sequence */
  int64_t begin;       /* positions [begin, end) that a row sees, of this split */
  int64_t end;
  int64_t first;     /* begin, rounded down where values are read along tokens */
  int64_t all_begin; /* positions [all_begin, all_end) that every row sees, of any split */
  int64_t all_end;
  int64_t splits; /* that the tile has; the result of an only one goes to out at once */
} kvf_attention_tile;

KVF_INLINE int64_t kvf_query_start(const KVF_ATTENTION_PARAMS *p, int64_t sequence) {
  return kvf_index_at(p->query_start_loc.data, 4, sequence * p->query_start_loc.stride[0]);
}

KVF_INLINE int64_t kvf_given_length(const KVF_ATTENTION_PARAMS *p, int64_t sequence) {
  return kvf_index_at(p->seq_lens.data, 4, sequence * p->seq_lens.stride[0]);
}

/* A length, at most what the pages of a sequence hold. */
KVF_INLINE int64_t kvf_length_of(const KVF_ATTENTION_PARAMS *p, int64_t given) {
  if (given <= 0) {
    return 0;
  }
  return kvf_divide(given - 1, p->by_block_size) < p->width ? given : p->width * p->block_size;
}

/* Whether tokens [first, end) are those of a sequence. */
KVF_INLINE bool kvf_are_queries(const KVF_ATTENTION_PARAMS *p, int64_t first, int64_t end) {
  return first >= 0 && first <= end && end <= p->num_tokens &&
         (p->max_query_len <= 0 || end - first <= p->max_query_len);
}

/* Where the tiles of a sequence begin among those of all, if there are as many as can be needed. */
KVF_INLINE int64_t kvf_tile_start(const KVF_ATTENTION_PARAMS *p, int64_t sequence, int32_t rows) {
  const int64_t first = kvf_query_start(p, sequence);
  return (first > 0 ? first * p->group / rows : 0) + sequence;
}

/* The sequence that has tile `number` of all. */
KVF_INLINE int64_t kvf_sequence_of_tile(const KVF_ATTENTION_PARAMS *p, int64_t number,
                                        int32_t rows) {
  int64_t low = 0; /* its tiles begin at `number` or before */
  int64_t high = p->num_seqs;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (kvf_tile_start(p, middle, rows) <= number) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The sequence that has a token, or would if it were not one of padding. */
KVF_INLINE int64_t kvf_sequence_of_token(const KVF_ATTENTION_PARAMS *p, int64_t token) {
  if (token < p->num_seqs && kvf_query_start(p, token) == token &&
      kvf_query_start(p, token + 1) == token + 1) {
    return token; /* sequences of one token */
  }
  int64_t low = 0;
  int64_t high = p->num_seqs;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (kvf_query_start(p, middle) <= token) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

/* The position of a token of a sequence, from what is first to be seen on, and to what is last. */
KVF_INLINE int64_t kvf_position_of(const kvf_attention_tile *tile, int64_t token) {
  return tile->length - tile->num_tokens + token;
}

KVF_INLINE int64_t kvf_seen_from(const KVF_ATTENTION_PARAMS *p, int64_t position) {
  return p->window_left >= 0 && position > p->window_left ? position - p->window_left : 0;
}

KVF_INLINE int64_t kvf_seen_to(const KVF_ATTENTION_PARAMS *p, int64_t position, int64_t length) {
  if (p->window_right < 0 || p->window_right >= length - 1 - position) {
    return length;
  }
  const int64_t end = position + p->window_right + 1;
  return end > 0 ? end : 0;
}

/* Tile `number` of a sequence, and one of its splits. */
KVF_INLINE kvf_attention_tile kvf_find_tile(const KVF_ATTENTION_PARAMS *p, int64_t sequence,
                                            int64_t number, int64_t split, int32_t rows) {
  kvf_attention_tile tile;
  const int64_t end_token = kvf_query_start(p, sequence + 1);
  tile.sequence = sequence;
  tile.first_token = kvf_query_start(p, sequence);
  tile.length = kvf_length_of(p, kvf_given_length(p, sequence));
  tile.num_tokens =
      kvf_are_queries(p, tile.first_token, end_token) ? end_token - tile.first_token : 0;
  tile.first_row = number * rows;
  const int64_t rest = tile.num_tokens * p->group - tile.first_row;
  tile.rows = (int32_t)(rest < 0 ? 0 : rest < rows ? rest : rows);
  tile.last = rest <= rows;
  const int64_t near = kvf_position_of(&tile, kvf_divide(tile.first_row, p->by_group));
  const int64_t far = kvf_position_of(
      &tile, kvf_divide(tile.first_row + (rest > 0 ? tile.rows - 1 : 0), p->by_group));
  const int64_t begin = kvf_seen_from(p, near);
  const int64_t seen = kvf_seen_to(p, far, tile.length);
  const int64_t end = tile.rows == 0 || seen < begin ? begin : seen;
  const bool cut = tile.first_token + tile.num_tokens <= p->split_tokens;
  const int64_t each = kvf_split_positions(end - begin, cut ? p->splits : 1);
  const int64_t first =
      p->whole_values == KVF_VALUES_BY_TOKEN ? begin / KVF_TOKEN_VECTOR * KVF_TOKEN_VECTOR : begin;
  tile.splits = end - begin > each ? (end - begin + each - 1) / each : 1;
  tile.first = first + split * each;
  tile.begin = split == 0 ? begin : tile.first;
  tile.end = split + 1 < tile.splits ? tile.first + each : end;
  tile.all_begin = kvf_seen_from(p, far);
  tile.all_end = kvf_seen_to(p, near, tile.length);
  return tile;
}

/* A row of a tile: a row of query and out, and a head of the KV head's group. */
typedef struct kvf_attention_row {
  int64_t token;
  int64_t head;
  int64_t position;
} kvf_attention_row;

KVF_INLINE kvf_attention_row kvf_find_row(const KVF_ATTENTION_PARAMS *p,
                                          const kvf_attention_tile *tile, int64_t kv_head,
                                          int32_t number) {
  const int64_t at = tile->first_row + number;
  const int64_t token = kvf_divide(at, p->by_group);
  kvf_attention_row row;
  row.token = tile->first_token + token;
  row.head = kv_head * p->group + (at - token * p->group);
  row.position = kvf_position_of(tile, token);
  return row;
}

/* What a unit of work is: a KV head, a tile of all sequences, and a split of it. */
typedef struct kvf_attention_unit {
  int64_t kv_head;
  int64_t sequence;
  int64_t number; /* of the tile, in its sequence */
  int64_t split;
} kvf_attention_unit;

/* Units: the first splits of all tiles, then the others of those that may have some; of each the KV
 * heads. */
KVF_INLINE kvf_attention_unit kvf_find_unit(const KVF_ATTENTION_PARAMS *p, int64_t number,
                                            int32_t rows) {
  kvf_attention_unit unit;
  int64_t tile = number / p->num_kv_heads;
  unit.kv_head = number - tile * p->num_kv_heads;
  unit.split = 0;
  if (tile >= p->num_tiles) {
    const int64_t behind = tile - p->num_tiles;
    tile = behind / (p->splits - 1);
    unit.split = 1 + behind - tile * (p->splits - 1);
  } else { /* the last tokens, which see most, first: none is left when others are done */
    tile = p->num_tiles - 1 - tile;
  }
  if (p->tiles_each > 0) {
    unit.sequence = tile / p->tiles_each;
    unit.number = tile - unit.sequence * p->tiles_each;
  } else {
    unit.sequence = kvf_sequence_of_tile(p, tile, rows);
    const int64_t number_of_tile = tile - kvf_tile_start(p, unit.sequence, rows);
    unit.number = number_of_tile > 0 ? number_of_tile : 0;
  }
  return unit;
}

#endif
