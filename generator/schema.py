"""Parses the PyTorch-style signature string that every binding of an op is generated from.

Grammar (the part of PyTorch's that ops need):
    name(Type arg[=default], ...) -> ()
with Type one of
    Tensor, Tensor!, Tensor(a!), Tensor?, Tensor!?, Tensor(a!)?, Tensor[], Tensor(a!)[], int, float,
    bool, str.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_SCHEMA = re.compile(r"^(?P<name>[a-z_][a-z0-9_]*)\((?P<arguments>.*)\) -> \(\)$")
_ARGUMENT = re.compile(
    r"^(?P<base>Tensor|int|float|bool|str)"
    r"(?P<alias>!|\([a-z]!?\))?(?P<list>\[\])?(?P<alias2>\([a-z]!\))?(?P<optional>\?)?"
    r" (?P<name>[a-z_][a-z0-9_]*)(?:=(?P<default>.+))?$"
)
_KINDS = {"Tensor": "tensor", "int": "int", "float": "float", "bool": "bool", "str": "string"}


@dataclass(frozen=True)
class Argument:
    """One argument of a schema."""

    name: str
    type: str  # as written
    kind: str  # tensor, tensor_list, int, float, bool, string
    mutated: bool
    optional: bool
    default: str | None  # as written: None, True, 1, 0.5, 'auto'

    @property
    def kind_enum(self) -> str:
        return f"KVF_KIND_{self.kind.upper()}"


@dataclass(frozen=True)
class Schema:
    """A parsed signature."""

    text: str
    name: str
    arguments: tuple[Argument, ...]


def parse(text: str) -> Schema:
    """Parses one signature; ValueError names the part that does not fit the grammar."""
    match = _SCHEMA.match(text)
    if match is None:
        raise ValueError(f"schema {text!r}: want 'name(Type arg, ...) -> ()'")
    arguments = []
    for part in filter(None, match["arguments"].split(", ")):
        found = _ARGUMENT.match(part)
        if found is None:
            raise ValueError(f"schema {text!r}: cannot read argument {part!r}")
        kind = _KINDS[found["base"]]
        if found["list"]:
            if kind != "tensor":
                raise ValueError(f"schema {text!r}: lists of {found['base']} are not supported")
            kind = "tensor_list"
        arguments.append(
            Argument(
                name=found["name"],
                type=part.split(" ")[0],
                kind=kind,
                mutated="!" in (found["alias"] or "") + (found["alias2"] or ""),
                optional=bool(found["optional"]),
                default=found["default"],
            )
        )
    names = [argument.name for argument in arguments]
    if len(set(names)) != len(names):
        raise ValueError(f"schema {text!r}: an argument name occurs twice")
    return Schema(text, match["name"], tuple(arguments))
