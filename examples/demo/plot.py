#!/usr/bin/env python3
"""Plot the demo's table: error of the attention output against the size of the cache.

python3 plot.py CSV PNG
"""

import csv
import math
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.layout_engine import ConstrainedLayoutEngine

WIDTH, HEIGHT, DPI = 1200, 800, 100
COLORS = {"same": "#4C566A", "fp8_e4m3": "#0B6E99", "fp8_e5m2": "#C2571A"}
MARKERS = {"f32": ("o", 20.0), "f16": ("s", 12.5), "bf16": ("^", 6.0)}  # they nest
LABEL_GAP = 0.062  # between labels of one column, as a part of the axis' height
EXACT = 0.06  # where the line of exact results is, likewise


@dataclass
class Point:
    """Rows of one scalar and cache dtype that have the same size and the same error."""

    scalar: str
    cache: str
    size: int
    rms: float
    ops: set[str] = field(default_factory=set)
    layouts: list[str] = field(default_factory=list)

    def add(self, op: str, layout: str) -> None:
        self.ops.add(op)
        self.layouts.append(f"{op} {layout}")

    @property
    def label(self) -> str:
        what = self.scalar if self.cache == self.scalar else f"{self.scalar} as {self.cache}"
        which = f"{len(self.ops)} ops, {len(self.layouts)} layouts alike"
        if len(self.layouts) == 1:
            which = self.layouts[0]
        elif len(self.ops) == 1:
            which = f"{min(self.ops)}, {len(self.layouts)} layouts alike"
        return f"{what}: {f'{self.rms:.2e}' if self.rms > 0 else '0'} ({which})"

    @property
    def color(self) -> str:
        return COLORS.get("same" if self.cache == self.scalar else self.cache, "#7A3E9D")

    @property
    def marker(self) -> tuple[str, float]:
        return MARKERS.get(self.scalar, ("D", 8.0))


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        sys.exit(f"{path}: has no rows")
    return rows


def merge(rows: list[dict[str, str]]) -> list[Point]:
    """One point for all ops and layouts that agree to the digit, another for any that does not."""
    points: dict[tuple[str, str, str, str], Point] = {}
    for row in rows:
        names = ("scalar", "cache", "bytes_per_token", "attention_rms")
        scalar, cache, size, rms = (row[name] for name in names)
        point = Point(scalar, cache, int(size), float(rms))
        points.setdefault((scalar, cache, size, rms), point).add(row["op"], row["layout"])
    return sorted(points.values(), key=lambda point: (point.size, point.rms))


def spread(heights: list[float]) -> list[float]:
    """Heights of labels: ascending, a gap apart, near where they belong."""
    placed: list[list[float]] = []  # groups of labels that touch, each by the heights it wants
    for height in heights:
        placed.append([height])
        while len(placed) > 1 and bottom(placed[-1]) < top(placed[-2]) + LABEL_GAP:
            placed[-2:] = [placed[-2] + placed[-1]]
    return [bottom(group) + i * LABEL_GAP for group in placed for i in range(len(group))]


def bottom(group: list[float]) -> float:
    return sum(group) / len(group) - (len(group) - 1) * LABEL_GAP / 2


def top(group: list[float]) -> float:
    return bottom(group) + (len(group) - 1) * LABEL_GAP


def place(axes: Axes, points: list[Point]) -> dict[int, float]:
    """Sets the axes; the height of every point, by its position, as a part of the axis."""
    sizes = sorted({point.size for point in points})
    errors = [point.rms for point in points if point.rms > 0] or [1.0]
    low = math.floor(math.log10(min(errors))) - 1  # a decade below is left to the exact results
    high = math.ceil(math.log10(max(errors)) + 0.3)
    axes.set_xscale("log", base=2)
    axes.set_xlim(sizes[0] / 1.25, sizes[-1] * 1.9)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_yscale("log")
    axes.minorticks_off()
    axes.set_ylim(10.0**low, 10.0**high)
    axes.set_yticks([10.0**exponent for exponent in range(low + 1, high + 1)])
    return {
        i: (math.log10(point.rms) - low) / (high - low) if point.rms > 0 else EXACT
        for i, point in enumerate(points)
    }


def draw_points(axes: Axes, points: list[Point], heights: dict[int, float]) -> None:
    at = axes.get_xaxis_transform()  # x in bytes, y as a part of the axis
    by_size: dict[int, list[int]] = defaultdict(list)
    for i, point in enumerate(points):
        by_size[point.size].append(i)
        axes.plot(
            point.size,
            heights[i],
            transform=at,
            linestyle="",
            marker=point.marker[0],
            markersize=point.marker[1],
            markerfacecolor="white",
            markeredgecolor=point.color,
            markeredgewidth=2,
            zorder=4 - point.marker[1] / 100,  # small ones on top
        )
    for size, members in by_size.items():
        for i, height in zip(members, spread([heights[i] for i in members]), strict=True):
            axes.annotate(
                points[i].label,
                xy=(size, heights[i]),
                xycoords=at,
                xytext=(size * 1.13, height),
                textcoords=at,
                color=points[i].color,
                fontsize=11,
                va="center",
                bbox={"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none"},
                arrowprops={
                    "arrowstyle": "-",
                    "relpos": (0, 0.5),
                    "color": points[i].color,
                    "linewidth": 0.8,
                    "alpha": 0.6,
                    "shrinkA": 0,
                    "shrinkB": 10,
                },
            )


def draw_exact(axes: Axes) -> None:
    axes.plot(
        [0, 1], [EXACT, EXACT], transform=axes.transAxes, color="#4C566A", linestyle=(0, (6, 4))
    )
    axes.annotate(
        "exact",
        xy=(0, EXACT),
        xycoords="axes fraction",
        xytext=(-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=11,
    )


def draw_legend(axes: Axes, points: list[Point]) -> None:
    shown = {point.scalar for point in points}
    for scalar, (marker, size) in MARKERS.items():
        if scalar not in shown:
            continue
        axes.plot(
            [],
            [],
            linestyle="",
            marker=marker,
            markersize=size,
            markerfacecolor="white",
            markeredgecolor="#4C566A",
            markeredgewidth=2,
            label=f"from {scalar}",
        )
    axes.legend(loc="upper right", fontsize=11, title="keys and values", labelspacing=0.7)


def draw(rows: list[dict[str, str]], path: Path) -> None:
    points = merge(rows)
    first = rows[0]
    figure, axes = plt.subplots(
        figsize=(WIDTH / DPI, HEIGHT / DPI),
        dpi=DPI,
        layout=ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12),
    )
    heights = place(axes, points)
    draw_exact(axes)
    draw_points(axes, points, heights)
    draw_legend(axes, points)
    axes.grid(True, color="#D8DEE9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("cache size: bytes per token, K and V of one layer", fontsize=12)
    axes.set_ylabel("RMS error of the attention output, absolute", fontsize=12)
    figure.suptitle("What a smaller KV cache costs in accuracy", fontsize=17, fontweight="bold")
    axes.set_title(
        f"{first['fixture']}, kvforge on {first['backend']} ({first['ran_on']})",
        fontsize=12,
        pad=8,
    )
    figure.savefig(path, dpi=DPI, format="png")


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit("usage: plot.py CSV PNG")
    draw(read_rows(Path(sys.argv[1])), Path(sys.argv[2]))


if __name__ == "__main__":
    main()
