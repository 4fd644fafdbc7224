/*
 * Generated from templates/cpu/reshape_and_cache_flash_nvfp4.c.j2 and
 * generator/spec/reshape_and_cache_flash_nvfp4.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache_flash_nvfp4.h"
#include "kvforge/cpu_fp4.h"
#include "kvforge/cache/nvfp4.h"

/* Elements that are worked on at a time. */
enum { GROUP = KVF_NVFP4_GROUP, GROUPS = 32, SPAN = GROUPS * GROUP };

/* Where the block scales of a token and a head are. Strides in bytes. */
typedef struct scale_place {
  uint8_t *head; /* those of the page's first token */
  int64_t token_stride;
  int64_t offset;    /* of the token in its page */
  uint32_t swizzled; /* that many of a head together; 0: none */
} scale_place;

/* Block scales of `count` groups of a token, from group `first` on. Heads may have been joined. */
static inline void put_scales(const scale_place *place, int64_t first, const uint32_t *block_scales,
                              int64_t count) {
  if (place->swizzled == 0) {
    uint8_t *scales = place->head + place->offset * place->token_stride + first;
    for (int64_t i = 0; i < GROUPS && i < count; ++i) { /* no more, which compilers do not see */
      scales[i] = (uint8_t)block_scales[i];
    }
    return;
  }
  const uint32_t quarter = place->swizzled / 4;
  const int64_t in_four = place->offset % 4;
  uint32_t group = (uint32_t)first % place->swizzled;
  int64_t before = first - group;
  uint32_t part = group / quarter; /* as kvf_nvfp4_swizzle() has it, without a division for each */
  group -= part * quarter;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t token = place->offset - in_four + part;
    place->head[token * place->token_stride + before + 4 * group + in_four] =
        (uint8_t)block_scales[i];
    group = group + 1 < quarter ? group + 1 : 0;
    part += group == 0;
    before += part == 4 ? place->swizzled : 0;
    part %= 4;
  }
}

/*
 * `count` groups, whose largest elements become `top`.
 * Inline, like the functions around it, for a count that a compiler knows.
 */
KVF_INLINE void encode_part(const float *wide, const uint32_t *largest, float top, uint8_t *codes,
                            uint32_t *block_scales, float inverse, int64_t count) {
  float multipliers[GROUPS];
  KVF_VECTORISE
  for (int64_t group = 0; group < count; ++group) {
    block_scales[group] = kvf_nvfp4_block_scale(largest[group], top, inverse);
  }
  KVF_VECTORISE
  for (int64_t group = 0; group < count; ++group) {
    multipliers[group] = kvf_nvfp4_multiplier(block_scales[group], inverse);
  }
  kvf_narrow_e2m1(codes, wide, multipliers, count);
}

KVF_INLINE void write_part(const float *wide, uint8_t *codes, uint32_t *block_scales, float inverse,
                           int64_t count) {
  uint32_t largest[GROUPS];
  kvf_largest_of_16(largest, wide, count);
  encode_part(wide, largest, 6.0f, codes, block_scales, inverse, count);
}

/*
 * Elements [first, first + length) of a head, whole groups and no more than SPAN, to its codes and
 * block scales. `wide` has room for SPAN, and what is behind `length` afterwards is not defined.
 */
static void write_groups(float *wide, int64_t first, int64_t length, uint8_t *restrict codes,
                         const scale_place *place, float scale) {
  const float inverse = 1.0f / scale;
  uint32_t block_scales[GROUPS] = {0}; /* of the groups that there are */
  uint8_t bytes[SPAN / 2];
  if (length == SPAN) {
    write_part(wide, codes + first / 2, block_scales, inverse, GROUPS);
  } else if (length == SPAN / 4) { /* the usual head */
    write_part(wide, codes + first / 2, block_scales, inverse, GROUPS / 4);
  } else { /* only the beginning is written out */
    memset(wide + length, 0, (size_t)(SPAN - length) * sizeof *wide);
    if (length > SPAN / 2) {
      write_part(wide, bytes, block_scales, inverse, GROUPS);
    } else if (length > SPAN / 4) {
      write_part(wide, bytes, block_scales, inverse, GROUPS / 2);
    } else if (length > SPAN / 8) {
      write_part(wide, bytes, block_scales, inverse, GROUPS / 4);
    } else {
      write_part(wide, bytes, block_scales, inverse, GROUPS / 8);
    }
    memcpy(codes + first / 2, bytes, (size_t)length / 2);
  }
  put_scales(place, first / GROUP, block_scales, length / GROUP);
}

/* `count` elements of a row. `stride` is the source's, in elements. */
static void widen(float *restrict wide, const uint16_t *restrict source, int64_t stride,
                  int64_t count) {
  if (stride == 1) {
    kvf_widen_f16(wide, source, count);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    wide[i] = kvf_f32_from_f16(source[i * stride]);
  }
}

/* One head of one token. `stride` is the source's, in elements. */
static void write_head(const uint16_t *source, int64_t stride, int64_t size,
                       uint8_t *restrict codes, const scale_place *place, float scale) {
  float wide[SPAN];
  for (int64_t first = 0; first < size; first += SPAN) {
    const int64_t length = size - first < SPAN ? size - first : SPAN;
    widen(wide, source + first * stride, stride, length);
    write_groups(wide, first, length, codes, place, scale);
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_nvfp4__f16__nvfp4)(const void *params,
                                                                       int64_t begin, int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_nvfp4__f16__nvfp4)(const void *params,
                                                                       int64_t begin, int64_t end) {
  const kvf_reshape_and_cache_flash_nvfp4_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const uint16_t *key = (const uint16_t *)p->key.data + token * p->key.stride[0];
    uint8_t *key_cache = (uint8_t *)p->key_cache.data + block * p->key_cache.stride[0] +
                         offset * p->key_cache.stride[1];
    const uint16_t *value = (const uint16_t *)p->value.data + token * p->value.stride[0];
    uint8_t *value_cache = (uint8_t *)p->value_cache.data + block * p->value_cache.stride[0] +
                           offset * p->value_cache.stride[1];

    int64_t next_block = block;
    int64_t next_offset = offset;
    const bool follows =
        token + 1 < end && kvf_locate(&p->slots, token + 1, &next_block, &next_offset);
    const uint64_t key_ahead = follows ? (uint64_t)((next_block - block) * p->key_cache.stride[0] +
                                                    (next_offset - offset) * p->key_cache.stride[1])
                                       : 0;
    const uint64_t value_ahead = follows
                                     ? (uint64_t)((next_block - block) * p->value_cache.stride[0] +
                                                  (next_offset - offset) * p->value_cache.stride[1])
                                     : 0;

    const uint64_t key_scales_ahead =
        follows ? (uint64_t)((next_block - block) * p->k_block_scales.stride[0] +
                             (next_offset - offset) * p->k_block_scales.stride[1])
                : 0;
    const uint64_t value_scales_ahead =
        follows ? (uint64_t)((next_block - block) * p->v_block_scales.stride[0] +
                             (next_offset - offset) * p->v_block_scales.stride[1])
                : 0;
    for (int64_t head = 0; head < p->num_heads; ++head) {
      const scale_place key_place = {
          .head = (uint8_t *)p->k_block_scales.data + block * p->k_block_scales.stride[0] +
                  head * p->k_block_scales.stride[2],
          .token_stride = p->k_block_scales.stride[1],
          .offset = offset,
          .swizzled = 0,
      };
      kvf_prefetch_behind(key_cache + head * p->key_cache.stride[2], key_ahead, p->head_size / 2);
      kvf_prefetch_behind(key_place.head + offset * key_place.token_stride, key_scales_ahead,
                          p->head_size / KVF_NVFP4_GROUP);
      kvf_prefetch_behind(key + head * p->key.stride[1], (uint64_t)p->key.stride[0] * sizeof *key,
                          p->head_size * (int64_t)sizeof *key);
      write_head(key + head * p->key.stride[1], p->key.stride[2], p->head_size,
                 key_cache + head * p->key_cache.stride[2], &key_place,
                 ((const float *)p->k_scale.data)[head * p->k_scale.stride[0]]);
      const scale_place value_place = {
          .head = (uint8_t *)p->v_block_scales.data + block * p->v_block_scales.stride[0] +
                  head * p->v_block_scales.stride[2],
          .token_stride = p->v_block_scales.stride[1],
          .offset = offset,
          .swizzled = (uint32_t)(p->swizzle_v_scales ? p->value_groups : 0),
      };
      kvf_prefetch_behind(value_cache + head * p->value_cache.stride[2], value_ahead,
                          p->value_head_size / 2);
      kvf_prefetch_behind(value_place.head + offset * value_place.token_stride, value_scales_ahead,
                          p->value_head_size / KVF_NVFP4_GROUP);
      kvf_prefetch_behind(value + head * p->value.stride[1],
                          (uint64_t)p->value.stride[0] * sizeof *value,
                          p->value_head_size * (int64_t)sizeof *value);
      write_head(value + head * p->value.stride[1], p->value.stride[2], p->value_head_size,
                 value_cache + head * p->value_cache.stride[2], &value_place,
                 ((const float *)p->v_scale.data)[head * p->v_scale.stride[0]]);
    }
  }
}
