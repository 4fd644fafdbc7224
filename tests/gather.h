/*
 * Cases for the ops that gather rows of sequences from pages: builds block tables of every shape,
 * calls the op through each of its three entries, and compares every byte with the slow answer.
 */
#ifndef KVF_TESTS_GATHER_H
#define KVF_TESTS_GATHER_H

#include "operands.h"

/* The lengths of sequences. */
enum {
  LENGTHS_NONE, /* no sequences */
  LENGTHS_ONE,
  LENGTHS_MIXED, /* some are empty */
  LENGTHS_MANY,
  LENGTHS_LATE, /* the first sequence does not begin with row 0 */
  LENGTHS_TAIL, /* more rows than the sequences have */
  LENGTHS_CUT,  /* fewer */
  LENGTHS_NO_ROWS,
  LENGTHS_LONG,
  LENGTHS_KINDS,
  LENGTHS_DEEP = LENGTHS_KINDS /* thousands of rows, for large calls */
};

enum { STARTS_NONE, STARTS_PAGES, STARTS_ANY, STARTS_KINDS };

/* seq_lens, of ops that have it. */
enum { LIMITS_NONE, LIMITS_SHORTER, LIMITS_ANY, LIMITS_KINDS };

enum {
  SOURCE_DENSE,
  SOURCE_PADDED,
  SOURCE_PADDED_ALIGNED,
  SOURCE_TOKENS_FIRST,
  SOURCE_REVERSED,
  SOURCE_KINDS
};
enum { DST_DENSE, DST_PADDED, DST_PADDED_ALIGNED, DST_REVERSED, DST_KINDS };

typedef struct gather_case {
  const kvf_variant *variant;
  int64_t block_size;
  int64_t entry_size; /* elements of a row of src_cache */
  int lengths, starts, limits;
  int source, dst;               /* layouts */
  int source_offset, dst_offset; /* elements from a multiple of 16 bytes */
  int entry, exec;
  bool wide;   /* the block table is int64 */
  int variety; /* what an op's own arguments are made of */
  bool longer; /* arguments have more rows than the call needs */
  uint64_t seed;
} gather_case;

enum { GATHER_SEQUENCES = 40, GATHER_WIDTH = 200, GATHER_ROWS = 4096 };

/* Which rows there are, and where they come from. */
typedef struct gather_plan {
  int64_t num_sequences;
  int64_t num_rows; /* of dst */
  int64_t num_blocks;
  int64_t width;
  int32_t starts[GATHER_SEQUENCES + 1];
  int32_t offsets[GATHER_SEQUENCES];
  int32_t lengths[GATHER_SEQUENCES];
  int64_t table[GATHER_SEQUENCES][GATHER_WIDTH];
  int64_t sequence[GATHER_ROWS]; /* of each row; -1: none has it */
  int64_t page[GATHER_ROWS];     /* its column in the table */
  int64_t offset[GATHER_ROWS];   /* its place in the page */
} gather_plan;

/* What differs between the ops. */
typedef struct gather_op {
  const kvf_op *op;
  typed_call typed;
  kvf_status (*raw)(const op_call *call, const gather_case *what, const kvf_block_table *table);
  bool workspace; /* has workspace_starts in place of cu_seq_lens */
  const int64_t *entry_sizes;
  int num_entry_sizes;
  int64_t dst_elements; /* of a row; 0: as src_cache */
  /* Makes the op's own arguments, and what src_cache holds unless that is random bytes. */
  void (*more)(op_call *call, const gather_case *what, const gather_plan *plan);
  /* What a row of dst becomes. */
  void (*expect)(const op_call *call, const gather_case *what, const uint8_t *source, uint8_t *dst);
} gather_op;

/* ---- for an op whose pages are of another kind
 * ---------------------------------------------------------- */

/* A plan for the lengths and starts of a case; and the one of gather_small(). */
void gather_make_plan(gather_plan *plan, const gather_case *what, bool workspace);
void gather_make_small_plan(gather_plan *plan, const gather_case *what, bool workspace);

/* Makes block_table, the starts and what else of a table the op has. */
void gather_make_tables(op_call *call, const gather_op *op, const gather_case *what,
                        const gather_plan *plan);

/* The same as a params struct has it. */
kvf_block_table gather_raw_table(const op_call *call, const gather_op *op, const gather_case *what,
                                 const gather_plan *plan);

/* ---- the tests that every such op has
 * ------------------------------------------------------------ */

void gather_test_matrix(const gather_op *op);
void gather_test_large(const gather_op *op);
void gather_test_far(const gather_op *op);
void gather_test_out_of_range(const gather_op *op);

/* One case, and its call, for tables of bad arguments: 3 sequences of 5, 0 and 7 rows, pages of 4.
 */
typedef struct gather_context {
  const gather_op *op;
  gather_case what;
} gather_context;
gather_context gather_small(const gather_op *op, const kvf_variant *variant);
void gather_build_small(op_call *call, const void *context);

/* The first variant of the op that is built for the backend under test, NULL if there is none. */
const kvf_variant *gather_first_variant(const gather_op *op);

#endif
