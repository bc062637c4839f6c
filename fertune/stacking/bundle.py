"""The ensemble as data: which files it is made of, and how their answers are put together. No pickle.

``bundle.json`` stands in the run folder of a stack and names everything by relative path and SHA-256, so the folder may
be moved, and a file that was changed or lost since is noticed before anything is predicted:

    {"protocol": 1, "kind": "bundle", "class_names": [...], "image_shape": [48, 48, 1],
     "members": [{"name": "leaky_cnn 7", "models": ["members/leaky-cnn-7/fold-0/model.keras", ...], "weights": null}],
     "learner": {"name": "logistic", "folder": "meta/logistic"}, "files": {"<relative path>": "<sha256>", ...}}
"""

from __future__ import annotations

import json
import os.path
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.errors import DataError, RunError
from fertune.stacking.bundle_check import check_document
from fertune.stacking.meta import Fitted, load_fitted
from fertune.stacking.meta.average import WeightedAverage
from fertune.store import sha256_file, write_json
from fertune.store.folder import read_info

PROTOCOL = 1
BUNDLE = "bundle.json"


@dataclass(frozen=True)
class BundleMember:
    """One configuration: its fold models, and how they are averaged.

    Attributes:
        name: As in the comparison.
        models: Paths of ``.keras`` files.
        weights: One a model, sum 1; None: the plain mean.
    """

    name: str
    models: tuple[Path, ...]
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True, eq=False)
class Bundle:
    """A stack that predicts. Models are loaded at the first prediction and kept.

    Attributes:
        folder: Run folder of the stack; all models are below it.
        members: In the order in which the meta-learner knows them.
        learner: Fitted meta-learner.
        learner_name: Its name.
        learner_folder: Where it was saved; None where it was made in memory.
        class_names: In the order of columns.
        image_shape: (height, width, channels) of the pictures it was trained on.
    """

    folder: Path
    members: tuple[BundleMember, ...]
    learner: Fitted
    learner_name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    learner_folder: Path | None = None
    _loaded: dict[Path, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def single(
        cls, name: str, models: Sequence[Path], class_names: tuple[str, ...], image_shape: tuple[int, int, int]
    ) -> Bundle:
        """One configuration by itself, by its one model or the mean of its fold models: an ensemble of one member."""
        learner = WeightedAverage("mean", (1.0,), len(class_names))
        folder = Path(os.path.commonpath([model.parent for model in models]))
        return cls(folder, (BundleMember(name, tuple(models)),), learner, "mean", class_names, image_shape)

    @classmethod
    def of(cls, document: Mapping[str, Any], root: Path) -> Bundle:
        """What a checked document says, with the files under ``root``.

        Raises:
            RunError: The meta-learner cannot be read.
        """
        height, width, channels = document["image_shape"]
        saved = root / document["learner"]["folder"]
        return cls(
            folder=root,
            members=tuple(
                BundleMember(
                    entry["name"],
                    tuple(root / model for model in entry["models"]),
                    None if entry.get("weights") is None else tuple(float(w) for w in entry["weights"]),
                )
                for entry in document["members"]
            ),
            learner=load_fitted(saved),
            learner_name=document["learner"]["name"],
            class_names=tuple(document["class_names"]),
            image_shape=(height, width, channels),
            learner_folder=saved,
        )

    def predict_proba(self, images: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Probabilities of the ensemble.

        Args:
            images: (n, h, w, c) uint8 as ``image_shape`` says; gray ones also as (n, h, w).

        Returns:
            (n, classes) float32, rows sum to 1.

        Raises:
            DataError: Pictures of another shape or type.
            RunError: A model cannot be loaded, or does not give that many classes.
            MissingPackage: Keras or its backend is not installed.
        """
        members = self.member_proba(images)
        if len(members) == 0:
            return np.zeros((0, len(self.class_names)), dtype=np.float32)
        return self.learner.predict_proba(members).astype(np.float32)

    def member_proba(self, images: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, members, classes) float64: of each member, the mean of its fold models."""
        pictures = self._pictures(images)
        if len(pictures) == 0:
            return np.zeros((0, len(self.members), len(self.class_names)))
        return np.stack([self._one(member, pictures) for member in self.members], axis=1)

    def _one(self, member: BundleMember, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        from fertune.training.predict import Predictor  # keras stands behind it

        weights = member.weights or (1 / len(member.models),) * len(member.models)
        total = np.zeros((len(pictures), len(self.class_names)))
        rows = np.arange(len(pictures), dtype=np.int32)
        for path, weight in zip(member.models, weights, strict=True):
            model = self._model(path)
            try:
                proba = Predictor(model, pictures)(rows)
            except Exception as error:  # each backend has its own errors for pictures that do not fit a model
                raise RunError(f"{self._called(path)} cannot predict pictures of shape {self.image_shape}") from error
            if proba.shape != total.shape:
                raise RunError(
                    f"{self._called(path)} gives values of shape {proba.shape[1:]} a picture; there are "
                    f"{total.shape[1]} classes"
                )
            total += weight * proba
        return total

    def _called(self, path: Path) -> str:
        """A model's path inside the run or the bundle."""
        return path.relative_to(self.folder).as_posix()

    def _model(self, path: Path) -> Any:
        from fertune.training.load import load_model  # keras stands behind it

        if path not in self._loaded:
            self._loaded[path] = load_model(path)
        return self._loaded[path]

    def _pictures(self, images: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        pictures = np.asarray(images)
        if pictures.ndim == 3 and self.image_shape[2] == 1:
            pictures = pictures[..., np.newaxis]
        if pictures.dtype != np.uint8 or pictures.ndim != 4 or pictures.shape[1:] != self.image_shape:
            raise DataError(
                f"pictures are {pictures.dtype} {pictures.shape}; this model takes uint8 "
                f"(n, {', '.join(str(side) for side in self.image_shape)})",
                help="give pixels of 0 to 255 as uint8, of the size that the model was trained on",
            )
        return pictures


def write_bundle(
    folder: str | Path,
    *,
    members: Sequence[tuple[str, Sequence[str | Path]]],
    learner: str,
    learner_folder: str | Path,
    class_names: Sequence[str],
    image_shape: Sequence[int],
    weights: Mapping[str, Sequence[float]] | None = None,
) -> Path:
    """Write ``bundle.json`` into the run folder of a stack, with the hash of every file it names.

    Args:
        folder: Run folder; every file must stand inside it.
        members: (name, its ``.keras`` files), in the order in which the meta-learner was fitted.
        learner: Name of the chosen meta-learner.
        learner_folder: Where it was saved.
        weights: Member name -> one weight a model; a member that is not named takes the plain mean.

    Returns:
        Path of ``bundle.json``.

    Raises:
        RunError: A file is missing or stands outside, or the parts do not fit together.
    """
    root = Path(folder).resolve()
    saved = Path(learner_folder)
    models = {name: [_inside(root, path) for path in paths] for name, paths in members}
    parts = [path for path in saved.iterdir() if path.is_file()] if saved.is_dir() else []
    files = [one for many in models.values() for one in many] + sorted(_inside(root, path) for path in parts)
    document = {
        "protocol": PROTOCOL,
        "kind": "bundle",
        "class_names": list(class_names),
        "image_shape": [int(side) for side in image_shape],
        "members": [
            {"name": name, "models": paths, "weights": list(weights[name]) if weights and name in weights else None}
            for name, paths in models.items()
        ],
        "learner": {"name": learner, "folder": _inside(root, saved)},
        "files": {file: sha256_file(root / file) for file in files},
    }
    if len(models) != len(members):
        raise RunError("two members of the stack have one name; a bundle cannot tell them apart")
    check_document(document, root, PROTOCOL)
    path = root / BUNDLE
    write_json(path, document)
    return path


def load_bundle(folder: str | Path) -> Bundle:
    """The ensemble of a finished stack. Keras is not imported before the first prediction.

    Raises:
        RunError: There is none, it is of another protocol, names a path outside the folder, or a file is missing or not
            the one that was written.
    """
    root = Path(folder).resolve()
    path = root / BUNDLE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if (root / "run.json").exists() and "from_oof" in read_info(root):
            raise _without_models(folder, Path(read_info(root)["from_oof"]["path"])) from None
        raise RunError(
            f"no ensemble in {folder}: {BUNDLE} is missing",
            help=f"a stack writes it when it has finished: fertune stack --out {folder} --resume",
        ) from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read: {error}") from error
    check_document(document, root, PROTOCOL)
    return Bundle.of(document, root)


def _without_models(folder: str | Path, source: Path) -> RunError:
    """What is said of a stack of probabilities; ``source`` is the run or the file that they came from."""
    where = source.relative_to(Path.cwd()) if source.is_relative_to(Path.cwd()) else source
    origin = f"the probabilities of {where}" if (source / "run.json").is_file() else "probabilities made elsewhere"
    help = f"from Python, with the members' probabilities: ft.open_run({str(folder)!r}).combine(proba)"
    if (source / BUNDLE).is_file():
        help = f"fertune bundle {shlex.quote(str(where))}    # the models are in that run"
    return RunError(f"{folder} was stacked from {origin}; it has no models that could look at pictures", help=help)


def _inside(root: Path, path: str | Path) -> str:
    """``path`` relative to ``root``, with forward slashes."""
    where = Path(path)
    where = (where if where.is_absolute() or where.exists() else root / where).resolve()
    if not where.exists():
        raise RunError(f"{path} is missing; a bundle names files that are there")
    if not where.is_relative_to(root):
        raise RunError(f"{path} is not inside the run folder {root}; a bundle must move with it")
    return str(PurePosixPath(where.relative_to(root)))
