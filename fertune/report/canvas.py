"""A sheet to draw on: sizes in px, colours by name, matplotlib without its global state."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from fertune.report.blocks import Figure
from fertune.report.svg import HALO, TIP, inline
from fertune.report.theme import HEX, STEPS
from fertune.report.words import line, number, width_of

WIDE = 900
NARROW = 340
_RC = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fertune",
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "font.size": 12.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 12.0,
    "xtick.labelsize": 12.0,
    "ytick.labelsize": 12.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
    "text.color": HEX["ink"],
    "axes.edgecolor": HEX["axis"],
    "axes.labelcolor": HEX["muted"],
    "axes.titlecolor": HEX["ink"],
    "xtick.color": HEX["axis"],
    "ytick.color": HEX["axis"],
    "xtick.labelcolor": HEX["muted"],
    "ytick.labelcolor": HEX["muted"],
    "grid.color": HEX["grid"],
    "axes.linewidth": 1.0,
    "grid.linewidth": 1.0,
    "lines.linewidth": 1.5,
    "lines.markersize": 6.0,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.minor.size": 0.0,
    "ytick.minor.size": 0.0,
    "xtick.major.pad": 6.0,
    "ytick.major.pad": 6.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "hatch.color": HEX["axis"],
    "hatch.linewidth": 1.0,
    "patch.edgecolor": HEX["ink"],
    "path.simplify": True,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
}


def colours(name: str) -> ListedColormap:
    """The nine steps of ``seq`` or ``div`` as a colour map."""
    return ListedColormap([HEX[f"{name}-{i}"] for i in range(STEPS)])


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Drawing settings of the report, whatever the user's own are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        # the stub lists each setting as a literal, a dict of ours has plain names
        matplotlib.rcParams.update(_RC)  # type: ignore[arg-type]
        yield


@dataclass
class Sheet:
    """One drawing under way.

    Attributes:
        width, height: px.
        narrow: Whether this is the drawing for phones.
        tips: What ``tip`` gathered.
    """

    width: int
    height: int
    tips: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    drawing: Drawing = field(init=False)

    def __post_init__(self) -> None:
        self.drawing = Drawing(figsize=(self.width / 72, self.height / 72), dpi=72)
        FigureCanvasSVG(self.drawing)

    @property
    def narrow(self) -> bool:
        return self.width < 600

    def panel(self, x: float, y: float, width: float, height: float, **kwargs: Any) -> Axes:
        """Axes whose upper left corner lies at (x, y), px from the upper left of the sheet."""
        box = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        return self.drawing.add_axes(box, **kwargs)

    def text(self, x: float, y: float, text: str, *, rim: bool = False, **kwargs: Any) -> Artist:
        """Text at px from the upper left; centred on y. ``rim``: see ``halo``."""
        kwargs = {"va": "center", "color": HEX["ink"], **kwargs}
        artist = self.drawing.text(x / self.width, 1 - y / self.height, text, **kwargs)
        if rim:
            self.halo(artist)
        return artist

    def tip(self, artist: Artist, text: str, trial: int | None = None) -> None:
        """A tooltip, and the trial that lights up with it."""
        gid = f"{TIP}{len(self.tips)}"
        artist.set_gid(gid)
        self.tips[gid] = (line(text), trial)

    def halo(self, text: Artist) -> None:
        """Let a text that stands on lines be read: a rim in the colour of the page."""
        text.set_gid(HALO)

    def markup(self, prefix: str, title: str, desc: str) -> Markup:
        return inline(self.drawing, prefix=prefix, title=title, desc=desc, tips=self.tips)


def drawn(
    draw: Callable[[int], Sheet],
    *,
    id: str,
    title: str,
    desc: str,
    both: bool = True,
    width: int = NARROW,
    most: int = 560,
) -> Figure:
    """A drawing function for the wide and the narrow page, or once at ``width``; run when the page is made.

    Args:
        draw: Takes a width in px, returns the drawn sheet.
        id: Prefix of ids; unique in the page.
    """

    def at(width: int, letter: str) -> Markup:
        with style():
            return draw(width).markup(f"{id}-{letter}", title, desc)

    if not both:
        return Figure(lambda: at(width, "f"), None, most=most)
    return Figure(lambda: at(NARROW, "n"), lambda: at(WIDE, "w"), most=most)


def nice(
    ax: Axes,
    which: str,
    *,
    ticks: int = 4,
    whole: bool = False,
    grid: bool = True,
    suffix: str = "",
) -> None:
    """Few ticks, our own figures, thin lines behind."""
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(MaxNLocator(ticks, integer=whole, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_locator(NullLocator())

    def label(value: float, _: int | None = None) -> str:
        places = 0 if float(value).is_integer() else 1 if round(value * 10, 6) == round(value * 10) else 2
        return number(value, places if abs(value) >= 0.1 or value == 0 else 3) + suffix

    axis.set_major_formatter(FuncFormatter(label))
    if grid:
        # "x" or "y", which the stub wants as a literal
        ax.grid(True, axis=which)  # type: ignore[arg-type]


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round values of 1, 2, 5 between the ends; decades where these are many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for parts in ((1, 2, 5), (1, 3), (1,)):
        ticks = [m * 10.0**d for d in decades for m in parts if low <= m * 10.0**d * 1.0000001 and m * 10.0**d <= high]
        if len(ticks) <= most:
            break
    while len(ticks) > most:
        ticks = ticks[::2]
    return ticks or [low]


def time_ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round spans of time between two, in seconds: 1, 2, 5, 10, 30 of seconds, minutes and hours."""
    parts = [m * unit for unit in (1, 60, 3600) for m in (1, 2, 5, 10, 20, 30)] + [36000, 86400, 172800, 432000]
    inside = [float(p) for p in parts if low <= p <= high]
    if not inside:
        return log_ticks(low, high, most)
    apart = math.log(high / low) / (most + 0.5)
    kept = inside[:1]
    for tick in inside[1:]:
        if math.log(tick / kept[-1]) >= apart:
            kept.append(tick)
    return kept


def label_room(labels: Sequence[str], most: float) -> float:
    """px that the longest of these labels needs at 12 px, at most ``most``."""
    return min(most, 16 + max((width_of(one) for one in labels), default=0.0))


def fixed_ticks(ax: Axes, which: str, ticks: Sequence[float], labels: Sequence[str]) -> None:
    axis = ax.xaxis if which == "x" else ax.yaxis
    axis.set_major_locator(FixedLocator(list(ticks)))
    axis.set_minor_locator(NullLocator())
    axis.set_ticklabels(list(labels))


def bare(ax: Axes, *keep: str) -> None:
    """Hide all spines but those named."""
    for side, spine in ax.spines.items():
        spine.set_visible(side in keep)


def widened(low: float, high: float, least: float, share: float = 0.06) -> tuple[float, float]:
    """A span around [low, high] with some air, never under ``least`` wide."""
    middle, half = (low + high) / 2, max((high - low) / 2 * (1 + 2 * share), least / 2)
    return middle - half, middle + half
