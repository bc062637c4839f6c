"""A trained model that is there to predict: from a run's folder or from a bundle file, the same either way."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.bundles.pack import SUFFIX, kept_models, search_score, stack_score
from fertune.bundles.pictures import batches, check_channels, find_pictures
from fertune.bundles.predictions import PicturePredictions
from fertune.bundles.quiet import quiet_stderr
from fertune.bundles.unpack import unpack
from fertune.errors import ConfigError, RunError
from fertune.stacking.bundle import Bundle, load_bundle
from fertune.store import SearchRecord, open_record


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A search's model or a stack's ensemble. Keras is imported at the first prediction; models are kept after it.

    Attributes:
        source: The run's folder or the bundle file.
        kind: ``search`` or ``stack``.
        name: Of the run.
        ensemble: What predicts; a search's model is an ensemble of one.
        score: What is known of its quality, labelled: ``name``, ``value``, ``rows``, and more where there is more.
        document: ``bundle.json`` of a bundle file; None for a run.
    """

    source: Path
    kind: str
    name: str
    ensemble: Bundle
    score: Mapping[str, Any] | None
    document: Mapping[str, Any] | None = None
    _folder: tempfile.TemporaryDirectory[str] | None = field(default=None, repr=False)

    @property
    def class_names(self) -> tuple[str, ...]:
        """In the order of columns."""
        return self.ensemble.class_names

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the pictures it takes."""
        return self.ensemble.image_shape

    def predict_proba(self, images: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Probabilities of pictures in memory.

        Args:
            images: uint8 (n, h, w, c), 0 to 255, of ``image_shape``; gray ones also as (n, h, w).

        Returns:
            float32 (n, classes), rows sum to 1.

        Raises:
            DataError: Pictures of another shape or type.
            RunError: A model cannot be loaded.
            MissingPackage: Keras or its backend is not installed.
        """
        return self.ensemble.predict_proba(images)

    def predict(
        self,
        paths: str | Path | Iterable[str | Path],
        *,
        progress: Callable[[int, int], object] | None = None,
        quiet: bool = False,
    ) -> PicturePredictions:
        """Classes of picture files. They are decoded as training pictures are and read a batch at a time.

        Args:
            paths: Files, and folders with all pictures in and below them.
            progress: Called with the files that are done and their number, after each batch.
            quiet: Keep from the terminal what libraries print while the models are loaded.

        Returns:
            One row a picture that could be read; the others are named in ``unreadable``.

        Raises:
            DataError: The model takes pictures that no file gives.
            RunError: A model cannot be loaded.
        """
        check_channels(self.image_shape)
        files, unreadable = find_pictures([paths] if isinstance(paths, (str, Path)) else paths)
        kept: list[str] = []
        notes: list[tuple[str, ...]] = []
        parts = [np.zeros((0, len(self.class_names)), np.float32)]
        done, ready = 0, False
        for batch in batches(files, self.image_shape):
            kept += batch.files
            notes += batch.notes
            if batch.files and not ready:
                with quiet_stderr() if quiet else nullcontext():
                    self.warm_up()
                ready = True
            unreadable += batch.unreadable
            parts.append(self.predict_proba(batch.images))
            done += len(batch.files) + len(batch.unreadable)
            if progress is not None:
                progress(done, len(files))
        return PicturePredictions(tuple(kept), np.concatenate(parts), self.class_names, tuple(notes), tuple(unreadable))

    def warm_up(self) -> None:
        """Load everything and predict one black picture, so that later predictions are quick."""
        self.predict_proba(np.zeros((1, *self.image_shape), np.uint8))

    def __repr__(self) -> str:
        height, width, channels = self.image_shape
        return (
            f"TrainedModel({str(self.source)!r}: {self.kind} {self.name}, {len(self.class_names)} classes, pictures of "
            f"{width} x {height} x {channels})"
        )


def load_model(source: str | Path, *, trial: int | None = None) -> TrainedModel:
    """A model by its run's folder or its bundle file. Everything is checked; nothing of Keras is loaded yet.

    Args:
        source: A run's folder, or a file that ``fertune bundle`` wrote, whatever it is called now.
        trial: Of a search's folder: a trial whose model was kept; by default the best.

    Raises:
        RunError: Nothing there, no model in it, or a file that was refused.
        ConfigError: ``trial`` of something that has none.
    """
    path = Path(source).expanduser()
    if path.is_file() or path.suffix == SUFFIX and not path.is_dir():
        folder, document = unpack(path)
        if trial is not None:
            raise ConfigError(f"{path} is a bundle, which holds one model", help="leave --trial out")
        root = Path(folder.name)
        try:
            ensemble = Bundle.of(document, root)
        except RunError as error:
            message = f"{path.name} was refused: {error.message.replace(f'{root}/', '')}"
            raise RunError(message, details=error.details, help=error.help) from None
        return TrainedModel(path, document["kind"], document["name"], ensemble, document.get("score"), document, folder)
    record = open_record(path)
    if isinstance(record, SearchRecord):
        number, models = kept_models(record, trial)
        data = record.info["data"]
        name = f"{record.info['space']['name']} {number}"
        ensemble = Bundle.single(name, models, tuple(data["classes"]), tuple(data["shape"]))
        return TrainedModel(path, "search", record.name, ensemble, search_score(record, number))
    if trial is not None:
        raise ConfigError("a stack has no trials; its chosen ensemble predicts", help="leave --trial out")
    if record.comparison is None:
        raise RunError(f"{path} was not finished", help=f"fertune stack --out {path} --resume")
    return TrainedModel(path, "stack", record.name, load_bundle(path), stack_score(record))
