"""Pictures for a person to look at: set ``FERTUNE_PICTURES`` to a folder to keep them. A machine judges a little."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fertune.report.theme import _ROLES
from tests.browser.chrome import Chrome
from tests.browser.conftest import BOTH, Pages
from tests.report import fixtures
from tests.report.conftest import record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    kept = os.environ.get("FERTUNE_PICTURES")
    path = Path(kept) if kept else tmp_path_factory.mktemp("pictures")
    path.mkdir(parents=True, exist_ok=True)
    return path


def colour(name: str, theme: str) -> tuple[int, ...]:
    value = _ROLES[name][theme == "dark"]
    return tuple(int(value[i : i + 2], 16) for i in (1, 3, 5))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("name", BOTH)
def test_eight_pictures(chrome: Chrome, pages: Pages, folder: Path, name: str, width: int, theme: str) -> None:
    chrome.open(pages(name), width, theme)
    image = Image.open(chrome.picture(folder / f"{name}-{width}-{theme}.png")).convert("RGB")
    assert image.width == width and image.height > 5000
    pixels = np.asarray(image).reshape(-1, 3)
    ground, letters = (np.array(colour(part, theme)) for part in ("page", "ink"))
    assert (pixels == ground).all(1).mean() > 0.4
    assert (pixels == letters).all(1).mean() > 0.001
    for strip in np.array_split(np.asarray(image), image.height // 1500):
        assert (strip != ground).any(), "no stretch of the page is blank"


@pytest.mark.parametrize("sight", ["achromatopsia", "deuteranopia"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_roles_right_and_wrong_without_colours(
    chrome: Chrome, pages: Pages, folder: Path, theme: str, sight: str
) -> None:
    chrome.open(pages("stack-helped"), 1280, theme)
    chrome.sight(sight)
    try:
        chrome.picture(folder / f"stack-helped-1280-{theme}-{sight}.png")
    finally:
        chrome.sight("none")
    shapes = chrome.js(
        "return [...document.querySelectorAll('#comparison .key svg')]"
        ".map(s => s.firstElementChild.getAttribute('d') || 'circle')"
    )
    assert len(set(shapes)) == len(shapes) == 4, "each role has a shape of its own"
    frames = chrome.js(
        "return [...document.querySelectorAll('#gallery li')].map(e => [e.className,"
        "getComputedStyle(e.querySelector('svg')).borderTopStyle,"
        "e.textContent.includes('✓'), e.textContent.includes('✗')])"
    )
    assert {tuple(f) for f in frames} == {("right", "solid", True, False), ("wrong", "dashed", False, True)}


MARKS = """
const svg = document.querySelector('#comparison .wide svg');
const middle = (e) => {
  const b = e.getBoundingClientRect();
  return [b.left + b.width / 2, b.top + b.height / 2, b.width];
};
const groups = [...svg.querySelectorAll('g')].filter((g) => g.firstElementChild?.tagName === 'title');
return {
  marks: groups.map((g) => [g.firstElementChild.textContent, ...middle(g)]),
  spans: [...svg.querySelectorAll('path')].filter((p) => p.style.strokeWidth.startsWith('3.2')).map(middle),
  zero: [...svg.querySelectorAll('text')].filter((t) => t.textContent === '0').map(middle),
  names: [...svg.querySelectorAll('text')].map((t) => [t.textContent, ...middle(t)]),
};
"""


@pytest.mark.parametrize("name", ["stack-helped", "stack-tie", "stack-hurt"])
def test_the_forest_on_the_screen_is_the_json(chrome: Chrome, pages: Pages, name: str) -> None:
    made = record(name)
    assert isinstance(made, fixtures.MemoryStack) and made.comparison is not None
    rows = {r["name"]: r for r in made.comparison["rows"]}
    chrome.open(pages(name), 1280)
    drawn = chrome.js(MARKS)
    right = {m[0].split(":")[0]: m[1:] for m in drawn["marks"] if m[0].endswith(" points")}
    reference = made.comparison["best_single"]
    assert set(right) == set(rows) - {reference}
    gains = np.array([100 * rows[n]["difference"] for n in right])
    places = np.array([m[0] for m in right.values()])
    scale, zero = np.polyfit(gains, places, 1)
    assert np.abs(scale * gains + zero - places).max() < 1
    assert min(abs(z[0] - zero) for z in drawn["zero"]) < 2, "0 is in view, and marked"
    for label, (_, y, _) in right.items():
        row = rows[label]
        span = min(drawn["spans"], key=lambda s: abs(s[1] - y))
        assert span[2] == pytest.approx(100 * (row["difference_high"] - row["difference_low"]) * scale, abs=1.5)
        assert span[0] == pytest.approx(zero + 50 * (row["difference_high"] + row["difference_low"]) * scale, abs=1)
    top = sorted(right, key=lambda n: right[n][1])
    assert top[0] == made.comparison["chosen"]
    first = next(t for t in drawn["names"] if t[0] == reference)
    assert first[2] < right[top[0]][1], "the reference stands above all"
