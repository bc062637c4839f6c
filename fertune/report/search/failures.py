"""``failures``: what to change?"""

from __future__ import annotations

from collections.abc import Sequence

from fertune.report.blocks import Column, Row, Section, Table, cell
from fertune.report.reading import failed, scored
from fertune.report.words import line, listed, number, plain, short, telling, without_paths
from fertune.store.records import SearchRecord
from fertune.trial import Failure, FailureKind, Trial, Value

HEADING = "Failures"
ADVICE = {
    FailureKind.OUT_OF_MEMORY: "lower the upper end of batch_size, filters or dense units",
    FailureKind.NAN_LOSS: "lower the upper end of the learning rate, or turn batch norm on",
    FailureKind.INVALID_SHAPE: "lower the upper end of the number of blocks, or feed larger pictures",
    FailureKind.TIMED_OUT: "give more time, or fewer epochs with --max-epochs",
    FailureKind.INFEASIBLE: "lower the upper ends of blocks, filters and dense units, or give a larger --max-params",
    FailureKind.CRASHED: "read the full message with fertune show",
}
NOT_ENOUGH = "one alone: no pattern"
_PLURAL = {
    FailureKind.OUT_OF_MEMORY: "out of memory",
    FailureKind.NAN_LOSS: "NaN losses",
    FailureKind.INVALID_SHAPE: "invalid shapes",
    FailureKind.TIMED_OUT: "timed out",
    FailureKind.INFEASIBLE: "infeasible",
    FailureKind.CRASHED: "crashed",
}


def _number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _shared_of(name: str, bad: list[Value], good: list[Value]) -> str | None:
    """What all failed have and (nearly) no scored one has."""
    most = len(good) // 10
    if all(_number(v) for v in bad) and all(_number(v) for v in good):
        low, high = min(float(v) for v in bad), max(float(v) for v in bad)
        if len(set(bad)) == 1 and sum(1 for v in good if v == bad[0]) <= most:
            return f"{name} = {plain(bad[0])}"
        if sum(1 for v in good if float(v) >= low) <= most:
            return f"{name} of {plain(low if not isinstance(bad[0], int) else int(low))} or more"
        if sum(1 for v in good if float(v) <= high) <= most:
            return f"{name} of {plain(high if not isinstance(bad[0], int) else int(high))} or less"
        return None
    if len({repr(v) for v in bad}) == 1 and sum(1 for v in good if v == bad[0]) <= most:
        return f"{name} = {plain(bad[0])}"
    return None


def shared(bad: Sequence[Trial], good: Sequence[Trial]) -> list[str]:
    """Parameter ranges that failed trials have in common and scored ones avoid; needs two failures and three scores."""
    if len(bad) < 2 or len(good) < 3:
        return []
    out = []
    for name in bad[0].params:
        if not all(name in t.params for t in bad):
            continue
        words = _shared_of(name, [t.params[name] for t in bad], [t.params[name] for t in good if name in t.params])
        if words:
            out.append(short(words, 60))
    return out


def by_class(trials: Sequence[Trial]) -> list[tuple[FailureKind, list[Trial]]]:
    """Failed trials by class, most frequent first."""
    groups: dict[FailureKind, list[Trial]] = {}
    for t in failed(trials):
        kind = t.failure.kind if t.failure else FailureKind.CRASHED
        groups.setdefault(kind, []).append(t)
    return sorted(groups.items(), key=lambda item: (-len(item[1]), item[1][0].id))


def counted(kind: FailureKind, n: int) -> str:
    """``2 NaN losses``, ``1 invalid shape``."""
    return f"{number(n)} {kind.value if n == 1 else _PLURAL[kind]}"


@telling
def finding(trials: Sequence[Trial]) -> str:
    groups, ended = by_class(trials), [t for t in trials if t.state.value != "running"]
    if not trials:
        return "No trial was started, so none failed."
    if not groups:
        return "No trial failed." if ended else "No trial failed so far."
    total = sum(len(g) for _, g in groups)
    words = listed([counted(kind, len(g)) for kind, g in groups])
    if total == len(ended):
        start = "The only trial failed" if total == 1 else f"All {number(total)} trials failed"
    else:
        start = f"{number(total)} of {number(len(ended))} failed"
    kind, group = groups[0]
    common = shared(group, scored(trials))
    why = (
        f", {'all' if len(group) > 2 else 'both'} with {listed(common, most=2)}" if common and len(groups) == 1 else ""
    )
    if common and len(groups) > 1:
        why = f"; the {counted(kind, len(group))} share {listed(common, most=2)}"
    return f"{start}: {words}{why}. To change: {ADVICE[kind]}."


def message(failure: Failure | None) -> str:
    """One short line, without paths."""
    return short(without_paths(line(failure.message)), 160) if failure and failure.message else "not recorded"


def section(record: SearchRecord) -> Section:
    trials = record.trials
    groups = by_class(trials)
    text = finding(trials)
    if not groups:
        return Section("failures", HEADING, text, "empty" if not trials else "full")
    rows = []
    for kind, group in groups:
        common = shared(group, scored(trials))
        rows.append(
            Row(
                (
                    cell(kind.value),
                    cell(str(len(group)), len(group)),
                    cell(f"trial {group[0].id}", group[0].id),
                    cell(", ".join(common) if common else "nothing that others lack" if len(group) > 1 else NOT_ENOUGH),
                    cell(message(group[0].failure)),
                    cell(ADVICE[kind]),
                ),
                trial=group[0].id,
            )
        )
    table = Table(
        (
            Column("class"),
            Column("count", True),
            Column("first"),
            Column("what they share", priority=2),
            Column("message of the first", priority=2),
            Column("what to change"),
        ),
        tuple(rows),
        "Failed trials by class",
    )
    each = Table(
        (Column("trial", True), Column("class"), Column("message")),
        tuple(
            Row(
                (
                    cell(str(t.id), t.id),
                    cell(t.failure.kind.value if t.failure else "crashed"),
                    cell(message(t.failure)),
                ),
                trial=t.id,
            )
            for t in failed(trials)
        ),
        "Each failed trial",
    )
    how = "Shared: a range that all failed trials of the class have and at most a tenth of the scored ones."
    return Section("failures", HEADING, text, "full", (table,), how, each)
