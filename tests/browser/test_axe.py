"""axe-core finds no violation, in both themes, on a desk and on a phone."""

from __future__ import annotations

import pytest

from tests.browser.chrome import Chrome, axe
from tests.browser.conftest import BOTH, Pages

pytestmark = pytest.mark.slow

RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then((r) => done(r.violations.map((v) =>
  [v.id, v.help, v.nodes.length, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 200) + ' ' + n.failureSummary)])));
"""


SETTINGS = [(name, width, theme) for name in BOTH for width in (1280, 360) for theme in ("light", "dark")]


@pytest.mark.parametrize(
    ("name", "width", "theme"), [*SETTINGS, ("search-0", 360, "dark"), ("search-nasty", 1280, "dark")]
)
def test_no_violation(chrome: Chrome, pages: Pages, name: str, width: int, theme: str) -> None:
    chrome.open(pages(name), width, theme)
    chrome.js(axe())
    assert chrome.driver.execute_async_script(RUN) == []
