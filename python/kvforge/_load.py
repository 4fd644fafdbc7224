"""kvforge.load: compiles what is not there, once, and loads it."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import tvm_ffi

from kvforge import _library, ops
from kvforge._build import SUFFIXES, Build
from kvforge._store import store_in


def load(
    name: str,
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    extra_cflags: Sequence[str] | None = None,
    extra_cuda_cflags: Sequence[str] | None = None,
    extra_ldflags: Sequence[str] | None = None,
    extra_include_paths: Sequence[str | os.PathLike[str]] | None = None,
    build_directory: str | os.PathLike[str] | None = None,
    verbose: bool = False,
    is_python_module: bool = True,
) -> Any:
    """Compiles sources once, loads them, and returns what they define.

    The counterpart of `torch.utils.cpp_extension.load`, in the same words, without torch:

        op = kvforge.load("own_op", "examples/own_op")
        op.rms_norm_and_cache(key, value, weight, key_cache, value_cache, slots, "fp8", one, one)

    What was compiled before is found by content: sources, the headers that they include, the
    absence of headers that would be found before them, flags, compilers, instruction-set level or
    GPU architectures, and kvforge's version; not libraries that extra_ldflags name. Nothing is
    started then. Precompiled headers (.gch) are passed over. What is broken in the cache, or not
    this user's alone, is built anew. A file that changes while it is compiled is compiled again. Of
    several processes that ask at once, one compiles and the others wait.

    Args:
        name: of the shared object; an identifier of 128 letters at most.
        sources: files (.c, .cpp, .cu) or op folders (see examples/own_op/README.md), any number.
            An op folder is expanded by kvforge's generator, and its ops are registered in the
            namespace that their spec names. Files beside op folders are linked with them.
            Functions of files are exported as TVM-FFI has it, as `__tvm_ffi_<function>` (see
            examples/own_file/amax.c); .cu files may hold host code, and are linked with CUDA's static
            runtime.
        extra_cflags: for the C and C++ compilers.
        extra_cuda_cflags: for nvcc.
        extra_ldflags: for the linker.
        extra_include_paths: folders of headers, before kvforge's and TVM-FFI's own.
        build_directory: the cache folder, in place of $KVFORGE_CACHE, $XDG_CACHE_HOME/kvforge or
            ~/.cache/kvforge. Made with mode 0700, and given it where others could read. Its parents
            have to be such that no other user can replace it: root's or this user's own, and not
            writable by others unless sticky, as /tmp is.
        verbose: show commands and the compilers' output on stderr.
        is_python_module: False: only load the shared object into the process.

    Environment: CC, CXX, CUDA_HOME; KVFORGE_CUDA_ARCHS ("90,100") in place of the GPUs that are
    visible. Without either, CUDA variants of op folders are left out. MAX_JOBS: compilers at a time.
    KVFORGE_LOCK_TIMEOUT: for how many seconds to wait for another process that builds; 1800.

    Returns:
        For op folders a module with a function for each op, which `kvforge.ops.<namespace>` has too,
        and so has `torch.ops.<namespace>` if torch has been imported (TVM-FFI imports it where it
        is installed) and its binding is built; `kvforge.torch.register()` does that part later.
        For files alone a `tvm_ffi.Module`. With is_python_module=False the path of the shared
        object.

    Raises:
        kvforge.BuildError: a compiler or the generator refused something; with its text, the
            command and the file. Or a file changed in each of several attempts to compile it.
        ValueError: a name, a source, or a path that cannot be used, such as one with a newline; files
            that export no function; a value in the environment; or an op name that is taken: also by
            the same op, loaded before it was changed. It stays for the life of the process.
        FileNotFoundError: a source is missing.
        PermissionError: others can write to the cache, or put another folder in its place.
        OSError: the cache cannot be made or written to, or its file system has no locks (flock).
        TimeoutError: another process, which is named, has held the lock for too long.
        RuntimeError: no compiler, no ninja, a kvforge that was installed without its sources, or no
            place for the cache, since this user has no home.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError(f"kvforge.load: name is {name!r}, want an identifier")
    check_words("extra_cflags", extra_cflags)
    check_words("extra_cuda_cflags", extra_cuda_cflags)
    check_words("extra_ldflags", extra_ldflags)
    check_words("extra_include_paths", extra_include_paths)
    files, folders = split(sources)
    store = store_in(build_directory)
    build = Build(
        store=store,
        name=name,
        files=files,
        folders=folders,
        cflags=tuple(extra_cflags or ()),
        cuda_cflags=tuple(extra_cuda_cflags or ()),
        ldflags=tuple(extra_ldflags or ()),
        include_paths=tuple(Path(path).absolute() for path in extra_include_paths or ()),
        verbose=verbose,
    )

    if (clash := taken(folders)) and build.found() is None:
        raise ValueError(clash)  # before it is compiled

    def bring_in(folder: Path) -> Any:
        library = folder / f"{name}.so"
        if not is_python_module:
            if folders:
                _library.function("kvforge__load_module")(str(library))
            else:
                ctypes.CDLL(str(library))
            return str(library)
        if folders:
            return load_ops(name, folder)
        check_exports(library)
        return tvm_ffi.load_module(str(library))

    result = build.use(bring_in)
    _loaded.update((stem, folder) for folder in folders for stem in stems(folder))
    return result


def check_words(argument: str, value: Any) -> None:
    """Refuses a text where a list of words is wanted: its letters would be taken for words."""
    if isinstance(value, str | os.PathLike):
        raise TypeError(
            f"kvforge.load: {argument}: got {type(value).__name__} {os.fspath(value)!r}, want a list "
            f"such as [{os.fspath(value)!r}]"
        )


def check_exports(library: Path) -> None:
    """ValueError for a shared object that neither exports a function for Python nor registers one."""
    built = library.read_bytes()
    if b"__tvm_ffi_" not in built and b"TVMFFI" not in built:
        raise ValueError(
            f"kvforge.load: {library.stem}: no source exports a function for Python, as "
            "__tvm_ffi_<name>; examples/own_file/amax.c shows how. For ctypes, "
            "is_python_module=False gives the path of the shared object"
        )


def split(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
) -> tuple[list[Path], list[Path]]:
    """The source files and the op folders among sources, as absolute paths."""
    several = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    if not several:
        raise ValueError("kvforge.load: sources is empty, want files or op folders")
    files, folders = [], []
    for source in several:
        path = Path(source).absolute()
        if path.is_dir():
            folders.append(path)
        elif not path.exists():
            raise FileNotFoundError(f"kvforge.load: no source {path}")
        elif path.suffix in SUFFIXES and path.is_file():
            files.append(path)
        else:
            raise ValueError(
                f"kvforge.load: {path}: want a folder or a file: one of {', '.join(SUFFIXES)}"
            )
    return files, folders


# ---- ops ----------------------------------------------------------------------------------------


_loaded: dict[str, Path] = {}  # op name -> the op folder that this process has loaded it from


def stems(folder: Path) -> list[str]:
    """The names of the ops of an op folder."""
    return sorted(path.stem for path in folder.glob("*.c") if path.with_suffix(".py").is_file())


def taken(folders: Sequence[Path]) -> str:
    """Why the ops of folders, built anew, could not be registered in this process; or ""."""
    for folder in folders:
        for stem in stems(folder):
            if _loaded.get(stem) == folder:
                return (
                    f"kvforge.load: {stem} is registered already, by another build of {folder}; it "
                    "stays for the life of the process, a new process takes the new one"
                )
            if stem in _loaded:
                return (
                    f"kvforge.load: {stem} of {folder}: the name is taken by the op of "
                    f"{_loaded[stem]}; symbols are made of it, so want another one"
                )
    return ""


def load_ops(name: str, folder: Path) -> ModuleType:
    """Registers the ops of a build, and makes their Python functions known."""
    _library.function("kvforge__load_module")(str(folder / f"{name}.so"))
    result = ModuleType(name, "Ops that kvforge.load has built.")
    qualified = []
    for path in sorted((folder / "python").glob("*.py")):
        namespace = path.stem
        module = import_file(f"kvforge.ops.{namespace}", path)
        known = sys.modules.setdefault(module.__name__, module)
        setattr(ops, namespace, known)
        names: list[str] = vars(module)["__all__"]
        for op in names:
            function = getattr(module, op)
            setattr(known, op, function)
            setattr(result, op, function)
            qualified.append(f"{namespace}::{op}")
        vars(known)["__all__"] = sorted({*vars(known)["__all__"], *names})
    if sys.modules.get("torch") and (_library.find().parent / _library.TORCH_LIBRARY).is_file():
        import kvforge.torch

        kvforge.torch.register(ops=qualified, own_namespace=False)
    return result


def import_file(name: str, path: Path) -> ModuleType:
    """Runs a generated Python file as a module."""
    module = ModuleType(name)
    module.__file__ = str(path)
    exec(compile(path.read_bytes(), path, "exec"), vars(module))  # no bytecode kept beside it
    return module
