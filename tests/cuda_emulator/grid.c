#include "grid.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collective.h"
#include "fiber.h"
#include "memory.h"

/* CUDA's built-in variables, as <device_launch_parameters.h> declares them to kernels. */
struct uint3 threadIdx, blockIdx;
struct dim3 blockDim, gridDim;
int warpSize = GRID_WARP;

/* ---- Order ----
 *
 * Between two barriers the threads of a block may run in any order, and so may blocks. Walking an
 * index range forward, backward or in a stride coprime to its length visits everything once. */

typedef enum order { ORDER_FORWARD, ORDER_REVERSE, ORDER_RANDOM } order;

typedef struct walk {
  uint64_t index, stride, count, left;
} walk;

static order configured_order;
static uint64_t random_state;

static uint64_t random_next(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b) {
  while (b != 0) {
    uint64_t rest = a % b;
    a = b;
    b = rest;
  }
  return a;
}

/* Read at every launch, so that a test can change it. */
static void read_order(void) {
  const char *name = getenv("KVF_EMULATOR_ORDER");
  configured_order = !name                          ? ORDER_FORWARD
                     : strcmp(name, "reverse") == 0 ? ORDER_REVERSE
                     : strcmp(name, "random") == 0  ? ORDER_RANDOM
                                                    : ORDER_FORWARD;
  const char *seed = getenv("KVF_EMULATOR_SEED");
  random_state = (seed ? strtoull(seed, NULL, 0) : 0) ^ UINT64_C(0x9E3779B97F4A7C15);
  if (random_state == 0)
    random_state = 1;
}

static walk walk_start(uint64_t count) {
  walk w = {.index = 0, .stride = 1, .count = count, .left = count};
  if (configured_order == ORDER_REVERSE) {
    w.index = count - 1;
    w.stride = count - 1;
  } else if (configured_order == ORDER_RANDOM && count > 1) {
    w.index = random_next() % count;
    do {
      w.stride = 1 + random_next() % (count - 1);
    } while (greatest_common_divisor(w.stride, count) != 1);
  }
  return w;
}

static inline void walk_step(walk *w) {
  w->index += w->stride;
  if (w->index >= w->count)
    w->index -= w->count;
  w->left--;
}

/* ---- State of the running grid ---- */

typedef enum thread_state { FRESH, READY, RUNNING, AT_BARRIER, AT_COLLECTIVE, EXITED } thread_state;

typedef struct thread {
  thread_state state;
  fiber *stack; /* what it is suspended on, or runs on; NULL before its start and after its exit */
  struct uint3 position;
  bool waited;      /* for the grids in front of its own */
  unsigned barrier; /* that it waits at */

  /* The warp intrinsic it waits in, and then its result. */
  kvf_collective kind;
  unsigned mask;
  unsigned operand;
  int width;
  unsigned long long value;
} thread;

static struct {
  const launch *launch;
  CUresult result;

  /* of the running block */
  unsigned size, exited, at_barrier;
  unsigned barrier_sum, barrier_result;
  struct {
    unsigned come, wanted;   /* threads, and 0 of both while there is none */
  } barriers[GRID_BARRIERS]; /* 1 and on */
  struct {
    unsigned present;                       /* lanes that exist and have not exited */
    unsigned posted;                        /* of these, the ones that wait in a warp intrinsic */
    unsigned long long gathered[GRID_WARP]; /* until the lanes meet again */
  } warps[GRID_BLOCK_MAX / GRID_WARP];
  walk walk; /* the pass over its threads that is under way */
  thread *current;
} run;

static thread threads[GRID_BLOCK_MAX];
static char fault_text[1024];
static _Alignas(1024) char dynamic_shared[GRID_SHARED_MAX];

/* ---- Faults ---- */

const char *grid_last_fault(void) { return fault_text; }

void grid_clear_fault(void) { fault_text[0] = '\0'; }

static void record_fault(CUresult result, const char *format, va_list arguments) {
  run.result = result;
  if (fault_text[0] != '\0')
    return;
  int length =
      snprintf(fault_text, sizeof fault_text,
               "%s: thread (%u,%u,%u) of block (%u,%u,%u) on device %d: ", run.launch->kernel->name,
               threadIdx.x, threadIdx.y, threadIdx.z, blockIdx.x, blockIdx.y, blockIdx.z,
               run.launch->device);
  if (length > 0 && (size_t)length < sizeof fault_text)
    vsnprintf(fault_text + length, sizeof fault_text - (size_t)length, format, arguments);
}

void grid_fault(CUresult result, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  record_fault(result, format, arguments);
  va_end(arguments);
  fiber_escape();
}

/* For the scheduler, which has no fiber to escape from. */
static __attribute__((format(printf, 2, 3))) void note_fault(CUresult result, const char *format,
                                                             ...) {
  va_list arguments;
  va_start(arguments, format);
  record_fault(result, format, arguments);
  va_end(arguments);
}

/* ---- What a kernel may access ---- */

static inline bool within(uintptr_t address, size_t size, const void *begin, size_t span) {
  uintptr_t offset = address - (uintptr_t)begin;
  return offset < span && size <= span - offset;
}

/* This shared object, from the linker; for constant tables. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));

bool grid_may_access(uintptr_t address, size_t size, bool write) {
  const allocation *found = memory_find(address, size);
  if (found && run.launch->programmatic && !run.current->waited)
    grid_fault(CUDA_ERROR_LAUNCH_FAILED,
               "%s of %zu byte(s) at address %#zx before the kernels in front have ended: "
               "kvf_begin_kernel() has not been called",
               write ? "write" : "read", size, (size_t)address);
  if (found)
    return found->space == run.launch->device || found->space == MEMORY_PINNED;
  const kernel_row *kernel = run.launch->kernel;
  return within(address, size, kernel->shared_begin,
                (size_t)(kernel->shared_end - kernel->shared_begin)) ||
         within(address, size, dynamic_shared, run.launch->dynamic_shared) ||
         (!write && within(address, size, __ehdr_start, (size_t)(_end - __ehdr_start)) &&
          !within(address, size, dynamic_shared, sizeof dynamic_shared));
}

/* ---- Barriers ---- */

/* Threads that exited count as arrived, as on hardware since Volta. */
static void release_barrier_if_complete(void) {
  if (run.at_barrier == 0 || run.at_barrier + run.exited < run.size)
    return;
  for (unsigned i = 0; i < run.size; i++)
    if (threads[i].state == AT_BARRIER && threads[i].barrier == 0)
      threads[i].state = READY;
  run.barrier_result = run.barrier_sum;
  run.barrier_sum = 0;
  run.at_barrier = 0;
}

unsigned kvf_emulator_barrier(unsigned value) {
  run.current->state = AT_BARRIER;
  run.current->barrier = 0;
  run.at_barrier++;
  run.barrier_sum += value;
  release_barrier_if_complete();
  /* Also the last to arrive yields, so that the order of threads starts anew behind the barrier. */
  fiber_yield();
  return run.barrier_result;
}

void kvf_emulator_meet(unsigned barrier, unsigned wanted, bool waits) {
  if (barrier < 1 || barrier >= GRID_BARRIERS || wanted == 0 || wanted % GRID_WARP != 0)
    grid_fault(CUDA_ERROR_LAUNCH_FAILED,
               "barrier %u of %u threads: want one of 1 to %u, of whole warps", barrier, wanted,
               GRID_BARRIERS - 1);
  if (run.barriers[barrier].come == 0)
    run.barriers[barrier].wanted = wanted;
  if (run.barriers[barrier].wanted != wanted)
    grid_fault(CUDA_ERROR_LAUNCH_FAILED, "barrier %u is one of %u threads, and of %u to others",
               barrier, wanted, run.barriers[barrier].wanted);
  if (waits) {
    run.current->state = AT_BARRIER;
    run.current->barrier = barrier;
  }
  if (++run.barriers[barrier].come == wanted) {
    run.barriers[barrier].come = 0;
    for (unsigned i = 0; i < run.size; i++)
      if (threads[i].state == AT_BARRIER && threads[i].barrier == barrier)
        threads[i].state = READY;
  }
  if (waits)
    fiber_yield();
}

/* ---- Warp intrinsics ---- */

static const char *const collective_names[] = {
    [KVF_SYNCWARP] = "__syncwarp",
    [KVF_SHFL] = "__shfl_sync",
    [KVF_SHFL_UP] = "__shfl_up_sync",
    [KVF_SHFL_DOWN] = "__shfl_down_sync",
    [KVF_SHFL_XOR] = "__shfl_xor_sync",
    [KVF_BALLOT] = "__ballot_sync",
    [KVF_ANY] = "__any_sync",
    [KVF_ALL] = "__all_sync",
    [KVF_MATCH_ANY] = "__match_any_sync",
    [KVF_REDUCE_ADD] = "__reduce_add_sync",
    [KVF_REDUCE_AND] = "__reduce_and_sync",
    [KVF_REDUCE_OR] = "__reduce_or_sync",
    [KVF_REDUCE_XOR] = "__reduce_xor_sync",
    [KVF_REDUCE_MIN_S32] = "__reduce_min_sync",
    [KVF_REDUCE_MAX_S32] = "__reduce_max_sync",
    [KVF_REDUCE_MIN_U32] = "__reduce_min_sync",
    [KVF_REDUCE_MAX_U32] = "__reduce_max_sync",
    [KVF_GATHER] = "an operation of a whole warp",
};

/* The lane whose value `lane` gets from a shuffle; itself where the source would leave the segment
 * of `width` lanes. */
static unsigned shuffle_source(const thread *t, unsigned lane) {
  unsigned width = (unsigned)t->width;
  unsigned first = lane & ~(width - 1), operand = t->operand;
  switch (t->kind) {
  case KVF_SHFL:
    return first + (operand & (width - 1));
  case KVF_SHFL_UP:
    return operand <= lane - first ? lane - operand : lane;
  case KVF_SHFL_DOWN:
    return operand < width - (lane - first) ? lane + operand : lane;
  default: /* xor may reach earlier segments, but not later ones */
    operand ^= lane;
    return operand < first + width ? operand : lane;
  }
}

static unsigned long long reduce(kvf_collective kind, unsigned long long a, unsigned long long b) {
  switch (kind) {
  case KVF_REDUCE_ADD:
    return (unsigned)(a + b);
  case KVF_REDUCE_AND:
    return a & b;
  case KVF_REDUCE_OR:
    return a | b;
  case KVF_REDUCE_XOR:
    return a ^ b;
  case KVF_REDUCE_MIN_S32:
    return (int)a < (int)b ? a : b;
  case KVF_REDUCE_MAX_S32:
    return (int)a > (int)b ? a : b;
  case KVF_REDUCE_MIN_U32:
    return a < b ? a : b;
  default:
    return a > b ? a : b;
  }
}

/* All lanes of `mask` have posted the same `kind`: replaces their values by their results. */
static void complete_collective(thread *warp, unsigned mask, kvf_collective kind) {
  unsigned long long values[GRID_WARP] = {0};
  unsigned long long reduced = 0;
  unsigned votes = 0;
  bool first = true;
  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    unsigned lane = (unsigned)__builtin_ctz(rest);
    values[lane] = warp[lane].value;
    votes |= (unsigned)(values[lane] != 0) << lane;
    reduced = first ? values[lane] : reduce(kind, reduced, values[lane]);
    first = false;
  }

  for (unsigned rest = mask; rest != 0; rest &= rest - 1) {
    unsigned lane = (unsigned)__builtin_ctz(rest);
    thread *t = &warp[lane];
    switch (kind) {
    case KVF_SYNCWARP:
      break;
    case KVF_GATHER:
      run.warps[(size_t)(warp - threads) / GRID_WARP].gathered[lane] = values[lane];
      break;
    case KVF_SHFL:
    case KVF_SHFL_UP:
    case KVF_SHFL_DOWN:
    case KVF_SHFL_XOR: {
      /* What comes from a lane that does not take part is undefined: make it look so. */
      unsigned source = shuffle_source(t, lane);
      t->value = mask >> source & 1 ? values[source] : ~0ull;
      break;
    }
    case KVF_BALLOT:
      t->value = votes;
      break;
    case KVF_ANY:
      t->value = votes != 0;
      break;
    case KVF_ALL:
      t->value = votes == mask;
      break;
    case KVF_MATCH_ANY: {
      unsigned equal = 0;
      for (unsigned other = mask; other != 0; other &= other - 1) {
        unsigned index = (unsigned)__builtin_ctz(other);
        equal |= (unsigned)(values[index] == values[lane]) << index;
      }
      t->value = equal;
      break;
    }
    default:
      t->value = reduced;
      break;
    }
    t->state = READY;
  }
}

static _Noreturn void fault_absent_lane(const thread *waiting, unsigned lane, bool exists) {
  grid_fault(CUDA_ERROR_LAUNCH_FAILED, "%s with mask %#x names lane %u, which %s",
             collective_names[waiting->kind], waiting->mask, lane,
             exists ? "has exited" : "does not exist");
}

/* Faults if `self`, which is about to wait in a warp intrinsic, can never meet all its partners. */
static void check_partners(const thread *self, const thread *warp, unsigned present,
                           unsigned posted) {
  unsigned absent = self->mask & ~present;
  if (absent != 0) {
    unsigned lane = (unsigned)__builtin_ctz(absent);
    fault_absent_lane(self, lane, (size_t)(&warp[lane] - threads) < run.size);
  }
  for (unsigned rest = self->mask & posted; rest != 0; rest &= rest - 1) {
    unsigned lane = (unsigned)__builtin_ctz(rest);
    const thread *partner = &warp[lane];
    if (partner->mask == self->mask && partner->kind == self->kind)
      return; /* and it has checked the others */
    if (partner->mask >> (self - warp) & 1)
      grid_fault(CUDA_ERROR_LAUNCH_FAILED,
                 "%s with mask %#x cannot meet lane %u, which waits in %s with mask %#x",
                 collective_names[self->kind], self->mask, lane, collective_names[partner->kind],
                 partner->mask);
  }
}

unsigned long long kvf_emulator_collective(kvf_collective kind, unsigned mask,
                                           unsigned long long value, unsigned operand, int width) {
  thread *self = run.current;
  unsigned index = (unsigned)(self - threads);
  unsigned lane = index % GRID_WARP;
  thread *warp = self - lane;
  unsigned *posted = &run.warps[index / GRID_WARP].posted;
  if (!(mask >> lane & 1))
    grid_fault(CUDA_ERROR_LAUNCH_FAILED, "%s with mask %#x, which lacks the calling lane %u",
               collective_names[kind], mask, lane);
  if (width < 1 || width > GRID_WARP || (width & (width - 1)) != 0)
    grid_fault(CUDA_ERROR_LAUNCH_FAILED, "%s with width %d, which is no power of two up to 32",
               collective_names[kind], width);

  self->kind = kind;
  self->mask = mask;
  self->value = value;
  self->operand = operand;
  self->width = width;
  check_partners(self, warp, run.warps[index / GRID_WARP].present, *posted);

  self->state = AT_COLLECTIVE;
  *posted |= 1u << lane;
  bool complete = (*posted & mask) == mask;
  for (unsigned rest = mask; complete && rest != 0; rest &= rest - 1)
    complete = warp[__builtin_ctz(rest)].mask == mask;
  if (complete) {
    *posted &= ~mask;
    complete_collective(warp, mask, kind);
  }
  fiber_yield();
  return self->value;
}

void kvf_emulator_gather(unsigned mask, unsigned long long value, unsigned long long values[32]) {
  const size_t index = (size_t)(run.current - threads) / GRID_WARP;
  (void)kvf_emulator_collective(KVF_GATHER, mask, value, 0, GRID_WARP);
  memcpy(values, run.warps[index].gathered, sizeof run.warps[index].gathered);
}

/* ---- Threads ---- */

void kvf_emulator_begin_kernel(void) { run.current->waited = true; }

void *kvf_emulator_dynamic_shared(void) { return dynamic_shared; }

/* Whoever waits for the lane that exits now waits in vain. */
static void fault_waiting_for(const thread *exited, unsigned posted) {
  unsigned lane = (unsigned)(exited - threads) % GRID_WARP;
  for (unsigned rest = posted; rest != 0; rest &= rest - 1) {
    const thread *waiting = exited - lane + __builtin_ctz(rest);
    if (waiting->mask >> lane & 1) {
      threadIdx = waiting->position;
      fault_absent_lane(waiting, lane, true);
    }
  }
}

static void exit_thread(thread *done) {
  unsigned index = (unsigned)(done - threads);
  done->state = EXITED;
  done->stack = NULL;
  run.exited++;
  run.warps[index / GRID_WARP].present &= ~(1u << index % GRID_WARP);
  if (run.warps[index / GRID_WARP].posted != 0)
    fault_waiting_for(done, run.warps[index / GRID_WARP].posted);
  release_barrier_if_complete();
}

static inline void enter_thread(thread *t) {
  run.current = t;
  t->state = RUNNING;
  threadIdx = t->position;
}

/* Every fiber runs this for ever. As long as threads neither wait nor come behind one that did,
 * they run one after another on the same stack, which makes them as cheap as a function call. */
static void worker(void) {
  for (;;) {
    run.launch->kernel->call(run.launch->params);
    if (run.launch->programmatic && !run.current->waited)
      grid_fault(CUDA_ERROR_LAUNCH_FAILED, "ends without having waited for the kernels in front");

    fiber *stack = run.current->stack;
    exit_thread(run.current);
    if (run.walk.left > 0 && threads[run.walk.index].state == FRESH) {
      thread *next = &threads[run.walk.index];
      walk_step(&run.walk);
      next->stack = stack;
      enter_thread(next);
    } else {
      fiber_release(stack);
      fiber_yield();
    }
  }
}

/* Runs every thread that can run, once, until it exits or waits; false if there was none. */
static bool run_pass(void) {
  bool progress = false;
  run.walk = walk_start(run.size);
  while (run.walk.left > 0) {
    thread *t = &threads[run.walk.index];
    walk_step(&run.walk);
    if (t->state != FRESH && t->state != READY)
      continue;
    if (t->state == FRESH && !(t->stack = fiber_acquire(worker))) {
      note_fault(CUDA_ERROR_OUT_OF_MEMORY, "the emulator has no memory for a stack");
      return true;
    }
    progress = true;
    enter_thread(t);
    fiber_run(t->stack);
    if (run.result != CUDA_SUCCESS)
      return true;
  }
  return progress;
}

static void fault_deadlock(void) {
  const thread *waiting = NULL;
  for (unsigned i = 0; i < run.size; i++)
    if (threads[i].state == AT_COLLECTIVE ||
        (threads[i].state == AT_BARRIER &&
         (!waiting || (waiting->state == AT_BARRIER && waiting->barrier == 0))))
      waiting = &threads[i];
  threadIdx = waiting->position;
  unsigned in_warps = 0;
  for (unsigned i = 0; i < run.size; i++)
    in_warps += threads[i].state == AT_COLLECTIVE;
  if (waiting->state == AT_COLLECTIVE)
    note_fault(CUDA_ERROR_LAUNCH_TIMEOUT,
               "deadlock: waits in %s with mask %#x; of the block's %u threads %u wait in warp "
               "intrinsics, %u at __syncthreads and %u have exited",
               collective_names[waiting->kind], waiting->mask, run.size, in_warps, run.at_barrier,
               run.exited);
  else if (waiting->barrier != 0)
    note_fault(CUDA_ERROR_LAUNCH_TIMEOUT,
               "deadlock: waits at barrier %u, where %u of %u threads are", waiting->barrier,
               run.barriers[waiting->barrier].come, run.barriers[waiting->barrier].wanted);
  else
    note_fault(CUDA_ERROR_LAUNCH_TIMEOUT, "deadlock: waits at __syncthreads");
}

static void run_block(void) {
  const kernel_row *kernel = run.launch->kernel;
  /* Shared memory is uninitialised on hardware: here it is so visibly. */
  if (kernel->shared_begin)
    memset(kernel->shared_begin, 0xFF, (size_t)(kernel->shared_end - kernel->shared_begin));
  memset(dynamic_shared, 0xFF, run.launch->dynamic_shared);

  for (unsigned i = 0; i < run.size; i++)
    threads[i].state = FRESH, threads[i].waited = false;
  for (unsigned first = 0; first < run.size; first += GRID_WARP) {
    unsigned lanes = run.size - first;
    run.warps[first / GRID_WARP].present = lanes >= GRID_WARP ? ~0u : (1u << lanes) - 1;
    run.warps[first / GRID_WARP].posted = 0;
  }
  run.exited = run.at_barrier = run.barrier_sum = 0;
  memset(run.barriers, 0, sizeof run.barriers);
  while (run.exited < run.size && run.result == CUDA_SUCCESS)
    if (!run_pass())
      fault_deadlock();
}

CUresult grid_run(const launch *what) {
  read_order();
  run.launch = what;
  run.result = CUDA_SUCCESS;
  run.size = what->block.x * what->block.y * what->block.z;
  blockDim = what->block;
  gridDim = what->grid;
  for (unsigned i = 0; i < run.size; i++)
    threads[i].position =
        (struct uint3){i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y};

  uint64_t plane = (uint64_t)gridDim.x * gridDim.y;
  for (walk w = walk_start(plane * gridDim.z); w.left > 0; walk_step(&w)) {
    blockIdx =
        (struct uint3){(unsigned)(w.index % gridDim.x), (unsigned)(w.index / gridDim.x % gridDim.y),
                       (unsigned)(w.index / plane)};
    run_block();
    if (run.result != CUDA_SUCCESS) {
      fiber_abandon_all();
      break;
    }
  }
  return run.result;
}
