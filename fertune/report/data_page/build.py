"""The page as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fertune.data import ImageDataset
from fertune.data.samples import class_samples
from fertune.errors import DataError
from fertune.report.blocks import Section, Text
from fertune.report.data_page import brightness, identical, summary
from fertune.report.page import page
from fertune.report.shared import data
from fertune.report.words import count, line, number, short, without_paths
from fertune.store import write_text


def pictures_of(dataset: ImageDataset, rows: Sequence[int]) -> NDArray[np.uint8]:
    """The pictures with these numbers, in this order."""
    order = np.argsort(dataset.row_ids, kind="stable")
    at = order[np.searchsorted(dataset.row_ids, np.asarray(rows, np.int64), sorter=order)]
    return np.asarray(dataset.images[at])


def sections_of(dataset: ImageDataset, document: Mapping[str, Any], *, pictures: bool = True) -> list[Section]:
    """All sections, in order."""
    twins = {k: n for k, n in document["identical"].items() if isinstance(n, int)}
    info = {**document, "twins": twins, "flat": sum(document["flat"]["splits"].values()), "notes": ()}
    classes = data.section({"data": info}, class_samples(dataset) if pictures else None, pictures=pictures)
    extremes, clusters = document["brightness"]["extremes"], document["identical"]["clusters"]
    strange = {kind: pictures_of(dataset, rows) for kind, rows in extremes.items() if rows} if pictures else {}
    first = pictures_of(dataset, [c["rows"][0] for c in clusters]) if pictures and clusters else None
    return [
        summary.section(document),
        replace(classes, heading="Classes and splits"),
        brightness.section(document, strange),
        identical.section(document, first),
        _notes(document),
    ]


def _notes(document: Mapping[str, Any]) -> Section:
    notes = [without_paths(line(note)) for note in document["notes"]]
    what = (
        f"{count(len(notes), 'thing')} to know about how this was read."
        if notes
        else "Nothing was left out or changed."
    )
    return Section("notes", "Notes", what, "full" if notes else "thin", (Text(tuple(notes)),) if notes else ())


def build_data_page(
    dataset: ImageDataset, document: Mapping[str, Any], *, fertune: str = "", pictures: bool = True
) -> str:
    """One HTML page without any network; the same data give the same text.

    Args:
        dataset: Whose pictures are shown.
        document: Of ``fertune.data.survey``.
        fertune: Its version.
        pictures: False leaves all pictures out, for faces that must not travel.
    """
    height, width, channels = document["shape"]
    kind = {1: "gray", 3: "colour"}.get(channels, f"{channels} channels")
    return page(
        name=document["name"],
        described=f"data set · {number(document['rows'])} pictures · {width} × {height} {kind}",
        kind="data",
        sections=sections_of(dataset, document, pictures=pictures),
        document=document,
        version=line(fertune),
        footer=f"Written by fertune {line(fertune)} from {short(without_paths(line(document['source'])), 60)}.",
    )


def write_data_page(
    dataset: ImageDataset, document: Mapping[str, Any], path: Path, *, fertune: str = "", pictures: bool = True
) -> Path:
    """Write the page; it is there whole or not at all.

    Raises:
        DataError: It cannot be written there.
    """
    text = build_data_page(dataset, document, fertune=fertune, pictures=pictures)
    try:
        write_text(path, text)
    except OSError as error:
        raise DataError(
            f"{path} cannot be written: {error.strerror or error}", help="choose another -o FILE"
        ) from error
    return path
