/* Setting the calling thread's last error. */
#ifndef KVFORGE_ERROR_H
#define KVFORGE_ERROR_H

#include <stdarg.h>

#include "kvforge/kvforge.h"

/*
 * For small variables that each thread has. The other models of a library that is opened at run
 * time allocate at a thread's first use, and end the process when they cannot.
 */
#define KVF_PER_THREAD _Thread_local __attribute__((tls_model("initial-exec")))

/* Formats the sentence and returns `status`. */
__attribute__((format(printf, 2, 3))) kvf_status kvf_error(kvf_status status, const char *format,
                                                           ...);

/* Adds to the last error, which an earlier part of the call has set, what of the call was done all
 * the same, and returns its `status`. Of a call that is prepared nothing was. */
__attribute__((format(printf, 2, 3))) kvf_status kvf_error_add(kvf_status status,
                                                               const char *format, ...);
kvf_status kvf_error_v(kvf_status status, const char *prefix, const char *format,
                       va_list arguments);

/* Whether two names are the same: most that are not differ in their first letters, and few letters
 * are sooner compared than strcmp() is called. */
static inline bool kvf_same_name(const char *a, const char *b) {
  for (; *a == *b && *a != '\0'; ++a, ++b) {
  }
  return *a == *b;
}

/*
 * A growing list inside a sentence: appends ", item" (or "item" when the text is still empty),
 * dropping what no longer fits.
 */
typedef struct kvf_text {
  char data[1536];
  size_t length;
} kvf_text;
void kvf_text_add(kvf_text *text, const char *item);

#endif
