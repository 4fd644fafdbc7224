/*
 * Codes of kvf_quotient() against codes of a division. They can differ only where x / scale lies
 * beside a boundary between codes, so x is taken there: for each scale and each boundary, the
 * product and its neighbours.
 */
#include "kvforge/quotient.h"
#include "kvforge/cache/indexer.h"

#include <math.h>
#include <string.h>

#include "harness.h"
#include "oracle.h"

enum { SIGNIFICAND = 1 << 23, MAX_BOUNDARIES = 128, NEIGHBOURS = 4 };

typedef struct boundaries {
  kvf_dtype format;
  float value[MAX_BOUNDARIES];
  int count;
} boundaries;

static uint8_t code_of(kvf_dtype format, float value) {
  return format == KVF_INT8 ? (uint8_t)oracle_int8(value) : oracle_fp8(format, value);
}

/* The middles of neighbouring values. */
static boundaries boundaries_of(kvf_dtype format) {
  boundaries found = {.format = format};
  const int last = format == KVF_INT8 ? 127 : oracle_fp8_largest(format);
  for (int code = 0; code < last; ++code) {
    const double here = format == KVF_INT8 ? code : oracle_fp8_value(format, (uint8_t)code);
    const double next =
        format == KVF_INT8 ? code + 1 : oracle_fp8_value(format, (uint8_t)(code + 1));
    found.value[found.count++] = (float)((here + next) / 2);
  }
  return found;
}

/* Whether both quotients are on the same side of a boundary, and on it together. Faster than codes.
 */
static bool same_side(float quotient, float division, float boundary) {
  return (quotient > boundary) == (division > boundary) &&
         (quotient < boundary) == (division < boundary);
}

static bool same_at(const boundaries *of, float scale) {
  const kvf_divisor by = kvf_divide_by(scale);
  for (int i = 0; i < of->count; ++i) {
    const uint32_t product = kvf_bits(of->value[i] * scale);
    for (uint32_t k = 0; k <= 2 * NEIGHBOURS; ++k) {
      const float x = kvf_float(product + k - NEIGHBOURS);
      const float quotient = kvf_quotient(x, by);
      if (!same_side(quotient, x / scale, of->value[i])) {
        return EXPECT(false, "%s: %a / %a gives %a, beside it is %a", kvf_dtype_name(of->format),
                      (double)x, (double)scale, (double)quotient, (double)(x / scale));
      }
    }
  }
  return true;
}

static const kvf_dtype formats[] = {KVF_FP8_E4M3, KVF_FP8_E5M2, KVF_INT8};

/*
 * Scales in [1, 2) whose significand is near a multiple of 2^15: of all others no quotient comes
 * near enough to the middle between a boundary, which has 9 significant bits at most, and its
 * neighbour. With --exhaustive all scales in [1, 2), which says the same without the argument.
 */
static void test_boundaries(void) {
  enum { STEP = 1 << 15, NEAR = 24 };
  for (size_t i = 0; i < TEST_COUNT(formats); ++i) {
    const boundaries of = boundaries_of(formats[i]);
    bool same = true;
    for (uint32_t low = 0; same && low < SIGNIFICAND; ++low) {
      const uint32_t from_multiple = (low + NEAR) % STEP;
      if (options.exhaustive || from_multiple <= 2 * NEAR) {
        same = same_at(&of, kvf_float(0x3F800000u | low));
      }
    }
  }
}

/* Scales and elements of any size, those that are none too. */
static void test_any(void) {
  static const float extremes[] = {0x1p-80f, 0x1.000002p-80f, 0x1p126f,  0x1.fffffep125f,
                                   1.0f,     0x1.fffffep0f,   0x1p-126f, 448.0f};
  static const float particular[] = {0.0f,      INFINITY, NAN,      0x1p-149f,
                                     0x1p-126f, 65536.0f, 0x1p127f, 0x1.fffffep127f,
                                     0x1p-100f, 0x1p-102f};
  uint64_t state = options.seed;
  int64_t quick = 0;
  for (int64_t k = 0; k < (INT64_C(1) << (options.exhaustive ? 28 : 22)); ++k) {
    const uint64_t word = random_next(&state);
    float scale = kvf_float((uint32_t)word & 0x7FFFFFFFu);
    scale = k % 7 == 0 ? extremes[(size_t)k / 7 % TEST_COUNT(extremes)] : scale;
    const kvf_divisor by = kvf_divide_by(scale);
    if (!by.quick) {
      continue;
    }
    ++quick;
    float x = kvf_float((uint32_t)(word >> 32));
    if (k % 3 == 0) { /* a quotient that has a code of its own */
      x = scale * kvf_float(((uint32_t)(word >> 32) & 0x87FFFFFFu) + (116u << 23));
    } else if (k % 5 == 0) {
      x = copysignf(particular[(size_t)k / 5 % TEST_COUNT(particular)], x);
    }
    const kvf_dtype format = formats[k % 3];
    const uint8_t got = code_of(format, kvf_quotient(x, by));
    const uint8_t want = code_of(format, x / scale);
    if (!EXPECT(got == want, "%s: %a / %a has code 0x%02X, want 0x%02X", kvf_dtype_name(format),
                (double)x, (double)scale, got, want)) {
      return;
    }
  }
  EXPECT(quick > (INT64_C(1) << 20), "only %lld scales were quick", (long long)quick);
}

/* What kvf_quotient() does not serve says so. */
static void test_not_quick(void) {
  const float others[] = {0.0f,   -0.0f,           -1.0f,    INFINITY, NAN, 0x1.fffffep-81f,
                          1e-45f, 0x1.000002p126f, -0x1p-20f};
  for (size_t i = 0; i < TEST_COUNT(others); ++i) {
    EXPECT(!kvf_divide_by(others[i]).quick, "%a is said to be quick", (double)others[i]);
  }
}

/* Scales of the indexer's groups, of each largest element; some of these unless --exhaustive. */
static void test_by_448(void) {
  const uint32_t step = options.exhaustive ? 1 : 499;
  for (uint32_t bits = kvf_bits(1e-4f); bits <= kvf_bits(INFINITY); bits += step) {
    const float x = kvf_float(bits);
    if (!EXPECT(kvf_by_448(x) == x / 448.0f, "%a / 448 gives %a", (double)x,
                (double)kvf_by_448(x))) {
      return;
    }
  }
  EXPECT(isinf(kvf_by_448(INFINITY)), "infinity / 448 is finite");
}

/* Elements up to the one that such a scale was made of, and all where that is infinite. */
static void test_by_largest(void) {
  static const float particular[] = {0.0f, 1.0f, INFINITY, NAN, 0x1p-149f, 0x1.fffffep127f};
  uint64_t state = options.seed;
  for (int64_t k = 0; k < (1 << 20); ++k) {
    const uint64_t word = random_next(&state);
    const float largest = k % 64 == 0 ? INFINITY : kvf_float((uint32_t)word & 0x7F7FFFFFu);
    const float scale = kvf_fp8_indexer_scale(kvf_bits(largest));
    const uint32_t sign = (uint32_t)(word >> 32) & 0x80000000u;
    float x = (float)(word >> 40) * 0x1p-24f * largest;
    x = k % 64 == 0 ? particular[(size_t)k / 64 % TEST_COUNT(particular)] : x;
    x = kvf_float(kvf_bits(x) | sign);
    const uint8_t got = code_of(KVF_FP8_E4M3, kvf_near_quotient(x, kvf_fp8_indexer_divisor(scale)));
    const uint8_t want = code_of(KVF_FP8_E4M3, x / scale);
    if (!EXPECT(got == want, "%a / %a has code 0x%02X, want 0x%02X", (double)x, (double)scale, got,
                want)) {
      return;
    }
  }
}

CU_TestInfo quotient_tests[] = {
    {"beside boundaries", test_boundaries},         {"any scale and element", test_any},
    {"scales that are divided by", test_not_quick}, {"scales of the indexer", test_by_448},
    {"elements by these scales", test_by_largest},  CU_TEST_INFO_NULL,
};
