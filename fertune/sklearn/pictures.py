"""A search, or a search and a stack, as a scikit-learn classifier over pictures."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from fertune.api import load, search, stack
from fertune.bundles import TrainedModel
from fertune.sklearn.base import ProbabilityClassifier
from fertune.space import Space
from fertune.stacking.meta.learner import normalised
from fertune.store.folder import free_name

MODES = ("search", "stack")
_TABLES = "it feeds tables of numbers, which are no pictures; without image_shape they are refused before any training"
EXPECTED_FAILED: dict[str, str] = dict.fromkeys(
    (
        "check_classifier_data_not_an_array",
        "check_classifiers_classes",
        "check_classifiers_one_label",
        "check_classifiers_regression_target",
        "check_classifiers_train",
        "check_class_weight_classifiers",
        "check_dict_unchanged",
        "check_dont_overwrite_parameters",
        "check_dtype_object",
        "check_estimators_dtypes",
        "check_estimators_fit_returns_self",
        "check_estimators_nan_inf",
        "check_estimators_overwrite_params",
        "check_estimators_pickle",
        "check_f_contiguous_array_estimator",
        "check_fit2d_1feature",
        "check_fit2d_1sample",
        "check_fit2d_predict1d",
        "check_fit_check_is_fitted",
        "check_fit_idempotent",
        "check_fit_score_takes_y",
        "check_n_features_in",
        "check_n_features_in_after_fitting",
        "check_positive_only_tag_during_fit",
        "check_readonly_memmap_input",
        "check_supervised_y_2d",
    ),
    _TABLES,
)
"""Checks of ``sklearn.utils.estimator_checks`` that it does not pass, each with its reason."""


class FertuneClassifier(ProbabilityClassifier):
    """Searches a space for the best network, and stacks the best ones where that is asked for.

    A fit starts child processes and takes minutes. What it keeps is a run folder (``run_path_``), which everything else
    reads: pickling the estimator stores the path, not the networks. Without ``out`` the folder is a temporary one that
    goes with this process.

    Args:
        space: A shipped name, the path of a space file, or a Space.
        mode: ``search``: the best trial predicts. ``stack``: the best ``top`` are trained across folds and stacked.
        tuner: As in ``fertune.search``; None: what the space names.
        trials: Distinct configurations.
        max_epochs: Most epochs a configuration.
        image_shape: (h, w) or (h, w, c) of a picture where ``X`` is 2-D.
        top: Of a stack.
        folds: Of a stack.
        meta: Meta-learners of a stack.
        meta_trials: Trials of each of them.
        class_weight: ``none``, ``sqrt`` or ``balanced``, in the search.
        workers: Child processes side by side.
        time_budget: Seconds or ``"30m"``, for the search and for the stack each.
        out: Folder for the runs, one a fit.
        random_state: Seed, RandomState or None.
        verbose: Print what happens.

    Attributes:
        classes_: (k,) labels, sorted.
        n_features_in_: Values of a picture.
        image_shape_: (h, w, c).
        value_range_: (low, high) of the values in ``X`` that became 0 and 255: (0, 255) for uint8; of other types
            (0, 1) where all lie inside, (0, 255) where all lie inside and one is above 127, else the least and the
            largest.
        run_path_: Folder of the search's or stack's run.
    """

    def __init__(
        self,
        space: str | Path | Space = "leaky_cnn",
        *,
        mode: str = "search",
        tuner: str | None = None,
        trials: int = 4,
        max_epochs: int = 10,
        image_shape: Sequence[int] | None = None,
        top: int = 2,
        folds: int = 5,
        meta: Sequence[str] = ("all",),
        meta_trials: int = 10,
        class_weight: str = "none",
        workers: int = 1,
        time_budget: str | float | None = None,
        out: str | Path | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.space = space
        self.mode = mode
        self.tuner = tuner
        self.trials = trials
        self.max_epochs = max_epochs
        self.image_shape = image_shape
        self.top = top
        self.folds = folds
        self.meta = meta
        self.meta_trials = meta_trials
        self.class_weight = class_weight
        self.workers = workers
        self.time_budget = time_budget
        self.out = out
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> FertuneClassifier:
        """Search, and stack.

        A stratified tenth of the rows stops the training and chooses among the trials.

        Args:
            X: (n, h, w), (n, h, w, c), or (n, h x w x c) with ``image_shape``; numbers.
            y: (n,) labels.

        Raises:
            ValueError: Something else than pictures and labels.
            FertuneError: Whatever ``fertune.search`` and ``fertune.stack`` raise.
        """
        if self.mode not in MODES:
            raise ValueError(f"mode {self.mode!r} where {' or '.join(MODES)} is legal")
        self._need_labels(y)
        values = self._pictures(X, reset=True)
        classes, at = self._classes(y, len(values))
        if len(classes) < 2:
            raise ValueError("FertuneClassifier needs more than one class; y has one class only")
        self.classes_ = classes
        self.image_shape_ = tuple(int(side) for side in values.shape[1:])
        self.value_range_ = _range(values)
        data = {
            "x_train": _as_bytes(values, self.value_range_),
            "y_train": at.astype(np.int32),
            "class_names": [str(name) for name in classes],
        }
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        root = Path(self.out) if self.out is not None else _temporary()
        found: Any = search(
            self.space,
            data,
            tuner=self.tuner,
            trials=self.trials,
            max_epochs=self.max_epochs,
            time_budget=self.time_budget,
            seed=seed,
            class_weight=self.class_weight,
            workers=self.workers,
            out=free_name(root, "search"),
            verbose=self.verbose,
        )
        if self.mode == "stack":
            found = stack(
                [found],
                top=self.top,
                folds=self.folds,
                meta=self.meta,
                meta_trials=self.meta_trials,
                time_budget=self.time_budget,
                seed=seed,
                workers=self.workers,
                spaces=[self.space] if isinstance(self.space, Space) else [],
                out=free_name(root, "stack"),
                verbose=self.verbose,
            )
        self.run_path_ = str(found.path)
        return self

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, k) float64, rows sum to 1, columns as ``classes_``.

        Raises:
            ValueError: Pictures of another shape than those it was fitted on.
        """
        check_is_fitted(self, "run_path_")
        values = self._pictures(X, reset=False)
        if values.shape[1:] != self.image_shape_:
            raise ValueError(f"X has pictures of shape {values.shape[1:]}; it was fitted on {self.image_shape_}")
        proba = _model(self.run_path_).predict_proba(_as_bytes(values, self.value_range_)).astype(np.float64)
        return normalised(proba)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.poor_score = True
        tags.non_deterministic = True
        return tags

    def _pictures(self, X: Any, *, reset: bool) -> npt.NDArray[Any]:
        """(n, h, w, c), values as they came."""
        if getattr(X, "ndim", 2) in (3, 4):
            values = check_array(X, allow_nd=True, dtype="numeric")
            values = values[..., np.newaxis] if values.ndim == 3 else values
            validate_data(self, values.reshape(len(values), -1), reset=reset, dtype="numeric")
            return np.asarray(values)
        table = validate_data(self, X, reset=reset, dtype="numeric")
        if self.image_shape is None:
            raise ValueError(
                f"X has shape {table.shape}: rows of numbers, whose pictures are not known. Reshape your data to "
                "(n, h, w) or (n, h, w, c), or give image_shape=(h, w)"
            )
        height, width, *rest = self.image_shape
        shape = (int(height), int(width), int(rest[0]) if rest else 1)
        if table.shape[1] != np.prod(shape):
            raise ValueError(f"X has {table.shape[1]} columns; image_shape {self.image_shape} needs {np.prod(shape)}")
        return np.asarray(table.reshape(len(table), *shape))


def _range(values: npt.NDArray[Any]) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if values.dtype == np.uint8:
        return 0.0, 255.0
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return (0.0, 255.0) if low >= 0 and 127 < high <= 255 else (low, high)


def _as_bytes(values: npt.NDArray[Any], ends: tuple[float, float]) -> npt.NDArray[np.uint8]:
    """0 to 255; what lies outside ``ends`` is cut off."""
    if values.dtype == np.uint8:
        return np.asarray(values, dtype=np.uint8)
    low, high = ends
    unit = np.clip((values.astype(np.float64) - low) / max(high - low, 1e-12), 0.0, 1.0)
    return np.asarray(np.rint(unit * 255), dtype=np.uint8)


def _temporary() -> Path:
    """A folder that goes with this process."""
    path = Path(tempfile.mkdtemp(prefix="fertune-"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@lru_cache(maxsize=4)
def _model(path: str) -> TrainedModel:
    """Loaded once; networks stay in memory for the next prediction."""
    return load(path)
