"""Files and folders of every protocol number that ever was: they are read for good."""

from __future__ import annotations

import importlib.metadata
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

import fertune as ft
from fertune.bundles.manifest import PROTOCOL
from fertune.cli import main
from fertune.errors import RunError
from fertune.store import PROTOCOL as RUN_PROTOCOL
from tests.bundle.craft import FIXTURES, manifest_of, members_of
from tests.schema import check


def test_a_file_is_kept_of_every_protocol() -> None:
    bundles = {f"protocol-{n}.{kind}" for n in range(1, PROTOCOL + 1) for kind in ("fertune", "json")}
    runs = {f"runs-protocol-{n}.zip" for n in range(1, RUN_PROTOCOL + 1)}
    assert {path.name for path in FIXTURES.iterdir()} == bundles | runs
    assert all(path.stat().st_size < 150_000 for path in FIXTURES.iterdir())


def release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


@pytest.mark.slow
@pytest.mark.parametrize("protocol", range(1, PROTOCOL + 1))
def test_an_old_bundle_predicts_what_it_did(protocol: int) -> None:
    expected = json.loads((FIXTURES / f"protocol-{protocol}.json").read_text())
    model = ft.load(FIXTURES / f"protocol-{protocol}.fertune")
    try:
        proba = model.predict_proba(np.array(expected["images"], np.uint8))
    except RunError as error:
        written = manifest_of(members_of(model.source))["versions"]["keras"]
        installed = importlib.metadata.version("keras")
        if release(installed) < release(written):
            pytest.skip(f"written by keras {written}; {installed} cannot read it: {error.message}")
        raise
    np.testing.assert_allclose(proba, expected["proba"], atol=1e-5)
    assert len(set(proba.argmax(axis=1))) > 1


@pytest.fixture(params=range(1, RUN_PROTOCOL + 1))
def runs(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    with zipfile.ZipFile(FIXTURES / f"runs-protocol-{request.param}.zip") as archive:
        archive.extractall(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("run", "kind"), [("one", "search"), ("two", "search"), ("both", "stack")])
def test_old_runs_are_opened_and_shown(run: str, kind: str, runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = ft.open_run(runs / run)
    assert opened.record.status == "finished"
    check(json.loads((runs / run / "run.json").read_text("utf-8")), "run")
    assert main(["show", str(runs / run), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    check(document, kind)
    assert main(["show", str(runs / run)]) == 0
    if isinstance(opened, ft.SearchRun):
        assert document["best"]["value"] == opened.trials().value.max()
    else:
        assert opened.verdict and len(opened.comparison()) == len(document["comparison"]) > 4


@pytest.mark.slow
@pytest.mark.parametrize("run", ["one", "two", "both"])
def test_old_runs_are_reported(run: str, runs: Path) -> None:
    page = ft.open_run(runs / run).report(runs / "report.html").read_text("utf-8")
    assert page.count('id="leaderboard"') == 1 and page.count('id="curves"') == 1
