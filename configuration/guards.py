"""The edges of what guards the rest: the fuzzer, hostile calls, threads, coverage, mutations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from configuration.graph import Graph, escape, sources
from configuration.options import Choice
from configuration.probe import Tools
from generator import plan
from generator.model import Variant

HERE = "tests/fuzz"


@dataclass(frozen=True)
class Guards:
    """The programs that the tests run; empty where one cannot be built."""

    fuzz: str = ""
    hostile: str = ""
    threads: str = ""
    coverage: tuple[str, ...] = ()

    def programs(self) -> list[str]:
        """Those that `test` runs."""
        return [program for program in (self.fuzz, self.hostile, self.threads) if program]


def runtime_sources() -> list[str]:
    """The runtime and the tables, of all ops."""
    tables = {f"generated/ops/{variant.op.name}.c" for variant in plan.variants()}
    return [*sources("runtime/**/*.c"), "generated/registry.c", *sorted(tables)]


def one_scalar(variants: Sequence[Variant]) -> list[Variant]:
    """The variants with the last value of each op's first axis: what is built once more is short."""
    last = {variant.op.name: variant.values[:1] for variant in variants}
    return [variant for variant in variants if variant.values[:1] == last[variant.op.name]]


def fuzz_edges(graph: Graph, choice: Choice) -> str:
    """libFuzzer's harness, with everything that it runs instrumented."""
    folder = f"{graph.build}/fuzz"
    graph.title("Fuzzer: the boxed call on the CPU.")
    isa = next(iter(choice.isas))
    objects = []
    harness = [f"{HERE}/{name}.c" for name in ("fuzz_call", "hostile", "shape")]
    for source in [*runtime_sources(), *harness]:
        objects.append(graph.compile("fuzz_cc", source, f"{folder}/{source}.o"))
    for variant in one_scalar(choice.variants["cpu"]):
        flags = f"-fno-trapping-math -DKVF_ISA={isa}"
        target = f"{folder}/{variant.symbol}.o"
        objects.append(graph.compile("fuzz_cc", variant.source, target, flags=flags))
    return graph.edge("link_fuzz", f"{folder}/fuzz_call", objects)


def instrumented(graph: Graph, kind: str, files: Sequence[str]) -> list[str]:
    """Objects of these files with the flags of a kind of program: threads or coverage."""
    folder = f"{graph.build}/{kind}"
    return [graph.compile(f"{kind}_cc", file, f"{folder}/{file}.o") for file in files]


def coverage_edges(graph: Graph, tools: Tools, choice: Choice, emulated: bool) -> tuple[str, ...]:
    """A library whose runtime counts its lines and branches, and the suites that run it.

    Kernels do not count, but which of them run is found in the runtime, so those of all levels are
    there; tests name variants of all dtypes.
    """
    graph.title("The suites with a runtime that counts its lines and branches.")
    folder = f"{graph.build}/coverage"
    objects = instrumented(graph, "coverage", [*runtime_sources(), "tests/gcov/leave.c"])
    objects += [
        f"{graph.build}/cpu/{v.symbol}.{isa}.o"
        for v in choice.variants["cpu"]
        for isa in choice.isas
    ]
    objects += [f"{graph.build}/cuda/{v.symbol}.o" for v in choice.variants.get("cuda", [])]
    library = f"{folder}/libkvforge.so.0"
    graph.edge("link_shared", library, objects, flags="--coverage")
    own = sources("tests/*.c", "compat/*.c", "bench/shared/*.c")
    tests = [f"{graph.build}/obj/{file}.o" for file in own]
    tests += [f"{graph.build}/obj/{file}.o" for file in sources("tests/*.cpp") if tools.cuda]
    link = {"linker": "$cxx" if tools.cuda else "$cc", "flags": escape(tools.cunit, also="")}
    program = graph.edge("link_program", f"{folder}/kvf_tests", [*tests, library], **link)
    if not emulated:
        return (program,)
    return (program, graph.edge("symlink", f"{folder}/emulator", target="../emulator"))


def guard_edges(graph: Graph, tools: Tools, choice: Choice, emulated: bool) -> Guards:
    """The programs."""
    library = f"{graph.build}/libkvforge.so.0"
    hostile = threads = ""
    coverage: tuple[str, ...] = ()
    fuzz = fuzz_edges(graph, choice) if "fuzz" not in graph.refused else ""
    isas = choice.isas
    kernels = [
        f"{graph.build}/cpu/{v.symbol}.{isa}.o" for v in choice.variants["cpu"] for isa in isas
    ]
    kernels += [f"{graph.build}/cuda/{v.symbol}.o" for v in choice.variants.get("cuda", [])]
    if emulated:
        graph.title("Hostile calls against the emulated driver.")
        files = [f"{HERE}/{name}.c" for name in ("hostile_cuda", "hostile", "shape")]
        objects = [graph.compile("cc", file) for file in files]
        target = f"{graph.build}/hostile_cuda"
        link = {"linker": "$cc", "flags": ""}
        hostile = graph.edge("link_program", target, [*objects, library], **link)
    if "test-threads" not in graph.refused:
        graph.title("First use of everything under ThreadSanitizer.")
        files = [file for file in runtime_sources() if file != "runtime/core/machine.c"]
        files += sources("tests/threads/*.c")
        objects = instrumented(graph, "threads", files)
        target = f"{graph.build}/threads/first_use"
        threads = graph.edge("link_threads", target, [*objects, *kernels])
    if "coverage" not in graph.refused:
        coverage = coverage_edges(graph, tools, choice, emulated)
    return Guards(fuzz, hostile, threads, coverage)
