"""``fertune data show``: a look at a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fertune.api.describe import fertune_version
from fertune.data import ReadOptions, open_dataset
from fertune.data.survey import survey
from fertune.searching import Observer


def look_at_data(
    data: Any = None,
    *,
    data_options: ReadOptions | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    pictures: bool = True,
    observer: Observer | None = None,
) -> dict[str, Any]:
    """Counts, sizes, brightness, flat and identical pictures of a data set.

    Args:
        data: As for ``search``.
        data_options: How it is read; see ``ReadOptions``.
        out: Where an HTML page of it is written, with samples of each class; None for none.
        pictures: Whether that page holds pictures.
        observer: Is told how far reading is.

    Returns:
        The document that ``docs/schema/data.json`` describes.

    Raises:
        DataError: All that is wrong with the source, at once; or the page cannot be written.
    """
    watcher = observer or Observer()
    dataset = open_dataset(data, options=data_options, say=watcher.said, progress=watcher.progress)
    document = survey(dataset, watcher.progress)
    if out is not None:
        from fertune.report.data_page import write_data_page

        write_data_page(dataset, document, Path(out), fertune=fertune_version(), pictures=pictures)
    return document
