#include "ops/shared/conversion.h"

#include <inttypes.h>
#include <string.h>

#include "core/extent.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/cache_dtype.h"
#include "kvforge/cache/convert.h"

/* ---- dtypes
 * -------------------------------------------------------------------------------------- */

static bool is_float(int32_t dtype) {
  return dtype == KVF_F32 || dtype == KVF_F16 || dtype == KVF_BF16;
}

static bool is_fp8(int32_t dtype) { return dtype == KVF_FP8_E4M3 || dtype == KVF_FP8_E5M2; }

static bool has_scales(int32_t dtype) {
  return is_fp8(dtype) || dtype == KVF_INT8 || kvf_has_row_scale(dtype);
}

/* The codes of a format whose writers differ in how they round. */
static kvf_dtype as_read(kvf_dtype dtype) {
  return dtype == KVF_INT8_PER_TOKEN_HEAD_EVEN ? KVF_INT8_PER_TOKEN_HEAD : dtype;
}

static bool can_convert(int32_t from, int32_t to) {
  if (is_float(from)) {
    return is_float(to) ? from != to : has_scales(to);
  }
  return has_scales(from) && (is_float(to) || (is_fp8(from) && is_fp8(to)));
}

/* The dtype of tensors of floats, which "auto" stands for. */
static kvf_dtype float_of(const kvf_elements *side) {
  const DLDataType type = side->pages->tensors[0]->dtype;
  if (type.lanes != 1 || (type.code != kDLFloat && type.code != kDLBfloat)) {
    return KVF_DTYPE_NONE;
  }
  return type.code == kDLBfloat ? (type.bits == 16 ? KVF_BF16 : KVF_DTYPE_NONE)
         : type.bits == 32      ? KVF_F32
         : type.bits == 16      ? KVF_F16
                                : KVF_DTYPE_NONE;
}

/* ---- words
 * --------------------------------------------------------------------------------------- */

/* What a side of `dtype` has scales for; `rows`: each row has one. */
static void check_count(kvf_check *check, const kvf_elements *side, kvf_dtype dtype, bool rows,
                        int64_t num_planes, int64_t num_layers) {
  const bool known = has_scales(dtype) && !rows;
  if (side->pages == NULL) {
    if (known && side->num_scales == 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, side->scales_argument,
                     "got NULL, want a tensor of scales for '%.60s'", side->word);
    } else if (!known && side->num_scales != 0) {
      kvf_check_fail(check, KVF_INVALID_VALUE, side->scales_argument, "got a tensor, want none%s",
                     rows                      ? ": each row has its scale in the wire"
                     : dtype == KVF_DTYPE_NONE ? ", since bits are copied"
                                               : ": floats have no scales");
    }
    return;
  }
  const int64_t want = known ? num_planes : rows ? num_planes * num_layers : 0;
  if (side->num_scales != want || (want > 0 && side->scales == NULL)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, side->scales_argument,
                   want == 0 ? "has %" PRId64 " tensors, want none%s"
                             : "has %" PRId64 " tensors, want %s%" PRId64,
                   side->num_scales,
                   want == 0 ? (dtype == KVF_DTYPE_NONE ? ", since bits are copied" : "")
                   : known   ? "one for each plane, "
                             : "one for each of its pages, ",
                   want);
  }
}

static void refuse_pair(kvf_check *check, const kvf_elements sides[KVF_SIDES]) {
  const int blamed = sides[KVF_FROM].pages == NULL ? KVF_FROM : KVF_TO;
  const kvf_elements *other = &sides[KVF_SIDES - 1 - blamed];
  kvf_check_fail(check, KVF_UNSUPPORTED, sides[blamed].argument,
                 "got '%.60s', want '%.60s' as %s, or a pair of which one is float32, float16 or "
                 "bfloat16 and the other fp8, fp8_e5m2, int8, one of the two with _per_token_head, "
                 "or a float too, or both are fp8",
                 sides[blamed].word, other->word, other->argument);
}

void kvf_check_conversion(kvf_check *check, const kvf_elements sides[KVF_SIDES], int64_t num_planes,
                          int64_t num_layers, kvf_conversion *made) {
  *made = (kvf_conversion){{KVF_DTYPE_NONE, KVF_DTYPE_NONE}, {false, false}};
  for (int i = 0; i < KVF_SIDES; ++i) {
    if (sides[i].word == NULL) {
      kvf_check_fail(check, KVF_INVALID_VALUE, sides[i].argument, "got NULL, want a word");
    }
  }
  if (check->status != KVF_OK) {
    return;
  }
  const bool same_word = strcmp(sides[KVF_FROM].word, sides[KVF_TO].word) == 0;
  const bool scaled = sides[KVF_FROM].num_scales != 0 || sides[KVF_TO].num_scales != 0;
  if (same_word && !scaled) {
    return;
  }
  const kvf_dtype near[KVF_SIDES] = {
      float_of(&sides[sides[KVF_FROM].pages == NULL ? KVF_TO : KVF_FROM]),
      float_of(&sides[sides[KVF_TO].pages == NULL ? KVF_FROM : KVF_TO])};
  kvf_dtype dtype[KVF_SIDES];
  for (int i = 0; i < KVF_SIDES; ++i) {
    dtype[i] = kvf_find_cache_dtype(sides[i].word, near[i]);
  }
  const bool same = same_word || (dtype[KVF_FROM] != KVF_DTYPE_NONE &&
                                  as_read(dtype[KVF_FROM]) == as_read(dtype[KVF_TO]));
  const bool rows =
      kvf_has_row_scale(dtype[KVF_FROM]) || dtype[KVF_FROM] == KVF_INT4_PER_TOKEN_HEAD;
  if (same && (!scaled || rows || !is_fp8(dtype[KVF_FROM]))) {
    made->rows[KVF_FROM] = made->rows[KVF_TO] = rows && scaled;
  } else if (can_convert(dtype[KVF_FROM], dtype[KVF_TO])) {
    memcpy(made->dtype, dtype, sizeof dtype);
    made->rows[KVF_FROM] = kvf_has_row_scale(dtype[KVF_FROM]);
    made->rows[KVF_TO] = kvf_has_row_scale(dtype[KVF_TO]);
  } else {
    refuse_pair(check, sides);
  }
  for (int i = 0; i < KVF_SIDES; ++i) {
    check_count(check, &sides[i], made->dtype[i], made->rows[i], num_planes, num_layers);
  }
}

/* ---- tensors
 * ------------------------------------------------------------------------------------- */

static int64_t stride_of(const DLTensor *tensor, int32_t dimension) {
  if (tensor->strides != NULL) {
    return tensor->strides[dimension];
  }
  int64_t stride = 1;
  for (int32_t i = tensor->ndim - 1; i > dimension; --i) {
    stride = kvf_wrapping_product(stride, tensor->shape[i]);
  }
  return stride;
}

/* One f32, or one for each layer, or layer and head; of a wire one of these for each plane. */
static void check_known(kvf_check *check, const kvf_elements *side, const DLTensor *tensor,
                        int64_t num_planes, int64_t num_layers, const kvf_dim *num_heads) {
  const int32_t least = side->pages == NULL ? 1 : 0;
  if (!kvf_check_present(check, side->scales_argument, tensor)) {
    return;
  }
  if (tensor->ndim < least || tensor->ndim > least + 2) {
    kvf_check_fail(check, KVF_INVALID_VALUE, side->scales_argument, "rank is %d, want %d to %d",
                   tensor->ndim, least, least + 2);
    return;
  }
  kvf_dim planes = {"num_planes", num_planes, NULL};
  kvf_dim layers = {"num_layers", num_layers, NULL};
  kvf_dim heads = {num_heads->name, num_heads->value, num_heads->bound_by};
  if (least == 0 && tensor->ndim == 1 && tensor->shape[0] == 1) {
    layers.value = 1;
  }
  kvf_dim *const dims[] = {&planes, &layers, &heads};
  kvf_view view;
  kvf_check_tensor(check, side->scales_argument, tensor, KVF_ACCEPT(KVF_F32), tensor->ndim,
                   dims + (1 - least), &view);
}

/* [num_blocks, block_size, num_heads], f32, the same strides in all layers of a plane. */
static void check_rows(kvf_check *check, const kvf_elements *side, int64_t i, int64_t num_layers,
                       const kvf_dim dims[3]) {
  kvf_dim sizes[3] = {dims[0], dims[1], dims[2]};
  kvf_view view;
  const DLTensor *tensor = side->scales[i];
  kvf_check_tensor(check, side->scales_argument, tensor, KVF_ACCEPT(KVF_F32), 3,
                   (kvf_dim *const[]){&sizes[0], &sizes[1], &sizes[2]}, &view);
  const DLTensor *first = side->scales[i / num_layers * num_layers];
  for (int32_t k = 0; check->status == KVF_OK && k < 3; ++k) {
    if (sizes[k].value > 1 && stride_of(tensor, k) != stride_of(first, k)) {
      kvf_check_fail(check, KVF_INVALID_VALUE, side->scales_argument,
                     "tensor %" PRId64 ": stride of dimension %d (%s) is %" PRId64 ", want %" PRId64
                     " as in the first layer",
                     i, k, sizes[k].name, stride_of(tensor, k), stride_of(first, k));
    }
  }
}

void kvf_check_elements(kvf_check *check, const kvf_elements *side, kvf_dtype dtype, bool rows,
                        int64_t num_planes, int64_t num_layers, const kvf_dim dims[3]) {
  for (int64_t i = 0; check->status == KVF_OK && dtype != KVF_DTYPE_NONE && side->pages != NULL &&
                      i < side->pages->size;
       ++i) {
    (void)kvf_check_dtype(check, side->pages->argument, side->pages->tensors[i], KVF_ACCEPT(dtype));
  }
  for (int64_t i = 0; check->status == KVF_OK && i < side->num_scales; ++i) {
    if (rows) {
      check_rows(check, side, i, num_layers, dims);
    } else {
      check_known(check, side, side->scales[i], num_planes, num_layers, &dims[2]);
    }
  }
}

kvf_plane_scales kvf_scales_of(const kvf_elements *side, int64_t plane, int64_t layer) {
  const bool on_wire = side->pages == NULL;
  const DLTensor *tensor = side->scales[on_wire ? 0 : plane];
  const int32_t at = on_wire; /* dimension of layers */
  kvf_plane_scales scales = {.data = kvf_first_element(tensor)};
  if (on_wire) {
    scales.data += plane * stride_of(tensor, 0);
  }
  if (tensor->ndim > at && tensor->shape[at] > 1) {
    scales.layer = stride_of(tensor, at);
  }
  if (tensor->ndim > at + 1 && tensor->shape[at + 1] > 1) {
    scales.head = stride_of(tensor, at + 1);
  }
  scales.data += layer * scales.layer;
  return scales;
}

const kvf_variant *kvf_check_conversion_variant(kvf_check *check,
                                                const kvf_conversion *conversion) {
  if (check->status != KVF_OK) {
    return NULL;
  }
  const kvf_dtype width = kvf_converts(conversion) ? KVF_F32 : KVF_B8;
  const kvf_variant *variant = kvf_select(check->op, check->exec.backend, width);
  if (variant == NULL) {
    check->status = kvf_select_status(check->op, check->exec.backend, width);
  }
  return variant;
}

/* ---- launches
 * ------------------------------------------------------------------------------------ */

void kvf_launch_conversion(kvf_check *check, const char *from_member, int32_t from,
                           const char *to_member, int32_t to) {
  if (!can_convert(from, to)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, to_member,
                   "got %d for %d of %s, want a pair that is converted", to, from, from_member);
  }
}

void kvf_launch_elements(kvf_check *check, int32_t dtype, int64_t element_bytes, const char *member,
                         const kvf_plane_scales *scales, int64_t num_layers, int64_t num_heads) {
  if (element_bytes != kvf_convertible_bytes(dtype)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "element_bytes", "got %" PRId64 ", want %d",
                   element_bytes, kvf_convertible_bytes(dtype));
  }
  if (!kvf_has_codes(dtype) || kvf_has_row_scale(dtype)) {
    return;
  }
  kvf_launch_pointer(check, member, scales->data);
  for (int64_t layer = 0; check->status == KVF_OK && layer < (scales->layer ? num_layers : 1);
       ++layer) {
    const float *first = scales->data + layer * scales->layer;
    const kvf_view view = {.data = (void *)(uintptr_t)first, .stride = {scales->head}};
    kvf_launch_scales(check, member, &view, num_heads);
  }
}
