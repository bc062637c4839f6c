"""Out-of-fold probabilities that were made elsewhere: an npz file, or the folder of another stack.

What the arrays are called and mean is in docs/oof-file.md. Everything is checked before a run begins, and all faults
are told at once; what nobody can check is that each row was predicted by a model that never saw it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fertune.config import META_LEARNERS
from fertune.data.sources.headers import check_members
from fertune.errors import DataError, RunError, did_you_mean
from fertune.predictions import OOF, bad_rows, repeated, some
from fertune.store import StackRecord, open_record, sha256_file

NEEDED = ("row", "labels", "proba", "names")
OPTIONAL = ("fold", "groups", "twins", "class_names")
TEST = ("test_proba", "test_labels", "test_row", "test_groups", "test_twin")
KNOWN = (*NEEDED, *OPTIONAL, *TEST)
FEWEST_ROWS = 20
EQUAL = 1e-6
"""Two members whose probabilities nowhere differ by more are the same one twice."""
LAYOUT = "np.savez('oof.npz', row=..., labels=..., proba=..., names=[...])    # see docs/oof-file.md"

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Outside:
    """Checked, and ready to be stacked.

    Attributes:
        oof: With labels and groups; each row is a group of its own where none were given.
        class_names: "class 0", "class 1", ... where none were given.
        test: ``proba`` (m, models, classes), ``labels``, ``row``, and ``groups``, ``twin`` where known; None without
            labelled test rows.
        notes: What a reader of the results should know.
        digest: SHA-256 of what was read.
        name: Of the data.
        seconds: Member -> its training time, where known.
        info: ``run.json`` of the stack that it comes from; None for a file.
    """

    oof: OOF
    class_names: tuple[str, ...]
    test: Arrays | None
    notes: tuple[str, ...]
    digest: str
    name: str
    seconds: Mapping[str, float]
    info: Mapping[str, Any] | None = None


def read_outside(source: str | Path) -> Outside:
    """Read and check.

    Args:
        source: An npz file, or the folder of a stack that has its out-of-fold matrix.

    Raises:
        RunError: A folder without one.
        DataError: No such file, no npz file, or all that is wrong with its arrays.
    """
    path = Path(source).expanduser()
    return _of_run(path) if path.is_dir() else _of_file(path)


def _of_file(path: Path) -> Outside:
    if not path.exists():
        near = [p.name for p in path.parent.glob("*.npz")] if path.parent.is_dir() else []
        raise DataError(f"no file {path}{did_you_mean(path.name, near)}", help=LAYOUT)
    arrays, unknown = _load(path)
    notes = [f"the array {name!r} was not used{did_you_mean(name, KNOWN)}" for name in unknown]
    found = check_arrays(arrays, path.name, unknown)
    return replace(found, notes=(*notes, *found.notes), digest=sha256_file(path), name=path.stem)


def _load(path: Path) -> tuple[dict[str, npt.NDArray[Any]], list[str]]:
    """Known arrays, and the names of the others."""
    try:
        members, faults = check_members(path, KNOWN)
        if not faults:
            with np.load(path, allow_pickle=False) as stored:
                return {name: stored[name] for name in members if name in KNOWN}, [m for m in members if m not in KNOWN]
    except Exception as error:  # zipfile, zlib and numpy each raise their own for a damaged file
        raise DataError(f"{path.name} is not an npz file, or is damaged: {error}", help=LAYOUT) from error
    raise DataError(f"{path.name} cannot be stacked", details=faults, help=LAYOUT)


def _of_run(path: Path) -> Outside:
    record = open_record(path)
    if not isinstance(record, StackRecord):
        raise RunError(f"{path} is a search; it has no out-of-fold matrix", help=f"fertune stack {path}")
    oof, test = record.arrays("oof"), record.arrays("test")
    if oof is None:
        raise RunError(
            f"{path} has no out-of-fold matrix yet", help=f"fertune stack --out {path} --resume    # trains the folds"
        )
    arrays = {**oof, "class_names": np.array(record.info["data"]["classes"], dtype=np.str_)}
    names = [str(name) for name in oof["names"]]
    columns = [str(name) for name in test["names"]] if test is not None else []
    if test is not None and set(names) <= set(columns):
        arrays["test_proba"] = test["proba"][:, [columns.index(name) for name in names]]
        arrays |= {f"test_{key}": test[key] for key in ("labels", "row", "groups", "twin") if key in test}
    rows = (record.comparison or {}).get("rows", ())
    digests = [sha256_file(path / f"{name}.npz") for name in ("oof", "test") if (path / f"{name}.npz").exists()]
    return replace(
        check_arrays(arrays, str(path)),
        digest=hashlib.sha256("".join(digests).encode()).hexdigest(),
        name=record.info["data"]["name"],
        seconds={row["name"]: row["seconds"] for row in rows if row["name"] in names},
        info=record.info,
    )


def check_arrays(arrays: Arrays, called: str, unknown: Sequence[str] = ()) -> Outside:
    """The arrays of a file as what they mean.

    Args:
        unknown: Names of arrays that mean nothing, one of which may be a missing one mistyped.

    Raises:
        DataError: With every fault in ``details``.
    """
    faults = [f"{name}: missing{did_you_mean(name, unknown)}" for name in NEEDED if name not in arrays]
    faults += _kinds(arrays)
    if not faults:
        faults += _contents(arrays)
    if faults:
        if len(faults) == 1:
            raise DataError(f"{called} cannot be stacked: {faults[0]}", help=LAYOUT)
        raise DataError(f"{called} cannot be stacked; it has {len(faults)} faults", details=faults, help=LAYOUT)
    rows, proba = arrays["row"].astype(np.int32), arrays["proba"].astype(np.float32)
    given = [str(name) for name in arrays["names"]]
    names = tuple(f"{name} (model)" if name in META_LEARNERS else name for name in given)
    groups = np.unique(arrays["groups"], return_inverse=True)[1] if "groups" in arrays else np.arange(len(rows))
    optional = {key: arrays[key] for key in ("fold", "twins") if key in arrays}
    oof = OOF(
        rows,
        proba,
        names,
        optional["fold"].astype(np.int8) if "fold" in optional else None,
        arrays["labels"].astype(np.int32),
        groups.astype(np.int32),
        optional["twins"].astype(np.int32) if "twins" in optional else None,
    )
    test = {key.removeprefix("test_"): arrays[key] for key in TEST if key in arrays} or None
    if test is not None:
        test.setdefault("row", np.arange(len(test["proba"]), dtype=np.int32))
    classes = arrays["class_names"] if "class_names" in arrays else [f"class {k}" for k in range(proba.shape[2])]
    notes = tuple(
        f"the model {old} is called {new!r} here, since a meta-learner has its name"
        for old, new in zip(given, names, strict=True)
        if old != new
    ) + _notes(oof, given="groups" in arrays)
    return Outside(oof, tuple(str(name) for name in classes), test, notes, "", called, {})


def _kinds(arrays: Arrays) -> list[str]:
    """Shapes and types that are not what the names stand for."""
    wanted: dict[str, tuple[str, int, str]] = {
        "proba": ("f", 3, "float (rows, models, classes)"),
        "test_proba": ("f", 3, "float (test rows, models, classes)"),
        "names": ("U", 1, "text (models,)"),
        "class_names": ("U", 1, "text (classes,)"),
        "test_twin": ("b", 1, "bool (test rows,)"),
    }
    faults = []
    for name, array in arrays.items():
        kinds, dimensions, words = wanted.get(name, ("iu", 1, "int (test rows,)" if name in TEST else "int (rows,)"))
        if array.dtype.kind not in kinds or array.ndim != dimensions:
            faults.append(f"{name}: {array.dtype} {array.shape} where {words} is needed")
    return faults or _sizes(arrays)


def _sizes(arrays: Arrays) -> list[str]:
    if "proba" not in arrays:
        return []
    n, models, classes = arrays["proba"].shape
    sizes = {"names": (models, "models"), "class_names": (classes, "classes")}
    faults = []
    if "test_proba" in arrays:
        m = len(arrays["test_proba"])
        if arrays["test_proba"].shape[1:] != (models, classes):
            faults.append(f"test_proba: {arrays['test_proba'].shape} where ({m}, {models}, {classes}) is needed")
        sizes |= {name: (m, "rows of test_proba") for name in TEST if name != "test_proba"}
        if "test_labels" not in arrays:
            faults.append("test_labels: missing, while test_proba is there")
    else:
        faults += [f"{name}: there without test_proba" for name in TEST if name in arrays]
    for name, array in arrays.items():
        size, what = sizes.get(name, (n, "rows of proba"))
        if array.ndim == 1 and len(array) != size and name not in TEST[:1]:
            faults.append(f"{name}: {len(array):,} values for {size:,} {what}")
    if n < FEWEST_ROWS or models < 1 or classes < 2:
        faults.append(
            f"proba: {n} rows, {models} models, {classes} classes; needed are {FEWEST_ROWS}, 1 and 2 at least"
        )
    return faults


def _contents(arrays: Arrays) -> list[str]:
    """Values that are not legal, each with the rows they stand in."""
    rows, labels, proba = arrays["row"], arrays["labels"], arrays["proba"]
    names = [str(name) for name in arrays["names"]]
    faults = []
    if len(twice := repeated(rows)):
        faults.append(f"row: {some(twice)} more than once")
    if rows.min() < 0 or rows.max() >= 2**31:
        faults.append(f"row: values from {rows.min()} to {rows.max()} where 0 to {2**31 - 1} is legal")
    faults += _labels("labels", labels, rows, proba.shape[2])
    if len(np.unique(labels)) < 2:
        faults.append("labels: one class only; nothing can be told apart")
    for name, texts in (("names", names), ("class_names", [str(t) for t in arrays.get("class_names", ())])):
        if len(set(texts)) < len(texts) or not all(text.strip() for text in texts):
            faults.append(f"{name}: {', '.join(map(repr, texts))} where different names are needed, none of them empty")
    faults += _probabilities("", proba, rows, names)
    if "fold" in arrays and (arrays["fold"].min() < 0 or arrays["fold"].max() > 127):
        faults.append(f"fold: values from {arrays['fold'].min()} to {arrays['fold'].max()} where 0 to 127 is legal")
    if "test_proba" in arrays:
        tested = arrays.get("test_row", np.arange(len(arrays["test_proba"])))
        if len(tested) == 0:
            return [*faults, "test_proba: no rows"]
        faults += _labels("test_labels", arrays["test_labels"], tested, proba.shape[2])
        faults += _probabilities("test_", arrays["test_proba"], tested, names)
        if len(twice := repeated(tested)):
            faults.append(f"test_row: {some(twice)} more than once")
        if "test_row" in arrays and len(shared := np.intersect1d(tested, rows)):
            faults.append(f"test_row: {some(shared)} also among the out-of-fold rows")
    return faults


def _labels(called: str, labels: npt.NDArray[Any], rows: npt.NDArray[Any], classes: int) -> list[str]:
    bad = (labels < 0) | (labels >= classes)
    if not bad.any():
        return []
    values = ", ".join(str(v) for v in np.unique(labels[bad])[:5])
    return [f"{called}: {some(np.sort(rows[bad]))} with {values} where 0 to {classes - 1} is legal"]


def _probabilities(prefix: str, proba: npt.NDArray[Any], rows: npt.NDArray[Any], names: list[str]) -> list[str]:
    return [
        f"{prefix}proba of {name}: {some(np.sort(rows[bad]))} {what}"
        for column, name in enumerate(names)
        for what, bad in bad_rows(proba[:, column].astype(np.float64)).items()
        if bad.any()
    ]


def _notes(oof: OOF, *, given: bool) -> tuple[str, ...]:
    """What is legal and yet should be known."""
    notes = [
        f"the members {one} and {oof.names[j]} have the same probabilities: one of them adds nothing"
        for i, one in enumerate(oof.names)
        for j in range(i + 1, len(oof.names))
        if np.abs(oof.proba[:, i] - oof.proba[:, j]).max() <= EQUAL
    ]
    if not given:
        notes.append("no groups were given: every row counts as a picture of its own, whatever it shows")
    elif oof.fold is not None and oof.groups is not None:
        pairs = np.unique(np.stack([oof.groups, oof.fold]), axis=1)
        divided = int((np.bincount(pairs[0]) > 1).sum())
        if divided:
            notes.append(
                f"{divided:,} groups are held out by more than one fold: models may have seen copies of rows that "
                "they predicted, and every score here may be too good"
            )
    return tuple(notes)
