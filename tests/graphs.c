#include "graphs.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "memory.h"

static struct {
  int (*begin)(void *stream, int mode);
  int (*end)(void *stream, void **graph);
  int (*instantiate)(void **executable, void *graph, uint64_t flags);
  int (*launch)(void *executable, void *stream);
  int (*destroy_executable)(void *executable);
  int (*destroy)(void *graph);
} graphs;

static bool find_graphs(void) {
  static const char *const symbols[] = {"cuStreamBeginCapture_v2",     "cuStreamEndCapture",
                                        "cuGraphInstantiateWithFlags", "cuGraphLaunch",
                                        "cuGraphExecDestroy",          "cuGraphDestroy"};
  const char *path = getenv("KVFORGE_LIBCUDA");
  void *library = dlopen(path ? path : "libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  void *found[TEST_COUNT(symbols)];
  for (size_t i = 0; i < TEST_COUNT(symbols); ++i) {
    found[i] = library ? dlsym(library, symbols[i]) : NULL;
    if (found[i] == NULL) {
      return false;
    }
  }
  memcpy(&graphs, found, sizeof graphs);
  return true;
}

bool graphs_there(void) {
  const bool found = graphs.begin != NULL || find_graphs();
  if (!found) {
    skip_test("the emulated driver has no graphs");
  }
  return found;
}

bool capture_begin(captured *made, void *stream) {
  enum { MODE_GLOBAL = 0 };
  *made = (captured){.stream = stream};
  return EXPECT(graphs.begin(stream, MODE_GLOBAL) == 0, "capture does not begin");
}

bool capture_end(captured *made) {
  return EXPECT(graphs.end(made->stream, &made->graph) == 0, "capture does not end") &&
         EXPECT(graphs.instantiate(&made->executable, made->graph, 0) == 0,
                "the graph is not instantiated");
}

bool capture_launch(const captured *made) {
  if (!EXPECT(graphs.launch(made->executable, made->stream) == 0, "the graph does not start")) {
    return false;
  }
  const char *wrong = memory_synchronize(KVF_CUDA);
  return EXPECT(wrong == NULL, "a launch of the graph: %s", wrong);
}

void capture_free(captured *made) {
  if (made->executable != NULL) {
    (void)graphs.destroy_executable(made->executable);
  }
  if (made->graph != NULL) {
    (void)graphs.destroy(made->graph);
  }
}
