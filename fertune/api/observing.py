"""Who watches a run from inside: the console, TensorBoard's curves, and the pulse that tells of the workers."""

from __future__ import annotations

from pathlib import Path

from fertune.searching import Observer
from fertune.store import RunFolder
from fertune.trial import Executor
from fertune.watching import Curves, Pulse


def watched(observer: Observer, executor: Executor, folder: RunFolder, log_dir: str | None) -> Pulse:
    """``observer``, told of the workers as well, with curves beside it where ``log_dir`` asks for them.

    Raises:
        MissingPackage: Curves are asked for without ``tensorboard``.
    """
    curves = [Curves(Path(log_dir) / folder.path.name, observer.warned)] if log_dir is not None else []
    return Pulse([observer, *curves], executor, folder.path, closing=curves)
