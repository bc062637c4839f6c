"""What stands on the terminal when a stack has ended: the verdict, the comparison, the report's command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from fertune.console.commands import Next, next_lines, shown_path, words
from fertune.console.screen import Screen
from fertune.console.summary import failure_lines
from fertune.console.table import Column, draw, fits
from fertune.console.text import count, duration, p_text, percent, points
from fertune.evaluation.verdict import cost_sentence, twins_sentence

MARKS = {"single": "●", "variant": "▲", "average": "■", "meta": "◆"}
SHORT_NAME = 12


def stack_summary(screen: Screen, record: Any) -> list[Text]:
    """Verdict, table, what the numbers mean, and the next command. ``record`` is a ``StackRecord``."""
    comparison: Mapping[str, Any] | None = record.comparison
    n = len(record.fold_runs)
    done = sum(str(r.state) == "completed" for r in record.fold_runs)
    if comparison is None:
        verb = {"running": "Stack running", "interrupted": "Interrupted"}.get(record.status, "Stack ended early")
        lines = screen.fold(
            screen.text(f"{verb}: {done} of {count(n, 'model')} trained in {duration(record.seconds)}", "bold"), "  "
        )
        if record.reason and record.reason != "interrupted":
            lines += screen.fold(screen.text(f"Ended: {record.reason}"), "  ")
    else:
        lines = screen.fold(screen.text(str(comparison["verdict"]["sentence"]), "bold"), "  ")
        lines += [part for text in _sentences(comparison) for part in screen.fold(screen.text(text), "  ")]
        lines += comparison_table(screen, comparison)
        lines += [part for text in _caption(comparison, record.note) for part in screen.fold(screen.text(text), "  ")]
        lines += screen.fold(screen.text(f"Stack finished: {count(done, 'model')} in {duration(record.seconds)}"), "  ")
    lines += _failures(screen, record)
    return [*lines, *next_lines(screen, _next(record))]


def _next(record: Any) -> list[Next]:
    path = shown_path(record.folder)
    if record.status == "running":
        return [(["fertune", "show", path], "look again")]
    commands: list[Next] = []
    if record.status == "interrupted" or record.comparison is None:
        resume = words(str(record.info.get("resume") or f"fertune stack --out {path} --resume"))
        commands.append((resume, "go on; finished folds are kept"))
    if record.comparison is not None:
        commands.append((["fertune", "report", path, "-o", "report.html"], "pictures, classes, members, cost"))
    return commands


def comparison_table(screen: Screen, comparison: Mapping[str, Any]) -> list[Text]:
    """The table of rows against the best single; without test labels, out-of-fold accuracy instead."""
    rows = comparison["rows"]  # reference, chosen, then by role: an order that no test number can change
    reference, chosen = comparison.get("best_single"), comparison.get("chosen")
    first = next((r for r in rows if r["name"] == reference), None)
    marks = [screen.text(MARKS.get(r["role"], " ") + " ") for r in rows]
    full = [
        _named(screen, mark, r, {reference: " (reference)", chosen: " (chosen stack)"}.get(r["name"], ""))
        for mark, r in zip(marks, rows, strict=True)
    ]
    name = Column("model", full, "left")
    brief = Column("model", [_named(screen, m, r, "") for m, r in zip(marks, rows, strict=True)], "left", SHORT_NAME)
    times = [_times(r, first) for r in rows]
    time = Column("time", [screen.text(t) for t in times])
    if all(r.get("accuracy") is None for r in rows):
        oof = Column("out-of-fold", [screen.text(_share(r.get("oof_accuracy"))) for r in rows])
        choices = [[name, oof, time], [brief, oof, time], [brief, oof]]
    else:
        accuracy = Column("accuracy %", [screen.text(_share(r.get("accuracy"))) for r in rows])
        ranged = Column("accuracy %", [screen.text(_accuracy(r)) for r in rows])
        gain = Column("points", [screen.text(_gain(r, reference)) for r in rows])
        holm = any(r.get("p_holm") is not None for r in rows)
        p = Column(
            "p",
            [
                screen.text("" if r["name"] == reference else p_text(r.get("p_holm" if holm else "p_value")))
                for r in rows
            ],
        )
        choices = [
            [name, ranged, gain, p, time],
            [name, accuracy, gain, p, time],
            [brief, accuracy, gain, p, time],
            [brief, accuracy, gain, p],
            [brief, accuracy, gain],
            [brief, gain],
        ]
    columns = next((c for c in choices if fits(screen, c)), choices[-1])
    lines = draw(screen, columns)
    if columns[0] is brief:
        lines += screen.fold(screen.text(f"reference: {reference}; chosen stack: {chosen}"), "  ")
    return lines


def _named(screen: Screen, mark: Text, row: Mapping[str, Any], behind: str) -> Text:
    return mark.copy().append_text(screen.text(row["name"])).append(behind)


def _share(fraction: float | None) -> str:
    return "-" if fraction is None else percent(fraction)


def _accuracy(row: Mapping[str, Any]) -> str:
    interval = _range(row.get("accuracy_low"), row.get("accuracy_high"), percent)
    return f"{_share(row.get('accuracy'))} {interval}".rstrip()


def _range(low: float | None, high: float | None, form: Any) -> str:
    return "" if low is None or high is None else f"[{form(low)}, {form(high)}]"


def _gain(row: Mapping[str, Any], reference: str | None) -> str:
    if row["name"] == reference:
        return "reference"
    if row.get("difference") is None:
        return "-"
    if row.get("gained") == 0 and row.get("lost") == 0:
        return "same predictions"
    interval = _range(row.get("difference_low"), row.get("difference_high"), points)
    return f"{points(row['difference'])} {interval}".rstrip()


def _times(row: Mapping[str, Any], reference: Mapping[str, Any] | None) -> str:
    if not row.get("seconds"):
        return "-"
    if reference is None or not reference.get("seconds"):
        return duration(row["seconds"])
    ratio = row["seconds"] / reference["seconds"]
    return f"{ratio:.1f}x" if ratio < 100 else f"{ratio:.0f}x"


def _sentences(comparison: Mapping[str, Any]) -> list[str]:
    """Cost, then twins, then what was left out."""
    rows = {r["name"]: r for r in comparison["rows"]}
    chosen, single = rows.get(comparison.get("chosen")), rows.get(comparison.get("best_single"))
    out = []
    if chosen is not None and single is not None:
        cost = cost_sentence(chosen.get("seconds") or 0.0, single.get("seconds") or 0.0)
        out += [f"Cost: {cost.rstrip('.')}"] if cost else []
    verdict = comparison["verdict"]
    twins = twins_sentence(verdict["kind"], comparison.get("n_test_twins") or 0, (chosen or {}).get("without_twins"))
    if twins and twins not in verdict["sentence"]:
        out.append(twins.rstrip("."))
    out += [f"Left out: {entry['name']}: {entry['reason']}" for entry in comparison.get("left_out") or ()]
    return out


def _caption(comparison: Mapping[str, Any], note: str | None) -> list[str]:
    """What each column is measured on, and what to think of it."""
    rows = comparison["rows"]
    out = []
    if any(r.get("accuracy") is not None for r in rows):
        holm = ", Holm's correction over the table" if any(r.get("p_holm") is not None for r in rows) else ""
        on = count(int(comparison.get("n_test") or 0), "test picture")
        out.append(
            f"accuracy on {on} and paired points against the reference, each with its 95 % interval; "
            f"p: exact McNemar{holm}"
        )
    elif any(r.get("oof_accuracy") is not None for r in rows):
        out.append(
            f"out-of-fold accuracy in % on {count(int(comparison.get('n_oof') or 0), 'row')}; "
            "what was chosen was chosen on these rows, so it is optimistic"
        )
    if note is not None:
        out.append(note)
    if comparison.get("predictor"):
        out.append(f"each row predicts with the same kind of member: {comparison['predictor']}")
    single = next((r for r in rows if r["name"] == comparison.get("best_single")), None)
    if single is not None and single.get("seconds"):
        out.append(f"time: training; 1.0x is {duration(single['seconds'])}")
    if comparison.get("majority") is not None:
        out.append(f"always answering the most frequent class would score {percent(comparison['majority'])} %")
    return out


def _failures(screen: Screen, record: Any) -> list[Text]:
    failed = [(f"{r.member}, {r.kind} {r.fold}", r.failure) for r in record.fold_runs if r.failure is not None]
    if not failed:
        return []
    head = screen.text(f"{count(len(failed), 'model')} could not be trained", "red")
    return [*screen.fold(head, "  "), *failure_lines(screen, failed)]
