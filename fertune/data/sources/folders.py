"""Folders of pictures: ``train/<class>/*``, optional ``val/`` or ``validation/``, ``test/``; or ``<class>/*``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fertune.data.assemble import TEST, TRAIN, VALIDATION, Parsed, deal
from fertune.data.options import ReadOptions
from fertune.data.progress import Progress, unseen
from fertune.data.sources.pictures import KINDS, decode, gather, left_out_note, not_readable
from fertune.data.words import counted
from fertune.errors import DataError, did_you_mean

SPLIT_FOLDERS = {"train": TRAIN, "validation": VALIDATION, "val": VALIDATION, "test": TEST}
LAYOUT = (
    "pictures stand in train/<class>/, and where you have them in validation/<class>/ and test/<class>/; "
    "or in <class>/ where there are no splits"
)
MEND = "mend these files or take them out, or leave them out with --skip-bad-rows"
SHOWN = 5
Inside = Mapping[str, "os.DirEntry[str]"]


@dataclass
class Listing:
    """The files of a data set, in the order of their rows.

    Attributes:
        root: The folder.
        files: Relative paths with ``/``, sorted inside train, validation, test.
        split: One a file; empty where the folder has no splits.
        classes: One a file.
        class_names: Sorted names of the folders in train, or of all of them where there are no splits.
        left_out: Relative paths of what is neither a picture nor hidden.
        denied: ``path: reason`` of pictures that may not be opened; they are not in ``files``.
    """

    root: Path
    files: list[str] = field(default_factory=list)
    split: list[int] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    class_names: tuple[str, ...] = ()
    left_out: list[str] = field(default_factory=list)
    denied: list[str] = field(default_factory=list)

    def pictures(self, relative: str, label: str) -> list[str]:
        """Take in what stands in one class folder; the pictures among it."""
        found = []
        for file in _visible(self.root / relative):
            name = f"{relative}/{file.name}"
            if not (file.name.lower().endswith(KINDS) and file.is_file()):
                self.left_out.append(name)
            elif reason := not_readable(file.path):
                self.denied.append(f"{name}: {reason}")
            else:
                found.append(name)
        self.files += found
        self.classes += [label] * len(found)
        return found


def list_folder(root: Path) -> Listing:
    """Find the pictures; nothing is opened.

    Raises:
        DataError: Not such a layout, or a class that train has not.
    """
    inside = {entry.name: entry for entry in _visible(root)}
    if "train" in inside and inside["train"].is_dir():
        return _with_splits(root, inside)
    if not set(SPLIT_FOLDERS) & set(inside) and _holds_classes(inside):
        return _without_splits(root, inside)
    found = ", ".join(sorted(inside)[:8]) or "nothing"
    details = [f"it holds {found}"]
    loose = _count_pictures(inside.values())
    if loose:
        details.append(f"{_pictures(loose)} in no class folder")
    folders = [name for name, entry in inside.items() if entry.is_dir()]
    what = "no class folders" if loose and not folders else f"no folder train/{did_you_mean('train', inside)}"
    raise DataError(f"{root.name} has {what}", details=details, help=LAYOUT)


def _pictures(count: int) -> str:
    return counted(count, "picture stands", "pictures stand")


def _count_pictures(entries: object) -> int:
    return sum(e.is_file() and e.name.lower().endswith(KINDS) for e in entries)  # type: ignore[attr-defined]


def _holds_classes(inside: Inside) -> bool:
    """Whether a folder in it holds pictures, as a class folder does and ``train/`` does not."""
    return any(entry.is_dir() and _count_pictures(_visible(Path(entry.path))) for entry in inside.values())


def _without_splits(root: Path, inside: Inside) -> Listing:
    listing = Listing(root)
    for name, entry in inside.items():
        if entry.is_dir():
            listing.class_names += (name,)
            listing.pictures(name, name)
        else:
            listing.left_out.append(name)
    if len(listing.class_names) < 2:
        only = listing.class_names[0]
        raise DataError(
            f"{root.name} cannot be used as a data set",
            details=[f"it has 1 class folder, {only}/; two or more are needed"], help=LAYOUT,
        )  # fmt: skip
    return listing


def _with_splits(root: Path, inside: Inside) -> Listing:
    listing = Listing(root)
    if "val" in inside and "validation" in inside:
        raise DataError(f"{root.name} has both val/ and validation/", help="keep one of the two")
    listing.left_out += [name for name in sorted(inside) if name not in SPLIT_FOLDERS]
    faults = []
    for name, split in SPLIT_FOLDERS.items():
        if name not in inside or not inside[name].is_dir():
            continue
        entries = _visible(root / name)
        for folder in entries:
            if not folder.is_dir():
                listing.left_out.append(f"{name}/{folder.name}")
                continue
            if name == "train":
                listing.class_names += (folder.name,)
            elif folder.name not in listing.class_names:
                hint = did_you_mean(folder.name, listing.class_names)
                faults.append(f"{name}/{folder.name}: train/ has no class {folder.name!r}{hint}")
            listing.split += [split] * len(listing.pictures(f"{name}/{folder.name}", folder.name))
        loose = _count_pictures(entries)
        if name == "train" and loose and not listing.class_names:
            faults.append(f"{_pictures(loose)} in train/ itself; put them in train/<class>/")
    if len(listing.class_names) < 2:
        many = len(listing.class_names)
        faults.append(f"train/ has {many} class folder{'s' if many != 1 else ''}; two or more are needed")
    if not faults and TRAIN not in listing.split and not listing.denied:
        faults.append(f"train/ has no pictures; {', '.join(KINDS)} are read")
    if faults:
        raise DataError(f"{root.name} cannot be used as a data set", details=faults, help=LAYOUT)
    return listing


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted((entry for entry in entries if not entry.name.startswith(".")), key=lambda e: e.name)


def read_folder(listing: Listing, options: ReadOptions, progress: Progress = unseen) -> Parsed:
    """Decode all pictures: 1 channel where each of them is gray, else 3.

    Raises:
        DataError: Pictures that cannot be read, or sizes that differ.
    """
    name = listing.root.name
    if listing.denied and not options.skip_bad_rows:
        count = len(listing.denied)
        raise DataError(
            f"{name} has {count:,} picture{'s' if count > 1 else ''} that cannot be used",
            details=listing.denied, help=MEND,
        )  # fmt: skip
    read = lambda at: decode(listing.root / listing.files[at])  # noqa: E731
    gathered = gather(name, listing.files, read, options, help=MEND, progress=progress)
    notes = []
    if listing.left_out:
        some = ", ".join(listing.left_out[:SHOWN]) + (", ..." if len(listing.left_out) > SHOWN else "")
        one, many = "file or folder is no picture", "files or folders are no pictures"
        were = "was" if len(listing.left_out) == 1 else "were"
        notes.append(f"{counted(len(listing.left_out), one, many)} of a class and {were} left out: {some}")
    number = {label: index for index, label in enumerate(listing.class_names)}
    labels = np.array([number[label] for label in listing.classes], np.int32)[gathered.kept]
    split = np.array(listing.split or [TRAIN] * len(listing.files), np.int8)[gathered.kept]
    parsed = Parsed(
        images=gathered.images, labels=labels, split=split, row_ids=gathered.kept.astype(np.int32),
        class_names=listing.class_names, name=name,
        notes=(*notes, *left_out_note(listing.denied), *gathered.notes),
    )  # fmt: skip
    return parsed if listing.split else deal(parsed)
