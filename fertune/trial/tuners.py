"""The engines by name: whose they are, and what goes with each. No engine is imported for this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tuner:
    """An engine that a search can be given by name.

    Attributes:
        name: As in ``--tuner``.
        library: Distribution that it comes from, as ``run.json: versions`` names it.
        doc: One line for people.
        prunes: Whether a pruner goes with it.
        two: Whether it takes two objectives.
        rungs: Whether it trains many a little and few to the end, so that a fidelity goes with it.
        timed: Whether it divides a time budget, which it then needs.
        blind: Whether it suggests the same whatever the results are.
        needs: (module, distribution, extra) of what it imports beyond what every installation has.
    """

    name: str
    library: str
    doc: str
    prunes: bool = False
    two: bool = False
    rungs: bool = False
    timed: bool = False
    blind: bool = False
    needs: tuple[tuple[str, str, str], ...] = ()


KERAS_TUNER, OPTUNA, FERTUNE = "keras-tuner", "optuna", "fertune"
_ALL = (
    Tuner("random", KERAS_TUNER, "independent draws", blind=True),
    Tuner("hyperband", KERAS_TUNER, "brackets of successive halving: many short trainings, few long ones",
          rungs=True),
    Tuner("asha", FERTUNE, "asynchronous successive halving: as hyperband, and no worker ever waits", rungs=True),
    Tuner("sprint", FERTUNE, "for a time budget: the space's start trained long, then looks at others", timed=True),
    Tuner("tpe", OPTUNA, "tree-structured Parzen estimator; models conditional parameters", prunes=True),
    Tuner("bayesian", KERAS_TUNER, "Gaussian process, upper confidence bound"),
    Tuner("grid", KERAS_TUNER, "all combinations once", blind=True),
    Tuner("gp", OPTUNA, "Gaussian process, expected improvement", prunes=True, needs=(("torch", "torch", "gp"),)),
    Tuner("cmaes", OPTUNA, "evolution of a normal distribution; numbers only", prunes=True,
          needs=(("cmaes", "cmaes", "cmaes"),)),
    Tuner("qmc", OPTUNA, "a Sobol sequence: more even than random draws", prunes=True),
    Tuner("nsga2", OPTUNA, "a genetic algorithm; the one for two objectives", two=True),
)  # fmt: skip
TUNERS: dict[str, Tuner] = {tuner.name: tuner for tuner in _ALL}
"""By name, in the order in which they are listed."""

OWN = "own:"
"""Before the name of a searcher that its user brought: ``own:MySearcher``."""


def library_of(tuner: str) -> str | None:
    """The distribution that an engine comes from; None for a user's own searcher."""
    return TUNERS[tuner].library if tuner in TUNERS else None
