#include "harness.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"
#include "report.h"

test_options options = {.sample = 1, .seed = 1};

/* ---- expectations
 * -------------------------------------------------------------------------------- */

enum { MOST_PRINTED = 40 }; /* of one test; a broken kernel fails thousands of cases */

static bool fail(const char *file, int line, const char *message) {
  static CU_pTest test;
  static int printed;
  if (test != CU_get_current_test()) {
    test = CU_get_current_test();
    printed = 0;
  }
  if (++printed <= MOST_PRINTED) {
    (void)CU_assertImplementation(CU_FALSE, (unsigned)line, message, file, "", CU_FALSE);
  } else if (printed == MOST_PRINTED + 1) {
    (void)CU_assertImplementation(CU_FALSE, (unsigned)line, "more failures like these", file, "",
                                  CU_FALSE);
  }
  return false;
}

bool expect(bool condition, const char *file, int line, const char *format, ...) {
  if (condition) {
    return CU_assertImplementation(CU_TRUE, (unsigned)line, "", file, "", CU_FALSE);
  }
  char message[2048];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return fail(file, line, message);
}

bool expect_status(kvf_status got, kvf_status want, const char *file, int line, const char *what) {
  return expect(got == want, file, line, "%.200s: got %s (%s), want %s", what, kvf_status_name(got),
                got == KVF_OK ? "" : kvf_last_error(), kvf_status_name(want));
}

bool expect_text(const char *text, const char *part, const char *file, int line) {
  return expect(text != NULL && strstr(text, part) != NULL, file, line, "'%s' has no '%s' in it",
                text ? text : "NULL", part);
}

/* ---- skips and cases
 * ------------------------------------------------------------------------------- */

static void note_skip(bool whole, const char *format, va_list arguments) {
  char reason[256];
  (void)vsnprintf(reason, sizeof reason, format, arguments);
  report_skip(whole, reason);
}

void skip_test(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  note_skip(true, format, arguments);
  va_end(arguments);
}

void skip_part(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  note_skip(false, format, arguments);
  va_end(arguments);
}

void count_case(const kvf_variant *variant) { report_case(variant); }

static char running[512];

void note_running(const char *what) { (void)snprintf(running, sizeof running, "%s", what); }

/* Only what may be called in a handler: write(), and the default action afterwards. */
static void on_signal(int number) {
  static const char start[] = "\ndied of a signal in: ";
  ssize_t done = write(STDERR_FILENO, start, sizeof start - 1);
  done += write(STDERR_FILENO, running, strnlen(running, sizeof running));
  done += write(STDERR_FILENO, "\n", 1);
  (void)done;
  (void)raise(number);
}

void catch_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  static const int deadly[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
  for (size_t i = 0; i < TEST_COUNT(deadly); ++i) {
    (void)sigaction(deadly[i], &action, NULL);
  }
}

bool need_backend(void) {
  const char *why = memory_open(options.backend);
  if (why != NULL) {
    skip_test("%s", why);
  }
  return why == NULL;
}

/* ---- processes
 * ------------------------------------------------------------------------------------- */

void run_alone(const char *suite, const char *variable, const char *value) {
  char seed[32];
  (void)snprintf(seed, sizeof seed, "%llu", (unsigned long long)options.seed);
  (void)fflush(NULL);
  const pid_t child = fork();
  if (child == 0) {
    (void)setenv(variable, value, 1);
    (void)execl("/proc/self/exe", "kvf_tests", "--backend",
                options.backend == KVF_CPU ? "cpu" : "cuda", "--seed", seed, "--suite", suite,
                (char *)NULL);
    _exit(127);
  }
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    status = -1;
  }
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0,
         "suite %s in a process of its own with %s=%s: wait status 0x%X", suite, variable, value,
         (unsigned)status);
  count_case(NULL);
}

uint64_t random_next(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

double random_normal(uint64_t *state) {
  /* The sum of twelve uniform numbers of 16 bits, and one that fills the bits behind. */
  double sum = (double)(random_next(state) >> 11) * 0x1p-69 - 6;
  for (int i = 0; i < 3; ++i) {
    const uint64_t random = random_next(state);
    for (int shift = 0; shift < 64; shift += 16) {
      sum += (double)(random >> shift & 0xFFFF) * 0x1p-16;
    }
  }
  return sum;
}
