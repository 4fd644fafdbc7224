#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#include "operands.h"

transfer_buffer transfer_make(enum transfer_kind kind, size_t size, uint64_t seed) {
  transfer_buffer made = {.kind = kind};
  if (kind != PINNED) {
    made.memory = buffer_make(kind == ON_DEVICE ? KVF_CUDA : KVF_CPU, size, seed);
    return made;
  }
  void *place = NULL;
  const int code = cuda.host_alloc(&place, size, 0);
  if (!EXPECT(code == 0, "cuMemHostAlloc: %s", cuda_error(code))) {
    exit(2);
  }
  made.memory =
      (buffer){.backend = KVF_CPU, .size = size, .place = place, .expected = malloc(size)};
  for (size_t i = 0; i < size; ++i) {
    made.memory.expected[i] = (uint8_t)random_next(&seed);
  }
  return made;
}

void transfer_free(transfer_buffer *made) {
  if (made->kind != PINNED) {
    buffer_free(&made->memory);
    return;
  }
  (void)cuda.host_free(made->memory.place);
  free(made->memory.expected);
}

DLDevice transfer_device(enum transfer_kind kind) {
  static const DLDeviceType types[] = {kDLCPU, kDLCUDAHost, kDLCUDA};
  return (DLDevice){types[kind], 0};
}

DLTensor transfer_bytes(const transfer_buffer *of, int64_t start, int64_t *shape, int64_t bytes) {
  *shape = bytes;
  return (DLTensor){.data = of->memory.place,
                    .device = transfer_device(of->kind),
                    .ndim = 1,
                    .dtype = {kDLUInt, 8, 1},
                    .shape = shape,
                    .byte_offset = (uint64_t)start};
}

void *transfer_stream(int which) {
  return which == OWN_STREAM && options.backend == KVF_CUDA ? own_stream()
         : which == LEGACY_STREAM                           ? (void *)1
                                                            : NULL;
}

void transfer_verify(const transfer_buffer *buffers, int count, const char *what) {
  const char *wrong = memory_synchronize(options.backend);
  EXPECT(wrong == NULL, "%s: %s", what, wrong);
  for (int i = 0; i < count; ++i) {
    uint8_t got = 0;
    const int64_t at = buffer_difference(&buffers[i].memory, &got);
    EXPECT(at < 0, "%s: byte %lld of %zu in buffer %d is 0x%02X, want 0x%02X", what, (long long)at,
           buffers[i].memory.size, i, got, at < 0 ? 0 : buffers[i].memory.expected[at]);
  }
}

void transfer_refused(const transfer_buffer *buffers, int count, kvf_status got, kvf_status want,
                      const char *what, const char *start, const char *part, const char *other) {
  const char *message = kvf_last_error();
  EXPECT(got == want, "%s: got %s (%s), want %s", what, kvf_status_name(got), message,
         kvf_status_name(want));
  EXPECT(strncmp(message, start, strlen(start)) == 0 && strstr(message, part) != NULL &&
             strstr(message, other) != NULL,
         "%s: the message is '%s', want '%s...%s...%s'", what, message, start, part, other);
  transfer_verify(buffers, count, what);
  count_case(NULL);
}
