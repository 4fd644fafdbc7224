/*
 * The root mean square of a head, for norms: a definition of the order in which squares are added,
 * so that every backend comes to the same bits.
 *
 * Of `size` elements h = 8 * ceil(size / 16) are the lower half; what is missing of the upper one
 * is 0. Each 8 neighbours of the lower half and those h behind them make a sum: with t[k] = the
 * square of element k plus that of its partner, u = ((t[0] + t[4]) + (t[2] + t[6])) + ((t[1] +
 * t[5]) + (t[3] + t[7])). Each 32 neighbours among the u, with zeros behind the last one, are
 * folded: 16 plus 16, 8 plus 8, and so on. What they come to is added up in order. All in f32,
 * never fused.
 */
#ifndef KVFORGE_NORM_H
#define KVFORGE_NORM_H

#include "kvforge/bits.h"

enum {
  KVF_SUM_PART = 8,                           /* neighbours that make a sum with their partners */
  KVF_SUM_GROUP = 32,                         /* sums that are folded */
  KVF_SUM_HALF = KVF_SUM_PART * KVF_SUM_GROUP /* elements of the lower half in a group */
};

/* h: the elements of the lower half. */
KVF_INLINE int64_t kvf_lower_half(int64_t size) {
  return (size + 2 * KVF_SUM_PART - 1) / (2 * KVF_SUM_PART) * KVF_SUM_PART;
}

#endif
