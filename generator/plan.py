"""What is generated from what. Needs nothing but the standard library, so configure.py reads it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator import names
from generator.dtypes import CACHE_ALIASES, DTYPES
from generator.model import GENERATIONS, Op, Variant
from generator.spec import OPS

ROOT = Path(__file__).resolve().parent.parent
PYTHON_OPS = "python/kvforge/ops"
FOLDERS = ("generated", PYTHON_OPS)  # hold generated files and no others


@dataclass(frozen=True)
class Output:
    """One generated file."""

    path: str  # relative to the root
    template: str  # relative to templates/
    context: dict[str, Any] = field(default_factory=dict)
    origin: str = "generator/spec/"  # the spec entry that the banner names


def variants(
    ops: Collection[str] | None = None,
    scalars: Collection[str] | None = None,
    caches: Collection[str] | None = None,
    backends: Collection[str] | None = None,
) -> list[Variant]:
    """The variants of a selection that are compiled, in table order; None selects all of an axis.

    `caches` may hold "same" for the scalar dtype itself. ValueError for a name that no op has.
    """
    every = [variant for op in OPS for variant in op.variants if variant.compiled]

    def check(what: str, wanted: Collection[str] | None, known: set[str]) -> None:
        unknown = sorted(set(wanted or ()) - known)
        if unknown:
            raise ValueError(
                f"unknown {what} {', '.join(unknown)}: want some of {', '.join(sorted(known))}"
            )

    check("op", ops, {op.name for op in OPS})
    check("scalar dtype", scalars, {variant.scalar.token for variant in every})
    check("cache dtype", caches, {variant.cache.token for variant in every} | {"same"})
    check("backend", backends, {variant.backend for variant in every})
    return [
        variant
        for variant in every
        if (ops is None or variant.op.name in ops)
        and (scalars is None or variant.scalar.token in scalars)
        and (
            caches is None
            or variant.cache.token in caches
            or (variant.cache is variant.scalar and "same" in caches)
        )
        and (backends is None or variant.backend in backends)
    ]


def outputs() -> list[Output]:
    """Every generated file, sorted by path. FOLDERS hold these and no others."""
    tables = {"ops": OPS, "dtypes": DTYPES, "aliases": CACHE_ALIASES}
    planned = [
        Output(
            "generated/include/kvforge/dtypes.h", "table/dtypes.h.j2", tables, "generator/dtypes.py"
        ),
        Output("generated/include/kvforge/ops.h", "table/ops.h.j2", tables),
        Output("generated/include/kvforge/params.h", "table/params.h.j2", tables),
        Output("generated/kvf_kernels.inc", "table/kernels.inc.j2", tables),
        Output("generated/kvf_ops.inc", "table/ops.inc.j2", tables),
        Output("generated/registry.c", "table/registry.c.j2", tables),
    ]
    for op in OPS:
        planned += op_outputs(op)
    planned += python_outputs()
    return sorted(planned, key=lambda output: output.path)


def op_outputs(op: Op) -> list[Output]:
    """The files that belong to one op alone."""
    context = {"op": op, "dtypes": DTYPES}
    origin = names.spec(op.name)
    planned = [
        Output(
            f"generated/include/kvforge/params/{op.name}.h", "table/params_op.h.j2", context, origin
        ),
        Output(f"generated/ops/{op.name}.c", "table/op.c.j2", context, origin),
    ]
    for variant in filter(lambda variant: variant.compiled, op.variants):
        planned.append(
            Output(variant.source, variant.template, {"op": op, "variant": variant}, origin)
        )
    return planned


def python_outputs() -> list[Output]:
    """The op modules of the Python package, one per namespace."""
    namespaces = sorted({op.namespace for op in OPS})
    planned = [
        Output(f"{PYTHON_OPS}/__init__.py", "python/ops.py.j2", {"namespaces": namespaces}),
        Output(
            f"{PYTHON_OPS}/_upstream.py",
            "python/upstream.py.j2",
            {"ops": OPS, "generations": GENERATIONS},
        ),
    ]
    for namespace in namespaces:
        ops = [op for op in OPS if op.namespace == namespace]
        for suffix in ("py", "pyi"):
            planned.append(
                Output(
                    f"{PYTHON_OPS}/{namespace}.{suffix}",
                    f"python/namespace.{suffix}.j2",
                    {"namespace": namespace, "ops": ops},
                )
            )
    return planned


def inputs() -> list[str]:
    """Every file that the output depends on, relative to the root, sorted."""
    found = [*ROOT.glob("generator/**/*.py"), *ROOT.glob("templates/**/*.j2")]
    found += [ROOT / ".clang-format", ROOT / "requirements/build.txt"]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)
