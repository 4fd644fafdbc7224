/*
 * Which thread gets which chunks of a job: its own first, and those of another only when that one
 * does not come. tests/test_standalone.py builds it of the sources in runtime/core/ and runs it.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/threads.h"
#include "core/tuned.h"

/* What the library takes from its tables; no job is divided here. */
const kvf_tuned kvf_threads_tuned = {.num_constants = 3};
const int32_t *kvf_engine_values(const kvf_tuned *table, int64_t bytes) {
  (void)table, (void)bytes;
  return NULL;
}

enum { CHUNKS = 8, SECOND = 1000000000 };

typedef struct notes {
  _Atomic int32_t of[CHUNKS];    /* 1 + the seat of who ran it */
  _Atomic bool first_is_through; /* seat 0 with its own */
} notes;

static _Thread_local int32_t seat;

static void note(const void *params, int64_t begin, int64_t end) {
  notes *all = *(notes *const *)params;
  for (int64_t i = begin; i < end; ++i) {
    all->of[i] += 1 + seat;
  }
  all->first_is_through = all->first_is_through || end == CHUNKS / 2;
}

typedef struct late {
  kvf_job *job;
  notes *all;
} late;

/* Seat 1 comes when seat 0 has nothing left but what it would have to take from seat 1. */
static void *come_late(void *argument) {
  const late *p = argument;
  while (!p->all->first_is_through) {
    kvf_relax();
  }
  for (const int64_t begin = kvf_now(); kvf_now() - begin < SECOND / 50;) {
    kvf_relax();
  }
  seat = 1;
  kvf_job_work(p->job, seat);
  return NULL;
}

/* Eight chunks in two ranges; how long seat 0 took with what it got. */
static int64_t work(notes *all, bool reserved, int64_t nanoseconds, bool comes) {
  static kvf_job job;
  static notes *params;
  memset(all, 0, sizeof *all);
  params = all;
  job.function = note;
  job.params = &params;
  job.units = CHUNKS;
  job.chunk = 1;
  job.num_ranges = 2;
  job.open = 2;
  for (int32_t i = 0; i < 2; ++i) {
    job.ranges[i].first = CHUNKS / 2 * i;
    job.ranges[i].end = CHUNKS / 2 * (i + 1);
    job.ranges[i].next = job.ranges[i].first;
    job.ranges[i].reserved = reserved && i == 1;
  }
  const int64_t begin = kvf_now();
  job.reserved_until = begin + nanoseconds;
  pthread_t other;
  comes = comes && pthread_create(&other, NULL, come_late, &(late){&job, all}) == 0;
  seat = 0;
  kvf_job_work(&job, seat);
  const int64_t end = kvf_now();
  if (comes) {
    (void)pthread_join(other, NULL);
  }
  return end - begin;
}

static int32_t chunks_of(const notes *all, int32_t who) {
  int32_t count = 0;
  for (int i = 0; i < CHUNKS; ++i) {
    count += all->of[i] == 1 + who;
  }
  return count;
}

static bool expect(bool good, const char *what) {
  if (!good) {
    (void)printf("%s\n", what);
  }
  return good;
}

int main(void) {
  notes all;
  (void)work(&all, true, (int64_t)60 * SECOND, true);
  bool good =
      expect(all.of[CHUNKS / 2] == 2, "a range was not left to the thread that came for it");
  good =
      expect(chunks_of(&all, 0) >= CHUNKS / 2 && chunks_of(&all, 0) + chunks_of(&all, 1) == CHUNKS,
             "a chunk ran not at all, or twice") &&
      good;
  int64_t took = work(&all, true, SECOND / 100, false);
  good = expect(took >= SECOND / 100, "a range was not reserved for as long as it says") && good;
  good = expect(chunks_of(&all, 0) == CHUNKS, "the range of a thread that did not come") && good;
  took = work(&all, false, (int64_t)60 * SECOND, false);
  good = expect(took < (int64_t)30 * SECOND && chunks_of(&all, 0) == CHUNKS,
                "what nobody has reserved") &&
         good;
  (void)printf("%s\n", good ? "good" : "wrong");
  return good ? 0 : 1;
}
