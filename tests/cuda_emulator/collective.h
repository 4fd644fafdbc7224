/* What kernels and the emulator agree on: the calls behind barriers and warp intrinsics. */
#ifndef KVF_EMULATOR_COLLECTIVE_H
#define KVF_EMULATOR_COLLECTIVE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum kvf_collective {
  KVF_SYNCWARP,
  KVF_SHFL,
  KVF_SHFL_UP,
  KVF_SHFL_DOWN,
  KVF_SHFL_XOR,
  KVF_BALLOT,
  KVF_ANY,
  KVF_ALL,
  KVF_MATCH_ANY,
  KVF_REDUCE_ADD,
  KVF_REDUCE_AND,
  KVF_REDUCE_OR,
  KVF_REDUCE_XOR,
  KVF_REDUCE_MIN_S32,
  KVF_REDUCE_MAX_S32,
  KVF_REDUCE_MIN_U32,
  KVF_REDUCE_MAX_U32,
  KVF_GATHER,
} kvf_collective;

/* Waits for all threads of the block that have not exited; the sum of their values. */
unsigned kvf_emulator_barrier(unsigned value);

/* Comes to one of the barriers 1 to 15, which `wanted` threads come to, and `waits` there for the
 * others or goes on. */
void kvf_emulator_meet(unsigned barrier, unsigned wanted, bool waits);

/* Waits for all lanes in `mask`; what `kind` makes of their values. `operand` and `width` are those
 * of a shuffle. */
unsigned long long kvf_emulator_collective(kvf_collective kind, unsigned mask,
                                           unsigned long long value, unsigned operand, int width);

/* Waits for all lanes in `mask`; the values that they have, in one step instead of a shuffle each.
 */
void kvf_emulator_gather(unsigned mask, unsigned long long value, unsigned long long values[32]);

/* The thread has waited for the grids in front of its own. */
void kvf_emulator_begin_kernel(void);

/* The launch's dynamic shared memory. */
void *kvf_emulator_dynamic_shared(void);

/* The mem* functions for kernels: as in libc, with the access check. */
void *kvf_emulator_memcpy(void *to, const void *from, size_t size);
void *kvf_emulator_memmove(void *to, const void *from, size_t size);
void *kvf_emulator_memset(void *to, int value, size_t size);

/* __trap() */
__attribute__((noreturn)) void kvf_emulator_trap(void);

#ifdef __cplusplus
}
#endif

#endif
