/*
 * Cases for the ops that move tokens between pages and a wire buffer: pages in every order of their
 * axes, wires in every layout, each of the three entries, and every byte compared.
 */
#ifndef KVF_TESTS_WIRE_H
#define KVF_TESTS_WIRE_H

#include "operands.h"

enum { WIRE_CELLS = 600, WIRE_PLANES = 10, WIRE_TOKENS = 5000, WIRE_SIDES = 2 };

enum {
  SLOTS_SHUFFLED,
  SLOTS_IN_ORDER,
  SLOTS_WITH_GAPS, /* runs, with negative ones between */
  SLOTS_NEGATIVE,
  SLOTS_BEYOND, /* one is out of range: of the CPU's cases those that are refused */
  SLOTS_KINDS
};

enum { GATE_NONE, GATE_OPEN, GATE_SHUT, GATES };

typedef struct wire_case {
  bool packs;
  int64_t layers, heads, block_size, tokens, block_tokens;
  int64_t group_heads; /* divides heads */
  int sizes;           /* of the planes' rows: wire_sizes() */
  int order;           /* of the axes of pages */
  int64_t pad;         /* elements of the largest kind behind what a block or layer has */
  int offset;          /* of pages, bytes from a multiple of 16 */
  int layout;          /* of the wire */
  int64_t spare;       /* bytes of the wire tensor that no block has */
  int slots;
  bool narrow;  /* slots are int32 */
  int64_t step; /* between slots */
  int gate;
  int entry;
  bool with_exec;
  uint64_t seed;
} wire_case;

/* In bytes; that of elements is the plane's own where they lie one behind another. */
typedef struct wire_pages {
  int64_t of[128];
  int64_t unit; /* what all are multiples of */
  bool dense;
  int64_t total;
  int64_t num_blocks;
} wire_pages;

wire_pages wire_lay_pages(const wire_case *what);

/* How many there are; of a plane's rows, what they have. */
int wire_num_sizes(void);
int wire_num_orders(void);
int64_t wire_planes(const wire_case *what);
int64_t wire_elements(const wire_case *what, int64_t plane);
int64_t wire_element_bytes(const wire_case *what, int64_t plane);

/* Makes the list of pages of an argument, one memory, and returns its tensors, those of plane 0
 * first; each of the sides has tensors of its own, until they are made again. */
DLTensor *wire_make_pages(op_call *call, const wire_case *what, const char *argument, int side);

/* Fills the slots of an argument, whose memory is there. */
void wire_make_slots(const op_call *call, const wire_case *what, const char *argument);

/* Where an element is in the expected image of pages; cell: layer, plane. */
uint8_t *wire_page_at(const operand *arena, const wire_case *what, const wire_pages *pages,
                      const int64_t *cell, int64_t slot, int64_t head, int64_t element);

/* Other bytes, in the memory and in the image of it. */
void wire_refill(const op_call *call, const char *argument, uint64_t seed);

/* Every pair of values of what a case is made of; more cells than a launch has; a captured call,
 * whose graph is launched with other slots and bytes; what is refused. */
void wire_test_matrix(bool packs);
void wire_test_many(bool packs);
void wire_test_graph(bool packs);
void wire_test_bad(bool packs);
void wire_test_bad_params(bool packs);

#endif
