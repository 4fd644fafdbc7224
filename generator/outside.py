"""Ops that lie outside the tree: op folders, expanded into the files of a module.

An op folder holds, for each of its ops, files with the same stem as in the tree:

    <op>.py           the spec: defines OP, in a namespace of its own
    cpu/<op>.c.j2     the two templates, which may import shared/*.j2
    cuda/<op>.cu.j2
    <op>.c            checks the arguments and fills the params; includes kvforge/ops/<op>.h and
                      kvforge/op.h
    <op>.tuned.json   launch constants that were measured, if the spec declares some
    test_<op>.py      its test (not read here)

What comes of them, relative to the output folder: include/kvforge/params/<op>.h and
include/kvforge/ops/<op>.h, ops/<op>.c (the descriptor), cpu/*.c and cuda/*.cu (the variants),
module.c (kvf_module(), see kvf_load_module()) and python/<namespace>.py and .pyi.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from generator.model import Op
from generator.plan import Output, namespace_outputs, op_outputs
from generator.render import environment, format_c, lacks_clang_format, render
from generator.spec import OPS, with_tables

COMMAND = "python3 -m generator --op-folder FOLDER --output DIR"


def load_ops(folder: Path) -> tuple[Op, ...]:
    """The ops of a folder, by name; ValueError when files are missing or do not fit together."""
    stems = sorted(path.stem for path in folder.glob("*.c") if path.with_suffix(".py").is_file())
    if not stems:
        raise ValueError(f"op folder {folder}: want a spec <op>.py and its checks <op>.c")
    return tuple(load_op(folder, stem) for stem in stems)


def load_op(folder: Path, stem: str) -> Op:
    """The op that <folder>/<stem>.py defines."""
    path = folder / f"{stem}.py"
    spec = importlib.util.spec_from_file_location(f"kvforge_op_folder_{stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    op = getattr(module, "OP", None)
    if not isinstance(op, Op):
        raise ValueError(f"{path}: OP is {op!r}, want a generator.model.Op")
    if op.name != stem:
        raise ValueError(f"{path}: its op is called {op.name!r}, want {stem!r}")
    if not op.namespace.isidentifier():
        raise ValueError(f"{path}: namespace is {op.namespace!r}, want an identifier")
    taken = next((known for known in OPS if known.name == stem), None)
    if taken is not None:
        raise ValueError(f"{path}: {taken.namespace}::{stem} has this name; want another one")
    for template in sorted({v.template for v in op.variants if v.compiled}):
        if not (folder / template).is_file():
            raise ValueError(f"{path}: its template {template} is missing")
    return with_tables(op, path)


def outputs_of(op: Op) -> list[Output]:
    """The files of one op."""
    return op_outputs(op, api="", origin=f"{op.name}.py")


def shared(ops: Sequence[Op]) -> list[Output]:
    """The files of all ops of a module."""
    planned = [Output("module.c", "table/module.c.j2", {"ops": ops}, "the specs of its ops")]
    for namespace in sorted({op.namespace for op in ops}):
        members = [op for op in ops if op.namespace == namespace]
        planned += namespace_outputs("python", namespace, members)
    return planned


def render_folders(folders: Sequence[Path]) -> dict[str, str]:
    """Path relative to the output folder -> text, for the ops of all these folders.

    C code is laid out when the pinned clang-format is there; nothing depends on it.
    """
    ops: list[Op] = []
    texts = {}
    for folder in folders:
        own = load_ops(folder)
        env = environment(folder.resolve())
        planned = [output for op in own for output in outputs_of(op)]
        texts.update({output.path: render(output, env, COMMAND) for output in planned})
        ops += own
    names = [op.name for op in ops]
    if len(set(names)) != len(names):
        raise ValueError(f"op folders: an op name occurs twice in {', '.join(names)}")
    texts.update({output.path: render(output, environment(), COMMAND) for output in shared(ops)})
    texts = {path.removeprefix("generated/"): text for path, text in texts.items()}
    return texts if lacks_clang_format() else format_c(texts)
