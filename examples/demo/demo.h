/*
 * What the files of the demo share.
 *
 * npy.c       reads the fixture
 * memory.c    memory of the backend: host memory, or device memory through libcuda
 * pages.c     a paged cache: its layouts, writing through kvforge, reading through a block table
 * accuracy.c  number formats, error bounds, attention
 * demo.c      the walk over the dispatch table, and the report
 *
 * Errors end the program (fail()): what it prints is all that it has to hand over.
 */
#ifndef KVFORGE_DEMO_H
#define KVFORGE_DEMO_H

#include <stddef.h>
#include <stdint.h>

#include "kvforge/kvforge.h"

/* Prints "demo: " and the message to stderr, and exits with status 1. */
_Noreturn void fail(const char *message, ...) __attribute__((format(printf, 1, 2)));

/* malloc() and calloc() in one, which never give NULL. */
void *allocate(size_t count, size_t bytes);

/* ---- npy.c -------------------------------------------------------------------------------------
 */

/* The sizes of queries, keys and values, [layer, token, head, channel] in C order. */
typedef struct extent {
  int64_t layers;
  int64_t tokens;
  int64_t heads;
  int64_t head_size;
} extent;

typedef struct fixture {
  extent size;
  float *query;
  float *key;
  float *value;
} fixture;

/* Reads query.npy, key.npy and value.npy of the folder. */
fixture fixture_load(const char *folder);
void fixture_free(fixture *data);

static inline int64_t extent_elements(const extent *size) {
  return size->layers * size->tokens * size->heads * size->head_size;
}

/* ---- memory.c ----------------------------------------------------------------------------------
 */

/* Decides where memory is, for all calls below: in the host, or on CUDA device 0. */
void memory_open(kvf_backend backend);

/* The name of the processor or the GPU. */
const char *memory_device(void);

DLDevice memory_dldevice(void);
void *memory_allocate(size_t bytes);
void memory_release(void *memory);
void memory_upload(void *to, const void *from, size_t bytes);
void memory_download(void *to, const void *from, size_t bytes);

/* Returns when all enqueued work has run. */
void memory_wait(void);

/* ---- accuracy.c --------------------------------------------------------------------------------
 */

/* A binary floating-point format, as far as finite numbers go; or, without mantissa, integers. */
typedef struct format {
  DLDataType dlpack;
  int mantissa_bits; /* 0: an integer in two's complement */
  int bias;
  double largest;
} format;

/* `count` floats, rounded to nearest even, as they lie in memory. */
void format_encode(const format *form, const float *numbers, int64_t count, void *codes);

/* What the code means, without any scale. Infinities and NaNs are NAN. */
float format_decode(const format *form, uint32_t code);

/* Where the scale of an element of a cache is. */
typedef enum scaling {
  SCALE_STATIC, /* one for K and one for V of a layer, which the caller gives */
  SCALE_ROW,    /* f32 behind the codes of each head of each token */
  SCALE_BLOCK   /* E4M3 for 16 neighbours, behind all codes of the page; times a static one */
} scaling;

/* How a tensor's elements are kept: of keys and values that wait, and of a cache. */
typedef struct storage {
  kvf_dtype dtype;
  const format *code; /* of one element */
  scaling scaling;
  double largest; /* what a static scale maps the largest number to; 0: there is none */
} storage;

enum { BLOCK_ELEMENTS = 16 }; /* that share a scale of SCALE_BLOCK */

/* NULL for a dtype that the demo does not know. */
const storage *storage_find(kvf_dtype dtype);

/* Bytes of so many elements of one head, scales among them. */
int64_t storage_bytes(const storage *kept, int64_t elements);

/* Static scales of a cache, one per tensor and layer: amax / storage.largest. */
void scales_choose(const storage *kept, const extent *size, const float *numbers, float *scales);

/* The scale of a block, as its code has it. */
float block_scale(uint32_t code);

typedef struct error {
  double max;
  double rms;
} error;

error error_between(const float *got, const float *want, int64_t count);

/* Numbers that were read from a cache, and for each the scale that its code was multiplied by. */
typedef struct readings {
  float *numbers;
  float *scales;
} readings;

/*
 * The largest error of a tensor that was rounded to `scalar`, divided by the scale of each element
 * and rounded to a code, as a fraction of what that may cost: half a unit in the last place of each
 * format, and what a block scale that was rounded down cuts off. More than 1 is a mistake. f32 in
 * f32 may cost nothing, so its fraction is 0 or infinite. `scales` are the static ones, one per
 * layer.
 */
double error_of_bound(const storage *scalar, const storage *cache, const extent *size,
                      const float *scales, const readings *got, const float *want);

/* output = softmax(Q K^T / sqrt(head_size)) V for each layer and head, over all tokens. */
void attention(const extent *size, const float *query, const float *key, const float *value,
               float *output);

/* ---- pages.c -----------------------------------------------------------------------------------
 */

enum {
  BLOCK_SIZE = 16, /* tokens in a block */
  POOL = 3         /* blocks in the pool for each one that the sequence uses */
};

typedef struct layout layout;

/* The position-th layout that the demo can read of what the op writes; NULL when there are no more.
 */
const layout *layout_find(const kvf_op *op, int position);
const char *layout_name(const layout *shown);

/* Keys and values of tokens that wait to be written, in memory of the backend. */
typedef struct source {
  const storage *form;
  extent size;
  char *key;
  char *value;
} source;

source source_make(const storage *form, const extent *size, const float *key, const float *value);
void source_free(source *rows);

/* The cache of one sequence in pages from all over a larger pool; all layers share a block table.
 */
typedef struct paged_cache {
  const layout *shown;
  const storage *form;
  extent size;
  int64_t num_blocks; /* of the pool, in each layer */
  int64_t x;          /* elements in 16 bytes */
  int64_t row;        /* codes from one head to the next */
  int64_t page_bytes;
  size_t layer_bytes; /* of K, equally of V */
  char *key;          /* memory of the backend, [layer] pools; fresh pools hold a guard pattern */
  char *value;
  float *scales;        /* memory of the backend: K of every layer, V of every layer */
  int64_t *slots;       /* memory of the backend: the slot of every token */
  int64_t *block_table; /* the block of every 16 tokens */
} paged_cache;

/* `scales` holds those of K of every layer, then those of V of every layer. */
paged_cache cache_make(const layout *shown, const storage *form, const extent *size,
                       const float *scales);
void cache_free(paged_cache *pages);

/* Writes tokens [begin, begin + count) of one layer: one call of the library. */
void cache_write(paged_cache *pages, const source *rows, int64_t layer, int64_t begin,
                 int64_t count);

/*
 * Reads every token back through the block table, as [layer, token, head, channel], times its
 * scale: `scales` are the static ones. Ends the program when a block that is not the sequence's has
 * changed.
 */
void cache_read(const paged_cache *pages, const float *scales, readings *key, readings *value);

#endif
