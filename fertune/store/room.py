"""A disk that is full, or that may not be written to: an expected error, wherever in a run it shows."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fertune.errors import RunError

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
NO_ACCESS = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Work on the run in ``path``; what its disk refuses is told as such.

    Raises:
        RunError: The disk is full, or the folder may not be written to.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (*NO_ROOM, *NO_ACCESS):
            raise
        full = error.errno in NO_ROOM
        raise RunError(
            f"cannot write to {path}: {error.strerror}",
            help="every finished trial is safe; " + ("make room" if full else "give write access") + ", then --resume",
        ) from error


def bytes_in(folder: Path) -> int:
    """Bytes of all files below a folder; what goes away meanwhile counts for nothing."""
    return sum(sizes_in(folder))


def sizes_in(folder: Path) -> Iterator[int]:
    """Bytes of each thing below a folder, in any order; 0 for a folder. Links are not followed."""
    todo = [str(folder)]
    while todo:
        try:
            entries = list(os.scandir(todo.pop()))
        except OSError:  # it went meanwhile
            continue
        for entry in entries:
            try:
                inner = entry.is_dir(follow_symlinks=False)
                size = 0 if inner else entry.stat(follow_symlinks=False).st_size
            except OSError:  # it went meanwhile
                continue
            if inner:
                todo.append(entry.path)
            yield size
