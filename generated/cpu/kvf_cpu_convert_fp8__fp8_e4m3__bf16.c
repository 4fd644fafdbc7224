/*
 * Generated from templates/cpu/convert_fp8.c.j2 and generator/spec/convert_fp8.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/convert_fp8.h"
#include "kvforge/cache/cpu_spans.h"

/* As runtime/ops/convert_fp8.c divides rows. */
enum { PIECE = 2048 };

/* Elements that are converted before they are put where they belong. */
enum { CHUNK = 512 };

/* What every code becomes with this scale. */
typedef struct codes_of_scale {
  uint16_t results[256];
  float scale;
} codes_of_scale;

/* Multiplied in f32, rounded once. */
static void make_codes(codes_of_scale *all, float scale) {
  float wide[256];
  for (int32_t code = 0; code < 256; ++code) {
    wide[code] = kvf_f32_from_fp8_e4m3((uint8_t)code) * scale;
  }
  kvf_store_results_bf16(all->results, wide, 256);
  all->scale = scale;
}

/* Rows, which are streamed only where all of their results are whole lines. */
KVF_INLINE void decode(uint16_t *to, const codes_of_scale *all, kvf_code_rows from,
                       bool streaming) {
#if KVF_COMPUTES_CODES
  const float scale = all->scale;
  const float number_scale = kvf_number_scale_fp8_e4m3(scale);
  const bool finite = (kvf_bits(number_scale) & 0x7F800000u) != 0x7F800000u;
  for (; from.rows > 0; --from.rows, to += from.stride, from.codes += from.pitch) {
    int64_t i = 0;
    for (; i + KVF_SPAN <= from.count; i += KVF_SPAN) {
      kvf_floats wide[KVF_SPAN_PARTS];
      uint16_t results[KVF_SPAN];
      if (finite && kvf_are_numbers_fp8_e4m3(from.codes + i)) {
        kvf_widen_numbers_fp8_e4m3(wide, from.codes + i);
        for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
          wide[k] *= number_scale;
        }
        kvf_narrow_span_numbers_bf16(results, wide);
      } else {
        kvf_widen_span_fp8_e4m3(wide, from.codes + i);
        for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
          wide[k] *= scale;
        }
        kvf_narrow_span_bf16(results, wide);
      }
      kvf_store_lines(to + i, results, sizeof results, streaming);
    }
    for (; i < from.count; ++i) {
      to[i] = all->results[from.codes[i]];
    }
  }
#else
  kvf_look_up_rows_signed_16(to, all->results, from, streaming);
#endif
}

/* Up to CHUNK elements, wherever they are; `to` is a row of its own. */
static void convert_chunk(const kvf_convert_fp8_params *p, const uint8_t *from, uint16_t *to,
                          int64_t count, const codes_of_scale *codes) {
  uint8_t row[CHUNK];
  const int64_t stride = p->src_cache.stride[4];
  for (int64_t i = 0; stride != 1 && i < count; ++i) {
    row[i] = from[i * stride];
  }
  decode(to, codes, (kvf_code_rows){stride == 1 ? from : row, 0, 0, 1, count}, false);
}

/* Up to PIECE elements of a row. */
static void write_piece(const kvf_convert_fp8_params *p, const uint8_t *from, uint16_t *to,
                        int64_t count, const codes_of_scale *codes) {
  const int64_t from_stride = p->src_cache.stride[4];
  const int64_t to_stride = p->dst_cache.stride[4];
  for (int64_t first = 0; first < count; first += CHUNK) {
    const int64_t length = count - first < CHUNK ? count - first : CHUNK;
    const uint8_t *chunk = from + first * from_stride;
    uint16_t results[CHUNK];
    if (to_stride == 1 && !p->streaming) {
      convert_chunk(p, chunk, to + first, length, codes);
      continue;
    }
    convert_chunk(p, chunk, results, length, codes);
    if (to_stride == 1) {
      kvf_stream_row(to + first, results, length * (int64_t)sizeof *results);
      continue;
    }
    for (int64_t i = 0; i < length; ++i) {
      to[(first + i) * to_stride] = results[i];
    }
  }
}

void KVF_CPU_SYMBOL(kvf_cpu_convert_fp8__fp8_e4m3__bf16)(const void *params, int64_t begin,
                                                         int64_t end);

/* Pieces [begin, end) of all rows. */
void KVF_CPU_SYMBOL(kvf_cpu_convert_fp8__fp8_e4m3__bf16)(const void *params, int64_t begin,
                                                         int64_t end) {
  const kvf_convert_fp8_params *p = params;
  codes_of_scale codes;
  make_codes(&codes, p->scale);
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
    write_piece(p, (const uint8_t *)p->src_cache.data + from, (uint16_t *)p->dst_cache.data + to,
                rest < PIECE ? rest : PIECE, &codes);
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
