/*
 * Generated from templates/table/dtypes.h.j2 and generator/dtypes.py, and the formats of its
 * family. Do not edit. Regenerate: python3 -m generator
 */
#ifndef KVFORGE_DTYPES_H
#define KVFORGE_DTYPES_H

/* What tensors hold: dtypes, and formats of the ops' family. Values are stable. */
typedef enum kvf_dtype {
  KVF_DTYPE_NONE = 0,
  KVF_F32 = 1,                  /* IEEE binary32 */
  KVF_F16 = 2,                  /* IEEE binary16 */
  KVF_BF16 = 3,                 /* the upper half of a binary32 */
  KVF_FP8_E4M3 = 4,             /* OCP E4M3 fn: largest 448, no infinity */
  KVF_FP8_E5M2 = 5,             /* OCP E5M2: largest finite 57344 */
  KVF_B8 = 6,                   /* bytes, moved as they are */
  KVF_INT8 = 7,                 /* integers from -128 to 127 with a scale */
  KVF_NVFP4 = 8,                /* E2M1 pairs with an E4M3 scale per 16 */
  KVF_FP8_DS_MLA_F32 = 9,       /* 656-byte MLA rows, any f32 scale */
  KVF_FP8_DS_MLA = 10,          /* the same, power-of-two scales */
  KVF_NVFP4_DS_MLA = 11,        /* 352-byte MLA rows of E2M1 */
  KVF_FP8_INDEXER = 12,         /* E4M3 pages, f32 scales behind */
  KVF_FP8_INDEXER_UE8M0 = 13,   /* the same, power-of-two scales */
  KVF_INT8_PER_TOKEN_HEAD = 14, /* int8, a scale per token and head */
  KVF_FP8_PER_TOKEN_HEAD = 15,  /* E4M3, a scale per token and head */
  KVF_NVFP4_4OVER6 = 16,        /* nvfp4, the better of two scales */
  KVF_FP8_INDEXER_MXFP8 = 17,   /* the same, exponents of the scales */
  KVF_INT4_PER_TOKEN_HEAD = 18, /* int4 pairs, rotated, a scale and a zero per token and head */
  KVF_Q8_0 = 19,                /* ggml's blocks of an f16 scale and 32 int8 */
  KVF_Q4_0 = 20,                /* ggml's blocks of an f16 scale and 32 int4 */
  KVF_INT8_PER_TOKEN_HEAD_EVEN = 21, /* the same, halves rounded to even */
  KVF_DTYPE_COUNT
} kvf_dtype;

/* X(enumerator, name, bits, DLPack type code) for every dtype, by value. */
#define KVF_DTYPES(X)                                                                              \
  X(KVF_F32, "f32", 32, 2)                                                                         \
  X(KVF_F16, "f16", 16, 2)                                                                         \
  X(KVF_BF16, "bf16", 16, 4)                                                                       \
  X(KVF_FP8_E4M3, "fp8_e4m3", 8, 10)                                                               \
  X(KVF_FP8_E5M2, "fp8_e5m2", 8, 12)                                                               \
  X(KVF_B8, "b8", 8, 1)                                                                            \
  X(KVF_INT8, "int8", 8, 0)                                                                        \
  X(KVF_NVFP4, "nvfp4", 8, 1)                                                                      \
  X(KVF_FP8_DS_MLA_F32, "fp8_ds_mla_f32", 8, 1)                                                    \
  X(KVF_FP8_DS_MLA, "fp8_ds_mla", 8, 1)                                                            \
  X(KVF_NVFP4_DS_MLA, "nvfp4_ds_mla", 8, 1)                                                        \
  X(KVF_FP8_INDEXER, "fp8_indexer", 8, 1)                                                          \
  X(KVF_FP8_INDEXER_UE8M0, "fp8_indexer_ue8m0", 8, 1)                                              \
  X(KVF_INT8_PER_TOKEN_HEAD, "int8_per_token_head", 8, 0)                                          \
  X(KVF_FP8_PER_TOKEN_HEAD, "fp8_per_token_head", 8, 10)                                           \
  X(KVF_NVFP4_4OVER6, "nvfp4_4over6", 8, 1)                                                        \
  X(KVF_FP8_INDEXER_MXFP8, "fp8_indexer_mxfp8", 8, 1)                                              \
  X(KVF_INT4_PER_TOKEN_HEAD, "int4_per_token_head", 8, 1)                                          \
  X(KVF_Q8_0, "q8_0", 8, 1)                                                                        \
  X(KVF_Q4_0, "q4_0", 8, 1)                                                                        \
  X(KVF_INT8_PER_TOKEN_HEAD_EVEN, "int8_per_token_head_even", 8, 0)

#endif
