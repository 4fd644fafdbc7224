/*
 * Cases for the ops that write new keys and values to a cache: builds tensors of every layout,
 * calls the op through each of its three entries, and compares every byte with the oracle.
 */
#ifndef KVF_TESTS_WRITER_H
#define KVF_TESTS_WRITER_H

#include "harness.h"
#include "memory.h"

enum { KEY, VALUE, KEY_CACHE, VALUE_CACHE, SLOT_MAPPING, K_SCALE, V_SCALE, TENSORS };
enum { SIDES = 2 }; /* keys, values: KEY + side, KEY_CACHE + side, K_SCALE + side */

extern const char *const writer_argument_names[TENSORS];

typedef struct writer_sizes {
  int64_t rows; /* of key and value */
  int64_t tokens;
  int64_t num_heads;
  int64_t head_size;
  int64_t value_head_size;
  int64_t num_blocks;
  int64_t block_size;
  int64_t x; /* of a 5-D key cache */
} writer_sizes;

/* Where the elements of K and V are. */
typedef struct placement {
  int64_t stride[SIDES][5];
  bool shared; /* both in one buffer, V `value_start` elements behind K */
  int64_t value_start;
} placement;

/*
 * Compact strides of `shape`, dimensions from slowest to fastest as the digits of `order`, the
 * fastest with stride `inner` and `pad` elements left out behind every other. Returns the elements
 * spanned.
 */
int64_t lay_out(int64_t *stride, const int64_t *shape, const char *order, int64_t inner,
                int64_t pad);

/* Strides that are multiples of 16 elements, whatever the sizes are, with at least `pad` elements,
 * a multiple of 16, left out behind every dimension. */
void lay_out_aligned(int64_t *stride, const int64_t *shape, const char *order, int64_t pad);

/* The axes that cases vary. */
enum axis {
  HEADS,
  HEAD_SIZE,
  BLOCK_SIZE,
  TOKENS,
  LAYOUT,        /* of the cache */
  SOURCE,        /* layout of key and value */
  SOURCE_OFFSET, /* address mod 16 */
  CACHE_OFFSET,
  SLOTS,
  INDEX, /* dtype and stride of slot_mapping */
  ROWS,  /* rows of key beyond the tokens */
  SCALE,
  VALUES,
  ENTRY, /* typed, boxed, raw */
  EXEC,
  SPELLING, /* of the cache dtype */
  X,
  AXES
};

enum { ENTRY_TYPED, ENTRY_BOXED, ENTRY_RAW, ENTRIES };

typedef struct writer_call writer_call;

/* What differs between the ops. */
typedef struct writer_op {
  const kvf_op *op;
  kvf_status (*typed)(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                      DLTensor *key_cache, DLTensor *value_cache, const DLTensor *slot_mapping,
                      const char *kv_cache_dtype, const DLTensor *k_scale, const DLTensor *v_scale,
                      const DLTensor *slot_remap);
  kvf_status (*raw)(const kvf_exec *exec, const kvf_variant *variant, const writer_call *call);
  int num_layouts;
  int32_t rank[SIDES]; /* of the caches */
  void (*shape)(const writer_sizes *sizes, int64_t shape[SIDES][5]);
  placement (*layout)(int layout, const writer_sizes *sizes, const int64_t shape[SIDES][5]);
  /* Where an element belongs, in elements from element 0 of the cache. */
  int64_t (*at)(const tensor *cache, int side, int64_t block, int64_t offset, int64_t head,
                int64_t element);
  const int *x_choices; /* of the X axis; 0 is 16 bytes, -1 is head_size */
  int num_x;
  bool x_divides_pages; /* those that do not divide block_size are made smaller */
  bool flag;            /* what an argument before slot_remap says, if the op has one more */
} writer_op;

typedef struct writer_case {
  const kvf_variant *variant;
  int value[AXES];
  int source_offset[SIDES]; /* bytes */
  int cache_offset[SIDES];
  int64_t heads, head_size, block_size, tokens; /* what the axes stand for */
  int64_t value_head_size;                      /* 0: head_size */
  uint64_t seed;
} writer_case;

/* One call, with all that it needs. Points into itself: not to be moved. */
struct writer_call {
  const writer_op *op;
  const kvf_variant *variant;
  writer_sizes sizes;
  kvf_exec exec;
  const kvf_exec *given_exec; /* &exec or NULL */
  const char *kv_cache_dtype;
  buffer memory[TENSORS]; /* that of V has size 0 when it shares K's */
  tensor view[TENSORS];
};

void writer_build(writer_call *call, const writer_op *op, const writer_case *what);
void writer_free(writer_call *call);

/* Puts a slot into the expected image of slot_mapping. */
void writer_set_slot(const writer_call *call, int64_t token, int64_t slot);

/* Whether the variant is built and belongs to the backend under test. */
bool writer_wants(const kvf_variant *variant);

/* Notes what the call should write in the expected images. */
void writer_expect(writer_call *call);

kvf_status writer_invoke(writer_call *call, int entry, bool null_strides);

/* The boxed call with these arguments. */
kvf_status writer_call_boxed(const writer_op *op, const kvf_exec *exec,
                             const DLTensor *const argument[TENSORS], const char *kv_cache_dtype);

/* Compares every byte of every tensor's memory; `what` says which case it is. */
bool writer_verify(const writer_call *call, const char *what);

/* Members of a params struct. */
kvf_view writer_view(const writer_call *call, int which);
kvf_slots writer_slots(const writer_call *call);

#define WRITER_PARAMS(call)                                                                        \
  .key = writer_view((call), KEY), .value = writer_view((call), VALUE),                            \
  .key_cache = writer_view((call), KEY_CACHE), .value_cache = writer_view((call), VALUE_CACHE),    \
  .k_scale = writer_view((call), K_SCALE), .v_scale = writer_view((call), V_SCALE),                \
  .slots = writer_slots(call), .num_heads = (int32_t)(call)->sizes.num_heads,                      \
  .head_size = (int32_t)(call)->sizes.head_size, .streaming = -1

/* ---- the tests that every such op has
 * ------------------------------------------------------------ */

/* Heads of values of another size than those of keys. */
void writer_test_different(const writer_op *op);

/* Every pair of axis values, for every built variant. */
void writer_test_matrix(const writer_op *op);

/*
 * Heads that end inside a vector, while every address and stride is a multiple of the longest one:
 * what lies behind them is nobody's. `layout` is one of the op's with such strides.
 */
void writer_test_padded(const writer_op *op, int layout);

/* Large calls of every layout, past the point where the CPU stores past its caches. */
void writer_test_large(const writer_op *op);

/* One token of so many elements that a CUDA grid cannot have a thread for each. */
void writer_test_long_rows(const writer_op *op, int64_t head_size);

/* Blocks and rows that lie beyond 2^31 elements. */
void writer_test_far(const writer_op *op);

/* Slots out of range: refused on the CPU, skipped and counted on CUDA. */
void writer_test_out_of_range(const writer_op *op);

/* Every precondition of the typed, boxed and raw entries, violated one at a time. */
void writer_test_bad_arguments(const writer_op *op);
void writer_test_bad_params(const writer_op *op);

#endif
