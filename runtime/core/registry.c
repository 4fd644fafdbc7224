/* The registry: the ops of this library, then those that modules have added. */
#include "core/registry.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "core/error.h"
#include "kvforge/op.h"

/* Fixed, so that readers need no lock: an op is in its place before the count says so. */
enum { MAX_ADDED = 1024 };

static const kvf_op *added[MAX_ADDED];
static _Atomic(int32_t) num_added;
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

int32_t kvf_num_ops(void) {
  return kvf_ops_count + atomic_load_explicit(&num_added, memory_order_acquire);
}

static const kvf_op *op_at(int32_t position) {
  return position < kvf_ops_count ? kvf_ops[position] : added[position - kvf_ops_count];
}

const kvf_op *kvf_get_op(int32_t position) {
  return position >= 0 && position < kvf_num_ops() ? op_at(position) : NULL;
}

/* The op with this name in the registry or among these, or NULL. */
static const kvf_op *find_name(const char *name, const kvf_op *const *ops, int32_t count) {
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    if (strcmp(op_at(i)->name, name) == 0) {
      return op_at(i);
    }
  }
  for (int32_t i = 0; i < count; ++i) {
    if (strcmp(ops[i]->name, name) == 0) {
      return ops[i];
    }
  }
  return NULL;
}

/* ---- descriptors
 * --------------------------------------------------------------------------------- */

static bool is_kind(kvf_kind kind) {
  return (unsigned)kind > KVF_KIND_NONE && (unsigned)kind <= KVF_KIND_STRING;
}

static bool complete_argument(const kvf_argument *argument) {
  return argument->name != NULL && argument->type != NULL && argument->doc != NULL &&
         is_kind(argument->kind) &&
         (!argument->has_default || argument->default_value.kind == argument->kind ||
          (argument->default_value.kind == KVF_KIND_NONE && argument->optional));
}

static bool complete_variant(const kvf_variant *variant, const kvf_op *op) {
  if (variant->op != op || variant->symbol == NULL) {
    return false;
  }
  if (variant->backend == KVF_CPU) {
    return variant->late != NULL;
  }
  return variant->backend == KVF_CUDA && (variant->image == NULL || variant->image->symbol != NULL);
}

/* An array of `count` elements. */
static bool is_array(const void *data, int32_t count) {
  return count == 0 || (count > 0 && data != NULL);
}

/* The largest number that a value of an axis adds to the index of a cell; -1: it is incomplete. */
static int64_t largest_offset(const kvf_axis *axis) {
  if (axis->name == NULL || axis->span < 0 || (axis->span > 0 && axis->offsets == NULL) ||
      !is_array(axis->values, axis->num_values) || axis->below < -1 || axis->above < -1) {
    return -1;
  }
  int64_t largest = axis->below > axis->above ? axis->below : axis->above;
  largest = largest > 0 ? largest : 0;
  for (int64_t i = 0; i < axis->span; ++i) {
    if (axis->offsets[i] < -1) {
      return -1;
    }
    largest = axis->offsets[i] > largest ? axis->offsets[i] : largest;
  }
  return largest;
}

/* Whether every value of each axis leads to a cell. */
static bool complete_axes(const kvf_op *op) {
  int64_t last = 0;
  for (int32_t i = 0; i < op->num_axes; ++i) {
    const int64_t largest = largest_offset(&op->axes[i]);
    if (largest < 0) {
      return false;
    }
    last += largest;
  }
  return last < op->num_cells;
}

/* Whether a number in the table is a row of a backend. */
static bool is_row(const kvf_op *op, int32_t row, int32_t backend) {
  return row >= 0 && row < op->num_variants && (int32_t)op->variants[row].backend == backend;
}

/* Whether a list of rows ends, and all of them are of the backend. */
static bool is_chain(const kvf_op *op, int32_t first, int32_t backend) {
  for (int32_t rows = 0; op->chains[first + rows] != -1; ++rows) {
    if (rows == op->num_variants || !is_row(op, op->chains[first + rows], backend)) {
      return false;
    }
  }
  return true;
}

/* Every row that a cell leads to is there, and is of the cell's backend. */
static bool complete_cells(const kvf_op *op) {
  for (int64_t i = 0; i < KVF_BACKEND_COUNT * (int64_t)op->num_cells; ++i) {
    const int32_t backend = (int32_t)(i / op->num_cells);
    if (op->cells[i] != -1 && !is_row(op, op->cells[i], backend)) {
      return false;
    }
    if (op->rest != NULL && op->rest[i] != -1 &&
        (op->rest[i] < 0 || !is_chain(op, op->rest[i], backend))) {
      return false;
    }
  }
  return true;
}

static bool complete(const kvf_op *op) {
  if (op == NULL || op->name == NULL || op->ns == NULL || op->schema == NULL || op->doc == NULL ||
      op->call == NULL || op->cells == NULL || (op->rest != NULL && op->chains == NULL) ||
      op->num_axes > KVF_MAX_AXES || !is_array(op->axes, op->num_axes) ||
      !is_array(op->arguments, op->num_arguments) || !is_array(op->variants, op->num_variants) ||
      !is_array(op->exclusions, op->num_exclusions)) {
    return false;
  }
  bool good = op->num_arguments <= KVF_MAX_ARGUMENTS;
  for (int32_t i = 0; good && i < op->num_arguments; ++i) {
    good = complete_argument(&op->arguments[i]);
  }
  for (int32_t i = 0; good && i < op->num_variants; ++i) {
    good = complete_variant(&op->variants[i], op);
  }
  for (int32_t i = 0; good && i < op->num_exclusions; ++i) {
    good = op->exclusions[i].reason != NULL;
  }
  return good && complete_axes(op) && complete_cells(op);
}

/* ---- adding
 * -------------------------------------------------------------------------------------- */

/* Checks all ops, then adds those that are new. Under the lock. */
static kvf_status add(const kvf_op *const *ops, int32_t count) {
  const int32_t before = atomic_load_explicit(&num_added, memory_order_relaxed);
  int32_t after = before;
  for (int32_t i = 0; i < count; ++i) {
    if (!complete(ops[i])) {
      return kvf_error(KVF_INVALID_VALUE,
                       "kvf_register_ops: op %d of %d, %s, is incomplete: want the descriptor that "
                       "the generator writes",
                       i, count, ops[i] != NULL && ops[i]->name != NULL ? ops[i]->name : "NULL");
    }
    const kvf_op *known = find_name(ops[i]->name, ops, i);
    if (known == ops[i]) {
      continue;
    }
    if (known != NULL && strcmp(known->ns, ops[i]->ns) == 0 &&
        find_name(ops[i]->name, NULL, 0) == known) {
      return kvf_error(KVF_INVALID_VALUE,
                       "%s::%s is registered already, by another build; it stays for the life of "
                       "the process, a new process takes the new one",
                       ops[i]->ns, ops[i]->name);
    }
    if (known != NULL) {
      return kvf_error(KVF_INVALID_VALUE,
                       "kvf_register_ops: %s::%s: the name is taken by %s::%s; symbols are made of "
                       "it, so want another one",
                       ops[i]->ns, ops[i]->name, known->ns, known->name);
    }
    if (after == MAX_ADDED) {
      return kvf_error(KVF_INVALID_VALUE, "kvf_register_ops: %s::%s: %d ops were added, want less",
                       ops[i]->ns, ops[i]->name, MAX_ADDED);
    }
    added[after++] = ops[i]; /* nobody reads it before the count says so */
  }
  atomic_store_explicit(&num_added, after, memory_order_release);
  return KVF_OK;
}

kvf_status kvf_register_ops(const kvf_op *const *ops, int32_t count, int32_t abi_version) {
  if (abi_version != KVF_ABI_VERSION) {
    return kvf_error(KVF_INVALID_VALUE,
                     "kvf_register_ops: compiled for ABI version %d, this library has %d: compile "
                     "it anew with the headers of this library",
                     abi_version, KVF_ABI_VERSION);
  }
  if (count < 0 || (count > 0 && ops == NULL)) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_register_ops: got NULL or %d ops", count);
  }
  (void)pthread_mutex_lock(&adding);
  const kvf_status status = add(ops, count);
  (void)pthread_mutex_unlock(&adding);
  return status;
}
