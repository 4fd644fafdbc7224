/*
 * Work that is divided among threads: a job, the team of threads that helps with it, and the CPUs
 * that there are for it.
 */
#ifndef KVFORGE_THREADS_H
#define KVFORGE_THREADS_H

#include <stdatomic.h>

#include "kvforge/kvforge.h"

/*
 * Units of work in chunks. Each thread has a range of its own, the same in each call, since its
 * caches may hold what is there; who is through with it claims chunks of the others. So whoever is
 * late or slow does less. But a range is reserved while its thread is about to come: else the first
 * threads of a short job would be through, and have taken the ranges of the last, before those have
 * been told of it, each time others. Lives on the stack of the thread that makes the call.
 */
enum { KVF_MAX_RANGES = 16 }; /* further threads share them; a job has 1 KiB of stack */
typedef struct kvf_range {
  _Alignas(64) _Atomic int64_t next; /* the chunk to be claimed next */
  int64_t first;
  int64_t end;
  _Atomic bool reserved; /* its thread is awake; see kvf_job */
} kvf_range;
typedef struct kvf_job {
  _Alignas(64) kvf_cpu_function function; /* what all threads read: one cache line */
  const void *params;
  int64_t units;
  int64_t chunk; /* units of one; the last has what remains */
  int32_t num_ranges;
  /* For the team. */
  int32_t cpu;                    /* the caller's */
  int32_t told;                   /* threads that tell each other of it; 0: the caller does */
  _Atomic int64_t reserved_until; /* then ranges that have not been begun are anyone's: kvf_now() */
  _Atomic int32_t sleepers; /* threads that were asleep when it was offered, and not woken since */
  _Atomic bool crowded;     /* a thread ran on the caller's own CPU: there is none to spare */
  double bytes;             /* that it moves in all */
  /* How many ranges have chunks to be claimed: at 0 nobody needs to look at each. Often written. */
  _Alignas(64) _Atomic int32_t open;
  kvf_range ranges[KVF_MAX_RANGES];
} kvf_job;

/* A clock's nanoseconds. */
int64_t kvf_now(void);

/* Tells the processor that a thread only waits. */
void kvf_relax(void);

/* Runs chunks, those of range `seat` first, until none is left to claim. */
void kvf_job_work(kvf_job *job, int32_t seat);

/* How many threads, the calling one included, can be at work at once: 1 or more. */
int32_t kvf_team_size(void);

/*
 * Whether callers are to work alone: the team has cost them more than it gained, or the machine has
 * no CPU for its threads.
 */
bool kvf_team_rests(void);

/*
 * Runs a job on the calling thread and on at most `threads` - 1 of the team's that are idle.
 * Returns when all chunks have been run. Waits for nobody but threads that are in a chunk. For a
 * call that has asked for kvf_team_size(), which gives a forked child a team of its own.
 */
void kvf_team_run(kvf_job *job, int32_t threads);

/* A set of CPUs, as the kernel writes it down. */
typedef struct kvf_cpus {
  unsigned long mask[256];
  long bytes; /* of the mask; 0: unknown */
  int32_t count;
} kvf_cpus;

/* The CPUs for a team that the calling thread starts. */
void kvf_cpus_find(kvf_cpus *cpus);

/* Lets the calling thread run on these. */
void kvf_cpus_use(const kvf_cpus *cpus);

/* How many CPUs' worth of time the process may use, by its control groups; INT32_MAX: any. */
int32_t kvf_cpu_quota(void);

#endif
