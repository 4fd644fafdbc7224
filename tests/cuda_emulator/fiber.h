/* Stacks that emulated threads run on.
 *
 * At most one fiber runs at a time, started or resumed by the scheduler, which keeps the stack of
 * whoever called the driver. All under the driver's lock. */
#ifndef KVF_EMULATOR_FIBER_H
#define KVF_EMULATOR_FIBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fiber fiber;

enum { FIBERS_MAX = 1024 };

/* A fiber that will run `entry`, which must never return; NULL if there is no memory for a stack.
 * A released fiber is resumed where it yielded, so all callers pass the same entry. */
fiber *fiber_acquire(void (*entry)(void));
void fiber_release(fiber *idle);

/* Scheduler to fiber; returns when that one yields or escapes. */
void fiber_run(fiber *next);

/* Fiber to scheduler; returns when the scheduler runs it again. */
void fiber_yield(void);

/* Fiber to scheduler for good: what is on the stack is lost. */
_Noreturn void fiber_escape(void);

/* Makes all fibers idle and fresh, wherever they stopped. */
void fiber_abandon_all(void);

/* Where the stacks are; written by fiber.c only. */
extern uintptr_t fiber_stacks;
extern size_t fiber_stacks_size;

/* Whether [address, address + size) is stack of some fiber: asked for every access of a kernel. */
static inline bool fiber_owns(uintptr_t address, size_t size) {
  uintptr_t offset = address - fiber_stacks;
  return offset < fiber_stacks_size && size <= fiber_stacks_size - offset;
}

#endif
