"""The faults that the suites must find: one thing wrong in a template or in the runtime each.

A fault is a few lines of a file and what stands in their place. `old` must occur in the file exactly
once; a list that has not followed a change fails with the fault's name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """One thing wrong."""

    name: str
    file: str
    old: str
    new: str
    suites: tuple[str, ...]  # of kvf_tests; one of them must fail
    backend: str = "cpu"  # cuda: in the emulated driver


FLASH = ("reshape_and_cache_flash",)
KERNELS = "runtime/include/kvforge"

FAULTS = (
    # ---- bounds
    Fault(
        "a slot one behind the last page is taken",
        "runtime/ops/shared/slots.c",
        "(slots->remap == NULL && slot < capacity)) {",
        "(slots->remap == NULL && slot <= capacity)) {",
        FLASH,
    ),
    Fault(
        "a CUDA slot one page behind the last is taken",
        f"{KERNELS}/cache/cuda_kernel.cuh",
        "there = there && *block < slots.num_blocks;",
        "there = there && *block <= slots.num_blocks;",
        FLASH,
        "cuda",
    ),
    Fault(
        "a slot one behind the end of a remap is taken",
        f"{KERNELS}/cache/cuda_kernel.cuh",
        "there = slot < slots.remap_size;",
        "there = slot <= slots.remap_size;",
        ("indices",),
        "cuda",
    ),
    Fault(
        "a slot that a remap leads to nowhere is taken for one of the mapping",
        f"{KERNELS}/cache/cpu_kernel.h",
        "if (slots->remap != NULL && slot >= 0) {",
        "if (slots->remap != NULL && slot > 1) {",
        ("indices",),
    ),
    Fault(
        "threads behind the last token look for its slot",
        "templates/shared/flash_cuda.j2",
        "if (token >= p.slots.num_tokens) {",
        "if (token > p.slots.num_tokens) {",
        FLASH,
        "cuda",
    ),
    Fault(
        "the last part of a page is copied to its full length",
        "templates/shared/pages.j2",
        "last < pages->page_bytes ? last : pages->page_bytes, pages->streaming",
        "last, pages->streaming",
        ("copy_blocks",),
    ),
    Fault(
        "a virtual row one behind the maps is looked for in them",
        "runtime/ops/cp_gather_and_upconvert_fp8_kv_cache.c",
        "  if (number >= params->num_virtual_rows) {",
        "  if (number > params->num_virtual_rows) {",
        ("cp_gather_and_upconvert_fp8_kv_cache",),
    ),
    Fault(
        "a row that is nowhere keeps what dst held",
        "templates/cuda/cp_gather_and_upconvert_fp8_kv_cache.cu.j2",
        "  if (counts && (found || block < 0)) {",
        "  if (counts && found) {",
        ("cp_gather_and_upconvert_fp8_kv_cache",),
        "cuda",
    ),
    Fault(
        "the position of a token that is skipped is looked at",
        "runtime/ops/concat_and_cache_mla_rope_fused.c",
        "    if (!params->rotate_skipped &&",
        "    if (params->rotate_skipped &&",
        ("concat_and_cache_mla_rope_fused",),
    ),
    Fault(
        "a table may lack a sequence's last page",
        "runtime/ops/shared/block_table.c",
        "    if (last >= table->width) {",
        "    if (last > table->width) {",
        ("cp_gather_cache",),
    ),
    Fault(
        "page 0 is skipped as if its number were negative",
        "templates/cpu/zero_blocks.c.j2",
        "    if (block >= 0 && block < pages->num_blocks) {",
        "    if (block > 0 && block < pages->num_blocks) {",
        ("zero_blocks",),
    ),
    Fault(
        "rows of a missing page keep what they held",
        "templates/cuda/gather_kv_cache.cu.j2",
        "        place = ZEROS;",
        "        place = NOWHERE;",
        ("gather_kv_cache",),
        "cuda",
    ),
    Fault(
        "an element of two has its neighbour's tokens on CUDA",
        "templates/shared/patches_cuda.j2",
        "elements[j + 1][i / 2], 0x5410",
        "elements[j][i / 2], 0x5410",
        ("gather_kv_cache",),
        "cuda",
    ),
    Fault(
        "a patch of tokens is read from the first that is wanted on",
        "templates/shared/patches_cuda.j2",
        "places[row] - skipped * s.cache.stride[1]",
        "places[row]",
        ("gather_kv_cache",),
        "cuda",
    ),
    Fault(
        "values of a group of tokens lie where those of a page would",
        "templates/cpu/gather_kv_cache.c.j2",
        "  if (s->tokens == 0) {",
        "  if (s->tokens >= 0) {",
        ("gather_kv_cache",),
    ),
    # ---- strides and places
    Fault(
        "elements of a cached head lie side by side",
        "templates/shared/flash_cpu.j2",
        "p->{{ name }}_cache.stride[2], p->{{ name }}_cache.stride[3],",
        "p->{{ name }}_cache.stride[2], 1,",
        FLASH,
    ),
    Fault(
        "values lie as keys do",
        "templates/shared/flash_cpu.j2",
        "    block * p->{{ name }}_cache.stride[0] + offset * p->{{ name }}_cache.stride[1];",
        "    block * p->key_cache.stride[0] + offset * p->{{ name }}_cache.stride[1];",
        FLASH,
    ),
    Fault(
        "heads are joined although values have gaps",
        "runtime/ops/shared/writer.c",
        "      kvf_is_product(value_cache->stride[2], value_size, value_cache->stride[3])) {",
        "      value_cache->stride[3] == 1) {",
        FLASH,
    ),
    Fault(
        "a divider is half of what it should be",
        "runtime/core/launch.c",
        "(unsigned __int128)1 << (63 + shift);",
        "(unsigned __int128)1 << (62 + shift);",
        FLASH,
    ),
    Fault(
        "elements that lie apart are moved as a vector",
        "runtime/core/launch.c",
        "    } else if (stride != 1) {",
        "    } else if (stride < 1) {",
        FLASH,
        "cuda",
    ),
    Fault(
        "vectors need no alignment",
        "runtime/core/launch.c",
        "  return (rest & (uint64_t)(vector_bytes - 1)) == 0;",
        "  return (rest & (uint64_t)(vector_bytes - 1)) <= rest;",
        FLASH,
        "cuda",
    ),
    # ---- numbers
    Fault(
        "fp8 saturates one code too late",
        f"{KERNELS}/fp8.h",
        "magnitude < 0x43E00000u ? magnitude : 0x43E00000u; /* 448 */",
        "magnitude < 0x43F00000u ? magnitude : 0x43F00000u; /* 480 */",
        ("codec",),
    ),
    Fault(
        "ties of E4M3 are rounded away from even",
        f"{KERNELS}/fp8.h",
        "  const uint32_t magic = scale + (20u << 23) + (-(121u << 3) & 0xFFu);",
        "  const uint32_t magic = scale + (20u << 23) + (-(121u << 3) & 0xFFu) + 1u;",
        ("codec",),
    ),
    Fault(
        "an infinity is stored as a NaN",
        f"{KERNELS}/fp8.h",
        "(scale >> 20);\n  return magnitude > 0x7F800000u ? 0x7Fu",
        "(scale >> 20);\n  return magnitude >= 0x7F800000u ? 0x7Fu",
        ("codec",),
    ),
    Fault(
        "a quotient goes without its remainder",
        f"{KERNELS}/quotient.h",
        "< 65536.0f ? better : q;",
        "< 0.0f ? better : q;",
        ("quotient",),
    ),
    Fault(
        "the sign of a remainder is not turned, and zeros lose theirs",
        f"{KERNELS}/quotient.h",
        "__builtin_fmaf(__builtin_fmaf(q, by.scale, -x), -by.inverse, q)",
        "__builtin_fmaf(__builtin_fmaf(-q, by.scale, x), by.inverse, q)",
        ("quotient",),
    ),
    Fault(
        "what is stored is multiplied by the scale",
        "templates/shared/flash_cpu.j2",
        '{% macro write_head(variant, quantise="/ scale") -%}',
        '{% macro write_head(variant, quantise="* scale") -%}',
        FLASH,
    ),
    Fault(
        "one scale is read as one for each head",
        "runtime/ops/shared/scale.c",
        "  if (tensor->ndim == 0 || size.value == 1) {",
        "  if (tensor->ndim == 0) {",
        FLASH,
    ),
    # ---- masks and ends of loops
    Fault(
        "positions behind a sequence's end have a weight",
        "templates/cpu/paged_attention_decode.c.j2",
        "    scores[i] = KVF_NO_SCORE;",
        "    scores[i] = 0.0f;",
        ("paged_attention_decode",),
    ),
    Fault(
        "a window is one position short",
        "templates/cpu/paged_attention_decode.c.j2",
        "windowed ? length - p->sliding_window : 0;",
        "windowed ? length - p->sliding_window + 1 : 0;",
        ("paged_attention_decode",),
    ),
    Fault(
        "of several splits only the last one's weights count",
        "templates/cpu/paged_attention_decode.c.j2",
        "    now->total[0] += factor * row[total_at];",
        "    now->total[0] = factor * row[total_at];",
        ("paged_attention_decode",),
    ),
    Fault(
        "the last vector of a token is left out",
        "templates/shared/flash_cuda.j2",
        "blockIdx.y * blockDim.x + threadIdx.x; i < vectors; i +=",
        "blockIdx.y * blockDim.x + threadIdx.x; i + 1 < vectors; i +=",
        FLASH,
        "cuda",
    ),
    Fault(
        "a pair is copied beside the one that it waits for",
        "templates/shared/pages.j2",
        "end < count && conflicts[end] < start + begin; ++end",
        "end < count && conflicts[end] <= start + begin; ++end",
        ("copy_blocks",),
        "cuda",
    ),
    Fault(
        "pairs of one target are copied side by side",
        "templates/shared/pages.j2",
        "meet = meet || other != EMPTY;",
        "meet = meet || other > 64;",
        ("copy_blocks",),
        "cuda",
    ),
    Fault(
        "a pair is copied beside the one whose target it reads",
        "templates/shared/pages.j2",
        "meet = meet || pairs.targets[pairs.table[place]] == source;",
        "meet = meet || pairs.targets[place] == source;",
        ("copy_blocks",),
        "cuda",
    ),
    # ---- roundings
    Fault(
        "a norm is not rounded where separate ops round it",
        "templates/cpu/rope_and_cache_flash.c.j2",
        "p->rounding == KVF_ROUND_UNFUSED);",
        "p->rounding == KVF_ROUND_ONCE);",
        ("rope_and_cache_flash",),
    ),
    Fault(
        "the squares of a lane's chunks are those of what it rotates",
        "templates/cuda/rope_and_cache_flash.cu.j2",
        "load(what.from + lane * WIDE, low);",
        "load(what.from + part.first * WIDE, low);",
        ("rope_and_cache_flash",),
        "cuda",
    ),
    # ---- counters
    Fault(
        "a bad slot is counted by every thread",
        "templates/shared/flash_cuda.j2",
        '{{ own_token() }}\n{{ locate("threadIdx.x == 0 && blockIdx.y == 0") }}',
        '{{ own_token() }}\n{{ locate("threadIdx.x < 2 && blockIdx.y == 0") }}',
        FLASH,
        "cuda",
    ),
    Fault(
        "the devices share one fault counter",
        "runtime/core/cuda.c",
        "(memory + (size_t)device * CACHE_LINE)",
        "(memory + (size_t)device / MAX_DEVICES)",
        ("cuda",),
        "cuda",
    ),
    # ---- threads
    Fault(
        "the last chunk of work is as long as the others",
        "runtime/core/parallel.c",
        "whole ? begin + job->chunk : job->units);",
        "whole || begin > 0 ? begin + job->chunk : job->units);",
        ("threads",),
    ),
    Fault(
        "a thread leaves the last chunk of its range",
        "runtime/core/parallel.c",
        "    job->ranges[i].end = chunks * (i + 1) / job->num_ranges;",
        "    job->ranges[i].end = chunks * (i + 1) / job->num_ranges - (i > 0);",
        ("threads",),
    ),
    # ---- dispatch, registry, errors, contexts
    Fault(
        "the last axis of a call does not count",
        "runtime/core/dispatch.c",
        "    cell += offset;",
        "    cell += i + 1 < count ? offset : 0;",
        ("dispatch",),
    ),
    Fault(
        "a boxed call may bring one argument too many",
        "runtime/core/dispatch.c",
        "count > op->num_arguments ||",
        "count > op->num_arguments + 1 ||",
        ("dispatch",),
    ),
    Fault(
        "an op that is refused takes those before it along",
        "runtime/core/registry.c",
        "    added[after++] = ops[i]; /* nobody reads it before the count says so */",
        "    added[after++] = ops[i];\n    atomic_store_explicit(&num_added, after, memory_order_release);",
        ("module",),
    ),
    Fault(
        "code may be replaced by other code",
        "runtime/core/module.c",
        "  return before == function ? KVF_OK : refuse_second(__func__, variant);",
        "  return KVF_OK;",
        ("module",),
    ),
    Fault(
        "the last sign of a rotation is another one",
        f"{KERNELS}/cache/rotation.h",
        "0x75625346",
        "0xF5625346",
        ("reshape_and_cache_flash_per_token_head",),
    ),
    Fault(
        "a NaN has a share in the range of int4 codes",
        f"{KERNELS}/cache/int4.h",
        "(int32_t)bits > 0x7F800000 ||",
        "(int32_t)bits > 0x7FFFFFFE ||",
        ("reshape_and_cache_flash_per_token_head",),
    ),
    Fault(
        "halves of q8_0 are rounded towards 0",
        f"{KERNELS}/cache/ggml.h",
        "whole + (rest >= 0.5f)",
        "whole + (rest > 0.5f)",
        ("reshape_and_cache_flash_ggml",),
    ),
    Fault(
        "a page of no rows of the pool is taken for its first",
        f"{KERNELS}/cache/residency.h",
        "block > 0 ? block * of->source_block_size",
        "block >= 0 ? block * of->source_block_size",
        ("hisparse_resolve_residency",),
    ),
    Fault(
        "the last stripe of a digest has the secret of the others",
        "templates/cpu/kv_checksum.c.j2",
        "secret + KVF_XXH3_LAST_SECRET);",
        "secret + 8 * (KVF_XXH3_STRIPES - 1));",
        ("kv_checksum",),
    ),
    Fault(
        "accumulators are scrambled behind the last block too",
        "templates/cuda/kv_checksum.cu.j2",
        "      if (!last) {",
        "      if (true) {",
        ("kv_checksum",),
        "cuda",
    ),
    Fault(
        "units that differ are not counted where they follow one that does",
        "templates/cpu/kv_checksum.c.j2",
        "mismatches += ((const uint64_t *)p->expected.data)",
        "mismatches = ((const uint64_t *)p->expected.data)",
        ("kv_checksum",),
    ),
    Fault(
        "entries of a list are counted below none",
        "templates/shared/residency.j2",
        "return rest < 0 ? 0 : rest",
        "return rest",
        ("hisparse_resolve_residency",),
    ),
    Fault(
        "a slot that is filled keeps its former row",
        "templates/cpu/hisparse_resolve_residency.c.j2",
        "  put(&p->device_global_indices, of->state, slot, host);\n",
        "",
        ("hisparse_resolve_residency",),
    ),
    Fault(
        "the union of a run has one row more than it may",
        "templates/cuda/hisparse_resolve_residency.cu.j2",
        "to->size + before < most ? KVF_NO_SLOT",
        "to->size + before <= most ? KVF_NO_SLOT",
        ("hisparse_resolve_residency",),
        "cuda",
    ),
    Fault(
        "slots that stay lose their place in the order",
        "templates/cuda/hisparse_resolve_residency.cu.j2",
        "i < stay ? misses + i",
        "i < stay ? i",
        ("hisparse_resolve_residency",),
        "cuda",
    ),
    Fault(
        "a state is used by two runs",
        "templates/cuda/hisparse_resolve_residency.cu.j2",
        "  return __syncthreads_or(used) != 0;",
        "  return __syncthreads_or(used) > 1;",
        ("hisparse_resolve_residency",),
        "cuda",
    ),
    Fault(
        "a claim is looked at before all have claimed",
        "templates/cuda/hisparse_resolve_residency.cu.j2",
        "      __syncthreads();\n      const bool is_first = is_missing",
        "      const bool is_first = is_missing",
        ("hisparse_resolve_residency",),
        "cuda",
    ),
    Fault(
        "more shared memory than every device has is not asked for",
        "runtime/core/cuda.c",
        "  if (grid->shared_bytes <= KVF_SHARED_BYTES) {",
        "  if (grid->shared_bytes <= 8 * KVF_SHARED_BYTES) {",
        ("hisparse_resolve_residency",),
        "cuda",
    ),
    Fault(
        "threads share the last error",
        "runtime/core/error.c",
        "  return have_sentences ? pthread_getspecific(sentences) : NULL;",
        "  static char *kept;\n  if (kept == NULL && have_sentences) {\n"
        "    kept = pthread_getspecific(sentences);\n  }\n  return kept;",
        ("dispatch",),
    ),
    Fault(
        "a NULL address is taken",
        "runtime/core/check.c",
        "  if (view->data == NULL) {",
        "  if (view->data == NULL && rank > 5) {",
        FLASH,
    ),
    Fault(
        "the caller's context is not restored",
        "runtime/core/cuda.c",
        "  if (!pushed || driver->context_pop(&context) == CUDA_OK) {",
        "  if (!pushed || driver->context_current(&context) == CUDA_OK) {",
        ("cuda",),
        "cuda",
    ),
)
