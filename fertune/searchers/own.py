"""Searchers that users bring: found by their name in a file, made by their factory, and watched at each answer."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fertune.errors import ConfigError, FertuneError, RunError, did_you_mean
from fertune.searchers.restore import Extends
from fertune.searchers.start import StartFirst, starts
from fertune.space import Space
from fertune.trial import OWN, TUNERS, Exhausted, Objective, Outcome, Searcher, Suggestion, Wait

Factory = Callable[..., Searcher]
"""``factory(space, *, objective, seed, trials, max_epochs) -> Searcher``; a class is one."""
VERBS = ("ask", "report", "tell")


@dataclass(frozen=True)
class Own:
    """A user's searcher before it is made.

    Attributes:
        name: ``own:MySearcher``, as the run remembers it.
        factory: Makes it.
        source: Its text, for people; None where it cannot be had.
        typed: ``my_file.py:MySearcher`` where it was given so.
    """

    name: str
    factory: Factory
    source: str | None
    typed: str | None = None

    def make(
        self, space: Space, *, objective: Objective, seed: int, trials: int | None, max_epochs: int
    ) -> OwnSearcher | StartFirst:
        """A fresh one; behind the ``start`` configurations of the space, where there are any.

        Raises:
            ConfigError: The factory raises, or what it makes is no Searcher.
        """
        first = starts(space, seed)
        rest = None if trials is None else max(trials - len(first), 0)
        asked = None if rest is None else max(rest, 1)
        try:
            made = self.factory(space, objective=objective, seed=seed, trials=asked, max_epochs=max_epochs)
        except FertuneError:
            raise
        except Exception as error:  # the code is the user's: it is told with its line, and is no bug of ours
            raise ConfigError(
                f"your searcher {self.label} cannot be made",
                details=[_told(error)],
                help="it is called as factory(space, objective=..., seed=..., trials=..., max_epochs=...)",
            ) from error
        missing = [verb for verb in VERBS if not callable(getattr(made, verb, None))]
        if missing:
            raise ConfigError(
                f"your {self.label} makes a {type(made).__name__}, which is no Searcher: "
                f"it has no {' and no '.join(f'{verb}()' for verb in missing)}",
                help="see fertune.Searcher for the three methods",
            )
        own = OwnSearcher(made, self.label, space, rest, max_epochs)
        return StartFirst(first, own, trials, max_epochs) if first else own

    @property
    def label(self) -> str:
        return self.name.removeprefix(OWN)


def find_own(tuner: str | Factory | None) -> Own | None:
    """A user's searcher, by the thing itself or by ``my_file.py:MySearcher``; None where ``tuner`` names an engine.

    Raises:
        ConfigError: No such file or name, or the file cannot be run.
    """
    if tuner is None or isinstance(tuner, str) and (tuner in TUNERS or ".py" not in tuner):
        if isinstance(tuner, str) and tuner.startswith(OWN):
            label = tuner.removeprefix(OWN)
            raise ConfigError(f"the source of your searcher {label} is needed", help=f"--tuner my_file.py:{label}")
        return None
    if isinstance(tuner, str):
        return _from_file(tuner)
    if not callable(tuner):
        raise ConfigError(
            f"tuner is {tuner!r}; legal: a name ({', '.join(TUNERS)}), my_file.py:MySearcher, or a class or function "
            "that makes a Searcher"
        )
    try:
        source: str | None = inspect.getsource(tuner)
    except (OSError, TypeError):
        source = None
    return Own(OWN + str(getattr(tuner, "__name__", type(tuner).__name__)), tuner, source)


def _from_file(typed: str) -> Own:
    where, _, name = typed.rpartition(":")
    if not where.endswith(".py"):
        raise ConfigError(f"{typed} names no searcher", help=f"--tuner {typed}:MySearcher")
    path = Path(where)
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        near = [p.name for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
        raise ConfigError(f"there is no file {where}{did_you_mean(path.name, near)}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} cannot be read: {error}") from None
    spec = importlib.util.spec_from_file_location(f"fertune_searcher_{path.stem}", path)
    if spec is None:
        raise ConfigError(f"{where} cannot be loaded as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # data classes look themselves up there
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # the file is the user's
        del sys.modules[spec.name]
        raise ConfigError(f"{path.name} cannot be run", details=[_told(error)]) from error
    found = getattr(module, name, None)
    if not callable(found):
        names = [n for n, v in vars(module).items() if inspect.isclass(v) and v.__module__ == module.__name__]
        raise ConfigError(
            f"{path.name} has no class or function {name!r}{did_you_mean(name, names)}",
            help=f"--tuner {where}:{names[0]}" if names else None,
        )
    return Own(OWN + name, found, text, typed)


class OwnSearcher:
    """A user's searcher, each answer checked against the rules of ``Searcher``.

    What breaks a rule ends the search with a RunError that names it; finished trials are kept. New configurations
    beyond the number of trials are not taken.
    """

    def __init__(self, inner: Searcher, label: str, space: Space, trials: int | None, max_epochs: int) -> None:
        self._inner, self._label, self._space = inner, label, space
        self._goal, self._max_epochs = trials, max_epochs
        self._keys: set[str] = set()
        self._asked: list[Suggestion] = []
        self._open: set[int] = set()
        self._ended: Exhausted | None = None

    def ask(self) -> Suggestion | Wait | Exhausted:
        if self._ended is not None:
            return self._ended
        answer = self._call("ask")
        if isinstance(answer, Wait) and not self._open:
            raise self._broken("ask() says Wait although nothing is open")
        if not isinstance(answer, (Suggestion, Wait, Exhausted)):
            raise self._broken(f"ask() returns {answer!r}; legal: a Suggestion, Wait() or Exhausted(reason)")
        if not isinstance(answer, Suggestion):
            return answer
        faults = list(self._faults(answer))
        if faults:
            raise self._broken("ask() returns a suggestion that is not legal", faults)
        if answer.continues is None:
            if self._goal is not None and len(self._keys) >= self._goal:
                self._ended = Exhausted(f"all {self._goal} trials were asked for")
                return self._ended
            self._keys.add(self._space.key(answer.params))
        self._asked.append(answer)
        self._open.add(answer.ticket)
        return answer

    def report(self, ticket: int, step: int, value: float) -> bool:
        return bool(self._call("report", ticket, step, value))

    def tell(self, ticket: int, outcome: Outcome) -> None:
        if ticket not in self._open:
            raise RuntimeError(f"ticket {ticket} is not open: it was never asked for, or was told already")
        self._open.discard(ticket)
        self._call("tell", ticket, outcome)

    @property
    def extends(self) -> bool:
        """Whether the user's searcher has ``extend(trials)``."""
        return isinstance(self._inner, Extends)

    def extend(self, trials: int) -> None:
        """Raise the number of configurations, also of the user's searcher where it has ``extend(trials)``."""
        if self._goal is not None and trials > self._goal:
            self._goal = trials
            if isinstance(self._inner, Extends):
                self._inner.extend(trials)

    def _faults(self, made: Suggestion) -> list[str]:
        faults = [f"params: {fault}" for fault in self._space.faults(made.params)]
        if made.ticket != len(self._asked):
            faults.append(f"ticket: {made.ticket!r} where {len(self._asked)} is next")
        if type(made.budget) is not int or not 1 <= made.budget <= self._max_epochs:
            faults.append(f"budget: {made.budget!r} is no whole number from 1 to {self._max_epochs}")
        if made.continues is None:
            if not faults and self._space.key(made.params) in self._keys:
                faults.append(f"params: {dict(made.params)} was suggested before")
        elif not (isinstance(made.continues, int) and 0 <= made.continues < len(self._asked)):
            faults.append(f"continues: {made.continues!r} is no earlier ticket")
        elif made.continues in self._open:
            faults.append(f"continues: ticket {made.continues} was not told yet")
        elif dict(self._asked[made.continues].params) != dict(made.params):
            faults.append(f"continues: ticket {made.continues} has other params")
        return faults

    def _call(self, verb: str, *arguments: Any) -> Any:
        try:
            return getattr(self._inner, verb)(*arguments)
        except Exception as error:  # the code is the user's: it is told with its line, and is no bug of ours
            raise self._broken(f"{verb}() raises", [_told(error)]) from error

    def _broken(self, what: str, details: list[str] | None = None) -> RunError:
        return RunError(
            f"your searcher {self._label} breaks a rule: {what}",
            details=details or [],
            help="test it with fertune.testing.SearcherContract; finished trials are kept",
        )


def _told(error: BaseException) -> str:
    """``file.py:12: ValueError: ...``, the innermost line."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}: " if frames else ""
    if isinstance(error, SyntaxError) and error.filename:
        where = f"{Path(error.filename).name}:{error.lineno}: "
    return f"{where}{type(error).__name__}: {error}"
