/* What the entry points of the emulated driver share: the lock, contexts, streams, events.
 *
 * Every exported function takes the one lock for its whole duration (DRIVER_CALL); everything below
 * expects it to be held. Objects are never freed, only marked dead, so that a handle used after its
 * destruction is an error and not a crash. */
#ifndef KVF_EMULATOR_DRIVER_H
#define KVF_EMULATOR_DRIVER_H

#include <cuda.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First statement of an exported function: takes the lock until that function returns. */
#define DRIVER_CALL()                                                                              \
  __attribute__((cleanup(driver_leave), unused)) int driver_guard = 0;                             \
  if (!driver_enter())                                                                             \
  return CUDA_ERROR_NOT_INITIALIZED

/* Leaves the function with the result of `expression` unless that succeeded. */
#define TRY(expression)                                                                            \
  do {                                                                                             \
    CUresult try_result = (expression);                                                            \
    if (try_result != CUDA_SUCCESS)                                                                \
      return try_result;                                                                           \
  } while (0)

/* Leaves the function with `error` unless `condition` holds. */
#define REQUIRE(condition, error)                                                                  \
  do {                                                                                             \
    if (!(condition))                                                                              \
      return error;                                                                                \
  } while (0)

/* Takes the lock; false before cuInit. */
bool driver_enter(void);
void driver_leave(int *guard);

/* Set by cuInit. */
extern int driver_device_count;

/* ---- Streams ---- */

/* A piece of queued work. Tickets number all work of the process in the order of the calls. */
typedef struct operation operation;
struct operation {
  operation *next;
  uint64_t ticket;
  CUresult (*run)(operation *self); /* NULL if it only waits */
  CUstream awaited;                 /* to have done all work up to awaited_ticket; may be NULL */
  uint64_t awaited_ticket;
};

struct CUstream_st {
  CUcontext context;
  unsigned flags;
  int priority;
  bool dead;
  operation *head, **tail;
  CUstream next; /* of the context */
};

struct CUevent_st {
  CUcontext context;
  unsigned flags;
  bool dead;
  CUstream stream; /* where it was recorded last; NULL if never */
  uint64_t ticket; /* of that record */
  double time;     /* in seconds, when the record ran */
  CUevent next;    /* of all events ever made */
};

/* The stream behind a handle; NULL and CU_STREAM_LEGACY mean that of the current context. Fails if
 * the stream's context or, for NULL, the current one is broken. */
CUresult stream_get(CUstream handle, CUstream *stream);

/* A zeroed operation of `size` bytes, or NULL. */
void *operation_new(size_t size, CUresult (*run)(operation *self));

/* Appends `work` to the queue, which owns it from here on. Nothing runs yet. */
void stream_enqueue(CUstream stream, operation *work);

/* Runs all work of `stream` up to `ticket`, and first whatever that depends on. */
void stream_run_through(CUstream stream, uint64_t ticket);
void stream_run_all(CUstream stream);

void stream_init(CUstream stream, CUcontext context, unsigned flags);
void stream_drop_work(CUstream stream);

/* ---- Contexts ---- */

struct CUctx_st {
  int device;
  bool primary, dead;
  unsigned flags;
  unsigned retained;         /* users of a primary context */
  CUresult error;            /* sticky: what the first fault left behind */
  struct CUstream_st legacy; /* the NULL stream; `next` leads to all others */
  CUcontext next;
};

/* All contexts ever made. */
extern CUcontext driver_contexts;

/* The calling thread's current context; fails if there is none or it is dead or broken. */
CUresult context_get(CUcontext *context);

/* Runs all queued work of the context, or of the whole process. */
void context_run_all(CUcontext context);
void driver_run_all(void);

/* Marks the context broken and drops its work. */
void context_break(CUcontext context, CUresult error);

#endif
