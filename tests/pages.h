/*
 * Cases for the ops on whole pages of many tensors: copy_blocks, copy_blocks_mla, zero_blocks. All
 * tensors of a call lie in one buffer, of which every byte is compared.
 */
#ifndef KVF_TESTS_PAGES_H
#define KVF_TESTS_PAGES_H

#include "harness.h"
#include "memory.h"

enum { PAGE_LISTS = 2, PAGE_LAYERS = 260 };

typedef struct page_call page_call;

/* What differs between the ops. */
typedef struct page_op {
  const kvf_op *op;
  int lists;   /* of tensors, before the block numbers */
  int columns; /* of the block numbers: 2 for pairs, 1 */
  const char *list_names[PAGE_LISTS];
  const char *blocks_name;
  kvf_status (*typed)(const kvf_exec *exec, page_call *call);
  kvf_status (*raw)(const kvf_exec *exec, const kvf_variant *variant, const kvf_page_list *pages);
  bool takes_addresses; /* of tensors, in memory */
} page_op;

typedef struct page_case {
  int layers;
  int64_t num_blocks, rows, columns; /* of each tensor: [num_blocks, rows, columns] */
  int element;                       /* bytes */
  int layout;
  int offset;    /* of each tensor from a multiple of 64, in bytes */
  bool uneven;   /* the pages of every third tensor are larger */
  int order;     /* kind of list */
  int64_t items; /* of the list */
  int index;     /* dtype and strides of the list */
  int entry;
  int exec;
  uint64_t seed;
} page_case;

/* Points into itself: not to be moved. */
struct page_call {
  const page_op *op;
  const page_case *what;
  kvf_exec exec;
  const kvf_exec *given_exec; /* &exec or NULL */
  buffer memory;
  buffer index_memory;
  buffer address_memory; /* of raw launches, for tensors that all have compact pages of one size */
  tensor caches[PAGE_LISTS][PAGE_LAYERS];
  tensor blocks;
  const DLTensor *given[PAGE_LISTS][PAGE_LAYERS]; /* filled by page_prepare() */
  int64_t num_given[PAGE_LISTS];
  DLTensor *given_blocks;
};

void page_build(page_call *call, const page_op *op, const page_case *what);
void page_free(page_call *call);

/* Uploads everything and fills what is given to the op. */
void page_prepare(page_call *call);
kvf_status page_invoke(page_call *call, int entry);
bool page_verify(const page_call *call, const char *what);

/* The tests that every such op has. */
void page_test_matrix(const page_op *op);
void page_test_many(const page_op *op);
void page_test_large(const page_op *op);
void page_test_far(const page_op *op);
void page_test_out_of_range(const page_op *op);
void page_test_bad_arguments(const page_op *op);
void page_test_bad_params(const page_op *op);
void page_test_graph(const page_op *op);

#endif
