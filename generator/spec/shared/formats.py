"""The formats of caches, beside the dtypes of generator/dtypes.py, in one enum with them.

Enum values are part of the C ABI: never change or reuse one, only add.
"""

from __future__ import annotations

import dataclasses
from functools import partial

from generator.dtypes import DL_E4M3FN, DL_INT, DL_UINT, DType

_bytes = partial(DType, bits=8, dl_code=DL_UINT, c_type="uint8_t", kind="format")

NVFP4 = _bytes("nvfp4", 8, doc="E2M1 pairs with an E4M3 scale per 16", scales="block")
FP8_DS_MLA_F32 = _bytes(
    "fp8_ds_mla_f32", 9, doc="656-byte MLA rows, any f32 scale", codes="fp8_e4m3"
)
FP8_DS_MLA = _bytes("fp8_ds_mla", 10, doc="the same, power-of-two scales", codes="fp8_e4m3")
NVFP4_DS_MLA = _bytes("nvfp4_ds_mla", 11, doc="352-byte MLA rows of E2M1")
FP8_INDEXER = _bytes("fp8_indexer", 12, doc="E4M3 pages, f32 scales behind", codes="fp8_e4m3")
FP8_INDEXER_UE8M0 = _bytes(
    "fp8_indexer_ue8m0", 13, doc="the same, power-of-two scales", codes="fp8_e4m3"
)
INT8_PER_TOKEN_HEAD = DType(
    "int8_per_token_head",
    14,
    8,
    DL_INT,
    "int8_t",
    "format",
    "int8, a scale per token and head",
    codes="int8",
    scales="row",
    rounding="away",
)
FP8_PER_TOKEN_HEAD = DType(
    "fp8_per_token_head",
    15,
    8,
    DL_E4M3FN,
    "uint8_t",
    "format",
    "E4M3, a scale per token and head",
    codes="fp8_e4m3",
    scales="row",
)
NVFP4_4OVER6 = _bytes("nvfp4_4over6", 16, doc="nvfp4, the better of two scales", scales="block")
FP8_INDEXER_MXFP8 = _bytes(
    "fp8_indexer_mxfp8", 17, doc="the same, exponents of the scales", codes="fp8_e4m3"
)
INT4_PER_TOKEN_HEAD = _bytes(
    "int4_per_token_head",
    18,
    doc="int4 pairs, rotated, a scale and a zero per token and head",
    codes="int4",
    scales="row",
)
Q8_0 = _bytes("q8_0", 19, doc="ggml's blocks of an f16 scale and 32 int8", scales="inner")
Q4_0 = _bytes("q4_0", 20, doc="ggml's blocks of an f16 scale and 32 int4", scales="inner")
INT8_PER_TOKEN_HEAD_EVEN = dataclasses.replace(
    INT8_PER_TOKEN_HEAD,
    token="int8_per_token_head_even",
    value=21,
    doc="the same, halves rounded to even",
    rounding="",
)

FORMATS = (
    NVFP4,
    FP8_DS_MLA_F32,
    FP8_DS_MLA,
    NVFP4_DS_MLA,
    FP8_INDEXER,
    FP8_INDEXER_UE8M0,
    INT8_PER_TOKEN_HEAD,
    FP8_PER_TOKEN_HEAD,
    NVFP4_4OVER6,
    FP8_INDEXER_MXFP8,
    INT4_PER_TOKEN_HEAD,
    Q8_0,
    Q4_0,
    INT8_PER_TOKEN_HEAD_EVEN,
)
