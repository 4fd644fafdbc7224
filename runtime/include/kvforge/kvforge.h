/*
 * kvforge: ops whose kernels are generated from templates, callable from C.
 *
 * This header is the whole public surface for callers: status codes, dtypes, the op registry, the
 * dispatch table, and (through kvforge/ops.h, generated from generator/spec/) one typed entry point
 * and one raw-pointer launch function per op.
 *
 * Conventions that hold for every function unless it says otherwise:
 *   - Thread safety: any function may be called from any thread at any time.
 *   - Ownership: nothing passed in is retained after the call returns, except that the CUDA backend
 *     reads tensor data until the work it enqueued on the stream has run. Strings and descriptors
 *     returned live as long as the library is loaded.
 *   - Errors: a kvf_status is returned, and kvf_last_error() holds a sentence for it. Nothing is
 *     written to any tensor when a call is refused. The library never aborts, and prints
 *     nothing unless KVFORGE_SHOW_TUNED asks for it (kvforge/op.h).
 *   - Floating point: results are those of IEEE 754's rounding to nearest with subnormal numbers,
 *     whatever mode the calling thread has set for itself; it keeps that mode.
 *   - Pointers and numbers: NULL where it has no meaning, numbers outside an enum, negative counts
 *     and incomplete descriptors are refused. What no check can find is the caller's: that a
 *     pointer other than NULL points to what its type says, with as many elements as are counted
 *     (ndim sizes and strides, the memory that they span), and that an op or a variant is one that
 *     this library has handed out or registered.
 */
#ifndef KVFORGE_KVFORGE_H
#define KVFORGE_KVFORGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <dlpack/dlpack.h>

#include "kvforge/dtypes.h"

#if defined(__GNUC__)
#define KVF_API __attribute__((visibility("default")))
#else
#define KVF_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a public declaration changes incompatibly, or a dtype is added; kvf_abi_version()
 * tells what was loaded.
 */
#define KVF_ABI_VERSION 11
#define KVF_VERSION "0.2.0"

/*
 * What happened. Values are stable; 0 is success. Every other status but KVF_CUDA_ERROR left all
 * tensors untouched: a call is refused before anything is written or enqueued, on both backends.
 *
 * KVF_CUDA_ERROR comes from the driver. Most ops are one launch, which was not enqueued then. An op
 * that makes several launches or copies stops at the one that failed: those before it take place,
 * those behind it do not; its documentation says so under "Errors", and the sentence says how far
 * it came. When the error is one of earlier work that the driver tells late, such as an illegal
 * address, no memory of the context can be relied on.
 */
typedef enum kvf_status {
  KVF_OK = 0,
  KVF_INVALID_TYPE = 1,  /* wrong dtype, device or kind of argument        (Python: TypeError) */
  KVF_INVALID_VALUE = 2, /* wrong shape, stride, pointer, string or number (ValueError) */
  KVF_OUT_OF_RANGE = 3,  /* an index lies outside the tensor it points to  (IndexError) */
  KVF_UNSUPPORTED = 4,   /* the op's spec excludes this combination        (NotImplementedError) */
  KVF_NOT_BUILT = 5,     /* valid, but left out of this build              (NotImplementedError) */
  KVF_NO_DEVICE = 6,     /* no CUDA driver, no such device                 (RuntimeError) */
  KVF_CUDA_ERROR = 7,    /* a CUDA driver call failed                      (RuntimeError) */
  KVF_OUT_OF_MEMORY = 8  /* the host ran out of memory                     (MemoryError) */
} kvf_status;

typedef enum kvf_backend { KVF_CPU = 0, KVF_CUDA = 1, KVF_BACKEND_COUNT } kvf_backend;

/* Instruction-set level of a CPU variant. One variant holds one function per level that was built.
 */
typedef enum kvf_isa {
  KVF_ISA_BASELINE = 0, /* what the compiler targets by default for the architecture */
  KVF_ISA_AVX2 = 1,     /* x86-64-v3: AVX2, FMA, F16C */
  KVF_ISA_AVX512 = 2,   /* x86-64-v4: AVX-512 F, BW, CD, DQ, VL */
  KVF_ISA_NEON = 3,     /* AArch64 Advanced SIMD */
  KVF_ISA_COUNT
} kvf_isa;

/*
 * Where and how a call runs. NULL in place of a pointer to it means: the backend and device of the
 * tensors, the legacy default stream, the default number of threads, and kvf_programmatic().
 */
typedef struct kvf_exec {
  kvf_backend backend;
  int32_t device;      /* CUDA device ordinal; 0 on the CPU */
  void *stream;        /* CUstream (equally cudaStream_t) of that device; NULL is the legacy default
                          stream. Not used on the CPU. The call only enqueues; it never waits. */
  int32_t num_threads; /* CPU threads at most, the calling one included; 0 or less means
                          kvf_num_threads(), and no number is more than the machine has CPUs for the
                          process. Small calls run on the calling thread whatever this says. */
  bool programmatic;   /* CUDA: kernels of this call may be set up on the device while the kernel in
                          front of them on the stream still runs; they wait for its end before they
                          touch memory, so that results are the same. Saves the part of a small
                          call that is a launch's latency when small calls follow each other, and
                          costs time between kernels of others. From compute capability 9.0 on
                          (programmatic dependent launch); an ordinary launch elsewhere. */
} kvf_exec;

typedef struct kvf_op kvf_op;
typedef struct kvf_cuda_image kvf_cuda_image;
typedef struct kvf_cpu_late kvf_cpu_late;

/* Processes units [begin, end) of the work described by the op's params struct. */
typedef void (*kvf_cpu_function)(const void *params, int64_t begin, int64_t end);

enum { KVF_MAX_AXES = 6 };

/* In the values of a generic variant: every value that has no variant of its own. Of an arch axis:
 * any device. */
#define KVF_OTHER INT64_MIN

/* What an axis of an op takes its values from. */
typedef enum kvf_axis_kind {
  KVF_AXIS_DTYPE = 0, /* a kvf_dtype */
  KVF_AXIS_INTEGER,   /* a number of the call */
  KVF_AXIS_WORD,      /* a position in `words` */
  KVF_AXIS_FLAG,      /* 0 or 1 */
  KVF_AXIS_ARCH       /* a compute capability, 90 for 9.0: such devices and newer ones */
} kvf_axis_kind;

/* One axis of an op: a dimension along which it is specialised. Read-only. */
typedef struct kvf_axis {
  /* The lookup: value - first -> what the value adds to the index of a cell; -1: there is none. */
  int64_t first;
  int64_t span;
  const int16_t *offsets;
  int16_t below;    /* the same of values less than first */
  int16_t above;    /* of values from first + span on */
  const char *name; /* "tile" */
  kvf_axis_kind kind;
  const char *meaning;   /* which value of a call it stands for */
  const int64_t *values; /* that have variants of their own */
  int32_t num_values;
  const char *const *words; /* KVF_AXIS_WORD: its words; NULL otherwise */
  bool generic;             /* a variant serves all other values */
} kvf_axis;

/* One row of the dispatch table: op x backend x a value of each axis. */
typedef struct kvf_variant {
  const char *symbol; /* e.g. "kvf_cuda_my_op__bf16__t64" */
  const kvf_op *op;
  kvf_backend backend;
  int64_t values[KVF_MAX_AXES]; /* of the op's axes, in their order; KVF_OTHER: generic */
  int32_t vectors[4]; /* elements that a CUDA thread can move at a time, descending to 1, then 0 */
  kvf_cpu_function cpu[KVF_ISA_COUNT]; /* CPU rows: NULL for a level that was not built */
  kvf_cuda_image *image; /* CUDA rows: opaque; kvf_variant_built() tells whether it is there.
                            NULL for an op whose work is copies of the CUDA driver */
  kvf_cpu_late *late;    /* CPU rows: opaque; what kvf_install_cpu() put in place of a NULL */
} kvf_variant;

/* ---- errors ------------------------------------------------------------------------------------
 */

/*
 * The sentence for the calling thread's latest refused call: it names the op, the argument, what it
 * was and what it should be. Never NULL; "" before the first error. Valid until the thread's next
 * kvforge call that fails.
 */
KVF_API const char *kvf_last_error(void);

/* "KVF_INVALID_TYPE" and so on; "KVF_?" for a value outside the enum. */
KVF_API const char *kvf_status_name(kvf_status status);

/* ---- dtypes ------------------------------------------------------------------------------------
 */

/* "bf16", "fp8_e4m3", ...; "?" for a value outside the enum. */
KVF_API const char *kvf_dtype_name(kvf_dtype dtype);

/* Bits of one stored element; 0 for a value outside the enum. */
KVF_API int32_t kvf_dtype_bits(kvf_dtype dtype);

/* The dtype of that name, or KVF_DTYPE_NONE. */
KVF_API kvf_dtype kvf_find_dtype(const char *name);

/* ---- the op registry and the dispatch table
 * ------------------------------------------------------ */

/* The kinds of argument a schema can hold. */
typedef enum kvf_kind {
  KVF_KIND_NONE = 0, /* only as a value: an optional argument that is absent */
  KVF_KIND_TENSOR,
  KVF_KIND_TENSOR_LIST,
  KVF_KIND_INT,
  KVF_KIND_FLOAT,
  KVF_KIND_BOOL,
  KVF_KIND_STRING
} kvf_kind;

/* One argument, for the boxed call. Tensors, lists and strings are borrowed. */
typedef struct kvf_value {
  kvf_kind kind;
  union {
    const DLTensor *tensor;
    struct {
      const DLTensor *const *data;
      int64_t size;
    } tensors;
    int64_t integer;
    double number;
    bool boolean;
    const char *string; /* NUL-terminated */
  } as;
} kvf_value;

/* One argument of a schema. */
typedef struct kvf_argument {
  const char *name;
  const char *type; /* as in the schema: "Tensor", "Tensor!", "Tensor?", "int", ... */
  const char *doc;  /* shape, dtype, units */
  kvf_kind kind;
  bool mutated;  /* the op writes to it */
  bool optional; /* may be KVF_KIND_NONE */
  bool has_default;
  kvf_value default_value;
} kvf_argument;

/* A combination that the op's spec excludes, and why. */
typedef struct kvf_exclusion {
  int64_t values[KVF_MAX_AXES];
  const char *reason;
} kvf_exclusion;

enum { KVF_MAX_TUNED = 4 };

/* Launch constants that were measured to be best for an arch (90 for compute capability 9.0, 0 for
 * the CPU) and sizes up to a bound. */
typedef struct kvf_tuned_row {
  int32_t arch;
  int64_t up_to; /* INT64_MAX: no bound */
  int32_t values[KVF_MAX_TUNED];
} kvf_tuned_row;

/* What of an op is tuned on one backend. Rows are sorted by arch, then by size. */
typedef struct kvf_tuned {
  int32_t num_constants;
  const char *names[KVF_MAX_TUNED];
  int32_t defaults[KVF_MAX_TUNED]; /* where no row fits */
  const kvf_tuned_row *rows;
  int32_t num_rows;
} kvf_tuned;

/* An op: what its schema says and every variant that its spec allows. Read-only. */
struct kvf_op {
  const char *name;   /* "my_op" */
  const char *ns;     /* "my_namespace" */
  const char *schema; /* PyTorch-style signature string, without the namespace */
  const char *doc;    /* reference text, plain ASCII */
  const kvf_argument *arguments;
  int32_t num_arguments;
  const kvf_axis *axes;
  int32_t num_axes;
  const kvf_variant *variants; /* sorted: backend, then axis by axis */
  int32_t num_variants;
  /* [KVF_BACKEND_COUNT][position on each axis] -> the row most special for a call, or -1. */
  const int16_t *cells;
  /* The same -> where the rows that serve it too begin in `chains`, or -1. NULL: there are none. */
  const int16_t *rest;
  const int16_t *chains; /* rows, the more special first, -1 behind each list */
  int32_t num_cells;     /* of one backend */
  const kvf_exclusion *exclusions;
  int32_t num_exclusions;
  kvf_status (*call)(const kvf_exec *exec, const kvf_value *arguments);
  const kvf_tuned *tuned[KVF_BACKEND_COUNT]; /* NULL: nothing is */
  bool host_arguments; /* every tensor is in host memory on both backends: exec alone tells where a
                          call runs, and a binding has to be told */
};

/*
 * Number of ops, and the op at a position in [0, kvf_num_ops()); NULL outside. The library's own
 * ops come first; ops of modules follow in the order of their registration and never move.
 */
KVF_API int32_t kvf_num_ops(void);
KVF_API const kvf_op *kvf_get_op(int32_t position);

/*
 * Finds an op by "namespace::name", or by "name" alone, which one namespace has at most. NULL, with
 * an error that lists the three nearest names, when there is none. Not for the hot path: keep the
 * pointer.
 */
KVF_API const kvf_op *kvf_find_op(const char *name);

/*
 * The variant for a call that has these values, one for each axis of the op: a dtype, a number, the
 * position of a word, 0 or 1 of a flag, the compute capability of the call's device. It is the most
 * special one that is built, or that kvf_set_builder()'s has built now; which that are is one index
 * into a generated table. NULL, with an error that says whether the spec excludes it (and why) or
 * what is not built, when there is none to run.
 */
KVF_API const kvf_variant *kvf_select_values(const kvf_op *op, kvf_backend backend,
                                             const int64_t *values, int32_t count);

/* The same in C, with the values behind the backend: kvf_select(op, KVF_CPU, KVF_F32,
 * KVF_FP8_E4M3). */
#define kvf_select(op, backend, ...) kvf_select_values(op, backend, KVF_VALUES(__VA_ARGS__))
#define KVF_VALUES(...)                                                                            \
  (const int64_t[]){__VA_ARGS__}, (int32_t)(sizeof(int64_t[]){__VA_ARGS__} / sizeof(int64_t))

/*
 * Writes what a value of an axis is in words, "bf16", "128", "hnd", "true", "other", to `text`,
 * which has `size` bytes; returns `text`.
 */
KVF_API const char *kvf_axis_text(const kvf_axis *axis, int64_t value, char *text, size_t size);

/* Whether there is code for the variant (for the CPU: for the level that this process runs at). */
KVF_API bool kvf_variant_built(const kvf_variant *variant);

/* The variant with this symbol, or NULL (no error is set). */
KVF_API const kvf_variant *kvf_find_variant(const char *symbol);

/*
 * What makes variants that were left out of the library when a call would take them: build() is
 * handed the symbol of the most special variant for a call, which is not built, and returns whether
 * it has brought it in (kvf_load_module()). If not, it is asked for the next, and what is built
 * serves. It is asked within calls of ops, before they write or launch anything, by any thread,
 * several at a time, and each time anew: what it cannot build it has to remember itself. It may
 * call all functions of this header but ops that need such a variant.
 */
typedef struct kvf_builder {
  bool (*build)(void *context, const char *symbol);
  void *context; /* handed to build() */
} kvf_builder;

/*
 * Has calls that begin from now on ask this builder; NULL: none, as at first. The struct is kept,
 * not copied: it must live until calls that may have begun with it have returned.
 */
KVF_API void kvf_set_builder(const kvf_builder *builder);

/*
 * Boxed call, for bindings: arguments in schema order, KVF_KIND_NONE for an absent optional one.
 * `count` may be smaller than the schema's number of arguments when the rest have defaults.
 * Integers are accepted where the schema wants a float, booleans where it wants an int.
 */
KVF_API kvf_status kvf_call(const kvf_op *op, const kvf_exec *exec, const kvf_value *arguments,
                            int32_t count);

/* ---- prepared calls ----------------------------------------------------------------------------
 *
 * A call of any op that is checked and chosen once and launched often: a step of an engine has the
 * same shapes and strides again and again, and only other addresses. What is left of it on the CPU
 * is a copy of some hundred bytes, on CUDA the driver's launch.
 */
typedef struct kvf_prepared kvf_prepared;

/*
 * Makes all checks of a call, writes nothing, and keeps what it would launch: the variant, threads
 * or grid, and everything that follows from dtypes, shapes, strides, numbers and words; on CUDA it
 * loads the kernels. Arguments as for kvf_call(); the tensors that are written to, indices and
 * scales have to be there and valid, as in a call. `exec` is kept, its stream aside. Nothing of the
 * arguments is kept but that. On success `*prepared` is the caller's, who ends it with
 * kvf_free_prepared().
 *
 * KVF_UNSUPPORTED: what is done is no launch (copies by the driver), or the op takes from host
 * memory what a launch on CUDA needs. Otherwise the statuses of the call. `*prepared` is NULL then.
 */
KVF_API kvf_status kvf_prepare_call(const kvf_op *op, const kvf_exec *exec,
                                    const kvf_value *arguments, int32_t count,
                                    kvf_prepared **prepared);

/*
 * Launches a prepared call on other memory. `data` has the address of the first element (DLPack's
 * data + byte_offset) of each tensor of the schema in its order, those of lists one by one; what
 * stands for an optional one that was absent, or for one without elements, is not looked at. CUDA:
 * on `stream`, which may be capturing; the CPU does not use it.
 *
 * Checked are what an address alone tells: none is NULL, and each is a multiple of what the one of
 * the preparation was one of, up to 16 bytes. KVF_UNSUPPORTED: another address of a tensor that
 * launches do not have by its address. What the caller answers for, since it is no longer looked
 * at: that memory is of the place, dtype, shape and strides of the preparation, that what is
 * written shares none with what is read, and the values of scales. Indices that are out of range
 * are skipped on both backends, as CUDA's calls do; on the CPU nobody counts them.
 *
 * Any number of threads may run the same prepared call at once, and none may while it is freed.
 */
KVF_API kvf_status kvf_run_prepared(const kvf_prepared *prepared, void *stream, void *const *data,
                                    int32_t count);

/* Ends a prepared call; NULL is none. Work that it has enqueued is not waited for. */
KVF_API void kvf_free_prepared(kvf_prepared *prepared);

/* ---- modules: ops and variants from other shared objects
 * ----------------------------------------- */

/*
 * Loads a module: a shared object that exports `kvf_status kvf_module(void)`, which registers ops
 * or installs variants with the three functions below. It stays loaded for the life of the process.
 * `python3 -m generator --op-folder` writes that function for an op folder. Returns
 * KVF_INVALID_VALUE when the file cannot be loaded or is no module, else what kvf_module()
 * returned. Loading a module again does nothing.
 */
KVF_API kvf_status kvf_load_module(const char *path);

/*
 * Adds ops to the registry: all of them, or none after an error. Descriptors are kept, not copied.
 * `abi_version` is the caller's KVF_ABI_VERSION. Symbols are made of an op's name, so it must be
 * new in every namespace: KVF_INVALID_VALUE otherwise. An op that is there already by the same
 * descriptor is passed over.
 */
KVF_API kvf_status kvf_register_ops(const kvf_op *const *ops, int32_t count, int32_t abi_version);

/*
 * Gives a variant that was left out of this build its code, for the life of the process: `function`
 * for a level; a fatbin (16-byte aligned, kept, not copied) that has a kernel with the variant's
 * symbol as its name. The best level that a variant has runs, up to kvf_cpu_isa().
 * KVF_INVALID_VALUE for a level above that or another backend, and when there is other code
 * already.
 */
KVF_API kvf_status kvf_install_cpu(const kvf_variant *variant, kvf_isa isa,
                                   kvf_cpu_function function);
KVF_API kvf_status kvf_install_cuda(const kvf_variant *variant, const unsigned char *fatbin);

/* ---- threads -----------------------------------------------------------------------------------
 *
 * A large call on the CPU is divided among the calling thread and idle threads of a small team that
 * all callers share. The team starts with the first call that wants it, a forked child starts one
 * of its own, and where a thread cannot be had there is one less: a call needs none but its own.
 * It is as large as the set of CPUs that the thread of that first call may run on, or, if that is
 * a single one, the set that the process had when it loaded the library; less if a control group
 * allows less. Its threads block all signals but those of faults, look for work for 50 us after
 * their last and sleep then, and end with the process. The library stays loaded after dlclose();
 * an object that the static library is linked into must do so too: link it with -z nodelete.
 */

/*
 * How many threads a call with num_threads 0 may use: what kvf_set_num_threads() has set, or the
 * environment variable KVFORGE_NUM_THREADS (read once, ignored unless it is a positive number), or
 * as many as there can be. Setting 0 or less means as many as there can be.
 */
KVF_API int32_t kvf_num_threads(void);
KVF_API void kvf_set_num_threads(int32_t num_threads);

/*
 * Threads of an engine, in place of the library's own.
 *
 * run() is to call work(job) from up to `threads` threads at the same time, the calling one among
 * them or not, and to return when every call has returned. Each call takes pieces of the job until
 * none is left, so fewer calls than `threads` are right, too, and even none: the calling thread
 * does what is left. Nothing may call work(job) after run() has returned. run() is called from any
 * thread that calls an op, several at a time, and has no way to fail. `job` is the library's.
 */
typedef struct kvf_pool {
  void (*run)(void *context, int32_t threads, void (*work)(void *job), void *job);
  void *context;       /* handed to run() */
  int32_t num_threads; /* as many as can be at work at once; no call asks for more */
} kvf_pool;

/*
 * Has calls that begin from now on use this pool; NULL: the library's own team. The struct is kept,
 * not copied: it and its pool must live until calls that may have begun with it have returned.
 */
KVF_API void kvf_set_pool(const kvf_pool *pool);

/* ---- the machine -------------------------------------------------------------------------------
 */

/*
 * The level CPU variants run at: the best that both this CPU and this build have, or a lower one
 * named by the environment variable KVFORGE_ISA (read once, at the first call; a level that cannot
 * run here is ignored).
 */
KVF_API kvf_isa kvf_cpu_isa(void);

/* "baseline", "avx2", "avx512", "neon"; "?" for a value outside the enum. */
KVF_API const char *kvf_isa_name(kvf_isa isa);

/*
 * Number of CUDA devices. KVF_NO_DEVICE when libcuda cannot be opened (the environment variable
 * KVFORGE_LIBCUDA names another file than libcuda.so.1) or it finds no device, and in a child of
 * fork() when the parent has used CUDA: libcuda works only in the process that initialised it.
 * Any call that needs the driver opens it, and tries again after one that could not.
 */
KVF_API kvf_status kvf_cuda_device_count(int32_t *count);

/*
 * Loads the variant's kernel for a device ahead of its first call, so that the first call costs no
 * more than any other. Optional. Does nothing on the CPU.
 */
KVF_API kvf_status kvf_prepare(const kvf_variant *variant, int32_t device);

/*
 * Work items that kernels on a CUDA device skipped because an index lay outside the tensors, since
 * the library was loaded or the count was last cleared. Complete for all work that the caller has
 * synchronised with; reading it neither waits nor touches the device.
 *
 * Clearing sets the count to 0 and returns what it was (`cleared` may be NULL). Any threads may do
 * so at any time, also while kernels run: each item is in the `cleared` of one call or still
 * counted, so that those who clear get all items between them, and each item once.
 *
 * The CPU backend refuses such a call before it writes anything, so it has no such count. Its
 * kernels bound every index once more where they use it: one that another thread puts out of range
 * while the call runs is skipped as on CUDA, and nothing outside the tensors is read or written.
 */
KVF_API kvf_status kvf_cuda_fault_count(int32_t device, uint64_t *count);
KVF_API kvf_status kvf_cuda_clear_faults(int32_t device, uint64_t *cleared);

/*
 * A call whose launches leave numbers for each other takes memory of the library's own where its
 * documentation says so: 32 MiB of the device for each context and stream, 64 of these at most. The
 * first such call allocates it, also while the stream is captured. Where there is none a call goes
 * another way, and one of 1,024 after it tries again. A graph uses the memory of the stream that it
 * was captured on: two that may run at the same time are to be captured on streams of their own, or
 * with a workspace of the caller's, and neither beside calls on its stream.
 *
 * This gives back what streams of the calling thread's context have, or of the device's primary
 * one. Their work must have ended, no call be under way, and graphs captured on them not be
 * launched again.
 */
KVF_API kvf_status kvf_cuda_free_workspaces(int32_t device);

/*
 * What calls without a kvf_exec, and those of the Python package and of torch.ops, have for its
 * `programmatic`: false, or what was set last, by any thread.
 */
KVF_API bool kvf_programmatic(void);
KVF_API void kvf_set_programmatic(bool wanted);

/*
 * The device whose memory an address lies in, and the bytes from the address to the end of its
 * allocation: a bound for callers who are handed addresses without sizes. Pinned host memory has
 * the device that it was allocated for. Neither waits nor touches a device, and may be called while
 * a stream is captured. KVF_INVALID_VALUE for memory that CUDA has not allocated; nothing is
 * written then.
 */
KVF_API kvf_status kvf_cuda_find_memory(const void *address, int32_t *device, int64_t *bytes);

/* KVF_ABI_VERSION and KVF_VERSION of the loaded library. */
KVF_API int32_t kvf_abi_version(void);
KVF_API const char *kvf_version(void);

#ifdef __cplusplus
}
#endif

#include "kvforge/cache.h"
#include "kvforge/ops.h"

#endif
