"""``summary``: what is it, and is anything wrong with it?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fertune.report.blocks import Facts, Section, Tile, Tiles
from fertune.report.words import count, line, listed, number, percent, telling, verb, without_paths


@telling
def finding(document: Mapping[str, Any]) -> str:
    """What a reader should act on; else that there is nothing."""
    same, flat = document["identical"], sum(document["flat"]["splits"].values())
    test = sum(document["counts"]["test"])
    found = []
    if same["test_in_known"]:
        share = percent(same["test_in_known"] / test) if test else "-"
        rows = count(same["test_in_known"], "test picture")
        found.append(f"{rows} ({share}) also {verb(same['test_in_known'], 'stands', 'stand')} among those to train on")
    if same["known_extra"]:
        found.append(f"{count(same['known_extra'], 'copy', 'copies')} of training pictures")
    if same["disagreeing_rows"]:
        found.append(f"{count(same['disagreeing_rows'], 'identical picture')} with different labels")
    if flat:
        found.append(count(flat, "picture of one flat colour", "pictures of one flat colour"))
    if not found:
        return "No flat and no identical pictures."
    return f"Found: {listed(found)}."


def section(document: Mapping[str, Any]) -> Section:
    same, counts = document["identical"], document["counts"]
    train = counts["train"]
    some = [n for n in train if n]
    uneven = f"largest class {number(max(some) / min(some), 1)} times the smallest" if some else ""
    parts = [f"{number(sum(rows))} {split}" for split, rows in counts.items() if sum(rows)]
    if document["unlabelled"]:
        parts.append(f"{number(document['unlabelled'])} without label")
    height, width, channels = document["shape"]
    tiles = (
        Tile(number(document["rows"]), "pictures", ", ".join(parts)),
        Tile(number(len(document["classes"])), "classes", uneven),
        Tile(f"{width} × {height}", "pixels", {1: "gray", 3: "colour"}.get(channels, f"{channels} channels")),
        Tile(
            number(same["extra"]),
            "identical pictures",
            f"{number(same['test_in_known'])} of test among train and validation",
        ),
    )
    facts = [
        ("source", without_paths(line(document["source"]))),
        ("fingerprint", line(document["fingerprint"])),
        *((line(k).replace("_", " "), line(v)) for k, v in document["options"].items()),
    ]
    return Section("summary", "Summary", finding(document), "full", (Tiles(tiles), Facts(tuple(facts))))
