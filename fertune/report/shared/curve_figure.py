"""Small multiples of learning curves: one trial, or the folds of one member, a panel."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fertune.report.blocks import Cell, Figure, Grid, Key, cell
from fertune.report.canvas import Sheet, bare, drawn, nice, widened
from fertune.report.glyphs import glyph
from fertune.report.theme import HEX
from fertune.report.words import known, number
from fertune.trial import Trial

PANEL = 290
Epochs = Sequence[dict[str, float]]
Line = tuple[list[float], list[float]]


def series(history: Epochs, key: str) -> Line:
    """(epochs, values) where the value is finite."""
    pairs = [(float(row["epoch"]), float(row[key])) for row in history if "epoch" in row and finite(row.get(key))]
    return [e for e, _ in pairs], [v for _, v in pairs]


def finite(value: float | None) -> bool:
    """Whether an epoch has this number."""
    return value is not None and math.isfinite(value)


def rate_drops(history: Epochs) -> list[int]:
    """Epochs at which the learning rate was under half to nine tenths of the epoch before: a step, not a slope."""
    epochs, values = series(history, "learning_rate")
    return [int(e) for e, a, b in zip(epochs[1:], values, values[1:], strict=False) if b < 0.75 * a]


def _band(trials: Sequence[Trial], key: str) -> tuple[list[float], list[float], list[float]]:
    """(epochs, 10 % quantile, 90 % quantile) over trials, where at least three were measured."""
    by_epoch: dict[float, list[float]] = {}
    for t in trials:
        for e, v in zip(*series(t.history, key), strict=True):
            by_epoch.setdefault(e, []).append(v)
    xs, low, high = [], [], []
    for e in sorted(by_epoch):
        values = sorted(by_epoch[e])
        if len(values) >= 3:
            xs.append(e)
            low.append(values[round(0.1 * (len(values) - 1))])
            high.append(values[round(0.9 * (len(values) - 1))])
    return xs, low, high


def _limits(histories: Sequence[Epochs], keys: tuple[str, ...]) -> tuple[float, float]:
    values = sorted(v for h in histories for k in keys for v in series(h, k)[1])
    if not values:
        return 0.0, 1.0
    # A first epoch may be far off: the upper end leaves the worst hundredth out, and clipped lines show it.
    return widened(values[0], values[min(len(values) - 1, int(0.99 * len(values)))], 1e-6, 0.05)


def _panels(
    title: str,
    lines: Sequence[tuple[Epochs, int | None]],
    limits: dict[str, tuple[float, float]],
    bands: dict[str, tuple[list[float], list[float], list[float]]],
    last: float,
    width: int,
    score: str,
    percent: bool,
    stopped: bool,
) -> Sheet:
    """One trial (or one member's folds): score above, loss below, one x axis."""
    sheet = Sheet(width, 330)
    sheet.text(4, 10, title, fontweight="bold")
    scale = 100 if percent else 1
    for row, (valid, train, label) in enumerate(
        (
            (
                f"val_{score}",
                "accuracy" if score == "accuracy" else "",
                f"{score.replace('_', ' ')}{', %' if percent else ''}",
            ),
            ("val_loss", "loss", "loss"),
        )
    ):
        factor = scale if row == 0 else 1
        ax = sheet.panel(38, 44 + row * 145, width - 46, 105)
        sheet.text(4, 32 + row * 145, label, color=HEX["muted"])
        band = bands.get(valid)
        if band and len(band[0]) > 1:
            ax.fill_between(
                band[0], [factor * v for v in band[1]], [factor * v for v in band[2]], color=HEX["grid"], linewidth=0
            )
        for history, best in lines:
            many = len(lines) > 1
            if train:
                xs, ys = series(history, train)
                ax.plot(
                    xs,
                    [factor * y for y in ys],
                    "--" if len(xs) > 1 else "x",
                    color=HEX["axis"],
                    linewidth=1 if many else 1.4,
                )
            xs, ys = series(history, valid)
            ax.plot(
                xs,
                [factor * y for y in ys],
                "-" if len(xs) > 1 else ".",
                color=HEX["single"],
                linewidth=1.2 if many else 1.8,
            )
            at = dict(zip(xs, ys, strict=True))
            if best in at:
                ax.plot([best], [factor * at[best]], "o", color=HEX["single"], markersize=5 if many else 7)
            if not many:
                for drop in rate_drops(history):
                    if drop in at:
                        ax.plot([drop], [factor * at[drop]], "v", color=HEX["warning"], markersize=6)
            if stopped and xs and not many:
                ax.axvline(xs[-1], color=HEX["ink"], linewidth=1)
        low, high = limits[valid]
        ax.set_ylim(factor * low, factor * high)
        ax.set_xlim(0.5, last + 0.5)
        nice(ax, "y", ticks=4)
        nice(ax, "x", ticks=5, whole=True, grid=False)
        bare(ax, "bottom")
        if row == 0:
            ax.tick_params(labelbottom=False)
        else:
            ax.set_xlabel("epoch")
    return sheet


def grid(
    entries: Sequence[tuple[str, str, Sequence[tuple[Epochs, int | None]], bool]],
    others: Sequence[Trial],
    score: str,
    desc: str,
) -> Grid:
    """Small multiples on shared axes. Entries: (id, title, lines, whether it stopped before its budget)."""
    histories = [h for _, _, lines, _ in entries for h, _ in lines]
    valid = f"val_{score}"
    limits = {
        valid: _limits(histories, (valid, "accuracy") if score == "accuracy" else (valid,)),
        "val_loss": _limits(histories, ("val_loss", "loss")),
    }
    bands = {key: _band(others, key) for key in (valid, "val_loss")}
    for name, (_, low, high) in bands.items():
        if len(low) > 1:
            limits[name] = min([limits[name][0], *low]), max([limits[name][1], *high])
    last = max((row["epoch"] for h in histories for row in h if "epoch" in row), default=1.0)
    figures: list[Figure] = [
        drawn(
            # mypy infers no type for a lambda with defaults
            lambda w, t=title, one=lines, s=stopped: _panels(  # type: ignore[misc]
                t, one, limits, bands, last, w, score, score == "accuracy", s
            ),
            id=f"curves-{id}",
            title=f"Learning curves of {title}",
            desc=desc,
            both=False,
            width=PANEL,
            most=420,
        )
        for id, title, lines, stopped in entries
    ]
    return Grid(tuple(figures))


def key(band: bool, marks: bool) -> Key:
    entries = [
        (glyph('<path d="M2 6H26" style="stroke:var(--single);stroke-width:2;fill:none"/>'), "validation"),
        (
            glyph('<path d="M2 6H26" style="stroke:var(--axis);stroke-width:2;stroke-dasharray:5 3;fill:none"/>'),
            "training",
        ),
        (glyph('<circle cx="14" cy="6" r="4" style="fill:var(--single)"/>'), "best epoch"),
    ]
    if marks:
        entries += [
            (glyph('<path d="M9 2H19L14 10Z" style="fill:var(--warning)"/>'), "learning rate dropped"),
            (glyph('<path d="M14 0V12" style="stroke:var(--ink);fill:none"/>'), "stopped early"),
        ]
    if band:
        entries.append((glyph('<path d="M2 2H26V10H2Z" style="fill:var(--grid)"/>'), "10 to 90 % of the other trials"))
    return Key(tuple(entries))


def told_at(history: Epochs, name: str, at: int | None) -> Cell:
    """What an epoch's record says, to three digits."""
    row = next((r for r in history if r.get("epoch") == at), None)
    value = row.get(name) if row else None
    return cell(number(value, 3), value if known(value) else None)
