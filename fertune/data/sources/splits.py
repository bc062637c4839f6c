"""Words for the splits, as tables, dictionaries and data set libraries use them."""

from __future__ import annotations

from collections.abc import Iterable

from fertune.data.assemble import TEST, TRAIN, VALIDATION
from fertune.errors import did_you_mean

SPLIT_WORDS = {
    "train": TRAIN, "training": TRAIN, "validation": VALIDATION, "val": VALIDATION, "valid": VALIDATION,
    "dev": VALIDATION, "test": TEST, "testing": TEST,
}  # fmt: skip
LEGAL_SPLITS = "train, validation (or val) and test are legal"


def split_of(word: str) -> int | None:
    """The split that a word names, whatever its case; None for no such word."""
    return SPLIT_WORDS.get(word.strip().lower())


def split_faults(words: Iterable[str]) -> list[str]:
    """What is wrong with these names of splits, one line each: unknown ones, two for one split, no ``train``."""
    faults: list[str] = []
    named: dict[int, str] = {}
    for word in words:
        split = split_of(word)
        if split is None:
            faults.append(f"{word!r} is no split{did_you_mean(word, SPLIT_WORDS)}")
        elif split in named:
            faults.append(f"{named[split]!r} and {word!r} are one split")
        else:
            named[split] = word
    return faults or ([] if TRAIN in named else ["'train' is missing"])
