/*
 * Generated from templates/cpu/reshape_and_cache_flash_per_token_head.c.j2 and
 * generator/spec/reshape_and_cache_flash_per_token_head.py. Do not edit. Regenerate: python3 -m
 * generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/reshape_and_cache_flash_per_token_head.h"
#include "kvforge/cache/cpu_int4.h"

/* Elements of a head that are worked on at a time: whole blocks. */
enum { PART = KVF_ROTATION_BLOCK };

/* `count` elements of a row. `stride` is the source's, in elements. */
static void widen(float *restrict wide, const float *restrict source, int64_t stride,
                  int64_t count) {
  if (stride == 1) {
    for (int64_t i = 0; i < count; ++i) {
      wide[i] = kvf_f32_from_f32(source[i]);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    wide[i] = kvf_f32_from_f32(source[i * stride]);
  }
}

/* Elements of a head to what is stored, but for the codes and what f32 can hold. */
static void rotate_floats(float *wide, int64_t count, int32_t block) {
  memset(wide + count, 0, (size_t)(-count & (KVF_ROTATION_GROUP - 1)) * sizeof *wide);
  kvf_rotate(wide, count, block);
}

/* Elements of a head as they are stored, but for the codes. */
static void rotate_part(float *wide, const float *source, int64_t stride, int64_t count,
                        int32_t block) {
  widen(wide, source, stride, count);
  rotate_floats(wide, count, block);
}

#if defined(__AVX512BW__)
/*
 * A head of the usual size in registers, the even elements before the odd ones; returns its word.
 * What `rounds` has had its elements rounded before, so that the lower half of a NaN's bits is 0,
 * and it is rounded as a number is.
 */
KVF_INLINE uint32_t write_int4_head(kvf_floats head[KVF_HEAD_PARTS], bool rounds, uint8_t *codes) {
  kvf_rotate_head(head);
  for (int i = 0; i < KVF_HEAD_PARTS && rounds; i += KVF_SPAN_PARTS) {
    kvf_round_numbers_f32(head + i);
  }
  return kvf_narrow_int4_head(codes, head);
}

#endif
/* One head of one token; returns its word. A head of several parts is rotated twice. */
static uint32_t write_int4(const float *source, int64_t stride, uint8_t *codes, int64_t size) {
#if defined(__AVX512BW__)
  if (size == KVF_USUAL_HEAD && stride == 1) {
    kvf_floats head[KVF_HEAD_PARTS];
    for (int i = 0; i < KVF_HEAD_HALF; i += KVF_SPAN_PARTS) {
      kvf_unzip_span_f32(head + i, head + KVF_HEAD_HALF + i, source + 2 * KVF_WIDTH * i);
    }
    return write_int4_head(head, true, codes);
  }
#endif
  const int32_t block = kvf_rotation_block((int32_t)size);
  float wide[PART];
  uint32_t lowest = 0;
  uint32_t highest = 0;
  for (int64_t first = 0; first < size; first += PART) {
    const int64_t length = size - first < PART ? size - first : PART;
    rotate_part(wide, source + first * stride, stride, length, block);
    kvf_stretch_int4(&lowest, &highest, wide, length);
  }
  const kvf_int4_range range = kvf_make_int4_range(lowest, highest);
  for (int64_t first = 0; first < size; first += PART) {
    const int64_t length = size - first < PART ? size - first : PART;
    if (size > PART) {
      rotate_part(wide, source + first * stride, stride, length, block);
    }
    kvf_narrow_int4(codes + first / 2, wide, length, range);
  }
  return range.word;
}

void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head)(
    const void *params, int64_t begin, int64_t end);

/* Tokens [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_reshape_and_cache_flash_per_token_head__f32__int4_per_token_head)(
    const void *params, int64_t begin, int64_t end) {
  const kvf_reshape_and_cache_flash_per_token_head_params *p = params;
  for (int64_t token = begin; token < end; ++token) {
    int64_t block;
    int64_t offset;
    if (!kvf_locate(&p->slots, token, &block, &offset)) {
      continue;
    }
    const float *key = (const float *)p->key.data + token * p->key.stride[0];
    uint8_t *key_cache = (uint8_t *)p->key_cache.data + block * p->key_cache.stride[0] +
                         offset * p->key_cache.stride[1];
    const float *value = (const float *)p->value.data + token * p->value.stride[0];
    uint8_t *value_cache = (uint8_t *)p->value_cache.data + block * p->value_cache.stride[0] +
                           offset * p->value_cache.stride[1];

    float *k_scale_cache = (float *)p->k_scale_cache.data + block * p->k_scale_cache.stride[0] +
                           offset * p->k_scale_cache.stride[1];
    float *v_scale_cache = (float *)p->v_scale_cache.data + block * p->v_scale_cache.stride[0] +
                           offset * p->v_scale_cache.stride[1];
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

    kvf_prefetch_behind(k_scale_cache,
                        follows ? (uint64_t)((next_block - block) * p->k_scale_cache.stride[0] +
                                             (next_offset - offset) * p->k_scale_cache.stride[1]) *
                                      4
                                : 0,
                        p->num_heads * (int64_t)sizeof *k_scale_cache);
    kvf_prefetch_behind(v_scale_cache,
                        follows ? (uint64_t)((next_block - block) * p->v_scale_cache.stride[0] +
                                             (next_offset - offset) * p->v_scale_cache.stride[1]) *
                                      4
                                : 0,
                        p->num_heads * (int64_t)sizeof *v_scale_cache);
    for (int64_t head = 0; head < p->num_heads; ++head) {
      kvf_prefetch_behind(key_cache + head * p->key_cache.stride[2], key_ahead, p->head_size / 2);
      kvf_prefetch_behind(key + head * p->key.stride[1], (uint64_t)p->key.stride[0] * sizeof *key,
                          p->head_size * (int64_t)sizeof *key);
      const uint32_t key_word = write_int4(key + head * p->key.stride[1], p->key.stride[2],
                                           key_cache + head * p->key_cache.stride[2], p->head_size);
      memcpy(k_scale_cache + head * p->k_scale_cache.stride[2], &key_word, sizeof key_word);
      kvf_prefetch_behind(value_cache + head * p->value_cache.stride[2], value_ahead,
                          p->value_head_size / 2);
      kvf_prefetch_behind(value + head * p->value.stride[1],
                          (uint64_t)p->value.stride[0] * sizeof *value,
                          p->value_head_size * (int64_t)sizeof *value);
      const uint32_t value_word =
          write_int4(value + head * p->value.stride[1], p->value.stride[2],
                     value_cache + head * p->value_cache.stride[2], p->value_head_size);
      memcpy(v_scale_cache + head * p->v_scale_cache.stride[2], &value_word, sizeof value_word);
    }
  }
}
