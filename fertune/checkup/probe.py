"""What the backend says of itself, asked in a child: the process that asks imports no TensorFlow.

``python -m fertune.checkup.probe`` prints one line of JSON: backend, devices, settings of Keras, and whether a small
net could be built and trained for a step.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import warnings
from typing import Any

PATIENCE = 120.0
"""Seconds that a backend may take to start; a cold network disk is slow."""
MARK = "fertune-probe "
"""Stands before the line, since libraries print what they like."""


def ask_backend(patience: float = PATIENCE) -> dict[str, Any]:
    """What the backend says.

    Returns:
        ``works``; then, where Keras could be loaded, ``backend``, ``devices``, ``bfloat16``, ``floatx``,
        ``image_data_format``, ``seconds`` (to load and train a step); else ``error`` and ``help``.
    """
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    environment["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fertune.checkup.probe"],
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            timeout=patience,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return {"works": False, "error": f"the backend did not start within {patience:.0f} s", "help": ""}
    line = next((row for row in reversed(done.stdout.splitlines()) if row.startswith(MARK)), None)
    if line is None:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
        last = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1][:300]
        return {"works": False, "error": f"the backend ended its process with {how}: {last}", "help": ""}
    answer: dict[str, Any] = json.loads(line.removeprefix(MARK))
    return answer


def look() -> dict[str, Any]:
    """In the child: load Keras and train a step."""
    from fertune.errors import MissingPackage
    from fertune.models.engine import has_bfloat16, load_keras

    begun = time.perf_counter()
    try:
        keras = load_keras()
    except MissingPackage as error:
        return {"works": False, "error": error.message, "help": error.help or ""}
    except Exception as error:  # whatever a broken installation raises is what people must see
        return {"works": False, "error": f"keras cannot be loaded: {type(error).__name__}: {error}", "help": ""}
    answer: dict[str, Any] = {
        "works": True,
        "backend": str(keras.backend.backend()),
        "floatx": str(keras.config.floatx()),
        "image_data_format": str(keras.config.image_data_format()),
        "devices": [],
        "bfloat16": False,
    }
    try:
        answer["devices"] = [str(d) for d in keras.distribution.list_devices()]
        answer["bfloat16"] = bool(has_bfloat16())
        _train_a_step(keras)
    except Exception as error:  # the same
        answer |= {"works": False, "error": f"training fails: {type(error).__name__}: {str(error)[:300]}", "help": ""}
    answer["seconds"] = round(time.perf_counter() - begun, 2)
    return answer


def _train_a_step(keras: Any) -> None:
    import numpy as np

    net = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3), keras.layers.Flatten()])
    net.add(keras.layers.Dense(2, activation="softmax"))
    net.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    loss = net.train_on_batch(np.ones((4, 8, 8, 1), "float32"), np.array([0, 1, 0, 1]))
    if not np.isfinite(float(np.asarray(loss).ravel()[0])):
        raise FloatingPointError("the loss of a first step is no number")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    print(MARK + json.dumps(look()), flush=True)
