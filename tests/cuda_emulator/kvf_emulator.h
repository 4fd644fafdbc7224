/* Control functions of the emulated CUDA driver, for tests.
 *
 * The driver itself is used through its libcuda names. A test that opened the emulator with dlopen
 * finds these with dlsym; they take the driver's lock, so any thread may call them. */
#ifndef KVF_EMULATOR_H
#define KVF_EMULATOR_H

#ifdef __cplusplus
extern "C" {
#endif

/* The first fault since the last reset, as one sentence that names kernel, thread, block and the
 * reason; an empty string if there was none. The text belongs to the emulator and is valid until
 * the next reset. */
const char *kvf_emulator_last_fault(void);

/* Makes every context usable again after a fault, which a real device never does: clears the sticky
 * errors, drops the work still queued and forgets the last fault. Memory, streams, events and
 * libraries live on. */
void kvf_emulator_reset(void);

/* Makes an entry point fail, by its exported name ("cuCtxPopCurrent_v2"): the calls after the next
 * `skip` ones do nothing and answer `code`, `count` times, then it works again. A count of 0 lets
 * it work at once; a NULL name, all of them. One rule for a name, for up to eight names; anything
 * else ends the process with a message. */
void kvf_emulator_fail(const char *function, unsigned skip, unsigned count, int code);

/* How many calls were answered in that way since kvf_emulator_fail() was last called. */
unsigned kvf_emulator_failures(void);

/* What there is, for tests that nothing is left behind. */
typedef struct kvf_emulator_counts {
  unsigned libraries;              /* loaded and not unloaded */
  unsigned retained;               /* times that primary contexts are retained */
  unsigned pinned;                 /* allocations of pinned memory */
  unsigned depth;                  /* of the calling thread's stack of contexts */
  int capture_mode;                /* of the calling thread */
  unsigned long long work;         /* operations that were ever enqueued on streams */
  unsigned long long programmatic; /* launches that may begin before those in front have ended */
} kvf_emulator_counts;

void kvf_emulator_count(kvf_emulator_counts *counts);

/* Begins or ends what a stream capture is to its callers, without a graph: what is enqueued never
 * runs, batches of copies are refused, and so are loading, allocating and freeing by threads whose
 * capture mode is not relaxed. */
void kvf_emulator_capture(void *stream, int captured);

#ifdef __cplusplus
}
#endif

#endif
