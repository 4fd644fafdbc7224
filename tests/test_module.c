/*
 * Modules: ops that join the registry, and code that joins the dispatch table. A process of its
 * own, since neither leaves again.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "kvforge/op.h"

enum { ROWS = 2, CPU_ROW = 0, CUDA_ROW = 1 };

/* ---- an op made by hand
 * -------------------------------------------------------------------------- */

static const kvf_op doubled;
static kvf_cpu_late late;
static kvf_cuda_image image = {.symbol = "kvf_cuda_doubled__f32"};

static const kvf_variant rows[ROWS] = {
    {.symbol = "kvf_cpu_doubled__f32",
     .op = &doubled,
     .backend = KVF_CPU,
     .values = {KVF_F32},
     .late = &late},
    {.symbol = "kvf_cuda_doubled__f32",
     .op = &doubled,
     .backend = KVF_CUDA,
     .values = {KVF_F32},
     .image = &image},
};

static const int16_t offsets[] = {0};
static const int64_t dtypes[] = {KVF_F32};
static const kvf_axis axes[] = {{.first = KVF_F32,
                                 .span = 1,
                                 .offsets = offsets,
                                 .below = -1,
                                 .above = -1,
                                 .name = "scalar",
                                 .kind = KVF_AXIS_DTYPE,
                                 .meaning = "the dtype of the number",
                                 .values = dtypes,
                                 .num_values = 1}};
static const int16_t cells[KVF_BACKEND_COUNT] = {CPU_ROW, CUDA_ROW};
static const int16_t no_cells[KVF_BACKEND_COUNT] = {-1, -1};

static const kvf_argument arguments[] = {
    {.name = "number", .type = "int", .doc = "what is doubled", .kind = KVF_KIND_INT}};

static int64_t answer;

static void twice(const void *params, int64_t begin, int64_t end) {
  answer = 2 * *(const int64_t *)params + begin + end - 1;
}

static void thrice(const void *params, int64_t begin, int64_t end) {
  answer = 3 * *(const int64_t *)params + begin + end - 1;
}

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  const kvf_variant *variant = kvf_select(&doubled, KVF_CPU, KVF_F32);
  int64_t number;
  kvf_check check = kvf_launch_begin(&doubled, exec, variant != NULL ? variant : &rows[CPU_ROW],
                                     &values[0].as.integer, &number, sizeof number);
  return check.status != KVF_OK ? check.status : kvf_cpu_run(&check, variant, &number, 1, 8);
}

static const kvf_op doubled = {
    .name = "doubled",
    .ns = "my_namespace",
    .schema = "doubled(int number) -> ()",
    .doc = "doubles a number.",
    .arguments = arguments,
    .num_arguments = 1,
    .variants = rows,
    .num_variants = ROWS,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};

/* An op without variants of the same shape. */
static kvf_op named(const char *name, const char *ns) {
  kvf_op op = doubled;
  op.name = name;
  op.ns = ns;
  op.num_variants = 0;
  op.cells = no_cells;
  return op;
}

/* Refused with these words, and nothing is added. */
static void expect_refused(const kvf_op *const *ops, int32_t count, int32_t abi_version,
                           const char *words) {
  const int32_t before = kvf_num_ops();
  EXPECT_STATUS(kvf_register_ops(ops, count, abi_version), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), words);
  EXPECT(kvf_num_ops() == before, "%d ops were added", kvf_num_ops() - before);
}

/* ---- tests
 * --------------------------------------------------------------------------------------- */

static void test_refusals(void) {
  const kvf_op *const good[] = {&doubled};
  expect_refused(good, 1, KVF_ABI_VERSION + 1, "ABI version");
  expect_refused(good, -1, KVF_ABI_VERSION, "-1 ops");
  expect_refused(NULL, 1, KVF_ABI_VERSION, "NULL");
  expect_refused((const kvf_op *const[]){&doubled, NULL}, 2, KVF_ABI_VERSION, "op 1 of 2, NULL");
  const kvf_op taken = named("reshape_and_cache_flash", "my_namespace");
  expect_refused((const kvf_op *const[]){&doubled, &taken}, 2, KVF_ABI_VERSION,
                 "taken by _C_cache_ops::reshape_and_cache_flash");
  const kvf_op same = named("doubled", "other");
  expect_refused((const kvf_op *const[]){&doubled, &same}, 2, KVF_ABI_VERSION,
                 "taken by my_namespace::doubled");
  kvf_op incomplete = named("incomplete", "my_namespace");
  incomplete.call = NULL;
  expect_refused((const kvf_op *const[]){&incomplete}, 1, KVF_ABI_VERSION, "incomplete");
  kvf_op stolen = named("stolen", "my_namespace"); /* rows that are another op's */
  stolen.num_variants = ROWS;
  stolen.cells = cells;
  expect_refused((const kvf_op *const[]){&stolen}, 1, KVF_ABI_VERSION, "incomplete");
  EXPECT(kvf_find_op("doubled") == NULL, "an op of a refused list is found");
  EXPECT_STATUS(kvf_load_module(NULL), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_load_module("/nonexistent/module.so"), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "/nonexistent/module.so");
  EXPECT_STATUS(kvf_load_module("libm.so.6"), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "exports no kvf_module()");
  count_case(NULL);
}

static void test_register(void) {
  const int32_t before = kvf_num_ops();
  const kvf_op *const ops[] = {&doubled};
  for (int i = 0; i < 2; ++i) { /* the second time it is there already */
    EXPECT_STATUS(kvf_register_ops(ops, 1, KVF_ABI_VERSION), KVF_OK);
    EXPECT(kvf_num_ops() == before + 1, "%d ops were added", kvf_num_ops() - before);
  }
  EXPECT(kvf_get_op(before) == &doubled && kvf_get_op(before + 1) == NULL, "its position");
  EXPECT(kvf_find_op("doubled") == &doubled && kvf_find_op("my_namespace::doubled") == &doubled,
         "its name");
  EXPECT(kvf_find_op("_C_cache_ops::doubled") == NULL, "a name in another namespace");
  EXPECT_TEXT(kvf_last_error(), "my_namespace::doubled");
  EXPECT(kvf_find_variant(rows[CUDA_ROW].symbol) == &rows[CUDA_ROW], "its variants");
  EXPECT(strcmp(kvf_get_op(0)->name, "doubled") != 0, "the first op has moved");
  const kvf_op again = named("doubled", "my_namespace"); /* the same op of another build */
  expect_refused((const kvf_op *const[]){&again}, 1, KVF_ABI_VERSION,
                 "my_namespace::doubled is registered already, by another build");
  const kvf_op other = named("doubled", "other");
  expect_refused((const kvf_op *const[]){&other}, 1, KVF_ABI_VERSION,
                 "taken by my_namespace::doubled");
  count_case(NULL);
}

/* A lower level serves until the level in use is there; one that cannot run here is refused. */
static void test_install_cpu(void) {
  const kvf_isa isa = kvf_cpu_isa();
  const kvf_isa above = isa == KVF_ISA_NEON ? KVF_ISA_AVX512 : KVF_ISA_NEON;
  const kvf_value value = {.kind = KVF_KIND_INT, .as.integer = 21};
  char level[64];
  (void)snprintf(level, sizeof level, "for CPU level %s or a lower one;", kvf_isa_name(isa));
  EXPECT_STATUS(kvf_call(&doubled, NULL, &value, 1), KVF_NOT_BUILT);
  EXPECT_TEXT(kvf_last_error(), rows[CPU_ROW].symbol);
  EXPECT_TEXT(kvf_last_error(), "kvforge.build_variant()");
  EXPECT_TEXT(kvf_last_error(), level);

  EXPECT_STATUS(kvf_install_cpu(NULL, isa, twice), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_install_cpu(&rows[CUDA_ROW], isa, twice), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], isa, NULL), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], above, twice), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), kvf_isa_name(isa));
  EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], KVF_ISA_COUNT, twice), KVF_INVALID_VALUE);
  EXPECT(!kvf_variant_built(&rows[CPU_ROW]), "a refused function is there");

  if (isa != KVF_ISA_BASELINE) {
    EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], KVF_ISA_BASELINE, thrice), KVF_OK);
    EXPECT(kvf_variant_built(&rows[CPU_ROW]), "baseline code is not there");
    EXPECT_STATUS(kvf_call(&doubled, NULL, &value, 1), KVF_OK);
    EXPECT(answer == 63, "thrice 21 is %d", (int)answer);
  }
  EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], isa, twice), KVF_OK);
  EXPECT(kvf_variant_built(&rows[CPU_ROW]) &&
             kvf_select(&doubled, KVF_CPU, KVF_F32) == &rows[CPU_ROW],
         "the function is not there");
  EXPECT_STATUS(kvf_call(&doubled, NULL, &value, 1), KVF_OK);
  EXPECT(answer == 42, "twice 21 is %d", (int)answer);
  EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], isa, twice), KVF_OK);
  EXPECT_STATUS(kvf_install_cpu(&rows[CPU_ROW], isa, thrice), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "other code");

  /* Rows as a module has them that was compiled for one level: a lower one serves, a higher one is
   * named. */
  kvf_variant of_module = rows[CPU_ROW];
  kvf_cpu_late none = {.functions = {NULL}};
  of_module.late = &none;
  of_module.cpu[KVF_ISA_BASELINE] = twice;
  EXPECT(kvf_variant_built(&of_module), "baseline code does not serve");
  of_module.cpu[KVF_ISA_BASELINE] = NULL;
  of_module.cpu[above] = twice;
  kvf_op high = doubled;
  high.variants = &of_module;
  high.num_variants = 1;
  EXPECT(kvf_select(&high, KVF_CPU, KVF_F32) == NULL, "code that cannot run here serves");
  (void)snprintf(level, sizeof level, "%s or a lower one, but for %s;", kvf_isa_name(isa),
                 kvf_isa_name(above));
  EXPECT_TEXT(kvf_last_error(), level);

  /* What the library was built with stays as it is. */
  for (int32_t i = 0; i < kvf_op_copy_blocks.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_copy_blocks.variants[i];
    if (variant->backend == KVF_CPU && variant->cpu[isa] != NULL) {
      EXPECT_STATUS(kvf_install_cpu(variant, isa, variant->cpu[isa]), KVF_OK);
      EXPECT_STATUS(kvf_install_cpu(variant, isa, twice), KVF_INVALID_VALUE);
    }
  }
  count_case(NULL);
}

/* ---- a builder, of an op whose calls with 64 have a special variant
 * ------------------------------------------------------------------ */

enum { SPECIAL_ROW, GENERIC_ROW };

static const kvf_op sized;
static kvf_cpu_late special_late, generic_late;
static const kvf_variant sized_rows[] = {
    {.symbol = "kvf_cpu_sized__s64",
     .op = &sized,
     .backend = KVF_CPU,
     .values = {64},
     .late = &special_late},
    {.symbol = "kvf_cpu_sized",
     .op = &sized,
     .backend = KVF_CPU,
     .values = {KVF_OTHER},
     .late = &generic_late},
};
static const int64_t sizes[] = {64};
static const kvf_axis sized_axes[] = {{.first = 64,
                                       .span = 1,
                                       .offsets = offsets,
                                       .below = 1,
                                       .above = 1,
                                       .name = "size",
                                       .kind = KVF_AXIS_INTEGER,
                                       .meaning = "the number",
                                       .values = sizes,
                                       .num_values = 1}};
static const int16_t sized_cells[] = {SPECIAL_ROW, GENERIC_ROW, -1, -1};
static const int16_t sized_rest[] = {0, -1, -1, -1};
static const int16_t sized_chains[] = {GENERIC_ROW, -1};
static const kvf_op sized = {
    .name = "sized",
    .ns = "my_namespace",
    .schema = "sized(int number) -> ()",
    .doc = "has a size.",
    .arguments = arguments,
    .num_arguments = 1,
    .variants = sized_rows,
    .num_variants = 2,
    .axes = sized_axes,
    .num_axes = 1,
    .cells = sized_cells,
    .num_cells = 2,
    .rest = sized_rest,
    .chains = sized_chains,
    .call = call,
};

/* What a builder has been asked for, and which row it can make. */
typedef struct workshop {
  char asked[128];
  const kvf_variant *able;
} workshop;

static bool make_variant(void *context, const char *symbol) {
  workshop *shop = context;
  (void)snprintf(shop->asked + strlen(shop->asked), sizeof shop->asked - strlen(shop->asked), "%s;",
                 symbol);
  return shop->able != NULL && strcmp(shop->able->symbol, symbol) == 0 &&
         kvf_install_cpu(shop->able, kvf_cpu_isa(), twice) == KVF_OK;
}

static bool make_nothing(void *context, const char *symbol) {
  (void)context;
  (void)symbol;
  return true;
}

static const kvf_variant *sized_for(int64_t size, const workshop *shop, const char *asked) {
  const kvf_variant *found = kvf_select(&sized, KVF_CPU, size);
  EXPECT(strcmp(shop->asked, asked) == 0, "asked for %s, want %s", shop->asked, asked);
  return found;
}

static void test_builder(void) {
  workshop shop = {.able = NULL};
  const kvf_builder builder = {.build = make_variant, .context = &shop};
  const kvf_builder liar = {.build = make_nothing};
  EXPECT(sized_for(64, &shop, "") == NULL, "a row before any is built");
  kvf_set_builder(&liar);
  EXPECT(sized_for(64, &shop, "") == NULL, "a row that is said to be built");
  EXPECT_TEXT(kvf_last_error(), "kvf_cpu_sized__s64 is not built");
  kvf_set_builder(&builder);
  EXPECT(sized_for(64, &shop, "kvf_cpu_sized__s64;kvf_cpu_sized;") == NULL, "a row of no builder");
  EXPECT_TEXT(kvf_last_error(), "kvf_cpu_sized__s64 is not built");

  shop = (workshop){.able = &sized_rows[GENERIC_ROW]};
  EXPECT(sized_for(64, &shop, "kvf_cpu_sized__s64;kvf_cpu_sized;") == &sized_rows[GENERIC_ROW],
         "the generic row does not serve");
  EXPECT(kvf_select_status(&sized, KVF_CPU, 64) == KVF_OK, "a row serves");
  shop = (workshop){.able = &sized_rows[SPECIAL_ROW]};
  EXPECT(sized_for(65, &shop, "") == &sized_rows[GENERIC_ROW], "65 has a row of its own");
  kvf_set_builder(NULL);
  EXPECT(sized_for(64, &shop, "") == &sized_rows[GENERIC_ROW], "nobody builds");
  kvf_set_builder(&builder);
  EXPECT(sized_for(64, &shop, "kvf_cpu_sized__s64;") == &sized_rows[SPECIAL_ROW],
         "what was built is not taken");
  EXPECT(sized_for(64, &shop, "kvf_cpu_sized__s64;") == &sized_rows[SPECIAL_ROW],
         "what was built is asked for again");
  kvf_set_builder(&(kvf_builder){.context = &shop}); /* hollow: as NULL */
  kvf_set_builder(NULL);
  count_case(NULL);
}

static void test_install_cuda(void) {
  static _Alignas(16) const unsigned char fatbin[16];
  static _Alignas(16) const unsigned char other[16];
  EXPECT(!kvf_variant_built(&rows[CUDA_ROW]), "code before any is installed");
  EXPECT_STATUS(kvf_install_cuda(NULL, fatbin), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_install_cuda(&rows[CPU_ROW], fatbin), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_install_cuda(&rows[CUDA_ROW], NULL), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_install_cuda(&rows[CUDA_ROW], fatbin), KVF_OK);
  EXPECT(kvf_variant_built(&rows[CUDA_ROW]), "the fatbin is not there");
  EXPECT_STATUS(kvf_install_cuda(&rows[CUDA_ROW], fatbin), KVF_OK);
  EXPECT_STATUS(kvf_install_cuda(&rows[CUDA_ROW], other), KVF_INVALID_VALUE);
  /* Copies of the driver need no code, and take none. */
  for (int32_t i = 0; i < kvf_op_swap_blocks_batch.num_variants; ++i) {
    const kvf_variant *variant = &kvf_op_swap_blocks_batch.variants[i];
    if (variant->backend == KVF_CUDA) {
      EXPECT_STATUS(kvf_install_cuda(variant, fatbin), KVF_INVALID_VALUE);
    }
  }
  count_case(NULL);
}

enum { THREADS = 8, PER_THREAD = 64 };

static char names[THREADS][PER_THREAD][32];
static kvf_op many[THREADS][PER_THREAD];
static atomic_int wrong;

static void *add_many(void *of_thread) {
  kvf_op *ops = of_thread;
  for (int i = 0; i < PER_THREAD; ++i) {
    const kvf_op *one = &ops[i];
    wrong += kvf_register_ops(&one, 1, KVF_ABI_VERSION) != KVF_OK;
    wrong += kvf_find_op(one->name) != one;
    wrong += kvf_get_op(kvf_num_ops() - 1) == NULL;
  }
  return NULL;
}

static void test_threads(void) {
  const int32_t before = kvf_num_ops();
  pthread_t threads[THREADS];
  for (int i = 0; i < THREADS; ++i) {
    for (int k = 0; k < PER_THREAD; ++k) {
      (void)snprintf(names[i][k], sizeof names[i][k], "op_%d_%d", i, k);
      many[i][k] = named(names[i][k], "crowd");
    }
  }
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_create(&threads[i], NULL, add_many, many[i]);
  }
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_join(threads[i], NULL);
  }
  EXPECT(wrong == 0, "%d wrong answers", wrong);
  EXPECT(kvf_num_ops() == before + THREADS * PER_THREAD, "%d ops", kvf_num_ops() - before);
  count_case(NULL);
}

/* The registry has room for 1024 ops; a list that does not fit is refused as a whole. */
static void test_full(void) {
  enum { COUNT = 1024 };
  static char more_names[COUNT][32];
  static kvf_op more[COUNT];
  const kvf_op *list[COUNT];
  for (int i = 0; i < COUNT; ++i) {
    (void)snprintf(more_names[i], sizeof more_names[i], "more_%d", i);
    more[i] = named(more_names[i], "crowd");
    list[i] = &more[i];
  }
  expect_refused(list, COUNT, KVF_ABI_VERSION, "1024 ops");
  EXPECT(kvf_find_op("more_0") == NULL, "an op of a refused list is found");
  EXPECT_STATUS(kvf_register_ops(list, COUNT - THREADS * PER_THREAD - 1, KVF_ABI_VERSION), KVF_OK);
  expect_refused(&list[COUNT - 1], 1, KVF_ABI_VERSION, "1024 ops");
  count_case(NULL);
}

CU_TestInfo module_tests[] = {
    {"refusals", test_refusals},
    {"an op joins the registry", test_register},
    {"a CPU function joins the table", test_install_cpu},
    {"a builder is asked", test_builder},
    {"a fatbin joins the table", test_install_cuda},
    {"eight threads add ops", test_threads},
    {"a full registry", test_full},
    CU_TEST_INFO_NULL,
};
