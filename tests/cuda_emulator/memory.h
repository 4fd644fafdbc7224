/* Device memory and pinned host memory of the emulated devices.
 *
 * Every allocation lives in a reserved range of addresses, one range per space, with at least one
 * unused page behind it, so that an address tells at once which allocation it belongs to. Addresses
 * are handed out in rising order and used again late: a stale pointer stays detectable for long.
 *
 * Not thread-safe by itself: the driver's lock covers it. */
#ifndef KVF_EMULATOR_MEMORY_H
#define KVF_EMULATOR_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MEMORY_DEVICES_MAX = 8,
  MEMORY_PINNED = MEMORY_DEVICES_MAX, /* the space of cuMemHostAlloc; spaces below are devices */
  MEMORY_SPACES,
  MEMORY_PAGE_SHIFT = 12,
};

typedef struct allocation {
  uintptr_t begin, end;
  void *owner; /* the context that allocated it */
  int space;
  bool live;
  struct allocation *previous, *next; /* by address; freed ones stay until their range is reused */
} allocation;

/* Where kernels look addresses up; written by memory.c only. */
typedef struct memory_map {
  uintptr_t base;
  size_t span;
  allocation **pages; /* one entry per page of the span */
} memory_map;

extern memory_map memory;

/* Reserves the address ranges; false if the system refuses. */
bool memory_init(void);

/* `size` > 0 bytes filled with 0xFF (a NaN in every float format), or NULL. Page aligned. */
allocation *memory_allocate(int space, size_t size, void *owner);
void memory_free(allocation *dead);
void memory_free_all(const void *owner);

/* Live allocations of a space. */
unsigned memory_count(int space);

/* Device memory is out of the host's reach, as on a real machine, except between these two; for
 * other addresses they do nothing. The second pair covers all memory of a device. */
void memory_expose(uintptr_t address, size_t size);
void memory_hide(uintptr_t address, size_t size);
void memory_expose_device(int device);
void memory_hide_device(int device);

/* A clause for error sentences about what is at, or near, `address`. */
void memory_describe(uintptr_t address, size_t size, char *text, size_t text_size);

/* The allocation at `address`, live or freed; NULL if there is none. */
static inline allocation *memory_at(uintptr_t address) {
  uintptr_t offset = address - memory.base;
  return offset < memory.span ? memory.pages[offset >> MEMORY_PAGE_SHIFT] : NULL;
}

/* The live allocation that holds all of [address, address + size), or NULL. */
static inline allocation *memory_find(uintptr_t address, size_t size) {
  allocation *found = memory_at(address);
  bool inside = found && found->live && address >= found->begin && address <= found->end &&
                size <= found->end - address;
  return inside ? found : NULL;
}

#endif
