"""The generator on op folders: what it writes, with and without clang-format, and what it refuses."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from generator import __main__ as command
from generator import outside, plan

OWN_OP = plan.ROOT / "examples/own_op"
STEM = "rms_norm_and_cache"


def test_what_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--op-folder", str(OWN_OP), "--output", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path}: 24 files\n"
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    texts = outside.render_folders([OWN_OP])
    assert found == set(texts)
    symbols = [variant.symbol for variant in outside.load_op(OWN_OP, STEM).variants]
    variants = {path.rpartition("/")[2].partition(".")[0] for path in found if "/kvf_" in path}
    assert variants == set(symbols)
    assert found >= {
        "module.c",
        f"ops/{STEM}.c",
        f"include/kvforge/ops/{STEM}.h",
        f"include/kvforge/params/{STEM}.h",
        "python/my_namespace.py",
        "python/my_namespace.pyi",
    }
    for path, text in texts.items():
        assert (tmp_path / path).read_text() == text
        assert str(plan.ROOT) not in text
        assert "--op-folder FOLDER" in text[:300]
    assert f"Generated from cpu/{STEM}.c.j2 and {STEM}.py." in texts[f"cpu/{symbols[0]}.c"]


def test_without_clang_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out = outside.render_folders([OWN_OP])
    monkeypatch.setattr(outside, "lacks_clang_format", lambda: "not there")
    plain = outside.render_folders([OWN_OP])
    assert plain.keys() == laid_out.keys() and plain != laid_out
    for path, text in plain.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    folders = ("runtime/include", "generated/include", "third_party/dlpack/include")
    includes = [f"-I{plan.ROOT / folder}" for folder in folders]
    sources = ["module.c", f"ops/{STEM}.c", *(path for path in plain if path.startswith("cpu/"))]
    sources.append(str(OWN_OP / f"{STEM}.c"))
    check = ["cc", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Iinclude", *includes]
    subprocess.run([*check, *sources], cwd=tmp_path, check=True)


def test_a_name_that_the_library_has(tmp_path: Path) -> None:
    for suffix in (".py", ".c"):
        text = (OWN_OP / f"{STEM}{suffix}").read_text()
        (tmp_path / f"copy_blocks{suffix}").write_text(text.replace(STEM, "copy_blocks"))
    with pytest.raises(ValueError, match="_C_cache_ops::copy_blocks has this name"):
        outside.load_ops(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("OP = Op(", "_OP = Op(", "OP is None, want a generator.model.Op"),
        (f'"{STEM}(', '"other(', f"its op is called 'other', want '{STEM}'"),
        ('"my_namespace"', '"my namespace"', "namespace is 'my namespace', want an identifier"),
    ],
)
def test_a_spec_that_is_none(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (OWN_OP / f"{STEM}.py").read_text()
    assert old in text
    (tmp_path / f"{STEM}.py").write_text(text.replace(old, new))
    (tmp_path / f"{STEM}.c").touch()
    with pytest.raises(ValueError, match=re.escape(f"{tmp_path}/{STEM}.py: {message}")):
        outside.load_ops(tmp_path)


def test_files_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"want a spec <op>\.py and its checks <op>\.c"):
        outside.load_ops(tmp_path)
    shutil.copytree(OWN_OP, tmp_path, dirs_exist_ok=True)
    (tmp_path / f"cuda/{STEM}.cu.j2").unlink()
    with pytest.raises(ValueError, match=f"its template cuda/{STEM}.cu.j2 is missing"):
        outside.load_ops(tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        (f"{STEM}.py", "OP = Op(", "OP = Op((", "OP = Op((", "'(' was never closed"),
        (f"{STEM}.py", "OP = Op(", "{}['a']\nOP = Op(", "{}['a']", "KeyError: 'a'"),
        (f"{STEM}.py", "Tensor weight", "Matrix weight", "OP = Op(", "schema 'rms_"),
        (
            f"cpu/{STEM}.c.j2",
            "{{ variant.cache",
            "{{ variant.no_such",
            "variant.no_such",
            "no_such",
        ),
        (f"cpu/{STEM}.c.j2", "{{ variant.cache", "{{ ) variant", "{{ ) variant", "unexpected ')'"),
        (
            f"cpu/{STEM}.c.j2",
            "{{ names.params(op.name)",
            "{{ 1 + 'a'",
            "1 + 'a'",
            "TypeError: unsupported",
        ),
        (f"cpu/{STEM}.c.j2", '"shared/', '"shared/no_', "shared/no_", "not found in search paths"),
    ],
    ids=["syntax", "exception", "schema", "name", "template syntax", "type", "import"],
)
def test_mistakes_have_a_file_and_a_line(
    file: str,
    old: str,
    new: str,
    line: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "own"
    shutil.copytree(OWN_OP, folder)
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    number = next(n for n, text in enumerate(path.read_text().split("\n"), 1) if line in text)
    assert command.main(["--op-folder", str(folder), "--output", str(tmp_path / "out")]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"{path}:{number}: ") and message in error
    assert error.count("\n") == 1


def test_an_error_of_the_generator_itself_keeps_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "shared", lambda ops: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        command.main(["--op-folder", str(OWN_OP), "--output", str(tmp_path)])


def test_a_name_that_occurs_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(OWN_OP, tmp_path / "again")
    folders = ["--op-folder", str(OWN_OP), "--op-folder", str(tmp_path / "again")]
    assert command.main([*folders, "--output", str(tmp_path / "out")]) == 1
    assert "an op name occurs twice" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_output_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--op-folder", str(OWN_OP)])
    assert "--op-folder and --output go together" in capsys.readouterr().err
