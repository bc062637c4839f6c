"""``calibration``: do 80 % mean 80 %?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fertune.evaluation import Reliability, reliability
from fertune.report.blocks import Column, Row, Section, Table, cell
from fertune.report.canvas import Sheet, bare, drawn, fixed_ticks, nice
from fertune.report.shared.numbers import Floats, Ints, Predicted
from fertune.report.theme import HEX
from fertune.report.words import count, gap, number, percent, telling

HEADING = "Calibration"
ENOUGH, BINS = 200, 15


@dataclass(frozen=True)
class Cooled:
    """What one temperature does.

    Attributes:
        temperature: Divides the logarithms of the probabilities; above 1 makes answers less sure.
        ece: Expected calibration error on the test rows with it.
        rows: Out-of-fold rows that it was fitted on.
    """

    temperature: float
    ece: float
    rows: int


@telling
def finding(name: str, r: Reliability, single: Reliability | None, cooled: Cooled | None = None) -> str:
    """Over- or underconfident, by how much, beside the single model; and what a temperature would bring."""
    off = r.overconfidence
    word = "overconfident" if off > 0 else "underconfident"
    start = (
        f"{name} is {word} by {gap(off)} points"
        if abs(off) >= 0.005
        else (f"{name}'s confidence is right on average, to {gap(off)} points")
    )
    other = f"; best single {number(single.ece, 3)}" if single is not None else ""
    words = f"{start} (ECE {number(r.ece, 3)} with {count(len(r.count), 'bin')}{other})"
    if cooled is None:
        return f"{words}."
    return (
        f"{words}; a temperature of {number(cooled.temperature, 2)} fitted out of fold brings {number(cooled.ece, 3)}."
    )


def stored_oof(stored: Mapping[str, np.ndarray] | None) -> tuple[Floats, Ints] | None:
    """Out-of-fold probabilities and labels of the chosen stack, each row by a fit that never saw it."""
    if stored is None or not {"proba", "labels"} <= set(stored):
        return None
    labels, proba = np.asarray(stored["labels"], dtype=np.int64), np.asarray(stored["proba"], dtype=np.float64)
    keep = (labels >= 0) & np.isfinite(proba).all(axis=1)
    return (proba[keep], labels[keep]) if keep.any() else None


def out_of_fold(
    oof: Mapping[str, np.ndarray] | None, learners: Sequence[Mapping[str, Any]], name: str | None
) -> tuple[Floats, Ints] | None:
    """The same of an average of the members, for runs that did not store it; None for other learners.

    What a fitted meta-learner says of the rows that it was fitted on would not be honest.
    """
    weights = next((x.get("explain", {}).get("weights") for x in learners if x["name"] == name), None)
    if oof is None or not weights or not {"proba", "labels", "names"} <= set(oof):
        return None
    labels = np.asarray(oof["labels"], dtype=np.int64)
    share = np.array([float(weights.get(str(n), 0.0)) for n in oof["names"]])
    proba = np.asarray(oof["proba"], dtype=np.float64)
    keep = (labels >= 0) & np.isfinite(proba).all(axis=(1, 2))
    if not keep.any() or share.sum() <= 0:
        return None
    return np.einsum("nmk,m->nk", proba[keep], share / share.sum()), labels[keep]


def warmed(proba: Floats, temperature: float) -> Floats:
    """Probabilities with their logarithms divided by a temperature (Guo et al. 2017), rows summing to 1."""
    logs = np.log(np.clip(proba, 1e-12, 1.0)) / temperature
    e = np.exp(logs - logs.max(axis=1, keepdims=True))
    out: Floats = e / e.sum(axis=1, keepdims=True)
    return out


def cool(oof: tuple[Floats, Ints], test: Predicted) -> Cooled:
    """The temperature of least log loss on out-of-fold rows, and what it does to the test rows."""
    from scipy.optimize import minimize_scalar

    proba, labels = oof

    def loss(log_t: float) -> float:
        return float(-np.log(warmed(proba, math.exp(log_t))[np.arange(len(labels)), labels] + 1e-12).mean())

    best = math.exp(float(minimize_scalar(loss, bounds=(math.log(0.2), math.log(5)), method="bounded").x))
    return Cooled(best, reliability(warmed(test.proba, best), test.labels, BINS).ece, len(labels))


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


def section(single: Predicted, stack: Predicted, name: str, oof: tuple[Floats, Ints] | None = None) -> Section:
    """``oof``: out-of-fold probabilities of the stack and their labels, where they can be had."""
    theirs, mine = (reliability(p.proba, p.labels, BINS) for p in (single, stack))
    models = [("best single", "single", theirs, single), (name, "meta", mine, stack)]
    cooled = cool(oof, stack) if oof is not None and len(stack) >= ENOUGH else None
    text = finding(name, mine, theirs, cooled)
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
    if cooled is not None:
        how += f" The temperature was fitted on {number(cooled.rows)} out-of-fold rows, never on these."
    return Section("calibration", HEADING, text, "full", (shown,), how, table)
