"""A csv as a stream of bytes, plain or packed: gzip, bzip2, xz, zip or tar with one csv inside.

The first bytes decide, never the name. Nothing is written to disk, and what is unpacked is counted: a file that grows
beyond all reason is refused while it grows.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from fertune.errors import DataError

ENDINGS = (".gz", ".tgz", ".bz2", ".xz", ".zip", ".tar")
"""Of packed files; see ``is_packed``."""
LARGEST = 8 << 30
"""Bytes that a packed file may unpack to."""
MOST_RATIO = 150
"""Times its own size that a packed file may unpack to, once that is over ``SMALL``; faces as text reach about 4."""
SMALL = 64 << 20
CHUNK = 1 << 20
SHOWN = 20
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError)
PACKERS: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": gzip.open,  # type: ignore[dict-item]
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
TAR_AT, TAR = 257, b"ustar"


@dataclass(frozen=True)
class Stream:
    """An open csv.

    Attributes:
        file: Its bytes.
        name: What messages call it: ``fer2013.csv``, ``fer2013.csv in archive.zip``.
        done: Bytes read so far, of ``total``; of the packed file where that is what is known.
        total: Bytes in all.
    """

    file: IO[bytes]
    name: str
    done: Callable[[], int]
    total: int


def is_packed(path: Path) -> bool:
    """Whether the name says that a file is packed."""
    return path.name.lower().endswith(ENDINGS)


def bare_name(path: Path) -> str:
    """``fer2013`` of ``fer2013.csv``, ``fer2013.csv.gz``, ``fer2013.tar.gz``."""
    name = path.name
    while (ending := Path(name).suffix.lower()) in (".csv", *ENDINGS) and len(name) > len(ending):
        name = name[: -len(ending)]
    return name


@contextmanager
def open_csv(path: Path) -> Iterator[Stream]:
    """Open a csv, or the one csv inside a packed file.

    Raises:
        DataError: Damaged, protected by a password, of a size beyond all reason, or without exactly one csv inside.
        OSError: The file itself cannot be read.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        size = path.stat().st_size
        head = file.read(8)
        file.seek(0)
        if head.startswith(ZIP):
            yield _in_zip(stack, path, file)
            return
        outer = _unpacked(path, file, size)
        if _is_tar(outer or file):
            yield _in_tar(stack, path, size)
            return
        file.seek(0)
        yield Stream(_unpacked(path, file, size) or file, path.name, file.tell, size)


def _unpacked(path: Path, file: IO[bytes], size: int) -> IO[bytes] | None:
    """What gzip, bzip2 or xz packed; None where the first bytes are of none of them."""
    head = file.read(8)
    file.seek(0)
    for signature, packer in PACKERS.items():
        if head.startswith(signature):
            return io.BufferedReader(_Bounded(packer(file), path.name, size), CHUNK)
    return None


class _Bounded(io.RawIOBase):
    """Reads on, counts, and says what is wrong in one way."""

    def __init__(self, source: IO[bytes], name: str, packed: int) -> None:
        self._source, self._name, self._packed, self._count = source, name, packed, 0

    def readable(self) -> bool:
        return True

    def count(self) -> int:
        """Bytes unpacked so far."""
        return self._count

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        try:
            piece = self._source.read(len(buffer))
        except (*DAMAGED, RuntimeError) as error:
            raise damaged(self._name, error) from error
        self._count += len(piece)
        hold(self._name, self._count, self._packed)
        buffer[: len(piece)] = piece
        return len(piece)


def damaged(name: str, error: BaseException) -> DataError:
    """What a packed file that cannot be unpacked is told as."""
    return DataError(
        f"{name} is damaged and cannot be unpacked: {error or type(error).__name__}", help="download or pack it again"
    )


def hold(name: str, unpacked: int, packed: int) -> None:
    """Refuse what grows beyond reason.

    Raises:
        DataError: More than ``LARGEST`` bytes, or more than ``MOST_RATIO`` times the packed size.
    """
    if unpacked > LARGEST or unpacked > SMALL and unpacked > MOST_RATIO * max(packed, 1):
        why = f"over {LARGEST >> 30} GB" if unpacked > LARGEST else f"over {MOST_RATIO} times its size"
        raise DataError(
            f"{name} unpacks to {why} ({unpacked >> 20:,} MB and more from {packed / 2**20:,.1f} MB); it is not read",
            help="if you trust it, unpack it and give the file inside",
        )


def _in_zip(stack: ExitStack, path: Path, file: IO[bytes]) -> Stream:
    try:
        archive = stack.enter_context(zipfile.ZipFile(file))
        entries = {entry.filename: entry for entry in archive.infolist() if not entry.is_dir()}
        name = _the_csv(path, list(entries))
        entry = entries[name]
        hold(path.name, entry.file_size, entry.compress_size)
        if entry.flag_bits & 1:
            raise DataError(f"{name} in {path.name} is protected by a password", help="unpack it and give the file")
        inner = stack.enter_context(archive.open(entry))
    except (*DAMAGED, RuntimeError, ValueError) as error:  # NotImplementedError, a RuntimeError: an unknown packing
        raise damaged(path.name, error) from error
    bounded = _Bounded(inner, path.name, entry.compress_size)
    called = f"{PurePosixPath(name).name} in {path.name}"
    return Stream(io.BufferedReader(bounded, CHUNK), called, bounded.count, entry.file_size)


def _is_tar(file: IO[bytes]) -> bool:
    return file.read(TAR_AT + len(TAR))[TAR_AT:] == TAR


def _in_tar(stack: ExitStack, path: Path, size: int) -> Stream:
    """A packed tar has no list of its members: it is read once for their names, and a second time up to the csv."""
    try:
        _, archive = _tar(stack, path, size)
        name = _the_csv(path, [member.name for member in archive if member.isfile()])
        file, archive = _tar(stack, path, size)
        for member in archive:
            inner = archive.extractfile(member) if member.name == name and member.isfile() else None
            if inner is not None:
                whole = io.BufferedReader(_Bounded(inner, path.name, size), CHUNK)
                return Stream(whole, f"{PurePosixPath(name).name} in {path.name}", file.tell, size)
    except (*DAMAGED, ValueError) as error:
        raise damaged(path.name, error) from error
    raise DataError(f"{path.name} changed while it was read")


def _tar(stack: ExitStack, path: Path, size: int) -> tuple[IO[bytes], tarfile.TarFile]:
    file = stack.enter_context(path.open("rb"))
    return file, stack.enter_context(tarfile.open(fileobj=_unpacked(path, file, size) or file, mode="r|"))


def _the_csv(path: Path, names: Sequence[str]) -> str:
    """The one csv among the members; hidden ones do not count."""
    seen = [n for n in names if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(n).parts)]
    found = [name for name in seen if name.lower().endswith(".csv")]
    if len(found) == 1:
        return found[0]
    listed = found or seen
    details = list(listed[:SHOWN])
    if len(listed) > SHOWN:
        details.append(f"and {len(listed) - SHOWN:,} more")
    if not found:
        what = "holds no csv" if seen else "is empty"
        raise DataError(f"{path.name} {what}", details=details, help="unpack it and give the file or folder inside")
    raise DataError(
        f"{path.name} holds {len(found):,} csv files; one is needed", details=details,
        help="unpack the one that you want and give it",
    )  # fmt: skip
