"""Zip files from strangers: everything that may be wrong with their list of members, before one of them is read."""

from __future__ import annotations

import stat
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath, PureWindowsPath

MAX_RATIO = 100
"""Times its stored size that a member may unpack to; deflate reaches 1,032, models and texts stay under 20."""

FLOOR = 2**20
"""Bytes that any member may unpack to, whatever its ratio."""


def is_inner_path(path: str) -> bool:
    """Whether a stored path is relative, without ``..`` and without anything that one system reads as a way out."""
    if not path or "\\" in path or "\0" in path or PureWindowsPath(path).drive:
        return False
    parts = PurePosixPath(path)
    return not parts.is_absolute() and ".." not in parts.parts and str(parts) == path


def zip_faults(archive: zipfile.ZipFile, size: int, *, most: int, largest: int) -> Iterator[str]:
    """What is wrong with the members of a zip file, one line each; nothing is unpacked.

    Args:
        archive: Open for reading.
        size: Bytes of the whole file.
        most: Members that are legal.
        largest: Bytes that all members together may unpack to.
    """
    members = archive.infolist()
    if len(members) > most:
        yield f"{len(members):,} members where {most:,} are legal"
        return
    times = Counter(member.orig_filename.casefold() for member in members)
    yield from (f"{name}: stands there {n} times" for name, n in times.items() if n > 1)
    for member in members:
        name, mode = member.orig_filename, member.external_attr >> 16
        if not is_inner_path(name):
            yield f"{name}: its path leads out of the file"
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
            yield f"{name}: a link or a device, not a file"
        if member.flag_bits & 1:
            yield f"{name}: encrypted"
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            yield f"{name}: packed by method {member.compress_type}; stored and deflated are legal"
        if member.file_size > max(FLOOR, MAX_RATIO * member.compress_size):
            yield f"{name}: unpacks from {member.compress_size:,} to {member.file_size:,} bytes"
    if sum(member.compress_size for member in members) > size:
        yield "members overlap: together they are larger than the file"
    whole = sum(member.file_size for member in members)
    if whole > largest:
        yield f"unpacks to {whole:,} bytes; {largest:,} are legal"
