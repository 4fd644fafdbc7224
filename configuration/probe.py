"""Looks at the tools of this machine."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from configuration.needs import EXACT, OPTIONAL, PYTHON_PACKAGES, SOURCES, VENV_PYTHON
from configuration.shell import canonical, compiles, find_tool, first_line, output

# isa level -> compiler flags, by the first part of the compiler's target triple.
ISA_FLAGS: dict[str, dict[str, tuple[str, ...]]] = {
    "x86_64": {
        "baseline": (),
        "avx2": ("-march=x86-64-v3",),
        "avx512": ("-march=x86-64-v4", "-mprefer-vector-width=512"),
    },
    "aarch64": {"neon": ()},
}

OPENMP = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"


@dataclass(frozen=True)
class Cuda:
    """A CUDA toolkit that compiles."""

    nvcc: str
    version: str
    include: str  # folder of its headers; empty: on the compiler's own path
    archs: tuple[str, ...]  # supported
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Torch:
    """A torch that extensions can be built for."""

    version: str
    folder: str  # of the package, which holds include/ and lib/
    stable: bool  # has all of the stable ABI that the binding uses
    flags: tuple[str, ...]  # for what includes more than the stable ABI


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
    tvm_ffi: str = ""  # folder of TVM-FFI's headers
    torch: Torch | None = None
    analyzer: bool = False
    openmp: bool = False  # whole, with its threads; CPU kernels do with pragmas
    fuzzer: list[str] = field(default_factory=list)  # a clang with libFuzzer
    gxx: list[str] = field(default_factory=list)  # a g++, which the emulated driver needs
    missing: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def probe(want_cuda: bool) -> Tools:
    """Looks at everything the build can use."""
    tools = Tools()
    tools.python, tools.missing = find_python()
    tools.tvm_ffi = headers_of(tools.python, "tvm_ffi")
    tools.torch = find_torch(tools.python)
    bindings = {"apache-tvm-ffi": tools.tvm_ffi, "torch": tools.torch}
    tools.missing += [name for name, there in bindings.items() if not there]
    tools.missing = list(dict.fromkeys(tools.missing))
    tools.ninja = find_ninja()
    tools.cc = find_tool("CC", "cc", "gcc", "clang") or []
    tools.cxx = find_tool("CXX", "c++", "g++", "clang++") or []
    found: dict[str, object] = {
        "C compiler": tools.cc,
        "C++ compiler": tools.cxx,
        "ninja": tools.ninja,
        "CUnit": "",
        "valgrind": shutil.which("valgrind"),
    }
    if tools.cc:
        found["CUnit"] = tools.cunit = find_cunit(tools.cc)
        tools.isas = find_isas(tools.cc)
        tools.openmp = compiles(tools.cc, "-fopenmp", code=OPENMP, link=True)
        tools.analyzer = compiles(tools.cc, "-fanalyzer", "-Werror")
    tools.gxx = find_gxx(tools.cxx)
    if want_cuda:
        tools.cuda = find_cuda(tools.cxx, tools.gxx, tools.notes)
        found["nvcc"] = tools.cuda
        if tools.cuda and tools.gxx and tools.gxx != tools.cxx:
            tools.notes.append(f"the emulated CUDA driver is compiled with {tools.gxx[0]}")
    tools.fuzzer = find_fuzzer(tools.cc)
    found["libFuzzer"] = tools.fuzzer
    tools.missing = [name for name, value in found.items() if not value] + tools.missing
    return tools


def find_python() -> tuple[str, list[str]]:
    """The Python that lacks the fewest packages, the running one or .venv's, and what it lacks."""
    packages = [name for name in OPTIONAL if SOURCES[name].requirements]
    wanted = [name for names in PYTHON_PACKAGES.values() for name in names] + packages
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


def headers_of(python: str, package: str) -> str:
    """Where a Python has the headers of a package, without importing it; empty if it has none."""
    script = (
        "from importlib.util import find_spec\n"
        f"spec = find_spec({package!r})\n"
        "print(spec.submodule_search_locations[0] if spec else '')\n"
    )
    folder = Path(first_line(python, "-c", script) or "nowhere") / "include"
    return canonical(str(folder)) if folder.is_dir() else ""


def find_torch(python: str) -> Torch | None:
    """The torch of a Python; importing it costs seconds and is left out where that is possible."""
    include = headers_of(python, "torch")
    script = "from importlib.metadata import version\nprint(version('torch'))\n"
    version = first_line(python, "-c", script) if include else ""
    number = re.match(r"(\d+)\.(\d+)", version)
    if not number:
        return None
    release = tuple(map(int, number.groups()))
    abi = "1"  # of every build since 2.7
    if release < (2, 7):
        script = "import torch\nprint(int(torch._C._GLIBCXX_USE_CXX11_ABI))\n"
        abi = first_line(python, "-c", script)
    flags = (f"-D_GLIBCXX_USE_CXX11_ABI={abi}",)
    return Torch(version, str(Path(include).parent), release >= (2, 10), flags)


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


def find_fuzzer(cc: Sequence[str]) -> list[str]:
    """A clang that links libFuzzer: the C compiler itself, or the one on PATH."""
    code = "int LLVMFuzzerTestOneInput(const char *d, long n);\n"
    code += "int LLVMFuzzerTestOneInput(const char *d, long n) { return n < 0 && d; }\n"
    flags = ("-fsanitize=fuzzer,address,undefined",)
    for candidate in (cc, find_tool("", "clang") or []):
        if candidate and compiles(candidate, *flags, code=code, link=True):
            return [*candidate]
    return []


def find_gxx(cxx: Sequence[str]) -> list[str]:
    """A g++ that instruments as the emulated driver wants: the C++ compiler itself, or PATH's."""
    flags = ("-Werror", "-fsanitize=kernel-address", "--param", "asan-stack=0")
    for candidate in (cxx, find_tool("", "g++") or []):
        if candidate and compiles(candidate, *flags):
            return [*candidate]
    return []


def find_isas(cc: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The isa levels that the compiler can build, with their flags."""
    machine = first_line(*cc, "-dumpmachine").partition("-")[0]
    levels = ISA_FLAGS.get(machine, {"baseline": ()})
    return {level: flags for level, flags in levels.items() if compiles(cc, *flags)}


def find_cuda(cxx: Sequence[str], gxx: Sequence[str], notes: list[str]) -> Cuda | None:
    """The first CUDA toolkit that compiles: PATH, CUDA_HOME, the default prefix, then wheels.

    nvcc has the C++ compiler preprocess and nothing else here, so g++ will do where it refuses it.
    """
    homes = [*filter(None, [os.environ.get("CUDA_HOME")]), "/usr/local/cuda"]
    wheels = map(str, sorted(Path().glob(".venv/lib/python3*/site-packages/nvidia/cu*")))
    candidates = [shutil.which("nvcc"), *(f"{home}/bin/nvcc" for home in (*homes, *wheels))]
    hosts = list(dict.fromkeys(host[0] for host in (cxx, gxx) if host))
    for candidate in dict.fromkeys(candidates):
        if not (candidate and os.access(candidate, os.X_OK)):
            continue
        for host in hosts:
            cuda = probe_cuda(candidate, host)
            if cuda and host != hosts[0]:
                notes.append(f"{cuda.nvcc} is given {host}: it does not take {hosts[0]}")
            if cuda:
                return cuda
        notes.append(f"{candidate} does not compile with {' or '.join(hosts)}; passed over")
    return None


def probe_cuda(nvcc: str, host: str) -> Cuda | None:
    """A toolkit under its canonical path, if it makes a fatbin with this host compiler."""
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
        given = ("-ccbin", host)
        for flags in ((*given, "-Xfatbin=-compress-all", "--compress-mode=size"), given):
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


def describe(compiler: Sequence[str]) -> str:
    """A compiler's command and version."""
    return f"{shlex.join(compiler)}, {first_line(*compiler, '--version')}" if compiler else "none"
