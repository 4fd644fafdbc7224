/*
 * One call that is measured: an op's arguments, and the memory that its tensors lie in. The
 * families (writers.c, mla.c, ...) describe the calls of their ops once for both backends; a
 * program brings memory, places the tensors there, calls, and takes the time.
 *
 * A set is the memory of all tensors of one call. Programs have several, so that every call meets
 * cold caches: bench_fill() each of them once, then bench_place() the tensors in one before a call.
 */
#ifndef BENCH_CALL_H
#define BENCH_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "kvforge/kvforge.h"

enum {
  BENCH_LAYERS = 4, /* of ops that do several layers at once, which share the tokens */
  BENCH_MAX_RANK = 5,
  BENCH_MAX_TENSORS = 24,
  BENCH_MAX_ARGUMENTS = 56, /* of all steps */
  BENCH_MAX_STEPS = 3,
  BENCH_MAX_LISTS = 3,
  BENCH_MAX_FORMS = 7 /* of an op */
};

/* Where a tensor lies: next to the backend's cores, or on the host beside it (pinned). */
typedef enum bench_place { BENCH_NEAR, BENCH_HOST, BENCH_PLACES } bench_place;

typedef struct bench_tensor {
  DLTensor tensor;
  int64_t shape[BENCH_MAX_RANK];
  bench_place place;
  size_t offset; /* in a set's memory of that place, bytes */
  size_t bytes;
  void *content;                     /* what it holds, owned; NULL: any numbers do */
  const struct bench_tensor *target; /* content is int64 offsets from the start of this tensor, to
                                        become addresses; NULL: numbers as they are */
} bench_tensor;

/* One op of a call that is several, one after another. */
typedef struct bench_step {
  const kvf_op *op;
  int32_t first; /* argument */
} bench_step;

typedef struct bench_call {
  const kvf_variant *variant;
  int64_t tokens;
  const char *form;
  bench_tensor tensors[BENCH_MAX_TENSORS];
  int32_t num_tensors;
  kvf_value arguments[BENCH_MAX_ARGUMENTS];
  int32_t num_arguments;
  bench_step steps[BENCH_MAX_STEPS]; /* without any, all arguments are the variant's op's */
  int32_t num_steps;
  const DLTensor *lists[BENCH_MAX_LISTS][BENCH_LAYERS]; /* tensor lists among the arguments */
  int32_t num_lists;
  size_t set_bytes[BENCH_PLACES];
  size_t moved;     /* bytes that one call reads and writes at least */
  double aim;       /* part of a plain copy's speed to be reached; 0: none is set */
  bool transfer;    /* CUDA: the driver copies, so there is no kernel to be captured */
  bench_place from; /* CUDA: the copy that the call is compared with goes from here */
  bench_place to;   /* to here */
} bench_call;

/* How calls of one op are made. */
typedef struct bench_op {
  const char *name;                                 /* NULL ends a family */
  const char *forms[BENCH_MAX_FORMS + 1];           /* that differ in speed; NULL behind the last */
  bool (*describe)(bench_call *call, int32_t form); /* false: the backend has no such form */
} bench_op;

extern const bench_op bench_writers[], bench_mla[], bench_gathers[], bench_pages[], bench_indexer[],
    bench_convert[], bench_attention[], bench_rope[], bench_hot_rows[], bench_transfer[];

/* How an op is called, or NULL. */
const bench_op *bench_find(const kvf_op *op);

/*
 * Describes the call of a variant for a number of tokens; false when there is no such call, or none
 * that would differ from an earlier form. Free it with bench_release().
 */
bool bench_describe(bench_call *call, const kvf_variant *variant, const bench_op *op, int32_t form,
                    int64_t tokens);
void bench_release(bench_call *call);

/* Writes `bytes` bytes from the host to memory of the place. */
typedef void (*bench_store)(bench_place place, void *to, const void *from, size_t bytes);

/* Writes the tensors that must hold certain numbers to one set's memory. */
void bench_fill(const bench_call *call, char *const memory[BENCH_PLACES], bench_store store);

/* Places the tensors in one set's memory. */
void bench_place_in(bench_call *call, char *const memory[BENCH_PLACES]);

/* ---- for the families --------------------------------------------------------------------------
 */

/* The forms of an op that scatters or gathers: order of slots or pages. */
enum { BENCH_SHUFFLED, BENCH_CONSECUTIVE };
#define BENCH_ORDERS {"shuffled", "consecutive"}

#define BENCH_SHAPE(...)                                                                           \
  (int32_t)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (const int64_t[]) { __VA_ARGS__ }

#define BENCH_F32 ((DLDataType){kDLFloat, 32, 1})
#define BENCH_BYTE ((DLDataType){kDLUInt, 8, 1})

/* How tensors of a dtype are declared: codes of any format are bytes. */
DLDataType bench_type(kvf_dtype dtype);

/* Bytes of `count` elements of the call's scalar or cache dtype. */
size_t bench_scalar_bytes(const bench_call *call, int64_t count);
size_t bench_cache_bytes(const bench_call *call, int64_t count);

/* `count` things of `size` each are in so many pieces: count / size, rounded up. */
int64_t bench_pieces(int64_t count, int64_t size);

/* [0, count), shuffled or in order; malloc'ed. */
int64_t *bench_order(int64_t count, bool shuffled);

/* A tensor that is no argument by itself; the next argument: such a tensor; both in one, near. */
bench_tensor *bench_memory(bench_call *call, bench_place place, DLDataType type, int32_t rank,
                           const int64_t *shape);
void bench_add_tensor(bench_call *call, const bench_tensor *tensor);
bench_tensor *bench_add(bench_call *call, DLDataType type, int32_t rank, const int64_t *shape);

/* Integers of 16, 32 or 64 bits, which are freed with the call; as the next argument. */
bench_tensor *bench_integers(bench_call *call, bench_place place, int32_t bits, int64_t *values,
                             int32_t rank, const int64_t *shape);
bench_tensor *bench_add_integers(bench_call *call, bench_place place, int32_t bits, int64_t *values,
                                 int32_t rank, const int64_t *shape);

/* The arguments that follow are those of a step: the call is its steps, one after another. */
void bench_begin_step(bench_call *call, const kvf_op *op);

/*
 * Cosines and sines [positions, 2 * pairs] of the scalar dtype, all 1 and all 0, so that what is
 * rotated in place stays what it is.
 */
bench_tensor *bench_cos_sin(bench_call *call, int64_t positions, int64_t pairs);

/* f32 ones; as the next argument. */
bench_tensor *bench_ones(bench_call *call, int32_t rank, const int64_t *shape);
void bench_add_ones(bench_call *call, int32_t rank, const int64_t *shape);

/* slot_mapping: [tokens] int64, in the order of the form. */
void bench_add_slots(bench_call *call, int64_t tokens, int32_t form);

/* The next argument: a list of BENCH_LAYERS tensors. */
void bench_add_list(bench_call *call, DLDataType type, int32_t rank, const int64_t *shape);
void bench_add_empty_list(bench_call *call);

/* The next argument: kv_cache_dtype of the variant; any string; numbers; nothing. */
void bench_add_cache_dtype(bench_call *call);
void bench_add_string(bench_call *call, const char *string);
void bench_add_int(bench_call *call, int64_t value);
void bench_add_float(bench_call *call, double value);
void bench_add_bool(bench_call *call, bool value);
void bench_add_none(bench_call *call);

/*
 * Sets the bytes that are moved and the part of a copy's speed that is wanted: on the CPU 80 % when
 * bits are copied and 50 % when they are converted, on CUDA `cuda_aim`.
 */
void bench_moves(bench_call *call, size_t bytes, double cuda_aim);

#endif
