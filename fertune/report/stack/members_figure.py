"""How members differ: triangles of pairs, and a dot for each fold."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from fertune.report.canvas import Sheet, bare, colours, fixed_ticks, label_room, nice, widened
from fertune.report.shared.numbers import Floats
from fertune.report.theme import HEX, step
from fertune.report.words import fitted, number, short


def triangle(values: Floats, names: Sequence[str], title: str, share: bool, width: int) -> Sheet:
    """Lower triangle of pairs.

    Args:
        values: (members, members); NaN is left blank.
        share: Said in percent, else as a number of two digits.
    """
    import seaborn

    n = len(values)
    labels = [fitted(name, 110) for name in names]
    left, below = label_room(labels[1:], 126), label_room(labels[:-1], 126)
    size = min((width - left - 6) / (n - 1), 52)
    sheet = Sheet(width, round(28 + size * (n - 1) + below + 8))
    sheet.text(4, 10, title, fontweight="bold")
    ax = sheet.panel(left, 26, size * (n - 1), size * (n - 1))
    lower = values[1:, :-1]
    mask = np.triu(np.ones_like(lower, dtype=bool), 1) | ~np.isfinite(lower)
    seen = lower[~mask]
    low, high = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
    low = max(min(low, 0.0), 2 * low - high) if high > low else min(low, 0.0)
    high = high if high > low else low + 1.0
    seaborn.heatmap(
        lower,
        ax=ax,
        mask=mask,
        cmap=colours("seq"),
        vmin=low,
        vmax=high,
        cbar=False,
        linewidths=1,
        linecolor=HEX["page"],
        xticklabels=False,
        yticklabels=False,
    )
    for i in range(n - 1):
        sheet.text(left - 8, 26 + size * (i + 0.5), labels[i + 1], ha="right")
        sheet.text(left + size * (i + 0.5), 34 + size * (n - 1), labels[i], ha="center", va="top", rotation=90)
        for j in range(i + 1):
            value = float(lower[i, j])
            if not np.isfinite(value):
                continue
            told = number(100 * value) if share else number(value, 2)
            shade = HEX[f"seq-{step(value, low, high)}-text"]
            ax.text(j + 0.5, i + 0.5, told, ha="center", va="center", color=shade, fontsize=12 if size > 27 else 10)
    return sheet


def fold_dots(spread: Mapping[str, Sequence[float]], width: int) -> Sheet:
    """One line a member: a ring for each fold's accuracy, a dot for their mean, on one scale."""
    narrow = width < 600
    step_px = 44 if narrow else 28
    left = 12 if narrow else label_room([short(n, 30) for n in spread], 200)
    plot = width - 24 if narrow else 480
    sheet = Sheet(width, 8 + step_px * len(spread) + 44)
    ax = sheet.panel(left, 8, plot, step_px * len(spread))
    low, high = widened(
        100 * min(min(v) for v in spread.values()), 100 * max(max(v) for v in spread.values()), 4.0, 0.08
    )
    for i, (name, values) in enumerate(spread.items()):
        y: float = len(spread) - 1 - i - (0.2 if narrow else 0)
        at = 8 + step_px * (i + 0.5)
        if narrow:
            sheet.text(left, at - 12, fitted(name, 240))
        else:
            sheet.text(left - 12, at, fitted(name, left - 14), ha="right")
        ax.plot([100 * min(values), 100 * max(values)], [y, y], color=HEX["grid"], linewidth=2)
        ax.plot(
            [100 * v for v in values],
            [y] * len(values),
            "o",
            color=HEX["single"],
            markersize=6,
            markerfacecolor=HEX["page"],
        )
        ax.plot([100 * statistics.fmean(values)], [y], "o", color=HEX["single"], markersize=7)
    ax.set_xlim(max(low, -1.0), min(high, 101.0))
    ax.set_ylim(-0.5, len(spread) - 0.5)
    fixed_ticks(ax, "y", [], [])
    nice(ax, "x", ticks=5)
    ax.set_xlabel("out-of-fold accuracy, %")
    bare(ax, "bottom")
    return sheet
