"""From a drawing to what may stand in the page."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from fertune.report import theme
from fertune.report.canvas import Sheet, colours, fixed_ticks, log_ticks, nice, style, time_ticks
from fertune.report.svg import inline
from fertune.report.theme import HEX


def _sheet() -> Sheet:
    with style():
        sheet = Sheet(340, 200)
        ax = sheet.panel(40, 20, 280, 140)
        dot = ax.plot([0, 1], [0, 1], "o-", color=HEX["single"])[0]
        sheet.tip(dot, "trial 7", 7)
        sheet.text(4, 8, "$x$ <b>_a", rim=True)
        nice(ax, "y")
        fixed_ticks(ax, "x", [0, 1], ["0", "1"])
    return sheet


def _drawn(sheet: Sheet) -> str:
    with style():
        return str(sheet.markup("one", "A title", "What it shows"))


def test_one_svg_for_both_themes() -> None:
    text = _drawn(_sheet())
    assert "#" not in re.sub(r'href="#|url\(#', "", text)
    assert "var(--single)" in text
    assert "<metadata" not in text
    assert "<style" not in text
    assert "xlink" not in text
    root = ElementTree.fromstring(text)
    assert root.attrib == {"viewBox": "0 0 340 200", "role": "img", "aria-labelledby": "one-t one-d"}
    assert [e.tag for e in root][:2] == ["title", "desc"]
    assert root[1].text == "What it shows"


def test_ids_carry_the_prefix_and_lead_somewhere() -> None:
    text = _drawn(_sheet())
    ids = re.findall(r' id="([^"]+)"', text)
    assert ids
    assert all(i.startswith("one-") for i in ids)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', text)) <= {(i, "") for i in ids} | {("", i) for i in ids}


def test_a_tip_knows_its_trial() -> None:
    assert '<g data-trial="7"><title>trial 7</title>' in _drawn(_sheet())


def test_a_tip_without_a_trial_keeps_its_group() -> None:
    sheet = _sheet()
    with style():
        sheet.tip(sheet.panel(0, 0, 10, 10).plot([0], [0], "o", color=HEX["meta"])[0], "logistic: +1.2 points")
    root = ElementTree.fromstring(_drawn(sheet))
    assert [t.text for t in root.findall("title")] == ["A title"]
    assert [g.find("title").text for g in root.iter("g") if g.find("title") is not None] == [
        "trial 7",
        "logistic: +1.2 points",
    ]


def test_text_stays_text() -> None:
    assert ">$x$ &lt;b&gt;_a</text>" in _drawn(_sheet())


def test_a_colour_of_no_theme_is_refused() -> None:
    sheet = _sheet()
    with style():
        sheet.panel(0, 0, 10, 10).plot([0, 1], [0, 1], color="#123456")
        with pytest.raises(ValueError, match="#123456"):
            inline(sheet.drawing, prefix="x", title="", desc="")


def test_black_text_is_refused() -> None:
    sheet = _sheet()
    with style():
        sheet.drawing.text(0, 0, "black", color="black")
        with pytest.raises(ValueError, match="black"):
            inline(sheet.drawing, prefix="x", title="", desc="")


def test_the_users_own_settings_change_nothing() -> None:
    import matplotlib

    before = _drawn(_sheet())
    with matplotlib.rc_context({"font.size": 30.0, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert _drawn(_sheet()) == before


def test_hexes_are_of_one_role_each() -> None:
    assert len(set(HEX.values())) == len(HEX)
    assert set(theme.VARIABLE.values()) == set(HEX)
    assert len(colours("seq").colors) == theme.STEPS


@pytest.mark.parametrize("which", [0, 1])
def test_contrast(which: int) -> None:
    def value(name: str) -> str:
        return theme._ROLES[name][which]

    for text, ground in [(t, g) for t in ("ink", "muted", "link", "warning") for g in ("page", "surface")]:
        assert theme.contrast(value(text), value(ground)) >= 4.5, (text, ground)
    for mark in ("axis", "single", "variant", "average", "meta", "right", "wrong"):
        assert theme.contrast(value(mark), value("page")) >= 3.0, mark
    for a, b in combinations(("single", "variant", "average", "meta"), 2):
        assert value(a) != value(b)
    for name, row in theme._TABLE.items():
        if name.endswith("-text"):
            assert theme.contrast(row[which + 1], theme._TABLE[name.removesuffix("-text")][which + 1]) >= 4.5, name


def test_both_themes_have_all_variables() -> None:
    light, dark = (set(re.findall(r"--([a-z0-9-]+):", theme.css(t))) for t in ("light", "dark"))
    assert light == dark == set(HEX)


def test_ticks() -> None:
    assert log_ticks(1e-4, 3e-2) == [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2] or len(log_ticks(1e-4, 3e-2)) <= 5
    assert time_ticks(50, 4000, 4) == [60.0, 300.0, 1200.0] or len(time_ticks(50, 4000, 4)) <= 4
    assert [theme.step(v, 0, 1) for v in (-1, 0, 0.5, 1, 2)] == [0, 0, 4, 8, 8]
    assert theme.step(1, 1, 1) == 0
