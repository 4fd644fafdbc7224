/*
 * Generated from templates/table/dtypes.h.j2 and generator/dtypes.py. Do not edit.
 * Regenerate: python3 -m generator
 */
#ifndef KVFORGE_DTYPES_H
#define KVFORGE_DTYPES_H

/* Scalar dtypes and cache dtypes. Values are stable. */
typedef enum kvf_dtype {
  KVF_DTYPE_NONE = 0,
  KVF_F32 = 1,      /* IEEE binary32 */
  KVF_F16 = 2,      /* IEEE binary16 */
  KVF_BF16 = 3,     /* the upper half of a binary32 */
  KVF_FP8_E4M3 = 4, /* OCP E4M3 fn: largest 448, no infinity */
  KVF_FP8_E5M2 = 5, /* OCP E5M2: largest finite 57344 */
  KVF_DTYPE_COUNT
} kvf_dtype;

/* X(enumerator, name, bits, DLPack type code) for every dtype, by value. */
#define KVF_DTYPES(X)                                                                              \
  X(KVF_F32, "f32", 32, 2)                                                                         \
  X(KVF_F16, "f16", 16, 2)                                                                         \
  X(KVF_BF16, "bf16", 16, 4)                                                                       \
  X(KVF_FP8_E4M3, "fp8_e4m3", 8, 10)                                                               \
  X(KVF_FP8_E5M2, "fp8_e5m2", 8, 12)

/*
 * X(string, enumerator) for every kv_cache_dtype string that is not a dtype's own name;
 * KVF_DTYPE_NONE stands for the scalar dtype, whatever it is.
 */
#define KVF_CACHE_ALIASES(X)                                                                       \
  X("auto", KVF_DTYPE_NONE)                                                                        \
  X("float32", KVF_F32)                                                                            \
  X("float16", KVF_F16)                                                                            \
  X("bfloat16", KVF_BF16)                                                                          \
  X("fp8", KVF_FP8_E4M3)

#endif
