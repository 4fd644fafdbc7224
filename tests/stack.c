#include "stack.h"

#include <pthread.h>
#include <string.h>

#include "harness.h"

enum { BYTES = 1 << 19, PAINT = 0xA5 };

typedef struct job {
  void (*function)(void *);
  void *argument;
} job;

static void *work(void *shared) {
  const job *what = shared;
  if (what->function != NULL) {
    what->function(what->argument);
  }
  return NULL;
}

static int64_t written_by(job what) {
  static _Alignas(4096) uint8_t stack[BYTES];
  pthread_attr_t how;
  pthread_t thread;
  memset(stack, PAINT, sizeof stack);
  (void)pthread_attr_init(&how);
  (void)pthread_attr_setstack(&how, stack, sizeof stack);
  const int failure = pthread_create(&thread, &how, work, &what);
  (void)pthread_attr_destroy(&how);
  if (!EXPECT(failure == 0, "no thread: %s", strerror(failure))) {
    return 0;
  }
  (void)pthread_join(thread, NULL);
  int64_t unused = 0;
  while (unused < BYTES && stack[unused] == PAINT) {
    ++unused;
  }
  return BYTES - unused;
}

int64_t stack_used(void (*function)(void *), void *argument) {
#if defined(__SANITIZE_ADDRESS__)
  (void)function;
  (void)argument;
  (void)written_by;
  return -1;
#else
  const int64_t own = written_by((job){.function = NULL});
  return written_by((job){function, argument}) - own;
#endif
}
