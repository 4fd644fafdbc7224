/* Choices that are made by bytes, which a fuzzer mutates or a random generator makes. */
#ifndef KVF_TESTS_FUZZ_CHOICES_H
#define KVF_TESTS_FUZZ_CHOICES_H

#include <stddef.h>
#include <stdint.h>

typedef struct choices {
  const uint8_t *data;
  size_t size;
  size_t at;
} choices;

/* The next byte; 0 for ever behind the last one. */
static inline unsigned next_byte(choices *from) {
  return from->at < from->size ? from->data[from->at++] : 0;
}

static inline uint64_t next_number(choices *from) {
  uint64_t number = 0;
  for (int i = 0; i < 8; ++i) {
    number = number << 8 | next_byte(from);
  }
  return number;
}

/* A number in [0, limit). */
static inline int64_t next_below(choices *from, int64_t limit) {
  return limit > 0 ? (int64_t)(next_byte(from) % (uint64_t)limit) : 0;
}

/* Once in `rarity` times. */
static inline int next_rarely(choices *from, unsigned rarity) {
  return next_byte(from) % rarity == rarity - 1;
}

#endif
