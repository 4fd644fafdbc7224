"""Profiles: selections by name, in a TOML file of whoever builds kvforge into something.

    [chat]                                    # the name; --profile FILE:chat, or FILE if it is alone
    ops = ["my_op"]                           # all, without the line; so for those that follow
    axes = { scalar = ["bf16"], cache = ["same", "fp8_e4m3"] }
    backends = ["cpu"]
    isas = ["avx2", "avx512"]
    archs = ["90"]

An axis selects among the ops that have it; "all" is each of its values. Where a profile does not name
head_size, attention on the tensor cores is for heads of 128: Profile.usual(). What is left out is answered
as not built, or by a generic variant, and can be built at call time as any variant. Needs nothing but the
standard library, so configure.py reads it.
"""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator import plan
from generator.model import Variant

LISTS = ("ops", "backends", "isas", "archs")


@dataclass(frozen=True)
class Profile:
    """One selection. None is all that there is; names are checked where they are used."""

    name: str
    ops: list[str] | None = None
    axes: dict[str, list[str]] = field(default_factory=dict)
    backends: list[str] | None = None
    isas: list[str] | None = None
    archs: list[str] | None = None

    def variants(self) -> list[Variant]:
        """What it selects, in table order; ValueError for a name that there is not."""
        return plan.variants(self.ops, self.axes, self.backends)

    def but(self, **given: Any) -> Profile:
        """The same with what is given in place of its own; None and {} leave it as it is. Axes are
        replaced one by one."""
        axes = self.axes | (given.pop("axes", None) or {})
        found = {key: value for key, value in given.items() if value is not None}
        return dataclasses.replace(self, axes=axes, **found)

    def usual(self) -> Profile:
        """The same with the usual values of axes that it does not name, where it is for some archs; a
        build for all of them goes to other machines, and has everything."""
        if plan.ALL in (self.archs or ()):
            return self
        return dataclasses.replace(self, axes=plan.usual_axes() | self.axes)


def parse_toml(path: Path) -> dict[str, Any]:
    """The tables of a file; ValueError for one that is no TOML or cannot be read."""
    for package in ("tomllib", "tomli"):  # Python 3.10 has it from a package only
        if importlib.util.find_spec(package):
            toml = importlib.import_module(package)
            break
    else:
        raise ValueError(
            f"profile {path}: Python 3.10 reads TOML with the package tomli, which is missing; "
            "install it, or take Python 3.11 or newer"
        )
    try:
        found: dict[str, Any] = toml.loads(path.read_text())
    except OSError as error:
        raise ValueError(f"profile {path}: {error.strerror}") from None
    except ValueError as error:
        raise ValueError(f"profile {path}: {error}") from None
    return found


def strings(where: str, value: object) -> list[str]:
    """A list of strings; numbers are taken for their text, as in archs = [90]."""
    if not isinstance(value, list) or not all(
        isinstance(item, str) or type(item) in (int, bool) for item in value
    ):
        raise ValueError(f"{where} is {value!r}, want a list of strings")
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in value]


def make(where: str, name: str, found: Mapping[str, Any]) -> Profile:
    """The profile of one table."""
    if unknown := sorted(set(found) - {*LISTS, "axes"}):
        raise ValueError(
            f"{where}: unknown key {unknown[0]!r}, want some of axes, {', '.join(LISTS)}"
        )
    axes = found.get("axes", {})
    if not isinstance(axes, dict):
        raise ValueError(f"{where}: axes is {axes!r}, want a table of lists")
    return Profile(
        name,
        axes={axis: strings(f"{where}: axes.{axis}", values) for axis, values in axes.items()},
        **{key: strings(f"{where}: {key}", found[key]) for key in LISTS if key in found},
    )


def load(text: str) -> Profile:
    """The profile that `--profile` names: FILE:NAME, or FILE when it holds one."""
    path = Path(file_of(text))
    name = text[len(str(path)) + 1 :]
    tables = parse_toml(path)
    if stray := next((key for key, value in tables.items() if not isinstance(value, dict)), None):
        raise ValueError(f"profile {path}: {stray!r} stands outside a table, want [NAME] above it")
    if not tables:
        raise ValueError(f"profile {path}: holds no profile, want [NAME] and what it selects")
    if not name and len(tables) > 1:
        raise ValueError(f"profile {path}: holds {', '.join(tables)}; want {path}:NAME")
    name = name or next(iter(tables))
    if name not in tables:
        raise ValueError(f"profile {path}: no {name!r}, want one of {', '.join(tables)}")
    return make(f"profile {path}:{name}", name, tables[name])


def file_of(text: str) -> str:
    """The file that `--profile` names."""
    return text if Path(text).is_file() else text.rpartition(":")[0] or text
