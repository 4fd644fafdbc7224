/* reshape_and_cache: key pages of [head, element div x, token, element mod x], value pages of
 * [head, element, token]. */
#include <string.h>

#include "writer.h"

enum {
  COMPACT,
  PACKED_PAGES, /* K and V in one allocation, page beside page */
  PADDED,
  PADDED_ALIGNED,
  ELEMENTS_FASTEST, /* value pages as [head, token, element] */
  TOKENS_SLOWEST,   /* key pages as [token, head, element div x, element mod x] */
  PADDED_AND_COMPACT,
  STRIDED, /* no unit stride at all */
  REVERSED,
  LAYOUTS
};

static void shape(const writer_sizes *sizes, int64_t shapes[SIDES][5]) {
  const int64_t groups = sizes->head_size / sizes->x + (sizes->head_size % sizes->x != 0);
  const int64_t key[5] = {sizes->num_blocks, sizes->num_heads, groups, sizes->block_size, sizes->x};
  const int64_t value[5] = {sizes->num_blocks, sizes->num_heads, sizes->head_size,
                            sizes->block_size};
  memcpy(shapes[0], key, sizeof key);
  memcpy(shapes[1], value, sizeof value);
}

static placement layout(int kind, const writer_sizes *sizes, const int64_t shapes[SIDES][5]) {
  placement place = {.shared = kind == PACKED_PAGES};
  int64_t *key = place.stride[0];
  int64_t *value = place.stride[1];
  const int64_t key_span = lay_out(key, shapes[0], "01234", 1, 0);
  const int64_t value_span = lay_out(value, shapes[1], "0123", 1, 0);
  switch (kind) {
  case PACKED_PAGES:
    place.value_start = key_span / sizes->num_blocks;
    key[0] = value[0] = place.value_start + value_span / sizes->num_blocks;
    break;
  case PADDED:
    lay_out(key, shapes[0], "01234", 1, 3);
    lay_out(value, shapes[1], "0123", 1, 5);
    break;
  case PADDED_ALIGNED:
    lay_out_aligned(key, shapes[0], "01234", 64);
    lay_out_aligned(value, shapes[1], "0123", 32);
    break;
  case ELEMENTS_FASTEST:
    lay_out(value, shapes[1], "0132", 1, 0);
    break;
  case TOKENS_SLOWEST:
    lay_out(key, shapes[0], "03124", 1, 0);
    break;
  case PADDED_AND_COMPACT:
    value[0] += 256;
    break;
  case STRIDED:
    lay_out(key, shapes[0], "01234", 2, 0);
    lay_out(value, shapes[1], "0123", 3, 1);
    break;
  case REVERSED:
    key[0] = -key[0];
    value[3] = -value[3];
    break;
  default:
    break;
  }
  return place;
}

static int64_t at(const tensor *cache, int side, int64_t block, int64_t offset, int64_t head,
                  int64_t element) {
  const int64_t *stride = cache->stride;
  const int64_t page = block * stride[0] + head * stride[1] + offset * stride[3];
  if (side == 1) {
    return page + element * stride[2];
  }
  const int64_t x = cache->shape[4];
  return page + element / x * stride[2] + element % x * stride[4];
}

static kvf_status raw(const kvf_exec *exec, const kvf_variant *variant, const writer_call *call) {
  const kvf_reshape_and_cache_params params = {WRITER_PARAMS(call), .x = (int32_t)call->sizes.x,
                                               .vector_elements = -1, .key_vector_elements = -1};
  return kvf_launch_reshape_and_cache(exec, variant, &params);
}

/* 0: 16 bytes, as engines have it; -1: the whole head. 3, and some of the others, divide nothing.
 */
static const int x_choices[] = {0, 1, 3, 4, 8, 16, -1};

static const writer_op op = {
    .op = &kvf_op_reshape_and_cache,
    .typed = kvf_reshape_and_cache,
    .raw = raw,
    .num_layouts = LAYOUTS,
    .rank = {5, 4},
    .shape = shape,
    .layout = layout,
    .at = at,
    .x_choices = x_choices,
    .num_x = TEST_COUNT(x_choices),
};

static void test_matrix(void) { writer_test_matrix(&op); }
static void test_padded(void) { writer_test_padded(&op, PADDED_ALIGNED); }
static void test_large(void) { writer_test_large(&op); }
/* 65,535 tiles of 64 elements are the most. */
static void test_long_rows(void) { writer_test_long_rows(&op, (65535 + 2) * INT64_C(64)); }
static void test_far(void) { writer_test_far(&op); }
static void test_out_of_range(void) { writer_test_out_of_range(&op); }
static void test_bad_arguments(void) { writer_test_bad_arguments(&op); }
static void test_bad_params(void) { writer_test_bad_params(&op); }

CU_TestInfo reshape_and_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"heads that end inside a vector", test_padded},
    {"large calls", test_large},
    {"long rows", test_long_rows},
    {"strides beyond 2^31", test_far},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
