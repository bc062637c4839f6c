"""Nothing is cut, tiny, or wider than the window, from 320 to 1,600 px."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.chrome import Chrome
from tests.browser.conftest import BOTH, ODD, Pages

pytestmark = pytest.mark.slow

LETTERS = """
const out = [];
for (const svg of document.querySelectorAll('figure svg, .key svg')) {
  const frame = svg.getBoundingClientRect();
  if (!frame.width) continue;
  const scale = frame.width / svg.viewBox.baseVal.width;
  const section = svg.closest('section').id;
  for (const text of svg.querySelectorAll('text')) {
    const box = text.getBoundingClientRect();
    if (!box.width) continue;
    out.push({section, text: text.textContent, size: parseFloat(getComputedStyle(text).fontSize) * scale,
      beyond: Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom),
      box: [box.left, box.top, box.right, box.bottom], figure: svg.getAttribute('aria-labelledby')});
  }
}
return out;
"""
WIDTHS = (320, 360, 600, 820, 1280, 1600)


def letters(chrome: Chrome) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chrome.js(LETTERS)
    return found


@pytest.mark.parametrize("name", [*BOTH, *ODD])
def test_the_page_never_scrolls_sideways(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name))
    chrome.js("document.querySelectorAll('details').forEach(d => d.open = true)")
    for width in (1200, 820, 600, 320):
        chrome.size(width)
        wide = chrome.js("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide[0] <= wide[1] == width


@pytest.mark.parametrize("name", [*BOTH, "stack-tie", "search-nasty", "stack-nasty", "stack-40-classes"])
def test_letters_in_figures_are_large_enough_and_inside(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name))
    for width in WIDTHS:
        chrome.size(width)
        found = letters(chrome)
        assert found
        assert [f for f in found if f["size"] < 9.99] == [], width
        assert [f for f in found if f["beyond"] > 2] == [], width


@pytest.mark.parametrize("name", [*BOTH, "stack-tie", "search-nasty", "stack-nasty"])
def test_letters_in_figures_do_not_cover_each_other(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name))
    for width in (360, 1280):
        chrome.size(width)
        assert covered(letters(chrome)) == [], width


def covered(found: list[dict[str, Any]], least: float = 2.0) -> list[tuple[str, str, str]]:
    """Pairs of texts of one figure whose boxes share more than ``least`` px both ways."""
    pairs = []
    for i, a in enumerate(found):
        for b in found[i + 1 :]:
            if a["figure"] != b["figure"]:
                continue
            across = min(a["box"][2], b["box"][2]) - max(a["box"][0], b["box"][0])
            down = min(a["box"][3], b["box"][3]) - max(a["box"][1], b["box"][1])
            if across > least and down > least:
                pairs.append((a["section"], a["text"], b["text"]))
    return pairs


@pytest.mark.parametrize("name", BOTH)
def test_tables_fit_on_a_desk(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name), 1280)
    hidden = chrome.js(
        "return [...document.querySelectorAll('.scroll')]"
        ".filter(e => e.offsetWidth && e.scrollWidth > e.clientWidth + 1)"
        ".map(e => [e.closest('section').id, e.scrollWidth, e.clientWidth])"
    )
    assert hidden == []


@pytest.mark.parametrize("name", BOTH)
def test_targets_are_wide_enough_for_a_finger(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name), 360)
    small = chrome.js(
        "return [...document.querySelectorAll('button, summary, .menu a')].filter(e => e.offsetHeight)"
        ".filter(e => e.offsetHeight < 44).map(e => [e.textContent, e.offsetHeight])"
    )
    assert small == []
