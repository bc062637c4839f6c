"""What numpy files declare, read before anything of that size is made."""

from __future__ import annotations

import math
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

LARGEST = 16 << 30
"""Bytes that the arrays of a file may declare, whatever the memory."""


@dataclass(frozen=True)
class Declared:
    """One array as its header says.

    Attributes:
        shape: Of the array.
        dtype: Of its values.
        start: Bytes of the header.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    start: int

    @property
    def objects(self) -> bool:
        """Whether the values are pickled Python objects."""
        return bool(self.dtype.hasobject)

    @property
    def size(self) -> int:
        """Bytes of the values; nothing is known of objects."""
        return 0 if self.objects else math.prod(self.shape) * self.dtype.itemsize


def read_header(file: IO[bytes]) -> Declared:
    """Read the header of an npy file; nothing of it is run.

    Raises:
        ValueError: Not such a header.
    """
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version[0]}.{version[1]} of the npy format is not read")
    with warnings.catch_warnings():  # of numpy, on headers that Python 2 wrote
        warnings.simplefilter("ignore")
        shape, _, dtype = readers[version](file)
    if any(n < 0 for n in shape):
        raise ValueError(f"the shape {shape} is not legal")
    return Declared(shape, dtype, file.tell())


def room() -> int:
    """Bytes that arrays may take: what memory is free, and no more than ``LARGEST``."""
    import psutil

    return min(LARGEST, int(psutil.virtual_memory().available))


def too_large(declared: int) -> str:
    """A clause that says so, or an empty string."""
    limit = room()
    if declared <= limit:
        return ""
    return f"{declared / 2**30:,.1f} GiB are declared where {limit / 2**30:,.1f} GiB can be held"


def check_members(path: Path, wanted: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Look at the arrays of an npz file before they are read.

    Args:
        path: Of the file.
        wanted: Names of the arrays that will be read; others are only named.

    Returns:
        Names of all arrays; faults.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: Not an npz file, or a damaged one.
    """
    names, faults, total = [], [], 0
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = info.filename.removesuffix(".npy")
            names.append(name)
            if name not in wanted:
                continue
            with archive.open(info) as file:
                declared = read_header(file)
            if declared.objects:
                faults.append(f"{name} holds pickled objects, which are not loaded; save plain numbers or text")
                continue
            total += declared.size
            if declared.start + declared.size != info.file_size:
                faults.append(
                    f"{name} declares shape {declared.shape} of {declared.dtype}, {declared.size:,} bytes, and holds "
                    f"{info.file_size - declared.start:,}"
                )
    fault = too_large(total)
    return names, [*faults, *([f"it is too large to be read: {fault}"] if fault else [])]
