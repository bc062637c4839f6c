"""Each report is built once a session."""

from __future__ import annotations

from functools import cache

import pytest

from fertune.report import build_report
from tests.report import fixtures
from tests.report.pages import Page, read

SLOW = {"search-loss", "search-2-classes", "search-empty-class", "stack-2-classes", "stack-40-classes", "stack-hurt"}
NAMES = tuple(pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in fixtures.MAKERS)


@cache
def record(name: str) -> fixtures.MemorySearch | fixtures.MemoryStack:
    return fixtures.MAKERS[name]()


@cache
def html(name: str) -> str:
    return build_report(record(name))


@cache
def page(name: str) -> Page:
    return read(html(name))


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
