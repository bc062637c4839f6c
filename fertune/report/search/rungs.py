"""``rungs``: did early scores predict late ones?"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.canvas import Sheet, bare, drawn, fixed_ticks, nice
from fertune.report.reading import Score, rank_correlation, score_of
from fertune.report.search.parallel import LINES, chosen_lines
from fertune.report.theme import HEX
from fertune.report.words import count, line, listed, number, telling
from fertune.store.records import SearchRecord
from fertune.trial import Rung, Trial

HEADING = "Rungs and promotions"
ENOUGH = 5


def unit_of(trials: Sequence[Trial]) -> str:
    """What rungs give more of: ``epochs``, ``% of the rows`` or ``px``."""
    rungs = [r for t in trials for r in t.rungs]
    if any(r.share < 1 for r in rungs):
        return "% of the rows"
    return "px" if any(r.side is not None for r in rungs) else "epochs"


def step_of(rung: Rung, unit: str, side: int = 0) -> int:
    """How much of the unit a rung gave; ``side`` is that of the pictures themselves."""
    if unit == "px":
        return rung.side or side
    return rung.budget if unit == "epochs" else round(100 * rung.share)


def ladders(trials: Sequence[Trial], side: int = 0) -> dict[int, dict[int, float]]:
    """Trial -> {how much was given: score at the end of that rung}, those with any score."""
    unit = unit_of(trials)
    found = {t.id: {step_of(r, unit, side): r.value for r in t.rungs if r.value is not None} for t in trials}
    return {i: ladder for i, ladder in found.items() if ladder}


def given(n: int, unit: str) -> str:
    """``"3 epochs"``, ``"33 % of the rows"``."""
    return count(n, "epoch") if unit == "epochs" else f"{number(n)} {unit}"


def agreements(paths: dict[int, dict[int, float]]) -> list[tuple[int, int, int, float | None]]:
    """(lower budget, higher budget, trials that have both, rank correlation or None) for neighbouring budgets."""
    budgets = sorted({b for ladder in paths.values() for b in ladder})
    out = []
    for low, high in zip(budgets, budgets[1:], strict=False):
        both = [(p[low], p[high]) for p in paths.values() if low in p and high in p]
        rho = rank_correlation([a for a, _ in both], [b for _, b in both]) if len(both) >= ENOUGH else None
        out.append((low, high, len(both), rho))
    return out


@telling
def finding(paths: dict[int, dict[int, float]], unit: str = "epochs") -> str:
    steps = agreements(paths)
    known = [s for s in steps if s[3] is not None]
    promoted = sum(1 for p in paths.values() if len(p) > 1)
    if not promoted:
        if len(paths) == 1:
            return "The only trial was not trained further than its first rung."
        return f"None of {count(len(paths), 'trial')} was trained further than its first rung."
    if not known:
        return (
            f"{count(promoted, 'trial was', 'trials were')} promoted: fewer than {number(ENOUGH)} at one step, "
            "too few to say whether early scores predict late ones."
        )
    parts = [
        f"{number(low)} and {number(high)} {unit} agrees at rank correlation {number(rho, 2)}"
        for low, high, _, rho in known
    ]
    numbers = listed([number(n) for _, _, n, _ in known])
    respectively = ", respectively" if len(known) > 1 else ""
    return f"Of {numbers} promoted trials the order at {listed(parts)}{respectively}."


def figure(paths: dict[int, dict[int, float]], score: Score, width: int, unit: str = "epochs") -> Sheet:
    narrow = width < 600
    sheet = Sheet(width, 322)
    ax = sheet.panel(46, 30, (width - 60) if narrow else 620, 250)
    sheet.text(46, 10, score.axis, color=HEX["muted"])
    budgets = sorted({b for ladder in paths.values() for b in ladder})
    place = {b: i for i, b in enumerate(budgets)}
    shown = dict(chosen_lines(sorted(paths.items(), key=lambda item: (-len(item[1]), item[0]))))
    for trial, ladder in sorted(shown.items(), key=lambda item: len(item[1])):
        xs, ys = [place[b] for b in sorted(ladder)], [score.plot(ladder[b]) for b in sorted(ladder)]
        far = len(ladder) > 1
        artist = ax.plot(
            xs,
            ys,
            "-o",
            color=HEX["single"] if far else HEX["axis"],
            linewidth=(0.8 if len(shown) > 60 else 1.8) if far else 1,
            markersize=3 if len(shown) > 60 else 5,
            markerfacecolor=HEX["single"] if far else HEX["page"],
            markeredgecolor=HEX["single"] if far else HEX["axis"],
        )[0]
        sheet.tip(
            artist,
            f"trial {trial}: " + ", ".join(f"{score.text(ladder[b])} at {given(b, unit)}" for b in sorted(ladder)),
            trial,
        )
    fixed_ticks(ax, "x", list(place.values()), [str(b) for b in budgets])
    ax.set_xlim(-0.25, len(budgets) - 0.75)
    ax.set_xlabel(f"{unit} given, in equal steps")
    nice(ax, "y", ticks=5)
    bare(ax, "left", "bottom")
    return sheet


def section(record: SearchRecord) -> Section:
    shape = record.info.get("data", {}).get("shape") or [0]
    unit, score = unit_of(record.trials), score_of(record)
    paths = ladders(record.trials, shape[0])
    budgets = sorted({b for ladder in paths.values() for b in ladder})
    space = record.info.get("space", {}).get("name", "SPACE")
    if len(budgets) < 2:
        same = f"All trials were given the same {given(budgets[0], unit)}" if budgets else "No trial has a score"
        return empty(
            "rungs",
            HEADING,
            f"{same}, so there are no rungs to compare.",
            f"fertune search --space {shlex.quote(line(space))} --tuner hyperband",
            "trains many for a short time, few for long",
        )
    text, extra = finding(paths, unit), ""
    shown = drawn(lambda w: figure(paths, score, w, unit), id="rungs", title="Score at each rung", desc=text, most=560)
    rows = tuple(
        Row((cell(str(trial), trial), *(cell(score.text(ladder.get(b)), ladder.get(b)) for b in budgets)), trial=trial)
        for trial, ladder in sorted(paths.items())[:LINES]
    )
    caption = "Score at the end of each rung"
    if len(paths) > LINES:
        caption += f", the first {LINES} of {number(len(paths))}"
        extra = f" {LINES} of {number(len(paths))} trials are drawn, promoted ones first."
    table = Table((Column("trial", True), *(Column(f"{b} {unit}", True) for b in budgets)), rows, caption)
    stopped = sum(1 for p in paths.values() if len(p) == 1)
    how = (
        f"Blue lines are trials that were promoted; the {number(stopped)} hollow grey dots were trained on one rung "
        "only. Lines that cross are early scores that misled."
        f"{extra}"
    )
    return Section("rungs", HEADING, text, "full", (shown,), how, table, ("optimistic",))
