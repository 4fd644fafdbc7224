/* Calls that are captured in a CUDA graph, and run as often as that is launched. */
#ifndef KVF_TESTS_GRAPHS_H
#define KVF_TESTS_GRAPHS_H

#include <stdbool.h>

typedef struct captured {
  void *stream, *graph, *executable;
} captured;

/* Whether the driver has graphs, which the emulated one has not; skips the running test else. */
bool graphs_there(void);

/* What is enqueued on the stream between the two is captured, in the strictest mode: no thread may
 * make a call meanwhile that a capture does not allow. False after a failed expectation. */
bool capture_begin(captured *made, void *stream);
bool capture_end(captured *made);

/* Launches the graph, and waits for it. */
bool capture_launch(const captured *made);

void capture_free(captured *made);

#endif
