"""``failures`` of a stack: folds that failed, members that were left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from fertune.report.blocks import Block, Column, Row, Section, State, Table, cell
from fertune.report.search.failures import ADVICE, HEADING, counted, message
from fertune.report.words import count, listed, number, short, telling, without_paths
from fertune.store.records import FoldRun, StackRecord
from fertune.trial import FailureKind


@telling
def finding(runs: Sequence[FoldRun], left: Sequence[Mapping[str, Any]] = ()) -> str:
    """Which folds failed, and which members the comparison therefore lacks."""
    words = _folds(runs)
    return f"{words} Left out of the comparison: {listed([short(m['name']) for m in left])}." if left else words


def _folds(runs: Sequence[FoldRun]) -> str:
    bad = [r for r in runs if r.state == "failed"]
    ended = [r for r in runs if r.state != "running"]
    if not runs:
        return "No fold was trained, so none failed."
    if not bad:
        if len(ended) == 1:
            return "The only fold model did not fail."
        return f"None of {count(len(ended), 'fold model')} failed."
    kinds = Counter(r.failure.kind if r.failure else FailureKind.CRASHED for r in bad)
    words = listed([counted(kind, n) for kind, n in kinds.most_common()])
    members = listed(sorted({short(r.member) for r in bad}))
    return f"{number(len(bad))} of {count(len(ended), 'fold model')} failed ({words}), of {members}."


def section(record: StackRecord) -> Section:
    """Folds that failed, and members that were left out."""
    bad = [r for r in record.fold_runs if r.state == "failed"]
    left = (record.comparison or {}).get("left_out", ())
    text = finding(record.fold_runs, left)
    blocks: list[Block] = []
    if bad:
        blocks.append(
            Table(
                (Column("member"), Column("fold", True), Column("class"), Column("message"), Column("what to change")),
                tuple(
                    Row(
                        (
                            cell(short(r.member, 40), r.member),
                            cell(str(r.fold), r.fold),
                            cell(r.failure.kind.value if r.failure else "crashed"),
                            cell(message(r.failure)),
                            cell(ADVICE[r.failure.kind if r.failure else FailureKind.CRASHED]),
                        )
                    )
                    for r in bad
                ),
                "Folds that failed",
            )
        )
    if left:
        blocks.append(
            Table(
                (Column("left out"), Column("why")),
                tuple(
                    Row((cell(short(m["name"], 40), m["name"]), cell(short(without_paths(m.get("reason", "")), 160))))
                    for m in left
                ),
                "Members that were left out",
            )
        )
    state: State = "full" if record.fold_runs else "empty"
    return Section("failures", HEADING, text, state, tuple(blocks))
