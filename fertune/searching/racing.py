"""Cross-validated trials: an engine's suggestions in folds, and the weak ones stopped before the last fold.

The engine is told the mean over the folds that were trained. What it was told follows from the journal alone, since a
race that was lost is there as the outcome ``pruned`` of the fold that decided it; so a search is resumed by replay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from fertune.errors import ConfigError, RunError
from fertune.searchers import Call, restore
from fertune.searchers.restore import Extends, Learns
from fertune.trial import Complete, Exhausted, Failure, Outcome, Params, Pruned, Searcher, Suggestion, Wait

FOLD_TAGS = ("fold", "of")


@dataclass
class _Course:
    """One suggestion of the engine on its way through the folds.

    Attributes:
        inner: What the engine suggested, its own ticket.
        of: Folds that it is to be trained on.
        first: Our ticket of its first fold.
        asked: Folds that were asked for.
        open: Ours that were asked for and not told: ticket -> fold.
        values: Fold -> value, of the folds that count.
        seconds: That each fold may take; None for no limit.
        end: What ended it before its last fold.
        ahead: All folds may be asked for at once.
    """

    inner: Suggestion
    of: int
    first: int = -1
    asked: int = 0
    open: dict[int, int] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)
    seconds: float | None = None
    end: Pruned | Failure | None = None
    ahead: bool = False

    @property
    def more(self) -> bool:
        return self.end is None and self.asked < self.of

    @property
    def mean(self) -> float:
        return sum(self.values.values()) / len(self.values)


class FoldRacing:
    """A Searcher that trains each configuration of another one on fold 0, 1, ... of ``folds``.

    Folds of what has begun come before new configurations, one after the other, so that a weak one costs one or two.
    Where the engine has nothing new to say they run side by side. A piece of the engine with a part of the rows
    (``share``) is a probe and is trained on fold 0 only; one that may take so many ``seconds`` with all cores is
    trained on all folds at once, each with its part of that time.

    Args:
        inner: The engine; it must not promote whole-row pieces.
        folds: Number of folds.
        slots: Workers, among which the seconds of a piece are divided.
    """

    def __init__(self, inner: Searcher, *, folds: int, slots: int = 1) -> None:
        self._inner, self._folds, self._slots = inner, folds, max(slots, 1)
        self._live: list[_Course] = []
        self._of: dict[int, _Course] = {}
        self._by_inner: dict[int, _Course] = {}
        self._next = 0

    def ask(self) -> Suggestion | Wait | Exhausted:
        """The next fold of what has begun and is not weak, else a new configuration, else a further fold ahead."""
        due = next((c for c in self._live if c.more and (c.ahead or not c.open)), None)
        if due is not None:
            return self._piece(due)
        answer = self._inner.ask()
        if isinstance(answer, Suggestion):
            return self._piece(self._begin(answer))
        spare = next((c for c in self._live if c.more), None)
        if spare is not None:
            return self._piece(spare)
        return Wait() if self._live else answer

    def _begin(self, inner: Suggestion) -> _Course:
        if inner.continues is not None and self._by_inner[inner.continues].of == self._folds:
            raise RunError(
                "the searcher trains a configuration further, which --cv does not do",
                help="leave --cv out, or choose a searcher that makes no promotions",
            )
        probe = inner.share < 1
        of = 1 if probe else self._folds
        seconds = None if inner.seconds is None else inner.seconds / -(-of // self._slots)
        course = _Course(inner, of, ahead=not probe and inner.seconds is not None, seconds=seconds)
        self._live.append(course)
        self._by_inner[inner.ticket] = course
        return course

    def _piece(self, course: _Course) -> Suggestion:
        ticket, fold = self._next, course.asked
        inner = course.inner
        earlier = course.first if fold else None
        if fold == 0 and inner.continues is not None:
            earlier = self._by_inner[inner.continues].first
        self._take(course, ticket, fold)
        return replace(
            inner,
            ticket=ticket,
            continues=earlier,
            tags={**inner.tags, "fold": fold, "of": course.of},
            fold=fold,
            seconds=course.seconds,
            alone=inner.alone and course.of == 1,
        )

    def _take(self, course: _Course, ticket: int, fold: int) -> None:
        if fold == 0:
            course.first = ticket
        course.asked = fold + 1
        course.open[ticket] = fold
        self._of[ticket] = course
        self._next = ticket + 1

    def report(self, ticket: int, step: int, value: float) -> bool:
        """The engine hears of the epochs of fold 0; a fold of what has ended meanwhile is broken off."""
        course = self._of[ticket]
        if course.end is not None:
            return False
        return course.open[ticket] > 0 or self._inner.report(course.inner.ticket, step, value)

    def tell(self, ticket: int, outcome: Outcome) -> None:
        """The end of a fold; the engine is told once nothing of the configuration is open any more."""
        course = self._of[ticket]
        fold = course.open.pop(ticket)
        if course.end is None:
            if not isinstance(outcome, Failure):
                course.values[fold] = outcome.value
            if not isinstance(outcome, Complete):
                course.end = outcome
        elif isinstance(outcome, Complete):
            course.values[fold] = outcome.value
        elif isinstance(outcome, Failure):
            course.end = outcome
        if course.open or course.more:
            return
        self._live.remove(course)
        self._inner.tell(course.inner.ticket, self._outcome(course, outcome))

    @staticmethod
    def _outcome(course: _Course, last: Outcome) -> Outcome:
        if isinstance(course.end, Failure):
            return course.end
        if course.end is not None:
            return Pruned(course.mean)
        return Complete(course.mean, last.second if isinstance(last, Complete) else None)

    @property
    def extends(self) -> bool:
        """Whether the engine has ``extend(trials)``."""
        return bool(getattr(self._inner, "extends", isinstance(self._inner, Extends)))

    def extend(self, trials: int) -> None:
        """Raise the number of configurations."""
        if isinstance(self._inner, Extends):
            self._inner.extend(trials)

    def learn(self, params: Params, outcome: Outcome) -> None:
        """See ``Learns``."""
        if not isinstance(self._inner, Learns):
            raise ConfigError("--warm-start does not go with a searcher that has no learn(params, outcome)")
        self._inner.learn(params, outcome)

    def replay(self, calls: Iterable[Call], *, written_by: str | None = None) -> None:
        """Take the calls of a journal; the engine gets those that concern it, as ``restore`` gives them.

        Raises:
            RunError: The engine suggests something else than it did then.
        """
        inner, heard = self._inner, _Heard()
        self._inner = heard
        for call in calls:
            match call[0]:
                case "ask":
                    self._asked(call[1], heard)
                case "report":
                    self.report(call[1], call[2], call[3])
                case "tell":
                    self.tell(call[1], call[2])
                case _:
                    heard.calls.append(call)
        self._inner = inner
        restore(inner, heard.calls, written_by=written_by)

    def _asked(self, made: Suggestion, heard: _Heard) -> None:
        """A piece of the journal: fold 0 is the beginning of what the engine suggested."""
        fold = made.fold or 0
        if fold:
            course = self._of[made.continues if made.continues is not None else -1]
        else:
            earlier = None if made.continues is None else self._of[made.continues].inner.ticket
            tags = {name: value for name, value in made.tags.items() if name not in FOLD_TAGS}
            course = self._begin(
                replace(made, ticket=len(self._by_inner), continues=earlier, tags=tags, fold=None, alone=False)
            )
            course.seconds = made.seconds
            heard.calls.append(("ask", course.inner))
        self._take(course, made.ticket, fold)


class _Heard:
    """Stands in for the engine while a journal is replayed, and keeps what it would have heard."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def ask(self) -> Suggestion | Wait | Exhausted:
        raise RuntimeError("a journal is replayed; nothing is asked")

    def report(self, ticket: int, step: int, value: float) -> bool:
        self.calls.append(("report", ticket, step, value))
        return True

    def tell(self, ticket: int, outcome: Outcome) -> None:
        self.calls.append(("tell", ticket, outcome))
