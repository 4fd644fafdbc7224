/*
 * A small team of threads that helps callers with their jobs.
 *
 * A thread of the team is idle or helps with one job. A caller offers its job to threads that are
 * idle, works on it itself, takes back the offers that nobody has taken up, and waits for those
 * threads only that are still in a chunk. So any number of callers share the team, a caller that
 * finds no idle thread works alone, and a thread that the machine does not let run holds nobody up.
 *
 * What could fail is what need not succeed: there is no memory but static one and the threads'
 * stacks, and where a thread cannot be had there is one less. Nothing is locked, so fork() finds
 * nothing that is held; a child notices that the team is another process's and starts its own.
 *
 * Threads are never joined: the library is linked with -z nodelete, so dlclose() leaves their code
 * where it is, and they end with the process.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/threads.h"

enum {
  MAX_HELPERS = 511,
  LARGE_BYTES = 1 << 20,     /* see pays_to_wake() */
  STACK_BYTES = 1 << 20,     /* variants take a quarter of it at most: tests/test_stacks.c */
  PATIENCE_NS = 50 * 1000,   /* how long a caller that waits looks before it sleeps */
  MOST_SPIN_NS = 200 * 1000, /* how long a thread that waits does; see wait_for_offer() */
  LEAST_SPIN_NS = 20 * 1000,
  RESERVED_NS = 1000,         /* what a thread that is awake takes to come, and some more */
  RETRY_NS = 1000000000,      /* after a thread could not be had */
  FIRST_RETREAT_NS = 1000000, /* see retreat() */
  LAST_RETREAT_NS = 64000000,
  MAX_DEBT_NS = 200 * 1000, /* see settle() */
  MAX_REST_NS = 1000000000,
  REST_FACTOR = 128,
  BRANCHES = 4 /* see offer_branch() */
};

/*
 * What a helper's `offer` is beside the address of a job that was offered; 0 when the helper is
 * idle. TAKEN: it is at work; AWAITED, too: the caller sleeps until it is done. DONE: that caller
 * has not noticed yet.
 */
enum { TAKEN = 1, AWAITED = 2, DONE = 2, STATE = 3 };

typedef struct helper {
  _Alignas(64) _Atomic uintptr_t offer;
  _Atomic uint32_t asleep;    /* a futex: 1 while it sleeps, or is about to */
  _Atomic uint32_t done;      /* a futex: counts the jobs that a caller slept for */
  _Atomic int64_t away_until; /* see retreat() */
  int64_t retreat;            /* how long the last one was; 0: it is over */
  int64_t worked;             /* how long it was at work in the job that is done */
  clockid_t clock;            /* of the time that the thread was let run */
} helper;

/* What became of a job; for its caller. */
typedef struct account {
  int64_t worked; /* time that threads were at work, the caller among them */
  int64_t stolen; /* of it, time that the caller waited for one that was not let run */
  helper *late;   /* that one */
  bool waited;
} account;

static helper helpers[MAX_HELPERS];
static _Atomic int32_t count;      /* of helpers that there are */
static _Atomic bool starting;      /* some thread is adding to them */
static _Atomic int64_t retry_at;   /* when to try again, after a thread could not be had */
static _Atomic int64_t last_end;   /* when a caller was last done */
static _Atomic int64_t debt;       /* see settle() */
static _Atomic int64_t rest_until; /* until when callers work alone */
static _Alignas(64) _Atomic int32_t caller_cpu = -1; /* where one was last; read often */
static _Atomic int32_t owner;    /* the process; negative while it makes the team its own */
static _Atomic int32_t size = 1; /* of the team, callers included, at most */
static kvf_cpus cpus;

static int64_t read_clock(clockid_t clock) {
  struct timespec time = {0, 0};
  (void)clock_gettime(clock, &time);
  return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t kvf_now(void) { return read_clock(CLOCK_MONOTONIC); }

void kvf_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb" ::: "memory");
#endif
}

static void sleep_on(_Atomic uint32_t *word, uint32_t value) {
  (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void wake(_Atomic uint32_t *word) {
  (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

/* ---- helpers
 * ------------------------------------------------------------------------------------- */

/*
 * Wakes two threads that a job was offered to. Each that wakes does the same, so that a large team
 * is not woken by its caller alone. Says whether it has woken any.
 */
static bool wake_some(kvf_job *job, int32_t from) {
  const int32_t helpers_now = atomic_load_explicit(&count, memory_order_acquire);
  int woken = 0;
  for (int32_t i = from; i < helpers_now && woken < 2; ++i) {
    if (atomic_load_explicit(&job->sleepers, memory_order_relaxed) <= 0) {
      break;
    }
    helper *other = &helpers[i];
    if (atomic_load(&other->offer) == (uintptr_t)job && atomic_load(&other->asleep) != 0 &&
        atomic_exchange(&other->asleep, 0) != 0) {
      (void)atomic_fetch_sub_explicit(&job->sleepers, 1, memory_order_relaxed);
      wake(&other->asleep);
      ++woken;
    }
  }
  return woken > 0;
}

static bool is_offer(uintptr_t offer) { return offer != 0 && (offer & STATE) == 0; }

/*
 * Where a thread of the team finds itself on a caller's own CPU, the kernel has no other for it,
 * and it can only hold the caller up. It sleeps, and is offered nothing for a while, for twice as
 * long each time in a row: waking it in vain costs the caller more than a short job.
 */
static void retreat(helper *self) {
  const int64_t twice = self->retreat > 0 ? self->retreat * 2 : FIRST_RETREAT_NS;
  self->retreat = twice < LAST_RETREAT_NS ? twice : LAST_RETREAT_NS;
  atomic_store_explicit(&self->away_until, kvf_now() + self->retreat, memory_order_relaxed);
}

/* Looks for an offer until then, and says whether there is one; gives up on a caller's CPU. */
static bool spin_for_offer(helper *self, int64_t deadline) {
  do {
    for (int i = 0; i < 32; ++i) {
      if (is_offer(atomic_load_explicit(&self->offer, memory_order_relaxed))) {
        return true;
      }
      kvf_relax();
    }
    if (sched_getcpu() == atomic_load_explicit(&caller_cpu, memory_order_relaxed)) {
      retreat(self);
      return false;
    }
  } while (kvf_now() < deadline);
  return false;
}

static void sleep_for_offer(helper *self) {
  for (;;) {
    atomic_store(&self->asleep, 1); /* before the look, as a caller offers before it looks here */
    if (is_offer(atomic_load(&self->offer))) {
      break;
    }
    sleep_on(&self->asleep, 1);
  }
  atomic_store(&self->asleep, 0);
}

/*
 * Looks for offers before it sleeps: for long where the last one came soon, so that calls that
 * follow each other find it awake, and for less and less where calls are far between.
 */
static void wait_for_offer(helper *self, int64_t *spin) {
  const int64_t begin = kvf_now();
  bool soon = *spin > 0 && spin_for_offer(self, begin + *spin);
  if (!soon) {
    sleep_for_offer(self);
    soon = kvf_now() - begin < MOST_SPIN_NS;
  }
  const int64_t less = *spin / 2 > LEAST_SPIN_NS ? *spin / 2 : LEAST_SPIN_NS;
  *spin = soon ? MOST_SPIN_NS : less;
}

/* Offers a job to a thread that was idle; says whether it still was. */
static bool offer(kvf_job *job, helper *other) {
  uintptr_t idle = 0;
  if (!atomic_compare_exchange_strong(&other->offer, &idle, (uintptr_t)job)) {
    return false;
  }
  if (atomic_load(&other->asleep) != 0) {
    (void)atomic_fetch_add_explicit(&job->sleepers, 1, memory_order_relaxed);
  }
  return true;
}

/*
 * Where many threads are awake, each that comes tells BRANCHES others, so that the last of them
 * need not wait until the caller has told all others. Whom it tells stand behind it in `helpers`,
 * and a caller goes through them from the front: once a thread is done, those that it told are
 * known.
 */
static void offer_branch(kvf_job *job, int32_t seat) {
  const int32_t first = BRANCHES * seat;
  for (int32_t i = first; i < first + BRANCHES && i < job->told; ++i) {
    (void)offer(job, &helpers[i]);
  }
}

static void *help(void *argument) {
  helper *self = argument;
  (void)pthread_setname_np(pthread_self(), "kvforge");
  (void)pthread_getcpuclockid(pthread_self(), &self->clock);
  kvf_cpus_use(&cpus);
  int64_t spin = MOST_SPIN_NS;
  for (;;) {
    wait_for_offer(self, &spin);
    uintptr_t offer = atomic_load(&self->offer);
    if (!is_offer(offer) || !atomic_compare_exchange_strong(&self->offer, &offer, offer | TAKEN)) {
      continue; /* taken back */
    }
    kvf_job *job = (kvf_job *)offer;
    const bool crowded = sched_getcpu() == job->cpu;
    if (crowded) {
      atomic_store_explicit(&job->crowded, true, memory_order_relaxed);
      retreat(self);
      spin = 0;
    } else {
      self->retreat = 0;
    }
    const int32_t seat = (int32_t)(self - helpers) + 1; /* the caller has seat 0 */
    offer_branch(job, seat);
    (void)wake_some(job, seat);
    const int64_t begin = kvf_now();
    kvf_job_work(job, seat);
    self->worked = crowded ? 0 : kvf_now() - begin;
    if (atomic_exchange(&self->offer, offer | DONE) & AWAITED) {
      (void)atomic_fetch_add(&self->done, 1);
      wake(&self->done);
    }
  }
  return NULL;
}

static bool start_one(helper *fresh) {
  pthread_t thread;
  pthread_attr_t how;
  if (pthread_attr_init(&how) != 0) {
    return false;
  }
  const bool started = pthread_attr_setstacksize(&how, STACK_BYTES) == 0 &&
                       pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED) == 0 &&
                       pthread_create(&thread, &how, help, fresh) == 0;
  (void)pthread_attr_destroy(&how);
  return started;
}

/*
 * Has up to `wanted` helpers; says whether any is new. Signals are the program's, whose threads
 * handle them; but a fault belongs to the thread that made it.
 */
static bool start(int32_t wanted) {
  if (atomic_load_explicit(&count, memory_order_acquire) >= wanted ||
      (atomic_load(&retry_at) != 0 && kvf_now() < atomic_load(&retry_at)) ||
      atomic_exchange(&starting, true)) {
    return false;
  }
  static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
  sigset_t blocked;
  sigset_t before;
  (void)sigfillset(&blocked);
  for (size_t i = 0; i < sizeof faults / sizeof *faults; ++i) {
    (void)sigdelset(&blocked, faults[i]);
  }
  (void)pthread_sigmask(SIG_SETMASK, &blocked, &before);
  int32_t made = atomic_load(&count);
  while (made < wanted && start_one(&helpers[made])) {
    atomic_store_explicit(&count, ++made, memory_order_release);
  }
  (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
  atomic_store(&retry_at, made < wanted ? kvf_now() + RETRY_NS : 0);
  atomic_store(&starting, false);
  return true;
}

/* ---- the process
 * --------------------------------------------------------------------------------- */

/* The id of this process, since asking for it takes a while; 0 where nothing would tell of fork. */
static _Atomic int32_t process_id;

static void note_process(void) { atomic_store(&process_id, (int32_t)getpid()); }

__attribute__((constructor)) static void watch_process(void) {
  if (pthread_atfork(NULL, NULL, note_process) == 0) {
    note_process();
  }
}

/*
 * Whether the team is this process's, and ready. In a forked child it is the parent's at first:
 * none of its threads are here, whatever they were doing.
 */
static bool own_team(void) {
  const int32_t known = atomic_load_explicit(&process_id, memory_order_relaxed);
  const int32_t process = known != 0 ? known : (int32_t)getpid();
  int32_t seen = atomic_load_explicit(&owner, memory_order_acquire);
  if (seen == process) {
    return true;
  }
  if (seen == -process || !atomic_compare_exchange_strong(&owner, &seen, -process)) {
    return false; /* another thread is at it */
  }
  for (int32_t i = 0; i < atomic_load(&count); ++i) {
    atomic_store(&helpers[i].offer, 0);
    atomic_store(&helpers[i].asleep, 0);
    atomic_store(&helpers[i].away_until, 0);
    helpers[i].retreat = 0;
  }
  atomic_store(&count, 0);
  atomic_store(&caller_cpu, -1);
  atomic_store(&starting, false);
  atomic_store(&retry_at, 0);
  atomic_store(&rest_until, 0);
  atomic_store(&last_end, 0);
  atomic_store(&debt, 0);
  kvf_cpus_find(&cpus);
  const int32_t quota = kvf_cpu_quota();
  const int32_t most = cpus.count < quota ? cpus.count : quota;
  atomic_store(&size, most <= MAX_HELPERS ? most : MAX_HELPERS + 1);
  atomic_store_explicit(&owner, process, memory_order_release);
  return true;
}

int32_t kvf_team_size(void) { return own_team() ? atomic_load(&size) : 1; }

/* ---- callers
 * ------------------------------------------------------------------------------------- */

/*
 * Whether it pays to wake threads: they come late for a small job, but find the next ones if those
 * follow closely, since they look for work for a while before they sleep again.
 */
static bool pays_to_wake(const kvf_job *job, int64_t begin) {
  return job->bytes >= LARGE_BYTES || begin - atomic_load(&last_end) < MOST_SPIN_NS;
}

/* Whether the first threads of the team are all idle and awake. */
static bool are_ready(int32_t wanted, int64_t begin) {
  for (int32_t i = 0; i < wanted; ++i) {
    helper *other = &helpers[i];
    if (atomic_load_explicit(&other->offer, memory_order_relaxed) != 0 ||
        atomic_load_explicit(&other->asleep, memory_order_relaxed) != 0 ||
        begin < atomic_load_explicit(&other->away_until, memory_order_relaxed)) {
      return false;
    }
  }
  return true;
}

/* A range is reserved by its thread's seat. */
static void reserve(kvf_job *job, int32_t seat) {
  atomic_store_explicit(&job->ranges[seat % job->num_ranges].reserved, true, memory_order_relaxed);
}

/* Offers a job to idle threads; returns the end of those that may have it. */
static int32_t offer_to(kvf_job *job, int32_t wanted, bool wakes, int64_t begin) {
  const int32_t helpers_now = atomic_load_explicit(&count, memory_order_acquire);
  int32_t end = 0;
  job->told = 0;
  if (wanted > 2 * BRANCHES && wanted <= helpers_now && are_ready(wanted, begin)) {
    for (int32_t i = 0; i < wanted; ++i) {
      reserve(job, i + 1);
    }
    job->told = wanted;
    offer_branch(job, 0);
    return wanted;
  }
  for (int32_t i = 0; i < helpers_now && i < wanted; ++i) {
    __builtin_prefetch(&helpers[i], 1); /* all at once: each is near its own thread */
  }
  for (int32_t i = 0; i < helpers_now && wanted > 0; ++i) {
    helper *other = &helpers[i];
    const bool asleep = atomic_load_explicit(&other->asleep, memory_order_relaxed) != 0;
    if (atomic_load_explicit(&other->offer, memory_order_relaxed) != 0 || (!wakes && asleep) ||
        begin < atomic_load_explicit(&other->away_until, memory_order_relaxed)) {
      continue;
    }
    if (!asleep) {
      reserve(job, i + 1);
    }
    if (offer(job, other)) {
      end = i + 1;
      --wanted;
    }
  }
  return end;
}

/* Sleeps until who has taken up an offer is done, and notes for how long it was not let run. */
static void sleep_until_done(helper *other, const kvf_job *job, account *notes) {
  const uintptr_t taken = (uintptr_t)job | TAKEN;
  const int64_t begin = kvf_now();
  const int64_t ran = read_clock(other->clock);
  for (;;) {
    const uint32_t done = atomic_load(&other->done);
    uintptr_t seen = taken;
    if (!atomic_compare_exchange_strong(&other->offer, &seen, taken | AWAITED) &&
        seen != (taken | AWAITED)) {
      break;
    }
    sleep_on(&other->done, done);
  }
  const int64_t stolen = kvf_now() - begin - (read_clock(other->clock) - ran);
  if (stolen > 0) {
    notes->stolen += stolen;
    notes->late = other;
  }
}

/* Waits while a thread is at work, first awake. */
static void wait_for(helper *other, const kvf_job *job, account *notes) {
  const uintptr_t taken = (uintptr_t)job | TAKEN;
  notes->waited = true;
  const int64_t deadline = kvf_now() + PATIENCE_NS;
  do { /* whom it looks on from the thread's own CPU, it does not let run */
    for (int i = 0; i < 32; ++i) {
      if (atomic_load_explicit(&other->offer, memory_order_relaxed) != taken) {
        return;
      }
      kvf_relax();
    }
  } while (!atomic_load_explicit(&job->crowded, memory_order_relaxed) && kvf_now() < deadline);
  sleep_until_done(other, job, notes);
}

/* Takes an offer back, or waits until who has taken it up is done. */
static void take_back(helper *other, const kvf_job *job, account *notes) {
  uintptr_t seen = atomic_load_explicit(&other->offer, memory_order_acquire);
  if (seen == (uintptr_t)job && atomic_compare_exchange_strong(&other->offer, &seen, 0)) {
    return;
  }
  if (seen == ((uintptr_t)job | TAKEN)) {
    wait_for(other, job, notes);
  }
  if (atomic_load_explicit(&other->offer, memory_order_acquire) == ((uintptr_t)job | DONE)) {
    notes->worked += other->worked;
    atomic_store_explicit(&other->offer, 0, memory_order_release);
  }
}

/*
 * Where another program keeps a CPU busy, a thread of the team may stop in the middle of a chunk
 * for milliseconds, and the job takes longer than it would have taken the caller alone: longer than
 * all threads were at work in it. What calls lose is a debt, which calls that gain pay off; one of
 * MAX_DEBT_NS ends the sharing for REST_FACTOR times as long, with the thread that was late if
 * there are others, else at all. So less than one part in REST_FACTOR of the time is lost, and few
 * calls are late.
 */
static void settle(int64_t gained, int64_t end, helper *late) {
  const int64_t before = atomic_load(&debt);
  const int64_t after = before > gained ? before - gained : 0;
  if (after != before) {
    atomic_store(&debt, after < MAX_DEBT_NS ? after : 0);
  }
  if (after >= MAX_DEBT_NS) {
    const bool long_rest = after > MAX_REST_NS / REST_FACTOR;
    const bool others = late != NULL && atomic_load_explicit(&count, memory_order_relaxed) > 1;
    atomic_store(others ? &late->away_until : &rest_until,
                 end + (long_rest ? MAX_REST_NS : after * REST_FACTOR));
  }
}

bool kvf_team_rests(void) {
  const int64_t now = read_clock(CLOCK_MONOTONIC_COARSE); /* milliseconds will do */
  const int32_t helpers_now = atomic_load_explicit(&count, memory_order_acquire);
  bool all_away = helpers_now > 0;
  for (int32_t i = 0; all_away && i < helpers_now; ++i) {
    all_away = now < atomic_load_explicit(&helpers[i].away_until, memory_order_relaxed);
  }
  return all_away || now < atomic_load_explicit(&rest_until, memory_order_relaxed);
}

void kvf_team_run(kvf_job *job, int32_t threads) {
  int64_t begin = kvf_now();
  if (start(threads - 1)) {
    begin = kvf_now();
  }
  atomic_init(&job->sleepers, 0);
  atomic_init(&job->crowded, false);
  atomic_init(&job->reserved_until, INT64_MAX);
  job->cpu = sched_getcpu();
  if (atomic_load_explicit(&caller_cpu, memory_order_relaxed) != job->cpu) {
    atomic_store_explicit(&caller_cpu, job->cpu, memory_order_relaxed);
  }
  const int32_t end = offer_to(job, threads - 1, pays_to_wake(job, begin), begin);
  atomic_store_explicit(&job->reserved_until, kvf_now() + RESERVED_NS, memory_order_relaxed);
  const int64_t middle = wake_some(job, 0) ? kvf_now() : begin;
  kvf_job_work(job, 0);
  int64_t last = kvf_now();
  account notes = {.worked = last - middle};
  for (int32_t i = 0; i < end; ++i) {
    __builtin_prefetch(&helpers[i], 1); /* what threads that are done have just written, at once */
  }
  for (int32_t i = 0; i < end; ++i) {
    take_back(&helpers[i], job, &notes);
  }
  last = notes.waited ? kvf_now() : last;
  if (end > 0) {
    const bool crowded = atomic_load_explicit(&job->crowded, memory_order_relaxed) && end == 1;
    settle((crowded ? 0 : notes.worked - notes.stolen) - (last - begin), last, notes.late);
  }
  atomic_store(&last_end, last);
}
