"""What is written beside a build: the content of all that it was made of and consists of.

The folder of a build is named by a hash of this file, so that a manifest which is not what was once
written is none.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kvforge._content import has_stamp
from kvforge._trust import is_own_folder, read_own

NAME = "manifest.json"
LIMIT = 64 << 20  # bytes; one of torch's headers has half a million


@dataclass(frozen=True)
class Manifest:
    """One build."""

    title: str  # for people
    inputs: Mapping[str, str]  # absolute path -> hash of the content
    absent: list[str]  # paths where the compiler would have looked first
    files: Mapping[str, str]  # path in the folder -> size and hash

    def to_bytes(self) -> bytes:
        """As it is written."""
        return json.dumps(asdict(self), indent=1).encode()

    def is_current(self, hashes: Mapping[str, str]) -> bool:
        """Whether a compiler would read the same today."""
        return all(hashes[path] == content for path, content in self.inputs.items()) and not any(
            os.access(path, os.F_OK) for path in self.absent
        )

    def is_whole(self, folder: Path) -> bool:
        """Whether all files are in the folder, this user's alone and what they were."""
        inner = {str(Path(path).parent) for path in self.files} - {"."}
        return all(is_own_folder(folder / path) for path in inner) and all(
            has_stamp(f"{folder}/{path}", stamp) for path, stamp in self.files.items()
        )


def name_of(data: bytes) -> str:
    """The name of the folder that a manifest lies in."""
    return hashlib.sha256(data).hexdigest()[:32]


def read(folder: Path) -> Manifest:
    """The manifest of a build; OSError or ValueError if there is none, or not the right one."""
    if not is_own_folder(folder):
        raise ValueError(f"{folder} is no folder of this user alone")
    data = read_own(f"{folder}/{NAME}", LIMIT)
    if name_of(data) != folder.name:
        raise ValueError(f"{folder / NAME} is not what was written")
    return parse(data)


def parse(data: bytes) -> Manifest:
    """A manifest from its bytes; ValueError if it is none."""
    try:
        found: Any = json.loads(data)
    except RecursionError:
        raise ValueError("a manifest that is nested too deeply") from None
    if not isinstance(found, dict) or found.keys() != Manifest.__dataclass_fields__.keys():
        raise ValueError("not the fields of a manifest")
    texts = [found["title"]]
    for group in (found["inputs"], found["files"]):
        if not isinstance(group, dict):
            raise ValueError("not the groups of a manifest")
        texts += group.values()
        texts += group
    if not isinstance(found["absent"], list):
        raise ValueError("not the groups of a manifest")
    texts += found["absent"]
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError("not the texts of a manifest")
    return Manifest(**found)
