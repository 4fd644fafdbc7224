/*
 * Products of sizes and strides. A tensor without elements, or a dimension of one, may have any
 * number there: nothing is wrong with it, and signed arithmetic would overflow.
 */
#ifndef KVFORGE_ARITHMETIC_H
#define KVFORGE_ARITHMETIC_H

#include <stdbool.h>
#include <stdint.h>

/* What no size is: half of the largest number, so that two can be added. */
#define KVF_TOO_LARGE (INT64_MAX / 2)

/* a * b for numbers from 0 on; KVF_TOO_LARGE if it overflows. */
static inline int64_t kvf_saturating_product(int64_t a, int64_t b) {
  int64_t product = 0;
  return __builtin_mul_overflow(a, b, &product) ? KVF_TOO_LARGE : product;
}

/* a + b for numbers from 0 on; INT64_MAX if it overflows. */
static inline int64_t kvf_saturating_sum(int64_t a, int64_t b) {
  int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* a / b, rounded up. */
static inline int64_t kvf_quotient_up(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/* Whether `whole` is a * b. */
static inline bool kvf_is_product(int64_t whole, int64_t a, int64_t b) {
  int64_t product = 0;
  return !__builtin_mul_overflow(a, b, &product) && product == whole;
}

/* a * b of an address or an alignment, where what overflows is of no use to anybody. */
static inline int64_t kvf_wrapping_product(int64_t a, int64_t b) {
  return (int64_t)((uint64_t)a * (uint64_t)b);
}

#endif
