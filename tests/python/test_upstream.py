"""The newest vLLM on the package index against the latest generation: drift is seen in a day.

The source is fetched at most once a day, and what was found is kept in the build folder. Needs the
packages of requirements/upstream.txt and an index; skipped by name without.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from conftest import BUILD
from upstream import UPSTREAM

KEPT = BUILD / "upstream.json"
DAY = 24 * 60 * 60
SECONDS = 60  # that the index and the download may take together
LIBRARY = re.compile(r"TORCH_LIBRARY\w*\((.*?),\s*\w+\)\s*\{(.*?)^\}", re.S | re.M)
DEFINED = re.compile(r"\.def\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)")


def schemas(source: str) -> dict[str, str]:
    """Op -> signature, of what a file of bindings defines in the cache ops' namespace."""
    found = {}
    for space, body in LIBRARY.findall(source):
        if not re.search(r"_cache_ops\b", space):
            continue
        for literals in DEFINED.findall(re.sub(r"//[^\n]*", "", body)):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literals)).replace('\\"', "'")
            name, _, rest = re.sub(r"\s+", " ", text).partition("(")
            found[name.strip()] = "(" + rest.strip()
    return found


def fetched(folder: Path) -> tuple[str, dict[str, str]]:
    """The newest release and its schemas; skips the test if there is none to be had."""
    if importlib.util.find_spec("unearth") is None:
        pytest.skip("no unearth: pip install -r requirements/upstream.txt")
    index = os.environ.get("PIP_INDEX_URL")
    command = [
        *(sys.executable, "-m", "unearth", "vllm", "--no-binary", "--python-version", "3.12"),
        *(["--index-url", index] if index else []),
        *("--download", str(folder)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"no vLLM source within {SECONDS} s")
    if done.returncode != 0:
        pytest.skip(f"no vLLM source to be had: {(done.stderr or done.stdout).strip()[-200:]}")
    answer = json.loads(done.stdout)
    found: dict[str, str] = {}
    with tarfile.open(answer["local_path"]) as archive:
        for member in archive:
            if re.search(r"/csrc/.*torch_bindings\.cpp$", member.name):
                file = archive.extractfile(member)
                assert file is not None
                found |= schemas(file.read().decode())
    return str(answer["version"]), found


def newest(folder: Path) -> tuple[str, dict[str, str]]:
    """The same, from what was found within the last day if there is that."""
    if KEPT.is_file() and time.time() - KEPT.stat().st_mtime < DAY:
        version, found = json.loads(KEPT.read_text())
        return version, found
    version, found = fetched(folder)
    BUILD.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps([version, found]))
    return version, found


def test_the_newest_release_has_the_schemas_of_the_latest_generation(tmp_path: Path) -> None:
    version, theirs = newest(tmp_path)
    generation, ours = list(UPSTREAM.items())[-1]
    differences = [
        f"{op}: vLLM {version} has {theirs.get(op)}, {generation} {ours.get(op)}"
        for op in sorted(theirs.keys() | ours.keys())
        if theirs.get(op) != ours.get(op)
    ]
    assert theirs, f"vLLM {version}: no schemas found in its bindings"
    assert not differences, "\n".join(differences)


def test_schemas_are_found_in_bindings_of_both_forms() -> None:
    assert schemas("""
STABLE_TORCH_LIBRARY_FRAGMENT(_C_cache_ops, ops) {
  // ops.def("gone(Tensor a) -> ()");
  ops.def(
      "one(Tensor a,"
      "    str b=\\"auto\\") -> ()");
}
STABLE_TORCH_LIBRARY_IMPL(_C_cache_ops, CUDA, ops) { ops.impl("one", one); }
TORCH_LIBRARY_EXPAND(CONCAT(TORCH_EXTENSION_NAME, _cache_ops), cache_ops) {
  cache_ops.def("two(Tensor! a) -> ()");
}
TORCH_LIBRARY_EXPAND(TORCH_EXTENSION_NAME, ops) {
  ops.def("other(Tensor a) -> ()");
}
""") == {"one": "(Tensor a, str b='auto') -> ()", "two": "(Tensor! a) -> ()"}
