#include "region.h"

#include <string.h>
#include <sys/mman.h>

#include "harness.h"

bool region_make(region *made, kvf_backend backend, size_t size) {
  *made = (region){.backend = backend, .size = size};
  if (backend == KVF_CPU) {
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) {
      return false;
    }
    (void)madvise(mapped, size, MADV_NOHUGEPAGE);
    made->place = mapped;
    return true;
  }
  uint64_t address = 0;
  if (cuda.reset != NULL || cuda.alloc(&address, size) != 0) {
    return false;
  }
  made->place = (uint8_t *)(uintptr_t)address;
  EXPECT(cuda.set_async(address, 0, size, NULL) == 0, "cuMemsetD8Async failed");
  return true;
}

void region_free(region *made) {
  if (made->place != NULL && made->backend == KVF_CPU) {
    (void)munmap(made->place, made->size);
  } else if (made->place != NULL) {
    (void)cuda.free((uint64_t)(uintptr_t)made->place);
  }
  made->place = NULL;
}

void region_put(const region *to, int64_t at, const void *bytes, size_t count) {
  if (to->backend == KVF_CPU) {
    memcpy(to->place + at, bytes, count);
  } else {
    (void)cuda.upload((uint64_t)(uintptr_t)(to->place + at), bytes, count);
    (void)cuda.stream_synchronize(NULL); /* as buffer_upload() does */
  }
}

void region_get(const region *from, int64_t at, void *bytes, size_t count) {
  if (from->backend == KVF_CPU) {
    memcpy(bytes, from->place + at, count);
  } else {
    (void)cuda.download(bytes, (uint64_t)(uintptr_t)(from->place + at), count);
  }
}
