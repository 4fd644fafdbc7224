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

/* First statement of an exported function: takes the lock until that function returns. The second
 * form is for what may be called before cuInit. */
#define DRIVER_CALL()                                                                              \
  DRIVER_CALL_EARLY();                                                                             \
  REQUIRE(driver_initialised(), CUDA_ERROR_NOT_INITIALIZED)
#define DRIVER_CALL_EARLY()                                                                        \
  DRIVER_LOCK();                                                                                   \
  TRY(injected_error(__func__))
#define DRIVER_LOCK()                                                                              \
  __attribute__((cleanup(driver_unlock), unused)) int driver_guard = driver_lock()

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

int driver_lock(void);
void driver_unlock(int *guard);

/* False before cuInit, and in a process that was forked after it. */
bool driver_initialised(void);

/* What a test wants this call of an entry point to answer; see kvf_emulator_fail(). */
CUresult injected_error(const char *function);

/* For what each thread has: in the other models of a shared object, a thread's first use allocates,
 * and ends a process that has no memory. */
#define PER_THREAD _Thread_local __attribute__((tls_model("initial-exec")))

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
  bool dead, captured;
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

/* CUDA_SUCCESS, or what a call is answered that no captured stream allows: while there is one, and
 * the calling thread's capture mode is not relaxed. */
CUresult stream_allows_unsafe(void);

/* ---- What a test asks for with kvf_emulator_state() ---- */

unsigned library_count(void);                 /* loaded */
unsigned long long launch_programmatic(void); /* launches that may begin early */
unsigned context_retained(void);              /* users of all primary contexts */
unsigned context_depth(void);                 /* of the calling thread's stack */
int stream_capture_mode(void);                /* of the calling thread */
unsigned long long stream_work(void);         /* operations that were ever enqueued */

/* ---- Contexts ---- */

struct CUctx_st {
  int device;
  unsigned long long id; /* none before had it */
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
