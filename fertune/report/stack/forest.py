"""The forest plot: left how good each row is alone, right what it differs from the best single model by."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from fertune.report.canvas import Sheet, bare, fixed_ticks, nice, widened
from fertune.report.stack.rows import FEW_DISCORDANT, SHAPES, Compared, Row, State, cost, state_of
from fertune.report.theme import HEX
from fertune.report.words import fitted, known, number, p_value, points, times

LEFT_SPAN, RIGHT_HALF = 4.0, 2.0
STEP, HEAD, FOOT = 38, 44, 34


def left_span(rows: Sequence[Row]) -> tuple[float, float]:
    """Percent; at least 4 points wide, so that noise is not blown up."""
    ends = [100 * r[k] for r in rows for k in ("accuracy_low", "accuracy_high", "accuracy") if known(r.get(k))]
    return widened(min(ends), max(ends), LEFT_SPAN)


def right_span(rows: Sequence[Row]) -> tuple[float, float]:
    """Points; 0 always inside, at least -2 to +2."""
    ends = [100 * r[k] for r in rows for k in ("difference", "difference_low", "difference_high") if known(r.get(k))]
    # Twin-free lines need no span of their own, but must not be cut off.
    ends += [
        100 * w[k]
        for r in rows
        if (w := r.get("without_twins"))
        for k in ("difference_low", "difference_high")
        if known(w.get(k))
    ]
    low, high = min([*ends, -RIGHT_HALF]), max([*ends, RIGHT_HALF])
    return low - 0.06 * (high - low), high + 0.06 * (high - low)


def interval(low: float | None, high: float | None, signed: bool) -> str:
    if not known(low) or not known(high):
        return ""
    if signed:
        return f"[{points(low)}, {points(high)}]"
    return f"[{number(100 * (low or 0.0), 1)}, {number(100 * (high or 0.0), 1)}]"


def words_for(row: Row, state: State) -> str:
    """What stands beside the right panel."""
    if state == "reference":
        return "reference"
    if state == "unknown":
        return "not compared"
    if state == "same":
        return "same predictions"
    return f"{points(row['difference'])} {interval(row['difference_low'], row['difference_high'], True)}"


def _left(ax: Axes, sheet: Sheet, row: Row, y: float) -> None:
    colour = HEX[row["role"]] if row["role"] in SHAPES else HEX["axis"]
    if not known(row.get("accuracy")):
        return
    ax.plot(
        [100 * row["accuracy_low"], 100 * row["accuracy_high"]],
        [y, y],
        color=colour,
        linewidth=1.2,
        gid=f"left-line {row['name']}",
    )
    mark = ax.plot([100 * row["accuracy"]], [y], SHAPES.get(row["role"], "o"), color=colour, markersize=8)[0]
    sheet.tip(
        mark,
        f"{row['name']}: {number(100 * row['accuracy'], 1)} % "
        f"{interval(row['accuracy_low'], row['accuracy_high'], False)}",
    )


def _right(ax: Axes, sheet: Sheet, row: Row, state: State, y: float, below: float) -> None:
    if state in ("reference", "unknown"):
        return
    tie = state in ("tie", "same")
    role = HEX[row["role"]] if row["role"] in SHAPES else HEX["axis"]
    if state != "same":
        ax.plot(
            [100 * row["difference_low"], 100 * row["difference_high"]],
            [y, y],
            solid_capstyle="butt",
            color=HEX["axis"] if tie else role,
            linewidth=3.2,
        )
    mark = ax.plot(
        [100 * row["difference"]],
        [y],
        SHAPES.get(row["role"], "o"),
        color=role,
        markersize=9,
        markeredgewidth=2,
        markerfacecolor=HEX["page"] if tie else role,
    )[0]
    sheet.tip(mark, f"{row['name']}: {words_for(row, state)} points")
    without = row.get("without_twins")
    if without and known(without.get("difference_low")) and state != "same":
        ax.plot(
            [100 * without["difference_low"], 100 * without["difference_high"]],
            [y - below] * 2,
            color=HEX["axis"],
            linewidth=1.2,
        )
        ax.plot([100 * without["difference"]], [y - below], ".", color=HEX["axis"], markersize=5)


def _furniture(ax: Axes, compared: Compared, rows: int) -> None:
    detectable = compared.raw.get("verdict", {}).get("detectable")
    low, high = right_span(compared.rows)
    if known(detectable):
        ax.axvspan(max(low, -100 * detectable), min(high, 100 * detectable), color=HEX["surface"], linewidth=0)
        for x in (-100 * detectable, 100 * detectable):
            if low < x < high:
                ax.axvline(x, color=HEX["grid"], linewidth=1)
    ax.axvline(0, color=HEX["ink"], linewidth=1.2)
    ax.set_xlim(low, high)
    ax.set_ylim(-0.5, rows - 0.5)
    fixed_ticks(ax, "y", [], [])
    nice(ax, "x", ticks=4, grid=False)
    formatter = ax.xaxis.get_major_formatter()

    def with_sign(value: float, at: int | None = None) -> str:
        return ("+" if value > 1e-9 else "") + formatter(value, at)

    ax.xaxis.set_major_formatter(FuncFormatter(with_sign))
    bare(ax, "bottom")


def wide(compared: Compared, width: int) -> Sheet:
    """Name, left panel, numbers, right panel, numbers, p, time."""
    rows = compared.rows
    tall = STEP * len(rows)
    sheet = Sheet(width, HEAD + tall + FOOT)
    left = sheet.panel(196, HEAD, 172, tall)
    right = sheet.panel(488, HEAD, 164, tall)
    for x, text, align in (
        (0, "model", "left"),
        (196, "accuracy, each alone, %", "left"),
        (378, "[95 % interval]", "left"),
        (488, "paired difference, points", "left"),
        (662, "[95 % interval]", "left"),
        (846, "p", "right"),
        (898, "time", "right"),
    ):
        sheet.text(x, 12, text, color=HEX["muted"], ha=align)
    low, high = left_span(rows)
    left.set_xlim(low, high)
    left.set_ylim(-0.5, len(rows) - 0.5)
    fixed_ticks(left, "y", [], [])
    nice(left, "x", ticks=4, grid=False)
    bare(left, "bottom")
    _furniture(right, compared, len(rows))
    for i, row in enumerate(rows):
        y, at = len(rows) - 1 - i, HEAD + STEP * (i + 0.5)
        state = state_of(row, compared)
        pinned = row["name"] in (compared.raw.get("best_single"), compared.raw.get("chosen"))
        said = {
            compared.raw.get("best_single"): "best single, the reference",
            compared.raw.get("chosen"): "the chosen stack",
        }.get(row["name"], "")
        sheet.text(0, at - (8 if said else 0), fitted(row["name"], 186), fontweight="bold" if pinned else "normal")
        if said:
            sheet.text(0, at + 8, said, color=HEX["muted"], fontsize=11)
        _left(left, sheet, row, y)
        _right(right, sheet, row, state, y, 10 / STEP)
        if known(row.get("accuracy")):
            sheet.text(
                378,
                at,
                f"{number(100 * row['accuracy'], 1)} {interval(row['accuracy_low'], row['accuracy_high'], False)}",
            )
        told = words_for(row, state)
        counts = _counts(row)
        beneath = [*(["no difference shown"] if state == "tie" else []), *([counts] if counts else [])]
        lifted = (0, 8, 12)[len(beneath)]
        sheet.text(
            662,
            at - lifted,
            told,
            color=HEX["muted"] if state in ("reference", "unknown") else HEX["ink"],
            fontweight="bold" if state in ("better", "worse") else "normal",
        )
        for words, below in zip(beneath, (8,) if len(beneath) == 1 else (1, 13), strict=False):
            sheet.text(662, at + below, words, color=HEX["muted"], fontsize=11)
        if state not in ("reference", "unknown"):
            sheet.text(846, at, p_value(_p(row)), ha="right")
        sheet.text(898, at, times(cost(row, compared.single)), ha="right", color=HEX["muted"])
    if len(rows) > 2:
        line = HEAD + STEP * 2
        sheet.drawing.add_artist(_rule(sheet, line))
    return sheet


def _rule(sheet: Sheet, y: float) -> Line2D:
    return Line2D(
        [0, 1], [1 - y / sheet.height] * 2, color=HEX["grid"], linewidth=1, transform=sheet.drawing.transFigure
    )


def _counts(row: Row) -> str:
    """``31 gained, 18 lost`` where so few pictures decide that a rate would say too much."""
    gained, lost = row.get("gained"), row.get("lost")
    if not known(gained) or not known(lost) or not 0 < gained + lost < FEW_DISCORDANT:
        return ""
    return f"{number(gained)} gained, {number(lost)} lost"


def _p(row: Row) -> float | None:
    return row.get("p_holm") if known(row.get("p_holm")) else row.get("p_value")


def narrow(compared: Compared, width: int) -> Sheet:
    """Name above, the right panel, numbers below."""
    rows = compared.rows
    step = 74
    sheet = Sheet(width, 26 + step * len(rows) + FOOT)
    sheet.text(0, 10, "paired difference to the best single, points", color=HEX["muted"])
    right = sheet.panel(6, 26, width - 12, step * len(rows))
    _furniture(right, compared, len(rows))
    for i, row in enumerate(rows):
        y, top = len(rows) - 1 - i, 26 + step * i
        state = state_of(row, compared)
        pinned = row["name"] in (compared.raw.get("best_single"), compared.raw.get("chosen"))
        sheet.text(0, top + 12, fitted(row["name"], 190), fontweight="bold" if pinned else "normal", rim=True)
        if known(row.get("accuracy")):
            alone = f"{number(100 * row['accuracy'], 1)} % alone"
            sheet.text(width, top + 12, alone, ha="right", color=HEX["muted"], rim=True)
        _right(right, sheet, row, state, y, 10 / step)
        below = words_for(row, state)
        counts = _counts(row)
        if counts:  # so few that p says less than they do
            below += f", {counts}" if state != "tie" else f", no difference: {counts}"
        elif state not in ("reference", "unknown"):
            below += f"  p {p_value(_p(row))}" + (", no difference shown" if state == "tie" else "")
        colour = HEX["muted"] if state == "reference" else HEX["ink"]
        sheet.text(0, top + 61, below, color=colour, rim=True)
    return sheet


def forest(compared: Compared, width: int) -> Sheet:
    return narrow(compared, width) if width < 600 else wide(compared, width)
