"""Words for the splits, as tables, dictionaries and data set libraries use them."""

from __future__ import annotations

from fertune.data.assemble import TEST, TRAIN, VALIDATION

SPLIT_WORDS = {
    "train": TRAIN, "training": TRAIN, "validation": VALIDATION, "val": VALIDATION, "valid": VALIDATION,
    "dev": VALIDATION, "test": TEST, "testing": TEST,
}  # fmt: skip
LEGAL_SPLITS = "train, validation (or val) and test are legal"


def split_of(word: str) -> int | None:
    """The split that a word names, whatever its case; None for no such word."""
    return SPLIT_WORDS.get(word.strip().lower())
