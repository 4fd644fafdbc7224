/*
 * How this thread's floating point works while a kernel runs: rounds to nearest even, keeps
 * subnormal numbers and traps nothing, whatever the caller has set for itself (engines flush
 * subnormals to zero). What a thread of a team has was that of whoever started it.
 */
#ifndef KVFORGE_FLOAT_MODE_H
#define KVFORGE_FLOAT_MODE_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
/* MXCSR: the lowest six bits are flags, and set ones of the next but one six keep traps away. */
enum { KVF_MODE_BITS = 0xFFC0, KVF_MODE_PLAIN = 0x1F80 };
static inline uint64_t kvf_read_mode(void) { return __builtin_ia32_stmxcsr(); }
static inline void kvf_write_mode(uint64_t mode) { __builtin_ia32_ldmxcsr((unsigned)mode); }
#elif defined(__aarch64__)
/* FPCR: each bit departs from IEEE 754's ways. */
enum { KVF_MODE_BITS = 0x7FFFFFFF, KVF_MODE_PLAIN = 0 };
static inline uint64_t kvf_read_mode(void) {
  uint64_t mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
static inline void kvf_write_mode(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
enum { KVF_MODE_BITS = 0, KVF_MODE_PLAIN = 0 };
static inline uint64_t kvf_read_mode(void) { return 0; }
static inline void kvf_write_mode(uint64_t mode) { (void)mode; }
#endif

static inline bool kvf_mode_is_plain(uint64_t mode) {
  return (mode & KVF_MODE_BITS) == KVF_MODE_PLAIN;
}

/* Sets the plain mode; returns what there was, for kvf_leave_plain_mode(). */
static inline uint64_t kvf_enter_plain_mode(void) {
  const uint64_t before = kvf_read_mode();
  if (!kvf_mode_is_plain(before)) {
    kvf_write_mode(KVF_MODE_PLAIN);
  }
  return before;
}

static inline void kvf_leave_plain_mode(uint64_t before) {
  if (!kvf_mode_is_plain(before)) {
    kvf_write_mode(before);
  }
}

/* The float nearest to an argument of a call, whatever the mode. */
float kvf_nearest_float(double value);

#endif
