"""By keyboard, by pointer, and with JavaScript off."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.browser.chrome import Chrome
from tests.browser.conftest import BOTH, Pages

pytestmark = pytest.mark.slow

COLUMN = """
const [section, label] = arguments;
const tables = [...document.querySelectorAll(`#${section} > .table table`)];
const at = [...tables[0].tHead.rows[0].cells].findIndex((c) => c.textContent.startsWith(label));
return [tables.flatMap((t) => [...t.tBodies[0].rows].map((r) => r.cells[at].dataset.v)),
  tables.flatMap((t) => [...t.tBodies[0].rows].map((r) => r.cells[at].textContent.trim())),
  tables.map((t) => t.tHead.rows[0].cells[at].getAttribute('aria-sort')),
  document.querySelectorAll(`#${section} > .table [aria-sort]`).length, document.getElementById('said').textContent];
"""
CLICK = """
const [section, label] = arguments;
[...document.querySelectorAll(`#${section} thead button`)].find((b) => b.textContent.startsWith(label)).click();
"""


def values(chrome: Chrome, section: str, label: str) -> Any:
    return chrome.js(COLUMN, section, label)


@pytest.mark.parametrize(("name", "section", "label"), [("search-30", "leaderboard", "time"),
                                                        ("search-30", "leaderboard", "learning_rate"),
                                                        ("search-30", "leaderboard", "filters_4"),
                                                        ("stack-helped", "comparison", "difference")])  # fmt: skip
def test_sorting_is_numeric_announced_and_puts_nothing_last(
    chrome: Chrome, pages: Pages, name: str, section: str, label: str
) -> None:
    chrome.open(pages(name))
    for order, down in (("ascending", False), ("descending", True)):
        chrome.js(CLICK, section, label)
        keys, shown, heads, marked, said = values(chrome, section, label)
        filled = [float(k) for k in keys if k]
        assert filled == sorted(filled, reverse=down) and len(filled) > 3
        assert keys == [k for k in keys if k] + [""] * (len(keys) - len(filled)), "what is missing stands last"
        assert heads == [order] * len(heads) and marked == len(heads)
        assert said == f"Sorted by {label}{', points' if label == 'difference' else ''}, {order}"
        assert not any(s in ("", "NaN", "undefined") for s in shown)


def test_sorting_is_stable(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("search-30"))
    chrome.js(CLICK, "leaderboard", "blocks")
    blocks, ranks = values(chrome, "leaderboard", "blocks")[0], values(chrome, "leaderboard", "rank")[0]
    for a, b in pairwise(zip(map(float, blocks), map(int, ranks), strict=True)):
        assert a < b


def test_a_thousand_rows_are_sorted_as_one_list(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("search-1000"))
    chrome.js(CLICK, "leaderboard", "trial")
    keys, _, heads, _, _ = values(chrome, "leaderboard", "trial")
    assert len(heads) == 2 and [int(k) for k in keys] == sorted(int(k) for k in keys) and len(keys) > 900
    assert chrome.js("return document.querySelector('#leaderboard tbody').rows.length") == 50


def test_a_trial_pointed_at_lights_up_everywhere_and_a_click_keeps_it(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("search-30"))
    row = chrome.driver.find_element("css selector", "#leaderboard tr[data-trial='4'] td")
    lit = (
        "return [...document.querySelectorAll('.lit')].map(e => e.dataset.trial + ' ' + e.closest('section').id)"
        ".filter((x, i, a) => a.indexOf(x) === i)"
    )
    move(chrome, row)
    found = chrome.js(lit)
    assert all(f.startswith("4 ") for f in found)
    assert {"4 leaderboard", "4 progress", "4 rungs", "4 parallel"} <= set(found)
    row.click()
    move(chrome, chrome.driver.find_element("css selector", "h1"))
    assert chrome.js(lit) == found
    assert chrome.js("return document.getElementById('said').textContent") == "Trial 4 is marked in all sections"
    press(chrome, "Escape")
    assert chrome.js(lit) == [] and chrome.js("return document.querySelectorAll('.dim').length") == 0


def move(chrome: Chrome, element: Any) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(chrome.driver, 0).move_to_element(element).perform()


def press(chrome: Chrome, *keys: str) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    ActionChains(chrome.driver, 0).send_keys(*(getattr(Keys, key.upper()) for key in keys)).perform()


FOCUS = """
const e = document.activeElement;
const s = getComputedStyle(e), b = e.getBoundingClientRect();
return [e.tagName, e.className, e.textContent.trim().slice(0, 40), s.outlineStyle, parseFloat(s.outlineWidth),
  b.width > 0 && b.bottom > 0 && b.top < innerHeight, [...document.querySelectorAll('*')].indexOf(e)];
"""


@pytest.mark.parametrize("name", BOTH)
def test_all_is_reached_by_tab_in_the_order_of_the_page_and_seen(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name))
    wanted = chrome.js(
        "return [...document.querySelectorAll('a[href], button, summary, [tabindex=\"0\"]')]"
        ".filter(e => e.checkVisibility()).length"
    )
    reached = []
    for _ in range(wanted):
        press(chrome, "Tab")
        reached.append(chrome.js(FOCUS))
    assert len({r[-1] for r in reached}) == wanted, "each once"
    assert [r[-1] for r in reached] == sorted(r[-1] for r in reached)
    assert all(r[3] != "none" and r[4] >= 2 and r[5] for r in reached), [r for r in reached if not r[5]]
    assert reached[0][2].startswith("Skip to")


def test_keys_sort_open_and_skip(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("search-30"))
    press(chrome, "Tab", "Enter")
    assert chrome.js("return location.hash") == "#summary"
    chrome.js("document.querySelector('#leaderboard thead button').focus()")
    press(chrome, "Enter", "Space")
    assert values(chrome, "leaderboard", "rank")[2] == ["descending"]
    chrome.js("document.querySelector('#progress summary').focus()")
    press(chrome, "Enter")
    assert chrome.js("return document.querySelector('#progress details').open") is True


def test_copying_and_all_columns(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("stack-helped"), 360)
    button = chrome.driver.find_element("css selector", "#comparison .all")
    heads = "return [...document.querySelectorAll('#comparison thead th')].filter(e => e.offsetWidth).length"
    few = chrome.js(heads)
    button.click()
    assert chrome.js(heads) > few and button.get_attribute("aria-pressed") == "true"
    chrome.js("document.querySelector('#summary .copy').click()")
    said = "return document.getElementById('said').textContent"
    assert chrome.driver.execute_async_script(
        "const done = arguments[0]; setTimeout(() => done(document.getElementById('said').textContent), 300)"
    ) in ("copied", "selected"), chrome.js(said)
    assert chrome.js("return document.querySelector('#summary code').textContent").startswith("fertune predict runs/")


def test_the_list_of_sections_shows_where_one_is(chrome: Chrome, pages: Pages) -> None:
    chrome.open(pages("stack-helped"))
    chrome.js("document.getElementById('cost').scrollIntoView()")
    marked = chrome.driver.execute_async_script(
        "const done = arguments[0]; setTimeout(() => done([...document.querySelectorAll('[aria-current]')]"
        ".map(a => a.hash)), 300)"
    )
    assert marked == ["#cost"]


@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("width", [1280, 360])
def test_without_scripts_all_is_readable(scriptless: Chrome, pages: Pages, name: str, width: int) -> None:
    scriptless.open(pages(name), width)
    probe = """
      const shown = (e) => e.checkVisibility();
      return [document.getElementById('said').textContent,
        [...document.querySelectorAll('main > section > .table :is(th, td)')].filter((e) => !shown(e)).length,
        [...document.querySelectorAll('.copy, .all')].filter(shown).length,
        [...document.querySelectorAll('main > section > :not(details)')].filter((e) => !shown(e)).length]
    """
    said, cells, dead, parts = scriptless.js(probe)
    assert (said, cells, dead, parts) == ("", 0, 0, 0)
    summary = scriptless.driver.find_element("css selector", "main details.numbers summary")
    summary.click()
    assert scriptless.js("return document.querySelector('main details.numbers').open") is True
