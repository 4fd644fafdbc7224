/* What the entry points of the ops on whole pages share. */
#ifndef KVFORGE_PAGES_RUNTIME_H
#define KVFORGE_PAGES_RUNTIME_H

#include "core/cuda.h"
#include "kvforge/cache/op.h"

/* An argument that is a list of tensors. */
typedef struct kvf_cache_list {
  const char *argument;
  const DLTensor *const *tensors;
  int64_t size;
} kvf_cache_list;

/* The arguments of one call. */
typedef struct kvf_page_arguments {
  const kvf_cache_list *lists;
  int32_t num_lists;
  const char *blocks_argument;
  const DLTensor *blocks; /* [size], or [size, 2] */
} kvf_page_arguments;

/*
 * Checks every argument and fills the members of `pages` that all launches of the call share.
 * Returns the variant, or NULL after a failure.
 */
const kvf_variant *kvf_check_pages(kvf_check *check, const kvf_page_arguments *arguments,
                                   int32_t blocks_rank, kvf_page_list *pages);

/* Which tensors have had their launch: those of one page size after those of another. Starts as 0.
 */
typedef struct kvf_page_cursor {
  int64_t launched; /* how many */
  int64_t group;    /* the first tensor of this page size */
  int64_t next;     /* the first tensor that may be yet to come */
} kvf_page_cursor;

/* Fills `pages` with the tensors of the next launch; false when all have had theirs. */
bool kvf_next_pages(kvf_page_cursor *cursor, const kvf_page_arguments *arguments,
                    kvf_page_list *pages);

/* The status after the last launch; an error says how many tensors have had their launch before. */
kvf_status kvf_end_pages(const kvf_check *check, const kvf_page_cursor *cursor,
                         const kvf_page_arguments *arguments, const kvf_page_list *pages);

/*
 * The checks of a raw launch, which fills the derived members that all these ops have. False when
 * there is nothing to do, or after a failure.
 */
bool kvf_launch_pages(kvf_check *check, const kvf_variant *variant, const char *blocks_argument,
                      int32_t blocks_rank, kvf_page_list *pages);

/* The elements that an index of dimension 0 selects. */
int64_t kvf_elements_of_page(const DLTensor *tensor);

/* Whether they lie one behind another, in whatever order of dimensions. */
bool kvf_is_dense_page(const DLTensor *tensor);

/* A block number of the list, from host memory. */
int64_t kvf_block_number(const kvf_block_list *blocks, int64_t i, int32_t column);

/* Runs a variant that copies pages within tensors; `pages` is what its params struct consists of.
 */
kvf_status kvf_run_page_copy(kvf_check *check, const kvf_variant *variant, kvf_page_list *pages);

/* log2 of the vectors, `most` or less, of the parts that a page of so many is copied in. */
int32_t kvf_page_part_shift(int64_t vectors, int64_t most);

/* block_mapping or block_ids, on the place of the call. */
void kvf_check_blocks(kvf_check *check, const char *argument, const DLTensor *tensor, int32_t rank,
                      kvf_block_list *blocks);

#endif
