"""Op folders: refusals, changes, C without Python, torch, and the CUDA kernels in the emulated driver."""

from __future__ import annotations

from conftest import require

require("python", __name__)

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import emulated
import load_support as support
import pytest

from kvforge import _library

BUILD = _library.find().parent
STEM = "rms_norm_and_cache"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("KVFORGE_CACHE", str(folder))
    return folder


def own_folder(tmp_path: Path, scalars: str = '"f32"', caches: str = '"f32"') -> Path:
    """A copy of examples/own_op with few variants."""
    folder = tmp_path / "own_op"
    shutil.copytree(support.OWN_OP, folder, ignore=shutil.ignore_patterns("__pycache__"))
    spec = folder / f"{STEM}.py"
    text = re.sub(r'"scalar", .*\)', f'"scalar", {scalars})', spec.read_text())
    spec.write_text(re.sub(r'"cache", .*\)', f'"cache", {caches})', text))
    return folder


CALL = """
    import numpy, kvforge

    def call(op):
        key = numpy.full((1, 1, 32), 2, numpy.float32)
        key_cache = numpy.zeros((1, 2, 1, 32), numpy.float32)
        weight = numpy.arange(32, dtype=numpy.float32)
        slots, one = numpy.array([1]), numpy.ones((), numpy.float32)
        op(key, key, weight, key_cache, key_cache.copy(), slots, "auto", one, one, epsilon=0)
        assert not key_cache[0, 0].any()
        return key_cache[0, 1, 0]
"""


def test_what_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, log = support.counted_compiler(tmp_path)
    monkeypatch.setenv("CC", str(program))
    monkeypatch.setenv("KVFORGE_LIBCUDA", str(tmp_path / "none"))  # CPU variants alone
    folder = own_folder(tmp_path)
    code = f"""
    own = kvforge.load("own", {str(folder)!r})
    print(call(own.{STEM})[3], kvforge.ops.my_namespace.{STEM} is own.{STEM})
    """

    def run() -> tuple[str, int]:
        log.write_text("")
        printed = support.python(CALL + code).stdout.strip()
        return printed, len(log.read_text().splitlines())

    assert run() == ("3.0 True", 5)  # module, descriptor, checks, one variant, and the link
    (folder / f"test_{STEM}.py").write_text("# not part of the op\n")
    assert run() == ("3.0 True", 0)
    template = folder / f"cpu/{STEM}.c.j2"
    template.write_text(template.read_text().replace("* weight[i]", "* weight[i] * 2.0f"))
    assert run() == ("6.0 True", 5)


def test_it_can_be_prepared(tmp_path: Path) -> None:
    """As the library's own can, by the function that the module has."""
    code = f"""
    op = kvforge.load("own", {str(own_folder(tmp_path))!r}).{STEM}

    def prepared(*given, **named):
        launch = kvforge.prepare(op, *given, **named)
        assert not given[3].any()
        launch()

    print(numpy.array_equal(call(prepared), call(op)), call(op)[3])
    """
    assert support.python(CALL + code).stdout == "True 3.0\n"


def test_an_op_does_not_change_in_a_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, log = support.counted_compiler(tmp_path)
    monkeypatch.setenv("CC", str(program))
    folder = own_folder(tmp_path)
    code = f"""
    import shutil
    from pathlib import Path
    folder = Path({str(folder)!r})
    first = kvforge.load("own", folder)
    assert kvforge.load("own", folder).{STEM}.__doc__ == first.{STEM}.__doc__
    checks = folder / "{STEM}.c"
    checks.write_text(checks.read_text() + "/* changed */")
    shutil.copytree(folder, folder.parent / "copy")
    log = Path({str(log)!r})
    log.write_text("")
    for path in (folder, folder.parent / "copy"):
        try:
            kvforge.load("own", path)
        except ValueError as error:
            print(error)
    assert not log.read_text(), "it was compiled first"
    call(first.{STEM})
    """
    lines = support.python(CALL + code).stdout.splitlines()
    assert lines == [
        f"kvforge.load: {STEM} is registered already, by another build of {folder}; it stays for the "
        "life of the process, a new process takes the new one",
        f"kvforge.load: {STEM} of {tmp_path}/copy: the name is taken by the op of {folder}; symbols "
        "are made of it, so want another one",
    ]


def test_the_library_says_the_same_of_a_build_that_is_there(tmp_path: Path) -> None:
    """One that another process has compiled meanwhile: nothing stands between it and the registry."""
    folder = own_folder(tmp_path)
    code = f"""
    import subprocess, sys
    from pathlib import Path
    load = 'import sys; sys.modules["torch"] = None; import kvforge; kvforge.load("own", sys.argv[1])'
    folder = Path({str(folder)!r})
    kvforge.load("own", folder)
    checks = folder / "{STEM}.c"
    checks.write_text(checks.read_text() + "/* changed */")
    subprocess.run([sys.executable, "-c", load, folder], check=True)
    try:
        kvforge.load("own", folder)
    except ValueError as error:
        print(error)
    """
    message = support.python(CALL + code).stdout
    assert message == (
        f"my_namespace::{STEM} is registered already, by another build; it stays for the life of the "
        "process, a new process takes the new one\n"
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        (f"{STEM}.py", "OP = Op(", "OTHER = Op(", "OP is None, want a generator.model.Op"),
        (f"{STEM}.py", f'"{STEM}(Tensor key', '"other(Tensor key', "its op is called 'other'"),
        (f"{STEM}.py", '"my_namespace"', '"my-namespace"', "want an identifier"),
        (f"{STEM}.py", "Tensor weight,", "Matrix weight,", "cannot read argument"),
        (f"cpu/{STEM}.c.j2", "variant.cache", "variant.no_such", f"/cpu/{STEM}.c.j2:"),
        (f"cpu/{STEM}.c.j2", "float sums[SUMS]", "no_such sums[SUMS]", "unknown type name"),
        (f"{STEM}.c", "kvf_check_begin(", "no_such(", "no_such"),
    ],
    ids=["no op", "name", "namespace", "schema", "template", "kernel", "checks"],
)
def test_mistakes(tmp_path: Path, file: str, old: str, new: str, words: str) -> None:
    folder = own_folder(tmp_path)
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    code = f"""
    import kvforge
    try:
        kvforge.load("own", {str(folder)!r})
    except kvforge.BuildError as error:
        print(error)
    """
    message = support.python(code).stdout
    assert words in message
    assert "Traceback" not in message
    if "type name" in words:
        generated = re.search(r"^generated file: (.*)$", message, re.M)
        assert generated and "no_such sums" in Path(generated[1]).read_text()
        line_of = re.search(r"^line of the template: (.*)$", message, re.M)
        assert line_of
        done = subprocess.run(line_of[1], shell=True, capture_output=True, text=True, check=True)
        assert "no_such sums" in done.stdout and done.stdout.startswith(str(folder))
        assert " -DKVF_ISA=" in message  # the command


def test_a_missing_template(tmp_path: Path) -> None:
    folder = own_folder(tmp_path)
    (folder / f"cuda/{STEM}.cu.j2").unlink()
    done = support.python(f"import kvforge; kvforge.load('own', {str(folder)!r})", check=False)
    assert f"its template cuda/{STEM}.cu.j2 is missing" in done.stderr
    (tmp_path / "empty").mkdir()
    done = support.python(
        f"import kvforge; kvforge.load('own', {str(tmp_path / 'empty')!r})", check=False
    )
    assert "want a spec <op>.py and its checks <op>.c" in done.stderr


def test_from_c_without_python(tmp_path: Path) -> None:
    folder, out = own_folder(tmp_path), tmp_path / "out"
    command = [sys.executable, "-B", "-m", "generator", "--op-folder", str(folder)]
    subprocess.run([*command, "--output", str(out)], cwd=support.ROOT, check=True)
    headers = [
        f"-I{support.ROOT / path}"
        for path in ("runtime/include", "generated/include", "third_party/dlpack/include")
    ]
    library = str(BUILD / "libkvforge.so.0")
    sources = [*out.glob("*.c"), *out.glob("ops/*.c"), *out.glob("cpu/*.c"), *folder.glob("*.c")]
    module = [*headers, f"-I{out}/include", "-fPIC", "-fvisibility=hidden", "-DKVF_ISA=baseline"]
    shared = ["-shared", "-o", str(tmp_path / "own_op.so"), *map(str, sources), library, "-lm"]
    subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", *module, *shared], check=True)
    (tmp_path / "main.c").write_text(
        """
        #include <kvforge/kvforge.h>
        #include <stdio.h>
        int main(int count, char **words) {
          (void)count;
          if (kvf_load_module(words[1]) != KVF_OK) return puts(kvf_last_error()), 1;
          const kvf_op *op = kvf_find_op("my_namespace::rms_norm_and_cache");
          const kvf_variant *variant = op ? kvf_select(op, KVF_CPU, KVF_F32, KVF_F32) : NULL;
          if (variant == NULL) return puts(kvf_last_error()), 1;
          if (kvf_call(op, NULL, NULL, 0) == KVF_OK) return puts("called with nothing"), 1;
          return printf("%s: %s", variant->symbol, kvf_last_error()), 0;
        }
        """
    )
    program = tmp_path / "main"
    built = ["cc", str(tmp_path / "main.c"), *headers, "-o", str(program), library]
    subprocess.run([*built, f"-Wl,-rpath,{BUILD}"], check=True)
    done = subprocess.run(
        [program, tmp_path / "own_op.so"], capture_output=True, text=True, check=True
    )
    symbol = f"kvf_cpu_{STEM}__f32__f32"
    assert done.stdout.startswith(f"{symbol}: {STEM}: key is missing")


def test_through_torch(tmp_path: Path) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("no torch; python3 configure.py --setup --with-torch installs it")
    if not (BUILD / "kvforge_torch.so").is_file():
        pytest.skip("no torch binding; `ninja torch` builds it")
    code = f"""
    import torch
    own = kvforge.load("own", {str(own_folder(tmp_path))!r})

    def through_torch(*arrays, epsilon):
        tensors = [a if isinstance(a, str) else torch.from_numpy(a) for a in arrays]
        torch.ops.my_namespace.{STEM}(*tensors, epsilon)

    assert (call(through_torch) == call(own.{STEM})).all()
    op = torch.ops.my_namespace.{STEM}
    key, cache, one = torch.ones(1, 1, 32), torch.zeros(1, 2, 1, 32), torch.ones(())
    arguments = key, key, key[0, 0], cache, cache.clone(), torch.tensor([1]), "auto", one, one
    torch.library.opcheck(op, arguments)
    print(op.default._schema)
    """
    schema = support.python(CALL + code, torch=True).stdout
    assert schema.startswith(f"my_namespace::{STEM}(Tensor key") and "epsilon" in schema


# ---- the CUDA kernels ----------------------------------------------------------------------------


EMULATED = """
    import ctypes, os, sys
    import ml_dtypes, numpy, kvforge
    sys.path.insert(0, {folder!r})
    import test_rms_norm_and_cache as cpu

    driver = ctypes.CDLL(os.environ["KVFORGE_LIBCUDA"])
    context = ctypes.c_void_p()
    assert driver.cuInit(0) == 0
    assert driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0) == 0
    assert driver.cuCtxSetCurrent(context) == 0

    class DLTensor(ctypes.Structure):
        _fields_ = [("data", ctypes.c_void_p), ("device", ctypes.c_int32 * 2),
                    ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                    ("lanes", ctypes.c_uint16), ("shape", ctypes.POINTER(ctypes.c_int64)),
                    ("strides", ctypes.POINTER(ctypes.c_int64)), ("offset", ctypes.c_uint64)]

    class Managed(ctypes.Structure):
        _fields_ = [("tensor", DLTensor), ("context", ctypes.c_void_p),
                    ("deleter", ctypes.c_void_p)]

    CODES = {{"float32": 2, "bfloat16": 4, "uint8": 1, "int64": 0}}
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]

    class OnDevice:
        '''A copy of an array in the memory of the emulated device.'''

        def __init__(self, array):
            address = ctypes.c_uint64()
            assert driver.cuMemAlloc_v2(ctypes.byref(address), ctypes.c_size_t(array.nbytes)) == 0
            text = (ctypes.c_char * array.nbytes).from_address(address.value)
            self.array = numpy.frombuffer(text, numpy.uint8).view(array.dtype).reshape(array.shape)
            self.array[...] = array
            shape = (ctypes.c_int64 * 8)(*array.shape)
            strides = (ctypes.c_int64 * 8)(*(s // array.itemsize for s in array.strides))
            tensor = DLTensor(address.value, (2, 0), array.ndim, CODES[array.dtype.name],
                              8 * array.itemsize, 1, shape, strides, 0)
            self.managed = Managed(tensor, None, None)

        def __dlpack_device__(self):
            return (2, 0)

        def __dlpack__(self, **_named):
            return new_capsule(ctypes.addressof(self.managed), b"dltensor", None)

    def on_device(value):
        return OnDevice(value) if isinstance(value, numpy.ndarray) else value

    op = kvforge.load("own", {folder!r}).rms_norm_and_cache
    for scalar, cache in (("f32", "fp8_e4m3"), ("bf16", "auto"), ("bf16", "fp8_e4m3")):
        for head_size in (1, 4, 20, 80, 128, 576):
            here = cpu.tensors(scalar, head_size, cache)
            there = {{name: on_device(value) for name, value in here.items()}}
            op(**here, epsilon=1e-3)
            op(**there, epsilon=1e-3)
            assert driver.cuCtxSynchronize() == 0
            for name in ("key_cache", "value_cache"):
                near = cpu.ulps(there[name].array, here[name])
                assert near <= (name == "key_cache"), (scalar, cache, head_size, name, near)
                cpu.untouched(numpy.ones_like(here[name]), there[name].array)
    far = {{**there, "slot_mapping": OnDevice(numpy.array([10**6, 0, 1, 2, 3]))}}
    op(**far)
    assert driver.cuCtxSynchronize() == 0
    assert kvforge.faults() == 1
    print([row.built for row in kvforge.variants() if row.op == "{stem}" and row.backend == "cuda"])
"""


@pytest.mark.skipif(not support.has_nvcc, reason=support.NO_NVCC)
def test_cuda_kernels_in_the_emulated_driver(tmp_path: Path) -> None:
    folder = own_folder(tmp_path, '"f32", "bf16"', '"bf16", "fp8_e4m3"')
    generated = tmp_path / "generated"
    command = [sys.executable, "-B", "-m", "generator", "--op-folder", str(folder)]
    subprocess.run([*command, "--output", str(generated)], cwd=support.ROOT, check=True)
    library = emulated.driver(tmp_path, generated, STEM)
    done = support.python(
        EMULATED.format(folder=str(folder), stem=STEM),
        KVFORGE_LIBCUDA=str(library),
        KVF_EMULATOR_HOST_ACCESS="1",
    )
    assert done.stdout == "[True, True, True]\n"
