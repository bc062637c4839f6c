"""The engines' own cost: CPU time of one ask after 100, 1,000 and 4,000 asks.

python benchmarks/engines.py

No training and no coordinator: a searcher of `leaky_cnn` is asked and told, four tickets open at a time, as the loop
does it. What a search may do a second at most is the smaller of these figures and those of `coordinator.py`. An engine
whose state follows from its trials alone (tpe, gp) is brought to each mark from random trials, without their asks.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
from common import Table, report

from fertune.searchers import make_searcher
from fertune.searchers.restore import FastRestore, Restored
from fertune.space import Space, load_space
from fertune.trial import OBJECTIVES, Complete, Searcher, Suggestion

EPOCHS, OPEN = 27, 4


def made(engine: str, space: Space, trials: int) -> Searcher:
    objective = OBJECTIVES["val_accuracy"]
    return make_searcher(engine, space, objective=objective, seed=0, trials=trials, max_epochs=EPOCHS)


def jumped(searcher: FastRestore, space: Space, count: int) -> None:
    """Give it ``count`` random trials with scores."""
    rng = np.random.default_rng(0)
    points = [space.sample(rng) for _ in range(count)]
    searcher.restore(
        [Restored(Suggestion(i, p, EPOCHS), (), Complete(float(rng.random()))) for i, p in enumerate(points)]
    )


def asks(searcher: Searcher, count: int, seconds: float) -> tuple[list[float], list[float]]:
    """Seconds of each ask and of each tell until ``count`` suggestions, the engine's end, or a time limit."""
    rng = np.random.default_rng(1)
    waiting: list[int] = []
    asked: list[float] = []
    told: list[float] = []
    begun = time.perf_counter()
    while len(asked) < count and time.perf_counter() - begun < seconds:
        at = time.process_time()
        answer = searcher.ask()
        took = time.process_time() - at
        if isinstance(answer, Suggestion):
            asked.append(took)
            waiting.append(answer.ticket)
        elif not waiting:
            break
        if len(waiting) >= OPEN or not isinstance(answer, Suggestion):
            at = time.process_time()
            searcher.tell(waiting.pop(0), Complete(float(rng.random())))
            told.append(time.process_time() - at)
    return asked, told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", default="random,hyperband,asha,tpe")
    parser.add_argument("--marks", default="100,1000,4000", help="trials at which asks are timed (100,1000,4000)")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for each engine (default 120)")
    parser.add_argument("--space", default="leaky_cnn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures here")
    args = parser.parse_args()
    space, marks = load_space(args.space), [int(m) for m in args.marks.split(",")]
    table = Table(["engine", *(f"CPU ms an ask at {m:,}" for m in marks), *(f"asks a second at {m:,}" for m in marks)])
    figures: dict[str, dict[int, float | None]] = {}
    for engine in args.engines.split(","):
        found: dict[int, float | None] = {}
        if isinstance(made(engine, space, marks[-1] + 50), FastRestore):
            for mark in marks:
                searcher = made(engine, space, mark + 50)
                assert isinstance(searcher, FastRestore)
                jumped(searcher, space, mark)
                found[mark] = statistics.median(asks(searcher, 20, args.limit)[0])
        else:
            searcher = made(engine, space, marks[-1] + 50)
            took, _ = asks(searcher, marks[-1], args.limit)
            for mark in marks:
                last = took[max(0, mark - 50) : mark]
                found[mark] = statistics.median(last) if len(took) >= mark else None
        figures[engine] = found
        times = [found[m] for m in marks]
        table.row(
            engine,
            *("-" if t is None else f"{1000 * t:.2f}" for t in times),
            *("-" if t is None else f"{1 / t:,.0f}" for t in times),
        )
        print(f"{engine}: done", flush=True)
    notes = ["Medians of the 50 asks before each mark (20 after it for tpe and gp); '-': not reached in the time."]
    report(f"Engines on {args.space}, {len(space.params)} parameters", table, notes, {"seconds": figures}, args.json)


if __name__ == "__main__":
    main()
