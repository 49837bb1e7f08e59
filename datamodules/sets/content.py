"""Say what the files of a set hold, so that a change of a byte is a change of the set, wherever it lies."""

from __future__ import annotations

import hashlib
from pathlib import Path

RECEIPT = "FETCHED.json"  # what fetch leaves beside the files: it holds the time, and is no content


def contents(folder: Path) -> list[tuple[str, str]]:
    """(path in ``folder``, hash of the bytes) of every file but the receipt, in order."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != RECEIPT)
    return [(path.relative_to(folder).as_posix(), _hash(path)) for path in paths]


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
