#!/usr/bin/env python3
"""Plots a run of bench_cpu beneath its roof, which is memcpy: python3 bench/roofline.py JSON PNG

Every op moves bytes and does some arithmetic on each; how far one stays below the roof is what its
arithmetic, or the places that it writes to, cost. One thread; a line from the slowest to the fastest form.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

GREY, BLUE, ORANGE = "#4C566A", "#0B6E99", "#C2571A"
WIDTH, ROW, DPI = 9.0, 0.15, 90


def read(path: Path) -> dict[tuple[str, str], list[dict[str, object]]]:
    """The rows of one thread, by op and cache: bits that are copied are `same`."""
    found: dict[tuple[str, str], list[dict[str, object]]] = defaultdict(list)
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if row["threads"] == 1:
            cache = "same" if row["cache"] == row["scalar"] else row["cache"]
            found[row["op"], cache].append(row)
    if not found:
        sys.exit(f"{path}: has no row of one thread")
    return found


def main() -> None:
    """Entry point."""
    source, target = map(Path, sys.argv[1:])
    groups = read(source)

    def middle(group: tuple[str, str]) -> float:
        return max(float(str(row["ratio"])) for row in groups[group])

    order = sorted(groups, key=middle)
    figure, axes = plt.subplots(figsize=(WIDTH, 1.2 + ROW * len(order)), dpi=DPI)
    for y, group in enumerate(order):
        ratios = [100 * float(str(row["ratio"])) for row in groups[group]]
        aim = 100 * max(float(str(row["aim"])) for row in groups[group])
        axes.plot([min(ratios), max(ratios)], [y, y], color=BLUE, linewidth=2)
        axes.plot(ratios, [y] * len(ratios), "o", color=BLUE, markersize=3)
        if aim:
            axes.plot([aim], [y], "|", color=ORANGE, markersize=7, markeredgewidth=1.5)
    axes.axvline(100, color=GREY, linewidth=1.5)
    axes.annotate("memcpy", (100, len(order)), (4, 0), textcoords="offset points", color=GREY)
    axes.set_yticks(range(len(order)), [f"{op}  {cache}" for op, cache in order], fontsize=6.5)
    axes.set_ylim(-1, len(order) + 1)
    axes.set_xscale("log")
    ticks = [5, 10, 20, 50, 100, 200]
    axes.set_xticks(ticks, [f"{tick} %" for tick in ticks])
    axes.minorticks_off()
    row = next(iter(groups.values()))[0]
    axes.set_xlabel("speed as a part of a memcpy of as many bytes; orange: the aim")
    axes.set_title(f"One thread, {row['isa']}, {row['tokens']} tokens, {row['scalar']}", fontsize=9)
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(target, pil_kwargs={"optimize": True})
    plt.close(figure)


if __name__ == "__main__":
    main()
