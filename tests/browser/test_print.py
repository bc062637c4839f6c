"""Printed from a dark screen: white pages, pictures there, no figure split, heads repeated, few pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.browser.chrome import Chrome
from tests.browser.conftest import BOTH, Pages

pytestmark = pytest.mark.slow
pdfium: Any = pytest.importorskip("pypdfium2", reason='pypdfium2 is missing: pip install "fertune[browser]"')
MOST_PAGES = {"search-30": 12, "stack-helped": 14}


@pytest.fixture(scope="module", params=BOTH)
def printed(request: pytest.FixtureRequest, chrome: Chrome, pages: Pages, tmp_path_factory: Any) -> tuple[str, Any]:
    chrome.open(pages(request.param), 1280, "dark")
    path: Path = chrome.printed(tmp_path_factory.mktemp("print") / f"{request.param}.pdf")
    return request.param, pdfium.PdfDocument(path)


def test_the_paper_is_white_and_the_letters_dark(printed: tuple[str, Any]) -> None:
    for page in printed[1]:
        grey = page.render(scale=2).to_pil().convert("L")
        edge = [grey.getpixel((x, y)) for x in (3, grey.width - 4) for y in range(0, grey.height, 20)]
        assert min(edge) > 250
        assert grey.getextrema()[0] < 128


def test_pictures_are_there(printed: tuple[str, Any]) -> None:
    kinds = [o.type for page in printed[1] for o in page.get_objects(max_depth=8)]
    assert kinds.count(pdfium.raw.FPDF_PAGEOBJ_IMAGE) >= 25


PAPER = """
const tall = [...document.querySelectorAll('main figure, main .strip, main tr')].map((e) => e.offsetHeight);
const heads = [...document.querySelectorAll('thead')].map((e) => getComputedStyle(e).display);
const whole = [...document.querySelectorAll('main figure, main tr')].map((e) => getComputedStyle(e).breakInside);
const wide = [...document.querySelectorAll('main table, main figure')].map((e) => e.getBoundingClientRect().right);
return [Math.max(...tall), [...new Set(heads)], [...new Set(whole)], Math.max(...wide), innerWidth];
"""


@pytest.mark.parametrize("name", BOTH)
def test_no_figure_is_split_or_cut_and_heads_are_repeated(chrome: Chrome, pages: Pages, name: str) -> None:
    chrome.open(pages(name), 717)
    chrome.cdp("Emulation.setEmulatedMedia", media="print")
    chrome.js("dispatchEvent(new Event('beforeprint'))")
    tall, heads, whole, right, paper = chrome.js(PAPER)
    chrome.theme("light")
    assert tall < 1000, "a page holds each figure whole"
    assert heads == ["table-header-group"] and whole == ["avoid"]
    assert right <= paper


def test_few_pages(printed: tuple[str, Any]) -> None:
    name, paper = printed
    assert len(paper) <= MOST_PAGES[name]


def test_everything_is_on_paper_and_buttons_are_not(printed: tuple[str, Any]) -> None:
    text = "\n".join(page.get_textpage().get_text_range() for page in printed[1])
    for word in ("Reproduce", "Confusion", "Failures", "fingerprint"):
        assert word in text
    assert "All columns" not in text and "Skip to" not in text
