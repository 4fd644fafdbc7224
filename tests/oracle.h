/*
 * The slow, obviously right answer, in double precision. Written from the definition of the
 * formats; shares nothing with the library but the names of dtypes.
 */
#ifndef KVF_TESTS_ORACLE_H
#define KVF_TESTS_ORACLE_H

#include "kvforge/kvforge.h"

/* The value of an element of a scalar dtype or of an fp8 or int8 code. Exact. */
double oracle_value(kvf_dtype dtype, const void *element);
double oracle_fp8_value(kvf_dtype format, uint8_t code);

/* Largest code of a finite, positive value. */
uint8_t oracle_fp8_largest(kvf_dtype format);

/* Nearest finite code, ties to the even one; NaN is 0x7F; the sign of zero is kept. */
uint8_t oracle_fp8(kvf_dtype format, float value);

/* Nearest of 0, 0.5, 1, 1.5, 2, 3, 4, 6, ties to the even code; NaN is 7. A code has four bits. */
uint8_t oracle_e2m1(float value);
double oracle_e2m1_value(uint8_t code);

/* One unit in the last place of codes of a format where a code times `scale` is `held`; 0 where the
 * cache holds the scalar dtype itself. */
double oracle_unit(kvf_dtype cache, double held, double scale);

/* Nearest integer from -128 to 127, ties to the even one; NaN is 0. */
int8_t oracle_int8(float value);

/* One half is added away from 0, in f32, and what is behind the point dropped. */
int8_t oracle_int8_away(float value);

/* What the cache holds for one element: its bits, or the code of element / scale. */
void oracle_store(kvf_dtype scalar, kvf_dtype cache, const void *element, float scale,
                  void *stored);

/* Bits of `value` in a scalar dtype, rounded to nearest even, overflowing to infinity; a NaN has
 * every bit set but the sign. */
void oracle_round(kvf_dtype scalar, double value, void *element);

/* Bits of `value` in a scalar dtype, rounded towards zero; for making inputs. */
void oracle_make(kvf_dtype scalar, double value, void *element);

#endif
