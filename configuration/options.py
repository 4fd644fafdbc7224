"""The command line, and what it selects among what the tools can do."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from configuration import machine
from configuration.machine import NATIVE
from configuration.needs import OPTIONAL
from configuration.probe import Tools
from configuration.shell import fail
from generator import plan, profile
from generator.costs import ALL_ARCHS, DEFAULT_ARCHS
from generator.model import BACKENDS, Variant
from generator.profile import Profile

DEFAULT_BUILD = "build"

# What `demo` gets where it is asked for alone and nothing else is said: what it shows, for this machine.
DEMO = {
    "ops": [
        "reshape_and_cache",
        "reshape_and_cache_flash",
        "reshape_and_cache_flash_nvfp4",
        "reshape_and_cache_flash_per_token_head",
    ],
    "isas": [NATIVE],
    "cuda_archs": [NATIVE],
    "build_dir": "build-demo",
}


def parse(arguments: Sequence[str] | None = None, text: str = "") -> argparse.Namespace:
    """The command line; `text` is what --help says around the options."""
    summary, _, rest = text.partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="configure.py",
        description=summary,
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def names(text: str) -> list[str]:
        return list(dict.fromkeys(filter(None, text.split(","))))

    def axis_values(text: str) -> tuple[str, list[str]]:
        name, sign, values = text.partition("=")
        if not sign:
            raise argparse.ArgumentTypeError(f"got {text!r}, want NAME=VALUE,VALUE")
        return name, names(values)

    def add(*flags: str, **settings: Any) -> None:
        parser.add_argument(*flags, **settings)

    add("targets", nargs="*", metavar="TARGET", help="what ninja is to build afterwards")
    add("--setup", action="store_true", help="install what is missing, without asking")
    add("--with-torch", action="store_true", help="have --setup install torch, for its binding")
    add("--with-jax", action="store_true", help="have --setup install JAX, for its tests")
    add("--with-transfer", action="store_true", help="have --setup install NIXL, for its tests")
    add("--with-example", action="store_true", help="have --setup install the example's model")
    add("--with-fuzzer", action="store_true", help="have --setup install clang, for target fuzz")
    add("--profile", metavar="FILE[:NAME]", help="take a selection from a TOML file of yours")
    add("--ops", type=names, metavar="A,B", help="build these ops' variants only")
    add("--scalars", type=names, metavar="A,B", help="build these scalar dtypes only")
    add("--caches", type=names, metavar="A,B", help="these cache dtypes only; same: the scalar's")
    add(
        "--axis",
        type=axis_values,
        action="append",
        default=[],
        metavar="NAME=A,B",
        help="of the ops that have this axis, these values only; other: the generic variant; all: each "
        "of them [all; head_size=128,other unless --cuda-archs=all]",
    )
    add(
        "--isas", type=names, metavar="A,B", help="these levels of the CPU only; native: this one's"
    )
    add(
        "--cuda-archs",
        type=names,
        metavar="80,90",
        help="GPU architectures, PTX of the highest for later ones; native: those of the GPUs here, or "
        f"no CUDA; all: {','.join(ALL_ARCHS)} [{','.join(DEFAULT_ARCHS)}, and later ones of GPUs here]",
    )
    add("--no-cuda", action="store_true", help="leave the CUDA backend out")
    add("--sanitize", action="store_true", help="host code under AddressSanitizer and UBSan")
    add("--debug", action="store_true", help="code for a debugger, -Og -g3")
    add("--compiler-launcher", choices=("ccache", "sccache"), help="put before every compiler")
    add("--compat", action="store_true", help="have `ninja install` install libkvforge_compat, too")
    add("--prefix", metavar="DIR", help="where `ninja install` puts things [/usr/local]")
    add("--libdir", metavar="DIR", help="the libraries' folder, in the prefix or absolute [lib]")
    add("--build-dir", metavar="DIR", help="[build, build-sanitize, build-debug or build-demo]")
    add("--again", action="store_true", help=argparse.SUPPRESS)  # of ninja: see recorded()
    add("-j", "--jobs", type=int, metavar="N", help="compilers at a time [from cores and memory]")
    options = parser.parse_intermixed_args(arguments)
    if options.targets == ["demo"] and not any(map(vars(options).get, ("profile", *DEMO))):
        vars(options).update(DEMO)
    return options


def recorded(options: argparse.Namespace) -> list[str]:
    """The arguments with which ninja runs this program again."""
    words = ["--again", *(f"--axis={axis}={','.join(values)}" for axis, values in options.axis)]
    for name, value in vars(options).items():
        if name not in ("setup", "targets", "axis", "again") and value not in (None, False):
            text = ",".join(value) if isinstance(value, list) else value
            flag = "--" + name.replace("_", "-")
            words.append(flag if value is True else f"{flag}={text}")
    return words


def forget(options: argparse.Namespace) -> list[str]:
    """Takes what there no longer is out of a selection that was recorded; a sentence for each name."""
    given = [("scalar", options.scalars), ("cache", options.caches), *options.axis]
    ops, values = plan.gone(options.ops, {name: texts or [] for name, texts in given})

    def rest(texts: list[str] | None, missing: Sequence[str]) -> list[str] | None:
        return texts and [text for text in texts if text not in missing]

    options.ops = rest(options.ops, ops)
    options.scalars = rest(options.scalars, values.get("scalar", ()))
    options.caches = rest(options.caches, values.get("cache", ()))
    left = [(name, rest(texts, values.get(name, ()))) for name, texts in options.axis]
    options.axis = [(name, texts) for name, texts in left if texts or name in plan.axis_texts()]
    lost = [("op", op) for op in ops] + [(name, text) for name in values for text in values[name]]
    return [f"{what} {name} is no longer there: left out of the selection" for what, name in lost]


def asked(options: argparse.Namespace) -> set[str]:
    """The optional packages that --setup is to install."""
    return {name for name, flag in OPTIONAL.items() if vars(options)[flag[2:].replace("-", "_")]}


@dataclass(frozen=True)
class Choice:
    """What is built: the selection of the options, among what the tools can do."""

    build: str
    variants: dict[str, list[Variant]]  # backend -> selected and possible
    isas: dict[str, tuple[str, ...]]
    archs: list[str]
    sanitize: bool
    compat: bool


def runs_on(variant: Variant, archs: Sequence[str]) -> list[str]:
    """Those of the archs that have what the body of a CUDA variant needs."""
    least = variant.min_arch
    if variant.of_one_arch:
        return [f"{least}a"] if least in map(number, archs) else []
    return [arch for arch in archs if number(arch) >= least]


def selection(options: argparse.Namespace) -> Profile:
    """What is selected: a profile, with what the options name in place of its own."""
    try:
        chosen = profile.load(options.profile) if options.profile else Profile("")
    except ValueError as error:
        fail(str(error), status=2)
    given = [("scalar", options.scalars), ("cache", options.caches), *options.axis]
    axes = {name: values for name, values in given if values is not None}
    return chosen.but(
        ops=options.ops, axes=axes, isas=options.isas, archs=options.cuda_archs
    ).usual()


def spelt_out(names: Sequence[str], words: Mapping[str, Sequence[str]]) -> list[str]:
    """The same names with what some words stand for in their place."""
    found = [own for name in names for own in words.get(name, [name])]
    return list(dict.fromkeys(found))


def number(arch: str) -> int:
    """90 of 90a."""
    return int(arch.rstrip("af"))


def chosen_archs(wanted: Profile) -> list[str]:
    """The architectures that are selected, whether nvcc has them or not."""
    if not wanted.archs:
        later = [
            arch for arch in machine.native_archs() if number(arch) > number(DEFAULT_ARCHS[-1])
        ]
        return [*DEFAULT_ARCHS, *later]
    native = machine.native_archs() if NATIVE in wanted.archs else ()
    return spelt_out(wanted.archs, {NATIVE: native, plan.ALL: ALL_ARCHS})


def for_any_machine(words: Sequence[str]) -> list[str]:
    """A command line with all archs, unless it says which: a package goes to other machines."""
    said = any(word.startswith(("--cuda-archs", "--profile")) for word in words)
    return [*words, *([] if said else [f"--cuda-archs={plan.ALL}"])]


def without_cuda(options: argparse.Namespace) -> str:
    """Why the CUDA backend is left out; empty if it is not."""
    if options.no_cuda:
        return "configured with --no-cuda"
    if not chosen_archs(selection(options)):
        return "configured for the GPUs of this machine, and there is none"
    return ""


def choose(options: argparse.Namespace, tools: Tools) -> Choice:
    """Checks the options; a name that does not exist ends the program with those that do."""
    if options.compiler_launcher and shutil.which(options.compiler_launcher) is None:
        fail(f"--compiler-launcher={options.compiler_launcher}: no such program")
    kind = "-sanitize" if options.sanitize else "-debug" if options.debug else ""
    wanted = selection(options)
    try:
        selected = wanted.variants()
    except ValueError as error:
        fail(str(error), status=2)
    archs = chosen_archs(wanted)
    isas = spelt_out(wanted.isas or [*tools.isas], {NATIVE: [machine.native_isa(tools.isas)]})
    if not selected:
        fail(
            "no variant is in the selection of --profile, --ops, --scalars, --caches and --axis", 2
        )
    if unknown := set(isas) - set(tools.isas):
        fail(f"unknown isa {', '.join(sorted(unknown))}: want some of {', '.join(tools.isas)}", 2)
    if tools.cuda:
        supported = tools.cuda.archs
        unknown = {arch for arch in archs if arch.rstrip("af") not in supported}
        unasked = (
            unknown if not wanted.archs else set(ALL_ARCHS) if plan.ALL in wanted.archs else set()
        )
        if unknown - unasked:
            fail(
                f"unknown arch {', '.join(sorted(unknown - unasked))}: nvcc {tools.cuda.version} has "
                f"{', '.join(supported)}",
                status=2,
            )
        archs = [arch for arch in archs if arch not in unknown]
    backends = BACKENDS if tools.cuda else ("cpu",)
    selected = [v for v in selected if v.backend == "cpu" or runs_on(v, archs)]
    return Choice(
        build=os.path.normpath(options.build_dir or f"{DEFAULT_BUILD}{kind}"),
        variants={backend: [v for v in selected if v.backend == backend] for backend in backends},
        isas={isa: tools.isas[isa] for isa in tools.isas if isa in isas},
        archs=sorted(archs, key=number) if tools.cuda else [],
        sanitize=options.sanitize,
        compat=options.compat,
    )
