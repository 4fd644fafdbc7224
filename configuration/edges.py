"""Which edges build.ninja has: the library, the programs, the bindings and the commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from configuration import cmake_config
from configuration.graph import Graph, escape, gencode, shell, sources
from configuration.guards import Guards, guard_edges
from configuration.needs import TARGET_NEEDS, lack, setup_hint
from configuration.options import Choice, runs_on, without_cuda
from configuration.probe import Tools
from generator import plan

COMPAT = "-Icompat/include"


def refusals(tools: Tools, choice: Choice, no_cuda: str) -> dict[str, str]:
    """Target -> why it cannot be built here, in one sentence with the way out."""
    refused = {}
    without = {"nvcc": no_cuda} if no_cuda else {}
    for target, needs in TARGET_NEEDS.items():
        if lacking := [name for name in needs if name in tools.missing or name in without]:
            reasons = dict.fromkeys(without.get(name, lack(name)) for name in lacking)
            refused[target] = f"{target} is not available: {', '.join(reasons)}"
            if not without.keys() & lacking:
                refused[target] += f"; run {setup_hint(lacking)}"
    if not tools.analyzer:  # which gcc alone has
        refused.setdefault("coverage", "coverage is not available: it reads what gcc counts")
    if not tools.openmp:
        refused["bench-threads"] = (
            "bench-threads is not available: it compares with OpenMP, which the C compiler lacks"
        )
    if tools.torch and not tools.torch.stable:
        refused["bench-python"] = (
            f"bench-python is not available: torch {tools.torch.version} lacks the stable ABI"
        )
    if choice.sanitize:
        for target in (
            "python",
            "torch",
            "bench-python",
            "test-vllm",
            "test-sglang",
            "test-transfer-faults",
            "test-transfer-soak",
        ):
            refused[target] = f"{target} is not available: Python itself is not instrumented"
        for target in ("fuzz", "test-threads", "coverage"):
            refused[target] = f"{target} is not available: it has instruments of its own"
    built = {variant.symbol for backend in choice.variants.values() for variant in backend}
    for variant in plan.variants():
        if variant.symbol not in built:
            why = "left out by --profile, --ops, --scalars, --caches or --axis"
            if axis := plan.unusual_axis(variant):
                why = (
                    f"--axis {axis}=all has all values of {axis}, a build for this machine does not"
                )
            if variant.backend == "cuda" and not tools.cuda:
                why = without.get("nvcc", "no nvcc; run python3 configure.py --setup")
            elif variant.backend == "cuda" and not runs_on(variant, choice.archs):
                newer = "" if variant.of_one_arch else " or newer"
                why = f"no arch of --cuda-archs is {variant.min_arch}{newer}"
            refused[variant.symbol] = f"{variant.symbol} is not built: {why}"
    return refused


def library_edges(graph: Graph, choice: Choice) -> list[str]:
    """The library: its objects, in all forms."""
    build = graph.build
    graph.title("Library: runtime and tables, of all ops; a variant that is not built is NULL.")
    files = [*sources("runtime/**/*.c"), "generated/registry.c"]
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
        own = runs_on(variant, choice.archs)
        codes = {"gencode": shell(gencode(own)), "gencode_each": shell(gencode(own, each=True))}
        graph.edge(
            "cuda_variant",
            [fatbin, f"{fatbin}.resources.txt"],
            [variant.source],
            [f"{build}/toolchain-cuda.txt"],
            ["generated-files"],
            **({} if own == choice.archs else codes),
        )
        image = graph.edge(
            "cuda_image",
            f"{build}/cuda/{variant.symbol}.o",
            ["runtime/core/cuda_image.S"],
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
    package = [f"{build}/cmake/{name}" for name in cmake_config.NAMES]
    inputs = ["configuration/cmake_config.py", "runtime/include/kvforge/kvforge.h"]
    inputs += [f"cmake/{name}.in" for name in cmake_config.NAMES]
    graph.edge("cmake_config", package, inputs)
    graph.edge("phony", "lib", [link, archive, *package])
    return objects


def compat_edges(graph: Graph) -> None:
    """libkvforge_compat, in both forms."""
    build = graph.build
    graph.title("Drop-in: the functions of other engines' names.")
    objects = [graph.compile("cc", file, flags=COMPAT) for file in sources("compat/*.c")]
    shared = f"{build}/libkvforge_compat.so.0"
    link = {"linker": "$cc", "flags": f"-Wl,-soname,{Path(shared).name}"}
    graph.edge("link_module", shared, [*objects, f"{build}/libkvforge.so.0"], **link)
    linked = graph.edge("symlink", shared.removesuffix(".0"), [shared], target=Path(shared).name)
    whole = graph.edge("relocatable", f"{build}/kvforge_compat.o", objects)
    archive = graph.edge("archive", f"{build}/libkvforge_compat.a", [whole])
    graph.edge("phony", "compat", ["lib", linked, archive])


def emulator_edges(graph: Graph, tools: Tools, choice: Choice) -> list[str]:
    """The emulated CUDA driver, once with the selected kernels and once with those of its test."""
    here, build = "tests/cuda_emulator", f"{graph.build}/emulator"
    own = {"emulator_includes": f"-I{here}/selftest -Iruntime/include"}

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
    has_headers = " $cuda_include -DKVF_HAVE_CUDA_HEADERS" if tools.cuda else ""
    compat = f"{graph.build}/libkvforge_compat.so.0"
    programs = {"kvf_tests": "tests/*.c", "demo": "examples/demo/*.c"}
    programs |= {Path(file).stem: file for file in sources("bench/*.c")}
    peers = {"bench_threads": "-fopenmp"}  # what the library is compared with there
    if "bench-threads" in graph.refused:
        del programs["bench_threads"]
    graph.title("What the benchmarks share, and tests of all ops call.")
    calls = [graph.compile("cc", file) for file in sources("bench/shared/*.c")]
    driver = f"{graph.build}/libkvf_nothing_driver.so"
    nothing = [graph.compile("cc", "bench/driver/nothing.c")]
    graph.edge("link_module", driver, nothing, linker="$cc", flags="")
    for name, files in programs.items():
        graph.title(f"Program: {name}.")
        peer = {"flags": peers[name]} if name in peers else {}
        flags = {"flags": COMPAT + has_headers} if name == "kvf_tests" else {}
        objects = [graph.compile("cc", file, **flags, **peer) for file in sources(files)]
        objects += calls if name == "kvf_tests" or files.startswith("bench/") else []
        linker, link_flags = "$cc", escape(tools.cunit, also="") if name == "kvf_tests" else ""
        if flags and has_headers:
            objects += [graph.compile("cxx", file, **flags) for file in sources("tests/*.cpp")]
            linker, link_flags = "$cxx", link_flags + portable
        link = {"linker": linker, "flags": link_flags} | peer
        libraries = [compat, library] if name == "kvf_tests" else [library]
        beside = [driver] if name == "bench_call" else []
        inputs = [*objects, *libraries]
        graph.edge("link_program", f"{graph.build}/{name}", inputs, (), beside, **link)


def binding_edges(graph: Graph, tools: Tools) -> list[str]:
    """The shared objects of the Python package, and the two of its benchmark; those for tests."""
    library, build = f"{graph.build}/libkvforge.so.0", graph.build
    link = {"linker": "$cc", "flags": ""}
    python: list[str] = []
    if "python" in graph.refused:
        graph.target("python", "refuse")
    else:
        graph.title("Python: the binding through TVM-FFI.")
        flags = shell(["-Igenerated", "-isystem", tools.tvm_ffi])
        objects = [graph.compile("cc", file, flags=flags) for file in sources("python/src/*.c")]
        module = f"{build}/kvforge_tvm_ffi.so"
        python = [graph.edge("link_module", module, [*objects, library], **link)]
        graph.edge("phony", "python", python)
    if "torch" in graph.refused or tools.torch is None:
        graph.target("torch", "refuse")
        return python

    graph.title("Python: the binding to torch's dispatcher, by the stable ABI and by torch's own.")
    folder = tools.torch.folder
    own = ["-isystem", f"{folder}/include/torch/csrc/api/include", *tools.torch.flags]
    headers = ["-isystem", f"{folder}/include"]
    stable = [*headers, "-DTORCH_TARGET_VERSION=0x020a000000000000ull"]
    adapters = {"stable": stable, "library": [*headers, *own]}
    if not tools.torch.stable:
        del adapters["stable"]
    link = {
        "linker": "$cxx",
        "flags": shell([f"-L{folder}/lib", "-ltorch", "-ltorch_cpu", "-lc10"]),
    }
    modules = []
    for name, extra in adapters.items():
        words = [*extra, f"-DKVF_TORCH_{name.upper()}"]
        target = f"{build}/obj/python/src/torch.{name}.o"
        objects = [graph.compile("cxx", "python/src/torch.cpp", target, flags=shell(words))]
        module = f"{build}/kvforge_torch.{name}.so"
        modules.append(graph.edge("link_module", module, [*objects, library], **link))
    first = Path(modules[0]).name
    used = graph.edge("symlink", f"{build}/kvforge_torch.so", modules[:1], target=first)
    graph.edge("phony", "torch", [used, *python])

    if "bench-python" not in graph.refused:
        graph.title("Python: what bench-python compares the bindings with.")
        for language, source, extra in (
            ("cc", "bench/python/nothing_tvm_ffi.c", ["-isystem", tools.tvm_ffi]),
            ("cxx", "bench/python/nothing_torch.cpp", stable),
        ):
            objects = [graph.compile(language, source, flags=shell(extra))]
            module = f"{build}/bench_{Path(source).stem}.so"
            graph.edge("link_module", module, [*objects, library], **link)
    return [*python, used, *modules]


def command_edges(
    graph: Graph,
    tools: Tools,
    choice: Choice,
    emulator: Sequence[str],
    bindings: Sequence[str],
    guards: Guards,
) -> None:
    """The targets that run something."""
    build = graph.build
    cuda = [f"{build}/cuda/{v.symbol}.fatbin" for v in choice.variants.get("cuda", [])]
    reports = [f"{fatbin}.resources.txt" for fatbin in cuda]
    folders = ("runtime", "compat", "tests", "bench", "examples", "python")
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
    if not guards.fuzz:
        suites.append(f"--no-fuzz={graph.refused['fuzz'].partition(': ')[2]}")
    if not guards.threads:
        suites.append(f"--no-threads={graph.refused['test-threads'].partition(': ')[2]}")
    measured = [f"{build}/bench_call", f"{build}/bench_cpu"]
    programs = [tests, *measured, "lib", *emulator, *bindings, *guards.programs()]
    graph.target("test", "run_tests", reports, implicit=programs, flags=shell(suites))
    graph.target("test-gpu", "run_program", [tests], flags="--backend cuda --require")
    flags = shell([*suites, "--exhaustive"])
    graph.target("test-exhaustive", "run_tests", implicit=[tests, "lib", *emulator], flags=flags)
    graph.target("fuzz", "run_fuzz", [guards.fuzz])
    graph.target("test-threads", "run_program", [guards.threads], flags="")
    script = {"script": "tests/coverage_report.py", "flags": ""}
    counted = [*guards.coverage, *emulator]
    graph.target("coverage", "run_script", implicit=counted, **script)
    script = {"script": "tests/mutations/run.py", "flags": ""}
    graph.target("test-mutations", "run_script", **script)
    script = {"script": "tests/reproducible.py", "flags": ""}
    graph.target("test-reproducible", "run_script", **script)
    script = {"script": "plugins/kvforge-vllm/engine/compare.py", "flags": ""}
    graph.target("test-vllm", "run_script", implicit=["lib", *bindings], **script)
    script = {"script": "tests/python/transfer_faults.py", "flags": ""}
    graph.target("test-transfer-faults", "run_script", implicit=["lib", *bindings], **script)
    script = {"script": "tests/python/transfer_soak.py", "flags": ""}
    graph.target("test-transfer-soak", "run_script", implicit=["lib", *bindings], **script)
    script = {"script": "plugins/kvforge-sglang/engine/quality.py", "flags": ""}
    graph.target("test-sglang", "run_script", implicit=["lib", *bindings], **script)
    graph.target("check-resources", "check_resources", reports)
    graph.target("demo", "run_demo", implicit=[f"{build}/demo"])
    graph.target("bench", "bench", implicit=[f"{build}/bench_cpu"])
    graph.target("bench-compare", "bench_compare")
    graph.target("bench-threads", "run_program", [f"{build}/bench_threads"], flags="")
    graph.target("bench-gpu", "run_program", [f"{build}/bench_cuda"], flags="")
    graph.target("tune", "tune", implicit=[f"{build}/bench_cpu", f"{build}/bench_cuda"])
    compared = [f"{build}/bench_nothing_{name}.so" for name in ("tvm_ffi", "torch")]
    graph.target("bench-python", "bench_python", implicit=["torch", *compared])
    graph.target("wheel", "wheel", implicit=["lib", *bindings])
    with_compat = " --compat" if choice.compat else ""
    parts = ["lib", *(["compat"] if with_compat else [])]
    graph.target("install", "install", implicit=parts, flags=with_compat)
    graph.target("uninstall", "install", flags="--uninstall")
    graph.target("format", "format", code)
    graph.target("check-format", "check_format", code)

    graph.title("Static analysis.")
    python = sources(
        *("*.py", "tests/*.py", "tests/python/*.py", "bench/*.py"),
        *("tests/abi/*.py", "tests/mutations/*.py", "tests/packaging/*.py"),
        *("plugins/kvforge-vllm/engine/compare.py", "plugins/kvforge-sglang/engine/quality.py"),
        *("examples/demo/plot.py", "examples/own_op/*.py", "examples/w4a16/*.py"),
    )
    python += ["configuration", "generator", "python/kvforge"]
    python += sources("plugins/*/src/*/*.py")
    graph.target("lint-python", "lint_python", python)
    analyzed = sources("runtime/**/*.c", "compat/*.c") if tools.analyzer else []
    checks = [
        graph.compile("analyze", file, f"{build}/analyze/{file}.o", flags=COMPAT)
        for file in analyzed
    ]
    graph.edge("phony", "lint", ["lint-python", *checks])
    compdb = graph.edge(
        "compdb", f"{build}/compile_commands.json", implicit=[f"{build}/build.ninja"]
    )
    graph.edge("phony", "compdb", [compdb])


def generated_edges(graph: Graph) -> None:
    """The generator: one edge for everything, or none without what it needs."""
    files = [item.path for item in plan.outputs()]
    graph.title("Generated sources.")
    if "generate" not in graph.refused:
        status = f"{graph.build}/generate.status"
        graph.edge("generate", [*files, status], implicit=plan.inputs())
        done = graph.edge("generated", f"{graph.build}/generated.stamp", [status])
        graph.edge("phony", "generate", ["generated-files"])
        graph.edge("phony", "generated-files", [done, *files])
    else:
        graph.target("generate", "refuse")
        graph.edge("phony", "generated-files", files)


def computed_edges(options: argparse.Namespace, tools: Tools, choice: Choice) -> str:
    """All of them."""
    graph = Graph(choice.build, refusals(tools, choice, without_cuda(options)))
    generated_edges(graph)
    library_edges(graph, choice)
    compat_edges(graph)
    emulator = emulator_edges(graph, tools, choice) if tools.cuda and tools.gxx else []
    program_edges(graph, tools, choice)
    bindings = binding_edges(graph, tools)
    guards = guard_edges(graph, tools, choice, bool(emulator))
    command_edges(graph, tools, choice, emulator, bindings, guards)
    graph.title("Variants that are not built.")
    for variant in plan.variants():
        if variant.symbol in graph.refused:
            graph.target(variant.symbol, "refuse")
    graph.title("By default: the library and all that loads it, so that none stays behind it.")
    loads = [name for name in ("python", "torch") if name not in graph.refused and bindings]
    graph.edge("phony", "all", ["lib", *loads])
    graph.lines.append("default all")
    return "\n".join(graph.lines).strip()
