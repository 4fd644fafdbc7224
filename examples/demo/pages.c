/* A paged cache: its layouts, writing through kvforge, reading through a block table. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

enum { GUARD = 0xA5 }; /* every byte of a fresh pool */

/* ---- layouts: how the library is told, and where the demo's own reader looks --------------------
 */

typedef struct tensor {
  DLTensor dl;
  int64_t shape[5];
  int64_t strides[5];
} tensor;

/* Where the code of an element lies in a layer's pool, counted in codes. */
typedef int64_t locate(const paged_cache *pages, int64_t block, int64_t offset, int64_t head,
                       int64_t d);

struct layout {
  const char *op;
  const char *name;
  kvf_status (*write)(const kvf_exec *, const DLTensor *, const DLTensor *, DLTensor *, DLTensor *,
                      const DLTensor *, const char *, const DLTensor *, const DLTensor *,
                      const DLTensor *);
  void (*describe)(const paged_cache *pages, tensor *key, tensor *value);
  locate *find_key;
  locate *find_value;
};

/* The first code of a page. */
static int64_t find_page(const paged_cache *pages, int64_t block) {
  return block * pages->page_bytes * 8 / pages->form->code->dlpack.bits;
}

/* [block, offset, head, d] */
static int64_t find_nhd(const paged_cache *pages, int64_t block, int64_t offset, int64_t head,
                        int64_t d) {
  return find_page(pages, block) + (offset * pages->size.heads + head) * pages->row + d;
}

/* [block, head, offset, d] */
static int64_t find_hnd(const paged_cache *pages, int64_t block, int64_t offset, int64_t head,
                        int64_t d) {
  return find_page(pages, block) + (head * BLOCK_SIZE + offset) * pages->row + d;
}

/* [block, head, d / x, offset, d % x] */
static int64_t find_key_of_5d(const paged_cache *pages, int64_t block, int64_t offset, int64_t head,
                              int64_t d) {
  const int64_t groups = pages->size.head_size / pages->x;
  const int64_t group = (block * pages->size.heads + head) * groups + d / pages->x;
  return (group * BLOCK_SIZE + offset) * pages->x + d % pages->x;
}

/* [block, head, d, offset] */
static int64_t find_value_of_4d(const paged_cache *pages, int64_t block, int64_t offset,
                                int64_t head, int64_t d) {
  return ((block * pages->size.heads + head) * pages->size.head_size + d) * BLOCK_SIZE + offset;
}

static void set_shape(tensor *given, const int64_t *shape, int32_t ndim) {
  given->dl.ndim = ndim;
  int64_t stride = 1;
  for (int32_t i = ndim - 1; i >= 0; i--) {
    given->shape[i] = shape[i];
    given->strides[i] = stride;
    stride *= shape[i];
  }
}

/* The last dimension counts codes, which the scales of rows lie behind; in pages with scales of
 * blocks it counts bytes, theirs among them. */
static void describe_nhd(const paged_cache *pages, tensor *key, tensor *value) {
  const bool packed = pages->form->scaling == SCALE_BLOCK;
  const int64_t bytes = storage_bytes(pages->form, pages->size.head_size);
  const int64_t shape[] = {pages->num_blocks, BLOCK_SIZE, pages->size.heads,
                           packed ? bytes : pages->row};
  set_shape(key, shape, 4);
  set_shape(value, shape, 4);
  key->shape[3] = value->shape[3] = packed ? bytes : pages->size.head_size;
}

/* The op's dimensions are those of NHD whatever the layout; only strides tell HND. */
static void describe_hnd(const paged_cache *pages, tensor *key, tensor *value) {
  describe_nhd(pages, key, value);
  for (int i = 0; i < 2; i++) {
    int64_t *const strides = i == 0 ? key->strides : value->strides;
    strides[1] = strides[2];
    strides[2] *= BLOCK_SIZE;
  }
}

static void describe_5d_4d(const paged_cache *pages, tensor *key, tensor *value) {
  const extent *const size = &pages->size;
  const int64_t groups = size->head_size / pages->x;
  const int64_t key_shape[] = {pages->num_blocks, size->heads, groups, BLOCK_SIZE, pages->x};
  const int64_t value_shape[] = {pages->num_blocks, size->heads, size->head_size, BLOCK_SIZE};
  set_shape(key, key_shape, 5);
  set_shape(value, value_shape, 4);
}

static kvf_status write_nvfp4(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                              DLTensor *key_cache, DLTensor *value_cache, const DLTensor *slots,
                              const char *dtype, const DLTensor *key_scale,
                              const DLTensor *value_scale, const DLTensor *remap) {
  return kvf_reshape_and_cache_flash_nvfp4(exec, key, value, key_cache, value_cache, slots, dtype,
                                           key_scale, value_scale, false, NULL, NULL, remap);
}

/* The scales behind the rows of a cache of bytes. */
static void describe_row_scales(const DLTensor *cache, tensor *scales) {
  const int64_t floats = (int64_t)sizeof(float);
  scales->dl = *cache;
  scales->dl.data = (char *)cache->data + cache->shape[3];
  scales->dl.dtype = (DLDataType){kDLFloat, 32, 1};
  scales->dl.ndim = 3;
  scales->dl.strides = scales->strides;
  for (int i = 0; i < 3; i++) {
    scales->strides[i] = cache->strides[i] / floats;
  }
}

static kvf_status write_per_token_head(const kvf_exec *exec, const DLTensor *key,
                                       const DLTensor *value, DLTensor *key_cache,
                                       DLTensor *value_cache, const DLTensor *slots,
                                       const char *dtype, const DLTensor *key_scale,
                                       const DLTensor *value_scale, const DLTensor *remap) {
  (void)key_scale, (void)value_scale; /* it makes its own */
  tensor key_scales, value_scales;
  describe_row_scales(key_cache, &key_scales);
  describe_row_scales(value_cache, &value_scales);
  return kvf_reshape_and_cache_flash_per_token_head(exec, key, value, key_cache, value_cache,
                                                    &key_scales.dl, &value_scales.dl, slots, dtype,
                                                    remap);
}

static kvf_status write_5d_4d(const kvf_exec *exec, const DLTensor *key, const DLTensor *value,
                              DLTensor *key_cache, DLTensor *value_cache, const DLTensor *slots,
                              const char *kv_cache_dtype, const DLTensor *k_scale,
                              const DLTensor *v_scale, const DLTensor *remap) {
  return kvf_reshape_and_cache(exec, key, value, key_cache, value_cache, slots, kv_cache_dtype,
                               k_scale, v_scale, false, remap);
}

static const layout layouts[] = {
    {"reshape_and_cache_flash", "NHD", kvf_reshape_and_cache_flash, describe_nhd, find_nhd,
     find_nhd},
    {"reshape_and_cache_flash", "HND", kvf_reshape_and_cache_flash, describe_hnd, find_hnd,
     find_hnd},
    {"reshape_and_cache", "5-D/4-D", write_5d_4d, describe_5d_4d, find_key_of_5d, find_value_of_4d},
    {"reshape_and_cache_flash_per_token_head", "NHD", write_per_token_head, describe_nhd, find_nhd,
     find_nhd},
    {"reshape_and_cache_flash_nvfp4", "NHD", write_nvfp4, describe_nhd, find_nhd, find_nhd},
    {"reshape_and_cache_flash_nvfp4", "HND", write_nvfp4, describe_hnd, find_hnd, find_hnd},
};

const layout *layout_find(const kvf_op *op, int position) {
  for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
    if (strcmp(layouts[i].op, op->name) == 0 && position-- == 0) {
      return &layouts[i];
    }
  }
  return NULL;
}

const char *layout_name(const layout *shown) { return shown->name; }

/* ---- what is written ----------------------------------------------------------------------------
 */

static char *upload_encoded(const format *form, const float *numbers, int64_t count) {
  const size_t bytes = (size_t)count * form->dlpack.bits / 8;
  char *const encoded = allocate(bytes, 1);
  char *const memory = memory_allocate(bytes);
  format_encode(form, numbers, count, encoded);
  memory_upload(memory, encoded, bytes);
  free(encoded);
  return memory;
}

source source_make(const storage *form, const extent *size, const float *key, const float *value) {
  const int64_t count = extent_elements(size);
  return (source){form, *size, upload_encoded(form->code, key, count),
                  upload_encoded(form->code, value, count)};
}

void source_free(source *rows) {
  memory_release(rows->key);
  memory_release(rows->value);
}

/* ---- the cache
 * ----------------------------------------------------------------------------------- */

/* The first `used` of `count` blocks in random order; the same in every run. */
static int64_t *choose_blocks(int64_t used, int64_t count) {
  int64_t *const blocks = allocate((size_t)count, sizeof *blocks);
  uint64_t state = 2025;
  for (int64_t i = 0; i < count; i++) {
    blocks[i] = i;
  }
  for (int64_t i = 0; i < used; i++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const int64_t other = i + (int64_t)((state >> 33) % (uint64_t)(count - i));
    const int64_t block = blocks[other];
    blocks[other] = blocks[i];
    blocks[i] = block;
  }
  return blocks;
}

static int64_t *upload_slots(const int64_t *block_table, int64_t tokens) {
  const size_t bytes = (size_t)tokens * sizeof(int64_t);
  int64_t *const slots = allocate((size_t)tokens, sizeof *slots);
  int64_t *const memory = memory_allocate(bytes);
  for (int64_t token = 0; token < tokens; token++) {
    slots[token] = block_table[token / BLOCK_SIZE] * BLOCK_SIZE + token % BLOCK_SIZE;
  }
  memory_upload(memory, slots, bytes);
  free(slots);
  return memory;
}

static char *make_pools(size_t bytes) {
  char *const fresh = allocate(bytes, 1);
  char *const memory = memory_allocate(bytes);
  memset(fresh, GUARD, bytes);
  memory_upload(memory, fresh, bytes);
  free(fresh);
  return memory;
}

paged_cache cache_make(const layout *shown, const storage *form, const extent *size,
                       const float *scales) {
  paged_cache pages = {.shown = shown, .form = form, .size = *size};
  const int64_t used = (size->tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
  const size_t scale_bytes = 2 * (size_t)size->layers * sizeof(float);
  pages.num_blocks = POOL * used;
  pages.x = 128 / form->code->dlpack.bits;
  if (size->head_size % pages.x != 0) {
    fail("the demo reads head sizes that are multiples of %d", (int)pages.x);
  }
  pages.row = size->head_size + (form->scaling == SCALE_ROW ? (int64_t)sizeof(float) : 0);
  pages.page_bytes = BLOCK_SIZE * size->heads * storage_bytes(form, size->head_size);
  pages.layer_bytes = (size_t)(pages.num_blocks * pages.page_bytes);
  pages.block_table = choose_blocks(used, pages.num_blocks);
  pages.slots = upload_slots(pages.block_table, size->tokens);
  pages.key = make_pools((size_t)size->layers * pages.layer_bytes);
  pages.value = make_pools((size_t)size->layers * pages.layer_bytes);
  pages.scales = memory_allocate(scale_bytes);
  memory_upload(pages.scales, scales, scale_bytes);
  return pages;
}

void cache_free(paged_cache *pages) {
  memory_release(pages->key);
  memory_release(pages->value);
  memory_release(pages->scales);
  memory_release(pages->slots);
  free(pages->block_table);
}

/* ---- writing
 * ------------------------------------------------------------------------------------- */

static DLTensor *finish(tensor *given, void *data, DLDataType dtype) {
  given->dl.data = data;
  given->dl.device = memory_dldevice();
  given->dl.dtype = dtype;
  given->dl.shape = given->shape;
  given->dl.strides = given->strides;
  return &given->dl;
}

void cache_write(paged_cache *pages, const source *rows, int64_t layer, int64_t begin,
                 int64_t count) {
  const DLDataType slot_type = {kDLInt, 64, 1};
  const DLDataType scale_type = {kDLFloat, 32, 1};
  const extent *const size = &pages->size;
  const int64_t row_shape[] = {count, size->heads, size->head_size};
  const int64_t one = 1;
  tensor key = {0}, value = {0}, key_cache = {0}, value_cache = {0};
  tensor slots = {0}, key_scale = {0}, value_scale = {0};
  set_shape(&key, row_shape, 3);
  set_shape(&value, row_shape, 3);
  set_shape(&slots, &count, 1);
  set_shape(&key_scale, &one, 1);
  set_shape(&value_scale, &one, 1);
  pages->shown->describe(pages, &key_cache, &value_cache);

  const DLDataType row_type = rows->form->code->dlpack;
  const size_t first =
      (size_t)((layer * size->tokens + begin) * size->heads * size->head_size) * row_type.bits / 8;
  const size_t pool = (size_t)layer * pages->layer_bytes;
  const DLDataType bytes = {kDLUInt, 8, 1};
  const DLDataType cache_type =
      pages->form->scaling == SCALE_BLOCK ? bytes : pages->form->code->dlpack;
  const bool same = pages->form == rows->form;
  const kvf_exec exec = {.backend = memory_dldevice().device_type == kDLCUDA ? KVF_CUDA : KVF_CPU};
  const kvf_status status = pages->shown->write(
      &exec, finish(&key, rows->key + first, row_type),
      finish(&value, rows->value + first, row_type),
      finish(&key_cache, pages->key + pool, cache_type),
      finish(&value_cache, pages->value + pool, cache_type),
      finish(&slots, pages->slots + begin, slot_type),
      same ? "auto" : kvf_dtype_name(pages->form->dtype),
      finish(&key_scale, pages->scales + layer, scale_type),
      finish(&value_scale, pages->scales + size->layers + layer, scale_type), NULL);
  if (status != KVF_OK) {
    fail("%s: %s", kvf_status_name(status), kvf_last_error());
  }
}

/* ---- reading
 * ------------------------------------------------------------------------------------- */

/* The number of every code of 8 bits or less; wider formats are decoded one by one. */
static float decode(const format *form, const float table[256], const char *pool, int64_t at) {
  uint32_t bits = 0;
  if (form->dlpack.bits == 4) { /* the even element in the low half */
    return table[(unsigned char)pool[at / 2] >> 4 * (at % 2) & 15];
  }
  const size_t bytes = form->dlpack.bits / 8;
  memcpy(&bits, pool + (size_t)at * bytes, bytes);
  return bytes == 1 ? table[bits] : format_decode(form, bits);
}

/* The scale of the element whose code is at `at` of the pool, and which is the d-th of its head. */
static float scale_of(const paged_cache *pages, const char *pool, int64_t block, int64_t at,
                      int64_t d, float fixed) {
  const extent *const size = &pages->size;
  float scale = fixed;
  if (pages->form->scaling == SCALE_ROW) { /* codes are bytes */
    memcpy(&scale, pool + at - d + size->head_size, sizeof scale);
  } else if (pages->form->scaling == SCALE_BLOCK) {
    const int64_t codes = BLOCK_SIZE * size->heads * size->head_size;
    const int64_t group = (at - find_page(pages, block)) / BLOCK_ELEMENTS;
    const char *const scales = pool + block * pages->page_bytes + codes / 2;
    scale = block_scale((unsigned char)scales[group]) * fixed;
  }
  return scale;
}

/* All blocks start at multiples of the block's bytes, in every layout. */
static void check_others(const paged_cache *pages, const char *pool) {
  const size_t bytes = pages->layer_bytes / (size_t)pages->num_blocks;
  const int64_t used = pages->num_blocks / POOL;
  for (int64_t i = used; i < pages->num_blocks; i++) {
    const char *const block = pool + (size_t)pages->block_table[i] * bytes;
    for (size_t at = 0; at < bytes; at++) {
      if ((unsigned char)block[at] != GUARD) {
        fail("%s %s: block %d changed, which is not the sequence's", pages->shown->op,
             pages->shown->name, (int)pages->block_table[i]);
      }
    }
  }
}

static void read_layer(const paged_cache *pages, locate *find, const char *pool, float fixed,
                       float *numbers, float *scales) {
  const extent *const size = &pages->size;
  const format *const code = pages->form->code;
  float table[256] = {0};
  for (uint32_t i = 0; code->dlpack.bits <= 8 && i < 1u << code->dlpack.bits; i++) {
    table[i] = format_decode(code, i);
  }
  for (int64_t token = 0; token < size->tokens; token++) {
    const int64_t block = pages->block_table[token / BLOCK_SIZE];
    for (int64_t head = 0; head < size->heads; head++) {
      for (int64_t d = 0; d < size->head_size; d++) {
        const int64_t at = find(pages, block, token % BLOCK_SIZE, head, d);
        *scales = scale_of(pages, pool, block, at, d, fixed);
        *numbers++ = decode(code, table, pool, at) * *scales++;
      }
    }
  }
}

static void read_all(const paged_cache *pages, locate *find, const char *pools, const float *scales,
                     readings *read) {
  const size_t bytes = (size_t)pages->size.layers * pages->layer_bytes;
  const int64_t elements = extent_elements(&pages->size) / pages->size.layers;
  char *const copy = allocate(bytes, 1);
  memory_download(copy, pools, bytes);
  for (int64_t layer = 0; layer < pages->size.layers; layer++) {
    const char *const pool = copy + (size_t)layer * pages->layer_bytes;
    check_others(pages, pool);
    read_layer(pages, find, pool, scales[layer], read->numbers + layer * elements,
               read->scales + layer * elements);
  }
  free(copy);
}

void cache_read(const paged_cache *pages, const float *scales, readings *key, readings *value) {
  read_all(pages, pages->shown->find_key, pages->key, scales, key);
  read_all(pages, pages->shown->find_value, pages->value, scales + pages->size.layers, value);
}
