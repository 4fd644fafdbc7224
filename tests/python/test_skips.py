"""One skipped test for each file that cannot run here, with the command that enables it."""

from __future__ import annotations

from pathlib import Path

import conftest
import pytest

FILES = sorted(path.name for path in Path(__file__).parent.glob("test_*.py"))


@pytest.mark.parametrize("file", [name for name in FILES if name != "test_skips.py"])
def test_file_can_run(file: str) -> None:
    reason = conftest.skip_reason(Path(__file__).parent / file)
    if reason:
        pytest.skip(f"{file}: {reason}")


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    torch = conftest.skip_reason(Path(__file__).parent / "test_torch_ops.py")
    assert torch == "no torch: python3 configure.py --setup --with-torch"
    jax = conftest.skip_reason(Path(__file__).parent / "test_jax.py")
    assert jax == "no JAX: python3 configure.py --setup --with-jax"
