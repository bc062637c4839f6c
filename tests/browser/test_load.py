"""A report opens from one file: nothing is asked for, nothing complains, no name runs as code."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Chrome
from tests.browser.conftest import BOTH, ODD, Pages

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", [*BOTH, *ODD, "search-1000"])
def test_no_request_no_complaint_no_dialog(chrome: Chrome, pages: Pages, name: str) -> None:
    path = pages(name)
    chrome.log("performance"), chrome.log("browser")
    chrome.open(path)
    assert chrome.js("return document.readyState") == "complete", "a dialog would have raised here"
    asked = [url for url in chrome.requests() if not url.startswith("data:image/png;base64,")]
    assert asked == [path.as_uri()]
    assert chrome.log("browser") == []
    assert path.stat().st_size < 5_000_000


def test_a_thousand_trials_paint_at_once(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("search-1000"))
    painted = chrome.js("return performance.getEntriesByType('paint').map(e => e.startTime)")
    assert painted and max(painted) < 1500


@pytest.mark.parametrize("name", ["search-nasty", "stack-nasty"])
def test_hostile_names_are_read_as_text(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name))
    chrome.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    text = chrome.js("return document.body.textContent")
    for word in ("<script>alert(1)</script>", "$x$", "_a", "[/red]", "\U0001f600", "\\u202e", "\\x1b[31m"):
        assert word in text
    assert chrome.js("return document.scripts.length") == 2
    assert chrome.js("return document.querySelectorAll('script script, main script').length") == 0
