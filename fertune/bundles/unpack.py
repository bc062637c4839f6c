"""A bundle file, checked member by member and laid out in a private folder; nothing of it is loaded here."""

from __future__ import annotations

import hashlib
import math
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from fertune.bundles.manifest import LARGEST_MANIFEST, LEARNER, MANIFEST, read_manifest
from fertune.errors import RunError, did_you_mean
from fertune.stacking.bundle_check import learner_faults
from fertune.training.keras_file import foreign_classes, keras_faults
from fertune.training.load import REGISTER
from fertune.training.model_shape import shape_faults
from fertune.training.zips import zip_faults

MOST_MEMBERS = 10_000
LARGEST = 32 * 2**30
CHUNK = 2**20
TRUST = "get the file again from where it was made, or bundle the run again: fertune bundle RUN -o model.fertune"


def unpack(path: Path) -> tuple[tempfile.TemporaryDirectory[str], dict[str, Any]]:
    """Check a bundle file and lay its members out.

    Returns:
        The folder, which only this user can read and which is removed when the object is; and the manifest.

    Raises:
        RunError: No such file, no bundle, a newer one, or one that was refused: every fault in ``details``.
    """
    called = path.name
    try:
        with path.open("rb") as file:
            if file.read(4) != b"PK\x03\x04":
                raise RunError(f"{path} is no bundle: not a zip file", help="fertune bundle RUN -o model.fertune")
            with zipfile.ZipFile(file) as archive:
                document = _checked(archive, path.stat().st_size, called)
                return _lay_out(archive, document, called), document
    except FileNotFoundError:
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise RunError(
            f"there is no bundle or run {str(path)!r}{did_you_mean(called, near)}",
            help="fertune bundle RUN -o model.fertune",
        ) from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise RunError(f"{path} is damaged or cut off: {error}", help=TRUST) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from error


def _refuse(called: str, faults: list[str], help: str = TRUST) -> None:
    if faults:
        raise RunError(f"{called} was refused; nothing of it was loaded", details=faults, help=help)


def _checked(archive: zipfile.ZipFile, size: int, called: str) -> dict[str, Any]:
    """The manifest, once the list of members, their sizes and the manifest fit together."""
    if min((member.header_offset for member in archive.infolist()), default=0):
        raise zipfile.BadZipFile("what can be read is another zip file inside it")
    _refuse(called, list(zip_faults(archive, size, most=MOST_MEMBERS, largest=LARGEST)))
    sizes = {member.orig_filename: member.file_size for member in archive.infolist()}
    if MANIFEST not in sizes:
        raise RunError(f"{called} is a zip file, but no bundle: it holds no {MANIFEST}")
    if sizes.pop(MANIFEST) > LARGEST_MANIFEST:
        _refuse(called, [f"{MANIFEST}: larger than {LARGEST_MANIFEST:,} bytes"])
    document = read_manifest(archive.read(MANIFEST), called)
    files = document["files"]
    faults = [f"{name}: not in the list of {MANIFEST}" for name in sizes if name not in files]
    faults += [f"{name}: missing" for name in files if name not in sizes]
    faults += [
        f"{name}: {sizes[name]:,} bytes where {entry['bytes']:,} are listed"
        for name, entry in files.items()
        if name in sizes and sizes[name] != entry["bytes"]
    ]
    _refuse(called, faults)
    return document


def _lay_out(archive: zipfile.ZipFile, document: dict[str, Any], called: str) -> tempfile.TemporaryDirectory[str]:
    folder = tempfile.TemporaryDirectory(prefix="fertune-", ignore_cleanup_errors=True)
    root = Path(folder.name)
    try:
        faults = []
        for name, entry in document["files"].items():
            target = root / name
            target.parent.mkdir(exist_ok=True)
            with archive.open(name) as source, target.open("wb") as out:
                found = _copy(source, out, entry["bytes"])
            if found != entry["sha256"]:
                faults.append(f"{name}: not the file that was packed (its SHA-256 differs)")
        _refuse(called, faults)
        own = {name: keras_faults(root / name) for name in document["files"] if name.endswith(".keras")}
        help = REGISTER if all(foreign_classes(found) for found in own.values() if found) else TRUST
        _refuse(called, [f"{name}: {fault}" for name, found in own.items() for fault in found], help)
        _refuse(called, [fault for name in document["files"] for fault in array_faults(root / name, name)])
        try:
            faults = list(learner_faults(document, root))
        except RunError as error:
            faults = [error.message.replace(str(root / LEARNER), LEARNER)]
        shape, classes = document["image_shape"], len(document["class_names"])
        _refuse(called, faults + [f"{name}: {f}" for name in own for f in shape_faults(root / name, shape, classes)])
    except BaseException:  # Ctrl-C too: what was unpacked must not stay
        folder.cleanup()
        raise
    return folder


def _copy(source: IO[bytes], out: IO[bytes], most: int) -> str:
    """Copy at most ``most`` bytes; their SHA-256."""
    digest = hashlib.sha256()
    left = most
    while left and (chunk := source.read(min(CHUNK, left))):
        digest.update(chunk)
        out.write(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def array_faults(path: Path, name: str) -> Iterator[str]:
    """An npz file with Python objects, which would be unpickled, or with arrays that are not what they declare."""
    if path.suffix != ".npz":
        return
    try:
        with zipfile.ZipFile(path) as archive:
            faults = list(zip_faults(archive, path.stat().st_size, most=1000, largest=2**30))
            for member in archive.infolist() if not faults else ():
                with archive.open(member) as stream:
                    version = np.lib.format.read_magic(stream)
                    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else _header_2
                    shape, _, dtype = read(stream)
                    stored = member.file_size - stream.tell()
                if dtype.hasobject:
                    faults.append(f"{member.filename} holds Python objects: a pickle")
                elif math.prod(shape) * dtype.itemsize != stored:
                    faults.append(f"{member.filename} declares {shape} of {dtype} and stores {stored:,} bytes")
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        faults = [f"no npz file of plain numbers: {str(error)[:100]}"]
    yield from (f"{name}: {fault}" for fault in faults)


_header_2 = np.lib.format.read_array_header_2_0
