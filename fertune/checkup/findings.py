"""What is wrong or could be better with a machine, each with what to type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fertune.checkup.facts import Facts

BACKENDS = ("tensorflow", "jax", "torch")
LEAST_DISK = 200 * 1000**2
"""Bytes below which nothing can be trained: a few models take so much."""
LITTLE_DISK = 2 * 1000**3
LITTLE_MEMORY = 1_500 * 1000**2
"""Bytes that a worker of a small net takes, its backend included."""


@dataclass(frozen=True)
class Finding:
    """One of them.

    Attributes:
        level: ``problem``: training cannot work; ``warning``: it works, but not as well as it could.
        text: What came, one clause.
        help: What to type.
    """

    level: Literal["problem", "warning"]
    text: str
    help: str


def findings(facts: Facts, probe: Mapping[str, Any], environment: Mapping[str, str]) -> list[Finding]:
    """All of them, problems first.

    Args:
        probe: See ``ask_backend``.
        environment: Of the process, for ``KERAS_BACKEND`` and ``CUDA_VISIBLE_DEVICES``.
    """
    found = [*_backend(facts, probe, environment), *_gpus(facts, probe, environment), *_room(facts)]
    return sorted(found, key=lambda f: f.level != "problem")


def _backend(facts: Facts, probe: Mapping[str, Any], environment: Mapping[str, str]) -> list[Finding]:
    asked = environment.get("KERAS_BACKEND") or ""
    if asked and asked not in BACKENDS:
        return [
            Finding(
                "problem",
                f"KERAS_BACKEND is {asked!r}, which is none of {', '.join(BACKENDS)}",
                "unset KERAS_BACKEND    # TensorFlow is the default",
            )
        ]
    if not probe["works"]:
        fix = probe.get("help") or 'pip install --force-reinstall "fertune[cpu]"'
        return [Finding("problem", str(probe["error"]), fix)]
    found = []
    if probe["backend"] != facts.backend:
        found.append(
            Finding(
                "warning",
                f"Keras' own keras.json names {probe['backend']}, and KERAS_BACKEND is not set: runs would say "
                f"{facts.backend}",
                f"export KERAS_BACKEND={probe['backend']}",
            )
        )
    if probe["backend"] == "torch":
        found.append(
            Finding(
                "warning",
                "the torch backend is not tested with fertune",
                "unset KERAS_BACKEND, or export KERAS_BACKEND=jax",
            )
        )
    for name, value, wanted in (
        ("floatx", probe["floatx"], "float32"),
        ("image_data_format", probe["image_data_format"], "channels_last"),
    ):
        if value != wanted:
            found.append(
                Finding(
                    "warning" if name == "floatx" else "problem",
                    f"Keras' keras.json sets {name} to {value}; fertune's nets are made for {wanted}",
                    f'edit ~/.keras/keras.json: "{name}": "{wanted}"',
                )
            )
    if not {"xgboost", "xgboost-cpu"} & set(facts.versions):
        found.append(
            Finding(
                "warning",
                "xgboost is not installed: a stack goes without that meta-learner",
                'pip install "fertune[cpu]"',
            )
        )
    return found


def _gpus(facts: Facts, probe: Mapping[str, Any], environment: Mapping[str, str]) -> list[Finding]:
    seen = [d for d in probe.get("devices") or () if not d.lower().startswith("cpu")]
    if not probe["works"] or not facts.gpus or seen:
        return []
    names = ", ".join(gpu.name or gpu.id for gpu in facts.gpus)
    package = "tensorflow[and-cuda]" if probe["backend"] == "tensorflow" else "jax[cuda12]"
    return [
        Finding(
            "warning",
            f"nvidia-smi lists {names}, but {probe['backend']} sees no GPU: training runs on the processor",
            'pip install "fertune[gpu]"    # and uninstall tensorflow-cpu first'
            if probe["backend"] == "tensorflow"
            else f'pip install "{package}"',
        )
    ]


def _room(facts: Facts) -> list[Finding]:
    found = []
    moves = {
        "cache": "export FERTUNE_CACHE=/a/larger/disk",
        "runs": "fertune search --out /a/larger/disk/run",
        "temporary": "export TMPDIR=/a/larger/disk",
    }
    for disk in facts.disks:
        if not disk.writable:
            found.append(Finding("problem", f"the {disk.what} folder {disk.path} cannot be written", moves[disk.what]))
        elif disk.free is not None and disk.free < LITTLE_DISK:
            tight = disk.free < LEAST_DISK and disk.what != "temporary"
            room = f"{disk.free / 1e6:,.0f} MB"
            text = f"only {room} are free for the {disk.what} folder, at {disk.path}"
            found.append(Finding("problem" if tight else "warning", text, moves[disk.what]))
    if facts.memory_free < LITTLE_MEMORY:
        text = f"only {facts.memory_free / 1e6:,.0f} MB of memory are free; one worker takes about 1,000 MB"
        found.append(Finding("warning", text, "end what else runs, or use --workers 1"))
    return found
