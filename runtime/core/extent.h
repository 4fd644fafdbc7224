/* Where in memory a tensor lies. */
#ifndef KVFORGE_EXTENT_H
#define KVFORGE_EXTENT_H

#include "kvforge/kvforge.h"

/* From the first byte of a tensor to behind its last; equal where it has none. */
typedef struct kvf_extent {
  uint64_t begin;
  uint64_t end;
} kvf_extent;

/* Of a tensor whose descriptor has been checked; NULL has no bytes. */
kvf_extent kvf_extent_of(const DLTensor *tensor);

/*
 * The address of the element at index 0. A tensor without elements need have no memory: then it is
 * the address of something that holds none, since C knows no offset from NULL, not even of 0, and
 * no memcpy() from it, not even of 0 bytes. That others have an address is the caller's to check.
 */
void *kvf_first_element(const DLTensor *tensor);

#endif
