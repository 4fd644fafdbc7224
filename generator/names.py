"""Names of everything that is generated. Pure functions; nothing else spells a name.

A symbol is kvf_<backend>_<op>__<token>__<token>: the double underscore separates axes and nothing
else, so a symbol parses back into its parts. The generic value of an axis adds no token, and neither
does a flag that is not set; a variant that is left without any has the token "any". (C++
reserves names with a double underscore; every compiler in use accepts them, and one string that
finds file, symbol and table row is worth it.)
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from generator.axes import Axis, Value

_SYMBOL = re.compile(
    r"^kvf_(cpu|cuda)_([a-z0-9]+(?:_[a-z0-9]+)*)((?:__[a-z0-9]+(?:_[a-z0-9]+)*)+)$"
)

ANY = "any"
SUFFIX = {"cpu": ".c", "cuda": ".cu"}


def symbol(backend: str, op: str, tokens: Sequence[str]) -> str:
    """The symbol of a variant."""
    text = "__".join((f"kvf_{backend}_{op}", *tokens))
    if parse_symbol(text) != (backend, op, tuple(tokens)):
        raise ValueError(f"{text!r} does not parse back into {(backend, op, tuple(tokens))}")
    return text


def parse_symbol(text: str) -> tuple[str, str, tuple[str, ...]]:
    """The (backend, op, tokens) that a symbol was made of; ValueError if it is no symbol."""
    match = _SYMBOL.match(text)
    if match is None:
        raise ValueError(f"{text!r} is not a variant symbol")
    backend, op, tokens = match.groups()
    return backend, op, tuple(tokens.split("__")[1:])


def token(axis: Axis, value: Value) -> str:
    """What a value of an axis adds to the symbol; "" for nothing."""
    if value is None or value is False:
        return ""
    return axis.name if value is True else axis.token + axis.text(value)


def tokens(axes: Sequence[Axis], values: Sequence[Value]) -> tuple[str, ...]:
    """The tokens of a variant's symbol. ValueError unless they parse back into the values."""
    parts = (token(axis, value) for axis, value in zip(axes, values, strict=True))
    found = tuple(filter(None, parts)) or (ANY,)
    if parse_tokens(axes, found) != tuple(values):
        texts = [axis.text(value) for axis, value in zip(axes, values, strict=True)]
        raise ValueError(f"axes {texts}: symbols with {'__'.join(found)} could be others too")
    return found


def parse_tokens(axes: Sequence[Axis], found: Sequence[str]) -> tuple[Value, ...] | None:
    """The values that tokens were made of, axis by axis; None if they are of no variant."""
    rest = [] if tuple(found) == (ANY,) else list(found)
    values: list[Value] = []
    for axis in axes:
        by_token = {token(axis, value): value for value in reversed(axis.positions)}
        if rest and rest[0] in by_token:
            values.append(by_token[rest.pop(0)])
        elif "" in by_token:
            values.append(by_token[""])
        else:
            return None
    return None if rest else tuple(values)


def constant(op: str, axis: Axis, word: str) -> str:
    """The C name of a word of an axis."""
    return f"KVF_{op}_{axis.name}_{word}".upper()


def source(backend: str, symbol_text: str) -> str:
    """The generated file of a variant, relative to the root."""
    return f"generated/{backend}/{symbol_text}{SUFFIX[backend]}"


def template(backend: str, op: str) -> str:
    """The template of an op for a backend, relative to templates/."""
    return f"{backend}/{op}{SUFFIX[backend]}.j2"


def spec(op: str) -> str:
    """The spec file of an op, relative to the root."""
    return f"generator/spec/{op}.py"


def params(op: str) -> str:
    """The C name of an op's params struct."""
    return f"kvf_{op}_params"


def entry(op: str) -> str:
    """The C name of an op's typed entry point."""
    return f"kvf_{op}"


def launch(op: str) -> str:
    """The C name of an op's raw-pointer launch function."""
    return f"kvf_launch_{op}"


def descriptor(op: str) -> str:
    """The C name of an op's descriptor."""
    return f"kvf_op_{op}"
