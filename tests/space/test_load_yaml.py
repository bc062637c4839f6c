"""A space file: read as people mean it, all its faults at once, each with its path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from fertune.errors import ConfigError, SpaceError
from fertune.space import Setting, Space, load_space
from fertune.trial import TUNERS

KNOWN = {
    s.name: s
    for s in (
        Setting("activation", "choice", "relu", choices=("relu", "leaky_relu")),
        Setting("blocks", "int", 3, 1, 6),
        Setting("dropout", "float", 0.2, 0.0, 0.9),
        Setting("flip", "bool", True),
        Setting("shift", "float", 0.0, 0.0, 0.5),
        Setting("learning_rate", "float", 1e-3, 1e-6, 1.0),
        Setting("batch_size", "int", 64, 1, 4096),
        Setting("optimizer", "choice", "adam", choices=("adam", "sgd")),
    )
}


def load(folder: Path, text: str, settings: Mapping[str, Setting] | None = None, name: str = "mine.yaml") -> Space:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return load_space(path, settings=settings)


def faults(folder: Path, text: str, settings: Mapping[str, Setting] | None = None) -> list[str]:
    with pytest.raises(SpaceError) as caught:
        load(folder, text, settings)
    return list(caught.value.details)


def test_a_whole_file(tmp_path: Path):
    space = load(
        tmp_path,
        """
        # Command: fertune search --space mine.yaml
        summary: mine
        tuner: tpe
        fixed: {activation: relu}
        recipe: {optimizer: adam, learning_rate: 1e-3}
        params:
          blocks: {type: int, low: 2, high: 4}
          dropout: {type: float, low: 0, high: 0.5, step: 0.1, when: {blocks: [3, 4]}}
          flip: {type: bool}
          shift: {type: choice, values: [0, 1e-1]}
        """,
        KNOWN,
    )
    assert (space.name, space.model, space.tuner, space.summary) == ("mine", "conv", "tpe", "mine")
    assert space.recipe["learning_rate"] == 0.001
    assert space.size() == (1 + 6 + 6) * 2 * 2
    assert space["shift"].last == 0.1


def test_all_faults_at_once_each_with_its_path(tmp_path: Path):
    lines = faults(
        tmp_path,
        """
        name: mine
        modle: conv
        tuner: hyberband
        fixed: {activation: gelu}
        recipe: {optimzer: adam, batch_size: 0}
        params:
          blocks: {type: int, low: 2, high: 9}
          dropout: {type: float, low: 0.1, high: 1.4}
          droput: {type: float, low: 0.1, high: 0.2}
          flip: {type: bol}
          shift: {type: float, low: 0, hihg: 1, when: {block: [2]}}
        """,
        KNOWN,
    )
    for wanted in (
        "mine.yaml: modle: is no key of a space; did you mean 'model'?",
        f"mine.yaml: tuner: 'hyberband' is none of {', '.join(TUNERS)}; did you mean 'hyperband'?",
        "mine.yaml: fixed.activation: 'gelu' is not one of relu, leaky_relu",
        "mine.yaml: recipe.optimzer: model 'conv' and the recipe know no 'optimzer'; did you mean 'optimizer'?",
        "mine.yaml: recipe.batch_size: 0 is below 1",
        "mine.yaml: params.blocks.high: 9 is above 6",
        "mine.yaml: params.dropout.high: 1.4 is above 0.9, the largest legal value of dropout",
        "mine.yaml: params.droput: model 'conv' and the recipe know no 'droput'; did you mean 'dropout'?",
        "mine.yaml: params.flip.type: 'bol' is none of int, float, choice, bool; did you mean 'bool'?",
        "mine.yaml: params.shift.hihg: is no key of type float; did you mean 'high'?",
        "mine.yaml: params.shift.high: is missing",
    ):
        assert any(line.startswith(wanted) for line in lines), (wanted, lines)
    assert len(lines) == 11


def test_the_message_counts_the_faults_and_shows_them(tmp_path: Path):
    with pytest.raises(SpaceError) as caught:
        load(tmp_path, "tuner: x\nparams: 3\n")
    assert caught.value.message == "mine.yaml has 2 faults"
    assert "mine.yaml: params: 3 is not a mapping" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_child_of_a_broken_parent_is_no_fault_of_its_own(tmp_path: Path):
    lines = faults(tmp_path, "params: {a: {type: int, low: 2}, b: {type: bool, when: {a: [2]}}}")
    assert lines == ["mine.yaml: params.a.high: is missing; type int needs low and high"]


@pytest.mark.parametrize("number", ["1e-4", "1E-4", "1.0e-4", ".1e-3", "0.0001", "+1e-4"])
def test_numbers_are_numbers_however_they_are_written(tmp_path: Path, number: str):
    space = load(tmp_path, f"params: {{x: {{type: float, low: {number}, high: 1e0, log: true}}}}")
    assert space["x"].first == 0.0001


def test_only_true_and_false_are_booleans(tmp_path: Path):
    assert load(tmp_path, "params: {x: {type: choice, values: [no, off, on, yes, 12:30]}}")["x"].last == "12:30"
    lines = faults(tmp_path, "recipe: {flip: yes}\nparams: {x: {type: float, low: 1, high: 2, log: yes}}", KNOWN)
    assert "mine.yaml: params.x.log: 'yes' is not true or false" in lines
    assert "mine.yaml: recipe.flip: 'yes' is not true or false" in lines


def test_a_quoted_number_has_a_hint(tmp_path: Path):
    lines = faults(tmp_path, "params: {x: {type: float, low: '1e-4', high: 1}}")
    assert lines == ["mine.yaml: params.x.low: '1e-4' is not a number but a text; take the quotes away"]


def test_a_key_that_stands_twice_is_a_fault_beside_the_others(tmp_path: Path):
    lines = faults(tmp_path, "tuner: x\nparams:\n  a: {type: bool}\n  a: {type: bool, typ: 1}\n")
    assert lines[0] == "mine.yaml: line 4: 'a' stands twice, first on line 3"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("params: {a: [", "mine.yaml: line 1, column"),
        ("a: b: c", "mine.yaml: line 1, column 5"),
        ("params: &p {a: {type: bool}}\nfixed: *p", "the alias '*p' is not read"),
        ("params: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("params: !!int abc", "invalid literal"),
        ("? [a, b]\n: 1", "a key must be a plain name"),
        ("a: 1\n---\nb: 2", "mine.yaml: line"),
        ("params: \x07", "mine.yaml: "),
        ("", "mine.yaml: the file is empty"),
        ("# nothing\n", "mine.yaml: the file is empty"),
        ("- a", "is not a mapping with 'params'"),
        ("params:", "mine.yaml: params: is missing"),
        ("params: {1: {type: bool}}", "is not a name of letters"),
        ("params: {a: }", "mine.yaml: params.a: None is not a mapping such as"),
        ("params: {a: {type: [int]}}", "mine.yaml: params.a.type: ['int'] is none of"),
        ("params: {a: {type: bool, when: {b: [1]}}}", "params.a.when: there is no parameter 'b'"),
        ("fixed: 3\nparams: {}", "mine.yaml: fixed: 3 is not a mapping"),
        ("fixed: {a: [1]}\nparams: {}", "mine.yaml: fixed.a: [1] is not a number"),
        ("params: {a: {type: float, low: 0, high: 1e999}}", "high: inf is not a number"),
        ("x: " + "[" * 3000 + "]" * 3000, "mine.yaml: "),
    ],
)
def test_broken_files_are_told_without_a_traceback(tmp_path: Path, text: str, wanted: str):
    lines = faults(tmp_path, text)
    assert any(wanted in line for line in lines), lines


@pytest.mark.parametrize(
    ("param", "wanted"),
    [
        ("flip: {type: int, low: 0, high: 1}", "params.flip.type: flip is true or false; write 'type: bool'"),
        ("blocks: {type: float, low: 1, high: 3}", "params.blocks.type: blocks is a whole number; write 'type: int'"),
        ("dropout: {type: int, low: 0, high: 0}", "params.dropout.type: dropout is a number with a fraction"),
        ("dropout: {type: bool}", "params.dropout.type: dropout is a number, not true or false"),
        ("optimizer: {type: bool}", "params.optimizer.type: optimizer is one of adam, sgd, not true or false"),
        ("optimizer: {type: int, low: 0, high: 1}", "optimizer is one of adam, sgd; write 'type: choice'"),
        ("optimizer: {type: choice, values: [adam, lion]}", "params.optimizer.values: 'lion' is not one of adam, sgd"),
        ("blocks: {type: choice, values: [2, 2.5]}", "params.blocks.values: 2.0 is not a whole number"),
        ("flip: {type: choice, values: [1]}", "write 'type: bool'"),
    ],
)
def test_a_parameter_must_fit_what_reads_it(tmp_path: Path, param: str, wanted: str):
    lines = faults(tmp_path, f"params: {{{param}}}", KNOWN)
    assert any(wanted in line for line in lines), lines


def test_whole_numbers_become_floats_where_a_float_is_read(tmp_path: Path):
    space = load(
        tmp_path,
        "fixed: {shift: 0}\nparams: {dropout: {type: choice, values: [0]}, flip: {type: bool, when: {dropout: [0]}}}",
        KNOWN,
    )
    assert type(space.fixed["shift"]) is float
    assert type(space["dropout"].first) is float
    assert space.contains({"dropout": 0.0, "flip": True})


def test_settings_may_depend_on_the_model(tmp_path: Path):
    def known(model: str) -> Mapping[str, Setting] | None:
        if model == "free":
            return None
        if model != "conv":
            raise ConfigError(f"no model family named {model!r}")
        return KNOWN

    path = tmp_path / "mine.yaml"
    path.write_text("model: vit\ntuner: x\nparams: {}\n", encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        load_space(path, settings=known)
    assert "mine.yaml: model: no model family named 'vit'" in caught.value.details
    assert len(caught.value.details) == 2
    path.write_text("model: free\nparams: {anything: {type: bool}}\n", encoding="utf-8")
    assert load_space(path, settings=known).names == ("anything",)
    path.write_text("model: conv\nparams: {anything: {type: bool}}\n", encoding="utf-8")
    with pytest.raises(SpaceError):
        load_space(path, settings=known)


def test_paths_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "leaky.yaml").write_text("params: {}", encoding="utf-8")
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    (tmp_path / "a.txt").write_text("", encoding="utf-8")
    for name, wanted in (
        ("leeky.yaml", "did you mean 'leaky.yaml'?"),
        ("no/where.yaml", "there is no file"),
        ("latin.yaml", "is not UTF-8"),
        ("a.txt", "is no space file"),
        ("", "is no space file"),
    ):
        with pytest.raises(SpaceError, match=wanted.replace("?", r"\?")):
            load_space(tmp_path / name)
    (tmp_path / "relu_cnn").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_space("relu_cnn").name == "relu_cnn", "a folder of the same name does not hide a shipped space"
    with pytest.raises(SpaceError) as caught:
        load_space("relu_cn")
    assert "did you mean 'relu_cnn'?" in caught.value.message and "leaky_cnn" in caught.value.message
    with pytest.raises(SpaceError) as caught:
        load_space("relu_cnn.yaml")
    assert caught.value.help == "--space relu_cnn is the shipped one"
