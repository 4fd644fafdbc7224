"""python3 -m generator --new-op: files that build at once, and tests that say what is to be written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from generator import __main__ as command
from generator import new_op, outside, plan
from generator.model import BACKENDS

INCLUDES = ["runtime/include", "generated/include", "third_party/dlpack/include"]


@pytest.mark.parametrize("backends", [BACKENDS, ("cpu",), ("cuda",)], ids=" ".join)
def test_outside_the_tree(tmp_path: Path, backends: tuple[str, ...]) -> None:
    """Everything for the host compiles, and a backend that is not wanted has no files."""
    folder, out = tmp_path / "mine", tmp_path / "out"
    new_op.write("scale_rows", folder, backends)
    texts = outside.render_folders([folder])
    for path, text in texts.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_text(text)
    (op,) = outside.load_ops(folder)
    assert {variant.backend for variant in op.variants} == set(backends)
    assert any(path.startswith("cuda/") for path in texts) == ("cuda" in backends)
    includes = [f"-I{out}/include", *(f"-I{plan.ROOT / path}" for path in INCLUDES)]
    sources = [
        folder / "scale_rows.c",
        *out.glob("*.c"),
        *out.glob("ops/*.c"),
        *out.glob("cpu/*.c"),
    ]
    check = ["cc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*check, "-Wmissing-prototypes", *includes, *map(str, sources)], check=True)
    test = (folder / "test_scale_rows.py").read_text()
    assert "write what scale_rows must do" in test and "@" not in test.replace("@pytest", "")


def test_the_same_files_in_the_tree() -> None:
    inside = new_op.targets("foo", None, BACKENDS)
    beside = new_op.targets("foo", Path("mine"), BACKENDS)
    shared = {"spec.py", "op.c", "cpu.c", "cuda.cu"}
    assert set(inside.values()) == shared | {"test.c", "case.py"}
    assert set(beside.values()) == shared | {"test.py"}
    assert all("foo" in path.name for path in (*inside, *beside))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Foo", "'Foo': want lower-case words"),
        ("a__b", "want lower-case words"),
        ("", "want lower-case words"),
        ("copy_blocks", "_C_cache_ops::copy_blocks has this name"),
    ],
)
def test_names(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        new_op.write(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("folder", [True, False], ids=["outside", "in the tree"])
def test_a_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: bool) -> None:
    monkeypatch.setattr(new_op, "ROOT", tmp_path)
    for namespace in ("2fast", "a::b", "class", "a-b"):
        with pytest.raises(ValueError, match=f"--namespace: {namespace!r}: want an identifier"):
            new_op.write("foo", tmp_path if folder else None, BACKENDS, namespace)
    assert not list(tmp_path.iterdir())
    new_op.write("foo", tmp_path if folder else None, BACKENDS, "scaling")
    spec = tmp_path / ("foo.py" if folder else "generator/spec/foo.py")
    assert '    namespace="scaling",\n' in spec.read_text()
    if folder:
        assert "namespace scaling" in outside.render_folders([tmp_path])["python/scaling.py"]


def test_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--new-op", "foo", "--folder", str(tmp_path), "--backends", "cpu"]) == 0
    *wrote, last = capsys.readouterr().out.splitlines()
    files = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert wrote == [f"wrote {path}" for path in files] and files
    assert last.startswith(f"next: PYTHONPATH=python python -m pytest {tmp_path}")
    assert "build/kvf_tests --suite foo" in new_op.next_steps("foo", None)


def test_backends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--new-op", "foo", "--folder", str(tmp_path), "--backends", "gpu"]
    assert command.main(words) == 1
    assert "--backends: 'gpu': want some of cpu, cuda" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no backend: want some of cpu, cuda"):
        new_op.write("foo", tmp_path, ())
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "foo.c").write_text("mine")
    assert command.main(["--new-op", "foo", "--folder", str(tmp_path)]) == 1
    assert "foo.c is there already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["foo.c"]


def test_what_is_missing_is_told_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(plan.needed_files("zero_blocks")) == {
        "templates/cpu/zero_blocks.c.j2",
        "templates/cuda/zero_blocks.cu.j2",
        "runtime/ops/zero_blocks.c",
        "tests/test_zero_blocks.c",
    }
    assert plan.missing_files() == []
    monkeypatch.setattr(plan, "needed_files", lambda op: {f"tests/test_{op}.x": "its suite"})
    assert command.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "tests/test_zero_blocks.x is missing: op zero_blocks has generator/spec/" in told
