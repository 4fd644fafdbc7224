#include <inttypes.h>

#include "core/float_mode.h"
#include "kvforge/cache/cpu_attention_rows.h"
#include "kvforge/cache/ds_mla.h"
#include "kvforge/cache/latent.h"
#include "kvforge/cache/op.h"
#include "ops/shared/cache_dtype.h"
#include "ops/shared/mla.h"

#define OP (&kvf_op_paged_mla_decode)

typedef kvf_paged_mla_decode_params params_type;

#include "ops/shared/attention_calls.h"

enum { SPLIT_ROW = KVF_DS_MLA_LATENT + KVF_SPLIT_EXTRA };

/* Bytes of a row of a row format; 0 for plain caches. */
static int64_t row_bytes(kvf_dtype cache) {
  return cache == KVF_FP8_DS_MLA     ? (int64_t)KVF_FP8_DS_MLA_BYTES
         : cache == KVF_NVFP4_DS_MLA ? (int64_t)KVF_NVFP4_DS_MLA_BYTES
                                     : 0;
}

static void check_cache(kvf_check *check, const DLTensor *kv_cache, kvf_dtype cache,
                        kvf_dim *num_blocks, kvf_dim *block_size, kvf_view *view) {
  const int64_t bytes = row_bytes(cache);
  kvf_dim row = {"latent and rope elements", KVF_DS_MLA_ROW, "MLA"};
  if (bytes != 0) {
    row = (kvf_dim){"bytes of a row", bytes, kvf_dtype_name(cache)};
  }
  kvf_check_tensor(check, "kv_cache", kv_cache, KVF_ACCEPT(cache), 3,
                   (kvf_dim *const[]){num_blocks, block_size, &row}, view);
}

/* What raw launches check too: bytes of a row lie side by side. */
static void check_rows(kvf_check *check, kvf_dtype cache, const kvf_view *kv_cache) {
  if (check->status == KVF_OK && row_bytes(cache) != 0 && kv_cache->stride[2] != 1) {
    kvf_check_fail(check, KVF_INVALID_VALUE, "kv_cache",
                   "stride of dimension 2 is %" PRId64 ", want 1 (a row of %s)",
                   kv_cache->stride[2], kvf_dtype_name(cache));
  }
}

/* Rows of a tile of a variant for tensor cores, 0 of a generic one. */
static int64_t tile_rows(const kvf_variant *variant) {
  const int64_t rows = variant->values[2];
  return rows == KVF_OTHER ? 0 : rows;
}

enum { WIDE_ARCH = 90 };

/* Whether it has products of four warps, of compute capability 9.0 alone: of many rows. */
static bool is_wide(const kvf_variant *variant) { return variant->values[3] == WIDE_ARCH; }

/* Whether rows of the cache are whole vectors of 16 bytes. */
static bool has_tiles(const params_type *params, kvf_dtype cache) {
  const int32_t bytes = kvf_dtype_bits(cache) / 8;
  const int64_t run = row_bytes(cache) != 0 ? row_bytes(cache) : (int64_t)KVF_DS_MLA_ROW;
  return kvf_has_vectors(&params->kv_cache, bytes, 2, 3, run, 16 / bytes);
}

/* How a variant is launched. */
typedef struct block_shape {
  int64_t rows;    /* of a tile */
  int64_t at_once; /* thread blocks that a multiprocessor runs at once, about */
  kvf_grid grid;   /* of one unit */
} block_shape;

static block_shape shape_of(const kvf_variant *variant) {
  if (is_wide(variant)) {
    return (block_shape){KVF_LATENT_MANY_ROWS,
                         1,
                         {{1, 1, 1}, {KVF_LATENT_MANY_THREADS, 1, 1}, KVF_LATENT_WIDE_BYTES}};
  }
  switch (tile_rows(variant)) {
  case KVF_LATENT_FEW_ROWS:
    return (block_shape){
        KVF_LATENT_FEW_ROWS, 2, {{1, 1, 1}, {KVF_LATENT_FEW_THREADS, 1, 1}, KVF_LATENT_FEW_BYTES}};
  case KVF_LATENT_MANY_ROWS:
    return (block_shape){KVF_LATENT_MANY_ROWS,
                         1,
                         {{1, 1, 1}, {KVF_LATENT_MANY_THREADS, 1, 1}, KVF_LATENT_MANY_BYTES}};
  default: /* as templates/shared/latent_rows_cuda.j2 has them */
    return (block_shape){KVF_ATTENTION_ROWS, 2, {{1, 1, 1}, {256, 1, 1}, 0}};
  }
}

/*
 * The variant for the device and the places of rows, if there is one whose shared memory the device
 * has: of many rows where those of a sequence fill half of the tile, or where four warps multiply.
 */
static kvf_status best_variant(kvf_check *check, const params_type *params,
                               const kvf_variant **variant) {
  const kvf_variant *generic = *variant;
  int shared = 0;
  if (check->exec.backend != KVF_CUDA || !has_tiles(params, kvf_cache_of(generic))) {
    return KVF_OK;
  }
  const int64_t longest = params->max_query_len > 0 ? params->max_query_len : params->num_tokens;
  const int64_t wanted = kvf_saturating_product(params->num_q_heads, longest);
  const int64_t arch = kvf_check_arch(check);
  const kvf_status status = kvf_cuda_shared_limit(check, &shared);
  const bool many = wanted > KVF_LATENT_MANY_ROWS / 2;
  const int64_t rows[] = {KVF_LATENT_MANY_ROWS, KVF_LATENT_FEW_ROWS, KVF_LATENT_MANY_ROWS};
  for (int i = many || arch == WIDE_ARCH ? 0 : 1; /* the first that is built */
       status == KVF_OK && i < 3 && *variant == generic; ++i) {
    const kvf_variant *found =
        kvf_select(OP, KVF_CUDA, generic->values[0], generic->values[1], rows[i], arch);
    const bool fits = found != NULL && tile_rows(found) != 0 &&
                      shape_of(found).grid.shared_bytes <= (uint32_t)shared;
    if (fits && (i > 0 || many || is_wide(found))) {
      *variant = found;
    }
  }
  return status;
}

kvf_status kvf_paged_mla_decode(const kvf_exec *exec, DLTensor *out, const DLTensor *query,
                                const DLTensor *kv_cache, const DLTensor *query_start_loc,
                                const DLTensor *seq_lens, const DLTensor *block_table, double scale,
                                const char *kv_cache_dtype, const DLTensor *kv_scale,
                                int64_t max_query_len, DLTensor *lse, DLTensor *workspace) {
  params_type params = {.max_query_len = max_query_len};
  kvf_dim num_tokens = KVF_DIM("num_tokens");
  kvf_dim num_seqs = KVF_DIM("num_seqs");
  kvf_dim num_starts = KVF_DIM("num_seqs + 1");
  kvf_dim num_heads = KVF_DIM("num_heads");
  kvf_dim key_size = {"latent and rope elements", KVF_DS_MLA_ROW, "MLA"};
  kvf_dim value_size = {"latent elements", KVF_DS_MLA_LATENT, "MLA"};
  kvf_dim width = KVF_DIM("width");
  kvf_dim num_blocks = KVF_DIM("num_blocks");
  kvf_dim block_size = KVF_DIM("block_size");
  kvf_check check = kvf_check_begin(OP, exec);
  kvf_check_factor(&check, scale);
  const kvf_dtype scalar = kvf_check_dtype(&check, "query", query, KVF_ACCEPT_FLOATS);
  kvf_check_tensor(&check, "query", query, KVF_ACCEPT(scalar), 3,
                   (kvf_dim *const[]){&num_tokens, &num_heads, &key_size}, &params.query);
  kvf_check_either(&check, "out", out, scalar, 3,
                   (kvf_dim *const[]){&num_tokens, &num_heads, &value_size}, &params.out,
                   &params.out_bytes);
  const kvf_variant *variant = kvf_check_variant(&check, kvf_name_to_read(kv_cache_dtype), scalar);
  if (variant == NULL) {
    return check.status;
  }
  check_cache(&check, kv_cache, kvf_cache_of(variant), &num_blocks, &block_size, &params.kv_cache);
  kvf_check_tensor(&check, "seq_lens", seq_lens, KVF_ACCEPT_INT32, 1, (kvf_dim *const[]){&num_seqs},
                   &params.seq_lens);
  if (check.status == KVF_OK) {
    num_starts = (kvf_dim){"num_seqs + 1", kvf_saturating_sum(num_seqs.value, 1), NULL};
  }
  kvf_check_tensor(&check, "query_start_loc", query_start_loc, KVF_ACCEPT_INT32, 1,
                   (kvf_dim *const[]){&num_starts}, &params.query_start_loc);
  kvf_check_tensor(&check, "block_table", block_table, KVF_ACCEPT_INT32 | KVF_ACCEPT_INT64, 2,
                   (kvf_dim *const[]){&num_seqs, &width}, &params.block_table);
  kvf_check_one_scale(&check, "kv_scale", kv_scale, &params.kv_scale);
  if (lse != NULL) {
    kvf_check_tensor(&check, "lse", lse, KVF_ACCEPT(KVF_F32), 2,
                     (kvf_dim *const[]){&num_heads, &num_tokens}, &params.lse);
  }
  if (workspace != NULL) {
    kvf_dim row = {"512 + 2", SPLIT_ROW, "MLA"};
    kvf_check_split_room(&check, workspace, &num_heads, &row, &params.workspace, &params.splits,
                         &params.split_tokens);
  }
  if (check.status == KVF_OK && num_heads.value > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "query", "has %" PRId64 " heads, want less than 2^31",
                   num_heads.value);
  }
  const kvf_named written[] = {{"out", out}, {"lse", lse}, {"workspace", workspace}};
  kvf_check_apart(&check, written, 3, (const kvf_named[]){{"query", query}, {"kv_cache", kv_cache}},
                  2);
  kvf_check_apart(&check, &written[1], 2, &written[0], 1);
  kvf_check_apart(&check, &written[2], 1, &written[1], 1);
  check_rows(&check, kvf_cache_of(variant), &params.kv_cache);
  if (check.status != KVF_OK) {
    return check.status;
  }
  params.scale = kvf_nearest_float(scale);
  params.index_bytes = block_table->dtype.bits / 8;
  params.num_tokens = num_tokens.value;
  params.num_seqs = num_seqs.value;
  params.width = width.value;
  params.num_blocks = num_blocks.value;
  params.block_size = block_size.value;
  params.num_q_heads = (int32_t)num_heads.value;
  check.status = best_variant(&check, &params, &variant);
  return check.status == KVF_OK ? kvf_launch_paged_mla_decode(&check.exec, variant, &params)
                                : check.status;
}

kvf_status kvf_launch_paged_mla_decode(const kvf_exec *exec, const kvf_variant *variant,
                                       const params_type *given) {
  params_type params;
  kvf_check check = kvf_launch_begin(OP, exec, variant, given, &params, sizeof params);
  kvf_launch_at_least(&check, "num_tokens", params.num_tokens, 0);
  kvf_launch_at_least(&check, "num_seqs", params.num_seqs, 0);
  kvf_launch_at_least(&check, "num_q_heads", params.num_q_heads, 0);
  kvf_launch_at_least(&check, "width", params.width, 0);
  kvf_launch_at_least(&check, "num_blocks", params.num_blocks, 0);
  kvf_launch_at_least(&check, "block_size", params.block_size, 1);
  kvf_launch_index_bytes(&check, "index_bytes", params.index_bytes);
  kvf_check_factor(&check, (double)params.scale);
  if (params.workspace.data == NULL) {
    params.splits = 1;
    params.split_tokens = 0;
  }
  kvf_launch_at_least(&check, "split_tokens", params.split_tokens, 0);
  kvf_launch_at_least(&check, "splits", params.splits, 1);
  if (params.splits > INT32_MAX) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "splits", "got %" PRId64 ", want less than 2^31",
                   params.splits);
  }
  if (check.status != KVF_OK || params.num_tokens == 0 || params.num_seqs == 0 ||
      params.num_q_heads == 0) {
    return check.status;
  }
  kvf_launch_pointer(&check, "out", params.out.data);
  kvf_launch_pointer(&check, "query", params.query.data);
  kvf_launch_element_bytes(&check, "out_bytes", variant, params.out_bytes);
  kvf_launch_pointer(&check, "query_start_loc", params.query_start_loc.data);
  kvf_launch_pointer(&check, "seq_lens", params.seq_lens.data);
  if (params.width > 0) {
    kvf_launch_pointer(&check, "block_table", params.block_table.data);
  }
  const kvf_dtype cache = variant != NULL ? kvf_cache_of(variant) : KVF_DTYPE_NONE;
  if (params.num_blocks > 0) {
    kvf_launch_pointer(&check, "kv_cache", params.kv_cache.data);
    check_rows(&check, cache, &params.kv_cache);
  } else { /* strides of no pages may be anything */
    params.kv_cache = (kvf_view){.data = NULL};
  }
  if (variant != NULL && kvf_scalar_of(variant) != cache && row_bytes(cache) == 0) {
    kvf_launch_scales(&check, "kv_scale", &(kvf_view){.data = params.kv_scale.data}, 1);
  }
  if (check.status == KVF_OK && tile_rows(variant) != 0 && !has_tiles(&params, cache)) {
    kvf_check_fail(&check, KVF_INVALID_VALUE, "variant",
                   "got %s, which wants rows of the cache that are whole vectors of 16 bytes",
                   variant->symbol);
  }
  if (check.status != KVF_OK) {
    return check.status;
  }
  if (params.split_tokens > params.num_tokens) {
    params.split_tokens = params.num_tokens;
  }
  params.splits = params.split_tokens > 0 ? params.splits : 1;
  params.window_left = -1;
  params.window_right = 0;
  params.group = params.num_q_heads;
  params.num_kv_heads = 1;
  params.by_block_size = kvf_make_divider(params.block_size);
  params.by_group = kvf_make_divider(params.group);
  params.combines = 0;
  params.faults = NULL;
  params.whole_values = KVF_VALUES_SINGLY;
  if (check.exec.backend == KVF_CPU) {
    const int64_t size = (KVF_DS_MLA_ROW + KVF_DS_MLA_LATENT) / 2;
    return run_cpu(&check, variant, &params, size, SPLIT_ROW,
                   kvf_cpu_attention_rows(KVF_DS_MLA_ROW));
  }
  const block_shape shape = shape_of(variant);
  kvf_launch_shared_bytes(&check, "variant", shape.grid.shared_bytes);
  if (check.status == KVF_OK && params.workspace.data == NULL && !kvf_is_batch_invariant()) {
    check.status =
        split_by_own(&check, &params, SPLIT_ROW, shape.rows, shape.at_once, params.num_tokens);
  }
  count_units(&params, shape.rows);
  const int64_t warps =
      params.split_tokens * params.num_q_heads * kvf_latent_row_warps(params.splits);
  const int64_t blocks = kvf_quotient_up(warps, KVF_LATENT_ADD_THREADS / 32);
  /* A third of the shared memory, and what the system takes of it for a block: three have room, and
   * a multiprocessor need not share out its memory anew for them, nor for the units behind. */
  const uint32_t shared = shape.grid.shared_bytes > 0 ? shape.grid.shared_bytes / 3 - 1024 : 0;
  const kvf_grid adding = {{1, 1, 1}, {KVF_LATENT_ADD_THREADS, 1, 1}, shared};
  check.status = check.status == KVF_OK ? kvf_cuda_fault_counter(check.exec.device, &params.faults)
                                        : check.status;
  return check.status == KVF_OK
             ? run_cuda(&check, variant, &params, &shape.grid, &adding, blocks, true)
             : check.status;
}
