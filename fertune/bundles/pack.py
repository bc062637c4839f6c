"""A run's model as one file that moves: a zip of stored members with fixed names, the same bytes for the same run."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from fertune.bundles.manifest import FORMAT, LEARNER, MANIFEST, PROTOCOL, model_path, read_manifest
from fertune.bundles.unpack import array_faults
from fertune.errors import ConfigError, RunError
from fertune.files import write_binary
from fertune.stacking.bundle import Bundle, load_bundle
from fertune.store import SearchRecord, StackRecord, sha256_file
from fertune.training.keras_file import keras_faults
from fertune.training.load import REGISTER
from fertune.training.model_shape import shape_faults

SUFFIX = ".fertune"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip file can hold: the bytes depend on the run alone
PREPROCESSING = {
    "orientation": "as EXIF says",
    "channels": {"1": "gray, ITU-R 601-2 luma of colour pictures", "3": "red, green, blue"},
    "transparency": "left out",
    "depth": "16 bits are divided by 257",
    "size": "Lanczos resampling to image_shape; the shape is not kept",
    "values": "uint8, 0 to 255; the model scales them itself",
}


def pack(record: SearchRecord | StackRecord, out: Path, *, trial: int | None = None, force: bool = False) -> Path:
    """Write the model of a run to one file, in one step.

    It holds models, the fitted meta-learner and ``bundle.json``: no pictures, no labels, no predictions, no paths.

    Args:
        record: A search (its best trial, or ``trial``), or a finished stack (its chosen ensemble).
        out: Its name must end in ``.fertune``.
        trial: Only of a search; one whose model was kept.
        force: Replace a file that stands there.

    Raises:
        ConfigError: Another ending, a file that stands there without ``force``, or a trial of a stack.
        RunError: No model, a model that no bundle may hold, or a file that cannot be written.
    """
    if out.suffix != SUFFIX:
        raise ConfigError(f"{out}: a bundle's name ends in {SUFFIX}", help=f"-o {out.with_suffix(SUFFIX)}")
    if out.is_file() and not force:
        raise ConfigError(f"{out} is there already", help="choose another -o, or add --force (in Python: force=True)")
    if isinstance(record, StackRecord):
        if trial is not None:
            raise ConfigError("a stack has no trials; its bundle holds the chosen ensemble", help="leave --trial out")
        return _write(out, _stack_head(record), load_bundle(record.folder))
    chosen, models = kept_models(record, trial)
    ensemble = Bundle.single(f"{record.info['space']['name']} {chosen}", models, **_shape(record.info))
    return _write(out, _search_head(record, chosen), ensemble)


def kept_models(record: SearchRecord, trial: int | None = None) -> tuple[int, list[Path]]:
    """The number of a trial, by default of the best one, and the file of its model, or of each of its folds.

    Raises:
        RunError: That trial's model was not kept.
    """
    number = trial if trial is not None else (record.best.id if record.best else None)
    folder = record.folder / "trials" / str(number)
    found = [folder / "model.keras", *sorted(folder.glob("fold-*/model.keras"), key=_fold_number)]
    found = [path for path in found if path.is_file()]
    if number is not None and found:
        return number, found
    stored = [*record.folder.glob("trials/*/model.keras"), *record.folder.glob("trials/*/fold-*/model.keras")]
    kept = sorted({int(p.relative_to(record.folder / "trials").parts[0]) for p in stored})
    if not kept:
        raise RunError(f"{record.folder} has no model yet", help=f"fertune search --out {record.folder} --resume")
    raise RunError(
        f"no model of trial {number} is kept in {record.name}; kept are {', '.join(map(str, kept))}",
        help=f"--trial {kept[0]}",
    )


def _fold_number(model: Path) -> int:
    return int(model.parent.name.removeprefix("fold-"))


def _shape(info: Mapping[str, Any]) -> dict[str, Any]:
    return {"class_names": tuple(info["data"]["classes"]), "image_shape": tuple(info["data"]["shape"])}


def search_score(record: SearchRecord, trial: int) -> dict[str, Any]:
    """What is known of a search's model, labelled."""
    value = next(t.value for t in record.trials if t.id == trial)
    folds = record.info["options"].get("cv") or 0
    return {
        "name": record.objective.name,
        "value": value,
        "rows": f"held out of {folds} folds" if folds else "validation",
        "note": "search score, optimistic: the best of many on the rows that chose it",
    }


def stack_score(record: StackRecord) -> dict[str, Any] | None:
    """The chosen ensemble's accuracy in the comparison: on test rows where there are any, else out of fold."""
    comparison = record.comparison
    row = next((r for r in comparison["rows"] if r["name"] == comparison["chosen"]), None) if comparison else None
    if row is None:
        return None
    tested = row.get("accuracy") is not None
    score = {"name": "accuracy", "value": row["accuracy"] if tested else row.get("oof_accuracy")}
    if tested:
        score |= {"low": row.get("accuracy_low"), "high": row.get("accuracy_high")}
    return score | {"rows": "test, read once" if tested else "out of fold, which chose the ensemble"}


def _head(record: SearchRecord | StackRecord, score: Mapping[str, Any] | None) -> dict[str, Any]:
    info = record.info
    return {
        "format": FORMAT,
        "protocol": PROTOCOL,
        "kind": info["kind"],
        "name": info["name"],
        "created": info["created"],
        "fertune": info["fertune"],
        "versions": info["versions"],
        "backend": info["backend"],
        "score": score,
        "data": {"name": Path(info["data"]["name"]).name, "fingerprint": info["data"]["fingerprint"]},
        "preprocessing": PREPROCESSING,
    }


def _search_head(record: SearchRecord, trial: int) -> dict[str, Any]:
    params = next(t.params for t in record.trials if t.id == trial)
    more = {"trial": trial, "params": dict(params), "objective": asdict(record.objective)}
    return _head(record, search_score(record, trial)) | more


def _stack_head(record: StackRecord) -> dict[str, Any]:
    return _head(record, stack_score(record))


def _write(out: Path, head: Mapping[str, Any], ensemble: Bundle) -> Path:
    with tempfile.TemporaryDirectory(prefix="fertune-") as scratch:
        saved = ensemble.learner_folder
        if saved is None:
            saved = Path(scratch) / LEARNER
            ensemble.learner.save(saved)
        files = {
            model_path(m, k): path for m, member in enumerate(ensemble.members) for k, path in enumerate(member.models)
        }
        called = {path: f"{path.parent.name}/{path.name}" for path in files.values()}
        faults = [f"{name}: {fault}" for path, name in called.items() for fault in keras_faults(path)]
        if faults:
            raise RunError(
                f"{head['name']} cannot be bundled: a bundle holds layers of Keras alone",
                details=faults,
                help=REGISTER.replace("ft.load(...)", "ft.bundle(...), here and where it is loaded"),
            )
        faults = [
            f"{name}: {fault}"
            for path, name in called.items()
            for fault in shape_faults(path, ensemble.image_shape, len(ensemble.class_names))
        ]
        if faults:
            raise RunError(f"{head['name']} cannot be bundled: its models are not what it says", details=faults)
        learner = [path for path in sorted(saved.iterdir()) if path.is_file()]
        files |= {f"{LEARNER}/{path.name}": path for path in learner}
        faults = [fault for path in learner for fault in array_faults(path, path.name)]
        if faults:
            raise RunError(
                f"{head['name']} cannot be bundled: its meta-learner could not be read again", details=faults
            )
        document = {
            **head,
            "class_names": list(ensemble.class_names),
            "image_shape": list(ensemble.image_shape),
            "members": [
                {
                    "name": member.name,
                    "models": [model_path(m, k) for k in range(len(member.models))],
                    "weights": None if member.weights is None else list(member.weights),
                }
                for m, member in enumerate(ensemble.members)
            ],
            "learner": {"name": ensemble.learner_name, "folder": LEARNER},
            "files": {name: {"sha256": sha256_file(p), "bytes": p.stat().st_size} for name, p in files.items()},
        }
        text = (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8")
        read_manifest(text, out.name)
        try:
            write_binary(out, lambda file: _zip(file, text, files))
        except OSError as error:
            raise RunError(f"cannot write {out}: {error.strerror or error}", help="choose another -o") from error
    return out


def _zip(file: IO[bytes], manifest: bytes, files: Mapping[str, Path]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        members: Sequence[tuple[str, Path | None]] = [(MANIFEST, None), *files.items()]
        for name, path in members:
            info = zipfile.ZipInfo(name, EPOCH)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            info.file_size = len(manifest) if path is None else path.stat().st_size
            with archive.open(info, "w") as out:
                if path is None:
                    out.write(manifest)
                else:
                    with path.open("rb") as source:
                        while chunk := source.read(2**20):
                            out.write(chunk)
