/*
 * Generated from templates/table/params.h.j2 and generator/spec/. Do not edit.
 * Regenerate: python3 -m generator
 */
/* The params structs of all ops. */
#ifndef KVFORGE_PARAMS_H
#define KVFORGE_PARAMS_H

#include "kvforge/params/reshape_and_cache.h"
#include "kvforge/params/reshape_and_cache_flash.h"

#endif
