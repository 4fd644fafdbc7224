/*
 * The fp8 codec as callers meet it: through reshape_and_cache_flash, against the oracle, and
 * against NVIDIA's header where that is installed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "kvforge/op.h"
#include "memory.h"
#include "oracle.h"

/* Of nvidia_fp8.cpp; NULL when it was compiled without NVIDIA's header, or not at all. */
__attribute__((weak)) uint8_t nvidia_fp8_e4m3(float value);
__attribute__((weak)) uint8_t nvidia_fp8_e5m2(float value);

static uint8_t nvidia_fp8(kvf_dtype format, float value) {
  return format == KVF_FP8_E4M3 ? nvidia_fp8_e4m3(value) : nvidia_fp8_e5m2(value);
}

static const kvf_dtype formats[] = {KVF_FP8_E4M3, KVF_FP8_E5M2, KVF_INT8};

/* The value of a code that is not negative. */
static double value_of(kvf_dtype format, int code) {
  return format == KVF_INT8 ? code : oracle_fp8_value(format, (uint8_t)code);
}

static const kvf_dtype scalars[] = {KVF_F32, KVF_F16, KVF_BF16};

/* ---- the oracle itself
 * --------------------------------------------------------------------------- */

static void test_oracle(void) {
  /* Values and codes that the format's publications and NVIDIA's header agree on. */
  static const struct {
    float value;
    uint8_t e4m3;
    uint8_t e5m2;
  } known[] = {
      {0.0f, 0x00, 0x00},      {-0.0f, 0x80, 0x80},     {1.0f, 0x38, 0x3C},
      {1.0625f, 0x38, 0x3C},   {1.1875f, 0x3A, 0x3D},   {448.0f, 0x7E, 0x5F},
      {464.0f, 0x7E, 0x5F},    {480.0f, 0x7E, 0x60},    {1e30f, 0x7E, 0x7B},
      {INFINITY, 0x7E, 0x7B},  {-INFINITY, 0xFE, 0xFB}, {NAN, 0x7F, 0x7F},
      {-NAN, 0x7F, 0x7F},      {61440.0f, 0x7E, 0x7B},  {65504.0f, 0x7E, 0x7B},
      {0x1p-10f, 0x00, 0x14},  {0.00098f, 0x01, 0x14},  {0x1.8p-10f, 0x01, 0x16},
      {0x1.Ep-7f, 0x08, 0x24}, {0x1p-17f, 0x00, 0x00},  {7.63e-6f, 0x00, 0x01},
      {-1e-4f, 0x80, 0x87},    {33.0f, 0x60, 0x50},     {-448.0f, 0xFE, 0xDF},
  };
  for (size_t i = 0; i < TEST_COUNT(known); ++i) {
    const uint8_t e4m3 = oracle_fp8(KVF_FP8_E4M3, known[i].value);
    const uint8_t e5m2 = oracle_fp8(KVF_FP8_E5M2, known[i].value);
    EXPECT(e4m3 == known[i].e4m3, "oracle: %a is 0x%02X in E4M3, want 0x%02X",
           (double)known[i].value, e4m3, known[i].e4m3);
    EXPECT(e5m2 == known[i].e5m2, "oracle: %a is 0x%02X in E5M2, want 0x%02X",
           (double)known[i].value, e5m2, known[i].e5m2);
  }
  for (int code = -128; code < 128; ++code) {
    EXPECT(oracle_int8((float)code) == code, "oracle: %d does not survive in int8", code);
  }
  for (size_t i = 0; i < TEST_COUNT(formats) && formats[i] != KVF_INT8; ++i) {
    for (int code = 0; code < 256; ++code) {
      const double value = oracle_fp8_value(formats[i], (uint8_t)code);
      EXPECT(!isfinite(value) || oracle_fp8(formats[i], (float)value) == code,
             "oracle: code 0x%02X of %s does not survive", code, kvf_dtype_name(formats[i]));
    }
  }
  /* Scalar dtypes: all patterns of 16 bits there and back. */
  for (int bits = 0; bits < 65536; ++bits) {
    for (int i = 1; i < 3; ++i) {
      const uint16_t given = (uint16_t)bits;
      uint16_t made = 0;
      const double value = oracle_value(scalars[i], &given);
      oracle_make(scalars[i], value, &made);
      EXPECT(isnan(value) || made == given, "oracle: %s 0x%04X comes back as 0x%04X",
             kvf_dtype_name(scalars[i]), given, made);
    }
  }
  float third = 1.0f / 3.0f;
  EXPECT(oracle_value(KVF_F32, &third) == (double)third, "oracle: 1/3 in f32");
  count_case(NULL);
}

/* ---- running the op over a list of inputs
 * ---------------------------------------------------------- */

/* Inputs of one head of size `count`, one token; keys and values are the same inputs. */
typedef struct codec_run {
  const kvf_variant *variant;
  int64_t count;
  buffer source;
  buffer cache[2];
  buffer slot;
  buffer scale[2];
} codec_run;

static void run_make(codec_run *run, const kvf_variant *variant, int64_t count) {
  const kvf_backend backend = variant->backend;
  const size_t bytes = (size_t)kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  *run = (codec_run){.variant = variant,
                     .count = count,
                     .source = buffer_make(backend, (size_t)count * bytes, 1),
                     .slot = buffer_make(backend, 8, 2)};
  memset(run->slot.expected, 0, 8);
  buffer_upload(&run->slot);
  for (int side = 0; side < 2; ++side) {
    run->cache[side] = buffer_make(backend, (size_t)count, 3 + (uint64_t)side);
    run->scale[side] = buffer_make(backend, 4, 5);
  }
}

static void run_free(codec_run *run) {
  buffer_free(&run->source);
  buffer_free(&run->slot);
  for (int side = 0; side < 2; ++side) {
    buffer_free(&run->cache[side]);
    buffer_free(&run->scale[side]);
  }
}

/* Calls the op on what source.expected holds. */
static bool run_call(codec_run *run, const float scale[2]) {
  tensor source = {.memory = &run->source,
                   .dtype = dl_dtype(kvf_scalar_of(run->variant)),
                   .rank = 3,
                   .shape = {1, 1, run->count},
                   .stride = {run->count, run->count, 1}};
  tensor cache[2];
  tensor scales[2];
  tensor slot = {
      .memory = &run->slot, .dtype = {kDLInt, 64, 1}, .rank = 1, .shape = {1}, .stride = {1}};
  buffer_upload(&run->source);
  for (int side = 0; side < 2; ++side) {
    memcpy(run->scale[side].expected, &scale[side], 4);
    buffer_upload(&run->scale[side]);
    buffer_upload(&run->cache[side]);
    cache[side] = (tensor){.memory = &run->cache[side],
                           .dtype = dl_dtype(kvf_cache_of(run->variant)),
                           .rank = 4,
                           .shape = {1, 1, 1, run->count},
                           .stride = {run->count, run->count, run->count, 1}};
    scales[side] = (tensor){.memory = &run->scale[side], .dtype = dl_dtype(KVF_F32), .rank = 0};
  }
  const kvf_status status = kvf_reshape_and_cache_flash(
      NULL, tensor_dl(&source), tensor_dl(&source), tensor_dl(&cache[0]), tensor_dl(&cache[1]),
      tensor_dl(&slot), kvf_dtype_name(kvf_cache_of(run->variant)), tensor_dl(&scales[0]),
      tensor_dl(&scales[1]), NULL);
  const char *wrong = memory_synchronize(run->variant->backend);
  count_case(run->variant);
  return EXPECT(status == KVF_OK && wrong == NULL, "%s: %s %s", run->variant->symbol,
                kvf_last_error(), wrong ? wrong : "");
}

/* What the cache of one side is to hold; where NVIDIA's header says otherwise, or -1. */
typedef struct codec_want {
  codec_run *run;
  int side;
  float scale;
  _Atomic int64_t nvidia_differs;
} codec_want;

static void want_elements(const void *params, int64_t begin, int64_t end) {
  codec_want *want = *(codec_want *const *)params;
  codec_run *run = want->run;
  const kvf_dtype scalar = kvf_scalar_of(run->variant);
  const kvf_dtype format = kvf_cache_of(run->variant);
  const int64_t bytes = kvf_dtype_bits(scalar) / 8;
  uint8_t *expected = run->cache[want->side].expected;
  for (int64_t i = begin; i < end; ++i) {
    const uint8_t *element = run->source.expected + i * bytes;
    oracle_store(scalar, format, element, want->scale, &expected[i]);
    if (want->scale == 1.0f && format != KVF_INT8 && nvidia_fp8_e4m3 != NULL &&
        nvidia_fp8(format, (float)oracle_value(scalar, element)) != expected[i]) {
      want->nvidia_differs = i;
    }
  }
}

/* Compares both caches with the oracle, and scale 1 with NVIDIA's header. */
static void run_check(codec_run *run, const float scale[2]) {
  const int64_t bytes = kvf_dtype_bits(kvf_scalar_of(run->variant)) / 8;
  int64_t nvidia_differs = -1;
  for (int side = 0; side < 2; ++side) {
    codec_want want = {.run = run, .side = side, .scale = scale[side], .nvidia_differs = -1};
    kvf_parallel_for(want_elements, &(codec_want *){&want}, run->count, (int64_t)sizeof(float), 0);
    nvidia_differs = want.nvidia_differs >= 0 ? want.nvidia_differs : nvidia_differs;
    uint8_t got = 0;
    const int64_t at = buffer_difference(&run->cache[side], &got);
    uint32_t bits = 0;
    memcpy(&bits, run->source.expected + (at < 0 ? 0 : at) * bytes, (size_t)bytes);
    EXPECT(at < 0, "%s: 0x%X / %a is 0x%02X, want 0x%02X", run->variant->symbol, bits,
           (double)scale[side], got, at < 0 ? 0 : run->cache[side].expected[at]);
  }
  EXPECT(nvidia_differs < 0, "%s: oracle and NVIDIA's header differ at input %lld",
         run->variant->symbol, (long long)nvidia_differs);
}

static const kvf_variant *variant_of(kvf_dtype scalar, kvf_dtype format) {
  const kvf_variant *variant =
      kvf_select(&kvf_op_reshape_and_cache_flash, options.backend, scalar, format);
  if (variant == NULL) {
    skip_part("%s to %s is not built", kvf_dtype_name(scalar), kvf_dtype_name(format));
  }
  return variant;
}

static bool begin(void) {
  if (need_backend() && nvidia_fp8_e4m3 == NULL) {
    skip_part("comparison with NVIDIA's header: no CUDA headers");
  }
  return need_backend();
}

/* ---- tests
 * --------------------------------------------------------------------------------------- */

/* Pairs, for keys and values. The CPU refuses those behind TAME, which a GPU only divides by. */
static const float scale_pairs[][2] = {
    {1.0f, 0.1f},           {0.5f, 3e-3f},  {0x1p-126f, 0x1p127f}, {1e-30f, 448.0f},
    {0x1p-130f, 0x1p-149f}, {-0.25f, 1.7f}, {0.0f, INFINITY}};
enum { TAME = 4 };

static size_t pair_count(void) {
  return options.backend == KVF_CUDA ? TEST_COUNT(scale_pairs) : TAME;
}

static void test_16_bit_inputs(void) {
  if (!begin()) {
    return;
  }
  for (int i = 0; i < 2 * (int)TEST_COUNT(formats); ++i) {
    const kvf_variant *variant = variant_of(scalars[1 + i % 2], formats[i / 2]);
    if (variant == NULL) {
      continue;
    }
    codec_run run;
    run_make(&run, variant, 65536);
    for (int bits = 0; bits < 65536; ++bits) {
      const uint16_t given = (uint16_t)bits;
      memcpy(run.source.expected + 2 * (size_t)bits, &given, 2);
    }
    for (size_t k = 0; k < pair_count(); ++k) {
      if (run_call(&run, scale_pairs[k])) {
        run_check(&run, scale_pairs[k]);
      }
    }
    run_free(&run);
  }
}

/* Every 2^(32 - LOG2)-th f32, with varying low bits. */
static void test_f32_sample(void) {
  if (!begin()) {
    return;
  }
  const int log2 = cuda.reset && !options.exhaustive ? 18 : 22;
  for (int i = 0; i < (int)TEST_COUNT(formats); ++i) {
    const kvf_variant *variant = variant_of(KVF_F32, formats[i]);
    if (variant == NULL) {
      continue;
    }
    codec_run run;
    run_make(&run, variant, INT64_C(1) << log2);
    uint64_t state = options.seed;
    for (int64_t k = 0; k < run.count; ++k) {
      const uint32_t step = UINT32_C(1) << (32 - log2);
      const uint32_t bits = (uint32_t)k * step + (uint32_t)(random_next(&state) % step);
      memcpy(run.source.expected + 4 * k, &bits, 4);
    }
    for (size_t k = 0; k < (options.exhaustive ? pair_count() : 1); ++k) {
      if (run_call(&run, scale_pairs[k])) {
        run_check(&run, scale_pairs[k]);
      }
    }
    run_free(&run);
  }
}

/* Around every value and every midpoint of neighbours, 2 units in the last place either side. */
static void test_f32_boundaries(void) {
  if (!begin()) {
    return;
  }
  for (int i = 0; i < (int)TEST_COUNT(formats); ++i) {
    const kvf_variant *variant = variant_of(KVF_F32, formats[i]);
    if (variant == NULL) {
      continue;
    }
    codec_run run;
    run_make(&run, variant, 128 * 2 * 5 * 2);
    int64_t position = 0;
    for (int code = 0; code < 128; ++code) {
      const double here = value_of(formats[i], code);
      const double next = value_of(formats[i], code + 1);
      const float centre[2] = {(float)here, (float)((here + next) / 2)};
      for (int k = 0; k < 20; ++k) {
        uint32_t bits;
        memcpy(&bits, &centre[k % 2], 4);
        bits += (uint32_t)(k / 2 % 5 - 2);
        bits ^= k >= 10 ? 0x80000000u : 0;
        memcpy(run.source.expected + 4 * position++, &bits, 4);
      }
    }
    if (run_call(&run, scale_pairs[0])) {
      run_check(&run, scale_pairs[0]);
    }
    run_free(&run);
  }
}

/* ---- all f32 inputs
 * -------------------------------------------------------------------------------- */

/*
 * Codes grow with the input, so the inputs of one code are one interval of bit patterns.
 * [first[code], first[code + 1]) is that of a code; the last one ends with infinity.
 */
static void find_intervals(kvf_dtype format, uint32_t first[129], int *num_codes) {
  *num_codes = oracle_fp8_largest(format) + 1;
  first[0] = 0;
  for (int code = 1; code < *num_codes; ++code) {
    const float middle = (float)((oracle_fp8_value(format, (uint8_t)(code - 1)) +
                                  oracle_fp8_value(format, (uint8_t)code)) /
                                 2);
    memcpy(&first[code], &middle, 4);
    first[code] += code % 2; /* a tie goes to the even code */
  }
  first[*num_codes] = 0x7F800001u;
}

static void test_f32_exhaustively(void) {
  if (!options.exhaustive) {
    skip_test("2^32 inputs only with --exhaustive");
    return;
  }
  if (!begin()) {
    return;
  }
  enum { BATCH = 1 << 24 };
  for (int i = 0; i < 2; ++i) {
    const kvf_variant *variant = variant_of(KVF_F32, formats[i]);
    if (variant == NULL || (variant->backend == KVF_CUDA && cuda.reset)) {
      continue;
    }
    uint32_t first[129];
    int num_codes = 0;
    find_intervals(formats[i], first, &num_codes);
    codec_run run;
    run_make(&run, variant, BATCH);
    static const float one[2] = {1.0f, 1.0f};
    for (uint64_t start = 0; start <= UINT32_MAX; start += BATCH) {
      for (int64_t k = 0; k < BATCH; ++k) {
        const uint32_t bits = (uint32_t)start + (uint32_t)k;
        memcpy(run.source.expected + 4 * k, &bits, 4);
      }
      const uint8_t sign = start >> 31 ? 0x80 : 0;
      const uint32_t low = (uint32_t)start & 0x7FFFFFFFu;
      memset(run.cache[0].expected, 0x7F, BATCH); /* what is above infinity is NaN */
      for (int code = 0; code < num_codes; ++code) {
        const uint32_t from = first[code] > low ? first[code] - low : 0;
        const uint32_t to = first[code + 1] > low ? first[code + 1] - low : 0;
        if (from < BATCH) {
          memset(run.cache[0].expected + from, code | sign, (to < BATCH ? to : BATCH) - from);
        }
      }
      memcpy(run.cache[1].expected, run.cache[0].expected, BATCH);
      /* buffer_upload() inside would hide an element that is never written: spoil it first. */
      uint8_t *want = malloc(BATCH);
      memcpy(want, run.cache[0].expected, BATCH);
      memset(run.cache[0].expected, 0xA5, BATCH);
      memset(run.cache[1].expected, 0xA5, BATCH);
      const bool called = run_call(&run, one);
      memcpy(run.cache[0].expected, want, BATCH);
      memcpy(run.cache[1].expected, want, BATCH);
      free(want);
      for (int side = 0; called && side < 2; ++side) {
        uint8_t got = 0;
        const int64_t at = buffer_difference(&run.cache[side], &got);
        if (!EXPECT(at < 0, "%s: input 0x%08llX is 0x%02X, want 0x%02X", variant->symbol,
                    (unsigned long long)(start + (uint64_t)(at < 0 ? 0 : at)), got,
                    at < 0 ? 0 : run.cache[side].expected[at])) {
          start = UINT64_C(1) << 32;
        }
      }
    }
    run_free(&run);
  }
}

CU_TestInfo codec_tests[] = {
    {"the oracle", test_oracle},
    {"all 16-bit inputs", test_16_bit_inputs},
    {"f32 sample", test_f32_sample},
    {"f32 rounding boundaries", test_f32_boundaries},
    {"all f32 inputs", test_f32_exhaustively},
    CU_TEST_INFO_NULL,
};
