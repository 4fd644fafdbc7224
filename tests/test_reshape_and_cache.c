/* reshape_and_cache: key pages of [head, element div x, token, element mod x], value pages of
 * [head, element, token] or, interleaved, [head, token div x, element, token mod x]. */
#include <stdio.h>
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
  const int64_t value[5] = {sizes->num_blocks, sizes->num_heads, sizes->value_head_size,
                            sizes->block_size};
  memcpy(shapes[0], key, sizeof key);
  memcpy(shapes[1], value, sizeof value);
}

static void shape_interleaved(const writer_sizes *sizes, int64_t shapes[SIDES][5]) {
  shape(sizes, shapes);
  const int64_t value[5] = {sizes->num_blocks, sizes->num_heads, sizes->block_size / sizes->x,
                            sizes->value_head_size, sizes->x};
  memcpy(shapes[1], value, sizeof value);
}

static placement layout(int kind, const writer_sizes *sizes, const int64_t shapes[SIDES][5]) {
  placement place = {.shared = kind == PACKED_PAGES};
  int64_t *key = place.stride[0];
  int64_t *value = place.stride[1];
  const int64_t key_span = lay_out(key, shapes[0], "01234", 1, 0);
  const bool interleaved = shapes[1][4] > 0;
  const char *order = interleaved ? "01234" : "0123";
  const int64_t value_span = lay_out(value, shapes[1], order, 1, 0);
  switch (kind) {
  case PACKED_PAGES:
    place.value_start = key_span / sizes->num_blocks;
    key[0] = value[0] = place.value_start + value_span / sizes->num_blocks;
    break;
  case PADDED:
    lay_out(key, shapes[0], "01234", 1, 3);
    lay_out(value, shapes[1], order, 1, 5);
    break;
  case PADDED_ALIGNED:
    lay_out_aligned(key, shapes[0], "01234", 64);
    lay_out_aligned(value, shapes[1], order, 32);
    break;
  case ELEMENTS_FASTEST:
    lay_out(value, shapes[1], interleaved ? "01243" : "0132", 1, 0);
    break;
  case TOKENS_SLOWEST:
    lay_out(key, shapes[0], "03124", 1, 0);
    break;
  case PADDED_AND_COMPACT:
    value[0] += 256;
    break;
  case STRIDED:
    lay_out(key, shapes[0], "01234", 2, 0);
    lay_out(value, shapes[1], order, 3, 1);
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

static int64_t at_interleaved(const tensor *cache, int side, int64_t block, int64_t offset,
                              int64_t head, int64_t element) {
  if (side == 0) {
    return at(cache, side, block, offset, head, element);
  }
  const int64_t *stride = cache->stride;
  const int64_t x = cache->shape[4];
  return block * stride[0] + head * stride[1] + offset / x * stride[2] + element * stride[3] +
         offset % x * stride[4];
}

static kvf_reshape_and_cache_params params_of(const writer_call *call) {
  return (kvf_reshape_and_cache_params){
      WRITER_PARAMS(call),         .value_head_size = (int32_t)call->sizes.value_head_size,
      .x = (int32_t)call->sizes.x, .interleaved_v = call->op->flag,
      .vector_elements = -1,       .key_vector_elements = -1};
}

static kvf_status raw(const kvf_exec *exec, const kvf_variant *variant, const writer_call *call) {
  kvf_reshape_and_cache_params params = params_of(call);
  params.value_cache.stride[4] = INT64_MAX; /* of groups that there are none of */
  return kvf_launch_reshape_and_cache(exec, variant, &params);
}

static kvf_status raw_interleaved(const kvf_exec *exec, const kvf_variant *variant,
                                  const writer_call *call) {
  kvf_reshape_and_cache_params params = params_of(call);
  const int64_t *stride = call->view[VALUE_CACHE].stride;
  params.value_cache.stride[2] = stride[3];
  params.value_cache.stride[3] = stride[4];
  params.value_cache.stride[4] = stride[2];
  return kvf_launch_reshape_and_cache(exec, variant, &params);
}

static kvf_status typed(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                        DLTensor *key_cache, DLTensor *value_cache, const DLTensor *slot_mapping,
                        const char *kv_cache_dtype, const DLTensor *k_scale,
                        const DLTensor *v_scale, const DLTensor *slot_remap) {
  return kvf_reshape_and_cache(exec, key, value, key_cache, value_cache, slot_mapping,
                               kv_cache_dtype, k_scale, v_scale, false, slot_remap);
}

static kvf_status typed_interleaved(const kvf_exec *exec, const DLTensor *key,
                                    const DLTensor *value, DLTensor *key_cache,
                                    DLTensor *value_cache, const DLTensor *slot_mapping,
                                    const char *kv_cache_dtype, const DLTensor *k_scale,
                                    const DLTensor *v_scale, const DLTensor *slot_remap) {
  return kvf_reshape_and_cache(exec, key, value, key_cache, value_cache, slot_mapping,
                               kv_cache_dtype, k_scale, v_scale, true, slot_remap);
}

/* 0: 16 bytes, as engines have it; -1: the whole head. 3, and some of the others, divide nothing.
 */
static const int x_choices[] = {0, 1, 3, 4, 8, 16, -1};

static const writer_op op = {
    .op = &kvf_op_reshape_and_cache,
    .typed = typed,
    .raw = raw,
    .num_layouts = LAYOUTS,
    .rank = {5, 4},
    .shape = shape,
    .layout = layout,
    .at = at,
    .x_choices = x_choices,
    .num_x = TEST_COUNT(x_choices),
};

static const writer_op interleaved = {
    .op = &kvf_op_reshape_and_cache,
    .typed = typed_interleaved,
    .raw = raw_interleaved,
    .num_layouts = LAYOUTS,
    .rank = {5, 5},
    .shape = shape_interleaved,
    .layout = layout,
    .at = at_interleaved,
    .x_choices = x_choices,
    .num_x = TEST_COUNT(x_choices),
    .x_divides_pages = true,
    .flag = true,
};

/* ---- interleaved values in memory that is said to be of [head, element, token]
 * -------------------- */

enum { FLAT_COMPACT, FLAT_PADDED_HEADS, FLAT_LAYOUTS };

static placement layout_flat(int kind, const writer_sizes *sizes, const int64_t shapes[SIDES][5]) {
  placement place = {.shared = false};
  int64_t *value = place.stride[1];
  lay_out(place.stride[0], shapes[0], "01234", 1, 0);
  lay_out(value, shapes[1], "0123", 1, 0);
  if (kind == FLAT_PADDED_HEADS) {
    value[1] += 24;
    value[0] = value[1] * sizes->num_heads + 40;
  }
  return place;
}

/* Groups of 16 bytes, or of what divides a page. */
static int64_t flat_x(const tensor *cache) {
  int64_t x = 128 / cache->dtype.bits;
  while (cache->shape[3] % x != 0) {
    --x;
  }
  return x;
}

static int64_t at_flat(const tensor *cache, int side, int64_t block, int64_t offset, int64_t head,
                       int64_t element) {
  if (side == 0) {
    return at(cache, side, block, offset, head, element);
  }
  const int64_t x = flat_x(cache);
  return block * cache->stride[0] + head * cache->stride[1] + offset / x * cache->shape[2] * x +
         element * x + offset % x;
}

static kvf_status raw_flat(const kvf_exec *exec, const kvf_variant *variant,
                           const writer_call *call) {
  kvf_reshape_and_cache_params params = params_of(call);
  params.value_cache.stride[2] = params.x;
  params.value_cache.stride[3] = 1;
  params.value_cache.stride[4] = call->sizes.value_head_size * params.x;
  return kvf_launch_reshape_and_cache(exec, variant, &params);
}

static const writer_op flat = {
    .op = &kvf_op_reshape_and_cache,
    .typed = typed_interleaved,
    .raw = raw_flat,
    .num_layouts = FLAT_LAYOUTS,
    .rank = {5, 4},
    .shape = shape,
    .layout = layout_flat,
    .at = at_flat,
    .x_choices = x_choices,
    .num_x = 1, /* 16 bytes */
    .x_divides_pages = true,
    .flag = true,
};

/* Two heads of 16, x = 8, pages of 16: slot 27 is place 11 of page 1; head 1, element 5. */
static void test_known_place(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_reshape_and_cache.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_reshape_and_cache.variants[i];
    if (!writer_wants(variant) || kvf_scalar_of(variant) != KVF_BF16 ||
        kvf_cache_of(variant) != KVF_BF16) {
      continue;
    }
    const writer_case what = {.variant = variant,
                              .heads = 2,
                              .head_size = 16,
                              .block_size = 16,
                              .tokens = 1,
                              .seed = options.seed * 2};
    writer_call call;
    writer_build(&call, &flat, &what);
    memset(call.memory[VALUE].expected, 0, call.memory[VALUE].size);
    const tensor *value = &call.view[VALUE];
    memcpy(call.memory[VALUE].expected + value->start + (16 + 5) * 2, "\x80\x3F", 2);
    writer_set_slot(&call, 0, 27);
    buffer_upload(&call.memory[VALUE]);
    buffer_upload(&call.memory[SLOT_MAPPING]);
    writer_expect(&call);
    EXPECT(memcmp(call.memory[VALUE_CACHE].expected + call.view[VALUE_CACHE].start + 939 * 2,
                  "\x80\x3F", 2) == 0,
           "the oracle has another place");
    EXPECT_STATUS(writer_invoke(&call, ENTRY_TYPED, false), KVF_OK);
    const char *wrong = memory_synchronize(variant->backend);
    EXPECT(wrong == NULL, "%s: %s", variant->symbol, wrong);
    (void)writer_verify(&call, "a known place");
    writer_free(&call);
    count_case(variant);
  }
}

typedef struct bad_interleaved {
  const char *what;
  const writer_op *op;
  int which;
  int dimension;
  bool stride; /* not a size */
  int64_t number;
  const char *message;
} bad_interleaved;

/* Pages of 4 tokens, two heads of 24; x is 4. */
static const bad_interleaved bad[] = {
    {"groups that do not fill pages", &interleaved, KEY_CACHE, 4, false, 8,
     "interleaved_v: block_size is 4, want a multiple of 8 (x)"},
    {"another number of groups", &interleaved, VALUE_CACHE, 2, false, 3,
     "value_cache: size of dimension 2 (block_size / x) is 3, want 1 as in key_cache"},
    {"groups of another size", &interleaved, VALUE_CACHE, 4, false, 2,
     "value_cache: size of dimension 4 (x) is 2, want 4 as in key_cache"},
    {"another head_size", &interleaved, VALUE_CACHE, 3, false, 8,
     "value_cache: size of dimension 3 (value_head_size) is 8, want 24 as in value"},
    {"another block_size", &flat, VALUE_CACHE, 3, false, 8,
     "value_cache: size of dimension 3 (block_size) is 8, want 4 as in key_cache"},
    {"gaps behind elements", &flat, VALUE_CACHE, 2, true, 5,
     "value_cache: strides of dimensions 2 and 3 are 5 and 1, want 4 and 1 (no gaps), or rank 5"},
    {"gaps between tokens", &flat, VALUE_CACHE, 3, true, 2, "strides of dimensions 2 and 3 are 4"},
};

static void test_bad_interleaved(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_reshape_and_cache.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_reshape_and_cache.variants[i];
    for (size_t row = 0; writer_wants(variant) && row < TEST_COUNT(bad); ++row) {
      const writer_case what = {.variant = variant,
                                .heads = 2,
                                .head_size = 24,
                                .block_size = 4,
                                .tokens = 3,
                                .seed = options.seed * 2};
      writer_call call;
      writer_build(&call, bad[row].op, &what);
      tensor *view = &call.view[bad[row].which];
      int64_t *number = &(bad[row].stride ? view->stride : view->shape)[bad[row].dimension];
      const int64_t good = *number;
      *number = bad[row].number;
      if (bad[row].which == KEY_CACHE) {
        view->shape[2] = 3; /* 24 / 8 */
      }
      EXPECT_STATUS(writer_invoke(&call, (int)(row % 2), false), KVF_INVALID_VALUE);
      EXPECT_TEXT(kvf_last_error(), bad[row].message);
      *number = good;
      (void)memory_synchronize(variant->backend);
      (void)writer_verify(&call, bad[row].what);
      writer_free(&call);
      count_case(variant);
    }
  }
}

static void test_matrix(void) { writer_test_matrix(&op); }
static void test_padded(void) { writer_test_padded(&op, PADDED_ALIGNED); }
static void test_different(void) {
  writer_test_different(&op);
  writer_test_different(&interleaved);
  writer_test_different(&flat);
}
static void test_interleaved(void) { writer_test_matrix(&interleaved); }
static void test_flat(void) { writer_test_out_of_range(&flat); }
static void test_large(void) { writer_test_large(&op); }
static void test_large_interleaved(void) { writer_test_large(&interleaved); }
static void test_large_flat(void) { writer_test_large(&flat); }
/* 65,535 tiles of 128 elements are the most. */
static void test_long_rows(void) { writer_test_long_rows(&op, (65535 + 2) * INT64_C(128)); }
static void test_far(void) { writer_test_far(&op); }
static void test_far_interleaved(void) { writer_test_far(&interleaved); }
static void test_out_of_range(void) { writer_test_out_of_range(&op); }
static void test_bad_arguments(void) { writer_test_bad_arguments(&op); }
static void test_bad_params(void) { writer_test_bad_params(&op); }

CU_TestInfo reshape_and_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"heads that end inside a vector", test_padded},
    {"heads of different sizes", test_different},
    {"every pair of axis values, interleaved", test_interleaved},
    {"interleaved in pages of rank 4", test_flat},
    {"interleaved: a known place", test_known_place},
    {"interleaved: bad arguments", test_bad_interleaved},
    {"large calls", test_large},
    {"large calls, interleaved", test_large_interleaved},
    {"large calls, interleaved in pages of rank 4", test_large_flat},
    {"long rows", test_long_rows},
    {"strides beyond 2^31", test_far},
    {"strides beyond 2^31, interleaved", test_far_interleaved},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
