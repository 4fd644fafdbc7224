/*
 * Cases for the ops that convert tokens on their way: every pair of dtypes that kv_pack, kv_unpack
 * and kv_relayout know, compared with the oracle, every byte.
 */
#ifndef KVF_TESTS_CONVERSIONS_H
#define KVF_TESTS_CONVERSIONS_H

enum { CONVERT_PACK, CONVERT_UNPACK, CONVERT_RELAYOUT };

void conversions_test_pairs(int op);

/* The kernels of kv_pack and kv_unpack share their rows out in the same way. */
void conversions_test_many_rows(void);

/* What a raw launch that converts refuses. */
void conversions_test_bad_params(int op);

#endif
