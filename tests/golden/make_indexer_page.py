"""Writes indexer_page.txt: keys, and the pages that indexer_k_quant_and_cache makes of them.

    python3 tests/golden/make_indexer_page.py >tests/golden/indexer_page.txt

Derived from the definition of the page with exact fractions. Shares nothing with the library; needs
nothing but Python's standard library.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from fractions import Fraction

TOKENS, HEAD_DIM, GROUP, BLOCK_SIZE, BLOCKS = 5, 64, 32, 4, 2
SLOTS = (6, 0, 3, -1, 4)
UNTOUCHED = 0xA5
GROUPS = HEAD_DIM // GROUP
ROW = HEAD_DIM + 4 * GROUPS


def e4m3_value(code: int) -> Fraction:
    """The value of a positive code: 4 exponent bits with bias 7, 3 mantissa bits."""
    exponent, mantissa = code >> 3, code & 7
    if exponent == 0:
        return Fraction(mantissa, 8) / 2**6
    return (1 + Fraction(mantissa, 8)) * Fraction(2) ** (exponent - 7)


E4M3 = [e4m3_value(code) for code in range(0x7F)]  # 0x7F is NaN


def e4m3(value: Fraction) -> int:
    """The nearest code, ties to the even one, saturating."""
    magnitude = abs(value)
    best = min(range(0x7F), key=lambda code: (abs(E4M3[code] - magnitude), code & 1))
    return best | (0x80 if value < 0 else 0)


def f32(value: Fraction) -> Fraction:
    """The nearest normal binary32, ties to even."""
    if value == 0:
        return value
    exponent = 0
    while abs(value) >= 2 * Fraction(2) ** exponent:
        exponent += 1
    while abs(value) < Fraction(2) ** exponent:
        exponent -= 1
    unit = Fraction(2) ** (exponent - 23)
    return round(value / unit) * unit  # Python rounds fractions half to even


def f32_bits(value: Fraction) -> bytes:
    """The binary32 as four bytes, little endian; the value must be one."""
    packed = struct.pack("<f", float(value))
    assert Fraction(struct.unpack("<f", packed)[0]) == value
    return packed


def power_of_two_from(value: Fraction) -> Fraction:
    """The smallest power of two that is not below."""
    power = Fraction(1)
    while power < value:
        power *= 2
    while power / 2 >= value:
        power /= 2
    return power


def keys() -> list[list[Fraction]]:
    """Groups of very different size, with zeros, ties, and a largest element that is exactly 448."""
    state = 12345
    rows = []
    for token in range(TOKENS):
        row = []
        for element in range(HEAD_DIM):
            state = (1103515245 * state + 12345) % 2**31
            size = Fraction(2) ** (5 * (2 * token + element // GROUP) - 24)
            row.append(f32(Fraction(state - 2**30, 2**30) * size))
        rows.append(row)
    rows[1][GROUP:] = [Fraction(0)] * GROUP
    rows[2][:8] = [Fraction(448), Fraction(-464), Fraction(17), Fraction(19), *[Fraction(1, 2)] * 4]
    rows[4][:4] = [Fraction(448), Fraction(17), Fraction(-19), Fraction(1, 1024)]
    rows[4][4:GROUP] = [Fraction(n * n, 2**10) for n in range(GROUP - 4)]
    return rows


def scale_of(group: Iterable[Fraction], form: str) -> Fraction:
    """max(largest magnitude, 1e-4) / 448, in binary32 at every step."""
    least = f32(Fraction(1, 10**4))
    scale = f32(max([*map(abs, group), least]) / 448)
    return scale if form == "plain" else power_of_two_from(scale)


def stored(scale: Fraction, form: str) -> bytes:
    """The four bytes of a scale: a binary32, or an E8M0 exponent, bias 127, in each of them."""
    if form != "exponents":
        return f32_bits(scale)
    return bytes([next(e for e in range(255) if Fraction(2) ** (e - 127) == scale)] * 4)


def pages(form: str) -> bytes:
    """All codes of a page, then all scales of it."""
    cache = bytearray([UNTOUCHED] * (BLOCKS * BLOCK_SIZE * ROW))
    for row, slot in zip(keys(), SLOTS, strict=True):
        if slot < 0:
            continue
        page = slot // BLOCK_SIZE * BLOCK_SIZE * ROW
        offset = slot % BLOCK_SIZE
        for j in range(GROUPS):
            group = row[j * GROUP : (j + 1) * GROUP]
            scale = scale_of(group, form)
            at = page + offset * HEAD_DIM + j * GROUP
            cache[at : at + GROUP] = bytes(e4m3(f32(value / scale)) for value in group)
            at = page + BLOCK_SIZE * HEAD_DIM + 4 * (offset * GROUPS + j)
            cache[at : at + 4] = stored(scale, form)
    return bytes(cache)


def show(name: str, data: bytes) -> None:
    """One array, as the body of a C initialiser."""
    print(f"GOLDEN({name},")
    for start in range(0, len(data), 16):
        end = "," if start + 16 < len(data) else ")"
        print("  " + ", ".join(f"0x{byte:02X}" for byte in data[start : start + 16]) + end)


def main() -> None:
    """Prints the file."""
    print("/*")
    print(" * An indexer cache, derived by tests/golden/make_indexer_page.py.")
    print(f" * {TOKENS} tokens of {HEAD_DIM} elements in groups of {GROUP}, slots {SLOTS};")
    print(
        f" * {BLOCKS} pages of {BLOCK_SIZE} tokens, 0x{UNTOUCHED:02X} wherever nothing is written."
    )
    print(" */")
    show("k_f32", b"".join(f32_bits(value) for row in keys() for value in row))
    show("pages_fp8_indexer", pages("plain"))
    show("pages_fp8_indexer_ue8m0", pages("powers"))
    show("pages_fp8_indexer_mxfp8", pages("exponents"))


if __name__ == "__main__":
    main()
