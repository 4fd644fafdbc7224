#!/usr/bin/env python3
"""Probes the tools of this machine and writes build.ninja from build.ninja.in.

    python3 configure.py                 configure; name what is missing and how to get it
    python3 configure.py --setup test    install what is missing, configure, build, run every test

Targets are handed to the ninja that was found, which may live in .venv; with ninja on PATH,
`ninja test` does the same afterwards.

    lib (default)  demo  bench  bench-gpu  install  clean  generate  compdb  SYMBOL (one variant)
    test  test-gpu  test-exhaustive  check-generated  check-resources  check-format  lint  format

Environment: CC, CXX, CFLAGS, LDFLAGS, CUDA_HOME. Needs nothing but Python 3.10 or newer.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("kvforge: configure.py needs Python 3.10 or newer")

sys.dont_write_bytecode = True  # a new __pycache__ would look like a change of the source folders

from generator import plan  # noqa: E402
from generator.model import BACKENDS, Variant  # noqa: E402

ROOT = Path(__file__).resolve().parent  # main() goes there; paths are relative to it
VENV_PYTHON = ".venv/bin/python"
VENV_PIP = Path(".venv/bin/pip")  # what is made last
DEFAULT_ARCHS = ("80", "90", "100", "120")
ENVIRONMENT = ("PATH", "CC", "CXX", "CFLAGS", "LDFLAGS", "CUDA_HOME")

# isa level -> compiler flags, by the first part of the compiler's target triple.
ISA_FLAGS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "baseline": (),
        "avx2": ("-march=x86-64-v3",),
        "avx512": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
    },
    "aarch64": {"neon": ()},
}


# ---- what may be missing ------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """Where a missing thing comes from: a Debian package, or a file of requirements/."""

    package: str = ""
    requirements: str = ""


ESSENTIAL = ("C compiler", "OpenMP", "ninja")
GENERATOR = ("Jinja2", "clang-format")
PYTHON_PACKAGES = {  # by file of requirements/
    "build": GENERATOR,
    "test": ("hypothesis", "matplotlib", "ml_dtypes", "mypy", "numpy", "pytest", "rich", "ruff"),
}
EXACT = ("clang-format", "mypy", "ruff")  # their version decides bytes or verdicts
SOURCES = {
    "C compiler": Source("build-essential"),
    "C++ compiler": Source("build-essential"),
    "OpenMP": Source("libomp-dev"),  # gcc has it built in
    "ninja": Source("ninja-build"),
    "CUnit": Source("libcunit1-dev"),
    "nvcc": Source(requirements="cuda"),
    **{name: Source("", file) for file, names in PYTHON_PACKAGES.items() for name in names},
}

# target -> what it cannot do without, ESSENTIAL aside.
TARGET_NEEDS: dict[str, tuple[str, ...]] = {
    "generate": GENERATOR,
    "check-generated": GENERATOR,
    "demo": ("numpy", "matplotlib", "rich"),
    "test": ("CUnit", "C++ compiler", *GENERATOR, "pytest", "hypothesis", "numpy", "ml_dtypes"),
    "test-gpu": ("CUnit", "C++ compiler", "nvcc"),
    "test-exhaustive": ("CUnit", "C++ compiler"),
    "bench-gpu": ("nvcc",),
    "check-resources": ("nvcc",),
    "format": ("clang-format", "ruff"),
    "check-format": ("clang-format", "ruff"),
    "lint-python": ("ruff", "mypy"),
}


def packages_for(missing: Iterable[str]) -> list[str]:
    """The Debian packages that have these things, and what .venv needs if it has to be made."""
    packages = {SOURCES[name].package for name in missing} - {""}
    makes_venv = requirements_for(missing) and not VENV_PIP.exists()
    if makes_venv and importlib.util.find_spec("ensurepip") is None:
        packages.add(f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return sorted(packages)


def requirements_for(missing: Iterable[str]) -> list[str]:
    """The files of requirements/ that have these things; one Python has to have all packages."""
    files = {SOURCES[name].requirements for name in missing} - {""}
    return sorted(files | PYTHON_PACKAGES.keys() if files & PYTHON_PACKAGES.keys() else files)


def install_commands(missing: Sequence[str]) -> list[str]:
    """The shell commands that install these things, exactly as one would type them."""
    commands = []
    if packages := packages_for(missing):
        commands.append(shlex.join([*as_root(), "apt-get", "install", *packages]))
    if files := requirements_for(missing):
        if not VENV_PIP.exists():
            commands.append("python3 -m venv .venv")
        commands.append(shlex.join(pip_install(files)))
    return commands


def pip_install(files: Iterable[str]) -> list[str]:
    """The command that installs files of requirements/ into .venv."""
    options = [word for name in files for word in ("-r", f"requirements/{name}.txt")]
    return [VENV_PYTHON, "-m", "pip", "install", *options]


def as_root(*options: str) -> list[str]:
    """The prefix of a command that needs root."""
    return [] if os.geteuid() == 0 else ["sudo", *options]


def fail(message: str, status: int = 1) -> NoReturn:
    """Ends the program with one message."""
    print(f"configure.py: {message}", file=sys.stderr)
    raise SystemExit(status)


# ---- running tools ------------------------------------------------------------------------------


def output(*command: str, stdin: str = "") -> str | None:
    """What a command prints, or None if it cannot be run or fails."""
    try:
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError:
        return None
    return done.stdout + done.stderr if done.returncode == 0 else None


def compiles(cc: Sequence[str], *flags: str, code: str = "int x;\n", link: bool = False) -> bool:
    """Whether a C compiler takes these flags for this piece of C."""
    with tempfile.TemporaryDirectory() as folder:
        target = ["-o", f"{folder}/out", *([] if link else ["-c"])]
        return output(*cc, *target, "-x", "c", "-", *flags, stdin=code) is not None


def canonical(path: str) -> str:
    """One spelling for a tool, relative to the root if it is inside.

    The last part stays: clang++ and ccache's gcc are links that look at their own name.
    """
    real = Path(path).parent.resolve() / Path(path).name
    return str(real.relative_to(ROOT) if real.is_relative_to(ROOT) else real)


def find_tool(variable: str, *names: str) -> list[str] | None:
    """The command in an environment variable, or the first of these programs on PATH."""
    if variable and os.environ.get(variable):
        command = shlex.split(os.environ[variable])
        path = shutil.which(command[0])
        if path is None:
            fail(f"{variable}={os.environ[variable]}: no such program")
        return [canonical(path), *command[1:]]
    found = next((path for path in map(shutil.which, names) if path), None)
    return [canonical(found)] if found else None


def first_line(*command: str) -> str:
    """The first line that a command prints, usually its name and version."""
    return (output(*command) or "").partition("\n")[0].strip()


# ---- probes -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cuda:
    """A CUDA toolkit that compiles."""

    nvcc: str
    version: str
    include: str  # folder of its headers; empty: on the compiler's own path
    archs: tuple[str, ...]  # supported
    flags: tuple[str, ...]


@dataclass
class Tools:
    """What this machine has; what it lacks is in `missing`, by its name in SOURCES."""

    python: str = ""
    ninja: str = ""
    cc: list[str] = field(default_factory=list)
    cxx: list[str] = field(default_factory=list)
    isas: dict[str, tuple[str, ...]] = field(default_factory=dict)  # level -> flags
    cunit: str = ""  # what to link
    cuda: Cuda | None = None
    analyzer: bool = False
    emulator: bool = False  # the C++ compiler instruments as the emulated driver wants
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def probe(want_cuda: bool) -> Tools:
    """Looks at everything the build can use."""
    tools = Tools()
    tools.python, tools.missing = find_python()
    tools.ninja = find_ninja()
    tools.cc = find_tool("CC", "cc", "gcc", "clang") or []
    tools.cxx = find_tool("CXX", "c++", "g++", "clang++") or []
    found: dict[str, object] = {
        "C compiler": tools.cc,
        "C++ compiler": tools.cxx,
        "ninja": tools.ninja,
        "CUnit": "",
    }
    if tools.cc:
        openmp = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        found["OpenMP"] = compiles(tools.cc, "-fopenmp", code=openmp, link=True)
        found["CUnit"] = tools.cunit = find_cunit(tools.cc)
        tools.isas = find_isas(tools.cc)
        tools.analyzer = compiles(tools.cc, "-fanalyzer", "-Werror")
    if tools.cxx:
        tools.emulator = compiles(tools.cxx, "-fsanitize=kernel-address", "--param", "asan-stack=0")
    if want_cuda:
        tools.cuda = find_cuda(tools.cxx, tools.notes) if tools.cxx else None
        found["nvcc"] = tools.cuda
    tools.missing = [name for name, value in found.items() if not value] + tools.missing
    return tools


def find_python() -> tuple[str, list[str]]:
    """The Python that lacks the fewest packages, the running one or .venv's, and what it lacks."""
    wanted = [name for names in PYTHON_PACKAGES.values() for name in names]
    files = [Path(f"requirements/{file}.txt").read_text() for file in PYTHON_PACKAGES]
    pins = "".join(files).splitlines()
    script = (
        "from importlib.metadata import PackageNotFoundError, version\n"
        f"for name in {wanted}:\n"
        "    try: print(f'{name}=={version(name)}')\n"
        "    except PackageNotFoundError: pass\n"
    )
    found = []
    for python in (canonical(sys.executable), VENV_PYTHON):
        answer = output(python, "-c", script)
        if answer is not None:
            has = [line for line in answer.split() if line in pins or not line.startswith(EXACT)]
            names = {line.partition("==")[0] for line in has}
            found.append((python, [name for name in wanted if name not in names]))
    return min(found, key=lambda candidate: len(candidate[1]))


def find_ninja() -> str:
    """A ninja that is new enough, on PATH or in .venv."""
    for path in (*map(shutil.which, ("ninja", "ninja-build")), ".venv/bin/ninja"):
        version = re.match(r"(\d+)\.(\d+)", first_line(path, "--version")) if path else None
        if path and version and tuple(map(int, version.groups())) >= (1, 10):
            return canonical(path)
    return ""


def find_cunit(cc: Sequence[str]) -> str:
    """How to link CUnit: the archive by its path, so that tests run where there is no CUnit."""
    code = "#include <CUnit/CUnit.h>\nint main(void) { return CU_initialize_registry(); }\n"
    archive = first_line(*cc, "-print-file-name=libcunit.a")
    for library in (canonical(archive) if Path(archive).is_absolute() else "", "-lcunit"):
        if library and compiles(cc, "-x", "none", library, code=code, link=True):
            return library
    return ""


def find_isas(cc: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The isa levels that the compiler can build, with their flags."""
    machine = first_line(*cc, "-dumpmachine").partition("-")[0]
    levels = ISA_FLAGS.get(machine, {"baseline": ()})
    return {level: flags for level, flags in levels.items() if compiles(cc, *flags)}


def find_cuda(cxx: Sequence[str], notes: list[str]) -> Cuda | None:
    """The first CUDA toolkit that compiles: PATH, CUDA_HOME, the default prefix, then wheels."""
    homes = [*filter(None, [os.environ.get("CUDA_HOME")]), "/usr/local/cuda"]
    wheels = sources(".venv/lib/python3*/site-packages/nvidia/cu*")
    candidates = [shutil.which("nvcc"), *(f"{home}/bin/nvcc" for home in (*homes, *wheels))]
    for candidate in dict.fromkeys(candidates):
        if candidate and os.access(candidate, os.X_OK):
            cuda = probe_cuda(candidate, cxx)
            if cuda:
                return cuda
            notes.append(f"{candidate} does not compile with {cxx[0]}; passed over")
    return None


def probe_cuda(nvcc: str, cxx: Sequence[str]) -> Cuda | None:
    """A toolkit under its canonical path, if it turns a kernel into a fatbin."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.cu")
        source.write_text('#include <cuda_fp8.h>\nextern "C" __global__ void probe(void) {}\n')
        steps = output(nvcc, "--dryrun", "-fatbin", str(source)) or ""
        home = re.search(r"^#\$ TOP=(.+)$", steps, re.M)
        if home and os.access(f"{home[1]}/bin/nvcc", os.X_OK):
            nvcc = f"{Path(home[1]).resolve()}/bin/nvcc"
        nvcc = canonical(nvcc)
        archs = re.findall(r"sm_(\d+)", output(nvcc, "--list-gpu-code") or "")
        include = re.search(r'^#\$ INCLUDES="-I([^"]+)"', steps, re.M)
        version = re.search(r"release.*V([\d.]+)", output(nvcc, "--version") or "")
        host = ("-ccbin", cxx[0])
        for flags in ((*host, "-Xfatbin=-compress-all", "--compress-mode=size"), host):
            command = (nvcc, "-c", "-fatbin", *flags, "-o", f"{folder}/out", str(source))
            if archs and output(*command) is not None:
                return Cuda(
                    nvcc=nvcc,
                    version=version[1] if version else "of unknown version",
                    include=canonical(str(Path(include[1]).resolve())) if include else "",
                    archs=tuple(sorted(set(archs), key=int)),
                    flags=flags,
                )
    return None


def job_counts(limit: int | None) -> tuple[int, int, str]:
    """How many compilers and how many of them nvcc may run at a time, and the machine in words."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with contextlib.suppress(OSError, ValueError):  # a container's own limit; "max" is none
        memory = min(memory, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    gib = memory / 2**30
    jobs = limit or max(1, min(cores, int(gib)))
    return jobs, max(1, min(jobs, int(gib / 2))), f"{cores} cores, {gib:.0f} GiB"


# ---- setup --------------------------------------------------------------------------------------


def setup(want_cuda: bool) -> None:
    """Installs what is missing: compilers first, since the rest is probed with them."""
    if packages := packages_for(probe(want_cuda).missing):
        apt = [*as_root("-n"), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
        apt += ["-o", "DPkg::Lock::Timeout=300"]
        if shutil.which("apt-get") is None:
            print(f"no apt-get: install by hand what Debian calls {', '.join(packages)}")
        elif show([*apt, "update"]):
            show([*apt, "install", "--yes", "--no-install-recommends", *packages])
    missing = probe(want_cuda).missing
    files = requirements_for(missing)
    if "ninja" in missing:  # apt-get was of no use
        files = sorted({*files, "build"})
    if files and (VENV_PIP.exists() or show([sys.executable, "-m", "venv", ".venv"])):
        show(pip_install(files))


def show(command: Sequence[str]) -> bool:
    """Runs a command in full view; whether it succeeded."""
    print(f"+ {shlex.join(command)}", flush=True)
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode == 0
    except OSError as error:
        print(f"{command[0]}: {error.strerror}")
        return False


# ---- options ------------------------------------------------------------------------------------


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    summary, _, rest = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="configure.py",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def names(text: str) -> list[str]:
        return list(dict.fromkeys(filter(None, text.split(","))))

    def add(*flags: str, **settings: Any) -> None:
        parser.add_argument(*flags, **settings)

    add("targets", nargs="*", metavar="TARGET", help="what ninja is to build afterwards")
    add("--setup", action="store_true", help="install what is missing, without asking")
    add("--ops", type=names, metavar="A,B", help="build these ops' variants only")
    add("--scalars", type=names, metavar="A,B", help="build these scalar dtypes only")
    add("--caches", type=names, metavar="A,B", help="these cache dtypes only; same: the scalar's")
    add("--isas", type=names, metavar="A,B", help="build the CPU variants for these levels only")
    add("--cuda-archs", type=names, metavar="80,90", help="GPU architectures; PTX for the highest")
    add("--no-cuda", action="store_true", help="leave the CUDA backend out")
    add("--sanitize", action="store_true", help="host code under AddressSanitizer and UBSan")
    add("--debug", action="store_true", help="code for a debugger, -Og -g3")
    add("--compiler-launcher", choices=("ccache", "sccache"), help="put before every compiler")
    add("--prefix", metavar="DIR", help="where `ninja install` puts things [/usr/local]")
    add("--build-dir", metavar="DIR", help="[build, build-sanitize or build-debug]")
    add("-j", "--jobs", type=int, metavar="N", help="compilers at a time [from cores and memory]")
    return parser.parse_intermixed_args(arguments)


def recorded(options: argparse.Namespace) -> list[str]:
    """The arguments with which ninja runs this program again."""
    words = []
    for name, value in vars(options).items():
        if name not in ("setup", "targets") and value not in (None, False):
            text = ",".join(value) if isinstance(value, list) else value
            flag = "--" + name.replace("_", "-")
            words.append(flag if value is True else f"{flag}={text}")
    return words


@dataclass(frozen=True)
class Choice:
    """What is built: the selection of the options, among what the tools can do."""

    build: str
    variants: dict[str, list[Variant]]  # backend -> selected and possible
    isas: dict[str, tuple[str, ...]]
    archs: list[str]
    sanitize: bool


def choose(options: argparse.Namespace, tools: Tools) -> Choice:
    """Checks the options; a name that does not exist ends the program with those that do."""
    if options.compiler_launcher and shutil.which(options.compiler_launcher) is None:
        fail(f"--compiler-launcher={options.compiler_launcher}: no such program")
    kind = "-sanitize" if options.sanitize else "-debug" if options.debug else ""
    archs = options.cuda_archs or [*DEFAULT_ARCHS]
    try:
        selected = plan.variants(options.ops, options.scalars, options.caches)
    except ValueError as error:
        fail(str(error), status=2)
    if not selected:
        fail("no variant is in the selection of --ops, --scalars and --caches", status=2)
    if unknown := set(options.isas or ()) - set(tools.isas):
        fail(f"unknown isa {', '.join(sorted(unknown))}: want some of {', '.join(tools.isas)}", 2)
    if tools.cuda:
        supported = tools.cuda.archs
        unknown = {arch for arch in archs if arch.rstrip("af") not in supported}
        if unknown and options.cuda_archs:
            fail(
                f"unknown arch {', '.join(sorted(unknown))}: nvcc {tools.cuda.version} has "
                f"{', '.join(supported)}",
                status=2,
            )
        archs = [arch for arch in archs if arch not in unknown]
    backends = BACKENDS if tools.cuda else ("cpu",)
    return Choice(
        build=options.build_dir or f"build{kind}",
        variants={backend: [v for v in selected if v.backend == backend] for backend in backends},
        isas={isa: tools.isas[isa] for isa in tools.isas if isa in (options.isas or tools.isas)},
        archs=sorted(archs, key=lambda arch: int(arch.rstrip("af"))) if tools.cuda else [],
        sanitize=options.sanitize,
    )


# ---- build.ninja --------------------------------------------------------------------------------


def escape(text: str, also: str = " :") -> str:
    """A path as ninja reads it in an edge; in the value of a variable only `$` is special."""
    return re.sub(f"[${also}]", r"$\g<0>", text)


def shell(words: Iterable[str]) -> str:
    """Words of a shell command, in the value of a variable."""
    return escape(shlex.join(words), also="")


def sources(*patterns: str) -> list[str]:
    """The files that match, sorted. Their folders are inputs of build.ninja: see watched()."""
    return sorted(str(path) for pattern in patterns for path in Path().glob(pattern))


class Graph:
    """The computed edges of build.ninja, in the order in which they are added."""

    def __init__(self, build: str, refused: Mapping[str, str]) -> None:
        self.build = build
        self.refused = refused  # target -> why it is not there
        self.lines: list[str] = []

    def title(self, text: str) -> None:
        """A comment above the edges that follow."""
        self.lines += ["", f"# {text}"]

    def edge(
        self,
        rule: str,
        outputs: str | Sequence[str],
        inputs: Iterable[str] = (),
        implicit: Iterable[str] = (),
        order_only: Iterable[str] = (),
        **variables: str,
    ) -> str:
        """Adds one edge; returns its first output, the others being implicit."""

        def part(mark: str, paths: Iterable[str]) -> str:
            text = " ".join(map(escape, paths))
            return mark + text if text else ""

        first, *others = [outputs] if isinstance(outputs, str) else outputs
        line = f"build {escape(first)}{part(' | ', others)}: {rule}{part(' ', inputs)}"
        line += part(" | ", implicit) + part(" || ", order_only)
        self.lines += [line, *(f"  {name} = {value}" for name, value in variables.items())]
        return first

    def compile(self, rule: str, source: str, output: str = "", **variables: str) -> str:
        """Adds the edge of one object file, which is rebuilt when the compiler changes."""
        return self.edge(
            rule,
            output or f"{self.build}/obj/{source}.o",
            [source],
            [f"{self.build}/toolchain.txt"],
            ["generated-files"],
            **variables,
        )

    def target(self, name: str, rule: str, inputs: Iterable[str] = (), **settings: Any) -> None:
        """Adds a target that always runs a command, or says why it cannot."""
        if name in self.refused:
            rule, inputs, settings = "refuse", (), {"reason": escape(self.refused[name], also="")}
        self.edge("phony", name, [self.edge(rule, f"{self.build}/run/{name}", inputs, **settings)])


def refusals(tools: Tools, choice: Choice, no_cuda: bool) -> dict[str, str]:
    """Target -> why it cannot be built here, in one sentence with the way out."""
    refused = {}
    without = {"nvcc": "configured with --no-cuda"} if no_cuda else {}
    for target, needs in TARGET_NEEDS.items():
        if lacking := [name for name in needs if name in tools.missing or name in without]:
            reasons = dict.fromkeys(without.get(name, lack(name)) for name in lacking)
            refused[target] = f"{target} is not available: {', '.join(reasons)}"
            if not without.keys() & lacking:
                refused[target] += f"; run {setup_hint(lacking)}"
    built = {variant.symbol for backend in choice.variants.values() for variant in backend}
    for variant in plan.variants():
        if variant.symbol not in built:
            why = "left out by --ops, --scalars or --caches"
            if variant.backend == "cuda" and not tools.cuda:
                why = without.get("nvcc", "no nvcc; run python3 configure.py --setup")
            refused[variant.symbol] = f"{variant.symbol} is not built: {why}"
    return refused


def lack(name: str) -> str:
    """That something is missing, in words."""
    return f"no {name}" + (" of the pinned version" if name in EXACT else "")


def setup_hint(missing: Sequence[str]) -> str:
    """The two ways to get what is missing."""
    return f"python3 configure.py --setup, or {' && '.join(install_commands(missing))}"


def library_edges(graph: Graph, choice: Choice) -> list[str]:
    """The library: its objects, in all forms."""
    build = graph.build
    graph.title("Library: runtime and tables, of all ops; a variant that is not built is NULL.")
    files = [*sources("runtime/*.c", "runtime/ops/*.c"), "generated/registry.c"]
    files += sorted({f"generated/ops/{variant.op.name}.c" for variant in plan.variants()})
    objects = [graph.compile("cc", source) for source in files]

    graph.title("Library: CPU variants, one object for each isa level.")
    for variant in choice.variants["cpu"]:
        members = []
        for isa, flags in choice.isas.items():
            target = f"{build}/cpu/{variant.symbol}.{isa}.o"
            variables = {"isa": isa, "isa_flags": shell(flags)}
            members.append(graph.compile("cpu_variant", variant.source, target, **variables))
        graph.edge("phony", variant.symbol, members)
        objects += members

    if choice.variants.get("cuda"):
        graph.title("Library: CUDA variants, one fatbin and the object that embeds it.")
    for variant in choice.variants.get("cuda", []):
        fatbin = f"{build}/cuda/{variant.symbol}.fatbin"
        graph.edge(
            "cuda_variant",
            [fatbin, f"{fatbin}.resources.txt"],
            [variant.source],
            [f"{build}/toolchain-cuda.txt"],
            ["generated-files"],
        )
        image = graph.edge(
            "cuda_image",
            f"{build}/cuda/{variant.symbol}.o",
            ["runtime/cuda_image.S"],
            [fatbin],
            symbol=variant.symbol,
            fatbin=fatbin,
        )
        graph.edge("phony", variant.symbol, [image])
        objects.append(image)

    graph.title("Library: shared object and archive.")
    shared = graph.edge("link_shared", f"{build}/libkvforge.so.0", objects)
    link = graph.edge("symlink", f"{build}/libkvforge.so", [shared], target="libkvforge.so.0")
    whole = graph.edge("relocatable", f"{build}/kvforge.o", objects)
    archive = graph.edge("archive", f"{build}/libkvforge.a", [whole])
    graph.edge("phony", "lib", [link, archive])
    return objects


def emulator_edges(graph: Graph, tools: Tools, choice: Choice) -> list[str]:
    """The emulated CUDA driver, once with the selected kernels and once with those of its test."""
    here, build = "tests/cuda_emulator", f"{graph.build}/emulator"
    own = {"emulator_includes": f"-I{here}/selftest"}

    def compile_as(rule: str, source: str, name: str = "", **variables: str) -> str:
        name = name or Path(source).stem
        return graph.compile(rule, source, f"{build}/{name}.o", **variables)

    graph.title("Emulated CUDA driver.")
    tests = sources(f"{here}/test_*.c")
    driver = [compile_as("emulator_cc", c) for c in sources(f"{here}/*.c") if c not in tests]
    kernels = [compile_as("emulator_table", f"{here}/kernels.cpp")]
    for variant in choice.variants["cuda"]:
        kernels.append(compile_as("emulator_kernel", variant.source, symbol=variant.symbol))
    library = graph.edge("link_emulator", f"{build}/libkvf_cuda_emulator.so", driver + kernels)

    graph.title("Emulated CUDA driver: its own test.")
    kernels = [compile_as("emulator_table", f"{here}/kernels.cpp", "selftest_table", **own)]
    for source in sources(f"{here}/test_*.cu"):
        kernels.append(compile_as("emulator_kernel", source, symbol="kvf_test", **own))
    test_library = graph.edge("link_emulator", f"{build}/libselftest.so", driver + kernels)
    includes = own["emulator_includes"]
    objects = [compile_as("emulator_cc", source, flags=includes) for source in tests]
    link = {"linker": "$cc", "flags": escape(tools.cunit, also="")}
    program = graph.edge("link_program", f"{build}/selftest", objects, **link)
    return [library, test_library, program]


def program_edges(graph: Graph, tools: Tools, choice: Choice) -> None:
    """The programs that are linked to the library: tests, demo, bench."""
    library = f"{graph.build}/libkvforge.so.0"
    portable = "" if choice.sanitize else " -static-libgcc -static-libstdc++"
    has_headers = {"flags": "$cuda_include -DKVF_HAVE_CUDA_HEADERS"} if tools.cuda else {}
    programs = {"kvf_tests": "tests/*.c", "demo": "examples/demo/*.c"}
    programs |= {Path(file).stem: file for file in sources("bench/*.c")}
    graph.title("What the benchmarks share.")
    calls = [graph.compile("cc", file) for file in sources("bench/shared/*.c")]
    for name, files in programs.items():
        graph.title(f"Program: {name}.")
        flags = has_headers if name == "kvf_tests" else {}
        objects = [graph.compile("cc", file, **flags) for file in sources(files)]
        objects += calls if files.startswith("bench/") else []
        linker, link_flags = "$cc", escape(tools.cunit, also="") if name == "kvf_tests" else ""
        if flags:
            objects += [graph.compile("cxx", file, **flags) for file in sources("tests/*.cpp")]
            linker, link_flags = "$cxx", link_flags + portable
        link = {"linker": linker, "flags": link_flags}
        graph.edge("link_program", f"{graph.build}/{name}", [*objects, library], **link)


def command_edges(graph: Graph, tools: Tools, choice: Choice, emulator: Sequence[str]) -> None:
    """The targets that run something."""
    build = graph.build
    cuda = [f"{build}/cuda/{v.symbol}.fatbin" for v in choice.variants.get("cuda", [])]
    reports = [f"{fatbin}.resources.txt" for fatbin in cuda]
    folders = ("runtime", "tests", "bench", "examples")
    suffixes = ("c", "h", "cpp", "cu", "cuh")
    code = sources(*(f"{folder}/**/*.{suffix}" for folder in folders for suffix in suffixes))
    tests = f"{build}/kvf_tests"
    suites = [f"--isas={','.join(choice.isas)}"]
    if "check-resources" in graph.refused:
        suites.append(f"--no-cuda={graph.refused['check-resources'].partition(': ')[2]}")
    elif not emulator:
        suites.append("--no-emulator=needs g++")
    if choice.sanitize:
        suites.append("--no-python=its programs are not instrumented")

    graph.title("Commands.")
    graph.target("check-generated", "check_generated")
    programs = [tests, "lib", *emulator]
    graph.target("test", "run_tests", reports, implicit=programs, flags=shell(suites))
    graph.target("test-gpu", "run_program", [tests], flags="--backend cuda --require")
    graph.target("test-exhaustive", "run_program", [tests], flags="--exhaustive")
    graph.target("check-resources", "check_resources", reports)
    graph.target("demo", "run_demo", implicit=[f"{build}/demo"])
    graph.target("bench", "run_program", [f"{build}/bench_cpu"], flags="")
    graph.target("bench-gpu", "run_program", [f"{build}/bench_cuda"], flags="")
    graph.target("install", "install", implicit=["lib", f"{build}/kvforge.pc"])
    graph.target("format", "format", code)
    graph.target("check-format", "check_format", code)

    graph.title("Static analysis.")
    python = sources("*.py", "tests/*.py", "examples/demo/plot.py")
    graph.target("lint-python", "lint_python", [*python, "generator"])
    analyzed = sources("runtime/*.c", "runtime/ops/*.c") if tools.analyzer else []
    checks = [graph.compile("analyze", file, f"{build}/analyze/{file}.o") for file in analyzed]
    graph.edge("phony", "lint", ["lint-python", *checks])
    compdb = graph.edge("compdb", f"{build}/compile_commands.json", implicit=["build.ninja"])
    graph.edge("phony", "compdb", [compdb])


def generated_edges(graph: Graph) -> None:
    """The generator: one edge for everything, or none without what it needs."""
    files = [item.path for item in plan.outputs()]
    graph.title("Generated sources.")
    if "generate" not in graph.refused:
        graph.edge("generate", files, implicit=plan.inputs())
        graph.edge("phony", "generate", ["generated-files"])
    else:
        graph.target("generate", "refuse")
    graph.edge("phony", "generated-files", files)


def computed_edges(options: argparse.Namespace, tools: Tools, choice: Choice) -> str:
    """All of them."""
    graph = Graph(choice.build, refusals(tools, choice, options.no_cuda))
    generated_edges(graph)
    library_edges(graph, choice)
    emulator = emulator_edges(graph, tools, choice) if tools.cuda and tools.emulator else []
    program_edges(graph, tools, choice)
    command_edges(graph, tools, choice, emulator)
    graph.title("Variants that are not built.")
    for variant in plan.variants():
        if variant.symbol in graph.refused:
            graph.target(variant.symbol, "refuse")
    return "\n".join(graph.lines).strip()


def slots(options: argparse.Namespace, tools: Tools, choice: Choice) -> dict[str, str]:
    """The values of the slots of build.ninja.in."""
    cuda = tools.cuda
    _, nvcc_jobs, _ = job_counts(options.jobs)
    sanitizers = "-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"
    fast, fastest = ("-Og -g3", "-Og -g3") if options.debug else ("-O2", "-O3")
    given = [name for name in ENVIRONMENT if name in os.environ]
    unset = [word for name in ENVIRONMENT if name not in given for word in ("-u", name)]
    again = ["env", *unset, *(f"{name}={os.environ[name]}" for name in given)]
    again += [sys.executable, "configure.py", *recorded(options)]
    return {
        "BUILDDIR": escape(choice.build),
        "PREFIX": shell([options.prefix or "/usr/local"]),
        "CC": shell(tools.cc),
        "CXX": shell(tools.cxx),
        "NVCC": shell([cuda.nvcc]) if cuda else "",
        "AR": shell(find_tool("AR", "ar") or ["ar"]),
        "OBJCOPY": shell(find_tool("OBJCOPY", "objcopy") or ["objcopy"]),
        "PYTHON": shell([tools.python]),
        "NINJA": shell([tools.ninja]),
        "LAUNCHER": options.compiler_launcher or "",
        "INSTRUMENT": sanitizers if options.sanitize else "",
        "NO_UNDEFINED": "" if options.sanitize else "-Wl,-z,defs",
        "CFLAGS": escape(os.environ.get("CFLAGS", ""), also=""),
        "LDFLAGS": escape(os.environ.get("LDFLAGS", ""), also=""),
        "OPTIMIZE": fast,
        "OPTIMIZE_VARIANTS": fastest,
        "CUDA_INCLUDE": shell(["-isystem", cuda.include]) if cuda and cuda.include else "",
        "NVCCFLAGS": shell(cuda.flags) if cuda else "",
        "GENCODE": shell(gencode(choice.archs)),
        "NVCC_JOBS": str(nvcc_jobs),
        "CONFIGURE": shell(again),
        "EDGES": computed_edges(options, tools, choice),
    }


def gencode(archs: Sequence[str]) -> list[str]:
    """nvcc's options for machine code of every arch, and PTX of the last for those to come."""
    words = []
    for arch in archs:
        kinds = f"[sm_{arch},compute_{arch}]" if arch == archs[-1] else f"sm_{arch}"
        words += ["-gencode", f"arch=compute_{arch},code={kinds}"]
    return words


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with every slot filled; KeyError for a slot that has no value."""
    return re.sub(r"@([A-Z_]+)@", lambda slot: values[slot[1]], template)


# ---- files and words ----------------------------------------------------------------------------


def write_if_changed(path: str, text: str) -> None:
    """Writes a small file, and leaves it alone when it already says the same."""
    file = Path(path)
    if not file.is_file() or file.read_text() != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def watched(tools: Tools) -> list[str]:
    """Everything that makes ninja run this program again when it changes.

    Folders too: a file that comes or goes changes its folder. Absolute paths, since a folder may be
    called like a target.
    """
    paths = {"configure.py", "build.ninja.in"}
    paths.update(sources("generator/**/*.py", "requirements/*.txt"))
    for top in ("bench", "examples", "generator", "runtime", "templates", "tests"):
        paths |= {folder for folder, _, _ in os.walk(top) if not folder.endswith("__pycache__")}
    programs = [command[0] for command in (tools.cc, tools.cxx) if command]
    programs += [tools.cuda.nvcc] if tools.cuda else []
    return [str(ROOT / path) for path in sorted(paths) + programs]


def write_build(options: argparse.Namespace, tools: Tools, choice: Choice) -> None:
    """Writes build.ninja, and into the build folder what its edges depend on."""
    compilers = [describe(tools.cc), describe(tools.cxx)]
    write_if_changed(f"{choice.build}/toolchain.txt", "\n".join(compilers) + "\n")
    if tools.cuda:
        write_if_changed(f"{choice.build}/toolchain-cuda.txt", f"nvcc {tools.cuda.version}\n")
    inputs = " ".join(re.sub("[ #]", r"\\\g<0>", escape(p, also="")) for p in watched(tools))
    write_if_changed(f"{choice.build}/build.ninja.d", f"build.ninja: {inputs}\n")
    text = fill(Path("build.ninja.in").read_text(), slots(options, tools, choice))
    Path("build.ninja").write_text(text)


def describe(compiler: Sequence[str]) -> str:
    """A compiler's command and version."""
    return f"{shlex.join(compiler)}, {first_line(*compiler, '--version')}" if compiler else "none"


def summary(options: argparse.Namespace, tools: Tools, choice: Choice) -> str:
    """What was found and what comes of it."""
    jobs, nvcc_jobs, machine = job_counts(options.jobs)
    cuda = tools.cuda
    without = "none: " + ("--no-cuda" if options.no_cuda else "no nvcc")
    archs = [*choice.archs, f"PTX {choice.archs[-1]}"] if cuda else ["none"]
    counts = [f"{len(found)} {backend}" for backend, found in choice.variants.items()]
    total = len(plan.variants())
    rows = {
        "build folder": choice.build,
        "C compiler": describe(tools.cc),
        "C++ compiler": describe(tools.cxx),
        "CUDA compiler": f"{cuda.nvcc}, {cuda.version}" if cuda else without,
        "CUDA archs": ", ".join(archs),
        "isa levels": ", ".join(choice.isas),
        "variants": f"{', '.join(counts)}; {total} in all",
        "jobs": f"{jobs} compilers, {nvcc_jobs} nvcc ({machine})",
        "Python": tools.python,
        "ninja": tools.ninja,
    }
    lines = [f"{name:<15}{text}" for name, text in rows.items()] + tools.notes
    for name in tools.missing:
        targets = ["CUDA variants"] if name == "nvcc" else []
        targets += [target for target, needs in TARGET_NEEDS.items() if name in needs]
        lines.append(f"{lack(name)}: no {', '.join(targets)}")
    if set(GENERATOR) & set(tools.missing):
        lines.append("warning: generated/ is compiled as it is; edits of templates/ are IGNORED")
    if tools.missing:
        lines.append(f"to get what is missing: {setup_hint(tools.missing)}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = parse(arguments)
    os.chdir(ROOT)
    if options.setup:
        setup(want_cuda=not options.no_cuda)
    tools = probe(want_cuda=not options.no_cuda)
    if lacking := [name for name in ESSENTIAL if name in tools.missing]:
        names = " and ".join(lacking)
        fail(f"nothing can be built without {names}; run {setup_hint(lacking)}")
    choice = choose(options, tools)
    write_build(options, tools, choice)
    print(summary(options, tools, choice), flush=True)
    if not options.targets:
        return 0
    jobs, _, _ = job_counts(options.jobs)
    command = [tools.ninja, f"-j{jobs}", *options.targets]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
