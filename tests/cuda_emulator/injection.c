/* Entry points that fail when a test says so, and what tests count. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "kvf_emulator.h"
#include "memory.h"

enum { RULES = 8, NAME_ROOM = 64 };

static struct rule {
  char function[NAME_ROOM]; /* empty: none */
  unsigned skip, count;
  CUresult code;
} rules[RULES];

static bool any_rules;
static unsigned failures;

CUresult injected_error(const char *function) {
  for (struct rule *each = rules; any_rules && each < rules + RULES; each++) {
    if (strcmp(each->function, function) != 0)
      continue;
    if (each->skip > 0) {
      each->skip--;
    } else if (each->count > 0) {
      each->count--;
      failures++;
      return each->code;
    }
  }
  return CUDA_SUCCESS;
}

/* The rule for a function, or a free one. */
static struct rule *rule_for(const char *function) {
  struct rule *free_one = NULL;
  for (struct rule *each = rules; each < rules + RULES; each++) {
    if (strcmp(each->function, function) == 0)
      return each;
    if (each->function[0] == '\0' && !free_one)
      free_one = each;
  }
  return free_one;
}

void kvf_emulator_fail(const char *function, unsigned skip, unsigned count, int code) {
  DRIVER_LOCK();
  failures = 0;
  if (!function) {
    memset(rules, 0, sizeof rules);
    any_rules = false;
    return;
  }
  struct rule *rule = rule_for(function);
  if (!rule || strlen(function) >= NAME_ROOM) {
    fprintf(stderr, "kvf_emulator_fail: no room for %s\n", function);
    abort();
  }
  *rule = (struct rule){.skip = skip, .count = count, .code = (CUresult)code};
  strcpy(rule->function, function);
  any_rules = true;
}

unsigned kvf_emulator_failures(void) {
  DRIVER_LOCK();
  return failures;
}

void kvf_emulator_count(kvf_emulator_counts *counts) {
  DRIVER_LOCK();
  *counts = (kvf_emulator_counts){.libraries = library_count(),
                                  .retained = context_retained(),
                                  .pinned = memory_count(MEMORY_PINNED),
                                  .depth = context_depth(),
                                  .capture_mode = stream_capture_mode(),
                                  .work = stream_work(),
                                  .programmatic = launch_programmatic()};
}
