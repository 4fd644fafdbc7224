#include "writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "kvforge/op.h"
#include "oracle.h"

const char *const writer_argument_names[TENSORS] = {
    "key", "value", "key_cache", "value_cache", "slot_mapping", "k_scale", "v_scale"};

/* ---- axis values
 * --------------------------------------------------------------------------------- */

static const int heads_of[] = {1, 5, 8, 40, 128};
static const int head_size_of[] = {46, 64, 80, 128, 256, 576};
static const int block_size_of[] = {1, 8, 16, 32, 48};
static const int tokens_of[] = {0, 1, 42, 1025};

enum {
  SOURCE_CONTIGUOUS,
  SOURCE_QKV_PACKED,
  SOURCE_PADDED,
  SOURCE_PADDED_ALIGNED,
  SOURCE_HEADS_FIRST,
  SOURCE_STRIDED,
  SOURCE_BROADCAST,
  SOURCE_REVERSED,
  SOURCES
};

enum {
  SLOTS_RANDOM,
  SLOTS_WITH_PADDING,
  SLOTS_CONSECUTIVE,
  SLOTS_ALL_SKIPPED,
  SLOTS_FIRST_AND_LAST,
  SLOTS_DESCENDING,
  SLOT_KINDS
};

enum { INDEX_INT64, INDEX_INT32, INDEX_INT64_STRIDED, INDEX_INT32_STRIDED, INDEX_KINDS };

enum {
  SCALE_ONE,
  SCALE_TENTH,
  SCALE_POWER,
  SCALE_EXTREME_POWER,
  SCALE_TINY,
  SCALE_ZERO,
  SCALE_INFINITE,
  SCALE_STRANGE,
  SCALE_PER_HEAD,
  SCALE_KEY_PER_HEAD,
  SCALE_VALUE_PER_HEAD,
  SCALE_KINDS
};

enum {
  VALUES_NORMAL,
  VALUES_ZEROS,
  VALUES_SUBNORMAL,
  VALUES_TIES,
  VALUES_LARGE,
  VALUES_SPECIAL,
  VALUES_PATTERNS,
  VALUES_BITS,
  VALUE_KINDS
};

enum { EXEC_NULL, EXEC_ONE_THREAD, EXEC_OWN_STREAM, EXEC_KINDS };

static int bytes_of(kvf_dtype dtype) { return kvf_dtype_bits(dtype) / 8; }

/* ---- layouts
 * ------------------------------------------------------------------------------------- */

int64_t lay_out(int64_t *stride, const int64_t *shape, const char *order, int64_t inner,
                int64_t pad) {
  int64_t span = inner;
  for (int i = (int)strlen(order) - 1; i >= 0; --i) {
    const int dimension = order[i] - '0';
    stride[dimension] = span;
    span = span * (shape[dimension] > 0 ? shape[dimension] : 1) + pad;
  }
  return span;
}

void lay_out_aligned(int64_t *stride, const int64_t *shape, const char *order, int64_t pad) {
  int64_t span = 1;
  for (int i = (int)strlen(order) - 1; i >= 0; --i) {
    const int dimension = order[i] - '0';
    stride[dimension] = span;
    span = (span * (shape[dimension] > 0 ? shape[dimension] : 1) + 15) / 16 * 16 + pad;
  }
}

static placement lay_out_source(int layout, const int64_t shape[5]) {
  placement place = {.shared = false};
  int64_t *key = place.stride[0];
  int64_t *value = place.stride[1];
  const int64_t row = shape[1] * shape[2];
  lay_out(key, shape, "012", 1, 0);
  lay_out(value, shape, "012", 1, 0);
  switch (layout) {
  case SOURCE_QKV_PACKED:
    key[0] = value[0] = 3 * row;
    place.shared = true;
    place.value_start = row;
    break;
  case SOURCE_PADDED:
    lay_out(key, shape, "012", 1, 3);
    lay_out(value, shape, "012", 1, 5);
    break;
  case SOURCE_PADDED_ALIGNED:
    lay_out_aligned(key, shape, "012", 16);
    lay_out_aligned(value, shape, "012", 48);
    break;
  case SOURCE_HEADS_FIRST:
    lay_out(key, shape, "102", 1, 0);
    lay_out(value, shape, "102", 1, 0);
    break;
  case SOURCE_STRIDED:
    lay_out(key, shape, "012", 2, 0);
    lay_out(value, shape, "012", 3, 0);
    break;
  case SOURCE_BROADCAST: /* one key head for all, as for multi-query models */
    key[1] = 0;
    break;
  case SOURCE_REVERSED:
    key[0] = -key[0];
    value[1] = -value[1];
    break;
  default:
    break;
  }
  return place;
}

/* First and last element of a view, relative to element 0. */
static void extent(const tensor *view, int64_t *first, int64_t *last) {
  *first = *last = 0;
  for (int i = 0; i < view->rank; ++i) {
    const int64_t reach = view->shape[i] > 0 ? (view->shape[i] - 1) * view->stride[i] : 0;
    *(reach < 0 ? first : last) += reach;
  }
}

/* Makes memory for a pair of views and places them `offset` bytes from a multiple of 16. */
static void place_pair(writer_call *call, int which, const placement *place, int32_t bytes,
                       const int offset[SIDES], int64_t guard, uint64_t seed) {
  int64_t first[SIDES];
  int64_t last[SIDES];
  for (int side = 0; side < SIDES; ++side) {
    extent(&call->view[which + side], &first[side], &last[side]);
  }
  if (place->shared) {
    const int64_t shift = place->value_start;
    first[0] = first[0] < first[1] + shift ? first[0] : first[1] + shift;
    last[0] = last[0] > last[1] + shift ? last[0] : last[1] + shift;
  }
  for (int side = 0; side < SIDES; ++side) {
    tensor *view = &call->view[which + side];
    if (side == 1 && place->shared) {
      view->memory = &call->memory[which];
      view->start = call->view[which].start + place->value_start * bytes;
      break;
    }
    const int64_t lead = -first[side] * bytes;
    view->start = guard + lead + (16 + offset[side] - lead % 16) % 16;
    call->memory[which + side] =
        buffer_make(call->exec.backend, (size_t)(view->start + (last[side] + 1) * bytes + guard),
                    seed + (uint64_t)side);
    view->memory = &call->memory[which + side];
  }
}

/* ---- contents
 * ------------------------------------------------------------------------------------ */

enum { POOL = 65536 };

/* The i-th element of a kind. */
static void make_value(kvf_dtype scalar, int kind, int i, uint64_t *state, uint8_t *element) {
  static const double large[] = {448, 464, 480, 447, 449, 57344, 61440, 61439, 65504, 1e30, 3e38};
  const uint64_t random = random_next(state);
  const double sign = random & 1 ? -1.0 : 1.0;
  uint32_t bits = (uint32_t)(random >> 32);
  double value = random_normal(state);
  switch (kind) {
  case VALUES_ZEROS:
    value = random & 6 ? sign * 0.0 : value;
    break;
  case VALUES_SUBNORMAL: /* of the scalar dtype and of fp8 */
    if (random & 2) {
      bits &= scalar == KVF_F32 ? 0x807FFFFFu : scalar == KVF_F16 ? 0x83FFu : 0x807Fu;
      memcpy(element, &bits, (size_t)bytes_of(scalar));
      return;
    }
    value = ldexp(value, -(int)(random >> 2 & 15) - 4);
    break;
  case VALUES_TIES: { /* half way between neighbours of a format */
    if (random & 8) {
      value = sign * ((double)(random >> 4 & 127) + 0.5);
      break;
    }
    const kvf_dtype format = random & 2 ? KVF_FP8_E4M3 : KVF_FP8_E5M2;
    const uint8_t code = (uint8_t)(i % oracle_fp8_largest(format));
    value = sign * 0.5 *
            (oracle_fp8_value(format, code) + oracle_fp8_value(format, (uint8_t)(code + 1)));
    break;
  }
  case VALUES_LARGE:
    value = sign * large[i % (int)TEST_COUNT(large)];
    break;
  case VALUES_SPECIAL:
    value = random & 2 ? sign * (double)INFINITY : value;
    if (random & 4) { /* NaN with some payload, which copies must keep */
      bits |= scalar == KVF_F32 ? 0x7F800001u : scalar == KVF_F16 ? 0x7C01u : 0x7F81u;
      memcpy(element, &bits, (size_t)bytes_of(scalar));
      return;
    }
    break;
  case VALUES_PATTERNS:
    bits = scalar == KVF_F32 ? (uint32_t)i << 16 | (bits & 0xFFFFu) : (uint32_t)i;
    memcpy(element, &bits, (size_t)bytes_of(scalar));
    return;
  case VALUES_BITS:
    memcpy(element, &bits, (size_t)bytes_of(scalar));
    return;
  default:
    break;
  }
  oracle_make(scalar, value, element);
}

/* All elements of a buffer, from a pool of 65,536 values. */
static void fill_values(buffer *memory, int64_t start, kvf_dtype scalar, int kind, uint64_t seed) {
  static uint8_t *pools[KVF_DTYPE_COUNT][VALUE_KINDS];
  const size_t bytes = (size_t)bytes_of(scalar);
  uint8_t **pool = &pools[scalar][kind];
  if (*pool == NULL) {
    uint64_t state = (uint64_t)(scalar * VALUE_KINDS + kind);
    *pool = malloc(POOL * bytes);
    for (int i = 0; i < POOL; ++i) {
      make_value(scalar, kind, i, &state, *pool + (size_t)i * bytes);
    }
  }
  /* The first element of the view is one of the first in the pool, so that short runs vary too. */
  size_t from = (size_t)(random_next(&seed) % POOL) * bytes;
  for (size_t at = (size_t)start % bytes; at + bytes <= memory->size;) {
    size_t length = POOL * bytes - from;
    const size_t rest = (memory->size - at) / bytes * bytes;
    length = length < rest ? length : rest;
    memcpy(memory->expected + at, *pool + from, length);
    at += length;
    from = 0;
  }
}

void writer_set_slot(const writer_call *call, int64_t token, int64_t slot) {
  const tensor *view = &call->view[SLOT_MAPPING];
  const int64_t bytes = view->dtype.bits / 8;
  memcpy(call->memory[SLOT_MAPPING].expected + view->start + token * view->stride[0] * bytes, &slot,
         (size_t)bytes);
}

static int64_t get_slot(const writer_call *call, int64_t token) {
  const tensor *view = &call->view[SLOT_MAPPING];
  const int64_t bytes = view->dtype.bits / 8;
  const uint8_t *at =
      call->memory[SLOT_MAPPING].expected + view->start + token * view->stride[0] * bytes;
  int64_t slot = 0;
  int32_t narrow = 0;
  memcpy(bytes == 8 ? (void *)&slot : (void *)&narrow, at, (size_t)bytes);
  return bytes == 8 ? slot : narrow;
}

static void fill_slots(writer_call *call, int kind, uint64_t *state) {
  const int64_t tokens = call->sizes.tokens;
  const int64_t capacity = call->sizes.num_blocks * call->sizes.block_size;
  const bool wide = call->view[SLOT_MAPPING].dtype.bits == 64;
  int64_t *order = malloc((size_t)(capacity + 1) * sizeof *order);
  for (int64_t i = 0; i < capacity; ++i) {
    const int64_t j = random_below(state, i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  const int64_t first = random_below(state, capacity - tokens + 1);
  for (int64_t i = 0; kind != SLOTS_RANDOM && kind != SLOTS_WITH_PADDING && i < tokens; ++i) {
    order[i] = kind == SLOTS_DESCENDING ? first + tokens - 1 - i : first + i;
  }
  if (kind == SLOTS_FIRST_AND_LAST) {
    order[0] = tokens % 2 ? capacity - 1 : 0;
    for (int64_t i = 1; i < tokens; ++i) {
      order[i] = tokens % 2 ? i - 1 : capacity - i;
    }
  }
  for (int64_t i = 0; i < tokens; ++i) {
    int64_t slot = order[i];
    if (kind == SLOTS_ALL_SKIPPED || (kind == SLOTS_WITH_PADDING && random_below(state, 3) == 0)) {
      const int64_t negative[] = {-1, -1, -7, wide ? INT64_MIN : INT32_MIN};
      slot = negative[random_below(state, 4)];
    }
    writer_set_slot(call, i, slot);
  }
  free(order);
}

/* The scale of a head on one side; *single tells whether one holds for all heads. */
static float scale_value(int kind, int side, int64_t head, bool *single) {
  const bool per_head = kind == SCALE_PER_HEAD || (kind == SCALE_KEY_PER_HEAD && side == 0) ||
                        (kind == SCALE_VALUE_PER_HEAD && side == 1);
  const bool on_cuda = options.backend == KVF_CUDA;
  *single = !per_head;
  if (per_head) {
    static const float scales[] = {1.0f, 0.1f, 0.5f, 3e-3f, 7.0f, 1e-30f, 0x1p-126f};
    return scales[(head + 3 * side) % (int64_t)TEST_COUNT(scales)] * (side ? 1.5f : 1.0f);
  }
  switch (kind) {
  case SCALE_TENTH:
    return side ? 0.3f : 0.1f;
  case SCALE_POWER:
    return side ? 8.0f : 0.25f;
  case SCALE_EXTREME_POWER: /* the reciprocal is no normal number */
    return side ? 0x1p127f : on_cuda ? 0x1p-130f : 0x1p-126f;
  case SCALE_TINY:
    return side ? 1.7e-30f : 1e-30f;
  case SCALE_ZERO: /* from here on what the CPU refuses is IEEE arithmetic on CUDA */
    return !on_cuda ? 0x1p-126f : side ? -0.0f : 0.0f;
  case SCALE_INFINITE:
    return !on_cuda ? 3e38f : side ? -INFINITY : INFINITY;
  case SCALE_STRANGE:
    return !on_cuda ? 1.1f : side ? NAN : -0.1f;
  case SCALE_KEY_PER_HEAD:
  case SCALE_VALUE_PER_HEAD:
    return 0.7f;
  default:
    return 1.0f;
  }
}

static void build_scales(writer_call *call, int kind) {
  for (int side = 0; side < SIDES; ++side) {
    tensor *view = &call->view[K_SCALE + side];
    buffer *memory = &call->memory[K_SCALE + side];
    bool single;
    (void)scale_value(kind, side, 0, &single);
    const int64_t count = single ? 1 : call->sizes.num_heads;
    const int64_t stride = kind == SCALE_KEY_PER_HEAD ? 2 : 1;
    *view = (tensor){.memory = memory,
                     .dtype = dl_dtype(KVF_F32),
                     .rank = kind == SCALE_VALUE_PER_HEAD && single ? 0 : 1,
                     .shape = {count},
                     .stride = {stride}};
    *memory = buffer_make(call->exec.backend, (size_t)(((count - 1) * stride + 1) * 4), 7);
    for (int64_t head = 0; head < count; ++head) {
      const float scale = scale_value(kind, side, head, &single);
      memcpy(memory->expected + head * stride * 4, &scale, 4);
    }
  }
}

/* ---- a call
 * -------------------------------------------------------------------------------------- */

static const char *spell_cache(const kvf_variant *variant, int spelling) {
  static const char *const torch_names[] = {
      [KVF_F32] = "float32", [KVF_F16] = "float16", [KVF_BF16] = "bfloat16"};
  if (kvf_cache_of(variant) == kvf_scalar_of(variant)) {
    return spelling == 0   ? "auto"
           : spelling == 1 ? torch_names[kvf_cache_of(variant)]
                           : kvf_dtype_name(kvf_cache_of(variant));
  }
  return kvf_cache_of(variant) == KVF_FP8_E4M3 && spelling == 0
             ? "fp8"
             : kvf_dtype_name(kvf_cache_of(variant));
}

static void *test_stream(void) {
  static void *stream;
  if (stream == NULL) {
    const int code = cuda.stream_create(&stream, 1); /* does not wait for the default stream */
    EXPECT(code == 0, "cuStreamCreate: %s", cuda_error(code));
  }
  return stream;
}

void writer_build(writer_call *call, const writer_op *op, const writer_case *what) {
  const kvf_variant *variant = what->variant;
  const int scalar_bytes = bytes_of(kvf_scalar_of(variant));
  const int cache_bytes = bytes_of(kvf_cache_of(variant));
  uint64_t state = what->seed;
  const int64_t pages = (what->tokens + what->block_size - 1) / what->block_size;
  const int x = op->num_x ? op->x_choices[what->value[X]] : 1;
  *call = (writer_call){
      .op = op,
      .variant = variant,
      .exec = {.backend = variant->backend},
      .kv_cache_dtype = spell_cache(variant, what->value[SPELLING]),
      .sizes = {.rows = what->tokens + (what->value[ROWS] ? 3 : 0),
                .tokens = what->tokens,
                .num_heads = what->heads,
                .head_size = what->head_size,
                .value_head_size = what->value_head_size ? what->value_head_size : what->head_size,
                .num_blocks = pages + 2,
                .block_size = what->block_size,
                .x = x == 0  ? 16 / cache_bytes
                     : x < 0 ? what->head_size
                             : x},
  };
  while (op->x_divides_pages && call->sizes.block_size % call->sizes.x != 0) {
    --call->sizes.x;
  }
  if (what->value[EXEC] != EXEC_NULL) {
    call->given_exec = &call->exec;
    call->exec.num_threads = what->value[EXEC] == EXEC_ONE_THREAD ? 1 : 3;
    if (variant->backend == KVF_CUDA && what->value[EXEC] == EXEC_OWN_STREAM) {
      call->exec.stream = test_stream();
    }
  }
  const writer_sizes *sizes = &call->sizes;

  const int64_t source_shape[SIDES][5] = {{sizes->rows, sizes->num_heads, sizes->head_size},
                                          {sizes->rows, sizes->num_heads, sizes->value_head_size}};
  placement source = lay_out_source(what->value[SOURCE], source_shape[0]);
  if (sizes->value_head_size != sizes->head_size) {
    memcpy(source.stride[1], lay_out_source(what->value[SOURCE], source_shape[1]).stride[1],
           sizeof source.stride[1]);
  }
  int64_t cache_shape[SIDES][5] = {{0}};
  op->shape(sizes, cache_shape);
  const placement cache = op->layout(what->value[LAYOUT], sizes, (const int64_t (*)[5])cache_shape);
  const bool as_uint8 =
      kvf_cache_of(variant) != kvf_scalar_of(variant) && what->value[SPELLING] != 1;
  for (int side = 0; side < SIDES; ++side) {
    tensor *view = &call->view[KEY + side];
    *view = (tensor){.dtype = dl_dtype(kvf_scalar_of(variant)), .rank = 3};
    memcpy(view->shape, source_shape[side], sizeof view->shape);
    memcpy(view->stride, source.stride[side], sizeof view->stride);
    view = &call->view[KEY_CACHE + side];
    *view = (tensor){
        .dtype = as_uint8 ? (DLDataType){kDLUInt, 8, 1} : dl_dtype(kvf_cache_of(variant)),
        .rank = op->rank[side],
    };
    memcpy(view->shape, cache_shape[side], sizeof view->shape);
    memcpy(view->stride, cache.stride[side], sizeof view->stride);
  }
  place_pair(call, KEY, &source, scalar_bytes, what->source_offset, 0, state);
  place_pair(call, KEY_CACHE, &cache, cache_bytes, what->cache_offset, 64, state + 2);
  for (int side = 0; side < SIDES; ++side) {
    if (call->memory[KEY + side].expected != NULL) {
      fill_values(&call->memory[KEY + side], call->view[KEY + side].start, kvf_scalar_of(variant),
                  what->value[VALUES], state + 4 + (uint64_t)side);
    }
  }

  const int index = what->value[INDEX];
  const int64_t index_bytes = index == INDEX_INT64 || index == INDEX_INT64_STRIDED ? 8 : 4;
  const int64_t index_stride = index == INDEX_INT64_STRIDED   ? 3
                               : index == INDEX_INT32_STRIDED ? 2
                                                              : 1;
  call->view[SLOT_MAPPING] = (tensor){
      .memory = &call->memory[SLOT_MAPPING],
      .start = (int64_t)(what->seed % 2) * index_bytes,
      .dtype = {kDLInt, (uint8_t)(8 * index_bytes), 1},
      .rank = 1,
      .shape = {sizes->tokens},
      .stride = {index_stride},
  };
  const int64_t spans = sizes->tokens ? (sizes->tokens - 1) * index_stride + 1 : 0;
  call->memory[SLOT_MAPPING] = buffer_make(
      variant->backend, (size_t)(call->view[SLOT_MAPPING].start + spans * index_bytes), state + 6);
  fill_slots(call, what->value[SLOTS], &state);
  build_scales(call, what->value[SCALE]);
  for (int i = 0; i < TENSORS; ++i) {
    if (call->memory[i].expected != NULL) {
      buffer_upload(&call->memory[i]);
    }
  }
}

void writer_free(writer_call *call) {
  for (int i = 0; i < TENSORS; ++i) {
    buffer_free(&call->memory[i]);
  }
}

static void expect_token(const writer_call *call, int64_t token, int64_t slot) {
  const kvf_variant *variant = call->variant;
  const writer_sizes *sizes = &call->sizes;
  const int64_t block = slot / sizes->block_size;
  const int64_t offset = slot % sizes->block_size;
  const int64_t scalar_bytes = bytes_of(kvf_scalar_of(variant));
  const int64_t cache_bytes = bytes_of(kvf_cache_of(variant));
  for (int side = 0; side < SIDES; ++side) {
    const tensor *source = &call->view[KEY + side];
    const tensor *cache = &call->view[KEY_CACHE + side];
    const tensor *scales = &call->view[K_SCALE + side];
    const bool single = scales->rank == 0 || scales->shape[0] == 1;
    const int64_t size = side ? sizes->value_head_size : sizes->head_size;
    for (int64_t head = 0; head < sizes->num_heads; ++head) {
      float scale;
      memcpy(&scale,
             scales->memory->expected + scales->start + (single ? 0 : head * scales->stride[0] * 4),
             4);
      for (int64_t element = 0; element < size; ++element) {
        const int64_t from =
            token * source->stride[0] + head * source->stride[1] + element * source->stride[2];
        const int64_t to = call->op->at(cache, side, block, offset, head, element);
        oracle_store(kvf_scalar_of(variant), kvf_cache_of(variant),
                     source->memory->expected + source->start + from * scalar_bytes, scale,
                     cache->memory->expected + cache->start + to * cache_bytes);
      }
    }
  }
}

static void expect_tokens(const void *params, int64_t begin, int64_t end) {
  const writer_call *call = params;
  const int64_t capacity = call->sizes.num_blocks * call->sizes.block_size;
  for (int64_t token = begin; token < end; ++token) {
    const int64_t slot = get_slot(call, token);
    if (slot >= 0 && slot < capacity) {
      expect_token(call, token, slot);
    }
  }
}

/* No slot occurs twice, so tokens are independent. */
void writer_expect(writer_call *call) {
  kvf_parallel_for(expect_tokens, call, call->sizes.tokens,
                   call->sizes.num_heads * call->sizes.head_size * (int64_t)sizeof(float), 0);
}

kvf_view writer_view(const writer_call *call, int which) {
  const tensor *view = &call->view[which];
  kvf_view made = {.data = (uint8_t *)view->memory->place + view->start};
  memcpy(made.stride, view->stride, sizeof made.stride);
  if (which >= K_SCALE) {
    if (view->rank == 0 || view->shape[0] == 1) {
      made.stride[0] = 0;
    }
    if (kvf_scalar_of(call->variant) == kvf_cache_of(call->variant)) {
      made.data = NULL;
    }
  }
  return made;
}

kvf_slots writer_slots(const writer_call *call) {
  return (kvf_slots){
      .mapping = writer_view(call, SLOT_MAPPING).data,
      .stride = call->view[SLOT_MAPPING].stride[0],
      .index_bytes = call->view[SLOT_MAPPING].dtype.bits / 8,
      .num_tokens = call->sizes.tokens,
      .num_blocks = call->sizes.num_blocks,
      .block_size = call->sizes.block_size,
  };
}

/* Whether NULL strides would mean the same. */
static bool compact(const tensor *view) {
  int64_t want = 1;
  for (int i = view->rank - 1; i >= 0; --i) {
    if (view->stride[i] != want) {
      return false;
    }
    want *= view->shape[i];
  }
  return true;
}

kvf_status writer_call_boxed(const writer_op *op, const kvf_exec *exec,
                             const DLTensor *const argument[TENSORS], const char *kv_cache_dtype) {
  kvf_value values[TENSORS + 2];
  int count = 0;
  for (int i = 0; i < TENSORS; ++i) {
    if (i == K_SCALE) {
      values[count++] = (kvf_value){.kind = KVF_KIND_STRING, .as.string = kv_cache_dtype};
    }
    values[count++] = (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = argument[i]};
  }
  if (op->op->num_arguments > count + 1) { /* beside slot_remap */
    values[count++] = (kvf_value){.kind = KVF_KIND_BOOL, .as.boolean = op->flag};
  }
  return kvf_call(op->op, exec, values, count);
}

kvf_status writer_invoke(writer_call *call, int entry, bool null_strides) {
  if (entry == ENTRY_RAW) {
    return call->op->raw(call->given_exec, call->variant, call);
  }
  DLTensor *argument[TENSORS];
  for (int i = 0; i < TENSORS; ++i) {
    argument[i] = tensor_dl(&call->view[i]);
    if (null_strides && compact(&call->view[i])) {
      argument[i]->strides = NULL;
    }
    if (null_strides) {
      argument[i]->data = (uint8_t *)argument[i]->data + argument[i]->byte_offset;
      argument[i]->byte_offset = 0;
    }
  }
  if (null_strides && call->sizes.rows == 0) {
    argument[KEY]->data = argument[VALUE]->data = argument[SLOT_MAPPING]->data = NULL;
  }
  if (entry == ENTRY_BOXED) {
    return writer_call_boxed(call->op, call->given_exec, (const DLTensor *const *)argument,
                             call->kv_cache_dtype);
  }
  return call->op->typed(call->given_exec, argument[KEY], argument[VALUE], argument[KEY_CACHE],
                         argument[VALUE_CACHE], argument[SLOT_MAPPING], call->kv_cache_dtype,
                         argument[K_SCALE], argument[V_SCALE], NULL);
}

bool writer_verify(const writer_call *call, const char *what) {
  bool same = true;
  for (int i = 0; i < TENSORS; ++i) {
    if (call->memory[i].expected == NULL) {
      continue;
    }
    uint8_t got = 0;
    const int64_t at = buffer_difference(&call->memory[i], &got);
    same = EXPECT(at < 0,
                  "%s: memory of %s: byte %lld (of %zu, element 0 at %lld) is 0x%02X, want 0x%02X",
                  what, writer_argument_names[i], (long long)at, call->memory[i].size,
                  (long long)call->view[i].start, got, at < 0 ? 0 : call->memory[i].expected[at]) &&
           same;
  }
  return same;
}

/* ---- cases
 * --------------------------------------------------------------------------------------- */

static void describe(const writer_case *what, char text[static 400]) {
  const int *value = what->value;
  (void)snprintf(text, 400,
                 "%s heads=%d size=%d block=%d tokens=%d layout=%d source=%d offsets=%d,%d>%d,%d "
                 "slots=%d index=%d rows=%d scale=%d values=%d entry=%d exec=%d spelling=%d x=%d "
                 "seed=%llu",
                 what->variant->symbol, (int)what->heads, (int)what->head_size,
                 (int)what->block_size, (int)what->tokens, value[LAYOUT], value[SOURCE],
                 what->source_offset[0], what->source_offset[1], what->cache_offset[0],
                 what->cache_offset[1], value[SLOTS], value[INDEX], value[ROWS], value[SCALE],
                 value[VALUES], value[ENTRY], value[EXEC], value[SPELLING], value[X],
                 (unsigned long long)what->seed);
}

/* The emulated driver runs threads in an order of its own choice: let cases see them all. */
static void vary_order(uint64_t seed) {
  static const char *const orders[] = {"forward", "reverse", "random"};
  (void)setenv("KVF_EMULATOR_ORDER", orders[seed % TEST_COUNT(orders)], 1);
}

static bool run_case(const writer_op *op, const writer_case *what) {
  char text[400];
  describe(what, text);
  note_running(text);
  writer_call call;
  writer_build(&call, op, what);
  uint64_t before = 0;
  uint64_t after = 0;
  if (what->variant->backend == KVF_CUDA) {
    vary_order(what->seed);
    EXPECT_STATUS(kvf_cuda_fault_count(0, &before), KVF_OK);
  }
  const kvf_status status = writer_invoke(&call, what->value[ENTRY], what->seed % 3 == 0);
  bool good =
      EXPECT(status == KVF_OK, "%s: %s: %s", text, kvf_status_name(status), kvf_last_error());
  if (what->variant->backend == KVF_CUDA) {
    const char *wrong = memory_synchronize(KVF_CUDA);
    good = EXPECT(wrong == NULL, "%s: %s", text, wrong) && good;
    EXPECT_STATUS(kvf_cuda_fault_count(0, &after), KVF_OK);
    good = EXPECT(before == after, "%s: %llu slots counted as out of range", text,
                  (unsigned long long)(after - before)) &&
           good;
  }
  if (good) {
    writer_expect(&call);
    good = writer_verify(&call, text);
  }
  writer_free(&call);
  count_case(what->variant);
  return good;
}

static double elements(const covering_row *row, const void *context) {
  (void)context;
  return (double)heads_of[row->value[HEADS]] * head_size_of[row->value[HEAD_SIZE]] *
         tokens_of[row->value[TOKENS]];
}

/* Sizes of the axes; `aligned` keeps addresses on multiples of 16, or of a few elements. */
static covering axes_of(const writer_op *op, const kvf_variant *variant, bool aligned) {
  covering plan = {.num_axes = AXES, .cost = elements};
  const int sizes[AXES] = {
      [HEADS] = TEST_COUNT(heads_of),
      [HEAD_SIZE] = TEST_COUNT(head_size_of),
      [BLOCK_SIZE] = TEST_COUNT(block_size_of),
      [TOKENS] = TEST_COUNT(tokens_of),
      [LAYOUT] = op->num_layouts,
      [SOURCE] = SOURCES,
      [SOURCE_OFFSET] = aligned ? 2 : 16 / bytes_of(kvf_scalar_of(variant)),
      [CACHE_OFFSET] = aligned ? 2 : 16 / bytes_of(kvf_cache_of(variant)),
      [SLOTS] = SLOT_KINDS,
      [INDEX] = INDEX_KINDS,
      [ROWS] = 2,
      [SCALE] = SCALE_KINDS,
      [VALUES] = VALUE_KINDS,
      [ENTRY] = ENTRIES,
      [EXEC] = EXEC_KINDS,
      [SPELLING] = 3,
      [X] = op->num_x ? op->num_x : 1,
  };
  memcpy(plan.sizes, sizes, sizeof sizes);
  return plan;
}

static writer_case case_of(const kvf_variant *variant, const int value[AXES], bool aligned,
                           uint64_t seed) {
  writer_case what = {.variant = variant,
                      .heads = heads_of[value[HEADS]],
                      .head_size = head_size_of[value[HEAD_SIZE]],
                      .block_size = block_size_of[value[BLOCK_SIZE]],
                      .tokens = tokens_of[value[TOKENS]],
                      .seed = seed};
  memcpy(what.value, value, sizeof what.value);
  for (int side = 0; side < SIDES; ++side) {
    if (aligned) {
      what.source_offset[side] = value[SOURCE_OFFSET] * 8;
      what.cache_offset[side] = value[CACHE_OFFSET] * 4;
      continue;
    }
    /* V is aligned as K half of the time. */
    const bool other = side == 1 && random_below(&seed, 2);
    const int scalar = bytes_of(kvf_scalar_of(variant));
    const int cache = bytes_of(kvf_cache_of(variant));
    what.source_offset[side] =
        scalar * (other ? (int)random_below(&seed, 16 / scalar) : value[SOURCE_OFFSET]);
    what.cache_offset[side] =
        cache * (other ? (int)random_below(&seed, 16 / cache) : value[CACHE_OFFSET]);
  }
  return what;
}

/* Elements of K above which a case is run only where no smaller one has the same pair. */
static double usual_limit(void) {
  const double limit = options.backend == KVF_CUDA && cuda.reset ? 10e3 : 30e3;
  return options.exhaustive ? 12 * limit : limit;
}

bool writer_wants(const kvf_variant *variant) {
  return variant->backend == options.backend && kvf_variant_built(variant);
}

void writer_test_matrix(const writer_op *op) {
  if (!need_backend()) {
    return;
  }
  const int rounds = options.exhaustive ? 8 : 1;
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    int failures = 0;
    for (int round = 0; writer_wants(variant) && round < 2 * rounds; ++round) {
      const bool aligned = round % 2 == 0;
      covering plan = axes_of(op, variant, aligned);
      plan.limit = usual_limit();
      plan.ceiling = aligned ? 0 : 10 * plan.limit; /* the largest once, not twice */
      uint64_t state = options.seed + (uint64_t)(100 * i + round);
      int count = 0;
      covering_row *rows = covering_make(&plan, state, &count);
      for (int row = 0; row < count && failures < 5; ++row) {
        const writer_case what = case_of(variant, rows[row].value, aligned, random_next(&state));
        failures += !run_case(op, &what);
      }
      free(rows);
    }
  }
}

/* ---- large calls
 * --------------------------------------------------------------------------------- */

void writer_test_large(const writer_op *op) {
  if (!need_backend()) {
    return;
  }
  /* The emulated driver would need minutes; of one head there are just enough for long vectors. */
  const bool one_head = options.backend == KVF_CUDA && cuda.reset && !options.exhaustive;
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    const bool encodes = kvf_scalar_of(variant) != kvf_cache_of(variant);
    const int layouts = one_head ? encodes && op->num_x == 0 : op->num_layouts;
    /* A sample has one layout of each variant, the next one's the next. */
    const int step = options.sample > 1 && layouts > 1 ? layouts : 1;
    for (int layout = i % step; writer_wants(variant) && layout < layouts; layout += step) {
      /* 1,025 tokens of 8 x 256 elements: more than the 4 MiB at which copies bypass the caches. */
      const int value[AXES] = {[HEADS] = one_head ? 0 : 2,
                               [HEAD_SIZE] = 4,
                               [BLOCK_SIZE] = layout % (int)TEST_COUNT(block_size_of),
                               [TOKENS] = 3,
                               [LAYOUT] = layout,
                               [SOURCE] = layout % SOURCES,
                               [SLOTS] = layout % 3,
                               [SCALE] = layout % SCALE_KINDS,
                               [VALUES] = VALUES_PATTERNS,
                               [EXEC] = layout % EXEC_KINDS};
      writer_case what = case_of(variant, value, true, options.seed + (uint64_t)layout);
      const int bytes = bytes_of(kvf_cache_of(variant));
      what.cache_offset[0] = layout * bytes % 16;
      what.cache_offset[1] = (layout + 5) * bytes % 16;
      if (!run_case(op, &what)) {
        break;
      }
    }
  }
}

void writer_test_padded(const writer_op *op, int layout) {
  static const int sizes[] = {46, 20, 7};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    for (int k = 0; writer_wants(variant) && k < (int)TEST_COUNT(sizes) * (op->num_x + 1); ++k) {
      const int value[AXES] = {[LAYOUT] = layout,
                               [SOURCE] = SOURCE_PADDED_ALIGNED,
                               [SCALE] = SCALE_TENTH,
                               [X] = op->num_x ? k % op->num_x : 0};
      writer_case what = case_of(variant, value, true, options.seed + (uint64_t)k);
      what.heads = 5;
      what.head_size = sizes[k % (int)TEST_COUNT(sizes)];
      what.block_size = 16;
      what.tokens = 42;
      if (!run_case(op, &what)) {
        break;
      }
    }
  }
}

void writer_test_long_rows(const writer_op *op, int64_t head_size) {
  if (!need_backend()) {
    return;
  }
  if (options.backend == KVF_CUDA && cuda.reset && !options.exhaustive) {
    skip_test("the emulated driver would need minutes");
    return;
  }
  for (int fp8 = 0; fp8 < 2; ++fp8) {
    const kvf_variant *variant = NULL;
    for (int i = 0; i < op->op->num_variants && variant == NULL; ++i) {
      const kvf_variant *next = &op->op->variants[i];
      variant =
          writer_wants(next) && (kvf_scalar_of(next) != kvf_cache_of(next)) == fp8 ? next : NULL;
    }
    /* Not next to each other, so that a thread moves one element. */
    const writer_case what = {.variant = variant,
                              .heads = 1,
                              .head_size = head_size,
                              .block_size = 1,
                              .tokens = 1,
                              .value = {[SOURCE] = SOURCE_STRIDED, [VALUES] = VALUES_PATTERNS},
                              .seed = options.seed};
    if (variant != NULL) {
      (void)run_case(op, &what);
    }
  }
}

void writer_test_different(const writer_op *op) {
  static const int64_t sizes[][SIDES] = {{192, 128}, {128, 192}, {576, 512},
                                         {7, 64},    {80, 46},   {16, 1}};
  if (!need_backend()) {
    return;
  }
  for (int i = 0; i < op->op->num_variants; ++i) {
    const kvf_variant *variant = &op->op->variants[i];
    for (int k = 0; writer_wants(variant) && k < 3 * (int)TEST_COUNT(sizes); ++k) {
      /* Sources apart: slices of one tensor have one size. */
      const int value[AXES] = {[SOURCE] = k % 2 ? SOURCE_PADDED_ALIGNED : SOURCE_STRIDED,
                               [SCALE] = SCALE_TENTH,
                               [ENTRY] = k % ENTRIES,
                               [X] = op->num_x ? k % op->num_x : 0};
      writer_case what = case_of(variant, value, k % 2, options.seed + (uint64_t)k);
      what.heads = 3;
      what.head_size = sizes[k / 3][0];
      what.value_head_size = sizes[k / 3][1];
      what.block_size = 16;
      what.tokens = 42;
      if (!run_case(op, &what)) {
        break;
      }
    }
  }
}
