/*
 * int4_per_token_head as it is defined: rotated heads, codes of four bits, and a word that is scale
 * and zero. Shares nothing with the library.
 */
#ifndef KVF_TESTS_INT4_H
#define KVF_TESTS_INT4_H

#include <stdbool.h>
#include <stdint.h>

#include "kvforge/kvforge.h"

/* The sign of an element of a block: -1 or 1, drawn one after another, for 512 of them. */
float int4_sign(int64_t i);

/* Elements of a block of heads of a size. */
int64_t int4_block(int64_t head_size);

/* H times every block of a head, f32 sums in the order of the definition. */
void int4_hadamard(float *head, int64_t size);

/* A head as it is stored but for the codes, rounded to what `scalar` holds; and back from there,
 * where zeros are +0. */
void int4_rotate(float *head, int64_t size, kvf_dtype scalar);
void int4_rotate_back(float *head, int64_t size);

/* Codes, one in each element, and the word of elements that have been rotated. */
uint32_t int4_encode(uint8_t *codes, const float *stored, int64_t size);

/* What a code under a word stands for. */
float int4_decode(uint8_t code, uint32_t word);

/* The code of element i of a head of packed codes. */
uint8_t int4_code(const uint8_t *head, int64_t i);
void int4_put_code(uint8_t *head, int64_t i, uint8_t code);

#endif
