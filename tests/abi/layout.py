"""What the public headers look like to a compiled caller, read from a compiler's debug information.

One line for each struct and its members, enumeration constant and function. With the standard
library, a C compiler and readelf.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADERS = ("kvforge/kvforge.h", "kvforge/op.h", "kvforge/cache/op.h")
INCLUDES = ("runtime/include", "generated/include", "third_party/dlpack/include")
OURS = re.compile(r"kvf_\w+")
_ENTRY = re.compile(r"^ <(\d+)><([0-9a-f]+)>: Abbrev Number: \d+ \((DW_TAG_\w+)\)")
_FACT = re.compile(r"^    <[0-9a-f]+>\s+(DW_AT_\w+)\s*:\s*(.*?)\s*$")
_FORM = re.compile(r"^(?:\([^()]*\):? )+")  # how a fact is stored, which differs


@dataclass
class Entry:
    """One entry of the debug information, and those inside it."""

    tag: str
    facts: dict[str, str] = field(default_factory=dict)
    inside: list[Entry] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.facts.get("DW_AT_name", "")

    def number(self, fact: str) -> int:
        return int(self.facts.get(fact, "0").split()[0], 0)


def functions(include: Sequence[str] = INCLUDES) -> list[str]:
    """The functions that the headers declare for callers and for authors of ops."""
    folders = [ROOT / folder / "kvforge" for folder in include[:2]]
    texts = [path.read_text() for folder in folders for path in sorted(folder.rglob("*.h"))]
    text = re.sub(r"^ *#.*(?:\\\n.*)*$", "", "\n".join(texts), flags=re.M)
    declarations = re.findall(r"\bKVF_API\b[^;{]*;", text)
    names = [re.search(r"\b(kvf_\w+)\(", words) for words in declarations]
    return sorted({name[1] for name in names if name})


def parse(text: str) -> dict[str, Entry]:
    """The entries of `readelf --debug-dump=info`, by their offset."""
    entries: dict[str, Entry] = {}
    path: list[Entry] = []
    for line in text.splitlines():
        if entry := _ENTRY.match(line):
            depth, offset, tag = int(entry[1]), entry[2], entry[3]
            made = entries[offset] = Entry(tag)
            del path[depth:]
            if path:
                path[-1].inside.append(made)
            path.append(made)
        elif path and (fact := _FACT.match(line)):
            path[-1].facts[fact[1]] = _FORM.sub("", fact[2])
    return entries


def referred(entries: dict[str, Entry], fact: str) -> Entry:
    """The entry that a fact names by its offset."""
    return entries[fact.partition("<0x")[2].partition(">")[0]]


def spell(entries: dict[str, Entry], offset: str | None) -> str:
    """A type as C has it, as far as a reader needs it."""
    if not offset:
        return "void"
    entry = referred(entries, offset)
    inner = entry.facts.get("DW_AT_type")
    match entry.tag:
        case "DW_TAG_pointer_type":
            text = spell(entries, inner)
            return f"{text}*" if text.endswith("*") else f"{text} *"
        case "DW_TAG_const_type":
            text = spell(entries, inner)
            return f"{text}const" if text.endswith("*") else f"const {text}"
        case "DW_TAG_volatile_type" | "DW_TAG_restrict_type" | "DW_TAG_atomic_type":
            return spell(entries, inner)
        case "DW_TAG_array_type":
            bounds = "".join(
                f"[{part.number('DW_AT_count') or part.number('DW_AT_upper_bound') + 1}]"
                for part in entry.inside
                if part.tag == "DW_TAG_subrange_type"
            )
            return f"{spell(entries, inner)} {bounds}"
        case "DW_TAG_subroutine_type":
            parts = [part for part in entry.inside if part.tag != "DW_TAG_typedef"]
            words = [
                "..."
                if part.tag == "DW_TAG_unspecified_parameters"
                else spell(entries, part.facts.get("DW_AT_type"))
                for part in parts
            ]
            return f"{spell(entries, inner)} ({', '.join(words) or 'void'})"
        case "DW_TAG_structure_type" | "DW_TAG_union_type" | "DW_TAG_enumeration_type":
            return entry.name or "of its own"
        case "DW_TAG_base_type":  # compilers differ in the order of the words
            given = entry.name.split()
            words = [word for word in given if word != "int" or len(given) == 1]
            return " ".join(sorted(words, reverse=True))
    return entry.name


def members(entries: dict[str, Entry], entry: Entry, where: str, base: int) -> list[str]:
    """A line for each member; those of a struct or union without a name stand in its place."""
    lines = []
    for part in entry.inside:
        if part.tag != "DW_TAG_member":
            continue
        offset = base + part.number("DW_AT_data_member_location")
        inner = part.facts["DW_AT_type"]
        kind = referred(entries, inner)
        name = f"{where}.{part.name}" if part.name else where
        if kind.tag in ("DW_TAG_structure_type", "DW_TAG_union_type") and not kind.name:
            lines += members(entries, kind, name, offset)
        else:
            lines.append(f"member {name}: {spell(entries, inner)} at {offset}")
    return lines


def describe(entries: dict[str, Entry]) -> list[str]:
    """The lines of the record."""
    lines = set()
    for entry in entries.values():
        known = entry
        name = entry.name
        if entry.tag == "DW_TAG_typedef" and (inner := entry.facts.get("DW_AT_type")):
            known = referred(entries, inner)
        if known.tag == "DW_TAG_enumeration_type":
            for constant in known.inside:
                if constant.name.startswith("KVF_"):
                    lines.add(f"constant {constant.name} = {constant.number('DW_AT_const_value')}")
        elif known.tag in ("DW_TAG_structure_type", "DW_TAG_union_type") and OURS.fullmatch(name):
            if known.number("DW_AT_byte_size"):
                lines.add(f"struct {name}: {known.number('DW_AT_byte_size')} bytes")
                lines.update(members(entries, known, name, 0))
        elif entry.tag == "DW_TAG_typedef" and OURS.fullmatch(name):
            lines.add(f"type {name}: {spell(entries, entry.facts.get('DW_AT_type'))}")
        elif entry.tag == "DW_TAG_variable" and name.startswith("is_kvf_"):
            kind = spell(entries, entry.facts["DW_AT_type"]).removesuffix("*").rstrip()
            lines.add(f"function {name.removeprefix('is_')}: {kind}")
    return sorted(lines)


def compiled(cc: Sequence[str], include: Sequence[str] = INCLUDES) -> list[str]:
    """The record of the headers in these folders."""
    text = "".join(f"#include <{header}>\n" for header in HEADERS)
    for name in functions(include):
        text += f"__typeof__({name}) *is_{name};\n"
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "headers.c"), Path(folder, "headers.o")
        source.write_text(text)
        flags = ["-std=gnu11", "-gdwarf-4", "-fno-eliminate-unused-debug-types"]
        paths = [f"-I{ROOT / path}" for path in include]
        subprocess.run([*cc, *flags, *paths, "-c", "-o", target, source], check=True)
        readelf = shutil.which("readelf") or "readelf"
        dump = [readelf, "--debug-dump=info", "--wide", str(target)]
        done = subprocess.run(dump, capture_output=True, text=True, check=True)
    return describe(parse(done.stdout))


def abi_version(include: Sequence[str] = INCLUDES) -> int:
    """KVF_ABI_VERSION of the header."""
    text = (ROOT / include[0] / "kvforge/kvforge.h").read_text()
    version = re.search(r"^#define KVF_ABI_VERSION (\d+)$", text, re.M)
    assert version, "no KVF_ABI_VERSION in kvforge.h"
    return int(version[1])
