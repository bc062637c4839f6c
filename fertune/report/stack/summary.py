"""``summary`` of a stack: did stacking help?"""

from __future__ import annotations

from fertune.evaluation import twins_sentence
from fertune.report.blocks import Block, Command, Section, State, Text, Tile, Tiles
from fertune.report.reading import resume_of, where
from fertune.report.stack.rows import Compared, cost
from fertune.report.words import (
    count,
    duration,
    known,
    line,
    number,
    percent,
    points,
    short,
    telling,
    times,
    without_paths,
)
from fertune.store.records import StackRecord

HEADING = "Summary"


@telling
def finding(record: StackRecord, c: Compared | None) -> str:
    """The verdict, as the stack wrote it; or how far it has come."""
    if c is not None and c.raw.get("verdict"):
        sentence = line(c.raw["verdict"]["sentence"])
        return sentence if sentence.endswith(".") else f"{sentence}."
    done = sum(1 for r in record.fold_runs if r.state == "completed")
    members = len(record.info.get("members", ()))
    state = {"running": "Running", "interrupted": "Interrupted"}.get(record.status, "Ended without a comparison")
    return f"{state}: {count(done, 'fold model')} of {count(members, 'member')} trained, nothing compared yet."


def tiles(record: StackRecord, c: Compared) -> Tiles:
    single, chosen, n = c.single, c.chosen, number(c.raw.get("n_test"))
    made = []
    for row, what in ((chosen, "chosen stack"), (single, "best single")):
        if row is None:
            continue
        if c.tested:
            made.append(Tile(percent(row.get("accuracy")), what, f"{short(row['name'], 26)} · {n} test rows"))
        else:
            made.append(
                Tile(
                    percent(row.get("oof_accuracy")),
                    f"{what}, out of fold",
                    f"{short(row['name'], 26)} · {number(row.get('oof_rows'))} rows, chosen on them",
                )
            )
    if c.tested and chosen is not None and chosen is not single:
        made.append(
            Tile(
                f"{points(chosen.get('difference'))} points",
                "difference",
                f"95 % interval {points(chosen.get('difference_low'))} to {points(chosen.get('difference_high'))}",
            )
        )
    ratio = cost(chosen, single)
    if ratio is not None and chosen is not None:
        made.append(
            Tile(
                times(ratio),
                "training time",
                f"{duration(chosen.get('seconds'))} against {duration(single.get('seconds') if single else None)}",
            )
        )
    else:
        made.append(Tile(duration(record.seconds), "in all", ""))
    return Tiles(tuple(made))


def asides(c: Compared) -> list[str]:
    """What qualifies the verdict: copies, members left out."""
    out = []
    chosen = c.chosen
    twins = int(c.raw.get("n_test_twins") or 0)
    if twins and chosen is not None and chosen.get("without_twins"):
        kind = c.raw["verdict"]["kind"]
        sentence = twins_sentence(kind, twins, chosen["without_twins"])
        if sentence and sentence not in c.raw["verdict"]["sentence"]:
            out.append(sentence)
    left = c.raw.get("left_out") or ()
    if left:
        reasons = "; ".join(f"{short(m['name'])}: {without_paths(line(m.get('reason', '')))}" for m in left[:4])
        out.append(f"{count(len(left), 'member')} left out ({reasons}).")
    return out


def section(record: StackRecord, c: Compared | None) -> Section:
    text = finding(record, c)
    chips: list[str] = [] if record.status == "finished" else [record.status]
    if c is None or not c.rows:
        blocks: tuple[Block, ...] = (Command(resume_of(record), "goes on"),)
        return Section("summary", HEADING, text, "thin", blocks, chips=tuple(chips))
    parts: list[Block] = [tiles(record, c)]
    told = asides(c)
    if told:
        parts.append(Text(tuple(told)))
    if not c.tested:
        chips.append("out of fold")
    twins, left = int(c.raw.get("n_test_twins") or 0), c.raw.get("left_out") or ()
    if twins and c.tested:
        chips.append(f"{count(twins, 'test copy', 'test copies')} in training")
    if left:
        chips.append(f"{count(len(left), 'member')} left out")
    if "from_oof" in record.info:  # it holds no models
        parts.append(
            Command(f"fertune stack --from-oof {where(record)} --seed 1", "the same probabilities, other draws")
        )
    else:
        parts.append(
            Command(
                f"fertune predict {where(record)} --data DATA --split test --out proba.npz",
                "predicts with the chosen stack",
            )
        )
    kind = c.raw.get("verdict", {}).get("kind")
    state: State = "full" if kind in ("helped", "hurt", "none") and known(c.raw.get("n_test")) else "thin"
    return Section("summary", HEADING, text, state, tuple(parts), chips=tuple(chips))
