"""kvforge.load against torch.utils.cpp_extension.load, on the same single-kernel source.

    python bench/bench_load.py        needs torch, and `ninja python`

Each time is that of one call of load() in a fresh process, imports not counted: cold with an empty
cache, warm with the cache of the process before. The source is one C++ file with one kernel; each
side compiles its own binding of it, pybind11 and torch's headers for torch, TVM-FFI's C API for
kvforge. A third row is torch without a binding (is_python_module=False, no header of torch).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WARM_RUNS = 5

KERNEL = """\
#include <cstdint>

static void scale(float *values, int64_t count, float by) {
  for (int64_t i = 0; i < count; ++i) {
    values[i] *= by;
  }
}

#if defined(TORCH_EXTENSION_NAME) && !defined(NO_BINDING)
#include <torch/extension.h>
PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("scale", [](at::Tensor x) { scale(x.data_ptr<float>(), x.numel(), 2.0f); });
}
#elif !defined(TORCH_EXTENSION_NAME)
#include <tvm/ffi/c_api.h>
extern "C" TVM_FFI_DLL_EXPORT int __tvm_ffi_scale(void *, const TVMFFIAny *arguments, int32_t,
                                                  TVMFFIAny *) {
  const void *object = static_cast<const char *>(arguments[0].v_ptr) + sizeof(TVMFFIObject);
  const DLTensor *x = static_cast<const DLTensor *>(object);
  scale(static_cast<float *>(x->data), x->shape[0], 2.0f);
  return 0;
}
#else
extern "C" void scale_floats(float *values, int64_t count) { scale(values, count, 2.0f); }
#endif
"""

TIMED = """\
import sys, time, torch
source, name = sys.argv[1:]
{imports}
start = time.perf_counter()
module = {call}
print(time.perf_counter() - start)
x = torch.ones(4)
{use}
assert x.tolist() == [2.0] * 4
"""

PROGRAMS = {
    "kvforge.load": TIMED.format(
        imports="import kvforge", call="kvforge.load(name, source)", use="module.scale(x)"
    ),
    "torch load": TIMED.format(
        imports="from torch.utils.cpp_extension import load",
        call="load(name, [source])",
        use="module.scale(x)",
    ),
    "torch load, no binding": TIMED.format(
        imports="import ctypes, os; from torch.utils.cpp_extension import load",
        call="load(name, [source], extra_cflags=['-DNO_BINDING'], is_python_module=False)",
        use=(
            "library = ctypes.CDLL(os.environ['TORCH_EXTENSIONS_DIR'] + f'/{name}/{name}.so')\n"
            "library.scale_floats(ctypes.c_void_p(x.data_ptr()), ctypes.c_int64(4))"
        ),
    ),
}


def seconds(program: str, source: Path, folder: Path) -> float:
    """The time that one program prints, with its caches below a folder."""
    done = subprocess.run(
        [sys.executable, "-c", program, str(source), "bench_kernel"],
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT / "python"),
            "KVFORGE_CACHE": str(folder / "kvforge"),
            "TORCH_EXTENSIONS_DIR": str(folder / "torch"),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout.splitlines()[-1])


def rows() -> Iterator[tuple[str, float, float]]:
    """(what, seconds cold, seconds warm), the warm one being the median of five."""
    for what, program in PROGRAMS.items():
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = folder / "scale.cpp"
            source.write_text(KERNEL)
            cold = seconds(program, source, folder)
            warm = sorted(seconds(program, source, folder) for _ in range(WARM_RUNS))
            yield what, cold, warm[WARM_RUNS // 2]


def main() -> None:
    """Prints a line for each side, and how often the first one goes into it."""
    print(f"{'':<24}{'cold':>10}{'warm':>12}")
    first = 0.0
    for what, cold, warm in rows():
        first = first or cold
        print(f"{what:<24}{cold:>8.2f} s{1000 * warm:>9.1f} ms{cold / first:>8.1f} x", flush=True)


if __name__ == "__main__":
    main()
