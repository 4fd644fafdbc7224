/* Which CPUs there are for a team of threads, and how much of their time. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/threads.h"

static void find_own(kvf_cpus *cpus) {
  memset(cpus, 0, sizeof *cpus);
  const long bytes = syscall(SYS_sched_getaffinity, 0, sizeof cpus->mask, cpus->mask);
  cpus->bytes = bytes > 0 ? bytes : 0;
  for (size_t i = 0; i < sizeof cpus->mask / sizeof *cpus->mask; ++i) {
    cpus->count += __builtin_popcountl(cpus->mask[i]);
  }
  cpus->count = cpus->count > 0 ? cpus->count : 1;
}

/* Those of the thread that loaded the library. */
static kvf_cpus at_load;

__attribute__((constructor)) static void note_cpus(void) { find_own(&at_load); }

/*
 * A process that was bound to some CPUs, or binds itself before its first call, gets its team on
 * them. But engines also pin each of their threads to one CPU, where a team would be of no use.
 */
void kvf_cpus_find(kvf_cpus *cpus) {
  find_own(cpus);
  if (cpus->count == 1 && at_load.count > 1) {
    *cpus = at_load;
  }
}

void kvf_cpus_use(const kvf_cpus *cpus) {
  if (cpus->bytes > 0) {
    (void)syscall(SYS_sched_setaffinity, 0, (size_t)cpus->bytes, cpus->mask);
  }
}

/* The beginning of a file as text; "" when it cannot be read. */
static void read_text(const char *path, char *text, size_t room) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t bytes = file < 0 ? 0 : read(file, text, room - 1);
  text[bytes > 0 ? bytes : 0] = '\0';
  if (file >= 0) {
    (void)close(file);
  }
}

/* CPUs' worth of time that one control group (cgroup v2) leaves. */
static int32_t quota_of(const char *group) {
  char path[1100];
  char text[64];
  long long quota;
  long long period;
  (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", group);
  read_text(path, text, sizeof text);
  if (sscanf(text, "%lld %lld", &quota, &period) != 2 || quota <= 0 || period <= 0) {
    return INT32_MAX; /* "max", or no such group */
  }
  const long long cpus = (quota + period - 1) / period;
  return cpus < INT32_MAX ? (int32_t)cpus : INT32_MAX;
}

int32_t kvf_cpu_quota(void) {
  char groups[1024];
  read_text("/proc/self/cgroup", groups, sizeof groups);
  char *group = strstr(groups, "0::/");
  if (group == NULL) {
    return INT32_MAX;
  }
  group += strlen("0::");
  group[strcspn(group, "\n")] = '\0';
  int32_t least = INT32_MAX;
  for (;;) { /* a group's quota holds for the groups in it */
    const int32_t quota = quota_of(strcmp(group, "/") == 0 ? "" : group);
    least = quota < least ? quota : least;
    char *last = strrchr(group, '/');
    if (last == NULL) {
      return least;
    }
    *last = '\0';
  }
}
