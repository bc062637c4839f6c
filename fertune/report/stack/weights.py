"""Weights as dots, coefficients as a matrix: what a meta-learner makes of its members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fertune.report.canvas import Sheet, bare, colours, fixed_ticks, label_room, nice
from fertune.report.theme import HEX, step
from fertune.report.words import fitted, known, number, short, signed

Explain = Mapping[str, Any]


def ranked_dots(explain: Explain) -> list[tuple[str, float]]:
    """(name, value) of weights or importances, largest first."""
    if explain["kind"] == "weights":
        pairs = list(explain["weights"].items())
    else:
        pairs = list(zip(explain.get("features", ()), explain.get("values", ()), strict=False))
    return sorted(((str(n), float(v)) for n, v in pairs), key=lambda p: (-p[1], p[0]))


def by_member(explain: Explain) -> tuple[list[str], np.ndarray]:
    """Coefficients as (members, classes): the weight that a class puts on a member's probability of that same class."""
    features, classes = [str(f) for f in explain["features"]], [str(c) for c in explain["classes"]]
    values = np.asarray(explain["values"], dtype=np.float64)
    members = list(dict.fromkeys(f.rsplit(": ", 1)[0] for f in features))
    place = {f: i for i, f in enumerate(features)}
    out = np.full((len(members), len(classes)), np.nan)
    for m, member in enumerate(members):
        for k, name in enumerate(classes):
            at = place.get(f"{member}: {name}")
            if at is not None and k < len(values):
                out[m, k] = values[k, at]
    return members, out


def dots(pairs: Sequence[tuple[str, float]], label: str, width: int) -> Sheet:
    narrow = width < 600
    line = 42 if narrow else 26
    left = 12 if narrow else label_room([short(n, 38) for n, _ in pairs], 290)
    sheet = Sheet(width, 14 + line * len(pairs) + 46)
    ax = sheet.panel(left, 8, width - 24 if narrow else 480, line * len(pairs))
    for i, (name, value) in enumerate(pairs):
        y = len(pairs) - 1 - i - (0.2 if narrow else 0)
        at = 8 + line * (i + 0.5)
        if narrow:
            sheet.text(left, at - 10, fitted(name, 240))
            sheet.text(width - 12, at - 10, number(value, 2), ha="right", color=HEX["muted"])
        else:
            sheet.text(left - 14, at, fitted(name, left - 16), ha="right")
            sheet.text(left + 494, at, number(value, 2), color=HEX["muted"])
        ax.plot([0, value], [y, y], color=HEX["grid"], linewidth=2)
        ax.plot([value], [y], "o", color=HEX["meta"], markersize=8)
    ax.axvline(0, color=HEX["axis"], linewidth=1)
    ax.set_ylim(-0.5, len(pairs) - 0.5)
    ax.set_xlim(0, max(1e-9, *(v for _, v in pairs)) * 1.04)
    fixed_ticks(ax, "y", [], [])
    nice(ax, "x", ticks=4)
    ax.set_xlabel(label)
    bare(ax, "bottom")
    return sheet


def matrix(members: Sequence[str], classes: Sequence[str], values: np.ndarray, width: int) -> Sheet:
    """Members down, classes across, diverging about 0; on a phone classes stand down."""
    import seaborn

    narrow = width < 600
    grid = values.T if narrow else values
    down, across = (classes, members) if narrow else (members, classes)
    left = label_room([short(n, 13 if narrow else 32) for n in down], 96 if narrow else 230)
    size_x = min((width - left - 8) / len(across), 78)
    size_y = 30
    foot = label_room([fitted(n, 130) for n in across], 150) if narrow else 28
    sheet = Sheet(width, round(8 + size_y * len(down) + foot + 8))
    ax = sheet.panel(left, 6, size_x * len(across), size_y * len(down))
    peak = float(np.nanmax(np.abs(values))) or 1.0
    seaborn.heatmap(
        grid,
        ax=ax,
        cmap=colours("div"),
        vmin=-peak,
        vmax=peak,
        cbar=False,
        mask=~np.isfinite(grid),
        linewidths=1,
        linecolor=HEX["page"],
        xticklabels=False,
        yticklabels=False,
    )
    for i, name in enumerate(down):
        sheet.text(left - 8, 6 + size_y * (i + 0.5), fitted(name, left - 12), ha="right")
        for j in range(len(across)):
            v = float(grid[i, j])
            if known(v):
                ax.text(
                    j + 0.5,
                    i + 0.5,
                    signed(v, 1),
                    ha="center",
                    va="center",
                    color=HEX[f"div-{step(v, -peak, peak)}-text"],
                )
    for j, name in enumerate(across):
        sheet.text(
            left + size_x * (j + 0.5),
            6 + size_y * len(down) + 8,
            fitted(name, 130 if narrow else size_x - 4),
            ha="center",
            va="top",
            rotation=90 if narrow else 0,
            color=HEX["muted"],
        )
    return sheet
