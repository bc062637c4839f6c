"""A decision tree to depth 3, drawn: boxes from left to right where there is room, an indented list on a phone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.lines import Line2D

from fertune.report.canvas import Sheet
from fertune.report.theme import HEX
from fertune.report.words import number, percent, short

Node = Mapping[str, Any]


def question(node: Node) -> tuple[str, str]:
    """(whose probability of what, above which threshold)."""
    member, _, of = str(node["feature"]).rpartition(": ")
    return short(member, 20), f"{short(of, 12)} over {number(node['threshold'], 2)}?"


def _children(nodes: Sequence[Node], parent: int | None) -> list[Node]:
    return sorted((n for n in nodes if n.get("parent") == parent), key=lambda n: n.get("side") or "")


def _heights(nodes: Sequence[Node], node: Node, place: dict[int, float], free: list[float], gap: float) -> float:
    """Leaves one below the other, each parent in the middle of its children; returns the node's height."""
    mine = _children(nodes, node["id"])
    if mine:
        ys = [_heights(nodes, child, place, free, gap) for child in mine]
        place[node["id"]] = sum(ys) / len(ys)
    else:
        place[node["id"]] = free[0]
        free[0] += gap
    return place[node["id"]]


def _line(sheet: Sheet, xs: Sequence[float], ys: Sequence[float]) -> None:
    sheet.drawing.add_artist(
        Line2D(
            [x / sheet.width for x in xs],
            [1 - y / sheet.height for y in ys],
            color=HEX["axis"],
            linewidth=1,
            transform=sheet.drawing.transFigure,
        )
    )


def tree_sheet(nodes: Sequence[Node], width: int) -> Sheet:
    """Questions from left to right; the upper branch is no, the lower one yes."""
    root = _children(nodes, None)[0]
    depth = max(n["depth"] for n in nodes)
    place: dict[int, float] = {}
    free = [26.0]
    gap = 48.0
    _heights(nodes, root, place, free, gap)
    sheet = Sheet(width, round(free[0] - gap + 34))
    column = width / (depth + 1)
    for node in nodes:
        x, y = node["depth"] * column, place[node["id"]]
        children = _children(nodes, node["id"])
        if node.get("feature") and children:
            member, asked = question(node)
            sheet.text(x, y - 8, member, color=HEX["muted"])
            sheet.text(x, y + 8, asked, fontweight="bold")
        else:
            sheet.text(x, y - 8, short(node["class"], 20), fontweight="bold", color=HEX["meta"])
            more = "" if node.get("leaf", True) else ", goes on"
            sheet.text(x, y + 8, f"{percent(node['share'], 0)} of {number(node['rows'])}{more}", color=HEX["muted"])
        start = x + column - 46
        for child in children:
            to_y = place[child["id"]]
            _line(sheet, [start, start + 10, start + 28, x + column - 8], [y, y, to_y, to_y])
            sheet.text(
                x + column - 11,
                to_y + (9 if child.get("side") == "right" else -8),
                "yes" if child.get("side") == "right" else "no",
                ha="right",
                color=HEX["muted"],
                fontsize=11,
            )
    return sheet


def _walk(nodes: Sequence[Node], node: Node) -> list[Node]:
    return [node, *(n for child in _children(nodes, node["id"]) for n in _walk(nodes, child))]


def leaf_sheet(nodes: Sequence[Node], width: int) -> Sheet:
    """The same as an indented list."""
    order = _walk(nodes, _children(nodes, None)[0])
    step = 38
    sheet = Sheet(width, step * len(order) + 10)
    for i, node in enumerate(order):
        x, y = 4 + 20 * node["depth"], 18 + step * i
        lead = {"left": "no: ", "right": "yes: "}.get(node.get("side") or "", "")
        if node["depth"]:
            _line(sheet, [x - 12, x - 12, x - 3], [y - step + 14, y, y])
        if node.get("feature") and _children(nodes, node["id"]):
            member, asked = question(node)
            sheet.text(x, y, f"{lead}{asked}", fontweight="bold")
            sheet.text(x, y + 15, member, color=HEX["muted"])
        else:
            sheet.text(x, y, f"{lead}{short(node['class'], 18)}", fontweight="bold", color=HEX["meta"])
            sheet.text(x, y + 15, f"{percent(node['share'], 0)} of {number(node['rows'])}", color=HEX["muted"])
    return sheet
