"""How the files in ``fixtures`` were made, once a protocol number; old ones stay as they are.

    python tests/bundle/make_fixtures.py EMPTY_FOLDER

Two tiny searches and a stack on 160 digits. ``protocol-<n>.fertune`` is the stack's bundle with the logistic
meta-learner and one model a member (small enough to be kept); ``protocol-<n>.json`` holds pictures and what the bundle
said of them; ``runs-protocol-<n>.zip`` the three run folders without their models.
Run protocol 2 brought folds, fidelities and worker lines.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

SPACE = """\
name: {name}
model: conv
tuner: {tuner}
fixed: {{activation: {activation}, blocks: 1, dense_units: 0, batch_norm: false, dropout: 0.0, head_dropout: 0.0}}
recipe: {{optimizer: adam, batch_size: 16}}
params:
  pooling: {{type: choice, values: [average, flatten]}}
  filters_1: {{type: int, low: 4, high: 6}}
  learning_rate: {{type: float, low: 5.0e-3, high: 5.0e-2, log: true}}
"""
CACHE = "/home/someone/.cache/fertune"


def fertune(root: Path, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "fertune", *words],
        cwd=root,
        check=True,
        env={**os.environ, "FERTUNE_CACHE": str(root / "cache")},
    )


def make(root: Path, out: Path) -> None:
    from sklearn.datasets import load_digits

    import fertune as ft
    from fertune.bundles.manifest import PROTOCOL
    from fertune.stacking.bundle import load_bundle, write_bundle
    from fertune.store import PROTOCOL as RUN_PROTOCOL

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:160]
    pictures, labels = np.clip(x[order] * 16, 0, 255).astype(np.uint8).reshape(-1, 8, 8), y[order]
    parts = {"train": slice(0, 90), "val": slice(90, 120), "test": slice(120, 160)}
    arrays = {f"{k}_{name}": a[s] for name, s in parts.items() for k, a in (("x", pictures), ("y", labels))}
    np.savez(root / "digits.npz", **arrays)
    searches = (("one", "tpe", "relu", 4, ("--cv", "2")), ("two", "hyperband", "leaky_relu", 3, ()))
    for name, tuner, activation, trials, more in searches:
        (root / f"{name}.yaml").write_text(SPACE.format(name=name, tuner=tuner, activation=activation))
        fertune(root, "search", "--space", f"{name}.yaml", "--data", "digits.npz", "--trials", str(trials),
                "--max-epochs", "4", "--workers", "1", *more, "--out", f"runs/{name}")  # fmt: skip
    fertune(root, "stack", "runs/one", "runs/two", "--top", "1", "--folds", "2", "--epochs", "6", "--meta-trials", "3",
            "--class-weights", "sqrt", "--out", "runs/both")  # fmt: skip
    stack = root / "runs" / "both"
    ensemble = load_bundle(stack)
    write_bundle(
        stack,
        members=[(member.name, member.models[:1]) for member in ensemble.members],
        learner="logistic",
        learner_folder=stack / "meta" / "logistic",
        class_names=ensemble.class_names,
        image_shape=ensemble.image_shape,
    )
    if not (out / f"protocol-{PROTOCOL}.fertune").exists():
        bundle = ft.bundle(stack, out / f"protocol-{PROTOCOL}.fertune")
        shown = pictures[120:126, ..., None]
        document = {"images": shown.tolist(), "proba": ft.load(bundle).predict_proba(shown).tolist()}
        (out / f"protocol-{PROTOCOL}.json").write_text(json.dumps(document) + "\n")
    with zipfile.ZipFile(out / f"runs-protocol-{RUN_PROTOCOL}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted((root / "runs").rglob("*")):
            left_out = {"logs", "state", "meta"} & set(path.parts) or path.suffix == ".keras" or path.name == "lock"
            if path.is_file() and not left_out:
                content = path.read_bytes().replace(str(root / "cache").encode(), CACHE.encode())
                archive.writestr(str(path.relative_to(root / "runs")), content)


if __name__ == "__main__":
    make(Path(sys.argv[1]).resolve(), Path(__file__).resolve().parent / "fixtures")
