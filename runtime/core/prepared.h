/*
 * Where launches go while a call is prepared: kvf_prepare_call() has the op make its call, and what
 * the op would launch is noted in place of being run.
 */
#ifndef KVFORGE_PREPARED_H
#define KVFORGE_PREPARED_H

#include "core/error.h"
#include "kvforge/op.h"

/* What the calling thread is preparing; NULL: launches are run. */
extern KVF_PER_THREAD kvf_prepared *kvf_preparing;

/* The params struct of the launches that follow. */
void kvf_note_params(const void *params, size_t size);

/*
 * Begins the params struct of a call that launches it as it is, not by way of kvf_launch_begin():
 * zeros. By a function, since compilers make of an initialiser of some hundred bytes an instruction
 * that takes longer to start than the checks of a tensor.
 */
void kvf_begin_params(void *params, size_t size);

/* In place of kvf_cpu_run() and kvf_cuda_run(). */
kvf_status kvf_note_cpu(const kvf_check *check, const kvf_variant *variant, const void *params,
                        int64_t units, int64_t bytes_per_unit);
kvf_status kvf_note_cuda(const kvf_check *check, const kvf_variant *variant, const void *params,
                         const kvf_grid *grid);

/* In place of work that is no launch of a variant. */
kvf_status kvf_note_other(const kvf_check *check, const char *what);

#endif
