"""``calibration``: do 80 % mean 80 %?"""

from __future__ import annotations

import math

from fertune.evaluation import Reliability, reliability
from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, bare, drawn, fixed_ticks, nice
from fertune.report.shared.numbers import Predicted
from fertune.report.theme import HEX
from fertune.report.words import count, number, percent

HEADING = "Calibration"
ENOUGH, BINS = 200, 15


def finding(name: str, r: Reliability, single: Reliability | None) -> str:
    """Over- or underconfident, by how much, beside the single model."""
    gap = 100 * r.overconfidence
    word = "overconfident" if gap > 0 else "underconfident"
    start = (
        f"{name} is {word} by {number(abs(gap), 1)} points"
        if abs(gap) >= 0.5
        else (f"{name}'s confidence is right on average, to {number(abs(gap), 1)} points")
    )
    other = f"; best single {number(single.ece, 3)}" if single is not None else ""
    return f"{start} (ECE {number(r.ece, 3)} with {count(len(r.count), 'bin')}{other})."


def _wilson(p: float, n: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z = 1.96
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return middle - half, middle + half


def figure(models: list[tuple[str, str, Reliability, Predicted]], width: int) -> Sheet:
    """Reliability dots against the diagonal, and under it how confident the answers are."""
    narrow = width < 600
    side = 300 if narrow else 330
    sheet = Sheet(width, 566 if narrow else 372)
    ax = sheet.panel(34, 24, side - 4, side - 30)
    sheet.text(34, 10, "right, %", color=HEX["muted"])
    ax.plot([0, 100], [0, 100], color=HEX["axis"], linewidth=1)
    for _, role, r, _ in models:
        shape = "o" if role == "single" else "D"
        for p, a, n in zip(r.confidence, r.accuracy, r.count, strict=True):
            low, high = _wilson(float(a), float(n))
            ax.plot([100 * p, 100 * p], [100 * low, 100 * high], color=HEX[role], linewidth=1)
        ax.plot(100 * r.confidence, 100 * r.accuracy, shape, color=HEX[role], markersize=6)
    ax.set_xlim(0, 101)
    ax.set_ylim(0, 101)
    nice(ax, "x", ticks=5)
    nice(ax, "y", ticks=5)
    ax.set_xlabel("confidence, %")
    x, y, w, h = (34, 400, side - 4, 130) if narrow else (470, 24, 400, side - 30)
    bars = sheet.panel(x, y, w, h)
    sheet.text(x, y - 14, "answers in each tenth of confidence, % of rows", color=HEX["muted"])
    wide = 9 / len(models)
    for i, (_, role, _, p) in enumerate(models):
        sure = p.proba.max(axis=1)
        share = [100 * float(((sure >= b / 10) & ((sure < (b + 1) / 10) | (b == 9))).mean()) for b in range(10)]
        bars.bar([10 * b + 0.5 + wide * (i + 0.5) for b in range(10)], share, width=wide * 0.9, color=HEX[role])
    bars.set_xlim(0, 101)
    fixed_ticks(bars, "x", range(0, 101, 20), [str(t) for t in range(0, 101, 20)])
    nice(bars, "y", ticks=4)
    bars.set_xlabel("confidence, %")
    bare(bars, "bottom")
    return sheet


def section(single: Predicted | None, stack: Predicted | None, name: str, fill: str) -> Section:
    """``fill``: the command that would bring predictions of labelled rows."""
    if stack is None:
        return empty("calibration", HEADING, "No labelled test predictions are stored.", fill)
    models = [("best single", "single", reliability(single.proba, single.labels, BINS), single)] if single else []
    mine = reliability(stack.proba, stack.labels, BINS)
    models.append((name, "meta", mine, stack))
    text = finding(name, mine, models[0][2] if single else None)
    if len(stack) < ENOUGH:
        return Section(
            "calibration", HEADING, text, "thin", (), f"{count(len(stack), 'row')}: under {ENOUGH}, too few to draw."
        )
    shown = drawn(lambda w: figure(models, w), id="calibration", title="Reliability diagram", desc=text)
    rows = []
    for title, _, r, _ in models:
        rows += [
            Row((cell(title), cell(percent(c), float(c)), cell(percent(a), float(a)), cell(number(int(n)), int(n))))
            for c, a, n in zip(r.confidence, r.accuracy, r.count, strict=True)
        ]
    table = Table(
        (Column("model"), Column("mean confidence", True), Column("right", True), Column("rows", True)),
        tuple(rows),
        f"{BINS} bins of equal count",
    )
    how = (
        f"On the diagonal a confidence of 80 % is right 80 % of the time; below it is overconfident. Circles: best "
        f"single, diamonds: {name}; {count(len(stack), 'test row')}, bins of equal count, 95 % intervals."
    )
    return Section("calibration", HEADING, text, "full", (shown,), how, table)
