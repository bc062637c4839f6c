"""Searchers that train many a little and few to the end, over spaces, failures, early stops and numbers of workers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fertune.errors import ConfigError
from fertune.searchers import Around, Engine, make_searcher, restore
from fertune.searchers.asha import AshaSearcher
from fertune.searchers.rungs import levels
from fertune.space import Space
from fertune.testing.searchers import ACCURACY, FOUR, ONE, TREE, WIDE, Played, drive
from fertune.trial import Complete, Suggestion

SPACES = st.sampled_from([WIDE, FOUR, TREE, ONE])
SHARES = st.sampled_from([0.0, 0.2, 0.6, 1.0])
EPOCHS = st.sampled_from([1, 2, 3, 4, 9, 10])
FIDELITY = st.sampled_from(["epochs", "epochs", "data", "resolution"])
RUNGS = ["hyperband", "asha"]


def made(tuner: str, space: Space, trials: int | None, max_epochs: int, seed: int, fidelity: str = "epochs") -> Engine:
    return make_searcher(
        tuner,
        space,
        objective=ACCURACY,
        seed=seed,
        trials=trials,
        max_epochs=max_epochs,
        fidelity=fidelity,
        around=Around(side=48),
    )


def copied(played: Played) -> Played:
    return Played(list(played.suggestions), list(played.calls), dict(played.outcomes), list(played.open))


@pytest.mark.parametrize("tuner", RUNGS)
@settings(max_examples=25, deadline=None)
@given(
    space=SPACES,
    trials=st.integers(1, 20),
    max_epochs=EPOCHS,
    workers=st.integers(1, 8),
    fail=SHARES,
    early=SHARES,
    seed=st.integers(0, 99),
    fidelity=FIDELITY,
)
def test_it_always_ends_and_trains_nothing_in_vain(
    tuner: str, space: Space, trials: int, max_epochs: int, workers: int, fail: float, early: float, seed: int,
    fidelity: str,
):  # fmt: skip
    searcher = made(tuner, space, trials, max_epochs, seed, fidelity)
    played = drive(searcher, workers=workers, fail=fail, early=early, seed=seed, steps=500)
    assert played.end is not None, "it goes on and on"
    assert len(played.new) == min(trials, space.size() or trials)
    by_ticket = {s.ticket: s for s in played.suggestions}
    for piece in played.promoted:
        parent = by_ticket[piece.continues if piece.continues is not None else -1]
        outcome = played.outcomes[parent.ticket]
        assert isinstance(outcome, Complete)
        assert fidelity != "epochs" or not outcome.final, "what stopped by itself was trained further"
        assert piece.tags["rung"] > parent.tags["rung"] and piece.tags.get("bracket") == parent.tags.get("bracket")
    assert len({s.continues for s in played.promoted}) == len(played.promoted)
    if fail == 0 and early == 0:
        top = max(played.suggestions, key=lambda s: s.tags["rung"])
        assert (top.budget, top.share, top.side) == (max_epochs, 1.0, None), "nobody was trained to the end"


@pytest.mark.parametrize("tuner", RUNGS)
@settings(max_examples=40, deadline=None)
@given(
    space=SPACES,
    max_epochs=EPOCHS,
    workers=st.integers(1, 6),
    fail=SHARES,
    early=SHARES,
    seed=st.integers(0, 99),
    steps=st.integers(0, 30),
)
def test_restored_anywhere_it_goes_on_as_the_undisturbed_one(
    tuner: str, space: Space, max_epochs: int, workers: int, fail: float, early: float, seed: int, steps: int
):
    one, two = made(tuner, space, 16, max_epochs, seed), made(tuner, space, 16, max_epochs, seed)
    played = drive(one, workers=workers, fail=fail, early=early, seed=seed, steps=steps)
    restore(two, played.calls)
    rest = drive(one, workers=workers, fail=fail, early=early, seed=7, played=copied(played))
    other = drive(two, workers=workers, fail=fail, early=early, seed=7, played=copied(played))
    assert rest.suggestions == other.suggestions and rest.end == other.end


@settings(max_examples=40, deadline=None)
@given(
    trials=st.integers(1, 9),
    broken=st.sets(st.integers(0, 8)),
    workers=st.integers(1, 9),
    seed=st.integers(0, 99),
)
def test_a_failure_costs_hyperband_no_promotion(trials: int, broken: set[int], workers: int, seed: int):
    """One bracket of 9, 3 and 1; what fails on the first rung leaves its place to another."""
    searcher = made("hyperband", WIDE, trials, 9, seed)
    played = drive(searcher, workers=workers, seed=seed, fail=lambda s: s.continues is None and s.ticket in broken)
    rungs = [s.tags["rung"] for s in played.suggestions]
    good = sum(isinstance(played.outcomes[s.ticket], Complete) for s in played.new)
    assert (rungs.count(1), rungs.count(2)) == (min(3, good), min(1, good))


@pytest.mark.parametrize(("trials", "shape"), [(9, (9, 3, 1)), (27, (27, 9, 3)), (4, (4, 1, 1)), (1, (1, 1, 1))])
def test_one_worker_of_asha_trains_a_third_further(trials: int, shape: tuple[int, ...]):
    played = drive(made("asha", WIDE, trials, 9, 0), value=lambda params: float(params["rate"]))
    rungs = [s.tags["rung"] for s in played.suggestions]
    assert rungs.count(0) == shape[0]
    assert all(least <= rungs.count(rung) <= 2 * least + 1 for rung, least in enumerate(shape) if rung)
    best = max(played.new, key=lambda s: float(s.params["rate"]))
    top = [s for s in played.suggestions if s.budget == 9]
    assert best.params in [s.params for s in top], "the best of all was not trained to the end"


@pytest.mark.parametrize("workers", [2, 4, 8])
def test_no_worker_of_asha_is_idle_before_what_runs_is_all_that_is_left(workers: int):
    """Pieces as long as their cost: with work for all to the end, idle time is at most one piece of the top rung."""
    searcher, busy, now, waits = made("asha", WIDE, 40, 9, 0), [], 0.0, 0.0
    lengths: list[float] = []
    while True:
        answer = searcher.ask() if len(busy) < workers else None
        if isinstance(answer, Suggestion):
            rung = answer.tags["rung"]
            busy.append((now + (1, 2, 6)[rung], answer))
            lengths.append((1, 2, 6)[rung])
            continue
        if not busy:
            break
        end, piece = min(busy, key=lambda item: (item[0], item[1].ticket))
        waits += (workers - len(busy)) * (end - now)
        now = end
        busy.remove((end, piece))
        searcher.report(piece.ticket, piece.budget, 0.5)
        searcher.tell(piece.ticket, Complete(float(piece.params["rate"])))
    assert waits <= 6 * workers
    assert sum(lengths) > 0.75 * now * workers


@pytest.mark.parametrize("tuner", RUNGS)
def test_what_stops_by_itself_is_not_trained_further_and_keeps_its_place(tuner: str):
    """The best stops on the first rung: it goes up untrained, and costs the others their place."""
    searcher = made(tuner, WIDE, 9, 9, 0)
    pieces: list[Suggestion] = []
    while isinstance(piece := searcher.ask(), Suggestion):
        pieces.append(piece)
        searcher.tell(piece.ticket, Complete(0.99 if piece.ticket == 0 else 0.1 + 0.01 * piece.ticket, final=True))
    assert [s.continues for s in pieces] == [None] * 9


def test_rungs_of_each_fidelity():
    assert [(r.budget, r.share, r.side) for r in levels("epochs", 30)] == [(b, 1, None) for b in (1, 3, 10, 30)]
    assert [(r.budget, r.share) for r in levels("data", 5)] == [(5, 1 / 9), (5, 1 / 3), (5, 1)]
    assert [r.side for r in levels("resolution", 5, 48)] == [24, 32, None]
    assert [r.side for r in levels("resolution", 5, 28)] == [16, 20, None]
    assert [r.side for r in levels("resolution", 5, 16)] == [None]
    with pytest.raises(ConfigError, match="did you mean 'data'"):
        levels("date", 5)
    with pytest.raises(ConfigError, match="square pictures"):
        levels("resolution", 5)
    with pytest.raises(ConfigError, match="'tpe' has no rungs; --fidelity goes with hyperband and asha"):
        make_searcher("tpe", WIDE, objective=ACCURACY, seed=0, trials=3, max_epochs=3, fidelity="data")


@pytest.mark.parametrize("tuner", RUNGS)
@pytest.mark.parametrize(("fidelity", "seen"), [("data", {1 / 9, 1 / 3, 1.0}), ("resolution", {24, 32, math.inf})])
def test_rungs_that_are_trained_anew(tuner: str, fidelity: str, seen: set[float]):
    played = drive(made(tuner, WIDE, 17, 5, 0, fidelity), early=0.5)
    assert {s.budget for s in played.suggestions} == {5}
    assert {s.share if fidelity == "data" else s.side or math.inf for s in played.suggestions} == seen
    assert any(
        isinstance(o, Complete) and o.final
        for o in (played.outcomes[s.continues if s.continues is not None else -1] for s in played.promoted)
    ), "stopping early on a part says nothing of the whole"


@pytest.mark.parametrize("early", [0.0, 0.4])
def test_what_asha_promotes_was_promotable_ever_since_it_ended(early: float):
    searcher = made("asha", WIDE, 30, 27, 0)
    assert isinstance(searcher, AshaSearcher)
    lost: set[int] = set()
    played = Played()
    while played.end is None:
        played = drive(searcher, workers=3, seed=len(played.suggestions), fail=0.1, early=early, steps=1, played=played)
        assert not lost & {s.continues for s in played.suggestions[-1:]}
        gone = {t for t in played.outcomes if t not in searcher.promotable()}
        lost |= gone - {s.continues for s in played.promoted}
    assert played.promoted
