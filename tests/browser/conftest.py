"""One browser for all, and each report in a file of its own, made once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fertune.report import build_report
from tests.browser.chrome import Chrome, found
from tests.report import fixtures
from tests.report.conftest import html

BOTH = ("search-30", "stack-helped")
ODD = (
    "search-0",
    "search-1",
    "search-all-failed",
    "search-running",
    "search-nasty",
    "search-40-classes",
    "stack-tie",
    "stack-no-test",
    "stack-one-member",
    "stack-nasty",
    "stack-40-classes",
    "stack-unfinished",
)
Pages = Callable[[str], Path]


def _browser(**options: bool) -> Iterator[Chrome]:
    there = found()
    if isinstance(there, str):
        pytest.skip(there)
    chrome = Chrome(*there, **options)
    yield chrome
    chrome.close()


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    yield from _browser()


@pytest.fixture(scope="session")
def scriptless() -> Iterator[Chrome]:
    """A browser whose user has turned JavaScript off."""
    yield from _browser(scripts=False)


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    """Name of a fixture (or ``search-1000``) -> its report."""
    folder = tmp_path_factory.mktemp("pages")

    def page(name: str) -> Path:
        path = folder / f"{name}.html"
        if not path.exists():
            text = build_report(fixtures.search(1000)) if name == "search-1000" else html(name)
            path.write_text(text, "utf-8")
        return path

    return page
