"""Derives nvfp4_page.txt, pages of reshape_and_cache_flash_nvfp4, from the formats' definitions.

    python3 tests/golden/make_nvfp4_page.py > tests/golden/nvfp4_page.txt

Numbers are exact fractions, rounded to f32 after every operation; formats are tables of all their
values. Shares nothing with the library or its C tests.
"""

from __future__ import annotations

from fractions import Fraction

TOKENS, HEADS, SIZE, GROUP = 4, 2, 64, 16
SLOTS = (6, 4, 7, 5)  # block 1 of pages of 4 tokens, in another order
SCALES = {"k": Fraction(1, 16), "v": Fraction(0x3DCCCCCD & 0x7FFFFF | 1 << 23, 1 << 27)}  # f32 0.1


def bf16(bits: int) -> Fraction:
    """The value of a finite bf16."""
    exponent, mantissa = bits >> 7 & 0xFF, bits & 0x7F
    magnitude = Fraction(mantissa, 128) + (1 if exponent else 0)
    power = max(exponent, 1) - 127
    magnitude *= Fraction(2) ** power
    return -magnitude if bits >> 15 else magnitude


def f32(x: Fraction) -> Fraction:
    """The nearest f32, ties to even; normal numbers and zero only."""
    if x == 0:
        return x
    magnitude, power = abs(x), 0
    while magnitude >= 1 << 24:
        magnitude, power = magnitude / 2, power + 1
    while magnitude < 1 << 23:
        magnitude, power = magnitude * 2, power - 1
    assert -126 <= power + 23 <= 127
    whole = round(magnitude) * Fraction(2) ** power  # round() of a Fraction takes ties to even
    return -whole if x < 0 else whole


E4M3 = [
    Fraction(code & 7, 8) / 64
    if code < 8
    else (1 + Fraction(code & 7, 8)) * Fraction(2) ** ((code >> 3) - 7)
    for code in range(127)
]
E2M1 = [Fraction(n, 2) for n in (0, 1, 2, 3, 4, 6, 8, 12)]


def nearest(table: list[Fraction], x: Fraction) -> int:
    """The code of the value that is nearest to |x|, the even one of two."""
    return min(range(len(table)), key=lambda code: (abs(table[code] - abs(x)), code % 2))


def error(values: list[Fraction], codes: list[int], step: Fraction) -> Fraction:
    """Squares of what codes are off by, added up in pairs, pairs of pairs, and so on."""
    sums = []
    for value, code in zip(values, codes, strict=True):
        decoded = f32(E2M1[code & 7] * step) * (-1 if code & 8 else 1)
        sums.append(f32(f32(value - decoded) ** 2))
    while len(sums) > 1:
        sums = [f32(a + b) for a, b in zip(sums[::2], sums[1::2], strict=True)]
    return sums[0]


def quantise(
    values: list[Fraction], negative: list[bool], scale: Fraction, tops: tuple[int, ...]
) -> tuple[bytes, int]:
    """Eight bytes of codes, and the block scale, of 16 elements: the best of several."""
    g = f32(1 / scale)
    found = []
    for top in tops:
        block = nearest(E4M3, f32(g * f32(max(map(abs, values)) / top)))
        step = f32(E4M3[block] / g)
        multiplier = f32(1 / step) if block else Fraction(0)
        codes = [
            nearest(E2M1, f32(value * multiplier)) | (8 if sign else 0)
            for value, sign in zip(values, negative, strict=True)
        ]
        found.append((error(values, codes, step), codes, block))
    _, codes, block = min(found, key=lambda choice: choice[0])  # the first of equal ones
    return bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2], strict=True)), block


def source(side: str) -> list[int]:
    """Bits of [token, head, element]: five binades, and groups of zeros and of large ones."""
    state = {"k": 1, "v": 2}[side]
    words = []
    for i in range(TOKENS * HEADS * SIZE):
        state = state * 6364136223846793005 + 1442695040888963407 & (1 << 64) - 1
        random = state >> 40
        exponent = 127 - random % 5 + (4 if i // GROUP % 7 == 3 else 0)
        word = (random >> 3 & 1) << 15 | exponent << 7 | random >> 8 & 0x7F
        words.append((random >> 3 & 1) << 15 if i // GROUP == 9 else word)
    return words


def page(
    side: str, words: list[int], heads_first: bool, swizzle: bool, tops: tuple[int, ...]
) -> bytes:
    """One side of block 1."""
    groups = SIZE // GROUP
    codes = bytearray(TOKENS * HEADS * SIZE // 2)
    scales = bytearray(TOKENS * HEADS * groups)
    for token, slot in enumerate(SLOTS):
        for head in range(HEADS):
            for group in range(groups):
                at = (token * HEADS + head) * SIZE + group * GROUP
                bits = words[at : at + GROUP]
                data, block = quantise(
                    [bf16(word) for word in bits],
                    [bool(word >> 15) for word in bits],
                    SCALES[side],
                    tops,
                )
                offset, place = slot % 4, group
                row = head * TOKENS + offset if heads_first else offset * HEADS + head
                start = row * SIZE // 2 + group * GROUP // 2
                codes[start : start + GROUP // 2] = data
                if swizzle and side == "v":
                    quarter = groups // 4
                    offset, place = (
                        4 * (offset // 4) + group // quarter,
                        4 * (group % quarter) + offset % 4,
                    )
                row = head * TOKENS + offset if heads_first else offset * HEADS + head
                scales[row * groups + place] = block
    return bytes(codes + scales)


def show(name: str, data: bytes) -> None:
    """One array, as the body of a C initialiser."""
    print(f"GOLDEN({name},")
    for start in range(0, len(data), 16):
        end = "," if start + 16 < len(data) else ")"
        print("  " + ", ".join(f"0x{byte:02X}" for byte in data[start : start + 16]) + end)


def main() -> None:
    """Prints the file."""
    print("/*")
    print(" * Pages of nvfp4 and nvfp4_4over6, derived by tests/golden/make_nvfp4_page.py.")
    print(f" * {TOKENS} tokens of {HEADS} x {SIZE} bf16 elements, slots {SLOTS},")
    print(" * k_scale 1/16, v_scale 0.1;")
    print(" * a page is codes of keys, scales of keys, codes of values, scales of values.")
    print(" */")
    words = {side: source(side) for side in "kv"}
    for side, name in (("k", "key"), ("v", "value")):
        show(name, b"".join(word.to_bytes(2, "little") for word in words[side]))
    for suffix, tops in (("", (6,)), ("_4over6", (6, 4))):
        for layout in ("nhd", "hnd"):
            for kind in ("linear", "swizzled"):
                swizzle = kind == "swizzled"
                sides = (page(side, words[side], layout == "hnd", swizzle, tops) for side in "kv")
                show(f"{layout}_{kind}{suffix}", b"".join(sides))


if __name__ == "__main__":
    main()
