#include "hostile.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shape.h"

enum { MAX_ARGUMENTS = 32, LIST = 6, FAR_ELEMENTS = 4096, MAX_WORDS = 12 };

typedef struct operand {
  const char *name; /* of the argument */
  DLTensor dl;
  int64_t shape[MAX_RANK];
  int64_t strides[MAX_RANK];
  bool written; /* the op may write to it */
  bool on_host;
  uint8_t *before; /* what it held, if it is not far */
  size_t size;
} operand;

/* One call in the making. */
typedef struct scene {
  choices *given;
  const hostile_memory *memory;
  const kvf_op *op;
  sizes known;
  uint64_t random; /* of contents */
  DLDataType scalar;
  DLDataType cache;
  char words[MAX_ARGUMENTS][40]; /* of the arguments that are words */
  const char *word;              /* kv_cache_dtype, or else the first of them */
  bool addresses; /* the op has tensors of addresses: what they and the numbers say is a promise */
  uint8_t *scratch; /* where the addresses lead */
  operand operands[MAX_OPERANDS];
  int count;
  const operand *like; /* the first tensor of a list, while the others are made */
  bool far;
} scene;

static scene now;
static uint8_t contents[MAX_OPERANDS][OPERAND_BYTES];
static const DLTensor *lists[MAX_ARGUMENTS][LIST];

static const int64_t EXTREMES[] = {INT64_MAX,        INT64_MIN,           INT64_C(1) << 62, -1,
                                   INT64_C(1) << 31, INT32_MIN,           INT64_C(1) << 40, 0,
                                   INT64_MAX / 2,    -(INT64_C(1) << 40), INT32_MAX,        7};
enum { NUM_EXTREMES = sizeof EXTREMES / sizeof *EXTREMES };

static int64_t extreme(scene *made) { return EXTREMES[next_below(made->given, NUM_EXTREMES)]; }

static uint64_t random_of(scene *made) {
  uint64_t z = (made->random += UINT64_C(0x9E3779B97F4A7C15));
  z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
  return z ^ (z >> 31);
}

/* ---- what the reference text says
 * ----------------------------------------------------------------
 */

/* The text of the argument that this text says "as" of, behind these words; or NULL. */
static const char *doc_behind(const kvf_op *op, const char *doc, const char *words) {
  const char *at = strstr(doc, words);
  const size_t length = at != NULL ? strcspn(at + strlen(words), " ,;") : 0;
  for (int32_t i = 0; at != NULL && i < op->num_arguments; ++i) {
    const char *name = op->arguments[i].name;
    if (strncmp(name, at + strlen(words), length) == 0 && name[length] == '\0') {
      return op->arguments[i].doc;
    }
  }
  return NULL;
}

/* The text of an argument that is "as" another one: the other's. */
static const char *doc_of(const kvf_op *op, const char *doc) {
  for (int depth = 0; depth < 4 && strncmp(doc, "as ", 3) == 0; ++depth) {
    const char *other = doc_behind(op, doc, "as ");
    doc = other != NULL ? other : doc;
  }
  return doc;
}

static bool says(const char *doc, const char *words) { return strstr(doc, words) != NULL; }

static DLDataType type_of(uint8_t code, uint8_t bits) { return (DLDataType){code, bits, 1}; }

static DLDataType dtype_of(scene *made, const char *doc) {
  if (strncmp(doc, "f32, one", 8) == 0) {
    return type_of(kDLFloat, 32);
  }
  if (says(doc, "the cache dtype") || says(doc, "the dtype of key_cache")) {
    return made->cache;
  }
  if (says(doc, "or codes")) {
    return next_rarely(made->given, 2) ? type_of(kDLUInt, 8) : made->scalar;
  }
  if (says(doc, "int64 or int32")) {
    return type_of(kDLInt, next_rarely(made->given, 3) ? 32 : 64);
  }
  if (says(doc, ", int64")) {
    return type_of(kDLInt, 64);
  }
  if (says(doc, ", uint64")) {
    return type_of(kDLUInt, 64);
  }
  if (says(doc, ", int16")) {
    return type_of(kDLInt, 16);
  }
  if (says(doc, ", int32")) {
    return type_of(kDLInt, 32);
  }
  if (says(doc, "f32, f16") || says(doc, "the dtype of") || says(doc, "dtype and bytes of")) {
    return made->scalar;
  }
  if (says(doc, "int8") || says(doc, "codes")) {
    return made->cache.bits == 8 ? made->cache : type_of(kDLUInt, 8);
  }
  if (says(doc, "f32")) {
    return type_of(kDLFloat, 32);
  }
  const char *other = doc_behind(made->op, doc, "], else as ");
  other = other != NULL ? other : doc_behind(made->op, doc, "], as ");
  return other != NULL ? dtype_of(made, other) : made->scalar;
}

/* One of the quoted words of an argument's text. */
static void choose_word(scene *made, int32_t argument) {
  const char *doc = doc_of(made->op, made->op->arguments[argument].doc);
  const char *words[MAX_WORDS];
  size_t lengths[MAX_WORDS];
  int count = 0;
  for (const char *at = strchr(doc, '\''); at != NULL && count < MAX_WORDS; at = strchr(at, '\'')) {
    words[count] = at + 1;
    lengths[count] = strcspn(at + 1, "'");
    at += lengths[count++] + 1;
    at += *at == '\'';
  }
  if (count > 0) {
    const int chosen = (int)next_below(made->given, count);
    (void)snprintf(made->words[argument], sizeof made->words[argument], "%.*s",
                   (int)lengths[chosen], words[chosen]);
  }
  if (*made->word == '\0' || strcmp(made->op->arguments[argument].name, "kv_cache_dtype") == 0) {
    made->word = made->words[argument];
  }
}

/* Mostly one that the library has code for. */
static DLDataType choose_scalar(scene *made) {
  const DLDataType scalars[] = {type_of(kDLBfloat, 16), type_of(kDLFloat, 32),
                                type_of(kDLFloat, 16)};
  const DLDataType any = scalars[next_below(made->given, 3)];
  const unsigned first = next_byte(made->given);
  if (next_rarely(made->given, 16)) {
    return any;
  }
  for (int32_t i = 0; i < made->op->num_variants; ++i) {
    const kvf_variant *row =
        &made->op->variants[(first + (unsigned)i) % (unsigned)made->op->num_variants];
    if (row->backend == made->memory->backend && kvf_variant_built(row)) {
      return row->values[0] == KVF_F32    ? scalars[1]
             : row->values[0] == KVF_F16  ? scalars[2]
             : row->values[0] == KVF_BF16 ? scalars[0]
                                          : any;
    }
  }
  return any;
}

static void choose_dtypes(scene *made) {
  made->scalar = choose_scalar(made);
  made->cache = type_of(kDLUInt, 8);
  for (int32_t i = 0; i < made->op->num_arguments; ++i) {
    const kvf_argument *argument = &made->op->arguments[i];
    if (argument->kind == KVF_KIND_STRING) {
      choose_word(made, i);
    }
    made->addresses |= says(argument->doc, "address");
  }
  if (strcmp(made->word, "auto") == 0) {
    made->cache = made->scalar;
  } else if (strncmp(made->word, "int8", 4) == 0) {
    made->cache = type_of(kDLInt, 8);
  } else if (strncmp(made->word, "fp8", 3) == 0 && next_rarely(made->given, 3)) {
    made->cache = type_of(says(made->word, "e5m2") ? kDLFloat8_e5m2 : kDLFloat8_e4m3fn, 8);
  }
  made->known = (sizes){.seed = next_number(made->given)};
  if (says(made->word, "ds_mla") || says(made->op->name, "upconvert")) {
    made->known.count = 2;
    (void)strcpy(made->known.names[0], "kv_lora_rank");
    made->known.values[0] = 512;
    (void)strcpy(made->known.names[1], "rope_dim");
    made->known.values[1] = 64;
  }
  if (next_rarely(made->given, 2)) { /* some ops want heads of values as large as those of keys */
    const int64_t head_size = size_named(&made->known, "head_size");
    (void)strcpy(made->known.names[made->known.count], "value_head_size");
    made->known.values[made->known.count++] = head_size;
  }
  const int at = made->known.count++;
  (void)strcpy(made->known.names[at], "x");
  made->known.values[at] = 128 / made->cache.bits;
}

/* ---- tensors
 * -------------------------------------------------------------------------------------
 */

static int64_t bytes_of(DLDataType dtype) { return ((int64_t)dtype.bits * dtype.lanes + 7) / 8; }

static void make_strides(scene *made, operand *tensor) {
  int order[MAX_RANK];
  const int rank = tensor->dl.ndim;
  if (made->like != NULL && !next_rarely(made->given, 16)) { /* layers are mostly alike */
    memcpy(tensor->strides, made->like->strides, sizeof tensor->strides);
    return;
  }
  for (int i = 0; i < rank; ++i) {
    order[i] = i;
  }
  const unsigned kind = next_byte(made->given) % 8; /* mostly compact */
  if (kind == 6 && rank >= 2) {                     /* two dimensions change places */
    const int a = (int)next_below(made->given, rank);
    const int b = (int)next_below(made->given, rank);
    const int kept = order[a];
    order[a] = order[b];
    order[b] = kept;
  }
  int64_t stride = 1;
  for (int i = rank - 1; i >= 0; --i) {
    tensor->strides[order[i]] = stride;
    stride *= tensor->shape[order[i]] > 1 ? tensor->shape[order[i]] : 1;
    stride += kind == 7 ? next_below(made->given, 3) : 0; /* gaps */
  }
}

/* One thing about a tensor becomes another. */
static void bend(scene *made, operand *tensor) {
  const int rank = tensor->dl.ndim;
  const int at = (int)next_below(made->given, rank > 0 ? rank : 1);
  switch (next_byte(made->given) % 14) {
  case 0:
    tensor->dl.ndim = rank > 0 ? rank - 1 : 1;
    break;
  case 1:
    tensor->dl.ndim = rank < MAX_RANK ? rank + 1 : rank;
    break;
  case 2:
    tensor->dl.ndim = next_rarely(made->given, 2) ? -1 : INT32_MIN;
    break;
  case 3:
    tensor->dl.ndim = 0;
    break;
  case 4:
    tensor->shape[at] = extreme(made);
    break;
  case 5:
    tensor->shape[at] ^= 1;
    break;
  case 6: /* what is 0 at one place may be anything at the others */
    tensor->shape[at] = 0;
    tensor->shape[(at + 1) % MAX_RANK] = extreme(made);
    break;
  case 7:
    tensor->strides[at] = extreme(made);
    break;
  case 8: /* the stride of a dimension of 1 is nobody's */
    tensor->shape[at] = 1;
    tensor->strides[at] = extreme(made);
    break;
  case 9:
    tensor->dl.dtype = (DLDataType){(uint8_t)(next_byte(made->given) % 20),
                                    (uint8_t)(4 << next_byte(made->given) % 6),
                                    (uint16_t)(next_rarely(made->given, 3) ? 2 : 1)};
    break;
  case 10:
    tensor->dl.dtype.lanes = (uint16_t)next_byte(made->given);
    break;
  case 11:
    tensor->dl.device =
        (DLDevice){(DLDeviceType)(next_byte(made->given) % 20), (int32_t)extreme(made)};
    break;
  case 12:
    tensor->dl.byte_offset = next_byte(made->given) % 16;
    break;
  default:
    tensor->dl.strides = NULL;
    break;
  }
}

typedef struct extent {
  __int128 least; /* bytes from the element at index 0 */
  __int128 most;  /* the end of the last element */
  bool empty;
  bool many; /* more elements than can be touched in the time there is */
} extent;

static extent extent_of(const operand *tensor) {
  const int64_t bytes = bytes_of(tensor->dl.dtype);
  extent reach = {.most = bytes};
  __int128 compact = bytes;
  __int128 elements = 1;
  const int rank = tensor->dl.ndim < 0 || tensor->dl.ndim > MAX_RANK ? 0 : tensor->dl.ndim;
  for (int i = rank - 1; i >= 0; --i) {
    const int64_t size = tensor->shape[i];
    reach.empty = reach.empty || size <= 0;
    if (reach.empty) {
      return reach;
    }
    const bool given = tensor->dl.strides != NULL;
    __int128 step = given ? (__int128)tensor->strides[i] * bytes : compact;
    step = step > FAR_BYTES ? FAR_BYTES : step < -FAR_BYTES ? -FAR_BYTES : step;
    step *= size - 1; /* what is FAR_BYTES away is out of reach however far it is */
    reach.least += step < 0 ? step : 0;
    reach.most += step > 0 ? step : 0;
    compact = compact > FAR_BYTES ? compact : compact * size;
    elements = elements > FAR_BYTES ? elements : elements * size;
  }
  reach.many = elements > FAR_ELEMENTS;
  return reach;
}

/* Fills `size` bytes with what a tensor of this text would hold. */
static void fill(scene *made, uint8_t *to, size_t size, const char *name, const char *doc,
                 DLDataType dtype, bool index) {
  if (made->addresses && dtype.bits == 64) {
    const bool lengths = strcmp(name, "sizes") == 0;
    const bool negative = lengths && next_rarely(made->given, 32);
    const bool addresses = says(doc, "address") && !lengths;
    for (size_t i = 0; i + 8 <= size; i += 8) {
      int64_t value = (int64_t)(random_of(made) % 64) * (lengths ? 1 : 8);
      value = negative && i == 0 ? -value : value;
      if (addresses) {
        value = (int64_t)(uintptr_t)made->scratch +
                (strcmp(name, "kv_cache_ptrs") == 0 ? 0 : value + (name[0] == 'd' ? 4096 : 0));
      }
      if (addresses || lengths) {
        memcpy(to + i, &value, 8);
        continue;
      }
      const int64_t slots =
          size_named(&made->known, "num_blocks") * size_named(&made->known, "block_size");
      value = (int64_t)(random_of(made) % (uint64_t)(slots > 0 ? slots : 1));
      memcpy(to + i, &value, 8);
    }
    return;
  }
  if (!index) {
    const bool tame = !next_rarely(made->given, 4);
    for (size_t i = 0; i + 4 <= size; i += 4) {
      const uint64_t word = random_of(made);
      const float number = (float)(word % 2048) / 512.0F - 2.0F;
      if (tame && dtype.bits == 32) {
        memcpy(to + i, &number, 4);
      } else {
        memcpy(to + i, &word, 4);
      }
    }
    return;
  }
  const size_t bytes = dtype.bits == 64 ? 8 : 4;
  const int64_t pages = size_named(&made->known, "num_blocks");
  int64_t limit = pages;
  if (strncmp(name, "slot", 4) == 0) {
    limit = pages * size_named(&made->known, "block_size");
  } else if (says(name, "lens") || says(name, "starts")) {
    limit = size_named(&made->known, "width") * size_named(&made->known, "block_size");
  } else if (says(name, "to_seq")) {
    limit = size_named(&made->known, "num_sequences");
  } else if (says(name, "positions")) {
    limit = size_named(&made->known, "num_positions");
  }
  const bool ascending = says(doc, "ascending");
  const int64_t bad = next_rarely(made->given, 5) ? next_below(made->given, 8) : -1;
  const int64_t value_of_bad = next_rarely(made->given, 3) ? limit : extreme(made);
  int64_t before = 0;
  for (size_t i = 0; i + bytes <= size; i += bytes) {
    int64_t value = (int64_t)(random_of(made) % (uint64_t)(limit > 0 ? limit + 1 : 1));
    value = value == limit ? -1 : value; /* once in a while, padding */
    if (ascending) {
      value = before;
      before += (int64_t)(random_of(made) % 3);
    } else if (says(name, "lens") && value < 0) {
      value = limit;
    }
    value = (int64_t)(i / bytes) == bad ? value_of_bad : value;
    if (bytes == 8) {
      memcpy(to + i, &value, 8);
    } else {
      const int32_t narrow = (int32_t)value;
      memcpy(to + i, &narrow, 4);
    }
  }
}

/* Memory for exactly what the tensor can reach; none when there cannot be that much. */
static void place(scene *made, operand *tensor, int number, const char *name, const char *doc) {
  const extent reach = extent_of(tensor);
  const __int128 offset = (__int128)tensor->dl.byte_offset;
  const __int128 span = reach.most - reach.least + offset;
  const bool index = tensor->dl.dtype.code == kDLInt && tensor->dl.dtype.bits >= 32;
  if (reach.empty || span > OPERAND_BYTES) {
    uint8_t *far = made->memory->far;
    if (!reach.empty && far != NULL && !tensor->on_host && !reach.many && span < FAR_BYTES) {
      tensor->dl.data = far - (int64_t)reach.least;
      made->far = true;
    }
    return;
  }
  tensor->size = span > 0 ? (size_t)span : 1; /* elements may have no lanes */
  tensor->before = contents[number];
  fill(made, tensor->before, tensor->size, name, doc, tensor->dl.dtype, index);
  uint8_t *start = made->memory->take(number, tensor->before, tensor->size, tensor->on_host);
  tensor->dl.data = start != NULL ? start - (int64_t)reach.least : NULL;
}

static const DLTensor *make_tensor(scene *made, const kvf_argument *argument) {
  if (made->count == MAX_OPERANDS - 1) { /* the last place is the scratch */
    return NULL;
  }
  const int number = made->count++;
  operand *tensor = &made->operands[number];
  const char *doc = doc_of(made->op, argument->doc);
  *tensor = (operand){.name = argument->name,
                      .written = argument->mutated,
                      .on_host = says(doc, "on the CPU") || says(doc, "in host memory")};
  const bool cuda = made->memory->backend == KVF_CUDA && !tensor->on_host;
  tensor->dl = (DLTensor){.device = {cuda ? kDLCUDA : kDLCPU, 0},
                          .dtype = dtype_of(made, doc),
                          .shape = tensor->shape,
                          .strides = tensor->strides};
  for (int i = 0; i < MAX_RANK; ++i) {
    tensor->shape[i] = 1;
  }
  int rank = shape_of(&made->known, doc, tensor->shape);
  if (rank < 0) { /* any shape */
    rank = 1 + (int)(made->known.seed % 3);
    for (int i = 0; i < rank; ++i) {
      tensor->shape[i] = 1 + (int64_t)(made->known.seed >> (8 * i + 8) % 64 & 15);
    }
  }
  if (says(doc, "one element") && !next_rarely(made->given, 3)) {
    rank = (int)next_below(made->given, 2);
    tensor->shape[0] = 1;
  }
  if (says(made->word, "ds_mla") && strcmp(argument->name, "kv_cache") == 0) {
    tensor->shape[2] = made->word[0] == 'f' ? 656 : 352;
  }
  tensor->dl.ndim = rank;
  make_strides(made, tensor);
  for (int i = 0; i < 2 && next_rarely(made->given, 10); ++i) {
    bend(made, tensor);
  }
  place(made, tensor, number, argument->name, doc);
  if (next_rarely(made->given, 60)) {
    tensor->dl.shape = NULL;
  } else if (next_rarely(made->given, 60)) {
    return NULL;
  }
  return &tensor->dl;
}

/* ---- the call
 * ------------------------------------------------------------------------------------
 */

static int64_t make_int(scene *made, const char *name) {
  const int64_t entry =
      size_named(&made->known, "kv_lora_rank") + size_named(&made->known, "rope_dim");
  int64_t value = size_named(&made->known, name);
  if (strcmp(name, "region_stride") == 0 || strcmp(name, "max_union_rows") == 0) {
    value = size_named(&made->known, "hot_size");
  } else if (strcmp(name, "resident_block_size") == 0 ||
             strcmp(name, "attention_block_stride") == 0) {
    value = size_named(&made->known, "block_size");
  } else if (strcmp(name, "entry_stride") == 0) {
    value = entry;
  } else if (strcmp(name, "block_stride") == 0) {
    value = entry * size_named(&made->known, "block_size");
  }
  if (!made->addresses && next_rarely(made->given, 12)) {
    return next_rarely(made->given, 2) ? extreme(made) : value + 1;
  }
  return value;
}

static double make_float(scene *made) {
  static const double others[] = {0.0, -1.0, 1e-50, 1e300, 1e-45, -0.0, 65504.0};
  const unsigned choice = next_byte(made->given) % 32;
  if (choice == 31) {
    return __builtin_nan("");
  }
  if (choice == 30) {
    return __builtin_inf();
  }
  return choice < sizeof others / sizeof *others ? others[choice] : 0.25;
}

static const char *make_string(scene *made, int position) {
  static const char *const others[] = {NULL,   "",        "auto",  "fp8",        "fp8_e4m3 ",
                                       "int8", "no_such", "nvfp4", "fp8_ds_mla", "bfloat16"};
  if (!next_rarely(made->given, 16)) {
    return made->words[position];
  }
  return others[next_below(made->given, sizeof others / sizeof *others)];
}

/* Whether an optional argument is left out: one that "goes with" an earlier one as that was. */
static bool is_left_out(scene *made, const kvf_argument *argument, const kvf_value *before,
                        int count) {
  static const char words[] = "goes with ";
  const char *at = strstr(argument->doc, words);
  for (int i = 0; at != NULL && i < count; ++i) {
    const char *name = made->op->arguments[i].name;
    if (strncmp(at + strlen(words), name, strlen(name)) == 0) {
      return before[i].kind == KVF_KIND_NONE;
    }
  }
  return next_rarely(made->given, 2) != 0;
}

static kvf_value make_value(scene *made, int position, const kvf_value *before) {
  const kvf_argument *argument = &made->op->arguments[position];
  kvf_value value = {.kind = argument->kind};
  const bool unused = strncmp(argument->doc, "none", 4) == 0 && !next_rarely(made->given, 8);
  if ((argument->optional && (unused || is_left_out(made, argument, before, position))) ||
      next_rarely(made->given, 100)) {
    return (kvf_value){.kind = KVF_KIND_NONE};
  }
  switch (argument->kind) {
  case KVF_KIND_TENSOR:
    value.as.tensor = make_tensor(made, argument);
    break;
  case KVF_KIND_TENSOR_LIST:
    value.as.tensors.size = strncmp(argument->doc, "none", 4) == 0 && !next_rarely(made->given, 8)
                                ? 0
                                : size_named(&made->known, "num_layers");
    for (int64_t i = 0; i < value.as.tensors.size && i < LIST; ++i) {
      const operand *first = &made->operands[made->count];
      lists[position][i] = make_tensor(made, argument);
      made->like = i == 0 ? first : made->like;
    }
    made->like = NULL;
    value.as.tensors.data = next_rarely(made->given, 60) ? NULL : lists[position];
    if (next_rarely(made->given, 20)) {
      value.as.tensors.size = next_rarely(made->given, 2) ? 0 : -1;
    }
    break;
  case KVF_KIND_INT:
    value.as.integer = make_int(made, argument->name);
    break;
  case KVF_KIND_FLOAT:
    value.as.number = make_float(made);
    break;
  case KVF_KIND_BOOL:
    value.as.boolean = next_rarely(made->given, 2) != 0;
    break;
  case KVF_KIND_STRING:
    value.as.string = make_string(made, position);
    break;
  case KVF_KIND_NONE:
    break;
  }
  if (next_rarely(made->given, 200)) {
    value = (kvf_value){.kind = (kvf_kind)(next_byte(made->given) % 9)};
  }
  return value;
}

static void describe(const scene *made, kvf_status status) {
  (void)fprintf(stderr, "%s, kv_cache_dtype '%s': %s: %s\n", made->op->name, made->word,
                kvf_status_name(status), status != KVF_OK ? kvf_last_error() : "");
  for (int i = 0; i < made->count; ++i) {
    const operand *tensor = &made->operands[i];
    (void)fprintf(stderr, "  %s: data %p, dtype %d/%d/%d, device %d/%d, offset %" PRIu64 ", [",
                  tensor->name, tensor->dl.data, tensor->dl.dtype.code, tensor->dl.dtype.bits,
                  tensor->dl.dtype.lanes, (int)tensor->dl.device.device_type,
                  tensor->dl.device.device_id, tensor->dl.byte_offset);
    for (int k = 0; k < MAX_RANK && k < tensor->dl.ndim; ++k) {
      (void)fprintf(stderr, " %" PRId64 ":%" PRId64, tensor->shape[k], tensor->strides[k]);
    }
    (void)fprintf(stderr, " ] of rank %d\n", tensor->dl.ndim);
  }
}

static void blame(const scene *made, kvf_status status, const char *why) {
  (void)fprintf(stderr, "FAULT: %s\nin the call of seed %" PRIu64 "\n", why, made->memory->seed);
  describe(made, status);
  abort();
}

static void judge(const scene *made, kvf_status status) {
  static uint8_t after[OPERAND_BYTES];
  const char *fault = made->memory->synchronize();
  if (fault != NULL) {
    blame(made, status, fault);
  }
  if ((unsigned)status > KVF_OUT_OF_MEMORY || (status != KVF_OK && *kvf_last_error() == '\0')) {
    blame(made, status, "a status without a name or a sentence");
  }
  for (int i = 0; i < made->count; ++i) {
    const operand *tensor = &made->operands[i];
    const bool fixed = status != KVF_OK || !tensor->written;
    if (fixed && tensor->before != NULL && tensor->dl.data != NULL) {
      made->memory->read(i, after, tensor->size);
      if (memcmp(after, tensor->before, tensor->size) != 0) {
        char why[96];
        (void)snprintf(why, sizeof why, "bytes of %s changed that must not", tensor->name);
        blame(made, status, why);
      }
    }
  }
}

static kvf_exec make_exec(scene *made, bool *absent) {
  kvf_exec exec = {.backend = made->memory->backend};
  const unsigned choice = next_byte(made->given);
  *absent = choice % 2 == 0 && !(made->op->host_arguments && exec.backend == KVF_CUDA);
  if (choice % 16 == 15 && !made->op->host_arguments) {
    exec.backend = (kvf_backend)(int)extreme(made);
  } else if (choice % 16 == 13 && !made->op->host_arguments) {
    exec.device = (int32_t)extreme(made);
  }
  static const int32_t threads[] = {0, 1, 2, -1, INT32_MAX, INT32_MIN};
  exec.num_threads = threads[next_below(made->given, 6)];
  return exec;
}

kvf_status hostile_call(choices *given, const hostile_memory *memory) {
  scene *made = &now;
  made->given = given;
  made->memory = memory;
  made->op = kvf_get_op((int32_t)next_below(given, kvf_num_ops()));
  made->count = 0;
  memset(made->words, 0, sizeof made->words);
  made->word = "";
  made->addresses = made->far = false;
  choose_dtypes(made);
  made->random = made->known.seed;
  if (made->addresses) {
    memset(contents[MAX_OPERANDS - 1], 0, OPERAND_BYTES);
    made->scratch =
        memory->take(MAX_OPERANDS - 1, contents[MAX_OPERANDS - 1], OPERAND_BYTES, false);
  }
  bool absent = false;
  const kvf_exec exec = make_exec(made, &absent);
  kvf_value values[MAX_ARGUMENTS];
  for (int i = 0; i < made->op->num_arguments; ++i) {
    values[i] = make_value(made, i, values);
  }
  int32_t count = made->op->num_arguments;
  if (next_rarely(given, 50)) {
    count = next_rarely(given, 2) ? count - 1 : (int32_t)extreme(made);
    count = count > made->op->num_arguments ? made->op->num_arguments + 1 : count;
  }
  const kvf_status status = kvf_call(made->op, absent ? NULL : &exec, values, count);
  judge(made, status);
  if (made->far) {
    memory->forget_far();
  }
  return status;
}
