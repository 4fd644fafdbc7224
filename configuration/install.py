"""Puts the library where programs are built with it, and takes it away again.

    python3 -m configuration.install --build-dir build --prefix /usr/local [--libdir lib] [--compat]
                                     [--uninstall]

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
COMPAT = "libkvforge_compat.so.0"
LICENCES = {"LICENSE": "LICENSE", "third_party/dlpack/LICENSE": "LICENSE.dlpack"}


def pkg_config(prefix: Path, libdir: Path, own: str) -> str:
    """A .pc file that ends with `own`."""
    inside = libdir.is_relative_to(prefix)
    libraries = f"${{prefix}}/{libdir.relative_to(prefix)}" if inside else str(libdir)
    places = f"prefix={prefix}\nlibdir={libraries}\nincludedir=${{prefix}}/include\n\n"
    return f"{places}Version: {version()}\nCflags: -I${{includedir}}\n{own}"


# What is private is for static links, in words that every linker takes.
DESCRIPTIONS = {
    "kvforge": (
        "Name: kvforge\nDescription: paged KV-cache kernels for CPUs and CUDA GPUs\n"
        "Libs: -L${libdir} -lkvforge\n"
        "Libs.private: -lpthread -ldl -lm -Wl,-z,nodelete\n"
    ),
    "kvforge_compat": (
        "Name: kvforge_compat\nDescription: kvforge under the names of other engines' functions\n"
        "Requires: kvforge\nLibs: -L${libdir} -lkvforge_compat\n"
    ),
}


def parts(compat: bool) -> dict[str, str]:
    """The libraries' names without their extension, and the names of the shared ones."""
    return {"libkvforge": LIBRARY, **({"libkvforge_compat": COMPAT} if compat else {})}


def files(build: Path, compat: bool) -> Iterator[tuple[Path, str, str]]:
    """What is installed as it is: the file, and where it goes: a folder's name and a path in it."""
    for stem, shared in parts(compat).items():
        yield build / shared, "lib", shared
        yield build / f"{stem}.a", "lib", f"{stem}.a"
    for top in (*HEADERS, *(["compat/include"] if compat else [])):
        for path in sorted((ROOT / top).rglob("*.h")):
            yield path, "include", str(path.relative_to(ROOT / top))
    for source, name in LICENCES.items():
        yield ROOT / source, "share", f"licenses/kvforge/{name}"


def install(build: Path, prefix: Path, libdir: Path, destdir: str, compat: bool) -> list[Path]:
    """Copies and writes everything; the paths that it made."""
    folders = places(prefix, libdir, destdir)
    made = []
    for source, folder, name in files(build, compat):
        target = folders[folder] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # a process may have it mapped
        shutil.copyfile(source, target)
        target.chmod(0o755 if name in (LIBRARY, COMPAT) else 0o644)
        made.append(target)
    for stem, shared in parts(compat).items():
        link = folders["lib"] / f"{stem}.so"
        link.unlink(missing_ok=True)
        link.symlink_to(shared)
        name = stem.removeprefix("lib")
        description = folders["lib"] / f"pkgconfig/{name}.pc"
        description.parent.mkdir(exist_ok=True)
        description.write_text(pkg_config(prefix, libdir, DESCRIPTIONS[name]))
        description.chmod(0o644)
        made += [link, description]
    package = folders["lib"] / CMAKE
    return [
        *made,
        *cmake_config.write(package, folders["lib"], [folders["include"]]),
    ]


def uninstall(build: Path, prefix: Path, libdir: Path, destdir: str) -> list[Path]:
    """Removes what install() can make, and the folders that are empty then; the paths that were there."""
    folders = places(prefix, libdir, destdir)
    names = [(folder, name) for _, folder, name in files(build, compat=True)]
    names += [("lib", f"{stem}.so") for stem in parts(compat=True)]
    names += [("lib", f"pkgconfig/{name}.pc") for name in DESCRIPTIONS]
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
    parser.add_argument("--compat", action="store_true", help="libkvforge_compat, too")
    parser.add_argument("--uninstall", action="store_true")
    options = parser.parse_args(arguments)
    libdir = options.prefix / options.libdir
    try:
        destdir = os.environ.get("DESTDIR", "")
        where = (options.build_dir, options.prefix, libdir, destdir)
        done = uninstall(*where) if options.uninstall else install(*where, options.compat)
    except OSError as error:
        print(f"{error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    what = "removed from" if options.uninstall else "installed in"
    print(f"{len(done)} files {what} {os.environ.get('DESTDIR', '')}{options.prefix}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
