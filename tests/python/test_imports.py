"""The modules of the package import each other in one direction, inside of functions too."""

from __future__ import annotations

import ast
import graphlib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent.parent / "python/kvforge"


def imports_of(path: Path) -> set[str]:
    """The modules of the package that one of them imports, wherever in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return {name.partition(".")[2] for name in names if name.startswith("kvforge.")}


def test_there_is_no_circle() -> None:
    modules = {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
        for folder in (PACKAGE, PACKAGE / "paged")
        for path in folder.glob("*.py")
        if path.stem != "__init__"
    }
    graph = {
        name: {m for m in modules if any(f"{i}.".startswith(f"{m}.") for i in imports_of(path))}
        for name, path in modules.items()
    }
    assert "torch" in graph["_load"] and "_build" in graph["torch"]  # it finds what is there
    assert "torch" in graph["paged.pages"] and "paged.pages" in graph["paged.layouts"]
    assert [*graphlib.TopologicalSorter(graph).static_order()]
