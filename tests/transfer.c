#include "transfer.h"

#include <stdlib.h>
#include <string.h>

#include "operands.h"

transfer_buffer transfer_make(enum transfer_kind kind, size_t size, uint64_t seed) {
  return (transfer_buffer){
      .kind = kind,
      .memory = kind == PINNED ? buffer_make_pinned(size, seed)
                               : buffer_make(kind == ON_DEVICE ? KVF_CUDA : KVF_CPU, size, seed)};
}

void transfer_free(transfer_buffer *made) { buffer_free(&made->memory); }

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
