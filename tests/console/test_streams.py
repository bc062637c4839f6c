"""Whole commands on every kind of stream: width, colour, encoding, one document, exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fertune.cli import main
from fertune.store import RunFolder
from tests.console.factory import ESCAPE, Stream, info, thirty, wide

HOSTILE = "<script>[/red]$x$ _a \x1b[31m\u202e😀" + "w" * 200


def stored(path: Path, **changes: Any) -> Path:
    """The invented thirty trials as a run folder."""
    folder = RunFolder.create(path, info(**changes))
    write = folder.journal.write
    write("session", trials=30, workers=1)
    for trial in thirty():
        params = {HOSTILE: HOSTILE, **trial.params} if "name" in changes else trial.params
        write("asked", trial=trial.id, ticket=trial.id, params=params, budget=9, continues=None, tags={})
        failure = trial.failure and {"kind": trial.failure.kind.value, "message": HOSTILE}
        write("told", trial=trial.id, ticket=trial.id, outcome=trial.state.value, note="", value=trial.value,
              best_epoch=trial.best_epoch, epochs=trial.epochs, seconds=trial.seconds, parameters=9000,
              failure=failure)  # fmt: skip
    write("ended", status="finished", reason="all 30 trials were asked for")
    folder.close()
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("streams")
    stored(root / "plain")
    stored(root / "[/x] $(id) _a", name=HOSTILE, engine=HOSTILE)
    return root


def run(
    monkeypatch: pytest.MonkeyPatch, *words: str, terminal: bool = False, encoding: str = "utf-8", **env: str
) -> tuple[int, str, str]:
    out, err = Stream(terminal, encoding), Stream(terminal, encoding)
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    for key, value in env.items():
        monkeypatch.setenv(key, value)
    code = main(list(words))
    return code, out.getvalue(), err.getvalue()


COMMANDS = (("show", "plain"), ("show", "[/x] $(id) _a"), ("spaces", "ls"), ("spaces", "show", "leaky_cnn"))


@pytest.mark.parametrize("width", ["100", "60", "40"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_line_is_over_the_width_and_nothing_steers(
    words: tuple[str, ...], width: str, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    code, out, _ = run(monkeypatch, *words, COLUMNS=width)
    assert code == 0 and out.endswith("\n")
    assert wide(folded(out)) <= int(width)
    assert "\x1b" not in out and "\u202e" not in out


def folded(text: str) -> str:
    """Without the lines of a command whose single word is longer than the screen: a word is never broken."""
    return "\n".join(x for x in text.split("\n") if not re.fullmatch(r"\s+\S{38,}( \\)?", x))


@pytest.mark.parametrize(
    ("terminal", "env", "coloured"),
    [
        (True, {"TERM": "xterm"}, True),
        (True, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"TERM": "xterm"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_escapes_are_colours_and_only_where_wanted(
    terminal: bool, env: dict[str, str], coloured: bool, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    for words in COMMANDS:
        _, out, _ = run(monkeypatch, *words, terminal=terminal, COLUMNS="80", **env)
        codes = ESCAPE.findall(out)
        assert all(code.endswith("m") for code in codes)
        assert "\x1b" not in ESCAPE.sub("", out)
        colours = [code for code in codes if code not in ("\x1b[1m", "\x1b[0m")]
        assert bool(colours) is coloured or words == ("spaces", "ls")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_poor_encodings_are_served(encoding: str, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    for words in COMMANDS:
        code, out, _ = run(monkeypatch, *words, encoding=encoding, COLUMNS="80")
        out.encode(encoding)
        assert code == 0


def test_a_real_ascii_pipe(runs: Path) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "COLUMNS": "60"}
    done = subprocess.run(
        [sys.executable, "-m", "fertune", "show", "[/x] $(id) _a"], cwd=runs, env=env, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    assert b"Best search score" in done.stdout and b"\\U0001f600" in done.stdout


def test_json_is_one_document_and_quiet_one_path(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(runs)
    for env in ({}, {"FORCE_COLOR": "1"}, {"TERM": "dumb"}):
        code, out, err = run(monkeypatch, "show", "plain", "--json", terminal=True, **env)
        assert code == 0 and err == "" and json.loads(out)["kind"] == "search"
    assert run(monkeypatch, "show", "plain", "--quiet")[1] == "plain\n"


@pytest.mark.parametrize("words", [("show", "nothing"), ("report", "nothing"), ("spaces", "show", HOSTILE)])
def test_bad_input_is_exit_code_two_and_stdout_stays_empty(
    words: tuple[str, ...], runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(runs)
    code, out, err = run(monkeypatch, *words, terminal=True, TERM="xterm", NO_COLOR="1", COLUMNS="60")
    assert code == 2 and out == ""
    assert err.startswith("error: ") and "Traceback" not in err and "\x1b[31m\x1b" not in err and "\u202e" not in err
    assert wide(err) <= 60
