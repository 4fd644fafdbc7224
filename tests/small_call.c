#include "small_call.h"

#include <string.h>

#include "oracle.h"

enum { SMALL_HEADS = 2, SMALL_SIZE = 64, SMALL_BLOCK = 16 };

const kvf_variant *small_variant(kvf_backend backend) {
  const kvf_op *op = &kvf_op_reshape_and_cache_flash;
  for (int32_t i = 0; i < op->num_variants; ++i) {
    if (op->variants[i].backend == backend && kvf_variant_built(&op->variants[i])) {
      return &op->variants[i];
    }
  }
  skip_test("no variant of %s is built", op->name);
  return NULL;
}

void small_make(small_call *call, const kvf_variant *variant, int64_t tokens, uint64_t seed) {
  *call = (small_call){.variant = variant, .tokens = tokens};
  const int64_t row = SMALL_HEADS * SMALL_SIZE;
  const int64_t scalar = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int64_t cache = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int64_t blocks = tokens / SMALL_BLOCK + 1;
  const int64_t bytes[SMALL_TENSORS] = {tokens * row * scalar,
                                        tokens * row * scalar,
                                        blocks * SMALL_BLOCK * row * cache,
                                        blocks * SMALL_BLOCK * row * cache,
                                        tokens * 8,
                                        4};
  for (int i = 0; i < SMALL_TENSORS; ++i) {
    call->memory[i] = buffer_make(variant->backend, (size_t)bytes[i], seed + (uint64_t)i);
    tensor *view = &call->view[i];
    *view = (tensor){.memory = &call->memory[i]};
    if (i < 2) {
      *view = (tensor){&call->memory[i],
                       0,
                       dl_dtype(kvf_scalar_of(variant)),
                       3,
                       {tokens, SMALL_HEADS, SMALL_SIZE},
                       {row, SMALL_SIZE, 1},
                       {.data = NULL}};
    } else if (i < 4) {
      *view = (tensor){&call->memory[i],
                       0,
                       dl_dtype(kvf_cache_of(variant)),
                       4,
                       {blocks, SMALL_BLOCK, SMALL_HEADS, SMALL_SIZE},
                       {SMALL_BLOCK * row, row, SMALL_SIZE, 1},
                       {.data = NULL}};
    } else if (i == 4) {
      *view = (tensor){&call->memory[i], 0, {kDLInt, 64, 1}, 1, {tokens}, {1}, {.data = NULL}};
      for (int64_t token = 0; token < tokens; ++token) {
        memcpy(call->memory[i].expected + 8 * token, &token, 8);
      }
    } else {
      const float scale = 0.1f;
      *view = (tensor){&call->memory[i], 0, dl_dtype(KVF_F32), 1, {1}, {1}, {.data = NULL}};
      memcpy(call->memory[i].expected, &scale, 4);
    }
    buffer_upload(&call->memory[i]);
  }
}

void small_free(small_call *call) {
  for (int i = 0; i < SMALL_TENSORS; ++i) {
    buffer_free(&call->memory[i]);
  }
}

kvf_status small_run(small_call *call) {
  DLTensor *given[SMALL_TENSORS];
  for (int i = 0; i < SMALL_TENSORS; ++i) {
    given[i] = tensor_dl(&call->view[i]);
    given[i]->device.device_id = call->device;
  }
  return kvf_reshape_and_cache_flash(call->exec, given[0], given[1], given[2], given[3], given[4],
                                     kvf_dtype_name(kvf_cache_of(call->variant)), given[5],
                                     given[5], NULL);
}

static const int in_schema[] = {SMALL_KEY,   SMALL_VALUE, SMALL_KEY_CACHE, SMALL_VALUE_CACHE,
                                SMALL_SLOTS, SMALL_SCALE, SMALL_SCALE};

void small_values(small_call *call, kvf_value values[SMALL_ARGUMENTS]) {
  int32_t next = 0;
  for (int i = 0; i < SMALL_ARGUMENTS; ++i) {
    const char *name = kvf_dtype_name(kvf_cache_of(call->variant));
    values[i] =
        call->variant->op->arguments[i].kind == KVF_KIND_STRING
            ? (kvf_value){KVF_KIND_STRING, {.string = name}}
            : (kvf_value){KVF_KIND_TENSOR, {.tensor = tensor_dl(&call->view[in_schema[next++]])}};
  }
}

int32_t small_data(const small_call *call, void *data[SMALL_DATA]) {
  for (int32_t i = 0; i < SMALL_DATA - 1; ++i) {
    data[i] = call->memory[in_schema[i]].place;
  }
  data[SMALL_DATA - 1] = NULL; /* slot_remap */
  return SMALL_DATA;
}

bool small_check(small_call *call) {
  const int64_t scalar = kvf_dtype_bits(kvf_scalar_of(call->variant)) / 8;
  const int64_t cache = kvf_dtype_bits(kvf_cache_of(call->variant)) / 8;
  for (int side = 0; side < 2; ++side) {
    for (int64_t i = 0; i < call->tokens * SMALL_HEADS * SMALL_SIZE; ++i) {
      oracle_store(kvf_scalar_of(call->variant), kvf_cache_of(call->variant),
                   call->memory[side].expected + i * scalar, 0.1f,
                   call->memory[2 + side].expected + i * cache);
    }
  }
  return small_untouched(call);
}

bool small_untouched(const small_call *call) {
  bool same = true;
  for (int i = 0; i < SMALL_TENSORS; ++i) {
    uint8_t got;
    same = buffer_difference(&call->memory[i], &got) < 0 && same;
  }
  return same;
}
