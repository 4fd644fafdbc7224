/* Launch constants that were found by measuring: the row of a call, and how to try others. */
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/tuned.h"
#include "kvforge/op.h"

/* What kvf_try_tuned() has set, for a program that measures. */
static _Atomic(const kvf_tuned *) tried_for;
static int32_t tried[KVF_MAX_TUNED];

/* 0: not asked yet, 1: no, 2: yes */
static _Atomic(int) shown;

static bool shows(void) {
  int state = atomic_load_explicit(&shown, memory_order_relaxed);
  if (state == 0) {
    const char *wanted = getenv("KVFORGE_SHOW_TUNED");
    state = wanted != NULL && wanted[0] != '\0' && wanted[0] != '0' ? 2 : 1;
    atomic_store_explicit(&shown, state, memory_order_relaxed);
  }
  return state == 2;
}

/* The one thing that the library ever prints, and only when it was asked to. */
static void show(const char *name, const kvf_tuned *tuned, int64_t size, const kvf_tuned_row *row,
                 const int32_t *values) {
  char line[512];
  int used = 0;
  if (row == NULL) {
    used = snprintf(line, sizeof line, "kvforge: %s: size %" PRId64 ": %s", name, size,
                    values == tried ? "tried:" : "no row, so");
  } else if (row->up_to == INT64_MAX) {
    used =
        snprintf(line, sizeof line, "kvforge: %s: size %" PRId64 ": arch %d, any size above:", name,
                 size, row->arch);
  } else {
    used = snprintf(line, sizeof line, "kvforge: %s: size %" PRId64 ": arch %d, up to %" PRId64 ":",
                    name, size, row->arch, row->up_to);
  }
  for (int32_t i = 0; i < tuned->num_constants && (size_t)used < sizeof line; ++i) {
    used += snprintf(line + used, sizeof line - (size_t)used, " %s %d", tuned->names[i], values[i]);
  }
  (void)fprintf(stderr, "%s\n", line);
}

/* Rows are sorted by arch, then size: the last arch that is not newer than the device's, and there
 * the first class that the size is in. */
static const kvf_tuned_row *find_row(const kvf_tuned *tuned, int64_t arch, int64_t size) {
  const kvf_tuned_row *found = NULL;
  for (int32_t i = 0; i < tuned->num_rows; ++i) {
    const kvf_tuned_row *row = &tuned->rows[i];
    if (row->arch > arch) {
      break;
    }
    if (size <= row->up_to && (found == NULL || row->arch > found->arch)) {
      found = row;
    }
  }
  return found;
}

static const char *name_of(const kvf_tuned *table) {
  int32_t i = 0;
  while (kvf_engine_tables[i].tuned != table) {
    ++i;
  }
  return kvf_engine_tables[i].name;
}

/* `check`: of the call, NULL for a table of the engine, whose constants are the CPU's: arch 0. */
static const int32_t *values_for(const kvf_tuned *tuned, const kvf_check *check, int64_t size) {
  const kvf_tuned_row *row = NULL;
  const int32_t *values = tuned->defaults;
  if (atomic_load_explicit(&tried_for, memory_order_acquire) == tuned) {
    values = tried;
  } else if (tuned->num_rows > 0) {
    row = find_row(tuned, check != NULL ? kvf_check_arch(check) : 0, size);
    values = row != NULL ? row->values : values;
  }
  if (shows()) {
    show(check != NULL ? check->op->name : name_of(tuned), tuned, size, row, values);
  }
  return values;
}

const int32_t *kvf_tuned_values(const kvf_check *check, int64_t size) {
  static const int32_t none[KVF_MAX_TUNED];
  const kvf_tuned *tuned = check->op->tuned[check->exec.backend];
  return tuned != NULL ? values_for(tuned, check, size) : none;
}

const int32_t *kvf_engine_values(const kvf_tuned *table, int64_t bytes) {
  return values_for(table, NULL, bytes);
}

static void try_values(const kvf_tuned *tuned, const int32_t *values) {
  for (int32_t i = 0; i < tuned->num_constants; ++i) {
    tried[i] = values[i];
  }
  atomic_store_explicit(&tried_for, tuned, memory_order_release);
}

kvf_status kvf_try_tuned(const kvf_op *op, kvf_backend backend, const int32_t *values) {
  atomic_store_explicit(&tried_for, NULL, memory_order_release);
  if (op == NULL || values == NULL) {
    return KVF_OK;
  }
  const kvf_tuned *tuned = (unsigned)backend < KVF_BACKEND_COUNT ? op->tuned[backend] : NULL;
  if (tuned == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_try_tuned: %s has no tuned constants on this backend",
                     op->name);
  }
  try_values(tuned, values);
  return KVF_OK;
}

kvf_status kvf_try_engine(const char *table, const int32_t *values) {
  atomic_store_explicit(&tried_for, NULL, memory_order_release);
  if (table == NULL || values == NULL) {
    return KVF_OK;
  }
  kvf_text known = {.length = 0};
  for (int32_t i = 0; i < kvf_engine_tables_count; ++i) {
    if (strcmp(kvf_engine_tables[i].name, table) == 0) {
      try_values(kvf_engine_tables[i].tuned, values);
      return KVF_OK;
    }
    kvf_text_add(&known, kvf_engine_tables[i].name);
  }
  return kvf_error(KVF_INVALID_VALUE, "kvf_try_engine: no table %.64s, want one of %s", table,
                   known.data);
}
