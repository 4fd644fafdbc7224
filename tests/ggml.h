/* ggml's rows as they are defined: blocks of 32 elements. Shares nothing with the library. */
#ifndef KVF_TESTS_GGML_H
#define KVF_TESTS_GGML_H

#include <stdint.h>

#include "kvforge/kvforge.h"

/* Bytes of a row. */
int64_t ggml_bytes(kvf_dtype cache, int64_t elements);

/* The row of some elements, whole blocks. */
void ggml_encode(kvf_dtype cache, uint8_t *row, const float *elements, int64_t count);

/* An element of a row, and the scale of its block. Exact. */
double ggml_value(kvf_dtype cache, const uint8_t *row, int64_t element);
double ggml_scale(kvf_dtype cache, const uint8_t *row, int64_t element);

/* Makes scale and code of an element: the scale of the whole block. */
void ggml_put_scale(kvf_dtype cache, uint8_t *row, int64_t element, double scale);
void ggml_put_code(kvf_dtype cache, uint8_t *row, int64_t element, int code);

#endif
