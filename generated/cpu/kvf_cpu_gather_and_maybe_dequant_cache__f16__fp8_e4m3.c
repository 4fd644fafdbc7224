/*
 * Generated from templates/cpu/gather_and_maybe_dequant_cache.c.j2 and
 * generator/spec/gather_and_maybe_dequant_cache.py. Do not edit. Regenerate: python3 -m generator
 */
#include "kvforge/cache/cpu_kernel.h"
#include "kvforge/params/gather_and_maybe_dequant_cache.h"
#include "kvforge/cache/cpu_spans.h"

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
  kvf_store_results_f16(all->results, wide, 256);
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
        kvf_narrow_span_numbers_f16(results, wide);
      } else {
        kvf_widen_span_fp8_e4m3(wide, from.codes + i);
        for (int k = 0; k < KVF_SPAN_PARTS; ++k) {
          wide[k] *= scale;
        }
        kvf_narrow_span_f16(results, wide);
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

/* Rows; several of one that lie one behind another on both sides are a row, too. */
static void decode_rows(uint16_t *to, const codes_of_scale *all, kvf_code_rows from,
                        int32_t streaming) {
  enum { PART = 1024, LINE = 64 / (int)sizeof *to };
  const bool lines = (KVF_COMPUTES_CODES || KVF_LOOKS_UP_LINES) && kvf_begins_line(to) &&
                     from.count % KVF_SPAN == 0 && from.stride % LINE == 0;
  if (!streaming || lines) {
    decode(to, all, from, streaming);
    return;
  }
  for (int64_t row = 0; row < from.rows; ++row, to += from.stride, from.codes += from.pitch) {
    for (int64_t first = 0; first < from.count; first += PART) {
      uint16_t results[PART];
      const int64_t length = from.count - first < PART ? from.count - first : PART;
      decode(results, all, (kvf_code_rows){from.codes + first, 0, 0, 1, length}, false);
      kvf_stream_row(to + first, results, length * (int64_t)sizeof *results);
    }
  }
}

/* `rows` rows of one page. */
static void gather_rows(const kvf_gather_and_maybe_dequant_cache_params *p, const uint8_t *from,
                        uint16_t *to, int64_t rows, const codes_of_scale *codes) {
  kvf_code_rows all = {from, p->src_cache.stride[1], p->dst.stride[0], rows, p->entry_size};
  if (all.pitch == all.count && all.stride == all.count) {
    all = (kvf_code_rows){from, 0, 0, 1, rows * all.count};
  }
  decode_rows(to, codes, all, p->streaming);
}

void KVF_CPU_SYMBOL(kvf_cpu_gather_and_maybe_dequant_cache__f16__fp8_e4m3)(const void *params,
                                                                           int64_t begin,
                                                                           int64_t end);

/* Rows [begin, end). */
void KVF_CPU_SYMBOL(kvf_cpu_gather_and_maybe_dequant_cache__f16__fp8_e4m3)(const void *params,
                                                                           int64_t begin,
                                                                           int64_t end) {
  const kvf_gather_and_maybe_dequant_cache_params *p = params;
  codes_of_scale codes;
  make_codes(&codes, *(const float *)p->scale.data);
  for (int64_t row = begin; row < end;) {
    int64_t block;
    int64_t offset;
    const int64_t rows = kvf_locate_run(&p->table, row, end, &block, &offset);
    if (block >= 0) {
      const uint8_t *from = (const uint8_t *)p->src_cache.data + block * p->src_cache.stride[0] +
                            offset * p->src_cache.stride[1];
      uint16_t *to = (uint16_t *)p->dst.data + row * p->dst.stride[0];
      gather_rows(p, from, to, rows, &codes);
    }
    row += rows;
  }
  if (p->streaming) {
    kvf_stream_fence();
  }
}
