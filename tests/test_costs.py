"""What a build is expected to cost: read from ninja's log, or from the checked-in table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from generator import __main__ as command
from generator import costs, plan, profile

ROOT = Path(__file__).resolve().parent.parent
FLASH = profile.Profile("", ops=["reshape_and_cache_flash"], axes={"scalar": ["bf16"]})


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build folder in which every variant of FLASH took 2 s at one level and 6 s of nvcc."""
    folder = tmp_path / "out"
    log = ["# ninja log v5"]
    for variant in FLASH.variants():
        name, took = f"cpu/{variant.symbol}.avx2.o", 2000
        if variant.backend == "cuda":
            name, took = f"cuda/{variant.symbol}.fatbin", 6000
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 900)
        log.append(f"100\t{100 + took}\t0\tout/{name}\t0")
        log.append(f"100\t{100 + 1}\t0\tout/gone/{name}\t0")
    (folder / ".ninja_log").write_text("\n".join(log) + "\n")
    two = "gencode = -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90\n"
    (folder / "build.ninja").write_text(two)
    return folder


def test_costs_are_those_of_the_last_build(build: Path) -> None:
    found = costs.recorded(build)
    assert found["reshape_and_cache_flash", "avx2"] == costs.Cost(2, 900)
    assert found["reshape_and_cache_flash", "cuda"] == costs.Cost(3, 450)  # of one arch


def test_a_plan_adds_levels_and_archs(build: Path) -> None:
    variants = FLASH.variants()
    both = costs.estimate(variants, ["avx2"], ["80", "90", "100"], build, rest=False)
    half = len(variants) // 2
    assert both.variants == len(variants)
    assert both.cost == costs.Cost(half * (2 + 3 * 3), half * (900 + 3 * 450))
    assert both.measured == pytest.approx(1)
    assert "as recorded here" in both.describe(1)


def test_without_a_build_the_table_decides(tmp_path: Path) -> None:
    known = costs.table()
    one = [variant for variant in FLASH.variants() if variant.backend == "cpu"][:1]
    found = costs.estimate(one, ["avx2"], ["90"], tmp_path / "none", rest=False)
    assert found.cost == known["reshape_and_cache_flash", "avx2"]
    assert "by generator/costs.json" in found.describe(2)


def test_the_table_knows_every_op() -> None:
    known = costs.table()
    for variant in plan.variants():
        level = "baseline" if variant.backend == "cpu" else "cuda"
        assert (variant.op.name, level) in known
    assert known[costs.REST, ""].seconds > 0


def test_an_unknown_op_costs_what_others_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        costs, "table", lambda: {("a", "cuda"): costs.Cost(1, 10), ("b", "cuda"): costs.Cost(3, 30)}
    )
    one = [variant for variant in FLASH.variants() if variant.backend == "cuda"][:1]
    assert costs.estimate(one, [], ["90"], tmp_path).cost == costs.Cost(2, 20)


def test_only_loaded_sections_count(tmp_path: Path) -> None:
    source, built = tmp_path / "a.c", tmp_path / "a.o"
    source.write_text("const char data[1000] = {1};\n")
    subprocess.run(["cc", "-g", "-c", str(source), "-o", str(built)], check=True)
    assert 1000 <= costs.loaded_bytes(built) < 1200 < built.stat().st_size


def test_times_through_a_cache_are_not_recorded(build: Path) -> None:
    with (build / "build.ninja").open("a") as file:
        file.write("launcher = ccache\n")
    with pytest.raises(ValueError, match="cache of compilers"):
        costs.record(build)
    with pytest.raises(ValueError, match="holds no build"):
        costs.record(build / "none")


def test_a_build_by_compilers_is_recorded(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rows replace those of the table, what every library has is one row, others stay."""
    monkeypatch.setattr(costs, "TABLE", build / "costs.json")
    rows = {"none": {"avx2": [1, 2]}, "reshape_and_cache_flash": {"avx2": [9, 9]}}
    costs.TABLE.write_text(json.dumps(rows))
    (build / "obj/runtime").mkdir(parents=True)
    (build / "obj/runtime/a.o").write_bytes(b"x" * 100)
    with (build / ".ninja_log").open("a") as log:
        log.write("0\t1500\t0\tout/obj/runtime/a.o\t0\n0\t9000\t0\tout/obj/tests/a.o\t0\n")
    assert command.main(["--record-costs", "--build-dir", str(build)]) == 0
    assert capsys.readouterr().out == f"costs.json: 3 rows from {build}\n"
    assert costs.table() == {
        ("none", "avx2"): costs.Cost(1, 2),
        ("reshape_and_cache_flash", "avx2"): costs.Cost(2, 900),
        ("reshape_and_cache_flash", "cuda"): costs.Cost(3, 450),
        (costs.REST, ""): costs.Cost(1.5, 100),
    }
    assert costs.TABLE.read_text().startswith('{\n  "none": {"avx2": [1, 2]},\n')


def test_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[mine]\nops = ["copy_blocks"]\nisas = ["avx2"]\narchs = [90]\n')

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "generator", *words]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    done = run("--plan", "--profile", str(file), "--build-dir", str(tmp_path))
    assert "copy_blocks" in done.stdout and "isa levels avx2; CUDA archs 90" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 compiled variants, about ")
    file.write_text('[mine]\nops = ["copy_block"]\n')
    done = run("--plan", "--profile", str(file))
    assert done.returncode == 1 and "unknown op copy_block: want some of" in done.stderr
