#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((uintptr_t)1 << MEMORY_PAGE_SHIFT)
#define SPACE_SPAN ((size_t)64 << 30)

/* Larger allocations are filled up to here only, so that a test may use a tensor of many gigabytes
 * and touch little of it. */
#define FILL_MAX ((size_t)64 << 20)

/* From this size on memory is asked for in large pages: hiding it from the host and showing it to
 * kernels walks all of its pages, at every launch. */
#define LARGE ((size_t)4 << 20)

/* The search for room starts over when it has come this far. Later is better for finding stale
 * pointers, but every mprotect walks the page tables of all addresses ever used. */
#define REUSE_AFTER ((uintptr_t)32 << 20)

/* Beyond this distance an allocation has nothing to do with a bad address. */
#define NEAR ((uintptr_t)1 << 20)

typedef struct arena {
  uintptr_t base;
  allocation anchors[2]; /* empty allocations at both ends: every other one has two neighbours */
  allocation *cursor;    /* the search for room starts behind this one */
} arena;

memory_map memory;
static arena arenas[MEMORY_SPACES];
static bool hidden; /* device memory from the host */

bool memory_init(void) {
  const int reserve = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  size_t span = MEMORY_SPACES * SPACE_SPAN;
  size_t table = (span >> MEMORY_PAGE_SHIFT) * sizeof(allocation *);
  void *base = mmap(NULL, span, PROT_NONE, reserve, -1, 0);
  if (base == MAP_FAILED)
    return false;
  void *pages = mmap(NULL, table, PROT_READ | PROT_WRITE, reserve, -1, 0);
  if (pages == MAP_FAILED) {
    munmap(base, span);
    return false;
  }
  hidden = !getenv("KVF_EMULATOR_HOST_ACCESS");
  memory = (memory_map){.base = (uintptr_t)base, .span = span, .pages = pages};

  for (int space = 0; space < MEMORY_SPACES; space++) {
    arena *a = &arenas[space];
    a->base = memory.base + (size_t)space * SPACE_SPAN;
    allocation *first = &a->anchors[0], *last = &a->anchors[1];
    first->begin = first->end = a->base;
    last->begin = last->end = a->base + SPACE_SPAN;
    first->live = last->live = true;
    first->next = last;
    last->previous = first;
    a->cursor = first;
  }
  return true;
}

/* ---- Allocation ---- */

static uintptr_t round_up(uintptr_t value) { return (value + PAGE - 1) & ~(PAGE - 1); }

/* A page of distance to both neighbours, so that one page is never shared and an overrun hits
 * nothing. */
static uintptr_t first_free(const allocation *before) { return round_up(before->end) + PAGE; }

static allocation *next_live(const allocation *from) {
  allocation *next = from->next;
  while (!next->live)
    next = next->next;
  return next;
}

static void enter_pages(const allocation *range, allocation *value) {
  for (uintptr_t page = range->begin; page < range->end; page += PAGE)
    memory.pages[(page - memory.base) >> MEMORY_PAGE_SHIFT] = value;
}

static void forget(allocation *dead) {
  enter_pages(dead, NULL);
  dead->previous->next = dead->next;
  dead->next->previous = dead->previous;
  free(dead);
}

/* The live allocation behind which `size` bytes have room, searched from the cursor once around. */
static allocation *find_room(arena *a, size_t size) {
  allocation *start = a->cursor, *before = start;
  do {
    uintptr_t begin = first_free(before);
    allocation *after = next_live(before);
    if (begin < after->begin && size <= after->begin - begin - PAGE)
      return before;
    before = after == &a->anchors[1] ? &a->anchors[0] : after;
  } while (before != start);
  return NULL;
}

unsigned memory_count(int space) {
  unsigned count = 0;
  const allocation *each = &arenas[space].anchors[0], *last = &arenas[space].anchors[1];
  while (each->next && (each = next_live(each)) != last) /* without a next before memory_init() */
    count++;
  return count;
}

allocation *memory_allocate(int space, size_t size, void *owner) {
  arena *a = &arenas[space];
  if (size > SPACE_SPAN / 2)
    return NULL;
  allocation *before = find_room(a, size);
  allocation *fresh = before ? calloc(1, sizeof *fresh) : NULL;
  if (!fresh)
    return NULL;

  while (!before->next->live)
    forget(before->next);
  *fresh = (allocation){.begin = first_free(before),
                        .end = first_free(before) + size,
                        .owner = owner,
                        .space = space,
                        .live = true,
                        .previous = before,
                        .next = before->next};
  fresh->next->previous = fresh;
  before->next = fresh;
  a->cursor = fresh->end - a->base < REUSE_AFTER ? fresh : &a->anchors[0];
  enter_pages(fresh, fresh);

  mprotect((void *)fresh->begin, round_up(fresh->end) - fresh->begin, PROT_READ | PROT_WRITE);
  if (size >= LARGE)
    madvise((void *)fresh->begin, round_up(fresh->end) - fresh->begin, MADV_HUGEPAGE);
  memset((void *)fresh->begin, 0xFF, size < FILL_MAX ? size : FILL_MAX);
  memory_hide(fresh->begin, size);
  return fresh;
}

void memory_free(allocation *dead) {
  size_t size = round_up(dead->end) - dead->begin;
  madvise((void *)dead->begin, size, MADV_DONTNEED);
  mprotect((void *)dead->begin, size, PROT_NONE);
  dead->live = false;

  /* The search for room must start at a live one. */
  arena *a = &arenas[dead->space];
  while (!a->cursor->live)
    a->cursor = a->cursor->previous;
}

void memory_free_all(const void *owner) {
  for (int space = 0; space < MEMORY_SPACES; space++)
    for (allocation *each = arenas[space].anchors[0].next; each->next; each = each->next)
      if (each->live && each->owner == owner)
        memory_free(each);
}

/* ---- The host's access ---- */

static void protect(uintptr_t begin, uintptr_t end, int protection) {
  bool of_device = begin - memory.base < MEMORY_PINNED * SPACE_SPAN;
  if (!hidden || !of_device || begin == end)
    return;
  begin &= ~(PAGE - 1);
  mprotect((void *)begin, round_up(end) - begin, protection);
}

void memory_expose(uintptr_t address, size_t size) {
  protect(address, address + size, PROT_READ | PROT_WRITE);
}

void memory_hide(uintptr_t address, size_t size) { protect(address, address + size, PROT_NONE); }

/* From the first to the last live allocation: one system call, whatever their number. */
static void protect_device(int device, int protection) {
  const arena *a = &arenas[device];
  const allocation *last = a->anchors[1].previous;
  while (!last->live)
    last = last->previous;
  if (last != &a->anchors[0])
    protect(next_live(&a->anchors[0])->begin, last->end, protection);
}

void memory_expose_device(int device) { protect_device(device, PROT_READ | PROT_WRITE); }

void memory_hide_device(int device) { protect_device(device, PROT_NONE); }

/* ---- Descriptions ---- */

static void describe_space(int space, char *text, size_t text_size) {
  if (space == MEMORY_PINNED)
    snprintf(text, text_size, "pinned host memory");
  else
    snprintf(text, text_size, "memory of device %d", space);
}

static bool is_anchor(const allocation *a) { return !a->previous || !a->next; }

void memory_describe(uintptr_t address, size_t size, char *text, size_t text_size) {
  if (address < PAGE) {
    snprintf(text, text_size, "a null pointer");
    return;
  }
  if (address - memory.base >= memory.span) {
    snprintf(text, text_size, "no device memory: is it a pointer to ordinary host memory?");
    return;
  }

  /* The neighbours of the address, then the nearer of them that is a real allocation. */
  const arena *a = &arenas[(address - memory.base) / SPACE_SPAN];
  const allocation *after = a->anchors[0].next;
  while (after->next && after->end <= address)
    after = after->next;
  const allocation *before = after->previous;
  bool behind = address < after->begin && address - before->end < after->begin - address;
  const allocation *nearest = behind ? before : after;
  if (is_anchor(nearest))
    nearest = behind ? after : before;
  if (is_anchor(nearest) || address + NEAR < nearest->begin || address > nearest->end + NEAR) {
    snprintf(text, text_size, "no allocation is near");
    return;
  }
  char space[40], where[96];
  describe_space(nearest->space, space, sizeof space);
  if (address < nearest->begin)
    snprintf(where, sizeof where, "%zu byte(s) before", (size_t)(nearest->begin - address));
  else if (address >= nearest->end)
    snprintf(where, sizeof where, "%zu byte(s) behind the end of",
             (size_t)(address - nearest->end));
  else if (size > nearest->end - address)
    snprintf(where, sizeof where, "at offset %zu, %zu byte(s) too long for",
             (size_t)(address - nearest->begin), (size_t)(size - (nearest->end - address)));
  else
    snprintf(where, sizeof where, "at offset %zu of", (size_t)(address - nearest->begin));
  snprintf(text, text_size, "%s the %sallocation of %zu bytes at %#zx in %s", where,
           nearest->live ? "" : "freed ", (size_t)(nearest->end - nearest->begin),
           (size_t)nearest->begin, space);
}
