"""The generator: names, schemas, the plan, rendering, and what it does to files."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator import __main__ as command
from generator import axes, names, plan, render, schema, spec
from generator.model import Op, Variant
from generator.spec import OPS

ROOT = plan.ROOT
VARIANTS = [variant for op in OPS for variant in op.variants]
per_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Everything the generator writes, rendered once."""
    return render.render_all()


# ---- names ---------------------------------------------------------------------------------------

word = st.from_regex(r"[a-z0-9]+(_[a-z0-9]+){0,3}", fullmatch=True)


@given(st.sampled_from(["cpu", "cuda"]), word, st.lists(word, min_size=1, max_size=3))
def test_a_symbol_parses_back(backend: str, op: str, tokens: list[str]) -> None:
    symbol = names.symbol(backend, op, tokens)
    assert names.parse_symbol(symbol) == (backend, op, tuple(tokens))


@given(st.text(max_size=40))
def test_other_text_is_refused_or_parses_back(text: str) -> None:
    try:
        parts = names.parse_symbol(text)
    except ValueError as error:
        assert repr(text) in str(error)
    else:
        assert names.symbol(*parts) == text.rstrip("\n")


@pytest.mark.parametrize(
    "text",
    [
        "kvf_cpu_op",
        "kvf_rocm_op__f32__f32",
        "kvf_cpu___f32",
        "kvf_cpu_op__",
        "kvf_cpu_op__F32",
        "kvf_cpu_op___f32",
        "cpu_op__f32",
    ],
)
def test_no_symbol(text: str) -> None:
    with pytest.raises(ValueError, match="not a variant symbol"):
        names.parse_symbol(text)


@pytest.mark.parametrize(("op", "tokens"), [("a__b", ["f32"]), ("a", ["_f32"]), ("a_", ["f32"])])
def test_parts_that_would_not_parse_back(op: str, tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="f32"):
        names.symbol("cpu", op, tokens)


def test_symbols_of_all_variants() -> None:
    for variant in VARIANTS:
        parts = (variant.backend, variant.op.name, variant.tokens)
        assert names.parse_symbol(variant.symbol) == parts
        assert variant.source == names.source(variant.backend, variant.symbol)
    assert len({variant.symbol for variant in VARIANTS}) == len(VARIANTS)


# ---- schemas -------------------------------------------------------------------------------------


def test_schema() -> None:
    parsed = schema.parse(
        "f(Tensor a, Tensor! b, Tensor(c!)[] c, Tensor? d=None, int e=1, str g='x', "
        "Tensor!? h=None, Tensor(i!)? i=None) -> ()"
    )
    assert parsed.name == "f"
    assert [argument.name for argument in parsed.arguments] == list("abcdeghi")
    kinds = ["tensor", "tensor", "tensor_list", "tensor", "int", "string", "tensor", "tensor"]
    assert [argument.kind for argument in parsed.arguments] == kinds
    assert [argument.mutated for argument in parsed.arguments] == [0, 1, 1, 0, 0, 0, 1, 1]
    assert [argument.optional for argument in parsed.arguments] == [0, 0, 0, 1, 0, 0, 1, 1]
    defaults = [None, None, None, "None", "1", "'x'", "None", "None"]
    assert [argument.default for argument in parsed.arguments] == defaults
    assert schema.parse("f() -> ()").arguments == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "want 'name"),
        ("f(Tensor a)", "want 'name"),
        ("f(Tensor a) -> Tensor", "want 'name"),
        ("F(Tensor a) -> ()", "want 'name"),
        ("f Tensor a -> ()", "want 'name"),
        ("f(Tensor) -> ()", "cannot read argument 'Tensor'"),
        ("f(tensor a) -> ()", "cannot read argument 'tensor a'"),
        ("f(Tensor a,Tensor b) -> ()", "cannot read argument"),
        ("f(Tensor A) -> ()", "cannot read argument 'Tensor A'"),
        ("f(long a) -> ()", "cannot read argument 'long a'"),
        ("f(int a=) -> ()", "cannot read argument 'int a='"),
        ("f(int[] a) -> ()", "lists of int"),
        ("f(Tensor?! a) -> ()", "cannot read argument 'Tensor?! a'"),
        ("f(Tensor a, int a) -> ()", "occurs twice"),
    ],
)
def test_bad_schema(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        schema.parse(text)


types = st.sampled_from(
    ["Tensor", "Tensor!", "Tensor?", "Tensor!?", "Tensor[]", "int", "float", "bool", "str"]
)
identifier = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)


@given(identifier, st.lists(st.tuples(types, identifier), unique_by=lambda part: part[1]))
def test_any_schema_keeps_its_parts(name: str, parts: list[tuple[str, str]]) -> None:
    text = f"{name}({', '.join(f'{kind} {argument}' for kind, argument in parts)}) -> ()"
    parsed = schema.parse(text)
    assert parsed.name == name
    assert [(argument.type, argument.name) for argument in parsed.arguments] == parts


# ---- specs ---------------------------------------------------------------------------------------


@per_op
def test_every_op_is_documented(op: Op) -> None:
    assert op.summary.strip() and op.doc.strip()
    assert list(op.arguments) == [argument.name for argument in op.schema.arguments]
    assert all(text.strip() for text in op.arguments.values())
    assert all(field.doc.strip() for field in op.params)
    assert all(reason.strip() for reason in op.exclusions.values())
    assert re.fullmatch(r"\w+", op.namespace)


@per_op
def test_one_stem_for_everything(op: Op) -> None:
    wanted = [
        f"generator/spec/{op.name}.py",
        f"runtime/ops/{op.name}.c",
        f"tests/test_{op.name}.c",
        *(f"templates/{variant.template}" for variant in op.variants if variant.compiled),
    ]
    assert [path for path in dict.fromkeys(wanted) if not (ROOT / path).is_file()] == []


@per_op
def test_every_template_names_its_test(op: Op) -> None:
    for template in {variant.template for variant in op.variants if variant.compiled}:
        assert f"tests/test_{op.name}.c" in (ROOT / "templates" / template).read_text(), template


def change(**values: object) -> Callable[[Op], Op]:
    return lambda op: dataclasses.replace(op, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (change(summary=" "), "summary"),
        (change(doc="na\N{LATIN SMALL LETTER I WITH DIAERESIS}ve"), "doc"),
        (change(arguments={}), "documented arguments"),
        (lambda op: change(arguments=dict(reversed(op.arguments.items())))(op), "its order"),
        (lambda op: change(arguments=dict.fromkeys(op.arguments, ""))(op), "non-empty"),
        (
            lambda op: change(params=(dataclasses.replace(op.params[0], doc=""),))(op),
            f"params member {OPS[0].params[0].name} has no doc",
        ),
    ],
)
def test_an_undocumented_op_is_refused(spoil: Callable[[Op], Op], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        spoil(OPS[0])


def test_exclusions_and_variants_share_out_the_axes() -> None:
    for op in OPS:
        for backend in ("cpu", "cuda"):
            combinations = set(op.combinations(backend))  # the CPU has no arch
            left_out = combinations & set(op.exclusions)
            mine = [v for v in op.variants if v.backend == backend]
            kept = {v.values for v in mine}
            assert len(kept) == len(mine)
            assert kept | left_out == combinations and not kept & left_out


def test_shared_memory_is_declared_in_kernels() -> None:
    """In another function its name has a hash of the folder in it, and no two builds are the same."""
    sources = sorted((ROOT / "generated/cuda").glob("*.cu"))
    assert sources
    for source in sources:
        before = source.read_text().partition('extern "C" __global__')[0]
        assert "__shared__" not in before, source.name


# ---- the plan ------------------------------------------------------------------------------------


def test_selection() -> None:
    everything = plan.variants()
    assert everything == [variant for variant in VARIANTS if variant.compiled]
    some = plan.variants(
        ops=["reshape_and_cache"], axes={"scalar": ["f16"], "cache": ["same"]}, backends=["cpu"]
    )
    assert [variant.symbol for variant in some] == ["kvf_cpu_reshape_and_cache__f16__f16"]
    assert plan.variants(ops=[]) == []
    halves = [plan.variants(backends=[backend]) for backend in ("cpu", "cuda")]
    assert sum(map(len, halves)) == len(everything)
    fp8 = plan.variants(ops=["reshape_and_cache"], axes={"cache": ["fp8_e4m3", "same"]})
    assert {v.cache.token for v in fp8} == {"f32", "f16", "bf16", "fp8_e4m3"}


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"ops": ["nothing"]}, "unknown op nothing: want some of "),
        ({"axes": {"scalar": ["f64"]}}, "unknown scalar dtype f64: want some of "),
        ({"axes": {"cache": ["fp4"]}}, "unknown cache dtype fp4: want some of "),
        (
            {"axes": {"tile": ["64"]}},
            "unknown axis tile: want some of arch, cache, head_size, out, rows, scalar, width",
        ),
        ({"backends": ["rocm"]}, "unknown backend rocm: want some of cpu, cuda"),
        ({"ops": ["b", "reshape_and_cache", "a"]}, "unknown op a, b: want"),
    ],
)
def test_selection_of_what_is_not_there(selection: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plan.variants(**selection)


def test_planned_files_are_sorted_and_unique() -> None:
    paths = [output.path for output in plan.outputs()]
    assert paths == sorted(set(paths))
    assert {variant.source for variant in plan.variants()} <= set(paths)
    assert all((ROOT / path).is_file() for path in plan.inputs())


# ---- rendering -----------------------------------------------------------------------------------


def test_what_is_checked_in_is_what_is_rendered(texts: dict[str, str]) -> None:
    assert render.differences(texts) == []


def test_output_holds_no_place_or_time(texts: dict[str, str]) -> None:
    banned = re.compile(
        r"/(?:home|root|tmp|usr|work|Users|opt)/|\b20\d\d-\d\d-\d\d\b|\d\d:\d\d:\d\d"
    )
    for path, text in texts.items():
        if path == "README.md":  # written by hand but for its table
            continue
        assert str(ROOT) not in text, path
        assert banned.search(text) is None, path
        assert text.isascii() and text.endswith("\n") and "\t" not in text, path
        assert re.search(r"[ ]\n|\n\n\n\n", text) is None, path


def test_banner_names_template_and_spec(texts: dict[str, str]) -> None:
    for output in plan.outputs():
        start = " ".join(re.sub(r"[/*#\n]+ ?", " ", texts[output.path][:400]).split())
        template = f"templates/{output.template}".replace("/", " ")
        assert f"Generated from {template}" in start
        assert (ROOT / "templates" / output.template).is_file()


def test_a_kernel_that_does_not_wait_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "kernel.cu.j2"
    kernel = 'extern "C" __global__ void f(const params p) {\n'
    template.write_text("/* one */\n" + kernel)
    render.check_kernels(kernel + "  kvf_begin_kernel();\n}\n", template)
    begin = "  kvf_begin_kernel();\n"
    asks = "  const place at = find(p);\n  if (at.exists) {\n"
    end = "    work(p);\n    return;\n  }\n"
    knows = "    const sources from = find(p, at);\n    kvf_begin_kernel_knowing(from.first);\n"
    for first in (begin, knows):
        render.check_kernels(kernel + asks + first + end + begin + "}\n", template)
    for body in [
        "  return;\n}\n",
        "  work(p);\n  kvf_begin_kernel();\n}\n",
        asks + end + begin + "}\n",
        asks + begin + end + "  work(p);\n}\n",
    ]:
        with pytest.raises(ValueError, match=r"kernel\.cu\.j2:2: .* want kvf_begin_kernel\(\);"):
            render.check_kernels(kernel + "  kvf_begin_kernel();\n}\n" + kernel + body, template)


def test_every_kernel_waits(texts: dict[str, str]) -> None:
    kernels = [text for path, text in texts.items() if path.endswith(".cu")]
    assert kernels
    for text in kernels:
        ways = 2 if "p.narrow" in text else 1
        begun = text.count("kvf_begin_kernel(") + text.count("kvf_begin_kernel_knowing(")
        assert text.count("__global__") == 1 and begun == ways


def test_an_unknown_variable_is_an_error() -> None:
    env = render.environment()
    with pytest.raises(jinja2.UndefinedError):
        env.from_string("{{ no_such_thing }}").render()
    with pytest.raises(jinja2.UndefinedError):
        env.from_string("{{ names.no_such_thing }}").render()
    with pytest.raises(jinja2.UndefinedError):
        env.from_string("{% if no_such_thing %}{% endif %}").render()


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=60))
def test_c_string(text: str) -> None:
    literal = render.c_string(text)
    assert literal.startswith('"') and literal.endswith('"')
    assert literal[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\") == text


def test_wrap_fills_paragraphs_and_keeps_indented_lines() -> None:
    full = "word " * 19  # the next word would not have fitted
    text = f"{full.strip()}\nends here.\n  formula = {'x' * 90}\nErrors: none.\n\nSource: {full}"
    lines = render.wrap(text, 4).split("\n")
    assert lines[0] == "    " + full.strip()
    assert lines[1] == "    ends here."
    assert lines[2] == "      formula = " + "x" * 90
    assert lines[3:5] == ["    Errors: none.", ""]
    assert lines[5].startswith("    Source: word") and len(lines[5]) <= 99
    hanging = render.wrap(full + full, 8, 4).split("\n")
    assert [len(line) - len(line.lstrip()) for line in hanging] == [8, 12, 12][: len(hanging)]


def test_the_readmes_table_lists_dtypes_in_the_order_of_the_specs() -> None:
    rows = {op.name: render.axes(op) for op in OPS}
    floats = "f32, f16, bf16, fp8_e4m3, fp8_e5m2"
    assert rows["convert_fp8"] == f"scalar {floats}; cache {floats}"
    assert rows["reshape_and_cache"] == (
        "scalar f32, f16, bf16; cache same, fp8_e4m3, fp8_e5m2, int8"
    )
    assert rows["copy_blocks"] == "width any (bytes)"
    assert rows["concat_mla_q"] == "width f32, f16, bf16 (bytes)"


def test_limits_in_texts_are_those_of_the_headers() -> None:
    for op, header, limit, unit in (
        ("copy_blocks", "cache/pages.h", "KVF_MAX_CACHES", "tensors"),
        ("reshape_and_cache_flash_layers", "cache/kernel_types.h", "KVF_MAX_LAYERS", "layers"),
    ):
        text = (ROOT / "runtime/include/kvforge" / header).read_text()
        found = re.search(rf"#define {limit} (\d+)", text)
        doc = next(known for known in OPS if known.name == op).doc
        assert found and f"up to {found[1]} {unit}" in doc


def test_a_short_line_ends_its_paragraph() -> None:
    assert render.wrap("first line\nsecond line", 0) == "first line\nsecond line"


def test_texts_for_python_name_exceptions() -> None:
    text = "KVF_OUT_OF_RANGE for a slot, see kvf_cuda_fault_count; KVF_OUT_OF_RANGES stays"
    assert render.for_python(text) == (
        "IndexError for a slot, see kvforge.faults; KVF_OUT_OF_RANGES stays"
    )


@pytest.mark.parametrize(
    ("generation", "signature", "message"),
    [
        ("vllm-0.33", "other(Tensor kv_c) -> ()", "the op's name and arguments"),
        ("vllm-0.33", "{name}(Tensor nobody) -> ()", "the op's name and arguments"),
        ("vllm-0.33", "{name}() -> ()", "the op's name and arguments"),
        ("vllm-0.33", "{name}(int kv_c) -> ()", "the op's name and arguments"),
    ],
)
def test_an_upstream_schema_that_the_op_cannot_serve(
    generation: str, signature: str | None, message: str
) -> None:
    op = OPS[0]
    text = op.schema_text if signature is None else signature.format(name=op.name)
    with pytest.raises(ValueError, match=message):
        change(upstream_schemas={generation: text})(op)


def test_a_generation_that_never_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spec, "GENERATIONS", ("2019",))
    with pytest.raises(spec.SpecError, match=r"'vllm-0\.\d+': want one of \('2019',\)"):
        spec.load()


def test_clang_formats_share_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that gets no file must not be started: it would read stdin."""
    for jobs in (1, 2, 8):
        monkeypatch.setattr("os.sched_getaffinity", lambda _, jobs=jobs: set(range(jobs)))
        texts = {f"{name}.c": f"int  {name} ;\n" for name in "abc"}
        assert render.format_c({**texts, "d.py": "d  = 1\n"}) == {
            **{f"{name}.c": f"int {name};\n" for name in "abc"},
            "d.py": "d  = 1\n",
        }
        assert render.format_c({}) == {}


def test_archs_are_told_apart_where_they_differ(texts: dict[str, str]) -> None:
    """nvcc makes PTX of its own for each arch that a line of the file names."""
    branch = re.compile(r"__CUDA_ARCH__ >= 1200\)?\n(.*)\n#else\n(.*)\n#endif")
    found = [(path, *both) for path, text in texts.items() for both in branch.findall(text)]
    assert found
    assert not [path for path, newest, others in found if newest == others]


def test_another_clang_format_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.version", lambda name: "1.2.3")
    with pytest.raises(ValueError, match=r"clang-format==.*1\.2\.3"):
        render.format_c({})


# ---- files ---------------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path, texts: dict[str, str]) -> Path:
    """A folder with the generated files alone, as they should be."""
    render.write(texts, seed_readme(tmp_path))
    return tmp_path


def seed_readme(root: Path) -> Path:
    (root / "README.md").write_text("")
    return root


def times(root: Path) -> dict[str, int]:
    return {path: (root / path).stat().st_mtime_ns for path in render.existing(root)}


def test_writing_again_changes_nothing(tree: Path, texts: dict[str, str]) -> None:
    before = times(tree)
    assert render.write(texts, tree) == (0, 0)
    assert times(tree) == before


def test_only_what_changed_is_written(tree: Path, texts: dict[str, str]) -> None:
    before = times(tree)
    (tree / "generated/registry.c").write_text("stale")
    (tree / "generated/kvf_kernels.inc").unlink()
    os.utime(tree / "generated/registry.c", ns=(0, 0))
    assert render.write(texts, tree) == (2, 0)
    changed = {path for path, when in times(tree).items() if when != before[path]}
    assert changed == {"generated/registry.c", "generated/kvf_kernels.inc"}
    assert render.differences(texts, tree) == []


def test_orphans_are_removed(tree: Path, texts: dict[str, str]) -> None:
    (tree / "generated/cpu/old.c").write_text("")
    (tree / "generated/elsewhere").mkdir()
    (tree / "generated/elsewhere/old.c").write_text("")
    assert render.write(texts, tree) == (0, 2)
    assert render.differences(texts, tree) == []


def test_differences_are_named(tree: Path, texts: dict[str, str]) -> None:
    (tree / "generated/registry.c").write_text("stale")
    (tree / "generated/kvf_kernels.inc").unlink()
    (tree / "generated/cuda/old.cu").write_text("")
    assert render.differences(texts, tree) == [
        "missing: generated/kvf_kernels.inc",
        "not planned: generated/cuda/old.cu",
        "stale: generated/registry.c",
    ]


# ---- the command ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all that the command reads and writes."""
    root = tmp_path_factory.mktemp("project")
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("generator", "templates", "runtime/ops", *plan.FOLDERS):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    (root / "tests").mkdir()
    for suite in ROOT.glob("tests/test_*.c"):  # an op has to have its suite
        shutil.copy(suite, root / "tests")
    header = "runtime/include/kvforge/kvforge.h"
    for file in (".clang-format", "README.md", "requirements/build.txt", header, *plan.FILES):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    return root


def generate(
    project: Path, *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(project), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-B", "-m", "generator", *arguments],
        cwd=cwd or project,
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
    )


def test_stale_missing_and_extra_files_are_found(project: Path, texts: dict[str, str]) -> None:
    render.write(texts, project)
    assert render.differences(texts, project) == []
    registry = project / "generated/registry.c"
    registry.write_text(registry.read_text() + "\n")
    (project / "generated/kvf_ops.inc").unlink()
    (project / "generated/extra.h").write_text("")
    assert render.differences(texts, project) == [
        "missing: generated/kvf_ops.inc",
        "not planned: generated/extra.h",
        "stale: generated/registry.c",
    ]
    assert render.write(texts, project) == (2, 1)
    assert render.differences(texts, project) == []


def test_output_does_not_depend_on_surroundings(
    project: Path, tmp_path: Path, texts: dict[str, str]
) -> None:
    """Another folder, working directory, order of hashes, locale and time zone: the same bytes."""
    for path in (project / "generated").rglob("*.c"):
        path.unlink()
    surroundings = {"PYTHONHASHSEED": "4242", "LC_ALL": "C", "TZ": "Asia/Tokyo"}
    result = generate(project, cwd=tmp_path, **surroundings)
    assert result.returncode == 0, result.stderr
    assert render.differences(texts, project) == []
    result = generate(project, "--check", cwd=tmp_path, PYTHONHASHSEED="1", LC_ALL="C.UTF-8")
    assert result.returncode == 0, result.stdout


def test_the_command_line_of_the_whole_tree(
    texts: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(render, "render_all", lambda: dict(texts))
    assert command.main(["--check"]) == 0
    assert capsys.readouterr().out == f"generated/ is up to date: {len(texts)} files\n"
    assert command.main([]) == 0
    assert capsys.readouterr().out == f"generated/: {len(texts)} files, 0 written, 0 removed\n"
    stale = next(iter(texts))
    monkeypatch.setattr(render, "render_all", lambda: {**texts, stale: ""})
    assert command.main(["--check"]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert stale in first
    assert last == f"generated/ is out of date: 1 files; run {render.COMMAND}"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["namespace", "op", "backend", "axes", "symbol"]
    assert [line.split()[-1] for line in lines[1:-1]] == [variant.symbol for variant in VARIANTS]
    compiled = sum(variant.compiled for variant in VARIANTS)
    assert lines[-1] == (
        f"{len(VARIANTS)} variants of {len(OPS)} ops: {compiled} are compiled, "
        f"{len(VARIANTS) - compiled} left to copies by the CUDA driver"
    )
    assert f"\n{lines[-1]}.\n" in (ROOT / "README.md").read_text()
    assert compiled == len(plan.variants())


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    words = f"exec {shlex.quote(sys.executable)} -u -B -m generator --list"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"({words}) | head -n 1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("namespace") and not done.stderr


def test_a_mistake_in_a_template_has_a_file_and_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    template = "python/ops.py.j2"

    def broken(*_arguments: object) -> dict[str, str]:
        env = render.environment()
        return {"": env.get_template(template).render()}  # without its variables

    monkeypatch.setattr(render, "render_all", broken)
    assert command.main(["--check"]) == 1
    error = capsys.readouterr().err
    assert re.fullmatch(rf"\S*templates/{template}:\d+: 'namespaces' is undefined\n", error)


def shown(capsys: pytest.CaptureFixture[str], variant: Variant) -> dict[str, str]:
    assert command.main(["--explain", variant.symbol]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line[:14].strip(): line[14:] for line in lines}


def test_explain(capsys: pytest.CaptureFixture[str]) -> None:
    for op in OPS:
        for variant in (op.variants[0], op.variants[-1]):
            rows = shown(capsys, variant)
            assert rows["op"] == f"{op.namespace}::{op.name}"
            assert rows["schema"] == op.schema_text
            files = ["spec", "params", *(["template", "generated"] if variant.compiled else [])]
            assert [rows[what] for what in files if not (ROOT / rows[what]).is_file()] == []


@pytest.mark.parametrize(
    ("symbol", "message"),
    [
        ("nonsense", "'nonsense' is not a variant symbol: want kvf_<backend>_<op>"),
        ("kvf_cpu_nothing__f32__f32", "no op 'nothing'; ops: "),
        (
            "kvf_cpu_reshape_and_cache__f32__f16",
            "excluded by generator/spec/reshape_and_cache.py: a",
        ),
        ("kvf_cuda_reshape_and_cache__f64__f64", "no such variant; on cuda it has f32/f32, "),
    ],
)
def test_explain_what_is_not_there(
    capsys: pytest.CaptureFixture[str], symbol: str, message: str
) -> None:
    assert command.main(["--explain", symbol]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err


def test_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--why", "reshape_and_cache", "scalar=f32", "cache=int8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.endswith("taken")] == [
        ["kvf_cpu_reshape_and_cache__f32__int8", "taken"],
        ["kvf_cuda_reshape_and_cache__f32__int8", "taken"],
    ]
    assert len(lines) == sum(variant.op.name == "reshape_and_cache" for variant in VARIANTS)
    assert command.main(["--why", "reshape_and_cache", "scalar=f32", "cache=f16"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("cpu reshape_and_cache f32__f16") and "excluded: a cache next" in first
    for name, token in (("fp8", "fp8_e4m3"), ("auto", "bf16"), ("same", "bf16")):
        words = ["reshape_and_cache", "scalar=bfloat16", f"cache={name}"]
        assert command.main(["--why", *words]) == 0
        assert f"reshape_and_cache__bf16__{token} " in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing", "scalar=f32"], "no op 'nothing'; ops: concat"),
        (
            ["copy_blocks"],
            "copy_blocks: got nothing, want a value of each axis, for example width=b8",
        ),
        (["copy_blocks", "b8"], "copy_blocks: got b8, want a value of each axis"),
        (["reshape_and_cache", "scalar=f32"], "for example scalar=bf16 cache=int8"),
        (["copy_blocks", "width=b9"], "width is 'b9': want b8"),
    ],
)
def test_why_of_what_is_no_call(
    capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert command.main(["--why", *words]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err


AXES = {
    "values": lambda: axes.integer("n", 8, 4, token="n", meaning="a number"),
    "twice": lambda: axes.word("layout", "nhd", "nhd", meaning="the layout"),
    "none": lambda: axes.integer("n", token="n", meaning="a number"),
    "name": lambda: axes.flag("Causal", meaning="whether"),
    "meaning": lambda: axes.flag("causal", meaning=" "),
    "span": lambda: axes.integer("n", 1, 10**6, token="n", meaning="a number"),
    "dtype": lambda: axes.dtypes("scalar", "fp16"),
}


@pytest.mark.parametrize("what", AXES)
def test_an_axis_that_makes_no_sense(what: str) -> None:
    with pytest.raises(ValueError, match="axis "):
        AXES[what]()


def test_symbols_that_would_be_one_are_refused() -> None:
    clash = (
        axes.word("layout", "x", "y", meaning="the layout", generic=True),
        axes.word("order", "x", "y", meaning="the order", generic=True),
    )
    op = change(axes=clash, excluded=lambda *values: None)(OPS[0])
    with pytest.raises(ValueError, match="could be others too"):
        _ = [variant.symbol for variant in op.variants]
    with pytest.raises(ValueError, match="want at most"):
        change(axes=(clash[0], clash[0]))(OPS[0])


def test_an_op_without_axes_has_one_variant() -> None:
    op = change(axes=(), excluded=lambda: None)(OPS[0])
    assert [variant.tokens for variant in op.variants] == [("any",), ("any",)]
    assert list(op.cells.values()) == [(0,), (1,)] and not op.chains


def test_options_exclude_each_other() -> None:
    with pytest.raises(SystemExit):
        command.main(["--check", "--list"])
