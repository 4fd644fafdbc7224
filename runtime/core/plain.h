/* The checks of one element, for entry points that have several of these. */
#ifndef KVFORGE_PLAIN_H
#define KVFORGE_PLAIN_H

#include "kvforge/op.h"

/*
 * Whether nothing is wrong with a tensor of one element of a dtype that is where the call runs,
 * which others than the first nearly always are: its address, else NULL. Then kvf_check_tensor()
 * says what it is.
 */
void *kvf_plain_element(const kvf_check *check, const DLTensor *tensor, kvf_dtype dtype);

#endif
