"""Kept models, loaded and saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fertune.errors import RunError
from fertune.files import replace_with
from fertune.models import load_keras
from fertune.models.engine import jit
from fertune.training.keras_file import foreign_classes, keras_faults

if TYPE_CHECKING:
    import keras

REGISTER = (
    "layers of your own class: in Python, import each class, register it under the name told above "
    "(keras.saving.get_custom_objects()[NAME] = Class), then ft.load(...)"
)


def load_model(path: str | Path) -> keras.Model:
    """Load a ``.keras`` file without running any code that is in it (``safe_mode``, and ``keras_faults`` before it).

    The model maps pictures (n, h, w, c) of 0 to 255 to probabilities float32 (n, classes). It is not compiled: it can
    predict at once; ``compile`` it before ``fit`` or ``evaluate``.

    Raises:
        RunError: No such file, a damaged one, or one that needs code which is not there.
        MissingPackage: Keras or its backend is not installed.
    """
    engine = load_keras()
    path = Path(path)
    if not path.is_file():
        raise RunError(f"no model in {path}")
    faults = keras_faults(path)
    if faults:
        raise RunError(
            f"the model in {path} cannot be loaded: {faults[0]}",
            details=faults if len(faults) > 1 else (),
            help=REGISTER if foreign_classes(faults) else None,
        )
    try:
        model = engine.saving.load_model(path, compile=False, safe_mode=True)
    # a zip, HDF5, JSON or deserialisation fault: each library below has its own kind
    except Exception as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise RunError(
            f"the model in {path} cannot be loaded: {lines[0]}",
            help=REGISTER,
        ) from error
    model.jit_compile = jit(model)
    return model


def save_model(model: Any, path: Path) -> None:
    """Write a model to a ``.keras`` file in one step, without its optimizer: a third of the size, and it only predicts.

    The model cannot be trained further after this; the full state is kept elsewhere.
    """
    model.optimizer, model.compiled = None, False
    replace_with(path, lambda draft: model.save(draft))
