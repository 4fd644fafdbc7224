/* The entry points that g++ calls from instrumented kernels, in place of libasan and libubsan.
 *
 * All are local to this shared object (exports.map), so that they serve its kernels and nothing
 * else, even in a process that has the real libraries loaded. What was found stops the kernel the
 * way the hardware would. The handler data are compiler-rt's, which GCC follows. */
#include <stdint.h>
#include <string.h>

#include "collective.h"
#include "fiber.h"
#include "grid.h"
#include "memory.h"

/* ---- AddressSanitizer: every load and store ---- */

static inline void check(uintptr_t address, size_t size, bool write) {
  if (fiber_owns(address, size) || __builtin_expect(grid_may_access(address, size, write), 1))
    return;
  char place[256];
  memory_describe(address, size, place, sizeof place);
  grid_fault(CUDA_ERROR_ILLEGAL_ADDRESS, "%s of %zu byte(s) at address %#zx: %s",
             write ? "write" : "read", size, (size_t)address, place);
}

#define ACCESS(size)                                                                               \
  void __asan_load##size##_noabort(uintptr_t address);                                             \
  void __asan_store##size##_noabort(uintptr_t address);                                            \
  void __asan_load##size##_noabort(uintptr_t address) { check(address, size, false); }             \
  void __asan_store##size##_noabort(uintptr_t address) { check(address, size, true); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)

void __asan_loadN_noabort(uintptr_t address, size_t size);
void __asan_storeN_noabort(uintptr_t address, size_t size);
void __asan_handle_no_return(void);

void __asan_loadN_noabort(uintptr_t address, size_t size) { check(address, size, false); }
void __asan_storeN_noabort(uintptr_t address, size_t size) { check(address, size, true); }
void __asan_handle_no_return(void) {}

/* device.h sends the calls that the compiler leaves uninstrumented here. */
void *kvf_emulator_memcpy(void *to, const void *from, size_t size) {
  if (size > 0) {
    check((uintptr_t)from, size, false);
    check((uintptr_t)to, size, true);
  }
  return memmove(to, from, size);
}

void *kvf_emulator_memmove(void *to, const void *from, size_t size) {
  return kvf_emulator_memcpy(to, from, size);
}

void *kvf_emulator_memset(void *to, int value, size_t size) {
  if (size > 0)
    check((uintptr_t)to, size, true);
  return memset(to, value, size);
}

/* ---- UndefinedBehaviorSanitizer ---- */

typedef struct source_location {
  const char *file;
  uint32_t line;
  uint32_t column;
} source_location;

typedef struct type_descriptor {
  uint16_t kind;
  uint16_t info;
  char name[];
} type_descriptor;

typedef struct type_mismatch_data {
  source_location where;
  const type_descriptor *type;
  unsigned char log_alignment;
  unsigned char access;
} type_mismatch_data;

void __ubsan_handle_type_mismatch_v1(const type_mismatch_data *data, uintptr_t address);

void __ubsan_handle_type_mismatch_v1(const type_mismatch_data *data, uintptr_t address) {
  size_t alignment = (size_t)1 << data->log_alignment;
  if (address == 0)
    grid_fault(CUDA_ERROR_ILLEGAL_ADDRESS, "null pointer of type %s (%s:%u)", data->type->name,
               data->where.file, data->where.line);
  if (address % alignment == 0)
    return; /* the third thing this hook reports, object sizes, is not compiled in */
  char place[256];
  memory_describe(address, 1, place, sizeof place);
  grid_fault(CUDA_ERROR_MISALIGNED_ADDRESS,
             "misaligned address %#zx for type %s, which needs %zu bytes alignment (%s:%u): %s",
             (size_t)address, data->type->name, alignment, data->where.file, data->where.line,
             place);
}

/* The data of all other handlers begins with the location, and a sentence needs no more. */
#define UNDEFINED(handler, sentence, ...)                                                          \
  void __ubsan_handle_##handler(const source_location *where, ##__VA_ARGS__);                      \
  void __ubsan_handle_##handler(const source_location *where, ##__VA_ARGS__) {                     \
    grid_fault(CUDA_ERROR_LAUNCH_FAILED, "%s (%s:%u)", sentence, where->file, where->line);        \
  }
UNDEFINED(out_of_bounds, "array index out of bounds", uintptr_t index __attribute__((unused)))
UNDEFINED(shift_out_of_bounds, "shift amount out of range, or overflow in a left shift")
UNDEFINED(add_overflow, "signed integer overflow in an addition")
UNDEFINED(sub_overflow, "signed integer overflow in a subtraction")
UNDEFINED(mul_overflow, "signed integer overflow in a multiplication")
UNDEFINED(negate_overflow, "signed integer overflow in a negation")
UNDEFINED(divrem_overflow, "integer division by zero, or its overflow")
UNDEFINED(builtin_unreachable, "unreachable code was reached")
UNDEFINED(missing_return, "a function ended without returning its value")

/* ---- assert() and __trap() ---- */

_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line,
                             const char *function);
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line,
                             const char *function) {
  grid_fault(CUDA_ERROR_ASSERT, "assertion `%s` failed in %s (%s:%u)", assertion, function, file,
             line);
}

void kvf_emulator_trap(void) { grid_fault(CUDA_ERROR_LAUNCH_FAILED, "__trap() was called"); }
