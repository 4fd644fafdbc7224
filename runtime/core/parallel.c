/* Dividing work among threads: how many, in which chunks, and on whose threads. */
#include <stdlib.h>

#include "core/float_mode.h"
#include "core/threads.h"
#include "core/tuned.h"
#include "kvforge/op.h"

/* Units that a chunk of many is a multiple of: most kernels do several neighbours at a time. */
enum { NEIGHBOURS = 16 };

/* ---- settings
 * ------------------------------------------------------------------------------------ */

static _Atomic(const kvf_pool *) pool;       /* NULL: the library's own team */
static _Atomic int32_t default_threads = -1; /* 0: as many as there can be; -1: not known yet */

void kvf_set_pool(const kvf_pool *threads) {
  atomic_store(&pool, threads != NULL && threads->run != NULL ? threads : NULL);
}

void kvf_set_num_threads(int32_t num_threads) {
  atomic_store(&default_threads, num_threads > 0 ? num_threads : 0);
}

static int32_t from_environment(void) {
  const char *text = getenv("KVFORGE_NUM_THREADS");
  char *end = NULL;
  const long number = text != NULL ? strtol(text, &end, 10) : 0;
  const bool valid = text != NULL && end != text && *end == '\0' && number > 0;
  return !valid ? 0 : number < INT32_MAX ? (int32_t)number : INT32_MAX;
}

static int32_t threads_of(const kvf_pool *from, int32_t wanted) {
  if (wanted <= 0) {
    wanted = atomic_load_explicit(&default_threads, memory_order_relaxed);
    if (wanted < 0) {
      int32_t unknown = wanted;
      wanted = from_environment();
      if (!atomic_compare_exchange_strong(&default_threads, &unknown, wanted)) {
        wanted = unknown;
      }
    }
  }
  const int32_t most = from != NULL ? from->num_threads : kvf_team_size();
  return wanted > 0 && wanted < most ? wanted : most;
}

int32_t kvf_num_threads(void) {
  const int32_t threads = threads_of(atomic_load(&pool), 0);
  return threads > 1 ? threads : 1;
}

/* ---- jobs
 * ---------------------------------------------------------------------------------------- */

static void work_range(kvf_job *job, kvf_range *range) {
  while (atomic_load_explicit(&range->next, memory_order_relaxed) < range->end) {
    const int64_t i = atomic_fetch_add_explicit(&range->next, 1, memory_order_relaxed);
    if (i >= range->end) {
      return;
    }
    if (i == range->end - 1) {
      (void)atomic_fetch_sub_explicit(&job->open, 1, memory_order_relaxed);
    }
    const int64_t begin = i * job->chunk;
    const bool whole = job->units - begin > job->chunk;
    job->function(job->params, begin, whole ? begin + job->chunk : job->units);
  }
}

/* Waits for the thread that a range is reserved for, which it is for about a microsecond. */
static void leave_to_its_thread(kvf_job *job, kvf_range *range) {
  while (atomic_load_explicit(&range->reserved, memory_order_relaxed) &&
         range->first < range->end &&
         atomic_load_explicit(&range->next, memory_order_relaxed) == range->first &&
         kvf_now() < atomic_load_explicit(&job->reserved_until, memory_order_relaxed)) {
    kvf_relax();
  }
}

void kvf_job_work(kvf_job *job, int32_t seat) {
  const uint64_t mode = kvf_enter_plain_mode();
  work_range(job, &job->ranges[seat % job->num_ranges]);
  for (int32_t i = 1;
       i < job->num_ranges && atomic_load_explicit(&job->open, memory_order_relaxed) > 0; ++i) {
    kvf_range *other = &job->ranges[(seat + i) % job->num_ranges];
    leave_to_its_thread(job, other);
    work_range(job, other);
  }
  kvf_leave_plain_mode(mode);
}

/* A job and who has come to work on it, for pools, which know no seats. */
typedef struct pool_job {
  kvf_job job;
  _Atomic int32_t seats;
} pool_job;

static void work(void *shared) {
  pool_job *pooled = shared;
  const int32_t seat = atomic_fetch_add_explicit(&pooled->seats, 1, memory_order_relaxed);
  kvf_job_work(&pooled->job, seat & INT32_MAX);
}

/*
 * Small chunks, so that a thread that comes late finds work and one that is stopped holds up
 * little; but a kernel has something to prepare for each, and does best with neighbours.
 */
static void divide(kvf_job *job, int64_t threads, const int32_t *tuned) {
  const double wanted = job->bytes / (tuned[KVF_CHUNK_KIB] * 1024.0) / (double)threads;
  const int64_t most = tuned[KVF_CHUNKS];
  int64_t each = wanted < (double)most ? (int64_t)wanted : most;
  each = each > 0 ? each : 1;
  const int64_t chunk = job->units / (threads * each);
  job->chunk = chunk + (job->units % (threads * each) != 0);
  if (each >= most / 2 && chunk >= NEIGHBOURS) { /* few, and they would be uneven */
    job->chunk = chunk / NEIGHBOURS * NEIGHBOURS;
  }
  const int64_t chunks = job->units / job->chunk + (job->units % job->chunk != 0);
  job->num_ranges = (int32_t)(threads < KVF_MAX_RANGES ? threads : KVF_MAX_RANGES);
  int32_t open = 0;
  for (int64_t i = 0; i < job->num_ranges; ++i) {
    kvf_range *range = &job->ranges[i];
    range->first = chunks * i / job->num_ranges;
    range->end = chunks * (i + 1) / job->num_ranges;
    atomic_init(&range->next, range->first);
    atomic_init(&range->reserved, false);
    open += range->first < range->end;
  }
  atomic_init(&job->open, open);
}

void kvf_parallel_for(kvf_cpu_function function, const void *params, int64_t units,
                      int64_t bytes_per_unit, int32_t num_threads) {
  const kvf_pool *from = atomic_load_explicit(&pool, memory_order_acquire);
  const double bytes = (double)units * (double)bytes_per_unit;
  const int32_t *tuned = NULL;
  int64_t threads = 1;
  if (units > 1 && num_threads != 1) {
    /* With less work than that, waking a thread costs more than it saves. */
    tuned = kvf_engine_values(&kvf_threads_tuned, bytes < 0x1p62 ? (int64_t)bytes : INT64_MAX);
    const double useful = bytes / (tuned[KVF_THREAD_KIB] * 1024.0);
    threads = useful >= 2.0 ? threads_of(from, num_threads) : 1;
    threads = from == NULL && threads > 1 && kvf_team_rests() ? 1 : threads;
    threads = threads < units ? threads : units;
    threads = (double)threads < useful ? threads : (int64_t)useful;
  }
  if (threads <= 1) {
    const uint64_t mode = kvf_enter_plain_mode();
    function(params, 0, units);
    kvf_leave_plain_mode(mode);
    return;
  }
  pool_job pooled; /* not cleared: there are many ranges */
  kvf_job *job = &pooled.job;
  job->function = function;
  job->params = params;
  job->bytes = bytes;
  job->units = units;
  divide(job, threads, tuned);
  if (from == NULL) {
    kvf_team_run(job, (int32_t)threads);
    return;
  }
  atomic_init(&pooled.seats, 0);
  from->run(from->context, (int32_t)threads, work, &pooled);
  work(&pooled); /* what a pool without a free thread has left */
}
