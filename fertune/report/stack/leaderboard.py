"""``leaderboard`` of a stack: its members by out-of-fold score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fertune.report.blocks import Column, Row, Section, Table, cell, empty
from fertune.report.stack.rows import Compared
from fertune.report.words import count, gap, known, line, number, percent, plain, short, telling
from fertune.store.records import StackRecord

HEADING = "Members, by out-of-fold score"


def standing(members: Sequence[Mapping[str, Any]], c: Compared | None) -> list[tuple[Mapping[str, Any], float | None]]:
    """(member, out-of-fold accuracy), best first; those without one last, in their own order."""
    scores = {r["name"]: r.get("oof_accuracy") for r in (c.rows if c else ())}
    pairs = [(m, scores.get(m["name"]) if known(scores.get(m["name"])) else None) for m in members]
    return sorted(pairs, key=lambda p: (p[1] is None, -(p[1] or 0.0)))


@telling
def finding(order: Sequence[tuple[Mapping[str, Any], float | None]], rows: int | None) -> str:
    told = [(m, s) for m, s in order if s is not None]
    if not told:
        return "No member has an out-of-fold score yet."
    lead, score = told[0]
    words = f"{short(lead['name'])} reads {percent(score)} of {number(rows)} rows right out of fold"
    if len(told) == 1:
        return f"{words}; it is the only member."
    last, low = told[-1]
    more = gap((score or 0.0) - (low or 0.0))
    return f"{words}, {more} points more than the last of {number(len(told))}, {short(last['name'])}."


def section(record: StackRecord, c: Compared | None) -> Section:
    members = record.info.get("members", ())
    if not members:
        return empty("leaderboard", HEADING, "This stack recorded no members.", "fertune stack RUN")
    order = standing(members, c)
    text = finding(order, c.raw.get("n_oof") if c else None)
    rows = []
    for rank, (m, score) in enumerate(order):
        params = ", ".join(f"{short(k, 24)} {short(plain(v), 16)}" for k, v in (m.get("params") or {}).items())
        rows.append(
            Row(
                (
                    cell(str(rank + 1), rank + 1),
                    cell(short(m["name"], 40), m["name"], strong=rank == 0),
                    cell(percent(score), score),
                    cell(
                        percent(m.get("search_score")) if _share(m) else number(m.get("search_score"), 3),
                        m.get("search_score"),
                    ),
                    cell(short(line(m.get("run", "-")), 30)),
                    cell(str(m.get("trial", "-"))),
                    cell(params or "-"),
                )
            )
        )
    columns = (
        Column("rank", True),
        Column("member"),
        Column("out-of-fold", True),
        Column("search score", True, 2, "optimistic: chosen on the rows that it was measured on"),
        Column("run", priority=2),
        Column("trial", True, 2),
        Column("parameters", priority=2),
    )
    told = count(len(members), "member")
    how = (
        f"{told}. Out-of-fold: each row predicted by a model that never saw it. The search score is "
        "optimistic, since it chose the trial."
    )
    return Section(
        "leaderboard",
        HEADING,
        text,
        "full" if c else "thin",
        (Table(columns, tuple(rows), "Members of the stack", sortable=True),),
        how,
    )


def _share(m: Mapping[str, Any]) -> bool:
    return bool(m.get("objective", "val_accuracy") == "val_accuracy")
