/*
 * libFuzzer's harness of the boxed call on the CPU: see hostile.h. Memory of tensors ends where
 * AddressSanitizer's poison begins, on both sides, and farther away lies memory of nobody.
 */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "hostile.h"

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const size_t DISTANCE = (size_t)1 << 30; /* between two places */
static uint8_t *space;
static uint8_t *taken[MAX_OPERANDS];
static size_t sizes[MAX_OPERANDS];

static uint8_t *place_at(int place) { return space + (size_t)(place + 1) * DISTANCE; }

static uint8_t *take(int place, const uint8_t *contents, size_t size, bool on_host) {
  (void)on_host;
  ASAN_POISON_MEMORY_REGION(taken[place], sizes[place]);
  const size_t slack = OPERAND_BYTES - (size + 63) / 64 * 64; /* aligned, close to the far end */
  taken[place] = place_at(place) + slack;
  sizes[place] = size;
  ASAN_UNPOISON_MEMORY_REGION(taken[place], size);
  memcpy(taken[place], contents, size);
  return taken[place];
}

static void read_back(int place, uint8_t *contents, size_t size) {
  memcpy(contents, taken[place], size);
}

static const char *synchronize(void) { return NULL; }

static hostile_memory memory = {
    .backend = KVF_CPU, .take = take, .synchronize = synchronize, .read = read_back};

static void forget_far(void) { (void)madvise(memory.far, (size_t)FAR_BYTES, MADV_DONTNEED); }

static void *map(size_t size, int protection) {
  void *made = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return made == MAP_FAILED ? NULL : made;
}

int LLVMFuzzerInitialize(int *count, char ***arguments) {
  (void)count;
  (void)arguments;
  space = map((MAX_OPERANDS + 2) * DISTANCE, PROT_NONE);
  memory.far = map((size_t)FAR_BYTES, PROT_READ | PROT_WRITE);
  memory.forget_far = forget_far;
  if (space == NULL || memory.far == NULL) {
    return 1;
  }
  (void)madvise(memory.far, (size_t)FAR_BYTES, MADV_NOHUGEPAGE);
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    if (mprotect(place_at(i), OPERAND_BYTES, PROT_READ | PROT_WRITE) != 0) {
      return 1;
    }
    ASAN_POISON_MEMORY_REGION(place_at(i), OPERAND_BYTES);
  }
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  choices given = {.data = data, .size = size};
  (void)hostile_call(&given, &memory);
  return 0;
}
