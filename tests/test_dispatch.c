/* The registry, the dispatch table, the boxed call, errors, and calls from many threads at once. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvforge/cache/op.h"
#include "kvforge/op.h"
#include "small_call.h"

#define KVF_VARIANT(backend_, op_, values_, symbol_) {#symbol_, #backend_, #op_, values_},
static const struct {
  const char *symbol;
  const char *backend;
  const char *op;
  const char *values; /* "scalar=f32 cache=fp8_e4m3": of each axis */
} known[] = {
#include "../generated/kvf_kernels.inc"
};
#undef KVF_VARIANT

static const char *backend_name(kvf_backend backend) { return backend == KVF_CPU ? "cpu" : "cuda"; }

static const char *values_text(const kvf_op *op, const int64_t *values, char text[256]) {
  text[0] = '\0';
  for (int32_t i = 0; i < op->num_axes; ++i) {
    char value[64];
    const size_t length = strlen(text);
    (void)snprintf(text + length, 256 - length, "%s%s=%s", i > 0 ? " " : "", op->axes[i].name,
                   kvf_axis_text(&op->axes[i], values[i], value, sizeof value));
  }
  return text;
}

/* ---- registry
 * ------------------------------------------------------------------------------------ */

static void test_registry(void) {
  EXPECT(kvf_num_ops() >= 2, "%d ops", kvf_num_ops());
  EXPECT(kvf_get_op(-1) == NULL && kvf_get_op(kvf_num_ops()) == NULL &&
             kvf_get_op(INT32_MIN) == NULL && kvf_get_op(INT32_MAX) == NULL,
         "an op outside the registry");
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    char full[256];
    (void)snprintf(full, sizeof full, "%s::%s", op->ns, op->name);
    EXPECT(kvf_find_op(full) == op, "%s is not found", full);
    EXPECT(kvf_find_op(op->name) == op, "%s is not found", op->name);
    EXPECT(strncmp(op->schema, op->name, strlen(op->name)) == 0 &&
               op->schema[strlen(op->name)] == '(',
           "schema of %s: %s", op->name, op->schema);
    EXPECT(op->doc[0] != '\0' && op->num_variants > 0 && op->call != NULL, "%s is incomplete",
           op->name);
    for (int32_t k = 0; k < op->num_arguments; ++k) {
      EXPECT_TEXT(op->schema, op->arguments[k].name);
      EXPECT_TEXT(op->schema, op->arguments[k].type);
      EXPECT(op->arguments[k].doc[0] != '\0', "%s of %s has no doc", op->arguments[k].name,
             op->name);
      EXPECT(op->arguments[k].mutated == (strchr(op->arguments[k].type, '!') != NULL),
             "%s of %s: mutated", op->arguments[k].name, op->name);
    }
  }
  static char long_name[4096];
  memset(long_name, 'x', sizeof long_name - 1);
  static const struct {
    const char *name;
    const char *nearest; /* the first one; of those that are equally near the first of the table */
  } wrong[] = {{"no_such_op", "_C_cache_ops::"},
               {"", "_C_cache_ops::kv_pack, _C_cache_ops::kv_unpack, _C_cache_ops::convert_fp8"},
               {"other::reshape_and_cache", "_C_cache_ops::reshape_and_cache, "},
               {"_C_cache_ops", "_C_cache_ops::"},
               {"_C_cache_ops::", "_C_cache_ops::kv_pack, _C_cache_ops::kv_unpack, "},
               {"reshape_and_cache_flas", "_C_cache_ops::reshape_and_cache_flash, "},
               {"reshape_and_cache_flash ", "_C_cache_ops::reshape_and_cache_flash, "},
               {"swap_block", "_C_cache_ops::swap_blocks, "},
               {"_C_cache_ops::cocnat_mla_q", "_C_cache_ops::concat_mla_q, "},
               {"zero_block_ids", "_C_cache_ops::zero_blocks, "},
               {long_name, "_C_cache_ops::"}};
  for (size_t i = 0; i < TEST_COUNT(wrong); ++i) {
    char got[256];
    char want[256];
    EXPECT(kvf_find_op(wrong[i].name) == NULL, "'%s' is found", wrong[i].name);
    (void)snprintf(got, sizeof got, "got '%.200s'", wrong[i].name);
    (void)snprintf(want, sizeof want, "the nearest are %s", wrong[i].nearest);
    EXPECT_TEXT(kvf_last_error(), got);
    EXPECT_TEXT(kvf_last_error(), want);
    EXPECT(strlen(kvf_last_error()) < 600, "not all names are near '%s'", wrong[i].name);
  }
  EXPECT(kvf_find_op(NULL) == NULL, "NULL is found");
  EXPECT_TEXT(kvf_last_error(), "NULL");
  count_case(NULL);
}

static void test_symbols(void) {
  size_t position = 0;
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int32_t k = 0; k < op->num_variants; ++k, ++position) {
      const kvf_variant *variant = &op->variants[k];
      if (!EXPECT(position < TEST_COUNT(known), "more rows than the index has")) {
        return;
      }
      char text[256];
      EXPECT(strcmp(variant->symbol, known[position].symbol) == 0 &&
                 strcmp(backend_name(variant->backend), known[position].backend) == 0 &&
                 strcmp(op->name, known[position].op) == 0 &&
                 strcmp(values_text(op, variant->values, text), known[position].values) == 0,
             "row %zu is %s, the index has %s", position, variant->symbol, known[position].symbol);
      EXPECT(variant->op == op, "%s does not know its op", variant->symbol);
      EXPECT(kvf_find_variant(variant->symbol) == variant, "%s is not found", variant->symbol);
    }
  }
  EXPECT(position == TEST_COUNT(known), "%zu rows, the index has %zu", position, TEST_COUNT(known));
  EXPECT(kvf_find_variant("kvf_cpu_nothing__f32__f32") == NULL, "found nothing");
  EXPECT(kvf_find_variant("") == NULL && kvf_find_variant(NULL) == NULL, "found nothing");
  EXPECT(!kvf_variant_built(NULL), "NULL is built");
  count_case(NULL);
}

/* ---- select
 * -------------------------------------------------------------------------------------- */

static bool excluded(const kvf_op *op, const int64_t *values, const char **reason) {
  for (int32_t i = 0; i < op->num_exclusions; ++i) {
    if (memcmp(op->exclusions[i].values, values, sizeof *values * (size_t)op->num_axes) == 0) {
      *reason = op->exclusions[i].reason;
      return true;
    }
  }
  return false;
}

static const kvf_variant *row_of(const kvf_op *op, int backend, const char *values) {
  for (size_t i = 0; i < TEST_COUNT(known); ++i) {
    if ((backend == KVF_CPU || backend == KVF_CUDA) && strcmp(known[i].op, op->name) == 0 &&
        strcmp(known[i].backend, backend_name((kvf_backend)backend)) == 0 &&
        strcmp(known[i].values, values) == 0) {
      return kvf_find_variant(known[i].symbol);
    }
  }
  return NULL;
}

/* Whether an arch is one whose devices alone run what is made for it. */
static bool is_alone(const kvf_op *op, int64_t arch) {
  char token[32];
  (void)snprintf(token, sizeof token, "__sm%da", (int)arch);
  for (int32_t v = 0; v < op->num_variants; ++v) {
    if (strstr(op->variants[v].symbol, token) != NULL) {
      return true;
    }
  }
  return false;
}

/* The value of an axis under which a value of a call is listed: itself, where it has variants of
 * its own; of an arch the newest that is not newer. */
static int64_t listed(const kvf_op *op, const kvf_axis *axis, int64_t value) {
  int64_t found = axis->kind == KVF_AXIS_DTYPE ? value : KVF_OTHER;
  for (int32_t i = 0; i < axis->num_values; ++i) {
    const bool older =
        axis->kind == KVF_AXIS_ARCH && axis->values[i] < value && !is_alone(op, axis->values[i]);
    found = axis->values[i] == value || older ? axis->values[i] : found;
  }
  return found;
}

/* Ops of the family have variants that are special on every axis but the dtypes, or on none: the
 * special one, unless it is not built and the other is. */
static const kvf_variant *row_for(const kvf_op *op, int backend, const int64_t *values) {
  char text[256];
  int64_t generic[KVF_MAX_AXES] = {0};
  for (int32_t i = 0; i < op->num_axes; ++i) {
    generic[i] = op->axes[i].kind == KVF_AXIS_DTYPE ? values[i] : KVF_OTHER;
  }
  const kvf_variant *special = row_of(op, backend, values_text(op, values, text));
  const kvf_variant *other = row_of(op, backend, values_text(op, generic, text));
  const bool falls_back = other != NULL && kvf_variant_built(other) && !kvf_variant_built(special);
  return special == NULL || falls_back ? other : special;
}

static bool has_dtypes_only(const kvf_op *op) {
  for (int32_t i = 0; i < op->num_axes; ++i) {
    if (op->axes[i].kind != KVF_AXIS_DTYPE) {
      return false;
    }
  }
  return true;
}

static void check_cell(const kvf_op *op, int backend, const int64_t *values) {
  char text[256];
  int64_t own[KVF_MAX_AXES] = {0};
  for (int32_t i = 0; i < op->num_axes; ++i) {
    own[i] = listed(op, &op->axes[i], values[i]);
  }
  const kvf_variant *row = row_for(op, backend, own);
  (void)values_text(op, values, text);
  const kvf_variant *got = kvf_select_values(op, (kvf_backend)backend, values, op->num_axes);
  const kvf_status status =
      kvf_select_values_status(op, (kvf_backend)backend, values, op->num_axes);
  const bool built = row != NULL && kvf_variant_built(row);
  EXPECT(got == (built ? row : NULL), "%s, backend %d, %s: selected %s", op->name, backend, text,
         got ? got->symbol : "NULL");
  EXPECT_STATUS(status, built ? KVF_OK : row != NULL ? KVF_NOT_BUILT : KVF_UNSUPPORTED);
  if (built) {
    return;
  }
  const char *reason = NULL;
  EXPECT_TEXT(kvf_last_error(), op->name);
  if (row != NULL) {
    EXPECT_TEXT(kvf_last_error(), "not built");
    EXPECT_TEXT(kvf_last_error(), row->symbol);
  } else if (!has_dtypes_only(op)) { /* of several exclusions that cover a call, one is told */
    EXPECT_TEXT(kvf_last_error(), excluded(op, own, &reason) ? "is excluded: " : op->name);
  } else if (excluded(op, own, &reason)) {
    EXPECT_TEXT(kvf_last_error(), "excluded");
    EXPECT_TEXT(kvf_last_error(), reason);
  } else {
    EXPECT_TEXT(kvf_last_error(), "no variant");
  }
}

/* Every dtype on every axis of those, and numbers that are none; on others values of each kind. */
static void check_cells(const kvf_op *op, int backend, int64_t *values, int32_t axis) {
  if (axis == op->num_axes) {
    check_cell(op, backend, values);
    return;
  }
  static const int64_t others[] = {0, 64, 80, 128, KVF_OTHER};
  const bool of_dtypes = op->axes[axis].kind == KVF_AXIS_DTYPE;
  const int64_t count = of_dtypes ? KVF_DTYPE_COUNT + 2 : (int64_t)TEST_COUNT(others);
  for (int64_t i = 0; i < count; ++i) {
    values[axis] = of_dtypes ? i - 1 : others[i];
    check_cells(op, backend, values, axis + 1);
  }
}

static void test_select(void) {
  int64_t values[KVF_MAX_AXES] = {0};
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int backend = -1; backend <= KVF_BACKEND_COUNT; ++backend) {
      check_cells(op, backend, values, 0);
    }
    values[0] = INT64_MAX;
    check_cell(op, KVF_CPU, values);
    values[0] = INT64_MIN + 1;
    check_cell(op, KVF_CUDA, values);
    EXPECT(kvf_select_values(op, KVF_CPU, values, op->num_axes + 1) == NULL, "a value too many");
    EXPECT_TEXT(kvf_last_error(), "want one for each of its");
    EXPECT(kvf_select_values(op, KVF_CPU, NULL, op->num_axes) == NULL, "no values");
    EXPECT_TEXT(kvf_last_error(), "values: got NULL");
  }
  EXPECT(kvf_select(NULL, KVF_CPU, KVF_F32, KVF_F32) == NULL, "an op that is NULL");
  EXPECT_TEXT(kvf_last_error(), "op: got NULL");
  count_case(NULL);
}

static void test_not_built(void) {
  /* What a smaller build leaves out answers by name, from every door. */
  bool any = false;
  for (size_t i = 0; i < TEST_COUNT(known); ++i) {
    const kvf_variant *variant = kvf_find_variant(known[i].symbol);
    if (variant == NULL || kvf_variant_built(variant)) {
      continue;
    }
    any = true;
    EXPECT_STATUS(kvf_prepare(variant, 0), KVF_NOT_BUILT);
    EXPECT_TEXT(kvf_last_error(), variant->symbol);
    if (variant->op == &kvf_op_reshape_and_cache) {
      const kvf_reshape_and_cache_params params = {.x = 1};
      EXPECT_STATUS(kvf_launch_reshape_and_cache(NULL, variant, &params), KVF_NOT_BUILT);
      EXPECT_TEXT(kvf_last_error(), variant->symbol);
    }
  }
  EXPECT_STATUS(kvf_prepare(NULL, 0), KVF_NOT_BUILT);
  if (!any) {
    skip_part("this library has every variant");
  }
  count_case(NULL);
}

static void test_resolve_cache_dtype(void) {
  static const struct {
    const char *name;
    kvf_dtype scalar;
    kvf_dtype want; /* KVF_DTYPE_NONE: refused */
  } rows[] = {
      {"auto", KVF_F32, KVF_F32},
      {"auto", KVF_F16, KVF_F16},
      {"auto", KVF_BF16, KVF_BF16},
      {"float32", KVF_F32, KVF_F32},
      {"float16", KVF_F16, KVF_F16},
      {"bfloat16", KVF_BF16, KVF_BF16},
      {"f32", KVF_F32, KVF_F32},
      {"f16", KVF_F16, KVF_F16},
      {"bf16", KVF_BF16, KVF_BF16},
      {"fp8", KVF_F32, KVF_FP8_E4M3},
      {"fp8", KVF_BF16, KVF_FP8_E4M3},
      {"fp8_e4m3", KVF_F16, KVF_FP8_E4M3},
      {"fp8_e5m2", KVF_F32, KVF_FP8_E5M2},
      {"fp8_e5m2", KVF_BF16, KVF_FP8_E5M2},
      {"float16", KVF_BF16, 0},
      {"bfloat16", KVF_F16, 0},
      {"float32", KVF_F16, 0},
      {"f32", KVF_BF16, 0},
      {"bf16", KVF_F32, 0},
      {"", KVF_F32, 0},
      {"Auto", KVF_F32, 0},
      {"fp8_e4m3fn", KVF_F32, 0},
      {"fp8_inc", KVF_F32, 0},
      {"no_such", KVF_F32, 0},
      {"fp8 ", KVF_F32, 0},
      {NULL, KVF_F32, 0},
  };
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    const char *name = rows[i].name ? rows[i].name : "NULL";
    kvf_dtype cache = (kvf_dtype)99;
    const kvf_status status = kvf_resolve_cache_dtype(rows[i].name, rows[i].scalar, &cache);
    if (rows[i].want != KVF_DTYPE_NONE) {
      EXPECT(status == KVF_OK && cache == rows[i].want, "%s with %s: %s", name,
             kvf_dtype_name(rows[i].scalar), kvf_dtype_name(cache));
      continue;
    }
    EXPECT(status == KVF_INVALID_VALUE && (int)cache == 99, "%s with %s: %s, %d", name,
           kvf_dtype_name(rows[i].scalar), kvf_status_name(status), (int)cache);
    EXPECT_TEXT(kvf_last_error(), name);
    EXPECT_TEXT(kvf_last_error(), "want");
  }
  count_case(NULL);
}

/* An unknown kv_cache_dtype is answered with what the op has for the tensors at hand, and no more.
 */
static void test_unknown_cache_dtype(void) {
  static const struct {
    const kvf_op *op;
    kvf_dtype scalar;
    const char *wanted;
  } rows[] = {
      {&kvf_op_reshape_and_cache_flash, KVF_F32,
       "want one of auto, float32, fp8, fp8_e4m3, fp8_e5m2, int8"},
      {&kvf_op_reshape_and_cache_flash, KVF_BF16,
       "want one of auto, bfloat16, fp8, fp8_e4m3, fp8_e5m2, int8"},
      {&kvf_op_reshape_and_cache_flash_nvfp4, KVF_F16, "want one of nvfp4, nvfp4_4over6"},
      {&kvf_op_reshape_and_cache_flash_ggml, KVF_BF16, "want one of q8_0, q4_0"},
      {&kvf_op_concat_and_cache_mla_grouped, KVF_F16,
       "want one of auto, float16, fp8, fp8_e4m3, fp8_e5m2"},
      {&kvf_op_concat_and_cache_mla, KVF_F32,
       "want one of auto, float32, fp8, fp8_e4m3, fp8_e5m2, nvfp4_ds_mla"},
      {&kvf_op_concat_and_cache_mla, KVF_BF16,
       "want one of auto, bfloat16, fp8, fp8_e4m3, fp8_e5m2, fp8_ds_mla_f32, fp8_ds_mla, "
       "nvfp4_ds_mla"},
      {&kvf_op_reshape_and_cache_flash_per_token_head, KVF_F32,
       "want one of int8_per_token_head, fp8_per_token_head, int4_per_token_head, "
       "int8_per_token_head_even"},
  };
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    static const char *const unknown[] = {"fp7", "", NULL};
    for (size_t k = 0; k < TEST_COUNT(unknown); ++k) {
      kvf_check check = kvf_check_begin(rows[i].op, &(kvf_exec){.backend = options.backend});
      EXPECT(kvf_check_variant(&check, unknown[k], rows[i].scalar) == NULL &&
                 check.status == KVF_INVALID_VALUE,
             "%s: %s is taken", rows[i].op->name, unknown[k] ? unknown[k] : "NULL");
      const char *end = strstr(kvf_last_error(), "want one of");
      EXPECT(end != NULL && strcmp(end, rows[i].wanted) == 0, "'%s', want '%s'", kvf_last_error(),
             rows[i].wanted);
      EXPECT(strncmp(kvf_last_error(), rows[i].op->name, strlen(rows[i].op->name)) == 0,
             "%s does not name the op", kvf_last_error());
    }
  }
  count_case(NULL);
}

/* ---- names
 * --------------------------------------------------------------------------------------- */

static void test_names(void) {
  static const char *const statuses[] = {
      "KVF_OK",           "KVF_INVALID_TYPE", "KVF_INVALID_VALUE",
      "KVF_OUT_OF_RANGE", "KVF_UNSUPPORTED",  "KVF_NOT_BUILT",
      "KVF_NO_DEVICE",    "KVF_CUDA_ERROR",   "KVF_OUT_OF_MEMORY"};
  for (int i = 0; i < (int)TEST_COUNT(statuses); ++i) {
    EXPECT(strcmp(kvf_status_name((kvf_status)i), statuses[i]) == 0, "status %d is %s", i,
           kvf_status_name((kvf_status)i));
  }
  EXPECT(strcmp(kvf_status_name((kvf_status)9), "KVF_?") == 0 &&
             strcmp(kvf_status_name((kvf_status)-1), "KVF_?") == 0,
         "a status outside the enum");
  static const char *const isas[] = {"baseline", "avx2", "avx512", "neon"};
  for (int i = 0; i < (int)TEST_COUNT(isas); ++i) {
    EXPECT(strcmp(kvf_isa_name((kvf_isa)i), isas[i]) == 0, "isa %d is %s", i,
           kvf_isa_name((kvf_isa)i));
  }
  EXPECT(strcmp(kvf_isa_name((kvf_isa)4), "?") == 0 && strcmp(kvf_isa_name((kvf_isa)-1), "?") == 0,
         "an isa outside the enum");
#define ROW(enumerator, name, bits, code) {enumerator, name, bits},
  static const struct {
    kvf_dtype dtype;
    const char *name;
    int bits;
  } dtypes[] = {KVF_DTYPES(ROW)};
#undef ROW
  EXPECT(TEST_COUNT(dtypes) == KVF_DTYPE_COUNT - 1 && KVF_F32 == 1 && KVF_F16 == 2 &&
             KVF_BF16 == 3 && KVF_FP8_E4M3 == 4 && KVF_FP8_E5M2 == 5,
         "the values of kvf_dtype are not stable");
  for (size_t i = 0; i < TEST_COUNT(dtypes); ++i) {
    EXPECT(strcmp(kvf_dtype_name(dtypes[i].dtype), dtypes[i].name) == 0 &&
               kvf_dtype_bits(dtypes[i].dtype) == dtypes[i].bits,
           "dtype %s is %s of %d bits", dtypes[i].name, kvf_dtype_name(dtypes[i].dtype),
           kvf_dtype_bits(dtypes[i].dtype));
    EXPECT(kvf_find_dtype(dtypes[i].name) == dtypes[i].dtype, "%s is not found", dtypes[i].name);
  }
  EXPECT(kvf_dtype_bits(KVF_DTYPE_NONE) == 0 && strcmp(kvf_dtype_name(KVF_DTYPE_NONE), "?") == 0,
         "KVF_DTYPE_NONE has a name");
  for (int i = -1; i <= KVF_DTYPE_COUNT; i += KVF_DTYPE_COUNT + 1) {
    EXPECT(strcmp(kvf_dtype_name((kvf_dtype)i), "?") == 0 && kvf_dtype_bits((kvf_dtype)i) == 0,
           "dtype %d", i);
  }
  EXPECT(kvf_find_dtype("float32") == KVF_DTYPE_NONE && kvf_find_dtype("") == KVF_DTYPE_NONE &&
             kvf_find_dtype(NULL) == KVF_DTYPE_NONE,
         "a dtype that is none");
  EXPECT(kvf_abi_version() == KVF_ABI_VERSION && strcmp(kvf_version(), KVF_VERSION) == 0,
         "version %d, %s", kvf_abi_version(), kvf_version());
  const char *wanted = getenv("KVFORGE_ISA");
  if (wanted != NULL && strcmp(wanted, kvf_isa_name(kvf_cpu_isa())) != 0) {
    skip_part("isa %s: not built, or not for this machine", wanted);
  }
  count_case(NULL);
}

/* ---- boxed call
 * ------------------------------------------------------------------------------------ */

static kvf_value boxed_tensor(tensor *view) {
  return (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = tensor_dl(view)};
}

static void fill_boxed(small_call *call, kvf_value values[8]) {
  for (int i = 0; i < 5; ++i) {
    values[i] = boxed_tensor(&call->view[i]);
  }
  values[5] = (kvf_value){.kind = KVF_KIND_STRING,
                          .as.string = kvf_dtype_name(kvf_cache_of(call->variant))};
  values[6] = values[7] = boxed_tensor(&call->view[5]);
}

static void test_boxed_call(void) {
  const kvf_op *op = &kvf_op_reshape_and_cache_flash;
  const kvf_variant *variant = need_backend() ? small_variant(options.backend) : NULL;
  if (variant == NULL) {
    return;
  }
  small_call call;
  small_make(&call, variant, 3, options.seed);
  kvf_value values[10];
  memset(values, 0, sizeof values);
  fill_boxed(&call, values);

  /* Refusals first: they must leave the cache alone for the check at the end. */
  EXPECT_STATUS(kvf_call(op, NULL, values, 10), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "got 10 arguments, want at most 9");
  EXPECT_STATUS(kvf_call(op, NULL, values, -1), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "got -1 arguments");
  for (int count = 0; count < 8; ++count) {
    EXPECT_STATUS(kvf_call(op, NULL, values, count), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), op->arguments[count].name);
    EXPECT_TEXT(kvf_last_error(), "missing");
  }
  EXPECT_STATUS(kvf_call(NULL, NULL, values, 8), KVF_INVALID_VALUE);
  EXPECT_STATUS(kvf_call(op, NULL, NULL, 8), KVF_INVALID_VALUE);
  static const kvf_kind kinds[] = {KVF_KIND_NONE,   KVF_KIND_TENSOR, KVF_KIND_TENSOR_LIST,
                                   KVF_KIND_INT,    KVF_KIND_FLOAT,  KVF_KIND_BOOL,
                                   KVF_KIND_STRING, (kvf_kind)77};
  static const char *const kind_names[] = {"None",  "Tensor", "Tensor[]", "int",
                                           "float", "bool",   "str",      "?"};
  for (int i = 0; i < 8; ++i) {
    for (size_t k = 0; k < TEST_COUNT(kinds); ++k) {
      if (kinds[k] == op->arguments[i].kind) {
        continue;
      }
      kvf_value wrong[8];
      memcpy(wrong, values, sizeof wrong);
      wrong[i] = (kvf_value){.kind = kinds[k]};
      char want[128];
      (void)snprintf(want, sizeof want, "%s: got %s, want %s", op->arguments[i].name, kind_names[k],
                     op->arguments[i].type);
      EXPECT_STATUS(kvf_call(op, NULL, wrong, 8), KVF_INVALID_TYPE);
      EXPECT_TEXT(kvf_last_error(), want);
    }
  }
  EXPECT_STATUS(kvf_call(op, NULL, values, 8), KVF_OK);
  const char *wrong = memory_synchronize(variant->backend);
  EXPECT(wrong == NULL, "%s", wrong);
  EXPECT(small_check(&call), "%s through the boxed call: wrong bytes", variant->symbol);
  small_free(&call);
  count_case(variant);
}

static kvf_value seen[4];
static kvf_status note_values(const kvf_exec *exec, const kvf_value *values) {
  (void)exec;
  memcpy(seen, values, sizeof seen);
  return KVF_OK;
}

/* Defaults and coercions, on an op of the test's own: no op of the library has numbers yet. */
static void test_boxed_defaults(void) {
  static const kvf_argument arguments[] = {
      {.name = "count", .type = "int", .doc = "-", .kind = KVF_KIND_INT},
      {.name = "ratio",
       .type = "float",
       .doc = "-",
       .kind = KVF_KIND_FLOAT,
       .has_default = true,
       .default_value = {.kind = KVF_KIND_FLOAT, .as.number = 0.25}},
      {.name = "mask",
       .type = "Tensor?",
       .doc = "-",
       .kind = KVF_KIND_TENSOR,
       .optional = true,
       .has_default = true,
       .default_value = {.kind = KVF_KIND_NONE}},
      {.name = "flag",
       .type = "bool",
       .doc = "-",
       .kind = KVF_KIND_BOOL,
       .has_default = true,
       .default_value = {.kind = KVF_KIND_BOOL, .as.boolean = true}},
  };
  static const kvf_op op = {.name = "own",
                            .ns = "test",
                            .schema = "own(int count, ...) -> ()",
                            .doc = "-",
                            .arguments = arguments,
                            .num_arguments = 4,
                            .call = note_values};
  kvf_value values[4] = {{.kind = KVF_KIND_INT, .as.integer = 7}};
  EXPECT_STATUS(kvf_call(&op, NULL, values, 1), KVF_OK);
  EXPECT(seen[0].as.integer == 7 && seen[1].as.number == 0.25 && seen[2].kind == KVF_KIND_NONE &&
             seen[3].as.boolean,
         "defaults are not filled in");
  values[0] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = true};
  values[1] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = -3};
  EXPECT_STATUS(kvf_call(&op, NULL, values, 2), KVF_OK);
  EXPECT(seen[0].kind == KVF_KIND_INT && seen[0].as.integer == 1 &&
             seen[1].kind == KVF_KIND_FLOAT && seen[1].as.number == -3.0,
         "a bool for an int, an int for a float");
  values[0] = (kvf_value){.kind = KVF_KIND_FLOAT, .as.number = 1.0};
  EXPECT_STATUS(kvf_call(&op, NULL, values, 2), KVF_INVALID_TYPE);
  EXPECT_TEXT(kvf_last_error(), "own: count: got float, want int");
  values[0] = (kvf_value){.kind = KVF_KIND_INT};
  values[1] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = true};
  EXPECT_STATUS(kvf_call(&op, NULL, values, 2), KVF_INVALID_TYPE);
  values[1] = (kvf_value){.kind = KVF_KIND_NONE};
  EXPECT_STATUS(kvf_call(&op, NULL, values, 2), KVF_INVALID_TYPE);
  values[0] = (kvf_value){.kind = KVF_KIND_NONE};
  EXPECT_STATUS(kvf_call(&op, NULL, values, 1), KVF_INVALID_TYPE);
  EXPECT_TEXT(kvf_last_error(), "own: count: got None, want int");
  EXPECT_STATUS(kvf_call(&op, NULL, NULL, 0), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "own: count is missing");
  count_case(NULL);
}

/* ---- threads
 * ------------------------------------------------------------------------------------- */

enum { THREADS = 8 };

typedef struct worker {
  pthread_t thread;
  int number;
  bool good;
  char message[256];
} worker;

static void *fail_once(void *argument) {
  worker *self = argument;
  char name[32];
  self->good = kvf_last_error()[0] == '\0';
  (void)snprintf(name, sizeof name, "op_of_thread_%d", self->number);
  for (int i = 0; i < 1000; ++i) {
    self->good = kvf_find_op(name) == NULL && strstr(kvf_last_error(), name) != NULL && self->good;
  }
  return NULL;
}

static void test_error_per_thread(void) {
  worker workers[THREADS];
  (void)kvf_find_op("op_of_main");
  for (int i = 0; i < THREADS; ++i) {
    workers[i] = (worker){.number = i};
    (void)pthread_create(&workers[i].thread, NULL, fail_once, &workers[i]);
  }
  for (int i = 0; i < THREADS; ++i) {
    (void)pthread_join(workers[i].thread, NULL);
    EXPECT(workers[i].good, "thread %d saw another thread's error", i);
  }
  EXPECT_TEXT(kvf_last_error(), "op_of_main");
  count_case(NULL);
}

static small_call calls[THREADS];
static pthread_barrier_t all_ready;
static void *worker_context;

/* Everything from the first call of the library on, at the same time as seven others. */
static void *call_often(void *argument) {
  worker *self = argument;
  small_call *call = &calls[self->number];
  const bool on_cuda = call->variant->backend == KVF_CUDA;
  self->good = !on_cuda || cuda.context_set(worker_context) == 0;
  (void)pthread_barrier_wait(&all_ready);
  for (int i = 0; i < 50 && self->good; ++i) {
    const kvf_status status = small_run(call);
    self->good = status == KVF_OK;
    if (!self->good) {
      (void)snprintf(self->message, sizeof self->message, "%s: %s", kvf_status_name(status),
                     kvf_last_error());
    }
  }
  return NULL;
}

static void run_workers(int64_t tokens) {
  const kvf_op *op = &kvf_op_reshape_and_cache_flash;
  worker workers[THREADS];
  int made = 0;
  if (options.backend == KVF_CUDA) {
    EXPECT(cuda.context_current(&worker_context) == 0, "no context");
  }
  for (int i = 0; i < 4 * op->num_variants && made < THREADS; ++i) {
    const kvf_variant *variant = &op->variants[i % op->num_variants];
    /* kvf_variant_built() would be a first use; a variant that is not built fails the call. */
    if (variant->backend == options.backend &&
        (variant->backend == KVF_CPU || kvf_variant_built(variant))) {
      small_make(&calls[made++], variant, tokens, options.seed + (uint64_t)i);
    }
  }
  if (made < THREADS) {
    skip_part("no variant is built");
  }
  (void)pthread_barrier_init(&all_ready, NULL, (unsigned)(made ? made : 1));
  for (int i = 0; i < made; ++i) {
    workers[i] = (worker){.number = i};
    (void)pthread_create(&workers[i].thread, NULL, call_often, &workers[i]);
  }
  for (int i = 0; i < made; ++i) {
    (void)pthread_join(workers[i].thread, NULL);
  }
  const char *wrong = memory_synchronize(options.backend);
  EXPECT(wrong == NULL, "%s", wrong);
  for (int i = 0; i < made; ++i) {
    if (strstr(workers[i].message, "not built") != NULL) {
      skip_part("%s is not built", calls[i].variant->symbol);
    } else {
      EXPECT(workers[i].good, "thread %d: %s", i, workers[i].message);
      EXPECT(small_check(&calls[i]), "thread %d: %s: wrong bytes", i, calls[i].variant->symbol);
    }
    small_free(&calls[i]);
    count_case(NULL);
  }
  (void)pthread_barrier_destroy(&all_ready);
}

static void test_threads(void) {
  if (need_backend()) {
    run_workers(20);
    run_workers(options.backend == KVF_CPU ? 700 : 33); /* large enough for a team of threads */
  }
}

/* The children inherit KVFORGE_LIBCUDA; the variable given here only says which child it is. */
static void test_first_use(void) {
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < 5; ++i) {
    const char number[2] = {(char)('0' + i), '\0'};
    run_alone("first_use", "KVFORGE_TEST_CHILD", number);
  }
}

static void test_missing_driver(void) {
  run_alone("missing_driver", "KVFORGE_LIBCUDA", "/nonexistent/libcuda.so.1");
  run_alone("missing_driver", "KVFORGE_LIBCUDA", "libm.so.6"); /* opens, but is no driver */
  run_alone("unnamed_driver", "KVFORGE_LIBCUDA", "");
  if (options.backend == KVF_CUDA && memory_open(KVF_CUDA) == NULL && cuda.reset != NULL) {
    run_alone("missing_driver", "KVF_EMULATED_DEVICES", "0");
  }
}

static void test_module(void) { run_alone("module", "KVFORGE_TEST_CHILD", "0"); }

static void test_race_to_first_use(void) {
  if (need_backend()) {
    run_workers(20);
  }
}

CU_TestInfo first_use_tests[] = {
    {"eight threads race to the first call", test_race_to_first_use},
    CU_TEST_INFO_NULL,
};

CU_TestInfo dispatch_tests[] = {
    {"registry", test_registry},
    {"symbols", test_symbols},
    {"select", test_select},
    {"what is not built", test_not_built},
    {"kv_cache_dtype", test_resolve_cache_dtype},
    {"unknown kv_cache_dtype", test_unknown_cache_dtype},
    {"names and versions", test_names},
    {"boxed call", test_boxed_call},
    {"boxed defaults and coercions", test_boxed_defaults},
    {"an error for each thread", test_error_per_thread},
    {"eight threads", test_threads},
    {"first use", test_first_use},
    {"missing driver", test_missing_driver},
    {"modules", test_module},
    CU_TEST_INFO_NULL,
};
