/* indexer_k_quant_and_cache: every byte of the pages against the definition, in double precision.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "mla.h"
#include "oracle.h"
#include "region.h"
#include "writer.h"

#define OP (&kvf_op_indexer_k_quant_and_cache)

enum { K, KV_CACHE, SLOTS_OF_CALL, GROUP_SIZE, FORMAT };

enum {
  WIDTH,
  GROUP_AXIS,
  TOKENS_AXIS,
  BLOCK,
  KEYS,
  PAGES,
  OFFSETS,
  SLOT_AXIS,
  INDEX_AXIS,
  VALUE_AXIS,
  ENTRY_AXIS,
  EXEC_AXIS,
  AXES_OF_OP
};

/* Elements of a key, and groups of which the largest that fits is taken. */
static const int64_t widths[] = {128, 64, 32, 96, 256, 1024, 8, 3};
static const int64_t groups[] = {128, 64, 32, 1024, 4, 1};
static const int64_t tokens[] = {0, 1, 3, 17, 70};
static const int64_t blocks[] = {1, 4, 16, 64};
enum {
  KEYS_CONTIGUOUS,
  KEYS_PADDED,
  KEYS_PADDED_ALIGNED,
  KEYS_STRIDED,
  KEYS_REVERSED,
  KEYS_BROADCAST,
  KEYS_LAYOUTS
};
static const int64_t page_pads[] = {0, 4, 3, 64};
static const struct {
  int keys, cache; /* bytes, mod 16 */
} offsets[] = {{0, 0}, {4, 0}, {0, 4}, {8, 1}, {0, 8}};

typedef struct indexer_case {
  const kvf_variant *variant;
  int64_t head_dim, group, tokens, block_size, page_pad;
  int keys, offset, slots, index, values, entry;
  bool with_exec;
  uint64_t seed;
} indexer_case;

static float scale_of(kvf_dtype cache, float largest) {
  const float least = largest > 1e-4f ? largest : 1e-4f;
  const float scale = (float)((double)least / 448.0);
  int exponent = 0;
  if (cache == KVF_FP8_INDEXER || isinf(scale)) {
    return scale;
  }
  const double fraction = frexp((double)scale, &exponent); /* in [0.5, 1) */
  return (float)ldexp(1.0, fraction == 0.5 ? exponent - 1 : exponent);
}

/* What the page holds for a scale, which is positive or zero. */
static void store_scale(kvf_dtype cache, float scale, uint8_t *to) {
  if (cache == KVF_FP8_INDEXER_MXFP8) {
    memset(to, isinf(scale) ? 255 : ilogbf(scale) + 127, sizeof scale);
  } else {
    memcpy(to, &scale, sizeof scale);
  }
}

/* Where a byte of the page is, for a page of `block_size` tokens. */
static uint8_t *byte_of(const operand *cache, int64_t block, int64_t at) {
  return cache->view.memory->expected + cache->view.start + block * cache->view.stride[0] + at;
}

static void expect_token(const op_call *call, const indexer_case *what, int64_t token,
                         int64_t slot) {
  const int64_t block = slot / what->block_size;
  const int64_t offset = slot % what->block_size;
  const operand *cache = &call->operands[KV_CACHE];
  for (int64_t j = 0; j < what->head_dim / what->group; ++j) {
    float largest = 0;
    for (int64_t d = j * what->group; d < (j + 1) * what->group; ++d) {
      const float magnitude = fabsf((float)oracle_value(
          kvf_scalar_of(what->variant), operand_at(&call->operands[K], token, d, 0, 0)));
      largest = magnitude > largest ? magnitude : largest; /* false for a NaN */
    }
    const float scale = scale_of(kvf_cache_of(what->variant), largest);
    for (int64_t d = j * what->group; d < (j + 1) * what->group; ++d) {
      oracle_store(kvf_scalar_of(what->variant), KVF_FP8_E4M3,
                   operand_at(&call->operands[K], token, d, 0, 0), scale,
                   byte_of(cache, block, offset * what->head_dim + d));
    }
    store_scale(kvf_cache_of(what->variant), scale,
                byte_of(cache, block,
                        what->block_size * what->head_dim +
                            4 * (offset * (what->head_dim / what->group) + j)));
  }
}

/* Every name of a format. */
static const char *format_name(kvf_dtype cache, uint64_t seed) {
  static const char *const plain[] = {"auto", "fp8", "fp8_indexer", "fp8_e4m3"};
  static const char *const powers[] = {"ue8m0", "fp8_indexer_ue8m0"};
  static const char *const exponents[] = {"mxfp8", "fp8_indexer_mxfp8"};
  return cache == KVF_FP8_INDEXER         ? plain[seed % TEST_COUNT(plain)]
         : cache == KVF_FP8_INDEXER_UE8M0 ? powers[seed % TEST_COUNT(powers)]
                                          : exponents[seed % TEST_COUNT(exponents)];
}

static void build(op_call *call, const void *context) {
  const indexer_case *what = context;
  const kvf_dtype scalar = kvf_scalar_of(what->variant);
  const int64_t rows = what->tokens + what->seed % 3; /* some are not read */
  const int64_t keys[2] = {rows, what->head_dim};
  int64_t stride[2] = {what->head_dim, 1};
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  switch (what->keys) {
  case KEYS_PADDED:
    stride[0] += 3;
    break;
  case KEYS_PADDED_ALIGNED:
    stride[0] += 16;
    break;
  case KEYS_STRIDED:
    stride[0] *= 2;
    stride[1] = 2;
    break;
  case KEYS_REVERSED:
    stride[0] = -stride[0];
    break;
  case KEYS_BROADCAST:
    stride[0] = 0;
    break;
  default:
    break;
  }
  const int bytes = kvf_dtype_bits(scalar) / 8;
  operand_make(call, K, dl_dtype(scalar), 2, keys, stride,
               offsets[what->offset].keys / bytes * bytes, 0, what->seed);
  mla_fill(&call->operands[K], scalar, what->values, what->seed + 1);

  const int64_t row = what->head_dim + 4 * (what->head_dim / what->group);
  const int64_t pages = what->tokens / what->block_size + 2;
  const int64_t cache[3] = {pages, what->block_size, row};
  const int64_t cache_stride[3] = {what->block_size * row + what->page_pad, row, 1};
  const DLDataType dtype = what->seed % 2 ? dl_dtype(KVF_FP8_E4M3) : (DLDataType){kDLUInt, 8, 1};
  operand_make(call, KV_CACHE, dtype, 3, cache, cache_stride, offsets[what->offset].cache, 64,
               what->seed + 2);

  uint64_t state = what->seed + 3;
  const bool wide = what->index == INDEX_INT64 || what->index == INDEX_INT64_STRIDED;
  mla_make_indices(call, SLOTS_OF_CALL, what->index, what->tokens, what->seed + 4);
  int64_t *slots = mla_slots(what->slots, what->tokens, pages * what->block_size, wide, &state);
  for (int64_t token = 0; token < what->tokens; ++token) {
    operand_put_index(&call->operands[SLOTS_OF_CALL], token, 0, slots[token]);
  }
  free(slots);
  call->values[GROUP_SIZE] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = what->group};
  call->values[FORMAT] = (kvf_value){
      .kind = KVF_KIND_STRING, .as.string = format_name(kvf_cache_of(what->variant), what->seed)};
}

static void expect_pages(const op_call *call, const indexer_case *what) {
  for (int64_t token = 0; token < what->tokens; ++token) {
    const int64_t slot = operand_get_index(&call->operands[SLOTS_OF_CALL], token, 0);
    if (slot >= 0 && slot < call->operands[KV_CACHE].view.shape[0] * what->block_size) {
      expect_token(call, what, token, slot);
    }
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_indexer_k_quant_and_cache(
      exec, values[K].as.tensor, (DLTensor *)values[KV_CACHE].as.tensor,
      values[SLOTS_OF_CALL].as.tensor, values[GROUP_SIZE].as.integer, values[FORMAT].as.string,
      NULL);
}

static kvf_indexer_k_quant_and_cache_params params_of(const op_call *call,
                                                      const indexer_case *what) {
  const operand *slots = &call->operands[SLOTS_OF_CALL];
  return (kvf_indexer_k_quant_and_cache_params){
      .k = operand_view(&call->operands[K]),
      .kv_cache = operand_view(&call->operands[KV_CACHE]),
      .slots = {.mapping = operand_view(slots).data,
                .stride = slots->view.stride[0],
                .index_bytes = slots->view.dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = call->operands[KV_CACHE].view.shape[0],
                .block_size = what->block_size},
      .head_dim = (int32_t)what->head_dim,
      .group_size = (int32_t)what->group,
      .lane_bits = -1,
      .vector_elements = -1,
      .scales_aligned = -1,
  };
}

static kvf_status invoke(op_call *call, const indexer_case *what) {
  if (what->entry == ENTRY_RAW) {
    const kvf_indexer_k_quant_and_cache_params params = params_of(call, what);
    return kvf_launch_indexer_k_quant_and_cache(call->given_exec, what->variant, &params);
  }
  return op_call_invoke(call, what->entry == ENTRY_TYPED ? typed : NULL);
}

static void run(const indexer_case *what) {
  char name[200];
  (void)snprintf(name, sizeof name,
                 "%s, %lld tokens of %lld in groups of %lld, pages of %lld + %lld bytes, keys %d, "
                 "offsets %d, values %d, seed %llu",
                 what->variant->symbol, (long long)what->tokens, (long long)what->head_dim,
                 (long long)what->group, (long long)what->block_size, (long long)what->page_pad,
                 what->keys, what->offset, what->values, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  op_call_upload(&call);
  expect_pages(&call, what);
  const uint64_t before = faults_before(options.backend);
  (void)expect_done(options.backend, invoke(&call, what), before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(what->variant);
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const covering plan = {.num_axes = AXES_OF_OP,
                         .sizes = {TEST_COUNT(widths), TEST_COUNT(groups), TEST_COUNT(tokens),
                                   TEST_COUNT(blocks), KEYS_LAYOUTS, TEST_COUNT(page_pads),
                                   TEST_COUNT(offsets), SLOT_KINDS, INDEX_KINDS, VALUE_KINDS,
                                   ENTRIES, 2}};
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    int count = 0;
    covering_row *rows = covering_make(&plan, options.seed + (uint64_t)v, &count);
    for (int i = 0; wanted(&OP->variants[v]) && i < count; ++i) {
      const int *value = rows[i].value;
      const int64_t width = widths[value[WIDTH]];
      int64_t group = groups[value[GROUP_AXIS]];
      while (width % group != 0) {
        group /= 2;
      }
      run(&(indexer_case){.variant = &OP->variants[v],
                          .head_dim = width,
                          .group = group,
                          .tokens = tokens[value[TOKENS_AXIS]],
                          .block_size = blocks[value[BLOCK]],
                          .page_pad = page_pads[value[PAGES]],
                          .keys = value[KEYS],
                          .offset = value[OFFSETS],
                          .slots = value[SLOT_AXIS],
                          .index = value[INDEX_AXIS],
                          .values = value[VALUE_AXIS],
                          .entry = value[ENTRY_AXIS],
                          .with_exec = value[EXEC_AXIS],
                          .seed = options.seed * 1000 + (uint64_t)i});
    }
    free(rows);
  }
}

/* Enough for several threads, or thread blocks. */
static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (wanted(&OP->variants[v])) {
      run(&(indexer_case){.variant = &OP->variants[v],
                          .head_dim = 128,
                          .group = 128,
                          .tokens = options.backend == KVF_CPU ? 3000 : 2100,
                          .block_size = 64,
                          .slots = SLOTS_WITH_PADDING,
                          .seed = options.seed + 10});
    }
  }
}

/* The largest element of a group walks over the powers of two at which the scale doubles. */
static void test_powers_of_two(void) {
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const kvf_variant *variant = &OP->variants[v];
    if (!wanted(variant) || kvf_scalar_of(variant) != KVF_F32) {
      continue;
    }
    const indexer_case what = {.variant = variant,
                               .head_dim = 4,
                               .group = 4,
                               .tokens = 40 * 5,
                               .block_size = 16,
                               .slots = SLOTS_CONSECUTIVE,
                               .seed = 21};
    op_call call;
    build(&call, &what);
    for (int64_t token = 0; token < what.tokens; ++token) {
      float value = ldexpf(448.0f, (int)(token / 5) - 20);
      for (int64_t step = token % 5; step != 2; step += step < 2 ? 1 : -1) {
        value = nextafterf(value, token % 5 < 2 ? 0.0f : INFINITY);
      }
      memcpy(operand_at(&call.operands[K], token, 1, 0, 0), &value, sizeof value);
      for (int64_t d = 0; d < 4; ++d) {
        const float other = d == 1 ? value : value / (float)(3 + d);
        memcpy(operand_at(&call.operands[K], token, d, 0, 0), &other, sizeof other);
      }
    }
    op_call_upload(&call);
    expect_pages(&call, &what);
    (void)expect_done(options.backend, op_call_invoke(&call, typed), faults_before(options.backend),
                      0, variant->symbol);
    (void)op_call_verify(&call, variant->symbol);
    op_call_free(&call);
    count_case(variant);
  }
}

/* ---- golden bytes
 * -------------------------------------------------------------------------------- */

#define GOLDEN(name, ...) static const uint8_t golden_##name[] = {__VA_ARGS__};
#include "golden/indexer_page.txt"
#undef GOLDEN

static void test_golden(void) {
  static const int64_t slots[] = {6, 0, 3, -1, 4};
  if (!need_backend()) {
    return;
  }
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const kvf_variant *variant = &OP->variants[v];
    if (!wanted(variant) || kvf_scalar_of(variant) != KVF_F32) {
      continue;
    }
    const indexer_case what = {
        .variant = variant, .head_dim = 64, .group = 32, .tokens = 5, .block_size = 4, .seed = 30};
    op_call call;
    build(&call, &what);
    const size_t bytes = sizeof golden_pages_fp8_indexer;
    uint8_t *cache = byte_of(&call.operands[KV_CACHE], 0, 0);
    memcpy(operand_at(&call.operands[K], 0, 0, 0, 0), golden_k_f32, sizeof golden_k_f32);
    memset(cache, 0xA5, bytes);
    for (int64_t token = 0; token < 5; ++token) {
      operand_put_index(&call.operands[SLOTS_OF_CALL], token, 0, slots[token]);
    }
    op_call_upload(&call);
    memcpy(cache,
           kvf_cache_of(variant) == KVF_FP8_INDEXER         ? golden_pages_fp8_indexer
           : kvf_cache_of(variant) == KVF_FP8_INDEXER_UE8M0 ? golden_pages_fp8_indexer_ue8m0
                                                            : golden_pages_fp8_indexer_mxfp8,
           bytes);
    (void)expect_done(options.backend, op_call_invoke(&call, typed), faults_before(options.backend),
                      0, variant->symbol);
    (void)op_call_verify(&call, "golden page");
    op_call_free(&call);
    count_case(variant);
  }
}

/* ---- indices
 * ------------------------------------------------------------------------------------- */

static void test_out_of_range_in_groups(int64_t head_dim, int64_t group) {
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (!wanted(&OP->variants[v])) {
      continue;
    }
    const indexer_case what = {.variant = &OP->variants[v],
                               .head_dim = head_dim,
                               .group = group,
                               .tokens = 7,
                               .block_size = 4,
                               .seed = 40 + (uint64_t)v};
    op_call call;
    build(&call, &what);
    const int64_t capacity = call.operands[KV_CACHE].view.shape[0] * what.block_size;
    operand_put_index(&call.operands[SLOTS_OF_CALL], 2, 0, capacity);
    operand_put_index(&call.operands[SLOTS_OF_CALL], 5, 0, INT64_MAX);
    op_call_upload(&call);
    const uint64_t before = faults_before(options.backend);
    if (options.backend == KVF_CPU) {
      EXPECT_STATUS(op_call_invoke(&call, typed), KVF_OUT_OF_RANGE);
      EXPECT_TEXT(kvf_last_error(), "slot_mapping: element 2 is");
    } else {
      expect_pages(&call, &what);
      (void)expect_done(options.backend, op_call_invoke(&call, typed), before, 2,
                        what.variant->symbol);
    }
    (void)op_call_verify(&call, "slots out of range");
    op_call_free(&call);
    count_case(what.variant);
  }
}

static void test_out_of_range(void) {
  if (need_backend()) {
    test_out_of_range_in_groups(64, 32);
    test_out_of_range_in_groups(128, 128); /* CUDA's short way */
  }
}

/* Pages and keys that lie beyond 2^31 elements. */
static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  enum { HEAD_DIM = 64, TOKENS_FAR = 2 };
  const int64_t far = (INT64_C(1) << 31) + 64;
  const int64_t shape[][3] = {{TOKENS_FAR, HEAD_DIM}, {2, 4, HEAD_DIM + 4}, {TOKENS_FAR}};
  const int64_t stride[][3] = {{far, 1}, {far, HEAD_DIM + 4, 1}, {1}};
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    const kvf_variant *variant = &OP->variants[v];
    if (!wanted(variant)) {
      continue;
    }
    const size_t bytes = (size_t)kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
    const DLDataType dtypes[] = {
        dl_dtype(kvf_scalar_of(variant)), {kDLUInt, 8, 1}, {kDLInt, 64, 1}};
    const int64_t slots[TOKENS_FAR] = {1, 6};
    op_call call = {.op = OP, .exec = {.backend = options.backend}};
    region memory[3] = {{.size = 0}};
    buffer place[3];
    bool made = true;
    for (int i = 0; i < 3; ++i) {
      made = made &&
             region_make(&memory[i], options.backend, (size_t)(far + 4096) * (i == K ? bytes : 1));
      place[i] = (buffer){.backend = options.backend, .place = memory[i].place};
      tensor *view = &call.operands[i].view;
      *view = (tensor){.memory = &place[i],
                       .dtype = dtypes[i],
                       .rank = i == K          ? 2
                               : i == KV_CACHE ? 3
                                               : 1};
      memcpy(view->shape, shape[i], sizeof shape[i]);
      memcpy(view->stride, stride[i], sizeof stride[i]);
    }
    call.values[GROUP_SIZE] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = HEAD_DIM};
    call.values[FORMAT] =
        (kvf_value){.kind = KVF_KIND_STRING, .as.string = kvf_dtype_name(kvf_cache_of(variant))};
    uint8_t keys[TOKENS_FAR][HEAD_DIM][4];
    if (!made) {
      skip_test("no room for tensors of 2^31 elements");
    } else {
      region_put(&memory[SLOTS_OF_CALL], 0, slots, sizeof slots);
      for (int token = 0; token < TOKENS_FAR; ++token) {
        for (int d = 0; d < HEAD_DIM; ++d) {
          oracle_make(kvf_scalar_of(variant), (d - 20) * (1 + token) / 8.0, keys[token][d]);
          region_put(&memory[K], (token * far + d) * (int64_t)bytes, keys[token][d], bytes);
        }
      }
      (void)expect_done(options.backend, op_call_invoke(&call, typed),
                        faults_before(options.backend), 0, variant->symbol);
      for (int token = 0; token < TOKENS_FAR; ++token) {
        const float scale =
            scale_of(kvf_cache_of(variant), (float)((HEAD_DIM - 21) * (1 + token) / 8.0));
        const int64_t page = slots[token] / 4 * far;
        uint8_t want_scale[4];
        uint8_t got_scale[4];
        store_scale(kvf_cache_of(variant), scale, want_scale);
        region_get(&memory[KV_CACHE], page + 4 * HEAD_DIM + slots[token] % 4 * 4, got_scale, 4);
        EXPECT(memcmp(got_scale, want_scale, 4) == 0, "%s: far scale is not that of %g",
               variant->symbol, (double)scale);
        for (int d = 0; d < HEAD_DIM; ++d) {
          uint8_t got;
          uint8_t want;
          oracle_store(kvf_scalar_of(variant), KVF_FP8_E4M3, keys[token][d], scale, &want);
          region_get(&memory[KV_CACHE], page + slots[token] % 4 * HEAD_DIM + d, &got, 1);
          EXPECT(got == want, "%s: far code %d is %d, want %d", variant->symbol, d, got, want);
        }
      }
      count_case(variant);
    }
    for (int i = 0; i < 3; ++i) {
      region_free(&memory[i]);
    }
    if (!made) {
      return;
    }
  }
}

/* ---- bad arguments
 * ------------------------------------------------------------------------------- */

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no k", ON_BOTH, "k", SPOIL_NULL, 0, 0, NULL, VALUE_, "k", "NULL", "want a tensor"},
  {"no kv_cache", ON_BOTH, "kv_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"k of rank 3", ON_BOTH, "k", SPOIL_RANK, 0, 3, NULL, VALUE_, "k", "rank is 3", "want 2"},
  {"kv_cache of rank 2", ON_BOTH, "kv_cache", SPOIL_RANK, 0, 2, NULL, VALUE_, "kv_cache", "rank is 2", "want 3"},
  {"slot_mapping of rank 2", ON_BOTH, "slot_mapping", SPOIL_RANK, 0, 2, NULL, VALUE_, "slot_mapping", "rank is 2", "want 1"},
  {"fewer keys", ON_BOTH, "k", SPOIL_SIZE, 0, 4, NULL, VALUE_, "k", "has 4 rows", "want at least 5"},
  {"other width", ON_BOTH, "k", SPOIL_SIZE, 1, 32, NULL, VALUE_, "kv_cache", "is 72", "want 36"},
  {"shorter rows", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 71, NULL, VALUE_, "kv_cache", "(head_dim + 4 * scales) is 71", "want 72"},
  {"negative size", ON_BOTH, "kv_cache", SPOIL_SIZE, 1, -4, NULL, VALUE_, "kv_cache", "is -4", "want 0 or more"},
  {"gaps between tokens", ON_BOTH, "kv_cache", SPOIL_STRIDE, 1, 80, NULL, VALUE_, "kv_cache", "stride of dimension 1 is 80", "want 72"},
  {"gaps between bytes", ON_BOTH, "kv_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "kv_cache", "stride of dimension 2 is 2", "want 1"},
  {"overlapping pages", ON_BOTH, "kv_cache", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "kv_cache", "stride of dimension 0 (num_blocks) is 0", "do not overlap"},
  {"group of 0", ON_BOTH, "quant_block_size", SPOIL_INT, 0, 0, NULL, VALUE_, "quant_block_size", "got 0", "power of two that divides 64"},
  {"negative group", ON_BOTH, "quant_block_size", SPOIL_INT, 0, -32, NULL, VALUE_, "quant_block_size", "got -32", "power of two"},
  {"group of 48", ON_BOTH, "quant_block_size", SPOIL_INT, 0, 48, NULL, VALUE_, "quant_block_size", "got 48", "power of two"},
  {"group of 128", ON_BOTH, "quant_block_size", SPOIL_INT, 0, 128, NULL, VALUE_, "quant_block_size", "got 128", "divides 64"},
  {"other group", ON_BOTH, "quant_block_size", SPOIL_INT, 0, 64, NULL, VALUE_, "kv_cache", "is 72", "want 68"},
  {"no format", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_dtype", "got NULL", "ue8m0, mxfp8"},
  {"capitals", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "UE8M0", VALUE_, "kv_cache_dtype", "got 'UE8M0'", "want one of auto, fp8, fp8_e4m3, ue8m0, mxfp8"},
  {"unknown format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "nonsense", VALUE_, "kv_cache_dtype", "got 'nonsense'", "fp8_indexer_mxfp8"},
  {"other codes", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp8_e5m2", VALUE_, "kv_cache_dtype", "got 'fp8_e5m2'", "want one of auto"},
  {"k is int8", ON_BOTH, "k", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "k", "dtype is int8", "want float32, float16, bfloat16"},
  {"kv_cache is bfloat16", ON_BOTH, "kv_cache", SPOIL_DTYPE, kDLBfloat, 16, NULL, TYPE, "kv_cache", "dtype is bfloat16", "or uint8"},
  {"slot_mapping is float32", ON_BOTH, "slot_mapping", SPOIL_DTYPE, kDLFloat, 32, NULL, TYPE, "slot_mapping", "dtype is float32", "int32, int64"},
  {"kv_cache on CUDA", ON_CPU, "kv_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "kv_cache", "on CUDA device 0", "want the CPU"},
  {"slot_mapping on the CPU", ON_CUDA, "slot_mapping", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "slot_mapping", "on the CPU", "want CUDA device 0"},
  {"no address", ON_BOTH, "kv_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "kv_cache", "data is NULL", "want an address"},
  {"odd address", ON_BOTH, "k", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "k", "not a multiple", "bytes"},
  {"slot out of range", ON_CPU, "slot_mapping", SPOIL_INDEX, 3, 12, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 3 is 12", "less than 12"},
};
/* clang-format on */

static const kvf_variant *any_variant(void) {
  for (int32_t v = 0; v < OP->num_variants; ++v) {
    if (wanted(&OP->variants[v])) {
      return &OP->variants[v];
    }
  }
  skip_test("no variant of %s is built", OP->name);
  return NULL;
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const indexer_case small = {.variant = any_variant(),
                              .head_dim = 64,
                              .group = 32,
                              .tokens = 5,
                              .block_size = 4,
                              .seed = 60};
  if (small.variant != NULL) {
    op_call_test_overlap(build, &small, typed, "kv_cache", "k");
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
  }
}

static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  const indexer_case small = {.variant = any_variant(),
                              .head_dim = 64,
                              .group = 32,
                              .tokens = 5,
                              .block_size = 4,
                              .seed = 60};
  if (small.variant == NULL) {
    return;
  }
  op_call call;
  build(&call, &small);
  op_call_upload(&call);
  struct {
    kvf_indexer_k_quant_and_cache_params params;
    const char *member;
  } rows[9];
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    rows[i].params = params_of(&call, &small);
  }
  rows[0].params.k.data = NULL;
  rows[0].member = "k: got NULL";
  rows[1].params.kv_cache.data = NULL;
  rows[1].member = "kv_cache: got NULL";
  rows[2].params.head_dim = -1;
  rows[2].member = "head_dim: got -1";
  rows[3].params.group_size = 24;
  rows[3].member = "group_size: got 24";
  rows[4].params.slots.mapping = NULL;
  rows[4].member = "slot_mapping: got NULL";
  rows[5].params.slots.num_tokens = -1;
  rows[5].member = "num_tokens: got -1";
  rows[6].params.slots.block_size = 0;
  rows[6].member = "block_size: got 0";
  rows[7].params.slots.num_blocks = -1;
  rows[7].member = "num_blocks: got -1";
  rows[8].params.slots.index_bytes = 2;
  rows[8].member = "index_bytes: got 2";
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_indexer_k_quant_and_cache(NULL, small.variant, &rows[i].params),
                  KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo indexer_k_quant_and_cache_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"around powers of two", test_powers_of_two},
    {"golden pages", test_golden},
    {"strides beyond 2^31", test_far},
    {"slots out of range", test_out_of_range},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
