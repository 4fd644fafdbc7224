"""SGLang with kvforge's cache beside SGLang's own, on SmolLM2 on the CPU. Target test-sglang.

    python3 plugins/kvforge-sglang/engine/quality.py --build-dir=build

First the tests of the plugin beside SGLang's own pool, attention and list of kernels. Then whole engines,
each with processes of its own: ten prompts, four at a time, in parts of 64 tokens, some with a prefix that
is in the cache already. In float32 and with a cache of the same every token must be that of SGLang's
attention in torch; with other caches the difference of the logits of a text must be within what the format
gives. With KVFORGE_SGLANG_CACHES="auto, pages of 16" only these rows.

SGLang is installed into a folder of its own (KVFORGE_SGLANG_VENV, or sglang-venv in the build folder),
once. Where that fails there is nothing to be tested: it says why, counts as one skipped test, and is well.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "engine"))

from environment import Missing, install, model_of, python_of  # noqa: E402


@dataclass(frozen=True)
class Cache:
    """A way to run SGLang, and how far logits may be from those of its own on average."""

    name: str
    tolerance: float
    options: dict[str, Any]
    store: bool = False  # SGLang's attention, kvforge's writes


def kvforge(name: str, tolerance: float, page_size: int) -> Cache:
    """kvforge's backend, with pages of so many tokens."""
    options = {"attention_backend": "kvforge", "kv_cache_dtype": name, "page_size": page_size}
    return Cache(f"{name}, pages of {page_size}", tolerance, options)


OWN = Cache("SGLang's own, auto", 0, {"attention_backend": "torch_native"})
CACHES = [
    kvforge("auto", 1e-3, 1),
    kvforge("auto", 1e-3, 16),
    kvforge("fp8_e4m3", 0.5, 16),
    kvforge("fp8_e5m2", 1.0, 1),
    Cache("SGLang's attention, kvforge's writes", 1e-3, OWN.options, store=True),
]


def environment_of(cache: Cache | None = None) -> dict[str, str]:
    """That of a process: see stub/README.md, and one thread for each engine."""
    stub = str(FOLDER / "stub")
    given = {**os.environ, "PYTHONPATH": stub, "OMP_NUM_THREADS": "1"}
    given["KVFORGE_SGLANG_STORE"] = str(int(cache is not None and cache.store))
    return given


def run(python: Path, model: Path, cache: Cache) -> dict[str, Any]:
    """What an engine says; RuntimeError with the end of its output if it fails."""
    command: list[str | Path] = [
        python,
        "-B",
        FOLDER / "engines.py",
        model,
        json.dumps(cache.options),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment_of(cache),
        cwd="/",
        timeout=900,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{cache.name}: {(done.stdout + done.stderr)[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def differences(result: dict[str, Any], own: dict[str, Any]) -> list[float]:
    """Of the log probability of each next token of the texts."""
    return [abs(a - b) for a, b in zip(result["logits"], own["logits"], strict=True)]


def faults(cache: Cache, result: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    wrong = []
    far = differences(result, own)
    if not any(result["cached"]):
        wrong.append("no prefix was found in the cache")
    if max(result["prompts"]) <= 64:
        wrong.append("no prompt came in parts")
    exact = cache.options.get("kv_cache_dtype", "auto") == "auto"
    if exact and result["tokens"] != own["tokens"]:
        wrong.append("tokens are not those of SGLang's own attention")
    if sum(far) / len(far) > cache.tolerance:
        wrong.append(f"logits differ by more than {cache.tolerance} on average")
    if not exact and not any(far):
        wrong.append("logits do not differ at all")
    return wrong


def row(cache: Cache, result: dict[str, Any], own: dict[str, Any]) -> str:
    """A line of the table."""
    same = sum(a == b for a, b in zip(result["tokens"], own["tokens"], strict=True))
    far = differences(result, own)
    return f"| {cache.name} | {same} of {len(own['tokens'])} | {sum(far) / len(far):.2g} | {max(far):.2g} |"


def compare(python: Path, model: Path, caches: list[Cache]) -> int:
    """Prints the table; how many rows of it failed."""
    own = run(python, model, OWN)
    print("| cache | same answers | logits: mean | largest |")
    print("| --- | --- | --- | --- |", flush=True)
    failed = 0
    for cache in caches:
        result = run(python, model, cache)
        print(row(cache, result, own), flush=True)
        wrong = faults(cache, result, own)
        failed += bool(wrong)
        for text in wrong:
            print(f"FAILED {cache.name}: {text}", flush=True)
    return failed


def plugin_tests(python: Path, build: Path) -> tuple[int, int]:
    """Tests of the plugin that passed and failed, in SGLang's environment."""
    command: list[str | Path] = [
        python,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        FOLDER.parent / "tests",
    ]
    given = {**environment_of(), "KVFORGE_BUILD": str(build.resolve())}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=given)
    counts = {
        word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|error)", done.stdout)
    }
    failed = counts.get("failed", 0) + counts.get("error", 0)
    if failed or not counts.get("passed"):
        print(done.stdout[-6000:])
        failed = max(failed, 1)
    return counts.get("passed", 0), failed


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", default="build")
    options = parser.parse_args()
    wanted = os.environ.get("KVFORGE_SGLANG_CACHES")
    caches = [cache for cache in CACHES if wanted is None or cache.name in wanted.split(";")]
    build = Path(options.build_dir)
    folder = Path(os.environ.get("KVFORGE_SGLANG_VENV") or build.resolve() / "sglang-venv")
    try:
        python = python_of(
            folder, FOLDER / "requirements.txt", "import torch", "SGLang and torch, 2.2 GB"
        )
    except Missing as reason:
        print(f"skipped: SGLang cannot be installed: {reason}\n0 passed, 0 failed, 1 skipped")
        return 0
    install(python, build, FOLDER.parent)
    passed, failed = plugin_tests(python, build)
    rows = compare(python, model_of(python, folder), caches)
    print(f"\n{passed + len(caches) - rows} passed, {failed + rows} failed, 0 skipped")
    return 1 if failed + rows else 0


if __name__ == "__main__":
    sys.exit(main())
