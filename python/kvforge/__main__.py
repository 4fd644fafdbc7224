"""python -m kvforge: the dispatch table, the build and the machine."""

from __future__ import annotations

from kvforge import machine, variants
from kvforge._library import find


def main() -> None:
    """Prints one line per variant, then what the library runs on."""
    rows = variants()
    heads = ("op", "backend", "scalar", "cache", "built")
    lines = [
        heads,
        *((v.op, v.backend, v.scalar, v.cache, "yes" if v.built else "no") for v in rows),
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )
    here = machine()
    built = sum(row.built for row in rows)
    print(f"\nkvforge {here.version}, {find().name}: {built} of {len(rows)} variants built")
    print(f"CPU: {here.isa}; CUDA devices: {here.cuda_devices} {here.no_cuda}".rstrip())


if __name__ == "__main__":
    main()
