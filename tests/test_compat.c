/*
 * libkvforge_compat: the functions of other engines, by the signatures that those declare, and
 * every byte that they write. Linked to the shared library as an engine is.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "memory.h"
#include "oracle.h"

/* ---- the signatures, as engines have them: a declaration that differs does not compile
 * --------------------------------------------------------------------------------- */

#include "kvforge/compat.h"

typedef struct CUstream_st *CUstream;

void reshape_and_cache(void *, void *, void *, void *, int64_t *, int32_t, int32_t, int32_t,
                       int32_t, int32_t, int32_t, int32_t, CUstream, uint32_t, uint32_t, float *,
                       float *);
void reshape_and_cache_flashinfer(void *, void *, void *, void *, int64_t *, int32_t, int32_t,
                                  int32_t, int32_t, int32_t, int32_t, float, float, uint32_t,
                                  uint32_t, CUstream);
void concat_and_cache_mla(void *, void *, void *, void *, int64_t *, int32_t, int32_t, int32_t,
                          int32_t, int32_t, int32_t, CUstream, uint32_t);
void gather_kv_cache(void *, void *, void *, void *, float *, float *, int32_t *, int32_t *,
                     int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, int32_t, CUstream,
                     uint32_t, uint32_t);
void gather_kv_cache_flashinfer(void *, void *, void *, void *, int32_t *, int32_t *, int32_t,
                                int32_t, int32_t, int32_t, int32_t, int32_t, uint32_t, uint32_t,
                                float, float, CUstream);
void gather_mla_cache(void *, void *, void *, void *, int32_t *, int32_t *, int32_t *, int32_t,
                      int32_t, int32_t, int32_t, int32_t, CUstream, uint32_t);
void copy_blocks_bf16(void *, void *, int64_t *, int32_t, int32_t, int32_t, int32_t, int64_t);
void copy_blocks_f16(void *, void *, int64_t *, int32_t, int32_t, int32_t, int32_t, int64_t);
void copy_blocks_f32(void *, void *, int64_t *, int32_t, int32_t, int32_t, int32_t, int64_t);
void copy_blocks_u8(void *, void *, int64_t *, int32_t, int32_t, int32_t, int32_t, int64_t);
void update_kv_scales_f32(void *, void *, long, float *, float *, int64_t);
void update_kv_scales_f16(void *, void *, long, float *, float *, int64_t);
void update_kv_scales_bf16(void *, void *, long, float *, float *, int64_t);

/* ---- a call
 * -------------------------------------------------------------------------------------------- */

/* In the order of their codes. */
static const kvf_dtype dtypes[] = {KVF_F16, KVF_BF16, KVF_F32, KVF_FP8_E4M3};
enum { NUM_SCALARS = 3, FP8 = 3 };

enum {
  NUM_TOKENS = 9, /* of which the last rows of a gather belong to no sequence */
  NUM_ROWS = 7,
  NUM_SEQS = 3,
  NUM_BLOCKS = 5,
  BLOCK_SIZE = 4,
  TABLE_STRIDE = 3,
  PAD = 3 /* elements between tokens */
};
static const int64_t slots[NUM_TOKENS] = {7, 0, -1, 19, 12, 3, 1, -5, 11};
static const int32_t starts[NUM_SEQS + 1] = {0, 5, 5, NUM_ROWS};
static const int32_t table[NUM_SEQS][TABLE_STRIDE] = {{4, 2, -9}, {-9, -9, -9}, {0, -9, -9}};
static const int32_t sequence_of[NUM_ROWS] = {0, 0, 0, 0, 0, 2, 2};
static const float scales[2] = {0.1f, 0.37f};

/* Pages of keys in groups of x, of values, and of both where heads lie in tokens or tokens in
 * heads. */
enum { KEYS_5D, VALUES_4D, NHD, HND };

enum { KEY, VALUE, KEY_PAGES, VALUE_PAGES, SLOTS, TABLE, STARTS, SEQUENCES, SCALES, BUFFERS };

typedef struct compat_case {
  uint32_t dtype, cache;
  int64_t heads, size[2], x;
  bool gathers;
} compat_case;

typedef struct compat_call {
  compat_case what;
  int64_t pad; /* elements between tokens of key and value */
  buffer memory[BUFFERS];
} compat_call;

static int64_t bytes_of(uint32_t code) { return kvf_dtype_bits(dtypes[code]) / 8; }

/* The element of a page's number that holds an element of a head. */
static int64_t place(const compat_case *what, int layout, int side, int64_t block, int64_t offset,
                     int64_t head, int64_t element) {
  const int64_t size = what->size[side];
  const int64_t groups = (size + what->x - 1) / what->x;
  switch (layout) {
  case KEYS_5D:
    return (((block * what->heads + head) * groups + element / what->x) * BLOCK_SIZE + offset) *
               what->x +
           element % what->x;
  case VALUES_4D:
    return ((block * what->heads + head) * size + element) * BLOCK_SIZE + offset;
  case NHD:
    return ((block * BLOCK_SIZE + offset) * what->heads + head) * size + element;
  default:
    return ((block * what->heads + head) * BLOCK_SIZE + offset) * size + element;
  }
}

static void fill(buffer *memory, uint32_t code, uint64_t seed) {
  const int64_t bytes = bytes_of(code);
  uint64_t state = seed;
  for (size_t i = 0; i < memory->size / (size_t)bytes; ++i) {
    uint8_t *element = memory->expected + i * (size_t)bytes;
    if (code == FP8) {
      *element = (uint8_t)random_next(&state);
    } else {
      oracle_make(dtypes[code], random_normal(&state), element);
    }
  }
}

/* Memory of exactly the sizes that the signatures ask for, uploaded. */
static void make_call(compat_call *call, const compat_case *what) {
  *call = (compat_call){.what = *what, .pad = what->gathers ? 0 : PAD};
  const int64_t groups = (what->size[0] + what->x - 1) / what->x;
  const int64_t dense = NUM_BLOCKS * BLOCK_SIZE * what->heads;
  const int64_t sizes[BUFFERS] = {
      NUM_TOKENS * (what->heads * what->size[0] + call->pad) * bytes_of(what->dtype),
      NUM_TOKENS * (what->heads * what->size[1] + call->pad) * bytes_of(what->dtype),
      dense * groups * what->x * bytes_of(what->cache),
      dense * what->size[1] * bytes_of(what->cache),
      sizeof slots,
      sizeof table,
      sizeof starts,
      NUM_TOKENS * (int64_t)sizeof *sequence_of,
      sizeof scales,
  };
  for (int i = 0; i < BUFFERS; ++i) {
    call->memory[i] = buffer_make(KVF_CUDA, (size_t)sizes[i], options.seed + (uint64_t)i);
  }
  fill(&call->memory[KEY], what->dtype, options.seed + 1);
  fill(&call->memory[VALUE], what->dtype, options.seed + 2);
  fill(&call->memory[KEY_PAGES], what->cache, options.seed + 3);
  fill(&call->memory[VALUE_PAGES], what->cache, options.seed + 4);
  memcpy(call->memory[SLOTS].expected, slots, sizeof slots);
  memcpy(call->memory[TABLE].expected, table, sizeof table);
  memcpy(call->memory[STARTS].expected, starts, sizeof starts);
  memset(call->memory[SEQUENCES].expected, 0, call->memory[SEQUENCES].size);
  memcpy(call->memory[SEQUENCES].expected, sequence_of, sizeof sequence_of);
  memcpy(call->memory[SCALES].expected, scales, sizeof scales);
  for (int i = 0; i < BUFFERS; ++i) {
    buffer_upload(&call->memory[i]);
  }
}

static void free_call(compat_call *call) {
  for (int i = 0; i < BUFFERS; ++i) {
    buffer_free(&call->memory[i]);
  }
}

/* What the caches hold after a write, or the outputs after a gather. */
static void expect_moved(compat_call *call, const int *layouts) {
  const compat_case *what = &call->what;
  const int64_t scalar = bytes_of(what->dtype);
  const int64_t cache = bytes_of(what->cache);
  for (int64_t t = 0; t < NUM_TOKENS; ++t) {
    const bool skipped = what->gathers ? t >= NUM_ROWS : slots[t] < 0;
    if (skipped) {
      continue;
    }
    const int64_t position = what->gathers ? t - starts[sequence_of[t]] : 0;
    const int64_t block =
        what->gathers ? table[sequence_of[t]][position / BLOCK_SIZE] : slots[t] / BLOCK_SIZE;
    const int64_t offset = (what->gathers ? position : slots[t]) % BLOCK_SIZE;
    for (int side = 0; side < 2; ++side) {
      const int64_t size = what->size[side];
      for (int64_t i = 0; i < what->heads * size; ++i) {
        const int64_t at =
            place(what, layouts[side], side, block, offset, i / size, i % size) * cache;
        const int64_t row = (t * (what->heads * size + call->pad) + i) * scalar;
        uint8_t *flat = call->memory[KEY + side].expected + row;
        uint8_t *paged = call->memory[KEY_PAGES + side].expected + at;
        if (!what->gathers) {
          oracle_store(dtypes[what->dtype], dtypes[what->cache], flat, scales[side], paged);
        } else if (what->cache == FP8) {
          const float code = (float)oracle_value(KVF_FP8_E4M3, paged);
          oracle_round(dtypes[what->dtype], (double)(code * scales[side]), flat);
        } else {
          memcpy(flat, paged, (size_t)scalar);
        }
      }
    }
  }
}

static void verify(compat_call *call, const char *what) {
  static const char *const names[] = {"key",   "value",  "key pages", "value pages", "slots",
                                      "table", "starts", "sequences", "scales"};
  const char *wrong = memory_synchronize(KVF_CUDA);
  EXPECT(wrong == NULL, "%s: %s", what, wrong);
  for (int i = 0; i < BUFFERS; ++i) {
    uint8_t got = 0;
    const int64_t at = buffer_difference(&call->memory[i], &got);
    EXPECT(at < 0, "%s, dtype %u, cache %u, %d x %d: byte %lld of %s is %02x, want %02x", what,
           call->what.dtype, call->what.cache, (int)call->what.heads, (int)call->what.size[0],
           (long long)at, names[i], got, at < 0 ? 0 : call->memory[i].expected[at]);
  }
}

/* ---- the functions, with the arguments of a call
 * ------------------------------------------------ */

enum { FUNCTION_5D, FUNCTION_FLAT, FUNCTION_MLA, FUNCTIONS };

/* What a row of a table of errors replaces. */
typedef struct compat_arguments {
  void *memory[BUFFERS];
  int32_t num_tokens, heads, size, block_size, x;
  uint32_t dtype, cache;
  float scale[2];
  CUstream stream;
} compat_arguments;

static compat_arguments arguments_of(const compat_call *call) {
  compat_arguments given = {
      .num_tokens = NUM_TOKENS,
      .heads = (int32_t)call->what.heads,
      .size = (int32_t)call->what.size[0],
      .block_size = BLOCK_SIZE,
      .x = (int32_t)call->what.x,
      .dtype = call->what.dtype,
      .cache = call->what.cache,
      .scale = {scales[0], scales[1]},
  };
  for (int i = 0; i < BUFFERS; ++i) {
    given.memory[i] = call->memory[i].place;
  }
  return given;
}

static void run(int function, const compat_call *call, const compat_arguments *given) {
  const compat_case *what = &call->what;
  void *const *m = given->memory;
  float *k_scale = m[SCALES];
  float *v_scale = k_scale != NULL ? k_scale + 1 : NULL;
  const int32_t value_size = (int32_t)what->size[1];
  const int32_t key_stride = (int32_t)(what->heads * what->size[0] + call->pad);
  const int32_t value_stride = (int32_t)(what->heads * what->size[1] + call->pad);
  switch (function + FUNCTIONS * what->gathers) {
  case FUNCTION_5D:
    reshape_and_cache(m[KEY], m[VALUE], m[KEY_PAGES], m[VALUE_PAGES], m[SLOTS], given->num_tokens,
                      given->heads, given->size, given->block_size, given->x, key_stride,
                      value_stride, given->stream, given->dtype, given->cache, k_scale, v_scale);
    break;
  case FUNCTION_FLAT:
    reshape_and_cache_flashinfer(m[KEY], m[VALUE], m[KEY_PAGES], m[VALUE_PAGES], m[SLOTS],
                                 given->num_tokens, given->heads, given->size, given->block_size,
                                 key_stride, value_stride, given->scale[0], given->scale[1],
                                 given->dtype, given->cache, given->stream);
    break;
  case FUNCTION_MLA:
    concat_and_cache_mla(m[KEY], m[VALUE], m[KEY_PAGES], m[VALUE_PAGES], m[SLOTS],
                         given->num_tokens, given->size, value_size, given->block_size, key_stride,
                         value_stride, given->stream, given->dtype);
    break;
  case FUNCTIONS + FUNCTION_5D:
    gather_kv_cache(m[KEY_PAGES], m[VALUE_PAGES], m[KEY], m[VALUE], k_scale, v_scale, m[TABLE],
                    m[STARTS], given->num_tokens, NUM_SEQS, given->block_size, TABLE_STRIDE,
                    given->heads, given->size, given->x, given->stream, given->dtype, given->cache);
    break;
  case FUNCTIONS + FUNCTION_FLAT:
    gather_kv_cache_flashinfer(m[KEY_PAGES], m[VALUE_PAGES], m[KEY], m[VALUE], m[TABLE], m[STARTS],
                               given->num_tokens, NUM_SEQS, given->block_size, TABLE_STRIDE,
                               given->heads, given->size, given->dtype, given->cache,
                               given->scale[0], given->scale[1], given->stream);
    break;
  default:
    gather_mla_cache(m[KEY_PAGES], m[VALUE_PAGES], m[KEY], m[VALUE], m[TABLE], m[STARTS],
                     m[SEQUENCES], given->num_tokens, given->block_size, TABLE_STRIDE, given->size,
                     value_size, given->stream, given->dtype);
  }
}

/* What the call needs is not in this build: that part is skipped. */
static bool is_missing(void) {
  const bool missing = kvf_compat_status() == KVF_NOT_BUILT;
  if (missing) {
    skip_part("%s", kvf_last_error());
  }
  return missing;
}

/* ---- bytes
 * --------------------------------------------------------------------------------------------- */

static void test_case(int function, const compat_case *what, const int *layouts, CUstream stream) {
  static const char *const names[2][FUNCTIONS] = {
      {"reshape_and_cache", "reshape_and_cache_flashinfer", "concat_and_cache_mla"},
      {"gather_kv_cache", "gather_kv_cache_flashinfer", "gather_mla_cache"}};
  compat_call call;
  make_call(&call, what);
  compat_arguments given = arguments_of(&call);
  given.stream = stream;
  note_running(names[what->gathers][function]);
  run(function, &call, &given);
  if (!is_missing()) {
    EXPECT(kvf_compat_status() == KVF_OK, "%s: %s", names[what->gathers][function],
           kvf_last_error());
    expect_moved(&call, layouts);
  }
  verify(&call, names[what->gathers][function]);
  free_call(&call);
  count_case(NULL);
}

/* Of K/V: each dtype with each cache that it can have, heads that vectors divide and others. */
static void test_pages(int function, const int *layouts) {
  static const int64_t heads[] = {2, 3, 1};
  static const int64_t sizes[] = {64, 20, 7};
  if (!need_backend()) {
    return;
  }
  CUstream stream = NULL;
  EXPECT(cuda.stream_create((void **)&stream, 1) == 0, "no stream");
  for (uint32_t dtype = 0; dtype < NUM_SCALARS; ++dtype) {
    for (int i = 0; i < 2 * (int)TEST_COUNT(sizes) * 2; ++i) {
      const uint32_t cache = i % 2 ? FP8 : dtype;
      const int64_t size = sizes[i / 2 % 3];
      const compat_case what = {.dtype = dtype,
                                .cache = cache,
                                .heads = heads[i / 2 % 3],
                                .size = {size, size},
                                .x = 16 / bytes_of(cache),
                                .gathers = i / 6 % 2};
      test_case(function, &what, layouts, stream);
    }
  }
  EXPECT(cuda.stream_destroy(stream) == 0, "the stream is not destroyed");
}

static void test_5d(void) { test_pages(FUNCTION_5D, (const int[]){KEYS_5D, VALUES_4D}); }

static void test_hnd(void) { test_pages(FUNCTION_FLAT, (const int[]){HND, HND}); }

static void test_nhd_pages(void) { test_pages(FUNCTION_FLAT, (const int[]){NHD, NHD}); }

static void test_nhd(void) { run_alone("compat_nhd", "KVFORGE_COMPAT_PAGES", "nhd"); }

/* Two caches, of one head each. */
static void test_mla(void) {
  static const int64_t sizes[][2] = {{512, 64}, {7, 5}, {64, 0}, {0, 64}};
  for (uint32_t i = 0; need_backend() && i < NUM_SCALARS * 2 * TEST_COUNT(sizes); ++i) {
    const uint32_t dtype = i % NUM_SCALARS;
    const int64_t *size = sizes[i / NUM_SCALARS % TEST_COUNT(sizes)];
    const compat_case what = {.dtype = dtype,
                              .cache = dtype,
                              .heads = 1,
                              .size = {size[0], size[1]},
                              .x = 1,
                              .gathers = i / (NUM_SCALARS * TEST_COUNT(sizes))};
    test_case(FUNCTION_MLA, &what, (const int[]){NHD, NHD}, NULL);
  }
}

/* ---- what is not done
 * ---------------------------------------------------------------------------------- */

static const compat_case small = {.dtype = 1, .cache = FP8, .heads = 2, .size = {16, 16}, .x = 16};

/* One call that cannot be made: nothing is written, and why is told. */
static void test_refused(int function, bool gathers, void (*spoil)(compat_arguments *given),
                         kvf_status status, const char *part) {
  compat_case what = small;
  what.gathers = gathers;
  if (function == FUNCTION_MLA) {
    what.heads = 1;
    what.cache = what.dtype;
  }
  compat_call call;
  make_call(&call, &what);
  compat_arguments given = arguments_of(&call);
  spoil(&given);
  run(function, &call, &given);
  if (!is_missing()) {
    EXPECT_STATUS(kvf_compat_status(), status);
    EXPECT_TEXT(kvf_last_error(), part);
  }
  verify(&call, part);
  free_call(&call);
  count_case(NULL);
}

static void wild_dtype(compat_arguments *given) { given->dtype = 7; }
static void wild_cache(compat_arguments *given) { given->cache = 4; }
static void other_cache(compat_arguments *given) { given->cache = 0; }
static void no_pages(compat_arguments *given) { given->memory[KEY_PAGES] = NULL; }
static void host_pages(compat_arguments *given) { given->memory[VALUE_PAGES] = given; }
static void no_slots(compat_arguments *given) { given->memory[SLOTS] = NULL; }
static void no_keys(compat_arguments *given) { given->memory[KEY] = NULL; }
static void no_table(compat_arguments *given) { given->memory[TABLE] = NULL; }
static void no_starts(compat_arguments *given) { given->memory[STARTS] = NULL; }
static void no_sequences(compat_arguments *given) { given->memory[SEQUENCES] = NULL; }
static void no_scales(compat_arguments *given) { given->memory[SCALES] = NULL; }
static void zero_scale(compat_arguments *given) { given->scale[0] = 0.0f; }
static void wild_scale(compat_arguments *given) { given->scale[1] = NAN; }
static void no_block(compat_arguments *given) { given->block_size = 0; }
static void vast_block(compat_arguments *given) { given->block_size = given->size = INT32_MAX; }
static void negative_tokens(compat_arguments *given) { given->num_tokens = -1; }
static void negative_heads(compat_arguments *given) { given->heads = -2; }
static void no_group(compat_arguments *given) { given->x = 0; }

static void test_errors(void) {
  static const struct {
    int functions; /* 1 << FUNCTION_... */
    int gathers;   /* 0, 1 or, for both, 2 */
    void (*spoil)(compat_arguments *given);
    kvf_status status;
    const char *part;
  } rows[] = {
      {7, 0, wild_dtype, KVF_INVALID_TYPE, ": dtype: got 7, want 0 (f16), 1 (bf16) or 2 (f32)"},
      {3, 1, wild_dtype, KVF_INVALID_TYPE, ": out_dtype: got 7, want 0 (f16)"},
      {4, 1, wild_dtype, KVF_INVALID_TYPE, ": dtype: got 7, want 0 (f16)"},
      {3, 2, wild_cache, KVF_INVALID_TYPE, ": cache_dtype: got 4, want 1 (bf16, as "},
      {3, 2, other_cache, KVF_INVALID_TYPE, ": cache_dtype: got 0, want 1 (bf16, as "},
      {3, 2, no_pages, KVF_INVALID_VALUE, ": key_cache: (nil) is no address in memory"},
      {3, 2, host_pages, KVF_INVALID_VALUE, ": value_cache: 0x"},
      {4, 2, no_pages, KVF_INVALID_VALUE, ": ckv_cache: (nil) is no address in memory"},
      {4, 2, host_pages, KVF_INVALID_VALUE, ": kpe_cache: 0x"},
      {7, 0, no_slots, KVF_INVALID_VALUE, ": slot_mapping: got NULL, want an address"},
      {3, 0, no_keys, KVF_INVALID_VALUE, ": key: got NULL, want an address"},
      {4, 0, no_keys, KVF_INVALID_VALUE, ": kv_c: got NULL, want an address"},
      {3, 1, no_keys, KVF_INVALID_VALUE, ": key_out: got NULL, want an address"},
      {3, 1, no_table, KVF_INVALID_VALUE, ": block_table: got NULL, want an address"},
      {3, 1, no_starts, KVF_INVALID_VALUE, ": cu_seq_lens: got NULL, want an address"},
      {4, 1, no_table, KVF_INVALID_VALUE, ": block_table: (nil) is no address"},
      {4, 1, no_starts, KVF_INVALID_VALUE, ": cu_seq_lens: (nil) is no address"},
      {4, 1, no_sequences, KVF_INVALID_VALUE, ": token_to_seq: got NULL, want an address"},
      {1, 2, no_scales, KVF_INVALID_VALUE, ": k_scale: got NULL, want an address"},
      {2, 2, zero_scale, KVF_INVALID_VALUE, ": k_scale: got 0, want a finite number"},
      {2, 2, wild_scale, KVF_INVALID_VALUE, ": v_scale: got nan, want a finite number"},
      {7, 2, no_block, KVF_INVALID_VALUE, ": block_size: got 0, want 1 or more"},
      {3, 2, vast_block, KVF_INVALID_VALUE, ": key_cache: memory ends 640 bytes behind"},
      {4, 2, vast_block, KVF_INVALID_VALUE, ": ckv_cache: memory ends "},
      {7, 0, negative_tokens, KVF_INVALID_VALUE, ": num_tokens: got -1, want 0 or more"},
      {7, 1, negative_tokens, KVF_INVALID_VALUE, ": num_rows: got -1, want 0 or more"},
      {3, 0, negative_heads, KVF_INVALID_VALUE, ": num_heads: got -2, want 0 or more"},
      {3, 1, negative_heads, KVF_INVALID_VALUE, ": num_kv_heads: got -2, want 0 or more"},
      {1, 2, no_group, KVF_INVALID_VALUE, ": x: got 0, want 1 or more"},
  };
  for (size_t i = 0; need_backend() && i < TEST_COUNT(rows) * FUNCTIONS * 2; ++i) {
    const size_t row = i / (FUNCTIONS * 2);
    const int function = (int)(i / 2 % FUNCTIONS);
    const int gathers = (int)(i % 2);
    if ((rows[row].functions >> function & 1) != 0 &&
        (rows[row].gathers == 2 || rows[row].gathers == gathers)) {
      test_refused(function, gathers, rows[row].spoil, rows[row].status, rows[row].part);
    }
  }
}

/* No tokens are nothing to do, whatever the addresses are. */
static void test_no_tokens(void) {
  for (int i = 0; need_backend() && i < FUNCTIONS * 2; ++i) {
    compat_case what = small;
    what.gathers = i / FUNCTIONS;
    what.heads = 1;
    what.cache = what.dtype;
    compat_call call;
    make_call(&call, &what);
    compat_arguments given = arguments_of(&call);
    memset(given.memory, 0, sizeof given.memory);
    given.num_tokens = 0;
    if (i % FUNCTIONS != FUNCTION_MLA) {
      given.block_size = given.size = INT32_MAX; /* products of sizes overflow */
      given.heads = 1;
    }
    run(i % FUNCTIONS, &call, &given);
    EXPECT(is_missing() || kvf_compat_status() == KVF_OK, "no tokens: %s", kvf_last_error());
    verify(&call, "no tokens");
    free_call(&call);
    count_case(NULL);
  }
}

/* A slot or page behind the memory of a cache is skipped and counted. */
static void test_out_of_range(void) {
  for (int i = 0; need_backend() && i < FUNCTIONS * 2; ++i) {
    const int function = i % FUNCTIONS;
    compat_case what = small;
    what.gathers = i / FUNCTIONS;
    what.heads = 1;
    what.cache = what.dtype;
    compat_call call;
    make_call(&call, &what);
    uint64_t before = 0;
    uint64_t after = 0;
    EXPECT_STATUS(kvf_cuda_fault_count(0, &before), KVF_OK);
    const int64_t slot = NUM_BLOCKS * BLOCK_SIZE;
    const int32_t page = NUM_BLOCKS;
    for (int64_t t = 0; t < NUM_TOKENS; ++t) {
      memcpy(call.memory[SLOTS].expected + 8 * t, &slot, 8);
    }
    for (int64_t p = 0; p < NUM_SEQS * TABLE_STRIDE; ++p) {
      memcpy(call.memory[TABLE].expected + 4 * p, &page, 4);
    }
    buffer_upload(&call.memory[SLOTS]);
    buffer_upload(&call.memory[TABLE]);
    const compat_arguments given = arguments_of(&call);
    run(function, &call, &given);
    if (is_missing()) {
      free_call(&call);
      continue;
    }
    EXPECT(kvf_compat_status() == KVF_OK, "out of range: %s", kvf_last_error());
    if (what.gathers && function != FUNCTION_MLA) { /* such rows become 0 */
      memset(call.memory[KEY].expected, 0, (size_t)(NUM_ROWS * what.size[0] * 2));
      memset(call.memory[VALUE].expected, 0, (size_t)(NUM_ROWS * what.size[1] * 2));
    }
    verify(&call, "out of range");
    EXPECT_STATUS(kvf_cuda_fault_count(0, &after), KVF_OK);
    const uint64_t want = !what.gathers              ? NUM_TOKENS
                          : function == FUNCTION_MLA ? 2 * NUM_ROWS
                                                     : NUM_ROWS;
    EXPECT(after - before == want, "function %d: %d faults, want %d", i, (int)(after - before),
           (int)want);
    free_call(&call);
    count_case(NULL);
  }
}

/* ---- copies
 * -------------------------------------------------------------------------------------------- */

typedef void (*copy_function)(void *, void *, int64_t *, int32_t, int32_t, int32_t, int32_t,
                              int64_t);
static const struct {
  copy_function function;
  int bytes;
} copies[] = {
    {copy_blocks_bf16, 2}, {copy_blocks_f16, 2}, {copy_blocks_f32, 4}, {copy_blocks_u8, 1}};

enum { LAYERS = 300, PAIRS = 5 };

/* Keys and values of all layers in one memory, at any alignment; addresses and pairs in others. */
static void make_copy(buffer *memory, int32_t layers, const int32_t *numel, int bytes, int shift,
                      const int64_t *pairs) {
  const int64_t one = NUM_BLOCKS * bytes * (int64_t)(numel[0] + numel[1]) + 2 * (int64_t)shift;
  memory[0] = buffer_make(KVF_CUDA, (size_t)(layers * one + 16), options.seed);
  memory[1] = buffer_make(KVF_CUDA, 2 * sizeof(void *) * (size_t)layers, options.seed + 1);
  memory[2] = buffer_make(KVF_CUDA, 2 * PAIRS * sizeof *pairs, options.seed + 2);
  for (int64_t i = 0; i < layers; ++i) {
    const char *keys = (char *)memory[0].place + i * one + shift;
    const char *values = keys + NUM_BLOCKS * bytes * (int64_t)numel[0] + shift;
    memcpy(memory[1].expected + 8 * i, &keys, 8);
    memcpy(memory[1].expected + 8 * (layers + i), &values, 8);
  }
  memcpy(memory[2].expected, pairs, memory[2].size);
  for (int i = 0; i < 3; ++i) {
    buffer_upload(&memory[i]);
  }
}

static bool has_copies(void) {
  const bool built = kvf_select(&kvf_op_copy_blocks, KVF_CUDA, KVF_B8) != NULL;
  if (!built) {
    skip_test("%s", kvf_last_error());
  }
  return built;
}

/* In the order of the list; the second pair reads what the first has written. */
static void test_copies(void) {
  static const int64_t pairs[2 * PAIRS] = {0, 3, 3, 1, -1, 2, 4, 0, 2, -7};
  static const int32_t numels[][2] = {{64, 64}, {48, 7}, {1030, 16}, {0, 32}};
  for (int i = 0; need_backend() && has_copies() && i < 4 * 4 * 4; ++i) {
    const int bytes = copies[i % 4].bytes;
    const int32_t *numel = numels[i / 4 % 4];
    const int shift = (const int[]){0, 16, 4, 1}[i / 16] / bytes * bytes;
    const int32_t layers = i % 7 == 0 ? LAYERS : 3;
    buffer memory[3];
    make_copy(memory, layers, numel, bytes, shift, pairs);
    copies[i % 4].function(memory[1].place, (char *)memory[1].place + 8 * (size_t)layers,
                           memory[2].place, layers, PAIRS, numel[0], numel[1], 0);
    EXPECT(kvf_compat_status() == KVF_OK, "copy_blocks: %s", kvf_last_error());
    const char *wrong = memory_synchronize(KVF_CUDA);
    EXPECT(wrong == NULL, "copy_blocks: %s", wrong);
    for (int32_t k = 0; k < 2 * layers; ++k) {
      const char *address;
      memcpy(&address, memory[1].expected + 8 * (size_t)k, 8);
      uint8_t *cache = memory[0].expected + (address - (char *)memory[0].place);
      const int64_t page = (int64_t)bytes * numel[k >= layers];
      for (int pair = 0; pair < PAIRS; ++pair) {
        const int64_t source = pairs[2 * pair];
        const int64_t target = pairs[2 * pair + 1];
        if (source >= 0 && target >= 0) {
          memcpy(cache + target * page, cache + source * page, (size_t)page);
        }
      }
    }
    for (int k = 0; k < 3; ++k) {
      uint8_t got = 0;
      const int64_t at = buffer_difference(&memory[k], &got);
      EXPECT(at < 0, "copy_blocks, %d bytes, %d and %d elements, shift %d: byte %lld is %02x",
             bytes, numel[0], numel[1], shift, (long long)at, got);
      buffer_free(&memory[k]);
    }
    count_case(NULL);
  }
}

static void test_copy_errors(void) {
  static const int64_t pairs[2 * PAIRS] = {0};
  if (!need_backend() || !has_copies()) {
    return;
  }
  buffer memory[3];
  make_copy(memory, 2, (const int32_t[]){8, 8}, 2, 0, pairs);
  void *const keys = memory[1].place;
  void *const values = (char *)keys + 16;
  static int host;
  const struct {
    void *keys, *values, *pairs;
    int32_t layers, num_pairs, numel;
    kvf_status status;
    const char *part;
  } rows[] = {
      {NULL, values, memory[2].place, 2, 1, 8, KVF_INVALID_VALUE,
       "copy_blocks: key_cache_ptrs: (nil)"},
      {keys, &host, memory[2].place, 2, 1, 8, KVF_INVALID_VALUE,
       "copy_blocks: value_cache_ptrs: 0x"},
      {keys, values, NULL, 2, 1, 8, KVF_INVALID_VALUE, "copy_blocks: block_mapping: got NULL"},
      {keys, values, memory[2].place, -1, 1, 8, KVF_INVALID_VALUE,
       "num_layers: got -1, want 0 or more"},
      {keys, values, memory[2].place, 2, -1, 8, KVF_INVALID_VALUE,
       "num_pairs: got -1, want 0 or more"},
      {keys, values, memory[2].place, 2, 1, -8, KVF_INVALID_VALUE,
       "numel_per_block_key: got -16, want 0"},
      {keys, values, memory[2].place, 70000, 1, 8, KVF_INVALID_VALUE,
       "key_cache_ptrs: memory ends "},
      {NULL, NULL, NULL, 2, 0, 8, KVF_OK, NULL},
      {NULL, NULL, NULL, 0, 2, 8, KVF_OK, NULL},
  };
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    copy_blocks_f16(rows[i].keys, rows[i].values, rows[i].pairs, rows[i].layers, rows[i].num_pairs,
                    rows[i].numel, rows[i].numel, 0);
    EXPECT_STATUS(kvf_compat_status(), rows[i].status);
    if (rows[i].part != NULL) {
      EXPECT_TEXT(kvf_last_error(), rows[i].part);
    }
    count_case(NULL);
  }
  (void)memory_synchronize(KVF_CUDA);
  for (int k = 0; k < 3; ++k) {
    uint8_t got = 0;
    EXPECT(buffer_difference(&memory[k], &got) < 0, "a refused copy_blocks has written");
    buffer_free(&memory[k]);
  }
}

/* ---- scales
 * -------------------------------------------------------------------------------------------- */

static void test_scales(void) {
  static void (*const functions[])(void *, void *, long, float *, float *, int64_t) = {
      update_kv_scales_f16, update_kv_scales_bf16, update_kv_scales_f32}; /* by code */
  static const long elements[] = {1, 7, 4096, 100000};
  for (int i = 0; need_backend() && i < 3 * 4; ++i) {
    const uint32_t dtype = (uint32_t)i % 3;
    const long count = elements[i / 3];
    if (kvf_select(&kvf_op_update_kv_scales, KVF_CUDA, dtypes[dtype]) == NULL) {
      skip_part("%s", kvf_last_error());
      continue;
    }
    buffer memory[3] = {buffer_make(KVF_CUDA, (size_t)(count * bytes_of(dtype)), options.seed),
                        buffer_make(KVF_CUDA, (size_t)(count * bytes_of(dtype)), options.seed + 1),
                        buffer_make(KVF_CUDA, 8, options.seed + 2)};
    float held[2] = {0.0f, 0.01f};
    for (int side = 0; side < 2; ++side) {
      fill(&memory[side], dtype, options.seed + 5 + (uint64_t)side);
      double largest = 0.0;
      for (long k = 0; k < count; ++k) {
        const double value =
            fabs(oracle_value(dtypes[dtype], memory[side].expected + k * bytes_of(dtype)));
        largest = value > largest ? value : largest;
      }
      memcpy(memory[2].expected + 4 * side, &held[side], 4);
      const float raised = (float)largest / 240.0f;
      held[side] = raised > held[side] ? raised : held[side];
    }
    for (int k = 0; k < 3; ++k) {
      buffer_upload(&memory[k]);
    }
    float *scale = memory[2].place;
    functions[dtype](memory[0].place, memory[1].place, count, scale, scale + 1, 0);
    EXPECT(kvf_compat_status() == KVF_OK, "update_kv_scales: %s", kvf_last_error());
    const char *wrong = memory_synchronize(KVF_CUDA);
    EXPECT(wrong == NULL, "update_kv_scales: %s", wrong);
    memcpy(memory[2].expected, held, sizeof held);
    for (int k = 0; k < 3; ++k) {
      uint8_t got = 0;
      EXPECT(buffer_difference(&memory[k], &got) < 0, "update_kv_scales, dtype %u: wrong bytes",
             dtype);
    }
    functions[dtype](memory[0].place, memory[1].place, count, NULL, scale + 1, 0);
    EXPECT_STATUS(kvf_compat_status(), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), "update_kv_scales: k_scales: (nil) is no address in memory");
    functions[dtype](NULL, memory[1].place, count, scale, scale + 1, 0);
    EXPECT_TEXT(kvf_last_error(), "update_kv_scales: key: got NULL, want an address");
    functions[dtype](memory[0].place, memory[1].place, -1, scale, scale + 1, 0);
    EXPECT_TEXT(kvf_last_error(), "update_kv_scales: elements: got -1, want 0 or more");
    functions[dtype](NULL, NULL, 0, NULL, NULL, 0);
    EXPECT_STATUS(kvf_compat_status(), KVF_OK);
    for (int k = 0; k < 3; ++k) {
      buffer_free(&memory[k]);
    }
    count_case(NULL);
  }
}

CU_TestInfo compat_tests[] = {
    {"pages of groups", test_5d},
    {"pages of heads", test_hnd},
    {"pages of tokens", test_nhd},
    {"two caches of MLA", test_mla},
    {"copies", test_copies},
    {"scales", test_scales},
    {"calls that cannot be made", test_errors},
    {"copies that cannot be made", test_copy_errors},
    {"no tokens", test_no_tokens},
    {"slots and pages out of range", test_out_of_range},
    CU_TEST_INFO_NULL,
};

CU_TestInfo compat_nhd_tests[] = {
    {"pages of tokens", test_nhd_pages},
    CU_TEST_INFO_NULL,
};
