"""``comparison``: against the best single model, row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from fertune.report.blocks import Cell, Column, Key, Row, Section, Table, cell, empty
from fertune.report.canvas import drawn
from fertune.report.reading import resume_of
from fertune.report.stack.forest import forest
from fertune.report.stack.glyphs import role_key
from fertune.report.stack.rows import FEW_DISCORDANT, Compared, states
from fertune.report.words import SPACE, count, duration, known, number, p_value, percent, points, short, telling, verb
from fertune.store.records import StackRecord

HEADING = "Comparison"


@telling
def finding(c: Compared) -> str:
    """How many rows beat the best single, how many are worse, how many show no difference; and the trivial answer."""
    majority = c.raw.get("majority")
    trivial = f"; always answering the most frequent class would score {percent(majority)}" if known(majority) else ""
    n = number(c.raw.get("n_test"))
    if not c.tested:
        return "No labelled test rows: nothing is compared on rows that nobody chose on."
    found = Counter(states(c))
    others = len(c.rows) - found["reference"] - found["unknown"]
    if others < 1:
        return f"There is one row only, so there is nothing to compare it with{trivial}."
    parts = []
    better, worse, tie = found["better"], found["worse"], found["tie"] + found["same"]
    whole, single = count(others, "row"), "the best single model"
    if others == 1 and (better or worse):
        return f"The other row {'beats' if better else 'is worse than'} {single} beyond chance{trivial}."
    if better:
        parts.append(f"{number(better)} of {whole} {verb(better, 'beats', 'beat')} {single} beyond chance")
    if worse:
        form = verb(worse, "is", "are")
        start = f"{number(worse)} {form} worse"
        parts.append(start if better else f"{number(worse)} of {whole} {form} worse than {single} beyond chance")
    if tie and parts:
        parts.append(f"{number(tie)} {verb(tie, 'shows', 'show')} no difference")
    elif tie:
        start = "The other row shows no difference" if others == 1 else f"None of {whole} shows a difference"
        parts.append(f"{start} to {single} that these {n} test pictures can tell from chance")
    words = ", ".join(parts)
    return f"{words[0].upper()}{words[1:]}{trivial}."


def contract_table(c: Compared) -> Table:
    """The rows of the JSON contract."""
    tested = c.tested
    few = any(known(r.get("gained")) and r["gained"] + r["lost"] < FEW_DISCORDANT for r in c.rows)
    columns = [Column("model"), Column("role", priority=2)]
    if tested:
        columns += [
            Column("accuracy", True),
            Column("95 % interval", True, 2),
            Column("difference, points", True),
            Column("95 % interval", True, 2),
            Column("p", True, 3, "exact McNemar"),
            Column("p, Holm", True, 2, "corrected over the table"),
            Column("gained", True, 3),
            Column("lost", True, 3),
            Column("macro-F1", True, 2),
            Column("log loss", True, 2),
        ]
    columns += [Column("out-of-fold", True), Column("training", True, 2), Column("prediction", True, 3)]
    rows = []
    for r in c.rows:
        pinned = r["name"] in (c.raw.get("best_single"), c.raw.get("chosen"))
        cells: list[Cell] = [cell(short(r["name"], 40), r["name"], strong=pinned), cell(r["role"])]
        if tested:
            reference = r["name"] == c.raw.get("best_single")
            cells += [
                cell(percent(r.get("accuracy")), r.get("accuracy")),
                cell(_span(r.get("accuracy_low"), r.get("accuracy_high"), percent), r.get("accuracy_low")),
                cell(
                    "reference" if reference else points(r.get("difference")),
                    None if reference else r.get("difference"),
                ),
                cell(
                    "" if reference else _span(r.get("difference_low"), r.get("difference_high"), points),
                    r.get("difference_low"),
                ),
                cell("" if reference else p_value(r.get("p_value")), r.get("p_value")),
                cell("" if reference else p_value(r.get("p_holm")), r.get("p_holm")),
                cell("" if reference else number(r.get("gained")), r.get("gained")),
                cell("" if reference else number(r.get("lost")), r.get("lost")),
                cell(number(r.get("macro_f1"), 3), r.get("macro_f1")),
                cell(number(r.get("log_loss"), 3), r.get("log_loss")),
            ]
        cells += [
            cell(percent(r.get("oof_accuracy")), r.get("oof_accuracy")),
            cell(duration(r.get("seconds")), r.get("seconds")),
            cell(duration(r.get("predict_seconds")), r.get("predict_seconds")),
        ]
        rows.append(Row(tuple(cells)))
    caption = (
        f"{count(int(c.raw['n_test']), 'labelled test row')}, read once; gained and lost: pictures that only this "
        "row, or only the best single model, reads right"
        if tested
        else "Out-of-fold figures: models were chosen on these rows"
    )
    return Table(
        tuple(columns), tuple(rows), caption + (". Under 40 such pictures p is coarse" if few else ""), sortable=True
    )


def _span(low: float | None, high: float | None, say: Callable[[float | None], str]) -> str:
    return f"{say(low)} to {say(high)}".replace(f"{SPACE}% to", " to") if known(low) and known(high) else "-"


def section(record: StackRecord, c: Compared | None) -> Section:
    if c is None or not c.rows:
        return empty(
            "comparison",
            HEADING,
            "Nothing is compared yet: the stack has not come to its end.",
            resume_of(record),
        )
    text = finding(c)
    table = contract_table(c)
    if not c.tested:
        rows = number(c.raw.get("n_oof"))
        how = f"Out-of-fold figures on {rows} rows: models were chosen on them, so they are optimistic."
        return Section("comparison", HEADING, text, "thin", (table,), how, chips=("out of fold",))
    if len(c.rows) < 2:
        return Section("comparison", HEADING, text, "thin", (table,))
    shown = drawn(
        lambda w: forest(c, w),
        id="comparison",
        title="Forest plot of accuracy and paired differences",
        desc=text,
        most=480,
    )
    predictor = c.raw.get("predictor")
    how = (
        "Left shows size, right decides: the 95 % interval of the difference on the same pictures, copies of one "
        "picture resampled together."
    )
    if predictor:
        how += f" Every row uses one member predictor: the {predictor}."
    how += (
        " Hollow marker: no difference shown. The chosen stack's follows its interval, since this one pair was settled "
        "before a test label was read; every other row needs p under 0.05 too, by McNemar's exact test with Holm's "
        "correction over the table."
    )
    if known(c.raw.get("verdict", {}).get("detectable")):
        how += " Shaded: differences that these rows would likely miss (80 % power)."
    if any(r.get("without_twins") and known(r["without_twins"].get("difference")) for r in c.rows):
        n = next(r["without_twins"]["n"] for r in c.rows if r.get("without_twins"))
        how += f" Thin grey line below: the same without copies of training pictures ({number(n)} rows)."
    key: Key = role_key(c)
    return Section("comparison", HEADING, text, "full", (key, shown, table), how)
