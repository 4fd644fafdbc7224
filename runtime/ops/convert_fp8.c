#include <inttypes.h>
#include <string.h>

#include "core/error.h"
#include "core/float_mode.h"
#include "kvforge/cache/op.h"
#include "kvforge/quotient.h"
#include "ops/shared/arithmetic.h"

#define OP (&kvf_op_convert_fp8)

/* ---- dimensions
 * ---------------------------------------------------------------------------------- */

enum { MAX_DIMENSIONS = 64, DST = 0, SRC = 1 };

typedef struct dimension {
  int64_t size;
  int64_t stride[2]; /* DST, SRC */
} dimension;

static uint64_t magnitude(int64_t stride) {
  return stride < 0 ? 0 - (uint64_t)stride : (uint64_t)stride;
}

/* Whether a is as far apart as b or farther, in dst_cache. */
static bool is_outer(const dimension *a, const dimension *b) {
  return magnitude(a->stride[DST]) >= magnitude(b->stride[DST]);
}

/*
 * The same elements in as few dimensions as possible, the destination's neighbours last: dimensions
 * of size 1 go, and two become one where the outer one steps over the whole of the inner one on
 * both sides. Without elements one dimension of none is left. Returns how many are left.
 */
static int32_t simplify(dimension *dimensions, int32_t count) {
  int32_t kept = 0;
  for (int32_t i = 0; i < count; ++i) {
    if (dimensions[i].size == 0) {
      dimensions[0] = (dimension){0, {1, 1}};
      return 1;
    }
  }
  for (int32_t i = 0; i < count; ++i) {
    if (dimensions[i].size == 1) {
      continue;
    }
    const dimension moving = dimensions[i];
    int32_t at = kept++;
    for (; at > 0 && !is_outer(&dimensions[at - 1], &moving); --at) {
      dimensions[at] = dimensions[at - 1];
    }
    dimensions[at] = moving;
  }
  int32_t last = 0;
  for (int32_t i = 1; i < kept; ++i) {
    dimension *outer = &dimensions[last];
    const dimension *inner = &dimensions[i];
    int64_t size = 0;
    if (kvf_is_product(outer->stride[DST], inner->stride[DST], inner->size) &&
        kvf_is_product(outer->stride[SRC], inner->stride[SRC], inner->size) &&
        !__builtin_mul_overflow(outer->size, inner->size, &size)) {
      *outer = (dimension){size, {inner->stride[DST], inner->stride[SRC]}};
    } else {
      dimensions[++last] = *inner;
    }
  }
  return kept > 0 ? last + 1 : 0;
}

/* A tensor's own dimensions, in its order. */
typedef struct tensor_dims {
  int32_t count;
  int64_t size[MAX_DIMENSIONS];
  int64_t stride[MAX_DIMENSIONS];
} tensor_dims;

/* The dimensions of a tensor, neighbours that follow each other joined; NULL strides mean compact
 * row-major. Returns how many elements there are. */
static int64_t read_side(kvf_check *check, const char *argument, const DLTensor *tensor,
                         tensor_dims *found) {
  found->count = 0;
  if (tensor->ndim < 0 || tensor->ndim > MAX_DIMENSIONS) {
    kvf_check_fail(check, KVF_INVALID_VALUE, argument, "rank is %d, want 0 to %d", tensor->ndim,
                   MAX_DIMENSIONS);
    return 0;
  }
  int64_t elements = 1;
  int64_t compact[MAX_DIMENSIONS];
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    compact[i] = elements;
    if (tensor->shape[i] < 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, argument,
                     "size of dimension %d is %" PRId64 ", want 0 or more", i, tensor->shape[i]);
      return 0;
    }
    elements = kvf_saturating_product(elements, tensor->shape[i]);
  }
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    const int64_t size = tensor->shape[i];
    const int64_t stride = tensor->strides != NULL ? tensor->strides[i] : compact[i];
    const int32_t last = found->count - 1;
    if (size == 1) {
      continue;
    }
    if (last >= 0 && kvf_is_product(found->stride[last], stride, size)) {
      found->size[last] = kvf_saturating_product(found->size[last], size);
      found->stride[last] = stride;
    } else {
      found->size[found->count] = size;
      found->stride[found->count++] = stride;
    }
  }
  return elements;
}

/*
 * Cuts the dimensions of both sides, which have equally many elements, into the same pieces, from
 * the last ones on. Returns how many there are, or -1 where a piece of one side would span two of
 * the other that do not follow each other.
 */
static int32_t match(tensor_dims *dst, tensor_dims *src, dimension *dimensions) {
  int32_t count = 0;
  for (int32_t d = dst->count - 1, s = src->count - 1; d >= 0 && s >= 0;) {
    const int64_t size = dst->size[d] < src->size[s] ? dst->size[d] : src->size[s];
    if (dst->size[d] % size != 0 || src->size[s] % size != 0) {
      return -1;
    }
    dimensions[count++] = (dimension){size, {dst->stride[d], src->stride[s]}};
    dst->size[d] /= size;
    dst->stride[d] = kvf_wrapping_product(dst->stride[d], size);
    d -= dst->size[d] == 1;
    src->size[s] /= size;
    src->stride[s] = kvf_wrapping_product(src->stride[s], size);
    s -= src->size[s] == 1;
  }
  for (int32_t i = 0; i < count / 2; ++i) {
    const dimension first = dimensions[i];
    dimensions[i] = dimensions[count - 1 - i];
    dimensions[count - 1 - i] = first;
  }
  return count;
}

/* Element i of one side goes to element i of the other. Fills `dimensions`, of which it returns the
 * number. */
static int32_t check_shapes(kvf_check *check, const DLTensor *dst, const DLTensor *src,
                            dimension *dimensions) {
  tensor_dims sides[2];
  if (check->status != KVF_OK) {
    return 0;
  }
  const int64_t from = read_side(check, "src_cache", src, &sides[SRC]);
  const int64_t to = read_side(check, "dst_cache", dst, &sides[DST]);
  if (check->status == KVF_OK && to != from) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "dst_cache",
                   "has %" PRId64 " elements, want %" PRId64 " as in src_cache", to, from);
  }
  for (int32_t i = 0; check->status == KVF_OK && to > 0 && i < sides[DST].count; ++i) {
    if (sides[DST].stride[i] == 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "dst_cache",
                     "a dimension of %" PRId64 " has stride 0, want elements that do not overlap",
                     sides[DST].size[i]);
    }
  }
  if (check->status != KVF_OK) {
    return 0;
  }
  if (to == 0) {
    dimensions[0] = (dimension){0, {1, 1}};
    return 1;
  }
  const int32_t count = match(&sides[DST], &sides[SRC], dimensions);
  if (count < 0) {
    kvf_check_fail(check, KVF_UNSUPPORTED, "src_cache",
                   "its shape and that of dst_cache have no common pieces, want one of them "
                   "without gaps");
  }
  return count;
}

/* ---- dtypes
 * -------------------------------------------------------------------------------------- */

static bool is_float(kvf_dtype dtype) {
  return dtype == KVF_F32 || dtype == KVF_F16 || dtype == KVF_BF16;
}

/* The dtype of the destination when both sides are floats. */
static void check_floats(kvf_check *check, kvf_dtype dst, double scale, const char *string) {
  kvf_dtype named = KVF_DTYPE_NONE;
  if (kvf_resolve_cache_dtype(string, dst, &named) != KVF_OK || named != dst) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "kv_cache_dtype",
                   "got %s, want 'auto' or the dtype of dst_cache, %s (both tensors are floats)",
                   string ? string : "NULL", kvf_dtype_name(dst));
  }
  if (scale != 1.0) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "scale",
                   "got %g, want 1 (between float dtypes nothing is scaled)", scale);
  }
}

/* The format that kv_cache_dtype names. */
static kvf_dtype check_format(kvf_check *check, const char *string) {
  kvf_dtype format = KVF_DTYPE_NONE;
  if (kvf_resolve_cache_dtype(string, KVF_F32, &format) != KVF_OK ||
      (format != KVF_FP8_E4M3 && format != KVF_FP8_E5M2)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "kv_cache_dtype",
                   "got %s, want fp8, fp8_e4m3 or fp8_e5m2 (the format of the codes)",
                   string ? string : "NULL");
  }
  return format;
}

/* The dtypes of both sides; a side that holds codes has the format that kv_cache_dtype names. */
static void check_dtypes(kvf_check *check, const DLTensor *const tensors[2], double scale,
                         const char *string, kvf_dtype dtypes[2]) {
  const uint32_t accepted = KVF_ACCEPT_FLOATS | KVF_ACCEPT(KVF_FP8_E4M3) | KVF_ACCEPT(KVF_FP8_E5M2);
  dtypes[DST] = kvf_check_dtype(check, "dst_cache", tensors[DST], accepted);
  dtypes[SRC] = kvf_check_dtype(check, "src_cache", tensors[SRC], accepted);
  if (check->status != KVF_OK) {
    return;
  }
  const bool floats[] = {is_float(dtypes[DST]), is_float(dtypes[SRC])};
  if (floats[DST] && floats[SRC]) {
    check_floats(check, dtypes[DST], scale, string);
  } else if (floats[DST] || floats[SRC]) {
    dtypes[floats[DST] ? SRC : DST] = check_format(check, string);
    kvf_check_scale_value(check, "scale", scale);
  } else {
    kvf_check_fail(
        check, KVF_INVALID_TYPE, "src_cache",
        "holds codes as dst_cache does, want float32, float16 or bfloat16 in one of them");
  }
}

/* ---- the entry points
 * ------------------------------------------------------------------------------ */

/* A side, as a view of the simplified dimensions, right-aligned. */
static void check_side(kvf_check *check, const char *argument, const DLTensor *tensor,
                       kvf_dtype dtype, int side, const dimension *dimensions, int32_t rank,
                       kvf_view *view) {
  int64_t shape[KVF_MAX_RANK];
  int64_t strides[KVF_MAX_RANK];
  kvf_dim sizes[KVF_MAX_RANK];
  kvf_dim *dims[KVF_MAX_RANK];
  for (int32_t i = 0; i < rank; ++i) {
    shape[i] = dimensions[i].size;
    strides[i] = dimensions[i].stride[side];
    sizes[i] = (kvf_dim)KVF_DIM("joined");
    dims[i] = &sizes[i];
  }
  DLTensor joined;
  if (tensor != NULL) {
    joined = *tensor;
    joined.ndim = rank;
    joined.shape = shape;
    joined.strides = strides;
    tensor = &joined;
  }
  kvf_view found = {.data = NULL};
  kvf_check_tensor(check, argument, tensor, KVF_ACCEPT(dtype), rank, dims, &found);
  view->data = found.data;
  for (int32_t i = 0; i < KVF_MAX_RANK; ++i) {
    const int32_t from = i - (KVF_MAX_RANK - rank);
    view->stride[i] = from >= 0 ? found.stride[from] : 0;
  }
}

kvf_status kvf_convert_fp8(const kvf_exec *exec, DLTensor *dst_cache, const DLTensor *src_cache,
                           double scale, const char *kv_cache_dtype) {
  kvf_convert_fp8_params params = {.scale = 1.0f};
  dimension dimensions[2 * MAX_DIMENSIONS];
  kvf_dtype dtypes[2];
  kvf_check check = kvf_check_begin(OP, exec);
  check_dtypes(&check, (const DLTensor *const[]){dst_cache, src_cache}, scale, kv_cache_dtype,
               dtypes);
  const int32_t count = check_shapes(&check, dst_cache, src_cache, dimensions);
  kvf_check_apart(&check, (const kvf_named[]){{"dst_cache", dst_cache}}, 1,
                  (const kvf_named[]){{"src_cache", src_cache}}, 1);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.scale = kvf_nearest_float(scale);
  const int32_t rank = simplify(dimensions, count);
  if (rank > KVF_MAX_RANK) {
    return kvf_check_fail(
        &check, KVF_UNSUPPORTED, "src_cache",
        "%d dimensions are left when those that follow each other are joined, want "
        "at most %d",
        rank, KVF_MAX_RANK);
  }
  check_side(&check, "dst_cache", dst_cache, dtypes[DST], DST, dimensions, rank, &params.dst_cache);
  check_side(&check, "src_cache", src_cache, dtypes[SRC], SRC, dimensions, rank, &params.src_cache);
  if (check.status != KVF_OK) {
    return check.status;
  }
  for (int32_t i = 0; i < KVF_MAX_RANK; ++i) {
    const int32_t from = i - (KVF_MAX_RANK - rank);
    params.size[i] = from >= 0 ? dimensions[from].size : 1;
  }
  const kvf_variant *variant = kvf_select(OP, check.exec.backend, dtypes[SRC], dtypes[DST]);
  if (variant == NULL) {
    return kvf_select_status(OP, check.exec.backend, dtypes[SRC], dtypes[DST]);
  }
  return kvf_launch_convert_fp8(&check.exec, variant, &params);
}

/* Simplifies what a caller gave; false when there is nothing to convert. */
static bool prepare(kvf_check *check, kvf_convert_fp8_params *params) {
  dimension dimensions[KVF_MAX_RANK] = {{.size = 0}};
  int64_t elements = 1;
  for (int32_t i = 0; i < KVF_MAX_RANK; ++i) {
    kvf_launch_at_least(check, "size", params->size[i], 0);
    dimensions[i] =
        (dimension){params->size[i], {params->dst_cache.stride[i], params->src_cache.stride[i]}};
    if (check->status == KVF_OK && params->size[i] > 0 &&
        __builtin_mul_overflow(elements, params->size[i], &elements)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "size", "want fewer than 2^63 elements");
    }
  }
  for (int32_t i = 0; i < KVF_MAX_RANK; ++i) {
    if (params->size[i] == 0) {
      return false;
    }
  }
  kvf_launch_pointer(check, "dst_cache", params->dst_cache.data);
  kvf_launch_pointer(check, "src_cache", params->src_cache.data);
  if (check->status != KVF_OK) {
    return false;
  }
  const int32_t rank = simplify(dimensions, KVF_MAX_RANK);
  params->rows = 1;
  for (int32_t i = 0; i < KVF_MAX_RANK; ++i) {
    const int32_t from = i - (KVF_MAX_RANK - rank);
    const dimension none = {1, {i == KVF_MAX_RANK - 1, i == KVF_MAX_RANK - 1}};
    const dimension *one = from >= 0 ? &dimensions[from] : &none;
    params->size[i] = one->size;
    params->dst_cache.stride[i] = one->stride[DST];
    params->src_cache.stride[i] = one->stride[SRC];
    params->by_size[i] = kvf_make_divider(one->size);
    params->rows *= i < KVF_MAX_RANK - 1 ? one->size : 1;
  }
  return true;
}

/* As the CPU template has it. */
enum { PIECE = 2048 };

/* One row whose vectors the grid covers, if their numbers are small, is all that a kernel reads of
 * the params then. */
static void fit_narrow(kvf_convert_fp8_params *params, int64_t part, int64_t parts) {
  const int64_t vectors = params->by_units.value;
  const kvf_divisor by = kvf_divide_by(params->scale);
  _Static_assert(sizeof(kvf_narrow_conversion) == sizeof params->dst_cache, "in its place");
  if (params->rows == 1 && params->vector_elements > 1 && parts * part <= INT32_MAX && by.quick) {
    const kvf_narrow_conversion row = {
        .to = params->dst_cache.data,
        .from = params->src_cache.data,
        .scale = params->scale,
        .inverse = by.inverse,
        .vectors = (uint32_t)vectors,
        .part = (uint32_t)part,
        .in_flight = (uint16_t)params->in_flight,
        .vector_elements = (uint16_t)params->vector_elements,
        .rest = (uint32_t)(params->size[KVF_MAX_RANK - 1] - vectors * params->vector_elements),
        .mark = KVF_NARROW_CONVERSION,
    };
    memcpy(&params->dst_cache, &row, sizeof row);
  }
}

/* As the CUDA template has it: what a thread loads before it stores. */
enum { IN_FLIGHT_BYTES = 64 };

kvf_status kvf_launch_convert_fp8(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_convert_fp8_params *given) {
  kvf_convert_fp8_params params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  if (check.status == KVF_OK &&
      !(is_float(kvf_scalar_of(variant)) && is_float(kvf_cache_of(variant)))) {
    kvf_check_scale_value(&check, "scale", (double)params.scale);
  }
  if (!prepare(&check, &params)) {
    return check.status;
  }
  const int32_t source = kvf_dtype_bits(kvf_scalar_of(variant)) / 8;
  const int32_t destination = kvf_dtype_bits(kvf_cache_of(variant)) / 8;
  const int64_t size = params.size[KVF_MAX_RANK - 1];
  if (check.exec.backend == KVF_CPU) {
    /* Encoding is slower than memory, so only the others gain from it. */
    params.streaming = is_float(kvf_cache_of(variant)) &&
                       kvf_cpu_streams(kvf_saturating_product(params.rows * size, destination));
    params.by_units = kvf_make_divider((size + PIECE - 1) / PIECE);
    return kvf_cpu_run(&check, variant, &params, params.rows * params.by_units.value,
                       (size < PIECE ? size : PIECE) * (source + destination));
  }
  const int32_t decoding[] = {16 / destination, 4 / destination, 1};
  const int32_t *choices = is_float(kvf_cache_of(variant)) ? decoding : variant->vectors;
  enum { THREADS, VECTORS, BLOCKS }; /* positions of tuned constants */
  const int32_t *tuned = kvf_tuned_values(&check, params.rows * size);
  const int64_t enough = (int64_t)tuned[THREADS] * tuned[BLOCKS];
  const int32_t room = IN_FLIGHT_BYTES / (*choices * source);
  /* Where threads would be few, more of them move narrower vectors. */
  choices += choices[1] > 1 && params.rows * size < enough * *choices;
  const kvf_vector_side sides[] = {{&params.src_cache, source, 4, 5},
                                   {&params.dst_cache, destination, 4, 5}};
  /* What is left of one long row is converted element by element. */
  const int64_t run = params.rows == 1 && size >= *choices ? size - size % *choices : size;
  params.vector_elements = kvf_vector_elements(choices, run, sides, 2);
  params.by_units = kvf_make_divider(size / params.vector_elements);
  const int64_t vectors = params.rows * params.by_units.value;
  params.in_flight = tuned[VECTORS] < room ? tuned[VECTORS] : room;
  while (params.in_flight > 1 && vectors < enough * params.in_flight) {
    params.in_flight /= 2;
  }
  const int64_t part = (int64_t)tuned[THREADS] * params.in_flight;
  const int64_t parts = (vectors + part - 1) / part;
  fit_narrow(&params, part, parts);
  const kvf_grid grid = {.grid = {(uint32_t)(parts < INT32_MAX ? parts : INT32_MAX), 1, 1},
                         .block = {(uint32_t)tuned[THREADS], 1, 1}};
  return kvf_cuda_run(&check, variant, &params, &grid);
}
