/*
 * What the writers refuse. One row of a table is one violated precondition: the call must return
 * the status, name op, argument, what it got and what it wants, and leave every byte as it was.
 */
#include <limits.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "writer.h"

/* A small valid call, from which each row differs in one place. */
enum { TOKENS_BASE = 5, HEADS_BASE = 2, SIZE_BASE = 24, BLOCK_BASE = 4, PAGES_BASE = 4 };

static writer_case base_case(const kvf_variant *variant) {
  return (writer_case){.variant = variant,
                       .heads = HEADS_BASE,
                       .head_size = SIZE_BASE,
                       .block_size = BLOCK_BASE,
                       .tokens = TOKENS_BASE,
                       .value = {[SPELLING] = 2},
                       .seed = options.seed * 2};
}

static const kvf_variant *built_variant(const kvf_op *op, bool fp8) {
  for (int i = 0; i < op->num_variants; ++i) {
    const kvf_variant *variant = &op->variants[i];
    const kvf_dtype cache = kvf_cache_of(variant);
    const bool fits =
        fp8 ? cache == KVF_FP8_E4M3 || cache == KVF_FP8_E5M2 : cache == kvf_scalar_of(variant);
    if (writer_wants(variant) && fits) {
      return variant;
    }
  }
  return NULL;
}

enum { BOTH_OPS, FLASH_ONLY, PAGED_ONLY };
enum { ANY_CACHE, SAME_CACHE, FP8_CACHE };

enum spoil {
  ARGUMENT_NULL, /* no tensor */
  SHAPE_NULL,    /* no array of sizes */
  RANK,          /* number */
  SIZE,          /* of dimension `at`: number */
  CACHE_SIZE,    /* the same of both caches */
  STRIDE,        /* of dimension `at`: number */
  DTYPE,         /* code `at`, bits: number */
  LANES,         /* number */
  DEVICE,        /* type `at`, id: number */
  DATA_NULL,
  DATA_SHIFT, /* bytes: number */
  CACHE_NAME, /* text */
  BACKEND,    /* of exec: number */
  ORDINAL     /* of exec: number */
};

enum { NO_TENSOR = -1 };

typedef struct bad_argument {
  const char *what;
  int op;
  int cache;
  int backends;
  enum spoil spoil;
  int which; /* tensor */
  int at;
  int64_t number;
  const char *text;
  kvf_status status;
  const char *argument; /* that the message names; NULL: the combination of several */
  const char *got;
  const char *want;
} bad_argument;

#define TYPE KVF_INVALID_TYPE
#define VALUE_ KVF_INVALID_VALUE

/* clang-format off */
static const bad_argument bad_arguments[] = {
  {"no key", 0, 0, ON_BOTH, ARGUMENT_NULL, KEY, 0, 0, NULL, VALUE_, "key", "NULL", "tensor"},
  {"no value", 0, 0, ON_BOTH, ARGUMENT_NULL, VALUE, 0, 0, NULL, VALUE_, "value", "NULL", "tensor"},
  {"no key_cache", 0, 0, ON_BOTH, ARGUMENT_NULL, KEY_CACHE, 0, 0, NULL, VALUE_, "key_cache", "NULL", "tensor"},
  {"no value_cache", 0, 0, ON_BOTH, ARGUMENT_NULL, VALUE_CACHE, 0, 0, NULL, VALUE_, "value_cache", "NULL", "tensor"},
  {"no slot_mapping", 0, 0, ON_BOTH, ARGUMENT_NULL, SLOT_MAPPING, 0, 0, NULL, VALUE_, "slot_mapping", "NULL", "tensor"},
  {"no k_scale", 0, 0, ON_BOTH, ARGUMENT_NULL, K_SCALE, 0, 0, NULL, VALUE_, "k_scale", "NULL", "tensor"},
  {"no v_scale", 0, 0, ON_BOTH, ARGUMENT_NULL, V_SCALE, 0, 0, NULL, VALUE_, "v_scale", "NULL", "tensor"},

  {"no sizes of key", 0, 0, ON_BOTH, SHAPE_NULL, KEY, 0, 0, NULL, VALUE_, "key", "shape is NULL", "sizes"},
  {"no sizes of value", 0, 0, ON_BOTH, SHAPE_NULL, VALUE, 0, 0, NULL, VALUE_, "value", "shape is NULL", "sizes"},
  {"no sizes of key_cache", 0, 0, ON_BOTH, SHAPE_NULL, KEY_CACHE, 0, 0, NULL, VALUE_, "key_cache", "shape is NULL", "sizes"},
  {"no sizes of value_cache", 0, 0, ON_BOTH, SHAPE_NULL, VALUE_CACHE, 0, 0, NULL, VALUE_, "value_cache", "shape is NULL", "sizes"},
  {"no sizes of slot_mapping", 0, 0, ON_BOTH, SHAPE_NULL, SLOT_MAPPING, 0, 0, NULL, VALUE_, "slot_mapping", "shape is NULL", "sizes"},

  {"key of rank 2", 0, 0, ON_BOTH, RANK, KEY, 0, 2, NULL, VALUE_, "key", "rank is 2", "want 3"},
  {"key of rank 4", 0, 0, ON_BOTH, RANK, KEY, 0, 4, NULL, VALUE_, "key", "rank is 4", "want 3"},
  {"value of rank 0", 0, 0, ON_BOTH, RANK, VALUE, 0, 0, NULL, VALUE_, "value", "rank is 0", "want 3"},
  {"key_cache of rank 3", FLASH_ONLY, 0, ON_BOTH, RANK, KEY_CACHE, 0, 3, NULL, VALUE_, "key_cache", "rank is 3", "want 4"},
  {"key_cache of rank 4", PAGED_ONLY, 0, ON_BOTH, RANK, KEY_CACHE, 0, 4, NULL, VALUE_, "key_cache", "rank is 4", "want 5"},
  {"value_cache of rank 5", 0, 0, ON_BOTH, RANK, VALUE_CACHE, 0, 5, NULL, VALUE_, "value_cache", "rank is 5", "want 4"},
  {"slot_mapping of rank 2", 0, 0, ON_BOTH, RANK, SLOT_MAPPING, 0, 2, NULL, VALUE_, "slot_mapping", "rank is 2", "want 1"},
  {"slot_mapping of rank -1", 0, 0, ON_BOTH, RANK, SLOT_MAPPING, 0, -1, NULL, VALUE_, "slot_mapping", "rank is -1", "want 1"},
  {"k_scale of rank 2", 0, 0, ON_BOTH, RANK, K_SCALE, 0, 2, NULL, VALUE_, "k_scale", "rank is 2", "want 0 or 1"},
  {"v_scale of rank 3", 0, 0, ON_BOTH, RANK, V_SCALE, 0, 3, NULL, VALUE_, "v_scale", "rank is 3", "want 0 or 1"},
  {"k_scale of rank -1", 0, 0, ON_BOTH, RANK, K_SCALE, 0, -1, NULL, VALUE_, "k_scale", "rank is -1", "want 0 or 1"},

  {"fewer heads in value", 0, 0, ON_BOTH, SIZE, VALUE, 1, 1, NULL, VALUE_, "value", "(num_heads) is 1", "want 2 as in key"},
  {"smaller heads in value", PAGED_ONLY, 0, ON_BOTH, SIZE, VALUE, 2, 8, NULL, VALUE_, "value_cache", "(value_head_size) is 24", "want 8 as in value"},
  {"smaller heads in value", FLASH_ONLY, 0, ON_BOTH, SIZE, VALUE, 2, 8, NULL, VALUE_, "value_cache", "(value_head_size) is 24", "want 8 as in value"},
  {"fewer rows in key", 0, 0, ON_BOTH, SIZE, KEY, 0, 4, NULL, VALUE_, "key", "has 4 rows", "want at least 5"},
  {"fewer rows in value", 0, 0, ON_BOTH, SIZE, VALUE, 0, 4, NULL, VALUE_, "value", "has 4 rows", "want at least 5"},
  {"no rows in key", 0, 0, ON_BOTH, SIZE, KEY, 0, 0, NULL, VALUE_, "key", "has 0 rows", "want at least 5"},
  {"rows of key are negative", 0, 0, ON_BOTH, SIZE, KEY, 0, -5, NULL, VALUE_, "key", "is -5", "want 0 or more"},
  {"heads of key are negative", 0, 0, ON_BOTH, SIZE, KEY, 1, -2, NULL, VALUE_, "key", "(num_heads) is -2", "want 0 or more"},
  {"head_size of key is negative", 0, 0, ON_BOTH, SIZE, KEY, 2, -1, NULL, VALUE_, "key", "(head_size) is -1", "want 0 or more"},
  {"tokens are negative", 0, 0, ON_BOTH, SIZE, SLOT_MAPPING, 0, -1, NULL, VALUE_, "slot_mapping", "is -1", "want 0 or more"},
  {"other heads in key_cache", FLASH_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 2, 3, NULL, VALUE_, "key_cache", "(num_heads) is 3", "want 2 as in key"},
  {"other head_size in key_cache", FLASH_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 3, 23, NULL, VALUE_, "key_cache", "(head_size) is 23", "want 24 as in key"},
  {"other blocks in value_cache", FLASH_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 0, 3, NULL, VALUE_, "value_cache", "(num_blocks) is 3", "want 4 as in key_cache"},
  {"other block_size in value_cache", FLASH_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 1, 2, NULL, VALUE_, "value_cache", "(block_size) is 2", "want 4 as in key_cache"},
  {"other heads in value_cache", FLASH_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 2, 1, NULL, VALUE_, "value_cache", "(num_heads) is 1", "want 2 as in key"},
  {"other head_size in value_cache", FLASH_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 3, 8, NULL, VALUE_, "value_cache", "(value_head_size) is 8", "want 24 as in value"},
  {"blocks are negative", 0, 0, ON_BOTH, SIZE, KEY_CACHE, 0, -4, NULL, VALUE_, "key_cache", "(num_blocks) is -4", "want 0 or more"},
  {"other heads in key_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 1, 3, NULL, VALUE_, "key_cache", "(num_heads) is 3", "want 2 as in key"},
  {"fewer groups in key_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 2, 1, NULL, VALUE_, "key_cache", "dimension 2 is 1", "(head_size 24 / x"},
  {"more groups in key_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 2, 99, NULL, VALUE_, "key_cache", "dimension 2 is 99", "(head_size 24 / x"},
  {"other block_size in value_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 3, 2, NULL, VALUE_, "value_cache", "(block_size) is 2", "want 4 as in key_cache"},
  {"x is 0", PAGED_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 4, 0, NULL, VALUE_, "key_cache", "x (dimension 4) is 0", "want 1 or more"},
  {"x is negative", PAGED_ONLY, 0, ON_BOTH, SIZE, KEY_CACHE, 4, -8, NULL, VALUE_, "key_cache", "(x) is -8", "want 0 or more"},
  {"other blocks in value_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 0, 3, NULL, VALUE_, "value_cache", "(num_blocks) is 3", "want 4 as in key_cache"},
  {"other heads in value_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 1, 1, NULL, VALUE_, "value_cache", "(num_heads) is 1", "want 2 as in key"},
  {"other head_size in value_cache", PAGED_ONLY, 0, ON_BOTH, SIZE, VALUE_CACHE, 2, 8, NULL, VALUE_, "value_cache", "(value_head_size) is 8", "want 24 as in value"},
  {"block_size is 0", FLASH_ONLY, 0, ON_BOTH, CACHE_SIZE, KEY_CACHE, 1, 0, NULL, VALUE_, "block_size", "got 0", "want 1 or more"},
  {"block_size is 0", PAGED_ONLY, 0, ON_BOTH, CACHE_SIZE, KEY_CACHE, 3, 0, NULL, VALUE_, "block_size", "got 0", "want 1 or more"},
  {"no blocks", 0, 0, ON_CPU, CACHE_SIZE, KEY_CACHE, 0, 0, NULL, KVF_OUT_OF_RANGE, "slot_mapping", "element 0 is ", "want less than 0 (0 blocks of 4 tokens)"},
  {"three k_scales for two heads", 0, 0, ON_BOTH, SIZE, K_SCALE, 0, 3, NULL, VALUE_, "k_scale", "has 3 elements", "want 1 or 2 (num_heads)"},
  {"no v_scale for two heads", 0, 0, ON_BOTH, SIZE, V_SCALE, 0, 0, NULL, VALUE_, "v_scale", "has 0 elements", "want 1 or 2 (num_heads)"},
  {"k_scales are negative", 0, 0, ON_BOTH, SIZE, K_SCALE, 0, -1, NULL, VALUE_, "k_scale", "is -1", "want 0 or more"},

  {"key is int32", 0, 0, ON_BOTH, DTYPE, KEY, kDLInt, 32, NULL, TYPE, "key", "dtype is int32", "want float32, float16, bfloat16"},
  {"key is float64", 0, 0, ON_BOTH, DTYPE, KEY, kDLFloat, 64, NULL, TYPE, "key", "dtype is float64", "want float32, float16, bfloat16"},
  {"key is uint8", 0, 0, ON_BOTH, DTYPE, KEY, kDLUInt, 8, NULL, TYPE, "key", "dtype is uint8", "want float32, float16, bfloat16"},
  {"key is fp8", 0, 0, ON_BOTH, DTYPE, KEY, kDLFloat8_e5m2, 8, NULL, TYPE, "key", "dtype is float8_e5m2", "want float32, float16, bfloat16"},
  {"key has two lanes", 0, 0, ON_BOTH, LANES, KEY, 0, 2, NULL, TYPE, "key", " with 2 lanes", "want float32, float16, bfloat16"},
  {"key is of an unknown dtype", 0, 0, ON_BOTH, DTYPE, KEY, 99, 12, NULL, TYPE, "key", "DLPack dtype code 99 of 12 bits", "want float32"},
  {"value is float64", 0, 0, ON_BOTH, DTYPE, VALUE, kDLFloat, 64, NULL, TYPE, "value", "dtype is float64", "want "},
  {"key_cache is int8", 0, 0, ON_BOTH, DTYPE, KEY_CACHE, kDLInt, 8, NULL, TYPE, "key_cache", "dtype is int8", "want "},
  {"value_cache is int16", 0, 0, ON_BOTH, DTYPE, VALUE_CACHE, kDLInt, 16, NULL, TYPE, "value_cache", "dtype is int16", "want "},
  {"fp8 key_cache is float16", 0, FP8_CACHE, ON_BOTH, DTYPE, KEY_CACHE, kDLFloat, 16, NULL, TYPE, "key_cache", "dtype is float16", "or uint8"},
  {"fp8 key_cache is the other fp8", 0, FP8_CACHE, ON_BOTH, DTYPE, KEY_CACHE, kDLFloat8_e5m2, 8, NULL, TYPE, "key_cache", "dtype is float8_e5m2", "float8_e4m3fn or uint8"},
  {"fp8 value_cache is e4m3fnuz", 0, FP8_CACHE, ON_BOTH, DTYPE, VALUE_CACHE, kDLFloat8_e4m3fnuz, 8, NULL, TYPE, "value_cache", "dtype code 11", "float8_e4m3fn or uint8"},
  {"key_cache of bits is uint8", 0, SAME_CACHE, ON_BOTH, DTYPE, KEY_CACHE, kDLUInt, 8, NULL, TYPE, "key_cache", "dtype is uint8", "float"},
  {"value_cache of bits is uint8", 0, SAME_CACHE, ON_BOTH, DTYPE, VALUE_CACHE, kDLUInt, 8, NULL, TYPE, "value_cache", "dtype is uint8", "float"},
  {"slot_mapping is int16", 0, 0, ON_BOTH, DTYPE, SLOT_MAPPING, kDLInt, 16, NULL, TYPE, "slot_mapping", "dtype is int16", "want int32, int64"},
  {"slot_mapping is uint64", 0, 0, ON_BOTH, DTYPE, SLOT_MAPPING, kDLUInt, 64, NULL, TYPE, "slot_mapping", "dtype is uint64", "want int32, int64"},
  {"slot_mapping is float32", 0, 0, ON_BOTH, DTYPE, SLOT_MAPPING, kDLFloat, 32, NULL, TYPE, "slot_mapping", "dtype is float32", "want int32, int64"},
  {"k_scale is float64", 0, 0, ON_BOTH, DTYPE, K_SCALE, kDLFloat, 64, NULL, TYPE, "k_scale", "dtype is float64", "want float32"},
  {"v_scale is float16", 0, 0, ON_BOTH, DTYPE, V_SCALE, kDLFloat, 16, NULL, TYPE, "v_scale", "dtype is float16", "want float32"},

  {"key on OpenCL", 0, 0, ON_BOTH, DEVICE, KEY, kDLOpenCL, 0, NULL, TYPE, "key", "DLPack device type is 4", "want CPU or CUDA"},
  {"value on CUDA", 0, 0, ON_CPU, DEVICE, VALUE, kDLCUDA, 0, NULL, TYPE, "value", "on CUDA device 0", "want the CPU"},
  {"key_cache on CUDA", 0, 0, ON_CPU, DEVICE, KEY_CACHE, kDLCUDA, 3, NULL, TYPE, "key_cache", "on CUDA device 3", "want the CPU"},
  {"slot_mapping on CUDA", 0, 0, ON_CPU, DEVICE, SLOT_MAPPING, kDLCUDA, 0, NULL, TYPE, "slot_mapping", "on CUDA device 0", "want the CPU"},
  {"k_scale on CUDA", 0, 0, ON_CPU, DEVICE, K_SCALE, kDLCUDA, 0, NULL, TYPE, "k_scale", "on CUDA device 0", "want the CPU"},
  {"value on the CPU", 0, 0, ON_CUDA, DEVICE, VALUE, kDLCPU, 0, NULL, TYPE, "value", "on the CPU", "want CUDA device 0"},
  {"value on another device", 0, 0, ON_CUDA, DEVICE, VALUE, kDLCUDA, 1, NULL, TYPE, "value", "on CUDA device 1", "want CUDA device 0"},
  {"value_cache on the CPU", 0, 0, ON_CUDA, DEVICE, VALUE_CACHE, kDLCPU, 0, NULL, TYPE, "value_cache", "on the CPU", "want CUDA device 0"},
  {"slot_mapping on the CPU", 0, 0, ON_CUDA, DEVICE, SLOT_MAPPING, kDLCPU, 0, NULL, TYPE, "slot_mapping", "on the CPU", "want CUDA device 0"},
  {"v_scale on the CPU", 0, 0, ON_CUDA, DEVICE, V_SCALE, kDLCPU, 0, NULL, TYPE, "v_scale", "on the CPU", "want CUDA device 0"},

  {"key has no data", 0, 0, ON_BOTH, DATA_NULL, KEY, 0, 0, NULL, VALUE_, "key", "data is NULL", "want an address"},
  {"value has no data", 0, 0, ON_BOTH, DATA_NULL, VALUE, 0, 0, NULL, VALUE_, "value", "data is NULL", "want an address"},
  {"key_cache has no data", 0, 0, ON_BOTH, DATA_NULL, KEY_CACHE, 0, 0, NULL, VALUE_, "key_cache", "data is NULL", "want an address"},
  {"value_cache has no data", 0, 0, ON_BOTH, DATA_NULL, VALUE_CACHE, 0, 0, NULL, VALUE_, "value_cache", "data is NULL", "want an address"},
  {"slot_mapping has no data", 0, 0, ON_BOTH, DATA_NULL, SLOT_MAPPING, 0, 0, NULL, VALUE_, "slot_mapping", "data is NULL", "want an address"},
  {"k_scale has no data", 0, 0, ON_BOTH, DATA_NULL, K_SCALE, 0, 0, NULL, VALUE_, "k_scale", "data is NULL", "want an address"},
  {"v_scale has no data", 0, 0, ON_BOTH, DATA_NULL, V_SCALE, 0, 0, NULL, VALUE_, "v_scale", "data is NULL", "want an address"},
  {"key is misaligned", 0, 0, ON_BOTH, DATA_SHIFT, KEY, 0, 1, NULL, VALUE_, "key", "address ", "multiple of the element size"},
  {"value is misaligned", 0, 0, ON_BOTH, DATA_SHIFT, VALUE, 0, 1, NULL, VALUE_, "value", "address ", "multiple of the element size"},
  {"key_cache is misaligned", 0, SAME_CACHE, ON_BOTH, DATA_SHIFT, KEY_CACHE, 0, 1, NULL, VALUE_, "key_cache", "address ", "multiple of the element size"},
  {"value_cache is misaligned", 0, SAME_CACHE, ON_BOTH, DATA_SHIFT, VALUE_CACHE, 0, 1, NULL, VALUE_, "value_cache", "address ", "multiple of the element size"},
  {"slot_mapping is misaligned", 0, 0, ON_BOTH, DATA_SHIFT, SLOT_MAPPING, 0, 4, NULL, VALUE_, "slot_mapping", "address ", "element size, 8 bytes"},
  {"k_scale is misaligned", 0, 0, ON_BOTH, DATA_SHIFT, K_SCALE, 0, 2, NULL, VALUE_, "k_scale", "address ", "element size, 4 bytes"},

  {"blocks of key_cache overlap", 0, 0, ON_BOTH, STRIDE, KEY_CACHE, 0, 0, NULL, VALUE_, "key_cache", "stride of dimension 0 (num_blocks) is 0", "want elements that do not overlap"},
  {"dimension 1 of key_cache overlaps", 0, 0, ON_BOTH, STRIDE, KEY_CACHE, 1, 0, NULL, VALUE_, "key_cache", "stride of dimension 1", "do not overlap"},
  {"dimension 3 of key_cache overlaps", 0, 0, ON_BOTH, STRIDE, KEY_CACHE, 3, 0, NULL, VALUE_, "key_cache", "stride of dimension 3", "do not overlap"},
  {"dimension 2 of value_cache overlaps", 0, 0, ON_BOTH, STRIDE, VALUE_CACHE, 2, 0, NULL, VALUE_, "value_cache", "stride of dimension 2", "do not overlap"},
  {"dimension 3 of value_cache overlaps", 0, 0, ON_BOTH, STRIDE, VALUE_CACHE, 3, 0, NULL, VALUE_, "value_cache", "stride of dimension 3", "do not overlap"},

  {"no kv_cache_dtype", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, NULL, VALUE_, "kv_cache_dtype", "NULL", "want one of auto"},
  {"empty kv_cache_dtype", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, "", VALUE_, "kv_cache_dtype", "''", "want one of auto"},
  {"unknown kv_cache_dtype", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, "int3", VALUE_, "kv_cache_dtype", "'int3'", "want one of auto, "},
  {"kv_cache_dtype in capitals", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, "FP8", VALUE_, "kv_cache_dtype", "'FP8'", "fp8_e4m3, fp8_e5m2"},
  {"kv_cache_dtype of another op", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, "fp8_ds_mla", KVF_UNSUPPORTED, NULL, "which is for ", "cp_gather_and_upconvert_fp8_kv_cache"},
  {"kv_cache_dtype is another float", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, "bfloat16", VALUE_, "kv_cache_dtype", "'bfloat16' for f", "want 'auto'"},
  {"kv_cache_dtype is another float's token", 0, 0, ON_BOTH, CACHE_NAME, NO_TENSOR, 0, 0, "f16", VALUE_, "kv_cache_dtype", "'f16' for ", "want 'auto'"},

  {"exec of no backend", 0, 0, ON_BOTH, BACKEND, NO_TENSOR, 0, 7, NULL, VALUE_, "exec", "backend is 7", "want KVF_CPU or KVF_CUDA"},
  {"exec of a negative backend", 0, 0, ON_BOTH, BACKEND, NO_TENSOR, 0, -1, NULL, VALUE_, "exec", "backend is -1", "want KVF_CPU or KVF_CUDA"},
  {"exec says CUDA", 0, 0, ON_CPU, BACKEND, NO_TENSOR, 0, KVF_CUDA, NULL, TYPE, "key", "on the CPU", "want CUDA device 0 (as exec)"},
  {"exec says CPU", 0, 0, ON_CUDA, BACKEND, NO_TENSOR, 0, KVF_CPU, NULL, TYPE, "key", "on CUDA device 0", "want the CPU (as exec)"},
  {"exec says another device", 0, 0, ON_CUDA, ORDINAL, NO_TENSOR, 0, 1, NULL, TYPE, "key", "on CUDA device 0", "want CUDA device 1 (as exec)"},
};
/* clang-format on */

/* The arguments of one call, free to be spoilt. */
typedef struct arguments {
  DLTensor tensor[TENSORS];
  int64_t shape[TENSORS][6];
  int64_t stride[TENSORS][6];
  bool missing[TENSORS];
  const char *cache_name;
  kvf_exec exec;
  const kvf_exec *given_exec;
} arguments;

static void take_arguments(arguments *to, writer_call *call) {
  *to = (arguments){.cache_name = call->kv_cache_dtype, .exec = call->exec};
  for (int i = 0; i < TENSORS; ++i) {
    to->tensor[i] = *tensor_dl(&call->view[i]);
    for (int dimension = 0; dimension < 6; ++dimension) {
      const bool real = dimension < call->view[i].rank;
      to->shape[i][dimension] = real ? call->view[i].shape[dimension] : 1;
      to->stride[i][dimension] = real ? call->view[i].stride[dimension] : 1;
    }
    to->tensor[i].shape = to->shape[i];
    to->tensor[i].strides = to->stride[i];
  }
}

static void spoil(arguments *to, const bad_argument *row) {
  DLTensor *dl = row->which == NO_TENSOR ? NULL : &to->tensor[row->which];
  switch (row->spoil) {
  case ARGUMENT_NULL:
    to->missing[row->which] = true;
    break;
  case SHAPE_NULL:
    dl->shape = NULL;
    break;
  case RANK:
    dl->ndim = (int32_t)row->number;
    break;
  case SIZE:
    to->shape[row->which][row->at] = row->number;
    break;
  case CACHE_SIZE:
    to->shape[KEY_CACHE][row->at] = to->shape[VALUE_CACHE][row->at] = row->number;
    break;
  case STRIDE:
    to->stride[row->which][row->at] = row->number;
    break;
  case DTYPE:
    dl->dtype = (DLDataType){(uint8_t)row->at, (uint8_t)row->number, 1};
    break;
  case LANES:
    dl->dtype.lanes = (uint16_t)row->number;
    break;
  case DEVICE:
    dl->device = (DLDevice){(DLDeviceType)row->at, (int32_t)row->number};
    break;
  case DATA_NULL:
    dl->data = NULL;
    break;
  case DATA_SHIFT:
    dl->byte_offset += (uint64_t)row->number;
    break;
  case CACHE_NAME:
    to->cache_name = row->text;
    break;
  case BACKEND:
    to->exec.backend = (kvf_backend)row->number;
    to->given_exec = &to->exec;
    break;
  case ORDINAL:
    to->exec.device = (int32_t)row->number;
    to->given_exec = &to->exec;
    break;
  }
}

static kvf_status call_typed(const writer_op *op, const arguments *with) {
  DLTensor copies[TENSORS];
  DLTensor *given[TENSORS];
  for (int i = 0; i < TENSORS; ++i) {
    copies[i] = with->tensor[i];
    given[i] = with->missing[i] ? NULL : &copies[i];
  }
  return op->typed(with->given_exec, given[KEY], given[VALUE], given[KEY_CACHE], given[VALUE_CACHE],
                   given[SLOT_MAPPING], with->cache_name, given[K_SCALE], given[V_SCALE], NULL);
}

static kvf_status call_boxed(const writer_op *op, const arguments *with) {
  const DLTensor *given[TENSORS];
  for (int i = 0; i < TENSORS; ++i) {
    given[i] = with->missing[i] ? NULL : &with->tensor[i];
  }
  return writer_call_boxed(op, with->given_exec, given, with->cache_name);
}

static bool is_flash(const writer_op *op) { return op->num_x == 0; }

static void run_row(const writer_op *op, const kvf_variant *variant, const bad_argument *row) {
  for (int boxed = 0; boxed < 2; ++boxed) {
    writer_call call;
    const writer_case what = base_case(variant);
    note_running(row->what);
    writer_build(&call, op, &what);
    arguments with;
    take_arguments(&with, &call);
    spoil(&with, row);
    const kvf_status status = boxed ? call_boxed(op, &with) : call_typed(op, &with);
    const char *message = kvf_last_error();
    const char *wrong = memory_synchronize(variant->backend);
    EXPECT(status == row->status && wrong == NULL, "%s: %s: got %s (%s), want %s", op->op->name,
           row->what, kvf_status_name(status), wrong ? wrong : message,
           kvf_status_name(row->status));
    if (status != KVF_OK) {
      char start[128];
      (void)snprintf(start, sizeof start, "%s: %s%s", op->op->name,
                     row->argument ? row->argument : "", row->argument ? ": " : "");
      EXPECT(strncmp(message, start, strlen(start)) == 0 && strstr(message, row->got) != NULL &&
                 strstr(message, row->want) != NULL,
             "%s: the message is '%s', want '%s...%s...%s...'", row->what, message, start, row->got,
             row->want);
    }
    (void)writer_verify(&call, row->what);
    writer_free(&call);
    count_case(NULL);
  }
}

/* Whether a row is a mistake next to this op and variant. */
static bool applies(const bad_argument *row, const writer_op *op, const kvf_variant *variant) {
  const bool fp8 = kvf_scalar_of(variant) != kvf_cache_of(variant);
  kvf_dtype unused;
  if ((row->op != BOTH_OPS && (row->op == FLASH_ONLY) != is_flash(op)) ||
      (row->cache != ANY_CACHE && (row->cache == FP8_CACHE) != fp8) ||
      (row->backends >> variant->backend & 1) == 0) {
    return false;
  }
  if (row->spoil == CACHE_NAME && row->status == KVF_INVALID_VALUE) {
    return kvf_resolve_cache_dtype(row->text, kvf_scalar_of(variant), &unused) != KVF_OK;
  }
  return strstr(row->want, "float8_e4m3fn") == NULL || kvf_cache_of(variant) == KVF_FP8_E4M3;
}

/* A scale that is none: refused where the host reads it, calculated with on CUDA. */
static void run_scale(const writer_op *op, const kvf_variant *variant, int side, float value,
                      int entry) {
  writer_call call;
  const writer_case what = base_case(variant);
  writer_build(&call, op, &what);
  const tensor *view = &call.view[K_SCALE + side];
  memcpy(view->memory->expected + view->start, &value, sizeof value);
  buffer_upload(view->memory);
  const kvf_status status = writer_invoke(&call, entry, false);
  const char *wrong = memory_synchronize(variant->backend);
  EXPECT(wrong == NULL, "%s: scale %g: %s", variant->symbol, (double)value, wrong);
  if (variant->backend == KVF_CPU && kvf_scalar_of(variant) != kvf_cache_of(variant)) {
    char want[128];
    (void)snprintf(want, sizeof want, "%s: %c_scale: element 0 is %g, want a finite number of 2^-",
                   op->op->name, side == 0 ? 'k' : 'v', (double)value);
    EXPECT_STATUS(status, KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), want);
    (void)writer_verify(&call, want);
  } else {
    EXPECT_STATUS(status, KVF_OK);
  }
  writer_free(&call);
  count_case(NULL);
}

static void test_scales_of(const writer_op *op, const kvf_variant *variant) {
  static const float values[] = {0.0f, -0.0f, -1.0f, NAN, INFINITY, -INFINITY, 0x1p-127f};
  for (size_t i = 0; i < TEST_COUNT(values); ++i) {
    for (int side = 0; side < 2; ++side) {
      for (int entry = 0; entry < ENTRIES; ++entry) {
        run_scale(op, variant, side, values[i], entry);
      }
    }
  }
}

/* A cache on the memory of a source. */
static void test_overlap_of(const writer_op *op, const kvf_variant *variant) {
  static const char *const names[TENSORS] = {
      [KEY] = "key", [VALUE] = "value", [KEY_CACHE] = "key_cache", [VALUE_CACHE] = "value_cache"};
  for (int i = 0; i < 4; ++i) {
    const int cache = i % 2 ? KEY_CACHE : VALUE_CACHE;
    const int source = i / 2 ? KEY : VALUE;
    writer_call call;
    const writer_case what = base_case(variant);
    writer_build(&call, op, &what);
    arguments with;
    take_arguments(&with, &call);
    with.tensor[cache].data = with.tensor[source].data;
    with.tensor[cache].byte_offset = with.tensor[source].byte_offset;
    char want[128];
    (void)snprintf(want, sizeof want, "%s: %s: shares memory with %s, want memory of its own",
                   op->op->name, names[cache], names[source]);
    EXPECT_STATUS(call_typed(op, &with), KVF_INVALID_VALUE);
    EXPECT_TEXT(kvf_last_error(), want);
    (void)memory_synchronize(variant->backend);
    (void)writer_verify(&call, want);
    writer_free(&call);
    count_case(NULL);
  }
}

void writer_test_bad_arguments(const writer_op *op) {
  if (!need_backend()) {
    return;
  }
  for (int fp8 = 0; fp8 < 2; ++fp8) {
    const kvf_variant *variant = built_variant(op->op, fp8);
    if (variant == NULL) {
      skip_part("no variant with %s is built", fp8 ? "an fp8 cache" : "a cache of its own dtype");
      continue;
    }
    test_scales_of(op, variant);
    test_overlap_of(op, variant);
    for (size_t i = 0; i < TEST_COUNT(bad_arguments); ++i) {
      if (applies(&bad_arguments[i], op, variant)) {
        run_row(op, variant, &bad_arguments[i]);
      }
    }
  }
}

/* ---- raw launches
 * -------------------------------------------------------------------------------- */

typedef struct bad_param {
  const char *member;
  size_t at; /* of the shared beginning of the params structs */
  size_t bytes;
  int64_t number;
  int cache;
  const char *got;
  const char *want;
} bad_param;

#define MEMBER(path, number, cache, got, want)                                                     \
  offsetof(kvf_reshape_and_cache_params, path), sizeof(((kvf_reshape_and_cache_params *)0)->path), \
      number, cache, got, want

static const bad_param bad_params[] = {
    {"key", MEMBER(key.data, 0, ANY_CACHE, "NULL", "want an address")},
    {"value", MEMBER(value.data, 0, ANY_CACHE, "NULL", "want an address")},
    {"key_cache", MEMBER(key_cache.data, 0, ANY_CACHE, "NULL", "want an address")},
    {"value_cache", MEMBER(value_cache.data, 0, ANY_CACHE, "NULL", "want an address")},
    {"slot_mapping", MEMBER(slots.mapping, 0, ANY_CACHE, "NULL", "want an address")},
    {"k_scale", MEMBER(k_scale.data, 0, FP8_CACHE, "NULL", "want an address")},
    {"v_scale", MEMBER(v_scale.data, 0, FP8_CACHE, "NULL", "want an address")},
    {"num_heads", MEMBER(num_heads, -1, ANY_CACHE, "got -1", "want 0 or more")},
    {"head_size", MEMBER(head_size, -3, ANY_CACHE, "got -3", "want 0 or more")},
    {"num_tokens", MEMBER(slots.num_tokens, -1, ANY_CACHE, "got -1", "want 0 or more")},
    {"num_blocks", MEMBER(slots.num_blocks, -2, ANY_CACHE, "got -2", "want 0 or more")},
    {"block_size", MEMBER(slots.block_size, 0, ANY_CACHE, "got 0", "want 1 or more")},
    {"block_size", MEMBER(slots.block_size, -4, ANY_CACHE, "got -4", "want 1 or more")},
    {"index_bytes", MEMBER(slots.index_bytes, 2, ANY_CACHE, "got 2", "want 4 or 8")},
    {"num_blocks", MEMBER(slots.num_blocks, INT64_MAX, ANY_CACHE, "blocks of 4 tokens", "2^63")},
    {"head_size", MEMBER(head_size, INT32_MAX, ANY_CACHE, "2 x 2147483647", "less than 2^31")},
    {"x", MEMBER(x, 0, ANY_CACHE, "got 0", "want 1 or more")},
    {"x", MEMBER(x, -8, ANY_CACHE, "got -8", "want 1 or more")},
};

/* The raw launch of either op with params of the larger struct, whose beginning both share. */
static kvf_status launch(const writer_op *op, const kvf_exec *exec, const kvf_variant *variant,
                         const kvf_reshape_and_cache_params *params) {
  if (!is_flash(op)) {
    return kvf_launch_reshape_and_cache(exec, variant, params);
  }
  const kvf_reshape_and_cache_flash_params flash = {
      .key = params->key,
      .value = params->value,
      .key_cache = params->key_cache,
      .value_cache = params->value_cache,
      .k_scale = params->k_scale,
      .v_scale = params->v_scale,
      .slots = params->slots,
      .num_heads = params->num_heads,
      .head_size = params->head_size,
      .value_head_size = params->value_head_size,
  };
  return kvf_launch_reshape_and_cache_flash(exec, variant, &flash);
}

static void check_refusal(const writer_op *op, kvf_status status, const char *argument,
                          const char *got, const char *want) {
  char start[128];
  (void)snprintf(start, sizeof start, "%s: %s: ", op->op->name, argument);
  EXPECT_STATUS(status, KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), start);
  EXPECT_TEXT(kvf_last_error(), got);
  EXPECT_TEXT(kvf_last_error(), want);
  count_case(NULL);
}

static void test_params_of(const writer_op *op, const kvf_variant *variant) {
  writer_call call;
  const writer_case what = base_case(variant);
  writer_build(&call, op, &what);
  const bool fp8 = kvf_scalar_of(variant) != kvf_cache_of(variant);
  const kvf_reshape_and_cache_params good = {WRITER_PARAMS(&call),
                                             .value_head_size = (int32_t)call.sizes.value_head_size,
                                             .x = (int32_t)call.sizes.x};
  for (size_t i = 0; i < TEST_COUNT(bad_params); ++i) {
    const bad_param *row = &bad_params[i];
    if ((row->cache == FP8_CACHE && !fp8) || (row->member[0] == 'x' && is_flash(op))) {
      continue;
    }
    kvf_reshape_and_cache_params params = good;
    memcpy((char *)&params + row->at, &row->number, row->bytes);
    check_refusal(op, launch(op, NULL, variant, &params), row->member, row->got, row->want);
    (void)writer_verify(&call, row->member);
  }

  check_refusal(op, launch(op, NULL, NULL, &good), "variant", "NULL", "a variant of this op");
  for (int32_t i = 0; i < kvf_num_ops(); ++i) {
    if (kvf_get_op(i) != op->op) {
      const kvf_variant *other = &kvf_get_op(i)->variants[0];
      check_refusal(op, launch(op, NULL, other, &good), "variant", other->symbol,
                    "a variant of this op");
    }
  }
  const kvf_backend other = variant->backend == KVF_CPU ? KVF_CUDA : KVF_CPU;
  const kvf_exec elsewhere = {.backend = other};
  check_refusal(op, launch(op, &elsewhere, variant, &good), "variant", variant->symbol,
                "backend that exec names");
  const kvf_exec nowhere = {.backend = (kvf_backend)9};
  check_refusal(op, launch(op, &nowhere, variant, &good), "exec", "backend is 9", "KVF_CPU");

  /* Nothing to write is a success, whatever the pointers. */
  kvf_reshape_and_cache_params empty = good;
  empty.slots.num_tokens = 0;
  empty.slots.mapping = empty.key.data = empty.key_cache.data = NULL;
  EXPECT_STATUS(launch(op, NULL, variant, &empty), KVF_OK);
  kvf_reshape_and_cache_params headless = good;
  headless.num_heads = 0;
  EXPECT_STATUS(launch(op, NULL, variant, &headless), KVF_OK);
  headless = good;
  headless.head_size = headless.value_head_size = 0;
  EXPECT_STATUS(launch(op, NULL, variant, &headless), KVF_OK);
  (void)memory_synchronize(variant->backend);
  (void)writer_verify(&call, "nothing to write");
  writer_free(&call);
}

void writer_test_bad_params(const writer_op *op) {
  if (!need_backend()) {
    return;
  }
  for (int fp8 = 0; fp8 < 2; ++fp8) {
    const kvf_variant *variant = built_variant(op->op, fp8);
    if (variant != NULL) {
      test_params_of(op, variant);
    }
  }
}

/* ---- slots out of range
 * -------------------------------------------------------------------------- */

static void run_out_of_range(const writer_op *op, const kvf_variant *variant, int entry, bool wide,
                             uint64_t seed) {
  writer_case what = base_case(variant);
  note_running("slots out of range");
  what.tokens = 42;
  what.value[INDEX] = wide ? 0 : 1;
  what.seed = seed;
  writer_call call;
  writer_build(&call, op, &what);
  const int64_t capacity = call.sizes.num_blocks * call.sizes.block_size;
  const int64_t bad[] = {capacity, wide ? INT64_C(1) << 32 : capacity + 5,
                         wide ? INT64_MAX : INT32_MAX};
  const int num_bad = 1 + (int)(seed % 3);
  const int64_t first = (int64_t)(seed % 12);
  for (int i = 0; i < num_bad; ++i) {
    writer_set_slot(&call, first + 13 * i, bad[i]);
  }
  buffer_upload(&call.memory[SLOT_MAPPING]);
  if (variant->backend == KVF_CPU) {
    char which[64];
    (void)snprintf(which, sizeof which, "element %d is %lld, want less than %lld", (int)first,
                   (long long)bad[0], (long long)capacity);
    EXPECT_STATUS(writer_invoke(&call, entry, false), KVF_OUT_OF_RANGE);
    EXPECT_TEXT(kvf_last_error(), op->op->name);
    EXPECT_TEXT(kvf_last_error(), "slot_mapping");
    EXPECT_TEXT(kvf_last_error(), which);
  } else {
    uint64_t before = 0;
    uint64_t after = 0;
    EXPECT_STATUS(kvf_cuda_fault_count(0, &before), KVF_OK);
    EXPECT_STATUS(writer_invoke(&call, entry, false), KVF_OK);
    const char *wrong = memory_synchronize(KVF_CUDA);
    EXPECT(wrong == NULL, "%s: %s", variant->symbol, wrong);
    EXPECT_STATUS(kvf_cuda_fault_count(0, &after), KVF_OK);
    EXPECT(after - before == (uint64_t)num_bad, "%s: %d slots out of range counted as %llu",
           variant->symbol, num_bad, (unsigned long long)(after - before));
    EXPECT_STATUS(kvf_cuda_clear_faults(0, NULL), KVF_OK);
    EXPECT_STATUS(kvf_cuda_fault_count(0, &after), KVF_OK);
    EXPECT(after == 0, "%llu faults after clearing them", (unsigned long long)after);
    writer_expect(&call);
  }
  (void)writer_verify(&call, variant->symbol);
  writer_free(&call);
  count_case(variant);
}

void writer_test_out_of_range(const writer_op *op) {
  if (!need_backend()) {
    return;
  }
  uint64_t state = options.seed;
  for (int i = 0; i < op->op->num_variants; ++i) {
    for (int entry = 0; writer_wants(&op->op->variants[i]) && entry < ENTRIES; ++entry) {
      for (int wide = 0; wide < 2; ++wide) {
        run_out_of_range(op, &op->op->variants[i], entry, wide, random_next(&state));
      }
    }
  }
}
