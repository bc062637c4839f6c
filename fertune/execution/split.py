"""The best split of this machine into workers, as it was measured once and remembered.

``$FERTUNE_CONFIG``, else the user's configuration folder, holds ``splits.json``: machine -> split. A machine is known
by its cores, its processor, the Keras backend and its GPUs, so a folder that several machines share, or a change of
backend, mixes nothing up.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fertune.execution.gpus import Gpu, find_gpus
from fertune.execution.machine import backend, cores, cpu_model


@dataclass(frozen=True)
class Split:
    """Workers side by side, and cores for each.

    Attributes:
        workers: At least 1.
        threads: Cores of each, at least 1.
        images_a_second: What all of them together trained when it was measured; 0 where it was not.
        measured: Date and time of the measurement, as people read it; empty where there was none.
    """

    workers: int
    threads: int
    images_a_second: float = 0.0
    measured: str = ""


def splits_file() -> Path:
    """Where splits are remembered; need not be there yet."""
    given = os.environ.get("FERTUNE_CONFIG")
    if given:
        return Path(given).expanduser() / "splits.json"
    from platformdirs import user_config_dir

    return Path(user_config_dir("fertune", appauthor=False)) / "splits.json"


def machine_key(gpus: Sequence[Gpu] | None = None) -> str:
    """One line that names this machine and backend; ``gpus`` by default are looked for."""
    names = [gpu.name or "GPU" for gpu in (find_gpus() if gpus is None else gpus)]
    return " | ".join([f"{cores()} cores", cpu_model(), backend(), *sorted(names)])


def remembered(gpus: Sequence[Gpu] | None = None) -> Split | None:
    """The split measured on this machine; None where there is none, or the file cannot be understood."""
    stored = _read().get(machine_key(gpus))
    try:
        split = Split(**stored) if isinstance(stored, dict) else None
        return split if split and min(int(split.workers), int(split.threads)) >= 1 else None
    except (TypeError, ValueError):
        return None


def remember(split: Split, gpus: Sequence[Gpu] | None = None) -> Path:
    """Keep a split as this machine's.

    Returns:
        The file it stands in.

    Raises:
        OSError: The file cannot be written.
    """
    from fertune.files import replace_with  # brings numpy, which a worker's start is not to wait for

    known = {**_read(), machine_key(gpus): asdict(split)}
    path = splits_file()
    replace_with(path, lambda draft: draft.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8"))
    return path


def _read() -> dict[str, Any]:
    try:
        content = json.loads(splits_file().read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
