"""Puts the library where programs are built with it, and takes it away again.

    python3 -m configuration.install --build-dir build --prefix /usr/local [--libdir lib] [--uninstall]

What `ninja install` and `ninja uninstall` call. $DESTDIR is put before all paths, as packagers want it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from configuration import cmake_config
from configuration.cmake_config import version
from configuration.shell import ROOT

HEADERS = ("runtime/include", "generated/include", "third_party/dlpack/include")
LIBRARY = "libkvforge.so.0"
CMAKE = "cmake/kvforge"
LICENCES = {"LICENSE": "LICENSE", "third_party/dlpack/LICENSE": "LICENSE.dlpack"}


def pkg_config(prefix: Path, libdir: Path) -> str:
    """kvforge.pc. What is private is for static links, in words that every linker takes."""
    inside = libdir.is_relative_to(prefix)
    libraries = f"${{prefix}}/{libdir.relative_to(prefix)}" if inside else str(libdir)
    return (
        f"prefix={prefix}\nlibdir={libraries}\nincludedir=${{prefix}}/include\n\n"
        "Name: kvforge\nDescription: paged KV-cache kernels for CPUs and CUDA GPUs\n"
        f"Version: {version()}\n"
        "Cflags: -I${includedir}\nLibs: -L${libdir} -lkvforge\n"
        "Libs.private: -lpthread -ldl -lm -Wl,-z,nodelete\n"
    )


def files(build: Path) -> Iterator[tuple[Path, str, str]]:
    """What is installed as it is: the file, and where it goes: a folder's name and a path in it."""
    yield build / LIBRARY, "lib", LIBRARY
    yield build / "libkvforge.a", "lib", "libkvforge.a"
    for top in HEADERS:
        for path in sorted((ROOT / top).rglob("*.h")):
            yield path, "include", str(path.relative_to(ROOT / top))
    for source, name in LICENCES.items():
        yield ROOT / source, "share", f"licenses/kvforge/{name}"


def install(build: Path, prefix: Path, libdir: Path, destdir: str) -> list[Path]:
    """Copies and writes everything; the paths that it made."""
    folders = places(prefix, libdir, destdir)
    made = []
    for source, folder, name in files(build):
        target = folders[folder] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # a process may have it mapped
        shutil.copyfile(source, target)
        target.chmod(0o755 if name == LIBRARY else 0o644)
        made.append(target)
    link = folders["lib"] / "libkvforge.so"
    link.unlink(missing_ok=True)
    link.symlink_to(LIBRARY)
    description = folders["lib"] / "pkgconfig/kvforge.pc"
    description.parent.mkdir(exist_ok=True)
    description.write_text(pkg_config(prefix, libdir))
    description.chmod(0o644)
    package = folders["lib"] / CMAKE
    return [
        *made,
        link,
        description,
        *cmake_config.write(package, folders["lib"], [folders["include"]]),
    ]


def uninstall(build: Path, prefix: Path, libdir: Path, destdir: str) -> list[Path]:
    """Removes what install() makes, and the folders that are empty then; the paths that were there."""
    folders = places(prefix, libdir, destdir)
    names = [(folder, name) for _, folder, name in files(build)]
    names += [("lib", "libkvforge.so"), ("lib", "pkgconfig/kvforge.pc")]
    names += [("lib", f"{CMAKE}/{name}") for name in cmake_config.NAMES]
    removed = []
    for folder, name in names:
        path = folders[folder] / name
        if os.path.lexists(path):
            path.unlink()
            removed.append(path)
        with contextlib.suppress(OSError):  # it holds what others have put there
            for parent in path.parents[: len(Path(name).parts) - 1]:
                parent.rmdir()
    return removed


def places(prefix: Path, libdir: Path, destdir: str) -> dict[str, Path]:
    """The folders that files() names."""
    found = {"lib": libdir, "include": prefix / "include", "share": prefix / "share"}
    return {name: Path(destdir + str(path)) for name, path in found.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build-dir", type=Path, required=True)
    parser.add_argument("--prefix", type=Path, required=True)
    parser.add_argument("--libdir", type=Path, required=True, help="in the prefix, or absolute")
    parser.add_argument("--uninstall", action="store_true")
    options = parser.parse_args(arguments)
    step = uninstall if options.uninstall else install
    libdir = options.prefix / options.libdir
    try:
        done = step(options.build_dir, options.prefix, libdir, os.environ.get("DESTDIR", ""))
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    what = "removed from" if options.uninstall else "installed in"
    print(f"{len(done)} files {what} {os.environ.get('DESTDIR', '')}{options.prefix}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
