/* The library's threads: any sizes, any callers, fork(), signals, and an engine's pool. */
#define _GNU_SOURCE
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"
#include "kvforge/op.h"
#include "small_call.h"

enum { MOST_UNITS = 100003, LARGE = 1 << 20 };

static double seconds(void) {
  struct timespec time;
  (void)clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Threads of this process, its own and the library's. */
static int threads_there(void) {
  FILE *file = fopen("/proc/self/status", "r");
  char line[256];
  int threads = -1;
  while (file != NULL && threads < 0 && fgets(line, sizeof line, file) != NULL) {
    (void)sscanf(line, "Threads: %d", &threads);
  }
  if (file != NULL) {
    (void)fclose(file);
  }
  return threads;
}

/* ---- what runs
 * ----------------------------------------------------------------------------------- */

/* How often each unit has run, and in which threads. */
typedef struct counters {
  _Atomic unsigned char *units;
  pthread_t caller;
  _Atomic int64_t in_others; /* units that ran in another thread than the caller */
} counters;

static void count_units(const void *params, int64_t begin, int64_t end) {
  counters *p = *(counters *const *)params;
  for (int64_t i = begin; i < end; ++i) {
    p->units[i]++;
  }
  p->in_others += pthread_equal(p->caller, pthread_self()) ? 0 : end - begin;
}

/* Runs `units` units; whether each ran once. */
static bool each_once(int64_t units, int64_t bytes, int32_t num_threads, int64_t *in_others) {
  counters count = {.units = calloc((size_t)units + 1, 1), .caller = pthread_self()};
  kvf_parallel_for(count_units, &(counters *){&count}, units, bytes, num_threads);
  bool good = count.units[units] == 0;
  for (int64_t i = 0; i < units; ++i) {
    good = count.units[i] == 1 && good;
  }
  if (in_others != NULL) {
    *in_others = count.in_others;
  }
  free((void *)count.units);
  return good;
}

/*
 * Work of which the first part waits a while for a second thread: says whether one came. Nothing
 * else shows that a team is at work, since a caller waits for none.
 */
typedef struct meeting {
  pthread_t caller;
  _Atomic bool met;
} meeting;

static void meet(const void *params, int64_t begin, int64_t end) {
  meeting *p = *(meeting *const *)params;
  (void)begin;
  (void)end;
  if (!pthread_equal(p->caller, pthread_self())) {
    p->met = true;
  }
  for (const double start = seconds(); !p->met && seconds() - start < 0.02;) {
    (void)sched_yield();
  }
}

static bool team_meets(void) {
  meeting p = {.caller = pthread_self()};
  /* Callers that were held up by other programs before may work alone for a second. */
  for (const double start = seconds(); !p.met && seconds() - start < 30;) {
    kvf_parallel_for(meet, &(meeting *){&p}, 2, LARGE, 2);
  }
  return p.met;
}

/* ---- one caller
 * ---------------------------------------------------------------------------------- */

static void test_every_unit_once(void) {
  static const int64_t units[] = {0, 1, 2, 3, 15, 16, 17, 255, 1000, 4097, MOST_UNITS};
  static const int64_t bytes[] = {0, 1, 100, 65536, 131072, LARGE, INT64_MAX};
  static const int32_t threads[] = {INT32_MIN, -1, 0, 1, 2, 3, 7, 64, 1000, INT32_MAX};
  const int before = threads_there();
  for (size_t u = 0; u < TEST_COUNT(units); ++u) {
    for (size_t b = 0; b < TEST_COUNT(bytes); ++b) {
      for (size_t t = 0; t < TEST_COUNT(threads); ++t) {
        EXPECT(each_once(units[u], bytes[b], threads[t], NULL),
               "%lld units of %lld bytes, %d threads: a unit ran not at all, or twice",
               (long long)units[u], (long long)bytes[b], (int)threads[t]);
        count_case(NULL);
      }
    }
  }
  EXPECT(threads_there() <= before + kvf_num_threads() - 1,
         "%d threads before, %d after, want %d more", before, threads_there(),
         kvf_num_threads() - 1);
}

static void test_team(void) {
  kvf_set_num_threads(0);
  if (kvf_num_threads() < 2) {
    skip_test("one CPU");
    return;
  }
  EXPECT(team_meets(), "no second thread came to a call for two");
  count_case(NULL);
}

/* Threads that nobody needs sleep: they take less time than they looked for work, and wake-ups. */
static void test_idle(void) {
  kvf_set_num_threads(0);
  if (kvf_num_threads() < 2) {
    skip_test("one CPU");
    return;
  }
  double spent = 1;
  const double most = 0.002 * kvf_num_threads();
  for (int i = 0; i < 20 && spent > most; ++i) { /* other tests' threads may end late */
    EXPECT(each_once(1000, LARGE, 0, NULL), "before a pause");
    const clock_t begin = clock();
    (void)usleep(100000);
    spent = (double)(clock() - begin) / CLOCKS_PER_SEC;
  }
  EXPECT(spent <= most, "idle threads ran for %.2f ms in a pause, want %.0f at most", 1e3 * spent,
         1e3 * most);
  count_case(NULL);
}

static void count_part(const void *params, int64_t begin, int64_t end) {
  (void)begin, (void)end;
  ++**(_Atomic int64_t *const *)params;
}

/* Into how many parts a call is divided. */
static int64_t parts_of_call(void) {
  _Atomic int64_t parts = 0;
  kvf_parallel_for(count_part, &(_Atomic int64_t *){&parts}, 1024, LARGE, 2);
  return parts;
}

/* Has all threads of this process run on these CPUs. */
static void use_cpus(const cpu_set_t *cpus) {
  DIR *tasks = opendir("/proc/self/task");
  for (const struct dirent *task; tasks != NULL && (task = readdir(tasks)) != NULL;) {
    if (task->d_name[0] != '.') {
      (void)sched_setaffinity((pid_t)strtol(task->d_name, NULL, 10), sizeof *cpus, cpus);
    }
  }
  if (tasks != NULL) {
    (void)closedir(tasks);
  }
}

/* Where the machine has no CPU for the team, callers do not divide their work; later they do again.
 */
static void test_no_cpu_for_the_team(void) {
  cpu_set_t all;
  cpu_set_t one;
  if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2 || !team_meets()) {
    skip_test("one CPU");
    return;
  }
  CPU_ZERO(&one);
  for (int cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &all)) {
      CPU_SET(cpu, &one);
    }
  }
  const struct timespec pause = {.tv_nsec = 50000};
  int64_t parts = 0;
  use_cpus(&one);
  for (const double start = seconds(); parts != 1 && seconds() - start < 30;) {
    (void)nanosleep(&pause, NULL); /* a thread that looks for work finds itself on this CPU */
    parts = parts_of_call();
  }
  EXPECT(parts == 1, "%lld parts on one CPU", (long long)parts);
  use_cpus(&all);
  for (const double start = seconds(); parts == 1 && seconds() - start < 30;) {
    parts = parts_of_call();
  }
  EXPECT(parts > 1, "%lld parts on all CPUs", (long long)parts);
  EXPECT(team_meets(), "no thread comes afterwards");
  count_case(NULL);
}

static void test_settings(void) {
  const int32_t most = kvf_num_threads();
  int64_t in_others = 0;
  kvf_set_num_threads(1);
  EXPECT(kvf_num_threads() == 1, "1 is set, got %d", kvf_num_threads());
  EXPECT(each_once(1000, LARGE, 0, &in_others) && in_others == 0,
         "1 is set, and %lld units ran in other threads", (long long)in_others);
  static const int32_t all[] = {0, -1, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < TEST_COUNT(all); ++i) {
    kvf_set_num_threads(all[i]);
    EXPECT(kvf_num_threads() >= most, "%d is set, got %d, want %d", all[i], kvf_num_threads(),
           most);
  }
  kvf_set_num_threads(0);
  EXPECT(each_once(1000, LARGE, 1, &in_others) && in_others == 0,
         "num_threads is 1, and %lld units ran in other threads", (long long)in_others);
  count_case(NULL);
}

static void test_environment(void) {
  static const char *const values[] = {"1", "2", "0", "-3", "x", "2x", "", "99999999999999999999"};
  for (size_t i = 0; i < TEST_COUNT(values); ++i) {
    run_alone("threads_variable", "KVFORGE_NUM_THREADS", values[i]);
  }
}

/* In a process that has KVFORGE_NUM_THREADS. */
static void test_variable(void) {
  const char *value = getenv("KVFORGE_NUM_THREADS");
  const int32_t got = kvf_num_threads();
  kvf_set_num_threads(0);
  const int32_t most = kvf_num_threads();
  const int32_t want = strcmp(value, "1") == 0                ? 1
                       : strcmp(value, "2") == 0 && most >= 2 ? 2
                                                              : most;
  EXPECT(got == want, "KVFORGE_NUM_THREADS is '%s': got %d, want %d of %d", value, got, want, most);
  count_case(NULL);
}

static void slow_in_others(const void *params, int64_t begin, int64_t end) {
  count_units(params, begin, end);
  if (!pthread_equal((*(counters *const *)params)->caller, pthread_self())) {
    (void)usleep(2000); /* the caller, through with its own, goes to sleep */
    (*(counters *const *)params)->units[end]++;
  }
}

/* A call returns when all is done, however long the others take. */
static void test_late_helper(void) {
  for (int i = 0; i < 30; ++i) {
    _Atomic unsigned char units[18] = {0};
    counters count = {.units = units, .caller = pthread_self()};
    kvf_parallel_for(slow_in_others, &(counters *){&count}, 16, LARGE, 0);
    int total = 0;
    for (int k = 0; k < 17; ++k) {
      total += units[k];
    }
    (void)usleep(3000);
    for (int k = 0; k < 17; ++k) {
      total -= units[k];
    }
    EXPECT(total == 0, "something ran after the call had returned");
  }
  count_case(NULL);
}

static void look_at_signals(const void *params, int64_t begin, int64_t end) {
  struct {
    pthread_t caller;
    _Atomic int wrong;
    _Atomic bool seen;
  } *p = *(void *const *)params;
  (void)begin;
  (void)end;
  if (pthread_equal(p->caller, pthread_self())) {
    for (const double start = seconds(); !p->seen && seconds() - start < 0.02;) {
      (void)sched_yield();
    }
    return;
  }
  static const int blocked[] = {SIGINT, SIGTERM, SIGUSR1, SIGALRM, SIGCHLD, SIGHUP, SIGPROF};
  static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
  sigset_t mask;
  (void)pthread_sigmask(SIG_SETMASK, NULL, &mask);
  for (size_t i = 0; i < TEST_COUNT(blocked); ++i) {
    p->wrong += sigismember(&mask, blocked[i]) != 1;
  }
  for (size_t i = 0; i < TEST_COUNT(open); ++i) {
    p->wrong += sigismember(&mask, open[i]) != 0;
  }
  p->seen = true;
}

static void test_signals(void) {
  struct {
    pthread_t caller;
    _Atomic int wrong;
    _Atomic bool seen;
  } p = {.caller = pthread_self()};
  sigset_t before;
  sigset_t after;
  (void)pthread_sigmask(SIG_SETMASK, NULL, &before);
  for (const double start = seconds(); !p.seen && seconds() - start < 30;) {
    kvf_parallel_for(look_at_signals, &(void *){&p}, 2, LARGE, 2);
    if (kvf_num_threads() < 2) {
      skip_test("one CPU");
      return;
    }
  }
  (void)pthread_sigmask(SIG_SETMASK, NULL, &after);
  EXPECT(p.seen && p.wrong == 0, "%d signals are not as they should be", p.wrong);
  for (int number = 1; number < NSIG; ++number) {
    EXPECT(sigismember(&before, number) == sigismember(&after, number),
           "whether the caller blocks signal %d has changed", number);
  }
  count_case(NULL);
}

/* ---- many callers
 * -------------------------------------------------------------------------------- */

typedef struct nest {
  int64_t inner;
  _Atomic int64_t ran;
  _Atomic int64_t wrong;
} nest;

static void run_inner(const void *params, int64_t begin, int64_t end) {
  nest *p = *(nest *const *)params;
  for (int64_t i = begin; i < end; ++i) {
    p->wrong += each_once(p->inner, LARGE, 0, NULL) ? 0 : 1;
    p->ran++;
  }
}

static void test_nested(void) {
  nest p = {.inner = 50};
  kvf_parallel_for(run_inner, &(nest *){&p}, 200, LARGE, 0);
  EXPECT(p.ran == 200 && p.wrong == 0, "%lld of 200 ran, %lld of them wrongly", (long long)p.ran,
         (long long)p.wrong);
  count_case(NULL);
}

static void *call_often(void *argument) {
  _Atomic int64_t *wrong = argument;
  for (int64_t i = 0; i < 200; ++i) {
    *wrong += each_once(100 + i, LARGE / 4, (int32_t)(i % 4), NULL) ? 0 : 1;
  }
  return NULL;
}

/* Callers come and end; the team stays. */
static void test_callers(void) {
  enum { CALLERS = 16 };
  _Atomic int64_t wrong = 0;
  for (int round = 0; round < 5; ++round) {
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; ++i) {
      (void)pthread_create(&callers[i], NULL, call_often, &wrong);
    }
    for (int i = 0; i < CALLERS; ++i) {
      (void)pthread_join(callers[i], NULL);
    }
  }
  EXPECT(wrong == 0, "%lld calls were wrong", (long long)wrong);
  count_case(NULL);
}

typedef struct gate {
  _Atomic bool open;
  _Atomic int64_t waiting;
} gate;

static void wait_for_gate(const void *params, int64_t begin, int64_t end) {
  gate *p = *(gate *const *)params;
  (void)begin;
  (void)end;
  p->waiting++;
  while (!p->open) {
    (void)usleep(100);
  }
}

static void *call_gate(void *argument) {
  kvf_parallel_for(wait_for_gate, &(gate *){argument}, 1000, LARGE, 0);
  return NULL;
}

/* A caller whose team is in the middle of something else does its work alone. */
static void test_busy_team(void) {
  gate p = {.open = false};
  pthread_t other;
  (void)pthread_create(&other, NULL, call_gate, &p);
  while (p.waiting == 0) {
    (void)usleep(100);
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT(each_once(100, LARGE, 0, NULL), "beside a call that does not end: wrong");
  }
  p.open = true;
  (void)pthread_join(other, NULL);
  count_case(NULL);
}

/* ---- fork
 * ---------------------------------------------------------------------------------------- */

/* Whether a child that does what `good` does says that all is well within a minute. */
static bool child_does(bool (*good)(void)) {
  (void)fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    (void)alarm(60);
    quick_exit(good() ? 0 : 1);
  }
  int status = -1;
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

static bool compute(void) {
  bool good = true;
  for (int i = 0; i < 20; ++i) {
    good = each_once(1000, LARGE, 0, NULL) && good;
  }
  return good;
}

static bool compute_together(void) { return compute() && team_meets(); }

static bool compute_and_fork(void) {
  return compute_together() && child_does(compute_together) && compute_together();
}

static void test_fork(void) {
  if (kvf_num_threads() < 2) {
    skip_test("one CPU");
    return;
  }
  EXPECT(compute_together(), "before fork()");
  for (int i = 0; i < 10; ++i) {
    EXPECT(child_does(compute_together), "a child does not compute on a team of its own");
  }
  EXPECT(child_does(compute_and_fork), "a child's child");
  EXPECT(compute_together(), "after fork()");
  count_case(NULL);
}

typedef struct caller {
  pthread_t thread;
  _Atomic bool *stop;
  _Atomic int64_t *wrong;
} caller;

static void *call_until_stopped(void *argument) {
  const caller *self = argument;
  while (!*self->stop) {
    *self->wrong += each_once(200, LARGE / 2, 0, NULL) ? 0 : 1;
  }
  return NULL;
}

/* With other threads anywhere in a call. */
static void test_fork_in_calls(void) {
  enum { CALLERS = 4, FORKS = 60 };
  _Atomic bool stop = false;
  _Atomic int64_t wrong = 0;
  caller callers[CALLERS];
  for (int i = 0; i < CALLERS; ++i) {
    callers[i] = (caller){.stop = &stop, .wrong = &wrong};
    (void)pthread_create(&callers[i].thread, NULL, call_until_stopped, &callers[i]);
  }
  int bad = 0;
  for (int i = 0; i < FORKS; ++i) {
    bad += child_does(compute) ? 0 : 1;
  }
  stop = true;
  for (int i = 0; i < CALLERS; ++i) {
    (void)pthread_join(callers[i].thread, NULL);
  }
  EXPECT(bad == 0 && wrong == 0, "%d of %d children, %lld calls were wrong", bad, FORKS,
         (long long)wrong);
  count_case(NULL);
}

/* ---- an engine's pool
 * ---------------------------------------------------------------------------- */

/* How a test's pool runs work: so many threads of its own, and so often on the calling one. */
typedef struct test_pool {
  int own;
  int calling;
  _Atomic int64_t runs;
  _Atomic int32_t most; /* threads that it was asked for */
} test_pool;

typedef struct task {
  pthread_t thread;
  void (*work)(void *job);
  void *job;
} task;

static void *run_task(void *argument) {
  const task *self = argument;
  self->work(self->job);
  return NULL;
}

static void run_in_pool(void *context, int32_t threads, void (*work)(void *job), void *job) {
  test_pool *pool = context;
  task tasks[8];
  pool->runs++;
  pool->most = threads > pool->most ? threads : pool->most;
  for (int i = 0; i < pool->own; ++i) {
    tasks[i] = (task){.work = work, .job = job};
    (void)pthread_create(&tasks[i].thread, NULL, run_task, &tasks[i]);
  }
  for (int i = 0; i < pool->calling; ++i) {
    work(job);
  }
  for (int i = 0; i < pool->own; ++i) {
    (void)pthread_join(tasks[i].thread, NULL);
  }
}

static void test_pools(void) {
  static const struct {
    int own;
    int calling;
    int32_t num_threads;
  } rows[] = {{0, 0, 4}, {0, 1, 4}, {3, 1, 4},  {4, 0, 4},
              {7, 3, 4}, {0, 0, 1}, {0, 0, -5}, {3, 0, 1000}};
  static test_pool pools[TEST_COUNT(rows)];
  static kvf_pool made[TEST_COUNT(rows)];
  for (size_t i = 0; i < TEST_COUNT(rows); ++i) {
    const int32_t most = rows[i].num_threads;
    pools[i] = (test_pool){.own = rows[i].own, .calling = rows[i].calling};
    made[i] = (kvf_pool){.run = run_in_pool, .context = &pools[i], .num_threads = most};
    kvf_set_pool(&made[i]);
    EXPECT(kvf_num_threads() == (most > 1 ? most : 1), "got %d threads, want %d", kvf_num_threads(),
           most);
    for (int32_t threads = 0; threads < 4; ++threads) {
      EXPECT(each_once(1000, LARGE, threads, NULL), "pool %zu: a unit ran not at all, or twice", i);
    }
    EXPECT(each_once(1000, 1, 0, NULL), "pool %zu: a small call", i);
    EXPECT(pools[i].runs == (most > 1 ? 3 : 0) && pools[i].most <= (most > 0 ? most : 0),
           "pool %zu of %d threads: %lld runs, up to %d threads", i, most, (long long)pools[i].runs,
           pools[i].most);
    count_case(NULL);
  }
  kvf_set_pool(NULL);
  EXPECT(each_once(1000, LARGE, 0, NULL) && pools[0].runs == 3, "no pool, and one has run");
}

/* An op's own call goes to the pool, and writes what it should. */
static void test_op_in_pool(void) {
  const kvf_variant *variant = need_backend() ? small_variant(KVF_CPU) : NULL;
  if (variant == NULL) {
    return;
  }
  static test_pool pool = {.own = 3, .calling = 1};
  static const kvf_pool made = {.run = run_in_pool, .context = &pool, .num_threads = 4};
  small_call call;
  small_make(&call, variant, 2000, options.seed);
  kvf_set_pool(&made);
  EXPECT_STATUS(small_run(&call), KVF_OK);
  kvf_set_pool(NULL);
  EXPECT(pool.runs == 1 && pool.most == 4, "%lld runs, %d threads", (long long)pool.runs,
         pool.most);
  EXPECT(small_check(&call), "%s in a pool: wrong bytes", variant->symbol);
  small_free(&call);
  count_case(variant);
}

CU_TestInfo threads_tests[] = {
    {"every unit once, any sizes and numbers", test_every_unit_once},
    {"a second thread comes", test_team},
    {"threads sleep when idle", test_idle},
    {"no CPU for the team", test_no_cpu_for_the_team},
    {"kvf_set_num_threads", test_settings},
    {"KVFORGE_NUM_THREADS", test_environment},
    {"late threads are waited for", test_late_helper},
    {"signals", test_signals},
    {"calls within calls", test_nested},
    {"many callers", test_callers},
    {"a busy team", test_busy_team},
    {"fork", test_fork},
    {"fork while other threads are in calls", test_fork_in_calls},
    {"an engine's pool", test_pools},
    {"an op in an engine's pool", test_op_in_pool},
    CU_TEST_INFO_NULL,
};

CU_TestInfo threads_variable_tests[] = {
    {"the variable's number", test_variable},
    CU_TEST_INFO_NULL,
};
