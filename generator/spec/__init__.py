"""The ops, each in a file of its own that defines OP, in alphabetical order."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from pathlib import Path

from generator import tuned
from generator.mistakes import mistake
from generator.model import Op


class SpecError(SystemExit):
    """A mistake in a spec file, as file:line: message. Nothing works without the specs, so where
    nobody expects it, it ends the program with that line."""


def load() -> tuple[Op, ...]:
    """Imports every spec file and checks that file and op agree on the name."""
    ops = []
    files = (info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    for module in sorted(files):
        path = Path(__path__[0], f"{module}.py")
        try:
            op: Op = importlib.import_module(f"{__name__}.{module}").OP
            if op.name != module:
                raise ValueError(f"{path}: its op is called {op.name!r}")
            ops.append(with_tables(op, path))
        except Exception as error:  # specs run any code
            raise SpecError(mistake(error, [path.parent]) or f"{path}: {error!r}") from error
    return tuple(ops)


def with_tables(op: Op, spec: Path) -> Op:
    """The op with the tuned tables that lie beside its spec."""
    return dataclasses.replace(op, tables=tuned.read(tuned.table_path(spec), op.tuned))


OPS: tuple[Op, ...] = load()
