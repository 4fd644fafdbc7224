#include "core/error.h"

#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[2048];

const char *kvf_last_error(void) { return last_error; }

kvf_status kvf_error_v(kvf_status status, const char *prefix, const char *format,
                       va_list arguments) {
  /* Formatted aside: an argument may be the previous message itself. */
  char sentence[sizeof last_error];
  const int used = snprintf(sentence, sizeof sentence, "%s", prefix);
  if (used >= 0 && (size_t)used < sizeof sentence) {
    (void)vsnprintf(sentence + used, sizeof sentence - (size_t)used, format, arguments);
  }
  memcpy(last_error, sentence, sizeof last_error);
  return status;
}

kvf_status kvf_error(kvf_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  kvf_error_v(status, "", format, arguments);
  va_end(arguments);
  return status;
}

kvf_status kvf_error_add(kvf_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  kvf_error_v(status, last_error, format, arguments);
  va_end(arguments);
  return status;
}

void kvf_text_add(kvf_text *text, const char *item) {
  const size_t room = sizeof text->data - text->length;
  const int wanted =
      snprintf(text->data + text->length, room, "%s%s", text->length ? ", " : "", item);
  if (wanted > 0 && (size_t)wanted < room) {
    text->length += (size_t)wanted;
  } else {
    text->data[text->length] = '\0';
  }
}

const char *kvf_status_name(kvf_status status) {
  static const char *const names[] = {
      [KVF_OK] = "KVF_OK",
      [KVF_INVALID_TYPE] = "KVF_INVALID_TYPE",
      [KVF_INVALID_VALUE] = "KVF_INVALID_VALUE",
      [KVF_OUT_OF_RANGE] = "KVF_OUT_OF_RANGE",
      [KVF_UNSUPPORTED] = "KVF_UNSUPPORTED",
      [KVF_NOT_BUILT] = "KVF_NOT_BUILT",
      [KVF_NO_DEVICE] = "KVF_NO_DEVICE",
      [KVF_CUDA_ERROR] = "KVF_CUDA_ERROR",
      [KVF_OUT_OF_MEMORY] = "KVF_OUT_OF_MEMORY",
  };
  const size_t position = (size_t)status;
  return position < sizeof names / sizeof *names ? names[position] : "KVF_?";
}
