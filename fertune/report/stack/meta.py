"""``meta``: what did the meta-learner learn?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fertune.report.blocks import Block, Column, Row, Section, Table, cell, empty
from fertune.report.canvas import drawn
from fertune.report.reading import resume_of
from fertune.report.stack.rows import Compared
from fertune.report.stack.tree import leaf_sheet, tree_sheet
from fertune.report.stack.weights import Explain, by_member, dots, matrix, ranked_dots
from fertune.report.words import count, duration, number, percent, plain, short, signed, telling
from fertune.store.records import StackRecord

HEADING = "What the meta-learner learned"
MOST = 20
WHOLE = {"xgboost": "its gain"}


@telling
def finding(name: str, explain: Explain) -> str:
    kind = explain.get("kind", "none")
    if kind == "weights":
        pairs = ranked_dots(explain)
        used = [p for p in pairs if p[1] > 0]
        if name == "mean" or len({round(v, 6) for _, v in pairs}) == 1:
            whom = "its one member" if len(pairs) == 1 else f"all {number(len(pairs))} members alike"
            return f"{name} weighs {whom}: nothing to learn."
        words = f"{name} gives {short(pairs[0][0])} most weight ({number(pairs[0][1], 2)} of 1)"
        if len(used) < len(pairs):
            unused = len(pairs) - len(used)
            words += f" and leaves {count(unused, 'member')} of {number(len(pairs))} out"
        return f"{words}."
    if kind == "coefficients":
        members, values = by_member(explain)
        sums = np.nansum(values, axis=1)
        top, low = int(np.argmax(sums)), int(np.argmin(sums))
        if len(members) == 1:
            return f"{name} reweighs the classes of its one member, {short(members[0])}."
        return (
            f"{name} listens most to {short(members[top])} and least to {short(members[low])}, by the weight that each "
            "class puts on a member's own probability of it."
        )
    if kind == "tree":
        root = next((n for n in explain.get("nodes", ()) if n.get("parent") is None), None)
        leaves = count(int(explain.get("leaves", 1)), "leaf", "leaves")
        if root is None or root.get("feature") is None:
            return f"{name} asks nothing: it always answers {short(root['class']) if root else 'the same'}."
        member, _, of = str(root["feature"]).rpartition(": ")
        return f"Its first question is {short(member)}'s probability of {short(of)}; it has {leaves}."
    if kind == "importances":
        pairs = ranked_dots(explain)
        if not pairs or pairs[0][1] <= 0:
            return f"{name} used no feature."
        member, _, of = pairs[0][0].rpartition(": ")
        share = f"{number(pairs[0][1], 2)} of {WHOLE.get(name, 'all importance')}"
        return f"{name} leans most on {short(member)}'s probability of {short(of)} ({share})."
    reason = explain.get("reason")
    return f"{name} has nothing that can be drawn{f': {reason}' if reason else ''}."


def _picture(name: str, explain: Explain, text: str) -> tuple[list[Block], str, Table | None]:
    """Blocks, how to read them, numbers."""
    kind = explain.get("kind", "none")
    if kind in ("weights", "importances"):
        pairs = ranked_dots(explain)[:MOST]
        if not pairs or (kind == "weights" and len(pairs) < 2):
            return [], "", None
        label = "weight" if kind == "weights" else f"share of {WHOLE.get(name, 'all importance').removeprefix('its ')}"
        table = Table(
            (Column("what"), Column(label, True)),
            tuple(Row((cell(short(n, 60), n), cell(number(v, 4), v))) for n, v in ranked_dots(explain)),
            f"{label} of each",
        )
        how = f"{label[0].upper()}{label[1:]} from zero, largest first" + (
            f"; the first {MOST} of {len(ranked_dots(explain))}." if len(ranked_dots(explain)) > MOST else "."
        )
        return [drawn(lambda w: dots(pairs, label, w), id="meta", title=f"{label} in {name}", desc=text)], how, table
    if kind == "coefficients" and len(explain["classes"]) <= 15:
        members, values = by_member(explain)
        classes = [str(c) for c in explain["classes"]]
        table = Table(
            (Column("member"), *(Column(short(c, 16), True) for c in classes)),
            tuple(
                Row((cell(short(m, 40)), *(cell(signed(float(v), 2), float(v)) for v in values[i])))
                for i, m in enumerate(members)
            ),
            "Coefficient of a member's own probability, class by class",
        )
        how = (
            "Coefficient that a class puts on each member's own probability of that class, columns standardised; "
            "orange: speaks for the class, blue: against it."
        )
        return (
            [
                drawn(
                    lambda w: matrix(members, classes, values, w), id="meta", title=f"Coefficients of {name}", desc=text
                )
            ],
            how,
            table,
        )
    if kind == "tree" and explain.get("nodes"):
        nodes = list(explain["nodes"])
        table = Table(
            (
                Column("depth", True),
                Column("came by"),
                Column("question"),
                Column("rows", True),
                Column("most frequent"),
                Column("share", True),
            ),
            tuple(
                Row(
                    (
                        cell(str(n["depth"]), n["depth"]),
                        cell({"left": "no", "right": "yes"}.get(n.get("side"), "-")),
                        cell(_question(n)),
                        cell(number(n["rows"]), n["rows"]),
                        cell(short(n["class"], 30)),
                        cell(percent(n["share"]), n["share"]),
                    )
                )
                for n in nodes
            ),
            "Nodes of the tree to depth 3",
        )
        how = "A branch says yes or no to the question before it. Coloured: the answer, its share and its rows."
        if int(explain.get("depth", 0)) > 3:
            how += f" Drawn to depth 3 of {explain['depth']}."
        return (
            [
                drawn(
                    lambda w: leaf_sheet(nodes, w) if w < 600 else tree_sheet(nodes, w),
                    id="meta",
                    title=f"The tree of {name}",
                    desc=text,
                )
            ],
            how,
            table,
        )
    return [], "", None


def _question(node: Mapping[str, Any]) -> str:
    return f"{short(node['feature'], 50)} > {number(node['threshold'], 2)}" if node.get("feature") else "answers"


def section(record: StackRecord, c: Compared | None) -> Section:
    learners = list((record.meta or {}).get("learners", ()))
    if not learners:
        return empty("meta", HEADING, "No meta-learner is fitted yet.", resume_of(record))
    chosen = c.raw.get("chosen") if c else None
    shown = next((x for x in learners if x["name"] == chosen), None) or learners[0]
    explain = shown.get("explain") or {"kind": "none"}
    text = finding(str(shown["name"]), explain)
    blocks, how, numbers = _picture(str(shown["name"]), explain, text)
    order = sorted(learners, key=lambda x: -(x.get("oof_accuracy") or 0.0))
    rows = tuple(
        Row(
            (
                cell(short(x["name"], 40), x["name"], strong=x["name"] == chosen),
                cell(percent(x.get("oof_accuracy")), x.get("oof_accuracy")),
                cell(number(x.get("oof_log_loss"), 3), x.get("oof_log_loss")),
                cell(number(x.get("trials")), x.get("trials")),
                cell(duration(x.get("seconds")), x.get("seconds")),
                cell(", ".join(f"{short(k, 24)} {plain(v)}" for k, v in (x.get("params") or {}).items()) or "-"),
            )
        )
        for x in order
    )
    blocks.append(
        Table(
            (
                Column("meta-learner"),
                Column("out-of-fold accuracy", True),
                Column("log loss", True),
                Column("trials", True, 2),
                Column("tuning", True, 2),
                Column("parameters", priority=2),
            ),
            rows,
            "All meta-learners, by cross-validation over the out-of-fold matrix; one was chosen on these rows",
            sortable=True,
        )
    )
    return Section("meta", HEADING, text, "full", tuple(blocks), how, numbers)
