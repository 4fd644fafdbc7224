/* reshape_and_cache_flash: pages of [block, token, head, element]. */
#include <string.h>

#include "writer.h"

enum {
  NHD,
  HND,
  PACKED_PAGES, /* K and V in one allocation, page beside page */
  PACKED_HEADS, /* head beside head, as [block, token, head, 2, element] */
  PADDED,
  PADDED_ALIGNED,
  NHD_AND_HND,
  PADDED_AND_COMPACT,
  STRIDED, /* no unit stride at all */
  REVERSED,
  LAYOUTS
};

static void shape(const writer_sizes *sizes, int64_t shapes[SIDES][5]) {
  for (int side = 0; side < SIDES; ++side) {
    const int64_t made[5] = {sizes->num_blocks, sizes->block_size, sizes->num_heads,
                             sizes->head_size};
    memcpy(shapes[side], made, sizeof made);
  }
}

static placement layout(int kind, const writer_sizes *sizes, const int64_t shapes[SIDES][5]) {
  placement place = {.shared = kind == PACKED_PAGES || kind == PACKED_HEADS};
  int64_t *key = place.stride[0];
  int64_t *value = place.stride[1];
  const int64_t *shape_of = shapes[0];
  const int64_t span = lay_out(key, shape_of, "0123", 1, 0);
  lay_out(value, shape_of, "0123", 1, 0);
  switch (kind) {
  case HND:
    lay_out(key, shape_of, "0213", 1, 0);
    lay_out(value, shape_of, "0213", 1, 0);
    break;
  case PACKED_PAGES:
    place.value_start = span / sizes->num_blocks;
    key[0] = value[0] = 2 * place.value_start;
    break;
  case PACKED_HEADS:
    place.value_start = sizes->head_size;
    for (int dimension = 0; dimension < 3; ++dimension) {
      key[dimension] *= 2;
      value[dimension] *= 2;
    }
    break;
  case PADDED:
    lay_out(key, shape_of, "0123", 1, 3);
    lay_out(value, shape_of, "0123", 1, 5);
    break;
  case PADDED_ALIGNED:
    lay_out_aligned(key, shape_of, "0123", 64);
    lay_out_aligned(value, shape_of, "0123", 32);
    break;
  case NHD_AND_HND:
    lay_out(value, shape_of, "0213", 1, 0);
    break;
  case PADDED_AND_COMPACT:
    key[0] += 256;
    break;
  case STRIDED:
    lay_out(key, shape_of, "0123", 2, 0);
    lay_out(value, shape_of, "0213", 3, 1);
    break;
  case REVERSED:
    key[0] = -key[0];
    value[2] = -value[2];
    break;
  default:
    break;
  }
  return place;
}

static int64_t at(const tensor *cache, int side, int64_t block, int64_t offset, int64_t head,
                  int64_t element) {
  (void)side;
  return block * cache->stride[0] + offset * cache->stride[1] + head * cache->stride[2] +
         element * cache->stride[3];
}

static kvf_status raw(const kvf_exec *exec, const kvf_variant *variant, const writer_call *call) {
  const kvf_reshape_and_cache_flash_params params = {WRITER_PARAMS(call), .vector_elements = -1};
  return kvf_launch_reshape_and_cache_flash(exec, variant, &params);
}

static const writer_op op = {
    .op = &kvf_op_reshape_and_cache_flash,
    .typed = kvf_reshape_and_cache_flash,
    .raw = raw,
    .num_layouts = LAYOUTS,
    .rank = {4, 4},
    .shape = shape,
    .layout = layout,
    .at = at,
};

static void test_matrix(void) { writer_test_matrix(&op); }
static void test_padded(void) { writer_test_padded(&op, PADDED_ALIGNED); }
static void test_large(void) { writer_test_large(&op); }
/* 65,535 blocks of 256 threads are the most. */
static void test_long_rows(void) { writer_test_long_rows(&op, (65535 + 2) * INT64_C(256)); }
static void test_far(void) { writer_test_far(&op); }
static void test_out_of_range(void) { writer_test_out_of_range(&op); }
static void test_bad_arguments(void) { writer_test_bad_arguments(&op); }
static void test_bad_params(void) { writer_test_bad_params(&op); }

CU_TestInfo reshape_and_cache_flash_tests[] = {
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
