"""Writes upconvert_<format>.txt: rows of sparse MLA caches, and the floats that gathers make of them.

    python3 tests/golden/make_upconvert.py fp8_ds_mla >tests/golden/upconvert_fp8_ds_mla.txt
    python3 tests/golden/make_upconvert.py nvfp4_ds_mla >tests/golden/upconvert_nvfp4_ds_mla.txt

With exact fractions, from the definition of the formats; nothing is shared with the library.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator
from fractions import Fraction

from ds_mla import BF16, E2M1, E4M3, F16, F32, LATENT, NAN, ROPE, Format, Number, f32, show

FORMS = (F32, F16, BF16)


def product(a: Number, b: Number) -> Number:
    """The binary32 product."""
    negative = a.negative != b.negative
    zero = Fraction(0)
    if a.is_nan or b.is_nan or (a.infinite and b.magnitude == zero):
        return NAN
    if (b.infinite and a.magnitude == zero) or (a.magnitude is None and b.magnitude == zero):
        return NAN
    if a.magnitude is None or b.magnitude is None:
        return Number(negative, None, infinite=True)
    magnitude = f32(a.magnitude * b.magnitude)
    if magnitude >= Fraction(2) ** 128:
        return Number(negative, None, infinite=True)
    return Number(negative, magnitude)


def rounded(form: Format, number: Number) -> int:
    """The code of the nearest number, ties to even, infinity beyond; NaN is all ones but the sign."""
    exponent_bits = form.bits - 1 - form.mantissa_bits
    infinity = (2**exponent_bits - 1) << form.mantissa_bits
    sign = int(number.negative) << (form.bits - 1)
    if number.is_nan:
        return 2 ** (form.bits - 1) - 1
    if number.magnitude is None:
        return infinity | sign
    exponent = 1 - form.bias
    while number.magnitude >= Fraction(2) ** (exponent + 1):
        exponent += 1
    steps = round(number.magnitude / Fraction(2) ** (exponent - form.mantissa_bits))
    code = ((exponent - 1 + form.bias) << form.mantissa_bits) + steps
    return min(code, infinity) | sign


def random_bytes(seed: int) -> Iterator[int]:
    """Bytes without end."""
    state = seed
    while True:
        state = (1103515245 * state + 12345) % 2**31
        yield state >> 16 & 255


def fp8_rows() -> list[bytes]:
    """Every code under ordinary scales; then scales at the edges: the smallest normal f32, a power
    of two, one that overflows bf16 and f16, infinity; then 0, a NaN, a subnormal, a negative."""
    source = random_bytes(7)
    scales = [
        [0.0078125, 1.0, 0.1, 3.1415927],
        [2.0**-126, 2.0**-13, 7.5e35, float("inf")],
        [0.0, float("nan"), 1e-40, -0.3],
    ]
    rows = []
    for row, tiles in enumerate(scales):
        codes = bytes((37 * i + row + i // 256) % 256 for i in range(LATENT))
        rope = bytes(next(source) for _ in range(2 * ROPE))
        rows.append(codes + struct.pack("<4f", *tiles) + rope)
    return rows


def nvfp4_rows() -> list[bytes]:
    """Every pair of codes under every scale in the end, NaN among them."""
    source = random_bytes(11)
    rows = []
    for row in range(3):
        pairs = bytes((101 * i + 7 * row) % 256 for i in range(LATENT // 2))
        rope = bytes((53 * i + 64 * row) % 256 for i in range(ROPE))
        scales = bytearray(next(source) for _ in range(32))
        scales[row] = 0x7F
        rows.append(pairs + rope + bytes(scales))
    return rows


def fp8_values(row: bytes, form: Format) -> list[int]:
    """576 codes of the results."""
    words = struct.unpack_from("<4I", row, LATENT)
    scales = [F32.decode(word) for word in words]
    codes = [rounded(form, product(E4M3.decode(row[i]), scales[i // 128])) for i in range(LATENT)]
    rope = struct.unpack_from(f"<{ROPE}H", row, LATENT + 16)
    return codes + [bits << 16 if form is F32 else bits for bits in rope]


def nvfp4_values(row: bytes, form: Format) -> list[int]:
    """576 codes of the results."""
    codes = []
    for i in range(LATENT):
        group = i // 16
        scale = E4M3.decode(row[320 + 8 * (group % 4) + group // 4])
        code = row[i // 2] >> 4 if i % 2 else row[i // 2] & 15
        codes.append(rounded(form, product(E2M1.decode(code), scale)))
    return codes + [rounded(form, E4M3.decode(code)) for code in row[256:320]]


def main(name: str) -> None:
    """Prints the file of a format."""
    rows, values = (
        (fp8_rows(), fp8_values) if name == "fp8_ds_mla" else (nvfp4_rows(), nvfp4_values)
    )
    print("/*")
    print(f" * Rows of {name}, and what they are in f32, f16 and bf16, derived by")
    print(" * tests/golden/make_upconvert.py.")
    print(" */")
    show(f"upconvert_{name}_rows", b"".join(rows))
    for form in FORMS:
        letter = "I" if form is F32 else "H"
        data = b"".join(struct.pack(f"<576{letter}", *values(row, form)) for row in rows)
        show(f"upconvert_{name}_{form.name}", data)


if __name__ == "__main__":
    main(sys.argv[1])
