/* The registry and the dispatch table: finding ops and variants, and saying why there is none. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "kvforge/op.h"
#include "core/registry.h"

int32_t kvf_abi_version(void) { return KVF_ABI_VERSION; }

const char *kvf_version(void) { return KVF_VERSION; }

static bool has_name(const kvf_op *op, const char *name) {
  const size_t length = strlen(op->ns);
  if (strncmp(name, op->ns, length) == 0 && strncmp(name + length, "::", 2) == 0) {
    name += length + 2;
  }
  return strcmp(name, op->name) == 0;
}

enum { NAME_SIZE = 128, NUM_NEAREST = 3 };

/* How many letters to insert, delete or replace between two names; of longer ones, their
 * beginnings.
 */
static int edits(const char *a, const char *b) {
  const int columns = (int)strnlen(b, NAME_SIZE - 1);
  int row[NAME_SIZE];
  for (int k = 0; k <= columns; ++k) {
    row[k] = k;
  }
  for (int i = 0; i < NAME_SIZE - 1 && a[i] != '\0'; ++i) {
    int diagonal = row[0];
    row[0] = i + 1;
    for (int k = 0; k < columns; ++k) {
      const int replaced = diagonal + (a[i] != b[k]);
      const int moved = (row[k] < row[k + 1] ? row[k] : row[k + 1]) + 1;
      diagonal = row[k + 1];
      row[k + 1] = replaced < moved ? replaced : moved;
    }
  }
  return row[columns];
}

/* The full names of the ops that are called most like this, whatever the namespace. */
static void add_nearest(const char *name, kvf_text *text) {
  const char *behind = strstr(name, "::");
  const char *bare = behind != NULL ? behind + 2 : name;
  const kvf_op *nearest[NUM_NEAREST];
  int distance[NUM_NEAREST];
  int count = 0;
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    const int edited = edits(bare, op->name);
    int at = count;
    while (at > 0 && edited < distance[at - 1]) {
      --at;
    }
    count = count < NUM_NEAREST ? count + 1 : count;
    for (int k = count - 1; k > at; --k) {
      nearest[k] = nearest[k - 1];
      distance[k] = distance[k - 1];
    }
    if (at < count) {
      nearest[at] = op;
      distance[at] = edited;
    }
  }
  for (int k = 0; k < count; ++k) {
    char full[NAME_SIZE];
    (void)snprintf(full, sizeof full, "%s::%s", nearest[k]->ns, nearest[k]->name);
    kvf_text_add(text, full);
  }
}

const kvf_op *kvf_find_op(const char *name) {
  if (name == NULL) {
    kvf_error(KVF_INVALID_VALUE, "kvf_find_op: name: got NULL, want the name of an op");
    return NULL;
  }
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    if (has_name(kvf_get_op(i), name)) {
      return kvf_get_op(i);
    }
  }
  kvf_text nearest = {.length = 0};
  add_nearest(name, &nearest);
  kvf_error(KVF_INVALID_VALUE,
            "kvf_find_op: name: got '%.200s', which is no op; the nearest are %s", name,
            nearest.data);
  return NULL;
}

static inline bool is_built(const kvf_variant *variant) {
  if (variant->backend == KVF_CPU) {
    return kvf_cpu_code(variant) != NULL;
  }
  return variant->image == NULL ||
         atomic_load_explicit(&variant->image->fatbin, memory_order_acquire) != NULL;
}

bool kvf_variant_built(const kvf_variant *variant) { return variant != NULL && is_built(variant); }

const kvf_variant *kvf_find_variant(const char *symbol) {
  for (int32_t i = 0; symbol != NULL && i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    for (int32_t j = 0; j < op->num_variants; ++j) {
      if (strcmp(op->variants[j].symbol, symbol) == 0) {
        return &op->variants[j];
      }
    }
  }
  return NULL;
}

static const char *backend_name(kvf_backend backend) {
  return backend == KVF_CPU ? "cpu" : backend == KVF_CUDA ? "cuda" : "?";
}

const char *kvf_axis_text(const kvf_axis *axis, int64_t value, char *text, size_t size) {
  if (axis == NULL || text == NULL || size == 0) {
    return "?";
  }
  if (value == KVF_OTHER) {
    (void)snprintf(text, size, "other");
  } else if (axis->kind == KVF_AXIS_DTYPE) {
    const bool known = value >= 0 && value < KVF_DTYPE_COUNT;
    (void)snprintf(text, size, "%s", kvf_dtype_name(known ? (kvf_dtype)value : KVF_DTYPE_NONE));
  } else if (axis->kind == KVF_AXIS_WORD && value >= 0 && value < axis->num_values) {
    (void)snprintf(text, size, "%s", axis->words[value]);
  } else if (axis->kind == KVF_AXIS_FLAG) {
    (void)snprintf(text, size, "%s", value ? "true" : "false");
  } else {
    (void)snprintf(text, size, "%" PRId64, value);
  }
  return text;
}

/* The cell of a call, from an index for each axis; -1 where the spec has none. */
static inline int32_t find_cell(const kvf_op *op, kvf_backend backend, const int64_t *values,
                                int32_t count) {
  if ((unsigned)backend >= KVF_BACKEND_COUNT || count != op->num_axes) {
    return -1;
  }
  int32_t cell = (int32_t)backend * op->num_cells;
  int32_t none = 0;
  for (int32_t i = 0; i < count; ++i) {
    const kvf_axis *axis = &op->axes[i];
    const uint64_t at = (uint64_t)values[i] - (uint64_t)axis->first;
    const int32_t offset = at < (uint64_t)axis->span ? axis->offsets[at]
                           : values[i] < axis->first ? axis->below
                                                     : axis->above;
    cell += offset;
    none |= offset;
  }
  return none < 0 ? -1 : cell;
}

/* The most special row for a call; NULL where none serves it. */
static inline const kvf_variant *find_row(const kvf_op *op, int32_t cell) {
  const int32_t row = cell >= 0 ? op->cells[cell] : -1;
  return row >= 0 ? &op->variants[row] : NULL;
}

/* The rows that serve it too, the more special first, -1 behind the last. */
static const int16_t *find_rest(const kvf_op *op, int32_t cell) {
  static const int16_t none[] = {-1};
  return op->rest != NULL && cell >= 0 && op->rest[cell] >= 0 ? &op->chains[op->rest[cell]] : none;
}

/* ---- saying why there is nothing to run; off the hot path
 * ------------------------------------------------------ */

/* Whether a combination of the spec, a row or an exclusion, is for a call. */
static bool serves(const kvf_op *op, const int64_t *row, const int64_t *values) {
  for (int32_t i = 0; i < op->num_axes; ++i) {
    const bool newer = op->axes[i].kind == KVF_AXIS_ARCH && row[i] <= values[i];
    if (row[i] != values[i] && row[i] != KVF_OTHER && !newer) {
      return false;
    }
  }
  return true;
}

/* "bf16/fp8_e4m3": the values of a row. */
static void add_values(const kvf_op *op, const int64_t *values, kvf_text *text) {
  char row[256] = "";
  for (int32_t i = 0; i < op->num_axes; ++i) {
    char value[64];
    const size_t length = strlen(row);
    (void)snprintf(row + length, sizeof row - length, "%s%s", i > 0 ? "/" : "",
                   kvf_axis_text(&op->axes[i], values[i], value, sizeof value));
  }
  kvf_text_add(text, row);
}

/* The names of the axes, "scalar/tile", and the values of what is built, "bf16/64, bf16/128". */
static void add_built(const kvf_op *op, kvf_backend backend, kvf_text *axes, kvf_text *built) {
  for (int32_t i = 0; i < op->num_axes; ++i) {
    const size_t room = sizeof axes->data - axes->length;
    const int length =
        snprintf(axes->data + axes->length, room, "%s%s", i > 0 ? "/" : "", op->axes[i].name);
    axes->length += (size_t)length < room ? (size_t)length : 0;
  }
  for (int32_t i = 0; i < op->num_variants; ++i) {
    if (op->variants[i].backend == backend && kvf_variant_built(&op->variants[i])) {
      add_values(op, op->variants[i].values, built);
    }
  }
  if (built->length == 0) {
    kvf_text_add(built, "nothing");
  }
}

/* What is missing, "A, nor B" with the variants that would serve instead of A, and how to get it.
 */
static kvf_status not_built(const kvf_variant *row, const char *nor, const char *others) {
  const kvf_op *op = row->op;
  kvf_text axes = {.length = 0};
  kvf_text built = {.length = 0};
  add_built(op, row->backend, &axes, &built);
  char level[160] = "";
  if (row->backend == KVF_CPU) {
    kvf_cpu_lack(row, level, sizeof level);
  }
  return kvf_error(
      KVF_NOT_BUILT,
      "%s: %s is not built into this library%s%s%s; for this op on %s it has (%s) %s; configure.py "
      "with %sthese axis values builds it, and so does kvforge.build_variant() in Python, or "
      "KVFORGE_JIT=1 in its environment",
      op->name, row->symbol, level, nor, others, backend_name(row->backend), axes.data, built.data,
      row->backend == KVF_CUDA ? "a CUDA compiler and " : "");
}

kvf_status kvf_not_built(const kvf_variant *variant) { return not_built(variant, "", ""); }

/* "scalar dtype bf16 with tile 64, order forward": the values of a call. */
static void describe(const kvf_op *op, const int64_t *values, char *text, size_t size) {
  text[0] = '\0';
  for (int32_t i = 0; i < op->num_axes; ++i) {
    const kvf_axis *axis = &op->axes[i];
    char value[64];
    const size_t length = strlen(text);
    (void)snprintf(text + length, size - length, "%s%s%s %s",
                   i == 0   ? ""
                   : i == 1 ? " with "
                            : ", ",
                   axis->name, axis->kind == KVF_AXIS_DTYPE ? " dtype" : "",
                   kvf_axis_text(axis, values[i], value, sizeof value));
  }
}

static bool same_axes(const kvf_op *a, const kvf_op *b) {
  bool same = a->num_axes == b->num_axes;
  for (int32_t i = 0; same && i < a->num_axes; ++i) {
    same = a->axes[i].kind == b->axes[i].kind && strcmp(a->axes[i].name, b->axes[i].name) == 0;
  }
  return same;
}

/* The ops with the same axes that serve the call. */
static void add_ops_with(const kvf_op *op, kvf_backend backend, const int64_t *values,
                         kvf_text *text) {
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *other = kvf_get_op(i);
    if (same_axes(op, other) &&
        find_row(other, find_cell(other, backend, values, other->num_axes)) != NULL) {
      kvf_text_add(text, other->name);
    }
  }
}

/* The spec has nothing for the call. */
static void unsupported(const kvf_op *op, kvf_backend backend, const int64_t *values) {
  char call[512];
  describe(op, values, call, sizeof call);
  for (int32_t i = 0; i < op->num_exclusions; ++i) {
    if (serves(op, op->exclusions[i].values, values)) {
      kvf_error(KVF_UNSUPPORTED, "%s: %s is excluded: %s", op->name, call,
                op->exclusions[i].reason);
      return;
    }
  }
  kvf_text others = {.length = 0};
  kvf_text axes = {.length = 0};
  kvf_text built = {.length = 0};
  add_ops_with(op, backend, values, &others);
  add_built(op, backend, &axes, &built);
  kvf_error(KVF_UNSUPPORTED, "%s: no variant for %s on %s%s%s; built ones (%s) are %s", op->name,
            call, backend_name(backend), others.length ? ", which is for " : "", others.data,
            axes.data, built.data);
}

static void explain(const kvf_op *op, kvf_backend backend, const int64_t *values, int32_t count) {
  if (count != op->num_axes) {
    kvf_error(KVF_INVALID_VALUE, "%s: kvf_select: got %d values, want one for each of its %d axes",
              op->name, count, op->num_axes);
    return;
  }
  const int32_t cell = find_cell(op, backend, values, count);
  const kvf_variant *variant = find_row(op, cell);
  if (variant == NULL) {
    unsupported(op, backend, values);
    return;
  }
  kvf_text others = {.length = 0};
  for (const int16_t *row = find_rest(op, cell); *row >= 0; ++row) {
    kvf_text_add(&others, op->variants[*row].symbol);
  }
  (void)not_built(variant, others.length ? ", nor is what would serve instead, " : "", others.data);
}

/* ---- choosing
 * ------------------------------------------------------------------------------------ */

static _Atomic(const kvf_builder *) builder; /* NULL: none */

void kvf_set_builder(const kvf_builder *asked) {
  atomic_store(&builder, asked != NULL && asked->build != NULL ? asked : NULL);
}

static bool is_built_now(const kvf_variant *variant, const kvf_builder *asked) {
  return is_built(variant) ||
         (asked != NULL && asked->build(asked->context, variant->symbol) && is_built(variant));
}

/* What runs of the rows of a cell behind the first, which is not built. */
static const kvf_variant *next_built(const kvf_op *op, int32_t cell, const kvf_builder *asked) {
  for (const int16_t *row = find_rest(op, cell); *row >= 0; ++row) {
    if (is_built_now(&op->variants[*row], asked)) {
      return &op->variants[*row];
    }
  }
  return NULL;
}

kvf_status kvf_select_values_status(const kvf_op *op, kvf_backend backend, const int64_t *values,
                                    int32_t count) {
  const int32_t cell = find_cell(op, backend, values, count);
  const kvf_variant *row = find_row(op, cell);
  if (row == NULL) {
    return count == op->num_axes ? KVF_UNSUPPORTED : KVF_INVALID_VALUE;
  }
  return is_built(row) || next_built(op, cell, NULL) != NULL ? KVF_OK : KVF_NOT_BUILT;
}

const kvf_variant *kvf_select_values(const kvf_op *op, kvf_backend backend, const int64_t *values,
                                     int32_t count) {
  if (op == NULL || (values == NULL && count > 0)) {
    kvf_error(KVF_INVALID_VALUE, "kvf_select: %s: got NULL, want %s", op == NULL ? "op" : "values",
              op == NULL ? "an op from kvf_find_op" : "one for each axis of the op");
    return NULL;
  }
  const int32_t cell = find_cell(op, backend, values, count);
  const kvf_variant *variant = find_row(op, cell);
  if (variant != NULL && !is_built(variant)) {
    const kvf_builder *asked = atomic_load(&builder);
    variant = is_built_now(variant, asked) ? variant : next_built(op, cell, asked);
  }
  if (variant == NULL) {
    explain(op, backend, values, count);
  }
  return variant;
}

/* The number that a schema's "int" or "float" takes from a value of a kind that is as good. */
static bool coerce(kvf_value *value, kvf_kind kind) {
  if (value->kind == KVF_KIND_BOOL && (kind == KVF_KIND_BOOL || kind == KVF_KIND_INT)) {
    unsigned char byte; /* any, while a bool is 0 or 1 */
    memcpy(&byte, &value->as.boolean, sizeof byte);
    *value = kind == KVF_KIND_INT ? (kvf_value){.kind = kind, .as.integer = byte != 0}
                                  : (kvf_value){.kind = kind, .as.boolean = byte != 0};
    return true;
  }
  if (value->kind == kind) {
    return true;
  }
  if (value->kind == KVF_KIND_INT && kind == KVF_KIND_FLOAT) {
    *value = (kvf_value){.kind = kind, .as.number = (double)value->as.integer};
    return true;
  }
  return false;
}

static const char *kind_name(kvf_kind kind) {
  static const char *const names[] = {"None", "Tensor", "Tensor[]", "int", "float", "bool", "str"};
  const size_t position = (size_t)kind;
  return position < sizeof names / sizeof *names ? names[position] : "?";
}

kvf_status kvf_call(const kvf_op *op, const kvf_exec *exec, const kvf_value *arguments,
                    int32_t count) {
  if (op == NULL || (arguments == NULL && count > 0)) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_call: %s: got NULL, want %s",
                     op == NULL ? "op" : "arguments",
                     op == NULL ? "an op from kvf_find_op" : "an array of values");
  }
  if (count < 0 || count > op->num_arguments || op->num_arguments > KVF_MAX_ARGUMENTS) {
    return kvf_error(KVF_INVALID_VALUE, "%s: got %d arguments, want at most %d: %s", op->name,
                     count, op->num_arguments, op->schema);
  }
  kvf_value values[KVF_MAX_ARGUMENTS];
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    const kvf_argument *argument = &op->arguments[i];
    if (i < count) {
      values[i] = arguments[i];
    } else if (argument->has_default) {
      values[i] = argument->default_value;
    } else {
      return kvf_error(KVF_INVALID_VALUE, "%s: %s is missing; want %s", op->name, argument->name,
                       op->schema);
    }
    if (values[i].kind == KVF_KIND_NONE && argument->optional) {
      values[i] = (kvf_value){.kind = KVF_KIND_NONE};
    } else if (!coerce(&values[i], argument->kind)) {
      return kvf_error(KVF_INVALID_TYPE, "%s: %s: got %s, want %s", op->name, argument->name,
                       kind_name(values[i].kind), argument->type);
    }
  }
  return op->call(exec, values);
}
