"""Searchers that users bring: found, made, watched at each answer, and told what they broke."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

import fertune as ft
from fertune.errors import ConfigError, RunError
from fertune.searchers import find_own, restore
from fertune.searchers.own import OwnSearcher
from fertune.space import Space
from fertune.testing import SearcherContract, drive
from fertune.testing.searchers import ACCURACY, FOUR, WIDE
from fertune.trial import Complete, Exhausted, Searcher, Suggestion, Wait

PAGE = Path(__file__).resolve().parents[2] / "docs" / "howto" / "own-searcher.md"
MINE = PAGE.read_text("utf-8").split("```python\n")[1].split("\n\nrun = ft.search(")[0].replace("Shuffled", "Mine")
"""The example of the documentation, without the search."""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    (tmp_path / "mine.py").write_text(MINE)
    return f"{tmp_path}/mine.py:Mine"


def namespace() -> dict[str, Any]:
    scope: dict[str, Any] = {"__name__": "mine"}
    exec(MINE, scope)
    return scope


class TestAFewLines(SearcherContract):
    """The example of the documentation passes the suite that it is told to pass."""

    def make(self, space: Space, **options: Any) -> Searcher:
        made: Searcher = namespace()["Mine"](space, **options)
        return made


class TestWatched(SearcherContract):
    """What stands between a user's searcher and the loop keeps all rules, and adds what the searcher lacks."""

    def make(self, space: Space, **options: Any) -> Searcher:
        own = find_own(namespace()["Mine"])
        assert own is not None
        return own.make(space, **options)


def test_names_of_engines_are_not_ones_own() -> None:
    assert find_own(None) is find_own("tpe") is find_own("hyberband") is None


def test_it_is_found_in_a_file(mine: str) -> None:
    own = find_own(mine)
    assert own is not None and own.name == "own:Mine" and own.typed == mine and own.source == MINE


def test_a_file_may_hold_data_classes(tmp_path: Path) -> None:
    head = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Note:\n    n: int\n"
    )
    (tmp_path / "noted.py").write_text(head + MINE)
    own = find_own(f"{tmp_path}/noted.py:Mine")
    assert own is not None
    assert len(drive(own.make(FOUR, objective=ACCURACY, seed=0, trials=3, max_epochs=2)).new) == 3


def test_a_class_or_a_function_is_one() -> None:
    def my_factory(space: Space, **options: Any) -> Searcher:
        made: Searcher = namespace()["Mine"](space, **options)
        return made

    own = find_own(my_factory)
    assert own is not None and own.name == "own:my_factory" and own.typed is None
    assert own.source is not None and "def my_factory" in own.source
    made = own.make(FOUR, objective=ACCURACY, seed=0, trials=3, max_epochs=2)
    assert len(drive(made).new) == 3


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("{dir}/mime.py:Mine", "there is no file .*did you mean 'mine.py'"),
        ("{dir}/mine.py:Main", "has no class or function 'Main'; did you mean 'Mine'"),
        ("{dir}/mine.py", "names no searcher"),
        ("{dir}/broken.py:Mine", "broken.py cannot be run"),
        ("own:Mine", "the source of your searcher Mine is needed"),
        (3, "legal: a name"),
    ],
)
def test_what_is_not_there_is_told(given: Any, wanted: str, mine: str, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import fertune\nx = 1 / 0\n")
    with pytest.raises(ConfigError, match=wanted) as caught:
        find_own(given.format(dir=tmp_path) if isinstance(given, str) else given)
    if "broken" in str(given):
        assert caught.value.details == ("broken.py:2: ZeroDivisionError: division by zero",)


def test_what_is_made_must_have_the_three_methods() -> None:
    class Half:
        def __init__(self, space: Space, **options: Any) -> None: ...

        def ask(self) -> Wait:
            return Wait()

    own = find_own(Half)
    assert own is not None
    with pytest.raises(ConfigError, match=r"no Searcher: it has no report\(\) and no tell\(\)"):
        own.make(FOUR, objective=ACCURACY, seed=0, trials=3, max_epochs=2)
    other = find_own(lambda space: None)
    assert other is not None
    with pytest.raises(ConfigError, match="cannot be made") as caught:
        other.make(FOUR, objective=ACCURACY, seed=0, trials=3, max_epochs=2)
    assert "TypeError" in caught.value.details[0]


class Says:
    """Answers what it is given to answer."""

    def __init__(self, *answers: Any) -> None:
        self.answers = iter(answers)

    def ask(self) -> Any:
        answer = next(self.answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def report(self, ticket: int, step: int, value: float) -> bool:
        return True

    def tell(self, ticket: int, outcome: Any) -> None:
        return None


def piece(ticket: int = 0, a: Any = 1, b: Any = True, budget: Any = 2, continues: Any = None) -> Suggestion:
    return Suggestion(ticket, {"a": a, "b": b}, budget, continues)


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [
        ([None], "ask() returns None; legal"),
        ([Wait()], "says Wait although nothing is open"),
        ([piece(ticket=3)], "ticket: 3 where 0 is next"),
        ([piece(a=7)], "params: a: 7 is not one of 1, 2"),
        ([piece(budget=9)], "budget: 9 is no whole number from 1 to 4"),
        ([piece(budget=True)], "budget: True is no whole number"),
        ([piece(), piece(1)], "was suggested before"),
        ([piece(), piece(1, continues=0)], "continues: ticket 0 was not told yet"),
        ([piece(continues=5)], "continues: 5 is no earlier ticket"),
        ([KeyError("lost")], "KeyError: 'lost'"),
    ],
)
def test_a_broken_rule_is_named(answers: list[Any], wanted: str) -> None:
    searcher = OwnSearcher(Says(*answers), "Says", FOUR, 9, 4)
    with pytest.raises(RunError, match="your searcher Says breaks a rule") as caught:
        for _ in answers:
            searcher.ask()
    assert wanted in str(caught.value)


def test_a_promotion_of_what_was_told_is_legal() -> None:
    searcher = OwnSearcher(Says(piece(), piece(1, budget=4, continues=0)), "Says", FOUR, 1, 4)
    first = searcher.ask()
    assert isinstance(first, Suggestion)
    searcher.tell(0, Complete(0.5))
    second = searcher.ask()
    assert isinstance(second, Suggestion) and second.continues == 0


def test_more_than_the_trials_are_not_taken_and_a_resumed_search_takes_them() -> None:
    def endless() -> OwnSearcher:
        points = (piece(i, a, b) for i, (a, b) in enumerate(itertools.product((1, 2), (True, False))))
        return OwnSearcher(Says(*points), "Says", FOUR, 2, 4)

    searcher = endless()
    played = drive(searcher)
    assert len(played.new) == 2 and played.end == Exhausted("all 2 trials were asked for")
    again = endless()
    restore(again, [*played.calls, ("extend", 3)])
    last = again.ask()
    assert isinstance(last, Suggestion) and last.params == {"a": 2, "b": True}


def test_another_searcher_than_the_journals_is_told_with_the_first_difference(mine: str) -> None:
    own = find_own(mine)
    assert own is not None

    def make(seed: int) -> Searcher:
        return own.make(WIDE, objective=ACCURACY, seed=seed, trials=5, max_epochs=2)

    calls = drive(make(0)).calls
    with pytest.raises(RunError, match="suggestion 0 is another one now than in the journal"):
        restore(make(1), calls)


def test_it_is_exported() -> None:
    assert ft.Searcher is Searcher and ft.Suggestion is Suggestion and ft.Exhausted is Exhausted
