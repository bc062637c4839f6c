"""Kills searches at random instants, resumes them, and says whether anything was lost: one JSON line.

Run as a program, so that what it forks has no threads of other tests in it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import pretended

from fertune.searching import Observer
from fertune.store import read_journal


class Ready(Observer):
    """Says through a pipe that the first trial of a sitting has started."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def trial_started(self, trial: Any) -> None:
        if self._pipe is not None:
            os.write(self._pipe, b"!")
            self._pipe = None


def one_sitting(out: Path, delay: float, options: dict[str, Any], wait: bool) -> bool:
    """A search in a process of its own, killed after ``delay`` seconds; true where it was done before.

    Args:
        wait: Count from when it trains, not from its beginning.
    """
    hears, says = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        os.close(hears)
        try:
            pretended.search(out, **options, observer=Ready(says))
            code = 0
        except BaseException:  # a forked child must end here, not go on as the test run itself
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(says)
    if wait:
        os.read(hears, 1)
    time.sleep(delay)
    os.close(hears)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    if os.WEXITSTATUS(status):
        raise SystemExit("a sitting failed")
    return True


def ended_of(out: Path) -> dict[int, Any]:
    """What is finished in a run, each stretch as it was told."""
    if not (out / "journal.jsonl").exists():
        return {}
    lines = read_journal(out / "journal.jsonl")
    return {x["ticket"]: x["value"] for x in lines if x["event"] == "told" and x["outcome"] == "completed"}


def main(root: Path, tuner: str, workers: int, kills: int) -> None:
    options = {"tuner": tuner, "workers": workers, "trials": 12, "pause": 0.001}
    pretended.search(root / "quiet", **options)
    quiet = pretended.reading(root / "quiet")
    chance = random.Random(f"{tuner} {workers}")
    killed = runs = retried = 0
    faults: list[str] = []
    while killed < kills:
        out, done = root / f"run-{runs}", False
        before: dict[int, Any] = {}
        while not done:
            late = chance.random() < 0.8
            delay = 10.0 if killed >= kills else chance.uniform(0.0, 0.08)
            done = one_sitting(out, delay, options, late)
            killed += not done
            after = ended_of(out)
            faults += [f"run {runs}: ticket {t} was lost" for t, value in before.items() if after.get(t) != value]
            before = after
        runs += 1
        retried += sum(1 for line in read_journal(out / "journal.jsonl") if line["event"] == "retried")
        found = pretended.reading(out)
        if workers == 1 or tuner in ("random", "grid"):
            faults += [f"run {runs}: {a} became {b}" for a, b in zip(quiet, found, strict=True) if a != b]
            if pretended.files(out) != pretended.files(root / "quiet"):
                faults.append(f"run {runs}: {pretended.files(out)} lie there")
        params = [str(sorted(t[2].items())) for t in found]
        if len(params) != len(quiet) or len(set(params)) != len(params):
            faults.append(f"run {runs}: {len(params)} trials, {len(set(params))} of them different")
    print(json.dumps({"kills": killed, "runs": runs, "retried": retried, "faults": faults[:5]}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
