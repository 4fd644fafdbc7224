/*
 * Generated from templates/table/op.h.j2 and generator/spec/kv_checksum.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_OPS_KV_CHECKSUM_H
#define KVFORGE_OPS_KV_CHECKSUM_H

#include "kvforge/kvforge.h"
#include "kvforge/params/kv_checksum.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * _C_cache_ops::kv_checksum: makes the XXH3 digests of a wire buffer, and compares them with those
 * expected.
 *
 * Unit u is bytes [u * unit_bytes, (u + 1) * unit_bytes) of wire, the last one what is left:
 *   sums[u] = XXH3_64bits(unit u), with seed 0 and the default secret, as the 64 bits of an int64
 * With expected and mismatches, mismatches[0] grows by the number of units with sums[u] !=
 * expected[u], so the caller sets it to 0 before: what it then counts is not what its sender made.
 * An empty wire is a successful no-op.
 *
 * On CUDA nothing is allocated or waited for, and the call can be captured in a graph.
 *
 * Errors: KVF_INVALID_VALUE for sizes that are no multiple of 1024, for a wire whose address is not
 * one of 16 or whose bytes do not lie one behind another, and for expected without mismatches or
 * the other way round.
 * Source of the rule: XXH3 of xxHash, whose output is fixed since its version 0.8.0; of its paths
 * the one for more than 240 bytes, since a unit is a multiple of 1024.
 * Elsewhere: xxHash XXH3_64bits.
 *
 * Arguments:
 *   wire (Tensor): [1024 * num_kibibytes], uint8, stride 1, its address a multiple of 16
 *   unit_bytes (int): bytes of a unit, a multiple of 1024; 16384 is usual: 8 bytes for 16 KiB
 *   sums (Tensor!): [ceil(1024 * num_kibibytes / unit_bytes)], int64, any stride
 *   expected (Tensor?): as sums, not the same memory
 *   mismatches (Tensor!?): [1], int32; goes with expected
 */
KVF_API kvf_status kvf_kv_checksum(const kvf_exec *exec, const DLTensor *wire, int64_t unit_bytes,
                                   DLTensor *sums, const DLTensor *expected, DLTensor *mismatches);
KVF_API kvf_status kvf_launch_kv_checksum(const kvf_exec *exec, const kvf_variant *variant,
                                          const kvf_kv_checksum_params *params);

/* The op's row set in the dispatch table, for kvf_select() without a lookup by name. */
KVF_API extern const kvf_op kvf_op_kv_checksum;

#ifdef __cplusplus
}
#endif

#endif
