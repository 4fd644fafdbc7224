"""Imports TVM-FFI: before everything of the package, and without torch if KVFORGE_NO_TORCH is 1."""

from __future__ import annotations

import os
import sys

_hidden = os.environ.get("KVFORGE_NO_TORCH") == "1" and "torch" not in sys.modules
if _hidden:
    sys.modules["torch"] = None  # type: ignore[assignment] # to import it raises ImportError
try:
    import tvm_ffi  # noqa: F401
except ModuleNotFoundError as _error:
    if _error.name != "tvm_ffi":
        raise
    raise ImportError(
        "kvforge: this Python has no tvm_ffi: in the checkout, `. .venv/bin/activate`, or "
        "`pip install .` for another Python"
    ) from None
finally:
    if _hidden:
        del sys.modules["torch"]
