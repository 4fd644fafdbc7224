#include <inttypes.h>
#include <stdio.h>

#include "core/error.h"
#include "ops/shared/arithmetic.h"
#include "ops/shared/copies.h"
#include "ops/shared/wire.h"

#define OP (&kvf_op_kv_relayout)

_Static_assert(sizeof(kvf_kv_relayout_params) <= 4096, "a kernel has 4 KB of parameters");

/* ---- typed calls
 * --------------------------------------------------------------------------------- */

/* Whether planes are the same on both sides: as many, of rows of as many bytes. */
static void check_planes(kvf_check *check, const kvf_cache_list *from, int64_t num_layers,
                         const kvf_cache_list *to) {
  if (check->status == KVF_OK && from->size != to->size) {
    kvf_check_fail(check, KVF_INVALID_VALUE, to->argument,
                   "has %" PRId64 " tensors, want %" PRId64 " as in %s", to->size, from->size,
                   from->argument);
  }
  for (int64_t i = 0; check->status == KVF_OK && i < from->size; i += num_layers) {
    const kvf_page_plane a = kvf_page_plane_of(from->tensors[i]);
    const kvf_page_plane b = kvf_page_plane_of(to->tensors[i]);
    if (a.elements != b.elements || a.element_bytes != b.element_bytes) {
      char name[64];
      (void)snprintf(name, sizeof name, "%s[%" PRId64 "]", to->argument, i);
      kvf_check_fail(check, KVF_INVALID_VALUE, name,
                     "a row has %" PRId64 " elements of %" PRId64 " bytes, want %" PRId64
                     " of %" PRId64 " as in %s",
                     b.elements, b.element_bytes, a.elements, a.element_bytes, from->argument);
    }
  }
}

static void check_apart(kvf_check *check, const kvf_cache_list *from, const kvf_cache_list *to,
                        const DLTensor *src_slots, const DLTensor *dst_slots) {
  const kvf_named slots[] = {{"src_slots", src_slots}, {"dst_slots", dst_slots}};
  for (int64_t i = 0; check->status == KVF_OK && i < to->size; ++i) {
    const kvf_named written = {to->argument, to->tensors[i]};
    kvf_check_apart(check, &written, 1, slots, 2);
    for (int64_t k = 0; check->status == KVF_OK && k < from->size; ++k) {
      kvf_check_apart(check, &written, 1, &(kvf_named){from->argument, from->tensors[k]}, 1);
    }
  }
}

/* Adds a plane's cells of layers [first, first + copy->num_layers). */
static void add_plane(kvf_page_copy *copy, const kvf_cache_list *from, const kvf_cache_list *to,
                      int64_t first) {
  const int32_t plane = copy->num_planes++;
  copy->from_pages[plane] = kvf_page_plane_of(from->tensors[first]);
  copy->to_pages[plane] = kvf_page_plane_of(to->tensors[first]);
  for (int32_t layer = 0; layer < copy->num_layers; ++layer) {
    const int32_t cell = plane * copy->num_layers + layer;
    copy->from_cells[cell] = kvf_cell_data(from->tensors[first + layer]);
    copy->to_cells[cell] = kvf_cell_data(to->tensors[first + layer]);
  }
}

/* Launches all cells, as many at a time as their addresses have room. */
static kvf_status launch_all(const kvf_check *check, const kvf_variant *variant,
                             const kvf_cell_dims *dims, const kvf_cache_list *from,
                             const kvf_cache_list *to, kvf_kv_relayout_params *params) {
  kvf_page_copy *copy = &params->copy;
  kvf_status status = KVF_OK;
  int64_t launched = 0;
  for (int64_t layer = 0; layer < dims->num_layers; layer += KVF_MAX_CELL_PAIRS) {
    const int64_t rest = dims->num_layers - layer;
    copy->num_layers = (int32_t)(rest < KVF_MAX_CELL_PAIRS ? rest : KVF_MAX_CELL_PAIRS);
    for (int64_t plane = 0; status == KVF_OK && plane < dims->num_planes; ++plane) {
      const int64_t first = plane * dims->num_layers + layer;
      if (from->tensors[first]->shape[3] > 0) {
        add_plane(copy, from, to, first);
      }
      const bool full = copy->num_planes == KVF_MAX_PLANES ||
                        (copy->num_planes + 1) * copy->num_layers > KVF_MAX_CELL_PAIRS;
      if (copy->num_planes > 0 && (full || plane + 1 == dims->num_planes)) {
        status = kvf_launch_kv_relayout(&check->exec, variant, params);
        if (status != KVF_OK && launched > 0) {
          status = kvf_error_add(status, "; enqueued: %" PRId64 " of %" PRId64 " tensors", launched,
                                 from->size);
        }
        launched += (int64_t)copy->num_planes * copy->num_layers;
        copy->num_planes = 0;
        copy->later = 1;
      }
    }
  }
  return status;
}

kvf_status kvf_kv_relayout(const kvf_exec *exec, const DLTensor *const *src_pages,
                           int64_t num_src_pages, const DLTensor *const *dst_pages,
                           int64_t num_dst_pages, const DLTensor *src_slots,
                           const DLTensor *dst_slots, const char *src_dtype, const char *dst_dtype,
                           const DLTensor *const *src_scales, int64_t num_src_scales,
                           const DLTensor *const *dst_scales, int64_t num_dst_scales,
                           int64_t num_layers) {
  (void)src_scales; /* there are none, of either side */
  (void)dst_scales;
  const kvf_cache_list from = {"src_pages", src_pages, num_src_pages};
  const kvf_cache_list to = {"dst_pages", dst_pages, num_dst_pages};
  kvf_kv_relayout_params params = {.copy = {.num_planes = 0}};
  kvf_page_copy *copy = &params.copy;
  kvf_cell_dims dims[2] = {
      {.num_blocks = KVF_DIM("num_blocks"),
       .block_size = KVF_DIM("block_size"),
       .num_heads = KVF_DIM("num_heads")},
      {.num_blocks = KVF_DIM("num_blocks"), .block_size = KVF_DIM("block_size")}};
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_cells(&check, &from, num_layers, &dims[0]);
  dims[1].num_heads = dims[0].num_heads;
  if (check.status == KVF_OK) {
    kvf_check_cells(&check, &to, num_layers, &dims[1]);
  }
  check_planes(&check, &from, dims[0].num_layers, &to);
  kvf_check_slots(&check, "src_slots", src_slots, &copy->from);
  kvf_check_slots(&check, "dst_slots", dst_slots, &copy->to);
  if (check.status == KVF_OK && copy->to.num_tokens != copy->from.num_tokens) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "dst_slots",
                   "size of dimension 0 (num_tokens) is %" PRId64 ", want %" PRId64
                   " as in src_slots",
                   copy->to.num_tokens, copy->from.num_tokens);
  }
  kvf_check_same_words(&check, "dst_dtype", dst_dtype, "src_dtype", src_dtype);
  kvf_check_no_scales(&check, "src_scales", num_src_scales);
  kvf_check_no_scales(&check, "dst_scales", num_dst_scales);
  if (check.status == KVF_OK) {
    check_apart(&check, &from, &to, src_slots, dst_slots);
  }
  const kvf_variant *variant = kvf_check_bytes_variant(&check);
  if (variant == NULL) {
    return check.status;
  }
  copy->num_heads = dims[0].num_heads.value;
  copy->from.num_blocks = dims[0].num_blocks.value;
  copy->from.block_size = dims[0].block_size.value;
  copy->to.num_blocks = dims[1].num_blocks.value;
  copy->to.block_size = dims[1].block_size.value;
  return launch_all(&check, variant, &dims[0], &from, &to, &params);
}

/* ---- launches
 * ------------------------------------------------------------------------------------ */

static void check_counts(kvf_check *check, const kvf_page_copy *copy) {
  kvf_launch_at_least(check, "num_planes", copy->num_planes, 0);
  kvf_launch_at_least(check, "num_layers", copy->num_layers, 0);
  kvf_launch_at_least(check, "num_heads", copy->num_heads, 0);
  if (check->status == KVF_OK &&
      (copy->num_planes > KVF_MAX_PLANES ||
       (int64_t)copy->num_planes * copy->num_layers > KVF_MAX_CELL_PAIRS)) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "num_planes",
                   "got %d planes of %d layers, want at most %d planes and %d of both",
                   copy->num_planes, copy->num_layers, KVF_MAX_PLANES, KVF_MAX_CELL_PAIRS);
  }
  if (copy->from.remap != NULL || copy->to.remap != NULL) {
    kvf_check_fail(check, KVF_INVALID_VALUE, copy->from.remap != NULL ? "from.remap" : "to.remap",
                   "got an address, want NULL: slots are those of the pages");
  }
  if (copy->from.num_tokens != copy->to.num_tokens) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "to.num_tokens", "got %" PRId64 ", want %" PRId64,
                   copy->to.num_tokens, copy->from.num_tokens);
  }
}

static void check_planes_of_launch(kvf_check *check, const kvf_page_copy *copy) {
  const int64_t rows = kvf_saturating_product(copy->from.num_tokens, copy->num_heads);
  for (int32_t plane = 0; check->status == KVF_OK && plane < copy->num_planes; ++plane) {
    const kvf_page_plane *from = &copy->from_pages[plane];
    const kvf_page_plane *to = &copy->to_pages[plane];
    kvf_launch_at_least(check, "elements", from->elements, 1);
    kvf_launch_at_least(check, "element_bytes", from->element_bytes, 1);
    if (check->status != KVF_OK) {
      return;
    }
    if (from->elements != to->elements || from->element_bytes != to->element_bytes) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "to_pages",
                     "a row has %" PRId64 " elements of %" PRId64 " bytes, want %" PRId64
                     " of %" PRId64,
                     to->elements, to->element_bytes, from->elements, from->element_bytes);
    } else if (kvf_saturating_product(kvf_saturating_product(rows, from->elements),
                                      from->element_bytes) >= KVF_TOO_LARGE) {
      kvf_check_fail(check, KVF_INVALID_VALUE, "elements",
                     "%" PRId64 " rows of %" PRId64 " elements of %" PRId64
                     " bytes, want less than 2^62 bytes",
                     rows, from->elements, from->element_bytes);
    }
  }
  const int32_t cells = copy->num_planes * copy->num_layers;
  for (int32_t i = 0; check->status == KVF_OK && i < cells; ++i) {
    if (copy->from.num_blocks > 0) {
      kvf_launch_pointer(check, "src_pages", copy->from_cells[i]);
    }
    if (copy->to.num_blocks > 0) {
      kvf_launch_pointer(check, "dst_pages", copy->to_cells[i]);
    }
  }
}

/* What lies one behind another in a plane's rows, and the bits of all its distances. */
static int64_t unbroken_of(const kvf_page_plane *page, uint64_t *bits) {
  const bool dense = page->elements == 1 || page->element == page->element_bytes;
  const int64_t unbroken = (dense ? page->elements : 1) * page->element_bytes;
  *bits |= (uint64_t)unbroken | (uint64_t)page->block | (uint64_t)page->token |
           (uint64_t)page->head | (dense ? 0 : (uint64_t)page->element);
  return unbroken;
}

static kvf_pair_pieces pieces_of(const kvf_page_copy *copy, int32_t plane) {
  uint64_t bits = 0;
  const int64_t from = unbroken_of(&copy->from_pages[plane], &bits);
  const int64_t to = unbroken_of(&copy->to_pages[plane], &bits);
  for (int32_t layer = 0; layer < copy->num_layers; ++layer) {
    const int32_t cell = plane * copy->num_layers + layer;
    bits |= (uintptr_t)copy->from_cells[cell] | (uintptr_t)copy->to_cells[cell];
  }
  const int32_t width = kvf_piece_bytes(bits);
  const int64_t row = copy->from_pages[plane].elements * copy->from_pages[plane].element_bytes;
  return (kvf_pair_pieces){
      .by_pieces = kvf_make_divider(row / width),
      .by_unbroken = {kvf_make_divider(from / width), kvf_make_divider(to / width)},
      .vector_bytes = width};
}

enum { THREADS = 256, IN_FLIGHT = 4, MOST_BLOCKS = 1 << 20 }; /* as the CUDA template has them */
enum { PART_TOKENS = 64 };                                    /* as the CPU template has it */

static kvf_status run(const kvf_check *check, const kvf_variant *variant, kvf_page_copy *copy) {
  const int32_t cells = copy->num_planes * copy->num_layers;
  int64_t row = 0;
  int64_t most = 1;
  for (int32_t plane = 0; plane < copy->num_planes; ++plane) {
    const int64_t bytes = copy->from_pages[plane].elements * copy->from_pages[plane].element_bytes;
    row = bytes > row ? bytes : row;
  }
  if (check->exec.backend == KVF_CPU) {
    const int64_t tokens =
        copy->from.num_tokens < PART_TOKENS ? copy->from.num_tokens : PART_TOKENS;
    const int64_t part = tokens * copy->num_heads * row;
    copy->token_parts = kvf_quotient_up(copy->from.num_tokens, PART_TOKENS);
    copy->streaming = kvf_cpu_streams(kvf_saturating_product(copy->token_parts * cells, part));
    return kvf_cpu_run(check, variant, copy, copy->token_parts * cells, 2 * part);
  }
  /* Neighbours in the target are those of threads. */
  copy->tokens_inside = copy->num_heads == 1 || copy->to_pages[0].token < copy->to_pages[0].head;
  copy->by_inside = kvf_make_divider(copy->tokens_inside ? copy->from.num_tokens : copy->num_heads);
  for (int32_t plane = 0; plane < copy->num_planes; ++plane) {
    copy->pieces[plane] = pieces_of(copy, plane);
    const int64_t pieces =
        copy->from.num_tokens * copy->num_heads * copy->pieces[plane].by_pieces.value;
    most = pieces > most ? pieces : most;
  }
  const int64_t blocks = kvf_quotient_up(most, THREADS * IN_FLIGHT);
  const kvf_grid grid = {
      .grid = {(uint32_t)(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS), (uint32_t)cells, 1},
      .block = {THREADS, 1, 1}};
  return kvf_cuda_run(check, variant, copy, &grid);
}

kvf_status kvf_launch_kv_relayout(const kvf_exec *exec, const kvf_variant *variant,
                                  const kvf_kv_relayout_params *given) {
  kvf_kv_relayout_params params;
  kvf_page_copy *copy = &params.copy;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  check_counts(&check, copy);
  if (check.status != KVF_OK || copy->num_heads == 0 || copy->num_planes == 0 ||
      copy->num_layers == 0) {
    return check.status;
  }
  kvf_launch_slots(&check, "src_slots", &copy->from);
  kvf_launch_slots(&check, "dst_slots", &copy->to);
  if (check.status != KVF_OK || copy->from.num_tokens == 0) {
    return check.status;
  }
  check_planes_of_launch(&check, copy);
  return check.status == KVF_OK ? run(&check, variant, copy) : check.status;
}
