"""Axes: the dimensions along which an op is specialised.

    dtypes("scalar", "f32", "bf16")                  a dtype of the call
    integer("tile", 64, 128, token="t", ...)         a number of the call
    word("layout", "nhd", "hnd", ...)                one of a few words
    flag("causal", ...)                              yes or no
    arch(80, "90a", ...)                             CUDA devices of this compute capability or newer,
                                                     with an a of this one alone

A variant has a value of each axis: a DType, an int, a str, a bool, or None where it is the generic
one, which serves every value. Of an arch axis None is any device, and all that the CPU knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from generator.dtypes import BY_TOKEN, DType

Value = DType | int | str | bool | None

MAX_AXES = 6  # KVF_MAX_AXES of kvforge.h
MAX_SPAN = 4096  # bytes of the table that turns the value of a call into a position


@dataclass(frozen=True)
class Axis:
    """One axis of an op. Make it with the functions below."""

    name: str
    kind: str  # "dtype", "integer", "word", "flag" or "arch"
    values: tuple[DType | int | str | bool, ...]  # that have variants of their own, in table order
    meaning: str  # which value of a call it stands for
    generic: bool = False  # a variant serves all other values
    token: str = ""  # what stands before the value in symbols
    usual: tuple[int, ...] = ()  # of values: those that a build takes which names none; (): all

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or self.name.lower() != self.name:
            raise ValueError(f"axis {self.name!r}: want a lower-case identifier as its name")
        if not self.values or len(set(self.values)) != len(self.values):
            raise ValueError(f"axis {self.name}: values {self.values}: want some, each once")
        if not self.meaning.strip() or not self.meaning.isascii():
            raise ValueError(f"axis {self.name}: say in ASCII which value of a call it stands for")
        if self.numbers[-1] - self.numbers[0] >= MAX_SPAN or self.numbers[0] < 0:
            raise ValueError(
                f"axis {self.name}: values {self.values}: want numbers from 0 on that are less "
                f"than {MAX_SPAN} apart"
            )

    def number(self, value: Value) -> int:
        """The number that stands for a value in C: an enumerator, a position among the words."""
        if isinstance(value, DType):
            return value.value
        if self.kind == "arch" and value is not None:
            return int(str(value).removesuffix("a"))
        return self.values.index(value) if isinstance(value, str) else int(value or 0)

    @cached_property
    def numbers(self) -> list[int]:
        """Those of all values, ascending."""
        return sorted(map(self.number, self.values))

    @property
    def least(self) -> Value:
        """The value with the least number."""
        return min(self.values, key=self.number)

    @cached_property
    def positions(self) -> tuple[Value, ...]:
        """What the table has a place for. Of an arch axis the last one is any device that is older."""
        return (*self.values, None) if self.generic or self.kind == "arch" else self.values

    def of_backend(self, backend: str) -> tuple[Value, ...]:
        """The values that variants of a backend have."""
        if self.kind == "arch" and backend == "cpu":
            return (None,)
        return (*self.values, None) if self.generic else self.values

    def rank(self, own: Value, wanted: Value) -> int | None:
        """How far from special a variant of the value `own` is for a call: 0 is made for it. None:
        it does not serve the call."""
        if own == wanted:
            return 0
        if own is None:
            return len(self.values)
        if self.kind == "arch" and wanted is not None and self._runs(own, self.number(wanted)):
            return self.values.index(wanted) - self.values.index(own)
        return None

    def _runs(self, own: Value, arch: int) -> bool:
        """Whether a device of this compute capability runs what is made for a value of an arch axis."""
        least = self.number(own)
        return least == arch or (least < arch and not isinstance(own, str))

    def _newest(self, arch: int) -> Value:
        """The last value that it runs."""
        return next((v for v in reversed(self.values) if self._runs(v, arch)), None)

    @property
    def below(self) -> int:
        """The position of a number less than all of the values; -1 where there is none."""
        return len(self.positions) - 1 if None in self.positions else -1

    @property
    def above(self) -> int:
        """The position of a greater number: newer devices run what the newest has."""
        if self.kind == "arch":
            return self.positions.index(self._newest(self.numbers[-1] + 1))
        return self.below

    @cached_property
    def lookup(self) -> list[int]:
        """Number - numbers[0] -> position, up to the greatest number."""
        found = []
        for number in range(self.numbers[0], self.numbers[-1] + 1):
            if self.kind == "arch":
                found.append(self.positions.index(self._newest(number)))
                continue
            near = [v for v in self.values if self.number(v) == number]
            found.append(self.values.index(near[0]) if near else self.below)
        return found

    def find(self, text: str) -> Value:
        """The value that a person means: one of the values, or None for any other that is possible.
        ValueError for a text that no call can have."""
        by_text = {self.text(value): value for value in self.positions}
        if text in by_text:
            return by_text[text]
        if self.kind == "arch" and text.isdigit():
            return self._newest(int(text))
        possible = {"integer": text.isdigit(), "flag": text == "false"}
        if self.generic and possible.get(self.kind, False):
            return None
        raise ValueError(f"{self.name} is {text!r}: want {self.choices}")

    @property
    def choices(self) -> str:
        """The values in words."""
        listed = ", ".join(map(self.text, self.values))
        if self.kind == "arch":
            return f"a compute capability, for example {listed}"
        if self.kind == "flag":
            return "true or false"
        return listed + (" or any other" if self.generic else "")

    def text(self, value: Value) -> str:
        """A value in words, as lists and errors have it."""
        if isinstance(value, DType):
            return value.token
        if isinstance(value, bool):
            return "true" if value else "false"
        return "other" if value is None else str(value)


def dtypes(name: str, *tokens: str | DType, meaning: str = "") -> Axis:
    """A dtype axis: tokens of generator/dtypes.py, and formats of the family."""
    for token in tokens:
        if isinstance(token, str) and token not in BY_TOKEN:
            raise ValueError(f"axis {name}: no dtype {token!r}: want some of {', '.join(BY_TOKEN)}")
    values = tuple(BY_TOKEN[token] if isinstance(token, str) else token for token in tokens)
    return Axis(name, "dtype", values, meaning or f"the {name} dtype")


def integer(
    name: str,
    *values: int,
    token: str,
    meaning: str,
    generic: bool = False,
    usual: tuple[int, ...] = (),
) -> Axis:
    """An integer axis; `token` stands before the number in symbols. Where variants of all values are
    more than most builds want, `usual` has those of a build that does not say which: beside them
    there has to be a generic one, which serves the others."""
    if list(values) != sorted(values):
        raise ValueError(f"axis {name}: values {values}: want them ascending")
    if usual and not (generic and set(usual) <= set(values)):
        raise ValueError(
            f"axis {name}: usual {usual}: want some of {values}, and a generic variant"
        )
    return Axis(name, "integer", values, meaning, generic, token, usual)


def word(name: str, *values: str, meaning: str, token: str = "", generic: bool = False) -> Axis:
    """A word axis; a call has a word's position."""
    return Axis(name, "word", values, meaning, generic, token)


def flag(name: str, *, meaning: str, generic: bool = False) -> Axis:
    """A flag: its name stands in the symbols of the variants for which it is set. With `generic` the
    others serve a call whether it is set or not."""
    return Axis(name, "flag", (True,) if generic else (False, True), meaning, generic)


def arch(*values: int | str, name: str = "arch", generic: bool = False) -> Axis:
    """CUDA variants whose bodies exist for devices of a compute capability (90 for 9.0) and newer
    ones only, or ("90a") for those of one alone. The newest that a device can run is taken."""
    axis = Axis(name, "arch", values, "the compute capability of the device", generic, "sm")
    if list(values) != sorted(values, key=axis.number):
        raise ValueError(f"axis {name}: values {values}: want them ascending")
    return axis


def chain(
    axes: Sequence[Axis], own: Sequence[Sequence[Value]], wanted: Sequence[Value]
) -> list[int]:
    """The positions in `own` of what serves a call, the most special first: with the fewest generic
    values, then by the axes in their order."""
    ranked = []
    for position, values in enumerate(own):
        ranks = [axis.rank(v, w) for axis, v, w in zip(axes, values, wanted, strict=True)]
        if None not in ranks:
            generic = sum(v is None and w is not None for v, w in zip(values, wanted, strict=True))
            ranked.append((generic, ranks, position))
    return [position for _, _, position in sorted(ranked)]
