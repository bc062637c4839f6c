"""``fertune.testing`` ships the suite, and asks for pytest only when it is used."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

import fertune.testing
from fertune.searchers import make_searcher
from fertune.space import Space
from fertune.testing import Played, SearcherContract, drive
from fertune.testing.searchers import ACCURACY, WIDE
from fertune.trial import Exhausted, Suggestion

WITHOUT = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "pytest":
            raise ModuleNotFoundError("No module named 'pytest'", name="pytest")
sys.meta_path.insert(0, Without())
import fertune, fertune.testing
fertune.Searcher, fertune.search
try:
    fertune.testing.drive
except fertune.MissingPackage as error:
    print(error.help)
"""


def test_fertune_imports_without_pytest_and_the_suite_asks_for_it() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'pip install "fertune[check]"'


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Contract'"):
        fertune.testing.Contract  # noqa: B018


def test_a_drive_ends_and_keeps_what_was_said() -> None:
    searcher = make_searcher("qmc", WIDE, objective=ACCURACY, seed=0, trials=9, max_epochs=4)
    played = drive(searcher, workers=3, fail=0.3)
    assert isinstance(played, Played) and isinstance(played.end, Exhausted)
    assert len(played.new) == 9 and len(played.outcomes) == 9 and not played.open
    assert [c[1] for c in played.calls if c[0] == "ask"] == played.suggestions


class Broken:
    """A searcher with one fault; each must fail the suite."""

    def __init__(self, fault: str, space: Space, trials: int | None, seed: int) -> None:
        self.fault, self.space = fault, space
        self.inner = make_searcher("random", space, objective=ACCURACY, seed=seed, trials=trials, max_epochs=9)
        self.first: Suggestion | None = None

    def ask(self) -> Any:
        answer = self.inner.ask()
        if not isinstance(answer, Suggestion):
            return answer
        self.first = self.first or answer
        if self.fault == "repeats":
            return Suggestion(answer.ticket, self.first.params, answer.budget)
        if self.fault == "budget":
            return Suggestion(answer.ticket, answer.params, 0)
        if self.fault == "ticket":
            return Suggestion(answer.ticket + 1, answer.params, answer.budget)
        return answer

    def report(self, ticket: int, step: int, value: float) -> bool:
        return True

    def tell(self, ticket: int, outcome: Any) -> None:
        if self.fault == "lenient" and ticket not in self.inner._open:
            return
        self.inner.tell(ticket, outcome)


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("repeats", "test_it_suggests_distinct_configurations_inside_the_space_and_ends"),
        ("budget", "test_it_suggests_distinct_configurations_inside_the_space_and_ends"),
        ("ticket", "test_it_suggests_distinct_configurations_inside_the_space_and_ends"),
        ("lenient", "test_a_ticket_is_told_once"),
        ("seed", "test_another_seed_gives_other_suggestions"),
    ],
)
def test_the_suite_can_fail(fault: str, test: str) -> None:
    class Suite(SearcherContract):
        def make(self, space: Space, **options: Any) -> Any:
            return Broken(fault, space, options["trials"], 0 if fault == "seed" else options["seed"])

    given = (1, 0.0) if "distinct" in test else ()
    with pytest.raises((AssertionError, RuntimeError, pytest.fail.Exception)):
        getattr(Suite(), test)(*given)


def test_the_suite_skips_what_a_searcher_does_not_offer() -> None:
    class Suite(SearcherContract):
        drawn = False

        def make(self, space: Space, **options: Any) -> Any:
            return Broken("none", space, options["trials"], 0)

    for test in (Suite().test_another_seed_gives_other_suggestions, Suite().test_each_session_may_ask_for_more_trials):
        with pytest.raises(pytest.skip.Exception):
            test()
