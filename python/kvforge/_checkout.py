"""Where kvforge's sources are: compiling anything needs headers, templates and the generator."""

from __future__ import annotations

from functools import cache
from pathlib import Path

HEADERS = ("runtime/include", "generated/include", "third_party/dlpack/include")


@cache
def root() -> Path:
    """The checkout that this package lies in; RuntimeError when it was installed without one."""
    folder = Path(__file__).resolve().parent.parent.parent
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
