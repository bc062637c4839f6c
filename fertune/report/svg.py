"""From matplotlib's SVG to one that lives in the page: both themes, no clashing ids, nothing that leaks out of it."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Mapping
from xml.etree import ElementTree

from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from fertune.report.theme import VARIABLE
from fertune.report.words import line

_DECIMALS = re.compile(r"-?\d*\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_PAINTS = ("fill", "stroke")
_GEOMETRY = ("d", "x", "y", "width", "height", "transform", "points", "cx", "cy", "r", "x1", "x2", "y1", "y2")
_DROPPED = ("font-family", "stroke-linejoin", "stroke-linecap")
TIP = "tip-"
HALO = "halo"
"""gid of texts that stand on lines: they get a rim in the colour of the page."""
_RIM = "paint-order:stroke;stroke:var(--page);stroke-width:3px"


def _local(name: str) -> str:
    return name.rsplit("}", 1)[-1]


def _rounded(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        short = f"{float(match.group()):.1f}"
        return "0" if short == "-0.0" else short.removesuffix(".0")

    return " ".join(_DECIMALS.sub(one, text).split())


def _paint(value: str) -> str:
    """A colour as a variable.

    Raises:
        ValueError: A colour that is in no table would stay as it is in the dark.
    """
    value = value.strip()
    if value == "none" or value.startswith("url(#"):
        return value
    name = VARIABLE.get(value.lower())
    if name is None:
        raise ValueError(f"a figure uses {value}, which is no colour of the theme")
    return f"var(--{name})"


def _style(element: ElementTree.Element) -> None:
    """Gather all presentation in ``style``; colours become variables."""
    pairs: dict[str, str] = {}
    for key in _PAINTS:
        if key in element.attrib:
            pairs[key] = element.attrib.pop(key)
    for declaration in element.attrib.pop("style", "").split(";"):
        key, _, value = declaration.partition(":")
        if key.strip() and key.strip() not in _DROPPED:
            pairs[key.strip()] = value.strip()
    for key in _PAINTS:
        if key in pairs:
            pairs[key] = _paint(pairs[key])
    if element.tag == "text" and "fill" not in pairs:
        raise ValueError("a text of a figure is pure black, which stays black in the dark")
    if pairs:
        element.set("style", ";".join(f"{k}:{v}" for k, v in pairs.items()))


def _clean(root: ElementTree.Element) -> None:
    """Names without namespaces; metadata and matplotlib's own style out; numbers to 0.1 px."""
    for parent in root.iter():
        for child in list(parent):
            if _local(child.tag) in ("metadata", "style"):
                parent.remove(child)
    for element in root.iter():
        element.tag = _local(element.tag)
        element.attrib = {_local(k): v for k, v in element.attrib.items()}
        element.text = (element.text or "").strip() if element.tag != "text" else element.text
        element.tail = None
        for key in _GEOMETRY:
            if key in element.attrib:
                element.set(key, _rounded(element.attrib[key]))
        _style(element)


def _references(root: ElementTree.Element) -> set[str]:
    found: set[str] = set()
    for element in root.iter():
        for key, value in element.attrib.items():
            found |= set(_REFERENCE.findall(value))
            if key == "href":
                found.add(value.removeprefix("#"))
    return found


def _rename(root: ElementTree.Element, prefix: str) -> None:
    """Only ids that something points to stay, under the figure's own prefix."""
    used = _references(root)
    names = {
        e.attrib["id"]: f"{prefix}-{i}" for i, e in enumerate(e for e in root.iter() if e.attrib.get("id") in used)
    }
    for element in root.iter():
        for key, old in list(element.attrib.items()):
            if key == "id":
                if old in names:
                    element.set("id", names[old])
                else:
                    del element.attrib["id"]
            elif key == "href":
                element.set("href", f"#{names[old.removeprefix('#')]}")
            elif "url(#" in old:
                element.set(key, _REFERENCE.sub(lambda m: f"url(#{names[m.group(1)]})", old))


def _tips(root: ElementTree.Element, tips: Mapping[str, tuple[str, int | None]]) -> None:
    """Groups that carry a tooltip get a ``<title>``, and their trial's number for lighting up."""
    for element in root.iter("g"):
        if element.attrib.get("id") == HALO:
            for letters in element.iter("text"):
                letters.set("style", f"{letters.attrib['style']};{_RIM}")
        tip = tips.get(element.attrib.get("id", ""))
        if tip is None:
            continue
        text, trial = tip
        title = ElementTree.Element("title")
        title.text = text
        element.insert(0, title)
        if trial is not None:
            element.set("data-trial", str(trial))


def _flatten(root: ElementTree.Element) -> None:
    """Groups without a single attribute say nothing, but for a tooltip's: their children move up."""
    for parent in list(root.iter()):
        children: list[ElementTree.Element] = []
        for child in parent:
            stack = [child]
            while stack:
                one = stack.pop(0)
                if one.tag == "g" and not one.attrib and one.find("title") is None:
                    stack = [*one, *stack]
                elif not (one.tag in ("g", "defs") and not len(one)):
                    children.append(one)
        parent[:] = children


def inline(
    figure: Figure, *, prefix: str, title: str, desc: str, tips: Mapping[str, tuple[str, int | None]] | None = None
) -> Markup:
    """The figure as markup for the page.

    Args:
        figure: Drawn in colours of ``theme.HEX`` only.
        prefix: Unique in the page; ids of the figure begin with it.
        title, desc: What a screen reader says.
        tips: gid of an artist -> (tooltip, trial number or None).

    Raises:
        ValueError: A colour outside the theme.
    """
    canvas = FigureCanvasSVG(figure)
    file = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the browser's font has it
        canvas.print_figure(
            file,
            format="svg",
            facecolor="none",
            edgecolor="none",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", file.getvalue()))
    _clean(root)
    _tips(root, tips or {})
    _rename(root, prefix)
    _flatten(root)
    box = root.attrib["viewBox"]
    root.attrib = {
        "viewBox": _rounded(box),
        "role": "img",
        "aria-labelledby": f"{prefix}-t {prefix}-d",
        "style": "",
    }
    del root.attrib["style"]
    for place, (tag, words) in enumerate((("title", title), ("desc", desc))):
        child = ElementTree.Element(tag, {"id": f"{prefix}-{tag[0]}"})
        child.text = line(words)
        root.insert(place, child)
    return Markup(ElementTree.tostring(root, encoding="unicode"))
