"""How kvforge.ops is called: keywords and defaults, errors as Python's exceptions, stubs, texts."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import ast
import inspect
import re
import shlex
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, get_type_hints

import load_support as support
import ml_dtypes
import numpy as np
import pytest
import tvm_ffi
from arrays import Numpy
from cases import CASES, function, reshape_and_cache_flash

import kvforge
from kvforge.__main__ import main

ops = kvforge.ops._C_cache_ops
PACKAGE = Path(kvforge.__file__).parent


# ---- keywords and defaults ----------------------------------------------------------------------


@pytest.mark.parametrize("op", CASES)
def test_by_keyword_in_any_order(op: str) -> None:
    case = CASES[op](Numpy())
    function(kvforge.ops, op)(**dict(reversed(case.arguments.items())))
    case.check(Numpy())


@pytest.mark.parametrize("op", CASES)
def test_defaults_are_the_schemas(op: str) -> None:
    """What the signature says about defaults is what the schema in the text says."""
    called = function(kvforge.ops, op)
    text = " ".join((called.__doc__ or "").split())
    schema = text.partition("Schema: ")[2]
    found = re.fullmatch(r"_C(?:_cache_ops)?::(\w+)\((.*)\) -> \(\)", schema)
    assert found and found[1] == op
    wanted = {}
    for argument in found[2].split(", "):
        name, _, default = argument.rpartition(" ")[2].partition("=")
        wanted[name] = ast.literal_eval(default) if default else inspect.Parameter.empty
    parameters = inspect.signature(called).parameters.values()
    have = {p.name: p.default for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD}
    assert have == wanted and list(have) == list(wanted)


def test_optional_arguments_may_be_left_out_or_none() -> None:
    case = CASES["gather_and_maybe_dequant_cache"](Numpy())
    del case.arguments["seq_starts"]
    ops.gather_and_maybe_dequant_cache(**case.arguments)
    case.check(Numpy())
    case = CASES["gather_and_maybe_dequant_cache"](Numpy())
    ops.gather_and_maybe_dequant_cache(**case.arguments)
    case.check(Numpy())
    for left_out in (True, False):  # an output
        case = CASES["paged_attention"](Numpy())
        case.arguments["workspace"] = None
        if left_out:
            del case.arguments["workspace"]
        ops.paged_attention(**case.arguments)
        case.check(Numpy())


def test_an_int_for_a_float_and_a_bool_for_an_int() -> None:
    case = CASES["convert_fp8"](Numpy())
    case.arguments["src_cache"] = case.arguments["src_cache"] * np.array(4, np.float32)
    case.arguments["src_cache"] = case.arguments["src_cache"].astype(np.float32)
    ops.convert_fp8(case.arguments["dst_cache"], case.arguments["src_cache"], 1)
    case.check(Numpy())


# ---- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "kind", "message"),
    [
        ("key", np.zeros((6, 3, 20), np.int32), TypeError, "key: dtype is int32, want float32"),
        ("key", "text", TypeError, "key: got str, want an array"),
        ("key", 1.5, TypeError, "key: got float, want an array"),
        ("key", None, TypeError, "key: got None, want an array"),
        ("key", np.zeros((6, 3), np.float32), ValueError, "key: "),
        ("kv_cache_dtype", "fp7", ValueError, "kv_cache_dtype: got 'fp7', want one of auto"),
        ("kv_cache_dtype", 8, TypeError, "kv_cache_dtype: got int, want str"),
        ("kv_cache_dtype", "x" * 500, ValueError, "kv_cache_dtype: got 'xxx"),
        ("slot_mapping", np.full(3, 12), IndexError, "element 0 is 12, want less than 12"),
        ("k_scale", np.zeros(2, np.float32), ValueError, "k_scale: "),
        ("k_scale", object(), TypeError, "k_scale"),
        ("value_cache", np.zeros((3, 4, 3, 19), np.uint8), ValueError, "value_cache: "),
        ("kv_cache_dtype", "fp8_ds_mla", NotImplementedError, "fp8_ds_mla"),
    ],
)
def test_errors_are_pythons_and_nothing_is_written(
    name: str, value: Any, kind: type[Exception], message: str
) -> None:
    case = reshape_and_cache_flash(Numpy())
    before = [array.copy() for array, _ in case.outputs]
    with pytest.raises(kind, match=re.escape(message)) as caught:
        ops.reshape_and_cache_flash(**{**case.arguments, name: value})
    assert type(caught.value) is kind
    for (array, _), old in zip(case.outputs, before, strict=True):
        np.testing.assert_array_equal(array, old)


def test_a_missing_or_surplus_argument_is_a_type_error() -> None:
    case = reshape_and_cache_flash(Numpy())
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'v_scale'"):
        ops.reshape_and_cache_flash(*list(case.arguments.values())[:-1])
    with pytest.raises(TypeError, match="unexpected keyword argument 'scale'"):
        ops.reshape_and_cache_flash(**case.arguments, scale=1)  # type: ignore[call-arg]


def test_lists_say_which_argument_is_wrong() -> None:
    with pytest.raises(TypeError, match="zero_blocks: caches: cannot be read as a list of arrays"):
        ops.zero_blocks([np.zeros((2, 4)), "text"], np.array([0]))
    with pytest.raises(TypeError, match="zero_blocks: block_ids: cannot be read as an array"):
        ops.zero_blocks([np.zeros((2, 4))], [0])


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (3, "int"),
        (None, "NoneType"),
        ("text", "str"),
        (np.zeros((2, 4)), "ndarray"),
        ({}, "dict"),
        (iter([np.zeros((2, 4))]), "list_iterator"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_list_is_refused(value: Any, got: str) -> None:
    for op in ("copy_blocks", "copy_blocks_mla", "zero_blocks"):
        called = getattr(ops, op)
        *lists, last = inspect.signature(called).parameters
        message = f"{op}: {lists[0]}: got {got}, want a list of arrays"
        with pytest.raises(TypeError, match=re.escape(message)):
            called(**dict.fromkeys(lists, value), **{last: np.array([0])})


def test_lists_of_other_types() -> None:
    """Tuples, types derived from list, and TVM-FFI's own."""

    class Caches(list[Any]):
        pass

    for kind in (tuple, Caches, tvm_ffi.Array):
        cache = np.ones((2, 4), np.float32)
        exported = tvm_ffi.from_dlpack(cache)
        ops.zero_blocks(kind([exported]), np.array([1]))
        np.testing.assert_array_equal(cache[:, 0], [1, 0])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(1, ">i8"), "got a NumPy array of dtype >i8, want one in this machine's byte"),
        (np.array(["a"]), "got a NumPy array of dtype <U1, want one that DLPack has"),
        (np.array([None]), "got a NumPy array of dtype object, want one that DLPack has"),
        (np.zeros(1, np.longdouble), "got a NumPy array of dtype float128, want one that DLPack"),
    ],
    ids=["byte order", "text", "object", "long double"],
)
def test_numpy_arrays_that_no_op_can_use(value: Any, message: str) -> None:
    caches = [np.ones((2, 4), np.float32)]
    with pytest.raises(TypeError, match=re.escape(f"zero_blocks: block_ids: {message}")):
        ops.zero_blocks(caches, value)
    message = message.partition(" of dtype")[0]
    with pytest.raises(TypeError, match=re.escape(f"zero_blocks: caches: {message}")):
        ops.zero_blocks([*caches, value], np.array([0]))
    assert caches[0].all()


@pytest.mark.parametrize("name", ["key", "slot_mapping", "key_cache"])
def test_masks_are_not_passed_over(name: str) -> None:
    case = reshape_and_cache_flash(Numpy())
    before = [array.copy() for array, _ in case.outputs]
    case.arguments[name] = np.ma.masked_array(case.arguments[name])
    message = (
        f"reshape_and_cache_flash: {name}: got a masked array of NumPy, whose mask no op would"
    )
    with pytest.raises(TypeError, match=re.escape(message)):
        ops.reshape_and_cache_flash(**case.arguments)
    for (array, _), old in zip(case.outputs, before, strict=True):
        np.testing.assert_array_equal(array, old)


class Name(str):
    """A name that calls itself something else."""

    def __str__(self) -> str:
        return "something else"


@pytest.mark.parametrize(
    "given",
    [Name("fp8"), np.str_("fp8"), ml_dtypes.float8_e4m3fn, np.dtype(ml_dtypes.float8_e4m3fn)],
    ids=["derived", "numpy.str_", "ml_dtypes", "numpy.dtype"],
)
def test_strings_and_dtypes_for_a_cache_dtype(given: Any) -> None:
    case = reshape_and_cache_flash(Numpy())
    case.arguments["kv_cache_dtype"] = given
    ops.reshape_and_cache_flash(**case.arguments)
    case.check(Numpy())


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ("fp8\0x", ValueError, "got a string with a NUL in it, want one without"),
        ("fp8_e4m3\0, longer than eight", ValueError, "got a string with a NUL in it"),
        (b"fp8", TypeError, "got bytes, want str"),
        (np.dtype("f8"), ValueError, "got the dtype float64, want a string or one of the dtypes"),
        (ml_dtypes.float8_e4m3fnuz, ValueError, "got the dtype float8_e4m3fnuz, want a string"),
        (None, TypeError, "got None, want str"),
        (ops, TypeError, "got module, want str"),
    ],
    ids=["NUL", "long NUL", "bytes", "float64", "fnuz", "None", "module"],
)
def test_what_is_no_cache_dtype(given: Any, kind: type[Exception], message: str) -> None:
    case = reshape_and_cache_flash(Numpy())
    case.arguments["kv_cache_dtype"] = given
    message = f"reshape_and_cache_flash: kv_cache_dtype: {message}"
    with pytest.raises(kind, match=re.escape(message)):
        ops.reshape_and_cache_flash(**case.arguments)


def test_a_device_that_is_not_there() -> None:
    """Of the op whose tensors do not tell where it runs."""
    case = CASES["swap_blocks_batch"](Numpy())
    before = case.outputs[0][0].copy()
    with pytest.raises(RuntimeError):
        ops.swap_blocks_batch(**case.arguments, device=99)
    np.testing.assert_array_equal(case.outputs[0][0], before)


# ---- what the package says of itself ------------------------------------------------------------


@pytest.mark.parametrize("ops", [kvforge.ops._C, kvforge.ops._C_cache_ops])
def test_stubs_say_what_the_functions_take(ops: Any) -> None:
    """Names, order, defaults; Sequence for lists, None where an argument is optional."""
    tree = ast.parse(Path(ops.__file__).with_suffix(".pyi").read_text())
    stubs = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert list(stubs) == ops.__all__
    for name, stub in stubs.items():
        signature = inspect.signature(getattr(ops, name))
        text = f"def f({ast.unparse(stub.args)}): ..."
        space: dict[str, Any] = {"Tensor": Any}
        exec(
            "from __future__ import annotations\nfrom collections.abc import Sequence\n" + text,
            space,
        )
        stubbed = inspect.signature(space["f"])
        plain = [(p.name, p.kind, p.default) for p in stubbed.parameters.values()]
        assert plain == [(p.name, p.kind, p.default) for p in signature.parameters.values()]
        types = [(p.name, p.annotation) for p in stubbed.parameters.values()]
        assert types == [(p.name, p.annotation) for p in signature.parameters.values()]
        assert get_type_hints(getattr(ops, name))["return"] is type(None)  # every name is known
        lists = {p.name for p in stubbed.parameters.values() if "Sequence" in str(p.annotation)}
        optional = {p.name for p in stubbed.parameters.values() if "None" in str(p.annotation)}
        schema = " ".join((getattr(ops, name).__doc__ or "").split())
        assert lists == set(re.findall(r"\[\](?:\(\w!\))? (\w+)", schema.partition("Schema: ")[2]))
        assert optional - {"device"} == set(re.findall(r"Tensor(?:!|\(\w!\))?\? (\w+)", schema))
    assert (PACKAGE / "py.typed").is_file()


@pytest.mark.parametrize("op", CASES)
def test_texts_are_laid_out_for_help(op: str) -> None:
    """A summary, every argument with its shape or meaning, the schema; no line is too long."""
    text = inspect.getdoc(function(kvforge.ops, op)) or ""
    lines = text.split("\n")
    assert lines[0].endswith(".") and lines[1] == ""
    assert max(map(len, lines)) <= 95
    arguments = text.partition("\nArgs:\n")[2].partition("\nSchema:\n")[0]
    names = re.findall(r"^ {4}(\w+)(?: \([^ ]+\))?: \S", arguments, re.M)
    assert names == list(inspect.signature(function(kvforge.ops, op)).parameters)
    assert "KVF_" not in text


def test_preformatted_lines_stay_as_they_are() -> None:
    text = inspect.getdoc(ops.concat_and_cache_mla) or ""
    assert "  kv_cache[block, offset, L + j] = Q(k_pe[t, j], scale)  for j in [0, R)\n" in text
    assert "  bytes 528 to 655  k_pe as it is, 16 bits an element; zeros for a k_pe of" in text


def test_variants_are_the_dispatch_table() -> None:
    rows = kvforge.variants()
    assert len({row.symbol for row in rows}) == len(rows)
    flash = [r for r in rows if r.op == "reshape_and_cache_flash" and r.backend == "cpu"]
    assert {(r.axes["scalar"], r.axes["cache"]) for r in flash} == {
        (scalar, cache)
        for scalar in ("f32", "f16", "bf16")
        for cache in (scalar, "fp8_e4m3", "fp8_e5m2", "int8")
    }
    assert {row.namespace for row in rows} == {"_C", "_C_cache_ops"}
    assert all(row.symbol.startswith(f"kvf_{row.backend}_{row.op}__") for row in rows)


def test_python_m_kvforge_prints_the_table_the_build_and_the_machine() -> None:
    command = [sys.executable, "-m", "kvforge"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for row in kvforge.variants():
        line = next(line for line in text.splitlines() if f" {row.symbol} " in line)
        assert line.split()[-1] == ("yes" if row.built else "no")
    here = kvforge.machine()
    for words in (f"kvforge       {here.version}", f"CPU level     {here.isa}", "CUDA devices  "):
        assert f"\n{words}" in text


@pytest.mark.parametrize("built", [True, False])
def test_explain_tells_what_a_variant_is(built: bool, capsys: pytest.CaptureFixture[str]) -> None:
    row = next((row for row in kvforge.variants() if row.built == built), None)
    if row is None:
        pytest.skip("every variant is built")
    assert main(["--explain", row.symbol]) == 0
    text = capsys.readouterr().out
    assert f"op            {row.namespace}::{row.op}\nschema        {row.op}(" in text
    assert f"variant       {row.backend}, {row.words}\n" in text
    reason = "yes\n" if built else f"no: {row.op}: {row.symbol} is not built into this library"
    assert f"built         {reason}" in text


def test_explain_names_what_is_near_a_wrong_symbol(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", "kvf_cpu_copy_block__b8"]) == 1
    assert "near are: kvf_cpu_copy_blocks__b8" in capsys.readouterr().err
    assert main(["--explain", "nonsense"]) == 1
    error = capsys.readouterr().err
    assert error == (
        "kvforge: no op has a variant 'nonsense'; `python -m kvforge` lists what there is\n"
    )


def test_a_reader_that_goes_away_gets_no_traceback() -> None:
    command = f"exec {shlex.quote(sys.executable)} -u -m kvforge"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"({command}) | head -n 1"], capture_output=True, text=True
    )
    assert done.stdout.startswith("namespace") and not done.stderr


def test_without_tvm_ffi_one_line_says_what_helps() -> None:
    code = "import sys; sys.modules['tvm_ffi'] = None; import kvforge"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: kvforge: this Python has no tvm_ffi: in the checkout, `. .venv/bin/activate`, "
        "or `pip install .` for another Python"
    )
    assert "During handling" not in done.stderr


def test_an_error_names_no_function_of_c() -> None:
    """For their names TVM-FFI would read the debug information of the whole process: 1.3 s with torch."""
    wire, sums = np.zeros(1024, np.uint8), np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="unit_bytes: got 5") as caught:
        ops.kv_checksum(wire, 5, sums)
    files = [Path(frame.filename).suffix for frame in traceback.extract_tb(caught.tb)]
    assert set(files) <= {".py", ".pxi"}, traceback.format_tb(caught.tb)


def test_importing_leaves_cuda_alone() -> None:
    """A process that has called cuInit cannot use CUDA in what it forks."""
    script = (
        "import kvforge, os\n"
        "driver = os.environ['KVFORGE_LIBCUDA']\n"
        "print(driver in open('/proc/self/maps').read())\n"
        "kvforge.machine()\n"
        "print(driver in open('/proc/self/maps').read())\n"
    )
    library = str(Path(kvforge._library.find()).parent / "emulator/libkvf_cuda_emulator.so")
    if not Path(library).is_file():
        pytest.skip("no emulated CUDA driver in this build; `ninja test` makes it where nvcc is")
    done = support.python(script, KVFORGE_LIBCUDA=library)
    assert done.stdout.split() == ["False", "True"]
