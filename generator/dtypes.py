"""The dtype tokens that symbols, enums, C types and DLPack codes come from. Families add formats.

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
    codes: str = (
        ""  # of a format: the token of the dtype that its elements are, if it is another one
    )
    scales: str = ""  # of a format: "row", "block" or "inner" where each has a scale of its own
    rounding: str = ""  # of a format: "away" where codes that lie half way go away from 0

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
        """A scale for each row, in a tensor of its own."""
        return self.scales == "row"

    @property
    def has_block_scales(self) -> bool:
        """A scale for every few elements, behind their codes."""
        return self.scales == "block"

    @property
    def has_inner_scales(self) -> bool:
        """A scale for every few elements, in front of their codes."""
        return self.scales == "inner"

    @property
    def codec(self) -> str:
        """The token in the names of the functions that decode one element."""
        return self.codes or self.token

    @property
    def encoder(self) -> str:
        """The same of those that encode one."""
        return "_".join(filter(None, [self.codec, self.rounding]))


DTYPES: tuple[DType, ...] = (
    DType("f32", 1, 32, DL_FLOAT, "float", "float", "IEEE binary32"),
    DType("f16", 2, 16, DL_FLOAT, "uint16_t", "float", "IEEE binary16"),
    DType("bf16", 3, 16, DL_BFLOAT, "uint16_t", "float", "the upper half of a binary32"),
    DType("fp8_e4m3", 4, 8, DL_E4M3FN, "uint8_t", "fp8", "OCP E4M3 fn: largest 448, no infinity"),
    DType("fp8_e5m2", 5, 8, DL_E5M2, "uint8_t", "fp8", "OCP E5M2: largest finite 57344"),
    DType("b8", 6, 8, DL_UINT, "uint8_t", "bytes", "bytes, moved as they are"),
    DType("int8", 7, 8, DL_INT, "int8_t", "format", "integers from -128 to 127 with a scale"),
)

BY_TOKEN: dict[str, DType] = {dtype.token: dtype for dtype in DTYPES}
