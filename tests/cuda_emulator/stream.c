/* Streams and events.
 *
 * Work is queued and runs only when somebody waits for it, or frees memory: a caller that reads
 * results without waiting sees old bytes, every time. Order follows from tickets, which grow with
 * every queued operation; waiting for a point in a stream means running it through a ticket. */
#include <stdlib.h>
#include <time.h>

#include "driver.h"
#include "kvf_emulator.h"

static uint64_t last_ticket;
static unsigned captured_streams;
static PER_THREAD CUstreamCaptureMode capture_mode = CU_STREAM_CAPTURE_MODE_GLOBAL;
static CUevent events; /* keeps dead ones reachable, for leak checkers */

void *operation_new(size_t size, CUresult (*run)(operation *self)) {
  operation *fresh = calloc(1, size);
  if (fresh)
    fresh->run = run;
  return fresh;
}

void stream_init(CUstream stream, CUcontext context, unsigned flags) {
  stream->context = context;
  stream->flags = flags;
  stream->tail = &stream->head;
}

void stream_enqueue(CUstream stream, operation *work) {
  work->ticket = ++last_ticket;
  *stream->tail = work;
  stream->tail = &work->next;
}

static operation *dequeue(CUstream stream) {
  operation *first = stream->head;
  stream->head = first->next;
  if (!stream->head)
    stream->tail = &stream->head;
  return first;
}

void stream_drop_work(CUstream stream) {
  while (stream->head)
    free(dequeue(stream));
}

static bool is_legacy(CUstream stream) { return stream == &stream->context->legacy; }

/* Blocking streams and the NULL stream of a context wait for each other. What `next` depends on has
 * a smaller ticket, so this recursion ends. */
static void run_dependencies(CUstream stream, const operation *next) {
  uint64_t ticket = next->ticket;
  if (next->awaited)
    stream_run_through(next->awaited, next->awaited_ticket);
  if (is_legacy(stream)) {
    for (CUstream each = stream->next; each; each = each->next)
      if (!(each->flags & CU_STREAM_NON_BLOCKING))
        stream_run_through(each, ticket);
  } else if (!(stream->flags & CU_STREAM_NON_BLOCKING)) {
    stream_run_through(&stream->context->legacy, ticket);
  }
}

void stream_run_through(CUstream stream, uint64_t ticket) {
  while (!stream->captured && stream->head && stream->head->ticket <= ticket) {
    operation *next = stream->head;
    run_dependencies(stream, next);
    if (stream->head != next)
      break; /* a dependency faulted, and this context's work is gone */
    dequeue(stream);
    CUresult result = next->run ? next->run(next) : CUDA_SUCCESS;
    free(next);
    if (result != CUDA_SUCCESS)
      context_break(stream->context, result);
  }
}

void stream_run_all(CUstream stream) { stream_run_through(stream, UINT64_MAX); }

static bool is_pending(CUstream stream, uint64_t ticket) {
  return stream->head && stream->head->ticket <= ticket;
}

/* A query is told the state so far, but lets one operation run: polling must end one day. */
static CUresult query(CUstream stream, uint64_t ticket) {
  if (!is_pending(stream, ticket))
    return stream->context->error;
  stream_run_through(stream, stream->head->ticket);
  return CUDA_ERROR_NOT_READY;
}

CUresult stream_get(CUstream handle, CUstream *stream) {
  if (handle == NULL || handle == CU_STREAM_LEGACY) {
    CUcontext context;
    TRY(context_get(&context));
    *stream = &context->legacy;
    return CUDA_SUCCESS;
  }
  REQUIRE(handle != CU_STREAM_PER_THREAD, CUDA_ERROR_NOT_SUPPORTED);
  REQUIRE(!handle->dead, CUDA_ERROR_INVALID_HANDLE);
  *stream = handle;
  return handle->context->error;
}

/* ---- Streams ---- */

CUresult CUDAAPI cuStreamCreateWithPriority(CUstream *stream, unsigned flags, int priority) {
  DRIVER_CALL();
  CUcontext context;
  TRY(context_get(&context));
  REQUIRE(stream && (flags & ~(unsigned)CU_STREAM_NON_BLOCKING) == 0, CUDA_ERROR_INVALID_VALUE);
  CUstream fresh = calloc(1, sizeof *fresh);
  REQUIRE(fresh, CUDA_ERROR_OUT_OF_MEMORY);
  stream_init(fresh, context, flags);
  fresh->priority = priority;
  fresh->next = context->legacy.next;
  context->legacy.next = fresh;
  *stream = fresh;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuStreamCreate(CUstream *stream, unsigned flags) {
  return cuStreamCreateWithPriority(stream, flags, 0);
}

CUresult CUDAAPI cuStreamDestroy_v2(CUstream stream) {
  DRIVER_CALL();
  REQUIRE(stream && stream != CU_STREAM_LEGACY && stream != CU_STREAM_PER_THREAD && !stream->dead,
          CUDA_ERROR_INVALID_HANDLE);
  stream_run_all(stream);
  stream->dead = true;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuStreamSynchronize(CUstream handle) {
  DRIVER_CALL();
  CUstream stream;
  TRY(stream_get(handle, &stream));
  stream_run_all(stream);
  return stream->context->error;
}

CUresult CUDAAPI cuStreamQuery(CUstream handle) {
  DRIVER_CALL();
  CUstream stream;
  TRY(stream_get(handle, &stream));
  return query(stream, UINT64_MAX);
}

CUresult CUDAAPI cuStreamWaitEvent(CUstream handle, CUevent event, unsigned flags) {
  DRIVER_CALL();
  CUstream stream;
  TRY(stream_get(handle, &stream));
  REQUIRE((flags & ~(unsigned)CU_EVENT_WAIT_EXTERNAL) == 0, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(event && !event->dead, CUDA_ERROR_INVALID_HANDLE);
  if (!event->stream)
    return CUDA_SUCCESS; /* never recorded: nothing to wait for */
  operation *wait = operation_new(sizeof *wait, NULL);
  REQUIRE(wait, CUDA_ERROR_OUT_OF_MEMORY);
  wait->awaited = event->stream;
  wait->awaited_ticket = event->ticket;
  stream_enqueue(stream, wait);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuStreamIsCapturing(CUstream handle, CUstreamCaptureStatus *status) {
  DRIVER_CALL();
  CUstream stream;
  TRY(stream_get(handle, &stream));
  REQUIRE(status, CUDA_ERROR_INVALID_VALUE);
  *status = stream->captured ? CU_STREAM_CAPTURE_STATUS_ACTIVE : CU_STREAM_CAPTURE_STATUS_NONE;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuStreamGetCtx(CUstream handle, CUcontext *context) {
  DRIVER_CALL();
  CUstream stream;
  TRY(stream_get(handle, &stream));
  REQUIRE(context, CUDA_ERROR_INVALID_VALUE);
  *context = stream->context;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode *mode) {
  DRIVER_CALL();
  REQUIRE(mode && (unsigned)*mode <= CU_STREAM_CAPTURE_MODE_RELAXED, CUDA_ERROR_INVALID_VALUE);
  CUstreamCaptureMode old = capture_mode;
  capture_mode = *mode;
  *mode = old;
  return CUDA_SUCCESS;
}

/* ---- Captures, as far as they go ---- */

void kvf_emulator_capture(void *handle, int captured) {
  DRIVER_LOCK();
  CUstream stream = handle;
  captured_streams += (unsigned)(captured != 0) - stream->captured;
  stream->captured = captured != 0;
  stream_drop_work(stream);
}

CUresult stream_allows_unsafe(void) {
  return captured_streams == 0 || capture_mode == CU_STREAM_CAPTURE_MODE_RELAXED
             ? CUDA_SUCCESS
             : CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
}

int stream_capture_mode(void) { return (int)capture_mode; }

unsigned long long stream_work(void) { return last_ticket; }

/* ---- Events ---- */

typedef struct record {
  operation base;
  CUevent event;
} record;

static CUresult run_record(operation *self) {
  const record *r = (const record *)self;
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (r->event->ticket == self->ticket)
    r->event->time = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
  return CUDA_SUCCESS;
}

static CUresult event_get(CUevent event) {
  REQUIRE(event && !event->dead, CUDA_ERROR_INVALID_HANDLE);
  REQUIRE(!event->context->dead, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  return event->context->error;
}

CUresult CUDAAPI cuEventCreate(CUevent *event, unsigned flags) {
  DRIVER_CALL();
  CUcontext context;
  TRY(context_get(&context));
  const unsigned known = CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING;
  REQUIRE(event && (flags & ~known) == 0, CUDA_ERROR_INVALID_VALUE);
  CUevent fresh = calloc(1, sizeof *fresh);
  REQUIRE(fresh, CUDA_ERROR_OUT_OF_MEMORY);
  fresh->context = context;
  fresh->flags = flags;
  fresh->next = events;
  events = fresh;
  *event = fresh;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuEventDestroy_v2(CUevent event) {
  DRIVER_CALL();
  REQUIRE(event && !event->dead, CUDA_ERROR_INVALID_HANDLE);
  event->dead = true;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuEventRecord(CUevent event, CUstream handle) {
  DRIVER_CALL();
  CUstream stream;
  TRY(stream_get(handle, &stream));
  TRY(event_get(event));
  REQUIRE(event->context == stream->context, CUDA_ERROR_INVALID_HANDLE);
  record *r = operation_new(sizeof *r, run_record);
  REQUIRE(r, CUDA_ERROR_OUT_OF_MEMORY);
  r->event = event;
  stream_enqueue(stream, &r->base);
  event->stream = stream;
  event->ticket = r->base.ticket;
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuEventQuery(CUevent event) {
  DRIVER_CALL();
  TRY(event_get(event));
  return event->stream ? query(event->stream, event->ticket) : CUDA_SUCCESS;
}

CUresult CUDAAPI cuEventSynchronize(CUevent event) {
  DRIVER_CALL();
  TRY(event_get(event));
  if (event->stream)
    stream_run_through(event->stream, event->ticket);
  return event->context->error;
}

static CUresult elapsed(float *milliseconds, CUevent start, CUevent end) {
  TRY(event_get(start));
  TRY(event_get(end));
  REQUIRE(milliseconds, CUDA_ERROR_INVALID_VALUE);
  REQUIRE(start->stream && end->stream && !((start->flags | end->flags) & CU_EVENT_DISABLE_TIMING),
          CUDA_ERROR_INVALID_HANDLE);
  REQUIRE(!is_pending(start->stream, start->ticket) && !is_pending(end->stream, end->ticket),
          CUDA_ERROR_NOT_READY);
  *milliseconds = (float)((end->time - start->time) * 1e3);
  return CUDA_SUCCESS;
}

CUresult CUDAAPI cuEventElapsedTime_v2(float *milliseconds, CUevent start, CUevent end) {
  DRIVER_CALL();
  return elapsed(milliseconds, start, end);
}

#undef cuEventElapsedTime
CUresult CUDAAPI cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end);
CUresult CUDAAPI cuEventElapsedTime(float *milliseconds, CUevent start, CUevent end) {
  DRIVER_CALL();
  return elapsed(milliseconds, start, end);
}
