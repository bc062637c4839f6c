"""The run folder: an append-only journal, arrays, models; how they are written, locked, and read back."""

from fertune.store.files import sha256_file, write_arrays, write_json, write_text
from fertune.store.folder import PROTOCOL, RunFolder
from fertune.store.journal import Journal, read_journal
from fertune.store.records import FoldRun, SearchRecord, StackRecord, open_record

__all__ = [
    "PROTOCOL",
    "FoldRun",
    "Journal",
    "RunFolder",
    "SearchRecord",
    "StackRecord",
    "open_record",
    "read_journal",
    "sha256_file",
    "write_arrays",
    "write_json",
    "write_text",
]
