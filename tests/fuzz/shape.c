#include "shape.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sizes that ops want to be particular, and some of each for the others. */
static int64_t new_size(const char *name, uint64_t seed) {
  static const struct {
    const char *name;
    int64_t choices[4];
  } particular[] = {
      {"head_size", {64, 32, 16, 20}},
      {"head_dim", {128, 32, 16, 64}},
      {"kv_lora_rank", {512, 16, 64, 7}},
      {"rope_dim", {64, 16, 8, 6}},
      {"nope_dim", {512, 32, 16, 5}},
      {"quant_block_size", {128, 32, 16, 64}},
      {"entry_size", {576, 32, 16, 7}},
      {"x", {16, 8, 4, 2}},
      {"num_heads", {2, 1, 3, 4}},
      {"num_q_heads", {4, 2, 1, 8}},
      {"num_kv_heads", {2, 1, 1, 4}},
      {"value_head_size", {64, 32, 16, 20}},
      {"block_size", {16, 4, 8, 3}},
      {"block_size_in_bytes", {64, 16, 8, 256}},
      {"rotary_dim", {16, 8, 4, 2}},
      {"unit_bytes", {1024, 8192, 1024, 16384}},
      {"wire_bytes", {16384, 65536, 32768, 16384}},
  };
  for (size_t i = 0; i < sizeof particular / sizeof *particular; ++i) {
    if (strcmp(particular[i].name, name) == 0) {
      return particular[i].choices[seed % 4];
    }
  }
  return 1 + (int64_t)(seed % 5);
}

int64_t size_named(sizes *known, const char *name) {
  for (int i = 0; i < known->count; ++i) {
    if (strcmp(known->names[i], name) == 0) {
      return known->values[i];
    }
  }
  uint64_t seed = known->seed;
  for (const char *at = name; *at != '\0'; ++at) {
    seed = (seed ^ (uint64_t)*at) * UINT64_C(0x100000001B3);
  }
  /* Once in a while 0, wherever the name stands: then there may be no memory behind a tensor. */
  const int64_t value = seed >> 24 & 31 ? new_size(name, seed >> 32) : 0;
  if (known->count < MAX_NAMES && strlen(name) < sizeof known->names[0]) {
    (void)strcpy(known->names[known->count], name);
    known->values[known->count++] = value;
  }
  return value;
}

static void skip_blanks(const char **at) {
  while (**at == ' ') {
    ++*at;
  }
}

static int64_t sum(sizes *known, const char **at);

/* A number, a name, or ceil(a / b). */
static int64_t atom(sizes *known, const char **at) {
  skip_blanks(at);
  if (strncmp(*at, "ceil(", 5) == 0) {
    *at += 5;
    const int64_t inside = sum(known, at);
    *at += **at == ')';
    return inside > 0 ? inside : 1; /* sizes that are divided are multiples, or less than one */
  }
  if (isdigit((unsigned char)**at)) {
    char *end = NULL;
    const int64_t value = strtoll(*at, &end, 10);
    *at = end;
    return value;
  }
  char name[32] = "";
  size_t length = 0;
  while ((isalnum((unsigned char)**at) || **at == '_') && length + 1 < sizeof name) {
    name[length++] = *(*at)++;
  }
  return length > 0 ? size_named(known, name) : -1;
}

static int64_t product(sizes *known, const char **at) {
  int64_t value = atom(known, at);
  for (skip_blanks(at); **at == '*' || **at == '/'; skip_blanks(at)) {
    const char operation = *(*at)++;
    const int64_t other = atom(known, at);
    value = operation == '*' ? value * other : other > 0 ? value / other : value;
  }
  return value;
}

static int64_t sum(sizes *known, const char **at) {
  int64_t value = product(known, at);
  for (skip_blanks(at); **at == '+'; skip_blanks(at)) {
    ++*at;
    value += product(known, at);
  }
  return value;
}

static bool skip_word(const char **at, const char *word) {
  const bool found = strncmp(*at, word, strlen(word)) == 0;
  *at += found ? strlen(word) : 0;
  return found;
}

/* "at most a", "at least a", ">= a" are a; "b >= a" is a, and so is b from there on. */
static int64_t dimension(sizes *known, const char **at) {
  if (!skip_word(at, "at most ")) {
    (void)skip_word(at, "at least ");
  }
  const char *least = strstr(*at, ">=");
  if (least == NULL || least >= *at + strcspn(*at, ",]")) {
    return sum(known, at);
  }
  const size_t length = strcspn(*at, " >");
  const char *name = *at;
  *at = least + 2;
  const int64_t value = sum(known, at);
  if (length > 0 && known->count < MAX_NAMES && length < sizeof known->names[0]) {
    (void)snprintf(known->names[known->count], sizeof known->names[0], "%.*s", (int)length, name);
    known->values[known->count++] = value;
  }
  return value;
}

int shape_of(sizes *known, const char *doc, int64_t shape[static MAX_RANK]) {
  const char *at = strchr(doc, '[');
  int rank = 0;
  if (at == NULL) {
    return -1;
  }
  for (++at; rank < MAX_RANK; ++at) {
    skip_blanks(&at);
    if (strncmp(at, "...", 3) == 0) { /* any more: here one */
      at += 3;
      shape[rank++] = size_named(known, "rest") * 4;
    } else {
      shape[rank++] = dimension(known, &at);
    }
    skip_blanks(&at);
    if (*at == ']') {
      return rank;
    }
    if (*at != ',') {
      return -1;
    }
  }
  return -1;
}
