"""The comparison as the sections see it: order, state and role of each row. Pure readings of ``comparison.json``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from fertune.report.words import known

Row = Mapping[str, Any]
State = Literal["reference", "same", "better", "worse", "tie", "unknown"]
ROLES = ("single", "variant", "average", "meta")
ROLE_WORDS = {
    "single": "single model",
    "variant": "variant of the best single",
    "average": "average",
    "meta": "meta-learner",
}
SHAPES = {"single": "o", "variant": "^", "average": "s", "meta": "D"}
LEVEL = 0.05
FEW_DISCORDANT = 40


@dataclass(frozen=True)
class Compared:
    """``comparison.json``, read.

    Attributes:
        raw: As stored.
        rows: In the order of the forest plot.
    """

    raw: Mapping[str, Any]
    rows: tuple[Row, ...]

    @property
    def tested(self) -> bool:
        """Whether there are labelled test rows."""
        return bool(self.raw.get("n_test")) and any(known(r.get("accuracy")) for r in self.rows)

    def named(self, name: str | None) -> Row | None:
        return next((r for r in self.rows if r["name"] == name), None)

    @property
    def single(self) -> Row | None:
        return self.named(self.raw.get("best_single"))

    @property
    def chosen(self) -> Row | None:
        return self.named(self.raw.get("chosen"))


def read(comparison: Mapping[str, Any]) -> Compared:
    return Compared(comparison, tuple(ordered(comparison)))


def ordered(comparison: Mapping[str, Any]) -> list[Row]:
    """Best single, chosen, then by role, inside a role by out-of-fold accuracy: never by a test number."""
    best, chosen = comparison.get("best_single"), comparison.get("chosen")

    def key(row: Row) -> tuple[int, int, float, str]:
        pinned = 0 if row["name"] == best else 1 if row["name"] == chosen else 2
        role = ROLES.index(row["role"]) if row["role"] in ROLES else len(ROLES)
        oof = row.get("oof_accuracy")
        return pinned, role if pinned == 2 else 0, -(oof if known(oof) else -1.0), row["name"]

    return sorted(comparison.get("rows", ()), key=key)


def state_of(row: Row, compared: Compared) -> State:
    """Where a row stands against the best single model.

    The chosen stack is judged by the verdict, which is about that one pair; the others by their interval and by Holm's
    p over the table.
    """
    if row["name"] == compared.raw.get("best_single"):
        return "reference"
    if not known(row.get("difference")):
        return "unknown"
    if row.get("gained") == 0 and row.get("lost") == 0:
        return "same"
    if row["name"] == compared.raw.get("chosen"):
        kind = compared.raw.get("verdict", {}).get("kind")
        return "better" if kind == "helped" else "worse" if kind == "hurt" else "tie"
    p = row.get("p_holm") if known(row.get("p_holm")) else row.get("p_value")
    if not known(p) or p >= LEVEL:
        return "tie"
    return "better" if row["difference_low"] > 0 else "worse" if row["difference_high"] < 0 else "tie"


def states(compared: Compared) -> list[State]:
    return [state_of(r, compared) for r in compared.rows]


def cost(row: Row | None, reference: Row | None) -> float | None:
    """Training time as a multiple of the reference's; None where one is unknown."""
    if row is None or reference is None:
        return None
    a, b = row.get("seconds"), reference.get("seconds")
    return a / b if known(a) and known(b) and a > 0 and b > 0 else None


def missing(rows: Sequence[Row], field: str) -> list[str]:
    return [r["name"] for r in rows if not known(r.get(field))]
