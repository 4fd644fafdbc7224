/*
 * Generated from templates/table/registry.c.j2 and generator/spec/. Do not edit.
 * Regenerate: python3 -m generator
 */
#include "kvforge/kvforge.h"
#include "registry.h"

const kvf_op *const kvf_ops[] = {
    &kvf_op_reshape_and_cache,
    &kvf_op_reshape_and_cache_flash,
};

const int32_t kvf_ops_count = 2;
