/* XXH3 of 64 bits, bit by bit as its formulas have it: the oracle of kv_checksum. */
#ifndef KVF_TESTS_XXH3_H
#define KVF_TESTS_XXH3_H

#include <stdint.h>

/* Of a multiple of 1024 bytes, with seed 0 and the default secret. */
uint64_t oracle_xxh3(const uint8_t *from, int64_t bytes);

#endif
