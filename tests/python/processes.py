"""Scripts in processes of their own, in which nothing is registered with torch."""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import traceback
from multiprocessing.connection import Connection

import torch
from conftest import forks

# Where there is a GPU, scripts may use it.
_context = multiprocessing.get_context("spawn") if torch.cuda.is_available() else forks()


def _execute(script: str, environment: dict[str, str], answer: Connection) -> None:
    os.environ.update(environment)
    printed, error = io.StringIO(), ""
    with contextlib.redirect_stdout(printed):
        try:
            exec(compile(script, "<script>", "exec"), {})
        except BaseException:
            error = traceback.format_exc()
    answer.send((printed.getvalue(), error))


def run(script: str, **environment: str) -> str:
    """What a script prints; AssertionError with its traceback if it fails or dies."""
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=_execute, args=(script, environment, theirs))
    process.start()
    theirs.close()
    try:
        printed, error = ours.recv()
    except EOFError:
        process.join()
        raise AssertionError(f"the process died: exit code {process.exitcode}") from None
    process.join()
    assert not error, error
    return str(printed)
