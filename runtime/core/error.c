#include "core/error.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/prepared.h"

enum { ROOM = 2048, CACHE_LINE = 64 };

static pthread_key_t sentences; /* a thread's is made by its first error, and freed when it ends */
static bool have_sentences;
static KVF_PER_THREAD bool no_memory; /* for the latest sentence */

static void make_key(void) { have_sentences = pthread_key_create(&sentences, free) == 0; }

/* NULL before the first error. */
static char *own_sentence(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  (void)pthread_once(&once, make_key);
  return have_sentences ? pthread_getspecific(sentences) : NULL;
}

static char *make_sentence(void) {
  char *fresh = have_sentences ? aligned_alloc(CACHE_LINE, ROOM) : NULL;
  if (fresh != NULL && pthread_setspecific(sentences, fresh) != 0) {
    free(fresh);
    fresh = NULL;
  }
  return fresh;
}

const char *kvf_last_error(void) {
  const char *sentence = own_sentence();
  return no_memory          ? "kvforge: there is no memory for the sentence about this error"
         : sentence != NULL ? sentence
                            : "";
}

kvf_status kvf_error_v(kvf_status status, const char *prefix, const char *format,
                       va_list arguments) {
  /* Formatted aside: an argument may be the previous message itself. */
  char sentence[ROOM];
  const int used = snprintf(sentence, sizeof sentence, "%s", prefix);
  if (used >= 0 && (size_t)used < sizeof sentence) {
    (void)vsnprintf(sentence + used, sizeof sentence - (size_t)used, format, arguments);
  }
  char *own = own_sentence();
  own = own != NULL ? own : make_sentence();
  no_memory = own == NULL;
  if (own != NULL) {
    memcpy(own, sentence, sizeof sentence);
  }
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
  if (kvf_preparing != NULL) {
    return status;
  }
  va_list arguments;
  va_start(arguments, format);
  kvf_error_v(status, kvf_last_error(), format, arguments);
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
