"""The dtype tokens: the one table that symbols, enums, C types and DLPack codes come from.

Enum values are part of the C ABI: never change or reuse one, only add.
"""

from __future__ import annotations

from dataclasses import dataclass

# DLPack type codes (dlpack.h, DLDataTypeCode).
DL_INT, DL_UINT, DL_FLOAT, DL_BFLOAT, DL_E4M3FN, DL_E5M2 = 0, 1, 2, 4, 10, 12


@dataclass(frozen=True)
class DType:
    """One token of the table of words."""

    token: str  # as it stands in symbols
    value: int  # of the kvf_dtype enumerator
    bits: int  # of one stored element
    dl_code: int  # DLPack type code; uint8 is accepted for fp8 too
    c_type: str  # of one stored element in kernels, which move 16-bit floats as bits
    kind: str  # "float", "fp8", "bytes" (moved as they are) or "format" (an op's own row format)
    doc: str

    @property
    def enum(self) -> str:
        return f"KVF_{self.token.upper()}"

    @property
    def bytes(self) -> int:
        return self.bits // 8

    @property
    def is_float(self) -> bool:
        return self.kind == "float"

    @property
    def is_bytes(self) -> bool:
        return self.kind == "bytes"

    @property
    def is_fp8(self) -> bool:
        return self.kind == "fp8"

    @property
    def has_row_scales(self) -> bool:
        """A scale for each head of each token, in a tensor of its own."""
        return self.token.endswith("_per_token_head")

    @property
    def has_block_scales(self) -> bool:
        """A scale for every few elements, behind the codes of a page."""
        return self.token == "nvfp4"

    @property
    def codec(self) -> str:
        """The token in the names of the functions that encode one element: a format's codes are
        those of the dtype that it is made of."""
        made_of = {"fp8": "fp8_e4m3", "int8": "int8"}
        family = self.token.split("_")[0]
        return made_of.get(family, self.token) if self.kind == "format" else self.token


DTYPES: tuple[DType, ...] = (
    DType("f32", 1, 32, DL_FLOAT, "float", "float", "IEEE binary32"),
    DType("f16", 2, 16, DL_FLOAT, "uint16_t", "float", "IEEE binary16"),
    DType("bf16", 3, 16, DL_BFLOAT, "uint16_t", "float", "the upper half of a binary32"),
    DType("fp8_e4m3", 4, 8, DL_E4M3FN, "uint8_t", "fp8", "OCP E4M3 fn: largest 448, no infinity"),
    DType("fp8_e5m2", 5, 8, DL_E5M2, "uint8_t", "fp8", "OCP E5M2: largest finite 57344"),
    DType("b8", 6, 8, DL_UINT, "uint8_t", "bytes", "bytes, moved as they are"),
    DType("int8", 7, 8, DL_INT, "int8_t", "format", "integers from -128 to 127 with a scale"),
    DType("nvfp4", 8, 8, DL_UINT, "uint8_t", "format", "E2M1 pairs with an E4M3 scale per 16"),
    DType("fp8_ds_mla", 9, 8, DL_UINT, "uint8_t", "format", "656-byte MLA rows, any f32 scale"),
    DType("fp8_ds_mla_ue8m0", 10, 8, DL_UINT, "uint8_t", "format", "the same, power-of-two scales"),
    DType("nvfp4_ds_mla", 11, 8, DL_UINT, "uint8_t", "format", "352-byte MLA rows of E2M1"),
    DType("fp8_indexer", 12, 8, DL_UINT, "uint8_t", "format", "E4M3 pages, f32 scales behind"),
    DType(
        "fp8_indexer_ue8m0", 13, 8, DL_UINT, "uint8_t", "format", "the same, power-of-two scales"
    ),
    DType(
        "int8_per_token_head", 14, 8, DL_INT, "int8_t", "format", "int8, a scale per token and head"
    ),
    DType(
        "fp8_per_token_head",
        15,
        8,
        DL_E4M3FN,
        "uint8_t",
        "format",
        "E4M3, a scale per token and head",
    ),
    DType("nvfp4_4over6", 16, 8, DL_UINT, "uint8_t", "format", "nvfp4, the better of two scales"),
)

BY_TOKEN: dict[str, DType] = {dtype.token: dtype for dtype in DTYPES}

# kv_cache_dtype strings that are not a token. None: the scalar dtype, whatever it is.
CACHE_ALIASES: dict[str, str | None] = {
    "auto": None,
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "fp8": "fp8_e4m3",
}
