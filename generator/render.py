"""Renders the plan with Jinja2: a missing variable is an error, an unchanged file is not touched.

clang-format lays the text out as a person would. Its version decides bytes, so it must be the one
that requirements/build.txt pins.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import tempfile
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jinja2

from generator import names
from generator.axes import Axis, Value
from generator.dtypes import BY_TOKEN, DType
from generator.model import Op
from generator.plan import FILES, FOLDERS, ROOT, Output, outputs, totals
from generator.schema import Argument
from generator.spec import OPS

COMMAND = "python3 -m generator"
LINE_COMMENTS = {".py": "#", ".pyi": "#", ".toml": "#", ".rs": "//"}
DOC_COLUMNS = 96  # specs break the lines of their texts somewhere behind it
PARAGRAPHS = ("Errors:", "Source of the rule:", "Elsewhere:")
PYTHON_WORDS = {
    "KVF_INVALID_TYPE": "TypeError",
    "KVF_INVALID_VALUE": "ValueError",
    "KVF_OUT_OF_RANGE": "IndexError",
    "KVF_UNSUPPORTED": "NotImplementedError",
    "KVF_NOT_BUILT": "NotImplementedError",
    "KVF_NO_DEVICE": "RuntimeError",
    "KVF_CUDA_ERROR": "RuntimeError",
    "KVF_OUT_OF_MEMORY": "MemoryError",
    "kvf_cuda_fault_count": "kvforge.faults",
    "kvf_cuda_free_workspaces": "kvforge.free_workspaces",
}
RUST_WORDS = {
    "KVF_INVALID_TYPE": "Status::InvalidType",
    "KVF_INVALID_VALUE": "Status::InvalidValue",
    "KVF_OUT_OF_RANGE": "Status::OutOfRange",
    "KVF_UNSUPPORTED": "Status::Unsupported",
    "KVF_NOT_BUILT": "Status::NotBuilt",
    "KVF_NO_DEVICE": "Status::NoDevice",
    "KVF_CUDA_ERROR": "Status::CudaError",
    "KVF_OUT_OF_MEMORY": "Status::OutOfMemory",
    "kvf_cuda_fault_count": "kvforge::cuda_faults",
    "kvf_cuda_free_workspaces": "kvforge::free_cuda_workspaces",
}
PYTHON_TYPES = {
    "tensor": "Tensor",
    "tensor_list": "Sequence[Tensor]",
    "int": "int",
    "float": "float",
    "bool": "bool",
    "string": "str",
}


def environment(*folders: Path) -> jinja2.Environment:
    """The one Jinja2 environment: strict, whitespace-trimming, with the naming functions.

    Templates are looked for in these folders before the project's own.
    """
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, ROOT / "templates"]),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    env.globals["names"] = names
    env.globals["dtypes"] = BY_TOKEN
    env.filters["c_string"] = c_string
    env.filters["c_value"] = c_value
    env.filters["scaled"] = scaled
    env.filters["comment"] = comment
    env.filters["rustdoc"] = rustdoc
    env.filters["wrap"] = wrap
    env.filters["for_python"] = for_python
    env.filters["annotation"] = annotation
    return env


def c_string(text: str, indent: int = 4) -> str:
    """A C string literal, one source line per line of text."""
    lines = text.strip("\n").split("\n")
    quoted = []
    for number, line in enumerate(lines):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"')
        quoted.append('"' + escaped + ("\\n" if number + 1 < len(lines) else "") + '"')
    return ("\n" + " " * indent).join(quoted)


def c_value(value: Value, axis: Axis) -> str:
    """A value of an axis as an expression in C."""
    if value is None:
        return "KVF_OTHER"
    return value.enum if isinstance(value, DType) else str(axis.number(value))


def scaled(position: int, stride: int) -> int:
    """What a position adds to the index of a cell; no position stays none."""
    return position * stride if position >= 0 else position


def comment(text: str, indent: int = 0, hang: int = 0) -> str:
    """A text as the lines of a block comment, each behind ' * ', filled to 100 columns.

    clang-format would break a longer line, and run its end into the next one, whatever that is.
    """
    lines = wrap(text, indent, hang, columns=97).split("\n")
    return "\n".join((" * " + line).rstrip() for line in lines)


def rustdoc(text: str, indent: int = 0, hang: int = 0) -> str:
    """A spec's text as the lines of a documentation comment in Rust, filled to 100 columns."""
    for word, instead in RUST_WORDS.items():
        text = re.sub(rf"\b{word}\b", instead, text)
    lines = wrap(text, indent, hang, columns=96).split("\n")
    return "\n".join(("/// " + line).rstrip() for line in lines)


def wrap(text: str, indent: int, hang: int = 0, columns: int = 99) -> str:
    """A text filled to some columns: its paragraphs, while indented lines stay as they are.

    A line goes on in the next one if that one's first word would not have fitted behind it.
    `hang` is how much further the second line of a paragraph and those after it are indented.
    """
    margin = " " * indent
    filled: list[str] = []
    paragraph: list[str] = []

    def end() -> None:
        filled.extend(
            textwrap.wrap(
                " ".join(paragraph),
                columns,
                initial_indent=margin,
                subsequent_indent=margin + " " * hang,
                break_long_words=False,
                break_on_hyphens=False,
            )
        )
        paragraph.clear()

    for line in text.strip("\n").split("\n"):
        word = line.split(" ")[0]
        new = not word or line.startswith(PARAGRAPHS)
        if paragraph and (new or len(paragraph[-1]) + 1 + len(word) <= DOC_COLUMNS):
            end()
        if word:
            paragraph.append(line)
        else:  # empty, or indented
            filled.append((margin + line).rstrip())
    end()
    return "\n".join(filled)


def for_python(text: str) -> str:
    """A spec's text in the words of Python: exceptions for status codes, functions of the package."""
    for word, instead in PYTHON_WORDS.items():
        text = re.sub(rf"\b{word}\b", instead, text)
    return text


def annotation(argument: Argument) -> str:
    """What Python's signature and stubs say of an argument's type."""
    return PYTHON_TYPES[argument.kind] + (" | None" if argument.optional else "")


def render(
    output: Output, env: jinja2.Environment, command: str = COMMAND, checked: bool = True
) -> str:
    """The text of one generated file, banner included; unchecked when its lines have marks."""
    template = env.get_template(output.template)
    own = Path(str(template.filename)).is_relative_to(ROOT / "templates")
    lines = [
        f"Generated from {'templates/' if own else ''}{output.template} and {output.origin}. "
        "Do not edit.",
        f"Regenerate: {command}",
    ]
    if mark := LINE_COMMENTS.get(Path(output.path).suffix):
        banner = "".join(f"{mark} {line}\n" for line in lines)
    else:
        banner = "/*\n" + "".join(f" * {line}\n" for line in lines) + " */\n"
    text = template.render(**output.context)
    if checked and output.path.endswith(".cu"):
        check_kernels(text, Path(str(template.filename)))
    return banner + text.rstrip("\n") + "\n"


def check_kernels(text: str, template: Path) -> None:
    """A kernel that does not wait for those in front of it must not be launched as if it did."""
    # One may ask the launch before that, which way it goes.
    begin = r"\s*kvf_begin_kernel\([\w.]*\);"
    known = r"\s*const \w+ \w+ = [^;]*;"
    first = rf"({known}\s*kvf_begin_kernel_knowing\(|{begin})"
    asks = rf"{known}\s*if \([^;]*\) \{{{first}.*?\sreturn;\s*\}}"
    either = re.compile(rf"({asks})?{begin}", re.DOTALL)
    for kernel in re.finditer(r"\b__global__\b[^{};]*\{", text):
        if not either.match(text, kernel.end()):
            lines = template.read_text().split("\n")
            line = next((i for i, each in enumerate(lines, 1) if "__global__" in each), 1)
            raise ValueError(
                f"{template}:{line}: a kernel's first statement is something else, want "
                "kvf_begin_kernel();"
            )


def render_all(planned: list[Output] | None = None) -> dict[str, str]:
    """Path relative to the root -> text, for every planned output."""
    env = environment()
    texts = {output.path: render(output, env) for output in planned or outputs()}
    rendered = format_c(texts)
    return rendered if planned else {**rendered, "README.md": readme()}


def readme(root: Path = ROOT) -> str:
    """README.md with its table of variants made anew, between the two marks."""
    before, rest = (root / "README.md").read_text().split("<!-- variants -->\n")
    after = rest.split("<!-- /variants -->\n")[1]
    rows = ["| op | axes | variants | elsewhere |", "| --- | --- | --- | --- |"]
    for op in OPS:
        rows.append(f"| `{op.name}` | {axes(op)} | {len(op.variants)} | {elsewhere(op)} |")
    rows.append(f"\n{totals()}.")
    return before + "<!-- variants -->\n" + "\n".join(rows) + "\n<!-- /variants -->\n" + after


def elsewhere(op: Op) -> str:
    """The systems that have an op, and what they call it if they do not call it the same."""
    parts = []
    for system, name in op.elsewhere.items():
        code = re.sub(" (and|to) ", r"` \1 `", name)
        parts.append(system if name == op.name else f"{system} `{code}`")
    return "; ".join(parts)


def axes(op: Op) -> str:
    """The values that an op's axes have, each in the order of its spec: of bytes what they may hold,
    and of dtypes "same" for that of the first dtype axis."""
    parts = []
    for axis in op.axes:
        mine = [(v.by_axis[axis.name], v.dtypes[0] if v.dtypes else None) for v in op.variants]
        same = axis is not op.axes[0] and any(value is first for value, first in mine)
        used = {value for value, first in mine if not same or value is not first}
        texts = [axis.text(value) for value in axis.positions if value in used]
        if all(isinstance(value, DType) and value.is_bytes for value in used):
            texts = [f"{op.moved} (bytes)"]
        parts.append(f"{axis.name} {', '.join(['same'] * same + texts)}")
    return "; ".join(parts)


def lacks_clang_format() -> str:
    """What is wrong with the installed clang-format, which has to be the pinned one; or ""."""
    pins = (ROOT / "requirements/build.txt").read_text().split()
    want = next(pin for pin in pins if pin.startswith("clang-format=="))
    try:
        have = "clang-format==" + importlib.metadata.version("clang-format")
    except importlib.metadata.PackageNotFoundError:
        have = "none"
    return "" if have == want else f"generated/ is laid out by {want}; this Python has {have}"


def format_c(texts: dict[str, str]) -> dict[str, str]:
    """The same files, laid out by clang-format with the project's .clang-format."""
    if problem := lacks_clang_format():
        raise ValueError(problem)
    import clang_format

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / ".clang-format").write_bytes((ROOT / ".clang-format").read_bytes())
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode())
        sources = [path for path in texts if Path(path).suffix in {".c", ".h", ".cu"}]
        sources.sort(key=lambda path: len(texts[path]))
        program = clang_format.get_executable("clang-format")

        def lay_out(share: list[str]) -> None:
            if share:  # without files it reads stdin
                subprocess.run([program, "-i", *share], cwd=root, check=True)

        jobs = len(os.sched_getaffinity(0))  # each with as many files, of like sizes
        with ThreadPoolExecutor(jobs) as pool:
            list(pool.map(lay_out, (sources[job::jobs] for job in range(jobs))))
        return {path: (root / path).read_bytes().decode() for path in texts}


def existing(root: Path = ROOT) -> set[str]:
    """The generated files that are there now: whole folders, single files, and README.md for its
    table."""
    files = [
        path
        for folder in FOLDERS
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    single = [root / name for name in FILES if (root / name).is_file()]
    return {path.relative_to(root).as_posix() for path in [*files, *single, root / "README.md"]}


def differences(texts: dict[str, str], root: Path = ROOT) -> list[str]:
    """One line for each file that is missing, stale or not planned."""
    present = existing(root)
    found = [f"missing: {path}" for path in sorted(set(texts) - present)]
    found += [f"not planned: {path}" for path in sorted(present - set(texts))]
    found += [
        f"stale: {path}"
        for path in sorted(set(texts) & present)
        if (root / path).read_bytes() != texts[path].encode()
    ]
    return found


def write(texts: dict[str, str], root: Path = ROOT) -> tuple[int, int]:
    """Writes what changed and removes what is not planned; returns (written, removed)."""
    written = removed = 0
    for path, text in texts.items():
        target = root / path
        if target.is_file() and target.read_bytes() == text.encode():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
        written += 1
    for path in sorted(existing(root) - set(texts)):
        (root / path).unlink()
        removed += 1
    return written, removed
