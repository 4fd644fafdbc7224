/*
 * Prepared calls of Python: a function of TVM-FFI that is a call with its tensors, made before, and
 * launches it with kvf_run_prepared().
 *
 * Its arguments are pairs, the index of a tensor of the call (in the schema's order, those of lists
 * one by one) and another one in its place, for this launch: what the tensors were prepared as,
 * torch's handles or tensors of TVM-FFI. torch is asked about its own at every launch, so that one
 * whose memory was taken away or given to something else is found; all others are kept, and lie
 * where they did. If torch has something against one, nothing is done and the result is True
 * instead of None. Any number of threads may call the function at once.
 */
#ifndef KVFORGE_BOUND_H
#define KVFORGE_BOUND_H

#include <tvm/ffi/c_api.h>

#include "kvforge/kvforge.h"

/*
 * Makes this function of a call that has been prepared, which it frees at its end, also when it
 * cannot be made (-1, with an error raised). `values` are what `arguments` have been read as.
 */
int kvf_bind(const kvf_op *op, const kvf_exec *exec, const kvf_value *values,
             const TVMFFIAny *arguments, int32_t count, kvf_prepared *prepared, TVMFFIAny *result);

/* ---- of tvm_ffi.c ------------------------------------------------------------------------------
 */

/* What the call raises in Python. */
void kvf_raise(const char *kind, const char *message);

/* Success, or the error of a refused call. */
int kvf_report(kvf_status status);

/* A function as the result. */
int kvf_return_function(void *self, TVMFFISafeCallType body, void (*end)(void *),
                        TVMFFIAny *result);

/* Looks at a tensor, or at torch's by its handle; whether it can be used as it lies. */
bool kvf_see(const TVMFFIAny *any, bool written, DLTensor *view);

/* The items of a list, or the one that is no list. */
const TVMFFIAny *kvf_items_of(const TVMFFIAny *any, int64_t *count);

#endif
