#include "call_sets.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

static const call_set *filling;

/* Content goes through the host's image. */
static void store(bench_place place, void *to, const void *from, size_t bytes) {
  const buffer *memory = &filling->memory[place];
  memcpy(memory->expected + ((char *)to - (char *)memory->place), from, bytes);
}

void call_set_place(bench_call *call, const call_set *of) {
  char *places[BENCH_PLACES] = {of->memory[BENCH_NEAR].place, of->memory[BENCH_HOST].place};
  bench_place_in(call, places);
}

call_set call_set_make(const bench_call *call, uint64_t seed) {
  call_set made;
  const kvf_backend backend = call->variant->backend;
  const size_t *bytes = call->set_bytes;
  made.memory[BENCH_NEAR] = buffer_make(backend, bytes[BENCH_NEAR] + 64, seed);
  made.memory[BENCH_HOST] = backend == KVF_CUDA
                                ? buffer_make_pinned(bytes[BENCH_HOST] + 64, seed + 1)
                                : buffer_make(KVF_CPU, bytes[BENCH_HOST] + 64, seed + 1);
  char *places[BENCH_PLACES] = {made.memory[BENCH_NEAR].place, made.memory[BENCH_HOST].place};
  filling = &made;
  bench_fill(call, places, store);
  for (int i = 0; i < BENCH_PLACES; ++i) {
    buffer_upload(&made.memory[i]);
  }
  return made;
}

void call_set_free(call_set *of) {
  for (int i = 0; i < BENCH_PLACES; ++i) {
    buffer_free(&of->memory[i]);
  }
}

bool call_sets_same(const bench_call *call, const call_set *a, const call_set *b) {
  bool same = true;
  for (int place = 0; place < BENCH_PLACES; ++place) {
    uint8_t *of_a = buffer_contents(&a->memory[place]);
    uint8_t *of_b = buffer_contents(&b->memory[place]);
    for (int32_t i = 0; i < call->num_tensors; ++i) {
      const bench_tensor *held = &call->tensors[i];
      if ((int)held->place == place && held->target == NULL) {
        same = same && memcmp(of_a + held->offset, of_b + held->offset, held->bytes) == 0;
      }
    }
    free(of_a);
    free(of_b);
  }
  return same;
}

bool call_set_untouched(const call_set *of) {
  uint8_t got;
  return buffer_difference(&of->memory[BENCH_NEAR], &got) < 0 &&
         buffer_difference(&of->memory[BENCH_HOST], &got) < 0;
}

void each_call(int64_t tokens, void (*check)(bench_call *call)) {
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    const kvf_op *op = kvf_get_op(i);
    const bench_op *found = bench_find(op);
    if (!EXPECT(found != NULL, "bench/shared has no call of %s", op->name)) {
      continue;
    }
    for (int32_t k = 0; k < op->num_variants; ++k) {
      const kvf_variant *variant = &op->variants[k];
      for (int32_t form = 0; variant->backend == options.backend && kvf_variant_built(variant) &&
                             found->forms[form] != NULL;
           ++form) {
        bench_call call;
        if (bench_describe(&call, variant, found, form, tokens) && call.num_steps == 0) {
          note_running(variant->symbol);
          check(&call);
          count_case(NULL);
        }
        bench_release(&call);
      }
    }
  }
}
