"""What stops a training is sorted into the right class, with one line that names the cause."""

from __future__ import annotations

import numpy as np
import pytest

from fertune.errors import RunError
from fertune.training.failures import LONGEST, NanLoss, classify
from fertune.trial import FailureKind


class ResourceExhaustedError(Exception):
    """As TensorFlow names it."""


class InvalidArgumentError(Exception):
    """As TensorFlow names it."""


GRAPH = """Graph execution error:

Detected at node conv2d/Conv2D defined at (most recent call last):
  File "/somewhere/model.py", line 3, in <module>
OOM when allocating tensor with shape[64,48,48,512] on CPU
\t [[{{node conv2d/Conv2D}}]] [Op:__inference_1]"""

CASES = [
    (MemoryError(), FailureKind.OUT_OF_MEMORY, "MemoryError"),
    (ResourceExhaustedError(GRAPH), FailureKind.OUT_OF_MEMORY, "OOM when allocating tensor with shape[64,48,48,512]"),
    (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes"), FailureKind.OUT_OF_MEMORY, "RESOURCE_EXH"),
    (np._core._exceptions._ArrayMemoryError((9,), np.dtype("f8")), FailureKind.OUT_OF_MEMORY, "Unable to allocate"),
    (NanLoss("NaN", 3, 0.5), FailureKind.NAN_LOSS, "the loss became NaN in epoch 3 at learning rate 0.5"),
    (ValueError("block 6 pools a 1x1 map (48x48 input, halved in each block)"), FailureKind.INVALID_SHAPE, "block 6"),
    (ValueError("Computed output size would be negative. Received: ..."), FailureKind.INVALID_SHAPE, "negative"),
    (ValueError("Negative dimension size caused by subtracting 5 from 3"), FailureKind.INVALID_SHAPE, "Negative"),
    (ValueError('Input 0 of layer "x" is incompatible with the layer: expected shape=(None, 3)'),
     FailureKind.INVALID_SHAPE, "incompatible"),
    (InvalidArgumentError("Incompatible shapes: [32,7] vs. [32,3]"), FailureKind.INVALID_SHAPE, "[32,7]"),
    (TypeError("unsupported operand"), FailureKind.CRASHED, "TypeError: unsupported operand"),
    (ValueError("bad value"), FailureKind.CRASHED, "ValueError: bad value"),
    (KeyError("shape"), FailureKind.CRASHED, "KeyError: 'shape'"),
    (RunError("it is gone", help="make it"), FailureKind.CRASHED, "it is gone (make it)"),
    (KeyboardInterrupt(), FailureKind.CRASHED, "KeyboardInterrupt"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "kind", "says"), CASES, ids=lambda c: str(c)[:30])
def test_class_and_line(error: BaseException, kind: FailureKind, says: str) -> None:
    failure = classify(error)
    assert failure.kind is kind
    assert says in failure.message
    assert "\n" not in failure.message


def test_the_trace_is_kept_and_a_long_line_is_cut() -> None:
    try:
        raise ZeroDivisionError("x" * 5000)
    except ZeroDivisionError as error:
        failure = classify(error)
    assert "test_failures.py" in failure.trace
    assert len(failure.message) == LONGEST
