/*
 * What a call costs beside its work: one token of 8 heads of 128 elements from C, as a call with
 * all checks, as a launch of a params struct, as a prepared call, and the CPU's kernel alone, in
 * turns in one run. Nanoseconds of this thread's own time, the best round of each.
 *
 * bench_call                   on the CPU
 * bench_call cuda              on CUDA, with KVFORGE_LIBCUDA=build/libkvf_nothing_driver.so, since
 *                              the addresses are those of host memory
 * bench_call BACKEND WAY CACHE CALLS    one way on cpu or cuda, so often, without measuring: for a
 *                              tool that counts instructions
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kvforge/op.h"
#include "shared/report.h"

enum { CALLS = 20000, ROUNDS = 60, HEADS = 8, SIZE = 128, BLOCK = 16, TENSORS = 8, ARGUMENTS = 8 };

/* A call of reshape_and_cache_flash in each of its ways. */
typedef struct ways {
  const char *cache_name;
  const char *word; /* kv_cache_dtype, as engines say it */
  kvf_backend backend;
  DLTensor key, value, key_cache, value_cache, slots, scale;
  const kvf_variant *variant;
  kvf_reshape_and_cache_flash_params params;
  kvf_prepared *prepared;
  void *data[TENSORS];
} ways;

static int64_t tokens_shape[] = {1, HEADS, SIZE};
static int64_t pages_shape[] = {4, BLOCK, HEADS, SIZE};
static int64_t slots_shape[] = {1};
static int64_t slot = 37;
static float one = 1.0f;
static _Alignas(64) uint16_t key_memory[HEADS * SIZE], value_memory[HEADS * SIZE];
static _Alignas(64) uint16_t pages_memory[2][4 * BLOCK * HEADS * SIZE];

static void must(kvf_status status) {
  if (status != KVF_OK) {
    (void)fprintf(stderr, "%s\n", kvf_last_error());
    exit(1);
  }
}

static DLTensor tensor(const ways *of, void *data, DLDataType type, int32_t rank, int64_t *shape) {
  const DLDevice device = {of->backend == KVF_CUDA ? kDLCUDA : kDLCPU, 0};
  return (DLTensor){data, device, rank, type, shape, NULL, 0};
}

static kvf_view view_of(const DLTensor *of) {
  kvf_view view = {.data = of->data};
  int64_t stride = 1;
  for (int32_t i = of->ndim - 1; i >= 0; --i) {
    view.stride[i] = stride;
    stride *= of->shape[i];
  }
  return view;
}

static void make(ways *of, kvf_dtype cache) {
  const DLDataType bf16 = {kDLBfloat, 16, 1};
  const DLDataType pages = cache == KVF_BF16 ? bf16 : (DLDataType){kDLUInt, 8, 1};
  of->cache_name = kvf_dtype_name(cache);
  of->word = cache == KVF_BF16 ? "auto" : "fp8";
  of->key = tensor(of, key_memory, bf16, 3, tokens_shape);
  of->value = tensor(of, value_memory, bf16, 3, tokens_shape);
  of->key_cache = tensor(of, pages_memory[0], pages, 4, pages_shape);
  of->value_cache = tensor(of, pages_memory[1], pages, 4, pages_shape);
  of->slots = tensor(of, &slot, (DLDataType){kDLInt, 64, 1}, 1, slots_shape);
  of->scale = tensor(of, &one, (DLDataType){kDLFloat, 32, 1}, 0, NULL);
  of->variant = kvf_select(&kvf_op_reshape_and_cache_flash, of->backend, KVF_BF16, cache);
  if (of->variant == NULL) {
    must(KVF_NOT_BUILT);
  }
  of->params = (kvf_reshape_and_cache_flash_params){
      .key = view_of(&of->key),
      .value = view_of(&of->value),
      .key_cache = view_of(&of->key_cache),
      .value_cache = view_of(&of->value_cache),
      .k_scale = {.data = &one},
      .v_scale = {.data = &one},
      .slots = {.mapping = &slot,
                .stride = 1,
                .index_bytes = 8,
                .num_tokens = 1,
                .num_blocks = pages_shape[0],
                .block_size = BLOCK,
                .by_block_size = kvf_make_divider(BLOCK)},
      .num_heads = HEADS,
      .head_size = SIZE,
      .value_head_size = SIZE,
  };
  const DLTensor *const given[] = {&of->key,   &of->value, &of->key_cache, &of->value_cache,
                                   &of->slots, NULL,       &of->scale,     &of->scale};
  kvf_value values[ARGUMENTS];
  int32_t count = 0;
  for (int i = 0; i < ARGUMENTS; ++i) {
    values[i] = given[i] != NULL ? (kvf_value){KVF_KIND_TENSOR, {.tensor = given[i]}}
                                 : (kvf_value){KVF_KIND_STRING, {.string = of->word}};
    if (given[i] != NULL) {
      of->data[count++] = given[i]->data;
    }
  }
  must(kvf_prepare_call(&kvf_op_reshape_and_cache_flash, NULL, values, ARGUMENTS, &of->prepared));
}

/* ---- the ways
 * ------------------------------------------------------------------------------------ */

static kvf_status run_call(ways *of) {
  return kvf_reshape_and_cache_flash(NULL, &of->key, &of->value, &of->key_cache, &of->value_cache,
                                     &of->slots, of->word, &of->scale, &of->scale, NULL);
}

static kvf_status run_launch(ways *of) {
  return kvf_launch_reshape_and_cache_flash(NULL, of->variant, &of->params);
}

static kvf_status run_prepared(ways *of) {
  return kvf_run_prepared(of->prepared, NULL, of->data, TENSORS);
}

static kvf_status run_kernel(ways *of) {
  of->variant->cpu[kvf_cpu_isa()](&of->params, 0, 1);
  return KVF_OK;
}

static const struct {
  const char *name;
  kvf_status (*run)(ways *of);
} all[] = {
    {"call", run_call}, {"launch", run_launch}, {"prepared", run_prepared}, {"kernel", run_kernel}};
enum { WAYS = sizeof all / sizeof *all };

static void repeat(ways *of, int way, long calls) {
  for (long i = 0; i < calls; ++i) {
    must(all[way].run(of));
  }
}

static void measure(ways *of) {
  const int num_ways = of->backend == KVF_CUDA ? WAYS - 1 : WAYS;
  double best[WAYS] = {INFINITY, INFINITY, INFINITY, INFINITY};
  for (int round = 0; round < ROUNDS; ++round) {
    for (int way = 0; way < num_ways; ++way) {
      const double begin = bench_thread_seconds();
      repeat(of, way, CALLS);
      best[way] = fmin(best[way], (bench_thread_seconds() - begin) / CALLS * 1e9);
    }
  }
  printf("one token, bf16 to %-8s", of->cache_name);
  for (int way = 0; way < num_ways; ++way) {
    printf("  %s %.0f ns", all[way].name, best[way]);
  }
  printf("\n");
}

int main(int argc, char **argv) {
  static const kvf_dtype caches[] = {KVF_BF16, KVF_FP8_E4M3};
  for (size_t i = 0; i < sizeof caches / sizeof *caches; ++i) {
    ways of = {.backend = argc > 1 && strcmp(argv[1], "cuda") == 0 ? KVF_CUDA : KVF_CPU};
    make(&of, caches[i]);
    if (argc <= 2) {
      measure(&of);
    }
    for (int way = 0; argc == 5 && way < WAYS; ++way) {
      if (strcmp(argv[2], all[way].name) == 0 && strcmp(argv[3], of.cache_name) == 0) {
        repeat(&of, way, strtol(argv[4], NULL, 10));
      }
    }
    kvf_free_prepared(of.prepared);
  }
  return 0;
}
