/*
 * Hostile boxed calls: of an op of the registry, with arguments that fit together as its reference
 * text says, of which some are then bent. Tensors are honest about the memory they have, so
 * whatever else a call touches is the library's fault; so is a byte that changes although the call
 * was refused, or that belongs to an argument which the op only reads.
 */
#ifndef KVF_TESTS_FUZZ_HOSTILE_H
#define KVF_TESTS_FUZZ_HOSTILE_H

#include <stdbool.h>

#include "choices.h"
#include "kvforge/kvforge.h"

enum { MAX_OPERANDS = 40, OPERAND_BYTES = 256 * 1024 };

/* Where the tensors of calls lie. Each of the MAX_OPERANDS places is a neighbour of nothing. */
typedef struct hostile_memory {
  kvf_backend backend;
  uint64_t seed; /* for a report: what the call is made of */
  /* A place of exactly this many bytes, at most OPERAND_BYTES, that hold these; NULL: no memory. */
  uint8_t *(*take)(int place, const uint8_t *contents, size_t size, bool on_host);
  /* What it holds now, after all work of the call. NULL, or the sentence of a fault. */
  const char *(*synchronize)(void);
  void (*read)(int place, uint8_t *contents, size_t size);
  /* Zeroed memory of FAR_BYTES for tensors whose elements lie far apart, or NULL. */
  uint8_t *far;
  void (*forget_far)(void);
} hostile_memory;

#define FAR_BYTES (INT64_C(1) << 36)

/* Makes one call; aborts with a description of it when the library is at fault. */
kvf_status hostile_call(choices *given, const hostile_memory *memory);

#endif
