#include "call.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const bench_op *const families[] = {
    bench_writers, bench_mla,       bench_gathers, bench_pages,    bench_indexer,
    bench_convert, bench_attention, bench_rope,    bench_hot_rows, bench_transfer};

const bench_op *bench_find(const kvf_op *op) {
  for (size_t i = 0; i < sizeof families / sizeof *families; ++i) {
    for (const bench_op *found = families[i]; found->name != NULL; ++found) {
      if (strcmp(found->name, op->name) == 0) {
        return found;
      }
    }
  }
  return NULL;
}

bool bench_describe(bench_call *call, const kvf_variant *variant, const bench_op *op, int32_t form,
                    int64_t tokens) {
  *call = (bench_call){.variant = variant, .tokens = tokens, .form = op->forms[form]};
  if (tokens == 1 && strcmp(call->form, "consecutive") == 0) {
    return false;
  }
  return op->describe(call, form);
}

void bench_release(bench_call *call) {
  for (int32_t i = 0; i < call->num_tensors; ++i) {
    free(call->tensors[i].content);
  }
}

/* ---- memory ------------------------------------------------------------------------------------
 */

static char *address(const bench_tensor *tensor, char *const memory[BENCH_PLACES]) {
  return memory[tensor->place] + tensor->offset;
}

static void *allocate(size_t bytes) {
  void *memory = malloc(bytes > 0 ? bytes : 1);
  if (memory == NULL) {
    perror("allocating");
    exit(1);
  }
  return memory;
}

void bench_fill(const bench_call *call, char *const memory[BENCH_PLACES], bench_store store) {
  for (int32_t i = 0; i < call->num_tensors; ++i) {
    const bench_tensor *tensor = &call->tensors[i];
    if (tensor->content == NULL) {
      continue;
    }
    void *to = address(tensor, memory);
    if (tensor->target == NULL) {
      store(tensor->place, to, tensor->content, tensor->bytes);
      continue;
    }
    int64_t *addresses = allocate(tensor->bytes);
    const int64_t origin = (int64_t)(intptr_t)address(tensor->target, memory);
    for (size_t j = 0; j < tensor->bytes / sizeof *addresses; ++j) {
      addresses[j] = origin + ((const int64_t *)tensor->content)[j];
    }
    store(tensor->place, to, addresses, tensor->bytes);
    free(addresses);
  }
}

void bench_place_in(bench_call *call, char *const memory[BENCH_PLACES]) {
  for (int32_t i = 0; i < call->num_tensors; ++i) {
    call->tensors[i].tensor.data = address(&call->tensors[i], memory);
  }
}

/* ---- what families are written with ------------------------------------------------------------
 */

DLDataType bench_type(kvf_dtype dtype) {
  switch (dtype) {
  case KVF_F32:
  case KVF_F16:
    return (DLDataType){kDLFloat, (uint8_t)kvf_dtype_bits(dtype), 1};
  case KVF_BF16:
    return (DLDataType){kDLBfloat, 16, 1};
  default:
    return BENCH_BYTE;
  }
}

size_t bench_scalar_bytes(const bench_call *call, int64_t count) {
  return (size_t)(count * kvf_dtype_bits(kvf_scalar_of(call->variant)) / 8);
}

size_t bench_cache_bytes(const bench_call *call, int64_t count) {
  return (size_t)(count * kvf_dtype_bits(kvf_cache_of(call->variant)) / 8);
}

int64_t bench_pieces(int64_t count, int64_t size) { return (count + size - 1) / size; }

int64_t *bench_order(int64_t count, bool shuffled) {
  int64_t *order = allocate((size_t)count * sizeof *order);
  for (int64_t i = 0; i < count; ++i) {
    order[i] = i;
  }
  uint64_t state = 42;
  for (int64_t i = count - 1; shuffled && i > 0; --i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const int64_t j = (int64_t)((state >> 33) % (uint64_t)(i + 1));
    const int64_t kept = order[i];
    order[i] = order[j];
    order[j] = kept;
  }
  return order;
}

bench_tensor *bench_memory(bench_call *call, bench_place place, DLDataType type, int32_t rank,
                           const int64_t *shape) {
  enum { ALIGNMENT = 256 };
  if (call->num_tensors == BENCH_MAX_TENSORS) {
    fprintf(stderr, "bench: %s has more than %d tensors\n", call->variant->op->name,
            BENCH_MAX_TENSORS);
    exit(1);
  }
  const bool on_device = call->variant->backend == KVF_CUDA && place == BENCH_NEAR;
  bench_tensor *added = &call->tensors[call->num_tensors++];
  added->place = place;
  added->offset = call->set_bytes[place];
  added->bytes = type.bits / 8;
  for (int32_t i = 0; i < rank; ++i) {
    added->shape[i] = shape[i];
    added->bytes *= (size_t)shape[i];
  }
  added->tensor = (DLTensor){.device = {on_device ? kDLCUDA : kDLCPU, 0},
                             .ndim = rank,
                             .dtype = type,
                             .shape = added->shape};
  call->set_bytes[place] += (added->bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return added;
}

static void pass(bench_call *call, kvf_value value) {
  if (call->num_arguments == BENCH_MAX_ARGUMENTS) {
    fprintf(stderr, "bench: %s has more than %d arguments\n", call->variant->op->name,
            BENCH_MAX_ARGUMENTS);
    exit(1);
  }
  call->arguments[call->num_arguments++] = value;
}

void bench_add_tensor(bench_call *call, const bench_tensor *tensor) {
  pass(call, (kvf_value){KVF_KIND_TENSOR, {.tensor = &tensor->tensor}});
}

bench_tensor *bench_add(bench_call *call, DLDataType type, int32_t rank, const int64_t *shape) {
  bench_tensor *added = bench_memory(call, BENCH_NEAR, type, rank, shape);
  bench_add_tensor(call, added);
  return added;
}

bench_tensor *bench_integers(bench_call *call, bench_place place, int32_t bits, int64_t *values,
                             int32_t rank, const int64_t *shape) {
  bench_tensor *added =
      bench_memory(call, place, (DLDataType){kDLInt, (uint8_t)bits, 1}, rank, shape);
  added->content = values;
  if (bits < 64) { /* the lowest bytes come first */
    char *narrow = allocate(added->bytes);
    const size_t each = (size_t)bits / 8;
    for (size_t i = 0; i < added->bytes / each; ++i) {
      memcpy(narrow + i * each, &values[i], each);
    }
    added->content = narrow;
    free(values);
  }
  return added;
}

bench_tensor *bench_add_integers(bench_call *call, bench_place place, int32_t bits, int64_t *values,
                                 int32_t rank, const int64_t *shape) {
  bench_tensor *added = bench_integers(call, place, bits, values, rank, shape);
  bench_add_tensor(call, added);
  return added;
}

void bench_begin_step(bench_call *call, const kvf_op *op) {
  if (call->num_steps == BENCH_MAX_STEPS) {
    fprintf(stderr, "bench: %s has more than %d steps\n", call->variant->op->name, BENCH_MAX_STEPS);
    exit(1);
  }
  call->steps[call->num_steps++] = (bench_step){op, call->num_arguments};
}

bench_tensor *bench_cos_sin(bench_call *call, int64_t positions, int64_t pairs) {
  bench_tensor *added = bench_memory(call, BENCH_NEAR, bench_type(kvf_scalar_of(call->variant)),
                                     BENCH_SHAPE(positions, 2 * pairs));
  const int bits = kvf_dtype_bits(kvf_scalar_of(call->variant));
  const uint16_t one =
      kvf_scalar_of(call->variant) == KVF_F16 ? 0x3C00 : 0x3F80; /* bf16, f32's upper half */
  uint16_t *halves = allocate(added->bytes);
  const int64_t halves_each = bits / 16;
  memset(halves, 0, added->bytes);
  for (int64_t i = 0; i < positions * 2 * pairs; ++i) {
    halves[i * halves_each + halves_each - 1] = i % (2 * pairs) < pairs ? one : 0;
  }
  added->content = halves;
  return added;
}

bench_tensor *bench_ones(bench_call *call, int32_t rank, const int64_t *shape) {
  bench_tensor *added = bench_memory(call, BENCH_NEAR, BENCH_F32, rank, shape);
  float *ones = allocate(added->bytes);
  for (size_t i = 0; i < added->bytes / sizeof *ones; ++i) {
    ones[i] = 1.0f;
  }
  added->content = ones;
  return added;
}

void bench_add_ones(bench_call *call, int32_t rank, const int64_t *shape) {
  bench_add_tensor(call, bench_ones(call, rank, shape));
}

void bench_add_slots(bench_call *call, int64_t tokens, int32_t form) {
  bench_add_integers(call, BENCH_NEAR, 64, bench_order(tokens, form == BENCH_SHUFFLED),
                     BENCH_SHAPE(tokens));
}

void bench_add_list(bench_call *call, DLDataType type, int32_t rank, const int64_t *shape) {
  const DLTensor **list = call->lists[call->num_lists++];
  for (int32_t i = 0; i < BENCH_LAYERS; ++i) {
    list[i] = &bench_memory(call, BENCH_NEAR, type, rank, shape)->tensor;
  }
  pass(call, (kvf_value){KVF_KIND_TENSOR_LIST, {.tensors = {list, BENCH_LAYERS}}});
}

void bench_add_empty_list(bench_call *call) {
  pass(call, (kvf_value){.kind = KVF_KIND_TENSOR_LIST});
}

void bench_add_cache_dtype(bench_call *call) {
  const kvf_variant *variant = call->variant;
  bench_add_string(call, kvf_cache_of(variant) == kvf_scalar_of(variant)
                             ? "auto"
                             : kvf_dtype_name(kvf_cache_of(variant)));
}

void bench_add_string(bench_call *call, const char *string) {
  pass(call, (kvf_value){KVF_KIND_STRING, {.string = string}});
}

void bench_add_int(bench_call *call, int64_t value) {
  pass(call, (kvf_value){KVF_KIND_INT, {.integer = value}});
}

void bench_add_float(bench_call *call, double value) {
  pass(call, (kvf_value){KVF_KIND_FLOAT, {.number = value}});
}

void bench_add_bool(bench_call *call, bool value) {
  pass(call, (kvf_value){KVF_KIND_BOOL, {.boolean = value}});
}

void bench_add_none(bench_call *call) { pass(call, (kvf_value){.kind = KVF_KIND_NONE}); }

void bench_moves(bench_call *call, size_t bytes, double cuda_aim) {
  const kvf_variant *variant = call->variant;
  call->moved = bytes;
  call->aim = variant->backend == KVF_CUDA                      ? cuda_aim
              : kvf_scalar_of(variant) == kvf_cache_of(variant) ? 0.80
                                                                : 0.50;
}
