/*
 * Generated from templates/cpu/convert_fp8.c.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/convert_fp8.h"
#include "kvforge/cache/cpu_decode.h"
#include "kvforge/cpu_codes.h"

/* As runtime/ops/convert_fp8.c divides rows. */
enum { PIECE = 2048 };

/* Elements that are converted before they are put where they belong. */
enum { CHUNK = 512 };

/* `count` elements of a row, quantised. `stride` is the source's, in elements. */
static void convert(const uint16_t *restrict source, int64_t stride, uint8_t *restrict codes,
                    int64_t count, float scale) {
  enum { PART = 256 };
  if (stride != 1) {
    for (int64_t i = 0; i < count; ++i) {
      codes[i] = kvf_fp8_e5m2_from_f32(kvf_f32_from_f16(source[i * stride]) / scale);
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
    kvf_store_codes_f16(codes + first, kvf_fp8_e5m2_words(x[0]), kvf_fp8_e5m2_words(x[1]));
  }
#endif
  for (; first < count; first += PART) {
    const int64_t length = count - first < PART ? count - first : PART;
    uint32_t words[PART];
    float wide[PART];
    kvf_widen_f16(wide, source + first, length);
    if (exact) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(wide[i] * by.inverse);
      }
    } else if (KVF_HAS_FMA && by.quick) {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(kvf_quotient(wide[i], by));
      }
    } else {
      for (int64_t i = 0; i < length; ++i) {
        words[i] = kvf_fp8_e5m2_word_from_f32(wide[i] / scale);
      }
    }
    for (int64_t i = 0; i < length; ++i) {
      codes[first + i] = (uint8_t)words[i];
    }
  }
}

/* Up to CHUNK elements, wherever they are; `to` is a row of its own. */
static void convert_chunk(const kvf_convert_fp8_params *p, const uint16_t *from, uint8_t *to,
                          int64_t count) {
  convert(from, p->src_cache.stride[4], to, count, p->scale);
}

/* Up to PIECE elements of a row. */
static void write_piece(const kvf_convert_fp8_params *p, const uint16_t *from, uint8_t *to,
                        int64_t count) {
  const int64_t from_stride = p->src_cache.stride[4];
  const int64_t to_stride = p->dst_cache.stride[4];
  for (int64_t first = 0; first < count; first += CHUNK) {
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    const uint16_t *chunk = from + first * from_stride;
    uint8_t results[CHUNK];
    if (to_stride == 1 && !p->streaming) {
      convert_chunk(p, chunk, to + first, length);
      continue;
    }
    convert_chunk(p, chunk, results, length);
    if (to_stride == 1) {
      kvf_stream_row(to + first, results, length * (int64_t)sizeof *results);
      continue;
    }
    for (int64_t i = 0; i < length; ++i) {
      to[(first + i) * to_stride] = results[i];
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_convert_fp8__f16__fp8_e5m2)(const void *params, int64_t begin,
                                                        int64_t end);

/* Pieces [begin, end) of all rows. */
void KVF_CPU_SYMBOL(kvf_cpu_convert_fp8__f16__fp8_e5m2)(const void *params, int64_t begin,
                                                        int64_t end) {
  const kvf_convert_fp8_params *p = params;
  for (int64_t piece = begin; piece < end; ++piece) {
    int64_t row = kvf_divide(piece, p->by_units);
    const int64_t first = (piece - row * p->by_units.value) * PIECE;
    int64_t from = first * p->src_cache.stride[4];
    int64_t to = first * p->dst_cache.stride[4];
    for (int32_t i = 3; i >= 0 && p->rows > 1; --i) {
      const int64_t outer = i > 0 ? kvf_divide(row, p->by_size[i]) : 0;
      const int64_t place = row - outer * p->size[i];
      from += place * p->src_cache.stride[i];
      to += place * p->dst_cache.stride[i];
      row = outer;
    }
    const int64_t rest = p->size[4] - first;
    write_piece(p, (const uint16_t *)p->src_cache.data + from, (uint8_t *)p->dst_cache.data + to,
                rest < PIECE ? rest : PIECE);
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
