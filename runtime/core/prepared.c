/*
 * Prepared calls: a call is made once with nothing run, and what it would have launched is kept.
 *
 * The params structs of the launches are kept as they are, and every word of them that is the
 * address of a tensor is noted: to run the call is to copy the structs, to put other addresses in
 * these words, and to launch. Ops need nothing for it.
 */
#include "core/prepared.h"

#include <stdlib.h>
#include <string.h>

#include "core/extent.h"
#include "core/registry.h"

enum { MAX_LAUNCHES = 8, MAX_PARAMS = 4096, MAX_WORDS = MAX_PARAMS / 8, VECTOR_BYTES = 16 };

/* A word of a params struct that is an address: so many bytes behind the tensor's first element. */
typedef struct word {
  int32_t offset;
  int32_t tensor; /* IN_PARAMS: behind the beginning of the struct itself */
  uint64_t behind;
} word;
enum { IN_PARAMS = -1 };

typedef struct launch {
  kvf_check check;
  const kvf_variant *variant;
  kvf_cpu_function function; /* CPU */
  int64_t units;
  int64_t bytes_per_unit;
  kvf_grid grid; /* CUDA */
  size_t size;
  int32_t num_words;
  word words[MAX_WORDS];
  _Alignas(VECTOR_BYTES) unsigned char params[MAX_PARAMS];
} launch;

/* A tensor of the call. */
typedef struct place {
  const char *argument;
  kvf_extent extent;
  uint64_t address; /* of the first element */
  uint64_t mask;    /* bits that are 0 in it, and have to be in others */
  bool moves;       /* launches have it by its address */
} place;

struct kvf_prepared {
  const kvf_op *op;
  int32_t num_launches;
  int32_t num_places;
  place *places;
  launch *launches[MAX_LAUNCHES];
  /* While it is prepared. */
  const void *params;
  size_t params_size;
  const char *frame; /* of kvf_prepare_call(): what is behind it on the stack outlives the op */
};

KVF_PER_THREAD kvf_prepared *kvf_preparing;

/* ---- noting
 * -------------------------------------------------------------------------------------- */

void kvf_note_params(const void *params, size_t size) {
  kvf_preparing->params = params;
  kvf_preparing->params_size = size;
}

kvf_status kvf_note_other(const kvf_check *check, const char *what) {
  return kvf_error(KVF_UNSUPPORTED, "%s: kvf_prepare_call: %s cannot be prepared", check->op->name,
                   what);
}

static kvf_status note(const kvf_check *check, const kvf_variant *variant, const void *params,
                       launch **noted) {
  kvf_prepared *to = kvf_preparing;
  if (params != to->params || to->params_size > MAX_PARAMS) {
    return kvf_note_other(check, "a launch whose params kvf_launch_begin() has not seen");
  }
  if (to->num_launches == MAX_LAUNCHES) {
    return kvf_note_other(check, "a call of that many launches");
  }
  launch *added = calloc(1, sizeof *added);
  if (added == NULL) {
    return kvf_error(KVF_OUT_OF_MEMORY, "%s: kvf_prepare_call: out of memory", check->op->name);
  }
  to->launches[to->num_launches++] = added;
  added->check = *check;
  added->check.placed_by = NULL; /* the name may be text of this call */
  added->variant = variant;
  added->size = to->params_size;
  memcpy(added->params, params, added->size);
  *noted = added;
  return KVF_OK;
}

/* Words that point to the params are noted here, where one knows where these are; no word may point
 * to what else the op has on its stack. */
static kvf_status find_stack(launch *of, const char *top) {
  const kvf_prepared *to = kvf_preparing;
  const uint64_t params = (uint64_t)(uintptr_t)to->params;
  for (size_t at = 0; at + sizeof(uint64_t) <= of->size; at += sizeof(uint64_t)) {
    uint64_t value;
    memcpy(&value, of->params + at, sizeof value);
    if (value - params < of->size && of->num_words < MAX_WORDS) {
      of->words[of->num_words++] = (word){(int32_t)at, IN_PARAMS, value - params};
    } else if (value >= (uint64_t)(uintptr_t)top && value < (uint64_t)(uintptr_t)to->frame) {
      return kvf_note_other(&of->check, "a launch that reads what the call has on its stack");
    }
  }
  return KVF_OK;
}

kvf_status kvf_note_cpu(const kvf_check *check, const kvf_variant *variant, const void *params,
                        int64_t units, int64_t bytes_per_unit) {
  launch *noted = NULL;
  const kvf_status status = note(check, variant, params, &noted);
  if (status != KVF_OK) {
    return status;
  }
  noted->function = kvf_cpu_code(variant);
  noted->units = units;
  noted->bytes_per_unit = bytes_per_unit;
  return find_stack(noted, (const char *)&noted);
}

kvf_status kvf_note_cuda(const kvf_check *check, const kvf_variant *variant, const void *params,
                         const kvf_grid *grid) {
  launch *noted = NULL;
  kvf_status status = note(check, variant, params, &noted);
  if (status != KVF_OK) {
    return status;
  }
  noted->grid = *grid;
  status = find_stack(noted, (const char *)&noted);
  return status == KVF_OK ? kvf_prepare(variant, check->exec.device) : status;
}

/* ---- the tensors of a call
 * ----------------------------------------------------------------------- */

/* A call's arguments with descriptors that can be changed. */
typedef struct arguments {
  kvf_value values[KVF_MAX_ARGUMENTS];
  int32_t count;
  int32_t num_tensors;
  DLTensor *tensors;         /* in the order of the schema; those that are absent are zeros */
  const DLTensor **pointers; /* to them, for lists */
  char *copies;              /* of memory, for tensors that share their address with another */
} arguments;

static int64_t tensors_of(const kvf_op *op, const kvf_value *values, int32_t count, int32_t i) {
  const kvf_value *value = i < count ? &values[i] : &(const kvf_value){.kind = KVF_KIND_NONE};
  return op->arguments[i].kind == KVF_KIND_TENSOR        ? 1
         : op->arguments[i].kind != KVF_KIND_TENSOR_LIST ? 0
         : value->kind == KVF_KIND_TENSOR_LIST           ? value->as.tensors.size
                                                         : 0;
}

static void free_arguments(arguments *given) {
  free(given->copies);
  free(given->pointers);
  free(given->tensors);
}

static kvf_status copy_arguments(const kvf_op *op, const kvf_value *values, int32_t count,
                                 kvf_prepared *to, arguments *made) {
  int64_t total = 0;
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    total += tensors_of(op, values, count, i);
  }
  *made = (arguments){.count = count, .num_tensors = (int32_t)total};
  const size_t room = (size_t)total + 1;
  made->tensors = calloc(room, sizeof *made->tensors);
  made->pointers = calloc(room, sizeof *made->pointers);
  to->places = calloc(room, sizeof *to->places);
  if (made->tensors == NULL || made->pointers == NULL || to->places == NULL) {
    return kvf_error(KVF_OUT_OF_MEMORY, "%s: kvf_prepare_call: out of memory", op->name);
  }
  to->num_places = made->num_tensors;
  int32_t next = 0;
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    const int64_t own = tensors_of(op, values, count, i);
    const bool list = op->arguments[i].kind == KVF_KIND_TENSOR_LIST;
    if (i < count) {
      made->values[i] = values[i];
    }
    if (i < count && list && values[i].kind == KVF_KIND_TENSOR_LIST) {
      made->values[i].as.tensors.data = &made->pointers[next];
    }
    for (int64_t k = 0; k < own; ++k, ++next) {
      to->places[next].argument = op->arguments[i].name;
      const DLTensor *tensor = i >= count                          ? NULL
                               : list                              ? values[i].as.tensors.data[k]
                               : values[i].kind == KVF_KIND_TENSOR ? values[i].as.tensor
                                                                   : NULL;
      if (tensor == NULL) {
        continue;
      }
      made->tensors[next] = *tensor;
      made->pointers[next] = &made->tensors[next];
      if (!list) {
        made->values[i].as.tensor = &made->tensors[next];
      }
    }
  }
  return KVF_OK;
}

/* After the first call, which has checked the descriptors. */
static void find_places(const arguments *given, kvf_prepared *to) {
  for (int32_t i = 0; i < to->num_places; ++i) {
    const DLTensor *tensor = &given->tensors[i];
    place *found = &to->places[i];
    found->extent = given->pointers[i] != NULL ? kvf_extent_of(tensor) : (kvf_extent){0, 0};
    found->address = found->extent.begin == found->extent.end
                         ? 0
                         : (uint64_t)(uintptr_t)tensor->data + tensor->byte_offset;
    found->mask = (found->address & -found->address) - 1;
    found->mask = found->mask < VECTOR_BYTES ? found->mask : VECTOR_BYTES - 1;
  }
}

static bool is_shared(const kvf_prepared *of, int32_t tensor) {
  for (int32_t i = 0; i < tensor; ++i) {
    if (of->places[i].address == of->places[tensor].address && of->places[i].address != 0) {
      return true;
    }
  }
  return false;
}

enum { ALIGNMENT = 64 }; /* copies have addresses of which so much is the original's */

/* Bytes of the copies of all tensors that share their address with one before them. */
static size_t copied_bytes(const kvf_prepared *of) {
  size_t bytes = 0;
  for (int32_t i = 0; i < of->num_places; ++i) {
    const kvf_extent *extent = &of->places[i].extent;
    bytes += is_shared(of, i) ? extent->end - extent->begin + 2 * ALIGNMENT : 0;
  }
  return bytes;
}

/*
 * Gives each tensor an address of its own, so that a word tells which one it is of: on the CPU,
 * where checks read indices and scales, that of a copy; on CUDA one that nobody follows.
 */
static kvf_status part(arguments *given, const kvf_prepared *first, bool *shared) {
  const size_t room = copied_bytes(first);
  const bool on_cuda = first->launches[0]->check.exec.backend == KVF_CUDA;
  *shared = room > 0;
  given->copies = room > 0 && !on_cuda ? malloc(room) : NULL;
  if (room > 0 && !on_cuda && given->copies == NULL) {
    return kvf_error(KVF_OUT_OF_MEMORY, "%s: kvf_prepare_call: out of memory", first->op->name);
  }
  char *next = given->copies;
  for (int32_t i = 0; i < given->num_tensors; ++i) {
    const place *of = &first->places[i];
    DLTensor *tensor = &given->tensors[i];
    if (!is_shared(first, i)) {
      continue;
    }
    tensor->byte_offset = 0;
    if (on_cuda) {
      tensor->data = (void *)(uintptr_t)(of->address + ((uint64_t)(i + 1) << 50));
      continue;
    }
    const size_t bytes = of->extent.end - of->extent.begin;
    next += (of->extent.begin - (uint64_t)(uintptr_t)next) % ALIGNMENT;
    memcpy(next, (const void *)(uintptr_t)of->extent.begin, bytes);
    tensor->data = next + (of->address - of->extent.begin);
    next += bytes;
  }
  return KVF_OK;
}

/* ---- the words that are addresses
 * ---------------------------------------------------------------- */

/* The tensor that a word is an address in; -1: none, -2: one cannot tell which. */
static int32_t tensor_at(const kvf_prepared *of, uint64_t value) {
  int32_t found = -1;
  for (int32_t i = 0; value != 0 && i < of->num_places; ++i) {
    if (of->places[i].address == value) {
      return i;
    }
    if (of->places[i].extent.begin <= value && value < of->places[i].extent.end) {
      found = found == -1 ? i : -2;
    }
  }
  return found;
}

/* Notes in `to` which words are addresses, by another recording of the call, `by`, in which no two
 * tensors have the same address; the two may be one. */
static kvf_status find_words(kvf_prepared *to, const kvf_prepared *by) {
  for (int32_t i = 0; i < to->num_launches; ++i) {
    launch *of = to->launches[i];
    for (size_t at = 0; at + sizeof(uint64_t) <= of->size; at += sizeof(uint64_t)) {
      uint64_t value;
      memcpy(&value, by->launches[i]->params + at, sizeof value);
      const int32_t tensor = tensor_at(by, value);
      if (tensor == -1) {
        continue;
      }
      if (tensor == -2 || of->num_words == MAX_WORDS) {
        return kvf_note_other(&of->check, "a launch with an address that may be of two tensors");
      }
      to->places[tensor].moves = true;
      of->words[of->num_words++] = (word){(int32_t)at, tensor, value - by->places[tensor].address};
    }
  }
  return KVF_OK;
}

static bool same_launches(const kvf_prepared *a, const kvf_prepared *b) {
  bool same = a->num_launches == b->num_launches;
  for (int32_t i = 0; same && i < a->num_launches; ++i) {
    same = a->launches[i]->variant == b->launches[i]->variant &&
           a->launches[i]->size == b->launches[i]->size;
  }
  return same;
}

/* ---- preparing
 * ----------------------------------------------------------------------------------- */

void kvf_free_prepared(kvf_prepared *prepared) {
  for (int32_t i = 0; prepared != NULL && i < prepared->num_launches; ++i) {
    free(prepared->launches[i]);
  }
  if (prepared != NULL) {
    free(prepared->places);
  }
  free(prepared);
}

static kvf_prepared *make(const kvf_op *op, const char *frame) {
  kvf_prepared *made = calloc(1, sizeof *made);
  if (made == NULL) {
    (void)kvf_error(KVF_OUT_OF_MEMORY, "%s: kvf_prepare_call: out of memory", op->name);
  } else {
    made->op = op;
    made->frame = frame;
  }
  return made;
}

static kvf_status record(kvf_prepared *into, const kvf_exec *exec, const kvf_value *values,
                         int32_t count) {
  kvf_preparing = into;
  const kvf_status status = kvf_call(into->op, exec, values, count);
  kvf_preparing = NULL;
  return status;
}

/* On CUDA, what is in host memory and in no launch by its address has been read already. */
static kvf_status refuse_host(const arguments *given, const kvf_prepared *of) {
  for (int32_t i = 0; i < given->num_tensors; ++i) {
    if (of->launches[0]->check.exec.backend == KVF_CUDA && of->places[i].address != 0 &&
        given->tensors[i].device.device_type == kDLCPU && !of->places[i].moves) {
      return kvf_error(KVF_UNSUPPORTED,
                       "%s: kvf_prepare_call: %s is read by the host, want memory of the device",
                       of->op->name, of->places[i].argument);
    }
  }
  return KVF_OK;
}

static kvf_status prepare(kvf_prepared *to, kvf_prepared *by, arguments *given,
                          const kvf_exec *exec, const kvf_value *values, int32_t count) {
  kvf_status status = record(to, exec, values, count);
  status = status == KVF_OK ? copy_arguments(to->op, values, count, to, given) : status;
  if (status != KVF_OK) {
    return status;
  }
  find_places(given, to);
  for (int32_t i = 0; to->num_launches == 0 && i < to->num_places; ++i) {
    to->places[i].address = 0; /* nothing to do, wherever they lie */
  }
  bool shared = false;
  status = to->num_launches > 0 ? part(given, to, &shared) : status;
  if (status != KVF_OK || !shared) {
    return status == KVF_OK ? find_words(to, to) : status;
  }
  status = record(by, exec, given->values, given->count);
  if (status != KVF_OK) {
    return status;
  }
  if (!same_launches(to, by)) {
    return kvf_note_other(&to->launches[0]->check, "a call that depends on which tensors are one");
  }
  by->num_places = to->num_places;
  by->places = calloc((size_t)to->num_places, sizeof *by->places);
  if (by->places == NULL) {
    return kvf_error(KVF_OUT_OF_MEMORY, "%s: kvf_prepare_call: out of memory", to->op->name);
  }
  find_places(given, by);
  return find_words(to, by);
}

kvf_status kvf_prepare_call(const kvf_op *op, const kvf_exec *exec, const kvf_value *values,
                            int32_t count, kvf_prepared **prepared) {
  if (op == NULL || prepared == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_prepare_call: %s: got NULL, want %s",
                     op == NULL ? "op" : "prepared",
                     op == NULL ? "an op from kvf_find_op" : "an address");
  }
  const char frame = 0;
  *prepared = NULL;
  kvf_prepared *to = make(op, &frame);
  kvf_prepared *by = to != NULL ? make(op, &frame) : NULL;
  arguments given = {.count = 0};
  kvf_status status = by != NULL ? prepare(to, by, &given, exec, values, count) : KVF_OUT_OF_MEMORY;
  if (status == KVF_OK && to->num_launches > 0) {
    status = refuse_host(&given, to);
  }
  free_arguments(&given);
  kvf_free_prepared(by);
  if (status != KVF_OK) {
    kvf_free_prepared(to);
    return status;
  }
  *prepared = to;
  return KVF_OK;
}

/* ---- running
 * ------------------------------------------------------------------------------------- */

/* Of a call whose number of addresses is right: the first that is not what it has to be. */
static kvf_status refuse(const kvf_prepared *call, void *const *data, int32_t i) {
  const place *of = &call->places[i];
  if (!of->moves) {
    return kvf_error(KVF_UNSUPPORTED,
                     "%s: kvf_run_prepared: %s (tensor %d): got another address, want the one that "
                     "it was prepared with: no launch has it by its address",
                     call->op->name, of->argument, i);
  }
  return kvf_error(KVF_INVALID_VALUE,
                   "%s: kvf_run_prepared: %s (tensor %d): got %p, want a multiple of %d as it was "
                   "prepared with",
                   call->op->name, of->argument, i, data[i], (int)of->mask + 1);
}

static kvf_status check_data(const kvf_prepared *call, void *const *data, int32_t count) {
  if (call == NULL) {
    return kvf_error(KVF_INVALID_VALUE, "kvf_run_prepared: prepared: got NULL, want a call");
  }
  if (count != call->num_places || (data == NULL && count > 0)) {
    return kvf_error(KVF_INVALID_VALUE,
                     "%s: kvf_run_prepared: data: got %d addresses%s, want one for each of its %d "
                     "tensors",
                     call->op->name, count, data == NULL ? " at NULL" : "", call->num_places);
  }
  for (int32_t i = 0; i < count; ++i) {
    const place *of = &call->places[i];
    const uint64_t address = (uint64_t)(uintptr_t)data[i];
    const bool good = of->moves ? address != 0 && (address & of->mask) == 0
                                : of->address == 0 || address == of->address;
    if (!good) {
      return refuse(call, data, i);
    }
  }
  return KVF_OK;
}

static void place_params(const launch *of, void *const *data, unsigned char *params) {
  memcpy(params, of->params, of->size);
  for (int32_t i = 0; i < of->num_words; ++i) {
    const word *at = &of->words[i];
    const void *base = at->tensor == IN_PARAMS ? params : data[at->tensor];
    const uint64_t address = (uint64_t)(uintptr_t)base + at->behind;
    memcpy(params + at->offset, &address, sizeof address);
  }
}

kvf_status kvf_run_prepared(const kvf_prepared *prepared, void *stream, void *const *data,
                            int32_t count) {
  kvf_status status = check_data(prepared, data, count);
  if (status != KVF_OK) {
    return status;
  }
  for (int32_t i = 0; status == KVF_OK && i < prepared->num_launches; ++i) {
    const launch *of = prepared->launches[i];
    _Alignas(VECTOR_BYTES) unsigned char params[MAX_PARAMS];
    place_params(of, data, params);
    if (of->function != NULL) {
      kvf_parallel_for(of->function, params, of->units, of->bytes_per_unit,
                       of->check.exec.num_threads);
    } else {
      kvf_check check = of->check;
      check.exec.stream = stream;
      status = kvf_cuda_run(&check, of->variant, params, &of->grid);
    }
  }
  return status;
}
