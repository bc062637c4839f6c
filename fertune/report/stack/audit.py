"""``audit``: could it have leaked?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fertune.report.blocks import Cell, Column, Row, Section, Table, cell, empty
from fertune.report.reading import resume_of
from fertune.report.shared.numbers import Ints
from fertune.report.stack.rows import Compared
from fertune.report.words import count, known, number, percent, points, short, telling, verb
from fertune.store.records import StackRecord

HEADING = "Audit"


@dataclass(frozen=True)
class Check:
    """One law and the count that shows whether it held."""

    law: str
    shown: str
    held: bool


def checks(
    fold: Ints,
    twins: Ints,
    covered: Ints,
    parts: dict[str, Ints] | None,
    n_folds: int,
    groups: Ints | None = None,
) -> list[Check]:
    """The laws that can be recounted from the run folder alone.

    Args:
        fold: (n,) which fold held each row out; -1 for none.
        twins: (n,) twin clusters.
        covered: (n,) how many members predicted the row.
        parts: ``fold<i>_<part>`` positions of ``folds.npz``; None where it is not stored.
        n_folds: Number of folds.
        groups: (n,) twins joined with the groups that the data name; None where they name none.
    """
    n, missing = len(fold), int((fold < 0).sum())
    members = int(covered.max()) if n else 0
    lacking = int((covered < members).sum())
    found = [
        Check(
            "each row is predicted once, by a model that did not see it",
            f"{number(n - missing)} of {number(n)} rows held out once",
            missing == 0,
        ),
        Check(
            "no member lacks a row",
            f"{count(members, 'prediction')} for each of {number(n - lacking)} rows",
            lacking == 0,
        ),
    ]
    divided, clusters = split_over_folds(fold, twins)
    copies = count(n - clusters, "extra copy", "extra copies")
    found.append(
        Check(
            "copies of one picture are in one fold",
            f"{number(divided)} of {number(clusters)} clusters divided; {copies}",
            divided == 0,
        )
    )
    if groups is not None:
        divided, clusters = split_over_folds(fold, groups)
        shown = f"{number(divided)} of {number(clusters)} groups divided"
        found.append(Check("rows of one group are in one fold", shown, divided == 0))
    if parts is not None:
        shared = watched = held = 0
        for i in range(n_folds):
            names = [f"fold{i}_{part}" for part in ("fit", "stop", "held_out")]
            if not all(name in parts for name in names):
                continue
            fit, stop, out = (parts[name] for name in names)
            shared += len(np.intersect1d(stop, out))
            held += len(np.intersect1d(fit, out))
            watched += len(stop)
        found.append(
            Check(
                "early stopping watches stop rows, never held-out rows",
                f"{number(shared)} of {number(watched)} stop rows held out in the same fold",
                shared == 0,
            )
        )
        found.append(Check("no row is fitted and held out in one fold", f"{number(held)} such rows", held == 0))
    return found


def split_over_folds(fold: Ints, clusters: Ints) -> tuple[int, int]:
    """Clusters with rows held out by more than one fold; clusters in all."""
    keep = fold >= 0
    pairs = np.unique(np.stack([clusters[keep], fold[keep]]), axis=1)
    divided = int((np.bincount(np.unique(pairs[0], return_inverse=True)[1]) > 1).sum()) if pairs.size else 0
    return divided, len(np.unique(clusters))


@telling
def finding(found: list[Check], rows: int, twins_in_test: int) -> str:
    broken = [c for c in found if not c.held]
    if broken:
        many = f"{count(len(broken), 'law')} {verb(len(broken), 'does', 'do')}"
        return f"{many} not hold: {broken[0].law} ({broken[0].shown})."
    words = f"Each of {number(rows)} rows was predicted once, by models that never saw it or a copy of it"
    if twins_in_test:
        words += (
            f"; {count(twins_in_test, 'test picture')} {verb(twins_in_test, 'has a copy', 'have copies')} among the "
            "training rows"
        )
    return f"{words}."


def _count(n: int) -> Cell:
    return cell(number(n), n)


def section(record: StackRecord, c: Compared | None) -> Section:
    oof = record.arrays("oof")
    if oof is None or not {"groups", "proba", "labels"} <= set(oof):
        return empty(
            "audit",
            HEADING,
            "The out-of-fold matrix is not stored yet, so nothing can be recounted.",
            resume_of(record),
        )
    if "fold" not in oof:
        return empty("audit", HEADING, "These probabilities came without fold numbers, so nothing can be recounted.")
    fold, groups = np.asarray(oof["fold"], dtype=np.int64), np.asarray(oof["groups"], dtype=np.int64)
    covered = np.isfinite(np.asarray(oof["proba"])).all(axis=2).sum(axis=1).astype(np.int64)
    folds = sorted(int(f) for f in np.unique(fold) if f >= 0)
    stored = record.arrays("folds")
    clusters = np.asarray(oof["twins"], dtype=np.int64) if "twins" in oof else groups
    found = checks(fold, clusters, covered, stored, len(folds), groups if "twins" in oof else None)
    twins = int((c.raw.get("n_test_twins") or 0) if c else 0)
    text = finding(found, len(fold), twins)
    laws = Table(
        (Column("law"), Column("recounted"), Column("held")),
        tuple(
            Row((cell(x.law), cell(x.shown), cell("✓\u00a0held" if x.held else "✗\u00a0broken", strong=not x.held)))
            for x in found
        ),
        "Laws, recounted from the run folder",
    )
    blocks = [laws]
    labels = np.asarray(oof["labels"], dtype=np.int64)
    names = record.info.get("data", {}).get("classes", ())
    if names and len(names) <= 20 and folds:
        blocks.append(
            Table(
                (Column("class"), *(Column(f"fold {f}" if len(folds) > 1 else "rows", True) for f in folds)),
                tuple(
                    Row((cell(short(n, 40)), *(_count(int(((labels == k) & (fold == f)).sum())) for f in folds)))
                    for k, n in enumerate(names)
                ),
                "Held-out rows of each class" + (" in each fold" if len(folds) > 1 else ""),
            )
        )
    without = [r for r in (c.rows if c else ()) if r.get("without_twins") and known(r["without_twins"].get("accuracy"))]
    if without:
        blocks.append(
            Table(
                (
                    Column("model"),
                    Column("all test rows", True),
                    Column("without copies", True),
                    Column("difference without", True),
                    Column("95 % interval", True, 2),
                ),
                tuple(
                    Row(
                        (
                            cell(short(r["name"], 40)),
                            cell(percent(r["accuracy"]), r["accuracy"]),
                            cell(percent(r["without_twins"]["accuracy"]), r["without_twins"]["accuracy"]),
                            cell(points(r["without_twins"].get("difference")), r["without_twins"].get("difference")),
                            cell(
                                f"{points(r['without_twins'].get('difference_low'))} to "
                                f"{points(r['without_twins'].get('difference_high'))}"
                                if known(r["without_twins"].get("difference_low"))
                                else "reference"
                            ),
                        )
                    )
                    for r in without
                ),
                f"Without test pictures that also stand in training: {number(without[0]['without_twins']['n'])} rows",
            )
        )
    how = "Copies: the same bytes, or an exact mirror image. The counts are made anew from the stored arrays."
    return Section("audit", HEADING, text, "full", tuple(blocks), how)
