/* concat_and_cache_mla: plain rows and the row formats of sparse MLA caches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "mla.h"

enum {
  KV_C,
  K_PE,
  KV_CACHE,
  SLOT_MAPPING,
  KV_CACHE_DTYPE,
  SCALE,
  SKIP_SCALE,
  KPE_CACHE,
  KPE_SCALE,
  ARGUMENTS
};

/* The axes that cases vary. */
enum {
  SIZES,
  BLOCK_SIZE,
  TOKENS,
  SOURCES,
  KV_C_OFFSET,
  K_PE_OFFSET,
  CACHE,
  CACHE_OFFSET,
  SLOTS,
  INDEX,
  ROWS,
  SCALES,
  SKIP,
  SPLIT,
  VALUES,
  ENTRY,
  EXEC,
  AXES
};

enum { ENTRY_TYPED, ENTRY_BOXED, ENTRY_RAW, ENTRIES };
enum { SPLIT_NONE, SPLIT_APART, SPLIT_SLICES, SPLIT_KINDS };
enum { EXEC_NULL, EXEC_ONE_THREAD, EXEC_OWN_STREAM, EXEC_KINDS };

static const int64_t sizes_of[][2] = {{512, 64}, {128, 32}, {0, 64},  {512, 0},  {0, 0},
                                      {33, 7},   {1, 1},    {576, 4}, {1536, 64}};
static const int64_t block_size_of[] = {1, 16, 48, 64};
static const int64_t tokens_of[] = {0, 1, 5, 42};

typedef struct mla_case {
  const kvf_variant *variant;
  int value[AXES];
  int64_t kv_lora_rank;
  int64_t rope_dim;
  int64_t tokens;
  int64_t block_size;
  uint64_t seed;
} mla_case;

/* A cache of its own has a scale of its own, or that of the other. */
static bool has_kpe_scale(const mla_case *what) {
  return what->value[SPLIT] && what->seed % 3 != 1;
}

static int kpe_scale_kind(const mla_case *what) {
  return (what->value[SCALES] + (has_kpe_scale(what) ? 1 : 0)) % SCALE_KINDS;
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_concat_and_cache_mla(
      exec, values[KV_C].as.tensor, values[K_PE].as.tensor, (DLTensor *)values[KV_CACHE].as.tensor,
      values[SLOT_MAPPING].as.tensor, values[KV_CACHE_DTYPE].as.string, values[SCALE].as.tensor,
      values[SKIP_SCALE].as.boolean, (DLTensor *)values[KPE_CACHE].as.tensor,
      values[KPE_SCALE].as.tensor, NULL);
}

static kvf_status raw(const op_call *call, const mla_case *what) {
  const kvf_variant *variant = what->variant;
  const bool reads_scale = !what->value[SKIP] && (kvf_cache_of(variant) == KVF_FP8_E4M3 ||
                                                  kvf_cache_of(variant) == KVF_FP8_E5M2);
  const kvf_concat_and_cache_mla_params params = {
      .kv_c = operand_view(&call->operands[KV_C]),
      .k_pe = operand_view(&call->operands[K_PE]),
      .kv_cache = operand_view(&call->operands[KV_CACHE]),
      .scale = {.data = reads_scale ? operand_view(&call->operands[SCALE]).data : NULL},
      .slots = {.mapping = operand_view(&call->operands[SLOT_MAPPING]).data,
                .stride = call->operands[SLOT_MAPPING].view.stride[0],
                .index_bytes = call->operands[SLOT_MAPPING].view.dtype.bits / 8,
                .num_tokens = what->tokens,
                .num_blocks = call->operands[KV_CACHE].view.shape[0],
                .block_size = what->block_size},
      .kv_lora_rank = (int32_t)what->kv_lora_rank,
      .rope_dim = (int32_t)what->rope_dim,
      .vector_elements = -1,
      .streaming = -1,
      .skip_scale = what->value[SKIP],
      .kpe_cache =
          what->value[SPLIT] ? operand_view(&call->operands[KPE_CACHE]) : (kvf_view){.data = NULL},
      .kpe_scale = {.data = reads_scale && has_kpe_scale(what)
                                ? operand_view(&call->operands[KPE_SCALE]).data
                                : NULL},
  };
  return kvf_launch_concat_and_cache_mla(call->given_exec, variant, &params);
}

/* The cache or caches of a call, joint or as two tensors or as slices of one. */
static void make_caches(op_call *call, const mla_case *what, int64_t blocks) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  const int *value = what->value;
  const DLDataType dtype = mla_cache_dtype(cache, value[ENTRY] == ENTRY_BOXED);
  const int64_t elements = what->kv_lora_rank + what->rope_dim;
  const int64_t bytes = mla_row_bytes(cache, elements);
  int64_t shape[3] = {blocks, what->block_size, bytes / (dtype.bits / 8)};
  int64_t stride[3];
  if (value[SPLIT] == SPLIT_APART) {
    shape[2] = what->rope_dim;
    mla_cache_strides((value[CACHE] + 1) % CACHE_LAYOUTS, shape, stride);
    operand_make(call, KPE_CACHE, dtype, 3, shape, stride, 0, 64, what->seed + 6);
    shape[2] = what->kv_lora_rank;
  }
  mla_cache_strides(value[CACHE], shape, stride);
  operand_make(call, KV_CACHE, dtype, 3, shape, stride, value[CACHE_OFFSET], 64, what->seed + 4);
  if (value[SPLIT] == SPLIT_SLICES) {
    call->operands[KV_CACHE].view.shape[2] = what->kv_lora_rank;
    shape[2] = what->rope_dim;
    operand_share(call, KPE_CACHE, KV_CACHE, what->kv_lora_rank * stride[2], 3, shape, stride);
  }
}

static void build(op_call *call, const void *context) {
  const mla_case *what = context;
  const kvf_variant *variant = what->variant;
  const int *value = what->value;
  uint64_t state = what->seed;
  *call = (op_call){.op = &kvf_op_concat_and_cache_mla, .exec = {.backend = variant->backend}};
  if (value[EXEC] != EXEC_NULL) {
    call->given_exec = &call->exec;
    call->exec.num_threads = value[EXEC] == EXEC_ONE_THREAD ? 1 : 3;
    if (variant->backend == KVF_CUDA && value[EXEC] == EXEC_OWN_STREAM) {
      call->exec.stream = own_stream();
    }
  }
  const int64_t rows = what->tokens + (value[ROWS] ? 3 : 0);
  const int offset[2] = {value[KV_C_OFFSET], value[K_PE_OFFSET]};
  mla_make_sources(call, KV_C, K_PE, kvf_scalar_of(variant), value[SOURCES], rows,
                   what->kv_lora_rank, what->rope_dim, offset, value[VALUES], state);

  const int64_t blocks = (what->tokens + what->block_size - 1) / what->block_size + 2;
  make_caches(call, what, blocks);

  mla_make_indices(call, SLOT_MAPPING, value[INDEX], what->tokens, state + 5);
  const bool wide = call->operands[SLOT_MAPPING].view.dtype.bits == 64;
  int64_t *slots = mla_slots(value[SLOTS], what->tokens, blocks * what->block_size, wide, &state);
  for (int64_t i = 0; i < what->tokens; ++i) {
    operand_put_index(&call->operands[SLOT_MAPPING], i, 0, slots[i]);
  }
  free(slots);
  mla_make_scale(call, SCALE, value[SCALES], (int32_t)(what->seed % 2));
  if (has_kpe_scale(what)) {
    mla_make_scale(call, KPE_SCALE, kpe_scale_kind(what), (int32_t)(what->seed / 2 % 2));
  }
  if (value[SKIP] && what->seed % 3 == 0) { /* anything will do */
    call->operands[SCALE].view.dtype = (DLDataType){kDLInt, 8, 1};
  }
  const char *name = kvf_cache_of(variant) == kvf_scalar_of(variant)
                         ? "auto"
                         : kvf_dtype_name(kvf_cache_of(variant));
  call->values[KV_CACHE_DTYPE] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = name};
  call->values[SKIP_SCALE] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = value[SKIP]};
}

/* A row of one of two caches. */
static void expect_part(const op_call *call, const mla_case *what, int which, int64_t slot,
                        const uint8_t *elements, int64_t count, float scale, uint8_t *row) {
  const kvf_dtype cache = kvf_cache_of(what->variant);
  mla_oracle_row(kvf_scalar_of(what->variant), cache, elements, count, NULL, 0, scale, row);
  mla_expect_row(&call->operands[which], slot, what->block_size, mla_row_bytes(cache, count), row);
}

/* Notes what the call should write; returns the number of slots that are out of range. */
static uint64_t expect_rows(const op_call *call, const mla_case *what) {
  const kvf_variant *variant = what->variant;
  const int64_t elements = what->kv_lora_rank + what->rope_dim;
  const int64_t bytes = mla_row_bytes(kvf_cache_of(variant), elements);
  const operand *cache = &call->operands[KV_CACHE];
  const int64_t capacity = cache->view.shape[0] * what->block_size;
  uint8_t *kv_c = malloc((size_t)elements * 4 + 4);
  uint8_t *k_pe = malloc((size_t)elements * 4 + 4);
  uint8_t *row = malloc((size_t)(bytes + 4));
  uint64_t beyond = 0;
  for (int64_t token = 0; token < what->tokens; ++token) {
    const int64_t slot = operand_get_index(&call->operands[SLOT_MAPPING], token, 0);
    beyond += slot >= capacity;
    if (slot < 0 || slot >= capacity) {
      continue;
    }
    mla_gather(&call->operands[KV_C], token, 0, what->kv_lora_rank, kv_c);
    mla_gather(&call->operands[K_PE], token, 0, what->rope_dim, k_pe);
    const float scale = what->value[SKIP] ? 1.0f : mla_scale(what->value[SCALES]);
    if (what->value[SPLIT]) {
      const float kpe_scale = what->value[SKIP] ? 1.0f : mla_scale(kpe_scale_kind(what));
      expect_part(call, what, KV_CACHE, slot, kv_c, what->kv_lora_rank, scale, row);
      expect_part(call, what, KPE_CACHE, slot, k_pe, what->rope_dim, kpe_scale, row);
      continue;
    }
    mla_oracle_row(kvf_scalar_of(variant), kvf_cache_of(variant), kv_c, what->kv_lora_rank, k_pe,
                   what->rope_dim, scale, row);
    mla_expect_row(cache, slot, what->block_size, bytes, row);
  }
  free(kv_c);
  free(k_pe);
  free(row);
  return elements > 0 ? beyond : 0;
}

static bool run_case(const mla_case *what) {
  char text[300];
  const int *value = what->value;
  (void)snprintf(text, sizeof text,
                 "%s L=%d R=%d block=%d tokens=%d sources=%d+%d+%d cache=%d+%d slots=%d index=%d "
                 "rows=%d scale=%d skip=%d split=%d values=%d entry=%d exec=%d seed=%llu",
                 what->variant->symbol, (int)what->kv_lora_rank, (int)what->rope_dim,
                 (int)what->block_size, (int)what->tokens, value[SOURCES], value[KV_C_OFFSET],
                 value[K_PE_OFFSET], value[CACHE], value[CACHE_OFFSET], value[SLOTS], value[INDEX],
                 value[ROWS], value[SCALES], value[SKIP], value[SPLIT], value[VALUES], value[ENTRY],
                 value[EXEC], (unsigned long long)what->seed);
  op_call call;
  build(&call, what);
  op_call_upload(&call);
  vary_order(what->seed);
  const uint64_t before = faults_before(what->variant->backend);
  const kvf_status status = value[ENTRY] == ENTRY_RAW
                                ? raw(&call, what)
                                : op_call_invoke(&call, value[ENTRY] == ENTRY_TYPED ? typed : NULL);
  const uint64_t faults = expect_rows(&call, what);
  bool good = expect_done(what->variant->backend, status, before, faults, text);
  good = good && op_call_verify(&call, text);
  op_call_free(&call);
  count_case(what->variant);
  return good;
}

static bool wanted(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

static mla_case case_of(const kvf_variant *variant, const int value[AXES], bool aligned,
                        uint64_t seed) {
  const bool format = mla_is_format(kvf_cache_of(variant));
  const int scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  mla_case what = {.variant = variant,
                   .kv_lora_rank = format ? 512 : sizes_of[value[SIZES]][0],
                   .rope_dim = !format        ? sizes_of[value[SIZES]][1]
                               : value[SIZES] ? 0
                                              : 64,
                   .tokens = tokens_of[value[TOKENS]],
                   .block_size = block_size_of[value[BLOCK_SIZE]],
                   .seed = seed};
  memcpy(what.value, value, sizeof what.value);
  what.value[KV_C_OFFSET] *= aligned ? 16 : scalar;
  what.value[K_PE_OFFSET] *= aligned ? 16 : scalar;
  what.value[CACHE_OFFSET] *= aligned ? 16 : cache;
  return what;
}

/* Rows of fp8_ds_mla have 64 rope elements or none. */
static int num_sizes(const kvf_variant *variant) {
  return !mla_is_format(kvf_cache_of(variant))       ? (int)TEST_COUNT(sizes_of)
         : kvf_cache_of(variant) == KVF_NVFP4_DS_MLA ? 1
                                                     : 2;
}

static void test_matrix(void) {
  if (!need_backend()) {
    return;
  }
  const int rounds = options.exhaustive ? 16 : 2;
  for (int i = 0; i < kvf_op_concat_and_cache_mla.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[i];
    const bool format = mla_is_format(kvf_cache_of(variant));
    int failures = 0;
    for (int round = 0; wanted(variant) && round < rounds; ++round) {
      const bool aligned = round % 2 == 0;
      const int source_offsets = aligned ? 1 : 16 / (kvf_dtype_bits(kvf_scalar_of(variant)) / 8);
      const covering plan = {
          .num_axes = AXES,
          .sizes = {[SIZES] = num_sizes(variant),
                    [BLOCK_SIZE] = TEST_COUNT(block_size_of),
                    [TOKENS] = TEST_COUNT(tokens_of),
                    [SOURCES] = SOURCE_LAYOUTS,
                    [KV_C_OFFSET] = source_offsets,
                    [K_PE_OFFSET] = source_offsets,
                    [CACHE] = format ? CACHE_UNIT_LAYOUTS : CACHE_LAYOUTS,
                    [CACHE_OFFSET] = aligned ? 1 : 16 / (kvf_dtype_bits(kvf_cache_of(variant)) / 8),
                    [SLOTS] = SLOT_KINDS,
                    [INDEX] = INDEX_KINDS,
                    [ROWS] = 2,
                    [SCALES] = SCALE_KINDS,
                    [SKIP] = 2,
                    [SPLIT] = format ? 1 : SPLIT_KINDS,
                    [VALUES] = VALUE_KINDS,
                    [ENTRY] = ENTRIES,
                    [EXEC] = EXEC_KINDS},
      };
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      int count = 0;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        const mla_case what = case_of(variant, rows[row].value, aligned, random_next(&state));
        failures += !run_case(&what);
      }
      free(rows);
    }
  }
}

static void test_large(void) {
  if (!need_backend()) {
    return;
  }
  /* The emulated driver would need minutes for all. */
  const bool few = options.backend == KVF_CUDA && cuda.reset && !options.exhaustive;
  for (int i = 0; i < kvf_op_concat_and_cache_mla.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[i];
    const bool copies = kvf_scalar_of(variant) == kvf_cache_of(variant);
    const int layouts = copies ? (few ? 0 : CACHE_UNIT_LAYOUTS)
                        : few  ? !mla_is_format(kvf_cache_of(variant))
                               : 1;
    for (int layout = 0; wanted(variant) && layout < layouts; ++layout) {
      /* More than the 4 MiB at which copies bypass the caches, and enough for several threads. */
      const int value[AXES] = {
          [BLOCK_SIZE] = 3,       [SOURCES] = layout,           [CACHE] = layout,
          [SLOTS] = layout % 3,   [EXEC] = layout % EXEC_KINDS, [SCALES] = 1,
          [CACHE_OFFSET] = layout};
      mla_case what = case_of(variant, value, false, options.seed + (uint64_t)layout);
      what.tokens = copies ? (4 << 20) / mla_row_bytes(kvf_cache_of(variant), 576) + 99 : 1025;
      if (!run_case(&what)) {
        break;
      }
    }
  }
}

/* A case of five tokens in pages of four, with an fp8 cache or one of the scalar dtype. */
static mla_case small_case(const kvf_variant *variant) {
  const int value[AXES] = {[VALUES] = VALUES_NORMAL};
  mla_case what = case_of(variant, value, true, 3);
  what.kv_lora_rank = mla_is_format(kvf_cache_of(variant)) ? 512 : 48;
  what.rope_dim = mla_is_format(kvf_cache_of(variant)) ? 64 : 16;
  what.tokens = 5;
  what.block_size = 4;
  return what;
}

/* Rows that end inside a vector, while every address and stride is a multiple of one. */
static void test_padded(void) {
  static const int64_t sizes[][2] = {{46, 30}, {20, 12}, {48, 20}, {7, 5}};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[i];
    for (size_t k = 0;
         wanted(variant) && !mla_is_format(kvf_cache_of(variant)) && k < TEST_COUNT(sizes); ++k) {
      mla_case what = small_case(variant);
      what.kv_lora_rank = sizes[k][0];
      what.rope_dim = sizes[k][1];
      what.value[SOURCES] = SOURCES_PADDED_ALIGNED;
      what.value[CACHE] = CACHE_PADDED_ALIGNED;
      (void)run_case(&what);
    }
  }
}

/* Slots out of range: refused on the CPU, skipped and counted on CUDA. */
static void test_out_of_range(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[i];
    for (int64_t slot = 16; wanted(variant) && slot > 0;
         slot = slot < INT64_MAX / 8 ? slot * 8 + 1 : 0) {
      const mla_case what = small_case(variant);
      op_call call;
      build(&call, &what);
      operand_put_index(&call.operands[SLOT_MAPPING], 3, 0, slot);
      op_call_upload(&call);
      const uint64_t before = faults_before(variant->backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (variant->backend == KVF_CPU) {
        EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
        EXPECT_TEXT(kvf_last_error(), "slot_mapping: element 3 is ");
        EXPECT_TEXT(kvf_last_error(), "want less than 16");
      } else {
        EXPECT(expect_rows(&call, &what) == 1, "one slot is out of range");
        (void)expect_done(variant->backend, status, before, 1, variant->symbol);
      }
      (void)op_call_verify(&call, variant->symbol);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* ---- strides beyond 2^31
 * --------------------------------------------------------------------------- */

/*
 * Token 1 of a call, its row of a source or of the cache 2^31 elements and more away from element
 * 0. Memory is there only around that row: element 0 lies far outside the buffer and is never
 * touched, since token 0 is skipped. Any 32-bit arithmetic would end up at another address.
 */
enum { FAR_SOURCE, FAR_BLOCK, FAR_OFFSET, FAR_KINDS };

static void move_far(operand *which, int dimension, int64_t index, int64_t stride) {
  tensor *view = &which->view;
  const int64_t bytes = view->dtype.bits / 8;
  if (view->shape[dimension] <= index) {
    view->shape[dimension] = index + 1;
  }
  view->start -= stride * index * bytes;
  view->stride[dimension] = stride;
}

static void test_far(void) {
  if (!need_backend()) {
    return;
  }
  const int64_t far = (INT64_C(1) << 33) + 1;
  for (int i = 0; i < kvf_op_concat_and_cache_mla.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[i];
    for (int kind = 0; wanted(variant) && kind < 2 * FAR_KINDS; ++kind) {
      if (variant->backend == KVF_CUDA && kind / 2 == FAR_SOURCE) {
        skip_part("sources: kernels read rows of skipped tokens, which have no memory here");
        continue;
      }
      const int64_t sign = kind % 2 ? -1 : 1;
      mla_case what = small_case(variant);
      what.tokens = 2;
      what.block_size = 1;
      op_call call;
      build(&call, &what);
      operand *cache = &call.operands[KV_CACHE];
      const int64_t row = cache->view.shape[2];
      int64_t slot = 0;
      if (kind / 2 == FAR_SOURCE) {
        move_far(&call.operands[KV_C], 0, 1, sign * ((INT64_C(1) << 32) + 16));
        move_far(&call.operands[K_PE], 0, 1, sign * ((INT64_C(1) << 31) + 48));
      } else if (kind / 2 == FAR_BLOCK) {
        slot = far;
        move_far(cache, 0, slot, sign * row);
      } else {
        slot = far;
        what.block_size = far + 1;
        move_far(cache, 1, slot, sign * row);
      }
      operand_put_index(&call.operands[SLOT_MAPPING], 0, 0, -1);
      operand_put_index(&call.operands[SLOT_MAPPING], 1, 0, slot);
      op_call_upload(&call);
      const uint64_t before = faults_before(variant->backend);
      /* By its shape the cache has all that lies between, kv_c and k_pe included. */
      const kvf_status status =
          kind / 2 == FAR_SOURCE ? op_call_invoke(&call, typed) : raw(&call, &what);
      char text[128];
      (void)snprintf(text, sizeof text, "%s, far kind %d", variant->symbol, kind);
      (void)expect_rows(&call, &what);
      (void)expect_done(variant->backend, status, before, 0, text);
      (void)op_call_verify(&call, text);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* ---- bad arguments
 * --------------------------------------------------------------------------------- */

/* clang-format off */
#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

static const bad_argument bad_always[] = {
  {"no kv_c", ON_BOTH, "kv_c", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_c", "NULL", "want a tensor"},
  {"no k_pe", ON_BOTH, "k_pe", SPOIL_NULL, 0, 0, NULL, VALUE_, "k_pe", "NULL", "want a tensor"},
  {"no kv_cache", ON_BOTH, "kv_cache", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache", "NULL", "want a tensor"},
  {"no slot_mapping", ON_BOTH, "slot_mapping", SPOIL_NULL, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "want a tensor"},
  {"no scale", ON_BOTH, "scale", SPOIL_NULL, 0, 0, NULL, VALUE_, "scale", "NULL", "want a tensor"},
  {"no kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_NULL, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "want one of auto"},
  {"unknown kv_cache_dtype", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "fp7", VALUE_, "kv_cache_dtype", "'fp7'", "want one of auto"},
  {"kv_c of rank 1", ON_BOTH, "kv_c", SPOIL_RANK, 0, 1, NULL, VALUE_, "kv_c", "rank is 1", "want 2"},
  {"k_pe of rank 3", ON_BOTH, "k_pe", SPOIL_RANK, 0, 3, NULL, VALUE_, "k_pe", "rank is 3", "want 2"},
  {"kv_cache of rank 2", ON_BOTH, "kv_cache", SPOIL_RANK, 0, 2, NULL, VALUE_, "kv_cache", "rank is 2", "want 3"},
  {"slot_mapping of rank 0", ON_BOTH, "slot_mapping", SPOIL_RANK, 0, 0, NULL, VALUE_, "slot_mapping", "rank is 0", "want 1"},
  {"scale of rank 2", ON_BOTH, "scale", SPOIL_RANK, 0, 2, NULL, VALUE_, "scale", "rank is 2", "want 1"},
  {"fewer rows in kv_c", ON_BOTH, "kv_c", SPOIL_SIZE, 0, 4, NULL, VALUE_, "kv_c", "has 4 rows", "want at least 5"},
  {"fewer rows in k_pe", ON_BOTH, "k_pe", SPOIL_SIZE, 0, 4, NULL, VALUE_, "k_pe", "has 4 rows", "want at least 5"},
  {"tokens are negative", ON_BOTH, "slot_mapping", SPOIL_SIZE, 0, -1, NULL, VALUE_, "slot_mapping", "is -1", "want 0 or more"},
  {"rows of kv_c are negative", ON_BOTH, "kv_c", SPOIL_SIZE, 0, -1, NULL, VALUE_, "kv_c", "is -1", "want 0 or more"},
  {"blocks are negative", ON_BOTH, "kv_cache", SPOIL_SIZE, 0, -4, NULL, VALUE_, "kv_cache", "(num_blocks) is -4", "want 0 or more"},
  {"block_size is 0", ON_BOTH, "kv_cache", SPOIL_SIZE, 1, 0, NULL, VALUE_, "block_size", "got 0", "want 1 or more"},
  {"three scales", ON_BOTH, "scale", SPOIL_SIZE, 0, 3, NULL, VALUE_, "scale", "(scales) is 3", "want 1"},
  {"kv_c is float64", ON_BOTH, "kv_c", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "kv_c", "dtype is float64", "want float32, float16, bfloat16"},
  {"kv_c is uint8", ON_BOTH, "kv_c", SPOIL_DTYPE, kDLUInt, 8, NULL, TYPE, "kv_c", "dtype is uint8", "want float32, float16, bfloat16"},
  {"k_pe is int32", ON_BOTH, "k_pe", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "k_pe", "dtype is int32", "want "},
  {"kv_cache is int8", ON_BOTH, "kv_cache", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "kv_cache", "dtype is int8", "want "},
  {"slot_mapping is int16", ON_BOTH, "slot_mapping", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "slot_mapping", "dtype is int16", "want int32, int64"},
  {"scale is float64", ON_BOTH, "scale", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "scale", "dtype is float64", "want float32"},
  {"kv_c on OpenCL", ON_BOTH, "kv_c", SPOIL_DEVICE, kDLOpenCL, 0, NULL, TYPE, "kv_c", "DLPack device type is 4", "want CPU or CUDA"},
  {"k_pe on CUDA", ON_CPU, "k_pe", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "k_pe", "on CUDA device 0", "want the CPU"},
  {"kv_cache on CUDA", ON_CPU, "kv_cache", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "kv_cache", "on CUDA device 0", "want the CPU"},
  {"scale on the CPU", ON_CUDA, "scale", SPOIL_DEVICE, kDLCPU, 0, NULL, TYPE, "scale", "on the CPU", "want CUDA device 0"},
  {"kv_cache on another device", ON_CUDA, "kv_cache", SPOIL_DEVICE, kDLCUDA, 1, NULL, TYPE, "kv_cache", "on CUDA device 1", "want CUDA device 0"},
  {"kv_c has no data", ON_BOTH, "kv_c", SPOIL_DATA, 0, 0, NULL, VALUE_, "kv_c", "data is NULL", "want an address"},
  {"kv_cache has no data", ON_BOTH, "kv_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "kv_cache", "data is NULL", "want an address"},
  {"slot_mapping has no data", ON_BOTH, "slot_mapping", SPOIL_DATA, 0, 0, NULL, VALUE_, "slot_mapping", "data is NULL", "want an address"},
  {"k_pe is misaligned", ON_BOTH, "k_pe", SPOIL_SHIFT, 0, 1, NULL, VALUE_, "k_pe", "address ", "multiple of the element size"},
  {"slot_mapping is misaligned", ON_BOTH, "slot_mapping", SPOIL_SHIFT, 0, 4, NULL, VALUE_, "slot_mapping", "address ", "element size, 8 bytes"},
  {"blocks overlap", ON_BOTH, "kv_cache", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "kv_cache", "stride of dimension 0 (num_blocks) is 0", "do not overlap"},
  {"tokens overlap", ON_BOTH, "kv_cache", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "kv_cache", "stride of dimension 1 (block_size) is 0", "do not overlap"},
};

static const bad_argument bad_plain[] = {
  {"cache rows too short", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 63, NULL, VALUE_, "kv_cache", "(kv_lora_rank + rope_dim) is 63", "want 64 as in kv_c and k_pe"},
  {"kv_c too narrow", ON_BOTH, "kv_c", SPOIL_SIZE, 1, 47, NULL, VALUE_, "kv_cache", "(kv_lora_rank + rope_dim) is 64", "want 63"},
  {"kv_c too long", ON_BOTH, "kv_c", SPOIL_SIZE, 1, INT64_C(1) << 31, NULL, VALUE_, "kv_c", "2147483648 + 16 elements", "want less than 2^31"},
  {"k_pe too long", ON_BOTH, "k_pe", SPOIL_SIZE, 1, INT32_MAX - 47, NULL, VALUE_, "kv_c", "48 + 2147483600 elements", "want less than 2^31"},
  {"format of another size", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "nvfp4_ds_mla", VALUE_, "kv_c", "(kv_lora_rank) is 48", "want 512 (a row of nvfp4_ds_mla)"},
};

/* Of two caches. */
static const bad_argument bad_split[] = {
  {"rows of both parts", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 64, NULL, VALUE_, "kv_cache", "(kv_lora_rank) is 64", "want 48 as in kv_c"},
  {"kpe_cache too wide", ON_BOTH, "kpe_cache", SPOIL_SIZE, 2, 17, NULL, VALUE_, "kpe_cache", "(rope_dim) is 17", "want 16 as in k_pe"},
  {"kpe_cache has fewer pages", ON_BOTH, "kpe_cache", SPOIL_SIZE, 0, 3, NULL, VALUE_, "kpe_cache", "(num_blocks) is 3", "want 4 as in kv_cache"},
  {"kpe_cache has smaller pages", ON_BOTH, "kpe_cache", SPOIL_SIZE, 1, 3, NULL, VALUE_, "kpe_cache", "(block_size) is 3", "want 4 as in kv_cache"},
  {"kpe_cache of rank 2", ON_BOTH, "kpe_cache", SPOIL_RANK, 0, 2, NULL, VALUE_, "kpe_cache", "rank is 2", "want 3"},
  {"kpe_cache is int16", ON_BOTH, "kpe_cache", SPOIL_DTYPE, kDLInt, 16, NULL, TYPE, "kpe_cache", "dtype is int16", "want "},
  {"tokens of kpe_cache overlap", ON_BOTH, "kpe_cache", SPOIL_STRIDE, 1, 0, NULL, VALUE_, "kpe_cache", "stride of dimension 1 (block_size) is 0", "do not overlap"},
  {"kpe_cache has no data", ON_BOTH, "kpe_cache", SPOIL_DATA, 0, 0, NULL, VALUE_, "kpe_cache", "data is NULL", "want an address"},
  {"two scales of kpe_cache", ON_BOTH, "kpe_scale", SPOIL_RANK, 0, 2, NULL, VALUE_, "kpe_scale", "rank is 2", "want 1"},
  {"kpe_scale is float64", ON_BOTH, "kpe_scale", SPOIL_DTYPE, kDLFloat, 64, NULL, TYPE, "kpe_scale", "dtype is float64", "want float32"},
  {"a row format", ON_BOTH, "kv_cache_dtype", SPOIL_TEXT, 0, 0, "nvfp4_ds_mla", VALUE_, "kpe_cache", "got a tensor", "want None (a row of nvfp4_ds_mla holds k_pe, too)"},
};

static const bad_argument bad_format[] = {
  {"cache rows too short", ON_BOTH, "kv_cache", SPOIL_SIZE, 2, 350, NULL, VALUE_, "kv_cache", "(bytes of a row) is 350", "want "},
  {"kv_c too narrow", ON_BOTH, "kv_c", SPOIL_SIZE, 1, 256, NULL, VALUE_, "kv_c", "(kv_lora_rank) is 256", "want 512 (a row of "},
  {"k_pe too wide", ON_BOTH, "k_pe", SPOIL_SIZE, 1, 65, NULL, VALUE_, "k_pe", "(rope_dim) is 65", "want 64"},
  {"half of k_pe", ON_BOTH, "k_pe", SPOIL_SIZE, 1, 32, NULL, VALUE_, "k_pe", "(rope_dim) is 32", "(a row of "},
  {"rows with gaps", ON_BOTH, "kv_cache", SPOIL_STRIDE, 2, 2, NULL, VALUE_, "kv_cache", "stride of dimension 2 is 2", "want 1"},
  {"cache is float8", ON_BOTH, "kv_cache", SPOIL_DTYPE, kDLFloat8_e4m3fn, 8, NULL, TYPE, "kv_cache", "dtype is float8_e4m3fn", "want "},
};
/* clang-format on */

static const kvf_variant *find(kvf_dtype scalar, kvf_dtype cache) {
  const kvf_variant *variant =
      kvf_select(&kvf_op_concat_and_cache_mla, options.backend, scalar, cache);
  if (variant == NULL) {
    skip_part("%s", kvf_last_error());
  }
  return variant;
}

static void test_bad_arguments(void) {
  if (!need_backend()) {
    return;
  }
  const struct {
    kvf_dtype scalar;
    kvf_dtype cache;
  } pairs[] = {{KVF_F32, KVF_F32},
               {KVF_F32, KVF_FP8_E4M3},
               {KVF_BF16, KVF_FP8_DS_MLA},
               {KVF_BF16, KVF_FP8_DS_MLA_F32},
               {KVF_F32, KVF_NVFP4_DS_MLA}};
  for (size_t i = 0; i < TEST_COUNT(pairs); ++i) {
    const kvf_variant *variant = find(pairs[i].scalar, pairs[i].cache);
    if (variant == NULL) {
      continue;
    }
    const mla_case what = small_case(variant);
    const bool format = mla_is_format(kvf_cache_of(variant));
    op_call_test_bad(build, &what, typed, bad_always, TEST_COUNT(bad_always));
    op_call_test_bad(build, &what, typed, format ? bad_format : bad_plain,
                     format ? TEST_COUNT(bad_format) : TEST_COUNT(bad_plain));
    op_call_test_overlap(build, &what, typed, "kv_cache", "kv_c");
    op_call_test_overlap(build, &what, typed, "kv_cache", "k_pe");
    op_call_test_scales(build, &what, typed, "scale", kvf_cache_of(variant) == KVF_FP8_E4M3);
    if (!format) {
      mla_case split = what;
      split.value[SPLIT] = SPLIT_APART;
      op_call_test_bad(build, &split, typed, bad_split, TEST_COUNT(bad_split));
      op_call_test_overlap(build, &split, typed, "kpe_cache", "k_pe");
      op_call_test_overlap(build, &split, typed, "kv_cache", "kpe_cache");
      op_call_test_scales(build, &split, typed, "kpe_scale", kvf_cache_of(variant) == KVF_FP8_E4M3);
    }
    mla_case skipping = what;
    skipping.value[SKIP] = 1;
    op_call_test_scales(build, &skipping, typed, "scale", false);
  }
}

/* ---- golden rows
 * ----------------------------------------------------------------------------------- */

#define GOLDEN(name, ...) static const uint8_t name[] = {__VA_ARGS__};
#include "golden/fp8_ds_mla.txt"
#include "golden/fp8_ds_mla_f32.txt"
#include "golden/nvfp4_ds_mla.txt"
#undef GOLDEN

typedef struct golden {
  kvf_dtype scalar;
  kvf_dtype cache;
  const uint8_t *sources; /* [tokens, 576] */
  const uint8_t *rows;
  size_t rows_size;
} golden;

#define GOLDEN_OF(scalar, cache, name)                                                             \
  {scalar, cache, name##_sources, name##_rows, sizeof name##_rows}

/* Bytes that were derived by other means than the test's own oracle. */
static void test_golden(void) {
  static const golden files[] = {
      GOLDEN_OF(KVF_F16, KVF_FP8_DS_MLA, fp8_ds_mla_f16),
      GOLDEN_OF(KVF_BF16, KVF_FP8_DS_MLA, fp8_ds_mla_bf16),
      GOLDEN_OF(KVF_F16, KVF_FP8_DS_MLA_F32, fp8_ds_mla_f32_f16),
      GOLDEN_OF(KVF_BF16, KVF_FP8_DS_MLA_F32, fp8_ds_mla_f32_bf16),
      GOLDEN_OF(KVF_F16, KVF_NVFP4_DS_MLA, nvfp4_ds_mla_f16),
      GOLDEN_OF(KVF_BF16, KVF_NVFP4_DS_MLA, nvfp4_ds_mla_bf16),
  };
  if (!need_backend()) {
    return;
  }
  for (size_t i = 0; i < TEST_COUNT(files); ++i) {
    const kvf_variant *variant = find(files[i].scalar, files[i].cache);
    if (variant == NULL) {
      continue;
    }
    const int64_t bytes = mla_row_bytes(files[i].cache, 576);
    mla_case what = small_case(variant);
    what.tokens = (int64_t)files[i].rows_size / bytes;
    what.value[SOURCES] = SOURCES_FUSED;
    op_call call;
    build(&call, &what);
    buffer *sources = &call.operands[KV_C].memory;
    memcpy(sources->expected + call.operands[KV_C].view.start, files[i].sources,
           (size_t)what.tokens * 576 * 2);
    for (int64_t token = 0; token < what.tokens; ++token) {
      operand_put_index(&call.operands[SLOT_MAPPING], token, 0, token);
    }
    op_call_upload(&call);
    const uint64_t before = faults_before(variant->backend);
    const kvf_status status = op_call_invoke(&call, typed);
    for (int64_t token = 0; token < what.tokens; ++token) {
      mla_expect_row(&call.operands[KV_CACHE], token, what.block_size, bytes,
                     files[i].rows + token * bytes);
    }
    (void)expect_done(variant->backend, status, before, 0, variant->symbol);
    (void)op_call_verify(&call, variant->symbol);
    op_call_free(&call);
    count_case(variant);
  }
}

/* Tensors without elements need no address. */
static void test_no_address(void) {
  static const int64_t sizes[][3] = {{5, 0, 64}, {5, 64, 0}, {0, 64, 16}, {5, 0, 0}};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < kvf_op_concat_and_cache_mla.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_concat_and_cache_mla.variants[i];
    for (size_t k = 0;
         wanted(variant) && !mla_is_format(kvf_cache_of(variant)) && k < 2 * TEST_COUNT(sizes);
         ++k) {
      mla_case what = small_case(variant);
      what.tokens = sizes[k / 2][0];
      what.kv_lora_rank = sizes[k / 2][1];
      what.rope_dim = sizes[k / 2][2];
      what.value[SPLIT] = k % 2 ? SPLIT_APART : SPLIT_NONE;
      op_call call;
      build(&call, &what);
      op_call_upload(&call);
      const buffer nowhere = {.backend = variant->backend};
      for (int position = 0; position < ARGUMENTS; ++position) {
        tensor *view = &call.operands[position].view;
        for (int d = 0; d < view->rank; ++d) {
          if (view->shape[d] == 0) {
            view->memory = &nowhere;
            view->start = 0;
          }
        }
      }
      const uint64_t before = faults_before(variant->backend);
      const kvf_status status = op_call_invoke(&call, typed);
      if (what.tokens > 0 && what.kv_lora_rank + what.rope_dim > 0) {
        (void)expect_rows(&call, &what);
      }
      (void)expect_done(variant->backend, status, before, 0, variant->symbol);
      (void)op_call_verify(&call, variant->symbol);
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* A row format that cannot hold what it is asked to hold says why. */
static void test_excluded(void) {
  if (!need_backend()) {
    return;
  }
  EXPECT(kvf_select(&kvf_op_concat_and_cache_mla, options.backend, KVF_F32, KVF_FP8_DS_MLA) == NULL,
         "f32 with fp8_ds_mla");
  EXPECT_TEXT(kvf_last_error(), "excluded: a row of fp8_ds_mla holds k_pe as it is, in 16 bits");
  count_case(NULL);
}

typedef struct bad_param {
  const char *member;
  size_t at;
  size_t bytes;
  int64_t number;
  const char *got;
  const char *want;
} bad_param;

#define MEMBER(path)                                                                               \
  offsetof(kvf_concat_and_cache_mla_params, path),                                                 \
      sizeof(((kvf_concat_and_cache_mla_params *)0)->path)

static void test_bad_params(void) {
  static const bad_param rows[] = {
      {"kv_c", MEMBER(kv_c.data), 0, "NULL", "want an address"},
      {"k_pe", MEMBER(k_pe.data), 0, "NULL", "want an address"},
      {"kv_cache", MEMBER(kv_cache.data), 0, "NULL", "want an address"},
      {"slot_mapping", MEMBER(slots.mapping), 0, "NULL", "want an address"},
      {"scale", MEMBER(scale.data), 0, "NULL", "want an address"},
      {"kv_lora_rank", MEMBER(kv_lora_rank), -1, "got -1", "want 0 or more"},
      {"rope_dim", MEMBER(rope_dim), -3, "got -3", "want 0 or more"},
      {"rope_dim", MEMBER(rope_dim), INT32_MAX, "48 + 2147483647", "less than 2^31"},
      {"num_tokens", MEMBER(slots.num_tokens), -1, "got -1", "want 0 or more"},
      {"num_blocks", MEMBER(slots.num_blocks), -2, "got -2", "want 0 or more"},
      {"block_size", MEMBER(slots.block_size), 0, "got 0", "want 1 or more"},
      {"index_bytes", MEMBER(slots.index_bytes), 2, "got 2", "want 4 or 8"},
  };
  if (!need_backend()) {
    return;
  }
  const kvf_variant *variant = find(KVF_F32, KVF_FP8_E4M3);
  if (variant == NULL) {
    return;
  }
  const mla_case what = small_case(variant);
  op_call call;
  build(&call, &what);
  op_call_upload(&call);
  const kvf_concat_and_cache_mla_params good = {
      .kv_c = operand_view(&call.operands[KV_C]),
      .k_pe = operand_view(&call.operands[K_PE]),
      .kv_cache = operand_view(&call.operands[KV_CACHE]),
      .scale = operand_view(&call.operands[SCALE]),
      .slots = {.mapping = operand_view(&call.operands[SLOT_MAPPING]).data,
                .stride = 1,
                .index_bytes = 8,
                .num_tokens = 5,
                .num_blocks = 4,
                .block_size = 4},
      .kv_lora_rank = 48,
      .rope_dim = 16,
  };
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    kvf_concat_and_cache_mla_params params = good;
    memcpy((char *)&params + rows[i].at, &rows[i].number, rows[i].bytes);
    EXPECT_STATUS(kvf_launch_concat_and_cache_mla(NULL, variant, &params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    EXPECT_TEXT(kvf_last_error(), rows[i].got);
    EXPECT_TEXT(kvf_last_error(), rows[i].want);
    (void)op_call_verify(&call, rows[i].member);
    count_case(NULL);
  }
  if (options.backend == KVF_CUDA) { /* a grid has no more blocks */
    kvf_concat_and_cache_mla_params params = good;
    params.slots.num_tokens = INT64_C(1) << 31;
    EXPECT_STATUS(kvf_launch_concat_and_cache_mla(NULL, variant, &params), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), "num_tokens: got 2147483648, want less than 2^31 on CUDA");
    (void)op_call_verify(&call, "2^31 tokens");
    count_case(NULL);
  }
  op_call_free(&call);
}

CU_TestInfo concat_and_cache_mla_tests[] = {
    {"every pair of axis values", test_matrix},
    {"golden rows", test_golden},
    {"rows that end inside a vector", test_padded},
    {"large calls", test_large},
    {"strides beyond 2^31", test_far},
    {"slots out of range", test_out_of_range},
    {"tensors without elements", test_no_address},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    {"excluded combinations", test_excluded},
    CU_TEST_INFO_NULL,
};
