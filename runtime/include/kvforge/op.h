/*
 * For authors of ops, in this library and in modules: what generated/ops/<op>.c and
 * runtime/ops/<op>.c are written with. Callers need only kvforge/kvforge.h.
 *
 * These functions check what the caller of an op has given: exec, tensors, strings, params and the
 * variant may be NULL wherever they are handed on. Everything else is the author's to get right:
 * the op, the check, names, dims, views and places to write to are never NULL, and a view is read
 * only while the check's status is KVF_OK.
 */
#ifndef KVFORGE_OP_H
#define KVFORGE_OP_H

#include <stddef.h>

#include "kvforge/kvforge.h"

/* <stdatomic.h> is no header of C++ before C++23; both name the same object in memory. */
#ifdef __cplusplus
#include <atomic>
#define KVF_ATOMIC(type) std::atomic<type>
extern "C" {
#else
#include <stdatomic.h>
#define KVF_ATOMIC(type) _Atomic(type)
#endif

/* ---- table rows
 * ---------------------------------------------------------------------------------- */

/* The fatbin of one CUDA variant and its kernel, loaded at first use for all devices at once. */
struct kvf_cuda_image {
  KVF_ATOMIC(const unsigned char *) fatbin; /* NULL: not built */
  const char *symbol;                       /* also the kernel's name */
  KVF_ATOMIC(void *) kernel;                /* CUkernel; NULL until loaded */
};

/* The code of one CPU variant that was not built with its row, for each level. */
struct kvf_cpu_late {
  KVF_ATOMIC(kvf_cpu_function) functions[KVF_ISA_COUNT]; /* NULL: not installed */
};

#define KVF_HIDDEN_WEAK __attribute__((weak, visibility("hidden")))

#define KVF_DECLARE_CPU_VARIANT(symbol)                                                            \
  KVF_HIDDEN_WEAK void symbol##__baseline(const void *, int64_t, int64_t);                         \
  KVF_HIDDEN_WEAK void symbol##__avx2(const void *, int64_t, int64_t);                             \
  KVF_HIDDEN_WEAK void symbol##__avx512(const void *, int64_t, int64_t);                           \
  KVF_HIDDEN_WEAK void symbol##__neon(const void *, int64_t, int64_t);                             \
  static kvf_cpu_late symbol##__late

/* The values of a row's axes, as one argument of these macros. */
#define KVF_AXES(...) __VA_ARGS__

#define KVF_CPU_ROW(op_, axes_, symbol_)                                                           \
  {.symbol = #symbol_,                                                                             \
   .op = &(op_),                                                                                   \
   .backend = KVF_CPU,                                                                             \
   .values = {axes_},                                                                              \
   .vectors = {1},                                                                                 \
   .cpu = {symbol_##__baseline, symbol_##__avx2, symbol_##__avx512, symbol_##__neon},              \
   .late = &symbol_##__late}

#define KVF_DECLARE_CUDA_IMAGE(symbol_)                                                            \
  extern const unsigned char symbol_[] KVF_HIDDEN_WEAK;                                            \
  static kvf_cuda_image symbol_##__image = {.fatbin = symbol_, .symbol = #symbol_}

/* The arguments behind the symbol are the vector widths. */
#define KVF_CUDA_ROW(op_, axes_, symbol_, ...)                                                     \
  {.symbol = #symbol_,                                                                             \
   .op = &(op_),                                                                                   \
   .backend = KVF_CUDA,                                                                            \
   .values = {axes_},                                                                              \
   .vectors = {__VA_ARGS__},                                                                       \
   .image = &symbol_##__image}

/* An op whose work on CUDA is done by copies of the driver: no kernel, so always there. */
#define KVF_DRIVER_ROW(op_, axes_, symbol_)                                                        \
  {.symbol = #symbol_, .op = &(op_), .backend = KVF_CUDA, .values = {axes_}, .vectors = {1}}

/* ---- argument checks
 * ------------------------------------------------------------------------------ */

/*
 * The checks of one call. The first check that fails is kept and later ones do nothing, so an entry
 * point lists its checks one after another and looks at `status` once.
 */
typedef struct kvf_check {
  const kvf_op *op;
  kvf_exec exec;         /* complete once the first tensor has been seen */
  const char *placed_by; /* the argument that fixed backend and device; NULL: the caller's exec */
  bool placed;
  kvf_status status;
} kvf_check;

/* A size that several arguments share. The first tensor with it binds a negative value. */
typedef struct kvf_dim {
  const char *name;
  int64_t value;
  const char *bound_by; /* the argument that bound it */
} kvf_dim;

#define KVF_DIM(name) {name, -1, NULL}

/* Sets of dtypes that an argument may have. fp8 dtypes accept uint8 tensors too. */
#define KVF_ACCEPT(dtype) (UINT32_C(1) << (dtype))
#define KVF_ACCEPT_FLOATS (KVF_ACCEPT(KVF_F32) | KVF_ACCEPT(KVF_F16) | KVF_ACCEPT(KVF_BF16))
#define KVF_ACCEPT_INT16 (UINT32_C(1) << 28)
#define KVF_ACCEPT_UINT64 (UINT32_C(1) << 29)
#define KVF_ACCEPT_INT32 (UINT32_C(1) << 30)
#define KVF_ACCEPT_INT64 (UINT32_C(1) << 31)

/* Begins the checks of a call. `exec` may be NULL. */
KVF_API kvf_check kvf_check_begin(const kvf_op *op, const kvf_exec *exec);

/* Records a failure of `argument` unless one is recorded already; returns the status on record. */
KVF_API __attribute__((cold, format(printf, 4, 5))) kvf_status
kvf_check_fail(kvf_check *check, kvf_status status, const char *argument, const char *format, ...);

/*
 * Refuses a tensor that is not there, or that has dimensions and no array of sizes. True while
 * nothing has failed. The checks below begin with it; an entry point that looks at a tensor before
 * them calls it itself.
 */
KVF_API bool kvf_check_present(kvf_check *check, const char *argument, const DLTensor *tensor);

/*
 * Checks presence, dtype, rank, sizes, device and address of a tensor and describes it in `view`.
 * Binds or compares every dim. An argument the op writes to must not overlap itself. Of a dimension
 * of size 1, whose stride in a DLTensor may be anything, the view has that of compact elements.
 */
KVF_API void kvf_check_tensor(kvf_check *check, const char *argument, const DLTensor *tensor,
                              uint32_t accepted, int32_t rank, kvf_dim *const *dims,
                              kvf_view *view);

/*
 * Refuses tensors that the op writes to and that share memory with one that it reads. Tensors whose
 * elements alternate in memory are apart. For entry points, after the checks of these tensors.
 */
typedef struct kvf_named {
  const char *argument;
  const DLTensor *tensor; /* NULL: passed over */
} kvf_named;
enum { KVF_MAX_APART = 8 }; /* of each */
KVF_API void kvf_check_apart(kvf_check *check, const kvf_named *written, int32_t num_written,
                             const kvf_named *read, int32_t num_read);

/* Checks that a tensor is where the call runs; the first tensor decides unless the caller has. */
KVF_API void kvf_check_place(kvf_check *check, const char *argument, const DLTensor *tensor);

/* The dtype of a tensor, which must be one of those accepted; KVF_DTYPE_NONE after a failure. */
KVF_API kvf_dtype kvf_check_dtype(kvf_check *check, const char *argument, const DLTensor *tensor,
                                  uint32_t accepted);

/* Why kvf_select() has nothing for a call: KVF_UNSUPPORTED or KVF_NOT_BUILT; else KVF_OK. */
KVF_API kvf_status kvf_select_values_status(const kvf_op *op, kvf_backend backend,
                                            const int64_t *values, int32_t count);
#define kvf_select_status(op, backend, ...)                                                        \
  kvf_select_values_status(op, backend, KVF_VALUES(__VA_ARGS__))

/*
 * What an arch axis wants to know of a call: the compute capability of its device, 90 for 9.0; 0 on
 * the CPU, and for a device that cannot be asked, which is an error of the call itself.
 */
KVF_API int64_t kvf_check_arch(const kvf_check *check);

/* ---- launch
 * --------------------------------------------------------------------------------------- */

/*
 * Begins a raw-pointer launch: checks that the variant belongs to the op, is built, and matches
 * exec, which may be NULL (then the variant's backend, device 0, default stream). Copies the params
 * struct that the caller has `given`; NULL is a failure, which leaves zeros in `params`.
 */
KVF_API kvf_check kvf_launch_begin(const kvf_op *op, const kvf_exec *exec,
                                   const kvf_variant *variant, const void *given, void *params,
                                   size_t size);

/* Refuses a NULL pointer among a params struct's members. */
KVF_API void kvf_launch_pointer(kvf_check *check, const char *member, const void *pointer);

/* Refuses a number below `least`. */
KVF_API void kvf_launch_at_least(kvf_check *check, const char *member, int64_t value,
                                 int64_t least);

/* The divider of a positive number. */
KVF_API kvf_divider kvf_make_divider(int64_t value);

/*
 * The largest of `choices` (a variant's vectors, powers of two) such that vectors of that many
 * elements are aligned at both ends: the number divides `run`, and address and strides of each view
 * (of elements of `bytes` bytes; stride `inner` excepted, which must be 1) are multiples of the
 * vector.
 */
typedef struct kvf_vector_side {
  const kvf_view *view;
  int32_t bytes; /* of one element */
  int32_t inner; /* the dimension that vectors run along */
  int32_t rank;
} kvf_vector_side;
KVF_API int32_t kvf_vector_elements(const int32_t *choices, int64_t run,
                                    const kvf_vector_side *sides, int32_t count);

/* Runs a CPU variant over units [0, units), as kvf_parallel_for() does. */
KVF_API kvf_status kvf_cpu_run(const kvf_check *check, const kvf_variant *variant,
                               const void *params, int64_t units, int64_t bytes_per_unit);

/*
 * Calls `function` for units [0, units) in parts of any size and order, on the calling thread and,
 * when all of it moves more than a few dozen kilobytes, on others at the same time: at most
 * `num_threads` in all, as kvf_exec has it. Returns when all have been done. A part may use 256 KiB
 * of stack, and may call this function too.
 */
KVF_API void kvf_parallel_for(kvf_cpu_function function, const void *params, int64_t units,
                              int64_t bytes_per_unit, int32_t num_threads);

/*
 * Whether a CPU variant that writes this many bytes in all should store past the caches: 1 when
 * they would only push other data out before anybody reads them. From which size on is in the
 * engine's tuned table "streaming".
 */
KVF_API int32_t kvf_cpu_streams(int64_t bytes_written);

/*
 * The op's tuned constants for a call of this size, in the order of its spec: those of the newest
 * arch that is not newer than the device's and of the first size class that is not too small; the
 * defaults where there is no row, zeros where the op declares none for the backend. With
 * KVFORGE_SHOW_TUNED=1 in the environment (read once) a line on stderr says for every call which
 * row it was.
 */
KVF_API const int32_t *kvf_tuned_values(const kvf_check *check, int64_t size);

/*
 * For programs that measure: until the next call of this function every launch of the op on this
 * backend takes these constants, whatever its table says. NULL values or a NULL op end that. Not
 * while other threads launch the op.
 */
KVF_API kvf_status kvf_try_tuned(const kvf_op *op, kvf_backend backend, const int32_t *values);

/*
 * The same for one of the engine's own tables, whose constants all CPU variants share: "threads"
 * (KiB that are moved from which on a thread is worth waking, KiB of a chunk, chunks of a thread at
 * most) and "streaming" (see kvf_cpu_streams()).
 */
KVF_API kvf_status kvf_try_engine(const char *table, const int32_t *values);

typedef struct kvf_grid {
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t shared_bytes; /* dynamic shared memory; more than KVF_SHARED_BYTES of a kernel that has
                            no other, and up to kvf_launch_shared_bytes() */
} kvf_grid;

/* What every device gives a thread block. */
enum { KVF_SHARED_BYTES = 48 * 1024 };

/*
 * Refuses a launch on CUDA whose thread blocks need more shared memory than exec's device can give
 * one: `member` is the params' member that the size comes from. Nothing is asked of the CPU, and
 * none of the driver for what every device has.
 */
KVF_API void kvf_launch_shared_bytes(kvf_check *check, const char *member, int64_t bytes);

/* Enqueues a CUDA variant's kernel on exec's stream; `params` is copied before this returns. */
KVF_API kvf_status kvf_cuda_run(const kvf_check *check, const kvf_variant *variant,
                                const void *params, const kvf_grid *grid);

#ifdef __cplusplus
}
#endif

#endif
