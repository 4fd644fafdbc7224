#include "ops/shared/index.h"

void kvf_launch_index_bytes(kvf_check *check, const char *member, int32_t index_bytes) {
  if (index_bytes != 4 && index_bytes != 8) {
    kvf_check_fail(check, KVF_INVALID_VALUE, member, "got %d, want 4 or 8", index_bytes);
  }
}
