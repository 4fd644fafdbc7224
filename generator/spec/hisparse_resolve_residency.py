"""hisparse_resolve_residency: decides which rows of a host pool a device is to hold."""

from generator.model import Field, Op
from generator.spec.shared.hot_rows import AXES, HOT_CACHE

PLAN = "[num_rows, num_columns], int32, any strides"
TABLE = "int32, any strides"

OP = Op(
    namespace="_C_cache_ops",
    headers="kvforge/cache",
    schema_text=(
        "hisparse_resolve_residency(Tensor host_cache, Tensor! hot_cache, Tensor hot_block_table, "
        "Tensor global_indices, Tensor! hot_indices, Tensor! device_global_indices, "
        "Tensor! lru_slots, Tensor? request_state_indices, int region_stride, int max_union_rows, "
        "Tensor(a!)? miss_mask=None, Tensor(b!)? stats=None, Tensor(c!)? attention_indices=None, "
        "int attention_block_stride=0, Tensor? request_ids=None, Tensor? source_block_table=None, "
        "int source_block_size=0, Tensor(d!)? resolved_global_indices=None, "
        "Tensor(e!)? valid_counts=None, Tensor(f!)? swap_host_physical_rows=None, "
        "Tensor(g!)? swap_device_physical_rows=None, Tensor(h!)? swap_counts=None, "
        "Tensor? resident_block_table=None, int resident_block_size=0, "
        "int resident_null_block=0) -> ()"
    ),
    summary="finds rows of a host pool among a request's hot slots, and slots for those that are not.",
    doc="""\
A request has hot_size slots on the device. Slot k of request q is row
hot_block_table[q, k div block_size] * block_size + k mod block_size of hot_cache: its place. State s of
the request holds, in device_global_indices[s, k], which row of the pool slot k has (-1: none), and in
lru_slots[s, :] the slots from the one that was not used for longest to the latest; both begin as -1 and
as 0, 1, 2, ... The call decides and moves no rows: hisparse_gather_plan and hisparse_gather_compact do.

Rows of global_indices that follow each other and are of one request q = request_ids[row] (or the row
itself) make a run, which is resolved as one; s = request_state_indices[q], or q. A run with a q outside
[0, elements of request_state_indices) or a negative s is padding: -1 in hot_indices, attention_indices
and resolved_global_indices, 0 in miss_mask, valid_counts and swap_counts. For every other run:
 1. A reference p = global_indices[row, column] is to row g of the pool: p, or with a
    source_block_table source_block_table[q, p div source_block_size] * source_block_size +
    p mod source_block_size if p is not negative, the table has that entry and it is above 0.
    A g that the pool does not have is none. The row is resident if
    resident_block_table[s, p div block_size] is there, is a page of hot_cache and not
    resident_null_block: it lies at p mod block_size of that page, whatever g is.
 2. The union is every g of a reference that is not resident. Without any, the state stays.
 3. A slot is a hit if the row of the pool that it has is in the union. All others can be
    evicted.
 4. In the order of references, the first one to a g of the union that no slot has is a miss:
    miss m takes the m-th oldest slot that can be evicted, and device_global_indices has g for
    it. Entry m of the run's list, which runs on from row to row, is
    swap_host_physical_rows = g and swap_device_physical_rows = the place of the slot;
    swap_counts has how many entries are in a row.
 5. hot_indices is the place of the slot of g, or the resident row, or -1. attention_indices
    is the same as (place div block_size) * attention_block_stride + place mod block_size.
    miss_mask is 1 for the misses, else 0. resolved_global_indices is g or -1; valid_counts is
    how many references of a row have a g or are resident. Of stats the first grows by the
    references that got the place of a slot and are no misses, the second by the misses.
 6. lru_slots becomes the slots that could be evicted and were not, in their old order, those
    that were filled, in the order of misses, and the hits, in their old order and not that of
    their use.

Where a reference that needs a slot cannot have one, its hot_indices and attention_indices are -1,
its miss_mask is 0, and a CUDA device counts a fault: for a g that is not among the first max_union_rows
distinct ones, in the order of references, which are all of the union then; for a slot that lies in a
page which hot_cache does not have, or a number in lru_slots that is no slot (device_global_indices stays
and swap_device_physical_rows is -1 then); and for the references of a run whose state an earlier run has
used. On the CPU such a run, and a page of hot_block_table out of range, are errors. A state of
num_states and more, or a request that hot_block_table does not have, is padding and a fault of each row
on CUDA, and an error on the CPU. lru_slots has to have every slot once, and no two slots the same row: of
others the slot with the lowest number is taken.

All of a run is the work of one thread block, whose shared memory holds the union: about
9 * max_union_rows + 2 * hot_size + 6 KiB bytes. No columns: the counts become 0. No rows are a
successful no-op.

Errors: KVF_INVALID_VALUE for numbers that do not fit together, for some of the swap tensors without the
others, and for a state that two runs use (CPU); KVF_OUT_OF_RANGE for pages, states and requests (CPU);
KVF_UNSUPPORTED where a device has too little shared memory.
Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and strides, without
its requirement that the references of a row are distinct, and with its unchecked indices checked.""",
    arguments={
        "host_cache": (
            "[num_host_rows, ...], any dtype, rows without gaps, any row stride; in host memory. "
            "Not read"
        ),
        "hot_cache": f"{HOT_CACHE}. Not written",
        "hot_block_table": (
            f"[>= num_rows, >= ceil(hot_size / block_size)], {TABLE}: pages of a request's slots; with "
            "request_ids as many rows as there are requests"
        ),
        "global_indices": (
            f"{PLAN}: positions of a request, or without source_block_table rows of the pool; negative "
            "for none. At most hot_size columns"
        ),
        "hot_indices": f"{PLAN}: rows of hot_cache",
        "device_global_indices": "[num_states, hot_size], int32, any strides: rows of the pool",
        "lru_slots": "[num_states, hot_size], int16, any strides: slots, the oldest first",
        "request_state_indices": (
            "[num_requests], int32, any stride: the state of each request; None: its own number, and "
            "num_states is num_rows or more"
        ),
        "region_stride": "hot_size, which is at most 32768",
        "max_union_rows": "distinct rows of the pool that a run may refer to, 1 to hot_size",
        "miss_mask": f"{PLAN}; None: not wanted",
        "stats": "[2], uint64, any stride: hits and misses, which grow; None: not wanted",
        "attention_indices": f"{PLAN}; None: not wanted",
        "attention_block_stride": (
            "rows from a page to the next, as attention counts them: block_size or more"
        ),
        "request_ids": (
            "[>= num_rows], int32, any stride: the request of each row; goes with source_block_table. "
            "None: the row"
        ),
        "source_block_table": (
            f"[num_requests, width], {TABLE}: pages of the pool; goes with request_ids. None: "
            "global_indices are rows of the pool"
        ),
        "source_block_size": "rows of the pool in a page of source_block_table; not looked at without",
        "resolved_global_indices": f"{PLAN}: rows of the pool; None: not wanted",
        "valid_counts": "[num_rows], int32, any stride; None: not wanted",
        "swap_host_physical_rows": f"{PLAN}: rows of the pool; None: not wanted",
        "swap_device_physical_rows": (
            f"{PLAN}: rows of hot_cache; goes with swap_host_physical_rows"
        ),
        "swap_counts": (
            "[>= num_rows], int32, any stride: entries; goes with swap_host_physical_rows"
        ),
        "resident_block_table": (
            f"[num_resident_states, width], {TABLE}: pages of hot_cache that hold pages of a request "
            "whole, by its state; goes with source_block_table, which is there without it too"
        ),
        "resident_block_size": "block_size; not looked at without resident_block_table",
        "resident_null_block": "the page that stands for none, 0 or more",
    },
    params=(
        Field("kvf_references", "references", "what is referred to, by whom"),
        Field("kvf_view", "hot_indices", "int32; stride[0..1]: row, column"),
        Field("kvf_view", "device_global_indices", "int32; stride[0..1]: state, slot"),
        Field("kvf_view", "lru_slots", "int16; stride[0..1]: state, place in the order"),
        Field("kvf_view", "miss_mask", "as hot_indices; data NULL for none"),
        Field("kvf_view", "stats", "uint64; stride[0]: hits, misses; data NULL for none"),
        Field("kvf_view", "attention_indices", "as hot_indices; data NULL for none"),
        Field("kvf_view", "resolved_global_indices", "as hot_indices; data NULL for none"),
        Field("kvf_view", "valid_counts", "int32; stride[0]: row; data NULL for none"),
        Field("kvf_view", "swap_host_physical_rows", "as hot_indices; data NULL for none"),
        Field("kvf_view", "swap_device_physical_rows", "as hot_indices; data NULL for none"),
        Field("kvf_view", "swap_counts", "int32; stride[0]: row; data NULL for none"),
        Field("int64_t", "attention_block_stride", "rows from a page to the next"),
        Field("int64_t", "max_union_rows", "distinct rows of the pool in a run"),
        Field("kvf_divider", "by_num_columns", "splits an entry of the list", True),
        Field("int32_t", "cells", "of the table of the union", True),
        Field("unsigned long long *", "faults", "CUDA: counts references without a place", True),
    ),
    axes=AXES,
    elsewhere={"vLLM": "hisparse_resolve_residency"},
)
