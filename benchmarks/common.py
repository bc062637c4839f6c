"""What the benchmarks share: options, timed commands, trainings in workers, a cut of FER-2013, the machine, a table.

Nothing here is of one machine: data, peers' scripts and peers' Python come by options.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from fertune.space import load_space
from fertune.trial import Executor, Failed, Finished, Reported, TrainJob, Value

LIBRARIES = ("fertune", "keras", "tensorflow-cpu", "tensorflow", "jax", "keras-tuner", "optuna", "numpy")
FERTUNE = (sys.executable, "-m", "fertune")
PLAIN_SPACE = Path(__file__).parent / "spaces" / "plain_cnn.yaml"
"""The space, net and recipe of the peers' script."""


@dataclass(frozen=True)
class Measured:
    """One command that ended well.

    Attributes:
        seconds: Wall time of the whole command.
        cpu: CPU seconds of it and of all its children.
        peak_mb: Largest sum of resident memory over its processes, as seen four times a second.
        output: What it printed to standard output.
    """

    seconds: float
    cpu: float
    peak_mb: float
    output: str


def _memory(process: psutil.Process) -> float:
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.Error:  # it ended between two looks
        pass
    return total / 2**20


def measured(
    command: Sequence[str], folder: Path, env: Mapping[str, str] | None = None, limit: float | None = None
) -> Measured:
    """Run a command to its end; its standard error goes to ``<folder>/stderr.log``.

    Args:
        command: Words.
        folder: Where it runs.
        env: Its whole environment; None for this one's.
        limit: Seconds after which it is killed.

    Raises:
        SystemExit: It failed; what it said last is shown.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = 0.0
    done = threading.Event()
    with (folder / "stderr.log").open("a+", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        log.flush()
        begun = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=log, text=True)
        watched = psutil.Process(process.pid)

        def watch() -> None:
            nonlocal peak
            while not done.wait(0.25):
                peak = max(peak, _memory(watched))

        threading.Thread(target=watch, daemon=True).start()
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise SystemExit(f"not done within {limit} s: {' '.join(command)}") from None
        finally:
            done.set()
        seconds = time.perf_counter() - begun
        log.seek(0)
        said = log.read()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"exit {process.returncode}: {' '.join(command)}\n{output[-1500:]}\n{said[-3000:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(seconds, cpu, peak, output)


def last_json(text: str) -> dict[str, Any]:
    """The last line of ``text`` that is a JSON object."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            return dict(json.loads(line))
    raise SystemExit(f"no JSON line in: {text[-1500:]}")


@contextmanager
def scratch(out: Path | None) -> Iterator[Path]:
    """``out``, made and kept, or a passing folder."""
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        yield out.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="fertune-bench-") as folder:
        yield Path(folder)


def machine() -> dict[str, Any]:
    """Processor, cores, memory, load and versions."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        model = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):  # no Linux, or a processor that has no such line
        pass
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(x, 2) for x in os.getloadavg()],
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


class Table:
    """A Markdown table, printed as it stands."""

    def __init__(self, head: Sequence[str]) -> None:
        self._rows: list[list[str]] = [list(head), ["---"] * len(head)]

    def row(self, *cells: object) -> None:
        self._rows.append([f"{c:,.2f}" if isinstance(c, float) else str(c) for c in cells])

    def __str__(self) -> str:
        return "\n".join(f"| {' | '.join(row)} |" for row in self._rows)


def machine_line() -> str:
    """One line for under a table."""
    m = machine()
    versions = ", ".join(f"{name} {v}" for name, v in m["versions"].items())
    return (
        f"{m['processor']}, {m['cores']} cores, {m['memory_gb']} GB, load {m['load'][0]} at the end; "
        f"Python {m['python']}, {versions}."
    )


def write_json(path: Path | None, figures: Mapping[str, Any]) -> None:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(figures, indent=1, default=str) + "\n", "utf-8")
        print(f"figures: {path}", file=sys.stderr)


def middle(values: Sequence[float]) -> float:
    return float(statistics.median(values))


def spread(values: Sequence[float], digits: int = 1) -> str:
    """``median (least to greatest)``."""
    if len(values) == 1:
        return f"{values[0]:,.{digits}f}"
    return f"{middle(values):,.{digits}f} ({min(values):,.{digits}f} to {max(values):,.{digits}f})"


def fresh_cache(folder: Path) -> dict[str, str]:
    """This environment with an empty cache of fertune's own in ``folder``: no run profits from an earlier one."""
    cache = Path(tempfile.mkdtemp(prefix="cache-", dir=folder))
    return {**os.environ, "FERTUNE_CACHE": str(cache)}


def journal(run: Path) -> list[dict[str, Any]]:
    """The lines of a run's journal."""
    return [json.loads(line) for line in (run / "journal.jsonl").read_text("utf-8").splitlines()]


def epochs_of(lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(1 for line in lines if line["event"] == "epoch")


def idle_at_the_end(lines: Sequence[Mapping[str, Any]]) -> list[float]:
    """Seconds from the end of each worker's last piece of work to the end of the run, longest first.

    Args:
        lines: Of the journal of a run that ended; workers that were given nothing are not known to it.
    """
    worker = {line["ticket"]: line["worker"] for line in lines if line["event"] == "started"}
    last = {
        worker[line["ticket"]]: line["time"] for line in lines if line["event"] == "told" and line["ticket"] in worker
    }
    return sorted((lines[-1]["time"] - ended for ended in last.values()), reverse=True)


def read_fer2013(path: Path) -> dict[str, tuple[Any, Any]]:
    """Usage -> (pictures uint8 (n, 48, 48), labels int32), rows in the order of the file.

    Read here and not by ``fertune.data``, which cuts rows to validate with off Training where there is no PrivateTest.

    Args:
        path: Kaggle's ``fer2013.csv``: ``emotion,pixels,Usage``.
    """
    pictures: dict[str, list[Any]] = {}
    labels: dict[str, list[int]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["emotion"] == "":
                continue
            usage = row["Usage"].strip()
            pictures.setdefault(usage, []).append(np.fromstring(row["pixels"], np.uint8, sep=" ").reshape(48, 48))
            labels.setdefault(usage, []).append(int(row["emotion"]))
    return {usage: (np.stack(pictures[usage]), np.array(labels[usage], np.int32)) for usage in pictures}


def cut(fer2013: Path, train: int, val: int) -> dict[str, Any]:
    """The first rows of Training to train on and the first of PublicTest to validate with: the arrays of an npz."""
    faces = read_fer2013(fer2013)
    parts = {"train": (faces["Training"], train), "val": (faces["PublicTest"], val)}
    arrays = {f"x_{name}": x[:n] for name, ((x, _), n) in parts.items()}
    return arrays | {f"y_{name}": y[:n] for name, ((_, y), n) in parts.items()}


def write_cut(path: Path, args: argparse.Namespace) -> Path:
    """``cut`` by ``--train`` and ``--val`` as a file for ``--data``."""
    np.savez(path, **cut(args.fer2013, args.train, args.val))
    return path


def plain_net(**params: Value) -> dict[str, Value]:
    """Settings of one net of ``PLAIN_SPACE``: a middle one unless told otherwise; nothing ends its training early."""
    space = load_space(PLAIN_SPACE)
    usual: dict[str, Value] = {
        "filters_1": 32, "kernel_1": 3, "dropout": 0.3, "l2": 1e-4, "learning_rate": 1e-3, "dense_units": 128,
    }  # fmt: skip
    return {**space.settings({**usual, **params}), "early_stopping_patience": 0, "reduce_lr_patience": 0}


def train_all(executor: Executor, jobs: Sequence[TrainJob]) -> list[Reported]:
    """Train them all; returns their epochs in the order in which they ended.

    Raises:
        SystemExit: One failed.
    """
    epochs: list[Reported] = []
    left = {job.id for job in jobs}
    for job in jobs:
        executor.submit(job)
    while left:
        for event in executor.events(1.0):
            if isinstance(event, Failed):
                raise SystemExit(f"{event.job_id}: {event.failure.message}")
            if isinstance(event, Reported):
                epochs.append(event)
            elif isinstance(event, Finished):
                left.discard(event.job_id)
    return epochs


def options(doc: str | None, *, repeats: int | None = 3) -> argparse.ArgumentParser:
    """The options that every benchmark of trainings has; ``repeats`` None: what it measures is not repeated."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if repeats is not None:
        parser.add_argument("--repeats", type=int, default=repeats, help=f"(default {repeats}; medians are told)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep runs and logs here (default: a passing folder)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    parser.add_argument("--quick", action="store_true", help="a few rows and epochs: does it work at all")
    return parser


def faces_options(parser: argparse.ArgumentParser, train: int | None = None, val: int | None = None) -> None:
    """``--fer2013``, and how much of it is used."""
    parser.add_argument("--fer2013", type=Path, required=True, metavar="CSV", help="Kaggle's fer2013.csv")
    if train is not None:
        parser.add_argument("--train", type=int, default=train, help=f"first rows of Training (default {train})")
        parser.add_argument("--val", type=int, default=val, help=f"first rows of PublicTest (default {val})")


def search_options(parser: argparse.ArgumentParser, space: str | None = None) -> None:
    """What may be changed of fertune's side."""
    if space is not None:
        parser.add_argument("--space", default=space, help=f"of fertune (default {space})")
    parser.add_argument("--workers", default="auto", help="of fertune (default auto)")
    parser.add_argument("fertune", nargs="*", help="more words for fertune search, after --")


def search_command(
    args: argparse.Namespace, space: str | Path, data: Path, run: Path, seed: int, *words: str
) -> list[str]:
    """``fertune search`` with ``words``, then what ``search_options`` were given, which counts more."""
    command = [*FERTUNE, "search", "--space", str(space), "--data", str(data), "--out", str(run), "--seed", str(seed)]
    return [*command, *words, "--workers", args.workers, *args.fertune]


def peer_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Where the peers' script, its data and its Python are."""
    parser.add_argument("--peer", type=Path, required=required, metavar="PY", help="the peers' script")
    parser.add_argument("--peer-data", type=Path, required=required, metavar="DIR", help="folder of its fer2013.py")
    parser.add_argument("--peer-python", default=sys.executable, metavar="PYTHON", help="of the peers' environment")


def absolute(args: argparse.Namespace) -> argparse.Namespace:
    """Paths as they are meant here: commands run in other folders."""
    for name, value in vars(args).items():
        if isinstance(value, Path):
            setattr(args, name, value.resolve())
    return args


def peer(args: argparse.Namespace, words: Sequence[str], folder: Path, limit: float | None = None) -> Measured:
    """One run of the peers' script."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [args.peer_python, str(args.peer), *words, "--data", str(args.peer_data)]
    return measured(command, folder, environment, limit)


def plain(args: argparse.Namespace, tool: str, seed: int, folder: Path, trials: int = 12) -> dict[str, Any]:
    """One run of the peers' ``plain.py`` on the cut; hyperband finds the number of its trials itself."""
    words = [tool, "--train", str(args.train), "--val", str(args.val), "--trials", str(trials)]
    done = peer(args, [*words, "--epochs", str(args.epochs), "--seed", str(seed)], folder)
    said = last_json(done.output)
    return {
        "seconds": done.seconds,
        "cpu": done.cpu,
        "peak_mb": done.peak_mb,
        "best": said["best_val_accuracy"],
        "trials": said["trials"],
        "epochs": said["epochs"],
        "own_seconds": said["wall_s"],
    }


def peer_versions(python: str) -> str:
    """Versions in the peers' environment, as one line for under a table."""
    code = (
        "import importlib.metadata as m\n"
        "found = {d.metadata['Name'].replace('_', '-').lower(): d.version for d in m.distributions()}\n"
        f"print(', '.join(n + ' ' + found[n] for n in {LIBRARIES!r} if n in found))"
    )
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=False)
    return f"Peers: {done.stdout.strip() or 'versions unknown'}."


def report(title: str, table: Table, notes: Sequence[str], figures: Mapping[str, Any], out: Path | None) -> None:
    """Print the table with what it was measured on, and write the figures."""
    print(f"\n{title}\n\n{table}\n")
    for note in (*notes, machine_line()):
        print(note)
    write_json(out, {"title": title, "command": sys.argv, "machine": machine(), **figures})
