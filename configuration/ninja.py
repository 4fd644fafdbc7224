"""Writes build.ninja from build.ninja.in, and what its edges depend on."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from configuration.edges import computed_edges
from configuration.graph import escape, gencode, shell, sources
from configuration.options import DEFAULT_BUILD, Choice, recorded
from configuration.probe import Tools, describe, job_counts
from configuration.shell import ROOT, find_tool
from generator import profile

ENVIRONMENT = ("PATH", "CC", "CXX", "CFLAGS", "LDFLAGS", "CUDA_HOME")


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
        "FOLDER": shell([choice.build]),
        "ROOT_NINJA": " | build.ninja" if choice.build == DEFAULT_BUILD else "",
        "PREFIX": shell([str(Path(options.prefix or "/usr/local").absolute())]),
        "LIBDIR": shell([options.libdir or "lib"]),
        "CC": shell(tools.cc),
        "CXX": shell(tools.cxx),
        "GXX": shell(tools.gxx),
        "FUZZER": shell(tools.fuzzer),
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
        "GENCODE_EACH": shell(gencode(choice.archs, each=True)),
        "NVCC_JOBS": str(nvcc_jobs),
        "CONFIGURE": shell(again),
        "EDGES": computed_edges(options, tools, choice),
    }


def fill(template: str, values: Mapping[str, str]) -> str:
    """The template with every slot filled; KeyError for a slot that has no value."""
    return re.sub(r"@([A-Z_]+)@", lambda slot: values[slot[1]], template)


def write_if_changed(path: str, text: str) -> None:
    """Writes a small file, and leaves it alone when it already says the same."""
    file = Path(path)
    if not file.is_file() or file.read_text() != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def watched(options: argparse.Namespace, tools: Tools) -> list[str]:
    """Everything that makes ninja run this program again when it changes.

    Folders too: a file that comes or goes changes its folder. Absolute paths, since a folder may be
    called like a target.
    """
    paths = {"configure.py", "build.ninja.in"}
    paths.update(sources("configuration/*.py", "generator/**/*.py", "requirements/*.txt"))
    tops = (
        "bench",
        "compat",
        "examples",
        "generator",
        "plugins",
        "python/src",
        "runtime",
        "templates",
        "tests",
    )
    for top in tops:
        paths |= {folder for folder, _, _ in os.walk(top) if not folder.endswith("__pycache__")}
    programs = [command[0] for command in (tools.cc, tools.cxx, tools.gxx) if command]
    programs += [tools.cuda.nvcc] if tools.cuda else []
    programs += [profile.file_of(options.profile)] if options.profile else []
    return [str(ROOT / path) for path in sorted(paths) + programs]


def in_depfile(path: str) -> str:
    """A path as a rule of Make has it."""
    return re.sub("[ #]", r"\\\g<0>", escape(path, also=""))


def build_file(choice: Choice) -> str:
    """The file that `ninja -f` takes, one in each build folder."""
    return f"{choice.build}/build.ninja"


def write_build(options: argparse.Namespace, tools: Tools, choice: Choice) -> None:
    """Writes build.ninja and what its edges depend on into the build folder."""
    compilers = [describe(compiler) for compiler in (tools.cc, tools.cxx, tools.gxx)]
    write_if_changed(f"{choice.build}/toolchain.txt", "\n".join(compilers) + "\n")
    if tools.cuda:
        write_if_changed(f"{choice.build}/toolchain-cuda.txt", f"nvcc {tools.cuda.version}\n")
    file = build_file(choice)
    inputs = " ".join(map(in_depfile, watched(options, tools)))
    write_if_changed(f"{file}.d", f"{in_depfile(file)}: {inputs}\n")
    text = fill(Path("build.ninja.in").read_text(), slots(options, tools, choice))
    Path(file).write_text(text)
    if choice.build == DEFAULT_BUILD:  # what `ninja` without -f means, after `rm -r build` too
        Path("build.ninja").write_text(text)
