/* Tuned tables of the engine: what no op has alone. generated/registry.c defines them. */
#ifndef KVFORGE_TUNED_H
#define KVFORGE_TUNED_H

#include "kvforge/op.h"

typedef struct kvf_engine_table {
  const char *name;
  const kvf_tuned *tuned;
} kvf_engine_table;

extern const kvf_engine_table kvf_engine_tables[];
extern const int32_t kvf_engine_tables_count;

/* The positions of their constants. */
enum { KVF_THREAD_KIB, KVF_CHUNK_KIB, KVF_CHUNKS };
extern const kvf_tuned kvf_threads_tuned;

enum { KVF_STREAM_KIB };
extern const kvf_tuned kvf_streaming_tuned;

/* The constants of one of these tables for so many bytes, as kvf_tuned_values() has those of an op.
 */
const int32_t *kvf_engine_values(const kvf_tuned *table, int64_t bytes);

#endif
