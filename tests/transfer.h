/* What the tests of the ops share that copy between host and device: memory of each kind. */
#ifndef KVF_TESTS_TRANSFER_H
#define KVF_TESTS_TRANSFER_H

#include "harness.h"
#include "memory.h"

enum transfer_kind { ON_HOST, PINNED, ON_DEVICE, TRANSFER_KINDS };

typedef struct transfer_buffer {
  enum transfer_kind kind;
  buffer memory;
} transfer_buffer;

/* Random in every byte. On the CPU backend there is ON_HOST only. */
transfer_buffer transfer_make(enum transfer_kind kind, size_t size, uint64_t seed);
void transfer_free(transfer_buffer *made);

DLDevice transfer_device(enum transfer_kind kind);

/* A DLPack view of `bytes` bytes from `start` on. `shape` is written to and must live as long. */
DLTensor transfer_bytes(const transfer_buffer *of, int64_t start, int64_t *shape, int64_t bytes);

/* Streams that a call may name: one of the test's own, and both names of the default stream. */
enum { OWN_STREAM, DEFAULT_STREAM, LEGACY_STREAM, TRANSFER_STREAMS };
void *transfer_stream(int which);

/* Waits, and compares every byte of the buffers. */
void transfer_verify(const transfer_buffer *buffers, int count, const char *what);

/* The call was refused with this sentence, and nothing was copied. */
void transfer_refused(const transfer_buffer *buffers, int count, kvf_status got, kvf_status want,
                      const char *what, const char *start, const char *part, const char *other);

#endif
