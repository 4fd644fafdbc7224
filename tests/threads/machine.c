/*
 * A machine of sixteen CPUs, in the place of runtime/core/machine.c: a large team tells its threads
 * of a job in another way than a small one. Each thread is on a CPU of its own, so that none makes
 * room for the caller.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>

#include "core/threads.h"

void kvf_cpus_find(kvf_cpus *cpus) { *cpus = (kvf_cpus){.count = 16}; }

void kvf_cpus_use(const kvf_cpus *cpus) { (void)cpus; }

int32_t kvf_cpu_quota(void) { return 16; }

int sched_getcpu(void) {
  static atomic_int threads;
  static _Thread_local int own = -1;
  own = own < 0 ? atomic_fetch_add(&threads, 1) : own;
  return own;
}
