"""One build: what goes into a shared object, what it depends on, and the commands that make it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import tvm_ffi.libinfo

from kvforge import _checkout, _library, _toolchain
from kvforge._content import Hashes, key_of
from kvforge._includes import Scan, Search, search_of
from kvforge._ninja import BuildError, Step, read_depfile, run, say
from kvforge._store import FORMAT, MAX_NAME, Changed, Product, Store
from kvforge._toolchain import Tool
from kvforge._trust import remove

Result = TypeVar("Result")
SUFFIXES = (".c", ".cpp", ".cc", ".cxx", ".cu")
# Of all host code. -ffp-contract=off: results must not depend on the isa level.
COMMON = ("-fPIC", "-fopenmp-simd", "-ffp-contract=off")
STANDARD = {".c": ("-std=gnu11", "-Werror=implicit-function-declaration"), ".cu": ("-std=c++17",)}
# Empty, and included before all else: gcc takes a precompiled header that lies beside a header,
# <header>.gch, whatever it was made of, but only in place of the first one that is included. Of CUDA
# files that is nvcc's own.
FIRST = "first.h"
IMAGE = "runtime/core/cuda_image.S"  # embeds device code
ATTEMPTS = 4  # at a build whose inputs change meanwhile


@dataclass
class Build:
    """What is to be compiled into one shared object, and how."""

    store: Store
    name: str
    files: list[Path]
    folders: list[Path] = field(default_factory=list)
    variant: str = ""  # the symbol, when `files` is the source of a variant
    cflags: tuple[str, ...] = ()
    cuda_cflags: tuple[str, ...] = ()
    ldflags: tuple[str, ...] = ()
    include_paths: tuple[Path, ...] = ()
    verbose: bool = False

    def __post_init__(self) -> None:
        """Checks the paths, and finds what a build depends on before it is made."""
        self.known: set[str] = set()  # what earlier attempts have read
        self.check_texts()
        self.prepare()

    def check_texts(self) -> None:
        """ValueError for a name or path that the commands below could not hold."""
        if len(self.name) > MAX_NAME:
            raise ValueError(
                f"kvforge: name {self.name[:20]}... has {len(self.name)} letters, want {MAX_NAME} "
                "at most"
            )
        inner = [path for folder in self.folders for path in folder.rglob("*")]
        cuda = self.variant.startswith("kvf_cuda") or any(p.suffix == ".cu" for p in self.files)
        for path in (*self.files, *self.folders, *inner, *self.includes()):
            text = str(path)
            if not text.isprintable():
                raise ValueError(
                    f"kvforge.load: path {text!r}: want printable characters, which ninja and "
                    "depfiles can hold"
                )
            if cuda and (wrong := re.search(r"""[$`"\\,]""", text)):
                raise ValueError(f"kvforge.load: path {text!r}: nvcc cannot have {wrong[0]} in one")

    def prepare(self) -> None:
        """Finds the compilers, and what a build depends on before it is made."""
        self.version, self.isa = _library.library()
        self.archs = _toolchain.cuda_archs()
        suffixes = {path.suffix for path in self.files}
        self.cc = _toolchain.find_cc(self.store)
        has_cxx = bool(suffixes - {".c"}) and not self.variant
        self.cxx = _toolchain.find_cxx(self.store) if has_cxx else None
        wants_nvcc = ".cu" in suffixes or (bool(self.folders) and bool(self.archs))
        self.nvcc = _toolchain.find_nvcc(self.store) if wants_nvcc else None
        if ".cu" in suffixes and self.nvcc is None:
            raise RuntimeError("kvforge: no nvcc on PATH, in CUDA_HOME or in /usr/local/cuda")
        self.hashes = Hashes()
        self.inputs = [*map(str, self.files), *self.folder_inputs()]
        if self.nvcc:
            self.inputs.append(str(_checkout.root() / IMAGE))
        self.key = key_of(self.key_parts())

    def folder_inputs(self) -> list[str]:
        """The files that op folders are expanded from."""
        if not self.folders:
            return []
        root = _checkout.root()
        found: list[Path] = []
        for folder in self.folders:
            found += [
                path
                for path in folder.rglob("*")
                if path.suffix in (".c", ".h", ".cuh", ".py", ".j2", ".json")
                and not path.name.startswith("test_")
            ]
        found += [*(root / "generator").rglob("*.py"), *(root / "templates").rglob("*.j2")]
        return sorted(map(str, found))

    def key_parts(self) -> Iterable[str]:
        """All that is known before compiling."""
        tools = [tool.identity for tool in (self.cc, self.cxx, self.nvcc) if tool]
        environment = [f"{name}={os.environ.get(name, '')}" for name in _toolchain.ENVIRONMENT]
        yield from (FORMAT, self.version, self.name, self.variant, self.isa)
        for group in (
            tools,
            environment,
            self.archs if self.nvcc else [],
            self.cflags,
            self.cuda_cflags,
            self.ldflags,
            [str(path) for path in self.includes()],
            [str(path) for path in (*self.files, *self.folders)],
            [path + "\n" + self.hashes[path] for path in self.inputs],
        ):
            yield str(len(group))
            yield from group

    def includes(self) -> list[Path]:
        """The folders of headers, in the order of the search."""
        found = [*self.include_paths, *_checkout.include_paths()]
        if self.files and not self.variant:
            found.append(Path(tvm_ffi.libinfo.find_include_path()))
        return found

    def found(self) -> Path | None:
        """The folder of the build if it has been made before."""
        return self.store.find(self.name, self.key, self.hashes)

    def use(self, bring_in: Callable[[Path], Result]) -> Result:
        """Calls `bring_in` with the folder of the build, made first if need be."""
        while True:
            folder = self.obtain()
            try:
                return bring_in(folder)
            except (OSError, RuntimeError, ValueError):
                if folder.is_dir():
                    raise
                # Pruned between the two steps: build it again.

    def obtain(self) -> Path:
        """The folder of the build, made first if need be; once more if its inputs change meanwhile."""
        for _ in range(ATTEMPTS):
            try:
                return self.store.obtain(self.name, self.key, self.make, self.hashes, self.waiting)
            except BuildError as error:
                raise BuildError(self.explain(str(error))) from None
            except Changed as error:
                changed = str(error)
                self.prepare()
        raise BuildError(
            f"kvforge: building {self.name} failed\nin each of {ATTEMPTS} attempts files changed, or "
            f"could not be read, while they were compiled: {changed}"
        )

    def waiting(self) -> None:
        """Says why nothing happens."""
        say(f"{self.name}: waiting for another process that builds it")

    def explain(self, text: str) -> str:
        """The message for what the compilers refused."""
        failed = self.store.failed_folder(self.name, self.key)
        own = re.findall(r"^([^/\s:][^\s:(]*\.(?:c|h|cu|cuh|S))[:(](\d+)", text, re.M)
        places = "".join(f"\ngenerated file: {failed / path}" for path in dict(own))
        if own and self.folders:
            words = [word for path in self.folders for word in ("--op-folder", str(path))]
            words += ["--where", f"{failed / own[0][0]}:{own[0][1]}"]
            there = f"cd {shlex.quote(str(_checkout.root()))} && python3 -m generator"
            places += f"\nline of the template: {there} {shlex.join(words)}"
        return f"kvforge: building {self.name} failed\n{text}{places}\ncommands ran in: {failed}"

    def make(self, folder: Path) -> Product:
        """Compiles and links in a new folder. Changed if an input did so meanwhile."""
        scan = Scan(str(folder))
        scan.see([*self.inputs, *self.known])
        if changed := [p for p in self.inputs if scan.states[p].content != self.hashes[p]]:
            raise Changed(", ".join(changed))  # since the key was made of them
        if self.folders:
            self.expand(folder)
        (folder / FIRST).touch()
        steps = [*self.steps(folder)]
        searches: dict[tuple[str, ...], Search] = {}
        for step in steps:
            if step.search:
                if step.search not in searches:
                    searches[step.search] = search_of(step.search, folder)
                first = ["cuda_runtime.h"] if step.what.startswith("NVCC") else []
                scan.follow(str(folder / step.inputs[0]), searches[step.search], first)
        for search in searches.values():
            scan.explain(self.known, search)
        objects = [step.output for step in steps if step.output.endswith(".o")]
        run(folder, [*steps, self.link(objects)], self.name, self.verbose)
        inputs = set(self.inputs)
        for depfile in folder.glob("objects/**/*.d"):
            inputs.update(path for path in read_depfile(depfile) if path.startswith("/"))
        if changed := [*scan.changed(inputs)]:
            self.known |= inputs
            raise Changed(", ".join(changed))
        absent = scan.looked_for(inputs, searches.values())
        if appeared := [path for path in absent if os.access(path, os.F_OK)]:
            raise Changed(", ".join(appeared))
        for leftover in ("objects", ".ninja_log", ".ninja_deps"):
            remove(folder / leftover)
        wrappers = relative(folder, "python/*.py")
        title = ", ".join(path.name for path in (*self.folders, *self.files))
        contents = {path: scan.states[path].content for path in sorted(inputs)}
        return Product([f"{self.name}.so", *wrappers], contents, absent, title)

    def expand(self, folder: Path) -> None:
        """Runs the generator on the op folders, in a process of its own."""
        say(f"{self.name}: generating", end="")
        words = [word for path in self.folders for word in ("--op-folder", str(path))]
        command = [sys.executable, "-B", "-m", "generator", *words, "--output", str(folder)]
        root = str(_checkout.root())
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        done = subprocess.run(
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            errors="replace",
            umask=0o077,
            check=False,
        )
        if self.verbose:
            print(done.stdout + done.stderr, end="", file=sys.stderr)
        if done.returncode != 0:
            raise BuildError(f"{' '.join(command)}\n{done.stdout}{done.stderr}".strip())

    def steps(self, folder: Path) -> Iterable[Step]:
        """Everything but the last step."""
        own = ("-Iinclude",) if self.folders else ()
        hidden = ("-fvisibility=hidden",)
        if self.variant:
            (folder / "module.c").write_text(self.installer())
        generated = [path for path in ("module.c", *relative(folder, "ops/*.c")) if self.modular]
        checks = [path for place in self.folders for path in sorted(place.glob("*.c"))]
        for source in (*generated, *map(str, checks)):
            yield self.host(source, self.cc, "-O2", *hidden, *own)
        for source in relative(folder, "cpu/*.c"):
            yield self.cpu_variant(source, own)
        for source in relative(folder, "cuda/*.cu") if self.nvcc else ():
            yield from self.cuda_variant(source, own)
        for path in self.files:
            if self.variant and path.suffix == ".c":
                yield self.cpu_variant(str(path), own)
            elif self.variant:
                yield from self.cuda_variant(str(path), own)
            elif path.suffix == ".cu":
                yield self.cuda_host(str(path), own)
            else:
                tool = self.cc if path.suffix == ".c" else self.cxx
                assert tool is not None
                yield self.host(str(path), tool, "-O2", *own)

    @property
    def modular(self) -> bool:
        """Whether the shared object is a module in the sense of kvf_load_module()."""
        return bool(self.folders or self.variant)

    def compile(
        self, what: str, tool: Tool, source: str, flags: Sequence[str], output: str
    ) -> Step:
        """A step that compiles one file, and leaves a depfile."""
        includes = [f"-I{path}" for path in self.includes()]
        depfile = ["-MD", "-MF", f"{output}.d"]
        command = [*tool.command, "-c", *depfile, *flags, *includes, "-o", output, source]
        language = {"CC": "c", "CXX": "c++", "NVCC": "cu"}[what]
        verbose = ["-Xcompiler", "-v"] if what == "NVCC" else ["-v"]
        own = [word for word in flags if word.startswith("-I")]
        search = [*tool.command, "-E", *verbose, *self.searching(what), *own, *includes]
        search += ["-x", language, os.devnull]
        return Step(f"{what} {Path(source).name}", output, [source], command, tuple(search))

    def searching(self, what: str) -> Sequence[str]:
        """The caller's flags, which may change where headers are looked for."""
        return self.cuda_cflags if what == "NVCC" else self.cflags

    def host(self, source: str, tool: Tool, *flags: str) -> Step:
        """A C or C++ file."""
        standard = STANDARD.get(Path(source).suffix, ("-std=c++17",))
        words = ["-include", FIRST, *standard, *COMMON, *flags, *self.cflags]
        what = "CC" if source.endswith(".c") else "CXX"
        return self.compile(what, tool, source, words, object_of(source))

    def cpu_variant(self, source: str, own: Sequence[str]) -> Step:
        """A CPU variant, for the level that this process runs at."""
        level = (f"-DKVF_ISA={self.isa}", *_toolchain.ISA_FLAGS[self.isa])
        return self.host(source, self.cc, "-O3", "-fvisibility=hidden", *level, *own)

    def cuda_variant(self, source: str, own: Sequence[str]) -> Iterable[Step]:
        """A CUDA variant: device code alone, and the object that embeds it."""
        assert self.nvcc is not None
        symbol = Path(source).stem
        archs = _toolchain.archs_of(symbol, self.archs)
        if not archs:
            return  # no device here has what its body needs
        fatbin = f"objects/{symbol}.fatbin"
        words = ["-fatbin", *STANDARD[".cu"], *_toolchain.gencode(archs), *own]
        yield self.compile("NVCC", self.nvcc, source, [*words, *self.cuda_cflags], fatbin)
        image = str(_checkout.root() / IMAGE)
        flags = ["-c", f"-DKVF_SYMBOL={symbol}", f'-DKVF_FATBIN="{fatbin}"']
        target = f"objects/{symbol}.o"
        command = [*self.cc.command, *flags, "-o", target, image]
        yield Step(f"IMAGE {symbol}", target, [fatbin], command)

    def cuda_host(self, source: str, own: Sequence[str]) -> Step:
        """A CUDA file with host code."""
        assert self.nvcc is not None and self.cxx is not None
        archs = _toolchain.gencode(self.archs)
        nvcc = replace(self.nvcc, command=(*self.nvcc.command, "-ccbin", self.cxx.command[0]))
        words = ["-O2", *STANDARD[".cu"], "-Xcompiler", "-fPIC"]
        flags = [*words, *archs, *own, *self.cuda_cflags]
        return self.compile("NVCC", nvcc, source, flags, object_of(source))

    def link(self, objects: list[str]) -> Step:
        """The shared object, with CUDA's static runtime where there is CUDA host code."""
        output = f"{self.name}.so"
        library = str(_library.find().parent / "libkvforge.so.0")
        libraries = [library, *self.ldflags, "-lm"]
        if self.nvcc and any(path.suffix == ".cu" for path in self.files) and not self.variant:
            folders = _toolchain.cuda_libraries(self.nvcc)
            libraries += [*folders, "-lcudart_static", "-ldl", "-lrt", "-lpthread"]
        linker = self.cxx or self.cc
        checks = ["-Wl,-z,defs"] if self.modular and not self.files else []
        words = [*linker.command, "-shared", "-Wl,--as-needed", *checks]
        return Step(f"LINK {output}", output, objects, [*words, "-o", output, *objects, *libraries])

    def installer(self) -> str:
        """The kvf_module() of a variant."""
        symbol = self.variant
        if self.files[0].suffix == ".c":
            function = f"{symbol}__{self.isa}"
            declaration = f"void {function}(const void *, int64_t, int64_t);"
            install = f"kvf_install_cpu(variant, KVF_ISA_{self.isa.upper()}, {function})"
        else:
            declaration = f"extern const unsigned char {symbol}[];"
            install = f"kvf_install_cuda(variant, {symbol})"
        return (
            f'#include "kvforge/op.h"\n\n{declaration}\nKVF_API kvf_status kvf_module(void);\n\n'
            "KVF_API kvf_status kvf_module(void) {\n"
            f'  const kvf_variant *variant = kvf_find_variant("{symbol}");\n'
            f"  return {install};\n}}\n"
        )


def object_of(source: str) -> str:
    """Where the object of a source goes; two sources of one name do not meet."""
    name = re.sub(r"[^A-Za-z0-9_.]", "_", Path(source).name[:64])
    return f"objects/{name}.{key_of([source])[:8]}.o"


def relative(folder: Path, pattern: str) -> list[str]:
    """The files of a folder that match, relative to it."""
    return sorted(str(path.relative_to(folder)) for path in folder.glob(pattern))
