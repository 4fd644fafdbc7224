/* kv_checksum: every digest against one made by the formulas, and those that xxHash itself gives.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "operands.h"
#include "writer.h"
#include "xxh3.h"

#define OP (&kvf_op_kv_checksum)

enum { WIRE, UNIT, SUMS, EXPECTED, MISMATCHES };

/* What is compared, and what the last unit that is wrong has. */
enum { NOTHING, ALL_RIGHT, ONE_BIT, ONE_OTHER, SWAPPED, ALL_WRONG, COMPARISONS };

typedef struct case_of {
  int64_t kibibytes, unit_kibibytes;
  int64_t step; /* between elements of sums */
  int comparison;
  int entry;
  bool with_exec;
  uint64_t seed;
} case_of;

static int64_t units_of(const case_of *what) {
  return (what->kibibytes + what->unit_kibibytes - 1) / what->unit_kibibytes;
}

static uint64_t digest_of(const op_call *call, const case_of *what, int64_t unit) {
  const int64_t first = 1024 * unit * what->unit_kibibytes;
  const int64_t rest = 1024 * what->kibibytes - first;
  const int64_t whole = 1024 * what->unit_kibibytes;
  return oracle_xxh3(operand_at(&call->operands[WIRE], first, 0, 0, 0),
                     rest < whole ? rest : whole);
}

static void build(op_call *call, const void *context) {
  const case_of *what = context;
  *call = (op_call){.op = OP, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  const DLDataType bytes = {kDLUInt, 8, 1};
  const DLDataType i32 = {kDLInt, 32, 1};
  const DLDataType i64 = {kDLInt, 64, 1};
  const int64_t size = 1024 * what->kibibytes;
  const int64_t one = 1;
  const int64_t units = units_of(what);
  operand_make(call, WIRE, bytes, 1, &size, &one, 0, 64, what->seed);
  call->values[UNIT] = (kvf_value){.kind = KVF_KIND_INT, .as.integer = 1024 * what->unit_kibibytes};
  operand_make(call, SUMS, i64, 1, &units, &what->step, 8, 64, what->seed + 1);
  if (what->comparison == NOTHING) {
    call->values[EXPECTED] = call->values[MISMATCHES] = (kvf_value){.kind = KVF_KIND_NONE};
    return;
  }
  operand_make(call, EXPECTED, i64, 1, &units, &what->step, 0, 64, what->seed + 2);
  operand_make(call, MISMATCHES, i32, 1, &one, &one, 4, 64, what->seed + 3);
  operand_put_index(&call->operands[MISMATCHES], 0, 0, 7); /* what others have counted */
  for (int64_t unit = 0; unit < units; ++unit) {
    operand_put_index(&call->operands[EXPECTED], unit, 0, (int64_t)digest_of(call, what, unit));
  }
}

/* Changes the wire behind its expected digests, or one of these. */
static void change(const op_call *call, const case_of *what) {
  const int64_t units = units_of(what);
  const int64_t size = 1024 * what->kibibytes;
  const int64_t unit_bytes = 1024 * what->unit_kibibytes;
  if (units > 0 && what->comparison == ONE_BIT) {
    *operand_at(&call->operands[WIRE], size - 1 - (int64_t)(what->seed % 1024), 0, 0, 0) ^= 0x10;
  } else if (units > 0 && what->comparison == ONE_OTHER) {
    operand_put_index(&call->operands[EXPECTED], units / 2, 0,
                      operand_get_index(&call->operands[EXPECTED], units / 2, 0) ^
                          INT64_MIN); /* the uppermost bit alone */
  } else if (units > 2 && what->comparison == SWAPPED) {
    for (int64_t i = 0; i < unit_bytes; ++i) {
      uint8_t *a = operand_at(&call->operands[WIRE], i, 0, 0, 0);
      uint8_t *b = operand_at(&call->operands[WIRE], i + unit_bytes, 0, 0, 0);
      const uint8_t kept = *a;
      *a = *b;
      *b = kept;
    }
  } else if (what->comparison == ALL_WRONG) {
    for (int64_t i = 0; i < size; i += 1024) {
      *operand_at(&call->operands[WIRE], i, 0, 0, 0) ^= 1;
    }
  }
}

static void expect_sums(const op_call *call, const case_of *what) {
  const int64_t units = units_of(what);
  int64_t wrong = 0;
  for (int64_t unit = 0; unit < units; ++unit) {
    const int64_t sum = (int64_t)digest_of(call, what, unit);
    operand_put_index(&call->operands[SUMS], unit, 0, sum);
    wrong +=
        what->comparison != NOTHING && operand_get_index(&call->operands[EXPECTED], unit, 0) != sum;
  }
  const int64_t wanted = what->comparison == NOTHING || what->comparison == ALL_RIGHT ? 0
                         : what->comparison == ALL_WRONG                              ? units
                         : what->comparison == SWAPPED ? 2 * (units > 2)
                                                       : units > 0;
  EXPECT(wrong == wanted, "the oracle finds %lld units that differ, want %lld", (long long)wrong,
         (long long)wanted);
  if (what->comparison != NOTHING) {
    operand_put_index(&call->operands[MISMATCHES], 0, 0, 7 + wrong);
  }
}

static kvf_status typed(const kvf_exec *exec, const kvf_value *values) {
  return kvf_kv_checksum(exec, values[WIRE].as.tensor, values[UNIT].as.integer,
                         (DLTensor *)values[SUMS].as.tensor, values[EXPECTED].as.tensor,
                         (DLTensor *)values[MISMATCHES].as.tensor);
}

static kvf_kv_checksum_params params_of(const op_call *call, const case_of *what) {
  kvf_kv_checksum_params params = {
      .wire = operand_view(&call->operands[WIRE]),
      .sums = operand_view(&call->operands[SUMS]),
      .num_bytes = 1024 * what->kibibytes,
      .unit_bytes = 1024 * what->unit_kibibytes,
  };
  if (what->comparison != NOTHING) {
    params.expected = operand_view(&call->operands[EXPECTED]);
    params.mismatches = operand_view(&call->operands[MISMATCHES]);
  }
  return params;
}

static void run(const case_of *what) {
  char name[120];
  (void)snprintf(name, sizeof name, "%lld KiB in units of %lld, comparison %d, entry %d, seed %llu",
                 (long long)what->kibibytes, (long long)what->unit_kibibytes, what->comparison,
                 what->entry, (unsigned long long)what->seed);
  op_call call;
  vary_order(what->seed);
  build(&call, what);
  change(&call, what);
  op_call_upload(&call);
  expect_sums(&call, what);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  const kvf_kv_checksum_params params = params_of(&call, what);
  const uint64_t before = faults_before(options.backend);
  const kvf_status status = what->entry == ENTRY_RAW
                                ? kvf_launch_kv_checksum(call.given_exec, variant, &params)
                                : op_call_invoke(&call, what->entry == ENTRY_TYPED ? typed : NULL);
  (void)expect_done(options.backend, status, before, 0, name);
  (void)op_call_verify(&call, name);
  op_call_free(&call);
  count_case(variant);
}

static void test_matrix(void) {
  static const int64_t sizes[] = {0, 1, 2, 3, 4, 5, 8, 9, 16, 17, 33, 130};
  static const int64_t units[] = {1, 2, 3, 5, 16, 200};
  if (!need_backend()) {
    return;
  }
  const covering plan = {
      .num_axes = 6, .sizes = {TEST_COUNT(sizes), TEST_COUNT(units), 2, COMPARISONS, ENTRIES, 2}};
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    run(&(case_of){.kibibytes = sizes[value[0]],
                   .unit_kibibytes = units[value[1]],
                   .step = 1 + value[2],
                   .comparison = value[3],
                   .entry = value[4],
                   .with_exec = value[5],
                   .seed = options.seed + (uint64_t)i});
  }
  free(rows);
}

/* More units than a launch has warps at once, and than a thread is given. */
static void test_large(void) {
  if (need_backend()) {
    run(&(case_of){.kibibytes = options.backend == KVF_CPU ? 9000 : 900,
                   .unit_kibibytes = 1,
                   .step = 1,
                   .comparison = ALL_WRONG,
                   .seed = 11});
  }
}

/* What xxHash's own library gives for byte i = (131 * i + 7) mod 256. */
static void test_vectors(void) {
  static const struct {
    int64_t kibibytes;
    uint64_t digest;
  } vectors[] = {{1, 0x70bd377d9574f4bb},
                 {2, 0x8b46caa67dab3a30},
                 {4, 0x9ddd66c14af0daff},
                 {16, 0x2e11ed225e784eea}};
  for (size_t i = 0; need_backend() && i < TEST_COUNT(vectors); ++i) {
    const case_of what = {.kibibytes = vectors[i].kibibytes, .unit_kibibytes = 16, .step = 1};
    op_call call;
    build(&call, &what);
    for (int64_t k = 0; k < 1024 * what.kibibytes; ++k) {
      *operand_at(&call.operands[WIRE], k, 0, 0, 0) = (uint8_t)(131 * k + 7);
    }
    op_call_upload(&call);
    operand_put_index(&call.operands[SUMS], 0, 0, (int64_t)vectors[i].digest);
    const uint64_t before = faults_before(options.backend);
    (void)expect_done(options.backend, op_call_invoke(&call, typed), before, 0, "a vector");
    (void)op_call_verify(&call, "a vector");
    EXPECT(digest_of(&call, &what, 0) == vectors[i].digest, "the oracle is wrong");
    op_call_free(&call);
    count_case(kvf_select(OP, options.backend, KVF_B8));
  }
}

static const case_of small = {
    .kibibytes = 5, .unit_kibibytes = 2, .step = 1, .comparison = ALL_RIGHT, .seed = 7};

#define VALUE_ KVF_INVALID_VALUE
#define TYPE KVF_INVALID_TYPE

/* clang-format off */
static const bad_argument bad[] = {
  {"no wire", ON_BOTH, "wire", SPOIL_NULL, 0, 0, NULL, VALUE_, "wire", "NULL", "want a tensor"},
  {"wire of int8", ON_BOTH, "wire", SPOIL_DTYPE, kDLInt, 8, NULL, TYPE, "wire", "dtype is int8", "want uint8"},
  {"wire with gaps", ON_BOTH, "wire", SPOIL_STRIDE, 0, 2, NULL, VALUE_, "wire", "(bytes) is 2", "want 1"},
  {"wire of an odd size", ON_BOTH, "wire", SPOIL_SIZE, 0, 5000, NULL, VALUE_, "wire", "5000 bytes", "multiple of 1024"},
  {"wire at an odd address", ON_BOTH, "wire", SPOIL_SHIFT, 0, 8, NULL, VALUE_, "wire", "address", "multiple of 16"},
  {"wire on CUDA", ON_CPU, "wire", SPOIL_DEVICE, kDLCUDA, 0, NULL, TYPE, "sums", "on the CPU", "want CUDA device 0"},
  {"units of 0 bytes", ON_BOTH, "unit_bytes", SPOIL_INT, 0, 0, NULL, VALUE_, "unit_bytes", "got 0", "multiple of 1024"},
  {"units of an odd size", ON_BOTH, "unit_bytes", SPOIL_INT, 0, 1500, NULL, VALUE_, "unit_bytes", "got 1500", "multiple of 1024"},
  {"units of less than nothing", ON_BOTH, "unit_bytes", SPOIL_INT, 0, -1024, NULL, VALUE_, "unit_bytes", "got -1024", "multiple of 1024"},
  {"too few sums", ON_BOTH, "sums", SPOIL_SIZE, 0, 2, NULL, VALUE_, "sums", "is 2", "want 3"},
  {"sums of int32", ON_BOTH, "sums", SPOIL_DTYPE, kDLInt, 32, NULL, TYPE, "sums", "dtype is int32", "want int64"},
  {"sums in one place", ON_BOTH, "sums", SPOIL_STRIDE, 0, 0, NULL, VALUE_, "sums", "is 0", "do not overlap"},
  {"expected of other units", ON_BOTH, "expected", SPOIL_SIZE, 0, 1, NULL, VALUE_, "expected", "is 1", "want 3"},
  {"nothing expected", ON_BOTH, "expected", SPOIL_NULL, 0, 0, NULL, VALUE_, "expected", "NULL", "want a tensor"},
  {"nowhere to count", ON_BOTH, "mismatches", SPOIL_NULL, 0, 0, NULL, VALUE_, "mismatches", "NULL", "want a tensor"},
  {"mismatches of int64", ON_BOTH, "mismatches", SPOIL_DTYPE, kDLInt, 64, NULL, TYPE, "mismatches", "dtype is int64", "want int32"},
  {"two mismatches", ON_BOTH, "mismatches", SPOIL_SIZE, 0, 2, NULL, VALUE_, "mismatches", "is 2", "want 1"},
};
/* clang-format on */

static void test_bad_arguments(void) {
  if (need_backend()) {
    op_call_test_bad(build, &small, typed, bad, TEST_COUNT(bad));
    op_call_test_overlap(build, &small, typed, "sums", "wire");
    op_call_test_overlap(build, &small, typed, "sums", "expected");
    op_call_test_overlap(build, &small, typed, "mismatches", "wire");
    op_call_test_overlap(build, &small, typed, "mismatches", "sums");
  }
}

/* The raw launch refuses what it can see. */
static void test_bad_params(void) {
  if (!need_backend()) {
    return;
  }
  op_call call;
  build(&call, &small);
  op_call_upload(&call);
  const kvf_kv_checksum_params good = params_of(&call, &small);
  const kvf_variant *variant = kvf_select(OP, options.backend, KVF_B8);
  struct {
    kvf_kv_checksum_params params;
    const char *member;
  } rows[] = {{good, "wire"},       {good, "wire: address"},   {good, "sums"},
              {good, "mismatches"}, {good, "wire: has -1024"}, {good, "wire: has 100"},
              {good, "unit_bytes"}};
  rows[0].params.wire.data = NULL;
  rows[1].params.wire.data = (uint8_t *)good.wire.data + 4;
  rows[2].params.sums.data = NULL;
  rows[3].params.mismatches.data = NULL;
  rows[4].params.num_bytes = -1024;
  rows[5].params.num_bytes = 100;
  rows[6].params.unit_bytes = 0;
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    EXPECT_STATUS(kvf_launch_kv_checksum(NULL, variant, &rows[i].params), VALUE_);
    EXPECT_TEXT(kvf_last_error(), rows[i].member);
    count_case(NULL);
  }
  (void)op_call_verify(&call, "bad params");
  op_call_free(&call);
}

CU_TestInfo kv_checksum_tests[] = {
    {"every pair of axis values", test_matrix},
    {"large calls", test_large},
    {"the digests of xxHash", test_vectors},
    {"bad arguments", test_bad_arguments},
    {"bad params", test_bad_params},
    CU_TEST_INFO_NULL,
};
