/* What the entry points of the ops share whose work on CUDA is copies of the driver. */
#ifndef KVFORGE_COPIES_H
#define KVFORGE_COPIES_H

#include "core/cuda.h"
#include "kvforge/cache/op.h"

/* Copies that are submitted at a time: bounds the stack, and how long the first ones wait for the
 * host to hand over the others. */
enum { KVF_COPIES_AT_ONCE = 512 };

/*
 * Copies on their way to the driver. Starts as empty, with `check` and `argument` set: the list
 * whose elements ask for the copies, in its order. Elements that need none are left out.
 */
typedef struct kvf_copies {
  const kvf_check *check;
  const char *argument;
  bool any_order;
  int64_t next; /* element behind the last one added */
  size_t count;
  int64_t element[KVF_COPIES_AT_ONCE]; /* the first one of each copy */
  uint64_t to[KVF_COPIES_AT_ONCE];
  uint64_t from[KVF_COPIES_AT_ONCE];
  size_t bytes[KVF_COPIES_AT_ONCE];
} kvf_copies;

/* Adds a copy; submits the ones before it when there is no more room. */
kvf_status kvf_copies_add(kvf_copies *copies, int64_t element, uint64_t to, uint64_t from,
                          size_t bytes);

/* The same, but grows the copy before when both ends continue it. All ends are in one allocation
 * each. */
kvf_status kvf_copies_add_adjacent(kvf_copies *copies, int64_t element, uint64_t to, uint64_t from,
                                   size_t bytes);

/*
 * Submits what has been added. Copies of one submission may be made in any order. An error says
 * which elements the stream has got before it.
 */
kvf_status kvf_copies_submit(kvf_copies *copies);

/* Whether the host may follow the tensor's address. */
bool kvf_is_on_host(const DLTensor *tensor);

/*
 * The checks of an argument that the host reads, wherever the call itself runs: they go on in the
 * check that this returns, whose status goes back to `check` by kvf_check_end_host().
 */
kvf_check kvf_check_begin_host(kvf_check *check, const char *argument, const DLTensor *tensor);
void kvf_check_end_host(kvf_check *check, const kvf_check *host);

/* The variant of a byte mover, or NULL after a failure. */
const kvf_variant *kvf_check_bytes_variant(kvf_check *check);

#endif
