#include "core/float_mode.h"

/* Through memory that the compiler must not reorder: it knows nothing of modes. */
float kvf_nearest_float(double value) {
  const uint64_t mode = kvf_enter_plain_mode();
  volatile double wide = value;
  volatile float nearest = (float)wide;
  kvf_leave_plain_mode(mode);
  return nearest;
}
