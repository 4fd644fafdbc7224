/*
 * Indices that another thread changes while a call runs, between numbers in range and numbers far
 * out of it: what the checks have read is not what the kernels read. A call succeeds or is refused;
 * it never reads or writes outside its tensors, where memory is unmapped.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "operands.h"

enum {
  TOKENS = 384,
  SEQUENCES = 4,
  ROWS = TOKENS / SEQUENCES, /* of a sequence */
  BLOCK_SIZE = 16,
  WIDTH = ROWS / BLOCK_SIZE,
  NUM_BLOCKS = TOKENS / BLOCK_SIZE,
  NUM_HEADS = 2,
  HEAD_SIZE = 64,
  ROW = NUM_HEADS * HEAD_SIZE,
  LATENT = 512,
  ROPE = 64,
  LAYERS = 2,
  PAIRS = 8
};

/* ---- calls
 * --------------------------------------------------------------------------------------- */

/* What an argument is; the dtypes of SCALAR and CACHE are the variant's. */
typedef enum what_kind {
  ABSENT,
  SCALAR,
  CACHE,
  BYTES,
  F32,
  I32,
  I64,
  ADDRESSES, /* of the layers of the op's last tensor */
  CACHES,    /* a list of LAYERS tensors */
  FORMAT,    /* kv_cache_dtype */
  NUMBER,
  REAL,
  FLAG
} what_kind;

typedef struct given {
  what_kind kind;
  int64_t shape[5]; /* ends with 0; of a number, the number */
} given;

/* How indices are numbered: index i is i modulo `modulus`, or i * step. */
typedef struct flipped {
  const char *argument;
  int64_t modulus, step;
} flipped;

typedef struct changing_op {
  const kvf_op *op;
  given arguments[MAX_OPERANDS];
  flipped indices[3];
} changing_op;

#define SLOTS {"slot_mapping", TOKENS, 0}
#define TABLE {"block_table", NUM_BLOCKS, 0}
#define STARTS {"cu_seq_lens", 0, ROWS}
#define FLASH_PAGES {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, HEAD_SIZE}
#define HEADS {TOKENS, NUM_HEADS, HEAD_SIZE}
#define FLASH_ARGUMENTS                                                                            \
  {SCALAR, HEADS}, {SCALAR, HEADS}, {CACHE, FLASH_PAGES}, {CACHE, FLASH_PAGES}, {I64, {TOKENS}},   \
      {FORMAT, {0}}, {F32, {1}}, {F32, {1}}

static const changing_op ops[] = {
    {&kvf_op_reshape_and_cache_flash, {FLASH_ARGUMENTS}, {SLOTS}},
    {&kvf_op_reshape_and_cache,
     {{SCALAR, HEADS},
      {SCALAR, HEADS},
      {CACHE, {NUM_BLOCKS, NUM_HEADS, HEAD_SIZE / 8, BLOCK_SIZE, 8}},
      {CACHE, {NUM_BLOCKS, NUM_HEADS, HEAD_SIZE, BLOCK_SIZE}},
      {I64, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}}},
     {SLOTS}},
    {&kvf_op_reshape_and_cache_flash_layers,
     {{SCALAR, {LAYERS, TOKENS, NUM_HEADS, HEAD_SIZE}},
      {SCALAR, {LAYERS, TOKENS, NUM_HEADS, HEAD_SIZE}},
      {CACHES, FLASH_PAGES},
      {CACHES, FLASH_PAGES},
      {I64, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}}},
     {SLOTS}},
    {&kvf_op_reshape_and_cache_flash_nvfp4,
     {{SCALAR, HEADS},
      {SCALAR, HEADS},
      {BYTES, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, HEAD_SIZE / 2 + HEAD_SIZE / 16}},
      {BYTES, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, HEAD_SIZE / 2 + HEAD_SIZE / 16}},
      {I64, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}},
      {FLAG, {0}}},
     {SLOTS}},
    {&kvf_op_reshape_and_cache_flash_per_token_head,
     {{SCALAR, HEADS},
      {SCALAR, HEADS},
      {CACHE, FLASH_PAGES},
      {CACHE, FLASH_PAGES},
      {F32, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS}},
      {F32, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS}},
      {I64, {TOKENS}},
      {FORMAT, {0}}},
     {SLOTS}},
    {&kvf_op_concat_and_cache_mla,
     {{SCALAR, {TOKENS, LATENT}},
      {SCALAR, {TOKENS, ROPE}},
      {CACHE, {NUM_BLOCKS, BLOCK_SIZE, LATENT + ROPE}},
      {I64, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}}},
     {SLOTS}},
    {&kvf_op_concat_and_cache_mla_grouped,
     {{SCALAR, {LAYERS, TOKENS, LATENT}},
      {SCALAR, {LAYERS, TOKENS, ROPE}},
      {ADDRESSES, {LAYERS}},
      {I64, {LAYERS, TOKENS}},
      {NUMBER, {BLOCK_SIZE}},
      {NUMBER, {BLOCK_SIZE * (LATENT + ROPE)}},
      {NUMBER, {LATENT + ROPE}},
      {F32, {LAYERS}},
      {FORMAT, {0}},
      {NUMBER, {NUM_BLOCKS}}},
     {SLOTS, {"kv_cache_ptrs", 0, 0}}},
    {&kvf_op_concat_and_cache_mla_rope_fused,
     {{I64, {TOKENS}},
      {SCALAR, {TOKENS, NUM_HEADS, ROPE}},
      {SCALAR, {TOKENS, ROPE}},
      {SCALAR, {TOKENS, LATENT}},
      {SCALAR, {BLOCK_SIZE, ROPE}},
      {FLAG, {1}},
      {I64, {TOKENS}},
      {CACHE, {NUM_BLOCKS, BLOCK_SIZE, LATENT + ROPE}},
      {FORMAT, {0}},
      {F32, {1}}},
     {SLOTS, {"positions", BLOCK_SIZE, 0}}},
    {&kvf_op_indexer_k_quant_and_cache,
     {{SCALAR, {TOKENS, 128}},
      {BYTES, {NUM_BLOCKS, BLOCK_SIZE, 128 + 4}},
      {I64, {TOKENS}},
      {NUMBER, {128}},
      {FORMAT, {0}}},
     {SLOTS}},
    {&kvf_op_cp_gather_cache,
     {{BYTES, {NUM_BLOCKS, BLOCK_SIZE, ROW}},
      {BYTES, {TOKENS, ROW}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES + 1}},
      {NUMBER, {SEQUENCES}},
      {I32, {SEQUENCES}}},
     {TABLE, STARTS, {"seq_starts", 1, 0}}},
    {&kvf_op_gather_and_maybe_dequant_cache,
     {{CACHE, {NUM_BLOCKS, BLOCK_SIZE, ROW}},
      {SCALAR, {TOKENS, ROW}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES + 1}},
      {I32, {TOKENS}},
      {NUMBER, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}}},
     {TABLE, STARTS}},
    {&kvf_op_cp_gather_indexer_k_quant_cache,
     {{BYTES, {NUM_BLOCKS, BLOCK_SIZE, 128 + 4}},
      {BYTES, {TOKENS, 128}},
      {BYTES, {TOKENS, 4}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES + 1}}},
     {TABLE, STARTS}},
    {&kvf_op_cp_gather_and_upconvert_fp8_kv_cache,
     {{BYTES, {NUM_BLOCKS, BLOCK_SIZE, 656}},
      {SCALAR, {TOKENS, LATENT + ROPE}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES}},
      {NUMBER, {SEQUENCES}},
      {I32, {SEQUENCES}},
      {I32, {SEQUENCES}}},
     {TABLE, {"workspace_starts", 0, ROWS}, {"seq_starts", 1, 0}}},
    {&kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache,
     {{BYTES, {NUM_BLOCKS, BLOCK_SIZE, 352}},
      {SCALAR, {TOKENS, LATENT + ROPE}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES}},
      {NUMBER, {SEQUENCES}}},
     {TABLE, {"workspace_starts", 0, ROWS}}},
    {&kvf_op_copy_blocks,
     {{CACHES, {NUM_BLOCKS, 4096}}, {CACHES, {NUM_BLOCKS, 4096}}, {I64, {PAIRS, 2}}},
     {{"block_mapping", NUM_BLOCKS, 0}}},
    {&kvf_op_copy_blocks_mla,
     {{CACHES, {NUM_BLOCKS, 4096}}, {I64, {PAIRS, 2}}},
     {{"block_mapping", NUM_BLOCKS, 0}}},
    {&kvf_op_zero_blocks,
     {{CACHES, {NUM_BLOCKS, 4096}}, {I64, {NUM_BLOCKS}}},
     {{"block_ids", NUM_BLOCKS, 0}}},
    {&kvf_op_swap_blocks,
     {{BYTES, {NUM_BLOCKS, 4096}},
      {BYTES, {NUM_BLOCKS, 4096}},
      {NUMBER, {4096}},
      {I64, {PAIRS, 2}}},
     {{"block_mapping", NUM_BLOCKS, 0}}},
    {&kvf_op_paged_attention_decode,
     {{SCALAR, {SEQUENCES, 2 * NUM_HEADS, HEAD_SIZE}},
      {SCALAR, {SEQUENCES, 2 * NUM_HEADS, HEAD_SIZE}},
      {CACHE, FLASH_PAGES},
      {CACHE, FLASH_PAGES},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES}},
      {REAL, {1}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}},
      {ABSENT, {0}},
      {NUMBER, {0}},
      {FLAG, {0}},
      {F32, {SEQUENCES, 2 * NUM_HEADS, 2, HEAD_SIZE + 2}}},
     {{"block_tables", NUM_BLOCKS, 0}, {"seq_lens", 1, 0}}},
};

/* Lists of tensors, pieces of the memory of their argument. */
static DLTensor pieces[MAX_OPERANDS][LAYERS];
static const DLTensor *lists[MAX_OPERANDS][LAYERS];
static int64_t piece_shapes[MAX_OPERANDS][5];

static DLDataType dtype_of(what_kind kind, const kvf_variant *variant) {
  switch (kind) {
  case SCALAR:
    return dl_dtype(variant->scalar);
  case CACHE:
    return dl_dtype(variant->cache);
  case CACHES:
    return variant->cache == KVF_B8 ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(variant->cache);
  case F32:
    return dl_dtype(KVF_F32);
  case I32:
    return (DLDataType){kDLInt, 32, 1};
  case I64:
  case ADDRESSES:
    return (DLDataType){kDLInt, 64, 1};
  default:
    return (DLDataType){kDLUInt, 8, 1};
  }
}

static void make_tensor(op_call *call, int position, const given *what, DLDataType dtype) {
  int32_t rank = 0;
  int64_t stride[5];
  while (rank < 5 && what->shape[rank] != 0) {
    ++rank;
  }
  int64_t run = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    stride[i] = run;
    run *= what->shape[i];
  }
  operand_make(call, position, dtype, rank, what->shape, stride, 0, 0, options.seed);
  memset(call->operands[position].memory.expected, 0, call->operands[position].memory.size);
}

/* LAYERS tensors in one memory, of which the argument itself is a list. */
static void make_list(op_call *call, int position, const given *what, DLDataType dtype) {
  given all = {CACHES, {LAYERS}};
  int32_t rank = 0;
  int64_t elements = 1;
  for (; rank < 4 && what->shape[rank] != 0; ++rank) {
    all.shape[rank + 1] = piece_shapes[position][rank] = what->shape[rank];
    elements *= what->shape[rank];
  }
  make_tensor(call, position, &all, dtype);
  for (int layer = 0; layer < LAYERS; ++layer) {
    DLTensor *piece = &pieces[position][layer];
    *piece = *tensor_dl(&call->operands[position].view);
    piece->ndim = rank;
    piece->shape = piece_shapes[position];
    piece->strides = NULL;
    piece->byte_offset += (uint64_t)(layer * elements * (dtype.bits / 8));
    lists[position][layer] = piece;
  }
  call->values[position] =
      (kvf_value){.kind = KVF_KIND_TENSOR_LIST, .as.tensors = {lists[position], LAYERS}};
}

static int64_t index_of(const flipped *what, int64_t i) {
  return what->modulus > 0 ? i % what->modulus : i * what->step;
}

static void build(op_call *call, const changing_op *what, const kvf_variant *variant) {
  /* The address of a cache: that of an operand behind the op's own. */
  enum { BEHIND = MAX_OPERANDS - 1 };
  *call = (op_call){.op = what->op, .exec = {.backend = KVF_CPU, .num_threads = 1}};
  call->given_exec = &call->exec;
  for (int i = 0; i < what->op->num_arguments; ++i) {
    const given *each = &what->arguments[i];
    const DLDataType dtype = dtype_of(each->kind, variant);
    kvf_value *value = &call->values[i];
    switch (each->kind) {
    case ABSENT:
      break;
    case CACHES:
      make_list(call, i, each, dtype);
      break;
    case FORMAT:
      *value = (kvf_value){.kind = KVF_KIND_STRING, .as.string = kvf_dtype_name(variant->cache)};
      break;
    case NUMBER:
      *value = (kvf_value){.kind = KVF_KIND_INT, .as.integer = each->shape[0]};
      break;
    case REAL:
      *value = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = (double)each->shape[0]};
      break;
    case FLAG:
      *value = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = each->shape[0] != 0};
      break;
    default:
      make_tensor(call, i, each, dtype);
      break;
    }
    const float one = 1.0f;
    for (size_t at = 0; each->kind == F32 && at < call->operands[i].memory.size; at += 4) {
      memcpy(call->operands[i].memory.expected + at, &one, 4);
    }
    if (each->kind == ADDRESSES) {
      const given caches = {CACHE, {LAYERS, NUM_BLOCKS * BLOCK_SIZE, LATENT + ROPE}};
      make_tensor(call, BEHIND, &caches, dl_dtype(variant->cache));
      const kvf_view view = operand_view(&call->operands[BEHIND]);
      for (int64_t layer = 0; layer < LAYERS; ++layer) {
        operand_put_index(&call->operands[i], layer, 0,
                          (int64_t)(uintptr_t)view.data +
                              layer * view.stride[0] * (kvf_dtype_bits(variant->cache) / 8));
      }
    }
    if (each->kind == F32 && variant->scalar == variant->cache &&
        strcmp(what->op->arguments[i].name, "kv_scales") == 0) {
      buffer_free(&call->operands[i].memory);
      call->operands[i] = (operand){.view = {.memory = NULL}};
    }
  }
  /* Every index argument is numbered, those that stay as they are too. */
  static const flipped numbered[] = {SLOTS,
                                     TABLE,
                                     STARTS,
                                     {"block_tables", NUM_BLOCKS, 0},
                                     {"workspace_starts", 0, ROWS},
                                     {"positions", BLOCK_SIZE, 0},
                                     {"block_mapping", NUM_BLOCKS, 0},
                                     {"block_ids", NUM_BLOCKS, 0}};
  for (int i = 0; i < what->op->num_arguments; ++i) {
    const operand *to = &call->operands[i];
    const char *name = what->op->arguments[i].name;
    const int64_t columns = to->view.rank > 1 ? to->view.shape[1] : 1;
    for (size_t k = 0; k < TEST_COUNT(numbered); ++k) {
      for (int64_t at = 0;
           strcmp(name, numbered[k].argument) == 0 && at < to->view.shape[0] * columns; ++at) {
        operand_put_index(to, at / columns, at % columns, index_of(&numbered[k], at));
      }
    }
    for (int64_t s = 0; strcmp(name, "seq_lens") == 0 && s < SEQUENCES; ++s) {
      operand_put_index(to, s, 0, ROWS);
    }
  }
  op_call_upload(call);
}

/* ---- the other thread
 * ---------------------------------------------------------------------------- */

enum { NUM_BAD = 4 };

typedef struct flipper {
  void *indices;
  int64_t count;
  const int64_t *bad; /* NUM_BAD numbers */
  bool wide;
  uint64_t seed;
  bool stop;
} flipper;

static void put(const flipper *what, int64_t i, int64_t value) {
  if (what->wide) {
    __atomic_store_n((int64_t *)what->indices + i, value, __ATOMIC_RELAXED);
  } else {
    __atomic_store_n((int32_t *)what->indices + i, (int32_t)value, __ATOMIC_RELAXED);
  }
}

static int64_t take(const flipper *what, int64_t i) {
  return what->wide ? __atomic_load_n((int64_t *)what->indices + i, __ATOMIC_RELAXED)
                    : __atomic_load_n((int32_t *)what->indices + i, __ATOMIC_RELAXED);
}

static void linger(int64_t rounds) {
  for (volatile int64_t i = 0; i < rounds; ++i) {
  }
}

/* One index at a time is out of range, and most of the time none is. */
static void *flip(void *argument) {
  flipper *what = argument;
  while (!__atomic_load_n(&what->stop, __ATOMIC_RELAXED)) {
    const int64_t i = random_below(&what->seed, what->count);
    const int64_t good = take(what, i);
    put(what, i, what->bad[random_below(&what->seed, NUM_BAD)]);
    linger(random_below(&what->seed, 600));
    put(what, i, good);
    linger(random_below(&what->seed, 1200));
  }
  return NULL;
}

static double now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- tests
 * --------------------------------------------------------------------------------------- */

/* Calls for a while, until some have succeeded too. */
static void run(const changing_op *what, const kvf_variant *variant, const flipped *index) {
  const double enough = options.exhaustive ? 2.0 : 0.03;
  op_call call;
  char text[160];
  (void)snprintf(text, sizeof text, "%s, %s", variant->symbol, index->argument);
  note_running(text);
  build(&call, what, variant);
  const kvf_status first = op_call_invoke(&call, NULL);
  if (!EXPECT(first == KVF_OK, "%s: %s", text, kvf_last_error())) {
    op_call_free(&call);
    return;
  }
  static const int64_t wide[NUM_BAD] = {INT64_C(1) << 36, INT64_MAX, INT64_MIN, INT64_C(1) << 44};
  static const int64_t narrow[NUM_BAD] = {1 << 30, INT32_MAX, INT32_MIN, 1 << 28};
  static const int64_t addresses[NUM_BAD] = {0}; /* what others point to only the caller knows */
  const operand *indices = &call.operands[op_call_position(&call, index->argument)];
  flipper other = {.indices = operand_view(indices).data,
                   .count = indices->view.shape[0] *
                            (indices->view.rank > 1 ? indices->view.shape[1] : 1),
                   .wide = indices->view.dtype.bits == 64,
                   .seed = options.seed};
  other.bad = strcmp(index->argument, "kv_cache_ptrs") == 0 ? addresses : other.wide ? wide : narrow;
  pthread_t thread;
  if (!EXPECT(pthread_create(&thread, NULL, flip, &other) == 0, "no thread")) {
    op_call_free(&call);
    return;
  }
  int64_t done = 0;
  bool known = true;
  for (const double start = now(); known && (now() - start < enough || done == 0);) {
    const kvf_status status = op_call_invoke(&call, NULL);
    done += status == KVF_OK;
    known = status == KVF_OK || status == KVF_OUT_OF_RANGE || status == KVF_INVALID_VALUE;
    if (now() - start > enough + 20.0) {
      break;
    }
  }
  __atomic_store_n(&other.stop, true, __ATOMIC_RELAXED);
  (void)pthread_join(thread, NULL);
  EXPECT(known && done > 0, "%s: %lld calls have succeeded; the last said: %s", text,
         (long long)done, kvf_last_error());
  op_call_free(&call);
  count_case(variant);
}

/* Of each op the first variant that copies and the first one that does not. */
static void run_ops(const kvf_op *const *chosen, int count) {
  if (!need_backend()) {
    return;
  }
  bool any = false;
  for (size_t k = 0; k < TEST_COUNT(ops); ++k) {
    bool wanted = false;
    for (int i = 0; i < count; ++i) {
      wanted = wanted || chosen[i] == ops[k].op;
    }
    bool seen[2] = {false, false};
    for (int i = 0; wanted && i < ops[k].op->num_variants; ++i) {
      const kvf_variant *variant = &ops[k].op->variants[i];
      const bool copies = variant->scalar == variant->cache;
      const bool fits = variant->cache != KVF_FP8_DS_MLA && variant->cache != KVF_FP8_DS_MLA_UE8M0 &&
                        variant->cache != KVF_NVFP4_DS_MLA;
      const bool packed = ops[k].op == &kvf_op_cp_gather_and_upconvert_fp8_kv_cache ||
                          ops[k].op == &kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache;
      if (variant->backend != KVF_CPU || !kvf_variant_built(variant) || seen[copies] ||
          (!fits && !packed)) {
        continue;
      }
      seen[copies] = any = true;
      for (int n = 0; n < 3 && ops[k].indices[n].argument != NULL; ++n) {
        run(&ops[k], variant, &ops[k].indices[n]);
      }
    }
  }
  if (!any) {
    skip_test("none of these ops is built");
  }
}

#define TEST_OF(name, ...)                                                                         \
  static void name(void) {                                                                         \
    static const kvf_op *const chosen[] = {__VA_ARGS__};                                           \
    run_ops(chosen, (int)TEST_COUNT(chosen));                                                      \
  }

TEST_OF(test_writers, &kvf_op_reshape_and_cache_flash, &kvf_op_reshape_and_cache,
        &kvf_op_reshape_and_cache_flash_layers, &kvf_op_reshape_and_cache_flash_nvfp4,
        &kvf_op_reshape_and_cache_flash_per_token_head, &kvf_op_concat_and_cache_mla,
        &kvf_op_concat_and_cache_mla_grouped, &kvf_op_concat_and_cache_mla_rope_fused,
        &kvf_op_indexer_k_quant_and_cache)
TEST_OF(test_gathers, &kvf_op_cp_gather_cache, &kvf_op_gather_and_maybe_dequant_cache,
        &kvf_op_cp_gather_indexer_k_quant_cache, &kvf_op_cp_gather_and_upconvert_fp8_kv_cache,
        &kvf_op_cp_gather_and_upconvert_nvfp4_kv_cache)
TEST_OF(test_pages, &kvf_op_copy_blocks, &kvf_op_copy_blocks_mla, &kvf_op_zero_blocks,
        &kvf_op_swap_blocks)
TEST_OF(test_attention, &kvf_op_paged_attention_decode)

CU_TestInfo changing_indices_tests[] = {
    {"slots and positions of writers", test_writers},
    {"block tables and lengths of gathers", test_gathers},
    {"blocks of page movers", test_pages},
    {"block tables and lengths of attention", test_attention},
    CU_TEST_INFO_NULL,
};
