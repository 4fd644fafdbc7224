"""The ops, each in a file of its own that defines OP, in alphabetical order."""

from __future__ import annotations

import importlib
import pkgutil

from generator.dtypes import DTYPES as OWN_DTYPES
from generator.dtypes import DType
from generator.model import Op
from generator.spec.shared.formats import FORMATS
from generator.spec.shared.generations import GENERATIONS

DTYPES: tuple[DType, ...] = (*OWN_DTYPES, *FORMATS)  # by the value of their enumerators


def load() -> tuple[Op, ...]:
    """Imports every spec file and checks that file and op agree on the name."""
    ops = []
    files = (info.name for info in pkgutil.iter_modules(__path__) if not info.ispkg)
    for module in sorted(files):
        op: Op = importlib.import_module(f"{__name__}.{module}").OP
        if op.name != module:
            raise ValueError(f"generator/spec/{module}.py: its op is called {op.name!r}")
        for generation in op.upstream_schemas:
            if generation not in GENERATIONS:
                raise ValueError(f"spec {op.name}: {generation!r}: want one of {GENERATIONS}")
        ops.append(op)
    return tuple(ops)


OPS: tuple[Op, ...] = load()
