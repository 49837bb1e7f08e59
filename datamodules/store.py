"""Prepared streams on disk: written once, memory-mapped ever after."""

# Shapes: T steps of one item; all items of one modality lie end to end.

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from rich.progress import track

from datamodules.transforms.base import Prepared

VERSION = 1  # raise it when a transform's arithmetic changes, so that old content is never read again


class PreparedStore:
    """Read-only map from a recording's key to its Prepared stream."""

    def __init__(self, folder: Path):
        index = json.loads((folder / "index.json").read_text())
        self.keys: dict[str, int] = {key: row for row, key in enumerate(index["keys"])}
        self.offsets = np.asarray(index["offsets"])
        self.parts = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in Prepared._fields]

    def __getitem__(self, key: str) -> Prepared:
        row = self.keys[key]
        steps = slice(self.offsets[row], self.offsets[row + 1])
        return Prepared(*(np.asarray(part[steps]) for part in self.parts))

    def __contains__(self, key: str) -> bool:
        return key in self.keys


def build_store(
    root: Path, name: str, settings: object, keys: list[str], prepare: Callable[[], Iterable[tuple[str, Prepared]]]
) -> PreparedStore:
    """Open the store of ``keys`` under ``settings``, building it first where it is not there.

    ``settings``: whatever decides the content, JSON-able; a change of it is a new store. ``prepare`` yields every key
    with its Prepared, in any order. The folder appears by one rename, so a kill or a full disk leaves no half store,
    and of two processes that build at once one simply wins.
    """
    identity = json.dumps([VERSION, name, settings, keys], sort_keys=True, default=str)
    folder = Path(root) / f"{name}-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f"{folder.name}.building-", dir=folder.parent))
        try:
            items = dict(track(prepare(), f"preparing {name}", total=len(keys), transient=True))
            _write(building, keys, [items[key] for key in keys])
            os.rename(building, folder)
        except OSError as error:
            if not folder.is_dir():  # not lost to another process that was faster
                raise OSError(f"cannot write prepared {name} to {folder}: {error}; set paths.cache_dir") from error
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return PreparedStore(folder)


def _write(folder: Path, keys: list[str], items: list[Prepared]) -> None:
    offsets = np.concatenate([[0], np.cumsum([len(item.valid) for item in items])])
    for field in Prepared._fields:
        np.save(folder / f"{field}.npy", np.concatenate([getattr(item, field) for item in items]))
    (folder / "index.json").write_text(json.dumps({"keys": keys, "offsets": offsets.tolist()}))
