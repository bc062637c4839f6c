"""Idle workers and time to the best, 1 to 1,000 workers: asynchronous halving against Hyperband, in virtual time.

python benchmarks/simulation.py --figure docs/explanation/scaling.svg --json scaling.json

The real loop with its real journal and the real engines run over an executor in virtual time. A trial plays a learning
curve that was measured (`benchmarks/curves/`), drawn with replacement; an epoch takes the seconds that it took. Nothing
is trained, and the clock is virtual, so figures do not depend on the machine. `--quick` is a small one of it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import Table, middle, spread, write_json

from fertune.report.theme import HEX, css
from fertune.searchers import make_searcher
from fertune.searching import Search
from fertune.space import Int, Space
from fertune.store import Journal
from fertune.testing import VirtualExecutor
from fertune.trial import OBJECTIVES, Suggestion, Trial

CURVES = Path(__file__).parent / "curves" / "small-faces.json"
WORKERS = (1, 3, 10, 30, 100, 300, 1000)
ENGINES = {"hyperband": "Hyperband", "asha": "asynchronous halving"}
COLOURS = {"hyperband": "variant", "asha": "single"}
SPACE = Space("curves", [Int("x", 0, 10**6)])
GOOD = 0.05
"""A value is good that so large a share of all curves comes to; the best one is that of the best curve."""


@dataclass(frozen=True)
class Curve:
    """One measured training.

    Attributes:
        seconds: Of an epoch.
        values: Validation accuracy after each epoch.
    """

    seconds: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class Piece:
    """A job: the curve it plays, from epoch ``first`` to ``budget``."""

    id: str
    curve: Curve
    first: int
    budget: int


@dataclass(frozen=True)
class Played:
    """One simulated search; times in minutes.

    Attributes:
        idle: Share of all workers' time in which they had nothing to do, from 0 to 1.
        good: Until the first trial came to a good value, or None.
        best: Until the first one came to the best value, or None.
        whole: Until the search ended.
        epochs: Trained in all.
    """

    idle: float
    good: float | None
    best: float | None
    whole: float
    epochs: int


def play(engine: str, curves: list[Curve], workers: int, trials: int, seed: int) -> Played:
    """One search."""
    epochs = len(curves[0].values)
    highest = sorted((max(c.values) for c in curves), reverse=True)
    goals = {"good": highest[max(0, round(GOOD * len(curves)) - 1)], "best": highest[0]}
    reached: dict[str, float] = {}
    count = 0

    def value(job: Piece, step: int) -> float:
        nonlocal count
        count += 1
        now = job.curve.values[step - 1]
        for name, goal in goals.items():
            if now >= goal:
                reached.setdefault(name, executor.now / 60)
        return now

    def job(trial: Trial, suggestion: Suggestion) -> Piece:
        curve = curves[random.Random(f"{seed}/{suggestion.params['x']}").randrange(len(curves))]
        first = trial.rungs[-2].epochs if len(trial.rungs) > 1 else 0
        return Piece(f"{trial.id}-{suggestion.ticket}", curve, first, suggestion.budget)

    executor = VirtualExecutor(workers, seconds=lambda job, step: job.curve.seconds, value=value)
    accuracy = OBJECTIVES["val_accuracy"]
    searcher = make_searcher(engine, SPACE, objective=accuracy, seed=seed, trials=trials, max_epochs=epochs)
    with tempfile.TemporaryDirectory(prefix="fertune-simulation-") as folder:
        journal = Journal(Path(folder) / "journal.jsonl")
        Search(searcher=searcher, executor=executor, journal=journal, make_job=job, objective=accuracy).run()
        journal.close()
    idle = 1 - executor.busy / (workers * executor.now)
    return Played(idle, reached.get("good"), reached.get("best"), executor.now / 60, count)


def figure(found: dict[str, dict[int, list[Played]]], path: Path) -> None:
    """Two panels, one line an engine: medians, and the range over the seeds."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    muted, axis = HEX["muted"], HEX["axis"]
    settings = {
        "svg.fonttype": "none", "svg.hashsalt": "fertune", "font.size": 12, "text.color": HEX["ink"],
        "axes.edgecolor": axis, "axes.labelcolor": muted, "axes.titlecolor": HEX["ink"], "xtick.color": axis,
        "ytick.color": axis, "xtick.labelcolor": muted, "ytick.labelcolor": muted, "grid.color": HEX["grid"],
        "axes.spines.top": False, "axes.spines.right": False, "figure.facecolor": "none", "axes.facecolor": "none",
        "xtick.minor.size": 0, "ytick.minor.size": 0, "axes.titlesize": 12,
    }  # fmt: skip
    with matplotlib.rc_context(settings):
        drawn, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        for engine, by_workers in found.items():
            colour, at = HEX[COLOURS[engine]], sorted(by_workers)
            shape = "o" if engine == "asha" else "s"
            idle = {n: [100 * p.idle for p in by_workers[n]] for n in at}
            good = {n: [p.good for p in by_workers[n] if p.good is not None] for n in at}
            for axes, values in ((left, idle), (right, {n: v for n, v in good.items() if v})):
                some = sorted(values)
                axes.plot(some, [middle(values[n]) for n in some], color=colour, marker=shape, label=ENGINES[engine])
                low, high = [min(values[n]) for n in some], [max(values[n]) for n in some]
                axes.fill_between(some, low, high, color=colour, alpha=0.18, linewidth=0)
        left.set(title="workers' time without work, %", xlabel="workers", xscale="log", ylim=(0, 100))
        right.set(title="minutes to one of the best 5 %", xlabel="workers", xscale="log", yscale="log")
        for axes in (left, right):
            axes.grid(axis="y")
            axes.set_xticks(sorted(next(iter(found.values()))))
            axes.set_xticklabels([f"{n:,}" for n in sorted(next(iter(found.values())))])
        left.legend(frameon=False, labelcolor=HEX["ink"])
        path.parent.mkdir(parents=True, exist_ok=True)
        drawn.savefig(path, transparent=True, metadata={"Date": None, "Creator": None})
        pyplot.close(drawn)
    text = path.read_text("utf-8")
    for name, shade in HEX.items():
        text = text.replace(shade, f"var(--{name})")
    used = set(re.findall(r"var\(--([a-z0-9-]+)\)", text))

    def variables(theme: str) -> str:
        return "".join(f"{d};" for d in css(theme).split(";") if d.partition(":")[0].strip().removeprefix("--") in used)

    style = f"<style>svg{{{variables('light')}font-family:sans-serif}}"
    style += f"@media(prefers-color-scheme:dark){{svg{{{variables('dark')}}}}}</style>"
    head = text.index(">", text.index("<svg")) + 1
    path.write_text(text[:head] + style + re.sub(r" font-family=\"[^\"]*\"", "", text[head:]), "utf-8")
    print(f"figure: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=Path, default=CURVES)
    parser.add_argument("--trials", type=int, default=1000, help="configurations of each search")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="+", default=list(WORKERS))
    parser.add_argument("--jobs", type=int, help="processes (default: one a core); changes no figure")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="200 configurations, 2 seeds, up to 100 workers")
    given = parser.parse_args()
    if given.quick:
        given.trials, given.seeds, given.workers = 200, 2, [n for n in given.workers if n <= 100]
    stored: dict[str, Any] = json.loads(given.curves.read_text("utf-8"))
    curves = [Curve(c["seconds"], tuple(c["values"])) for c in stored["curves"]]
    found: dict[str, dict[int, list[Played]]] = {engine: {} for engine in ENGINES}
    table = Table(
        [
            "workers",
            "engine",
            "idle, %",
            "minutes to one of the best 5 %",
            "found the very best",
            "minutes to the end",
            "epochs",
        ]
    )
    with ProcessPoolExecutor(given.jobs) as pool:
        asked = {
            (workers, engine): [
                pool.submit(play, engine, curves, workers, given.trials, seed) for seed in range(given.seeds)
            ]
            for workers in given.workers
            for engine in ENGINES
        }
        for (workers, engine), futures in asked.items():
            plays = [future.result() for future in futures]
            found[engine][workers] = plays
            good = [p.good for p in plays if p.good is not None]
            best = f"{sum(p.best is not None for p in plays)} of {len(plays)}"
            idle, whole = spread([100 * p.idle for p in plays]), spread([p.whole for p in plays], 2)
            epochs = f"{middle([p.epochs for p in plays]):,.0f}"
            table.row(f"{workers:,}", ENGINES[engine], idle, spread(good, 2) if good else "never", best, whole, epochs)
            print(str(table).splitlines()[-1], flush=True)
    print()
    print(table)
    print(f"\n{len(curves)} curves of {stored['epochs']} epochs; {given.trials:,} configurations, {given.seeds} seeds:")
    print("median (least to greatest).")
    write_json(
        given.json,
        {e: {n: [vars(p) for p in plays] for n, plays in by.items()} for e, by in found.items()},
    )
    if given.figure:
        figure(found, given.figure)


if __name__ == "__main__":
    main()
