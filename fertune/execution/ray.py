"""Jobs on the machines of a Ray cluster, one warm worker process in each of its actors."""

from __future__ import annotations

import os
import secrets
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from fertune._version import __version__
from fertune.config import AUTO, Where
from fertune.execution.gpus import choose_gpus
from fertune.execution.machine import cores
from fertune.execution.make import automatic_workers
from fertune.execution.processes import LOST_STARTS, WorkerError
from fertune.execution.ray_agent import PYTHON, Agent, Heard, Hello, Setup, data_files
from fertune.execution.ray_parcels import deliver, pack
from fertune.execution.ray_places import Node, Share, nodes_of, places
from fertune.execution.ray_start import HOWTO, connect, load_ray
from fertune.trial import Event, Failed, Failure, FailureKind, Finished, Job, Reported, Started, WorkerStatus

LISTEN = 5.0
"""Seconds that an actor waits for news before it answers that there are none."""
SILENCE = 120.0
"""Seconds without an answer after which an actor is given up."""
LOOK = 1.0
"""Seconds between two looks at which machines there are."""
DOUBT = 5.0
"""Seconds that Ray gets to find out whether an actor died alone or with its machine."""
PASSED_ON = ("KERAS_", "TF_", "XLA_", "JAX_")
"""What begins the names of the variables that workers on other machines get as well."""


@dataclass(eq=False)
class _Place:
    """One worker, from the coordinator's side."""

    number: int
    node: Node
    share: Share
    actor: Any
    waiting: Any
    job: Job | None = None
    ready: bool = False
    seen: int = 0
    since: float = field(default_factory=time.monotonic)
    sign: float = field(default_factory=time.monotonic)
    status: WorkerStatus = field(default_factory=lambda: WorkerStatus(0))
    shares: bool = False
    died: tuple[float, BaseException] | None = None


class RayExecutor:
    """Runs jobs on a Ray cluster: on this machine alone, or on all that joined the one at ``where.address``.

    A job whose machine is lost is not failed: it begins anew elsewhere, and epochs that were reported already are not
    reported again. Machines that join while it runs get workers.

    Args:
        where: See ``Where``.
        log_dir: Where workers that see it write what libraries print; the folder that holds it is the run's.
        most: No more workers than that. None: no such limit.
        runner: Dotted name of the module that does the jobs.
        threads: Cores of a worker where ``where.workers`` is ``auto``; None: as on this machine.
        sharing: False: behave as if no folder were shared.

    Raises:
        ConfigError: There is no such cluster.
    """

    def __init__(
        self,
        where: Where,
        *,
        log_dir: Path,
        most: int | None = None,
        runner: str = "fertune.training.runner",
        threads: int | None = None,
        sharing: bool = True,
    ) -> None:
        self._where, self._runner, self._sharing = where, runner, sharing
        self._log_dir = log_dir.resolve()
        self._threads = threads or _usual_threads(where)
        given = None if where.workers == AUTO else int(where.workers)
        self._most = min((n for n in (given, most) if n is not None), default=None)
        self._given = given
        self._ours = connect(where)
        self._ray = load_ray()
        self._places: list[_Place] = []
        self._queue: deque[Job] = deque()
        self._dropped: list[Job] = []
        self._said: dict[str, int] = {}
        self._told_to_stop: set[str] = set()
        self._alone: dict[str, str] = {}
        self._data: dict[str, Any] = {}
        self._answering: str | None = None
        self._go = True
        self._lost_starts = 0
        self._next = 0
        self._looked = 0.0
        self._probe = f".probe-{secrets.token_hex(8)}"
        self._log_dir.mkdir(parents=True, exist_ok=True)
        (self._log_dir / self._probe).write_text(self._probe, "utf-8")
        self._look()

    @property
    def slots(self) -> int:
        return sum(place.died is None for place in self._places)

    def status(self) -> list[WorkerStatus]:
        many = len({place.node.id for place in self._places}) > 1
        return [
            replace(
                place.status, number=place.number, job_id=place.job.id if place.job else None, ready=place.ready,
                since=place.since, threads=place.share.threads,
                device=place.node.host if many else place.status.device,
            )
            for place in self._places
        ]  # fmt: skip

    def submit(self, job: Job) -> None:
        self._queue.append(job)
        self._hand_out()

    def stop(self, job_id: str) -> None:
        if job_id == self._answering:
            self._go = False
            return
        for job in [job for job in self._queue if job.id == job_id]:
            self._queue.remove(job)
            self._alone.pop(job.id, None)
            self._dropped.append(job)
        for place in self._places:
            if place.job is not None and place.job.id == job_id:
                self._told_to_stop.add(job_id)
                place.actor.stop.remote(job_id)

    def events(self, timeout: float) -> Iterator[Event]:
        self._look()
        self._hand_out()
        while self._dropped:
            yield Finished(self._forget(self._dropped.pop().id), None)
        yield from self._buried()
        waiting = [place.waiting for place in self._places if place.died is None]
        if not waiting:
            time.sleep(min(timeout, 0.1))
            return
        ready, _ = self._ray.wait(waiting, num_returns=1, timeout=min(timeout, 0.1))
        if ready:
            ready, _ = self._ray.wait(waiting, num_returns=len(waiting), timeout=0)
        for place in list(self._places):
            if place.waiting in ready:
                yield from self._hear(place)
            elif place.died is None and time.monotonic() - place.sign > SILENCE:
                place.died = (0.0, TimeoutError(f"nothing heard for {SILENCE:.0f} s"))
        self._hand_out()

    def close(self) -> None:
        with suppress(Exception):  # of a cluster that is gone there is nothing to end
            ends = [place.actor.end.remote() for place in self._places if place.died is None]
            self._ray.wait(ends, num_returns=len(ends), timeout=5) if ends else None
        for place in self._places:
            with suppress(Exception):  # it is gone already, or the cluster is
                self._ray.kill(place.actor)
        self._places = []
        (self._log_dir / self._probe).unlink(missing_ok=True)
        if self._ours:
            self._ray.shutdown()

    # --- machines -------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Give machines that joined their workers."""
        if time.monotonic() - self._looked < LOOK:
            return
        self._looked = time.monotonic()
        nodes = nodes_of(self._ray.nodes())
        wanted = places(
            nodes, workers=self._given, threads=self._threads, use_gpus=self._where.gpus != "none",
            per_gpu=self._where.per_gpu,
        )  # fmt: skip
        for node in nodes:
            shares = [share for at, share in wanted if at.id == node.id]
            there = sum(place.node.id == node.id for place in self._places)
            for share in shares[there:]:
                if self._most is None or len(self._places) < self._most:
                    self._places.append(self._start(node, share, len(shares)))

    def _start(self, node: Node, share: Share, neighbours: int) -> _Place:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        number = self._next
        self._next += 1
        setup = Setup(
            number=number, runner=self._runner, threads=share.threads, machine=max(1, int(node.cores)),
            neighbours=neighbours, gpu=share.gpus, timeout=self._where.trial_timeout, log_dir=str(self._log_dir),
            probe=self._probe, environment={k: v for k, v in os.environ.items() if k.startswith(PASSED_ON)},
            path=tuple(folder or os.getcwd() for folder in sys.path), sharing=self._sharing,
        )  # fmt: skip
        actor = (
            self._ray.remote(Agent)
            .options(
                num_cpus=share.cores,
                num_gpus=share.gpus,
                max_concurrency=4,
                max_restarts=0,
                scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False),
            )
            .remote(setup)
        )
        return _Place(number, node, share, actor, actor.hello.remote())

    # --- jobs -----------------------------------------------------------------------------------------------------

    def _hand_out(self) -> None:
        for job in list(self._queue):
            place = self._room(job)
            if place is not None:
                self._queue.remove(job)
                place.job, place.since = job, time.monotonic()
                sent, files = pack(job, partial(self._apart, place))
                place.actor.begin.remote(sent, files)

    def _apart(self, place: _Place, path: str) -> bool:
        """Whether a worker cannot be counted on to see a path: it sees the run's folder, or nothing."""
        return not (place.shares and Path(path).resolve().is_relative_to(self._log_dir.parent))

    def _room(self, job: Job) -> _Place | None:
        """A worker that is free for the job; one that wants a machine alone waits until all others there are done."""
        if not getattr(job, "alone", False):
            kept = set(self._alone.values())
            return next((p for p in self._places if _free(p) and p.node.id not in kept), None)
        nodes = {p.node.id: p.node for p in self._places if p.died is None}
        if self._alone.get(job.id) not in nodes:
            self._alone.pop(job.id, None)
            open_nodes = [node for node in nodes.values() if node.id not in self._alone.values()]
            if not open_nodes:
                return None
            self._alone[job.id] = max(open_nodes, key=lambda node: (node.memory, node.cores)).id
        there = [p for p in self._places if p.node.id == self._alone[job.id] and p.died is None]
        return there[0] if all(_free(p) for p in there) else None

    def _forget(self, job_id: str) -> str:
        self._said.pop(job_id, None)
        self._alone.pop(job_id, None)
        self._told_to_stop.discard(job_id)
        return job_id

    # --- what actors say ------------------------------------------------------------------------------------------

    def _hear(self, place: _Place) -> Iterator[Event]:
        exceptions = self._ray.exceptions
        try:
            heard = self._ray.get(place.waiting)
        except exceptions.ActorUnavailableError:
            place.waiting = self._listen(place)
            return
        except (exceptions.RayError, WorkerError) as error:
            place.died = (time.monotonic() + DOUBT, error)
            return
        place.sign = time.monotonic()
        if isinstance(heard, Hello):
            self._met(place, heard)
            return
        place.seen, place.status = heard.number, heard.status
        place.waiting = self._listen(place)
        yield from self._said_by(place, heard)

    def _said_by(self, place: _Place, heard: Heard) -> Iterator[Event]:
        for kind, what in heard.messages:
            if kind == "data":
                place.actor.supply.remote([self._data_of(place)])
            elif kind == "finished":
                event, files = what
                if place.job is not None and files:
                    deliver(place.job, files)
                yield self._done(place, event)
            elif isinstance(what, Failed):
                yield self._done(place, what)
            elif isinstance(what, Reported):
                yield from self._reported(place, what)
            elif isinstance(what, Started):
                yield what

    def _listen(self, place: _Place) -> Any:
        return place.actor.hear.remote(place.seen, LISTEN)

    def _met(self, place: _Place, hello: Hello) -> None:
        if (hello.version, hello.python) != (__version__, PYTHON):
            raise WorkerError(
                f"{hello.host} has fertune {hello.version} on Python {hello.python}, and this machine has "
                f"{__version__} on {PYTHON}",
                help="install the same on all machines of the cluster",
            )
        answer = self._log_dir / f"{self._probe}-{place.number}"
        place.shares = hello.shares and answer.exists()
        answer.unlink(missing_ok=True)
        place.node = replace(place.node, host=hello.host)
        place.ready, self._lost_starts = True, 0
        place.waiting = self._listen(place)

    def _reported(self, place: _Place, event: Reported) -> Iterator[Event]:
        go = event.job_id not in self._told_to_stop
        if event.step > self._said.get(event.job_id, 0):  # else it begins anew, and this was told before
            self._said[event.job_id] = event.step
            self._answering, self._go = event.job_id, True
            yield event
            self._answering, go = None, self._go and go
        place.actor.answer.remote(go)

    def _done(self, place: _Place, event: Finished | Failed) -> Event:
        place.job, place.since = None, time.monotonic()
        self._forget(event.job_id)
        return event

    def _data_of(self, place: _Place) -> Any:
        """A reference to the files of the data set of the worker's job, put into the object store once a run."""
        folder = str(getattr(place.job, "data", ""))
        if folder not in self._data:
            self._data[folder] = self._ray.put({n: path.read_bytes() for n, path in data_files(Path(folder))})
        return self._data[folder]

    # --- the dead -------------------------------------------------------------------------------------------------

    def _buried(self) -> Iterator[Event]:
        """Actors that died: with their machine, and the job begins anew elsewhere; or alone, and the job failed."""
        dead = [place for place in self._places if place.died is not None]
        if not dead:
            return
        alive = {node.id for node in nodes_of(self._ray.nodes())}
        for place in dead:
            until, error = place.died or (0.0, RuntimeError())
            lost = place.node.id not in alive or "its node has died" in str(error)
            if not lost and time.monotonic() < until and place.ready:
                continue
            self._places.remove(place)
            self._looked = 0.0
            with suppress(Exception):  # it is gone already, or its machine is
                self._ray.kill(place.actor)
            if lost and place.job is not None:
                self._queue.appendleft(place.job)
                if place.job.id in self._told_to_stop:
                    self.stop(place.job.id)
            elif place.job is not None:
                yield self._done(place, Failed(place.job.id, _cause(error)))
            elif not lost and not place.ready:
                self._lost_starts += 1
                if self._lost_starts > LOST_STARTS:
                    raise WorkerError(
                        "workers on the Ray cluster end before they start", details=[_cause(error).message],
                        help=f"what Ray wrote: /tmp/ray/session_latest/logs on {place.node.host}; {HOWTO}",
                    )  # fmt: skip


def _usual_threads(where: Where) -> int:
    """Cores of a worker, as ``auto`` has it on this machine."""
    split = automatic_workers(choose_gpus(where.gpus) if where.address is None else (), per_gpu=where.per_gpu)
    return split.threads or max(1, cores() // split.workers)


def _free(place: _Place) -> bool:
    return place.ready and place.job is None and place.died is None


def _cause(error: BaseException) -> Failure:
    """Why an actor died whose machine lives."""
    text = str(error)
    if type(error).__name__ == "OutOfMemoryError" or "low on memory" in text:
        return Failure(FailureKind.OUT_OF_MEMORY, "Ray ended the worker: memory of its machine ran out", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return Failure(
        FailureKind.CRASHED, f"the worker's actor ended: {lines[-1][:300] if lines else type(error).__name__}", text
    )
