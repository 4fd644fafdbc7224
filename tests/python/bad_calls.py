"""A table of bad calls of every op, and how both bindings answer them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import torch
from arrays import Torch
from cases import CASES, Case, function

import kvforge

Change = Callable[[Any], Any]

TENSOR: dict[str, Change] = {
    "of int16": lambda t: t.to(torch.int16),
    "of complex64": lambda t: t.to(torch.complex64),
    "of a rank more": lambda t: t.unsqueeze(0),
    "of rank 0": lambda t: t.reshape(-1)[0] if t.numel() else t,
    "shorter": lambda t: t[..., :-1] if t.dim() else t,
    "longer": lambda t: torch.cat([t, t], -1) if t.dim() else t,
    "on meta": lambda t: t.to("meta"),
    "with a stride": lambda t: torch.stack([t, t], -1)[..., 0],
    "full of 10^6": lambda t: t * 0 + 10**6 if t.dtype in (torch.int32, torch.int64) else t,
}
LIST: dict[str, Change] = {
    "empty": lambda _: [],
    "one less": lambda values: values[:-1],
    "one of int16": lambda values: [*values[:-1], values[-1].to(torch.int16)],
    "one shorter": lambda values: [values[0][:, :-1], *values[1:]],
    "one on meta": lambda values: [values[0].to("meta"), *values[1:]],
}
STRING: dict[str, Change] = {
    "unknown": lambda _: "fp7",
    "long": lambda _: "x" * 500,
    "empty": lambda _: "",
    "with a NUL": lambda _: "auto\0",
    "another op's": lambda text: "fp8_ds_mla" if text != "fp8_ds_mla" else "nvfp4",
    "not ASCII": lambda _: "fp8é",
}
INT: dict[str, Change] = {"negative": lambda _: -7, "zero": lambda _: 0}


def changes(name: str, value: Any) -> dict[str, Change]:
    """What can be made wrong about an argument without an address that is."""
    if isinstance(value, torch.Tensor):
        bad = dict(TENSOR)
        if name.endswith("_ptrs") or name == "sizes":
            for change in ("longer", "full of 10^6"):
                del bad[change]
        return bad
    if isinstance(value, list):
        return LIST if value else {"one too many": lambda _: [torch.ones(3, dtype=torch.int16)]}
    if isinstance(value, str):
        return STRING
    return INT if isinstance(value, int) and not isinstance(value, bool) else {}


def bad_calls(op: str) -> Iterator[tuple[str, Callable[[], Case]]]:
    """What is wrong, and a new case that is."""
    for name, value in CASES[op](Torch()).arguments.items():
        for what, change in changes(name, value).items():

            def make(name: str = name, change: Change = change) -> Case:
                case = CASES[op](Torch())
                case.arguments[name] = change(case.arguments[name])
                return case

            yield f"{op}: {name} {what}", make


def answer(function: Callable[..., Any], case: Case) -> tuple[type, str]:
    """The exception of a call: its type and sentence."""
    try:
        function(*case.arguments.values())
    except Exception as error:
        return type(error), str(error)
    return type(None), ""


def differences(*, exact: bool, every: int = 1) -> tuple[int, list[str]]:
    """The number of calls that were refused, and those that the bindings do not answer alike, of one in
    so many. Unless `exact`, torch.ops may have RuntimeError for the types that the stable ABI lacks."""
    refused, different = 0, []
    for op in sorted(CASES):
        for what, make in itertools.islice(bad_calls(op), None, None, every):
            mine = answer(function(kvforge.ops, op), make())
            theirs = answer(function(torch.ops, op), make())
            lacking = mine[0] in (TypeError, NotImplementedError) and not exact
            allowed = {mine[0], RuntimeError} if lacking else {mine[0]}
            refused += mine[0] is not type(None)
            if mine[1] != theirs[1] or theirs[0] not in allowed:
                different.append(f"{what}: {mine} and {theirs}")
    return refused, different
