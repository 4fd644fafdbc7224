"""What a compiler will read, told from the text of the sources; and where it will look in vain.

A build may be recorded only if no input changed from before the compiler read it until its content
was hashed, so inputs have to be known before there are depfiles. Every #include of every file that
can be reached is followed, whatever the preprocessor's conditions: more than the compiler reads, and
all but a header that a macro names. On the way each place is noted where a header was looked for and
is not: a file that appears there later would be read instead.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kvforge._content import NOTHING, State, state_of

INCLUDE = re.compile(
    rb"#[ \t]*(include|import|include_next)[ \t]*([<\"])([^>\"\n]+)[>\"]"
    rb"|__has_include(?:_next)?[ \t]*\([ \t]*()([<\"])([^>\"\n]+)[>\"]"
)
LIST = re.compile(
    r'^#include "\.\.\." search starts here:\n((?: .*\n)*)'
    r"#include <\.\.\.> search starts here:\n((?: .*\n)*)End of search list\.",
    re.M,
)
IGNORED = re.compile(r'^ignoring nonexistent directory "(.*)"$', re.M)
FRAMEWORK = " (framework directory)"  # as clang has it


@dataclass(frozen=True)
class Search:
    """The folders in which a compiler looks for headers, in its order."""

    quoted: tuple[str, ...]  # for #include "...", after the includer's own and before the others
    angled: tuple[str, ...]
    missing: tuple[str, ...]  # folders of the command line, or built in, that are not there


def search_of(command: Sequence[str], folder: Path) -> Search:
    """The folders that a compiler names itself, for a command that preprocesses with -v."""
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    text = os.fsdecode(done.stderr)
    if not (lists := LIST.search(text)):
        return Search((), (), ())  # the build itself will say what is wrong

    def folders(lines: Iterable[str]) -> tuple[str, ...]:
        return tuple(os.path.join(folder, line.strip()) for line in lines)  # noqa: PTH118

    quoted, angled = (folders(group.splitlines()) for group in lists.groups())
    return Search(quoted, angled, folders(IGNORED.findall(text)))


@dataclass
class Scan:
    """The files that sources may include, as they were when they were scanned."""

    folder: str  # of the build: what lies in it is not kept track of
    states: dict[str, State] = field(default_factory=dict)
    absent: dict[str, set[str]] = field(default_factory=dict)  # includer -> where it looked in vain
    _there: dict[str, bool] = field(default_factory=dict)
    _directives: dict[str, list[tuple[bytes, bytes, bytes]]] = field(default_factory=dict)
    _visited: set[tuple[str, Search]] = field(default_factory=set)

    def see(self, paths: Iterable[str]) -> None:
        """Notes what files are, without following their includes."""
        for path in paths:
            if path not in self.states:
                self.states[path] = state_of(path)

    def follow(self, path: str, search: Search, first: Sequence[str] = ()) -> None:
        """Notes a source and all that it may include; and `first`, which is included before it."""
        todo = [path]
        for name in first:
            todo += self._find(path, "", name, (*search.quoted, *search.angled))
        while todo:
            path = todo.pop()
            if (path, search) in self._visited:
                continue
            self._visited.add((path, search))
            self.see([path])
            for kind, border, named in self._read(path):
                places = search.angled
                if border == b'"':
                    places = (os.path.dirname(path), *search.quoted, *search.angled)  # noqa: PTH120
                todo += self._find(path, os.fsdecode(kind), os.fsdecode(named), places)

    def explain(self, paths: Iterable[str], search: Search) -> None:
        """Follows files that were read before though no #include names them by a text: any folder
        that they lie in may be where they were found."""
        folders = (*search.quoted, *search.angled)
        for path in paths:
            if (path, search) in self._visited:
                continue
            for number, folder in enumerate(folders):
                if path.startswith(folder + "/"):
                    self._find(path, "", path[len(folder) + 1 :], folders[:number])
            self.follow(path, search)

    def _read(self, path: str) -> list[tuple[bytes, bytes, bytes]]:
        """What a file includes: the directive, the kind of its quotes, the name."""
        if path not in self._directives:
            try:
                text = Path(path).read_bytes()
            except (OSError, ValueError):
                text = b""
            found = [match.groups() for match in INCLUDE.finditer(text)]
            self._directives[path] = list({(a or d, b or e, c or f) for a, b, c, d, e, f in found})
        return self._directives[path]

    def _find(self, includer: str, kind: str, name: str, places: Sequence[str]) -> list[str]:
        """Where a name is, all places for #include_next; notes where it is not."""
        found = []
        vain = self.absent.setdefault(includer, set())
        for place in places:
            path = os.path.join(place, name)  # noqa: PTH118
            if self._is_there(path):
                found.append(path)
                if kind != "include_next":
                    break
            else:
                vain.add(self._first_missing(place, name))
        return found

    def _is_there(self, path: str) -> bool:
        if path not in self._there:
            self._there[path] = os.path.isfile(path)  # noqa: PTH113
        return self._there[path]

    def _first_missing(self, place: str, name: str) -> str:
        """The first folder on the way to a file that is not there, or the file."""
        at = place
        for part in name.split("/")[:-1]:
            at = os.path.join(at, part)  # noqa: PTH118
            if at not in self._there:
                self._there[at] = os.access(at, os.F_OK)
            if not self._there[at]:
                return at
        return os.path.join(place, name)  # noqa: PTH118

    def changed(self, inputs: Iterable[str]) -> dict[str, State]:
        """The files that are not what they were, or were not seen, or cannot be read."""
        found = {}
        for path in inputs:
            before, now = self.states.get(path, NOTHING), state_of(path)
            if before != now or not now.content:
                found[path] = now
        return found

    def looked_for(self, inputs: Iterable[str], searches: Iterable[Search]) -> list[str]:
        """Where these files' includes were looked for in vain, outside of the build's folder."""
        vain = {path for search in searches for path in search.missing}
        for path in inputs:
            vain |= self.absent.get(path, set())
        return sorted(path for path in vain if not path.startswith(self.folder + "/"))
