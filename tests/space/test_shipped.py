"""The spaces that come with fertune: legal, drawn by both engines, and their edges can be built."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fertune.models.catalog import FAMILIES
from fertune.searchers import make_searcher
from fertune.space import Setting, Space, load_space, shipped_spaces, shipped_text
from fertune.training.recipe import RECIPE
from fertune.trial import OBJECTIVES, Complete, Suggestion

NAMES = ("leaky_cnn", "relu_cnn")


def known(model: str) -> dict[str, Setting]:
    return {s.name: s for s in (*FAMILIES[model].settings, *RECIPE)}


def load(name: str) -> Space:
    return load_space(name, settings=known)


def edges(space: Space) -> list[dict[str, object]]:
    """All low, all high, and each parameter at its other end."""
    corners = [space.walk(lambda p: p.first), space.walk(lambda p: p.last)]
    for name in space.names:
        corners.append(space.walk(lambda p, n=name: p.last if p.name == n else p.first))  # type: ignore[misc]
        corners.append(space.walk(lambda p, n=name: p.first if p.name == n else p.last))  # type: ignore[misc]
    return list({space.key(c): dict(c) for c in corners}.values())


def test_they_are_found():
    assert shipped_spaces() == NAMES
    assert {load(n).tuner for n in NAMES} == {"hyperband", "random"}
    assert load("relu_cnn").tuner == "random" and load("leaky_cnn").tuner == "hyperband"


@pytest.mark.parametrize("name", NAMES)
def test_the_head_of_the_file_says_how_to_run_it_and_what_is_known(name: str):
    lines = shipped_text(name).splitlines()
    assert lines[0].startswith(f"# Command:  fertune search --space {name}")
    assert lines[1].startswith("# Evidence: ")
    assert load(name).name == name and load(name).summary


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_of_the_issue_is_there(name: str):
    space = load(name)
    given = {*space.names, *space.fixed, *space.recipe}
    wanted = {
        "blocks",
        "convs",
        "filters_1",
        "filters_2",
        "filters_3",
        "filters_4",
        "kernel_1",
        "kernel_2",
        "batch_norm",
        "dropout",
        "head_dropout",
        "l2",
        "dense_units",
        "learning_rate",
        "batch_size",
        "augment",
        "flip",
        "rotation",
        "shift",
        "zoom",
        "optimizer",
        "loss",
        "reduce_lr_factor",
        "reduce_lr_patience",
        "early_stopping_patience",
    }
    assert wanted <= given
    assert ("negative_slope" in given) == (name == "leaky_cnn")
    assert space["flip"].when == {"augment": (True,)} and space["filters_4"].when == {"blocks": (4,)}


@pytest.mark.parametrize("engine", ["random", "tpe"])
@pytest.mark.parametrize("name", NAMES)
def test_a_hundred_draws_of_both_engines_are_inside_and_legal(name: str, engine: str):
    space, settings = load(name), known("conv")
    searcher = make_searcher(engine, space, objective=OBJECTIVES["val_accuracy"], seed=1, trials=100, max_epochs=5)
    drawn = []
    while isinstance(piece := searcher.ask(), Suggestion):
        drawn.append(dict(piece.params))
        searcher.tell(piece.ticket, Complete(float(np.random.default_rng(piece.ticket).random())))
    assert len(drawn) == 100 == len({space.key(p) for p in drawn})
    for params in drawn:
        space.validate(params)
        flat = space.settings(params)
        assert not [f for n, v in flat.items() if (f := settings[n].fault(v))]
        assert not [n for n, v in flat.items() if isinstance(v, float) and len(repr(v)) > 22]
    assert {p["blocks"] for p in drawn} == {2, 3, 4}


@pytest.mark.parametrize("name", NAMES)
def test_the_edges_are_inside_and_legal(name: str):
    space, settings = load(name), known("conv")
    for params in edges(space):
        space.validate(params)  # type: ignore[arg-type]
        assert not [f for n, v in space.settings(params).items() if (f := settings[n].fault(v))]  # type: ignore[arg-type]


def costs(name: str) -> np.ndarray:
    """Millions of multiplications in the convolutions for one 48x48 gray picture, for 1,000 draws."""
    space, rng = load(name), np.random.default_rng(0)
    defaults = {s.name: s.default for s in known("conv").values()}
    return np.array([_cost({**defaults, **space.settings(space.sample(rng))}) for _ in range(1000)])


def _cost(settings: dict[str, Any]) -> float:
    side, channels, total = 48, 1, 0
    for block in range(1, int(settings["blocks"]) + 1):
        filters, kernel = int(settings[f"filters_{block}"]), int(settings[f"kernel_{block}"])
        convs = int(settings[f"convs_{block}"] or settings["convs"])
        place = 0 if settings["pool_after"] == "first" else convs - 1
        for conv in range(convs):
            total += side * side * kernel * kernel * channels * filters
            channels = filters
            side //= 2 if conv == place else 1
    return total / 1e6


@pytest.mark.parametrize("name", NAMES)
def test_a_typical_configuration_suits_a_cpu(name: str):
    """Between nets of 32-64-128 filters with one (22 M) and with two (86 M) 3x3 convolutions a block."""
    drawn = costs(name)
    assert 22 < np.median(drawn) < 86
    assert drawn.max() < 300


def test_what_leaky_cnn_tries_first_is_the_strong_recipe_that_the_page_of_results_tells_of():
    space = load("leaky_cnn")
    (first,) = space.start
    settings = {**{s.name: s.default for s in known("conv").values()}, **space.settings(first)}
    assert {*first} == {p.name for p in space.params if p.active(first)}, "it is whole: nothing of it is drawn"
    assert 45 < _cost(settings) < 55
    assert (settings["optimizer"], settings["schedule"], settings["pooling"]) == ("sgd", "one_cycle", "average")
    assert round(settings["shift"] * 48) == 4 and settings["flip_at_prediction"]


def test_mirrored_predictions_come_with_mirrored_training_only():
    """Digits, for one, do not look the same from behind."""
    assert load("leaky_cnn")["flip_at_prediction"].when == {"flip": (True,)}


def test_the_edges_can_be_built():
    """In a process of its own: keras may have another backend in this one."""
    code = (
        "import sys, numpy as np\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from test_shipped import NAMES, edges, load\n"
        "from fertune.models import build_model\n"
        "for space in map(load, NAMES):\n"
        "    for params in edges(space)[:4]:\n"
        "        model = build_model(space.model, space.settings(params), (48, 48, 1), 7)\n"
        "        assert model.output_shape == (None, 7), model.output_shape\n"
        "proba = model.predict(np.zeros((2, 48, 48, 1), 'uint8'), verbose=0)\n"
        "assert proba.shape == (2, 7) and np.allclose(proba.sum(1), 1, atol=1e-5)\n"
        "print('built')"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", code, here], capture_output=True, text=True, timeout=240)
    assert done.stdout.strip().endswith("built"), done.stderr[-2000:]


def test_the_two_files_do_not_share_a_summary_and_comments_fit_the_line():
    assert len({load(n).summary for n in NAMES}) == 2
    assert not [line for n in NAMES for line in shipped_text(n).splitlines() if len(line) > 120]
    assert not [n for n in NAMES if re.search(r"\t| +$", shipped_text(n), re.M)]
