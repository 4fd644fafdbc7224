/* The registry and the dispatch table: finding ops and variants, and saying why there is none. */
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

bool kvf_variant_built(const kvf_variant *variant) {
  if (variant == NULL) {
    return false;
  }
  if (variant->backend == KVF_CPU) {
    return kvf_cpu_code(variant) != NULL;
  }
  return variant->image == NULL ||
         atomic_load_explicit(&variant->image->fatbin, memory_order_acquire) != NULL;
}

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

static bool in_table(kvf_backend backend, kvf_dtype scalar, kvf_dtype cache) {
  return (unsigned)backend < KVF_BACKEND_COUNT && (unsigned)scalar < KVF_DTYPE_COUNT &&
         (unsigned)cache < KVF_DTYPE_COUNT;
}

/* One array index; NULL where the spec has no variant. */
static const kvf_variant *find_row(const kvf_op *op, kvf_backend backend, kvf_dtype scalar,
                                   kvf_dtype cache) {
  if (!in_table(backend, scalar, cache)) {
    return NULL;
  }
  const int index = ((int)backend * KVF_DTYPE_COUNT + (int)scalar) * KVF_DTYPE_COUNT + (int)cache;
  return op->index[index] >= 0 ? &op->variants[op->index[index]] : NULL;
}

/* The ops that have the combination. */
static void add_ops_with(kvf_backend backend, kvf_dtype scalar, kvf_dtype cache, kvf_text *text) {
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    if (find_row(kvf_get_op(i), backend, scalar, cache) != NULL) {
      kvf_text_add(text, kvf_get_op(i)->name);
    }
  }
}

static _Thread_local const kvf_variant *missing;

const kvf_variant *kvf_missing_variant(void) { return missing; }

/* Says why kvf_select() found nothing to run. Off the hot path. */
static void explain(const kvf_op *op, kvf_backend backend, kvf_dtype scalar, kvf_dtype cache,
                    const kvf_variant *row) {
  kvf_text built = {.length = 0};
  for (int32_t i = 0; i < op->num_variants; ++i) {
    const kvf_variant *variant = &op->variants[i];
    if (variant->backend == backend && kvf_variant_built(variant)) {
      char pair[64];
      (void)snprintf(pair, sizeof pair, "%s/%s", kvf_dtype_name(variant->scalar),
                     kvf_dtype_name(variant->cache));
      kvf_text_add(&built, pair);
    }
  }
  const char *have = built.length ? built.data : "nothing";
  if (row != NULL) {
    missing = row;
    kvf_error(KVF_NOT_BUILT,
              "%s: %s is not built into this library; for this op on %s it has (scalar/cache) %s; "
              "configure.py %s builds it, and so does kvforge.build_variant() in Python, or "
              "KVFORGE_JIT=1 in its environment",
              op->name, row->symbol, backend_name(backend), have,
              backend == KVF_CUDA ? "with a CUDA compiler and these dtypes" : "with these dtypes");
    return;
  }
  for (int32_t i = 0; i < op->num_exclusions; ++i) {
    if (op->exclusions[i].scalar == scalar && op->exclusions[i].cache == cache) {
      kvf_error(KVF_UNSUPPORTED, "%s: scalar dtype %s with cache dtype %s is excluded: %s",
                op->name, kvf_dtype_name(scalar), kvf_dtype_name(cache), op->exclusions[i].reason);
      return;
    }
  }
  kvf_text others = {.length = 0};
  add_ops_with(backend, scalar, cache, &others);
  kvf_error(KVF_UNSUPPORTED,
            "%s: no variant for scalar dtype %s with cache dtype %s on %s%s%s; built ones "
            "(scalar/cache) are %s",
            op->name, kvf_dtype_name(scalar), kvf_dtype_name(cache), backend_name(backend),
            others.length ? ", which is for " : "", others.data, have);
}

kvf_status kvf_select_status(const kvf_op *op, kvf_backend backend, kvf_dtype scalar,
                             kvf_dtype cache) {
  const kvf_variant *row = find_row(op, backend, scalar, cache);
  return row == NULL ? KVF_UNSUPPORTED : kvf_variant_built(row) ? KVF_OK : KVF_NOT_BUILT;
}

const kvf_variant *kvf_select(const kvf_op *op, kvf_backend backend, kvf_dtype scalar,
                              kvf_dtype cache) {
  if (op == NULL) {
    kvf_error(KVF_INVALID_VALUE, "kvf_select: op: got NULL, want an op from kvf_find_op");
    return NULL;
  }
  const kvf_variant *row = find_row(op, backend, scalar, cache);
  if (row != NULL && kvf_variant_built(row)) {
    return row;
  }
  explain(op, backend, scalar, cache, row);
  return NULL;
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
