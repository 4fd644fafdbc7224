/*
 * The arguments of one call of any op: tensors in memory of the backend under test, in the order of
 * the schema, each a view of a buffer with an image of what it is expected to hold.
 */
#ifndef KVF_TESTS_OPERANDS_H
#define KVF_TESTS_OPERANDS_H

#include "harness.h"
#include "memory.h"

enum { MAX_OPERANDS = 32 };

typedef struct operand {
  buffer memory; /* size 0 when the view is one of another operand's memory */
  tensor view;
} operand;

/* Points into itself: not to be moved. */
typedef struct op_call {
  const kvf_op *op;
  kvf_exec exec;
  const kvf_exec *given_exec; /* &exec or NULL */
  operand operands[MAX_OPERANDS];
  kvf_value values[MAX_OPERANDS]; /* those of tensors are filled by op_call_invoke() */
} op_call;

/*
 * Makes memory for a view of this shape and these strides (in elements, any sign), random in every
 * byte: element 0 `offset` bytes from a multiple of 16, `guard` bytes in front and behind.
 */
void operand_make(op_call *call, int position, DLDataType dtype, int32_t rank, const int64_t *shape,
                  const int64_t *stride, int offset, int64_t guard, uint64_t seed);

/* The same in the host's memory, which the device can read if the backend has one. */
void operand_make_on_host(op_call *call, int position, DLDataType dtype, int32_t rank,
                          const int64_t *shape, const int64_t *stride, int offset, int64_t guard,
                          uint64_t seed);

/* A view of the memory of another operand, `start` elements behind that one's element 0. */
void operand_share(op_call *call, int position, int from, int64_t start, int32_t rank,
                   const int64_t *shape, const int64_t *stride);

/* Where an element is in the expected image. Indices of missing dimensions are not looked at. */
uint8_t *operand_at(const operand *from, int64_t i, int64_t j, int64_t k, int64_t l);

/* A number in the expected image of an operand of signed integers. */
void operand_put_index(const operand *to, int64_t i, int64_t j, int64_t value);
int64_t operand_get_index(const operand *from, int64_t i, int64_t j);

/* The view that a params struct has. */
kvf_view operand_view(const operand *from);

/* Position of the argument of this name. */
int op_call_position(const op_call *call, const char *argument);

/* All memory becomes what the images say. */
void op_call_upload(const op_call *call);
void op_call_free(op_call *call);

/* Fills the values of tensors and calls through kvf_call(), or through `typed` unless that is NULL.
 */
typedef kvf_status (*typed_call)(const kvf_exec *exec, const kvf_value *values);
kvf_status op_call_invoke(op_call *call, typed_call typed);

/* Compares every byte of all memory; `what` says which case it is. */
bool op_call_verify(const op_call *call, const char *what);

/* ---- cases
 * --------------------------------------------------------------------------------------- */

/* The emulated driver runs threads in an order of its own choice: lets cases see them all. */
void vary_order(uint64_t seed);

/* A stream of the test's own, which does not wait for the default stream. */
void *own_stream(void);

/* Waits; the call must have succeeded and counted this many faults since `before`. */
uint64_t faults_before(kvf_backend backend);
bool expect_done(kvf_backend backend, kvf_status status, uint64_t before, uint64_t faults,
                 const char *what);

/* ---- bad arguments
 * ------------------------------------------------------------------------------- */

/* What is done to an argument. */
typedef enum spoil {
  SPOIL_NULL,   /* no tensor, no string */
  SPOIL_RANK,   /* number */
  SPOIL_SIZE,   /* of dimension `at` becomes number */
  SPOIL_STRIDE, /* of dimension `at` becomes number */
  SPOIL_DTYPE,  /* code `at`, bits number */
  SPOIL_DEVICE, /* type `at`, ordinal number */
  SPOIL_SHAPE,  /* the array of sizes becomes NULL */
  SPOIL_DATA,   /* the address becomes NULL */
  SPOIL_SHIFT,  /* the address grows by number bytes */
  SPOIL_TEXT,   /* a string */
  SPOIL_INT,    /* an integer becomes number */
  SPOIL_INDEX   /* an index in the memory of the argument: element `at` becomes number */
} spoil;

typedef struct bad_argument {
  const char *what;
  int backends; /* ON_... */
  const char *argument;
  spoil spoil;
  int64_t at;
  int64_t number;
  const char *text;
  kvf_status status;
  const char *blamed; /* the argument that the sentence names */
  const char *got;
  const char *want;
} bad_argument;

/*
 * Builds the call, spoils it, makes it boxed and typed, and expects the status, a sentence that
 * begins with the op and the argument and holds `got` and `want`, and untouched memory. The same
 * for every tensor of the call without its array of sizes.
 */
typedef void (*build_call)(op_call *call, const void *context);
void op_call_test_bad(build_call build, const void *context, typed_call typed,
                      const bad_argument *rows, size_t count);

/*
 * Builds the call and gives the last element of a scale every value that is none: on the CPU the
 * call is refused and everything untouched, on CUDA it runs without a fault. Where `read` is false
 * the op does not look at its scale, and the call succeeds.
 */
void op_call_test_scales(build_call build, const void *context, typed_call typed,
                         const char *argument, bool read);

/* The same for a number, which both backends refuse. 0 and negative ones too, unless `any_sign`. */
void op_call_test_factor(build_call build, const void *context, typed_call typed,
                         const char *argument, bool any_sign);

/*
 * Builds the call and puts an argument that the op writes to on the memory of one that it reads:
 * the call is refused, with both names, and everything untouched.
 */
void op_call_test_overlap(build_call build, const void *context, typed_call typed,
                          const char *written, const char *read);

#endif
