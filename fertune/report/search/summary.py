"""``summary`` of a search: what came out?"""

from __future__ import annotations

from collections import Counter

from fertune.report.blocks import Block, Command, Section, Tile, Tiles
from fertune.report.reading import failed, score_of, scored, where
from fertune.report.search import failures, progress
from fertune.report.words import count, duration, line, number, percent, plain, telling, verb
from fertune.store.records import SearchRecord
from fertune.trial import State

HEADING = "Summary"


@telling
def finding(record: SearchRecord) -> str:
    """The best score, of how many, on which rows; or why there is none."""
    trials, score = record.trials, score_of(record)
    fine, best = scored(trials), record.best
    if not trials:
        return "Running: no trial has been started yet." if record.status == "running" else "No trial was started."
    if best is None or not fine:
        if failed(trials) and all(t.state is not State.RUNNING for t in trials):
            return failures.finding(trials)
        return f"Running: {count(len(trials), 'trial')} started, none with a score so far."
    so_far = " so far" if record.status == "running" else ""
    rows = f"the {number(score.rows)} {score.rows_text} used to choose" if score.rows else "the rows used to choose"
    if len(fine) == 1:
        which = f"the only one{so_far}" + ("" if score.folds else ", at its best epoch")
    else:
        which = f"the {score.superlative} of {number(len(fine))}{so_far}"
        which += ", the mean of its folds" if score.folds else ", each at its best epoch"
    return (
        f"Best search score{so_far} {score.text(best.value)} {score.name} (trial {plain(best.id)}): {which}, on "
        f"{rows}. Expect {'less' if score.objective.direction == 'max' else 'worse'} on new pictures."
    )


def tiles(record: SearchRecord) -> Tiles:
    trials, score = record.trials, score_of(record)
    states = Counter(t.state for t in trials)
    best = record.best
    done = sum(n for s, n in states.items() if s not in (State.FAILED, State.RUNNING))
    notes = [f"{states[s]} {s.value}" for s in (State.PRUNED, State.STOPPED, State.FAILED, State.RUNNING) if states[s]]
    cores = record.info.get("cores")
    devices = record.info.get("devices") or []
    machine = " · ".join([*(line(d) for d in devices), *([count(int(cores), "core")] if cores else [])])
    value = score.text(best.value) if best else "-"
    if best and score.rows and (error := score.error(best.value or 0.0)):
        note = f"± {percent(error)[:-2]} points standard error"
    else:
        note = score.axis if best else "no trial has a score"
    made = [
        Tile(value, f"best search {score.name}", note),
        Tile(number(done), f"{verb(done, 'trial', 'trials')} finished", ", ".join(notes) or "none failed"),
        Tile(duration(record.seconds), "in all", machine),
    ]
    if scored(trials):
        last, after, _ = progress.since(trials, record.objective)
        made.append(
            Tile(f"trial {last.id}", "last improvement", f"{number(after)} ended since" if after else "none since")
        )
    return Tiles(tuple(made))


def section(record: SearchRecord) -> Section:
    run = where(record)
    blocks: list[Block] = [tiles(record)]
    chips = ["optimistic"] if record.best else []
    if record.status != "finished":
        chips.append(record.status)
    if record.status == "interrupted":
        blocks.append(Command(f"fertune search --out {run} --resume", "goes on where it was interrupted"))
    if record.best and record.status != "running":
        blocks.append(Command(f"fertune stack {run}", "an honest estimate, and a stack"))
    else:
        blocks.append(
            Command(
                f"fertune show {run}",
                "looks at it while it runs" if record.status == "running" else "every message in full",
            )
        )
    return Section(
        "summary", HEADING, finding(record), "full" if record.best else "thin", tuple(blocks), chips=tuple(chips)
    )
