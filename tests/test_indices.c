/*
 * Indices and strides of every op that has them. Numbers far out of range; dimensions of one
 * element with strides that nothing can be multiplied by; and indices that another thread changes
 * while a call runs, so that what the checks have read is not what the kernels read; scales, too. A
 * call succeeds or is refused, and never reads or writes outside its tensors.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "operands.h"
#include "oracle.h"

enum { LATENT = 512, ROPE = 64, PAGE = 4096, MAX_LAYERS = 2 };

/* Sizes that are one thing in the cases of many elements, and another in those of few. */
enum {
  TOKENS = -1,
  SEQUENCES = -2,
  STARTS_SIZE = -3, /* SEQUENCES + 1 */
  ROWS = -4,        /* of a sequence */
  BLOCK_SIZE = -5,
  WIDTH = -6,
  NUM_BLOCKS = -7,
  NUM_HEADS = -8,
  Q_HEADS = -9,
  HEAD_SIZE = -10,
  GROUPS = -11, /* HEAD_SIZE / 8, rounded up */
  PACKED = -12, /* bytes of a head of nvfp4 */
  ROW = -13,
  LAYERS = -14,
  PAIRS = -15,
  MLA_PAGE = -16,  /* elements */
  SPLIT_ROW = -17, /* HEAD_SIZE + 2 */
  ROTARY = -18,    /* even, and no more than HEAD_SIZE */
  GGML_ROW = -19,  /* bytes of a head of q8_0 */
  LAST = 19
};

typedef enum size_kind { MANY, FEW, FEWEST, SIZE_KINDS } size_kind;

static int64_t size_of(size_kind kind, int64_t code) {
  static const int64_t sizes[SIZE_KINDS][LAST + 1] = {
      {0, 384, 4, 5, 96, 16, 6, 24, 2, 4, 64, 8, 36, 128, 2, 8, 16 * (LATENT + ROPE), 66, 64, 68},
      {0, 1, 1, 2, 1, 1, 1, 1, 1, 1, 64, 8, 36, 64, 1, 1, LATENT + ROPE, 66, 64, 68},
      {0, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, LATENT + ROPE, 3, 0, 1},
  };
  return code < 0 ? sizes[kind][-code] : code;
}

/* ---- calls
 * --------------------------------------------------------------------------------------- */

/* What an argument is; the dtypes of SCALAR and CACHE are the variant's. */
typedef enum what_kind {
  ABSENT, /* its default */
  SCALAR,
  CACHE,
  BYTES,
  F32,
  I32,
  I64,
  HOST_I64,  /* the host reads it, wherever the call runs */
  ADDRESSES, /* of the layers of the op's last tensor */
  CACHES,    /* a list of tensors, one for each layer */
  FORMAT,    /* kv_cache_dtype */
  DEFAULT,   /* a string that is the argument's default */
  NUMBER,
  REAL,
  FLAG
} what_kind;

typedef struct given {
  what_kind kind;
  int64_t shape[5]; /* ends with 0; of a number, the number; codes of sizes */
} given;

/* How indices are numbered: index i is i modulo `modulus`, or i * step. Codes of sizes. */
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
      {FORMAT, {0}}, {F32, {1}}, {                                                                 \
    F32, {1}                                                                                       \
  }

static const changing_op ops[] = {
    {&kvf_op_reshape_and_cache_flash,
     {FLASH_ARGUMENTS, {I64, {TOKENS}}},
     {SLOTS, {"slot_remap", TOKENS, 0}}},
    {&kvf_op_reshape_and_cache,
     {{SCALAR, HEADS},
      {SCALAR, HEADS},
      {CACHE, {NUM_BLOCKS, NUM_HEADS, GROUPS, BLOCK_SIZE, 8}},
      {CACHE, {NUM_BLOCKS, NUM_HEADS, HEAD_SIZE, BLOCK_SIZE}},
      {I64, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}},
      {FLAG, {0}}},
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
      {BYTES, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, PACKED}},
      {BYTES, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, PACKED}},
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
    {&kvf_op_reshape_and_cache_flash_ggml,
     {{SCALAR, HEADS},
      {SCALAR, HEADS},
      {CACHE, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, GGML_ROW}},
      {CACHE, {NUM_BLOCKS, BLOCK_SIZE, NUM_HEADS, GGML_ROW}},
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
      {NUMBER, {MLA_PAGE}},
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
    {&kvf_op_rope_and_cache_flash,
     {{SCALAR, HEADS},
      {SCALAR, HEADS},
      {SCALAR, HEADS},
      {CACHE, FLASH_PAGES},
      {CACHE, FLASH_PAGES},
      {I64, {TOKENS}},
      {SCALAR, {BLOCK_SIZE, ROTARY}},
      {I64, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}},
      {FLAG, {1}},
      {SCALAR, {HEAD_SIZE}},
      {ABSENT, {0}},
      {REAL, {1}},
      {REAL, {0}},
      {DEFAULT, {0}},
      {DEFAULT, {0}},
      {ABSENT, {0}},
      {ABSENT, {0}},
      {ABSENT, {0}}},
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
      {I64, {SEQUENCES, WIDTH}},
      {I32, {STARTS_SIZE}},
      {NUMBER, {SEQUENCES}},
      {I32, {SEQUENCES}}},
     {TABLE, STARTS, {"seq_starts", 1, 0}}},
    {&kvf_op_gather_and_maybe_dequant_cache,
     {{CACHE, {NUM_BLOCKS, BLOCK_SIZE, ROW}},
      {SCALAR, {TOKENS, ROW}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {STARTS_SIZE}},
      {I32, {TOKENS}},
      {NUMBER, {TOKENS}},
      {FORMAT, {0}},
      {F32, {1}}},
     {TABLE, STARTS}},
    {&kvf_op_gather_kv_cache,
     {{CACHE, FLASH_PAGES},
      {CACHE, FLASH_PAGES},
      {SCALAR, HEADS},
      {SCALAR, HEADS},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {STARTS_SIZE}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}},
      {ABSENT, {0}},
      {FLAG, {0}},
      {FLAG, {0}},
      {ABSENT, {0}},
      {ABSENT, {0}},
      {FLAG, {1}}},
     {TABLE, STARTS}},
    {&kvf_op_cp_gather_indexer_k_quant_cache,
     {{BYTES, {NUM_BLOCKS, BLOCK_SIZE, 128 + 4}},
      {BYTES, {TOKENS, 128}},
      {BYTES, {TOKENS, 4}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {STARTS_SIZE}}},
     {TABLE, STARTS}},
    {&kvf_op_cp_gather_and_upconvert_fp8_kv_cache,
     {{BYTES, {NUM_BLOCKS, BLOCK_SIZE, 656}},
      {SCALAR, {TOKENS, LATENT + ROPE}},
      {I32, {SEQUENCES, WIDTH}},
      {I32, {SEQUENCES}},
      {NUMBER, {SEQUENCES}},
      {I32, {SEQUENCES}},
      {ABSENT, {0}},
      {ABSENT, {0}},
      {ABSENT, {0}},
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
     {{CACHES, {NUM_BLOCKS, PAGE}}, {CACHES, {NUM_BLOCKS, PAGE}}, {I64, {PAIRS, 2}}},
     {{"block_mapping", NUM_BLOCKS, 0}}},
    {&kvf_op_copy_blocks_mla,
     {{CACHES, {NUM_BLOCKS, PAGE}}, {I64, {PAIRS, 2}}},
     {{"block_mapping", NUM_BLOCKS, 0}}},
    {&kvf_op_zero_blocks,
     {{CACHES, {NUM_BLOCKS, PAGE}}, {I64, {NUM_BLOCKS}}},
     {{"block_ids", NUM_BLOCKS, 0}}},
    {&kvf_op_swap_blocks,
     {{BYTES, {NUM_BLOCKS, PAGE}},
      {BYTES, {NUM_BLOCKS, PAGE}},
      {NUMBER, {PAGE}},
      {HOST_I64, {PAIRS, 2}}},
     {{"block_mapping", NUM_BLOCKS, 0}}},
    {&kvf_op_paged_attention,
     {{SCALAR, {TOKENS, Q_HEADS, HEAD_SIZE}},
      {SCALAR, {TOKENS, Q_HEADS, HEAD_SIZE}},
      {CACHE, FLASH_PAGES},
      {CACHE, FLASH_PAGES},
      {I32, {STARTS_SIZE}},
      {I32, {SEQUENCES}},
      {I32, {SEQUENCES, WIDTH}},
      {REAL, {1}},
      {FORMAT, {0}},
      {F32, {1}},
      {F32, {1}},
      {FLAG, {0}},
      {NUMBER, {TOKENS}},
      {NUMBER, {TOKENS}},
      {REAL, {0}},
      {ABSENT, {0}},
      {ABSENT, {0}},
      {FLAG, {0}},
      {NUMBER, {0}},
      {F32, {Q_HEADS, TOKENS}},
      {F32, {TOKENS, Q_HEADS, 2, SPLIT_ROW}}},
     {{"block_table", NUM_BLOCKS, 0}, {"seq_lens", 1, 0}, {"query_start_loc", 0, 1}}},
    {&kvf_op_paged_mla_decode,
     {{SCALAR, {TOKENS, Q_HEADS, LATENT}},
      {SCALAR, {TOKENS, Q_HEADS, LATENT + ROPE}},
      {CACHE, {NUM_BLOCKS, BLOCK_SIZE, LATENT + ROPE}},
      {I32, {STARTS_SIZE}},
      {I32, {SEQUENCES}},
      {I32, {SEQUENCES, WIDTH}},
      {REAL, {1}},
      {FORMAT, {0}},
      {F32, {1}},
      {NUMBER, {0}},
      {F32, {Q_HEADS, TOKENS}},
      {F32, {TOKENS, Q_HEADS, 2, LATENT + 2}}},
     {{"block_table", NUM_BLOCKS, 0}, {"seq_lens", 1, 0}, {"query_start_loc", 0, 1}}},
    {&kvf_op_concat_mla_q,
     {{SCALAR, {TOKENS, NUM_HEADS, LATENT}},
      {SCALAR, {TOKENS, NUM_HEADS, ROPE}},
      {SCALAR, {TOKENS, NUM_HEADS, LATENT + ROPE}}},
     {{NULL, 0, 0}}},
    {&kvf_op_convert_fp8,
     {{CACHE, HEADS}, {SCALAR, HEADS}, {REAL, {1}}, {FORMAT, {0}}},
     {{NULL, 0, 0}}},
};

/* Lists of tensors, pieces of the memory of their argument. */
static DLTensor pieces[MAX_OPERANDS][MAX_LAYERS];
static const DLTensor *lists[MAX_OPERANDS][MAX_LAYERS];

static DLDataType dtype_of(what_kind kind, const kvf_variant *variant) {
  switch (kind) {
  case SCALAR:
    return kvf_scalar_of(variant) == KVF_B8 ? dl_dtype(KVF_F16) : dl_dtype(kvf_scalar_of(variant));
  case CACHE:
    return dl_dtype(kvf_cache_of(variant));
  case CACHES:
    return kvf_cache_of(variant) == KVF_B8 ? (DLDataType){kDLUInt, 8, 1}
                                           : dl_dtype(kvf_cache_of(variant));
  case F32:
    return dl_dtype(KVF_F32);
  case I32:
    return (DLDataType){kDLInt, 32, 1};
  case I64:
  case HOST_I64:
  case ADDRESSES:
    return (DLDataType){kDLInt, 64, 1};
  default:
    return (DLDataType){kDLUInt, 8, 1};
  }
}

/* A dimension of one element has the stride `huge`, unless that is 0. */
static void make_tensor(op_call *call, int position, const given *what, DLDataType dtype,
                        size_kind kind, int64_t huge) {
  int32_t rank = 0;
  int64_t shape[5];
  int64_t stride[5];
  while (rank < 5 && what->shape[rank] != 0) {
    shape[rank] = size_of(kind, what->shape[rank]);
    ++rank;
  }
  int64_t run = 1;
  for (int32_t i = rank - 1; i >= 0; --i) {
    stride[i] = huge != 0 && shape[i] == 1 ? huge : run;
    run *= shape[i];
  }
  operand_make(call, position, dtype, rank, shape, stride, 0, 0, options.seed);
  memset(call->operands[position].memory.expected, 0, call->operands[position].memory.size);
}

/* Tensors in one memory, of which the argument itself is a list. */
static void make_list(op_call *call, int position, const given *what, DLDataType dtype,
                      size_kind kind, int64_t huge) {
  given all = {CACHES, {LAYERS}};
  memcpy(all.shape + 1, what->shape, 4 * sizeof *all.shape);
  make_tensor(call, position, &all, dtype, kind, huge);
  tensor *view = &call->operands[position].view;
  int64_t elements = 1;
  for (int32_t i = 1; i < view->rank; ++i) {
    elements *= view->shape[i];
  }
  const int64_t layers = size_of(kind, LAYERS);
  for (int layer = 0; layer < layers; ++layer) {
    DLTensor *piece = &pieces[position][layer];
    *piece = *tensor_dl(view);
    --piece->ndim;
    ++piece->shape;
    ++piece->strides;
    piece->byte_offset += (uint64_t)(layer * elements * (dtype.bits / 8));
    lists[position][layer] = piece;
  }
  call->values[position] =
      (kvf_value){.kind = KVF_KIND_TENSOR_LIST, .as.tensors = {lists[position], layers}};
}

static int64_t index_of(size_kind kind, const flipped *what, int64_t i) {
  return what->modulus != 0 ? i % size_of(kind, what->modulus) : i * size_of(kind, what->step);
}

static void build(op_call *call, const changing_op *what, const kvf_variant *variant,
                  size_kind kind, int64_t huge) {
  /* The address of a cache: that of an operand behind the op's own. */
  enum { BEHIND = MAX_OPERANDS - 1 };
  *call = (op_call){.op = what->op, .exec = {.backend = variant->backend, .num_threads = 1}};
  call->given_exec = &call->exec;
  for (int i = 0; i < what->op->num_arguments; ++i) {
    const given *each = &what->arguments[i];
    const DLDataType dtype = dtype_of(each->kind, variant);
    kvf_value *value = &call->values[i];
    switch (each->kind) {
    case ABSENT:
      *value = what->op->arguments[i].default_value;
      break;
    case CACHES:
      make_list(call, i, each, dtype, kind, huge);
      break;
    case FORMAT:
      *value =
          (kvf_value){.kind = KVF_KIND_STRING, .as.string = kvf_dtype_name(kvf_cache_of(variant))};
      break;
    case DEFAULT:
      *value = what->op->arguments[i].default_value;
      break;
    case NUMBER:
      *value = (kvf_value){.kind = KVF_KIND_INT, .as.integer = size_of(kind, each->shape[0])};
      break;
    case REAL:
      *value = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = (double)each->shape[0]};
      break;
    case FLAG:
      *value = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = each->shape[0] != 0};
      break;
    default:
      call->exec.backend = each->kind == HOST_I64 ? KVF_CPU : variant->backend;
      make_tensor(call, i, each, dtype, kind, huge);
      call->exec.backend = variant->backend;
      break;
    }
    const float one = 1.0f;
    for (size_t at = 0; each->kind == F32 && at < call->operands[i].memory.size; at += 4) {
      memcpy(call->operands[i].memory.expected + at, &one, 4);
    }
    if (each->kind == ADDRESSES) {
      const given caches = {CACHE, {LAYERS, NUM_BLOCKS, MLA_PAGE}};
      make_tensor(call, BEHIND, &caches, dl_dtype(kvf_cache_of(variant)), kind, 0);
      const kvf_view view = operand_view(&call->operands[BEHIND]);
      for (int64_t layer = 0; layer < size_of(kind, LAYERS); ++layer) {
        operand_put_index(&call->operands[i], layer, 0,
                          (int64_t)(uintptr_t)view.data +
                              layer * view.stride[0] * (kvf_dtype_bits(kvf_cache_of(variant)) / 8));
      }
    }
    if (each->kind == F32 && kvf_scalar_of(variant) == kvf_cache_of(variant) &&
        strcmp(what->op->arguments[i].name, "kv_scales") == 0) {
      buffer_free(&call->operands[i].memory);
      call->operands[i] = (operand){.view = {.memory = NULL}};
    }
  }
  /* Every index argument is numbered, those that stay as they are too. */
  static const flipped numbered[] = {SLOTS,
                                     {"slot_remap", TOKENS, 0},
                                     TABLE,
                                     STARTS,
                                     {"query_start_loc", 0, 1},
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
        operand_put_index(to, at / columns, at % columns, index_of(kind, &numbered[k], at));
      }
    }
    for (int64_t s = 0; strcmp(name, "seq_lens") == 0 && s < to->view.shape[0]; ++s) {
      operand_put_index(to, s, 0, size_of(kind, ROWS));
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

static int64_t count_of(const tensor *indices) {
  return indices->shape[0] * (indices->rank > 1 ? indices->shape[1] : 1);
}

static const int64_t *bad_numbers(const flipped *index, const tensor *indices) {
  static const int64_t wide[NUM_BAD] = {INT64_C(1) << 36, INT64_MAX, INT64_MIN, INT64_C(1) << 44};
  static const int64_t narrow[NUM_BAD] = {1 << 30, INT32_MAX, INT32_MIN, 1 << 28};
  static const int64_t addresses[NUM_BAD] = {0}; /* what others point to only the caller knows */
  return strcmp(index->argument, "kv_cache_ptrs") == 0 ? addresses
         : indices->dtype.bits == 64                   ? wide
                                                       : narrow;
}

static double now(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* ---- tests
 * --------------------------------------------------------------------------------------- */

/* Calls for a while, until some have succeeded too. */
static void run_changing(const changing_op *what, const kvf_variant *variant,
                         const flipped *index) {
  const double enough = options.exhaustive ? 2.0 : 0.03;
  op_call call;
  char text[160];
  (void)snprintf(text, sizeof text, "%s, %s", variant->symbol, index->argument);
  note_running(text);
  build(&call, what, variant, MANY, 0);
  const kvf_status first = op_call_invoke(&call, NULL);
  if (!EXPECT(first == KVF_OK, "%s: %s", text, kvf_last_error())) {
    op_call_free(&call);
    return;
  }
  const operand *indices = &call.operands[op_call_position(&call, index->argument)];
  flipper other = {.indices = operand_view(indices).data,
                   .count = count_of(&indices->view),
                   .bad = bad_numbers(index, &indices->view),
                   .wide = indices->view.dtype.bits == 64,
                   .seed = options.seed};
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

/* ---- scales that another thread changes
 * ---------------------------------------------------------------------------- */

typedef struct scale_flipper {
  float *scales;
  int64_t count;
  const float *values; /* num_values of them */
  int64_t num_values;
  uint64_t seed;
  bool stop;
} scale_flipper;

static void put_scales(const scale_flipper *what, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  for (int64_t i = 0; i < what->count; ++i) {
    __atomic_store_n((uint32_t *)what->scales + i, bits, __ATOMIC_RELAXED);
  }
}

static void *flip_scales(void *argument) {
  scale_flipper *what = argument;
  while (!__atomic_load_n(&what->stop, __ATOMIC_RELAXED)) {
    put_scales(what, what->values[random_below(&what->seed, what->num_values)]);
    linger(random_below(&what->seed, 1200));
  }
  return NULL;
}

/* What a call has written: the images of its tensors of that kind, one behind another. */
typedef struct image {
  size_t size;
  uint8_t *bytes;
} image;

static bool is_written(const op_call *call, int position) {
  const bool behind = position >= call->op->num_arguments; /* an address in an argument */
  return call->operands[position].memory.size > 0 &&
         (behind || call->op->arguments[position].mutated);
}

static image image_of(const op_call *call) {
  image made = {0, NULL};
  for (int pass = 0; pass < 2; ++pass) {
    size_t at = 0;
    for (int i = 0; i < MAX_OPERANDS; ++i) {
      const buffer *memory = &call->operands[i].memory;
      if (is_written(call, i)) {
        if (pass == 1) {
          memcpy(made.bytes + at, memory->place, memory->size);
        }
        at += memory->size;
      }
    }
    if (pass == 0) {
      made = (image){at, malloc(at)};
    }
  }
  return made;
}

/* Every element is one of two; the element size is that of each tensor. */
static bool is_either(const op_call *call, const image *got, const image choices[2]) {
  size_t at = 0;
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    const operand *one = &call->operands[i];
    const size_t bytes = one->view.dtype.bits / 8;
    const bool written = is_written(call, i);
    for (size_t k = 0; written && k + bytes <= one->memory.size; k += bytes) {
      if (memcmp(got->bytes + at + k, choices[0].bytes + at + k, bytes) != 0 &&
          memcmp(got->bytes + at + k, choices[1].bytes + at + k, bytes) != 0) {
        return false;
      }
    }
    at += written ? one->memory.size : 0;
  }
  return true;
}

/* Calls for a while during which another thread writes these scales; how many have succeeded. Each
 * must have given what one of `choices` has, unless that is NULL. */
static int64_t call_with(op_call *call, scale_flipper *other, const image *choices,
                         const char *text) {
  const double enough = options.exhaustive ? 2.0 : 0.03;
  pthread_t thread;
  other->stop = false;
  if (!EXPECT(pthread_create(&thread, NULL, flip_scales, other) == 0, "no thread")) {
    return 0;
  }
  int64_t done = 0;
  bool known = true;
  for (const double start = now();
       known && now() - start < enough + 20.0 && (now() - start < enough || done == 0);) {
    const kvf_status status = op_call_invoke(call, NULL);
    done += status == KVF_OK;
    known = EXPECT(status == KVF_OK || (status == KVF_INVALID_VALUE && choices == NULL), "%s: %s",
                   text, kvf_last_error());
    if (status == KVF_OK && choices != NULL) {
      image got = image_of(call);
      known =
          EXPECT(is_either(call, &got, choices), "%s: an element of neither scale", text) && known;
      free(got.bytes);
    }
  }
  __atomic_store_n(&other->stop, true, __ATOMIC_RELAXED);
  (void)pthread_join(thread, NULL);
  return done;
}

/* Numbers that scales make a difference to, none of them a NaN. */
static void fill_sources(const op_call *call, const changing_op *what, const kvf_variant *variant) {
  uint64_t state = options.seed;
  for (int i = 0; i < what->op->num_arguments; ++i) {
    const buffer *memory = &call->operands[i].memory;
    const what_kind kind = what->op->arguments[i].mutated ? ABSENT : what->arguments[i].kind;
    const size_t bytes = kind == SCALAR ? (size_t)kvf_dtype_bits(kvf_scalar_of(variant)) / 8 : 1;
    for (size_t at = 0; at + bytes <= memory->size; at += bytes) {
      if (kind == SCALAR) {
        oracle_make(kvf_scalar_of(variant), random_normal(&state), memory->expected + at);
      } else if (kind == CACHE) {
        memory->expected[at] = (uint8_t)(random_next(&state) & 0xBF);
      }
    }
  }
}

/* Between two scales every element has one of them; with others that no check lets through the call
 * is refused or runs, and writes nowhere else. */
static void run_scales(const changing_op *what, const kvf_variant *variant, int position) {
  static const float good[] = {0.5f, 3.0f};
  static const float any[] = {0.5f, 0.0f, -1.0f, NAN, INFINITY, 1e-45f};
  op_call call;
  char text[160];
  (void)snprintf(text, sizeof text, "%s, %s", variant->symbol, what->op->arguments[position].name);
  note_running(text);
  build(&call, what, variant, MANY, 0);
  const operand *scales = &call.operands[position];
  fill_sources(&call, what, variant);
  op_call_upload(&call);
  scale_flipper other = {.scales = operand_view(scales).data,
                         .count = count_of(&scales->view),
                         .values = good,
                         .num_values = TEST_COUNT(good),
                         .seed = options.seed};
  image choices[2];
  for (int i = 0; i < 2; ++i) {
    put_scales(&other, good[i]);
    EXPECT_STATUS(op_call_invoke(&call, NULL), KVF_OK);
    choices[i] = image_of(&call);
  }
  const bool differ = memcmp(choices[0].bytes, choices[1].bytes, choices[0].size) != 0;
  EXPECT(differ, "%s: it makes no difference", text);
  /* Attention sums products of all tokens. */
  const bool sums = what->op == &kvf_op_paged_attention || what->op == &kvf_op_paged_mla_decode;
  EXPECT(call_with(&call, &other, sums ? NULL : choices, text) > 0, "%s: no call succeeded", text);
  other.values = any;
  other.num_values = TEST_COUNT(any);
  EXPECT(call_with(&call, &other, NULL, text) > 0, "%s: no call succeeded", text);
  free(choices[0].bytes);
  free(choices[1].bytes);
  op_call_free(&call);
  count_case(variant);
}

/* One index out of range: the host refuses what it reads, or it is one to skip. */
static void run_hostile(const changing_op *what, const kvf_variant *variant, const flipped *index) {
  for (int i = 0; i < 3 * NUM_BAD; ++i) {
    op_call call;
    char text[160];
    build(&call, what, variant, i % 2 ? FEW : MANY, 0);
    const operand *indices = &call.operands[op_call_position(&call, index->argument)];
    const int64_t count = count_of(&indices->view);
    const int64_t columns = indices->view.rank > 1 ? indices->view.shape[1] : 1;
    const int64_t at = i / NUM_BAD * (count - 1) / 2;
    const int64_t bad = bad_numbers(index, &indices->view)[i % NUM_BAD];
    operand_put_index(indices, at / columns, at % columns, bad);
    op_call_upload(&call);
    (void)snprintf(text, sizeof text, "%s, %s %lld", variant->symbol, index->argument,
                   (long long)bad);
    note_running(text);
    const kvf_status status = op_call_invoke(&call, NULL);
    const char *wrong = memory_synchronize(variant->backend);
    const bool refused = (status == KVF_OUT_OF_RANGE || status == KVF_INVALID_VALUE) &&
                         indices->memory.backend == KVF_CPU;
    EXPECT(wrong == NULL && (status == KVF_OK || refused), "%s: %s", text,
           wrong != NULL ? wrong : kvf_last_error());
    op_call_free(&call);
    count_case(variant);
  }
}

/* Strides of dimensions of one element say nothing, whatever they are. */
static void run_huge(const changing_op *what, const kvf_variant *variant) {
  static const int64_t strides[] = {INT64_MAX, INT64_MIN, INT64_C(1) << 62, INT64_MAX / 3};
  const kvf_dtype cache = kvf_cache_of(variant);
  const bool any_size = cache != KVF_NVFP4 && cache != KVF_NVFP4_4OVER6 && cache != KVF_Q8_0 &&
                        cache != KVF_Q4_0; /* those have blocks */
  for (int kind = FEW; kind < (any_size ? SIZE_KINDS : FEWEST); ++kind) {
    for (size_t i = 0; i < TEST_COUNT(strides); ++i) {
      op_call call;
      char text[160];
      (void)snprintf(text, sizeof text, "%s, stride %lld", variant->symbol, (long long)strides[i]);
      note_running(text);
      build(&call, what, variant, (size_kind)kind, strides[i]);
      const kvf_status status = op_call_invoke(&call, NULL);
      const char *wrong = memory_synchronize(variant->backend);
      EXPECT(wrong == NULL && status == KVF_OK, "%s: %s", text,
             wrong != NULL ? wrong : kvf_last_error());
      op_call_free(&call);
      count_case(variant);
    }
  }
}

/* Rows or pages of these have a format of their own; their writers share all code with the others.
 */
static bool has_row_format(const kvf_variant *variant) {
  const kvf_dtype cache = kvf_cache_of(variant);
  return ((variant->op == &kvf_op_concat_and_cache_mla ||
           variant->op == &kvf_op_paged_mla_decode) &&
          (cache == KVF_FP8_DS_MLA || cache == KVF_FP8_DS_MLA_F32 || cache == KVF_NVFP4_DS_MLA)) ||
         (variant->op == &kvf_op_reshape_and_cache_flash_per_token_head &&
          cache == KVF_INT4_PER_TOKEN_HEAD) ||
         (variant->op == &kvf_op_reshape_and_cache_flash_ggml && cache == KVF_Q4_0) ||
         ((variant->op == &kvf_op_rope_and_cache_flash || variant->op == &kvf_op_gather_kv_cache ||
           variant->op == &kvf_op_paged_attention) &&
          cache >= KVF_NVFP4);
}

/* Of each op the first variant that copies and the first one that does not. */
static void run_all(void (*run)(const changing_op *, const kvf_variant *)) {
  if (!need_backend()) {
    return;
  }
  for (size_t k = 0; k < TEST_COUNT(ops); ++k) {
    bool seen[2] = {false, false};
    for (int i = 0; i < ops[k].op->num_variants; ++i) {
      const kvf_variant *variant = &ops[k].op->variants[i];
      const bool copies = kvf_scalar_of(variant) == kvf_cache_of(variant);
      if (variant->backend != options.backend || !kvf_variant_built(variant) || seen[copies] ||
          has_row_format(variant)) {
        continue;
      }
      seen[copies] = true;
      run(&ops[k], variant);
    }
  }
}

static void each_hostile(const changing_op *what, const kvf_variant *variant) {
  for (int n = 0; n < 3 && what->indices[n].argument != NULL; ++n) {
    run_hostile(what, variant, &what->indices[n]);
  }
  run_huge(what, variant);
}

static void each_changing(const changing_op *what, const kvf_variant *variant) {
  for (int n = 0; n < 3 && what->indices[n].argument != NULL; ++n) {
    run_changing(what, variant, &what->indices[n]);
  }
}

/* Scales that the kernel reads, which it does where it converts. */
static void each_scale(const changing_op *what, const kvf_variant *variant) {
  for (int i = 0; i < what->op->num_arguments; ++i) {
    const bool scale = what->arguments[i].kind == F32 && !what->op->arguments[i].mutated &&
                       strstr(what->op->arguments[i].name, "scale") != NULL;
    if (scale && kvf_scalar_of(variant) != kvf_cache_of(variant)) {
      run_scales(what, variant, i);
    }
  }
}

static void test_hostile(void) { run_all(each_hostile); }

/* On CUDA nothing is checked before the kernel runs. */
static void run_all_on_cpu(void (*run)(const changing_op *, const kvf_variant *)) {
  if (options.backend == KVF_CUDA) {
    skip_test("on CUDA nothing is checked before the kernel runs");
    return;
  }
  run_all(run);
}

static void test_changing(void) { run_all_on_cpu(each_changing); }
static void test_scales(void) { run_all_on_cpu(each_scale); }

/* ---- slots of another pool
 * ----------------------------------------------------------------------- */

/* Numbers of any dtype, none of them special, in what a call reads. */
static void fill(op_call *call, const changing_op *what) {
  for (int i = 0; i < what->op->num_arguments; ++i) {
    const buffer *memory = &call->operands[i].memory;
    for (size_t at = 0; what->arguments[i].kind == SCALAR && at < memory->size; ++at) {
      memory->expected[at] = (uint8_t)(0x34 + (at / 2 * 5 + at) % 11);
    }
  }
}

/* The slot of a token; some have none. */
static int64_t plain_slot(int64_t token) { return token % 7 == 3 ? -1 : token; }

static void set_slots(const op_call *call, int64_t (*slot)(int64_t token)) {
  const operand *slots = &call->operands[op_call_position(call, "slot_mapping")];
  const int64_t columns = slots->view.rank > 1 ? slots->view.shape[1] : slots->view.shape[0];
  for (int64_t i = 0; i < count_of(&slots->view); ++i) {
    operand_put_index(slots, slots->view.rank > 1 ? i / columns : i,
                      slots->view.rank > 1 ? i % columns : 0, slot(i % columns));
  }
}

/* In the pool a token has an odd slot, or none; every second one of those without has one there. */
static int64_t pool_slot(int64_t token) { return token % 14 == 3 ? -5 : 2 * token + 1; }

/* The call with slots of a pool: a remap leads to the slots of plain_slot(). */
static void make_remap(op_call *call, bool wide) {
  const int64_t tokens = size_of(MANY, TOKENS);
  const int64_t size[1] = {2 * tokens + 2};
  const int64_t step[1] = {wide ? 1 : 3};
  const int position = op_call_position(call, "slot_remap");
  operand_make(call, position, (DLDataType){kDLInt, wide ? 64 : 32, 1}, 1, size, step, 0, 0, 1);
  for (int64_t i = 0; i < size[0]; ++i) {
    operand_put_index(&call->operands[position], i, 0,
                      i % 2 == 0 || i / 2 >= tokens ? INT32_MAX : plain_slot(i / 2));
  }
  set_slots(call, pool_slot);
}

static void build_for_remap(op_call *call, const changing_op *what, const kvf_variant *variant) {
  build(call, what, variant, MANY, 0);
  operand *remap = &call->operands[op_call_position(call, "slot_remap")];
  buffer_free(&remap->memory);
  *remap = (operand){.view = {.memory = NULL}};
  call->values[op_call_position(call, "slot_remap")] = (kvf_value){.kind = KVF_KIND_NONE};
  fill(call, what);
}

/* What both calls leave is the same. */
static void compare(const op_call *plain, const op_call *mapped, const char *text) {
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    const buffer *memory = &plain->operands[i].memory;
    const char *name = i < plain->op->num_arguments ? plain->op->arguments[i].name : "memory";
    if (memory->expected == NULL || strcmp(name, "slot_mapping") == 0 ||
        strcmp(name, "kv_cache_ptrs") == 0) {
      continue;
    }
    uint8_t *of_plain = buffer_contents(memory);
    uint8_t *of_mapped = buffer_contents(&mapped->operands[i].memory);
    EXPECT(memcmp(of_plain, of_mapped, memory->size) == 0, "%s: %s differs", text, name);
    free(of_plain);
    free(of_mapped);
  }
}

/* A slot that no remap has, or one that leads out of the pages. */
static void run_bad_remap(const changing_op *what, const kvf_variant *variant, bool in_remap) {
  const int64_t size = 2 * size_of(MANY, TOKENS) + 2;
  op_call call;
  build_for_remap(&call, what, variant);
  make_remap(&call, true);
  const operand *slots = &call.operands[op_call_position(&call, "slot_mapping")];
  if (in_remap) {
    operand_put_index(slots, 0, 0, 0); /* whose own is INT32_MAX */
  } else {
    operand_put_index(slots, 0, 0, size);
  }
  op_call_upload(&call);
  const uint64_t before = faults_before(variant->backend);
  const kvf_status status = op_call_invoke(&call, NULL);
  char want[160];
  if (in_remap) {
    (void)snprintf(want, sizeof want, "%s: slot_remap: element 0 is 2147483647, want less than",
                   what->op->name);
  } else {
    (void)snprintf(want, sizeof want, " is %lld, want less than %lld (slots of slot_remap)",
                   (long long)size, (long long)size);
  }
  if (variant->backend == KVF_CPU) {
    EXPECT_STATUS(status, KVF_OUT_OF_RANGE);
    EXPECT_TEXT(kvf_last_error(), want);
    (void)op_call_verify(&call, want);
  } else {
    (void)expect_done(variant->backend, status, before, 1, want);
  }
  op_call_free(&call);
  count_case(variant);
}

static void run_remapped(const changing_op *what, const kvf_variant *variant, bool wide) {
  op_call calls[2];
  for (int mapped = 0; mapped < 2; ++mapped) {
    op_call *call = &calls[mapped];
    build_for_remap(call, what, variant);
    if (mapped) {
      make_remap(call, wide);
    } else {
      set_slots(call, plain_slot);
    }
    op_call_upload(call);
    note_running(variant->symbol);
    const uint64_t before = faults_before(variant->backend);
    (void)expect_done(variant->backend, op_call_invoke(call, NULL), before, 0, variant->symbol);
  }
  compare(&calls[0], &calls[1], variant->symbol);
  op_call_free(&calls[0]);
  op_call_free(&calls[1]);
  count_case(variant);
}

static bool has_remap(const kvf_op *op) {
  const int32_t last = op->num_arguments - 1;
  return last >= 0 && strcmp(op->arguments[last].name, "slot_remap") == 0;
}

static bool has_argument(const kvf_op *op, const char *name) {
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    if (strcmp(op->arguments[i].name, name) == 0) {
      return true;
    }
  }
  return false;
}

/* Every op that writes to slots, and every variant of it, takes them through a remap; but those
 * that move tokens between pages and a wire, whose caller has chosen the slots for that. */
static void test_remap(void) {
  if (!need_backend()) {
    return;
  }
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    size_t known = 0;
    while (known < TEST_COUNT(ops) && ops[known].op != op) {
      ++known;
    }
    EXPECT(!has_argument(op, "slot_mapping") || has_argument(op, "wire") ||
               (has_remap(op) && known < TEST_COUNT(ops)),
           "%s has slots and no remap, or is not among the ops of this suite", op->name);
    for (int v = 0; has_remap(op) && known < TEST_COUNT(ops) && v < op->num_variants; ++v) {
      const kvf_variant *variant = &op->variants[v];
      if (variant->backend == options.backend && kvf_variant_built(variant) &&
          !has_row_format(variant)) {
        run_remapped(&ops[known], variant, v % 2);
        run_bad_remap(&ops[known], variant, v % 2);
        run_bad_remap(&ops[known], variant, v % 2 == 0);
      }
    }
  }
}

CU_TestInfo indices_tests[] = {
    {"slots of another pool", test_remap},
    {"numbers out of range, huge strides", test_hostile},
    {"indices that another thread changes", test_changing},
    {"scales that another thread changes", test_scales},
    CU_TEST_INFO_NULL,
};
