"""``cost``: worth it?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.lines import Line2D

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, drawn, fixed_ticks, nice, time_ticks, widened
from fertune.report.reading import resume_of
from fertune.report.stack.glyphs import role_key
from fertune.report.stack.rows import SHAPES, Compared, cost, missing
from fertune.report.stack.rows import Row as Record
from fertune.report.theme import HEX
from fertune.report.words import (
    duration,
    fitted,
    known,
    listed,
    number,
    percent,
    points,
    short,
    telling,
    times,
)
from fertune.report.words import (
    ratio as how_often,
)
from fertune.store.records import StackRecord

HEADING = "Cost"


def pareto(pairs: Sequence[tuple[float, float]]) -> list[int]:
    """Indices of points that no other beats on both (less cost, more accuracy), cheapest first."""
    best, out = float("-inf"), []
    for i in sorted(range(len(pairs)), key=lambda i: (pairs[i][0], -pairs[i][1])):
        if pairs[i][1] > best:
            best = pairs[i][1]
            out.append(i)
    return out


@telling
def finding(c: Compared) -> str:
    single, chosen = c.single, c.chosen
    ratio = cost(chosen, single)
    if single is None or chosen is None or ratio is None:
        return "The training time of the stack or of the best single model is not recorded."
    if c.tested:
        gain = f"{points(chosen['difference'])} points"
    else:
        gap = (chosen.get("oof_accuracy") or 0.0) - (single.get("oof_accuracy") or 0.0)
        gain = f"{points(gap)} points out of fold"
    more = f"{how_often(ratio)} times the training time of the best single model"
    words = f"{gain} for {more}" if ratio >= 1.05 else f"{gain} for the same training time as the best single model"
    a, b = chosen.get("predict_seconds"), single.get("predict_seconds")
    if known(a) and known(b) and b > 0:
        words += f", and {how_often(a / b)} times its prediction time"
    return f"{words}."


def _spread(ys: list[float], least: float) -> list[float]:
    """Heights of labels, moved apart so that none lies on another."""
    order = sorted(range(len(ys)), key=lambda i: ys[i])
    out = list(ys)
    for _ in range(60):
        for a, b in zip(order, order[1:], strict=False):
            lack = least - (out[b] - out[a])
            if lack > 1e-9:
                out[a] -= lack / 2
                out[b] += lack / 2
    return out


def _panel(
    sheet: Sheet, box: tuple[float, float, float, float], rows: Sequence[Record], field: str, score: str, label: str
) -> None:
    x0, y0, w, h = box
    names = 128
    ax = sheet.panel(x0, y0, w - names, h)
    pairs = [(float(r[field]), 100 * float(r[score])) for r in rows]
    low, high = min(p[0] for p in pairs), max(p[0] for p in pairs)
    bottom, top = widened(min(p[1] for p in pairs), max(p[1] for p in pairs), 1.0, 0.1)
    ax.set_xscale("log")
    ax.set_xlim(low / 1.4, high * 1.4)
    ax.set_ylim(bottom, top)
    front = pareto(pairs)
    ax.plot([pairs[i][0] for i in front], [pairs[i][1] for i in front], color=HEX["grid"], linewidth=2)
    ticks = time_ticks(low / 1.4, high * 1.4, 4 if w > 360 else 3)
    fixed_ticks(ax, "x", ticks, [duration(t).replace(".0", "") for t in ticks])
    nice(ax, "y", ticks=5)
    ax.set_xlabel(label)
    to_px = [y0 + h * (1 - (p[1] - bottom) / (top - bottom)) for p in pairs]
    at = _spread(to_px, 16)
    for i, row in enumerate(rows):
        mark = ax.plot(
            [pairs[i][0]],
            [pairs[i][1]],
            SHAPES.get(row["role"], "o"),
            markersize=8,
            color=HEX[row["role"]] if row["role"] in SHAPES else HEX["axis"],
        )[0]
        sheet.tip(mark, f"{row['name']}: {number(pairs[i][1], 1)} %, {duration(pairs[i][0])}")
        x_px = x0 + (w - names) * _log_share(pairs[i][0], low / 1.4, high * 1.4)
        edge = x0 + w - names + 8
        _leader(sheet, x_px + 7, to_px[i], edge, at[i])
        sheet.text(
            edge + 3,
            at[i],
            fitted(row["name"], 114, 11.5),
            color=HEX["ink"] if i in front else HEX["muted"],
            fontsize=11.5,
            fontweight="bold" if i in front else "normal",
        )


def _log_share(x: float, low: float, high: float) -> float:
    return (math.log(x) - math.log(low)) / (math.log(high) - math.log(low))


def _leader(sheet: Sheet, x: float, y: float, to_x: float, to_y: float) -> None:
    sheet.drawing.add_artist(
        Line2D(
            [x / sheet.width, (to_x - 4) / sheet.width, to_x / sheet.width],
            [1 - y / sheet.height, 1 - to_y / sheet.height, 1 - to_y / sheet.height],
            color=HEX["grid"],
            linewidth=0.8,
            transform=sheet.drawing.transFigure,
        )
    )


def figure(c: Compared, width: int) -> Sheet:
    score = "accuracy" if c.tested else "oof_accuracy"
    panels = []
    for field, label in (("seconds", "training time"), ("predict_seconds", "time to predict the test rows")):
        rows = [r for r in c.rows if known(r.get(field)) and r[field] > 0 and known(r.get(score))]
        if rows:
            panels.append((field, label, rows))
    narrow = width < 600
    tall = max(220, 17 * max(len(p[2]) for p in panels) + 20)
    sheet = Sheet(width, (tall + 84) * len(panels) if narrow else tall + 74)
    for i, (field, label, rows) in enumerate(panels):
        x, y = (36, (tall + 84) * i + 24) if narrow else (36 + i * 450, 24)
        sheet.text(x, y - 14, f"{'test' if c.tested else 'out-of-fold'} accuracy, %", color=HEX["muted"])
        _panel(sheet, (x, y, width - 40 if narrow else 410, tall), rows, field, score, label)
    return sheet


def section(record: StackRecord, c: Compared | None) -> Section:
    score = "accuracy" if c is not None and c.tested else "oof_accuracy"
    if c is None or not any(known(r.get("seconds")) and r["seconds"] > 0 and known(r.get(score)) for r in c.rows):
        return empty("cost", HEADING, "No times are recorded beside scores yet.", resume_of(record))
    text = finding(c)
    shown = drawn(lambda w: figure(c, w), id="cost", title="Accuracy against time", desc=text)
    rows = tuple(
        Row(
            (
                cell(short(r["name"], 40), r["name"]),
                cell(percent(r.get(score)), r.get(score)),
                cell(duration(r.get("seconds")), r.get("seconds")),
                cell(times(cost(r, c.single))),
                cell(duration(r.get("predict_seconds")), r.get("predict_seconds")),
            )
        )
        for r in c.rows
    )
    table = Table(
        (
            Column("model"),
            Column("accuracy", True),
            Column("training", True),
            Column("of the best single", True),
            Column("prediction", True),
        ),
        rows,
        "Accuracy and time of each row",
    )
    how = (
        "Up and to the left is better. The grey line joins the rows that no other beats on both; their names are bold."
    )
    if any(line["event"] == "fold_told" and "origin" in line for line in record.lines):
        how += " Folds that a search had trained already count with the seconds that they took there."
    unknown = missing(c.rows, "predict_seconds")
    if unknown:
        how += f" Prediction time not measured: {listed([short(n) for n in unknown], most=4)}."
    return Section("cost", HEADING, text, "full", (role_key(c), shown), how, table)
