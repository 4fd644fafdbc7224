/*
 * Every function that the library exports: what is NULL, half-filled or no member of its enum gets
 * a status and a sentence, or is documented as the caller's. A function that is new must be named
 * here.
 */
#define _GNU_SOURCE /* dladdr() */
#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "kvforge/cache/op.h"
#include "kvforge/op.h"
#include "memory.h"

/* ---- which functions have been seen
 * -------------------------------------------------------------- */

enum { MAX_SEEN = 256, NAME_SIZE = 128 };

static char seen[MAX_SEEN][NAME_SIZE];
static int num_seen;

static bool is_seen(const char *function) {
  for (int i = 0; i < num_seen; ++i) {
    if (strcmp(seen[i], function) == 0) {
      return true;
    }
  }
  return false;
}

static void see(const char *function) {
  if (!is_seen(function) && EXPECT(num_seen < MAX_SEEN, "more functions than the test holds")) {
    (void)snprintf(seen[num_seen++], NAME_SIZE, "%s", function);
  }
}

/* A call of `function` was refused with this status and a sentence with this part. */
#define REFUSED(function, status, part, ...)                                                       \
  do {                                                                                             \
    note_running(#function);                                                                       \
    see(#function);                                                                                \
    EXPECT_STATUS(function(__VA_ARGS__), status);                                                  \
    EXPECT_TEXT(kvf_last_error(), part);                                                           \
    count_case(NULL);                                                                              \
  } while (0)

/* A call of `function` answered so. */
#define ANSWERED(function, answer, ...)                                                            \
  do {                                                                                             \
    note_running(#function);                                                                       \
    see(#function);                                                                                \
    EXPECT(function(__VA_ARGS__) answer, #function "(" #__VA_ARGS__ ") is not " #answer);          \
    count_case(NULL);                                                                              \
  } while (0)

/* ---- lookups, names, the machine
 * ----------------------------------------------------------------- */

static void test_lookups(void) {
  ANSWERED(kvf_last_error, != NULL);
  ANSWERED(kvf_num_ops, > 0);
  ANSWERED(kvf_abi_version, == KVF_ABI_VERSION);
  ANSWERED(kvf_version, != NULL);
  ANSWERED(kvf_cpu_isa, < KVF_ISA_COUNT);
  const int32_t threads = kvf_num_threads();
  see("kvf_set_num_threads");
  kvf_set_num_threads(INT_MIN);
  ANSWERED(kvf_num_threads, > 0);
  kvf_set_num_threads(threads);
  ANSWERED(kvf_programmatic, == false);
  see("kvf_set_programmatic");
  kvf_set_programmatic(false);
  static const kvf_pool hollow_pool = {.num_threads = 4};
  static const kvf_builder hollow_builder = {.context = NULL};
  see("kvf_set_builder");
  kvf_set_builder(&hollow_builder); /* as NULL: none */
  kvf_set_builder(NULL);
  see("kvf_set_pool");
  kvf_set_pool(&hollow_pool); /* as NULL: the library's own team */
  kvf_set_pool(NULL);
  char text[8];
  const kvf_axis *axis = &kvf_get_op(0)->axes[0];
  ANSWERED(kvf_axis_text, [0] == '?', NULL, 1, text, sizeof text);
  ANSWERED(kvf_axis_text, [0] == '?', axis, 1, NULL, sizeof text);
  ANSWERED(kvf_axis_text, [0] == '?', axis, 1, text, 0);
  ANSWERED(kvf_axis_text, [0] == '?', axis, INT64_MAX, text, sizeof text);
  ANSWERED(kvf_select_values, == NULL, kvf_get_op(0), KVF_CPU, NULL, 2);
  ANSWERED(kvf_select_values, == NULL, kvf_get_op(0), KVF_CPU, NULL, 0);
  static const int wild[] = {-1, 77, INT_MIN, INT_MAX};
  for (size_t i = 0; i < TEST_COUNT(wild); ++i) {
    ANSWERED(kvf_status_name, [0] == 'K', (kvf_status)wild[i]);
    ANSWERED(kvf_dtype_name, [0] == '?', (kvf_dtype)wild[i]);
    ANSWERED(kvf_dtype_bits, == 0, (kvf_dtype)wild[i]);
    ANSWERED(kvf_isa_name, [0] == '?', (kvf_isa)wild[i]);
    ANSWERED(kvf_get_op, == NULL, wild[i]);
    EXPECT(kvf_select(kvf_get_op(0), (kvf_backend)wild[i], KVF_F32, KVF_F32) == NULL,
           "a wild value is selected");
    EXPECT(kvf_select(kvf_get_op(0), KVF_CPU, (kvf_dtype)wild[i], KVF_F32) == NULL,
           "a wild value is selected");
    EXPECT(kvf_select(kvf_get_op(0), KVF_CPU, KVF_F32, (kvf_dtype)wild[i]) == NULL,
           "a wild value is selected");
  }
  ANSWERED(kvf_find_dtype, == KVF_DTYPE_NONE, NULL);
  ANSWERED(kvf_find_op, == NULL, NULL);
  ANSWERED(kvf_find_variant, == NULL, NULL);
  ANSWERED(kvf_variant_built, == false, NULL);
  static const kvf_variant hollow = {.backend = KVF_CPU};
  ANSWERED(kvf_variant_built, == false, &hollow);
  EXPECT(kvf_select(NULL, KVF_CPU, KVF_F32, KVF_F32) == NULL, "a wild value is selected");
  kvf_dtype cache = KVF_DTYPE_NONE;
  REFUSED(kvf_resolve_cache_dtype, KVF_INVALID_VALUE, "got NULL", NULL, KVF_F32, &cache);
  REFUSED(kvf_resolve_cache_dtype, KVF_INVALID_VALUE, "cache: got NULL", "auto", KVF_F32, NULL);
}

/* With and without a driver. */
static void test_machine(void) {
  static int wild_place;
  int32_t device = 7;
  int64_t bytes = 7;
  REFUSED(kvf_cuda_device_count, KVF_INVALID_VALUE, "count: got NULL", NULL);
  REFUSED(kvf_cuda_fault_count, KVF_INVALID_VALUE, "count: got NULL", 0, NULL);
  REFUSED(kvf_prepare, KVF_NOT_BUILT, "NULL", NULL, 0);
  REFUSED(kvf_cuda_find_memory, KVF_INVALID_VALUE, "device: got NULL", &wild_place, NULL, &bytes);
  REFUSED(kvf_cuda_find_memory, KVF_INVALID_VALUE, "bytes: got NULL", &wild_place, &device, NULL);
  see("kvf_cuda_clear_faults");
  see("kvf_cuda_free_workspaces");
  if (options.backend == KVF_CUDA && need_backend()) {
    static const int32_t wild[] = {-1, 64, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < TEST_COUNT(wild); ++i) {
      uint64_t count = 7;
      REFUSED(kvf_cuda_fault_count, KVF_NO_DEVICE, "device is", wild[i], &count);
      REFUSED(kvf_cuda_clear_faults, KVF_NO_DEVICE, "device is", wild[i], &count);
      REFUSED(kvf_cuda_free_workspaces, KVF_NO_DEVICE, "device is", wild[i]);
      EXPECT(count == 7, "the output of a refused call was written");
    }
    REFUSED(kvf_cuda_find_memory, KVF_INVALID_VALUE, "is not of memory", NULL, &device, &bytes);
    REFUSED(kvf_cuda_find_memory, KVF_INVALID_VALUE, "is not of memory", &wild_place, &device,
            &bytes);
    EXPECT(device == 7 && bytes == 7, "the output of a refused call was written");
    for (int pinned = 0; pinned < 2; ++pinned) {
      buffer memory = pinned ? buffer_make_pinned(1000, 1) : buffer_make(KVF_CUDA, 1000, 1);
      device = 7;
      EXPECT_STATUS(kvf_cuda_find_memory((char *)memory.place + 990, &device, &bytes), KVF_OK);
      EXPECT(device == 0 && bytes >= 10, "10 bytes on cuda:0 are %lld on cuda:%d", (long long)bytes,
             device);
      count_case(NULL);
      buffer_free(&memory);
    }
  }
}

/* ---- descriptors
 * --------------------------------------------------------------------------------- */

enum { ROWS = 2, CPU_ROW = 0, CUDA_ROW = 1 };

/* A whole descriptor, from which each row of the table takes something away. */
typedef struct descriptor {
  kvf_op op;
  kvf_variant rows[ROWS];
  kvf_axis axes[1];
  int16_t offsets[1];
  int64_t dtypes[1];
  int16_t cells[KVF_BACKEND_COUNT];
  int16_t rest[KVF_BACKEND_COUNT];
  int16_t chains[4];
  kvf_argument arguments[1];
  kvf_exclusion exclusions[1];
  kvf_cuda_image image;
  kvf_cpu_late late;
} descriptor;

static kvf_status never_called(const kvf_exec *exec, const kvf_value *values) {
  (void)exec;
  (void)values;
  return KVF_UNSUPPORTED;
}

static void fill(descriptor *of) {
  *of = (descriptor){
      .op = {.name = "half",
             .ns = "test",
             .schema = "half(int number) -> ()",
             .doc = "is never added.",
             .arguments = of->arguments,
             .num_arguments = 1,
             .variants = of->rows,
             .num_variants = ROWS,
             .axes = of->axes,
             .num_axes = 1,
             .cells = of->cells,
             .rest = of->rest,
             .chains = of->chains,
             .num_cells = 1,
             .exclusions = of->exclusions,
             .num_exclusions = 1,
             .call = never_called},
      .rows = {{.symbol = "kvf_cpu_half__f32__f32",
                .op = &of->op,
                .backend = KVF_CPU,
                .values = {KVF_F32},
                .late = &of->late},
               {.symbol = "kvf_cuda_half__f32__f32",
                .op = &of->op,
                .backend = KVF_CUDA,
                .values = {KVF_F32},
                .image = &of->image}},
      .arguments = {{.name = "number", .type = "int", .doc = "any", .kind = KVF_KIND_INT}},
      .exclusions = {{.values = {KVF_F16}, .reason = "a test"}},
      .image = {.symbol = "kvf_cuda_half__f32__f32"},
      .axes = {{.first = KVF_F32,
                .span = 1,
                .offsets = of->offsets,
                .below = -1,
                .above = -1,
                .name = "scalar",
                .kind = KVF_AXIS_DTYPE,
                .meaning = "the dtype of the number",
                .values = of->dtypes,
                .num_values = 1}},
      .dtypes = {KVF_F32},
      .cells = {CPU_ROW, CUDA_ROW},
      .rest = {0, 2},
      .chains = {CPU_ROW, -1, CUDA_ROW, -1},
  };
}

/* X(what, the statement that makes a descriptor incomplete) */
#define SPOILED(X)                                                                                 \
  X(no_name, of->op.name = NULL)                                                                   \
  X(no_namespace, of->op.ns = NULL)                                                                \
  X(no_schema, of->op.schema = NULL)                                                               \
  X(no_doc, of->op.doc = NULL)                                                                     \
  X(no_arguments, of->op.arguments = NULL)                                                         \
  X(negative_arguments, of->op.num_arguments = -1)                                                 \
  X(too_many_arguments, of->op.num_arguments = 25)                                                 \
  X(no_variants, of->op.variants = NULL)                                                           \
  X(negative_variants, of->op.num_variants = -1)                                                   \
  X(no_cells, of->op.cells = NULL)                                                                 \
  X(no_chains, of->op.chains = NULL)                                                               \
  X(no_axes, of->op.axes = NULL)                                                                   \
  X(negative_axes, of->op.num_axes = -1)                                                           \
  X(too_many_axes, of->op.num_axes = KVF_MAX_AXES + 1)                                             \
  X(no_axis_name, of->axes[0].name = NULL)                                                         \
  X(no_offsets, of->axes[0].offsets = NULL)                                                        \
  X(offset_behind_the_last, of->offsets[0] = 1)                                                    \
  X(no_values_of_an_axis, of->axes[0].values = NULL)                                               \
  X(no_exclusions, of->op.exclusions = NULL)                                                       \
  X(negative_exclusions, of->op.num_exclusions = INT32_MIN)                                        \
  X(no_call, of->op.call = NULL)                                                                   \
  X(no_symbol, of->rows[CPU_ROW].symbol = NULL)                                                    \
  X(another_op, of->rows[CPU_ROW].op = kvf_get_op(0))                                              \
  X(no_op, of->rows[CUDA_ROW].op = NULL)                                                           \
  X(wild_backend, of->rows[CPU_ROW].backend = (kvf_backend)7)                                      \
  X(no_late, of->rows[CPU_ROW].late = NULL)                                                        \
  X(no_kernel_name, of->image.symbol = NULL)                                                       \
  X(no_argument_name, of->arguments[0].name = NULL)                                                \
  X(no_argument_type, of->arguments[0].type = NULL)                                                \
  X(no_argument_doc, of->arguments[0].doc = NULL)                                                  \
  X(no_argument_kind, of->arguments[0].kind = KVF_KIND_NONE)                                       \
  X(wild_argument_kind, of->arguments[0].kind = (kvf_kind)99)                                      \
  X(default_of_another_kind,                                                                       \
    (of->arguments[0].has_default = true, of->arguments[0].default_value.kind = KVF_KIND_STRING))  \
  X(no_reason, of->exclusions[0].reason = NULL)                                                    \
  X(row_behind_the_last, of->chains[0] = ROWS)                                                     \
  X(row_before_the_first, of->chains[0] = -2)                                                      \
  X(row_of_another_backend, of->cells[KVF_CPU] = CUDA_ROW)                                         \
  X(chain_of_another_backend, of->rest[KVF_CPU] = 2)                                               \
  X(chain_before_the_first, of->rest[KVF_CPU] = -2)                                                \
  X(cell_behind_the_last, of->cells[KVF_CPU] = ROWS)                                               \
  X(too_few_cells, of->op.num_cells = 0)                                                           \
  X(chain_without_end, of->chains[1] = CPU_ROW)                                                    \
  X(cell_before_the_first, of->cells[KVF_CUDA] = -2)

#define FUNCTION(what, statement)                                                                  \
  static void what(descriptor *of) { (void)(statement); }
SPOILED(FUNCTION)
#undef FUNCTION

static void test_descriptors(void) {
#define ROW(what, statement) {#what, what},
  static const struct {
    const char *what;
    void (*spoil)(descriptor *of);
  } rows[] = {SPOILED(ROW)};
#undef ROW
  const int32_t before = kvf_num_ops();
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    descriptor of;
    fill(&of);
    rows[i].spoil(&of);
    note_running(rows[i].what);
    /* Behind a known one: nothing of the list is added. */
    const kvf_op *const ops[] = {kvf_get_op(0), &of.op};
    see("kvf_register_ops");
    EXPECT(kvf_register_ops(ops, 2, KVF_ABI_VERSION) == KVF_INVALID_VALUE &&
               strstr(kvf_last_error(), "op 1 of 2") != NULL &&
               strstr(kvf_last_error(), "is incomplete") != NULL,
           "%s: %s", rows[i].what, kvf_last_error());
    EXPECT(kvf_num_ops() == before, "%s: an op was added", rows[i].what);
    count_case(NULL);
  }
  const kvf_op *const none[] = {NULL};
  REFUSED(kvf_register_ops, KVF_INVALID_VALUE, "op 0 of 1, NULL", none, 1, KVF_ABI_VERSION);
  REFUSED(kvf_register_ops, KVF_INVALID_VALUE, "NULL", NULL, 1, KVF_ABI_VERSION);
  REFUSED(kvf_register_ops, KVF_INVALID_VALUE, "-1", none, -1, KVF_ABI_VERSION);
  REFUSED(kvf_register_ops, KVF_INVALID_VALUE, "ABI version", none, 1, KVF_ABI_VERSION + 1);
  EXPECT(kvf_num_ops() == before, "an op was added");
}

static void no_work(const void *params, int64_t begin, int64_t end) {
  (void)params;
  (void)begin;
  (void)end;
}

static void test_modules(void) {
  REFUSED(kvf_load_module, KVF_INVALID_VALUE, "path: got NULL", NULL);
  REFUSED(kvf_load_module, KVF_INVALID_VALUE, "path: got ''", "");
  REFUSED(kvf_load_module, KVF_INVALID_VALUE, "/nonexistent", "/nonexistent/module.so");
  static _Alignas(16) const unsigned char fatbin[32];
  descriptor of;
  const kvf_isa isa = kvf_cpu_isa();
  fill(&of);
  kvf_variant *cpu = &of.rows[CPU_ROW];
  kvf_variant *gpu = &of.rows[CUDA_ROW];
  REFUSED(kvf_install_cpu, KVF_INVALID_VALUE, "got NULL", NULL, isa, no_work);
  REFUSED(kvf_install_cpu, KVF_INVALID_VALUE, gpu->symbol, gpu, isa, no_work);
  REFUSED(kvf_install_cpu, KVF_INVALID_VALUE, "at NULL", cpu, isa, NULL);
  REFUSED(kvf_install_cpu, KVF_INVALID_VALUE, "? code", cpu, (kvf_isa)99, no_work);
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, "got NULL", NULL, fatbin);
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, cpu->symbol, cpu, fatbin);
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, "want a fatbin", gpu, NULL);
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, "multiple of 16", gpu, fatbin + 8);
  cpu->late = NULL;
  REFUSED(kvf_install_cpu, KVF_INVALID_VALUE, "want a compiled CPU variant", cpu, isa, no_work);
  cpu->late = &of.late;
  cpu->symbol = gpu->symbol = NULL;
  REFUSED(kvf_install_cpu, KVF_INVALID_VALUE, "got NULL", cpu, isa, no_work);
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, "got NULL", gpu, fatbin);
  fill(&of);
  of.image.symbol = NULL;
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, "want a compiled CUDA variant", gpu, fatbin);
  gpu->image = NULL;
  REFUSED(kvf_install_cuda, KVF_INVALID_VALUE, "want a compiled CUDA variant", gpu, fatbin);
}

/* ---- ops
 * ----------------------------------------------------------------------------------------- */

/* Values of the kinds that the schema has, of which every pointer is NULL and every number wild. */
static void fill_wild(const kvf_op *op, kvf_value *values, int64_t number) {
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    values[i] = (kvf_value){.kind = op->arguments[i].kind};
    if (values[i].kind == KVF_KIND_TENSOR_LIST) {
      values[i].as.tensors.size = number;
    } else if (values[i].kind == KVF_KIND_FLOAT) {
      values[i].as.number = (double)number;
    } else if (values[i].kind != KVF_KIND_TENSOR && values[i].kind != KVF_KIND_STRING) {
      memset(&values[i].as, (int)number, sizeof values[i].as); /* a bool of no value, too */
    }
  }
}

static void check_boxed(const kvf_op *op, const kvf_value *values, const char *what) {
  const kvf_status status = kvf_call(op, NULL, values, op->num_arguments);
  EXPECT((status == KVF_INVALID_VALUE || status == KVF_INVALID_TYPE) &&
             strncmp(kvf_last_error(), op->name, strlen(op->name)) == 0,
         "%s: %s: %s, %s", op->name, what, kvf_status_name(status), kvf_last_error());
  count_case(NULL);
}

static void test_boxed(void) {
  enum { MAX_ARGUMENTS = 32 };
  static const int64_t numbers[] = {0, 1, -1, INT64_MIN, INT64_MAX};
  static const int kinds[] = {-1, KVF_KIND_STRING + 1, 77, INT_MIN, INT_MAX};
  kvf_value values[MAX_ARGUMENTS];
  for (int32_t k = 0; k < kvf_num_ops(); ++k) {
    const kvf_op *op = kvf_get_op(k);
    for (size_t i = 0; i < TEST_COUNT(numbers); ++i) {
      fill_wild(op, values, numbers[i]);
      check_boxed(op, values, "NULL pointers");
    }
    for (int32_t position = 0; position < op->num_arguments; ++position) {
      for (size_t i = 0; i < TEST_COUNT(kinds); ++i) {
        fill_wild(op, values, 0);
        values[position].kind = (kvf_kind)kinds[i];
        check_boxed(op, values, "a wild kind");
      }
    }
    const kvf_exec wild = {.backend = (kvf_backend)77, .device = -1, .num_threads = INT32_MIN};
    fill_wild(op, values, 0);
    REFUSED(kvf_call, KVF_INVALID_VALUE, "exec: backend is 77", op, &wild, values,
            op->num_arguments);
  }
  REFUSED(kvf_call, KVF_INVALID_VALUE, "op: got NULL", NULL, NULL, values, 0);
  kvf_prepared *prepared = NULL;
  REFUSED(kvf_prepare_call, KVF_INVALID_VALUE, "op: got NULL", NULL, NULL, values, 0, &prepared);
  REFUSED(kvf_prepare_call, KVF_INVALID_VALUE, "prepared: got NULL", kvf_get_op(0), NULL, values, 0,
          NULL);
  REFUSED(kvf_prepare_call, KVF_INVALID_VALUE, "got -1 arguments", kvf_get_op(0), NULL, values, -1,
          &prepared);
  REFUSED(kvf_prepare_call, KVF_INVALID_VALUE, "arguments: got NULL", kvf_get_op(0), NULL, NULL, 1,
          &prepared);
  REFUSED(kvf_run_prepared, KVF_INVALID_VALUE, "prepared: got NULL", NULL, NULL, NULL, 0);
  see("kvf_free_prepared");
  kvf_free_prepared(prepared); /* none was made */
  REFUSED(kvf_call, KVF_INVALID_VALUE, "arguments: got NULL", kvf_get_op(0), NULL, NULL, 1);
  REFUSED(kvf_call, KVF_INVALID_VALUE, "got -1 arguments", kvf_get_op(0), NULL, values, -1);
}

/* A raw launch without params, and with params of zeros: both refused or, of nothing, done. */
typedef kvf_status (*launch_function)(const kvf_exec *exec, const kvf_variant *variant,
                                      const void *params);

static void check_launch(const kvf_op *op, launch_function launch) {
  static const char zeros[8192]; /* larger than any params struct: a kernel has 4 KB */
  char want[NAME_SIZE];
  (void)snprintf(want, sizeof want, "%s: params: got NULL", op->name);
  for (int32_t i = 0; i < op->num_variants; ++i) {
    const kvf_variant *variant = &op->variants[i];
    note_running(variant->symbol);
    EXPECT_STATUS(launch(NULL, variant, NULL), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), want);
    if (variant->backend == options.backend) {
      const kvf_status status = launch(NULL, variant, zeros);
      EXPECT(status == KVF_OK || status == KVF_INVALID_VALUE || status == KVF_NOT_BUILT,
             "%s: params of zeros: %s, %s", variant->symbol, kvf_status_name(status),
             kvf_last_error());
    }
    count_case(NULL);
  }
  EXPECT_STATUS(launch(NULL, NULL, NULL), KVF_INVALID_VALUE);
  EXPECT_STATUS(launch(NULL, NULL, zeros), KVF_INVALID_VALUE);
  (void)snprintf(want, sizeof want, "%s: variant: got NULL", op->name);
  EXPECT_TEXT(kvf_last_error(), want);
  const kvf_op *other = kvf_get_op(op == kvf_get_op(0));
  EXPECT_STATUS(launch(NULL, &other->variants[0], zeros), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "want a variant of this op");
}

static void test_launches(void) {
  if (!need_backend()) {
    return;
  }
#define KVF_OP(ns_, op_)                                                                           \
  see("kvf_" #op_);                                                                                \
  see("kvf_launch_" #op_);                                                                         \
  see("kvf_op_" #op_);                                                                             \
  check_launch(&kvf_op_##op_, (launch_function)(void (*)(void))kvf_launch_##op_);
#include "../generated/kvf_ops.inc"
#undef KVF_OP
}

/* ---- lists of tensors
 * ---------------------------------------------------------------------------- */

static int64_t sizes[] = {2, 4};
static unsigned char bytes[8];
static DLTensor whole = {bytes, {kDLCPU, 0}, 2, {kDLUInt, 8, 1}, sizes, NULL, 0};
static DLTensor shapeless = {bytes, {kDLCPU, 0}, 2, {kDLUInt, 8, 1}, NULL, NULL, 0};
static DLTensor rankless = {bytes, {kDLCPU, 0}, -3, {kDLUInt, 8, 1}, NULL, NULL, 0};
static DLTensor laneless = {bytes, {kDLCPU, 0}, 2, {kDLUInt, 8, 0}, sizes, NULL, 0};
static int64_t no_pairs[] = {0, 2}, no_ids[] = {0};
static DLTensor pairs = {NULL, {kDLCPU, 0}, 2, {kDLInt, 64, 1}, no_pairs, NULL, 0};
static DLTensor ids = {NULL, {kDLCPU, 0}, 1, {kDLInt, 64, 1}, no_ids, NULL, 0};

static void test_lists(void) {
  static const struct {
    const DLTensor *tensor;
    const char *part;
  } rows[] = {{NULL, "[1]: got NULL"},
              {&shapeless, "[1]: shape is NULL"},
              {&rankless, "[1]: rank is -3"},
              {&laneless, "[1]: an element has 0 bits"}};
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    const DLTensor *const bad[] = {&whole, rows[i].tensor};
    const DLTensor *const good[] = {&whole, &whole};
    const kvf_status want = rows[i].tensor == &laneless ? KVF_INVALID_TYPE : KVF_INVALID_VALUE;
    REFUSED(kvf_copy_blocks, want, rows[i].part, NULL, bad, 2, good, 2, &pairs);
    REFUSED(kvf_copy_blocks, want, rows[i].part, NULL, good, 2, bad, 2, &pairs);
    REFUSED(kvf_copy_blocks_mla, want, rows[i].part, NULL, bad, 2, &pairs);
    REFUSED(kvf_zero_blocks, want, rows[i].part, NULL, bad, 2, &ids);
    const char *alone = strchr(rows[i].part, ' ') + 1;
    REFUSED(kvf_swap_blocks, want, alone, NULL, rows[i].tensor, &whole, 4, &pairs);
    REFUSED(kvf_swap_blocks, want, alone, NULL, &whole, (DLTensor *)(uintptr_t)rows[i].tensor, 4,
            &pairs);
  }
  const DLTensor *const two[] = {&whole, &whole};
  static const int64_t wild[] = {-1, INT64_MIN};
  for (size_t i = 0; i < TEST_COUNT(wild); ++i) {
    REFUSED(kvf_copy_blocks, KVF_INVALID_VALUE, "key_caches: ", NULL, two, wild[i], two, 2, &pairs);
    REFUSED(kvf_copy_blocks, KVF_INVALID_VALUE, "value_caches: ", NULL, two, 2, two, wild[i],
            &pairs);
    REFUSED(kvf_copy_blocks_mla, KVF_INVALID_VALUE, "kv_caches: ", NULL, two, wild[i], &pairs);
    REFUSED(kvf_zero_blocks, KVF_INVALID_VALUE, "caches: ", NULL, two, wild[i], &ids);
  }
  REFUSED(kvf_copy_blocks, KVF_INVALID_VALUE, "key_caches: got NULL", NULL, NULL, 2, two, 2,
          &pairs);
  REFUSED(kvf_copy_blocks, KVF_INVALID_VALUE, "block_mapping: got NULL", NULL, two, 2, two, 2,
          NULL);
  REFUSED(kvf_copy_blocks, KVF_INVALID_VALUE, "block_mapping: shape is NULL", NULL, two, 2, two, 2,
          &(DLTensor){NULL, {kDLCPU, 0}, 2, {kDLInt, 64, 1}, NULL, NULL, 0});
  REFUSED(kvf_zero_blocks, KVF_INVALID_VALUE, "caches: got NULL", NULL, NULL, 1, &ids);
  REFUSED(kvf_zero_blocks, KVF_INVALID_VALUE, "block_ids: got NULL", NULL, two, 2, NULL);
  REFUSED(kvf_swap_blocks, KVF_INVALID_VALUE, "block_mapping: got NULL", NULL, &whole, &whole, 4,
          NULL);
  REFUSED(kvf_swap_blocks_batch, KVF_INVALID_VALUE, "src_ptrs: got NULL", NULL, NULL, &ids, &ids,
          false);
  REFUSED(kvf_swap_blocks_batch, KVF_INVALID_VALUE, "sizes: shape is NULL", NULL, &ids, &ids,
          &(DLTensor){NULL, {kDLCPU, 0}, 1, {kDLInt, 64, 1}, NULL, NULL, 0}, false);
}

/* What only the launch of another page size would find is found before the first launch. */
static void test_second_launch(void) {
  unsigned char pages[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  const unsigned char before[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  int64_t small[] = {2, 2};
  int64_t far[] = {INT64_MAX / 2, 1};
  int64_t first[] = {0};
  int64_t one[] = {1};
  const DLTensor good = {pages, {kDLCPU, 0}, 2, {kDLUInt, 8, 1}, small, NULL, 0};
  const DLTensor distant = {pages + 4, {kDLCPU, 0}, 2, {kDLUInt, 32, 1}, sizes, far, 0};
  const DLTensor block = {first, {kDLCPU, 0}, 1, {kDLInt, 64, 1}, one, NULL, 0};
  const DLTensor *const both[] = {&good, &distant};
  REFUSED(kvf_zero_blocks, KVF_INVALID_VALUE, "caches[1]: has 2 pages", NULL, both, 2, &block);
  EXPECT(memcmp(pages, before, sizeof pages) == 0, "a refused call wrote something");
}

/* ---- overlap
 * ------------------------------------------------------------------------------------- */

enum { OVERLAP_RANK = 3 };

typedef struct strided {
  int64_t shape[OVERLAP_RANK];
  int64_t stride[OVERLAP_RANK];
  DLTensor tensor;
} strided;

static unsigned char ground[4096];

/* Whether two tensors share a byte, by looking at each. */
static bool share_bytes(const strided *a, const strided *b) {
  bool marked[sizeof ground] = {false};
  bool shared = false;
  for (int side = 0; side < 2; ++side) {
    const strided *one = side == 0 ? a : b;
    const int64_t bytes_each = one->tensor.dtype.bits / 8;
    for (int64_t i = 0; i < one->shape[0]; ++i) {
      for (int64_t j = 0; j < one->shape[1]; ++j) {
        for (int64_t k = 0; k < one->shape[2]; ++k) {
          const int64_t element = i * one->stride[0] + j * one->stride[1] + k * one->stride[2];
          for (int64_t byte = 0; byte < bytes_each; ++byte) {
            const size_t at =
                (size_t)((int64_t)one->tensor.byte_offset + element * bytes_each + byte);
            shared = shared || (side == 1 && marked[at]);
            marked[at] = marked[at] || side == 0;
          }
        }
      }
    }
  }
  return shared;
}

static void make_strided(strided *to, const int64_t shape[3], const int64_t stride[3], int bits,
                         int64_t offset) {
  memcpy(to->shape, shape, sizeof to->shape);
  memcpy(to->stride, stride, sizeof to->stride);
  to->tensor = (DLTensor){.data = ground,
                          .device = {kDLCPU, 0},
                          .ndim = OVERLAP_RANK,
                          .dtype = {kDLUInt, (uint8_t)bits, 1},
                          .shape = to->shape,
                          .strides = to->stride,
                          .byte_offset = (uint64_t)offset};
}

static bool refused(const strided *a, const strided *b) {
  kvf_check check = kvf_check_begin(&kvf_op_concat_mla_q, NULL);
  kvf_check_apart(&check, (const kvf_named[]){{"q_out", &a->tensor}}, 1,
                  (const kvf_named[]){{"q_pe", &b->tensor}}, 1);
  return check.status != KVF_OK;
}

/* Tensors that share a byte are always refused; those that alternate as engines have it never. */
static void test_overlap(void) {
  uint64_t state = options.seed;
  int shared = 0;
  int apart = 0;
  int careful = 0; /* refused without need */
  for (int i = 0; i < 20000; ++i) {
    strided one[2];
    for (int side = 0; side < 2; ++side) {
      int64_t shape[3];
      int64_t stride[3];
      for (int d = 0; d < 3; ++d) {
        static const int64_t distances[] = {0, 1, 2, 3, 4, 8, 12, 16, 24, 48, -1, -4, -16};
        shape[d] = random_below(&state, 5);
        stride[d] = distances[random_below(&state, (int64_t)TEST_COUNT(distances))];
      }
      make_strided(&one[side], shape, stride, side == 0 || random_below(&state, 2) ? 8 : 32,
                   2048 + random_below(&state, 64));
    }
    const bool same = share_bytes(&one[0], &one[1]);
    const bool no = refused(&one[0], &one[1]);
    EXPECT(no || !same, "case %d shares memory and is taken", i);
    shared += same;
    apart += !no;
    careful += no && !same;
  }
  EXPECT(shared > 1000 && apart > 1000 && careful < apart, "%d shared, %d apart, %d in doubt",
         shared, apart, careful);

  /* {shape, stride, bits, offset} of both. */
  static const struct {
    const char *what;
    int64_t shape[2][3], stride[2][3];
    int bits[2];
    int64_t offset[2];
  } good[] = {
      {"two parts of a row", {{4, 1, 8}, {4, 1, 2}}, {{10, 10, 1}, {10, 10, 1}}, {8, 8}, {0, 8}},
      {"keys and values of a page",
       {{3, 2, 8}, {3, 2, 8}},
       {{32, 8, 1}, {32, 8, 1}},
       {8, 8},
       {0, 16}},
      {"codes and the scale behind them",
       {{3, 4, 8}, {3, 4, 1}},
       {{48, 12, 1}, {12, 3, 1}},
       {8, 32},
       {0, 8}},
      {"heads in turn", {{4, 2, 4}, {4, 2, 4}}, {{16, 8, 1}, {16, 8, 1}}, {8, 8}, {0, 4}},
      {"backwards", {{4, 2, 4}, {4, 2, 4}}, {{16, 8, 1}, {-16, 8, 1}}, {8, 8}, {0, 52}},
      {"one behind the other", {{4, 4, 4}, {4, 4, 4}}, {{16, 4, 1}, {16, 4, 1}}, {8, 8}, {0, 64}},
      {"none in the middle", {{4, 4, 4}, {4, 0, 4}}, {{16, 4, 1}, {16, 4, 1}}, {8, 8}, {0, 8}},
      {"repeated reads", {{4, 1, 8}, {4, 3, 2}}, {{10, 10, 1}, {10, 0, 1}}, {8, 8}, {0, 8}},
  };
  for (size_t i = 0; i < TEST_COUNT(good); ++i) {
    strided one[2];
    for (int side = 0; side < 2; ++side) {
      make_strided(&one[side], good[i].shape[side], good[i].stride[side], good[i].bits[side],
                   good[i].offset[side]);
    }
    EXPECT(!share_bytes(&one[0], &one[1]) && !refused(&one[0], &one[1]) &&
               !refused(&one[1], &one[0]),
           "%s: %s", good[i].what, kvf_last_error());
    count_case(NULL);
  }
}

/* ---- strides
 * ------------------------------------------------------------------------ */

/* Two rows, apart or all the same, of one thing each: the step to the next thing is nobody's. */
static void test_strides_of_one(void) {
  static float elements[16];
  const int64_t wild[] = {INT64_MIN, INT64_MIN / 4, -1, 0, 5, INT64_MAX};
  for (size_t i = 0; i < 2 * TEST_COUNT(wild); ++i) {
    const int64_t row = i % 2 == 0 ? 7 : 0; /* 0: read repeatedly, and checked another way */
    kvf_dim dims[] = {{"rows", -1, NULL}, {"things", -1, NULL}, {"size", -1, NULL}};
    kvf_view view = {.data = NULL};
    kvf_check check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
    kvf_check_tensor(&check, "ql_nope",
                     &(DLTensor){.data = elements,
                                 .device = {kDLCPU, 0},
                                 .ndim = 3,
                                 .dtype = {kDLFloat, 32, 1},
                                 .shape = (int64_t[]){2, 1, 3},
                                 .strides = (int64_t[]){row, wild[i / 2], 2}},
                     KVF_ACCEPT(KVF_F32), 3, (kvf_dim *const[]){&dims[0], &dims[1], &dims[2]},
                     &view);
    EXPECT_STATUS(check.status, KVF_OK);
    EXPECT(view.stride[0] == row && view.stride[1] == 3 && view.stride[2] == 2,
           "strides %lld, %lld, %lld", (long long)view.stride[0], (long long)view.stride[1],
           (long long)view.stride[2]);
    count_case(NULL);
  }
}

/* ---- names that an op gives
 * ------------------------------------------------------------------------ */

static void test_names_of_slots(void) {
  static int64_t places[] = {0, 99};
  kvf_slots slots = {.num_tokens = 2, .num_blocks = 1, .block_size = 4, .index_bytes = 8};
  kvf_check check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
  kvf_launch_slots(&check, "places", &slots);
  EXPECT_TEXT(kvf_last_error(), "concat_mla_q: places: got NULL");
  slots.mapping = places;
  slots.stride = 1;
  check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
  kvf_launch_slots(&check, "places", &slots);
  EXPECT_STATUS(check.status, KVF_OUT_OF_RANGE);
  EXPECT_TEXT(kvf_last_error(), "concat_mla_q: places: element 1 is 99");
  check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
  kvf_launch_slot(&check, "places", &slots, 2, 1, 4);
  EXPECT_TEXT(kvf_last_error(), "concat_mla_q: places: element [2, 1] is 4, want less than 4");
  static int32_t remap[] = {3, 4};
  check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
  kvf_check_remap(&check,
                  &(DLTensor){.data = remap,
                              .device = {kDLCPU, 0},
                              .ndim = 1,
                              .dtype = {kDLInt, 32, 1},
                              .shape = (int64_t[]){2}},
                  &slots);
  EXPECT_STATUS(check.status, KVF_OK);
  kvf_launch_slot(&check, "places", &slots, -1, 0, 0);
  EXPECT_STATUS(check.status, KVF_OK);
  kvf_launch_slot(&check, "places", &slots, -1, 0, 1);
  EXPECT_TEXT(kvf_last_error(), "concat_mla_q: slot_remap: element 1 is 4, want less than 4");
  check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
  kvf_launch_slot(&check, "places", &slots, -1, 0, 2);
  EXPECT_TEXT(kvf_last_error(),
              "concat_mla_q: places: element 0 is 2, want less than 2 (slots of slot_remap)");
  check = kvf_check_begin(&kvf_op_concat_mla_q, &(kvf_exec){.backend = KVF_CPU});
  kvf_check_rows(&check, "rows", &(kvf_dim){"num_rows", 1, NULL}, "places", &slots);
  EXPECT_TEXT(kvf_last_error(),
              "concat_mla_q: rows: has 1 rows, want at least 2 (the length of places)");
  count_case(NULL);
}

/* ---- all of them
 * --------------------------------------------------------------------------------- */

/* Functions for authors of ops; op.h says that their pointers are the author's to get right. */
static const char *const for_authors[] = {
    "kvf_check_begin",          "kvf_check_fail",
    "kvf_check_present",        "kvf_check_tensor",
    "kvf_check_place",          "kvf_check_dtype",
    "kvf_select_values_status", "kvf_parallel_for",
    "kvf_try_engine",           "kvf_try_tuned",
    "kvf_tuned_values",         "kvf_check_arch",
    "kvf_launch_begin",         "kvf_launch_pointer",
    "kvf_launch_at_least",      "kvf_make_divider",
    "kvf_vector_elements",      "kvf_cpu_run",
    "kvf_cpu_streams",          "kvf_cuda_run",
    "kvf_check_variant",        "kvf_check_slots",
    "kvf_check_rows",           "kvf_check_block_table",
    "kvf_check_workspace",      "kvf_check_scale_value",
    "kvf_check_apart",          "kvf_launch_scales",
    "kvf_check_scale",          "kvf_launch_slots",
    "kvf_check_remap",          "kvf_launch_slot",
    "kvf_launch_block_table",   "kvf_launch_scales_or_value",
    "kvf_launch_shared_bytes",
};

/* The last test: what the library exports has been called above. */
static void test_complete(void) {
  for (size_t i = 0; i < TEST_COUNT(for_authors); ++i) {
    see(for_authors[i]);
  }
  Dl_info library;
  void *version = NULL;
  const char *(*function)(void) = kvf_version;
  memcpy(&version, &function, sizeof version);
  char command[1024];
  if (dladdr(version, &library) == 0) {
    skip_part("the library's file is not known");
    return;
  }
  (void)snprintf(command, sizeof command, "nm -D --defined-only '%s' 2>/dev/null",
                 library.dli_fname);
  FILE *names = popen(command, "r");
  char line[512];
  int exported = 0;
  while (names != NULL && fgets(line, sizeof line, names) != NULL) {
    char name[NAME_SIZE];
    if (sscanf(line, "%*s %*c %127s", name) == 1 && strncmp(name, "kvf_", 4) == 0) {
      ++exported;
      EXPECT(is_seen(name), "%s is exported and not tested here", name);
    }
  }
  if (names == NULL || pclose(names) != 0) {
    skip_part("nm is not installed");
    return;
  }
  EXPECT(exported >= num_seen, "%d names are exported, %d were tested", exported, num_seen);
  count_case(NULL);
}

CU_TestInfo public_tests[] = {
    {"lookups", test_lookups},
    {"the machine", test_machine},
    {"half-filled descriptors", test_descriptors},
    {"modules", test_modules},
    {"boxed calls", test_boxed},
    {"raw launches", test_launches},
    {"lists of tensors", test_lists},
    {"a launch behind others", test_second_launch},
    {"overlap", test_overlap},
    {"strides of dimensions of size 1", test_strides_of_one},
    {"names that an op gives", test_names_of_slots},
    {"every exported function", test_complete},
    CU_TEST_INFO_NULL,
};
