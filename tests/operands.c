#include "operands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory
 * -------------------------------------------------------------------------------------- */

static int64_t bytes_of(const tensor *view) { return view->dtype.bits / 8; }

/* All of an operand but its memory; returns the bytes of that. */
static size_t place_view(op_call *call, int position, DLDataType dtype, int32_t rank,
                         const int64_t *shape, const int64_t *stride, int offset, int64_t guard) {
  operand *made = &call->operands[position];
  int64_t first = 0;
  int64_t last = 0;
  bool empty = false;
  *made = (operand){.view = {.memory = &made->memory, .dtype = dtype, .rank = rank}};
  for (int32_t i = 0; i < rank; ++i) {
    made->view.shape[i] = shape[i];
    made->view.stride[i] = stride[i];
    empty = empty || shape[i] == 0;
    const int64_t reach = shape[i] > 0 ? (shape[i] - 1) * stride[i] : 0;
    *(reach < 0 ? &first : &last) += reach;
  }
  if (empty) {
    first = 0;
    last = -1;
  }
  const int64_t lead = -first * bytes_of(&made->view);
  made->view.start = guard + lead + (16 + offset - (guard + lead) % 16) % 16;
  return (size_t)(made->view.start + (last + 1) * bytes_of(&made->view) + guard);
}

void operand_make(op_call *call, int position, DLDataType dtype, int32_t rank, const int64_t *shape,
                  const int64_t *stride, int offset, int64_t guard, uint64_t seed) {
  const size_t size = place_view(call, position, dtype, rank, shape, stride, offset, guard);
  call->operands[position].memory = buffer_make(call->exec.backend, size, seed);
}

void operand_make_on_host(op_call *call, int position, DLDataType dtype, int32_t rank,
                          const int64_t *shape, const int64_t *stride, int offset, int64_t guard,
                          uint64_t seed) {
  const size_t size = place_view(call, position, dtype, rank, shape, stride, offset, guard);
  call->operands[position].memory = call->exec.backend == KVF_CUDA
                                        ? buffer_make_pinned(size, seed)
                                        : buffer_make(KVF_CPU, size, seed);
}

void operand_share(op_call *call, int position, int from, int64_t start, int32_t rank,
                   const int64_t *shape, const int64_t *stride) {
  const tensor *other = &call->operands[from].view;
  tensor *view = &call->operands[position].view;
  call->operands[position].memory = (buffer){.size = 0};
  *view = (tensor){.memory = other->memory,
                   .start = other->start + start * bytes_of(other),
                   .dtype = other->dtype,
                   .rank = rank};
  memcpy(view->shape, shape, (size_t)rank * sizeof *shape);
  memcpy(view->stride, stride, (size_t)rank * sizeof *stride);
}

uint8_t *operand_at(const operand *from, int64_t i, int64_t j, int64_t k, int64_t l) {
  const int64_t index[] = {i, j, k, l};
  int64_t at = 0;
  for (int32_t d = 0; d < from->view.rank; ++d) {
    at += index[d] * from->view.stride[d];
  }
  return from->view.memory->expected + from->view.start + at * bytes_of(&from->view);
}

void operand_put_index(const operand *to, int64_t i, int64_t j, int64_t value) {
  memcpy(operand_at(to, i, j, 0, 0), &value, (size_t)bytes_of(&to->view)); /* little-endian */
}

int64_t operand_get_index(const operand *from, int64_t i, int64_t j) {
  const int64_t bits = 8 * bytes_of(&from->view);
  uint64_t value = 0;
  memcpy(&value, operand_at(from, i, j, 0, 0), (size_t)bits / 8);
  return (int64_t)(value << (64 - bits)) >> (64 - bits);
}

kvf_view operand_view(const operand *from) {
  kvf_view view = {.data = (uint8_t *)from->view.memory->place + from->view.start};
  memcpy(view.stride, from->view.stride, (size_t)from->view.rank * sizeof *view.stride);
  return view;
}

/* ---- calls
 * --------------------------------------------------------------------------------------- */

int op_call_position(const op_call *call, const char *argument) {
  for (int i = 0; i < call->op->num_arguments; ++i) {
    if (strcmp(call->op->arguments[i].name, argument) == 0) {
      return i;
    }
  }
  (void)fprintf(stderr, "%s has no argument %s\n", call->op->name, argument);
  exit(2);
}

void op_call_upload(const op_call *call) {
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    if (call->operands[i].memory.expected != NULL) {
      buffer_upload(&call->operands[i].memory);
    }
  }
}

void op_call_free(op_call *call) {
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    buffer_free(&call->operands[i].memory);
  }
}

static void fill_tensors(op_call *call) {
  for (int i = 0; i < call->op->num_arguments; ++i) {
    if (call->operands[i].view.memory != NULL && call->op->arguments[i].kind == KVF_KIND_TENSOR) {
      call->values[i] =
          (kvf_value){.kind = KVF_KIND_TENSOR, .as.tensor = tensor_dl(&call->operands[i].view)};
    }
  }
}

kvf_status op_call_invoke(op_call *call, typed_call typed) {
  fill_tensors(call);
  return typed ? typed(call->given_exec, call->values)
               : kvf_call(call->op, call->given_exec, call->values, call->op->num_arguments);
}

bool op_call_verify(const op_call *call, const char *what) {
  bool same = true;
  for (int i = 0; i < MAX_OPERANDS; ++i) {
    const operand *each = &call->operands[i];
    if (each->memory.expected == NULL) {
      continue;
    }
    uint8_t got = 0;
    const int64_t at = buffer_difference(&each->memory, &got);
    const char *name = i < call->op->num_arguments ? call->op->arguments[i].name : "memory";
    same = EXPECT(at < 0,
                  "%s: memory of %s: byte %lld (of %zu, element 0 at %lld) is 0x%02X, want 0x%02X",
                  what, name, (long long)at, each->memory.size, (long long)each->view.start, got,
                  at < 0 ? 0 : each->memory.expected[at]) &&
           same;
  }
  return same;
}

/* ---- cases
 * --------------------------------------------------------------------------------------- */

void vary_order(uint64_t seed) {
  static const char *const orders[] = {"forward", "reverse", "random"};
  (void)setenv("KVF_EMULATOR_ORDER", orders[seed % TEST_COUNT(orders)], 1);
}

void *own_stream(void) {
  static void *stream;
  if (stream == NULL) {
    const int code = cuda.stream_create(&stream, 1);
    EXPECT(code == 0, "cuStreamCreate: %s", cuda_error(code));
  }
  return stream;
}

uint64_t faults_before(kvf_backend backend) {
  uint64_t count = 0;
  if (backend == KVF_CUDA) {
    EXPECT_STATUS(kvf_cuda_fault_count(0, &count), KVF_OK);
  }
  return count;
}

bool expect_done(kvf_backend backend, kvf_status status, uint64_t before, uint64_t faults,
                 const char *what) {
  bool good =
      EXPECT(status == KVF_OK, "%s: %s: %s", what, kvf_status_name(status), kvf_last_error());
  if (backend == KVF_CUDA) {
    const char *wrong = memory_synchronize(KVF_CUDA);
    good = EXPECT(wrong == NULL, "%s: %s", what, wrong) && good;
    const uint64_t counted = faults_before(backend) - before;
    good = EXPECT(counted == faults, "%s: %llu faults were counted, want %llu", what,
                  (unsigned long long)counted, (unsigned long long)faults) &&
           good;
  }
  return good;
}

/* ---- bad arguments
 * ------------------------------------------------------------------------------- */

static void spoil_tensor(DLTensor *dl, int64_t *shape, int64_t *stride, const bad_argument *row) {
  memcpy(shape, dl->shape, (size_t)dl->ndim * sizeof *shape);
  memcpy(stride, dl->strides, (size_t)dl->ndim * sizeof *stride);
  dl->shape = shape;
  dl->strides = stride;
  switch (row->spoil) {
  case SPOIL_RANK:
    dl->ndim = (int32_t)row->number;
    break;
  case SPOIL_SIZE:
    shape[row->at] = row->number;
    break;
  case SPOIL_STRIDE:
    stride[row->at] = row->number;
    break;
  case SPOIL_DTYPE:
    dl->dtype = (DLDataType){(uint8_t)row->at, (uint8_t)row->number, 1};
    break;
  case SPOIL_DEVICE:
    dl->device = (DLDevice){(DLDeviceType)row->at, (int32_t)row->number};
    break;
  case SPOIL_SHAPE:
    dl->shape = NULL;
    break;
  case SPOIL_DATA:
    dl->data = NULL;
    dl->byte_offset = 0;
    break;
  case SPOIL_SHIFT:
    dl->byte_offset += (uint64_t)row->number;
    break;
  default:
    break;
  }
}

static void run_bad(build_call build, const void *context, typed_call typed,
                    const bad_argument *row) {
  op_call call;
  int64_t shape[6] = {1, 1, 1, 1, 1, 1};
  int64_t stride[6] = {1, 1, 1, 1, 1, 1};
  build(&call, context);
  const int position = op_call_position(&call, row->argument);
  kvf_value *value = &call.values[position];
  if (row->spoil == SPOIL_INDEX) {
    operand_put_index(&call.operands[position], row->at, 0, row->number);
  }
  op_call_upload(&call);
  fill_tensors(&call);
  DLTensor copy = {.ndim = 0};
  if (row->spoil == SPOIL_NULL) {
    *value = (kvf_value){.kind = value->kind, .as.tensor = NULL};
  } else if (row->spoil == SPOIL_TEXT) {
    value->as.string = row->text;
  } else if (row->spoil == SPOIL_INT) {
    value->as.integer = row->number;
  } else if (value->kind == KVF_KIND_TENSOR) {
    copy = *value->as.tensor;
    spoil_tensor(&copy, shape, stride, row);
    value->as.tensor = &copy;
  }
  const uint64_t before = faults_before(call.exec.backend);
  const kvf_status status =
      typed ? typed(call.given_exec, call.values)
            : kvf_call(call.op, call.given_exec, call.values, call.op->num_arguments);
  const char *message = kvf_last_error();
  EXPECT(status == row->status, "%s: %s: got %s (%s), want %s", call.op->name, row->what,
         kvf_status_name(status), message, kvf_status_name(row->status));
  char start[128];
  (void)snprintf(start, sizeof start, "%s: %s: ", call.op->name, row->blamed);
  EXPECT(strncmp(message, start, strlen(start)) == 0 && strstr(message, row->got) != NULL &&
             strstr(message, row->want) != NULL,
         "%s: the message is '%s', want '%s...%s...%s...'", row->what, message, start, row->got,
         row->want);
  (void)expect_done(call.exec.backend, KVF_OK, before, 0, row->what);
  (void)op_call_verify(&call, row->what);
  op_call_free(&call);
  count_case(NULL);
}

/* Every tensor of the call, without its sizes. */
static void run_without_shapes(build_call build, const void *context, typed_call typed) {
  op_call call;
  build(&call, context);
  const kvf_op *op = call.op;
  bool has_sizes[MAX_OPERANDS];
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    const operand *from = &call.operands[i];
    has_sizes[i] = call.values[i].kind == KVF_KIND_TENSOR && from->view.rank > 0;
  }
  op_call_free(&call);
  for (int32_t i = 0; i < op->num_arguments; ++i) {
    const char *name = op->arguments[i].name;
    const bad_argument row = {.what = "no shape",
                              .backends = ON_BOTH,
                              .argument = name,
                              .spoil = SPOIL_SHAPE,
                              .status = KVF_INVALID_VALUE,
                              .blamed = name,
                              .got = "shape is NULL",
                              .want = "sizes"};
    if (has_sizes[i]) {
      run_bad(build, context, NULL, &row);
      run_bad(build, context, typed, &row);
    }
  }
}

void op_call_test_bad(build_call build, const void *context, typed_call typed,
                      const bad_argument *rows, size_t count) {
  run_without_shapes(build, context, typed);
  for (size_t i = 0; i < count; ++i) {
    if (rows[i].backends >> options.backend & 1) {
      run_bad(build, context, NULL, &rows[i]);
      run_bad(build, context, typed, &rows[i]);
    }
  }
}

/* ---- scales
 * -------------------------------------------------------------------------------------- */

static void expect_scale_refused(const op_call *call, kvf_status status, const char *argument,
                                 double value) {
  char start[128];
  (void)snprintf(start, sizeof start, "%s: %s: ", call->op->name, argument);
  char words[64];
  (void)snprintf(words, sizeof words, "%g, want ", value);
  const char *message = kvf_last_error();
  EXPECT(status == KVF_INVALID_VALUE && strncmp(message, start, strlen(start)) == 0 &&
             strstr(message, words) != NULL && strstr(message, "2^-126") != NULL,
         "%s: %s of %g: %s, %s", call->op->name, argument, value, kvf_status_name(status), message);
}

void op_call_test_scales(build_call build, const void *context, typed_call typed,
                         const char *argument, bool read) {
  static const float values[] = {0.0f,   -0.0f,     -1.0f,           NAN,
                                 -NAN,   INFINITY,  -INFINITY,       -1e-30f,
                                 1e-45f, 0x1p-127f, 0x1.fffffcp-127f};
  for (size_t i = 0; i < 2 * TEST_COUNT(values); ++i) {
    const float value = values[i / 2];
    op_call call;
    build(&call, context);
    const operand *scale = &call.operands[op_call_position(&call, argument)];
    int64_t last[2] = {0, 0};
    for (int32_t d = 0; d < scale->view.rank && d < 2; ++d) {
      last[d] = scale->view.shape[d] - 1;
    }
    memcpy(operand_at(scale, last[0], last[1], 0, 0), &value, sizeof value);
    op_call_upload(&call);
    const kvf_status status = op_call_invoke(&call, i % 2 ? typed : NULL);
    const char *wrong = memory_synchronize(options.backend);
    EXPECT(wrong == NULL, "%s: %s of %g: %s", call.op->name, argument, (double)value, wrong);
    if (read && options.backend == KVF_CPU) {
      expect_scale_refused(&call, status, argument, (double)value);
      (void)op_call_verify(&call, argument);
    } else {
      EXPECT(status == KVF_OK, "%s: %s of %g: %s", call.op->name, argument, (double)value,
             kvf_last_error());
    }
    op_call_free(&call);
    count_case(NULL);
  }
}

void op_call_test_factor(build_call build, const void *context, typed_call typed,
                         const char *argument, bool any_sign) {
  static const double values[] = {NAN,   INFINITY, -INFINITY, 1e300, -1e300, 3.5e38,
                                  1e-50, 1e-39,    -1e-50,    0.0,   -1.0};
  for (size_t i = 0; i < 2 * TEST_COUNT(values); ++i) {
    const double value = values[i / 2];
    if (any_sign && (value == 0.0 || value == -1.0)) {
      continue;
    }
    op_call call;
    build(&call, context);
    call.values[op_call_position(&call, argument)].as.number = value;
    op_call_upload(&call);
    const kvf_status status = op_call_invoke(&call, i % 2 ? typed : NULL);
    expect_scale_refused(&call, status, argument, value);
    (void)memory_synchronize(options.backend);
    (void)op_call_verify(&call, argument);
    op_call_free(&call);
    count_case(NULL);
  }
}

/* ---- overlap
 * ------------------------------------------------------------------------------------- */

void op_call_test_overlap(build_call build, const void *context, typed_call typed,
                          const char *written, const char *read) {
  for (int boxed = 0; boxed < 2; ++boxed) {
    op_call call;
    build(&call, context);
    op_call_upload(&call);
    fill_tensors(&call);
    kvf_value *output = &call.values[op_call_position(&call, written)];
    const DLTensor *input = call.values[op_call_position(&call, read)].as.tensor;
    DLTensor moved = *output->as.tensor;
    moved.data = input->data;
    moved.byte_offset = (input->byte_offset + 3) & ~UINT64_C(3); /* aligned for every element */
    output->as.tensor = &moved;
    const kvf_status status =
        boxed ? kvf_call(call.op, call.given_exec, call.values, call.op->num_arguments)
              : typed(call.given_exec, call.values);
    char want[128];
    (void)snprintf(want, sizeof want, "%s: %s: shares memory with %s, want memory of its own",
                   call.op->name, written, read);
    /* On a GPU other arguments lie close by, and one that is checked before may be named. */
    const bool named = strcmp(kvf_last_error(), want) == 0 ||
                       (options.backend == KVF_CUDA && cuda.last_fault == NULL &&
                        strstr(kvf_last_error(), ": shares memory with ") != NULL);
    EXPECT(status == KVF_INVALID_VALUE && named, "%s: got %s (%s)", want, kvf_status_name(status),
           kvf_last_error());
    (void)memory_synchronize(options.backend);
    (void)op_call_verify(&call, want);
    op_call_free(&call);
    count_case(NULL);
  }
}
