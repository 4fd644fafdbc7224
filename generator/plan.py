"""What is generated from what. Needs nothing but the standard library, so configure.py reads it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generator import engine, names
from generator.model import BACKENDS, Op, Variant
from generator.spec import DTYPES, GENERATIONS, OPS

ROOT = Path(__file__).resolve().parent.parent
PYTHON_OPS = "python/kvforge/ops"
RUST_OPS = ("rust/kvforge-sys/src/ops", "rust/kvforge/src/ops")
FOLDERS = ("generated", PYTHON_OPS, *RUST_OPS)  # hold generated files and no others
FILES = ("rust/kvforge-sys/Cargo.toml", "rust/kvforge/Cargo.toml")  # generated beside others

ALL = "all"  # in place of the values of an axis

# What callers write for a value of a dtype axis, where that is not its token: selections take both.
ALIASES = {
    "auto": "same",
    "float32": "f32",
    "float16": "f16",
    "bfloat16": "bf16",
    "fp8": "fp8_e4m3",
}


@dataclass(frozen=True)
class Output:
    """One generated file."""

    path: str  # relative to the root
    template: str  # relative to templates/
    context: dict[str, Any] = field(default_factory=dict)
    origin: str = "generator/spec/"  # the spec entry that the banner names


def variants(
    ops: Collection[str] | None = None,
    axes: Mapping[str, Collection[str]] | None = None,
    backends: Collection[str] | None = None,
) -> list[Variant]:
    """The variants of a selection that are compiled, in table order.

    `axes` has, by the name of an axis, the values that are wanted, as texts; "other" is the generic
    one, "same" the dtype that the op's first dtype axis has, ALL all of them; a dtype may have the name
    that callers give it (ALIASES). Ops without the axis are as they were. None, and an axis that is not
    named, select all. ValueError for a name that no op has.
    """
    every = [variant for op in OPS for variant in op.variants if variant.compiled]

    def check(what: str, wanted: Collection[str] | None, known: Collection[str]) -> None:
        unknown = sorted(set(wanted or ()) - set(known))
        if unknown:
            raise ValueError(
                f"unknown {what} {', '.join(unknown)}: want some of {', '.join(sorted(known))}"
            )

    known = axis_texts()
    check("op", ops, {op.name for op in OPS})
    check("axis", axes, known)
    chosen: dict[str, Collection[str]] = {}
    for name, wanted in (axes or {}).items():
        if name in known and ALL in wanted:
            continue
        is_dtype = any(a.name == name and a.kind == "dtype" for op in OPS for a in op.axes)
        chosen[name] = [ALIASES.get(value, value) for value in wanted] if is_dtype else wanted
        check(f"{name} dtype" if is_dtype else name, chosen[name], known[name])
    check("backend", backends, BACKENDS)
    return [
        variant
        for variant in every
        if (ops is None or variant.op.name in ops)
        and (backends is None or variant.backend in backends)
        and all(has_value(variant, name, wanted) for name, wanted in chosen.items())
    ]


def totals() -> str:
    """How many variants there are, in the words that are the same wherever that is said."""
    rows = [variant for op in OPS for variant in op.variants]
    compiled = sum(variant.compiled for variant in rows)
    return (
        f"{len(rows)} variants of {len(OPS)} ops: {compiled} are compiled, "
        f"{len(rows) - compiled} left to copies by the CUDA driver"
    )


def gone(
    ops: Collection[str] | None, axes: Mapping[str, Collection[str]]
) -> tuple[list[str], dict[str, list[str]]]:
    """What a selection names that there is not: ops, and values by axis (all of an unknown axis)."""
    known = axis_texts()
    return sorted(set(ops or ()) - {op.name for op in OPS}), {
        name: missing
        for name, wanted in axes.items()
        if (
            missing := sorted(
                text for text in set(wanted) if ALIASES.get(text, text) not in known.get(name, ())
            )
        )
    }


def axis_texts() -> dict[str, set[str]]:
    """By the name of an axis, the values that a selection can name, over all ops."""
    known: dict[str, set[str]] = {}
    for op in OPS:
        for axis in op.axes:
            same = {"same"} if axis.kind == "dtype" and axis is not op.axes[0] else set()
            known.setdefault(axis.name, set()).update(map(axis.text, axis.positions), same)
    return known


def usual_axes() -> dict[str, list[str]]:
    """The values of axes that a build takes which does not name them, where these are not all."""
    found: dict[str, list[str]] = {}
    for op in OPS:
        for axis in op.axes:
            if axis.usual:
                found.setdefault(axis.name, []).extend(map(axis.text, (*axis.usual, None)))
    return {name: list(dict.fromkeys(texts)) for name, texts in found.items()}


def unusual_axis(variant: Variant) -> str:
    """The axis whose value of this variant a build has to name, or nothing."""
    unusual = (
        axis.name
        for axis in variant.op.axes
        if axis.usual and variant.by_axis[axis.name] not in (*axis.usual, None)
    )
    return next(unusual, "")


def has_value(variant: Variant, name: str, wanted: Collection[str]) -> bool:
    """Whether a selection of the values of an axis holds this variant."""
    axis = next((axis for axis in variant.op.axes if axis.name == name), None)
    if axis is None or (axis.kind == "arch" and variant.backend == "cpu"):
        return True
    same = "same" in wanted and variant.by_axis[name] is variant.dtypes[0]
    return same or variant.texts[name] in wanted


def outputs() -> list[Output]:
    """Every generated file, sorted by path. FOLDERS hold these and no others, and FILES are these."""
    tables = {"ops": OPS, "dtypes": DTYPES}
    planned = [
        Output(
            "generated/include/kvforge/dtypes.h",
            "table/dtypes.h.j2",
            tables,
            "generator/dtypes.py, and the formats of its family",
        ),
        Output("generated/include/kvforge/ops.h", "table/ops.h.j2", tables),
        Output("generated/include/kvforge/params.h", "table/params.h.j2", tables),
        Output("generated/kvf_kernels.inc", "table/kernels.inc.j2", tables),
        Output("generated/kvf_ops.inc", "table/ops.inc.j2", tables),
        Output("generated/registry.c", "table/registry.c.j2", {**tables, "engine": engine.TABLES}),
    ]
    for op in OPS:
        planned += op_outputs(op)
    planned += python_outputs()
    planned += rust_outputs()
    return sorted(planned, key=lambda output: output.path)


def op_outputs(op: Op, api: str = "KVF_API ", origin: str = "") -> list[Output]:
    """The files that belong to one op alone. `api` marks what a library exports."""
    context = {"op": op, "api": api}
    origin = origin or names.spec(op.name)
    planned = [
        Output(f"generated/include/kvforge/ops/{op.name}.h", "table/op.h.j2", context, origin),
        Output(
            f"generated/include/kvforge/params/{op.name}.h", "table/params_op.h.j2", context, origin
        ),
        Output(f"generated/ops/{op.name}.c", "table/op.c.j2", context, origin),
    ]
    for variant in filter(lambda variant: variant.compiled, op.variants):
        planned.append(
            Output(
                variant.source,
                variant.template,
                {"op": op, "variant": variant, **variant.by_axis},
                origin,
            )
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
        planned += namespace_outputs(PYTHON_OPS, namespace, ops)
    return planned


def namespace_outputs(folder: str, namespace: str, ops: Sequence[Op]) -> list[Output]:
    """The Python module of one namespace, and its type stubs."""
    context = {"namespace": namespace, "ops": ops}
    return [
        Output(f"{folder}/{namespace}.{suffix}", f"python/namespace.{suffix}.j2", context)
        for suffix in ("py", "pyi")
    ]


def rust_outputs() -> list[Output]:
    """Of both crates, what the ops decide: C's entry points and the safe ones, and the features."""
    header = (ROOT / "runtime/include/kvforge/kvforge.h").read_text()
    version = header.partition('#define KVF_VERSION "')[2].partition('"')[0]
    context = {"ops": OPS, "version": version}
    paths = [f"{folder}/mod.rs" for folder in RUST_OPS]
    names = ("ffi.rs", "ops.rs", "sys.toml", "kvforge.toml")
    return [
        Output(path, f"rust/{name}.j2", context)
        for path, name in zip([*paths, *FILES], names, strict=True)
    ]


def inputs() -> list[str]:
    """Every file that the output depends on, relative to the root, sorted."""
    found = [*ROOT.glob("generator/**/*.py"), *ROOT.glob("templates/**/*.j2")]
    found += ROOT.glob("generator/**/*.tuned.json")
    found += [ROOT / ".clang-format", ROOT / "requirements/build.txt"]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


def needed_files(op: str) -> dict[str, str]:
    """The files of an op in the tree that people write, relative to the root -> what they are for."""
    found = next((known for known in OPS if known.name == op), None)
    backends = sorted({v.backend for v in found.variants if v.compiled}) if found else []
    return {
        **{f"templates/{names.template(b, op)}": f"its {b} template" for b in backends},
        f"runtime/ops/{op}.c": "checks its arguments and fills its params",
        f"tests/test_{op}.c": "its suite",
    }


def missing_files() -> list[str]:
    """A sentence for each file of an op that nobody has written."""
    return [
        f"{path} is missing: op {op.name} has {names.spec(op.name)}, and wants {why}"
        for op in OPS
        for path, why in needed_files(op.name).items()
        if not (ROOT / path).is_file()
    ]
