#include "hot_rows.h"

#include <stdlib.h>
#include <string.h>

#include "covering.h"
#include "writer.h"

enum { HOST, HOT };

static int64_t pad_of(const hot_case *what) { return what->layout == 0 ? 0 : 8; }
static int64_t block_size_of(const hot_case *what) { return what->flat ? 1 : what->block_size; }

void hot_build(op_call *call, const kvf_op *op, const hot_case *what) {
  *call = (op_call){.op = op, .exec = {.backend = options.backend}};
  call->given_exec = what->with_exec ? &call->exec : NULL;
  if (what->with_exec && options.backend == KVF_CUDA) {
    call->exec.stream = own_stream();
  }
  const DLDataType dtype = dl_dtype(what->dtype);
  const int64_t rows[2] = {what->host_rows, what->width};
  const int64_t pages[3] = {what->blocks, what->block_size, what->width};
  int64_t stride[3];
  lay_out(stride, rows, "01", 1, pad_of(what));
  operand_make_on_host(call, HOST, dtype, 2, rows, stride, what->offset, 64, what->seed);
  if (what->flat) {
    const int64_t flat[2] = {what->blocks, what->width};
    lay_out(stride, flat, "01", 1, pad_of(what));
    operand_make(call, HOT, dtype, 2, flat, stride, what->offset, 64, what->seed + 1);
    return;
  }
  lay_out(stride, pages, "012", 1, pad_of(what));
  operand_make(call, HOT, dtype, 3, pages, stride, what->offset, 64, what->seed + 1);
}

void hot_make_plan(op_call *call, int position, const hot_case *what) {
  const int64_t shape[2] = {what->requests, what->columns};
  int64_t stride[2];
  lay_out(stride, shape, what->layout == 0 ? "01" : "10", 1, pad_of(what));
  operand_make(call, position, (DLDataType){kDLInt, 32, 1}, 2, shape, stride, 0, 64,
               what->seed + (uint64_t)position);
}

void hot_make_vector(op_call *call, int position, const hot_case *what, int64_t size) {
  const int64_t stride = what->layout == 0 ? 1 : 2;
  operand_make(call, position, (DLDataType){kDLInt, 32, 1}, 1, &size, &stride, 0, 64,
               what->seed + (uint64_t)position);
}

void hot_fill(op_call *call, const hot_case *what, int global, int hot) {
  uint64_t state = what->seed;
  const int64_t count = what->blocks * block_size_of(what);
  int64_t *order = malloc((size_t)(count + 1) * sizeof *order);
  for (int64_t i = 0; i < count; ++i) { /* shuffled from the inside */
    const int64_t other = random_below(&state, i + 1);
    order[i] = order[other];
    order[other] = i;
  }
  int64_t next = 0;
  for (int64_t r = 0; r < what->requests; ++r) {
    for (int64_t c = 0; c < what->columns; ++c) {
      const int64_t kind = random_below(&state, 8);
      const int64_t rest = next < count ? order[next++] : -1;
      const int64_t beyond = count + random_below(&state, 3);
      operand_put_index(&call->operands[hot], r, c, kind == 0 ? -1 - c : kind == 1 ? beyond : rest);
      const int64_t g = random_below(&state, what->host_rows + 1);
      operand_put_index(&call->operands[global], r, c, kind == 2 ? -1 : kind == 3 ? INT32_MAX : g);
    }
  }
  free(order);
}

void hot_expect(const op_call *call, const hot_case *what, int64_t g, int64_t d) {
  const int64_t size = block_size_of(what);
  if (g < 0 || d < 0 || d >= what->blocks * size) {
    return;
  }
  const size_t bytes = (size_t)kvf_dtype_bits(what->dtype) / 8;
  const operand *hot = &call->operands[HOT];
  for (int64_t e = 0; e < what->width; ++e) {
    uint8_t *to =
        what->flat ? operand_at(hot, d, e, 0, 0) : operand_at(hot, d / size, d % size, e, 0);
    if (g < what->host_rows) {
      memcpy(to, operand_at(&call->operands[HOST], g, e, 0, 0), bytes);
    } else {
      memset(to, 0, bytes);
    }
  }
}

kvf_hot_rows hot_params(const op_call *call, const hot_case *what) {
  const int64_t bytes = kvf_dtype_bits(what->dtype) / 8;
  kvf_hot_rows rows = {.host = operand_view(&call->operands[HOST]),
                       .hot = operand_view(&call->operands[HOT]),
                       .num_host_rows = what->host_rows,
                       .num_blocks = what->blocks,
                       .block_size = block_size_of(what),
                       .row_bytes = what->width * bytes,
                       .vector_bytes = -1};
  for (int i = 0; i < 2; ++i) {
    rows.host.stride[i] *= bytes;
    rows.hot.stride[i] *= bytes;
  }
  if (what->flat) {
    rows.hot.stride[1] = 0;
  }
  return rows;
}

void hot_test_matrix(void (*run)(const hot_case *what)) {
  static const int64_t host_rows[] = {1, 7, 100};
  static const int64_t blocks[] = {1, 3, 16};
  static const int64_t sizes[] = {1, 4, 64};
  static const int64_t widths[] = {0, 1, 6, 16, 64, 576, 1500};
  static const int64_t requests[] = {0, 1, 5};
  static const int64_t columns[] = {0, 1, 4, 33};
  static const kvf_dtype dtypes[] = {KVF_B8, KVF_BF16, KVF_F32};
  static const int offsets[] = {0, 8, 4};
  const covering plan = {.num_axes = 12,
                         .sizes = {TEST_COUNT(host_rows), TEST_COUNT(blocks), TEST_COUNT(sizes),
                                   TEST_COUNT(widths), TEST_COUNT(requests), TEST_COUNT(columns),
                                   TEST_COUNT(dtypes), TEST_COUNT(offsets), 2, 2, ENTRIES, 2}};
  int count = 0;
  covering_row *rows = covering_make(&plan, options.seed, &count);
  for (int i = 0; i < count; ++i) {
    const int *value = rows[i].value;
    run(&(hot_case){.host_rows = host_rows[value[0]],
                    .blocks = blocks[value[1]],
                    .block_size = sizes[value[2]],
                    .width = widths[value[3]],
                    .requests = requests[value[4]],
                    .columns = columns[value[5]],
                    .dtype = dtypes[value[6]],
                    .offset = offsets[value[7]],
                    .layout = value[8],
                    .flat = value[9],
                    .entry = value[10],
                    .with_exec = value[11],
                    .seed = options.seed + (uint64_t)i});
  }
  free(rows);
}

void hot_test_pageable(void (*build)(op_call *call, const void *context), const hot_case *what) {
  if (options.backend != KVF_CUDA) {
    skip_test("the CPU reads all of the host's memory");
    return;
  }
  op_call call;
  build(&call, what);
  op_call_upload(&call);
  buffer *pool = &call.operands[HOST].memory;
  void *const pinned = pool->place;
  static char pageable[1 << 16];
  EXPECT(pool->size <= sizeof pageable, "the pool has %zu bytes", pool->size);
  pool->place = pageable;
  EXPECT_STATUS(op_call_invoke(&call, NULL), KVF_INVALID_VALUE);
  EXPECT_TEXT(kvf_last_error(), "host_cache: address ");
  EXPECT_TEXT(kvf_last_error(), "want pinned memory");
  pool->place = pinned;
  (void)op_call_verify(&call, "a pool that is not pinned");
  op_call_free(&call);
  count_case(NULL);
}
