#!/usr/bin/env python3
"""Plot the demo's table: the size of each cache, and the error of the attention output that it gives.

python3 plot.py CSV PNG
"""

import csv
import math
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

WIDTH, HEIGHT, DPI = 1200, 800, 100
GREY, BLUE, EXACT = "#4C566A", "#0B6E99", "#C2571A"
MARKERS = {"f32": ("o", 15.0), "f16": ("s", 9.5), "bf16": ("^", 5.0)}  # they nest

Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        sys.exit(f"{path}: has no rows")
    return rows


def by_cache(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each cache, the smallest last; of one size the less exact last."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["cache"]].append(row)

    def rank(cache: str) -> tuple[int, float]:
        mine = found[cache]
        return -int(mine[0]["bytes_per_token"]), max(float(row["attention_rms"]) for row in mine)

    return {cache: found[cache] for cache in sorted(found, key=rank)}


def draw_sizes(axes: Axes, caches: dict[str, list[Row]]) -> None:
    """A bar for each cache: bytes of a token, scales included."""
    sizes = [int(rows[0]["bytes_per_token"]) for rows in caches.values()]
    axes.barh(range(len(sizes)), sizes, color=BLUE, height=0.5)
    for y, size in enumerate(sizes):
        axes.annotate(f"{size:,}", (size, y), (5, 0), textcoords="offset points", va="center")
    axes.set_xlim(0, 1.2 * max(sizes))
    axes.set_yticks(range(len(caches)), list(caches))
    axes.set_xlabel("bytes per token, K and V of one layer")


def draw_errors(axes: Axes, caches: dict[str, list[Row]]) -> None:
    """The errors of each cache, by the dtype of keys and values; layouts and ops that agree coincide."""
    errors = [float(row["attention_rms"]) for rows in caches.values() for row in rows]
    smallest = min((error for error in errors if error > 0), default=1.0)
    exact = 10.0 ** (math.floor(math.log10(smallest)) - 1)  # where no error is drawn
    for y, rows in enumerate(caches.values()):
        for row in rows:
            marker, size = MARKERS.get(row["scalar"], ("D", 8.0))
            error = float(row["attention_rms"])
            axes.plot(
                max(error, exact),
                y,
                linestyle="",
                marker=marker,
                markersize=size,
                markerfacecolor="white",
                markeredgecolor=GREY if error > 0 else EXACT,
                markeredgewidth=1.5,
                zorder=4 - size / 100,  # small ones on top
            )
        worst = max(float(row["attention_rms"]) for row in rows)
        axes.annotate(
            f"{worst:.1e}" if worst > 0 else "exact",
            (max(worst, exact), y),
            (13, 0),
            textcoords="offset points",
            va="center",
        )
    axes.set_xscale("log")
    axes.set_xlim(exact / 2, max([*errors, exact]) * 12)
    axes.minorticks_off()
    axes.set_xlabel("RMS error of the attention output, absolute")
    for scalar, (marker, size) in MARKERS.items():
        if any(row["scalar"] == scalar for rows in caches.values() for row in rows):
            axes.plot(
                *([], []),
                linestyle="",
                marker=marker,
                markersize=size,
                markerfacecolor="white",
                markeredgecolor=GREY,
                label=f"from {scalar}",
            )
    axes.legend(loc="upper right", title="keys and values")


def draw(rows: list[Row], path: Path) -> None:
    first, caches = rows[0], by_cache(rows)
    figure, (left, right) = plt.subplots(
        *(1, 2),
        figsize=(WIDTH / DPI, HEIGHT / DPI),
        dpi=DPI,
        sharey=True,
        width_ratios=(1, 1.6),
        layout="constrained",
    )
    draw_sizes(left, caches)
    draw_errors(right, caches)
    left.invert_yaxis()
    for axes in (left, right):
        axes.grid(True, axis="x" if axes is left else "both", color="#D8DEE9", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("What a smaller KV cache costs in accuracy", fontsize=17, fontweight="bold")
    setting = f"{first['fixture']}, kvforge on {first['backend']} ({first['ran_on']})"
    right.set_title(setting, fontsize=10, loc="right", pad=8)
    figure.savefig(path, dpi=DPI, format="png")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py CSV PNG")
    draw(read_rows(Path(sys.argv[1])), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
