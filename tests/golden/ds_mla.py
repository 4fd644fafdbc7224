"""The row formats of sparse MLA caches, derived with exact fractions, and rows to derive them from.

Written from the definition of the formats; shares nothing with the library and needs nothing but
Python's standard library. make_<format>.py beside this file print the golden files.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

LATENT, ROPE = 512, 64


@dataclass(frozen=True)
class Number:
    """A floating-point number: a zero has a sign, and there are infinities and NaN."""

    negative: bool
    magnitude: Fraction | None  # None: NaN, or infinity
    infinite: bool = False

    @property
    def is_nan(self) -> bool:
        return self.magnitude is None and not self.infinite


NAN = Number(False, None)


@dataclass(frozen=True)
class Format:
    """A format: 1 sign bit, exponent bits, mantissa bits, and what the top exponent is for."""

    name: str
    bits: int
    mantissa_bits: int
    top: str  # "ieee": infinity and NaN; "fn": only the last code is NaN; "finite": numbers

    @property
    def bias(self) -> int:
        return (1 << (self.bits - 2 - self.mantissa_bits)) - 1

    def decode(self, code: int) -> Number:
        negative = bool(code >> (self.bits - 1))
        code &= 2 ** (self.bits - 1) - 1
        exponent, mantissa = code >> self.mantissa_bits, code % 2**self.mantissa_bits
        last_exponent = 2 ** (self.bits - 1 - self.mantissa_bits) - 1
        if self.top == "ieee" and exponent == last_exponent:
            return Number(negative, None, infinite=mantissa == 0)
        if self.top == "fn" and code == 2 ** (self.bits - 1) - 1:
            return NAN
        fraction = Fraction(mantissa, 2**self.mantissa_bits)
        if exponent == 0:
            return Number(negative, fraction * Fraction(2) ** (1 - self.bias))
        return Number(negative, (1 + fraction) * Fraction(2) ** (exponent - self.bias))

    @cached_property
    def finite(self) -> list[tuple[int, Fraction]]:
        """Every code of a finite number that is not negative, and its value."""
        return [
            (code, value.magnitude)
            for code in range(2 ** (self.bits - 1))
            if (value := self.decode(code)).magnitude is not None
        ]

    def nearest(self, number: Number) -> int:
        """The code of the nearest finite value, ties to the even code; of small formats only."""
        if number.is_nan:
            return (1 << (self.bits - 1)) - 1  # the NaN of fn, the largest of finite
        if number.infinite or number.magnitude is None:
            best = self.finite[-1][0]
        else:
            wanted = number.magnitude
            best = min(self.finite, key=lambda pair: (abs(pair[1] - wanted), pair[0] % 2))[0]
        return best | (int(number.negative) << (self.bits - 1))


F16 = Format("f16", 16, 10, "ieee")
BF16 = Format("bf16", 16, 7, "ieee")
F32 = Format("f32", 32, 23, "ieee")
E4M3 = Format("e4m3", 8, 3, "fn")
E2M1 = Format("e2m1", 4, 1, "finite")


def f32(value: Fraction) -> Fraction:
    """The nearest binary32 of a number that does not overflow it, ties to even."""
    exponent = -126
    while abs(value) >= Fraction(2) ** (exponent + 1):
        exponent += 1
    unit = Fraction(2) ** (exponent - 23)
    return round(value / unit) * unit  # Python rounds fractions half to even


def divide(number: Number, by: Number) -> Number:
    """The binary32 quotient; `by` is positive."""
    if number.is_nan or (number.infinite and by.infinite):
        return NAN
    if number.infinite:
        return number
    assert number.magnitude is not None
    if by.magnitude is None:
        return Number(number.negative, Fraction(0))
    return Number(number.negative, f32(number.magnitude / by.magnitude))


def multiply(number: Number, by: Fraction) -> Number:
    """The binary32 product with a positive number."""
    if number.magnitude is None:
        return number
    return Number(number.negative, f32(number.magnitude * by))


def largest(numbers: Iterable[Number]) -> Number:
    """The largest magnitude, NaNs left out."""
    kept = [number for number in numbers if not number.is_nan]
    if any(number.infinite for number in kept):
        return Number(False, None, infinite=True)
    magnitudes = [number.magnitude for number in kept if number.magnitude is not None]
    return Number(False, max(magnitudes, default=Fraction(0)))


def power_of_two_from(value: Fraction) -> Fraction:
    """The smallest power of two that is not below."""
    power = Fraction(1)
    while power < value:
        power *= 2
    while power / 2 >= value:
        power /= 2
    return power


def f32_bytes(number: Number) -> bytes:
    """The binary32 as four bytes, little endian; the number must be one, and positive."""
    if number.magnitude is None:
        return struct.pack("<f", float("inf"))
    packed = struct.pack("<f", float(number.magnitude))
    assert Fraction(struct.unpack("<f", packed)[0]) == number.magnitude
    return packed


# ---- rows of the cache ---------------------------------------------------------------------------


def fp8_row(kv_c: Sequence[Number], k_pe_bits: Sequence[int], powers: bool) -> bytes:
    """656 bytes: 512 E4M3 codes, 4 scales of tiles of 128, 64 rope elements as they are."""
    codes, scales = b"", b""
    floor = f32(Fraction(1, 10**4)) if powers else Fraction(1, 2**126)
    for first in range(0, LATENT, 128):
        tile = kv_c[first : first + 128]
        scale = divide(largest(tile), Number(False, Fraction(448)))
        if scale.magnitude is not None:
            value = max(scale.magnitude, floor)
            scale = Number(False, power_of_two_from(value) if powers else value)
        codes += bytes(E4M3.nearest(divide(number, scale)) for number in tile)
        scales += f32_bytes(scale)
    return codes + scales + struct.pack(f"<{ROPE}H", *k_pe_bits)


def nvfp4_row(kv_c: Sequence[Number], k_pe: Sequence[Number]) -> bytes:
    """352 bytes: 512 E2M1 codes in pairs, 64 E4M3 rope codes, 32 E4M3 scales of groups of 16."""
    nibbles = []
    scales = bytearray(32)
    for group in range(32):
        elements = kv_c[16 * group : 16 * group + 16]
        wanted = divide(largest(elements), Number(False, Fraction(6)))
        if wanted.magnitude is not None:
            wanted = Number(False, max(wanted.magnitude, Fraction(1, 2**9)))
        code = E4M3.nearest(wanted)
        value = E4M3.decode(code).magnitude
        assert value is not None
        if code < 0x7E and wanted.magnitude is not None and value < wanted.magnitude:
            code += 1
            value = E4M3.decode(code).magnitude
            assert value is not None
        inverse = f32(1 / value)
        nibbles += [E2M1.nearest(multiply(number, inverse)) for number in elements]
        scales[8 * (group % 4) + group // 4] = code
    pairs = bytes(nibbles[i] | nibbles[i + 1] << 4 for i in range(0, LATENT, 2))
    return pairs + bytes(E4M3.nearest(number) for number in k_pe) + bytes(scales)


# ---- rows of the sources -------------------------------------------------------------------------


def towards_zero(form: Format, value: Fraction) -> int:
    """The code of the largest magnitude that is not above."""
    low, high = 0, 2 ** (form.bits - 1)
    while high - low > 1:
        middle = (low + high) // 2
        number = form.decode(middle)
        if number.magnitude is not None and number.magnitude <= abs(value):
            low = middle
        else:
            high = middle
    return low | (int(value < 0) << (form.bits - 1))


def source_rows(form: Format) -> list[list[int]]:
    """Codes of kv_c and k_pe, one behind the other, of tokens that have something in them each."""
    state = 2024
    sign = 1 << (form.bits - 1)
    infinity = (2 ** (form.bits - 1 - form.mantissa_bits) - 1) << form.mantissa_bits

    def random() -> int:
        nonlocal state
        state = (1103515245 * state + 12345) % 2**31
        return state >> 7

    def spread(size: Fraction) -> list[int]:
        """Numbers of either sign up to `size`."""
        return [
            towards_zero(form, Fraction(random() - 2**23, 2**23) * size)
            for _ in range(LATENT + ROPE)
        ]

    def code(value: int | Fraction) -> int:
        return towards_zero(form, Fraction(value))

    plain = spread(Fraction(4))

    # Scales at the edges: zeros of either sign; 3.5 / 448 is a power of two; 336 / 448 is 0.75;
    # ties of E4M3 under a scale of 1.
    edges = spread(Fraction(3))
    edges[0:128] = [0 if i % 3 else sign for i in range(128)]
    edges[128:132] = [code(Fraction(7, 2)), code(-1), code(1), code(Fraction(1, 64))]
    edges[256:258] = [code(-336), code(168)]
    edges[384:512] = [code(Fraction(n * (-1) ** n, 2)) for n in range(128)]
    edges[384:389] = [code(448), code(17), code(-19), code(Fraction(17, 1024)), code(-440)]

    # The largest is a negative number whose code is the largest too.
    negative = spread(Fraction(1, 8))
    negative[5], negative[200], negative[300], negative[500] = (code(-1),) * 4

    # NaNs, infinities, a group of nothing else, and the smallest numbers of the format.
    special = spread(Fraction(2))
    special[3], special[70] = infinity | 1, sign | infinity | 5
    special[130], special[140], special[150] = infinity, sign | infinity, infinity | 3
    special[256:384] = [infinity | 1 | (sign if i % 2 else 0) for i in range(128)]
    special[384:512] = [(i % 9) | (sign if i % 4 == 1 else 0) for i in range(128)]
    special[512:518] = [infinity, sign | infinity, infinity | 1, sign, 1, sign | 1]

    # As large as the format goes.
    huge = spread(Fraction(60000))
    huge[0], huge[511] = infinity - 1, sign | (infinity - 1)

    # Groups of 16 around the edges of E4M3 scales and E2M1 codes: 6 x an E4M3 code, a bit more,
    # halves between the magnitudes of E2M1; the least and the greatest scale.
    groups = spread(Fraction(6))
    tops = ("6", "7/2", "12", "25/4", "2688", "2720", "3/256", "1/1024")
    for group, top in enumerate(map(Fraction, tops)):
        ties = [Fraction(n, 24) * top for n in (1, 3, 5, 7, 10, 14, 20, 23)]
        row = [code(top), *(code(tie) for tie in ties), *(code(-tie) for tie in ties[:7])]
        groups[16 * group : 16 * group + 16] = row
    return [plain, edges, negative, special, huge, groups]


# ---- files ---------------------------------------------------------------------------------------


def show(name: str, data: bytes) -> None:
    """One array, as the body of a C initialiser."""
    print(f"GOLDEN({name},")
    for start in range(0, len(data), 16):
        end = "," if start + 16 < len(data) else ")"
        print("  " + ", ".join(f"0x{byte:02X}" for byte in data[start : start + 16]) + end)


def print_file(name: str, row: Callable[[list[Number], list[int], list[Number]], bytes]) -> None:
    """Prints sources and rows; `row` gets kv_c, and k_pe as codes and as numbers."""
    print("/*")
    print(f" * Rows of {name}, derived by tests/golden/make_{name}.py: for f16 and bf16")
    print(f" * the sources, {LATENT} elements of kv_c and {ROPE} of k_pe, and the cache's rows.")
    print(" */")
    for form in (F16, BF16):
        sources = source_rows(form)
        rows = []
        for codes in sources:
            numbers = [form.decode(code) for code in codes]
            rows.append(row(numbers[:LATENT], codes[LATENT:], numbers[LATENT:]))
        show(
            f"{name}_{form.name}_sources",
            b"".join(struct.pack(f"<{LATENT + ROPE}H", *codes) for codes in sources),
        )
        show(f"{name}_{form.name}_rows", b"".join(rows))
