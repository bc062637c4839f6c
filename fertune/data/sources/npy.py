"""An npy file that holds a pickled dictionary, ``train``, ``val`` and ``test`` -> (pictures, labels), with consent."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fertune.data.assemble import Parsed
from fertune.data.options import ReadOptions
from fertune.data.sources.headers import read_header
from fertune.errors import DataError

LAYOUT = "np.save('data.npy', {'train': (pictures, labels), 'val': ..., 'test': ...}); an npz file needs no pickle"
CONSENT = (
    "add --allow-pickle (in Python: data_options={'allow_pickle': True}, of ft.stack: its allow_pickle) if you trust "
    "whoever wrote it"
)


def check_npy(path: Path) -> None:
    """Hold that the file is one of pickled objects. Reads the header and nothing more.

    Raises:
        DataError: Not such a file, or an array of numbers.
    """
    with path.open("rb") as file:
        try:
            declared = read_header(file)
        # numpy parses the header as text and has many errors for a damaged one
        except Exception as error:
            why = "it is empty" if path.stat().st_size == 0 else error
            raise DataError(f"{path.name} is not an npy file, or is damaged: {why}", help=LAYOUT) from error
    if not declared.objects:
        raise DataError(
            f"{path.name} holds one array of {declared.dtype}, shape {declared.shape}, and no labels", help=
            "np.savez('data.npz', x_train=pictures, y_train=labels), then give the npz file",
        )  # fmt: skip


def read_npy(path: Path, options: ReadOptions) -> Parsed:
    """Unpickle a dictionary, where that is allowed, and read its parts.

    Raises:
        DataError: ``allow_pickle`` was not given; it cannot be unpickled, holds something else, or all faults of its
            arrays.
    """
    from fertune.data.sources.objects import parse_mapping

    check_npy(path)
    if not options.allow_pickle:
        raise DataError(
            f"{path.name} holds pickled Python objects, and unpickling runs code of whoever wrote the file, so it was "
            "not opened", help=CONSENT,
        )  # fmt: skip
    try:
        held = np.load(path, allow_pickle=options.allow_pickle)
        content = held.item() if held.ndim == 0 else held
    # what is unpickled may raise anything
    except Exception as error:
        why = str(error) or type(error).__name__
        raise DataError(f"{path.name} cannot be unpickled, it may be cut off: {why}", help=LAYOUT) from error
    if not isinstance(content, dict):
        what = f"objects, shape {content.shape}" if isinstance(content, np.ndarray) else f"one {type(content).__name__}"
        raise DataError(f"{path.name} holds {what}, not a dictionary", help=LAYOUT)
    return parse_mapping(content, name=path.stem, called=path.name, help=LAYOUT, options=options)
