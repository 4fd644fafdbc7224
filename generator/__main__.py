"""python3 -m generator [--check | --list | --explain SYMBOL |
                     --why OP AXIS=VALUE ... [--op-folder FOLDER] |
                     --where FILE:LINE [--op-folder FOLDER] |
                     --plan [--profile FILE] [--build-dir DIR] | --record-costs |
                     --new-op NAME [--folder DIR] [--namespace NS] [--backends cpu] |
                     --op-folder FOLDER --output DIR]

Without an option: writes generated/ (only files whose bytes change) and removes orphans.
With an op folder: writes the files of a module, for the ops of that folder.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from generator import costs, names, profile
from generator.axes import Value, chain
from generator.mistakes import mistake
from generator.model import BACKENDS, Op, Variant
from generator.plan import ALIASES, ROOT, missing_files, totals
from generator.spec import OPS

T = TypeVar("T")


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python3 -m generator", description=__doc__)
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--check",
        action="store_true",
        help="exit 1 with a list if generated/ is not what the templates give",
    )
    group.add_argument("--list", action="store_true", help="print the table of variants")
    group.add_argument(
        "--explain", metavar="SYMBOL", help="where a variant comes from and where it goes"
    )
    group.add_argument(
        "--why",
        nargs="+",
        metavar=("OP", "AXIS=VALUE"),
        help="which variant a call gets that has these values, and why not each other one",
    )
    group.add_argument(
        "--where",
        metavar="FILE:LINE",
        help="the line of a template that this line of a generated file is made from",
    )
    group.add_argument(
        "--plan",
        action="store_true",
        help="what building costs: variants, seconds, bytes, from what earlier builds took",
    )
    group.add_argument(
        "--record-costs",
        action="store_true",
        help="take what --build-dir holds into generator/costs.json",
    )
    group.add_argument("--new-op", metavar="NAME", help="write the files of an op to start from")
    parser.add_argument("--folder", metavar="DIR", help="where --new-op writes [the tree]")
    parser.add_argument(
        "--namespace", metavar="NS", help="of --new-op [the tree's own, or my_namespace]"
    )
    parser.add_argument("--backends", default="cpu,cuda", help="of --new-op [cpu,cuda]")
    parser.add_argument("--profile", metavar="FILE[:NAME]", help="the selection of --plan [all]")
    parser.add_argument("--build-dir", default="build", metavar="DIR", help="for --plan [build]")
    parser.add_argument(
        "--op-folder",
        metavar="FOLDER",
        action="append",
        help="ops that lie outside the tree: expand them, or ask --why and --where of them "
        "(may be repeated)",
    )
    parser.add_argument("--output", metavar="DIR", help="where the files of --op-folder go")
    options = parser.parse_args(arguments)
    if options.why:
        return why(options.op_folder or [], *options.why)
    if options.where:
        return where(options)
    if bool(options.op_folder) != bool(options.output):
        parser.error("--op-folder and --output go together")
    if options.op_folder:
        return expand_folders(options.op_folder, options.output)
    if options.new_op:
        return new_op(options)
    if options.plan or options.record_costs:
        return costs_of(options)
    if options.list:
        return list_variants()
    if options.explain:
        return explain(options.explain)

    from generator import render  # Jinja2 is needed only from here on

    if missing := missing_files():
        print("\n".join(missing), file=sys.stderr)
        return 1
    texts = or_mistake(render.render_all, [ROOT / "templates"])
    if texts is None:
        return 1
    if options.check:
        found = render.differences(texts)
        for line in found:
            print(line)
        if found:
            print(f"generated/ is out of date: {len(found)} files; run {render.COMMAND}")
            return 1
        print(f"generated/ is up to date: {len(texts)} files")
        return 0
    written, removed = render.write(texts)
    print(f"generated/: {len(texts)} files, {written} written, {removed} removed")
    return 0


def new_op(options: argparse.Namespace) -> int:
    """Writes the files of a new op and says what comes next."""
    from generator import new_op as skeleton

    folder = Path(options.folder) if options.folder else None
    try:
        asked = options.backends.split(",")
        if unknown := [backend for backend in asked if backend not in BACKENDS]:
            raise ValueError(f"--backends: {unknown[0]!r}: want some of {', '.join(BACKENDS)}")
        backends = tuple(backend for backend in BACKENDS if backend in asked)
        for path in skeleton.write(options.new_op, folder, backends, options.namespace):
            print(f"wrote {path.relative_to(ROOT) if folder is None else path}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(skeleton.next_steps(options.new_op, folder))
    return 0


def where(options: argparse.Namespace) -> int:
    """Prints the line of a template that a line of a generated file is from."""
    from generator.where import where as line_of  # Jinja2 is needed only for this

    try:
        print(line_of(options.where, [Path(folder) for folder in options.op_folder or []]))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def costs_of(options: argparse.Namespace) -> int:
    """Prints what a selection costs, or records what a build took."""
    folder = Path(options.build_dir)
    try:
        wanted = profile.load(options.profile) if options.profile else profile.Profile("")
        print(costs.report(wanted.usual(), folder) if options.plan else costs.record(folder))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def expand_folders(folders: list[str], output: str) -> int:
    """Writes the files of a module."""
    from generator import outside

    places = [Path(folder) for folder in folders]
    texts = or_mistake(lambda: outside.render_folders(places), places)
    if texts is None:
        return 1
    for path, text in texts.items():
        target = Path(output, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    print(f"{output}: {len(texts)} files")
    return 0


def or_mistake(made: Callable[[], T], folders: list[Path]) -> T | None:
    """What is made; None, and a line on stderr, if there is a mistake in these folders."""
    try:
        return made()
    except Exception as error:  # specs run any code, and so do the expressions of templates
        line = mistake(error, folders)
        if not line:
            raise
        print(line, file=sys.stderr)
        return None


def list_variants() -> int:
    """Prints one line per variant."""
    rows = [
        (op.namespace, op.name, v.backend, v.words, v.symbol) for op in OPS for v in op.variants
    ]
    heads = ("namespace", "op", "backend", "axes", "symbol")
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads))]
    for row in [heads, *rows]:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
    print(totals())
    return 0


def explain(symbol: str) -> int:
    """Prints the files that one variant touches, or why there is no such variant."""
    found = next((v for op in OPS for v in op.variants if v.symbol == symbol), None)
    if found is None:
        print(why_not(symbol), file=sys.stderr)
        return 1
    for what, where in provenance(found):
        print(f"{what:<14}{where}")
    return 0


def provenance(variant: Variant) -> list[tuple[str, str]]:
    """(what, where) for every file on the variant's way from spec to call."""
    op = variant.op
    position = op.variants.index(variant)
    by_driver = "none: the CUDA driver does the copying"
    return [
        ("op", f"{op.namespace}::{op.name}"),
        ("schema", op.schema_text),
        ("variant", f"{variant.backend}, {variant.words}"),
        ("spec", names.spec(op.name)),
        ("template", f"templates/{variant.template}" if variant.compiled else by_driver),
        ("generated", variant.source if variant.compiled else by_driver),
        ("table row", f"generated/ops/{op.name}.c, row {position} of {len(op.variants)}"),
        ("params", f"generated/include/kvforge/params/{op.name}.h"),
        ("checks", f"runtime/ops/{op.name}.c"),
        ("test", f"tests/test_{op.name}.c"),
    ]


def why_not(symbol: str) -> str:
    """A sentence for a symbol that no variant has."""
    try:
        backend, op_name, tokens = names.parse_symbol(symbol)
    except ValueError as error:
        return f"{error}: want kvf_<backend>_<op>__<axis value>__<axis value>"
    op = next((op for op in OPS if op.name == op_name), None)
    if op is None:
        return f"{symbol}: no op {op_name!r}; ops: {', '.join(op.name for op in OPS)}"
    values = names.parse_tokens(op.axes, tokens)
    if values in op.exclusions:
        return f"{symbol}: excluded by {names.spec(op.name)}: {op.exclusions[values]}"
    built = ", ".join("/".join(v.tokens) for v in op.variants if v.backend == backend)
    return f"{symbol}: {op_name} has no such variant; on {backend} it has {built}"


def why(folders: Sequence[str], op_name: str, *assignments: str) -> int:
    """Prints, for each backend, which variant a call with these values gets, and why no other."""
    ops = OPS
    if folders:
        from generator import outside

        places = [Path(folder) for folder in folders]
        own = or_mistake(lambda: [op for place in places for op in outside.load_ops(place)], places)
        if own is None:
            return 1
        ops = (*OPS, *own)
    try:
        op, wanted = call_of(ops, op_name, assignments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for backend in op.backends:
        rows = reasons(op, backend, wanted)
        width = max(len(what) for what, _ in rows)
        for what, reason in rows:
            print(f"{what:<{width}}  {reason}")
    return 0


def call_of(
    ops: Sequence[Op], op_name: str, assignments: Sequence[str]
) -> tuple[Op, dict[str, str]]:
    """The op, and axis name -> value of the call as a text; ValueError for what is not there."""
    op = next((op for op in ops if op_name in (op.name, f"{op.namespace}::{op.name}")), None)
    if op is None:
        raise ValueError(f"no op {op_name!r}; ops: {', '.join(op.name for op in ops)}")
    wanted = dict(assignment.split("=", 1) for assignment in assignments if "=" in assignment)
    want = " ".join(f"{axis.name}={axis.text(axis.values[-1])}" for axis in op.axes)
    if len(wanted) < len(assignments) or wanted.keys() != {axis.name for axis in op.axes}:
        got = " ".join(assignments) or "nothing"
        raise ValueError(f"{op.name}: got {got}, want a value of each axis, for example {want}")
    for axis in op.axes:
        if axis.kind == "dtype":  # callers' own names, too, "auto" being the first axis' dtype
            token = ALIASES.get(wanted[axis.name], wanted[axis.name])
            wanted[axis.name] = wanted[op.axes[0].name] if token == "same" else token
        axis.find(wanted[axis.name])
    return op, wanted


def reasons(op: Op, backend: str, wanted: dict[str, str]) -> list[tuple[str, str]]:
    """(variant or combination, why it is or is not what the call gets), the one that it gets first."""
    values = tuple(axis.find(wanted[axis.name]) for axis in op.axes)
    served = op.chain(backend, values)
    rows = []
    for place, variant in enumerate(served):
        after = " or ".join(v.symbol for v in served[:place][-1:])
        rows.append((variant.symbol, f"taken if {after} is not built" if after else "taken"))
    for combination, reason in op.exclusions.items():
        if chain(op.axes, [combination], values):
            tokens = "__".join(names.tokens(op.axes, combination))
            rows.append((f"{backend} {op.name} {tokens}", f"excluded: {reason}"))
    if not served and not rows:
        rows.append((f"{backend} {op.name}", "no variant serves the call"))
    for variant in op.variants:
        if variant.backend == backend and variant not in served:
            rows.append((variant.symbol, "no: " + mismatch(op, variant, values, wanted)))
    return rows


def mismatch(op: Op, variant: Variant, values: Sequence[Value], wanted: dict[str, str]) -> str:
    """The axes in which a variant is not for a call."""
    parts = []
    for axis, own, value in zip(op.axes, variant.values, values, strict=True):
        if axis.rank(own, value) is None:
            more = " or newer" if axis.kind == "arch" and not isinstance(own, str) else ""
            parts.append(
                f"for {axis.name} {axis.text(own)}{more}, the call has {wanted[axis.name]}"
            )
    return "; ".join(parts)


if __name__ == "__main__":
    assert ROOT.is_dir()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends this without a traceback
    try:
        sys.exit(main())
    except ModuleNotFoundError as error:
        if error.name != "jinja2":
            raise
        sys.exit(
            f"templates are expanded by Jinja2, which {sys.executable} lacks: "
            f"`{sys.executable} -m pip install Jinja2`, or `python3 configure.py --setup` for .venv"
        )
