"""One worker's place on a machine of a Ray cluster: an actor that keeps one warm local worker process.

The actor itself never imports a backend. So a job that ends its process is told apart from a lost machine, its exit
code is known as on one machine, and a job can be killed without losing the actor.
"""

from __future__ import annotations

import os
import platform
import queue
import secrets
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fertune._version import __version__
from fertune.data import ImageDataset
from fertune.data.cache import cache_root, cached, key_of
from fertune.errors import DataError
from fertune.execution.gpus import find_gpus
from fertune.execution.limits import Limits, fair_memory
from fertune.execution.processes import ProcessExecutor
from fertune.execution.ray_parcels import Files, collect, unpack
from fertune.execution.slots import Slot
from fertune.trial import (
    Event,
    Failed,
    Failure,
    FailureKind,
    Finished,
    Job,
    Reported,
    Started,
    WorkerStatus,
)

PYTHON = ".".join(platform.python_version_tuple()[:2])
"""Major and minor version of Python here."""

Message = tuple[str, Any]
"""``("event", Event)``; ``("finished", (Finished, Files))``; ``("data", job_id)``, the bytes of its data are wanted."""


@dataclass(frozen=True)
class Setup:
    """What an agent is made with.

    Attributes:
        number: Of the worker in the whole cluster.
        runner: As of ``ProcessExecutor``.
        threads: Cores of the worker.
        machine: Cores of its machine, for a job that is to run alone there.
        neighbours: Workers on that machine, itself among them.
        gpu: Part of a GPU that it has; 0 for none.
        timeout: ``Where.trial_timeout``.
        log_dir: Of the coordinator.
        probe: Random name of a file in ``log_dir`` that holds the same name.
        environment: Variables that its worker process has to have.
        path: Where the coordinator finds modules.
        sharing: False: behave as if no folder were shared.
    """

    number: int
    runner: str
    threads: int
    machine: int
    neighbours: int
    gpu: float
    timeout: float | None
    log_dir: str
    probe: str
    environment: Mapping[str, str] = field(default_factory=dict)
    path: tuple[str, ...] = ()
    sharing: bool = True


@dataclass(frozen=True)
class Hello:
    """What an agent says of itself.

    Attributes:
        version: Of fertune there.
        python: Major and minor version of Python there.
        host: Name of the machine.
        shares: Whether it reads and writes the coordinator's folder.
    """

    version: str
    python: str
    host: str
    shares: bool


@dataclass(frozen=True)
class Heard:
    """Answer to ``hear``.

    Attributes:
        messages: Since the number that was named.
        number: Of the last one.
        status: Of the worker process.
    """

    messages: tuple[Message, ...]
    number: int
    status: WorkerStatus


class Agent:
    """Made by Ray where the worker is to be; every method returns soon, ``hear`` after some seconds at most."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._shares = setup.sharing and _shares(setup)
        self._scratch = Path(tempfile.mkdtemp(prefix="fertune-ray-"))
        self._log_dir = (Path(setup.log_dir) if self._shares else self._scratch / "logs") / f"ray-{setup.number}"
        os.environ.update(setup.environment)
        sys.path += [folder for folder in setup.path if folder not in sys.path and Path(folder).is_dir()]
        self._threads = setup.threads
        self._executor = _worker(setup, self._threads, self._log_dir)
        self._commands: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._data: queue.SimpleQueue[Files] = queue.SimpleQueue()
        self._here: dict[str, Path] = {}
        self._said: list[Message] = []
        self._gone = 0
        self._news = threading.Condition()
        self._trouble: BaseException | None = None
        threading.Thread(target=self._pump, daemon=True).start()

    def hello(self) -> Hello:
        """What the coordinator has to know before it sends a job."""
        return Hello(__version__, PYTHON, socket.gethostname(), self._shares)

    def begin(self, job: Job, files: Files) -> None:
        """Take a job; ``files`` as ``pack`` made them."""
        self._commands.put(("begin", (job, files)))

    def stop(self, job_id: str) -> None:
        """See ``Executor.stop``."""
        self._commands.put(("stop", job_id))

    def answer(self, go: bool) -> None:
        """Whether the job that reported goes on."""
        self._answers.put(go)

    def supply(self, refs: list[Any]) -> None:
        """The files of the data set that was asked for: one reference to them, in a list, so that Ray leaves it be."""
        import ray

        self._data.put(ray.get(refs[0]))

    def hear(self, seen: int, seconds: float) -> Heard:
        """Messages after number ``seen``; waits ``seconds`` for one. Those up to ``seen`` are forgotten.

        Raises:
            Exception: What ended the thread that serves the worker.
        """
        with self._news:
            del self._said[: max(0, seen - self._gone)]
            self._gone = max(seen, self._gone)
            self._news.wait_for(lambda: self._said or self._trouble, seconds)
            if self._trouble is not None and not self._said:
                raise self._trouble
            messages = tuple(self._said)
            status = next(iter(self._executor.status()), WorkerStatus(0))
            return Heard(messages, self._gone + len(messages), status)

    def end(self) -> None:
        """Kill the worker process and remove what was left here."""
        self._executor.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _say(self, kind: str, what: Any) -> None:
        with self._news:
            self._said.append((kind, what))
            self._news.notify_all()

    def _pump(self) -> None:
        """The only thread that speaks with the executor."""
        try:
            while True:
                with suppress(queue.Empty):  # all that were there are done
                    while True:
                        self._do(*self._commands.get_nowait())
                for event in self._executor.events(0.02):
                    self._pass_on(event)
        except BaseException as error:  # told by `hear`, since nobody sees a thread end
            with self._news:
                self._trouble = error
                self._news.notify_all()

    def _do(self, what: str, value: Any) -> None:
        if what == "stop":
            self._executor.stop(value)
            return
        job, files = value
        folder = self._scratch / secrets.token_hex(8)
        try:
            local = unpack(job, files, folder)
            data = getattr(local, "data", None)
            if data is not None:
                opened = self._open(local.id, data, getattr(local, "fingerprint", ""))
                local = replace(local, data=opened)  # type: ignore[type-var]  # a job that has data is a data class
        except Exception as error:  # whatever keeps a job from being begun here is that job's failure
            shutil.rmtree(folder, ignore_errors=True)
            self._say("event", Failed(job.id, Failure(FailureKind.CRASHED, f"{type(error).__name__}: {error}")))
            return
        self._here[job.id] = folder
        self._widen(self._setup.machine if getattr(job, "alone", False) else self._setup.threads)
        self._executor.submit(local)

    def _widen(self, threads: int) -> None:
        """A worker process with so many cores, in the place of one with another number."""
        if threads != self._threads:
            self._executor.close()
            self._threads = threads
            self._executor = _worker(self._setup, threads, self._log_dir)

    def _open(self, job_id: str, folder: str, fingerprint: str) -> str:
        """The folder of the data set here: the coordinator's own where it is seen, else a copy in this cache."""
        if self._setup.sharing:
            with suppress(DataError):  # not seen from here, or another data set: then a copy is made
                ImageDataset.open(folder, fingerprint)
                return folder

        def ask() -> Files:
            self._say("data", job_id)
            return self._data.get()

        return str(materialise(fingerprint, ask))

    def _pass_on(self, event: Event) -> None:
        if isinstance(event, Started):
            self._say("event", replace(event, worker=self._setup.number))
            return
        if isinstance(event, Reported):
            self._say("event", event)
            if not self._answers.get():
                self._executor.stop(event.job_id)
            return
        folder = self._here.pop(event.job_id, None)
        if isinstance(event, Finished):
            self._say("finished", (event, collect(folder) if folder is not None else {}))
        else:
            self._say("event", event)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def materialise(fingerprint: str, fetch: Callable[[], Files]) -> Path:
    """The folder of a data set in this machine's cache; what is missing is fetched, by one process, once.

    Args:
        fingerprint: Of the data set.
        fetch: Brings its files: name -> content.

    Raises:
        DataError: What was brought is damaged, or another data set.
    """

    def build() -> ImageDataset:
        draft = cache_root() / f".{key}.{secrets.token_hex(4)}"  # the cache removes what a killed process left
        draft.mkdir()
        for name, content in fetch().items():
            (draft / Path(name).name).write_bytes(content)
        made.append(draft)
        dataset = ImageDataset.open(draft, fingerprint)
        if not dataset.verify():
            raise DataError("the data set came damaged through the object store")
        return dataset

    key = key_of("ray", fingerprint)
    made: list[Path] = []
    try:
        dataset, _ = cached(key, build, lambda line: None)
    finally:
        for draft in made:
            shutil.rmtree(draft, ignore_errors=True)
    return cache_root() / key if dataset.folder is None else dataset.folder


def data_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Name and path of each file of a cached data set."""
    return ((path.name, path) for path in sorted(folder.iterdir()) if path.is_file())


def _shares(setup: Setup) -> bool:
    """Whether the coordinator's probe is here; answers it with a file beside it."""
    folder = Path(setup.log_dir)
    with suppress(OSError, UnicodeDecodeError):  # what cannot be read or written is not shared
        if (folder / setup.probe).read_text("utf-8") == setup.probe:
            (folder / f"{setup.probe}-{setup.number}").write_text(setup.probe, "utf-8")
            return True
    return False


def _worker(setup: Setup, threads: int, log_dir: Path) -> ProcessExecutor:
    """One warm process on this machine. Ray has cut the GPUs that are seen to those of this actor."""
    gpus = find_gpus() if setup.gpu else []
    slot = Slot(0, threads, gpus[0] if gpus else None, min(1.0, setup.gpu or 1.0))
    limits = Limits(fair_memory(setup.neighbours), job_seconds=setup.timeout)
    return ProcessExecutor(runner=setup.runner, log_dir=log_dir, limits=limits, slots=[slot], hide_gpus=not setup.gpu)
