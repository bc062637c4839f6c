"""Meta-learners that users bring: two functions of their own, and arrays between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fertune.config import META_LEARNERS
from fertune.errors import ConfigError
from fertune.space import Space
from fertune.stacking.meta.arrays import FILE, Arrays, read_arrays
from fertune.stacking.meta.learner import Doubles, Labels, Proba, check_input, read_state, settings, write_state
from fertune.trial import Value

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
Result = TypeVar("Result")


class BrokenLearner(ConfigError):
    """The code of a user's meta-learner raised, or returned what is not legal."""


class OwnMetaLearner:
    """Base of a meta-learner of your own: give it a ``name``, ``learn`` and ``apply``.

    What it learns is a dict of arrays, so that it is stored without pickle and loaded again by the same class. It is
    only ever shown out-of-fold probabilities, tuned and scored by cross-validation over them like any other, and may be
    chosen for the stack.

    Attributes:
        name: Small letters, digits and ``_``; not one of fertune's own.
        role: ``meta``, or ``average`` for one with nothing to tune.
        defaults: Every parameter with its value where none is given.
    """

    name: str = ""
    role: str = "meta"
    defaults: Mapping[str, Value] = {}

    def space(self) -> Space | None:
        """What may be tuned, over the names in ``defaults``; None for nothing."""
        return None

    def learn(
        self, params: Mapping[str, Any], proba: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], seed: int
    ) -> Mapping[str, npt.NDArray[Any]]:
        """What there is to remember.

        Args:
            params: Every name of ``defaults``.
            proba: (n, models, classes) float64, out of fold; rows of each model sum to 1.
            labels: (n,) int64, 0 to classes - 1; a class may be absent.
            seed: Same seed, same arrays.

        Returns:
            Arrays of finite numbers, by name; an empty dict where nothing is learned.
        """
        raise NotImplementedError

    def apply(self, arrays: Mapping[str, npt.NDArray[Any]], proba: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Probabilities of other rows.

        Args:
            arrays: What ``learn`` returned.
            proba: (n, models, classes) float64; models and classes in the order of ``learn``.

        Returns:
            (n, classes), finite, none below 0, no row all zero; rows are divided by their sums.
        """
        raise NotImplementedError

    def told(self, arrays: Mapping[str, npt.NDArray[Any]]) -> str:
        """One clause for the report: what it learned."""
        return "a meta-learner of the user's own"

    def fit(
        self, params: Mapping[str, Value], proba: Proba, labels: Labels, seed: int = 0, *, threads: int = 1
    ) -> OwnFitted:
        """Call ``learn`` and check what it returns; see ``MetaLearner.fit``.

        Raises:
            BrokenLearner: It raises, or returns no dict of arrays of finite numbers.
        """
        chosen = settings(self.name, self.defaults, params)
        check_input(proba, labels)
        given = np.asarray(proba, np.float64), np.asarray(labels, np.int64)
        learned = _called(self, "learn", lambda: self.learn(chosen, given[0].copy(), given[1].copy(), seed))
        if not isinstance(learned, Mapping):
            raise BrokenLearner(f"learn() of {self.name} returns {type(learned).__name__}; a dict of arrays is needed")
        arrays = {str(name): np.asarray(value) for name, value in learned.items()}
        for name, value in arrays.items():
            if value.dtype.kind not in "biuf" or not np.all(np.isfinite(value)):
                raise BrokenLearner(f"learn() of {self.name}: {name!r} is no array of finite numbers")
        return OwnFitted(self, arrays, (proba.shape[1], proba.shape[2]))

    def load(self, folder: str | Path) -> OwnFitted:
        """Read what ``OwnFitted.save`` wrote.

        Raises:
            RunError: Missing, damaged, or of another learner.
        """
        state = read_state(folder, self.name)
        return OwnFitted(self, read_arrays(folder, self.name), (state["models"], state["classes"]))


@dataclass(frozen=True, eq=False)
class OwnFitted:
    """A fitted ``OwnMetaLearner``: the learner and its arrays."""

    learner: OwnMetaLearner
    arrays: Arrays
    shape: tuple[int, int]

    def predict_proba(self, proba: Proba) -> Doubles:
        check_input(proba)
        if proba.shape[1:] != self.shape:
            raise ValueError(f"proba has shape {proba.shape} where (n, {self.shape[0]}, {self.shape[1]}) is needed")
        given = np.array(proba, np.float64)
        made = _called(self.learner, "apply", lambda: np.asarray(self.learner.apply(self.arrays, given), np.float64))
        wanted = (len(proba), self.shape[1])
        sums = made.sum(axis=1, keepdims=True) if made.shape == wanted else np.zeros(1)
        if made.shape != wanted or not np.all(np.isfinite(made)) or np.any(made < 0) or not np.all(sums > 0):
            raise BrokenLearner(
                f"apply() of {self.learner.name} returns no probabilities: shape {made.shape}, needed is {wanted}, "
                "finite, none below 0, no row all zero"
            )
        return np.asarray(made / sums)

    def explain(self, names: Sequence[str] | None = None, classes: Sequence[str] | None = None) -> dict[str, Any]:
        return {"kind": "none", "reason": str(_called(self.learner, "told", lambda: self.learner.told(self.arrays)))}

    def save(self, folder: str | Path) -> None:
        """Write ``learner.json`` and ``model.npz``."""
        folder = write_state(folder, self.learner.name, self.shape, {"own": True})
        arrays: dict[str, Any] = dict(self.arrays)
        np.savez_compressed(folder / FILE, **arrays)


def _called(learner: OwnMetaLearner, verb: str, call: Callable[[], Result]) -> Result:
    """What the user's code returns.

    Raises:
        BrokenLearner: It raised; the code is the user's, so this is no bug of fertune.
    """
    try:
        return call()
    except Exception as error:
        raise BrokenLearner(f"{verb}() of {learner.name} raised {type(error).__name__}: {error}") from error


def check_own(learner: object) -> OwnMetaLearner:
    """The same, once it is known to be a usable ``OwnMetaLearner``.

    Raises:
        ConfigError: It is none, or its name is not legal or taken.
    """
    if isinstance(learner, type) and issubclass(learner, OwnMetaLearner):
        learner = learner()
    if not isinstance(learner, OwnMetaLearner):
        raise ConfigError(
            f"{learner!r} is no meta-learner; legal: a name ({', '.join(META_LEARNERS)}), or an object of a class "
            "derived from fertune.OwnMetaLearner"
        )
    if not isinstance(learner.name, str) or not NAME.fullmatch(learner.name):
        raise ConfigError(f"a meta-learner cannot be named {learner.name!r}; legal: small letters, digits and _")
    if learner.name in META_LEARNERS or learner.name == "all":
        raise ConfigError(f"fertune has a meta-learner named {learner.name!r} already; choose another name")
    missing = [verb for verb in ("learn", "apply") if getattr(type(learner), verb) is getattr(OwnMetaLearner, verb)]
    if missing:
        raise ConfigError(f"the meta-learner {learner.name} has no {' and no '.join(f'{verb}()' for verb in missing)}")
    space = learner.space()
    unknown = [] if space is None else [name for name in space.names if name not in learner.defaults]
    if unknown:
        raise ConfigError(f"the meta-learner {learner.name} tunes {', '.join(unknown)}, which its defaults lack")
    return learner
