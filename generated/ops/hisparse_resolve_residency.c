/*
 * Generated from templates/table/op.c.j2 and generator/spec/hisparse_resolve_residency.py. Do not
 * edit. Regenerate: python3 -m generator
 */
#include "kvforge/ops/hisparse_resolve_residency.h"

#include "kvforge/op.h"

/* Weak: a variant or isa level that was not built leaves a NULL. */
KVF_DECLARE_CPU_VARIANT(kvf_cpu_hisparse_resolve_residency__b8);
KVF_DECLARE_CUDA_IMAGE(kvf_cuda_hisparse_resolve_residency__b8);

static const kvf_variant variants[] = {
    KVF_CPU_ROW(kvf_op_hisparse_resolve_residency, KVF_AXES(KVF_B8),
                kvf_cpu_hisparse_resolve_residency__b8),
    KVF_CUDA_ROW(kvf_op_hisparse_resolve_residency, KVF_AXES(KVF_B8),
                 kvf_cuda_hisparse_resolve_residency__b8, 16, 4, 1),
};

/* the width dtype: value - KVF_B8 -> position * 1. */
static const int16_t width_offsets[] = {0};
static const int64_t width_values[] = {KVF_B8};

static const kvf_axis axes[] = {
    {.first = KVF_B8,
     .span = 1,
     .offsets = width_offsets,
     .below = -1,
     .above = -1,
     .name = "width",
     .kind = KVF_AXIS_DTYPE,
     .meaning = "the width dtype",
     .values = width_values,
     .num_values = 1},
};

/* [backend][width] -> the row that is most special for a call; -1: none serves it. */
static const int16_t cells[] = {
    0, /* cpu */
    1, /* cuda */
};

static const kvf_argument arguments[] = {
    {.name = "host_cache",
     .type = "Tensor",
     .doc = "[num_host_rows, ...], any dtype, rows without gaps, any row stride; in host memory. "
            "Not read",
     .kind = KVF_KIND_TENSOR},
    {.name = "hot_cache",
     .type = "Tensor!",
     .doc = "[num_blocks, block_size, ...], the dtype and row size of host_cache, rows without "
            "gaps, any page and row strides. Not written",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "hot_block_table",
     .type = "Tensor",
     .doc = "[>= num_rows, >= ceil(hot_size / block_size)], int32, any strides: pages of a "
            "request's slots; with request_ids as many rows as there are requests",
     .kind = KVF_KIND_TENSOR},
    {.name = "global_indices",
     .type = "Tensor",
     .doc = "[num_rows, num_columns], int32, any strides: positions of a request, or without "
            "source_block_table rows of the pool; negative for none. At most hot_size columns",
     .kind = KVF_KIND_TENSOR},
    {.name = "hot_indices",
     .type = "Tensor!",
     .doc = "[num_rows, num_columns], int32, any strides: rows of hot_cache",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "device_global_indices",
     .type = "Tensor!",
     .doc = "[num_states, hot_size], int32, any strides: rows of the pool",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "lru_slots",
     .type = "Tensor!",
     .doc = "[num_states, hot_size], int16, any strides: slots, the oldest first",
     .kind = KVF_KIND_TENSOR,
     .mutated = true},
    {.name = "request_state_indices",
     .type = "Tensor?",
     .doc = "[num_requests], int32, any stride: the state of each request; None: its own number, "
            "and num_states is num_rows or more",
     .kind = KVF_KIND_TENSOR,
     .optional = true},
    {.name = "region_stride",
     .type = "int",
     .doc = "hot_size, which is at most 32768",
     .kind = KVF_KIND_INT},
    {.name = "max_union_rows",
     .type = "int",
     .doc = "distinct rows of the pool that a run may refer to, 1 to hot_size",
     .kind = KVF_KIND_INT},
    {.name = "miss_mask",
     .type = "Tensor(a!)?",
     .doc = "[num_rows, num_columns], int32, any strides; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "stats",
     .type = "Tensor(b!)?",
     .doc = "[2], uint64, any stride: hits and misses, which grow; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "attention_indices",
     .type = "Tensor(c!)?",
     .doc = "[num_rows, num_columns], int32, any strides; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "attention_block_stride",
     .type = "int",
     .doc = "rows from a page to the next, as attention counts them: block_size or more",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "request_ids",
     .type = "Tensor?",
     .doc = "[>= num_rows], int32, any stride: the request of each row; goes with "
            "source_block_table. None: the row",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "source_block_table",
     .type = "Tensor?",
     .doc = "[num_requests, width], int32, any strides: pages of the pool; goes with request_ids. "
            "None: global_indices are rows of the pool",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "source_block_size",
     .type = "int",
     .doc = "rows of the pool in a page of source_block_table; not looked at without",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "resolved_global_indices",
     .type = "Tensor(d!)?",
     .doc = "[num_rows, num_columns], int32, any strides: rows of the pool; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "valid_counts",
     .type = "Tensor(e!)?",
     .doc = "[num_rows], int32, any stride; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "swap_host_physical_rows",
     .type = "Tensor(f!)?",
     .doc = "[num_rows, num_columns], int32, any strides: rows of the pool; None: not wanted",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "swap_device_physical_rows",
     .type = "Tensor(g!)?",
     .doc = "[num_rows, num_columns], int32, any strides: rows of hot_cache; goes with "
            "swap_host_physical_rows",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "swap_counts",
     .type = "Tensor(h!)?",
     .doc = "[>= num_rows], int32, any stride: entries; goes with swap_host_physical_rows",
     .kind = KVF_KIND_TENSOR,
     .mutated = true,
     .optional = true,
     .has_default = true},
    {.name = "resident_block_table",
     .type = "Tensor?",
     .doc = "[num_resident_states, width], int32, any strides: pages of hot_cache that hold pages "
            "of a request whole, by its state; goes with source_block_table, which is there "
            "without it too",
     .kind = KVF_KIND_TENSOR,
     .optional = true,
     .has_default = true},
    {.name = "resident_block_size",
     .type = "int",
     .doc = "block_size; not looked at without resident_block_table",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
    {.name = "resident_null_block",
     .type = "int",
     .doc = "the page that stands for none, 0 or more",
     .kind = KVF_KIND_INT,
     .has_default = true,
     .default_value = {.kind = KVF_KIND_INT, .as = {.integer = 0}}},
};

static kvf_status call(const kvf_exec *exec, const kvf_value *values) {
  return kvf_hisparse_resolve_residency(
      exec, values[0].as.tensor, (DLTensor *)values[1].as.tensor, values[2].as.tensor,
      values[3].as.tensor, (DLTensor *)values[4].as.tensor, (DLTensor *)values[5].as.tensor,
      (DLTensor *)values[6].as.tensor, values[7].as.tensor, values[8].as.integer,
      values[9].as.integer, (DLTensor *)values[10].as.tensor, (DLTensor *)values[11].as.tensor,
      (DLTensor *)values[12].as.tensor, values[13].as.integer, values[14].as.tensor,
      values[15].as.tensor, values[16].as.integer, (DLTensor *)values[17].as.tensor,
      (DLTensor *)values[18].as.tensor, (DLTensor *)values[19].as.tensor,
      (DLTensor *)values[20].as.tensor, (DLTensor *)values[21].as.tensor, values[22].as.tensor,
      values[23].as.integer, values[24].as.integer);
}

const kvf_op kvf_op_hisparse_resolve_residency = {
    .name = "hisparse_resolve_residency",
    .ns = "_C_cache_ops",
    .schema =
        "hisparse_resolve_residency(Tensor host_cache, Tensor! hot_cache, Tensor hot_block_table, "
        "Tensor global_indices, Tensor! hot_indices, Tensor! device_global_indices, Tensor! "
        "lru_slots, Tensor? request_state_indices, int region_stride, int max_union_rows, "
        "Tensor(a!)? miss_mask=None, Tensor(b!)? stats=None, Tensor(c!)? attention_indices=None, "
        "int attention_block_stride=0, Tensor? request_ids=None, Tensor? source_block_table=None, "
        "int source_block_size=0, Tensor(d!)? resolved_global_indices=None, Tensor(e!)? "
        "valid_counts=None, Tensor(f!)? swap_host_physical_rows=None, Tensor(g!)? "
        "swap_device_physical_rows=None, Tensor(h!)? swap_counts=None, Tensor? "
        "resident_block_table=None, int resident_block_size=0, int resident_null_block=0) -> ()",
    .doc =
        "finds rows of a host pool among a request's hot slots, and slots for those that are not.\n"
        "\n"
        "A request has hot_size slots on the device. Slot k of request q is row\n"
        "hot_block_table[q, k div block_size] * block_size + k mod block_size of hot_cache: its "
        "place. State s of\n"
        "the request holds, in device_global_indices[s, k], which row of the pool slot k has (-1: "
        "none), and in\n"
        "lru_slots[s, :] the slots from the one that was not used for longest to the latest; both "
        "begin as -1 and\n"
        "as 0, 1, 2, ... The call decides and moves no rows: hisparse_gather_plan and "
        "hisparse_gather_compact do.\n"
        "\n"
        "Rows of global_indices that follow each other and are of one request q = request_ids[row] "
        "(or the row\n"
        "itself) make a run, which is resolved as one; s = request_state_indices[q], or q. A run "
        "with a q outside\n"
        "[0, elements of request_state_indices) or a negative s is padding: -1 in hot_indices, "
        "attention_indices\n"
        "and resolved_global_indices, 0 in miss_mask, valid_counts and swap_counts. For every "
        "other run:\n"
        " 1. A reference p = global_indices[row, column] is to row g of the pool: p, or with a\n"
        "    source_block_table source_block_table[q, p div source_block_size] * source_block_size "
        "+\n"
        "    p mod source_block_size if p is not negative, the table has that entry and it is "
        "above 0.\n"
        "    A g that the pool does not have is none. The row is resident if\n"
        "    resident_block_table[s, p div block_size] is there, is a page of hot_cache and not\n"
        "    resident_null_block: it lies at p mod block_size of that page, whatever g is.\n"
        " 2. The union is every g of a reference that is not resident. Without any, the state "
        "stays.\n"
        " 3. A slot is a hit if the row of the pool that it has is in the union. All others can "
        "be\n"
        "    evicted.\n"
        " 4. In the order of references, the first one to a g of the union that no slot has is a "
        "miss:\n"
        "    miss m takes the m-th oldest slot that can be evicted, and device_global_indices has "
        "g for\n"
        "    it. Entry m of the run's list, which runs on from row to row, is\n"
        "    swap_host_physical_rows = g and swap_device_physical_rows = the place of the slot;\n"
        "    swap_counts has how many entries are in a row.\n"
        " 5. hot_indices is the place of the slot of g, or the resident row, or -1. "
        "attention_indices\n"
        "    is the same as (place div block_size) * attention_block_stride + place mod "
        "block_size.\n"
        "    miss_mask is 1 for the misses, else 0. resolved_global_indices is g or -1; "
        "valid_counts is\n"
        "    how many references of a row have a g or are resident. Of stats the first grows by "
        "the\n"
        "    references that got the place of a slot and are no misses, the second by the misses.\n"
        " 6. lru_slots becomes the slots that could be evicted and were not, in their old order, "
        "those\n"
        "    that were filled, in the order of misses, and the hits, in their old order and not "
        "that of\n"
        "    their use.\n"
        "\n"
        "Where a reference that needs a slot cannot have one, its hot_indices and "
        "attention_indices are -1,\n"
        "its miss_mask is 0, and a CUDA device counts a fault: for a g that is not among the first "
        "max_union_rows\n"
        "distinct ones, in the order of references, which are all of the union then; for a slot "
        "that lies in a\n"
        "page which hot_cache does not have, or a number in lru_slots that is no slot "
        "(device_global_indices stays\n"
        "and swap_device_physical_rows is -1 then); and for the references of a run whose state an "
        "earlier run has\n"
        "used. On the CPU such a run, and a page of hot_block_table out of range, are errors. A "
        "state of\n"
        "num_states and more, or a request that hot_block_table does not have, is padding and a "
        "fault of each row\n"
        "on CUDA, and an error on the CPU. lru_slots has to have every slot once, and no two slots "
        "the same row: of\n"
        "others the slot with the lowest number is taken.\n"
        "\n"
        "All of a run is the work of one thread block, whose shared memory holds the union: about\n"
        "9 * max_union_rows + 2 * hot_size + 6 KiB bytes. No columns: the counts become 0. No rows "
        "are a\n"
        "successful no-op.\n"
        "\n"
        "Errors: KVF_INVALID_VALUE for numbers that do not fit together, for some of the swap "
        "tensors without the\n"
        "others, and for a state that two runs use (CPU); KVF_OUT_OF_RANGE for pages, states and "
        "requests (CPU);\n"
        "KVF_UNSUPPORTED where a device has too little shared memory.\n"
        "Source of the rule: vLLM's op of the same name (0.31 and newer), with any row size and "
        "strides, without\n"
        "its requirement that the references of a row are distinct, and with its unchecked indices "
        "checked.\n"
        "Elsewhere: vLLM hisparse_resolve_residency.",
    .arguments = arguments,
    .num_arguments = 25,
    .variants = variants,
    .num_variants = 2,
    .axes = axes,
    .num_axes = 1,
    .cells = cells,
    .num_cells = 1,
    .call = call,
};
