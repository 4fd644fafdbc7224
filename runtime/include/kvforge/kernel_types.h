/*
 * Types that params structs are made of. Included by host C, by the CPU variants and by the CUDA
 * kernels, so the three agree byte for byte.
 */
#ifndef KVFORGE_KERNEL_TYPES_H
#define KVFORGE_KERNEL_TYPES_H

#include <stdint.h>

#define KVF_MAX_RANK 5

/*
 * A tensor as a kernel sees it: the address of element 0 and the distance between neighbours of
 * each dimension, in elements; kernels may step behind the last, of a dimension of size 1, too.
 * Sizes are members of the params struct. A stride of 0 repeats an element (a scale of all heads).
 */
typedef struct kvf_view {
  void *data;
  int64_t stride[KVF_MAX_RANK];
} kvf_view;

/*
 * Division by a number that is fixed for a launch, as one multiplication: exact for every numerator
 * in [0, 2^63). Made by kvf_make_divider(); method: Granlund and Montgomery, "Division by Invariant
 * Integers using Multiplication" (PLDI 1994), round-up variant.
 */
typedef struct kvf_divider {
  int64_t value;
  uint64_t magic;
  int32_t shift;
} kvf_divider;

#endif
