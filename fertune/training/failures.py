"""What stops a training, sorted into the classes that a run knows."""

from __future__ import annotations

import re
import traceback
from typing import Any

from fertune.errors import FertuneError
from fertune.models.feasible import too_many
from fertune.trial import Failure, FailureKind

LONGEST = 300
LONGEST_TRACE = 20_000

_MEMORY = re.compile(
    r"RESOURCE_EXHAUSTED|ResourceExhausted|OOM when allocating|out of memory|bad_alloc|(unable|failed) to allocate",
    re.IGNORECASE,
)
_SHAPE = re.compile(
    r"negative dimension|pools a \d+x\d+ map|output size would be (zero or )?negative|must have the same shape"
    r"|incompatible (shapes?|with the layer)|shapes? .*(incompatible|mismatch|not match)|mismatched .*shapes?"
    r"|outputs of shape|dimensions? .*must be (positive|equal)|total size of the tensor must be"
    r"|should have shape|expected .*shape|dimensions in the output is <= 0",
    re.IGNORECASE,
)
_WRAPPING = ("Graph execution error", "Detected at node", "File ", "Exception encountered")
_SHAPE_TYPES = ("ValueError", "InvalidArgumentError", "TypeError")


class NanLoss(ArithmeticError):
    """The loss is no number any more: training further is of no use."""

    def __init__(self, what: str, epoch: int, rate: float) -> None:
        super().__init__(f"the loss became {what} in epoch {epoch} at learning rate {rate:g}")


class TooLarge(Exception):
    """The model has more weights than are allowed."""


def check_size(model: Any, most: int | None) -> None:
    """Refuse a built model before it costs any training.

    Raises:
        TooLarge: It has more than ``most`` weights.
    """
    if most is not None and (count := int(model.count_params())) > most:
        raise TooLarge(too_many(count, most))


def classify(error: BaseException) -> Failure:
    """The class, one line and the traceback of whatever a job raised."""
    trace = "".join(traceback.format_exception(error))[-LONGEST_TRACE:]
    return Failure(_kind(error), one_line(error), trace)


def _kind(error: BaseException) -> FailureKind:
    name, text = type(error).__name__, str(error)
    if isinstance(error, NanLoss):
        return FailureKind.NAN_LOSS
    if isinstance(error, TooLarge):
        return FailureKind.INFEASIBLE
    if isinstance(error, MemoryError) or _MEMORY.search(f"{name} {text}"):
        return FailureKind.OUT_OF_MEMORY
    if name in _SHAPE_TYPES and _SHAPE.search(text):
        return FailureKind.INVALID_SHAPE
    return FailureKind.CRASHED


def one_line(error: BaseException) -> str:
    """``TypeError: what it says``, cut to one line; the line that names the cause where a library wraps it in many."""
    if isinstance(error, NanLoss | TooLarge):
        return str(error)
    if isinstance(error, FertuneError):
        return _cut(error.message + (f" ({error.help})" if error.help else ""))
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    telling = [line for line in lines if _MEMORY.search(line) or _SHAPE.search(line)]
    plain = [line for line in lines if not line.startswith(_WRAPPING)]
    return _cut(f"{type(error).__name__}: {(telling or plain or lines)[0]}")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
