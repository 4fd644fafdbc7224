"""Where kvforge's sources are: compiling anything needs headers, templates and the generator.

A wheel has them in the package, in a folder that is laid out as the checkout is.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

HEADERS = ("runtime/include", "generated/include", "third_party/dlpack/include")


@cache
def root() -> Path:
    """The package's own, or the checkout that it lies in; RuntimeError when there is neither."""
    package = Path(__file__).resolve().parent
    if (package / "source").is_dir():
        return package / "source"
    folder = package.parent.parent
    lacking = [
        name for name in (*HEADERS, "generator", "templates") if not (folder / name).is_dir()
    ]
    if lacking:
        raise RuntimeError(
            f"kvforge: compiling needs kvforge's sources, and {folder} has no {', '.join(lacking)}; "
            "use the package of a checkout: PYTHONPATH=<checkout>/python"
        )
    return folder


def include_paths() -> list[Path]:
    """The folders of kvforge's own headers."""
    return [root() / name for name in HEADERS]
