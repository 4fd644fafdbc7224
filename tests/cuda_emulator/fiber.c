#include "fiber.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

/* The lowest page of every stack is a guard; it also shifts the stacks against each other by a page
 * modulo 64 KiB, and COLOUR by some cache lines, since stacks at equal offsets would fight for the
 * same few cache sets when a barrier switches through all of them. */
enum { GUARD = 4096, STACK = 64 << 10, STRIDE = GUARD + STACK, COLOUR = 320, COLOURS = 16 };

struct fiber {
  void *registers[5]; /* of __builtin_setjmp */
  void (*entry)(void);
  bool started;
  fiber *next_idle;
};

static fiber fibers[FIBERS_MAX];
static int fiber_count;
static fiber *idle_list;
static fiber *running;
static void *scheduler[5];
uintptr_t fiber_stacks;
size_t fiber_stacks_size;

fiber *fiber_acquire(void (*entry)(void)) {
  fiber *f = idle_list;
  if (f) {
    idle_list = f->next_idle;
    return f;
  }
  if (!fiber_stacks) {
    void *pool = mmap(NULL, (size_t)FIBERS_MAX * STRIDE, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (pool == MAP_FAILED)
      return NULL;
    fiber_stacks = (uintptr_t)pool;
  }
  if (fiber_count == FIBERS_MAX)
    return NULL;
  uintptr_t stack = fiber_stacks + (uintptr_t)fiber_count * STRIDE + GUARD;
  if (mprotect((void *)stack, STACK, PROT_READ | PROT_WRITE) != 0)
    return NULL;
  f = &fibers[fiber_count++];
  fiber_stacks_size += STRIDE;
  f->entry = entry;
  return f;
}

void fiber_release(fiber *idle) {
  idle->next_idle = idle_list;
  idle_list = idle;
}

/* ucontext gives a fiber its first frame; afterwards __builtin_longjmp switches, because
 * swapcontext pays two system calls for signal masks that never change here. It must not be in the
 * function that called __builtin_setjmp. */
static __attribute__((noinline, noreturn)) void resume(void **registers) {
  __builtin_longjmp(registers, 1);
}

/* noreturn, so that it is called and not jumped to: the frame that called is returned to later. */
static __attribute__((noinline, noreturn)) void start(fiber *f) {
  int index = (int)(f - fibers);
  ucontext_t context;
  getcontext(&context);
  context.uc_stack.ss_sp = (void *)(fiber_stacks + (uintptr_t)index * STRIDE + GUARD);
  context.uc_stack.ss_size = (size_t)(STACK - COLOUR * (index % COLOURS));
  context.uc_link = NULL;
  makecontext(&context, f->entry, 0);
  f->started = true;
  setcontext(&context);
  abort(); /* a context of our own making cannot be refused */
}

__attribute__((noinline)) void fiber_run(fiber *next) {
  running = next;
  if (__builtin_setjmp(scheduler) == 0) {
    if (next->started)
      resume(next->registers);
    start(next);
  }
}

__attribute__((noinline)) void fiber_yield(void) {
  if (__builtin_setjmp(running->registers) == 0)
    resume(scheduler);
}

_Noreturn void fiber_escape(void) { resume(scheduler); }

void fiber_abandon_all(void) {
  idle_list = NULL;
  for (int i = fiber_count; i-- > 0;) {
    fibers[i].started = false;
    fiber_release(&fibers[i]);
  }
}
