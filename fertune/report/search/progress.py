"""``progress``: would more trials help?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, drawn, nice, widened
from fertune.report.reading import Score, failed, in_order, level, score_of, scored, top_level, where
from fertune.report.theme import HEX
from fertune.report.words import count, duration, number, plain, telling, verb
from fertune.store.records import SearchRecord
from fertune.trial import Objective, Trial

HEADING = "Progress"
BAND_FROM = 300
MOST_ROWS = 200


def leading(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """Trials of the highest budget that were best when they ended, in that order."""
    top, best, out = top_level(trials), objective.worst, []
    for t in in_order(scored(trials)):
        if level(t) == top and objective.better(t.value or 0.0, best):
            best = t.value or 0.0
            out.append(t)
    return out


def since(trials: Sequence[Trial], objective: Objective) -> tuple[Trial, int, float]:
    """The last that improved; how many ended after it, failed ones too; their seconds."""
    last = leading(trials, objective)[-1]
    ended = in_order(t for t in trials if t.ended is not None)
    after = ended[ended.index(last) + 1 :] if last in ended else []
    return last, len(after), sum(t.seconds for t in after)


@telling
def finding(trials: Sequence[Trial], score: Score) -> str:
    last, after, seconds = since(trials, score.objective)
    if len(scored(trials)) < 3:
        return f"Only {count(len(scored(trials)), 'trial')} with a score: too few to say whether more would help."
    top = top_level(trials)
    several = len({level(t) for t in scored(trials)}) > 1
    kind = f"Among trials given {count(top[-1], 'epoch')}, the" if several else "The"
    if after == 0:
        name = plain(last.id)
        return f"{kind} best came with the last trial that ended, trial {name}: the search was still improving."
    return (
        f"{kind} best came at trial {plain(last.id)}; the {count(after, 'trial')} that ended after it "
        f"({duration(seconds)}) brought nothing better."
    )


def band(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float], list[float]]:
    """(x, 10 % quantile, 90 % quantile) over runs of neighbours, at most forty of them."""
    ordered = sorted(points)
    size = max(10, math.ceil(len(ordered) / 40))
    out: tuple[list[float], list[float], list[float]] = ([], [], [])
    for start in range(0, len(ordered), size):
        part = ordered[start : start + size]
        values = sorted(y for _, y in part)
        out[0].append(part[len(part) // 2][0])
        out[1].append(values[round(0.1 * (len(values) - 1))])
        out[2].append(values[round(0.9 * (len(values) - 1))])
    return out


def _dots(ax: Axes, sheet: Sheet, trials: Sequence[Trial], score: Score, x_of: dict[int, float]) -> None:
    """One dot a trial, hollow below the highest budget; a tick on the floor for each failed one."""
    top = top_level(trials)
    for t in scored(trials):
        face = HEX["axis"] if level(t) == top else HEX["page"]
        mark = ax.plot(
            [x_of[t.id]], [score.plot(t.value or 0.0)], "o", markerfacecolor=face, markeredgecolor=HEX["axis"]
        )[0]
        sheet.tip(mark, f"trial {t.id}: {score.text(t.value)} at {count(t.epochs, 'epoch')}", t.id)
    for t in failed(trials):
        if t.id in x_of:
            tick = ax.axvline(x_of[t.id], 0, 0.05, color=HEX["wrong"], linewidth=2)
            sheet.tip(tick, f"trial {t.id}: failed", t.id)


def _panel(
    sheet: Sheet,
    box: tuple[float, float, float, float],
    trials: Sequence[Trial],
    score: Score,
    x_of: dict[int, float],
    label: str,
) -> None:
    ax = sheet.panel(*box)
    fine, top = scored(trials), top_level(trials)
    values = [score.plot(t.value or 0.0) for t in fine]
    low, high = widened(min(values), max(values), 1.0 if score.is_share else 0.01, 0.1)
    if len(fine) > BAND_FROM:
        xs_of_band, lower, upper = band([(x_of[t.id], score.plot(t.value or 0.0)) for t in fine if level(t) == top])
        ax.fill_between(xs_of_band, lower, upper, color=HEX["grid"], linewidth=0)
    else:
        _dots(ax, sheet, trials, score, x_of)
    best = leading(trials, score.objective)
    end = max(x_of.values())
    xs = [x_of[t.id] for t in best] + [end]
    ys = [score.plot(t.value or 0.0) for t in best]
    ax.step(xs, [*ys, ys[-1]], where="post", color=HEX["single"], linewidth=2)
    ax.plot(xs[-2], ys[-1], "o", color=HEX["single"], markersize=8)
    right = (xs[-2] - min(x_of.values())) > 0.6 * (end - min(x_of.values()) or 1)
    up = score.objective.direction == "max"
    ax.annotate(
        f"best: trial {best[-1].id}",
        (xs[-2], ys[-1]),
        (-8 if right else 8, 8 if up else -14),
        textcoords="offset points",
        ha="right" if right else "left",
        color=HEX["ink"],
    )
    ax.set_ylim(low, high + (high - low) * 0.12 if up else high)
    if not up:
        ax.set_ylim(low - (high - low) * 0.12, high)
    spread = end - min(min(x_of.values()), 0)
    ax.set_xlim(min(x_of.values()) - 0.03 * spread - 1e-9, end + 0.03 * spread + 1e-9)
    ax.set_xlabel(label)
    nice(ax, "y", ticks=5)
    nice(ax, "x", ticks=5, grid=False, whole=label == "trial number")


def figure(trials: Sequence[Trial], score: Score, width: int) -> Sheet:
    """Score against trial number, and against minutes of training: two panels, one y scale."""
    narrow = width < 600
    sheet = Sheet(width, 552 if narrow else 292)
    numbers = {t.id: float(t.id) for t in trials if t.ended is not None or t.scored}
    minutes: dict[int, float] = {}
    passed = 0.0
    for t in in_order(t for t in trials if t.id in numbers):
        passed += t.seconds / 60
        minutes[t.id] = passed
    boxes = (
        [(46, 30, width - 56, 200), (46, 310, width - 56, 200)] if narrow else [(46, 30, 390, 220), (500, 30, 390, 220)]
    )
    sheet.text(46, 10, score.axis, color=HEX["muted"])
    _panel(sheet, boxes[0], trials, score, numbers, "trial number")
    if narrow:
        sheet.text(46, 290, score.axis, color=HEX["muted"])
    _panel(sheet, boxes[1], trials, score, minutes, "minutes of training, all trials added up")
    return sheet


def section(record: SearchRecord) -> Section:
    trials, score = record.trials, score_of(record)
    if not scored(trials):
        return empty(
            "progress",
            HEADING,
            "No trial has a score yet, so there is no progress to draw.",
            f"fertune search --out {where(record)} --resume",
        )
    text = finding(trials, score)
    rows = tuple(
        Row(
            (
                cell(str(t.id), t.id),
                cell(score.text(t.value), t.value),
                cell(number(t.budget), t.budget),
                cell(duration(t.seconds), t.seconds),
                cell(t.state.value),
            ),
            trial=t.id,
        )
        for t in in_order(t for t in trials if t.ended is not None or t.scored)
    )
    rows, many = rows[:MOST_ROWS], len(rows)
    table = Table(
        (
            Column("trial", True),
            Column(score.name, True),
            Column("budget", True),
            Column("time", True),
            Column("state"),
        ),
        rows,
        "Trials in the order in which they ended"
        + (f", the first {MOST_ROWS} of {number(many)}" if many > MOST_ROWS else ""),
    )
    if len(scored(trials)) < 3:
        return Section("progress", HEADING, text, "thin", numbers=table, chips=("optimistic",))
    drawn_all = len(scored(trials)) <= BAND_FROM
    lower = len({level(t) for t in scored(trials)}) > 1
    ticks = len(failed(trials))
    how = f"Dots are trials, the line is the best so far; {score.rows_text}, optimistic."
    if not drawn_all:
        how = "The line is the best so far, the band 10 to 90 % of neighbouring trials; "
        how += f"{score.rows_text}, optimistic."
        how += " Trials that were given fewer epochs are left out." if lower else ""
    elif lower:
        how += " Hollow dots were given fewer epochs and do not count for the line."
    if ticks and drawn_all:
        how += f" {verb(ticks, 'The red tick', 'Red ticks')} on the floor: failed."
    shown = drawn(
        lambda w: figure(trials, score, w), id="progress", title="Score of each trial, and best so far", desc=text
    )
    return Section("progress", HEADING, text, "full", (shown,), how, table, ("optimistic",))
