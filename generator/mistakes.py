"""What is wrong in a file that a person has written, as one line."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path


def mistake(error: Exception, folders: Sequence[Path]) -> str:
    """file:line: message, if the error came about in a file of these folders, which a person has
    written; its message alone if it is one of those that say what is wrong; else ""."""
    told = isinstance(error, SyntaxError | ValueError) or is_of_jinja(error)
    text = getattr(error, "msg", None) or getattr(error, "message", None) or str(error)
    text = text if told else f"{type(error).__name__}: {text}"
    if getattr(error, "lineno", None) and getattr(error, "filename", None):
        return f"{error.filename}:{error.lineno}: {text}"  # type: ignore[attr-defined]
    inside = [folder.resolve() for folder in folders]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):  # the innermost one first
        if any(Path(frame.filename).resolve().is_relative_to(folder) for folder in inside):
            return f"{frame.filename}:{frame.lineno}: {text}"
    return str(error) if isinstance(error, OSError | ValueError) else ""


def is_of_jinja(error: Exception) -> bool:
    """Whether it is one of the exceptions of Jinja2, which may not be there."""
    return any(kind.__module__.startswith("jinja2") for kind in type(error).__mro__)
